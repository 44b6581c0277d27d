//! Events of other crates: set, look, reset, look.

use crate::operations::Contestant;
use event_listener::Listener;
use rsevents::Awaitable;
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// `rsevents::ManualResetEvent`.
pub fn rsevents() -> Contestant {
    let event = rsevents::ManualResetEvent::new(rsevents::EventState::Unset);
    Contestant::new("rsevents", 1, move || {
        let event = black_box(&event);
        event.set();
        let signalled = event.wait0();
        event.reset();
        assert!(signalled && !event.wait0());
    })
}

/// `event_listener::Event`, which has no state of its own: the flag is its documentation's pattern.
pub fn event_listener() -> Contestant {
    let (flag, event) = (AtomicBool::new(false), event_listener::Event::new());
    Contestant::new("event-listener", 1, move || {
        let (flag, event) = (black_box(&flag), black_box(&event));
        let wait0 = || flag.load(Ordering::Acquire) || event.listen().wait_timeout(Duration::ZERO).is_some();
        flag.store(true, Ordering::Release);
        event.notify(usize::MAX);
        let signalled = wait0();
        flag.store(false, Ordering::Release);
        assert!(signalled && !wait0());
    })
}

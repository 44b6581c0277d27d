//! One thread: Signal, Wait(0), Reset, Wait(0); an operation is the cycle of the four.
//!
//! Through `ISynchronize` these are four calls through a vtable. The thread is in the MTA: in an STA a `Wait(0)` has to
//! look at the message queue (WAIT-24).

use super::{Contest, Contestant, Row, Target};
use crate::{peers, pin, server};
use oleander::{COWAIT_DEFAULT, RPC_S_CALLPENDING, S_OK};
use std::hint::black_box;

pub(super) fn rows() -> impl Iterator<Item = Row> {
    [Row::in_mta(contest)].into_iter()
}

fn contest() -> Contest {
    pin::pin_to(0);
    let peers = vec![
        #[cfg(target_os = "linux")]
        three_states(),
        condvar(),
        #[cfg(feature = "peers")]
        peers::events::rsevents(),
        #[cfg(feature = "peers")]
        peers::events::event_listener(),
        kernel(),
    ];
    let targets = vec![Target::Under(30.0), Target::Times(1.5, "rsevents")];
    Contest { what: "event: Signal, Wait(0), Reset, Wait(0)".into(), place: None, ours: ours(), peers, targets }
}

fn ours() -> Contestant {
    let event = server::com_event();
    Contestant::new("oleander", 1, move || {
        let event = black_box(&event);
        // SAFETY: a live interface.
        let set = unsafe { (event.Signal(), event.Wait(COWAIT_DEFAULT, 0)) };
        // SAFETY: as above.
        let reset = unsafe { (event.Reset(), event.Wait(COWAIT_DEFAULT, 0)) };
        assert!(set == (S_OK, S_OK) && reset == (S_OK, RPC_S_CALLPENDING));
    })
}

/// The kernel object inside, without COM.
fn kernel() -> Contestant {
    let event = server::kernel_event();
    Contestant::new("(kernel::Event)", 1, move || {
        let event = black_box(&event);
        event.set();
        let signalled = event.poll();
        event.reset();
        assert!(signalled && !event.poll());
    })
}

#[cfg(target_os = "linux")]
fn three_states() -> Contestant {
    let event = peers::futex::Manual::default();
    Contestant::new("futex", 1, move || {
        let event = black_box(&event);
        event.set();
        let signalled = event.is_set();
        event.reset();
        assert!(signalled && !event.is_set());
    })
}

fn condvar() -> Contestant {
    let event = peers::by_hand::Flag::default();
    Contestant::new("condvar", 1, move || {
        let event = black_box(&event);
        event.set();
        let signalled = event.is_set();
        event.reset();
        assert!(signalled && !event.is_set());
    })
}

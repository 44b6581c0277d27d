//! Proxies tied straight to stubs by a loopback channel: no apartments, no threads.

mod loopback;
mod parameters;
mod ready_made;
mod servers;
mod sieve;
mod states;
mod waiting;

use crate::debug::live_objects;
use crate::platform::{self, Thread, enter};
use crate::process::Process;
use std::sync::Arc;

/// Runs a test in a process of its own and sees that it leaves no object behind.
fn in_process(test: impl FnOnce()) {
    let process = Process::new(platform::host());
    let thread = Thread::new("test".into(), platform::host(), false, process);
    // SAFETY: the record lives until the one before is back.
    let _back = Back(unsafe { enter(Arc::as_ptr(&thread)) });
    test();
    assert_eq!(live_objects(), 0, "objects left behind");
}

struct Back(*const Thread);

impl Drop for Back {
    fn drop(&mut self) {
        // SAFETY: the record that was current before.
        unsafe { enter(self.0) };
    }
}

//! Handles that are awaited by a registered wait, as on the system's COM. The functions are the surface's, so it is the same on
//! the emulation.

use super::*;
use crate::abi::win32::{CreateEventW, SetEvent};
use crate::kernel::{self, Event};
use crate::platform::{self, Deadline, Why};
use crate::process::Process;
use std::sync::mpsc;
use std::task::Wake;

/// Runs a test in a process of its own and sees that it leaves no object and no handle behind.
fn in_process(test: impl FnOnce() + Send + 'static) {
    let (send, left) = mpsc::channel();
    let thread = kernel::spawn_in(&Process::new(platform::host()), "test", false, move || {
        test();
        send.send((crate::debug::live_objects(), crate::debug::open_handles())).unwrap();
    });
    assert!(thread.ended.wait(Deadline::NEVER, Why::Wait));
    assert_eq!(left.recv(), Ok((0, 0)), "the test ended well and left nothing");
}

struct Woken(Arc<Event>);

impl Woken {
    fn new() -> Arc<Self> {
        Arc::new(Self(Event::manual()))
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.set();
    }
}

fn auto_event(signalled: bool) -> HANDLE {
    // SAFETY: no attributes and no name.
    unsafe { CreateEventW(std::ptr::null(), false.into(), signalled.into(), std::ptr::null()) }
}

fn poll(future: &mut Registered, woken: &Arc<Woken>) -> Poll<Result<(), HRESULT>> {
    future.poll(&Context::from_waker(&Waker::from(woken.clone())))
}

fn is_signalled(handle: HANDLE) -> bool {
    // SAFETY: any handle may be waited for.
    unsafe { WaitForSingleObject(handle, 0) == WAIT_OBJECT_0 }
}

fn set(handle: HANDLE) {
    // SAFETY: any handle may be set.
    assert!(unsafe { SetEvent(handle) }.as_bool());
}

fn close(handle: HANDLE) {
    // SAFETY: the test's own handle.
    assert!(unsafe { CloseHandle(handle) }.as_bool());
}

#[test]
fn sync_15_what_is_ready_is_taken_at_once() {
    in_process(|| {
        let handle = auto_event(true);
        let mut future = Registered::new(handle).unwrap();
        assert_eq!(poll(&mut future, &Woken::new()), Poll::Ready(Ok(())));
        assert!(!is_signalled(handle), "the future took the signal");
        close(handle);
        drop(future);
        assert_eq!(Registered::new(handle).err(), Some(E_HANDLE));
    });
}

#[test]
fn pat_08_a_handle_that_is_closed_meanwhile_is_awaited() {
    in_process(|| {
        let (first, last) = (Woken::new(), Woken::new());
        let handle = auto_event(false);
        let mut future = Registered::new(handle).unwrap();
        let own = future.handle;
        assert_eq!(poll(&mut future, &first), Poll::Pending);
        assert_eq!(poll(&mut future, &last), Poll::Pending);
        close(handle);
        set(own);
        assert!(last.0.wait(Deadline::NEVER, Why::Wait));
        assert!(!first.0.wait(Deadline::NOW, Why::Wait), "the last waker is the one that is called");
        assert_eq!(poll(&mut future, &first), Poll::Ready(Ok(())));
        assert!(!is_signalled(own), "the future took the signal");
    });
}

#[test]
fn agg_10_a_dropped_future_takes_no_signal_and_keeps_no_waker() {
    in_process(|| {
        let woken = Woken::new();
        let handle = auto_event(false);
        let mut future = Registered::new(handle).unwrap();
        assert_eq!(poll(&mut future, &woken), Poll::Pending);
        drop(future);
        assert_eq!(Arc::strong_count(&woken), 1, "nobody keeps the waker");
        set(handle);
        assert!(is_signalled(handle), "the signal is still there");
        close(handle);
    });
}

//! The MTA's pool at its limit (MSG-18): calls beyond it queue, and the report of a deadlock names the limit.

#![allow(clippy::undocumented_unsafe_blocks, reason = "every call of a COM method is one; the rules are those of COM")]

use oleander::kernel::{self, Event};
use oleander::platform::{Deadline, Why};
use oleander::windows_core::{HRESULT, IUnknown, Interface};
use oleander::*;
use oleander_sim::{End, run};
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::Arc;

/// Waits.
#[async_interface(uuid = "7d7a5c10-52d1-4a0e-8a34-5f1c0e2b3a01", async_uuid = "7d7a5c10-52d1-4a0e-8a34-5f1c0e2b3a02")]
unsafe trait IWait: IUnknown {
    fn Wait(&self) -> HRESULT;
}

#[com_class(IWait)]
struct Waiter(Arc<Event>);

impl IWait_Impl for Waiter_Impl {
    unsafe fn Wait(&self) -> HRESULT {
        assert!(self.0.wait(Deadline::NEVER, Why::Wait));
        S_OK
    }
}

/// An STA that begins so many calls to an object of the MTA, whose methods wait for `go`, and finishes them all.
fn calls_that_wait(count: usize, go: Arc<Event>, begun: impl FnOnce()) {
    let ready = Event::manual();
    let (mut cookie, mut raw) = (null_mut(), null_mut());
    unsafe {
        assert_eq!(CoIncrementMTAUsage(&mut cookie), S_OK);
        let stream = Arc::new(std::sync::Mutex::new(0usize));
        let (packed, told) = (stream.clone(), ready.clone());
        kernel::spawn("server", false, move || {
            let (object, mut stream) = (IWait::from(Waiter(go)), null_mut());
            assert_eq!(CoMarshalInterThreadInterfaceInStream(&IWait::IID, object.as_raw(), &mut stream), S_OK);
            *packed.lock().unwrap() = stream as usize;
            told.set();
        });
        assert!(ready.wait(Deadline::NEVER, Why::Wait));
        assert_eq!(CoInitializeEx(null_mut(), COINIT_APARTMENTTHREADED), S_OK);
        let stream = *stream.lock().unwrap() as *mut c_void;
        assert_eq!(CoGetInterfaceAndReleaseStream(stream, &IWait::IID, &mut raw), S_OK);
        let proxy = IWait::from_raw(raw);
        let factory: ICallFactory = proxy.cast().unwrap();
        let calls: Vec<AsyncIWait> = (0..count)
            .map(|_| {
                assert_eq!(factory.CreateCall(&AsyncIWait::IID, null_mut(), &AsyncIWait::IID, &mut raw), S_OK);
                let call = AsyncIWait::from_raw(raw);
                assert_eq!(call.Begin_Wait(), S_OK);
                call
            })
            .collect();
        begun();
        for call in &calls {
            assert_eq!(call.Finish_Wait(), S_OK);
        }
        drop((calls, factory, proxy));
        CoUninitialize();
        assert_eq!(CoDecrementMTAUsage(cookie), S_OK);
    }
    assert_eq!(debug::live_objects(), 0);
}

#[test]
fn msg_18_calls_beyond_the_limit_queue_and_are_served_when_threads_are_free() {
    let report = run(|| {
        let go = Event::manual();
        calls_that_wait(600, go.clone(), || go.set());
    });
    report.expect_completed();
}

#[test]
fn msg_18_a_deadlock_at_the_limit_is_reported_with_the_limit() {
    let report = run(|| calls_that_wait(600, Event::manual(), || {}));
    let End::Deadlock { limits, .. } = &report.end else { panic!("{report}") };
    assert_eq!(limits[..], ["the MTA's pool has all 512 threads that it may have, and 88 calls wait for one"]);
    assert!(report.to_string().ends_with(&format!(
        "\n  {}\nafter {} steps at 0 ns, {} threads abandoned",
        limits[0], report.steps, report.abandoned
    )));
}

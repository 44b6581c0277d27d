//! Futures in the simulated world: timeouts of virtual seconds, and every schedule of a signal against a wait.

#![allow(clippy::undocumented_unsafe_blocks, reason = "every call of a COM method is one; the rules are those of COM")]

use oleander::future::{TimedOut, begun, block_on, resume_on_signal, sleep, timeout};
use oleander::kernel::{self, Event};
use oleander::platform::{Deadline, Why};
use oleander::windows_core::{HRESULT, IUnknown, Interface};
use oleander::*;
use oleander_sim::{explore, run, world};
use std::ffi::c_void;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

const SECOND_NS: u64 = 1_000_000_000;

/// Takes as many seconds as it is told, or until it is cancelled.
#[async_interface(uuid = "5f1f5a61-7f5c-4c1d-9d52-2f6f6c650020", async_uuid = "5f1f5a61-7f5c-4c1d-9d52-2f6f6c650021")]
pub unsafe trait ISlow: IUnknown {
    /// How many seconds it took.
    fn Take(&self, #[idl(in)] seconds: u32, #[idl(out)] took: *mut u32) -> HRESULT;
}

#[com_class(ISlow)]
struct Slow;

impl ISlow_Impl for Slow_Impl {
    unsafe fn Take(&self, seconds: u32, took: *mut u32) -> HRESULT {
        for second in 0..seconds {
            if unsafe { CoTestCancel() } != RPC_S_CALLPENDING {
                unsafe { *took = second };
                return E_ABORT;
            }
            unsafe { Sleep(1000) };
        }
        unsafe { *took = seconds };
        S_OK
    }
}

struct Packet(*mut c_void);
unsafe impl Send for Packet {}

/// Runs `client` in the MTA with a call object for an `ISlow` that lives in an STA.
fn with_call(client: impl FnOnce(AsyncISlow)) {
    let (ready, packet) = (Event::manual(), Arc::new(Mutex::new(None)));
    let (told, put) = (ready.clone(), packet.clone());
    let server = kernel::spawn("server", false, move || unsafe {
        CoInitializeEx(std::ptr::null_mut(), COINIT_APARTMENTTHREADED).ok().expect("an STA");
        let slow: ISlow = Slow.into();
        let mut stream = std::ptr::null_mut();
        CoMarshalInterThreadInterfaceInStream(&ISlow::IID, slow.as_raw(), &mut stream).ok().expect("a packet");
        *put.lock().unwrap() = Some((GetCurrentThreadId(), Packet(stream)));
        told.set();
        let mut msg = MSG::default();
        while GetMessageW(&mut msg, HWND::NULL, 0, 0).0 > 0 {
            DispatchMessageW(&msg);
        }
        drop(slow);
        CoUninitialize();
    });
    assert!(ready.wait(Deadline::NEVER, Why::Wait));
    let (thread_id, Packet(stream)) = packet.lock().unwrap().take().expect("the server is ready");
    unsafe {
        CoInitializeEx(std::ptr::null_mut(), COINIT_MULTITHREADED).ok().expect("the MTA");
        let (mut slow, mut call) = (std::ptr::null_mut(), std::ptr::null_mut());
        CoGetInterfaceAndReleaseStream(stream, &ICallFactory::IID, &mut slow).ok().expect("a proxy");
        let factory = ICallFactory::from_raw(slow);
        let hr = factory.CreateCall(&AsyncISlow::IID, std::ptr::null_mut(), &AsyncISlow::IID, &mut call);
        hr.ok().expect("a call object");
        client(AsyncISlow::from_raw(call));
        drop(factory);
        PostThreadMessageW(thread_id, WM_QUIT, 0, 0).ok().expect("the server lives");
        CoUninitialize();
    }
    assert!(server.ended.wait(Deadline::NEVER, Why::Wait));
    assert_eq!(debug::live_objects(), 0);
}

fn finish(call: &AsyncISlow) -> (HRESULT, u32) {
    let mut took = 0;
    (unsafe { call.Finish_Take(&mut took) }, took)
}

#[test]
fn a_timeout_of_virtual_seconds_cancels_the_call() {
    let report = run(|| {
        with_call(|call| {
            let began = world::now_ns();
            unsafe { assert_eq!(call.Begin_Take(3600), S_OK) };
            assert_eq!(block_on(timeout(3000, begun(&call))).err(), Some(TimedOut));
            assert_eq!(world::now_ns() - began, 3 * SECOND_NS);
            assert_eq!(finish(&call).0, RPC_S_CALL_CANCELLED_HR);
        });
    });
    report.expect_completed();
    assert!(report.virtual_ns < 10 * SECOND_NS, "the server stopped at its next look");
}

#[test]
fn a_call_that_is_faster_than_its_timeout_gives_its_result() {
    let report = run(|| {
        with_call(|call| {
            unsafe { assert_eq!(call.Begin_Take(7), S_OK) };
            let resolved = block_on(timeout(8000, begun(&call))).expect("in time").expect("a call object");
            assert_eq!(finish(&resolved), (S_OK, 7));
        });
    });
    report.expect_completed();
    assert_eq!(report.virtual_ns, 7 * SECOND_NS);
}

/// A waker that hides another, as combinators have them.
struct Hidden(Waker);

impl Wake for Hidden {
    fn wake(self: Arc<Self>) {
        self.0.wake_by_ref();
    }
}

#[test]
fn a_timer_under_a_foreign_waker_is_the_timer_threads_and_keeps_no_world_alive() {
    let report = run(|| {
        let mut slept = pin!(sleep(5000));
        let mut forgotten = Box::pin(sleep(3_600_000));
        block_on(std::future::poll_fn(|cx| {
            let waker = Waker::from(Arc::new(Hidden(cx.waker().clone())));
            let mut hidden = Context::from_waker(&waker);
            assert!(forgotten.as_mut().poll(&mut hidden).is_pending());
            slept.as_mut().poll(&mut hidden)
        }));
        assert_eq!(world::now_ns(), 5 * SECOND_NS);
        std::mem::forget(forgotten);
    });
    report.expect_completed();
    assert_eq!(report.virtual_ns, 5 * SECOND_NS);
}

#[test]
fn a_sleep_wakes_who_has_polled_it_once_and_only_once() {
    run(|| {
        let (mut first, mut second, mut polls) = (pin!(sleep(1000)), pin!(sleep(2000)), 0);
        block_on(std::future::poll_fn(|cx| {
            polls += 1;
            match polls {
                1 => {
                    assert!(first.as_mut().poll(cx).is_pending() && second.as_mut().poll(cx).is_pending());
                    // Somebody else has it polled meanwhile, and it need not ask the sleeps again.
                    cx.waker().wake_by_ref();
                    Poll::Pending
                }
                2 => Poll::Pending,
                3 => {
                    assert_eq!(world::now_ns(), SECOND_NS);
                    Poll::Pending
                }
                _ => second.as_mut().poll(cx),
            }
        }));
        assert_eq!((polls, world::now_ns()), (4, 2 * SECOND_NS));
    })
    .expect_completed();
}

#[test]
fn no_schedule_loses_a_wake_up() {
    let found = explore(|| {
        let handle = unsafe { CreateEventW(std::ptr::null(), true.into(), false.into(), std::ptr::null()) };
        let setter = world::spawn("setter", move || unsafe { SetEvent(handle).ok() });
        assert_eq!(block_on(handle), Ok(()));
        setter.join().expect("it does not panic").expect("the handle is good");
        unsafe { CloseHandle(handle).ok().expect("it is still open") };
    });
    assert_eq!(found.failures, 0);
    assert!(found.schedules > 2, "before, between and after the looks: {}", found.schedules);
}

#[test]
fn every_schedule_gives_the_signal_of_an_automatic_event_to_one_of_two() {
    let found = explore(|| {
        let handle = unsafe { CreateEventW(std::ptr::null(), false.into(), false.into(), std::ptr::null()) };
        let other = world::spawn("other", move || block_on(timeout(1000, resume_on_signal(handle))).is_ok());
        unsafe { SetEvent(handle).ok().expect("the handle is good") };
        let mine = block_on(timeout(1000, resume_on_signal(handle))).is_ok();
        assert_ne!(mine, other.join().expect("it does not panic"));
        unsafe { CloseHandle(handle).ok().expect("it is still open") };
    });
    assert_eq!(found.failures, 0);
}

#[test]
fn a_future_that_nobody_signals_is_a_deadlock_that_the_report_names() {
    let report = run(|| {
        let handle = unsafe { CreateEventW(std::ptr::null(), true.into(), false.into(), std::ptr::null()) };
        block_on(handle).expect("nobody sets it");
    });
    assert!(matches!(report.end, oleander_sim::End::Deadlock { .. }), "{:?}", report.end);
}

//! A busy server and a patient client in the simulated world: waits between tries take virtual time (MF-03).

#![allow(clippy::undocumented_unsafe_blocks, reason = "every call of a COM method is one; the rules are those of COM")]

use oleander::kernel::{self, Event};
use oleander::platform::{Deadline, Why};
use oleander::windows_core::{HRESULT, IUnknown, Interface};
use oleander::*;
use oleander_sim::{run, world};
use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::{Arc, Mutex};

const SECOND_NS: u64 = 1_000_000_000;

/// Counts its calls.
#[async_interface(uuid = "6d1b6a52-1c7e-4ef2-8a77-6f6c65610101")]
pub unsafe trait ICounts: IUnknown {
    /// How many calls there were, this one included.
    fn Count(&self, #[idl(out)] calls: *mut u32) -> HRESULT;
}

#[com_class(ICounts)]
struct Counts(Cell<u32>);

impl ICounts_Impl for Counts_Impl {
    unsafe fn Count(&self, calls: *mut u32) -> HRESULT {
        self.0.set(self.0.get() + 1);
        unsafe { *calls = self.0.get() };
        S_OK
    }
}

/// Refuses so many calls, and waits so long after each refusal; `waited` are the milliseconds that it is told.
#[com_class(IMessageFilter)]
struct Filter {
    refuses: Cell<u32>,
    patience_ms: u32,
    waited: RefCell<Vec<u32>>,
}

impl IMessageFilter_Impl for Filter_Impl {
    unsafe fn HandleInComingCall(&self, _: u32, _: HANDLE, _: u32, _: *const INTERFACEINFO) -> u32 {
        match self.refuses.get() {
            0 => SERVERCALL_ISHANDLED,
            n => {
                self.refuses.set(n - 1);
                SERVERCALL_RETRYLATER
            }
        }
    }
    unsafe fn RetryRejectedCall(&self, _: HANDLE, waited_ms: u32, kind: u32) -> u32 {
        assert_eq!(kind, SERVERCALL_RETRYLATER);
        self.waited.borrow_mut().push(waited_ms);
        self.patience_ms
    }
    unsafe fn MessagePending(&self, _: HANDLE, _: u32, _: u32) -> u32 {
        PENDINGMSG_WAITDEFPROCESS
    }
}

fn register(refuses: u32, patience_ms: u32) -> windows_core::ComObject<Filter> {
    let filter =
        windows_core::ComObject::new(Filter { refuses: refuses.into(), patience_ms, waited: Vec::new().into() });
    let raw: IMessageFilter = filter.to_interface();
    assert_eq!(unsafe { CoRegisterMessageFilter(raw.as_raw(), null_mut()) }, S_OK);
    filter
}

struct Packet(*mut c_void);
unsafe impl Send for Packet {}

/// A server that refuses so many calls, and a client in another STA.
fn with_busy_server(refuses: u32, client: impl FnOnce(&ICounts)) {
    let (ready, place) = (Event::manual(), Arc::new(Mutex::new(None)));
    let (told, put) = (ready.clone(), place.clone());
    let server = kernel::spawn("server", false, move || unsafe {
        CoInitialize(null_mut()).ok().expect("an STA");
        let object: ICounts = Counts(Cell::new(0)).into();
        let mut stream = null_mut();
        CoMarshalInterThreadInterfaceInStream(&ICounts::IID, object.as_raw(), &mut stream).ok().expect("a packet");
        let filter = register(refuses, 0);
        *put.lock().unwrap() = Some((GetCurrentThreadId(), Packet(stream)));
        told.set();
        let mut msg = MSG::default();
        while GetMessageW(&mut msg, HWND::NULL, 0, 0).0 > 0 {
            DispatchMessageW(&msg);
        }
        drop((object, filter));
        CoUninitialize();
    });
    assert!(ready.wait(Deadline::NEVER, Why::Wait));
    let (thread_id, Packet(stream)) = place.lock().unwrap().take().expect("the server is ready");
    unsafe {
        CoInitialize(null_mut()).ok().expect("an STA");
        let mut raw = null_mut();
        CoGetInterfaceAndReleaseStream(stream, &ICounts::IID, &mut raw).ok().expect("a proxy");
        client(&ICounts::from_raw(raw));
        PostThreadMessageW(thread_id, WM_QUIT, 0, 0).ok().expect("the server lives");
        CoUninitialize();
    }
    assert!(server.ended.wait(Deadline::NEVER, Why::Wait));
    assert_eq!(debug::live_objects(), 0);
}

fn count(object: &ICounts) -> (HRESULT, u32) {
    let mut calls = 0;
    (unsafe { object.Count(&mut calls) }, calls)
}

#[test]
fn mf_03_tries_again_after_the_wait_that_the_filter_asks_for() {
    let report = run(|| {
        with_busy_server(3, |object| {
            let filter = register(0, 20_000);
            let began = world::now_ns();
            assert_eq!(count(object), (S_OK, 1));
            assert_eq!(world::now_ns() - began, 60 * SECOND_NS);
            assert_eq!(*filter.waited.borrow(), [0, 20_000, 40_000]);
        });
    });
    report.expect_completed();
    assert_eq!(report.virtual_ns, 60 * SECOND_NS);
}

#[test]
fn mf_03_tries_again_at_once_below_a_hundred_milliseconds() {
    let report = run(|| {
        with_busy_server(5, |object| {
            let filter = register(0, 99);
            assert_eq!(count(object), (S_OK, 1));
            assert_eq!(filter.waited.borrow().len(), 5);
        });
    });
    report.expect_completed();
    assert_eq!(report.virtual_ns, 0);
}

#[test]
fn mf_04_without_a_filter_the_refusal_stands() {
    run(|| {
        with_busy_server(1, |object| {
            assert_eq!(count(object).0, RPC_E_SERVERCALL_RETRYLATER);
            assert_eq!(count(object), (S_OK, 1), "the refused call did not run");
        });
    })
    .expect_completed();
}

//! The stub that waits for its server's Signal, as on the system's channel, in an STA: what comes late comes while it waits.

// SAFETY of all calls in this file: the parameters are valid.
#![allow(clippy::undocumented_unsafe_blocks)]

use super::loopback::{Loopback, Wire};
use crate::abi::hresult::*;
use crate::abi::interfaces::*;
use crate::abi::types::{COINIT_APARTMENTTHREADED, COINIT_MULTITHREADED, HANDLE, WAIT_OBJECT_0, WAIT_TIMEOUT};
use crate::abi::win32::WaitForSingleObject;
use crate::apartment::{self, CoInitializeEx, CoUninitialize};
use crate::debug::live_objects;
use crate::kernel::{self, Spawned};
use crate::marshal::{CoGetInterfaceAndReleaseStream, CoMarshalInterThreadInterfaceInStream};
use crate::object::{AutoInner, create_aggregated};
use crate::platform::{self, Deadline};
use crate::process::Process;
use crate::{CLSID_ManualResetEvent, async_interface, com_class};
use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use windows_core::{ComObject, GUID, HRESULT, IUnknown, Interface};

#[async_interface(uuid = "7bc1f6a0-0005-4000-8000-000000000001", async_uuid = "7bc1f6a0-0005-4000-8000-000000000002")]
unsafe trait ILate: IUnknown {
    fn Double(&self, #[idl(in)] n: u32, #[idl(out)] twice: *mut u32) -> HRESULT;
}

/// What Begin_ does before it returns; a worker that it starts.
type Begin = fn(&Script, &ISynchronize) -> Option<Spawned>;

/// What the next call does, and what the test waits for behind it.
struct Script {
    begin: Cell<Begin>,
    worker: RefCell<Option<Spawned>>,
    wire: RefCell<Option<ComObject<Loopback>>>,
}

#[com_class(ILate, ICallFactory)]
struct Late {
    script: Rc<Script>,
}

impl ILate_Impl for Late_Impl {
    unsafe fn Double(&self, _: u32, _: *mut u32) -> HRESULT {
        unreachable!("it is served asynchronously")
    }
}

impl ICallFactory_Impl for Late_Impl {
    unsafe fn CreateCall(
        &self,
        _: *const GUID,
        outer: *mut c_void,
        iid: *const GUID,
        out: *mut *mut c_void,
    ) -> HRESULT {
        let call = LateCall { script: self.script.clone(), event: AutoInner::default(), n: Cell::new(0) };
        unsafe { create_aggregated(call, outer, iid, out) }
    }
}

#[com_class(AsyncILate, auto(ISynchronize = event : CLSID_ManualResetEvent))]
struct LateCall {
    script: Rc<Script>,
    event: AutoInner,
    n: Cell<u32>,
}

impl AsyncILate_Impl for LateCall_Impl {
    unsafe fn Begin_Double(&self, n: u32) -> HRESULT {
        self.n.set(n);
        let sync: ISynchronize = self.query().expect("the call object's");
        let worker = (self.script.begin.get())(&self.script, &sync);
        self.script.worker.replace(worker);
        S_OK
    }
    unsafe fn Finish_Double(&self, twice: *mut u32) -> HRESULT {
        unsafe { *twice = 2 * self.n.get() };
        S_OK
    }
}

fn early(_: &Script, sync: &ISynchronize) -> Option<Spawned> {
    assert_eq!(unsafe { sync.Signal() }, S_OK);
    None
}

/// The stub is disconnected while the call runs.
fn disconnected(script: &Script, sync: &ISynchronize) -> Option<Spawned> {
    let channel = script.wire.take().expect("it is there");
    channel.waits.as_ref().expect("the stub waits").1.close();
    early(script, sync)
}

/// A worker signals through a proxy, which the STA serves while the stub waits.
fn late(_: &Script, sync: &ISynchronize) -> Option<Spawned> {
    struct Sent(*mut c_void);
    unsafe impl Send for Sent {}
    impl Sent {
        fn take(self) -> *mut c_void {
            self.0
        }
    }
    let mut stream = ptr::null_mut();
    let hr = unsafe { CoMarshalInterThreadInterfaceInStream(&ISynchronize::IID, sync.as_raw(), &mut stream) };
    assert_eq!(hr, S_OK);
    let stream = Sent(stream);
    Some(kernel::spawn("worker", false, move || unsafe {
        assert_eq!(CoInitializeEx(ptr::null_mut(), COINIT_MULTITHREADED), S_OK);
        let mut raw = ptr::null_mut();
        assert_eq!(CoGetInterfaceAndReleaseStream(stream.take(), &ISynchronize::IID, &mut raw), S_OK);
        assert_eq!(ISynchronize::from_raw(raw).Signal(), S_OK);
        CoUninitialize();
    }))
}

/// The call object answers its own apartment: pending until its Signal, and again after Reset.
fn asks(script: &Script, sync: &ISynchronize) -> Option<Spawned> {
    let (handles, cancel) = (sync.cast::<ISynchronizeHandle>().unwrap(), sync.cast::<ICancelMethodCalls>().unwrap());
    let mut handle = HANDLE::NULL;
    unsafe {
        assert_eq!(handles.GetHandle(ptr::null_mut()), E_INVALIDARG);
        assert_eq!(handles.GetHandle(&mut handle), S_OK);
        assert_eq!((sync.Wait(0, 0), WaitForSingleObject(handle, 0)), (RPC_S_CALLPENDING, WAIT_TIMEOUT));
        assert_eq!((cancel.Cancel(0), cancel.TestCancel()), (E_NOTIMPL, RPC_S_CALLPENDING));
        early(script, sync);
        assert_eq!((sync.Wait(0, 0), WaitForSingleObject(handle, 0)), (S_OK, WAIT_OBJECT_0));
        assert_eq!((sync.Reset(), sync.Wait(0, 0)), (S_OK, RPC_S_CALLPENDING));
    }
    None
}

/// A worker signals by the pointer itself, which is of no effect in another apartment; then one does through a proxy.
fn wrong(script: &Script, sync: &ISynchronize) -> Option<Spawned> {
    let (pointer, said) = (sync.as_raw().expose_provenance(), Arc::new(AtomicI32::new(0)));
    let says = said.clone();
    let worker = kernel::spawn("wrong", false, move || unsafe {
        assert_eq!(CoInitializeEx(ptr::null_mut(), COINIT_MULTITHREADED), S_OK);
        let pointer: *mut c_void = ptr::with_exposed_provenance_mut(pointer);
        let sync = ISynchronize::from_raw_borrowed(&pointer).expect("it is there");
        says.store(sync.Signal().0, Ordering::SeqCst);
        CoUninitialize();
    });
    assert!(apartment::co_wait_until(&*worker.ended, Deadline::NEVER));
    assert_eq!(HRESULT(said.load(Ordering::SeqCst)), RPC_E_WRONG_THREAD);
    assert_eq!(unsafe { sync.Wait(0, 0) }, RPC_S_CALLPENDING);
    late(script, sync)
}

/// Runs calls in an STA: each says what its Begin_ does. They all succeed.
fn calls(test: impl FnOnce(&dyn Fn(Begin))) {
    let process = Process::new(platform::host());
    platform::run_as(&process, || {
        assert_eq!(unsafe { CoInitializeEx(ptr::null_mut(), COINIT_APARTMENTTHREADED) }, S_OK);
        let script = Rc::new(Script { begin: Cell::new(early), worker: None.into(), wire: None.into() });
        let server: ILate = Late { script: script.clone() }.into();
        let wire = Wire::<ILate>::waiting(&server.into());
        script.wire.replace(Some(wire.channel.clone()));
        test(&|begin| {
            script.begin.set(begin);
            let mut twice = 0;
            assert_eq!((unsafe { wire.proxy().Double(21, &mut twice) }, twice), (S_OK, 42));
            if let Some(worker) = script.worker.take() {
                assert!(apartment::co_wait_until(&*worker.ended, Deadline::NEVER));
            }
        });
        script.wire.take();
        drop(wire);
        unsafe { CoUninitialize() };
        assert_eq!(live_objects(), 0, "objects left behind");
    });
}

#[test]
fn srv_06_srv_07_a_call_that_is_signalled_early_leaves_nothing_to_the_next() {
    calls(|call| [early, late, late, early, early, late].into_iter().for_each(|begin| call(begin)));
}

#[test]
fn srv_10_the_call_object_is_pending_until_its_signal() {
    calls(|call| [asks, asks].into_iter().for_each(|begin| call(begin)));
}

#[test]
fn srv_13_a_signal_from_another_apartment_has_no_effect() {
    calls(|call| call(wrong));
}

#[test]
fn srv_16_a_call_object_is_kept_while_the_stub_is_connected() {
    calls(|call| {
        let before = live_objects();
        call(early);
        let kept = live_objects();
        assert!(kept > before);
        call(early);
        assert_eq!(live_objects(), kept, "the same once more");
        call(disconnected);
        assert_eq!(live_objects(), before, "it went with its call");
    });
}

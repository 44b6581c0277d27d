//! The server: an object that counts primes, synchronously or from a pool, and looks for a cancellation every second of
//! its virtual hour.

use oleander::windows_core::{GUID, HRESULT, IUnknown, IUnknownImpl, Interface};
use oleander::*;
use std::ffi::c_void;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

pub const HOUR_NS: u64 = 3_600_000_000_000;
pub const CLSID_SIEVE: GUID = GUID::from_u128(0x5f1f_5a61_7f5c_4c1d_9d52_2f6f_6c65_0001);

/// Counts primes.
#[async_interface(uuid = "5f1f5a61-7f5c-4c1d-9d52-2f6f6c650010", async_uuid = "5f1f5a61-7f5c-4c1d-9d52-2f6f6c650011")]
pub unsafe trait ISieve: IUnknown {
    /// The number of primes up to `lMax`.
    fn CountPrimes(&self, #[idl(in)] lMax: u32, #[idl(out)] plResult: *mut u32) -> HRESULT;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    Synchronous,
    Asynchronous,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Honour {
    Yes,
    No,
}

/// Counts, taking an hour; `None` when it was cancelled and cares.
fn count(max: u32, honour: Honour, cancel: Option<ICancelMethodCalls>) -> Option<u32> {
    for _ in 0..3600 {
        unsafe { Sleep(1000) };
        let pending = |it: &ICancelMethodCalls| unsafe { it.TestCancel() } == RPC_S_CALLPENDING;
        let cancelled = cancel.as_ref().is_some_and(|it| !pending(it));
        if honour == Honour::Yes && cancelled {
            return None;
        }
    }
    let prime = |n: &u32| (2..*n).take_while(|d| d * d <= *n).all(|d| !n.is_multiple_of(d));
    Some((2..=max).filter(prime).count() as u32)
}

#[com_class(ISieve)]
struct SyncSieve(Honour);

impl ISieve_Impl for SyncSieve_Impl {
    unsafe fn CountPrimes(&self, lMax: u32, plResult: *mut u32) -> HRESULT {
        let mut raw = std::ptr::null_mut();
        let cancel = unsafe {
            CoGetCallContext(&ICancelMethodCalls::IID, &mut raw).ok().expect("a call is dispatched here");
            ICancelMethodCalls::from_raw(raw)
        };
        match count(lMax, self.0, Some(cancel)) {
            Some(primes) => {
                unsafe { *plResult = primes };
                S_OK
            }
            None => E_ABORT,
        }
    }
}

/// The server's workers: how many were begun, and one count for each that has ended.
struct Workers {
    begun: AtomicU32,
    ended: kernel::Semaphore,
}

#[com_class(ISieve, ICallFactory)]
struct AsyncSieve(Honour, Arc<Workers>);

impl ISieve_Impl for AsyncSieve_Impl {
    unsafe fn CountPrimes(&self, _lMax: u32, _plResult: *mut u32) -> HRESULT {
        E_NOTIMPL
    }
}

impl ICallFactory_Impl for AsyncSieve_Impl {
    unsafe fn CreateCall(
        &self,
        riid: *const GUID,
        pCtrlUnk: *mut c_void,
        riid2: *const GUID,
        ppv: *mut *mut c_void,
    ) -> HRESULT {
        if unsafe { *riid } != AsyncISieve::IID {
            return E_NOINTERFACE;
        }
        let call = SieveCall {
            honour: self.0,
            workers: self.1.clone(),
            event: Default::default(),
            state: Mutex::new(State::Idle),
        };
        unsafe { object::create_aggregated(call, pCtrlUnk, riid2, ppv) }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    Busy,
    Done(HRESULT, u32),
}

/// The server's call object (SRV-12), with the article's safeguards (SRV-14).
#[com_class(AsyncISieve, auto(ISynchronize = event : CLSID_ManualResetEvent))]
struct SieveCall {
    honour: Honour,
    workers: Arc<Workers>,
    event: object::AutoInner,
    state: Mutex<State>,
}

/// What a worker gets: the call object in its own apartment.
struct Work {
    sync: usize,
    max: u32,
    call: ComPtr,
}

struct ComPtr(windows_core::ComObject<SieveCall>);
// SAFETY: the value is locked; the object's count is atomic; the outer is only reached through the packet.
unsafe impl Send for ComPtr {}

impl AsyncISieve_Impl for SieveCall_Impl {
    unsafe fn Begin_CountPrimes(&self, lMax: u32) -> HRESULT {
        if std::mem::replace(&mut *self.state.lock().unwrap(), State::Busy) == State::Busy {
            return RPC_S_CALLPENDING;
        }
        let mut stream = std::ptr::null_mut();
        let sync: ISynchronize = self.query().expect("the outer has it");
        let hr = unsafe { CoMarshalInterThreadInterfaceInStream(&ISynchronize::IID, sync.as_raw(), &mut stream) };
        if hr.is_err() {
            return hr;
        }
        self.workers.begun.fetch_add(1, Ordering::Relaxed);
        let work = Work { sync: stream as usize, max: lMax, call: ComPtr(self.to_object()) };
        kernel::queue_work_item(move || unsafe { compute(work) });
        S_OK
    }

    unsafe fn Finish_CountPrimes(&self, plResult: *mut u32) -> HRESULT {
        let sync: ISynchronize = self.query().expect("the outer has it");
        assert_eq!(unsafe { sync.Wait(COWAIT_DEFAULT, INFINITE) }, S_OK);
        match std::mem::replace(&mut *self.state.lock().unwrap(), State::Idle) {
            State::Done(hr, primes) => {
                unsafe { *plResult = primes };
                hr
            }
            State::Idle | State::Busy => RPC_E_CALL_COMPLETE,
        }
    }
}

/// The worker: in the MTA, whatever the server's apartment is, so it goes through a marshaled pointer (SRV-13).
unsafe fn compute(work: Work) {
    unsafe {
        CoInitializeEx(std::ptr::null_mut(), COINIT_MULTITHREADED).ok().expect("the MTA");
        let mut raw = std::ptr::null_mut();
        let got = CoGetInterfaceAndReleaseStream(work.sync as *mut c_void, &ISynchronize::IID, &mut raw);
        if got.is_ok() {
            let sync = ISynchronize::from_raw(raw);
            let done = match count(work.max, work.call.0.honour, sync.cast().ok()) {
                Some(primes) => State::Done(S_OK, primes),
                None => State::Done(E_ABORT, 0),
            };
            *work.call.0.state.lock().unwrap() = done;
            let _ = sync.Signal();
        }
        let workers = work.call.0.workers.clone();
        drop(work.call);
        CoUninitialize();
        workers.ended.release(1);
    }
}

/// A server in an apartment of its own thread.
pub struct Server {
    thread: kernel::Spawned,
    stop: Arc<kernel::Event>,
    workers: Arc<Workers>,
}

impl Server {
    /// Ends the server and waits for it, and then for the workers that it has begun.
    pub fn stop(self) {
        self.stop.set();
        self.thread.ended.wait(platform::Deadline::NEVER, platform::Why::Wait);
        for _ in 0..self.workers.begun.load(Ordering::Relaxed) {
            kernel::wait_any(&[&self.workers.ended], platform::Deadline::NEVER, platform::Why::Wait);
        }
    }
}

/// Starts a server and waits until its class is registered.
pub fn serve(style: Style, honour: Honour, model: u32) -> Server {
    let (ready, stop) = (kernel::Event::manual(), kernel::Event::manual());
    let ended = kernel::Semaphore::new(&Process::current(), 0, 1000).expect("in range");
    let workers = Arc::new(Workers { begun: AtomicU32::new(0), ended });
    let pool = workers.clone();
    let (is_ready, must_stop) = (ready.clone(), stop.clone());
    let thread = kernel::spawn("server", false, move || unsafe {
        CoInitializeEx(std::ptr::null_mut(), model).ok().expect("an apartment");
        let factory = object::class_factory_with(move |outer, riid, ppv| match style {
            Style::Synchronous => object::create_aggregated(SyncSieve(honour), outer, riid, ppv),
            Style::Asynchronous => object::create_aggregated(AsyncSieve(honour, pool.clone()), outer, riid, ppv),
        });
        let mut cookie = 0;
        CoRegisterClassObject(&CLSID_SIEVE, factory.as_raw(), CLSCTX_LOCAL_SERVER, REGCLS_MULTIPLEUSE, &mut cookie)
            .ok()
            .expect("registered");
        is_ready.set();
        let process = Process::current();
        let handle = process.handles().insert(kernel::KernelObject::Event(must_stop)).expect("room for a handle");
        let mut index = 0;
        assert_eq!(CoWaitForMultipleHandles(COWAIT_DEFAULT, INFINITE, 1, &handle, &mut index), S_OK);
        let _ = CloseHandle(handle);
        CoRevokeClassObject(cookie).ok().expect("revoked");
        drop(factory);
        CoUninitialize();
    });
    ready.wait(platform::Deadline::NEVER, platform::Why::Wait);
    Server { thread, stop, workers }
}

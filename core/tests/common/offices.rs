//! What the tests of calls between processes share: a desk that is called, and an office, which is a thread in an apartment of
//! some process and has a desk. Pointers go from process to process as the bytes of packets, and in no other way.
//!
//! One source for host threads and for simulated worlds.

#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::undocumented_unsafe_blocks, reason = "every call of a COM method is one; the rules are those of COM")]

use oleander::kernel::{self, Event, KernelObject, Spawned};
use oleander::platform::{Deadline, Why};
use oleander::windows_core::{ComObject, GUID, HRESULT, IUnknown, Interface};
use oleander::*;
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

/// What is called across processes.
#[async_interface(uuid = "6d1b6a52-1c7e-4ef2-8a77-6f6c65610701", async_uuid = "6d1b6a52-1c7e-4ef2-8a77-6f6c65610702")]
pub unsafe trait IDesk: IUnknown {
    /// A sum.
    fn Add(&self, #[idl(in)] a: u32, #[idl(in)] b: u32, #[idl(out)] sum: *mut u32) -> HRESULT;
    /// The process that serves, and what it knows of its caller.
    fn Who(&self, #[idl(out)] process: *mut u32, #[idl(out)] tid: *mut u32, #[idl(out)] code: *mut i32) -> HRESULT;
    /// Keeps a pointer, or lets the one that it has go.
    fn Keep(&self, #[idl(in)] iid: *const GUID, #[idl(in, iid_is(iid))] other: *mut c_void) -> HRESULT;
    /// Has the kept desk add.
    fn Pass(&self, #[idl(in)] a: u32, #[idl(in)] b: u32, #[idl(out)] sum: *mut u32) -> HRESULT;
    /// The pointer that it has.
    fn Give(&self, #[idl(in)] iid: *const GUID, #[idl(out, iid_is(iid))] other: *mut *mut c_void) -> HRESULT;
    /// Takes so many milliseconds, or until it is cancelled (`E_ABORT`).
    fn Work(&self, #[idl(in)] ms: u32) -> HRESULT;
}

/// What a desk has done.
#[derive(Default)]
pub struct Done {
    pub calls: AtomicU32,
    pub gone: AtomicU32,
    /// Synchronous methods of an asynchronous server that were called.
    pub synchronous: AtomicU32,
    /// What a [`Told`] was asked to be marshaled for.
    pub told: Mutex<Vec<u32>>,
}

#[com_class(IDesk)]
pub struct Desk {
    done: Arc<Done>,
    kept: Mutex<Option<IUnknown>>,
}

impl Desk {
    pub fn make(done: &Arc<Done>) -> IDesk {
        ComObject::new(Self { done: done.clone(), kept: Mutex::new(None) }).into_interface()
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.done.gone.fetch_add(1, Ordering::SeqCst);
    }
}

impl IDesk_Impl for Desk_Impl {
    unsafe fn Add(&self, a: u32, b: u32, sum: *mut u32) -> HRESULT {
        self.done.calls.fetch_add(1, Ordering::SeqCst);
        unsafe { *sum = a + b };
        S_OK
    }

    unsafe fn Who(&self, process: *mut u32, tid: *mut u32, code: *mut i32) -> HRESULT {
        unsafe {
            *process = GetCurrentProcessId();
            *code = CoGetCallerTID(tid).0;
        }
        S_OK
    }

    unsafe fn Keep(&self, _iid: *const GUID, other: *mut c_void) -> HRESULT {
        let other = unsafe { IUnknown::from_raw_borrowed(&other) }.cloned();
        let before = std::mem::replace(&mut *self.kept.lock().unwrap(), other);
        drop(before);
        S_OK
    }

    unsafe fn Pass(&self, a: u32, b: u32, sum: *mut u32) -> HRESULT {
        let kept = self.kept.lock().unwrap().clone();
        match kept.map(|kept| kept.cast::<IDesk>()) {
            Some(Ok(desk)) => unsafe { desk.Add(a, b, sum) },
            Some(Err(error)) => error.code(),
            None => E_UNEXPECTED,
        }
    }

    unsafe fn Give(&self, iid: *const GUID, other: *mut *mut c_void) -> HRESULT {
        let kept = self.kept.lock().unwrap().clone();
        unsafe {
            *other = null_mut();
            kept.map_or(E_UNEXPECTED, |kept| kept.query(iid, other))
        }
    }

    unsafe fn Work(&self, ms: u32) -> HRESULT {
        self.done.calls.fetch_add(1, Ordering::SeqCst);
        for _ in 0..ms.div_ceil(1000) {
            unsafe {
                Sleep(ms.min(1000));
                if CoTestCancel() != RPC_S_CALLPENDING {
                    return E_ABORT;
                }
            }
        }
        S_OK
    }
}

/// Says what it is asked for, and has the standard marshaler do the work.
#[com_class(IAgileObject, IMarshal)]
pub struct Told(Arc<Done>);

impl Told {
    pub fn make(done: &Arc<Done>) -> IUnknown {
        ComObject::new(Self(done.clone())).into_interface()
    }

    /// A desk that has one to give.
    pub fn make_desk(done: &Arc<Done>) -> IDesk {
        ComObject::new(Desk { done: done.clone(), kept: Mutex::new(Some(Self::make(done))) }).into_interface()
    }
}

impl IAgileObject_Impl for Told_Impl {}

impl Told_Impl {
    fn standard(&self, iid: *const GUID, pv: *mut c_void, context: u32, flags: u32) -> IMarshal {
        let mut raw = null_mut();
        unsafe {
            assert_eq!(CoGetStandardMarshal(iid, pv, context, null_mut(), flags, &mut raw), S_OK);
            IMarshal::from_raw(raw)
        }
    }
}

impl IMarshal_Impl for Told_Impl {
    unsafe fn GetUnmarshalClass(
        &self,
        iid: *const GUID,
        pv: *mut c_void,
        context: u32,
        data: *mut c_void,
        flags: u32,
        class: *mut GUID,
    ) -> HRESULT {
        self.0.told.lock().unwrap().push(context);
        unsafe { self.standard(iid, pv, context, flags).GetUnmarshalClass(iid, pv, context, data, flags, class) }
    }
    unsafe fn GetMarshalSizeMax(
        &self,
        iid: *const GUID,
        pv: *mut c_void,
        context: u32,
        data: *mut c_void,
        flags: u32,
        size: *mut u32,
    ) -> HRESULT {
        unsafe { self.standard(iid, pv, context, flags).GetMarshalSizeMax(iid, pv, context, data, flags, size) }
    }
    unsafe fn MarshalInterface(
        &self,
        stream: *mut c_void,
        iid: *const GUID,
        pv: *mut c_void,
        context: u32,
        data: *mut c_void,
        flags: u32,
    ) -> HRESULT {
        unsafe { self.standard(iid, pv, context, flags).MarshalInterface(stream, iid, pv, context, data, flags) }
    }
    unsafe fn UnmarshalInterface(&self, _: *mut c_void, _: *const GUID, _: *mut *mut c_void) -> HRESULT {
        E_NOTIMPL
    }
    unsafe fn ReleaseMarshalData(&self, _: *mut c_void) -> HRESULT {
        E_NOTIMPL
    }
    unsafe fn DisconnectObject(&self, _: u32) -> HRESULT {
        S_OK
    }
}

/// The same object as an asynchronous server: `Work` is a timer's business, everything else is done at once.
#[com_class(IDesk, ICallFactory)]
pub struct AsyncDesk {
    done: Arc<Done>,
}

impl AsyncDesk {
    pub fn make(done: &Arc<Done>) -> IDesk {
        ComObject::new(Self { done: done.clone() }).into_interface()
    }
}

impl Drop for AsyncDesk {
    fn drop(&mut self) {
        self.done.gone.fetch_add(1, Ordering::SeqCst);
    }
}

impl IDesk_Impl for AsyncDesk_Impl {
    unsafe fn Add(&self, a: u32, b: u32, sum: *mut u32) -> HRESULT {
        self.done.synchronous.fetch_add(1, Ordering::SeqCst);
        unsafe { *sum = a + b };
        S_OK
    }
    unsafe fn Who(&self, _: *mut u32, _: *mut u32, _: *mut i32) -> HRESULT {
        E_NOTIMPL
    }
    unsafe fn Keep(&self, _: *const GUID, _: *mut c_void) -> HRESULT {
        E_NOTIMPL
    }
    unsafe fn Pass(&self, _: u32, _: u32, _: *mut u32) -> HRESULT {
        E_NOTIMPL
    }
    unsafe fn Give(&self, _: *const GUID, _: *mut *mut c_void) -> HRESULT {
        E_NOTIMPL
    }
    unsafe fn Work(&self, _: u32) -> HRESULT {
        E_NOTIMPL
    }
}

impl ICallFactory_Impl for AsyncDesk_Impl {
    unsafe fn CreateCall(
        &self,
        riid: *const GUID,
        outer: *mut c_void,
        wanted: *const GUID,
        ppv: *mut *mut c_void,
    ) -> HRESULT {
        if unsafe { *riid } != AsyncIDesk::IID {
            return E_NOINTERFACE;
        }
        let call = DeskCall { done: self.done.clone(), event: object::AutoInner::default(), sum: AtomicU32::new(0) };
        unsafe { object::create_aggregated(call, outer, wanted, ppv) }
    }
}

#[com_class(AsyncIDesk, auto(ISynchronize = event : CLSID_ManualResetEvent))]
struct DeskCall {
    done: Arc<Done>,
    event: object::AutoInner,
    sum: AtomicU32,
}

impl DeskCall_Impl {
    fn signal(&self) -> HRESULT {
        let sync: ISynchronize = self.query().expect("the outer has it");
        unsafe { sync.Signal() }
    }
}

impl AsyncIDesk_Impl for DeskCall_Impl {
    unsafe fn Begin_Add(&self, a: u32, b: u32) -> HRESULT {
        self.done.calls.fetch_add(1, Ordering::SeqCst);
        self.sum.store(a + b, Ordering::SeqCst);
        self.signal()
    }
    unsafe fn Finish_Add(&self, sum: *mut u32) -> HRESULT {
        unsafe { *sum = self.sum.load(Ordering::SeqCst) };
        S_OK
    }
    unsafe fn Begin_Who(&self) -> HRESULT {
        E_NOTIMPL
    }
    unsafe fn Finish_Who(&self, _: *mut u32, _: *mut u32, _: *mut i32) -> HRESULT {
        E_NOTIMPL
    }
    unsafe fn Begin_Keep(&self, _: *const GUID, _: *mut c_void) -> HRESULT {
        E_NOTIMPL
    }
    unsafe fn Finish_Keep(&self) -> HRESULT {
        E_NOTIMPL
    }
    unsafe fn Begin_Pass(&self, _: u32, _: u32) -> HRESULT {
        E_NOTIMPL
    }
    unsafe fn Finish_Pass(&self, _: *mut u32) -> HRESULT {
        E_NOTIMPL
    }
    unsafe fn Begin_Give(&self, _: *const GUID) -> HRESULT {
        E_NOTIMPL
    }
    unsafe fn Finish_Give(&self, _: *mut *mut c_void) -> HRESULT {
        E_NOTIMPL
    }
    unsafe fn Begin_Work(&self, _ms: u32) -> HRESULT {
        self.done.calls.fetch_add(1, Ordering::SeqCst);
        self.signal()
    }
    unsafe fn Finish_Work(&self) -> HRESULT {
        S_OK
    }
}

/// A packet's bytes for somebody so far away, which may be read once, or by many where it is a table's.
pub fn packet(object: &impl Interface, iid: &GUID, context: u32, flags: u32) -> Vec<u8> {
    let mut raw = null_mut();
    unsafe {
        assert_eq!(CreateStreamOnHGlobal(HANDLE::NULL, true.into(), &mut raw), S_OK);
        let stream = IStream::from_raw(raw);
        assert_eq!(CoMarshalInterface(stream.as_raw(), iid, object.as_raw(), context, null_mut(), flags), S_OK);
        let mut len = 0;
        assert_eq!(stream.Seek(0, STREAM_SEEK_CUR, &mut len), S_OK);
        assert_eq!(stream.Seek(0, STREAM_SEEK_SET, null_mut()), S_OK);
        let mut bytes = vec![0u8; usize::try_from(len).unwrap()];
        let mut read = 0;
        assert_eq!(stream.Read(bytes.as_mut_ptr().cast(), bytes.len() as u32, &mut read), S_OK);
        assert_eq!(read as usize, bytes.len());
        bytes
    }
}

/// A stream that begins with these bytes.
pub fn stream_of(bytes: &[u8]) -> IStream {
    let mut raw = null_mut();
    unsafe {
        assert_eq!(CreateStreamOnHGlobal(HANDLE::NULL, true.into(), &mut raw), S_OK);
        let stream = IStream::from_raw(raw);
        let mut written = 0;
        assert_eq!(stream.Write(bytes.as_ptr().cast(), bytes.len() as u32, &mut written), S_OK);
        assert_eq!(stream.Seek(0, STREAM_SEEK_SET, null_mut()), S_OK);
        stream
    }
}

/// What a packet's bytes lead to.
pub fn try_unpack<I: Interface>(bytes: &[u8]) -> Result<I, HRESULT> {
    let mut raw = null_mut();
    match unsafe { CoUnmarshalInterface(stream_of(bytes).as_raw(), &I::IID, &mut raw) } {
        S_OK => Ok(unsafe { I::from_raw(raw) }),
        hr => Err(hr),
    }
}

pub fn unpack<I: Interface>(bytes: &[u8]) -> I {
    try_unpack(bytes).expect("the packet is good")
}

pub fn enter(model: u32) {
    assert_eq!(unsafe { CoInitializeEx(null_mut(), model) }, S_OK);
}

pub fn leave() {
    unsafe { CoUninitialize() };
}

/// A call object of a desk.
pub fn call_object(desk: &IDesk) -> Result<AsyncIDesk, HRESULT> {
    let factory: ICallFactory = desk.cast().expect("CALL-01");
    let mut raw = null_mut();
    match unsafe { factory.CreateCall(&AsyncIDesk::IID, null_mut(), &AsyncIDesk::IID, &mut raw) } {
        S_OK => Ok(unsafe { AsyncIDesk::from_raw(raw) }),
        hr => Err(hr),
    }
}

pub fn add(desk: &IDesk, a: u32, b: u32) -> (HRESULT, u32) {
    let mut sum = 0;
    let hr = unsafe { desk.Add(a, b, &mut sum) };
    (hr, sum)
}

/// The same by a call object.
pub fn add_later(desk: &IDesk, a: u32, b: u32) -> (HRESULT, u32) {
    let call = call_object(desk).expect("CALL-02");
    let mut sum = 0;
    unsafe {
        match call.Begin_Add(a, b) {
            S_OK => (call.Finish_Add(&mut sum), sum),
            hr => (hr, 0),
        }
    }
}

/// A thread in an apartment, with a desk.
pub struct Office {
    /// A packet of the desk.
    pub packet: Vec<u8>,
    pub done: Arc<Done>,
    pub thread: Spawned,
    stop: Arc<Event>,
    left: Arc<Mutex<Option<usize>>>,
}

/// How an office is set up.
#[derive(Clone, Copy)]
pub struct Setup {
    pub model: u32,
    pub make: fn(&Arc<Done>) -> IDesk,
    pub context: u32,
    pub flags: u32,
}

impl Setup {
    pub const STA: Self =
        Self { model: COINIT_APARTMENTTHREADED, make: Desk::make, context: MSHCTX_LOCAL, flags: MSHLFLAGS_NORMAL };
    pub const MTA: Self = Self { model: COINIT_MULTITHREADED, ..Self::STA };
}

/// Opens an office and waits until its desk is there.
pub fn open(process: &Arc<Process>, setup: Setup) -> Office {
    let shared = Arc::new(Mutex::new(None));
    let (made, done, left) = (shared.clone(), Arc::new(Done::default()), Arc::new(Mutex::new(None)));
    let (desk_done, count, ready) = (done.clone(), left.clone(), Event::manual());
    let is_ready = ready.clone();
    let thread = kernel::spawn_in(process, "office", false, move || {
        enter(setup.model);
        let desk = (setup.make)(&desk_done);
        // Made here: a wait looks at objects of its own process.
        let stop = Event::manual();
        *made.lock().unwrap() = Some((packet(&desk, &IDesk::IID, setup.context, setup.flags), stop.clone()));
        drop(desk);
        is_ready.set();
        serve_until(&stop);
        leave();
        *count.lock().unwrap() = Some(debug::live_objects());
    });
    assert!(ready.wait(Deadline::NEVER, Why::Wait));
    let (packet, stop) = shared.lock().unwrap().take().expect("the office has a desk");
    Office { packet, done, thread, stop, left }
}

/// Waits as COM waits.
pub fn serve_until(stop: &Arc<Event>) {
    let process = Process::current();
    let handle = process.handles().insert(KernelObject::Event(stop.clone())).expect("room for a handle");
    let mut index = 0;
    assert_eq!(unsafe { CoWaitForMultipleHandles(COWAIT_DEFAULT, INFINITE, 1, &handle, &mut index) }, S_OK);
    assert!(unsafe { CloseHandle(handle) }.as_bool());
}

impl Office {
    /// Ends the office; how many objects its process has then.
    pub fn close(self) -> usize {
        self.stop.set();
        assert!(self.thread.ended.wait(Deadline::NEVER, Why::Wait));
        self.left.lock().unwrap().take().expect("the office has counted")
    }

    /// Asks it to end, without waiting: its process may die first.
    pub fn close_if_alive(self) {
        self.stop.set();
    }

    pub fn calls(&self) -> u32 {
        self.done.calls.load(Ordering::SeqCst)
    }

    pub fn gone(&self) -> u32 {
        self.done.gone.load(Ordering::SeqCst)
    }
}

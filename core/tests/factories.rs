//! Who makes proxies and stubs, in which order and where they are used, and what goes wrong (MRSH-02, MRSH-03, MRSH-28,
//! MRSH-30).

#![allow(clippy::undocumented_unsafe_blocks, reason = "tests call COM by its rules, as its users do")]

#[path = "common/probe.rs"]
mod probe;
#[path = "common/rooms.rs"]
mod rooms;
#[path = "common/tape.rs"]
mod tape;

use oleander::windows_core::{GUID, HRESULT, IUnknown, Interface};
use oleander::*;
use probe::*;
use rooms::*;
use std::cell::Cell;
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tape::Tape;

const NORMAL: u32 = MSHLFLAGS_NORMAL;
const CLSID_RECORDER: GUID = GUID::from_u128(0x3c1b_0000_4321);

/// What happened, and on which thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<(&'static str, u32)>>>);

impl Log {
    fn note(&self, what: &'static str) {
        self.0.lock().unwrap().push((what, unsafe { GetCurrentThreadId() }));
    }
    fn take(&self) -> Vec<(&'static str, u32)> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// The factory of [`IProbe`], with a record of what it and its proxies and stubs are asked.
#[com_class(IPSFactoryBuffer)]
struct Recorder {
    inner: IPSFactoryBuffer,
    log: Log,
}

#[com_class(IRpcProxyBuffer)]
struct RecordedProxy {
    inner: IRpcProxyBuffer,
    log: Log,
}

#[com_class(IRpcStubBuffer)]
struct RecordedStub {
    inner: IRpcStubBuffer,
    log: Log,
}

impl IPSFactoryBuffer_Impl for Recorder_Impl {
    unsafe fn CreateProxy(
        &self,
        outer: *mut c_void,
        iid: *const GUID,
        proxy: *mut *mut c_void,
        typed: *mut *mut c_void,
    ) -> HRESULT {
        self.log.note("CreateProxy");
        unsafe {
            let hr = self.inner.CreateProxy(outer, iid, proxy, typed);
            if hr.is_ok() {
                let inner = IRpcProxyBuffer::from_raw(*proxy);
                *proxy = IRpcProxyBuffer::from(RecordedProxy { inner, log: self.log.clone() }).into_raw();
            }
            hr
        }
    }
    unsafe fn CreateStub(&self, iid: *const GUID, server: *mut c_void, stub: *mut *mut c_void) -> HRESULT {
        self.log.note("CreateStub");
        unsafe {
            let hr = self.inner.CreateStub(iid, server, stub);
            if hr.is_ok() {
                let inner = IRpcStubBuffer::from_raw(*stub);
                *stub = IRpcStubBuffer::from(RecordedStub { inner, log: self.log.clone() }).into_raw();
            }
            hr
        }
    }
}

impl IRpcProxyBuffer_Impl for RecordedProxy_Impl {
    unsafe fn Connect(&self, channel: *mut c_void) -> HRESULT {
        self.log.note("Connect");
        unsafe { self.inner.Connect(channel) }
    }
    unsafe fn Disconnect(&self) {
        self.log.note("proxy's Disconnect");
        unsafe { self.inner.Disconnect() }
    }
}

impl IRpcStubBuffer_Impl for RecordedStub_Impl {
    unsafe fn Connect(&self, server: *mut c_void) -> HRESULT {
        unsafe { self.inner.Connect(server) }
    }
    unsafe fn Disconnect(&self) {
        self.log.note("stub's Disconnect");
        unsafe { self.inner.Disconnect() }
    }
    unsafe fn Invoke(&self, message: *mut RPCOLEMESSAGE, channel: *mut c_void) -> HRESULT {
        self.log.note("Invoke");
        unsafe { self.inner.Invoke(message, channel) }
    }
    unsafe fn IsIIDSupported(&self, iid: *const GUID) -> *mut c_void {
        unsafe { self.inner.IsIIDSupported(iid) }
    }
    unsafe fn CountRefs(&self) -> u32 {
        unsafe { self.inner.CountRefs() }
    }
    unsafe fn DebugServerQueryInterface(&self, out: *mut *mut c_void) -> HRESULT {
        unsafe { self.inner.DebugServerQueryInterface(out) }
    }
    unsafe fn DebugServerRelease(&self, pointer: *mut c_void) {
        unsafe { self.inner.DebugServerRelease(pointer) }
    }
}

fn register(clsid: &GUID, factory: &IPSFactoryBuffer) {
    let mut cookie = 0;
    let raw = factory.as_raw();
    let hr = unsafe { CoRegisterClassObject(clsid, raw, CLSCTX_INPROC_SERVER, REGCLS_MULTIPLEUSE, &mut cookie) };
    assert_eq!(hr, S_OK);
}

#[test]
fn mrsh_28_what_proxies_and_stubs_are_asked_and_where() {
    world(|world| {
        let (server, client) = (world.sta(), world.sta());
        let log = Log::default();
        for room in [&server, &client] {
            let log = log.clone();
            room.run(move || {
                let info = proxy::factory::find(&IProbe::IID).unwrap();
                let inner = proxy::factory::builtin_factory(info);
                register(&CLSID_RECORDER, &Recorder { inner, log }.into());
                assert_eq!(unsafe { CoRegisterPSClsid(&IProbe::IID, &CLSID_RECORDER) }, S_OK);
            });
        }
        let (there, here) = (server.thread, client.thread);
        let lives = Lives::default();
        let own = lives.clone();
        let packet = server.run(move || pack(&probe(&own)));
        assert_eq!(log.take(), [("CreateStub", there)]);
        let proxy = client.run(move || Carry(unpack::<IProbe>(packet)));
        assert_eq!(log.take(), [("CreateProxy", here), ("Connect", here)]);
        let proxy = client.run(move || {
            assert_eq!(unsafe { proxy.0.Do(0) }, S_OK);
            assert_eq!(unsafe { proxy.0.Do(1) }, S_OK);
            proxy
        });
        assert_eq!(log.take(), [("Invoke", there), ("Invoke", there)]);
        client.run(move || drop(proxy.take()));
        let mut ended = log.take();
        ended.sort_unstable();
        assert_eq!(ended, [("proxy's Disconnect", here), ("stub's Disconnect", there)]);
        assert_eq!(lives.now(), 0);
        server.close();
        client.close();
    });
}

/// A factory that asks the proxy it makes a part for, once, for that very part.
#[com_class(IPSFactoryBuffer)]
struct Nosy {
    inner: IPSFactoryBuffer,
    log: Log,
    found: Arc<AtomicUsize>,
}

impl IPSFactoryBuffer_Impl for Nosy_Impl {
    unsafe fn CreateProxy(
        &self,
        outer: *mut c_void,
        iid: *const GUID,
        proxy: *mut *mut c_void,
        typed: *mut *mut c_void,
    ) -> HRESULT {
        self.log.note("CreateProxy");
        if self.found.fetch_add(1, Ordering::SeqCst) == 0 {
            let outer = unsafe { IUnknown::from_raw_borrowed(&outer) }.unwrap();
            self.found.store(query::<IProbe>(outer).unwrap().as_raw() as usize, Ordering::SeqCst);
        }
        unsafe { self.inner.CreateProxy(outer, iid, proxy, typed) }
    }
    unsafe fn CreateStub(&self, iid: *const GUID, server: *mut c_void, stub: *mut *mut c_void) -> HRESULT {
        unsafe { self.inner.CreateStub(iid, server, stub) }
    }
}

#[test]
fn mrsh_17_an_interface_proxy_that_came_to_be_meanwhile_is_the_one() {
    world(|world| {
        let (server, client) = (world.sta(), world.sta());
        let (log, found) = (Log::default(), Arc::new(AtomicUsize::new(0)));
        for room in [&server, &client] {
            let (log, found) = (log.clone(), found.clone());
            room.run(move || {
                let inner = proxy::factory::builtin_factory(proxy::factory::find(&IProbe::IID).unwrap());
                register(&CLSID_RECORDER, &Nosy { inner, log, found }.into());
                assert_eq!(unsafe { CoRegisterPSClsid(&IProbe::IID, &CLSID_RECORDER) }, S_OK);
            });
        }
        let lives = Lives::default();
        let own = lives.clone();
        let packet = server.run(move || pack(&probe(&own)));
        client.run(move || {
            let proxy = unpack::<IProbe>(packet);
            assert_eq!(log.take().len(), 2, "the second made one, and the first made another");
            assert_eq!(proxy.as_raw() as usize, found.load(Ordering::SeqCst));
            assert_eq!(query::<IProbe>(&proxy).unwrap().as_raw(), proxy.as_raw());
            assert_eq!(unsafe { proxy.Do(0) }, S_OK);
        });
        assert_eq!(lives.now(), 0);
        server.close();
        client.close();
    });
}

/// A factory that does something to the server before it makes its first stub.
#[com_class(IPSFactoryBuffer)]
struct Meddler {
    inner: IPSFactoryBuffer,
    does: Cell<Option<fn(&IUnknown)>>,
}

impl IPSFactoryBuffer_Impl for Meddler_Impl {
    unsafe fn CreateProxy(
        &self,
        outer: *mut c_void,
        iid: *const GUID,
        proxy: *mut *mut c_void,
        typed: *mut *mut c_void,
    ) -> HRESULT {
        unsafe { self.inner.CreateProxy(outer, iid, proxy, typed) }
    }
    unsafe fn CreateStub(&self, iid: *const GUID, server: *mut c_void, stub: *mut *mut c_void) -> HRESULT {
        if let Some(does) = self.does.take() {
            does(unsafe { IUnknown::from_raw_borrowed(&server) }.unwrap());
        }
        unsafe { self.inner.CreateStub(iid, server, stub) }
    }
}

/// Marshals an object whose first stub is made while somebody does something to it; what the stubs are asked until it was
/// marshaled, and until the packet was given back.
fn meddled(does: fn(&IUnknown), marshals: HRESULT) -> [Vec<&'static str>; 2] {
    let names = |log: &Log| log.take().into_iter().map(|(what, _)| what).collect();
    let log = Log::default();
    let inner = proxy::factory::builtin_factory(proxy::factory::find(&IProbe::IID).unwrap());
    let inner = Recorder { inner, log: log.clone() }.into();
    register(&CLSID_RECORDER, &Meddler { inner, does: Cell::new(Some(does)) }.into());
    assert_eq!(unsafe { CoRegisterPSClsid(&IProbe::IID, &CLSID_RECORDER) }, S_OK);
    let lives = Lives::default();
    let object = probe(&lives);
    let before = count(&object);
    let tape = Tape::new();
    assert_eq!(tape.marshal(&object, NORMAL), marshals);
    let made = names(&log);
    if marshals.is_ok() {
        assert_eq!(tape.release(), S_OK);
    }
    assert_eq!(count(&object), before);
    drop(object);
    assert_eq!(lives.now(), 0);
    [made, names(&log)]
}

#[test]
fn mrsh_28_a_stub_that_came_too_late_is_disconnected() {
    world(|world| {
        let sta = world.sta();
        let told = sta.run(|| {
            let marshals = |server: &IUnknown| drop(unpack::<IProbe>(pack(&query::<IProbe>(server).unwrap())));
            meddled(marshals, S_OK)
        });
        let made = vec!["CreateStub", "CreateStub", "stub's Disconnect"];
        assert_eq!(told, [made, vec!["stub's Disconnect"]]);
        sta.close();
    });
}

#[test]
fn mrsh_28_a_stub_of_an_object_that_was_cut_off_meanwhile_is_disconnected() {
    world(|world| {
        let sta = world.sta();
        let cuts_off = |server: &IUnknown| assert_eq!(unsafe { CoDisconnectObject(server.as_raw(), 0) }, S_OK);
        let told = sta.run(move || meddled(cuts_off, CO_E_OBJNOTCONNECTED));
        assert_eq!(told, [vec!["CreateStub", "stub's Disconnect"], Vec::new()]);
        sta.close();
    });
}

#[test]
fn mrsh_03_an_interface_that_is_not_registered_and_one_that_its_library_lacks() {
    world(|world| {
        let sta = world.sta();
        sta.run(|| unsafe {
            let object = probe(&Lives::default());
            let local: ILocal = query(&object).unwrap();
            let (mut clsid, before) = (GUID::zeroed(), count(&object));
            assert_eq!(CoGetPSClsid(&ILocal::IID, &mut clsid), REGDB_E_IIDNOTREG);
            assert_eq!(Tape::new().marshal(&local, NORMAL), E_NOINTERFACE);
            // Registered, but the library has proxies for another interface only.
            let inner = proxy::factory::builtin_factory(proxy::factory::find(&IProbe::IID).unwrap());
            register(&CLSID_RECORDER, &Recorder { inner, log: Log::default() }.into());
            assert_eq!(CoRegisterPSClsid(&ILocal::IID, &CLSID_RECORDER), S_OK);
            assert_eq!(CoGetPSClsid(&ILocal::IID, &mut clsid), S_OK);
            assert_eq!(Tape::new().marshal(&local, NORMAL), E_NOINTERFACE);
            // Registered, but there is no such library.
            assert_eq!(CoRegisterPSClsid(&ILocal::IID, &GUID::from_u128(0x77)), S_OK);
            assert_eq!(Tape::new().marshal(&local, NORMAL), REGDB_E_CLASSNOTREG);
            assert_eq!(count(&object), before);
        });
        sta.close();
    });
}

#[test]
fn mrsh_30_arguments() {
    world(|world| unsafe {
        let (iid, mut clsid) = (IProbe::IID, GUID::zeroed());
        assert_eq!(CoRegisterPSClsid(&iid, &clsid), CO_E_NOTINITIALIZED);
        assert_eq!(CoGetPSClsid(&iid, &mut clsid), CO_E_NOTINITIALIZED);
        assert_eq!(CoRegisterPSClsid(std::ptr::null(), &clsid), E_INVALIDARG);
        assert_eq!(CoRegisterPSClsid(&iid, std::ptr::null()), E_INVALIDARG);
        assert_eq!(CoGetPSClsid(std::ptr::null(), &mut clsid), E_INVALIDARG);
        assert_eq!(CoGetPSClsid(&iid, null_mut()), E_INVALIDARG);
        let mta = world.mta();
        // In an implicit MTA, too (APT-20).
        assert_eq!(CoGetPSClsid(&iid, &mut clsid), S_OK);
        assert_eq!(clsid, iid);
        mta.close();
    });
}

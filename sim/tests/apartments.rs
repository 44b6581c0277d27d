//! Apartments that are not entered the usual way, in the simulated world: the neutral one, a context, an application STA.

#![allow(clippy::undocumented_unsafe_blocks, reason = "every call of a COM method is one; the rules are those of COM")]

use oleander::apartment::enter_application_sta;
use oleander::kernel::{self, Event};
use oleander::object::{ThreadingModel, class_factory_with, register_in_process_class};
use oleander::platform::{Deadline, Why};
use oleander::windows_core::{GUID, HRESULT, IUnknown, Interface};
use oleander::*;
use oleander_sim::{End, run, world};
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::{Arc, Mutex};

/// Says on which thread it runs, and in what kind of apartment.
#[async_interface(uuid = "6d1b6a52-1c7e-4ef2-8a77-6f6c65610201", async_uuid = "6d1b6a52-1c7e-4ef2-8a77-6f6c65610202")]
pub unsafe trait IWhere: IUnknown {
    /// Both, and a note that it was here.
    fn Where(&self, #[idl(out)] thread: *mut u32, #[idl(out)] kind: *mut i32) -> HRESULT;
}

type Log = Arc<Mutex<Vec<&'static str>>>;

#[com_class(IWhere)]
struct Here(Log);

impl IWhere_Impl for Here_Impl {
    unsafe fn Where(&self, thread: *mut u32, kind: *mut i32) -> HRESULT {
        self.0.lock().unwrap().push("served");
        let mut qualifier = 0;
        unsafe {
            *thread = GetCurrentThreadId();
            CoGetApartmentType(kind, &mut qualifier)
        }
    }
}

fn ask(object: &IWhere) -> (HRESULT, u32, i32) {
    let (mut thread, mut kind) = (0, 77);
    let hr = unsafe { object.Where(&mut thread, &mut kind) };
    (hr, thread, kind)
}

const CLSID_HERE: GUID = GUID::from_u128(0x6d1b6a52_1c7e_4ef2_8a77_6f6c65610203);

struct Packet(*mut c_void);
unsafe impl Send for Packet {}

fn pack(object: &impl Interface, iid: &GUID) -> Packet {
    let mut stream = null_mut();
    assert_eq!(unsafe { CoMarshalInterThreadInterfaceInStream(iid, object.as_raw(), &mut stream) }, S_OK);
    Packet(stream)
}

fn unpack<I: Interface>(packet: &Packet) -> I {
    let mut raw = null_mut();
    unsafe {
        assert_eq!(CoGetInterfaceAndReleaseStream(packet.0, &I::IID, &mut raw), S_OK);
        I::from_raw(raw)
    }
}

#[test]
fn apt_12_a_neutral_object_runs_on_its_callers_thread() {
    let scenario = || unsafe {
        let make = || {
            class_factory_with(|outer, iid, out| {
                let object: IWhere = Here(Log::default()).into();
                if outer.is_null() { object.query(iid, out) } else { CLASS_E_NOAGGREGATION }
            })
        };
        register_in_process_class(&CLSID_HERE, make, ThreadingModel::Neutral, 0);
        for model in [COINIT_APARTMENTTHREADED, COINIT_MULTITHREADED] {
            assert_eq!(CoInitializeEx(null_mut(), model), S_OK);
            let mut raw = null_mut();
            assert_eq!(CoCreateInstance(&CLSID_HERE, null_mut(), CLSCTX_INPROC_SERVER, &IWhere::IID, &mut raw), S_OK);
            let object = IWhere::from_raw(raw);
            assert_eq!(ask(&object), (S_OK, GetCurrentThreadId(), APTTYPE_NA));
            // An asynchronous call does not run inside Begin_: a pool serves it.
            let factory: ICallFactory = object.cast().unwrap();
            assert_eq!(factory.CreateCall(&AsyncIWhere::IID, null_mut(), &AsyncIWhere::IID, &mut raw), S_OK);
            let (call, mut thread, mut kind) = (AsyncIWhere::from_raw(raw), 0, 77);
            assert_eq!(call.Begin_Where(), S_OK);
            assert_eq!((call.Finish_Where(&mut thread, &mut kind), kind), (S_OK, APTTYPE_NA));
            assert_ne!(thread, GetCurrentThreadId());
            drop((call, factory, object));
            CoUninitialize();
        }
        assert_eq!(debug::live_objects(), 0);
    };
    run(scenario).expect_completed();
}

/// An object whose end takes as long as others need.
#[com_class(IWhere)]
struct Slow {
    ending: Arc<Event>,
    may_end: Arc<Event>,
}

impl IWhere_Impl for Slow_Impl {
    unsafe fn Where(&self, _: *mut u32, _: *mut i32) -> HRESULT {
        E_NOTIMPL
    }
}

impl Drop for Slow {
    fn drop(&mut self) {
        self.ending.set();
        self.may_end.wait(Deadline::NEVER, Why::Wait);
    }
}

fn interface_table() -> IGlobalInterfaceTable {
    let (mut raw, iid) = (null_mut(), &IGlobalInterfaceTable::IID);
    unsafe {
        let clsid = &CLSID_StdGlobalInterfaceTable;
        assert_eq!(CoCreateInstance(clsid, null_mut(), CLSCTX_INPROC_SERVER, iid, &mut raw), S_OK);
        IGlobalInterfaceTable::from_raw(raw)
    }
}

#[test]
fn mrsh_25_who_enters_while_the_last_one_leaves_keeps_what_it_registers() {
    let scenario = || unsafe {
        let [ending, registered, left] = [(); 3].map(|()| Event::manual());
        let (told, waits) = (ending.clone(), registered.clone());
        let make = move || {
            let (ending, may_end) = (told.clone(), waits.clone());
            class_factory_with(move |_, iid, out| {
                IWhere::from(Slow { ending: ending.clone(), may_end: may_end.clone() }).query(iid, out)
            })
        };
        register_in_process_class(&CLSID_HERE, make, ThreadingModel::Neutral, 0);
        let (told, over) = (registered.clone(), left.clone());
        let newcomer = world::spawn("newcomer", move || {
            ending.wait(Deadline::NEVER, Why::Wait);
            assert_eq!(CoInitializeEx(null_mut(), COINIT_APARTMENTTHREADED), S_OK);
            let (table, object, mut cookie) = (interface_table(), IWhere::from(Here(Log::default())), 0);
            assert_eq!(table.RegisterInterfaceInGlobal(object.as_raw(), &IWhere::IID, &mut cookie), S_OK);
            told.set();
            over.wait(Deadline::NEVER, Why::Wait);
            let mut raw = null_mut();
            assert_eq!(table.GetInterfaceFromGlobal(cookie, &IWhere::IID, &mut raw), S_OK);
            assert_eq!(IWhere::from_raw(raw), object);
            assert_eq!(table.RevokeInterfaceFromGlobal(cookie), S_OK);
            drop(object);
            CoUninitialize();
        });
        assert_eq!(CoInitializeEx(null_mut(), COINIT_APARTMENTTHREADED), S_OK);
        let mut raw = null_mut();
        assert_eq!(CoCreateInstance(&CLSID_HERE, null_mut(), CLSCTX_INPROC_SERVER, &IWhere::IID, &mut raw), S_OK);
        let object = IWhere::from_raw(raw);
        // Nobody reads it: it holds the object until the neutral apartment ends.
        let packet = pack(&object, &IWhere::IID);
        drop(object);
        CoUninitialize();
        left.set();
        newcomer.join().unwrap();
        drop(IUnknown::from_raw(packet.0));
        assert_eq!(debug::live_objects(), 0);
    };
    run(scenario).expect_completed();
}

#[test]
fn act_09_a_host_serves_and_ends() {
    let scenario = || unsafe {
        let make = || {
            class_factory_with(|outer, iid, out| {
                let object: IWhere = Here(Log::default()).into();
                if outer.is_null() { object.query(iid, out) } else { CLASS_E_NOAGGREGATION }
            })
        };
        register_in_process_class(&CLSID_HERE, make, ThreadingModel::Apartment, 0);
        assert_eq!(CoInitializeEx(null_mut(), COINIT_MULTITHREADED), S_OK);
        let mut raw = null_mut();
        assert_eq!(CoCreateInstance(&CLSID_HERE, null_mut(), CLSCTX_INPROC_SERVER, &IWhere::IID, &mut raw), S_OK);
        let object = IWhere::from_raw(raw);
        let (hr, thread, kind) = ask(&object);
        assert_eq!((hr, kind), (S_OK, APTTYPE_MAINSTA));
        assert_ne!(thread, GetCurrentThreadId());
        drop(object);
        CoUninitialize();
        assert_eq!(debug::live_objects(), 0);
    };
    run(scenario).expect_completed();
}

unsafe extern "system" fn note_thread(data: *mut ComCallData) -> HRESULT {
    unsafe { (*data).dwDispid = GetCurrentThreadId() };
    HRESULT(0x0004_0003)
}

fn event() -> HANDLE {
    unsafe { CreateEventW(std::ptr::null(), true.into(), false.into(), std::ptr::null()) }
}

fn co_wait(flags: u32, handle: HANDLE) {
    let mut index = 0;
    assert_eq!(unsafe { CoWaitForMultipleHandles(flags, INFINITE, 1, &handle, &mut index) }, S_OK);
}

/// A thread that enters an apartment, gives away what `body` makes, and then does `rest`.
fn thread(
    enter: fn() -> HRESULT,
    body: impl FnOnce() -> Packet + Send + 'static,
    rest: impl FnOnce() + Send + 'static,
) -> (Packet, kernel::Spawned) {
    let (ready, place) = (Event::manual(), Arc::new(Mutex::new(None)));
    let (told, put) = (ready.clone(), place.clone());
    let spawned = kernel::spawn("apartment", false, move || {
        assert_eq!(enter(), S_OK);
        *put.lock().unwrap() = Some(body());
        told.set();
        rest();
        unsafe { CoUninitialize() };
    });
    assert!(ready.wait(Deadline::NEVER, Why::Wait));
    let packet = place.lock().unwrap().take().expect("put there before");
    (packet, spawned)
}

fn enter_sta() -> HRESULT {
    unsafe { CoInitialize(null_mut()) }
}

#[test]
fn ctx_07_a_callback_runs_in_its_context() {
    let scenario = || unsafe {
        let stop = event();
        let body = || {
            let mut raw = null_mut();
            assert_eq!(CoGetObjectContext(&IContextCallback::IID, &mut raw), S_OK);
            Packet(raw)
        };
        let (way, sta) = thread(enter_sta, body, move || co_wait(0, stop));
        let way = IContextCallback::from_raw(way.0);
        assert_eq!(CoInitializeEx(null_mut(), COINIT_MULTITHREADED), S_OK);
        let mut data = ComCallData { dwDispid: 0, dwReserved: 0, pUserDefined: null_mut() };
        let hr = way.ContextCallback(Some(note_thread), &mut data, &IWhere::IID, 5, null_mut());
        assert_eq!((hr, data.dwDispid), (HRESULT(0x0004_0003), sta.thread.id()));
        assert!(SetEvent(stop).as_bool());
        assert!(sta.ended.wait(Deadline::NEVER, Why::Wait));
        assert_eq!(way.ContextCallback(Some(note_thread), &mut data, &IWhere::IID, 5, null_mut()), RPC_E_DISCONNECTED);
        CoUninitialize();
    };
    run(scenario).expect_completed();
}

#[test]
fn msg_17_wait_19_an_application_sta_holds_calls_back_while_it_waits() {
    let scenario = || unsafe {
        let log = Log::default();
        let (go_on, stop, notes) = (event(), event(), log.clone());
        let object = log.clone();
        let body = move || pack(&IWhere::from(Here(object)), &IWhere::IID);
        let rest = move || {
            co_wait(COWAIT_DEFAULT, go_on);
            notes.lock().unwrap().push("waited");
            co_wait(COWAIT_DISPATCH_CALLS, stop);
        };
        let (packet, asta) = thread(enter_application_sta, body, rest);
        assert_eq!(CoInitializeEx(null_mut(), COINIT_MULTITHREADED), S_OK);
        let object = unpack::<IWhere>(&packet);
        // A query is let in; the call that follows is in the queue before the wait ends.
        assert_eq!(object.cast::<IWhere>().unwrap(), object);
        let (factory, mut raw) = (object.cast::<ICallFactory>().unwrap(), null_mut());
        assert_eq!(factory.CreateCall(&AsyncIWhere::IID, null_mut(), &AsyncIWhere::IID, &mut raw), S_OK);
        let (call, mut thread, mut kind) = (AsyncIWhere::from_raw(raw), 0, 77);
        assert_eq!(call.Begin_Where(), S_OK);
        assert_eq!(
            object.cast::<IClassFactory>().unwrap_err().code(),
            E_NOINTERFACE,
            "asked behind the call, and let in"
        );
        assert!(log.lock().unwrap().is_empty(), "the call is held back");
        assert!(SetEvent(go_on).as_bool());
        assert_eq!(call.Finish_Where(&mut thread, &mut kind), S_OK);
        assert_eq!(thread, asta.thread.id());
        assert_eq!(*log.lock().unwrap(), ["waited", "served"]);
        assert!(SetEvent(stop).as_bool());
        drop((call, factory, object));
        assert!(asta.ended.wait(Deadline::NEVER, Why::Wait));
        CoUninitialize();
        assert_eq!(debug::live_objects(), 0);
    };
    run(scenario).expect_completed();
}

/// A proxy on an STA that a panic drops: its last Release cannot wait for the server, and must not wait for ever.
#[test]
fn a_panic_on_an_sta_with_a_proxy_in_its_hands_is_reported() {
    let report = run(|| {
        let (ready, packet) = (Event::manual(), Arc::new(Mutex::new(0)));
        let (is_ready, put) = (ready.clone(), packet.clone());
        let _server = kernel::spawn("server", false, move || unsafe {
            CoInitializeEx(std::ptr::null_mut(), COINIT_APARTMENTTHREADED).ok().expect("an STA");
            let mut stream = std::ptr::null_mut();
            let object: IPersist = Persistent.into();
            CoMarshalInterThreadInterfaceInStream(&IPersist::IID, object.as_raw(), &mut stream).ok().expect("a packet");
            *put.lock().unwrap() = stream as usize;
            is_ready.set();
            let mut msg = MSG::default();
            while GetMessageW(&mut msg, HWND::NULL, 0, 0).0 > 0 {
                DispatchMessageW(&msg);
            }
        });
        assert!(ready.wait(Deadline::NEVER, Why::Wait));
        unsafe {
            CoInitializeEx(std::ptr::null_mut(), COINIT_APARTMENTTHREADED).ok().expect("an STA");
            let mut raw = std::ptr::null_mut();
            let stream = *packet.lock().unwrap() as *mut c_void;
            CoGetInterfaceAndReleaseStream(stream, &IPersist::IID, &mut raw).ok().expect("a proxy");
            let _proxy = IPersist::from_raw(raw);
            panic!("by design");
        }
    });
    assert!(matches!(&report.end, End::Panicked { message, .. } if message == "by design"), "{report}");
}

#[com_class(IPersist)]
struct Persistent;

impl IPersist_Impl for Persistent_Impl {
    unsafe fn GetClassID(&self, _pClassID: *mut GUID) -> HRESULT {
        E_NOTIMPL
    }
}

//! Spies, numbers of threads, object contexts and the way into them (facts sections 2 and 10).

#![allow(clippy::undocumented_unsafe_blocks, reason = "tests call COM by its rules, as its users do")]

#[path = "common/probe.rs"]
mod probe;
#[path = "common/rooms.rs"]
mod rooms;

use oleander::windows_core::{GUID, HRESULT, IUnknown, Interface};
use oleander::*;
use probe::*;
use rooms::*;
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::{Arc, Mutex};

type Log = Arc<Mutex<Vec<String>>>;

#[com_class(IInitializeSpy)]
struct Spy {
    name: &'static str,
    log: Log,
    answer: Option<HRESULT>,
}

impl Spy {
    fn note(&self, line: String) -> HRESULT {
        self.log.lock().unwrap().push(format!("{} {line}", self.name));
        S_OK
    }
}

impl IInitializeSpy_Impl for Spy_Impl {
    unsafe fn PreInitialize(&self, flags: u32, count: u32) -> HRESULT {
        self.note(format!("in {flags} {count}"))
    }
    unsafe fn PostInitialize(&self, hr: HRESULT, flags: u32, count: u32) -> HRESULT {
        let _ = self.note(format!("done {:08X} {flags} {count}", hr.0));
        self.answer.unwrap_or(hr)
    }
    unsafe fn PreUninitialize(&self, count: u32) -> HRESULT {
        self.note(format!("out {count}"))
    }
    unsafe fn PostUninitialize(&self, count: u32) -> HRESULT {
        self.note(format!("left {count}"))
    }
}

fn watch(name: &'static str, log: &Log, answer: Option<HRESULT>) -> u64 {
    let spy: IInitializeSpy = Spy { name, log: log.clone(), answer }.into();
    let mut cookie = 0;
    assert_eq!(unsafe { CoRegisterInitializeSpy(spy.as_raw(), &mut cookie) }, S_OK);
    assert_ne!(cookie, 0);
    cookie
}

fn take(log: &Log) -> Vec<String> {
    std::mem::take(&mut *log.lock().unwrap())
}

#[test]
fn apt_01_02_03_spies_see_counts_and_codes() {
    world(|world| unsafe {
        let log = Log::default();
        let cookie = watch("a", &log, None);
        assert_eq!(CoInitializeEx(null_mut(), COINIT_MULTITHREADED), S_OK);
        assert_eq!(take(&log), ["a in 0 0", "a done 00000000 0 1"]);
        assert_eq!(CoInitializeEx(null_mut(), COINIT_MULTITHREADED), S_FALSE);
        assert_eq!(take(&log), ["a in 0 1", "a done 00000001 0 2"]);
        assert_eq!(CoInitialize(null_mut()), RPC_E_CHANGED_MODE);
        assert_eq!(take(&log), ["a in 2 2", "a done 80010106 2 2"]);
        CoUninitialize();
        assert_eq!(take(&log), ["a out 2", "a left 1"]);
        CoUninitialize();
        assert_eq!(take(&log), ["a out 1", "a left 0"]);
        CoUninitialize();
        assert_eq!(take(&log), ["a out 0", "a left 0"], "one too many");
        // Spies are of one thread, and so are their cookies.
        let other = log.clone();
        let elsewhere = world.thread(move || {
            assert_eq!(CoInitializeEx(null_mut(), COINIT_MULTITHREADED), S_OK);
            assert_eq!(CoRevokeInitializeSpy(cookie), E_INVALIDARG);
            CoUninitialize();
            other.lock().unwrap().len()
        });
        assert_eq!(elsewhere.wait(), 0);
        assert_eq!(CoRevokeInitializeSpy(cookie), S_OK);
        assert_eq!(CoRevokeInitializeSpy(cookie), E_INVALIDARG);
        assert_eq!(CoInitializeEx(null_mut(), COINIT_MULTITHREADED), S_OK);
        CoUninitialize();
        assert!(take(&log).is_empty());
    });
}

#[test]
fn apt_18_a_spy_in_the_implicit_mta_sees_the_first_explicit_entry() {
    world(|world| unsafe {
        let mta = world.mta();
        let log = Log::default();
        watch("a", &log, None);
        assert_eq!(CoInitializeEx(null_mut(), COINIT_MULTITHREADED), S_OK);
        assert_eq!(take(&log), ["a in 0 0", "a done 00000000 0 1"]);
        CoUninitialize();
        mta.close();
    });
}

#[test]
fn the_newest_spy_is_first_and_the_last_has_the_last_word() {
    world(|_| unsafe {
        let log = Log::default();
        watch("old", &log, Some(S_FALSE));
        watch("new", &log, None);
        assert_eq!(CoInitialize(null_mut()), S_FALSE);
        let expected = ["new in 2 0", "old in 2 0", "new done 00000000 2 1", "old done 00000000 2 1"];
        assert_eq!(take(&log), expected);
        CoUninitialize();
        // Their thread ends without revoking them: the test's process counts what is left.
    });
}

#[test]
fn spies_are_registered_with_good_arguments_only() {
    world(|_| unsafe {
        let (log, mut cookie) = (Log::default(), 7);
        let spy: IInitializeSpy = Spy { name: "a", log, answer: None }.into();
        assert_eq!(CoRegisterInitializeSpy(null_mut(), &mut cookie), E_INVALIDARG);
        assert_eq!(CoRegisterInitializeSpy(spy.as_raw(), null_mut()), E_INVALIDARG);
        let none = probe(&Lives::default());
        assert_eq!(CoRegisterInitializeSpy(none.as_raw(), &mut cookie), E_NOINTERFACE);
        assert_eq!((cookie, CoRevokeInitializeSpy(cookie)), (7, E_INVALIDARG));
    });
}

#[test]
fn apt_03_ole_counts_for_itself() {
    world(|_| unsafe {
        let mut there = 0usize;
        let mut is_there = || CoGetContextToken(&mut there) == S_OK;
        // In the MTA nothing is owed.
        assert_eq!(CoInitializeEx(null_mut(), COINIT_MULTITHREADED), S_OK);
        assert_eq!(OleInitialize(null_mut()), RPC_E_CHANGED_MODE);
        OleUninitialize();
        assert!(is_there());
        CoUninitialize();
        assert!(!is_there());
        // On top of CoInitialize the first is the first.
        assert_eq!(CoInitialize(null_mut()), S_OK);
        assert_eq!((OleInitialize(null_mut()), OleInitialize(null_mut())), (S_OK, S_FALSE));
        OleUninitialize();
        OleUninitialize();
        OleUninitialize();
        assert!(is_there(), "OLE gives back what OLE took");
        CoUninitialize();
        assert!(!is_there());
        let mut byte = 0u8;
        assert_eq!(OleInitialize((&raw mut byte).cast()), E_INVALIDARG);
    });
}

#[test]
fn apt_35_the_number_of_a_thread_is_nobody_elses() {
    world(|world| unsafe {
        let number = || (CoGetCurrentProcess(), CoGetCurrentProcess(), GetCurrentThreadId(), GetCurrentProcessId());
        let here = number();
        let there = world.thread(number).wait();
        for (first, second, thread, process) in [here, there] {
            assert_eq!(first, second);
            assert!(first != 0 && first != thread && first != process);
        }
        assert_ne!(here.0, there.0);
    });
}

fn token() -> (HRESULT, usize) {
    let mut token = 0xdead;
    let hr = unsafe { CoGetContextToken(&mut token) };
    (hr, token)
}

fn context<I: Interface>() -> Result<I, HRESULT> {
    let mut raw = 0x10 as *mut c_void;
    match unsafe { CoGetObjectContext(&I::IID, &mut raw) } {
        S_OK => Ok(unsafe { I::from_raw(raw) }),
        hr => {
            assert!(raw.is_null());
            Err(hr)
        }
    }
}

#[test]
fn apt_29_the_token_is_the_contexts_identity_and_not_counted() {
    world(|world| unsafe {
        assert_eq!(CoGetContextToken(null_mut()), E_POINTER);
        assert_eq!(token(), (CO_E_NOTINITIALIZED, 0xdead));
        let (sta, other, mta) = (world.sta(), world.sta(), world.mta());
        let mut tokens = Vec::new();
        for room in [&sta, &other, &mta] {
            let found = room.run(|| {
                let (hr, first) = token();
                assert_eq!((hr, first == 0), (S_OK, false));
                assert_eq!(token(), (S_OK, first));
                let identity = context::<IObjContext>().unwrap();
                assert_eq!(identity.as_raw() as usize, first);
                assert_eq!(count(&identity), 1, "the apartment's own reference does not show");
                first
            });
            tokens.push(found);
        }
        assert_eq!(token(), (S_OK, tokens[2]), "the implicit MTA is the MTA");
        tokens.sort_unstable();
        tokens.dedup();
        assert_eq!(tokens.len(), 3, "cx_03");
        [sta, other, mta].into_iter().for_each(Room::close);
    });
}

#[test]
fn apt_30_31_what_a_context_says() {
    world(|world| {
        assert_eq!(context::<IComThreadingInfo>().unwrap_err(), CO_E_NOTINITIALIZED);
        let (sta, mta) = (world.sta(), world.mta());
        let says = || unsafe {
            let info = context::<IComThreadingInfo>().unwrap();
            assert_eq!(info, context::<IComThreadingInfo>().unwrap());
            assert!(context::<IContextCallback>().is_ok() && context::<IContext>().is_ok());
            assert_eq!(context::<IProbe>().unwrap_err(), E_NOINTERFACE);
            let (mut kind, mut thread) = (77, 77);
            assert_eq!(info.GetCurrentApartmentType(&mut kind), S_OK);
            assert_eq!(info.GetCurrentThreadType(&mut thread), S_OK);
            assert_eq!(info.GetCurrentApartmentType(null_mut()), E_INVALIDARG);
            assert_eq!(info.GetCurrentThreadType(null_mut()), E_INVALIDARG);
            (kind, thread)
        };
        assert_eq!(sta.run(says), (APTTYPE_MAINSTA, THDTYPE_PROCESSMESSAGES));
        assert_eq!(mta.run(says), (APTTYPE_MTA, THDTYPE_BLOCKMESSAGES));
        // A context outlives its apartment as an object, and leads nowhere.
        let kept = sta.run(|| Carry(context::<IContextCallback>().unwrap()));
        sta.close();
        assert_eq!(
            unsafe { kept.0.ContextCallback(Some(add_one), null_mut(), &IProbe::IID, 3, null_mut()) },
            RPC_E_DISCONNECTED
        );
        mta.close();
    });
}

#[test]
fn apt_32_the_logical_thread() {
    world(|world| unsafe {
        assert_eq!(CoGetCurrentLogicalThreadId(null_mut()), E_INVALIDARG);
        let logical = || {
            let mut id = GUID::zeroed();
            assert_eq!(CoGetCurrentLogicalThreadId(&mut id), S_OK);
            id
        };
        let outside = logical();
        assert_ne!(outside, GUID::zeroed());
        let sta = world.sta();
        sta.run(move || {
            let info = context::<IComThreadingInfo>().unwrap();
            let mut id = GUID::zeroed();
            assert_eq!(info.GetCurrentLogicalThreadId(null_mut()), E_INVALIDARG);
            assert_eq!((info.GetCurrentLogicalThreadId(&mut id), id), (S_OK, logical()));
            assert_ne!(id, outside);
            assert_eq!(info.SetCurrentLogicalThreadId(std::ptr::null()), E_INVALIDARG);
            assert_eq!(info.SetCurrentLogicalThreadId(&outside), S_OK);
            assert_eq!(logical(), outside);
        });
        sta.close();
    });
}

unsafe extern "system" fn add_one(data: *mut ComCallData) -> HRESULT {
    unsafe {
        (*data).dwDispid += 1;
        *(*data).pUserDefined.cast::<u32>() = GetCurrentThreadId();
    }
    HRESULT(0x0004_1234)
}

#[test]
fn ctx_07_a_function_runs_in_the_context_and_its_code_comes_back() {
    world(|world| {
        let (sta, client, mta) = (world.sta(), world.sta(), world.mta());
        let home = sta.thread;
        let way = sta.run(|| Carry(context::<IContextCallback>().unwrap()));
        let into_mta = mta.run(|| Carry(context::<IContextCallback>().unwrap()));
        let call = |way: &IContextCallback, iid: &GUID| unsafe {
            let mut thread = 0u32;
            let mut data = ComCallData { dwDispid: 4, dwReserved: 0, pUserDefined: (&raw mut thread).cast() };
            (way.ContextCallback(Some(add_one), &mut data, iid, 5, null_mut()), data.dwDispid, thread)
        };
        let iids = [IProbe::IID, IID_IEnterActivityWithNoLock, IID_ICallbackWithNoReentrancyToApplicationSTA];
        client.run(move || {
            let (way, into_mta) = (way.take(), into_mta.take());
            let own = unsafe { GetCurrentThreadId() };
            for iid in &iids {
                assert_eq!(call(&way, iid), (HRESULT(0x0004_1234), 5, home));
                let (hr, count, thread) = call(&into_mta, iid);
                assert_eq!((hr, count), (HRESULT(0x0004_1234), 5));
                assert!(thread != own && thread != home);
            }
            let iid = &IProbe::IID;
            unsafe {
                let unknown = context::<IUnknown>().unwrap();
                let mut data = ComCallData { dwDispid: 4, dwReserved: 0, pUserDefined: null_mut() };
                assert_eq!(way.ContextCallback(None, &mut data, iid, 5, null_mut()), E_INVALIDARG);
                assert_eq!(way.ContextCallback(Some(add_one), &mut data, &IUnknown::IID, 5, null_mut()), E_INVALIDARG);
                assert_eq!(
                    way.ContextCallback(Some(add_one), &mut data, std::ptr::null(), 5, null_mut()),
                    E_INVALIDARG
                );
                assert_eq!(way.ContextCallback(Some(add_one), &mut data, iid, 2, null_mut()), E_INVALIDARG);
                assert_eq!(way.ContextCallback(Some(add_one), &mut data, iid, 5, unknown.as_raw()), E_INVALIDARG);
                assert_eq!(data.dwDispid, 4, "none of them ran");
                assert_eq!(way.ContextCallback(Some(panics), &mut data, iid, 5, null_mut()), RPC_E_SERVERFAULT);
            }
        });
        [sta, client, mta].into_iter().for_each(Room::close);
    });
}

unsafe extern "system" fn panics(_: *mut ComCallData) -> HRESULT {
    // Across the boundary of a function that does not unwind a panic would end the process; a guard is the function's own.
    oleander::object::guard::call(|| panic!("the function fails"))
}

/// A context of its own in the calling apartment.
fn new_context() -> IContextCallback {
    let mut raw = null_mut();
    unsafe {
        let hr = CoCreateInstance(
            &CLSID_ContextSwitcher,
            null_mut(),
            CLSCTX_INPROC_SERVER,
            &IContextCallback::IID,
            &mut raw,
        );
        assert_eq!(hr, S_OK);
        IContextCallback::from_raw(raw)
    }
}

/// Runs a closure in a context.
fn within<R>(way: &IContextCallback, body: impl FnOnce() -> R) -> R {
    struct Job<F, R>(Option<F>, Option<R>);
    unsafe extern "system" fn run<F: FnOnce() -> R, R>(data: *mut ComCallData) -> HRESULT {
        let job = unsafe { &mut *(*data).pUserDefined.cast::<Job<F, R>>() };
        job.1 = job.0.take().map(|body| body());
        S_OK
    }
    fn runner<F: FnOnce() -> R, R>(_: &F) -> PFNCONTEXTCALL {
        Some(run::<F, R>)
    }
    let function = runner(&body);
    let mut job = Job(Some(body), None);
    let mut data = ComCallData { dwDispid: 0, dwReserved: 0, pUserDefined: (&raw mut job).cast() };
    assert_eq!(unsafe { way.ContextCallback(function, &mut data, &IProbe::IID, 5, null_mut()) }, S_OK);
    job.1.expect("it has run")
}

#[test]
fn cls_06_a_context_of_its_own_is_on_the_same_thread_behind_a_proxy() {
    world(|world| {
        for room in [world.sta(), world.mta()] {
            room.run(|| unsafe {
                let (lives, outside, thread) = (Lives::default(), token().1, GetCurrentThreadId());
                let way = new_context();
                let kind = || {
                    let (mut kind, mut qualifier) = (77, 77);
                    (CoGetApartmentType(&mut kind, &mut qualifier), kind, qualifier)
                };
                let home = kind();
                let (inside, packet, direct) = within(&way, || {
                    assert_eq!((GetCurrentThreadId(), kind()), (thread, home));
                    let object = probe(&lives);
                    let packet = pack(&object);
                    (token().1, packet, object.as_raw() as usize)
                });
                assert_ne!(inside, outside);
                assert_eq!(token().1, outside, "back again");
                let proxy = unpack::<IProbe>(packet);
                assert_ne!(proxy.as_raw() as usize, direct, "another context gets a proxy");
                assert_eq!(thread_of(&proxy), thread, "and stays on its thread");
                assert_eq!(within(&way, || CoDisconnectContext(0)), S_OK);
                assert_eq!(lives.now(), 0, "its clients are cut off");
                assert_eq!(CoDisconnectContext(0), CO_E_NOT_SUPPORTED, "a default context");
                let mut raw = null_mut();
                let hr = CoCreateInstance(
                    &CLSID_ContextSwitcher,
                    proxy.as_raw(),
                    CLSCTX_INPROC_SERVER,
                    &IUnknown::IID,
                    &mut raw,
                );
                assert_eq!(hr, CLASS_E_NOAGGREGATION);
                drop(proxy);
            });
            room.close();
        }
        assert_eq!(unsafe { CoDisconnectContext(0) }, CO_E_NOTINITIALIZED);
    });
}

#[test]
fn cls_05_global_options_are_the_processs() {
    world(|_| unsafe {
        assert_eq!(CoInitializeEx(null_mut(), COINIT_MULTITHREADED), S_OK);
        let create = |outer: *mut c_void| {
            let mut raw = null_mut();
            let hr =
                CoCreateInstance(&CLSID_GlobalOptions, outer, CLSCTX_INPROC_SERVER, &IGlobalOptions::IID, &mut raw);
            if hr == S_OK { Ok(IGlobalOptions::from_raw(raw)) } else { Err(hr) }
        };
        let (first, second) = (create(null_mut()).unwrap(), create(null_mut()).unwrap());
        assert_eq!(create(first.as_raw()).unwrap_err(), E_INVALIDARG);
        let mut value = 77;
        for property in COMGLOB_EXCEPTION_HANDLING..=COMGLOB_PROPERTIES_RESERVED3 {
            assert_eq!((first.Query(property, &mut value), value), (S_OK, 0));
        }
        for property in [0, COMGLOB_PROPERTIES_RESERVED3 + 1] {
            assert_eq!((first.Query(property, &mut value), first.Set(property, 0)), (E_INVALIDARG, E_INVALIDARG));
        }
        assert_eq!(first.Query(COMGLOB_APPID, null_mut()), E_INVALIDARG);
        let any = COMGLOB_EXCEPTION_DONOT_HANDLE_ANY as usize;
        assert_eq!(first.Set(COMGLOB_EXCEPTION_HANDLING, any), S_OK);
        assert_eq!((second.Query(COMGLOB_EXCEPTION_HANDLING, &mut value), value), (S_OK, any));
        assert_eq!(first.Set(COMGLOB_EXCEPTION_HANDLING, any + 1), E_INVALIDARG);
        assert_eq!(first.Set(COMGLOB_PROPERTIES_RESERVED1, 0), E_INVALIDARG);
        drop((first, second));
        CoUninitialize();
    });
}

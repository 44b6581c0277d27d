//! The neutral apartment (APT-12, APT-26) and threading models with their hosts (ACT-09).

#![allow(clippy::undocumented_unsafe_blocks, reason = "tests call COM by its rules, as its users do")]

#[path = "common/probe.rs"]
mod probe;
#[path = "common/rooms.rs"]
mod rooms;

use oleander::object::{ThreadingModel, class_factory_with, register_in_process_class, revoke_in_process_class};
use oleander::windows_core::{GUID, HRESULT, IUnknown, Interface};
use oleander::*;
use probe::*;
use rooms::*;
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::{Arc, Mutex};

const CLSID_HERE: GUID = GUID::from_u128(0x0a7f1f5e_53f2_44b6_8d4c_0f3bd9b2c201);

/// What an object is asked with `Do`.
const KIND: u32 = 1;
const INITIALIZE: u32 = 2;
const CALLER: u32 = 3;
const WAIT: u32 = 5;

type Kind = (i32, i32);

fn kind() -> Kind {
    let (mut kind, mut qualifier) = (77, 77);
    let _ = unsafe { CoGetApartmentType(&mut kind, &mut qualifier) };
    (kind, qualifier)
}

/// What objects of the class have to say.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<String>>>);

impl Notes {
    fn put(&self, note: impl std::fmt::Debug) {
        self.0.lock().unwrap().push(format!("{note:?}"));
    }
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// Registers the class; its objects note what they see.
fn register(lives: &Lives, model: ThreadingModel, flags: u32) -> Notes {
    let notes = Notes::default();
    let (lives, noted) = (lives.clone(), notes.clone());
    let make = move || {
        let (lives, notes) = (lives.clone(), noted.clone());
        class_factory_with(move |outer, iid, out| unsafe {
            if !outer.is_null() {
                return CLASS_E_NOAGGREGATION;
            }
            let notes = notes.clone();
            probe_that(&lives, move |what| answer(&notes, what)).query(iid, out)
        })
    };
    register_in_process_class(&CLSID_HERE, make, model, flags);
    notes
}

fn answer(notes: &Notes, what: u32) -> HRESULT {
    match what {
        KIND => notes.put(kind()),
        INITIALIZE => return unsafe { CoInitializeEx(null_mut(), COINIT_MULTITHREADED) },
        CALLER => {
            let mut tid = 77;
            assert_eq!(unsafe { CoGetCallerTID(&mut tid) }, S_OK);
            notes.put(tid);
        }
        WAIT => {
            let (event, mut index) = (event(true, true), 0);
            assert_eq!(unsafe { CoWaitForMultipleHandles(0, 0, 1, &event, &mut index) }, S_OK);
            assert!(unsafe { CloseHandle(event) }.as_bool());
        }
        _ => return S_FALSE,
    }
    S_OK
}

fn create() -> IProbe {
    try_create(null_mut()).unwrap()
}

fn try_create(outer: *mut c_void) -> Result<IProbe, HRESULT> {
    let mut raw = 0x10 as *mut c_void;
    let iid = if outer.is_null() { IProbe::IID } else { IUnknown::IID };
    match unsafe { CoCreateInstance(&CLSID_HERE, outer, CLSCTX_INPROC_SERVER, &iid, &mut raw) } {
        S_OK => Ok(unsafe { IProbe::from_raw(raw) }),
        hr => {
            assert!(raw.is_null());
            Err(hr)
        }
    }
}

fn ask(probe: &IProbe, what: u32) -> HRESULT {
    unsafe { probe.Do(what) }
}

fn me() -> u32 {
    unsafe { GetCurrentThreadId() }
}

#[test]
fn apt_12_a_neutral_object_runs_on_its_callers_own_thread() {
    world(|world| {
        let (main, sta, mta) = (world.sta(), world.sta(), world.mta());
        let lives = Lives::default();
        let notes = main.run(move || {
            let notes = register(&lives, ThreadingModel::Neutral, 0);
            (notes, lives)
        });
        let (notes, lives) = notes;
        let expected = [
            (&main, APTTYPEQUALIFIER_NA_ON_MAINSTA),
            (&sta, APTTYPEQUALIFIER_NA_ON_STA),
            (&mta, APTTYPEQUALIFIER_NA_ON_MTA),
        ];
        for (room, qualifier) in expected {
            room.run(|| {
                let home = kind();
                let object = create();
                assert_eq!(thread_of(&object), me());
                assert_eq!((ask(&object, KIND), ask(&object, INITIALIZE)), (S_OK, RPC_E_CHANGED_MODE), "apt_26");
                assert_eq!(ask(&object, WAIT), S_OK);
                assert_eq!(kind(), home, "back at home");
                assert!(query::<ILocal>(&object).is_err(), "a proxy");
            });
            assert_eq!(notes.take(), [format!("{:?}", (APTTYPE_NA, qualifier))]);
        }
        // A thread in the implicit MTA, whose process has one.
        let implicit = world.thread(|| {
            let object = create();
            assert_eq!((thread_of(&object), ask(&object, KIND)), (me(), S_OK));
        });
        implicit.wait();
        assert_eq!(notes.take(), [format!("{:?}", (APTTYPE_NA, APTTYPEQUALIFIER_NA_ON_IMPLICIT_MTA))]);
        assert_eq!(lives.now(), 0);
        [main, sta, mta].into_iter().for_each(Room::close);
    });
}

#[test]
fn apt_12_a_neutral_object_calls_stas_and_the_mta_and_gets_calls_back() {
    world(|world| {
        let (main, sta, mta) = (world.sta(), world.sta(), world.mta());
        let lives = Lives::default();
        register(&lives, ThreadingModel::Neutral, 0);
        let (in_sta, sta_thread, mta_packet) = (
            Lives::default(),
            sta.thread,
            mta.run({
                let lives = lives.clone();
                move || pack(&probe(&lives))
            }),
        );
        let sta_packet = sta.run({
            let lives = in_sta.clone();
            move || pack(&probe_that(&lives, |_| HRESULT(me() as i32)))
        });
        let mine = lives.clone();
        main.run(move || {
            let object = create();
            // A pointer to an STA of its own, to another STA, to the MTA: each is used from the neutral apartment.
            let own = probe_that(&mine, |_| HRESULT(me() as i32));
            let forward = |to: &IProbe| unsafe { object.Forward(to.into(), 9) };
            assert_eq!(forward(&own), HRESULT(me() as i32));
            let other = unpack::<IProbe>(sta_packet);
            assert_eq!(forward(&other), HRESULT(sta_thread as i32));
            let free = unpack::<IProbe>(mta_packet);
            assert_eq!(forward(&free), S_OK);
            // An STA that calls back into the neutral object, which the client's thread is inside of.
            assert_eq!(forward(&object), S_FALSE, "its own proxy is itself there");
        });
        assert_eq!((lives.now(), in_sta.now()), (0, 0));
        [main, sta, mta].into_iter().for_each(Room::close);
    });
}

#[test]
fn apt_34_what_a_server_learns_of_its_caller() {
    world(|world| unsafe {
        let mut tid = 77;
        assert_eq!(CoGetCallerTID(null_mut()), E_INVALIDARG);
        assert_eq!((CoGetCallerTID(&mut tid), tid), (E_OUTOFMEMORY, 0));
        let (server, sta, mta) = (world.sta(), world.sta(), world.mta());
        let lives = Lives::default();
        let notes = register(&lives, ThreadingModel::Neutral, 0);
        let packets = server.run({
            let (lives, notes) = (lives.clone(), notes.clone());
            move || {
                let object = probe_that(&lives, move |what| answer(&notes, what));
                [pack(&object), pack(&object), pack(&object)]
            }
        });
        let [first, second, third] = packets;
        sta.run(move || assert_eq!(ask(&unpack(first), CALLER), S_OK));
        assert_eq!(notes.take(), [sta.thread.to_string()]);
        mta.run(move || assert_eq!(ask(&unpack(second), CALLER), S_OK));
        assert_eq!(notes.take(), ["0"]);
        sta.run(move || {
            let (neutral, server) = (create(), unpack::<IProbe>(third));
            assert_eq!(neutral.Forward((&server).into(), CALLER), S_OK);
            assert_eq!(ask(&neutral, CALLER), S_OK, "and the neutral object itself hears of the STA");
        });
        assert_eq!(notes.take(), [u32::MAX.to_string(), sta.thread.to_string()]);
        [server, sta, mta].into_iter().for_each(Room::close);
        assert_eq!(lives.now(), 0);
    });
}

#[test]
fn call_12_an_asynchronous_call_to_a_neutral_object_is_served_by_a_pool() {
    world(|world| unsafe {
        let (sta, lives) = (world.sta(), Lives::default());
        let notes = register(&lives, ThreadingModel::Neutral, 0);
        sta.run(move || {
            let object = create();
            let factory: ICallFactory = query(&object).unwrap();
            let mut raw = null_mut();
            assert_eq!(factory.CreateCall(&AsyncIProbe::IID, null_mut(), &AsyncIProbe::IID, &mut raw), S_OK);
            let call = AsyncIProbe::from_raw(raw);
            assert_eq!((call.Begin_Do(KIND), call.Finish_Do()), (S_OK, S_OK));
            let mut thread = 0;
            assert_eq!((call.Begin_Thread(), call.Finish_Thread(&mut thread)), (S_OK, S_OK));
            assert_ne!(thread, me());
        });
        assert_eq!(notes.take(), [format!("{:?}", (APTTYPE_NA, APTTYPEQUALIFIER_NA_ON_IMPLICIT_MTA))]);
        sta.close();
        assert_eq!(lives.now(), 0, "the neutral apartment ends with the last one");
    });
}

#[test]
fn act_09_models_and_where_their_objects_live() {
    world(|world| {
        let (main, sta, mta) = (world.sta(), world.sta(), world.mta());
        let lives = Lives::default();
        // Where an object is created, and what kind of place it finds itself in.
        let place = |room: &Room, notes: &Notes| {
            let (direct, thread) = room.run(|| {
                let object = create();
                assert_eq!(ask(&object, KIND), S_OK);
                (query::<ILocal>(&object).is_ok(), thread_of(&object))
            });
            (direct, thread, notes.take().remove(0))
        };
        let says = |kind: i32| format!("{:?}", (kind, APTTYPEQUALIFIER_NONE));
        let notes = register(&lives, ThreadingModel::Main, 0);
        assert_eq!(place(&main, &notes), (true, main.thread, says(APTTYPE_MAINSTA)));
        assert_eq!(place(&sta, &notes), (false, main.thread, says(APTTYPE_MAINSTA)));
        assert_eq!(place(&mta, &notes), (false, main.thread, says(APTTYPE_MAINSTA)));
        let notes = register(&lives, ThreadingModel::Apartment, 0);
        assert_eq!(place(&main, &notes), (true, main.thread, says(APTTYPE_MAINSTA)));
        assert_eq!(place(&sta, &notes), (true, sta.thread, says(APTTYPE_STA)));
        let (direct, host, kind) = place(&mta, &notes);
        assert_eq!((direct, kind), (false, says(APTTYPE_STA)));
        assert!(![main.thread, sta.thread, mta.thread].contains(&host));
        assert_eq!(place(&mta, &notes).1, host, "one host for all");
        let notes = register(&lives, ThreadingModel::Free, 0);
        assert_eq!(place(&mta, &notes), (true, mta.thread, says(APTTYPE_MTA)));
        let (direct, worker, kind) = place(&sta, &notes);
        assert_eq!((direct, kind), (false, says(APTTYPE_MTA)));
        assert!(![main.thread, sta.thread].contains(&worker));
        let notes = register(&lives, ThreadingModel::Both, 0);
        assert_eq!(place(&sta, &notes), (true, sta.thread, says(APTTYPE_STA)));
        assert_eq!(place(&mta, &notes), (true, mta.thread, says(APTTYPE_MTA)));
        assert_eq!(lives.now(), 0);
        [main, sta, mta].into_iter().for_each(Room::close);
        assert!(revoke_in_process_class(&CLSID_HERE) && !revoke_in_process_class(&CLSID_HERE));
    });
}

#[test]
fn act_09_hosts_are_made_where_there_is_none_and_end_with_the_last_thread() {
    world(|world| unsafe {
        let lives = Lives::default();
        for model in [ThreadingModel::Main, ThreadingModel::Apartment] {
            let notes = register(&lives, model, 0);
            let mta = world.mta();
            let packet = mta.run(|| {
                let object = create();
                assert_eq!(ask(&object, KIND), S_OK);
                assert_ne!(thread_of(&object), me());
                // It holds the object, and nobody releases it: the host's end does.
                pack(&object)
            });
            assert_eq!(
                notes.take(),
                [format!("{:?}", (APTTYPE_MAINSTA, APTTYPEQUALIFIER_NONE))],
                "the first STA is main"
            );
            assert_eq!(lives.now(), 1);
            mta.close();
            assert_eq!(lives.now(), 0, "the last to leave waits for the hosts");
            drop(IUnknown::from_raw(packet.take()));
        }
        let notes = register(&lives, ThreadingModel::Free, 0);
        let sta = world.sta();
        sta.run(|| assert_eq!(ask(&create(), KIND), S_OK));
        assert_eq!(notes.take(), [format!("{:?}", (APTTYPE_MTA, APTTYPEQUALIFIER_NONE))]);
        assert_eq!(kind(), (APTTYPE_MTA, APTTYPEQUALIFIER_IMPLICIT_MTA), "the host keeps the MTA");
        sta.close();
        assert_eq!(kind(), (APTTYPE_CURRENT, APTTYPEQUALIFIER_NONE));
        assert_eq!(CoInitialize(null_mut()), S_OK);
        CoUninitialize();
    });
}

#[test]
fn act_08_09_an_outer_object_needs_the_same_apartment() {
    world(|world| {
        let (sta, lives) = (world.sta(), Lives::default());
        register(&lives, ThreadingModel::Free, 0);
        sta.run(move || {
            let outer = probe(&lives);
            assert_eq!(try_create(outer.as_raw()).unwrap_err(), CLASS_E_NOAGGREGATION);
            assert_eq!(lives.now(), 1, "nothing was made");
        });
        sta.close();
    });
}

#[test]
fn act_04_class_objects_of_models_are_reached_like_objects() {
    world(|world| unsafe {
        let (sta, lives) = (world.sta(), Lives::default());
        register(&lives, ThreadingModel::Neutral, 0);
        sta.run(|| {
            let mut raw = null_mut();
            let hr = CoGetClassObject(&CLSID_HERE, CLSCTX_INPROC_SERVER, null_mut(), &IClassFactory::IID, &mut raw);
            assert_eq!(hr, S_OK);
            let factory = IClassFactory::from_raw(raw);
            let mut object = null_mut();
            assert_eq!(factory.CreateInstance(null_mut(), &IProbe::IID, &mut object), S_OK);
            assert_eq!(thread_of(&IProbe::from_raw(object)), me());
            let mut raw = 0x10 as *mut c_void;
            let hr = CoGetClassObject(&CLSID_HERE, CLSCTX_LOCAL_SERVER, null_mut(), &IClassFactory::IID, &mut raw);
            assert_eq!((hr, raw), (REGDB_E_CLASSNOTREG, null_mut()), "it is in-process only");
        });
        sta.close();
        assert_eq!(lives.now(), 0);
    });
}

#[test]
fn call_40_a_configured_component_refuses_asynchronous_calls() {
    world(|world| unsafe {
        let lives = Lives::default();
        for model in [ThreadingModel::Both, ThreadingModel::Apartment, ThreadingModel::Neutral] {
            register(&lives, model, OLEANDER_CLASS_CONFIGURED);
            for room in [world.sta(), world.mta()] {
                room.run(move || {
                    let object = create();
                    assert!(query::<ILocal>(&object).is_err(), "its context is not the creator's");
                    assert_eq!(
                        thread_of(&object) == me(),
                        model != ThreadingModel::Apartment || kind().0 != APTTYPE_MTA
                    );
                    let factory: ICallFactory = query(&object).unwrap();
                    let mut raw = 0x10 as *mut c_void;
                    let hr = factory.CreateCall(&AsyncIProbe::IID, null_mut(), &AsyncIProbe::IID, &mut raw);
                    assert_eq!((hr, raw), (E_NOINTERFACE, null_mut()));
                    assert_eq!(ask(&object, 77), S_FALSE, "and takes the others");
                });
                room.close();
                assert_eq!(lives.now(), 0);
            }
        }
    });
}

unsafe extern "system" fn get_class_object(clsid: *const GUID, iid: *const GUID, ppv: *mut *mut c_void) -> HRESULT {
    unsafe {
        assert_eq!(*clsid, CLSID_HERE);
        class_factory_with(|outer, iid, out| {
            if outer.is_null() { probe(&Lives::default()).query(iid, out) } else { CLASS_E_NOAGGREGATION }
        })
        .query(iid, ppv)
    }
}

#[test]
fn act_09_the_c_function_registers_and_checks() {
    world(|world| unsafe {
        let get: LPFNGETCLASSOBJECT = Some(get_class_object);
        let register = OleanderRegisterInProcessClass;
        assert_eq!(register(std::ptr::null(), get, OLEANDER_THREADING_BOTH, 0), E_INVALIDARG);
        assert_eq!(register(&CLSID_HERE, None, OLEANDER_THREADING_BOTH, 0), E_INVALIDARG);
        assert_eq!(register(&CLSID_HERE, get, OLEANDER_THREADING_NEUTRAL + 1, 0), E_INVALIDARG);
        assert_eq!(register(&CLSID_HERE, get, OLEANDER_THREADING_BOTH, 2), E_INVALIDARG);
        assert_eq!(OleanderRevokeInProcessClass(&CLSID_HERE), REGDB_E_CLASSNOTREG);
        assert_eq!(register(&CLSID_HERE, get, OLEANDER_THREADING_BOTH, 0), S_OK);
        let mta = world.mta();
        mta.run(|| assert!(query::<ILocal>(&create()).is_ok()));
        mta.close();
        assert_eq!(OleanderRevokeInProcessClass(&CLSID_HERE), S_OK);
        assert_eq!(OleanderRevokeInProcessClass(std::ptr::null()), E_INVALIDARG);
    });
}

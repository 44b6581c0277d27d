//! Machines and processes of a world: what each has for itself.

#![allow(clippy::undocumented_unsafe_blocks, reason = "every call of a COM method is one; the rules are those of COM")]

use oleander::debug::live_objects;
use oleander::windows_core::{ComObject, GUID, IUnknown, Interface};
use oleander::*;
use oleander_sim::{run, world};
use std::collections::BTreeSet;
use std::ptr::null_mut;

#[com_class(IAgileObject)]
struct Thing;

impl IAgileObject_Impl for Thing_Impl {}

const CLSID_THING: GUID = GUID::from_u128(0x6d1b6a52_1c7e_4ef2_8a77_6f6c65610601);

#[test]
fn processes_are_on_machines_and_have_numbers_of_their_own() {
    run(|| {
        let here = world::this_process();
        assert_eq!(here.machine().name(), "local");
        assert_eq!((here.id(), unsafe { GetCurrentProcessId() }), (4, 4));
        let (beside, away) = (world::process(), world::machine("away").process());
        assert_eq!(beside.machine(), here.machine());
        assert_ne!(away.machine(), here.machine());
        assert_eq!(away.machine(), &world::machine("away"));
        let who = || {
            let process = world::this_process();
            // A thread that a thread starts is in its process.
            let inner =
                world::spawn("inner", || unsafe { (GetCurrentProcessId(), GetCurrentThreadId()) }).join().unwrap();
            assert_eq!(inner.0, process.id());
            unsafe { (GetCurrentProcessId(), GetCurrentThreadId(), inner.1, process.machine().name().to_owned()) }
        };
        let all = [who(), beside.spawn("b", who).join().unwrap(), away.spawn("c", who).join().unwrap()];
        assert_eq!(all.iter().map(|it| it.0).collect::<BTreeSet<_>>(), BTreeSet::from([4, beside.id(), away.id()]));
        let threads: BTreeSet<_> = all.iter().flat_map(|it| [it.1, it.2]).collect();
        assert_eq!(threads.len(), 6, "no two threads have the same number");
        assert_eq!(all[2].3, "away");
    })
    .expect_completed();
}

#[test]
fn classes_tables_apartments_and_names_are_a_process_s_own() {
    run(|| {
        let other = world::process();
        unsafe {
            assert_eq!(CoInitializeEx(null_mut(), COINIT_MULTITHREADED), S_OK);
            let thing: IUnknown = ComObject::new(Thing).to_interface();
            let mut class = 0;
            assert_eq!(
                CoRegisterClassObject(
                    &CLSID_THING,
                    thing.as_raw(),
                    CLSCTX_INPROC_SERVER,
                    REGCLS_MULTIPLEUSE,
                    &mut class
                ),
                S_OK
            );
            let found = |mut raw| {
                let hr = CoGetClassObject(&CLSID_THING, CLSCTX_INPROC_SERVER, null_mut(), &IUnknown::IID, &mut raw);
                drop((!raw.is_null()).then(|| IUnknown::from_raw(raw)));
                hr
            };
            assert_eq!(found(null_mut()), S_OK);
            assert_eq!(CoRegisterPSClsid(&IAgileObject::IID, &CLSID_THING), S_OK);
            let table = "table".encode_utf16().chain([0]).collect::<Vec<_>>();
            let event = CreateEventW(null_mut(), true.into(), true.into(), table.as_ptr());
            let name = table.clone();
            let inside = move || {
                let mut ps = GUID::zeroed();
                assert_eq!(CoGetPSClsid(&IAgileObject::IID, &mut ps), CO_E_NOTINITIALIZED, "the MTA is the other's");
                assert_eq!(CoInitializeEx(null_mut(), COINIT_MULTITHREADED), S_OK);
                assert_eq!(CoGetPSClsid(&IAgileObject::IID, &mut ps), REGDB_E_IIDNOTREG);
                let hr =
                    CoGetClassObject(&CLSID_THING, CLSCTX_INPROC_SERVER, null_mut(), &IUnknown::IID, &mut null_mut());
                assert_eq!(hr, REGDB_E_CLASSNOTREG);
                assert!(OpenEventW(EVENT_ALL_ACCESS, false.into(), name.as_ptr()).is_null());
                let own = CreateEventW(null_mut(), true.into(), false.into(), name.as_ptr());
                assert_eq!(WaitForSingleObject(own, 0), WAIT_TIMEOUT, "it is another event");
                assert!(CloseHandle(own).as_bool());
                CoUninitialize();
                live_objects()
            };
            assert_eq!(other.spawn("other", inside).join().unwrap(), 0);
            assert_eq!(found(null_mut()), S_OK);
            assert_eq!(WaitForSingleObject(event, 0), WAIT_OBJECT_0);
            assert!(CloseHandle(event).as_bool());
            drop(thing);
            assert_eq!(CoRevokeClassObject(class), S_OK);
            CoUninitialize();
        }
        assert_eq!(live_objects(), 0);
    })
    .expect_completed();
}

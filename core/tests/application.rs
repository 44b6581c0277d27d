//! The application STA: what it lets in while it is in a call or a wait (MSG-17, WAIT-19, WAIT-25).

#![allow(clippy::undocumented_unsafe_blocks, reason = "tests call COM by its rules, as its users do")]

#[path = "common/probe.rs"]
mod probe;
#[path = "common/rooms.rs"]
mod rooms;

use oleander::apartment::enter_application_sta;
use oleander::windows_core::{HRESULT, Interface};
use oleander::*;
use probe::*;
use rooms::*;
use std::ptr::null_mut;
use std::sync::{Arc, Mutex};

fn kind() -> (i32, i32) {
    let (mut kind, mut qualifier) = (77, 77);
    let _ = unsafe { CoGetApartmentType(&mut kind, &mut qualifier) };
    (kind, qualifier)
}

/// A log of what happens, in order.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<&'static str>>>);

impl Log {
    fn put(&self, what: &'static str) {
        self.0.lock().unwrap().push(what);
    }
    fn take(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

#[test]
fn enum_05_an_application_sta_says_so() {
    world(|world| {
        assert_eq!(enter_application_sta(), S_OK);
        assert_eq!(kind(), (APTTYPE_MAINSTA, APTTYPEQUALIFIER_APPLICATION_STA));
        assert_eq!(enter_application_sta(), S_FALSE);
        unsafe {
            assert_eq!(CoInitialize(null_mut()), S_FALSE);
            assert_eq!(CoInitializeEx(null_mut(), COINIT_MULTITHREADED), RPC_E_CHANGED_MODE);
            CoUninitialize();
            CoUninitialize();
        }
        assert_eq!(kind(), (APTTYPE_MAINSTA, APTTYPEQUALIFIER_APPLICATION_STA));
        let (sta, mta) = (world.sta(), world.mta());
        assert_eq!(
            (sta.run(enter_application_sta), mta.run(enter_application_sta)),
            (RPC_E_CHANGED_MODE, RPC_E_CHANGED_MODE)
        );
        unsafe { CoUninitialize() };
        assert_ne!(kind().1, APTTYPEQUALIFIER_APPLICATION_STA);
        [sta, mta].into_iter().for_each(Room::close);
    });
}

/// While the ASTA calls a server that works until it is told, a stranger's call waits; a query does not.
#[test]
fn msg_17_calls_are_held_back_during_a_call_and_queries_let_in() {
    world(|world| unsafe {
        let (asta, server, stranger) = (world.asta(), world.mta(), world.mta());
        let (lives, log) = (Lives::default(), Log::default());
        let (working, go_on) = (event(true, false), event(true, false));
        let work = server.run({
            let (lives, log) = (lives.clone(), log.clone());
            move || {
                pack(&probe_that(&lives, move |_| {
                    assert!(SetEvent(working).as_bool());
                    wait_for(go_on);
                    log.put("server done");
                    S_OK
                }))
            }
        });
        let (mine, notes) = (lives.clone(), log.clone());
        let target = asta.run(move || {
            pack(&probe_that(&mine, move |_| {
                notes.put("served");
                S_OK
            }))
        });
        let notes = log.clone();
        let calling = asta.start(move || {
            let hr = unpack::<IProbe>(work).Do(0);
            notes.put("call done");
            hr
        });
        wait_for(working);
        let told = event(true, false);
        let ordinary = stranger.start(move || {
            let object = unpack::<IProbe>(target);
            // Asked of the object itself, which the ASTA lets in.
            assert_eq!(query::<IOther>(&object).unwrap_err(), E_NOINTERFACE);
            assert!(SetEvent(told).as_bool());
            object.Do(1)
        });
        wait_for(told);
        // The stranger's call is on its way; it must not be served before the ASTA's own call is over.
        assert!(SetEvent(go_on).as_bool());
        assert_eq!((calling.wait(), ordinary.wait()), (S_OK, S_OK));
        assert_eq!(log.take(), ["server done", "call done", "served"]);
        [working, go_on, told].into_iter().for_each(|handle| assert!(CloseHandle(handle).as_bool()));
        [asta, server, stranger].into_iter().for_each(Room::close);
    });
}

/// Calls `there`, whose object calls back here through the pointers in between.
fn back_through(between: &[fn(&rooms::World) -> Room]) -> HRESULT {
    let result = Arc::new(Mutex::new(S_FALSE));
    let (rooms, out) = (between.to_vec(), result.clone());
    world(move |world| {
        let asta = world.asta();
        let lives = Lives::default();
        let mine = lives.clone();
        let mut way = asta.run(move || pack(&probe_that(&mine, |_| HRESULT(0x0004_0001))));
        let rooms: Vec<Room> = rooms.iter().map(|open| open(world)).collect();
        // From the last stop backwards: each forwards to what comes after it.
        for room in rooms.iter().rev() {
            let (lives, next) = (lives.clone(), way);
            way = room.run(move || {
                let next = unpack::<IProbe>(next);
                pack(&probe_that(&lives, move |what| unsafe { next.Do(what) }))
            });
        }
        *out.lock().unwrap() = asta.run(move || unsafe { unpack::<IProbe>(way).Do(7) });
        rooms.into_iter().for_each(Room::close);
        asta.close();
    });
    let hr = result.lock().unwrap();
    *hr
}

#[test]
fn msg_17_its_own_chain_comes_back_but_not_through_another_application_sta() {
    let came_back = HRESULT(0x0004_0001);
    assert_eq!(back_through(&[World::sta]), came_back);
    assert_eq!(back_through(&[World::mta]), came_back);
    assert_eq!(back_through(&[World::mta, World::sta]), came_back);
    assert_eq!(back_through(&[World::asta]), RO_E_BLOCKED_CROSS_ASTA_CALL);
    assert_eq!(back_through(&[World::mta, World::asta, World::sta]), RO_E_BLOCKED_CROSS_ASTA_CALL);
}

#[test]
fn wait_19_a_wait_serves_calls_only_when_it_is_told_to() {
    world(|world| unsafe {
        let (asta, client) = (world.asta(), world.mta());
        let (lives, log) = (Lives::default(), Log::default());
        for (flags, expected) in [
            (COWAIT_DEFAULT, ["waited", "served"]),
            (COWAIT_DISPATCH_WINDOW_MESSAGES, ["waited", "served"]),
            (COWAIT_DISPATCH_CALLS, ["served", "waited"]),
        ] {
            let (mine, notes, go_on, ready) = (lives.clone(), log.clone(), event(true, false), event(true, false));
            let target = asta.run(move || {
                pack(&probe_that(&mine, move |_| {
                    notes.put("served");
                    S_OK
                }))
            });
            let notes = log.clone();
            let waiting = asta.start(move || {
                let mut index = 0;
                assert!(SetEvent(ready).as_bool());
                let hr = CoWaitForMultipleHandles(flags, 60_000, 1, &go_on, &mut index);
                notes.put("waited");
                hr
            });
            wait_for(ready);
            let after = flags & COWAIT_DISPATCH_CALLS == 0;
            let calling = client.start(move || {
                let object = unpack::<IProbe>(target);
                // A query is let in, so the ASTA is in its wait when this has come back.
                assert_eq!(query::<IOther>(&object).unwrap_err(), E_NOINTERFACE);
                if after {
                    assert!(SetEvent(go_on).as_bool());
                    return object.Do(0);
                }
                let hr = object.Do(0);
                assert!(SetEvent(go_on).as_bool());
                hr
            });
            assert_eq!((waiting.wait(), calling.wait()), (S_OK, S_OK));
            assert_eq!(log.take(), expected, "{flags}");
            [go_on, ready].into_iter().for_each(|handle| assert!(CloseHandle(handle).as_bool()));
        }
        [asta, client].into_iter().for_each(Room::close);
    });
}

#[test]
fn wait_25_what_an_application_sta_cannot_wait_for() {
    world(|world| unsafe {
        let asta = world.asta();
        asta.run(|| {
            let (handle, mut index) = (event(true, true), 0);
            let many = vec![handle; 57];
            let mut wait = |flags, handles: &[HANDLE]| {
                CoWaitForMultipleHandles(flags, 0, handles.len() as u32, handles.as_ptr(), &mut index)
            };
            for flags in [COWAIT_WAITALL, COWAIT_ALERTABLE, COWAIT_INPUTAVAILABLE] {
                assert_eq!(wait(flags, &many[..1]), CO_E_NOT_SUPPORTED);
            }
            assert_eq!((wait(0, &many[..56]), wait(0, &many)), (S_OK, CO_E_NOT_SUPPORTED));
            let newer = CoWaitForMultipleObjects(COWAIT_INPUTAVAILABLE, 0, 1, &handle, &mut index);
            assert_eq!(newer, E_INVALIDARG);
            assert_eq!(CoWaitForMultipleObjects(0, 0, 57, many.as_ptr(), &mut index), E_INVALIDARG);
            assert!(CloseHandle(handle).as_bool());
        });
        asta.close();
    });
}

/// A callback of the id that keeps out of a busy application STA.
#[test]
fn iid_30_a_callback_without_reentrancy_does_not_come_back() {
    unsafe extern "system" fn nothing(_: *mut ComCallData) -> HRESULT {
        HRESULT(0x0004_0002)
    }
    world(|world| {
        let (asta, mta, lives) = (world.asta(), world.mta(), Lives::default());
        let way = asta.run(|| {
            let mut raw = null_mut();
            assert_eq!(unsafe { CoGetObjectContext(&IContextCallback::IID, &mut raw) }, S_OK);
            Carry(unsafe { IContextCallback::from_raw(raw) })
        });
        let mine = lives.clone();
        let server = mta.run(move || {
            let way = way.take();
            pack(&probe_that(&mine, move |what| {
                let iid = if what == 0 { IProbe::IID } else { IID_ICallbackWithNoReentrancyToApplicationSTA };
                unsafe { way.ContextCallback(Some(nothing), null_mut(), &iid, 5, null_mut()) }
            }))
        });
        asta.run(move || unsafe {
            let server = unpack::<IProbe>(server);
            assert_eq!(server.Do(0), HRESULT(0x0004_0002), "its own chain");
            assert_eq!(server.Do(1), RO_E_BLOCKED_CROSS_ASTA_CALL);
        });
        [asta, mta].into_iter().for_each(Room::close);
    });
}

//! Calls between apartments on either backend, from one source: the interfaces are `#[async_interface]`'s, the channel is the
//! emulation's or the system's (`ci/windows-under-wine.sh`). Objects are counted when a world ends.

#![allow(clippy::undocumented_unsafe_blocks, reason = "tests call COM by its rules, as its users do")]

#[path = "backend_calls/media.rs"]
mod media;
#[cfg(all(windows, feature = "windows"))]
#[path = "backend_calls/meeting.rs"]
mod meeting;
#[path = "common/probe.rs"]
mod probe;
#[cfg(all(windows, feature = "windows"))]
#[path = "backend_calls/processes.rs"]
mod processes;
#[path = "common/rooms.rs"]
mod rooms;
#[cfg(all(windows, feature = "windows"))]
#[path = "backend_calls/strangers.rs"]
mod strangers;

use oleander::windows_core::{IUnknown, Interface, Ref};
use oleander::*;
use probe::*;
use rooms::*;

#[test]
fn a_call_runs_in_the_apartment_of_its_object() {
    both(|world| {
        each_pair(world, |server, client| {
            let packet =
                server.run(|| pack(&probe_that(&Lives::default(), |what| if what == 7 { S_FALSE } else { E_FAIL })));
            let on = client.run(move || {
                let probe = unpack::<IProbe>(packet);
                assert_eq!(unsafe { (probe.Do(7), probe.Do(8)) }, (S_FALSE, E_FAIL));
                assert!(matches!(query::<IOther>(&probe), Err(E_NOINTERFACE)));
                thread_of(&probe)
            });
            assert_ne!(on, client.thread);
            if server.is_sta() {
                assert_eq!(on, server.thread);
            }
        });
    });
}

#[test]
fn pointers_cross_in_both_directions() {
    both(|world| {
        each_pair(world, |server, client| {
            let packet = server.run(|| pack(&probe(&Lives::default())));
            client.run(move || unsafe {
                let far = unpack::<IProbe>(packet);
                let mine = probe_that(&Lives::default(), |what| if what == 1 { S_FALSE } else { S_OK });
                // The server calls back while the client waits.
                let mine_too = mine.clone();
                assert_eq!(far.Forward(Ref::from(&mine), 1), S_FALSE);
                // What comes back of what was sent is the object itself.
                let unknown: IUnknown = mine_too.cast().unwrap();
                assert_eq!(far.Keep(Ref::from(&unknown)), S_OK);
                let mut kept = None;
                assert_eq!(far.Kept((&mut kept).into()), S_OK);
                assert_eq!(kept.map(|kept: IUnknown| kept.as_raw()), Some(unknown.as_raw()));
                let mut typed = std::ptr::null_mut();
                assert_eq!(far.KeptAs(&IProbe::IID, &mut typed), S_OK);
                assert_eq!(IProbe::from_raw(typed).as_raw(), mine.as_raw());
                assert_eq!(far.Keep(None::<&IUnknown>.into()), S_OK);
                assert_eq!(far.ForwardAs(&IProbe::IID, mine.as_raw(), 1), S_FALSE);
            });
        });
    });
}

#[test]
fn the_interface_table_leads_to_another_apartment() {
    both(|world| {
        let (sta, mta) = (world.sta(), world.mta());
        let table = || create::<IGlobalInterfaceTable>(&CLSID_StdGlobalInterfaceTable);
        let cookie = sta.run(move || {
            let mut cookie = 0;
            let object = probe(&Lives::default());
            let hr = unsafe { table().RegisterInterfaceInGlobal(object.as_raw(), &IProbe::IID, &mut cookie) };
            assert_eq!(hr, S_OK);
            cookie
        });
        let on = mta.run(move || unsafe {
            let mut raw = std::ptr::null_mut();
            assert_eq!(table().GetInterfaceFromGlobal(cookie, &IProbe::IID, &mut raw), S_OK);
            thread_of(&IProbe::from_raw(raw))
        });
        assert_eq!(on, sta.thread);
        assert_eq!(sta.run(move || unsafe { table().RevokeInterfaceFromGlobal(cookie) }), S_OK);
        mta.close();
        sta.close();
    });
}

#[test]
fn a_pointer_of_an_apartment_that_has_ended_is_disconnected() {
    both(|world| {
        let (sta, mta) = (world.sta(), world.mta());
        let packet = sta.run(|| pack(&probe(&Lives::default())));
        let proxy = mta.run(move || Carry(unpack::<IProbe>(packet)));
        sta.close();
        let hr = mta.run(move || unsafe { proxy.take().Do(1) });
        // The system's own HRESULT is its own business.
        assert!(if world.is_system() { hr.is_err() } else { hr == RPC_S_UNKNOWN_IF_HR }, "{hr:?}");
        mta.close();
    });
}

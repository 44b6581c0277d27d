//! Interface pointers as parameters of calls between apartments, and what becomes of those that nobody reads.

#![allow(clippy::undocumented_unsafe_blocks, reason = "tests call COM by its rules, as its users do")]

#[path = "common/probe.rs"]
mod probe;
#[path = "common/rooms.rs"]
mod rooms;

use oleander::windows_core::{HRESULT, IUnknown, Interface};
use oleander::*;
use probe::*;
use rooms::*;
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

#[test]
fn interface_pointers_as_parameters() {
    world(|world| unsafe {
        let lives = Lives::default();
        let (server, client) = (world.sta(), world.sta());
        let own = lives.clone();
        let packet = server.run(move || pack(&probe(&own)));
        let own = lives.clone();
        let there = server.thread;
        client.run(move || {
            let proxy: IProbe = unpack(packet);
            let here = GetCurrentThreadId();
            let ran_at = Arc::new(AtomicU32::new(0));
            let seen = ran_at.clone();
            let mine = probe_that(&own, move |what| {
                seen.store(GetCurrentThreadId(), Ordering::SeqCst);
                HRESULT(what as i32)
            });
            // A callback: served here while the outer call waits (MF-07).
            assert_eq!(proxy.Forward((&mine).into(), 0x4_0001), HRESULT(0x4_0001));
            assert_eq!(ran_at.swap(0, Ordering::SeqCst), here);
            assert_eq!(proxy.ForwardAs(&IProbe::IID, mine.as_raw(), 0x4_0002), HRESULT(0x4_0002));
            assert_eq!(ran_at.load(Ordering::SeqCst), here);
            assert_eq!(proxy.Forward(None.into(), 0), E_POINTER);
            assert_eq!(proxy.ForwardAs(&IProbe::IID, null_mut(), 0), E_POINTER);
            // Kept there, given back: the object itself comes home.
            assert_eq!(proxy.Keep((&query::<IUnknown>(&mine).unwrap()).into()), S_OK);
            let mut back = None;
            assert_eq!(proxy.Kept((&mut back).into()), S_OK);
            assert_eq!(query::<IProbe>(&back.take().unwrap()).unwrap(), mine);
            let mut raw = null_mut();
            assert_eq!(proxy.KeptAs(&IProbe::IID, &mut raw), S_OK);
            assert_eq!(IProbe::from_raw(raw), mine);
            assert_eq!(proxy.KeptAs(&IOther::IID, &mut raw), E_NOINTERFACE);
            assert!(raw.is_null());
            // An object of the server, through itself.
            assert_eq!(proxy.Keep((&query::<IUnknown>(&proxy).unwrap()).into()), S_OK);
            assert_eq!(proxy.Kept((&mut back).into()), S_OK);
            let same: IProbe = query(&back.take().unwrap()).unwrap();
            assert_eq!((same.as_raw(), thread_of(&same)), (proxy.as_raw(), there));
            assert_eq!(proxy.Keep(None.into()), S_OK);
            assert_eq!(proxy.Kept((&mut back).into()), S_OK);
            assert!(back.is_none());
            assert_eq!(own.now(), 2);
            drop(mine);
            assert_eq!(own.now(), 1);
        });
        assert_eq!(lives.now(), 0);
        server.close();
        client.close();
    });
}

#[test]
fn a_parameter_that_cannot_be_marshaled_fails_the_call() {
    world(|world| unsafe {
        let lives = Lives::default();
        let (server, client) = (world.sta(), world.mta());
        let own = lives.clone();
        let packet = server.run(move || pack(&probe(&own)));
        client.run(move || {
            let proxy: IProbe = unpack(packet);
            let mut raw = 0x10 as *mut c_void;
            let own = probe(&Lives::default());
            assert_eq!(proxy.ForwardAs(&ILocal::IID, own.as_raw(), 0), E_NOINTERFACE);
            assert_eq!(proxy.Keep((&query::<IUnknown>(&own).unwrap()).into()), S_OK);
            assert_eq!(proxy.KeptAs(&ILocal::IID, &mut raw), E_NOINTERFACE);
            assert!(raw.is_null());
            assert_eq!(proxy.Keep(None.into()), S_OK);
            assert_eq!(proxy.Do(0), S_OK, "the proxy still works");
            assert_eq!(count(&own), 1);
        });
        assert_eq!(lives.now(), 0);
        server.close();
        client.close();
    });
}

#[test]
fn references_that_nobody_reads_are_given_back() {
    world(|world| unsafe {
        let lives = Lives::default();
        let (server, client) = (world.sta(), world.mta());
        let (own, kept) = (lives.clone(), lives.clone());
        let packet = server.run(move || {
            let object = probe(&own);
            assert_eq!(object.Keep((&query::<IUnknown>(&probe(&kept)).unwrap()).into()), S_OK);
            pack(&object)
        });
        let proxy = client.run(move || Carry(unpack::<IProbe>(packet)));
        // Calls that wait in the queue of a server which is busy until `go`.
        let go = event(true, false);
        let held = Carry(go);
        let busy = server.start(move || wait_for(held.take()));
        let own = lives.clone();
        let calls = client.run(move || {
            let proxy = proxy.take();
            let factory: ICallFactory = query(&proxy).unwrap();
            let begin = || {
                let mut raw = null_mut();
                assert_eq!(factory.CreateCall(&AsyncIProbe::IID, null_mut(), &AsyncIProbe::IID, &mut raw), S_OK);
                AsyncIProbe::from_raw(raw)
            };
            let (cancelled, abandoned, abandoned_in, lost_in) = (begin(), begin(), begin(), begin());
            assert_eq!(cancelled.Begin_Kept(), S_OK);
            assert_eq!(query::<ICancelMethodCalls>(&cancelled).unwrap().Cancel(0), S_OK);
            let mut back = None;
            assert_eq!(cancelled.Finish_Kept((&mut back).into()), RPC_S_CALL_CANCELLED_HR);
            assert!(back.is_none());
            assert_eq!(abandoned.Begin_KeptAs(&IProbe::IID), S_OK);
            drop(abandoned);
            assert_eq!(abandoned_in.Begin_Forward((&probe(&own)).into(), 0), S_OK);
            drop(abandoned_in);
            assert_eq!(lost_in.Begin_Keep((&query::<IUnknown>(&probe(&own)).unwrap()).into()), S_OK);
            assert_eq!(query::<ICancelMethodCalls>(&lost_in).unwrap().Cancel(0), S_OK);
            Carry((proxy, cancelled, lost_in))
        });
        assert!(SetEvent(go).as_bool());
        busy.wait();
        // The server's next job comes after the calls.
        server.run(|| {});
        let proxy = client.run(move || {
            let (proxy, cancelled, lost_in) = calls.take();
            assert_eq!(lost_in.Finish_Keep(), RPC_S_CALL_CANCELLED_HR);
            assert_eq!(proxy.Keep(None.into()), S_OK);
            drop((cancelled, lost_in));
            Carry(proxy)
        });
        client.run(move || drop(proxy));
        server.run(|| {});
        assert_eq!(lives.now(), 0, "no reference is lost with its request or reply");
        assert!(CloseHandle(go).as_bool());
        server.close();
        client.close();
    });
}

#[test]
fn references_in_the_requests_of_an_apartment_that_ends() {
    world(|world| unsafe {
        let lives = Lives::default();
        let (server, client) = (world.sta(), world.mta());
        let own = lives.clone();
        let packet = server.run(move || pack(&probe(&own)));
        let proxy = client.run(move || Carry(unpack::<IProbe>(packet)));
        let go = event(true, false);
        let held = Carry(go);
        let busy = server.start(move || wait_for(held.take()));
        let own = lives.clone();
        let calls = client.run(move || {
            let proxy = proxy.take();
            let factory: ICallFactory = query(&proxy).unwrap();
            let calls: Vec<AsyncIProbe> = (0..10)
                .map(|_| {
                    let mut raw = null_mut();
                    let iid = &AsyncIProbe::IID;
                    assert_eq!(factory.CreateCall(iid, null_mut(), iid, &mut raw), S_OK);
                    let call = AsyncIProbe::from_raw(raw);
                    assert_eq!(call.Begin_Keep((&query::<IUnknown>(&probe(&own)).unwrap()).into()), S_OK);
                    call
                })
                .collect();
            Carry((proxy, calls))
        });
        assert_eq!(lives.now(), 11);
        let ended = server.close_later();
        assert!(SetEvent(go).as_bool());
        busy.wait();
        ended.wait();
        client.run(move || {
            let (proxy, calls) = calls.take();
            for call in calls {
                let hr = call.Finish_Keep();
                assert!([S_OK, RPC_E_DISCONNECTED].contains(&hr), "served in order, or ended (MA-24): {hr}");
            }
            drop(proxy);
        });
        assert_eq!(lives.now(), 0);
        assert!(CloseHandle(go).as_bool());
        client.close();
    });
}

/// A call that reaches nobody gives back what its request holds.
#[test]
fn mrsh_04_references_in_a_request_to_a_server_that_is_gone() {
    world(|world| {
        let lives = Lives::default();
        let (server, client) = (world.sta(), world.mta());
        let own = lives.clone();
        let packet = server.run(move || pack(&probe(&own)));
        let proxy = client.run(move || Carry(unpack::<IProbe>(packet)));
        server.close();
        assert_eq!(lives.now(), 0);
        let own = lives.clone();
        client.run(move || {
            let object: IUnknown = query(&probe(&own)).unwrap();
            assert_eq!(unsafe { proxy.take().Keep((&object).into()) }, RPC_S_UNKNOWN_IF_HR);
        });
        assert_eq!(lives.now(), 0);
        client.close();
    });
}

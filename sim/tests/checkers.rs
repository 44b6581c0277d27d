//! Each checker has a scenario that turns it red and a twin that stays green.

#[path = "common/explored.rs"]
mod explored;
#[path = "common/objects.rs"]
mod objects;
#[path = "../../core/tests/support/mod.rs"]
mod support;

use explored::*;
use objects::*;
use oleander::kernel::Event;
use oleander::platform::{Deadline, Why};
use oleander::windows_core::Interface;
use oleander::*;
use oleander_sim::sync::Mutex;
use oleander_sim::{Builder, Checks, world};
use std::sync::Arc;
use std::time::Duration;
use support::outer::{Notify, notify};
use support::probe::*;
use support::*;

/// What a checker finds, without the rest.
#[track_caller]
fn red(checks: Checks, wanted: &str, scenario: impl Fn() + Sync) -> String {
    broken(&Builder::new().checks(checks), wanted, scenario).0
}

#[track_caller]
fn green(checks: Checks, scenario: impl Fn() + Sync) {
    explored(&Builder::new().checks(checks), scenario);
}

#[test]
fn a_leaked_object_is_named_with_who_made_it() {
    let scenario = |leak: bool| {
        let made = object();
        if leak {
            std::mem::forget(made);
        }
    };
    let only = Checks { leaks: true, ..Checks::NONE };
    assert_eq!(red(only, "leak", || scenario(true)), "leaked: Does, made by 'main' in step 0");
    green(only, || scenario(false));
}

#[test]
fn a_mutex_held_while_calls_are_served_is_named() {
    let scenario = |early: bool| {
        enter(Kind::Sta);
        let (lock, event) = (Mutex::new(()), Event::manual());
        event.set();
        let guard = lock.lock().unwrap();
        if early {
            drop(guard);
            pump(&event);
        } else {
            pump(&event);
            drop(guard);
        }
        leave();
    };
    let only = Checks { locks: true, ..Checks::NONE };
    let what = red(only, "lock", || scenario(false));
    assert!(what.starts_with("STA 1 ('main') waits and dispatches and serves calls meanwhile"), "{what}");
    assert!(what.contains("while it holds mutex "), "{what}");
    green(only, || scenario(true));
}

#[test]
fn a_signal_that_comes_twice_is_named() {
    let scenario = |again: bool| {
        client_of_an_sta(|probe| {
            let caller = Caller::new(&probe);
            assert_eq!(caller.begin(1), S_OK);
            assert_eq!(caller.wait(INFINITE), S_OK);
            if again {
                // SAFETY: no pointers.
                assert_eq!(unsafe { caller.sync.Signal() }, S_OK);
            }
            assert_eq!(caller.finish(), (S_OK, 2));
        });
    };
    let only = Checks { signals: true, ..Checks::NONE };
    let what = red(only, "signal", || scenario(true));
    assert!(what.starts_with("the end of IProbe method 3 was signalled twice, at last by 'main' in step "), "{what}");
    green(only, || scenario(false));
}

#[test]
fn agg_05_a_signal_that_an_outer_object_keeps_is_named() {
    let scenario = |keeps: bool| {
        client_of_an_sta(|probe| {
            let log = Log::default();
            let (outer, caller) = notify(&probe, Notify::new(&log));
            outer.plan.signal.set(keeps.then_some(S_OK));
            assert_eq!(caller.begin(1), S_OK);
            log.wait_for("Signal");
        });
    };
    let only = Checks { signals: true, ..Checks::NONE };
    let what = red(only, "signal", || scenario(true));
    assert_eq!(
        what,
        "the outer object of IProbe method 3 got its Signal, did not forward it, and did not finish the call (AGG-05)"
    );
    green(only, || scenario(false));
}

#[test]
fn mrsh_13_a_proxy_in_the_wrong_apartment_is_a_failure_where_it_is_asked_for() {
    // The proxy belongs to the STA of 'client'; its thread hands the bare pointer to another STA.
    let scenario = |stray: bool| {
        let (packet, gone) = (Arc::new(std::sync::Mutex::new(None)), Event::manual());
        let over = gone.clone();
        let there = packet.clone();
        let ready = Event::manual();
        let set = ready.clone();
        let server = world::spawn("server", move || {
            enter(Kind::Sta);
            *there.lock().unwrap() = Some(pack(&object()));
            set.set();
            pump(&over);
            leave();
        });
        wait(&ready);
        let client = world::spawn("client", move || {
            enter(Kind::Sta);
            let proxy = packet.lock().unwrap().take().expect("it is there").unpack();
            if stray {
                let bare = Sent(proxy.clone());
                let thief = world::spawn("thief", move || {
                    enter(Kind::Sta);
                    let bare = bare.take();
                    // SAFETY: refused, as is tested; the reference is the client's.
                    assert_eq!(unsafe { bare.Label(1) }, RPC_E_WRONG_THREAD);
                    std::mem::forget(bare);
                    leave();
                });
                thief.join().unwrap();
                // SAFETY: gives back what the thief forgot.
                drop(unsafe { IProbe::from_raw(proxy.as_raw()) });
            }
            drop(proxy);
            leave();
        });
        client.join().unwrap();
        gone.set();
        server.join().unwrap();
    };
    let only = Checks { apartments: true, ..Checks::NONE };
    let what = red(only, "apartment", || scenario(true));
    assert!(what.starts_with("STA 3 ('thief') used a proxy or call object of another apartment"), "{what}");
    green(only, || scenario(false));
}

/// An STA that pumps or not, and sleeps before; a client that gives up after ten seconds.
fn sleeper(pumps: bool, sleeps: u64) {
    let (packet, ready, called) = (Arc::new(std::sync::Mutex::new(None)), Event::manual(), Event::manual());
    let (there, set, over) = (packet.clone(), ready.clone(), called.clone());
    let server = world::spawn("server", move || {
        enter(Kind::Sta);
        *there.lock().unwrap() = Some(pack(&object()));
        set.set();
        world::sleep(Duration::from_secs(sleeps));
        if pumps {
            pump(&over);
        } else {
            assert!(over.wait(Deadline::NEVER, Why::Wait));
        }
        leave();
    });
    wait(&ready);
    let client = world::spawn("client", move || {
        enter(Kind::Mta);
        let caller = Caller::new(&packet.lock().unwrap().take().expect("it is there").unpack());
        assert_eq!(caller.begin(1), S_OK);
        let _ = caller.wait(10_000);
        called.set();
        drop(caller);
        leave();
    });
    client.join().unwrap();
    server.join().unwrap();
}

#[test]
fn an_sta_that_never_serves_a_call_is_named() {
    let only = Checks { pumps: true, ..Checks::NONE };
    let what = red(only, "pump", || sleeper(false, 0));
    assert_eq!(what, "STA 1 has never served IProbe method 3, which 'client' sent to it");
    green(only, || sleeper(true, 0));
}

#[test]
fn an_sta_that_serves_late_is_named() {
    let only = Checks { pumps_within: Some(Duration::from_secs(2)), ..Checks::NONE };
    let what = red(only, "pump", || sleeper(true, 3));
    assert!(what.starts_with("STA 1 left IProbe method 3 in its queue for 3"), "{what}");
    green(only, || sleeper(true, 1));
}

/// An STA that shows an object; what becomes of it there before the apartment ends.
fn shown(there: impl FnOnce(&IProbe) + Send + 'static) {
    let server = world::spawn("server", move || {
        enter(Kind::Sta);
        there(&object());
        leave();
    });
    server.join().unwrap();
}

/// Marshals an object as a table-strong packet, and gives it back or not.
fn table(probe: &IProbe, back: bool) {
    let mut raw = std::ptr::null_mut();
    // SAFETY: valid arguments.
    unsafe {
        assert_eq!(CreateStreamOnHGlobal(HANDLE::NULL, true.into(), &mut raw), S_OK);
        let (here, none) = (MSHCTX_INPROC, std::ptr::null_mut());
        assert_eq!(CoMarshalInterface(raw, &IProbe::IID, probe.as_raw(), here, none, MSHLFLAGS_TABLESTRONG), S_OK);
        let stream = IStream::from_raw(raw);
        if back {
            assert_eq!(stream.Seek(0, STREAM_SEEK_SET, std::ptr::null_mut()), S_OK);
            assert_eq!(CoReleaseMarshalData(raw), S_OK);
        }
    }
}

fn lock(probe: &IProbe, lock: bool) {
    // SAFETY: an object of this apartment.
    assert_eq!(unsafe { CoLockObjectExternal(probe.as_raw(), lock.into(), true.into()) }, S_OK);
}

#[test]
fn a_stub_manager_that_somebody_holds_when_its_apartment_ends_is_named_with_who_holds_it() {
    let only = Checks { stubs: true, ..Checks::NONE };
    let of = "the apartment of STA 1 ('server') ends, and an object that STA 1 ('server') showed in step ";
    let named = |what: String, by: &str| {
        let rest = what.strip_prefix(of).unwrap_or_else(|| panic!("{what}"));
        assert_eq!(rest.trim_start_matches(|c: char| c.is_ascii_digit()), format!(" is still held by {by}"));
    };
    named(red(only, "stub", || shown(|probe| table(probe, false))), "1 table-strong packets");
    green(only, || shown(|probe| table(probe, true)));
    named(red(only, "stub", || shown(|probe| lock(probe, true))), "1 locks of CoLockObjectExternal");
    green(only, || {
        shown(|probe| {
            lock(probe, true);
            lock(probe, false);
        });
    });
    let packet = |opened: bool| {
        shown(move |probe| {
            let packet = pack(probe);
            if opened {
                drop(packet.unpack());
            }
        });
    };
    let by = "5 references in packets that nobody has unmarshaled";
    named(red(only, "stub", || packet(false)), by);
    green(only, || packet(true));
}

#[test]
fn a_stub_manager_that_somebody_holds_at_the_end_is_a_leak_of_its_own_kind() {
    // Nobody gives back the use of the MTA, so that does not end.
    let scenario = |forgets: bool| {
        let mut cookie = std::ptr::null_mut();
        // SAFETY: valid arguments.
        assert_eq!(unsafe { CoIncrementMTAUsage(&mut cookie) }, S_OK);
        let probe = object();
        lock(&probe, true);
        if !forgets {
            lock(&probe, false);
            // SAFETY: the cookie is good.
            assert_eq!(unsafe { CoDecrementMTAUsage(cookie) }, S_OK);
        }
    };
    let only = Checks { stubs: true, ..Checks::NONE };
    let what = red(only, "stub", || scenario(true));
    assert!(what.starts_with("leaked stub manager: an object that 'main' showed in step "), "{what}");
    assert!(what.ends_with(" is still held by 1 locks of CoLockObjectExternal"), "{what}");
    green(only, || scenario(false));
}

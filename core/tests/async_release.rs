//! AsyncIUnknown on proxies: facts section 6.1, and the states of section 6.0 as far as they apply to it.

mod support;

use oleander::kernel::Event;
use oleander::windows_core::{HRESULT, IUnknown, Interface};
use oleander::*;
use std::ptr;
use support::probe::{IProbe, PAIRS, double};
use support::releaser::*;
use support::*;

/// With every pair of apartments between which there is a proxy, and an object whose destructor waits for a gate.
#[track_caller]
fn each(body: impl Fn(IUnknown, &Log, &Apt, &Event) + Send + Sync + Copy + 'static) {
    for (client, server) in PAIRS {
        let gate = Event::manual();
        let opens = gate.clone();
        with_slow(
            client,
            server,
            move || {
                let patience = oleander::platform::Deadline::after_ms(60_000);
                assert!(gate.wait(patience, oleander::platform::Why::Wait), "hung: a gate that never opened");
            },
            move |object, log, host| {
                body(object, log, host, &opens);
                opens.set();
            },
        );
    }
}

fn sync_of(call: &AsyncIUnknown) -> ISynchronize {
    call.cast().expect("CALL-10")
}

fn wait_on(call: &AsyncIUnknown, ms: u32) -> HRESULT {
    // SAFETY: no pointers.
    unsafe { sync_of(call).Wait(COWAIT_DEFAULT, ms) }
}

fn cancel(call: &AsyncIUnknown) -> ICancelMethodCalls {
    call.cast().expect("CALL-10")
}

fn begin_query<I: Interface>(call: &AsyncIUnknown) -> HRESULT {
    // SAFETY: the id is valid.
    unsafe { call.Begin_QueryInterface(&I::IID) }
}

fn finish_query<I: Interface>(call: &AsyncIUnknown) -> Result<I, HRESULT> {
    let mut raw = ptr::dangling_mut();
    // SAFETY: the pointer is valid; on success a counted pointer of that interface.
    unsafe {
        match call.Finish_QueryInterface(&mut raw) {
            S_OK => Ok(I::from_raw(raw)),
            hr => {
                assert!(raw.is_null(), "CALL-06");
                Err(hr)
            }
        }
    }
}

fn begin_release(call: &AsyncIUnknown) -> HRESULT {
    // SAFETY: no pointers.
    unsafe { call.Begin_Release() }
}

fn finish_release(call: &AsyncIUnknown) -> u32 {
    // SAFETY: no pointers.
    unsafe { call.Finish_Release() }
}

#[test]
fn pat_10_aiu_04_the_pattern_of_the_posts_does_not_wait_for_the_destructor() {
    for helper in HELPERS {
        each(move |object, log, _, gate| {
            assert_eq!(helper(object, log), S_OK);
            log.pump_for("the destructor starts");
            assert!(!log.has("destroyed"), "the client goes on meanwhile");
            gate.set();
            log.pump_for("the outer is gone");
            let lines = log.lines();
            assert_eq!(lines, ["the destructor starts", "destroyed", "finished with 0", "the outer is gone"]);
        });
    }
}

#[test]
fn pat_10_aiu_02_a_hung_server_does_not_hang_the_client() {
    for helper in HELPERS {
        with_slow(
            Kind::Mta,
            Kind::Sta,
            || {},
            move |object, log, host| {
                let (hung, release) = (Event::manual(), Event::manual());
                let (is_hung, go) = (hung.clone(), release.clone());
                let stuck = host.begin(move || {
                    is_hung.set();
                    wait(&go);
                });
                wait(&hung);
                assert_eq!(helper(object, log), S_OK);
                assert!(log.lines().is_empty());
                release.set();
                stuck.join();
                log.wait_for("the outer is gone");
                assert!(log.has("destroyed"));
            },
        );
    }
}

#[test]
fn aiu_02_begin_and_finish_without_an_outer() {
    each(|object, log, _, gate| {
        let call = plain(object);
        assert_eq!(begin_release(&call), S_OK);
        log.pump_for("the destructor starts");
        assert_eq!(wait_on(&call, 0), RPC_S_CALLPENDING, "CALL-27");
        gate.set();
        assert_eq!(finish_release(&call), 0, "CALL-17: it waits");
        assert!(log.has("destroyed"));
        // The call object is there still, and works on nothing.
        assert_eq!(wait_on(&call, 0), S_OK, "CALL-28");
        let again = [begin_release(&call), begin_query::<IProbe>(&call)];
        assert_eq!(again, [CO_E_RELEASED; 2]);
        assert_eq!(create_call(&call, ptr::null_mut(), &IUnknown::IID), (CO_E_RELEASED, ptr::null_mut()));
    });
}

#[test]
fn aiu_03_call_30_a_call_object_that_goes_leaves_the_release_to_the_server() {
    each(|object, log, _, gate| {
        let call = plain(object);
        assert_eq!(begin_release(&call), S_OK);
        drop(call);
        log.pump_for("the destructor starts");
        gate.set();
        log.pump_for("destroyed");
    });
}

#[test]
fn aiu_01_without_begin_release_the_call_objects_end_is_the_proxys() {
    each(|object, log, _, gate| {
        let call = plain(object);
        assert!(log.lines().is_empty());
        gate.set();
        drop(call);
        assert!(log.has("destroyed"), "the last reference goes synchronously");
    });
}

#[test]
fn aiu_02_a_release_that_is_not_the_last_is_local() {
    each(|object, log, _, gate| {
        let call = plain(object.clone());
        assert_eq!(begin_release(&call), S_OK);
        assert_eq!((wait_on(&call, 0), finish_release(&call)), (S_OK, 1));
        assert!(log.lines().is_empty());
        gate.set();
        drop(object);
        assert!(log.has("destroyed"), "AIU-01: this one was the last");
    });
}

#[test]
fn aiu_02_add_ref_is_local_and_the_callers() {
    each(|object, log, _, gate| {
        let (call, mine) = (plain(object.clone()), object.as_raw());
        // SAFETY: no pointers.
        let counts = unsafe { (call.Begin_AddRef(), wait_on(&call, 0), call.Finish_AddRef()) };
        assert_eq!(counts, (S_OK, S_OK, 3), "the caller's two and the call object's");
        drop((object, call));
        assert!(log.lines().is_empty(), "the new reference holds the object");
        gate.set();
        // SAFETY: the reference that was added.
        drop(unsafe { IUnknown::from_raw(mine) });
        assert!(log.has("destroyed"));
    });
}

#[test]
fn aiu_02_a_query_asks_the_server_while_the_client_goes_on() {
    each(|object, _, host, gate| {
        let (hung, release) = (Event::manual(), Event::manual());
        let (is_hung, go) = (hung.clone(), release.clone());
        let stuck = host.begin(move || {
            is_hung.set();
            wait(&go);
        });
        wait(&hung);
        let call = plain(object.clone());
        assert_eq!(begin_query::<IProbe>(&call), S_OK);
        if host.kind == Kind::Sta {
            assert_eq!(wait_on(&call, 0), RPC_S_CALLPENDING);
        }
        release.set();
        stuck.join_pumping();
        let probe: IProbe = finish_query(&call).expect("the object has it");
        assert_eq!(double(&probe, 4), (S_OK, 8));
        assert_eq!(probe.cast::<IUnknown>().unwrap(), object, "PX-03");
        gate.set();
    });
}

#[test]
fn mrsh_19_a_query_for_what_the_proxy_knows_is_local() {
    each(|object, _, host, gate| {
        let probe: IProbe = object.cast().unwrap();
        let (hung, release) = (Event::manual(), Event::manual());
        let (is_hung, go) = (hung.clone(), release.clone());
        let stuck = host.begin(move || {
            is_hung.set();
            wait(&go);
        });
        wait(&hung);
        let call = plain(object.clone());
        assert_eq!((begin_query::<IProbe>(&call), wait_on(&call, 0)), (S_OK, S_OK));
        assert_eq!(finish_query::<IProbe>(&call).unwrap(), probe);
        assert_eq!((begin_query::<IMultiQI>(&call), wait_on(&call, 0)), (S_OK, S_OK));
        assert_eq!(finish_query::<IMultiQI>(&call).unwrap(), object.cast().unwrap(), "MRSH-17");
        assert_eq!((begin_query::<IUnknown>(&call), finish_query::<IUnknown>(&call)), (S_OK, Ok(object)));
        // Nothing could carry calls to it (MRSH-02).
        assert_eq!((begin_query::<IMessageFilter>(&call), wait_on(&call, 0)), (S_OK, S_OK));
        assert_eq!(finish_query::<IMessageFilter>(&call), Err(E_NOINTERFACE));
        release.set();
        stuck.join_pumping();
        gate.set();
    });
}

#[test]
fn call_13_a_query_for_what_the_object_lacks_fails_in_finish() {
    each(|object, _, _, gate| {
        let call = plain(object);
        assert_eq!(begin_query::<IClassFactory>(&call), S_OK);
        assert_eq!(finish_query::<IClassFactory>(&call), Err(E_NOINTERFACE));
        // CALL-21: and the call object is free again.
        assert_eq!(begin_query::<IProbe>(&call), S_OK);
        assert!(finish_query::<IProbe>(&call).is_ok());
        gate.set();
    });
}

#[test]
fn call_14_call_18_call_20_aiu_06_the_states_of_the_table() {
    each(|object, log, _, gate| {
        let call = plain(object);
        // Idle. A count cannot say RPC_E_CALL_COMPLETE.
        // SAFETY: no pointers.
        let counts = |call: &AsyncIUnknown| unsafe { (call.Finish_AddRef(), call.Finish_Release()) };
        assert_eq!((counts(&call), finish_query::<IProbe>(&call)), ((0, 0), Err(RPC_E_CALL_COMPLETE)));
        assert_eq!(wait_on(&call, 0), RPC_S_CALLPENDING, "CALL-29");
        // SAFETY: no pointers.
        let cancelled = |call: &AsyncIUnknown| unsafe { (cancel(call).Cancel(0), cancel(call).TestCancel()) };
        assert_eq!(cancelled(&call), (RPC_E_CALL_COMPLETE, RPC_E_CALL_COMPLETE), "CXL-12");
        // Pending.
        assert_eq!(begin_release(&call), S_OK);
        log.pump_for("the destructor starts");
        // SAFETY: the id is valid.
        let busy = unsafe { [call.Begin_Release(), call.Begin_AddRef(), call.Begin_QueryInterface(&IProbe::IID)] };
        assert_eq!(busy, [RPC_S_CALLPENDING; 3], "CALL-14");
        assert_eq!(finish_query::<IProbe>(&call), Err(RPC_E_CALL_COMPLETE), "CALL-20");
        // SAFETY: no pointers.
        assert_eq!(unsafe { (call.Finish_AddRef(), cancel(&call).TestCancel()) }, (0, RPC_S_CALLPENDING), "CXL-16");
        // Completed, not finished.
        gate.set();
        assert_eq!(wait_on(&call, INFINITE), S_OK);
        assert_eq!(begin_release(&call), RPC_S_CALLPENDING, "CALL-15");
        assert_eq!(cancelled(&call), (RPC_E_CALL_COMPLETE, RPC_E_CALL_COMPLETE), "CXL-04, CXL-22");
        assert_eq!((finish_release(&call), finish_release(&call)), (0, 0));
        // SAFETY: null is an error, not a crash.
        let null = unsafe { (call.Begin_QueryInterface(ptr::null()), call.Finish_QueryInterface(ptr::null_mut())) };
        assert_eq!(null, (E_INVALIDARG, E_POINTER));
    });
}

#[test]
fn cxl_01_cxl_11_a_cancelled_release_goes_on_in_the_server() {
    each(|object, log, _, gate| {
        let call = plain(object);
        assert_eq!(begin_release(&call), S_OK);
        log.pump_for("the destructor starts");
        // SAFETY: no pointers.
        let first = unsafe { (cancel(&call).Cancel(0), cancel(&call).TestCancel(), cancel(&call).Cancel(0)) };
        assert_eq!(first, (S_OK, RPC_E_CALL_CANCELED, RPC_E_CALL_CANCELED), "CXL-01, CXL-16, CXL-05");
        assert_eq!((wait_on(&call, 0), finish_release(&call)), (S_OK, 0), "CXL-10, CXL-06");
        assert!(!log.has("destroyed"));
        gate.set();
        log.pump_for("destroyed");
    });
}

#[test]
fn cxl_07_a_cancelled_query_says_so() {
    with_slow(
        Kind::Mta,
        Kind::Sta,
        || {},
        |object, _, host| {
            let (hung, release) = (Event::manual(), Event::manual());
            let (is_hung, go) = (hung.clone(), release.clone());
            let stuck = host.begin(move || {
                is_hung.set();
                wait(&go);
            });
            wait(&hung);
            let call = plain(object);
            assert_eq!(begin_query::<IProbe>(&call), S_OK);
            // SAFETY: no pointers.
            assert_eq!(unsafe { cancel(&call).Cancel(0) }, S_OK);
            assert_eq!(begin_query::<IProbe>(&call), RPC_S_CALLPENDING, "CXL-08");
            assert_eq!(finish_query::<IProbe>(&call), Err(RPC_S_CALL_CANCELLED_HR));
            release.set();
            stuck.join();
        },
    );
}

#[test]
fn aiu_05_an_object_that_is_no_proxy_has_no_call_factory() {
    in_process(|| {
        enter(Kind::Mta);
        let log = Log::default();
        let object: IProbe = Slow::new(&log).into();
        assert_eq!(release_async(object.cast().unwrap(), &log), S_FALSE);
        assert!(log.lines().is_empty());
        drop(object);
        assert!(log.has("destroyed"), "the caller's ordinary release");
        leave();
    });
}

#[test]
fn agg_02_call_03_what_create_call_refuses() {
    each(|object, _, _, gate| {
        let outer: ISynchronize = support::outer::Notify::new(&Log::default()).into();
        let made = create_call(&object, outer.as_raw(), &AsyncIUnknown::IID);
        assert_eq!(made, (CLASS_E_NOAGGREGATION, ptr::null_mut()));
        let made = create_call(&object, ptr::null_mut(), &IProbe::IID);
        assert_eq!(made, (E_NOINTERFACE, ptr::null_mut()));
        let factory: ICallFactory = object.cast().unwrap();
        let mut raw = ptr::dangling_mut();
        // SAFETY: valid arguments.
        let hr = unsafe { factory.CreateCall(&IUnknown::IID, ptr::null_mut(), &IUnknown::IID, &mut raw) };
        assert_eq!((hr, raw), (E_NOINTERFACE, ptr::null_mut()), "the synchronous id is none of a call object's");
        gate.set();
    });
}

#[test]
fn agg_06_an_outer_whose_reset_fails_keeps_its_reference() {
    each(|object, log, _, gate| {
        let outer = windows_core::ComObject::new(support::outer::Notify::new(&Log::default()));
        support::outer::aggregate_unknown(&outer, &object);
        let call: AsyncIUnknown = outer.to_interface::<ISynchronize>().cast().unwrap();
        outer.plan.reset.set(Some(E_ABORT));
        assert_eq!(begin_release(&call), E_ABORT);
        drop(object);
        assert!(log.lines().is_empty(), "nothing was released");
        outer.plan.reset.set(None);
        assert_eq!(begin_release(&call), S_OK);
        gate.set();
        log.pump_for("destroyed");
        assert_eq!(finish_release(&call), 0);
    });
}

#[test]
fn mrsh_13_a_call_object_elsewhere_begins_nothing() {
    with_slow(
        Kind::Mta,
        Kind::Sta,
        || {},
        |object, log, host| {
            let call = Sent(plain(object));
            let call = host.run(move || {
                assert_eq!(begin_release(&call.0), RPC_E_WRONG_THREAD);
                assert_eq!(begin_query::<IProbe>(&call.0), RPC_E_WRONG_THREAD);
                call
            });
            assert!(log.lines().is_empty());
            let call = call.take();
            assert_eq!((begin_release(&call), finish_release(&call)), (S_OK, 0));
            assert!(log.has("destroyed"));
        },
    );
}

#[test]
fn apt_21_the_servers_apartment_may_have_ended() {
    for (client, server) in PAIRS {
        for helper in HELPERS {
            in_process(move || {
                let (host, apt, log) = (Apt::start(server), Apt::start(client), Log::default());
                let packet = slow_in(&host, &log, || {});
                apt.run(move || {
                    let object = packet.unpack();
                    host.stop_pumping();
                    assert!(log.has("destroyed"));
                    let call = plain(object.clone());
                    assert_eq!(begin_query::<IProbe>(&call), S_OK, "CALL-13");
                    assert_eq!(finish_query::<IProbe>(&call), Err(RPC_S_UNKNOWN_IF_HR));
                    drop(call);
                    assert_eq!(helper(object, &log), S_OK);
                    log.pump_for("the outer is gone");
                    assert!(log.has("finished with 0"));
                });
                apt.stop();
            });
        }
    }
}

#[test]
fn apt_22_the_clients_apartment_ends_first() {
    for (client, server) in PAIRS {
        let gate = Event::manual();
        let opens = gate.clone();
        in_process(move || {
            let (host, apt, log) = (Apt::start(server), Apt::start(client), Log::default());
            let packet = slow_in(&host, &log, move || wait(&gate));
            let call = apt.run(move || {
                let call = plain(packet.unpack());
                assert_eq!(begin_release(&call), S_OK);
                Sent(call)
            });
            log.wait_for("the destructor starts");
            apt.stop();
            opens.set();
            log.wait_for("destroyed");
            drop(call);
            host.stop();
        });
    }
}

#[test]
fn two_asynchronous_releases_of_one_proxy() {
    each(|object, log, _, gate| {
        let (first, second) = (plain(object.clone()), plain(object));
        assert_eq!((begin_release(&first), finish_release(&first)), (S_OK, 1));
        assert_eq!(begin_release(&second), S_OK);
        log.pump_for("the destructor starts");
        gate.set();
        assert_eq!(finish_release(&second), 0);
        assert!(log.has("destroyed"));
    });
}

#[test]
fn a_destructor_that_panics_ends_the_call_nevertheless() {
    with_slow(
        Kind::Mta,
        Kind::Sta,
        || panic!("a destructor that panics"),
        |object, _, _| {
            let call = plain(object);
            assert_eq!((begin_release(&call), finish_release(&call)), (S_OK, 0));
        },
    );
}

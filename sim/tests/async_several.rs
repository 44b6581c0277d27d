//! Queries of several interfaces that are begun and finished (IID-12), against what may come between, in many orders.

#[path = "../../core/tests/support/mod.rs"]
mod support;
mod walks;

use oleander::kernel::Event;
use oleander::windows_core::{GUID, HRESULT, Interface};
use oleander::*;
use oleander_sim::{Limits, explore_with};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use support::probe::{IProbe, PAIRS};
use support::releaser::{play, slow_in};
use support::several::*;
use support::*;
use walks::Walks;

type Said = Arc<Mutex<BTreeSet<Vec<i32>>>>;

fn note(said: &Said, codes: &[HRESULT]) {
    said.lock().unwrap().insert(codes.iter().map(|hr| hr.0).collect());
}

/// Whatever the order, nothing hangs and nothing is left; what was noted.
#[track_caller]
fn walk(scenario: impl Fn(Said)) -> BTreeSet<Vec<i32>> {
    let said = Said::default();
    let found = explore_with(&mut Walks::new(200), &Limits::default(), || {
        scenario(said.clone());
        assert_eq!((debug::live_objects(), debug::open_handles()), (0, 0));
    });
    assert!(found.complete && found.failures == 0, "{found}");
    std::mem::take(&mut *said.lock().unwrap())
}

fn codes<const N: usize>(hrs: [HRESULT; N]) -> Vec<i32> {
    hrs.map(|hr| hr.0).to_vec()
}

#[test]
fn iid_12_cxl_04_a_query_against_its_cancellation() {
    let said = walk(|said| {
        play(
            Kind::Mta,
            Kind::Sta,
            || {},
            move |object, _, _| {
                let call = several(&object);
                assert_eq!(begin(&call, &MIXED), S_OK);
                let cancelled = Arc::new(Mutex::new(None));
                let (slot, cancel) = (cancelled.clone(), Sent(call.cast::<ICancelMethodCalls>().unwrap()));
                let canceller = Thread::start("canceller", move || {
                    enter(Kind::Mta);
                    // SAFETY: no pointers.
                    *slot.lock().unwrap() = Some(unsafe { cancel.0.Cancel(0) });
                    drop(cancel);
                    leave();
                });
                let found = found(&call, MIXED.len());
                canceller.join();
                let cancelled = cancelled.lock().unwrap().expect("the canceller has ended");
                note(&said, &[cancelled, found.hr]);
            },
        );
    });
    let either = [codes([S_OK, RPC_S_CALL_CANCELLED_HR]), codes([RPC_E_CALL_COMPLETE, S_FALSE])];
    assert_eq!(said, either.into(), "either wins, and both say so");
}

#[test]
fn iid_12_a_query_against_the_servers_end() {
    const BOTH: [GUID; 2] = [IProbe::IID, ICallFactory::IID];
    let said = walk(|said| {
        let (host, apt, log) = (Apt::start(Kind::Sta), Apt::start(Kind::Mta), Log::default());
        let packet = slow_in(&host, &log, || {});
        let unpacked = Event::manual();
        let there = unpacked.clone();
        let client = apt.begin(move || {
            let call = several(&packet.unpack());
            there.set();
            assert_eq!(begin(&call, &BOTH), S_OK);
            let found = found(&call, 2);
            note(&said, &[&[found.hr][..], &found.codes()].concat());
        });
        wait(&unpacked);
        host.stop();
        client.join();
        apt.stop();
    });
    let any = [
        codes([S_OK, S_OK, S_OK]),
        codes([S_FALSE, RPC_E_DISCONNECTED, S_OK]),
        codes([S_FALSE, RPC_S_UNKNOWN_IF_HR, S_OK]),
    ];
    assert_eq!(said, any.into());
}

#[test]
fn iid_12_two_queries_at_once_find_one_proxy() {
    for (client, server) in PAIRS {
        walk(move |_| {
            play(
                client,
                server,
                || {},
                |object, _, _| {
                    let (first, second) = (several(&object), several(&object));
                    assert_eq!((begin(&first, &MIXED), begin(&second, &MIXED)), (S_OK, S_OK));
                    let (first, second) = (found(&first, MIXED.len()), found(&second, MIXED.len()));
                    assert_eq!(first, second);
                },
            );
        });
    }
}

//! The order in which two pending calls reach their server is not guaranteed (CALL-23): both are there to be met.

#[path = "../../core/tests/support/mod.rs"]
mod support;
mod walks;

use oleander::kernel::Event;
use oleander::*;
use oleander_sim::{Limits, explore_with};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use support::probe::*;
use support::*;
use walks::Walks;

/// The orders in which the calls 1 and 2, begun in that order, do something that others can see.
fn orders(server: Kind) -> BTreeSet<Vec<u32>> {
    let seen = RefCell::new(BTreeSet::new());
    let found = explore_with(&mut Walks::new(200), &Limits::default(), || {
        let (host, apt) = (Apt::start(server), Apt::start(Kind::Sta));
        let (came, order) = (Event::manual(), Arc::new(Mutex::new(Vec::new())));
        let packet = host.run({
            let order = order.clone();
            move || {
                pack(&Does::probe(move |n| {
                    // A step of its own: what a call does first that another thread could notice.
                    came.set();
                    order.lock().unwrap().push(n);
                    S_OK
                }))
            }
        });
        apt.run(move || {
            let probe: IProbe = packet.unpack();
            let (first, second) = (Caller::new(&probe), Caller::new(&probe));
            assert_eq!((first.begin(1), second.begin(2)), (S_OK, S_OK));
            // CALL-22: each has its own result.
            assert_eq!((second.finish(), first.finish()), ((S_OK, 4), (S_OK, 2)));
        });
        host.stop();
        apt.stop();
        seen.borrow_mut().insert(order.lock().unwrap().clone());
    });
    assert!(found.complete && found.failures == 0, "{found}");
    seen.into_inner()
}

#[test]
fn call_23_two_calls_to_the_mta_come_in_either_order() {
    assert_eq!(orders(Kind::Mta), [vec![1, 2], vec![2, 1]].into());
}

#[test]
fn msg_02_two_calls_to_an_sta_come_in_the_order_of_its_queue() {
    assert_eq!(orders(Kind::Sta), [vec![1, 2]].into());
}

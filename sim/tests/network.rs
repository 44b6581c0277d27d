//! Links between machines, in virtual time: latency, bandwidth, order; pings, and the rundown of who does not ping.

#![allow(clippy::undocumented_unsafe_blocks, reason = "every call of a COM method is one; the rules are those of COM")]

#[path = "../../core/tests/common/offices.rs"]
mod offices;

use offices::*;
use oleander::debug::live_objects;
use oleander::windows_core::Interface;
use oleander::*;
use oleander_sim::network::{self, Times};
use oleander_sim::world::{self, Machine};
use oleander_sim::{Builder, Strategy, fault, run};
use std::time::Duration;

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const MS_NS: u64 = 1_000_000;
const SECOND_NS: u64 = 1_000_000_000;
const MINUTE_NS: u64 = 60 * SECOND_NS;

/// The machine of the scenario, and another one.
fn machines() -> (Machine, Machine) {
    (world::this_process().machine().clone(), world::machine("away"))
}

fn far(setup: Setup) -> Setup {
    Setup { context: MSHCTX_DIFFERENTMACHINE, ..setup }
}

#[test]
fn a_call_takes_the_way_there_and_back() {
    for setup in [Setup::STA, Setup::MTA] {
        run(move || {
            let (here, away) = machines();
            network::link(&here, &away).latency(20 * MS);
            let office = open(away.process().emulated(), far(setup));
            enter(COINIT_APARTMENTTHREADED);
            let desk: IDesk = unpack(&office.packet);
            let before = world::now_ns();
            assert_eq!(add(&desk, 1, 2), (S_OK, 3));
            assert_eq!(world::now_ns() - before, 40 * MS_NS);
            // Nobody waits for the way there where the call is asynchronous.
            let call = call_object(&desk).expect("CALL-02");
            let sync: ISynchronize = call.cast().unwrap();
            let (before, mut sum) = (world::now_ns(), 0);
            unsafe {
                assert_eq!(call.Begin_Add(3, 4), S_OK);
                assert_eq!(world::now_ns(), before);
                assert_eq!(sync.Wait(COWAIT_DEFAULT, 39), RPC_S_CALLPENDING);
                assert_eq!(sync.Wait(COWAIT_DEFAULT, INFINITE), S_OK);
                assert_eq!(world::now_ns() - before, 40 * MS_NS);
                assert_eq!((call.Finish_Add(&mut sum), sum), (S_OK, 7));
            }
            drop((sync, call, desk));
            leave();
            assert_eq!((office.gone(), live_objects(), office.close()), (1, 0, 0));
        })
        .expect_completed();
    }
}

#[test]
fn processes_of_one_machine_have_no_link_between_them() {
    run(|| {
        let (here, away) = machines();
        network::link(&here, &away).latency(SECOND);
        let office = open(world::process().emulated(), Setup::MTA);
        enter(COINIT_MULTITHREADED);
        assert_eq!(add(&unpack(&office.packet), 1, 2), (S_OK, 3));
        assert_eq!(world::now_ns(), 0);
        leave();
        assert_eq!(office.close(), 0);
    })
    .expect_completed();
}

#[test]
fn a_link_is_busy_while_bytes_go_in() {
    run(|| {
        let (here, away) = machines();
        let office = open(away.process().emulated(), Setup { flags: MSHLFLAGS_TABLESTRONG, ..far(Setup::MTA) });
        enter(COINIT_MULTITHREADED);
        let desk: IDesk = unpack(&office.packet);
        network::link(&here, &away).bandwidth(1000);
        assert_eq!(add(&desk, 1, 2), (S_OK, 3));
        // A request and a reply of less than a hundred bytes each, head included, at a thousand bytes a second.
        let one = world::now_ns();
        assert!((100 * MS_NS..200 * MS_NS).contains(&one), "{one}");
        // Two requests at once go one after the other, and the replies wait for nobody.
        let calls = [(); 2].map(|()| call_object(&desk).expect("CALL-02"));
        let before = world::now_ns();
        for call in &calls {
            assert_eq!(unsafe { call.Begin_Add(1, 2) }, S_OK);
        }
        for call in &calls {
            let mut sum = 0;
            assert_eq!(unsafe { (call.Finish_Add(&mut sum), sum) }, (S_OK, 3));
        }
        let two = world::now_ns() - before;
        assert!(one < two && two < 2 * one, "{one} {two}");
        drop((calls, desk));
        leave();
        assert_eq!(unsafe { CoReleaseMarshalData(stream_of(&office.packet).as_raw()) }, S_OK);
        assert_eq!(office.close(), 0);
    })
    .expect_completed();
}

#[test]
fn latencies_are_drawn_alike_every_time_and_differ_by_seed() {
    let took = |seed| {
        let times = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let noted = times.clone();
        run(move || {
            let (here, away) = machines();
            network::link(&here, &away).latency(Times::Uniform(10 * MS, 30 * MS)).seed(seed);
            let office = open(away.process().emulated(), far(Setup::MTA));
            enter(COINIT_MULTITHREADED);
            let desk: IDesk = unpack(&office.packet);
            for _ in 0..20 {
                let before = world::now_ns();
                assert_eq!(add(&desk, 1, 2), (S_OK, 3));
                noted.lock().unwrap().push(world::now_ns() - before);
            }
            drop(desk);
            leave();
            assert_eq!(office.close(), 0);
        })
        .expect_completed();
        times.lock().unwrap().clone()
    };
    let (first, again, other) = (took(1), took(1), took(2));
    assert!(first.iter().all(|took| (20 * MS_NS..=60 * MS_NS).contains(took)), "{first:?}");
    assert!(first.iter().any(|took| *took != first[0]));
    assert_eq!(first, again);
    assert_ne!(first, other);
}

#[test]
fn parcels_of_one_connection_keep_their_order_and_those_of_others_overtake() {
    run(|| {
        let (here, away) = machines();
        let office = open(away.process().emulated(), Setup { flags: MSHLFLAGS_TABLESTRONG, ..far(Setup::MTA) });
        enter(COINIT_MULTITHREADED);
        let desk: IDesk = unpack(&office.packet);
        let (slow, bytes) = (network::link(&here, &away).latency(SECOND), office.packet.clone());
        let call = call_object(&desk).expect("CALL-02");
        assert_eq!(unsafe { call.Begin_Add(1, 1) }, S_OK);
        slow.latency(MS);
        // The next one of this process does not arrive before the first; one of another process does.
        let second = call_object(&desk).expect("CALL-02");
        assert_eq!(unsafe { second.Begin_Add(2, 2) }, S_OK);
        let other = world::process().spawn("other", move || {
            enter(COINIT_MULTITHREADED);
            let sum = add(&unpack(&bytes), 3, 3);
            leave();
            (sum, world::now_ns())
        });
        let (sum, at) = other.join().unwrap();
        assert_eq!(sum, (S_OK, 6));
        assert!(at < 10 * MS_NS, "{at}");
        let mut sum = 0;
        assert_eq!(unsafe { (second.Finish_Add(&mut sum), sum) }, (S_OK, 4));
        assert_eq!(world::now_ns(), SECOND_NS + MS_NS);
        assert_eq!(unsafe { (call.Finish_Add(&mut sum), sum) }, (S_OK, 2));
        drop((call, second, desk));
        leave();
        assert_eq!(unsafe { CoReleaseMarshalData(stream_of(&office.packet).as_raw()) }, S_OK);
        assert_eq!(office.close(), 0);
    })
    .expect_completed();
}

#[test]
fn cxl_03_a_cancellation_travels_too() {
    run(|| {
        let (here, away) = machines();
        network::link(&here, &away).latency(500 * MS);
        let office = open(away.process().emulated(), far(Setup::MTA));
        enter(COINIT_MULTITHREADED);
        let desk: IDesk = unpack(&office.packet);
        let call = call_object(&desk).expect("CALL-02");
        let cancel: ICancelMethodCalls = call.cast().unwrap();
        unsafe {
            assert_eq!(call.Begin_Work(3_600_000), S_OK);
            world::sleep(SECOND * 2);
            // Half a second to the server, which looks every second, and half a second back.
            assert_eq!(cancel.Cancel(10), RPC_E_CALL_COMPLETE);
            assert_eq!(call.Finish_Work(), E_ABORT);
        }
        assert_eq!(world::now_ns(), 3_000_000_000);
        drop((cancel, call, desk));
        leave();
        assert_eq!((office.gone(), office.close()), (1, 0));
    })
    .expect_completed();
}

#[test]
fn rul_121_a_process_that_dies_fails_what_is_on_its_way() {
    run(|| {
        let (here, away) = machines();
        network::link(&here, &away).latency(SECOND);
        let process = away.process();
        let office = open(process.emulated(), far(Setup::MTA));
        enter(COINIT_MULTITHREADED);
        let desk: IDesk = unpack(&office.packet);
        let call = call_object(&desk).expect("CALL-02");
        unsafe {
            assert_eq!(call.Begin_Add(1, 2), S_OK);
            fault::kill(&process);
            let mut sum = 0;
            assert_eq!(call.Finish_Add(&mut sum), RPC_S_CALL_FAILED_DNE_HR);
        }
        assert_eq!((world::now_ns(), office.calls()), (0, 0));
        drop((call, desk));
        leave();
        assert_eq!(live_objects(), 0);
    })
    .expect_completed();
}

/// A client of the scenario's office, in another process, that holds a desk and then waits for ever.
fn holder(process: &world::Process, flags: u32) -> Office {
    let office = open(world::this_process().emulated(), Setup { flags, ..Setup::MTA });
    let (bytes, ready) = (office.packet.clone(), kernel::Event::manual());
    let is_ready = ready.clone();
    drop(process.spawn("holder", move || {
        enter(COINIT_MULTITHREADED);
        let desk: IDesk = unpack(&bytes);
        assert_eq!(add(&desk, 1, 2), (S_OK, 3));
        is_ready.set();
        world::sleep(SECOND * 1_000_000);
        drop(desk);
        leave();
    }));
    assert!(ready.wait(platform::Deadline::NEVER, platform::Why::Wait));
    office
}

fn sleep_until(ns: u64) {
    world::sleep(Duration::from_nanos(ns - world::now_ns()));
}

#[test]
fn rul_120_references_of_a_dead_machine_go_after_three_missed_pings() {
    run(|| {
        let (_, away) = machines();
        let office = holder(&away.process(), MSHLFLAGS_NORMAL);
        sleep_until(3 * MINUTE_NS);
        fault::kill_machine(&away);
        // The last ping was at two minutes: those at four, six and eight are missed.
        sleep_until(8 * MINUTE_NS - 1);
        assert_eq!(office.gone(), 0);
        sleep_until(8 * MINUTE_NS + 1);
        assert_eq!((office.gone(), office.close()), (1, 0));
    })
    .expect_completed();
}

#[test]
fn rul_120_a_dead_client_on_the_same_machine_is_noticed_at_once() {
    run(|| {
        let process = world::process();
        let office = holder(&process, MSHLFLAGS_NORMAL);
        fault::kill(&process);
        sleep_until(1);
        assert_eq!((office.gone(), office.close()), (1, 0));
    })
    .expect_completed();
}

#[test]
fn rul_120_a_link_that_heals_in_time_keeps_references_and_one_that_does_not_loses_them() {
    run(|| {
        let (here, away) = machines();
        let process = away.process();
        let office = open(process.emulated(), far(Setup::MTA));
        enter(COINIT_MULTITHREADED);
        let desk: IDesk = unpack(&office.packet);
        sleep_until(MINUTE_NS);
        fault::cut(&here, &away);
        sleep_until(5 * MINUTE_NS);
        fault::heal(&here, &away);
        sleep_until(20 * MINUTE_NS);
        assert_eq!((office.gone(), add(&desk, 1, 2)), (0, (S_OK, 3)));
        fault::cut(&here, &away);
        sleep_until(26 * MINUTE_NS + 1);
        assert_eq!(office.gone(), 1);
        fault::heal(&here, &away);
        assert_eq!(add(&desk, 1, 2).0, RPC_E_DISCONNECTED, "the object does not know this client any more");
        drop(desk);
        leave();
        assert_eq!((live_objects(), office.close()), (0, 0));
    })
    .expect_completed();
}

#[test]
fn rul_120_nobody_pings_for_an_object_that_was_marshaled_so() {
    run(|| {
        let (_, away) = machines();
        let office = holder(&away.process(), MSHLFLAGS_NOPING);
        fault::kill_machine(&away);
        sleep_until(60 * MINUTE_NS);
        assert_eq!(office.gone(), 0);
        // Its apartment lets it go when that ends.
        assert_eq!(office.close(), 0);
    })
    .expect_completed();
}

#[test]
fn rul_120_a_release_over_a_cut_link_is_made_good_by_the_rundown() {
    for heals in [false, true] {
        release_over_a_cut_link(heals);
    }
}

fn release_over_a_cut_link(heals: bool) {
    run(move || {
        let (here, away) = machines();
        let process = away.process();
        let office = open(process.emulated(), far(Setup::STA));
        enter(COINIT_MULTITHREADED);
        let desk: IDesk = unpack(&office.packet);
        fault::cut(&here, &away);
        drop(desk);
        assert_eq!(office.gone(), 0, "the release does not get there");
        if heals {
            sleep_until(MINUTE_NS);
            fault::heal(&here, &away);
        }
        sleep_until(6 * MINUTE_NS + 1);
        assert_eq!(office.gone(), 1);
        leave();
        assert_eq!((live_objects(), office.close()), (0, 0));
    })
    .expect_completed();
}

#[test]
fn every_order_of_two_machines_that_call_one_ends_well() {
    let checked = Builder::new().strategy(Strategy::DelayBound(1)).run(|| {
        let server = world::machine("server");
        let office = open(server.process().emulated(), Setup { flags: MSHLFLAGS_TABLESTRONG, ..far(Setup::STA) });
        let clients: Vec<_> = ["one", "two"]
            .map(|name| {
                let machine = world::machine(name);
                network::link(&machine, &server).latency(MS);
                let bytes = office.packet.clone();
                machine.process().spawn("client", move || {
                    enter(COINIT_MULTITHREADED);
                    let desk: IDesk = unpack(&bytes);
                    let sum = add(&desk, 1, 2);
                    drop(desk);
                    leave();
                    (sum, live_objects())
                })
            })
            .into_iter()
            .collect();
        for client in clients {
            assert_eq!(client.join().unwrap(), ((S_OK, 3), 0));
        }
        assert_eq!(unsafe { CoReleaseMarshalData(stream_of(&office.packet).as_raw()) }, S_OK);
        assert_eq!(office.close(), 0);
    });
    assert!(checked.failure.is_none() && checked.complete, "{checked}");
    println!("{checked}");
}

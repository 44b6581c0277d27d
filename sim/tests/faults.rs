//! Faults: what a client gets when a server's process or machine dies, a link is cut, a parcel is lost, there is no memory, a
//! call is refused, an apartment ends.

#![allow(clippy::undocumented_unsafe_blocks, reason = "every call of a COM method is one; the rules are those of COM")]

#[path = "common/explored.rs"]
mod explored;
#[path = "../../core/tests/common/offices.rs"]
mod offices;

use explored::*;
use offices::*;
use oleander::debug::live_objects;
use oleander::windows_core::{HRESULT, Interface};
use oleander::*;
use oleander_sim::fault::{self, Faults, Kind, Refusal};
use oleander_sim::{Builder, Checks, End, Strategy, run, world};
use std::collections::BTreeSet;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const HOUR_MS: u32 = 3_600_000;
const SETUPS: [Setup; 2] = [Setup::STA, Setup::MTA];
const CLIENTS: [u32; 2] = [COINIT_APARTMENTTHREADED, COINIT_MULTITHREADED];

/// A client of an office in another process, and of one on another machine, in every pair of apartments.
fn in_all_pairs(body: impl Fn(&world::Process, &IDesk, &Office) + Send + Sync + Copy + 'static) {
    for (client, setup) in CLIENTS.into_iter().flat_map(|client| SETUPS.map(|setup| (client, setup))) {
        for away in [false, true] {
            run(move || {
                let process = if away { world::machine("away").process() } else { world::process() };
                let office = open(process.emulated(), setup);
                enter(client);
                let desk: IDesk = unpack(&office.packet);
                body(&process, &desk, &office);
                drop(desk);
                leave();
                assert_eq!(live_objects(), 0);
                if !process.emulated().has_died() {
                    assert_eq!(office.close(), 0);
                }
            })
            .expect_completed();
        }
    }
}

/// Has the process die in so many virtual seconds.
fn dies_after(process: &world::Process, seconds: u32) {
    let victim = process.clone();
    drop(world::spawn("killer", move || {
        world::sleep(SECOND * seconds);
        fault::kill(&victim);
    }));
}

#[test]
fn rul_12_a_call_to_a_dead_process_is_not_sent_and_later_ones_are_disconnected() {
    in_all_pairs(|process, desk, office| {
        assert_eq!(add(desk, 1, 2), (S_OK, 3));
        fault::kill(process);
        assert_eq!(add(desk, 1, 2).0, RPC_S_SERVER_UNAVAILABLE_HR);
        assert_eq!(add(desk, 1, 2).0, RPC_E_DISCONNECTED);
        assert_eq!(add_later(desk, 1, 2).0, RPC_E_DISCONNECTED);
        assert_eq!(office.calls(), 1);
        assert_eq!(try_unpack::<IDesk>(&office.packet).err(), Some(RPC_E_DISCONNECTED));
        assert!(desk.cast::<IPersist>().is_err());
    });
}

#[test]
fn rul_12_begin_to_a_dead_process_tells_by_the_call_object() {
    in_all_pairs(|process, desk, _| {
        fault::kill(process);
        let call = call_object(desk).expect("CALL-02: the proxy manager answers");
        let sync: ISynchronize = call.cast().unwrap();
        unsafe {
            assert_eq!(call.Begin_Work(1), S_OK);
            assert_eq!(sync.Wait(COWAIT_DEFAULT, 0), S_OK);
            assert_eq!(call.Finish_Work(), RPC_S_SERVER_UNAVAILABLE_HR);
        }
    });
}

#[test]
fn rul_12_a_process_that_dies_in_a_method_is_a_failed_call() {
    in_all_pairs(|process, desk, office| {
        dies_after(process, 10);
        assert_eq!(unsafe { desk.Work(HOUR_MS) }, RPC_S_CALL_FAILED_HR);
        assert_eq!(world::now_ns(), 10_000_000_000);
        assert_eq!(add(desk, 1, 2).0, RPC_E_DISCONNECTED);
        assert_eq!((office.calls(), office.gone()), (1, 0), "what dies runs no destructor");
    });
}

#[test]
fn rul_12_a_pending_call_object_hears_of_the_death_once() {
    in_all_pairs(|process, desk, _| {
        dies_after(process, 10);
        let call = call_object(desk).expect("CALL-02");
        let (sync, cancel): (ISynchronize, ICancelMethodCalls) = (call.cast().unwrap(), call.cast().unwrap());
        unsafe {
            assert_eq!(call.Begin_Work(HOUR_MS), S_OK);
            assert_eq!(sync.Wait(COWAIT_DEFAULT, 9_999), RPC_S_CALLPENDING);
            assert_eq!(sync.Wait(COWAIT_DEFAULT, INFINITE), S_OK);
            assert_eq!(world::now_ns(), 10_000_000_000);
            assert_eq!(cancel.Cancel(0), RPC_E_CALL_COMPLETE);
            assert_eq!(call.Finish_Work(), RPC_S_CALL_FAILED_HR);
            // And the call object can be used again.
            assert_eq!(call.Begin_Work(1), S_OK);
            assert_eq!(call.Finish_Work(), RPC_E_DISCONNECTED);
        }
    });
}

#[test]
fn rul_12_a_call_that_was_queued_when_the_process_died_surely_did_not_run() {
    run(|| {
        let process = world::process();
        let office = open(process.emulated(), Setup { flags: MSHLFLAGS_TABLESTRONG, ..Setup::STA });
        let work = |ms: u32| {
            let bytes = office.packet.clone();
            world::spawn("client", move || {
                enter(COINIT_MULTITHREADED);
                let hr = unsafe { unpack::<IDesk>(&bytes).Work(ms) };
                leave();
                hr
            })
        };
        let first = work(HOUR_MS);
        world::sleep(SECOND);
        let second = work(HOUR_MS);
        world::sleep(SECOND);
        assert_eq!(office.calls(), 1, "the STA is busy with the first call");
        fault::kill(&process);
        assert_eq!(first.join().unwrap(), RPC_S_CALL_FAILED_HR);
        assert_eq!(second.join().unwrap(), RPC_S_CALL_FAILED_DNE_HR);
        assert_eq!(live_objects(), 0);
    })
    .expect_completed();
}

#[test]
fn rul_12_a_machine_dies_with_all_its_processes() {
    run(|| {
        let away = world::machine("away");
        let offices: Vec<_> = (0..2).map(|_| open(away.process().emulated(), Setup::MTA)).collect();
        enter(COINIT_MULTITHREADED);
        let desks: Vec<IDesk> = offices.iter().map(|office| unpack(&office.packet)).collect();
        fault::kill_machine(&away);
        assert!(away.processes().is_empty());
        for desk in &desks {
            assert_eq!(add(desk, 1, 1).0, RPC_S_SERVER_UNAVAILABLE_HR);
        }
        drop(desks);
        leave();
        assert_eq!(live_objects(), 0);
    })
    .expect_completed();
}

#[test]
fn a_process_may_end_itself() {
    run(|| {
        let process = world::process();
        let victim = process.clone();
        let thread = process.spawn("suicide", move || fault::kill(&victim));
        assert!(thread.join().is_err());
        assert!(process.emulated().has_died());
    })
    .expect_completed();
}

#[test]
fn the_end_of_a_killed_thread_is_told() {
    run(|| {
        let process = world::process();
        let office = open(process.emulated(), Setup::STA);
        fault::kill(&process);
        assert!(office.thread.ended.is_set());
    })
    .expect_completed();
}

#[test]
fn rul_121_a_cut_link_fails_calls_until_it_is_healed() {
    for setup in SETUPS {
        run(move || {
            let (here, away) = (world::this_process().machine().clone(), world::machine("away"));
            let office = open(away.process().emulated(), setup);
            enter(COINIT_MULTITHREADED);
            let desk: IDesk = unpack(&office.packet);
            let (one, other) = (here.clone(), away.clone());
            let cutter = world::spawn("cutter", move || {
                world::sleep(SECOND * 5);
                fault::cut(&one, &other);
            });
            assert_eq!(unsafe { desk.Work(10_000) }, RPC_S_CALL_FAILED_HR);
            assert_eq!(world::now_ns(), 5_000_000_000);
            cutter.join().unwrap();
            for _ in 0..2 {
                assert_eq!(add(&desk, 1, 2).0, RPC_S_SERVER_UNAVAILABLE_HR);
            }
            fault::heal(&here, &away);
            world::sleep(SECOND * 10);
            assert_eq!(add(&desk, 1, 2), (S_OK, 3));
            drop(desk);
            leave();
            assert_eq!((office.gone(), live_objects(), office.close()), (1, 0, 0));
        })
        .expect_completed();
    }
}

#[test]
fn rul_121_a_lost_request_and_a_lost_reply_are_failed_calls_and_only_one_of_them_ran() {
    for later in [false, true] {
        run(move || {
            let (here, away) = (world::this_process().machine().clone(), world::machine("away"));
            let office = open(away.process().emulated(), Setup::MTA);
            enter(COINIT_MULTITHREADED);
            let desk: IDesk = unpack(&office.packet);
            let call = if later { add_later } else { add };
            fault::lose_next(&here, &away);
            assert_eq!((call(&desk, 1, 2).0, office.calls()), (RPC_S_CALL_FAILED_HR, 0));
            fault::lose_next(&away, &here);
            assert_eq!((call(&desk, 1, 2).0, office.calls()), (RPC_S_CALL_FAILED_HR, 1));
            assert_eq!((call(&desk, 1, 2), office.calls()), ((S_OK, 3), 2));
            drop(desk);
            leave();
            assert_eq!((office.gone(), live_objects(), office.close()), (1, 0, 0));
        })
        .expect_completed();
    }
}

#[test]
fn a_pointer_in_a_lost_request_is_given_back() {
    run(|| {
        let (here, away) = (world::this_process().machine().clone(), world::machine("away"));
        let office = open(away.process().emulated(), Setup::MTA);
        enter(COINIT_MULTITHREADED);
        let desk: IDesk = unpack(&office.packet);
        let done = Default::default();
        let own = Desk::make(&done);
        fault::lose_next(&here, &away);
        assert_eq!(unsafe { desk.Keep(&IDesk::IID, own.as_raw()) }, RPC_S_CALL_FAILED_HR);
        drop((own, desk));
        assert_eq!(done.gone.load(std::sync::atomic::Ordering::SeqCst), 1);
        leave();
        assert_eq!((live_objects(), office.close()), (0, 0));
    })
    .expect_completed();
}

#[test]
fn err_39_a_call_without_memory_is_e_outofmemory_and_the_next_one_works() {
    in_all_pairs(|_, desk, office| {
        fault::out_of_memory(&world::this_process(), 2);
        assert_eq!(add(desk, 1, 2).0, E_OUTOFMEMORY);
        assert_eq!(add_later(desk, 1, 2).0, E_OUTOFMEMORY);
        assert_eq!((add(desk, 1, 2), office.calls()), ((S_OK, 3), 1));
    });
}

#[test]
fn mf_05_surroundings_refuse_synchronous_calls_to_stas() {
    run(|| {
        let process = world::process();
        let office = open(process.emulated(), Setup::STA);
        enter(COINIT_APARTMENTTHREADED);
        let desk: IDesk = unpack(&office.packet);
        for (refusal, code) in
            [(Refusal::Rejected, RPC_E_CALL_REJECTED), (Refusal::RetryLater, RPC_E_SERVERCALL_RETRYLATER)]
        {
            fault::refuse(&process, refusal, 1);
            assert_eq!((add_later(&desk, 1, 2), add(&desk, 1, 2).0), ((S_OK, 3), code));
        }
        assert_eq!((add(&desk, 1, 2), office.calls()), ((S_OK, 3), 3));
        drop(desk);
        leave();
        assert_eq!((live_objects(), office.close()), (0, 0));
    })
    .expect_completed();
}

/// Tries refused calls again, after a second.
#[com_class(IMessageFilter)]
struct Patient;

impl IMessageFilter_Impl for Patient_Impl {
    unsafe fn HandleInComingCall(&self, _: u32, _: HANDLE, _: u32, _: *const INTERFACEINFO) -> u32 {
        SERVERCALL_ISHANDLED
    }
    unsafe fn RetryRejectedCall(&self, _: HANDLE, _: u32, _: u32) -> u32 {
        1000
    }
    unsafe fn MessagePending(&self, _: HANDLE, _: u32, _: u32) -> u32 {
        PENDINGMSG_WAITDEFPROCESS
    }
}

#[test]
fn mf_03_a_refused_call_between_processes_is_tried_again() {
    run(|| {
        let process = world::machine("away").process();
        let office = open(process.emulated(), Setup::STA);
        enter(COINIT_APARTMENTTHREADED);
        let desk: IDesk = unpack(&office.packet);
        let filter: IMessageFilter = windows_core::ComObject::new(Patient).into_interface();
        let mut before = std::ptr::null_mut();
        assert_eq!(unsafe { CoRegisterMessageFilter(filter.as_raw(), &mut before) }, S_OK);
        fault::refuse(&process, Refusal::RetryLater, 3);
        assert_eq!((add(&desk, 1, 2), office.calls()), ((S_OK, 3), 1));
        assert_eq!(world::now_ns(), 3_000_000_000);
        assert_eq!(unsafe { CoRegisterMessageFilter(std::ptr::null_mut(), &mut before) }, S_OK);
        drop(unsafe { IMessageFilter::from_raw(before) });
        drop((filter, desk));
        leave();
        assert_eq!((live_objects(), office.close()), (0, 0));
    })
    .expect_completed();
}

#[test]
fn ma_24_an_apartment_that_ends_disconnects_what_is_queued() {
    run(|| {
        let process = world::process();
        let office = open(process.emulated(), Setup::STA);
        enter(COINIT_MULTITHREADED);
        let desk: IDesk = unpack(&office.packet);
        assert!(fault::end_sta(&office.thread.thread));
        // Posted after the end: it is queued, and not served.
        assert_eq!(add(&desk, 1, 2).0, RPC_E_DISCONNECTED);
        assert_eq!(add(&desk, 1, 2).0, RPC_S_UNKNOWN_IF_HR);
        assert_eq!((office.gone(), office.calls()), (1, 0));
        drop(desk);
        leave();
        assert_eq!((live_objects(), office.close()), (0, 0));
    })
    .expect_completed();
}

/// For offices whose table-strong packet nobody gives back before they close.
const TABLES: Checks = Checks { stubs: false, ..Checks::STANDARD };

/// A client calls once while the server's process may die; what it gets, and how often the method ran. The scenario says that
/// deaths are explored, or nobody does.
fn call_to_a_mortal(setup: Setup, later: bool, explores: bool) -> (i32, u32) {
    if explores {
        fault::explore(1, &[Kind::Death]);
    }
    let process = world::process();
    let office = open(process.emulated(), Setup { flags: MSHLFLAGS_TABLESTRONG, ..setup });
    enter(COINIT_MULTITHREADED);
    let desk: IDesk = unpack(&office.packet);
    fault::may_die(&process);
    let (hr, sum) = if later { add_later(&desk, 1, 2) } else { add(&desk, 1, 2) };
    assert!(hr != S_OK || sum == 3);
    drop(desk);
    leave();
    let calls = office.calls();
    if !process.emulated().has_died() {
        office.close_if_alive();
    }
    (hr.0, calls)
}

#[test]
fn rul_12_a_death_at_any_point_of_a_call_has_the_documented_outcomes() {
    for setup in SETUPS {
        for later in [false, true] {
            let found = outcomes(&Builder::new().checks(TABLES), move || call_to_a_mortal(setup, later, true));
            let allowed = BTreeSet::from([
                (S_OK.0, 1),
                (RPC_S_SERVER_UNAVAILABLE_HR.0, 0),
                (RPC_S_CALL_FAILED_DNE_HR.0, 0),
                (RPC_S_CALL_FAILED_HR.0, 0),
                (RPC_S_CALL_FAILED_HR.0, 1),
            ]);
            assert!(found.is_subset(&allowed), "{found:?}");
            // A worker of the MTA takes its first call in the step in which that arrives: no death comes between.
            let waits = (setup.model == COINIT_APARTMENTTHREADED).then_some(RPC_S_CALL_FAILED_DNE_HR);
            for must in [S_OK, RPC_S_SERVER_UNAVAILABLE_HR, RPC_S_CALL_FAILED_HR].into_iter().chain(waits) {
                assert!(found.iter().any(|(hr, _)| HRESULT(*hr) == must), "{must:?} is missing: {found:?}");
            }
            // The reduction loses nothing that a plain search with few preemptions finds.
            let bounded = Builder::new().checks(TABLES).strategy(Strategy::PreemptionBound(1));
            let plain = outcomes(&bounded, move || call_to_a_mortal(setup, later, true));
            assert!(plain.is_subset(&found), "{plain:?} {found:?}");
            // The Builder may say it as well.
            let builder = Builder::new().checks(TABLES).faults(Faults::budget(1).kinds(&[Kind::Death]));
            assert_eq!(outcomes(&builder, move || call_to_a_mortal(setup, later, false)), found);
        }
    }
}

#[test]
fn losses_within_a_budget_leave_nothing_behind() {
    let builder = Builder::new().strategy(Strategy::PreemptionBound(1));
    let found = outcomes(&builder, || {
        let office = open(world::machine("away").process().emulated(), Setup::MTA);
        enter(COINIT_MULTITHREADED);
        let desk: IDesk = unpack(&office.packet);
        fault::explore(1, &[Kind::Loss]);
        let got = [add(&desk, 1, 2).0.0, add_later(&desk, 1, 2).0.0];
        fault::explore(0, &[]);
        drop(desk);
        leave();
        assert_eq!((office.gone(), live_objects()), (1, 0));
        let calls = office.calls();
        assert_eq!(office.close(), 0);
        (got, calls)
    });
    let (ok, failed) = (S_OK.0, RPC_S_CALL_FAILED_HR.0);
    let all =
        BTreeSet::from([([ok, ok], 2), ([failed, ok], 1), ([failed, ok], 2), ([ok, failed], 1), ([ok, failed], 2)]);
    assert_eq!(found, all);
}

#[test]
fn two_faults_of_several_kinds_within_a_budget() {
    let builder = Builder::new().strategy(Strategy::DelayBound(0));
    let found = outcomes(&builder, || {
        let process = world::process();
        let office = open(process.emulated(), Setup::STA);
        enter(COINIT_MULTITHREADED);
        let desk: IDesk = unpack(&office.packet);
        fault::explore(2, &[Kind::Memory, Kind::Refusal]);
        let got = [add(&desk, 1, 2).0.0, add(&desk, 1, 2).0.0, add(&desk, 1, 2).0.0];
        fault::explore(0, &[]);
        drop(desk);
        leave();
        assert_eq!((office.gone(), live_objects(), office.close()), (1, 0, 0));
        got
    });
    // Three calls, at most two of which fail, in three ways each.
    assert_eq!(found.len(), 1 + 3 * 3 + 3 * 9);
}

#[test]
fn a_token_replays_an_execution_with_its_fault() {
    let scenario = || {
        let (hr, _) = call_to_a_mortal(Setup::STA, false, true);
        assert_ne!(HRESULT(hr), RPC_S_CALL_FAILED_HR);
    };
    let failure = failing(&Builder::new().checks(TABLES), scenario);
    assert!(matches!(failure.report.end, End::Panicked { .. }), "{failure}");
}

/// Three calls over a link to an STA; what each says, and how many ran. What goes wrong is the Builder's business, up to the
/// last call.
fn three_calls() -> ([i32; 3], usize) {
    let process = world::machine("away").process();
    let office = open(process.emulated(), Setup::STA);
    enter(COINIT_MULTITHREADED);
    let desk: IDesk = unpack(&office.packet);
    let got = [(); 3].map(|()| add(&desk, 1, 2).0.0);
    fault::explore(0, &[]);
    drop(desk);
    leave();
    assert_eq!((office.gone(), live_objects()), (1, 0));
    let calls = office.calls() as usize;
    assert_eq!(office.close(), 0);
    (got, calls)
}

/// The kinds of faults of a call, as a token names them, and what the call says.
const OF_CALLS: [(Kind, &str, &[HRESULT]); 3] = [
    (Kind::Loss, "loss", &[RPC_S_CALL_FAILED_HR]),
    (Kind::Memory, "memory", &[E_OUTOFMEMORY]),
    (Kind::Refusal, "refusal", &[RPC_E_CALL_REJECTED, RPC_E_SERVERCALL_RETRYLATER]),
];

#[test]
fn rul_12_err_39_a_builders_faults_of_each_kind_hit_as_many_calls_as_its_budget_says() {
    for (kind, _, codes) in OF_CALLS {
        for budget in 0..=3 {
            let faults = Faults::budget(budget).kinds(&[kind]);
            let builder = Builder::new().strategy(Strategy::DelayBound(0)).faults(faults);
            let found = outcomes(&builder, three_calls);
            // Every way to choose at most so many of the calls, and a code for each.
            let said: BTreeSet<_> = found.iter().map(|(said, _)| *said).collect();
            let ways = |failed: u32| codes.len().pow(failed) * [1, 3, 3, 1][failed as usize];
            assert_eq!(said.len(), (0..=budget).map(ways).sum(), "{kind:?}, {budget}: {said:?}");
            let is_known = |hr: &i32| *hr == S_OK.0 || codes.contains(&HRESULT(*hr));
            assert!(said.iter().flatten().all(is_known), "{kind:?}, {budget}: {said:?}");
            for (said, calls) in &found {
                let fine = said.iter().filter(|hr| **hr == S_OK.0).count();
                // What is lost may be the reply: the call has run then.
                let most = if kind == Kind::Loss { 3 } else { fine };
                assert!((fine..=most).contains(calls), "{kind:?}, {budget}: {said:?}, {calls}");
            }
            let ran = found.iter().any(|(said, calls)| *calls == 3 && *said != [S_OK.0; 3]);
            assert_eq!(ran, kind == Kind::Loss && budget > 0, "a lost reply: {found:?}");
        }
    }
}

#[test]
fn a_builders_deaths_are_as_many_as_its_budget_says() {
    for budget in 0..=3 {
        let builder = Builder::new().faults(Faults::budget(budget).kinds(&[Kind::Death]));
        let found = outcomes(&builder, || {
            let processes = [world::process(), world::process()];
            processes.iter().for_each(fault::may_die);
            // Time passes when nothing else can.
            world::sleep(SECOND);
            processes.map(|process| process.emulated().has_died())
        });
        let all = [false, true].into_iter().flat_map(|one| [false, true].map(|other| [one, other]));
        let within = |deaths: &[bool; 2]| deaths.iter().filter(|died| **died).count() <= budget as usize;
        assert_eq!(found, all.filter(within).collect());
    }
}

#[test]
fn a_builders_faults_are_in_the_token_which_replays_them() {
    let token_of = |checks: Checks, kind: Kind, said: &[HRESULT], scenario: &(dyn Fn() + Sync)| {
        let builder = Builder::new().checks(checks).faults(Faults::budget(1).kinds(&[kind]));
        let failure = failing(&builder, scenario);
        let End::Panicked { message, .. } = &failure.report.end else { panic!("{failure}") };
        assert!(said.iter().any(|hr| message.contains(&format!("{:?}", hr.0))), "{message}");
        failure.token.to_string()
    };
    for (kind, name, codes) in OF_CALLS {
        let token = token_of(Checks::STANDARD, kind, codes, &|| assert_eq!(three_calls().0, [S_OK.0; 3]));
        assert!(token.ends_with(&format!(":faults=1.{name}")), "{token}");
    }
    let dies = [RPC_S_SERVER_UNAVAILABLE_HR, RPC_S_CALL_FAILED_DNE_HR, RPC_S_CALL_FAILED_HR];
    let token = token_of(TABLES, Kind::Death, &dies, &|| {
        assert_eq!(call_to_a_mortal(Setup::STA, false, false).0, S_OK.0);
    });
    assert!(token.ends_with(":-stubs:faults=1.death"), "{token}");
}

#[test]
fn a_builders_faults_do_nothing_where_nothing_of_their_kind_can_be() {
    // One machine loses nothing, nobody may die, and an MTA refuses nothing.
    let faults = Faults::budget(2).kinds(&[Kind::Loss, Kind::Death, Kind::Refusal]);
    for builder in [Builder::new(), Builder::new().faults(faults)] {
        explored(&builder, || {
            let process = world::process();
            let office = open(process.emulated(), Setup::MTA);
            enter(COINIT_MULTITHREADED);
            let desk: IDesk = unpack(&office.packet);
            assert_eq!(add(&desk, 1, 2), (S_OK, 3));
            drop(desk);
            leave();
            assert_eq!((office.gone(), live_objects(), office.close()), (1, 0, 0));
        });
    }
}

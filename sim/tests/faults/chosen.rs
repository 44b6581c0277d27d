//! Faults that the explorer chooses within a budget: what a client may get then, that nothing is left behind, and that a token
//! replays the execution.

use super::*;

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

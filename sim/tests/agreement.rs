//! Random COM programs: clients call an object in another apartment, cancel their own calls and each other's, while the
//! object's apartment may end. Whatever samples of other strategies come to, the reduced search comes to where it ends: an
//! order that the runtime does not announce would be missing there. The programs are seeded; `OLEANDER_AGREEMENT_PROGRAMS`
//! says how many there are.

#[path = "common/explored.rs"]
mod explored;
#[path = "../../core/tests/crowd/random.rs"]
mod random;
#[path = "../../core/tests/support/mod.rs"]
mod support;

use explored::ENDS_AT_ANY_MOMENT;
use oleander::*;
use oleander_sim::{Builder, Strategy};
use random::Random;
use std::collections::BTreeSet;
use std::sync::Mutex;
use support::probe::*;
use support::*;

/// A reduced search that has not ended after so many executions is given up, and its program not compared.
const EXECUTIONS_MAX: u64 = 1_000;

/// What a client does.
#[derive(Clone, Copy, Debug)]
enum Deed {
    /// A synchronous call.
    Call,
    Begin,
    /// Looks whether the call has ended.
    Look,
    Cancel,
    Finish,
    /// Cancels what the other client waits for.
    CancelOther,
}

/// With what a client begins, and how it goes on.
const FIRST: [Deed; 4] = [Deed::Call, Deed::Begin, Deed::Begin, Deed::CancelOther];
const NEXT: [Deed; 6] = [Deed::Look, Deed::Cancel, Deed::Finish, Deed::CancelOther, Deed::Call, Deed::Begin];

#[derive(Clone, Debug)]
struct Program {
    server: Kind,
    flavour: Flavour,
    clients: Vec<(Kind, Vec<Deed>)>,
    /// The server's apartment ends before the clients are through.
    ends_early: bool,
}

impl Program {
    fn new(random: &mut Random) -> Self {
        let mut kind = || if random.once_in(2) { Kind::Sta } else { Kind::Mta };
        let (server, kinds) = (kind(), [kind(), kind()]);
        // In one MTA there would be no proxy.
        let kinds = if server == Kind::Mta { [Kind::Sta; 2] } else { kinds };
        let flavour = [Flavour::Sync, Flavour::Sync, Flavour::AtOnce][random.below(3)];
        let ends_early = random.once_in(8);
        let mut client = |kind| {
            let first = FIRST[random.below(FIRST.len())];
            let next = (0..random.below(3)).map(|_| NEXT[random.below(NEXT.len())]);
            (kind, std::iter::once(first).chain(next).collect())
        };
        Self { server, flavour, clients: kinds.map(&mut client).into(), ends_early }
    }

    /// What each client heard. They begin together; before and behind that there is one order.
    fn run(&self) -> Vec<Vec<i32>> {
        let host = Server::start(self.server, self.flavour);
        let apts: Vec<_> = self.clients.iter().map(|(kind, _)| Apt::start(*kind)).collect();
        let clients: Vec<_> = (apts.iter().zip(&self.clients))
            .map(|(apt, (_, deeds))| {
                let (packet, deeds) = (host.packet(), deeds.clone());
                apt.run(move || Sent(Client::new(packet.unpack(), deeds)))
            })
            .collect();
        let others: Vec<_> = apts.iter().rev().map(|apt| apt.thread_id).collect();
        let running: Vec<_> = (apts.iter().zip(clients).zip(others))
            .map(|((apt, client), other)| apt.begin(move || client.take().act(other)))
            .collect();
        let mut host = Some(host);
        if self.ends_early {
            host.take().into_iter().for_each(Server::stop);
        }
        let (heard, clients): (Vec<_>, Vec<_>) = running.into_iter().map(Running::join).unzip();
        for (apt, client) in apts.into_iter().zip(clients) {
            apt.run(move || drop(client));
            apt.stop();
        }
        host.into_iter().for_each(Server::stop);
        assert_eq!((debug::live_objects(), debug::open_handles()), (0, 0));
        heard
    }
}

struct Client {
    probe: IProbe,
    caller: Option<Caller>,
    deeds: Vec<Deed>,
}

impl Client {
    fn new(probe: IProbe, deeds: Vec<Deed>) -> Self {
        // SAFETY: null, as it must be.
        assert_eq!(unsafe { CoEnableCallCancellation(std::ptr::null_mut()) }, S_OK);
        let calls = deeds.iter().any(|deed| !matches!(deed, Deed::Call | Deed::CancelOther));
        Self { caller: calls.then(|| Caller::new(&probe)), probe, deeds }
    }

    fn act(self, other: u32) -> (Vec<i32>, Sent<Self>) {
        let of = || self.caller.as_ref().expect("there is one");
        let act = |deed: &Deed| match deed {
            Deed::Call => double(&self.probe, 3).0,
            Deed::Begin => of().begin(4),
            Deed::Look => of().wait(0),
            Deed::Cancel => of().cancel(0),
            Deed::Finish => of().finish().0,
            // SAFETY: no pointers.
            Deed::CancelOther => unsafe { CoCancelCall(other, 0) },
        };
        let heard = self.deeds.iter().map(|deed| act(deed).0).collect();
        (heard, Sent(self))
    }
}

/// All that a strategy comes to, and whether it has come to its end.
fn endings(program: &Program, builder: Builder) -> (BTreeSet<Vec<Vec<i32>>>, bool) {
    let found = Mutex::new(BTreeSet::new());
    let checked = builder.checks(ENDS_AT_ANY_MOMENT).run(|| {
        let heard = program.run();
        found.lock().unwrap().insert(heard);
    });
    assert!(checked.failure.is_none(), "{program:?}\n{checked}");
    (found.into_inner().unwrap(), checked.complete)
}

#[test]
fn what_any_strategy_comes_to_the_reduced_search_comes_to() {
    let programs = std::env::var("OLEANDER_AGREEMENT_PROGRAMS").map_or(15, |said| said.parse().expect("a number"));
    let (mut compared, mut all) = (0_u64, 0);
    for seed in 0..programs {
        let program = Program::new(&mut Random::new(seed));
        let (reduced, complete) = endings(&program, Builder::new().executions_max(EXECUTIONS_MAX));
        if !complete {
            continue;
        }
        compared += 1;
        all += reduced.len() as u64;
        for (strategy, executions) in [
            (Strategy::Random, 100),
            (Strategy::Pct(3), 60),
            (Strategy::PreemptionBound(1), 100),
            (Strategy::DelayBound(2), 100),
        ] {
            let builder = Builder::new().strategy(strategy).seed(seed).executions_max(executions);
            let (found, _) = endings(&program, builder);
            let missed: Vec<_> = found.difference(&reduced).collect();
            assert!(missed.is_empty(), "{strategy:?} of program {seed} ends in {missed:?}\n{program:?}\n{reduced:?}");
        }
    }
    println!("{compared} of {programs} programs compared, {all} endings");
    assert!(compared * 2 > programs, "most programs are small enough: {compared} of {programs}");
    assert!(all > compared, "races have more than one ending");
}

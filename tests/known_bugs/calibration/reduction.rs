//! The calibration's table of reduction, as step programs: how many executions there are without reduction, with the
//! conflicts of reads and writes, and with the rule for queues; all three end in the same ways.

use super::measure::{check_reduced, check_reduction};
use super::programs::{State, idle, set, step};
use crate::soundness::endings;
use oleander::platform::{Access, ObjectKind};
use oleander_sim::schedule::{Dfs, Dpor};
use oleander_sim::steps::{Program, Step, Then, own};

/// The event in a field is set.
fn set_event<const N: usize>(field: usize) -> Step<State<N>> {
    step(move |s: &mut State<N>| {
        s[field] = 1;
        Then::Next
    })
    .signals(field as u64)
}

fn wait<const N: usize>(field: usize) -> Step<State<N>> {
    step(idle).when(move |s: &State<N>| s[field] == 1).waits_for(field as u64)
}

#[test]
fn setter_and_two_waiters_all() {
    let mut program = Program::new([0; 1]);
    program.thread("main", [wait(0), Step::join(1), Step::join(2)]);
    program.thread("setter", [set_event(0)]);
    program.thread("waiter", [wait(0)]);
    check_reduction("a setter and two waiters", &program, 3, 1);
}

#[test]
fn two_independent_pairs_all() {
    let mut program = Program::new([0; 2]);
    program.thread("main", [wait(0), wait(1), Step::join(1), Step::join(2)]);
    program.thread("first", [set_event(0)]);
    program.thread("second", [set_event(1)]);
    check_reduction("two independent pairs", &program, 3, 1);
}

#[test]
fn call_with_canceller_all() {
    // What main has seen of the result, and the server of the cancel, is theirs alone.
    let [event, result, cancelled, main, server] = [0, 1, 2, 3, 4];
    let mut program = Program::new([0; 5]);
    let read = |from: usize, into: usize| {
        step(move |s: &mut State<5>| {
            s[into] = s[from];
            Then::Next
        })
        .reads(from as u64)
    };
    program.thread("main", [wait(event), read(result, main), Step::join(1), Step::join(2)]);
    let write = set(result, move |s: &mut State<5>| s[result] = 1 + s[server]);
    program.thread("server", [read(cancelled, server), write, set_event(event)]);
    program.thread("canceller", [set(cancelled, move |s: &mut State<5>| s[cancelled] = 1)]);
    check_reduction("a call with a canceller", &program, 7, 2);
}

/// One STA and its clients: what is in its queue, whom it serves, whose events are set, whom it has served.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Sta {
    queue: Vec<u64>,
    serves: u64,
    set: Vec<u64>,
    served: Vec<u64>,
}

const QUEUE: u64 = 0;
const FIRST_MESSAGE: u64 = 1;
const FIRST_EVENT: u64 = 11;

/// server: k × [receive q, set the event of the call received] · client i: post i to q, wait event i. The rule for queues
/// is used, or posts and receives are writes like any other.
fn clients_on_one_sta(k: u64, with_rule: bool) -> Program<Sta> {
    let mut program = Program::new(Sta::default());
    let next = |s: &mut Sta| {
        s.serves = s.queue.remove(0);
        s.served.push(s.serves);
        Then::Next
    };
    let serve = (0..k).flat_map(|_| {
        let receive = Step::new(next).when(|s| !s.queue.is_empty());
        let set = Step::new(|s: &mut Sta| {
            s.set.push(s.serves);
            Then::Next
        });
        let event = |s: &Sta| own(FIRST_EVENT + s.serves, ObjectKind::Event, Access::Signal);
        [
            if with_rule { receive.receives(QUEUE, |s| FIRST_MESSAGE + s.queue[0]) } else { receive.writes(QUEUE) },
            set.noting(move |s, notes| notes.push(event(s))),
        ]
    });
    program.thread("server", serve);
    for i in 0..k {
        let post = Step::new(move |s: &mut Sta| {
            s.queue.push(i);
            Then::Next
        });
        let post = if with_rule { post.posts(QUEUE, FIRST_MESSAGE + i) } else { post.writes(QUEUE) };
        let wait = Step::new(|_: &mut Sta| Then::Next).when(move |s| s.set.contains(&i)).waits_for(FIRST_EVENT + i);
        program.thread(&format!("client {i}"), [post, wait]);
    }
    program
}

#[test]
fn clients_on_one_sta_all() {
    for (k, plain, traces, orders) in [(2, 26, 4, 2), (3, 2_454, 30, 6), (4, 516_792, 336, 24)] {
        let (all, found) = endings(&clients_on_one_sta(k, true), &mut Dfs::default());
        assert_eq!((found.schedules, found.failures), (plain, 0), "{k} clients: {found}");
        for (with_rule, executions) in [(false, traces), (true, orders)] {
            let name = format!("{k} clients, the rule for queues: {with_rule}");
            assert_eq!(check_reduced(&name, &clients_on_one_sta(k, with_rule), &all, &found), executions, "{name}");
        }
    }
}

/// Five clients have more than 30 million schedules, too many for plain search: the four above are the bound for that. Here
/// the two reductions are compared with each other, and with what must come of it: each order of the posts.
#[test]
fn five_clients_on_one_sta_are_served_in_every_order() {
    let orders = (1..=5).product();
    let both = [(false, 5_040), (true, orders)].map(|(with_rule, executions)| {
        let mut dpor = Dpor::default();
        let (all, found) = endings(&clients_on_one_sta(5, with_rule), &mut dpor);
        assert_eq!((found.schedules - dpor.redundant(), found.failures), (executions, 0), "{found}");
        all
    });
    assert_eq!(both[0], both[1]);
    assert_eq!(both[0].len() as u64, orders);
}

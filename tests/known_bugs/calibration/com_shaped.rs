//! Faults of COM code as step programs, each with a twin in which it is repaired.

use super::measure::{Known, check, check_repaired};
use super::programs::{State, bug_if, step};
use oleander_sim::steps::{Program, Step, Then};

/// Cancel and completion both look at the call, then write, then signal: the client may be signalled twice.
fn cancel_vs_complete() -> Program<State<2>> {
    let [state, signals] = [0, 1];
    let mut program = Program::new([0; 2]);
    for who in ["cancel", "complete"] {
        program.thread(
            who,
            [
                step(move |s: &mut State<2>| if s[state] == 0 { Then::Next } else { Then::End }).reads(0),
                step(move |s: &mut State<2>| {
                    s[state] = 1;
                    Then::Next
                })
                .writes(0),
                step(move |s: &mut State<2>| {
                    s[signals] += 1;
                    bug_if(s[signals] > 1, "signalled twice")
                })
                .writes(1),
            ],
        );
    }
    program
}

/// The twin: one compare-exchange decides, and who wins it signals.
fn cancel_vs_complete_repaired() -> Program<State<2>> {
    let [state, signals] = [0, 1];
    let mut program = Program::new([0; 2]);
    for who in ["cancel", "complete"] {
        program.thread(
            who,
            [
                step(move |s: &mut State<2>| {
                    let won = s[state] == 0;
                    s[state] = 1;
                    if won { Then::Next } else { Then::End }
                })
                .writes(0),
                step(move |s: &mut State<2>| {
                    s[signals] += 1;
                    bug_if(s[signals] > 1, "signalled twice")
                })
                .writes(1),
            ],
        );
    }
    program
}

#[test]
fn cancel_vs_complete_all() {
    let known = Known {
        n: 2,
        all: 16,
        bad: 12,
        k: 6,
        p: 0.5,
        walks: 30,
        pct: None,
        dfs: None,
        preemptions: (1, 6, 2),
        delays: (1, 4, 1),
    };
    check("cancel_vs_complete", &cancel_vs_complete(), known);
    check_repaired("cancel_vs_complete", &cancel_vs_complete_repaired(), Some(4));
}

/// A waiter looks at the flag and then enqueues itself; in between, the signaller sets it and finds nobody to wake.
fn lost_signal() -> Program<State<3>> {
    let [flag, queued, woken] = [0, 1, 2];
    let mut program = Program::new([0; 3]);
    program.thread(
        "waiter",
        [
            step(move |s: &mut State<3>| if s[flag] == 1 { Then::End } else { Then::Next }).reads(0),
            step(move |s: &mut State<3>| {
                s[queued] = 1;
                Then::Next
            })
            .writes(1),
            step(|_: &mut State<3>| Then::Next).when(move |s| s[woken] == 1).reads(2),
        ],
    );
    program.thread("signaller", signaller());
    program
}

fn signaller() -> [Step<State<3>>; 2] {
    let [flag, queued, woken] = [0, 1, 2];
    [
        step(move |s: &mut State<3>| {
            s[flag] = 1;
            Then::Next
        })
        .writes(0),
        step(move |s: &mut State<3>| {
            s[woken] = s[queued];
            Then::Next
        })
        .reads(1)
        .writes(2),
    ]
}

/// The twin: the look and the enqueuing are one step, as under a lock.
fn lost_signal_repaired() -> Program<State<3>> {
    let [flag, queued, woken] = [0, 1, 2];
    let mut program = Program::new([0; 3]);
    program.thread(
        "waiter",
        [
            step(move |s: &mut State<3>| {
                s[queued] = i32::from(s[flag] == 0);
                if s[flag] == 1 { Then::End } else { Then::Next }
            })
            .reads(0)
            .writes(1),
            step(|_: &mut State<3>| Then::Next).when(move |s| s[woken] == 1).reads(2),
        ],
    );
    program.thread("signaller", signaller());
    program
}

#[test]
fn lost_signal_all() {
    let known = Known {
        n: 2,
        all: 5,
        bad: 1,
        k: 5,
        p: 0.125,
        walks: 156,
        pct: None,
        dfs: None,
        preemptions: (1, 4, 1),
        delays: (1, 3, 1),
    };
    check("lost_signal", &lost_signal(), known);
    check_repaired("lost_signal", &lost_signal_repaired(), None);
}

/// The server signals, and touches the call object once more; the client may have freed it.
fn touch_after_signal(touches_last: bool) -> Program<State<2>> {
    let [signalled, freed] = [0, 1];
    let mut program = Program::new([0; 2]);
    let signal = step(move |s: &mut State<2>| {
        s[signalled] = 1;
        Then::Next
    })
    .signals(0);
    let touch = step(move |s: &mut State<2>| bug_if(s[freed] == 1, "the call object is gone")).reads(1);
    program.thread("server", if touches_last { [signal, touch] } else { [touch, signal] });
    program.thread(
        "client",
        [
            step(|_: &mut State<2>| Then::Next).when(move |s| s[signalled] == 1).waits_for(0),
            step(move |s: &mut State<2>| {
                s[freed] = 1;
                Then::Next
            })
            .writes(1),
        ],
    );
    program
}

#[test]
fn touch_after_signal_all() {
    let known = Known {
        n: 2,
        all: 3,
        bad: 1,
        k: 4,
        p: 0.25,
        walks: 73,
        pct: None,
        dfs: None,
        preemptions: (1, 2, 1),
        delays: (1, 2, 1),
    };
    check("touch_after_signal", &touch_after_signal(true), known);
    check_repaired("touch_after_signal", &touch_after_signal(false), None);
}

/// What of two STAs has a call in its queue, and what has its reply.
const QUEUE: [usize; 2] = [0, 1];
const REPLY: [usize; 2] = [2, 3];

fn post(to: usize) -> Step<State<4>> {
    step(move |s: &mut State<4>| {
        s[QUEUE[to]] = 1;
        Then::Next
    })
    .writes(QUEUE[to] as u64)
}

/// Takes the call out of the queue, if there is one, and replies.
fn serve(s: &mut State<4>, me: usize) {
    if s[QUEUE[me]] == 1 {
        s[QUEUE[me]] = 2;
        s[REPLY[1 - me]] = 1;
    }
}

fn served(s: &State<4>, me: usize) -> bool {
    s[QUEUE[me]] == 2
}

/// An STA calls the other and serves; that one serves what is there, then calls. They wait without dispatching.
fn sta_cross_call() -> Program<State<4>> {
    let mut program = Program::new([0; 4]);
    let wait = |me: usize| step(|_: &mut State<4>| Then::Next).when(move |s| s[REPLY[me]] == 1).reads(REPLY[me] as u64);
    let serves = |me: usize| {
        step(move |s: &mut State<4>| {
            serve(s, me);
            Then::Next
        })
        .writes(QUEUE[me] as u64)
        .writes(REPLY[1 - me] as u64)
    };
    program.thread("STA 1", [post(1), wait(0), serves(0).when(|s| s[QUEUE[0]] == 1)]);
    program.thread("STA 2", [serves(1), post(0), wait(1)]);
    program
}

/// The twin: while they wait they dispatch.
fn sta_cross_call_repaired() -> Program<State<4>> {
    let mut program = Program::new([0; 4]);
    let pump = |me: usize| {
        // A step that serves and has no reply yet is taken again.
        let ready = move |s: &State<4>| s[REPLY[me]] == 1 || s[QUEUE[me]] == 1;
        step(move |s: &mut State<4>| {
            serve(s, me);
            if s[REPLY[me]] == 1 { Then::Next } else { Then::Again }
        })
        .when(ready)
        .writes(QUEUE[me] as u64)
        .reads(REPLY[me] as u64)
        .writes(REPLY[1 - me] as u64)
    };
    let last = |me: usize| {
        step(move |s: &mut State<4>| {
            serve(s, me);
            Then::Next
        })
        .when(move |s| s[QUEUE[me]] == 1)
        .writes(QUEUE[me] as u64)
        .writes(REPLY[1 - me] as u64)
    };
    let pump_first = {
        let ready = |s: &State<4>| s[REPLY[0]] == 1 || s[QUEUE[0]] == 1;
        step(move |s: &mut State<4>| {
            serve(s, 0);
            match (s[REPLY[0]] == 1, served(s, 0)) {
                (true, true) => Then::End,
                (true, false) => Then::Next,
                (false, _) => Then::Again,
            }
        })
        .when(ready)
        .writes(QUEUE[0] as u64)
        .reads(REPLY[0] as u64)
        .writes(REPLY[1] as u64)
    };
    program.thread("STA 1", [post(1), pump_first, last(0)]);
    let poll = step(move |s: &mut State<4>| {
        serve(s, 1);
        Then::Next
    })
    .writes(QUEUE[1] as u64)
    .writes(REPLY[0] as u64);
    program.thread("STA 2", [poll, post(0), pump(1)]);
    program
}

#[test]
fn sta_cross_call_all() {
    let known = Known {
        n: 2,
        all: 4,
        bad: 2,
        k: 6,
        p: 0.5,
        walks: 30,
        pct: None,
        dfs: None,
        preemptions: (0, 2, 1),
        delays: (1, 3, 1),
    };
    check("sta_cross_call", &sta_cross_call(), known);
    check_repaired("sta_cross_call", &sta_cross_call_repaired(), Some(6));
}

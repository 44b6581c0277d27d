//! Programs in the style of the SCTBench set, as step programs. The state of each is an array of numbers; its fields have
//! names. A lock is a field with its holder's number, counted from 1; 0 is nobody.

use oleander_sim::steps::{Program, Step, Then};

/// A state of `N` numbers.
pub type State<const N: usize> = [i32; N];
type S<const N: usize> = Step<State<N>>;

pub fn step<const N: usize>(run: impl Fn(&mut State<N>) -> Then + 'static) -> S<N> {
    Step::new(run)
}

/// A step that changes one field, and says so.
pub fn set<const N: usize>(field: usize, run: impl Fn(&mut State<N>) + 'static) -> S<N> {
    step(move |s| {
        run(s);
        Then::Next
    })
    .writes(field as u64)
}

/// Takes a lock and does something with it.
fn lock<const N: usize>(lock: usize, who: i32, run: impl Fn(&mut State<N>) -> Then + 'static) -> S<N> {
    step(move |s: &mut State<N>| {
        s[lock] = who;
        run(s)
    })
    .when(move |s| s[lock] == 0)
    .writes(lock as u64)
}

fn unlock<const N: usize>(lock: usize) -> S<N> {
    set(lock, move |s| s[lock] = 0)
}

pub fn bug_if(bug: bool, what: &'static str) -> Then {
    if bug { Then::Bug(what) } else { Then::Next }
}

pub fn idle<const N: usize>(_: &mut State<N>) -> Then {
    Then::Next
}

fn nothing<const N: usize>() -> S<N> {
    step(idle).alone()
}

/// Three threads add under a lock; the third asserts that it is not the last.
pub fn lazy01() -> Program<State<2>> {
    let [m, v] = [0, 1];
    let mut program = Program::new([0; 2]);
    let add = move |by: i32| {
        move |s: &mut State<2>| {
            s[v] += by;
            Then::Next
        }
    };
    program.thread("A", [lock(m, 1, add(1)).writes(1), unlock(m)]);
    program.thread("B", [lock(m, 2, add(2)).writes(1), unlock(m)]);
    let check = move |s: &mut State<2>| bug_if(s[v] >= 3, "v is not below 3");
    program.thread("C", [lock(m, 3, check).reads(1), unlock(m)]);
    program
}

/// A check that must not come after both the deposit and the withdrawal.
pub fn account() -> Program<State<3>> {
    let [m, deposited, withdrawn] = [0, 1, 2];
    let mut program = Program::new([0; 3]);
    let check = move |s: &mut State<3>| bug_if(s[deposited] == 1 && s[withdrawn] == 1, "checked too late");
    program.thread("check", [lock(m, 1, check).reads(1).reads(2), unlock(m)]);
    for (who, name, field) in [(2, "deposit", deposited), (3, "withdraw", withdrawn)] {
        let done = move |s: &mut State<3>| {
            s[field] = 1;
            Then::Next
        };
        program.thread(name, [lock(m, who, done).writes(field as u64), unlock(m)]);
    }
    program
}

/// A token goes round, if its threads come in turn.
pub fn token_ring() -> Program<State<4>> {
    let [x1, x2, x3, ran] = [0, 1, 2, 3];
    let mut program = Program::new([1, 2, 1, 0]);
    let pass = |to: usize, from: usize, by: i32| {
        step(move |s: &mut State<4>| {
            s[to] = (s[from] + by) % 4;
            s[ran] += 1;
            Then::Next
        })
        .writes(to as u64)
        .reads(from as u64)
        .writes(3)
    };
    program.thread("1", [pass(x1, x3, 1)]);
    program.thread("2", [pass(x2, x1, 0)]);
    program.thread("3", [pass(x3, x2, 0)]);
    let differ = move |s: &mut State<4>| bug_if(s[ran] == 3 && (s[x1] != s[x2] || s[x2] != s[x3]), "they differ");
    program.thread("check", [step(differ).reads(0).reads(1).reads(2).reads(3)]);
    program
}

/// Philosophers with a fork between each two, who take the one on their left first.
pub fn philosophers<const N: usize>() -> Program<State<N>> {
    let mut program = Program::new([0; N]);
    for i in 0..N {
        let (left, right, who) = (i, (i + 1) % N, i as i32 + 1);
        let eat = [lock(left, who, idle), lock(right, who, idle), unlock(right), unlock(left)];
        program.thread(&format!("philosopher {i}"), eat);
    }
    program
}

/// Two threads take two locks in opposite order, the second time.
pub fn carter01() -> Program<State<4>> {
    let [m, l] = [0, 1];
    let mut program = Program::new([0; 4]);
    for i in 0..2 {
        let (x, who) = (2 + i, i as i32 + 1);
        let add = move |by: i32| {
            move |s: &mut State<4>| {
                s[x] += by;
                Then::Next
            }
        };
        program.thread(
            &format!("{i}"),
            [
                lock(m, who, add(1)),
                step(move |s: &mut State<4>| {
                    if s[x] == 1 {
                        s[l] = who;
                    }
                    Then::Next
                })
                .when(move |s| s[x] != 1 || s[l] == 0)
                .writes(1),
                unlock(m),
                lock(m, who, add(-1)),
                set(l, move |s: &mut State<4>| {
                    if s[x] == 0 {
                        s[l] = 0;
                    }
                }),
                unlock(m),
            ],
        );
    }
    program
}

/// A driver that is stopped while somebody works with it.
pub fn bluetooth_driver() -> Program<State<6>> {
    let [flag, pending, event, stopped, zero, set_event] = [0, 1, 2, 3, 4, 5];
    let mut program = Program::new([0, 1, 0, 0, 0, 0]);
    let down = move |zero: usize| {
        [
            step(move |s: &mut State<6>| {
                s[pending] -= 1;
                s[zero] = i32::from(s[pending] == 0);
                if s[zero] == 1 { Then::Next } else { Then::Skip(1) }
            })
            .writes(1),
            set(event, move |s: &mut State<6>| s[event] = 1),
        ]
    };
    let mut add = vec![
        step(move |s: &mut State<6>| if s[flag] == 0 { Then::Next } else { Then::Skip(2) }).reads(0),
        set(pending, move |s: &mut State<6>| s[pending] += 1),
        step(move |s: &mut State<6>| bug_if(s[stopped] == 1, "used after the stop")).reads(3),
    ];
    add.extend(down(zero));
    program.thread("add", add);
    let mut stop = vec![set(flag, move |s: &mut State<6>| s[flag] = 1)];
    stop.extend(down(set_event));
    stop.push(step(move |s: &mut State<6>| if s[event] == 1 { Then::Next } else { Then::End }).reads(2));
    stop.push(set(stopped, move |s: &mut State<6>| s[stopped] = 1));
    program.thread("stop", stop);
    program
}

/// What is written under two locks, one after the other, is read between them.
pub fn twostage() -> Program<State<5>> {
    let [l1, l2, d1, d2, seen] = [0, 1, 2, 3, 4];
    let mut program = Program::new([0; 5]);
    let first = move |s: &mut State<5>| {
        s[d1] = 1;
        Then::Next
    };
    let second = move |s: &mut State<5>| {
        s[d2] = s[d1] + 1;
        Then::Next
    };
    program.thread("A", [lock(l1, 1, first).writes(2), unlock(l1), lock(l2, 1, second).writes(3).reads(2), unlock(l2)]);
    let read = move |s: &mut State<5>| {
        s[seen] = s[d1];
        Then::Next
    };
    program.thread(
        "B",
        [
            lock(l1, 2, read).reads(2),
            step(move |s: &mut State<5>| {
                s[l1] = 0;
                if s[seen] == 0 { Then::End } else { Then::Next }
            })
            .writes(0),
            lock(l2, 2, idle).reads(3),
            step(move |s: &mut State<5>| {
                s[l2] = 0;
                bug_if(s[d2] != s[seen] + 1, "read between the stages")
            })
            .writes(1)
            .reads(3),
        ],
    );
    program
}

/// Two threads guard one number with different locks; `b` of the second kind.
pub fn wronglock(b: usize) -> Program<State<9>> {
    let [d, t, v, x, again] = [0, 1, 2, 3, 4];
    let mut program = Program::new([0; 9]);
    let read = move |into: usize| {
        step(move |s: &mut State<9>| {
            s[into] = s[v];
            Then::Next
        })
        .reads(2)
    };
    program.thread(
        "A",
        [
            lock(d, 1, idle),
            read(x),
            read(again),
            set(v, move |s: &mut State<9>| s[v] = s[again] + 1),
            step(move |s: &mut State<9>| bug_if(s[v] != s[x] + 1, "somebody else wrote")).reads(2),
            unlock(d),
        ],
    );
    for i in 0..b {
        let (own, who) = (5 + i, i as i32 + 2);
        let write = set(v, move |s: &mut State<9>| s[v] = s[own] + 1);
        program.thread(&format!("B{i}"), [lock(t, who, idle), read(own), write, unlock(t)]);
    }
    program
}

/// `setters` write two numbers without a lock; one checker sees them half-written.
pub fn reorder(setters: usize) -> Program<State<2>> {
    let [a, b] = [0, 1];
    let mut program = Program::new([0; 2]);
    for i in 0..setters {
        program.thread(&format!("setter {i}"), [set(a, move |s| s[a] = 1), set(b, move |s| s[b] = -1)]);
    }
    program.thread(
        "checker",
        [
            step(move |s: &mut State<2>| if s[a] == 0 { Then::Next } else { Then::Skip(1) }).reads(0),
            step(move |s: &mut State<2>| if s[b] == 0 { Then::End } else { Then::Next }).reads(1),
            step(move |s: &mut State<2>| bug_if(s[a] != 1, "a is not 1")).reads(0),
            step(move |s: &mut State<2>| bug_if(s[b] != -1, "b is not -1")).reads(1),
        ],
    );
    program
}

/// The example of the paper on probabilistic concurrency testing: a pointer is tested, set to null, used.
pub fn figure_1b() -> Program<State<1>> {
    let mut program = Program::new([1]);
    let none = |n: usize| (0..n).map(|_| nothing());
    program.thread("writer", none(5).chain([set(0, |s: &mut State<1>| s[0] = 0)]).chain(none(4)));
    program.thread(
        "reader",
        none(4)
            .chain([
                step(|s: &mut State<1>| if s[0] == 0 { Then::Skip(1) } else { Then::Next }).reads(0),
                step(|s: &mut State<1>| bug_if(s[0] == 0, "null is used")).reads(0),
            ])
            .chain(none(4)),
    );
    program
}

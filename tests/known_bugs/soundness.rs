//! The reduced search reaches exactly the final states and failures of plain depth-first search: on random step programs
//! of up to three threads and twelve steps, here, and on every program of the calibration, there.

use oleander::platform::{Access, ObjectKind};
use oleander_sim::schedule::{Dfs, Dpor, Schedule};
use oleander_sim::steps::{Program, Step, Then, own};
use oleander_sim::{Builder, Checked, End, Exploration, Limits};
use std::collections::BTreeSet;

const PROGRAMS: u64 = 1000;
const VARIABLE: u64 = 0;
const LOCK: u64 = 4;
const EVENT: u64 = 8;
const AUTO: u64 = 12;
const QUEUE: u64 = 16;
const FIRST_MESSAGE: u64 = 20;

/// Everything there is in a random program.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct State {
    variables: [u32; 2],
    locks: [usize; 2],
    events: [bool; 2],
    auto: bool,
    queue: Vec<u64>,
    locals: [u32; 3],
}

/// Numbers that are as good as random.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

fn step(run: impl Fn(&mut State) + 'static) -> Step<State> {
    Step::new(move |s: &mut State| {
        run(s);
        Then::Next
    })
}

/// Steps of all kinds, and those that never have to wait.
const ALL: [u64; 13] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
const WITHOUT_WAITS: [u64; 9] = [0, 1, 2, 3, 5, 6, 8, 9, 11];

fn random_step(numbers: &mut Numbers, kinds: &[u64], me: usize, message: u64) -> Step<State> {
    let which = numbers.below(2) as usize;
    let object = which as u64;
    match kinds[numbers.below(kinds.len() as u64) as usize] {
        0 | 1 => step(move |s| s.locals[me] = s.locals[me] * 3 + s.variables[which]).reads(VARIABLE + object),
        2 | 3 => step(move |s| s.variables[which] = s.locals[me] + 1).writes(VARIABLE + object),
        4 => step(move |s| s.locks[which] = me + 1).when(move |s| s.locks[which] == 0).writes(LOCK + object),
        5 => step(move |s| {
            if s.locks[which] == me + 1 {
                s.locks[which] = 0;
            }
        })
        .writes(LOCK + object),
        6 => step(move |s| s.events[which] = true).signals(EVENT + object),
        7 => step(|_| ()).when(move |s| s.events[which]).waits_for(EVENT + object),
        8 => step(move |s| s.events[which] = false).touching(own(EVENT + object, ObjectKind::Event, Access::Write)),
        9 => step(|s| s.auto = true).touching(own(AUTO, ObjectKind::AutoEvent, Access::Signal)),
        10 => step(|s| s.auto = false).when(|s| s.auto).touching(own(AUTO, ObjectKind::AutoEvent, Access::Write)),
        11 => step(move |s| s.queue.push(message)).posts(QUEUE, message),
        _ => step(move |s| s.locals[me] = s.queue.remove(0) as u32)
            .when(|s| !s.queue.is_empty())
            .receives(QUEUE, |s| s.queue[0]),
    }
}

fn random_program(seed: u64, kinds: &[u64]) -> Program<State> {
    let mut numbers = Numbers(seed);
    let mut program = Program::new(State::default());
    let threads = 2 + numbers.below(2) as usize;
    for me in 0..threads {
        let steps = 1 + numbers.below(12 / threads as u64);
        let mut all: Vec<_> =
            (0..steps).map(|i| random_step(&mut numbers, kinds, me, FIRST_MESSAGE + me as u64 * 16 + i)).collect();
        if numbers.below(4) == 0 {
            let bad = numbers.below(4) as u32;
            let check = move |s: &mut State| if s.locals[me] == bad { Then::Bug("the number") } else { Then::Next };
            all.push(Step::new(check).alone());
        }
        program.thread(&me.to_string(), all);
    }
    program
}

/// How executions end: the words, and the state. Where a bug ends one there is no state: what others have not done yet is no
/// part of it.
pub type Endings<S> = BTreeSet<(String, Option<S>)>;

/// How every execution that a strategy asks for ends, and what was found.
pub fn endings<S: Clone + Ord>(program: &Program<S>, schedule: &mut dyn Schedule) -> (Endings<S>, Exploration) {
    let limits = Limits { count_traces: false, abandoned_max: usize::MAX, ..Limits::default() };
    let mut all = BTreeSet::new();
    let found = program.explore_with(schedule, &limits, &mut |end, state| {
        let state = (!matches!(end, End::Panicked { .. })).then(|| state.clone());
        all.insert((end.to_string(), state));
    });
    assert!(found.complete, "{found}");
    (all, found)
}

#[test]
fn reduction_loses_no_ending_of_a_random_program() {
    let (mut plain, mut reduced, mut redundant, mut interesting) = (0, 0, 0, 0);
    for seed in 0..PROGRAMS {
        let program = random_program(seed, &ALL);
        let (all, Exploration { schedules, .. }) = endings(&program, &mut Dfs::default());
        let mut dpor = Dpor::default();
        let (kept, Exploration { schedules: executions, .. }) = endings(&program, &mut dpor);
        assert_eq!(all, kept, "program {seed}: {schedules} schedules, {executions} executions");
        assert!(executions - dpor.redundant() <= schedules, "program {seed}");
        plain += schedules;
        reduced += executions;
        redundant += dpor.redundant();
        interesting += u64::from(all.len() > 1);
    }
    println!("{plain} schedules, {reduced} executions, {redundant} of them redundant, {interesting} programs branch");
    assert!(interesting > PROGRAMS / 5, "only {interesting} programs can end in more ways than one");
    assert!(reduced * 10 < plain, "{reduced} executions of {plain} schedules are hardly a reduction");
}

/// How every execution ends that a check runs.
fn checked_endings(program: &Program<State>, builder: &Builder) -> (Endings<State>, Checked) {
    let mut all = BTreeSet::new();
    let checked = program.check_each(builder, |end, state| {
        all.insert((end.to_string(), Some(state.clone())));
    });
    (all, checked)
}

#[test]
fn an_exploration_in_parts_loses_no_ending_and_has_no_execution_twice() {
    let (mut whole, mut failing) = (0, 0);
    for seed in 0..PROGRAMS {
        let program = random_program(seed, if seed % 2 == 0 { &ALL } else { &WITHOUT_WAITS });
        let (all, _) = endings(&program, &mut Dfs::default());
        let (alone, reference) = checked_endings(&program, &Builder::new());
        failing += u64::from(reference.failure.is_some());
        for split_after in [1, 2, 5] {
            let builder = Builder::new().split_after(split_after);
            let (parts, checked) = checked_endings(&program, &builder);
            assert_eq!(
                reference.failure.is_some(),
                checked.failure.is_some(),
                "program {seed}, {split_after}: {checked}"
            );
            if reference.failure.is_some() {
                continue;
            }
            whole += u64::from(checked.executions > split_after);
            assert_eq!((&alone, &parts), (&all, &all), "program {seed}, {split_after}");
            assert_eq!(reference.executions, checked.executions, "program {seed}, {split_after}");
            let shards: Vec<_> = (0..3).map(|i| checked_endings(&program, &builder.clone().shard(i, 3))).collect();
            let together: BTreeSet<_> = shards.iter().flat_map(|(endings, _)| endings.iter().cloned()).collect();
            assert_eq!(together, all, "program {seed}, {split_after}, in shards");
            let sum: u64 = shards.iter().map(|(_, checked)| checked.executions).sum();
            assert_eq!(sum, reference.executions, "program {seed}, {split_after}, in shards");
        }
    }
    println!("{whole} explorations in parts, {failing} programs fail");
    assert!(
        whole > PROGRAMS / 4 && failing > PROGRAMS / 10,
        "{whole} explorations in parts, {failing} failing programs"
    );
}

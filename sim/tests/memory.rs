//! The memory that an exploration takes does not depend on how many executions it has.

use oleander::kernel::Event;
use oleander_sim::{Builder, Strategy, world};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The system's allocator, which counts the bytes that are alive, and the most there were.
struct Counting;

static ALIVE: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is the system's allocator's.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let alive = ALIVE.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        MOST.fetch_max(alive, Ordering::Relaxed);
        // SAFETY: the caller's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        ALIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// What an exploration may take more: vectors grow to the next power of two, and what is left of a long one is split into more
/// parts, up to a number that does not depend on its length. It is three bytes an execution.
const SLACK_BYTES: usize = 48 * 1024;

/// Three threads with four steps each that depend on each other: 34,650 schedules, and as many classes.
fn three_threads() {
    let event = Event::manual();
    let threads: Vec<_> = (0..3)
        .map(|_| {
            let event = event.clone();
            world::spawn("thread", move || (0..4).for_each(|_| event.reset()))
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().expect("it does not panic"));
}

/// The most bytes that so many executions took at once, and what they left.
fn measured(strategy: Strategy, executions: u64) -> (usize, usize) {
    let before = ALIVE.load(Ordering::Relaxed);
    MOST.store(before, Ordering::Relaxed);
    let checked = Builder::new().strategy(strategy).workers(1).executions_max(executions).run(three_threads);
    assert_eq!((checked.executions, checked.failure.is_none()), (executions, true), "{strategy:?}: {checked}");
    drop(checked);
    (MOST.load(Ordering::Relaxed) - before, ALIVE.load(Ordering::Relaxed).saturating_sub(before))
}

#[test]
fn an_exploration_takes_the_same_memory_however_long_it_is() {
    for strategy in [Strategy::Dfs, Strategy::Exhaustive, Strategy::Random, Strategy::Pct(3)] {
        // The first makes what later ones use again. All of them split what is left after 2,000 executions.
        measured(strategy, 3_000);
        let (few, many) = (measured(strategy, 3_000), measured(strategy, 20_000));
        println!("{strategy:?}: 3,000 executions {few:?} bytes, 20,000 executions {many:?} bytes");
        assert!(many.0 <= few.0 + SLACK_BYTES, "{strategy:?}: the most bytes at once: {few:?}, then {many:?}");
        assert!(many.1 <= SLACK_BYTES, "{strategy:?}: bytes left: {few:?}, then {many:?}");
    }
}

//! One table of what operations cost, ours beside the peers' in one process: `bash ci/speed`.
//!
//! The contestants take turns in short batches, so whatever else the machine does disturbs all alike, and most batches not
//! at all; each cell is the median of its batches. A ratio is the peer's time by ours: above one, ours is faster.
//!
//! `cargo run --release -p oleander-benches --features peers --bin table [SECONDS]`: how long each contest lasts.

use oleander_benches::Place;
use oleander_benches::memory::{self, Bytes};
use oleander_benches::operations::{self, Contest, Contestant, Target};
use std::alloc::{GlobalAlloc, Layout, System};
use std::fmt::Write;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How long a batch takes at least.
const BATCH: Duration = Duration::from_millis(1);
/// How many batches each contestant has at least.
const BATCHES_MIN: usize = 11;

/// A contestant's times.
struct Lane<'a> {
    contestant: &'a mut Contestant,
    rounds: u64,
    ns: Vec<f64>,
}

impl<'a> Lane<'a> {
    /// Warm, and with as many rounds as a batch needs.
    fn new(contestant: &'a mut Contestant) -> Self {
        let mut lane = Self { contestant, rounds: 1, ns: Vec::new() };
        while lane.batch() < BATCH {
            lane.rounds *= 2;
        }
        lane.ns.clear();
        lane
    }

    fn batch(&mut self) -> Duration {
        let began = Instant::now();
        (self.contestant.run)(self.rounds);
        let took = began.elapsed();
        self.ns.push(took.as_nanos() as f64 / (self.rounds as f64 * f64::from(self.contestant.operations)));
        took
    }

    fn median(mut self) -> (&'static str, f64) {
        self.ns.sort_by(f64::total_cmp);
        (self.contestant.name, self.ns[self.ns.len() / 2])
    }
}

/// The medians, ours first.
fn measure(contest: &mut Contest, lasts: Duration) -> Vec<(&'static str, f64)> {
    let contestants = std::iter::once(&mut contest.ours).chain(&mut contest.peers);
    let mut lanes: Vec<_> = contestants.map(Lane::new).collect();
    let began = Instant::now();
    while began.elapsed() < lasts || lanes[0].ns.len() < BATCHES_MIN {
        for lane in &mut lanes {
            lane.batch();
        }
    }
    lanes.into_iter().map(Lane::median).collect()
}

/// Nanoseconds as a reader likes them.
fn time(ns: f64) -> String {
    match ns {
        ns if ns < 100.0 => format!("{ns:.1} ns"),
        ns if ns < 10_000.0 => format!("{ns:.0} ns"),
        ns => format!("{:.1} µs", ns / 1e3),
    }
}

/// Ours of the lines before.
#[derive(Clone, Copy)]
struct Before {
    /// The best of those that must not collapse.
    best: f64,
    /// The last.
    last: f64,
}

/// What is asked, and whether it is so; a peer that is not measured here cannot be compared with.
fn judge(target: Target, ours: f64, peers: &[(&str, f64)], before: Before) -> (String, Option<bool>) {
    let peer = |name: &str| peers.iter().find(|peer| peer.0 == name).map(|peer| peer.1);
    match target {
        Target::Under(ns) => (format!("at most {}", time(ns)), Some(ours <= ns)),
        Target::Times(times, name) => (format!("at most {times} × {name}"), peer(name).map(|ns| ours <= times * ns)),
        Target::Within(ns, name) => {
            (format!("within {} of {name}", time(ns)), peer(name).map(|peer| (ours - peer).abs() <= ns))
        }
        Target::FasterThan(names) => {
            let met = names.iter().map(|name| peer(name).map(|ns| ours < ns)).collect::<Option<Vec<_>>>();
            ("faster than every peer".into(), met.map(|met| met.into_iter().all(|met| met)))
        }
        Target::NoCollapse => ("no collapse: at most 1.25 × the best above".into(), Some(ours <= 1.25 * before.best)),
        Target::Falling => ("less than the line above".into(), Some(ours < before.last)),
    }
}

/// The table's line.
fn line(contest: &Contest, medians: &[(&str, f64)], before: Before) -> String {
    let (ours, peers) = (medians[0].1, &medians[1..]);
    let place = contest.place.map_or("one thread", |place| match place {
        Place::OneCpu => "one CPU",
        Place::CpuEach => "a CPU each",
        Place::Free => "any CPU",
    });
    let mut cells = String::new();
    for (name, ns) in peers {
        let gap = if cells.is_empty() { "" } else { ", " };
        write!(cells, "{gap}{name} {} (×{:.2})", time(*ns), ns / ours).expect("memory");
    }
    let mut asked = String::new();
    for target in &contest.targets {
        let (words, met) = judge(*target, ours, peers, before);
        let gap = if asked.is_empty() { "" } else { "; " };
        write!(asked, "{gap}{words}: {}", verdict(met)).expect("memory");
    }
    format!("| {} | {place} | {} | {cells} | {asked} |", contest.what, time(ours))
}

/// The system's allocator, which counts bytes while it is told to.
struct Counting;

static COUNTS: AtomicBool = AtomicBool::new(false);
/// From somewhere on, so that what was allocated before it counted may be freed: only differences mean something.
static LIVE: AtomicUsize = AtomicUsize::new(1 << 40);

impl Counting {
    fn add(bytes: usize) {
        if COUNTS.load(Ordering::Relaxed) {
            LIVE.fetch_add(bytes, Ordering::Relaxed);
        }
    }
}

// SAFETY: the system's allocator does all the work.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::add(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }
    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        Self::add(size.wrapping_sub(layout.size()));
        // SAFETY: the caller's promise.
        unsafe { System.realloc(memory, layout, size) }
    }
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        Self::add(layout.size().wrapping_neg());
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn live() -> usize {
    LIVE.load(Ordering::Relaxed)
}

fn bytes() {
    COUNTS.store(true, Ordering::Relaxed);
    let lines = memory::measure(live);
    COUNTS.store(false, Ordering::Relaxed);
    println!("\n| memory of | bytes | asked |\n| --- | --- | --- |");
    for Bytes { what, bytes, at_most } in lines {
        let asked = at_most.map(|most| format!("at most {most}: {}", verdict(Some(bytes <= most))));
        println!("| {what} | {bytes} | {} |", asked.unwrap_or_default());
    }
}

fn verdict(met: Option<bool>) -> &'static str {
    met.map_or("not compared", |met| if met { "met" } else { "**missed**" })
}

fn main() {
    let seconds = std::env::args().nth(1).map_or(2.0, |text| text.parse().expect("seconds"));
    println!("| operation | threads on | Oleander | peers, and how many times ours they take | asked |");
    println!("| --- | --- | --- | --- | --- |");
    let mut before = Before { best: f64::INFINITY, last: f64::INFINITY };
    for row in operations::all() {
        row.run(|contest| {
            let medians = measure(contest, Duration::from_secs_f64(seconds));
            println!("{}", line(contest, &medians, before));
            before.last = medians[0].1;
            if contest.targets.iter().any(|target| matches!(target, Target::NoCollapse)) {
                before.best = before.best.min(before.last);
            }
        });
    }
    bytes();
}

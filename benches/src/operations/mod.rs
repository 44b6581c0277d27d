//! What is measured: an operation a file, ours and the peers' in one [`Contest`].
//!
//! `benches/operations.rs` hands each contest to criterion; `src/bin/table.rs` lets the contestants take turns and prints
//! one table. Both enter the row's apartment, make the contest there (which starts its servers and pins the thread) and
//! drop it before they leave.

mod awaiting;
mod begin_finish;
mod direct;
mod event;
mod marshal;
mod ping_pong;
mod pool;
mod sta_call;
pub mod throughput;
mod waits;

use crate::{PLACES, Place, in_apartment};
use oleander::COINIT_MULTITHREADED;

/// One of those that do the same.
pub struct Contestant {
    /// Its name in reports.
    pub name: &'static str,
    /// How many operations a round is.
    pub operations: u32,
    /// Runs so many rounds.
    pub run: Box<dyn FnMut(u64)>,
}

impl Contestant {
    /// The loop is inside, so that a round costs no call through a pointer.
    pub fn new(name: &'static str, operations: u32, mut round: impl FnMut() + 'static) -> Self {
        Self { name, operations, run: Box::new(move |rounds| (0..rounds).for_each(|_| round())) }
    }
}

/// What is asked of ours.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// At most so many nanoseconds an operation.
    Under(f64),
    /// At most so many times what this peer takes.
    Times(f64, &'static str),
    /// At most so many nanoseconds more than this peer takes.
    Within(f64, &'static str),
    /// Less than every peer of these.
    FasterThan(&'static [&'static str]),
    /// At most 1.25 times the best of ours in rows like this one before.
    NoCollapse,
    /// Less than ours in the row before.
    Falling,
}

/// The same operation by several.
pub struct Contest {
    /// The operation.
    pub what: String,
    /// Where its threads run; `None` for one thread only, which is pinned.
    pub place: Option<Place>,
    /// Oleander.
    pub ours: Contestant,
    /// The others.
    pub peers: Vec<Contestant>,
    /// What is asked.
    pub targets: Vec<Target>,
}

/// A contest that is not made yet.
pub struct Row {
    /// The model of the apartment that it is made, run and dropped in: `COINIT_…`.
    pub apartment: u32,
    make: Box<dyn Fn() -> Contest>,
}

impl Row {
    fn new(apartment: u32, make: impl Fn() -> Contest + 'static) -> Self {
        Self { apartment, make: Box::new(make) }
    }

    fn in_mta(make: impl Fn() -> Contest + 'static) -> Self {
        Self::new(COINIT_MULTITHREADED, make)
    }

    /// One for each placement of two threads.
    fn placed(make: fn(Place) -> Contest) -> impl Iterator<Item = Self> {
        PLACES.into_iter().map(move |place| Self::in_mta(move || make(place)))
    }

    /// Enters the apartment, makes the contest, hands it to `measure` and takes everything down.
    pub fn run(&self, measure: impl FnOnce(&mut Contest)) {
        in_apartment(self.apartment, || measure(&mut (self.make)()));
    }
}

/// All of them, in the order of the table.
pub fn all() -> Vec<Row> {
    let mut rows = Vec::new();
    rows.extend(event::rows());
    rows.extend(waits::rows());
    rows.extend(ping_pong::rows());
    rows.extend(sta_call::rows());
    rows.extend(begin_finish::rows());
    rows.extend(awaiting::rows());
    rows.extend(pool::rows());
    rows.extend(throughput::rows());
    rows.extend(direct::rows());
    rows.extend(marshal::rows());
    rows
}

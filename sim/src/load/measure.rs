//! What a load measures: how long each call took, and how things stood at regular times.
//!
//! Memory does not grow with the run: times go into a histogram, and when there are too many samples every other one is
//! forgotten and the interval doubled.

use hdrhistogram::Histogram;
use std::cell::{Cell, RefCell};
use std::time::Duration;

/// Samples that are kept.
const SAMPLES_MAX: usize = 2_000;

/// How things stood at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The virtual time, in nanoseconds since the load began.
    pub at_ns: u64,
    /// Calls that were over by then.
    pub completed: u64,
    /// Calls that were under way.
    pub in_flight: u64,
    /// What the gauges said, in the order in which they were made.
    pub gauges: Vec<u64>,
}

/// How long calls took, in virtual time. Percentiles are known to a part in a thousand.
#[derive(Clone, Debug)]
pub struct Latencies {
    times: Histogram<u64>,
    longest_ns: u64,
}

impl Latencies {
    fn new() -> Self {
        Self { times: Histogram::new(3).expect("three digits are allowed"), longest_ns: 0 }
    }

    fn add(&mut self, ns: u64) {
        self.times.record(ns).expect("a histogram that grows takes every time");
        self.longest_ns = self.longest_ns.max(ns);
    }

    /// The time within which so many percent of the calls were over; zero when there were none.
    pub fn percentile(&self, percent: f64) -> Duration {
        // The end of a bucket may lie beyond the last call in it.
        Duration::from_nanos(self.times.value_at_percentile(percent).min(self.longest_ns))
    }

    /// The longest, exactly.
    pub fn longest(&self) -> Duration {
        Duration::from_nanos(self.longest_ns)
    }

    /// The mean.
    pub fn mean(&self) -> Duration {
        Duration::from_nanos(self.times.mean() as u64)
    }

    /// How many calls.
    pub fn count(&self) -> u64 {
        self.times.len()
    }
}

/// Reads a number of the scenario's.
pub(super) type Gauge = Box<dyn Fn() -> u64>;

/// Takes the measures. Touched on the load's thread only, and never borrowed while a gauge is read for long: gauges look
/// at something of the scenario's and nothing else.
pub(super) struct Sampler {
    every_ns: Cell<u64>,
    next_ns: Cell<u64>,
    completed: Cell<u64>,
    in_flight: Cell<u64>,
    in_flight_max: Cell<u64>,
    latencies: RefCell<Latencies>,
    samples: RefCell<Vec<Sample>>,
    pub(super) gauges: RefCell<Vec<(String, Gauge)>>,
}

/// What was measured.
pub(super) struct Measured {
    pub(super) latencies: Latencies,
    pub(super) samples: Vec<Sample>,
    pub(super) gauges: Vec<String>,
    pub(super) in_flight_max: u64,
}

impl Sampler {
    pub(super) fn new(every: Duration) -> Self {
        let every_ns = u64::try_from(every.as_nanos()).unwrap_or(u64::MAX).max(1);
        Self {
            every_ns: Cell::new(every_ns),
            next_ns: Cell::new(0),
            completed: Cell::new(0),
            in_flight: Cell::new(0),
            in_flight_max: Cell::new(0),
            latencies: RefCell::new(Latencies::new()),
            samples: RefCell::default(),
            gauges: RefCell::default(),
        }
    }

    pub(super) fn began(&self) {
        self.in_flight.update(|calls| calls + 1);
        self.in_flight_max.update(|most| most.max(self.in_flight.get()));
    }

    /// A call is over, after so long; `None` when its future was dropped before.
    pub(super) fn over(&self, took_ns: Option<u64>) {
        self.in_flight.update(|calls| calls - 1);
        if let Some(took_ns) = took_ns {
            self.completed.update(|calls| calls + 1);
            self.latencies.borrow_mut().add(took_ns);
        }
    }

    /// The clock goes to `now_ns`; nothing has changed since it moved last.
    pub(super) fn until(&self, now_ns: u64) {
        while self.next_ns.get() < now_ns {
            let at_ns = self.next_ns.get();
            self.sample(at_ns);
            self.next_ns.set(at_ns.saturating_add(self.every_ns.get()));
        }
    }

    fn sample(&self, at_ns: u64) {
        let gauges = self.gauges.borrow().iter().map(|(_, gauge)| gauge()).collect();
        let (completed, in_flight) = (self.completed.get(), self.in_flight.get());
        let mut samples = self.samples.borrow_mut();
        samples.push(Sample { at_ns, completed, in_flight, gauges });
        if samples.len() >= SAMPLES_MAX {
            let every_ns = self.every_ns.get().saturating_mul(2);
            samples.retain(|sample| sample.at_ns.is_multiple_of(every_ns));
            self.every_ns.set(every_ns);
        }
    }

    /// Takes the last sample, and what was measured.
    pub(super) fn finish(&self, now_ns: u64) -> Measured {
        self.until(now_ns);
        self.sample(now_ns);
        let gauges = self.gauges.take();
        Measured {
            latencies: self.latencies.replace(Latencies::new()),
            samples: self.samples.take(),
            gauges: gauges.into_iter().map(|(name, _)| name).collect(),
            in_flight_max: self.in_flight_max.get(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_taken_at_their_times_and_thinned_out() {
        let sampler = Sampler::new(Duration::from_nanos(10));
        sampler.began();
        sampler.until(25);
        sampler.over(Some(25));
        let times: Vec<_> = sampler.samples.borrow().iter().map(|s| (s.at_ns, s.in_flight, s.completed)).collect();
        assert_eq!(times, [(0, 1, 0), (10, 1, 0), (20, 1, 0)]);
        sampler.until(1_000_000);
        let measured = sampler.finish(1_000_000);
        assert!(measured.samples.len() < SAMPLES_MAX, "{}", measured.samples.len());
        assert!(measured.samples.is_sorted_by_key(|sample| sample.at_ns));
        assert_eq!(measured.samples.last().map(|sample| (sample.at_ns, sample.completed)), Some((1_000_000, 1)));
        assert_eq!(measured.latencies.longest(), Duration::from_nanos(25));
        assert_eq!(measured.in_flight_max, 1);
    }
}

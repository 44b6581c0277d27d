//! Loads: very many clients at once, in virtual time.
//!
//! [`crate::check`] asks whether a scenario is right under every schedule; a [`Load`] asks how it behaves under one, with a
//! hundred thousand clients. The COM is the same: real proxies, call objects, apartments and pools. What differs is the
//! port underneath, which runs a thread on until it must wait, and the clients, which are futures on one thread: a stack for
//! each would use up what a machine has at some ten thousand.
//!
//! ```
//! use oleander_sim::load::{Load, Times};
//! use std::time::Duration;
//!
//! let report = Load::new().seed(1).run(|site| {
//!     site.clients(1_000, |client| async move {
//!         client.sleep(client.draw(&Times::Exponential(Duration::from_millis(5)))).await;
//!         // Here a call would be begun, awaited and finished.
//!         client.call(client.sleep(Duration::from_millis(2))).await;
//!     });
//! });
//! assert_eq!(report.expect_completed().latencies.count(), 1_000);
//! assert_eq!(report.latencies.longest(), Duration::from_millis(2));
//! ```
//!
//! Only a wait, a sleep or the end of a thread lets others run: `while event is not set {}` never ends here, as on a machine
//! without preemption. Sleep for no time in such loops.
//!
//! The rooms: `port` and `hub` run the threads, `measure` counts and samples, `report` has the words, the CSV and the plot.

mod hub;
mod measure;
mod port;
mod report;

pub use crate::times::Times;
pub use measure::{Latencies, Sample};
pub use report::{LoadReport, plot};

use crate::choice::Random;
use futures_util::stream::{FuturesUnordered, StreamExt};
use measure::Sampler;
use port::LoadPort;
use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// What a load is run with.
#[derive(Clone, Debug)]
pub struct Load {
    seed: u64,
    sample_every: Duration,
    limit: Duration,
    pool_threads: usize,
}

impl Default for Load {
    fn default() -> Self {
        Self { seed: 0, sample_every: Duration::from_millis(10), limit: Duration::MAX, pool_threads: 4 }
    }
}

impl Load {
    /// Seed 0, a sample every 10 virtual milliseconds, no limit, four processors.
    pub fn new() -> Self {
        Self::default()
    }

    /// The seed of all that is random. The same seed gives the same run.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// How often in virtual time a sample is taken, to begin with: of very long runs fewer are kept.
    pub fn sample_every(mut self, time: Duration) -> Self {
        self.sample_every = time;
        self
    }

    /// How long the run may last in virtual time; then it ends as a deadlock would, with the threads that wait.
    pub fn limit(mut self, time: Duration) -> Self {
        self.limit = time;
        self
    }

    /// How many workers of the MTA's pool run at once: the processors of the machine that is simulated. A worker that waits
    /// or sleeps does not run.
    pub fn processors(mut self, n: usize) -> Self {
        self.pool_threads = n;
        self
    }

    /// Runs a scenario on the main thread of a new process, to its end and that of the threads that it starts
    /// (`oleander::kernel::spawn`).
    ///
    /// # Panics
    /// Where a load or a world runs on this thread already.
    pub fn run(&self, scenario: impl FnOnce(&Site)) -> LoadReport {
        assert!(!port::inside() && !crate::world::is_inside(), "a world runs on this thread already: they do not nest");
        assert!(!std::thread::panicking(), "no load can run while its thread unwinds a panic");
        let port = LoadPort::new(self.seed, self.pool_threads);
        let sampler = Rc::new(Sampler::new(self.sample_every));
        let site = Site { sampler: sampler.clone(), seed: self.seed };
        let limit_ns = u64::try_from(self.limit.as_nanos()).unwrap_or(u64::MAX);
        let ended = hub::run(&port, &sampler, limit_ns, || scenario(&site));
        LoadReport::new(ended, sampler.finish(port.now_ns.get()))
    }
}

/// Where a scenario puts its clients and gauges.
pub struct Site {
    sampler: Rc<Sampler>,
    seed: u64,
}

impl Site {
    /// Runs so many clients on the current thread, all at once, and returns when all are done. Between their steps an STA
    /// dispatches calls, as in [`oleander::future::block_on`].
    pub fn clients<F: Future<Output = ()>>(&self, count: usize, mut client: impl FnMut(Client) -> F) {
        let all: FuturesUnordered<F> = (0..count)
            .map(|number| {
                let random = RefCell::new(Random::of_execution(self.seed, number as u64));
                client(Client { number, random, sampler: self.sampler.clone() })
            })
            .collect();
        oleander::future::block_on(all.for_each(|()| std::future::ready(())));
    }

    /// A number that is sampled: the length of a queue, say. `read` looks and nothing else.
    pub fn gauge(&self, name: &str, read: impl Fn() -> u64 + 'static) {
        self.sampler.gauges.borrow_mut().push((name.to_owned(), Box::new(read)));
    }
}

/// One of many clients.
pub struct Client {
    number: usize,
    random: RefCell<Random>,
    sampler: Rc<Sampler>,
}

impl Client {
    /// Which one, from 0.
    pub fn number(&self) -> usize {
        self.number
    }

    /// Draws a time. Each client has random numbers of its own.
    pub fn draw(&self, times: &Times) -> Duration {
        times.draw(&mut self.random.borrow_mut())
    }

    /// Lets virtual time pass.
    pub fn sleep(&self, time: Duration) -> Sleep {
        let ns = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        Sleep { at_ns: oleander::platform::now_ns().saturating_add(ns), asked: None }
    }

    /// Measures a call, from the first poll of `call` until it is ready.
    pub async fn call<T>(&self, call: impl Future<Output = T>) -> T {
        let mut under_way = UnderWay::new(&self.sampler);
        let output = call.await;
        under_way.is_over = true;
        output
    }
}

/// A call that is measured.
struct UnderWay<'a> {
    sampler: &'a Sampler,
    began_ns: u64,
    is_over: bool,
}

impl<'a> UnderWay<'a> {
    fn new(sampler: &'a Sampler) -> Self {
        sampler.began();
        Self { sampler, began_ns: oleander::platform::now_ns(), is_over: false }
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.sampler.over(self.is_over.then(|| oleander::platform::now_ns() - self.began_ns));
    }
}

/// Resolves when a virtual time has come. Made by [`Client::sleep`].
#[must_use = "futures do nothing unless polled"]
#[derive(Debug)]
pub struct Sleep {
    at_ns: u64,
    /// Who will be woken then.
    asked: Option<Waker>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if oleander::platform::now_ns() >= self.at_ns {
            return Poll::Ready(());
        }
        if !self.asked.as_ref().is_some_and(|asked| asked.will_wake(cx.waker())) {
            port::with_here(|port| port.wake_at(self.at_ns, cx.waker()));
            self.asked = Some(cx.waker().clone());
        }
        Poll::Pending
    }
}

//! Who works at the jobs of a round: the current thread, or several threads of the operating system with a world each.
//!
//! Jobs are taken in their order. When one has halted for any other reason than that it is done, those behind it do not
//! matter any more, and whoever works at one stops.

use super::Rules;
use super::work::{Halt, Job, work};
use crate::explore::{Runner, Scenario};
use crate::world::Hub;
use std::collections::VecDeque;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Who works.
#[derive(Clone, Copy)]
pub(crate) enum Crew<'a> {
    /// The current thread.
    Alone,
    /// So many threads.
    /// With how much real time a step may take.
    Threads(usize, &'a (dyn Fn() + Sync), Duration),
}

impl Crew<'_> {
    /// Works at jobs until all have halted; they come back in their order.
    pub(super) fn run(self, jobs: Vec<Job>, rules: &Rules, runner: &mut dyn Runner) -> Vec<Job> {
        match self {
            Crew::Threads(workers, scenario, stall_max) if workers > 1 && jobs.len() > 1 => {
                together(jobs, workers, rules, scenario, stall_max)
            }
            _ => alone(jobs, rules, runner),
        }
    }
}

fn alone(mut jobs: Vec<Job>, rules: &Rules, runner: &mut dyn Runner) -> Vec<Job> {
    for job in &mut jobs {
        work(job, runner, rules, false, &|| false);
        if !is_done(job) {
            break;
        }
    }
    jobs
}

fn together(
    jobs: Vec<Job>,
    workers: usize,
    rules: &Rules,
    scenario: &(dyn Fn() + Sync),
    stall_max: Duration,
) -> Vec<Job> {
    let end = AtomicUsize::new(usize::MAX);
    let workers = workers.min(jobs.len());
    let mut done: Vec<Option<Job>> = jobs.iter().map(|_| None).collect();
    let queue: Mutex<VecDeque<(usize, Job)>> = Mutex::new(jobs.into_iter().enumerate().collect());
    let worker = || {
        let mut runner = Scenario { hub: Hub::new(stall_max), scenario: &|| scenario() };
        let mut mine = Vec::new();
        loop {
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            let Some((number, mut job)) = next else { return mine };
            work(&mut job, &mut runner, rules, false, &|| end.load(Ordering::Relaxed) < number);
            if !is_done(&job) {
                end.fetch_min(number, Ordering::Relaxed);
            }
            mine.push((number, job));
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
        for thread in threads {
            match thread.join() {
                Ok(jobs) => jobs.into_iter().for_each(|(number, job)| done[number] = Some(job)),
                Err(panic) => resume_unwind(panic),
            }
        }
    });
    done.into_iter().map(|job| job.expect("every job was worked at")).collect()
}

fn is_done(job: &Job) -> bool {
    matches!(job.halt, Some(Halt::Done))
}

//! A connection: the parcels from one process to another, and the courier that brings them when they are due.
//!
//! `queue` is in the order of sending, which is that of the due times. Sending is part of the step that sends; bringing a
//! parcel is one step of the courier. The courier is a daemon of the receiving process and ends with the world.

use crate::choice::Random;
use crate::times::Times;
use oleander::network::Parcel;
use oleander::platform::{self, Access, Deadline, Object, ObjectKind, Spawn, Why};
use oleander::process::Process;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(super) struct Connection {
    object: Object,
    to: Arc<Process>,
    state: Mutex<State>,
}

struct State {
    queue: VecDeque<(u64, Parcel)>,
    last_due_ns: u64,
    random: Random,
    has_courier: bool,
}

impl Connection {
    pub(super) fn new((from, to): (u32, u32), process: &Arc<Process>, seed: u64) -> Arc<Self> {
        let random = Random::of_execution(seed, u64::from(from) << 32 | u64::from(to));
        let state = State { queue: VecDeque::new(), last_due_ns: 0, random, has_courier: false };
        Arc::new(Self { object: process.new_object(ObjectKind::User), to: process.clone(), state: Mutex::new(state) })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a parcel whose last byte went in at `sent_ns`.
    pub(super) fn send(self: &Arc<Self>, sent_ns: u64, latency: Times, parcel: Parcel) {
        platform::note(self.object, Access::Write);
        let first = {
            let mut state = self.lock();
            let travels = u64::try_from(latency.draw(&mut state.random).as_nanos()).unwrap_or(u64::MAX);
            let due = sent_ns.saturating_add(travels).max(state.last_due_ns);
            state.last_due_ns = due;
            state.queue.push_back((due, parcel));
            !std::mem::replace(&mut state.has_courier, true)
        };
        if first {
            let spawn = Spawn { name: "courier".to_owned(), process: self.to.clone(), daemon: true };
            let connection = self.clone();
            self.to.port().spawn(spawn, Box::new(move || while connection.bring_one() {}));
        }
    }

    /// Waits for the next parcel and brings it; false when the world is over.
    fn bring_one(&self) -> bool {
        let on = [self.object];
        let due = || self.lock().queue.front().map(|(due, _)| *due);
        if !platform::block(&on, &|| due().is_some(), Deadline::NEVER, Why::Idle) {
            return false;
        }
        while let Some(at) = due().filter(|at| *at > platform::now_ns()) {
            let deadline = Deadline::at_ns(at);
            platform::block(&on, &|| false, deadline, Why::Idle);
            if !deadline.passed() {
                return false;
            }
        }
        // It may have been lost meanwhile.
        let parcel = self.lock().queue.pop_front();
        if let Some((_, parcel)) = parcel {
            super::hand_over(&self.to, parcel);
        }
        true
    }

    /// The connection breaks.
    pub(super) fn lose_all(&self) {
        platform::note(self.object, Access::Write);
        let lost = std::mem::take(&mut self.lock().queue);
        lost.into_iter().for_each(|(_, parcel)| super::lose(parcel));
    }
}

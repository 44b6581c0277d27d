//! How an execution ended, read off the world: who waits for what, who goes round in circles, who panicked. Called by the hub,
//! between steps.

use super::state::{Pending, State, World};
use crate::check::used_after_end;
use crate::report::{Blocked, End};
use crate::trace::{Ledger, circling};
use oleander::platform::ThreadRef;
use std::sync::Arc;

impl World {
    /// It went on for too long: who does the same again and again.
    pub(super) fn step_limit(&self) -> End {
        let state = self.state.borrow();
        End::StepLimit { circling: circling(&state.trace, &state.names()) }
    }

    /// Nobody can go on: who waits for what.
    pub(super) fn deadlock(&self) -> End {
        let state = self.state.borrow();
        let mut ledger = Ledger::of(&state.trace, &state.names());
        for (number, (slot, touches)) in state.slots.iter().zip(&state.touches).enumerate() {
            if let Pending::Wait { why, .. } = slot.pending {
                ledger.block(number, why, touches.iter().map(|touch| touch.object).collect());
            }
        }
        let blocked = state.slots.iter().zip(&state.touches).enumerate();
        let blocked = blocked.filter_map(|(number, (slot, touches))| match slot.pending {
            Pending::Wait { why, .. } => Some(Blocked {
                thread: slot.thread.name().to_owned(),
                why,
                on: touches.iter().map(|touch| touch.object).filter(|object| Some(*object) != slot.life).collect(),
                daemon: slot.daemon,
                words: ledger.words(number),
            }),
            _ => None,
        });
        let mut processes: Vec<_> = state.slots.iter().map(|slot| slot.thread.process()).collect();
        processes.dedup_by(|a, b| Arc::ptr_eq(a, b));
        let limits = processes.iter().flat_map(|process| process.limits_reached()).collect();
        End::Deadlock { blocked: blocked.collect(), limits }
    }

    /// The first panic of any thread, or only of the scenario's first, or what ends the execution as one does.
    pub(super) fn panic(&self, of_any: bool) -> Option<End> {
        let state = self.state.borrow();
        let slots = if of_any { &state.slots[..] } else { &state.slots[..1] };
        let panic = slots.iter().find_map(|slot| panicked(&slot.thread, slot.panic.as_deref()));
        panic.or_else(|| self.used_after_end(&state))
    }

    fn used_after_end(&self, state: &State) -> Option<End> {
        self.run.used_after_end.get().then(|| used_after_end(&state.trace, &state.names())).flatten()
    }
}

fn panicked(thread: &ThreadRef, message: Option<&str>) -> Option<End> {
    message.map(|message| End::Panicked { thread: thread.name().to_owned(), message: message.to_owned() })
}

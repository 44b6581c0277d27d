//! Pure state machines: no locks, no clock, no threads, no COM pointers. Each is a word of bits and a function from
//! (word, event) to (word, outcome); [`Word`] applies one atomically. A transition that can lose a race says so in its
//! outcome, which must be used.

pub mod call;
pub(crate) mod halves;
pub mod refs;
pub mod server_call;

use crate::platform::sync::{AtomicU32, Ordering};

/// A state machine's word, shared between threads.
pub(crate) struct Word(AtomicU32);

impl Word {
    pub(crate) fn new(bits: u32) -> Self {
        Self(AtomicU32::new(bits))
    }

    pub(crate) fn load(&self) -> u32 {
        self.0.load(Ordering::Acquire)
    }

    /// Applies a pure transition as one atomic step and returns its outcome.
    pub(crate) fn apply<O>(&self, mut transition: impl FnMut(u32) -> (u32, O)) -> O {
        let mut seen = self.0.load(Ordering::Acquire);
        loop {
            let (next, outcome) = transition(seen);
            if next == seen {
                return outcome;
            }
            match self.0.compare_exchange_weak(seen, next, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return outcome,
                Err(now) => seen = now,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transition_that_lost_a_race_is_applied_to_what_is_there_now() {
        let (word, mut seen) = (Word::new(1), Vec::new());
        let outcome = word.apply(|bits| {
            seen.push(bits);
            if bits == 1 {
                // The faster one.
                word.apply(|bits| (bits + 1, ()));
            }
            (bits * 10, bits)
        });
        assert_eq!((outcome, word.load(), seen), (2, 20, vec![1, 2]));
    }
}

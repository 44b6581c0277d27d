//! The fixed schedule: a thread runs on as long as it can, then the next one that can, round-robin upward.

use super::{Point, Schedule};
use crate::trace::Trace;

/// One execution, always the first choice: the first schedule of [`Dfs`](super::Dfs).
#[derive(Clone, Copy, Debug, Default)]
pub struct Fixed;

impl Schedule for Fixed {
    fn new_execution(&mut self, previous: Option<&Trace>) -> bool {
        previous.is_none()
    }

    fn choose(&mut self, _point: &Point<'_>) -> usize {
        0
    }

    fn choose_n(&mut self, _n: usize) -> usize {
        0
    }
}

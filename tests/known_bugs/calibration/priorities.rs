//! What probabilistic concurrency testing can draw: every order of the threads and every choice of change points, each once.
//! So the share of executions that fail is the exact chance with which it meets a bug.

use oleander_sim::schedule::{Point, Schedule};
use oleander_sim::trace::Trace;

/// Every draw of a depth, each once. The paper's rule is written down here once more, apart from the strategy.
pub struct Priorities {
    /// Draws that are left: the threads' priorities, and the steps at which one falls.
    left: Vec<(Vec<usize>, Vec<usize>)>,
    priorities: Vec<usize>,
    changes: Vec<usize>,
}

impl Priorities {
    /// The draws for so many threads and steps.
    pub fn new(threads: usize, depth: usize, steps: usize) -> Self {
        // Behind `depth - 1` priorities for those that fall.
        let orders = arrangements(depth, threads, threads);
        let changes = arrangements(1, steps, depth - 1);
        let left = orders.iter().flat_map(|order| changes.iter().map(|steps| (order.clone(), steps.clone()))).collect();
        Self { left, priorities: Vec::new(), changes: Vec::new() }
    }

    fn highest(&self, enabled: &[usize]) -> usize {
        (0..enabled.len()).max_by_key(|&i| self.priorities[enabled[i]]).expect("somebody can run")
    }
}

/// Every way to draw `draws` different numbers, one after the other, of `count` from `first` on.
fn arrangements(first: usize, count: usize, draws: usize) -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new()];
    for _ in 0..draws {
        let longer = |drawn: Vec<usize>| {
            let fresh: Vec<_> = (first..first + count).filter(|number| !drawn.contains(number)).collect();
            fresh.into_iter().map(move |number| [&drawn[..], &[number]].concat())
        };
        all = all.into_iter().flat_map(longer).collect();
    }
    all
}

impl Schedule for Priorities {
    fn new_execution(&mut self, _previous: Option<&Trace>) -> bool {
        let Some((priorities, changes)) = self.left.pop() else { return false };
        (self.priorities, self.changes) = (priorities, changes);
        true
    }

    fn choose(&mut self, point: &Point<'_>) -> usize {
        let step = point.trace().steps().len() + 1;
        if let Some(i) = self.changes.iter().position(|&change| change == step) {
            let falls = point.enabled()[self.highest(point.enabled())];
            self.priorities[falls] = i + 1;
        }
        self.highest(point.enabled())
    }

    fn choose_n(&mut self, _n: usize) -> usize {
        unreachable!("step programs have no other choices")
    }
}

#[test]
fn every_draw_comes_once() {
    let all = arrangements(2, 4, 2);
    assert_eq!(all.len(), 12);
    assert!(all.iter().all(|it| it[0] != it[1] && it.iter().all(|number| (2..6).contains(number))), "{all:?}");
    assert_eq!(Priorities::new(3, 3, 8).left.len(), 6 * 8 * 7);
}

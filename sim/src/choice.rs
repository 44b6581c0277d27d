//! Choices: those of a scenario, and random numbers. This is the only place that draws any: a schedule is a function of its
//! seed.

use oleander::platform::{self, Fact};

/// A scenario's own choice among `n` ways to go on, counted from 0: what a device answers, which of two messages a client sends.
/// A check explores all of them, a random strategy draws one; the token of a failure has what was chosen, and its timeline says
/// it. It is no step: no other thread runs between it and what follows.
///
/// Under the default schedule, and so in [`run`](crate::run), it is 0; so it is while a panic unwinds, in the condition of a
/// wait and while a world closes. In a [load](crate::load) it is drawn from the seed.
///
/// ```
/// use oleander_sim::{Builder, choose, try_replay};
///
/// let scenario = || assert_ne!(choose(6) + 1, 4, "a die fell on four");
/// let failure = Builder::new().run(scenario).failure.expect("one of the six ways fails");
/// assert!(failure.report.to_string().contains("a die fell on four"));
/// assert_ne!(try_replay(&failure.token.to_string(), scenario).unwrap().end, oleander_sim::End::Completed);
/// ```
///
/// # Panics
/// Where there are no ways to choose among, and outside a simulated world, where nobody would try the others.
#[track_caller]
pub fn choose(n: usize) -> usize {
    assert!(n > 0, "one of no ways cannot be chosen");
    assert!(platform::is_simulated(), "choose belongs to simulated worlds: elsewhere nobody tries the other ways");
    let way = platform::current().port().choose(n);
    platform::tell(|| Fact::Chooses { way, of: n });
    way
}

/// SplitMix64: one addition and a stir for each number. The same seed gives the same numbers on every machine and in
/// every version, because replayed schedules and kept seeds rest on it.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The generator of execution `index` of a seed: executions can be drawn in any order.
    pub(crate) fn of_execution(seed: u64, index: u64) -> Self {
        let mut random = Self(seed ^ index.wrapping_mul(0xd605_1fb5_e1cd_4f2b));
        random.next();
        random
    }

    /// The next number.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// A number below `n`. The bias of the multiplication is under n / 2^64.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.next()) * n as u128) >> 64) as usize
    }
}

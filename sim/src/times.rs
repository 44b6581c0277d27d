//! Distributions of times: how long a client thinks, a server computes, a packet travels.

use crate::choice::Random;
use std::time::Duration;

/// How long something takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Times {
    /// Always so long.
    Constant(Duration),
    /// From the first to the second, each as likely.
    Uniform(Duration, Duration),
    /// Exponential with this mean: what comes from many who know nothing of each other.
    Exponential(Duration),
}

impl Times {
    /// Draws one. The same numbers give the same time on every machine.
    pub(crate) fn draw(&self, random: &mut Random) -> Duration {
        match *self {
            Self::Constant(time) => time,
            Self::Uniform(from, to) => {
                let width = u64::try_from(to.saturating_sub(from).as_nanos()).unwrap_or(u64::MAX);
                from + Duration::from_nanos(((u128::from(random.next()) * (u128::from(width) + 1)) >> 64) as u64)
            }
            Self::Exponential(mean) => {
                // In (0, 1]: 53 bits, which is what a double holds. libm's logarithm and not the machine's.
                let uniform = ((random.next() >> 11) + 1) as f64 / (1_u64 << 53) as f64;
                mean.mul_f64(-libm::log(uniform))
            }
        }
    }

    /// The mean.
    pub fn mean(&self) -> Duration {
        match *self {
            Self::Constant(time) | Self::Exponential(time) => time,
            Self::Uniform(from, to) => (from + to) / 2,
        }
    }
}

impl From<Duration> for Times {
    fn from(time: Duration) -> Self {
        Self::Constant(time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWS: u32 = 100_000;

    fn draws(times: Times) -> impl Iterator<Item = Duration> {
        let mut random = Random::new(7);
        (0..DRAWS).map(move |_| times.draw(&mut random))
    }

    #[test]
    fn draws_have_their_mean_and_stay_in_their_range() {
        let ms = Duration::from_millis;
        for times in [Times::Constant(ms(5)), Times::Uniform(ms(2), ms(8)), Times::Exponential(ms(5))] {
            let mean = draws(times).sum::<Duration>() / DRAWS;
            assert_eq!(times.mean(), ms(5));
            // The seed is fixed, so this is no matter of luck.
            assert!(mean.abs_diff(ms(5)) < Duration::from_micros(50), "{times:?}: {mean:?}");
        }
        assert!(draws(Times::Uniform(ms(2), ms(8))).all(|time| (ms(2)..=ms(8)).contains(&time)));
    }

    #[test]
    fn the_same_seed_draws_the_same_times_everywhere() {
        let first: Vec<_> = draws(Times::Exponential(Duration::from_secs(1))).take(3).map(|t| t.as_nanos()).collect();
        // -ln of SplitMix64's numbers, as computed by another program.
        assert_eq!(first, [942_045_178, 4_087_073_390, 104_515_672]);
    }
}

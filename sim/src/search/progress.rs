//! How far a long search has come, on standard error: from about one second on, and only if that is a terminal.
//!
//! Workers count executions; whoever comes to a number that is worth a look at the clock moves the bar.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Shorter searches show nothing.
const QUIET: Duration = Duration::from_secs(1);
/// How many executions there are between two looks at the clock.
const STRIDE: u64 = 16;

/// Counts executions, and shows them.
#[derive(Debug)]
pub(crate) struct Progress {
    began: Instant,
    quiet: Duration,
    /// How many there will be, if that is known.
    most: Option<u64>,
    count: AtomicU64,
    bar: OnceLock<ProgressBar>,
}

impl Progress {
    pub(crate) fn new(began: Instant, most: Option<u64>) -> Self {
        Self { began, quiet: QUIET, most, count: AtomicU64::new(0), bar: OnceLock::new() }
    }

    /// An execution has been run.
    pub(super) fn count(&self) {
        let count = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        if count.is_multiple_of(STRIDE) && self.began.elapsed() >= self.quiet {
            self.bar.get_or_init(|| self.new_bar()).set_position(count);
        }
    }

    fn new_bar(&self) -> ProgressBar {
        // It draws nothing where standard error is no terminal.
        let bar =
            ProgressBar::with_draw_target(self.most, ProgressDrawTarget::stderr()).with_elapsed(self.began.elapsed());
        let look = match self.most {
            Some(_) => "{bar:30} {human_pos} of {human_len} executions, {per_sec}, {eta} left",
            None => "{spinner} {human_pos} executions, {per_sec}, {elapsed}",
        };
        bar.with_style(ProgressStyle::with_template(look).expect("the template is right"))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = self.bar.get() {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(executions: u64, quiet: Duration, most: Option<u64>) -> Progress {
        let mut progress = Progress::new(Instant::now(), most);
        progress.quiet = quiet;
        (0..executions).for_each(|_| progress.count());
        progress
    }

    #[test]
    fn a_short_search_shows_nothing() {
        assert!(after(1_000, Duration::MAX, None).bar.get().is_none());
    }

    #[test]
    fn a_long_search_shows_how_many_executions_there_were() {
        let progress = after(1_000, Duration::ZERO, Some(5_000));
        let bar = progress.bar.get().expect("it has been shown");
        assert_eq!((bar.position(), bar.length()), (1_000 - 1_000 % STRIDE, Some(5_000)));
        let endless = after(100, Duration::ZERO, None);
        assert_eq!(endless.bar.get().expect("it has been shown").length(), None);
    }

    /// Runs itself once more, with a pipe for standard error.
    #[test]
    fn without_a_terminal_nothing_is_drawn() {
        const CHILD: &str = "OLEANDER_SIM_TEST_PROGRESS";
        if std::env::var_os(CHILD).is_some() {
            let progress = after(1_000, Duration::ZERO, Some(5_000));
            let bar = progress.bar.get().expect("a terminal would show it");
            bar.tick();
            assert!(bar.is_hidden());
            return;
        }
        let name = "search::progress::tests::without_a_terminal_nothing_is_drawn";
        let mut child = std::process::Command::new(std::env::current_exe().unwrap());
        let output = child.args([name, "--exact", "--nocapture"]).env(CHILD, "1").output().expect("it runs once more");
        let words = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && words.contains("1 passed"), "{words}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    }
}

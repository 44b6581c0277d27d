//! The scenarios of `explore.rs` as loom explores them.

#[macro_use]
#[path = "peer/scenarios.rs"]
mod peer;

fn explore(scenario: impl Fn() + Sync + Send + 'static, schedules_max: usize) {
    let mut builder = loom::model::Builder::new();
    builder.max_permutations = Some(schedules_max);
    // loom looks at its limits this often: every 20,000 schedules where nobody says.
    builder.checkpoint_interval = schedules_max;
    builder.check(scenario);
}

scenarios!(loom, explore);

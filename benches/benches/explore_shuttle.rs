//! The scenarios of `explore.rs` as shuttle explores them, depth first.

#[macro_use]
#[path = "peer/scenarios.rs"]
mod peer;

fn explore(scenario: impl Fn() + Sync + Send + 'static, schedules_max: usize) {
    shuttle::check_dfs(scenario, Some(schedules_max));
}

scenarios!(shuttle, explore);

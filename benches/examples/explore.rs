//! So many executions of one scenario, for a profiler: `explore event 10000`. Under callgrind, what differs between two such
//! numbers is what executions cost, without what the first ones set up. `bench explore` measures the time.
//!
//! The scenarios: `event` and `sta` by plain search; `check` and `full`, checks of an event and of a whole call of the sieve; `call`, such
//! a call under random schedules.

use oleander_benches::scenarios::{check, clients_on_one_sta, search, setter_and_waiter, sieve_call};
use oleander_sim::Strategy;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().expect("a scenario");
    let wanted: u64 = arguments.next().and_then(|it| it.parse().ok()).expect("a number of executions");
    let explore = || match &*name {
        "event" => search(setter_and_waiter),
        "sta" => search(|| clients_on_one_sta(2)),
        "check" => check(Strategy::Exhaustive, u64::MAX, setter_and_waiter),
        "full" => check(Strategy::Exhaustive, u64::MAX, sieve_call),
        "call" => check(Strategy::Random, 1_000, sieve_call),
        _ => panic!("no scenario {name}"),
    };
    let mut executions = 0;
    while executions < wanted {
        executions += explore();
    }
    println!("{executions} executions");
}

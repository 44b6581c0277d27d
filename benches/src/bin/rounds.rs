//! Rounds of one operation of the table, for a profile: by Oleander, or by a peer, and by nothing else.
//!
//! `rounds "64 in flight" "one_cpu" 2000` runs the first row whose title contains the words, with this placement, so often
//! as said after a hundredth of it to warm up, and prints what an operation took. A fourth word names a peer. Run it under
//! `valgrind --tool=callgrind`, `perf record` or `strace -c -f`; two runs that differ in their rounds differ by what rounds take.

use oleander_benches::Place;
use oleander_benches::operations::{self, Contestant};
use std::process::ExitCode;
use std::time::Instant;

const USAGE: &str = "rounds TITLE (one_thread | one_cpu | cpu_each | free) ROUNDS [PEER]";

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let words: Vec<_> = arguments.iter().map(String::as_str).collect();
    let (title, place, rounds, peer) = match words[..] {
        [title, place, rounds] => (title, place, rounds, None),
        [title, place, rounds, peer] => (title, place, rounds, Some(peer)),
        _ => return usage(),
    };
    let Ok(rounds) = rounds.parse::<u64>() else { return usage() };
    for row in operations::all() {
        let mut is_found = false;
        row.run(|contest| {
            if !contest.what.contains(title) || contest.place.map_or("one_thread", Place::name) != place {
                return;
            }
            let mut all = std::iter::once(&mut contest.ours).chain(&mut contest.peers);
            let Some(contestant) = all.find(|it| it.name == peer.unwrap_or("oleander")) else { return };
            is_found = true;
            let ns = measure(contestant, rounds);
            println!("{} by {}: {ns:.0} ns", contest.what, contestant.name);
        });
        if is_found {
            return ExitCode::SUCCESS;
        }
    }
    usage()
}

fn measure(contestant: &mut Contestant, rounds: u64) -> f64 {
    (contestant.run)(rounds / 100);
    let began = Instant::now();
    (contestant.run)(rounds);
    began.elapsed().as_nanos() as f64 / (rounds as f64 * f64::from(contestant.operations))
}

fn usage() -> ExitCode {
    eprintln!("{USAGE}");
    ExitCode::FAILURE
}

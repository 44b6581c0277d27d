//! An execution as text: one line a step, one column a thread, with the apartment that the thread enters.

use super::{Ledger, Note, Noted, Outcome, Touch, Trace};
use oleander::platform::{Access, Fact};
use std::fmt::Write;
use std::time::Duration;

/// The widest that a column gets.
const WIDTH_MAX: usize = 36;

/// The steps of an execution, in the columns of the threads that took them.
pub fn timeline(trace: &Trace, names: &[String]) -> String {
    let used: Vec<usize> =
        (0..trace.threads()).filter(|thread| trace.steps().iter().any(|step| step.thread == *thread)).collect();
    let ledger = Ledger::of(trace, names);
    let name = |thread: usize| match ledger.sta_of(thread) {
        Some(number) => format!("STA {number} {}", ledger.name(thread)),
        None => ledger.name(thread).to_owned(),
    };
    let cells: Vec<String> = (0..trace.steps().len()).map(|step| describe(trace, &ledger, step)).collect();
    let widest = cells.iter().map(String::len).chain(used.iter().map(|&thread| name(thread).len())).max();
    let width = widest.unwrap_or(0).min(WIDTH_MAX);
    let mut text = String::from("step ");
    for &thread in &used {
        let _ = write!(text, "| {:width$.width$} ", name(thread));
    }
    let mut ticks = trace.ticks().iter().peekable();
    let mut chosen = choices(trace, &ledger).into_iter().peekable();
    for (step, cell) in cells.iter().enumerate() {
        while let Some((_, choice)) = chosen.next_if(|(at, _)| *at <= step) {
            let _ = write!(text, "\n     . {choice}");
        }
        while ticks.next_if(|&&at| at <= step).is_some() {
            let _ = write!(text, "\n     . time passes: {:?}", Duration::from_nanos(trace.ns_at(step)));
        }
        let _ = write!(text, "\n{:4} ", step + 1);
        for &thread in &used {
            let here = if trace.steps()[step].thread == thread { cell.as_str() } else { "" };
            let _ = write!(text, "| {here:width$.width$} ");
        }
        text.truncate(text.trim_end().len());
    }
    for (_, choice) in chosen {
        let _ = write!(text, "\n     . {choice}");
    }
    text
}

/// What the scenario itself chose, and how many steps there were.
pub(crate) fn choices(trace: &Trace, ledger: &Ledger) -> Vec<(usize, String)> {
    let words = |note: &Note| match note.what {
        Noted::Fact(Fact::Chooses { way, of }) => {
            Some((note.at, format!("{} chooses {way} of {of}", ledger.name(note.thread))))
        }
        _ => None,
    };
    trace.notes().iter().filter_map(words).collect()
}

/// What a step did, in a few words: in COM's, where it is known, else in the port's.
pub(crate) fn describe(trace: &Trace, ledger: &Ledger, step: usize) -> String {
    let facts = trace.facts(step).find_map(|fact| match fact {
        Fact::Sent { interface, method, to, .. } => {
            let to = ledger.place(*to).unwrap_or_else(|| "nowhere".to_owned());
            Some(format!("calls {interface} {method} in {to}"))
        }
        Fact::Serves(call) => Some(format!("serves call {}", call.id & 0xffff)),
        Fact::Told(call) => Some(format!("signals call {}", call.id & 0xffff)),
        Fact::Refused { .. } => Some("Signal is refused".to_owned()),
        _ => None,
    });
    facts.unwrap_or_else(|| describe_touch(trace, ledger, step))
}

/// What a step did, in the port's words.
fn describe_touch(trace: &Trace, ledger: &Ledger, step: usize) -> String {
    let outcome = trace.steps()[step].outcome;
    let Some(first) = trace.announced(step).first() else {
        return if outcome == Outcome::Expired { "time is over" } else { "goes on" }.to_owned();
    };
    let rest = trace.announced(step).len() - 1;
    let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    let object = ledger.titled(first.object);
    match outcome {
        Outcome::Operation => format!("{} {object}", verb(first)),
        Outcome::Ready | Outcome::Found => format!("has waited for {object}{more}"),
        Outcome::Expired => format!("gives up on {object}{more}"),
    }
}

fn verb(touch: &Touch) -> &'static str {
    match touch.access {
        Access::Read => "looks at",
        Access::Write => "changes",
        Access::Signal => "signals",
        Access::Post => "posts to",
        Access::Receive => "takes from",
    }
}

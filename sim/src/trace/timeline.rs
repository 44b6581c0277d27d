//! An execution as text: one line a step, one column a thread.

use super::{Outcome, Touch, Trace};
use oleander::platform::{Access, ObjectKind};
use std::fmt::Write;

/// The widest that a column gets.
const WIDTH_MAX: usize = 26;

/// The steps of an execution, in the columns of the threads that took them.
pub fn timeline(trace: &Trace, names: &[String]) -> String {
    let used: Vec<usize> =
        (0..trace.threads()).filter(|thread| trace.steps().iter().any(|step| step.thread == *thread)).collect();
    let name = |thread: usize| names.get(thread).map_or_else(|| format!("thread {thread}"), Clone::clone);
    let cells: Vec<String> = (0..trace.steps().len()).map(|step| describe(trace, step)).collect();
    let widest = cells.iter().map(String::len).chain(used.iter().map(|&thread| name(thread).len())).max();
    let width = widest.unwrap_or(0).min(WIDTH_MAX);
    let mut text = String::from("step ");
    for &thread in &used {
        let _ = write!(text, "| {:width$.width$} ", name(thread));
    }
    let mut ticks = trace.ticks().iter().peekable();
    for (step, cell) in cells.iter().enumerate() {
        while ticks.next_if(|&&at| at <= step).is_some() {
            text.push_str("\n     . time passes");
        }
        let _ = write!(text, "\n{:4} ", step + 1);
        for &thread in &used {
            let here = if trace.steps()[step].thread == thread { cell.as_str() } else { "" };
            let _ = write!(text, "| {here:width$.width$} ");
        }
        text.truncate(text.trim_end().len());
    }
    text
}

/// What a step did, in a few words.
pub(crate) fn describe(trace: &Trace, step: usize) -> String {
    let outcome = trace.steps()[step].outcome;
    let Some(first) = trace.announced(step).first() else {
        return if outcome == Outcome::Expired { "time is over" } else { "goes on" }.to_owned();
    };
    let rest = trace.announced(step).len() - 1;
    let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    match outcome {
        Outcome::Operation => format!("{} {}", verb(first), thing(first)),
        Outcome::Ready | Outcome::Found => format!("has waited for {}{more}", thing(first)),
        Outcome::Expired => format!("gives up on {}{more}", thing(first)),
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

/// What is touched: the kind and the number.
pub(crate) fn thing(touch: &Touch) -> String {
    let kind = match touch.object.kind {
        ObjectKind::Event => "event",
        ObjectKind::AutoEvent => "auto event",
        ObjectKind::Semaphore => "semaphore",
        ObjectKind::Mutex => "mutex",
        ObjectKind::Queue => "queue",
        ObjectKind::Thread => "end of thread",
        ObjectKind::Call => "call",
        ObjectKind::Pool => "pool",
        ObjectKind::Table => "table",
        ObjectKind::Apcs => "APCs",
        ObjectKind::Message => "message",
        ObjectKind::User => "object",
    };
    // Places in tables have large numbers of their own; what tells them apart is in the low digits.
    format!("{kind} {}", touch.object.id & 0xffff)
}

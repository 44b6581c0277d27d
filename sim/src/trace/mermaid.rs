//! A picture as Mermaid text, which issue trackers draw.

use super::picture::Picture;
use std::fmt::Write;

/// Characters that end a text in Mermaid, as its own entities.
fn plain(text: &str) -> String {
    text.replace('#', "#35;").replace(';', "#59;").replace('\n', " ")
}

/// `sequenceDiagram`: calls as arrows, replies as dashed ones, what else a step did as notes.
pub(crate) fn mermaid(picture: &Picture) -> String {
    let mut text = String::from("sequenceDiagram\n");
    for (at, lane) in picture.lanes.iter().enumerate() {
        let _ = writeln!(text, "    participant L{at} as {}", plain(format!("{} {}", lane.place, lane.name).trim()));
    }
    for (at, row) in picture.rows.iter().enumerate() {
        if let Some(time) = &row.time {
            let _ = writeln!(text, "    Note over L0: virtual time {time}");
        }
        let mut told = false;
        for call in picture.calls.iter().filter(|call| call.from.0 == at) {
            if let Some(to) = call.served.map(|served| served.1).or(call.to) {
                let arrow = if call.served.is_some() { "->>" } else { "-x" };
                let _ = writeln!(text, "    L{}{arrow}L{to}: {}", call.from.1, plain(&call.name));
                told = true;
            }
        }
        for call in picture.calls.iter().filter(|call| call.decided.is_some_and(|decided| decided.0 == at)) {
            let what = if call.asynchronous { "Signal" } else { "reply" };
            let _ = writeln!(text, "    L{}-->>L{}: {what}", row.lane, call.from.1);
            told = true;
        }
        if !told {
            let _ = writeln!(text, "    Note over L{}: {} {}", row.lane, row.number, plain(&row.text));
        }
    }
    for (at, lane) in picture.lanes.iter().enumerate() {
        if let Some(stuck) = &lane.stuck {
            let _ = writeln!(text, "    Note over L{at}: {}", plain(stuck));
        }
    }
    text
}

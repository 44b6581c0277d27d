//! A picture as one self-contained page: inline SVG, its style and its script; nothing is loaded from anywhere.
//!
//! Every text that comes from the scenario goes through `html-escape`. The arrow keys, Home and End choose a step; `#step=7`
//! in the address does, too. Colours follow the reader's scheme. Print is dark on white, in strips that no page's end cuts,
//! each with the names of the lanes; landscape where there are many.

use super::mermaid::mermaid;
use super::picture::{CallLine, Picture};
use html_escape::{encode_double_quoted_attribute as attribute, encode_text};
use std::fmt::Write;

const GUTTER: usize = 120;
const LANE: usize = 250;
const HEAD: usize = 64;
const ROW: usize = 30;
/// The most rows of a strip in print, and lanes from which on print is landscape.
const STRIP: usize = 16;
const LANES_WIDE: usize = 4;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

fn x(lane: usize) -> usize {
    GUTTER + LANE * lane + 40
}

fn y(row: usize) -> usize {
    HEAD + ROW * row + ROW / 2
}

/// The page of a picture. `title` is the test's name, `replay` the line that replays it.
pub(crate) fn page(picture: &Picture, title: &str, replay: &str) -> String {
    let mut text = String::new();
    let (name, head) = (encode_text(title), picture.ending.first().map_or("", String::as_str));
    let _ = write!(
        text,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{name}: {}</title>\n<style>\n{STYLE}</style>\n</head>\n<body{}>\n<header>\n<h1>{name}</h1>\n",
        encode_text(head),
        if picture.lanes.len() >= LANES_WIDE { " class=\"wide\"" } else { "" }
    );
    let ending = picture.ending.join("\n");
    let class = if picture.failed { "ending failed" } else { "ending" };
    let _ = write!(text, "<pre class=\"{class}\">{}</pre>\n</header>\n", encode_text(&ending));
    if picture.left_out > 0 {
        let _ = writeln!(text, "<p>The first {} steps are left out.</p>", picture.left_out);
    }
    text.push_str(
        "<p class=\"help\">↑ ↓ choose a step, Home and End the first and the last. Point at a call to see its state.</p>\n\
         <main>\n<div class=\"scroll\">\n",
    );
    svg(&mut text, picture);
    text.push_str("</div>\n<aside aria-live=\"polite\">\n<h2 id=\"at\">no step chosen</h2>\n<ul id=\"calls\">\n");
    for call in &picture.calls {
        let _ = writeln!(
            text,
            "<li data-call=\"{}\" data-states=\"{}\"><b>{}</b> <span></span></li>",
            call.number,
            states(call),
            encode_text(&label(call))
        );
    }
    text.push_str("</ul>\n</aside>\n</main>\n<footer>\n");
    let _ = write!(
        text,
        "<h2>Replay</h2>\n<pre>{}</pre>\n<details><summary>Mermaid, for an issue</summary>\n<pre id=\"mermaid\">{}</pre>\n\
         </details>\n</footer>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n",
        encode_text(replay),
        encode_text(&mermaid(picture))
    );
    text
}

fn label(call: &CallLine) -> String {
    format!("call {} {}", call.number & 0xffff, call.name)
}

fn states(call: &CallLine) -> String {
    let one = |&(row, state): &(usize, &str)| format!("{row}={state}");
    attribute(&call.states.iter().map(one).collect::<Vec<_>>().join(";")).into_owned()
}

fn svg(text: &mut String, picture: &Picture) {
    let stuck = picture.lanes.iter().any(|lane| lane.stuck.is_some());
    let rows = picture.rows.len() + usize::from(stuck);
    let (width, height) = (GUTTER + LANE * picture.lanes.len().max(1), HEAD + ROW * rows + 16);
    let _ = write!(
        text,
        "<svg viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"group\" \
         aria-label=\"The schedule: {} steps of {} threads\">\n<defs><marker id=\"tip\" viewBox=\"0 0 10 10\" refX=\"9\" \
         refY=\"5\" markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\"><path d=\"M0 0L10 5L0 10z\"/></marker></defs>\n<g id=\"schedule\">\n",
        picture.rows.len(),
        picture.lanes.len()
    );
    lanes(text, picture, rows, height);
    steps(text, picture, width);
    for call in &picture.calls {
        arrows(text, call);
    }
    text.push_str("</g>\n</svg>\n");
    strips(text, width, rows);
}

/// The same for print.
fn strips(text: &mut String, width: usize, rows: usize) {
    // As equal as can be.
    let strip = rows.div_ceil(rows.div_ceil(STRIP).max(1)).max(1);
    for first in (0..rows).step_by(strip) {
        let from = HEAD + ROW * first;
        // The last strip has the rest of the lanes.
        let tall = ROW * (rows - first).min(strip) + if first + strip < rows { 0 } else { 16 };
        let _ = writeln!(
            text,
            "<svg class=\"strip\" aria-hidden=\"true\" viewBox=\"0 0 {width} {}\"><svg width=\"{width}\" height=\"{HEAD}\" \
             viewBox=\"0 0 {width} {HEAD}\"><use href=\"#schedule\"/></svg><svg y=\"{HEAD}\" width=\"{width}\" \
             height=\"{tall}\" viewBox=\"0 {from} {width} {tall}\"><use href=\"#schedule\"/></svg></svg>",
            HEAD + tall
        );
    }
}

fn lanes(text: &mut String, picture: &Picture, rows: usize, height: usize) {
    for (at, lane) in picture.lanes.iter().enumerate() {
        let (middle, kind) = (x(at), if lane.place.is_empty() { "lane" } else { "lane sta" });
        let _ = writeln!(
            text,
            "<g class=\"{kind}\"><rect x=\"{}\" y=\"4\" width=\"{}\" height=\"46\" rx=\"6\"/><text x=\"{}\" y=\"23\" \
             class=\"place\">{}</text><text x=\"{}\" y=\"41\">{}</text><line x1=\"{middle}\" y1=\"50\" x2=\"{middle}\" \
             y2=\"{}\"/></g>",
            middle - 30,
            LANE - 20,
            middle - 20,
            encode_text(if lane.place.is_empty() { "thread" } else { &lane.place }),
            middle - 20,
            encode_text(&lane.name),
            height - 8
        );
        if let Some(stuck) = &lane.stuck {
            let last = picture.rows.iter().rposition(|row| row.lane == at).map_or(HEAD, y);
            let end = y(rows - 1);
            let _ = writeln!(
                text,
                "<g class=\"stuck\"><title>{0}</title><line x1=\"{middle}\" y1=\"{last}\" x2=\"{middle}\" y2=\"{end}\"/>\
                 <path d=\"M{1} {2}l12 12m0 -12l-12 12\"/><text x=\"{3}\" y=\"{4}\">waits in vain</text></g>",
                encode_text(stuck),
                middle - 6,
                end - 6,
                middle + 12,
                end + 4
            );
        }
    }
}

fn steps(text: &mut String, picture: &Picture, width: usize) {
    for (at, row) in picture.rows.iter().enumerate() {
        let (middle, here) = (x(row.lane), y(at));
        let lane = &picture.lanes[row.lane];
        if let Some(time) = &row.time {
            let line = here - ROW / 2;
            let _ = writeln!(
                text,
                "<g class=\"time\"><line x1=\"0\" y1=\"{line}\" x2=\"{width}\" y2=\"{line}\"/><text x=\"52\" \
                 y=\"{}\">{}</text></g>",
                here + 4,
                encode_text(time)
            );
        }
        if let Some(from) = row.waited_from {
            let _ = writeln!(
                text,
                "<line class=\"wait\" x1=\"{middle}\" y1=\"{}\" x2=\"{middle}\" y2=\"{here}\"/>",
                y(from)
            );
        }
        let failing = picture.failed && at + 1 == picture.rows.len();
        let mut class = String::from("step");
        for (is, name) in [(failing, " failing"), (row.signals, " signals"), (row.expired, " expired")] {
            class.push_str(if is { name } else { "" });
        }
        let who =
            attribute(format!("step {}, {} {}: {}", row.number, lane.place, lane.name, row.text).as_str()).into_owned();
        let mark = if row.signals {
            format!("<path d=\"M{middle} {}l7 7l-7 7l-7 -7z\"/>", here - 7)
        } else {
            format!("<circle cx=\"{middle}\" cy=\"{here}\" r=\"5\"/>")
        };
        let _ = writeln!(
            text,
            "<g class=\"{class}\" id=\"step-{}\" role=\"img\" aria-label=\"{who}\"><rect x=\"0\" y=\"{}\" width=\"{width}\" \
             height=\"{ROW}\"/><text class=\"number\" x=\"38\" y=\"{}\">{}</text>{mark}<text x=\"{}\" y=\"{}\">{}</text></g>",
            row.number,
            here - ROW / 2,
            here + 4,
            row.number,
            middle + 12,
            here + 4,
            encode_text(&row.text)
        );
    }
}

/// A call, its reply, and what went wrong between them.
fn arrows(text: &mut String, call: &CallLine) {
    let (row, lane) = call.from;
    let from = (x(lane), y(row));
    let _ = write!(
        text,
        "<g class=\"call\" tabindex=\"0\" data-call=\"{}\" role=\"img\" aria-label=\"{1}\"><title>{2}</title>",
        call.number,
        attribute(&label(call)),
        encode_text(&label(call))
    );
    let line = |text: &mut String, class: &str, from: (usize, usize), to: (usize, usize)| {
        let _ = write!(
            text,
            "<line class=\"{class}\" x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" marker-end=\"url(#tip)\"/>",
            from.0, from.1, to.0, to.1
        );
    };
    match (call.served, call.to) {
        (Some((at, server)), _) => line(text, "request", from, (x(server), y(at))),
        (None, Some(server)) => line(text, "request queued", from, (x(server), y(row))),
        (None, None) => {}
    }
    if let Some((at, server)) = call.decided.filter(|decided| decided.1 != lane) {
        line(text, "reply", (x(server), y(at)), (x(lane), y(at)));
    }
    if let Some((at, worker)) = call.refused {
        let to = call.served.map(|served| served.1).or(call.to).unwrap_or(lane);
        line(text, "refused", (x(worker), y(at)), (x(to), y(at)));
    }
    text.push_str("</g>\n");
}

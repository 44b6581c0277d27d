//! The picture of a failure: the page, its parts, what is escaped, and where it is written.

#[path = "../../core/tests/support/mod.rs"]
mod support;

use oleander::kernel::Event;
use oleander::*;
use oleander_sim::{Builder, Counterexample, check, name, world};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex};
use support::probe::*;
use support::*;

/// Two STAs that call each other, and the server does not pump; the client has a name with an edge.
fn two_stas() {
    let (ready, answered, packet) = (Event::manual(), Event::manual(), Arc::new(Mutex::new(None)));
    name(&*answered, "answered & </pre>");
    let (here, place, waits) = (ready.clone(), packet.clone(), answered.clone());
    world::spawn("server", move || {
        enter(Kind::Sta);
        let object = Does::probe(move |_| {
            wait(&waits);
            S_OK
        });
        *place.lock().unwrap() = Some(pack(&object));
        here.set();
        pump(&Event::manual());
    });
    wait(&ready);
    world::spawn("client<script>\"'", move || {
        enter(Kind::Sta);
        world::sleep(std::time::Duration::from_secs(3));
        let packet = packet.lock().unwrap().take().expect("it is there");
        // SAFETY: a pointer of this apartment.
        assert_eq!(unsafe { packet.unpack().Label(1) }, S_OK);
        answered.set();
    });
}

fn failure() -> Counterexample {
    Builder::new().run(two_stas).failure.expect("it is a deadlock")
}

fn count(text: &str, what: &str) -> usize {
    text.matches(what).count()
}

#[test]
fn the_page_has_a_step_for_each_step_and_a_lane_for_each_thread() {
    let failure = failure();
    let page = &failure.page;
    assert!(page.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"), "{page}");
    assert_eq!(count(page, "id=\"step-"), failure.report.steps as usize);
    assert_eq!(count(page, " failing\""), 1, "one step is the last");
    assert_eq!(count(page, "<g class=\"lane sta\">"), 2);
    assert_eq!(count(page, "<g class=\"stuck\">"), 2, "both wait in vain");
    assert_eq!(count(page, "<g class=\"call\""), 1);
    assert_eq!(count(page, "class=\"request\""), 1, "it has arrived");
    assert_eq!(count(page, "class=\"reply\""), 0, "and was not answered");
    assert!(page.contains("=queued;") && page.contains("=being served\""), "{page}");
    assert_eq!(count(page, "<g class=\"time\">"), 1);
    assert!(page.contains("\">3s</text></g>"), "{page}");
    let labelled = count(page, "role=\"img\" aria-label=\"step ");
    assert_eq!(labelled, failure.report.steps as usize);
}

#[test]
fn the_page_has_a_strip_for_print_for_every_sixteen_rows() {
    let failure = failure();
    // One row more says who waits in vain.
    let rows = failure.report.steps as usize + 1;
    assert!(rows > 16, "there is something to split");
    assert_eq!(count(&failure.page, "<svg class=\"strip\""), rows.div_ceil(16));
    assert_eq!(count(&failure.page, "<use href=\"#schedule\"/>"), 2 * rows.div_ceil(16));
    assert!(!failure.page.contains("<body class=\"wide\">"), "three lanes are not many");
}

#[test]
fn a_page_with_four_lanes_is_wide() {
    let failure = Builder::new().run(|| {
        let idle = Event::manual();
        (0..4).for_each(|_| {
            let idle = idle.clone();
            world::spawn("waiter", move || wait(&idle));
        });
    });
    let page = failure.failure.expect("nobody sets it").page;
    assert_eq!(count(&page, "<g class=\"lane"), 4);
    assert_eq!(count(&page, "<body class=\"wide\">"), 1, "{page}");
}

#[test]
fn the_page_needs_nothing_else_and_escapes_what_is_the_scenarios() {
    let page = failure().page;
    for outside in ["http:", "https:", "src=", "@import", "url(h", "<link"] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert_eq!((count(&page, "<script>"), count(&page, "</script>")), (1, 1));
    assert!(page.contains("client&lt;script&gt;"), "{page}");
    assert!(page.contains("answered &amp; &lt;/pre&gt;"), "{page}");
    assert!(!page.contains("aria-label=\"step 1, STA 2 client<script>"));
}

#[test]
fn the_mermaid_text_has_the_call_and_who_waits() {
    let text = failure().mermaid;
    assert!(text.starts_with("sequenceDiagram\n    participant L0 as "), "{text}");
    assert_eq!(count(&text, "->>"), 1, "{text}");
    assert!(text.contains(": IProbe method 4\n"), "{text}");
    assert!(text.contains("virtual time 3s"), "{text}");
    assert!(!text.lines().any(|line| line.replace("#35;", "").replace("#59;", "").contains(';')), "{text}");
}

#[test]
fn steps_show_the_names_of_what_they_touch() {
    let Counterexample { timeline, page, .. } = Builder::new()
        .run(|| {
            let (event, other) = (Event::manual(), Event::manual());
            name(&*event, "ready");
            event.set();
            wait(&event);
            let worker = world::spawn("worker", || ());
            worker.join().expect("it does not panic");
            wait(&other);
        })
        .failure
        .expect("nobody sets the other");
    let page = page.replace("&quot;", "\"").replace("&#x27;", "'");
    for text in [timeline, page] {
        let shows = |what: &str, whose: &str| text.lines().any(|line| line.contains(what) && line.contains(whose));
        assert!(shows("signals event ", " \"ready\""), "{text}");
        assert!(shows("has waited for event ", " \"ready\""), "{text}");
        assert!(shows("has waited for the end of 'worker'", ""), "{text}");
    }
}

#[test]
fn a_failing_check_writes_the_page() {
    let panic = catch_unwind(AssertUnwindSafe(|| check(two_stas))).expect_err("it is a deadlock");
    let words = panic.downcast_ref::<String>().expect("words");
    let path = words.lines().last().and_then(|line| line.strip_prefix("picture: ")).expect("the last line says where");
    assert!(Path::new(path).ends_with("oleander/a_failing_check_writes_the_page.html"), "{path}");
    let page = std::fs::read_to_string(path).expect("it is there");
    assert!(page.contains("<title>a_failing_check_writes_the_page: deadlock:</title>"), "{page}");
    let text = std::fs::read_to_string(path.replace(".html", ".mmd")).expect("so is the text");
    assert!(text.starts_with("sequenceDiagram\n"));
}

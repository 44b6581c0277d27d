//! Runs the sieve example in every mode, with every kind of server, and reads its timeline.
//!
//! `cargo test` builds the example; before `cargo test --test sieve_modes`, which does not, run `cargo build --example sieve`.
//!
//! Small counts are done before a client that cancels has said so, and a count up to 4294967295 is not done for a long
//! time: so calls that are cancelled and honoured get the one, and what has to end by itself gets something between.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// 78498 primes, counted in some milliseconds.
const SMALL: u32 = 1_000_000;
/// Takes about half a second: long enough for a client to cancel, and the server ends by itself.
const LONG: u32 = if cfg!(debug_assertions) { 20_000_000 } else { 300_000_000 };
/// Nobody waits for this one: the server is asked to stop.
const ENDLESS: u32 = u32::MAX;
/// A run that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(120);

const CANCELLED: &str = "RPC_S_CALL_CANCELLED_HR (0x8007071A)";

/// One of the servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Server {
    asynchronous: bool,
    sta: bool,
    honours: bool,
}

fn servers() -> impl Iterator<Item = Server> {
    (0..8).map(|bits| Server { asynchronous: bits & 1 != 0, sta: bits & 2 != 0, honours: bits & 4 != 0 })
}

impl Server {
    /// The thread that calls come in on.
    fn dispatcher(self) -> &'static str {
        if self.sta { "server STA" } else { "MTA pool" }
    }

    /// The thread that counts.
    fn counter(self) -> &'static str {
        if self.asynchronous { "MTA worker" } else { self.dispatcher() }
    }

    /// The thread that the stub's Finish_ runs on: where Signal arrives, or where Begin_ returns when a quick worker has
    /// signalled before that (SRV-07).
    fn finisher(self) -> &'static str {
        if self.sta { "server STA" } else { "MTA" }
    }

    /// A call's way through the server, up to the end of the work.
    fn begins(self, max: u32) -> Vec<(&'static str, String)> {
        if !self.asynchronous {
            return vec![(self.dispatcher(), format!("CountPrimes({max}) begins"))];
        }
        vec![
            (self.dispatcher(), "CreateCall(AsyncISieve), on the server → S_OK".into()),
            (self.dispatcher(), format!("Begin_CountPrimes({max}), on the server")),
            ("MTA worker", format!("takes the work: CountPrimes({max})")),
        ]
    }

    /// The rest of it. An asynchronous server replies after Signal and Finish_, a synchronous one with its return.
    fn ends(self, work: &str, finish: &str) -> Vec<(&'static str, String)> {
        let mut events = vec![(self.counter(), work.to_owned())];
        if self.asynchronous {
            events.push(("MTA worker", "Signal, on the server".into()));
            events.push((self.finisher(), format!("Finish_CountPrimes, on the server → {finish}")));
        }
        events
    }

    /// A call that is worked off.
    fn works(self, max: u32) -> Vec<(&'static str, String)> {
        let mut events = self.begins(max);
        events.extend(self.ends(&format!("counted {} primes up to {max}", primes(max)), "S_OK"));
        events
    }

    /// How a call ends whose client has given up: stopped, or worked off for nobody.
    fn gives_up(self, max: u32) -> Vec<(&'static str, String)> {
        if self.honours {
            self.ends("TestCancel → RPC_E_CALL_CANCELED (0x80010002): stops", "RPC_E_CALL_CANCELED (0x80010002)")
        } else {
            self.ends(&format!("counted {} primes up to {max}", primes(max)), "S_OK")
        }
    }

    /// A count that is not done before the client gives up, but ends some day.
    fn patience_max(self) -> u32 {
        if self.honours { ENDLESS } else { LONG }
    }
}

fn primes(max: u32) -> u32 {
    match max {
        100_000 => 9_592,
        SMALL => 78_498,
        20_000_000 => 1_270_607,
        300_000_000 => 16_252_325,
        _ => panic!("look it up"),
    }
}

/// What a run said.
struct Run {
    what: String,
    code: Option<i32>,
    /// Time, thread, event.
    timeline: Vec<(f64, String, String)>,
    /// The line after the timeline.
    result: String,
    stdout: String,
    stderr: String,
}

fn run(arguments: &[&str]) -> Run {
    let deps = std::env::current_exe().expect("a test has a path");
    let target = deps.parent().and_then(|deps| deps.parent()).expect("tests lie in target/profile/deps");
    let sieve: PathBuf = target.join("examples").join(format!("sieve{}", std::env::consts::EXE_SUFFIX));
    let mut command = Command::new(&sieve);
    let child = command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let child = child.unwrap_or_else(|error| panic!("{}: {error}; `cargo test` builds it", sieve.display()));
    let what = arguments.join(" ");
    let id = child.id();
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || send.send(child.wait_with_output()));
    let output = match receive.recv_timeout(PATIENCE) {
        Ok(output) => output.expect("the output can be read"),
        Err(_) => panic!("sieve {what} hangs (process {id})"),
    };
    let stdout = String::from_utf8(output.stdout).expect("UTF-8");
    let stderr = String::from_utf8(output.stderr).expect("UTF-8");
    let timeline = stdout.lines().skip(1).take_while(|line| !line.is_empty()).map(|line| event(line, &what)).collect();
    let result = stdout.lines().last().unwrap_or_default().to_owned();
    Run { what, code: output.status.code(), timeline, result, stdout, stderr }
}

/// `   12.345  client STA 4      event`.
fn event(line: &str, what: &str) -> (f64, String, String) {
    let mut columns = line.trim_start().splitn(2, "  ");
    let ms = columns.next().and_then(|ms| ms.parse().ok());
    let rest = columns.next().and_then(|rest| rest.split_once("  "));
    let (Some(ms), Some((thread, event))) = (ms, rest) else { panic!("sieve {what}: what is this? {line}") };
    (ms, thread.to_owned(), event.trim_start().to_owned())
}

/// A run of a mode that goes as told: exit code 0, times in order, nothing left.
fn run_mode(mode: &str, server: Server, max: u32) -> Run {
    let run = run(&[
        "--mode",
        mode,
        "--max",
        &max.to_string(),
        "--server",
        if server.asynchronous { "async" } else { "sync" },
        "--server-apartment",
        if server.sta { "sta" } else { "mta" },
        "--honour-cancel",
        if server.honours { "true" } else { "false" },
        "--cancel-after-ms",
        "0",
    ]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{run}");
    assert!(run.timeline.is_sorted_by(|one, next| one.0 <= next.0), "{run}");
    assert_eq!(run.timeline.last().map(|last| last.2.as_str()), Some("objects left: 0"), "{run}");
    run
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "sieve {}\n{}{}", self.what, self.stdout, self.stderr)
    }
}

impl Run {
    /// Where an event of a thread is; the first one from `from` on that begins so.
    fn find(&self, from: usize, thread: &str, begins: &str) -> usize {
        let found = self.timeline[from..].iter().position(|(_, name, event)| {
            name.strip_prefix(thread).is_some_and(|id| id.starts_with(' ')) && event.starts_with(begins)
        });
        from + found.unwrap_or_else(|| panic!("nothing after line {from} on {thread}: {begins}\n{self}"))
    }

    /// These events are there in this order; others may be in between.
    fn has_in_order(&self, events: impl IntoIterator<Item = (impl AsRef<str>, impl AsRef<str>)>) {
        let mut at = 0;
        for (thread, event) in events {
            at = self.find(at, thread.as_ref(), event.as_ref()) + 1;
        }
    }

    /// The client's own events are these, and no others.
    fn client_did(&self, expected: &[&str]) {
        let client = self.timeline.iter().filter(|(_, thread, _)| thread.starts_with("client STA "));
        let events: Vec<_> = client.map(|(.., event)| event.as_str()).collect();
        let mut all = vec!["CoCreateInstance(CLSID_Sieve): a proxy of ISieve"];
        all.extend(expected);
        all.extend(["CoUninitialize", "objects left: 0"]);
        assert_eq!(events, all, "{self}");
    }

    fn counts(&self, max: u32) {
        assert_eq!(self.result, format!("{} primes up to {max}", primes(max)), "{self}");
    }

    fn is_cancelled(&self) {
        assert!(self.result.starts_with(&format!("no count: {CANCELLED}: ")), "{self}");
    }
}

#[test]
fn srv_05_a_synchronous_call_reaches_both_kinds_of_server() {
    for server in servers() {
        let run = run_mode("sync", server, SMALL);
        run.client_did(&["CountPrimes(1000000): blocks", "CountPrimes → S_OK"]);
        let mut events = vec![("client STA", "CountPrimes(1000000): blocks".to_owned())];
        events.extend(server.works(SMALL));
        // The synchronous method of an asynchronous server is never called (SRV-04): it would fail.
        events.push(("client STA", "CountPrimes → S_OK".into()));
        run.has_in_order(events);
        run.counts(SMALL);
    }
}

#[test]
fn call_12_to_17_begin_returns_and_finish_waits() {
    for server in servers() {
        let run = run_mode("async", server, SMALL);
        run.client_did(&[
            "CreateCall(AsyncISieve) → S_OK",
            "Begin_CountPrimes(1000000)",
            "Begin_CountPrimes → S_OK",
            "is free to do something else",
            "Finish_CountPrimes",
            "Finish_CountPrimes → S_OK",
        ]);
        let mut events = vec![("client STA", "Begin_CountPrimes(1000000)".to_owned())];
        events.extend(server.works(SMALL));
        events.push(("client STA", "Finish_CountPrimes → S_OK".into()));
        run.has_in_order(events);
        run.counts(SMALL);
    }
}

#[test]
fn call_12_begin_returns_before_a_long_count_is_done() {
    for server in servers().filter(|server| server.honours) {
        let run = run_mode("async", server, LONG);
        let count = format!("counted {} primes up to {LONG}", primes(LONG));
        run.has_in_order([
            ("client STA", "is free to do something else"),
            (server.counter(), count.as_str()),
            ("client STA", "Finish_CountPrimes → S_OK"),
        ]);
        run.counts(LONG);
    }
}

#[test]
fn pat_05_a_polling_client_hears_pending_until_the_call_is_complete() {
    for server in servers() {
        // One long count for each kind of server, to hear RPC_S_CALLPENDING at all.
        let max = if server.honours { SMALL } else { LONG };
        let run = run_mode("poll", server, max);
        let mut waits: Vec<_> =
            run.timeline.iter().map(|(.., event)| event).filter(|it| it.starts_with("Wait(")).collect();
        assert!(waits.pop().expect("a last one").ends_with("ms) → S_OK"), "{run}");
        assert!(waits.iter().all(|it| it.ends_with("ms) → RPC_S_CALLPENDING (0x80010115)")), "{run}");
        assert!(max == SMALL || waits.len() >= 2, "{run}");
        run.has_in_order([("client STA", "Begin_CountPrimes → S_OK"), ("client STA", "Finish_CountPrimes → S_OK")]);
        run.counts(max);
    }
}

#[test]
fn agg_03_and_agg_09_the_call_notify_object_is_signalled_in_the_clients_apartment() {
    for server in servers() {
        let run = run_mode("notify", server, SMALL);
        run.client_did(&[
            "Initialize: CreateCall(AsyncISieve, outer object) → S_OK",
            "Begin_CountPrimes(1000000)",
            "Reset → S_OK",
            "Begin_CountPrimes → S_OK",
            "GetMessage, DispatchMessage: the message loop",
            "Signal → S_OK",
            "PostMessage(WM_CALL_COMPLETE) → true",
            "window procedure: WM_CALL_COMPLETE",
            "Finish_CountPrimes",
            "Finish_CountPrimes → S_OK",
        ]);
        let mut events = vec![("client STA", "Reset → S_OK".to_owned())];
        events.extend(server.works(SMALL));
        events.push(("client STA", "Signal → S_OK".into()));
        run.has_in_order(events);
        run.counts(SMALL);
    }
}

#[test]
fn cxl_06_a_cancelled_call_is_finished_at_once_whether_the_server_honours_it_or_not() {
    for server in servers() {
        let max = server.patience_max();
        let run = run_mode("cancel", server, max);
        run.client_did(&[
            "CreateCall(AsyncISieve) → S_OK",
            &format!("Begin_CountPrimes({max})"),
            "Begin_CountPrimes → S_OK",
            "Wait(0 ms) → RPC_S_CALLPENDING (0x80010115)",
            "Cancel(0) → S_OK",
            "Finish_CountPrimes",
            &format!("Finish_CountPrimes → {CANCELLED}"),
        ]);
        run.has_in_order(server.begins(max));
        if server.honours {
            run.has_in_order(server.gives_up(max));
        } else {
            // The server goes on long after its client was told.
            let finished = ("client STA", format!("Finish_CountPrimes → {CANCELLED}"));
            run.has_in_order([finished].into_iter().chain(server.gives_up(max)));
        }
        run.is_cancelled();
    }
}

#[test]
fn cxl_04_a_call_that_is_complete_is_not_cancelled() {
    for server in ["sync", "async"] {
        // Nothing to count: the wait, which is as long as it takes, ends with the call.
        for mode in ["cancel", "abandon", "sync-cancel"] {
            let run = run(&["--mode", mode, "--max", "1", "--server", server, "--cancel-after-ms", "4294967294"]);
            assert_eq!((run.code, run.result.as_str()), (Some(0), "0 primes up to 1"), "{run}");
            assert!(!run.stdout.contains("Cancel(0)"), "{run}");
        }
    }
}

#[test]
fn call_30_and_32_an_abandoned_call_is_asked_to_stop_and_runs_on_if_it_does_not() {
    for server in servers() {
        let max = server.patience_max();
        let run = run_mode("abandon", server, max);
        run.client_did(&[
            "CreateCall(AsyncISieve) → S_OK",
            &format!("Begin_CountPrimes({max})"),
            "Begin_CountPrimes → S_OK",
            "Wait(0 ms) → RPC_S_CALLPENDING (0x80010115)",
            "releases the call object with the call pending",
        ]);
        run.has_in_order(server.begins(max));
        let gone = ("client STA", "releases the call object with the call pending".to_owned());
        if server.honours {
            run.has_in_order(server.gives_up(max));
        } else {
            run.has_in_order([gone].into_iter().chain(server.gives_up(max)));
        }
        assert_eq!(run.result, "no count: the call object was released with its call pending", "{run}");
    }
}

#[test]
fn pat_07_the_handles_of_two_call_objects_tell_which_is_done_first() {
    for server in servers() {
        let run = run_mode("first-of-two", server, SMALL);
        let both = "call 1: 78498 primes up to 1000000; call 2: 9592 primes up to 100000";
        run.has_in_order([
            ("client STA", "Begin_CountPrimes(1000000)"),
            ("client STA", "Begin_CountPrimes(100000)"),
            ("client STA", "CoWaitForMultipleHandles → call "),
            ("client STA", "Finish_CountPrimes → S_OK"),
            ("client STA", "Wait(0 ms) → "),
            ("client STA", "Finish_CountPrimes → S_OK"),
            ("client STA", both),
        ]);
        run.has_in_order(server.works(SMALL));
        if server.sta && !server.asynchronous {
            // Its one thread counts up to the larger number before it looks at the other call.
            run.has_in_order([("client STA", "CoWaitForMultipleHandles → call 1 is done first")]);
            run.has_in_order(server.works(SMALL).into_iter().chain(server.works(100_000)));
        }
        run.counts(SMALL);
    }
}

#[test]
fn pat_08_a_duplicated_handle_outlives_the_call_object() {
    for server in servers() {
        let run = run_mode("duplicate-handle", server, SMALL);
        run.client_did(&[
            "CreateCall(AsyncISieve) → S_OK",
            "Begin_CountPrimes(1000000)",
            "Begin_CountPrimes → S_OK",
            "DuplicateHandle → true",
            "Finish_CountPrimes",
            "Finish_CountPrimes → S_OK",
            "releases the call object",
            "the duplicate is still set: true",
            "the call object's own handle is closed: E_HANDLE (0x80070006)",
        ]);
        let count = "counted 78498 primes up to 1000000";
        run.has_in_order([(server.counter(), count), ("watcher", "the duplicate of the handle is set: true")]);
        run.counts(SMALL);
    }
}

#[test]
fn cxl_36_and_40_another_thread_cancels_a_call_that_blocks() {
    for server in servers() {
        let max = server.patience_max();
        let run = run_mode("sync-cancel", server, max);
        run.client_did(&[
            "CoEnableCallCancellation → S_OK",
            &format!("CountPrimes({max}): blocks"),
            &format!("CountPrimes → {CANCELLED}"),
        ]);
        let client = &run.timeline[run.find(0, "client STA", "CountPrimes(")].1;
        let id = client.rsplit(' ').next().expect("a number");
        let found = format!("CoGetCancelObject(thread {id}) → S_OK");
        run.has_in_order([("canceller", found.as_str()), ("canceller", "Cancel(0) → S_OK")]);
        run.has_in_order(server.begins(max));
        let returned = ("client STA", format!("CountPrimes → {CANCELLED}"));
        if server.honours {
            run.has_in_order(server.gives_up(max));
        } else {
            run.has_in_order([returned].into_iter().chain(server.gives_up(max)));
        }
        run.is_cancelled();
    }
}

#[test]
fn a_future_is_suspended_until_the_call_is_complete() {
    for server in servers() {
        let run = run_mode("await", server, SMALL);
        run.client_did(&[
            "CreateCall(AsyncISieve) → S_OK",
            "Begin_CountPrimes(1000000)",
            "Begin_CountPrimes → S_OK",
            "resume_on_signal(handle).await: is suspended",
            "is resumed",
            "Finish_CountPrimes",
            "Finish_CountPrimes → S_OK",
        ]);
        let mut events = server.works(SMALL);
        events.push(("client STA", "is resumed".into()));
        run.has_in_order(events);
        run.counts(SMALL);
    }
}

#[test]
fn counts_are_right_at_the_edges_of_stretches() {
    let stretch = 2 * 128 * 1024;
    let is_prime = |n: u32| n >= 2 && (2..=n.isqrt()).all(|divisor| !n.is_multiple_of(divisor));
    let count = |max: u32| (0..=max).filter(|n| is_prime(*n)).count();
    for max in [0, 1, 2, 3, 4, 5, 8, 9, 10, 24, 25, 26, stretch - 1, stretch, stretch + 1, stretch + 3, 2 * stretch + 1]
    {
        let run = run(&["--max", &max.to_string()]);
        assert_eq!((run.code, run.result.clone()), (Some(0), format!("{} primes up to {max}", count(max))), "{run}");
    }
}

#[test]
fn help_explains_every_mode() {
    let run = run(&["--help"]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    for (mode, word) in [
        ("sync", "blocks"),
        ("async", "Begin_CountPrimes"),
        ("poll", "RPC_S_CALLPENDING"),
        ("notify", "window procedure"),
        ("cancel", "ICancelMethodCalls::Cancel"),
        ("abandon", "Releases the call object"),
        ("first-of-two", "CoWaitForMultipleHandles"),
        ("duplicate-handle", "DuplicateHandle"),
        ("sync-cancel", "CoGetCancelObject"),
        ("await", "resume_on_signal"),
    ] {
        let line = run.stdout.lines().find(|line| line.trim_start().starts_with(&format!("- {mode}:")));
        assert!(line.is_some_and(|line| line.contains(word)), "{mode}\n{}", run.stdout);
    }
    for option in ["--max", "--server", "--server-apartment", "--honour-cancel", "--cancel-after-ms"] {
        assert!(run.stdout.contains(&format!("{option} <")), "{option}\n{}", run.stdout);
    }
    assert!(run.stdout.contains("[default: 20000000]"));
}

#[test]
fn a_bad_argument_gets_one_line_and_exit_code_2() {
    let modes = "sync, async, poll, notify, cancel, abandon, first-of-two, duplicate-handle, sync-cancel, await";
    let number = "a whole number from 0 to 4294967295";
    let options = "--mode, --max, --server, --server-apartment, --honour-cancel, --cancel-after-ms, --help";
    for (arguments, wrong, accepted) in [
        (&["--mode", "later"][..], "'later' is no value for --mode <MODE>", modes),
        (&["--mode"], "--mode <MODE> needs a value", modes),
        (&["--max", "many"], "'many' is no value for --max <N>", number),
        (&["--max", "-1"], "'-1' is no value for --max <N>", number),
        (&["--max", "4294967296"], "'4294967296' is no value for --max <N>", number),
        (&["--max"], "--max <N> needs a value", number),
        (&["--max="], "--max <N> needs a value", number),
        (&["--server", "both"], "'both' is no value for --server <SERVER>", "sync, async"),
        (&["--server-apartment", "nta"], "'nta' is no value for --server-apartment <APARTMENT>", "mta, sta"),
        (&["--honour-cancel", "yes"], "'yes' is no value for --honour-cancel <BOOL>", "true, false"),
        (&["--honour-cancel"], "--honour-cancel <BOOL> needs a value", "true, false"),
        (&["--cancel-after-ms", "1.5"], "'1.5' is no value for --cancel-after-ms <MS>", number),
        (&["--mode", "sync", "--mode", "async"], "--mode <MODE> is given twice", "each option once"),
        (&["--primes"], "no such argument '--primes'", options),
        (&["20000000"], "no such argument '20000000'", options),
    ] {
        let run = run(arguments);
        let line = format!("sieve: {wrong}: accepted is {accepted}\n");
        assert_eq!((run.code, run.stderr, run.stdout), (Some(2), line, String::new()), "{arguments:?}");
    }
}

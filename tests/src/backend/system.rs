//! The system's own COM, under the surface of a build with the feature `windows`: on Windows, or in Wine.
//!
//! Each way of a row is played in a child process of this same program: some functions of some systems end the process that
//! calls them, COM remembers what a process did, and a row may hang. So an exit, a crash and a hang are results like any
//! other. The parent ([`Kind::play`](super::Kind::play)) writes the row to the child's stdin; the child ([`child`]) says on its
//! stdout where it is, and
//! last what came of it:
//!
//! ```text
//! at 17                        before each step: its line
//! passes                       or else
//! fails 18 got S_FALSE         the line, and what is wrong
//! ```
//!
//! # What cannot be known here
//!
//! - **Whether anything goes on.** The threads are the system's, so what nothing was heard of for [`REST`] is at rest: no
//!   line of the log, no operation that ended. Lines of the log are waited for
//!   [`LATE`] where those before them are right; what comes later still fails the row, or is taken for blocked. On a busy
//!   machine each of these lasts longer: until a thread beside has had its turns, too ([`Echo`]). Rest is a guess all the
//!   same: a thread may wait longer for its turn than the thread beside does. So what is not expected counts only when it comes
//!   once more with [`PATIENT`] times the rest ([`Kind::judge`](super::Kind::judge)).
//! - **Application STAs**: a desktop program cannot make one.
//! - **The time** is the real one, by a clock that ticks every 16 ms: what the row says less one tick, or more.
//! - **What is left behind** of handles and of the system's own objects. Objects that this program made are counted.
//! - **Every order**: a row that is explored is played once, and any of its alternatives is right.
//!
//! Classes that are registered for other processes (LOCAL_SERVER) are known to the whole machine: rows that say so are
//! played one at a time.
//!
//! The director is the child's main thread; actors are threads of the standard library, which the backend of the
//! program goes for. Shared are a flag for each thread, which its end sets, and the count of what was heard; both
//! locks are held for moments, alone.

use super::{Backend, Joiner, verdict};
use crate::case::{Row, parse};
use crate::run::{Failure, event, lock, play as play_row};
use oleander::backend::{self, Backend as Com, NotThere};
use oleander::{HANDLE, INFINITE, SetEvent, WAIT_OBJECT_0, WaitForSingleObject, debug};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// What makes a program a child: its first argument. Then come the row's file, the way, and how many times longer to rest.
const CHILD: &str = "--play-on-the-system";
/// What nothing was heard of for so long is at rest.
const REST: Duration = Duration::from_millis(30);
/// The same after an operation that is to block, that begins a call or lets one go on: a call goes a long way first.
const LONG_REST: Duration = Duration::from_millis(200);
/// A line of the log that has not come by then will not come.
const LATE: Duration = Duration::from_millis(HANG_MS as u64);
/// Windows' clock: a wait may begin and end in the middle of a tick.
const TICK_MS: u64 = 16;
/// What takes longer is a hang of one step; of the whole row, for the parent.
const HANG_MS: u32 = 5_000;
const ROW_MAX: Duration = Duration::from_secs(180);
/// How often a thread beside must have had its turn before what rests is at rest; before what is awaited will not come.
const TURNS: u32 = 10;
const MANY_TURNS: u32 = 100;
/// How much longer everything rests when a row is played once more.
const PATIENT: u32 = 8;

/// Whether this build reaches the system's COM.
///
/// # Errors
/// [`NotThere`] where it does not.
pub fn is_there() -> Result<(), NotThere> {
    let before = backend::current();
    backend::set_default(Com::System)?;
    backend::set_default(before)
}

/// Plays a row in one way, in a child process.
pub fn play(row: &Arc<Row>, way: usize) -> Result<(), Failure> {
    play_resting(row, way, 1)
}

/// The same, with more patience.
pub fn play_patiently(row: &Arc<Row>, way: usize) -> Result<(), Failure> {
    play_resting(row, way, PATIENT)
}

fn play_resting(row: &Arc<Row>, way: usize, patience: u32) -> Result<(), Failure> {
    is_there().map_err(|error| Failure { line: row.line, what: error.to_string() })?;
    static MACHINE: Mutex<()> = Mutex::new(());
    let _alone = row.text.iter().any(|line| line.contains("LOCAL_SERVER")).then(|| lock(&MACHINE));
    let line = row.line;
    let failed = |what: std::io::Error| Failure { line, what: format!("no child process: {what}") };
    let start = || {
        let arguments = [CHILD, &row.file, &way.to_string(), &patience.to_string()];
        Command::new(std::env::current_exe()?)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
    };
    // On a machine that is very busy Wine cannot always start one (ERROR_INTERNAL_ERROR); what has not started has done nothing.
    let mut child = start().or_else(|_| start()).or_else(|_| start()).map_err(failed)?;
    let came = converse(&mut child, row);
    // Its threads may hang, and its end with them.
    let _ = child.kill();
    let _ = child.wait();
    came
}

/// Gives a child its row, and hears what comes of it.
fn converse(child: &mut Child, row: &Row) -> Result<(), Failure> {
    let (mut input, output) = (child.stdin.take().expect("a pipe"), child.stdout.take().expect("a pipe"));
    // A child that ended at once is noticed below.
    let _ = input.write_all(text(row).as_bytes());
    drop(input);
    let (said, hear) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if said.send(line).is_err() {
                return;
            }
        }
    });
    let (deadline, mut at) = (Instant::now() + ROW_MAX, row.line);
    loop {
        let what = match hear.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(words) => match words.split_once(' ') {
                None if words == "passes" => return Ok(()),
                Some(("at", line)) => {
                    at = line.parse().unwrap_or(at);
                    continue;
                }
                Some(("fails", rest)) => {
                    let (line, what) = rest.split_once(' ').unwrap_or((rest, ""));
                    return Err(Failure { line: line.parse().unwrap_or(at), what: what.to_owned() });
                }
                // Of the program's own, or the system's.
                _ => continue,
            },
            Err(mpsc::RecvTimeoutError::Timeout) => format!("the process hangs: killed after {} s", ROW_MAX.as_secs()),
            Err(mpsc::RecvTimeoutError::Disconnected) => ended(&child.wait()),
        };
        return Err(Failure { line: at, what });
    }
}

/// How a child ended that said nothing.
fn ended(status: &std::io::Result<ExitStatus>) -> String {
    match status.as_ref().ok().and_then(ExitStatus::code) {
        Some(code) => format!("the process ended with 0x{code:08X}"),
        None => "the process ended".to_owned(),
    }
}

/// The row as it stands in its file, at its lines.
fn text(row: &Row) -> String {
    let mut text = String::new();
    for (words, line) in row.text.iter().zip(&row.lines) {
        let there = text.matches('\n').count() + 1;
        text += &"\n".repeat(line.saturating_sub(there));
        text += words;
        text += "\n";
    }
    text
}

/// If this program is a child of [`play`], plays the row and says what the program's end is. A `main` asks this first.
#[must_use]
pub fn child() -> Option<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() != Some(CHILD) {
        return None;
    }
    let (file, way) = (arguments.next()?, arguments.next()?.parse().ok()?);
    let patience = arguments.next()?.parse().ok()?;
    backend::set_default(Com::System).ok()?;
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).ok()?;
    let row = Arc::new(parse(&file, &text).ok()?.pop()?);
    let backend: Arc<dyn Backend> =
        Arc::new(System { began: Instant::now(), heard: Heard::default(), echo: Echo::start(), patience });
    let came = verdict(play_row(&row, way, &backend));
    match came {
        Ok(_) => say("passes"),
        Err(failure) => say(&format!("fails {} {}", failure.line, failure.what.replace('\n', " "))),
    }
    Some(ExitCode::SUCCESS)
}

fn say(words: &str) {
    // A parent that is gone needs nothing.
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{words}").and_then(|()| out.flush());
}

struct System {
    began: Instant,
    heard: Heard,
    echo: Echo,
    patience: u32,
}

/// A thread that answers as soon as it is asked, by kernel events, as threads do that call each other. How long that takes
/// shows how long a thread waits for a processor, and for the system's own processes: time that a clock alone would take
/// for rest.
struct Echo {
    ask: HANDLE,
    answer: HANDLE,
}

impl Echo {
    /// The thread lives as long as the process.
    fn start() -> Self {
        let (ask, answer) = (event(), event());
        std::thread::spawn(move || {
            // SAFETY: events that nobody closes.
            while unsafe { WaitForSingleObject(ask, INFINITE) == WAIT_OBJECT_0 && SetEvent(answer).as_bool() } {}
        });
        Self { ask, answer }
    }

    /// Waits for so many answers. Only the director asks.
    fn turns(&self, times: u32) {
        for _ in 0..times {
            // SAFETY: events that nobody closes.
            let answered =
                unsafe { SetEvent(self.ask).as_bool() && WaitForSingleObject(self.answer, INFINITE) == WAIT_OBJECT_0 };
            assert!(answered, "the system's events");
        }
    }
}

/// How many times something was heard of.
#[derive(Default)]
struct Heard {
    times: Mutex<u64>,
    changed: Condvar,
}

impl Heard {
    fn times(&self) -> u64 {
        *lock(&self.times)
    }

    /// Waits so long for something after these times; whether it came.
    fn within(&self, time: Duration, before: u64) -> bool {
        let times = lock(&self.times);
        let waited = self.changed.wait_timeout_while(times, time, |times| *times == before);
        waited.is_ok_and(|(times, _)| *times != before)
    }
}

impl System {
    /// Waits until nothing is heard of for a time, and for so many turns of a thread; both are longer by the patience.
    fn rest(&self, time: Duration, turns: u32) -> Result<(), String> {
        let (time, turns) = (time * self.patience, turns * self.patience);
        let deadline = Instant::now() + Duration::from_millis(self.hang_ms().into());
        while self.hears(time, turns) {
            if Instant::now() > deadline {
                return Err("threads do not come to rest".to_owned());
            }
        }
        Ok(())
    }

    /// Whether something is heard of within a time from now on, or so many turns later.
    fn hears(&self, time: Duration, turns: u32) -> bool {
        let before = self.heard.times();
        self.heard.within(time, before) || {
            self.echo.turns(turns);
            self.heard.times() != before
        }
    }
}

impl Backend for System {
    fn start(&self, name: &str, body: Box<dyn FnOnce() + Send>) -> Box<dyn Joiner> {
        let end = Arc::new(End::default());
        let inner = end.clone();
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            body();
            *lock(&inner.came) = true;
            inner.changed.notify_all();
        });
        Box::new(Real { end, thread: Mutex::new(Some(thread.expect("a thread"))) })
    }

    fn settle(&self) -> Result<(), String> {
        self.rest(REST, TURNS)
    }

    fn settle_long(&self) -> Result<(), String> {
        self.rest(LONG_REST, MANY_TURNS)
    }

    fn hear_more(&self) -> bool {
        self.hears(LATE, MANY_TURNS)
    }

    fn has_application_stas(&self) -> bool {
        false
    }

    fn heard(&self) {
        *lock(&self.heard.times) += 1;
        self.heard.changed.notify_all();
    }

    fn begins(&self, line: usize) {
        say(&format!("at {line}"));
    }

    fn now_ns(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn has_virtual_time(&self) -> bool {
        false
    }

    fn early_ms(&self) -> u64 {
        TICK_MS
    }

    fn hang_ms(&self) -> u32 {
        HANG_MS * self.patience
    }

    fn more_turns(&self) {
        self.echo.turns(5 * MANY_TURNS);
    }

    fn left_behind(&self) -> (usize, usize) {
        (debug::live_objects(), 0)
    }
}

/// The end of a thread's work.
#[derive(Default)]
struct End {
    came: Mutex<bool>,
    changed: Condvar,
}

/// A thread of the standard library.
struct Real {
    end: Arc<End>,
    /// Until somebody has waited for its end.
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Joiner for Real {
    fn join(&self, ms: u32) -> bool {
        let pending = |came: &mut bool| !*came;
        let waited =
            self.end.changed.wait_timeout_while(lock(&self.end.came), Duration::from_millis(ms.into()), pending);
        let came = waited.is_ok_and(|(came, _)| *came);
        if came && let Some(thread) = lock(&self.thread).take() {
            // What COM and the system do at a thread's end belongs to it: an abandoned mutex, an apartment that nobody left.
            let _ = thread.join();
        }
        came
    }

    fn has_ended(&self) -> bool {
        *lock(&self.end.came)
    }
}

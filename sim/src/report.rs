//! How an execution ended, and the words for it.

use crate::steps::EVERYTHING;
use crate::trace::Touch;
use oleander::kernel::Waitable;
use oleander::platform::{self, Fact, Object, ObjectKind, Why};
use std::any::Any;
use std::fmt;

/// Gives an object of the kernel a name, which reports and pictures show beside its number. On host threads it does nothing.
///
/// ```
/// use oleander::kernel::Event;
///
/// let report = oleander_sim::run(|| {
///     let ready = Event::manual();
///     oleander_sim::name(&*ready, "ready");
///     ready.wait(oleander::platform::Deadline::NEVER, oleander::platform::Why::Wait);
/// });
/// assert!(report.to_string().contains("'main' waits without dispatching for event"));
/// assert!(report.to_string().contains("\"ready\""));
/// ```
pub fn name(object: &dyn Waitable, title: &str) {
    platform::tell(|| Fact::Named(object.header().object(), title.to_owned()));
}

/// What a panic said.
pub(crate) fn panic_words(payload: &(dyn Any + Send)) -> String {
    let words = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    words.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic without words".to_owned())
}

/// What came of one execution.
#[derive(Clone, Debug)]
pub struct Report {
    /// How many steps were taken: announced operations and waits.
    pub steps: u64,
    /// The virtual time at the end, in nanoseconds.
    pub virtual_ns: u64,
    /// How it ended.
    pub end: End,
    /// How many threads had not ended and were given up, with everything that they held.
    pub abandoned: usize,
    /// A hash of every step in order. The same schedule gives the same hash, else something is uncontrolled.
    pub trace_hash: u64,
}

impl Report {
    /// Whether the execution ended well.
    pub fn is_ok(&self) -> bool {
        self.end == End::Completed
    }

    /// Panics with the report's words unless the execution ended well.
    #[track_caller]
    pub fn expect_completed(&self) -> &Self {
        assert!(self.is_ok(), "{self}");
        self
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gap = if matches!(self.end, End::Deadlock { .. } | End::StepLimit { .. }) { '\n' } else { ' ' };
        write!(f, "{}{gap}after {} steps at {} ns", self.end, self.steps, self.virtual_ns)?;
        if self.abandoned > 0 {
            write!(f, ", {} threads abandoned", self.abandoned)?;
        }
        Ok(())
    }
}

/// How an execution ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Every thread that keeps the world alive has ended.
    Completed,
    /// Nothing can run and no deadline is left.
    Deadlock {
        /// Who waits for what, daemons included.
        blocked: Vec<Blocked>,
        /// Limits that the processes have reached: a call may wait for nothing but a thread to run on.
        limits: Vec<String>,
    },
    /// A thread panicked.
    Panicked {
        /// The thread's name.
        thread: String,
        /// What the panic said.
        message: String,
    },
    /// A checker found fault with it: see [`Checks`](crate::Checks).
    Broken {
        /// Which checker.
        checker: &'static str,
        /// What it found.
        what: String,
    },
    /// More steps than the limit: most likely threads that go round in circles.
    StepLimit {
        /// The threads that took the last steps, each with what it did and how often.
        circling: Vec<String>,
    },
    /// The same choices led to something else than before.
    Uncontrolled(Divergence),
}

/// Where an execution did something else than an earlier one under the same choices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// The step, counted from 0.
    pub step: usize,
    /// What was different.
    pub what: String,
}

/// A thread that waits in vain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocked {
    /// Its name.
    pub thread: String,
    /// What it waits for.
    pub why: Why,
    /// The objects that it looks at.
    pub on: Vec<Object>,
    /// Whether it keeps no world alive.
    pub daemon: bool,
    /// Who it is and what it waits for, in COM's words; empty where no apartment is known.
    pub words: String,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Completed => f.write_str("completed"),
            Self::Panicked { thread, message } => write!(f, "thread '{thread}' panicked: {message}"),
            Self::Uncontrolled(Divergence { step, what }) => write!(
                f,
                "uncontrolled nondeterminism: the same choices led to another execution, from step {} on: {what}. The \
                 scenario depends on something that the world does not control: a static that keeps its value, the order \
                 of a HashMap, real time, an address",
                step + 1
            ),
            Self::Broken { checker, what } => write!(f, "{checker}: {what};"),
            Self::StepLimit { circling } => {
                f.write_str("stopped at the step limit: do threads go round in circles?")?;
                circling.iter().try_for_each(|thread| write!(f, "\n  {thread}"))
            }
            Self::Deadlock { blocked, limits } => {
                f.write_str("deadlock:")?;
                let mut telling = blocked.iter().filter(|thread| !(thread.daemon && thread.why == Why::Idle));
                telling.try_for_each(|thread| write!(f, "\n  {thread}"))?;
                limits.iter().try_for_each(|limit| write!(f, "\n  {limit}"))
            }
        }
    }
}

impl fmt::Display for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.words.is_empty() {
            return f.write_str(&self.words);
        }
        let what = verb(self.why);
        write!(f, "'{}' {what}", self.thread)?;
        for (i, object) in self.on.iter().enumerate() {
            write!(f, "{} {}", if i == 0 { " for" } else { " or" }, thing(*object))?;
        }
        Ok(())
    }
}

/// What a step announces, in a few words.
pub(crate) fn words(touches: &[Touch]) -> String {
    let one = |touch: &Touch| format!("{} {}", format!("{:?}", touch.access).to_lowercase(), thing(touch.object));
    match touches.split_first() {
        None => "go on".to_owned(),
        Some((first, [])) => one(first),
        Some((first, rest)) => format!("{} and {} more", one(first), rest.len()),
    }
}

/// How a thread waits.
pub(crate) fn verb(why: Why) -> &'static str {
    match why {
        Why::Wait => "waits without dispatching",
        Why::PumpingWait => "waits and dispatches",
        Why::Reply => "waits for a reply",
        Why::MessageLoop => "waits for a message",
        Why::Idle => "has nothing to do",
        Why::Teardown => "waits for the methods in its apartment",
        Why::Sleep => "sleeps",
    }
}

/// An object: the kind and the number.
pub(crate) fn thing(object: Object) -> String {
    if object == EVERYTHING {
        return "everything".to_owned();
    }
    let kind = match object.kind {
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
    format!("{kind} {}", object.id & 0xffff)
}

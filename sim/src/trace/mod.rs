//! The record of one execution: its steps, what each touched, and what else orders them.
//!
//! The vectors are reused from execution to execution: recording a step allocates nothing once they have grown.

mod circles;
mod class;
mod ledger;
mod mermaid;
mod page;
mod picture;
mod timeline;

pub(crate) use circles::circling;
pub use class::Classifier;
pub(crate) use class::Spread;
pub(crate) use ledger::Ledger;
pub(crate) use mermaid::mermaid;
pub(crate) use page::page;
pub(crate) use picture::Picture;
pub use timeline::timeline;

use oleander::platform::{Access, Fact, Object, ObjectKind, Why};

/// An object and how a step touches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Touch {
    /// What is touched.
    pub object: Object,
    /// How.
    pub access: Access,
}

impl Touch {
    /// How a wait touches an object that it looks at: what it may take from it, it changes.
    pub fn of_wait(object: Object) -> Self {
        let access = match object.kind {
            ObjectKind::Event | ObjectKind::Thread | ObjectKind::Table => Access::Read,
            ObjectKind::Queue | ObjectKind::Pool => Access::Receive,
            ObjectKind::AutoEvent
            | ObjectKind::Semaphore
            | ObjectKind::Mutex
            | ObjectKind::Call
            | ObjectKind::Apcs
            | ObjectKind::Message
            | ObjectKind::User => Access::Write,
        };
        Self { object, access }
    }

    /// What a touch comes to in the step of a wait that gives up: it has received nothing, but it has seen that there was
    /// nothing.
    fn of_expired(self) -> Self {
        match self.access {
            Access::Receive => Self { access: Access::Read, ..self },
            _ => self,
        }
    }
}

/// How a step came to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An announced operation.
    Operation,
    /// A wait whose condition held, and that could not have been taken otherwise.
    Ready,
    /// A wait whose condition held; it would have given up if it had not, because its deadline has come.
    Found,
    /// A wait whose deadline came.
    Expired,
}

/// One step of an execution.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// The thread that took it.
    pub thread: usize,
    /// How it came to be taken.
    pub outcome: Outcome,
    first_touch: usize,
    announced: usize,
}

/// A thread of an execution.
#[derive(Clone, Copy, Debug)]
struct Birth {
    parent: usize,
    /// How many steps there were before it started: it comes after the last of them.
    at: usize,
}

/// A choice inside a step.
#[derive(Clone, Copy, Debug)]
struct Chosen {
    /// How many steps there were: it belongs to the last of them.
    at: usize,
    n: usize,
    taken: usize,
}

/// What a thread has told, or that it begins to wait.
#[derive(Clone, Debug)]
pub(crate) struct Note {
    /// How many steps there were: it belongs to the last of them.
    pub(crate) at: usize,
    pub(crate) thread: usize,
    pub(crate) what: Noted,
}

#[derive(Clone, Debug)]
pub(crate) enum Noted {
    /// A fact: no step, and in no hash.
    Fact(Fact),
    /// The thread begins to wait.
    Waits(Why),
    /// The thread is new, and these are its end, as the port and as waits see it.
    Born([Object; 2]),
}

/// The record of one execution.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    steps: Vec<Step>,
    touches: Vec<Touch>,
    births: Vec<Birth>,
    chosen: Vec<Chosen>,
    /// How many steps there were each time the clock moved: it moves after all of them and before all others.
    ticks: Vec<usize>,
    /// The virtual time after each.
    tick_ns: Vec<u64>,
    notes: Vec<Note>,
    /// Threads that had not ended when the execution did, and where in `left_touches` what they were about to touch ends.
    left: Vec<(usize, usize)>,
    left_touches: Vec<Touch>,
    /// Whether the last step ended the execution, whatever others were about to do.
    cut: bool,
}

impl Trace {
    /// The steps in the order in which they were taken.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// What a step touched: what it announced first, then what else happened in it.
    pub fn touches(&self, step: usize) -> &[Touch] {
        let end = self.steps.get(step + 1).map_or(self.touches.len(), |next| next.first_touch);
        &self.touches[self.steps[step].first_touch..end]
    }

    /// What a step announced before it was taken.
    pub fn announced(&self, step: usize) -> &[Touch] {
        let Step { first_touch, announced, .. } = self.steps[step];
        &self.touches[first_touch..][..announced]
    }

    /// How many threads there were.
    pub fn threads(&self) -> usize {
        self.births.len()
    }

    /// A hash of everything in order.
    pub fn hash(&self) -> u64 {
        let mut hash = Hash::new();
        for (index, step) in self.steps.iter().enumerate() {
            hash.word(step.thread as u64);
            hash.word(step.outcome as u64);
            for touch in self.touches(index) {
                hash.word(touch.object.id);
                hash.word(touch.object.kind as u64);
                hash.word(touch.access as u64);
            }
        }
        for birth in &self.births {
            hash.word(birth.parent as u64);
            hash.word(birth.at as u64);
        }
        for chosen in &self.chosen {
            hash.word(chosen.at as u64);
            hash.word(chosen.n as u64);
            hash.word(chosen.taken as u64);
        }
        for tick in &self.ticks {
            hash.word(*tick as u64);
        }
        hash.finish() as u64
    }

    /// The thread that started a thread, and how many steps there were then.
    pub(crate) fn birth_at(&self, thread: usize) -> Option<(usize, usize)> {
        self.births.get(thread).map(|birth| (birth.parent, birth.at))
    }

    /// How many steps there were each time the clock moved.
    pub(crate) fn ticks(&self) -> &[usize] {
        &self.ticks
    }

    /// The virtual time at a step, counted from 0; behind the last one, at the end.
    pub(crate) fn ns_at(&self, step: usize) -> u64 {
        let ticks = self.ticks.partition_point(|&at| at <= step);
        if ticks == 0 { 0 } else { self.tick_ns.get(ticks - 1).copied().unwrap_or(0) }
    }

    /// What was told in a step.
    pub(crate) fn facts(&self, step: usize) -> impl Iterator<Item = &Fact> {
        let from = self.notes.partition_point(|note| note.at < step + 1);
        let rest = self.notes[from..].iter().take_while(move |note| note.at == step + 1);
        rest.filter_map(|note| if let Noted::Fact(fact) = &note.what { Some(fact) } else { None })
    }

    /// What the threads have told, in order.
    pub(crate) fn notes(&self) -> &[Note] {
        &self.notes
    }

    pub(crate) fn note_fact(&mut self, thread: usize, fact: Fact) {
        self.notes.push(Note { at: self.steps.len(), thread, what: Noted::Fact(fact) });
    }

    pub(crate) fn note_wait(&mut self, thread: usize, why: Why) {
        self.notes.push(Note { at: self.steps.len(), thread, what: Noted::Waits(why) });
    }

    pub(crate) fn note_birth(&mut self, thread: usize, ends: [Object; 2]) {
        self.notes.push(Note { at: self.steps.len(), thread, what: Noted::Born(ends) });
    }

    /// A thread is about to touch something, or waits in vain for it, and the execution ends.
    pub(crate) fn leave(&mut self, thread: usize, touches: &[Touch]) {
        self.left_touches.extend_from_slice(touches);
        self.left.push((thread, self.left_touches.len()));
    }

    /// The threads that had not ended when the execution did, with what they were about to touch.
    pub(crate) fn left(&self) -> impl Iterator<Item = (usize, &[Touch])> {
        let start = |index: usize| if index == 0 { 0 } else { self.left[index - 1].1 };
        let one =
            move |(index, &(thread, end)): (usize, &(usize, usize))| (thread, &self.left_touches[start(index)..end]);
        self.left.iter().enumerate().map(one)
    }

    /// The last step ends the execution.
    pub(crate) fn cut(&mut self) {
        self.cut = true;
    }

    /// Whether the last step ended the execution, whatever others were about to do.
    pub(crate) fn is_cut(&self) -> bool {
        self.cut
    }

    pub(crate) fn clear(&mut self) {
        self.left.clear();
        self.left_touches.clear();
        self.cut = false;
        self.steps.clear();
        self.touches.clear();
        self.births.clear();
        self.chosen.clear();
        self.ticks.clear();
        self.tick_ns.clear();
        self.notes.clear();
    }

    /// Whether nothing of an execution is left in it.
    pub(crate) fn is_clear(&self) -> bool {
        let Self { steps, touches, births, chosen, ticks, tick_ns, notes, left, left_touches, cut } = self;
        let plain = [touches.len(), left_touches.len(), ticks.len(), tick_ns.len(), left.len()];
        plain == [0; 5] && steps.is_empty() && births.is_empty() && chosen.is_empty() && notes.is_empty() && !cut
    }

    pub(crate) fn step(&mut self, thread: usize, outcome: Outcome, touches: &[Touch]) {
        self.steps.push(Step { thread, outcome, first_touch: self.touches.len(), announced: touches.len() });
        if outcome == Outcome::Expired {
            self.touches.extend(touches.iter().map(|touch| touch.of_expired()));
        } else {
            self.touches.extend_from_slice(touches);
        }
    }

    /// Something else that happened in the last step. Before the first step it comes before everything anyway.
    pub(crate) fn note(&mut self, touch: Touch) {
        if !self.steps.is_empty() {
            self.touches.push(touch);
        }
    }

    pub(crate) fn birth(&mut self, parent: usize) {
        self.births.push(Birth { parent, at: self.steps.len() });
    }

    pub(crate) fn chosen(&mut self, n: usize, taken: usize) {
        self.chosen.push(Chosen { at: self.steps.len(), n, taken });
    }

    pub(crate) fn tick(&mut self, now_ns: u64) {
        self.tick_ns.push(now_ns);
        self.ticks.push(self.steps.len());
    }
}

/// A hash of words that is the same on every machine and with every compiler: FNV-1a on 128 bits, word by word, with
/// a last stir so that sums of hashes do not cancel.
#[derive(Clone, Copy, Debug)]
struct Hash(u128);

impl Hash {
    const PRIME: u128 = 0x0100_0000_0000_0000_0000_013b;

    fn new() -> Self {
        Self(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d)
    }

    fn word(&mut self, word: u64) {
        // The rotation brings high bits down, which multiplying alone never does.
        self.0 = (self.0 ^ u128::from(word)).wrapping_mul(Self::PRIME).rotate_right(23);
    }

    fn wide(&mut self, wide: u128) {
        self.word(wide as u64);
        self.word((wide >> 64) as u64);
    }

    fn finish(mut self) -> u128 {
        self.wide(self.0);
        self.0
    }
}

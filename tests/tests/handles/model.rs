//! What the contract says of handles, events, semaphores, mutexes and waits, as a table of values: a reference to compare the
//! runtime with.
//!
//! Written from the facts: a wait for any takes the lowest object that is signalled, and only that (WAIT-07); a wait for all
//! takes all at one moment (WAIT-14); what is signalled comes before calls that were queued to the thread (WAIT-16); the
//! first wait that takes a mutex whose owner has ended says that it was abandoned (WAIT-18). Which of two waiting threads is
//! faster, no fact says: one at most waits here.

/// How many threads there are.
pub const ACTORS: usize = 3;

/// One call of a thread.
#[derive(Clone, Debug)]
pub enum Op {
    Event {
        manual: bool,
        set: bool,
    },
    Semaphore {
        count: i32,
        max: i32,
    },
    Mutex {
        owned: bool,
    },
    Duplicate(usize),
    Close(usize),
    Set(usize),
    Reset(usize),
    ReleaseSemaphore(usize, i32),
    ReleaseMutex(usize),
    Wait {
        handles: Vec<usize>,
        all: bool,
    },
    SignalAndWait(usize, usize),
    /// Queues a call to a thread.
    Apc(usize),
    /// The thread ends, and another takes its place.
    End,
}

/// What a call gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It succeeded, with this number where it has one.
    Value(u32),
    /// It failed, with this last error.
    Error(u32),
    /// Two errors at once: no fact says which.
    OneOf(u32, u32),
}

impl Answer {
    /// Whether that is what was expected.
    pub fn allows(&self, found: &Self) -> bool {
        match (self, found) {
            (Self::OneOf(first, second), Self::Error(found)) => [first, second].contains(&found),
            _ => self == found,
        }
    }
}

/// What happens when a thread makes a call.
#[derive(Debug)]
pub struct Step {
    /// What it gives; none when the thread waits from now on.
    pub answer: Option<Answer>,
    /// The thread that had waited, and what its wait gives.
    pub woken: Option<(usize, Answer)>,
}

const INVALID_HANDLE: Answer = Answer::Error(6);
const INVALID_PARAMETER: u32 = 87;
const NOT_OWNER: Answer = Answer::Error(288);
const TOO_MANY_POSTS: Answer = Answer::Error(298);
const TIMED_OUT: Answer = Answer::Value(258);
const CALLED: Answer = Answer::Value(0xC0);
const ABANDONED: u32 = 0x80;
const DONE: Answer = Answer::Value(1);

#[derive(Clone, Debug)]
enum Object {
    Event { manual: bool, set: bool },
    Semaphore { count: u32, max: u32 },
    Mutex { owner: Option<(usize, u32)>, abandoned: bool },
}

struct Waiting {
    actor: usize,
    objects: Vec<usize>,
    all: bool,
}

/// The table.
#[derive(Default)]
pub struct Model {
    objects: Vec<Object>,
    /// What each handle stands for that was ever given; none once it is closed.
    handles: Vec<Option<usize>>,
    waiting: Option<Waiting>,
    /// Calls that wait for a thread to wait alertably.
    calls: [u32; ACTORS],
}

impl Model {
    /// The thread that waits.
    pub fn waits(&self) -> Option<usize> {
        self.waiting.as_ref().map(|waiting| waiting.actor)
    }

    /// How many handles were given.
    pub fn handles(&self) -> usize {
        self.handles.len()
    }

    /// The handles that are open.
    pub fn open(&self) -> impl Iterator<Item = usize> {
        self.handles.iter().enumerate().filter_map(|(at, handle)| handle.map(|_| at))
    }

    /// Whether the outcome of a thread's call is certain. While another thread waits, signalling and waiting in one call is
    /// not: it is two steps, and the other may come between. Nor is closing: the other may not have got so far as to look
    /// its handles up. Nor the end of a thread that owns two of the mutexes that the other waits for: which of them is
    /// given up first, no fact says.
    pub fn is_certain(&self, actor: usize, op: &Op) -> bool {
        let Some(waiting) = &self.waiting else { return true };
        let owned = |object: &&usize| matches!(&self.objects[**object], Object::Mutex { owner: Some((who, _)), .. } if *who == actor);
        match op {
            Op::SignalAndWait(..) | Op::Close(_) => false,
            Op::End => waiting.objects.iter().filter(owned).count() < 2,
            _ => true,
        }
    }

    /// A thread makes a call; it waits without a limit where it has to, if `may_wait`, and else not at all.
    pub fn step(&mut self, actor: usize, op: &Op, may_wait: bool) -> Step {
        let answer = match op {
            Op::Event { manual, set } => Some(self.make(Object::Event { manual: *manual, set: *set })),
            Op::Semaphore { count, max } => Some(self.semaphore(*count, *max)),
            Op::Mutex { owned } => {
                let owner = owned.then_some((actor, 1));
                Some(self.make(Object::Mutex { owner, abandoned: false }))
            }
            Op::Duplicate(handle) => Some(match self.object(*handle) {
                Some(object) => {
                    self.handles.push(Some(object));
                    DONE
                }
                None => INVALID_HANDLE,
            }),
            Op::Close(handle) => Some(match self.handles.get_mut(*handle).and_then(Option::take) {
                Some(_) => DONE,
                None => INVALID_HANDLE,
            }),
            Op::Set(handle) => Some(self.change_event(*handle, true)),
            Op::Reset(handle) => Some(self.change_event(*handle, false)),
            Op::ReleaseSemaphore(handle, count) => Some(self.release_semaphore(*handle, *count)),
            Op::ReleaseMutex(handle) => Some(self.release_mutex(actor, *handle)),
            Op::Wait { handles, all } => self.wait(actor, handles, *all, may_wait),
            Op::SignalAndWait(signal, handle) => self.signal_and_wait(actor, *signal, *handle, may_wait),
            Op::Apc(other) => {
                self.calls[*other] += 1;
                Some(DONE)
            }
            Op::End => {
                self.end(actor);
                Some(DONE)
            }
        };
        // Whoever waits now has just looked.
        let woken = if answer.is_some() { self.wake() } else { None };
        Step { answer, woken }
    }

    fn object(&self, handle: usize) -> Option<usize> {
        self.handles.get(handle).copied().flatten()
    }

    fn make(&mut self, object: Object) -> Answer {
        self.objects.push(object);
        self.handles.push(Some(self.objects.len() - 1));
        DONE
    }

    fn semaphore(&mut self, count: i32, max: i32) -> Answer {
        match (u32::try_from(count), u32::try_from(max)) {
            (Ok(count), Ok(max)) if max > 0 && count <= max => self.make(Object::Semaphore { count, max }),
            _ => Answer::Error(INVALID_PARAMETER),
        }
    }

    fn change_event(&mut self, handle: usize, to: bool) -> Answer {
        match self.object(handle).map(|at| &mut self.objects[at]) {
            Some(Object::Event { set, .. }) => {
                *set = to;
                DONE
            }
            _ => INVALID_HANDLE,
        }
    }

    /// The count before, plus one: 0 is for failure.
    fn release_semaphore(&mut self, handle: usize, by: i32) -> Answer {
        match self.object(handle).map(|at| &mut self.objects[at]) {
            Some(Object::Semaphore { count, max }) => {
                let before = *count;
                match u32::try_from(by).ok().and_then(|by| before.checked_add(by)).filter(|after| after <= max) {
                    Some(after) => {
                        *count = after;
                        Answer::Value(before + 1)
                    }
                    None => TOO_MANY_POSTS,
                }
            }
            _ => INVALID_HANDLE,
        }
    }

    fn release_mutex(&mut self, actor: usize, handle: usize) -> Answer {
        match self.object(handle).map(|at| &mut self.objects[at]) {
            Some(Object::Mutex { owner, .. }) => match owner {
                Some((who, times)) if *who == actor => {
                    *times -= 1;
                    if *times == 0 {
                        *owner = None;
                    }
                    DONE
                }
                _ => NOT_OWNER,
            },
            _ => INVALID_HANDLE,
        }
    }

    fn wait(&mut self, actor: usize, handles: &[usize], all: bool, may_wait: bool) -> Option<Answer> {
        if handles.is_empty() {
            return Some(Answer::Error(INVALID_PARAMETER));
        }
        let objects: Option<Vec<_>> = handles.iter().map(|handle| self.object(*handle)).collect();
        let same = |objects: &[usize]| objects.iter().enumerate().any(|(at, object)| objects[..at].contains(object));
        let Some(objects) = objects else {
            let known: Vec<_> = handles.iter().filter_map(|handle| self.object(*handle)).collect();
            let both = all && (same(&known) || same(handles));
            return Some(if both { Answer::OneOf(6, INVALID_PARAMETER) } else { INVALID_HANDLE });
        };
        if all && same(&objects) {
            return Some(Answer::Error(INVALID_PARAMETER));
        }
        self.begin_wait(actor, objects, all, may_wait)
    }

    fn signal_and_wait(&mut self, actor: usize, signal: usize, handle: usize, may_wait: bool) -> Option<Answer> {
        let Some(object) = self.object(handle) else { return Some(INVALID_HANDLE) };
        let signalled = match self.object(signal).map(|at| &self.objects[at]) {
            Some(Object::Event { .. }) => self.change_event(signal, true),
            Some(Object::Semaphore { .. }) => self.release_semaphore(signal, 1),
            Some(Object::Mutex { .. }) => self.release_mutex(actor, signal),
            None => INVALID_HANDLE,
        };
        match signalled {
            Answer::Value(_) => self.begin_wait(actor, vec![object], false, may_wait),
            failed => Some(failed),
        }
    }

    fn begin_wait(&mut self, actor: usize, objects: Vec<usize>, all: bool, may_wait: bool) -> Option<Answer> {
        if let Some(taken) = self.take(actor, &objects, all) {
            return Some(taken);
        }
        if std::mem::take(&mut self.calls[actor]) > 0 {
            return Some(CALLED);
        }
        if !may_wait || self.waiting.is_some() {
            return Some(TIMED_OUT);
        }
        self.waiting = Some(Waiting { actor, objects, all });
        None
    }

    fn is_signalled(&self, actor: usize, object: usize) -> bool {
        match &self.objects[object] {
            Object::Event { set, .. } => *set,
            Object::Semaphore { count, .. } => *count > 0,
            Object::Mutex { owner, .. } => owner.is_none_or(|(who, _)| who == actor),
        }
    }

    /// Takes one object; whether it was an abandoned mutex.
    fn take_one(&mut self, actor: usize, object: usize) -> bool {
        match &mut self.objects[object] {
            Object::Event { manual, set } => *set = *manual,
            Object::Semaphore { count, .. } => *count -= 1,
            Object::Mutex { owner, abandoned } => {
                *owner = Some((actor, owner.map_or(1, |(_, times)| times + 1)));
                return std::mem::take(abandoned);
            }
        }
        false
    }

    /// Takes what a wait is for, if it is there.
    fn take(&mut self, actor: usize, objects: &[usize], all: bool) -> Option<Answer> {
        if all {
            if !objects.iter().all(|object| self.is_signalled(actor, *object)) {
                return None;
            }
            let abandoned = objects.iter().fold(false, |any, object| self.take_one(actor, *object) | any);
            return Some(Answer::Value(if abandoned { ABANDONED } else { 0 }));
        }
        let at = objects.iter().position(|object| self.is_signalled(actor, *object))?;
        let abandoned = self.take_one(actor, objects[at]);
        Some(Answer::Value(at as u32 + if abandoned { ABANDONED } else { 0 }))
    }

    fn wake(&mut self) -> Option<(usize, Answer)> {
        let Waiting { actor, objects, all } = self.waiting.take()?;
        let answer = self.take(actor, &objects, all);
        match answer.or_else(|| (std::mem::take(&mut self.calls[actor]) > 0).then_some(CALLED)) {
            Some(answer) => Some((actor, answer)),
            None => {
                self.waiting = Some(Waiting { actor, objects, all });
                None
            }
        }
    }

    fn end(&mut self, actor: usize) {
        self.calls[actor] = 0;
        for object in &mut self.objects {
            if let Object::Mutex { owner, abandoned } = object
                && owner.is_some_and(|(who, _)| who == actor)
            {
                (*owner, *abandoned) = (None, true);
            }
        }
    }
}

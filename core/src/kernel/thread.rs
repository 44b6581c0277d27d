//! A thread as a kernel object: its end, its exit code, the calls queued to it. Every thread has one, adopted ones too.
//!
//! `exit_code` is written by the thread itself before `ended` is set, and read by who has seen that it is set. `gate` is
//! there for a thread that was created suspended: it waits there before its first instruction, until it is resumed for the
//! first time.

use super::apc::ApcQueue;
use super::event::Event;
use crate::abi::types::STILL_ACTIVE;
use crate::platform::{self, Access, Deadline, Why};
use crate::process::Process;
use smallvec::SmallVec;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock, Weak};

/// The object.
pub struct ThreadObject {
    id: u32,
    ended: Arc<Event>,
    exit_code: AtomicU32,
    pub(crate) apcs: ApcQueue,
    gate: OnceLock<Arc<Gate>>,
    /// How many handles stand for it. Counted by the table of handles.
    pub(super) handles: AtomicU32,
}

/// Where a thread that was created suspended waits.
pub(crate) struct Gate {
    open: Event,
    resumed: AtomicBool,
}

impl Gate {
    pub(crate) fn new(process: &Process) -> Arc<Self> {
        Arc::new(Self { open: Event::new(process, false, false), resumed: AtomicBool::new(false) })
    }

    /// Waits until the thread is resumed.
    pub(crate) fn pass(&self) {
        self.open.wait(Deadline::NEVER, Why::Wait);
    }
}

impl ThreadObject {
    /// The object of a new thread, which its process knows by its number from now on.
    pub(crate) fn new(process: &Process, id: u32) -> Arc<Self> {
        let made = Arc::new(Self {
            id,
            ended: Arc::new(Event::of_thread(process)),
            exit_code: AtomicU32::new(0),
            apcs: ApcQueue::new(process),
            gate: OnceLock::new(),
            handles: AtomicU32::new(0),
        });
        process.threads.insert(id, &made);
        made
    }

    /// The thread's number.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Signalled, for good, when the thread has ended.
    pub fn ended(&self) -> &Arc<Event> {
        &self.ended
    }

    /// What the thread's end will give. For the thread itself.
    pub(crate) fn set_exit_code(&self, code: u32) {
        self.exit_code.store(code, Ordering::Relaxed);
    }

    /// What the thread left, `STILL_ACTIVE` while it has not ended. A step.
    pub(crate) fn exit_code(&self) -> u32 {
        if self.ended.is_set() { self.exit_code.load(Ordering::Relaxed) } else { STILL_ACTIVE }
    }

    /// The thread was created suspended, and waits at this gate.
    pub(crate) fn suspend_at(&self, gate: Arc<Gate>) {
        drop(self.gate.set(gate));
    }

    /// Lets a thread go that was created suspended; how often it was suspended before: 1, or 0 if it was not.
    pub(crate) fn resume(&self) -> u32 {
        match self.gate.get() {
            Some(gate) if !gate.resumed.swap(true, Ordering::Relaxed) => {
                gate.open.set();
                1
            }
            _ => 0,
        }
    }

    /// The thread has been ended by somebody else. Part of that step; what was queued to it is never looked at again.
    pub(crate) fn was_killed(&self) {
        platform::note(super::Waitable::header(&*self.ended).object(), Access::Signal);
        self.ended.set_in_step();
    }

    /// The thread ends. Part of its last step.
    pub(crate) fn end(&self) {
        self.apcs.close();
        platform::note(super::Waitable::header(&*self.ended).object(), Access::Signal);
        self.ended.set_in_step();
    }
}

/// A thread with its number.
type Entry = (u32, Weak<ThreadObject>);

/// The threads of a process by number, in its order: those that have not ended, and those that have handles.
#[derive(Default)]
pub(crate) struct ThreadTable(parking_lot::Mutex<SmallVec<[Entry; 4]>>);

impl ThreadTable {
    fn insert(&self, id: u32, thread: &Arc<ThreadObject>) {
        let mut threads = self.0.lock();
        threads.retain(|(_, thread)| thread.strong_count() > 0);
        let at = threads.partition_point(|(there, _)| *there < id);
        threads.insert(at, (id, Arc::downgrade(thread)));
    }

    /// The thread of a number. One that has ended is there only while handles stand for it. A step.
    pub(crate) fn get(&self, id: u32) -> Option<Arc<ThreadObject>> {
        let found = {
            let threads = self.0.lock();
            let at = threads.binary_search_by_key(&id, |(there, _)| *there).ok()?;
            threads[at].1.upgrade()?
        };
        let ended = found.ended.is_set();
        (!ended || found.handles.load(Ordering::Relaxed) > 0).then_some(found)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn threads_that_are_gone_are_forgotten_when_another_comes() {
        let process = Process::new(platform::host());
        let stays = ThreadObject::new(&process, 8);
        for id in [12, 4, 16] {
            drop(ThreadObject::new(&process, id));
        }
        let ids: Vec<_> = process.threads.0.lock().iter().map(|(id, _)| *id).collect();
        assert_eq!(ids, [8, 16]);
        assert!(process.threads.get(8).is_some_and(|found| Arc::ptr_eq(&found, &stays)));
    }
}

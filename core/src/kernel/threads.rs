//! What the kernel keeps for each thread: its message queue, what it owns, its end.

use super::event::Event;
use super::mutex::Mutex;
use super::queue::MessageQueue;
use crate::platform::{self, Access, Object, Spawn, ThreadRef};
use crate::process::Process;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

/// The kernel's part of a thread's state. Touched by the thread itself only.
#[derive(Default)]
pub(crate) struct ThreadKernel {
    /// The mutexes that it owns.
    pub(super) owned: RefCell<Vec<Weak<Mutex>>>,
    /// The messages that other threads sent and that it handles, innermost last.
    pub(super) handling: RefCell<Vec<Arc<super::SentMessage>>>,
    /// Whether its end gives the mutexes up already.
    pub(super) abandons_at_exit: Cell<bool>,
}

/// The message queues of a process by thread id.
pub(crate) struct QueueTable {
    object: Object,
    by_thread: parking_lot::RwLock<BTreeMap<u32, Arc<MessageQueue>>>,
}

impl QueueTable {
    pub(crate) fn new(object: Object) -> Self {
        Self { object, by_thread: parking_lot::RwLock::new(BTreeMap::new()) }
    }

    /// The place of one thread in the table. Places are objects of their own, so what threads do to theirs commutes.
    fn place(&self, thread_id: u32) -> Object {
        Object { id: self.object.id | u64::from(thread_id) << 32, kind: self.object.kind }
    }
}

/// The current thread's message queue. It is made when it is first asked for, and closed when the thread ends.
pub fn queue() -> Arc<MessageQueue> {
    platform::with_current(|thread| thread.com().queue.get_or_init(|| new_queue(thread)).clone())
}

/// The message queue of a thread of the current process, if it has one.
pub fn queue_of(thread_id: u32) -> Option<Arc<MessageQueue>> {
    let thread = platform::current();
    let table = &thread.process().queues;
    platform::visit(table.place(thread_id), Access::Read);
    table.by_thread.read().get(&thread_id).cloned()
}

/// Posts a task to a thread of a process that the calling thread need not be in; false where that takes none.
pub(crate) fn post_task(process: &Process, thread_id: u32, task: Arc<dyn super::Task>) -> bool {
    platform::visit(process.queues.place(thread_id), Access::Read);
    let queue = process.queues.by_thread.read().get(&thread_id).cloned();
    queue.is_some_and(|queue| queue.post_task(task).is_ok())
}

fn new_queue(thread: &platform::Current) -> Arc<MessageQueue> {
    let process = thread.process();
    platform::visit(process.queues.place(thread.id()), Access::Write);
    let queue = MessageQueue::new(process, thread.id());
    process.queues.by_thread.write().insert(thread.id(), queue.clone());
    let ending = queue.clone();
    thread.at_exit(Box::new(move || {
        let thread = platform::current();
        let process = thread.process();
        if let Some(tables) = process.made_tables() {
            tables.windows.end_thread(thread.id());
        }
        for task in ending.close() {
            task.abandon();
        }
        platform::visit(process.queues.place(thread.id()), Access::Write);
        process.queues.by_thread.write().remove(&thread.id());
    }));
    queue
}

/// A thread that was started by [`spawn`].
pub struct Spawned {
    /// The thread.
    pub thread: ThreadRef,
    /// Signalled, for good, when it has ended.
    pub ended: Arc<Event>,
}

/// Starts a thread of the current process. What is registered to run at its end has run when `ended` is signalled.
pub fn spawn(name: impl Into<String>, daemon: bool, body: impl FnOnce() + Send + 'static) -> Spawned {
    spawn_in(platform::current().process(), name, daemon, body)
}

/// [`spawn`] in another process on the same platform.
pub fn spawn_in(
    process: &Arc<Process>,
    name: impl Into<String>,
    daemon: bool,
    body: impl FnOnce() + Send + 'static,
) -> Spawned {
    let spawn = Spawn { name: name.into(), process: process.clone(), daemon };
    let thread = process.port().clone().spawn(spawn, Box::new(body));
    Spawned { ended: thread.object().ended().clone(), thread }
}

//! Handles: numbers that stand for kernel objects in one process.
//!
//! The table holds a reference for each handle; an object lives as long as handles or others refer to it. Look-ups
//! share a lock that is held for one clone of an `Arc`, or while a wait takes what is there ([`HandleTable::take_at_once`]),
//! for which it takes the wait lock; nothing is dropped and no user's code is called under it.

use super::at_once::{Look, look_for_all, look_for_any};
use super::slots::{Slots, tell_of_stray};
use super::wait::{self, Hit, Need};
use super::{Event, Mutex, Semaphore, ThreadObject, Waitable};
use crate::abi::types::HANDLE;
use crate::platform::sync::RwLock;
use crate::platform::{self, Access, Fact, Object};
use smallvec::SmallVec;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

/// What a handle can stand for.
#[derive(Clone)]
pub enum KernelObject {
    /// An event.
    Event(Arc<Event>),
    /// A semaphore.
    Semaphore(Arc<Semaphore>),
    /// A mutex.
    Mutex(Arc<Mutex>),
    /// A thread: its end is what is waited for.
    Thread(Arc<ThreadObject>),
    /// The process: its end, which nobody in it sees.
    Process(Arc<Event>),
}

impl KernelObject {
    /// The object as something to wait for.
    pub fn as_waitable(&self) -> &dyn Waitable {
        match self {
            Self::Event(it) => &**it,
            Self::Semaphore(it) => &**it,
            Self::Mutex(it) => &**it,
            Self::Thread(it) => &**it.ended(),
            Self::Process(it) => &**it,
        }
    }

    /// The event that is waited for, if it is one.
    #[inline]
    fn event(&self) -> Option<&Event> {
        match self {
            Self::Event(it) | Self::Process(it) => Some(it),
            Self::Thread(it) => Some(it.ended()),
            Self::Semaphore(_) | Self::Mutex(_) => None,
        }
    }

    /// The object as something to wait for that outlives its handle.
    pub fn to_waitable(&self) -> Arc<dyn Waitable> {
        match self {
            Self::Event(it) => it.clone(),
            Self::Semaphore(it) => it.clone(),
            Self::Mutex(it) => it.clone(),
            Self::Thread(it) => it.ended().clone(),
            Self::Process(it) => it.clone(),
        }
    }
}

/// The handles of a process.
pub struct HandleTable {
    slots: RwLock<Slots<KernelObject>>,
    /// The names, as the port sees them.
    names_object: Object,
    /// Named objects; a name goes with its object, and is cleared away when another is given.
    names: parking_lot::Mutex<BTreeMap<Vec<u16>, WeakObject>>,
}

enum WeakObject {
    Event(Weak<Event>),
    Semaphore(Weak<Semaphore>),
    Mutex(Weak<Mutex>),
    Thread(Weak<ThreadObject>),
    Process(Weak<Event>),
}

impl WeakObject {
    fn new(object: &KernelObject) -> Self {
        match object {
            KernelObject::Event(it) => Self::Event(Arc::downgrade(it)),
            KernelObject::Semaphore(it) => Self::Semaphore(Arc::downgrade(it)),
            KernelObject::Mutex(it) => Self::Mutex(Arc::downgrade(it)),
            KernelObject::Thread(it) => Self::Thread(Arc::downgrade(it)),
            KernelObject::Process(it) => Self::Process(Arc::downgrade(it)),
        }
    }

    fn upgrade(&self) -> Option<KernelObject> {
        match self {
            Self::Event(it) => it.upgrade().map(KernelObject::Event),
            Self::Semaphore(it) => it.upgrade().map(KernelObject::Semaphore),
            Self::Mutex(it) => it.upgrade().map(KernelObject::Mutex),
            Self::Thread(it) => it.upgrade().map(KernelObject::Thread),
            Self::Process(it) => it.upgrade().map(KernelObject::Process),
        }
    }
}

impl HandleTable {
    pub(crate) fn new(names_object: Object, in_world: bool) -> Self {
        Self { slots: RwLock::new(Slots::new(in_world)), names_object, names: parking_lot::Mutex::new(BTreeMap::new()) }
    }

    /// The object that has the name, and `true`; else the one that `make` gives, which has it from then on.
    pub(crate) fn named(
        &self,
        name: Vec<u16>,
        make: impl FnOnce() -> Option<KernelObject>,
    ) -> (Option<KernelObject>, bool) {
        let known = |names: &BTreeMap<Vec<u16>, WeakObject>| names.get(&name).and_then(WeakObject::upgrade);
        platform::visit(self.names_object, Access::Read);
        if let Some(object) = known(&self.names.lock()) {
            return (Some(object), true);
        }
        // Made without the lock; if another thread was faster, the other thread's object is the one.
        let made = make();
        platform::visit(self.names_object, Access::Write);
        let mut names = self.names.lock();
        if let Some(object) = known(&names) {
            return (Some(object), true);
        }
        if let Some(object) = &made {
            names.retain(|_, object| object.upgrade().is_some());
            let text = String::from_utf16_lossy(&name);
            names.insert(name, WeakObject::new(object));
            platform::tell(|| Fact::Named(object.as_waitable().header().object(), text));
        }
        (made, false)
    }

    /// Gives an object a handle; `None` when there are too many.
    pub fn insert(&self, object: KernelObject) -> Option<HANDLE> {
        let thread = if let KernelObject::Thread(thread) = &object { Some(thread.clone()) } else { None };
        // A name first: what the table gives back is dropped without the lock.
        let inserted = self.slots.write().insert(object);
        let handle = inserted.ok().map(to_handle)?;
        if let Some(thread) = thread {
            thread.handles.fetch_add(1, Ordering::Relaxed);
        }
        Some(handle)
    }

    /// The object that a handle stands for; `None` if the handle is stale, or none of this table. The number that stands for
    /// the calling thread, whichever it is, is as good as a handle.
    pub fn get(&self, handle: HANDLE) -> Option<KernelObject> {
        let found = self.slots.read().get(handle.0.addr()).cloned();
        found.or_else(|| self.get_other(handle))
    }

    /// [`HandleTable::get`] of all, with one look at the table; `None` if one is no handle.
    pub(crate) fn get_all<C: FromIterator<KernelObject>>(&self, handles: &[HANDLE]) -> Option<C> {
        let found: Option<C> = {
            // What is given back here, because another is no handle, is in the table as well: nothing ends under its lock.
            let slots = self.slots.read();
            handles.iter().map(|handle| slots.get(handle.0.addr()).cloned()).collect()
        };
        found.or_else(|| handles.iter().map(|handle| self.get(*handle)).collect())
    }

    /// Takes any of these objects, or `all`, if they are there now, on a host thread. They stay in the table meanwhile, so
    /// none of them is counted. `None` if one is no handle of the table's, or named twice among `all`.
    pub(crate) fn take_at_once(&self, handles: &[HANDLE], all: bool) -> Option<Option<Hit>> {
        let slots = self.slots.read();
        let find = |handle: HANDLE| slots.get(handle.0.addr())?.event();
        match if all { look_for_all(handles, find) } else { look_for_any(handles, find) } {
            Look::Hit(index) => Some(Some(Hit { index, abandoned: false })),
            Look::NotReady => Some(None),
            Look::Unclear => take_under_lock(&slots, handles, all),
        }
    }

    /// What is no handle of the table's.
    #[cold]
    fn get_other(&self, handle: HANDLE) -> Option<KernelObject> {
        if self.slots.read().is_stray(handle.0.addr()) {
            tell_of_stray();
        }
        (handle == CURRENT_THREAD).then(own_thread)
    }

    /// [`HandleTable::get`], or the calling process for the number that stands for it. That number is
    /// `INVALID_HANDLE_VALUE`, too, so it is a handle only where it can be meant (RUL-99).
    pub(crate) fn get_or_process(&self, handle: HANDLE) -> Option<KernelObject> {
        self.get(handle).or_else(|| (handle == CURRENT_PROCESS).then(own_process))
    }

    /// The object, for an operation on it that is one step with the look-up.
    pub(crate) fn get_to(&self, handle: HANDLE, access: Access) -> Option<KernelObject> {
        let object = self.get(handle)?;
        if !platform::is_simulated() {
            return Some(object);
        }
        // Between the look that finds what to announce, and the step, the handle may have been closed.
        platform::visit(object.as_waitable().header().object(), access);
        self.get(handle)
    }

    /// Finds the object that has the name; `None` if none has.
    pub(crate) fn find(&self, name: &[u16]) -> Option<KernelObject> {
        platform::visit(self.names_object, Access::Read);
        self.names.lock().get(name).and_then(WeakObject::upgrade)
    }

    /// Closes a handle and gives what it stood for.
    pub fn close(&self, handle: HANDLE) -> Option<KernelObject> {
        if platform::is_simulated() {
            platform::visit(self.get(handle)?.as_waitable().header().object(), Access::Write);
        }
        let gone = self.slots.write().remove(handle.0.addr());
        if let Some(KernelObject::Thread(thread)) = &gone {
            thread.handles.fetch_sub(1, Ordering::Relaxed);
        }
        gone
    }

    /// A second handle for the same object.
    pub fn duplicate(&self, handle: HANDLE) -> Option<HANDLE> {
        let process = || (handle == CURRENT_PROCESS).then(own_process);
        let object = self.get_to(handle, Access::Read).or_else(process)?;
        self.insert(object)
    }

    /// How many handles are open.
    pub fn len(&self) -> usize {
        self.slots.read().numbers().count()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// [`HandleTable::take_at_once`] of whatever objects.
#[cold]
fn take_under_lock(slots: &Slots<KernelObject>, handles: &[HANDLE], all: bool) -> Option<Option<Hit>> {
    let mut objects: SmallVec<[&dyn Waitable; 64]> = SmallVec::new();
    for handle in handles {
        objects.push(slots.get(handle.0.addr())?.as_waitable());
    }
    if all && wait::is_twice(&objects) {
        return None;
    }
    Some(wait::take_at_once(&objects, if all { Need::All } else { Need::Any }))
}

/// What `GetCurrentThread` gives.
pub(crate) const CURRENT_THREAD: HANDLE = HANDLE(std::ptr::without_provenance_mut(usize::MAX - 1));

/// What `GetCurrentProcess` gives: a number that stands for the calling process, whichever it is.
pub(crate) const CURRENT_PROCESS: HANDLE = HANDLE(std::ptr::without_provenance_mut(usize::MAX));

#[cold]
fn own_process() -> KernelObject {
    KernelObject::Process(platform::current().process().end().clone())
}

#[cold]
fn own_thread() -> KernelObject {
    KernelObject::Thread(platform::current().object().clone())
}

fn to_handle(number: usize) -> HANDLE {
    HANDLE(std::ptr::without_provenance_mut(number))
}

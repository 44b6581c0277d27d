//! Waiting for one, any or all of several objects.
//!
//! A wait on host threads tries without a lock first (see also `at_once`). Else it takes the wait lock, freezes the objects, and
//! looks at all of them at one moment; if there is nothing to take it registers a record and parks, and is woken when another
//! thread has granted it what it waits for (see [`super::record`]).
//!
//! In a simulated world a wait is one step of the port: [`platform::block`] returns when the objects are ready, and
//! what is taken is taken in that same step.

use super::header::{Header, Key, SIGNALED, WAITERS};
use super::mutex;
use super::record::{Callback, Listener, Record, Waiter, Want};
use crate::platform::sync::{AtomicU32, Ordering};
use crate::platform::{self, Access, Current, Deadline, Object, Why};
use smallvec::SmallVec;
use std::sync::Arc;

/// How an object's value is read, and what a wait takes from it.
#[derive(Clone, Copy)]
pub enum Mode<'a> {
    /// Ready when the value is odd; nothing is taken.
    Sticky,
    /// Ready when the value is not 0; a wait takes one.
    Counted,
    /// Ready when one of these bits is set; nothing is taken.
    Mask(u32),
    /// Ready when nobody owns it, or the waiting thread does; a wait makes the thread its owner once more. The number
    /// counts how often the owner owns it beyond the first time.
    Owned(&'a AtomicU32),
}

/// Something that a thread can wait for. Implemented by the kernel objects of this module, and by what holds one.
pub trait Waitable: Send + Sync + sealed::Sealed {
    /// The object's header.
    fn header(&self) -> &Header;
    /// How its value is read.
    fn mode(&self) -> Mode<'_>;
    /// Called on the waiting thread after it has taken the object.
    fn taken(&self) {}
}

pub(crate) mod sealed {
    pub trait Sealed {}
}

/// What a wait got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Which of the objects; 0 for a wait for all of them.
    pub index: usize,
    /// A mutex was taken whose owner had ended without releasing it.
    pub abandoned: bool,
}

const ABANDONED: u32 = 1 << 30;

impl Hit {
    pub(super) fn to_bits(self) -> u32 {
        u32::try_from(self.index).expect("a wait has few objects") | if self.abandoned { ABANDONED } else { 0 }
    }
    pub(super) fn from_bits(bits: u32) -> Self {
        Self { index: (bits & !ABANDONED) as usize, abandoned: bits & ABANDONED != 0 }
    }
}

/// Which of its objects a wait needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Any of them; the lowest that is ready is taken.
    Any,
    /// All of them at one moment.
    All,
    /// All but the last at one moment, else the last alone. There are at least two before it.
    AllOrLast,
}

/// How an alertable wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// It got what it waited for.
    Hit(Hit),
    /// Calls that were queued to the thread have run, and nothing was taken (WAIT-16).
    Apc,
    /// The deadline has passed.
    TimedOut,
}

/// Waits until one of the objects is ready, takes the lowest that is, and gives its index; `None` after the deadline.
///
/// No objects and no deadline wait for ever. All objects belong to one process.
pub fn wait_any(objects: &[&dyn Waitable], deadline: Deadline, why: Why) -> Option<usize> {
    wait(objects, false, deadline, why).map(|hit| hit.index)
}

/// Waits until all of the objects are ready at one moment and takes them all at that moment; `false`, with nothing
/// taken, after the deadline.
pub fn wait_all(objects: &[&dyn Waitable], deadline: Deadline, why: Why) -> bool {
    wait(objects, true, deadline, why).is_some()
}

/// [`wait_any`] or [`wait_all`], with all there is to know of the outcome.
pub fn wait(objects: &[&dyn Waitable], all: bool, deadline: Deadline, why: Why) -> Option<Hit> {
    wait_for_need(objects, if all { Need::All } else { Need::Any }, deadline, why)
}

/// [`wait`], or until calls are queued to the thread (`QueueUserAPC`): these run here then. Objects that are ready come
/// before calls that wait.
pub fn wait_alertable(objects: &[&dyn Waitable], all: bool, deadline: Deadline, why: Why) -> Woken {
    let thread = platform::current();
    let apcs = &thread.object().apcs;
    let mut list: SmallVec<[&dyn Waitable; 8]> = objects.into();
    list.push(apcs);
    let need = if all && objects.len() > 1 { Need::AllOrLast } else { Need::Any };
    match wait_for_need(&list, need, deadline, why) {
        Some(hit) if hit.index == objects.len() => {
            apcs.run();
            Woken::Apc
        }
        Some(hit) => Woken::Hit(hit),
        None => Woken::TimedOut,
    }
}

/// [`wait_any`], [`wait_all`], or both at once.
pub fn wait_for_need(objects: &[&dyn Waitable], need: Need, deadline: Deadline, why: Why) -> Option<Hit> {
    if objects.is_empty() {
        platform::block(&[], &|| false, deadline, why);
        return None;
    }
    if platform::is_simulated() {
        return wait_simulated(objects, need, deadline, why).inspect(|hit| tell_taken(objects, need, *hit));
    }
    match take_first(objects, need) {
        Fast::Taken => return Some(Hit { index: 0, abandoned: false }),
        Fast::NotReady if objects.len() == 1 && deadline.is_now() => return None,
        Fast::NotReady | Fast::Unclear => {}
    }
    wait_host(objects, need, deadline, why).inspect(|hit| tell_taken(objects, need, *hit))
}

/// [`wait_for_need`] as far as it goes on a host thread without waiting. Takes the wait lock and no other, wakes nobody and
/// drops nothing.
pub(super) fn take_at_once(objects: &[&dyn Waitable], need: Need) -> Option<Hit> {
    match take_first(objects, need) {
        Fast::Taken => Some(Hit { index: 0, abandoned: false }),
        Fast::NotReady if objects.len() == 1 => None,
        Fast::NotReady | Fast::Unclear => {
            let me = platform::with_current(|thread| thread.id());
            take_at_one_moment(objects, need, me).inspect(|hit| tell_taken(objects, need, *hit))
        }
    }
}

/// Without the lock only the first object can be taken: that it is the lowest needs no look at the others.
#[inline]
fn take_first(objects: &[&dyn Waitable], need: Need) -> Fast {
    match objects {
        [first, rest @ ..] if need == Need::Any || rest.is_empty() => take_fast(*first),
        _ => Fast::Unclear,
    }
}

/// Takes what the wait wants if it is there.
fn take_at_one_moment(objects: &[&dyn Waitable], need: Need, me: u32) -> Option<Hit> {
    let mut key = objects.first()?.header().lock();
    freeze(objects, &mut key);
    let hit = take_now(objects, need, me, &mut key);
    thaw(objects, &mut key);
    hit
}

fn tell_taken(objects: &[&dyn Waitable], need: Need, hit: Hit) {
    let taken = match need {
        Need::All => objects,
        Need::AllOrLast if hit.index == 0 => &objects[..objects.len() - 1],
        Need::Any | Need::AllOrLast => &objects[hit.index..=hit.index],
    };
    for object in taken {
        object.taken();
    }
}

/// Whether an object is named twice.
pub(crate) fn is_twice(objects: &[&dyn Waitable]) -> bool {
    let number = |object: &&dyn Waitable| object.header().object().id;
    // Those that were made one after the other need no sorting.
    if objects.is_sorted_by(|one, next| number(one) < number(next)) {
        return false;
    }
    let mut numbers: SmallVec<[u64; 64]> = objects.iter().map(number).collect();
    numbers.sort_unstable();
    numbers.windows(2).any(|pair| pair[0] == pair[1])
}

/// Whether the object is ready, as one step that takes nothing.
pub fn is_ready(object: &dyn Waitable) -> bool {
    object.header().visit(Access::Read);
    is_ready_for(object, if let Mode::Owned(_) = object.mode() { platform::current().id() } else { 0 })
}

enum Fast {
    Taken,
    NotReady,
    /// Someone is registered, or the object is none to be taken without the lock.
    Unclear,
}

#[inline]
fn take_fast(object: &dyn Waitable) -> Fast {
    let header = object.header();
    match object.mode() {
        Mode::Sticky if header.value() & SIGNALED != 0 => Fast::Taken,
        Mode::Mask(mask) if header.value() & mask != 0 => Fast::Taken,
        Mode::Sticky | Mode::Mask(_) => Fast::NotReady,
        Mode::Counted => take_one_fast(header),
        Mode::Owned(_) => Fast::Unclear,
    }
}

#[inline]
fn take_one_fast(header: &Header) -> Fast {
    // A look first: a poll of an object that is not ready writes nothing.
    if header.value() == 0 {
        return Fast::NotReady;
    }
    match header.change_fast(|count| count.checked_sub(1)) {
        Ok(Some(_)) => Fast::Taken,
        Ok(None) => Fast::NotReady,
        Err(_) => Fast::Unclear,
    }
}

/// [`wait`] for one event or semaphore on a host thread, as far as it goes without the lock; `None` if it does not.
#[inline]
pub(super) fn poll_fast(header: &Header, takes: bool) -> Option<bool> {
    if !takes {
        return Some(header.value() & SIGNALED != 0);
    }
    match take_one_fast(header) {
        Fast::Taken => Some(true),
        Fast::NotReady => Some(false),
        Fast::Unclear => None,
    }
}

#[cold]
fn wait_host(objects: &[&dyn Waitable], need: Need, deadline: Deadline, why: Why) -> Option<Hit> {
    let thread = platform::with_current(Current::to_ref);
    let me = thread.id();
    let lock = objects.first()?.header();
    let record = Record::new(objects, need, thread);
    {
        let mut key = lock.lock();
        freeze(objects, &mut key);
        let hit = take_now(objects, need, me, &mut key);
        if hit.is_some() || deadline.is_now() {
            thaw(objects, &mut key);
            return hit;
        }
        // SAFETY: the record is a local that is not moved, and `registered` takes it out if it has no hit.
        unsafe { record.enter(&mut key) };
    }
    let registered = Registered { record: &record, lock };
    platform::block(&[], &|| record.hit().is_some(), deadline, why);
    drop(registered);
    record.hit()
}

/// Takes a record out of the lists at the end of the wait, however that ends, unless it was granted.
struct Registered<'r, 'a> {
    record: &'r Record<'a>,
    lock: &'a Header,
}

impl Drop for Registered<'_, '_> {
    fn drop(&mut self) {
        if self.record.hit().is_none() {
            let mut key = self.lock.lock();
            if self.record.hit().is_none() {
                self.record.leave(&mut key);
            }
        }
    }
}

#[cold]
fn wait_simulated(objects: &[&dyn Waitable], need: Need, deadline: Deadline, why: Why) -> Option<Hit> {
    let me = platform::current().id();
    let on: SmallVec<[Object; 8]> = objects.iter().map(|object| object.header().object()).collect();
    let ready = || {
        let is_ready = |object: &&dyn Waitable| is_ready_for(*object, me);
        match need {
            Need::Any => objects.iter().any(is_ready),
            Need::All => objects.iter().all(is_ready),
            Need::AllOrLast => {
                objects.split_last().is_some_and(|(last, all)| is_ready(last) || all.iter().all(is_ready))
            }
        }
    };
    if !platform::block(&on, &ready, deadline, why) {
        return None;
    }
    take_at_one_moment(objects, need, me)
}

fn freeze(objects: &[&dyn Waitable], key: &mut Key<'_>) {
    for object in objects {
        let header = object.header();
        assert!(header.is_locked_by(key), "the objects of one wait belong to one process");
        header.freeze(key);
    }
}

fn thaw(objects: &[&dyn Waitable], key: &mut Key<'_>) {
    for object in objects {
        object.header().thaw(key);
    }
}

fn is_ready_for(object: &dyn Waitable, me: u32) -> bool {
    let value = object.header().value();
    match object.mode() {
        Mode::Sticky => value & SIGNALED != 0,
        Mode::Counted => value != 0,
        Mode::Mask(mask) => value & mask != 0,
        Mode::Owned(_) => {
            let owner = value & !mutex::LEFT;
            owner == 0 || owner == me
        }
    }
}

/// Takes for thread `me` what the wait wants, if it can be had now. All objects are frozen.
pub(super) fn take_now(objects: &[&dyn Waitable], need: Need, me: u32, key: &mut Key<'_>) -> Option<Hit> {
    let objects = match need {
        Need::Any => {
            let index = objects.iter().position(|object| is_ready_for(*object, me))?;
            let abandoned = take_frozen(objects[index], me, key);
            return Some(Hit { index, abandoned });
        }
        Need::All => objects,
        Need::AllOrLast => {
            let (last, all) = objects.split_last()?;
            if !all.iter().all(|object| is_ready_for(*object, me)) {
                let abandoned = is_ready_for(*last, me).then(|| take_frozen(*last, me, key))?;
                return Some(Hit { index: all.len(), abandoned });
            }
            all
        }
    };
    if !objects.iter().all(|object| is_ready_for(*object, me)) {
        return None;
    }
    let mut abandoned = false;
    for object in objects {
        abandoned |= take_frozen(*object, me, key);
    }
    Some(Hit { index: 0, abandoned })
}

/// Takes from an object that is frozen and ready; says whether it was an abandoned mutex.
fn take_frozen(object: &dyn Waitable, me: u32, key: &mut Key<'_>) -> bool {
    let header = object.header();
    debug_assert!(header.word() & WAITERS != 0, "frozen before it is taken");
    let value = header.value();
    match object.mode() {
        Mode::Sticky | Mode::Mask(_) => false,
        Mode::Counted => {
            // The same object twice in one wait for all: there is no second one to take.
            header.put(key, value.saturating_sub(1));
            false
        }
        Mode::Owned(again) => {
            let left = value & mutex::LEFT != 0;
            if value & !mutex::LEFT == me {
                again.fetch_add(1, Ordering::Relaxed);
            } else {
                header.put(key, me);
            }
            left
        }
    }
}

/// Calls `callback` once, when the object is ready: at once if it is so now. Nothing is taken: who is called looks
/// again, may find that another was faster, and then registers anew.
///
/// The callback runs on the thread that signals, with no lock held, and must not block.
pub fn on_signal(object: Arc<dyn Waitable>, callback: Callback) -> Registration {
    let want = match object.mode() {
        Mode::Sticky => Want::Some(SIGNALED),
        Mode::Counted => Want::Some(!WAITERS),
        Mode::Mask(mask) => Want::Some(mask),
        Mode::Owned(_) => Want::None(!WAITERS & !mutex::LEFT),
    };
    let header = object.header();
    header.visit(Access::Read);
    let mut key = header.lock();
    let id = key.new_id();
    header.freeze(&mut key);
    let ready = want.is_met(header.value());
    if !ready {
        let listener = Box::new(Listener { id, want, callback: callback.clone() });
        header.with_list(&mut key, |list| list.push(Waiter::Callback(listener)));
    }
    header.thaw(&mut key);
    drop(key);
    if ready {
        callback();
    }
    Registration { object, id }
}

/// A callback's registration; dropping it cancels the callback if it was not called yet.
#[must_use = "dropping it cancels the callback"]
pub struct Registration {
    object: Arc<dyn Waitable>,
    id: u64,
}

impl Drop for Registration {
    fn drop(&mut self) {
        let header = self.object.header();
        let mut key = header.lock();
        let gone = header.with_list(&mut key, |list| {
            let at = list.iter().position(|waiter| matches!(waiter, Waiter::Callback(it) if it.id == self.id))?;
            Some(list.remove(at))
        });
        header.thaw(&mut key);
        drop(key);
        // What the callback holds is released without the lock.
        drop(gone);
    }
}

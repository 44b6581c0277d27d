//! The platform port: the second seam. Everything above it is written once; below it are host threads, the simulated
//! world and loom.
//!
//! A port knows threads and time and nothing else of COM. Its operations are: [`Port::now`], [`Port::spawn`],
//! [`current`], [`Port::block`], [`Port::wake`], [`Port::visit`], [`Port::choose`] and [`Port::tell`].
//!
//! Rules that every caller keeps:
//! - no internal lock is held across [`visit`] or [`block`], nor while anything is woken;
//! - [`visit`] comes before the operation that it announces, and the operation is atomic;
//! - a wait is one step: [`block`] looks at `ready`, and what the wait takes is taken right after it returns. On host
//!   threads another thread may be faster: take in a way that can fail, and block again with the same deadline.

mod deadline;
mod fact;
mod host;
mod port;
mod random;
mod spin;
pub(crate) mod sync;
mod thread;

pub use crate::object::{CalledAfterEnd, Grave};
pub use crate::protocol::refs::Holders;
pub use deadline::Deadline;
pub use fact::{Fact, PlaceKind};
pub use host::host;
#[cfg(test)]
pub(crate) use host::run_as;
pub use port::{Access, Announce, Object, ObjectKind, Port, Spawn, Why};
pub use random::random_bits;
pub use thread::{Current, Thread, ThreadRef, current, enter};
pub(crate) use thread::{with_current, with_host, with_known, with_simulated};

use std::sync::Weak;

/// Announces an operation on a shared object: the simulator's scheduling point, nothing on host threads.
#[inline]
pub fn visit(object: Object, access: Access) {
    thread::with_simulated(|port| port.visit(object, access, Announce::Step));
}

/// Says that the current step does this too, beside what it announced: no scheduling point, but the simulator must know
/// of everything shared that a step touches.
#[inline]
pub fn note(object: Object, access: Access) {
    thread::with_simulated(|port| port.visit(object, access, Announce::Within));
}

/// Tells the world of a simulated thread a fact; nothing on host threads.
#[inline]
pub fn tell(fact: impl FnOnce() -> Fact) {
    thread::with_simulated(|port| port.tell(fact()));
}

/// Whether the current thread is one of a world that keeps the memory of objects that have gone.
pub(crate) fn buries() -> bool {
    let mut buries = false;
    thread::with_simulated(|port| buries = port.buries());
    buries
}

/// Hands the memory of an object that has gone to the world; without one it is freed.
pub(crate) fn bury(grave: Grave) {
    let mut grave = Some(grave);
    thread::with_simulated(|port| grave.take().into_iter().for_each(|grave| port.bury(grave)));
}

/// Whether the current thread is one of a simulated world.
#[inline]
pub fn is_simulated() -> bool {
    thread::is_simulated()
}

/// Tells a world that a thread which is none of its own uses something of it: see [`Port::used_outside`].
pub(crate) fn used_outside(world: Option<&Weak<dyn Port>>) {
    if let Some(port) = world.and_then(Weak::upgrade) {
        port.used_outside();
    }
}

/// Whether the emulation itself started the current thread.
pub(crate) fn is_own() -> bool {
    thread::is_own()
}

/// Blocks the current thread until `ready` holds (`true`) or the deadline has passed (`false`).
///
/// The thread must be reachable by whoever makes `ready` true: register with the objects before, and recheck after.
pub fn block(on: &[Object], ready: &dyn Fn() -> bool, deadline: Deadline, why: Why) -> bool {
    with_current(|thread| {
        let _place = thread.com().leave_pool_place(why);
        thread.port().block(on, ready, deadline, why)
    })
}

/// Virtual or real time in nanoseconds since the port's beginning.
pub fn now_ns() -> u64 {
    with_current(|thread| thread.port().now())
}

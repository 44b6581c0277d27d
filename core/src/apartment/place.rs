//! Where a thread is. At home it is in the apartment that it has entered, or in the MTA implicitly. It steps out into the
//! neutral apartment and into contexts, which have no threads of their own, and back into its own apartment when a call from
//! there leads back: all that on its own stack, without a switch of threads (APT-12).
//!
//! A [`Stay`] is one such step, and belongs to one stack frame. Nothing is shared: the thread's state is its own.

use super::thread_state::Whereabouts;
use super::{Apartment, Home, current};
use crate::platform;
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl Apartment {
    /// Whether threads are only guests here.
    pub(super) fn has_no_threads(&self) -> bool {
        matches!(self.home, Home::Neutral(_) | Home::Context(_))
    }

    /// The apartment whose threads run this one's code: itself, but for a context.
    pub(crate) fn base(self: &Arc<Self>) -> &Arc<Self> {
        match &self.home {
            Home::Context(context) => &context.parent,
            _ => self,
        }
    }

    /// Whether the calling thread, which is elsewhere, may step in: always into the neutral apartment, and between its own
    /// apartment, the contexts in that, and the neutral one.
    pub(crate) fn is_within_reach(self: &Arc<Self>) -> bool {
        let base = self.base();
        if matches!(base.home, Home::Neutral(_)) {
            return current().is_some();
        }
        platform::with_current(|thread| {
            let own = thread.com().with_own_apartment(|own| own.map(|own| Arc::ptr_eq(own, base)));
            own.unwrap_or_else(|| thread.process().apartments.is_mta(base))
        })
    }

    /// Nobody gets in any more.
    pub(super) fn set_ended(&self) {
        self.ended.store(true, Ordering::Release);
    }

    /// Whether its end has begun.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }
}

/// The calling thread is in another apartment than before, until this is dropped.
pub(crate) struct Stay(Option<Whereabouts>);

impl Stay {
    /// Steps into an apartment that is within reach.
    pub(crate) fn enter(place: &Arc<Apartment>) -> Self {
        Self(Some(platform::with_current(|thread| thread.com().move_to(place.clone()))))
    }

    /// A worker of a pool begins: the apartment is its own, unless that has no threads.
    pub(super) fn settle(place: &Arc<Apartment>) -> Self {
        if place.has_no_threads() {
            return Self::enter(place);
        }
        platform::with_current(|thread| thread.com().set_apartment(Some(place.clone())));
        Self(Some(Whereabouts::default()))
    }

    /// For what arrives for `place` while the thread is out: nothing to do when it is there already.
    pub(crate) fn for_task(place: impl FnOnce() -> Option<Arc<Apartment>>) -> Self {
        if !platform::with_current(|thread| thread.com().is_visiting()) {
            return Self(None);
        }
        match place().filter(|place| !place.is_current()) {
            Some(place) => Self::enter(&place),
            None => Self(None),
        }
    }

    /// Back at home, for window messages.
    pub(super) fn at_home() -> Self {
        Self::for_task(|| platform::with_current(|thread| thread.com().own_apartment()))
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        let Some(before) = self.0.take() else { return };
        let place = platform::with_current(|thread| thread.com().put_back(before));
        drop(place);
    }
}

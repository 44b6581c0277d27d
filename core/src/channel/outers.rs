//! The outer objects of an apartment that calls in flight hold, so that they are let go where they live when the apartment
//! ends first.
//!
//! A call's route to its outer object stays in the call until it is taken to signal it, in the apartment; the apartment's
//! end takes what is left. Both take it out of the call under the call's lock, so it is released once and in the right
//! place. A call stands in the list as long as it has its route. The list's own lock is held for moments only, and no other
//! is taken under it.

use super::Call;
use crate::platform::sync::Mutex;
use std::sync::{Arc, Weak};

/// Calls with an outer object of one apartment.
#[derive(Default)]
pub(crate) struct Outers(Mutex<Vec<Weak<Call>>>);

impl Outers {
    /// A call is sent that will signal an object of this apartment.
    pub(super) fn add(&self, call: &Arc<Call>) {
        self.0.lock().push(Arc::downgrade(call));
    }

    /// The call's route was taken.
    pub(super) fn remove(&self, call: &Call) {
        let mut calls = self.0.lock();
        // Nearly always one of the last.
        if let Some(at) = calls.iter().rposition(|there| std::ptr::eq(there.as_ptr(), call)) {
            calls.swap_remove(at);
        }
    }

    /// The apartment ends: nobody will be signalled there any more. Runs in the apartment.
    pub(crate) fn let_go(&self) {
        let calls = std::mem::take(&mut *self.0.lock());
        for call in calls.iter().filter_map(Weak::upgrade) {
            call.forget_route();
        }
    }
}

//! The outer objects of an apartment that calls in flight hold, so that they are let go where they live when the apartment
//! ends first.
//!
//! A call's route to its outer object stays in the call until it is taken to signal it, in the apartment; the apartment's
//! end takes what is left. Both take it out of the call under the call's lock, so it is released once and in the right
//! place. A call stands in the list as long as it has its route. The list's own lock is held for moments only, and no other
//! is taken under it.

use super::Call;
use crate::places::Places;
use crate::platform::sync::Mutex;
use std::sync::{Arc, Weak};

/// Calls with an outer object of one apartment.
#[derive(Default)]
pub(crate) struct Outers(Mutex<Places<Weak<Call>>>);

impl Outers {
    /// A call is sent that will signal an object of this apartment; where it stands from now on.
    pub(super) fn add(&self, call: &Arc<Call>) -> usize {
        self.0.lock().put(Arc::downgrade(call))
    }

    /// The call's route was taken.
    pub(super) fn remove(&self, call: &Call, place: usize) {
        let gone = self.0.lock().take_if(place, |there| std::ptr::eq(there.as_ptr(), call));
        drop(gone);
    }

    /// The apartment ends: nobody will be signalled there any more. Runs in the apartment.
    pub(crate) fn let_go(&self) {
        let calls = self.0.lock().take_all();
        for call in calls.filter_map(|call| call.upgrade()) {
            call.forget_route();
        }
    }
}

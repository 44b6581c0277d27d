//! Calls that are used again: the thread that has fetched a reply keeps the call, and a later call of that thread takes it
//! over once nobody else refers to it, which `Arc::get_mut` tells.

use super::{Body, Call, Caller, Route, Target};
use crate::channel::Buffer;
use crate::platform;
use crate::protocol::Word;
use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// How many calls a thread keeps.
const KEPT_MAX: usize = 256;
/// How many of them are looked at to find a free one: the last ones may be on their way out of the server.
const LOOKS_MAX: usize = 4;

/// The calls that a thread has kept for its next ones. Touched by the thread itself only.
#[derive(Default)]
pub(crate) struct Kept(RefCell<Vec<Arc<Call>>>);

impl Kept {
    fn take(&self) -> Option<Arc<Call>> {
        let mut calls = self.0.borrow_mut();
        let free = (0..calls.len()).rev().take(LOOKS_MAX).find(|at| Arc::get_mut(&mut calls[*at]).is_some())?;
        Some(calls.swap_remove(free))
    }

    /// Gives the call back when there are enough.
    fn keep(&self, call: Arc<Call>) -> Option<Arc<Call>> {
        let mut calls = self.0.borrow_mut();
        if calls.len() >= KEPT_MAX {
            return Some(call);
        }
        calls.push(call);
        None
    }
}

impl Call {
    /// A call that is not sent yet; one that this thread has kept, if there is one.
    pub(crate) fn take(target: Arc<Target>, caller: Caller, request: Buffer) -> Arc<Self> {
        platform::with_current(|thread| match thread.com().calls.take() {
            None => Self::new(thread.process(), target, caller, request),
            Some(mut call) => {
                let free = Arc::get_mut(&mut call).expect("kept calls are given when nobody refers to them");
                free.word = Word::new(0);
                free.done.reset_in_step();
                free.target = target;
                free.caller = caller;
                free.past_impersonation = AtomicBool::new(false);
                *free.body.get_mut() = Body { request, ..Body::default() };
                call
            }
        })
    }

    /// Gives the client's reference back, and keeps the call for another one if all went well.
    pub(crate) fn give_back(self: Arc<Self>) {
        // In a simulated world each call is a new one, so that no two of them are the same object to its eyes. A call that
        // is kept would keep its hooks.
        if platform::is_simulated() || self.caller.hooked.is_some() {
            return;
        }
        {
            let mut body = self.body.lock();
            // What the stub has left of a request, and an outer object that has not heard yet, are the destructor's.
            let well = body.received && body.in_flight.is_none() && body.signal_failure.is_none();
            if !well || body.request.len() > 0 || !matches!(body.route, Route::Wait) {
                return;
            }
            drop(body.reply.take());
        }
        let surplus = platform::with_current(|thread| thread.com().calls.keep(self));
        drop(surplus);
    }
}

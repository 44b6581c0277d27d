//! On whose behalf a thread works: while it serves a call, for the caller; while it does work of the machinery (a query, an
//! activation, a Signal) that it took from its queue inside a call, for nobody.
//!
//! A [`Scope`] belongs to one stack frame and to its thread; nothing is shared.

use super::Context;
use super::application::{Chain, Wait};
use crate::channel::Call;
use crate::platform;
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::Arc;
use windows_core::GUID;

/// The thread's call context, user's context, impersonation and logical thread are others until this is dropped.
pub(crate) struct Scope {
    context: Option<Context>,
    user_context: *mut c_void,
    impersonates: u64,
    logical: GUID,
    chain: Chain,
    _busy: Option<Wait>,
}

impl Scope {
    /// The thread serves a call: all is the call's.
    pub(crate) fn of_call(call: &Arc<Call>) -> Self {
        Self::begin(Context::Call(call.clone()), call.caller.logical, call.caller.chain, None)
    }

    /// The thread does what it took from its queue and what no call of the channel carries: if it serves a call, that one
    /// has nothing to do with it, nor is that one's ban on calls its own (RUL-150).
    pub(crate) fn of_machinery() -> Option<Self> {
        let serves = platform::with_current(|thread| matches!(&*thread.com().context.borrow(), Context::Call(_)));
        // An application STA that serves a call stays busy (MSG-17).
        serves.then(|| Self::begin(Context::None, GUID::zeroed(), Chain::default(), Some(Wait::plain(false))))
    }

    fn begin(context: Context, logical: GUID, chain: Chain, busy: Option<Wait>) -> Self {
        platform::with_current(|thread| {
            let com = thread.com();
            Self {
                context: Some(com.context.replace(context)),
                user_context: com.user_context.replace(null_mut()),
                impersonates: com.impersonates.replace(0),
                logical: com.logical.replace(logical),
                chain: com.application.chain.replace(chain),
                _busy: busy,
            }
        })
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        let ours = platform::with_current(|thread| {
            let com = thread.com();
            com.logical.set(self.logical);
            com.application.chain.set(self.chain);
            com.user_context.set(self.user_context);
            com.impersonates.set(self.impersonates);
            com.context.replace(self.context.take().unwrap_or_default())
        });
        drop(ours);
    }
}

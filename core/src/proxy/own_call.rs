//! Calls that a proxy manager carries out itself: the halves of the interfaces that it answers for every object.
//!
//! The call object is the same as for every other asynchronous interface; only its inner object has no channel. What is
//! begun is a [`Call`] that nobody sends: it is completed by whoever has done the work, and told by the same route.
//!
//! `halves` says who owns the call; the call object's [`Pending`] has it from `Begin_` to `Finish_`. Nothing is locked
//! here. `Finish_` blocks in ISynchronize::Wait only, and every call that is announced gets completed.

use super::head::{self, Head, Proxy};
use super::manager::ProxyManager;
use super::{async_several, async_unknown};
use crate::abi::hresult::{RPC_E_CALL_COMPLETE, RPC_S_CALLPENDING, S_OK};
use crate::abi::interfaces::{AsyncIMultiQI, AsyncIUnknown, ISynchronize};
use crate::abi::types::MSHCTX_INPROC;
use crate::abi::types::{COWAIT_DEFAULT, INFINITE};
use crate::call::{MakeOwn, Pending};
use crate::channel::{Buffer, Call, Failure, Kind, Target, client};
use crate::marshal::ndr::{Result, check};
use crate::object::guard;
use crate::protocol::halves::{Begin, Finish, Halves};
use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;
use windows_core::{ComObject, GUID, HRESULT, Interface};

/// Makes the inner object of a call object for an asynchronous interface that proxy managers answer themselves.
pub(super) fn find(async_iid: &GUID) -> Option<MakeOwn> {
    if *async_iid == AsyncIUnknown::IID {
        Some(async_unknown::create)
    } else if *async_iid == AsyncIMultiQI::IID {
        Some(async_several::create)
    } else {
        None
    }
}

/// Runs one half with the inner object held.
///
/// # Safety
/// `this` is the typed pointer of an inner object of that kind, and the caller holds it.
pub(super) unsafe fn with<P: Proxy, R: guard::Fault>(this: *mut c_void, half: impl FnOnce(&P) -> R) -> R {
    let root = this.cast::<P>();
    // SAFETY: word 0 is the root.
    unsafe {
        head::add_ref_own(root);
        let result = guard::call(|| half(&*root));
        head::release_own(root);
        result
    }
}

/// The state of such an inner object. See the module.
pub(super) struct OwnCall {
    halves: Halves,
    pending: Arc<Pending>,
}

impl OwnCall {
    pub(super) fn new(pending: Arc<Pending>) -> Self {
        Self { halves: Halves::new(), pending }
    }

    /// What the call object shares with it: its proxy, among others.
    pub(super) fn pending(&self) -> &Pending {
        &self.pending
    }

    /// Everything of `Begin_` that can fail.
    fn prepare<T>(
        &self,
        head: &Head,
        may: impl FnOnce(&ComObject<ProxyManager>) -> Result<T>,
    ) -> Result<(ISynchronize, ComObject<ProxyManager>, T)> {
        self.pending.home.check()?;
        let manager = self.pending.proxy()?;
        let allowed = may(&manager)?;
        let sync = head.synchronize()?;
        // SAFETY: the reference is ours.
        check(unsafe { sync.Reset() })?;
        Ok((sync, manager, allowed))
    }

    /// `Begin_` of a method: `start` has the work done and sees to it that the call is completed, but never before it is
    /// asked to. The caller keeps the inner object alive: a `Finish_` may be in before `start` returns.
    pub(super) fn begin<T>(
        &self,
        head: &Head,
        slot: u32,
        may: impl FnOnce(&ComObject<ProxyManager>) -> Result<T>,
        start: impl FnOnce(ComObject<ProxyManager>, T, Arc<Call>),
    ) -> HRESULT {
        if self.halves.begin(slot) == Begin::Busy {
            return RPC_S_CALLPENDING;
        }
        let (sync, manager, allowed) = match self.prepare(head, may) {
            Ok(ready) => ready,
            Err(hr) => {
                self.halves.give_up(slot);
                return hr;
            }
        };
        let apartment = manager.server().as_ref().map_or_else(Default::default, Arc::downgrade);
        let target = Target { apartment, ipid: GUID::zeroed(), iid: head.iid(), context: MSHCTX_INPROC };
        let call = Call::take(Arc::new(target), client::caller(Kind::Begun, None), Buffer::default());
        call.expect(self.pending.route(Some(&sync)));
        self.pending.adopt(&call);
        // Nothing is sent, so nothing fails late.
        let _ = self.halves.announce(slot);
        start(manager, allowed, call);
        S_OK
    }

    /// `Finish_` of a method. An interface that cannot report an error (`counts`) does not mind that its thread may not
    /// wait for a call that is complete.
    pub(super) fn finish<R>(
        &self,
        head: &Head,
        slot: u32,
        counts: bool,
        read: impl FnOnce(std::result::Result<&[u8], HRESULT>) -> R,
    ) -> Result<R> {
        if self.halves.finish(slot) == Finish::NotBegun {
            return Err(RPC_E_CALL_COMPLETE);
        }
        // SAFETY: the reference is ours.
        let waited = head.synchronize().and_then(|sync| check(unsafe { sync.Wait(COWAIT_DEFAULT, INFINITE) }));
        let ready = if counts { Ok(()) } else { waited };
        match ready.and_then(|()| self.pending.take_decided()) {
            Ok(call) => {
                let result = read(reply(&call));
                self.halves.done(slot);
                call.give_back();
                Ok(result)
            }
            Err(hr) => {
                // The caller may try again.
                let _ = self.halves.put_back(slot);
                Err(waited.err().unwrap_or(hr))
            }
        }
    }
}

/// The reply of a decided call.
fn reply(call: &Arc<Call>) -> std::result::Result<&[u8], HRESULT> {
    match call.reply() {
        // SAFETY: the call keeps its reply as long as it is borrowed; an empty one has a place, too.
        Ok((bytes, len)) => Ok(unsafe { std::slice::from_raw_parts(bytes.cast_const().cast::<u8>(), len) }),
        Err(Failure(hr)) => Err(hr),
    }
}

/// A reply of these bytes.
pub(super) fn bytes(from: &[u8]) -> Buffer {
    let mut buffer = Buffer::new(from.len());
    // SAFETY: as many bytes as the buffer was made for.
    unsafe { ptr::copy_nonoverlapping(from.as_ptr(), buffer.as_mut_ptr().cast::<u8>(), from.len()) };
    buffer
}

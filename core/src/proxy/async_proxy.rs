//! The proxy of an asynchronous interface: `Begin_` marshals and sends, `Finish_` waits and reads.
//!
//! It is the inner object of a call object: see [`super::head`] for its identity. The call object's ISynchronize is asked
//! of the controlling unknown at each step, because an outer object may answer it itself (AGG-03).
//!
//! Fields: `halves` says who owns the call; `message` and `kept` belong to the `Begin_` that claimed the call until it
//! announces it, then to the `Finish_` that claimed it, once it came back from its wait. The channel owns the message
//! between `Send` and the signal. A call object that goes away with a call pending lets the channel go: abandoning the
//! call, and giving back what its reply holds, is the channel's business (CALL-30).
//!
//! Nothing is locked. `Finish_` blocks in ISynchronize::Wait only; a request that could not be sent wakes it.

use super::args::{Ins, Outs};
use super::head::{self, Head, Proxy};
use super::info::{InterfaceInfo, Kept};
use super::interface_proxy::{free_buffer, read_reply, write_request};
use crate::abi::hresult::{CO_E_OBJNOTCONNECTED, RPC_E_CALL_COMPLETE, RPC_S_CALLPENDING, S_OK};
use crate::abi::interfaces::{IAsyncRpcChannelBuffer, IRpcChannelBuffer, ISynchronize};
use crate::abi::types::{COWAIT_DEFAULT, INFINITE, RPCOLEMESSAGE};
use crate::marshal::ndr::{Result, check};
use crate::object::{guard, raw};
use crate::protocol::halves::{Begin, Finish, Halves, NotSent, Woken};
use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::ptr::{self, NonNull};
use windows_core::{GUID, HRESULT, Interface, InterfaceRef};

pub(super) use super::head::DELEGATING;

/// The proxy of an asynchronous interface. See the module.
#[repr(C)]
pub(crate) struct AsyncProxy {
    head: Head,
    halves: Halves,
    message: UnsafeCell<RPCOLEMESSAGE>,
    kept: UnsafeCell<Kept>,
}

// SAFETY: `repr(C)`, the head comes first.
unsafe impl Proxy for AsyncProxy {
    fn iid(head: &Head) -> GUID {
        head.iid()
    }

    unsafe fn own(_this: *mut Self, _iid: &GUID) -> *mut c_void {
        ptr::null_mut()
    }

    unsafe fn channel(channel: *mut c_void) -> Result<*mut c_void> {
        let mut counted = ptr::null_mut();
        // SAFETY: the caller's promise.
        let hr = unsafe { raw::query(channel, &IAsyncRpcChannelBuffer::IID, &mut counted) };
        raw::given(hr, counted)
    }
}

/// Makes the inner asynchronous proxy under a controlling unknown: its IRpcProxyBuffer, counted.
///
/// # Safety
/// The interface has a twin; `outer` outlives the proxy.
pub(crate) unsafe fn create(info: &'static InterfaceInfo, outer: *mut c_void) -> *mut c_void {
    let typed = info.twin.as_ref().map_or(ptr::null(), |twin| twin.proxy_vtbl);
    let root = head::place(AsyncProxy {
        head: Head::new::<AsyncProxy>(info, typed, outer),
        halves: Halves::new(),
        message: UnsafeCell::new(RPCOLEMESSAGE::default()),
        kept: UnsafeCell::new(Kept::new()),
    });
    // SAFETY: the proxy was just made.
    unsafe { head::buffer_of(root) }
}

/// The channel of a link.
///
/// # Safety
/// The link of an asynchronous proxy is in use as long as the reference lives.
unsafe fn channel<'a>(pointer: *mut c_void) -> InterfaceRef<'a, IAsyncRpcChannelBuffer> {
    // SAFETY: `AsyncProxy::channel` put it there.
    unsafe { InterfaceRef::from_raw(NonNull::new_unchecked(pointer)) }
}

/// The same channel as the interface that has the buffers.
fn buffers<'a>(channel: InterfaceRef<'a, IAsyncRpcChannelBuffer>) -> InterfaceRef<'a, IRpcChannelBuffer> {
    // SAFETY: the one interface derives from the other.
    unsafe { InterfaceRef::from_raw(NonNull::new_unchecked(channel.as_raw())) }
}

impl AsyncProxy {
    /// Everything of `Begin_` that can fail before the call is pending. The writer's claim on the buffer ends here.
    ///
    /// # Safety
    /// The caller claimed the call, and the caller of the method passed valid parameters.
    unsafe fn prepare(
        &self,
        channel: InterfaceRef<'_, IAsyncRpcChannelBuffer>,
        slot: u32,
        ins: &impl Ins,
        keep: impl FnOnce(&mut Kept) -> Result,
    ) -> Result<ISynchronize> {
        ins.check()?;
        // SAFETY: the claim gives us the fields; the pointers were checked.
        unsafe {
            ins.measure()?;
            let kept = &mut *self.kept.get();
            kept.clear();
            keep(kept)?;
            let message = &mut *self.message.get();
            let mut writer = write_request(buffers(channel), self.head.info, slot, ins, message)?;
            // Whatever goes wrong from here on, nothing is sent (AGG-06).
            let ready = self.head.synchronize().and_then(|sync| check(sync.Reset()).map(|()| sync));
            if ready.is_err() {
                writer.abandon();
                free_buffer(buffers(channel), message);
            }
            ready
        }
    }

    /// # Safety
    /// The caller of the method passed valid parameters.
    unsafe fn begin(&self, slot: u32, ins: &impl Ins, keep: impl FnOnce(&mut Kept) -> Result) -> HRESULT {
        if self.halves.begin(slot) == Begin::Busy {
            return RPC_S_CALLPENDING;
        }
        let Some(link) = self.head.link.enter() else {
            self.halves.give_up(slot);
            return CO_E_OBJNOTCONNECTED;
        };
        // SAFETY: the link is in use until the end of this function.
        let channel = unsafe { channel(link.pointer()) };
        // SAFETY: claimed; the caller's promise.
        let sync = match unsafe { self.prepare(channel, slot, ins, keep) } {
            Ok(sync) => sync,
            Err(hr) => {
                self.halves.give_up(slot);
                return hr;
            }
        };
        let call = self.halves.announce(slot);
        let mut status = 0;
        // From here on the message belongs to the channel, and a Finish_ may be in on any thread, this one included.
        // SAFETY: the message holds the request; the channel counts what it keeps of the ISynchronize.
        let hr = unsafe { channel.Send(self.message.get(), sync.as_raw(), &mut status) };
        if hr.is_err() {
            if self.halves.not_sent(call) == NotSent::FinishWaits {
                // SAFETY: the reference is ours. There is nobody to tell of a failure.
                let _ = unsafe { sync.Signal() };
            }
            return hr;
        }
        S_OK
    }

    /// Waits for the reply and reads it. `Err(None)`: the call is still pending, and nothing was consumed.
    ///
    /// # Safety
    /// The caller claimed the call.
    unsafe fn wait(&self) -> std::result::Result<(), HRESULT> {
        let sync = self.head.synchronize()?;
        // SAFETY: the reference is ours.
        check(unsafe { sync.Wait(COWAIT_DEFAULT, INFINITE) })
    }

    /// # Safety
    /// The caller of the method passed valid parameters.
    unsafe fn finish<O: Outs>(&self, slot: u32, outs: impl FnOnce(&Kept) -> O, blank: impl FnOnce()) -> HRESULT {
        if self.halves.finish(slot) == Finish::NotBegun {
            blank();
            return RPC_E_CALL_COMPLETE;
        }
        // SAFETY: announced by Begin_ and not changed until the call is done.
        let outs = outs(unsafe { &*self.kept.get() });
        // SAFETY: sizes are kept as numbers.
        let ready = outs.check().and_then(|()| unsafe { outs.measure() });
        // SAFETY: claimed.
        if let Err(hr) = ready.and_then(|()| unsafe { self.wait() }) {
            // SAFETY: the caller's promise.
            unsafe { outs.blank() };
            // The caller may try again, unless there is no call.
            return match self.halves.put_back(slot) {
                Woken::Pending => hr,
                Woken::NeverSent => RPC_E_CALL_COMPLETE,
            };
        }
        // SAFETY: measured.
        unsafe { outs.zero() };
        if self.halves.woken(slot) == Woken::NeverSent {
            return RPC_E_CALL_COMPLETE;
        }
        let mut status = 0;
        // SAFETY: claimed and woken.
        let result = unsafe { self.receive(&outs, &mut status) };
        if result == Err(RPC_S_CALLPENDING) && status != RPC_E_CALL_COMPLETE.0 as u32 {
            // Somebody signalled the call object before its time.
            let _ = self.halves.put_back(slot);
            return RPC_S_CALLPENDING;
        }
        self.halves.done(slot);
        result.unwrap_or_else(|hr| {
            // SAFETY: zeroed above.
            unsafe { outs.clear() };
            hr
        })
    }

    /// Fetches the reply and reads it.
    ///
    /// # Safety
    /// The caller claimed the call and was woken; the [out] memory is zero.
    unsafe fn receive(&self, outs: &impl Outs, status: &mut u32) -> Result<HRESULT> {
        let link = self.head.link.enter().ok_or(CO_E_OBJNOTCONNECTED)?;
        // SAFETY: the link is in use until the end of this function; the message is ours again.
        unsafe {
            let channel = channel(link.pointer());
            check(channel.Receive(self.message.get(), status))?;
            let message = &mut *self.message.get();
            let result = read_reply(outs, message);
            free_buffer(buffers(channel), message);
            result
        }
    }
}

/// `Begin_` of a method.
///
/// # Safety
/// `this` is the typed pointer of an asynchronous proxy, and the caller of the method passed valid parameters.
pub unsafe fn begin(this: *mut c_void, slot: u32, ins: impl Ins, keep: impl FnOnce(&mut Kept) -> Result) -> HRESULT {
    guard::call(|| {
        // SAFETY: word 0 of a proxy is its root, and the caller holds it.
        let proxy = unsafe { &*this.cast::<AsyncProxy>() };
        proxy.head.used();
        // SAFETY: the caller's promise.
        unsafe { proxy.begin(slot, &ins, keep) }
    })
}

/// `Finish_` of a method. `outs` makes the descriptors from what `Begin_` kept.
///
/// # Safety
/// As for [`begin`].
pub unsafe fn finish<O: Outs>(this: *mut c_void, slot: u32, outs: impl Fn(&Kept) -> O) -> HRESULT {
    guard::call(|| {
        // SAFETY: word 0 of a proxy is its root, and the caller holds it.
        let proxy = unsafe { &*this.cast::<AsyncProxy>() };
        proxy.head.used();
        // SAFETY: the caller's promise; without a call nothing was kept, so no size is known.
        unsafe { proxy.finish(slot, &outs, || outs(&Kept::new()).blank()) }
    })
}

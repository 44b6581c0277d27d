//! A factory of proxies and stubs that logs what it and they are asked (MRSH-28): under its name are `CreateStub`,
//! `CreateProxy`, `Connect` with the destination that the channel names (MRSH-29), `Invoke`, and the `Disconnect` of both
//! kinds. The work is done by the factory that the interface has anyway.

use super::{ISample, Player};
use oleander::windows_core::{GUID, HRESULT, Interface};
use oleander::*;
use std::ffi::c_void;
use std::ptr::dangling_mut;

/// The factory of ISample's proxies and stubs.
#[com_class(IPSFactoryBuffer)]
pub struct Recorder {
    player: Player,
    inner: IPSFactoryBuffer,
}

impl Recorder {
    /// A factory that logs under the player's name.
    pub fn new(player: Player) -> Result<Self, String> {
        let info = proxy::factory::find(&ISample::IID).ok_or("ISample has no proxies")?;
        Ok(Self { player, inner: proxy::factory::builtin_factory(info) })
    }
}

#[com_class(IRpcProxyBuffer)]
struct RecordedProxy {
    player: Player,
    inner: IRpcProxyBuffer,
}

#[com_class(IRpcStubBuffer)]
struct RecordedStub {
    player: Player,
    inner: IRpcStubBuffer,
}

impl IPSFactoryBuffer_Impl for Recorder_Impl {
    unsafe fn CreateProxy(
        &self,
        outer: *mut c_void,
        iid: *const GUID,
        proxy: *mut *mut c_void,
        typed: *mut *mut c_void,
    ) -> HRESULT {
        self.player.method("CreateProxy", None);
        // SAFETY: the caller's pointers.
        unsafe {
            let hr = self.inner.CreateProxy(outer, iid, proxy, typed);
            if hr.is_ok() {
                let (player, inner) = (self.player.clone(), IRpcProxyBuffer::from_raw(*proxy));
                *proxy = IRpcProxyBuffer::from(RecordedProxy { player, inner }).into_raw();
            }
            hr
        }
    }
    unsafe fn CreateStub(&self, iid: *const GUID, server: *mut c_void, stub: *mut *mut c_void) -> HRESULT {
        self.player.method("CreateStub", None);
        // SAFETY: the caller's pointers.
        unsafe {
            let hr = self.inner.CreateStub(iid, server, stub);
            if hr.is_ok() {
                let (player, inner) = (self.player.clone(), IRpcStubBuffer::from_raw(*stub));
                *stub = IRpcStubBuffer::from(RecordedStub { player, inner }).into_raw();
            }
            hr
        }
    }
}

/// Where a channel leads; nothing, if there is data with it.
fn destination(channel: *mut c_void) -> Option<u32> {
    let (mut context, mut data) = (0xABCD, dangling_mut());
    // SAFETY: a live channel and valid pointers.
    unsafe {
        let channel = IRpcChannelBuffer::from_raw_borrowed(&channel)?;
        let hr = channel.GetDestCtx(&mut context, &mut data);
        (hr == S_OK && data.is_null()).then_some(context)
    }
}

impl IRpcProxyBuffer_Impl for RecordedProxy_Impl {
    unsafe fn Connect(&self, channel: *mut c_void) -> HRESULT {
        self.player.method("Connect", destination(channel));
        // SAFETY: the caller's channel.
        unsafe { self.inner.Connect(channel) }
    }
    unsafe fn Disconnect(&self) {
        self.player.method("Disconnect", None);
        // SAFETY: no pointers.
        unsafe { self.inner.Disconnect() }
    }
}

impl IRpcStubBuffer_Impl for RecordedStub_Impl {
    unsafe fn Connect(&self, server: *mut c_void) -> HRESULT {
        // SAFETY: the caller's object.
        unsafe { self.inner.Connect(server) }
    }
    unsafe fn Disconnect(&self) {
        self.player.method("Disconnect", None);
        // SAFETY: no pointers.
        unsafe { self.inner.Disconnect() }
    }
    unsafe fn Invoke(&self, message: *mut RPCOLEMESSAGE, channel: *mut c_void) -> HRESULT {
        self.player.method("Invoke", destination(channel));
        // SAFETY: the caller's message and channel.
        unsafe { self.inner.Invoke(message, channel) }
    }
    unsafe fn IsIIDSupported(&self, iid: *const GUID) -> *mut c_void {
        // SAFETY: the caller's id.
        unsafe { self.inner.IsIIDSupported(iid) }
    }
    unsafe fn CountRefs(&self) -> u32 {
        // SAFETY: no pointers.
        unsafe { self.inner.CountRefs() }
    }
    unsafe fn DebugServerQueryInterface(&self, out: *mut *mut c_void) -> HRESULT {
        // SAFETY: the caller's pointer.
        unsafe { self.inner.DebugServerQueryInterface(out) }
    }
    unsafe fn DebugServerRelease(&self, pointer: *mut c_void) {
        // SAFETY: the caller's pointer.
        unsafe { self.inner.DebugServerRelease(pointer) }
    }
}

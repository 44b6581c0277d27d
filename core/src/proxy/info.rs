//! What `#[async_interface]` says of an interface: the tables behind its proxies and stubs.

use crate::abi::hresult::RPC_E_INVALIDMETHOD;
use crate::abi::types::RPCOLEMESSAGE;
use crate::channel::Buffer;
use crate::marshal::ndr::{BAD, Count, Result};
use smallvec::SmallVec;
use std::ffi::c_void;
use windows_core::{GUID, HRESULT, IUnknown, IUnknown_Vtbl, Interface};

/// An interface that can be marshaled.
pub struct InterfaceInfo {
    /// Its name.
    pub name: &'static str,
    /// Its id.
    pub iid: GUID,
    /// How many slots its vtable has, those of IUnknown and of all its bases included.
    pub methods: u32,
    /// Its vtable, filled with what proxies do.
    pub proxy_vtbl: *const c_void,
    /// Runs the call in the message on the server's interface and writes the reply through the channel (an
    /// `IRpcChannelBuffer`, which may change the message's buffer). The object references in the request are consumed,
    /// whatever happens.
    pub invoke: unsafe fn(server: *mut c_void, message: &mut RPCOLEMESSAGE, channel: *mut c_void) -> HRESULT,
    /// Gives back what the object references in a request or reply hold that nobody will read.
    pub discard: unsafe fn(message: &RPCOLEMESSAGE, direction: Direction),
    /// Its asynchronous twin, if it has one.
    pub twin: Option<AsyncInfo>,
}

/// The asynchronous twin of an interface.
pub struct AsyncInfo {
    /// Its name.
    pub name: &'static str,
    /// Its id.
    pub iid: GUID,
    /// Its vtable, filled with what asynchronous proxies do.
    pub proxy_vtbl: *const c_void,
    /// Calls `Begin_` of the method in the message on a call object, with the request's parameters. The object references
    /// in the request are consumed, whatever happens.
    pub begin: unsafe fn(call: *mut c_void, message: &RPCOLEMESSAGE, kept: &mut Kept) -> HRESULT,
    /// Calls `Finish_` and writes the reply through the channel.
    pub finish: unsafe fn(call: *mut c_void, message: &mut RPCOLEMESSAGE, channel: *mut c_void, kept: &Kept) -> HRESULT,
}

impl InterfaceInfo {
    /// Whether an id is that of the asynchronous twin.
    pub(crate) fn is_twin(&self, iid: &GUID) -> bool {
        self.twin.as_ref().is_some_and(|twin| twin.iid == *iid)
    }

    /// Gives back what a method's request or reply holds that nobody will read.
    pub(crate) fn discard_buffer(&self, method: u32, mut buffer: Buffer, direction: Direction) {
        let message = RPCOLEMESSAGE {
            Buffer: buffer.as_mut_ptr(),
            cbBuffer: u32::try_from(buffer.len()).unwrap_or(u32::MAX),
            iMethod: method,
            ..RPCOLEMESSAGE::default()
        };
        // SAFETY: the message describes the buffer.
        unsafe { (self.discard)(&message, direction) };
    }
}

// SAFETY: the pointers lead to immutable statics.
unsafe impl Sync for InterfaceInfo {}
// SAFETY: as above.
unsafe impl Send for InterfaceInfo {}

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the client: it holds the \[in\] parameters.
    Request,
    /// From the server: it holds the \[out\] parameters.
    Reply,
}

/// The registration of an interface, made by `#[async_interface]`.
pub struct Registration(pub &'static InterfaceInfo);

inventory::collect!(Registration);

/// What `Finish_` needs and only `Begin_` can know: sizes and interface ids that \[in\] parameters say.
#[derive(Clone, Debug, Default)]
pub struct Kept(SmallVec<[u64; 2]>);

impl Kept {
    /// Nothing kept.
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets all, for the next call.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Keeps a number of elements.
    pub fn push_count(&mut self, count: Count) -> Result {
        self.0.push(u64::from(count.get()?));
        Ok(())
    }

    /// Keeps an interface id.
    pub fn push_iid(&mut self, iid: GUID) {
        let bits = iid.to_u128();
        self.0.push((bits >> 64) as u64);
        self.0.push(bits as u64);
    }

    /// A number that was kept.
    pub fn count(&self, index: usize) -> Result<u32> {
        self.0.get(index).and_then(|word| u32::try_from(*word).ok()).ok_or(BAD)
    }

    /// An interface id that was kept.
    pub fn iid(&self, index: usize) -> Result<GUID> {
        let (high, low) = self.0.get(index).zip(self.0.get(index + 1)).ok_or(BAD)?;
        Ok(GUID::from_u128(u128::from(*high) << 64 | u128::from(*low)))
    }
}

/// An interface with proxy and stub, as its derived interfaces see it.
///
/// # Safety
/// The functions serve slots `3..SLOTS` of the vtable, and `PROXY` is made of what proxies do.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no proxy and stub",
    note = "the base of an interface made with `#[async_interface]` is IUnknown or another such interface"
)]
pub unsafe trait Remote: Interface {
    /// How many slots the vtable has.
    const SLOTS: u32;
    /// The vtable of a proxy.
    const PROXY: <Self as Interface>::Vtable;

    /// Serves a call for the interface `iid`, which is this one or derives from it.
    ///
    /// # Safety
    /// `server` is a live pointer of this interface, `channel` a live `IRpcChannelBuffer`, and the message's buffer is
    /// what it says.
    unsafe fn serve(iid: &GUID, server: *mut c_void, message: &mut RPCOLEMESSAGE, channel: *mut c_void) -> HRESULT;

    /// See [`InterfaceInfo::invoke`].
    ///
    /// # Safety
    /// As for [`Remote::serve`].
    unsafe fn invoke(server: *mut c_void, message: &mut RPCOLEMESSAGE, channel: *mut c_void) -> HRESULT {
        // SAFETY: the caller's promise.
        unsafe { Self::serve(&Self::IID, server, message, channel) }
    }

    /// See [`InterfaceInfo::discard`].
    ///
    /// # Safety
    /// The message's buffer is what it says.
    unsafe fn discard(message: &RPCOLEMESSAGE, direction: Direction);
}

/// An interface with an asynchronous twin, as its derived interfaces see it.
///
/// # Safety
/// As for [`Remote`], for the twin's vtable: `Begin_` and `Finish_` of slot n at 2n-3 and 2n-2.
#[diagnostic::on_unimplemented(
    message = "the base `{Self}` has no `async_uuid`",
    label = "an interface with `async_uuid` derives from IUnknown or from one that has `async_uuid` too (MIDL2272)"
)]
pub unsafe trait HasTwin: Remote {
    /// The twin.
    type Twin: Interface;
    /// The vtable of the twin's proxy.
    const TWIN_PROXY: <Self::Twin as Interface>::Vtable;

    /// See [`AsyncInfo::begin`].
    ///
    /// # Safety
    /// `call` is a live pointer of the twin, and the message's buffer is what it says.
    unsafe fn begin(call: *mut c_void, message: &RPCOLEMESSAGE, kept: &mut Kept) -> HRESULT;

    /// Ends a call for the interface `iid`, which is this one or derives from it.
    ///
    /// # Safety
    /// `call` is a live pointer of the twin, `channel` a live `IRpcChannelBuffer`.
    unsafe fn end(
        iid: &GUID,
        call: *mut c_void,
        message: &mut RPCOLEMESSAGE,
        channel: *mut c_void,
        kept: &Kept,
    ) -> HRESULT;

    /// See [`AsyncInfo::finish`].
    ///
    /// # Safety
    /// As for [`HasTwin::end`].
    unsafe fn finish(call: *mut c_void, message: &mut RPCOLEMESSAGE, channel: *mut c_void, kept: &Kept) -> HRESULT {
        // SAFETY: the caller's promise.
        unsafe { Self::end(&Self::IID, call, message, channel, kept) }
    }
}

// SAFETY: IUnknown has no slot that a call could name: the proxy manager answers it.
unsafe impl Remote for IUnknown {
    const SLOTS: u32 = 3;
    const PROXY: IUnknown_Vtbl = super::interface_proxy::DELEGATING;

    unsafe fn serve(_: &GUID, _: *mut c_void, _: &mut RPCOLEMESSAGE, _: *mut c_void) -> HRESULT {
        RPC_E_INVALIDMETHOD
    }

    unsafe fn discard(_: &RPCOLEMESSAGE, _: Direction) {}
}

// SAFETY: as above.
unsafe impl HasTwin for IUnknown {
    type Twin = IUnknown;
    const TWIN_PROXY: IUnknown_Vtbl = super::async_proxy::DELEGATING;

    unsafe fn begin(_: *mut c_void, _: &RPCOLEMESSAGE, _: &mut Kept) -> HRESULT {
        RPC_E_INVALIDMETHOD
    }

    unsafe fn end(_: &GUID, _: *mut c_void, _: &mut RPCOLEMESSAGE, _: *mut c_void, _: &Kept) -> HRESULT {
        RPC_E_INVALIDMETHOD
    }
}

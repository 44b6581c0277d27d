//! The proxy of a synchronous interface: marshals a method's parameters, sends them, reads what comes back.
//!
//! See [`super::head`] for its identity. Besides, it answers an ICallFactory of its own when the interface has a twin
//! (CHN-02): the proxy manager's call object gets the inner asynchronous proxy there.
//!
//! Who owns the request: the proxy until `SendReceive`, the channel from then on, whether it succeeds or not. When it
//! fails, the channel has freed the buffer and given back what the object references in it hold
//! ([`InterfaceInfo::discard`]).

use super::args::{Ins, Outs};
use super::async_proxy;
use super::head::{self, Head, Proxy};
use super::info::InterfaceInfo;
use crate::abi::hresult::{CO_E_OBJNOTCONNECTED, E_NOINTERFACE, E_OUTOFMEMORY, E_POINTER, S_OK};
use crate::abi::interfaces::{ICallFactory, ICallFactory_Vtbl, IRpcChannelBuffer};
use crate::abi::types::{RPCFLG_ASYNCHRONOUS, RPCFLG_INPUT_SYNCHRONOUS, RPCOLEMESSAGE};
use crate::marshal::ndr::{Ndr, Reader, Result, Writer, check};
use crate::object::{Word, guard, raw};
use std::ffi::c_void;
use std::ptr::{self, NonNull};
use windows_core::{GUID, HRESULT, IUnknown, IUnknown_Vtbl, Interface, InterfaceRef};

pub(super) use super::head::DELEGATING;

/// The proxy of a synchronous interface. See the module.
#[repr(C)]
pub(crate) struct InterfaceProxy {
    head: Head,
    factory: *const ICallFactory_Vtbl,
}

static FACTORY: ICallFactory_Vtbl = ICallFactory_Vtbl {
    base__: IUnknown_Vtbl { QueryInterface: factory_query, AddRef: factory_add_ref, Release: factory_release },
    CreateCall: create_call,
};

// SAFETY: `repr(C)`, the head comes first, and `factory` holds a vtable.
unsafe impl Proxy for InterfaceProxy {
    const WORD: Option<Word> = {
        let at = std::mem::offset_of!(InterfaceProxy, factory) / size_of::<usize>();
        Some(Word::new::<ICallFactory>(at, "ICallFactory"))
    };

    fn interface(info: &'static InterfaceInfo) -> &'static str {
        info.name
    }

    fn methods(info: &InterfaceInfo) -> usize {
        info.methods as usize
    }

    fn iid(head: &Head) -> GUID {
        head.info.iid
    }

    unsafe fn own(this: *mut Self, iid: &GUID) -> *mut c_void {
        // SAFETY: the caller's promise.
        unsafe {
            if *iid == ICallFactory::IID && (*this).head.info.twin.is_some() {
                (&raw mut (*this).factory).cast()
            } else {
                ptr::null_mut()
            }
        }
    }

    unsafe fn channel(channel: *mut c_void) -> Result<*mut c_void> {
        // SAFETY: the caller's promise.
        unsafe { raw::add_ref(channel) };
        Ok(channel)
    }
}

/// Makes an interface proxy under a controlling unknown: its IRpcProxyBuffer, counted, and its typed interface, counted
/// on the controlling unknown.
///
/// # Safety
/// `outer` is null or outlives the proxy.
pub(crate) unsafe fn create(info: &'static InterfaceInfo, outer: *mut c_void) -> (*mut c_void, *mut c_void) {
    let head = Head::new::<InterfaceProxy>(info, info.proxy_vtbl, outer);
    let root = head::place(InterfaceProxy { head, factory: &FACTORY });
    // SAFETY: the proxy was just made.
    unsafe {
        raw::add_ref(root.cast());
        (head::buffer_of(root), root.cast())
    }
}

/// The root of a proxy from its ICallFactory.
///
/// # Safety
/// `factory` came from `InterfaceProxy::own`.
unsafe fn root_of(factory: *mut c_void) -> *mut InterfaceProxy {
    // SAFETY: the field lies that far behind the root.
    unsafe { factory.byte_sub(std::mem::offset_of!(InterfaceProxy, factory)).cast() }
}

unsafe extern "system" fn factory_query(this: *mut c_void, iid: *const GUID, ppv: *mut *mut c_void) -> HRESULT {
    // SAFETY: the caller's promise.
    unsafe { head::query_own(root_of(this), iid, ppv) }
}

unsafe extern "system" fn factory_add_ref(this: *mut c_void) -> u32 {
    // SAFETY: the caller's promise.
    unsafe { head::add_ref_own(root_of(this)) }
}

unsafe extern "system" fn factory_release(this: *mut c_void) -> u32 {
    // SAFETY: the caller's promise.
    unsafe { head::release_own(root_of(this)) }
}

unsafe extern "system" fn create_call(
    this: *mut c_void,
    iid: *const GUID,
    outer: *mut c_void,
    iid2: *const GUID,
    ppv: *mut *mut c_void,
) -> HRESULT {
    use crate::abi::hresult::{CLASS_E_NOAGGREGATION, E_INVALIDARG};
    // SAFETY: the caller vouches for the pointers, which may be null.
    let Some(ppv) = (unsafe { ppv.as_mut() }) else { return E_INVALIDARG };
    *ppv = ptr::null_mut();
    // SAFETY: as above.
    let (Some(iid), Some(iid2)) = (unsafe { (iid.as_ref(), iid2.as_ref()) }) else { return E_POINTER };
    // SAFETY: the caller holds the proxy.
    let info = unsafe { (*root_of(this)).head.info };
    match &info.twin {
        Some(twin) if twin.iid == *iid => {}
        _ => return E_NOINTERFACE,
    }
    // What this factory makes is an inner object: without an outer one there is no ISynchronize.
    if outer.is_null() {
        return E_INVALIDARG;
    }
    if *iid2 != IUnknown::IID {
        return CLASS_E_NOAGGREGATION;
    }
    // SAFETY: the outer object outlives what it aggregates.
    *ppv = unsafe { async_proxy::create(info, outer) };
    S_OK
}

/// What a message holds before the channel makes its buffer.
pub(super) fn message(slot: u32, size: u32) -> RPCOLEMESSAGE {
    RPCOLEMESSAGE { iMethod: slot, cbBuffer: size, ..RPCOLEMESSAGE::default() }
}

/// Counts the request, gets a buffer for it, with the flags that the message has, and writes it. The writer that comes back can still abandon it.
///
/// # Safety
/// `measure` of the parameters succeeded.
pub(super) unsafe fn write_request<'a>(
    channel: InterfaceRef<'a, IRpcChannelBuffer>,
    info: &InterfaceInfo,
    slot: u32,
    ins: &impl Ins,
    msg: &mut RPCOLEMESSAGE,
) -> Result<Writer<'a>> {
    let mut counter = Writer::counting(Some(channel));
    // SAFETY: the caller's promise.
    unsafe { ins.write(&mut counter)? };
    *msg = RPCOLEMESSAGE { rpcFlags: msg.rpcFlags, ..message(slot, counter.position()) };
    // SAFETY: the message is ours.
    check(unsafe { channel.GetBuffer(msg, &info.iid) })?;
    if msg.Buffer.is_null() && counter.position() > 0 {
        return Err(E_OUTOFMEMORY);
    }
    // SAFETY: the channel gave a buffer of that size.
    let mut writer = unsafe { Writer::new(buffer(msg), counter.position(), Some(channel)) };
    // SAFETY: the caller's promise.
    if let Err(hr) = unsafe { ins.write(&mut writer) } {
        writer.abandon();
        free_buffer(channel, msg);
        return Err(hr);
    }
    msg.cbBuffer = writer.position();
    Ok(writer)
}

/// The buffer of a message; never null, so that a writer for nothing is no counting one.
fn buffer(msg: &RPCOLEMESSAGE) -> *mut u8 {
    NonNull::new(msg.Buffer.cast::<u8>()).map_or(ptr::dangling_mut(), NonNull::as_ptr)
}

/// Gives a buffer back to the channel.
pub(super) fn free_buffer(channel: InterfaceRef<'_, IRpcChannelBuffer>, msg: &mut RPCOLEMESSAGE) {
    // SAFETY: the message is ours. Nothing depends on the answer.
    let _ = unsafe { channel.FreeBuffer(msg) };
}

/// Reads the reply: the [out] parameters, then the method's HRESULT.
///
/// # Safety
/// `zero` was called for the parameters, and the message's buffer is what it says.
pub(super) unsafe fn read_reply(outs: &impl Outs, msg: &RPCOLEMESSAGE) -> Result<HRESULT> {
    let mut result = HRESULT(0);
    // SAFETY: the caller's promises.
    unsafe {
        let mut reader = Reader::new(msg.Buffer.cast(), msg.cbBuffer);
        outs.read(&mut reader)?;
        HRESULT::read(&mut result, &mut reader)?;
        reader.finish()?;
    }
    Ok(result)
}

/// Frees what was read, or just zeroes the memory where nothing can have been read.
///
/// # Safety
/// `measure` succeeded; `zeroed` says whether `zero` was called.
pub(super) unsafe fn reset(outs: &impl Outs, zeroed: bool) {
    // SAFETY: the caller's promises.
    unsafe { if zeroed { outs.clear() } else { outs.zero() } };
}

/// A method of a proxy: sends the parameters and waits for the reply.
///
/// # Safety
/// `this` is the typed pointer of an interface proxy, and the caller of the method passed valid parameters.
#[inline]
pub unsafe fn call(this: *mut c_void, slot: u32, ins: impl Ins, outs: impl Outs) -> HRESULT {
    // SAFETY: the caller's promise.
    unsafe { call_with(0, this, slot, ins, outs) }
}

/// A notification of the old kind: sends the parameters, and leaves to the channel whether it waits (MSG-19).
///
/// # Safety
/// As for [`call`].
#[inline]
pub unsafe fn notify(this: *mut c_void, slot: u32, ins: impl Ins) -> HRESULT {
    // SAFETY: the caller's promise.
    unsafe { call_with(RPCFLG_ASYNCHRONOUS, this, slot, ins, ()) }
}

/// An input-synchronous call: the server answers at once, and calls nobody (MSG-19).
///
/// # Safety
/// As for [`call`].
#[inline]
pub unsafe fn call_at_once(this: *mut c_void, slot: u32, ins: impl Ins, outs: impl Outs) -> HRESULT {
    // SAFETY: the caller's promise.
    unsafe { call_with(RPCFLG_INPUT_SYNCHRONOUS, this, slot, ins, outs) }
}

#[inline]
unsafe fn call_with(flags: u32, this: *mut c_void, slot: u32, ins: impl Ins, outs: impl Outs) -> HRESULT {
    guard::call(|| {
        // SAFETY: word 0 of a proxy is its root, and the caller holds it.
        let head = unsafe { &*this.cast::<Head>() };
        head.used();
        // SAFETY: sizes are read only after all pointers were checked.
        let ready = ins.check().and_then(|()| outs.check()).and_then(|()| unsafe {
            ins.measure()?;
            outs.measure()
        });
        if let Err(hr) = ready {
            // SAFETY: the caller's promise.
            unsafe { outs.blank() };
            return hr;
        }
        let mut zeroed = false;
        // SAFETY: measured.
        match unsafe { exchange(head, (slot, flags), &ins, &outs, &mut zeroed) } {
            Ok(hr) => hr,
            Err(hr) => {
                // SAFETY: measured.
                unsafe { reset(&outs, zeroed) };
                hr
            }
        }
    })
}

/// A call under an outer object, which only the client's apartment could have (PX-19): nothing comes out of it.
///
/// # Safety
/// As for [`call`].
pub unsafe fn refuse(outs: impl Outs) -> HRESULT {
    // SAFETY: the caller's promise.
    unsafe { outs.blank() };
    crate::abi::hresult::CLASS_E_NOAGGREGATION
}

unsafe fn exchange(
    head: &Head,
    (slot, flags): (u32, u32),
    ins: &impl Ins,
    outs: &impl Outs,
    zeroed: &mut bool,
) -> Result<HRESULT> {
    let link = head.link.enter().ok_or(CO_E_OBJNOTCONNECTED)?;
    // SAFETY: the link holds an IRpcChannelBuffer as long as it is used.
    let channel = unsafe { InterfaceRef::<IRpcChannelBuffer>::from_raw(NonNull::new_unchecked(link.pointer())) };
    let mut msg = RPCOLEMESSAGE { rpcFlags: flags, ..RPCOLEMESSAGE::default() };
    // SAFETY: measured by the caller.
    unsafe { write_request(channel, head.info, slot, ins, &mut msg)? };
    *zeroed = true;
    // SAFETY: as above.
    unsafe { outs.zero() };
    let mut status = 0;
    // SAFETY: the message holds the request.
    let sent = check(unsafe { channel.SendReceive(&mut msg, &mut status) });
    if sent.is_err() && !msg.Buffer.is_null() {
        // Ours takes the request back when it fails; Wine's leaves it in the message, with the stub that it was for. A channel
        // that freed it and left the pointer would have it freed twice: that Windows' does not is not shown (the book, *On
        // Windows*).
        free_buffer(channel, &mut msg);
    }
    sent?;
    if flags & RPCFLG_ASYNCHRONOUS != 0 {
        // There is a reply only where the channel has made a call of it, and nobody wants it.
        free_buffer(channel, &mut msg);
        return Ok(S_OK);
    }
    // SAFETY: the message holds the reply.
    let result = unsafe { read_reply(outs, &msg) };
    free_buffer(channel, &mut msg);
    result
}

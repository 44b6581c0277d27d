//! The standard marshaler as an object: for classes whose IMarshal leaves some destinations to it (`CoGetStandardMarshal`),
//! or that aggregate it (`CoGetStdMarshalEx`).
//!
//! It is of the apartment that made it and keeps no state of its own: references are counted on the stub manager of the
//! object. It holds the object, unless the object is its outer, which holds it.

use super::packet;
use super::{CoReleaseMarshalData, CoUnmarshalInterface};
use crate::abi::clsid::CLSID_StdMarshal;
use crate::abi::exports::export;
use crate::abi::hresult::{CO_E_NOTINITIALIZED, E_INVALIDARG, S_OK};
use crate::abi::interfaces::{IMarshal_Impl, IMarshal2, IMarshal2_Impl, IStream};
use crate::abi::types::{SMEXF_HANDLER, SMEXF_SERVER};
use crate::com_class;
use crate::{apartment, object, proxy, stub};
use std::ffi::c_void;
use windows_core::{GUID, HRESULT, IUnknown, Interface};

/// What the marshaler is for.
enum Of {
    /// Whatever it is given: it was asked for without an object, to unmarshal.
    Anything,
    Object(IUnknown),
    /// The object that aggregates it.
    Outer,
}

#[com_class(IMarshal2)]
struct StandardMarshaler {
    of: Of,
}

impl StandardMarshaler_Impl {
    /// The object that a call is about: the argument, or the marshaler's own.
    ///
    /// # Safety
    /// `pv` is null or a live interface pointer.
    unsafe fn object(&self, pv: *mut c_void) -> Option<IUnknown> {
        // SAFETY: the caller's.
        let given = unsafe { IUnknown::from_raw_borrowed(&pv) }.cloned();
        given.or_else(|| match &self.of {
            Of::Anything => None,
            Of::Object(object) => Some(object.clone()),
            Of::Outer => Some(self.controlling_unknown().clone()),
        })
    }
}

impl IMarshal2_Impl for StandardMarshaler_Impl {}

impl IMarshal_Impl for StandardMarshaler_Impl {
    unsafe fn GetUnmarshalClass(
        &self,
        _riid: *const GUID,
        pv: *mut c_void,
        dwDestContext: u32,
        pvDestContext: *mut c_void,
        _mshlflags: u32,
        pCid: *mut GUID,
    ) -> HRESULT {
        // SAFETY: null or valid for writes.
        let Some(clsid) = (unsafe { pCid.as_mut() }) else { return E_INVALIDARG };
        // SAFETY: null or a live pointer, as the interface asks.
        let object = unsafe { self.object(pv) };
        let handler = object.and_then(|object| packet::handler(&object, dwDestContext, pvDestContext));
        *clsid = handler.unwrap_or(CLSID_StdMarshal);
        S_OK
    }

    unsafe fn GetMarshalSizeMax(
        &self,
        _riid: *const GUID,
        _pv: *mut c_void,
        _dwDestContext: u32,
        _pvDestContext: *mut c_void,
        _mshlflags: u32,
        pSize: *mut u32,
    ) -> HRESULT {
        // SAFETY: null or valid for writes.
        let Some(size) = (unsafe { pSize.as_mut() }) else { return E_INVALIDARG };
        *size = packet::STANDARD_SIZE;
        S_OK
    }

    unsafe fn MarshalInterface(
        &self,
        pStm: *mut c_void,
        riid: *const GUID,
        pv: *mut c_void,
        dwDestContext: u32,
        pvDestContext: *mut c_void,
        mshlflags: u32,
    ) -> HRESULT {
        // SAFETY: the pointers are null or valid.
        let (stream, iid, object) = unsafe { (IStream::from_raw_borrowed(&pStm), riid.as_ref(), self.object(pv)) };
        let (Some(stream), Some(iid), Some(object)) = (stream, iid, object) else { return E_INVALIDARG };
        let mut bytes = Vec::new();
        let to = packet::Destination { context: dwDestContext, data: pvDestContext, flags: mshlflags };
        match to.check().and_then(|()| packet::marshal_standard(&object, iid, &to, &mut bytes)) {
            Ok(()) => packet::deliver(stream, &bytes),
            Err(hr) => hr,
        }
    }

    unsafe fn UnmarshalInterface(&self, pStm: *mut c_void, riid: *const GUID, ppv: *mut *mut c_void) -> HRESULT {
        // SAFETY: the caller's pointers.
        unsafe { CoUnmarshalInterface(pStm, riid, ppv) }
    }

    unsafe fn ReleaseMarshalData(&self, pStm: *mut c_void) -> HRESULT {
        // SAFETY: the caller's pointer.
        unsafe { CoReleaseMarshalData(pStm) }
    }

    unsafe fn DisconnectObject(&self, _dwReserved: u32) -> HRESULT {
        // SAFETY: null is no pointer to follow.
        match unsafe { self.object(std::ptr::null_mut()) } {
            Some(object) => stub::disconnect(&object).err().unwrap_or(S_OK),
            None => S_OK,
        }
    }
}

export! {
    /// The standard marshaler of an object: for a class whose own `IMarshal` leaves some destinations to it. Without an
    /// object it unmarshals and releases packets.
    ///
    /// `E_INVALIDARG` for a null `riid` or `ppMarshal` and for contexts and flags that are none, `CO_E_NOTINITIALIZED`
    /// outside COM. What the object does not offer fails when it is marshaled.
    ///
    /// # Safety
    /// The pointers are null or valid; `pUnk` is null or belongs to the calling apartment.
    pub unsafe fn CoGetStandardMarshal(
        riid: *const GUID,
        pUnk: *mut c_void,
        dwDestContext: u32,
        pvDestContext: *mut c_void,
        mshlflags: u32,
        ppMarshal: *mut *mut c_void,
    ) -> HRESULT {
        // SAFETY: the caller's.
        let (out, object) = unsafe { (ppMarshal.as_mut(), IUnknown::from_raw_borrowed(&pUnk)) };
        let Some(out) = out else { return E_INVALIDARG };
        *out = std::ptr::null_mut();
        if riid.is_null() {
            return E_INVALIDARG;
        }
        let to = packet::Destination { context: dwDestContext, data: pvDestContext, flags: mshlflags };
        if let Err(hr) = to.check() {
            return hr;
        }
        if apartment::current().is_none() {
            return CO_E_NOTINITIALIZED;
        }
        let of = object.map_or(Of::Anything, |object| Of::Object(object.clone()));
        *out = IMarshal2::from(StandardMarshaler { of }).into_raw();
        S_OK
    }

    /// What an object aggregates of the standard marshaler: its non-delegating IUnknown.
    ///
    /// `SMEXF_SERVER` is for the object on the server, which asks it for `IMarshal`. `SMEXF_HANDLER` is for the object's
    /// handler on the client (RUL-49): `pUnkOuter` is then the outer object that the handler's class object was given,
    /// and the handler asks for the interfaces that it leaves to the proxies. It gives that up with its own end.
    ///
    /// `E_INVALIDARG` for null pointers, for other `smexflags`, and for a handler whose outer is no proxy;
    /// `RPC_E_WRONG_THREAD` for a proxy of another apartment, `CO_E_NOTINITIALIZED` outside COM.
    ///
    /// # Safety
    /// The pointers are null or valid; `pUnkOuter` is a controlling unknown of the calling apartment.
    pub unsafe fn CoGetStdMarshalEx(
        pUnkOuter: *mut c_void,
        smexflags: u32,
        ppUnkInner: *mut *mut c_void,
    ) -> HRESULT {
        // SAFETY: the caller's.
        let Some(out) = (unsafe { ppUnkInner.as_mut() }) else { return E_INVALIDARG };
        *out = std::ptr::null_mut();
        // SAFETY: the caller's.
        let outer = unsafe { IUnknown::from_raw_borrowed(&pUnkOuter) };
        let Some(outer) = outer.filter(|_| [SMEXF_SERVER, SMEXF_HANDLER].contains(&smexflags)) else { return E_INVALIDARG };
        if apartment::current().is_none() {
            return CO_E_NOTINITIALIZED;
        }
        if smexflags == SMEXF_HANDLER {
            return match proxy::proxies_of(outer) {
                Ok(proxies) => {
                    *out = proxies.into_raw();
                    S_OK
                }
                Err(hr) => hr,
            };
        }
        // SAFETY: the caller's outer object, and the place that was checked.
        unsafe { object::create_aggregated(StandardMarshaler { of: Of::Outer }, pUnkOuter, &IUnknown::IID, out) }
    }
}

//! Objects that have a say in how they are marshaled, or hear of it: an object that listens for connections, one that may be
//! used everywhere, one that marshals itself by value, one that is not marshaled at all; and a factory that makes no proxies.

use super::sample::{IMoniker_Impl, ISample_Impl, plays};
use super::{IMoniker, ISample, Player, Sample};
use oleander::windows_core::{BOOL, GUID, HRESULT, Interface};
use oleander::*;
use std::ffi::c_void;
use std::ptr::null_mut;

/// A sample that logs its connections: `o.AddConnection`, `o.ReleaseConnection(TRUE)` if the last one closes it.
#[com_class(ISample, IExternalConnection)]
pub struct Listener(pub Player);

plays!(Listener, Listener_Impl);

impl IExternalConnection_Impl for Listener_Impl {
    unsafe fn AddConnection(&self, extconn: u32, _: u32) -> u32 {
        self.0.method("AddConnection", (extconn != EXTCONN_STRONG).then_some(extconn));
        1
    }
    unsafe fn ReleaseConnection(&self, _: u32, _: u32, closes: BOOL) -> u32 {
        self.0.method("ReleaseConnection", Some(closes.as_bool().into()));
        0
    }
}

/// A sample with the free-threaded marshaler.
#[com_class(ISample, agile)]
pub struct Agile(pub Player);

plays!(Agile, Agile_Impl);

/// A sample that is not marshaled.
#[com_class(ISample, INoMarshal)]
pub struct NoMarshal(pub Player);

plays!(NoMarshal, NoMarshal_Impl);

impl INoMarshal_Impl for NoMarshal_Impl {}

/// The class that unmarshals [`ByValue`]: the row registers it.
pub const CLSID_BY_VALUE: GUID = GUID::from_u128(0x5b0e6a10_3c1d_4a5e_9a77_6f6c65616f11);

/// A sample that marshals itself: four bytes, of which a new [`Sample`] with its name is made. It logs what it is asked.
#[com_class(ISample, IMarshal, IMoniker)]
pub struct ByValue(pub Player);

impl IMoniker_Impl for ByValue_Impl {}

plays!(ByValue, ByValue_Impl);

const BYTES: [u8; 4] = *b"copy";

impl IMarshal_Impl for ByValue_Impl {
    unsafe fn GetUnmarshalClass(
        &self,
        _: *const GUID,
        _: *mut c_void,
        context: u32,
        _: *mut c_void,
        _: u32,
        class: *mut GUID,
    ) -> HRESULT {
        // SAFETY: the caller's pointer is valid.
        unsafe { *class = CLSID_BY_VALUE };
        self.0.method("GetUnmarshalClass", Some(context)).hr()
    }
    unsafe fn GetMarshalSizeMax(
        &self,
        _: *const GUID,
        _: *mut c_void,
        context: u32,
        _: *mut c_void,
        _: u32,
        size: *mut u32,
    ) -> HRESULT {
        // SAFETY: the caller's pointer is valid.
        unsafe { *size = 4 };
        self.0.method("GetMarshalSizeMax", Some(context)).hr()
    }
    unsafe fn MarshalInterface(
        &self,
        stream: *mut c_void,
        _: *const GUID,
        _: *mut c_void,
        context: u32,
        _: *mut c_void,
        _: u32,
    ) -> HRESULT {
        // SAFETY: the caller's stream is alive.
        let stream = unsafe { IStream::from_raw_borrowed(&stream) };
        // SAFETY: four bytes.
        let written =
            stream.map_or(E_INVALIDARG, |stream| unsafe { stream.Write(BYTES.as_ptr().cast(), 4, null_mut()) });
        if written == S_OK { self.0.method("MarshalInterface", Some(context)).hr() } else { written }
    }
    unsafe fn UnmarshalInterface(&self, stream: *mut c_void, iid: *const GUID, out: *mut *mut c_void) -> HRESULT {
        self.0.method("UnmarshalInterface", None);
        let (mut bytes, mut read) = ([0; 4], 0);
        // SAFETY: the caller's stream is alive.
        let Some(stream) = (unsafe { IStream::from_raw_borrowed(&stream) }) else { return E_INVALIDARG };
        // SAFETY: four bytes.
        let got = unsafe { stream.Read(bytes.as_mut_ptr().cast(), 4, &mut read) };
        if (got, read, bytes) != (S_OK, 4, BYTES) {
            return E_FAIL;
        }
        // SAFETY: the caller's pointers are valid.
        unsafe { ISample::from(Sample(self.0.clone())).query(iid, out) }
    }
    unsafe fn ReleaseMarshalData(&self, _: *mut c_void) -> HRESULT {
        self.0.method("ReleaseMarshalData", None).hr()
    }
    unsafe fn DisconnectObject(&self, reserved: u32) -> HRESULT {
        self.0.method("DisconnectObject", Some(reserved)).hr()
    }
}

/// A factory of proxies and stubs that makes none: `f.CreateStub` and `f.CreateProxy` fail with what the row says, or as for
/// an interface that the factory does not know.
#[com_class(IPSFactoryBuffer)]
pub struct NoStubs(pub Player);

impl NoStubs_Impl {
    fn refuses(&self, method: &str, out: *mut *mut c_void) -> HRESULT {
        // SAFETY: the caller's pointer is valid.
        unsafe { *out = null_mut() };
        let said = self.0.method(method, None);
        if said.returns.is_some() { said.hr() } else { E_NOINTERFACE }
    }
}

impl IPSFactoryBuffer_Impl for NoStubs_Impl {
    unsafe fn CreateProxy(
        &self,
        _: *mut c_void,
        _: *const GUID,
        proxy: *mut *mut c_void,
        out: *mut *mut c_void,
    ) -> HRESULT {
        // SAFETY: the caller's pointer is valid.
        unsafe { *proxy = null_mut() };
        self.refuses("CreateProxy", out)
    }
    unsafe fn CreateStub(&self, _: *const GUID, _: *mut c_void, stub: *mut *mut c_void) -> HRESULT {
        self.refuses("CreateStub", stub)
    }
}

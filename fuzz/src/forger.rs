//! A factory of proxies that change requests on their way into the runtime's own channel, as a client could that is broken
//! or means harm. Stubs are the usual ones.
//!
//! What becomes of the next request hangs off the client's thread.

use super::IEvery;
use super::wire::{Change, info};
use oleander::windows_core::{GUID, HRESULT, IUnknown, Interface};
use oleander::*;
use std::cell::RefCell;
use std::ffi::c_void;

const CLSID_FORGER: GUID = GUID::from_u128(0x5a1e7c90_3b41_4c0f_8d59_1f0c66c6b0f3);

thread_local! {
    static FORGERY: RefCell<(Option<u8>, Change)> = const { RefCell::new((None, Change::None)) };
}

/// What becomes of the requests of this thread's next calls: another method, other bytes.
pub fn forge(method: Option<u8>, change: Change) {
    FORGERY.set((method, change));
}

/// Has the factory make the proxies of [`IEvery`] in the current process.
pub fn register() {
    unsafe {
        let model = OLEANDER_THREADING_BOTH;
        assert_eq!(OleanderRegisterInProcessClass(&CLSID_FORGER, Some(class_object), model, 0), S_OK);
        assert_eq!(CoRegisterPSClsid(&IEvery::IID, &CLSID_FORGER), S_OK);
    }
}

unsafe extern "system" fn class_object(_: *const GUID, iid: *const GUID, out: *mut *mut c_void) -> HRESULT {
    let factory = IPSFactoryBuffer::from(Forger { inner: proxy::factory::builtin_factory(info()) });
    unsafe { factory.query(iid, out) }
}

#[com_class(IPSFactoryBuffer)]
struct Forger {
    inner: IPSFactoryBuffer,
}

impl IPSFactoryBuffer_Impl for Forger_Impl {
    unsafe fn CreateProxy(
        &self,
        outer: *mut c_void,
        iid: *const GUID,
        proxy: *mut *mut c_void,
        typed: *mut *mut c_void,
    ) -> HRESULT {
        unsafe {
            let hr = self.inner.CreateProxy(outer, iid, proxy, typed);
            if hr.is_ok() {
                *proxy = IRpcProxyBuffer::from(Proxy { inner: IRpcProxyBuffer::from_raw(*proxy) }).into_raw();
            }
            hr
        }
    }
    unsafe fn CreateStub(&self, iid: *const GUID, server: *mut c_void, stub: *mut *mut c_void) -> HRESULT {
        unsafe { self.inner.CreateStub(iid, server, stub) }
    }
}

/// A proxy, synchronous or asynchronous, whose channel changes requests.
#[com_class(IRpcProxyBuffer, ICallFactory, fallback = rest)]
struct Proxy {
    inner: IRpcProxyBuffer,
}

impl Proxy_Impl {
    /// The typed pointer of an asynchronous proxy.
    unsafe fn rest(&self, iid: &GUID, out: *mut *mut c_void) -> HRESULT {
        unsafe { self.inner.query(iid, out) }
    }
}

impl IRpcProxyBuffer_Impl for Proxy_Impl {
    unsafe fn Connect(&self, channel: *mut c_void) -> HRESULT {
        let channel = unsafe { IUnknown::from_raw_borrowed(&channel) }.expect("a channel");
        let changed = match channel.cast::<IAsyncRpcChannelBuffer>() {
            Ok(real) => IAsyncRpcChannelBuffer::from(AsyncChannel { real }).into(),
            Err(_) => IUnknown::from(IRpcChannelBuffer::from(Channel { real: channel.cast().expect("a channel") })),
        };
        unsafe { self.inner.Connect(changed.as_raw()) }
    }
    unsafe fn Disconnect(&self) {
        unsafe { self.inner.Disconnect() }
    }
}

impl ICallFactory_Impl for Proxy_Impl {
    unsafe fn CreateCall(
        &self,
        iid: *const GUID,
        outer: *mut c_void,
        own: *const GUID,
        out: *mut *mut c_void,
    ) -> HRESULT {
        let calls: ICallFactory = self.inner.cast().expect("it has a twin");
        unsafe {
            let hr = calls.CreateCall(iid, outer, own, out);
            if hr.is_ok() {
                let inner = IUnknown::from_raw(*out).cast().expect("a proxy");
                *out = IUnknown::from(IRpcProxyBuffer::from(Proxy { inner })).into_raw();
            }
            hr
        }
    }
}

/// Puts another request into the place of a message's.
unsafe fn forged(channel: &IRpcChannelBuffer, message: &mut RPCOLEMESSAGE) -> HRESULT {
    unsafe {
        let good = std::slice::from_raw_parts(message.Buffer.cast::<u8>(), message.cbBuffer as usize);
        let (method, bytes) = FORGERY.with_borrow(|(method, change)| (*method, change.of(good)));
        if method.is_none() && bytes == good {
            return S_OK;
        }
        let number = method.map_or(message.iMethod, u32::from);
        let mut other = RPCOLEMESSAGE { iMethod: number, cbBuffer: bytes.len() as u32, ..RPCOLEMESSAGE::default() };
        let hr = channel.GetBuffer(&mut other, &IEvery::IID);
        let _ = channel.FreeBuffer(message);
        if hr.is_ok() {
            if !bytes.is_empty() {
                other.Buffer.cast::<u8>().copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
            }
            *message = other;
        }
        hr
    }
}

#[com_class(IRpcChannelBuffer)]
struct Channel {
    real: IRpcChannelBuffer,
}

#[com_class(IAsyncRpcChannelBuffer)]
struct AsyncChannel {
    real: IAsyncRpcChannelBuffer,
}

/// What both do alike.
macro_rules! channel {
    ($channel:ident) => {
        impl IRpcChannelBuffer_Impl for $channel {
            unsafe fn GetBuffer(&self, message: *mut RPCOLEMESSAGE, iid: *const GUID) -> HRESULT {
                unsafe { self.real.GetBuffer(message, iid) }
            }
            unsafe fn SendReceive(&self, message: *mut RPCOLEMESSAGE, status: *mut u32) -> HRESULT {
                let real: IRpcChannelBuffer = self.real.cast().expect("a channel");
                unsafe {
                    match forged(&real, &mut *message) {
                        S_OK => real.SendReceive(message, status),
                        hr => hr,
                    }
                }
            }
            unsafe fn FreeBuffer(&self, message: *mut RPCOLEMESSAGE) -> HRESULT {
                unsafe { self.real.FreeBuffer(message) }
            }
            unsafe fn GetDestCtx(&self, context: *mut u32, more: *mut *mut c_void) -> HRESULT {
                unsafe { self.real.GetDestCtx(context, more) }
            }
            unsafe fn IsConnected(&self) -> HRESULT {
                unsafe { self.real.IsConnected() }
            }
        }
    };
}

channel!(Channel_Impl);
channel!(AsyncChannel_Impl);

impl IRpcChannelBuffer2_Impl for AsyncChannel_Impl {
    unsafe fn GetProtocolVersion(&self, version: *mut u32) -> HRESULT {
        unsafe { self.real.GetProtocolVersion(version) }
    }
}

impl IAsyncRpcChannelBuffer_Impl for AsyncChannel_Impl {
    unsafe fn Send(&self, message: *mut RPCOLEMESSAGE, sync: *mut c_void, status: *mut u32) -> HRESULT {
        let real: IRpcChannelBuffer = self.real.cast().expect("a channel");
        unsafe {
            match forged(&real, &mut *message) {
                S_OK => self.real.Send(message, sync, status),
                hr => hr,
            }
        }
    }
    unsafe fn Receive(&self, message: *mut RPCOLEMESSAGE, status: *mut u32) -> HRESULT {
        unsafe { self.real.Receive(message, status) }
    }
    unsafe fn GetDestCtxEx(&self, message: *mut RPCOLEMESSAGE, context: *mut u32, more: *mut *mut c_void) -> HRESULT {
        unsafe { self.real.GetDestCtxEx(message, context, more) }
    }
}

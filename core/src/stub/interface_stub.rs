//! The stub of an interface: holds the server's object and runs the calls that arrive for it.
//!
//! `server` is the server's interface between `Connect` and `Disconnect`; calls that run keep it alive past a
//! disconnection. The stub is agile: whoever dispatches calls decides on which thread.
//!
//! On the emulation the dispatcher serves asynchronously by itself (`async_dispatch.rs`). The system's channel knows nothing of
//! that, so there the stub serves such an object on a call object and waits ([`WaitingCall`]). Those that serve nobody are kept
//! between `Connect` and `Disconnect`; one whose call outlives the connection goes at its end. The list is locked for moments.

use crate::abi::hresult::{CO_E_OBJNOTCONNECTED, E_INVALIDARG, E_POINTER, E_UNEXPECTED, S_OK};
use crate::abi::interfaces::{ICallFactory, IRpcStubBuffer, IRpcStubBuffer_Impl};
use crate::abi::types::RPCOLEMESSAGE;
use crate::backend;
use crate::call::WaitingCall;
use crate::com_class;
use crate::marshal::ndr::Result;
use crate::object::{guard, raw};
use crate::proxy::info::{Direction, InterfaceInfo};
use crate::proxy::link::{Link, Use};
use crate::stub::manager::Home;
use parking_lot::Mutex;
use std::ffi::c_void;
use std::ptr;
use windows_core::{ComObject, GUID, HRESULT, IUnknown, IUnknownImpl, Interface};

/// The stub of an interface. See the module.
#[com_class(IRpcStubBuffer, agile)]
pub(crate) struct InterfaceStub {
    info: &'static InterfaceInfo,
    server: Link,
    /// On the system's channel.
    idle: Idle,
}

/// The server's interface, alive as long as this is.
pub(crate) struct Server<'a>(Use<'a>);

impl Server<'_> {
    /// A pointer of the stub's interface, borrowed.
    pub(crate) fn as_raw(&self) -> *mut c_void {
        self.0.pointer()
    }
}

impl InterfaceStub {
    /// The server's interface; none when disconnected.
    pub(crate) fn server(&self) -> Option<Server<'_>> {
        self.server.enter().map(Server)
    }

    /// Takes the server's interface.
    ///
    /// # Safety
    /// `server` is a live interface pointer.
    unsafe fn connect(&self, server: *mut c_void) -> Result {
        let mut pointer = ptr::null_mut();
        // SAFETY: the caller's promise.
        let hr = unsafe { raw::query(server, &self.info.iid, &mut pointer) };
        let pointer = raw::given(hr, pointer)?;
        if self.server.connect(pointer) {
            self.idle.open();
            return Ok(());
        }
        // SAFETY: the reference is ours.
        unsafe { raw::release(pointer) };
        Err(E_UNEXPECTED)
    }

    /// Runs the synchronous method that a message names, and writes the reply through the channel.
    ///
    /// # Safety
    /// The message's buffer is what it says; `channel` is a live `IRpcChannelBuffer`.
    pub(crate) unsafe fn invoke(&self, message: &mut RPCOLEMESSAGE, channel: *mut c_void) -> HRESULT {
        let Some(server) = self.server() else {
            // SAFETY: the caller's promise.
            unsafe { (self.info.discard)(message, Direction::Request) };
            return CO_E_OBJNOTCONNECTED;
        };
        // SAFETY: the caller's promises; the server is a pointer of this interface.
        guard::call(|| unsafe {
            if backend::is_system() {
                serve(self.info, server.as_raw(), &self.idle, message, channel)
            } else {
                (self.info.invoke)(server.as_raw(), message, channel)
            }
        })
    }
}

/// Call objects that serve nobody now: a list while the stub is connected. They belong to the server's apartment.
pub(crate) struct Idle(Mutex<Home<Option<Vec<ComObject<WaitingCall>>>>>);

impl Idle {
    /// Of a stub that is not connected.
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Home(None)))
    }

    pub(crate) fn open(&self) {
        self.0.lock().0.get_or_insert_default();
    }

    fn pop(&self) -> Option<ComObject<WaitingCall>> {
        self.0.lock().0.as_mut()?.pop()
    }

    /// Keeps a call object, or lets it go.
    fn push(&self, call: ComObject<WaitingCall>) {
        let mut idle = self.0.lock();
        match &mut idle.0 {
            Some(list) => list.push(call),
            None => {
                drop(idle);
                drop(call);
            }
        }
    }

    pub(crate) fn close(&self) {
        let all = self.0.lock().0.take();
        drop(all);
    }
}

/// Serves a call to an object of the calling apartment: on a call object where it makes them (SRV-01, SRV-16), else by its
/// method (SRV-03).
///
/// # Safety
/// As for [`InterfaceStub::invoke`]; `server` is a live pointer of the interface.
pub(crate) unsafe fn serve(
    info: &'static InterfaceInfo,
    server: *mut c_void,
    idle: &Idle,
    message: &mut RPCOLEMESSAGE,
    channel: *mut c_void,
) -> HRESULT {
    let taken = idle.pop();
    // SAFETY: the caller's promises.
    let Some(call) = taken.or_else(|| unsafe { call_object(info, server) }) else {
        // SAFETY: the caller's promises.
        return unsafe { (info.invoke)(server, message, channel) };
    };
    // SAFETY: the caller's promises.
    match unsafe { call.serve(message, channel) } {
        Ok(hr) => {
            idle.push(call);
            hr
        }
        Err(hr) => hr,
    }
}

/// A call object of a server that serves asynchronously.
///
/// # Safety
/// `server` is a live interface pointer.
unsafe fn call_object(info: &'static InterfaceInfo, server: *mut c_void) -> Option<ComObject<WaitingCall>> {
    info.twin.as_ref()?;
    // SAFETY: the caller's promise.
    let factory = unsafe { IUnknown::from_raw_borrowed(&server) }?.cast::<ICallFactory>().ok()?;
    WaitingCall::create(&factory, info)
}

/// Makes a stub, connected where `server` is not null: its IRpcStubBuffer, counted.
///
/// # Safety
/// `server` is null or a live interface pointer.
pub(crate) unsafe fn create(info: &'static InterfaceInfo, server: *mut c_void) -> Result<*mut c_void> {
    let stub = InterfaceStub { info, server: Link::new(), idle: Idle::new() };
    if !server.is_null() {
        // SAFETY: the caller's promise.
        unsafe { stub.connect(server)? };
    }
    Ok(IRpcStubBuffer::from(stub).into_raw())
}

impl IRpcStubBuffer_Impl for InterfaceStub_Impl {
    unsafe fn Connect(&self, server: *mut c_void) -> HRESULT {
        if server.is_null() {
            return E_INVALIDARG;
        }
        // SAFETY: not null, and the caller vouches for it.
        unsafe { self.connect(server) }.err().unwrap_or(S_OK)
    }

    unsafe fn Disconnect(&self) {
        self.server.disconnect();
        self.idle.close();
    }

    unsafe fn Invoke(&self, message: *mut RPCOLEMESSAGE, channel: *mut c_void) -> HRESULT {
        // SAFETY: the caller vouches for the message, or passes null.
        let Some(message) = (unsafe { message.as_mut() }) else { return E_POINTER };
        if channel.is_null() {
            return E_POINTER;
        }
        // SAFETY: the caller's promises.
        unsafe { self.invoke(message, channel) }
    }

    unsafe fn IsIIDSupported(&self, riid: *const GUID) -> *mut c_void {
        // SAFETY: the caller vouches for the pointer, which may be null.
        match unsafe { riid.as_ref() } {
            Some(riid) if *riid == self.info.iid => self.to_interface::<IRpcStubBuffer>().into_raw(),
            _ => ptr::null_mut(),
        }
    }

    unsafe fn CountRefs(&self) -> u32 {
        u32::from(self.server.is_connected())
    }

    unsafe fn DebugServerQueryInterface(&self, ppv: *mut *mut c_void) -> HRESULT {
        // SAFETY: the caller vouches for the pointer, which may be null.
        let Some(ppv) = (unsafe { ppv.as_mut() }) else { return E_POINTER };
        *ppv = ptr::null_mut();
        let Some(server) = self.server() else { return CO_E_OBJNOTCONNECTED };
        // Not counted: a debugger looks at it while the stub is connected.
        *ppv = server.as_raw();
        S_OK
    }

    unsafe fn DebugServerRelease(&self, _pv: *mut c_void) {}
}

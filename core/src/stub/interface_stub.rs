//! The stub of an interface: holds the server's object and runs the calls that arrive for it.
//!
//! `server` is the server's interface between `Connect` and `Disconnect`; calls that run keep it alive past a
//! disconnection. Nothing is locked. The stub is agile: whoever dispatches calls decides on which thread.
//!
//! On the emulation the dispatcher serves asynchronously by itself (`async_dispatch.rs`). The system's channel knows nothing of
//! that, so there the stub serves such an object on a call object of its own and waits.

use crate::abi::hresult::{CO_E_OBJNOTCONNECTED, E_INVALIDARG, E_POINTER, E_UNEXPECTED, S_OK};
use crate::abi::interfaces::{ICallFactory, IRpcStubBuffer, IRpcStubBuffer_Impl, ISynchronize};
use crate::abi::types::{COWAIT_DEFAULT, INFINITE, RPCOLEMESSAGE};
use crate::backend;
use crate::com_class;
use crate::marshal::ndr::{Result, check};
use crate::object::{guard, raw};
use crate::proxy::info::{AsyncInfo, Direction, InterfaceInfo, Kept};
use crate::proxy::link::{Link, Use};
use std::ffi::c_void;
use std::ptr;
use windows_core::{GUID, HRESULT, IUnknown, IUnknownImpl, Interface};

/// The stub of an interface. See the module.
#[com_class(IRpcStubBuffer, agile)]
pub(crate) struct InterfaceStub {
    info: &'static InterfaceInfo,
    server: Link,
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
        check(unsafe { raw::query(server, &self.info.iid, &mut pointer) })?;
        if self.server.connect(pointer) {
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
                serve(self.info, server.as_raw(), message, channel)
            } else {
                (self.info.invoke)(server.as_raw(), message, channel)
            }
        })
    }
}

/// Serves a call to an object of the calling apartment: on a call object where it makes them, else by its method.
///
/// # Safety
/// As for [`InterfaceStub::invoke`]; `server` is a live pointer of the interface.
pub(crate) unsafe fn serve(
    info: &InterfaceInfo,
    server: *mut c_void,
    message: &mut RPCOLEMESSAGE,
    channel: *mut c_void,
) -> HRESULT {
    // SAFETY: the caller's promises; a call object of this interface's twin.
    unsafe {
        match call_object(info, server) {
            Some((call, twin)) => begin_and_finish(&call, twin, message, channel),
            None => (info.invoke)(server, message, channel),
        }
    }
}

/// A call object of a server that serves asynchronously (SRV-01); nothing where the method is to be called (SRV-03).
///
/// # Safety
/// `server` is a live interface pointer.
unsafe fn call_object(info: &InterfaceInfo, server: *mut c_void) -> Option<(IUnknown, &AsyncInfo)> {
    let twin = info.twin.as_ref()?;
    let (mut factory, mut call) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: the caller's promise; on success counted pointers of the interfaces asked for.
    unsafe {
        check(raw::query(server, &ICallFactory::IID, &mut factory)).ok()?;
        let factory = ICallFactory::from_raw(factory);
        check(factory.CreateCall(&twin.iid, ptr::null_mut(), &twin.iid, &mut call)).ok()?;
        (!call.is_null()).then(|| (IUnknown::from_raw(call), twin))
    }
}

/// Serves a call on a call object, as a client of the same apartment uses one, and waits for it: the system's channel wants the
/// reply before this returns. An STA serves other calls meanwhile.
///
/// # Safety
/// As for [`InterfaceStub::invoke`]; `call` is a pointer of the twin.
unsafe fn begin_and_finish(
    call: &IUnknown,
    twin: &AsyncInfo,
    message: &mut RPCOLEMESSAGE,
    channel: *mut c_void,
) -> HRESULT {
    let mut kept = Kept::new();
    // SAFETY: the caller's promises.
    unsafe {
        let begun = (twin.begin)(call.as_raw(), message, &mut kept);
        if begun.is_err() {
            return begun;
        }
        // Finish_ waits where the object has no ISynchronize.
        if let Ok(sync) = call.cast::<ISynchronize>() {
            let waited = sync.Wait(COWAIT_DEFAULT, INFINITE);
            if waited.is_err() {
                return waited;
            }
        }
        (twin.finish)(call.as_raw(), message, channel, &kept)
    }
}

/// Makes a stub, connected where `server` is not null: its IRpcStubBuffer, counted.
///
/// # Safety
/// `server` is null or a live interface pointer.
pub(crate) unsafe fn create(info: &'static InterfaceInfo, server: *mut c_void) -> Result<*mut c_void> {
    let stub = InterfaceStub { info, server: Link::new() };
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

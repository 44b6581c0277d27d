//! A channel that hands requests straight to a stub, and a call object for asynchronous calls over it.
//!
//! The channel keeps the contract that proxies rely on: a request belongs to it from `Send` or `SendReceive` on, and what
//! nobody reads is discarded. It counts the buffers that are out.

use crate::abi::hresult::*;
use crate::abi::interfaces::*;
use crate::abi::types::*;
use crate::com_class;
use crate::object::{Inner, raw};
use crate::proxy::factory::{builtin_factory, find};
use crate::proxy::info::{Direction, InterfaceInfo, Kept};
use crate::stub::interface_stub::{self, Idle};
use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::ptr;
use windows_core::{ComObject, GUID, HRESULT, IUnknown, IUnknownImpl, Interface};

/// What the channel does with the next request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The stub runs it: at once, and the signal comes before `Send` returns.
    AtOnce,
    /// The stub runs it when the client waits or the test says so.
    Later,
    /// It cannot be sent.
    Unsendable,
    /// The reply is this failure.
    Fails(HRESULT),
    /// There is no memory for its buffer.
    NoBuffer,
    /// The reply's last bytes are cut off.
    Truncated,
}

#[com_class(IAsyncRpcChannelBuffer)]
pub(crate) struct Loopback {
    info: &'static InterfaceInfo,
    stub: IRpcStubBuffer,
    pub(crate) mode: Cell<Mode>,
    pub(crate) buffers: Cell<isize>,
    /// Requests as they went over.
    pub(crate) requests: RefCell<Vec<(u32, Vec<u8>)>>,
    pub(crate) replies: RefCell<Vec<Vec<u8>>>,
    waiting: RefCell<Option<(RPCOLEMESSAGE, ISynchronize)>>,
    done: Cell<Option<Result<RPCOLEMESSAGE, HRESULT>>>,
    /// The server answers through its call object.
    pub(crate) server_call: RefCell<Option<IUnknown>>,
    /// The stub serves this object as on the system's channel.
    pub(crate) waits: Option<(IUnknown, Idle)>,
}

fn allocate(message: &mut RPCOLEMESSAGE) {
    let words = vec![0xA5A5_A5A5_A5A5_A5A5_u64; message.cbBuffer.div_ceil(8).max(1) as usize].into_boxed_slice();
    message.reserved1 = ptr::without_provenance_mut(words.len());
    message.Buffer = Box::into_raw(words).cast();
}

unsafe fn bytes<'a>(message: &RPCOLEMESSAGE) -> &'a [u8] {
    // SAFETY: the channel's own buffers only.
    unsafe { std::slice::from_raw_parts(message.Buffer.cast(), message.cbBuffer as usize) }
}

impl Loopback {
    fn free(&self, message: &mut RPCOLEMESSAGE) {
        if message.Buffer.is_null() {
            return;
        }
        let words = ptr::slice_from_raw_parts_mut(message.Buffer.cast::<u64>(), message.reserved1.addr());
        // SAFETY: made by `allocate`.
        drop(unsafe { Box::from_raw(words) });
        message.Buffer = ptr::null_mut();
        self.buffers.set(self.buffers.get() - 1);
    }

    /// Runs a request on the server and makes its reply of it.
    fn run(&self, channel: *mut c_void, request: &RPCOLEMESSAGE) -> Result<RPCOLEMESSAGE, HRESULT> {
        // SAFETY: the message is the channel's own.
        unsafe {
            self.requests.borrow_mut().push((request.iMethod, bytes(request).to_vec()));
            if let Mode::Fails(hr) = self.mode.get() {
                (self.info.discard)(request, Direction::Request);
                return Err(hr);
            }
            let mut message = *request;
            let call = self.server_call.borrow().clone();
            let hr = match (call, &self.waits) {
                (None, None) => self.stub.Invoke(&mut message, channel),
                (None, Some((server, idle))) => {
                    interface_stub::serve(self.info, server.as_raw(), idle, &mut message, channel)
                }
                (Some(call), _) => self.run_async(&call, &mut message, channel),
            };
            if hr.is_err() {
                return Err(hr);
            }
            if self.mode.get() == Mode::Truncated {
                message.cbBuffer -= 4;
            }
            self.replies.borrow_mut().push(bytes(&message).to_vec());
            Ok(message)
        }
    }

    fn run_async(&self, call: &IUnknown, message: &mut RPCOLEMESSAGE, channel: *mut c_void) -> HRESULT {
        let twin = self.info.twin.as_ref().expect("the interface has a twin");
        let mut kept = Kept::new();
        let mut typed = ptr::null_mut();
        // SAFETY: the call object answers the asynchronous interface.
        unsafe {
            assert_eq!(call.query(&twin.iid, &mut typed), S_OK);
            let mut hr = (twin.begin)(typed, message, &mut kept);
            if hr.is_ok() {
                hr = (twin.finish)(typed, message, channel, &kept);
            }
            raw::release(typed);
            hr
        }
    }

    fn discard_reply(&self, mut reply: RPCOLEMESSAGE) {
        // SAFETY: the message is the channel's own.
        unsafe { (self.info.discard)(&reply, Direction::Reply) };
        self.free(&mut reply);
    }
}

impl Loopback_Impl {
    /// Runs what waits and signals.
    pub(crate) fn complete(&self) {
        let Some((mut request, sync)) = self.waiting.take() else { return };
        let reply = self.run(self.as_interface::<IAsyncRpcChannelBuffer>().as_raw(), &request);
        self.free(&mut request);
        self.done.set(Some(reply));
        // SAFETY: the reference is ours.
        unsafe { assert_eq!(sync.Signal(), S_OK) };
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        if let Some((mut request, _)) = self.waiting.take() {
            // SAFETY: the message is the channel's own.
            unsafe { (self.info.discard)(&request, Direction::Request) };
            self.free(&mut request);
        }
        if let Some(Ok(reply)) = self.done.take() {
            self.discard_reply(reply);
        }
        if !std::thread::panicking() {
            assert_eq!(self.buffers.get(), 0, "a buffer leaked");
        }
    }
}

impl IRpcChannelBuffer_Impl for Loopback_Impl {
    unsafe fn GetBuffer(&self, message: *mut RPCOLEMESSAGE, riid: *const GUID) -> HRESULT {
        if self.mode.get() == Mode::NoBuffer {
            return E_OUTOFMEMORY;
        }
        // SAFETY: the caller vouches for the pointers.
        unsafe {
            assert_eq!(*riid, self.info.iid);
            allocate(&mut *message);
        }
        self.buffers.set(self.buffers.get() + 1);
        S_OK
    }

    unsafe fn SendReceive(&self, message: *mut RPCOLEMESSAGE, status: *mut u32) -> HRESULT {
        // SAFETY: the caller vouches for the pointers.
        let (message, status) = unsafe { (&mut *message, &mut *status) };
        *status = 0;
        let mut request = *message;
        let result = if self.mode.get() == Mode::Unsendable {
            // SAFETY: the message is the channel's own.
            unsafe { (self.info.discard)(&request, Direction::Request) };
            Err(RPC_S_SERVER_UNAVAILABLE_HR)
        } else {
            self.run(self.as_interface::<IAsyncRpcChannelBuffer>().as_raw(), &request)
        };
        self.free(&mut request);
        message.Buffer = ptr::null_mut();
        match result {
            Ok(reply) => {
                *message = reply;
                S_OK
            }
            Err(hr) => hr,
        }
    }

    unsafe fn FreeBuffer(&self, message: *mut RPCOLEMESSAGE) -> HRESULT {
        // SAFETY: the caller vouches for the pointer.
        self.free(unsafe { &mut *message });
        S_OK
    }

    unsafe fn GetDestCtx(&self, context: *mut u32, more: *mut *mut c_void) -> HRESULT {
        // SAFETY: the caller vouches for the pointers.
        unsafe { (*context, *more) = (MSHCTX_INPROC, ptr::null_mut()) };
        S_OK
    }

    unsafe fn IsConnected(&self) -> HRESULT {
        S_OK
    }
}

impl IRpcChannelBuffer2_Impl for Loopback_Impl {
    unsafe fn GetProtocolVersion(&self, version: *mut u32) -> HRESULT {
        // SAFETY: the caller vouches for the pointer.
        unsafe { *version = 5 | 7 << 16 };
        S_OK
    }
}

impl IAsyncRpcChannelBuffer_Impl for Loopback_Impl {
    unsafe fn Send(&self, message: *mut RPCOLEMESSAGE, sync: *mut c_void, status: *mut u32) -> HRESULT {
        // SAFETY: the caller vouches for the pointers.
        let (message, sync) = unsafe {
            *status = 0;
            (&mut *message, ISynchronize::from_raw_borrowed(&sync).expect("a client passes one").clone())
        };
        if self.mode.get() == Mode::Unsendable {
            // SAFETY: the message is the channel's own.
            unsafe { (self.info.discard)(message, Direction::Request) };
            self.free(message);
            return RPC_S_SERVER_UNAVAILABLE_HR;
        }
        self.waiting.replace(Some((*message, sync)));
        if self.mode.get() != Mode::Later {
            self.complete();
        }
        S_OK
    }

    unsafe fn Receive(&self, message: *mut RPCOLEMESSAGE, status: *mut u32) -> HRESULT {
        // SAFETY: the caller vouches for the pointers.
        unsafe { *status = 0 };
        match self.done.take() {
            None => {
                // The status tells this from a method whose own code it is.
                // SAFETY: as above.
                unsafe { *status = RPC_S_CALLPENDING.0 as u32 };
                RPC_S_CALLPENDING
            }
            Some(Err(hr)) => hr,
            Some(Ok(reply)) => {
                // SAFETY: as above.
                unsafe { *message = reply };
                S_OK
            }
        }
    }

    unsafe fn GetDestCtxEx(&self, _: *mut RPCOLEMESSAGE, context: *mut u32, more: *mut *mut c_void) -> HRESULT {
        // SAFETY: the caller's promise.
        unsafe { self.GetDestCtx(context, more) }
    }
}

/// Calls of an outer object's ISynchronize, and what it answers.
#[derive(Default)]
pub(crate) struct Script {
    pub(crate) log: RefCell<Vec<&'static str>>,
    pub(crate) signalled: Cell<bool>,
    pub(crate) reset: Cell<HRESULT>,
    pub(crate) wait: Cell<HRESULT>,
}

/// A call object: its ISynchronize is a plain flag, and waiting runs what waits in the channel.
#[com_class(ISynchronize, blind = inner)]
pub(crate) struct CallObject {
    pub(crate) inner: Inner,
    channel: ComObject<Loopback>,
    pub(crate) script: Script,
    /// Called from inside Signal.
    pub(crate) on_signal: RefCell<Option<Box<dyn FnOnce()>>>,
}

impl ISynchronize_Impl for CallObject_Impl {
    unsafe fn Wait(&self, flags: u32, timeout_ms: u32) -> HRESULT {
        assert_eq!((flags, timeout_ms), (COWAIT_DEFAULT, INFINITE));
        self.script.log.borrow_mut().push("Wait");
        if self.script.wait.get().is_err() {
            return self.script.wait.get();
        }
        if !self.script.signalled.get() {
            self.channel.complete();
        }
        S_OK
    }

    unsafe fn Signal(&self) -> HRESULT {
        self.script.log.borrow_mut().push("Signal");
        self.script.signalled.set(true);
        if let Some(action) = self.on_signal.take() {
            action();
        }
        S_OK
    }

    unsafe fn Reset(&self) -> HRESULT {
        self.script.log.borrow_mut().push("Reset");
        self.script.signalled.set(false);
        self.script.reset.get()
    }
}

/// A server object, its stub, a channel to it and a proxy.
pub(crate) struct Wire<I: Interface> {
    pub(crate) proxy: Option<I>,
    pub(crate) buffer: IRpcProxyBuffer,
    pub(crate) channel: ComObject<Loopback>,
    pub(crate) stub: IRpcStubBuffer,
    outer: IUnknown,
}

/// The controlling unknown of a synchronous proxy: an object with nothing of its own.
#[com_class(IAgileObject)]
struct Nothing {}

impl IAgileObject_Impl for Nothing_Impl {}

impl<I: Interface> Wire<I> {
    pub(crate) fn new(server: &IUnknown) -> Self {
        Self::made(server, None)
    }

    /// The stub begins calls and waits for their ends, as on the system's channel.
    pub(crate) fn waiting(server: &IUnknown) -> Self {
        let idle = Idle::new();
        idle.open();
        Self::made(server, Some((server.clone(), idle)))
    }

    fn made(server: &IUnknown, waits: Option<(IUnknown, Idle)>) -> Self {
        let info = find(&I::IID).expect("the interface is registered");
        let factory = builtin_factory(info);
        let outer: IUnknown = ComObject::new(Nothing {}).into_interface::<IAgileObject>().into();
        let (mut stub, mut buffer, mut typed) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
        // SAFETY: out pointers of our own; what comes back is counted.
        unsafe {
            assert_eq!(factory.CreateStub(&I::IID, server.as_raw(), &mut stub), S_OK);
            assert_eq!(factory.CreateProxy(outer.as_raw(), &I::IID, &mut buffer, &mut typed), S_OK);
            let stub = IRpcStubBuffer::from_raw(stub);
            let buffer = IRpcProxyBuffer::from_raw(buffer);
            let channel = ComObject::new(Loopback {
                info,
                stub: stub.clone(),
                mode: Cell::new(Mode::AtOnce),
                buffers: Cell::new(0),
                requests: RefCell::default(),
                replies: RefCell::default(),
                waiting: RefCell::new(None),
                done: Cell::new(None),
                server_call: RefCell::new(None),
                waits,
            });
            let as_channel: IAsyncRpcChannelBuffer = channel.to_interface();
            assert_eq!(buffer.Connect(as_channel.as_raw()), S_OK);
            Self { proxy: Some(I::from_raw(typed)), buffer, channel, stub, outer }
        }
    }

    pub(crate) fn proxy(&self) -> &I {
        self.proxy.as_ref().expect("the proxy is there")
    }

    /// A call object for the twin, over the same channel.
    pub(crate) fn call<A: Interface>(&self) -> (ComObject<CallObject>, A) {
        let object = ComObject::new(CallObject {
            inner: Inner::new(),
            channel: self.channel.clone(),
            script: Script::default(),
            on_signal: RefCell::new(None),
        });
        let factory: ICallFactory = self.buffer.cast().expect("the interface has a twin");
        // SAFETY: the object outlives its inner; out pointers of our own.
        unsafe {
            object
                .aggregate(&object.inner, |outer, iid, ppv| {
                    let hr = factory.CreateCall(&A::IID, outer, iid, ppv);
                    let inner = IUnknown::from_raw_borrowed(&*ppv).expect("made").cast::<IRpcProxyBuffer>();
                    let channel: IAsyncRpcChannelBuffer = self.channel.to_interface();
                    assert_eq!(inner.expect("it is a proxy").Connect(channel.as_raw()), S_OK);
                    hr
                })
                .expect("aggregated");
        }
        let unknown: IUnknown = object.to_interface::<ISynchronize>().into();
        (object, unknown.cast().expect("the call object answers the twin"))
    }
}

impl<I: Interface> Drop for Wire<I> {
    fn drop(&mut self) {
        // The typed pointer counts on the outer object, which goes before its inner one would be called by it.
        self.proxy = None;
        // SAFETY: the proxy is alive.
        unsafe {
            self.buffer.Disconnect();
            self.stub.Disconnect();
        }
        let _ = &self.outer;
    }
}

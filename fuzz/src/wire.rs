//! Between a proxy and a stub, in the place of a channel: changes what goes by, in calls of both kinds.
//!
//! Buffers are exactly as long as they say, so that AddressSanitizer sees whoever reads further.

use super::{AsyncIEvery, Edits, IEvery};
use arbitrary::Arbitrary;
use oleander::proxy::info::{AsyncInfo, Direction, InterfaceInfo, Kept};
use oleander::windows_core::{GUID, HRESULT, IUnknown, Interface};
use oleander::*;
use std::alloc::{Layout, alloc, dealloc};
use std::cell::RefCell;
use std::ffi::c_void;
use std::ptr::null_mut;

/// What becomes of a message.
#[derive(Arbitrary, Debug, Clone)]
pub enum Change {
    /// Nothing.
    None,
    /// Parts of it are others.
    Edited(Edits),
    /// Other bytes take its place.
    Raw(Vec<u8>),
}

impl Change {
    /// What becomes of these bytes.
    pub fn of(&self, good: &[u8]) -> Vec<u8> {
        match self {
            Self::None => good.to_vec(),
            Self::Edited(edits) => edits.of(good),
            Self::Raw(bytes) => bytes.clone(),
        }
    }
}

/// The channel. See the module.
#[com_class(IAsyncRpcChannelBuffer)]
pub struct Wire {
    stub: IRpcStubBuffer,
    /// The server's call object, for asynchronous calls.
    call: AsyncIEvery,
    request: RefCell<Change>,
    reply: RefCell<Change>,
    /// The reply of an asynchronous call, until somebody fetches it.
    arrived: RefCell<Option<Result<(u32, Vec<u8>), HRESULT>>>,
}

fn layout(len: usize) -> Layout {
    Layout::from_size_align(len.max(1), 8).expect("a small one")
}

/// A buffer with these bytes.
fn put(message: &mut RPCOLEMESSAGE, bytes: &[u8]) {
    message.cbBuffer = bytes.len() as u32;
    allocate(message);
    unsafe { message.Buffer.cast::<u8>().copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
}

fn allocate(message: &mut RPCOLEMESSAGE) {
    let len = message.cbBuffer as usize;
    message.reserved1 = std::ptr::without_provenance_mut(len);
    message.Buffer = unsafe { alloc(layout(len)) }.cast();
}

/// Gives a buffer back.
pub fn free(message: &mut RPCOLEMESSAGE) {
    if !message.Buffer.is_null() {
        unsafe { dealloc(message.Buffer.cast(), layout(message.reserved1.addr())) };
        message.Buffer = null_mut();
    }
}

fn bytes(message: &RPCOLEMESSAGE) -> Vec<u8> {
    unsafe { std::slice::from_raw_parts(message.Buffer.cast::<u8>(), message.cbBuffer as usize) }.to_vec()
}

/// A message of this method with these bytes, as a channel hands it to a stub.
pub fn message(method: u32, bytes: &[u8]) -> RPCOLEMESSAGE {
    let mut message = RPCOLEMESSAGE { dataRepresentation: 0x10, iMethod: method, ..RPCOLEMESSAGE::default() };
    put(&mut message, bytes);
    message
}

/// What the macro made of the interface.
pub fn info() -> &'static InterfaceInfo {
    proxy::factory::find(&IEvery::IID).expect("it is registered")
}

fn twin() -> &'static AsyncInfo {
    info().twin.as_ref().expect("it has one")
}

impl Wire {
    /// Leads to a stub, and to a server's call object.
    pub fn new(stub: &IRpcStubBuffer, call: AsyncIEvery) -> Self {
        let (request, reply) = (Change::None.into(), Change::None.into());
        Self { stub: stub.clone(), call, request, reply, arrived: None.into() }
    }

    /// What becomes of the messages of the next calls.
    pub fn change(&self, request: Change, reply: Change) {
        self.request.replace(request);
        self.reply.replace(reply);
    }
}

impl Wire_Impl {
    fn channel(&self) -> IAsyncRpcChannelBuffer {
        self.query().expect("its interface")
    }

    /// Gives back what a reply holds that nobody fetched.
    pub fn abandon(&self) {
        if let Some(Ok((method, reply))) = self.arrived.take() {
            discard(method, &reply, Direction::Reply);
        }
    }

    /// Both halves of an asynchronous server, and the reply.
    pub fn serve(&self, method: u32, request: &[u8]) -> Result<Vec<u8>, HRESULT> {
        let mut request = message(method, request);
        let mut kept = Kept::new();
        let begun = unsafe { (twin().begin)(self.call.as_raw(), &request, &mut kept) };
        free(&mut request);
        begun.ok().map_err(|error| error.code())?;
        self.end(method, &kept)
    }

    /// `Finish_` and the reply; the sizes are what `Begin_` kept, or what it did not.
    pub fn end(&self, method: u32, kept: &Kept) -> Result<Vec<u8>, HRESULT> {
        let mut served = RPCOLEMESSAGE { dataRepresentation: 0x10, iMethod: method, ..RPCOLEMESSAGE::default() };
        let ended = unsafe { (twin().finish)(self.call.as_raw(), &mut served, self.channel().as_raw(), kept) };
        let reply = if ended.is_ok() { Ok(bytes(&served)) } else { Err(ended) };
        free(&mut served);
        reply
    }
}

/// Gives back what a message holds that nobody will read.
pub fn discard(method: u32, bytes: &[u8], direction: Direction) {
    let mut lost = message(method, bytes);
    unsafe { (info().discard)(&lost, direction) };
    free(&mut lost);
}

impl IRpcChannelBuffer_Impl for Wire_Impl {
    unsafe fn GetBuffer(&self, message: *mut RPCOLEMESSAGE, _: *const GUID) -> HRESULT {
        allocate(unsafe { &mut *message });
        S_OK
    }
    unsafe fn SendReceive(&self, message: *mut RPCOLEMESSAGE, status: *mut u32) -> HRESULT {
        let message = unsafe { &mut *message };
        unsafe { *status = 0 };
        let changed = self.request.borrow().of(&bytes(message));
        free(message);
        let mut request = RPCOLEMESSAGE { ..*message };
        put(&mut request, &changed);
        let mut served = RPCOLEMESSAGE { ..request };
        let hr = unsafe { self.stub.Invoke(&mut served, self.channel().as_raw()) };
        free(&mut request);
        if hr.is_err() {
            return hr;
        }
        let changed = self.reply.borrow().of(&bytes(&served));
        free(&mut served);
        put(message, &changed);
        S_OK
    }
    unsafe fn FreeBuffer(&self, message: *mut RPCOLEMESSAGE) -> HRESULT {
        free(unsafe { &mut *message });
        S_OK
    }
    unsafe fn GetDestCtx(&self, context: *mut u32, more: *mut *mut c_void) -> HRESULT {
        unsafe { (*context, *more) = (MSHCTX_INPROC, null_mut()) };
        S_OK
    }
    unsafe fn IsConnected(&self) -> HRESULT {
        S_OK
    }
}

impl IRpcChannelBuffer2_Impl for Wire_Impl {
    unsafe fn GetProtocolVersion(&self, version: *mut u32) -> HRESULT {
        unsafe { *version = 0 };
        S_OK
    }
}

impl IAsyncRpcChannelBuffer_Impl for Wire_Impl {
    unsafe fn Send(&self, message: *mut RPCOLEMESSAGE, sync: *mut c_void, status: *mut u32) -> HRESULT {
        let message = unsafe { &mut *message };
        unsafe { *status = 0 };
        let changed = self.request.borrow().of(&bytes(message));
        free(message);
        let reply = self.serve(message.iMethod, &changed).map(|good| (message.iMethod, self.reply.borrow().of(&good)));
        self.arrived.replace(Some(reply));
        let sync = unsafe { IUnknown::from_raw_borrowed(&sync) }.expect("somebody waits");
        unsafe { sync.cast::<ISynchronize>().expect("it is one").Signal() }
    }
    unsafe fn Receive(&self, message: *mut RPCOLEMESSAGE, status: *mut u32) -> HRESULT {
        let hr = match self.arrived.take() {
            Some(Ok((_, reply))) => {
                put(unsafe { &mut *message }, &reply);
                S_OK
            }
            Some(Err(hr)) => hr,
            None => RPC_E_CALL_COMPLETE,
        };
        unsafe { *status = hr.0 as u32 };
        hr
    }
    unsafe fn GetDestCtxEx(&self, _: *mut RPCOLEMESSAGE, context: *mut u32, more: *mut *mut c_void) -> HRESULT {
        unsafe { self.GetDestCtx(context, more) }
    }
}

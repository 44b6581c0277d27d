//! A channel hook that writes down what it is told, and attaches what the test wants (CHN-05).

use super::{Log, lock};
use oleander::windows_core::{GUID, HRESULT, Interface};
use oleander::*;
use std::ffi::c_void;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

pub const EXTENT: GUID = GUID::from_u128(0x7a1d0e52_5c0b_4f0e_8d2c_6f6c65616e01);
pub const OTHER_EXTENT: GUID = GUID::from_u128(0x7a1d0e52_5c0b_4f0e_8d2c_6f6c65616e02);

type Inside = Box<dyn Fn() + Send>;

/// What a hook does, and has been told.
#[derive(Default)]
pub struct Book {
    /// How many bytes the client, and the server, attach.
    pub client: AtomicU32,
    pub server: AtomicU32,
    /// What to say instead of how many bytes were written, if not 0.
    pub claims: AtomicU32,
    pub told: Log,
    infos: Mutex<Vec<(&'static str, Told)>>,
    /// Run in the next ClientGetSize.
    pub inside: Mutex<Option<Inside>>,
}

/// One call of one of a hook's methods.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Told {
    pub iid: GUID,
    pub size: u32,
    pub causality: GUID,
    pub pid: u32,
    pub method: u32,
    pub object: usize,
    pub thread: u32,
}

impl Book {
    /// What `method` was told last.
    #[track_caller]
    pub fn last(&self, method: &str) -> Told {
        lock(&self.infos).iter().rev().find(|(name, _)| *name == method).expect("it was called").1
    }

    /// What was written down since the last look.
    pub fn take(&self) -> Vec<String> {
        self.told.take()
    }

    fn note(&self, name: &'static str, riid: *const GUID, more: &str) {
        // SAFETY: the structure that begins with the id.
        let info = unsafe { *riid.cast::<SChannelHookCallInfo>() };
        if info.iid == ISynchronize::IID {
            // A server's worker signals through a proxy.
            return;
        }
        let told = Told {
            iid: info.iid,
            size: info.cbSize,
            causality: info.uCausality,
            pid: info.dwServerPid,
            method: info.iMethod,
            object: info.pObject as usize,
            // SAFETY: no pointers.
            thread: unsafe { GetCurrentThreadId() },
        };
        lock(&self.infos).push((name, told));
        self.told.say(format!("{name} {}{more}", info.iMethod));
    }
}

/// Writes `len` bytes that tell both sides apart, and says how many.
///
/// # Safety
/// The pointers are valid, and there is room for as many bytes as `*len` says.
unsafe fn write(book: &Book, len: *mut u32, data: *mut c_void, byte: u8) {
    // SAFETY: the caller's promise.
    unsafe {
        std::slice::from_raw_parts_mut(data.cast::<u8>(), *len as usize).fill(byte);
        let claim = book.claims.load(Ordering::SeqCst);
        if claim != 0 {
            *len = claim;
        }
    }
}

fn bytes(len: u32, data: *mut c_void) -> String {
    if data.is_null() {
        assert_eq!(len, 0);
        return " -".to_owned();
    }
    // SAFETY: there are as many bytes as the channel says.
    let bytes = unsafe { std::slice::from_raw_parts(data.cast::<u8>(), len as usize) };
    format!(" {bytes:x?}")
}

fn fault(hr: HRESULT) -> String {
    if hr == S_OK { String::new() } else { format!(" {:#x}", hr.0) }
}

#[com_class(IChannelHook, agile)]
pub struct Recorder {
    extent: GUID,
    book: Arc<Book>,
}

impl Recorder {
    pub fn new(extent: GUID) -> Self {
        Self { extent, book: Arc::default() }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.book.told.say("gone");
    }
}

impl Recorder_Impl {
    fn check(&self, extent: *const GUID) {
        // SAFETY: valid for the call.
        assert_eq!(unsafe { *extent }, self.extent);
    }
}

impl IChannelHook_Impl for Recorder_Impl {
    unsafe fn ClientGetSize(&self, extent: *const GUID, riid: *const GUID, len: *mut u32) {
        self.check(extent);
        self.book.note("ClientGetSize", riid, "");
        let inside = lock(&self.book.inside).take();
        if let Some(inside) = inside {
            inside();
        }
        // SAFETY: valid for writes.
        unsafe { *len = self.book.client.load(Ordering::SeqCst) };
    }
    unsafe fn ClientFillBuffer(&self, extent: *const GUID, riid: *const GUID, len: *mut u32, data: *mut c_void) {
        self.check(extent);
        // SAFETY: the channel's buffer.
        unsafe { write(&self.book, len, data, 0xc1) };
        self.book.note("ClientFillBuffer", riid, "");
    }
    unsafe fn ClientNotify(
        &self,
        extent: *const GUID,
        riid: *const GUID,
        len: u32,
        data: *mut c_void,
        representation: u32,
        hr: HRESULT,
    ) {
        self.check(extent);
        assert_eq!(representation, 0x10);
        self.book.note("ClientNotify", riid, &format!("{}{}", bytes(len, data), fault(hr)));
    }
    unsafe fn ServerNotify(
        &self,
        extent: *const GUID,
        riid: *const GUID,
        len: u32,
        data: *mut c_void,
        representation: u32,
    ) {
        self.check(extent);
        assert_eq!(representation, 0x10);
        self.book.note("ServerNotify", riid, &bytes(len, data));
    }
    unsafe fn ServerGetSize(&self, extent: *const GUID, riid: *const GUID, hr: HRESULT, len: *mut u32) {
        self.check(extent);
        self.book.note("ServerGetSize", riid, &fault(hr));
        // SAFETY: valid for writes.
        unsafe { *len = self.book.server.load(Ordering::SeqCst) };
    }
    unsafe fn ServerFillBuffer(
        &self,
        extent: *const GUID,
        riid: *const GUID,
        len: *mut u32,
        data: *mut c_void,
        hr: HRESULT,
    ) {
        self.check(extent);
        // SAFETY: the channel's buffer.
        unsafe { write(&self.book, len, data, 0x5e) };
        self.book.note("ServerFillBuffer", riid, &fault(hr));
    }
}

/// Registers a hook that attaches so many bytes as client and as server.
#[track_caller]
pub fn register(extent: GUID, client: u32, server: u32) -> Arc<Book> {
    let book = Arc::new(Book { client: client.into(), server: server.into(), ..Book::default() });
    let hook: IChannelHook = Recorder { extent, book: book.clone() }.into();
    // SAFETY: valid pointers.
    assert_eq!(unsafe { CoRegisterChannelHook(&extent, hook.as_raw()) }, S_OK);
    book
}

//! NDR against a stranger: two processes on the system's COM, one with our proxies and stubs for IStream, IPersist and
//! IEnumUnknown, the other with the system's own. Whatever either writes the other must read.
//!
//! The system has proxies for these interfaces, so ours are not registered unless somebody asks ([`take_over`]); COM forgets
//! that when the last apartment of the process ends. Whose they are is counted: only ours are objects of this library.
//!
use super::meeting::*;
use super::probe::IProbe;
use super::rooms::*;
use oleander::backend::{self, Backend};
use oleander::windows_core::{GUID, HRESULT, IUnknown, Interface};
use oleander::*;
use std::cell::Cell;
use std::ffi::c_void;
use std::path::Path;
use std::ptr::null_mut;
use std::sync::mpsc;

/// Says that references stay with the server that nobody could read.
const LEAVES: &str = "OLEANDER_TEST_LEAVES";
/// The interfaces for which both have proxies and stubs.
const IIDS: [GUID; 3] = [IStream::IID, IPersist::IID, IEnumUnknown::IID];

/// A class's id, with a number in every part.
const CLASS: GUID = GUID::from_values(7, 0x1234, 0x5678, [1, 2, 3, 4, 5, 6, 7, 8]);

/// A stream in memory with a name, a class's id, and objects to enumerate.
#[com_class(IStream, IPersist, IEnumUnknown)]
struct Stranger {
    inner: IStream,
    next: Cell<u32>,
    locked: Cell<(u64, u64, u32)>,
    _last: Option<Last>,
}

/// An object over a stream; it says so when it goes.
fn stranger(inner: IStream, last: Option<Last>) -> IStream {
    Stranger { inner, next: Cell::new(0), locked: Cell::default(), _last: last }.into()
}

impl ISequentialStream_Impl for Stranger_Impl {
    unsafe fn Read(&self, pv: *mut c_void, cb: u32, pcbRead: *mut u32) -> HRESULT {
        unsafe { self.inner.Read(pv, cb, pcbRead) }
    }
    unsafe fn Write(&self, pv: *const c_void, cb: u32, pcbWritten: *mut u32) -> HRESULT {
        unsafe { self.inner.Write(pv, cb, pcbWritten) }
    }
}

impl IStream_Impl for Stranger_Impl {
    unsafe fn Seek(&self, dlibMove: i64, dwOrigin: u32, plibNewPosition: *mut u64) -> HRESULT {
        unsafe { self.inner.Seek(dlibMove, dwOrigin, plibNewPosition) }
    }
    unsafe fn SetSize(&self, libNewSize: u64) -> HRESULT {
        unsafe { self.inner.SetSize(libNewSize) }
    }
    unsafe fn CopyTo(&self, pstm: *mut c_void, cb: u64, pcbRead: *mut u64, pcbWritten: *mut u64) -> HRESULT {
        unsafe { self.inner.CopyTo(pstm, cb, pcbRead, pcbWritten) }
    }
    unsafe fn Commit(&self, grfCommitFlags: u32) -> HRESULT {
        HRESULT(grfCommitFlags as i32)
    }
    unsafe fn Revert(&self) -> HRESULT {
        E_ABORT
    }
    unsafe fn LockRegion(&self, libOffset: u64, cb: u64, dwLockType: u32) -> HRESULT {
        self.locked.set((libOffset, cb, dwLockType));
        S_OK
    }
    unsafe fn UnlockRegion(&self, libOffset: u64, cb: u64, dwLockType: u32) -> HRESULT {
        if self.locked.get() == (libOffset, cb, dwLockType) { S_OK } else { E_INVALIDARG }
    }
    unsafe fn Stat(&self, pstatstg: *mut STATSTG, grfStatFlag: u32) -> HRESULT {
        unsafe {
            let hr = self.inner.Stat(pstatstg, grfStatFlag);
            let name = CoTaskMemAlloc(6).cast::<u16>();
            name.copy_from_nonoverlapping([u16::from(b'o'), u16::from(b'l'), 0].as_ptr(), 3);
            (*pstatstg).pwcsName = name;
            hr
        }
    }
    unsafe fn Clone(&self, ppstm: *mut *mut c_void) -> HRESULT {
        let mut raw = null_mut();
        unsafe {
            let hr = self.inner.Clone(&mut raw);
            *ppstm = stranger(IStream::from_raw(raw), None).into_raw();
            hr
        }
    }
}

impl IPersist_Impl for Stranger_Impl {
    unsafe fn GetClassID(&self, pClassID: *mut GUID) -> HRESULT {
        unsafe { *pClassID = CLASS };
        S_OK
    }
}

/// Three objects, which nobody gets ([`call_with_pointers`] says why): they are skipped.
impl IEnumUnknown_Impl for Stranger_Impl {
    unsafe fn Next(&self, _celt: u32, _rgelt: *mut *mut c_void, pceltFetched: *mut u32) -> HRESULT {
        unsafe { *pceltFetched = 0 };
        if self.next.get() == 3 { S_FALSE } else { E_UNEXPECTED }
    }
    unsafe fn Skip(&self, celt: u32) -> HRESULT {
        self.next.set(self.next.get() + celt);
        if celt == 0 { E_ABORT } else { S_OK }
    }
    unsafe fn Reset(&self) -> HRESULT {
        self.next.set(0);
        S_OK
    }
    unsafe fn Clone(&self, _ppenum: *mut *mut c_void) -> HRESULT {
        E_NOTIMPL
    }
}

/// Whose proxies and stubs this process has.
fn server_of(iid: &GUID) -> GUID {
    let mut class = GUID::zeroed();
    assert_eq!(unsafe { CoGetPSClsid(iid, &mut class) }, S_OK);
    class
}

/// Gives this process our proxies and stubs in place of the system's.
fn take_over() {
    let ours = server_of(&IProbe::IID);
    for iid in &IIDS {
        assert_ne!(server_of(iid), ours, "a stranger's");
        assert_eq!(unsafe { CoRegisterPSClsid(iid, &ours) }, S_OK);
        assert_eq!(server_of(iid), ours);
    }
}

/// The server's process, with our stubs or the system's.
fn serve(world: &World, file: &Path, has_ours: bool) {
    let room = world.mta();
    let (last, is_gone) = mpsc::channel();
    let own = file.to_owned();
    room.run(move || {
        if has_ours {
            take_over();
        }
        let object = stranger(memory(), Some(Last(last)));
        let before = debug::live_objects();
        write_reference(&object, &own);
        assert_eq!(debug::live_objects() - before, usize::from(has_ours), "stubs of ours");
    });
    serve_until(&is_gone);
    if std::env::var_os(LEAVES).is_some() {
        // What the client could not read stays for ever.
        std::process::exit(0);
    }
    room.close();
}

/// Two processes, of which one has our proxies and stubs.
#[derive(Clone, Copy)]
struct Test {
    /// The test's name, for the server's process.
    name: &'static str,
    /// Whether it is the client that has ours.
    client_has_ours: bool,
    /// Whether something stays with the server.
    leaves_some: bool,
    /// What the client does.
    client: fn(&IStream),
}

impl Test {
    fn run(self) {
        if let Some(file) = is_server() {
            return on_own_threads(move |world| serve(world, &file, !self.client_has_ours));
        }
        if backend::current() == Backend::Emulation {
            return println!("the emulation's processes are not the system's");
        }
        on_own_threads(move |world| {
            let leaves: &[_] = if self.leaves_some { &[(LEAVES, "1")] } else { &[] };
            let server = Server::start(self.name, leaves);
            let room = world.mta();
            let file = server.file();
            room.run(move || self.call(&file));
            server.end();
            room.close();
        });
    }

    fn call(self, file: &Path) {
        if self.client_has_ours {
            take_over();
        } else {
            assert!(IIDS.iter().all(|iid| server_of(iid) != server_of(&IProbe::IID)), "a stranger's");
        }
        let before = debug::live_objects();
        let stream: IStream = read_reference(file);
        assert_eq!(debug::live_objects() - before, usize::from(self.client_has_ours), "proxies of ours");
        (self.client)(&stream);
    }
}

fn call_all(stream: &IStream) {
    call_stream(stream);
    call_persist(&stream.cast().unwrap());
    call_enumerator(&stream.cast().unwrap());
}

fn call_stream(stream: &IStream) {
    write(stream, b"oleander");
    let (mut position, mut stat) = (0, unsafe { std::mem::zeroed::<STATSTG>() });
    unsafe {
        assert_eq!((stream.Seek(-4, STREAM_SEEK_END, &mut position), position), (S_OK, 4));
        assert_eq!(read(stream, 3), b"nde");
        assert_eq!(read(stream, 9), b"r", "no more than there is");
        assert_eq!(stream.SetSize(5), S_OK);
        assert_eq!(stream.Stat(&mut stat, 0), S_OK);
        assert_eq!((stat.cbSize, stat.r#type), (5, 2));
        assert_eq!(std::slice::from_raw_parts(stat.pwcsName, 3), [u16::from(b'o'), u16::from(b'l'), 0]);
        CoTaskMemFree(stat.pwcsName.cast());
        assert_eq!((stream.Commit(5), stream.Revert()), (HRESULT(5), E_ABORT));
        assert_eq!(stream.LockRegion(1 << 40, 7, 2), S_OK);
        assert_eq!(stream.UnlockRegion(1 << 40, 7, 2), S_OK);
    }
}

/// Wine 8 alone writes an interface pointer as its size and the object reference, without the pointer's id and the second size
/// of [MS-DCOM] 2.2.14. What is written so, no other can read: it is refused, and the next call is served.
fn call_with_pointers(stream: &IStream, refused: HRESULT) {
    let (mut raw, before) = (null_mut(), debug::live_objects());
    assert_eq!(unsafe { stream.Clone(&mut raw) }, refused);
    assert!(raw.is_null());
    assert_eq!(debug::live_objects(), before);
    write(stream, b"and on");
}

fn call_persist(persist: &IPersist) {
    let mut clsid = GUID::zeroed();
    assert_eq!((unsafe { persist.GetClassID(&mut clsid) }, clsid), (S_OK, CLASS));
}

/// The objects themselves are [`call_with_pointers`]' business; an array of none is not.
fn call_enumerator(items: &IEnumUnknown) {
    let (mut found, mut count) = ([const { None::<IUnknown> }; 8], 99);
    unsafe {
        assert_eq!((items.Skip(3), items.Next(8, found.as_mut_ptr().cast(), &mut count)), (S_OK, S_FALSE));
        assert_eq!((count, items.Skip(0), items.Reset()), (0, E_ABORT, S_OK));
    }
    assert!(found.iter().all(Option::is_none));
}

#[test]
fn our_proxies_call_the_systems_stubs() {
    let name = "strangers::our_proxies_call_the_systems_stubs";
    Test { name, client_has_ours: true, leaves_some: false, client: call_all }.run();
}

#[test]
fn the_systems_proxies_call_our_stubs() {
    let name = "strangers::the_systems_proxies_call_our_stubs";
    Test { name, client_has_ours: false, leaves_some: false, client: call_all }.run();
}

#[test]
fn our_proxies_refuse_pointers_of_the_systems_stubs() {
    let name = "strangers::our_proxies_refuse_pointers_of_the_systems_stubs";
    let client = |stream: &IStream| call_with_pointers(stream, RPC_X_BAD_STUB_DATA_HR);
    Test { name, client_has_ours: true, leaves_some: true, client }.run();
}

#[test]
fn the_systems_proxies_refuse_pointers_of_our_stubs() {
    let name = "strangers::the_systems_proxies_refuse_pointers_of_our_stubs";
    let client = |stream: &IStream| call_with_pointers(stream, RPC_E_INVALID_OBJREF);
    Test { name, client_has_ours: false, leaves_some: true, client }.run();
}

//! COM's functions with Rust's manners: results, guards that undo, typed pointers.

use crate::timeline::{name_thread, say};
use oleander::windows_core::{GUID, HRESULT, Interface, Result};
use oleander::*;
use std::ffi::c_void;
use std::marker::PhantomData;
use std::ptr::null_mut;

/// Name, value and meaning of an HRESULT.
pub fn explain(hr: HRESULT) -> String {
    oleander::abi::hresult::explain(hr).to_string()
}

/// Its name and value, for the timeline.
pub fn name(hr: HRESULT) -> String {
    match explain(hr).split_once(':') {
        Some((name, _)) if hr.is_err() => name.to_owned(),
        Some((name, _)) => name.split(' ').next().unwrap_or(name).to_owned(),
        None => explain(hr),
    }
}

/// What a function gives that takes an interface id and a place for the pointer, as most of COM's do.
pub fn out<I: Interface>(get: impl FnOnce(*const GUID, *mut *mut c_void) -> HRESULT) -> Result<I> {
    let mut raw = null_mut();
    get(&I::IID, &mut raw).ok()?;
    if raw.is_null() {
        return Err(E_UNEXPECTED.into());
    }
    // SAFETY: the function succeeded, so it has put a counted pointer of that interface there.
    Ok(unsafe { I::from_raw(raw) })
}

/// Two kinds of apartment.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One thread.
    Sta,
    /// All threads that are in no STA.
    Mta,
}

/// The current thread is in an apartment as long as this exists.
pub struct Apartment(PhantomData<*const ()>);

impl Apartment {
    /// Enters an apartment; `role` names the thread in the timeline.
    pub fn enter(kind: Kind, role: &'static str) -> Result<Self> {
        name_thread(role);
        let flag = if kind == Kind::Sta { COINIT_APARTMENTTHREADED } else { COINIT_MULTITHREADED };
        // SAFETY: balanced by `drop`, on the same thread: the guard is not `Send`.
        unsafe { CoInitializeEx(null_mut(), flag) }.ok()?;
        Ok(Self(PhantomData))
    }
}

impl Drop for Apartment {
    fn drop(&mut self) {
        // SAFETY: see `enter`; whoever holds the guard drops its pointers first.
        unsafe { CoUninitialize() };
        say!("CoUninitialize");
    }
}

/// An interface pointer on its way to another apartment: the stream of `CoMarshalInterThreadInterfaceInStream`.
pub struct Packet<I: Interface> {
    stream: *mut c_void,
    interface: PhantomData<I>,
}

// SAFETY: that is what the stream is for; it is opened once, by whoever has the packet then.
unsafe impl<I: Interface> Send for Packet<I> {}

impl<I: Interface> Packet<I> {
    /// Packs a pointer of the current apartment.
    pub fn new(pointer: &I) -> Result<Self> {
        let mut stream = null_mut();
        // SAFETY: a live pointer of this apartment and a place of our own.
        unsafe { CoMarshalInterThreadInterfaceInStream(&I::IID, pointer.as_raw(), &mut stream) }.ok()?;
        Ok(Self { stream, interface: PhantomData })
    }

    /// The pointer for the current apartment: the same one where it was packed, elsewhere a proxy.
    pub fn open(mut self) -> Result<I> {
        let stream = std::mem::replace(&mut self.stream, null_mut());
        // SAFETY: the stream is ours, and the function takes it.
        out(|iid, ppv| unsafe { CoGetInterfaceAndReleaseStream(stream, iid, ppv) })
    }
}

impl<I: Interface> Drop for Packet<I> {
    fn drop(&mut self) {
        if !self.stream.is_null() {
            let stream = std::mem::replace(&mut self.stream, null_mut());
            // SAFETY: as in `open`; what comes out of it is released.
            let unopened: Result<I> = out(|iid, ppv| unsafe { CoGetInterfaceAndReleaseStream(stream, iid, ppv) });
            drop(unopened);
        }
    }
}

/// An event of the kernel, closed when dropped.
pub struct Event(HANDLE);

impl Event {
    /// A manual-reset event that is not set.
    pub fn new() -> Self {
        // SAFETY: no name, no security.
        Self(unsafe { CreateEventW(std::ptr::null(), true.into(), false.into(), std::ptr::null()) })
    }

    /// Takes over a handle.
    pub fn from_handle(handle: HANDLE) -> Self {
        Self(handle)
    }

    /// Sets it, for good.
    pub fn set(&self) {
        // SAFETY: the handle is open.
        let set = unsafe { SetEvent(self.0) };
        assert!(set.as_bool(), "an open handle of an event");
    }

    /// Waits as the thread's apartment does (an STA serves incoming calls meanwhile); whether it was set in time.
    pub fn wait(&self, ms: u32) -> bool {
        wait_for_any(&[self.0], ms) == Ok(0)
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        // SAFETY: the handle is ours.
        let _ = unsafe { CloseHandle(self.0) };
    }
}

/// `CoWaitForMultipleHandles`: the index of the handle that is set first, or `RPC_S_CALLPENDING` after the timeout.
pub fn wait_for_any(handles: &[HANDLE], ms: u32) -> Result<usize> {
    let mut index = 0;
    // SAFETY: the slice holds as many handles as it says.
    unsafe { CoWaitForMultipleHandles(COWAIT_DEFAULT, ms, handles.len() as u32, handles.as_ptr(), &mut index) }.ok()?;
    Ok(index as usize)
}

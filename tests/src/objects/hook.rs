//! A channel hook, for any thread. It attaches one byte as client and two as server; the argument of what it logs is the
//! method's slot for the sizes, and for the rest how many bytes there are.

use super::Player;
use oleander::windows_core::{GUID, HRESULT};
use oleander::*;
use std::ffi::c_void;

/// The hook.
#[com_class(IChannelHook, agile)]
pub struct Hook(pub Player);

/// # Safety
/// `riid` is the beginning of a whole structure.
unsafe fn slot(riid: *const GUID) -> u32 {
    // SAFETY: the caller's promise.
    unsafe { (*riid.cast::<SChannelHookCallInfo>()).iMethod }
}

impl IChannelHook_Impl for Hook_Impl {
    unsafe fn ClientGetSize(&self, _: *const GUID, riid: *const GUID, len: *mut u32) {
        // SAFETY: the channel's pointers are valid.
        unsafe {
            self.0.method("ClientGetSize", Some(slot(riid)));
            *len = 1;
        }
    }
    unsafe fn ClientFillBuffer(&self, _: *const GUID, _: *const GUID, len: *mut u32, data: *mut c_void) {
        // SAFETY: the channel's pointers are valid, and there is room for what it asked for.
        unsafe {
            self.0.method("ClientFillBuffer", Some(*len));
            data.cast::<u8>().write(1);
        }
    }
    unsafe fn ClientNotify(&self, _: *const GUID, _: *const GUID, len: u32, _: *mut c_void, _: u32, hr: HRESULT) {
        self.0.method(if hr == S_OK { "ClientNotify" } else { "ClientNotify.fault" }, Some(len));
    }
    unsafe fn ServerNotify(&self, _: *const GUID, _: *const GUID, len: u32, _: *mut c_void, _: u32) {
        self.0.method("ServerNotify", Some(len));
    }
    unsafe fn ServerGetSize(&self, _: *const GUID, riid: *const GUID, _: HRESULT, len: *mut u32) {
        // SAFETY: the channel's pointers are valid.
        unsafe {
            self.0.method("ServerGetSize", Some(slot(riid)));
            *len = 2;
        }
    }
    unsafe fn ServerFillBuffer(&self, _: *const GUID, _: *const GUID, len: *mut u32, data: *mut c_void, _: HRESULT) {
        // SAFETY: the channel's pointers are valid, and there is room for what it asked for.
        unsafe {
            self.0.method("ServerFillBuffer", Some(*len));
            data.cast::<[u8; 2]>().write([1, 2]);
        }
    }
}

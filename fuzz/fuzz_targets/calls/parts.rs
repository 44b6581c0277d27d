//! Objects and functions that COM calls: a message filter, a channel hook, a spy, a pipe, a class, callbacks of all kinds.
//! They answer as their number says.

use oleander::windows_core::{GUID, HRESULT, IUnknown, Interface};
use oleander::*;
use oleander_fuzz::every;
use std::cell::Cell;
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicU32, Ordering};

/// Lets calls in or not, tries rejected calls again a few times, cancels or does not.
#[com_class(IMessageFilter)]
pub struct Filter {
    pub answers: u8,
    pub tries: Cell<u8>,
}

impl IMessageFilter_Impl for Filter_Impl {
    unsafe fn HandleInComingCall(&self, kind: u32, _: HANDLE, _: u32, _: *const INTERFACEINFO) -> u32 {
        (u32::from(self.answers) + kind) % 4
    }
    unsafe fn RetryRejectedCall(&self, _: HANDLE, _: u32, _: u32) -> u32 {
        let left = self.tries.get();
        self.tries.set(left.saturating_sub(1));
        if left == 0 { u32::MAX } else { 0 }
    }
    unsafe fn MessagePending(&self, _: HANDLE, _: u32, _: u32) -> u32 {
        u32::from(self.answers / 4) % 3
    }
}

/// Attaches so many bytes to calls.
#[com_class(IChannelHook, agile)]
pub struct Hook {
    pub bytes: u8,
}

impl Hook_Impl {
    unsafe fn fill(&self, size: *mut u32, buffer: *mut c_void) {
        unsafe {
            if !buffer.is_null() {
                buffer.cast::<u8>().write_bytes(self.bytes, *size as usize);
            }
            *size = (*size).min(u32::from(self.bytes));
        }
    }
    unsafe fn look(&self, size: u32, buffer: *mut c_void) {
        if !buffer.is_null() {
            let bytes = unsafe { std::slice::from_raw_parts(buffer.cast::<u8>(), size as usize) };
            std::hint::black_box(bytes.iter().map(|byte| u32::from(*byte)).sum::<u32>());
        }
    }
}

impl IChannelHook_Impl for Hook_Impl {
    unsafe fn ClientGetSize(&self, _: *const GUID, _: *const GUID, size: *mut u32) {
        unsafe { *size = self.bytes.into() };
    }
    unsafe fn ClientFillBuffer(&self, _: *const GUID, _: *const GUID, size: *mut u32, buffer: *mut c_void) {
        unsafe { self.fill(size, buffer) };
    }
    unsafe fn ClientNotify(&self, _: *const GUID, _: *const GUID, size: u32, buffer: *mut c_void, _: u32, _: HRESULT) {
        unsafe { self.look(size, buffer) };
    }
    unsafe fn ServerNotify(&self, _: *const GUID, _: *const GUID, size: u32, buffer: *mut c_void, _: u32) {
        unsafe { self.look(size, buffer) };
    }
    unsafe fn ServerGetSize(&self, _: *const GUID, _: *const GUID, _: HRESULT, size: *mut u32) {
        unsafe { *size = u32::from(self.bytes) * 3 };
    }
    unsafe fn ServerFillBuffer(&self, _: *const GUID, _: *const GUID, size: *mut u32, buffer: *mut c_void, _: HRESULT) {
        unsafe { self.fill(size, buffer) };
    }
}

/// Says what `CoInitializeEx` returns.
#[com_class(IInitializeSpy)]
pub struct Spy {}

impl IInitializeSpy_Impl for Spy_Impl {
    unsafe fn PreInitialize(&self, _: u32, _: u32) -> HRESULT {
        S_OK
    }
    unsafe fn PostInitialize(&self, hr: HRESULT, _: u32, _: u32) -> HRESULT {
        hr
    }
    unsafe fn PreUninitialize(&self, _: u32) -> HRESULT {
        S_OK
    }
    unsafe fn PostUninitialize(&self, _: u32) -> HRESULT {
        S_OK
    }
}

/// A pipe with this many bytes in it.
#[com_class(IPipeByte)]
pub struct Pipe {
    pub left: Cell<u32>,
}

impl IPipeByte_Impl for Pipe_Impl {
    unsafe fn Pull(&self, buf: *mut u8, wanted: u32, given: *mut u32) -> HRESULT {
        let some = wanted.min(self.left.get());
        self.left.set(self.left.get() - some);
        unsafe {
            buf.write_bytes(7, some as usize);
            *given = some;
        }
        S_OK
    }
    unsafe fn Push(&self, buf: *const u8, sent: u32) -> HRESULT {
        let bytes = unsafe { std::slice::from_raw_parts(buf, sent as usize) };
        self.left.set(self.left.get().wrapping_add(bytes.iter().map(|byte| u32::from(*byte)).sum::<u32>()) % 4096);
        S_OK
    }
}

/// A class of the usual object.
#[com_class(IClassFactory)]
struct EveryClass {}

impl IClassFactory_Impl for EveryClass_Impl {
    unsafe fn CreateInstance(&self, outer: *mut c_void, iid: *const GUID, out: *mut *mut c_void) -> HRESULT {
        if !outer.is_null() {
            return CLASS_E_NOAGGREGATION;
        }
        unsafe { every().query(iid, out) }
    }
    unsafe fn LockServer(&self, _: oleander::windows_core::BOOL) -> HRESULT {
        S_OK
    }
}

/// `DllGetClassObject` of that class.
pub unsafe extern "system" fn class_object(_: *const GUID, iid: *const GUID, out: *mut *mut c_void) -> HRESULT {
    let class: IUnknown = IClassFactory::from(EveryClass {}).into();
    unsafe { class.query(iid, out) }
}

/// How often anybody was called back.
static CALLED: AtomicU32 = AtomicU32::new(0);

fn called() {
    CALLED.fetch_add(1, Ordering::Relaxed);
}

pub unsafe extern "system" fn procedure(hwnd: HWND, message: u32, wparam: WPARAM, lparam: LPARAM) -> LRESULT {
    called();
    if !(WM_APP..WM_APP + 0x4000).contains(&message) {
        return unsafe { DefWindowProcW(hwnd, message, wparam, lparam) };
    }
    unsafe {
        match message % 5 {
            0 => drop(ReplyMessage(Default::default())),
            1 => drop(DestroyWindow(hwnd)),
            2 => {
                let mut msg = MSG::default();
                let _ = PeekMessageW(&mut msg, hwnd, 0, 0, PM_REMOVE);
            }
            3 => {
                let _ = (InSendMessage(), InSendMessageEx(null_mut()));
            }
            _ => {
                let mut raw = null_mut();
                if CoGetCallContext(&IUnknown::IID, &mut raw).is_ok() && !raw.is_null() {
                    drop(IUnknown::from_raw(raw));
                }
            }
        }
    }
    Default::default()
}

pub unsafe extern "system" fn on_timer(_: HWND, _: u32, _: usize, _: u32) {
    called();
}

pub unsafe extern "system" fn on_apc(_: usize) {
    called();
}

pub unsafe extern "system" fn on_wait(_: *mut c_void, _: u8) {
    called();
}

pub unsafe extern "system" fn on_work(_: *mut c_void) -> u32 {
    called();
    0
}

/// Runs in another context: says where it is, and returns what it was told.
pub unsafe extern "system" fn in_context(data: *mut ComCallData) -> HRESULT {
    let (mut kind, mut qualifier) = (0, 0);
    unsafe {
        let _ = CoGetApartmentType(&mut kind, &mut qualifier);
        HRESULT((*data).dwDispid as i32)
    }
}

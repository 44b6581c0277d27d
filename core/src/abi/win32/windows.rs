//! Window classes and windows that receive messages and show nothing.

use super::text::name_at;
use super::{FALSE, TRUE, fail};
use crate::abi::exports::export;
use crate::abi::types::{
    CREATESTRUCTW, ERROR_ACCESS_DENIED, ERROR_CANNOT_FIND_WND_CLASS, ERROR_CLASS_ALREADY_EXISTS,
    ERROR_CLASS_DOES_NOT_EXIST, ERROR_CLASS_HAS_WINDOWS, ERROR_INVALID_INDEX, ERROR_INVALID_PARAMETER,
    ERROR_INVALID_WINDOW_HANDLE, ERROR_NOT_ENOUGH_MEMORY, GWLP_USERDATA, GWLP_WNDPROC, HANDLE, HINSTANCE, HWND,
    HWND_MESSAGE, LPARAM, LRESULT, WM_CLOSE, WM_CREATE, WM_DESTROY, WM_NCCREATE, WM_NCDESTROY, WNDCLASSW, WPARAM,
};
use crate::kernel::window::{self, ClassName, Procedure, Refusal, Window};
use crate::platform;
use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use windows_core::BOOL;

/// Most extra bytes of a window.
const EXTRA_BYTES_MAX: i32 = 4096;

fn error_of(refusal: Refusal) -> u32 {
    match refusal {
        Refusal::ClassExists => ERROR_CLASS_ALREADY_EXISTS,
        Refusal::NoSuchClass => ERROR_CLASS_DOES_NOT_EXIST,
        Refusal::ClassHasWindows => ERROR_CLASS_HAS_WINDOWS,
        Refusal::TooMany => ERROR_NOT_ENOUGH_MEMORY,
        Refusal::NoSuchWindow => ERROR_INVALID_WINDOW_HANDLE,
        Refusal::WrongThread => ERROR_ACCESS_DENIED,
    }
}

/// A class's name, or its atom in the place of a pointer to one.
///
/// # Safety
/// `class` is null, an atom, or points at a NUL-terminated string.
unsafe fn class_at(class: *const u16) -> Option<ClassName> {
    match u16::try_from(class.addr()) {
        Ok(0) => None,
        Ok(atom) => Some(ClassName::Atom(atom)),
        // SAFETY: the caller's promise.
        Err(_) => unsafe { name_at(class) }.map(ClassName::Name),
    }
}

fn window_at(hwnd: HWND) -> Option<Arc<Window>> {
    platform::with_current(|thread| thread.process().windows.get(hwnd))
}

export! {
    /// Registers a window class; gives its atom, 0 for an error.
    ///
    /// # Safety
    /// `lpWndClass` is null or points at a class whose name is a NUL-terminated string, and whose procedure may be
    /// called for each message of each of its windows.
    pub unsafe fn RegisterClassW(lpWndClass: *const WNDCLASSW) -> u16 {
        // SAFETY: the caller's promise.
        let Some(class) = (unsafe { lpWndClass.as_ref() }) else { return fail(ERROR_INVALID_PARAMETER, 0) };
        if !(0..=EXTRA_BYTES_MAX).contains(&class.cbWndExtra) {
            return fail(ERROR_INVALID_PARAMETER, 0);
        }
        // SAFETY: the caller's promise.
        let name = unsafe { name_at(class.lpszClassName) }.filter(|name| !name.is_empty());
        let (Some(name), Some(procedure)) = (name, class.lpfnWndProc) else {
            return fail(ERROR_INVALID_PARAMETER, 0);
        };
        let extra_bytes = class.cbWndExtra as usize;
        let registered = platform::with_current(|thread| {
            thread.process().windows.register(&name, procedure, extra_bytes)
        });
        registered.unwrap_or_else(|refusal| fail(error_of(refusal), 0))
    }

    /// Forgets a window class. Its windows must have been destroyed.
    ///
    /// # Safety
    /// `lpClassName` is null, an atom, or points at a NUL-terminated string.
    pub unsafe fn UnregisterClassW(lpClassName: *const u16, hInstance: HINSTANCE) -> BOOL {
        let _ = hInstance;
        // SAFETY: the caller's promise.
        let Some(name) = (unsafe { class_at(lpClassName) }) else { return fail(ERROR_CLASS_DOES_NOT_EXIST, FALSE) };
        match platform::with_current(|thread| thread.process().windows.unregister(&name)) {
            Ok(()) => TRUE,
            Err(refusal) => fail(error_of(refusal), FALSE),
        }
    }

    /// Creates a window of the calling thread. The parent is null, `HWND_MESSAGE` or a window; the window's procedure
    /// gets `WM_NCCREATE`, which must not give 0, and `WM_CREATE`, which must not give -1.
    ///
    /// # Safety
    /// `lpClassName` is null, an atom, or points at a NUL-terminated string; `lpWindowName` and `lpParam` are what the
    /// procedure means them to be.
    pub unsafe fn CreateWindowExW(
        dwExStyle: u32,
        lpClassName: *const u16,
        lpWindowName: *const u16,
        dwStyle: u32,
        X: i32,
        Y: i32,
        nWidth: i32,
        nHeight: i32,
        hWndParent: HWND,
        hMenu: HANDLE,
        hInstance: HINSTANCE,
        lpParam: *const c_void,
    ) -> HWND {
        // SAFETY: the caller's promise.
        let Some(class) = (unsafe { class_at(lpClassName) }) else {
            return fail(ERROR_CANNOT_FIND_WND_CLASS, HWND::NULL);
        };
        if !hWndParent.is_null() && hWndParent != HWND_MESSAGE && window_at(hWndParent).is_none() {
            return fail(ERROR_INVALID_WINDOW_HANDLE, HWND::NULL);
        }
        let process = platform::with_current(|thread| thread.process().clone());
        let hwnd = match process.windows.create(&class, hWndParent) {
            Ok(hwnd) => hwnd,
            Err(Refusal::NoSuchClass) => return fail(ERROR_CANNOT_FIND_WND_CLASS, HWND::NULL),
            Err(refusal) => return fail(error_of(refusal), HWND::NULL),
        };
        let create = CREATESTRUCTW {
            lpCreateParams: lpParam.cast_mut(),
            hInstance,
            hMenu,
            hwndParent: hWndParent,
            cy: nHeight,
            cx: nWidth,
            y: Y,
            x: X,
            style: dwStyle as i32,
            lpszName: lpWindowName,
            lpszClass: lpClassName,
            dwExStyle,
        };
        let lparam = (&raw const create) as LPARAM;
        if window::call(hwnd, WM_NCCREATE, 0, lparam).unwrap_or(0) == 0 {
            window::call(hwnd, WM_NCDESTROY, 0, 0);
            process.windows.remove(hwnd);
            return HWND::NULL;
        }
        if window::call(hwnd, WM_CREATE, 0, lparam) == Some(-1) {
            window::call(hwnd, WM_DESTROY, 0, 0);
            window::call(hwnd, WM_NCDESTROY, 0, 0);
            process.windows.remove(hwnd);
            return HWND::NULL;
        }
        // It may have destroyed itself.
        if window_at(hwnd).is_some() { hwnd } else { HWND::NULL }
    }

    /// Destroys a window of the calling thread, and its children; `ERROR_ACCESS_DENIED` for one of another thread.
    ///
    /// # Safety
    /// None: a stale window is an error.
    pub unsafe fn DestroyWindow(hWnd: HWND) -> BOOL {
        match window::destroy(hWnd) {
            Ok(()) => TRUE,
            Err(refusal) => fail(error_of(refusal), FALSE),
        }
    }

    /// What a window does with messages that its procedure does not want: `WM_NCCREATE` is agreed to, `WM_CLOSE`
    /// destroys the window, everything else gives 0.
    ///
    /// # Safety
    /// None.
    pub unsafe fn DefWindowProcW(hWnd: HWND, Msg: u32, wParam: WPARAM, lParam: LPARAM) -> LRESULT {
        let _ = (wParam, lParam);
        match Msg {
            WM_NCCREATE => 1,
            WM_CLOSE => {
                // A window of another thread stays, as documented for DestroyWindow.
                let _ = window::destroy(hWnd);
                0
            }
            _ => 0,
        }
    }

    /// Whether there is such a window.
    ///
    /// # Safety
    /// None.
    pub unsafe fn IsWindow(hWnd: HWND) -> BOOL {
        BOOL(i32::from(window_at(hWnd).is_some()))
    }

    /// Reads the window's user data, its procedure, or eight of its extra bytes.
    ///
    /// # Safety
    /// None: a stale window and a wrong index are errors.
    pub unsafe fn GetWindowLongPtrW(hWnd: HWND, nIndex: i32) -> isize {
        let Some(window) = window_at(hWnd) else { return fail(ERROR_INVALID_WINDOW_HANDLE, 0) };
        match nIndex {
            GWLP_USERDATA => window.user_data.load(Ordering::Acquire),
            GWLP_WNDPROC => window.procedure() as usize as isize,
            _ => with_extra(&window, nIndex, |bytes| isize::from_ne_bytes(*bytes)),
        }
    }

    /// Writes what `GetWindowLongPtrW` reads; gives what was there before.
    ///
    /// # Safety
    /// With `GWLP_WNDPROC`, `dwNewLong` is a window procedure.
    pub unsafe fn SetWindowLongPtrW(hWnd: HWND, nIndex: i32, dwNewLong: isize) -> isize {
        let Some(window) = window_at(hWnd) else { return fail(ERROR_INVALID_WINDOW_HANDLE, 0) };
        match nIndex {
            GWLP_USERDATA => window.user_data.swap(dwNewLong, Ordering::AcqRel),
            GWLP_WNDPROC if dwNewLong == 0 => fail(ERROR_INVALID_PARAMETER, 0),
            GWLP_WNDPROC => {
                // SAFETY: the caller's promise; it is not null.
                let procedure = unsafe { std::mem::transmute::<isize, Procedure>(dwNewLong) };
                window.set_procedure(procedure) as usize as isize
            }
            _ => with_extra(&window, nIndex, |bytes| {
                isize::from_ne_bytes(std::mem::replace(bytes, dwNewLong.to_ne_bytes()))
            }),
        }
    }
}

const LONG: usize = size_of::<isize>();

/// The extra bytes from `index` on.
fn with_extra(window: &Window, index: i32, f: impl FnOnce(&mut [u8; LONG]) -> isize) -> isize {
    let mut extra = window.extra.lock();
    let bytes = usize::try_from(index).ok().and_then(|at| extra.get_mut(at..at.checked_add(LONG)?));
    match bytes.and_then(|bytes| bytes.try_into().ok()) {
        Some(bytes) => f(bytes),
        None => {
            drop(extra);
            fail(ERROR_INVALID_INDEX, 0)
        }
    }
}

//! Window classes and windows that receive messages and show nothing.

use super::text::{Unit, name_at, text_at};
use super::{FALSE, TRUE, fail};
use crate::abi::exports::export;
use crate::abi::types::{
    CREATESTRUCTA, CREATESTRUCTW, ERROR_ACCESS_DENIED, ERROR_CANNOT_FIND_WND_CLASS, ERROR_CLASS_ALREADY_EXISTS,
    ERROR_CLASS_DOES_NOT_EXIST, ERROR_CLASS_HAS_WINDOWS, ERROR_FILE_NOT_FOUND, ERROR_INVALID_INDEX,
    ERROR_INVALID_PARAMETER, ERROR_INVALID_WINDOW_HANDLE, ERROR_NOT_ENOUGH_MEMORY, GWL_EXSTYLE, GWL_STYLE,
    GWLP_USERDATA, GWLP_WNDPROC, HANDLE, HINSTANCE, HWND, HWND_MESSAGE, LPARAM, LRESULT, WM_CLOSE, WM_CREATE,
    WM_DESTROY, WM_NCCREATE, WM_NCDESTROY, WNDCLASSA, WNDCLASSEXA, WNDCLASSEXW, WNDCLASSW, WNDPROC, WPARAM,
};
use crate::kernel::window::{self, ClassName, NewWindow, Procedure, Refusal, WantedWindow, Window};
use crate::platform;
use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use windows_core::BOOL;

/// Most extra bytes of a window.
const EXTRA_BYTES_MAX: usize = 4096;

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
unsafe fn class_at<U: Unit>(class: *const U) -> Option<ClassName> {
    match u16::try_from(class.addr()) {
        Ok(0) => None,
        Ok(atom) => Some(ClassName::Atom(atom)),
        // SAFETY: the caller's promise.
        Err(_) => unsafe { text_at(class) }.map(ClassName::Name),
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
        unsafe {
            match lpWndClass.as_ref() {
                Some(class) => register(class.lpszClassName, class.lpfnWndProc, class.cbWndExtra),
                None => fail(ERROR_INVALID_PARAMETER, 0),
            }
        }
    }

    /// `RegisterClassW` with a name in bytes.
    ///
    /// # Safety
    /// As for `RegisterClassW`.
    pub unsafe fn RegisterClassA(lpWndClass: *const WNDCLASSA) -> u16 {
        // SAFETY: the caller's promise.
        unsafe {
            match lpWndClass.as_ref() {
                Some(class) => register(class.lpszClassName, class.lpfnWndProc, class.cbWndExtra),
                None => fail(ERROR_INVALID_PARAMETER, 0),
            }
        }
    }

    /// `RegisterClassW` with a structure that says its size, which must be right.
    ///
    /// # Safety
    /// As for `RegisterClassW`.
    pub unsafe fn RegisterClassExW(unnamedParam1: *const WNDCLASSEXW) -> u16 {
        // SAFETY: the caller's promise.
        unsafe {
            match unnamedParam1.as_ref() {
                Some(class) if class.cbSize as usize == size_of::<WNDCLASSEXW>() => {
                    register(class.lpszClassName, class.lpfnWndProc, class.cbWndExtra)
                }
                _ => fail(ERROR_INVALID_PARAMETER, 0),
            }
        }
    }

    /// `RegisterClassExW` with a name in bytes.
    ///
    /// # Safety
    /// As for `RegisterClassW`.
    pub unsafe fn RegisterClassExA(unnamedParam1: *const WNDCLASSEXA) -> u16 {
        // SAFETY: the caller's promise.
        unsafe {
            match unnamedParam1.as_ref() {
                Some(class) if class.cbSize as usize == size_of::<WNDCLASSEXA>() => {
                    register(class.lpszClassName, class.lpfnWndProc, class.cbWndExtra)
                }
                _ => fail(ERROR_INVALID_PARAMETER, 0),
            }
        }
    }

    /// Forgets a window class. Its windows must have been destroyed.
    ///
    /// # Safety
    /// `lpClassName` is null, an atom, or points at a NUL-terminated string.
    pub unsafe fn UnregisterClassW(lpClassName: *const u16, hInstance: HINSTANCE) -> BOOL {
        let _ = hInstance;
        // SAFETY: the caller's promise.
        unregister(unsafe { class_at(lpClassName) })
    }

    /// `UnregisterClassW` with a name in bytes.
    ///
    /// # Safety
    /// As for `UnregisterClassW`.
    pub unsafe fn UnregisterClassA(lpClassName: *const u8, hInstance: HINSTANCE) -> BOOL {
        let _ = hInstance;
        // SAFETY: the caller's promise.
        unregister(unsafe { class_at(lpClassName) })
    }

    /// Creates a window of the calling thread. The parent is null, `HWND_MESSAGE` or a window; the window's procedure
    /// gets `WM_NCCREATE`, which must not give 0, and `WM_CREATE`, which must not give -1.
    ///
    /// # Safety
    /// `lpClassName` is null, an atom, or points at a NUL-terminated string; `lpWindowName` is null or points at one; `lpParam`
    /// is what the procedure means it to be.
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
        // SAFETY: the caller's promise.
        let (class, name) = unsafe { (class_at(lpClassName), text_at(lpWindowName)) };
        let made = NewWindow {
            parent: hWndParent,
            name: name.unwrap_or_default(),
            styles: [dwStyle as i32, dwExStyle as i32],
        };
        create_window(class, made, (&raw const create) as LPARAM)
    }

    /// `CreateWindowExW` with names in bytes; what `WM_NCCREATE` and `WM_CREATE` point at has them, too.
    ///
    /// # Safety
    /// As for `CreateWindowExW`.
    pub unsafe fn CreateWindowExA(
        dwExStyle: u32,
        lpClassName: *const u8,
        lpWindowName: *const u8,
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
        let create = CREATESTRUCTA {
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
        // SAFETY: the caller's promise.
        let (class, name) = unsafe { (class_at(lpClassName), text_at(lpWindowName)) };
        let made = NewWindow {
            parent: hWndParent,
            name: name.unwrap_or_default(),
            styles: [dwStyle as i32, dwExStyle as i32],
        };
        create_window(class, made, (&raw const create) as LPARAM)
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

    /// `DefWindowProcW` by its other name: no message carries text that would differ.
    ///
    /// # Safety
    /// As for `DefWindowProcW`.
    pub unsafe fn DefWindowProcA(hWnd: HWND, Msg: u32, wParam: WPARAM, lParam: LPARAM) -> LRESULT {
        // SAFETY: the caller's promise.
        unsafe { DefWindowProcW(hWnd, Msg, wParam, lParam) }
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
            GWL_STYLE => window.styles[0].load(Ordering::Relaxed) as isize,
            GWL_EXSTYLE => window.styles[1].load(Ordering::Relaxed) as isize,
            _ => with_extra(&window, nIndex, |bytes| isize::from_ne_bytes(*bytes)),
        }
    }

    /// `GetWindowLongPtrW` by its other name: no message carries text that would differ.
    ///
    /// # Safety
    /// As for `GetWindowLongPtrW`.
    pub unsafe fn GetWindowLongPtrA(hWnd: HWND, nIndex: i32) -> isize {
        // SAFETY: the caller's promise.
        unsafe { GetWindowLongPtrW(hWnd, nIndex) }
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
            GWL_STYLE => window.styles[0].swap(dwNewLong as i32, Ordering::Relaxed) as isize,
            GWL_EXSTYLE => window.styles[1].swap(dwNewLong as i32, Ordering::Relaxed) as isize,
            _ => with_extra(&window, nIndex, |bytes| {
                isize::from_ne_bytes(std::mem::replace(bytes, dwNewLong.to_ne_bytes()))
            }),
        }
    }

    /// `SetWindowLongPtrW` by its other name: no message carries text that would differ.
    ///
    /// # Safety
    /// As for `SetWindowLongPtrW`.
    pub unsafe fn SetWindowLongPtrA(hWnd: HWND, nIndex: i32, dwNewLong: isize) -> isize {
        // SAFETY: the caller's promise.
        unsafe { SetWindowLongPtrW(hWnd, nIndex, dwNewLong) }
    }

    /// Reads the low 32 bits of the user data, a style, or four of the extra bytes. A procedure is longer:
    /// `ERROR_INVALID_INDEX`, as on 64-bit Windows.
    ///
    /// # Safety
    /// None: a stale window and a wrong index are errors.
    pub unsafe fn GetWindowLongW(hWnd: HWND, nIndex: i32) -> i32 {
        let Some(window) = window_at(hWnd) else { return fail(ERROR_INVALID_WINDOW_HANDLE, 0) };
        match nIndex {
            GWLP_USERDATA => window.user_data.load(Ordering::Acquire) as i32,
            GWL_STYLE => window.styles[0].load(Ordering::Relaxed),
            GWL_EXSTYLE => window.styles[1].load(Ordering::Relaxed),
            _ => with_extra(&window, nIndex, |bytes| i32::from_ne_bytes(*bytes)),
        }
    }

    /// `GetWindowLongW` by its other name: no message carries text that would differ.
    ///
    /// # Safety
    /// As for `GetWindowLongW`.
    pub unsafe fn GetWindowLongA(hWnd: HWND, nIndex: i32) -> i32 {
        // SAFETY: the caller's promise.
        unsafe { GetWindowLongW(hWnd, nIndex) }
    }

    /// Writes what `GetWindowLongW` reads; gives what was there before. User data becomes the 64-bit number of the same value.
    ///
    /// # Safety
    /// None: a stale window and a wrong index are errors.
    pub unsafe fn SetWindowLongW(hWnd: HWND, nIndex: i32, dwNewLong: i32) -> i32 {
        let Some(window) = window_at(hWnd) else { return fail(ERROR_INVALID_WINDOW_HANDLE, 0) };
        match nIndex {
            GWLP_USERDATA => window.user_data.swap(dwNewLong as isize, Ordering::AcqRel) as i32,
            GWL_STYLE => window.styles[0].swap(dwNewLong, Ordering::Relaxed),
            GWL_EXSTYLE => window.styles[1].swap(dwNewLong, Ordering::Relaxed),
            _ => with_extra(&window, nIndex, |bytes| {
                i32::from_ne_bytes(std::mem::replace(bytes, dwNewLong.to_ne_bytes()))
            }),
        }
    }

    /// `SetWindowLongW` by its other name: no message carries text that would differ.
    ///
    /// # Safety
    /// As for `SetWindowLongW`.
    pub unsafe fn SetWindowLongA(hWnd: HWND, nIndex: i32, dwNewLong: i32) -> i32 {
        // SAFETY: the caller's promise.
        unsafe { SetWindowLongW(hWnd, nIndex, dwNewLong) }
    }

    /// Calls a window procedure, such as the one that `SetWindowLongPtrW` has replaced; 0 for none.
    ///
    /// # Safety
    /// `lpPrevWndFunc` is null or a window procedure that may be called with the rest.
    pub unsafe fn CallWindowProcW(
        lpPrevWndFunc: WNDPROC,
        hWnd: HWND,
        Msg: u32,
        wParam: WPARAM,
        lParam: LPARAM,
    ) -> LRESULT {
        match lpPrevWndFunc {
            // SAFETY: the caller's promise.
            Some(procedure) => unsafe { procedure(hWnd, Msg, wParam, lParam) },
            None => fail(ERROR_INVALID_PARAMETER, 0),
        }
    }

    /// `CallWindowProcW` by its other name: no message carries text that would differ.
    ///
    /// # Safety
    /// As for `CallWindowProcW`.
    pub unsafe fn CallWindowProcA(
        lpPrevWndFunc: WNDPROC,
        hWnd: HWND,
        Msg: u32,
        wParam: WPARAM,
        lParam: LPARAM,
    ) -> LRESULT {
        // SAFETY: the caller's promise.
        unsafe { CallWindowProcW(lpPrevWndFunc, hWnd, Msg, wParam, lParam) }
    }

    /// The number of a window's thread, and in `lpdwProcessId` that of its process; 0 for an error.
    ///
    /// # Safety
    /// `lpdwProcessId` is null or valid for writes.
    pub unsafe fn GetWindowThreadProcessId(hWnd: HWND, lpdwProcessId: *mut u32) -> u32 {
        let Some(window) = window_at(hWnd) else { return fail(ERROR_INVALID_WINDOW_HANDLE, 0) };
        // SAFETY: the caller's promise.
        if let Some(process) = unsafe { lpdwProcessId.as_mut() } {
            *process = platform::with_current(|thread| thread.process().id());
        }
        window.thread
    }

    /// Finds a child of a window, a message-only window (the parent is `HWND_MESSAGE`) or any other window without a parent
    /// (null), by class and name, of which each may be null; the one after `hWndChildAfter`, if that is one. Null, with
    /// `ERROR_FILE_NOT_FOUND`, if there is none.
    ///
    /// # Safety
    /// `lpszClass` is null, an atom, or points at a NUL-terminated string; `lpszWindow` is null or points at one.
    pub unsafe fn FindWindowExW(
        hWndParent: HWND,
        hWndChildAfter: HWND,
        lpszClass: *const u16,
        lpszWindow: *const u16,
    ) -> HWND {
        // SAFETY: the caller's promise.
        let (class, name) = unsafe { (class_at(lpszClass), text_at(lpszWindow)) };
        find_window(WantedWindow { parent: hWndParent, after: hWndChildAfter, class, name })
    }

    /// `FindWindowExW` with names in bytes.
    ///
    /// # Safety
    /// As for `FindWindowExW`.
    pub unsafe fn FindWindowExA(
        hWndParent: HWND,
        hWndChildAfter: HWND,
        lpszClass: *const u8,
        lpszWindow: *const u8,
    ) -> HWND {
        // SAFETY: the caller's promise.
        let (class, name) = unsafe { (class_at(lpszClass), text_at(lpszWindow)) };
        find_window(WantedWindow { parent: hWndParent, after: hWndChildAfter, class, name })
    }
}

/// Registers a class under a name.
///
/// # Safety
/// `name` is null or points at units that end with a NUL.
unsafe fn register<U: Unit>(name: *const U, procedure: WNDPROC, extra_bytes: i32) -> u16 {
    let extra_bytes = usize::try_from(extra_bytes).ok().filter(|bytes| *bytes <= EXTRA_BYTES_MAX);
    // SAFETY: the caller's promise.
    let name = unsafe { name_at(name) }.filter(|name| !name.is_empty());
    let (Some(name), Some(procedure), Some(extra_bytes)) = (name, procedure, extra_bytes) else {
        return fail(ERROR_INVALID_PARAMETER, 0);
    };
    let registered = platform::with_current(|thread| thread.process().windows.register(&name, procedure, extra_bytes));
    registered.unwrap_or_else(|refusal| fail(error_of(refusal), 0))
}

fn unregister(class: Option<ClassName>) -> BOOL {
    let Some(class) = class else { return fail(ERROR_CLASS_DOES_NOT_EXIST, FALSE) };
    match platform::with_current(|thread| thread.process().windows.unregister(&class)) {
        Ok(()) => TRUE,
        Err(refusal) => fail(error_of(refusal), FALSE),
    }
}

/// Makes a window and tells its procedure with the `CREATESTRUCT` at `lparam`.
fn create_window(class: Option<ClassName>, made: NewWindow, lparam: LPARAM) -> HWND {
    let Some(class) = class else { return fail(ERROR_CANNOT_FIND_WND_CLASS, HWND::NULL) };
    if !made.parent.is_null() && made.parent != HWND_MESSAGE && window_at(made.parent).is_none() {
        return fail(ERROR_INVALID_WINDOW_HANDLE, HWND::NULL);
    }
    let process = platform::with_current(|thread| thread.process().clone());
    let hwnd = match process.windows.create(&class, made) {
        Ok(hwnd) => hwnd,
        Err(Refusal::NoSuchClass) => return fail(ERROR_CANNOT_FIND_WND_CLASS, HWND::NULL),
        Err(refusal) => return fail(error_of(refusal), HWND::NULL),
    };
    if window::call(hwnd, WM_NCCREATE, 0, lparam).unwrap_or(0) == 0 {
        window::call(hwnd, WM_NCDESTROY, 0, 0);
        window::discard(hwnd);
        return HWND::NULL;
    }
    if window::call(hwnd, WM_CREATE, 0, lparam) == Some(-1) {
        window::call(hwnd, WM_DESTROY, 0, 0);
        window::call(hwnd, WM_NCDESTROY, 0, 0);
        window::discard(hwnd);
        return HWND::NULL;
    }
    // It may have destroyed itself.
    if window_at(hwnd).is_some() { hwnd } else { HWND::NULL }
}

fn find_window(wanted: WantedWindow) -> HWND {
    let has_no_record = wanted.parent.is_null() || wanted.parent == HWND_MESSAGE;
    if !has_no_record && window_at(wanted.parent).is_none() {
        return fail(ERROR_INVALID_WINDOW_HANDLE, HWND::NULL);
    }
    let found = platform::with_current(|thread| thread.process().windows.find(&wanted));
    found.unwrap_or_else(|| fail(ERROR_FILE_NOT_FOUND, HWND::NULL))
}

/// The extra bytes from `index` on.
fn with_extra<const LONG: usize, R: Default>(window: &Window, index: i32, f: impl FnOnce(&mut [u8; LONG]) -> R) -> R {
    let mut extra = window.extra.lock();
    let bytes = usize::try_from(index).ok().and_then(|at| extra.get_mut(at..at.checked_add(LONG)?));
    match bytes.and_then(|bytes| bytes.try_into().ok()) {
        Some(bytes) => f(bytes),
        None => {
            drop(extra);
            fail(ERROR_INVALID_INDEX, R::default())
        }
    }
}

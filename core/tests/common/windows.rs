//! Windows for the tests.

#![allow(dead_code, reason = "each test uses its part")]

use oleander::*;
use std::ffi::c_void;
use std::ptr::null;

/// A window procedure.
pub type Procedure = unsafe extern "system" fn(HWND, u32, WPARAM, LPARAM) -> LRESULT;

/// A message-only window of the calling thread.
pub fn window_with(procedure: Procedure) -> HWND {
    let window = create_with(procedure, HWND_MESSAGE, 0, null());
    assert_ne!(window, HWND::NULL);
    window
}

/// A window under a parent, or under nobody; null where its procedure refuses it.
pub fn create_with(procedure: Procedure, parent: HWND, style: u32, parameter: *const c_void) -> HWND {
    let name: Vec<u16> = format!("Test {:x}\0", procedure as usize).encode_utf16().collect();
    // SAFETY: valid strings; the procedure and the parameter are the caller's own.
    unsafe {
        let class = WNDCLASSW {
            style: 0,
            lpfnWndProc: Some(procedure),
            cbClsExtra: 0,
            cbWndExtra: 0,
            hInstance: HINSTANCE::NULL,
            hIcon: HANDLE::NULL,
            hCursor: HANDLE::NULL,
            hbrBackground: HANDLE::NULL,
            lpszMenuName: null(),
            lpszClassName: name.as_ptr(),
        };
        // The second time the class is there already.
        RegisterClassW(&class);
        let (menu, module) = (HANDLE::NULL, HINSTANCE::NULL);
        CreateWindowExW(0, name.as_ptr(), null(), style, 0, 0, 0, 0, parent, menu, module, parameter)
    }
}

/// Posts a message to a window.
pub fn post(window: HWND, message: u32) {
    // SAFETY: no pointers.
    assert!(unsafe { PostMessageW(window, message, 0, 0) }.as_bool());
}

/// The posted messages of the calling thread, all of them taken.
pub fn left() -> Vec<u32> {
    let mut msg = MSG::default();
    let mut left = Vec::new();
    // SAFETY: the pointer is valid.
    while unsafe { PeekMessageW(&mut msg, HWND::NULL, 0, 0, PM_REMOVE) }.as_bool() {
        left.push(msg.message);
    }
    left
}

//! Message-only windows for the tests.

#![allow(dead_code, reason = "each test uses its part")]

use oleander::*;
use std::ptr::{null, null_mut};

/// A window procedure.
pub type Procedure = unsafe extern "system" fn(HWND, u32, WPARAM, LPARAM) -> LRESULT;

/// A window of the calling thread.
pub fn window_with(procedure: Procedure) -> HWND {
    let name: Vec<u16> = format!("Test {:x}\0", procedure as usize).encode_utf16().collect();
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
        let (parent, none) = (HWND_MESSAGE, HINSTANCE::NULL);
        let window = CreateWindowExW(0, name.as_ptr(), null(), 0, 0, 0, 0, 0, parent, HANDLE::NULL, none, null_mut());
        assert_ne!(window, HWND::NULL);
        window
    }
}

/// Posts a message to a window.
pub fn post(window: HWND, message: u32) {
    assert!(unsafe { PostMessageW(window, message, 0, 0) }.as_bool());
}

/// The posted messages of the calling thread, all of them taken.
pub fn left() -> Vec<u32> {
    let mut msg = MSG::default();
    let mut left = Vec::new();
    while unsafe { PeekMessageW(&mut msg, HWND::NULL, 0, 0, PM_REMOVE) }.as_bool() {
        left.push(msg.message);
    }
    left
}

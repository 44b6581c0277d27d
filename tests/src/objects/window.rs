//! A message-only window that logs its messages: `w.Message(WM_USER)`. What a message's lines `return` is its result.
//!
//! The window has the address of its [`Player`] as user data. The player is freed with the window, in `WM_NCDESTROY`.

use super::Player;
use oleander::*;
use std::ptr::{null, null_mut};

const CLASS: [u16; 5] = [b'R' as u16, b'o' as u16, b'w' as u16, b's' as u16, 0];

/// Makes a window of the calling thread.
pub fn create_window(player: Player) -> HWND {
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
        lpszClassName: CLASS.as_ptr(),
    };
    // SAFETY: a valid class; the second registration in a process is refused, which is as good.
    unsafe { RegisterClassW(&class) };
    let name = CLASS.as_ptr();
    let (parent, menu, module) = (HWND_MESSAGE, HANDLE::NULL, HINSTANCE::NULL);
    // SAFETY: valid strings.
    let window = unsafe { CreateWindowExW(0, name, name, 0, 0, 0, 0, 0, parent, menu, module, null_mut()) };
    if !window.is_null() {
        let raw = Box::into_raw(Box::new(player));
        // SAFETY: a window of this thread.
        unsafe { SetWindowLongPtrW(window, GWLP_USERDATA, raw.expose_provenance() as isize) };
    }
    window
}

unsafe extern "system" fn procedure(window: HWND, message: u32, wparam: WPARAM, lparam: LPARAM) -> LRESULT {
    // SAFETY: a window of this thread.
    let address = unsafe { GetWindowLongPtrW(window, GWLP_USERDATA) } as usize;
    let raw = std::ptr::with_exposed_provenance_mut::<Player>(address);
    if message == WM_NCDESTROY && !raw.is_null() {
        // SAFETY: the window's own player, and nobody uses it after this message.
        drop(unsafe { Box::from_raw(raw) });
    // SAFETY: null, or the window's own player, which lives as long as the window.
    } else if let Some(player) = unsafe { raw.as_ref() }
        && message != WM_DESTROY
    {
        let player = player.clone();
        return player.method("Message", Some(message)).number().map_or(0, |number| number as LRESULT);
    }
    // SAFETY: the arguments of this procedure.
    unsafe { DefWindowProcW(window, message, wparam, lparam) }
}

//! Windows, messages and timers: user32.

use super::import;
use crate::abi::types::*;
use crate::abi::win32::TIMERPROC;
use std::ffi::c_void;
use windows_core::BOOL;

import! { "user32.dll"
    fn CallWindowProcA(lpPrevWndFunc: WNDPROC, hWnd: HWND, Msg: u32, wParam: WPARAM, lParam: LPARAM) -> LRESULT;
    fn CallWindowProcW(lpPrevWndFunc: WNDPROC, hWnd: HWND, Msg: u32, wParam: WPARAM, lParam: LPARAM) -> LRESULT;
    fn CreateWindowExA(
        dwExStyle: u32, lpClassName: *const u8, lpWindowName: *const u8, dwStyle: u32, X: i32, Y: i32, nWidth: i32,
        nHeight: i32, hWndParent: HWND, hMenu: HANDLE, hInstance: HINSTANCE, lpParam: *const c_void,
    ) -> HWND;
    fn CreateWindowExW(
        dwExStyle: u32, lpClassName: *const u16, lpWindowName: *const u16, dwStyle: u32, X: i32, Y: i32, nWidth: i32,
        nHeight: i32, hWndParent: HWND, hMenu: HANDLE, hInstance: HINSTANCE, lpParam: *const c_void,
    ) -> HWND;
    fn DefWindowProcA(hWnd: HWND, Msg: u32, wParam: WPARAM, lParam: LPARAM) -> LRESULT;
    fn DefWindowProcW(hWnd: HWND, Msg: u32, wParam: WPARAM, lParam: LPARAM) -> LRESULT;
    fn DestroyWindow(hWnd: HWND) -> BOOL;
    fn DispatchMessageA(lpMsg: *const MSG) -> LRESULT;
    fn DispatchMessageW(lpMsg: *const MSG) -> LRESULT;
    fn FindWindowExA(hWndParent: HWND, hWndChildAfter: HWND, lpszClass: *const u8, lpszWindow: *const u8) -> HWND;
    fn FindWindowExW(hWndParent: HWND, hWndChildAfter: HWND, lpszClass: *const u16, lpszWindow: *const u16) -> HWND;
    fn GetMessageA(lpMsg: *mut MSG, hWnd: HWND, wMsgFilterMin: u32, wMsgFilterMax: u32) -> BOOL;
    fn GetMessageW(lpMsg: *mut MSG, hWnd: HWND, wMsgFilterMin: u32, wMsgFilterMax: u32) -> BOOL;
    fn GetQueueStatus(flags: u32) -> u32;
    fn GetWindowLongA(hWnd: HWND, nIndex: i32) -> i32;
    fn GetWindowLongPtrA(hWnd: HWND, nIndex: i32) -> isize;
    fn GetWindowLongPtrW(hWnd: HWND, nIndex: i32) -> isize;
    fn GetWindowLongW(hWnd: HWND, nIndex: i32) -> i32;
    fn GetWindowThreadProcessId(hWnd: HWND, lpdwProcessId: *mut u32) -> u32;
    fn InSendMessage() -> BOOL;
    fn InSendMessageEx(lpReserved: *mut c_void) -> u32;
    fn IsWindow(hWnd: HWND) -> BOOL;
    fn KillTimer(hWnd: HWND, uIDEvent: usize) -> BOOL;
    fn MsgWaitForMultipleObjects(
        nCount: u32, pHandles: *const HANDLE, fWaitAll: BOOL, dwMilliseconds: u32, dwWakeMask: u32,
    ) -> u32;
    fn MsgWaitForMultipleObjectsEx(
        nCount: u32, pHandles: *const HANDLE, dwMilliseconds: u32, dwWakeMask: u32, dwFlags: u32,
    ) -> u32;
    fn PeekMessageA(lpMsg: *mut MSG, hWnd: HWND, wMsgFilterMin: u32, wMsgFilterMax: u32, wRemoveMsg: u32) -> BOOL;
    fn PeekMessageW(lpMsg: *mut MSG, hWnd: HWND, wMsgFilterMin: u32, wMsgFilterMax: u32, wRemoveMsg: u32) -> BOOL;
    fn PostMessageA(hWnd: HWND, Msg: u32, wParam: WPARAM, lParam: LPARAM) -> BOOL;
    fn PostMessageW(hWnd: HWND, Msg: u32, wParam: WPARAM, lParam: LPARAM) -> BOOL;
    fn PostQuitMessage(nExitCode: i32);
    fn PostThreadMessageA(idThread: u32, Msg: u32, wParam: WPARAM, lParam: LPARAM) -> BOOL;
    fn PostThreadMessageW(idThread: u32, Msg: u32, wParam: WPARAM, lParam: LPARAM) -> BOOL;
    fn RegisterClassA(lpWndClass: *const WNDCLASSA) -> u16;
    fn RegisterClassExA(unnamedParam1: *const WNDCLASSEXA) -> u16;
    fn RegisterClassExW(unnamedParam1: *const WNDCLASSEXW) -> u16;
    fn RegisterClassW(lpWndClass: *const WNDCLASSW) -> u16;
    fn RegisterWindowMessageA(lpString: *const u8) -> u32;
    fn RegisterWindowMessageW(lpString: *const u16) -> u32;
    fn ReplyMessage(lResult: LRESULT) -> BOOL;
    fn SendMessageA(hWnd: HWND, Msg: u32, wParam: WPARAM, lParam: LPARAM) -> LRESULT;
    fn SendMessageTimeoutA(
        hWnd: HWND, Msg: u32, wParam: WPARAM, lParam: LPARAM, fuFlags: u32, uTimeout: u32, lpdwResult: *mut usize,
    ) -> LRESULT;
    fn SendMessageTimeoutW(
        hWnd: HWND, Msg: u32, wParam: WPARAM, lParam: LPARAM, fuFlags: u32, uTimeout: u32, lpdwResult: *mut usize,
    ) -> LRESULT;
    fn SendMessageW(hWnd: HWND, Msg: u32, wParam: WPARAM, lParam: LPARAM) -> LRESULT;
    fn SendNotifyMessageA(hWnd: HWND, Msg: u32, wParam: WPARAM, lParam: LPARAM) -> BOOL;
    fn SendNotifyMessageW(hWnd: HWND, Msg: u32, wParam: WPARAM, lParam: LPARAM) -> BOOL;
    fn SetTimer(hWnd: HWND, nIDEvent: usize, uElapse: u32, lpTimerFunc: TIMERPROC) -> usize;
    fn SetWindowLongA(hWnd: HWND, nIndex: i32, dwNewLong: i32) -> i32;
    fn SetWindowLongPtrA(hWnd: HWND, nIndex: i32, dwNewLong: isize) -> isize;
    fn SetWindowLongPtrW(hWnd: HWND, nIndex: i32, dwNewLong: isize) -> isize;
    fn SetWindowLongW(hWnd: HWND, nIndex: i32, dwNewLong: i32) -> i32;
    fn TranslateMessage(lpMsg: *const MSG) -> BOOL;
    fn UnregisterClassA(lpClassName: *const u8, hInstance: HINSTANCE) -> BOOL;
    fn UnregisterClassW(lpClassName: *const u16, hInstance: HINSTANCE) -> BOOL;
    fn WaitMessage() -> BOOL;
}

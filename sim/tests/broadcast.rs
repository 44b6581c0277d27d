//! Messages to every top-level window, and what goes with a window.

#[path = "../../core/tests/common/windows.rs"]
mod windows;

use oleander::windows_core::BOOL;
use oleander::*;
use oleander_sim::run;
use std::cell::RefCell;
use std::ffi::c_void;
use std::ptr::{null, null_mut};
use windows::create_with;

const WS_CHILD: u32 = 0x4000_0000;

thread_local! {
    static SEEN: RefCell<Vec<(usize, u32)>> = const { RefCell::new(Vec::new()) };
}

/// Which windows, by their user data, were told what since the last look.
fn seen() -> Vec<(usize, u32)> {
    SEEN.take()
}

unsafe extern "system" fn procedure(hwnd: HWND, message: u32, wparam: WPARAM, lparam: LPARAM) -> LRESULT {
    // SAFETY: the arguments of this procedure; a window of this thread.
    unsafe {
        if message >= WM_USER {
            let me = GetWindowLongPtrW(hwnd, GWLP_USERDATA).cast_unsigned();
            SEEN.with_borrow_mut(|seen| seen.push((me, message)));
            return 5;
        }
        if message == WM_NCCREATE && wparam == 0 && refuses(lparam) {
            assert_eq!(SetTimer(hwnd, 1, 10, None), 1);
            assert!(PostMessageW(hwnd, WM_USER, 0, 0).as_bool());
            return 0;
        }
        DefWindowProcW(hwnd, message, wparam, lparam)
    }
}

/// # Safety
/// `lparam` points at a `CREATESTRUCTW`.
unsafe fn refuses(lparam: LPARAM) -> bool {
    // SAFETY: the caller's promise.
    unsafe { !(*std::ptr::with_exposed_provenance::<CREATESTRUCTW>(lparam.cast_unsigned())).lpCreateParams.is_null() }
}

fn create(parent: HWND, style: u32, parameter: *const c_void) -> HWND {
    create_with(procedure, parent, style, parameter)
}

/// A window that calls itself `me`.
fn window(me: usize, parent: HWND, style: u32) -> HWND {
    let window = create(parent, style, null());
    // SAFETY: a window of this thread.
    unsafe { SetWindowLongPtrW(window, GWLP_USERDATA, me.cast_signed()) };
    window
}

/// Dispatches everything that is there.
fn dispatch() {
    let mut msg = MSG::default();
    // SAFETY: a valid message.
    while unsafe { PeekMessageW(&mut msg, HWND::NULL, 0, 0, PM_REMOVE) }.as_bool() {
        // SAFETY: as above.
        unsafe { DispatchMessageW(&msg) };
    }
}

/// Has a window, and handles messages until the event in its parameter is set.
unsafe extern "system" fn other(until: *mut c_void) -> u32 {
    let window = window(9, HWND::NULL, 0);
    let until = HANDLE(until);
    // SAFETY: live handles.
    unsafe {
        while MsgWaitForMultipleObjects(1, &until, BOOL(0), INFINITE, QS_ALLINPUT) == 1 {
            dispatch();
        }
        u32::from(DestroyWindow(window).as_bool())
    }
}

#[test]
fn a_broadcast_goes_to_every_top_level_window() {
    run(|| {
        // SAFETY: live handles.
        unsafe {
            let end = CreateEventW(null(), BOOL(1), BOOL(0), null());
            let first = window(1, HWND::NULL, 0);
            let (message_only, child) = (window(2, HWND_MESSAGE, 0), window(3, first, WS_CHILD));
            let owned = window(4, first, 0);
            assert!(![first, message_only, child, owned].contains(&HWND::NULL));
            let thread = CreateThread(null(), 0, Some(other), end.0, 0, null_mut());
            Sleep(1);

            assert!(PostMessageW(HWND_BROADCAST, WM_APP, 0, 0).as_bool());
            assert_eq!(PeekMessageW(&mut MSG::default(), first, WM_APP, WM_APP, PM_NOREMOVE), BOOL(1), "posted");
            Sleep(1);
            dispatch();
            assert_eq!(seen(), [(9, WM_APP), (1, WM_APP), (4, WM_APP)]);

            assert_eq!(SendMessageW(HWND_BROADCAST, WM_USER, 0, 0), 1);
            assert_eq!(seen(), [(1, WM_USER), (4, WM_USER), (9, WM_USER)]);
            let mut result = 77;
            assert_eq!(SendMessageTimeoutW(HWND_BROADCAST, WM_USER, 0, 0, SMTO_NORMAL, 1_000, &mut result), 1);
            assert_eq!((seen().len(), result), (3, 1));
            assert!(SendNotifyMessageW(HWND_BROADCAST, WM_APP, 0, 0).as_bool());
            Sleep(1);
            assert_eq!(seen(), [(1, WM_APP), (4, WM_APP), (9, WM_APP)]);

            assert!(SetEvent(end).as_bool());
            assert_eq!(WaitForSingleObject(thread, INFINITE), WAIT_OBJECT_0);
            assert!(PostMessageW(HWND_BROADCAST, WM_APP, 0, 0).as_bool());
            dispatch();
            assert_eq!(seen(), [(1, WM_APP), (4, WM_APP)]);
            assert!(DestroyWindow(first).as_bool() && DestroyWindow(message_only).as_bool());
            assert!(PostMessageW(HWND_BROADCAST, WM_APP, 0, 0).as_bool(), "to nobody");
            dispatch();
            assert_eq!(seen(), []);
            assert!(CloseHandle(thread).as_bool() && CloseHandle(end).as_bool());
        }
    })
    .expect_completed();
}

/// Has a window and handles nothing.
unsafe extern "system" fn deaf(_: *mut c_void) -> u32 {
    let window = window(9, HWND::NULL, 0);
    // SAFETY: a window of this thread.
    unsafe {
        Sleep(10_000);
        u32::from(DestroyWindow(window).as_bool())
    }
}

#[test]
fn each_window_of_a_broadcast_has_the_whole_time() {
    run(|| {
        // SAFETY: live handles.
        unsafe {
            let threads = [(); 3].map(|()| CreateThread(null(), 0, Some(deaf), null_mut(), 0, null_mut()));
            Sleep(1);
            let before = GetTickCount64();
            let sent = SendMessageTimeoutW(HWND_BROADCAST, WM_USER, 0, 0, SMTO_NORMAL, 1_000, null_mut());
            assert_eq!((sent, GetTickCount64() - before), (1, 3_000));
            for thread in threads {
                assert_eq!(WaitForSingleObject(thread, INFINITE), WAIT_OBJECT_0);
                assert!(CloseHandle(thread).as_bool());
            }
        }
        assert_eq!(seen(), [], "their threads have ended without looking");
    })
    .expect_completed();
}

#[test]
fn nothing_is_left_of_a_window_that_was_not_created() {
    run(|| {
        let something = 1u8;
        let refused = create(HWND_MESSAGE, 0, (&raw const something).cast());
        assert!(refused.is_null());
        // SAFETY: a valid message.
        unsafe {
            Sleep(50);
            assert!(!PeekMessageW(&mut MSG::default(), HWND::NULL, 0, 0, PM_REMOVE).as_bool());
        }
    })
    .expect_completed();
}

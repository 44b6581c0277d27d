//! Timers of windows and threads, in virtual time.

#[path = "../../core/tests/common/windows.rs"]
mod windows;

use oleander::windows_core::BOOL;
use oleander::*;
use oleander_sim::{explore, run, world};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ffi::c_void;
use std::ptr::{null, null_mut};
use windows::window_with;

const FALSE: BOOL = BOOL(0);
const TRUE: BOOL = BOOL(1);

thread_local! {
    static SEEN: RefCell<Vec<(u64, u32, usize)>> = const { RefCell::new(Vec::new()) };
}

fn now_ms() -> u64 {
    world::now_ns() / 1_000_000
}

/// When which message with which wParam was handled since the last look.
fn seen() -> Vec<(u64, u32, usize)> {
    SEEN.take()
}

unsafe extern "system" fn procedure(hwnd: HWND, message: u32, wparam: WPARAM, lparam: LPARAM) -> LRESULT {
    if message == WM_TIMER || message >= WM_USER {
        SEEN.with_borrow_mut(|seen| seen.push((now_ms(), message, wparam)));
    }
    // SAFETY: the arguments of this procedure.
    unsafe { DefWindowProcW(hwnd, message, wparam, lparam) }
}

/// In the place of a window's procedure: notes 0 as the message, and checks what it is given.
unsafe extern "system" fn on_timer(_: HWND, message: u32, id: usize, time: u32) {
    assert_eq!((message, u64::from(time)), (WM_TIMER, now_ms()));
    SEEN.with_borrow_mut(|seen| seen.push((now_ms(), 0, id)));
}

fn window() -> HWND {
    window_with(procedure)
}

fn set(hwnd: HWND, id: usize, ms: u32) -> usize {
    // SAFETY: no procedure.
    unsafe { SetTimer(hwnd, id, ms, None) }
}

/// The number and the wParam of the next message, which is dispatched, and when it came.
fn get() -> (u32, usize, u64) {
    let mut msg = MSG::default();
    // SAFETY: a valid message.
    unsafe {
        assert_ne!(GetMessageW(&mut msg, HWND::NULL, 0, 0), BOOL(-1));
        DispatchMessageW(&msg);
    }
    (msg.message, msg.wParam, now_ms())
}

fn peek(hwnd: HWND, first: u32, last: u32, flags: u32) -> Option<(u32, usize)> {
    let mut msg = MSG::default();
    // SAFETY: a valid message.
    let there = unsafe { PeekMessageW(&mut msg, hwnd, first, last, flags) };
    there.as_bool().then_some((msg.message, msg.wParam))
}

fn sleep(ms: u32) {
    // SAFETY: nothing to keep.
    unsafe { Sleep(ms) };
}

fn event(set: bool) -> HANDLE {
    // SAFETY: no name.
    unsafe { CreateEventW(null(), FALSE, BOOL(set.into()), null()) }
}

fn close(handle: HANDLE) {
    // SAFETY: a live handle.
    assert!(unsafe { CloseHandle(handle) }.as_bool());
}

#[test]
fn msg_12_a_timer_comes_each_period_after_everything_else() {
    run(|| {
        let window = window();
        assert_eq!(set(window, 5, 50), 5);
        assert_eq!([get(), get()], [(WM_TIMER, 5, 50), (WM_TIMER, 5, 100)]);
        sleep(75);
        // SAFETY: a live window.
        unsafe {
            PostQuitMessage(3);
            assert!(PostMessageW(window, WM_USER, 1, 0).as_bool());
        }
        assert_eq!([get(), get(), get()], [(WM_USER, 1, 175), (WM_QUIT, 3, 175), (WM_TIMER, 5, 175)]);
        sleep(200);
        assert_eq!([get(), get()], [(WM_TIMER, 5, 375), (WM_TIMER, 5, 400)], "ticks that were missed are one");
        let handled = [(50, 5), (100, 5), (175, 1), (175, 5), (375, 5), (400, 5)];
        let of = |(at, id): (u64, usize)| (at, if id == 1 { WM_USER } else { WM_TIMER }, id);
        assert_eq!(seen(), handled.map(of));
    })
    .expect_completed();
}

#[test]
fn msg_12_filters_hold_for_timers() {
    run(|| {
        let (one, other) = (window(), window());
        set(one, 1, 20);
        set(other, 2, 10);
        let own = set(HWND::NULL, 0, 30);
        sleep(35);
        assert_eq!(peek(one, 0, 0, PM_NOREMOVE), Some((WM_TIMER, 1)), "a look leaves it");
        assert_eq!(peek(one, WM_USER, WM_APP, PM_REMOVE), None);
        assert_eq!(peek(one, WM_TIMER, WM_TIMER, PM_REMOVE), Some((WM_TIMER, 1)));
        assert_eq!(peek(one, 0, 0, PM_REMOVE), None);
        let no_window = HWND(std::ptr::without_provenance_mut(usize::MAX));
        assert_eq!(peek(no_window, 0, 0, PM_REMOVE), Some((WM_TIMER, own)));
        assert_eq!(peek(HWND::NULL, 0, 0, PM_REMOVE), Some((WM_TIMER, 2)));
        let mut msg = MSG::default();
        // SAFETY: a valid message.
        assert!(unsafe { GetMessageW(&mut msg, one, 0, 0) }.as_bool());
        assert_eq!((msg.hwnd, msg.wParam, now_ms()), (one, 1, 40), "whatever comes to other windows meanwhile");
    })
    .expect_completed();
}

#[test]
fn a_timer_that_is_set_again_begins_anew() {
    run(|| {
        let window = window();
        set(window, 1, 100);
        sleep(90);
        set(window, 1, 40);
        assert_eq!([get(), get()], [(WM_TIMER, 1, 130), (WM_TIMER, 1, 170)]);
        sleep(40);
        set(window, 1, 1);
        assert_eq!(peek(HWND::NULL, 0, 0, PM_REMOVE), None, "what was ready is gone, too");
        assert_eq!(get(), (WM_TIMER, 1, 220), "10 ms at least");
        // SAFETY: nothing to keep.
        assert!(unsafe { KillTimer(window, 1) }.as_bool());
        sleep(50);
        assert_eq!(peek(HWND::NULL, 0, 0, PM_REMOVE), None);
    })
    .expect_completed();
}

#[test]
fn a_procedure_takes_the_windows_place_while_its_timer_is_set() {
    run(|| {
        let window = window();
        // SAFETY: the procedure may be called at any time.
        unsafe {
            assert_eq!(SetTimer(window, 9, 30, Some(on_timer)), 9);
            let own = SetTimer(HWND::NULL, 9, 40, Some(on_timer));
            assert_ne!(own, 0);
            assert_eq!([get(), get()], [(WM_TIMER, 9, 30), (WM_TIMER, own, 40)]);
            assert_eq!(seen(), [(30, 0, 9), (40, 0, own)]);
            assert!(KillTimer(HWND::NULL, own).as_bool());
            let mut msg = MSG::default();
            assert!(GetMessageW(&mut msg, HWND::NULL, 0, 0).as_bool());
            assert_eq!(msg.lParam, on_timer as *const () as isize);
            assert!(KillTimer(window, 9).as_bool());
            assert_eq!(DispatchMessageW(&msg), 0);
            assert_eq!(seen(), [], "it is nobody's procedure any more");
        }
    })
    .expect_completed();
}

unsafe extern "system" fn sets_and_ends(_: *mut c_void) -> u32 {
    set(window(), 1, 10);
    set(HWND::NULL, 1, 10);
    0
}

#[test]
fn timers_end_with_their_window_and_with_their_thread() {
    run(|| {
        let window = window();
        set(window, 1, 10);
        sleep(15);
        // SAFETY: live handles.
        unsafe {
            assert!(DestroyWindow(window).as_bool());
            assert_eq!(peek(HWND::NULL, 0, 0, PM_REMOVE), None);
            assert_eq!((KillTimer(window, 1), GetLastError()), (FALSE, ERROR_INVALID_WINDOW_HANDLE));
            let thread = CreateThread(null(), 0, Some(sets_and_ends), null_mut(), 0, null_mut());
            assert_eq!(WaitForSingleObject(thread, INFINITE), WAIT_OBJECT_0);
            close(thread);
        }
        assert_eq!(now_ms(), 15, "nobody waits for a timer of theirs");
    })
    .expect_completed();
}

#[test]
fn msg_15_a_timer_is_input_of_its_kind() {
    run(|| {
        let window = window();
        let handle = event(false);
        let wait = |ms, mask, flags| {
            // SAFETY: a live handle.
            (unsafe { MsgWaitForMultipleObjectsEx(1, &handle, ms, mask, flags) }, now_ms())
        };
        set(window, 1, 30);
        assert_eq!(wait(20, QS_TIMER, 0), (WAIT_TIMEOUT, 20));
        assert_eq!(wait(20, QS_POSTMESSAGE | QS_SENDMESSAGE | QS_ALLPOSTMESSAGE, 0), (WAIT_TIMEOUT, 40));
        assert_eq!(wait(0, QS_TIMER, 0), (1, 40), "it has come due meanwhile");
        assert_eq!(wait(10, QS_TIMER, 0), (WAIT_TIMEOUT, 50), "seen");
        assert_eq!(wait(0, QS_TIMER, MWMO_INPUTAVAILABLE), (1, 50), "but there");
        // SAFETY: nothing to keep.
        assert_eq!(unsafe { GetQueueStatus(QS_ALLINPUT) }, QS_TIMER << 16);
        assert_eq!(get(), (WM_TIMER, 1, 50));
        assert_eq!(wait(INFINITE, QS_ALLINPUT, 0), (1, 60));
        assert_eq!(peek(HWND::NULL, WM_USER, WM_USER, PM_REMOVE), None);
        assert_eq!(wait(5, QS_ALLINPUT, 0), (WAIT_TIMEOUT, 65), "a look with any filter has seen it");
        assert_eq!(get(), (WM_TIMER, 1, 65));
        // SAFETY: nothing to keep.
        assert_eq!(unsafe { (GetQueueStatus(QS_TIMER), WaitMessage()) }, (0, TRUE));
        assert_eq!(now_ms(), 90);
        close(handle);
    })
    .expect_completed();
}

unsafe extern "system" fn sets_at_seven(event: *mut c_void) -> u32 {
    sleep(7);
    // SAFETY: a live event.
    u32::from(unsafe { SetEvent(HANDLE(event)) }.as_bool())
}

#[test]
fn msg_15_all_of_them_and_a_timer() {
    run(|| {
        let handle = event(false);
        // SAFETY: live handles.
        unsafe {
            set(HWND::NULL, 0, 30);
            let thread = CreateThread(null(), 0, Some(sets_at_seven), handle.0, 0, null_mut());
            assert_eq!(MsgWaitForMultipleObjectsEx(1, &handle, INFINITE, QS_TIMER, MWMO_WAITALL), 0);
            assert_eq!((now_ms(), WaitForSingleObject(handle, 0)), (30, WAIT_TIMEOUT), "both, and both are taken");
            close(thread);
            let thread = CreateThread(null(), 0, Some(sets_at_seven), handle.0, 0, null_mut());
            sleep(29);
            assert_eq!(MsgWaitForMultipleObjectsEx(1, &handle, 0, QS_TIMER, MWMO_WAITALL), WAIT_TIMEOUT);
            sleep(1);
            let flags = MWMO_WAITALL | MWMO_INPUTAVAILABLE;
            assert_eq!(MsgWaitForMultipleObjectsEx(1, &handle, 0, QS_TIMER, flags), 0);
            // The timer is there, and the object is not.
            assert_eq!(MsgWaitForMultipleObjectsEx(1, &handle, 45, QS_TIMER, flags), WAIT_TIMEOUT);
            assert_eq!(now_ms(), 105);
            close(thread);
            close(handle);
        }
    })
    .expect_completed();
}

#[test]
fn rul_96_a_wait_of_com_dispatches_timers_only_with_the_other_window_messages() {
    run(|| {
        // SAFETY: live handles.
        unsafe {
            assert_eq!(CoInitialize(null_mut()), S_OK);
            let (window, handle) = (window(), event(false));
            set(window, 1, 20);
            let mut index = 0;
            let mut wait = |flags, ms| (CoWaitForMultipleHandles(flags, ms, 1, &handle, &mut index), now_ms(), seen());
            assert_eq!(wait(0, 50), (RPC_S_CALLPENDING, 50, vec![]));
            let timers = [(50, WM_TIMER, 1), (60, WM_TIMER, 1), (80, WM_TIMER, 1)];
            assert_eq!(wait(COWAIT_DISPATCH_WINDOW_MESSAGES, 35), (RPC_S_CALLPENDING, 85, timers.to_vec()));
            PostQuitMessage(8);
            let timers = [(100, WM_TIMER, 1), (120, WM_TIMER, 1)];
            let result = wait(COWAIT_DISPATCH_WINDOW_MESSAGES, 40);
            assert_eq!(result, (RPC_S_CALLPENDING, 125, timers.to_vec()), "MSG-11: a WM_QUIT ends no wait");
            assert_eq!(get(), (WM_QUIT, 8, 125));
            close(handle);
            assert!(DestroyWindow(window).as_bool());
            CoUninitialize();
        }
    })
    .expect_completed();
}

unsafe extern "system" fn posts_at_ten(window: *mut c_void) -> u32 {
    sleep(10);
    // SAFETY: a live window.
    u32::from(unsafe { PostMessageW(HWND(window), WM_USER, 2, 0) }.as_bool())
}

#[test]
fn msg_12_a_message_and_a_timer_at_the_same_moment() {
    let orders = RefCell::new(BTreeSet::new());
    let found = explore(|| {
        let window = window();
        set(window, 1, 10);
        // SAFETY: live handles.
        unsafe {
            let thread = CreateThread(null(), 0, Some(posts_at_ten), window.0, 0, null_mut());
            let (first, second) = (get(), get());
            orders.borrow_mut().insert((first.0, second.0, second.2));
            assert_eq!(WaitForSingleObject(thread, INFINITE), WAIT_OBJECT_0);
            close(thread);
            assert!(DestroyWindow(window).as_bool());
        }
        seen();
    });
    assert_eq!(found.failures, 0, "{found}");
    assert!(found.complete, "{found}");
    let both = BTreeSet::from([(WM_TIMER, WM_USER, 10), (WM_USER, WM_TIMER, 10)]);
    assert_eq!(*orders.borrow(), both, "a post before the look comes first");
}

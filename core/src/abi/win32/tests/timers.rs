//! Timers on host threads. Times are bounds from below only: a loaded machine may take longer.

use super::*;

fn message_only() -> HWND {
    let class = text("STATIC TIMERS");
    let made = WNDCLASSW {
        style: 0,
        lpfnWndProc: Some(DefWindowProcW),
        cbClsExtra: 0,
        cbWndExtra: 0,
        hInstance: HINSTANCE::NULL,
        hIcon: HANDLE::NULL,
        hCursor: HANDLE::NULL,
        hbrBackground: HANDLE::NULL,
        lpszMenuName: null(),
        lpszClassName: class.as_ptr(),
    };
    // SAFETY: valid strings; the second registration in a process is refused, which is as good.
    unsafe {
        RegisterClassW(&made);
        let (menu, module) = (HANDLE::NULL, HINSTANCE::NULL);
        CreateWindowExW(0, class.as_ptr(), null(), 0, 0, 0, 0, 0, HWND_MESSAGE, menu, module, null())
    }
}

static CALLED: AtomicU32 = AtomicU32::new(0);

unsafe extern "system" fn called(hwnd: HWND, message: u32, id: usize, _time: u32) {
    assert!(hwnd.is_null() && message == WM_TIMER && id != 0);
    CALLED.fetch_add(1, Ordering::Relaxed);
}

#[test]
fn msg_12_a_loop_waits_for_a_timer_and_its_procedure_is_called() {
    // SAFETY: valid pointers; the procedure may be called at any time.
    unsafe {
        let begun = GetTickCount64();
        let id = SetTimer(HWND::NULL, 0, 20, Some(called));
        post(WM_USER);
        assert_eq!(next(), Some(WM_USER));
        let mut msg = MSG::default();
        assert_eq!(GetMessageW(&mut msg, HWND::NULL, 0, 0), TRUE);
        assert_eq!((msg.message, msg.wParam, msg.hwnd), (WM_TIMER, id, HWND::NULL));
        assert!(GetTickCount64() - begun >= 20);
        assert_eq!((DispatchMessageW(&msg), CALLED.load(Ordering::Relaxed)), (0, 1));
        assert!(KillTimer(HWND::NULL, id).as_bool());
        DispatchMessageW(&msg);
        assert_eq!(CALLED.load(Ordering::Relaxed), 1, "the procedure of no timer that is set");
    }
}

#[test]
fn msg_15_a_timer_ends_a_wait_for_input() {
    let window = message_only();
    // SAFETY: live handles.
    unsafe {
        assert_eq!(SetTimer(window, 0, 10, None), 1, "not 0, though the number is");
        assert_eq!(MsgWaitForMultipleObjectsEx(0, null(), INFINITE, QS_TIMER, 0), 0);
        assert_eq!(GetQueueStatus(QS_POSTMESSAGE | QS_TIMER) >> 16, QS_TIMER);
        let mut msg = MSG::default();
        assert_eq!(GetMessageW(&mut msg, window, WM_TIMER, WM_TIMER), TRUE);
        assert_eq!((msg.hwnd, msg.wParam, msg.lParam), (window, 0, 0));
        assert!(KillTimer(window, 0).as_bool());
        assert_eq!(GetQueueStatus(QS_ALLINPUT), 0);
        assert!(DestroyWindow(window).as_bool());
    }
}

#[test]
fn timers_that_are_not_there_are_errors() {
    let window = message_only();
    let address = window.0.addr();
    // SAFETY: stale windows are errors.
    unsafe {
        let never = USER_TIMER_MAXIMUM;
        assert_eq!((KillTimer(window, 1), last_error()), (FALSE, ERROR_INVALID_PARAMETER));
        assert_eq!((KillTimer(HWND::NULL, 1), last_error()), (FALSE, ERROR_INVALID_PARAMETER));
        let others = std::thread::spawn(move || {
            let window = HWND(std::ptr::without_provenance_mut(address));
            let set = (SetTimer(window, 1, never, None), last_error());
            (set, (KillTimer(window, 1), last_error()))
        });
        let refused = ((0, ERROR_ACCESS_DENIED), (FALSE, ERROR_ACCESS_DENIED));
        assert_eq!(others.join().unwrap(), refused, "RUL-95: a window of another thread");
        let (first, second) = (SetTimer(HWND::NULL, 0, never, None), SetTimer(HWND::NULL, 0, never, None));
        assert!(first != 0 && second != 0 && first != second);
        assert_eq!(SetTimer(HWND::NULL, first, never, None), first, "replaced");
        assert!(KillTimer(HWND::NULL, first).as_bool() && KillTimer(HWND::NULL, second).as_bool());
        assert!(DestroyWindow(window).as_bool());
        assert_eq!((SetTimer(window, 1, 10, None), last_error()), (0, ERROR_INVALID_WINDOW_HANDLE));
        assert_eq!((KillTimer(window, 1), last_error()), (FALSE, ERROR_INVALID_WINDOW_HANDLE));
    }
}

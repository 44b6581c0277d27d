//! Win32 with null, stale handles and windows that are gone: each function fails with the last error that is documented, or
//! does nothing. A handle is stale for good: what comes later gets another number (RUL-06).

use super::*;

/// A function by its name, whether it failed, and the last error that it left.
type Row = (&'static str, bool, u32);

/// Reads the last error that a row's function left, and leaves none for the next.
fn row(name: &'static str, failed: bool) -> Row {
    unsafe {
        let error = GetLastError();
        SetLastError(ERROR_SUCCESS);
        (name, failed, error)
    }
}

fn all_fail(place: &str, expected: u32, rows: &[Row]) {
    for (name, failed, error) in rows {
        assert!(failed, "{name} in {place}");
        assert_eq!(*error, expected, "{name} in {place}");
    }
}

/// In every kind of thread.
fn everywhere(rows: fn(&'static str)) {
    world(move |world| {
        rows("a thread outside COM");
        for (place, room) in [("an STA", world.sta()), ("the MTA", world.mta())] {
            room.run(move || rows(place));
            room.close();
        }
    });
}

const NOWHERE: HWND = HWND(std::ptr::without_provenance_mut(0x7777));
const STALE: HANDLE = HANDLE(std::ptr::without_provenance_mut(0x7777));
const NO: windows_core::BOOL = windows_core::BOOL(0);

unsafe extern "system" fn apc(_: usize) {}
unsafe extern "system" fn came(_: *mut c_void, _: u8) {}
unsafe extern "system" fn start(_: *mut c_void) -> u32 {
    0
}

#[test]
fn handles_that_are_stale() {
    everywhere(|place| unsafe {
        let (closed, good) = (event(true, true), event(true, true));
        assert!(CloseHandle(closed).as_bool());
        SetLastError(ERROR_SUCCESS);
        let (me, mut code, mut out) = (GetCurrentProcess(), 77, HANDLE::NULL);
        for stale in [closed, STALE, HANDLE::NULL] {
            let rows = [
                row("SetEvent", !SetEvent(stale).as_bool()),
                row("ResetEvent", !ResetEvent(stale).as_bool()),
                row("ReleaseSemaphore", !ReleaseSemaphore(stale, 1, null_mut()).as_bool()),
                row("ReleaseMutex", !ReleaseMutex(stale).as_bool()),
                row("CloseHandle", !CloseHandle(stale).as_bool()),
                row("DuplicateHandle", !DuplicateHandle(me, stale, me, &mut out, 0, NO, 0).as_bool()),
                row("WaitForSingleObject", WaitForSingleObject(stale, INFINITE) == WAIT_FAILED),
                row("WaitForSingleObjectEx", WaitForSingleObjectEx(stale, INFINITE, true.into()) == WAIT_FAILED),
                row("WaitForMultipleObjects", WaitForMultipleObjects(1, &stale, NO, 0) == WAIT_FAILED),
                row("WaitForMultipleObjectsEx", WaitForMultipleObjectsEx(1, &stale, NO, 0, NO) == WAIT_FAILED),
                row("MsgWaitForMultipleObjects", MsgWaitForMultipleObjects(1, &stale, NO, 0, 0) == WAIT_FAILED),
                row("MsgWaitForMultipleObjectsEx", MsgWaitForMultipleObjectsEx(1, &stale, 0, 0, 0) == WAIT_FAILED),
                row("SignalObjectAndWait, first", SignalObjectAndWait(stale, good, 0, NO) == WAIT_FAILED),
                row("SignalObjectAndWait, second", SignalObjectAndWait(good, stale, 0, NO) == WAIT_FAILED),
                row("ResumeThread", ResumeThread(stale) == u32::MAX),
                row("GetExitCodeThread", !GetExitCodeThread(stale, &mut code).as_bool()),
                row("GetThreadId", GetThreadId(stale) == 0),
                row("QueueUserAPC", QueueUserAPC(Some(apc), stale, 0) == 0),
                row(
                    "RegisterWaitForSingleObject",
                    !RegisterWaitForSingleObject(&mut out, stale, Some(came), null_mut(), 0, 0).as_bool(),
                ),
                row("UnregisterWait", !UnregisterWait(stale).as_bool()),
                row("UnregisterWaitEx", !UnregisterWaitEx(stale, INVALID_HANDLE_VALUE).as_bool()),
                row("UnregisterWaitEx, event", !UnregisterWaitEx(STALE, closed).as_bool()),
                row("GlobalLock", GlobalLock(stale).is_null()),
                row("GlobalUnlock", !GlobalUnlock(stale).as_bool()),
                row("GlobalSize", GlobalSize(stale) == 0),
                row("GlobalReAlloc", GlobalReAlloc(stale, 8, 0).is_null()),
            ];
            all_fail(place, ERROR_INVALID_HANDLE, &rows);
            assert!(out.is_null() && code == 77, "nothing was written");
        }
        all_fail(place, ERROR_INVALID_HANDLE, &[row("GlobalFree", GlobalFree(STALE) == STALE)]);
        assert!(GlobalFree(HANDLE::NULL).is_null(), "nothing to do");
        // Handles of another kind are as good as none.
        let rows = [
            row("ReleaseSemaphore", !ReleaseSemaphore(good, 1, null_mut()).as_bool()),
            row("ReleaseMutex", !ReleaseMutex(good).as_bool()),
            row("GetThreadId", GetThreadId(good) == 0),
            row("QueueUserAPC", QueueUserAPC(Some(apc), good, 0) == 0),
            row("UnregisterWait", !UnregisterWait(good).as_bool()),
            row("GlobalSize", GlobalSize(good) == 0),
            row("SetEvent", !SetEvent(GetCurrentThread()).as_bool()),
        ];
        all_fail(place, ERROR_INVALID_HANDLE, &rows);
        assert_eq!(WaitForSingleObject(good, 0), WAIT_OBJECT_0, "nothing happened to it");
        assert!(CloseHandle(good).as_bool());
    });
}

#[test]
fn windows_that_are_gone() {
    everywhere(|place| unsafe {
        let (mut msg, mut number, null) = (MSG::default(), 77, null());
        let gone = windows::window_with(DefWindowProcW);
        assert!(DestroyWindow(gone).as_bool());
        SetLastError(ERROR_SUCCESS);
        for hwnd in [gone, NOWHERE] {
            let rows = [
                row("PostMessageW", !PostMessageW(hwnd, WM_USER, 0, 0).as_bool()),
                row("PostMessageA", !PostMessageA(hwnd, WM_USER, 0, 0).as_bool()),
                row("SendMessageW", SendMessageW(hwnd, WM_USER, 0, 0) == 0),
                row("SendMessageA", SendMessageA(hwnd, WM_USER, 0, 0) == 0),
                row("SendMessageTimeoutW", SendMessageTimeoutW(hwnd, WM_USER, 0, 0, 0, 9, null_mut()) == 0),
                row("SendMessageTimeoutA", SendMessageTimeoutA(hwnd, WM_USER, 0, 0, 0, 9, null_mut()) == 0),
                row("SendNotifyMessageW", !SendNotifyMessageW(hwnd, WM_USER, 0, 0).as_bool()),
                row("SendNotifyMessageA", !SendNotifyMessageA(hwnd, WM_USER, 0, 0).as_bool()),
                row("GetMessageW", GetMessageW(&mut msg, hwnd, 0, 0).0 == -1),
                row("GetMessageA", GetMessageA(&mut msg, hwnd, 0, 0).0 == -1),
                row("PeekMessageW", !PeekMessageW(&mut msg, hwnd, 0, 0, PM_REMOVE).as_bool()),
                row("PeekMessageA", !PeekMessageA(&mut msg, hwnd, 0, 0, PM_REMOVE).as_bool()),
                row("DestroyWindow", !DestroyWindow(hwnd).as_bool()),
                row("GetWindowLongPtrW", GetWindowLongPtrW(hwnd, 0) == 0),
                row("GetWindowLongPtrA", GetWindowLongPtrA(hwnd, 0) == 0),
                row("SetWindowLongPtrW", SetWindowLongPtrW(hwnd, 0, 1) == 0),
                row("SetWindowLongPtrA", SetWindowLongPtrA(hwnd, 0, 1) == 0),
                row("GetWindowLongW", GetWindowLongW(hwnd, 0) == 0),
                row("GetWindowLongA", GetWindowLongA(hwnd, 0) == 0),
                row("SetWindowLongW", SetWindowLongW(hwnd, 0, 1) == 0),
                row("SetWindowLongA", SetWindowLongA(hwnd, 0, 1) == 0),
                row("GetWindowThreadProcessId", GetWindowThreadProcessId(hwnd, &mut number) == 0),
                row("SetTimer", SetTimer(hwnd, 1, 10, None) == 0),
                row("KillTimer", !KillTimer(hwnd, 1).as_bool()),
                row("FindWindowExW", FindWindowExW(hwnd, HWND::NULL, null, null).is_null()),
                row("FindWindowExA", FindWindowExA(hwnd, HWND::NULL, null.cast(), null.cast()).is_null()),
                row("CreateWindowExW, parent", windows::create_with(DefWindowProcW, hwnd, 0, null.cast()).is_null()),
            ];
            all_fail(place, ERROR_INVALID_WINDOW_HANDLE, &rows);
            assert_eq!(number, 77, "nothing was written");
            assert!(!IsWindow(hwnd).as_bool());
            // Whoever handles messages of a window that is gone meanwhile is told nothing.
            assert_eq!((DefWindowProcW(hwnd, WM_CLOSE, 0, 0), DefWindowProcA(hwnd, WM_CLOSE, 0, 0)), (0, 0));
        }
        let rows = [row("PostThreadMessageW", !PostThreadMessageW(0x7777, WM_USER, 0, 0).as_bool())];
        all_fail(place, ERROR_INVALID_THREAD_ID, &rows);
        let rows = [row("PostThreadMessageA", !PostThreadMessageA(0x7777, WM_USER, 0, 0).as_bool())];
        all_fail(place, ERROR_INVALID_THREAD_ID, &rows);
    });
}

#[test]
fn null_where_something_must_be() {
    everywhere(|place| unsafe {
        let (good, mut out, mut id) = (event(true, true), HANDLE::NULL, 77);
        SetLastError(ERROR_SUCCESS);
        let rows = [
            row("WaitForMultipleObjects", WaitForMultipleObjects(1, null(), NO, 0) == WAIT_FAILED),
            row("WaitForMultipleObjectsEx", WaitForMultipleObjectsEx(1, null(), NO, 0, NO) == WAIT_FAILED),
            row("MsgWaitForMultipleObjects", MsgWaitForMultipleObjects(1, null(), NO, 0, 0) == WAIT_FAILED),
            row("MsgWaitForMultipleObjectsEx", MsgWaitForMultipleObjectsEx(1, null(), 0, 0, 0) == WAIT_FAILED),
            row("GetMessageW", GetMessageW(null_mut(), HWND::NULL, 0, 0).0 == -1),
            row("GetMessageA", GetMessageA(null_mut(), HWND::NULL, 0, 0).0 == -1),
            row("PeekMessageW", !PeekMessageW(null_mut(), HWND::NULL, 0, 0, PM_REMOVE).as_bool()),
            row("PeekMessageA", !PeekMessageA(null_mut(), HWND::NULL, 0, 0, PM_REMOVE).as_bool()),
            row("QueueUserWorkItem", !QueueUserWorkItem(None, null_mut(), 0).as_bool()),
            row("QueueUserAPC", QueueUserAPC(None, GetCurrentThread(), 0) == 0),
            row("CreateThread", CreateThread(null(), 0, None, null_mut(), 0, &mut id).is_null()),
            row("OpenThread", OpenThread(0, NO, 0x7777).is_null()),
            row("GetExitCodeThread", !GetExitCodeThread(GetCurrentThread(), null_mut()).as_bool()),
            row("RegisterClassW", RegisterClassW(null()) == 0),
            row("RegisterClassA", RegisterClassA(null()) == 0),
            row("RegisterClassExW", RegisterClassExW(null()) == 0),
            row("RegisterClassExA", RegisterClassExA(null()) == 0),
            row("CallWindowProcW", CallWindowProcW(None, HWND::NULL, WM_USER, 0, 0) == 0),
            row("CallWindowProcA", CallWindowProcA(None, HWND::NULL, WM_USER, 0, 0) == 0),
            row("RegisterWindowMessageW", RegisterWindowMessageW(null()) == 0),
            row("RegisterWindowMessageA", RegisterWindowMessageA(null()) == 0),
            row("OpenEventW", OpenEventW(0, NO, null()).is_null()),
            row("OpenEventA", OpenEventA(0, NO, null()).is_null()),
            row("OpenSemaphoreW", OpenSemaphoreW(0, NO, null()).is_null()),
            row("OpenSemaphoreA", OpenSemaphoreA(0, NO, null()).is_null()),
            row("OpenMutexW", OpenMutexW(0, NO, null()).is_null()),
            row("OpenMutexA", OpenMutexA(0, NO, null()).is_null()),
            row("CreateSemaphoreW", CreateSemaphoreW(null(), 2, 1, null()).is_null()),
            row("CreateSemaphoreA", CreateSemaphoreA(null(), -1, 1, null()).is_null()),
            row("CreateEventExW", CreateEventExW(null(), null(), 0x80, 0).is_null()),
            row("CreateEventExA", CreateEventExA(null(), null(), 0x80, 0).is_null()),
            row("QueryPerformanceCounter", !QueryPerformanceCounter(null_mut()).as_bool()),
            row("QueryPerformanceFrequency", !QueryPerformanceFrequency(null_mut()).as_bool()),
            row(
                "RegisterWaitForSingleObject, out",
                !RegisterWaitForSingleObject(null_mut(), good, Some(came), null_mut(), 0, 0).as_bool(),
            ),
            row(
                "RegisterWaitForSingleObject, callback",
                !RegisterWaitForSingleObject(&mut out, good, None, null_mut(), 0, 0).as_bool(),
            ),
            row("KillTimer", !KillTimer(HWND::NULL, 77).as_bool()),
        ];
        all_fail(place, ERROR_INVALID_PARAMETER, &rows);
        assert!(out.is_null() && id == 77, "nothing was written");
        let no_class = |name, made: HWND| row(name, made.is_null());
        let (none, module) = (HANDLE::NULL, HINSTANCE::NULL);
        let rows = [
            no_class(
                "CreateWindowExW",
                CreateWindowExW(0, null(), null(), 0, 0, 0, 0, 0, HWND_MESSAGE, none, module, null()),
            ),
            no_class(
                "CreateWindowExA",
                CreateWindowExA(0, null(), null(), 0, 0, 0, 0, 0, HWND_MESSAGE, none, module, null()),
            ),
        ];
        all_fail(place, ERROR_CANNOT_FIND_WND_CLASS, &rows);
        let rows = [
            row("UnregisterClassW", !UnregisterClassW(null(), module).as_bool()),
            row("UnregisterClassA", !UnregisterClassA(null(), module).as_bool()),
        ];
        all_fail(place, ERROR_CLASS_DOES_NOT_EXIST, &rows);
        let rows = [
            row("FindWindowExW", FindWindowExW(HWND::NULL, HWND::NULL, null(), null()).is_null()),
            row("FindWindowExA", FindWindowExA(HWND::NULL, HWND::NULL, null(), null()).is_null()),
        ];
        all_fail(place, ERROR_FILE_NOT_FOUND, &rows);
        assert!(CloseHandle(good).as_bool());
    });
}

#[test]
fn null_where_nothing_need_be() {
    everywhere(|place| unsafe {
        let mut text = BSTR::NULL;
        assert!(
            !SysReAllocString(null_mut(), null()).as_bool() && !SysReAllocStringLen(null_mut(), null(), 1).as_bool()
        );
        assert!(SysAllocString(null()).is_null(), "{place}");
        for zeros in [SysAllocStringLen(null(), 3), SysAllocStringByteLen(null(), 6)] {
            assert_eq!((SysStringLen(zeros), SysStringByteLen(zeros)), (3, 6));
            SysFreeString(zeros);
        }
        assert!(SysReAllocStringLen(&mut text, null(), 2).as_bool() && SysStringLen(text) == 2);
        SysFreeString(text);
        SysFreeString(BSTR::NULL);
        assert_eq!((SysStringLen(BSTR::NULL), SysStringByteLen(BSTR::NULL)), (0, 0));
        CoTaskMemFree(null_mut());
        CoTaskMemFree(CoTaskMemRealloc(null_mut(), 8));
        assert_eq!((DispatchMessageW(null()), DispatchMessageA(null())), (0, 0));
        assert!(!TranslateMessage(null()).as_bool());
        assert_eq!(InSendMessageEx(null_mut()), ISMEX_NOSEND);
        assert!(!ReplyMessage(1).as_bool(), "no message is handled");
        assert!(!GetModuleHandleW(null()).is_null() && GetModuleHandleW(null()) == GetModuleHandleA(null()));
        for handle in [
            CreateEventW(null(), NO, NO, null()),
            CreateEventA(null(), NO, NO, null()),
            CreateMutexW(null(), NO, null()),
            CreateMutexA(null(), NO, null()),
        ] {
            assert!(!handle.is_null() && CloseHandle(handle).as_bool());
        }
        let thread = CreateThread(null(), 0, Some(start), null_mut(), 0, null_mut());
        assert_eq!(WaitForSingleObject(thread, INFINITE), WAIT_OBJECT_0);
        assert!(CloseHandle(thread).as_bool());
        let window = windows::window_with(DefWindowProcW);
        assert_eq!(GetWindowThreadProcessId(window, null_mut()), GetCurrentThreadId());
        let timer = SetTimer(window, 1, 10, None);
        assert!(timer != 0 && KillTimer(window, timer).as_bool());
        assert!(DestroyWindow(window).as_bool());
    });
}

#[test]
fn windows_of_another_thread() {
    world(|world| {
        let (owner, other) = (world.sta(), world.mta());
        let window = owner.run(|| Carry(windows::window_with(DefWindowProcW)));
        let window = other.run(move || unsafe {
            let (hwnd, mut msg) = (window.take(), MSG::default());
            SetLastError(ERROR_SUCCESS);
            let rows = [
                row("DestroyWindow", !DestroyWindow(hwnd).as_bool()),
                row("SetTimer", SetTimer(hwnd, 1, 10, None) == 0),
                row("KillTimer", !KillTimer(hwnd, 1).as_bool()),
            ];
            all_fail("the MTA", ERROR_ACCESS_DENIED, &rows);
            let rows = [
                row("PeekMessageW", !PeekMessageW(&mut msg, hwnd, 0, 0, PM_REMOVE).as_bool()),
                row("GetMessageW", GetMessageW(&mut msg, hwnd, 0, 0).0 == -1),
            ];
            all_fail("the MTA", ERROR_INVALID_WINDOW_HANDLE, &rows);
            Carry(hwnd)
        });
        owner.run(move || unsafe { assert!(DestroyWindow(window.take()).as_bool(), "it is there still") });
        owner.close();
        other.close();
    });
}

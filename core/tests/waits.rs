//! `CoWaitForMultipleHandles` and `CoWaitForMultipleObjects` in the three kinds of thread (facts section 4; CW and CM).

#![allow(clippy::undocumented_unsafe_blocks, reason = "tests call COM by its rules, as its users do")]

#[path = "common/probe.rs"]
mod probe;
#[path = "common/rooms.rs"]
mod rooms;
#[path = "common/windows.rs"]
mod windows;

use oleander::windows_core::HRESULT;
use oleander::*;
use probe::*;
use rooms::*;
use std::cell::RefCell;
use std::ptr::{null, null_mut};
use windows::*;

const FORGOTTEN: u32 = 0xDEAD_BEEF;

/// The wait with its index.
fn wait(flags: u32, ms: u32, handles: &[HANDLE]) -> (HRESULT, u32) {
    let mut index = FORGOTTEN;
    let count = u32::try_from(handles.len()).unwrap();
    let hr = unsafe { CoWaitForMultipleHandles(flags, ms, count, handles.as_ptr(), &mut index) };
    (hr, index)
}

fn semaphore(count: i32) -> HANDLE {
    let handle = unsafe { CreateSemaphoreW(null(), count, 9, null()) };
    assert_ne!(handle, HANDLE::NULL);
    handle
}

fn close(handles: &[HANDLE]) {
    for handle in handles {
        assert!(unsafe { CloseHandle(*handle) }.as_bool());
    }
}

thread_local! {
    static SEEN: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
}

fn seen() -> Vec<u32> {
    SEEN.with_borrow_mut(std::mem::take)
}

unsafe extern "system" fn remember(hwnd: HWND, message: u32, wparam: WPARAM, lparam: LPARAM) -> LRESULT {
    SEEN.with_borrow_mut(|seen| seen.push(message));
    unsafe { DefWindowProcW(hwnd, message, wparam, lparam) }
}

/// A window that remembers its messages.
fn window() -> HWND {
    let window = window_with(remember);
    seen();
    window
}

/// Runs the test in an STA, in the MTA and on a thread outside COM.
fn everywhere(test: fn()) {
    world(move |world| {
        for room in [world.sta(), world.mta(), world.outside()] {
            room.run(test);
            room.close();
        }
    });
}

/// Runs the test in an STA.
fn in_sta(test: fn()) {
    world(move |world| {
        let sta = world.sta();
        sta.run(test);
        sta.close();
    });
}

#[test]
fn wait_01_to_05_cw_01_02_04_refused_arguments() {
    everywhere(|| unsafe {
        let (window, handle) = (window(), event(true, true));
        post(window, WM_DDE_FIRST);
        for (handles, count) in [(null(), 0), (null(), 1), (&raw const handle, 0), (&raw const handle, 1)] {
            assert_eq!(CoWaitForMultipleHandles(0, 50, count, handles, null_mut()), E_INVALIDARG);
            assert_eq!(CoWaitForMultipleObjects(0, 50, count, handles, null_mut()), E_INVALIDARG);
        }
        let mut index = FORGOTTEN;
        assert_eq!(CoWaitForMultipleHandles(0, 50, 0, null(), &mut index), E_INVALIDARG);
        assert_eq!(index, 0);
        index = FORGOTTEN;
        assert_eq!(CoWaitForMultipleHandles(0, 50, 0, &handle, &mut index), RPC_E_NO_SYNC);
        assert_eq!(index, 0);
        for flag in 5..32 {
            assert_eq!(wait(1 << flag, 0, &[handle]).0, E_INVALIDARG, "flag {flag}");
        }
        assert_eq!(seen(), [], "nothing was dispatched");
        assert_eq!(left(), [WM_DDE_FIRST]);
        close(&[handle]);
    });
}

#[test]
fn wait_06_cw_05_06_a_signalled_handle_comes_before_messages() {
    in_sta(|| {
        let (window, handles) = (window(), [event(true, false), event(true, true)]);
        post(window, WM_DDE_FIRST);
        assert_eq!(wait(0, 50, &handles[1..]), (S_OK, 0));
        assert_eq!(wait(0, 50, &handles), (S_OK, 1));
        assert_eq!(wait(0, 0, &handles), (S_OK, 1));
        assert_eq!(seen(), []);
        assert_eq!(left(), [WM_DDE_FIRST]);
        close(&handles);
    });
}

#[test]
fn wait_07_the_lowest_index_wins_and_only_that_is_taken() {
    everywhere(|| {
        let handles = [semaphore(1), semaphore(1)];
        assert_eq!(wait(0, 50, &handles), (S_OK, 0));
        assert_eq!(wait(0, 50, &handles), (S_OK, 1));
        assert_eq!(wait(0, 1, &handles), (RPC_S_CALLPENDING, 0));
        close(&handles);
        let handles = [semaphore(0), semaphore(1), semaphore(1)];
        assert_eq!(wait(0, 50, &handles), (S_OK, 1), "the lowest of those that are signalled");
        assert_eq!(wait(0, 50, &handles), (S_OK, 2));
        close(&handles);
    });
}

#[test]
fn wait_08_13_23_cw_07_19_the_time_is_over() {
    everywhere(|| unsafe {
        let handles = [event(true, false), event(false, false)];
        let before = GetTickCount64();
        assert_eq!(wait(0, 30, &handles), (RPC_S_CALLPENDING, 0));
        assert!(GetTickCount64() - before >= 29);
        assert_eq!(wait(0, 0, &handles), (RPC_S_CALLPENDING, 0));
        close(&handles);
    });
}

#[test]
fn wait_09_10_cm_01_02_what_an_sta_dispatches() {
    in_sta(|| unsafe {
        let (window, handle) = (window(), event(true, false));
        let dde = [WM_DDE_FIRST, WM_DDE_FIRST + 9, WM_DDE_FIRST + 3];
        for message in [WM_USER, dde[0], WM_USER + 1, dde[1], WM_APP, dde[2]] {
            post(window, message);
        }
        assert!(PostThreadMessageW(GetCurrentThreadId(), WM_USER + 7, 0, 0).as_bool());
        assert_eq!(wait(0, 20, &[handle]), (RPC_S_CALLPENDING, 0));
        assert_eq!(seen(), dde);
        assert_eq!(left(), [WM_USER, WM_USER + 1, WM_APP, WM_USER + 7]);
        close(&[handle]);
    });
}

#[test]
fn wait_09_10_cm_04_sent_messages_are_delivered() {
    world(|world| unsafe {
        let sta = world.sta();
        let window = sta.run(window);
        let set = event(true, false);
        let told = Carry((window, set));
        let waiting = sta.start(move || {
            let (_, set) = told.take();
            let outcome = wait(0, INFINITE, &[set]);
            (outcome, seen())
        });
        assert_eq!(SendMessageW(window, WM_USER, 0, 0), 0);
        assert!(SetEvent(set).as_bool());
        assert_eq!(waiting.wait(), ((S_OK, 0), vec![WM_USER]));
        close(&[set]);
        sta.close();
    });
}

#[test]
fn wait_11_cw_16_what_was_left_is_seen() {
    in_sta(|| unsafe {
        let (window, handle) = (window(), event(true, false));
        post(window, WM_USER);
        assert_eq!(wait(0, 1, &[handle]).0, RPC_S_CALLPENDING);
        assert_eq!(MsgWaitForMultipleObjectsEx(0, null(), 1, QS_ALLPOSTMESSAGE, 0), WAIT_TIMEOUT);
        assert_eq!(left(), [WM_USER]);
        // A message that a no-remove peek has seen is dispatched all the same.
        post(window, WM_DDE_FIRST);
        let mut msg = MSG::default();
        assert!(PeekMessageW(&mut msg, HWND::NULL, 0, 0, PM_NOREMOVE).as_bool());
        assert_eq!(wait(0, 1, &[handle]).0, RPC_S_CALLPENDING);
        assert_eq!(seen(), [WM_DDE_FIRST]);
        close(&[handle]);
    });
}

#[test]
fn wait_12_cw_20_elsewhere_nothing_is_dispatched_or_seen() {
    world(|world| {
        for room in [world.mta(), world.outside()] {
            room.run(|| unsafe {
                let (window, handle) = (window(), event(true, false));
                post(window, WM_DDE_FIRST);
                assert_eq!(wait(COWAIT_DISPATCH_WINDOW_MESSAGES, 5, &[handle]), (RPC_S_CALLPENDING, 0));
                assert_eq!(seen(), []);
                assert_eq!(MsgWaitForMultipleObjectsEx(0, null(), 1, QS_ALLPOSTMESSAGE, 0), WAIT_OBJECT_0);
                assert_eq!(left(), [WM_DDE_FIRST]);
                close(&[handle]);
            });
            room.close();
        }
    });
}

#[test]
fn wait_14_waitall_takes_all_or_none() {
    everywhere(|| unsafe {
        let handles = [semaphore(1), semaphore(1)];
        let window = window();
        // An STA needs an input event, too (WAIT-15).
        post(window, WM_USER);
        assert_eq!(wait(COWAIT_WAITALL, 50, &handles), (S_OK, 0));
        assert_eq!(left(), [WM_USER], "the message stays (CW-09)");
        assert_eq!(wait(0, 0, &handles).0, RPC_S_CALLPENDING, "both were taken");
        assert!(ReleaseSemaphore(handles[1], 1, null_mut()).as_bool());
        assert_eq!(wait(COWAIT_WAITALL, 5, &handles), (RPC_S_CALLPENDING, 0), "CW-11");
        assert_eq!(wait(0, 0, &handles), (S_OK, 1), "and that one was not taken");
        close(&handles);
    });
}

#[test]
fn wait_15_waitall_on_an_sta_needs_input() {
    in_sta(|| {
        let handles = [event(true, true), event(true, true)];
        assert_eq!(wait(COWAIT_WAITALL, 5, &handles), (RPC_S_CALLPENDING, 0));
        assert_eq!(wait(COWAIT_WAITALL, 5, &handles[..1]), (S_OK, 0), "one handle is not all of several");
        close(&handles);
    });
}

unsafe extern "system" fn call(parameter: usize) {
    SEEN.with_borrow_mut(|seen| seen.push(u32::try_from(parameter).unwrap()));
}

fn queue_call(parameter: usize) {
    assert_ne!(unsafe { QueueUserAPC(Some(call), GetCurrentThread(), parameter) }, 0);
}

#[test]
fn wait_16_27_cw_12_an_alertable_wait_runs_calls_and_leaves_messages() {
    in_sta(|| {
        let (window, handles) = (window(), [event(true, false), event(true, false)]);
        post(window, WM_DDE_FIRST);
        queue_call(7);
        assert_eq!(wait(COWAIT_ALERTABLE, 50, &handles), (S_OK, WAIT_IO_COMPLETION));
        assert_eq!((seen(), left()), (vec![7], vec![WM_DDE_FIRST]));
        post(window, WM_DDE_FIRST);
        queue_call(8);
        // What was left in the thread's last error changes nothing.
        unsafe { SetLastError(WAIT_IO_COMPLETION) };
        assert_eq!(wait(0, 5, &handles), (RPC_S_CALLPENDING, 0), "not alertable");
        assert_eq!(seen(), [WM_DDE_FIRST]);
        assert_eq!(wait(COWAIT_ALERTABLE | COWAIT_WAITALL, 5, &handles), (S_OK, WAIT_IO_COMPLETION));
        assert_eq!(seen(), [8]);
        post(window, WM_DDE_FIRST);
        assert_eq!(wait(COWAIT_ALERTABLE, 5, &handles), (RPC_S_CALLPENDING, 0), "without calls it is as any other");
        assert_eq!(seen(), [WM_DDE_FIRST]);
        close(&handles);
    });
}

#[test]
fn wait_16_alertable_waits_everywhere() {
    everywhere(|| unsafe {
        let handles = [event(false, false), event(false, true)];
        queue_call(1);
        assert_eq!(wait(COWAIT_ALERTABLE, 5, &handles), (S_OK, 1), "a signalled handle comes first");
        assert_eq!(wait(COWAIT_ALERTABLE, 5, &handles), (S_OK, WAIT_IO_COMPLETION));
        assert_eq!(wait(COWAIT_ALERTABLE, 0, &handles), (RPC_S_CALLPENDING, 0));
        assert_eq!(seen(), [1]);
        queue_call(2);
        assert_eq!(wait(COWAIT_ALERTABLE | COWAIT_WAITALL, 0, &handles), (S_OK, WAIT_IO_COMPLETION));
        assert_eq!(seen(), [2]);
        let mut sync: Option<ISynchronizeHandle> = None;
        let place = std::ptr::from_mut(&mut sync).cast();
        let (class, iid) = (&CLSID_ManualResetEvent, &<ISynchronizeHandle as windows_core::Interface>::IID);
        // An uninitialised thread has no classes.
        if CoCreateInstance(class, null_mut(), CLSCTX_INPROC_SERVER, iid, place) == S_OK {
            let sync = windows_core::Interface::cast::<ISynchronize>(&sync.unwrap()).unwrap();
            queue_call(3);
            assert_eq!(sync.Wait(0, 0), RPC_S_CALLPENDING);
            assert_eq!(sync.Wait(COWAIT_ALERTABLE, INFINITE), S_OK, "it cannot say that the event is not set");
            assert_eq!((seen(), sync.Wait(COWAIT_ALERTABLE, 0)), (vec![3], RPC_S_CALLPENDING));
        }
        close(&handles);
    });
}

#[test]
fn wait_17_inputavailable_changes_nothing() {
    in_sta(|| {
        let (window, handle) = (window(), event(true, false));
        post(window, WM_USER);
        assert_eq!(wait(COWAIT_INPUTAVAILABLE, 5, &[handle]), (RPC_S_CALLPENDING, 0));
        assert_eq!(left(), [WM_USER]);
        close(&[handle]);
    });
}

#[test]
fn wait_18_an_abandoned_mutex() {
    everywhere(|| unsafe {
        let mutex = CreateMutexW(null(), false.into(), null());
        let handle = Carry(mutex);
        let process = Process::current();
        let owner = kernel::spawn_in(&process, "owner", false, move || {
            assert_eq!(WaitForSingleObject(handle.take(), 0), WAIT_OBJECT_0);
        });
        let forever = platform::Deadline::after_ms(30_000);
        assert_eq!(kernel::wait_any(&[&*owner.ended], forever, platform::Why::Wait), Some(0));
        let handles = [event(true, false), mutex];
        assert_eq!(wait(0, 50, &handles), (S_OK, WAIT_ABANDONED_0 + 1));
        assert!(ReleaseMutex(mutex).as_bool());
        close(&handles);
    });
}

#[test]
fn wait_19_window_messages_on_request() {
    in_sta(|| unsafe {
        let (window, handle) = (window(), event(true, false));
        post(window, WM_USER);
        post(window, WM_DDE_FIRST);
        let flags = COWAIT_DISPATCH_WINDOW_MESSAGES | COWAIT_DISPATCH_CALLS;
        assert_eq!(wait(flags, 5, &[handle]), (RPC_S_CALLPENDING, 0));
        let mut both = seen();
        both.sort_unstable();
        assert_eq!(both, [WM_DDE_FIRST, WM_USER]);
        post(window, WM_USER);
        let mut index = FORGOTTEN;
        let hr = CoWaitForMultipleObjects(CWMO_DISPATCH_WINDOW_MESSAGES, 5, 1, &handle, &mut index);
        assert_eq!((hr, index), (RPC_S_CALLPENDING, 0));
        assert_eq!(seen(), [WM_USER]);
        assert_eq!(left(), []);
        close(&[handle]);
    });
}

#[test]
fn wait_21_22_cm_08_13_quit_and_calls() {
    world(|world| {
        let lives = Lives::default();
        let (sta, client) = (world.sta(), world.mta());
        let own = lives.clone();
        let packet = sta.run(move || pack(&probe(&own)));
        let set = Carry(event(true, false));
        let also = set.0;
        let waiting = sta.start(move || unsafe {
            PostQuitMessage(42);
            assert_eq!(wait(0, INFINITE, &[set.take()]), (S_OK, 0));
            let mut msg = MSG::default();
            assert!(PeekMessageW(&mut msg, HWND::NULL, 0, 0, PM_REMOVE).as_bool());
            assert_eq!((msg.message, msg.wParam), (WM_QUIT, 42));
        });
        let at = sta.thread;
        client.run(move || {
            let proxy: IProbe = unpack(packet);
            for _ in 0..3 {
                assert_eq!(thread_of(&proxy), at);
            }
        });
        assert!(unsafe { SetEvent(also) }.as_bool());
        waiting.wait();
        assert_eq!(lives.now(), 0);
        close(&[also]);
        sta.close();
        client.close();
    });
}

#[test]
fn wait_24_a_poll_serves_what_is_queued() {
    world(|world| {
        let lives = Lives::default();
        let (sta, client) = (world.sta(), world.mta());
        let own = lives.clone();
        let packet = sta.run(move || pack(&probe(&own)));
        let proxy = client.run(move || Carry(unpack::<IProbe>(packet)));
        let never = Carry(event(true, false));
        let mine = never.0;
        let go = event(true, false);
        let waiting = Carry(go);
        let polling = sta.start(move || {
            let (never, waiting) = (never.take(), waiting.take());
            // A client that polls must not starve its server: this loop serves the call by polls alone.
            while unsafe { WaitForSingleObject(waiting, 0) } == WAIT_TIMEOUT {
                assert_eq!(wait(0, 0, &[never]), (RPC_S_CALLPENDING, 0));
                std::thread::yield_now();
            }
        });
        let done = Carry(go);
        client.run(move || {
            let proxy = proxy.take();
            assert_eq!(unsafe { proxy.Do(0) }, S_OK);
            drop(proxy);
            assert!(unsafe { SetEvent(done.take()) }.as_bool());
        });
        polling.wait();
        assert_eq!(lives.now(), 0);
        close(&[mine, go]);
        sta.close();
        client.close();
    });
}

#[test]
fn wait_25_26_how_many_handles() {
    everywhere(|| unsafe {
        let handle = event(true, true);
        let handles = [handle; 64];
        let mut index = FORGOTTEN;
        assert_eq!(wait(0, 0, &handles[..63]), (S_OK, 0));
        assert_eq!(wait(0, 0, &handles), (E_INVALIDARG, 0));
        assert_eq!(CoWaitForMultipleObjects(0, 0, 56, handles.as_ptr(), &mut index), S_OK);
        assert_eq!(CoWaitForMultipleObjects(0, 0, 57, handles.as_ptr(), &mut index), E_INVALIDARG);
        assert_eq!(CoWaitForMultipleObjects(0, 0, 0, handles.as_ptr(), &mut index), RPC_E_NO_SYNC);
        assert_eq!(CoWaitForMultipleObjects(0, 0, 1, null(), &mut index), E_INVALIDARG);
        assert_eq!(CoWaitForMultipleObjects(4, 0, 1, handles.as_ptr(), &mut index), E_INVALIDARG);
        close(&[handle]);
    });
}

#[test]
fn stale_handles() {
    everywhere(|| unsafe {
        let (good, stale) = (event(true, false), event(true, true));
        close(&[stale]);
        for handle in [stale, HANDLE::NULL, HANDLE(usize::MAX as *mut _), HANDLE(0x7777 as *mut _)] {
            assert_eq!(wait(0, 0, &[good, handle]).0, E_HANDLE);
            let mut index = 0;
            assert_eq!(CoWaitForMultipleObjects(0, 0, 1, &handle, &mut index), E_HANDLE);
        }
        close(&[good]);
    });
}

#[test]
fn a_wait_ends_when_another_thread_signals() {
    world(|world| {
        for room in [world.sta(), world.mta(), world.outside()] {
            let set = event(false, false);
            let own = Carry(set);
            let mut waiting = room.start(move || wait(0, INFINITE, &[own.take()]));
            assert!(waiting.is_pending(), "nothing has set the event");
            assert!(unsafe { SetEvent(set) }.as_bool());
            assert_eq!(waiting.wait(), (S_OK, 0));
            close(&[set]);
            room.close();
        }
    });
}

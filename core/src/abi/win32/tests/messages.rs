//! Message queues: posted messages, quitting, tasks, waits for input.

use super::*;
use crate::kernel::{MessageQueue, Task};
use std::sync::Arc;

#[test]
fn msg_12_posted_messages_come_in_order_and_a_range_selects() {
    (0..3).for_each(|n| post(WM_USER + n));
    assert_eq!(peek_in(WM_USER + 1, WM_USER + 1, PM_REMOVE), Some(WM_USER + 1));
    assert_eq!(peek_in(WM_APP, WM_APP, PM_REMOVE), None);
    assert_eq!([next(), next(), next()], [Some(WM_USER), Some(WM_USER + 2), None]);
}

#[test]
fn msg_13_a_look_leaves_the_message() {
    post(WM_USER);
    assert_eq!([peek_in(0, 0, PM_NOREMOVE), peek_in(0, 0, PM_NOREMOVE)], [Some(WM_USER); 2]);
    assert_eq!([next(), next()], [Some(WM_USER), None]);
}

#[test]
fn msg_12_quit_comes_last_and_through_every_filter() {
    // SAFETY: valid pointers.
    unsafe {
        PostQuitMessage(42);
        post(WM_USER);
        assert_eq!(peek_in(0, 0, PM_NOREMOVE), Some(WM_USER), "posted messages come first");
        assert_eq!(peek_in(WM_APP, WM_APP, PM_NOREMOVE), Some(WM_QUIT), "but the range does not hold it");
        assert_eq!(next(), Some(WM_USER));
        let mut msg = MSG::default();
        assert_eq!(GetMessageW(&mut msg, HWND::NULL, 0, 0), FALSE);
        assert_eq!((msg.message, msg.wParam, msg.hwnd), (WM_QUIT, 42, HWND::NULL));
        assert_eq!(next(), None, "once");
    }
}

#[test]
fn msg_14_quota() {
    (0..10_000).for_each(|_| post(WM_USER));
    // SAFETY: nothing to keep.
    unsafe {
        assert!(!PostMessageW(HWND::NULL, WM_USER, 0, 0).as_bool());
        assert_eq!(last_error(), ERROR_NOT_ENOUGH_QUOTA);
        assert!(!PostThreadMessageW(GetCurrentThreadId(), WM_USER, 0, 0).as_bool());
        assert_eq!(last_error(), ERROR_NOT_ENOUGH_QUOTA);
    }
    assert_eq!(next(), Some(WM_USER));
    post(WM_APP);
    assert_eq!((0..10_000).filter(|_| next().is_some()).count(), 10_000);
    assert_eq!(next(), None);
}

#[test]
fn msg_14_a_thread_message_needs_a_queue_there() {
    let (go, gone) = (event(true, false), event(true, false));
    let (ids, id) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        // SAFETY: live handles.
        unsafe {
            ids.send(GetCurrentThreadId()).unwrap();
            WaitForSingleObject(go, INFINITE);
            peek_in(0, 0, PM_NOREMOVE);
            assert!(SetEvent(gone).as_bool());
            let mut msg = MSG::default();
            assert!(GetMessageW(&mut msg, HWND::NULL, 0, 0).as_bool());
            msg.message
        }
    });
    let id = id.recv().unwrap();
    // SAFETY: live handles.
    unsafe {
        assert!(!PostThreadMessageW(id, WM_APP, 0, 0).as_bool());
        assert_eq!(last_error(), ERROR_INVALID_THREAD_ID);
        assert!(SetEvent(go).as_bool());
        WaitForSingleObject(gone, INFINITE);
        assert!(PostThreadMessageW(id, WM_APP, 0, 0).as_bool());
        assert_eq!(thread.join().unwrap(), WM_APP);
        assert!(!PostThreadMessageW(0, WM_APP, 0, 0).as_bool());
        assert!(CloseHandle(go).as_bool() && CloseHandle(gone).as_bool());
    }
}

#[test]
fn null_pointers_are_errors() {
    // SAFETY: null is an error.
    unsafe {
        assert_eq!(GetMessageW(null_mut(), HWND::NULL, 0, 0), BOOL(-1));
        assert_eq!(last_error(), ERROR_INVALID_PARAMETER);
        assert_eq!(PeekMessageW(null_mut(), HWND::NULL, 0, 0, PM_REMOVE), FALSE);
        assert_eq!(DispatchMessageW(null()), 0);
        assert_eq!(TranslateMessage(null()), FALSE);
        assert_eq!(RegisterClassW(null()), 0);
        assert!(!UnregisterClassW(null(), HINSTANCE::NULL).as_bool());
    }
}

#[test]
fn rul_163_a_key_is_one_and_makes_no_character() {
    let (keys, others) = ([0x100, 0x101, 0x104, 0x105], [0, 0xFF, 0x102, 0x103, 0x106, WM_USER, WM_QUIT]);
    let translates = |message| {
        let msg = MSG { message, wParam: usize::from(b'A'), ..MSG::default() };
        // SAFETY: a valid pointer.
        unsafe { TranslateMessage(&msg) }.as_bool()
    };
    assert!(keys.into_iter().all(translates), "nonzero whatever comes of it");
    assert!(!others.into_iter().any(translates));
    assert_eq!(next(), None);
}

#[test]
fn msg_15_input_counts_while_it_is_new() {
    assert_eq!(wait_for_input(QS_ALLINPUT, 0), TIMEOUT);
    post(WM_USER);
    assert_eq!(wait_for_input(QS_SENDMESSAGE, 0), TIMEOUT, "another kind");
    assert_eq!(wait_for_input(QS_ALLINPUT, 0), 0, "the index behind the last handle");
    assert_eq!(wait_for_input(QS_ALLINPUT, 0), TIMEOUT, "seen");
    assert_eq!(wait_for_input(QS_ALLINPUT, MWMO_INPUTAVAILABLE), 0);
    post(WM_USER);
    assert_eq!(peek_in(0, 0, PM_NOREMOVE), Some(WM_USER));
    assert_eq!(wait_for_input(QS_ALLINPUT, 0), TIMEOUT, "seen by a look");
    post(WM_USER);
    assert_eq!(peek_in(WM_APP, WM_APP, PM_NOREMOVE), None);
    assert_eq!(wait_for_input(QS_POSTMESSAGE, 0), TIMEOUT, "seen by a look with a filter");
    assert_eq!(wait_for_input(QS_ALLPOSTMESSAGE, 0), 0, "which does not count for this kind");
}

#[test]
fn msg_15_a_signalled_handle_comes_before_input_and_wait_all_needs_both() {
    let handle = event(false, true);
    // SAFETY: a live handle.
    unsafe {
        post(WM_USER);
        let wait = |flags| MsgWaitForMultipleObjectsEx(1, &handle, 0, QS_ALLINPUT, flags);
        assert_eq!([wait(0), wait(0), wait(0)], [0, 1, TIMEOUT]);
        assert!(SetEvent(handle).as_bool());
        assert_eq!(wait(MWMO_WAITALL), TIMEOUT, "no new input");
        assert_eq!(wait(MWMO_WAITALL | MWMO_INPUTAVAILABLE), 0);
        assert_eq!(poll(handle), TIMEOUT, "consumed");
        post(WM_USER);
        assert_eq!(MsgWaitForMultipleObjects(1, &handle, TRUE, 0, QS_ALLINPUT), TIMEOUT, "no signal");
        assert_eq!(wait(0x80), WAIT_FAILED, "an unknown flag");
        assert!(CloseHandle(handle).as_bool());
    }
}

#[derive(Default)]
struct Counts {
    run: AtomicU32,
    abandoned: AtomicU32,
}

impl Task for Counts {
    fn run(self: Arc<Self>) {
        self.run.fetch_add(1, Ordering::Relaxed);
    }
    fn abandon(self: Arc<Self>) {
        self.abandoned.fetch_add(1, Ordering::Relaxed);
    }
}

fn post_task(queue: &MessageQueue, task: &Arc<Counts>) {
    assert!(queue.post_task(task.clone()).is_ok());
}

#[test]
fn msg_01_a_task_is_a_message_to_the_com_window_and_runs_when_dispatched() {
    let (queue, task) = (kernel::queue(), Arc::new(Counts::default()));
    post(WM_USER);
    post_task(&queue, &task);
    post(WM_APP);
    let mut seen = Vec::new();
    let mut msg = MSG::default();
    // SAFETY: valid pointers.
    unsafe {
        while PeekMessageW(&mut msg, HWND::NULL, 0, 0, PM_REMOVE).as_bool() {
            seen.push((msg.message, msg.hwnd == queue.com_window()));
            let before = task.run.load(Ordering::Relaxed);
            DispatchMessageW(&msg);
            assert_eq!(task.run.load(Ordering::Relaxed) > before, msg.hwnd == queue.com_window());
            DispatchMessageW(&msg);
        }
        assert!(IsWindow(queue.com_window()).as_bool());
    }
    assert_eq!(seen, [(WM_USER, false), (WM_USER, true), (WM_APP, false)], "in the order they came");
    assert_eq!(task.run.load(Ordering::Relaxed), 1, "a second dispatch of the same message does nothing");
    assert_eq!(Arc::strong_count(&task), 1);
}

#[test]
fn a_task_that_was_not_dispatched_is_the_closers() {
    let (queue, task) = (kernel::queue(), Arc::new(Counts::default()));
    post_task(&queue, &task);
    post_task(&queue, &task);
    assert_eq!(next(), Some(WM_USER), "retrieved, not dispatched");
    assert_eq!(queue.close_tasks().len(), 2);
    assert!(queue.post_task(task.clone()).is_err());
    queue.open_tasks();
    post_task(&queue, &task);
    assert_eq!(queue.pumped_len(), 1);
    assert_eq!(wait_for_input(QS_ALLINPUT, 0), 0, "a task is input");
}

#[test]
fn a_thread_that_ends_abandons_its_tasks_and_closes_its_queue() {
    let task = Arc::new(Counts::default());
    let theirs = task.clone();
    let queue = std::thread::spawn(move || {
        let queue = kernel::queue();
        post_task(&queue, &theirs);
        queue
    })
    .join()
    .unwrap();
    // The operating system's join may come before the last exits.
    while task.abandoned.load(Ordering::Relaxed) == 0 {
        std::thread::yield_now();
    }
    assert!(queue.post_task(task.clone()).is_err());
    assert_eq!(queue.post(MSG::default()), Err(kernel::PostError::Ended));
    assert_eq!(task.run.load(Ordering::Relaxed), 0);
}

#[test]
fn wait_09_a_modal_wait_takes_calls_and_dde_messages_in_order_and_leaves_the_rest() {
    use kernel::{PUMPED, Pumped, QueueWait, wait_any};
    let (queue, task) = (kernel::queue(), Arc::new(Counts::default()));
    for message in [WM_USER, WM_DDE_FIRST, 0x3E9, 0x3EA] {
        post(message);
    }
    post_task(&queue, &task);
    post(WM_DDE_LAST);
    // SAFETY: nothing to keep.
    unsafe { PostQuitMessage(0) };
    let mut taken = Vec::new();
    let pumped = QueueWait { queue: &queue, mask: PUMPED };
    assert_eq!(queue.pumped_len(), 4);
    while wait_any(&[&pumped], crate::platform::Deadline::NOW, crate::platform::Why::PumpingWait).is_some() {
        taken.push(match queue.take_pumped() {
            Some(Pumped::Posted(msg)) => msg.message,
            Some(Pumped::Task(_)) => 0,
            Some(Pumped::Sent(_)) | None => unreachable!("nothing was sent"),
        });
    }
    assert_eq!(taken, [WM_DDE_FIRST, 0x3E9, 0, WM_DDE_LAST]);
    queue.mark_seen();
    assert_eq!(wait_for_input(QS_ALLINPUT, 0), TIMEOUT, "WAIT-11: what was left is seen");
    assert_eq!([next(), next(), next()], [Some(WM_USER), Some(0x3EA), Some(WM_QUIT)]);
}

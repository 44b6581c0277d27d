//! Threads as objects, and the calls that are queued to them.

use super::*;
use std::cell::RefCell;

thread_local! {
    static CALLS: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

fn calls() -> Vec<usize> {
    CALLS.with_borrow_mut(std::mem::take)
}

unsafe extern "system" fn note(parameter: usize) {
    CALLS.with_borrow_mut(|calls| calls.push(parameter));
}

fn queue_to(thread: HANDLE, call: unsafe extern "system" fn(usize), parameter: usize) -> u32 {
    // SAFETY: the functions here take any number.
    unsafe { QueueUserAPC(Some(call), thread, parameter) }
}

fn queue_to_me(call: unsafe extern "system" fn(usize), parameter: usize) {
    // SAFETY: none to keep.
    assert_ne!(queue_to(unsafe { GetCurrentThread() }, call, parameter), 0);
}

/// Starts a thread with a number for its parameter.
fn start(function: unsafe extern "system" fn(*mut c_void) -> u32, parameter: usize, flags: u32) -> (HANDLE, u32) {
    let mut id = 0;
    // SAFETY: the functions here take any number.
    let thread = unsafe { CreateThread(null(), 0, Some(function), parameter as *mut c_void, flags, &mut id) };
    assert!(!thread.is_null());
    (thread, id)
}

fn exit_code(thread: HANDLE) -> u32 {
    let mut code = 77;
    // SAFETY: a valid place.
    assert!(unsafe { GetExitCodeThread(thread, &mut code) }.as_bool());
    code
}

fn wait(handle: HANDLE) {
    // SAFETY: none to keep.
    assert_eq!(unsafe { WaitForSingleObject(handle, INFINITE) }, WAIT_OBJECT_0);
}

/// Waits for the event in its parameter; gives its own number.
unsafe extern "system" fn waits(event: *mut c_void) -> u32 {
    wait(HANDLE(event));
    // SAFETY: none to keep.
    unsafe { GetCurrentThreadId() }
}

#[test]
fn a_thread_is_an_object_with_an_exit_code() {
    let go = event(true, false);
    let (thread, id) = start(waits, go.0 as usize, 0);
    // SAFETY: live handles.
    unsafe {
        assert_eq!((GetThreadId(thread), poll(thread), exit_code(thread)), (id, TIMEOUT, STILL_ACTIVE));
        let opened = OpenThread(THREAD_ALL_ACCESS, FALSE, id);
        assert_eq!(GetThreadId(opened), id);
        assert!(SetEvent(go).as_bool());
        wait(opened);
        assert_eq!((poll(thread), exit_code(thread)), (WAIT_OBJECT_0, id));
        assert!(CloseHandle(opened).as_bool());
        let opened = OpenThread(THREAD_ALL_ACCESS, FALSE, id);
        assert_eq!(exit_code(opened), id, "it is there as long as somebody holds it");
        for handle in [thread, opened, go] {
            assert!(CloseHandle(handle).as_bool());
        }
        assert!(OpenThread(THREAD_ALL_ACCESS, FALSE, id).is_null());
        assert_eq!(last_error(), ERROR_INVALID_PARAMETER);
    }
}

#[test]
fn a_thread_that_was_not_created_here_is_an_object_too() {
    // SAFETY: live handles.
    unsafe {
        let me = GetCurrentThread();
        assert_eq!((GetThreadId(me), poll(me), exit_code(me)), (GetCurrentThreadId(), TIMEOUT, STILL_ACTIVE));
        assert!(CloseHandle(me).as_bool(), "closing it does nothing");
        assert!(!SetEvent(me).as_bool());
        assert_eq!(last_error(), ERROR_INVALID_HANDLE);
        let other = std::thread::spawn(|| {
            let (process, mut real) = (GetCurrentProcess(), HANDLE::NULL);
            let same = DUPLICATE_SAME_ACCESS;
            assert!(DuplicateHandle(process, GetCurrentThread(), process, &mut real, 0, FALSE, same).as_bool());
            assert_eq!(GetThreadId(real), GetCurrentThreadId());
            real
        });
        let other = other.join().unwrap();
        wait(other);
        assert_eq!(exit_code(other), 0);
        assert_ne!(GetThreadId(other), GetCurrentThreadId(), "the duplicate stays that thread's");
        assert!(CloseHandle(other).as_bool());
    }
}

/// Sets the event in its parameter; gives what was queued to the thread before it ran.
unsafe extern "system" fn sums(event: *mut c_void) -> u32 {
    let sum: usize = calls().iter().fold(0, |sum, call| sum * 10 + call);
    // SAFETY: a live event.
    assert!(unsafe { SetEvent(HANDLE(event)) }.as_bool());
    sum as u32
}

#[test]
fn wait_16_calls_queued_before_a_thread_runs_are_its_first() {
    let ran = event(true, false);
    let (thread, id) = start(sums, ran.0 as usize, CREATE_SUSPENDED);
    (1..=3).for_each(|n| assert_ne!(queue_to(thread, note, n), 0));
    // SAFETY: live handles.
    unsafe {
        assert_eq!((poll(ran), exit_code(thread)), (TIMEOUT, STILL_ACTIVE));
        assert_eq!((ResumeThread(thread), ResumeThread(thread)), (1, 0));
        wait(thread);
        assert_eq!((poll(ran), exit_code(thread)), (WAIT_OBJECT_0, 123));
        assert_eq!((queue_to(thread, note, 4), last_error()), (0, ERROR_GEN_FAILURE), "it has ended");
        assert_eq!((ResumeThread(GetCurrentThread()), GetThreadId(thread)), (0, id));
        assert!(CloseHandle(thread).as_bool() && CloseHandle(ran).as_bool());
    }
}

#[test]
fn threads_say_what_is_wrong_with_their_arguments() {
    let wrong_kind = event(true, false);
    let mut code = 0;
    // SAFETY: null and stale handles are errors.
    unsafe {
        for handle in [HANDLE::NULL, wrong_kind, HANDLE(0x1234 as *mut c_void)] {
            SetLastError(0);
            assert_eq!((GetThreadId(handle), last_error()), (0, ERROR_INVALID_HANDLE));
            SetLastError(0);
            assert_eq!((ResumeThread(handle), last_error()), (u32::MAX, ERROR_INVALID_HANDLE));
            SetLastError(0);
            assert_eq!((GetExitCodeThread(handle, &mut code), last_error()), (FALSE, ERROR_INVALID_HANDLE));
            SetLastError(0);
            assert_eq!((queue_to(handle, note, 1), last_error()), (0, ERROR_INVALID_HANDLE));
        }
        assert_eq!((QueueUserAPC(None, GetCurrentThread(), 0), last_error()), (0, ERROR_INVALID_PARAMETER));
        assert_eq!((GetExitCodeThread(GetCurrentThread(), null_mut()), last_error()), (FALSE, ERROR_INVALID_PARAMETER));
        assert!(CreateThread(null(), 0, None, null_mut(), 0, null_mut()).is_null());
        assert_eq!(last_error(), ERROR_INVALID_PARAMETER);
        assert!(CreateThread(null(), 0, Some(waits), null_mut(), 1, null_mut()).is_null());
        assert_eq!(last_error(), ERROR_INVALID_PARAMETER);
        assert!(OpenThread(THREAD_ALL_ACCESS, FALSE, 3).is_null());
        assert_eq!(last_error(), ERROR_INVALID_PARAMETER);
        assert!(CloseHandle(wrong_kind).as_bool());
    }
}

#[test]
fn wait_16_every_alertable_wait_runs_what_is_queued() {
    let unset = [event(true, false), event(false, false)];
    // SAFETY: live handles.
    unsafe {
        let waits: [&dyn Fn(BOOL) -> u32; 7] = [
            &|alertable| SleepEx(0, alertable),
            &|alertable| SleepEx(1, alertable),
            &|alertable| WaitForSingleObjectEx(unset[0], 0, alertable),
            &|alertable| WaitForMultipleObjectsEx(2, unset.as_ptr(), FALSE, 0, alertable),
            &|alertable| WaitForMultipleObjectsEx(2, unset.as_ptr(), TRUE, 1, alertable),
            &|alertable| {
                MsgWaitForMultipleObjectsEx(2, unset.as_ptr(), 0, QS_ALLINPUT, alertable.0 as u32 * MWMO_ALERTABLE)
            },
            &|alertable| SignalObjectAndWait(unset[1], unset[0], 0, alertable),
        ];
        for wait in waits {
            queue_to_me(note, 1);
            queue_to_me(note, 2);
            assert!([0, TIMEOUT].contains(&wait(FALSE)));
            assert_eq!(calls(), [], "not alertable");
            assert_eq!(wait(TRUE), WAIT_IO_COMPLETION);
            assert_eq!(calls(), [1, 2], "all that are queued, in order");
            assert!([0, TIMEOUT].contains(&wait(TRUE)), "nothing is queued");
        }
        // It was signalled last, and no wait has taken it.
        assert_eq!(poll(unset[1]), WAIT_OBJECT_0);
        for handle in unset {
            assert!(CloseHandle(handle).as_bool());
        }
    }
}

#[test]
fn what_is_signalled_comes_before_what_is_queued() {
    let both = [event(false, true), event(false, true)];
    queue_to_me(note, 1);
    // SAFETY: live handles.
    unsafe {
        assert_eq!(WaitForSingleObjectEx(both[0], 0, TRUE), WAIT_OBJECT_0);
        assert!(SetEvent(both[0]).as_bool());
        assert_eq!(WaitForMultipleObjectsEx(2, both.as_ptr(), TRUE, 0, TRUE), WAIT_OBJECT_0);
        assert_eq!((both.map(poll), calls()), ([TIMEOUT; 2], vec![]), "both taken, nothing run");
        post(WM_USER);
        assert_eq!(MsgWaitForMultipleObjectsEx(2, both.as_ptr(), 0, QS_ALLINPUT, MWMO_ALERTABLE), 2, "input, too");
        assert!(SetEvent(both[0]).as_bool());
        assert_eq!(WaitForMultipleObjectsEx(2, both.as_ptr(), TRUE, 0, TRUE), WAIT_IO_COMPLETION);
        assert_eq!((both.map(poll), calls()), ([WAIT_OBJECT_0, TIMEOUT], vec![1]), "nothing is taken");
        assert_eq!(next(), Some(WM_USER));
        for handle in both {
            assert!(CloseHandle(handle).as_bool());
        }
    }
}

#[test]
fn a_call_that_waits_alertably_runs_those_behind_it() {
    unsafe extern "system" fn nested(parameter: usize) {
        // SAFETY: nothing to keep.
        unsafe {
            note(parameter);
            assert_eq!(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
            note(parameter + 1);
        }
    }
    unsafe extern "system" fn queues(parameter: usize) {
        // SAFETY: nothing to keep.
        unsafe { note(parameter) };
        queue_to_me(note, parameter + 1);
    }
    queue_to_me(nested, 1);
    queue_to_me(queues, 5);
    // SAFETY: nothing to keep.
    unsafe {
        assert_eq!(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
        assert_eq!(calls(), [1, 5, 6, 2], "those that are queued meanwhile, too");
        assert_eq!(SleepEx(0, TRUE), 0);
    }
}

/// Waits alertably for the event in its parameter until a call has set it.
unsafe extern "system" fn waits_for_calls(event: *mut c_void) -> u32 {
    let mut woken = 0;
    // SAFETY: a live event.
    while unsafe { WaitForSingleObjectEx(HANDLE(event), INFINITE, TRUE) } == WAIT_IO_COMPLETION {
        woken += 1;
    }
    100 * woken + calls().len() as u32
}

#[test]
fn wait_16_a_call_wakes_a_thread_that_waits() {
    unsafe extern "system" fn set(event: usize) {
        // SAFETY: a live event.
        unsafe {
            note(event);
            assert!(SetEvent(HANDLE(event as *mut c_void)).as_bool());
        }
    }
    let event = event(true, false);
    let (thread, _) = start(waits_for_calls, event.0 as usize, 0);
    assert_ne!(queue_to(thread, note, 1), 0);
    assert_ne!(queue_to(thread, set, event.0 as usize), 0);
    wait(thread);
    // Both calls ran, before its first instruction, in one wait or in two.
    assert!([2, 102, 202].contains(&exit_code(thread)));
    // SAFETY: live handles.
    assert!(unsafe { CloseHandle(thread).as_bool() && CloseHandle(event).as_bool() });
}

#[test]
fn one_object_is_signalled_and_another_waited_for() {
    // SAFETY: live handles, and stale ones, which are errors.
    unsafe {
        let set = event(true, true);
        let (manual, semaphore) = (event(true, false), CreateSemaphoreW(null(), 0, 1, null()));
        let mutex = CreateMutexW(null(), TRUE, null());
        for object in [manual, semaphore, mutex] {
            assert_eq!(SignalObjectAndWait(object, set, INFINITE, FALSE), WAIT_OBJECT_0);
            assert_eq!(SignalObjectAndWait(manual, object, 0, FALSE), WAIT_OBJECT_0, "it was signalled");
        }
        let failed = |first, second| (SignalObjectAndWait(first, second, 0, FALSE), last_error());
        assert!(ReleaseSemaphore(semaphore, 1, null_mut()).as_bool() && ReleaseMutex(mutex).as_bool());
        assert_eq!(failed(semaphore, set), (WAIT_FAILED, ERROR_TOO_MANY_POSTS));
        assert_eq!(failed(mutex, set), (WAIT_FAILED, ERROR_NOT_OWNER));
        assert!(ResetEvent(manual).as_bool());
        assert_eq!(failed(manual, HANDLE::NULL), (WAIT_FAILED, ERROR_INVALID_HANDLE));
        assert_eq!(poll(manual), TIMEOUT, "nothing was signalled");
        assert_eq!(failed(HANDLE::NULL, set), (WAIT_FAILED, ERROR_INVALID_HANDLE));
        assert_eq!(
            failed(GetCurrentThread(), set),
            (WAIT_FAILED, ERROR_INVALID_HANDLE),
            "its end is not a caller's to tell"
        );
        for handle in [set, manual, semaphore, mutex] {
            assert!(CloseHandle(handle).as_bool());
        }
    }
}

#[test]
fn the_counter_counts_ten_million_a_second() {
    let (mut frequency, mut before, mut after) = (0, 0, 0);
    // SAFETY: valid places, and null, which is an error.
    unsafe {
        assert!(QueryPerformanceFrequency(&mut frequency).as_bool() && QueryPerformanceCounter(&mut before).as_bool());
        Sleep(1);
        assert!(QueryPerformanceCounter(&mut after).as_bool());
        assert_eq!(frequency, 10_000_000);
        assert!(after - before >= frequency / 1000);
        assert_eq!((QueryPerformanceCounter(null_mut()), last_error()), (FALSE, ERROR_INVALID_PARAMETER));
        assert_eq!((QueryPerformanceFrequency(null_mut()), last_error()), (FALSE, ERROR_INVALID_PARAMETER));
        assert_eq!(GetModuleHandleA(null()), GetModuleHandleW(null()));
        assert!(GetModuleHandleA(c"no such module".as_ptr().cast()).is_null());
    }
}

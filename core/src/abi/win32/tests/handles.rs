//! Handles and waits for them.

use super::*;

fn semaphore(count: i32, max: i32) -> HANDLE {
    // SAFETY: no name.
    unsafe { CreateSemaphoreW(null(), count, max, null()) }
}

fn wait_many(handles: &[HANDLE], all: bool, ms: u32) -> u32 {
    // SAFETY: a valid array.
    unsafe { WaitForMultipleObjects(handles.len() as u32, handles.as_ptr(), BOOL(all.into()), ms) }
}

#[test]
fn an_event_is_set_and_reset_through_its_handle() {
    // SAFETY: live handles.
    unsafe {
        let (manual, auto) = (event(true, false), event(false, true));
        assert_eq!((poll(manual), poll(auto), poll(auto)), (TIMEOUT, WAIT_OBJECT_0, TIMEOUT));
        assert!(SetEvent(manual).as_bool());
        assert_eq!((poll(manual), poll(manual)), (WAIT_OBJECT_0, WAIT_OBJECT_0));
        assert!(ResetEvent(manual).as_bool());
        assert_eq!(poll(manual), TIMEOUT);
        assert!(CloseHandle(manual).as_bool() && CloseHandle(auto).as_bool());
    }
}

#[test]
fn a_stale_handle_is_an_error_everywhere() {
    // SAFETY: stale handles are errors.
    unsafe {
        let stale = event(true, true);
        assert!(CloseHandle(stale).as_bool());
        let fresh = event(true, true);
        assert_ne!(stale, fresh);
        let wrong_kind = semaphore(1, 1);
        for handle in [stale, HANDLE::NULL, INVALID_HANDLE_VALUE, HANDLE(4usize as *mut c_void), wrong_kind] {
            for function in [SetEvent, ResetEvent, ReleaseMutex] {
                SetLastError(0);
                assert!(!function(handle).as_bool());
                assert_eq!(last_error(), ERROR_INVALID_HANDLE);
            }
        }
        let mut out = HANDLE::NULL;
        for handle in [stale, HANDLE::NULL, HANDLE(4usize as *mut c_void)] {
            SetLastError(0);
            assert!(!CloseHandle(handle).as_bool());
            assert_eq!((last_error(), poll(handle)), (ERROR_INVALID_HANDLE, WAIT_FAILED));
            assert_eq!(wait_many(&[fresh, handle], false, 0), WAIT_FAILED);
            let me = GetCurrentProcess();
            assert!(!DuplicateHandle(me, handle, me, &mut out, 0, FALSE, DUPLICATE_SAME_ACCESS).as_bool());
            assert!(out.is_null());
        }
        assert!(CloseHandle(GetCurrentProcess()).as_bool(), "closing it does nothing");
        assert!(CloseHandle(fresh).as_bool() && CloseHandle(wrong_kind).as_bool());
    }
}

#[test]
fn sync_07_a_duplicate_lives_on_its_own() {
    // SAFETY: live handles and pointers.
    unsafe {
        let (first, me) = (event(true, false), GetCurrentProcess());
        let mut second = HANDLE::NULL;
        assert!(DuplicateHandle(me, first, me, &mut second, 0, FALSE, DUPLICATE_SAME_ACCESS).as_bool());
        assert!(SetEvent(first).as_bool() && CloseHandle(first).as_bool());
        assert_eq!(poll(second), WAIT_OBJECT_0, "the same event");
        let mut third = HANDLE::NULL;
        assert!(DuplicateHandle(me, second, me, &mut third, 0, FALSE, DUPLICATE_CLOSE_SOURCE).as_bool());
        assert_eq!((poll(second), poll(third)), (WAIT_FAILED, WAIT_OBJECT_0));
        assert!(!DuplicateHandle(me, third, HANDLE::NULL, &mut second, 0, FALSE, 0).as_bool());
        assert!(!DuplicateHandle(me, third, me, null_mut(), 0, FALSE, 0).as_bool(), "nowhere to put it");
        assert!(DuplicateHandle(me, third, me, null_mut(), 0, FALSE, DUPLICATE_CLOSE_SOURCE).as_bool());
        assert_eq!(poll(third), WAIT_FAILED);
        // To close, there need be no target.
        let (fourth, nobody) = (event(true, true), HANDLE::NULL);
        assert!(DuplicateHandle(me, fourth, nobody, &mut second, 0, FALSE, DUPLICATE_CLOSE_SOURCE).as_bool());
        assert_eq!((poll(fourth), poll(second)), (WAIT_FAILED, WAIT_FAILED), "closed, and nothing was duplicated");
        assert!(!DuplicateHandle(me, fourth, nobody, null_mut(), 0, FALSE, DUPLICATE_CLOSE_SOURCE).as_bool());
    }
}

#[test]
fn wait_07_only_the_lowest_handle_is_consumed() {
    let both = [semaphore(1, 1), semaphore(1, 1)];
    assert_eq!([0; 3].map(|ms| wait_many(&both, false, ms)), [0, 1, TIMEOUT]);
    // SAFETY: a live handle.
    unsafe {
        let mut before = 7;
        assert!(ReleaseSemaphore(both[1], 1, &mut before).as_bool());
        assert_eq!(before, 0);
        assert_eq!((wait_many(&both, true, 0), poll(both[1])), (TIMEOUT, WAIT_OBJECT_0), "WAIT-14: all or nothing");
        for handle in both {
            assert!(CloseHandle(handle).as_bool());
        }
    }
}

#[test]
fn a_wait_says_what_is_wrong_with_its_arguments() {
    let one = event(true, true);
    let failed = |result: u32| (result, last_error());
    assert_eq!(failed(wait_many(&[], false, 0)), (WAIT_FAILED, ERROR_INVALID_PARAMETER));
    assert_eq!(failed(wait_many(&[one; 65], false, 0)), (WAIT_FAILED, ERROR_INVALID_PARAMETER));
    assert_eq!(failed(wait_many(&[one, one], true, 0)), (WAIT_FAILED, ERROR_INVALID_PARAMETER));
    assert_eq!(wait_many(&[one; 64], false, 0), WAIT_OBJECT_0);
    // SAFETY: null where an array belongs, and no more handles than are there.
    unsafe {
        assert_eq!(failed(WaitForMultipleObjects(1, null(), FALSE, 0)), (WAIT_FAILED, ERROR_INVALID_PARAMETER));
        let many = [one; 64];
        let too_many = MsgWaitForMultipleObjectsEx(64, many.as_ptr(), 0, QS_ALLINPUT, 0);
        assert_eq!(failed(too_many), (WAIT_FAILED, ERROR_INVALID_PARAMETER), "MSG-15");
        assert_eq!(MsgWaitForMultipleObjectsEx(63, many.as_ptr(), 0, QS_ALLINPUT, 0), WAIT_OBJECT_0);
        assert!(CloseHandle(one).as_bool());
    }
}

#[test]
fn a_semaphore_says_no_to_too_much() {
    // SAFETY: live handles.
    unsafe {
        for (count, max) in [(-1, 1), (2, 1), (0, 0), (0, -1)] {
            assert!(semaphore(count, max).is_null());
            assert_eq!(last_error(), ERROR_INVALID_PARAMETER);
        }
        let full = semaphore(1, 1);
        assert!(!ReleaseSemaphore(full, 1, null_mut()).as_bool());
        assert_eq!(last_error(), ERROR_TOO_MANY_POSTS);
        for count in [0, -1] {
            assert!(!ReleaseSemaphore(full, count, null_mut()).as_bool());
            assert_eq!(last_error(), ERROR_INVALID_PARAMETER);
        }
        assert!(CloseHandle(full).as_bool());
    }
}

#[test]
fn a_mutex_that_is_abandoned_says_so() {
    // SAFETY: live handles.
    unsafe {
        let mutex = CreateMutexW(null(), FALSE, null());
        let taken = std::thread::spawn(move || poll(mutex)).join().unwrap();
        assert_eq!(taken, WAIT_OBJECT_0);
        // The thread's own end releases it, which the join may be too early for.
        assert_eq!(WaitForSingleObject(mutex, INFINITE), WAIT_ABANDONED_0);
        assert!(ReleaseMutex(mutex).as_bool());
        assert!(!ReleaseMutex(mutex).as_bool());
        assert_eq!(last_error(), ERROR_NOT_OWNER);
        assert!(CloseHandle(mutex).as_bool());
    }
}

#[test]
fn a_name_finds_the_object_that_has_it() {
    let name = text("Local\\a_name_finds_the_object");
    // SAFETY: NUL-terminated names and live handles.
    unsafe {
        let first = CreateEventW(null(), TRUE, FALSE, name.as_ptr());
        assert_eq!(last_error(), ERROR_SUCCESS);
        let second = CreateEventW(null(), FALSE, TRUE, name.as_ptr());
        assert_eq!(last_error(), ERROR_ALREADY_EXISTS);
        assert!(SetEvent(first).as_bool());
        assert_eq!((poll(second), poll(second)), (WAIT_OBJECT_0, WAIT_OBJECT_0), "one event, of the first's kind");
        assert!(CreateSemaphoreW(null(), 0, 1, name.as_ptr()).is_null());
        assert_eq!(last_error(), ERROR_INVALID_HANDLE, "the name belongs to an event");
        assert!(CloseHandle(first).as_bool() && CloseHandle(second).as_bool());
        let other = CreateSemaphoreW(null(), 0, 1, name.as_ptr());
        assert!(!other.is_null(), "the name went with the last handle");
        assert!(CloseHandle(other).as_bool());
    }
}

#[test]
fn msg_18_work_items_run_on_threads_of_the_pool() {
    const ITEMS: u32 = 100;
    struct Seen {
        left: AtomicU32,
        done: HANDLE,
        client: u32,
    }
    unsafe extern "system" fn work(context: *mut c_void) -> u32 {
        // SAFETY: the test keeps it alive until all work items have run; this is the last that this one does with it.
        unsafe {
            let seen = &*context.cast::<Seen>();
            assert_ne!(GetCurrentThreadId(), seen.client);
            let done = seen.done;
            if seen.left.fetch_sub(1, Ordering::AcqRel) == 1 {
                assert!(SetEvent(done).as_bool());
            }
        }
        0
    }
    // SAFETY: as above.
    unsafe {
        let seen = Seen { left: AtomicU32::new(ITEMS), done: event(true, false), client: GetCurrentThreadId() };
        for _ in 0..ITEMS {
            assert!(QueueUserWorkItem(Some(work), (&raw const seen).cast_mut().cast(), 0).as_bool());
        }
        assert_eq!(WaitForSingleObject(seen.done, INFINITE), WAIT_OBJECT_0);
        assert!(!QueueUserWorkItem(None, null_mut(), 0).as_bool());
        assert_eq!(last_error(), ERROR_INVALID_PARAMETER);
        assert!(CloseHandle(seen.done).as_bool());
    }
}

#[test]
fn threads_processes_and_time_have_their_numbers() {
    // SAFETY: nothing to keep.
    unsafe {
        let me = GetCurrentThreadId();
        assert!(me != 0 && me.is_multiple_of(4));
        assert_ne!(std::thread::spawn(|| GetCurrentThreadId()).join().unwrap(), me);
        assert_eq!(std::thread::spawn(|| GetCurrentProcessId()).join().unwrap(), GetCurrentProcessId());
        let (before, before_32) = (GetTickCount64(), GetTickCount());
        Sleep(2);
        assert!(GetTickCount64() >= before + 2 && GetTickCount() >= before_32 + 2);
        assert!(!GetModuleHandleW(null()).is_null());
        assert!(GetModuleHandleW(text("no such module").as_ptr()).is_null());
    }
}

#[test]
fn rul_99_the_process_is_an_object_that_is_never_signalled() {
    // SAFETY: live handles, and numbers that are none.
    unsafe {
        let (me, mut own, mut second) = (GetCurrentProcess(), HANDLE::NULL, HANDLE::NULL);
        assert_eq!((poll(me), WaitForSingleObjectEx(me, 0, TRUE)), (TIMEOUT, TIMEOUT));
        assert!(DuplicateHandle(me, me, me, &mut own, 0, FALSE, DUPLICATE_SAME_ACCESS).as_bool());
        assert!(!own.is_null() && own != me);
        assert_eq!((poll(own), wait_many(&[own, own], false, 0)), (TIMEOUT, TIMEOUT));
        assert!(DuplicateHandle(own, GetCurrentThread(), me, &mut second, 0, FALSE, DUPLICATE_SAME_ACCESS).as_bool());
        assert_eq!(GetThreadId(second), GetCurrentThreadId(), "a handle of the process is as good");
        assert!(!DuplicateHandle(second, me, me, &mut second, 0, FALSE, 0).as_bool());
        assert_eq!(last_error(), ERROR_INVALID_HANDLE, "a thread is no process");
        assert_eq!((SetEvent(own), last_error()), (FALSE, ERROR_INVALID_HANDLE), "nor is a process an event");
        assert_eq!((SignalObjectAndWait(own, own, 0, FALSE), last_error()), (WAIT_FAILED, ERROR_INVALID_HANDLE));
        // The number is INVALID_HANDLE_VALUE, too.
        assert_eq!((wait_many(&[own, me], false, 0), last_error()), (WAIT_FAILED, ERROR_INVALID_HANDLE));
        let close = DUPLICATE_CLOSE_SOURCE;
        assert!(DuplicateHandle(me, me, me, null_mut(), 0, FALSE, close).as_bool(), "closing the number does nothing");
        assert!(CloseHandle(own).as_bool() && CloseHandle(second).as_bool());
        assert_eq!((poll(own), last_error()), (WAIT_FAILED, ERROR_INVALID_HANDLE));
    }
}

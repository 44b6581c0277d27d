//! Objects with names.

use super::*;

#[test]
fn an_object_is_opened_by_its_name() {
    let (wide, bytes) = (text("opened by name"), c"opened by name");
    // SAFETY: NUL-terminated names and live handles.
    unsafe {
        SetLastError(77);
        assert!(OpenEventW(EVENT_ALL_ACCESS, FALSE, wide.as_ptr()).is_null());
        assert_eq!(last_error(), ERROR_FILE_NOT_FOUND);
        let made = CreateEventA(null(), TRUE, FALSE, bytes.as_ptr().cast());
        SetLastError(77);
        let opened = [
            OpenEventW(SYNCHRONIZE, FALSE, wide.as_ptr()),
            OpenEventA(EVENT_MODIFY_STATE, FALSE, bytes.as_ptr().cast()),
            OpenEventA(SYNCHRONIZE, FALSE, c"Local\\opened by name".as_ptr().cast()),
        ];
        assert_eq!(last_error(), 77, "success leaves it alone");
        assert!(SetEvent(opened[0]).as_bool());
        assert_eq!(opened.map(poll), [WAIT_OBJECT_0; 3], "one event");
        assert!(OpenMutexW(MUTEX_ALL_ACCESS, FALSE, wide.as_ptr()).is_null());
        assert_eq!(last_error(), ERROR_INVALID_HANDLE, "the name belongs to an event");
        assert!(OpenSemaphoreA(SEMAPHORE_ALL_ACCESS, FALSE, bytes.as_ptr().cast()).is_null());
        assert_eq!(last_error(), ERROR_INVALID_HANDLE);
        for handle in opened.into_iter().chain([made]) {
            assert!(CloseHandle(handle).as_bool());
        }
        assert!(OpenEventA(SYNCHRONIZE, FALSE, bytes.as_ptr().cast()).is_null(), "the name went with the last handle");
    }
}

#[test]
fn semaphores_and_mutexes_have_names_of_both_kinds() {
    // SAFETY: NUL-terminated names and live handles.
    unsafe {
        let semaphore = CreateSemaphoreA(null(), 1, 2, c"a named semaphore".as_ptr().cast());
        let same = OpenSemaphoreW(SYNCHRONIZE, FALSE, text("a named semaphore").as_ptr());
        let bytes = OpenSemaphoreA(SEMAPHORE_ALL_ACCESS, FALSE, c"a named semaphore".as_ptr().cast());
        assert_eq!((poll(same), poll(semaphore)), (WAIT_OBJECT_0, TIMEOUT));
        let mut before = 7;
        assert!(ReleaseSemaphore(bytes, 2, &mut before).as_bool() && before == 0, "one semaphore");
        assert_eq!([poll(semaphore), poll(same), poll(bytes)], [WAIT_OBJECT_0, WAIT_OBJECT_0, TIMEOUT]);
        let mutex = CreateMutexA(null(), TRUE, c"a named mutex".as_ptr().cast());
        let second = CreateMutexA(null(), TRUE, c"a named mutex".as_ptr().cast());
        assert_eq!(last_error(), ERROR_ALREADY_EXISTS);
        let third = OpenMutexA(SYNCHRONIZE, FALSE, c"a named mutex".as_ptr().cast());
        let fourth = OpenMutexW(MUTEX_ALL_ACCESS, FALSE, text("a named mutex").as_ptr());
        assert!(ReleaseMutex(third).as_bool(), "owned by this thread");
        assert!(!ReleaseMutex(second).as_bool(), "once: what exists already is not taken");
        assert_eq!(poll(fourth), WAIT_OBJECT_0);
        assert!(ReleaseMutex(mutex).as_bool(), "one mutex");
        let other_case = CreateMutexW(null(), FALSE, text("A Named Mutex").as_ptr());
        assert_eq!(last_error(), ERROR_SUCCESS, "names of objects are compared with case");
        for handle in [semaphore, same, bytes, mutex, second, third, fourth, other_case] {
            assert!(CloseHandle(handle).as_bool());
        }
    }
}

#[test]
fn names_that_are_none() {
    // SAFETY: NUL-terminated names, or null.
    unsafe {
        for _ in 0..2 {
            let unnamed = CreateEventA(null(), TRUE, FALSE, c"".as_ptr().cast());
            assert_eq!((unnamed.is_null(), last_error()), (false, ERROR_SUCCESS), "an empty name is none");
            assert!(CloseHandle(unnamed).as_bool());
        }
        assert!(OpenEventW(SYNCHRONIZE, FALSE, null()).is_null());
        assert_eq!(last_error(), ERROR_INVALID_PARAMETER);
        assert!(OpenMutexA(SYNCHRONIZE, FALSE, null()).is_null());
        assert_eq!(last_error(), ERROR_INVALID_PARAMETER);
        assert!(OpenSemaphoreW(SYNCHRONIZE, FALSE, text("").as_ptr()).is_null());
        assert_eq!(last_error(), ERROR_FILE_NOT_FOUND);
        assert!(CreateEventW(null(), TRUE, FALSE, text("Nowhere\\name").as_ptr()).is_null());
        assert_eq!(last_error(), ERROR_PATH_NOT_FOUND);
    }
}

#[test]
fn an_event_is_created_with_flags() {
    // SAFETY: NUL-terminated names, or null, and live handles.
    unsafe {
        let manual =
            CreateEventExW(null(), null(), CREATE_EVENT_MANUAL_RESET | CREATE_EVENT_INITIAL_SET, EVENT_ALL_ACCESS);
        assert_eq!((poll(manual), poll(manual)), (WAIT_OBJECT_0, WAIT_OBJECT_0));
        let auto = CreateEventExA(null(), c"created with flags".as_ptr().cast(), CREATE_EVENT_INITIAL_SET, SYNCHRONIZE);
        assert_eq!((poll(auto), poll(auto)), (WAIT_OBJECT_0, TIMEOUT));
        let same = OpenEventW(SYNCHRONIZE, FALSE, text("created with flags").as_ptr());
        assert!(SetEvent(same).as_bool());
        assert_eq!(poll(auto), WAIT_OBJECT_0);
        assert!(CreateEventExW(null(), null(), 4, SYNCHRONIZE).is_null());
        assert_eq!(last_error(), ERROR_INVALID_PARAMETER);
        for handle in [manual, auto, same] {
            assert!(CloseHandle(handle).as_bool());
        }
    }
}

//! The Win32 functions in a simulated world: time is virtual, every order is found.

use oleander::windows_core::BOOL;
use oleander::*;
use oleander_sim::{Exploration, explore, run, world};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicU32, Ordering};

const FALSE: BOOL = BOOL(0);
const TRUE: BOOL = BOOL(1);

thread_local! {
    static SEEN: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

fn seen() -> Vec<usize> {
    SEEN.take()
}

fn note(value: usize) {
    SEEN.with_borrow_mut(|seen| seen.push(value));
}

unsafe extern "system" fn call(parameter: usize) {
    note(parameter);
}

fn event(manual: bool, set: bool) -> HANDLE {
    // SAFETY: no name.
    unsafe { CreateEventW(null(), BOOL(manual.into()), BOOL(set.into()), null()) }
}

fn start(function: unsafe extern "system" fn(*mut c_void) -> u32, parameter: HANDLE, flags: u32) -> HANDLE {
    // SAFETY: the functions here take a handle.
    unsafe { CreateThread(null(), 0, Some(function), parameter.0, flags, null_mut()) }
}

fn wait(handle: HANDLE) {
    // SAFETY: none to keep.
    assert_eq!(unsafe { WaitForSingleObject(handle, INFINITE) }, WAIT_OBJECT_0);
}

fn now_ms() -> u64 {
    world::now_ns() / 1_000_000
}

#[track_caller]
fn assert_whole(found: &Exploration) {
    assert_eq!(found.failures, 0, "{found}");
    assert!(found.complete, "{found}");
}

/// Queues a call to the thread in its parameter after five seconds.
unsafe extern "system" fn calls_later(thread: *mut c_void) -> u32 {
    // SAFETY: a live thread.
    unsafe {
        Sleep(5_000);
        QueueUserAPC(Some(call), HANDLE(thread), 5)
    }
}

fn own_handle() -> HANDLE {
    let mut own = HANDLE::NULL;
    // SAFETY: a valid place.
    unsafe {
        let process = GetCurrentProcess();
        assert!(
            DuplicateHandle(process, GetCurrentThread(), process, &mut own, 0, FALSE, DUPLICATE_SAME_ACCESS).as_bool()
        );
    }
    own
}

#[test]
fn wait_16_a_call_ends_an_alertable_wait_when_it_comes() {
    run(|| {
        // SAFETY: live handles.
        unsafe {
            let own = own_handle();
            let caller = start(calls_later, own, 0);
            assert_eq!((SleepEx(1_000, TRUE), now_ms()), (0, 1_000));
            assert_eq!((SleepEx(60_000, TRUE), now_ms()), (WAIT_IO_COMPLETION, 5_000));
            assert_eq!(seen(), [5]);
            wait(caller);
            let mut code = 0;
            assert!(GetExitCodeThread(caller, &mut code).as_bool());
            assert_eq!(code, 1);
            assert!(CloseHandle(caller).as_bool() && CloseHandle(own).as_bool());
        }
    })
    .expect_completed();
}

unsafe extern "system" fn calls(thread: *mut c_void) -> u32 {
    // SAFETY: a live thread.
    unsafe { QueueUserAPC(Some(call), HANDLE(thread), 1) }
}

#[test]
fn wait_16_a_call_races_with_a_signal() {
    let results = RefCell::new(BTreeSet::new());
    let found = explore(|| {
        // SAFETY: live handles.
        unsafe {
            let (own, set) = (own_handle(), event(false, false));
            let caller = start(calls, own, 0);
            let setter = start(sets, set, 0);
            let result = WaitForSingleObjectEx(set, INFINITE, TRUE);
            let called = seen().len();
            wait(caller);
            wait(setter);
            // Nothing is lost: what did not end the first wait ends the second.
            let second = WaitForSingleObjectEx(set, 0, TRUE);
            assert_eq!(called + seen().len(), 1);
            results.borrow_mut().insert((result, called, second));
            for handle in [own, set, caller, setter] {
                assert!(CloseHandle(handle).as_bool());
            }
        }
    });
    assert_whole(&found);
    let signal_first = (WAIT_OBJECT_0, 0, WAIT_IO_COMPLETION);
    let call_first = (WAIT_IO_COMPLETION, 1, WAIT_OBJECT_0);
    assert_eq!(*results.borrow(), BTreeSet::from([signal_first, call_first]));
}

unsafe extern "system" fn sets(event: *mut c_void) -> u32 {
    // SAFETY: a live event.
    u32::from(unsafe { SetEvent(HANDLE(event)) }.as_bool())
}

#[test]
fn a_function_on_a_handle_is_a_step() {
    let steps = |times: u64| {
        let report = run(|| {
            let event = event(true, false);
            // SAFETY: a live event.
            unsafe {
                for _ in 0..times {
                    assert!(SetEvent(event).as_bool() && ResetEvent(event).as_bool());
                }
                assert!(CloseHandle(event).as_bool());
            }
        });
        report.expect_completed();
        report.steps
    };
    assert_eq!(steps(5), steps(0) + 10);
}

/// Posts a message to the thread that is waited for.
unsafe extern "system" fn posts(to: *mut c_void) -> u32 {
    // SAFETY: a message without pointers.
    u32::from(unsafe { PostThreadMessageW(to.addr() as u32, WM_USER, 0, 0) }.as_bool())
}

#[test]
fn a_look_at_a_queues_status_is_a_step_and_makes_it_old() {
    let results = RefCell::new(BTreeSet::new());
    let found = explore(|| {
        // SAFETY: live handles.
        unsafe {
            assert_eq!(GetQueueStatus(QS_POSTMESSAGE), 0, "the queue is there");
            let own = HANDLE(std::ptr::without_provenance_mut(GetCurrentThreadId() as usize));
            let poster = start(posts, own, 0);
            let early = GetQueueStatus(QS_POSTMESSAGE);
            wait(poster);
            let late = GetQueueStatus(QS_POSTMESSAGE);
            results.borrow_mut().insert((early, late));
            assert!(CloseHandle(poster).as_bool());
        }
    });
    assert_whole(&found);
    // Below, what is new; above, what is there.
    let (new, there) = (QS_POSTMESSAGE, QS_POSTMESSAGE << 16);
    assert_eq!(*results.borrow(), BTreeSet::from([(0, new | there), (new | there, there)]));
}

/// Gives how many calls were queued to it before it ran.
unsafe extern "system" fn counts(_: *mut c_void) -> u32 {
    seen().len() as u32
}

#[test]
fn a_suspended_thread_runs_nothing_before_it_is_resumed() {
    let codes = RefCell::new(BTreeSet::new());
    let found = explore(|| {
        // SAFETY: live handles.
        unsafe {
            let thread = start(counts, HANDLE::NULL, CREATE_SUSPENDED);
            assert_ne!(QueueUserAPC(Some(call), thread, 1), 0);
            assert_eq!(ResumeThread(thread), 1);
            // This one races with the thread's beginning, and with its end.
            let queued = QueueUserAPC(Some(call), thread, 2);
            wait(thread);
            let mut code = 0;
            assert!(GetExitCodeThread(thread, &mut code).as_bool());
            codes.borrow_mut().insert((queued, code));
            assert!(CloseHandle(thread).as_bool());
            seen();
        }
    });
    assert_whole(&found);
    // Its last look and its end are one step: nothing is queued and then lost.
    assert_eq!(*codes.borrow(), BTreeSet::from([(1, 2), (0, 1)]));
}

/// Gives a mutex back that it never took.
unsafe extern "system" fn abandons(mutex: *mut c_void) -> u32 {
    wait(HANDLE(mutex));
    0
}

#[test]
fn wait_18_a_mutex_is_abandoned_by_its_owners_end() {
    let results = RefCell::new(BTreeSet::new());
    let found = explore(|| {
        // SAFETY: live handles.
        unsafe {
            let mutex = CreateMutexW(null(), FALSE, null());
            let owner = start(abandons, mutex, 0);
            let first = WaitForSingleObject(mutex, INFINITE);
            assert!(ReleaseMutex(mutex).as_bool());
            wait(owner);
            let second = WaitForSingleObject(mutex, INFINITE);
            results.borrow_mut().insert((first, second));
            assert!(ReleaseMutex(mutex).as_bool() && CloseHandle(mutex).as_bool() && CloseHandle(owner).as_bool());
        }
    });
    assert_whole(&found);
    let (fine, abandoned) = (WAIT_OBJECT_0, WAIT_ABANDONED_0);
    assert_eq!(*results.borrow(), BTreeSet::from([(fine, abandoned), (abandoned, fine)]));
}

/// Gives the event's signal back as soon as it is there.
unsafe extern "system" fn answers(event: *mut c_void) -> u32 {
    // SAFETY: a live event.
    unsafe { SignalObjectAndWait(HANDLE(event), HANDLE(event), 1_000, FALSE) }
}

#[test]
fn to_signal_and_to_wait_are_two_steps() {
    let results = RefCell::new(BTreeSet::new());
    let found = explore(|| {
        // SAFETY: live handles.
        unsafe {
            let event = event(false, false);
            let other = start(answers, event, 0);
            let mine = WaitForSingleObject(event, 0);
            wait(other);
            let mut theirs = 0;
            assert!(GetExitCodeThread(other, &mut theirs).as_bool());
            results.borrow_mut().insert((mine, theirs));
            assert!(CloseHandle(event).as_bool() && CloseHandle(other).as_bool());
        }
    });
    assert_whole(&found);
    // Between the two steps this thread may take the signal.
    assert_eq!(*results.borrow(), BTreeSet::from([(WAIT_OBJECT_0, WAIT_TIMEOUT), (WAIT_TIMEOUT, WAIT_OBJECT_0)]));
}

#[test]
fn time_is_the_worlds() {
    run(|| {
        let (mut before, mut after) = (0, 0);
        // SAFETY: valid places.
        unsafe {
            let ticks = GetTickCount64();
            assert!(QueryPerformanceCounter(&mut before).as_bool());
            Sleep(3_600_000);
            assert!(QueryPerformanceCounter(&mut after).as_bool());
            assert_eq!((after - before, GetTickCount64() - ticks), (36_000_000_000, 3_600_000));
        }
    })
    .expect_completed();
}

struct Told {
    count: AtomicU32,
    timeouts: AtomicU32,
    done: HANDLE,
}

unsafe extern "system" fn told(context: *mut c_void, timed_out: u8) {
    // SAFETY: the scenario keeps it until no callback runs.
    unsafe {
        let told = &*context.cast::<Told>();
        told.count.fetch_add(1, Ordering::Relaxed);
        told.timeouts.fetch_add(u32::from(timed_out), Ordering::Relaxed);
        assert!(SetEvent(told.done).as_bool());
    }
}

impl Told {
    fn new() -> Self {
        Self { count: AtomicU32::new(0), timeouts: AtomicU32::new(0), done: event(false, false) }
    }

    fn register(&self, object: HANDLE, ms: u32, flags: u32) -> HANDLE {
        let mut wait = HANDLE::NULL;
        let context = std::ptr::from_ref(self).cast_mut().cast();
        // SAFETY: as for `told`.
        let ok = unsafe { RegisterWaitForSingleObject(&mut wait, object, Some(told), context, ms, flags) };
        assert!(ok.as_bool());
        wait
    }

    fn seen(&self) -> (u32, u32) {
        (self.count.load(Ordering::Relaxed), self.timeouts.load(Ordering::Relaxed))
    }
}

#[test]
fn agg_10_a_registered_wait_calls_back_for_each_signal_and_timeout() {
    run(|| {
        let (told, object) = (Told::new(), event(false, false));
        let wait_object = told.register(object, 1_000, WT_EXECUTEDEFAULT);
        // SAFETY: live handles, and stale ones, which are errors.
        unsafe {
            assert!(SetEvent(object).as_bool());
            wait(told.done);
            assert_eq!((told.seen(), now_ms()), ((1, 0), 0));
            wait(told.done);
            assert_eq!((told.seen(), now_ms()), ((2, 1), 1_000));
            assert!(!CloseHandle(wait_object).as_bool(), "it is no handle");
            assert!(UnregisterWaitEx(wait_object, INVALID_HANDLE_VALUE).as_bool());
            assert!(SetEvent(object).as_bool());
            Sleep(5_000);
            assert_eq!((told.seen(), WaitForSingleObject(object, 0)), ((2, 1), WAIT_OBJECT_0), "nobody waits any more");
            assert_eq!((UnregisterWait(wait_object), GetLastError()), (FALSE, ERROR_INVALID_HANDLE));
            let mut out = HANDLE::NULL;
            let none = null_mut();
            assert!(!RegisterWaitForSingleObject(&mut out, HANDLE::NULL, Some(self::told), none, 0, 0).as_bool());
            assert_eq!(GetLastError(), ERROR_INVALID_HANDLE);
            assert!(!RegisterWaitForSingleObject(&mut out, object, None, none, 0, 0).as_bool());
            assert_eq!(GetLastError(), ERROR_INVALID_PARAMETER);
            assert!(CloseHandle(object).as_bool() && CloseHandle(told.done).as_bool());
        }
    })
    .expect_completed();
}

#[test]
fn agg_10_no_callback_begins_after_a_wait_is_unregistered() {
    let counts = RefCell::new(BTreeSet::new());
    let found = explore(|| {
        let (told, object) = (Told::new(), event(true, false));
        let wait_object = told.register(object, INFINITE, WT_EXECUTEONLYONCE);
        // SAFETY: live handles.
        unsafe {
            assert!(SetEvent(object).as_bool());
            assert!(UnregisterWaitEx(wait_object, INVALID_HANDLE_VALUE).as_bool());
            // Whatever has begun has ended: what it used may go.
            counts.borrow_mut().insert(told.seen().0);
            assert!(CloseHandle(object).as_bool() && CloseHandle(told.done).as_bool());
        }
    });
    assert_whole(&found);
    assert_eq!(*counts.borrow(), BTreeSet::from([0, 1]));
}

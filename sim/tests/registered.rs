//! Registered waits: on which thread their callbacks run, how often, and how their end is told.

use oleander::windows_core::BOOL;
use oleander::*;
use oleander_sim::{explore, run};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::ffi::c_void;
use std::ptr::null;

const FALSE: BOOL = BOOL(0);
const TRUE: BOOL = BOOL(1);

fn event(manual: bool, set: bool) -> HANDLE {
    // SAFETY: no name.
    unsafe { CreateEventW(null(), BOOL(manual.into()), BOOL(set.into()), null()) }
}

fn set(event: HANDLE) {
    // SAFETY: a live event.
    assert!(unsafe { SetEvent(event) }.as_bool());
}

fn poll(handle: HANDLE) -> u32 {
    // SAFETY: a handle is a number.
    unsafe { WaitForSingleObject(handle, 0) }
}

fn close(handles: &[HANDLE]) {
    // SAFETY: live handles.
    handles.iter().for_each(|handle| assert!(unsafe { CloseHandle(*handle) }.as_bool()));
}

/// What callbacks note, and what they wait for. Fibers of one world share a thread of the machine.
struct Notes {
    threads: RefCell<Vec<u32>>,
    at_once: Cell<(usize, usize)>,
    gate: HANDLE,
    itself: Cell<HANDLE>,
    unregistered: Cell<Option<(BOOL, u32)>>,
}

impl Notes {
    fn new() -> Self {
        Self {
            threads: RefCell::default(),
            at_once: Cell::default(),
            gate: event(true, false),
            itself: Cell::default(),
            unregistered: Cell::new(None),
        }
    }

    fn register(&self, object: HANDLE, ms: u32, flags: u32) -> HANDLE {
        let (mut wait, context) = (HANDLE::NULL, std::ptr::from_ref(self).cast_mut().cast());
        // SAFETY: the scenario keeps the notes until no callback runs.
        let ok = unsafe { RegisterWaitForSingleObject(&mut wait, object, Some(callback), context, ms, flags) };
        assert!(ok.as_bool());
        wait
    }

    fn count(&self) -> usize {
        self.threads.borrow().len()
    }
}

unsafe extern "system" fn callback(context: *mut c_void, _timed_out: u8) {
    // SAFETY: see `Notes::register`; live handles.
    unsafe {
        let notes = &*context.cast::<Notes>();
        let (now, most) = notes.at_once.get();
        notes.at_once.set((now + 1, most.max(now + 1)));
        notes.threads.borrow_mut().push(GetCurrentThreadId());
        let itself = notes.itself.replace(HANDLE::NULL);
        if !itself.is_null() {
            notes.unregistered.set(Some((UnregisterWait(itself), GetLastError())));
        }
        WaitForSingleObject(notes.gate, INFINITE);
        let (now, most) = notes.at_once.get();
        notes.at_once.set((now - 1, most));
    }
}

fn sleep() {
    // SAFETY: nothing to keep.
    unsafe { Sleep(1) };
}

#[test]
fn agg_10_the_event_of_an_unregistration_is_set_when_no_callback_runs_any_more() {
    run(|| {
        let (notes, object, done) = (Notes::new(), event(false, false), event(true, false));
        let wait = notes.register(object, INFINITE, WT_EXECUTEDEFAULT);
        set(object);
        set(object);
        sleep();
        assert_eq!(notes.count(), 1, "one signal of two that nobody took between");
        set(object);
        sleep();
        assert_eq!(notes.at_once.get(), (2, 2), "on threads of the pool, at once");
        // SAFETY: live handles.
        unsafe {
            assert_eq!((UnregisterWaitEx(wait, done), GetLastError()), (FALSE, ERROR_IO_PENDING));
            assert_eq!((poll(done), UnregisterWaitEx(wait, done)), (WAIT_TIMEOUT, FALSE));
            assert_eq!(GetLastError(), ERROR_INVALID_HANDLE, "it need not be called again");
            set(notes.gate);
            assert_eq!(WaitForSingleObject(done, INFINITE), WAIT_OBJECT_0);
            assert_eq!((notes.count(), notes.at_once.get().0), (2, 0));

            let wait = notes.register(object, INFINITE, WT_EXECUTEDEFAULT);
            assert!(ResetEvent(done).as_bool());
            assert_eq!((UnregisterWaitEx(wait, done), poll(done)), (TRUE, WAIT_OBJECT_0), "at once if none runs");
            let wait = notes.register(object, INFINITE, WT_EXECUTEDEFAULT);
            assert_eq!((UnregisterWaitEx(wait, wait), GetLastError()), (FALSE, ERROR_INVALID_HANDLE), "no event");
            assert!(UnregisterWaitEx(wait, HANDLE::NULL).as_bool());
        }
        close(&[object, done, notes.gate]);
    })
    .expect_completed();
}

#[test]
fn agg_10_callbacks_in_the_waiting_thread_come_one_after_the_other() {
    run(|| {
        let (notes, object) = (Notes::new(), event(false, false));
        let wait = notes.register(object, INFINITE, WT_EXECUTEINWAITTHREAD);
        for _ in 0..3 {
            set(object);
            sleep();
        }
        assert_eq!((notes.count(), poll(object)), (1, WAIT_OBJECT_0), "nobody waits while the first runs");
        set(object);
        set(notes.gate);
        sleep();
        assert_eq!((notes.count(), notes.at_once.get()), (2, (0, 1)));
        let threads: BTreeSet<u32> = notes.threads.borrow().iter().copied().collect();
        assert_eq!(threads.len(), 1);
        // SAFETY: a live wait.
        assert!(unsafe { UnregisterWaitEx(wait, INVALID_HANDLE_VALUE) }.as_bool());
        close(&[object, notes.gate]);
    })
    .expect_completed();
}

#[test]
fn agg_10_a_wait_for_once_calls_once_and_is_unregistered_all_the_same() {
    run(|| {
        for (object, ms) in [(event(false, false), INFINITE), (event(true, true), INFINITE), (event(true, false), 10)] {
            let notes = Notes::new();
            set(notes.gate);
            let wait = notes.register(object, ms, WT_EXECUTEONLYONCE);
            for _ in 0..3 {
                if ms == INFINITE {
                    set(object);
                }
                // SAFETY: nothing to keep.
                unsafe { Sleep(20) };
            }
            assert_eq!(notes.count(), 1);
            // SAFETY: a live wait.
            unsafe {
                assert!(UnregisterWait(wait).as_bool());
                assert_eq!((UnregisterWait(wait), GetLastError()), (FALSE, ERROR_INVALID_HANDLE));
            }
            close(&[object, notes.gate]);
        }
    })
    .expect_completed();
}

#[test]
fn agg_10_a_callback_that_unregisters_its_own_wait() {
    for flags in [WT_EXECUTEDEFAULT, WT_EXECUTEINWAITTHREAD] {
        let found = explore(|| {
            let (notes, object) = (Notes::new(), event(false, false));
            set(notes.gate);
            notes.itself.set(notes.register(object, INFINITE, flags));
            set(object);
            sleep();
            assert_eq!((notes.count(), notes.unregistered.get()), (1, Some((FALSE, ERROR_IO_PENDING))));
            set(object);
            sleep();
            assert_eq!((notes.count(), poll(object)), (1, WAIT_OBJECT_0), "nobody waits any more");
            close(&[object, notes.gate]);
        });
        assert_eq!(found.failures, 0, "{found}");
        assert!(found.complete, "{found}");
    }
}

#[test]
fn agg_10_a_signal_that_stays_has_one_callback_at_a_time() {
    run(|| {
        let (notes, object) = (Notes::new(), event(true, false));
        let wait = notes.register(object, INFINITE, WT_EXECUTEDEFAULT);
        set(object);
        sleep();
        assert_eq!((notes.count(), notes.at_once.get()), (1, (1, 1)));
        // SAFETY: live handles.
        unsafe {
            assert!(ResetEvent(object).as_bool());
            set(notes.gate);
            sleep();
            assert_eq!((notes.count(), notes.at_once.get()), (1, (0, 1)));
            assert!(UnregisterWaitEx(wait, INVALID_HANDLE_VALUE).as_bool());
        }
        close(&[object, notes.gate]);
    })
    .expect_completed();
}

unsafe extern "system" fn opens(gate: *mut c_void) -> u32 {
    sleep();
    set(HANDLE(gate));
    0
}

#[test]
fn agg_10_an_unregistration_waits_for_the_last_callback_though_none_ran_before() {
    run(|| {
        let (notes, object) = (Notes::new(), event(false, false));
        let wait = notes.register(object, INFINITE, WT_EXECUTEDEFAULT);
        set(notes.gate);
        set(object);
        sleep();
        assert_eq!((notes.count(), notes.at_once.get().0), (1, 0), "one is through");
        // SAFETY: live handles.
        unsafe {
            assert!(ResetEvent(notes.gate).as_bool());
            set(object);
            sleep();
            assert_eq!((notes.count(), notes.at_once.get().0), (2, 1));
            let opener = CreateThread(null(), 0, Some(opens), notes.gate.0, 0, std::ptr::null_mut());
            assert!(UnregisterWaitEx(wait, INVALID_HANDLE_VALUE).as_bool());
            assert_eq!(notes.at_once.get().0, 0);
            assert_eq!(WaitForSingleObject(opener, INFINITE), WAIT_OBJECT_0);
            close(&[object, opener, notes.gate]);
        }
    })
    .expect_completed();
}

unsafe extern "system" fn counts(context: *mut c_void, _timed_out: u8) {
    // SAFETY: the test keeps the count until the world is over.
    unsafe { &*context.cast::<Cell<u32>>() }.update(|count| count + 1);
}

#[test]
fn agg_10_a_wait_that_ends_with_its_world_calls_nobody() {
    let count = Cell::new(0);
    run(|| {
        let (mut wait, context) = (HANDLE::NULL, std::ptr::from_ref(&count).cast_mut().cast());
        // SAFETY: the count outlives the world.
        unsafe {
            assert!(
                RegisterWaitForSingleObject(
                    &mut wait,
                    event(false, false),
                    Some(counts),
                    context,
                    INFINITE,
                    WT_EXECUTEINWAITTHREAD
                )
                .as_bool()
            );
        }
        sleep();
    });
    assert_eq!(count.get(), 0);
}

//! Threads that do what they are told, one thing after another.
//!
//! The player tells one thread what to do and waits for what it says before it goes on, so nothing depends on who is faster.
//! A thread that waits says nothing until something lets it go. The same code runs on host threads and in the simulator.

#![allow(dead_code, reason = "each test uses its part")]

use oleander::kernel::Event;
use oleander::platform::{Deadline, Why};
use oleander::*;
use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::{Arc, Mutex};

/// What the player and one thread say to each other.
struct Line<O, A> {
    /// What to do next; none ends the thread.
    order: Mutex<Option<O>>,
    /// A handle, for any kind of wait.
    ordered: HANDLE,
    answer: Mutex<Option<A>>,
    answered: Arc<Event>,
}

/// How long an answer may take that is certain to come.
const HANG_MS: u32 = 20_000;

pub struct Told<O, A> {
    pub thread: HANDLE,
    line: Arc<Line<O, A>>,
}

// SAFETY: handles are numbers.
unsafe impl<O: Send, A: Send> Send for Line<O, A> {}
// SAFETY: as above; the rest is locked.
unsafe impl<O: Send, A: Send> Sync for Line<O, A> {}

impl<O: Send + 'static, A: Clone + Send + 'static> Told<O, A> {
    /// Starts a thread that waits for its orders with `waits`.
    pub fn start(waits: fn(HANDLE), mut does: impl FnMut(O) -> A + Send + 'static) -> Self {
        let line = Arc::new(Line {
            order: Mutex::default(),
            // SAFETY: no name; closed in `end`.
            ordered: unsafe { CreateEventW(null(), false.into(), false.into(), null()) },
            answer: Mutex::default(),
            answered: Event::auto(),
        });
        let own = line.clone();
        let body: Box<dyn FnOnce() + Send> = Box::new(move || {
            own.answered.set();
            loop {
                waits(own.ordered);
                let Some(order) = own.order.lock().unwrap().take() else { return };
                let answer = does(order);
                *own.answer.lock().unwrap() = Some(answer);
                own.answered.set();
            }
        });
        let context = Box::into_raw(Box::new(body));
        // SAFETY: `run` takes the box back.
        let thread = unsafe { CreateThread(null(), 0, Some(run), context.cast(), 0, null_mut()) };
        assert!(!thread.is_null());
        // Calls that are queued to it before it runs would be the first that it does (WAIT-16).
        assert!(line.answered.wait(Deadline::NEVER, Why::Wait));
        Self { thread, line }
    }

    pub fn order(&self, order: O) {
        self.tell(Some(order));
    }

    fn tell(&self, order: Option<O>) {
        *self.line.order.lock().unwrap() = order;
        // SAFETY: our handle.
        assert!(unsafe { SetEvent(self.line.ordered) }.as_bool());
    }

    pub fn answer(&self) -> Result<A, String> {
        if !self.line.answered.wait(Deadline::after_ms(HANG_MS), Why::Wait) {
            return Err("still waits".to_owned());
        }
        Ok(self.line.answer.lock().unwrap().take().expect("it has said something"))
    }

    /// What it has said before it was asked to.
    pub fn said(&self) -> Option<A> {
        self.line.answer.lock().unwrap().clone()
    }

    pub fn end(self) {
        self.tell(None);
        // SAFETY: our handle.
        unsafe {
            assert_eq!(WaitForSingleObject(self.thread, INFINITE), WAIT_OBJECT_0);
            assert!(CloseHandle(self.thread).as_bool() && CloseHandle(self.line.ordered).as_bool());
        }
    }
}

unsafe extern "system" fn run(context: *mut c_void) -> u32 {
    // SAFETY: `start` gave the box.
    let body = unsafe { Box::from_raw(context.cast::<Box<dyn FnOnce() + Send>>()) };
    body();
    0
}

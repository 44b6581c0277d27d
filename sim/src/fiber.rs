//! Fibers: one thread of a world each, all on one thread of the operating system, with stacks from a pool.
//!
//! A fiber is never unwound by force: its stack may hold `extern "system"` frames, where that aborts. One that is
//! dropped before it has ended is abandoned: its stack and all on it stay for ever, and the world counts it.
//!
//! The pool belongs to the operating system's thread. A stack is in the pool, or in exactly one fiber, or abandoned.

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult, Yielder};
use std::cell::RefCell;
use std::mem::ManuallyDrop;

/// Address space of a stack. The operating system gives memory to the pages that are touched, and there is a guard
/// page below them.
const STACK_BYTES: usize = 1 << 20;

/// Stacks beyond these go back to the operating system.
const POOLED_MAX: usize = 256;

thread_local! {
    static POOL: RefCell<Vec<DefaultStack>> = const { RefCell::new(Vec::new()) };
}

/// Why a fiber came back to the hub before its end.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pause {
    /// It has announced what it does next.
    Announced,
    /// It wants one of so many ways to go on.
    Choose(usize),
}

/// What a fiber uses to come back to the hub. The hub answers with a number, which matters to [`Pause::Choose`] only.
pub(crate) type Link = Yielder<usize, Pause>;

type Routine = Coroutine<usize, Pause, ()>;

/// A fiber with its stack.
pub(crate) struct Fiber {
    routine: ManuallyDrop<Routine>,
}

impl Fiber {
    /// A fiber that runs `body` when it is first resumed. The body must catch its panics.
    pub(crate) fn new(body: impl FnOnce(&Link) + 'static) -> Self {
        let pooled = POOL.with_borrow_mut(Vec::pop);
        let stack = pooled.unwrap_or_else(|| {
            DefaultStack::new(STACK_BYTES).expect("the operating system gives a stack; abandoned fibers use them up")
        });
        Self { routine: ManuallyDrop::new(Coroutine::with_stack(stack, move |link: &Link, _: usize| body(link))) }
    }

    /// Gives the stack back of a fiber that has not ended, without running anything: what is on it is forgotten.
    ///
    /// # Safety
    /// Nothing that is ever used again has a pointer into the stack.
    pub(crate) unsafe fn recycle(mut self) {
        // SAFETY: the caller's.
        unsafe { self.routine.force_reset() };
    }

    /// Runs it on; `None` when it has ended.
    pub(crate) fn resume(&mut self, answer: usize) -> Option<Pause> {
        match self.routine.resume(answer) {
            CoroutineResult::Yield(pause) => Some(pause),
            CoroutineResult::Return(()) => None,
        }
    }
}

impl Drop for Fiber {
    fn drop(&mut self) {
        if !self.routine.done() {
            return;
        }
        // SAFETY: the field is not used after this: the fiber is being dropped.
        let stack = unsafe { ManuallyDrop::take(&mut self.routine) }.into_stack();
        // While the operating system's thread ends the pool may be gone, and the stack goes too.
        _ = POOL.try_with(|pool| {
            let mut pool = pool.borrow_mut();
            if pool.len() < POOLED_MAX {
                pool.push(stack);
            }
        });
    }
}

//! The primitives that the kernel objects are made of: parking_lot's and the standard library's, or loom's.
//!
//! The only place with `cfg(loom)`.

#[cfg(loom)]
pub(crate) use of_loom::*;
#[cfg(not(loom))]
pub(crate) use of_the_host::*;

/// A `const fn`; under loom a plain one, for loom's atomics are made while a model runs.
#[cfg(not(loom))]
macro_rules! const_fn {
    ($(#[$note:meta])* $vis:vis fn $($rest:tt)*) => { $(#[$note])* $vis const fn $($rest)* };
}
#[cfg(loom)]
macro_rules! const_fn {
    ($(#[$note:meta])* $vis:vis fn $($rest:tt)*) => { $(#[$note])* $vis fn $($rest)* };
}
pub(crate) use const_fn;

#[cfg(not(loom))]
mod of_the_host {
    pub(crate) use parking_lot::{Mutex, MutexGuard, RwLock};
    pub(crate) use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering};

    /// Parking and starting the operating system's threads.
    pub(crate) mod thread {
        pub(crate) use std::thread::{Thread, current, park, park_timeout};

        pub(crate) fn spawn(name: String, body: impl FnOnce() + Send + 'static) {
            std::thread::Builder::new().name(name).spawn(body).expect("the operating system gives a thread");
        }

        /// The CPU that the thread runs on at this moment, where that can be had cheaply.
        #[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"), not(miri)))]
        pub(crate) fn cpu() -> Option<u32> {
            u32::try_from(rustix::thread::sched_getcpu()).ok()
        }
        #[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"), not(miri))))]
        pub(crate) fn cpu() -> Option<u32> {
            None
        }
    }

    /// The pointer to the current thread's record. Const-initialised and without a destructor: it can be read always.
    pub(crate) mod slot {
        use crate::platform::Thread;
        use std::cell::Cell;

        thread_local! {
            static CURRENT: Cell<*const Thread> = const { Cell::new(std::ptr::null()) };
        }

        #[inline]
        pub(crate) fn get() -> *const Thread {
            CURRENT.get()
        }
        pub(crate) fn replace(thread: *const Thread) -> *const Thread {
            CURRENT.replace(thread)
        }
    }

    /// A cell with loom's interface.
    #[derive(Debug, Default)]
    pub(crate) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

    impl<T> UnsafeCell<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(std::cell::UnsafeCell::new(value))
        }
        pub(crate) fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
            f(self.0.get())
        }
        pub(crate) fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
            f(self.0.get())
        }
    }
}

#[cfg(loom)]
mod of_loom {
    pub(crate) use loom::cell::UnsafeCell;
    use loom::sync::{RwLockReadGuard, RwLockWriteGuard};

    pub(crate) use loom::sync::MutexGuard;
    pub(crate) use loom::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering};

    /// loom's mutex with parking_lot's interface.
    #[derive(Debug, Default)]
    pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(loom::sync::Mutex::new(value))
        }
        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().expect("no model panics under a lock")
        }
        pub(crate) fn get_mut(&mut self) -> &mut T {
            self.0.get_mut().expect("no model panics under a lock")
        }
    }

    /// loom's lock for readers and writers with parking_lot's interface.
    #[derive(Debug, Default)]
    pub(crate) struct RwLock<T>(loom::sync::RwLock<T>);

    impl<T> RwLock<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(loom::sync::RwLock::new(value))
        }
        pub(crate) fn read(&self) -> RwLockReadGuard<'_, T> {
            self.0.read().expect("no model panics under a lock")
        }
        pub(crate) fn write(&self) -> RwLockWriteGuard<'_, T> {
            self.0.write().expect("no model panics under a lock")
        }
    }

    /// loom's threads. Time stands still in a model: a timed wait never times out.
    pub(crate) mod thread {
        pub(crate) use loom::thread::{Thread, current, park};

        pub(crate) fn park_timeout(_: std::time::Duration) {
            park();
        }
        pub(crate) fn spawn(_name: String, body: impl FnOnce() + Send + 'static) {
            loom::thread::spawn(body);
        }
        /// Nobody spins in a model.
        pub(crate) fn cpu() -> Option<u32> {
            None
        }
    }

    /// The pointer to the current thread's record, for each of loom's threads.
    pub(crate) mod slot {
        use crate::platform::Thread;
        use std::cell::Cell;

        loom::thread_local! {
            static CURRENT: Cell<*const Thread> = Cell::new(std::ptr::null());
        }

        pub(crate) fn get() -> *const Thread {
            CURRENT.try_with(Cell::get).unwrap_or(std::ptr::null())
        }
        pub(crate) fn replace(thread: *const Thread) -> *const Thread {
            CURRENT.with(|slot| slot.replace(thread))
        }
    }
}

//! Values that each thread has for itself: in a world each simulated thread, elsewhere each thread of the machine.
//!
//! In a world a value lies in the slot of its thread. It is made at the first use and dropped on the thread itself when
//! that ends, the latest first. Nobody else touches it, so using it is no step.

use crate::world;
use oleander::platform;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::thread::AccessError;

/// Declares values that each thread has for itself, as the standard library's macro of that name does.
///
/// ```
/// use std::cell::Cell;
///
/// oleander_sim::thread_local! {
///     static CALLS: Cell<u32> = Cell::new(0);
/// }
///
/// oleander_sim::run(|| {
///     CALLS.set(1);
///     let other = oleander_sim::thread::spawn(|| CALLS.get());
///     assert_eq!(other.join().unwrap(), 0);
///     assert_eq!(CALLS.get(), 1);
/// })
/// .expect_completed();
/// ```
#[macro_export]
macro_rules! thread_local {
    ($($(#[$attribute:meta])* $visible:vis static $name:ident: $type:ty = $init:expr;)*) => {
        $(
            $(#[$attribute])*
            $visible static $name: $crate::thread::LocalKey<$type> = {
                fn init() -> $type {
                    $init
                }
                ::std::thread_local! {
                    static HOST: $type = init();
                }
                $crate::thread::LocalKey::new(init, &HOST)
            };
        )*
    };
    ($($(#[$attribute:meta])* $visible:vis static $name:ident: $type:ty = $init:expr)*) => {
        $crate::thread_local! { $($(#[$attribute])* $visible static $name: $type = $init;)* }
    };
}

/// What [`crate::thread_local!`] declares.
pub struct LocalKey<T: 'static> {
    init: fn() -> T,
    host: &'static std::thread::LocalKey<T>,
}

impl<T: 'static> LocalKey<T> {
    #[doc(hidden)]
    pub const fn new(init: fn() -> T, host: &'static std::thread::LocalKey<T>) -> Self {
        Self { init, host }
    }

    /// Calls `f` with the current thread's value.
    ///
    /// # Panics
    /// Outside a world, while the thread's values are being dropped.
    pub fn with<R>(&'static self, f: impl FnOnce(&T) -> R) -> R {
        if !platform::is_simulated() {
            return self.host.with(f);
        }
        f(&self.of_world())
    }

    /// As [`Self::with`], without the panic.
    ///
    /// # Errors
    /// Outside a world, while the thread's values are being dropped.
    pub fn try_with<R>(&'static self, f: impl FnOnce(&T) -> R) -> Result<R, AccessError> {
        if !platform::is_simulated() {
            return self.host.try_with(f);
        }
        Ok(f(&self.of_world()))
    }

    fn of_world(&'static self) -> Rc<T> {
        let key = std::ptr::from_ref(self) as usize;
        if let Some(known) = world::with_here(|world| world.local(key)) {
            return known.downcast().expect("a key has values of one type");
        }
        let value = Rc::new((self.init)());
        let first = world::with_here(|world| world.add_local(key, value.clone()));
        if first {
            platform::current().at_exit(Box::new(drop_all));
        }
        value
    }
}

/// Drops the current thread's values, the latest first. One that is made meanwhile goes too.
fn drop_all() {
    while let Some(value) = world::with_here(|world| world.pop_local()) {
        drop(value);
    }
}

impl<T: 'static> LocalKey<Cell<T>> {
    /// Sets the current thread's value.
    pub fn set(&'static self, value: T) {
        self.with(|cell| cell.set(value));
    }

    /// A copy of the current thread's value.
    pub fn get(&'static self) -> T
    where
        T: Copy,
    {
        self.with(Cell::get)
    }

    /// Puts another value in the place of the current thread's, which it gives.
    pub fn replace(&'static self, value: T) -> T {
        self.with(|cell| cell.replace(value))
    }

    /// Takes the current thread's value and leaves the default.
    pub fn take(&'static self) -> T
    where
        T: Default,
    {
        self.with(Cell::take)
    }
}

impl<T: 'static> LocalKey<RefCell<T>> {
    /// Calls `f` with the borrowed value.
    ///
    /// # Panics
    /// If it is mutably borrowed.
    pub fn with_borrow<R>(&'static self, f: impl FnOnce(&T) -> R) -> R {
        self.with(|cell| f(&cell.borrow()))
    }

    /// Calls `f` with the mutably borrowed value.
    ///
    /// # Panics
    /// If it is borrowed.
    pub fn with_borrow_mut<R>(&'static self, f: impl FnOnce(&mut T) -> R) -> R {
        self.with(|cell| f(&mut cell.borrow_mut()))
    }

    /// Sets the current thread's value.
    ///
    /// # Panics
    /// If it is borrowed.
    pub fn set(&'static self, value: T) {
        drop(self.replace(value));
    }

    /// Puts another value in the place of the current thread's, which it gives.
    ///
    /// # Panics
    /// If it is borrowed.
    pub fn replace(&'static self, value: T) -> T {
        self.with(|cell| cell.replace(value))
    }

    /// Takes the current thread's value and leaves the default.
    ///
    /// # Panics
    /// If it is borrowed.
    pub fn take(&'static self) -> T
    where
        T: Default,
    {
        self.with(RefCell::take)
    }
}

//! The outer object of a client's call object, as the article writes it: an ISynchronize of its own around the inner one's;
//! everything else comes from the inner object. A `return` of the row takes the place of the inner object's answer, and so
//! does `forward`, which asks the inner object before the lines that follow.
//!
//! One that is agile is called on whatever thread completes the call, the other in its own apartment.

use super::Player;
use crate::run::Inside;
use oleander::object::Inner;
use oleander::windows_core::{ComObject, GUID, HRESULT, IUnknown, Interface, InterfaceRef};
use oleander::*;
use std::ffi::c_void;

macro_rules! outer {
    ($outer:ident, $inside:ident $(, $agile:ident)?) => {
        /// The outer object.
        #[com_class(ISynchronize, $($agile,)? blind = inner)]
        pub struct $outer {
            inner: Inner,
            player: Player,
        }

        impl $outer {
            /// Makes an outer object and has something made under it; gives the outer's unknown.
            pub fn around(
                player: Player,
                make: impl FnOnce(*mut c_void, *const GUID, *mut *mut c_void) -> HRESULT,
            ) -> Result<*mut c_void, HRESULT> {
                let outer = ComObject::new(Self { inner: Inner::new(), player });
                // SAFETY: the field is the outer's own, and `make` gives a non-delegating unknown.
                unsafe { outer.aggregate(&outer.inner, make) }.map_err(|error| error.code())?;
                Ok(outer.to_interface::<IUnknown>().into_raw())
            }
        }

        impl $inside {
            fn sync(&self) -> InterfaceRef<'_, ISynchronize> {
                self.inner.cached::<ISynchronize>().expect("the inner object has it")
            }

            fn method(&self, name: &str) -> Inside {
                self.player.method_of(name, None, self.sync().as_raw())
            }
        }

        impl ISynchronize_Impl for $inside {
            unsafe fn Wait(&self, flags: u32, ms: u32) -> HRESULT {
                match self.method("Wait") {
                    said if said.returns.is_some() => said.hr(),
                    // SAFETY: the inner object lives as long as this one.
                    _ => unsafe { self.sync().Wait(flags, ms) },
                }
            }
            unsafe fn Signal(&self) -> HRESULT {
                match self.method("Signal") {
                    said if said.returns.is_some() => said.hr(),
                    // SAFETY: as above.
                    _ => unsafe { self.sync().Signal() },
                }
            }
            unsafe fn Reset(&self) -> HRESULT {
                match self.method("Reset") {
                    said if said.returns.is_some() => said.hr(),
                    // SAFETY: as above.
                    _ => unsafe { self.sync().Reset() },
                }
            }
        }

        impl Drop for $outer {
            fn drop(&mut self) {
                self.player.dropped();
            }
        }
    };
}

outer!(Outer, Outer_Impl);
outer!(AgileOuter, AgileOuter_Impl, agile);

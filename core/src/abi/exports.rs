//! The one macro through which every function of the surface is defined.
//!
//! It gives the function its documented calling convention, exports it under its own C name when the feature `c-names`
//! is on (never on Windows, where the names belong to the system), and keeps panics inside. With the feature `windows`, on
//! Windows, it is the dispatcher: a thread that has the system's COM (`backend.rs`) is sent there, and the compiler checks
//! that the system's function has the emulation's type.

/// Defines functions of the surface: `export! { /// docs … pub unsafe fn CoName(args) -> HRESULT { … } }`.
macro_rules! export {
    ($($(#[$attr:meta])* pub unsafe fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block)*) => { $(
        $(#[$attr])*
        #[cfg_attr(all(feature = "c-names", not(windows)), unsafe(no_mangle))]
        #[allow(clippy::too_many_arguments)]
        pub unsafe extern "system" fn $name($($arg: $ty),*) $(-> $ret)? {
            #[cfg(all(windows, feature = "windows"))]
            {
                const SYSTEM: unsafe extern "system" fn($($ty),*) $(-> $ret)? = $crate::abi::system::$name;
                if $crate::backend::is_system() {
                    // SAFETY: the caller's promises are those of the system's function.
                    return unsafe { SYSTEM($($arg),*) };
                }
            }
            $crate::object::guard::call(|| $body)
        }
    )* };
}
pub(crate) use export;

//! The one macro through which every function of the surface is defined.
//!
//! It gives the function its documented calling convention, exports it under its own C name when the feature `c-names`
//! is on (never on Windows, where the names belong to the system), and keeps panics inside.

/// Defines functions of the surface: `export! { /// docs … pub unsafe fn CoName(args) -> HRESULT { … } }`.
macro_rules! export {
    ($($(#[$attr:meta])* pub unsafe fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block)*) => { $(
        $(#[$attr])*
        #[cfg_attr(all(feature = "c-names", not(windows)), unsafe(no_mangle))]
        #[allow(clippy::too_many_arguments)]
        pub unsafe extern "system" fn $name($($arg: $ty),*) $(-> $ret)? {
            $crate::object::guard::call(|| $body)
        }
    )* };
}
pub(crate) use export;

//! What `windows-bindgen` 0.62 makes of the metadata, and who implements it: the C names of Oleander. The test `current` says
//! whether the bindings are those that it makes, and how to make them again.

// Links the functions in.
use oleander as _;

/// `windows-core` with the trait that it has on Windows only, and that the generated handles implement.
mod windows_core {
    pub use ::windows_core::*;

    /// What can be freed.
    #[allow(dead_code, reason = "nobody here frees a handle through it")]
    pub trait Free {
        /// Frees it.
        ///
        /// # Safety
        /// Nobody uses it any more.
        unsafe fn free(&mut self);
    }
}

/// The bindings, as they were generated.
#[allow(
    missing_docs,
    dead_code,
    clippy::all,
    clippy::undocumented_unsafe_blocks,
    reason = "the generator has a style of its own"
)]
pub mod bindings {
    use super::windows_core;
    include!("bindings.generated");
}

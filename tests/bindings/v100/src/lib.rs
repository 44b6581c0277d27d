//! What `windows-bindgen` 0.100 makes of the metadata, and who implements it: the C names of Oleander. The test `current` says
//! whether the bindings are those that it makes, and how to make them again.

// Links the functions in.
use oleander as _;

/// The bindings, as they were generated.
#[allow(
    missing_docs,
    dead_code,
    clippy::all,
    clippy::undocumented_unsafe_blocks,
    reason = "the generator has a style of its own"
)]
pub mod bindings {
    include!("bindings.generated");
}

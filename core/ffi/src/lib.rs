//! `oleander` as a C library: every function of the surface under its own name.
//!
//! The crate adds nothing: it turns on the feature `c-names` of `oleander` and is linked as a `cdylib` and a
//! `staticlib`. The header is `include/oleander.h`.

pub use oleander;

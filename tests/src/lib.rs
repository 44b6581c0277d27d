//! What goes across packages: conformance rows, the house's style, and the README's examples as doc-tests.

/// The README: its Rust blocks are compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;

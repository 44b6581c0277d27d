//! What goes across packages: conformance rows, the house's style, and the examples of the pages as doc-tests.

/// The pages whose Rust blocks are compiled and run.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../../README.md")]
    pub struct Readme;
    #[doc = include_str!("../../docs/src/c-and-cpp.md")]
    pub struct CAndCpp;
    #[doc = include_str!("../../docs/src/sieve.md")]
    pub struct Sieve;
    #[doc = include_str!("../../docs/src/simulator.md")]
    pub struct Simulator;
}

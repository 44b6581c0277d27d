//! COM's asynchronous calls, on every machine.

// The macros name this crate by its own name.
extern crate self as oleander;

pub use windows_core;

pub mod abi;
pub mod kernel;
pub mod object;
pub mod platform;
pub mod process;

pub use oleander_macros::interface;

mod apartment;

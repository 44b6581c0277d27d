//! The interfaces of the machinery (facts section 1.3), in vtable order, one topic a file.

mod advise;
mod calls;
mod channel;
mod contexts;
mod enumerators;
mod marshaling;
mod memory;
mod objects;
mod persist;
mod pipes;
mod security;
mod streams;
mod synchronize;
mod unknown;

pub use advise::*;
pub use calls::*;
pub use channel::*;
pub use contexts::*;
pub use enumerators::*;
pub use marshaling::*;
pub use memory::*;
pub use objects::*;
pub use persist::*;
pub use pipes::*;
pub use security::*;
pub use streams::*;
pub use synchronize::*;
pub use unknown::*;

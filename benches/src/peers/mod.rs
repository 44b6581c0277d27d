//! What one would use instead: written by hand, and, with the feature `peers`, of other crates.

pub mod by_hand;
#[cfg(target_os = "linux")]
pub mod futex;

#[cfg(feature = "peers")]
pub mod actors;
#[cfg(feature = "peers")]
pub mod channels;
#[cfg(feature = "peers")]
pub mod events;

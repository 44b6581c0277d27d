//! Proxies tied straight to stubs by a loopback channel: no apartments, no threads.

mod loopback;
mod parameters;
mod sieve;

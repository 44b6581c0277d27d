//! Apartments.

mod thread_state;

pub(crate) use thread_state::ThreadState;

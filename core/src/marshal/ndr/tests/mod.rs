//! Tests of the NDR runtime.

pub(crate) mod table;

//! Objects: identity, reference counts, aggregation, class factories.

pub mod guard;

//! Tests of oleander, the same on every backend.

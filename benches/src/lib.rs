//! Benchmarks of oleander; see `benches/benches`.

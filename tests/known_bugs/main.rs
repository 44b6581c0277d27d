//! Known bugs: programs that must fail in the expected way, each with a repaired twin that must not.

mod calibration;
mod com;
mod soundness;

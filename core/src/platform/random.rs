//! Random numbers, for ids: the machine's on host threads. In a simulated world nothing may be random that a schedule does
//! not say, so there they are made of the thread's number and of how many the thread has drawn: the same in every run, and
//! never an operation on something shared.

use super::with_current;

/// 128 bits that nobody has drawn before; none when the machine has no source of them.
pub fn random_bits() -> Option<u128> {
    with_current(|thread| {
        if !thread.is_simulated() {
            let mut bytes = [0; 16];
            getrandom::fill(&mut bytes).ok()?;
            return Some(u128::from_ne_bytes(bytes));
        }
        let drawn = &thread.com().drawn;
        drawn.set(drawn.get().wrapping_add(1));
        let seed = u64::from(thread.id()) << 32 | u64::from(drawn.get());
        Some(u128::from(scatter(seed)) << 64 | u128::from(scatter(!seed)))
    })
}

/// SplitMix64: one number for each number, without a pattern.
fn scatter(seed: u64) -> u64 {
    let mut bits = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ bits >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ bits >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ bits >> 31
}

//! The sieve of the example, which counts primes while its method lasts.

#[path = "../../core/examples/sieve/counting.rs"]
mod counting;
#[path = "../../core/examples/sieve/interface.rs"]
mod interface;

pub use interface::{AsyncISieve, CLSID_Sieve, ISieve, ISieve_Impl};

use oleander::windows_core::HRESULT;
use oleander::{S_OK, com_class};

#[com_class(ISieve)]
struct Sieve;

impl ISieve_Impl for Sieve_Impl {
    unsafe fn CountPrimes(&self, lMax: u32, plResult: *mut u32) -> HRESULT {
        let primes = counting::count_primes(lMax, || true).expect("nobody stops it");
        // SAFETY: the stub passes room for the result.
        unsafe { *plResult = primes };
        S_OK
    }
}

/// An object, in the calling thread's apartment.
pub fn sieve() -> ISieve {
    Sieve.into()
}

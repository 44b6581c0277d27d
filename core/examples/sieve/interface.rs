//! The contract between client and server: the article's ISieve and the class that has it.

use oleander::async_interface;
use oleander::windows_core::{GUID, HRESULT, IUnknown};

/// Counts primes. The attribute also makes `AsyncISieve`, with `Begin_CountPrimes` and `Finish_CountPrimes`, and the
/// proxies and stubs of both: this is all that MIDL would be told.
#[async_interface(uuid = "6b7f9b1a-54c3-4d0e-9a86-0d3c5a1f2e01", async_uuid = "6b7f9b1a-54c3-4d0e-9a86-0d3c5a1f2e02")]
pub unsafe trait ISieve: IUnknown {
    /// How many primes there are from 2 to `lMax`.
    fn CountPrimes(&self, #[idl(in)] lMax: u32, #[idl(out)] plResult: *mut u32) -> HRESULT;
}

/// The class of the server's objects.
pub const CLSID_Sieve: GUID = GUID::from_u128(0x6b7f9b1a_54c3_4d0e_9a86_0d3c5a1f2e03);

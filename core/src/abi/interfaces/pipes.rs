//! Pipes of bytes and numbers, with their asynchronous twins (IID-14). In vtable order.

use crate::async_interface;
use windows_core::{HRESULT, IUnknown};

/// A pipe of bytes (IID-14).
#[async_interface(uuid = "DB2F3ACA-2F86-11D1-8E04-00C04FB9989A", async_uuid = "DB2F3ACB-2F86-11D1-8E04-00C04FB9989A")]
pub unsafe trait IPipeByte: IUnknown {
    /// Takes up to `cRequest` elements out; `pcReturned` says how many there were, 0 at the end.
    fn Pull(
        &self,
        #[idl(out, size_is(cRequest), length_is(*pcReturned))] buf: *mut u8,
        #[idl(in)] cRequest: u32,
        #[idl(out)] pcReturned: *mut u32,
    ) -> HRESULT;
    /// Puts `cSent` elements in; 0 is the end.
    fn Push(&self, #[idl(in, size_is(cSent))] buf: *const u8, #[idl(in)] cSent: u32) -> HRESULT;
}

/// A pipe of 32-bit integers (IID-14).
#[async_interface(uuid = "DB2F3ACC-2F86-11D1-8E04-00C04FB9989A", async_uuid = "DB2F3ACD-2F86-11D1-8E04-00C04FB9989A")]
pub unsafe trait IPipeLong: IUnknown {
    /// Takes up to `cRequest` elements out; `pcReturned` says how many there were, 0 at the end.
    fn Pull(
        &self,
        #[idl(out, size_is(cRequest), length_is(*pcReturned))] buf: *mut i32,
        #[idl(in)] cRequest: u32,
        #[idl(out)] pcReturned: *mut u32,
    ) -> HRESULT;
    /// Puts `cSent` elements in; 0 is the end.
    fn Push(&self, #[idl(in, size_is(cSent))] buf: *const i32, #[idl(in)] cSent: u32) -> HRESULT;
}

/// A pipe of floating-point numbers (IID-14).
#[async_interface(uuid = "DB2F3ACE-2F86-11D1-8E04-00C04FB9989A", async_uuid = "DB2F3ACF-2F86-11D1-8E04-00C04FB9989A")]
pub unsafe trait IPipeDouble: IUnknown {
    /// Takes up to `cRequest` elements out; `pcReturned` says how many there were, 0 at the end.
    fn Pull(
        &self,
        #[idl(out, size_is(cRequest), length_is(*pcReturned))] buf: *mut f64,
        #[idl(in)] cRequest: u32,
        #[idl(out)] pcReturned: *mut u32,
    ) -> HRESULT;
    /// Puts `cSent` elements in; 0 is the end.
    fn Push(&self, #[idl(in, size_is(cSent))] buf: *const f64, #[idl(in)] cSent: u32) -> HRESULT;
}

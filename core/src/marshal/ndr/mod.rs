//! NDR 2.0, little endian: how parameters lie in a buffer.
//!
//! A value has a flat part, aligned by its own rule from the buffer's start, and a tail: what its embedded pointers
//! point at, which comes after the whole construct that holds the pointers, depth first, left to right.
//!
//! | type | flat part | tail |
//! | --- | --- | --- |
//! | integers, floats, `bool`, `BOOL`, `HRESULT` | their bytes | - |
//! | enums (`#[derive(Ndr)]`) | 32 bits | - |
//! | `GUID`, structures, fixed arrays | their fields | the fields' tails |
//! | unique pointer | 32-bit referent id, 0 for null | the pointee, then its tail |
//! | string | as a unique pointer | maximum, offset 0, length, characters with the terminating zero |
//! | `BSTR` | as a unique pointer | maximum, bytes, characters, characters |
//! | interface pointer | as a unique pointer | size, size, object reference |
//! | array with `size_is` | - (top level) | maximum, elements, the elements' tails |
//! | with `length_is` | - (top level) | maximum, offset 0, length, elements, tails |
//!
//! The same code counts and writes ([`Writer`]); reading ([`Reader`]) trusts nothing: every step is checked against the
//! bytes that remain, before anything is allocated. Memory that crosses in an \[out\] parameter comes from
//! `CoTaskMemAlloc`, strings of type BSTR from `SysAllocString`.
//!
//! Values in memory: all-zero is always a value, and a value that was read in part may be freed with [`Ndr::free`].

pub mod array;
mod bstr;
mod count;
mod format;
pub mod interface_pointer;
mod medium;
pub mod memory;
mod pointer;
mod reader;
mod scalars;
pub mod sized;
pub mod string;
#[cfg(test)]
pub(crate) mod tests;
mod writer;

pub use count::{Count, IntoCount};
pub use pointer::DEFERRED;
pub use reader::Reader;
pub use string::{Character, Str};
pub use writer::Writer;

use crate::abi::hresult::RPC_X_BAD_STUB_DATA_HR;
use windows_core::HRESULT;

/// The result of a step; the error is what the call fails with.
pub type Result<T = ()> = std::result::Result<T, HRESULT>;

/// The error of malformed bytes.
pub const BAD: HRESULT = RPC_X_BAD_STUB_DATA_HR;

/// A result of the code that an HRESULT is.
#[inline]
pub fn check(hr: HRESULT) -> Result {
    if hr.is_err() { Err(hr) } else { Ok(()) }
}

/// The bytes that a referent id, a count or a size takes.
pub const WORD: u32 = 4;

/// A type that can be marshaled. Derive it for structures and enums.
///
/// # Safety
/// - All-zero bytes are a valid value that owns nothing.
/// - `read` and `read_tail` write only what `free` can free, whether they succeed or not; after both succeeded the value
///   is valid.
/// - `SIZE_MIN` is not above what `write` writes at least, and above 0.
/// - `PLAIN` is true only if the value's bytes in memory are its bytes in the buffer, all of them are initialised, every
///   combination of them is a valid value, and there is no tail.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be marshaled",
    label = "no way to put this into a buffer",
    note = "structures and enums get it by `#[derive(Ndr)]`; `usize` has no size that both sides agree on"
)]
pub unsafe trait Ndr: Sized {
    /// The type itself. Generated code names types through this, so that a type that cannot be marshaled makes one error
    /// and not one for each use.
    type Itself;
    /// The alignment of the flat part in the buffer.
    const ALIGN: u32;
    /// The least size of the flat part.
    const SIZE_MIN: u32;
    /// Whether memory and buffer agree byte for byte.
    const PLAIN: bool = false;

    /// Writes the flat part.
    ///
    /// # Safety
    /// `this` points at a valid value.
    unsafe fn write(this: *const Self, w: &mut Writer<'_>) -> Result;

    /// Writes what the value's pointers point at.
    ///
    /// # Safety
    /// `this` points at a valid value.
    unsafe fn write_tail(_this: *const Self, _w: &mut Writer<'_>) -> Result {
        Ok(())
    }

    /// Reads the flat part into zeroed memory.
    ///
    /// # Safety
    /// `this` points at a zeroed value.
    unsafe fn read(this: *mut Self, r: &mut Reader<'_>) -> Result;

    /// Reads what the value's pointers point at.
    ///
    /// # Safety
    /// `this` points at a value of which the flat part was read.
    unsafe fn read_tail(_this: *mut Self, _r: &mut Reader<'_>) -> Result {
        Ok(())
    }

    /// Frees what the value owns. The value is not to be used after it.
    ///
    /// # Safety
    /// `this` points at a value that was read, wholly or in part, or at a valid value that owns its pointees.
    unsafe fn free(_this: *mut Self) {}
}

/// A type that can be a parameter by value: the caller keeps it, so what the method gets is a copy.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be passed by value",
    label = "a parameter by value is copied, so its type is `Copy`; or pass a pointer"
)]
pub trait ByValue {}

impl<T: Copy> ByValue for T {}

/// Does not compile unless the type can be passed by value.
pub const fn check_by_value<T: ByValue>() {}

/// Writes a value with its tail.
///
/// # Safety
/// `this` points at a valid value.
pub unsafe fn write<T: Ndr>(this: *const T, w: &mut Writer<'_>) -> Result {
    // SAFETY: the caller's promise.
    unsafe {
        T::write(this, w)?;
        T::write_tail(this, w)
    }
}

/// Reads a value with its tail into zeroed memory.
///
/// # Safety
/// `this` points at a zeroed value.
pub unsafe fn read<T: Ndr>(this: *mut T, r: &mut Reader<'_>) -> Result {
    // SAFETY: the caller's promise.
    unsafe {
        T::read(this, r)?;
        T::read_tail(this, r)
    }
}

//! The parameters of a call on the client: descriptors over the caller's own memory.
//!
//! A generated method makes a list of descriptors for what goes out (`(In::new(&x), (…, ()))`) and one for what comes
//! back, and hands both to [`super::interface_proxy::call`]. The steps, in this order:
//!
//! 1. `check` both lists: a pointer that must not be null is not. Nothing is read through a pointer before.
//! 2. `measure` both: sizes are worked out, once, because [in, out] parameters may change them.
//! 3. `write` what goes out, twice: counting, then into the channel's buffer.
//! 4. `zero` the \[out\] memory: not before, for a caller may pass one variable as \[in\] and as \[out\].
//! 5. `read` what comes back; when that fails, `clear` frees what was read and leaves \[out\] memory zero.
//!
//! When step 1 or 2 fails, `blank` zeroes the \[out\] memory that is there; when step 3 does, `zero`.

mod ins;
mod outs;

pub use ins::{In, InArray, InInterface, InInterfaceRef, InRef, InString};
pub use outs::{InOut, InOutArray, InOutInterface, Out, OutArray, OutInterface};

use crate::abi::hresult::RPC_X_NULL_REF_POINTER_HR;
use crate::marshal::ndr::{Reader, Result, Writer};

/// What goes to the server.
pub trait Ins {
    /// Whether all pointers are there that must be.
    fn check(&self) -> Result;

    /// Works out sizes.
    ///
    /// # Safety
    /// `check` succeeded, and the caller of the method passed valid parameters.
    unsafe fn measure(&self) -> Result;

    /// Writes the parameter, or counts it.
    ///
    /// # Safety
    /// `measure` succeeded.
    unsafe fn write(&self, w: &mut Writer<'_>) -> Result;
}

/// What comes back.
pub trait Outs {
    /// Whether all pointers are there.
    fn check(&self) -> Result;

    /// Zeroes the memory of a parameter that is there, as far as its size is known.
    ///
    /// # Safety
    /// The caller of the method passed valid parameters, or null.
    unsafe fn blank(&self);

    /// Works out sizes.
    ///
    /// # Safety
    /// As for [`Ins::measure`].
    unsafe fn measure(&self) -> Result;

    /// Zeroes the memory; what lies in it is not freed.
    ///
    /// # Safety
    /// `measure` succeeded.
    unsafe fn zero(&self);

    /// Reads the parameter.
    ///
    /// # Safety
    /// After `zero`.
    unsafe fn read(&self, r: &mut Reader<'_>) -> Result;

    /// Frees what was read and zeroes the memory.
    ///
    /// # Safety
    /// After `zero`.
    unsafe fn clear(&self);
}

impl Ins for () {
    fn check(&self) -> Result {
        Ok(())
    }
    unsafe fn measure(&self) -> Result {
        Ok(())
    }
    unsafe fn write(&self, _w: &mut Writer<'_>) -> Result {
        Ok(())
    }
}

impl<A: Ins, B: Ins> Ins for (A, B) {
    fn check(&self) -> Result {
        self.0.check()?;
        self.1.check()
    }
    #[inline]
    unsafe fn measure(&self) -> Result {
        // SAFETY: the caller's promise, for each.
        unsafe {
            self.0.measure()?;
            self.1.measure()
        }
    }
    #[inline]
    unsafe fn write(&self, w: &mut Writer<'_>) -> Result {
        // SAFETY: the caller's promise, for each.
        unsafe {
            self.0.write(w)?;
            self.1.write(w)
        }
    }
}

impl Outs for () {
    fn check(&self) -> Result {
        Ok(())
    }
    unsafe fn blank(&self) {}
    unsafe fn measure(&self) -> Result {
        Ok(())
    }
    unsafe fn zero(&self) {}
    unsafe fn read(&self, _r: &mut Reader<'_>) -> Result {
        Ok(())
    }
    unsafe fn clear(&self) {}
}

impl<A: Outs, B: Outs> Outs for (A, B) {
    fn check(&self) -> Result {
        self.0.check()?;
        self.1.check()
    }
    unsafe fn blank(&self) {
        // SAFETY: the caller's promise, for each.
        unsafe {
            self.0.blank();
            self.1.blank();
        }
    }
    #[inline]
    unsafe fn measure(&self) -> Result {
        // SAFETY: the caller's promise, for each.
        unsafe {
            self.0.measure()?;
            self.1.measure()
        }
    }
    #[inline]
    unsafe fn zero(&self) {
        // SAFETY: the caller's promise, for each.
        unsafe {
            self.0.zero();
            self.1.zero();
        }
    }
    #[inline]
    unsafe fn read(&self, r: &mut Reader<'_>) -> Result {
        // SAFETY: the caller's promise, for each.
        unsafe {
            self.0.read(r)?;
            self.1.read(r)
        }
    }
    unsafe fn clear(&self) {
        // SAFETY: the caller's promise, for each.
        unsafe {
            self.0.clear();
            self.1.clear();
        }
    }
}

/// `RPC_X_NULL_REF_POINTER` for a null pointer.
fn not_null<T>(pointer: *const T) -> Result {
    if pointer.is_null() { Err(RPC_X_NULL_REF_POINTER_HR) } else { Ok(()) }
}

/// No expression: the place of `length_is` where there is none.
pub type NoLength = fn() -> Result<u32>;

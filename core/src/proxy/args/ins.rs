//! What goes to the server.

use super::{Ins, not_null};
use crate::marshal::ndr::{self, Character, Ndr, Result, Writer, array, interface_pointer, string};
use std::cell::Cell;
use std::ffi::c_void;
use windows_core::GUID;

/// A parameter by value; a `unique` pointer too.
pub struct In<'a, T>(&'a T);

impl<'a, T: Ndr> In<'a, T> {
    /// Over the parameter itself.
    pub fn new(value: &'a T) -> Self {
        Self(value)
    }
}

impl<T: Ndr> Ins for In<'_, T> {
    fn check(&self) -> Result {
        Ok(())
    }
    #[inline]
    unsafe fn measure(&self) -> Result {
        Ok(())
    }
    #[inline]
    unsafe fn write(&self, w: &mut Writer<'_>) -> Result {
        // SAFETY: the caller of the method passed a valid value.
        unsafe { ndr::write(self.0, w) }
    }
}

/// A pointer to one value.
pub struct InRef<T>(*const T);

impl<T: Ndr> InRef<T> {
    /// Over the parameter.
    pub fn new(pointer: *const T) -> Self {
        Self(pointer)
    }
}

impl<T: Ndr> Ins for InRef<T> {
    fn check(&self) -> Result {
        not_null(self.0)
    }
    unsafe fn measure(&self) -> Result {
        Ok(())
    }
    unsafe fn write(&self, w: &mut Writer<'_>) -> Result {
        // SAFETY: not null, and the caller of the method vouches for it.
        unsafe { ndr::write(self.0, w) }
    }
}

/// A pointer to as many values as `size` says, of which `length` go over.
pub struct InArray<T, S, L> {
    first: *const T,
    unique: bool,
    size: S,
    length: Option<L>,
    counts: Cell<(u32, u32)>,
}

impl<T: Ndr, S: Fn() -> Result<u32>, L: Fn() -> Result<u32>> InArray<T, S, L> {
    /// Over the parameter; `unique` allows null.
    pub fn new(first: *const T, unique: bool, size: S, length: Option<L>) -> Self {
        Self { first, unique, size, length, counts: Cell::new((0, 0)) }
    }
}

impl<T: Ndr, S: Fn() -> Result<u32>, L: Fn() -> Result<u32>> Ins for InArray<T, S, L> {
    fn check(&self) -> Result {
        if self.unique { Ok(()) } else { not_null(self.first) }
    }
    unsafe fn measure(&self) -> Result {
        let size = (self.size)()?;
        let length = self.length.as_ref().map_or(Ok(size), |length| length())?;
        self.counts.set((size, length));
        Ok(())
    }
    unsafe fn write(&self, w: &mut Writer<'_>) -> Result {
        if self.unique {
            w.referent(self.first.is_null())?;
            if self.first.is_null() {
                return Ok(());
            }
        }
        let (size, length) = self.counts.get();
        // SAFETY: the caller of the method passed an array of the size that it says.
        unsafe { array::write(self.first, size, self.length.is_some().then_some(length), w) }
    }
}

/// A pointer to a string.
pub struct InString<C> {
    string: *const C,
    unique: bool,
}

impl<C: Character> InString<C> {
    /// Over the parameter; `unique` allows null.
    pub fn new(string: *const C, unique: bool) -> Self {
        Self { string, unique }
    }
}

impl<C: Character> Ins for InString<C> {
    fn check(&self) -> Result {
        if self.unique { Ok(()) } else { not_null(self.string) }
    }
    unsafe fn measure(&self) -> Result {
        Ok(())
    }
    unsafe fn write(&self, w: &mut Writer<'_>) -> Result {
        if self.unique {
            w.referent(self.string.is_null())?;
            if self.string.is_null() {
                return Ok(());
            }
        }
        // SAFETY: the caller of the method passed a string that ends.
        unsafe { string::write(self.string, w) }
    }
}

/// An interface pointer of an interface that another parameter names, or that its type names; null is allowed.
pub struct InInterface<F> {
    pointer: *mut c_void,
    iid: F,
}

impl<F: Fn() -> Result<GUID>> InInterface<F> {
    /// Over the parameter.
    pub fn new(pointer: *mut c_void, iid: F) -> Self {
        Self { pointer, iid }
    }
}

impl<F: Fn() -> Result<GUID>> Ins for InInterface<F> {
    fn check(&self) -> Result {
        Ok(())
    }
    unsafe fn measure(&self) -> Result {
        Ok(())
    }
    unsafe fn write(&self, w: &mut Writer<'_>) -> Result {
        // SAFETY: the caller of the method passed null or a pointer of that interface.
        unsafe { interface_pointer::write(&(self.iid)()?, self.pointer, w) }
    }
}

/// A pointer to an interface pointer, for [in, out] parameters.
pub struct InInterfaceRef<F> {
    pointer: *const *mut c_void,
    iid: F,
}

impl<F: Fn() -> Result<GUID>> InInterfaceRef<F> {
    /// Over the parameter.
    pub fn new(pointer: *const *mut c_void, iid: F) -> Self {
        Self { pointer, iid }
    }
}

impl<F: Fn() -> Result<GUID>> Ins for InInterfaceRef<F> {
    fn check(&self) -> Result {
        not_null(self.pointer)
    }
    unsafe fn measure(&self) -> Result {
        Ok(())
    }
    unsafe fn write(&self, w: &mut Writer<'_>) -> Result {
        // SAFETY: not null; the caller of the method passed null or a pointer of that interface.
        unsafe { interface_pointer::write(&(self.iid)()?, *self.pointer, w) }
    }
}

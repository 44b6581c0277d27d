//! What comes back from the server.
//!
//! An [in, out] parameter of a synchronous call holds a value of the caller's, which a reply replaces and frees; when the
//! call fails it keeps what it had. In `Finish_` it is a plain [out] (MIDL-04).

use super::{Outs, not_null};
use crate::marshal::ndr::{self, BAD, Ndr, Reader, Result, array, interface_pointer, memory};
use crate::object::raw;
use std::cell::Cell;
use std::ffi::c_void;
use std::mem::MaybeUninit;
use windows_core::GUID;

/// An \[out\] pointer to one value.
pub struct Out<T>(*mut T);

impl<T: Ndr> Out<T> {
    /// Over the parameter.
    pub fn new(pointer: *mut T) -> Self {
        Self(pointer)
    }
}

impl<T: Ndr> Outs for Out<T> {
    fn check(&self) -> Result {
        not_null(self.0)
    }
    unsafe fn blank(&self) {
        if !self.0.is_null() {
            // SAFETY: the caller of the method passed room for a value; zero is one.
            unsafe { self.0.write_bytes(0, 1) };
        }
    }
    #[inline]
    unsafe fn measure(&self) -> Result {
        Ok(())
    }
    #[inline]
    unsafe fn zero(&self) {
        // SAFETY: as above; checked.
        unsafe { self.0.write_bytes(0, 1) };
    }
    #[inline]
    unsafe fn read(&self, r: &mut Reader<'_>) -> Result {
        // SAFETY: zeroed by `zero`.
        unsafe { ndr::read(self.0, r) }
    }
    unsafe fn clear(&self) {
        // SAFETY: it holds what was read, or zero.
        unsafe {
            T::free(self.0);
            self.0.write_bytes(0, 1);
        }
    }
}

/// An [in, out] pointer to one value.
pub struct InOut<T>(*mut T);

impl<T: Ndr> InOut<T> {
    /// Over the parameter.
    pub fn new(pointer: *mut T) -> Self {
        Self(pointer)
    }
}

impl<T: Ndr> Outs for InOut<T> {
    fn check(&self) -> Result {
        not_null(self.0)
    }
    unsafe fn blank(&self) {}
    unsafe fn measure(&self) -> Result {
        Ok(())
    }
    unsafe fn zero(&self) {}
    unsafe fn read(&self, r: &mut Reader<'_>) -> Result {
        let mut new = MaybeUninit::<T>::zeroed();
        // SAFETY: zeroed; what was read goes into the caller's memory or is freed, and so is the caller's old value.
        unsafe {
            if let Err(hr) = ndr::read(new.as_mut_ptr(), r) {
                T::free(new.as_mut_ptr());
                return Err(hr);
            }
            T::free(self.0);
            self.0.copy_from_nonoverlapping(new.as_ptr(), 1);
        }
        Ok(())
    }
    unsafe fn clear(&self) {}
}

/// An \[out\] pointer to as many values as `size` says.
pub struct OutArray<T, S> {
    first: *mut T,
    size: S,
    varying: bool,
    count: Cell<u32>,
}

impl<T: Ndr, S: Fn() -> Result<u32>> OutArray<T, S> {
    /// Over the parameter; `varying` when the server says how many of them it filled.
    pub fn new(first: *mut T, size: S, varying: bool) -> Self {
        Self { first, size, varying, count: Cell::new(0) }
    }
}

/// Reads the header of an array whose size the caller knows; how many elements follow.
fn read_length<T: Ndr>(size: u32, varying: bool, r: &mut Reader<'_>) -> Result<u32> {
    let (max, length) = array::read_header::<T>(varying, r)?;
    if max == size { Ok(length) } else { Err(BAD) }
}

impl<T: Ndr, S: Fn() -> Result<u32>> Outs for OutArray<T, S> {
    fn check(&self) -> Result {
        not_null(self.first)
    }
    unsafe fn blank(&self) {}
    unsafe fn measure(&self) -> Result {
        let count = (self.size)()?;
        array::check_claim::<T>(count)?;
        self.count.set(count);
        Ok(())
    }
    unsafe fn zero(&self) {
        // SAFETY: the caller of the method passed room for that many values.
        unsafe { self.first.write_bytes(0, self.count.get() as usize) };
    }
    unsafe fn read(&self, r: &mut Reader<'_>) -> Result {
        let length = read_length::<T>(self.count.get(), self.varying, r)?;
        // SAFETY: zeroed by `zero`, and the length is not above the size.
        unsafe {
            array::read_flat(self.first, length, r)?;
            array::read_tails(self.first, length, r)
        }
    }
    unsafe fn clear(&self) {
        let count = self.count.get();
        // SAFETY: it holds what was read, or zeros.
        unsafe {
            array::free_elements(self.first, count);
            self.first.write_bytes(0, count as usize);
        }
    }
}

/// An [in, out] pointer to as many values as `size` says.
pub struct InOutArray<T, S>(OutArray<T, S>);

impl<T: Ndr, S: Fn() -> Result<u32>> InOutArray<T, S> {
    /// Over the parameter.
    pub fn new(first: *mut T, size: S, varying: bool) -> Self {
        Self(OutArray::new(first, size, varying))
    }
}

impl<T: Ndr, S: Fn() -> Result<u32>> Outs for InOutArray<T, S> {
    fn check(&self) -> Result {
        self.0.check()
    }
    unsafe fn blank(&self) {}
    unsafe fn measure(&self) -> Result {
        // SAFETY: the caller's promise.
        unsafe { self.0.measure() }
    }
    unsafe fn zero(&self) {}
    unsafe fn read(&self, r: &mut Reader<'_>) -> Result {
        let length = read_length::<T>(self.0.count.get(), self.0.varying, r)?;
        if T::PLAIN {
            // SAFETY: the length is not above the size.
            return unsafe { array::read_flat(self.0.first, length, r) };
        }
        let mut new = std::ptr::null_mut::<T>();
        // SAFETY: what was read goes into the caller's memory or is freed, and so are the caller's old values.
        unsafe {
            let read = array::read_allocated(&mut new, length, length, r);
            if new.is_null() {
                return read;
            }
            match read {
                Ok(()) => {
                    array::free_elements(self.0.first, length);
                    self.0.first.copy_from_nonoverlapping(new, length as usize);
                }
                Err(_) => array::free_elements(new, length),
            }
            memory::free(new.cast());
            read
        }
    }
    unsafe fn clear(&self) {}
}

/// An \[out\] interface pointer of an interface that another parameter names.
pub struct OutInterface<F> {
    pointer: *mut *mut c_void,
    iid: F,
}

impl<F: Fn() -> Result<GUID>> OutInterface<F> {
    /// Over the parameter.
    pub fn new(pointer: *mut *mut c_void, iid: F) -> Self {
        Self { pointer, iid }
    }
}

impl<F: Fn() -> Result<GUID>> Outs for OutInterface<F> {
    fn check(&self) -> Result {
        not_null(self.pointer)
    }
    unsafe fn blank(&self) {
        if !self.pointer.is_null() {
            // SAFETY: the caller of the method passed room for a pointer.
            unsafe { *self.pointer = std::ptr::null_mut() };
        }
    }
    unsafe fn measure(&self) -> Result {
        Ok(())
    }
    unsafe fn zero(&self) {
        // SAFETY: checked.
        unsafe { *self.pointer = std::ptr::null_mut() };
    }
    unsafe fn read(&self, r: &mut Reader<'_>) -> Result {
        let pointer = interface_pointer::read(&(self.iid)()?, r)?;
        // SAFETY: checked.
        unsafe { *self.pointer = pointer };
        Ok(())
    }
    unsafe fn clear(&self) {
        // SAFETY: checked; it holds what was read, or null.
        unsafe {
            let pointer = self.pointer.replace(std::ptr::null_mut());
            if !pointer.is_null() {
                raw::release(pointer);
            }
        }
    }
}

/// An [in, out] interface pointer of an interface that another parameter names.
pub struct InOutInterface<F>(OutInterface<F>);

impl<F: Fn() -> Result<GUID>> InOutInterface<F> {
    /// Over the parameter.
    pub fn new(pointer: *mut *mut c_void, iid: F) -> Self {
        Self(OutInterface::new(pointer, iid))
    }
}

impl<F: Fn() -> Result<GUID>> Outs for InOutInterface<F> {
    fn check(&self) -> Result {
        self.0.check()
    }
    unsafe fn blank(&self) {}
    unsafe fn measure(&self) -> Result {
        Ok(())
    }
    unsafe fn zero(&self) {}
    unsafe fn read(&self, r: &mut Reader<'_>) -> Result {
        let new = interface_pointer::read(&(self.0.iid)()?, r)?;
        // SAFETY: checked; the caller's old reference is given back.
        unsafe {
            let old = self.0.pointer.replace(new);
            if !old.is_null() {
                raw::release(old);
            }
        }
        Ok(())
    }
    unsafe fn clear(&self) {}
}

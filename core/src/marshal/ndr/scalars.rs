//! Scalars, GUIDs and fixed arrays.

use super::{BAD, Ndr, Reader, Result, Writer, array};
use crate::abi::types::HANDLE;
use windows_core::{BOOL, GUID, HRESULT};

macro_rules! scalar {
    ($($ty:ty),*) => { $(
        // SAFETY: every bit pattern is a value, and in little-endian memory its bytes are those of the buffer.
        unsafe impl Ndr for $ty {
            type Itself = Self;
            const ALIGN: u32 = size_of::<$ty>() as u32;
            const SIZE_MIN: u32 = size_of::<$ty>() as u32;
            const PLAIN: bool = cfg!(target_endian = "little");

            #[inline]
            unsafe fn write(this: *const Self, w: &mut Writer<'_>) -> Result {
                // SAFETY: the caller's promise.
                w.bytes(Self::ALIGN, unsafe { *this }.to_le_bytes())
            }

            #[inline]
            unsafe fn read(this: *mut Self, r: &mut Reader<'_>) -> Result {
                let value = Self::from_le_bytes(r.bytes(Self::ALIGN)?);
                // SAFETY: the caller's promise.
                unsafe { this.write(value) };
                Ok(())
            }
        }
    )* };
}
scalar!(i8, i16, i32, i64, u8, u16, u32, u64, f32, f64);

macro_rules! transparent {
    ($($ty:ty),*) => { $(
        // SAFETY: a transparent 32-bit number.
        unsafe impl Ndr for $ty {
            type Itself = Self;
            const ALIGN: u32 = 4;
            const SIZE_MIN: u32 = 4;
            const PLAIN: bool = i32::PLAIN;

            #[inline]
            unsafe fn write(this: *const Self, w: &mut Writer<'_>) -> Result {
                // SAFETY: the caller's promise; the type is transparent.
                unsafe { i32::write(this.cast(), w) }
            }

            #[inline]
            unsafe fn read(this: *mut Self, r: &mut Reader<'_>) -> Result {
                // SAFETY: the caller's promise; the type is transparent.
                unsafe { i32::read(this.cast(), r) }
            }
        }
    )* };
}
transparent!(BOOL, HRESULT);

// SAFETY: zero is `false`; other values than 0 and 1 are refused.
unsafe impl Ndr for bool {
    type Itself = Self;
    const ALIGN: u32 = 1;
    const SIZE_MIN: u32 = 1;

    unsafe fn write(this: *const Self, w: &mut Writer<'_>) -> Result {
        // SAFETY: the caller's promise.
        w.bytes(1, [u8::from(unsafe { *this })])
    }

    unsafe fn read(this: *mut Self, r: &mut Reader<'_>) -> Result {
        let [byte @ 0..=1] = r.bytes(1)? else { return Err(BAD) };
        // SAFETY: the caller's promise.
        unsafe { this.write(byte == 1) };
        Ok(())
    }
}

// SAFETY: made of plain numbers without gaps, laid out in memory as in the buffer.
unsafe impl Ndr for GUID {
    type Itself = Self;
    const ALIGN: u32 = 4;
    const SIZE_MIN: u32 = 16;
    const PLAIN: bool = u32::PLAIN;

    unsafe fn write(this: *const Self, w: &mut Writer<'_>) -> Result {
        // SAFETY: the caller's promise.
        let guid = unsafe { *this };
        w.word(guid.data1)?;
        w.bytes(2, guid.data2.to_le_bytes())?;
        w.bytes(2, guid.data3.to_le_bytes())?;
        w.bytes(1, guid.data4)
    }

    unsafe fn read(this: *mut Self, r: &mut Reader<'_>) -> Result {
        let guid = GUID {
            data1: r.word()?,
            data2: u16::from_le_bytes(r.bytes(2)?),
            data3: u16::from_le_bytes(r.bytes(2)?),
            data4: r.bytes(1)?,
        };
        // SAFETY: the caller's promise.
        unsafe { this.write(guid) };
        Ok(())
    }
}

// SAFETY: N elements side by side, in memory as in the buffer.
unsafe impl<T: Ndr, const N: usize> Ndr for [T; N] {
    type Itself = Self;
    const ALIGN: u32 = T::ALIGN;
    const SIZE_MIN: u32 = {
        assert!(N > 0 && N <= u16::MAX as usize, "a fixed array on the wire has 1 to 65535 elements");
        T::SIZE_MIN * N as u32
    };
    const PLAIN: bool = T::PLAIN;

    unsafe fn write(this: *const Self, w: &mut Writer<'_>) -> Result {
        // SAFETY: the caller's promise.
        unsafe { array::write_flat(this.cast::<T>(), N as u32, w) }
    }

    unsafe fn write_tail(this: *const Self, w: &mut Writer<'_>) -> Result {
        // SAFETY: the caller's promise.
        unsafe { array::write_tails(this.cast::<T>(), N as u32, w) }
    }

    unsafe fn read(this: *mut Self, r: &mut Reader<'_>) -> Result {
        // SAFETY: the caller's promise.
        unsafe { array::read_flat(this.cast::<T>(), N as u32, r) }
    }

    unsafe fn read_tail(this: *mut Self, r: &mut Reader<'_>) -> Result {
        // SAFETY: the caller's promise.
        unsafe { array::read_tails(this.cast::<T>(), N as u32, r) }
    }

    unsafe fn free(this: *mut Self) {
        // SAFETY: the caller's promise.
        unsafe { array::free_elements(this.cast::<T>(), N as u32) };
    }
}

// SAFETY: a transparent number. It means the same object on the other side: apartments share their process's handles.
unsafe impl Ndr for HANDLE {
    type Itself = Self;
    const ALIGN: u32 = 8;
    const SIZE_MIN: u32 = 8;

    unsafe fn write(this: *const Self, w: &mut Writer<'_>) -> Result {
        // SAFETY: the caller's promise.
        let number = unsafe { (*this).0 }.expose_provenance() as u64;
        w.bytes(Self::ALIGN, number.to_le_bytes())
    }

    unsafe fn read(this: *mut Self, r: &mut Reader<'_>) -> Result {
        let number = u64::from_le_bytes(r.bytes(Self::ALIGN)?);
        // SAFETY: the caller's promise.
        unsafe { this.write(HANDLE(std::ptr::with_exposed_provenance_mut(number as usize))) };
        Ok(())
    }
}

//! The reader: takes values out of bytes that anybody may have written.
//!
//! Two kinds of failure: bytes that make no sense end the reading at once. An interface pointer that cannot be
//! unmarshaled, or memory that is not there, is noted ([`Reader::fail`]) and the rest is still read, so that what its
//! object references hold is given back; [`Reader::finish`] then says what happened first.

use super::writer::DEPTH_MAX;
use super::{BAD, Result, WORD, interface_pointer};
use std::ffi::c_void;
use std::marker::PhantomData;
use windows_core::{GUID, HRESULT};

/// Reads values from a buffer. See the module.
pub struct Reader<'a> {
    base: *const u8,
    len: u32,
    position: u32,
    depth: u32,
    /// Interface pointers are released instead of unmarshaled.
    discarding: bool,
    failure: Option<HRESULT>,
    _buffer: PhantomData<&'a [u8]>,
}

impl<'a> Reader<'a> {
    /// A reader of a buffer.
    ///
    /// # Safety
    /// `base` is null and `len` 0, or `len` initialised bytes from there on may be read for `'a`.
    pub unsafe fn new(base: *const u8, len: u32) -> Self {
        let len = if base.is_null() { 0 } else { len };
        Self { base, len, position: 0, depth: 0, discarding: false, failure: None, _buffer: PhantomData }
    }

    /// A reader of a slice.
    pub fn of(bytes: &'a [u8]) -> Self {
        let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        // SAFETY: a slice is what the contract asks for.
        unsafe { Self::new(bytes.as_ptr(), len) }
    }

    /// A reader that gives back what the object references hold, and makes no interface pointers.
    ///
    /// # Safety
    /// As for [`Reader::new`].
    pub unsafe fn discarding(base: *const u8, len: u32) -> Self {
        // SAFETY: the caller's promise.
        Self { discarding: true, ..unsafe { Self::new(base, len) } }
    }

    /// How many bytes are left.
    pub fn remaining(&self) -> u32 {
        self.len - self.position
    }

    /// Whether interface pointers are only released.
    pub fn is_discarding(&self) -> bool {
        self.discarding
    }

    /// Moves on by `len` bytes and says where they are.
    #[inline]
    pub fn take(&mut self, len: u32) -> Result<*const u8> {
        if len > self.remaining() {
            return Err(BAD);
        }
        // SAFETY: within the buffer, checked just now.
        let at = unsafe { self.base.add(self.position as usize) };
        self.position += len;
        Ok(at)
    }

    /// Aligns the position.
    #[inline]
    pub fn align(&mut self, align: u32) -> Result {
        let gap = self.position.wrapping_neg() & (align - 1);
        self.take(gap).map(drop)
    }

    /// Reads aligned bytes.
    #[inline]
    pub fn bytes<const N: usize>(&mut self, align: u32) -> Result<[u8; N]> {
        self.align(align)?;
        let at = self.take(N as u32)?;
        // SAFETY: `take` gave N initialised bytes; a byte array has no alignment.
        Ok(unsafe { at.cast::<[u8; N]>().read() })
    }

    /// Reads an aligned 32-bit word.
    #[inline]
    pub fn word(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.bytes(WORD)?))
    }

    /// Reads a number of elements of at least `size_min` bytes each; more than can be there is malformed.
    pub fn count(&mut self, size_min: u32) -> Result<u32> {
        let count = self.word()?;
        if u64::from(count) * u64::from(size_min) > u64::from(self.remaining()) {
            return Err(BAD);
        }
        Ok(count)
    }

    /// Reads the id of a pointer: whether it is not null.
    pub fn referent(&mut self) -> Result<bool> {
        Ok(self.word()? != 0)
    }

    /// Reads what a pointer points at, one level deeper.
    pub fn deeper<R>(&mut self, read: impl FnOnce(&mut Self) -> Result<R>) -> Result<R> {
        if self.depth == DEPTH_MAX {
            return Err(BAD);
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// Reads the bytes of an object reference.
    pub fn packet(&mut self) -> Result<&'a [u8]> {
        let max = self.count(1)?;
        let len = self.word()?;
        if max != len {
            return Err(BAD);
        }
        let at = self.take(len)?;
        // SAFETY: `take` gave the bytes, which live for 'a.
        Ok(unsafe { std::slice::from_raw_parts(at, len as usize) })
    }

    /// Reads an object reference and makes an interface pointer of it. Null, with the failure noted, when it cannot be
    /// made; the object reference is consumed in any case.
    pub fn interface(&mut self, iid: &GUID) -> Result<*mut c_void> {
        let packet = self.packet()?;
        if self.discarding {
            interface_pointer::release(packet);
            return Ok(std::ptr::null_mut());
        }
        match interface_pointer::unmarshal(packet, iid) {
            Ok(pointer) => Ok(pointer),
            Err(hr) => {
                self.fail(hr);
                Ok(std::ptr::null_mut())
            }
        }
    }

    /// Notes a failure that is not the bytes' fault. From here on interface pointers are only released.
    pub fn fail(&mut self, hr: HRESULT) {
        self.failure.get_or_insert(hr);
        self.discarding = true;
    }

    /// What was noted first, if anything.
    pub fn finish(&self) -> Result {
        self.failure.map_or(Ok(()), Err)
    }
}

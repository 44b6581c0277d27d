//! The writer: counts what it would write, then writes it.
//!
//! The two passes run the same code. Positions of the writing pass never exceed those of the counting pass: the only
//! thing that may come out smaller is an object reference, and aligning upwards is monotonous. What does not fit all the
//! same (another thread changed the data in between) is an error.

use super::{BAD, Result, interface_pointer};
use crate::abi::hresult::E_OUTOFMEMORY;
use crate::abi::interfaces::IRpcChannelBuffer;
use crate::abi::types::MSHCTX_INPROC;
use smallvec::SmallVec;
use std::marker::PhantomData;
use windows_core::InterfaceRef;

/// How deep pointers may nest, in both directions: the stack of a fiber is small.
pub(super) const DEPTH_MAX: u32 = 128;

/// Writes values into a buffer, or counts their size. See the module.
pub struct Writer<'a> {
    /// Null while counting.
    base: *mut u8,
    capacity: u32,
    position: u32,
    referents: u32,
    depth: u32,
    channel: Option<InterfaceRef<'a, IRpcChannelBuffer>>,
    destination: Option<u32>,
    /// Where object references lie that hold references until somebody unmarshals them.
    packets: SmallVec<[(u32, u32); 2]>,
    _buffer: PhantomData<&'a mut [u8]>,
}

impl<'a> Writer<'a> {
    /// A writer that counts. The channel says where the data goes, for interface pointers.
    pub fn counting(channel: Option<InterfaceRef<'a, IRpcChannelBuffer>>) -> Self {
        Self {
            base: std::ptr::null_mut(),
            capacity: u32::MAX,
            position: 0,
            referents: 0,
            depth: 0,
            channel,
            destination: None,
            packets: SmallVec::new(),
            _buffer: PhantomData,
        }
    }

    /// A writer into a buffer.
    ///
    /// # Safety
    /// `base` is not null and `capacity` bytes from there on may be written as long as the writer is used.
    pub unsafe fn new(base: *mut u8, capacity: u32, channel: Option<InterfaceRef<'a, IRpcChannelBuffer>>) -> Self {
        Self { base, capacity, ..Self::counting(channel) }
    }

    /// Bytes counted or written so far.
    pub fn position(&self) -> u32 {
        self.position
    }

    fn is_counting(&self) -> bool {
        self.base.is_null()
    }

    /// Moves on by `len` bytes and says where they are; null while counting.
    #[inline]
    fn advance(&mut self, len: u32) -> Result<*mut u8> {
        let end = self.position.checked_add(len).filter(|end| *end <= self.capacity).ok_or(BAD)?;
        // SAFETY: within the buffer, checked just now; while counting the base is null and nothing is written.
        let at = if self.is_counting() { self.base } else { unsafe { self.base.add(self.position as usize) } };
        self.position = end;
        Ok(at)
    }

    /// Aligns the position; the gap is filled with zeros.
    #[inline]
    pub fn align(&mut self, align: u32) -> Result {
        let gap = self.position.wrapping_neg() & (align - 1);
        if gap > 0 {
            let at = self.advance(gap)?;
            if !at.is_null() {
                // SAFETY: `advance` gave room for `gap` bytes.
                unsafe { at.write_bytes(0, gap as usize) };
            }
        }
        Ok(())
    }

    /// Writes bytes from memory as they are.
    ///
    /// # Safety
    /// `len` initialised bytes from `from` on may be read.
    #[inline]
    pub unsafe fn raw(&mut self, from: *const u8, len: u32) -> Result {
        let at = self.advance(len)?;
        if !at.is_null() && len > 0 {
            // SAFETY: `advance` gave room for `len` bytes; the caller vouches for the source.
            unsafe { std::ptr::copy_nonoverlapping(from, at, len as usize) };
        }
        Ok(())
    }

    /// Writes bytes, aligned.
    #[inline]
    pub fn bytes<const N: usize>(&mut self, align: u32, bytes: [u8; N]) -> Result {
        self.align(align)?;
        // SAFETY: the array is initialised.
        unsafe { self.raw(bytes.as_ptr(), N as u32) }
    }

    /// Writes an aligned 32-bit word.
    #[inline]
    pub fn word(&mut self, value: u32) -> Result {
        self.bytes(4, value.to_le_bytes())
    }

    /// Writes the id of a pointer: 0 for null, else the next number.
    pub fn referent(&mut self, is_null: bool) -> Result {
        if is_null {
            return self.word(0);
        }
        let id = 0x0002_0000_u32.wrapping_add(self.referents.wrapping_mul(4));
        self.referents += 1;
        self.word(id)
    }

    /// Writes what a pointer points at, one level deeper.
    pub fn deeper(&mut self, write: impl FnOnce(&mut Self) -> Result) -> Result {
        if self.depth == DEPTH_MAX {
            return Err(BAD);
        }
        self.depth += 1;
        let result = write(self);
        self.depth -= 1;
        result
    }

    /// Where the data goes (`MSHCTX_…`); asked of the channel once.
    fn destination(&mut self) -> u32 {
        let channel = self.channel;
        *self.destination.get_or_insert_with(|| {
            let (mut context, mut more) = (MSHCTX_INPROC, std::ptr::null_mut());
            if let Some(channel) = channel {
                // SAFETY: both out pointers are ours.
                let hr = unsafe { channel.GetDestCtx(&mut context, &mut more) };
                if hr.is_err() {
                    return MSHCTX_INPROC;
                }
            }
            context
        })
    }

    /// Writes an object reference for an interface pointer that is not null.
    ///
    /// # Safety
    /// `pointer` is a live interface pointer of type `iid`.
    pub unsafe fn interface(&mut self, iid: &windows_core::GUID, pointer: *mut std::ffi::c_void) -> Result {
        let destination = self.destination();
        if self.is_counting() {
            self.align(4)?;
            let size = interface_pointer::size_max(iid, pointer, destination);
            return self.advance(size.checked_add(8).ok_or(E_OUTOFMEMORY)?).map(drop);
        }
        let mut packet = Vec::new();
        // SAFETY: the caller's promise.
        unsafe { interface_pointer::marshal(iid, pointer, destination, &mut packet)? };
        let written = self.packet(&packet);
        if written.is_err() {
            interface_pointer::release(&packet);
        }
        written
    }

    fn packet(&mut self, packet: &[u8]) -> Result {
        let len = u32::try_from(packet.len()).map_err(|_| BAD)?;
        self.word(len)?;
        self.word(len)?;
        let at = self.position;
        // SAFETY: a slice is initialised.
        unsafe { self.raw(packet.as_ptr(), len)? };
        self.packets.push((at, len));
        Ok(())
    }

    /// Gives back what the object references hold that were written: the buffer will not be sent.
    pub fn abandon(&mut self) {
        for (at, len) in std::mem::take(&mut self.packets) {
            // SAFETY: the bytes were written here, within the buffer.
            let packet = unsafe { std::slice::from_raw_parts(self.base.add(at as usize), len as usize) };
            interface_pointer::release(packet);
        }
    }
}

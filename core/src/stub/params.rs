//! The parameters of a call on the server: memory of the stub's own for the time of the method.
//!
//! A generated stub makes one of these for each parameter, reads the \[in\] ones in order, gives the method what `arg`
//! says, writes the \[out\] ones in order, and drops them all, which frees what they own: what was read, and what the
//! method returned in \[out\] parameters, which the wire has by then.

use crate::abi::hresult::{E_OUTOFMEMORY, RPC_E_INVALIDMETHOD};
use crate::abi::interfaces::IRpcChannelBuffer;
use crate::abi::types::RPCOLEMESSAGE;
use crate::marshal::ndr::{self, BAD, Character, Ndr, Reader, Result, Writer, array, check, interface_pointer, string};
use crate::object::raw;
use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::ptr::{self, NonNull};
use windows_core::{GUID, HRESULT, InterfaceRef};

/// One value: a parameter by value, or what a pointer points at.
pub struct Value<T: Ndr>(MaybeUninit<T>);

impl<T: Ndr> Value<T> {
    /// Zero.
    #[inline]
    pub fn new() -> Self {
        Self(MaybeUninit::zeroed())
    }

    /// Reads it.
    #[inline]
    pub fn read(&mut self, r: &mut Reader<'_>) -> Result {
        // SAFETY: zeroed.
        unsafe { ndr::read(self.0.as_mut_ptr(), r) }
    }

    /// A copy for a parameter by value. The stub keeps what it owns.
    #[inline]
    pub fn value(&self) -> T {
        // SAFETY: it was read; parameters by value are `Copy`, which the macro checks.
        unsafe { self.0.assume_init_read() }
    }

    /// A pointer for a parameter by reference.
    #[inline]
    pub fn pointer(&mut self) -> *mut T {
        self.0.as_mut_ptr()
    }

    /// Writes it.
    #[inline]
    pub fn write(&self, w: &mut Writer<'_>) -> Result {
        // SAFETY: zeroed or read, and changed by the method only.
        unsafe { ndr::write(self.0.as_ptr(), w) }
    }
}

impl<T: Ndr> Default for Value<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Ndr> Drop for Value<T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: zero, or read in whole or part, or what the method left, who owns nothing of it any more.
        unsafe { T::free(self.0.as_mut_ptr()) };
    }
}

/// An array: in the request's own buffer where that can be, else in memory of its own.
pub struct Array<T: Ndr> {
    first: *mut T,
    /// Elements there is room for, when the memory is our own.
    room: u32,
    owned: bool,
    /// The size on the wire.
    size: u32,
}

impl<T: Ndr> Array<T> {
    /// Nothing yet: null.
    pub fn new() -> Self {
        Self { first: ptr::null_mut(), room: 0, owned: false, size: 0 }
    }

    fn layout(room: u32) -> Result<Layout> {
        Layout::array::<T>(room.max(1) as usize).map_err(|_| E_OUTOFMEMORY)
    }

    fn own(&mut self, room: u32) -> Result {
        let layout = Self::layout(room)?;
        // SAFETY: elements on the wire are never of size zero.
        let memory = unsafe { alloc_zeroed(layout) };
        if memory.is_null() {
            return Err(E_OUTOFMEMORY);
        }
        (self.first, self.room, self.owned, self.size) = (memory.cast(), room, true, room);
        Ok(())
    }

    /// Room for an \[out\] array.
    pub fn allocate(&mut self, size: Result<u32>) -> Result {
        let size = size?;
        array::check_claim::<T>(size)?;
        self.own(size)
    }

    /// Reads an \[in\] array; `borrow` when it may stay in the buffer.
    pub fn read(&mut self, unique: bool, varying: bool, borrow: bool, r: &mut Reader<'_>) -> Result {
        if unique && !r.referent()? {
            return Ok(());
        }
        let (max, length) = array::read_header::<T>(varying, r)?;
        if T::PLAIN && borrow && max == length {
            // Before no elements there is no gap (`array::write_flat`).
            if length > 0 {
                r.align(T::ALIGN)?;
            }
            let at = r.take(array::bytes_of::<T>(length)?)?;
            if at.cast::<T>().is_aligned() {
                (self.first, self.size) = (at.cast::<T>().cast_mut(), max);
                return Ok(());
            }
            self.own(length)?;
            // SAFETY: both sides have room; every combination of bytes is a value.
            unsafe { ptr::copy_nonoverlapping(at, self.first.cast(), length as usize * size_of::<T>()) };
            return Ok(());
        }
        if max > length {
            array::check_claim::<T>(max)?;
        }
        self.own(max)?;
        // SAFETY: zeroed, with room for `max` elements.
        unsafe {
            array::read_flat(self.first, length, r)?;
            array::read_tails(self.first, length, r)
        }
    }

    /// Whether the array is as large as the parameters say; the method relies on it.
    pub fn check(&self, size: Result<u32>) -> Result {
        if self.first.is_null() || size? == self.size { Ok(()) } else { Err(BAD) }
    }

    /// The argument.
    pub fn pointer(&mut self) -> *mut T {
        self.first
    }

    /// Writes an \[out\] array.
    pub fn write(&self, length: Option<Result<u32>>, w: &mut Writer<'_>) -> Result {
        // SAFETY: there is room for `size` elements, zeroed, and changed by the method only.
        unsafe { array::write(self.first, self.size, length.transpose()?, w) }
    }
}

impl<T: Ndr> Default for Array<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Ndr> Drop for Array<T> {
    fn drop(&mut self) {
        if !self.owned {
            return;
        }
        // SAFETY: our own memory, of the layout that it was made with.
        unsafe {
            array::free_elements(self.first, self.room);
            if let Ok(layout) = Self::layout(self.room) {
                dealloc(self.first.cast(), layout);
            }
        }
    }
}

/// An \[in\] string, in the request's own buffer where that can be.
pub struct InString<C: Character> {
    string: *const C,
    copy: Vec<C>,
}

impl<C: Character> InString<C> {
    /// Null.
    pub fn new() -> Self {
        Self { string: ptr::null(), copy: Vec::new() }
    }

    /// Reads it.
    pub fn read(&mut self, unique: bool, r: &mut Reader<'_>) -> Result {
        if unique && !r.referent()? {
            return Ok(());
        }
        let (at, len) = string::read_in_place::<C>(r)?;
        self.string = at;
        if !at.is_aligned() {
            // SAFETY: the characters were taken from the reader.
            self.copy = (0..len as usize).map(|i| unsafe { at.add(i).read_unaligned() }).collect();
            self.string = self.copy.as_ptr();
        }
        Ok(())
    }

    /// The argument.
    pub fn pointer(&self) -> *const C {
        self.string
    }
}

impl<C: Character> Default for InString<C> {
    fn default() -> Self {
        Self::new()
    }
}

/// An interface pointer whose interface is known at run time.
pub struct InterfacePointer<'a> {
    pointer: *mut c_void,
    /// An object reference that waits for its interface to be known.
    packet: Option<&'a [u8]>,
    iid: GUID,
}

impl<'a> InterfacePointer<'a> {
    /// Null.
    pub fn new() -> Self {
        Self { pointer: ptr::null_mut(), packet: None, iid: GUID::zeroed() }
    }

    /// Reads the object reference. The interface's id may come behind it.
    pub fn read(&mut self, r: &mut Reader<'a>) -> Result {
        if r.referent()? {
            self.packet = Some(r.packet()?);
        }
        Ok(())
    }

    /// Says which interface it is, and makes the pointer.
    pub fn resolve(&mut self, iid: Result<GUID>) -> Result {
        self.iid = iid?;
        if let Some(packet) = self.packet.take() {
            self.pointer = interface_pointer::unmarshal(packet, &self.iid)?;
        }
        Ok(())
    }

    /// The argument of an \[in\] parameter.
    pub fn value(&self) -> *mut c_void {
        self.pointer
    }

    /// The argument of an \[out\] parameter.
    pub fn pointer(&mut self) -> *mut *mut c_void {
        &mut self.pointer
    }

    /// Writes it.
    pub fn write(&self, w: &mut Writer<'_>) -> Result {
        // SAFETY: null, or what the method returned for this id.
        unsafe { interface_pointer::write(&self.iid, self.pointer, w) }
    }
}

impl Default for InterfacePointer<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for InterfacePointer<'_> {
    fn drop(&mut self) {
        if let Some(packet) = self.packet.take() {
            interface_pointer::release(packet);
        }
        if !self.pointer.is_null() {
            // SAFETY: the reference is the stub's.
            unsafe { raw::release(self.pointer) };
        }
    }
}

/// A reader of a message.
///
/// # Safety
/// The message's buffer is what it says, for `'a`.
pub unsafe fn reader<'a>(message: &RPCOLEMESSAGE) -> Result<Reader<'a>> {
    // The low byte says how integers and characters are represented; only little endian and ASCII are spoken here.
    if message.dataRepresentation & 0xFF != 0x10 {
        return Err(BAD);
    }
    // SAFETY: the caller's promise.
    Ok(unsafe { Reader::new(message.Buffer.cast(), message.cbBuffer) })
}

/// A reader that gives back what the object references in a message hold.
///
/// # Safety
/// As for [`reader`].
pub unsafe fn discarding<'a>(message: &RPCOLEMESSAGE) -> Reader<'a> {
    // SAFETY: the caller's promise.
    unsafe { Reader::discarding(message.Buffer.cast(), message.cbBuffer) }
}

/// Writes the reply of a method: the \[out\] parameters, then its HRESULT. The request's buffer is gone after it.
///
/// # Safety
/// `channel` is a live `IRpcChannelBuffer`.
pub unsafe fn reply(
    message: &mut RPCOLEMESSAGE,
    channel: *mut c_void,
    iid: &GUID,
    result: HRESULT,
    write: impl Fn(&mut Writer<'_>) -> Result,
) -> Result {
    let channel = NonNull::new(channel).ok_or(RPC_E_INVALIDMETHOD)?;
    // SAFETY: the caller's promise.
    let channel = unsafe { InterfaceRef::<IRpcChannelBuffer>::from_raw(channel) };
    let all = |w: &mut Writer<'_>| {
        write(w)?;
        w.word(result.0 as u32)
    };
    let mut counter = Writer::counting(Some(channel));
    all(&mut counter)?;
    message.cbBuffer = counter.position();
    // SAFETY: the message is the caller's.
    check(unsafe { channel.GetBuffer(message, iid) })?;
    if message.Buffer.is_null() {
        return Err(E_OUTOFMEMORY);
    }
    // SAFETY: the channel gave a buffer of that size.
    let mut writer = unsafe { Writer::new(message.Buffer.cast(), counter.position(), Some(channel)) };
    if let Err(hr) = all(&mut writer) {
        writer.abandon();
        return Err(hr);
    }
    message.cbBuffer = writer.position();
    Ok(())
}

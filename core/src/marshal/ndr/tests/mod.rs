//! Tests of the NDR runtime: exact bytes, round trips, bytes that nobody should send.

mod bytes;
mod hostile;
mod round_trips;
mod structures;
pub(crate) mod table;

use super::{Ndr, Reader, Result, Writer};
use std::mem::MaybeUninit;

/// The bytes of a value. The two passes agree about its size.
fn written<T: Ndr>(value: &T) -> Vec<u8> {
    // SAFETY: a reference is valid.
    encode(|w| unsafe { super::write(value, w) }).expect("a valid value can be written")
}

/// What a step writes.
fn encode(write: impl Fn(&mut Writer<'_>) -> Result) -> Result<Vec<u8>> {
    let mut counter = Writer::counting(None);
    write(&mut counter)?;
    let mut buffer = vec![0xA5; counter.position() as usize];
    // SAFETY: the buffer is that long.
    let mut writer = unsafe { Writer::new(buffer.as_mut_ptr(), counter.position(), None) };
    write(&mut writer)?;
    assert!(writer.position() <= counter.position(), "the counting pass is an upper bound");
    buffer.truncate(writer.position() as usize);
    Ok(buffer)
}

/// A value that was read; freed when it goes.
struct Owned<T: Ndr>(MaybeUninit<T>);

impl<T: Ndr> Owned<T> {
    fn get(&self) -> &T {
        // SAFETY: it was read.
        unsafe { self.0.assume_init_ref() }
    }
}

impl<T: Ndr> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: it was read in part or whole.
        unsafe { T::free(self.0.as_mut_ptr()) };
    }
}

/// Reads a value; all bytes are used up.
fn read<T: Ndr>(bytes: &[u8]) -> Result<Owned<T>> {
    // The buffer lies on eight bytes, as a channel's does.
    let mut words = vec![0_u64; bytes.len().div_ceil(8).max(1)];
    // SAFETY: the words have room for the bytes.
    let copy = unsafe {
        std::ptr::copy_nonoverlapping(bytes.as_ptr(), words.as_mut_ptr().cast(), bytes.len());
        std::slice::from_raw_parts(words.as_ptr().cast::<u8>(), bytes.len())
    };
    let mut reader = Reader::of(copy);
    let mut value = Owned(MaybeUninit::zeroed());
    // SAFETY: zeroed.
    unsafe { super::read(value.0.as_mut_ptr(), &mut reader)? };
    reader.finish()?;
    assert_eq!(reader.remaining(), 0, "all bytes belong to the value");
    Ok(value)
}

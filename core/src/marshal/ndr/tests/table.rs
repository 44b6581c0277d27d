//! A table in the place of object references, so that tests of parameters need no apartments.
//!
//! Switched on for one thread at a time. A packet is four letters and the number of an entry, which holds one reference
//! until the packet is unmarshaled or released: what is left at the end has leaked.

use super::super::{BAD, Result};
use crate::abi::hresult::RPC_E_INVALID_OBJREF;
use std::cell::RefCell;
use std::ffi::c_void;
use windows_core::{GUID, IUnknown, Interface};

const LETTERS: &[u8; 4] = b"TEST";
/// More than a packet takes: the writer must cope with that.
const SIZE_MAX: u32 = 21;

thread_local! {
    static TABLE: RefCell<Option<Vec<Option<IUnknown>>>> = const { RefCell::new(None) };
}

/// The table is on as long as this lives.
pub(crate) struct On;

impl On {
    pub(crate) fn new() -> Self {
        TABLE.set(Some(Vec::new()));
        On
    }

    /// How many packets hold something.
    pub(crate) fn outstanding(&self) -> usize {
        TABLE.with_borrow(|table| table.iter().flatten().flatten().count())
    }
}

impl Drop for On {
    fn drop(&mut self) {
        drop(TABLE.take());
    }
}

fn is_on() -> bool {
    TABLE.with_borrow(Option::is_some)
}

pub(crate) fn size_max() -> Option<u32> {
    is_on().then_some(SIZE_MAX)
}

/// # Safety
/// `pointer` is a live interface pointer.
pub(crate) unsafe fn marshal(_iid: &GUID, pointer: *mut c_void, packet: &mut Vec<u8>) -> Option<Result> {
    is_on().then(|| {
        // SAFETY: the caller's promise.
        let object = unsafe { IUnknown::from_raw_borrowed(&pointer) }.ok_or(BAD)?.clone();
        let index = TABLE.with_borrow_mut(|table| {
            let table = table.get_or_insert_default();
            table.push(Some(object));
            table.len() as u32 - 1
        });
        packet.extend_from_slice(LETTERS);
        packet.extend_from_slice(&index.to_le_bytes());
        Ok(())
    })
}

fn take(packet: &[u8]) -> Option<IUnknown> {
    let (letters, index) = packet.split_first_chunk::<4>()?;
    let index = u32::from_le_bytes(index.try_into().ok()?) as usize;
    if letters != LETTERS {
        return None;
    }
    TABLE.with_borrow_mut(|table| table.as_mut()?.get_mut(index)?.take())
}

pub(crate) fn unmarshal(packet: &[u8], iid: &GUID) -> Option<Result<*mut c_void>> {
    is_on().then(|| {
        let object = take(packet).ok_or(RPC_E_INVALID_OBJREF)?;
        let mut pointer = std::ptr::null_mut();
        // SAFETY: the out pointer is ours.
        super::super::check(unsafe { object.query(iid, &mut pointer) })?;
        Ok(pointer)
    })
}

pub(crate) fn release(packet: &[u8]) -> bool {
    is_on() && {
        drop(take(packet));
        true
    }
}

//! A stream for packets.

#![allow(dead_code, reason = "each test uses its part")]

use super::rooms::Carry;
use oleander::windows_core::{HRESULT, Interface};
use oleander::*;
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::Arc;

/// A stream that rooms hand around.
#[derive(Clone)]
pub struct Tape(pub Arc<Carry<IStream>>);

impl Tape {
    /// An empty one.
    pub fn new() -> Self {
        let mut raw = null_mut();
        unsafe {
            assert_eq!(CreateStreamOnHGlobal(HANDLE::NULL, true.into(), &mut raw), S_OK);
            Self(Arc::new(Carry(IStream::from_raw(raw))))
        }
    }

    /// The stream.
    pub fn raw(&self) -> *mut c_void {
        self.0.0.as_raw()
    }

    /// To the start.
    pub fn rewind(&self) {
        assert_eq!(unsafe { self.0.0.Seek(0, STREAM_SEEK_SET, null_mut()) }, S_OK);
    }

    /// Writes a packet where it stands.
    pub fn marshal<I: Interface>(&self, object: &I, flags: u32) -> HRESULT {
        unsafe { CoMarshalInterface(self.raw(), &I::IID, object.as_raw(), MSHCTX_INPROC, null_mut(), flags) }
    }

    /// Unmarshals from the start.
    pub fn unmarshal<I: Interface>(&self) -> Result<I, HRESULT> {
        self.rewind();
        let mut raw = null_mut();
        match unsafe { CoUnmarshalInterface(self.raw(), &I::IID, &mut raw) } {
            S_OK => Ok(unsafe { I::from_raw(raw) }),
            hr => {
                assert!(raw.is_null());
                Err(hr)
            }
        }
    }

    /// Gives the packet at the start back.
    pub fn release(&self) -> HRESULT {
        self.rewind();
        unsafe { CoReleaseMarshalData(self.raw()) }
    }

    /// All that is in it.
    pub fn bytes(&self) -> Vec<u8> {
        self.rewind();
        let (mut bytes, mut len) = (vec![0; 4096], 0);
        unsafe { assert!(self.0.0.Read(bytes.as_mut_ptr().cast(), 4096, &mut len).is_ok()) };
        bytes.truncate(len as usize);
        bytes
    }
}

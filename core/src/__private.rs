//! What generated code uses. Not for anybody else.

pub use crate::abi::hresult::RPC_E_INVALIDMETHOD;
pub use crate::abi::types::RPCOLEMESSAGE;
pub use crate::marshal::ndr::{BAD, Count, Ndr, Reader, Result, Str, Writer, check_by_value, sized};
pub use crate::proxy::args::{
    In, InArray, InInterface, InInterfaceRef, InOut, InOutArray, InOutInterface, InRef, InString, NoLength, Out,
    OutArray, OutInterface,
};
pub use crate::proxy::async_proxy::{begin, finish};
pub use crate::proxy::info::{AsyncInfo, Direction, HasTwin, InterfaceInfo, Kept, Registration, Remote};
pub use crate::proxy::interface_proxy::{call, call_at_once, notify, refuse};
pub use crate::stub::params::{Array, InString as StubString, InterfacePointer, Value, discarding, reader, reply};
pub use inventory;

/// An interface pointer as its type, borrowed.
///
/// # Safety
/// The pointer is a live one of that interface.
pub unsafe fn borrow<I: windows_core::Interface>(raw: &*mut std::ffi::c_void) -> &I {
    // SAFETY: the caller's promise; a live pointer is not null.
    unsafe { I::from_raw_borrowed(raw).unwrap_unchecked() }
}

//! What a user sees: HRESULTs, ids, flags, structures, interfaces and functions, under the names of the headers.

pub mod clsid;
pub(crate) mod exports;
pub mod global;
pub mod hresult;
pub mod ids;
pub mod interfaces;
pub mod malloc;
pub mod memory;
#[cfg(all(windows, feature = "windows"))]
pub(crate) mod system;
pub mod types;
pub mod win32;

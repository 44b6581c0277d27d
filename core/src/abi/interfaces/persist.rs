//! What can be saved and loaded. In vtable order.

use crate::async_interface;
use windows_core::{GUID, HRESULT, IUnknown};

/// An object that knows its class; the base of everything that can be saved.
#[async_interface(uuid = "0000010C-0000-0000-C000-000000000046")]
pub unsafe trait IPersist: IUnknown {
    /// The class of the object.
    fn GetClassID(&self, #[idl(out)] pClassID: *mut GUID) -> HRESULT;
}

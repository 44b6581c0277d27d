//! Interface pointers on their way between apartments. `import` is written with the first two.

use super::{Operation, give, op};
use crate::run::Value;
use oleander::windows_core::GUID;
use oleander::*;
use std::ffi::c_void;
use std::ptr::null_mut;

/// The table.
pub const OPERATIONS: &[Operation] = &[
    op("CoMarshalInterThreadInterfaceInStream", "iid object", "hr stream", "a packet for another apartment", |c| {
        let (iid, mut stream): (GUID, _) = (c.get(0)?, null_mut());
        // SAFETY: valid pointers; the object is null or alive.
        let hr = unsafe { CoMarshalInterThreadInterfaceInStream(&iid, c.get(1)?, &mut stream) };
        give![hr, c.owned_by_row(stream)]
    }),
    op("CoGetInterfaceAndReleaseStream", "stream iid", "hr object", "reads a packet, and lets the stream go", |c| {
        let (stream, iid, mut raw): (*mut c_void, GUID, _) = (c.get(0)?, c.get(1)?, null_mut());
        c.let_go(Value::pointer(stream));
        // SAFETY: valid pointers; the stream is null or alive.
        let hr = unsafe { CoGetInterfaceAndReleaseStream(stream, &iid, &mut raw) };
        give![hr, c.owned(raw)]
    }),
];

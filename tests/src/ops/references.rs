//! What keeps objects and leads to them from everywhere: locks, disconnecting, the global interface table, agile references.

use super::{Call, Operation, give, op};
use oleander::windows_core::GUID;
use oleander::*;
use std::ffi::c_void;
use std::ptr::dangling_mut;

fn table(c: &Call<'_>) -> Result<IGlobalInterfaceTable, String> {
    c.exact(0)
}

/// The table.
pub const OPERATIONS: &[Operation] = &[
    op("CoLockObjectExternal", "object lock last", "hr", "adds a lock, or takes one back", |c| {
        // SAFETY: the object is null or alive.
        give![unsafe { CoLockObjectExternal(c.get(0)?, c.get(1)?, c.get(2)?) }]
    }),
    op("CoDisconnectObject", "object reserved?", "hr", "cuts all clients of an object off", |c| {
        // SAFETY: the object is null or alive.
        give![unsafe { CoDisconnectObject(c.get(0)?, c.optional(1)?.unwrap_or(0)) }]
    }),
    op("CoDisconnectContext", "ms", "hr", "cuts all clients of the context off", |c| {
        // SAFETY: no pointers.
        give![unsafe { CoDisconnectContext(c.get(0)?) }]
    }),
    op("RegisterInterfaceInGlobal", "table object iid", "hr cookie", "puts an object into the table", |c| {
        let (object, iid, mut cookie): (*mut c_void, GUID, u32) = (c.get(1)?, c.get(2)?, 0xABCD);
        // SAFETY: valid pointers; the object is null or alive.
        let hr = unsafe { table(c)?.RegisterInterfaceInGlobal(object, &iid, &mut cookie) };
        give![hr, cookie]
    }),
    op("GetInterfaceFromGlobal", "table cookie iid", "hr object", "a pointer for this apartment", |c| {
        let (iid, mut raw): (GUID, *mut c_void) = (c.get(2)?, dangling_mut());
        // SAFETY: valid pointers.
        let hr = unsafe { table(c)?.GetInterfaceFromGlobal(c.get(1)?, &iid, &mut raw) };
        give![hr, c.owned(raw)]
    }),
    op("RevokeInterfaceFromGlobal", "table cookie", "hr", "takes an object out of the table", |c| {
        // SAFETY: no pointers.
        give![unsafe { table(c)?.RevokeInterfaceFromGlobal(c.get(1)?) }]
    }),
    op("RoGetAgileReference", "options:AGILEREFERENCE_ iid object", "hr reference", "an agile reference", |c| {
        let (iid, mut raw): (GUID, *mut c_void) = (c.get(1)?, dangling_mut());
        // SAFETY: valid pointers; the object is null or alive.
        let hr = unsafe { RoGetAgileReference(c.get(0)?, &iid, c.get(2)?, &mut raw) };
        give![hr, c.owned(raw)]
    }),
    op("Resolve", "reference iid", "hr object", "IAgileReference::Resolve", |c| {
        let (reference, iid): (IAgileReference, GUID) = (c.exact(0)?, c.get(1)?);
        let mut raw = dangling_mut();
        // SAFETY: valid pointers.
        let hr = unsafe { reference.Resolve(&iid, &mut raw) };
        give![hr, c.owned(raw)]
    }),
];

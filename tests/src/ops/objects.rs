//! Objects: making them, their identity and counts.

use super::{Operation, give, op};
use crate::objects::{Player, make, query};
use crate::run::Value;
use oleander::windows_core::{GUID, IUnknown, Interface};
use std::ffi::c_void;

/// The table.
pub const OPERATIONS: &[Operation] = &[
    op("new", "kind:text made:text?", "object", "a test object; its methods log. A Factory makes `made`", |c| {
        let raw = make(&c.get::<String>(0)?, c.optional(1)?, Player::of(c))?;
        give![c.owned(raw)]
    }),
    op("QueryInterface", "object iid", "hr object", "asks for an interface", |c| {
        let (object, iid): (IUnknown, GUID) = (c.exact(0)?, c.get(1)?);
        let (hr, raw) = query(&object, &iid);
        give![hr, c.owned(raw)]
    }),
    op("AddRef", "object", "count", "counts one more reference", |c| {
        let raw: *mut c_void = c.get(0)?;
        // SAFETY: rows keep pointers alive for as long as they name them.
        let object = unsafe { IUnknown::from_raw_borrowed(&raw) }.ok_or("the pointer is null")?;
        // SAFETY: a live object; what is counted here is kept.
        let count = unsafe { (object.vtable().AddRef)(raw) };
        c.owned(raw);
        give![count]
    }),
    op("Release", "object", "count", "lets a reference go", |c| {
        let raw: *mut c_void = c.get(0)?;
        if raw.is_null() || !c.let_go(Value::pointer(raw)) {
            return Err("the row has no reference of this pointer".to_owned());
        }
        // SAFETY: a counted pointer that the stage had.
        let object = unsafe { std::mem::ManuallyDrop::new(IUnknown::from_raw(raw)) };
        // SAFETY: it is not used after.
        give![unsafe { (object.vtable().Release)(raw) }]
    }),
    op("count", "object", "count", "how many references there are", |c| {
        let raw: *mut c_void = c.get(0)?;
        // SAFETY: rows keep pointers alive for as long as they name them.
        let object = unsafe { IUnknown::from_raw_borrowed(&raw) }.ok_or("the pointer is null")?;
        // SAFETY: a live object; the pair changes nothing.
        let count = unsafe {
            (object.vtable().AddRef)(raw);
            (object.vtable().Release)(raw)
        };
        give![count]
    }),
];

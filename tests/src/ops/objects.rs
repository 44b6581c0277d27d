//! Objects: making them, their identity and counts.

use super::{Operation, give, op};
use crate::objects::{make, query};
use crate::run::Value;
use oleander::windows_core::{GUID, IUnknown, Interface};
use oleander::*;
use std::ffi::c_void;
use std::ptr::null_mut;

/// The table.
pub const OPERATIONS: &[Operation] = &[
    op("new", "kind:text", "object", "a test object: Sample, AsyncSample, Canceller, Filter; its methods log", |c| {
        let raw = make(&c.get::<String>(0)?, c)?;
        give![c.owned(raw)]
    }),
    op(
        "CoCreateInstance",
        "clsid:CLSID_ iid? context:CLSCTX_? outer?",
        "hr object",
        "makes an object of a class",
        |c| {
            let (class, iid) = (c.get::<GUID>(0)?, c.optional(1)?.unwrap_or(IUnknown::IID));
            let context = c.optional(2)?.unwrap_or(CLSCTX_INPROC_SERVER);
            let (outer, mut raw) = (c.optional::<*mut c_void>(3)?.unwrap_or(null_mut()), null_mut());
            // SAFETY: valid pointers; the outer is null or a live object.
            let hr = unsafe { CoCreateInstance(&class, outer, context, &iid, &mut raw) };
            give![hr, c.owned(raw)]
        },
    ),
    op("QueryInterface", "object iid", "hr object", "asks for an interface", |c| {
        let (object, iid): (IUnknown, GUID) = (c.exact(0)?, c.get(1)?);
        let (hr, raw) = query(&object, &iid);
        give![hr, c.owned(raw)]
    }),
    op("AddRef", "object", "count", "counts one more reference", |c| {
        let raw: *mut c_void = c.get(0)?;
        let object: IUnknown = c.exact(0)?;
        // SAFETY: a live object; what is counted here is kept.
        let count = unsafe { (object.vtable().AddRef)(raw) };
        c.owned(raw);
        // Less the reference of this function.
        drop(object);
        give![count - 1]
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
        let object: IUnknown = c.exact(0)?;
        // SAFETY: a live object; the pair changes nothing.
        let count = unsafe {
            (object.vtable().AddRef)(raw);
            (object.vtable().Release)(raw)
        };
        give![count - 1]
    }),
];

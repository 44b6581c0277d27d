//! Asynchronous releases: AsyncIUnknown on proxies.

use super::{Operation, give, op};
use crate::objects::{Player, release_async};
use crate::run::Value;
use oleander::windows_core::{GUID, IUnknown, Interface};
use oleander::*;
use std::ffi::c_void;

/// The table.
pub const OPERATIONS: &[Operation] = &[
    op("Begin_Release", "call", "hr", "AsyncIUnknown::Begin_Release", |c| {
        let call: AsyncIUnknown = c.exact(0)?;
        // SAFETY: no pointers.
        give![unsafe { call.Begin_Release() }]
    }),
    op("Finish_Release", "call", "count", "AsyncIUnknown::Finish_Release", |c| {
        let call: AsyncIUnknown = c.exact(0)?;
        // SAFETY: no pointers.
        give![unsafe { call.Finish_Release() }]
    }),
    op("Begin_AddRef", "call", "hr", "AsyncIUnknown::Begin_AddRef", |c| {
        let call: AsyncIUnknown = c.exact(0)?;
        // SAFETY: no pointers.
        give![unsafe { call.Begin_AddRef() }]
    }),
    op("Finish_AddRef", "call object", "count", "AsyncIUnknown::Finish_AddRef; the object has one more", |c| {
        let (call, object): (AsyncIUnknown, *mut c_void) = (c.exact(0)?, c.get(1)?);
        // SAFETY: no pointers.
        let count = unsafe { call.Finish_AddRef() };
        c.owned(object);
        give![count]
    }),
    op("Begin_QueryInterface", "call iid", "hr", "AsyncIUnknown::Begin_QueryInterface", |c| {
        let (call, iid): (AsyncIUnknown, GUID) = (c.exact(0)?, c.get(1)?);
        // SAFETY: a valid pointer.
        give![unsafe { call.Begin_QueryInterface(&iid) }]
    }),
    op("Finish_QueryInterface", "call", "hr object", "AsyncIUnknown::Finish_QueryInterface", |c| {
        let (call, mut raw): (AsyncIUnknown, _) = (c.exact(0)?, std::ptr::dangling_mut());
        // SAFETY: a valid pointer.
        let hr = unsafe { call.Finish_QueryInterface(&mut raw) };
        give![hr, c.owned(raw)]
    }),
    op(
        "Release.async",
        "object",
        "hr outer",
        "the helper of the posts: lets a reference go asynchronously; its outer object logs `r.Finish_Release(0)`, and its end",
        |c| {
            let raw: *mut c_void = c.get(0)?;
            if raw.is_null() || !c.let_go(Value::pointer(raw)) {
                return Err("the row has no reference of this pointer".to_owned());
            }
            // SAFETY: a counted pointer that the stage had.
            let object = unsafe { IUnknown::from_raw(raw) };
            let (hr, outer) = release_async(Player::of(c), object);
            give![hr, outer]
        },
    ),
];

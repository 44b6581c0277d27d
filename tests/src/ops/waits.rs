//! Waits: COM's and Win32's. What a wait writes begins as 0xABCD, so a row sees whether it was written.

use super::events::last_error;
use super::{Operation, give, op};
use oleander::*;
use std::ptr::{null, null_mut};

/// The table.
pub const OPERATIONS: &[Operation] = &[
    op("CoWaitForMultipleHandles", "flags:COWAIT_ ms handles", "hr index", "waits as the apartment does", |c| {
        let (handles, mut index) = (c.get::<Vec<HANDLE>>(2)?, 0xABCD);
        let count = handles.len() as u32;
        // SAFETY: valid pointers.
        let hr = unsafe { CoWaitForMultipleHandles(c.get(0)?, c.get(1)?, count, handles.as_ptr(), &mut index) };
        give![hr, index]
    }),
    op("CoWaitForMultipleObjects", "flags:CWMO_ ms handles", "hr index", "the same, with the newer flags", |c| {
        let (handles, mut index) = (c.get::<Vec<HANDLE>>(2)?, 0xABCD);
        let count = handles.len() as u32;
        // SAFETY: valid pointers.
        let hr = unsafe { CoWaitForMultipleObjects(c.get(0)?, c.get(1)?, count, handles.as_ptr(), &mut index) };
        give![hr, index]
    }),
    op(
        "CoWaitForMultipleHandles.null",
        "what:text count",
        "hr index",
        "with null `handles` or `index`, or null `both`",
        |c| {
            let (what, mut index, one) = (c.get::<String>(0)?, 0xABCD, HANDLE::NULL);
            let handles = if what == "index" { &raw const one } else { null() };
            let out = if what == "handles" { &raw mut index } else { null_mut() };
            // SAFETY: null, or valid; one handle is looked at where there is one.
            let hr = unsafe { CoWaitForMultipleHandles(0, 0, c.get(1)?, handles, out) };
            give![hr, index]
        },
    ),
    op("CoWaitForMultipleHandles.many", "count handle", "hr index", "0 ms for one handle many times", |c| {
        let (handles, mut index) = (vec![c.get::<HANDLE>(1)?; c.get(0)?], 0xABCD);
        // SAFETY: valid pointers.
        let hr = unsafe { CoWaitForMultipleHandles(0, 0, handles.len() as u32, handles.as_ptr(), &mut index) };
        give![hr, index]
    }),
    op("CoWaitForMultipleObjects.many", "count handle", "hr index", "0 ms for one handle many times", |c| {
        let (handles, mut index) = (vec![c.get::<HANDLE>(1)?; c.get(0)?], 0xABCD);
        // SAFETY: valid pointers.
        let hr = unsafe { CoWaitForMultipleObjects(0, 0, handles.len() as u32, handles.as_ptr(), &mut index) };
        give![hr, index]
    }),
    op("WaitForSingleObject", "handle ms", "result:WAIT_ error:ERROR_", "waits without dispatching", |c| {
        // SAFETY: a handle is a number.
        let result = unsafe { WaitForSingleObject(c.get(0)?, c.get(1)?) };
        give![result, last_error()]
    }),
    op("WaitForMultipleObjects", "handles all ms", "result:WAIT_ error:ERROR_", "waits without dispatching", |c| {
        let handles = c.get::<Vec<HANDLE>>(0)?;
        // SAFETY: valid pointers.
        let result = unsafe { WaitForMultipleObjects(handles.len() as u32, handles.as_ptr(), c.get(1)?, c.get(2)?) };
        give![result, last_error()]
    }),
    op(
        "MsgWaitForMultipleObjectsEx",
        "handles ms wake:QS_ flags:MWMO_",
        "result:WAIT_ error:ERROR_",
        "waits for handles or input",
        |c| {
            let handles = c.get::<Vec<HANDLE>>(0)?;
            let (count, ms, wake, flags) = (handles.len() as u32, c.get(1)?, c.get(2)?, c.get(3)?);
            // SAFETY: valid pointers.
            let result = unsafe { MsgWaitForMultipleObjectsEx(count, handles.as_ptr(), ms, wake, flags) };
            give![result, last_error()]
        },
    ),
    op(
        "MsgWaitForMultipleObjectsEx.many",
        "count handle",
        "result:WAIT_ error:ERROR_",
        "0 ms for one handle many times, or any input",
        |c| {
            let handles = vec![c.get::<HANDLE>(1)?; c.get(0)?];
            // SAFETY: valid pointers.
            let result =
                unsafe { MsgWaitForMultipleObjectsEx(handles.len() as u32, handles.as_ptr(), 0, QS_ALLINPUT, 0) };
            give![result, last_error()]
        },
    ),
];

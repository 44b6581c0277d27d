//! Synchronisation objects, by their interfaces' methods. A pointer is asked for the interface, so any interface of the
//! object will do.

use super::{Operation, give, op};
use oleander::*;
use std::ptr::null_mut;

/// The table.
pub const OPERATIONS: &[Operation] = &[
    op("Wait", "object flags:COWAIT_ ms", "hr", "ISynchronize::Wait", |c| {
        let sync: ISynchronize = c.interface(0)?;
        // SAFETY: no pointers.
        give![unsafe { sync.Wait(c.get(1)?, c.get(2)?) }]
    }),
    op("Signal", "object", "hr", "ISynchronize::Signal", |c| {
        let sync: ISynchronize = c.interface(0)?;
        // SAFETY: no pointers.
        give![unsafe { sync.Signal() }]
    }),
    op("Reset", "object", "hr", "ISynchronize::Reset", |c| {
        let sync: ISynchronize = c.interface(0)?;
        // SAFETY: no pointers.
        give![unsafe { sync.Reset() }]
    }),
    op("GetHandle", "object", "hr handle", "ISynchronizeHandle::GetHandle; the handle stays the object's", |c| {
        let (sync, mut handle): (ISynchronizeHandle, _) = (c.interface(0)?, HANDLE::NULL);
        // SAFETY: a valid pointer.
        let hr = unsafe { sync.GetHandle(&mut handle) };
        give![hr, handle]
    }),
    op(
        "SetEventHandle",
        "object handle",
        "hr",
        "ISynchronizeEvent::SetEventHandle; the object has it on success",
        |c| {
            let (sync, mut handle): (ISynchronizeEvent, HANDLE) = (c.interface(0)?, c.get(1)?);
            // SAFETY: a valid pointer.
            let hr = unsafe { sync.SetEventHandle(&mut handle) };
            if hr == S_OK {
                c.let_go(handle);
            }
            give![hr]
        },
    ),
    op("AddSynchronize", "container object", "hr", "ISynchronizeContainer::AddSynchronize", |c| {
        let container: ISynchronizeContainer = c.interface(0)?;
        // SAFETY: null or a live object.
        give![unsafe { container.AddSynchronize(c.get(1)?) }]
    }),
    op("AddSynchronize.times", "container object count", "hr", "the same several times, as long as it succeeds", |c| {
        let (container, count): (ISynchronizeContainer, u32) = (c.interface(0)?, c.get(2)?);
        let member = c.get(1)?;
        // SAFETY: a live object.
        let mut added = (0..count).map(|_| unsafe { container.AddSynchronize(member) });
        give![added.find(|hr| *hr != S_OK).unwrap_or(S_OK)]
    }),
    op("WaitMultiple", "container flags:COWAIT_ ms", "hr object", "ISynchronizeContainer::WaitMultiple", |c| {
        let (container, mut raw): (ISynchronizeContainer, _) = (c.interface(0)?, null_mut());
        // SAFETY: a valid pointer.
        let hr = unsafe { container.WaitMultiple(c.get(1)?, c.get(2)?, &mut raw) };
        give![hr, c.owned(raw)]
    }),
    op("WaitMultiple.null", "container", "hr", "the same with a null `ppSync`", |c| {
        let container: ISynchronizeContainer = c.interface(0)?;
        // SAFETY: null is what this is about.
        give![unsafe { container.WaitMultiple(0, 0, null_mut()) }]
    }),
];

//! Notifications: the methods of IAdviseSink and IAdviseSink2. Nothing comes back from them.

use super::{Call, Operation, give, op};
use crate::objects::IMoniker;
use oleander::windows_core::Interface;
use oleander::*;
use std::ffi::c_void;
use std::ptr::{null, null_mut};

/// The moniker of a notification, if there is one.
fn moniker(c: &Call<'_>) -> Result<Option<IMoniker>, String> {
    if c.optional::<*mut c_void>(1)?.is_none() {
        return Ok(None);
    }
    c.interface(1).map(Some)
}

fn raw(moniker: &Option<IMoniker>) -> *mut c_void {
    moniker.as_ref().map_or(null_mut(), IMoniker::as_raw)
}

/// The table.
pub const OPERATIONS: &[Operation] = &[
    op("OnDataChange", "object", "", "IAdviseSink::OnDataChange, without data", |c| {
        let sink: IAdviseSink = c.interface(0)?;
        // SAFETY: null is allowed.
        unsafe { sink.OnDataChange(null(), null()) };
        give![]
    }),
    op("OnViewChange", "object aspect", "", "IAdviseSink::OnViewChange", |c| {
        let sink: IAdviseSink = c.interface(0)?;
        // SAFETY: no pointers.
        unsafe { sink.OnViewChange(c.get(1)?, -1) };
        give![]
    }),
    op("OnRename", "object moniker?", "", "IAdviseSink::OnRename", |c| {
        let sink: IAdviseSink = c.interface(0)?;
        // SAFETY: null or a moniker that lives.
        unsafe { sink.OnRename(raw(&moniker(c)?)) };
        give![]
    }),
    op("OnSave", "object", "", "IAdviseSink::OnSave", |c| {
        let sink: IAdviseSink = c.interface(0)?;
        // SAFETY: no pointers.
        unsafe { sink.OnSave() };
        give![]
    }),
    op("OnClose", "object", "", "IAdviseSink::OnClose", |c| {
        let sink: IAdviseSink = c.interface(0)?;
        // SAFETY: no pointers.
        unsafe { sink.OnClose() };
        give![]
    }),
    op("OnLinkSrcChange", "object moniker?", "", "IAdviseSink2::OnLinkSrcChange", |c| {
        let sink: IAdviseSink2 = c.interface(0)?;
        // SAFETY: null or a moniker that lives.
        unsafe { sink.OnLinkSrcChange(raw(&moniker(c)?)) };
        give![]
    }),
];

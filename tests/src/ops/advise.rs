//! Notifications: the methods of IAdviseSink and IAdviseSink2. Nothing comes back from them.

use super::{Operation, give, op};
use oleander::*;
use std::ptr::{null, null_mut};

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
    op("OnRename", "object", "", "IAdviseSink::OnRename, without a moniker", |c| {
        let sink: IAdviseSink = c.interface(0)?;
        // SAFETY: null is allowed.
        unsafe { sink.OnRename(null_mut()) };
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
    op("OnLinkSrcChange", "object", "", "IAdviseSink2::OnLinkSrcChange, without a moniker", |c| {
        let sink: IAdviseSink2 = c.interface(0)?;
        // SAFETY: null is allowed.
        unsafe { sink.OnLinkSrcChange(null_mut()) };
        give![]
    }),
];

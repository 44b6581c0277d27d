//! Several interfaces in one query: IMultiQI and AsyncIMultiQI.

use super::{Call, Operation, Results, give, op};
use crate::run::Value;
use oleander::windows_core::{GUID, HRESULT};
use oleander::*;
use std::ptr::{dangling_mut, null};

/// The table.
pub const OPERATIONS: &[Operation] = &[
    op("QueryMultipleInterfaces", "object iids", "hr codes", "IMultiQI::QueryMultipleInterfaces", |c| {
        let (object, iids): (IMultiQI, Vec<GUID>) = (c.interface(0)?, c.get(1)?);
        let mut entries = entries(&iids);
        // SAFETY: as many entries as it says.
        let hr = unsafe { object.QueryMultipleInterfaces(iids.len() as u32, entries.as_mut_ptr()) };
        given(c, hr, &entries)
    }),
    op("Begin_QueryMultipleInterfaces", "call iids", "hr", "AsyncIMultiQI::Begin_QueryMultipleInterfaces", |c| {
        let (call, iids): (AsyncIMultiQI, Vec<GUID>) = (c.exact(0)?, c.get(1)?);
        let mut entries = entries(&iids);
        // SAFETY: as many entries as it says.
        give![unsafe { call.Begin_QueryMultipleInterfaces(iids.len() as u32, entries.as_mut_ptr()) }]
    }),
    op(
        "Finish_QueryMultipleInterfaces",
        "call count",
        "hr codes",
        "AsyncIMultiQI::Finish_QueryMultipleInterfaces, for as many as were asked for",
        |c| {
            let (call, count): (AsyncIMultiQI, u32) = (c.exact(0)?, c.get(1)?);
            let mut entries: Vec<_> = (0..count).map(|_| entry(null())).collect();
            // SAFETY: as many entries as were asked for.
            let hr = unsafe { call.Finish_QueryMultipleInterfaces(entries.as_mut_ptr()) };
            given(c, hr, &entries)
        },
    ),
];

/// An entry in which nothing is a result yet.
fn entry(iid: *const GUID) -> MULTI_QI {
    MULTI_QI { pIID: iid, pItf: dangling_mut(), hr: E_FAIL }
}

fn entries(iids: &[GUID]) -> Vec<MULTI_QI> {
    iids.iter().map(|iid| entry(iid)).collect()
}

fn given(c: &Call<'_>, hr: HRESULT, entries: &[MULTI_QI]) -> Results {
    entries.iter().for_each(|entry| drop(c.owned(entry.pItf)));
    give![hr, Value::List(entries.iter().map(|entry| entry.hr.into()).collect())]
}

//! Calls: synchronous, asynchronous, their call objects, cancellation, message filters.
//!
//! The methods of ISample and AsyncISample are called on the pointer as it is, which must be of that interface; the others ask
//! for theirs.

use super::{Call, Operation, give, op};
use crate::objects::{AgileOuter, AsyncISample, IAtOnce, ISample, Outer, Player};
use oleander::windows_core::{GUID, IUnknown, Interface};
use oleander::*;
use std::ffi::c_void;
use std::ptr::{null_mut, without_provenance_mut};

/// Who makes the call objects of an argument: the object's own ICallFactory; on a system whose proxies have none, what takes its
/// place (`oleander::call_factory`). What the object says when there is none is the operation's result.
fn factory(c: &Call<'_>, index: usize) -> Result<CallFactory, String> {
    let object: IUnknown = c.exact(index)?;
    call_factory(&object).map_err(|hr| c.refuse(hr))
}

/// The table.
pub const OPERATIONS: &[Operation] = &[
    op("Work", "object n", "hr twice", "ISample::Work, synchronously", |c| {
        let (object, mut twice): (ISample, _) = (c.exact(0)?, 0xABCD);
        // SAFETY: a valid pointer.
        let hr = unsafe { object.Work(c.get(1)?, &mut twice) };
        give![hr, twice]
    }),
    op("Note", "object n", "hr", "ISample::Note, synchronously", |c| {
        let object: ISample = c.exact(0)?;
        // SAFETY: no pointers.
        give![unsafe { object.Note(c.get(1)?) }]
    }),
    op("Ask", "object n", "hr twice", "IAtOnce::Ask, an input-synchronous call", |c| {
        let (object, mut twice): (IAtOnce, _) = (c.interface(0)?, 0);
        // SAFETY: a valid pointer.
        let hr = unsafe { object.Ask(c.get(1)?, &mut twice) };
        give![hr, twice]
    }),
    op("CreateCall", "object iid outer? iid2?", "hr call", "a call object of the object's ICallFactory", |c| {
        let (factory, iid): (_, GUID) = (factory(c, 0)?, c.get(1)?);
        let (outer, mut raw) = (c.optional::<*mut c_void>(2)?.unwrap_or(null_mut()), null_mut());
        let iid2 = c.optional::<GUID>(3)?.unwrap_or(iid);
        // SAFETY: valid pointers; the outer is null or alive.
        let hr = unsafe { factory.CreateCall(&iid, outer, &iid2, &mut raw) };
        give![hr, c.owned(raw)]
    }),
    op("CreateCall.null", "object what:text", "hr call", "with null for `riid`, `riid2` or `ppv`", |c| {
        let (factory, what): (_, String) = (factory(c, 0)?, c.get(1)?);
        let mut raw = std::ptr::dangling_mut();
        let iid = &AsyncISample::IID;
        let unless = |name: &str| if what == name { std::ptr::null() } else { std::ptr::from_ref(iid) };
        let out = if what == "ppv" { null_mut() } else { &raw mut raw };
        // SAFETY: null, or valid.
        let hr = unsafe { factory.CreateCall(unless("riid"), null_mut(), unless("riid2"), out) };
        give![hr, raw]
    }),
    op(
        "CreateCall.outer",
        "object iid kind:text?",
        "outer",
        "a call object under an outer object that logs, and is `agile` or belongs to the apartment; gives the outer",
        |c| {
            let (factory, iid): (_, GUID) = (factory(c, 0)?, c.get(1)?);
            let make = |outer: *mut c_void, riid: *const GUID, ppv: *mut *mut c_void| {
                // SAFETY: valid pointers of the aggregation.
                unsafe { factory.CreateCall(&iid, outer, riid, ppv) }
            };
            let made = match c.optional::<String>(2)?.as_deref() {
                None => Outer::around(Player::of(c), make),
                Some("agile") => AgileOuter::around(Player::of(c), make),
                Some(kind) => return Err(format!("no kind of outer object: {kind}")),
            };
            match made {
                Ok(outer) => give![c.owned(outer)],
                Err(hr) => Err(format!("CreateCall gave {}", crate::run::Value::Hr(hr))),
            }
        },
    ),
    op("Begin_Work", "call n", "hr", "AsyncISample::Begin_Work", |c| {
        let call: AsyncISample = c.exact(0)?;
        // SAFETY: no pointers.
        give![unsafe { call.Begin_Work(c.get(1)?) }]
    }),
    op("Finish_Work", "call", "hr twice", "AsyncISample::Finish_Work", |c| {
        let (call, mut twice): (AsyncISample, _) = (c.exact(0)?, 0xABCD);
        // SAFETY: a valid pointer.
        let hr = unsafe { call.Finish_Work(&mut twice) };
        give![hr, twice]
    }),
    op("Begin_Note", "call n", "hr", "AsyncISample::Begin_Note", |c| {
        let call: AsyncISample = c.exact(0)?;
        // SAFETY: no pointers.
        give![unsafe { call.Begin_Note(c.get(1)?) }]
    }),
    op("Finish_Note", "call", "hr", "AsyncISample::Finish_Note", |c| {
        let call: AsyncISample = c.exact(0)?;
        // SAFETY: no pointers.
        give![unsafe { call.Finish_Note() }]
    }),
    op("hold", "", "sync", "in Begin_: nobody signals; gives the server call's ISynchronize", |c| {
        let this: *mut c_void = c
            .inside(|inside| {
                inside.held = true;
                crate::run::Argument::of(&inside.this)
            })
            .ok_or("`hold` is for Begin_")?;
        // SAFETY: the call object lives while its method runs.
        let sync = unsafe { IUnknown::from_raw_borrowed(&this) }.cloned().ok_or("`hold` is for Begin_")?;
        give![c.owned(sync.into_raw())]
    }),
    op(
        "forward",
        "",
        "hr",
        "in an outer object's Signal: signals the inner object now, and returns what it gives",
        |c| {
            let this: *mut c_void =
                c.inside(|inside| crate::run::Argument::of(&inside.this)).ok_or("`forward` is for an outer object")?;
            // SAFETY: the inner object's ISynchronize, which lives while the outer's method runs.
            let hr = match unsafe { ISynchronize::from_raw_borrowed(&this) } {
                // SAFETY: no pointers.
                Some(sync) => unsafe { sync.Signal() },
                None => return Err("`forward` is for an outer object".to_owned()),
            };
            c.inside(|inside| inside.returns = Some(hr.into()));
            give![hr]
        },
    ),
    op("Cancel", "call seconds", "hr", "ICancelMethodCalls::Cancel", |c| {
        let cancel: ICancelMethodCalls = c.interface(0)?;
        // SAFETY: no pointers.
        give![unsafe { cancel.Cancel(c.get(1)?) }]
    }),
    op("TestCancel", "call", "hr", "ICancelMethodCalls::TestCancel", |c| {
        let cancel: ICancelMethodCalls = c.interface(0)?;
        // SAFETY: no pointers.
        give![unsafe { cancel.TestCancel() }]
    }),
    op("CoTestCancel", "", "hr", "whether the call in progress is cancelled", |_| {
        // SAFETY: no pointers.
        give![unsafe { CoTestCancel() }]
    }),
    op("CoCancelCall", "thread seconds", "hr", "cancels a thread's innermost call", |c| {
        // SAFETY: no pointers.
        give![unsafe { CoCancelCall(c.get(0)?, c.get(1)?) }]
    }),
    op("CoEnableCallCancellation", "reserved?", "hr", "lets synchronous calls of the thread be cancelled", |c| {
        let reserved = without_provenance_mut(c.optional::<usize>(0)?.unwrap_or(0));
        // SAFETY: the pointer is not followed.
        give![unsafe { CoEnableCallCancellation(reserved) }]
    }),
    op("CoDisableCallCancellation", "reserved?", "hr", "balances CoEnableCallCancellation", |c| {
        let reserved = without_provenance_mut(c.optional::<usize>(0)?.unwrap_or(0));
        // SAFETY: the pointer is not followed.
        give![unsafe { CoDisableCallCancellation(reserved) }]
    }),
    op("CoGetCancelObject", "thread iid", "hr object", "the cancel object of a thread's innermost call", |c| {
        let (iid, mut raw): (GUID, _) = (c.get(1)?, null_mut());
        // SAFETY: valid pointers.
        let hr = unsafe { CoGetCancelObject(c.get(0)?, &iid, &mut raw) };
        give![hr, c.owned(raw)]
    }),
    op("CoSetCancelObject", "object", "hr", "pushes a cancel object of the row's, or pops one with null", |c| {
        // SAFETY: null, or a live object.
        give![unsafe { CoSetCancelObject(c.get(0)?) }]
    }),
    op("CoRegisterMessageFilter", "filter", "hr old", "gives the thread a message filter, or takes it away", |c| {
        let mut old = null_mut();
        // SAFETY: a valid pointer; the filter is null or alive.
        let hr = unsafe { CoRegisterMessageFilter(c.get(0)?, &mut old) };
        give![hr, c.owned(old)]
    }),
    op("CoRegisterChannelHook", "extent hook", "hr", "a hook for the calls of the process, keyed by any GUID", |c| {
        let extent: GUID = c.get(0)?;
        // SAFETY: a valid pointer; the hook is null or alive.
        give![unsafe { CoRegisterChannelHook(&extent, c.get(1)?) }]
    }),
];

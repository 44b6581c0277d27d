//! Contexts: their tokens and objects, the way into them, logical threads, and the contexts of calls.

use super::{Operation, give, op};
use crate::objects::{ISample, Player};
use oleander::windows_core::{GUID, HRESULT, Interface};
use oleander::*;
use std::ffi::c_void;
use std::ptr::{dangling_mut, null, null_mut};

/// A [`Player`] and its number, on their way into a context.
type Visit = (Player, u32);

/// # Safety
/// `data` has the address of a [`Visit`], alive during the call.
unsafe extern "system" fn in_context(data: *mut ComCallData) -> HRESULT {
    // SAFETY: the caller's promise.
    let (player, n) = unsafe { &*(*data).pUserDefined.cast::<Visit>() };
    player.method("Run", Some(*n)).hr()
}

/// A GUID that no function has written to.
const UNTOUCHED: GUID = GUID::from_u128(0xABCD);

/// The table.
pub const OPERATIONS: &[Operation] = &[
    op("CoGetContextToken", "", "hr token", "the number of the context", |_| {
        let mut token = 0xABCD;
        // SAFETY: a valid pointer.
        let hr = unsafe { CoGetContextToken(&mut token) };
        give![hr, token]
    }),
    op("CoGetContextToken.null", "", "hr", "with null for the output", |_| {
        // SAFETY: null is what this is about.
        give![unsafe { CoGetContextToken(null_mut()) }]
    }),
    op("CoGetObjectContext", "iid", "hr context", "the context as an object", |c| {
        let (iid, mut raw): (GUID, *mut c_void) = (c.get(0)?, dangling_mut());
        // SAFETY: valid pointers.
        let hr = unsafe { CoGetObjectContext(&iid, &mut raw) };
        give![hr, c.owned(raw)]
    }),
    op("address", "object", "token", "a pointer as a number, to compare with a token", |c| {
        let raw: *mut c_void = c.get(0)?;
        give![raw.addr()]
    }),
    op("GetCurrentApartmentType", "info", "hr type:APTTYPE_", "IComThreadingInfo's: where the thread is", |c| {
        let (info, mut kind): (IComThreadingInfo, _) = (c.exact(0)?, 0xABCD);
        // SAFETY: a valid pointer.
        let hr = unsafe { info.GetCurrentApartmentType(&mut kind) };
        give![hr, kind]
    }),
    op(
        "GetCurrentThreadType",
        "info",
        "hr type:THDTYPE_",
        "IComThreadingInfo's: whether it dispatches messages",
        |c| {
            let (info, mut kind): (IComThreadingInfo, _) = (c.exact(0)?, 0xABCD);
            // SAFETY: a valid pointer.
            let hr = unsafe { info.GetCurrentThreadType(&mut kind) };
            give![hr, kind]
        },
    ),
    op("GetCurrentLogicalThreadId", "info", "hr id", "IComThreadingInfo's: the logical thread", |c| {
        let (info, mut id): (IComThreadingInfo, _) = (c.exact(0)?, UNTOUCHED);
        // SAFETY: a valid pointer.
        let hr = unsafe { info.GetCurrentLogicalThreadId(&mut id) };
        give![hr, id]
    }),
    op("SetCurrentLogicalThreadId", "info id?", "hr", "IComThreadingInfo's; with null when there is no id", |c| {
        let (info, id): (IComThreadingInfo, Option<GUID>) = (c.exact(0)?, c.optional(1)?);
        // SAFETY: a valid pointer, or null.
        give![unsafe { info.SetCurrentLogicalThreadId(id.as_ref().map_or(null(), |id| id)) }]
    }),
    op("IComThreadingInfo.null", "info method:text", "hr", "one of its questions, with null for the output", |c| {
        let info: IComThreadingInfo = c.exact(0)?;
        // SAFETY: null is what this is about.
        let hr = unsafe {
            match c.get::<String>(1)?.as_str() {
                "GetCurrentApartmentType" => info.GetCurrentApartmentType(null_mut()),
                "GetCurrentThreadType" => info.GetCurrentThreadType(null_mut()),
                "GetCurrentLogicalThreadId" => info.GetCurrentLogicalThreadId(null_mut()),
                other => return Err(format!("no question: {other}")),
            }
        };
        give![hr]
    }),
    op("CoGetCurrentLogicalThreadId", "", "hr id", "the logical thread", |_| {
        let mut id = UNTOUCHED;
        // SAFETY: a valid pointer.
        let hr = unsafe { CoGetCurrentLogicalThreadId(&mut id) };
        give![hr, id]
    }),
    op("CoGetCurrentLogicalThreadId.null", "", "hr", "with null for the output", |_| {
        // SAFETY: null is what this is about.
        give![unsafe { CoGetCurrentLogicalThreadId(null_mut()) }]
    }),
    op("CoGetCallerTID", "", "hr thread", "in a method: the thread of the caller's STA", |_| {
        let mut thread = 0xABCD;
        // SAFETY: a valid pointer.
        let hr = unsafe { CoGetCallerTID(&mut thread) };
        give![hr, thread]
    }),
    op("CoGetCallerTID.null", "", "hr", "with null for the output", |_| {
        // SAFETY: null is what this is about.
        give![unsafe { CoGetCallerTID(null_mut()) }]
    }),
    op("CoGetCurrentProcess", "", "number", "a number of the thread's own", |_| {
        // SAFETY: no pointers.
        give![unsafe { CoGetCurrentProcess() }]
    }),
    op("GetCurrentProcessId", "", "process", "the process", |_| {
        // SAFETY: no pointers.
        give![unsafe { GetCurrentProcessId() }]
    }),
    op(
        "in_context",
        "context n iid? method?",
        "hr call",
        "IContextCallback: logs `call.Run(n)` there, and runs its lines",
        |c| {
            let context: IContextCallback = c.exact(0)?;
            let mut visit: Visit = (Player::of(c), c.get::<u32>(1)?);
            let mut data = ComCallData { dwDispid: 0, dwReserved: 0, pUserDefined: (&raw mut visit).cast() };
            let (iid, method) = (c.optional(2)?.unwrap_or(ISample::IID), c.optional(3)?.unwrap_or(3));
            // SAFETY: what the function gets is alive during the call.
            let hr = unsafe { context.ContextCallback(Some(in_context), &mut data, &iid, method, null_mut()) };
            give![hr, "call"]
        },
    ),
    op(
        "in_context.wrong",
        "context what:text",
        "hr",
        "without a `function`, without an `iid`, or with an `object`",
        |c| {
            let (context, what): (IContextCallback, String) = (c.exact(0)?, c.get(1)?);
            let mut visit: Visit = (Player::of(c), 0);
            let mut data = ComCallData { dwDispid: 0, dwReserved: 0, pUserDefined: (&raw mut visit).cast() };
            let function: PFNCONTEXTCALL = if what == "function" { None } else { Some(in_context) };
            let iid = if what == "iid" { null() } else { &ISample::IID };
            let object = if what == "object" { context.as_raw() } else { null_mut() };
            // SAFETY: as above; null is what this is about.
            give![unsafe { context.ContextCallback(function, &mut data, iid, 3, object) }]
        },
    ),
    op("CoSwitchCallContext", "object", "hr old", "another call context; counts neither object", |c| {
        let mut old = null_mut();
        // SAFETY: a valid pointer; the object is null or alive.
        let hr = unsafe { CoSwitchCallContext(c.get(0)?, &mut old) };
        give![hr, old]
    }),
    op("CoGetCallContext", "iid", "hr context", "the context of the call in progress", |c| {
        let (iid, mut raw): (GUID, _) = (c.get(0)?, null_mut());
        // SAFETY: valid pointers.
        let hr: HRESULT = unsafe { CoGetCallContext(&iid, &mut raw) };
        give![hr, c.owned(raw)]
    }),
];

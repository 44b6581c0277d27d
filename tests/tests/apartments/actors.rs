//! Threads that make the calls they are told, with the runtime's own functions.

use super::model::{ACTORS, Answer, Code, Model, Op};
use super::told::Told;
use oleander::windows_core::{GUID, HRESULT, Interface};
use oleander::*;
use std::collections::HashMap;
use std::ffi::c_void;
use std::ptr::null_mut;

/// What goes into the interface table. Its interface has proxies of its own.
#[com_class(IPersist)]
struct Thing;

impl IPersist_Impl for Thing_Impl {
    unsafe fn GetClassID(&self, _pClassID: *mut GUID) -> HRESULT {
        E_NOTIMPL
    }
}

/// A call, with the cookie that it needs.
#[derive(Clone, Copy)]
enum Order {
    Plain(Op),
    Decrement(usize),
    /// Gets what was put as this pointer.
    Get(u32, usize),
    Revoke(u32),
}

/// What a thread found: the code, and what came with it.
#[derive(Clone, Copy, Debug)]
struct Found {
    hr: HRESULT,
    kind: Option<(i32, i32)>,
    token: Option<usize>,
    direct: Option<bool>,
    /// A cookie that was given, and the pointer that was put.
    cookie: (usize, usize),
}

impl From<HRESULT> for Found {
    fn from(hr: HRESULT) -> Self {
        Self { hr, kind: None, token: None, direct: None, cookie: (0, 0) }
    }
}

type Actor = Told<Order, Found>;

fn code(hr: HRESULT) -> Result<Code, HRESULT> {
    Ok(match hr {
        S_OK => Code::Ok,
        S_FALSE => Code::False,
        RPC_E_CHANGED_MODE => Code::ChangedMode,
        CO_E_NOTINITIALIZED => Code::NotInitialized,
        CO_E_NOT_SUPPORTED => Code::NotSupported,
        E_INVALIDARG => Code::InvalidArgument,
        CO_E_CANCEL_DISABLED => Code::CancelDisabled,
        other => return Err(other),
    })
}

/// Serves other apartments meanwhile: what is revoked goes where it lives.
fn wait(ordered: HANDLE) {
    let mut index = 0;
    // SAFETY: a live handle. Works outside COM too (WAIT-13).
    let hr = unsafe { CoWaitForMultipleHandles(COWAIT_DEFAULT, INFINITE, 1, &ordered, &mut index) };
    assert_eq!(hr, S_OK);
}

fn start() -> Actor {
    // SAFETY: the player gives cookies that are out, and pointers that nobody follows.
    Told::start(wait, |order| unsafe { call(order) })
}

fn usage(cookie: usize) -> *mut c_void {
    std::ptr::without_provenance_mut(cookie)
}

/// Does something with the interface table; `CO_E_NOTINITIALIZED` outside COM.
fn with_table(f: impl FnOnce(&IGlobalInterfaceTable) -> Found) -> Found {
    let (mut raw, clsid, iid) = (null_mut(), &CLSID_StdGlobalInterfaceTable, &IGlobalInterfaceTable::IID);
    // SAFETY: valid arguments; on success the pointer is one of the interface.
    unsafe {
        let hr = CoCreateInstance(clsid, null_mut(), CLSCTX_INPROC_SERVER, iid, &mut raw);
        if hr.is_err() { hr.into() } else { f(&IGlobalInterfaceTable::from_raw(raw)) }
    }
}

/// # Safety
/// A cookie of the MTA's usage is out.
unsafe fn call(order: Order) -> Found {
    // SAFETY: valid pointers, or null where that is allowed or is what is tried.
    unsafe {
        match order {
            Order::Decrement(cookie) => CoDecrementMTAUsage(usage(cookie)).into(),
            Order::Get(cookie, put) => with_table(|table| {
                let mut raw = null_mut();
                let hr = table.GetInterfaceFromGlobal(cookie, &IPersist::IID, &mut raw);
                if hr.is_err() {
                    return hr.into();
                }
                let direct = Some(raw.addr() == put);
                drop(IPersist::from_raw(raw));
                Found { direct, ..hr.into() }
            }),
            Order::Revoke(cookie) => with_table(|table| table.RevokeInterfaceFromGlobal(cookie).into()),
            Order::Plain(op) => plain(op),
        }
    }
}

unsafe fn plain(op: Op) -> Found {
    // SAFETY: as above.
    unsafe {
        match op {
            Op::Enter { sta, reserved } => {
                let flags = if sta { COINIT_APARTMENTTHREADED } else { COINIT_MULTITHREADED };
                let mut something = 0_u32;
                let reserved = if reserved { (&raw mut something).cast() } else { null_mut() };
                CoInitializeEx(reserved, flags).into()
            }
            Op::Leave => {
                CoUninitialize();
                S_OK.into()
            }
            Op::Increment => {
                let mut cookie = null_mut();
                let hr = CoIncrementMTAUsage(&mut cookie);
                Found { cookie: (cookie.addr(), 0), ..hr.into() }
            }
            Op::Type => {
                let (mut kind, mut qualifier) = (7, 7);
                let hr = CoGetApartmentType(&mut kind, &mut qualifier);
                Found { kind: Some((kind, qualifier)), ..hr.into() }
            }
            Op::Token => {
                let mut token = 0;
                let hr = CoGetContextToken(&mut token);
                Found { token: hr.is_ok().then_some(token), ..hr.into() }
            }
            Op::EnableCancellation => CoEnableCallCancellation(null_mut()).into(),
            Op::DisableCancellation => CoDisableCallCancellation(null_mut()).into(),
            Op::Filter => CoRegisterMessageFilter(null_mut(), null_mut()).into(),
            Op::Put => with_table(|table| {
                let (object, mut cookie) = (IPersist::from(Thing), 0);
                let hr = table.RegisterInterfaceInGlobal(object.as_raw(), &IPersist::IID, &mut cookie);
                Found { cookie: (cookie as usize, object.as_raw().addr()), ..hr.into() }
            }),
            Op::Decrement(_) | Op::Get(_) | Op::Revoke(_) | Op::End => unreachable!("the player makes orders of these"),
        }
    }
}

/// What was given, in order, and the token of each apartment that was seen.
#[derive(Default)]
struct Given {
    usage: Vec<usize>,
    table: Vec<(usize, usize)>,
    tokens: HashMap<u32, usize>,
}

/// Plays calls by threads on the runtime and on the model; the first difference, in words.
pub fn play(ops: &[(usize, Op)]) -> Result<(), String> {
    let mut actors: [Actor; ACTORS] = std::array::from_fn(|_| start());
    let (mut model, mut given) = (Model::default(), Given::default());
    let mut result = Ok(());
    for (at, &(who, op)) in ops.iter().enumerate() {
        if !model.is_certain(who, op) {
            continue;
        }
        result = step(&mut model, &mut actors[who], &mut given, (who, op))
            .map_err(|what| format!("step {at}, {op:?} by {who} of {ops:?}: {what}"));
        if result.is_err() {
            break;
        }
    }
    actors.into_iter().for_each(Actor::end);
    if result.is_ok() {
        give_back(&mut model, &given);
        assert_eq!((debug::live_objects(), debug::open_handles()), (0, 0), "{ops:?}");
    }
    result
}

fn step(model: &mut Model, actor: &mut Actor, given: &mut Given, (who, op): (usize, Op)) -> Result<(), String> {
    let order = match op {
        Op::End => {
            std::mem::replace(actor, start()).end();
            model.step(who, op);
            return Ok(());
        }
        Op::Decrement(which) => Order::Decrement(given.usage[model.usage_out(which)]),
        Op::Get(which) => {
            let (cookie, put) = given.table[model.given(which)];
            Order::Get(cookie as u32, put)
        }
        Op::Revoke(which) => Order::Revoke(given.table[model.given(which)].0 as u32),
        _ => Order::Plain(op),
    };
    let expected = model.step(who, op);
    actor.order(order);
    let found = actor.answer().map_err(|what| format!("it {what} for {expected:?}"))?;
    match op {
        Op::Increment => given.usage.push(found.cookie.0),
        Op::Put if found.hr == S_OK => given.table.push(found.cookie),
        _ => {}
    }
    let code = code(found.hr).map_err(|hr| format!("{hr} instead of {expected:?}"))?;
    let answer = Answer { code, kind: found.kind, apartment: expected.apartment, direct: found.direct };
    if answer != expected {
        return Err(format!("{answer:?} instead of {expected:?}"));
    }
    // One token for an apartment, always (APT-29).
    match (expected.apartment, found.token) {
        (Some(apartment), Some(token)) if *given.tokens.entry(apartment).or_insert(token) == token => Ok(()),
        (None, None) => Ok(()),
        (_, token) => Err(format!("{token:?} as the token of {expected:?}, before {:?}", given.tokens)),
    }
}

/// The cookies that are still out. The threads have ended, most of them in COM (APT-23).
fn give_back(model: &mut Model, given: &Given) {
    (0..ACTORS).for_each(|who| _ = model.step(who, Op::End));
    while model.is_certain(0, Op::Decrement(0)) {
        let out = model.usage_out(0);
        // SAFETY: the model says that it is out.
        let hr = unsafe { CoDecrementMTAUsage(usage(given.usage[out])) };
        assert_eq!(hr, S_OK);
        model.step(0, Op::Decrement(0));
    }
}

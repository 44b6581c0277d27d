//! AsyncIMultiQI on a proxy (IID-12): the inner object of the call object for it.
//!
//! What the proxy knows is not asked for; the rest goes to the server's apartment as one task, and the call ends with it.
//! The proxies are made where the call is finished. That no server answers is an answer for each interface, as IMultiQI
//! says it; what the call itself ends with (it was cancelled, its outer's Signal failed) is the result of `Finish_` and of
//! every entry.
//!
//! Fields: `asked` belongs to whoever claimed the call: written by its `Begin_`, read by its `Finish_`. The lock is held for
//! the exchange only. Each half holds this object for its own length, as in `async_unknown.rs`.

use super::head::{self, DELEGATING, Head, Proxy};
use super::info::{AsyncInfo, HasTwin, InterfaceInfo, Remote};
use super::manager::ProxyManager;
use super::own_call::{self, OwnCall, with};
use super::several::{Answer, fill, unknown_here, wanted};
use crate::abi::hresult::{E_NOTIMPL, E_POINTER, RPC_S_UNKNOWN_IF_HR, S_OK};
use crate::abi::interfaces::{AsyncIMultiQI, AsyncIMultiQI_Vtbl, IMultiQI};
use crate::abi::types::MULTI_QI;
use crate::apartment::{self, Apartment};
use crate::call::Parts;
use crate::channel::{Buffer, Call};
use crate::marshal::ndr::Result;
use parking_lot::Mutex;
use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;
use windows_core::{ComObject, GUID, HRESULT, IUnknown, Interface};

const QUERY: u32 = 0;

static VTABLE: AsyncIMultiQI_Vtbl = AsyncIMultiQI_Vtbl {
    base__: DELEGATING,
    Begin_QueryMultipleInterfaces: begin,
    Finish_QueryMultipleInterfaces: finish,
};

/// IMultiQI and its twin. No call ever names a method of theirs: the proxy manager answers them.
static INFO: InterfaceInfo = InterfaceInfo {
    name: "IMultiQI",
    iid: IMultiQI::IID,
    methods: IUnknown::SLOTS,
    proxy_vtbl: ptr::from_ref(&IUnknown::PROXY).cast(),
    invoke: IUnknown::invoke,
    discard: IUnknown::discard,
    twin: Some(AsyncInfo {
        name: "AsyncIMultiQI",
        iid: AsyncIMultiQI::IID,
        proxy_vtbl: ptr::from_ref(&VTABLE).cast(),
        begin: IUnknown::begin,
        finish: IUnknown::finish,
    }),
};

/// What was asked: every entry's interface, and those of them that the server was asked for.
#[derive(Clone, Default)]
struct Asked {
    wanted: Vec<Option<GUID>>,
    iids: Vec<GUID>,
}

/// The inner object. See the module.
#[repr(C)]
struct AsyncSeveral {
    head: Head,
    own: OwnCall,
    asked: Mutex<Asked>,
}

// SAFETY: `repr(C)`, the head comes first.
unsafe impl Proxy for AsyncSeveral {
    fn iid(_head: &Head) -> GUID {
        AsyncIMultiQI::IID
    }

    unsafe fn own(_this: *mut Self, _iid: &GUID) -> *mut c_void {
        ptr::null_mut()
    }

    unsafe fn channel(_channel: *mut c_void) -> Result<*mut c_void> {
        // It needs none.
        Err(E_NOTIMPL)
    }
}

/// Makes the inner object: its own IUnknown, counted.
///
/// # Safety
/// `outer` outlives it.
pub(super) unsafe fn create(outer: *mut c_void, parts: Parts) -> *mut c_void {
    let root = head::place(AsyncSeveral {
        head: Head::new::<AsyncSeveral>(&INFO, ptr::from_ref(&VTABLE).cast(), outer),
        own: OwnCall::new(parts.pending),
        asked: Mutex::default(),
    });
    // SAFETY: the object was just made.
    unsafe { head::buffer_of(root) }
}

impl AsyncSeveral {
    fn begin(&self, entries: &[MULTI_QI]) -> HRESULT {
        let may = |manager: &ComObject<ProxyManager>| {
            let wanted = wanted(entries);
            let iids = unknown_here(manager, &wanted);
            let server = match iids.first().map(|first| manager.whom_to_ask(first)) {
                None => None,
                Some(Ok(server)) => Some(server),
                // That is every entry's result; other failures are ones to begin (CALL-13).
                Some(Err(RPC_S_UNKNOWN_IF_HR)) => None,
                Some(Err(hr)) => return Err(hr),
            };
            *self.asked.lock() = Asked { wanted, iids: iids.clone() };
            Ok((server, iids))
        };
        self.own.begin(&self.head, QUERY, may, |manager, (server, iids), call| match server {
            Some(server) => ask(&manager, &server, iids, call),
            None => call.complete_later(Ok(reply(&vec![Err(RPC_S_UNKNOWN_IF_HR); iids.len()]))),
        })
    }

    /// # Safety
    /// There are as many entries as were asked for.
    unsafe fn finish(&self, entries: *mut MULTI_QI) -> HRESULT {
        let finished = self.own.finish(&self.head, QUERY, false, |reply| {
            let asked = self.asked.lock().clone();
            // SAFETY: the caller's promise.
            let entries = unsafe { std::slice::from_raw_parts_mut(entries, asked.wanted.len()) };
            let filled = self.own.pending().proxy().and_then(|manager| {
                let answers = answers(reply?);
                Ok(fill(&manager, entries, &asked.wanted, (&asked.iids, &answers)))
            });
            filled.unwrap_or_else(|hr| {
                entries.iter_mut().for_each(|entry| (entry.pItf, entry.hr) = (ptr::null_mut(), hr));
                hr
            })
        });
        finished.unwrap_or_else(|hr| hr)
    }
}

/// Asks the server without waiting.
fn ask(manager: &ComObject<ProxyManager>, server: &Arc<Apartment>, iids: Vec<GUID>, call: Arc<Call>) {
    let (waiting, count) = (call.clone(), iids.len());
    let told = move |asked: std::result::Result<Vec<Answer>, HRESULT>| {
        waiting.complete(Ok(reply(&asked.unwrap_or_else(|hr| vec![Err(hr); count]))));
    };
    if apartment::post_to(server, manager.questions(server, iids), told).is_err() {
        call.complete_later(Ok(reply(&vec![Err(RPC_S_UNKNOWN_IF_HR); count])));
    }
}

/// How long an answer is: a code, and an IPID.
const ANSWER_LEN: usize = 20;

/// Answers as a reply.
fn reply(answers: &[Answer]) -> Buffer {
    let mut bytes = Vec::with_capacity(answers.len() * ANSWER_LEN);
    for answer in answers {
        let (hr, ipid) = answer.map_or_else(|hr| (hr, GUID::zeroed()), |ipid| (S_OK, ipid));
        bytes.extend_from_slice(&hr.0.to_le_bytes());
        bytes.extend_from_slice(&ipid.to_u128().to_le_bytes());
    }
    own_call::bytes(&bytes)
}

/// And back.
fn answers(reply: &[u8]) -> Vec<Answer> {
    let (answers, _) = reply.as_chunks::<ANSWER_LEN>();
    let read = |answer: &[u8; ANSWER_LEN]| {
        let (hr, ipid) = answer.split_first_chunk::<4>()?;
        let (hr, ipid) = (HRESULT(i32::from_le_bytes(*hr)), u128::from_le_bytes(ipid.try_into().ok()?));
        Some(if hr == S_OK { Ok(GUID::from_u128(ipid)) } else { Err(hr) })
    };
    answers.iter().filter_map(read).collect()
}

unsafe extern "system" fn begin(this: *mut c_void, count: u32, entries: *mut MULTI_QI) -> HRESULT {
    if entries.is_null() {
        return E_POINTER;
    }
    // SAFETY: the caller passes that many entries, and holds the object.
    unsafe {
        let entries = std::slice::from_raw_parts(entries, count as usize);
        with(this, |it: &AsyncSeveral| it.begin(entries))
    }
}

unsafe extern "system" fn finish(this: *mut c_void, entries: *mut MULTI_QI) -> HRESULT {
    if entries.is_null() {
        return E_POINTER;
    }
    // SAFETY: the caller passes as many entries as it asked for, and holds the object.
    unsafe { with(this, |it: &AsyncSeveral| it.finish(entries)) }
}

//! AsyncIUnknown on a proxy (facts section 6.1): the inner object of the call object for it.
//!
//! `AddRef` and a `Release` that is not the last are the proxy's own business and complete at once; a query for an interface
//! that the proxy knows, too. Other queries ask the server as a synchronous one would, and the proxy is made where they
//! are finished. The last `Release` goes to the server's apartment as a task, and the call ends with it.
//!
//! Fields: `asked` belongs to whoever claimed the call; `count` is written before the call is completed and read after.
//! A call object may end in `Finish_Release`, and that may be in on another thread before `Begin_Release` returns: so each
//! half holds this object for its own length.

use super::head::{self, DELEGATING, Head, Proxy};
use super::info::{AsyncInfo, HasTwin, InterfaceInfo, Remote};
use super::manager::ProxyManager;
use super::own_call::{self, OwnCall, with};
use crate::abi::hresult::{E_INVALIDARG, E_NOINTERFACE, E_NOTIMPL, E_POINTER, RPC_S_UNKNOWN_IF_HR};
use crate::abi::interfaces::{AsyncIUnknown, AsyncIUnknown_Vtbl};
use crate::apartment::{self, Apartment};
use crate::call::{HandedOut, Parts};
use crate::channel::{Buffer, Call, Failure};
use crate::marshal::ndr::Result;
use crate::object::guard;
use parking_lot::Mutex;
use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use windows_core::{ComObject, GUID, HRESULT, IUnknown, IUnknownImpl, Interface};

const QUERY: u32 = 0;
const ADD_REF: u32 = 1;
const RELEASE: u32 = 2;

static VTABLE: AsyncIUnknown_Vtbl = AsyncIUnknown_Vtbl {
    base__: DELEGATING,
    Begin_QueryInterface: begin_query,
    Finish_QueryInterface: finish_query,
    Begin_AddRef: begin_add_ref,
    Finish_AddRef: finish_add_ref,
    Begin_Release: begin_release,
    Finish_Release: finish_release,
};

/// IUnknown and its twin. No call ever names a method of theirs: the proxy manager answers them.
static INFO: InterfaceInfo = InterfaceInfo {
    name: "IUnknown",
    iid: IUnknown::IID,
    methods: IUnknown::SLOTS,
    proxy_vtbl: ptr::from_ref(&IUnknown::PROXY).cast(),
    invoke: IUnknown::invoke,
    discard: IUnknown::discard,
    twin: Some(AsyncInfo {
        name: "AsyncIUnknown",
        iid: AsyncIUnknown::IID,
        proxy_vtbl: ptr::from_ref(&VTABLE).cast(),
        begin: IUnknown::begin,
        finish: IUnknown::finish,
    }),
};

/// The inner object. See the module.
#[repr(C)]
struct AsyncUnknown {
    head: Head,
    own: OwnCall,
    asked: Mutex<GUID>,
    count: Arc<AtomicU32>,
    handed_out: Option<HandedOut>,
}

// SAFETY: `repr(C)`, the head comes first.
unsafe impl Proxy for AsyncUnknown {
    fn iid(_head: &Head) -> GUID {
        AsyncIUnknown::IID
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
    let Parts { pending, handed_out } = parts;
    let root = head::place(AsyncUnknown {
        head: Head::new::<AsyncUnknown>(&INFO, ptr::from_ref(&VTABLE).cast(), outer),
        own: OwnCall::new(pending),
        asked: Mutex::new(GUID::zeroed()),
        count: Arc::default(),
        handed_out,
    });
    // SAFETY: the object was just made.
    unsafe { head::buffer_of(root) }
}

/// Who answers a query.
enum Answer {
    Here,
    Failed(HRESULT),
    There(Arc<Apartment>),
}

fn who_answers(manager: &ComObject<ProxyManager>, iid: &GUID) -> Result<Answer> {
    if manager.answers_itself(iid) {
        return Ok(Answer::Here);
    }
    match manager.whom_to_ask(iid) {
        Ok(server) => Ok(Answer::There(server)),
        // The query itself has this result; every other failure is one to begin (CALL-13).
        Err(hr) if hr == E_NOINTERFACE || hr == RPC_S_UNKNOWN_IF_HR => Ok(Answer::Failed(hr)),
        Err(hr) => Err(hr),
    }
}

impl AsyncUnknown {
    fn begin_query(&self, iid: &GUID) -> HRESULT {
        let may = |manager: &ComObject<ProxyManager>| {
            let answer = who_answers(manager, iid)?;
            *self.asked.lock() = *iid;
            Ok(answer)
        };
        self.own.begin(&self.head, QUERY, may, |manager, answer, call| match answer {
            Answer::Here => call.complete_later(Ok(Buffer::default())),
            Answer::Failed(hr) => call.complete_later(Err(Failure(hr))),
            Answer::There(server) => ask(&manager, &server, *iid, call),
        })
    }

    fn finish_query(&self, out: &mut *mut c_void) -> HRESULT {
        let found = self.own.finish(&self.head, QUERY, false, |reply| {
            let (reply, manager, iid) = (reply?, self.own.pending().proxy()?, *self.asked.lock());
            match <[u8; 16]>::try_from(reply) {
                Ok(ipid) => manager.connect(&iid, GUID::from_u128(u128::from_le_bytes(ipid))),
                Err(_) => {
                    let mut known = ptr::null_mut();
                    // SAFETY: the object lives, and the place is ours.
                    let hr = unsafe { IUnknownImpl::QueryInterface(&*manager, &iid, &mut known) };
                    hr.ok().map(|()| known).map_err(|error| error.code())
                }
            }
        });
        match found.and_then(|found| found) {
            Ok(pointer) => {
                *out = pointer;
                crate::abi::hresult::S_OK
            }
            Err(hr) => hr,
        }
    }

    fn begin_add_ref(&self) -> HRESULT {
        self.own.begin(
            &self.head,
            ADD_REF,
            |_| Ok(()),
            |manager, (), call| {
                self.count.store(IUnknownImpl::AddRef(&*manager) - 1, Ordering::Release);
                call.complete_later(Ok(Buffer::default()));
            },
        )
    }

    fn begin_release(&self) -> HRESULT {
        self.own.begin(
            &self.head,
            RELEASE,
            |_| Ok(()),
            |manager, (), call| {
                // What this half holds itself is no longer counted.
                drop(manager);
                self.count.store(0, Ordering::Release);
                let count = self.count.clone();
                if let Some(last) = self.own.pending().take_proxy() {
                    ProxyManager::release_later(last, &call, move |remaining| {
                        count.store(remaining, Ordering::Release)
                    });
                }
            },
        )
    }

    /// The count, or `None` when there is nothing to finish.
    fn finish_count(&self, slot: u32) -> Option<u32> {
        self.own.finish(&self.head, slot, true, |_| self.count.load(Ordering::Acquire)).ok()
    }
}

/// Asks the server without waiting.
fn ask(manager: &ComObject<ProxyManager>, server: &Arc<Apartment>, iid: GUID, call: Arc<Call>) {
    let waiting = call.clone();
    let told = move |asked: std::result::Result<Result<GUID>, HRESULT>| {
        let ipid = asked.and_then(|answer| answer);
        waiting.complete(ipid.map(|ipid| own_call::bytes(&ipid.to_u128().to_le_bytes())).map_err(Failure));
    };
    if apartment::post_to(server, manager.question(server, iid), told).is_err() {
        call.complete_later(Err(Failure(RPC_S_UNKNOWN_IF_HR)));
    }
}

unsafe extern "system" fn begin_query(this: *mut c_void, riid: *const GUID) -> HRESULT {
    // SAFETY: the caller vouches for the pointer, which may be null.
    let Some(iid) = (unsafe { riid.as_ref() }) else { return E_INVALIDARG };
    // SAFETY: the caller holds the object.
    unsafe { with(this, |it: &AsyncUnknown| it.begin_query(iid)) }
}

unsafe extern "system" fn finish_query(this: *mut c_void, ppv: *mut *mut c_void) -> HRESULT {
    // SAFETY: the caller vouches for the pointer, which may be null.
    let Some(out) = (unsafe { ppv.as_mut() }) else { return E_POINTER };
    *out = ptr::null_mut();
    // SAFETY: the caller holds the object.
    unsafe { with(this, |it: &AsyncUnknown| it.finish_query(out)) }
}

unsafe extern "system" fn begin_add_ref(this: *mut c_void) -> HRESULT {
    // SAFETY: the caller holds the object.
    unsafe { with(this, AsyncUnknown::begin_add_ref) }
}

unsafe extern "system" fn finish_add_ref(this: *mut c_void) -> u32 {
    // SAFETY: the caller holds the object.
    unsafe { with(this, |it: &AsyncUnknown| it.finish_count(ADD_REF).unwrap_or(0)) }
}

unsafe extern "system" fn begin_release(this: *mut c_void) -> HRESULT {
    // SAFETY: the caller holds the object.
    unsafe { with(this, AsyncUnknown::begin_release) }
}

unsafe extern "system" fn finish_release(this: *mut c_void) -> u32 {
    let root = this.cast::<AsyncUnknown>();
    // SAFETY: the caller holds the object; held once more, because the call object may end here. What was handed out is
    // given back once: nothing is begun any more after a Release.
    unsafe {
        head::add_ref_own(root);
        let finished = with_count(root);
        if finished.is_some()
            && let Some(handed_out) = (*root).handed_out
        {
            guard::call(|| handed_out.give_back());
        }
        head::release_own(root);
        finished.unwrap_or(0)
    }
}

/// # Safety
/// `root` is the root of a live object.
unsafe fn with_count(root: *mut AsyncUnknown) -> Option<u32> {
    let mut finished = None;
    // SAFETY: the caller's promise.
    guard::call(|| finished = unsafe { (*root).finish_count(RELEASE) });
    finished
}

//! The object context of an apartment, or of a context in one: an identity (`IObjContext`), facts about the calling thread
//! (`IComThreadingInfo`), and the way in (`IContextCallback`).
//!
//! The apartment holds the object without counting, and its address is the token of `CoGetContextToken`: so the first
//! `AddRef` gives 1 (APT-29, CX-05). `users` is the count that callers see; each of them also holds the memory, which
//! so outlives the apartment. Nothing else changes. The object may be used on every thread.

use super::{Apartment, Home, identity, init, remote};
use crate::abi::exports::export;
use crate::abi::hresult::{
    CO_E_NOTINITIALIZED, E_INVALIDARG, E_NOINTERFACE, E_NOTIMPL, E_POINTER, RPC_E_DISCONNECTED, S_OK,
};
use crate::abi::interfaces::{
    IAgileObject, IComThreadingInfo, IComThreadingInfo_Vtbl, IContext, IContext_Vtbl, IContextCallback,
    IContextCallback_Vtbl, IObjContext, IObjContext_Vtbl,
};
use crate::abi::types::{ComCallData, PFNCONTEXTCALL, THDTYPE_BLOCKMESSAGES, THDTYPE_PROCESSMESSAGES};
use crate::object::guard;
use crate::platform;
use std::ffi::c_void;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};
use windows_core::{GUID, HRESULT, IUnknown, IUnknown_Vtbl, Interface};

/// Passed to `ContextCallback`: as any other id here, where there are no activities and so no locks of them (IID-30).
pub const IID_IEnterActivityWithNoLock: GUID = GUID::from_u128(0xd7174f82_36b8_4aa8_800a_e963ab2dfab9);
/// Passed to `ContextCallback`: an application STA that is in a call does not let this in, not even from its own chain of
/// calls (IID-30).
pub const IID_ICallbackWithNoReentrancyToApplicationSTA: GUID = GUID::from_u128(0x0a299774_3e4e_fc42_1d9d_72cee105ca57);

/// The words of the object, one for each interface.
const OBJ: usize = 0;
const INFO: usize = 1;
const CALLBACK: usize = 2;

/// The context of one apartment.
#[repr(C)]
pub(super) struct ObjectContext {
    obj: &'static IObjContext_Vtbl,
    info: &'static IComThreadingInfo_Vtbl,
    callback: &'static IContextCallback_Vtbl,
    users: AtomicU32,
    home: Weak<Apartment>,
}

/// The object behind the interface pointer in word `AT`.
///
/// # Safety
/// `this` is such a pointer, and lives.
unsafe fn of<'a, const AT: usize>(this: *mut c_void) -> &'a ObjectContext {
    // SAFETY: the words lie one behind the other from the object's start on.
    unsafe { &*this.cast::<*const c_void>().sub(AT).cast() }
}

impl ObjectContext {
    fn new(home: &Arc<Apartment>) -> Arc<Self> {
        Arc::new(Self {
            obj: &OBJ_VTABLE,
            info: &INFO_VTABLE,
            callback: &CALLBACK_VTABLE,
            users: AtomicU32::new(0),
            home: Arc::downgrade(home),
        })
    }

    /// The context of an apartment.
    pub(super) fn of(home: &Arc<Apartment>) -> &Arc<Self> {
        home.context.get_or_init(|| Self::new(home))
    }

    /// Its identity, not counted.
    fn token(self: &Arc<Self>) -> *mut c_void {
        Arc::as_ptr(self).cast_mut().cast()
    }

    fn word(this: *const Self, at: usize) -> *mut c_void {
        this.cast::<*const c_void>().wrapping_add(at).cast_mut().cast()
    }

    /// # Safety
    /// `this` lives.
    unsafe fn add_ref(this: *const Self) -> u32 {
        // SAFETY: the object was made by `Arc::new`, and lives.
        unsafe {
            Arc::increment_strong_count(this);
            (*this).users.fetch_add(1, Ordering::Relaxed) + 1
        }
    }

    /// # Safety
    /// The caller has a counted reference, and gives it up.
    unsafe fn release(this: *const Self) -> u32 {
        // SAFETY: the reference that `add_ref` made.
        unsafe {
            let left = (*this).users.fetch_sub(1, Ordering::AcqRel) - 1;
            Arc::decrement_strong_count(this);
            left
        }
    }

    /// # Safety
    /// The pointers are null or valid, as COM asks; `this` lives.
    pub(super) unsafe fn query(this: *const Self, riid: *const GUID, ppv: *mut *mut c_void) -> HRESULT {
        // SAFETY: the caller's.
        let Some(out) = (unsafe { ppv.as_mut() }) else { return E_POINTER };
        *out = std::ptr::null_mut();
        // SAFETY: the caller's.
        let Some(iid) = (unsafe { riid.as_ref() }) else { return E_POINTER };
        let at = match *iid {
            IUnknown::IID | IContext::IID | IObjContext::IID | IAgileObject::IID => OBJ,
            IComThreadingInfo::IID => INFO,
            IContextCallback::IID => CALLBACK,
            _ => return E_NOINTERFACE,
        };
        // SAFETY: the caller's.
        unsafe { Self::add_ref(this) };
        *out = Self::word(this, at);
        S_OK
    }
}

unsafe extern "system" fn query<const AT: usize>(
    this: *mut c_void,
    riid: *const GUID,
    ppv: *mut *mut c_void,
) -> HRESULT {
    // SAFETY: a live interface pointer, and the caller's arguments; so in all of these.
    unsafe { ObjectContext::query(of::<AT>(this), riid, ppv) }
}

unsafe extern "system" fn add_ref<const AT: usize>(this: *mut c_void) -> u32 {
    // SAFETY: as above.
    unsafe { ObjectContext::add_ref(of::<AT>(this)) }
}

unsafe extern "system" fn release<const AT: usize>(this: *mut c_void) -> u32 {
    // SAFETY: as above.
    unsafe { ObjectContext::release(of::<AT>(this)) }
}

const fn unknown<const AT: usize>() -> IUnknown_Vtbl {
    IUnknown_Vtbl { QueryInterface: query::<AT>, AddRef: add_ref::<AT>, Release: release::<AT> }
}

static OBJ_VTABLE: IObjContext_Vtbl = IObjContext_Vtbl {
    base__: IContext_Vtbl {
        base__: unknown::<OBJ>(),
        SetProperty: set_property,
        RemoveProperty: remove_property,
        GetProperty: get_property,
        EnumContextProps: list_properties,
    },
    Reserved1: reserved,
    Reserved2: reserved,
    Reserved3: reserved,
    Reserved4: reserved,
    Reserved5: reserved,
    Reserved6: reserved,
    Reserved7: reserved,
};

static INFO_VTABLE: IComThreadingInfo_Vtbl = IComThreadingInfo_Vtbl {
    base__: unknown::<INFO>(),
    GetCurrentApartmentType: apartment_type,
    GetCurrentThreadType: thread_type,
    GetCurrentLogicalThreadId: logical_thread_id,
    SetCurrentLogicalThreadId: set_logical_thread_id,
};

static CALLBACK_VTABLE: IContextCallback_Vtbl =
    IContextCallback_Vtbl { base__: unknown::<CALLBACK>(), ContextCallback: context_callback };

unsafe extern "system" fn set_property(_: *mut c_void, _: *const GUID, _: u32, _: *mut c_void) -> HRESULT {
    E_NOTIMPL
}

unsafe extern "system" fn remove_property(_: *mut c_void, _: *const GUID) -> HRESULT {
    E_NOTIMPL
}

unsafe extern "system" fn get_property(_: *mut c_void, _: *const GUID, _: *mut u32, _: *mut *mut c_void) -> HRESULT {
    E_NOTIMPL
}

unsafe extern "system" fn list_properties(_: *mut c_void, _: *mut *mut c_void) -> HRESULT {
    E_NOTIMPL
}

unsafe extern "system" fn reserved(_: *mut c_void) {}

unsafe extern "system" fn apartment_type(_: *mut c_void, out: *mut i32) -> HRESULT {
    guard::call(|| {
        // SAFETY: null or valid, as COM asks.
        let Some(out) = (unsafe { out.as_mut() }) else { return E_INVALIDARG };
        let (kind, _, hr) = init::apartment_type(&platform::current());
        *out = kind;
        hr
    })
}

/// Whether the thread dispatches messages (APT-31).
unsafe extern "system" fn thread_type(_: *mut c_void, out: *mut i32) -> HRESULT {
    guard::call(|| {
        // SAFETY: null or valid, as COM asks.
        let Some(out) = (unsafe { out.as_mut() }) else { return E_INVALIDARG };
        let own = platform::with_current(|thread| thread.com().own_apartment());
        let pumps = own.is_some_and(|own| matches!(own.home, Home::Sta { .. }));
        *out = if pumps { THDTYPE_PROCESSMESSAGES } else { THDTYPE_BLOCKMESSAGES };
        S_OK
    })
}

unsafe extern "system" fn logical_thread_id(_: *mut c_void, out: *mut GUID) -> HRESULT {
    guard::call(|| {
        // SAFETY: null or valid, as COM asks.
        let Some(out) = (unsafe { out.as_mut() }) else { return E_INVALIDARG };
        *out = identity::logical_thread();
        S_OK
    })
}

/// The calling thread goes on as another logical thread; while a call is dispatched, for the rest of that.
unsafe extern "system" fn set_logical_thread_id(_: *mut c_void, id: *const GUID) -> HRESULT {
    guard::call(|| {
        // SAFETY: null or valid, as COM asks.
        let Some(id) = (unsafe { id.as_ref() }) else { return E_INVALIDARG };
        platform::with_current(|thread| thread.com().logical.set(*id));
        S_OK
    })
}

/// A pointer of the caller's on its way to the context and back: the caller waits meanwhile.
struct Lent(*mut ComCallData);
// SAFETY: whoever calls ContextCallback vouches that the function may use it in the other apartment.
unsafe impl Send for Lent {}

impl Lent {
    /// By a method, so that a closure takes the whole.
    fn take(self) -> *mut ComCallData {
        self.0
    }
}

unsafe extern "system" fn context_callback(
    this: *mut c_void,
    function: PFNCONTEXTCALL,
    data: *mut ComCallData,
    riid: *const GUID,
    method: i32,
    object: *mut c_void,
) -> HRESULT {
    guard::call(|| {
        // SAFETY: a live pointer of that word; the id is null or valid, as COM asks.
        let (context, iid) = unsafe { (of::<CALLBACK>(this), riid.as_ref()) };
        let (Some(function), Some(iid)) = (function, iid) else { return E_INVALIDARG };
        if *iid == IUnknown::IID || method < 3 || !object.is_null() {
            return E_INVALIDARG;
        }
        let Some(home) = context.home.upgrade().filter(|home| !home.has_ended()) else { return RPC_E_DISCONNECTED };
        if super::current().is_none() {
            return CO_E_NOTINITIALIZED;
        }
        let lent = Lent(data);
        // SAFETY: the caller vouches for the function and its data.
        let job = move || guard::call(|| unsafe { function(lent.take()) });
        remote::call_in(&home, *iid != IID_ICallbackWithNoReentrancyToApplicationSTA, job).unwrap_or_else(|hr| hr)
    })
}

export! {
    /// The token of the context that the calling thread is in: its IObjContext, not counted (APT-29). `E_POINTER` for null,
    /// `CO_E_NOTINITIALIZED` outside COM with the output untouched.
    ///
    /// # Safety
    /// `pToken` is null or valid for writes.
    pub unsafe fn CoGetContextToken(pToken: *mut usize) -> HRESULT {
        // SAFETY: the caller's.
        let Some(out) = (unsafe { pToken.as_mut() }) else { return E_POINTER };
        let Some(here) = super::current() else { return CO_E_NOTINITIALIZED };
        *out = ObjectContext::of(&here).token() as usize;
        S_OK
    }

    /// The context that the calling thread is in: IObjContext, IComThreadingInfo, IContextCallback (APT-30).
    ///
    /// # Safety
    /// `riid` points at a GUID; `ppv` is null or valid for writes.
    pub unsafe fn CoGetObjectContext(riid: *const GUID, ppv: *mut *mut c_void) -> HRESULT {
        // SAFETY: the caller's.
        let Some(out) = (unsafe { ppv.as_mut() }) else { return E_POINTER };
        *out = std::ptr::null_mut();
        let Some(here) = super::current() else { return CO_E_NOTINITIALIZED };
        // SAFETY: the caller's; the apartment keeps the object.
        unsafe { ObjectContext::query(Arc::as_ptr(ObjectContext::of(&here)), riid, ppv) }
    }
}

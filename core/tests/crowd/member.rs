//! The objects of the crowd: one that is served synchronously and goes on to call others, and one that is served
//! asynchronously, by itself or by workers of the MTA.
//!
//! An object belongs to its member's STA; what it shares with others is the crowd.

use super::life::{Crowd, OnMember};
use super::random::Random;
use super::rooms::{pack, query, try_unpack};
use oleander::object::{AutoInner, create_aggregated};
use oleander::windows_core::{GUID, HRESULT, IUnknown, Interface, OutRef, Ref};
use oleander::*;
use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::panic::resume_unwind;
use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What members do for each other.
#[async_interface(uuid = "5a1e7c90-3b41-4c0f-8d59-1f0c66c6b021", async_uuid = "5a1e7c90-3b41-4c0f-8d59-1f0c66c6b022")]
pub unsafe trait IMember: IUnknown {
    /// Does something in one of many ways, and calls others that do so, this deep.
    fn Nest(&self, #[idl(in)] depth: u32, #[idl(in)] how: u32, #[idl(out)] twice: *mut u32) -> HRESULT;
    /// Gives one object for another.
    fn Swap(&self, #[idl(in)] object: Ref<'_, IUnknown>, #[idl(out)] other: OutRef<'_, IUnknown>) -> HRESULT;
}

/// How many calls may be served within each other on one thread before it calls no further: stacks end.
const NESTED_MAX: u32 = 8;

/// Counts an object of the crowd.
struct Life(Arc<Crowd>);

impl Life {
    fn new(crowd: &Arc<Crowd>) -> Self {
        crowd.objects.fetch_add(1, Ordering::SeqCst);
        Self(crowd.clone())
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        self.0.objects.fetch_sub(1, Ordering::SeqCst);
    }
}

#[com_class(IMember)]
struct Member {
    nested: Cell<u32>,
    _life: Life,
}

/// An object of the calling thread's apartment, of one kind or the other.
pub fn member(crowd: &Arc<Crowd>, asynchronous: bool) -> IMember {
    let life = Life::new(crowd);
    if asynchronous { Late { life }.into() } else { Member { nested: Cell::new(0), _life: life }.into() }
}

impl IMember_Impl for Member_Impl {
    unsafe fn Nest(&self, depth: u32, how: u32, twice: *mut u32) -> HRESULT {
        let mut random = Random::new(u64::from(how));
        unsafe { *twice = how.wrapping_mul(2) };
        self.nested.set(self.nested.get() + 1);
        if depth > 0 && self.nested.get() < NESTED_MAX {
            OnMember::with_current(|here| here.nest(depth - 1, &mut random));
        }
        self.nested.set(self.nested.get() - 1);
        match random.below(64) {
            0 => E_ABORT,
            // Without a word on the screen.
            1 => resume_unwind(Box::new("as told")),
            2 => unsafe { CoDisconnectObject(self.to_object_raw(), 0) },
            _ => S_OK,
        }
    }
    unsafe fn Swap(&self, object: Ref<'_, IUnknown>, other: OutRef<'_, IUnknown>) -> HRESULT {
        other.write(OnMember::keep(object.cloned())).map_or_else(|error| error.code(), |()| S_OK)
    }
}

impl Member_Impl {
    fn to_object_raw(&self) -> *mut c_void {
        let own: IUnknown = self.query().expect("every object has it");
        // A running method holds its object.
        own.as_raw()
    }
}

/// Served asynchronously.
#[com_class(IMember, ICallFactory)]
struct Late {
    life: Life,
}

/// For its own apartment; proxies' calls go to call objects.
impl IMember_Impl for Late_Impl {
    unsafe fn Nest(&self, _: u32, how: u32, twice: *mut u32) -> HRESULT {
        unsafe { *twice = how.wrapping_mul(2) };
        S_OK
    }
    unsafe fn Swap(&self, object: Ref<'_, IUnknown>, other: OutRef<'_, IUnknown>) -> HRESULT {
        other.write(object.cloned()).map_or_else(|error| error.code(), |()| S_OK)
    }
}

impl ICallFactory_Impl for Late_Impl {
    unsafe fn CreateCall(
        &self,
        _: *const GUID,
        outer: *mut c_void,
        iid: *const GUID,
        out: *mut *mut c_void,
    ) -> HRESULT {
        let life = Life::new(&self.life.0);
        let call = LateCall { event: AutoInner::default(), how: Cell::new(0), given: None.into(), life };
        unsafe { create_aggregated(call, outer, iid, out) }
    }
}

/// One call of a [`Late`].
#[com_class(AsyncIMember, auto(ISynchronize = event : CLSID_ManualResetEvent))]
struct LateCall {
    event: AutoInner,
    how: Cell<u32>,
    given: RefCell<Option<IUnknown>>,
    life: Life,
}

impl LateCall_Impl {
    /// Signals now, or has a worker do it.
    fn later(&self, by_worker: bool) -> HRESULT {
        let sync: ISynchronize = self.query().expect("through the outer object");
        if !by_worker {
            return unsafe { sync.Signal() };
        }
        let (packet, crowd) = (pack(&sync), self.life.0.clone());
        kernel::spawn("worker", true, move || unsafe {
            assert_eq!(CoInitializeEx(null_mut(), COINIT_MULTITHREADED), S_OK);
            match try_unpack::<ISynchronize>(packet) {
                Ok(sync) => crowd.watch.heard("Signal of a worker", &[], sync.Signal()),
                Err(hr) => crowd.watch.heard("unmarshal in a worker", &[], hr),
            }
            CoUninitialize();
        });
        S_OK
    }
}

impl AsyncIMember_Impl for LateCall_Impl {
    unsafe fn Begin_Nest(&self, _: u32, how: u32) -> HRESULT {
        self.how.set(how);
        match Random::new(u64::from(how)).below(16) {
            0 => E_ABORT,
            1 => resume_unwind(Box::new("as told")),
            2..5 => self.later(true),
            _ => self.later(false),
        }
    }
    unsafe fn Finish_Nest(&self, twice: *mut u32) -> HRESULT {
        unsafe { *twice = self.how.get().wrapping_mul(2) };
        S_OK
    }
    unsafe fn Begin_Swap(&self, object: Ref<'_, IUnknown>) -> HRESULT {
        let before = self.given.replace(object.cloned());
        drop(before);
        self.later(false)
    }
    unsafe fn Finish_Swap(&self, other: OutRef<'_, IUnknown>) -> HRESULT {
        let given = self.given.take();
        other.write(given).map_or_else(|error| error.code(), |()| S_OK)
    }
}

/// A call object for a call of a proxy.
pub fn call_of(object: &IMember, crowd: &Crowd) -> Option<AsyncIMember> {
    let calls: ICallFactory = match query(object) {
        Ok(calls) => calls,
        Err(hr) => {
            crowd.watch.heard("query for ICallFactory", &[E_NOINTERFACE], hr);
            return None;
        }
    };
    let (twin, mut raw) = (&AsyncIMember::IID, null_mut());
    let hr = unsafe { calls.CreateCall(twin, null_mut(), twin, &mut raw) };
    crowd.watch.heard("CreateCall", &[E_NOINTERFACE], hr);
    (hr == S_OK).then(|| unsafe { AsyncIMember::from_raw(raw) })
}

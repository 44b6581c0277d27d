//! Outer objects of call objects: the article's notifier, in its variants.

use super::Log;
use super::probe::{Caller, create_call};
use oleander::object::Inner;
use oleander::windows_core::{ComObject, GUID, HRESULT, IUnknown, Interface};
use oleander::*;
use std::cell::Cell;
use std::sync::Mutex;

/// What an outer object does when its ISynchronize is called.
#[derive(Default)]
pub struct Plan {
    pub reset: Cell<Option<HRESULT>>,
    pub signal: Cell<Option<HRESULT>>,
    pub wait: Cell<Option<HRESULT>>,
    /// Run inside Signal, after the inner object was signalled. In the MTA the Signal of one call may still run when that of the
    /// next begins on another thread.
    #[expect(clippy::type_complexity, reason = "a slot for a test's own code")]
    pub on_signal: Mutex<Option<Box<dyn Fn(&Notify_Impl)>>>,
    /// Run when it is asked whether it is agile, as every `Begin_` does.
    pub when_asked: Mutex<Option<Box<dyn Fn()>>>,
}

/// The article's outer object: its own ISynchronize around the inner one's; everything else from the inner object.
#[com_class(ISynchronize, blind = inner, guard = asked)]
pub struct Notify {
    inner: Inner,
    log: Log,
    pub plan: Plan,
}

impl Notify {
    pub fn new(log: &Log) -> Self {
        Self { inner: Inner::new(), log: log.clone(), plan: Plan::default() }
    }
}

impl Drop for Notify {
    fn drop(&mut self) {
        // SAFETY: no pointers.
        self.log.say(format!("dropped on {}", unsafe { GetCurrentThreadId() }));
    }
}

impl Notify_Impl {
    pub fn log(&self) -> &Log {
        &self.log
    }

    fn asked(&self, iid: &GUID) -> HRESULT {
        if *iid == IAgileObject::IID {
            let action = self.plan.when_asked.lock().expect("no panic under it").take();
            if let Some(action) = action {
                action();
            }
        }
        S_OK
    }

    fn inner_sync(&self) -> windows_core::InterfaceRef<'_, ISynchronize> {
        self.inner.cached::<ISynchronize>().expect("the inner object has it")
    }
}

impl ISynchronize_Impl for Notify_Impl {
    unsafe fn Wait(&self, flags: u32, ms: u32) -> HRESULT {
        self.log.say("Wait");
        match self.plan.wait.get() {
            Some(hr) => hr,
            // SAFETY: the inner object lives as long as this one.
            None => unsafe { self.inner_sync().Wait(flags, ms) },
        }
    }
    unsafe fn Signal(&self) -> HRESULT {
        // SAFETY: no pointers.
        self.log.say(format!("Signal on {}", unsafe { GetCurrentThreadId() }));
        self.log.say("Signal");
        if let Some(hr) = self.plan.signal.get() {
            return hr;
        }
        // SAFETY: as above.
        let hr = unsafe { self.inner_sync().Signal() };
        let action = self.plan.on_signal.lock().expect("no panic under it").take();
        if let Some(action) = action {
            action(self);
        }
        self.log.say("Signal done");
        hr
    }
    unsafe fn Reset(&self) -> HRESULT {
        self.log.say("Reset");
        match self.plan.reset.get() {
            Some(hr) => hr,
            // SAFETY: as above.
            None => unsafe { self.inner_sync().Reset() },
        }
    }
}

/// The same, usable on every thread.
#[com_class(ISynchronize, agile, blind = inner)]
pub struct AgileNotify {
    inner: Inner,
    log: Log,
}

impl AgileNotify {
    pub fn new(log: &Log) -> Self {
        Self { inner: Inner::new(), log: log.clone() }
    }
}

impl ISynchronize_Impl for AgileNotify_Impl {
    unsafe fn Wait(&self, flags: u32, ms: u32) -> HRESULT {
        let inner = self.inner.cached::<ISynchronize>().expect("the inner object has it");
        // SAFETY: the inner object lives as long as this one.
        unsafe { inner.Wait(flags, ms) }
    }
    unsafe fn Signal(&self) -> HRESULT {
        // SAFETY: no pointers.
        self.log.say(format!("Signal on {}", unsafe { GetCurrentThreadId() }));
        let inner = self.inner.cached::<ISynchronize>().expect("the inner object has it");
        // SAFETY: as above.
        let hr = unsafe { inner.Signal() };
        self.log.say(format!("Signal: {hr:?}"));
        hr
    }
    unsafe fn Reset(&self) -> HRESULT {
        let inner = self.inner.cached::<ISynchronize>().expect("the inner object has it");
        // SAFETY: as above.
        unsafe { inner.Reset() }
    }
}

/// An outer object without an ISynchronize of its own.
#[com_class(IClassFactory, blind = inner)]
pub struct Blind {
    inner: Inner,
}

impl Blind {
    pub fn new() -> Self {
        Self { inner: Inner::new() }
    }
}

impl IClassFactory_Impl for Blind_Impl {
    unsafe fn CreateInstance(
        &self,
        _outer: *mut std::ffi::c_void,
        _riid: *const windows_core::GUID,
        _ppv: *mut *mut std::ffi::c_void,
    ) -> HRESULT {
        E_NOTIMPL
    }
    unsafe fn LockServer(&self, _lock: windows_core::BOOL) -> HRESULT {
        S_OK
    }
}

macro_rules! aggregate {
    ($name:ident, $outer:ident) => {
        /// Has a call object made under a new outer object.
        #[track_caller]
        pub fn $name(probe: &impl Interface, value: $outer) -> (ComObject<$outer>, Caller) {
            let outer = ComObject::new(value);
            // SAFETY: the field is the outer's own, and CreateCall gives the non-delegating unknown.
            let made = unsafe {
                outer.aggregate(&outer.inner, |unknown, riid, ppv| {
                    let (hr, raw) = create_call(probe, unknown, &*riid);
                    *ppv = raw;
                    hr
                })
            };
            made.expect("CreateCall with an outer");
            let caller = Caller::of(outer.to_interface::<IUnknown>().cast().expect("blindly from the inner object"));
            (outer, caller)
        }
    };
}

aggregate!(notify, Notify);
aggregate!(agile_notify, AgileNotify);
aggregate!(blind, Blind);

/// Has the call object for a proxy's own IUnknown made under an outer object.
#[track_caller]
pub fn aggregate_unknown(outer: &ComObject<Notify>, object: &impl Interface) {
    // SAFETY: the field is the outer's own, and CreateCall gives the non-delegating unknown.
    let made = unsafe {
        outer.aggregate(&outer.inner, |unknown, riid, ppv| {
            let (hr, raw) = super::releaser::create_call(object, unknown, &*riid);
            *ppv = raw;
            hr
        })
    };
    made.expect("CreateCall with an outer");
}

/// Has the call object for any asynchronous interface made under an outer object.
#[track_caller]
pub fn aggregate_for(outer: &ComObject<Notify>, object: &impl Interface, async_iid: &GUID) {
    let factory: ICallFactory = object.cast().expect("every proxy has a call factory");
    // SAFETY: the field is the outer's own, and CreateCall gives the non-delegating unknown.
    let made = unsafe {
        outer.aggregate(&outer.inner, |unknown, riid, ppv| factory.CreateCall(async_iid, unknown, riid, ppv))
    };
    made.expect("CreateCall with an outer");
}

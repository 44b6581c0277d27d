//! Asynchronous releases: an object that takes its time to end, and the outer objects of the pattern (AIU-04).

use super::probe::{IProbe, IProbe_Impl};
use super::{Apt, Kind, Log, Packet, in_process, pack};
use oleander::object::Inner;
use oleander::windows_core::{ComObject, GUID, HRESULT, IUnknown, IUnknownImpl, Interface};
use oleander::*;
use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::ptr;

type End = Box<dyn Fn() + Send>;

/// A server object whose destructor does what the test wants.
#[com_class(IProbe)]
pub struct Slow {
    log: Log,
    end: End,
}

impl Slow {
    /// One that ends at once.
    pub fn new(log: &Log) -> Self {
        Self { log: log.clone(), end: Box::new(|| {}) }
    }
}

impl Drop for Slow {
    fn drop(&mut self) {
        self.log.say("the destructor starts");
        (self.end)();
        self.log.say("destroyed");
    }
}

impl IProbe_Impl for Slow_Impl {
    unsafe fn Double(&self, n: u32, twice: *mut u32) -> HRESULT {
        // SAFETY: the stub vouches for the pointer.
        unsafe { *twice = 2 * n };
        S_OK
    }
    unsafe fn Label(&self, _n: u32) -> HRESULT {
        S_OK
    }
}

/// A slow object in an apartment; the packet holds it alone.
pub fn slow_in(host: &Apt, log: &Log, end: impl Fn() + Send + 'static) -> Packet<IUnknown> {
    let log = log.clone();
    host.run(move || {
        let object: IProbe = Slow { log, end: Box::new(end) }.into();
        pack::<IUnknown>(&object.cast().unwrap())
    })
}

/// A call object of one kind on whatever `object` is.
pub fn create_call(object: &impl Interface, outer: *mut c_void, riid2: &GUID) -> (HRESULT, *mut c_void) {
    let mut raw = ptr::dangling_mut();
    let factory = object.cast::<ICallFactory>().expect("every proxy has a call factory");
    // SAFETY: valid arguments; the outer is null or the caller's.
    let hr = unsafe { factory.CreateCall(&AsyncIUnknown::IID, outer, riid2, &mut raw) };
    (hr, raw)
}

/// A call object without an outer one. The caller's own pointer goes.
#[track_caller]
pub fn plain(object: IUnknown) -> AsyncIUnknown {
    let (hr, raw) = create_call(&object, ptr::null_mut(), &AsyncIUnknown::IID);
    assert_eq!(hr, S_OK);
    // SAFETY: a counted pointer of that interface.
    unsafe { AsyncIUnknown::from_raw(raw) }
}

/// The outer object of the pattern, which keeps itself until it is signalled. Its inner object is an [`Inner`]'s.
#[com_class(ISynchronize, blind = inner)]
pub struct Releaser {
    inner: Inner,
    log: Log,
    own: RefCell<Option<ISynchronize>>,
}

impl ISynchronize_Impl for Releaser_Impl {
    unsafe fn Wait(&self, flags: u32, ms: u32) -> HRESULT {
        // SAFETY: the inner object lives as long as this one.
        unsafe { self.inner.cached::<ISynchronize>().unwrap().Wait(flags, ms) }
    }
    unsafe fn Signal(&self) -> HRESULT {
        // SAFETY: as above; neither pointer is counted.
        let (hr, count) = unsafe {
            let hr = self.inner.cached::<ISynchronize>().unwrap().Signal();
            (hr, self.inner.cached::<AsyncIUnknown>().unwrap().Finish_Release())
        };
        self.log.say(format!("finished with {count}"));
        let own = self.own.take();
        drop(own);
        hr
    }
    unsafe fn Reset(&self) -> HRESULT {
        // SAFETY: as above.
        unsafe { self.inner.cached::<ISynchronize>().unwrap().Reset() }
    }
}

impl Drop for Releaser {
    fn drop(&mut self) {
        self.log.say("the outer is gone");
    }
}

/// Releases a proxy asynchronously: the helper of the posts. The caller's own reference goes at once.
#[track_caller]
pub fn release_async(object: IUnknown, log: &Log) -> HRESULT {
    let Ok(factory) = object.cast::<ICallFactory>() else { return S_FALSE };
    drop(object);
    let outer = ComObject::new(Releaser { inner: Inner::new(), log: log.clone(), own: RefCell::default() });
    // SAFETY: the call object is aggregated under the outer object.
    let made = unsafe {
        outer.aggregate(&outer.inner, |unknown, riid, ppv| factory.CreateCall(&AsyncIUnknown::IID, unknown, riid, ppv))
    };
    made.expect("CreateCall");
    drop(factory);
    outer.own.replace(Some(outer.to_interface()));
    let begun: AsyncIUnknown = outer.to_interface::<ISynchronize>().cast().expect("blindly from the inner object");
    // SAFETY: no pointers.
    unsafe { begun.Begin_Release() }
}

/// The same outer object as a program writes it that knows COM only: raw pointers, and the inner one is not released
/// again after Finish_Release.
#[com_class(ISynchronize, fallback = blindly)]
pub struct RawReleaser {
    log: Log,
    inner: Cell<*mut c_void>,
    inner_sync: Cell<*mut c_void>,
    release: Cell<*mut c_void>,
    own: RefCell<Option<ISynchronize>>,
}

impl RawReleaser_Impl {
    unsafe fn blindly(&self, iid: &GUID, ppv: *mut *mut c_void) -> HRESULT {
        let inner = self.inner.get();
        // SAFETY: null, or the inner object's own unknown.
        match unsafe { IUnknown::from_raw_borrowed(&inner) } {
            // SAFETY: as above.
            Some(inner) => unsafe { inner.query(iid, ppv) },
            None => E_NOINTERFACE,
        }
    }

    /// An interface of the inner object without a reference.
    unsafe fn uncounted(&self, iid: &GUID) -> *mut c_void {
        let mut raw = ptr::null_mut();
        // SAFETY: the inner object answers it and counts on this object, which gives the count back.
        unsafe {
            assert_eq!(self.blindly(iid, &mut raw), S_OK);
            <Self as IUnknownImpl>::Release(ptr::from_ref(self).cast_mut());
        }
        raw
    }

    fn sync(&self) -> ISynchronize {
        let raw = self.inner_sync.get();
        // SAFETY: asked for when the inner object was made.
        unsafe { ISynchronize::from_raw_borrowed(&raw) }.expect("made").clone()
    }
}

impl ISynchronize_Impl for RawReleaser_Impl {
    unsafe fn Wait(&self, flags: u32, ms: u32) -> HRESULT {
        // SAFETY: a live object.
        unsafe { self.sync().Wait(flags, ms) }
    }
    unsafe fn Signal(&self) -> HRESULT {
        // SAFETY: a live object.
        let hr = unsafe { self.sync().Signal() };
        let raw = self.release.get();
        // SAFETY: as above.
        let count = unsafe { AsyncIUnknown::from_raw_borrowed(&raw).expect("made").Finish_Release() };
        self.inner.set(ptr::null_mut());
        self.log.say(format!("finished with {count}"));
        let own = self.own.take();
        drop(own);
        hr
    }
    unsafe fn Reset(&self) -> HRESULT {
        // SAFETY: a live object.
        unsafe { self.sync().Reset() }
    }
}

impl Drop for RawReleaser {
    fn drop(&mut self) {
        self.log.say("the outer is gone");
    }
}

/// [`release_async`] with an outer object of raw pointers.
#[track_caller]
pub fn release_async_raw(object: IUnknown, log: &Log) -> HRESULT {
    let outer = ComObject::new(RawReleaser {
        log: log.clone(),
        inner: Cell::new(ptr::null_mut()),
        inner_sync: Cell::new(ptr::null_mut()),
        release: Cell::new(ptr::null_mut()),
        own: RefCell::default(),
    });
    let sync: ISynchronize = outer.to_interface();
    let (hr, inner) = create_call(&object, sync.cast::<IUnknown>().unwrap().as_raw(), &IUnknown::IID);
    assert_eq!(hr, S_OK);
    drop(object);
    outer.inner.set(inner);
    // SAFETY: the inner object was just made.
    unsafe {
        outer.inner_sync.set(outer.uncounted(&ISynchronize::IID));
        outer.release.set(outer.uncounted(&AsyncIUnknown::IID));
    }
    outer.own.replace(Some(sync));
    // Through the pointer without a reference: the call object may end before this returns, and a counted one could not be
    // released then (AIU-04).
    let raw = outer.release.get();
    // SAFETY: the outer object lives, and Begin_Release holds what it needs.
    unsafe { AsyncIUnknown::from_raw_borrowed(&raw).expect("made").Begin_Release() }
}

/// Either helper.
pub type Helper = fn(IUnknown, &Log) -> HRESULT;
pub const HELPERS: [Helper; 2] = [release_async, release_async_raw];

/// A client in its apartment with the only reference to a slow object in another one.
#[track_caller]
pub fn with_slow(
    client: Kind,
    server: Kind,
    end: impl Fn() + Send + 'static,
    body: impl FnOnce(IUnknown, &Log, &Apt) + Send + 'static,
) {
    in_process(move || play(client, server, end, body));
}

/// The same, in whatever process this is.
#[track_caller]
pub fn play(
    client: Kind,
    server: Kind,
    end: impl Fn() + Send + 'static,
    body: impl FnOnce(IUnknown, &Log, &Apt) + Send + 'static,
) {
    let (host, apt, log) = (Apt::start(server), Apt::start(client), Log::default());
    let packet = slow_in(&host, &log, end);
    let host = apt.run(move || {
        body(packet.unpack(), &log, &host);
        host
    });
    host.stop();
    apt.stop();
}

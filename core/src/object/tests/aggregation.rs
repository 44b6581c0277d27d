//! Objects under a controlling unknown.

use super::*;
use crate::object::{Inner, create_aggregated, create_aggregated_with, raw};
use std::sync::atomic::AtomicPtr;

/// The outer object of the article's client: its own ISynchronize, everything else from the inner call object.
#[com_class(ISynchronize, blind = inner)]
struct Notify {
    inner: Inner,
    told: AtomicU32,
    _drops: CountsDrop,
}

impl Notify {
    fn new(drops: &Drops) -> Self {
        Self { inner: Inner::new(), told: AtomicU32::new(0), _drops: CountsDrop(drops.clone()) }
    }
}

impl ISynchronize_Impl for Notify_Impl {
    unsafe fn Wait(&self, flags: u32, ms: u32) -> HRESULT {
        match self.inner.cached::<ISynchronize>() {
            // SAFETY: the inner object lives as long as this one.
            Ok(inner) => unsafe { inner.Wait(flags, ms) },
            Err(error) => error.code(),
        }
    }
    unsafe fn Signal(&self) -> HRESULT {
        self.told.fetch_add(1, Ordering::Relaxed);
        match self.inner.cached::<ISynchronize>() {
            // SAFETY: as above.
            Ok(inner) => unsafe { inner.Signal() },
            Err(error) => error.code(),
        }
    }
    unsafe fn Reset(&self) -> HRESULT {
        match self.inner.cached::<ISynchronize>() {
            // SAFETY: as above.
            Ok(inner) => unsafe { inner.Reset() },
            Err(error) => error.code(),
        }
    }
}

/// A call object as the proxy manager makes it, in small: a flag, and an interface that only it has.
#[com_class(ISynchronize, ICancelMethodCalls)]
struct Call {
    signalled: AtomicU32,
    /// An interface of the outer object, held without a count, as inner objects may.
    outers: AtomicPtr<c_void>,
    outer_said: Arc<AtomicU32>,
    _drops: CountsDrop,
}

impl Call {
    fn new(drops: &Drops) -> Self {
        Self {
            signalled: AtomicU32::new(0),
            outers: AtomicPtr::new(ptr::null_mut()),
            outer_said: Arc::default(),
            _drops: CountsDrop(drops.clone()),
        }
    }
}

impl ISynchronize_Impl for Call_Impl {
    unsafe fn Wait(&self, _flags: u32, _ms: u32) -> HRESULT {
        if self.signalled.load(Ordering::Relaxed) == 1 { S_OK } else { RPC_S_CALLPENDING }
    }
    unsafe fn Signal(&self) -> HRESULT {
        self.signalled.store(1, Ordering::Relaxed);
        S_OK
    }
    unsafe fn Reset(&self) -> HRESULT {
        self.signalled.store(0, Ordering::Relaxed);
        S_OK
    }
}

impl ICancelMethodCalls_Impl for Call_Impl {
    unsafe fn Cancel(&self, _seconds: u32) -> HRESULT {
        let Ok(sync) = self.query::<ISynchronize>() else { return E_NOINTERFACE };
        // SAFETY: a live object.
        unsafe { sync.Signal() }
    }
    unsafe fn TestCancel(&self) -> HRESULT {
        S_FALSE
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let outers = *self.outers.get_mut();
        if !outers.is_null() {
            // The rule for an inner object: count the outer first, then give its interface back.
            // SAFETY: the outer still lives: it is what releases this object.
            unsafe {
                let sync = ISynchronize::from_raw_borrowed(&outers).expect("not null");
                self.outer_said.store(sync.Wait(0, 0).0 as u32, Ordering::Relaxed);
            }
        }
    }
}

fn notify_over_call(outer_drops: &Drops, inner_drops: &Drops) -> ComObject<Notify> {
    let outer = ComObject::new(Notify::new(outer_drops));
    // SAFETY: the field is the outer's own, and `create_aggregated` gives the non-delegating unknown.
    let made = unsafe {
        outer
            .aggregate(&outer.inner, |unknown, riid, ppv| create_aggregated(Call::new(inner_drops), unknown, riid, ppv))
    };
    made.expect("the call object can be aggregated");
    outer
}

#[test]
fn agg_02_under_an_outer_only_iunknown_may_be_asked_for() {
    in_process(|| {
        let drops = Drops::default();
        let outer = ComObject::new(Notify::new(&Drops::default()));
        let unknown = outer.as_interface::<IUnknown>().as_raw();
        let mut found = ptr::dangling_mut();
        // SAFETY: live pointers, or null where that is what is tested.
        unsafe {
            let hr = create_aggregated(Call::new(&drops), unknown, &ISynchronize::IID, &mut found);
            assert_eq!((hr, found), (CLASS_E_NOAGGREGATION, ptr::null_mut()));
            found = ptr::dangling_mut();
            let hr = create_aggregated(Call::new(&drops), ptr::null_mut(), &ISieve::IID, &mut found);
            assert_eq!((hr, found), (E_NOINTERFACE, ptr::null_mut()));
            assert_eq!(create_aggregated(Call::new(&drops), unknown, &IUnknown::IID, ptr::null_mut()), E_POINTER);
            found = ptr::dangling_mut();
            let hr = create_aggregated(Call::new(&drops), unknown, ptr::null(), &mut found);
            assert_eq!((hr, found), (E_POINTER, ptr::null_mut()));
            assert_eq!(drops.count(), 4, "what could not be given out is gone");
            let hr = create_aggregated(Call::new(&drops), ptr::null_mut(), &ISynchronize::IID, &mut found);
            assert_eq!(hr, S_OK, "without an outer it is an ordinary object");
            assert_eq!(ISynchronize::from_raw(found).Wait(0, 0), RPC_S_CALLPENDING);
        }
        assert_eq!(drops.count(), 5);
    });
}

#[test]
fn agg_01_an_aggregated_object_delegates_everything_but_its_inner_unknown() {
    in_process(|| {
        let outer = ComObject::new(Notify::new(&Drops::default()));
        let controlling = outer.as_interface::<IUnknown>().as_raw();
        let drops = Drops::default();
        let mut inner = ptr::null_mut();
        // SAFETY: live pointers; the outer outlives the inner object.
        unsafe {
            assert_eq!(create_aggregated(Call::new(&drops), controlling, &IUnknown::IID, &mut inner), S_OK);
            assert_eq!((references(inner), references(controlling)), (1, 1), "the inner one counts for itself");
            let (hr, cancel) = query(inner, &ICancelMethodCalls::IID);
            assert_eq!(hr, S_OK);
            assert_eq!((references(inner), references(controlling)), (1, 2), "an interface counts on the outer");
            assert_eq!((raw::add_ref(cancel), raw::release(cancel)), (3, 2));
            assert_eq!(identity(cancel), controlling);
            assert_eq!(identity(inner), inner);
            assert_eq!(query(cancel, &ICancelMethodCalls::IID).0, E_NOINTERFACE, "the outer does not offer it yet");
            raw::release(cancel);
            assert_eq!((drops.count(), raw::release(inner), drops.count()), (0, 0, 1));
        }
        assert_eq!(references(controlling), 1);
    });
}

#[test]
fn agg_05_the_article_s_outer_answers_isynchronize_and_leaves_the_rest_to_the_call_object() {
    in_process(|| {
        let (outer_drops, inner_drops) = (Drops::default(), Drops::default());
        let outer = notify_over_call(&outer_drops, &inner_drops);
        let sync: ISynchronize = outer.cast().expect("the outer's own");
        let cancel: ICancelMethodCalls = sync.cast().expect("the inner object's, through the outer");
        // SAFETY: live objects.
        unsafe {
            assert_eq!(sync.Wait(0, 0), RPC_S_CALLPENDING);
            assert_eq!(cancel.Cancel(0), S_OK, "the inner object signals through its outer");
            assert_eq!(outer.told.load(Ordering::Relaxed), 1);
            assert_eq!((sync.Wait(0, 0), sync.Reset(), sync.Wait(0, 0)), (S_OK, S_OK, RPC_S_CALLPENDING));
        }
        assert_eq!(identity(cancel.as_raw()), identity(sync.as_raw()), "one identity");
        assert_eq!(cancel.cast::<ISynchronize>().expect("back").as_raw(), sync.as_raw());
        drop((outer, sync));
        assert_eq!((outer_drops.count(), inner_drops.count()), (0, 0), "one interface holds both");
        drop(cancel);
        assert_eq!((outer_drops.count(), inner_drops.count()), (1, 1));
    });
}

#[test]
fn agg_12_a_cached_interface_of_the_inner_object_makes_no_cycle() {
    in_process(|| {
        let outer = notify_over_call(&Drops::default(), &Drops::default());
        let unknown = outer.as_interface::<IUnknown>().as_raw();
        assert_eq!(references(unknown), 1);
        let first = outer.inner.cached::<ISynchronize>().expect("the inner object has it").as_raw();
        let second = outer.inner.cached::<ISynchronize>().expect("and it is kept").as_raw();
        assert_eq!((first, references(unknown)), (second, 1));
        assert_eq!(outer.inner.cached::<ISieve>().expect_err("nobody has it").code(), E_NOINTERFACE);
        assert_ne!(first, outer.as_interface::<ISynchronize>().as_raw());
    });
}

#[test]
fn an_outer_without_its_inner_object_offers_only_its_own() {
    in_process(|| {
        let outer = ComObject::new(Notify::new(&Drops::default()));
        assert_eq!(outer.cast::<ICancelMethodCalls>().expect_err("no inner object").code(), E_NOINTERFACE);
        assert_eq!(outer.inner.cached::<ISynchronize>().expect_err("no inner object").code(), E_NOINTERFACE);
        // SAFETY: the closures keep the rules, or fail.
        unsafe {
            let failed = outer.aggregate(&outer.inner, |_, _, _| E_OUTOFMEMORY);
            assert_eq!(failed.expect_err("the code comes through").code(), E_OUTOFMEMORY);
            let nothing = outer.aggregate(&outer.inner, |_, _, _| S_OK);
            assert_eq!(nothing.expect_err("success without an object").code(), E_UNEXPECTED);
            let create = |unknown, riid, ppv| create_aggregated(Call::new(&Drops::default()), unknown, riid, ppv);
            outer.aggregate(&outer.inner, create).expect("the first one");
            assert_eq!(outer.aggregate(&outer.inner, create).expect_err("set once").code(), E_UNEXPECTED);
        }
    });
}

#[test]
fn an_object_with_an_inner_one_is_neither_moved_nor_borrowed_mutably() {
    in_process(|| {
        let mut outer = notify_over_call(&Drops::default(), &Drops::default());
        assert!(outer.get_mut().is_none());
        assert!(outer.take().is_err(), "the inner object knows it by its address");
    });
}

#[test]
fn the_outer_still_works_while_its_inner_object_ends() {
    in_process(|| {
        let (outer_drops, inner_drops) = (Drops::default(), Drops::default());
        let outer = ComObject::new(Notify::new(&outer_drops));
        let value = Call::new(&inner_drops);
        let said = value.outer_said.clone();
        value.outers.store(outer.as_interface::<ISynchronize>().as_raw(), Ordering::Relaxed);
        // SAFETY: as in `notify_over_call`.
        let made =
            unsafe { outer.aggregate(&outer.inner, |unknown, iid, ppv| create_aggregated(value, unknown, iid, ppv)) };
        made.expect("aggregated");
        // The inner object's drop calls the outer's Wait, which no longer finds its inner object, and says so.
        drop(outer);
        assert_eq!((outer_drops.count(), inner_drops.count()), (1, 1));
        assert_eq!(HRESULT(said.load(Ordering::Relaxed) as i32), E_NOINTERFACE);
    });
}

/// Between an outer and an inner object: aggregated itself, and aggregating.
#[com_class(ICallFactory, blind = inner)]
struct Middle {
    inner: Inner,
    _drops: CountsDrop,
}

impl ICallFactory_Impl for Middle_Impl {
    unsafe fn CreateCall(
        &self,
        _riid: *const GUID,
        _outer: *mut c_void,
        _riid2: *const GUID,
        _ppv: *mut *mut c_void,
    ) -> HRESULT {
        if self.is_aggregated() { S_FALSE } else { S_OK }
    }
}

#[test]
fn aggregation_nests_and_everyone_answers_to_the_outermost() {
    in_process(|| {
        let drops = [Drops::default(), Drops::default(), Drops::default()];
        let outer = ComObject::new(Notify::new(&drops[0]));
        // SAFETY: each level is aggregated under the outermost unknown.
        let made = unsafe {
            outer.aggregate(&outer.inner, |unknown, riid, ppv| {
                let middle = Middle { inner: Inner::new(), _drops: CountsDrop(drops[1].clone()) };
                create_aggregated_with(middle, unknown, riid, ppv, |middle| {
                    assert_eq!(middle.controlling_unknown().as_raw(), unknown);
                    let innermost = |unknown, riid, ppv| create_aggregated(Call::new(&drops[2]), unknown, riid, ppv);
                    middle.aggregate(&middle.inner, innermost).err().map_or(S_OK, |error| error.code())
                })
            })
        };
        made.expect("all three stand");
        let cancel: ICancelMethodCalls = outer.cast().expect("the innermost object's");
        let factory: ICallFactory = cancel.cast().expect("the middle object's");
        let unknown = outer.as_interface::<IUnknown>().as_raw();
        assert_eq!((identity(factory.as_raw()), identity(cancel.as_raw())), (unknown, unknown));
        // SAFETY: live objects; the test's method looks at no pointer.
        unsafe {
            assert_eq!(factory.CreateCall(ptr::null(), ptr::null_mut(), ptr::null(), ptr::null_mut()), S_FALSE);
            assert_eq!(cancel.Cancel(0), S_OK);
        }
        assert_eq!(outer.told.load(Ordering::Relaxed), 1, "srv_11: the innermost signals the outermost");
        drop((outer, cancel));
        assert_eq!(drops.each_ref().map(|drops| drops.count()), [0, 0, 0]);
        drop(factory);
        assert_eq!(drops.each_ref().map(|drops| drops.count()), [1, 1, 1]);
    });
}

#[test]
fn a_failed_last_step_of_construction_ends_the_object() {
    in_process(|| {
        let drops = Drops::default();
        let mut found = ptr::dangling_mut();
        // SAFETY: no outer, a place of our own.
        let hr = unsafe {
            create_aggregated_with(Call::new(&drops), ptr::null_mut(), &IUnknown::IID, &mut found, |_| E_FAIL)
        };
        assert_eq!((hr, found, drops.count()), (E_FAIL, ptr::null_mut(), 1));
    });
}

/// Holds an inner object in a field that the attribute does not name.
#[com_class(ISieve)]
struct Quiet {
    inner: Inner,
}

impl ISieve_Impl for Quiet_Impl {
    unsafe fn CountPrimes(&self, _max: u32, _primes: *mut u32) -> HRESULT {
        S_OK
    }
}

/// Asks its outer object for an interface while it ends.
#[com_class(ISieve)]
struct AsksLate {
    outer: *mut c_void,
    got: Arc<AtomicU32>,
}

impl ISieve_Impl for AsksLate_Impl {
    unsafe fn CountPrimes(&self, _max: u32, _primes: *mut u32) -> HRESULT {
        S_OK
    }
}

impl Drop for AsksLate {
    fn drop(&mut self) {
        let (hr, found) = query(self.outer, &ISieve::IID);
        assert!(found.is_null());
        self.got.store(hr.0 as u32, Ordering::Relaxed);
        assert!(!identity(self.outer).is_null(), "it still has an identity");
    }
}

#[test]
fn an_object_whose_value_is_going_offers_nothing_but_its_identity() {
    in_process(|| {
        let got = Arc::new(AtomicU32::new(0));
        let outer = ComObject::new(Quiet { inner: Inner::new() });
        // SAFETY: as in `notify_over_call`.
        unsafe {
            outer
                .aggregate(&outer.inner, |unknown, riid, ppv| {
                    create_aggregated(AsksLate { outer: unknown, got: got.clone() }, unknown, riid, ppv)
                })
                .expect("aggregated");
        }
        drop(outer);
        assert_eq!(HRESULT(got.load(Ordering::Relaxed) as i32), E_NOINTERFACE);
    });
}

//! Inner objects that are made when they are first asked for: `auto(…)`, and the marshaler of agile objects.

use super::*;
use crate::object::{AutoInner, SystemClass, create_aggregated, create_system, raw, system_class};

const CLSID_TEST_EVENT: GUID = GUID::from_u128(0x7B1D0B42_3C0E_4F55_8A0B_0A1D3E5C0001);
const CLSID_REFUSES: GUID = GUID::from_u128(0x7B1D0B42_3C0E_4F55_8A0B_0A1D3E5C0002);
const CLSID_NOBODY: GUID = GUID::from_u128(0x7B1D0B42_3C0E_4F55_8A0B_0A1D3E5C0003);

/// A flag behind ISynchronize, in the place of the system's event.
#[com_class(ISynchronize)]
#[derive(Default)]
struct Flag(AtomicU32);

impl ISynchronize_Impl for Flag_Impl {
    unsafe fn Wait(&self, _flags: u32, _ms: u32) -> HRESULT {
        if self.0.load(Ordering::Relaxed) == 1 { S_OK } else { RPC_S_CALLPENDING }
    }
    unsafe fn Signal(&self) -> HRESULT {
        self.0.store(1, Ordering::Relaxed);
        S_OK
    }
    unsafe fn Reset(&self) -> HRESULT {
        self.0.store(0, Ordering::Relaxed);
        S_OK
    }
}

unsafe fn create_flag(outer: *mut c_void, riid: *const GUID, ppv: *mut *mut c_void) -> HRESULT {
    // SAFETY: the caller's promises.
    unsafe { create_aggregated(Flag::default(), outer, riid, ppv) }
}

unsafe fn refuse(_outer: *mut c_void, _riid: *const GUID, _ppv: *mut *mut c_void) -> HRESULT {
    CLASS_E_NOAGGREGATION
}

inventory::submit! { SystemClass { clsid: CLSID_TEST_EVENT, create: create_flag } }
inventory::submit! { SystemClass { clsid: CLSID_REFUSES, create: refuse } }

/// The article's server call object: its event is a system object.
#[com_class(ISieve, auto(ISynchronize = event : CLSID_TEST_EVENT, ISynchronizeHandle = handle : CLSID_REFUSES,
    ISynchronizeEvent = nobody : CLSID_NOBODY))]
#[derive(Default)]
struct ServerCall {
    event: AutoInner,
    handle: AutoInner,
    nobody: AutoInner,
}

impl ISieve_Impl for ServerCall_Impl {
    unsafe fn CountPrimes(&self, _max: u32, _primes: *mut u32) -> HRESULT {
        match self.query::<ISynchronize>() {
            // SAFETY: a live object.
            Ok(sync) => unsafe { sync.Signal() },
            Err(error) => error.code(),
        }
    }
}

#[test]
fn srv_12_the_first_query_makes_the_event_and_later_ones_find_it() {
    in_process(|| {
        let call = ComObject::new(ServerCall::default());
        assert!(!call.event.is_set());
        assert_eq!(live_objects(), 1);
        let sync: ISynchronize = call.cast().expect("made now");
        let again: ISynchronize = sync.cast().expect("the same one");
        assert_eq!((sync.as_raw(), live_objects(), call.event.is_set()), (again.as_raw(), 2, true));
        assert_eq!(identity(sync.as_raw()), call.as_interface::<IUnknown>().as_raw());
        // SAFETY: live objects; the method looks at no pointer.
        unsafe {
            assert_eq!(sync.Wait(0, 0), RPC_S_CALLPENDING);
            assert_eq!(call.as_interface::<ISieve>().CountPrimes(0, ptr::null_mut()), S_OK);
            assert_eq!((again.Wait(0, 0), sync.Reset(), sync.Wait(0, 0)), (S_OK, S_OK, RPC_S_CALLPENDING));
        }
        drop((call, again));
        assert_eq!(live_objects(), 2, "the event's interface holds the whole");
    });
}

#[test]
fn srv_11_under_an_outer_the_call_object_signals_what_the_outer_answers() {
    in_process(|| {
        let outer = ComObject::new(Flag::default());
        let mut inner = ptr::null_mut();
        // SAFETY: the outer outlives the inner object.
        unsafe {
            let unknown = outer.as_interface::<IUnknown>().as_raw();
            assert_eq!(create_aggregated(ServerCall::default(), unknown, &IUnknown::IID, &mut inner), S_OK);
            let (hr, sieve) = query(inner, &ISieve::IID);
            assert_eq!(hr, S_OK);
            let sieve = ISieve::from_raw(sieve);
            assert_eq!(sieve.CountPrimes(0, ptr::null_mut()), S_OK);
            assert_eq!(outer.0.load(Ordering::Relaxed), 1, "the outer's, not an event of its own");
            assert_eq!(live_objects(), 2);
            let (hr, own) = query(inner, &ISynchronize::IID);
            assert_eq!((hr, live_objects()), (S_OK, 3), "only the inner unknown still gives the private one");
            assert_eq!(identity(own), unknown);
            raw::release(own);
            drop(sieve);
            assert_eq!(raw::release(inner), 0);
        }
        assert_eq!(references(outer.as_interface::<IUnknown>().as_raw()), 1);
    });
}

#[test]
fn a_system_object_that_cannot_be_made_gives_its_code_and_null() {
    in_process(|| {
        let call = ComObject::new(ServerCall::default());
        let raw = call.as_interface::<ISieve>().as_raw();
        assert_eq!(query(raw, &ISynchronizeHandle::IID), (CLASS_E_NOAGGREGATION, ptr::null_mut()));
        assert_eq!(query(raw, &ISynchronizeEvent::IID), (REGDB_E_CLASSNOTREG, ptr::null_mut()));
        assert_eq!(references(raw), 1);
    });
}

#[test]
fn system_classes_are_found_by_their_id() {
    in_process(|| {
        assert!(system_class(&CLSID_TEST_EVENT).is_some());
        assert!(system_class(&CLSID_NOBODY).is_none());
        let mut found = ptr::dangling_mut();
        // SAFETY: no outer; places of our own.
        unsafe {
            let hr = create_system(&CLSID_NOBODY, ptr::null_mut(), &IUnknown::IID, &mut found);
            assert_eq!((hr, found), (REGDB_E_CLASSNOTREG, ptr::null_mut()));
            assert_eq!(create_system(&CLSID_TEST_EVENT, ptr::null_mut(), &IUnknown::IID, ptr::null_mut()), E_POINTER);
            let hr = create_system(&CLSID_TEST_EVENT, ptr::null_mut(), &ISynchronize::IID, &mut found);
            assert_eq!((hr, raw::release(found)), (S_OK, 0));
        }
    });
}

/// A pointer that another thread may use.
struct Shared(*mut c_void);
// SAFETY: `ServerCall` and `Flag` are made of atomics, so their objects may be used on any thread.
unsafe impl Send for Shared {}

#[test]
fn two_threads_that_ask_at_once_get_one_event() {
    in_process(|| {
        let rounds = if cfg!(miri) { 4 } else { 200 };
        for _ in 0..rounds {
            let call = ComObject::new(ServerCall::default());
            let gate = Arc::new(std::sync::Barrier::new(2));
            let ask = |gate: Arc<std::sync::Barrier>, call: Shared| {
                gate.wait();
                // SAFETY: the test holds the object until both threads are done.
                let unknown = unsafe { IUnknown::from_raw_borrowed(&call.0) }.expect("not null");
                let sync: ISynchronize = unknown.cast().expect("made by one of the two");
                Shared(sync.into_raw())
            };
            let raw = call.as_interface::<IUnknown>().as_raw();
            let (mine, theirs) = (gate.clone(), Shared(raw));
            let other = std::thread::spawn(move || ask(mine, theirs));
            let first = ask(gate, Shared(raw));
            let second = other.join().expect("no panic");
            assert_eq!(first.0, second.0);
            // SAFETY: the references that the queries gave.
            unsafe {
                raw::release(first.0);
                raw::release(second.0);
            }
        }
    });
}

/// An object for every thread.
#[com_class(ISieve, agile)]
#[derive(Default)]
struct Everywhere {
    calls: AtomicU32,
}

impl ISieve_Impl for Everywhere_Impl {
    unsafe fn CountPrimes(&self, _max: u32, _primes: *mut u32) -> HRESULT {
        self.calls.fetch_add(1, Ordering::Relaxed);
        S_OK
    }
}

#[test]
fn an_agile_class_says_so_and_keeps_its_identity() {
    in_process(|| {
        let object = ComObject::new(Everywhere::default());
        let agile: IAgileObject = object.cast().expect("agile");
        assert_eq!(identity(agile.as_raw()), object.as_interface::<IUnknown>().as_raw());
        let sieve: ISieve = agile.cast().expect("the way back");
        // SAFETY: a live object; the method looks at no pointer.
        assert_eq!(unsafe { sieve.CountPrimes(0, ptr::null_mut()) }, S_OK);
        assert_eq!(object.calls.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn an_agile_object_marshals_with_the_free_threaded_marshaler_where_there_is_one() {
    in_process(|| {
        let object = ComObject::new(Everywhere::default());
        let there = system_class(&crate::abi::clsid::CLSID_InProcFreeMarshaler).is_some();
        let (hr, found) = query(object.as_interface::<ISieve>().as_raw(), &IMarshal::IID);
        assert_eq!(hr, if there { S_OK } else { E_NOINTERFACE });
        if there {
            assert_eq!(identity(found), object.as_interface::<IUnknown>().as_raw());
            // SAFETY: the reference that the query gave.
            unsafe { raw::release(found) };
        }
    });
}

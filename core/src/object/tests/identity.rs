//! One object: who it is, what it offers, how it ends.

use super::*;
use crate::object::raw;
use windows_core::{AsImpl, IUnknownImpl};

#[test]
fn every_way_to_make_an_object_gives_one_that_works() {
    in_process(|| {
        let drops = Drops::default();
        let object = ComObject::new(Sieve::new(7, &drops));
        let sieve: ISieve2 = object.to_interface();
        let mut primes = 0;
        // SAFETY: a live object and a place of our own.
        unsafe {
            assert_eq!(sieve.CountPrimes(30, &mut primes), S_OK);
            assert_eq!((primes, sieve.Tag(), object.tag), (10, 7, 7));
            assert_eq!(sieve.CountPrimes(30, ptr::null_mut()), E_POINTER);
            let value: &Sieve = sieve.as_impl();
            assert_eq!(value.tag, 7);
        }
        drop((object, sieve));
        let base: ISieve = ISieve2::from(Sieve::new(1, &drops)).into_base();
        // SAFETY: as above.
        assert_eq!(unsafe { base.CountPrimes(2, &mut primes) }, S_OK);
        drop(base);
        let unknown: IUnknown = Sieve::new(2, &drops).into();
        assert!(unknown.cast::<ISynchronizeHandle>().is_ok());
        drop(unknown);
        assert_eq!(drops.count(), 3);
    });
}

impl ISieve2 {
    /// The base interface of the same pointer.
    fn into_base(self) -> ISieve {
        (*self).clone()
    }
}

#[test]
fn sync_16_counts_start_at_one_and_say_what_remains() {
    in_process(|| {
        let drops = Drops::default();
        let raw = ISieve2::from(Sieve::new(0, &drops)).into_raw();
        // SAFETY: a live object; the last release ends it.
        unsafe {
            assert_eq!((raw::add_ref(raw), raw::add_ref(raw)), (2, 3));
            assert_eq!((raw::release(raw), raw::release(raw)), (2, 1));
            assert_eq!((drops.count(), raw::release(raw), drops.count()), (0, 0, 1));
        }
    });
}

#[test]
fn identity_is_one_and_queries_are_reflexive_symmetric_transitive() {
    in_process(|| {
        let object = ComObject::new(Sieve::new(0, &Drops::default()));
        let known = [IUnknown::IID, ISieve::IID, ISieve2::IID, ISynchronizeHandle::IID];
        let start = object.as_interface::<IUnknown>().as_raw();
        for first in &known {
            let (hr, a) = query(start, first);
            assert_eq!(hr, S_OK);
            assert_eq!(identity(a), start, "one identity whatever is asked");
            for second in &known {
                let (hr, b) = query(a, second);
                assert_eq!(hr, S_OK, "what one interface finds, every one finds");
                let (hr, again) = query(b, first);
                assert_eq!((hr, again), (S_OK, a), "and there is a way back");
                // SAFETY: references from the queries.
                unsafe {
                    raw::release(again);
                    raw::release(b);
                }
            }
            // SAFETY: as above.
            unsafe { raw::release(a) };
        }
        assert_eq!(references(start), 1);
    });
}

#[test]
fn a_query_that_finds_nothing_gives_null_and_no_reference() {
    in_process(|| {
        let object = ComObject::new(Sieve::new(0, &Drops::default()));
        let start = object.as_interface::<ISieve2>().as_raw();
        for missing in [IClassFactory::IID, IAgileObject::IID, IMarshal::IID, GUID::zeroed()] {
            assert_eq!(query(start, &missing), (E_NOINTERFACE, ptr::null_mut()), "not agile, nothing unknown");
        }
        let mut found = ptr::dangling_mut();
        // SAFETY: the functions bear null.
        unsafe {
            assert_eq!(raw::query(start, &ISieve::IID, ptr::null_mut()), E_POINTER);
            assert_eq!(raw::query(start, ptr::null(), &mut found), E_POINTER);
        }
        assert!(found.is_null());
        assert_eq!(references(start), 1);
    });
}

#[test]
fn a_panic_in_a_method_is_a_server_fault_and_the_object_lives_on() {
    in_process(|| {
        let drops = Drops::default();
        let object = ComObject::new(Sieve::new(3, &drops));
        let handle: ISynchronizeHandle = object.to_interface();
        // SAFETY: a live object.
        unsafe {
            assert_eq!(handle.GetHandle(ptr::null_mut()), RPC_E_SERVERFAULT);
            assert_eq!(object.as_interface::<ISieve2>().Tag(), 3);
        }
        drop((handle, object));
        assert_eq!(drops.count(), 1);
    });
}

#[com_class(ISieve)]
struct PanicsInDrop {
    _rest: CountsDrop,
}

impl ISieve_Impl for PanicsInDrop_Impl {
    unsafe fn CountPrimes(&self, _max: u32, _primes: *mut u32) -> HRESULT {
        S_OK
    }
}

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        panic!("the end is loud");
    }
}

#[test]
fn a_panic_in_drop_is_caught_and_the_rest_is_dropped() {
    in_process(|| {
        let drops = Drops::default();
        let raw = ISieve::from(PanicsInDrop { _rest: CountsDrop(drops.clone()) }).into_raw();
        // SAFETY: the reference is ours.
        assert_eq!(unsafe { raw::release(raw) }, 0);
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn rust_types_come_back_from_interfaces() {
    in_process(|| {
        let object = ComObject::new(Sieve::new(11, &Drops::default()));
        let sieve: ISieve2 = object.to_interface();
        let again: ComObject<Sieve> = sieve.cast_object().expect("an object of the class");
        assert_eq!(again.tag, 11);
        assert!(sieve.cast_object::<PanicsInDrop>().is_err());
        assert_eq!(references(sieve.as_raw()), 3);
        let third = (*again).to_object();
        assert_eq!(references(sieve.as_raw()), 4);
        drop((again, sieve, third));
        let value = object.take().unwrap_or_else(|_| panic!("one reference"));
        assert_eq!(value.tag, 11);
    });
}

#[test]
fn the_value_is_borrowed_mutably_only_when_nobody_else_has_a_reference() {
    in_process(|| {
        let mut object = ComObject::new(Sieve::new(1, &Drops::default()));
        object.get_mut().expect("one reference").tag = 2;
        let second = object.clone();
        assert!(object.get_mut().is_none());
        let Err(object) = object.take() else { panic!("two references") };
        assert_eq!(second.tag, 2);
        drop(object);
    });
}

/// A reference on its way to another thread.
struct Sent(*mut c_void);
// SAFETY: `Sieve` is `Send + Sync`, so its objects may be used and may end on any thread.
unsafe impl Send for Sent {}

#[test]
fn references_may_be_given_back_on_any_thread() {
    in_process(|| {
        let drops = Drops::default();
        let object = ComObject::new(Sieve::new(0, &drops));
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let mine = Sent(object.to_interface::<ISieve2>().into_raw());
                std::thread::spawn(move || {
                    let mine = mine;
                    for _ in 0..20 {
                        references(mine.0);
                    }
                    // SAFETY: the reference was given to this thread.
                    unsafe { raw::release(mine.0) };
                })
            })
            .collect();
        drop(object);
        threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
        assert_eq!(drops.count(), 1);
    });
}

//! Class factories.

use super::*;
use crate::object::{class_factory, class_factory_with, create_aggregated, raw, server_locks};

unsafe fn create_sieve(outer: *mut c_void, riid: *const GUID, ppv: *mut *mut c_void) -> HRESULT {
    // SAFETY: the caller's promises.
    unsafe { create_aggregated(Sieve::new(42, &Drops::default()), outer, riid, ppv) }
}

#[test]
fn a_factory_makes_objects_and_gives_null_where_it_fails() {
    in_process(|| {
        let factory = class_factory(create_sieve);
        let outer = ComObject::new(Sieve::new(0, &Drops::default()));
        let unknown = outer.as_interface::<IUnknown>().as_raw();
        let mut found = ptr::null_mut();
        // SAFETY: live pointers, or null where that is what is tested.
        unsafe {
            assert_eq!(factory.CreateInstance(ptr::null_mut(), &ISieve2::IID, &mut found), S_OK);
            assert_eq!(ISieve2::from_raw(found).Tag(), 42);
            assert_eq!(factory.CreateInstance(ptr::null_mut(), &IStream::IID, &mut found), E_NOINTERFACE);
            assert!(found.is_null());
            assert_eq!(factory.CreateInstance(unknown, &IUnknown::IID, &mut found), S_OK);
            assert_eq!(raw::release(found), 0, "the inner unknown, whose only reference was ours");
            found = ptr::dangling_mut();
            assert_eq!(factory.CreateInstance(unknown, &ISieve2::IID, &mut found), CLASS_E_NOAGGREGATION);
            assert!(found.is_null());
            assert_eq!(factory.CreateInstance(ptr::null_mut(), ptr::null(), &mut found), E_POINTER);
            assert_eq!(factory.CreateInstance(ptr::null_mut(), &ISieve::IID, ptr::null_mut()), E_POINTER);
        }
        assert!(factory.cast::<IAgileObject>().is_err());
    });
}

#[test]
fn a_factory_whose_closure_fails_or_panics_gives_null() {
    in_process(|| {
        let rude = class_factory_with(|_, _, ppv| {
            // SAFETY: the factory passes a place.
            unsafe { *ppv = ptr::dangling_mut() };
            E_FAIL
        });
        let panics = class_factory_with(|_, _, _| panic!("no objects today"));
        let mut found = ptr::null_mut();
        // SAFETY: no outer; a place of our own.
        unsafe {
            assert_eq!(rude.CreateInstance(ptr::null_mut(), &ISieve::IID, &mut found), E_FAIL);
            assert!(found.is_null());
            assert_eq!(panics.CreateInstance(ptr::null_mut(), &ISieve::IID, &mut found), RPC_E_SERVERFAULT);
            assert!(found.is_null());
        }
    });
}

#[test]
fn locks_are_counted_for_the_process() {
    in_process(|| {
        let (first, second) = (class_factory(create_sieve), class_factory(create_sieve));
        // SAFETY: live objects.
        unsafe {
            assert_eq!((first.LockServer(true.into()), second.LockServer(true.into())), (S_OK, S_OK));
            assert_eq!(server_locks(), 2);
            drop(second);
            assert_eq!((first.LockServer(false.into()), first.LockServer(false.into())), (S_OK, S_OK));
            assert_eq!((server_locks(), first.LockServer(false.into()), server_locks()), (0, S_OK, 0));
        }
    });
}

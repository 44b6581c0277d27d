//! Objects that windows-rs' own macro makes on our interfaces, beside and under ours.

use super::*;
use crate::object::{Inner, create_aggregated};
use windows_core::{IUnknownImpl, implement};

#[implement(ISieve2, ICallFactory, Agile = false)]
struct Theirs {
    tag: u32,
}

impl ISieve_Impl for Theirs_Impl {
    unsafe fn CountPrimes(&self, max: u32, primes: *mut u32) -> HRESULT {
        // SAFETY: the test passes a place of its own.
        unsafe { *primes = max };
        S_OK
    }
}

impl ISieve2_Impl for Theirs_Impl {
    unsafe fn Tag(&self) -> u32 {
        self.tag
    }
}

impl ICallFactory_Impl for Theirs_Impl {
    unsafe fn CreateCall(&self, _: *const GUID, _: *mut c_void, _: *const GUID, ppv: *mut *mut c_void) -> HRESULT {
        // SAFETY: the test passes a place of its own.
        unsafe { *ppv = ptr::null_mut() };
        panic!("the guard of our interfaces is in their objects too")
    }
}

#[test]
#[cfg_attr(miri, ignore = "objects of windows-core 0.62 break both borrow models")]
fn objects_of_windows_rs_work_on_our_interfaces() {
    in_process(|| {
        let theirs = ComObject::new(Theirs { tag: 5 });
        let sieve: ISieve2 = theirs.to_interface();
        let (mut primes, mut call) = (0, ptr::dangling_mut());
        // SAFETY: a live object; places of our own.
        unsafe {
            assert_eq!((sieve.CountPrimes(9, &mut primes), primes, sieve.Tag()), (S_OK, 9, 5));
            let factory: ICallFactory = sieve.cast().expect("listed");
            let hr = factory.CreateCall(ptr::null(), ptr::null_mut(), ptr::null(), &mut call);
            assert_eq!((hr, call), (RPC_E_SERVERFAULT, ptr::null_mut()));
            assert_eq!(sieve.cast::<ISieve>().expect("the base").as_raw(), sieve.as_raw());
        }
        assert!(sieve.cast::<IAgileObject>().is_err());
        assert_eq!(theirs.to_object().tag, 5);
    });
}

/// windows-rs' macro knows no outer object, but one of its objects can be the outer of ours.
#[implement(ISynchronize, Agile = false)]
struct TheirOuter {
    inner: Inner,
}

impl ISynchronize_Impl for TheirOuter_Impl {
    unsafe fn Wait(&self, _flags: u32, _ms: u32) -> HRESULT {
        S_OK
    }
    unsafe fn Signal(&self) -> HRESULT {
        S_FALSE
    }
    unsafe fn Reset(&self) -> HRESULT {
        S_OK
    }
}

#[test]
#[cfg_attr(miri, ignore = "objects of windows-core 0.62 break both borrow models")]
fn our_objects_can_be_aggregated_under_theirs() {
    in_process(|| {
        let drops = Drops::default();
        let outer = ComObject::new(TheirOuter { inner: Inner::new() });
        let unknown = outer.as_interface::<IUnknown>().as_raw();
        // SAFETY: the field is the outer's own.
        let made = unsafe {
            outer
                .inner
                .aggregate(unknown, |unknown, riid, ppv| create_aggregated(Sieve::new(6, &drops), unknown, riid, ppv))
        };
        made.expect("aggregated");
        let sieve = outer.inner.cached::<ISieve2>().expect("the inner object's");
        // SAFETY: live objects.
        unsafe {
            assert_eq!(sieve.Tag(), 6);
            assert_eq!(sieve.cast::<ISynchronize>().expect("through the outer").Signal(), S_FALSE);
        }
        assert_eq!(identity(sieve.as_raw()), unknown);
        drop(outer);
        assert_eq!(drops.count(), 1);
    });
}

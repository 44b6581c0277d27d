//! The helper of the posts that releases a proxy asynchronously, and its outer object, which keeps itself until it is
//! signalled: then it ends the release, does not release the inner object again, and lets itself go.

use super::Player;
use oleander::object::Inner;
use oleander::windows_core::{ComObject, HRESULT, IUnknown, Interface, InterfaceRef};
use oleander::*;
use std::cell::RefCell;
use std::ffi::c_void;
use std::ptr::null_mut;

/// The outer object.
#[com_class(ISynchronize, blind = inner)]
pub struct Releaser {
    inner: Inner,
    player: Player,
    own: RefCell<Option<ISynchronize>>,
}

/// Releases what the caller has, and gives the outer object, uncounted; `S_FALSE` and null after an ordinary release, if the
/// object has no call factory.
pub fn release_async(player: Player, object: IUnknown) -> (HRESULT, *mut c_void) {
    let Ok(factory) = object.cast::<ICallFactory>() else { return (S_FALSE, null_mut()) };
    drop(object);
    let outer = ComObject::new(Releaser { inner: Inner::new(), player, own: RefCell::default() });
    // SAFETY: the call object is aggregated under the outer object.
    let made = unsafe {
        outer.aggregate(&outer.inner, |unknown, riid, ppv| factory.CreateCall(&AsyncIUnknown::IID, unknown, riid, ppv))
    };
    if let Err(error) = made {
        return (error.code(), null_mut());
    }
    drop(factory);
    outer.own.replace(Some(outer.to_interface()));
    let call: AsyncIUnknown = outer.to_interface::<ISynchronize>().cast().expect("blindly from the inner object");
    // It may be gone when Begin_Release returns.
    let address = outer.to_interface::<ISynchronize>().as_raw();
    // SAFETY: no pointers.
    (unsafe { call.Begin_Release() }, address)
}

impl Releaser_Impl {
    fn sync(&self) -> InterfaceRef<'_, ISynchronize> {
        self.inner.cached::<ISynchronize>().expect("the inner object has it")
    }
}

impl ISynchronize_Impl for Releaser_Impl {
    unsafe fn Wait(&self, flags: u32, ms: u32) -> HRESULT {
        // SAFETY: the inner object lives as long as this one.
        unsafe { self.sync().Wait(flags, ms) }
    }
    unsafe fn Signal(&self) -> HRESULT {
        // SAFETY: as above; neither pointer is counted.
        let (hr, count) = unsafe {
            let hr = self.sync().Signal();
            (hr, self.inner.cached::<AsyncIUnknown>().expect("the inner object has it").Finish_Release())
        };
        self.player.method("Finish_Release", Some(count));
        let own = self.own.take();
        drop(own);
        hr
    }
    unsafe fn Reset(&self) -> HRESULT {
        // SAFETY: as above.
        unsafe { self.sync().Reset() }
    }
}

impl Drop for Releaser {
    fn drop(&mut self) {
        self.player.dropped();
    }
}

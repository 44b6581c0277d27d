//! An object with a handler, and the handler (RUL-49): a client that unmarshals its packet for another process gets both.
//!
//! The handler has ILocal of its own and leaves everything else to the proxies.

use super::sample::{ILocal_Impl, ISample_Impl, plays};
use super::{ILocal, ISample, Player};
use oleander::object::{self, Inner};
use oleander::windows_core::{GUID, HRESULT};
use oleander::*;
use std::ffi::c_void;

/// The handler's class: the row registers it, or does not.
pub const CLSID_HANDLER: GUID = GUID::from_u128(0x5b0e6a10_3c1d_4a5e_9a77_6f6c65616f14);

/// A sample with a handler. It logs for which context it was asked.
#[com_class(ISample, IStdMarshalInfo)]
pub struct Handled(pub Player);

plays!(Handled, Handled_Impl);

impl IStdMarshalInfo_Impl for Handled_Impl {
    unsafe fn GetClassForHandler(&self, context: u32, _: *mut c_void, class: *mut GUID) -> HRESULT {
        // SAFETY: the caller's pointer is valid.
        unsafe { *class = CLSID_HANDLER };
        self.0.method("GetClassForHandler", Some(context)).hr()
    }
}

#[com_class(ILocal, blind = proxies)]
struct Handler {
    player: Player,
    proxies: Inner,
}

impl ILocal_Impl for Handler_Impl {
    unsafe fn Nothing(&self) -> HRESULT {
        self.player.method("Nothing", None).hr()
    }
}

impl Drop for Handler {
    fn drop(&mut self) {
        self.player.dropped();
    }
}

/// Makes a handler under an identity; its construction is logged, and what the row returns there is its failure.
///
/// # Safety
/// As for any class object's `CreateInstance`.
pub unsafe fn create(player: &Player, outer: *mut c_void, iid: *const GUID, out: *mut *mut c_void) -> HRESULT {
    let said = player.method("CreateInstance", None);
    if said.returns.is_some() {
        return said.hr();
    }
    let handler = Handler { player: player.clone(), proxies: Inner::new() };
    // SAFETY: the caller's pointers; the inner object is one of the identity's.
    unsafe {
        object::create_aggregated_with(handler, outer, iid, out, |handler| {
            let proxies = |outer, _, out| CoGetStdMarshalEx(outer, SMEXF_HANDLER, out);
            let made = handler.aggregate(&handler.proxies, proxies);
            made.map_or_else(|error| error.code(), |()| S_OK)
        })
    }
}

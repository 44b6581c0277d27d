//! Finds the interfaces that `#[async_interface]` registered, and makes their proxies and stubs.
//!
//! The table is built once from what the linker collected and never changes; what one process registers over it
//! (`CoRegisterPSClsid`) is kept elsewhere.

use super::info::{InterfaceInfo, Registration};
use super::interface_proxy;
use crate::abi::hresult::{E_NOINTERFACE, E_POINTER, S_OK};
use crate::abi::interfaces::{IPSFactoryBuffer, IPSFactoryBuffer_Impl};
use crate::com_class;
use crate::stub::interface_stub;
use std::ffi::c_void;
use std::sync::OnceLock;
use windows_core::{GUID, HRESULT};

/// The interface with this id, or whose asynchronous twin has it.
pub fn find(iid: &GUID) -> Option<&'static InterfaceInfo> {
    static TABLE: OnceLock<Vec<(u128, &'static InterfaceInfo)>> = OnceLock::new();
    let table = TABLE.get_or_init(|| {
        let infos = inventory::iter::<Registration>.into_iter().map(|registration| registration.0);
        let mut table: Vec<_> = infos
            .flat_map(|info| {
                let twin = info.twin.as_ref().map(|twin| (twin.iid.to_u128(), info));
                std::iter::once((info.iid.to_u128(), info)).chain(twin)
            })
            .collect();
        // By name as well: the linker's order is no order.
        table.sort_by_key(|(iid, info)| (*iid, info.name));
        table.dedup_by_key(|(iid, _)| *iid);
        table
    });
    let at = table.binary_search_by_key(&iid.to_u128(), |(iid, _)| *iid).ok()?;
    Some(table[at].1)
}

/// The factory of an interface's proxies and stubs.
#[com_class(IPSFactoryBuffer, agile)]
pub(crate) struct Factory {
    info: &'static InterfaceInfo,
}

/// A factory for the proxies and stubs of one interface.
pub fn builtin_factory(info: &'static InterfaceInfo) -> IPSFactoryBuffer {
    Factory { info }.into()
}

impl IPSFactoryBuffer_Impl for Factory_Impl {
    unsafe fn CreateProxy(
        &self,
        outer: *mut c_void,
        riid: *const GUID,
        proxy: *mut *mut c_void,
        ppv: *mut *mut c_void,
    ) -> HRESULT {
        // SAFETY: the caller vouches for the pointers, which may be null.
        let (Some(riid), Some(proxy), Some(ppv)) = (unsafe { (riid.as_ref(), proxy.as_mut(), ppv.as_mut()) }) else {
            return E_POINTER;
        };
        (*proxy, *ppv) = (std::ptr::null_mut(), std::ptr::null_mut());
        if *riid != self.info.iid {
            return E_NOINTERFACE;
        }
        // SAFETY: the outer object outlives what it aggregates.
        (*proxy, *ppv) = unsafe { interface_proxy::create(self.info, outer) };
        S_OK
    }

    unsafe fn CreateStub(&self, riid: *const GUID, server: *mut c_void, stub: *mut *mut c_void) -> HRESULT {
        // SAFETY: the caller vouches for the pointers, which may be null.
        let (Some(riid), Some(stub)) = (unsafe { (riid.as_ref(), stub.as_mut()) }) else {
            return E_POINTER;
        };
        *stub = std::ptr::null_mut();
        if *riid != self.info.iid {
            return E_NOINTERFACE;
        }
        // SAFETY: null, or a live pointer.
        match unsafe { interface_stub::create(self.info, server) } {
            Ok(made) => {
                *stub = made;
                S_OK
            }
            Err(hr) => hr,
        }
    }
}

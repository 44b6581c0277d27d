//! Notifications between callers and the wire: the wire has a code, which callers are not told.
//!
//! These run on the caller's thread in the proxy's apartment, or on the server's in the stub's; they hold nothing.

use super::{AsyncIAdviseSink, AsyncIAdviseSink2, IAdviseSink, IAdviseSink2};
use crate::abi::hresult::S_OK;
use crate::abi::types::{FORMATETC, STGMEDIUM};
use std::ffi::c_void;
use windows_core::HRESULT;

/// The six functions of one notification: how callers' calls become those of the wire, and the other way round.
macro_rules! notification {
    (
        $interface:ident::$method:ident, $twin:ident::($begin:ident, $finish:ident) ($($arg:ident: $ty:ty),*)
        $proxy:ident -> $remote:ident -> $stub:ident;
        $begin_proxy:ident -> $begin_remote:ident -> $begin_stub:ident;
        $finish_proxy:ident -> $finish_remote:ident -> $finish_stub:ident;
    ) => {
        pub(super) unsafe fn $proxy(this: &$interface, $($arg: $ty),*) {
            // SAFETY: the caller's promises. The caller is told nothing.
            let _ = unsafe { super::$remote(this, $($arg),*) };
        }
        pub(super) unsafe fn $stub(this: &$interface, $($arg: $ty),*) -> HRESULT {
            // SAFETY: the stub's memory.
            unsafe { this.$method($($arg),*) };
            S_OK
        }
        pub(super) unsafe fn $begin_proxy(this: &$twin, $($arg: $ty),*) {
            // SAFETY: as above.
            let _ = unsafe { super::$begin_remote(this, $($arg),*) };
        }
        pub(super) unsafe fn $begin_stub(this: &$twin, $($arg: $ty),*) -> HRESULT {
            // SAFETY: as above.
            unsafe { this.$begin($($arg),*) };
            S_OK
        }
        pub(super) unsafe fn $finish_proxy(this: &$twin) {
            // SAFETY: as above.
            let _ = unsafe { super::$finish_remote(this) };
        }
        pub(super) unsafe fn $finish_stub(this: &$twin) -> HRESULT {
            // SAFETY: as above.
            unsafe { this.$finish() };
            S_OK
        }
    };
}

notification! {
    IAdviseSink::OnDataChange, AsyncIAdviseSink::(Begin_OnDataChange, Finish_OnDataChange) (pFormatetc: *const FORMATETC, pStgmed: *const STGMEDIUM)
    IAdviseSink_OnDataChange_Proxy -> IAdviseSink_RemoteOnDataChange_Proxy -> IAdviseSink_OnDataChange_Stub;
    AsyncIAdviseSink_Begin_OnDataChange_Proxy -> AsyncIAdviseSink_Begin_RemoteOnDataChange_Proxy -> AsyncIAdviseSink_Begin_OnDataChange_Stub;
    AsyncIAdviseSink_Finish_OnDataChange_Proxy -> AsyncIAdviseSink_Finish_RemoteOnDataChange_Proxy -> AsyncIAdviseSink_Finish_OnDataChange_Stub;
}

notification! {
    IAdviseSink::OnViewChange, AsyncIAdviseSink::(Begin_OnViewChange, Finish_OnViewChange) (dwAspect: u32, lindex: i32)
    IAdviseSink_OnViewChange_Proxy -> IAdviseSink_RemoteOnViewChange_Proxy -> IAdviseSink_OnViewChange_Stub;
    AsyncIAdviseSink_Begin_OnViewChange_Proxy -> AsyncIAdviseSink_Begin_RemoteOnViewChange_Proxy -> AsyncIAdviseSink_Begin_OnViewChange_Stub;
    AsyncIAdviseSink_Finish_OnViewChange_Proxy -> AsyncIAdviseSink_Finish_RemoteOnViewChange_Proxy -> AsyncIAdviseSink_Finish_OnViewChange_Stub;
}

notification! {
    IAdviseSink::OnRename, AsyncIAdviseSink::(Begin_OnRename, Finish_OnRename) (pmk: *mut c_void)
    IAdviseSink_OnRename_Proxy -> IAdviseSink_RemoteOnRename_Proxy -> IAdviseSink_OnRename_Stub;
    AsyncIAdviseSink_Begin_OnRename_Proxy -> AsyncIAdviseSink_Begin_RemoteOnRename_Proxy -> AsyncIAdviseSink_Begin_OnRename_Stub;
    AsyncIAdviseSink_Finish_OnRename_Proxy -> AsyncIAdviseSink_Finish_RemoteOnRename_Proxy -> AsyncIAdviseSink_Finish_OnRename_Stub;
}

notification! {
    IAdviseSink::OnSave, AsyncIAdviseSink::(Begin_OnSave, Finish_OnSave) ()
    IAdviseSink_OnSave_Proxy -> IAdviseSink_RemoteOnSave_Proxy -> IAdviseSink_OnSave_Stub;
    AsyncIAdviseSink_Begin_OnSave_Proxy -> AsyncIAdviseSink_Begin_RemoteOnSave_Proxy -> AsyncIAdviseSink_Begin_OnSave_Stub;
    AsyncIAdviseSink_Finish_OnSave_Proxy -> AsyncIAdviseSink_Finish_RemoteOnSave_Proxy -> AsyncIAdviseSink_Finish_OnSave_Stub;
}

notification! {
    IAdviseSink::OnClose, AsyncIAdviseSink::(Begin_OnClose, Finish_OnClose) ()
    IAdviseSink_OnClose_Proxy -> IAdviseSink_RemoteOnClose_Proxy -> IAdviseSink_OnClose_Stub;
    AsyncIAdviseSink_Begin_OnClose_Proxy -> AsyncIAdviseSink_Begin_RemoteOnClose_Proxy -> AsyncIAdviseSink_Begin_OnClose_Stub;
    AsyncIAdviseSink_Finish_OnClose_Proxy -> AsyncIAdviseSink_Finish_RemoteOnClose_Proxy -> AsyncIAdviseSink_Finish_OnClose_Stub;
}

notification! {
    IAdviseSink2::OnLinkSrcChange, AsyncIAdviseSink2::(Begin_OnLinkSrcChange, Finish_OnLinkSrcChange) (pmk: *mut c_void)
    IAdviseSink2_OnLinkSrcChange_Proxy -> IAdviseSink2_RemoteOnLinkSrcChange_Proxy -> IAdviseSink2_OnLinkSrcChange_Stub;
    AsyncIAdviseSink2_Begin_OnLinkSrcChange_Proxy -> AsyncIAdviseSink2_Begin_RemoteOnLinkSrcChange_Proxy -> AsyncIAdviseSink2_Begin_OnLinkSrcChange_Stub;
    AsyncIAdviseSink2_Finish_OnLinkSrcChange_Proxy -> AsyncIAdviseSink2_Finish_RemoteOnLinkSrcChange_Proxy -> AsyncIAdviseSink2_Finish_OnLinkSrcChange_Stub;
}

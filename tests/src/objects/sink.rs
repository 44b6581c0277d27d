//! Advise sinks: each logs what it is told, the synchronous one by method, the asynchronous one by halves, on call objects.

use super::Player;
use super::halves::Halves;
use oleander::object::{self, AutoInner};
use oleander::windows_core::{GUID, HRESULT, Interface};
use oleander::*;
use std::ffi::c_void;

/// What is logged of a moniker: 1 if there is one.
fn is_there(pmk: *mut c_void) -> Option<u32> {
    (!pmk.is_null()).then_some(1)
}

/// A synchronous sink.
#[com_class(IAdviseSink2)]
pub struct Sink(pub Player);

/// An asynchronous one.
#[com_class(IAdviseSink2, ICallFactory)]
pub struct AsyncSink(pub Player);

/// The methods of a sink that is a [`Player`], which is its first field, and its end.
macro_rules! hears {
    ($object:ident, $made:ident) => {
        impl IAdviseSink_Impl for $made {
            unsafe fn OnDataChange(&self, _: *const FORMATETC, _: *const STGMEDIUM) {
                self.0.method("OnDataChange", None);
            }
            unsafe fn OnViewChange(&self, aspect: u32, _: i32) {
                self.0.method("OnViewChange", Some(aspect));
            }
            unsafe fn OnRename(&self, pmk: *mut c_void) {
                self.0.method("OnRename", is_there(pmk));
            }
            unsafe fn OnSave(&self) {
                self.0.method("OnSave", None);
            }
            unsafe fn OnClose(&self) {
                self.0.method("OnClose", None);
            }
        }

        impl IAdviseSink2_Impl for $made {
            unsafe fn OnLinkSrcChange(&self, pmk: *mut c_void) {
                self.0.method("OnLinkSrcChange", is_there(pmk));
            }
        }

        impl Drop for $object {
            fn drop(&mut self) {
                self.0.dropped();
            }
        }
    };
}
hears!(Sink, Sink_Impl);
hears!(AsyncSink, AsyncSink_Impl);

impl ICallFactory_Impl for AsyncSink_Impl {
    unsafe fn CreateCall(
        &self,
        riid: *const GUID,
        outer: *mut c_void,
        riid2: *const GUID,
        ppv: *mut *mut c_void,
    ) -> HRESULT {
        // SAFETY: the caller's pointers are valid.
        unsafe {
            match Halves::asked(&self.0, &*riid, &[AsyncIAdviseSink::IID, AsyncIAdviseSink2::IID]) {
                Ok(halves) => {
                    object::create_aggregated(SinkCall { halves, event: AutoInner::default() }, outer, riid2, ppv)
                }
                Err(hr) => hr,
            }
        }
    }
}

/// The asynchronous sink's call object.
#[com_class(AsyncIAdviseSink2, auto(ISynchronize = event : CLSID_ManualResetEvent))]
pub struct SinkCall {
    halves: Halves,
    event: AutoInner,
}

impl SinkCall_Impl {
    /// A sink cannot fail: what comes of a half is not told.
    fn begin(&self, method: &str, argument: Option<u32>) {
        let _ = self.halves.begin(self.query(), method, argument);
    }

    fn finish(&self, method: &str) {
        let _ = self.halves.finish(self.query(), method);
    }
}

impl AsyncIAdviseSink_Impl for SinkCall_Impl {
    unsafe fn Begin_OnDataChange(&self, _: *const FORMATETC, _: *const STGMEDIUM) {
        self.begin("Begin_OnDataChange", None);
    }
    unsafe fn Finish_OnDataChange(&self) {
        self.finish("Finish_OnDataChange");
    }
    unsafe fn Begin_OnViewChange(&self, aspect: u32, _: i32) {
        self.begin("Begin_OnViewChange", Some(aspect));
    }
    unsafe fn Finish_OnViewChange(&self) {
        self.finish("Finish_OnViewChange");
    }
    unsafe fn Begin_OnRename(&self, pmk: *mut c_void) {
        self.begin("Begin_OnRename", is_there(pmk));
    }
    unsafe fn Finish_OnRename(&self) {
        self.finish("Finish_OnRename");
    }
    unsafe fn Begin_OnSave(&self) {
        self.begin("Begin_OnSave", None);
    }
    unsafe fn Finish_OnSave(&self) {
        self.finish("Finish_OnSave");
    }
    unsafe fn Begin_OnClose(&self) {
        self.begin("Begin_OnClose", None);
    }
    unsafe fn Finish_OnClose(&self) {
        self.finish("Finish_OnClose");
    }
}

impl AsyncIAdviseSink2_Impl for SinkCall_Impl {
    unsafe fn Begin_OnLinkSrcChange(&self, pmk: *mut c_void) {
        self.begin("Begin_OnLinkSrcChange", is_there(pmk));
    }
    unsafe fn Finish_OnLinkSrcChange(&self) {
        self.finish("Finish_OnLinkSrcChange");
    }
}

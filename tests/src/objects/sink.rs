//! An advise sink: logs what it is told.

use super::Player;
use oleander::*;
use std::ffi::c_void;

/// What is logged of a moniker: 1 if there is one.
fn is_there(pmk: *mut c_void) -> Option<u32> {
    (!pmk.is_null()).then_some(1)
}

/// The sink.
#[com_class(IAdviseSink2)]
pub struct Sink(pub Player);

impl IAdviseSink_Impl for Sink_Impl {
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

impl IAdviseSink2_Impl for Sink_Impl {
    unsafe fn OnLinkSrcChange(&self, pmk: *mut c_void) {
        self.0.method("OnLinkSrcChange", is_there(pmk));
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.0.dropped();
    }
}

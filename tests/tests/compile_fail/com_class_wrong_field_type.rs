#![allow(unused_imports)]

use oleander::abi::hresult::S_OK;
use oleander::abi::interfaces::*;
use oleander::com_class;
use oleander::windows_core::{GUID, HRESULT};
use std::ffi::c_void;

#[com_class(ICallFactory, blind = inner)]
struct Notify {
    inner: u32,
}

impl ICallFactory_Impl for Notify_Impl {
    unsafe fn CreateCall(&self, _: *const GUID, _: *mut c_void, _: *const GUID, _: *mut *mut c_void) -> HRESULT {
        S_OK
    }
}

fn main() {}

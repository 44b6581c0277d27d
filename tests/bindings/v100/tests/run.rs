//! The bindings of `windows-bindgen` 0.100 against Oleander.

#[path = "../../scenario.rs"]
mod scenario;

use oleander_bindings_v100::bindings::{self, *};
use windows_core::{GUID, HRESULT, Interface};

/// Enters an STA.
fn initialize() {
    // SAFETY: no pointers.
    assert_eq!(unsafe { CoInitializeEx(None, 2) }.0, 0);
}

fn create_event(clsid: &GUID) -> ISynchronize {
    // SAFETY: valid arguments.
    unsafe { CoCreateInstance(clsid, None, 1) }.expect("a class of the system")
}

fn create_call(factory: &ICallFactory) -> AsyncIPipeByte {
    // SAFETY: valid arguments.
    unsafe { factory.CreateCall(&AsyncIPipeByte::IID, None) }.expect("the interface has a twin")
}

/// The bindings leave HRESULTs as they are.
fn code(hr: HRESULT) -> i32 {
    hr.0
}

//! The bindings of `windows-bindgen` 0.62 against Oleander.

#[path = "../../scenario.rs"]
mod scenario;

use oleander_bindings_v062::bindings::{self, *};
use windows_core::{GUID, Interface};

/// Enters an STA.
fn initialize() {
    // SAFETY: no pointers.
    assert_eq!(unsafe { CoInitializeEx(None, COINIT(2)) }.0, 0);
}

fn create_event(clsid: &GUID) -> ISynchronize {
    // SAFETY: valid arguments.
    unsafe { CoCreateInstance(clsid, None, CLSCTX(1)) }.expect("a class of the system")
}

fn create_call(factory: &ICallFactory) -> AsyncIPipeByte {
    // SAFETY: valid arguments.
    let made = unsafe { factory.CreateCall(&AsyncIPipeByte::IID, None, &AsyncIPipeByte::IID) };
    made.and_then(|call| call.cast()).expect("the interface has a twin")
}

/// The bindings make results of HRESULTs.
fn code(result: windows_core::Result<()>) -> i32 {
    result.map_or_else(|error| error.code().0, |()| 0)
}

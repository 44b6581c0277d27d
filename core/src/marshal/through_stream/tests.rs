//! Object references by the functions on streams, in the apartment that made them. The functions are the surface's, so it is the
//! same on the emulation.

use super::*;
use crate::abi::hresult::{CO_E_OBJNOTCONNECTED, CO_E_OBJNOTREG, E_NOINTERFACE};
use crate::abi::interfaces::{ICallFactory, ISynchronize, ISynchronize_Impl};
use crate::abi::types::{COINIT_MULTITHREADED, MSHCTX_INPROC};
use crate::com_class;
use crate::kernel;
use crate::platform::{self, Deadline, Why};
use crate::process::Process;
use crate::{CoInitializeEx, CoUninitialize};
use std::sync::mpsc;

#[com_class(ISynchronize)]
struct Gate;

impl ISynchronize_Impl for Gate_Impl {
    unsafe fn Wait(&self, _flags: u32, _ms: u32) -> HRESULT {
        S_OK
    }
    unsafe fn Signal(&self) -> HRESULT {
        S_OK
    }
    unsafe fn Reset(&self) -> HRESULT {
        S_OK
    }
}

/// Runs a test with an object in the MTA of a process of its own and sees that it leaves nothing behind.
fn with_object(test: fn(&IUnknown)) {
    let (send, left) = mpsc::channel();
    let thread = kernel::spawn_in(&Process::new(platform::host()), "test", false, move || {
        // SAFETY: the thread enters an apartment and leaves it.
        unsafe {
            assert_eq!(CoInitializeEx(ptr::null_mut(), COINIT_MULTITHREADED), S_OK);
            let gate: ISynchronize = Gate.into();
            test(&gate.cast().unwrap());
            drop(gate);
            CoUninitialize();
        }
        send.send(crate::debug::live_objects()).unwrap();
    });
    assert!(thread.ended.wait(Deadline::NEVER, Why::Wait));
    assert_eq!(left.recv(), Ok(0), "the test ended well and left nothing");
}

fn unmarshaled(bytes: &[u8]) -> Result<ISynchronize, HRESULT> {
    let mut raw = ptr::null_mut();
    // SAFETY: a place of our own, which a success fills with a counted pointer of the interface.
    unsafe {
        let hr = unmarshal(bytes, &ISynchronize::IID, &mut raw);
        if hr.is_ok() { Ok(ISynchronize::from_raw(raw)) } else { Err(hr) }
    }
}

#[test]
fn mrsh_05_06_a_reference_leads_home_and_is_used_up() {
    with_object(|object| {
        let mut bytes = vec![7; 3];
        assert_eq!(marshal(&ISynchronize::IID, object, MSHCTX_INPROC, &mut bytes), S_OK);
        assert_eq!(bytes[..3], [7; 3], "what stood there before stands there still");
        let reference = &bytes[3..];
        assert!(reference.len() <= size_max(&ISynchronize::IID, object, MSHCTX_INPROC) as usize);
        let back = unmarshaled(reference).unwrap();
        assert_eq!(back.cast::<IUnknown>().as_ref(), Ok(object));
        assert_eq!(unmarshaled(reference).err(), Some(CO_E_OBJNOTCONNECTED));
        assert_eq!(release(reference), CO_E_OBJNOTREG);
    });
}

#[test]
fn mrsh_04_a_reference_that_nobody_takes_is_given_back() {
    with_object(|object| {
        let mut bytes = Vec::new();
        assert_eq!(marshal(&ISynchronize::IID, object, MSHCTX_INPROC, &mut bytes), S_OK);
        assert_eq!(release(&bytes), S_OK);
        assert_eq!(unmarshaled(&bytes).err(), Some(CO_E_OBJNOTCONNECTED));
    });
}

#[test]
fn mrsh_02_an_interface_that_the_object_lacks_writes_nothing() {
    with_object(|object| {
        let mut bytes = Vec::new();
        assert_eq!(marshal(&ICallFactory::IID, object, MSHCTX_INPROC, &mut bytes), E_NOINTERFACE);
        assert_eq!(bytes, []);
    });
}

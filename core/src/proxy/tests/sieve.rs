//! One plain method, from the proxy to the stub and back, in both ways of calling and of serving.

use super::in_process;
use super::loopback::{Mode, Wire};
use crate::abi::hresult::*;
use crate::{async_interface, com_class};
use std::cell::Cell;
use windows_core::{ComObject, HRESULT, IUnknown, Interface};

#[async_interface(uuid = "7bc1f6a0-0001-4000-8000-000000000001", async_uuid = "7bc1f6a0-0001-4000-8000-000000000002")]
unsafe trait ISieve: IUnknown {
    fn CountPrimes(&self, #[idl(in)] lMax: u32, #[idl(out)] plResult: *mut u32) -> HRESULT;
}

/// Says how many calls it got, and fails when asked for 13.
#[com_class(ISieve, AsyncISieve)]
#[derive(Default)]
struct Sieve {
    calls: Cell<u32>,
    begun: Cell<u32>,
}

fn primes(max: u32) -> u32 {
    (2..=max).filter(|n| (2..*n).all(|d| n % d != 0)).count() as u32
}

impl ISieve_Impl for Sieve_Impl {
    unsafe fn CountPrimes(&self, max: u32, result: *mut u32) -> HRESULT {
        self.calls.set(self.calls.get() + 1);
        match max {
            13 => return E_ABORT,
            14 => panic!("a method that panics"),
            _ => {}
        }
        // SAFETY: the caller vouches for the pointer.
        unsafe { *result = primes(max) };
        S_FALSE
    }
}

impl AsyncISieve_Impl for Sieve_Impl {
    unsafe fn Begin_CountPrimes(&self, max: u32) -> HRESULT {
        self.begun.set(max);
        S_OK
    }

    unsafe fn Finish_CountPrimes(&self, result: *mut u32) -> HRESULT {
        // SAFETY: the caller vouches for the pointer.
        unsafe { *result = primes(self.begun.get()) };
        S_OK
    }
}

fn wire() -> (ComObject<Sieve>, Wire<ISieve>) {
    let server = ComObject::new(Sieve::default());
    let wire = Wire::new(&server.to_interface::<ISieve>().into());
    (server, wire)
}

#[test]
fn a_synchronous_call_carries_its_parameters_and_its_result() {
    in_process(|| {
        let (server, wire) = wire();
        let mut result = 0;
        // SAFETY: valid parameters.
        assert_eq!(unsafe { wire.proxy().CountPrimes(100, &mut result) }, S_FALSE, "MSG-08: success codes cross");
        assert_eq!((result, server.calls.get()), (25, 1));
        assert_eq!(*wire.channel.requests.borrow(), [(3, vec![100, 0, 0, 0])]);
        assert_eq!(*wire.channel.replies.borrow(), [[25, 0, 0, 0, 1, 0, 0, 0]]);
    });
}

#[test]
fn failures_leave_the_output_zero() {
    in_process(|| {
        let (server, wire) = wire();
        let call = |max, result: &mut u32| {
            *result = 99;
            // SAFETY: valid parameters.
            unsafe { wire.proxy().CountPrimes(max, result) }
        };
        let mut result = 0;
        assert_eq!((call(13, &mut result), result), (E_ABORT, 0), "MA-41");
        assert_eq!((call(14, &mut result), result), (RPC_E_SERVERFAULT, 0));
        assert_eq!(server.calls.get(), 2);
        for (mode, hr) in [
            (Mode::Unsendable, RPC_S_SERVER_UNAVAILABLE_HR),
            (Mode::Fails(RPC_E_DISCONNECTED), RPC_E_DISCONNECTED),
            (Mode::NoBuffer, E_OUTOFMEMORY),
        ] {
            wire.channel.mode.set(mode);
            assert_eq!((call(5, &mut result), result), (hr, 0), "{mode:?}");
        }
        assert_eq!(server.calls.get(), 2, "nothing arrived");
        wire.channel.mode.set(Mode::Truncated);
        assert_eq!((call(5, &mut result), result), (RPC_X_BAD_STUB_DATA_HR, 0));
    });
}

#[test]
fn a_null_ref_pointer_sends_nothing() {
    in_process(|| {
        let (server, wire) = wire();
        // SAFETY: null is what is tested.
        assert_eq!(unsafe { wire.proxy().CountPrimes(5, std::ptr::null_mut()) }, RPC_X_NULL_REF_POINTER_HR);
        assert_eq!(server.calls.get(), 0);
        assert!(wire.channel.requests.borrow().is_empty());
    });
}

#[test]
fn a_disconnected_proxy_or_stub_says_so() {
    in_process(|| {
        let (_server, wire) = wire();
        let mut result = 99;
        // SAFETY: valid parameters.
        unsafe {
            wire.stub.Disconnect();
            assert_eq!(wire.proxy().CountPrimes(5, &mut result), CO_E_OBJNOTCONNECTED);
            assert_eq!(wire.stub.CountRefs(), 0);
            wire.buffer.Disconnect();
            result = 99;
            assert_eq!((wire.proxy().CountPrimes(5, &mut result), result), (CO_E_OBJNOTCONNECTED, 0), "APT-22");
        }
    });
}

#[test]
fn call_25_an_asynchronous_call_resets_sends_signals_waits_and_finishes() {
    in_process(|| {
        let (server, wire) = wire();
        wire.channel.mode.set(Mode::Later);
        let (object, call) = wire.call::<AsyncISieve>();
        let mut result = 99;
        // SAFETY: valid parameters.
        unsafe {
            assert_eq!(call.Begin_CountPrimes(100), S_OK);
            assert_eq!(*object.script.log.borrow(), ["Reset"]);
            wire.channel.complete();
            assert_eq!(call.Finish_CountPrimes(&mut result), S_FALSE);
        }
        assert_eq!(*object.script.log.borrow(), ["Reset", "Signal", "Wait"]);
        assert_eq!((result, server.calls.get()), (25, 1));
        assert_eq!(*wire.channel.requests.borrow(), [(3, vec![100, 0, 0, 0])], "CALL-37: the same on the wire");
    });
}

#[test]
fn srv_20_the_four_combinations_give_the_same() {
    in_process(|| {
        let (server, wire) = wire();
        let (_object, call) = wire.call::<AsyncISieve>();
        for asynchronous_server in [false, true] {
            if asynchronous_server {
                let unknown: IUnknown = server.to_interface::<AsyncISieve>().into();
                wire.channel.server_call.replace(Some(unknown));
            }
            let (mut first, mut second) = (0, 0);
            // SAFETY: valid parameters.
            unsafe {
                assert!(wire.proxy().CountPrimes(30, &mut first).is_ok());
                assert_eq!(call.Begin_CountPrimes(30), S_OK);
                assert!(call.Finish_CountPrimes(&mut second).is_ok());
            }
            assert_eq!((first, second), (10, 10));
        }
        assert_eq!(server.calls.get(), 2);
        let requests = wire.channel.requests.borrow();
        assert!(requests.iter().all(|request| *request == requests[0]));
    });
}

#[test]
fn midl_06_begin_and_finish_are_at_2n_minus_3_and_2n_minus_2() {
    in_process(|| {
        let begin = std::mem::offset_of!(AsyncISieve_Vtbl, Begin_CountPrimes) / size_of::<usize>();
        let finish = std::mem::offset_of!(AsyncISieve_Vtbl, Finish_CountPrimes) / size_of::<usize>();
        assert_eq!((begin, finish), (2 * 3 - 3, 2 * 3 - 2));
        assert_eq!(AsyncISieve::IID, windows_core::GUID::from_u128(0x7bc1f6a0_0001_4000_8000_000000000002), "MIDL-01");
    });
}

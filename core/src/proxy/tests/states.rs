//! The state table of a call object (facts 6.0), at the level of its proxy.

// SAFETY of all calls in this file: the parameters are valid, or null where that is what is tested.
#![allow(clippy::undocumented_unsafe_blocks)]

use super::in_process;
use super::loopback::{CallObject, Mode, Wire};
use crate::abi::hresult::*;
use crate::abi::interfaces::{IAgileObject, IRpcProxyBuffer, ISynchronize};
use crate::{async_interface, com_class};
use proptest::prelude::*;
use std::cell::Cell;
use std::rc::Rc;
use windows_core::{ComObject, HRESULT, IUnknown, Interface};

#[async_interface(uuid = "7bc1f6a0-0003-4000-8000-000000000001", async_uuid = "7bc1f6a0-0003-4000-8000-000000000002")]
unsafe trait ICount: IUnknown {
    fn Next(&self, #[idl(out)] value: *mut u32) -> HRESULT;
    fn Add(&self, #[idl(in)] value: u32) -> HRESULT;
}

#[com_class(ICount)]
#[derive(Default)]
struct Counter {
    total: Cell<u32>,
}

impl ICount_Impl for Counter_Impl {
    unsafe fn Next(&self, value: *mut u32) -> HRESULT {
        self.total.set(self.total.get() + 1);
        unsafe { *value = self.total.get() };
        S_OK
    }
    unsafe fn Add(&self, value: u32) -> HRESULT {
        self.total.set(self.total.get() + value);
        S_OK
    }
}

/// Runs a test with a call object whose calls run when it waits.
fn with_call(test: impl FnOnce(&Wire<ICount>, &ComObject<CallObject>, &AsyncICount)) {
    in_process(|| {
        let server = ComObject::new(Counter::default());
        let wire = Wire::<ICount>::new(&server.to_interface::<ICount>().into());
        wire.channel.mode.set(Mode::Later);
        let (object, call) = wire.call::<AsyncICount>();
        test(&wire, &object, &call);
        wire.channel.complete();
        drop((call, object, wire));
    });
}

#[test]
fn call_18_finish_without_begin_is_complete() {
    with_call(|wire, object, call| unsafe {
        let mut value = 7;
        assert_eq!((call.Finish_Next(&mut value), value), (RPC_E_CALL_COMPLETE, 0));
        assert_eq!(call.Finish_Add(), RPC_E_CALL_COMPLETE);
        assert!(object.script.log.borrow().is_empty() && wire.channel.requests.borrow().is_empty());
    });
}

#[test]
fn call_14_call_15_begin_while_busy_is_pending_until_finish() {
    with_call(|wire, _, call| unsafe {
        let mut value = 0;
        assert_eq!(call.Begin_Next(), S_OK);
        assert_eq!(call.Begin_Next(), RPC_S_CALLPENDING);
        assert_eq!(call.Begin_Add(5), RPC_S_CALLPENDING);
        wire.channel.complete();
        assert_eq!(call.Begin_Add(5), RPC_S_CALLPENDING, "completed, but not finished");
        assert_eq!((call.Finish_Next(&mut value), value), (S_OK, 1));
        assert_eq!(call.Begin_Add(5), S_OK, "CALL-21");
        assert_eq!(call.Finish_Add(), S_OK);
        assert_eq!(wire.channel.requests.borrow().len(), 2);
    });
}

#[test]
fn call_19_call_20_finish_twice_or_of_another_method_is_complete() {
    with_call(|_, _, call| unsafe {
        let mut value = 0;
        assert_eq!(call.Begin_Next(), S_OK);
        assert_eq!(call.Finish_Add(), RPC_E_CALL_COMPLETE);
        assert_eq!((call.Finish_Next(&mut value), value), (S_OK, 1), "the running call is undisturbed");
        assert_eq!((call.Finish_Next(&mut value), value), (RPC_E_CALL_COMPLETE, 0));
    });
}

#[test]
fn cxl_07_finish_of_a_cancelled_call_gives_its_code_and_the_object_is_idle() {
    with_call(|wire, _, call| unsafe {
        wire.channel.mode.set(Mode::Fails(RPC_S_CALL_CANCELLED_HR));
        let mut value = 7;
        assert_eq!(call.Begin_Next(), S_OK);
        assert_eq!(call.Begin_Next(), RPC_S_CALLPENDING, "CXL-08");
        assert_eq!((call.Finish_Next(&mut value), value), (RPC_S_CALL_CANCELLED_HR, 0));
        wire.channel.mode.set(Mode::Later);
        assert_eq!(call.Begin_Next(), S_OK);
        assert_eq!(call.Finish_Next(&mut value), S_OK);
    });
}

#[test]
fn agg_06_a_reset_that_fails_sends_nothing() {
    with_call(|wire, object, call| unsafe {
        object.script.reset.set(E_ACCESSDENIED);
        assert_eq!(call.Begin_Add(1), E_ACCESSDENIED);
        assert!(wire.channel.requests.borrow().is_empty());
        assert_eq!(wire.channel.buffers.get(), 0);
        assert_eq!(call.Finish_Add(), RPC_E_CALL_COMPLETE);
        object.script.reset.set(S_OK);
        assert_eq!(call.Begin_Add(1), S_OK, "the call object is idle");
        assert_eq!(call.Finish_Add(), S_OK);
    });
}

#[test]
fn agg_07_a_wait_that_fails_leaves_the_call_pending() {
    with_call(|_, object, call| unsafe {
        let mut value = 7;
        assert_eq!(call.Begin_Next(), S_OK);
        object.script.wait.set(E_NOTIMPL);
        assert_eq!((call.Finish_Next(&mut value), value), (E_NOTIMPL, 0));
        assert_eq!(call.Begin_Next(), RPC_S_CALLPENDING);
        object.script.wait.set(S_OK);
        assert_eq!((call.Finish_Next(&mut value), value), (S_OK, 1));
    });
}

#[test]
fn a_null_ref_pointer_in_finish_leaves_the_call_pending() {
    with_call(|_, object, call| unsafe {
        let mut value = 0;
        assert_eq!(call.Begin_Next(), S_OK);
        assert_eq!(call.Finish_Next(std::ptr::null_mut()), RPC_X_NULL_REF_POINTER_HR);
        assert_eq!(*object.script.log.borrow(), ["Reset"], "nothing was consumed");
        assert_eq!((call.Finish_Next(&mut value), value), (S_OK, 1));
    });
}

#[test]
fn a_request_that_cannot_be_sent_leaves_the_object_idle() {
    with_call(|wire, _, call| unsafe {
        wire.channel.mode.set(Mode::Unsendable);
        assert_eq!(call.Begin_Next(), RPC_S_SERVER_UNAVAILABLE_HR);
        assert_eq!(call.Finish_Next(&mut 0), RPC_E_CALL_COMPLETE);
        wire.channel.mode.set(Mode::NoBuffer);
        assert_eq!(call.Begin_Next(), E_OUTOFMEMORY);
        wire.channel.mode.set(Mode::Later);
        assert_eq!(call.Begin_Next(), S_OK);
        assert_eq!(call.Finish_Next(&mut 0), S_OK);
    });
}

#[test]
fn a_signal_before_its_time_leaves_the_call_pending() {
    with_call(|wire, object, call| unsafe {
        let mut value = 7;
        assert_eq!(call.Begin_Next(), S_OK);
        let sync: ISynchronize = object.to_interface();
        assert_eq!(sync.Signal(), S_OK);
        assert_eq!((call.Finish_Next(&mut value), value), (RPC_S_CALLPENDING, 0));
        wire.channel.complete();
        assert_eq!((call.Finish_Next(&mut value), value), (S_OK, 1));
    });
}

#[test]
fn call_25_agg_11_finish_from_inside_signal_before_begin_returns() {
    with_call(|wire, object, call| {
        wire.channel.mode.set(Mode::AtOnce);
        let seen = Rc::new(Cell::new((HRESULT(0), 0)));
        let (inside, again) = (call.clone(), seen.clone());
        object.on_signal.replace(Some(Box::new(move || unsafe {
            let mut value = 0;
            again.set((inside.Finish_Next(&mut value), value));
            // The call object is free for the next call at once.
            assert_eq!(inside.Begin_Add(10), S_OK);
        })));
        assert_eq!(unsafe { call.Begin_Next() }, S_OK);
        assert_eq!(seen.get(), (S_OK, 1));
        assert_eq!(unsafe { call.Finish_Add() }, S_OK);
    });
}

#[test]
fn call_30_the_last_release_with_a_reply_in_gives_the_reply_back() {
    in_process(|| {
        let server = ComObject::new(Counter::default());
        let wire = Wire::<ICount>::new(&server.to_interface::<ICount>().into());
        let (object, call) = wire.call::<AsyncICount>();
        assert_eq!(unsafe { call.Begin_Next() }, S_OK);
        drop((call, object));
        assert_eq!(server.total.get(), 1, "it ran");
        drop(wire);
    });
}

#[test]
fn a_disconnected_call_object_is_not_connected() {
    with_call(|_, object, call| unsafe {
        let mut inner = std::ptr::null_mut();
        assert_eq!(object.inner.query_raw(&IRpcProxyBuffer::IID, &mut inner), S_OK);
        let buffer = IRpcProxyBuffer::from_raw(inner);
        buffer.Disconnect();
        assert_eq!(call.Begin_Next(), CO_E_OBJNOTCONNECTED);
        assert_eq!(call.Finish_Next(&mut 0), RPC_E_CALL_COMPLETE);
    });
}

#[test]
fn agg_02_chn_02_the_inner_call_factory_makes_inner_objects_only() {
    with_call(|wire, object, _| unsafe {
        use crate::abi::interfaces::ICallFactory;
        let factory: ICallFactory = wire.buffer.cast().expect("the interface has a twin");
        let outer: IUnknown = object.to_interface::<ISynchronize>().into();
        let mut made = std::ptr::dangling_mut();
        let (iid, unknown) = (AsyncICount::IID, IUnknown::IID);
        assert_eq!(factory.CreateCall(&iid, outer.as_raw(), &iid, &mut made), CLASS_E_NOAGGREGATION);
        assert!(made.is_null(), "CALL-06");
        assert_eq!(factory.CreateCall(&ICount::IID, outer.as_raw(), &unknown, &mut made), E_NOINTERFACE, "CALL-03");
        assert_eq!(factory.CreateCall(&iid, std::ptr::null_mut(), &unknown, &mut made), E_INVALIDARG);
        assert_eq!(factory.CreateCall(&iid, outer.as_raw(), &unknown, std::ptr::null_mut()), E_INVALIDARG, "CALL-04");
        assert!(wire.proxy().cast::<ICallFactory>().is_err(), "only the proxy manager offers it to clients");
        assert!(wire.proxy().cast::<IAgileObject>().is_ok(), "the typed interface is the outer object's");
    });
}

/// One step of a random client.
#[derive(Clone, Copy, Debug)]
enum Step {
    BeginNext,
    BeginAdd,
    FinishNext,
    FinishAdd,
    FinishNull,
    Complete,
    Break(bool),
    Deny(bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        Just(Step::BeginNext),
        Just(Step::BeginAdd),
        Just(Step::FinishNext),
        Just(Step::FinishAdd),
        Just(Step::FinishNull),
        Just(Step::Complete),
        any::<bool>().prop_map(Step::Break),
        any::<bool>().prop_map(Step::Deny),
    ];
    proptest::collection::vec(step, 0..40)
}

/// What the state table says: which method is pending, and what the server's counter is.
#[derive(Default)]
struct Model {
    pending: Option<(bool, bool)>,
    value: u32,
    broken: bool,
    denied: bool,
}

impl Model {
    fn begin(&mut self, is_next: bool) -> HRESULT {
        if self.pending.is_some() {
            return RPC_S_CALLPENDING;
        }
        if self.denied {
            return E_ACCESSDENIED;
        }
        if self.broken {
            return RPC_S_SERVER_UNAVAILABLE_HR;
        }
        self.pending = Some((is_next, false));
        S_OK
    }

    fn complete(&mut self) {
        if let Some((is_next, done @ false)) = &mut self.pending {
            *done = true;
            self.value += if *is_next { 1 } else { 10 };
        }
    }

    fn finish(&mut self, is_next: bool) -> (HRESULT, u32) {
        match self.pending {
            Some((pending, _)) if pending == is_next => {
                self.complete();
                self.pending = None;
                (S_OK, if is_next { self.value } else { 0 })
            }
            _ => (RPC_E_CALL_COMPLETE, 0),
        }
    }
}

fn run(steps: &[Step]) {
    with_call(|wire, object, call| {
        let mut model = Model::default();
        for step in steps {
            let mut value = 7;
            match *step {
                Step::BeginNext => assert_eq!(unsafe { call.Begin_Next() }, model.begin(true)),
                Step::BeginAdd => assert_eq!(unsafe { call.Begin_Add(10) }, model.begin(false)),
                Step::FinishNext => {
                    let hr = unsafe { call.Finish_Next(&mut value) };
                    assert_eq!((hr, value), model.finish(true));
                }
                Step::FinishAdd => assert_eq!((unsafe { call.Finish_Add() }, 0), model.finish(false)),
                Step::FinishNull => {
                    let pending = matches!(model.pending, Some((true, _)));
                    let expected = if pending { RPC_X_NULL_REF_POINTER_HR } else { RPC_E_CALL_COMPLETE };
                    assert_eq!(unsafe { call.Finish_Next(std::ptr::null_mut()) }, expected);
                }
                Step::Complete => {
                    wire.channel.complete();
                    model.complete();
                }
                Step::Break(broken) => {
                    wire.channel.mode.set(if broken { Mode::Unsendable } else { Mode::Later });
                    model.broken = broken;
                }
                Step::Deny(denied) => {
                    object.script.reset.set(if denied { E_ACCESSDENIED } else { S_OK });
                    model.denied = denied;
                }
            }
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 4 } else { 512 }))]

    #[test]
    fn any_sequence_of_halves_follows_the_state_table(steps in steps()) {
        run(&steps);
    }
}

//! The state table of call objects (facts section 6.0) as a model, and what plays sequences of calls on both: on host threads and
//! in the simulator. What is asked of the model is what the facts say, and the rulings where they say nothing.

use crate::support::probe::*;
use crate::support::*;
use oleander::kernel::Event;
use oleander::windows_core::HRESULT;
use oleander::*;
use proptest::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A method of the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Double,
    Label,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Begin(Method),
    Finish(Method),
    /// `Wait(COWAIT_DEFAULT, 0)`.
    Poll,
    Cancel,
    TestCancel,
    /// The server is let go on, and its reply is in.
    Complete,
    /// The call object is released, and another one made.
    Release,
}

pub const OPS: [Op; 9] = [
    Op::Begin(Method::Double),
    Op::Begin(Method::Label),
    Op::Finish(Method::Double),
    Op::Finish(Method::Label),
    Op::Poll,
    Op::Cancel,
    Op::TestCancel,
    Op::Complete,
    Op::Release,
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Idle,
    Pending(Method),
    Completed(Method),
    Cancelled(Method),
}

/// The table of section 6.0, with the rulings where it says unknown.
#[derive(Clone, Copy, Debug)]
struct Model {
    state: State,
    signalled: bool,
}

impl Model {
    const NEW: Self = Self { state: State::Idle, signalled: false };

    fn step(&mut self, op: Op) -> HRESULT {
        use State::*;
        match (op, self.state) {
            (Op::Begin(method), Idle) => {
                *self = Self { state: Pending(method), signalled: false };
                S_OK
            }
            // CALL-14, CALL-15, CXL-08
            (Op::Begin(_), _) => RPC_S_CALLPENDING,
            // CALL-18 to CALL-20
            (Op::Finish(_), Idle) => RPC_E_CALL_COMPLETE,
            (Op::Finish(method), Pending(begun) | Completed(begun) | Cancelled(begun)) if method != begun => {
                RPC_E_CALL_COMPLETE
            }
            // CALL-16, CALL-17
            (Op::Finish(_), Pending(_) | Completed(_)) => {
                *self = Self { state: Idle, signalled: true };
                S_OK
            }
            // CXL-07
            (Op::Finish(_), Cancelled(_)) => {
                self.state = Idle;
                RPC_S_CALL_CANCELLED_HR
            }
            // CALL-27 to CALL-29, CXL-10
            (Op::Poll, _) if self.signalled => S_OK,
            (Op::Poll, _) => RPC_S_CALLPENDING,
            // CXL-01, CXL-04, CXL-05, CXL-12
            (Op::Cancel, Pending(method)) => {
                *self = Self { state: Cancelled(method), signalled: true };
                S_OK
            }
            (Op::Cancel, Cancelled(_)) => RPC_E_CALL_CANCELED,
            (Op::Cancel, Idle | Completed(_)) => RPC_E_CALL_COMPLETE,
            // CXL-16, CXL-22
            (Op::TestCancel, Pending(_)) => RPC_S_CALLPENDING,
            (Op::TestCancel, Cancelled(_)) => RPC_E_CALL_CANCELED,
            (Op::TestCancel, Idle | Completed(_)) => RPC_E_CALL_COMPLETE,
            (Op::Complete, Pending(method)) => {
                *self = Self { state: Completed(method), signalled: true };
                S_OK
            }
            (Op::Complete, _) => S_OK,
            (Op::Release, _) => {
                *self = Self::NEW;
                S_OK
            }
        }
    }
}

/// The call object under test, with the gate of the call that the server has.
struct Real<'a> {
    scene: &'a Scene,
    caller: Caller,
    held: Option<(u32, Arc<Event>)>,
    numbers: &'a AtomicU32,
}

impl<'a> Real<'a> {
    fn new(scene: &'a Scene, numbers: &'a AtomicU32) -> Self {
        Self { scene, caller: scene.caller(), held: None, numbers }
    }

    fn begin(&mut self, method: Method) -> HRESULT {
        let n = self.numbers.fetch_add(1, Ordering::Relaxed);
        let gate = self.scene.script.hold(n);
        let hr = match method {
            Method::Double => self.caller.begin(n),
            Method::Label => self.caller.begin_label(n),
        };
        if hr == S_OK {
            self.held = Some((n, gate));
        }
        hr
    }

    fn finish(&mut self, before: State, method: Method) -> HRESULT {
        if before == State::Pending(method) {
            // It blocks, or not: the server is faster or slower.
            let (_, gate) = self.held.as_ref().expect("a call is pending");
            gate.set();
        }
        let hr = match method {
            Method::Double => {
                let (hr, twice) = self.caller.finish();
                if hr == S_OK {
                    let (n, _) = self.held.as_ref().expect("a call was begun");
                    assert_eq!(twice, 2 * n);
                }
                hr
            }
            Method::Label => self.caller.finish_label(),
        };
        if hr != RPC_E_CALL_COMPLETE {
            self.let_server_go(hr == RPC_S_CALL_CANCELLED_HR);
        }
        hr
    }

    /// The server ends its call; one that was given up learns of it (CALL-30, CALL-32).
    fn let_server_go(&mut self, given_up: bool) {
        let Some((n, gate)) = self.held.take() else { return };
        gate.set();
        if given_up {
            self.scene.log().pump_for(&format!("cancelled {n}"));
        }
    }

    fn step(&mut self, before: State, op: Op) -> HRESULT {
        match op {
            Op::Begin(method) => self.begin(method),
            Op::Finish(method) => self.finish(before, method),
            Op::Poll => self.caller.wait(0),
            Op::Cancel => self.caller.cancel(0),
            Op::TestCancel => self.caller.test(),
            Op::Complete => {
                if let (State::Pending(_), Some((_, gate))) = (before, &self.held) {
                    gate.set();
                    assert_eq!(self.caller.wait(INFINITE), S_OK);
                }
                S_OK
            }
            Op::Release => {
                self.caller = self.scene.caller();
                self.let_server_go(matches!(before, State::Pending(_) | State::Cancelled(_)));
                S_OK
            }
        }
    }
}

pub fn play(scene: &Scene, numbers: &AtomicU32, ops: &[Op]) {
    let (mut model, mut real) = (Model::NEW, Real::new(scene, numbers));
    for (at, &op) in ops.iter().enumerate() {
        let before = model.state;
        let (expected, found) = (model.step(op), real.step(before, op));
        assert_eq!(found, expected, "step {at} of {ops:?} in {before:?}");
    }
    let last = model.state;
    assert_eq!(real.step(last, Op::Release), S_OK);
}

pub fn ops() -> impl Strategy<Value = Vec<Op>> {
    proptest::collection::vec(proptest::sample::select(OPS.to_vec()), 1..60)
}

/// Two STAs, a call object each, one server, in an emulated process that is there.
#[track_caller]
pub fn play_two(first: Vec<Op>, second: Vec<Op>) {
    let numbers = Arc::new(AtomicU32::new(1));
    // In an STA a call that one of them holds would hold the other's up.
    let host = Server::start(Kind::Mta, Flavour::Sync);
    let clients = [first, second].map(|ops| {
        let (apt, packet) = (Apt::sta(), host.packet());
        let (script, numbers) = (host.script.clone(), numbers.clone());
        let running = apt.begin(move || {
            let scene = Scene { client: Kind::Sta, server: Kind::Mta, probe: packet.unpack(), script };
            play(&scene, &numbers, &ops);
        });
        (apt, running)
    });
    for (apt, running) in clients {
        running.join();
        apt.stop();
    }
    host.stop();
}

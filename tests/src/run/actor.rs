//! Actors: threads that do what the row tells them, one step at a time.
//!
//! An actor waits for its bell, a kernel event, the way its kind does: an STA with a message loop, so that calls into it
//! are served between its steps; everybody else without dispatching. The step lies in `next` when the bell rings; what
//! came of it lies in `outcome` when `done` is set.

use super::Value;
use super::neutral::Neutral;
use super::stage::{Done, Inside, Outcome, Stage, lock};
use crate::backend::Joiner;
use crate::case::{Kind, What};
use oleander::*;
use std::ptr::null_mut;
use std::sync::{Arc, Mutex};

/// What an actor is told.
enum Order {
    /// To run a step of the row.
    Step(usize),
    /// To dispatch messages from here on, between its steps, too.
    Dispatch,
    /// To leave.
    Leave,
}

/// What an actor and the director share.
struct Desk {
    stage: Arc<Stage>,
    name: String,
    kind: Kind,
    bell: HANDLE,
    done: HANDLE,
    next: Mutex<Option<Order>>,
    outcome: Mutex<Option<Outcome>>,
}

/// An actor as the director has it.
pub struct Actor {
    desk: Arc<Desk>,
    thread: Box<dyn Joiner>,
}

/// A new event of the machinery's own, which one wait resets.
pub fn event() -> HANDLE {
    // SAFETY: no name, no attributes.
    unsafe { CreateEventW(null_mut(), false.into(), false.into(), null_mut()) }
}

impl Actor {
    /// Starts an actor and waits until it is in its apartment.
    pub fn start(stage: &Arc<Stage>, kind: Kind, name: &str) -> Result<Self, String> {
        let desk = Arc::new(Desk {
            stage: stage.clone(),
            name: name.to_owned(),
            kind,
            bell: event(),
            done: event(),
            next: Mutex::default(),
            outcome: Mutex::default(),
        });
        let inner = desk.clone();
        let thread = stage.backend.start(name, Box::new(move || inner.live()));
        let actor = Self { desk, thread };
        actor.wait()?.map(drop)?;
        Ok(actor)
    }

    /// Has the actor run a step.
    pub fn tell(&self, step: usize) {
        self.order(Order::Step(step));
    }

    fn order(&self, order: Order) {
        *lock(&self.desk.next) = Some(order);
        // SAFETY: a handle of ours.
        let _ = unsafe { SetEvent(self.desk.bell) };
    }

    /// Whether what the actor was told is done.
    pub fn is_done(&self) -> bool {
        lock(&self.desk.outcome).is_some()
    }

    /// Waits until what the actor was told is done.
    pub fn wait(&self) -> Result<Outcome, String> {
        let backend = &self.desk.stage.backend;
        let hang_ms = backend.hang_ms();
        // SAFETY: a handle of ours.
        let wait = |ms| unsafe { WaitForSingleObject(self.desk.done, ms) };
        let mut came = wait(hang_ms);
        if came == WAIT_TIMEOUT {
            backend.more_turns();
            came = wait(0);
        }
        match came {
            WAIT_OBJECT_0 => lock(&self.desk.outcome).take().ok_or_else(|| "done with nothing".to_owned()),
            _ => Err(format!("`{}` hangs: it was not done after {hang_ms} ms", self.desk.name)),
        }
    }

    /// The row is over: from here on the actor serves the calls of those that leave before it.
    pub fn dispatch(&self) {
        if self.desk.kind == Kind::StillSta {
            self.order(Order::Dispatch);
        }
    }

    /// Has the actor leave, without waiting for it.
    pub fn leave(&self) {
        self.order(Order::Leave);
    }

    /// Whether its thread has ended.
    pub fn has_ended(&self) -> bool {
        self.thread.has_ended()
    }

    /// Waits until its thread has ended.
    pub fn join(&self) -> Result<(), String> {
        let backend = &self.desk.stage.backend;
        let came = self.thread.join(backend.hang_ms()) || {
            backend.more_turns();
            self.thread.join(0)
        };
        if !came {
            return Err(format!("`{}` hangs: it was told to leave", self.desk.name));
        }
        // SAFETY: handles of ours that nobody uses any more.
        unsafe {
            let _ = CloseHandle(self.desk.bell);
            let _ = CloseHandle(self.desk.done);
        }
        Ok(())
    }
}

impl Desk {
    /// The actor's thread.
    fn live(&self) {
        self.stage.enter(&self.name);
        let mut neutral = None;
        let entered = self.enter(&mut neutral);
        self.is_done(entered);
        let mut dispatches = matches!(self.kind, Kind::Sta | Kind::ApplicationSta);
        loop {
            self.wait_for_bell(dispatches);
            let order = lock(&self.next).take();
            match order {
                Some(Order::Step(index)) => {
                    let outcome = match &neutral {
                        Some(neutral) => neutral.run(|| self.step(index)).and_then(|outcome| outcome),
                        None => self.step(index),
                    };
                    self.is_done(outcome);
                }
                Some(Order::Dispatch) => dispatches = true,
                Some(Order::Leave) => break,
                None => {}
            }
        }
        match neutral.take() {
            Some(neutral) => _ = neutral.run(|| self.stage.give_back(&self.name)),
            None => self.stage.give_back(&self.name),
        }
        self.uninitialize();
    }

    fn is_done(&self, outcome: Outcome) {
        *lock(&self.outcome) = Some(outcome);
        self.stage.backend.heard();
        // SAFETY: a handle of ours.
        let _ = unsafe { SetEvent(self.done) };
    }

    fn enter(&self, neutral: &mut Option<Neutral>) -> Outcome {
        // SAFETY: null as documented.
        let initialize = |model| unsafe { CoInitializeEx(null_mut(), model) };
        let hr = match self.kind {
            Kind::Sta | Kind::StillSta => initialize(COINIT_APARTMENTTHREADED),
            Kind::ApplicationSta if !self.stage.backend.has_application_stas() => {
                return Err("there is no application STA to be had".to_owned());
            }
            Kind::ApplicationSta => apartment::enter_application_sta(),
            Kind::Mta | Kind::Neutral => initialize(COINIT_MULTITHREADED),
            Kind::Bare | Kind::Implicit => return self.check_outside(),
            Kind::Client | Kind::Server => return Err("an actor of a way is in an apartment".to_owned()),
        };
        if hr != S_OK {
            return Err(format!("entering gave {}", Value::Hr(hr)));
        }
        self.stage.initialized(&self.name);
        if self.kind == Kind::Neutral {
            *neutral = Some(Neutral::find()?);
        }
        Ok(Done { results: Vec::new(), took_ns: 0 })
    }

    /// An implicit MTA thread needs an MTA.
    fn check_outside(&self) -> Outcome {
        let (mut kind, mut qualifier) = (0, 0);
        // SAFETY: valid pointers.
        let hr = unsafe { CoGetApartmentType(&mut kind, &mut qualifier) };
        if self.kind == Kind::Implicit && (hr, qualifier) != (S_OK, APTTYPEQUALIFIER_IMPLICIT_MTA) {
            return Err("there is no MTA that the thread could be in implicitly".to_owned());
        }
        Ok(Done { results: Vec::new(), took_ns: 0 })
    }

    fn wait_for_bell(&self, dispatches: bool) {
        if !dispatches {
            // SAFETY: a handle of ours.
            unsafe { WaitForSingleObject(self.bell, INFINITE) };
            return;
        }
        loop {
            // SAFETY: one handle of ours.
            let got = unsafe { MsgWaitForMultipleObjectsEx(1, &self.bell, INFINITE, QS_ALLINPUT, MWMO_INPUTAVAILABLE) };
            if got != WAIT_OBJECT_0 + 1 {
                return;
            }
            let mut message = MSG::default();
            // SAFETY: a valid message.
            while unsafe { PeekMessageW(&mut message, HWND::NULL, 0, 0, PM_REMOVE) }.as_bool() {
                // SAFETY: as above.
                unsafe { DispatchMessageW(&message) };
            }
        }
    }

    fn step(&self, index: usize) -> Outcome {
        let step = &self.stage.row.steps[index];
        match &step.what {
            What::Do(_, _, action) => self.stage.run(action, &action.expected, &self.name, &mut Inside::default()),
            _ => Err("not a step of an actor".to_owned()),
        }
    }

    /// Balances what the actor and its steps have initialised.
    fn uninitialize(&self) {
        while self.stage.balance(&self.name) {
            // SAFETY: it balances an initialisation of this thread.
            unsafe { CoUninitialize() };
        }
    }
}

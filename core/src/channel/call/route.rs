//! How the client learns that its call is decided: its event, or the outer object's Signal in the right apartment.
//!
//! The route lies in the call's body. Whoever wins the decision takes it out and tells ([`Call::signal`]); an outer object
//! of another apartment stays in the call until a task has carried the Signal there, or until that apartment ends and lets
//! it go. Nothing is told and nothing is dropped under the body's lock.

use super::{Buffer, Call, Failure};
use crate::abi::interfaces::ISynchronize;
use crate::apartment::{Apartment, Scope, Stay};
use crate::channel::away::Away;
use crate::kernel::{self, Event, Task};
use crate::platform::sync::Mutex;
use crate::platform::{self, Fact};
use crate::process::Process;
use std::sync::Arc;
use windows_core::HRESULT;

/// How the client learns that the call is decided.
#[derive(Default)]
pub(crate) enum Route {
    /// It waits for `done` (a synchronous call).
    #[default]
    Wait,
    /// The call object's own event.
    Own(Arc<Event>),
    /// Somebody's `ISynchronize`, signalled in its apartment, or wherever the call is decided when it is agile (AGG-09).
    Outer(Box<Outer>),
    /// Another process, of whose call this one is the twin.
    Away(Box<Away>),
}

impl Route {
    /// The apartment of the outer object that will be told, if one will; none for an agile one.
    fn home(&self) -> Option<Option<Arc<Apartment>>> {
        match self {
            Self::Outer(outer) => Some(outer.home.clone()),
            Self::Wait | Self::Own(_) | Self::Away(_) => None,
        }
    }
}

/// An outer object's `ISynchronize`.
pub(crate) struct Outer {
    pub(crate) sync: ISynchronize,
    /// Its apartment; `None` for an agile object.
    pub(crate) home: Option<Arc<Apartment>>,
    /// Where the call stands among those with an outer object of that apartment.
    pub(crate) place: usize,
    /// The inner call object's event.
    pub(crate) own: Arc<Event>,
}

// SAFETY: the ISynchronize inside is only called in its own apartment, or when its object said that it is agile; what
// travels between threads is the counted pointer.
unsafe impl Send for Outer {}

impl Call {
    /// Completes a call inside its Begin_: it could not be sent, or its result is there already. An outer object is never
    /// signalled inside Begin_: its apartment does that, from its queue, or for an agile one the process's pool.
    pub(crate) fn complete_later(self: &Arc<Self>, reply: Result<Buffer, Failure>) {
        let home = self.outer_home();
        let task = Arc::new(CompleteTask { call: self.clone(), reply: Mutex::new(Some(reply)) });
        match home {
            None => task.run(),
            Some(None) => kernel::queue_work_item(move || task.run()),
            Some(Some(home)) => {
                if let Err(task) = home.deliver(task) {
                    task.run();
                }
            }
        }
    }

    /// Completes a call of a process from wherever its answer came: what runs code of that process, or reads bytes for it, is
    /// done by its pool, or in the outer object's apartment.
    pub(crate) fn complete_from_afar(self: &Arc<Self>, client: &Arc<Process>, reply: Result<Buffer, Failure>) {
        let aside = match self.outer_home() {
            None => reply.is_ok() && self.is_decided(),
            Some(None) => true,
            Some(Some(home)) if home.is_current() => return self.complete_later(reply),
            Some(Some(_)) => false,
        };
        if !aside {
            return self.complete(reply);
        }
        let task = Arc::new(CompleteTask { call: self.clone(), reply: Mutex::new(Some(reply)) });
        kernel::queue_work_item_in(client, move || task.run());
    }

    /// [`Route::home`] of this call.
    fn outer_home(&self) -> Option<Option<Arc<Apartment>>> {
        self.body.lock().route.home()
    }

    /// Nobody is to be told. Runs in the apartment of whoever it was.
    pub(in crate::channel) fn forget_route(&self) {
        drop(self.take_route());
    }

    pub(super) fn take_route(&self) -> Route {
        let route = std::mem::take(&mut self.body.lock().route);
        if let Route::Outer(outer) = &route
            && let Some(home) = &outer.home
        {
            home.outers.remove(self, outer.place);
        }
        route
    }

    /// Tells the client. The caller has won the decision and holds a reference.
    pub(super) fn signal(self: &Arc<Self>) {
        let route = {
            let mut body = self.body.lock();
            match body.route.home().flatten() {
                Some(home) => Err(home),
                None => Ok(std::mem::take(&mut body.route)),
            }
        };
        let route = match route {
            Ok(route) => route,
            Err(home) if home.is_current() => self.take_route(),
            Err(home) => {
                self.done.set();
                // The outer object stays with the call; where its apartment has ended, that lets it go.
                let _ = home.deliver(Arc::new(SignalTask(self.clone())));
                return;
            }
        };
        if let Route::Away(away) = route {
            return away.tell(self);
        }
        self.done.set();
        self.tell(route);
    }

    /// In the right apartment.
    fn tell(&self, route: Route) {
        match route {
            Route::Wait | Route::Away(_) => {}
            Route::Own(event) => {
                platform::tell(|| Fact::Told(self.object()));
                event.set();
            }
            Route::Outer(outer) => {
                platform::tell(|| Fact::Told(self.object()));
                // SAFETY: this is the apartment of the outer object, or the object is agile.
                let hr = unsafe { outer.sync.Signal() };
                if hr.is_err() {
                    self.signal_failed(hr, &outer);
                }
            }
        }
    }

    /// Nobody may wait for ever on an outer object that does not do its part: Finish_ gets the code (AGG-06), unless one
    /// that the outer woke has had the result already.
    fn signal_failed(&self, hr: HRESULT, outer: &Outer) {
        let late = {
            let mut body = self.body.lock();
            body.signal_failure = Some(hr);
            body.received
        };
        if !late {
            outer.own.set();
        }
    }
}

/// A call that is complete, on its way to the apartment that hears of it.
struct CompleteTask {
    call: Arc<Call>,
    reply: Mutex<Option<Result<Buffer, Failure>>>,
}

impl Task for CompleteTask {
    fn run(self: Arc<Self>) {
        let reply = self.reply.lock().take();
        if let Some(reply) = reply {
            let scope = Scope::of_machinery();
            self.call.complete(reply);
            drop(scope);
        }
    }

    fn abandon(self: Arc<Self>) {
        self.run();
    }
}

/// The Signal of an outer object, on its way to the outer's apartment. The route is still in the call.
struct SignalTask(Arc<Call>);

impl Task for SignalTask {
    fn run(self: Arc<Self>) {
        let route = self.0.take_route();
        let stay = Stay::for_task(|| route.home().flatten());
        let scope = Scope::of_machinery();
        self.0.tell(route);
        drop(scope);
        drop(stay);
    }

    fn abandon(self: Arc<Self>) {
        // The apartment takes nothing more, but the outer is still there: what has come is told (APT-24).
        self.run();
    }
}

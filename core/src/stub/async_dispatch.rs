//! Asynchronous servers: the stub begins a call on the object's own call object and replies when that is signalled.
//!
//! The first call asks the object for `ICallFactory` (SRV-01); an object without it is served synchronously for good.
//! Each call takes an idle call object or has a new one made (SRV-16); where none is to be had, that call is served
//! synchronously (SRV-03). From `Begin_` until the reply the call object stands in the apartment's table of begun calls.

use super::StubEntry;
use crate::abi::interfaces::ICallFactory;
use crate::abi::types::RPCOLEMESSAGE;
use crate::apartment::Scope;
use crate::call::ServerCall;
use crate::channel::Call;
use crate::proxy::info::AsyncInfo;
use crate::stub::manager::Home;
use parking_lot::Mutex;
use std::sync::Arc;
use windows_core::{ComObject, Interface};

#[derive(Default)]
enum Support {
    #[default]
    Unknown,
    No,
    Yes(Arc<Home<ICallFactory>>, &'static AsyncInfo),
}

/// How one interface stub serves calls asynchronously.
pub(crate) struct AsyncServer {
    state: Mutex<Home<State>>,
}

impl Default for AsyncServer {
    fn default() -> Self {
        Self { state: Mutex::new(Home(State::default())) }
    }
}

#[derive(Default)]
struct State {
    support: Support,
    idle: Vec<ComObject<ServerCall>>,
}

impl AsyncServer {
    /// Begins a call if the object serves asynchronously; false when it has to be served synchronously.
    pub(super) fn begin(&self, entry: &Arc<StubEntry>, call: &Arc<Call>, message: &RPCOLEMESSAGE) -> bool {
        let Some((factory, info)) = self.support(entry, call) else { return false };
        let idle = self.state.lock().0.idle.pop();
        let made = idle.or_else(|| ServerCall::create(&factory.0, info, call, entry));
        // It holds the object, and the client may have its reply before `serve` returns.
        drop(factory);
        let Some(server_call) = made else { return false };
        let Some(apartment) = call.target.apartment.upgrade() else { return false };
        let place = apartment.exports.add_begun(server_call.clone());
        server_call.serve(call, message, place);
        true
    }

    /// Takes a call object back that has finished.
    pub(crate) fn give_back(&self, server_call: ComObject<ServerCall>) {
        let surplus = {
            let mut state = self.state.lock();
            match state.0.support {
                Support::Yes(..) => {
                    state.0.idle.push(server_call);
                    None
                }
                // The stub was disconnected meanwhile.
                _ => Some(server_call),
            }
        };
        drop(surplus);
    }

    /// Lets the object's factory and call objects go. Runs in the apartment.
    pub(super) fn disconnect(&self) {
        let state = std::mem::replace(&mut self.state.lock().0, State { support: Support::No, idle: Vec::new() });
        drop(state);
    }

    fn support(&self, entry: &StubEntry, call: &Call) -> Option<(Arc<Home<ICallFactory>>, &'static AsyncInfo)> {
        match &self.state.lock().0.support {
            Support::No => return None,
            Support::Yes(factory, info) => return Some((factory.clone(), *info)),
            Support::Unknown => {}
        }
        let configured = call.target.apartment.upgrade().is_some_and(|home| home.is_configured());
        let twin = if configured { None } else { crate::proxy::twin_of(&entry.iid) };
        let found = twin.and_then(|twin| Some((Arc::new(Home(entry.server()?.cast::<ICallFactory>().ok()?)), twin)));
        let support = match &found {
            Some((factory, twin)) => Support::Yes(factory.clone(), twin),
            None => Support::No,
        };
        let spare = {
            let mut state = self.state.lock();
            match state.0.support {
                Support::Unknown => std::mem::replace(&mut state.0.support, support),
                // Another call was faster, or the stub was disconnected meanwhile, and keeps nothing any more.
                _ => support,
            }
        };
        drop(spare);
        found
    }
}

/// Runs `finish` inside the scope of its call, as the method itself would be.
pub(crate) fn within<R>(call: &Arc<Call>, f: impl FnOnce() -> R) -> R {
    let scope = Scope::of_call(call);
    let result = f();
    drop(scope);
    result
}

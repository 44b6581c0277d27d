//! Apartments: where objects live and on which threads their methods run.
//!
//! An STA has one thread and that thread's message queue; calls to its objects are messages (MSG-01, MSG-02). The MTA
//! has a pool of workers (MSG-06). What an apartment shows to others (`exports`: its stub managers) and what it sees of
//! others (`imports`: its proxy managers) hangs off it and ends with it (APT-21, APT-22).
//!
//! An apartment is reachable by its OXID from the process's table until its last `CoUninitialize`. It never takes a
//! lock of another apartment while it holds one of its own.
//!
//! The neutral apartment (APT-12) and the contexts of `CLSID_ContextSwitcher` have no threads: who calls there steps in
//! with its own, which is then elsewhere than at home ([`place`]).

pub(crate) mod application;
mod context;
pub(crate) mod end;
pub(crate) mod filter;
pub(crate) mod hosts;
mod identity;
mod init;
mod ole;
mod place;
mod pool;
mod remote;
mod scope;
mod spies;
mod surface_home;
mod switcher;
mod table;
mod thread_state;
mod wait;

pub use application::enter_application_sta;
pub use context::{
    CoGetContextToken, CoGetObjectContext, IID_ICallbackWithNoReentrancyToApplicationSTA, IID_IEnterActivityWithNoLock,
};
pub(crate) use end::is_leaving;
pub use filter::CoRegisterMessageFilter;
pub(crate) use filter::ask_filter;
pub(crate) use hosts::Hosts;
pub(crate) use identity::caller_tid;
pub use identity::{CoGetCallerTID, CoGetCurrentLogicalThreadId, CoGetCurrentProcess};
pub use init::{CoDecrementMTAUsage, CoIncrementMTAUsage};
pub use init::{CoGetApartmentType, CoInitialize, CoInitializeEx, CoUninitialize};
pub use ole::{OleInitialize, OleUninitialize};
pub(crate) use place::Stay;
pub(crate) use pool::Pool;
pub(crate) use remote::{call_in, post_here, post_to, run_in};
pub(crate) use scope::Scope;
pub use spies::{CoRegisterInitializeSpy, CoRevokeInitializeSpy};
pub(crate) use surface_home::SurfaceHome;
pub use switcher::CoDisconnectContext;
pub(crate) use switcher::Inside;
pub(crate) use table::ApartmentTable;
pub(crate) use thread_state::{Context, ThreadState};
pub use wait::{CoWaitForMultipleHandles, CoWaitForMultipleObjects};
pub(crate) use wait::{Filter, ReplyWait, co_wait, co_wait_until, wait_reply};

use crate::abi::hresult::{CO_E_NOTINITIALIZED, RPC_E_WRONG_THREAD};
use crate::channel::Outers;
use crate::kernel::{self, MessageQueue, Task};
use crate::platform::{self, Fact, PlaceKind};
use crate::process::Process;
use crate::proxy::Imports;
use crate::stub::Exports;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock, Weak};
use windows_core::HRESULT;

/// Where an apartment's code runs.
pub(crate) enum Home {
    /// One thread, through its message queue; an application STA is not re-entered.
    Sta { queue: Arc<MessageQueue>, application: bool },
    /// Any worker of the pool, and threads that entered by themselves.
    Mta(Pool),
    /// Whatever thread calls; asynchronous calls have a pool.
    Neutral(Pool),
    /// A context of its own in another apartment: the threads of that one.
    Context(switcher::PrivateContext),
}

/// One apartment of a process.
pub(crate) struct Apartment {
    pub(crate) oxid: u64,
    pub(crate) process: Weak<Process>,
    pub(crate) home: Home,
    pub(crate) exports: Exports,
    pub(crate) imports: Imports,
    pub(crate) outers: Outers,
    /// Its context, as `CoGetObjectContext` shows it; made when somebody asks.
    context: OnceLock<Arc<context::ObjectContext>>,
    ended: AtomicBool,
}

impl Apartment {
    pub(crate) fn is_sta(&self) -> bool {
        matches!(self.home, Home::Sta { .. })
    }

    /// What reports call it.
    pub(crate) fn kind(&self) -> PlaceKind {
        match self.home {
            Home::Sta { .. } => PlaceKind::Sta,
            Home::Mta(_) => PlaceKind::Mta,
            Home::Neutral(_) | Home::Context(_) => PlaceKind::Guest,
        }
    }

    /// Hands work to the apartment; gives it back when the apartment has ended.
    pub(crate) fn deliver(self: &Arc<Self>, task: Arc<dyn Task>) -> Result<(), Arc<dyn Task>> {
        match &self.home {
            Home::Sta { queue, .. } => queue.post_task(task),
            Home::Mta(pool) | Home::Neutral(pool) => pool.post(task),
            Home::Context(context) => context.deliver(self, task),
        }
    }

    /// Whether it is an STA whose thread handles messages that are sent wherever it waits: an application STA does not.
    pub(crate) fn takes_sent(&self) -> bool {
        matches!(self.home, Home::Sta { application: false, .. })
    }

    /// Has its thread do work as a message that is sent, and waits for that; `false` if there is none, or it has ended.
    pub(crate) fn send(&self, task: Arc<dyn Task>) -> bool {
        match &self.home {
            Home::Sta { queue, .. } => kernel::send_task(queue, task),
            Home::Mta(_) | Home::Neutral(_) | Home::Context(_) => false,
        }
    }

    /// What its pool says when it can take on no more.
    pub(crate) fn pool_exhausted(&self) -> Option<String> {
        match &self.home {
            Home::Sta { .. } | Home::Context(_) => None,
            Home::Mta(pool) | Home::Neutral(pool) => pool.exhausted(),
        }
    }

    /// Whether the calling thread is inside this apartment.
    pub(crate) fn is_current(self: &Arc<Self>) -> bool {
        platform::with_current(|thread| {
            let mine = thread.com().with_apartment(|mine| mine.map(|mine| Arc::ptr_eq(mine, self)));
            mine.unwrap_or_else(|| !self.is_sta() && thread.process().apartments.is_mta(self))
        })
    }

    /// What a pointer of this apartment says to the calling thread: nothing in the right place, else
    /// `RPC_E_WRONG_THREAD`, or `CO_E_NOTINITIALIZED` outside COM (MRSH-13, MRSH-14).
    pub(crate) fn check(self: &Arc<Self>) -> Result<(), HRESULT> {
        if self.is_current() {
            Ok(())
        } else if current().is_some() {
            platform::tell(|| Fact::Stray("a proxy or call object"));
            Err(RPC_E_WRONG_THREAD)
        } else {
            Err(CO_E_NOTINITIALIZED)
        }
    }
}

/// The apartment of the calling thread: its own, or the MTA that it is in implicitly (APT-09).
pub(crate) fn current() -> Option<Arc<Apartment>> {
    platform::with_current(|thread| thread.com().apartment().or_else(|| thread.process().apartments.mta()))
}

/// The apartment of the calling thread, or `CO_E_NOTINITIALIZED` (APT-28).
pub(crate) fn require() -> Result<Arc<Apartment>, HRESULT> {
    current().ok_or(CO_E_NOTINITIALIZED)
}

/// The apartment that the calling thread has entered, wherever it is now.
pub(crate) fn own() -> Option<Arc<Apartment>> {
    platform::with_current(|thread| thread.com().own_apartment())
}

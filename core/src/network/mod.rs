//! Emulated processes that can call each other, and what lies between them.
//!
//! A [`Network`] is a set of processes on numbered machines. A process finds the apartments of the others by their OXIDs, and
//! what it says to them goes as a [`Parcel`] by the network's [`Wire`]: bytes and numbers, never a pointer or a handle. The
//! wire decides when a parcel arrives, and whether. [`Direct`] hands it over at once, on host threads too; the simulated
//! world's wire has latency, and faults.
//!
//! Who waits for an answer from another process stands in `outgoing` of its own, by number; who serves one, in `incoming`.
//! Whoever takes an entry out of `outgoing` decides what the client gets: the answer, or the end of the server. Nothing is
//! called, completed or dropped under the locks of these tables.
//!
//! A process that was not made by a network is alone: it pays one comparison a call for all this.

mod ask;
mod death;
mod wire;

pub use death::{end_sta, holds, run_down};
pub use wire::{Direct, Fate, Parcel, Wire};

pub(crate) use ask::ask;
pub(crate) use wire::{Peers, Waiting};

use crate::abi::hresult::{RPC_E_DISCONNECTED, RPC_S_SERVER_UNAVAILABLE_HR};
use crate::abi::types::{MSHCTX_DIFFERENTMACHINE, MSHCTX_INPROC, MSHCTX_LOCAL};
use crate::apartment::Apartment;
use crate::channel::Call;
use crate::platform::{self, Access, Port};
use crate::process::Process;
use parking_lot::Mutex;
use smallvec::SmallVec;
use std::sync::{Arc, Weak};
use windows_core::HRESULT;

/// A process with its number.
type Member = (u32, Weak<Process>);

/// Processes that can reach each other.
pub struct Network {
    wire: Arc<dyn Wire>,
    /// In the order of their numbers.
    members: Mutex<SmallVec<[Member; 2]>>,
}

/// A process's place in its network.
pub(crate) struct Link {
    pub(crate) network: Arc<Network>,
    pub(crate) machine: u32,
}

impl Network {
    /// A network without processes.
    pub fn new(wire: Arc<dyn Wire>) -> Arc<Self> {
        Arc::new(Self { wire, members: Mutex::default() })
    }

    /// A new process on a machine. Give each process of a network a number that differs from the others' in its upper 16 bits
    /// and is a multiple of four.
    pub fn process(self: &Arc<Self>, id: u32, machine: u32, port: Arc<dyn Port>) -> Arc<Process> {
        let process = Process::linked(id, port, Link { network: self.clone(), machine });
        let mut members = self.members.lock();
        let at = members.partition_point(|(there, _)| *there < id);
        members.insert(at, (id, Arc::downgrade(&process)));
        drop(members);
        process
    }

    /// The processes, in the order of their numbers.
    pub fn processes(&self) -> Vec<Arc<Process>> {
        self.members.lock().iter().filter_map(|(_, process)| process.upgrade()).collect()
    }

    /// The apartment with this OXID, of whatever process.
    fn find(&self, oxid: u64) -> Option<Arc<Apartment>> {
        self.processes().iter().find_map(|process| process.apartments.find(oxid))
    }
}

impl Process {
    /// The machine that the process is on; 0 for one that is alone.
    pub fn machine(&self) -> u32 {
        self.link.as_ref().map_or(0, |link| link.machine)
    }

    /// The apartment with this OXID: one of this process, or of another one in its network.
    pub(crate) fn find_apartment(&self, oxid: u64) -> Option<Arc<Apartment>> {
        self.apartments.find(oxid).or_else(|| self.link.as_ref()?.network.find(oxid))
    }

    /// Where another process is, as proxies and stubs hear it (MRSH-29).
    pub(crate) fn context_of(&self, other: &Process) -> u32 {
        if std::ptr::eq(self, other) {
            MSHCTX_INPROC
        } else if self.machine() == other.machine() {
            MSHCTX_LOCAL
        } else {
            MSHCTX_DIFFERENTMACHINE
        }
    }

    /// Whether something that is sent to another process now may arrive; what a call gets otherwise (RUL-12).
    pub(crate) fn reach(self: &Arc<Self>, other: &Arc<Self>) -> Result<Arc<dyn Wire>, HRESULT> {
        platform::note(other.life, Access::Read);
        let link = self.link.as_ref().ok_or(RPC_S_SERVER_UNAVAILABLE_HR)?;
        if self.peers.is_lost(other.id()) {
            return Err(RPC_E_DISCONNECTED);
        }
        if other.has_died() {
            self.peers.lose(other.id());
            return Err(RPC_S_SERVER_UNAVAILABLE_HR);
        }
        if link.network.wire.reaches(self, other) {
            Ok(link.network.wire.clone())
        } else {
            Err(RPC_S_SERVER_UNAVAILABLE_HR)
        }
    }

    /// Whether memory for a call can be had.
    pub(crate) fn has_memory(self: &Arc<Self>, len: usize) -> bool {
        self.link.as_ref().is_none_or(|link| link.network.wire.has_memory(self, len))
    }

    /// What the surroundings say to a call that is about to be dispatched here: `None`, or a refusal. Only synchronous calls to
    /// STAs are refused, as message filters do (MF-05).
    pub(crate) fn refuses(self: &Arc<Self>, call: &Call) -> Option<HRESULT> {
        let link = self.link.as_ref().filter(|_| call.caller.kind.is_refusable())?;
        let is_sta = call.target.apartment.upgrade().is_some_and(|apartment| apartment.is_sta());
        if is_sta { link.network.wire.refuses(self) } else { None }
    }
}

impl Apartment {
    /// Whether the apartment is of another process than the calling thread.
    pub(crate) fn is_foreign(&self) -> bool {
        platform::with_current(|thread| !std::ptr::eq(self.process.as_ptr(), Arc::as_ptr(thread.process())))
    }

    /// Nothing where the calling thread can reach the apartment: its own process, or another one that is there.
    pub(crate) fn reach(&self) -> Result<(), HRESULT> {
        if !self.is_foreign() {
            return Ok(());
        }
        let process = self.process.upgrade().ok_or(RPC_S_SERVER_UNAVAILABLE_HR)?;
        Process::current().reach(&process).map(drop)
    }
}

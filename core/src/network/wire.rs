//! Parcels, what carries them, and the tables of who waits for an answer.

use crate::channel::{Call, Failure};
use crate::platform::{self, Access, Object, ObjectKind};
use crate::process::Process;
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Weak};
use windows_core::HRESULT;

/// What became of a parcel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is at the other end.
    Arrived,
    /// It will never be: the connection broke.
    Lost,
}

/// Something on its way from one process to another.
pub struct Parcel {
    len: usize,
    open: Box<dyn FnOnce(Fate) + Send>,
}

impl Parcel {
    pub(crate) fn new(len: usize, open: impl FnOnce(Fate) + Send + 'static) -> Self {
        Self { len, open: Box::new(open) }
    }

    /// Its size in bytes.
    #[allow(clippy::len_without_is_empty, reason = "no parcel is empty: each has a head")]
    pub fn len(&self) -> usize {
        self.len
    }

    /// It is there. What it starts runs on threads of the other process; this waits for nothing.
    pub fn deliver(self) {
        (self.open)(Fate::Arrived);
    }

    /// It will never be there: whoever waits for it, or for its answer, hears of it.
    pub fn lose(self) {
        (self.open)(Fate::Lost);
    }
}

/// What lies between processes. Its functions are called on the thread that sends, within a step.
pub trait Wire: Send + Sync {
    /// Whether something that is sent now may arrive.
    fn reaches(&self, from: &Process, to: &Process) -> bool {
        let _ = (from, to);
        true
    }

    /// Takes a parcel, and delivers or loses it, now or later. Parcels from one process to another arrive in their order.
    fn carry(&self, from: &Arc<Process>, to: &Arc<Process>, parcel: Parcel);

    /// Whether memory for a call's buffer of so many bytes can be had (`E_OUTOFMEMORY`).
    fn has_memory(&self, process: &Process, len: usize) -> bool {
        let _ = (process, len);
        true
    }

    /// Whether a call that is about to be dispatched is refused, as by a message filter: `RPC_E_CALL_REJECTED` or
    /// `RPC_E_SERVERCALL_RETRYLATER`.
    fn refuses(&self, process: &Process) -> Option<HRESULT> {
        let _ = process;
        None
    }
}

/// Delivers at once: for processes of one program on host threads.
#[derive(Debug, Default)]
pub struct Direct;

impl Wire for Direct {
    fn carry(&self, _from: &Arc<Process>, _to: &Arc<Process>, parcel: Parcel) {
        parcel.deliver();
    }
}

/// Who waits for an answer.
pub(crate) enum Waiting {
    Call(Arc<Call>),
    /// Something of the machinery; called with the reason why there is no answer.
    Ask(Box<dyn FnOnce(HRESULT) + Send>),
}

impl Waiting {
    /// There will be no answer.
    pub(crate) fn fail(self, client: &Arc<Process>, hr: HRESULT) {
        match self {
            Self::Call(call) => call.complete_from_afar(client, Err(Failure(hr))),
            Self::Ask(then) => then(hr),
        }
    }
}

/// What a process has to do with others.
#[derive(Default)]
pub(crate) struct Peers {
    /// By number, with the process that is to answer.
    outgoing: Mutex<BTreeMap<u64, (u32, Waiting)>>,
    /// The calls that are served here, by the client's process and number.
    incoming: Mutex<BTreeMap<(u32, u64), Weak<Call>>>,
    /// Processes whose end this one has seen.
    lost: Mutex<BTreeSet<u32>>,
    /// References that could not be given back: OXID, OID, how many.
    owed: Mutex<Vec<(u64, u64, u64)>>,
}

impl Peers {
    pub(crate) fn expect(&self, number: u64, from: u32, waiting: Waiting) {
        note(number);
        self.outgoing.lock().insert(number, (from, waiting));
    }

    /// Takes out who waits for an answer, unless somebody was faster.
    pub(crate) fn take(&self, number: u64) -> Option<Waiting> {
        note(number);
        self.outgoing.lock().remove(&number).map(|(_, waiting)| waiting)
    }

    /// Takes out all who wait for answers from a process.
    pub(super) fn take_all_from(&self, process: u32) -> Vec<(u64, Waiting)> {
        let taken: Vec<_> = {
            let mut outgoing = self.outgoing.lock();
            outgoing.extract_if(.., |_, (from, _)| *from == process).collect()
        };
        taken.iter().for_each(|(number, _)| note(*number));
        taken.into_iter().map(|(number, (_, waiting))| (number, waiting)).collect()
    }

    pub(crate) fn add_incoming(&self, client: u32, number: u64, call: &Arc<Call>) {
        self.incoming.lock().insert((client, number), Arc::downgrade(call));
    }

    pub(crate) fn incoming(&self, client: u32, number: u64) -> Option<Arc<Call>> {
        self.incoming.lock().get(&(client, number)).and_then(Weak::upgrade)
    }

    pub(crate) fn forget_incoming(&self, client: u32, number: u64) {
        self.incoming.lock().remove(&(client, number));
    }

    /// References stay on the other side, which could not be reached.
    pub(crate) fn owe(&self, oxid: u64, oid: u64, refs: u64) {
        self.owed.lock().push((oxid, oid, refs));
    }

    /// What is owed in some apartments; it is not any more.
    pub(super) fn take_owed(&self, of: impl Fn(u64) -> bool) -> Vec<(u64, u64, u64)> {
        let mut owed = self.owed.lock();
        owed.extract_if(.., |(oxid, ..)| of(*oxid)).collect()
    }

    pub(super) fn lose(&self, process: u32) {
        self.lost.lock().insert(process);
    }

    pub(super) fn is_lost(&self, process: u32) -> bool {
        self.lost.lock().contains(&process)
    }
}

/// Who takes an entry out is a race.
fn note(number: u64) {
    platform::note(Object { id: number, kind: ObjectKind::Call }, Access::Write);
}

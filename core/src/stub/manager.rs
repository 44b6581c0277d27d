//! A stub manager: one object as other apartments reach it.
//!
//! It holds the object while it is in the table of its apartment. References are counted under `counts`; whoever changes
//! them such that something has to be done has it done **in the apartment**, because it calls or releases the object:
//! telling its IExternalConnection that the first external reference has come or the last one gone, and disconnecting the
//! manager when nothing holds it. Interface stubs are made on demand, outside of every lock, come into `entries` under the lock of
//! the table, and live as long as the manager; one that came too late is disconnected at once.
//!
//! `told` is what IExternalConnection was told last. It changes under the lock and the object is called after it, so in
//! the MTA the object may hear of two changes at once; each comes once.

use super::{AsyncServer, Exports};
use crate::abi::hresult::{CO_E_OBJNOTCONNECTED, RPC_E_DISCONNECTED};
use crate::abi::interfaces::{IExternalConnection, IRpcStubBuffer};
use crate::abi::types::EXTCONN_STRONG;
use crate::apartment::{self, Apartment};
use crate::object::raw;
use crate::platform::{self, Access, Fact, Object};
use crate::protocol::refs::Refs;
use crate::proxy;
use parking_lot::Mutex;
use std::sync::{Arc, Weak};
use windows_core::{GUID, HRESULT, IUnknown, Interface};

/// References that one normal packet carries (OB-04).
pub(crate) const PACKET_REFS: u32 = 5;

/// A pointer of the manager's own apartment.
pub(crate) struct Home<T>(pub(crate) T);
// SAFETY: what is inside is called and released in its apartment only: `disconnect` and dispatch run there.
unsafe impl<T> Send for Home<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Home<T> {}

/// One interface of an object, reachable by its IPID.
pub(crate) struct StubEntry {
    manager: Weak<StubManager>,
    pub(crate) ipid: GUID,
    pub(crate) iid: GUID,
    /// `None` for IUnknown, which takes no calls.
    pub(crate) stub: Option<Home<IRpcStubBuffer>>,
    pub(crate) asynchronous: AsyncServer,
}

impl StubEntry {
    /// The object, while it is connected. The entry itself does not hold it: who serves a call has the entry for a moment
    /// longer than the client waits for its reply.
    pub(crate) fn server(&self) -> Option<IUnknown> {
        self.manager.upgrade()?.object()
    }

    /// Has the stub let the server go, as every stub does before its last Release (MRSH-28). Runs in the apartment.
    fn disconnect(&self) {
        self.asynchronous.disconnect();
        if let Some(Home(stub)) = &self.stub {
            // SAFETY: the stub is one of this apartment, in which this runs.
            unsafe { stub.Disconnect() };
        }
    }
}

/// What became of an interface stub that was made for a manager.
#[must_use]
pub(super) enum Added {
    Ours,
    /// Somebody else was faster: this one is it.
    Theirs(Arc<StubEntry>),
    /// The manager has left the table meanwhile.
    TooLate,
}

/// An object and its IExternalConnection, if it has one.
pub(super) struct Shown {
    object: IUnknown,
    watcher: Option<IExternalConnection>,
}

impl Shown {
    /// Asks the object whether it wants to know of its connections.
    pub(super) fn new(object: IUnknown) -> Self {
        let watcher = object.cast().ok();
        Self { object, watcher }
    }

    fn tell(&self, connected: bool, closes: bool) {
        let Some(watcher) = &self.watcher else { return };
        // SAFETY: the object is of this apartment.
        unsafe {
            if connected {
                watcher.AddConnection(EXTCONN_STRONG, 0);
            } else {
                watcher.ReleaseConnection(EXTCONN_STRONG, 0, closes.into());
            }
        }
    }
}

#[derive(Default)]
struct Counts {
    refs: Refs,
    told: bool,
}

/// Why a manager lets its object go.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Nothing holds it.
    Unheld,
    /// `CoDisconnectObject`: the object knows.
    Disconnected,
    /// Its apartment ends.
    ApartmentEnds,
}

/// One object.
pub(crate) struct StubManager {
    /// Its references, for a simulator.
    object_id: Object,
    pub(crate) oid: u64,
    pub(super) identity: usize,
    counts: Mutex<Counts>,
    apartment: Weak<Apartment>,
    /// Shared, so that its count is never touched under the lock.
    object: Mutex<Option<Arc<Home<Shown>>>>,
    entries: Mutex<Vec<Arc<StubEntry>>>,
}

/// A stub manager that stays reachable while somebody looks at it.
pub(crate) struct Visit(Arc<StubManager>);

impl Visit {
    /// The caller holds the lock of the table in which it found the manager.
    pub(super) fn enter(manager: Arc<StubManager>) -> Self {
        platform::note(manager.object_id, Access::Write);
        manager.counts.lock().refs.enter();
        Self(manager)
    }
}

impl std::ops::Deref for Visit {
    type Target = Arc<StubManager>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        platform::note(self.0.object_id, Access::Write);
        self.0.change_within(Refs::leave);
    }
}

/// An interface stub while a call for it is on its way: the object stays reachable until the call is served, even when
/// every proxy goes meanwhile (CALL-30, CALL-31).
pub(crate) struct InFlight {
    pub(crate) entry: Arc<StubEntry>,
    visit: Visit,
}

impl InFlight {
    /// Takes a reference for a call. The caller holds the lock of the table in which it found the entry.
    pub(super) fn take(entry: &Arc<StubEntry>) -> Option<Self> {
        let visit = Visit::enter(entry.manager.upgrade()?);
        Some(Self { entry: entry.clone(), visit })
    }

    /// Whether the object can still be reached: `CoDisconnectObject` and the apartment's end cut calls off that wait.
    pub(crate) fn is_connected(&self) -> bool {
        self.visit.object.lock().is_some()
    }
}

impl StubManager {
    pub(super) fn new(apartment: &Arc<Apartment>, oid: u64, identity: usize, object: Shown, id: Object) -> Arc<Self> {
        let refs = Refs::new(object.watcher.is_some());
        Arc::new(Self {
            object_id: id,
            oid,
            identity,
            counts: Mutex::new(Counts { refs, told: false }),
            apartment: Arc::downgrade(apartment),
            object: Mutex::new(Some(Arc::new(Home(object)))),
            entries: Mutex::default(),
        })
    }

    pub(super) fn ipids(&self) -> Vec<GUID> {
        self.entries.lock().iter().map(|entry| entry.ipid).collect()
    }

    /// The object itself, for the apartment that it lives in.
    pub(crate) fn object(&self) -> Option<IUnknown> {
        let home = self.object.lock().clone();
        home.map(|home| home.0.object.clone())
    }

    /// The interface stub for `iid`, made if need be. Runs in the apartment: it queries the object.
    pub(crate) fn entry(self: &Arc<Self>, exports: &Exports, iid: &GUID) -> Result<Arc<StubEntry>, HRESULT> {
        let known = self.entries.lock().iter().find(|entry| entry.iid == *iid).cloned();
        if let Some(entry) = known {
            return Ok(entry);
        }
        let server = self.object().ok_or(RPC_E_DISCONNECTED)?;
        // An interface that the object lacks is its refusal; one without proxy and stub is ours (MRSH-02).
        raw::typed(&server, iid)?;
        let stub = if *iid == IUnknown::IID { None } else { Some(Home(proxy::create_stub(iid, &server)?)) };
        let number = exports.next();
        let oxid = self.apartment.upgrade().map_or(0, |apartment| apartment.oxid);
        let entry = Arc::new(StubEntry {
            manager: Arc::downgrade(self),
            ipid: ipid(oxid, self.oid, number),
            iid: *iid,
            stub,
            asynchronous: AsyncServer::default(),
        });
        match exports.add_entry(self, &entry) {
            Added::Ours => Ok(entry),
            Added::Theirs(faster) => {
                entry.disconnect();
                Ok(faster)
            }
            Added::TooLate => {
                entry.disconnect();
                Err(CO_E_OBJNOTCONNECTED)
            }
        }
    }

    /// Adds an interface stub, unless there is one. The caller has the table's lock, and has found the manager there.
    pub(super) fn add(&self, entry: &Arc<StubEntry>) -> Added {
        let mut entries = self.entries.lock();
        match entries.iter().find(|there| there.iid == entry.iid) {
            Some(faster) => Added::Theirs(faster.clone()),
            None => {
                entries.push(entry.clone());
                Added::Ours
            }
        }
    }

    /// Changes references, from any thread. What the object has to do about it, it does in its apartment; this waits for
    /// that (AIU-01).
    pub(crate) fn change<R>(self: &Arc<Self>, change: impl FnOnce(&mut Refs) -> R) -> R {
        platform::visit(self.object_id, Access::Write);
        self.change_within(change)
    }

    /// As [`Self::change`], within a step that has said so.
    fn change_within<R>(self: &Arc<Self>, change: impl FnOnce(&mut Refs) -> R) -> R {
        let (result, unsettled) = self.change_only(change);
        if let Some(apartment) = unsettled {
            let (manager, home) = (self.clone(), apartment.clone());
            // When the apartment ends first, its end has released the object.
            let _ = apartment::run_in(&apartment, move || manager.settle(&home.exports));
        }
        result
    }

    /// As [`Self::change`], without waiting (AIU-02): `then` hears of it when the object has done what it has to do, in its
    /// apartment. Gives `then` back when there is nothing to wait for.
    pub(crate) fn change_later<T>(self: &Arc<Self>, change: impl FnOnce(&mut Refs), then: T) -> Result<(), T>
    where
        T: FnOnce(Result<(), HRESULT>) + Send + 'static,
    {
        platform::visit(self.object_id, Access::Write);
        let Some(apartment) = self.change_only(change).1 else { return Err(then) };
        let (manager, home) = (self.clone(), apartment.clone());
        apartment::post_to(&apartment, move || manager.settle(&home.exports), then)
    }

    /// Changes references; the apartment in which the object has to do something about it.
    fn change_only<R>(&self, change: impl FnOnce(&mut Refs) -> R) -> (R, Option<Arc<Apartment>>) {
        let (result, settled) = {
            let mut counts = self.counts.lock();
            let result = change(&mut counts.refs);
            (result, counts.is_settled())
        };
        platform::tell(|| Fact::Held { manager: self.object_id, by: self.counts.lock().refs.holders() });
        let gone = || self.object.lock().is_none();
        let unsettled = if settled || gone() { None } else { self.apartment.upgrade() };
        (result, unsettled)
    }

    /// Whether a table packet for the object is good.
    pub(crate) fn has_table(&self) -> bool {
        self.counts.lock().refs.has_table()
    }

    /// The current step looks at the references, too, or ends them.
    pub(super) fn note(&self) {
        platform::note(self.object_id, Access::Write);
    }

    /// Whether nothing holds the object. The caller has the table's lock, and has noted it.
    pub(super) fn is_unheld(&self) -> bool {
        !self.counts.lock().refs.is_held()
    }

    /// Tells the object of its connections, and lets it go if nothing holds it: somebody may have marshaled it again
    /// meanwhile. Runs in the apartment.
    fn settle(&self, exports: &Exports) {
        loop {
            platform::note(self.object_id, Access::Write);
            // First: whoever lets the object go has looked for news before that.
            let home = self.object.lock().clone();
            let news = self.counts.lock().news();
            let (Some(home), Some((connected, closes))) = (home, news) else { break };
            home.0.tell(connected, closes);
        }
        self.disconnect(exports, End::Unheld);
    }

    /// Lets the object and its stubs go. Runs in the apartment.
    pub(crate) fn disconnect(&self, exports: &Exports, end: End) {
        if !exports.remove(self, end == End::Unheld) {
            return;
        }
        platform::tell(|| Fact::LetGo { manager: self.object_id, apartment_ends: end == End::ApartmentEnds });
        let news = self.counts.lock().last_news(end);
        let home = self.object.lock().clone();
        if let (Some(home), Some((connected, closes))) = (&home, news) {
            home.0.tell(connected, closes);
        }
        let entries = std::mem::take(&mut *self.entries.lock());
        entries.iter().for_each(|entry| entry.disconnect());
        drop(entries);
        let object = self.object.lock().take();
        drop((home, object));
    }
}

impl Counts {
    fn is_settled(&self) -> bool {
        self.refs.is_held() && (!self.refs.is_watched() || self.told == self.refs.is_external())
    }

    /// What IExternalConnection has to be told: connected or not, and whether that closes the object.
    fn news(&mut self) -> Option<(bool, bool)> {
        let connected = self.refs.is_external();
        if !self.refs.is_watched() || self.told == connected {
            return None;
        }
        self.told = connected;
        Some((connected, self.refs.last_closes()))
    }

    /// The same when the object is let go. Who gave the last external reference up may be on his way to say so.
    fn last_news(&mut self, end: End) -> Option<(bool, bool)> {
        match end {
            End::Unheld => self.news(),
            End::Disconnected => None,
            End::ApartmentEnds => std::mem::take(&mut self.told).then_some((false, false)),
        }
    }
}

/// An IPID tells its apartment, object and interface apart from all others, for whoever reads a trace.
fn ipid(oxid: u64, oid: u64, number: u64) -> GUID {
    let high = (u128::from(number & 0xFFFF_FFFF) << 96) | (u128::from(oid & 0xFFFF_FFFF) << 64);
    GUID::from_u128(high | u128::from(oxid))
}

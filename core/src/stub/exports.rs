//! What an apartment shows to others: its stub managers, by the identity of their objects and by IPID.
//!
//! A manager stays in the table while somebody can reach its object. It is found and referenced under one lock, and
//! leaves the table under the same lock only when nothing holds it ([`Exports::remove`]): so a marshaler
//! never gets a manager that is about to go.

use super::manager::{Added, Shown};
use super::{End, InFlight, StubEntry, StubManager, Visit};
use crate::apartment::Apartment;
use crate::call::ServerCall;
use crate::places::Places;
use crate::platform::{self, Access, Object, ObjectKind};
use crate::process::Process;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use windows_core::{ComObject, GUID, HRESULT, IUnknown, Interface};

#[derive(Default)]
struct Inner {
    by_identity: BTreeMap<usize, Arc<StubManager>>,
    /// The same managers. In the order in which they were made: so they go, and not in the order of addresses.
    by_oid: BTreeMap<u64, Arc<StubManager>>,
    by_ipid: BTreeMap<u128, Arc<StubEntry>>,
    /// Asynchronous server calls that are begun and not finished.
    begun: Places<Begun>,
}

impl Inner {
    /// Whether it is this manager: an object that was let go and is shown again has another.
    fn has(&self, manager: &StubManager) -> bool {
        self.by_identity.get(&manager.identity).is_some_and(|there| std::ptr::eq(&**there, manager))
    }
}

struct Begun(ComObject<ServerCall>);
// SAFETY: the object is used and released in its own apartment only; the table's owner keeps to that.
unsafe impl Send for Begun {}

/// The stub managers of one apartment.
pub(crate) struct Exports {
    object: Object,
    inner: Mutex<Inner>,
    next: AtomicU64,
}

impl Exports {
    pub(crate) fn new(process: &Process) -> Self {
        Self { object: process.new_object(ObjectKind::Table), inner: Mutex::default(), next: AtomicU64::new(1) }
    }

    /// A number that is unique in this apartment, for OIDs and IPIDs.
    pub(super) fn next(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// The manager of an object, made if there is none. Runs in the apartment: it asks the object who it is.
    pub(crate) fn manager(&self, apartment: &Arc<Apartment>, unknown: &IUnknown) -> Result<Visit, HRESULT> {
        let identity: IUnknown = unknown.cast().map_err(|error| error.code())?;
        let key = identity.as_raw() as usize;
        platform::visit(self.object, Access::Write);
        let known = self.inner.lock().by_identity.get(&key).cloned().map(Visit::enter);
        if let Some(known) = known {
            return Ok(known);
        }
        let object = Shown::new(identity);
        let id = platform::current().process().new_object(ObjectKind::Table);
        platform::note(self.object, Access::Write);
        let mut spare = None;
        let visit = {
            let mut inner = self.inner.lock();
            let Inner { by_identity, by_oid, .. } = &mut *inner;
            match by_identity.entry(key) {
                // Somebody else of the MTA was faster.
                Entry::Occupied(there) => {
                    spare = Some(object);
                    Visit::enter(there.get().clone())
                }
                Entry::Vacant(free) => {
                    let manager = free.insert(StubManager::new(apartment, self.next(), key, object, id));
                    by_oid.insert(manager.oid, manager.clone());
                    Visit::enter(manager.clone())
                }
            }
        };
        drop(spare);
        Ok(visit)
    }

    /// The manager of an object, if there is one. Runs in the apartment.
    pub(crate) fn known(&self, unknown: &IUnknown) -> Result<Option<Visit>, HRESULT> {
        let identity: IUnknown = unknown.cast().map_err(|error| error.code())?;
        platform::visit(self.object, Access::Write);
        Ok(self.inner.lock().by_identity.get(&(identity.as_raw() as usize)).cloned().map(Visit::enter))
    }

    /// The manager with this OID, which stays reachable meanwhile.
    pub(crate) fn visit(&self, oid: u64) -> Option<Visit> {
        platform::visit(self.object, Access::Write);
        self.inner.lock().by_oid.get(&oid).cloned().map(Visit::enter)
    }

    /// The manager with this OID, as far as it is still there when it is used.
    pub(crate) fn by_oid(&self, oid: u64) -> Option<Arc<StubManager>> {
        platform::visit(self.object, Access::Read);
        self.inner.lock().by_oid.get(&oid).cloned()
    }

    /// The interface stub with this IPID, for a call. Part of the step that sends it.
    pub(crate) fn in_flight(&self, ipid: GUID) -> Option<InFlight> {
        platform::note(self.object, Access::Write);
        InFlight::take(self.inner.lock().by_ipid.get(&ipid.to_u128())?)
    }

    /// Makes an interface stub reachable, unless there is one, or its manager has left meanwhile: whoever finds it in the
    /// manager finds it here.
    pub(super) fn add_entry(&self, manager: &StubManager, entry: &Arc<StubEntry>) -> Added {
        platform::visit(self.object, Access::Write);
        let mut inner = self.inner.lock();
        if !inner.has(manager) {
            return Added::TooLate;
        }
        let added = manager.add(entry);
        if let Added::Ours = added {
            inner.by_ipid.insert(entry.ipid.to_u128(), entry.clone());
        }
        added
    }

    /// Takes a manager out, if need be only when nothing holds it.
    pub(super) fn remove(&self, manager: &StubManager, unheld: bool) -> bool {
        platform::visit(self.object, Access::Write);
        manager.note();
        let mut inner = self.inner.lock();
        if !inner.has(manager) || (unheld && !manager.is_unheld()) {
            return false;
        }
        inner.by_identity.remove(&manager.identity);
        inner.by_oid.remove(&manager.oid);
        for ipid in manager.ipids() {
            inner.by_ipid.remove(&ipid.to_u128());
        }
        true
    }

    /// Keeps an asynchronous server call until it is finished; says where.
    pub(super) fn add_begun(&self, call: ComObject<ServerCall>) -> usize {
        self.inner.lock().begun.put(Begun(call))
    }

    /// Lets an asynchronous server call go.
    pub(crate) fn take_begun(&self, call: &ServerCall, place: usize) -> Option<ComObject<ServerCall>> {
        let taken = self.inner.lock().begun.take_if(place, |begun| std::ptr::eq(begun.0.get(), call));
        taken.map(|begun| begun.0)
    }

    /// Ends everything (APT-21): calls with a worker get `RPC_E_DISCONNECTED`, every object is released. Runs in the
    /// apartment.
    pub(crate) fn disconnect_all(&self) {
        let begun = self.inner.lock().begun.take_all();
        for Begun(call) in begun {
            call.apartment_ends();
        }
        loop {
            let next = self.inner.lock().by_oid.values().next().cloned();
            let Some(manager) = next else { break };
            manager.disconnect(self, End::ApartmentEnds);
        }
    }
}

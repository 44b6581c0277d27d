//! A stub manager: one object as other apartments reach it.
//!
//! It holds the object while it is in the table of its apartment. References are counted under `refs`; whoever brings
//! them to nothing disconnects the manager **in its apartment**, because that releases the object. Interface stubs are
//! made on demand and live as long as the manager.

use super::{AsyncServer, Exports};
use crate::abi::hresult::{CO_E_OBJNOTCONNECTED, E_NOINTERFACE, RPC_E_DISCONNECTED};
use crate::abi::interfaces::IRpcStubBuffer;
use crate::apartment::{self, Apartment};
use crate::protocol::refs::{Held, Refs};
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
}

/// One object.
pub(crate) struct StubManager {
    pub(crate) oid: u64,
    pub(super) identity: usize,
    pub(super) refs: Mutex<Refs>,
    apartment: Weak<Apartment>,
    /// Shared, so that its count is never touched under the lock.
    object: Mutex<Option<Arc<Home<IUnknown>>>>,
    entries: Mutex<Vec<Arc<StubEntry>>>,
}

/// An interface stub while a call for it is on its way: the object stays reachable until the call is served, even when
/// every proxy goes meanwhile (CALL-30, CALL-31).
pub(crate) struct InFlight {
    pub(crate) entry: Arc<StubEntry>,
    manager: Arc<StubManager>,
}

impl InFlight {
    /// Takes a reference for a call. The caller holds the lock of the table in which it found the entry.
    pub(super) fn take(entry: &Arc<StubEntry>) -> Option<Self> {
        let manager = entry.manager.upgrade()?;
        manager.refs.lock().add(1);
        Some(Self { entry: entry.clone(), manager })
    }

    /// Whether the object can still be reached: `CoDisconnectObject` and the apartment's end cut calls off that wait.
    pub(crate) fn is_connected(&self) -> bool {
        self.manager.object.lock().is_some()
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.manager.release(|refs| refs.release(1));
    }
}

impl StubManager {
    pub(super) fn new(apartment: &Arc<Apartment>, oid: u64, identity: usize, object: IUnknown) -> Arc<Self> {
        Arc::new(Self {
            oid,
            identity,
            refs: Mutex::default(),
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
        home.map(|home| home.0.clone())
    }

    /// The interface stub for `iid`, made if need be. Runs in the apartment: it queries the object.
    pub(crate) fn entry(self: &Arc<Self>, exports: &Exports, iid: &GUID) -> Result<Arc<StubEntry>, HRESULT> {
        let known = self.entries.lock().iter().find(|entry| entry.iid == *iid).cloned();
        if let Some(entry) = known {
            return Ok(entry);
        }
        let server = self.object().ok_or(RPC_E_DISCONNECTED)?;
        // An interface that the object lacks is its refusal; one without proxy and stub is ours (MRSH-02).
        query(&server, iid)?;
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
        {
            let mut entries = self.entries.lock();
            if let Some(faster) = entries.iter().find(|entry| entry.iid == *iid) {
                return Ok(faster.clone());
            }
            entries.push(entry.clone());
        }
        if exports.add_entry(self, &entry) { Ok(entry) } else { Err(CO_E_OBJNOTCONNECTED) }
    }

    /// Adds references on behalf of a proxy that holds some already.
    pub(crate) fn add(&self, count: impl FnOnce(&mut Refs)) {
        count(&mut self.refs.lock());
    }

    /// Adds strong references if a table packet is still good.
    pub(crate) fn add_if_table(&self, count: u32) -> bool {
        let mut refs = self.refs.lock();
        let good = refs.tables > 0 || refs.weak_tables > 0;
        if good {
            refs.add(count);
        }
        good
    }

    /// Gives references back, from any thread; the last one releases the object in its apartment and waits for that
    /// (AIU-01).
    pub(crate) fn release(self: &Arc<Self>, give_back: impl FnOnce(&mut Refs) -> Held) {
        let held = give_back(&mut self.refs.lock());
        if held == Held::Yes {
            return;
        }
        let Some(apartment) = self.apartment.upgrade() else { return };
        let manager = self.clone();
        let home = apartment.clone();
        // When the apartment ends first, its end has released the object.
        let _ = apartment::run_in(&apartment, move || manager.disconnect(&home.exports, false));
    }

    /// Lets the object and its stubs go. Runs in the apartment. Without `in_any_case` only if nothing references the
    /// manager: somebody may have marshaled the object again meanwhile.
    pub(crate) fn disconnect(&self, exports: &Exports, in_any_case: bool) {
        if !exports.remove_unheld(self, in_any_case) {
            return;
        }
        let entries = std::mem::take(&mut *self.entries.lock());
        for entry in &entries {
            entry.asynchronous.disconnect();
            if let Some(Home(stub)) = &entry.stub {
                // SAFETY: the stub is one of this apartment, in which this runs.
                unsafe { stub.Disconnect() };
            }
        }
        drop(entries);
        let object = self.object.lock().take();
        drop(object);
    }
}

/// Whether an object offers an interface.
fn query(object: &IUnknown, iid: &GUID) -> Result<IUnknown, HRESULT> {
    let mut raw = std::ptr::null_mut();
    // SAFETY: a valid interface pointer and valid arguments; on success the result is a counted pointer.
    unsafe {
        object.query(iid, &mut raw).ok().map_err(|error| error.code())?;
        if raw.is_null() {
            return Err(E_NOINTERFACE);
        }
        Ok(IUnknown::from_raw(raw))
    }
}

/// An IPID tells its apartment, object and interface apart from all others, for whoever reads a trace.
fn ipid(oxid: u64, oid: u64, number: u64) -> GUID {
    let high = (u128::from(number & 0xFFFF_FFFF) << 96) | (u128::from(oid & 0xFFFF_FFFF) << 64);
    GUID::from_u128(high | u128::from(oxid))
}

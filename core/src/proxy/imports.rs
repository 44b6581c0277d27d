//! What a client apartment sees of others: its proxy managers by (OXID, OID).
//!
//! The table holds addresses, not references. A manager is found and referenced under the lock, and takes itself out under
//! the same lock while its last release runs: so an address in the table is always one of living memory, and a manager
//! whose count has reached zero is not taken ([`object::class::try_add_ref`]); a new one then takes its place.

use super::{ProxyManager, manager::ProxyManager_Impl};
use crate::apartment::Apartment;
use crate::object::class;
use crate::platform::{self, Access, Object, ObjectKind};
use crate::process::Process;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::ptr::NonNull;
use std::sync::Arc;
use windows_core::{ComObject, HRESULT, IUnknownImpl};

#[derive(Clone, Copy)]
struct Address(NonNull<ProxyManager_Impl>);
// SAFETY: an address; it is followed under the table's lock only.
unsafe impl Send for Address {}

/// The proxy managers of one apartment.
pub(crate) struct Imports {
    object: Object,
    managers: Mutex<BTreeMap<(u64, u64), Address>>,
}

impl Imports {
    pub(crate) fn new(process: &Process) -> Self {
        Self { object: process.new_object(ObjectKind::Table), managers: Mutex::default() }
    }

    /// The manager for an object, made if there is none, with `refs` that a packet brought. `equip` gets a new one before
    /// anybody else sees it; where that fails, it ends again.
    pub(crate) fn manager(
        &self,
        home: &Arc<Apartment>,
        server: &Arc<Apartment>,
        oid: u64,
        refs: u32,
        equip: impl FnOnce(&ComObject<ProxyManager>) -> Result<(), HRESULT>,
    ) -> Result<ComObject<ProxyManager>, HRESULT> {
        let oxid = server.oxid;
        if let Some(found) = self.find(oxid, oid) {
            found.add_refs(u64::from(refs));
            return Ok(found);
        }
        let fresh = ComObject::new(ProxyManager::new(home, Arc::downgrade(server), oxid, oid));
        fresh.add_refs(u64::from(refs));
        equip(&fresh)?;
        platform::visit(self.object, Access::Write);
        let mut managers = self.managers.lock();
        // Somebody else of the MTA may have been faster.
        let faster = managers.get(&(oxid, oid)).and_then(|there| take(*there));
        if faster.is_none() {
            managers.insert((oxid, oid), Address(class::root(&*fresh)));
        }
        drop(managers);
        let Some(faster) = faster else { return Ok(fresh) };
        faster.add_refs(fresh.yield_refs());
        Ok(faster)
    }

    /// What the managers of objects in some apartments hold there, which they do not hold any more: OXID, OID, references.
    pub(crate) fn forfeit(&self, of: impl Fn(u64) -> bool) -> Vec<(u64, u64, u64)> {
        let managers = self.managers.lock();
        let given = managers.iter().filter(|((oxid, _), _)| of(*oxid)).filter_map(|((oxid, oid), there)| {
            // SAFETY: an address in the table is one of living memory, see the module; nothing is called or released.
            let manager = unsafe { there.0.as_ref().get_impl() };
            manager.is_pinged().then(|| (*oxid, *oid, manager.take_count()))
        });
        given.collect()
    }

    /// Whether there are managers of objects in some apartments.
    pub(crate) fn holds(&self, of: impl Fn(u64) -> bool) -> bool {
        self.managers.lock().keys().any(|(oxid, _)| of(*oxid))
    }

    fn find(&self, oxid: u64, oid: u64) -> Option<ComObject<ProxyManager>> {
        platform::visit(self.object, Access::Write);
        let managers = self.managers.lock();
        managers.get(&(oxid, oid)).and_then(|there| take(*there))
    }

    /// A manager ends: its address goes, unless another has taken its place.
    pub(super) fn forget(&self, manager: &ProxyManager) {
        platform::visit(self.object, Access::Write);
        let mut managers = self.managers.lock();
        let key = (manager.oxid, manager.oid);
        // SAFETY: an address in the table is one of living memory, see the module.
        let same =
            managers.get(&key).is_some_and(|there| unsafe { std::ptr::eq(there.0.as_ref().get_impl(), manager) });
        if same {
            managers.remove(&key);
        }
    }

    /// The apartment ends: every manager is cut off (APT-22).
    pub(crate) fn disconnect_all(&self) {
        loop {
            platform::visit(self.object, Access::Write);
            let next = self.managers.lock().pop_first();
            let Some((_, there)) = next else { break };
            // A manager that is ending disconnects itself.
            if let Some(manager) = take(there) {
                manager.disconnect();
            }
        }
    }
}

/// A reference to the manager at an address, unless its last one is gone.
fn take(there: Address) -> Option<ComObject<ProxyManager>> {
    // SAFETY: an address in the table is one of living memory, see the module; the caller holds the lock.
    unsafe { class::try_to_object(there.0) }
}

//! The apartments of a process: by OXID, the MTA with what keeps it alive, the main STA.
//!
//! One lock, held for look-ups only; nothing is dropped, called or waited for under it. `mta_oxid` repeats what `mta` says
//! for whoever only compares, without the lock: every call checks its apartment. It is written under the lock.

use super::{Apartment, Home, Pool};
use crate::channel::Outers;
use crate::kernel::MessageQueue;
use crate::process::Process;
use crate::proxy::Imports;
use crate::stub::Exports;
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

#[derive(Default)]
struct Inner {
    all: BTreeMap<u64, Arc<Apartment>>,
    mta: Option<Arc<Apartment>>,
    /// Threads that entered the MTA explicitly.
    mta_threads: u32,
    /// Cookies of `CoIncrementMTAUsage` that are out.
    cookies: BTreeSet<usize>,
    next_cookie: usize,
    main: Option<u64>,
}

/// The apartments of a process.
#[derive(Default)]
pub(crate) struct ApartmentTable {
    inner: Mutex<Inner>,
    /// The MTA's OXID, 0 when there is none.
    mta_oxid: AtomicU64,
}

/// OXIDs are never used twice, by any process: a stale reference finds nothing instead of somebody else.
fn next_oxid() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0x0100_0000_0000_0001);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

fn new_apartment(process: &Arc<Process>, home: impl FnOnce(&Weak<Apartment>) -> Home) -> Arc<Apartment> {
    Arc::new_cyclic(|apartment| Apartment {
        oxid: next_oxid(),
        home: home(apartment),
        exports: Exports::new(process),
        imports: Imports::default(),
        outers: Outers::default(),
    })
}

impl ApartmentTable {
    /// The apartment with this OXID, while it lives.
    pub(crate) fn find(&self, oxid: u64) -> Option<Arc<Apartment>> {
        self.inner.lock().all.get(&oxid).cloned()
    }

    pub(crate) fn mta(&self) -> Option<Arc<Apartment>> {
        self.inner.lock().mta.clone()
    }

    pub(crate) fn is_mta(&self, apartment: &Apartment) -> bool {
        self.mta_oxid.load(Ordering::Acquire) == apartment.oxid
    }

    /// Whether this is the first STA that the process has had (APT-06, APT-27).
    pub(crate) fn is_main(&self, apartment: &Apartment) -> bool {
        self.inner.lock().main == Some(apartment.oxid)
    }

    /// A new STA for the calling thread.
    pub(crate) fn enter_sta(&self, process: &Arc<Process>, queue: Arc<MessageQueue>) -> Arc<Apartment> {
        let apartment = new_apartment(process, |_| Home::Sta { queue });
        let mut inner = self.inner.lock();
        inner.all.insert(apartment.oxid, apartment.clone());
        inner.main.get_or_insert(apartment.oxid);
        apartment
    }

    /// One more thread in the MTA, which is made for the first.
    pub(crate) fn enter_mta(&self, process: &Arc<Process>) -> Arc<Apartment> {
        let mut inner = self.inner.lock();
        inner.mta_threads += 1;
        self.mta_or_new(&mut inner, process)
    }

    /// One more cookie that keeps the MTA alive (APT-13).
    pub(crate) fn add_usage(&self, process: &Arc<Process>) -> usize {
        let mut inner = self.inner.lock();
        self.mta_or_new(&mut inner, process);
        inner.next_cookie += 1;
        let cookie = inner.next_cookie;
        inner.cookies.insert(cookie);
        cookie
    }

    /// One thread fewer in the MTA; gives the MTA when nothing keeps it alive any more, for the caller to end.
    pub(crate) fn leave_mta(&self) -> Option<Arc<Apartment>> {
        let mut inner = self.inner.lock();
        inner.mta_threads = inner.mta_threads.saturating_sub(1);
        self.take_mta_if_unused(&mut inner)
    }

    /// Takes a cookie back; `Err` when it is not out. `Ok(Some)` is the MTA when nothing keeps it alive any more.
    pub(crate) fn drop_usage(&self, cookie: usize) -> Result<Option<Arc<Apartment>>, ()> {
        let mut inner = self.inner.lock();
        if !inner.cookies.remove(&cookie) {
            return Err(());
        }
        Ok(self.take_mta_if_unused(&mut inner))
    }

    /// Whether no apartment is left.
    pub(crate) fn is_empty(&self) -> bool {
        self.inner.lock().all.is_empty()
    }

    /// Makes an apartment unreachable.
    pub(crate) fn remove(&self, oxid: u64) -> Option<Arc<Apartment>> {
        let mut inner = self.inner.lock();
        if inner.main == Some(oxid) {
            inner.main = None;
        }
        inner.all.remove(&oxid)
    }

    fn mta_or_new(&self, inner: &mut Inner, process: &Arc<Process>) -> Arc<Apartment> {
        if let Some(mta) = &inner.mta {
            return mta.clone();
        }
        let mta = new_apartment(process, |mta| Home::Mta(Pool::new(process, mta)));
        inner.all.insert(mta.oxid, mta.clone());
        inner.mta = Some(mta.clone());
        self.mta_oxid.store(mta.oxid, Ordering::Release);
        mta
    }

    /// The MTA goes when explicit threads and cookies are both at zero (APT-16).
    fn take_mta_if_unused(&self, inner: &mut Inner) -> Option<Arc<Apartment>> {
        if inner.mta_threads > 0 || !inner.cookies.is_empty() {
            return None;
        }
        self.mta_oxid.store(0, Ordering::Release);
        inner.mta.take()
    }
}

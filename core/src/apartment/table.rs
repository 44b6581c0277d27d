//! The apartments of a process: by OXID, the MTA with what keeps it alive, the main STA.
//!
//! One lock, held for look-ups only; nothing is dropped, called or waited for under it. What is registered for the whole
//! process is taken under it when the last apartment has gone, each table under its own lock, whose holders take no other.
//! `mta_oxid` repeats what `mta` says for whoever only compares, without the lock: every call checks its apartment. It is
//! written under the lock.

use super::switcher::PrivateContext;
use super::{Apartment, Home, Pool};
use crate::channel::Outers;
use crate::kernel::MessageQueue;
use crate::process::Process;
use crate::proxy::Imports;
use crate::stub::Exports;
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use windows_core::GUID;

#[derive(Default)]
struct Inner {
    all: BTreeMap<u64, Arc<Apartment>>,
    mta: Option<Arc<Apartment>>,
    neutral: Option<Arc<Apartment>>,
    /// Threads that entered the MTA explicitly.
    mta_threads: u32,
    /// Cookies of `CoIncrementMTAUsage` that are out.
    cookies: BTreeSet<usize>,
    next_cookie: usize,
    main: Option<u64>,
}

impl Inner {
    /// Whether no apartment that somebody entered is left.
    fn is_empty(&self) -> bool {
        self.all.values().all(|it| matches!(it.base().home, Home::Neutral(_)))
    }
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
        process: Arc::downgrade(process),
        home: home(apartment),
        exports: Exports::new(process),
        imports: Imports::new(process),
        outers: Outers::default(),
        context: OnceLock::new(),
        ended: AtomicBool::new(false),
    })
}

impl ApartmentTable {
    /// The apartment with this OXID, while it lives.
    pub(crate) fn find(&self, oxid: u64) -> Option<Arc<Apartment>> {
        self.inner.lock().all.get(&oxid).cloned()
    }

    /// All, in the order in which they were made.
    pub(crate) fn all(&self) -> Vec<Arc<Apartment>> {
        self.inner.lock().all.values().cloned().collect()
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
    pub(crate) fn enter_sta(
        &self,
        process: &Arc<Process>,
        queue: Arc<MessageQueue>,
        application: bool,
    ) -> Arc<Apartment> {
        let apartment = new_apartment(process, |_| Home::Sta { queue, application });
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

    /// The neutral apartment, made if there is none.
    pub(crate) fn neutral(&self, process: &Arc<Process>) -> Arc<Apartment> {
        let mut inner = self.inner.lock();
        if let Some(neutral) = &inner.neutral {
            return neutral.clone();
        }
        let neutral = new_apartment(process, |neutral| Home::Neutral(Pool::new(process, neutral)));
        inner.all.insert(neutral.oxid, neutral.clone());
        inner.neutral = Some(neutral.clone());
        neutral
    }

    /// A new context in an apartment.
    pub(super) fn new_context(&self, process: &Arc<Process>, parent: &Arc<Apartment>) -> Arc<Apartment> {
        let parent = parent.base().clone();
        let context = new_apartment(process, |_| Home::Context(PrivateContext::new(process, parent)));
        self.inner.lock().all.insert(context.oxid, context.clone());
        context
    }

    /// The context in `parent` for objects of a configured class, made if there is none.
    pub(crate) fn configured_context(
        &self,
        process: &Arc<Process>,
        parent: &Arc<Apartment>,
        clsid: &GUID,
    ) -> Arc<Apartment> {
        let parent = parent.base().clone();
        let is_it = |it: &&Arc<Apartment>| {
            matches!(&it.home, Home::Context(context) if context.is_for(clsid)) && Arc::ptr_eq(it.base(), &parent)
        };
        let mut inner = self.inner.lock();
        if let Some(known) = inner.all.values().find(is_it) {
            return known.clone();
        }
        let context = PrivateContext::configured(process, parent.clone(), *clsid);
        let context = new_apartment(process, |_| Home::Context(context));
        inner.all.insert(context.oxid, context.clone());
        context
    }

    /// A context that lies in this apartment, if there is one.
    pub(super) fn context_in(&self, apartment: &Arc<Apartment>) -> Option<Arc<Apartment>> {
        let inner = self.inner.lock();
        let inside = |it: &&Arc<Apartment>| matches!(it.home, Home::Context(_)) && Arc::ptr_eq(it.base(), apartment);
        inner.all.values().find(inside).cloned()
    }

    /// The main STA, while it lives.
    pub(super) fn main_sta(&self) -> Option<Arc<Apartment>> {
        let inner = self.inner.lock();
        inner.main.and_then(|main| inner.all.get(&main).cloned())
    }

    /// Whether anybody is in COM but these STAs and whoever has this cookie.
    pub(super) fn is_used_beyond(&self, stas: [Option<u64>; 2], cookie: Option<usize>) -> bool {
        let inner = self.inner.lock();
        let others = |it: &Arc<Apartment>| it.is_sta() && !stas.contains(&Some(it.oxid));
        inner.mta_threads > 0 || inner.cookies.iter().any(|out| Some(*out) != cookie) || inner.all.values().any(others)
    }

    /// Has `look` run if no apartment is left that somebody entered, and nobody enters meanwhile. It drops nothing.
    pub(super) fn when_empty<R>(&self, look: impl FnOnce() -> R) -> Option<R> {
        let inner = self.inner.lock();
        inner.is_empty().then(look)
    }

    /// The neutral apartment, when nothing but it is left: for the caller to end.
    pub(super) fn take_neutral(&self) -> Option<Arc<Apartment>> {
        let mut inner = self.inner.lock();
        if inner.is_empty() { inner.neutral.take() } else { None }
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

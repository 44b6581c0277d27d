//! Class objects: what a process has registered (facts section 12). How objects are created from them is `activation`'s.
//!
//! A registration belongs to the apartment that made it and ends with it. `CLSCTX_INPROC_SERVER` is seen by that apartment
//! alone, as are handlers (`CLSCTX_INPROC_HANDLER`), `CLSCTX_LOCAL_SERVER` by the others too, through a proxy (ACT-03, ACT-04). The system's own classes are there
//! without registration. A single-use class leaves the public view with the first client that finds it there. The lock is
//! held for look-ups only.

use crate::abi::exports::export;
use crate::abi::hresult::{CO_E_NOTINITIALIZED, CO_E_OBJNOTREG, E_INVALIDARG, RPC_E_WRONG_THREAD, S_OK};
use crate::abi::types::{
    CLSCTX_INPROC_HANDLER, CLSCTX_INPROC_SERVER, CLSCTX_LOCAL_SERVER, REGCLS_MULTI_SEPARATE, REGCLS_MULTIPLEUSE,
    REGCLS_SURROGATE, REGCLS_SUSPENDED,
};
use crate::apartment::{self, Apartment};
use crate::process::Process;
use crate::stub::Home;
use parking_lot::Mutex;
use std::ffi::c_void;
use std::sync::{Arc, Weak};
use windows_core::{GUID, HRESULT, IUnknown, Interface};

struct Registration {
    cookie: u32,
    clsid: GUID,
    object: Arc<Home<IUnknown>>,
    oxid: u64,
    home: Weak<Apartment>,
    context: u32,
    flags: u32,
    /// Single-use, and found in public: nobody else finds it there.
    used: bool,
}

impl Registration {
    /// The apartment and every context in it see what it registers for itself; others its public view.
    fn is_public(&self, context: u32) -> bool {
        self.context & context & CLSCTX_LOCAL_SERVER != 0 && !self.used
    }

    /// A client has found it in public.
    fn use_once(&mut self) {
        let shared = REGCLS_MULTIPLEUSE | REGCLS_MULTI_SEPARATE | REGCLS_SURROGATE;
        self.used = self.flags & shared == 0;
    }
}

#[derive(Default)]
struct Inner {
    registrations: Vec<Registration>,
    last: u32,
}

/// The class objects of a process.
#[derive(Default)]
pub(crate) struct ClassTable {
    inner: Mutex<Inner>,
}

/// Where a class object was found.
pub(super) enum Found {
    /// In the calling apartment.
    Here(Arc<Home<IUnknown>>),
    /// In another one, under this cookie.
    There(Arc<Apartment>, u32),
}

impl ClassTable {
    fn register(&self, clsid: GUID, object: IUnknown, home: &Arc<Apartment>, context: u32, flags: u32) -> u32 {
        let mut inner = self.inner.lock();
        inner.last = inner.last.wrapping_add(1).max(1);
        let cookie = inner.last;
        // A class for many uses as a server is one for its own process as well.
        let both = flags & REGCLS_MULTIPLEUSE != 0 && flags & REGCLS_MULTI_SEPARATE == 0;
        let context = if both && context & CLSCTX_LOCAL_SERVER != 0 { context | CLSCTX_INPROC_SERVER } else { context };
        let (oxid, home) = (home.oxid, Arc::downgrade(home));
        inner.registrations.push(Registration {
            cookie,
            clsid,
            object: Arc::new(Home(object)),
            oxid,
            home,
            context,
            flags,
            used: false,
        });
        cookie
    }

    /// Takes a registration out; only in its own apartment (ACT-05).
    fn revoke(&self, cookie: u32, here: u64) -> Result<Arc<Home<IUnknown>>, HRESULT> {
        let mut inner = self.inner.lock();
        let at = inner.registrations.iter().position(|it| it.cookie == cookie).ok_or(CO_E_OBJNOTREG)?;
        if inner.registrations[at].oxid != here {
            return Err(RPC_E_WRONG_THREAD);
        }
        Ok(inner.registrations.remove(at).object)
    }

    /// The registration that a client in `here` finds. A single-use one is used up by being found in public.
    pub(super) fn find(&self, clsid: &GUID, context: u32, here: &Arc<Apartment>) -> Option<Found> {
        let mut inner = self.inner.lock();
        let visible = |it: &Registration| it.clsid == *clsid && it.flags & REGCLS_SUSPENDED == 0;
        let at_home = |it: &Registration| it.home.upgrade().is_some_and(|home| Arc::ptr_eq(home.base(), here.base()));
        let own = CLSCTX_INPROC_SERVER | CLSCTX_INPROC_HANDLER;
        let in_process = |it: &Registration| it.context & context & own != 0 && at_home(it);
        let all = &mut inner.registrations;
        // What lies in the very context, then what the apartment has for itself, then what is public.
        let at =
            all.iter().position(|it| visible(it) && it.oxid == here.oxid && (in_process(it) || it.is_public(context)));
        let at = at.or_else(|| all.iter().position(|it| visible(it) && in_process(it)));
        let at = at.or_else(|| all.iter().position(|it| visible(it) && it.is_public(context)))?;
        let found = &mut all[at];
        if !in_process(found) {
            found.use_once();
        }
        match found.oxid == here.oxid {
            true => Some(Found::Here(found.object.clone())),
            false => Some(Found::There(found.home.upgrade()?, found.cookie)),
        }
    }

    /// The class object under a cookie. Only for its own apartment.
    pub(super) fn object(&self, cookie: u32) -> Option<Arc<Home<IUnknown>>> {
        let inner = self.inner.lock();
        inner.registrations.iter().find(|it| it.cookie == cookie).map(|it| it.object.clone())
    }

    /// An apartment ends: its registrations go (ACT-06).
    pub(crate) fn apartment_ends(&self, oxid: u64) {
        loop {
            let gone = {
                let mut inner = self.inner.lock();
                let at = inner.registrations.iter().position(|it| it.oxid == oxid);
                at.map(|at| inner.registrations.remove(at))
            };
            if gone.is_none() {
                break;
            }
        }
    }

    fn resume(&self, oxid: u64, suspend: bool) {
        for it in &mut self.inner.lock().registrations {
            if it.oxid == oxid {
                it.flags = if suspend { it.flags | REGCLS_SUSPENDED } else { it.flags & !REGCLS_SUSPENDED };
            }
        }
    }
}

export! {
    /// Registers a class object for the calling apartment (`CLSCTX_INPROC_SERVER`) or for all (`CLSCTX_LOCAL_SERVER`).
    ///
    /// # Safety
    /// The pointers are null or valid; `pUnk` belongs to the calling apartment.
    pub unsafe fn CoRegisterClassObject(
        rclsid: *const GUID,
        pUnk: *mut c_void,
        dwClsContext: u32,
        flags: u32,
        lpdwRegister: *mut u32,
    ) -> HRESULT {
        // SAFETY: the caller's.
        let (clsid, object, out) =
            unsafe { (rclsid.as_ref(), IUnknown::from_raw_borrowed(&pUnk), lpdwRegister.as_mut()) };
        let (Some(clsid), Some(object), Some(out)) = (clsid, object, out) else { return E_INVALIDARG };
        *out = 0;
        let Some(here) = apartment::current() else { return CO_E_NOTINITIALIZED };
        *out = Process::current().classes.register(*clsid, object.clone(), &here, dwClsContext, flags);
        S_OK
    }

    /// Takes a registration back; `RPC_E_WRONG_THREAD` outside its apartment (ACT-05).
    ///
    /// # Safety
    /// None beyond COM's own.
    pub unsafe fn CoRevokeClassObject(dwRegister: u32) -> HRESULT {
        let Some(here) = apartment::current() else { return CO_E_NOTINITIALIZED };
        match Process::current().classes.revoke(dwRegister, here.oxid) {
            Ok(object) => {
                drop(object);
                S_OK
            }
            Err(hr) => hr,
        }
    }

    /// Makes the apartment's suspended classes visible (ACT-07).
    ///
    /// # Safety
    /// None beyond COM's own.
    pub unsafe fn CoResumeClassObjects() -> HRESULT {
        let Some(here) = apartment::current() else { return CO_E_NOTINITIALIZED };
        Process::current().classes.resume(here.oxid, false);
        S_OK
    }

    /// Hides the apartment's classes until they are resumed.
    ///
    /// # Safety
    /// None beyond COM's own.
    pub unsafe fn CoSuspendClassObjects() -> HRESULT {
        let Some(here) = apartment::current() else { return CO_E_NOTINITIALIZED };
        Process::current().classes.resume(here.oxid, true);
        S_OK
    }
}

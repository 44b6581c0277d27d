//! Security blankets: what a client asks of the calls through one proxy.
//!
//! Nobody else is there to be asked who is who within a process, so a blanket is kept, handed on with each call, and shown;
//! it changes nothing. A [`Slot`] is that of one interface proxy or call object; nearly all are never set, and have no more
//! than its word. Its lock is held for moments only.

use crate::abi::hresult::{E_INVALIDARG, E_OUTOFMEMORY, S_OK};
use crate::abi::memory::CoTaskMemAlloc;
use crate::abi::types::{
    COLE_DEFAULT_AUTHINFO, COLE_DEFAULT_PRINCIPAL, EOAC_ANY_AUTHORITY, EOAC_DEFAULT, EOAC_DYNAMIC_CLOAKING,
    EOAC_MAKE_FULLSIC, EOAC_MUTUAL_AUTH, EOAC_NONE, EOAC_STATIC_CLOAKING, RPC_C_AUTHN_DCE_PRIVATE,
    RPC_C_AUTHN_DCE_PUBLIC, RPC_C_AUTHN_DEC_PUBLIC, RPC_C_AUTHN_DEFAULT, RPC_C_AUTHN_DIGEST, RPC_C_AUTHN_DPA,
    RPC_C_AUTHN_GSS_KERBEROS, RPC_C_AUTHN_GSS_NEGOTIATE, RPC_C_AUTHN_GSS_SCHANNEL, RPC_C_AUTHN_KERNEL,
    RPC_C_AUTHN_LEVEL_DEFAULT, RPC_C_AUTHN_LEVEL_PKT_PRIVACY, RPC_C_AUTHN_MQ, RPC_C_AUTHN_MSN, RPC_C_AUTHN_NONE,
    RPC_C_AUTHN_WINNT, RPC_C_AUTHZ_DCE, RPC_C_AUTHZ_DEFAULT, RPC_C_AUTHZ_NAME, RPC_C_AUTHZ_NONE,
    RPC_C_IMP_LEVEL_DEFAULT, RPC_C_IMP_LEVEL_DELEGATE, RPC_C_IMP_LEVEL_IDENTIFY,
};
use parking_lot::Mutex;
use std::ffi::c_void;
use std::ptr;
use std::sync::{Arc, OnceLock};
use windows_core::HRESULT;

const SERVICES: [u32; 13] = [
    RPC_C_AUTHN_NONE,
    RPC_C_AUTHN_DCE_PRIVATE,
    RPC_C_AUTHN_DCE_PUBLIC,
    RPC_C_AUTHN_DEC_PUBLIC,
    RPC_C_AUTHN_GSS_NEGOTIATE,
    RPC_C_AUTHN_WINNT,
    RPC_C_AUTHN_GSS_SCHANNEL,
    RPC_C_AUTHN_GSS_KERBEROS,
    RPC_C_AUTHN_DPA,
    RPC_C_AUTHN_MSN,
    RPC_C_AUTHN_KERNEL,
    RPC_C_AUTHN_DIGEST,
    RPC_C_AUTHN_MQ,
];
const CLOAKING: u32 = EOAC_STATIC_CLOAKING | EOAC_DYNAMIC_CLOAKING;
const CAPABILITIES: u32 = EOAC_MUTUAL_AUTH | CLOAKING | EOAC_ANY_AUTHORITY | EOAC_MAKE_FULLSIC;

/// What is in force where nobody set anything: what Windows has for calls that stay on the machine (chosen).
static DEFAULT: Blanket = Blanket {
    service: RPC_C_AUTHN_WINNT,
    authorization: RPC_C_AUTHZ_NONE,
    principal: None,
    level: RPC_C_AUTHN_LEVEL_PKT_PRIVACY,
    impersonation: RPC_C_IMP_LEVEL_IDENTIFY,
    info: 0,
    capabilities: EOAC_NONE,
};

/// A blanket.
#[derive(Debug)]
pub(crate) struct Blanket {
    service: u32,
    authorization: u32,
    /// With its zero.
    principal: Option<Box<[u16]>>,
    level: u32,
    impersonation: u32,
    /// The caller's own pointer; never followed.
    info: usize,
    capabilities: u32,
}

/// What `SetBlanket` is given.
pub(crate) struct Wanted {
    pub(crate) service: u32,
    pub(crate) authorization: u32,
    pub(crate) principal: *mut u16,
    pub(crate) level: u32,
    pub(crate) impersonation: u32,
    pub(crate) info: *mut c_void,
    pub(crate) capabilities: u32,
}

/// Where `QueryBlanket` writes; each may be null.
pub(crate) struct Outs {
    pub(crate) service: *mut u32,
    pub(crate) authorization: *mut u32,
    pub(crate) principal: *mut *mut u16,
    pub(crate) level: *mut u32,
    pub(crate) impersonation: *mut u32,
    /// The client's `pAuthInfo`, or the server's `pPrivs`.
    pub(crate) info: *mut *mut c_void,
    pub(crate) capabilities: *mut u32,
}

impl Outs {
    /// What a failure leaves: no pointer that its caller might free or follow.
    ///
    /// # Safety
    /// Each out pointer is null or valid for writes.
    pub(crate) unsafe fn clear(&self) {
        // SAFETY: the caller's promise.
        unsafe {
            if let Some(out) = self.principal.as_mut() {
                *out = ptr::null_mut();
            }
            if let Some(out) = self.info.as_mut() {
                *out = ptr::null_mut();
            }
        }
    }
}

impl Blanket {
    /// Checks what is wanted and puts defaults in.
    ///
    /// # Safety
    /// The principal is null, `COLE_DEFAULT_PRINCIPAL` or a string with a zero at its end.
    unsafe fn new(wanted: &Wanted) -> Result<Self, HRESULT> {
        let or = |value: u32, asks: u32, default: u32| if value == asks { default } else { value };
        let service = or(wanted.service, RPC_C_AUTHN_DEFAULT, DEFAULT.service);
        let authorization = or(wanted.authorization, RPC_C_AUTHZ_DEFAULT, DEFAULT.authorization);
        let level = or(wanted.level, RPC_C_AUTHN_LEVEL_DEFAULT, DEFAULT.level);
        let impersonation = or(wanted.impersonation, RPC_C_IMP_LEVEL_DEFAULT, DEFAULT.impersonation);
        let capabilities = or(wanted.capabilities, EOAC_DEFAULT, DEFAULT.capabilities);
        let valid = SERVICES.contains(&service)
            && matches!(authorization, RPC_C_AUTHZ_NONE | RPC_C_AUTHZ_NAME | RPC_C_AUTHZ_DCE)
            && level <= RPC_C_AUTHN_LEVEL_PKT_PRIVACY
            && impersonation <= RPC_C_IMP_LEVEL_DELEGATE
            && capabilities & !CAPABILITIES == 0
            && capabilities & CLOAKING != CLOAKING;
        if !valid {
            return Err(E_INVALIDARG);
        }
        // SAFETY: the caller's promise.
        let principal = unsafe { copied(wanted.principal) };
        let info = if wanted.info == COLE_DEFAULT_AUTHINFO { 0 } else { wanted.info.expose_provenance() };
        Ok(Self { service, authorization, principal, level, impersonation, info, capabilities })
    }
}

/// # Safety
/// As for [`Blanket::new`].
unsafe fn copied(name: *mut u16) -> Option<Box<[u16]>> {
    if name.is_null() || name == COLE_DEFAULT_PRINCIPAL {
        return None;
    }
    // SAFETY: the caller's promise.
    unsafe {
        let len = (0..).take_while(|at| *name.add(*at) != 0).count();
        Some(std::slice::from_raw_parts(name, len + 1).into())
    }
}

/// Shows a blanket: the one given, or the default.
///
/// # Safety
/// Each out pointer is null or valid for writes.
pub(crate) unsafe fn show(blanket: Option<&Blanket>, for_client: bool, outs: &Outs) -> HRESULT {
    let blanket = blanket.unwrap_or(&DEFAULT);
    // SAFETY: the caller's promise.
    unsafe {
        outs.clear();
        if let Some(out) = outs.principal.as_mut() {
            // What the server runs as is nobody's to ask within a process: only the client sees the name that it set.
            let name = blanket.principal.as_deref().filter(|_| for_client);
            if let Some(name) = name {
                let memory = CoTaskMemAlloc(size_of_val(name)).cast::<u16>();
                if memory.is_null() {
                    return E_OUTOFMEMORY;
                }
                ptr::copy_nonoverlapping(name.as_ptr(), memory, name.len());
                *out = memory;
            }
        }
        if let Some(out) = outs.info.as_mut() {
            *out = if for_client { ptr::with_exposed_provenance_mut(blanket.info) } else { ptr::null_mut() };
        }
        for (out, value) in [
            (outs.service, blanket.service),
            (outs.authorization, blanket.authorization),
            (outs.level, blanket.level),
            (outs.impersonation, blanket.impersonation),
            (outs.capabilities, blanket.capabilities),
        ] {
            if let Some(out) = out.as_mut() {
                *out = value;
            }
        }
    }
    S_OK
}

/// The blanket of one interface proxy or call object.
#[derive(Debug, Default)]
pub(crate) struct Slot(OnceLock<Box<Mutex<Arc<Blanket>>>>);

impl Slot {
    /// A slot with what another has now.
    pub(crate) fn like(other: &Self) -> Self {
        Self(other.get().map_or_else(OnceLock::new, |blanket| Box::new(Mutex::new(blanket)).into()))
    }

    /// What was set; `None` is the default.
    pub(crate) fn get(&self) -> Option<Arc<Blanket>> {
        self.0.get().map(|set| set.lock().clone())
    }

    /// Sets it.
    ///
    /// # Safety
    /// As for [`Blanket::new`].
    pub(crate) unsafe fn set(&self, wanted: &Wanted) -> HRESULT {
        // SAFETY: the caller's promise.
        match unsafe { Blanket::new(wanted) } {
            Ok(blanket) => {
                let blanket = Arc::new(blanket);
                let set = self.0.get_or_init(|| Box::new(Mutex::new(blanket.clone())));
                let before = std::mem::replace(&mut *set.lock(), blanket);
                drop(before);
                S_OK
            }
            Err(hr) => hr,
        }
    }
}

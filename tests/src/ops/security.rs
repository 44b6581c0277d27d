//! Blankets of proxies and call objects, what a server learns of its client, impersonation.

use super::{Operation, give, op};
use oleander::*;
use std::ffi::c_void;
use std::ptr::{dangling_mut, null_mut};

/// The table.
pub const OPERATIONS: &[Operation] = &[
    op(
        "CoQueryProxyBlanket",
        "proxy",
        "hr service:RPC_C_AUTHN_ authorization:RPC_C_AUTHZ_ level:RPC_C_AUTHN_LEVEL_ impersonation:RPC_C_IMP_LEVEL_",
        "the security of calls through a proxy or a call object",
        |c| {
            let (proxy, n): (*mut c_void, _) = (c.get(0)?, null_mut());
            let [mut service, mut authorization, mut level, mut impersonation] = [0xABCD; 4];
            // SAFETY: valid pointers, or null.
            let hr = unsafe {
                let (level, impersonation) = (&mut level, &mut impersonation);
                CoQueryProxyBlanket(
                    proxy,
                    &mut service,
                    &mut authorization,
                    n,
                    level,
                    impersonation,
                    null_mut(),
                    null_mut(),
                )
            };
            give![hr, service, authorization, level, impersonation]
        },
    ),
    op("CoCopyProxy", "proxy", "hr copy", "a copy of a proxy, with a blanket of its own", |c| {
        let mut raw = dangling_mut();
        // SAFETY: a live object; a valid pointer.
        let hr = unsafe { CoCopyProxy(c.get(0)?, &mut raw) };
        give![hr, c.owned(raw)]
    }),
    op(
        "CoSetProxyBlanket",
        "proxy service:RPC_C_AUTHN_ authorization:RPC_C_AUTHZ_ level:RPC_C_AUTHN_LEVEL_ impersonation:RPC_C_IMP_LEVEL_",
        "hr",
        "sets it",
        |c| {
            let (proxy, n): (*mut c_void, _) = (c.get(0)?, null_mut());
            // SAFETY: a live object, or null.
            let hr = unsafe {
                CoSetProxyBlanket(proxy, c.get(1)?, c.get(2)?, null_mut(), c.get(3)?, c.get(4)?, n, EOAC_NONE)
            };
            give![hr]
        },
    ),
    op(
        "CoQueryClientBlanket",
        "",
        "hr service:RPC_C_AUTHN_ authorization:RPC_C_AUTHZ_ level:RPC_C_AUTHN_LEVEL_ impersonation:RPC_C_IMP_LEVEL_",
        "in a method: the security of the call",
        |_| {
            let [mut service, mut authorization, mut level, mut impersonation] = [0xABCD; 4];
            // SAFETY: valid pointers, or null.
            let hr = unsafe {
                let (level, impersonation) = (&mut level, &mut impersonation);
                let n = null_mut();
                CoQueryClientBlanket(&mut service, &mut authorization, null_mut(), level, impersonation, n, null_mut())
            };
            give![hr, service, authorization, level, impersonation]
        },
    ),
    op("CoImpersonateClient", "", "hr", "in a method: acts as the client", |_| {
        // SAFETY: no pointers.
        give![unsafe { CoImpersonateClient() }]
    }),
    op("CoRevertToSelf", "", "hr", "in a method: acts as itself again", |_| {
        // SAFETY: no pointers.
        give![unsafe { CoRevertToSelf() }]
    }),
    op("ImpersonateClient", "call", "hr", "IServerSecurity::ImpersonateClient", |c| {
        let security: IServerSecurity = c.interface(0)?;
        // SAFETY: no pointers.
        give![unsafe { security.ImpersonateClient() }]
    }),
    op("RevertToSelf", "call", "hr", "IServerSecurity::RevertToSelf", |c| {
        let security: IServerSecurity = c.interface(0)?;
        // SAFETY: no pointers.
        give![unsafe { security.RevertToSelf() }]
    }),
    op("IsImpersonating", "call", "BOOL", "IServerSecurity::IsImpersonating", |c| {
        let security: IServerSecurity = c.interface(0)?;
        // SAFETY: no pointers.
        give![unsafe { security.IsImpersonating() }]
    }),
];

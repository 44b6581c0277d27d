//! Apartments: entering, leaving, asking. What an actor initialises is balanced when it leaves.

use super::{Call, Operation, give, op};
use crate::run::{Argument, Value};
use oleander::windows_core::HRESULT;
use oleander::*;
use std::ptr::{null_mut, without_provenance_mut};

/// Counts an initialisation that is to be balanced.
fn entered(c: &Call<'_>, hr: HRESULT) -> HRESULT {
    if hr.is_ok() {
        c.stage.initialized(c.owner);
    }
    hr
}

fn decrement(value: &Value) {
    if let Some(cookie) = usize::of(value) {
        // SAFETY: a cookie that the row has not given back.
        let _ = unsafe { CoDecrementMTAUsage(without_provenance_mut(cookie)) };
    }
}

/// The table.
pub const OPERATIONS: &[Operation] = &[
    op("CoInitializeEx", "flags:COINIT_ reserved?", "hr", "enters an apartment", |c| {
        let reserved = c.optional::<usize>(1)?.unwrap_or(0);
        // SAFETY: the pointer is not followed.
        let hr = unsafe { CoInitializeEx(without_provenance_mut(reserved), c.get(0)?) };
        give![entered(c, hr)]
    }),
    op("CoInitialize", "", "hr", "enters a single-threaded apartment", |c| {
        // SAFETY: null as documented.
        let hr = unsafe { CoInitialize(null_mut()) };
        give![entered(c, hr)]
    }),
    op("CoUninitialize", "", "", "leaves, or balances one initialisation", |c| {
        c.stage.balance(c.owner);
        // SAFETY: the row balances its own initialisations; one too many is what AP-16 is about.
        unsafe { CoUninitialize() };
        give![]
    }),
    op("CoGetApartmentType", "", "hr type:APTTYPE_ qualifier:APTTYPEQUALIFIER_", "where the thread is", |_| {
        let (mut kind, mut qualifier) = (0xABCD, 0xABCD);
        // SAFETY: valid pointers.
        let hr = unsafe { CoGetApartmentType(&mut kind, &mut qualifier) };
        give![hr, kind, qualifier]
    }),
    op(
        "CoGetApartmentType.null",
        "which:text",
        "hr other",
        "with a null pointer for `type` or `qualifier`, or both",
        |c| {
            let (which, mut other) = (c.get::<String>(0)?, 0xABCD);
            let kind = if which == "qualifier" { &raw mut other } else { null_mut() };
            let qualifier = if which == "type" { &raw mut other } else { null_mut() };
            // SAFETY: null or valid.
            let hr = unsafe { CoGetApartmentType(kind, qualifier) };
            give![hr, other]
        },
    ),
    op("CoIncrementMTAUsage", "", "hr cookie", "keeps the MTA alive", |c| {
        let mut cookie = null_mut();
        // SAFETY: a valid pointer.
        let hr = unsafe { CoIncrementMTAUsage(&mut cookie) };
        give![hr, c.keep(cookie.addr(), decrement)]
    }),
    op("CoRegisterInitializeSpy", "spy", "hr cookie", "a spy of the thread's own", |c| {
        let mut cookie = 0xABCD;
        // SAFETY: a valid pointer; the spy is null or alive.
        let hr = unsafe { CoRegisterInitializeSpy(c.get(0)?, &mut cookie) };
        give![hr, cookie]
    }),
    op("CoRegisterInitializeSpy.null", "spy", "hr", "with null for the output", |c| {
        // SAFETY: null is what this is about; the spy is alive.
        give![unsafe { CoRegisterInitializeSpy(c.get(0)?, null_mut()) }]
    }),
    op("CoRevokeInitializeSpy", "cookie", "hr", "takes a spy away", |c| {
        // SAFETY: a cookie is a number.
        give![unsafe { CoRevokeInitializeSpy(c.get(0)?) }]
    }),
    op("CoDecrementMTAUsage", "cookie", "hr", "gives a cookie back", |c| {
        let cookie: usize = c.get(0)?;
        c.let_go(cookie);
        // SAFETY: a cookie is not followed.
        let hr = unsafe { CoDecrementMTAUsage(without_provenance_mut(cookie)) };
        give![hr]
    }),
];

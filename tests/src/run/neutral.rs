//! The way into the neutral apartment, which has no threads: a thread of another apartment steps in and out.
//!
//! COM makes the apartment for the first object of a neutral class. So [`Neutral::find`] has such a class asked for an
//! object, once, and its class object, which is asked in there, makes none but notes the context that it finds itself in.
//! [`Neutral::run`] calls through that context. Both are for the actor's own thread; nothing is shared but the note.

use super::stage::lock;
use oleander::object::{ThreadingModel, class_factory_with, register_in_process_class, revoke_in_process_class};
use oleander::windows_core::{GUID, HRESULT, IUnknown, Interface};
use oleander::*;
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::{Arc, Mutex};

/// The class that makes nothing.
const CLSID_NOTHING: GUID = GUID::from_u128(0x5b0e6a10_3c1d_4a5e_9a77_6f6c65616f14);
/// The interface and the method that the calls claim to be for.
const CLAIM: (GUID, i32) = (GUID::from_u128(0x5b0e6a10_3c1d_4a5e_9a77_6f6c65616f15), 3);

/// The neutral apartment, for a thread that is in another.
pub struct Neutral(IContextCallback);

impl Neutral {
    /// Finds the neutral apartment of the process. The thread must be in an apartment.
    pub fn find() -> Result<Self, String> {
        let noted = Arc::<Mutex<usize>>::default();
        let note = noted.clone();
        let make = move || {
            let note = note.clone();
            class_factory_with(move |_, _, _| {
                let mut raw = null_mut();
                // SAFETY: valid pointers.
                let hr = unsafe { CoGetObjectContext(&IContextCallback::IID, &mut raw) };
                *lock(&note) = raw.expose_provenance();
                if hr == S_OK { E_FAIL } else { hr }
            })
        };
        register_in_process_class(&CLSID_NOTHING, make, ThreadingModel::Neutral, 0);
        let mut none = null_mut();
        // SAFETY: valid pointers; nothing is made.
        let hr =
            unsafe { CoCreateInstance(&CLSID_NOTHING, null_mut(), CLSCTX_INPROC_SERVER, &IUnknown::IID, &mut none) };
        revoke_in_process_class(&CLSID_NOTHING);
        let raw: *mut c_void = std::ptr::with_exposed_provenance_mut(*lock(&noted));
        if raw.is_null() {
            return Err(format!("no way into the neutral apartment: {hr:?}"));
        }
        // SAFETY: the counted pointer that the class object noted; contexts are agile.
        Ok(Self(unsafe { IContextCallback::from_raw(raw) }))
    }

    /// Runs something in there, on this thread.
    pub fn run<R>(&self, body: impl FnOnce() -> R) -> Result<R, String> {
        let mut result = None;
        let mut body = Some(body);
        let mut job = || result = body.take().map(|body| body());
        let mut job: &mut dyn FnMut() = &mut job;
        let mut data = ComCallData { dwDispid: 0, dwReserved: 0, pUserDefined: (&raw mut job).cast() };
        // SAFETY: the job lives during the call, which is on this thread.
        let hr = unsafe { self.0.ContextCallback(Some(call), &mut data, &CLAIM.0, CLAIM.1, null_mut()) };
        result.ok_or_else(|| format!("the way into the neutral apartment gave {hr:?}"))
    }
}

/// # Safety
/// `data` has the address of a `&mut dyn FnMut()` that lives during the call.
unsafe extern "system" fn call(data: *mut ComCallData) -> HRESULT {
    // SAFETY: the caller's promise.
    let job = unsafe { &mut *(*data).pUserDefined.cast::<&mut dyn FnMut()>() };
    job();
    S_OK
}

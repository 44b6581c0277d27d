//! Agile references: an object that any apartment can have a pointer from (MRSH-27).
//!
//! What a reference holds never changes, but for the packet of a delayed one, which the first `Resolve` from elsewhere
//! makes; its lock is held for a look only. The reference is agile itself and may be released anywhere: what it holds is
//! an agile object, a table-strong packet, or a visit to the object's stub manager, which its apartment's end empties.

use super::table_packet::TablePacket;
use crate::abi::exports::export;
use crate::abi::hresult::{CO_E_NOT_SUPPORTED, CO_E_OBJNOTCONNECTED, E_INVALIDARG, S_OK};
use crate::abi::interfaces::{IAgileObject, IAgileReference, IAgileReference_Impl, INoMarshal};
use crate::abi::types::{AGILEREFERENCE_DEFAULT, AGILEREFERENCE_DELAYEDMARSHAL};
use crate::apartment::{self, Apartment};
use crate::object::raw;
use crate::stub::{Home, Visit};
use crate::{channel, com_class, proxy};
use parking_lot::Mutex;
use std::ffi::c_void;
use std::sync::{Arc, Weak};
use windows_core::{GUID, HRESULT, IUnknown, Interface};

type Outcome<T> = Result<T, HRESULT>;

enum Held {
    /// The object says that it may be used everywhere.
    Agile(Home<IUnknown>),
    Packet(TablePacket),
    Delayed(Delayed),
}

/// Nothing is marshaled before somebody elsewhere asks.
struct Delayed {
    home: Weak<Apartment>,
    iid: GUID,
    visit: Visit,
    packet: Mutex<Option<Arc<TablePacket>>>,
}

impl Delayed {
    fn resolve(&self, wanted: &GUID) -> Outcome<*mut c_void> {
        let home = self.home.upgrade().ok_or(CO_E_OBJNOTCONNECTED)?;
        if home.is_current() {
            return raw::interface_of(&self.visit.object().ok_or(CO_E_OBJNOTCONNECTED)?, wanted);
        }
        self.packet(&home)?.resolve(wanted)
    }

    fn packet(&self, home: &Arc<Apartment>) -> Outcome<Arc<TablePacket>> {
        if let Some(there) = &*self.packet.lock() {
            return Ok(there.clone());
        }
        channel::client::may_call_out()?;
        let (manager, iid) = (Arc::clone(&self.visit), self.iid);
        let made =
            apartment::run_in(home, move || TablePacket::new(&manager.object().ok_or(CO_E_OBJNOTCONNECTED)?, &iid))??;
        let made = Arc::new(made);
        // Somebody else may have been faster: his packet is as good, and ours goes outside the lock.
        let kept = self.packet.lock().get_or_insert_with(|| made.clone()).clone();
        Ok(kept)
    }
}

#[com_class(IAgileReference, agile)]
struct AgileReference {
    held: Held,
}

impl IAgileReference_Impl for AgileReference_Impl {
    unsafe fn Resolve(&self, riid: *const GUID, ppvObjectReference: *mut *mut c_void) -> HRESULT {
        // SAFETY: null or valid.
        let (iid, out) = unsafe { (riid.as_ref(), ppvObjectReference.as_mut()) };
        let Some(out) = out else { return E_INVALIDARG };
        *out = std::ptr::null_mut();
        let Some(iid) = iid else { return E_INVALIDARG };
        let found = apartment::require().and_then(|_| match &self.held {
            Held::Agile(object) => raw::interface_of(&object.0, iid),
            Held::Packet(packet) => packet.resolve(iid),
            Held::Delayed(delayed) => delayed.resolve(iid),
        });
        match found {
            Ok(raw) => {
                *out = raw;
                S_OK
            }
            Err(hr) => hr,
        }
    }
}

fn hold(object: &IUnknown, iid: &GUID, delayed: bool) -> Outcome<Held> {
    if object.cast::<INoMarshal>().is_ok() {
        return Err(CO_E_NOT_SUPPORTED);
    }
    let typed = raw::typed(object, iid)?;
    if object.cast::<IAgileObject>().is_ok() {
        return Ok(Held::Agile(Home(typed)));
    }
    if !delayed || proxy::manager_of(object).is_some() {
        return Ok(Held::Packet(TablePacket::new(&typed, iid)?));
    }
    let home = apartment::require()?;
    let visit = home.exports.manager(&home, object)?;
    Ok(Held::Delayed(Delayed { home: Arc::downgrade(&home), iid: *iid, visit, packet: Mutex::new(None) }))
}

export! {
    /// A reference to an object that every apartment can resolve to a pointer of its own (MRSH-27).
    ///
    /// The object is marshaled at once, or with `AGILEREFERENCE_DELAYEDMARSHAL` when another apartment asks first; an
    /// object with `IAgileObject` never is, and one that is a proxy already always at once. The reference keeps the
    /// object alive; when the object's apartment ends, `Resolve` gives `CO_E_OBJNOTCONNECTED`.
    ///
    /// `E_INVALIDARG` for null pointers and other options, `CO_E_NOTINITIALIZED` outside COM, `E_NOINTERFACE` for an
    /// interface that the object lacks, or that nothing can carry, `CO_E_NOT_SUPPORTED` for an object with `INoMarshal`.
    ///
    /// # Safety
    /// The pointers are null or valid; `pUnk` belongs to the calling apartment.
    pub unsafe fn RoGetAgileReference(
        options: i32,
        riid: *const GUID,
        pUnk: *mut c_void,
        ppAgileReference: *mut *mut c_void,
    ) -> HRESULT {
        // SAFETY: the caller's.
        let (iid, object, out) =
            unsafe { (riid.as_ref(), IUnknown::from_raw_borrowed(&pUnk), ppAgileReference.as_mut()) };
        let Some(out) = out else { return E_INVALIDARG };
        *out = std::ptr::null_mut();
        let (Some(iid), Some(object)) = (iid, object) else { return E_INVALIDARG };
        if let Err(hr) = apartment::require() {
            return hr;
        }
        let delayed = match options {
            AGILEREFERENCE_DEFAULT => false,
            AGILEREFERENCE_DELAYEDMARSHAL => true,
            _ => return E_INVALIDARG,
        };
        match hold(object, iid, delayed) {
            Ok(held) => {
                *out = IAgileReference::from(AgileReference { held }).into_raw();
                S_OK
            }
            Err(hr) => hr,
        }
    }
}

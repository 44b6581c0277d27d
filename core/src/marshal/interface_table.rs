//! The global interface table: pointers for the whole process under cookies (MRSH-25).
//!
//! An entry is a table-strong packet, or the pointer itself for an object that says it is agile (ruling). The lock is held
//! for look-ups only; packets are made, read and released outside of it. Who has found an entry may use it up to the end,
//! whoever revokes it meanwhile.

use super::table_packet::TablePacket;
use crate::abi::clsid::CLSID_StdGlobalInterfaceTable;
use crate::abi::hresult::{CLASS_E_NOAGGREGATION, E_INVALIDARG, S_OK};
use crate::abi::interfaces::{IAgileObject, IGlobalInterfaceTable, IGlobalInterfaceTable_Vtbl};
use crate::apartment;
use crate::object::{SystemClass, raw};
use crate::platform::{self, Access, Object};
use crate::process::Process;
use parking_lot::Mutex;
use std::collections::{BTreeMap, btree_map};
use std::ffi::c_void;
use std::sync::Arc;
use windows_core::{GUID, HRESULT, IUnknown, IUnknown_Vtbl, Interface};

#[derive(Clone)]
enum Entry {
    Packet(Arc<TablePacket>),
    Agile(Arc<Agile>),
}

struct Agile(IUnknown);
// SAFETY: its object said that it may be used from every apartment.
unsafe impl Send for Agile {}
// SAFETY: as above.
unsafe impl Sync for Agile {}

#[derive(Default)]
struct Inner {
    entries: BTreeMap<u32, Entry>,
    last: u32,
}

/// The table of a process.
pub(crate) struct InterfaceTable {
    object: Object,
    inner: Mutex<Inner>,
}

impl InterfaceTable {
    pub(crate) fn new(object: Object) -> Self {
        Self { object, inner: Mutex::default() }
    }

    fn insert(&self, entry: Entry) -> u32 {
        platform::visit(self.object, Access::Write);
        let mut inner = self.inner.lock();
        // Cookies are not 0 and not used twice before the number comes round.
        loop {
            inner.last = inner.last.wrapping_add(1).max(1);
            let cookie = inner.last;
            if let btree_map::Entry::Vacant(free) = inner.entries.entry(cookie) {
                free.insert(entry);
                return cookie;
            }
        }
    }

    fn find(&self, cookie: u32) -> Option<Entry> {
        platform::visit(self.object, Access::Read);
        self.inner.lock().entries.get(&cookie).cloned()
    }

    fn remove(&self, cookie: u32) -> Option<Entry> {
        platform::visit(self.object, Access::Write);
        self.inner.lock().entries.remove(&cookie)
    }

    /// COM has left the process: what nobody revoked, for the caller to drop. Packets lead nowhere by now.
    pub(crate) fn take(&self) -> impl Sized + use<> {
        Left(std::mem::take(&mut self.inner.lock().entries))
    }
}

/// What nobody revoked.
struct Left(BTreeMap<u32, Entry>);

impl Drop for Left {
    fn drop(&mut self) {
        for entry in std::mem::take(&mut self.0).into_values() {
            if let Entry::Packet(packet) = entry
                && let Some(packet) = Arc::into_inner(packet)
            {
                packet.forget();
            }
        }
    }
}

fn register(unknown: &IUnknown, iid: &GUID) -> Result<u32, HRESULT> {
    apartment::require()?;
    let table = Process::current();
    if unknown.cast::<IAgileObject>().is_ok() {
        let object = raw::typed(unknown, iid)?;
        return Ok(table.interface_table.insert(Entry::Agile(Arc::new(Agile(object)))));
    }
    let packet = TablePacket::new(unknown, iid)?;
    Ok(table.interface_table.insert(Entry::Packet(Arc::new(packet))))
}

fn revoke(cookie: u32) -> HRESULT {
    let gone = Process::current().interface_table.remove(cookie);
    if gone.is_some() { S_OK } else { E_INVALIDARG }
}

fn get(cookie: u32, iid: &GUID) -> Result<*mut c_void, HRESULT> {
    apartment::require()?;
    match Process::current().interface_table.find(cookie).ok_or(E_INVALIDARG)? {
        Entry::Packet(packet) => packet.resolve(iid),
        Entry::Agile(object) => raw::interface_of(&object.0, iid),
    }
}

/// The object in front of the table: the same for ever, so it does not count (GI-01).
#[repr(C)]
struct TableObject {
    vtable: &'static IGlobalInterfaceTable_Vtbl,
}

static TABLE: TableObject = TableObject {
    vtable: &IGlobalInterfaceTable_Vtbl {
        base__: IUnknown_Vtbl { QueryInterface: query, AddRef: one, Release: one },
        RegisterInterfaceInGlobal: register_thunk,
        RevokeInterfaceFromGlobal: revoke_thunk,
        GetInterfaceFromGlobal: get_thunk,
    },
};

unsafe extern "system" fn query(this: *mut c_void, iid: *const GUID, ppv: *mut *mut c_void) -> HRESULT {
    // SAFETY: null or valid, as COM asks.
    let (Some(iid), Some(out)) = (unsafe { (iid.as_ref(), ppv.as_mut()) }) else { return E_INVALIDARG };
    if *iid == IUnknown::IID || *iid == IGlobalInterfaceTable::IID || *iid == IAgileObject::IID {
        *out = this;
        S_OK
    } else {
        *out = std::ptr::null_mut();
        crate::abi::hresult::E_NOINTERFACE
    }
}

unsafe extern "system" fn one(_this: *mut c_void) -> u32 {
    1
}

unsafe extern "system" fn register_thunk(
    _this: *mut c_void,
    pUnk: *mut c_void,
    riid: *const GUID,
    pdwCookie: *mut u32,
) -> HRESULT {
    crate::object::guard::call(|| {
        // SAFETY: null or valid, as COM asks.
        let (unknown, iid, out) = unsafe { (IUnknown::from_raw_borrowed(&pUnk), riid.as_ref(), pdwCookie.as_mut()) };
        let (Some(unknown), Some(iid), Some(out)) = (unknown, iid, out) else { return E_INVALIDARG };
        *out = 0;
        match register(unknown, iid) {
            Ok(cookie) => {
                *out = cookie;
                S_OK
            }
            Err(hr) => hr,
        }
    })
}

unsafe extern "system" fn revoke_thunk(_this: *mut c_void, dwCookie: u32) -> HRESULT {
    crate::object::guard::call(|| revoke(dwCookie))
}

unsafe extern "system" fn get_thunk(
    _this: *mut c_void,
    dwCookie: u32,
    riid: *const GUID,
    ppv: *mut *mut c_void,
) -> HRESULT {
    crate::object::guard::call(|| {
        // SAFETY: null or valid, as COM asks.
        let (Some(iid), Some(out)) = (unsafe { (riid.as_ref(), ppv.as_mut()) }) else { return E_INVALIDARG };
        *out = std::ptr::null_mut();
        match get(dwCookie, iid) {
            Ok(raw) => {
                *out = raw;
                S_OK
            }
            Err(hr) => hr,
        }
    })
}

unsafe fn create(outer: *mut c_void, riid: *const GUID, ppv: *mut *mut c_void) -> HRESULT {
    if !outer.is_null() {
        return CLASS_E_NOAGGREGATION;
    }
    // SAFETY: the static object, and the caller's pointers.
    unsafe { query((&raw const TABLE).cast_mut().cast(), riid, ppv) }
}

inventory::submit! { SystemClass { clsid: CLSID_StdGlobalInterfaceTable, create } }

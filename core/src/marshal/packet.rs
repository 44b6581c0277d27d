//! Packets: an interface pointer as bytes, and back. What the functions on streams and the NDR of interface pointers share.
//!
//! A normal packet carries five references (OB-04), which the stub manager counts by IPID until somebody takes them:
//! whoever unmarshals or releases a packet first has them, later ones get none of those that belong to others. A table
//! packet carries none: it is counted on the stub manager, and each unmarshaling asks for references of its own.

use super::objref::{CUSTOM_TAIL, HANDLER_TAIL, HEAD, NO_PING, ObjRef, Standard, TABLE_STRONG, TABLE_WEAK, Tail};
use super::stream::{self, memory_stream};
use crate::abi::clsid::CLSID_StdMarshal;
use crate::abi::hresult::{
    CO_E_NOT_SUPPORTED, CO_E_OBJNOTCONNECTED, CO_E_OBJNOTREG, E_INVALIDARG, RPC_E_INVALID_OBJREF,
};
use crate::abi::interfaces::{IMarshal, INoMarshal, IStdMarshalInfo, IStream};
use crate::abi::types::{
    CLSCTX_INPROC_SERVER, MSHCTX_CONTAINER, MSHCTX_CROSSCTX, MSHCTX_INPROC, MSHLFLAGS_NOPING, MSHLFLAGS_NORMAL,
    MSHLFLAGS_TABLESTRONG, MSHLFLAGS_TABLEWEAK, STREAM_SEEK_END, STREAM_SEEK_SET,
};
use crate::apartment::{self, Apartment};
use crate::object::{CoCreateInstance, raw};
use crate::process::Process;
use crate::protocol::refs::{Refs, Spent};
use crate::proxy;
use crate::stub::{PACKET_REFS, StubManager};
use std::ffi::c_void;
use std::sync::Arc;
use windows_core::{GUID, HRESULT, IUnknown, Interface};

/// An upper bound for the bytes of a standard packet, with a handler's class or without.
pub(crate) const STANDARD_SIZE: u32 = (HEAD + HANDLER_TAIL) as u32;

type Outcome<T> = Result<T, HRESULT>;

fn code(error: windows_core::Error) -> HRESULT {
    error.code()
}

/// Where a packet goes, and how long it lives.
pub(crate) struct Destination {
    pub(crate) context: u32,
    /// `pvDestContext`: handed on, never looked at.
    pub(crate) data: *mut c_void,
    pub(crate) flags: u32,
}

impl Destination {
    /// A table-strong packet for this process.
    pub(crate) const TABLE: Self = Self::inproc(MSHLFLAGS_TABLESTRONG);

    /// A packet for this process.
    pub(crate) const fn inproc(flags: u32) -> Self {
        Self { context: MSHCTX_INPROC, data: std::ptr::null_mut(), flags }
    }

    /// `E_INVALIDARG` for a context that is none, and for a packet of two kinds at once.
    pub(crate) fn check(&self) -> Outcome<()> {
        let kinds = MSHLFLAGS_TABLESTRONG | MSHLFLAGS_TABLEWEAK;
        if self.context > MSHCTX_CONTAINER || self.flags & kinds == kinds { Err(E_INVALIDARG) } else { Ok(()) }
    }
}

/// Appends a packet for an object's interface.
pub(crate) fn marshal(unknown: &IUnknown, iid: &GUID, to: &Destination, out: &mut Vec<u8>) -> Outcome<()> {
    apartment::require()?;
    if proxy::manager_of(unknown).is_none() {
        if unknown.cast::<INoMarshal>().is_ok() {
            return Err(CO_E_NOT_SUPPORTED);
        }
        if let Ok(custom) = unknown.cast::<IMarshal>() {
            return marshal_custom(&custom, unknown, iid, to, out);
        }
    }
    marshal_standard(unknown, iid, to, out)
}

/// A packet of the standard marshaler for an object of this apartment, or for what a proxy stands for.
pub(crate) fn marshal_standard(unknown: &IUnknown, iid: &GUID, to: &Destination, out: &mut Vec<u8>) -> Outcome<()> {
    let home = apartment::require()?;
    if let Some(manager) = proxy::manager_of(unknown) {
        return marshal_proxy(&manager, iid, to, out);
    }
    let stub = home.exports.manager(&home, unknown)?;
    let entry = stub.entry(&home.exports, iid)?;
    let handler = handler(unknown, to.context, to.data);
    stub.change(|refs| count_packet(refs, entry.ipid, to.flags));
    write_standard(&home, &stub, *iid, entry.ipid, to.flags, handler, out);
    Ok(())
}

/// The class of the handler that clients in other processes get, if the object names one.
pub(crate) fn handler(object: &IUnknown, context: u32, data: *mut c_void) -> Option<GUID> {
    if !may_have_handler(context) {
        return None;
    }
    let info: IStdMarshalInfo = object.cast().ok()?;
    let mut clsid = GUID::zeroed();
    // SAFETY: an object of this apartment and valid arguments.
    unsafe { info.GetClassForHandler(context, data, &mut clsid) }.is_ok().then_some(clsid)
}

fn may_have_handler(context: u32) -> bool {
    !matches!(context, MSHCTX_INPROC | MSHCTX_CROSSCTX)
}

fn count_packet(refs: &mut Refs, ipid: GUID, flags: u32) {
    match flags & (MSHLFLAGS_TABLESTRONG | MSHLFLAGS_TABLEWEAK) {
        MSHLFLAGS_NORMAL => refs.add_packet(ipid.to_u128(), PACKET_REFS),
        MSHLFLAGS_TABLEWEAK => refs.add_weak_table(),
        _ => refs.add_table(),
    }
}

fn write_standard(
    home: &Apartment,
    stub: &StubManager,
    iid: GUID,
    ipid: GUID,
    flags: u32,
    handler: Option<GUID>,
    out: &mut Vec<u8>,
) {
    let no_ping = if flags & MSHLFLAGS_NOPING == 0 { 0 } else { NO_PING };
    let (kind, public_refs) = match flags & (MSHLFLAGS_TABLESTRONG | MSHLFLAGS_TABLEWEAK) {
        MSHLFLAGS_NORMAL => (0, PACKET_REFS),
        MSHLFLAGS_TABLEWEAK => (TABLE_WEAK, 0),
        _ => (TABLE_STRONG, 0),
    };
    let flags = kind | no_ping;
    let standard = Standard { flags, public_refs, oxid: home.oxid, oid: stub.oid, ipid };
    ObjRef { iid, tail: Tail::Standard(standard, handler) }.write(out);
}

/// The packet of a proxy leads to the original object (MRSH-18).
fn marshal_proxy(manager: &proxy::ManagerRef, iid: &GUID, to: &Destination, out: &mut Vec<u8>) -> Outcome<()> {
    manager.home().check()?;
    // IUnknown has no proxy of its own: any interface of the object serves to reach it.
    let ipid = if *iid == IUnknown::IID { manager.any_ipid() } else { manager.reach(iid)? };
    let server = manager.server().ok_or(CO_E_OBJNOTCONNECTED)?;
    server.reach()?;
    // Reachable meanwhile: this proxy may keep nothing (MRSH-08).
    let stub = server.exports.visit(manager.oid).ok_or(CO_E_OBJNOTCONNECTED)?;
    stub.change(|refs| count_packet(refs, ipid, to.flags));
    let handler = manager.handler_class().filter(|_| may_have_handler(to.context));
    write_standard(&server, &stub, *iid, ipid, to.flags, handler, out);
    Ok(())
}

/// The object marshals itself (MA-45). Where it names the standard marshaler, or the handler that this names, what it
/// writes is the whole packet: it has that marshaler do it (MRSH-23, RUL-49).
fn marshal_custom(
    custom: &IMarshal,
    unknown: &IUnknown,
    iid: &GUID,
    to: &Destination,
    out: &mut Vec<u8>,
) -> Outcome<()> {
    let &Destination { context, data, flags } = to;
    let (mut clsid, mut size) = (GUID::zeroed(), 0);
    let stream = memory_stream(Vec::new());
    let object = unknown.as_raw();
    // SAFETY: the object is in its apartment; all arguments are valid.
    unsafe {
        custom.GetUnmarshalClass(iid, object, context, data, flags, &mut clsid).ok().map_err(code)?;
        custom.GetMarshalSizeMax(iid, object, context, data, flags, &mut size).ok().map_err(code)?;
        custom.MarshalInterface(stream.as_raw(), iid, object, context, data, flags).ok().map_err(code)?;
    }
    let data = contents(&stream)?;
    let names_handler = || {
        ObjRef::parse(&data).is_ok_and(|inside| matches!(inside.tail, Tail::Standard(_, Some(class)) if class == clsid))
    };
    if clsid != CLSID_StdMarshal && !names_handler() {
        let size = u32::try_from(data.len()).map_err(|_| E_INVALIDARG)?;
        ObjRef { iid: *iid, tail: Tail::Custom(clsid, size) }.write(out);
    }
    out.extend(data);
    Ok(())
}

/// An upper bound for a packet's size.
pub(crate) fn size_max(unknown: &IUnknown, iid: &GUID, to: &Destination) -> Outcome<u32> {
    if proxy::manager_of(unknown).is_some() {
        return Ok(STANDARD_SIZE);
    }
    if unknown.cast::<INoMarshal>().is_ok() {
        return Err(CO_E_NOT_SUPPORTED);
    }
    let Ok(custom) = unknown.cast::<IMarshal>() else { return Ok(STANDARD_SIZE) };
    let &Destination { context, data, flags } = to;
    let mut size = 0;
    // SAFETY: as in `marshal_custom`.
    unsafe { custom.GetMarshalSizeMax(iid, unknown.as_raw(), context, data, flags, &mut size).ok().map_err(code)? };
    Ok(size.saturating_add((HEAD + CUSTOM_TAIL) as u32))
}

/// Writes a packet; one that nobody can read holds nothing.
pub(crate) fn deliver(stream: &IStream, bytes: &[u8]) -> HRESULT {
    let hr = stream::write_all(stream, bytes);
    if hr.is_err() {
        let _ = super::release_packet(bytes);
    }
    hr
}

/// The pointer behind a packet, for the calling apartment. The packet is used up, unless it is a table's (MRSH-07).
pub(crate) fn unmarshal(objref: &ObjRef, data: &[u8], wanted: &GUID) -> Outcome<*mut c_void> {
    let here = apartment::require()?;
    let (standard, class) = match objref.tail {
        Tail::Standard(standard, class) => (standard, class),
        Tail::Custom(clsid, _) => {
            return with_custom(&clsid, data, |marshaler, stream| {
                let mut pointer = std::ptr::null_mut();
                // SAFETY: valid arguments.
                let hr = unsafe { marshaler.UnmarshalInterface(stream.as_raw(), wanted, &mut pointer) };
                raw::given(hr, pointer)
            });
        }
    };
    if standard.oxid == here.oxid {
        return unmarshal_at_home(&here, &standard, wanted);
    }
    let process = Process::current();
    let server = process.find_apartment(standard.oxid).ok_or(CO_E_OBJNOTCONNECTED)?;
    server.reach()?;
    let refs = claim(&server, &standard)?;
    let equip = |fresh: &proxy::ManagerRef| proxy::equip(fresh, class);
    let manager = here.imports.manager(&here, &server, standard.oid, refs, equip)?;
    manager.note_ipid(standard.ipid, standard.flags & NO_PING != 0);
    if objref.iid != IUnknown::IID {
        let typed = manager.connect(&objref.iid, standard.ipid)?;
        // SAFETY: the count that came with the pointer.
        unsafe { drop(IUnknown::from_raw(typed)) };
    }
    raw::interface_of(&manager.to_interface::<IUnknown>(), wanted)
}

/// Takes what a packet holds for a proxy: how many references. A normal packet that was used before, or whose object
/// is gone, leads to the object all the same, but keeps nothing (MRSH-08).
///
/// The object stays reachable meanwhile: a weak packet that is found good leads to an object that is there.
fn claim(server: &Apartment, standard: &Standard) -> Outcome<u32> {
    let stub = server.exports.visit(standard.oid);
    if standard.is_table() {
        // Each unmarshaling has references of its own, if the packet is still good.
        let stub = stub.ok_or(CO_E_OBJNOTREG)?;
        let good = stub.change(|refs| {
            let good = refs.has_table();
            if good {
                refs.add_proxy(PACKET_REFS);
            }
            good
        });
        return if good { Ok(PACKET_REFS) } else { Err(CO_E_OBJNOTREG) };
    }
    let refs = standard.public_refs;
    let taken = stub.is_some_and(|stub| stub.change(|held| held.take_packet(standard.ipid.to_u128(), refs)).is_ok());
    Ok(if taken { refs } else { 0 })
}

/// In the object's own apartment the pointer itself comes back (MRSH-05). The packet is used up; that does not close the
/// object (MA-04).
fn unmarshal_at_home(here: &Arc<Apartment>, standard: &Standard, wanted: &GUID) -> Outcome<*mut c_void> {
    let table = standard.is_table();
    let gone = if table { CO_E_OBJNOTREG } else { CO_E_OBJNOTCONNECTED };
    let stub = here.exports.by_oid(standard.oid).ok_or(gone)?;
    let object = stub.object().ok_or(gone)?;
    if table && !stub.has_table() {
        return Err(gone);
    }
    let found = raw::interface_of(&object, wanted);
    if !table {
        // Used before, it leads to an object that others hold.
        let _ = stub.change(|refs| refs.release_packet(standard.ipid.to_u128(), standard.public_refs, false));
    }
    found
}

/// Gives back what a packet holds.
pub(crate) fn release(objref: &ObjRef, data: &[u8]) -> Outcome<()> {
    let standard = match objref.tail {
        Tail::Standard(standard, _) => standard,
        Tail::Custom(clsid, _) => {
            return with_custom(&clsid, data, |marshaler, stream| {
                // SAFETY: valid arguments.
                unsafe { marshaler.ReleaseMarshalData(stream.as_raw()).ok().map_err(code) }
            });
        }
    };
    let server = Process::current().find_apartment(standard.oxid).ok_or(CO_E_OBJNOTREG)?;
    server.reach()?;
    let stub = server.exports.by_oid(standard.oid).ok_or(CO_E_OBJNOTREG)?;
    let released = stub.change(|refs| match standard.flags & (TABLE_STRONG | TABLE_WEAK) {
        0 => refs.release_packet(standard.ipid.to_u128(), standard.public_refs, true),
        TABLE_WEAK => refs.release_weak_table(),
        _ => refs.release_table(),
    });
    released.map_err(|Spent| CO_E_OBJNOTREG)
}

/// Runs a custom unmarshaler over its data.
fn with_custom<T>(clsid: &GUID, data: &[u8], f: impl FnOnce(&IMarshal, &IStream) -> Outcome<T>) -> Outcome<T> {
    let mut raw = std::ptr::null_mut();
    // SAFETY: valid arguments; on success a counted pointer of the interface asked for.
    let marshaler = unsafe {
        CoCreateInstance(clsid, std::ptr::null_mut(), CLSCTX_INPROC_SERVER, &IMarshal::IID, &mut raw)
            .ok()
            .map_err(code)?;
        IMarshal::from_raw(raw)
    };
    f(&marshaler, &memory_stream(data.to_vec()))
}

/// Reads a packet from a stream: the fixed part and the custom data.
pub(crate) fn read(stream: &IStream) -> Outcome<(ObjRef, Vec<u8>)> {
    let mut bytes = vec![0; HEAD];
    read_exact(stream, &mut bytes)?;
    let tail = super::objref::tail_len(&bytes).map_err(|_| RPC_E_INVALID_OBJREF)?;
    bytes.resize(HEAD + tail, 0);
    read_exact(stream, &mut bytes[HEAD..])?;
    let objref = ObjRef::parse(&bytes).map_err(|_| RPC_E_INVALID_OBJREF)?;
    let data = match objref.tail {
        Tail::Standard(..) => Vec::new(),
        Tail::Custom(_, size) => read_data(stream, size as usize)?,
    };
    Ok((objref, data))
}

/// Reads custom data in pieces: a hostile size ends at the stream's end, not at an allocation.
fn read_data(stream: &IStream, size: usize) -> Outcome<Vec<u8>> {
    let mut data = Vec::new();
    while data.len() < size {
        let at = data.len();
        data.resize(at + (size - at).min(4096), 0);
        read_exact(stream, &mut data[at..])?;
    }
    Ok(data)
}

fn read_exact(stream: &IStream, into: &mut [u8]) -> Outcome<()> {
    stream::read_exact(stream, into).ok().map_err(code)
}

/// All bytes of a stream.
pub(crate) fn contents(stream: &IStream) -> Outcome<Vec<u8>> {
    let mut len = 0;
    // SAFETY: a live stream and a valid place for the position.
    unsafe { stream.Seek(0, STREAM_SEEK_END, &mut len).ok().map_err(code)? };
    rewind(stream).ok().map_err(code)?;
    let mut bytes = vec![0; usize::try_from(len).map_err(|_| E_INVALIDARG)?];
    read_exact(stream, &mut bytes)?;
    Ok(bytes)
}

/// Moves a stream's position to its start.
pub(crate) fn rewind(stream: &IStream) -> HRESULT {
    // SAFETY: a live stream; no position is asked for.
    unsafe { stream.Seek(0, STREAM_SEEK_SET, std::ptr::null_mut()) }
}

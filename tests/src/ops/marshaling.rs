//! Interface pointers on their way between apartments: packets in streams. `import` is written with the first two.

use super::{Call, Operation, give, op};
use crate::run::Value;
use oleander::windows_core::{GUID, HRESULT, Interface};
use oleander::*;
use std::ffi::c_void;
use std::ptr::{dangling_mut, null_mut};

/// A stream that the row has.
fn stream(c: &Call<'_>, index: usize) -> Result<IStream, String> {
    c.exact(index)
}

/// What is in a stream; it stands where it stood.
fn content(stream: &IStream) -> Result<Vec<u8>, HRESULT> {
    let (mut at, mut bytes, mut len) = (0, vec![0; 4096], 0);
    let done = |hr: HRESULT| if hr.is_ok() { Ok(()) } else { Err(hr) };
    // SAFETY: valid pointers, and as many bytes as are said.
    unsafe {
        done(stream.Seek(0, STREAM_SEEK_CUR, &mut at))?;
        done(stream.Seek(0, STREAM_SEEK_SET, null_mut()))?;
        done(stream.Read(bytes.as_mut_ptr().cast(), 4096, &mut len))?;
        done(stream.Seek(at as i64, STREAM_SEEK_SET, null_mut()))?;
    }
    bytes.truncate(len as usize);
    Ok(bytes)
}

fn guid(bytes: &[u8]) -> Option<GUID> {
    let (a, rest) = bytes.get(..16)?.split_at(4);
    let (b, rest) = rest.split_at(2);
    let (c, d) = rest.split_at(2);
    Some(GUID {
        data1: u32::from_le_bytes(a.try_into().ok()?),
        data2: u16::from_le_bytes(b.try_into().ok()?),
        data3: u16::from_le_bytes(c.try_into().ok()?),
        data4: d.try_into().ok()?,
    })
}

/// The table.
pub const OPERATIONS: &[Operation] = &[
    op("CoMarshalInterThreadInterfaceInStream", "iid object", "hr stream", "a packet for another apartment", |c| {
        let (iid, mut stream): (GUID, _) = (c.get(0)?, dangling_mut());
        // SAFETY: valid pointers; the object is null or alive.
        let hr = unsafe { CoMarshalInterThreadInterfaceInStream(&iid, c.get(1)?, &mut stream) };
        give![hr, c.owned_by_row(stream)]
    }),
    op("CoGetInterfaceAndReleaseStream", "stream iid", "hr object", "reads a packet, and lets the stream go", |c| {
        let (stream, iid, mut raw): (*mut c_void, GUID, _) = (c.get(0)?, c.get(1)?, dangling_mut());
        c.let_go(Value::pointer(stream));
        // SAFETY: valid pointers; the stream is null or alive.
        let hr = unsafe { CoGetInterfaceAndReleaseStream(stream, &iid, &mut raw) };
        give![hr, c.owned(raw)]
    }),
    op("CoMarshalInterThreadInterfaceInStream.null", "iid object", "hr", "with null for the output", |c| {
        let iid: GUID = c.get(0)?;
        // SAFETY: valid pointers; the object is alive; null is what this is about.
        let hr = unsafe { CoMarshalInterThreadInterfaceInStream(&iid, c.get(1)?, null_mut()) };
        give![hr]
    }),
    op("CreateStreamOnHGlobal", "", "hr stream", "an empty stream, the row's", |c| {
        let mut stream = null_mut();
        // SAFETY: a valid pointer.
        let hr = unsafe { CreateStreamOnHGlobal(HANDLE::NULL, true.into(), &mut stream) };
        give![hr, c.owned_by_row(stream)]
    }),
    op(
        "CreateStreamOnHGlobal.over",
        "bytes kind:GMEM_",
        "hr stream",
        "a stream over so much global memory of the row's own, fixed or locked",
        |c| {
            let (kind, mut stream): (u32, _) = (c.get(1)?, null_mut());
            // SAFETY: the stream frees the memory; a lock on it ends with it.
            let hr = unsafe {
                let memory = GlobalAlloc(kind, c.get::<u32>(0)? as usize);
                let _ = GlobalLock(memory);
                CreateStreamOnHGlobal(memory, true.into(), &mut stream)
            };
            give![hr, c.owned_by_row(stream)]
        },
    ),
    op("Write", "stream bytes", "hr written", "ISequentialStream::Write of so many zeros", |c| {
        let (bytes, mut written) = (vec![0_u8; c.get::<u32>(1)? as usize], 0xABCD);
        // SAFETY: as many bytes as are said.
        let hr = unsafe { stream(c, 0)?.Write(bytes.as_ptr().cast(), bytes.len() as u32, &mut written) };
        give![hr, written]
    }),
    op("rewind", "stream", "hr", "IStream::Seek to the start", |c| {
        // SAFETY: null as documented.
        give![unsafe { stream(c, 0)?.Seek(0, STREAM_SEEK_SET, null_mut()) }]
    }),
    op("packet", "stream", "length flags iid class?", "what is in a stream that holds a packet, from its start", |c| {
        let bytes = content(&stream(c, 0)?).map_err(|hr| format!("the stream gave {}", Value::Hr(hr)))?;
        let flags = bytes.get(4..8).and_then(|flags| flags.try_into().ok()).map(u32::from_le_bytes);
        let (Some(b"MEOW"), Some(flags), Some(iid)) = (bytes.get(..4), flags, bytes.get(8..).and_then(guid)) else {
            return Err("no packet".to_owned());
        };
        // A packet of an object's own names its class, and one with a handler that; else it is all numbers of the object.
        let class = match flags {
            2 => bytes.get(64..).and_then(guid),
            4 => bytes.get(24..).and_then(guid),
            _ => None,
        };
        let class = class.map_or(Value::Null, Value::Guid);
        give![bytes.len(), flags, iid, class]
    }),
    op(
        "CoMarshalInterface",
        "stream iid object flags:MSHLFLAGS_? context:MSHCTX_?",
        "hr",
        "writes a packet into a stream; a normal one within the process, unless said otherwise",
        |c| {
            let (stream, iid, object): (*mut c_void, GUID, *mut c_void) = (c.get(0)?, c.get(1)?, c.get(2)?);
            let (flags, context) =
                (c.optional(3)?.unwrap_or(MSHLFLAGS_NORMAL), c.optional(4)?.unwrap_or(MSHCTX_INPROC));
            // SAFETY: a valid id; the others are null or alive.
            give![unsafe { CoMarshalInterface(stream, &iid, object, context, null_mut(), flags) }]
        },
    ),
    op("CoUnmarshalInterface", "stream iid", "hr object", "reads a packet where the stream stands", |c| {
        let (stream, iid, mut raw): (*mut c_void, GUID, _) = (c.get(0)?, c.get(1)?, dangling_mut());
        // SAFETY: valid pointers; the stream is null or alive.
        let hr = unsafe { CoUnmarshalInterface(stream, &iid, &mut raw) };
        give![hr, c.owned(raw)]
    }),
    op("CoUnmarshalInterface.null", "stream iid", "hr", "with null for the output", |c| {
        let iid: GUID = c.get(1)?;
        // SAFETY: a valid id; the stream is alive; null is what this is about.
        give![unsafe { CoUnmarshalInterface(c.get(0)?, &iid, null_mut()) }]
    }),
    op("unmarshal", "stream iid", "hr object", "rewinds the stream, and reads its packet", |c| {
        let (from, iid, mut raw): (IStream, GUID, _) = (stream(c, 0)?, c.get(1)?, dangling_mut());
        // SAFETY: valid pointers; the stream is alive.
        let hr = unsafe {
            let _ = from.Seek(0, STREAM_SEEK_SET, null_mut());
            CoUnmarshalInterface(from.as_raw(), &iid, &mut raw)
        };
        give![hr, c.owned(raw)]
    }),
    op("CoReleaseMarshalData", "stream", "hr", "gives a packet back where the stream stands", |c| {
        // SAFETY: the stream is null or alive.
        give![unsafe { CoReleaseMarshalData(c.get(0)?) }]
    }),
    op("CoMarshalHresult", "stream code", "hr", "writes an HRESULT", |c| {
        // SAFETY: the stream is null or alive.
        give![unsafe { CoMarshalHresult(c.get(0)?, c.get(1)?) }]
    }),
    op("CoUnmarshalHresult", "stream", "hr code", "reads an HRESULT", |c| {
        let mut code = HRESULT(0xABCD);
        // SAFETY: the stream is null or alive; a valid pointer.
        let hr = unsafe { CoUnmarshalHresult(c.get(0)?, &mut code) };
        give![hr, code]
    }),
    op("length", "stream", "bytes", "how many bytes are in a stream", |c| {
        let bytes = content(&stream(c, 0)?).map_err(|hr| format!("the stream gave {}", Value::Hr(hr)))?;
        give![bytes.len()]
    }),
    op(
        "GetUnmarshalClass",
        "object iid context:MSHCTX_",
        "hr class:CLSID_",
        "IMarshal's: which class unmarshals",
        |c| {
            let (marshal, iid, raw): (IMarshal, GUID, _) = (c.interface(0)?, c.get(1)?, c.get(0)?);
            let mut class = GUID::zeroed();
            // SAFETY: valid pointers.
            let hr =
                unsafe { marshal.GetUnmarshalClass(&iid, raw, c.get(2)?, null_mut(), MSHLFLAGS_NORMAL, &mut class) };
            give![hr, class]
        },
    ),
    op("GetMarshalSizeMax", "object iid context:MSHCTX_", "hr size", "IMarshal's: how large a packet may be", |c| {
        let (marshal, iid, raw): (IMarshal, GUID, _) = (c.interface(0)?, c.get(1)?, c.get(0)?);
        let mut size = 0xABCD;
        // SAFETY: valid pointers.
        let hr = unsafe { marshal.GetMarshalSizeMax(&iid, raw, c.get(2)?, null_mut(), MSHLFLAGS_NORMAL, &mut size) };
        give![hr, size]
    }),
    op("DisconnectObject", "object", "hr", "IMarshal's: cuts all clients off", |c| {
        let marshal: IMarshal = c.interface(0)?;
        // SAFETY: no pointers.
        give![unsafe { marshal.DisconnectObject(0) }]
    }),
    op("CoGetPSClsid", "iid", "hr class:CLSID_", "the class that makes proxies and stubs for an interface", |c| {
        let (iid, mut class): (GUID, _) = (c.get(0)?, GUID::zeroed());
        // SAFETY: valid pointers.
        let hr = unsafe { CoGetPSClsid(&iid, &mut class) };
        give![hr, class]
    }),
    op("CoGetPSClsid.null", "iid", "hr", "with null for the output", |c| {
        // SAFETY: a valid id; null is what this is about.
        give![unsafe { CoGetPSClsid(&c.get::<GUID>(0)?, null_mut()) }]
    }),
    op(
        "CoRegisterPSClsid",
        "iid clsid:CLSID_",
        "hr",
        "says which class makes proxies and stubs for an interface",
        |c| {
            // SAFETY: valid ids.
            give![unsafe { CoRegisterPSClsid(&c.get::<GUID>(0)?, &c.get::<GUID>(1)?) }]
        },
    ),
];

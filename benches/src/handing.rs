//! Interfaces on their way into other apartments: by stream, by a packet that is read many times, by the global table.

use crate::Place;
use crate::server::{Apartment, IDoubler, doubler};
use oleander::windows_core::{GUID, Interface};
use oleander::*;
use std::ffi::c_void;
use std::ptr::null_mut;

/// An object on its way into another apartment.
pub struct Packet(*mut c_void);
// SAFETY: a stream that one thread hands to another, as `CoMarshalInterThreadInterfaceInStream` is for.
unsafe impl Send for Packet {}

impl Packet {
    /// Of an object, or of a proxy.
    pub fn of(doubler: &IDoubler) -> Self {
        let mut stream = null_mut();
        // SAFETY: a live interface, and the stream has a place.
        let hr = unsafe { CoMarshalInterThreadInterfaceInStream(&IDoubler::IID, doubler.as_raw(), &mut stream) };
        hr.ok().expect("a packet");
        Self(stream)
    }

    /// In the calling thread's apartment.
    pub fn unpack(self) -> IDoubler {
        let mut raw = null_mut();
        // SAFETY: the stream is this thread's now; on success the pointer is one of the interface.
        unsafe {
            CoGetInterfaceAndReleaseStream(self.0, &IDoubler::IID, &mut raw).ok().expect("a proxy");
            IDoubler::from_raw(raw)
        }
    }
}

/// A stream of memory.
pub fn memory() -> IStream {
    let mut raw = null_mut();
    // SAFETY: on success the pointer is one of the interface.
    unsafe {
        CreateStreamOnHGlobal(HANDLE::NULL, true.into(), &mut raw).ok().expect("memory");
        IStream::from_raw(raw)
    }
}

/// Goes back to where a packet begins.
pub fn to_start(stream: &IStream) {
    // SAFETY: a live interface.
    unsafe { stream.Seek(0, STREAM_SEEK_SET, null_mut()) }.ok().expect("it is there");
}

/// A stream of memory, which every thread may use.
struct Anywhere(IStream);
// SAFETY: streams of memory are agile, and one thread at a time uses it.
unsafe impl Send for Anywhere {}

/// The table's reference, in the object's apartment.
struct Marshaled(IStream, #[expect(dead_code, reason = "it keeps the object")] IDoubler);

impl Drop for Marshaled {
    fn drop(&mut self) {
        to_start(&self.0);
        // SAFETY: the packet is read for the last time.
        unsafe { CoReleaseMarshalData(self.0.as_raw()) }.ok().expect("the packet's reference");
    }
}

/// A packet that can be read again and again, of a doubler in an STA.
pub struct TablePacket {
    stream: IStream,
    _apartment: Apartment,
}

impl TablePacket {
    /// Makes the STA, too.
    pub fn start(place: Place) -> Self {
        let (apartment, Anywhere(stream)) = Apartment::start(place, COINIT_APARTMENTTHREADED, || {
            let (object, stream) = (doubler(), memory());
            let (raw, iid) = (object.as_raw(), &IDoubler::IID);
            // SAFETY: live interfaces.
            let hr = unsafe {
                CoMarshalInterface(stream.as_raw(), iid, raw, MSHCTX_INPROC, null_mut(), MSHLFLAGS_TABLESTRONG)
            };
            hr.ok().expect("a packet");
            (Anywhere(stream.clone()), Marshaled(stream, object))
        });
        Self { stream, _apartment: apartment }
    }

    /// In the calling thread's apartment.
    pub fn unpack(&self) -> IDoubler {
        to_start(&self.stream);
        unmarshal(&self.stream)
    }
}

fn unmarshal(stream: &IStream) -> IDoubler {
    let (mut raw, iid): (_, &GUID) = (null_mut(), &IDoubler::IID);
    // SAFETY: on success the pointer is one of the interface.
    unsafe {
        CoUnmarshalInterface(stream.as_raw(), iid, &mut raw).ok().expect("a proxy");
        IDoubler::from_raw(raw)
    }
}

/// The process's global interface table.
pub struct Git(IGlobalInterfaceTable);

impl Git {
    /// The one of the process.
    pub fn new() -> Self {
        let mut raw = null_mut();
        let (clsid, iid) = (&CLSID_StdGlobalInterfaceTable, &IGlobalInterfaceTable::IID);
        // SAFETY: on success the pointer is one of the interface.
        unsafe {
            CoCreateInstance(clsid, null_mut(), CLSCTX_INPROC_SERVER, iid, &mut raw).ok().expect("a system class");
            Self(IGlobalInterfaceTable::from_raw(raw))
        }
    }

    /// Registers the interface, gets it back and revokes the registration.
    pub fn round_trip(&self, doubler: &IDoubler) -> IDoubler {
        let (mut cookie, mut raw): (u32, *mut c_void) = (0, null_mut());
        // SAFETY: live interfaces; on success the pointer is one of the interface.
        unsafe {
            self.0.RegisterInterfaceInGlobal(doubler.as_raw(), &IDoubler::IID, &mut cookie).ok().expect("a cookie");
            self.0.GetInterfaceFromGlobal(cookie, &IDoubler::IID, &mut raw).ok().expect("it is registered");
            self.0.RevokeInterfaceFromGlobal(cookie).ok().expect("it was registered");
            IDoubler::from_raw(raw)
        }
    }
}

impl Default for Git {
    fn default() -> Self {
        Self::new()
    }
}

/// Many packets in one stream, each to be read once.
pub struct Packets(Anywhere);

impl Packets {
    /// With memory for many, so that it grows no more.
    pub fn with_room() -> Self {
        let stream = memory();
        // SAFETY: a live interface.
        unsafe { stream.SetSize(1 << 20) }.ok().expect("memory");
        Self(Anywhere(stream))
    }

    /// Writes the next; in the object's apartment.
    pub fn marshal(&self, object: &IDoubler) {
        let stream = self.0.0.as_raw();
        // SAFETY: live interfaces.
        unsafe {
            CoMarshalInterface(stream, &IDoubler::IID, object.as_raw(), MSHCTX_INPROC, null_mut(), MSHLFLAGS_NORMAL)
        }
        .ok()
        .expect("a packet");
    }

    /// From here on the packets are read.
    pub fn to_start(&self) {
        to_start(&self.0.0);
    }

    /// Reads the next.
    pub fn unmarshal(&self) -> IDoubler {
        unmarshal(&self.0.0)
    }
}

//! The bytes of the ready-made interfaces on the wire, worked out by hand from the rules of NDR: one method of each family.

use super::in_process;
use super::loopback::Wire;
use crate::abi::global::{GlobalAlloc, GlobalFree};
use crate::abi::hresult::*;
use crate::abi::interfaces::*;
use crate::abi::types::{
    DVTARGETDEVICE, FORMATETC, GMEM_ZEROINIT, LARGE_INTEGER, STATSTG, STGMEDIUM, STREAM_SEEK_END, TYMED_ENHMF,
    TYMED_FILE, TYMED_GDI, TYMED_HGLOBAL, TYMED_MFPICT,
};
use crate::com_class;
use crate::marshal::ndr::tests::table::On;
use std::ffi::c_void;
use std::ptr;
use windows_core::{BOOL, GUID, HRESULT, IUnknown, Interface};

/// Answers with fixed values.
#[com_class(IPipeByte, IPipeDouble, IPersist, IStream, IEnumUnknown, IClassFactory, IAdviseSink)]
struct Fixed;

const CLASS: GUID = GUID::from_u128(0x0011_2233_4455_6677_8899_AABB_CCDD_EEFF);
const CLASS_BYTES: [u8; 16] =
    [0x33, 0x22, 0x11, 0, 0x55, 0x44, 0x77, 0x66, 0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF];

impl IPipeByte_Impl for Fixed_Impl {
    unsafe fn Pull(&self, buf: *mut u8, _: u32, pcReturned: *mut u32) -> HRESULT {
        // SAFETY: the stub's memory, with room for what was asked for.
        unsafe {
            buf.copy_from_nonoverlapping([7, 8].as_ptr(), 2);
            *pcReturned = 2;
        }
        S_OK
    }
    unsafe fn Push(&self, _: *const u8, _: u32) -> HRESULT {
        S_FALSE
    }
}

impl IPipeDouble_Impl for Fixed_Impl {
    unsafe fn Pull(&self, _: *mut f64, _: u32, _: *mut u32) -> HRESULT {
        S_OK
    }
    unsafe fn Push(&self, _: *const f64, _: u32) -> HRESULT {
        S_OK
    }
}

impl IPersist_Impl for Fixed_Impl {
    unsafe fn GetClassID(&self, pClassID: *mut GUID) -> HRESULT {
        // SAFETY: the stub's memory.
        unsafe { *pClassID = CLASS };
        S_OK
    }
}

impl ISequentialStream_Impl for Fixed_Impl {
    unsafe fn Read(&self, pv: *mut c_void, _: u32, pcbRead: *mut u32) -> HRESULT {
        // SAFETY: the stub's memory.
        unsafe {
            *pv.cast::<u8>() = b'x';
            *pcbRead = 1;
        }
        S_FALSE
    }
    unsafe fn Write(&self, _: *const c_void, cb: u32, pcbWritten: *mut u32) -> HRESULT {
        // SAFETY: the stub's memory.
        unsafe { *pcbWritten = cb };
        S_OK
    }
}

impl IStream_Impl for Fixed_Impl {
    unsafe fn Seek(&self, _: LARGE_INTEGER, _: u32, plibNewPosition: *mut u64) -> HRESULT {
        // SAFETY: the stub's memory.
        unsafe { *plibNewPosition = 1 << 32 };
        S_OK
    }
    unsafe fn SetSize(&self, _: u64) -> HRESULT {
        S_OK
    }
    unsafe fn CopyTo(&self, pstm: *mut c_void, _: u64, pcbRead: *mut u64, _: *mut u64) -> HRESULT {
        assert!(pstm.is_null());
        // SAFETY: the stub's memory.
        unsafe { *pcbRead = 5 };
        S_OK
    }
    unsafe fn Commit(&self, _: u32) -> HRESULT {
        S_OK
    }
    unsafe fn Revert(&self) -> HRESULT {
        S_OK
    }
    unsafe fn LockRegion(&self, _: u64, _: u64, _: u32) -> HRESULT {
        S_OK
    }
    unsafe fn UnlockRegion(&self, _: u64, _: u64, _: u32) -> HRESULT {
        S_OK
    }
    unsafe fn Stat(&self, pstatstg: *mut STATSTG, _: u32) -> HRESULT {
        // SAFETY: the stub's memory.
        unsafe {
            *pstatstg = STATSTG { r#type: 2, cbSize: 3, clsid: CLASS, grfMode: 0x12, ..std::mem::zeroed() };
        }
        S_OK
    }
    unsafe fn Clone(&self, _: *mut *mut c_void) -> HRESULT {
        E_FAIL
    }
}

impl IEnumUnknown_Impl for Fixed_Impl {
    unsafe fn Next(&self, _: u32, _: *mut *mut c_void, _: *mut u32) -> HRESULT {
        S_FALSE
    }
    unsafe fn Skip(&self, _: u32) -> HRESULT {
        S_OK
    }
    unsafe fn Reset(&self) -> HRESULT {
        S_OK
    }
    unsafe fn Clone(&self, _: *mut *mut c_void) -> HRESULT {
        E_FAIL
    }
}

impl IClassFactory_Impl for Fixed_Impl {
    unsafe fn CreateInstance(&self, _: *mut c_void, _: *const GUID, _: *mut *mut c_void) -> HRESULT {
        E_NOINTERFACE
    }
    unsafe fn LockServer(&self, _: BOOL) -> HRESULT {
        S_OK
    }
}

impl IAdviseSink_Impl for Fixed_Impl {
    unsafe fn OnDataChange(&self, _: *const FORMATETC, _: *const STGMEDIUM) {}
    unsafe fn OnViewChange(&self, _: u32, _: i32) {}
    unsafe fn OnRename(&self, _: *mut c_void) {}
    unsafe fn OnSave(&self) {}
    unsafe fn OnClose(&self) {}
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// Calls one method and compares slot, request and reply.
fn exchange<I: Interface + From<Fixed> + Into<IUnknown>>(
    call: impl FnOnce(&I) -> HRESULT,
    hr: HRESULT,
    slot: u32,
    request: Vec<u8>,
    reply: Vec<u8>,
) {
    in_process(move || {
        let wire = Wire::<I>::new(&I::from(Fixed).into());
        assert_eq!(call(wire.proxy()), hr);
        assert_eq!(*wire.channel.requests.borrow(), [(slot, request)]);
        assert_eq!(*wire.channel.replies.borrow(), [reply]);
    });
}

#[test]
fn iid_14_a_pipe_pulls_and_pushes() {
    let reply = [words(&[3, 0, 2]), vec![7, 8, 0, 0], words(&[2, 0])].concat();
    // SAFETY: valid buffers, here and below.
    let pull = |pipe: &IPipeByte| unsafe { pipe.Pull([0; 3].as_mut_ptr(), 3, &mut 0) };
    exchange(pull, S_OK, 3, words(&[3]), reply);
    let request = [words(&[3]), vec![1, 2, 3, 0], words(&[3])].concat();
    // SAFETY: as above.
    exchange(|pipe: &IPipeByte| unsafe { pipe.Push([1, 2, 3].as_ptr(), 3) }, S_FALSE, 4, request, words(&[1]));
    // Eight bytes begin where eight divides.
    let request = [words(&[1, 0]), 1.5_f64.to_le_bytes().to_vec(), words(&[1])].concat();
    // SAFETY: as above.
    exchange(|pipe: &IPipeDouble| unsafe { pipe.Push([1.5].as_ptr(), 1) }, S_OK, 4, request, words(&[0]));
    // Before none of them there is no gap.
    // SAFETY: as above.
    exchange(|pipe: &IPipeDouble| unsafe { pipe.Push([1.5].as_ptr(), 0) }, S_OK, 4, words(&[0, 0]), words(&[0]));
}

#[test]
fn a_class_id_is_a_guid() {
    let reply = [CLASS_BYTES.to_vec(), words(&[0])].concat();
    // SAFETY: a valid pointer.
    exchange(|it: &IPersist| unsafe { it.GetClassID(&mut GUID::zeroed()) }, S_OK, 3, vec![], reply);
}

#[test]
fn a_stream_reads_through_remote_read_and_writes_through_remote_write() {
    let reply = [words(&[4, 0, 1]), vec![b'x', 0, 0, 0], words(&[1, 1])].concat();
    // SAFETY: valid buffers, or null where that is allowed; here and below.
    let read = |it: &IStream| unsafe { it.Read([0_u8; 4].as_mut_ptr().cast(), 4, ptr::null_mut()) };
    exchange(read, S_FALSE, 3, words(&[4]), reply);
    let request = [words(&[2]), vec![b'h', b'i', 0, 0], words(&[2])].concat();
    // SAFETY: as above.
    let write = |it: &IStream| unsafe { it.Write(b"hi".as_ptr().cast(), 2, ptr::null_mut()) };
    exchange(write, S_OK, 4, request, words(&[2, 0]));
}

#[test]
fn a_stream_seeks_copies_and_says_what_it_is() {
    // SAFETY: null is allowed, here and below.
    let seek = |it: &IStream| unsafe { it.Seek(-2, STREAM_SEEK_END, ptr::null_mut()) };
    exchange(seek, S_OK, 5, words(&[0xFFFF_FFFE, 0xFFFF_FFFF, 2]), words(&[0, 1, 0]));
    // A null stream is a null id; the count behind it begins where eight divides.
    // SAFETY: as above.
    let copy = |it: &IStream| unsafe { it.CopyTo(ptr::null_mut(), 9, ptr::null_mut(), ptr::null_mut()) };
    exchange(copy, S_OK, 7, words(&[0, 0, 9, 0]), words(&[5, 0, 0, 0, 0]));
    let head = words(&[0, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0x12, 0]);
    let reply = [head, CLASS_BYTES.to_vec(), words(&[0, 0, 0])].concat();
    // SAFETY: zeros are a value.
    exchange(|it: &IStream| unsafe { it.Stat(&mut std::mem::zeroed(), 1) }, S_OK, 12, words(&[1]), reply);
}

#[test]
fn an_enumerator_sends_as_many_as_were_fetched() {
    // SAFETY: room for two pointers.
    let next = |it: &IEnumUnknown| unsafe { it.Next(2, [ptr::null_mut(); 2].as_mut_ptr(), &mut 0) };
    exchange(next, S_FALSE, 3, words(&[2]), words(&[2, 0, 0, 0, 1]));
}

#[test]
fn a_class_factory_is_asked_without_an_outer_object() {
    let mut request = words(&[0x0000_010C, 0]);
    request.extend([0xC0, 0, 0, 0, 0, 0, 0, 0x46]);
    let reply = words(&[0, 0x8000_4002]);
    // SAFETY: valid pointers.
    let create =
        |it: &IClassFactory| unsafe { it.CreateInstance(ptr::null_mut(), &IPersist::IID, &mut ptr::null_mut()) };
    exchange(create, E_NOINTERFACE, 3, request, reply);
    // SAFETY: no pointers.
    exchange(|it: &IClassFactory| unsafe { it.LockServer(BOOL(1)) }, S_OK, 4, words(&[1]), words(&[0]));
}

/// Makes what it has, which is no call object: for the wire it is an object like any.
#[com_class(ICallFactory)]
struct Maker(IPersist);

impl ICallFactory_Impl for Maker_Impl {
    unsafe fn CreateCall(
        &self,
        riid: *const GUID,
        outer: *mut c_void,
        riid2: *const GUID,
        ppv: *mut *mut c_void,
    ) -> HRESULT {
        assert!(outer.is_null());
        // SAFETY: the stub's pointers are valid.
        unsafe { if *riid == CLASS { self.0.query(riid2, ppv) } else { E_ABORT } }
    }
}

#[test]
fn iid_03_a_call_factory_is_asked_without_an_outer_object() {
    in_process(|| {
        let (on, made) = (On::new(), IPersist::from(Fixed));
        let wire = Wire::<ICallFactory>::new(&ICallFactory::from(Maker(made.clone())).into());
        let create = |riid: &GUID, outer: *mut c_void, riid2: &GUID| {
            let mut raw = ptr::without_provenance_mut(1);
            // SAFETY: valid pointers; what comes back is counted, or null.
            unsafe {
                let hr = wire.proxy().CreateCall(riid, outer, riid2, &mut raw);
                (hr, (!raw.is_null()).then(|| IPersist::from_raw(raw)))
            }
        };
        assert_eq!(create(&CLASS, ptr::null_mut(), &IPersist::IID), (S_OK, Some(made.clone())));
        assert_eq!(create(&CLASS, ptr::null_mut(), &IAgileObject::IID), (E_NOINTERFACE, None));
        assert_eq!(create(&IPersist::IID, ptr::null_mut(), &IPersist::IID), (E_ABORT, None));
        assert_eq!(on.outstanding(), 0, "object references left behind");
        assert_eq!(create(&CLASS, made.as_raw(), &IPersist::IID), (CLASS_E_NOAGGREGATION, None), "it is not sent");
        let persist = [words(&[0x0000_010C, 0]), vec![0xC0, 0, 0, 0, 0, 0, 0, 0x46]].concat();
        let requests = wire.channel.requests.borrow();
        assert_eq!(requests.len(), 3);
        assert_eq!(requests[0], (3, [&CLASS_BYTES[..], &persist].concat()));
        assert_eq!(wire.channel.replies.borrow()[2], words(&[0, 0x8000_4004]));
    });
}

#[test]
fn iid_13_a_notification_has_a_code_on_the_wire_and_its_medium_by_value() {
    let format_words = [0x0002_0000, 0x0002_0004, 0, 1, u32::MAX, 1, 0x4874_6457, 0xC123];
    let medium_words = [0x0002_0008, 1, 0x0002_000C, 0, 0x5274_6457, 0x0002_0010, 2, 0, 2];
    let request = [words(&format_words), words(&medium_words), vec![0, 0]].concat();
    let change = |it: &IAdviseSink| {
        let format = FORMATETC { cfFormat: 0xC123, ptd: ptr::null_mut(), dwAspect: 1, lindex: -1, tymed: 1 };
        // SAFETY: global memory of two bytes, a valid format and medium.
        unsafe {
            let global = GlobalAlloc(GMEM_ZEROINIT, 2);
            let medium = STGMEDIUM { tymed: TYMED_HGLOBAL, u: global.0, pUnkForRelease: ptr::null_mut() };
            it.OnDataChange(&format, &medium);
            assert!(GlobalFree(global).is_null());
        }
        S_OK
    };
    exchange(change, S_OK, 3, request, words(&[0]));
    // SAFETY: no pointers.
    let view = |it: &IAdviseSink| unsafe {
        it.OnViewChange(2, -7);
        S_OK
    };
    exchange(view, S_OK, 4, words(&[2, -7_i32 as u32]), words(&[0]));
}

/// A device of the least size that has data.
const DEVICE: DVTARGETDEVICE = DVTARGETDEVICE {
    tdSize: 13,
    tdDriverNameOffset: 12,
    tdDeviceNameOffset: 0,
    tdPortNameOffset: 1,
    tdExtDevmodeOffset: 2,
    tdData: [0x44],
};

#[test]
fn rul_160_a_device_has_its_count_before_it_and_a_file_is_its_name() {
    let format_words = [0x0002_0000, 0x0002_0004, 0x0002_0008, 1, u32::MAX, 2, 0x4874_6457, 0xC123];
    let device_words = [1, 13, 12, 0x0002_0001, 0x44];
    let medium_words = [0x0002_000C, 2, 0x0002_0010, 0, 2, 0, 2];
    let request = [&format_words[..], &device_words, &medium_words, &[u32::from(b'f')]].concat();
    let change = |it: &IAdviseSink| {
        let (mut device, mut name) = (DEVICE, [u16::from(b'f'), 0]);
        let format = FORMATETC { cfFormat: 0xC123, ptd: &raw mut device, dwAspect: 1, lindex: -1, tymed: TYMED_FILE };
        let medium = STGMEDIUM { tymed: TYMED_FILE, u: name.as_mut_ptr().cast(), pUnkForRelease: ptr::null_mut() };
        // SAFETY: a valid format and medium.
        unsafe { it.OnDataChange(&format, &medium) };
        S_OK
    };
    exchange(change, S_OK, 3, words(&request), words(&[0]));
}

#[test]
fn rul_160_other_media_are_refused() {
    use crate::marshal::ndr::{Writer, write};
    let u = ptr::without_provenance_mut(8);
    for tymed in [TYMED_GDI, TYMED_MFPICT, TYMED_ENHMF, 3] {
        let medium = STGMEDIUM { tymed, u, pUnkForRelease: ptr::null_mut() };
        // SAFETY: a value that is not looked into.
        unsafe { assert_eq!(write(&medium, &mut Writer::counting(None)), Err(DV_E_TYMED)) };
    }
    let mut device = DEVICE;
    device.tdSize = 11;
    let format = FORMATETC { cfFormat: 1, ptd: &raw mut device, dwAspect: 1, lindex: -1, tymed: 1 };
    // SAFETY: a device of that size at least.
    unsafe { assert_eq!(write(&format, &mut Writer::counting(None)), Err(RPC_S_INVALID_BOUND_HR)) };
}

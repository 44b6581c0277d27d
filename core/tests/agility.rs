//! Objects that marshal themselves, the free-threaded marshaler, the global interface table (MRSH-23 to MRSH-26, MA-45, FT, GI).

#![allow(clippy::undocumented_unsafe_blocks, reason = "tests call COM by its rules, as its users do")]

#[path = "common/probe.rs"]
mod probe;
#[path = "common/rooms.rs"]
mod rooms;
#[path = "common/tape.rs"]
mod tape;

use oleander::windows_core::{GUID, HRESULT, IUnknown, IUnknown_Vtbl, Interface};
use oleander::*;
use probe::*;
use rooms::*;
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tape::Tape;

const NORMAL: u32 = MSHLFLAGS_NORMAL;

const CLSID_TWIN: GUID = GUID::from_u128(0x6f2c7d10_0a3e_4f3b_9f56_aa0b0c0d0e0f);

/// Marshals itself: the packet is a number, the copy a new probe.
#[com_class(IMarshal)]
struct ByValue {
    steps: Arc<AtomicU32>,
    lives: Lives,
}

/// What went on, in order, as decimal digits.
fn step(steps: &AtomicU32, digit: u32) {
    let _ = steps.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |before| Some(before * 10 + digit));
}

impl IMarshal_Impl for ByValue_Impl {
    unsafe fn GetUnmarshalClass(
        &self,
        _: *const GUID,
        _: *mut c_void,
        _: u32,
        _: *mut c_void,
        _: u32,
        clsid: *mut GUID,
    ) -> HRESULT {
        step(&self.steps, 1);
        unsafe { *clsid = CLSID_TWIN };
        S_OK
    }
    unsafe fn GetMarshalSizeMax(
        &self,
        _: *const GUID,
        _: *mut c_void,
        _: u32,
        _: *mut c_void,
        _: u32,
        size: *mut u32,
    ) -> HRESULT {
        step(&self.steps, 2);
        unsafe { *size = 4 };
        S_OK
    }
    unsafe fn MarshalInterface(
        &self,
        stream: *mut c_void,
        _: *const GUID,
        _: *mut c_void,
        _: u32,
        _: *mut c_void,
        _: u32,
    ) -> HRESULT {
        step(&self.steps, 3);
        let stream = unsafe { IStream::from_raw_borrowed(&stream) }.unwrap();
        unsafe { stream.Write([7u8, 0, 0, 0].as_ptr().cast(), 4, null_mut()) }
    }
    unsafe fn UnmarshalInterface(&self, stream: *mut c_void, iid: *const GUID, out: *mut *mut c_void) -> HRESULT {
        step(&self.steps, 4);
        unsafe {
            let stream = IStream::from_raw_borrowed(&stream).unwrap();
            let mut data = [0u8; 4];
            assert_eq!(stream.Read(data.as_mut_ptr().cast(), 4, null_mut()), S_OK);
            assert_eq!(data, [7, 0, 0, 0]);
            probe(&self.lives).query(iid, out)
        }
    }
    unsafe fn ReleaseMarshalData(&self, _: *mut c_void) -> HRESULT {
        step(&self.steps, 5);
        S_OK
    }
    unsafe fn DisconnectObject(&self, _: u32) -> HRESULT {
        S_OK
    }
}

#[test]
fn ma_45_an_object_that_marshals_itself() {
    world(|world| unsafe {
        let lives = Lives::default();
        let (sta, mta) = (world.sta(), world.mta());
        let steps = Arc::new(AtomicU32::new(0));
        let tape = Tape::new();
        let (own, counted, written) = (steps.clone(), lives.clone(), tape.clone());
        sta.run(move || {
            let object: IUnknown = ByValue { steps: own.clone(), lives: counted }.into();
            assert_eq!(written.marshal(&object, NORMAL), S_OK);
            assert_eq!(own.swap(0, Ordering::SeqCst), 123);
        });
        let bytes = tape.bytes();
        assert_eq!(&bytes[..8], b"MEOW\x04\0\0\0");
        assert_eq!(bytes[24..28], CLSID_TWIN.data1.to_le_bytes());
        assert_eq!(bytes.len(), 48 + 4);
        let (own, counted, read) = (steps.clone(), lives.clone(), tape.clone());
        mta.run(move || {
            assert_eq!(read.unmarshal::<IUnknown>().unwrap_err(), REGDB_E_CLASSNOTREG);
            let factory = object::class_factory_with(move |_, iid, out| {
                let object: IUnknown = ByValue { steps: own.clone(), lives: counted.clone() }.into();
                object.query(iid, out)
            });
            let mut cookie = 0;
            let raw = factory.as_raw();
            let hr = CoRegisterClassObject(&CLSID_TWIN, raw, CLSCTX_INPROC_SERVER, REGCLS_MULTIPLEUSE, &mut cookie);
            assert_eq!(hr, S_OK);
            let copy: IProbe = read.unmarshal().unwrap();
            assert_eq!(thread_of(&copy), GetCurrentThreadId(), "a copy of this apartment");
            assert_eq!(read.release(), S_OK);
            assert_eq!(CoRevokeClassObject(cookie), S_OK);
        });
        assert_eq!(steps.load(Ordering::SeqCst), 45);
        assert_eq!(lives.now(), 0);
        sta.close();
        mta.close();
    });
}

/// May be used from every apartment.
#[com_class(IProbe2, agile)]
struct Agile;

/// For [`Agile`].
#[async_interface(uuid = "5a1e7c90-3b41-4c0f-8d59-1f0c66c6b005")]
unsafe trait IProbe2: IUnknown {
    fn Thread2(&self, #[idl(out)] id: *mut u32) -> HRESULT;
}

impl IProbe2_Impl for Agile_Impl {
    unsafe fn Thread2(&self, id: *mut u32) -> HRESULT {
        unsafe { *id = GetCurrentThreadId() };
        S_OK
    }
}

#[test]
fn mrsh_23_ft_01_02_the_free_threaded_marshaler() {
    world(|world| unsafe {
        let sta = world.sta();
        let tape = Tape::new();
        let written = tape.clone();
        let address = sta.run(move || {
            let object: IProbe2 = Agile.into();
            let marshal: IMarshal = query(&object).unwrap();
            let (mut clsid, mut size, raw) = (GUID::zeroed(), 0, object.as_raw());
            let iid = &IProbe2::IID;
            let none = null_mut();
            assert_eq!(marshal.GetUnmarshalClass(iid, raw, MSHCTX_INPROC, none, 0, &mut clsid), S_OK);
            assert_eq!(clsid, CLSID_InProcFreeMarshaler);
            assert_eq!(marshal.GetMarshalSizeMax(iid, raw, MSHCTX_INPROC, none, 0, &mut size), S_OK);
            assert_eq!(size, 28);
            assert_eq!(marshal.GetUnmarshalClass(iid, raw, MSHCTX_LOCAL, none, 0, &mut clsid), S_OK);
            assert_eq!(clsid, CLSID_StdMarshal, "elsewhere as everybody");
            drop(marshal);
            let before = count(&object);
            assert_eq!(written.marshal(&object, NORMAL), S_OK);
            assert_eq!(count(&object), before + 1);
            assert_eq!(written.release(), S_OK);
            assert_eq!(count(&object), before);
            written.rewind();
            assert_eq!(written.marshal(&object, NORMAL), S_OK);
            raw.addr()
        });
        assert_eq!(tape.bytes().len(), 48 + 28);
        let mta = world.mta();
        mta.run(move || {
            let object: IProbe2 = tape.unmarshal().unwrap();
            assert_eq!(object.as_raw().addr(), address, "the object itself, in any apartment");
            let mut id = 0;
            assert_eq!(object.Thread2(&mut id), S_OK);
            assert_eq!(id, GetCurrentThreadId());
            assert_eq!(count(&object), 1, "the packet's reference came along");
            // For another destination the packet is standard.
            let local = Tape::new();
            let raw = object.as_raw();
            let hr = CoMarshalInterface(local.raw(), &IProbe2::IID, raw, MSHCTX_LOCAL, null_mut(), NORMAL);
            assert_eq!(hr, S_OK);
            assert_eq!(&local.bytes()[..8], b"MEOW\x01\0\0\0");
            assert_eq!(local.release(), S_OK);
        });
        sta.close();
        mta.close();
    });
}

#[test]
fn mrsh_23_a_packet_that_nobody_pings_for_is_used_up() {
    world(|world| {
        let sta = world.sta();
        sta.run(|| {
            let object: IProbe2 = Agile.into();
            let tape = Tape::new();
            assert_eq!(tape.marshal(&object, NORMAL | MSHLFLAGS_NOPING), S_OK);
            assert_eq!(count(&object), 2);
            drop(tape.unmarshal::<IProbe2>().unwrap());
            assert_eq!(count(&object), 1, "the packet's reference came along");
        });
        sta.close();
    });
}

/// The process's table.
fn table() -> IGlobalInterfaceTable {
    let mut raw = null_mut();
    let iid = &IGlobalInterfaceTable::IID;
    let clsid = &CLSID_StdGlobalInterfaceTable;
    unsafe {
        assert_eq!(CoCreateInstance(clsid, null_mut(), CLSCTX_INPROC_SERVER, iid, &mut raw), S_OK);
        IGlobalInterfaceTable::from_raw(raw)
    }
}

fn get<I: Interface>(cookie: u32, table: &IGlobalInterfaceTable) -> Result<I, HRESULT> {
    let mut raw = 0x10 as *mut c_void;
    match unsafe { table.GetInterfaceFromGlobal(cookie, &I::IID, &mut raw) } {
        S_OK => Ok(unsafe { I::from_raw(raw) }),
        hr => {
            assert!(raw.is_null());
            Err(hr)
        }
    }
}

#[test]
fn mrsh_25_gi_01_to_05_the_global_interface_table() {
    world(|world| unsafe {
        let lives = Lives::default();
        let (sta, mta) = (world.sta(), world.mta());
        let own = lives.clone();
        let cookie = mta.run(move || {
            let table = table();
            let raw = table.as_raw();
            for _ in 0..3 {
                assert_eq!((Interface::vtable(&*table).AddRef)(raw), 1);
                assert_eq!((Interface::vtable(&*table).Release)(raw), 1);
            }
            let object = probe(&own);
            let mut cookie = 0;
            assert_eq!(table.RegisterInterfaceInGlobal(object.as_raw(), &IProbe::IID, &mut cookie), S_OK);
            assert_ne!(cookie, 0);
            cookie
        });
        assert_eq!(lives.now(), 1);
        let shared = Arc::new(Carry(mta.run(|| Carry(table())).take()));
        let own = shared.clone();
        sta.run(move || {
            for _ in 0..3 {
                assert_eq!(get::<IProbe>(cookie, &own.0).unwrap().Do(0), S_OK);
            }
            assert!(get::<IUnknown>(cookie, &own.0).is_ok(), "another interface than registered");
            assert_eq!(get::<IOther>(cookie, &own.0).unwrap_err(), E_NOINTERFACE);
            assert_eq!(get::<IProbe>(cookie + 1, &own.0).unwrap_err(), E_INVALIDARG);
            assert_eq!(own.0.RevokeInterfaceFromGlobal(cookie + 1), E_INVALIDARG);
            assert_eq!(own.0.RevokeInterfaceFromGlobal(0), E_INVALIDARG);
        });
        assert_eq!(lives.now(), 1);
        let own = shared.clone();
        sta.run(move || assert_eq!(own.0.RevokeInterfaceFromGlobal(cookie), S_OK, "from any apartment"));
        assert_eq!(lives.now(), 0);
        let own = shared.clone();
        sta.run(move || {
            assert_eq!(get::<IProbe>(cookie, &own.0).unwrap_err(), E_INVALIDARG);
            assert_eq!(own.0.RevokeInterfaceFromGlobal(cookie), E_INVALIDARG);
        });
        sta.close();
        mta.close();
    });
}

#[test]
fn mrsh_25_26_gi_03_outside_com_and_after_the_end() {
    world(|world| unsafe {
        let lives = Lives::default();
        let sta = world.sta();
        let own = lives.clone();
        let (table, cookie) = sta
            .run(move || {
                let (table, mut cookie) = (table(), 0);
                let object = probe(&own);
                assert_eq!(table.RegisterInterfaceInGlobal(object.as_raw(), &IProbe::IID, &mut cookie), S_OK);
                Carry((table, cookie))
            })
            .take();
        assert_eq!(get::<IProbe>(cookie, &table).unwrap_err(), CO_E_NOTINITIALIZED);
        let object = probe(&lives);
        let mut other = 1;
        let raw = object.as_raw();
        assert_eq!(table.RegisterInterfaceInGlobal(raw, &IProbe::IID, &mut other), CO_E_NOTINITIALIZED);
        assert_eq!(other, 0);
        assert_eq!(CoInitializeEx(null_mut(), COINIT_MULTITHREADED), S_OK);
        assert_eq!(get::<IProbe>(cookie, &table).unwrap().Do(0), S_OK);
        sta.close();
        assert_eq!(lives.now(), 1, "the object of this test only");
        assert_eq!(get::<IProbe>(cookie, &table).unwrap_err(), CO_E_OBJNOTCONNECTED);
        assert_eq!(table.RevokeInterfaceFromGlobal(cookie), S_OK);
        assert_eq!(table.RegisterInterfaceInGlobal(null_mut(), &IProbe::IID, &mut other), E_INVALIDARG);
        CoUninitialize();
    });
}

#[test]
fn agile_objects_in_the_table() {
    // Ruling: the table honours IAgileObject. What nobody revoked goes with COM's end in the process.
    world(|world| unsafe {
        let (sta, mta) = (world.sta(), world.mta());
        let (address, cookie) = sta.run(|| {
            let (object, mut cookie) = (IProbe2::from(Agile), 0);
            assert_eq!(table().RegisterInterfaceInGlobal(object.as_raw(), &IProbe2::IID, &mut cookie), S_OK);
            assert_eq!(count(&object), 2);
            (object.as_raw().addr(), cookie)
        });
        mta.run(move || assert_eq!(get::<IProbe2>(cookie, &table()).unwrap().as_raw().addr(), address));
        sta.close();
        mta.run(move || assert_eq!(get::<IProbe2>(cookie, &table()).unwrap().as_raw().addr(), address));
        mta.close();
    });
}

/// Says that it may be used everywhere, and of every other interface that it is there; gives null for it.
unsafe extern "system" fn says_yes(this: *mut c_void, iid: *const GUID, out: *mut *mut c_void) -> HRESULT {
    unsafe { *out = if [IUnknown::IID, IAgileObject::IID].contains(&*iid) { this } else { null_mut() } };
    S_OK
}

unsafe extern "system" fn one(_: *mut c_void) -> u32 {
    1
}

static SAYS_YES: IUnknown_Vtbl = IUnknown_Vtbl { QueryInterface: says_yes, AddRef: one, Release: one };

/// A factory that gives nothing and says that it went well.
#[com_class(IPSFactoryBuffer)]
struct GivesNothing;

impl IPSFactoryBuffer_Impl for GivesNothing_Impl {
    unsafe fn CreateProxy(&self, _: *mut c_void, _: *const GUID, _: *mut *mut c_void, _: *mut *mut c_void) -> HRESULT {
        S_OK
    }
    unsafe fn CreateStub(&self, _: *const GUID, _: *mut c_void, _: *mut *mut c_void) -> HRESULT {
        S_OK
    }
}

/// No call goes through null, and no reference counts on it.
#[test]
fn rul_164_success_with_null_is_no_interface() {
    world(|world| unsafe {
        let (sta, mta) = (world.sta(), world.mta());
        sta.run(|| {
            let it = std::ptr::from_ref(&SAYS_YES);
            let raw = (&raw const it).cast_mut().cast::<c_void>();
            let mut cookie = 7;
            let hr = table().RegisterInterfaceInGlobal(raw, &IProbe2::IID, &mut cookie);
            assert_eq!((hr, cookie), (E_NOINTERFACE, 0));
            // As IUnknown it is in the table, and everybody who asks for more hears that there is none.
            let hr = table().RegisterInterfaceInGlobal(raw, &IUnknown::IID, &mut cookie);
            assert_eq!((hr, get::<IProbe2>(cookie, &table()).err()), (S_OK, Some(E_NOINTERFACE)));
            assert_eq!(table().RevokeInterfaceFromGlobal(cookie), S_OK);
            // Its marshaler, if anybody aggregated one under it, would ask it for the same.
            let agile: IProbe2 = Agile.into();
            let (marshal, tape): (IMarshal, _) = (query(&agile).unwrap(), Tape::new());
            let inproc = MSHCTX_INPROC;
            let hr = marshal.MarshalInterface(tape.raw(), &IProbe2::IID, raw, inproc, null_mut(), NORMAL);
            assert_eq!((hr, tape.bytes().len()), (E_NOINTERFACE, 0));
        });
        let clsid = GUID::from_u128(0x3c1b_0000_1235);
        mta.run(move || {
            let object = probe(&Lives::default());
            let local: ILocal = query(&object).unwrap();
            let factory: IPSFactoryBuffer = GivesNothing.into();
            let (raw, mut cookie) = (factory.as_raw(), 0);
            let hr = CoRegisterClassObject(&clsid, raw, CLSCTX_INPROC_SERVER, REGCLS_MULTIPLEUSE, &mut cookie);
            assert_eq!((hr, CoRegisterPSClsid(&ILocal::IID, &clsid)), (S_OK, S_OK));
            let before = count(&object);
            assert_eq!(Tape::new().marshal(&local, NORMAL), E_NOINTERFACE);
            assert_eq!(count(&object), before);
        });
        sta.close();
        mta.close();
    });
}

/// A factory that refuses.
#[com_class(IPSFactoryBuffer)]
struct Refuses;

impl IPSFactoryBuffer_Impl for Refuses_Impl {
    unsafe fn CreateProxy(&self, _: *mut c_void, _: *const GUID, _: *mut *mut c_void, _: *mut *mut c_void) -> HRESULT {
        E_FAIL
    }
    unsafe fn CreateStub(&self, _: *const GUID, _: *mut c_void, _: *mut *mut c_void) -> HRESULT {
        HRESULT(0x8004_1234_u32 as i32)
    }
}

#[test]
fn mrsh_02_30_factories_of_the_users() {
    world(|world| unsafe {
        let clsid = GUID::from_u128(0x3c1b_0000_1234);
        let ask = |iid: &GUID| {
            let mut found = GUID::zeroed();
            (CoGetPSClsid(iid, &mut found), found)
        };
        assert_eq!(ask(&ILocal::IID).0, CO_E_NOTINITIALIZED);
        let (sta, mta) = (world.sta(), world.mta());
        sta.run(move || {
            let factory: IPSFactoryBuffer = Refuses.into();
            let (raw, mut cookie) = (factory.as_raw(), 0);
            let hr = CoRegisterClassObject(&clsid, raw, CLSCTX_INPROC_SERVER, REGCLS_MULTIPLEUSE, &mut cookie);
            assert_eq!(hr, S_OK);
            assert_eq!(ask(&ILocal::IID).0, REGDB_E_IIDNOTREG);
            assert_eq!(CoRegisterPSClsid(&ILocal::IID, &clsid), S_OK);
            let object = probe(&Lives::default());
            let local: ILocal = query(&object).unwrap();
            let before = count(&object);
            let hr = Tape::new().marshal(&local, NORMAL);
            assert_eq!(hr, HRESULT(0x8004_1234_u32 as i32), "as it is");
            assert_eq!(count(&object), before);
        });
        assert_eq!(mta.run(move || ask(&ILocal::IID)), (S_OK, clsid), "for the whole process");
        sta.close();
        mta.close();
        assert_eq!(CoInitializeEx(null_mut(), COINIT_MULTITHREADED), S_OK);
        assert_eq!(ask(&ILocal::IID).0, REGDB_E_IIDNOTREG, "gone when COM had left the process");
        CoUninitialize();
    });
}

//! Every out pointer null, every stale handle, every wrong thread: the documented HRESULT, never a crash.
//!
//! A test of the house's style fails when a function of the surface that takes a pointer or a handle is called in none of
//! these files.

#![allow(clippy::undocumented_unsafe_blocks, reason = "tests call COM against its rules, as users do")]

mod objects;
#[path = "../common/probe.rs"]
mod probe;
#[path = "../common/rooms.rs"]
mod rooms;
#[path = "../common/tape.rs"]
mod tape;
mod win32;
#[path = "../common/windows.rs"]
mod windows;

use oleander::windows_core::{GUID, HRESULT, IUnknown, Interface};
use oleander::*;
use probe::*;
use rooms::*;
use std::ffi::c_void;
use std::ptr::{null, null_mut};
use tape::Tape;

/// A call by its name, what it said, what it has to say.
type Row = (&'static str, HRESULT, HRESULT);

fn check(place: &str, rows: &[Row]) {
    let wrong: Vec<_> = rows.iter().filter(|(_, said, expected)| said != expected).collect();
    assert!(wrong.is_empty(), "in {place} (a call, what it said, what it has to say): {wrong:#?}");
}

/// An id as a raw pointer, for rows that also pass null.
fn at(id: &'static GUID) -> *const GUID {
    id
}

/// The functions of COM with null where something must be, in every kind of thread: arguments come first.
fn null_arguments() -> Vec<Row> {
    unsafe {
        let (mut raw, mut number, mut guid) = (null_mut(), 0, GUID::zeroed());
        let (mut cookie, mut text, mut handle) = (0, null_mut(), HANDLE::NULL);
        let stale = HANDLE(std::ptr::without_provenance_mut(0x7777));
        let object = probe(&Lives::default());
        let tape = Tape::new();
        let (unknown, stream) = (object.as_raw(), tape.raw());
        let (iid, clsid, none) = (at(&IProbe::IID), at(&CLSID_ManualResetEvent), null_mut::<c_void>());
        let mut multi = [MULTI_QI { pIID: null(), pItf: null_mut(), hr: S_OK }];
        let bad = E_INVALIDARG;
        vec![
            ("CoGetApartmentType", CoGetApartmentType(null_mut(), null_mut()), bad),
            ("CoIncrementMTAUsage", CoIncrementMTAUsage(null_mut()), bad),
            ("CoDecrementMTAUsage", CoDecrementMTAUsage(null_mut()), bad),
            ("CoDecrementMTAUsage, stale", CoDecrementMTAUsage(0x7777 as *mut c_void), bad),
            ("CoWaitForMultipleHandles", CoWaitForMultipleHandles(0, 0, 0, null(), null_mut()), bad),
            ("CoWaitForMultipleObjects", CoWaitForMultipleObjects(0, 0, 0, null(), &mut number), bad),
            ("CoRegisterClassObject, class", CoRegisterClassObject(null(), unknown, 1, 1, &mut number), bad),
            ("CoRegisterClassObject, object", CoRegisterClassObject(clsid, none, 1, 1, &mut number), bad),
            ("CoRegisterClassObject, cookie", CoRegisterClassObject(clsid, unknown, 1, 1, null_mut()), bad),
            ("CoGetClassObject, class", CoGetClassObject(null(), 1, none, iid, &mut raw), bad),
            ("CoGetClassObject, id", CoGetClassObject(clsid, 1, none, null(), &mut raw), bad),
            ("CoGetClassObject, out", CoGetClassObject(clsid, 1, none, iid, null_mut()), bad),
            ("CoCreateInstance, class", CoCreateInstance(null(), none, 1, iid, &mut raw), bad),
            ("CoCreateInstance, id", CoCreateInstance(clsid, none, 1, null(), &mut raw), bad),
            ("CoCreateInstance, out", CoCreateInstance(clsid, none, 1, iid, null_mut()), E_POINTER),
            ("CoCreateInstanceEx, class", CoCreateInstanceEx(null(), none, 1, null(), 1, multi.as_mut_ptr()), bad),
            ("CoCreateInstanceEx, out", CoCreateInstanceEx(clsid, none, 1, null(), 1, null_mut()), bad),
            ("CoCreateInstanceEx, none", CoCreateInstanceEx(clsid, none, 1, null(), 0, multi.as_mut_ptr()), bad),
            ("CoGetCallContext, out", CoGetCallContext(iid, null_mut()), E_POINTER),
            ("CoGetCallContext, id", CoGetCallContext(null(), &mut raw), bad),
            ("CoGetCallContext, no call", CoGetCallContext(iid, &mut raw), RPC_E_CALL_COMPLETE),
            ("CoSwitchCallContext", CoSwitchCallContext(none, null_mut()), S_OK),
            ("CoEnableCallCancellation", CoEnableCallCancellation(unknown), bad),
            ("CoDisableCallCancellation", CoDisableCallCancellation(unknown), bad),
            ("CoDisableCallCancellation, not on", CoDisableCallCancellation(none), CO_E_CANCEL_DISABLED),
            ("CoGetCancelObject, out", CoGetCancelObject(0, iid, null_mut()), E_POINTER),
            ("CoGetCancelObject, id", CoGetCancelObject(0, null(), &mut raw), bad),
            ("CoGetCancelObject, nothing", CoGetCancelObject(0, iid, &mut raw), E_NOINTERFACE),
            ("CoGetCancelObject, no thread", CoGetCancelObject(0x7777, iid, &mut raw), E_NOINTERFACE),
            ("CoSetCancelObject, other", CoSetCancelObject(unknown), E_NOINTERFACE),
            ("CoCancelCall, nothing", CoCancelCall(0, 0), E_NOINTERFACE),
            ("CoCancelCall, no thread", CoCancelCall(0x7777, 0), E_NOINTERFACE),
            ("CoTestCancel", CoTestCancel(), RPC_E_CALL_COMPLETE),
            ("CoRegisterPSClsid, id", CoRegisterPSClsid(null(), clsid), bad),
            ("CoRegisterPSClsid, class", CoRegisterPSClsid(iid, null()), bad),
            ("CoGetPSClsid, id", CoGetPSClsid(null(), &mut guid), bad),
            ("CoGetPSClsid, out", CoGetPSClsid(iid, null_mut()), bad),
            ("CoMarshalInterface, stream", CoMarshalInterface(none, iid, unknown, 3, none, 0), bad),
            ("CoMarshalInterface, id", CoMarshalInterface(stream, null(), unknown, 3, none, 0), bad),
            ("CoMarshalInterface, object", CoMarshalInterface(stream, iid, none, 3, none, 0), bad),
            ("CoUnmarshalInterface, stream", CoUnmarshalInterface(none, iid, &mut raw), bad),
            ("CoUnmarshalInterface, id", CoUnmarshalInterface(stream, null(), &mut raw), bad),
            ("CoUnmarshalInterface, out", CoUnmarshalInterface(stream, iid, null_mut()), bad),
            ("CoReleaseMarshalData", CoReleaseMarshalData(none), bad),
            ("CoReleaseMarshalData, empty", CoReleaseMarshalData(stream), STG_E_READFAULT),
            ("CoGetMarshalSizeMax, out", CoGetMarshalSizeMax(null_mut(), iid, unknown, 3, none, 0), bad),
            ("CoGetMarshalSizeMax, id", CoGetMarshalSizeMax(&mut number, null(), unknown, 3, none, 0), bad),
            ("CoGetMarshalSizeMax, object", CoGetMarshalSizeMax(&mut number, iid, none, 3, none, 0), bad),
            ("CoMarshalInterThread…, id", CoMarshalInterThreadInterfaceInStream(null(), unknown, &mut raw), bad),
            ("CoMarshalInterThread…, object", CoMarshalInterThreadInterfaceInStream(iid, none, &mut raw), bad),
            ("CoMarshalInterThread…, out", CoMarshalInterThreadInterfaceInStream(iid, unknown, null_mut()), bad),
            ("CoGetInterfaceAndReleaseStream", CoGetInterfaceAndReleaseStream(none, iid, &mut raw), bad),
            ("CoMarshalHresult", CoMarshalHresult(none, S_OK), bad),
            ("CoUnmarshalHresult, stream", CoUnmarshalHresult(none, &mut HRESULT(0)), bad),
            ("CoUnmarshalHresult, out", CoUnmarshalHresult(stream, null_mut()), bad),
            ("CoCreateFreeThreadedMarshaler", CoCreateFreeThreadedMarshaler(none, null_mut()), E_POINTER),
            ("CoGetStandardMarshal, id", CoGetStandardMarshal(null(), unknown, 3, none, 0, &mut raw), bad),
            ("CoGetStandardMarshal, out", CoGetStandardMarshal(iid, unknown, 3, none, 0, null_mut()), bad),
            ("CoGetStdMarshalEx, outer", CoGetStdMarshalEx(none, SMEXF_SERVER, &mut raw), bad),
            ("CoGetStdMarshalEx, out", CoGetStdMarshalEx(unknown, SMEXF_SERVER, null_mut()), bad),
            ("RoGetAgileReference, id", RoGetAgileReference(0, null(), unknown, &mut raw), bad),
            ("RoGetAgileReference, object", RoGetAgileReference(0, iid, none, &mut raw), bad),
            ("RoGetAgileReference, out", RoGetAgileReference(0, iid, unknown, null_mut()), bad),
            ("CoLockObjectExternal", CoLockObjectExternal(none, true.into(), true.into()), bad),
            ("CoDisconnectObject", CoDisconnectObject(none, 0), bad),
            ("CoDisconnectObject, reserved", CoDisconnectObject(unknown, 1), bad),
            ("CoInitializeEx", CoInitializeEx(unknown, 0), bad),
            ("CoInitialize", CoInitialize(unknown), bad),
            ("OleInitialize", OleInitialize(unknown), bad),
            ("CoRegisterInitializeSpy, spy", CoRegisterInitializeSpy(none, &mut cookie), bad),
            ("CoRegisterInitializeSpy, out", CoRegisterInitializeSpy(unknown, null_mut()), bad),
            ("CoRegisterInitializeSpy, no spy", CoRegisterInitializeSpy(unknown, &mut cookie), E_NOINTERFACE),
            ("CoRevokeInitializeSpy, stale", CoRevokeInitializeSpy(0x7777), bad),
            ("CoRegisterChannelHook, id", CoRegisterChannelHook(null(), unknown), bad),
            ("CoRegisterChannelHook, hook", CoRegisterChannelHook(iid, none), bad),
            ("CoRegisterChannelHook, no hook", CoRegisterChannelHook(iid, unknown), E_NOINTERFACE),
            ("CoGetContextToken", CoGetContextToken(null_mut()), E_POINTER),
            ("CoGetObjectContext", CoGetObjectContext(iid, null_mut()), E_POINTER),
            ("CoGetCurrentLogicalThreadId", CoGetCurrentLogicalThreadId(null_mut()), bad),
            ("CoGetCallerTID", CoGetCallerTID(null_mut()), bad),
            ("CoGetCallerTID, no call", CoGetCallerTID(&mut number), E_OUTOFMEMORY),
            ("CoGetMalloc", CoGetMalloc(1, null_mut()), bad),
            ("CoCreateGuid", CoCreateGuid(null_mut()), bad),
            ("StringFromCLSID, id", StringFromCLSID(null(), &mut text), bad),
            ("StringFromCLSID, out", StringFromCLSID(clsid, null_mut()), bad),
            ("StringFromIID, id", StringFromIID(null(), &mut text), bad),
            ("StringFromIID, out", StringFromIID(iid, null_mut()), bad),
            ("CLSIDFromString, text", CLSIDFromString(null(), &mut guid), S_OK),
            ("CLSIDFromString, out", CLSIDFromString(null(), null_mut()), bad),
            ("IIDFromString, text", IIDFromString(null(), &mut guid), S_OK),
            ("IIDFromString, out", IIDFromString(null(), null_mut()), bad),
            ("CreateStreamOnHGlobal, out", CreateStreamOnHGlobal(HANDLE::NULL, true.into(), null_mut()), bad),
            ("CreateStreamOnHGlobal, stale", CreateStreamOnHGlobal(stale, true.into(), &mut raw), bad),
            ("GetHGlobalFromStream, stream", GetHGlobalFromStream(none, &mut handle), bad),
            ("GetHGlobalFromStream, out", GetHGlobalFromStream(stream, null_mut()), bad),
            ("CoQueryProxyBlanket", blanket_of(none), bad),
            ("CoQueryProxyBlanket, no proxy", blanket_of(unknown), E_NOINTERFACE),
            ("CoSetProxyBlanket", CoSetProxyBlanket(none, 0, 0, null_mut(), 0, 0, none, 0), bad),
            ("CoSetProxyBlanket, no proxy", CoSetProxyBlanket(unknown, 0, 0, null_mut(), 0, 0, none, 0), E_NOINTERFACE),
            ("CoCopyProxy", CoCopyProxy(none, &mut raw), bad),
            ("CoCopyProxy, out", CoCopyProxy(unknown, null_mut()), E_POINTER),
            ("CoCopyProxy, no proxy", CoCopyProxy(unknown, &mut raw), E_NOINTERFACE),
            ("CoQueryClientBlanket, no call", client_blanket(), RPC_E_CALL_COMPLETE),
            ("CoImpersonateClient, no call", CoImpersonateClient(), RPC_E_CALL_COMPLETE),
            ("CoRevertToSelf, no call", CoRevertToSelf(), RPC_E_CALL_COMPLETE),
            ("OleanderRegisterInProcessClass", OleanderRegisterInProcessClass(null(), None, 0, 0), bad),
            ("OleanderRegisterInProcessClass, function", OleanderRegisterInProcessClass(clsid, None, 0, 0), bad),
            ("OleanderRevokeInProcessClass", OleanderRevokeInProcessClass(null()), bad),
        ]
    }
}

/// `CoQueryProxyBlanket` with null for all that it could say.
fn blanket_of(proxy: *mut c_void) -> HRESULT {
    let no = null_mut();
    unsafe { CoQueryProxyBlanket(proxy, no, no, null_mut(), no, no, null_mut(), no) }
}

/// `CoQueryClientBlanket`, likewise.
fn client_blanket() -> HRESULT {
    let no = null_mut();
    unsafe { CoQueryClientBlanket(no, no, null_mut(), no, no, null_mut(), no) }
}

#[test]
fn the_functions_of_com_with_null() {
    world(|world| {
        let mut units = [7; 39];
        unsafe {
            let (id, room) = (at(&IProbe::IID), units.as_mut_ptr());
            let texts =
                [StringFromGUID2(null(), room, 39), StringFromGUID2(id, null_mut(), 39), StringFromGUID2(id, room, 38)];
            assert_eq!((texts, units), ([0; 3], [7; 39]));
            assert_eq!(CoRegisterMessageFilter(null_mut(), null_mut()), CO_E_NOT_SUPPORTED);
        }
        check("a thread outside COM", &null_arguments());
        for (place, room) in [("an STA", world.sta()), ("the MTA", world.mta())] {
            room.run(move || check(place, &null_arguments()));
            room.close();
        }
    });
}

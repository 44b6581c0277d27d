//! Every out pointer null, every stale handle, every wrong thread: the documented HRESULT, never a crash.

#![allow(clippy::undocumented_unsafe_blocks, reason = "tests call COM against its rules, as users do")]

#[path = "common/probe.rs"]
mod probe;
#[path = "common/rooms.rs"]
mod rooms;
#[path = "common/tape.rs"]
mod tape;

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
    for (name, said, expected) in rows {
        assert_eq!(said, expected, "{name} in {place}");
    }
}

/// An id as a raw pointer, for rows that also pass null.
fn at(id: &'static GUID) -> *const GUID {
    id
}

/// A class of the system.
fn create<I: Interface>(clsid: &GUID) -> I {
    let mut raw = null_mut();
    unsafe {
        assert_eq!(CoCreateInstance(clsid, null_mut(), CLSCTX_INPROC_SERVER, &I::IID, &mut raw), S_OK);
        I::from_raw(raw)
    }
}

/// The functions of COM with null where something must be, in every kind of thread: arguments come first.
fn null_arguments() -> Vec<Row> {
    unsafe {
        let (mut raw, mut number, mut guid) = (null_mut(), 0, GUID::zeroed());
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
        ]
    }
}

#[test]
fn the_functions_of_com_with_null() {
    world(|world| {
        check("a thread outside COM", &null_arguments());
        for (place, room) in [("an STA", world.sta()), ("the MTA", world.mta())] {
            room.run(move || check(place, &null_arguments()));
            room.close();
        }
    });
}

#[test]
fn the_methods_of_the_systems_objects_with_null() {
    world(|world| {
        let sta = world.sta();
        sta.run(|| unsafe {
            let event: ISynchronize = create(&CLSID_ManualResetEvent);
            let handle: ISynchronizeHandle = query(&event).unwrap();
            let owner: ISynchronizeEvent = query(&event).unwrap();
            let table: IGlobalInterfaceTable = create(&CLSID_StdGlobalInterfaceTable);
            let marshal: IMarshal = create(&CLSID_InProcFreeMarshaler);
            let object = probe(&Lives::default());
            let factory = object::class_factory(object::system_class(&CLSID_ManualResetEvent).unwrap());
            let tape = Tape::new();
            let (mut raw, mut number, none) = (null_mut(), 0, null_mut::<c_void>());
            let (iid, unknown) = (at(&IProbe::IID), object.as_raw());
            let mut stale = HANDLE(0x7777 as *mut c_void);
            let bad = E_INVALIDARG;
            check(
                "an STA",
                &[
                    ("QueryInterface, id", object.query(null(), &mut raw), E_POINTER),
                    ("QueryInterface, out", object.query(iid, null_mut()), E_POINTER),
                    ("Wait, flags", event.Wait(0x80, 0), bad),
                    ("GetHandle", handle.GetHandle(null_mut()), bad),
                    ("SetEventHandle, null", owner.SetEventHandle(null_mut()), bad),
                    ("SetEventHandle, stale", owner.SetEventHandle(&mut stale), E_HANDLE),
                    ("RegisterInterfaceInGlobal, object", table.RegisterInterfaceInGlobal(none, iid, &mut number), bad),
                    ("RegisterInterfaceInGlobal, id", table.RegisterInterfaceInGlobal(unknown, null(), &mut 0), bad),
                    ("RegisterInterfaceInGlobal, out", table.RegisterInterfaceInGlobal(unknown, iid, null_mut()), bad),
                    ("GetInterfaceFromGlobal, id", table.GetInterfaceFromGlobal(1, null(), &mut raw), bad),
                    ("GetInterfaceFromGlobal, out", table.GetInterfaceFromGlobal(1, iid, null_mut()), bad),
                    ("GetInterfaceFromGlobal, cookie", table.GetInterfaceFromGlobal(77, iid, &mut raw), bad),
                    ("RevokeInterfaceFromGlobal, cookie", table.RevokeInterfaceFromGlobal(77), bad),
                    ("GetUnmarshalClass", marshal.GetUnmarshalClass(iid, none, 3, none, 0, null_mut()), E_POINTER),
                    ("GetMarshalSizeMax", marshal.GetMarshalSizeMax(iid, none, 3, none, 0, null_mut()), E_POINTER),
                    ("MarshalInterface, stream", marshal.MarshalInterface(none, iid, unknown, 3, none, 0), bad),
                    ("MarshalInterface, object", marshal.MarshalInterface(tape.raw(), iid, none, 3, none, 0), bad),
                    ("MarshalInterface, id", marshal.MarshalInterface(tape.raw(), null(), unknown, 3, none, 0), bad),
                    ("UnmarshalInterface, stream", marshal.UnmarshalInterface(none, iid, &mut raw), bad),
                    ("UnmarshalInterface, id", marshal.UnmarshalInterface(tape.raw(), null(), &mut raw), bad),
                    ("UnmarshalInterface, out", marshal.UnmarshalInterface(none, iid, null_mut()), E_POINTER),
                    ("ReleaseMarshalData", marshal.ReleaseMarshalData(none), bad),
                    ("CreateInstance, id", factory.CreateInstance(none, null(), &mut raw), E_POINTER),
                    ("CreateInstance, out", factory.CreateInstance(none, iid, null_mut()), E_POINTER),
                    ("Stat", tape.0.0.Stat(null_mut(), 0), STG_E_INVALIDPOINTER),
                    ("Clone", tape.0.0.Clone(null_mut()), STG_E_INVALIDPOINTER),
                    ("CopyTo", tape.0.0.CopyTo(none, 1, null_mut(), null_mut()), STG_E_INVALIDPOINTER),
                    ("Read", tape.0.0.Read(none, 1, null_mut()), STG_E_INVALIDPOINTER),
                    ("Write", tape.0.0.Write(null(), 1, null_mut()), STG_E_INVALIDPOINTER),
                ],
            );
        });
        sta.close();
    });
}

#[test]
fn the_methods_of_proxies_and_call_objects_with_null() {
    world(|world| {
        let (sta, mta) = (world.sta(), world.mta());
        let packet = sta.run(|| pack(&probe(&Lives::default())));
        mta.run(move || unsafe {
            let proxy: IProbe = unpack(packet);
            let calls: ICallFactory = query(&proxy).unwrap();
            let several: IMultiQI = query(&proxy).unwrap();
            let marshal: IMarshal = query(&proxy).unwrap();
            let (mut raw, none) = (null_mut(), null_mut::<c_void>());
            let (twin, unknown) = (at(&AsyncIProbe::IID), at(&IUnknown::IID));
            let iid = at(&IProbe::IID);
            let mut multi = [MULTI_QI { pIID: null(), pItf: null_mut(), hr: S_OK }];
            let bad = E_INVALIDARG;
            assert_eq!(calls.CreateCall(twin, none, twin, &mut raw), S_OK);
            let call = AsyncIProbe::from_raw(raw);
            let handle: ISynchronizeHandle = query(&call).unwrap();
            let sync: ISynchronize = query(&call).unwrap();
            let outer = proxy.as_raw();
            check(
                "the MTA",
                &[
                    ("QueryInterface, id", proxy.query(null(), &mut raw), E_POINTER),
                    ("QueryInterface, out", proxy.query(iid, null_mut()), E_POINTER),
                    // An [out] or [in] reference pointer that is null is a programming error that RPC catches.
                    ("Thread", proxy.Thread(null_mut()), RPC_X_NULL_REF_POINTER_HR),
                    ("KeptAs, out", proxy.KeptAs(iid, null_mut()), RPC_X_NULL_REF_POINTER_HR),
                    ("KeptAs, id", proxy.KeptAs(null(), &mut raw), RPC_X_NULL_REF_POINTER_HR),
                    ("CreateCall, id", calls.CreateCall(null(), none, unknown, &mut raw), bad),
                    ("CreateCall, wanted", calls.CreateCall(twin, none, null(), &mut raw), bad),
                    ("CreateCall, out", calls.CreateCall(twin, none, unknown, null_mut()), bad),
                    ("CreateCall, synchronous id", calls.CreateCall(iid, none, unknown, &mut raw), E_NOINTERFACE),
                    ("CreateCall, outer", calls.CreateCall(twin, outer, twin, &mut raw), CLASS_E_NOAGGREGATION),
                    ("QueryMultipleInterfaces", several.QueryMultipleInterfaces(1, null_mut()), E_POINTER),
                    ("…, id", several.QueryMultipleInterfaces(1, multi.as_mut_ptr()), E_NOINTERFACE),
                    ("GetUnmarshalClass", marshal.GetUnmarshalClass(iid, none, 3, none, 0, null_mut()), bad),
                    ("GetMarshalSizeMax", marshal.GetMarshalSizeMax(iid, none, 3, none, 0, null_mut()), bad),
                    ("MarshalInterface", marshal.MarshalInterface(none, iid, none, 3, none, 0), bad),
                    ("UnmarshalInterface", marshal.UnmarshalInterface(none, iid, &mut raw), bad),
                    ("ReleaseMarshalData", marshal.ReleaseMarshalData(none), bad),
                    ("GetHandle", handle.GetHandle(null_mut()), bad),
                    ("Wait, flags", sync.Wait(0x80, 0), bad),
                    ("Finish_, nothing begun", call.Finish_Do(), RPC_E_CALL_COMPLETE),
                    ("Finish_, null and nothing begun", call.Finish_Thread(null_mut()), RPC_E_CALL_COMPLETE),
                ],
            );
            assert_eq!(multi[0].hr, E_POINTER);
            // A null where Finish_ writes: the call is over all the same, and the object can be used again.
            assert_eq!(call.Begin_Thread(), S_OK);
            assert_eq!(call.Finish_Thread(null_mut()), RPC_X_NULL_REF_POINTER_HR);
            let mut id = 0;
            let hr = call.Finish_Thread(&mut id);
            assert!([S_OK, RPC_E_CALL_COMPLETE].contains(&hr), "{hr}");
            assert_eq!(call.Begin_Do(0), S_OK);
            assert_eq!(call.Finish_Do(), S_OK);
        });
        sta.close();
        mta.close();
    });
}

#[test]
fn call_objects_on_the_wrong_thread() {
    world(|world| {
        let (server, client, other) = (world.sta(), world.sta(), world.sta());
        let packet = server.run(|| pack(&probe(&Lives::default())));
        let call = client.run(move || unsafe {
            let proxy: IProbe = unpack(packet);
            let calls: ICallFactory = query(&proxy).unwrap();
            let (twin, mut raw) = (&AsyncIProbe::IID, null_mut());
            assert_eq!(calls.CreateCall(twin, null_mut(), twin, &mut raw), S_OK);
            let call = AsyncIProbe::from_raw(raw);
            Carry((query::<ICallFactory>(&proxy).unwrap(), call, query::<IMultiQI>(&proxy).unwrap()))
        });
        let misuse = |place: &'static str, expected: HRESULT, call: Carry<(ICallFactory, AsyncIProbe, IMultiQI)>| unsafe {
            let (calls, call, several) = call.take();
            let mut raw = 0x10 as *mut c_void;
            let (twin, none) = (at(&AsyncIProbe::IID), null_mut());
            check(
                place,
                &[
                    ("CreateCall", calls.CreateCall(twin, none, twin, &mut raw), expected),
                    ("Begin_", call.Begin_Do(0), expected),
                ],
            );
            assert!(raw.is_null());
            Carry((calls, call, several))
        };
        let call = other.run(move || misuse("another STA", RPC_E_WRONG_THREAD, call));
        let call = world.thread(move || misuse("a thread outside COM", CO_E_NOTINITIALIZED, call)).wait();
        client.run(move || unsafe {
            let (_, call, _) = call.take();
            assert_eq!(call.Begin_Do(0), S_OK, "nothing is broken");
            assert_eq!(call.Finish_Do(), S_OK);
        });
        for room in [server, client, other] {
            room.close();
        }
    });
}

/// A Win32 function by its name, whether it failed, and the last error.
type Win32 = (&'static str, bool, u32);

#[test]
fn win32_with_null_and_stale_values() {
    fn failed(name: &'static str, failed: bool) -> Win32 {
        (name, failed, unsafe { GetLastError() })
    }
    world(|world| {
        let rows = || unsafe {
            let stale = event(true, true);
            assert!(CloseHandle(stale).as_bool());
            let nowhere = HWND(0x7777 as *mut c_void);
            let mut msg = MSG::default();
            let mut handle = HANDLE::NULL;
            let forever = 0;
            let rows = [
                failed("SetEvent", !SetEvent(stale).as_bool()),
                failed("ResetEvent", !ResetEvent(HANDLE::NULL).as_bool()),
                failed("ReleaseSemaphore", !ReleaseSemaphore(stale, 1, null_mut()).as_bool()),
                failed("ReleaseMutex", !ReleaseMutex(stale).as_bool()),
                failed("CloseHandle", !CloseHandle(stale).as_bool()),
                failed("WaitForSingleObject", WaitForSingleObject(stale, forever) == WAIT_FAILED),
                failed("WaitForMultipleObjects", WaitForMultipleObjects(1, &stale, false.into(), 0) == WAIT_FAILED),
            ];
            for (name, failed, error) in rows {
                assert!(failed, "{name}");
                assert_eq!(error, ERROR_INVALID_HANDLE, "{name}");
            }
            let rows = [
                failed("WaitForMultipleObjects", WaitForMultipleObjects(1, null(), false.into(), 0) == WAIT_FAILED),
                failed("GetMessageW", GetMessageW(null_mut(), HWND::NULL, 0, 0).0 == -1),
                failed("QueueUserWorkItem", !QueueUserWorkItem(None, null_mut(), 0).as_bool()),
                failed("RegisterClassW", RegisterClassW(null()) == 0),
            ];
            for (name, failed, error) in rows {
                assert!(failed, "{name}");
                assert_eq!(error, ERROR_INVALID_PARAMETER, "{name}");
            }
            assert!(!PeekMessageW(null_mut(), HWND::NULL, 0, 0, PM_REMOVE).as_bool());
            assert!(!PostMessageW(nowhere, WM_USER, 0, 0).as_bool());
            assert!(!PostThreadMessageW(0x7777, WM_USER, 0, 0).as_bool());
            assert_eq!(SendMessageW(nowhere, WM_USER, 0, 0), 0);
            assert!(!DestroyWindow(nowhere).as_bool());
            assert!(!IsWindow(nowhere).as_bool());
            assert_eq!(GetWindowLongPtrW(nowhere, 0), 0);
            assert_eq!(DispatchMessageW(null()), 0);
            assert!(!TranslateMessage(null()).as_bool());
            let me = GetCurrentProcess();
            assert!(!DuplicateHandle(me, stale, me, &mut handle, 0, false.into(), DUPLICATE_SAME_ACCESS).as_bool());
            assert!(!PeekMessageW(&mut msg, nowhere, 0, 0, PM_REMOVE).as_bool());
            CoTaskMemFree(null_mut());
            SysFreeString(BSTR::NULL);
            assert_eq!(SysStringLen(BSTR::NULL), 0);
            assert!(!SysReAllocString(null_mut(), null()).as_bool());
        };
        rows();
        for room in [world.sta(), world.mta()] {
            room.run(rows);
            room.close();
        }
    });
}

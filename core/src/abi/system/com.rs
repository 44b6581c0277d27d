//! COM's own functions: ole32, combase, oleaut32.

use super::import;
use crate::abi::types::{BSTR, COSERVERINFO, HANDLE, MULTI_QI};
use std::ffi::c_void;
use windows_core::{BOOL, GUID, HRESULT};

import! { "ole32.dll"
    fn CLSIDFromString(lpsz: *const u16, pclsid: *mut GUID) -> HRESULT;
    fn CoCopyProxy(pProxy: *mut c_void, ppCopy: *mut *mut c_void) -> HRESULT;
    fn CoCreateFreeThreadedMarshaler(punkOuter: *mut c_void, ppunkMarshal: *mut *mut c_void) -> HRESULT;
    fn CoCreateGuid(pguid: *mut GUID) -> HRESULT;
    fn CoCreateInstance(
        rclsid: *const GUID, pUnkOuter: *mut c_void, dwClsContext: u32, riid: *const GUID, ppv: *mut *mut c_void,
    ) -> HRESULT;
    fn CoCreateInstanceEx(
        Clsid: *const GUID, punkOuter: *mut c_void, dwClsCtx: u32, _pServerInfo: *const COSERVERINFO, dwCount: u32,
        pResults: *mut MULTI_QI,
    ) -> HRESULT;
    fn CoDecrementMTAUsage(Cookie: *mut c_void) -> HRESULT;
    fn CoDisableCallCancellation(pReserved: *mut c_void) -> HRESULT;
    fn CoDisconnectObject(pUnk: *mut c_void, dwReserved: u32) -> HRESULT;
    fn CoEnableCallCancellation(pReserved: *mut c_void) -> HRESULT;
    fn CoGetApartmentType(pAptType: *mut i32, pAptQualifier: *mut i32) -> HRESULT;
    fn CoGetCallContext(riid: *const GUID, ppInterface: *mut *mut c_void) -> HRESULT;
    fn CoGetCallerTID(lpdwTID: *mut u32) -> HRESULT;
    fn CoGetClassObject(
        rclsid: *const GUID, dwClsContext: u32, _pvReserved: *mut c_void, riid: *const GUID, ppv: *mut *mut c_void,
    ) -> HRESULT;
    fn CoGetContextToken(pToken: *mut usize) -> HRESULT;
    fn CoGetCurrentLogicalThreadId(pguid: *mut GUID) -> HRESULT;
    fn CoGetCurrentProcess() -> u32;
    fn CoGetInterfaceAndReleaseStream(pStm: *mut c_void, iid: *const GUID, ppv: *mut *mut c_void) -> HRESULT;
    fn CoGetMalloc(dwMemContext: u32, ppMalloc: *mut *mut c_void) -> HRESULT;
    fn CoGetMarshalSizeMax(
        pulSize: *mut u32, riid: *const GUID, pUnk: *mut c_void, dwDestContext: u32, pvDestContext: *mut c_void,
        mshlflags: u32,
    ) -> HRESULT;
    fn CoGetObjectContext(riid: *const GUID, ppv: *mut *mut c_void) -> HRESULT;
    fn CoGetPSClsid(riid: *const GUID, pClsid: *mut GUID) -> HRESULT;
    fn CoGetStandardMarshal(
        riid: *const GUID, pUnk: *mut c_void, dwDestContext: u32, pvDestContext: *mut c_void, mshlflags: u32,
        ppMarshal: *mut *mut c_void,
    ) -> HRESULT;
    fn CoImpersonateClient() -> HRESULT;
    fn CoLockObjectExternal(pUnk: *mut c_void, fLock: BOOL, fLastUnlockReleases: BOOL) -> HRESULT;
    fn CoMarshalHresult(pstm: *mut c_void, hresult: HRESULT) -> HRESULT;
    fn CoMarshalInterThreadInterfaceInStream(
        riid: *const GUID, pUnk: *mut c_void, ppStm: *mut *mut c_void,
    ) -> HRESULT;
    fn CoMarshalInterface(
        pStm: *mut c_void, riid: *const GUID, pUnk: *mut c_void, dwDestContext: u32, pvDestContext: *mut c_void,
        mshlflags: u32,
    ) -> HRESULT;
    fn CoQueryClientBlanket(
        pAuthnSvc: *mut u32, pAuthzSvc: *mut u32, pServerPrincName: *mut *mut u16, pAuthnLevel: *mut u32,
        pImpLevel: *mut u32, pPrivs: *mut *mut c_void, pCapabilities: *mut u32,
    ) -> HRESULT;
    fn CoQueryProxyBlanket(
        pProxy: *mut c_void, pwAuthnSvc: *mut u32, pAuthzSvc: *mut u32, pServerPrincName: *mut *mut u16,
        pAuthnLevel: *mut u32, pImpLevel: *mut u32, pAuthInfo: *mut *mut c_void, pCapabilites: *mut u32,
    ) -> HRESULT;
    fn CoRegisterChannelHook(ExtensionUuid: *const GUID, pChannelHook: *mut c_void) -> HRESULT;
    fn CoRegisterClassObject(
        rclsid: *const GUID, pUnk: *mut c_void, dwClsContext: u32, flags: u32, lpdwRegister: *mut u32,
    ) -> HRESULT;
    fn CoRegisterInitializeSpy(pSpy: *mut c_void, puliCookie: *mut u64) -> HRESULT;
    fn CoRegisterMessageFilter(lpMessageFilter: *mut c_void, lplpMessageFilter: *mut *mut c_void) -> HRESULT;
    fn CoRegisterPSClsid(riid: *const GUID, rclsid: *const GUID) -> HRESULT;
    fn CoReleaseMarshalData(pStm: *mut c_void) -> HRESULT;
    fn CoResumeClassObjects() -> HRESULT;
    fn CoRevertToSelf() -> HRESULT;
    fn CoRevokeClassObject(dwRegister: u32) -> HRESULT;
    fn CoRevokeInitializeSpy(uliCookie: u64) -> HRESULT;
    fn CoSetProxyBlanket(
        pProxy: *mut c_void, dwAuthnSvc: u32, dwAuthzSvc: u32, pServerPrincName: *mut u16, dwAuthnLevel: u32,
        dwImpLevel: u32, pAuthInfo: *mut c_void, dwCapabilities: u32,
    ) -> HRESULT;
    fn CoSuspendClassObjects() -> HRESULT;
    fn CoSwitchCallContext(pNewObject: *mut c_void, ppOldObject: *mut *mut c_void) -> HRESULT;
    fn CoTaskMemAlloc(cb: usize) -> *mut c_void;
    fn CoTaskMemFree(pv: *mut c_void);
    fn CoTaskMemRealloc(pv: *mut c_void, cb: usize) -> *mut c_void;
    fn CoUninitialize();
    fn CoUnmarshalHresult(pstm: *mut c_void, phresult: *mut HRESULT) -> HRESULT;
    fn CoUnmarshalInterface(pStm: *mut c_void, riid: *const GUID, ppv: *mut *mut c_void) -> HRESULT;
    fn CoWaitForMultipleHandles(
        dwFlags: u32, dwTimeout: u32, cHandles: u32, pHandles: *const HANDLE, lpdwindex: *mut u32,
    ) -> HRESULT;
    fn CreateStreamOnHGlobal(hGlobal: HANDLE, fDeleteOnRelease: BOOL, ppstm: *mut *mut c_void) -> HRESULT;
    fn GetHGlobalFromStream(pstm: *mut c_void, phglobal: *mut HANDLE) -> HRESULT;
    fn IIDFromString(lpsz: *const u16, lpiid: *mut GUID) -> HRESULT;
    fn OleUninitialize();
    fn StringFromCLSID(rclsid: *const GUID, lplpsz: *mut *mut u16) -> HRESULT;
    fn StringFromGUID2(rguid: *const GUID, lpsz: *mut u16, cchMax: i32) -> i32;
    fn StringFromIID(rclsid: *const GUID, lplpsz: *mut *mut u16) -> HRESULT;
}

// Wine's ole32 does not have it; every combase does.
import! { "combase.dll"
    fn RoGetAgileReference(
        options: i32, riid: *const GUID, pUnk: *mut c_void, ppAgileReference: *mut *mut c_void,
    ) -> HRESULT;
}

import! { "oleaut32.dll"
    fn SysAllocString(psz: *const u16) -> BSTR;
    fn SysAllocStringByteLen(psz: *const u8, len: u32) -> BSTR;
    fn SysAllocStringLen(strIn: *const u16, ui: u32) -> BSTR;
    fn SysFreeString(bstrString: BSTR);
    fn SysReAllocString(pbstr: *mut BSTR, psz: *const u16) -> BOOL;
    fn SysReAllocStringLen(pbstr: *mut BSTR, psz: *const u16, len: u32) -> BOOL;
    fn SysStringByteLen(bstr: BSTR) -> u32;
    fn SysStringLen(pbstr: BSTR) -> u32;
}

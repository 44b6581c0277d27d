//! Threads and contexts: who watches a thread enter and leave COM, what an object context says, process-wide options. In
//! vtable order.

use crate::abi::types::{ComCallData, PFNCONTEXTCALL};
use crate::interface;
use std::ffi::c_void;
use windows_core::{GUID, HRESULT, IUnknown};

/// Watches the `CoInitializeEx` and `CoUninitialize` of one thread.
#[interface("00000034-0000-0000-C000-000000000046")]
pub unsafe trait IInitializeSpy: IUnknown {
    /// `CoInitializeEx` begins; so many initialisations of the thread are there.
    fn PreInitialize(&self, dwCoInit: u32, dwCurThreadAptRefs: u32) -> HRESULT;
    /// It ends with `hrCoInit`; what this returns is what `CoInitializeEx` returns.
    fn PostInitialize(&self, hrCoInit: HRESULT, dwCoInit: u32, dwNewThreadAptRefs: u32) -> HRESULT;
    /// `CoUninitialize` begins.
    fn PreUninitialize(&self, dwCurThreadAptRefs: u32) -> HRESULT;
    /// It ends.
    fn PostUninitialize(&self, dwNewThreadAptRefs: u32) -> HRESULT;
}

/// What apartment and logical thread the calling thread is in (IID-28).
#[interface("000001CE-0000-0000-C000-000000000046")]
pub unsafe trait IComThreadingInfo: IUnknown {
    /// `APTTYPE_…`.
    fn GetCurrentApartmentType(&self, pAptType: *mut i32) -> HRESULT;
    /// `THDTYPE_…`.
    fn GetCurrentThreadType(&self, pThreadType: *mut i32) -> HRESULT;
    /// The logical thread (APT-33).
    fn GetCurrentLogicalThreadId(&self, pguidLogicalThreadId: *mut GUID) -> HRESULT;
    /// Sets the logical thread.
    fn SetCurrentLogicalThreadId(&self, rguid: *const GUID) -> HRESULT;
}

/// Properties of a context (IID-29); the contexts here have none, and each method is `E_NOTIMPL`.
#[interface("000001C0-0000-0000-C000-000000000046")]
pub unsafe trait IContext: IUnknown {
    /// Adds a property.
    fn SetProperty(&self, rpolicyId: *const GUID, flags: u32, pUnk: *mut c_void) -> HRESULT;
    /// Takes one away.
    fn RemoveProperty(&self, rPolicyId: *const GUID) -> HRESULT;
    /// Looks one up.
    fn GetProperty(&self, rGuid: *const GUID, pFlags: *mut u32, ppUnk: *mut *mut c_void) -> HRESULT;
    /// Lists them.
    fn EnumContextProps(&self, ppEnumContextProps: *mut *mut c_void) -> HRESULT;
}

/// The identity of a context: one pointer for each, the token of `CoGetContextToken` (APT-29).
#[interface("000001C6-0000-0000-C000-000000000046")]
pub unsafe trait IObjContext: IContext {
    /// Reserved.
    fn Reserved1(&self);
    /// Reserved.
    fn Reserved2(&self);
    /// Reserved.
    fn Reserved3(&self);
    /// Reserved.
    fn Reserved4(&self);
    /// Reserved.
    fn Reserved5(&self);
    /// Reserved.
    fn Reserved6(&self);
    /// Reserved.
    fn Reserved7(&self);
}

/// Runs a function in a context (IID-25).
#[interface("000001DA-0000-0000-C000-000000000046")]
pub unsafe trait IContextCallback: IUnknown {
    /// Runs `pfnCallback` with `pParam` in the context and gives its HRESULT back. `riid` and `iMethod` name the call that
    /// this stands for: not IUnknown, and 3 at least; `pUnk` is null (CTX-07).
    fn ContextCallback(
        &self,
        pfnCallback: PFNCONTEXTCALL,
        pParam: *mut ComCallData,
        riid: *const GUID,
        iMethod: i32,
        pUnk: *mut c_void,
    ) -> HRESULT;
}

/// Options of the process (CLS-05).
#[interface("0000015B-0000-0000-C000-000000000046")]
pub unsafe trait IGlobalOptions: IUnknown {
    /// Sets `COMGLOB_…` to one of its values.
    fn Set(&self, dwProperty: u32, dwValue: usize) -> HRESULT;
    /// Its value.
    fn Query(&self, dwProperty: u32, pdwValue: *mut usize) -> HRESULT;
}

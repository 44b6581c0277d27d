//! COM's asynchronous calls, on every machine.
//!
//! Oleander is a portable emulation of the machinery that Windows 2000 gave COM: apartments, proxies and stubs, call
//! objects with `Begin_` and `Finish_`, synchronisation objects, cancellation. Everything has its documented name and is
//! found here at the root: functions (`CoInitializeEx`), interfaces ([`ISynchronize`]), ids, flags and HRESULTs.
//!
//! - [`async_interface`] declares an interface with proxy, stub and asynchronous twin; [`com_class`] makes objects.
//! - [`kernel`] has events, waits and message queues; [`platform`] is the seam to threads and time, on which the simulator
//!   stands.
//! - [`backend`] chooses between the emulation and the system's own COM, on Windows.
//! - [`future`] awaits calls and handles.
//! - [`process`] is the root of all state; [`debug`] counts what is alive.

// The macros name this crate by its own name.
extern crate self as oleander;

pub use windows_core;

pub mod abi;
pub mod apartment;
pub mod backend;
pub mod bstr;
pub mod call;
mod channel;
pub mod debug;
pub mod future;
pub mod kernel;
pub mod marshal;
pub mod network;
pub mod object;
mod places;
pub mod platform;
pub mod process;
pub mod protocol;
pub mod proxy;
pub mod stub;
mod synchronize;

pub use abi::clsid::*;
pub use abi::global::*;
pub use abi::hresult::*;
pub use abi::ids::*;
pub use abi::interfaces::*;
pub use abi::malloc::*;
pub use abi::memory::*;
pub use abi::types::*;
pub use abi::win32::*;
pub use apartment::{
    CoDecrementMTAUsage, CoDisconnectContext, CoGetApartmentType, CoGetCallerTID, CoGetContextToken,
    CoGetCurrentLogicalThreadId, CoGetCurrentProcess, CoGetObjectContext, CoIncrementMTAUsage, CoInitialize,
    CoInitializeEx, CoRegisterInitializeSpy, CoRegisterMessageFilter, CoRevokeInitializeSpy, CoUninitialize,
    CoWaitForMultipleHandles, CoWaitForMultipleObjects, IID_ICallbackWithNoReentrancyToApplicationSTA,
    IID_IEnterActivityWithNoLock, OleInitialize, OleUninitialize,
};
pub use call::{
    CallFactory, CoCancelCall, CoCopyProxy, CoDisableCallCancellation, CoEnableCallCancellation, CoGetCallContext,
    CoGetCancelObject, CoImpersonateClient, CoQueryClientBlanket, CoQueryProxyBlanket, CoRevertToSelf,
    CoSetCancelObject, CoSetProxyBlanket, CoSwitchCallContext, CoTestCancel, call_factory,
};
pub use channel::CoRegisterChannelHook;
pub use marshal::ndr::Ndr;
pub use marshal::stream::{CreateStreamOnHGlobal, GetHGlobalFromStream};
pub use marshal::{
    CoCreateFreeThreadedMarshaler, CoGetInterfaceAndReleaseStream, CoGetMarshalSizeMax, CoGetStandardMarshal,
    CoGetStdMarshalEx, CoMarshalHresult, CoMarshalInterThreadInterfaceInStream, CoMarshalInterface,
    CoReleaseMarshalData, CoUnmarshalHresult, CoUnmarshalInterface, RoGetAgileReference,
};
pub use object::{
    CoCreateInstance, CoCreateInstanceEx, CoGetClassObject, CoRegisterClassObject, CoResumeClassObjects,
    CoRevokeClassObject, CoSuspendClassObjects, OleanderRegisterInProcessClass, OleanderRevokeInProcessClass,
};
pub use oleander_macros::{Ndr, async_interface, com_class, interface};
pub use process::Process;
pub use proxy::{CoGetPSClsid, CoRegisterPSClsid};
pub use stub::{CoDisconnectObject, CoLockObjectExternal};

#[doc(hidden)]
pub mod __private;

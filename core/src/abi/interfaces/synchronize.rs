//! The synchronisation objects: waits, signals, handles, containers. In vtable order.

use crate::abi::types::HANDLE;
use crate::{async_interface, interface};
use std::ffi::c_void;
use windows_core::{HRESULT, IUnknown};

/// Wait on, signal and reset a synchronisation object. Times in milliseconds (IID-04).
#[async_interface(uuid = "00000030-0000-0000-C000-000000000046")]
pub unsafe trait ISynchronize: IUnknown {
    /// Waits up to `dwMilliseconds`; `dwFlags` are `COWAIT_…`. `RPC_S_CALLPENDING` when the time is over.
    fn Wait(&self, #[idl(in)] dwFlags: u32, #[idl(in)] dwMilliseconds: u32) -> HRESULT;
    /// Sets the object.
    fn Signal(&self) -> HRESULT;
    /// Resets the object.
    fn Reset(&self) -> HRESULT;
}

/// The kernel handle behind a synchronisation object (IID-05).
#[async_interface(uuid = "00000031-0000-0000-C000-000000000046")]
pub unsafe trait ISynchronizeHandle: IUnknown {
    /// The handle; it stays the object's own (SYNC-07).
    fn GetHandle(&self, #[idl(out)] ph: *mut HANDLE) -> HRESULT;
}

/// Gives a synchronisation object its handle (IID-06).
#[interface("00000032-0000-0000-C000-000000000046")]
pub unsafe trait ISynchronizeEvent: ISynchronizeHandle {
    /// Hands the object a handle, which it owns from then on.
    fn SetEventHandle(&self, ph: *mut HANDLE) -> HRESULT;
}

/// A synchronisation object that has an owner (IID-08). No class of the system is one.
#[interface("00000025-0000-0000-C000-000000000046")]
pub unsafe trait ISynchronizeMutex: ISynchronize {
    /// Gives the object up.
    fn ReleaseMutex(&self) -> HRESULT;
}

/// The container's other face: its methods the other way round, and no flags (IID-09).
#[interface("0000002B-0000-0000-C000-000000000046")]
pub unsafe trait IWaitMultiple: IUnknown {
    /// Waits up to `timeout` milliseconds for any member.
    fn WaitMultiple(&self, timeout: u32, pSync: *mut *mut c_void) -> HRESULT;
    /// Adds a member; 63 at most.
    fn AddSynchronize(&self, pSync: *mut c_void) -> HRESULT;
}

/// Waits on several synchronisation objects (IID-07).
#[interface("00000033-0000-0000-C000-000000000046")]
pub unsafe trait ISynchronizeContainer: IUnknown {
    /// Adds a member; 63 at most.
    fn AddSynchronize(&self, pSync: *mut c_void) -> HRESULT;
    /// Waits for any member.
    fn WaitMultiple(&self, dwFlags: u32, dwTimeOut: u32, ppSync: *mut *mut c_void) -> HRESULT;
}

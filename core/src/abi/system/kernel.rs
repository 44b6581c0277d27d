//! Kernel objects, threads, clocks and memory: kernel32.

use super::import;
use crate::abi::types::{HANDLE, HINSTANCE, LARGE_INTEGER};
use crate::abi::win32::{LPTHREAD_START_ROUTINE, PAPCFUNC, WAITORTIMERCALLBACK};
use std::ffi::c_void;
use windows_core::BOOL;

import! { "kernel32.dll"
    fn CloseHandle(hObject: HANDLE) -> BOOL;
    fn CreateEventA(
        lpEventAttributes: *const c_void, bManualReset: BOOL, bInitialState: BOOL, lpName: *const u8,
    ) -> HANDLE;
    fn CreateEventExA(
        lpEventAttributes: *const c_void, lpName: *const u8, dwFlags: u32, dwDesiredAccess: u32,
    ) -> HANDLE;
    fn CreateEventExW(
        lpEventAttributes: *const c_void, lpName: *const u16, dwFlags: u32, dwDesiredAccess: u32,
    ) -> HANDLE;
    fn CreateEventW(
        lpEventAttributes: *const c_void, bManualReset: BOOL, bInitialState: BOOL, lpName: *const u16,
    ) -> HANDLE;
    fn CreateMutexA(lpMutexAttributes: *const c_void, bInitialOwner: BOOL, lpName: *const u8) -> HANDLE;
    fn CreateMutexW(lpMutexAttributes: *const c_void, bInitialOwner: BOOL, lpName: *const u16) -> HANDLE;
    fn CreateSemaphoreA(
        lpSemaphoreAttributes: *const c_void, lInitialCount: i32, lMaximumCount: i32, lpName: *const u8,
    ) -> HANDLE;
    fn CreateSemaphoreW(
        lpSemaphoreAttributes: *const c_void, lInitialCount: i32, lMaximumCount: i32, lpName: *const u16,
    ) -> HANDLE;
    fn CreateThread(
        lpThreadAttributes: *const c_void, dwStackSize: usize, lpStartAddress: LPTHREAD_START_ROUTINE,
        lpParameter: *mut c_void, dwCreationFlags: u32, lpThreadId: *mut u32,
    ) -> HANDLE;
    fn DuplicateHandle(
        hSourceProcessHandle: HANDLE, hSourceHandle: HANDLE, hTargetProcessHandle: HANDLE,
        lpTargetHandle: *mut HANDLE, dwDesiredAccess: u32, bInheritHandle: BOOL, dwOptions: u32,
    ) -> BOOL;
    fn GetCurrentProcess() -> HANDLE;
    fn GetCurrentProcessId() -> u32;
    fn GetCurrentThread() -> HANDLE;
    fn GetCurrentThreadId() -> u32;
    fn GetExitCodeThread(hThread: HANDLE, lpExitCode: *mut u32) -> BOOL;
    fn GetLastError() -> u32;
    fn GetModuleHandleA(lpModuleName: *const u8) -> HINSTANCE;
    fn GetModuleHandleW(lpModuleName: *const u16) -> HINSTANCE;
    fn GetThreadId(Thread: HANDLE) -> u32;
    fn GetTickCount() -> u32;
    fn GetTickCount64() -> u64;
    fn GlobalAlloc(uFlags: u32, dwBytes: usize) -> HANDLE;
    fn GlobalFree(hMem: HANDLE) -> HANDLE;
    fn GlobalLock(hMem: HANDLE) -> *mut c_void;
    fn GlobalReAlloc(hMem: HANDLE, dwBytes: usize, uFlags: u32) -> HANDLE;
    fn GlobalSize(hMem: HANDLE) -> usize;
    fn GlobalUnlock(hMem: HANDLE) -> BOOL;
    fn OpenEventA(dwDesiredAccess: u32, bInheritHandle: BOOL, lpName: *const u8) -> HANDLE;
    fn OpenEventW(dwDesiredAccess: u32, bInheritHandle: BOOL, lpName: *const u16) -> HANDLE;
    fn OpenMutexA(dwDesiredAccess: u32, bInheritHandle: BOOL, lpName: *const u8) -> HANDLE;
    fn OpenMutexW(dwDesiredAccess: u32, bInheritHandle: BOOL, lpName: *const u16) -> HANDLE;
    fn OpenSemaphoreA(dwDesiredAccess: u32, bInheritHandle: BOOL, lpName: *const u8) -> HANDLE;
    fn OpenSemaphoreW(dwDesiredAccess: u32, bInheritHandle: BOOL, lpName: *const u16) -> HANDLE;
    fn OpenThread(dwDesiredAccess: u32, bInheritHandle: BOOL, dwThreadId: u32) -> HANDLE;
    fn QueryPerformanceCounter(lpPerformanceCount: *mut LARGE_INTEGER) -> BOOL;
    fn QueryPerformanceFrequency(lpFrequency: *mut LARGE_INTEGER) -> BOOL;
    fn QueueUserAPC(pfnAPC: PAPCFUNC, hThread: HANDLE, dwData: usize) -> u32;
    fn QueueUserWorkItem(Function: LPTHREAD_START_ROUTINE, Context: *mut c_void, Flags: u32) -> BOOL;
    fn RegisterWaitForSingleObject(
        phNewWaitObject: *mut HANDLE, hObject: HANDLE, Callback: WAITORTIMERCALLBACK, Context: *mut c_void,
        dwMilliseconds: u32, dwFlags: u32,
    ) -> BOOL;
    fn ReleaseMutex(hMutex: HANDLE) -> BOOL;
    fn ReleaseSemaphore(hSemaphore: HANDLE, lReleaseCount: i32, lpPreviousCount: *mut i32) -> BOOL;
    fn ResetEvent(hEvent: HANDLE) -> BOOL;
    fn ResumeThread(hThread: HANDLE) -> u32;
    fn SetEvent(hEvent: HANDLE) -> BOOL;
    fn SetLastError(dwErrCode: u32);
    fn SignalObjectAndWait(
        hObjectToSignal: HANDLE, hObjectToWaitOn: HANDLE, dwMilliseconds: u32, bAlertable: BOOL,
    ) -> u32;
    fn Sleep(dwMilliseconds: u32);
    fn SleepEx(dwMilliseconds: u32, bAlertable: BOOL) -> u32;
    fn UnregisterWait(WaitHandle: HANDLE) -> BOOL;
    fn UnregisterWaitEx(WaitHandle: HANDLE, CompletionEvent: HANDLE) -> BOOL;
    fn WaitForMultipleObjects(nCount: u32, lpHandles: *const HANDLE, bWaitAll: BOOL, dwMilliseconds: u32) -> u32;
    fn WaitForMultipleObjectsEx(
        nCount: u32, lpHandles: *const HANDLE, bWaitAll: BOOL, dwMilliseconds: u32, bAlertable: BOOL,
    ) -> u32;
    fn WaitForSingleObject(hHandle: HANDLE, dwMilliseconds: u32) -> u32;
    fn WaitForSingleObjectEx(hHandle: HANDLE, dwMilliseconds: u32, bAlertable: BOOL) -> u32;
}

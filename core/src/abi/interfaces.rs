//! The interfaces of the machinery (facts section 1.3), in vtable order.

use super::types::*;
use crate::{async_interface, interface};
use std::ffi::c_void;
use windows_core::{BOOL, GUID, HRESULT, IUnknown};

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

/// Waits on several synchronisation objects (IID-07).
#[interface("00000033-0000-0000-C000-000000000046")]
pub unsafe trait ISynchronizeContainer: IUnknown {
    /// Adds a member; 63 at most.
    fn AddSynchronize(&self, pSync: *mut c_void) -> HRESULT;
    /// Waits for any member.
    fn WaitMultiple(&self, dwFlags: u32, dwTimeOut: u32, ppSync: *mut *mut c_void) -> HRESULT;
}

/// Makes call objects (IID-03).
#[async_interface(uuid = "1C733A30-2A1C-11CE-ADE5-00AA0044773D")]
pub unsafe trait ICallFactory: IUnknown {
    /// A call object for the asynchronous interface `riid`, aggregated under `pCtrlUnk` where that is not null.
    fn CreateCall(
        &self,
        #[idl(in)] riid: *const GUID,
        #[idl(in, local)] pCtrlUnk: *mut c_void,
        #[idl(in)] riid2: *const GUID,
        #[idl(out, iid_is(riid2))] ppv: *mut *mut c_void,
    ) -> HRESULT;
}

/// Cancels a pending call, or asks whether one was cancelled (IID-10).
#[async_interface(uuid = "00000029-0000-0000-C000-000000000046")]
pub unsafe trait ICancelMethodCalls: IUnknown {
    /// Asks for cancellation and waits up to `ulSeconds` **seconds** for the call's end.
    fn Cancel(&self, #[idl(in)] ulSeconds: u32) -> HRESULT;
    /// `RPC_S_CALLPENDING`, `RPC_E_CALL_CANCELED` or `RPC_E_CALL_COMPLETE`; never `S_OK`.
    fn TestCancel(&self) -> HRESULT;
}

/// Several interfaces in one query (IID-12).
#[interface("00000020-0000-0000-C000-000000000046")]
pub unsafe trait IMultiQI: IUnknown {
    /// Fills in each entry; `S_OK`, `S_FALSE` when some are missing, `E_NOINTERFACE` when all are.
    fn QueryMultipleInterfaces(&self, cMQIs: u32, pMQIs: *mut MULTI_QI) -> HRESULT;
}

/// The channel as an interface proxy or stub sees it (IID-15).
#[interface("D5F56B60-593B-101A-B569-08002B2DBF7A")]
pub unsafe trait IRpcChannelBuffer: IUnknown {
    /// Makes a buffer of `pMessage->cbBuffer` bytes.
    fn GetBuffer(&self, pMessage: *mut RPCOLEMESSAGE, riid: *const GUID) -> HRESULT;
    /// Sends the request and waits for the reply, which takes the request's place in the message.
    fn SendReceive(&self, pMessage: *mut RPCOLEMESSAGE, pStatus: *mut u32) -> HRESULT;
    /// Gives a buffer back.
    fn FreeBuffer(&self, pMessage: *mut RPCOLEMESSAGE) -> HRESULT;
    /// The destination's `MSHCTX_…`.
    fn GetDestCtx(&self, pdwDestContext: *mut u32, ppvDestContext: *mut *mut c_void) -> HRESULT;
    /// `S_OK` when connected, else `S_FALSE`.
    fn IsConnected(&self) -> HRESULT;
}

/// The channel with its protocol version (IID-16).
#[interface("594F31D0-7F19-11D0-B194-00A0C90DC8BF")]
pub unsafe trait IRpcChannelBuffer2: IRpcChannelBuffer {
    /// The version of the object protocol: major in the low word.
    fn GetProtocolVersion(&self, pdwVersion: *mut u32) -> HRESULT;
}

/// The channel of an asynchronous call (IID-18).
#[interface("A5029FB6-3C34-11D1-9C99-00C04FB998AA")]
pub unsafe trait IAsyncRpcChannelBuffer: IRpcChannelBuffer2 {
    /// Sends the request; `pSync` is signalled when the reply is in. On a server: sends the reply, `pSync` is null.
    fn Send(&self, pMessage: *mut RPCOLEMESSAGE, pSync: *mut c_void, pulStatus: *mut u32) -> HRESULT;
    /// Fetches the reply.
    fn Receive(&self, pMessage: *mut RPCOLEMESSAGE, pulStatus: *mut u32) -> HRESULT;
    /// The destination's `MSHCTX_…`.
    fn GetDestCtxEx(&self, pMsg: *mut RPCOLEMESSAGE, pdwDestContext: *mut u32, ppv: *mut *mut c_void) -> HRESULT;
}

/// The inner side of an interface proxy (IID-19).
#[interface("D5F56A34-593B-101A-B569-08002B2DBF7A")]
pub unsafe trait IRpcProxyBuffer: IUnknown {
    /// Connects the proxy to a channel.
    fn Connect(&self, pRpcChannelBuffer: *mut c_void) -> HRESULT;
    /// Takes the channel away.
    fn Disconnect(&self);
}

/// An interface stub (IID-20).
#[interface("D5F56AFC-593B-101A-B569-08002B2DBF7A")]
pub unsafe trait IRpcStubBuffer: IUnknown {
    /// Connects the stub to its server object.
    fn Connect(&self, pUnkServer: *mut c_void) -> HRESULT;
    /// Lets the server object go.
    fn Disconnect(&self);
    /// Runs the call in the message.
    fn Invoke(&self, pMessage: *mut RPCOLEMESSAGE, pRpcChannelBuffer: *mut c_void) -> HRESULT;
    /// The stub for an interface, or null.
    fn IsIIDSupported(&self, riid: *const GUID) -> *mut c_void;
    /// How many references it holds on the server object.
    fn CountRefs(&self) -> u32;
    /// The server object's interface, for debuggers.
    fn DebugServerQueryInterface(&self, ppv: *mut *mut c_void) -> HRESULT;
    /// Undoes the query.
    fn DebugServerRelease(&self, pv: *mut c_void);
}

/// Makes interface proxies and stubs (IID-21).
#[interface("D5F569D0-593B-101A-B569-08002B2DBF7A")]
pub unsafe trait IPSFactoryBuffer: IUnknown {
    /// An interface proxy, aggregated under the proxy manager.
    fn CreateProxy(
        &self,
        pUnkOuter: *mut c_void,
        riid: *const GUID,
        ppProxy: *mut *mut c_void,
        ppv: *mut *mut c_void,
    ) -> HRESULT;
    /// An interface stub for a server object.
    fn CreateStub(&self, riid: *const GUID, pUnkServer: *mut c_void, ppStub: *mut *mut c_void) -> HRESULT;
}

/// Custom marshaling (IID-22).
#[interface("00000003-0000-0000-C000-000000000046")]
pub unsafe trait IMarshal: IUnknown {
    /// The class that unmarshals.
    fn GetUnmarshalClass(
        &self,
        riid: *const GUID,
        pv: *mut c_void,
        dwDestContext: u32,
        pvDestContext: *mut c_void,
        mshlflags: u32,
        pCid: *mut GUID,
    ) -> HRESULT;
    /// An upper bound for the packet.
    fn GetMarshalSizeMax(
        &self,
        riid: *const GUID,
        pv: *mut c_void,
        dwDestContext: u32,
        pvDestContext: *mut c_void,
        mshlflags: u32,
        pSize: *mut u32,
    ) -> HRESULT;
    /// Writes the packet.
    fn MarshalInterface(
        &self,
        pStm: *mut c_void,
        riid: *const GUID,
        pv: *mut c_void,
        dwDestContext: u32,
        pvDestContext: *mut c_void,
        mshlflags: u32,
    ) -> HRESULT;
    /// Reads a packet.
    fn UnmarshalInterface(&self, pStm: *mut c_void, riid: *const GUID, ppv: *mut *mut c_void) -> HRESULT;
    /// Gives back what a packet holds.
    fn ReleaseMarshalData(&self, pStm: *mut c_void) -> HRESULT;
    /// Cuts all clients off.
    fn DisconnectObject(&self, dwReserved: u32) -> HRESULT;
}

/// The global interface table (IID-23).
#[interface("00000146-0000-0000-C000-000000000046")]
pub unsafe trait IGlobalInterfaceTable: IUnknown {
    /// Registers an interface for the whole process.
    fn RegisterInterfaceInGlobal(&self, pUnk: *mut c_void, riid: *const GUID, pdwCookie: *mut u32) -> HRESULT;
    /// Takes a registration back.
    fn RevokeInterfaceFromGlobal(&self, dwCookie: u32) -> HRESULT;
    /// A pointer for the calling apartment.
    fn GetInterfaceFromGlobal(&self, dwCookie: u32, riid: *const GUID, ppv: *mut *mut c_void) -> HRESULT;
}

/// Sees the calls into and out of an STA (IID-24).
#[interface("00000016-0000-0000-C000-000000000046")]
pub unsafe trait IMessageFilter: IUnknown {
    /// `SERVERCALL_…` for an incoming call.
    fn HandleInComingCall(
        &self,
        dwCallType: u32,
        htaskCaller: HANDLE,
        dwTickCount: u32,
        lpInterfaceInfo: *const INTERFACEINFO,
    ) -> u32;
    /// -1 to give a rejected call up, else milliseconds to wait before the next try (under 100: at once).
    fn RetryRejectedCall(&self, htaskCallee: HANDLE, dwTickCount: u32, dwRejectType: u32) -> u32;
    /// `PENDINGMSG_…` for a window message that comes during an outgoing call.
    fn MessagePending(&self, htaskCallee: HANDLE, dwTickCount: u32, dwPendingType: u32) -> u32;
}

/// Marker: the object may be used from every apartment (IID-26).
#[interface("94EA2B94-E9CC-49E0-C0FF-EE64CA8F5B90")]
pub unsafe trait IAgileObject: IUnknown {}

/// Makes objects of a class (IID-29).
#[async_interface(uuid = "00000001-0000-0000-C000-000000000046")]
pub unsafe trait IClassFactory: IUnknown {
    /// A new object, aggregated under `pUnkOuter` where that is not null. A factory in another apartment refuses an
    /// outer object without being asked (PX-19).
    fn CreateInstance(
        &self,
        #[idl(in, local)] pUnkOuter: *mut c_void,
        #[idl(in)] riid: *const GUID,
        #[idl(out, iid_is(riid))] ppvObject: *mut *mut c_void,
    ) -> HRESULT;
    /// Keeps the server alive.
    fn LockServer(&self, #[idl(in)] fLock: BOOL) -> HRESULT;
}

/// Reads and writes bytes in order.
#[interface("0C733A30-2A1C-11CE-ADE5-00AA0044773D")]
pub unsafe trait ISequentialStream: IUnknown {
    /// Reads up to `cb` bytes; `S_FALSE` when there are fewer.
    fn Read(&self, pv: *mut c_void, cb: u32, pcbRead: *mut u32) -> HRESULT;
    /// Writes `cb` bytes.
    fn Write(&self, pv: *const c_void, cb: u32, pcbWritten: *mut u32) -> HRESULT;
}

/// A stream of bytes with a position (IID-29).
#[interface("0000000C-0000-0000-C000-000000000046")]
pub unsafe trait IStream: ISequentialStream {
    /// Moves the position.
    fn Seek(&self, dlibMove: LARGE_INTEGER, dwOrigin: u32, plibNewPosition: *mut u64) -> HRESULT;
    /// Sets the size.
    fn SetSize(&self, libNewSize: u64) -> HRESULT;
    /// Copies bytes to another stream.
    fn CopyTo(&self, pstm: *mut c_void, cb: u64, pcbRead: *mut u64, pcbWritten: *mut u64) -> HRESULT;
    /// Makes changes last; nothing to do in memory.
    fn Commit(&self, grfCommitFlags: u32) -> HRESULT;
    /// Takes changes back; nothing to do in memory.
    fn Revert(&self) -> HRESULT;
    /// Not supported: `STG_E_INVALIDFUNCTION`.
    fn LockRegion(&self, libOffset: u64, cb: u64, dwLockType: u32) -> HRESULT;
    /// Not supported: `STG_E_INVALIDFUNCTION`.
    fn UnlockRegion(&self, libOffset: u64, cb: u64, dwLockType: u32) -> HRESULT;
    /// What the stream is.
    fn Stat(&self, pstatstg: *mut STATSTG, grfStatFlag: u32) -> HRESULT;
    /// A second stream over the same bytes with a position of its own.
    fn Clone(&self, ppstm: *mut *mut c_void) -> HRESULT;
}

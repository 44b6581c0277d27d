//! What interface proxies and stubs speak: channels, their factory. In vtable order.

use crate::abi::types::RPCOLEMESSAGE;
use crate::interface;
use std::ffi::c_void;
use windows_core::{GUID, HRESULT, IUnknown};

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

/// The channel's call in steps (IID-17, CHN-06). The channels here do what the names say; what needs an [`IAsyncManager`] is
/// `E_NOTIMPL`.
#[interface("25B15600-0115-11D0-BF0D-00AA00B8DFD2")]
pub unsafe trait IRpcChannelBuffer3: IRpcChannelBuffer2 {
    /// Sends the request and does not wait. `RPC_S_CALLPENDING` where it is sent already. On a server: `E_NOTIMPL`, as all that
    /// follows and is for clients.
    fn Send(&self, pMsg: *mut RPCOLEMESSAGE, pulStatus: *mut u32) -> HRESULT;
    /// Waits for the reply, whole whatever `ulSize` says, and puts it into the message. `RPC_E_CALL_COMPLETE` where nothing is
    /// under way.
    fn Receive(&self, pMsg: *mut RPCOLEMESSAGE, ulSize: u32, pulStatus: *mut u32) -> HRESULT;
    /// Cancels the call at once: results of `ICancelMethodCalls::Cancel(0)`.
    fn Cancel(&self, pMsg: *mut RPCOLEMESSAGE) -> HRESULT;
    /// On a server what `CoGetCallContext` gives; `E_NOTIMPL` on a client.
    fn GetCallContext(&self, pMsg: *mut RPCOLEMESSAGE, riid: *const GUID, pInterface: *mut *mut c_void) -> HRESULT;
    /// The destination's `MSHCTX_…`.
    fn GetDestCtxEx(
        &self,
        pMsg: *mut RPCOLEMESSAGE,
        pdwDestContext: *mut u32,
        ppvDestContext: *mut *mut c_void,
    ) -> HRESULT;
    /// `DCOM_NONE`, `DCOM_CALL_COMPLETE` or `DCOM_CALL_CANCELED`.
    fn GetState(&self, pMsg: *mut RPCOLEMESSAGE, pState: *mut u32) -> HRESULT;
    /// `E_NOTIMPL`.
    fn RegisterAsync(&self, pMsg: *mut RPCOLEMESSAGE, pAsyncMgr: *mut c_void) -> HRESULT;
}

/// How an asynchronous server once ended its call (IID-11). It was replaced before it shipped; nothing here offers it.
#[interface("0000002A-0000-0000-C000-000000000046")]
pub unsafe trait IAsyncManager: IUnknown {
    /// Ends the call.
    fn CompleteCall(&self, Result: HRESULT) -> HRESULT;
    /// The call's context.
    fn GetCallContext(&self, riid: *const GUID, pInterface: *mut *mut c_void) -> HRESULT;
    /// `DCOM_NONE`, `DCOM_CALL_COMPLETE` or `DCOM_CALL_CANCELED`.
    fn GetState(&self, pulStateFlags: *mut u32) -> HRESULT;
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

/// Attaches data to calls, and sees what the other side attached (CHN-05): see `CoRegisterChannelHook`.
///
/// Every `riid` is the `iid` at the beginning of a whole [`SChannelHookCallInfo`](crate::SChannelHookCallInfo). Sizes are in
/// bytes. `lDataRep` is 0x10: little endian, ASCII, IEEE. A hook is called on whatever thread the call is on.
#[interface("1008C4A0-7613-11CF-9AF1-0020AF6E72F4")]
pub unsafe trait IChannelHook: IUnknown {
    /// How many bytes the client wants to attach; 0 is nothing.
    fn ClientGetSize(&self, uExtent: *const GUID, riid: *const GUID, pDataSize: *mut u32);
    /// Writes them; `*pDataSize` is the room, and then how many there are.
    fn ClientFillBuffer(&self, uExtent: *const GUID, riid: *const GUID, pDataSize: *mut u32, pDataBuffer: *mut c_void);
    /// The call has ended. `hrFault` is why there is no reply, else `S_OK`, whatever the method returned. Null and 0 where
    /// the server attached nothing.
    fn ClientNotify(
        &self,
        uExtent: *const GUID,
        riid: *const GUID,
        cbDataSize: u32,
        pDataBuffer: *mut c_void,
        lDataRep: u32,
        hrFault: HRESULT,
    );
    /// A call has come. Null and 0 where the client attached nothing.
    fn ServerNotify(
        &self,
        uExtent: *const GUID,
        riid: *const GUID,
        cbDataSize: u32,
        pDataBuffer: *mut c_void,
        lDataRep: u32,
    );
    /// How many bytes the server wants to attach to its reply; 0 is nothing.
    fn ServerGetSize(&self, uExtent: *const GUID, riid: *const GUID, hrFault: HRESULT, pDataSize: *mut u32);
    /// Writes them, as `ClientFillBuffer`.
    fn ServerFillBuffer(
        &self,
        uExtent: *const GUID,
        riid: *const GUID,
        pDataSize: *mut u32,
        pDataBuffer: *mut c_void,
        hrFault: HRESULT,
    );
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

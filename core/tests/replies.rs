//! What a client hears of a stub that succeeds and writes no reply (RUL-154).

#![allow(clippy::undocumented_unsafe_blocks, reason = "tests call COM by its rules, as its users do")]

#[path = "support/mod.rs"]
mod support;

use oleander::__private::{AsyncInfo, Direction, HasTwin, InterfaceInfo, Kept, Registration, Remote, inventory};
use oleander::windows_core::{GUID, HRESULT, IUnknown, Interface};
use oleander::*;
use std::ffi::c_void;
use std::ptr::null_mut;
use support::*;

/// The shape of [`IMute`], whose proxies it has.
#[async_interface(uuid = "6d1b6a52-1c7e-4ef2-8a77-6f6c65610301", async_uuid = "6d1b6a52-1c7e-4ef2-8a77-6f6c65610302")]
pub unsafe trait IShape: IUnknown {
    /// Does it.
    fn Do(&self) -> HRESULT;
}

/// An interface whose stub, and that of whose twin, never write a reply.
#[interface("6d1b6a52-1c7e-4ef2-8a77-6f6c65610303")]
unsafe trait IMute: IUnknown {
    fn Do(&self) -> HRESULT;
}

#[interface("6d1b6a52-1c7e-4ef2-8a77-6f6c65610304")]
unsafe trait AsyncIMute: IUnknown {
    fn Begin_Do(&self) -> HRESULT;
    fn Finish_Do(&self) -> HRESULT;
}

static PROXY: IShape_Vtbl = <IShape as Remote>::PROXY;
static TWIN: AsyncIShape_Vtbl = <IShape as HasTwin>::TWIN_PROXY;
static MUTE: InterfaceInfo = InterfaceInfo {
    name: "IMute",
    iid: IMute::IID,
    methods: <IShape as Remote>::SLOTS,
    proxy_vtbl: (&raw const PROXY).cast(),
    invoke: |_, _, _| S_OK,
    discard: |_: &RPCOLEMESSAGE, _: Direction| {},
    twin: Some(AsyncInfo {
        name: "AsyncIMute",
        iid: AsyncIMute::IID,
        proxy_vtbl: (&raw const TWIN).cast(),
        begin,
        finish: |_, _, _, _| S_OK,
    }),
};
inventory::submit! { Registration(&MUTE) }

unsafe fn begin(call: *mut c_void, _: &RPCOLEMESSAGE, _: &mut Kept) -> HRESULT {
    unsafe {
        let call = AsyncIMute::from_raw_borrowed(&call).expect("the server's call object");
        call.cast::<ISynchronize>().expect("the system's, around it").Signal()
    }
}

#[com_class(IMute)]
struct Synchronous;

#[com_class(IMute, ICallFactory)]
struct Asynchronous;

#[com_class(AsyncIMute, auto(ISynchronize = event : CLSID_ManualResetEvent))]
#[derive(Default)]
struct MuteCall {
    event: oleander::object::AutoInner,
}

impl IMute_Impl for Synchronous_Impl {
    unsafe fn Do(&self) -> HRESULT {
        E_UNEXPECTED
    }
}

impl IMute_Impl for Asynchronous_Impl {
    unsafe fn Do(&self) -> HRESULT {
        E_UNEXPECTED
    }
}

impl AsyncIMute_Impl for MuteCall_Impl {
    unsafe fn Begin_Do(&self) -> HRESULT {
        E_UNEXPECTED
    }
    unsafe fn Finish_Do(&self) -> HRESULT {
        E_UNEXPECTED
    }
}

fn ask(server: fn() -> IMute) {
    in_process(move || {
        let (host, client) = (Apt::sta(), Apt::mta());
        let packet = host.run(move || pack(&server()));
        client.run(move || unsafe {
            let proxy = packet.unpack();
            assert_eq!(proxy.Do(), RPC_E_SERVERFAULT);
            let (factory, mut raw) = (proxy.cast::<ICallFactory>().unwrap(), null_mut());
            assert_eq!(factory.CreateCall(&AsyncIMute::IID, null_mut(), &AsyncIMute::IID, &mut raw), S_OK);
            let call = AsyncIMute::from_raw(raw);
            assert_eq!((call.Begin_Do(), call.Finish_Do()), (S_OK, RPC_E_SERVERFAULT));
        });
        host.stop();
        client.stop();
    });
}

impl ICallFactory_Impl for Asynchronous_Impl {
    unsafe fn CreateCall(
        &self,
        iid: *const GUID,
        outer: *mut c_void,
        asked: *const GUID,
        ppv: *mut *mut c_void,
    ) -> HRESULT {
        unsafe {
            assert_eq!(*iid, AsyncIMute::IID);
            oleander::object::create_aggregated(MuteCall::default(), outer, asked, ppv)
        }
    }
}

#[test]
fn rul_154_a_stub_that_succeeds_without_a_reply_is_a_fault() {
    ask(|| Synchronous.into());
    ask(|| Asynchronous.into());
}

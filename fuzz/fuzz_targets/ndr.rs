//! Requests and replies of generated proxies and stubs, synchronous and asynchronous, changed on their way or from
//! nowhere: an HRESULT, and nothing left.

#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use oleander::object::AutoInner;
use oleander::proxy::info::{Direction, Kept};
use oleander::windows_core::{ComObject, IUnknown, Interface};
use oleander::*;
use oleander_fuzz::calling::{Call, End, On, call};
use oleander_fuzz::late::call_alone;
use oleander_fuzz::wire::{Change, Wire, discard, free, info, message};
use oleander_fuzz::{AsyncIEvery, Every, IEvery, METHODS, here};
use std::ptr::null_mut;

#[derive(Arbitrary, Debug)]
struct Input {
    calls: Vec<(Call, Way, Change, Change)>,
    raw: Vec<(Raw, u8, Vec<u8>)>,
}

#[derive(Arbitrary, Debug, Clone, Copy)]
enum Way {
    Synchronous,
    Asynchronous(End),
}

/// Who gets bytes that no proxy wrote.
#[derive(Arbitrary, Debug, Clone, Copy)]
enum Raw {
    Stub,
    BothHalves,
    /// `Finish_` without its `Begin_`.
    Finish,
    LostRequest,
    LostReply,
}

/// The controlling unknown of proxies, with the event that `Finish_` waits for.
#[com_class(IAgileObject, auto(ISynchronize = event : CLSID_ManualResetEvent))]
struct Outer {
    event: AutoInner,
}

impl IAgileObject_Impl for Outer_Impl {}

/// An asynchronous proxy of the kind that a call object has inside; it is used and goes.
unsafe fn halves(factory: &ICallFactory, wire: &ComObject<Wire>, what: &Call, end: End) {
    let outer: IUnknown = IAgileObject::from(Outer { event: AutoInner::default() }).into();
    let channel: IAsyncRpcChannelBuffer = wire.to_interface();
    let (mut raw, mut typed) = (null_mut(), null_mut());
    unsafe {
        assert_eq!(factory.CreateCall(&AsyncIEvery::IID, outer.as_raw(), &IUnknown::IID, &mut raw), S_OK);
        let inner: IRpcProxyBuffer = IUnknown::from_raw(raw).cast().expect("a proxy");
        assert_eq!(inner.Connect(channel.as_raw()), S_OK);
        assert_eq!(inner.query(&AsyncIEvery::IID, &mut typed), S_OK);
        let on = On::Halves(AsyncIEvery::from_raw(typed), end);
        call(&on, what);
        drop(on);
        inner.Disconnect();
    }
    wire.abandon();
}

unsafe fn raw(stub: &IRpcStubBuffer, wire: &ComObject<Wire>, to: Raw, method: u32, bytes: &[u8]) {
    match to {
        Raw::Stub => {
            let mut request = message(method, bytes);
            let mut served = RPCOLEMESSAGE { ..request };
            let channel: IAsyncRpcChannelBuffer = wire.to_interface();
            if unsafe { stub.Invoke(&mut served, channel.as_raw()) }.is_ok() {
                free(&mut served);
            }
            free(&mut request);
        }
        Raw::BothHalves => {
            if let Ok(reply) = wire.serve(method, bytes) {
                discard(method, &reply, Direction::Reply);
            }
        }
        Raw::Finish => drop(wire.end(method, &Kept::new())),
        Raw::LostRequest => discard(method, bytes, Direction::Request),
        Raw::LostReply => discard(method, bytes, Direction::Reply),
    }
}

fn play(input: Input) {
    let factory = proxy::factory::builtin_factory(info());
    let server: IUnknown = IEvery::from(Every::default()).into();
    let outer: IUnknown = IAgileObject::from(Outer { event: AutoInner::default() }).into();
    let (mut stub, mut buffer, mut typed) = (null_mut(), null_mut(), null_mut());
    unsafe {
        assert_eq!(factory.CreateStub(&IEvery::IID, server.as_raw(), &mut stub), S_OK);
        assert_eq!(factory.CreateProxy(outer.as_raw(), &IEvery::IID, &mut buffer, &mut typed), S_OK);
        let (stub, buffer) = (IRpcStubBuffer::from_raw(stub), IRpcProxyBuffer::from_raw(buffer));
        let proxy = On::Proxy(IEvery::from_raw(typed));
        let calls: ICallFactory = buffer.cast().expect("it has a twin");
        let wire = ComObject::new(Wire::new(&stub, call_alone()));
        let channel: IAsyncRpcChannelBuffer = wire.to_interface();
        assert_eq!(buffer.Connect(channel.as_raw()), S_OK);
        for (what, way, request, reply) in input.calls.into_iter().take(6) {
            wire.change(request, reply);
            match way {
                Way::Synchronous => call(&proxy, &what),
                Way::Asynchronous(end) => halves(&calls, &wire, &what, end),
            }
        }
        for (to, method, bytes) in input.raw.into_iter().take(6) {
            let method = if method < 0xF0 { 3 + u32::from(method) % METHODS } else { method.into() };
            raw(&stub, &wire, to, method, &bytes);
        }
        drop(proxy);
        drop(calls);
        buffer.Disconnect();
        stub.Disconnect();
    }
}

fuzz_target!(|input: Input| {
    here(|| unsafe {
        assert_eq!(CoInitializeEx(null_mut(), COINIT_APARTMENTTHREADED), S_OK);
        play(input);
        CoUninitialize();
    });
});

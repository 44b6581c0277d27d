//! IRpcChannelBuffer3, on both sides of the channel: what an interface proxy or stub of a program's own can do (IID-17,
//! CHN-06).

#![allow(clippy::undocumented_unsafe_blocks, reason = "tests call COM by its rules, as its users do")]

mod support;

use oleander::windows_core::{GUID, HRESULT, IUnknown, Interface};
use oleander::*;
use std::ffi::c_void;
use std::ptr;
use std::sync::{Arc, Mutex};
use support::probe::*;
use support::*;

const CLSID_CATCHER: GUID = GUID::from_u128(0x3c1b_0000_4322);
const DOUBLE: u32 = 3;

/// What was seen of channels.
#[derive(Default)]
struct Caught {
    client: Mutex<Option<Sent<IRpcChannelBuffer3>>>,
    asynchronous: Mutex<Option<Sent<IAsyncRpcChannelBuffer>>>,
    /// Run in the stub's Invoke, with its channel.
    inside: Mutex<Option<Inside>>,
}

type Inside = Box<dyn Fn(&IRpcChannelBuffer3, *mut RPCOLEMESSAGE) + Send>;

/// The factory of [`IProbe`], whose proxies and stubs show their channels.
#[com_class(IPSFactoryBuffer)]
struct Catcher {
    inner: IPSFactoryBuffer,
    caught: Arc<Caught>,
}

#[com_class(IRpcProxyBuffer, ICallFactory)]
struct ShownProxy {
    inner: IRpcProxyBuffer,
    caught: Arc<Caught>,
}

/// What a call object works with: it has nothing but its channel.
#[com_class(IRpcProxyBuffer)]
struct ShownCall {
    caught: Arc<Caught>,
}

impl IRpcProxyBuffer_Impl for ShownCall_Impl {
    unsafe fn Connect(&self, channel: *mut c_void) -> HRESULT {
        let channel = unsafe { IUnknown::from_raw_borrowed(&channel) }.expect("a channel").cast().expect("IID-18");
        *self.caught.asynchronous.lock().unwrap() = Some(Sent(channel));
        S_OK
    }
    unsafe fn Disconnect(&self) {}
}

impl ICallFactory_Impl for ShownProxy_Impl {
    unsafe fn CreateCall(
        &self,
        _riid: *const GUID,
        _outer: *mut c_void,
        _riid2: *const GUID,
        out: *mut *mut c_void,
    ) -> HRESULT {
        let call = IRpcProxyBuffer::from(ShownCall { caught: self.caught.clone() });
        unsafe { *out = call.cast::<IUnknown>().unwrap().into_raw() };
        S_OK
    }
}

#[com_class(IRpcStubBuffer)]
struct ShownStub {
    inner: IRpcStubBuffer,
    caught: Arc<Caught>,
}

impl IPSFactoryBuffer_Impl for Catcher_Impl {
    unsafe fn CreateProxy(
        &self,
        outer: *mut c_void,
        iid: *const GUID,
        proxy: *mut *mut c_void,
        typed: *mut *mut c_void,
    ) -> HRESULT {
        unsafe {
            let hr = self.inner.CreateProxy(outer, iid, proxy, typed);
            if hr.is_ok() {
                let inner = IRpcProxyBuffer::from_raw(*proxy);
                *proxy = IRpcProxyBuffer::from(ShownProxy { inner, caught: self.caught.clone() }).into_raw();
            }
            hr
        }
    }
    unsafe fn CreateStub(&self, iid: *const GUID, server: *mut c_void, stub: *mut *mut c_void) -> HRESULT {
        unsafe {
            let hr = self.inner.CreateStub(iid, server, stub);
            if hr.is_ok() {
                let inner = IRpcStubBuffer::from_raw(*stub);
                *stub = IRpcStubBuffer::from(ShownStub { inner, caught: self.caught.clone() }).into_raw();
            }
            hr
        }
    }
}

fn third(channel: *mut c_void) -> IRpcChannelBuffer3 {
    unsafe { IUnknown::from_raw_borrowed(&channel) }.expect("a channel").cast().expect("IID-17")
}

impl IRpcProxyBuffer_Impl for ShownProxy_Impl {
    unsafe fn Connect(&self, channel: *mut c_void) -> HRESULT {
        *self.caught.client.lock().unwrap() = Some(Sent(third(channel)));
        unsafe { self.inner.Connect(channel) }
    }
    unsafe fn Disconnect(&self) {
        unsafe { self.inner.Disconnect() }
    }
}

impl IRpcStubBuffer_Impl for ShownStub_Impl {
    unsafe fn Connect(&self, server: *mut c_void) -> HRESULT {
        unsafe { self.inner.Connect(server) }
    }
    unsafe fn Disconnect(&self) {
        unsafe { self.inner.Disconnect() }
    }
    unsafe fn Invoke(&self, message: *mut RPCOLEMESSAGE, channel: *mut c_void) -> HRESULT {
        let inside = self.caught.inside.lock().unwrap().take();
        if let Some(inside) = inside {
            inside(&third(channel), message);
        }
        unsafe { self.inner.Invoke(message, channel) }
    }
    unsafe fn IsIIDSupported(&self, iid: *const GUID) -> *mut c_void {
        unsafe { self.inner.IsIIDSupported(iid) }
    }
    unsafe fn CountRefs(&self) -> u32 {
        unsafe { self.inner.CountRefs() }
    }
    unsafe fn DebugServerQueryInterface(&self, out: *mut *mut c_void) -> HRESULT {
        unsafe { self.inner.DebugServerQueryInterface(out) }
    }
    unsafe fn DebugServerRelease(&self, pointer: *mut c_void) {
        unsafe { self.inner.DebugServerRelease(pointer) }
    }
}

/// Puts the factory into the current apartment.
fn register(caught: &Arc<Caught>) {
    let inner = proxy::factory::builtin_factory(proxy::factory::find(&IProbe::IID).unwrap());
    let (factory, mut cookie) = (IPSFactoryBuffer::from(Catcher { inner, caught: caught.clone() }), 0);
    let (raw, context) = (factory.as_raw(), CLSCTX_INPROC_SERVER);
    unsafe {
        assert_eq!(CoRegisterClassObject(&CLSID_CATCHER, raw, context, REGCLS_MULTIPLEUSE, &mut cookie), S_OK);
        assert_eq!(CoRegisterPSClsid(&IProbe::IID, &CLSID_CATCHER), S_OK);
    }
}

/// What a test works with, in the client's apartment.
struct Stage {
    probe: IProbe,
    channel: IRpcChannelBuffer3,
    caught: Arc<Caught>,
    script: Script,
    host: Option<Server>,
}

/// Plays in a process of its own.
fn play(client: Kind, server: Kind, body: impl FnOnce(&mut Stage) + Send + 'static) {
    in_process(move || {
        let before = debug::live_objects();
        let (host, apt, caught) = (Server::start(server, Flavour::Sync), Apt::start(client), Arc::<Caught>::default());
        let theirs = caught.clone();
        host.apt.run(move || register(&theirs));
        let (packet, script) = (host.packet(), host.script.clone());
        let host = apt.run(move || {
            register(&caught);
            let probe = packet.unpack();
            let channel = caught.client.lock().unwrap().take().expect("connected").take();
            let mut stage = Stage { probe, channel, caught, script, host: Some(host) };
            body(&mut stage);
            stage.host
        });
        host.into_iter().for_each(Server::stop);
        apt.stop();
        assert_eq!(debug::live_objects(), before);
    });
}

fn each(body: impl Fn(&mut Stage) + Send + Sync + Copy + 'static) {
    for (client, server) in PAIRS {
        play(client, server, body);
    }
}

/// A request for `Double(n)`, as its proxy writes it.
fn request(channel: &IRpcChannelBuffer3, n: u32) -> RPCOLEMESSAGE {
    let mut message = RPCOLEMESSAGE { cbBuffer: 4, iMethod: DOUBLE, ..RPCOLEMESSAGE::default() };
    unsafe {
        assert_eq!(channel.GetBuffer(&mut message, &IProbe::IID), S_OK);
        message.Buffer.cast::<u32>().write(n);
    }
    message
}

fn send(channel: &IRpcChannelBuffer3, message: &mut RPCOLEMESSAGE) -> (HRESULT, u32) {
    let mut status = 0xdead;
    (unsafe { channel.Send(message, &mut status) }, status)
}

fn receive(channel: &IRpcChannelBuffer3, message: &mut RPCOLEMESSAGE) -> (HRESULT, u32) {
    let mut status = 0xdead;
    (unsafe { channel.Receive(message, 0, &mut status) }, status)
}

fn state(channel: &IRpcChannelBuffer3, message: &mut RPCOLEMESSAGE) -> u32 {
    let mut state = 0xdead;
    assert_eq!(unsafe { channel.GetState(message, &mut state) }, S_OK);
    state
}

fn reply(message: &RPCOLEMESSAGE) -> (u32, u32) {
    assert_eq!(message.cbBuffer, 8);
    unsafe { message.Buffer.cast::<(u32, u32)>().read() }
}

#[test]
fn chn_06_a_call_in_steps() {
    each(|stage| {
        let channel = &stage.channel;
        let gate = stage.script.hold(4);
        let mut message = request(channel, 4);
        assert_eq!((receive(channel, &mut message).0, state(channel, &mut message)), (RPC_E_CALL_COMPLETE, DCOM_NONE));
        assert_eq!(send(channel, &mut message), (S_OK, 0));
        assert!(message.Buffer.is_null() && message.cbBuffer == 0, "the request is the channel's");
        stage.script.log().pump_for("enter 4");
        assert_eq!(state(channel, &mut message), DCOM_NONE);
        assert_eq!(send(channel, &mut message).0, RPC_S_CALLPENDING);
        assert_eq!(unsafe { channel.SendReceive(&mut message, ptr::null_mut()) }, RPC_S_CALLPENDING);
        gate.set();
        assert_eq!((receive(channel, &mut message), reply(&message)), ((S_OK, 0), (8, 0)));
        assert_eq!(
            (state(channel, &mut message), receive(channel, &mut message).0),
            (DCOM_CALL_COMPLETE, RPC_E_CALL_COMPLETE)
        );
        assert_eq!(unsafe { channel.Cancel(&mut message) }, RPC_E_CALL_COMPLETE);
        assert_eq!(unsafe { channel.FreeBuffer(&mut message) }, S_OK);
        assert_eq!(double(&stage.probe, 5), (S_OK, 10), "the proxy itself goes on");
    });
}

#[test]
fn chn_06_two_calls_of_one_proxy_at_once() {
    each(|stage| {
        let channel = &stage.channel;
        let mut messages = [4, 5].map(|n| request(channel, n));
        messages.iter_mut().for_each(|message| assert_eq!(send(channel, message), (S_OK, 0)));
        for (message, twice) in messages.iter_mut().zip([8, 10]).rev() {
            assert_eq!((receive(channel, message), reply(message)), ((S_OK, 0), (twice, 0)));
            assert_eq!(unsafe { channel.FreeBuffer(message) }, S_OK);
        }
    });
}

#[test]
fn chn_06_cxl_01_cancel() {
    each(|stage| {
        let channel = &stage.channel;
        let gate = stage.script.hold(4);
        let mut message = request(channel, 4);
        assert_eq!(unsafe { channel.Cancel(&mut message) }, RPC_E_CALL_COMPLETE, "CXL-12");
        assert_eq!(send(channel, &mut message).0, S_OK);
        let cancelled = unsafe { (channel.Cancel(&mut message), channel.Cancel(&mut message)) };
        assert_eq!(cancelled, (S_OK, RPC_E_CALL_CANCELED));
        assert_eq!(state(channel, &mut message), DCOM_CALL_CANCELED);
        let code = RPC_S_CALL_CANCELLED_HR;
        assert_eq!(receive(channel, &mut message), (code, code.0 as u32));
        assert!(message.Buffer.is_null() && message.reserved1.is_null(), "freed");
        assert_eq!(unsafe { channel.FreeBuffer(&mut message) }, S_OK);
        gate.set();
        stage.script.log().pump_for("cancelled 4");
    });
}

#[test]
fn chn_06_call_30_call_32_a_message_that_is_freed_leaves_the_server_alone() {
    each(|stage| {
        let channel = &stage.channel;
        let gate = stage.script.hold(4);
        let mut message = request(channel, 4);
        assert_eq!(send(channel, &mut message).0, S_OK);
        assert_eq!(unsafe { channel.FreeBuffer(&mut message) }, S_OK);
        assert_eq!(unsafe { channel.FreeBuffer(&mut message) }, S_OK, "once more does nothing");
        gate.set();
        stage.script.log().pump_for("cancelled 4");
        let mut unsent = request(channel, 5);
        assert_eq!(unsafe { channel.FreeBuffer(&mut unsent) }, S_OK);
    });
}

#[test]
fn chn_06_mrsh_13_and_a_server_that_is_gone() {
    each(|stage| {
        let channel = Sent(stage.channel.clone());
        let host = stage.host.take().expect("it is there");
        let channel = host
            .apt
            .begin(move || {
                let mut message = RPCOLEMESSAGE { cbBuffer: 4, iMethod: DOUBLE, ..RPCOLEMESSAGE::default() };
                assert_eq!(unsafe { channel.0.GetBuffer(&mut message, &IProbe::IID) }, RPC_E_WRONG_THREAD);
                channel
            })
            .join_pumping()
            .take();
        let mut message = request(&channel, 4);
        let sent = Sent((channel.clone(), message));
        let wrong = host
            .apt
            .begin(move || {
                let (channel, mut message) = sent.take();
                [receive(&channel, &mut message).0, send(&channel, &mut message).0]
            })
            .join_pumping();
        assert_eq!(wrong, [RPC_E_WRONG_THREAD; 2]);
        message = request(&channel, 4);
        host.stop();
        assert_eq!(send(&channel, &mut message).0, S_OK, "CALL-13");
        assert_eq!(receive(&channel, &mut message).0, RPC_S_UNKNOWN_IF_HR);
    });
}

#[test]
fn chn_04_chn_06_what_is_not_there_and_null() {
    play(Kind::Mta, Kind::Sta, |stage| unsafe {
        let (channel, null) = (&stage.channel, ptr::null_mut());
        let (mut number, mut pointer) = (0xdead, ptr::dangling_mut());
        let mut message = request(channel, 4);
        assert_eq!(channel.RegisterAsync(&mut message, ptr::null_mut()), E_NOTIMPL);
        assert_eq!(channel.GetCallContext(&mut message, &ICancelMethodCalls::IID, &mut pointer), E_NOTIMPL);
        assert!(pointer.is_null());
        assert_eq!(channel.GetCallContext(&mut message, &ICancelMethodCalls::IID, ptr::null_mut()), E_NOTIMPL);
        pointer = ptr::dangling_mut();
        assert_eq!(channel.GetDestCtxEx(&mut message, &mut number, &mut pointer), S_OK);
        assert_eq!((number, pointer), (MSHCTX_INPROC, ptr::null_mut()));
        assert_eq!(channel.GetDestCtxEx(&mut message, ptr::null_mut(), ptr::null_mut()), S_OK);
        assert_eq!(channel.GetState(&mut message, ptr::null_mut()), E_INVALIDARG);
        let refused = [
            channel.Send(null, &mut number),
            channel.Receive(null, 0, &mut number),
            channel.Cancel(null),
            channel.GetState(null, &mut number),
            channel.SendReceive(null, &mut number),
            channel.GetBuffer(null, &IProbe::IID),
            channel.GetProtocolVersion(ptr::null_mut()),
        ];
        assert_eq!(refused, [E_INVALIDARG; 7]);
        assert_eq!((channel.FreeBuffer(null), channel.FreeBuffer(&mut message)), (S_OK, S_OK));
        let freed = [channel.Send(&mut message, ptr::null_mut()), channel.Receive(&mut message, 0, ptr::null_mut())];
        assert_eq!(freed, [E_INVALIDARG; 2], "a message without a buffer");
    });
}

#[test]
fn chn_06_the_servers_channel_knows_the_call() {
    each(|stage| {
        let log = stage.script.log().clone();
        *stage.caught.inside.lock().unwrap() = Some(Box::new(move |channel, message| unsafe {
            let (mut number, mut pointer) = (0xdead, ptr::null_mut());
            assert_eq!((channel.GetState(message, &mut number), number), (S_OK, DCOM_NONE));
            assert_eq!(channel.GetState(message, ptr::null_mut()), E_INVALIDARG);
            assert_eq!(channel.GetCallContext(message, &ICancelMethodCalls::IID, &mut pointer), S_OK);
            assert_eq!(ICancelMethodCalls::from_raw(pointer).TestCancel(), RPC_S_CALLPENDING);
            assert_eq!((channel.GetDestCtxEx(message, &mut number, &mut pointer), number), (S_OK, MSHCTX_INPROC));
            assert_eq!((channel.GetProtocolVersion(&mut number), number), (S_OK, 0x0007_0005));
            let for_clients = [
                channel.Send(message, ptr::null_mut()),
                channel.Receive(message, 0, ptr::null_mut()),
                channel.SendReceive(message, ptr::null_mut()),
                channel.Cancel(message),
                channel.RegisterAsync(message, ptr::null_mut()),
            ];
            assert_eq!(for_clients, [E_NOTIMPL; 5]);
            log.say("seen");
        }));
        assert_eq!(double(&stage.probe, 4), (S_OK, 8));
        assert!(stage.script.log().has("seen"));
    });
}

#[test]
fn iid_18_the_channel_of_a_call_object_may_wait_too() {
    each(|stage| {
        let (hr, raw) = create_call(&stage.probe, ptr::null_mut(), &ISynchronize::IID);
        assert_eq!(hr, S_OK);
        let call = unsafe { ISynchronize::from_raw(raw) };
        let channel = stage.caught.asynchronous.lock().unwrap().take().expect("connected").take();
        let mut message = RPCOLEMESSAGE { cbBuffer: 4, iMethod: DOUBLE, ..RPCOLEMESSAGE::default() };
        let mut status = 0xdead;
        unsafe {
            assert_eq!(channel.GetBuffer(&mut message, &IProbe::IID), S_OK);
            message.Buffer.cast::<u32>().write(4);
            assert_eq!(channel.SendReceive(&mut message, &mut status), S_OK, "not before the reply is in");
            assert_eq!((status, reply(&message)), (0, (8, 0)));
            assert_eq!(channel.Receive(&mut message, &mut status), RPC_E_CALL_COMPLETE);
            let (mut context, mut more) = (0xdead, ptr::dangling_mut());
            assert_eq!(channel.GetDestCtxEx(&mut message, &mut context, &mut more), S_OK);
            assert_eq!((context, more), (MSHCTX_INPROC, ptr::null_mut()));
            assert_eq!(channel.FreeBuffer(&mut message), S_OK);
        }
        drop(call);
    });
}

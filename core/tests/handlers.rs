//! Handlers of a client (RUL-49): named by the server's packet, made under the client's identity, asked before the server.

#![allow(clippy::undocumented_unsafe_blocks, reason = "tests call COM by its rules, as its users do")]

#[path = "common/probe.rs"]
mod probe;
#[path = "common/rooms.rs"]
mod rooms;
#[path = "common/tape.rs"]
mod tape;

use oleander::object::{
    Inner, ThreadingModel, class_factory_with, create_aggregated_with, register_in_process_class,
    revoke_in_process_class,
};
use oleander::windows_core::{ComObject, GUID, HRESULT, IUnknown, Interface};
use oleander::*;
use probe::*;
use rooms::*;
use std::ffi::c_void;
use std::ptr::null_mut;
use tape::Tape;

const CLSID_HANDLER: GUID = GUID::from_u128(0x77aa_1001);
const NORMAL: u32 = MSHLFLAGS_NORMAL;

/// The object on the server: it says what it is asked for, and names a handler.
#[com_class(IProbe, IStdMarshalInfo, blind = marshaler)]
struct Served {
    probe: IProbe,
    marshaler: Inner,
}

impl IStdMarshalInfo_Impl for Served_Impl {
    unsafe fn GetClassForHandler(&self, _: u32, _: *mut c_void, clsid: *mut GUID) -> HRESULT {
        unsafe { *clsid = CLSID_HANDLER };
        S_OK
    }
}

impl IProbe_Impl for Served_Impl {
    unsafe fn Thread(&self, id: *mut u32) -> HRESULT {
        unsafe { self.probe.Thread(id) }
    }
    unsafe fn Do(&self, what: u32) -> HRESULT {
        unsafe { self.probe.Do(what) }
    }
    unsafe fn Keep(&self, object: windows_core::Ref<'_, IUnknown>) -> HRESULT {
        unsafe { self.probe.Keep(object) }
    }
    unsafe fn Kept(&self, object: windows_core::OutRef<'_, IUnknown>) -> HRESULT {
        unsafe { self.probe.Kept(object) }
    }
    unsafe fn KeptAs(&self, iid: *const GUID, object: *mut *mut c_void) -> HRESULT {
        unsafe { self.probe.KeptAs(iid, object) }
    }
    unsafe fn Forward(&self, to: windows_core::Ref<'_, IProbe>, what: u32) -> HRESULT {
        unsafe { self.probe.Forward(to, what) }
    }
    unsafe fn ForwardAs(&self, iid: *const GUID, to: *mut c_void, what: u32) -> HRESULT {
        unsafe { self.probe.ForwardAs(iid, to, what) }
    }
}

/// What the server's `Do` answers.
const SERVED: HRESULT = HRESULT(0x2A);

fn served(lives: &Lives) -> IProbe {
    let probe = probe_that(lives, |what| HRESULT(SERVED.0 + what as i32));
    ComObject::new(Served { probe, marshaler: Inner::new() }).to_interface()
}

/// A packet for another process.
fn pack_far<I: Interface>(object: &I) -> Tape {
    let tape = Tape::new();
    let hr = unsafe { CoMarshalInterface(tape.raw(), &I::IID, object.as_raw(), MSHCTX_LOCAL, null_mut(), NORMAL) };
    assert_eq!(hr, S_OK);
    tape
}

/// The handler: IOther is its own, and done with one call to the server; what it is not asked to do itself it leaves to the
/// proxies, if it has asked for them.
#[com_class(IOther, blind = proxies)]
struct Handler {
    proxies: Inner,
    _life: IProbe,
}

impl IOther_Impl for Handler_Impl {
    unsafe fn Nothing(&self) -> HRESULT {
        match self.proxies.cached::<IProbe>() {
            Ok(proxy) => unsafe { proxy.Do(100) },
            Err(error) => error.code(),
        }
    }
}

/// What a handler does when it is made.
#[derive(Clone, Copy, PartialEq)]
enum Made {
    WithProxies,
    Alone,
    Fails,
}

/// Registers the handler's class; its objects are counted.
fn register(lives: &Lives, made: Made) {
    let lives = lives.clone();
    let make = move || {
        let lives = lives.clone();
        class_factory_with(move |outer, iid, ppv| unsafe {
            assert!(!outer.is_null() && *iid == IUnknown::IID, "under the identity");
            let handler = Handler { proxies: Inner::new(), _life: probe(&lives) };
            create_aggregated_with(handler, outer, iid, ppv, |handler| match made {
                Made::Alone => S_OK,
                Made::Fails => E_ACCESSDENIED,
                Made::WithProxies => handler
                    .aggregate(&handler.proxies, |outer, _, out| CoGetStdMarshalEx(outer, SMEXF_HANDLER, out))
                    .map_or_else(|error| error.code(), |()| S_OK),
            })
        })
    };
    register_in_process_class(&CLSID_HANDLER, make, ThreadingModel::Both, 0);
}

/// A server and a client, in each pair of apartments between which there is a proxy: the server's objects and the
/// client's handlers are counted.
fn each(made: Option<Made>, body: impl Fn(&Room, &Room, &Lives, &Lives) + Send + Copy + 'static) {
    for (client_sta, server_sta) in [(true, false), (false, true), (true, true)] {
        world(move |world| {
            let (objects, handlers) = (Lives::default(), Lives::default());
            let room = |sta| if sta { world.sta() } else { world.mta() };
            let (client, server) = (room(client_sta), room(server_sta));
            if let Some(made) = made {
                register(&handlers, made);
            }
            body(&client, &server, &objects, &handlers);
            revoke_in_process_class(&CLSID_HANDLER);
            client.close();
            server.close();
            assert_eq!((objects.now(), handlers.now()), (0, 0));
        });
    }
}

fn pack_in(server: &Room, objects: &Lives) -> Tape {
    let objects = objects.clone();
    server.run(move || pack_far(&served(&objects)))
}

#[test]
fn rul_49_the_handler_stands_before_the_proxies() {
    each(Some(Made::WithProxies), |client, server, objects, handlers| {
        let (tape, handlers) = (pack_in(server, objects), handlers.clone());
        client.run(move || unsafe {
            let proxy: IProbe = tape.unmarshal().unwrap();
            assert_eq!(handlers.now(), 1);
            assert_eq!(proxy.Do(1), HRESULT(SERVED.0 + 1), "the server's");
            let here = GetCurrentThreadId();
            assert_ne!(thread_of(&proxy), here);
            // The handler's own interface, by way of which it calls the server; one identity.
            let other: IOther = query(&proxy).unwrap();
            assert_eq!(other.Nothing(), HRESULT(SERVED.0 + 100));
            assert_eq!(query::<IUnknown>(&other).unwrap(), query::<IUnknown>(&proxy).unwrap());
            assert_eq!(query::<IProbe>(&other).unwrap(), proxy);
            assert_eq!(query::<ILocal>(&other).unwrap_err(), E_NOINTERFACE);
            // What every proxy has.
            for iid in [IMarshal::IID, IMarshal2::IID, IMultiQI::IID, IClientSecurity::IID, ICallFactory::IID] {
                let mut found = null_mut();
                assert_eq!(proxy.query(&iid, &mut found), S_OK);
                drop(IUnknown::from_raw(found));
            }
            drop(proxy);
            assert_eq!(handlers.now(), 1);
            drop(other);
            assert_eq!(handlers.now(), 0, "it ends with the identity");
        });
        assert_eq!(objects.now(), 0);
    });
}

#[test]
fn rul_49_several_interfaces_and_asynchronous_calls() {
    each(Some(Made::WithProxies), |client, server, objects, _| {
        let tape = pack_in(server, objects);
        client.run(move || unsafe {
            let unknown: IUnknown = tape.unmarshal().unwrap();
            let iids = [IOther::IID, IProbe::IID, ILocal::IID];
            let mut entries = iids.each_ref().map(|pIID| MULTI_QI { pIID, pItf: null_mut(), hr: S_OK });
            let several: IMultiQI = query(&unknown).unwrap();
            assert_eq!(several.QueryMultipleInterfaces(3, entries.as_mut_ptr()), S_FALSE);
            assert_eq!(entries.each_ref().map(|entry| entry.hr), [S_OK, S_OK, E_NOINTERFACE]);
            let (other, probe) = (IOther::from_raw(entries[0].pItf), IProbe::from_raw(entries[1].pItf));
            assert_eq!(other.Nothing(), HRESULT(SERVED.0 + 100));
            let factory: ICallFactory = query(&probe).unwrap();
            let mut call = null_mut();
            assert_eq!(factory.CreateCall(&AsyncIProbe::IID, null_mut(), &AsyncIProbe::IID, &mut call), S_OK);
            let call = AsyncIProbe::from_raw(call);
            assert_eq!(call.Begin_Do(3), S_OK);
            assert_eq!(call.Finish_Do(), HRESULT(SERVED.0 + 3));
            // A query that is begun is the handler's, too.
            let mut raw = null_mut();
            assert_eq!(factory.CreateCall(&AsyncIUnknown::IID, null_mut(), &AsyncIUnknown::IID, &mut raw), S_OK);
            let asked = AsyncIUnknown::from_raw(raw);
            assert_eq!(asked.Begin_QueryInterface(&IOther::IID), S_OK);
            assert_eq!(asked.Finish_QueryInterface(&mut raw), S_OK);
            assert_eq!(IOther::from_raw(raw), other);
        });
    });
}

#[test]
fn rul_49_a_handler_without_proxies_hides_the_server() {
    each(Some(Made::Alone), |client, server, objects, handlers| {
        let (tape, handlers) = (pack_in(server, objects), handlers.clone());
        client.run(move || unsafe {
            tape.rewind();
            let mut raw = null_mut();
            assert_eq!(CoUnmarshalInterface(tape.raw(), &IUnknown::IID, &mut raw), S_OK);
            let proxy = IUnknown::from_raw(raw);
            let other: IOther = query(&proxy).unwrap();
            assert_eq!(other.Nothing(), E_NOINTERFACE, "it has nothing to ask");
            assert_eq!(query::<IProbe>(&proxy).unwrap_err(), E_NOINTERFACE);
            assert!(query::<ICallFactory>(&proxy).is_ok(), "every proxy has one");
            assert_eq!(handlers.now(), 1);
        });
    });
}

#[test]
fn rul_49_without_its_class_the_proxies_are_there_alone() {
    each(None, |client, server, objects, handlers| {
        let (tape, handlers) = (pack_in(server, objects), handlers.clone());
        client.run(move || unsafe {
            let proxy: IProbe = tape.unmarshal().unwrap();
            assert_eq!(proxy.Do(2), HRESULT(SERVED.0 + 2));
            assert_eq!(query::<IOther>(&proxy).unwrap_err(), E_NOINTERFACE);
            assert_eq!(handlers.now(), 0);
        });
    });
}

#[test]
fn rul_49_a_handler_that_fails_says_so() {
    each(Some(Made::Fails), |client, server, objects, handlers| {
        let tape = pack_in(server, objects);
        let again = tape.clone();
        assert_eq!(objects.now(), 1);
        client.run(move || assert_eq!(tape.unmarshal::<IProbe>().unwrap_err(), E_ACCESSDENIED));
        assert_eq!((objects.now(), handlers.now()), (0, 0), "the packet is used up (MRSH-07)");
        client.run(move || assert_eq!(again.release(), CO_E_OBJNOTREG));
    });
}

#[test]
fn ob_02_rul_49_the_packet_names_the_handler_on_its_whole_way() {
    each(Some(Made::WithProxies), |client, server, objects, handlers| {
        let tape = pack_in(server, objects);
        let bytes = tape.bytes();
        assert_eq!((bytes.len(), &bytes[..8]), (84, &b"MEOW\x02\0\0\0"[..]));
        assert_eq!(bytes[8..12], IProbe::IID.data1.to_le_bytes());
        assert_eq!(bytes[64..68], CLSID_HANDLER.data1.to_le_bytes());
        assert_eq!(bytes[80..], [0; 4]);
        let counted = handlers.clone();
        let (near, far) = client.run(move || {
            let proxy: IProbe = tape.unmarshal().unwrap();
            let near = Tape::new();
            assert_eq!(near.marshal(&proxy, NORMAL), S_OK);
            (near, pack_far(&proxy))
        });
        assert_eq!(near.bytes()[4], 1, "in this process: none");
        let again = far.bytes();
        assert_eq!((&again[4..24], &again[64..]), (&bytes[4..24], &bytes[64..]), "as it came (MRSH-18)");
        client.run(move || unsafe {
            // The nearer packet makes the identity, which has no handler then, and the other finds it.
            let proxy: IProbe = near.unmarshal().unwrap();
            assert_eq!(far.unmarshal::<IProbe>().unwrap(), proxy);
            assert_eq!((query::<IOther>(&proxy).unwrap_err(), counted.now()), (E_NOINTERFACE, 0));
            assert_eq!(proxy.Do(0), SERVED);
        });
        assert_eq!(objects.now(), 0);
    });
}

#[test]
fn mrsh_05_rul_49_at_home_there_is_no_handler() {
    each(Some(Made::WithProxies), |_, server, objects, handlers| {
        let (objects, handlers) = (objects.clone(), handlers.clone());
        server.run(move || {
            let object = served(&objects);
            assert_eq!(pack_far(&object).unmarshal::<IProbe>().unwrap(), object);
            assert_eq!(handlers.now(), 0);
        });
    });
}

/// An object that aggregates the standard marshaler, which speaks for it.
#[test]
fn rul_49_the_aggregated_standard_marshaler_names_the_handler() {
    each(Some(Made::WithProxies), |client, server, objects, handlers| {
        let (lives, handlers) = (objects.clone(), handlers.clone());
        let tape = server.run(move || unsafe {
            let object = ComObject::new(Served { probe: probe(&lives), marshaler: Inner::new() });
            let make = |outer, _, out| CoGetStdMarshalEx(outer, SMEXF_SERVER, out);
            object.aggregate(&object.marshaler, make).unwrap();
            let marshal: IMarshal2 = query(&object.to_interface::<IProbe>()).unwrap();
            let mut clsid = GUID::zeroed();
            let raw = marshal.as_raw();
            assert_eq!(
                marshal.GetUnmarshalClass(&IProbe::IID, raw, MSHCTX_LOCAL, null_mut(), NORMAL, &mut clsid),
                S_OK
            );
            assert_eq!(clsid, CLSID_HANDLER);
            drop(marshal);
            pack_far(&object.to_interface::<IProbe>())
        });
        assert_eq!(tape.bytes().len(), 84, "the whole packet, and no other around it");
        client.run(move || unsafe {
            let proxy: IProbe = tape.unmarshal().unwrap();
            assert_eq!(query::<IOther>(&proxy).unwrap().Nothing(), S_OK);
            assert_eq!(handlers.now(), 1);
        });
    });
}

#[test]
fn rul_49_arguments_and_an_inner_object_that_outlives_the_identity() {
    each(None, |client, server, objects, _| {
        let (tape, own) = (pack_in(server, objects), objects.clone());
        let proxy = client.run(move || unsafe {
            let (none, mut raw) = (null_mut(), 0x10 as *mut c_void);
            assert_eq!(CoGetStdMarshalEx(none, SMEXF_HANDLER, &mut raw), E_INVALIDARG);
            assert!(raw.is_null());
            let object = probe(&own);
            assert_eq!(CoGetStdMarshalEx(object.as_raw(), SMEXF_HANDLER, &mut raw), E_INVALIDARG, "no proxy");
            let proxy: IProbe = tape.unmarshal().unwrap();
            assert_eq!(CoGetStdMarshalEx(proxy.as_raw(), SMEXF_HANDLER, null_mut()), E_INVALIDARG);
            assert_eq!(CoGetStdMarshalEx(proxy.as_raw(), SMEXF_SERVER | SMEXF_HANDLER, &mut raw), E_INVALIDARG);
            assert_eq!(CoGetStdMarshalEx(proxy.as_raw(), SMEXF_HANDLER, &mut raw), S_OK);
            let inner = IUnknown::from_raw(raw);
            let before = count(&proxy);
            assert_eq!(query::<IProbe>(&inner).unwrap(), proxy, "counted on the identity");
            assert_eq!((count(&proxy), count(&inner)), (before, 1));
            Carry((proxy, inner))
        });
        let proxy = server.run(move || unsafe {
            let (proxy, inner) = proxy.take();
            let mut raw = null_mut();
            assert_eq!(CoGetStdMarshalEx(proxy.as_raw(), SMEXF_HANDLER, &mut raw), RPC_E_WRONG_THREAD);
            Carry((proxy, inner))
        });
        client.run(move || {
            let (proxy, inner) = proxy.take();
            drop(proxy);
            assert_eq!(query::<IProbe>(&inner).unwrap_err(), CO_E_OBJNOTCONNECTED);
        });
    });
}

/// A class object that an apartment has registered is a handler for that apartment.
#[test]
fn rul_49_a_registered_class_object_makes_handlers_for_its_apartment() {
    each(None, |client, server, objects, handlers| {
        let tapes = [pack_in(server, objects), pack_in(server, objects)];
        let handlers = handlers.clone();
        client.run(move || unsafe {
            let [first, second] = tapes;
            register(&handlers, Made::WithProxies);
            let mut factory = null_mut();
            let context = CLSCTX_INPROC_SERVER;
            assert_eq!(CoGetClassObject(&CLSID_HANDLER, context, null_mut(), &IUnknown::IID, &mut factory), S_OK);
            assert!(revoke_in_process_class(&CLSID_HANDLER));
            let mut cookie = 0;
            let hr =
                CoRegisterClassObject(&CLSID_HANDLER, factory, CLSCTX_INPROC_HANDLER, REGCLS_MULTIPLEUSE, &mut cookie);
            drop(IUnknown::from_raw(factory));
            assert_eq!(hr, S_OK);
            let proxy: IProbe = first.unmarshal().unwrap();
            assert_eq!(query::<IOther>(&proxy).unwrap().Nothing(), HRESULT(SERVED.0 + 100));
            assert_eq!(CoRevokeClassObject(cookie), S_OK);
            assert_eq!(query::<IOther>(&second.unmarshal::<IProbe>().unwrap()).unwrap_err(), E_NOINTERFACE);
        });
    });
}

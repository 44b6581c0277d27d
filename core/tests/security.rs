//! Security as far as one identity goes: blankets of proxies and call objects, what a server learns, impersonation
//! (MRSH-17, CALL-41, CTX-06, SRV-18).

mod support;

use oleander::object::{AutoInner, create_aggregated};
use oleander::windows_core::{GUID, HRESULT, IUnknown, Interface};
use oleander::*;
use std::ffi::c_void;
use std::ptr::{self, null_mut};
use std::sync::{Arc, Mutex};
use support::probe::*;
use support::*;

/// Service, authorization, principal, level, impersonation, info, capabilities.
type Blanket = (u32, u32, Option<String>, u32, u32, usize, u32);

fn default_blanket() -> Blanket {
    let (level, impersonation) = (RPC_C_AUTHN_LEVEL_PKT_PRIVACY, RPC_C_IMP_LEVEL_IDENTIFY);
    (RPC_C_AUTHN_WINNT, RPC_C_AUTHZ_NONE, None, level, impersonation, 0, EOAC_NONE)
}

/// What a function with the seven outs of QueryBlanket gives.
fn asked(
    ask: impl FnOnce(*mut u32, *mut u32, *mut *mut u16, *mut u32, *mut u32, *mut *mut c_void, *mut u32) -> HRESULT,
) -> Result<Blanket, HRESULT> {
    let (mut numbers, mut name, mut info) = ([0xdead_u32; 5], ptr::dangling_mut(), ptr::dangling_mut());
    let [service, authorization, level, impersonation, capabilities] = &mut numbers;
    match ask(service, authorization, &mut name, level, impersonation, &mut info, capabilities) {
        S_OK => {}
        hr => {
            assert!(name.is_null() && info.is_null(), "a failure leaves nothing to free or follow: {hr:?}");
            return Err(hr);
        }
    }
    let text = (!name.is_null()).then(|| {
        // SAFETY: a string with a zero at its end, which is ours to free.
        unsafe {
            let len = (0..).take_while(|at| *name.add(*at) != 0).count();
            let text = String::from_utf16_lossy(std::slice::from_raw_parts(name, len));
            CoTaskMemFree(name.cast());
            text
        }
    });
    let [service, authorization, level, impersonation, capabilities] = numbers;
    Ok((service, authorization, text, level, impersonation, info.addr(), capabilities))
}

fn blanket_of(proxy: &impl Interface) -> Result<Blanket, HRESULT> {
    // SAFETY: valid pointers.
    asked(|a, b, c, d, e, f, g| unsafe { CoQueryProxyBlanket(proxy.as_raw(), a, b, c, d, e, f, g) })
}

fn clients_blanket() -> Result<Blanket, HRESULT> {
    // SAFETY: valid pointers.
    asked(|a, b, c, d, e, f, g| unsafe { CoQueryClientBlanket(a, b, c, d, e, f, g) })
}

fn set(proxy: &impl Interface, level: u32, impersonation: u32) -> HRESULT {
    let mut name: Vec<u16> = "somebody\0".encode_utf16().collect();
    let info = ptr::without_provenance_mut(0x1234);
    // SAFETY: valid pointers; the name is copied, the info never followed.
    unsafe {
        CoSetProxyBlanket(
            proxy.as_raw(),
            RPC_C_AUTHN_GSS_NEGOTIATE,
            RPC_C_AUTHZ_NAME,
            name.as_mut_ptr(),
            level,
            impersonation,
            info,
            EOAC_STATIC_CLOAKING,
        )
    }
}

fn what_was_set(level: u32, impersonation: u32) -> Blanket {
    let name = Some("somebody".to_owned());
    (RPC_C_AUTHN_GSS_NEGOTIATE, RPC_C_AUTHZ_NAME, name, level, impersonation, 0x1234, EOAC_STATIC_CLOAKING)
}

#[test]
fn mrsh_17_px_01_every_proxy_has_a_blanket() {
    each_pair(Flavour::Sync, |scene| {
        assert!(scene.probe.cast::<IClientSecurity>().is_ok());
        let unknown: IUnknown = scene.probe.cast().unwrap();
        assert_eq!((blanket_of(&scene.probe), blanket_of(&unknown)), (Ok(default_blanket()), Ok(default_blanket())));
        // SAFETY: each out pointer may be null.
        let nothing = unsafe {
            let (n, p) = (null_mut(), scene.probe.as_raw());
            CoQueryProxyBlanket(p, n, n, null_mut(), n, n, null_mut(), n)
        };
        assert_eq!(nothing, S_OK);
    });
}

#[test]
fn mrsh_17_what_is_set_stays_on_its_interface_proxy() {
    each_pair(Flavour::Sync, |scene| {
        let unknown: IUnknown = scene.probe.cast().unwrap();
        assert_eq!(set(&scene.probe, RPC_C_AUTHN_LEVEL_CALL, RPC_C_IMP_LEVEL_IMPERSONATE), S_OK);
        let mine = what_was_set(RPC_C_AUTHN_LEVEL_CALL, RPC_C_IMP_LEVEL_IMPERSONATE);
        assert_eq!((blanket_of(&scene.probe), blanket_of(&unknown)), (Ok(mine), Ok(default_blanket())));
        assert_eq!(double(&scene.probe, 4), (S_OK, 8));
        // Defaults take everything back.
        let (principal, info) = (COLE_DEFAULT_PRINCIPAL, COLE_DEFAULT_AUTHINFO);
        let (service, authorization) = (RPC_C_AUTHN_DEFAULT, RPC_C_AUTHZ_DEFAULT);
        let p = scene.probe.as_raw();
        // SAFETY: valid arguments.
        let hr = unsafe { CoSetProxyBlanket(p, service, authorization, principal, 0, 0, info, EOAC_DEFAULT) };
        assert_eq!((hr, blanket_of(&scene.probe)), (S_OK, Ok(default_blanket())));
    });
}

#[test]
fn a_blanket_that_makes_no_sense_is_refused() {
    each_pair(Flavour::Sync, |scene| {
        let p = scene.probe.as_raw();
        let try_set = |service, authorization, level, impersonation, capabilities| {
            // SAFETY: valid arguments.
            unsafe {
                CoSetProxyBlanket(p, service, authorization, null_mut(), level, impersonation, null_mut(), capabilities)
            }
        };
        let good = (RPC_C_AUTHN_WINNT, RPC_C_AUTHZ_NONE);
        assert_eq!(try_set(3, good.1, 1, 1, 0), E_INVALIDARG);
        assert_eq!(try_set(good.0, 9, 1, 1, 0), E_INVALIDARG);
        assert_eq!(try_set(good.0, good.1, 7, 1, 0), E_INVALIDARG);
        assert_eq!(try_set(good.0, good.1, 1, 5, 0), E_INVALIDARG);
        assert_eq!(try_set(good.0, good.1, 1, 1, EOAC_STATIC_CLOAKING | EOAC_DYNAMIC_CLOAKING), E_INVALIDARG);
        assert_eq!(try_set(good.0, good.1, 1, 1, 0x2000), E_INVALIDARG);
        assert_eq!(blanket_of(&scene.probe), Ok(default_blanket()), "nothing was set");
        let factory: ICallFactory = scene.probe.cast().unwrap();
        assert_eq!(blanket_of(&factory), Err(E_INVALIDARG), "the proxy's own interface");
        // SAFETY: null is an error, not a crash.
        let null = unsafe {
            let n = null_mut();
            let query = CoQueryProxyBlanket(null_mut(), n, n, null_mut(), n, n, null_mut(), n);
            (query, CoCopyProxy(p, null_mut()), CoSetProxyBlanket(null_mut(), 0, 0, null_mut(), 0, 0, null_mut(), 0))
        };
        assert_eq!(null, (E_INVALIDARG, E_POINTER, E_INVALIDARG));
    });
}

#[test]
fn an_object_that_is_no_proxy_has_no_blanket() {
    in_process(|| {
        enter(Kind::Mta);
        let object = Does::probe(|_| S_OK);
        assert_eq!(blanket_of(&object), Err(E_NOINTERFACE));
        drop(object);
        leave();
    });
}

fn copy(proxy: &impl Interface) -> (HRESULT, *mut c_void) {
    let mut raw = ptr::dangling_mut();
    // SAFETY: valid arguments.
    let hr = unsafe { CoCopyProxy(proxy.as_raw(), &mut raw) };
    (hr, raw)
}

#[test]
fn px_03_a_copy_is_another_proxy_of_the_same_object() {
    each_pair(Flavour::Sync, |scene| {
        assert_eq!(set(&scene.probe, RPC_C_AUTHN_LEVEL_PKT, RPC_C_IMP_LEVEL_IDENTIFY), S_OK);
        let (hr, raw) = copy(&scene.probe);
        assert_eq!(hr, S_OK);
        // SAFETY: a counted pointer of that interface.
        let second = unsafe { IProbe::from_raw(raw) };
        assert_ne!(second.as_raw(), scene.probe.as_raw());
        assert_eq!(second.cast::<IUnknown>().unwrap(), scene.probe.cast().unwrap());
        assert_eq!(second.cast::<IProbe>().unwrap().as_raw(), scene.probe.as_raw(), "a query finds the first");
        let first = what_was_set(RPC_C_AUTHN_LEVEL_PKT, RPC_C_IMP_LEVEL_IDENTIFY);
        assert_eq!(blanket_of(&second), Ok(first.clone()));
        assert_eq!(set(&second, RPC_C_AUTHN_LEVEL_NONE, RPC_C_IMP_LEVEL_DELEGATE), S_OK);
        let own = what_was_set(RPC_C_AUTHN_LEVEL_NONE, RPC_C_IMP_LEVEL_DELEGATE);
        assert_eq!((blanket_of(&second), blanket_of(&scene.probe)), (Ok(own), Ok(first)));
        assert_eq!((double(&second, 3), double(&scene.probe, 4)), ((S_OK, 6), (S_OK, 8)));
        // IUnknown is local.
        assert_eq!(copy(&scene.probe.cast::<IUnknown>().unwrap()), (E_INVALIDARG, null_mut()));
    });
}

#[test]
fn mrsh_13_a_blanket_is_for_the_proxys_own_apartment() {
    each_pair_with(Flavour::Sync, |scene, host| {
        let security = Sent(scene.probe.cast::<IClientSecurity>().unwrap());
        let raw = Sent(scene.probe.as_raw());
        let job = host.apt.begin(move || {
            let (security, raw) = (security, raw);
            let mut out = null_mut();
            // SAFETY: live pointers, in the wrong place.
            assert_eq!(unsafe { security.0.CopyProxy(raw.0, &mut out) }, RPC_E_WRONG_THREAD);
            security
        });
        drop(job.join_pumping());
    });
}

#[test]
fn call_10_call_41_a_call_object_has_a_blanket_of_its_own() {
    each_pair(Flavour::Sync, |scene| {
        assert_eq!(set(&scene.probe, RPC_C_AUTHN_LEVEL_CALL, RPC_C_IMP_LEVEL_IMPERSONATE), S_OK);
        let proxys = what_was_set(RPC_C_AUTHN_LEVEL_CALL, RPC_C_IMP_LEVEL_IMPERSONATE);
        let caller = scene.caller();
        assert!(caller.call.cast::<IClientSecurity>().is_ok());
        assert_eq!((blanket_of(&caller.call), blanket_of(&caller.sync)), (Ok(proxys.clone()), Ok(proxys.clone())));
        assert_eq!(set(&caller.call, RPC_C_AUTHN_LEVEL_PKT, RPC_C_IMP_LEVEL_ANONYMOUS), S_OK);
        let own = what_was_set(RPC_C_AUTHN_LEVEL_PKT, RPC_C_IMP_LEVEL_ANONYMOUS);
        assert_eq!((blanket_of(&caller.call), blanket_of(&scene.probe)), (Ok(own), Ok(proxys)));
        assert_eq!(copy(&caller.call), (E_NOTIMPL, null_mut()));
        let security: IClientSecurity = caller.call.cast().unwrap();
        let (n, other) = (null_mut(), scene.probe.as_raw());
        // SAFETY: valid arguments.
        let hr = unsafe { security.QueryBlanket(other, n, n, null_mut(), n, n, null_mut(), n) };
        assert_eq!(hr, E_INVALIDARG, "not one of its own");
    });
}

/// What a server sees of its client, call by call.
type Seen = Arc<Mutex<Vec<Result<Blanket, HRESULT>>>>;

fn with_watcher(client: Kind, server: Kind, body: impl FnOnce(&IProbe, &Seen) + Send + 'static) {
    in_process(move || {
        let (host, apt, seen) = (Apt::start(server), Apt::start(client), Seen::default());
        let packet = host.run({
            let seen = seen.clone();
            move || {
                pack(&Does::probe(move |_| {
                    seen.lock().unwrap().push(clients_blanket());
                    S_OK
                }))
            }
        });
        apt.run(move || body(&packet.unpack(), &seen));
        apt.stop();
        host.stop();
    });
}

#[test]
fn ctx_06_the_server_sees_the_blanket_of_each_call() {
    for (client, server) in PAIRS {
        with_watcher(client, server, |probe, seen| {
            // The server has no name of its own, and the client's info stays with the client.
            let at_server =
                |(a, b, _, d, e, _, g): Blanket| -> Result<Blanket, HRESULT> { Ok((a, b, None, d, e, 0, g)) };
            assert_eq!(double(probe, 1).0, S_OK);
            assert_eq!(set(probe, RPC_C_AUTHN_LEVEL_CALL, RPC_C_IMP_LEVEL_IMPERSONATE), S_OK);
            assert_eq!(double(probe, 2).0, S_OK);
            let caller = Caller::new(probe);
            assert_eq!(set(&caller.call, RPC_C_AUTHN_LEVEL_PKT, RPC_C_IMP_LEVEL_ANONYMOUS), S_OK);
            assert_eq!((caller.begin(3), caller.finish()), (S_OK, (S_OK, 6)));
            let wanted = vec![
                at_server(default_blanket()),
                at_server(what_was_set(RPC_C_AUTHN_LEVEL_CALL, RPC_C_IMP_LEVEL_IMPERSONATE)),
                at_server(what_was_set(RPC_C_AUTHN_LEVEL_PKT, RPC_C_IMP_LEVEL_ANONYMOUS)),
            ];
            assert_eq!(*seen.lock().unwrap(), wanted);
        });
    }
}

#[test]
fn ctx_01_outside_any_call_there_is_no_client() {
    in_process(|| {
        enter(Kind::Mta);
        assert_eq!(clients_blanket(), Err(RPC_E_CALL_COMPLETE));
        // SAFETY: no pointers.
        assert_eq!(unsafe { (CoImpersonateClient(), CoRevertToSelf()) }, (RPC_E_CALL_COMPLETE, RPC_E_CALL_COMPLETE));
        leave();
    });
}

fn context() -> Result<IServerSecurity, HRESULT> {
    let mut raw = null_mut();
    // SAFETY: valid arguments; on success a counted pointer.
    unsafe {
        match CoGetCallContext(&IServerSecurity::IID, &mut raw) {
            S_OK => Ok(IServerSecurity::from_raw(raw)),
            hr => Err(hr),
        }
    }
}

fn acts_as_client(security: &IServerSecurity) -> bool {
    // SAFETY: no pointers.
    unsafe { security.IsImpersonating() }.as_bool()
}

#[test]
fn ctx_06_a_method_acts_as_its_client_until_it_returns() {
    in_process(|| {
        let (host, kept) = (Apt::sta(), Arc::new(Mutex::new(None)));
        let slot = kept.clone();
        let packet = host.run(move || {
            pack(&Does::probe(move |_| {
                let security = context().expect("CTX-06");
                assert!(!acts_as_client(&security));
                // SAFETY: no pointers.
                unsafe {
                    assert_eq!((CoImpersonateClient(), acts_as_client(&security)), (S_OK, true));
                    assert_eq!((CoRevertToSelf(), acts_as_client(&security)), (S_OK, false));
                    assert_eq!((security.ImpersonateClient(), acts_as_client(&security)), (S_OK, true));
                }
                *slot.lock().unwrap() = Some(Sent(security));
                S_OK
            }))
        });
        enter(Kind::Mta);
        let probe: IProbe = packet.unpack();
        assert_eq!(double(&probe, 2), (S_OK, 4));
        host.run(move || {
            let security = kept.lock().unwrap().take().unwrap().take();
            assert!(!acts_as_client(&security), "it ended with the method");
            // SAFETY: no pointers.
            assert_eq!(unsafe { security.ImpersonateClient() }, RPC_E_CALL_COMPLETE);
        });
        drop(probe);
        host.stop();
        leave();
    });
}

/// An asynchronous server that signals inside Begin_ and looks at its impersonation all the way.
#[com_class(IProbe, ICallFactory)]
struct EarlyServer {
    log: Log,
}

impl IProbe_Impl for EarlyServer_Impl {
    unsafe fn Double(&self, _n: u32, _twice: *mut u32) -> HRESULT {
        unreachable!("SRV-04")
    }
    unsafe fn Label(&self, _n: u32) -> HRESULT {
        unreachable!("SRV-04")
    }
}

impl ICallFactory_Impl for EarlyServer_Impl {
    unsafe fn CreateCall(
        &self,
        _riid: *const GUID,
        outer: *mut c_void,
        riid2: *const GUID,
        ppv: *mut *mut c_void,
    ) -> HRESULT {
        // SAFETY: the stub's pointers are valid.
        unsafe {
            create_aggregated(EarlyCall { log: self.log.clone(), event: AutoInner::default() }, outer, riid2, ppv)
        }
    }
}

#[com_class(AsyncIProbe, auto(ISynchronize = event : CLSID_ManualResetEvent))]
struct EarlyCall {
    log: Log,
    event: AutoInner,
}

impl EarlyCall_Impl {
    fn say(&self, what: &str) {
        let security: IServerSecurity = self.query().expect("SRV-10");
        let here = acts_as_client(&security);
        // SAFETY: no pointers.
        let may = unsafe { CoImpersonateClient() } == S_OK;
        if !here && may {
            // SAFETY: no pointers.
            assert_eq!(unsafe { CoRevertToSelf() }, S_OK);
        }
        self.log.say(format!("{what}: acts {here}, may {may}"));
    }
}

impl AsyncIProbe_Impl for EarlyCall_Impl {
    unsafe fn Begin_Double(&self, n: u32) -> HRESULT {
        let security: IServerSecurity = self.query().expect("SRV-10");
        let sync: ISynchronize = self.query().expect("SRV-11");
        self.say("entered");
        if n == 1 {
            // SAFETY: no pointers.
            assert_eq!(unsafe { security.ImpersonateClient() }, S_OK);
        }
        // SAFETY: no pointers.
        assert_eq!(unsafe { sync.Signal() }, S_OK);
        self.say("signalled");
        S_OK
    }
    unsafe fn Finish_Double(&self, twice: *mut u32) -> HRESULT {
        self.say("finishes");
        // SAFETY: the stub vouches for the pointer.
        unsafe { *twice = 7 };
        S_OK
    }
    unsafe fn Begin_Label(&self, _n: u32) -> HRESULT {
        E_NOTIMPL
    }
    unsafe fn Finish_Label(&self) -> HRESULT {
        E_NOTIMPL
    }
}

#[test]
fn srv_18_after_signal_nobody_begins_to_act_as_the_client() {
    for n in [0, 1] {
        in_process(move || {
            let (host, log) = (Apt::mta(), Log::default());
            let said = log.clone();
            let packet = host.run(move || pack::<IProbe>(&EarlyServer { log: said }.into()));
            enter_sta_and(move || {
                let probe: IProbe = packet.unpack();
                assert_eq!(double(&probe, n), (S_OK, 7));
            });
            let begun_before = n == 1;
            assert_eq!(
                log.lines(),
                [
                    "entered: acts false, may true".to_owned(),
                    // One that was begun before goes on inside Begin_.
                    format!("signalled: acts {begun_before}, may false"),
                    "finishes: acts false, may false".to_owned(),
                ]
            );
            host.stop();
        });
    }
}

fn enter_sta_and(body: impl FnOnce()) {
    enter(Kind::Sta);
    body();
    leave();
}

#[test]
fn srv_18_a_worker_acts_as_the_client_until_it_reverts() {
    each_pair_with(Flavour::Hand, |scene, host| {
        if host.apt.kind != Kind::Mta {
            return;
        }
        let caller = scene.caller();
        assert_eq!(caller.begin(5), S_OK);
        scene.log().pump_for("begun 5");
        let script = scene.script.clone();
        let security = host.apt.run(move || {
            let sync = script.in_hand(5);
            let security: IServerSecurity = sync.cast().expect("SRV-10");
            // SAFETY: no pointers.
            unsafe {
                assert_eq!((security.ImpersonateClient(), acts_as_client(&security)), (S_OK, true));
                assert_eq!((security.RevertToSelf(), acts_as_client(&security)), (S_OK, false));
                assert_eq!(sync.Signal(), S_OK);
                assert_eq!(security.ImpersonateClient(), RPC_E_CALL_COMPLETE);
            }
            Sent(security)
        });
        assert_eq!(caller.finish(), (S_OK, 10));
        // Not earlier: Begin_ may still be on its way back when Signal comes.
        host.apt.run(move || {
            let n = null_mut();
            // SAFETY: each out pointer may be null.
            let asked = unsafe { security.0.QueryBlanket(n, n, null_mut(), n, n, null_mut(), n) };
            assert_eq!(asked, RPC_E_CALL_COMPLETE);
            drop(security);
        });
        host.let_go(5);
    });
}

//! Who keeps an object, and who lets it go, at the same time: every order of a lock, a disconnection, a connection, a handler,
//! a table-weak packet against a release or a call elsewhere (MRSH-09, MRSH-20, MRSH-21, MA-04, RUL-49).
//!
//! Each scenario is explored exhaustively. Nothing is left after any order, and every outcome that the facts allow is
//! reached. The home of the objects is the MTA, where whoever changes something meets whoever changes something else;
//! clients are in STAs of their own.

#[path = "common/explored.rs"]
mod explored;
#[path = "../../core/tests/support/mod.rs"]
mod support;

use explored::*;
use oleander::kernel::Event;
use oleander::object::{Inner, ThreadingModel, class_factory_with, create_aggregated_with, register_in_process_class};
use oleander::windows_core::{BOOL, GUID, HRESULT, IUnknown, IUnknownImpl, Interface};
use oleander::*;
use oleander_sim::Builder;
use std::collections::BTreeSet;
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::{Arc, Mutex};
use support::probe::*;
use support::*;

/// What happened, one word after the other.
#[derive(Clone, Default)]
struct Tale(Arc<Mutex<Vec<String>>>);

impl Tale {
    fn say(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    fn tell(&self) -> String {
        self.0.lock().unwrap().join(" ")
    }

    fn count(&self, what: &str) -> usize {
        self.0.lock().unwrap().iter().filter(|word| *word == what).count()
    }
}

/// Plays a scenario in every order; `body` runs in the MTA. All that it says.
#[track_caller]
fn said(body: impl Fn() -> String + Sync) -> BTreeSet<String> {
    said_under(&Builder::new(), body)
}

#[track_caller]
fn said_under(builder: &Builder, body: impl Fn() -> String + Sync) -> BTreeSet<String> {
    outcomes(builder, || {
        enter(Kind::Mta);
        let outcome = body();
        leave();
        assert_eq!((debug::live_objects(), debug::open_handles()), (0, 0), "after: {outcome}");
        outcome
    })
}

/// A client in an STA of its own.
fn client(body: impl FnOnce() + Send + 'static) -> Thread {
    Thread::start("client", move || {
        enter(Kind::Sta);
        body();
        leave();
    })
}

/// What was said when both have ended, and the object once.
fn outcome(clients: &[Thread; 2], object: &Tale, said: &Tale) -> String {
    clients.iter().for_each(Thread::join);
    assert_eq!(object.tell(), "gone", "once");
    said.tell()
}

fn all(outcomes: &[&str]) -> BTreeSet<String> {
    outcomes.iter().map(|&outcome| outcome.to_owned()).collect()
}

/// An object that says what it is told of its connections, and when it ends.
#[com_class(IProbe, IExternalConnection)]
struct Watched(Tale);

/// The same without IExternalConnection.
#[com_class(IProbe)]
struct Plain(Tale);

macro_rules! probes {
    ($object:ident, $made:ident) => {
        impl IProbe_Impl for $made {
            unsafe fn Double(&self, n: u32, twice: *mut u32) -> HRESULT {
                // SAFETY: the stub vouches for the pointer.
                unsafe { *twice = 2 * n };
                S_OK
            }
            unsafe fn Label(&self, _n: u32) -> HRESULT {
                S_OK
            }
        }
        impl Drop for $object {
            fn drop(&mut self) {
                self.0.say("gone");
            }
        }
    };
}
probes!(Watched, Watched_Impl);
probes!(Plain, Plain_Impl);

impl IExternalConnection_Impl for Watched_Impl {
    unsafe fn AddConnection(&self, _: u32, _: u32) -> u32 {
        self.0.say("add");
        1
    }
    unsafe fn ReleaseConnection(&self, _: u32, _: u32, closes: BOOL) -> u32 {
        self.0.say(if closes.as_bool() { "closes" } else { "leaves" });
        0
    }
}

fn lock_external(raw: *mut c_void, lock: bool) {
    // SAFETY: a live object of this apartment.
    assert_eq!(unsafe { CoLockObjectExternal(raw, lock.into(), true.into()) }, S_OK);
}

fn disconnect(object: &IProbe) {
    // SAFETY: a live object of this apartment.
    assert_eq!(unsafe { CoDisconnectObject(object.as_raw(), 0) }, S_OK);
}

#[test]
fn mrsh_21_a_lock_against_the_last_release() {
    let found = said(|| {
        let tale = Tale::default();
        let object: IProbe = Plain(tale.clone()).into();
        let packet = pack(&object);
        let other = client(move || drop(packet.unpack()));
        lock_external(object.as_raw(), true);
        let raw = object.as_raw();
        drop(object);
        other.join();
        assert_eq!(tale.tell(), "", "the lock holds it alone");
        lock_external(raw, false);
        tale.tell()
    });
    assert_eq!(found, all(&["gone"]));
}

#[test]
fn mrsh_21_ma_27_the_object_hears_of_a_lock_and_a_release() {
    let found = said(|| {
        let tale = Tale::default();
        let object: IProbe = Watched(tale.clone()).into();
        let packet = pack(&object);
        let other = client(move || drop(packet.unpack()));
        lock_external(object.as_raw(), true);
        other.join();
        lock_external(object.as_raw(), false);
        assert_eq!(tale.count("add"), tale.count("closes"), "{}", tale.tell());
        drop(object);
        tale.tell()
    });
    // The lock finds the first connection still there, or makes a second one.
    assert_eq!(found, all(&["add closes gone", "add closes add closes gone"]));
}

/// Two calls of a client while the server disconnects the object.
#[track_caller]
fn disconnected_meanwhile(
    flavour: Flavour,
    calls: impl Fn(&IProbe, &Tale) + Send + Sync + Copy + 'static,
) -> BTreeSet<String> {
    said(move || {
        let script = Script::new();
        let object = new_probe(&script, flavour, Kind::Mta);
        let (packet, said) = (pack(&object), Tale::default());
        let told = said.clone();
        let other = client(move || calls(&packet.unpack(), &told));
        disconnect(&object);
        other.join();
        said.tell()
    })
}

/// An asynchronous server that cuts its clients off when it is asked whether it is one.
#[com_class(IProbe, ICallFactory, guard = asked)]
struct CutsOff(Tale, Script);

probes!(CutsOff, CutsOff_Impl);

impl CutsOff_Impl {
    fn asked(&self, iid: &GUID) -> HRESULT {
        if *iid == ICallFactory::IID {
            disconnect(&self.to_interface());
        }
        S_OK
    }
}

impl ICallFactory_Impl for CutsOff_Impl {
    unsafe fn CreateCall(
        &self,
        _: *const GUID,
        outer: *mut c_void,
        riid2: *const GUID,
        ppv: *mut *mut c_void,
    ) -> HRESULT {
        let call = ProbeCall::new(&self.1, Flavour::Hand, Kind::Mta);
        // SAFETY: the stub's pointers are valid.
        unsafe { object::create_aggregated(call, outer, riid2, ppv) }
    }
}

#[test]
fn mrsh_20_an_object_that_is_cut_off_while_its_first_call_begins_is_held_by_nobody() {
    let found = said(|| {
        let (tale, script) = (Tale::default(), Script::new());
        let object: IProbe = CutsOff(tale.clone(), script.clone()).into();
        let packet = pack(&object);
        drop(object);
        let other = client(move || {
            let caller = Caller::new(&packet.unpack());
            assert_eq!((caller.begin(4), caller.finish()), (S_OK, (S_OK, 8)), "what runs finishes");
        });
        script.log().wait_for("begun 4");
        let meanwhile = tale.tell();
        // SAFETY: a pointer of this apartment.
        assert_eq!(unsafe { script.in_hand(4).Signal() }, S_OK);
        script.let_go(4);
        other.join();
        meanwhile
    });
    assert_eq!(found, all(&["gone"]));
}

/// An asynchronous server that is asked whether it is one until it may go on.
#[com_class(IProbe, ICallFactory, guard = asked)]
struct Hesitates {
    script: Script,
    asked: Arc<Event>,
    goes_on: Arc<Event>,
}

impl Hesitates_Impl {
    fn asked(&self, iid: &GUID) -> HRESULT {
        if *iid == ICallFactory::IID {
            self.asked.set();
            wait(&self.goes_on);
        }
        S_OK
    }
}

impl ICallFactory_Impl for Hesitates_Impl {
    unsafe fn CreateCall(
        &self,
        _: *const GUID,
        outer: *mut c_void,
        riid2: *const GUID,
        ppv: *mut *mut c_void,
    ) -> HRESULT {
        let call = ProbeCall::new(&self.script, Flavour::Hand, Kind::Mta);
        // SAFETY: the stub's pointers are valid.
        unsafe { object::create_aggregated(call, outer, riid2, ppv) }
    }
}

impl IProbe_Impl for Hesitates_Impl {
    unsafe fn Double(&self, _: u32, _: *mut u32) -> HRESULT {
        E_NOTIMPL
    }
    unsafe fn Label(&self, _: u32) -> HRESULT {
        E_NOTIMPL
    }
}

/// Lets another go on with its own end.
#[com_class(IAgileObject)]
struct Lets(Arc<Event>);

impl IAgileObject_Impl for Lets_Impl {}

impl Drop for Lets {
    fn drop(&mut self) {
        self.0.set();
    }
}

unsafe extern "system" fn run_there(data: *mut ComCallData) -> HRESULT {
    // SAFETY: what `in_a_context` gave.
    unsafe { (*(*data).pUserDefined.cast::<&mut dyn FnMut()>())() };
    S_OK
}

/// Runs a test's code in a new context of the calling apartment.
fn in_a_context(mut body: impl FnMut()) {
    let (mut raw, mut body) = (null_mut(), &mut body as &mut dyn FnMut());
    let mut data = ComCallData { dwDispid: 0, dwReserved: 0, pUserDefined: (&raw mut body).cast() };
    // SAFETY: valid arguments, and a function that knows its data.
    unsafe {
        let (class, iid) = (&CLSID_ContextSwitcher, &IContextCallback::IID);
        assert_eq!(CoCreateInstance(class, null_mut(), CLSCTX_INPROC_SERVER, iid, &mut raw), S_OK);
        let context = IContextCallback::from_raw(raw);
        assert_eq!(context.ContextCallback(Some(run_there), &mut data, &IProbe::IID, 5, null_mut()), S_OK);
    }
}

#[test]
fn apt_21_a_call_that_is_about_to_begin_in_a_context_when_its_apartment_ends() {
    let found = said_under(&Builder::new().checks(ENDS_AT_ANY_MOMENT), || {
        let (script, said) = (Script::new(), Tale::default());
        let (asked, goes_on) = (Event::manual(), Event::manual());
        let mut packets = None;
        in_a_context(|| {
            let server = Hesitates { script: script.clone(), asked: asked.clone(), goes_on: goes_on.clone() };
            packets =
                Some((pack(&IProbe::from(server)), pack(&IUnknown::from(IAgileObject::from(Lets(goes_on.clone()))))));
        });
        let (packet, last) = packets.unwrap();
        let told = said.clone();
        let other = client(move || say(&told, double(&packet.unpack(), 4)));
        wait(&asked);
        leave();
        other.join();
        script.let_go(4);
        assert_eq!(last.try_unpack().err(), Some(CO_E_NOTINITIALIZED));
        said.tell()
    });
    assert_eq!(found, all(&["disconnected"]));
}

fn say(told: &Tale, (hr, twice): (HRESULT, u32)) {
    told.say(match hr {
        S_OK => twice.to_string(),
        RPC_E_DISCONNECTED => "disconnected".to_owned(),
        other => format!("{other:?}"),
    });
}

#[test]
fn mrsh_20_a_disconnection_while_synchronous_calls_are_under_way() {
    for flavour in [Flavour::Sync, Flavour::AtOnce] {
        let found = disconnected_meanwhile(flavour, |proxy, told| {
            say(told, double(proxy, 3));
            say(told, double(proxy, 4));
        });
        // What runs finishes; what comes later is refused.
        assert_eq!(found, all(&["6 8", "6 disconnected", "disconnected disconnected"]), "{flavour:?}");
    }
}

#[test]
fn mrsh_20_a_disconnection_while_an_asynchronous_call_is_under_way() {
    for flavour in [Flavour::Sync, Flavour::AtOnce] {
        let found = disconnected_meanwhile(flavour, |proxy, told| {
            let call = Caller::new(proxy);
            match call.begin(3) {
                S_OK => say(told, call.finish()),
                hr => say(told, (hr, 0)),
            }
        });
        assert_eq!(found, all(&["6", "disconnected"]), "{flavour:?}");
    }
}

#[test]
fn ma_04_ma_07_two_connections_end_at_the_same_time() {
    let found = said(|| {
        let tale = Tale::default();
        let object: IProbe = Watched(tale.clone()).into();
        let (here, there) = (pack(&object), pack(&object));
        let other = client(move || drop(there.unpack()));
        assert_eq!(here.unpack(), object);
        other.join();
        assert_eq!(tale.count("add"), 1);
        drop(object);
        tale.tell()
    });
    // Who goes last says whether that closes: a proxy does, unmarshaling at home does not.
    assert_eq!(found, all(&["add closes gone", "add leaves gone"]));
}

#[test]
fn ma_07_a_connection_comes_while_another_goes() {
    let found = said(|| {
        let tale = Tale::default();
        let object: IProbe = Watched(tale.clone()).into();
        let there = pack(&object);
        let other = client(move || drop(there.unpack()));
        // A second packet, for nobody: it goes as it came.
        assert_eq!(pack(&object).unpack(), object);
        other.join();
        drop(object);
        tale.tell()
    });
    for tale in &found {
        let words: Vec<_> = tale.split(' ').collect();
        let (adds, ends) = (words.iter().filter(|it| **it == "add").count(), words.len());
        assert_eq!((ends, words[0], words[ends - 1]), (2 * adds + 1, "add", "gone"), "{tale}");
    }
    for expected in ["add closes gone", "add leaves gone", "add closes add leaves gone"] {
        assert!(found.contains(expected), "{found:?}");
    }
}

#[test]
fn ma_07_every_connection_ends_whoever_lets_the_object_go() {
    let found = said(|| {
        let tale = Tale::default();
        let object: IProbe = Watched(tale.clone()).into();
        let there = pack(&object);
        let other = client(move || drop(there.unpack()));
        // A second one, which may end while a worker is about to let the object go for the first one's sake.
        let again = pack(&object);
        let another = client(move || drop(again.unpack()));
        other.join();
        another.join();
        let (adds, ends) = (tale.count("add"), tale.count("closes") + tale.count("leaves"));
        assert_eq!(adds, ends, "{}", tale.tell());
        drop(object);
        format!("{adds}")
    });
    assert_eq!(found, all(&["1", "2"]));
}

/// A normal packet in a stream.
fn in_stream(object: &IProbe) -> IStream {
    try_in_stream(object).unwrap()
}

fn try_in_stream(object: &IProbe) -> Result<IStream, HRESULT> {
    let mut raw = null_mut();
    // SAFETY: valid arguments; the result is a counted pointer.
    unsafe {
        match CoMarshalInterThreadInterfaceInStream(&IProbe::IID, object.as_raw(), &mut raw) {
            S_OK => Ok(IStream::from_raw(raw)),
            hr => Err(hr),
        }
    }
}

/// A table-weak packet in a stream that both sides may read.
fn weak_packet(object: &IProbe) -> Sent<IStream> {
    let mut raw = null_mut();
    // SAFETY: valid arguments.
    unsafe {
        assert_eq!(CreateStreamOnHGlobal(HANDLE::NULL, true.into(), &mut raw), S_OK);
        let stream = IStream::from_raw(raw);
        let weak = MSHLFLAGS_TABLEWEAK;
        let hr = CoMarshalInterface(raw, &IProbe::IID, object.as_raw(), MSHCTX_INPROC, null_mut(), weak);
        assert_eq!((hr, stream.Seek(0, STREAM_SEEK_SET, null_mut())), (S_OK, S_OK));
        Sent(stream)
    }
}

fn unmarshal(stream: &IStream) -> Result<IProbe, HRESULT> {
    let mut raw = null_mut();
    // SAFETY: valid arguments; the result is a counted pointer.
    unsafe {
        match CoUnmarshalInterface(stream.as_raw(), &IProbe::IID, &mut raw) {
            S_OK => Ok(IProbe::from_raw(raw)),
            hr => Err(hr),
        }
    }
}

#[test]
fn mrsh_09_a_weak_packet_against_the_last_release() {
    let found = said(|| {
        let (tale, said) = (Tale::default(), Tale::default());
        let object: IProbe = Plain(tale.clone()).into();
        let (packet, weak) = (pack(&object), weak_packet(&object));
        drop(object);
        let (ended, told) = (tale.clone(), said.clone());
        let first = client(move || drop(packet.unpack()));
        let second = client(move || match unmarshal(&weak.take()) {
            Ok(proxy) => {
                assert_eq!((double(&proxy, 4), ended.tell().as_str()), ((S_OK, 8), ""), "it is held");
                drop(proxy);
                told.say("held");
            }
            Err(hr) => {
                assert_eq!(hr, CO_E_OBJNOTREG);
                told.say("late");
            }
        });
        outcome(&[first, second], &tale, &said)
    });
    assert_eq!(found, all(&["held", "late"]));
}

#[test]
fn mrsh_08_mrsh_18_a_proxy_that_keeps_nothing_is_marshaled_while_the_last_one_goes() {
    let found = said(|| {
        let (tale, said) = (Tale::default(), Tale::default());
        let object: IProbe = Plain(tale.clone()).into();
        // Of another interface: packets of one have their references in common.
        let (packet, spent) = (pack(&object.cast::<IUnknown>().unwrap()), in_stream(&object));
        // SAFETY: a stream with a packet, at its start.
        unsafe {
            assert_eq!(CoReleaseMarshalData(spent.as_raw()), S_OK);
            assert_eq!(spent.Seek(0, STREAM_SEEK_SET, null_mut()), S_OK);
        }
        drop(object);
        let (spent, told, ended) = (Sent(spent), said.clone(), tale.clone());
        let first = client(move || drop(packet.unpack()));
        let second = client(move || {
            let Ok(proxy) = unmarshal(&spent.take()) else { return told.say("late") };
            match try_in_stream(&proxy) {
                Ok(stream) => {
                    drop(proxy);
                    assert_eq!(ended.tell(), "", "the packet holds it");
                    // SAFETY: a stream with a packet, at its start.
                    assert_eq!(unsafe { CoReleaseMarshalData(stream.as_raw()) }, S_OK);
                    told.say("held");
                }
                Err(hr) => {
                    assert_eq!(hr, CO_E_OBJNOTCONNECTED);
                    told.say("late");
                }
            }
        });
        outcome(&[first, second], &tale, &said)
    });
    assert_eq!(found, all(&["held", "late"]));
}

fn table() -> IGlobalInterfaceTable {
    let mut raw = null_mut();
    let (clsid, iid) = (&CLSID_StdGlobalInterfaceTable, &IGlobalInterfaceTable::IID);
    // SAFETY: valid arguments; a counted pointer comes back.
    unsafe {
        assert_eq!(CoCreateInstance(clsid, null_mut(), CLSCTX_INPROC_SERVER, iid, &mut raw), S_OK);
        IGlobalInterfaceTable::from_raw(raw)
    }
}

#[test]
fn mrsh_25_a_cookie_is_good_or_it_is_not() {
    let found = said(|| {
        let (tale, said) = (Tale::default(), Tale::default());
        let (object, mut cookie) = (IProbe::from(Plain(tale.clone())), 0);
        // SAFETY: a live object, and a place of our own.
        assert_eq!(unsafe { table().RegisterInterfaceInGlobal(object.as_raw(), &IProbe::IID, &mut cookie) }, S_OK);
        drop(object);
        let told = said.clone();
        let getter = client(move || {
            let mut raw = null_mut();
            // SAFETY: valid arguments.
            match unsafe { table().GetInterfaceFromGlobal(cookie, &IProbe::IID, &mut raw) } {
                // SAFETY: a counted pointer.
                S_OK => drop((told.say("got"), unsafe { IProbe::from_raw(raw) })),
                hr => told.say(format!("{hr:?}")),
            }
        });
        // SAFETY: a cookie is a number.
        let other = client(move || assert_eq!(unsafe { table().RevokeInterfaceFromGlobal(cookie) }, S_OK));
        outcome(&[getter, other], &tale, &said)
    });
    assert_eq!(found, all(&["got", &format!("{E_INVALIDARG:?}")]));
}

const CLSID_HANDLER: GUID = GUID::from_u128(0x5b0e6a10_3c1d_4a5e_9a77_6f6c65616e77);

/// An interface of the handler's own.
#[interface("5b0e6a10-3c1d-4a5e-9a77-6f6c65616e78")]
unsafe trait ILocal: IUnknown {
    /// Twice four, by way of the server.
    fn Eight(&self, twice: *mut u32) -> HRESULT;
}

#[com_class(ILocal, blind = proxies)]
struct Handler {
    proxies: Inner,
    tale: Tale,
}

impl ILocal_Impl for Handler_Impl {
    unsafe fn Eight(&self, twice: *mut u32) -> HRESULT {
        // SAFETY: the caller's pointer; the proxies live as long as this object.
        unsafe { self.proxies.cached::<IProbe>().map_or_else(|error| error.code(), |proxy| proxy.Double(4, twice)) }
    }
}

impl Drop for Handler {
    fn drop(&mut self) {
        self.tale.say("unmade");
    }
}

fn register_handler(tale: &Tale) {
    let tale = tale.clone();
    let make = move || {
        let tale = tale.clone();
        class_factory_with(move |outer, iid, out| {
            tale.say("made");
            let handler = Handler { proxies: Inner::new(), tale: tale.clone() };
            // SAFETY: the caller's pointers; the inner object is one of the identity's.
            unsafe {
                create_aggregated_with(handler, outer, iid, out, |handler| {
                    let proxies = |outer, _, out| CoGetStdMarshalEx(outer, SMEXF_HANDLER, out);
                    let made = handler.aggregate(&handler.proxies, proxies);
                    made.map_or_else(|error| error.code(), |()| S_OK)
                })
            }
        })
    };
    register_in_process_class(&CLSID_HANDLER, make, ThreadingModel::Both, 0);
}

/// An object with a handler.
#[com_class(IProbe, IStdMarshalInfo)]
struct Handled(Tale);

probes!(Handled, Handled_Impl);

impl IStdMarshalInfo_Impl for Handled_Impl {
    unsafe fn GetClassForHandler(&self, _: u32, _: *mut c_void, class: *mut GUID) -> HRESULT {
        // SAFETY: the caller's pointer is valid.
        unsafe { *class = CLSID_HANDLER };
        S_OK
    }
}

/// A packet for another process, which names the handler.
fn pack_far(object: &IProbe) -> Sent<IStream> {
    let mut raw = null_mut();
    // SAFETY: valid arguments.
    unsafe {
        assert_eq!(CreateStreamOnHGlobal(HANDLE::NULL, true.into(), &mut raw), S_OK);
        let stream = IStream::from_raw(raw);
        let hr = CoMarshalInterface(raw, &IProbe::IID, object.as_raw(), MSHCTX_LOCAL, null_mut(), MSHLFLAGS_NORMAL);
        assert_eq!((hr, stream.Seek(0, STREAM_SEEK_SET, null_mut())), (S_OK, S_OK));
        Sent(stream)
    }
}

fn eight(proxy: &IProbe) -> (HRESULT, u32) {
    let (local, mut twice) = (proxy.cast::<ILocal>().expect("the handler's"), 0);
    // SAFETY: a valid pointer.
    (unsafe { local.Eight(&mut twice) }, twice)
}

#[test]
fn rul_49_two_threads_of_the_mta_make_one_identity_with_one_handler() {
    let found = said(|| {
        let tale = Tale::default();
        register_handler(&tale);
        let home = Apt::sta();
        let (there, counted) = (tale.clone(), Tale::default());
        let packets = home.run(move || {
            let object: IProbe = Handled(there).into();
            [pack_far(&object), pack_far(&object)]
        });
        let [mine, other] = packets;
        let told = counted.clone();
        let thread = Thread::start("client", move || {
            enter(Kind::Mta);
            let proxy = unmarshal(&other.take()).unwrap();
            assert_eq!(eight(&proxy), (S_OK, 8));
            told.say("used");
            drop(proxy);
            leave();
        });
        let proxy = unmarshal(&mine.take()).unwrap();
        assert_eq!(eight(&proxy), (S_OK, 8));
        thread.join();
        drop(proxy);
        home.stop();
        assert_eq!((counted.count("used"), tale.count("gone")), (1, 1));
        assert_eq!(tale.count("made"), tale.count("unmade"));
        format!("made {}", tale.count("made"))
    });
    assert_eq!(found, all(&["made 1", "made 2"]), "one of two has to go, or one comes after the other");
}

#[test]
fn rul_49_mrsh_20_a_handler_is_made_while_the_object_is_cut_off() {
    let found = said(|| {
        let tale = Tale::default();
        register_handler(&tale);
        let object: IProbe = Handled(tale.clone()).into();
        let (packet, said) = (pack_far(&object), Tale::default());
        let told = said.clone();
        let other = client(move || {
            let proxy = unmarshal(&packet.take());
            say(&told, proxy.map_or_else(|hr| (hr, 0), |proxy| eight(&proxy)));
        });
        disconnect(&object);
        other.join();
        assert_eq!((tale.count("made"), tale.count("unmade")), (1, 1));
        said.tell()
    });
    assert_eq!(found, all(&["8", "disconnected"]));
}

#[test]
fn mrsh_08_who_finds_the_stub_that_another_thread_makes_can_be_called() {
    let found = said(|| {
        let tale = Tale::default();
        let object: IProbe = Plain(tale.clone()).into();
        let shared = Sent(object.clone());
        let other = Thread::start("other", move || {
            enter(Kind::Mta);
            let object = shared.take();
            let packet = pack(&object);
            drop(object);
            leave();
            enter(Kind::Sta);
            let proxy = packet.unpack();
            // SAFETY: a proxy of this apartment.
            assert_eq!(unsafe { proxy.Label(1) }, S_OK);
            drop(proxy);
            leave();
        });
        drop(pack(&object).unpack());
        drop(object);
        other.join();
        tale.tell()
    });
    assert_eq!(found, all(&["gone"]));
}

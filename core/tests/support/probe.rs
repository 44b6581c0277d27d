//! The interface that the tests call, its servers, synchronous and asynchronous, and the client's side of a call.

use super::{Apt, Kind, Log, Packet, Sent, Thread, enter, in_process, leave, lock, pack, wait};
use oleander::kernel::Event;
use oleander::object::AutoInner;
use oleander::windows_core::{ComObject, GUID, HRESULT, IUnknown, Interface};
use oleander::*;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ffi::c_void;
use std::sync::{Arc, Mutex};

#[async_interface(uuid = "5b0e6a10-3c1d-4a5e-9a77-6f6c65616e01", async_uuid = "5b0e6a10-3c1d-4a5e-9a77-6f6c65616e02")]
pub unsafe trait IProbe: IUnknown {
    /// Twice `n`.
    fn Double(&self, #[idl(in)] n: u32, #[idl(out)] twice: *mut u32) -> HRESULT;
    /// Nothing but a line in the log.
    fn Label(&self, #[idl(in)] n: u32) -> HRESULT;
}

/// What a server does with the calls that it gets; shared by the test and the server.
#[derive(Clone, Default)]
pub struct Script(Arc<ScriptState>);

#[derive(Default)]
struct ScriptState {
    log: Log,
    gates: Mutex<BTreeMap<u32, Arc<Event>>>,
    results: Mutex<BTreeMap<u32, HRESULT>>,
    /// Calls that a worker of the test's own has: to be signalled by hand.
    in_hand: Mutex<BTreeMap<u32, Sent<ISynchronize>>>,
    workers: Mutex<Vec<Thread>>,
}

impl Script {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn log(&self) -> &Log {
        &self.0.log
    }

    /// The call with this number stays in the server until the gate is set.
    pub fn hold(&self, n: u32) -> Arc<Event> {
        let gate = Event::manual();
        lock(&self.0.gates).insert(n, gate.clone());
        gate
    }

    /// The call with this number has this result.
    pub fn result(&self, n: u32, hr: HRESULT) {
        lock(&self.0.results).insert(n, hr);
    }

    fn pass(&self, n: u32) {
        let gate = lock(&self.0.gates).get(&n).cloned();
        if let Some(gate) = gate {
            wait(&gate);
        }
    }

    fn hr(&self, n: u32) -> HRESULT {
        lock(&self.0.results).get(&n).copied().unwrap_or(S_OK)
    }

    /// The ISynchronize of a call that is in the test's hand: in the server's apartment only.
    #[track_caller]
    pub fn in_hand(&self, n: u32) -> ISynchronize {
        lock(&self.0.in_hand).get(&n).expect("the call is begun").0.clone()
    }

    /// Lets the ISynchronize of a call go, in the server's apartment.
    pub fn let_go(&self, n: u32) {
        let gone = lock(&self.0.in_hand).remove(&n);
        drop(gone);
    }

    pub fn join_workers(&self) {
        let workers = std::mem::take(&mut *lock(&self.0.workers));
        for worker in workers {
            worker.join();
        }
    }
}

/// How calls are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// By the synchronous method.
    Sync,
    /// By a call object that signals inside Begin_.
    AtOnce,
    /// By a call object whose worker signals when the gate of the call opens.
    Worker,
    /// By a call object that the test signals.
    Hand,
}

/// The synchronous server.
#[com_class(IProbe)]
pub struct Probe {
    script: Script,
}

fn say_where(script: &Script, what: &str, n: u32) {
    script.log().say(format!("{what} {n}"));
}

/// The synchronous method, of both servers.
fn serve(script: &Script, n: u32) -> HRESULT {
    say_where(script, "enter", n);
    script.pass(n);
    if n == PANICS {
        panic!("a method that panics");
    }
    if n == POLLS {
        // As the article's server does, between two numbers.
        // SAFETY: no pointers.
        while unsafe { CoTestCancel() } == RPC_S_CALLPENDING {
            std::thread::yield_now();
        }
        script.log().say("saw the cancel");
        script.pass(AFTER_POLL);
    }
    // SAFETY: no pointers.
    let cancelled = unsafe { CoTestCancel() };
    script.log().say(format!("{} {n}", if cancelled == RPC_E_CALL_CANCELED { "cancelled" } else { "done" }));
    script.hr(n)
}

/// A call with this number panics in its method or in Begin_; the next ones in Finish_ and in the worker.
pub const PANICS: u32 = 1_000_001;
pub const FINISH_PANICS: u32 = 1_000_002;
pub const WORKER_PANICS: u32 = 1_000_003;
/// A call with this number polls until it is cancelled, and then waits at the gate of the next number.
pub const POLLS: u32 = 1_000_005;
pub const AFTER_POLL: u32 = 1_000_006;
/// A call with this number is refused by Begin_ with its result.
pub const BEGIN_FAILS: u32 = 1_000_004;

impl IProbe_Impl for Probe_Impl {
    unsafe fn Double(&self, n: u32, twice: *mut u32) -> HRESULT {
        // SAFETY: the stub vouches for the pointer.
        unsafe { *twice = 2 * n };
        serve(&self.script, n)
    }
    unsafe fn Label(&self, n: u32) -> HRESULT {
        serve(&self.script, n)
    }
}

/// The asynchronous server.
#[com_class(IProbe, ICallFactory)]
pub struct AsyncProbe {
    script: Script,
    flavour: Flavour,
    kind: Kind,
}

impl IProbe_Impl for AsyncProbe_Impl {
    unsafe fn Double(&self, n: u32, twice: *mut u32) -> HRESULT {
        self.script.log().say(format!("synchronous {n}"));
        // SAFETY: the stub vouches for the pointer.
        unsafe { *twice = 2 * n };
        serve(&self.script, n)
    }
    unsafe fn Label(&self, n: u32) -> HRESULT {
        self.script.log().say(format!("synchronous {n}"));
        serve(&self.script, n)
    }
}

impl ICallFactory_Impl for AsyncProbe_Impl {
    unsafe fn CreateCall(
        &self,
        riid: *const GUID,
        outer: *mut c_void,
        riid2: *const GUID,
        ppv: *mut *mut c_void,
    ) -> HRESULT {
        self.script.log().say("CreateCall");
        // SAFETY: the stub's pointers are valid.
        unsafe {
            if *riid != AsyncIProbe::IID {
                return E_NOINTERFACE;
            }
            object::create_aggregated(ProbeCall::new(&self.script, self.flavour, self.kind), outer, riid2, ppv)
        }
    }
}

/// The server's call object, as the article writes it: its ISynchronize is a system event, used when it is not
/// aggregated.
#[com_class(AsyncIProbe, auto(ISynchronize = event : CLSID_ManualResetEvent))]
pub struct ProbeCall {
    script: Script,
    flavour: Flavour,
    kind: Kind,
    event: AutoInner,
    /// The call that is begun.
    n: Cell<Option<u32>>,
    worker: RefCell<Option<Thread>>,
}

impl ProbeCall {
    pub fn new(script: &Script, flavour: Flavour, kind: Kind) -> Self {
        Self {
            script: script.clone(),
            flavour,
            kind,
            event: AutoInner::default(),
            n: Cell::new(None),
            worker: RefCell::default(),
        }
    }
}

impl ProbeCall_Impl {
    fn begin(&self, n: u32) -> HRESULT {
        if self.n.get().is_some() {
            return RPC_S_CALLPENDING;
        }
        say_where(&self.script, "begin", n);
        match n {
            PANICS => panic!("a Begin_ that panics"),
            BEGIN_FAILS => return self.script.hr(n),
            _ => {}
        }
        self.n.set(Some(n));
        let sync = self.query::<ISynchronize>().expect("through the outer object");
        match self.flavour {
            Flavour::Sync => unreachable!("a synchronous server makes no call object"),
            // SAFETY: a live object of this apartment.
            Flavour::AtOnce => assert_eq!(unsafe { sync.Signal() }, S_OK),
            Flavour::Hand => {
                let before = lock(&self.script.0.in_hand).insert(n, Sent(sync));
                drop(before);
            }
            Flavour::Worker => self.start_worker(n, &sync),
        }
        say_where(&self.script, "begun", n);
        S_OK
    }

    /// The worker is in the MTA; a call object of an STA reaches it marshaled.
    fn start_worker(&self, n: u32, sync: &ISynchronize) {
        let script = self.script.clone();
        let pointer: Box<dyn FnOnce() -> Result<ISynchronize, HRESULT> + Send> = match self.kind {
            Kind::Mta => {
                let sync = Sent(sync.clone());
                Box::new(move || Ok(sync.take()))
            }
            Kind::Sta => {
                let packet = pack(sync);
                Box::new(move || packet.try_unpack())
            }
        };
        let worker = Thread::start("worker", move || {
            enter(Kind::Mta);
            // The server's apartment may have ended.
            if let Ok(sync) = pointer() {
                script.pass(n);
                if n == WORKER_PANICS {
                    script.log().say("the worker gives up");
                } else {
                    // SAFETY: a pointer of this apartment.
                    let hr = unsafe { sync.Signal() };
                    script.log().say(format!("signalled {n}: {hr:?}"));
                }
            }
            leave();
        });
        lock(&self.script.0.workers).push(worker);
    }

    fn finish(&self) -> Result<(u32, HRESULT), HRESULT> {
        let Some(n) = self.n.take() else { return Err(RPC_E_CALL_COMPLETE) };
        let sync = self.query::<ISynchronize>().expect("through the outer object");
        // SAFETY: a live object of this apartment. It waits on an unaggregated call object only; else it is set.
        let waited = unsafe { sync.Wait(COWAIT_DEFAULT, INFINITE) };
        assert_eq!(waited, S_OK);
        say_where(&self.script, "finish", n);
        if let Ok(cancel) = self.query::<ICancelMethodCalls>() {
            // SAFETY: a live object of this apartment.
            let seen = unsafe { cancel.TestCancel() };
            assert!(matches!(seen, RPC_S_CALLPENDING | RPC_E_CALL_CANCELED), "CXL-22: it is not complete yet");
        }
        assert!(n != FINISH_PANICS, "a Finish_ that panics");
        Ok((n, self.script.hr(n)))
    }
}

impl AsyncIProbe_Impl for ProbeCall_Impl {
    unsafe fn Begin_Double(&self, n: u32) -> HRESULT {
        self.begin(n)
    }
    unsafe fn Finish_Double(&self, twice: *mut u32) -> HRESULT {
        match self.finish() {
            Ok((n, hr)) => {
                // SAFETY: the stub vouches for the pointer.
                unsafe { *twice = 2 * n };
                hr
            }
            Err(hr) => hr,
        }
    }
    unsafe fn Begin_Label(&self, n: u32) -> HRESULT {
        self.begin(n)
    }
    unsafe fn Finish_Label(&self) -> HRESULT {
        self.finish().map_or_else(|hr| hr, |(_, hr)| hr)
    }
}

/// An object that runs a test's own code.
#[com_class(IProbe)]
pub struct Does(pub Box<dyn Fn(u32) -> HRESULT>);

impl Does {
    pub fn probe(f: impl Fn(u32) -> HRESULT + 'static) -> IProbe {
        Self(Box::new(f)).into()
    }
}

impl IProbe_Impl for Does_Impl {
    unsafe fn Double(&self, n: u32, twice: *mut u32) -> HRESULT {
        // SAFETY: the stub vouches for the pointer.
        unsafe { *twice = 2 * n };
        (self.0)(n)
    }
    unsafe fn Label(&self, n: u32) -> HRESULT {
        (self.0)(n)
    }
}

/// A new server object of the current apartment.
pub fn new_probe(script: &Script, flavour: Flavour, kind: Kind) -> IProbe {
    match flavour {
        Flavour::Sync => ComObject::new(Probe { script: script.clone() }).into_interface(),
        _ => ComObject::new(AsyncProbe { script: script.clone(), flavour, kind }).into_interface(),
    }
}

/// A server in an apartment of its own.
pub struct Server {
    pub apt: Apt,
    pub script: Script,
    object: Sent<IProbe>,
}

impl Server {
    pub fn start(kind: Kind, flavour: Flavour) -> Self {
        let (apt, script) = (Apt::start(kind), Script::new());
        let object = apt.run({
            let script = script.clone();
            move || Sent(new_probe(&script, flavour, kind))
        });
        Self { apt, script, object }
    }

    /// A pointer to the object, for another apartment.
    pub fn packet(&self) -> Packet<IProbe> {
        let raw = Sent(self.object.0.as_raw());
        self.apt.run(move || {
            let raw = raw.take();
            // SAFETY: the object is alive as long as the server, and this is its apartment.
            pack(unsafe { IProbe::from_raw_borrowed(&raw) }.expect("not null"))
        })
    }

    /// Signals a call that is in the test's hand, in the server's apartment.
    pub fn signal(&self, n: u32) -> HRESULT {
        let script = self.script.clone();
        // SAFETY: a live object of this apartment.
        self.apt.run(move || unsafe { script.in_hand(n).Signal() })
    }

    /// Lets the ISynchronize of a call in the test's hand go.
    pub fn let_go(&self, n: u32) {
        let script = self.script.clone();
        self.apt.run(move || script.let_go(n));
    }

    /// Ends the server: its object, and its apartment.
    #[track_caller]
    pub fn stop(self) {
        self.script.join_workers();
        let object = self.object;
        self.apt.run(move || drop(object));
        self.apt.stop();
        // Those of calls that began in the meantime.
        self.script.join_workers();
    }
}

/// One call object with the interfaces that clients use.
#[derive(Clone)]
pub struct Caller {
    pub call: AsyncIProbe,
    pub sync: ISynchronize,
    pub cancel: ICancelMethodCalls,
}

/// Asks an object for a call object.
pub fn create_call(object: &impl Interface, outer: *mut c_void, riid2: &GUID) -> (HRESULT, *mut c_void) {
    let mut raw = std::ptr::dangling_mut();
    let factory = object.cast::<ICallFactory>().expect("every proxy has a call factory");
    // SAFETY: valid arguments; the outer is null or the caller's.
    let hr = unsafe { factory.CreateCall(&AsyncIProbe::IID, outer, riid2, &mut raw) };
    (hr, raw)
}

impl Caller {
    #[track_caller]
    pub fn new(object: &impl Interface) -> Self {
        let (hr, raw) = create_call(object, std::ptr::null_mut(), &AsyncIProbe::IID);
        assert_eq!(hr, S_OK);
        // SAFETY: a counted pointer of that interface.
        Self::of(unsafe { AsyncIProbe::from_raw(raw) })
    }

    #[track_caller]
    pub fn of(call: AsyncIProbe) -> Self {
        let (sync, cancel) = (call.cast().expect("CALL-10"), call.cast().expect("CALL-10"));
        Self { call, sync, cancel }
    }

    pub fn begin(&self, n: u32) -> HRESULT {
        // SAFETY: no pointers.
        unsafe { self.call.Begin_Double(n) }
    }

    pub fn finish(&self) -> (HRESULT, u32) {
        let mut twice = 0xdead;
        // SAFETY: the pointer is valid.
        let hr = unsafe { self.call.Finish_Double(&mut twice) };
        (hr, twice)
    }

    pub fn begin_label(&self, n: u32) -> HRESULT {
        // SAFETY: no pointers.
        unsafe { self.call.Begin_Label(n) }
    }

    pub fn finish_label(&self) -> HRESULT {
        // SAFETY: no pointers.
        unsafe { self.call.Finish_Label() }
    }

    /// Waits on the call object; for ever when `ms` is `INFINITE`.
    pub fn wait(&self, ms: u32) -> HRESULT {
        // SAFETY: no pointers.
        unsafe { self.sync.Wait(COWAIT_DEFAULT, ms) }
    }

    pub fn cancel(&self, seconds: u32) -> HRESULT {
        // SAFETY: no pointers.
        unsafe { self.cancel.Cancel(seconds) }
    }

    pub fn test(&self) -> HRESULT {
        // SAFETY: no pointers.
        unsafe { self.cancel.TestCancel() }
    }
}

/// The synchronous method.
pub fn double(probe: &IProbe, n: u32) -> (HRESULT, u32) {
    let mut twice = 0xdead;
    // SAFETY: the pointer is valid.
    let hr = unsafe { probe.Double(n, &mut twice) };
    (hr, twice)
}

/// A client in its apartment, with a proxy for a server in another one.
pub struct Scene {
    pub client: Kind,
    pub server: Kind,
    pub probe: IProbe,
    pub script: Script,
}

impl Scene {
    pub fn log(&self) -> &Log {
        self.script.log()
    }

    #[track_caller]
    pub fn caller(&self) -> Caller {
        Caller::new(&self.probe)
    }
}

/// Plays a scene in a process of its own.
#[track_caller]
pub fn scene(client: Kind, server: Kind, flavour: Flavour, body: impl FnOnce(&Scene) + Send + 'static) {
    scene_with(client, server, flavour, |scene, _| body(scene));
}

/// The same, with the server at hand.
#[track_caller]
pub fn scene_with(client: Kind, server: Kind, flavour: Flavour, body: impl FnOnce(&Scene, &Server) + Send + 'static) {
    in_process(move || in_scene(client, server, flavour, body));
}

/// The same, in the process that is there.
#[track_caller]
pub fn in_scene(client: Kind, server: Kind, flavour: Flavour, body: impl FnOnce(&Scene, &Server) + Send + 'static) {
    let host = Server::start(server, flavour);
    let apt = Apt::start(client);
    let (packet, script) = (host.packet(), host.script.clone());
    let host = apt.run(move || {
        let probe = packet.unpack();
        body(&Scene { client, server, probe, script }, &host);
        host
    });
    host.stop();
    apt.stop();
}

/// The pairs of apartments between which there is a proxy.
pub const PAIRS: [(Kind, Kind); 3] = [(Kind::Mta, Kind::Sta), (Kind::Sta, Kind::Sta), (Kind::Sta, Kind::Mta)];

/// Plays a scene with every pair of apartments between which there is a proxy.
#[track_caller]
pub fn each_pair(flavour: Flavour, body: impl Fn(&Scene) + Send + Sync + 'static) {
    each_pair_with(flavour, move |scene, _| body(scene));
}

/// The same, with the server at hand.
#[track_caller]
pub fn each_pair_with(flavour: Flavour, body: impl Fn(&Scene, &Server) + Send + Sync + 'static) {
    let body = Arc::new(body);
    for (client, server) in PAIRS {
        let body = body.clone();
        scene_with(client, server, flavour, move |scene, host| body(scene, host));
    }
}

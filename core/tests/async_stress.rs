//! Asynchronous servers and outer objects under the same storm as `teardown_stress.rs`: Signals that come at once, from
//! workers in other apartments, too late, or never; clients that wait, cancel, abandon; apartments that end under both.

#![allow(clippy::undocumented_unsafe_blocks, reason = "tests call COM by its rules, as its users do")]

#[path = "common/rooms.rs"]
mod rooms;

use oleander::object::{AutoInner, Inner};
use oleander::windows_core::{ComObject, GUID, HRESULT, IUnknown, Interface};
use oleander::*;
use rooms::*;
use std::cell::Cell;
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Works in one of the ways below.
#[async_interface(uuid = "5a1e7c90-3b41-4c0f-8d59-1f0c66c6b011", async_uuid = "5a1e7c90-3b41-4c0f-8d59-1f0c66c6b012")]
pub unsafe trait IWork: IUnknown {
    /// Twice the number.
    fn Work(&self, #[idl(in)] how: u32, #[idl(out)] twice: *mut u32) -> HRESULT;
}

const AT_ONCE: u32 = 0;
const BY_A_WORKER: u32 = 1;
const NEVER: u32 = 2;
const FAILS: u32 = 3;
const PANICS: u32 = 4;
const WAYS: u32 = 5;

#[com_class(IWork, ICallFactory)]
struct Server;

impl IWork_Impl for Server_Impl {
    unsafe fn Work(&self, how: u32, _: *mut u32) -> HRESULT {
        unreachable!("served asynchronously: {how}")
    }
}

impl ICallFactory_Impl for Server_Impl {
    unsafe fn CreateCall(
        &self,
        _: *const GUID,
        outer: *mut c_void,
        iid: *const GUID,
        out: *mut *mut c_void,
    ) -> HRESULT {
        let call = WorkCall { event: AutoInner::default(), how: Cell::new(None) };
        unsafe { object::create_aggregated(call, outer, iid, out) }
    }
}

#[com_class(AsyncIWork, auto(ISynchronize = event : CLSID_ManualResetEvent))]
struct WorkCall {
    event: AutoInner,
    how: Cell<Option<u32>>,
}

impl AsyncIWork_Impl for WorkCall_Impl {
    unsafe fn Begin_Work(&self, how: u32) -> HRESULT {
        match how {
            FAILS => return E_ABORT,
            PANICS => panic!("as told"),
            _ => assert_eq!(self.how.replace(Some(how)), None, "one call at a time (SRV-15)"),
        }
        let sync: ISynchronize = self.query().expect("through the outer object");
        match how {
            AT_ONCE => assert_eq!(unsafe { sync.Signal() }, S_OK),
            BY_A_WORKER => {
                let packet = pack(&sync);
                kernel::spawn("worker", true, move || unsafe {
                    assert_eq!(CoInitializeEx(null_mut(), COINIT_MULTITHREADED), S_OK);
                    match try_unpack::<ISynchronize>(packet) {
                        Ok(sync) => fair(sync.Signal(), "Signal of a worker"),
                        Err(hr) => fair(hr, "unmarshal in a worker"),
                    }
                    CoUninitialize();
                });
            }
            _ => {}
        }
        S_OK
    }
    unsafe fn Finish_Work(&self, twice: *mut u32) -> HRESULT {
        let how = self.how.take().expect("after Begin_");
        unsafe { *twice = 2 * how };
        S_OK
    }
}

/// Hears of the completion, and counts that.
#[com_class(ISynchronize, blind = inner)]
struct Notify {
    inner: Inner,
    heard: Arc<AtomicU32>,
}

impl Notify_Impl {
    fn inner(&self) -> windows_core::InterfaceRef<'_, ISynchronize> {
        self.inner.cached().expect("the inner object has it")
    }
}

impl ISynchronize_Impl for Notify_Impl {
    unsafe fn Wait(&self, flags: u32, ms: u32) -> HRESULT {
        unsafe { self.inner().Wait(flags, ms) }
    }
    unsafe fn Signal(&self) -> HRESULT {
        self.heard.fetch_add(1, Ordering::SeqCst);
        unsafe { self.inner().Signal() }
    }
    unsafe fn Reset(&self) -> HRESULT {
        unsafe { self.inner().Reset() }
    }
}

/// A linear congruential generator: enough to choose among actions.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }
}

/// What a call may say while everything may end at any moment.
fn fair(hr: HRESULT, what: &str) {
    let fair =
        [S_OK, RPC_E_DISCONNECTED, RPC_S_UNKNOWN_IF_HR, CO_E_OBJNOTCONNECTED, CO_E_OBJNOTREG, RPC_S_CALL_CANCELLED_HR];
    assert!(fair.contains(&hr), "{what}: {hr}");
}

fn fair_result(how: u32, hr: HRESULT, what: &str) {
    match how {
        FAILS if hr == E_ABORT => {}
        PANICS if hr == RPC_E_SERVERFAULT => {}
        _ => fair(hr, what),
    }
}

/// A call object, with an outer one or without.
fn call_of(work: &IWork, outer: Option<&Arc<AtomicU32>>) -> Option<AsyncIWork> {
    let calls: ICallFactory = query(work).ok()?;
    let iid = &AsyncIWork::IID;
    let mut raw = null_mut();
    unsafe {
        let Some(heard) = outer else {
            let hr = calls.CreateCall(iid, null_mut(), iid, &mut raw);
            fair(hr, "CreateCall");
            return (hr == S_OK).then(|| AsyncIWork::from_raw(raw));
        };
        let outer = ComObject::new(Notify { inner: Inner::new(), heard: heard.clone() });
        let made = outer.aggregate(&outer.inner, |outer, iid2, out| calls.CreateCall(iid, outer, iid2, out));
        match made {
            Ok(()) => query(&outer.to_interface::<IUnknown>()).ok(),
            Err(error) => {
                fair(error.code(), "CreateCall with an outer object");
                None
            }
        }
    }
}

fn act(work: &IWork, random: &mut Random, begun: &mut Vec<(u32, AsyncIWork)>, heard: &Arc<AtomicU32>) {
    let (how, mut twice) = (random.below(WAYS as usize) as u32, 0);
    unsafe {
        match random.below(4) {
            0 if how != NEVER => fair_result(how, work.Work(how, &mut twice), "a synchronous call"),
            1 => {
                let Some((how, call)) = begun.pop() else { return };
                if how == NEVER || random.below(3) == 0 {
                    let hr = query::<ICancelMethodCalls>(&call).unwrap().Cancel(0);
                    assert!([S_OK, RPC_E_CALL_COMPLETE].contains(&hr), "Cancel: {hr}");
                }
                fair_result(how, call.Finish_Work(&mut twice), "Finish_");
            }
            _ => {
                let outer = (random.below(2) == 0).then_some(heard);
                if let Some(call) = call_of(work, outer) {
                    fair(call.Begin_Work(how), "Begin_");
                    begun.push((how, call));
                }
            }
        }
    }
}

fn client(seed: usize, packet: Packet, heard: &Arc<AtomicU32>) -> Vec<Carry<AsyncIWork>> {
    let mut random = Random(seed as u64);
    let model = if random.below(3) > 0 { COINIT_APARTMENTTHREADED } else { COINIT_MULTITHREADED };
    assert_eq!(unsafe { CoInitializeEx(null_mut(), model) }, S_OK);
    let mut begun = Vec::new();
    match try_unpack::<IWork>(packet) {
        // In the MTA the object of an MTA server comes without a proxy, and without what proxies have.
        Ok(work) if query::<IMultiQI>(&work).is_ok() => {
            for _ in 0..random.below(20) {
                act(&work, &mut random, &mut begun, heard);
            }
        }
        Ok(_) => {}
        Err(hr) => fair(hr, "unmarshal"),
    }
    let outlives = random.below(3);
    if outlives > 0 {
        begun.clear();
    }
    if outlives != 1 {
        unsafe { CoUninitialize() };
    }
    begun.into_iter().map(|(_, call)| Carry(call)).collect()
}

fn run(seed: u64) {
    world(move |world| {
        let heard = Arc::new(AtomicU32::new(0));
        let mut random = Random(seed);
        for _ in 0..25 {
            let server = if random.below(2) == 0 { world.mta() } else { world.sta() };
            let packets = server.run(|| {
                let object: IWork = Server.into();
                [(); 4].map(|()| pack(&object))
            });
            let clients = packets.map(|packet| {
                let (seed, heard) = (random.below(usize::MAX), heard.clone());
                world.thread(move || client(seed, packet, &heard))
            });
            // The server stays, or ends while its clients are at it; one that owes somebody a Signal has to end.
            let ending = server.close_later();
            let left: Vec<_> = clients.into_iter().flat_map(Pending::wait).collect();
            ending.wait();
            drop(left);
        }
    });
}

#[test]
fn asynchronous_calls_end_with_everything_else() {
    for seed in 1..=6 {
        println!("seed {seed}");
        run(seed);
    }
}

//! `call_factory` from one source: the proxy's own call objects on the emulation, the fallback there as well, and what the
//! system's COM has or lacks (`ci/windows-under-wine.sh`). All behave the same.

#![allow(clippy::undocumented_unsafe_blocks, reason = "tests call COM by its rules, as its users do")]

#[path = "common/probe.rs"]
mod probe;
#[path = "common/rooms.rs"]
mod rooms;

use oleander::object::Inner;
use oleander::windows_core::{ComObject, GUID, HRESULT, IUnknown, Interface, Ref};
use oleander::*;
use probe::*;
use rooms::*;
use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Instant;

/// A client's room with a proxy to an object in a server's room.
struct Scene<'a> {
    client: &'a Room,
    server: &'a Room,
    /// Whether to take the fallback whatever there is.
    forced: bool,
}

type Action = fn(u32) -> HRESULT;

/// Runs on both backends with every pair of apartments, and with the fallback besides.
fn each(test: fn(&Scene<'_>)) {
    both(move |world| {
        each_pair(world, |server, client| {
            for forced in [false, true] {
                test(&Scene { client, server, forced });
            }
        });
    });
}

impl Scene<'_> {
    /// Runs in the client's room with the proxy's call factory.
    fn with<R: Send + 'static>(
        &self,
        action: Action,
        body: impl FnOnce(IProbe, CallFactory) -> R + Send + 'static,
    ) -> R {
        self.with_object(move |lives| probe_that(&lives, action), body)
    }

    fn with_object<R: Send + 'static>(
        &self,
        make: impl FnOnce(Lives) -> IProbe + Send + 'static,
        body: impl FnOnce(IProbe, CallFactory) -> R + Send + 'static,
    ) -> R {
        let lives = Lives::default();
        let own = lives.clone();
        let packet = self.server.run(move || pack(&make(own)));
        let forced = self.forced;
        let result = self.client.run(move || {
            let proxy: IProbe = unpack(packet);
            let factory = if forced { CallFactory::fallback(&proxy) } else { call_factory(&proxy) }.unwrap();
            body(proxy, factory)
        });
        are_gone(&lives);
        result
    }
}

/// A call may still be on its way. In Wine one that meets the end of an STA never returns, and so neither does a Release.
fn are_gone(lives: &Lives) {
    let deadline = Instant::now() + HANG;
    while lives.now() != 0 {
        assert!(Instant::now() < deadline, "the object is let go");
        std::thread::yield_now();
    }
}

fn create<I: Interface>(factory: &ICallFactory, outer: *mut c_void) -> Result<I, HRESULT> {
    let mut raw = null_mut();
    match unsafe { factory.CreateCall(&AsyncIProbe::IID, outer, &I::IID, &mut raw) } {
        S_OK => Ok(unsafe { I::from_raw(raw) }),
        hr => {
            assert!(raw.is_null());
            Err(hr)
        }
    }
}

fn call(factory: &ICallFactory) -> AsyncIProbe {
    create(factory, null_mut()).unwrap()
}

fn sync(call: &AsyncIProbe) -> ISynchronize {
    call.cast().unwrap()
}

fn cancel(call: &AsyncIProbe, seconds: u32) -> HRESULT {
    unsafe { call.cast::<ICancelMethodCalls>().unwrap().Cancel(seconds) }
}

#[test]
fn it_says_whether_it_is_the_fallback() {
    each(|scene| {
        let forced = scene.forced;
        scene.with(
            |_| S_OK,
            move |proxy, factory| {
                let offered = proxy.cast::<ICallFactory>().is_ok();
                assert_eq!(factory.is_fallback(), forced || !offered);
                if backend::current() == backend::Backend::Emulation {
                    assert!(offered);
                }
            },
        );
    });
}

#[test]
fn call_16_to_19_a_call_is_begun_and_finished_once() {
    each(|scene| {
        let server = scene.server.is_sta().then_some(scene.server.thread);
        scene.with(
            |what| if what == 7 { S_FALSE } else { E_FAIL },
            move |_proxy, factory| unsafe {
                let call = call(&factory);
                assert_eq!(call.Finish_Do(), RPC_E_CALL_COMPLETE);
                for (what, result) in [(7, S_FALSE), (8, E_FAIL)] {
                    assert_eq!(call.Begin_Do(what), S_OK);
                    assert_eq!(call.Finish_Do(), result);
                    assert_eq!(call.Finish_Do(), RPC_E_CALL_COMPLETE);
                }
                let mut id = 0;
                assert_eq!(call.Begin_Thread(), S_OK);
                assert_eq!(call.Finish_Thread(&mut id), S_OK);
                assert_ne!(id, 0);
                assert!(server.is_none_or(|thread| thread == id));
            },
        );
    });
}

#[test]
fn call_14_call_27_a_pending_call_is_busy_and_waited_for() {
    each(|scene| {
        let (go, make) = held();
        scene.with_object(make, move |_proxy, factory| unsafe {
            let call = call(&factory);
            let sync = sync(&call);
            assert_eq!(call.Begin_Do(1), S_OK);
            assert_eq!((call.Begin_Do(2), call.Begin_Thread()), (RPC_S_CALLPENDING, RPC_S_CALLPENDING));
            assert_eq!(sync.Wait(0, 0), RPC_S_CALLPENDING);
            let mut handle = HANDLE::NULL;
            assert_eq!(call.cast::<ISynchronizeHandle>().unwrap().GetHandle(&mut handle), S_OK);
            assert_eq!(WaitForSingleObject(handle, 0), WAIT_TIMEOUT);
            assert_eq!(call.cast::<ICancelMethodCalls>().unwrap().TestCancel(), RPC_S_CALLPENDING);
            go.send(()).unwrap();
            co_wait_for(handle);
            // Until Finish_ it is unfinished, and signalled for good (CALL-15, CALL-28).
            assert_eq!((call.Begin_Do(2), sync.Wait(0, 0), sync.Wait(0, 0)), (RPC_S_CALLPENDING, S_OK, S_OK));
            assert_eq!(cancel(&call, 0), RPC_E_CALL_COMPLETE);
            assert_eq!(call.Finish_Do(), S_FALSE);
            assert_eq!(cancel(&call, 0), RPC_E_CALL_COMPLETE);
        });
    });
}

/// Makes a probe whose `Do(1)` waits for what the sender sends.
fn held() -> (mpsc::Sender<()>, impl FnOnce(Lives) -> IProbe + Send + 'static) {
    let (go, may_go) = mpsc::channel();
    let make = move |lives: Lives| {
        probe_that(&lives, move |what| {
            if what == 1 {
                may_go.recv_timeout(HANG).unwrap();
            }
            S_FALSE
        })
    };
    (go, make)
}

#[test]
fn cxl_01_cxl_05_to_08_a_call_is_cancelled() {
    each(|scene| {
        let (go, make) = held();
        scene.with_object(make, move |_proxy, factory| unsafe {
            let call = call(&factory);
            assert_eq!(call.Begin_Do(1), S_OK);
            assert_eq!((cancel(&call, 0), cancel(&call, 0)), (S_OK, RPC_E_CALL_CANCELED));
            assert_eq!(call.cast::<ICancelMethodCalls>().unwrap().TestCancel(), RPC_E_CALL_CANCELED);
            assert_eq!(sync(&call).Wait(0, 0), S_OK);
            assert_eq!(call.Begin_Do(2), RPC_S_CALLPENDING);
            assert_eq!(call.Finish_Do(), RPC_S_CALL_CANCELLED_HR);
            go.send(()).unwrap();
            // The same call object makes the next call, whatever becomes of the late reply.
            assert_eq!(call.Begin_Do(2), S_OK);
            assert_eq!(call.Finish_Do(), S_FALSE);
        });
    });
}

#[test]
fn call_30_an_abandoned_call_still_runs() {
    each(|scene| {
        let (done, is_done) = mpsc::channel();
        let make = move |lives: Lives| {
            probe_that(&lives, move |what| {
                done.send(what).unwrap();
                S_OK
            })
        };
        scene.with_object(make, |proxy, factory| {
            let call = call(&factory);
            assert_eq!(unsafe { call.Begin_Do(3) }, S_OK);
            drop((call, factory, proxy));
        });
        assert_eq!(is_done.recv_timeout(HANG), Ok(3));
    });
}

#[test]
fn call_22_call_objects_of_one_proxy_are_pending_together() {
    each(|scene| {
        scene.with(HRESULT_OF, |_proxy, factory| unsafe {
            let mut calls: Vec<_> = (0..5).map(|_| call(&factory)).collect();
            // A call object makes further ones (CALL-11).
            calls.push(create(&calls[0].cast().unwrap(), null_mut()).unwrap());
            for (what, call) in calls.iter().enumerate() {
                assert_eq!(call.Begin_Do(what as u32), S_OK);
            }
            for (what, call) in calls.iter().enumerate().rev() {
                assert_eq!(call.Finish_Do(), HRESULT(what as i32));
            }
        });
    });
}

const HRESULT_OF: Action = |what| HRESULT(what as i32);

#[test]
fn pointers_go_in_and_come_out() {
    each(|scene| {
        let lives = Lives::default();
        let own = lives.clone();
        scene.with(
            |_| S_OK,
            move |_proxy, factory| unsafe {
                let call = call(&factory);
                let mine = probe_that(&own, |what| if what == 1 { S_FALSE } else { S_OK });
                // Back into this apartment while Finish_ waits.
                assert_eq!(call.Begin_Forward(Ref::from(&mine), 1), S_OK);
                assert_eq!(call.Finish_Forward(), S_FALSE);
                let unknown: IUnknown = mine.cast().unwrap();
                assert_eq!((call.Begin_Keep(Ref::from(&unknown)), call.Finish_Keep()), (S_OK, S_OK));
                let mut kept = None;
                assert_eq!(call.Begin_Kept(), S_OK);
                assert_eq!(call.Finish_Kept((&mut kept).into()), S_OK);
                assert_eq!(kept.map(|kept: IUnknown| kept.as_raw()), Some(unknown.as_raw()));
                let mut typed = null_mut();
                assert_eq!(call.Begin_KeptAs(&IProbe::IID), S_OK);
                assert_eq!(call.Finish_KeptAs(&mut typed), S_OK);
                assert_eq!(IProbe::from_raw(typed).as_raw(), mine.as_raw());
                // A reply that nobody fetches holds a pointer, too.
                assert_eq!(call.Begin_Kept(), S_OK);
                assert_eq!(sync(&call).Wait(0, INFINITE), S_OK);
                drop(call);
                let call = self::call(&factory);
                assert_eq!((call.Begin_Keep(None::<&IUnknown>.into()), call.Finish_Keep()), (S_OK, S_OK));
            },
        );
        are_gone(&lives);
    });
}

/// The article's outer object.
#[com_class(ISynchronize, blind = inner)]
struct Notify {
    inner: Inner,
    seen: Arc<[AtomicU32; 3]>,
    /// Whether its Wait says at once that the call is complete, whatever the inner one says.
    is_early: Arc<AtomicBool>,
    /// Whether its Signal fails.
    is_deaf: bool,
}

/// Makes a call under an outer object.
fn under(outer: Notify, factory: &ICallFactory) -> AsyncIProbe {
    let outer = ComObject::new(outer);
    let make = |unknown, iid, ppv| unsafe { factory.CreateCall(&AsyncIProbe::IID, unknown, iid, ppv) };
    let made = unsafe { outer.aggregate(&outer.inner, make) };
    made.unwrap();
    query(&outer.to_interface::<IUnknown>()).unwrap()
}

impl Notify_Impl {
    fn see(&self, what: usize) -> windows_core::InterfaceRef<'_, ISynchronize> {
        self.seen[what].fetch_add(1, Ordering::SeqCst);
        self.inner.cached::<ISynchronize>().expect("the inner object has it")
    }
}

impl ISynchronize_Impl for Notify_Impl {
    unsafe fn Wait(&self, flags: u32, ms: u32) -> HRESULT {
        if self.is_early.load(Ordering::SeqCst) { S_OK } else { unsafe { self.see(0).Wait(flags, ms) } }
    }
    unsafe fn Signal(&self) -> HRESULT {
        if self.is_deaf { E_FAIL } else { unsafe { self.see(1).Signal() } }
    }
    unsafe fn Reset(&self) -> HRESULT {
        unsafe { self.see(2).Reset() }
    }
}

#[test]
fn call_24_an_outer_object_sees_reset_signal_and_wait() {
    each(|scene| {
        let (go, make) = held();
        scene.with_object(make, move |_proxy, factory| unsafe {
            let seen = Arc::new([const { AtomicU32::new(0) }; 3]);
            let (inner, is_early) = (Inner::new(), Arc::default());
            let call = under(Notify { inner, seen: seen.clone(), is_early, is_deaf: false }, &factory);
            assert_eq!(call.Begin_Do(2), S_OK);
            assert_eq!(call.Finish_Do(), S_FALSE);
            assert_eq!(seen.each_ref().map(|it| it.load(Ordering::SeqCst)), [1, 1, 1], "Wait, Signal, Reset");
            // Cancelled by the client, it is told as well.
            assert_eq!(call.Begin_Do(1), S_OK);
            assert_eq!(cancel(&call, 0), S_OK);
            assert_eq!(call.Finish_Do(), RPC_S_CALL_CANCELLED_HR);
            assert_eq!(seen[1].load(Ordering::SeqCst), 2, "exactly once for each call (CALL-26)");
            go.send(()).unwrap();
        });
    });
}

#[test]
fn agg_06_an_outer_whose_signal_fails_gives_its_code() {
    each(|scene| {
        scene.with(HRESULT_OF, |_proxy, factory| unsafe {
            let (inner, seen, is_early) = (Inner::new(), Arc::default(), Arc::default());
            let call = under(Notify { inner, seen, is_early, is_deaf: true }, &factory);
            assert_eq!((call.Begin_Do(1), call.Finish_Do()), (S_OK, E_FAIL));
        });
    });
}

#[test]
fn an_outer_that_waits_too_short_leaves_the_call_pending() {
    each(|scene| {
        let (go, make) = held();
        scene.with_object(make, move |_proxy, factory| unsafe {
            let (inner, seen, is_early) = (Inner::new(), Arc::default(), Arc::new(AtomicBool::new(true)));
            let call = under(Notify { inner, seen, is_early: is_early.clone(), is_deaf: false }, &factory);
            assert_eq!((call.Begin_Do(1), call.Finish_Do()), (S_OK, RPC_S_CALLPENDING));
            is_early.store(false, Ordering::SeqCst);
            go.send(()).unwrap();
            assert_eq!(call.Finish_Do(), S_FALSE);
        });
    });
}

/// Takes the proxy's own call objects, then the fallback's, in a world whose MTA makes calls to an STA.
fn each_from_the_mta(test: fn(&World, &Scene<'_>)) {
    for forced in [false, true] {
        world(move |world| {
            let (server, client) = (world.sta(), world.mta());
            test(world, &Scene { client: &client, server: &server, forced });
            client.close();
            server.close();
        });
    }
}

#[test]
fn cxl_02_cxl_03_cancel_waits_so_many_seconds() {
    each_from_the_mta(|_, scene| {
        let (go, make) = held();
        scene.with_object(make, move |_proxy, factory| unsafe {
            let call = call(&factory);
            assert_eq!(call.Begin_Do(1), S_OK);
            let began = Instant::now();
            assert_eq!(cancel(&call, 1), S_OK);
            assert!(began.elapsed().as_millis() >= 999, "{:?}", began.elapsed());
            assert_eq!(call.Finish_Do(), RPC_S_CALL_CANCELLED_HR);
            go.send(()).unwrap();
        });
    });
}

#[test]
fn cxl_43_cancel_minus_one_waits_for_the_reply() {
    each_from_the_mta(|world, scene| {
        let (go, make) = held();
        let canceller = world.mta();
        scene.with_object(make, move |_proxy, factory| unsafe {
            let call = call(&factory);
            assert_eq!(call.Begin_Do(1), S_OK);
            let copy = Carry(call.clone());
            let cancelled = canceller.start(move || cancel(&copy.take(), u32::MAX));
            while call.cast::<ICancelMethodCalls>().unwrap().TestCancel() != RPC_E_CALL_CANCELED {
                std::thread::yield_now();
            }
            go.send(()).unwrap();
            assert_eq!((cancelled.wait(), call.Finish_Do()), (RPC_E_CALL_COMPLETE, S_FALSE));
            canceller.close();
        });
    });
}

#[test]
fn cxl_01_cancel_0_serves_nothing_meanwhile() {
    for forced in [false, true] {
        world(move |world| {
            let (server, client, third) = (world.mta(), world.sta(), world.mta());
            let scene = Scene { client: &client, server: &server, forced };
            let (go, make) = held();
            scene.with_object(make, move |_proxy, factory| unsafe {
                let call = call(&factory);
                let served = Arc::new(AtomicBool::new(false));
                let seen = served.clone();
                let mine = probe_that(&Lives::default(), move |_| {
                    seen.store(true, Ordering::SeqCst);
                    S_OK
                });
                let packet = pack(&mine);
                assert_eq!(call.Begin_Do(1), S_OK);
                let done = event(true, false);
                let is_done = Carry(done);
                let calls = third.start(move || {
                    let called = unpack::<IProbe>(packet).Do(1);
                    assert!(SetEvent(is_done.take()).as_bool());
                    called
                });
                let ms = u32::try_from(HANG.as_millis()).unwrap();
                assert_eq!(MsgWaitForMultipleObjects(0, null(), false.into(), ms, QS_ALLINPUT), WAIT_OBJECT_0);
                assert_eq!(cancel(&call, 0), S_OK);
                assert!(!served.load(Ordering::SeqCst));
                assert_eq!(call.Finish_Do(), RPC_S_CALL_CANCELLED_HR);
                go.send(()).unwrap();
                co_wait_for(done);
                assert!(CloseHandle(done).as_bool());
                assert_eq!(calls.wait(), S_OK);
                third.close();
            });
            client.close();
            server.close();
        });
    }
}

#[test]
fn the_fallback_keeps_the_mta_as_long_as_it_lives() {
    world(|world| {
        let (server, client, outside) = (world.sta(), world.sta(), world.outside());
        let kind = |room: &Room| room.run(|| unsafe { CoGetApartmentType(&mut 0, &mut 0) });
        let packet = server.run(|| pack(&probe(&Lives::default())));
        let factory = client.run(move || Carry(CallFactory::fallback(&unpack::<IProbe>(packet)).unwrap()));
        assert_eq!(kind(&outside), S_OK);
        client.run(move || drop(factory.take()));
        assert_eq!(kind(&outside), CO_E_NOTINITIALIZED);
        for room in [client, server, outside] {
            room.close();
        }
    });
}

#[test]
fn call_02_to_06_a_factory_looks_at_its_arguments() {
    each(|scene| {
        scene.with(
            |_| S_OK,
            |_proxy, factory| unsafe {
                let unknown = create::<IUnknown>(&factory, null_mut()).unwrap();
                assert!(query::<AsyncIProbe>(&unknown).is_ok() && query::<ISynchronize>(&unknown).is_ok());
                let mut raw = 0x10 as *mut c_void;
                let nobody = GUID::from_u128(0x1234);
                for iid in [IProbe::IID, ISynchronize::IID, nobody] {
                    assert_eq!(factory.CreateCall(&iid, null_mut(), &IUnknown::IID, &mut raw), E_NOINTERFACE);
                    assert!(raw.is_null());
                }
                assert_eq!(factory.CreateCall(&AsyncIProbe::IID, null_mut(), &nobody, &mut raw), E_NOINTERFACE);
                assert_eq!(factory.CreateCall(null(), null_mut(), &IUnknown::IID, &mut raw), E_INVALIDARG);
                assert_eq!(factory.CreateCall(&AsyncIProbe::IID, null_mut(), null(), &mut raw), E_INVALIDARG);
                assert_eq!(factory.CreateCall(&AsyncIProbe::IID, null_mut(), &IUnknown::IID, null_mut()), E_INVALIDARG);
                let unsupported = create::<AsyncIProbe>(&factory, unknown.as_raw());
                assert_eq!(unsupported.map(drop), Err(CLASS_E_NOAGGREGATION));
            },
        );
    });
}

#[test]
fn call_38_a_call_object_belongs_to_its_apartment() {
    each(|scene| {
        let (lives, forced) = (Lives::default(), scene.forced);
        let own = lives.clone();
        let packet = scene.server.run(move || pack(&probe(&own)));
        let made = scene.client.run(move || {
            let proxy: IProbe = unpack(packet);
            let factory = if forced { CallFactory::fallback(&proxy) } else { call_factory(&proxy) }.unwrap();
            Carry((call(&factory), factory, proxy))
        });
        let made = scene.server.run(move || unsafe {
            let (call, wrong) = (&made.0.0, RPC_E_WRONG_THREAD);
            let (sync, other) = (sync(call), call.cast::<ICancelMethodCalls>().unwrap());
            assert_eq!((call.Begin_Do(1), sync.Wait(0, 0), sync.Reset()), (wrong, wrong, wrong));
            assert_eq!((other.Cancel(0), other.TestCancel()), (wrong, wrong));
            // But anybody may signal (RUL-10).
            assert_eq!(sync.Signal(), S_OK);
            drop((sync, other));
            made
        });
        scene.client.run(move || {
            let made = made.take();
            assert_eq!(
                unsafe { (sync(&made.0).Wait(0, 0), made.0.Begin_Do(1), made.0.Finish_Do()) },
                (S_OK, S_OK, S_OK)
            );
        });
        are_gone(&lives);
    });
}

#[test]
fn mrsh_13_a_proxy_of_another_apartment_says_so() {
    world(|world| {
        let (server, client) = (world.sta(), world.sta());
        let packet = server.run(|| pack(&probe(&Lives::default())));
        let proxy = client.run(move || Carry(unpack::<IProbe>(packet)));
        let proxy = server.run(move || {
            assert_eq!(call_factory(&proxy.0).map(drop), Err(RPC_E_WRONG_THREAD));
            proxy
        });
        client.run(move || drop(proxy.take()));
        client.close();
        server.close();
    });
}

#[test]
fn call_34_an_object_that_is_no_proxy_has_no_factory() {
    each(|scene| {
        let forced = scene.forced;
        scene.client.run(move || {
            let object = probe(&Lives::default());
            let made = if forced { CallFactory::fallback(&object) } else { call_factory(&object) };
            assert_eq!(made.map(drop), Err(E_NOINTERFACE));
        });
    });
}

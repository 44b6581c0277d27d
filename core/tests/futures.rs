//! Awaiting calls and handles, on several executors.

#![allow(clippy::undocumented_unsafe_blocks, reason = "tests call COM by its rules, as its users do")]

use futures_lite::future as lite;
use oleander::future::{Begun, TimedOut, begun, block_on, resume_on_signal, sleep, timeout};
use oleander::kernel::Event;
use oleander::platform::{Deadline, Why};
use oleander::windows_core::{self, GUID, HRESULT, IUnknown, Interface};
use oleander::*;
use std::ffi::c_void;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Wake, Waker};

/// Adds, waits, polls for cancellation.
#[async_interface(uuid = "3f2b9c1e-6a52-4b57-9d43-0a1b2c3d4f01", async_uuid = "3f2b9c1e-6a52-4b57-9d43-0a1b2c3d4f02")]
pub unsafe trait IWork: IUnknown {
    fn Add(&self, #[idl(in)] a: u32, #[idl(in)] b: u32, #[idl(out)] sum: *mut u32) -> HRESULT;
    fn Gate(&self, #[idl(out)] passed: *mut u32) -> HRESULT;
    fn UntilCancelled(&self, #[idl(out)] turns: *mut u32) -> HRESULT;
}

#[com_class(IWork)]
struct Work {
    gate: Arc<Event>,
    stopped: Arc<Event>,
}

impl IWork_Impl for Work_Impl {
    unsafe fn Add(&self, a: u32, b: u32, sum: *mut u32) -> HRESULT {
        unsafe { *sum = a + b };
        S_OK
    }
    unsafe fn Gate(&self, passed: *mut u32) -> HRESULT {
        assert!(self.gate.wait(Deadline::NEVER, Why::Wait));
        unsafe { *passed = 1 };
        S_OK
    }
    unsafe fn UntilCancelled(&self, turns: *mut u32) -> HRESULT {
        let mut count = 0;
        while unsafe { CoTestCancel() } == RPC_S_CALLPENDING {
            count += 1;
            std::thread::yield_now();
        }
        unsafe { *turns = count };
        self.stopped.set();
        S_OK
    }
}

struct Packet(*mut c_void);
unsafe impl Send for Packet {}

fn pack<I: Interface>(object: &I) -> Packet {
    let mut stream = std::ptr::null_mut();
    unsafe { CoMarshalInterThreadInterfaceInStream(&I::IID, object.as_raw(), &mut stream).ok().unwrap() };
    Packet(stream)
}

fn unpack<I: Interface>(packet: Packet) -> I {
    let mut raw = std::ptr::null_mut();
    unsafe {
        CoGetInterfaceAndReleaseStream(packet.0, &I::IID, &mut raw).ok().unwrap();
        I::from_raw(raw)
    }
}

/// An object in an STA of its own, as the MTA sees it.
struct Server {
    work: IWork,
    gate: Arc<Event>,
    stopped: Arc<Event>,
    thread_id: u32,
    thread: kernel::Spawned,
}

impl Server {
    fn start() -> Self {
        let (gate, stopped) = (Event::manual(), Event::manual());
        let (theirs, send) = ((gate.clone(), stopped.clone()), mpsc::channel());
        let ready = send.0;
        let thread = kernel::spawn("server", false, move || unsafe {
            assert_eq!(CoInitializeEx(std::ptr::null_mut(), COINIT_APARTMENTTHREADED), S_OK);
            let work: IWork = Work { gate: theirs.0, stopped: theirs.1 }.into();
            ready.send((GetCurrentThreadId(), pack(&work))).unwrap();
            let mut msg = MSG::default();
            while GetMessageW(&mut msg, HWND::NULL, 0, 0).0 > 0 {
                DispatchMessageW(&msg);
            }
            drop(work);
            CoUninitialize();
        });
        let (thread_id, packet) = send.1.recv().unwrap();
        Self { work: unpack(packet), gate, stopped, thread_id, thread }
    }

    fn call(&self) -> AsyncIWork {
        let factory: ICallFactory = self.work.cast().unwrap();
        let mut raw = std::ptr::null_mut();
        unsafe {
            let hr = factory.CreateCall(&AsyncIWork::IID, std::ptr::null_mut(), &AsyncIWork::IID, &mut raw);
            assert_eq!(hr, S_OK);
            AsyncIWork::from_raw(raw)
        }
    }

    fn stop(self) {
        drop(self.work);
        unsafe { PostThreadMessageW(self.thread_id, WM_QUIT, 0, 0).ok().unwrap() };
        assert!(self.thread.ended.wait(Deadline::NEVER, Why::Wait));
    }
}

/// Runs `body` on a thread of the MTA of a process of its own, and checks that nothing is left.
fn in_mta(body: impl FnOnce() + Send + 'static) {
    in_apartment(COINIT_MULTITHREADED, body);
}

fn in_apartment(init: u32, body: impl FnOnce() + Send + 'static) {
    let (send, left) = mpsc::channel();
    let client = kernel::spawn_in(&Process::new(oleander::platform::host()), "client", false, move || unsafe {
        assert_eq!(CoInitializeEx(std::ptr::null_mut(), init), S_OK);
        body();
        CoUninitialize();
        send.send(debug::live_objects()).unwrap();
    });
    assert!(client.ended.wait(Deadline::NEVER, Why::Wait));
    assert_eq!(left.recv(), Ok(0), "the client ended well and left nothing");
}

fn finish_add(call: &AsyncIWork) -> (HRESULT, u32) {
    let mut sum = 0;
    (unsafe { call.Finish_Add(&mut sum) }, sum)
}

async fn add(call: &AsyncIWork, a: u32, b: u32) -> windows_core::Result<u32> {
    unsafe { call.Begin_Add(a, b).ok()? };
    let call = begun(call).await?;
    let (hr, sum) = finish_add(&call);
    hr.ok().map(|()| sum)
}

fn manual_event() -> HANDLE {
    unsafe { CreateEventW(std::ptr::null(), true.into(), false.into(), std::ptr::null()) }
}

fn auto_event() -> HANDLE {
    unsafe { CreateEventW(std::ptr::null(), false.into(), false.into(), std::ptr::null()) }
}

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_begun_call_is_awaited_on_every_executor() {
    in_mta(|| {
        let server = Server::start();
        let call = server.call();
        assert_eq!(block_on(add(&call, 1, 2)), Ok(3));
        assert_eq!(lite::block_on(add(&call, 3, 4)), Ok(7));
        let tokio = tokio::runtime::Builder::new_current_thread().build().unwrap();
        assert_eq!(tokio.block_on(add(&call, 5, 6)), Ok(11));
        let smol = async_executor::LocalExecutor::new();
        assert_eq!(lite::block_on(smol.run(add(&call, 7, 8))), Ok(15));
        drop(call);
        server.stop();
    });
}

#[test]
fn call_19_awaiting_no_call_resolves_and_finish_says_so() {
    in_mta(|| {
        let server = Server::start();
        let call = server.call();
        let call = block_on(begun(&call)).unwrap();
        assert_eq!(finish_add(&call).0, RPC_E_CALL_COMPLETE);
        drop(call);
        server.stop();
    });
}

#[test]
fn cxl_01_dropping_a_pending_future_cancels_the_call() {
    in_mta(|| {
        let server = Server::start();
        let call = server.call();
        unsafe { assert_eq!(call.Begin_UntilCancelled(), S_OK) };
        let mut future = begun(&call);
        assert!(lite::block_on(lite::poll_once(&mut future)).is_none());
        drop(future);
        assert!(server.stopped.wait(Deadline::NEVER, Why::Wait), "the server saw it");
        let mut turns = 0;
        unsafe { assert_eq!(call.Finish_UntilCancelled(&mut turns), RPC_S_CALL_CANCELLED_HR) };
        drop(call);
        server.stop();
    });
}

#[test]
fn a_kept_or_detached_future_leaves_the_call_alone() {
    in_mta(|| {
        let server = Server::start();
        let call = server.call();
        unsafe { assert_eq!(call.Begin_Gate(), S_OK) };
        drop(begun(&call).keep());
        let call = begun(&call).detach();
        let cancel: ICancelMethodCalls = call.cast().unwrap();
        unsafe { assert_eq!(cancel.TestCancel(), RPC_S_CALLPENDING) };
        server.gate.set();
        let call = block_on(begun(&call)).unwrap();
        let mut passed = 0;
        unsafe { assert_eq!(call.Finish_Gate(&mut passed), S_OK) };
        assert_eq!(passed, 1);
        drop((call, cancel));
        server.stop();
    });
}

#[test]
fn pat_07_the_first_of_two_calls_wins_and_the_other_goes_on() {
    in_mta(|| {
        let (slow_server, fast_server) = (Server::start(), Server::start());
        let (slow, fast) = (slow_server.call(), fast_server.call());
        unsafe {
            assert_eq!(slow.Begin_Gate(), S_OK);
            assert_eq!(fast.Begin_Add(20, 22), S_OK);
        }
        let first = async |call: &AsyncIWork, index: usize| begun(call).keep().await.map(|_| index);
        assert_eq!(block_on(lite::or(first(&slow, 0), first(&fast, 1))), Ok(1));
        assert_eq!(finish_add(&fast), (S_OK, 42));
        let sync: ISynchronize = slow.cast().unwrap();
        unsafe { assert_eq!(sync.Wait(COWAIT_DEFAULT, 0), RPC_S_CALLPENDING) };
        slow_server.gate.set();
        assert!(block_on(begun(&slow)).is_ok());
        drop((slow, fast, sync));
        slow_server.stop();
        fast_server.stop();
    });
}

#[test]
fn a_call_that_takes_too_long_is_cancelled_by_its_timeout() {
    in_mta(|| {
        let server = Server::start();
        let call = server.call();
        for foreign in [false, true] {
            unsafe { assert_eq!(call.Begin_UntilCancelled(), S_OK) };
            let bounded = timeout(1, begun(&call));
            let result = if foreign { lite::block_on(bounded) } else { block_on(bounded) };
            assert_eq!(result.err(), Some(TimedOut));
            assert_eq!(windows_core::Error::from(TimedOut).code(), RPC_E_TIMEOUT);
            let mut turns = 0;
            unsafe { assert_eq!(call.Finish_UntilCancelled(&mut turns), RPC_S_CALL_CANCELLED_HR) };
            assert!(server.stopped.wait(Deadline::NEVER, Why::Wait));
            server.stopped.reset();
        }
        drop(call);
        server.stop();
    });
}

#[test]
fn timers_of_a_foreign_executor_fire_and_not_too_early() {
    // Their order is a matter of the machine's load here; the simulated world tests it.
    let wait = async |ms: u32| {
        let began = platform::now_ns();
        sleep(ms).await;
        assert!(platform::now_ns() - began >= u64::from(ms) * 1_000_000);
    };
    lite::block_on(lite::zip(wait(6), lite::zip(wait(1), wait(3))));
    assert_eq!(lite::block_on(timeout(INFINITE, async { 5 })), Ok(5));
}

#[test]
fn sync_15_a_future_takes_the_signal_of_an_automatic_event_once() {
    let handle = auto_event();
    let (mut first, mut second) = (pin!(resume_on_signal(handle)), pin!(resume_on_signal(handle)));
    let wakes = Arc::new(Wakes::default());
    let waker = Waker::from(wakes.clone());
    let mut cx = Context::from_waker(&waker);
    assert!(first.as_mut().poll(&mut cx).is_pending());
    assert!(second.as_mut().poll(&mut cx).is_pending());
    unsafe { SetEvent(handle).ok().unwrap() };
    assert_eq!(wakes.0.load(Ordering::SeqCst), 2, "both are asked to look");
    assert_eq!(second.as_mut().poll(&mut cx), Poll::Ready(Ok(())));
    assert!(first.as_mut().poll(&mut cx).is_pending(), "there was one signal");
    unsafe { SetEvent(handle).ok().unwrap() };
    assert_eq!(wakes.0.load(Ordering::SeqCst), 3);
    assert_eq!(first.as_mut().poll(&mut cx), Poll::Ready(Ok(())));
    unsafe {
        assert_eq!(WaitForSingleObject(handle, 0), WAIT_TIMEOUT);
        CloseHandle(handle).ok().unwrap();
    }
}

#[test]
fn the_last_waker_is_the_one_that_is_called() {
    let handle = manual_event();
    let mut future = pin!(resume_on_signal(handle));
    let (old, new) = (Arc::new(Wakes::default()), Arc::new(Wakes::default()));
    let (old_waker, new_waker) = (Waker::from(old.clone()), Waker::from(new.clone()));
    assert!(future.as_mut().poll(&mut Context::from_waker(&old_waker)).is_pending());
    assert!(future.as_mut().poll(&mut Context::from_waker(&new_waker)).is_pending());
    unsafe { SetEvent(handle).ok().unwrap() };
    assert_eq!((old.0.load(Ordering::SeqCst), new.0.load(Ordering::SeqCst)), (0, 1));
    unsafe { CloseHandle(handle).ok().unwrap() };
}

/// Of an executor that is broken.
struct Breaks;

impl Wake for Breaks {
    fn wake(self: Arc<Self>) {
        panic!("an executor that is broken");
    }
}

/// Of one that is not.
struct Tells(mpsc::Sender<()>);

impl Wake for Tells {
    fn wake(self: Arc<Self>) {
        let _ = self.0.send(());
    }
}

#[test]
fn a_waker_that_panics_is_its_tasks_affair() {
    let (broken, (told, hears)) = (Waker::from(Arc::new(Breaks)), mpsc::channel());
    let whole = Waker::from(Arc::new(Tells(told)));
    let (broken, whole) = (&mut Context::from_waker(&broken), &mut Context::from_waker(&whole));
    let soon = std::time::Duration::from_secs(60);
    // Of two that wait for an event, and of two whose time comes.
    let event = manual_event();
    let mut waits = [0, 1].map(|_| Box::pin(resume_on_signal(event)));
    assert!(waits[0].as_mut().poll(broken).is_pending() && waits[1].as_mut().poll(whole).is_pending());
    unsafe { assert!(SetEvent(event).as_bool()) };
    assert_eq!(hears.recv_timeout(soon), Ok(()));
    let mut sleeps = [1, 50].map(|ms| Box::pin(sleep(ms)));
    assert!(sleeps[0].as_mut().poll(broken).is_pending() && sleeps[1].as_mut().poll(whole).is_pending());
    assert_eq!(hears.recv_timeout(soon), Ok(()));
    drop(waits);
    unsafe { assert!(CloseHandle(event).as_bool()) };
}

#[test]
fn a_dropped_future_is_not_told() {
    let handle = manual_event();
    let wakes = Arc::new(Wakes::default());
    let waker = Waker::from(wakes.clone());
    let mut future = Box::pin(resume_on_signal(handle));
    assert!(future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    drop(future);
    unsafe { SetEvent(handle).ok().unwrap() };
    assert_eq!(wakes.0.load(Ordering::SeqCst), 0);
    drop(waker);
    assert_eq!(Arc::strong_count(&wakes), 1, "nobody keeps the waker");
    unsafe { CloseHandle(handle).ok().unwrap() };
}

#[test]
fn handles_that_cannot_be_awaited_say_why() {
    let closed = manual_event();
    unsafe { CloseHandle(closed).ok().unwrap() };
    assert_eq!(block_on(closed).unwrap_err().code(), E_HANDLE);
    let mutex = unsafe { CreateMutexW(std::ptr::null(), false.into(), std::ptr::null()) };
    assert_eq!(block_on(mutex).unwrap_err().code(), E_INVALIDARG);
    unsafe { CloseHandle(mutex).ok().unwrap() };
}

#[test]
fn pat_08_an_awaited_handle_may_be_closed_and_awaited_elsewhere() {
    let handle = manual_event();
    let event = resume_on_signal(handle);
    let twin = unsafe {
        let (mut twin, me) = (HANDLE::NULL, GetCurrentProcess());
        DuplicateHandle(me, handle, me, &mut twin, 0, false.into(), DUPLICATE_SAME_ACCESS).ok().unwrap();
        CloseHandle(handle).ok().unwrap();
        twin
    };
    let other = std::thread::spawn(move || {
        let tokio = tokio::runtime::Builder::new_current_thread().build().unwrap();
        tokio.block_on(async { tokio::spawn(event).await.unwrap() })
    });
    unsafe { SetEvent(twin).ok().unwrap() };
    assert_eq!(other.join().unwrap(), Ok(()));
    unsafe { CloseHandle(twin).ok().unwrap() };
}

#[test]
fn wait_09_block_on_serves_the_sta_that_it_waits_in() {
    in_apartment(COINIT_APARTMENTTHREADED, || {
        let work: IWork = Work { gate: Event::manual(), stopped: Event::manual() }.into();
        let (packet, handle) = (pack(&work), manual_event());
        let (send, sum) = mpsc::channel();
        let caller = kernel::spawn("caller", false, move || unsafe {
            assert_eq!(CoInitializeEx(std::ptr::null_mut(), COINIT_MULTITHREADED), S_OK);
            let work: IWork = unpack(packet);
            let mut sum = 0;
            assert_eq!(work.Add(40, 2, &mut sum), S_OK);
            drop(work);
            send.send(sum).unwrap();
            SetEvent(handle).ok().unwrap();
            CoUninitialize();
        });
        assert_eq!(block_on(handle), Ok(()));
        assert_eq!(sum.recv(), Ok(42));
        assert!(caller.ended.wait(Deadline::NEVER, Why::Wait));
        unsafe { CloseHandle(handle).ok().unwrap() };
    });
}

/// An outer object with an event of its own, which the inner call object never hears of.
#[com_class(ISynchronize, blind = inner)]
struct Outer {
    inner: object::Inner,
    event: Arc<Event>,
    signals: Arc<AtomicUsize>,
}

impl ISynchronize_Impl for Outer_Impl {
    unsafe fn Wait(&self, _flags: u32, ms: u32) -> HRESULT {
        if self.event.wait(Deadline::after_ms(ms), Why::Wait) { S_OK } else { RPC_S_CALLPENDING }
    }
    unsafe fn Signal(&self) -> HRESULT {
        self.signals.fetch_add(1, Ordering::SeqCst);
        self.event.set();
        S_OK
    }
    unsafe fn Reset(&self) -> HRESULT {
        self.event.reset();
        S_OK
    }
}

#[test]
fn agg_08_a_call_whose_outer_has_its_own_event_is_awaited() {
    in_mta(|| {
        let server = Server::start();
        let factory: ICallFactory = server.work.cast().unwrap();
        let signals = Arc::new(AtomicUsize::new(0));
        let outer = windows_core::ComObject::new(Outer {
            inner: object::Inner::new(),
            event: Event::manual(),
            signals: signals.clone(),
        });
        unsafe {
            outer
                .aggregate(&outer.inner, |unknown, iid: *const GUID, ppv| {
                    factory.CreateCall(&AsyncIWork::IID, unknown, iid, ppv)
                })
                .unwrap();
        }
        let call: AsyncIWork = outer.to_interface::<IUnknown>().cast().unwrap();
        assert_eq!(block_on(add(&call, 2, 3)), Ok(5));
        assert_eq!(signals.load(Ordering::SeqCst), 1);
        drop((call, outer, factory));
        server.stop();
    });
}

/// A call object that is none of ours.
#[com_class(ISynchronizeHandle)]
struct Foreign {
    handle: Result<HANDLE, HRESULT>,
}

impl ISynchronizeHandle_Impl for Foreign_Impl {
    unsafe fn GetHandle(&self, ph: *mut HANDLE) -> HRESULT {
        match self.handle {
            Ok(handle) => {
                unsafe { *ph = handle };
                S_OK
            }
            Err(hr) => hr,
        }
    }
}

#[test]
fn a_foreign_call_object_is_awaited_by_its_handle() {
    in_mta(|| {
        let handle = manual_event();
        let foreign = |handle| ISynchronizeHandle::from(Foreign { handle });
        let call = foreign(Ok(handle));
        let mut future = begun(&call);
        assert!(lite::block_on(lite::poll_once(&mut future)).is_none());
        unsafe { SetEvent(handle).ok().unwrap() };
        assert_eq!(lite::block_on(future), Ok(call));
        unsafe { CloseHandle(handle).ok().unwrap() };
        assert_eq!(block_on(begun(&foreign(Ok(handle)))).unwrap_err().code(), E_NOINTERFACE);
        assert_eq!(block_on(begun(&foreign(Err(E_UNEXPECTED)))).unwrap_err().code(), E_UNEXPECTED);
        let none: IWork = Work { gate: Event::manual(), stopped: Event::manual() }.into();
        assert_eq!(block_on(begun(&none)).unwrap_err().code(), E_NOINTERFACE);
    });
}

#[test]
fn the_futures_of_handles_are_send_and_those_of_calls_can_be_kept_in_any_struct() {
    fn send<T: Send>(_: &T) {}
    fn unpin<T: Unpin>(_: &T) {}
    send(&resume_on_signal(HANDLE::NULL));
    send(&sleep(0));
    unpin(&resume_on_signal(HANDLE::NULL));
    let _: fn(&Begun<IWork>) = unpin::<Begun<IWork>>;
}

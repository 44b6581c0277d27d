//! The usage patterns of the blog posts, on their own example: a pipe that is slow to push and pull, in an STA that pumps,
//! used from another apartment through the system's own proxies (IID-14). Facts section 16; the tenth, the asynchronous
//! release, is in `async_release.rs`.

mod support;

use oleander::kernel::Event;
use oleander::windows_core::{HRESULT, IUnknown, Interface};
use oleander::*;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use support::*;

/// It takes as long as the test wants.
#[com_class(IPipeByte)]
struct SlowPipe {
    log: Log,
    go: Arc<Event>,
    honours_cancel: bool,
}

impl SlowPipe_Impl {
    fn work(&self) -> bool {
        if self.honours_cancel {
            // SAFETY: no pointers.
            while unsafe { CoTestCancel() } == RPC_S_CALLPENDING {
                if self.go.is_set() {
                    return true;
                }
                std::thread::yield_now();
            }
            return false;
        }
        wait(&self.go);
        true
    }
}

impl IPipeByte_Impl for SlowPipe_Impl {
    unsafe fn Pull(&self, buf: *mut u8, wanted: u32, returned: *mut u32) -> HRESULT {
        self.log.say("Pull starts");
        let done = self.work();
        let count = wanted.min(if done { 5 } else { 0 });
        // SAFETY: the stub vouches for the buffer and the count.
        unsafe {
            ptr::copy_nonoverlapping(b"slow!".as_ptr(), buf, count as usize);
            *returned = count;
        }
        self.log.say(if done { "Pull ends" } else { "Pull stops early" });
        S_OK
    }
    unsafe fn Push(&self, buf: *const u8, sent: u32) -> HRESULT {
        self.log.say("Push starts");
        self.work();
        // SAFETY: the stub vouches for the buffer.
        let bytes = unsafe { std::slice::from_raw_parts(buf, sent as usize) };
        self.log.say(format!("Push ends with {}", String::from_utf8_lossy(bytes)));
        S_OK
    }
}

/// The posts' setting.
struct Setting {
    host: Apt,
    log: Log,
    go: Arc<Event>,
    pipe: IPipeByte,
}

fn setting(honours_cancel: bool, test: impl FnOnce(&Setting) + Send + 'static) {
    in_process(move || {
        let (host, log, go) = (Apt::sta(), Log::default(), Event::manual());
        let packet = host.run({
            let (log, go) = (log.clone(), go.clone());
            move || pack::<IPipeByte>(&SlowPipe { log, go, honours_cancel }.into())
        });
        enter(Kind::Mta);
        let setting = Setting { host, log, go, pipe: packet.unpack() };
        test(&setting);
        setting.go.set();
        let Setting { host, pipe, .. } = setting;
        drop(pipe);
        host.stop();
        leave();
    });
}

fn create_call(object: &impl Interface) -> (AsyncIPipeByte, ISynchronize) {
    let factory: ICallFactory = object.cast().expect("a proxy");
    let mut raw = ptr::null_mut();
    // SAFETY: valid arguments; a counted pointer comes back.
    let call = unsafe {
        let hr = factory.CreateCall(&AsyncIPipeByte::IID, ptr::null_mut(), &AsyncIPipeByte::IID, &mut raw);
        assert_eq!(hr, S_OK);
        AsyncIPipeByte::from_raw(raw)
    };
    let sync = call.cast().unwrap();
    (call, sync)
}

fn begin_pull(call: &AsyncIPipeByte) {
    // SAFETY: no pointers.
    assert_eq!(unsafe { call.Begin_Pull(8) }, S_OK);
}

fn finish_pull(call: &AsyncIPipeByte) -> (HRESULT, Vec<u8>) {
    let (mut buffer, mut count) = ([0_u8; 8], 0);
    // SAFETY: the buffer is as long as Begin_ said.
    let hr = unsafe { call.Finish_Pull(buffer.as_mut_ptr(), &mut count) };
    (hr, buffer[..count as usize].to_vec())
}

fn begin_push(call: &AsyncIPipeByte) {
    // SAFETY: the buffer is valid.
    assert_eq!(unsafe { call.Begin_Push(b"abc".as_ptr(), 3) }, S_OK);
}

fn wait_on(sync: &ISynchronize, ms: u32) -> HRESULT {
    // SAFETY: no pointers.
    unsafe { sync.Wait(COWAIT_DEFAULT, ms) }
}

fn handle_of(sync: &ISynchronize) -> HANDLE {
    let mut handle = HANDLE::NULL;
    // SAFETY: the pointer is valid.
    assert_eq!(unsafe { sync.cast::<ISynchronizeHandle>().unwrap().GetHandle(&mut handle) }, S_OK);
    handle
}

#[test]
fn pat_01_basic() {
    setting(false, |it| {
        let (call, _) = create_call(&it.pipe);
        begin_pull(&call);
        it.log.say("client works");
        it.go.set();
        assert_eq!(finish_pull(&call), (S_OK, b"slow!".to_vec()));
        let lines = it.log.lines();
        let at = |wanted: &str| lines.iter().position(|line| line == wanted).expect("logged");
        assert!(at("client works") < at("Pull ends"));
    });
}

#[test]
fn pat_02_fire_and_forget() {
    setting(false, |it| {
        let (call, sync) = create_call(&it.pipe);
        begin_push(&call);
        drop((call, sync));
        it.log.say("abandoned");
        it.go.set();
        it.log.wait_for("Push ends with abc");
        let lines = it.log.lines();
        let at = |wanted: &str| lines.iter().position(|line| line == wanted).expect("logged");
        assert!(at("Push starts") < at("Push ends with abc") && at("abandoned") < at("Push ends with abc"));
    });
}

#[test]
fn pat_03_bounded_wait_then_abandon() {
    setting(false, |it| {
        let (call, sync) = create_call(&it.pipe);
        begin_pull(&call);
        assert_ne!(wait_on(&sync, 25), S_OK);
        drop((call, sync));
        it.go.set();
        it.log.wait_for("Pull ends");
    });
}

#[test]
fn pat_04_bounded_wait_then_cancel() {
    setting(true, |it| {
        let (call, sync) = create_call(&it.pipe);
        begin_pull(&call);
        assert_eq!(wait_on(&sync, 25), RPC_S_CALLPENDING);
        let cancel: ICancelMethodCalls = call.cast().unwrap();
        // SAFETY: no pointers.
        assert_eq!(unsafe { cancel.Cancel(0) }, S_OK);
        it.log.wait_for("Pull stops early");
        assert_eq!(finish_pull(&call).0, RPC_S_CALL_CANCELLED_HR);
    });
}

#[test]
fn pat_05_polling_loop() {
    setting(false, |it| {
        let (call, sync) = create_call(&it.pipe);
        begin_pull(&call);
        let mut polls = 0;
        // PIT-01: compared for equality, because the code counts as a failure.
        while wait_on(&sync, 0) == RPC_S_CALLPENDING {
            polls += 1;
            if polls == 100 {
                it.go.set();
            }
            std::thread::yield_now();
        }
        assert!(polls >= 100);
        assert_eq!(finish_pull(&call), (S_OK, b"slow!".to_vec()));
    });
}

#[test]
fn pat_06_pat_11_a_hung_server_does_not_hang_a_client_that_has_the_interface() {
    setting(false, |it| {
        // PAT-11: the interface was asked for when the proxy came.
        let (hung, release) = (Event::manual(), Event::manual());
        let stuck = it.host.begin({
            let (hung, release) = (hung.clone(), release.clone());
            move || {
                hung.set();
                wait(&release);
            }
        });
        wait(&hung);
        let (call, sync) = create_call(&it.pipe);
        begin_pull(&call);
        assert_eq!(wait_on(&sync, 1), RPC_S_CALLPENDING);
        let unknown: IUnknown = it.pipe.cast().expect("local, too");
        drop((call, sync, unknown));
        release.set();
        it.go.set();
        stuck.join();
        it.log.wait_for("Pull ends");
    });
}

#[test]
fn pat_06_create_call_on_an_iunknown_proxy_waits_for_the_server() {
    in_process(|| {
        let (host, log, go) = (Apt::sta(), Log::default(), Event::manual());
        go.set();
        let packet = host.run(move || {
            let pipe: IPipeByte = SlowPipe { log, go, honours_cancel: false }.into();
            pack::<IUnknown>(&pipe.cast().unwrap())
        });
        enter(Kind::Mta);
        let unknown = packet.unpack();
        let (hung, release) = (Event::manual(), Event::manual());
        let stuck = host.begin({
            let (hung, release) = (hung.clone(), release.clone());
            move || {
                hung.set();
                wait(&release);
            }
        });
        wait(&hung);
        let created = Arc::new(AtomicU32::new(0));
        let creating = Thread::start("creates", {
            let (unknown, created) = (Sent(unknown.clone()), created.clone());
            move || {
                enter(Kind::Mta);
                let unknown = unknown.take();
                let call = create_call(&unknown);
                created.store(1, Ordering::Release);
                drop((call, unknown));
                leave();
            }
        });
        assert_eq!(created.load(Ordering::Acquire), 0);
        release.set();
        stuck.join();
        creating.join();
        assert_eq!(created.load(Ordering::Acquire), 1);
        drop(unknown);
        host.stop();
        leave();
    });
}

fn wait_for_two(handles: [HANDLE; 2], ms: u32) -> (HRESULT, u32) {
    let mut index = 0xDEAD;
    // SAFETY: valid arguments.
    (unsafe { CoWaitForMultipleHandles(COWAIT_DEFAULT, ms, 2, handles.as_ptr(), &mut index) }, index)
}

#[test]
fn pat_07_first_of_two() {
    in_process(|| {
        enter(Kind::Mta);
        let make = |go: &Arc<Event>| {
            let (host, log, go) = (Apt::sta(), Log::default(), go.clone());
            let packet = host.run(move || pack::<IPipeByte>(&SlowPipe { log, go, honours_cancel: false }.into()));
            (host, packet.unpack())
        };
        let (go_first, go_second) = (Event::manual(), Event::manual());
        let ((host_a, first), (host_b, second)) = (make(&go_first), make(&go_second));
        let ((call_a, sync_a), (call_b, sync_b)) = (create_call(&first), create_call(&second));
        begin_pull(&call_a);
        begin_pull(&call_b);
        let handles = [handle_of(&sync_a), handle_of(&sync_b)];
        assert_eq!(wait_for_two(handles, 1), (RPC_S_CALLPENDING, 0));
        go_second.set();
        assert_eq!(wait_for_two(handles, INFINITE), (S_OK, 1));
        assert_eq!(finish_pull(&call_b), (S_OK, b"slow!".to_vec()));
        assert_eq!(wait_on(&sync_a, 0), RPC_S_CALLPENDING, "the other remains pending");
        go_first.set();
        assert_eq!(finish_pull(&call_a), (S_OK, b"slow!".to_vec()));
        drop((call_a, sync_a, call_b, sync_b, first, second));
        host_a.stop();
        host_b.stop();
        leave();
    });
}

#[test]
fn pat_08_a_duplicated_handle_outlives_the_call_object() {
    setting(false, |it| {
        let (call, sync) = create_call(&it.pipe);
        let mut copy = HANDLE::NULL;
        // SAFETY: valid arguments.
        unsafe {
            let me = GetCurrentProcess();
            let done = DuplicateHandle(me, handle_of(&sync), me, &mut copy, 0, false.into(), DUPLICATE_SAME_ACCESS);
            assert!(done.as_bool());
        }
        begin_pull(&call);
        // SAFETY: an open handle.
        let poll = || unsafe { WaitForSingleObject(copy, 0) };
        assert_eq!(poll(), WAIT_TIMEOUT);
        it.go.set();
        // SAFETY: as above.
        assert_eq!(unsafe { WaitForSingleObject(copy, INFINITE) }, 0);
        assert_eq!(finish_pull(&call), (S_OK, b"slow!".to_vec()));
        drop((call, sync));
        assert_eq!(poll(), 0, "still signalled");
        // SAFETY: closed once.
        assert!(unsafe { CloseHandle(copy) }.as_bool());
    });
}

/// The post's outer object: tells the client in its own apartment.
#[com_class(ISynchronize, blind = inner)]
struct Direct {
    inner: object::Inner,
    log: Log,
}

impl Direct_Impl {
    fn sync(&self) -> windows_core::InterfaceRef<'_, ISynchronize> {
        self.inner.cached::<ISynchronize>().expect("the inner object has it")
    }
}

impl ISynchronize_Impl for Direct_Impl {
    unsafe fn Wait(&self, flags: u32, ms: u32) -> HRESULT {
        // SAFETY: the inner object lives as long as this one.
        unsafe { self.sync().Wait(flags, ms) }
    }
    unsafe fn Signal(&self) -> HRESULT {
        // SAFETY: as above.
        let hr = unsafe { self.sync().Signal() };
        let call: AsyncIPipeByte = self.query().expect("from the inner object");
        let (result, bytes) = finish_pull(&call);
        // SAFETY: no pointers.
        let thread = unsafe { GetCurrentThreadId() };
        self.log.say(format!("{result:?} {} on {thread}", String::from_utf8_lossy(&bytes)));
        hr
    }
    unsafe fn Reset(&self) -> HRESULT {
        self.log.say("Reset");
        // SAFETY: as above.
        unsafe { self.sync().Reset() }
    }
}

#[test]
fn pat_09_direct_callback_in_the_outers_apartment() {
    in_process(|| {
        let (host, go) = (Apt::sta(), Event::manual());
        let packet = host.run({
            let (log, go) = (Log::default(), go.clone());
            move || pack::<IPipeByte>(&SlowPipe { log, go, honours_cancel: false }.into())
        });
        let client = Apt::sta();
        let thread = client.thread_id;
        client.run(move || {
            let log = Log::default();
            let pipe = packet.unpack();
            let factory: ICallFactory = pipe.cast().unwrap();
            let outer = windows_core::ComObject::new(Direct { inner: object::Inner::new(), log: log.clone() });
            // SAFETY: the field is the outer's own, and CreateCall gives the non-delegating unknown.
            let made = unsafe {
                outer.aggregate(&outer.inner, |unknown, iid, ppv| {
                    factory.CreateCall(&AsyncIPipeByte::IID, unknown, iid, ppv)
                })
            };
            made.unwrap();
            let call: AsyncIPipeByte = outer.to_interface::<ISynchronize>().cast().unwrap();
            begin_pull(&call);
            assert_eq!(log.lines(), ["Reset"]);
            // Nobody but COM holds the call any more.
            drop((call, outer));
            go.set();
            log.pump_for(&format!("{S_OK:?} slow! on {thread}"));
        });
        host.stop();
        client.stop();
    });
}

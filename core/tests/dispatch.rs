//! How calls reach an apartment: queues, message loops, re-entrancy, sent messages (facts section 3), and what a pool or an
//! apartment that ends does with them.

#![allow(clippy::undocumented_unsafe_blocks, reason = "tests call COM by its rules, as its users do")]

#[path = "common/probe.rs"]
mod probe;
#[path = "common/rooms.rs"]
mod rooms;
#[path = "common/windows.rs"]
mod windows;

use oleander::windows_core::{HRESULT, IUnknown, Interface};
use oleander::*;
use probe::*;
use rooms::*;
use std::cell::{Cell, RefCell};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use windows::*;

fn host(room: &Room, lives: &Lives) -> Packet {
    let lives = lives.clone();
    room.run(move || pack(&probe(&lives)))
}

fn host_that(room: &Room, lives: &Lives, action: impl Fn(u32) -> HRESULT + Send + 'static) -> Packet {
    let lives = lives.clone();
    room.run(move || pack(&probe_that(&lives, action)))
}

/// A call object of a proxy.
fn call_of(proxy: &IProbe) -> AsyncIProbe {
    let factory: ICallFactory = query(proxy).unwrap();
    let mut raw = null_mut();
    let iid = &AsyncIProbe::IID;
    unsafe {
        assert_eq!(factory.CreateCall(iid, null_mut(), iid, &mut raw), S_OK);
        AsyncIProbe::from_raw(raw)
    }
}

/// Whether a call object is signalled.
fn is_done(call: &AsyncIProbe) -> bool {
    match unsafe { query::<ISynchronize>(call).unwrap().Wait(COWAIT_DEFAULT, 0) } {
        S_OK => true,
        hr => {
            assert_eq!(hr, RPC_S_CALLPENDING);
            false
        }
    }
}

/// Keeps a room busy outside of every wait of COM until the event is set.
fn occupy(room: &Room) -> (HANDLE, Pending<()>) {
    let go = event(true, false);
    let own = Carry(go);
    (go, room.start(move || wait_for(own.take())))
}

fn set(handle: HANDLE) {
    assert!(unsafe { SetEvent(handle) }.as_bool());
}

fn close(handle: HANDLE) {
    assert!(unsafe { CloseHandle(handle) }.as_bool());
}

#[test]
fn msg_02_one_at_a_time_in_order_on_the_stas_thread() {
    world(|world| {
        let lives = Lives::default();
        let (server, client) = (world.sta(), world.mta());
        let log = Arc::new(Mutex::new(Vec::new()));
        let (written, at) = (log.clone(), server.thread);
        let inside = Cell::new(false);
        let packet = host_that(&server, &lives, move |what| {
            assert!(!inside.replace(true), "one at a time");
            assert_eq!(unsafe { GetCurrentThreadId() }, at);
            written.lock().unwrap().push(what);
            inside.set(false);
            S_OK
        });
        let (go, busy) = occupy(&server);
        let calls = client.run(move || {
            let proxy: IProbe = unpack(packet);
            let calls: Vec<_> = (0..20).map(|_| call_of(&proxy)).collect();
            for (what, call) in (0..).zip(&calls) {
                assert_eq!(unsafe { call.Begin_Do(what) }, S_OK);
            }
            Carry(calls)
        });
        set(go);
        busy.wait();
        client.run(move || {
            for call in calls.take() {
                assert_eq!(unsafe { call.Finish_Do() }, S_OK);
            }
        });
        assert_eq!(*log.lock().unwrap(), (0..20).collect::<Vec<_>>());
        close(go);
        assert_eq!(lives.now(), 0);
        server.close();
        client.close();
    });
}

#[test]
fn msg_03_04_an_sta_is_entered_again_while_it_calls_out() {
    world(|world| {
        let lives = Lives::default();
        let (server, client) = (world.sta(), world.sta());
        let packet = host(&server, &lives);
        let (at, own) = (server.thread, lives.clone());
        client.run(move || {
            let proxy: IProbe = unpack(packet);
            let back = proxy.clone();
            // The server waits for this object, and is called by it meanwhile.
            let mine = probe_that(&own, move |_| {
                assert_eq!(thread_of(&back), at);
                S_FALSE
            });
            assert_eq!(unsafe { proxy.Forward((&mine).into(), 0) }, S_FALSE);
        });
        assert_eq!(lives.now(), 0);
        server.close();
        client.close();
    });
}

#[test]
fn msg_03_a_long_way_down() {
    // Each call goes to the other apartment, until there is nothing left to count.
    world(|world| {
        let lives = Lives::default();
        let (one, two) = (world.sta(), world.sta());
        type Other = RefCell<Option<IProbe>>;
        let make = |room: &Room| {
            let lives = lives.clone();
            room.run(move || {
                let other = std::rc::Rc::new(Other::default());
                let next = other.clone();
                let object = probe_that(&lives, move |what| match (what, &*next.borrow()) {
                    (0, _) | (_, None) => HRESULT(0x77),
                    (what, Some(other)) => unsafe { other.Do(what - 1) },
                });
                let packet = pack(&object);
                (packet, Carry((object, other)))
            })
        };
        let (to_one, first) = make(&one);
        let (to_two, second) = make(&two);
        let connect = |room: &Room, ends: Carry<(IProbe, std::rc::Rc<Other>)>, packet: Packet| {
            room.run(move || {
                let (object, other) = ends.take();
                *other.borrow_mut() = Some(unpack(packet));
                Carry((object, other))
            })
        };
        let first = connect(&one, first, to_two);
        let second = connect(&two, second, to_one);
        let first = one.run(move || {
            let (object, other) = first.take();
            assert_eq!(unsafe { object.Do(60) }, HRESULT(0x77));
            Carry((object, other))
        });
        for (room, ends) in [(&one, first), (&two, second)] {
            room.run(move || {
                let (object, other) = ends.take();
                let proxy = other.borrow_mut().take();
                drop((proxy, object));
            });
        }
        assert_eq!(lives.now(), 0);
        one.close();
        two.close();
    });
}

#[test]
fn msg_04_two_stas_that_call_each_other() {
    world(|world| {
        let lives = Lives::default();
        let (one, two) = (world.sta(), world.sta());
        let (to_one, to_two) = (host(&one, &lives), host(&two, &lives));
        let calls = |room: &Room, packet: Packet, at: u32| {
            room.start(move || {
                let proxy: IProbe = unpack(packet);
                for _ in 0..100 {
                    assert_eq!(thread_of(&proxy), at);
                }
            })
        };
        let (first, second) = (calls(&one, to_two, two.thread), calls(&two, to_one, one.thread));
        first.wait();
        second.wait();
        assert_eq!(lives.now(), 0);
        one.close();
        two.close();
    });
}

#[test]
fn msg_05_an_mta_thread_that_calls_out_serves_nobody() {
    world(|world| {
        let lives = Lives::default();
        let (server, client) = (world.sta(), world.mta());
        let packet = host(&server, &lives);
        let own = lives.clone();
        client.run(move || {
            let proxy: IProbe = unpack(packet);
            let here = unsafe { GetCurrentThreadId() };
            let mine = probe_that(&own, move |_| {
                assert_ne!(unsafe { GetCurrentThreadId() }, here);
                S_FALSE
            });
            assert_eq!(unsafe { proxy.Forward((&mine).into(), 0) }, S_FALSE);
        });
        assert_eq!(lives.now(), 0);
        server.close();
        client.close();
    });
}

#[test]
fn msg_06_methods_of_the_mta_run_at_once() {
    world(|world| {
        let lives = Lives::default();
        let server = world.mta();
        let all_here = event(true, false);
        let (here, gate) = (AtomicU32::new(0), Carry(all_here));
        let packet = host_that(&server, &lives, move |_| {
            // Three calls that wait for each other: they run at once or never end.
            let gate = &gate;
            if here.fetch_add(1, Ordering::SeqCst) == 2 {
                set(gate.0);
            }
            wait_for(gate.0);
            S_OK
        });
        let table = packet.take();
        let shared = Carry(unsafe { IStream::from_raw(table) });
        let proxy = server.run(move || {
            let stream = shared.take();
            let mut raw = null_mut();
            unsafe { assert_eq!(CoUnmarshalInterface(stream.as_raw(), &IProbe::IID, &mut raw), S_OK) };
            Arc::new(Carry(unsafe { IProbe::from_raw(raw) }))
        });
        let clients: Vec<_> = (0..3)
            .map(|_| {
                let room = world.sta();
                let own = proxy.clone();
                let packet = server.run(move || pack(&own.0));
                let done = room.start(move || assert_eq!(unsafe { unpack::<IProbe>(packet).Do(0) }, S_OK));
                (room, done)
            })
            .collect();
        for (room, done) in clients {
            done.wait();
            room.close();
        }
        server.run(move || drop(proxy));
        assert_eq!(lives.now(), 0);
        close(all_here);
        server.close();
    });
}

#[test]
fn msg_07_16_a_call_waits_for_the_message_loop() {
    world(|world| {
        let lives = Lives::default();
        let (server, client) = (world.sta(), world.mta());
        let ran = Arc::new(AtomicU32::new(0));
        let own = ran.clone();
        let packet = host_that(&server, &lives, move |_| {
            own.fetch_add(1, Ordering::SeqCst);
            S_OK
        });
        let (go, busy) = occupy(&server);
        let call = client.run(move || {
            let proxy: IProbe = unpack(packet);
            let call = call_of(&proxy);
            assert_eq!(unsafe { call.Begin_Do(0) }, S_OK);
            assert!(!is_done(&call));
            Carry(call)
        });
        assert_eq!(ran.load(Ordering::SeqCst), 0);
        set(go);
        busy.wait();
        client.run(move || assert_eq!(unsafe { call.take().Finish_Do() }, S_OK));
        assert_eq!((ran.load(Ordering::SeqCst), lives.now()), (1, 0));
        close(go);
        server.close();
        client.close();
    });
}

#[test]
fn msg_01_13_a_call_is_a_message() {
    world(|world| {
        let lives = Lives::default();
        let (server, client) = (world.sta(), world.mta());
        let ran = Arc::new(AtomicU32::new(0));
        let own = ran.clone();
        let packet = host_that(&server, &lives, move |_| {
            own.fetch_add(1, Ordering::SeqCst);
            S_OK
        });
        let proxy = client.run(move || Carry(unpack::<IProbe>(packet)));
        let (go, own) = (event(true, false), ran.clone());
        let begun = Carry(go);
        let served = server.start(move || unsafe {
            wait_for(begun.take());
            let mut msg = MSG::default();
            assert!(PeekMessageW(&mut msg, HWND::NULL, 0, 0, PM_NOREMOVE).as_bool());
            assert_ne!(msg.hwnd, HWND::NULL, "it has a window: the apartment's own");
            assert_eq!(own.load(Ordering::SeqCst), 0, "a peek does not run it");
            let mut other = MSG::default();
            assert!(!PeekMessageW(&mut other, msg.hwnd, WM_APP, WM_APP, PM_REMOVE).as_bool(), "nor another filter");
            assert!(GetMessageW(&mut msg, msg.hwnd, 0, 0).as_bool());
            assert_eq!(own.load(Ordering::SeqCst), 0, "retrieved, not dispatched");
            DispatchMessageW(&msg);
            assert_eq!(own.load(Ordering::SeqCst), 1);
            DispatchMessageW(&msg);
            assert_eq!(own.load(Ordering::SeqCst), 1, "once only");
        });
        client.run(move || {
            let proxy = proxy.take();
            let call = call_of(&proxy);
            assert_eq!(unsafe { call.Begin_Do(0) }, S_OK);
            set(go);
            assert_eq!(unsafe { call.Finish_Do() }, S_OK);
        });
        served.wait();
        assert_eq!(lives.now(), 0);
        close(go);
        server.close();
        client.close();
    });
}

unsafe extern "system" fn answers(hwnd: HWND, message: u32, wparam: WPARAM, lparam: LPARAM) -> LRESULT {
    match message {
        WM_USER => 1234,
        _ => unsafe { DefWindowProcW(hwnd, message, wparam, lparam) },
    }
}

#[test]
fn msg_09_mf_08_a_message_sent_to_the_blocked_caller() {
    world(|world| {
        let lives = Lives::default();
        let (server, client) = (world.sta(), world.sta());
        let window = Carry(client.run(|| Carry(window_with(answers))).take());
        let packet = host_that(&server, &lives, move |_| {
            let window = &window;
            assert_eq!(unsafe { SendMessageW(window.0, WM_USER, 0, 0) }, 1234);
            S_OK
        });
        client.run(move || assert_eq!(unsafe { unpack::<IProbe>(packet).Do(0) }, S_OK));
        assert_eq!(lives.now(), 0);
        server.close();
        client.close();
    });
}

thread_local! {
    static OUT: RefCell<Option<IProbe>> = const { RefCell::new(None) };
    static GOT: RefCell<Vec<HRESULT>> = const { RefCell::new(Vec::new()) };
}

unsafe extern "system" fn calls_out(hwnd: HWND, message: u32, wparam: WPARAM, lparam: LPARAM) -> LRESULT {
    if message == WM_USER
        && let Some(proxy) = OUT.with_borrow(Clone::clone)
    {
        let method = unsafe { proxy.Do(0) };
        let asked = query::<IOther>(&proxy).unwrap_err();
        GOT.with_borrow_mut(|got| got.extend([method, asked]));
    }
    unsafe { DefWindowProcW(hwnd, message, wparam, lparam) }
}

#[test]
fn msg_10_no_calls_while_a_sent_message_is_handled() {
    world(|world| {
        let lives = Lives::default();
        let (server, client) = (world.sta(), world.sta());
        let window = Carry(client.run(|| Carry(window_with(calls_out))).take());
        let to_other = host(&server, &lives);
        let packet = host_that(&server, &lives, move |_| {
            let window = &window;
            unsafe { SendMessageW(window.0, WM_USER, 0, 0) };
            S_OK
        });
        client.run(move || unsafe {
            let proxy: IProbe = unpack(packet);
            OUT.set(Some(unpack(to_other)));
            assert_eq!(proxy.Do(0), S_OK);
            let refused = RPC_E_CANTCALLOUT_ININPUTSYNCCALL;
            assert_eq!(GOT.take(), [refused, refused]);
            // A message that the thread sends to itself, and a posted one, are no such thing.
            let own = window_with(calls_out);
            SendMessageW(own, WM_USER, 0, 0);
            assert_eq!(GOT.take(), [S_OK, E_NOINTERFACE]);
            OUT.set(None);
        });
        assert_eq!(lives.now(), 0);
        server.close();
        client.close();
    });
}

#[test]
fn msg_11_cm_12_a_quit_does_not_disturb_a_call() {
    world(|world| {
        let lives = Lives::default();
        let (server, client) = (world.sta(), world.sta());
        let packet = host_that(&server, &lives, |_| S_FALSE);
        client.run(move || unsafe {
            let proxy: IProbe = unpack(packet);
            PostQuitMessage(7);
            assert_eq!(proxy.Do(0), S_FALSE);
            let mut msg = MSG::default();
            assert!(!GetMessageW(&mut msg, HWND::NULL, 0, 0).as_bool());
            assert_eq!((msg.message, msg.wParam), (WM_QUIT, 7), "and is not lost");
        });
        assert_eq!(lives.now(), 0);
        server.close();
        client.close();
    });
}

#[test]
fn ma_24_calls_that_are_queued_when_their_sta_ends() {
    world(|world| {
        let lives = Lives::default();
        let client = world.mta();
        let go = event(true, false);
        let ran = Arc::new(AtomicU32::new(0));
        let (own, counted, begun) = (ran.clone(), lives.clone(), Carry(go));
        let (send, receive) = std::sync::mpsc::channel();
        let (after, is_after) = std::sync::mpsc::channel();
        let (stay, leave) = std::sync::mpsc::channel::<()>();
        let server = world.thread(move || unsafe {
            assert_eq!(CoInitializeEx(null_mut(), COINIT_APARTMENTTHREADED), S_OK);
            let object = probe_that(&counted, move |_| {
                own.fetch_add(1, Ordering::SeqCst);
                S_OK
            });
            send.send(pack(&object)).unwrap();
            wait_for(begun.take());
            // One of the calls has been retrieved and not dispatched.
            let mut msg = MSG::default();
            assert!(PeekMessageW(&mut msg, HWND::NULL, 0, 0, PM_REMOVE).as_bool());
            let before = count(&object);
            assert!(before > 1);
            CoUninitialize();
            assert_eq!(count(&object), 1, "back to its own");
            after.send(()).unwrap();
            leave.recv().ok();
        });
        let packet = receive.recv_timeout(HANG).unwrap();
        let calls = client.run(move || {
            let proxy: IProbe = unpack(packet);
            let calls: Vec<_> = (0..10).map(|_| call_of(&proxy)).collect();
            for call in &calls {
                assert_eq!(unsafe { call.Begin_Do(0) }, S_OK);
                assert!(!is_done(call));
            }
            Carry((proxy, calls))
        });
        set(go);
        is_after.recv_timeout(HANG).unwrap();
        client.run(move || unsafe {
            let (proxy, calls) = calls.take();
            for call in &calls {
                assert!(is_done(call), "before CoUninitialize returned");
                assert_eq!(call.Finish_Do(), RPC_E_DISCONNECTED);
            }
            assert_eq!(proxy.Do(0), RPC_S_UNKNOWN_IF_HR, "and later ones do not get there");
            assert_eq!(calls[0].Begin_Do(0), S_OK);
            assert_eq!(calls[0].Finish_Do(), RPC_S_UNKNOWN_IF_HR);
        });
        drop(stay);
        server.wait();
        assert_eq!((ran.load(Ordering::SeqCst), lives.now()), (0, 0));
        close(go);
        client.close();
    });
}

#[test]
fn a_method_that_leaves_its_own_apartment() {
    world(|world| {
        let lives = Lives::default();
        let (server, client) = (world.sta(), world.mta());
        let packet = host_that(&server, &lives, |_| {
            unsafe { CoUninitialize() };
            S_FALSE
        });
        client.run(move || unsafe {
            let proxy: IProbe = unpack(packet);
            assert_eq!(proxy.Do(0), S_FALSE, "the running call finishes");
            assert_eq!(proxy.Do(0), RPC_S_UNKNOWN_IF_HR);
        });
        // One CoUninitialize too many for the room.
        server.close();
        assert_eq!(lives.now(), 0);
        client.close();
    });
}

#[test]
fn the_mta_ends_when_the_methods_that_run_have_ended() {
    world(|world| {
        let lives = Lives::default();
        let (server, client) = (world.mta(), world.sta());
        let (entered, go) = (event(true, false), event(true, false));
        let handles = Carry((entered, go));
        let packet = host_that(&server, &lives, move |_| {
            let handles = &handles;
            let (entered, go) = handles.0;
            set(entered);
            wait_for(go);
            S_FALSE
        });
        let calling = client.start(move || unsafe {
            let proxy: IProbe = unpack(packet);
            assert_eq!(proxy.Do(0), S_FALSE, "it finishes first");
            Carry(proxy)
        });
        wait_for(entered);
        let mut ended = server.close_later();
        assert!(ended.is_pending());
        set(go);
        ended.wait();
        let proxy = calling.wait();
        assert_eq!(lives.now(), 0);
        client.run(move || assert_eq!(unsafe { proxy.take().Do(0) }, RPC_S_UNKNOWN_IF_HR));
        close(entered);
        close(go);
        client.close();
    });
}

#[test]
fn an_sta_that_ends_the_mta_serves_it_meanwhile() {
    world(|world| {
        let lives = Lives::default();
        let (sta, client) = (world.sta(), world.sta());
        let cookie = sta.run(|| unsafe {
            let mut cookie = null_mut();
            assert_eq!(CoIncrementMTAUsage(&mut cookie), S_OK);
            Carry(cookie)
        });
        let (entered, go) = (event(true, false), event(true, false));
        let back = host(&sta, &lives);
        let (own, handles) = (lives.clone(), Carry((entered, go)));
        // An object of the MTA whose method calls the STA that is ending the MTA.
        let packet = world
            .thread(move || {
                let to_sta = Carry(unpack::<IProbe>(back));
                pack(&probe_that(&own, move |_| {
                    let (to_sta, handles) = (&to_sta, &handles);
                    set(handles.0.0);
                    wait_for(handles.0.1);
                    unsafe { to_sta.0.Do(0) }
                }))
            })
            .wait();
        let calling = client.start(move || assert_eq!(unsafe { unpack::<IProbe>(packet).Do(0) }, S_OK));
        wait_for(entered);
        let handle = Carry(go);
        let ending = sta.start(move || {
            set(handle.take());
            assert_eq!(unsafe { CoDecrementMTAUsage(cookie.take()) }, S_OK);
        });
        ending.wait();
        calling.wait();
        assert_eq!(lives.now(), 0);
        close(entered);
        close(go);
        sta.close();
        client.close();
    });
}

#[test]
fn msg_18_more_calls_than_workers_queue_and_finish() {
    const CALLS: u32 = 600;
    const WORKERS: u32 = 512;
    world(|world| {
        let lives = Lives::default();
        let (server, client) = (world.mta(), world.sta());
        let (full, go) = (event(true, false), event(true, false));
        let (inside, most) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
        let (now, peak, handles) = (inside.clone(), most.clone(), Carry((full, go)));
        let packet = host_that(&server, &lives, move |_| {
            let handles = &handles;
            let count = now.fetch_add(1, Ordering::SeqCst) + 1;
            peak.fetch_max(count, Ordering::SeqCst);
            if count == WORKERS {
                set(handles.0.0);
            }
            wait_for(handles.0.1);
            now.fetch_sub(1, Ordering::SeqCst);
            S_OK
        });
        let calls = client.run(move || {
            let proxy: IProbe = unpack(packet);
            let calls: Vec<_> = (0..CALLS).map(|_| call_of(&proxy)).collect();
            for call in &calls {
                assert_eq!(unsafe { call.Begin_Do(0) }, S_OK);
            }
            Carry(calls)
        });
        wait_for(full);
        assert_eq!(most.load(Ordering::SeqCst), WORKERS, "each that blocks gives its place up, 512 threads in all");
        set(go);
        client.run(move || {
            for call in calls.take() {
                assert_eq!(unsafe { call.Finish_Do() }, S_OK);
            }
        });
        assert_eq!(most.load(Ordering::SeqCst), WORKERS);
        assert_eq!(lives.now(), 0);
        close(full);
        close(go);
        server.close();
        client.close();
    });
}

#[test]
fn a_server_that_panics_lives_on() {
    world(|world| {
        let lives = Lives::default();
        for server in [world.sta(), world.mta()] {
            let client = world.sta();
            let packet = host_that(&server, &lives, |what| if what == 0 { panic!("told to") } else { S_FALSE });
            client.run(move || unsafe {
                let proxy: IProbe = unpack(packet);
                for _ in 0..3 {
                    assert_eq!(proxy.Do(0), RPC_E_SERVERFAULT);
                    assert_eq!(proxy.Do(1), S_FALSE);
                }
                let unknown: IUnknown = query(&proxy).unwrap();
                drop(unknown);
            });
            assert_eq!(lives.now(), 0);
            server.close();
            client.close();
        }
    });
}

#[test]
fn ctx_02_to_05_the_context_inside_a_call() {
    world(|world| {
        let lives = Lives::default();
        let (server, client) = (world.sta(), world.sta());
        let packet = host_that(&server, &lives, |_| unsafe {
            let (mut raw, mut old) = (null_mut(), 0x10 as *mut std::ffi::c_void);
            let cancel = || {
                let mut raw = null_mut();
                let hr = CoGetCallContext(&ICancelMethodCalls::IID, &mut raw);
                (hr == S_OK).then(|| ICancelMethodCalls::from_raw(raw)).ok_or(hr)
            };
            assert_eq!(cancel().unwrap().TestCancel(), RPC_S_CALLPENDING);
            assert_eq!(CoGetCallContext(&IOther::IID, &mut raw), E_NOINTERFACE);
            let mine: IUnknown = query(&probe(&Lives::default())).unwrap();
            assert_eq!(CoSwitchCallContext(mine.as_raw(), &mut old), S_OK);
            assert_eq!((old, count(&mine)), (null_mut(), 1));
            assert_eq!(cancel().unwrap_err(), E_NOINTERFACE, "the switched object is asked");
            assert_eq!(CoGetCallContext(&IUnknown::IID, &mut raw), S_OK);
            assert_eq!(IUnknown::from_raw(raw), mine);
            assert_eq!(CoSwitchCallContext(null_mut(), &mut old), S_OK);
            assert_eq!((old, count(&mine)), (mine.as_raw(), 1));
            assert_eq!(cancel().unwrap().TestCancel(), RPC_S_CALLPENDING, "the call's own again");
            assert_eq!(CoTestCancel(), RPC_S_CALLPENDING);
            S_OK
        });
        client.run(move || assert_eq!(unsafe { unpack::<IProbe>(packet).Do(0) }, S_OK));
        server.run(|| assert_eq!(unsafe { CoTestCancel() }, RPC_E_CALL_COMPLETE, "outside the call"));
        assert_eq!(lives.now(), 0);
        server.close();
        client.close();
    });
}

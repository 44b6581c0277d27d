//! Message filters (facts section 13; MF of the oracle cases). Waits between tries in virtual time are the simulator's.

#![allow(clippy::undocumented_unsafe_blocks, reason = "tests call COM by its rules, as its users do")]

#[path = "common/probe.rs"]
mod probe;
#[path = "common/rooms.rs"]
mod rooms;
#[path = "common/windows.rs"]
mod windows;

use oleander::windows_core::{GUID, HRESULT, IUnknown, Interface};
use oleander::*;
use probe::*;
use rooms::*;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::ffi::c_void;
use std::ptr::null_mut;
use std::rc::Rc;
use windows::*;

/// What a filter says and what it was asked.
#[derive(Default)]
struct Script {
    incoming: RefCell<VecDeque<u32>>,
    retries: RefCell<VecDeque<u32>>,
    pending: RefCell<VecDeque<u32>>,
    log: RefCell<Vec<(&'static str, u32)>>,
    /// What the filter tries while it is asked.
    during: RefCell<Option<IProbe>>,
    got: RefCell<Vec<HRESULT>>,
    /// Cuts off the object that a call is for.
    cuts: Cell<bool>,
}

#[com_class(IMessageFilter)]
struct Filter(Rc<Script>);

impl Filter_Impl {
    fn answer(&self, what: &'static str, kind: u32, from: &RefCell<VecDeque<u32>>, otherwise: u32) -> u32 {
        self.0.log.borrow_mut().push((what, kind));
        let during = self.0.during.borrow().clone();
        if let Some(during) = during {
            let (method, asked) = (unsafe { during.Do(0) }, query::<IOther>(&during).unwrap_err());
            self.0.got.borrow_mut().extend([method, asked]);
        }
        from.borrow_mut().pop_front().unwrap_or(otherwise)
    }
}

impl IMessageFilter_Impl for Filter_Impl {
    unsafe fn HandleInComingCall(&self, kind: u32, _: HANDLE, _: u32, info: *const INTERFACEINFO) -> u32 {
        let info = unsafe { &*info };
        assert!(!info.pUnk.is_null());
        assert_eq!((info.iid, info.wMethod >= 3), (IProbe::IID, true));
        if self.0.cuts.get() {
            assert_eq!(unsafe { CoDisconnectObject(info.pUnk, 0) }, S_OK);
        }
        self.answer("in", kind, &self.0.incoming, SERVERCALL_ISHANDLED)
    }
    unsafe fn RetryRejectedCall(&self, _: HANDLE, _: u32, kind: u32) -> u32 {
        self.answer("retry", kind, &self.0.retries, u32::MAX)
    }
    unsafe fn MessagePending(&self, _: HANDLE, _: u32, kind: u32) -> u32 {
        self.answer("pending", kind, &self.0.pending, PENDINGMSG_WAITDEFPROCESS)
    }
}

thread_local! {
    static SCRIPT: Rc<Script> = Rc::default();
}

/// The script of the calling thread's filter.
fn script() -> Rc<Script> {
    SCRIPT.with(Clone::clone)
}

fn register(filter: *mut c_void) -> (HRESULT, Option<IMessageFilter>) {
    let mut old = null_mut();
    let hr = unsafe { CoRegisterMessageFilter(filter, &mut old) };
    (hr, (!old.is_null()).then(|| unsafe { IMessageFilter::from_raw(old) }))
}

/// Gives the calling thread a filter.
fn install() {
    let filter: IMessageFilter = Filter(script()).into();
    assert_eq!(register(filter.as_raw()), (S_OK, None));
}

fn uninstall() -> Vec<(&'static str, u32)> {
    let (hr, old) = register(null_mut());
    assert_eq!(hr, S_OK);
    assert_eq!(count(&old.unwrap()), 1);
    script().log.take()
}

fn host(room: &Room, lives: &Lives) -> Packet {
    let lives = lives.clone();
    room.run(move || pack(&probe(&lives)))
}

#[test]
fn mrsh_20_a_call_whose_object_the_filter_cuts_off() {
    world(|world| {
        let (server, client, lives) = (world.sta(), world.sta(), Lives::default());
        let own = lives.clone();
        let packet = server.run(move || {
            install();
            script().cuts.set(true);
            pack(&probe(&own))
        });
        client.run(move || assert_eq!(unsafe { unpack::<IProbe>(packet).Do(0) }, RPC_E_DISCONNECTED));
        server.run(|| assert_eq!(uninstall(), [("in", CALLTYPE_TOPLEVEL)]));
        assert_eq!(lives.now(), 0);
        [server, client].into_iter().for_each(Room::close);
    });
}

#[test]
fn mf_01_02_one_filter_for_an_sta() {
    world(|world| {
        let mut untouched = 0x10 as *mut c_void;
        assert_eq!(unsafe { CoRegisterMessageFilter(null_mut(), &mut untouched) }, CO_E_NOT_SUPPORTED);
        assert_eq!(untouched.addr(), 0x10);
        let (mta, sta) = (world.mta(), world.sta());
        mta.run(|| assert_eq!(register(null_mut()).0, CO_E_NOT_SUPPORTED));
        assert_eq!(register(null_mut()).0, CO_E_NOT_SUPPORTED, "an implicit MTA thread");
        sta.run(|| {
            let (one, two): (IMessageFilter, IMessageFilter) = (Filter(script()).into(), Filter(script()).into());
            assert_eq!(register(null_mut()), (S_OK, None));
            assert_eq!(register(one.as_raw()), (S_OK, None));
            assert_eq!(count(&one), 2, "counted");
            let (hr, old) = register(two.as_raw());
            assert_eq!((hr, old.as_ref()), (S_OK, Some(&one)));
            drop(old);
            assert_eq!(count(&one), 1);
            assert_eq!(unsafe { CoRegisterMessageFilter(one.as_raw(), null_mut()) }, S_OK);
            assert_eq!((count(&one), count(&two)), (2, 1));
            // The last one is left for CoUninitialize.
        });
        sta.close();
        mta.close();
    });
}

#[test]
fn mf_02_04_refusals_without_a_filter_of_the_caller() {
    world(|world| {
        let lives = Lives::default();
        let (server, client, mta) = (world.sta(), world.sta(), world.mta());
        let packet = host(&server, &lives);
        let second = host(&server, &lives);
        server.run(|| {
            install();
            let each = [SERVERCALL_REJECTED, SERVERCALL_RETRYLATER, SERVERCALL_ISHANDLED];
            script().incoming.borrow_mut().extend(each.repeat(2));
        });
        for (room, packet) in [(&client, packet), (&mta, second)] {
            room.run(move || unsafe {
                let proxy: IProbe = unpack(packet);
                assert_eq!(query::<IOther>(&proxy).unwrap_err(), E_NOINTERFACE, "not filtered (MF-07)");
                assert_eq!(proxy.Do(0), RPC_E_CALL_REJECTED);
                assert_eq!(proxy.Do(0), RPC_E_SERVERCALL_RETRYLATER);
                assert_eq!(proxy.Do(0), S_OK);
            });
        }
        let log = server.run(uninstall);
        assert_eq!(log, [("in", CALLTYPE_TOPLEVEL); 6], "MF-06, MF-07: methods, and nothing else");
        assert_eq!(lives.now(), 0);
        for room in [server, client, mta] {
            room.close();
        }
    });
}

#[test]
fn mf_03_oracle_mf_04_refusals_with_a_filter_of_the_caller() {
    world(|world| {
        let lives = Lives::default();
        let (server, client) = (world.sta(), world.sta());
        let packet = host(&server, &lives);
        server.run(|| {
            install();
            let (no, later) = (SERVERCALL_REJECTED, SERVERCALL_RETRYLATER);
            script().incoming.borrow_mut().extend([no, later, SERVERCALL_ISHANDLED, no, later]);
        });
        client.run(move || unsafe {
            let proxy: IProbe = unpack(packet);
            install();
            script().retries.borrow_mut().extend([0, 99, u32::MAX, u32::MAX]);
            let mine = probe(&Lives::default());
            assert_eq!(proxy.Keep((&query::<IUnknown>(&mine).unwrap()).into()), S_OK, "at once, twice");
            assert_eq!(proxy.Do(0), RPC_E_CALL_REJECTED, "given up");
            assert_eq!(proxy.Keep((&query::<IUnknown>(&mine).unwrap()).into()), RPC_E_CALL_REJECTED);
            assert_eq!(proxy.Keep(None.into()), S_OK);
            assert_eq!(count(&mine), 1, "a refused request gives its references back");
            let (no, later) = (SERVERCALL_REJECTED, SERVERCALL_RETRYLATER);
            assert_eq!(uninstall(), [("retry", no), ("retry", later), ("retry", no), ("retry", later)]);
        });
        assert_eq!(server.run(uninstall).len(), 6);
        assert_eq!(lives.now(), 0);
        server.close();
        client.close();
    });
}

#[test]
fn mf_03_a_wait_before_the_next_try_serves_calls() {
    world(|world| {
        let lives = Lives::default();
        let (server, client, other) = (world.sta(), world.sta(), world.mta());
        let packet = host(&server, &lives);
        let back = host(&client, &lives);
        let served = event(true, false);
        let told = Carry(served);
        server.run(move || {
            install();
            script().incoming.borrow_mut().extend([SERVERCALL_RETRYLATER]);
        });
        let calling = client.start(move || unsafe {
            let proxy: IProbe = unpack(packet);
            install();
            script().retries.borrow_mut().extend([150]);
            let before = GetTickCount64();
            assert_eq!(proxy.Do(0), S_OK);
            assert!(GetTickCount64() - before >= 149);
            uninstall()
        });
        other.run(move || {
            assert_eq!(unsafe { unpack::<IProbe>(back).Do(0) }, S_OK);
            assert!(unsafe { SetEvent(told.take()) }.as_bool());
        });
        wait_for(served);
        let log = calling.wait();
        assert!(log.contains(&("retry", SERVERCALL_RETRYLATER)));
        assert_eq!(server.run(uninstall).len(), 2);
        assert_eq!(lives.now(), 0);
        assert!(unsafe { CloseHandle(served) }.as_bool());
        for room in [server, client, other] {
            room.close();
        }
    });
}

#[test]
fn mf_05_asynchronous_calls_are_dispatched_whatever_the_filter_says() {
    world(|world| {
        let lives = Lives::default();
        let (server, client) = (world.sta(), world.mta());
        let packet = host(&server, &lives);
        server.run(|| {
            install();
            script().incoming.borrow_mut().extend([SERVERCALL_REJECTED, SERVERCALL_RETRYLATER]);
        });
        client.run(move || unsafe {
            let proxy: IProbe = unpack(packet);
            let factory: ICallFactory = query(&proxy).unwrap();
            let (mut raw, iid) = (null_mut(), &AsyncIProbe::IID);
            assert_eq!(factory.CreateCall(iid, null_mut(), iid, &mut raw), S_OK);
            let call = AsyncIProbe::from_raw(raw);
            for _ in 0..2 {
                assert_eq!(call.Begin_Do(0), S_OK);
                assert_eq!(call.Finish_Do(), S_OK);
            }
        });
        assert_eq!(server.run(uninstall), [("in", CALLTYPE_ASYNC); 2]);
        assert_eq!(lives.now(), 0);
        server.close();
        client.close();
    });
}

#[test]
fn oracle_mf_06_07_nested_calls_and_calls_of_others() {
    world(|world| {
        let lives = Lives::default();
        let (server, client, stranger) = (world.sta(), world.sta(), world.mta());
        let to_client = host(&client, &lives);
        let (at_work, go) = (event(true, false), event(true, false));
        let handles = Carry((at_work, go));
        let own = lives.clone();
        let packet = server.run(move || {
            pack(&probe_that(&own, move |what| unsafe {
                let handles = &handles;
                if what == 1 {
                    assert!(SetEvent(handles.0.0).as_bool());
                    co_wait_for(handles.0.1);
                }
                S_OK
            }))
        });
        let own = lives.clone();
        let calling = client.start(move || unsafe {
            let proxy: IProbe = unpack(packet);
            install();
            // Its own call comes back: nested. A stranger's comes during another call.
            assert_eq!(proxy.Forward((&probe(&own)).into(), 0), S_OK);
            assert_eq!(proxy.Do(1), S_OK);
            uninstall()
        });
        wait_for(at_work);
        stranger.run(move || assert_eq!(unsafe { unpack::<IProbe>(to_client).Do(0) }, S_OK));
        assert!(unsafe { SetEvent(go) }.as_bool());
        assert_eq!(calling.wait(), [("in", CALLTYPE_NESTED), ("in", CALLTYPE_TOPLEVEL_CALLPENDING)]);
        assert_eq!(lives.now(), 0);
        for handle in [at_work, go] {
            assert!(unsafe { CloseHandle(handle) }.as_bool());
        }
        for room in [server, client, stranger] {
            room.close();
        }
    });
}

#[test]
fn mf_08_no_calls_from_inside_a_filter() {
    world(|world| {
        let lives = Lives::default();
        let (server, client) = (world.sta(), world.sta());
        let (packet, second) = (host(&server, &lives), host(&client, &lives));
        client.run(move || unsafe {
            let proxy: IProbe = unpack(packet);
            install();
            *script().during.borrow_mut() = Some(proxy.clone());
            // The server calls back, so the client's filter is asked.
            let mine: IProbe = unpack(second);
            assert_eq!(proxy.Forward((&mine).into(), 0), S_OK);
            let refused = RPC_E_CANTCALLOUT_INEXTERNALCALL;
            assert_eq!(script().got.take(), [refused, refused]);
            *script().during.borrow_mut() = None;
            assert_eq!(proxy.Do(0), S_OK);
            uninstall();
        });
        assert_eq!(lives.now(), 0);
        server.close();
        client.close();
    });
}

unsafe extern "system" fn idle(hwnd: HWND, message: u32, wparam: WPARAM, lparam: LPARAM) -> LRESULT {
    unsafe { DefWindowProcW(hwnd, message, wparam, lparam) }
}

#[test]
fn mf_09_cxl_44_window_messages_during_a_call() {
    world(|world| {
        let lives = Lives::default();
        let (server, client) = (world.sta(), world.sta());
        let window = Carry(client.run(|| Carry(window_with(idle))).take());
        let (go, own) = (event(true, false), lives.clone());
        let handle = Carry(go);
        let packet = server.run(move || {
            pack(&probe_that(&own, move |what| {
                let (window, handle) = (&window, &handle);
                if what > 0 {
                    post(window.0, WM_USER);
                }
                if what == 2 {
                    wait_for(handle.0);
                }
                S_OK
            }))
        });
        client.run(move || unsafe {
            let proxy: IProbe = unpack(packet);
            assert_eq!(proxy.Do(1), S_OK, "without a filter nobody asks");
            assert_eq!(left(), [WM_USER]);
            install();
            assert_eq!(proxy.Do(0), S_OK);
            script().pending.borrow_mut().extend([PENDINGMSG_CANCELCALL]);
            // The method does not return before the call is given up.
            assert_eq!(proxy.Do(2), RPC_E_CALL_CANCELED);
            assert_eq!(left(), [WM_USER], "the message stays");
            assert!(SetEvent(go).as_bool());
            assert_eq!(proxy.Do(0), S_OK, "and the next call works");
            let log = uninstall();
            assert_eq!(log[0], ("pending", PENDINGTYPE_TOPLEVEL));
            assert_eq!(log.len(), 1);
        });
        assert_eq!(lives.now(), 0);
        assert!(unsafe { CloseHandle(go) }.as_bool());
        server.close();
        client.close();
    });
}

#[test]
fn a_filter_may_register_another_in_its_last_release() {
    struct Registers;
    impl Drop for Registers {
        fn drop(&mut self) {
            let (hr, old) = register(null_mut());
            assert!([S_OK, CO_E_NOT_SUPPORTED].contains(&hr));
            assert!(old.is_none());
        }
    }
    #[com_class(IMessageFilter)]
    struct Last(#[allow(dead_code, reason = "for its drop")] Registers);
    impl IMessageFilter_Impl for Last_Impl {
        unsafe fn HandleInComingCall(&self, _: u32, _: HANDLE, _: u32, _: *const INTERFACEINFO) -> u32 {
            0
        }
        unsafe fn RetryRejectedCall(&self, _: HANDLE, _: u32, _: u32) -> u32 {
            0
        }
        unsafe fn MessagePending(&self, _: HANDLE, _: u32, _: u32) -> u32 {
            0
        }
    }
    world(|world| {
        let sta = world.sta();
        sta.run(|| {
            let filter: IMessageFilter = Last(Registers).into();
            assert_eq!(register(filter.as_raw()).0, S_OK);
            assert_eq!(unsafe { CoRegisterMessageFilter(null_mut(), null_mut()) }, S_OK);
            drop(filter);
            let filter: IMessageFilter = Last(Registers).into();
            assert_eq!(register(filter.as_raw()).0, S_OK);
        });
        sta.close();
    });
}

/// A call object whose Begin_ fails as a filter would refuse.
#[com_class(AsyncIProbe2, auto(ISynchronize = event : CLSID_ManualResetEvent))]
struct Refuses {
    event: object::AutoInner,
}

/// Does nothing, or not even that.
#[async_interface(uuid = "b6a3d8f0-16a2-4a5e-bb0f-4a9e5a3d7c01", async_uuid = "b6a3d8f0-16a2-4a5e-bb0f-4a9e5a3d7c02")]
unsafe trait IProbe2: IUnknown {
    fn Ask(&self) -> HRESULT;
}

impl AsyncIProbe2_Impl for Refuses_Impl {
    unsafe fn Begin_Ask(&self) -> HRESULT {
        RPC_E_CALL_REJECTED
    }
    unsafe fn Finish_Ask(&self) -> HRESULT {
        S_OK
    }
}

#[com_class(IProbe2, ICallFactory)]
struct RefusingServer;

impl IProbe2_Impl for RefusingServer_Impl {
    unsafe fn Ask(&self) -> HRESULT {
        S_OK
    }
}

impl ICallFactory_Impl for RefusingServer_Impl {
    unsafe fn CreateCall(
        &self,
        _: *const GUID,
        outer: *mut c_void,
        riid2: *const GUID,
        ppv: *mut *mut c_void,
    ) -> HRESULT {
        unsafe { object::create_aggregated(Refuses { event: Default::default() }, outer, riid2, ppv) }
    }
}

#[test]
fn srv_09_a_server_that_fails_like_a_filter_is_not_tried_again() {
    world(|world| {
        let (server, client) = (world.mta(), world.sta());
        let packet = server.run(|| pack::<IProbe2>(&RefusingServer.into()));
        client.run(move || unsafe {
            let proxy: IProbe2 = unpack(packet);
            install();
            script().retries.borrow_mut().push_back(0);
            assert_eq!(proxy.Ask(), RPC_E_CALL_REJECTED);
            assert_eq!(uninstall(), [], "nobody asks the filter");
            script().retries.take();
        });
        server.close();
        client.close();
    });
}

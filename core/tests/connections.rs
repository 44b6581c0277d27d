//! How long the server's side keeps an object, and what it tells the object of it: IExternalConnection,
//! CoLockObjectExternal, CoDisconnectObject (MRSH-09, MRSH-20, MRSH-21; MA-02 to MA-32).

#![allow(clippy::undocumented_unsafe_blocks, reason = "tests call COM by its rules, as its users do")]

#[path = "common/probe.rs"]
mod probe;
#[path = "common/rooms.rs"]
mod rooms;
#[path = "common/tape.rs"]
mod tape;

use oleander::windows_core::{BOOL, HRESULT, IUnknown, Interface, OutRef, Ref};
use oleander::*;
use probe::*;
use rooms::*;
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};
use tape::Tape;

const NORMAL: u32 = MSHLFLAGS_NORMAL;
const STRONG: u32 = MSHLFLAGS_TABLESTRONG;
const WEAK: u32 = MSHLFLAGS_TABLEWEAK;

/// What an object hears of its connections: how many, what the last release said, on which thread.
#[derive(Clone, Default)]
struct Heard(Arc<HeardInner>);

#[derive(Default)]
struct HeardInner {
    external: AtomicI32,
    closes: AtomicU32,
    thread: AtomicU32,
}

impl Heard {
    fn external(&self) -> i32 {
        self.0.external.load(Ordering::SeqCst)
    }
    /// `fLastReleaseCloses` of the last release; none before it.
    fn closes(&self) -> Option<bool> {
        match self.0.closes.load(Ordering::SeqCst) {
            0 => None,
            said => Some(said == 2),
        }
    }
}

/// A probe that listens.
#[com_class(IProbe, IExternalConnection)]
struct Listener {
    inner: IProbe,
    heard: Heard,
}

impl IExternalConnection_Impl for Listener_Impl {
    unsafe fn AddConnection(&self, extconn: u32, reserved: u32) -> u32 {
        assert_eq!((extconn, reserved), (EXTCONN_STRONG, 0));
        self.heard.0.thread.store(unsafe { GetCurrentThreadId() }, Ordering::SeqCst);
        self.heard.0.external.fetch_add(1, Ordering::SeqCst) as u32 + 1
    }
    unsafe fn ReleaseConnection(&self, extconn: u32, reserved: u32, closes: BOOL) -> u32 {
        assert_eq!((extconn, reserved), (EXTCONN_STRONG, 0));
        assert_eq!(self.heard.0.thread.load(Ordering::SeqCst), unsafe { GetCurrentThreadId() }, "in its apartment");
        self.heard.0.closes.store(1 + u32::from(closes.as_bool()), Ordering::SeqCst);
        self.heard.0.external.fetch_sub(1, Ordering::SeqCst) as u32 - 1
    }
}

impl IProbe_Impl for Listener_Impl {
    unsafe fn Thread(&self, id: *mut u32) -> HRESULT {
        unsafe { self.inner.Thread(id) }
    }
    unsafe fn Do(&self, what: u32) -> HRESULT {
        unsafe { self.inner.Do(what) }
    }
    unsafe fn Keep(&self, _: Ref<'_, IUnknown>) -> HRESULT {
        E_NOTIMPL
    }
    unsafe fn Kept(&self, _: OutRef<'_, IUnknown>) -> HRESULT {
        E_NOTIMPL
    }
    unsafe fn KeptAs(&self, _: *const windows_core::GUID, _: *mut *mut c_void) -> HRESULT {
        E_NOTIMPL
    }
    unsafe fn Forward(&self, _: Ref<'_, IProbe>, _: u32) -> HRESULT {
        E_NOTIMPL
    }
    unsafe fn ForwardAs(&self, _: *const windows_core::GUID, _: *mut c_void, _: u32) -> HRESULT {
        E_NOTIMPL
    }
}

/// An object of the calling apartment, with IExternalConnection or without.
fn object(listens: bool, lives: &Lives, heard: &Heard) -> IProbe {
    let inner = probe(lives);
    if listens { Listener { inner, heard: heard.clone() }.into() } else { inner }
}

fn lock(object: &IProbe, locks: bool, last: bool) -> HRESULT {
    unsafe { CoLockObjectExternal(object.as_raw(), locks.into(), last.into()) }
}

/// An STA with a listener or a plain object that only packets keep.
fn hosted<const N: usize>(world: &World, listens: bool, flags: [u32; N]) -> (Room, [Tape; N], Lives, Heard) {
    let (room, lives, heard) = (world.sta(), Lives::default(), Heard::default());
    let (own, listener) = (lives.clone(), heard.clone());
    let tapes = room.run(move || {
        let object = object(listens, &own, &listener);
        flags.map(|flags| {
            let tape = Tape::new();
            assert_eq!(tape.marshal(&object, flags), S_OK);
            tape
        })
    });
    (room, tapes, lives, heard)
}

fn release(room: &Room, tape: &Tape) {
    let tape = tape.clone();
    room.run(move || assert_eq!(tape.release(), S_OK));
}

#[test]
fn ma_02_a_normal_packet_is_one_connection() {
    world(|world| {
        let (sta, [tape], lives, heard) = hosted(world, true, [NORMAL]);
        assert_eq!((lives.now(), heard.external(), heard.closes()), (1, 1, None));
        release(&sta, &tape);
        assert_eq!((lives.now(), heard.external(), heard.closes()), (0, 0, Some(true)));
        sta.close();
    });
}

#[test]
fn ma_04_unmarshaling_at_home_does_not_close() {
    world(|world| {
        let (sta, [tape], lives, heard) = hosted(world, true, [NORMAL]);
        let (listener, own) = (heard.clone(), lives.clone());
        sta.run(move || {
            let object: IProbe = tape.unmarshal().unwrap();
            assert_eq!((own.now(), listener.external(), listener.closes()), (1, 0, Some(false)));
            assert_eq!(count(&object), 1);
        });
        assert_eq!(lives.now(), 0);
        sta.close();
    });
}

#[test]
fn ma_07_10_connections_of_proxies_and_of_their_packets() {
    world(|world| {
        let (sta, [tape], lives, heard) = hosted(world, true, [NORMAL]);
        let (mta, other) = (world.mta(), world.sta());
        let packets = mta.run(move || {
            let proxy: IProbe = tape.unmarshal().unwrap();
            [(); 6].map(|()| pack(&proxy))
        });
        for packet in packets {
            assert_eq!((lives.now(), heard.external(), heard.closes()), (1, 1, None));
            other.run(move || assert_eq!(unsafe { unpack::<IProbe>(packet).Do(0) }, S_OK));
        }
        assert_eq!((lives.now(), heard.external(), heard.closes()), (0, 0, Some(true)));
        for room in [sta, mta, other] {
            room.close();
        }
    });
}

#[test]
fn mrsh_09_ma_14_weak_packets_with_and_without_a_listener() {
    for listens in [false, true] {
        world(move |world| {
            let (sta, [tape], lives, heard) = hosted(world, listens, [WEAK]);
            let mta = world.mta();
            assert_eq!((lives.now(), heard.external()), (1, 0), "held, but by no connection");
            let (own, listener) = (tape.clone(), heard.clone());
            mta.run(move || {
                let (one, two) = (own.unmarshal::<IProbe>().unwrap(), own.unmarshal::<IProbe>().unwrap());
                assert_eq!(listener.external(), i32::from(listens));
                drop(one);
                assert_eq!(unsafe { two.Do(0) }, S_OK);
                assert_eq!(listener.external(), i32::from(listens));
            });
            assert_eq!(lives.now(), usize::from(listens));
            if listens {
                assert_eq!((heard.external(), heard.closes()), (0, Some(true)));
                let own = tape.clone();
                mta.run(move || assert_eq!(unsafe { own.unmarshal::<IProbe>().unwrap().Do(0) }, S_OK));
                assert_eq!(lives.now(), 1);
                release(&sta, &tape);
                assert_eq!(lives.now(), 0);
            }
            mta.run(move || assert_eq!(tape.unmarshal::<IProbe>().unwrap_err(), CO_E_OBJNOTREG));
            sta.close();
            mta.close();
        });
    }
}

#[test]
fn ma_16_a_weak_packet_released_before_it_was_used() {
    for listens in [false, true] {
        world(move |world| {
            let (sta, [tape], lives, heard) = hosted(world, listens, [WEAK]);
            release(&sta, &tape);
            assert_eq!((lives.now(), heard.external(), heard.closes()), (0, 0, None));
            let mta = world.mta();
            mta.run(move || assert_eq!(tape.unmarshal::<IProbe>().unwrap_err(), CO_E_OBJNOTREG));
            sta.close();
            mta.close();
        });
    }
}

#[test]
fn ma_18_a_normal_packet_closes_in_spite_of_a_weak_one() {
    for listens in [false, true] {
        world(move |world| {
            let (sta, [weak, normal], lives, heard) = hosted(world, listens, [WEAK, NORMAL]);
            assert_eq!(heard.external(), i32::from(listens));
            release(&sta, &normal);
            assert_eq!(lives.now(), usize::from(listens));
            if listens {
                assert_eq!((heard.external(), heard.closes()), (0, Some(true)));
                release(&sta, &weak);
                assert_eq!(lives.now(), 0);
            }
            sta.close();
        });
    }
}

#[test]
fn ma_19_two_weak_packets() {
    for listens in [false, true] {
        world(move |world| {
            let (sta, [one, two], lives, heard) = hosted(world, listens, [WEAK, WEAK]);
            release(&sta, &one);
            assert_eq!(lives.now(), 1);
            release(&sta, &two);
            assert_eq!((lives.now(), heard.external(), heard.closes()), (0, 0, None));
            sta.close();
        });
    }
}

#[test]
fn mrsh_09_ma_20_a_strong_packet_is_a_connection() {
    world(|world| {
        let (sta, [tape], lives, heard) = hosted(world, true, [STRONG]);
        let mta = world.mta();
        assert_eq!((lives.now(), heard.external()), (1, 1));
        let own = tape.clone();
        mta.run(move || {
            let proxies = [own.unmarshal::<IProbe>().unwrap(), own.unmarshal::<IProbe>().unwrap()];
            drop(proxies);
        });
        assert_eq!((lives.now(), heard.external(), heard.closes()), (1, 1, None));
        release(&sta, &tape);
        assert_eq!((lives.now(), heard.external(), heard.closes()), (0, 0, Some(true)));
        sta.close();
        mta.close();
    });
}

#[test]
fn ma_21_the_server_ends_under_a_live_proxy() {
    world(|world| {
        let (sta, [tape], lives, heard) = hosted(world, true, [NORMAL]);
        let mta = world.mta();
        let proxy = mta.run(move || Carry(tape.unmarshal::<IProbe>().unwrap()));
        assert_eq!(heard.external(), 1);
        sta.close();
        assert_eq!((lives.now(), heard.external(), heard.closes()), (0, 0, Some(false)));
        mta.run(move || {
            let proxy = proxy.take();
            assert_eq!(unsafe { proxy.Do(0) }, RPC_S_UNKNOWN_IF_HR);
            drop(proxy);
        });
        mta.close();
    });
}

#[test]
fn ma_22_the_client_ends_under_its_own_proxy() {
    for in_mta in [false, true] {
        world(move |world| {
            let (sta, [tape], lives, heard) = hosted(world, true, [NORMAL]);
            let client = if in_mta { world.mta() } else { world.sta() };
            let proxy = client.run(move || Carry(tape.unmarshal::<IProbe>().unwrap()));
            assert_eq!((lives.now(), heard.external()), (1, 1));
            let (own, listener) = (lives.clone(), heard.clone());
            client.run(move || unsafe {
                let proxy = proxy.take();
                CoUninitialize();
                assert_eq!((own.now(), listener.external(), listener.closes()), (0, 0, Some(true)));
                let model = if in_mta { COINIT_MULTITHREADED } else { COINIT_APARTMENTTHREADED };
                assert_eq!(CoInitializeEx(null_mut(), model), S_OK);
                assert_eq!(proxy.Do(0), CO_E_OBJNOTCONNECTED);
                let raw = proxy.into_raw();
                let unknown = IUnknown::from_raw_borrowed(&raw).unwrap();
                assert_eq!((Interface::vtable(unknown).Release)(raw), 0);
            });
            sta.close();
            client.close();
        });
    }
}

#[test]
fn mrsh_21_ma_26_a_lock_holds_an_object_that_was_never_marshaled() {
    for listens in [false, true] {
        world(move |world| {
            let sta = world.sta();
            sta.run(move || unsafe {
                let (lives, heard) = (Lives::default(), Heard::default());
                let object = object(listens, &lives, &heard);
                let before = count(&object);
                assert_eq!(lock(&object, true, true), S_OK);
                assert_eq!(lock(&object, true, false), S_OK);
                assert_eq!((heard.external(), heard.closes()), (i32::from(listens), None));
                assert!(count(&object) > before);
                assert_eq!(CoDisconnectObject(object.as_raw(), 0), S_OK);
                assert_eq!(count(&object), before, "no locks");
                assert_eq!((heard.external(), heard.closes()), (i32::from(listens), None), "it is not told");
                assert_eq!(lock(&object, false, true), S_OK, "nothing to unlock, and it says so in no way");
                assert_eq!(count(&object), before);
            });
            sta.close();
        });
    }
}

#[test]
fn mrsh_21_ma_27_locks_count() {
    world(|world| {
        let sta = world.sta();
        sta.run(|| {
            let (lives, heard) = (Lives::default(), Heard::default());
            let object = object(true, &lives, &heard);
            let (before, tape) = (count(&object), Tape::new());
            assert_eq!(lock(&object, true, false), S_OK);
            assert_eq!(tape.marshal(&object, NORMAL), S_OK);
            assert_eq!(lock(&object, true, false), S_OK);
            assert_eq!(heard.external(), 1);
            assert_eq!(tape.release(), S_OK);
            assert!(count(&object) > before && heard.external() == 1);
            assert_eq!(lock(&object, false, true), S_OK);
            assert!(count(&object) > before && heard.external() == 1);
            assert_eq!(lock(&object, false, true), S_OK);
            assert_eq!(count(&object), before);
            assert_eq!((heard.external(), heard.closes()), (0, Some(true)));
        });
        sta.close();
    });
}

#[test]
fn mrsh_21_the_last_unlock_says_whether_weak_packets_hold() {
    world(|world| {
        let sta = world.sta();
        sta.run(|| {
            for closes in [false, true] {
                let (lives, heard, tape) = (Lives::default(), Heard::default(), Tape::new());
                let object = object(false, &lives, &heard);
                assert_eq!(tape.marshal(&object, WEAK), S_OK);
                assert_eq!(lock(&object, true, true), S_OK);
                assert_eq!(lock(&object, false, closes), S_OK);
                drop(object);
                assert_eq!(lives.now(), usize::from(!closes));
                assert_eq!(tape.release(), if closes { CO_E_OBJNOTREG } else { S_OK });
                assert_eq!(lives.now(), 0);
            }
        });
        sta.close();
    });
}

#[test]
fn mrsh_20_ma_31_disconnecting_overrules_packets_and_locks() {
    world(|world| {
        let (sta, mta) = (world.sta(), world.mta());
        let (lives, heard, tape) = (Lives::default(), Heard::default(), Tape::new());
        let (own, listener, written) = (lives.clone(), heard.clone(), tape.clone());
        let object = sta.run(move || {
            let object = object(true, &own, &listener);
            assert_eq!(written.marshal(&object, NORMAL), S_OK);
            assert_eq!(lock(&object, true, true), S_OK);
            assert_eq!(written.release(), S_OK);
            assert!(count(&object) > 1);
            written.rewind();
            assert_eq!(written.marshal(&object, NORMAL), S_OK);
            Carry(object)
        });
        let proxy = mta.run(move || Carry(tape.unmarshal::<IProbe>().unwrap()));
        sta.run(move || unsafe {
            let object = object.take();
            assert_eq!(CoDisconnectObject(object.as_raw(), 0), S_OK);
            assert_eq!(count(&object), 1, "no locks");
            assert_eq!(CoDisconnectObject(object.as_raw(), 0), S_OK, "twice");
        });
        assert_eq!((lives.now(), heard.external(), heard.closes()), (0, 1, None));
        mta.run(move || unsafe {
            let proxy = proxy.take();
            assert_eq!(proxy.Do(0), RPC_E_DISCONNECTED);
            assert_eq!(query::<IOther>(&proxy).unwrap_err(), RPC_E_DISCONNECTED);
        });
        sta.close();
        mta.close();
    });
}

#[test]
fn mrsh_20_from_inside_a_call_and_marshaled_again() {
    world(|world| {
        let (sta, mta) = (world.sta(), world.mta());
        let lives = Lives::default();
        let own = lives.clone();
        let (packet, object) = sta.run(move || {
            let this = std::rc::Rc::new(std::cell::Cell::new(null_mut::<c_void>()));
            let cut = this.clone();
            let object = probe_that(&own, move |what| match what {
                7 => unsafe { CoDisconnectObject(cut.get(), 0) },
                _ => HRESULT(what as i32),
            });
            this.set(object.as_raw());
            (pack(&object), Carry(object))
        });
        let proxy = mta.run(move || {
            let proxy = unpack::<IProbe>(packet);
            unsafe {
                assert_eq!(proxy.Do(7), S_OK, "the call that runs finishes");
                assert_eq!(proxy.Do(0), RPC_E_DISCONNECTED);
            }
            Carry(proxy)
        });
        let object = Arc::new(object);
        let shared = object.clone();
        let packet = sta.run(move || {
            assert_eq!(count(&shared.0), 1);
            pack(&shared.0)
        });
        mta.run(move || unsafe {
            let (old, new) = (proxy.take(), unpack::<IProbe>(packet));
            assert_ne!(old.as_raw(), new.as_raw(), "who was cut off stays so");
            assert_eq!(old.Do(0), RPC_E_DISCONNECTED);
            drop(old);
            assert_eq!(new.Do(1), S_FALSE);
        });
        sta.run(move || drop(Arc::into_inner(object).unwrap().take()));
        assert_eq!(lives.now(), 0);
        sta.close();
        mta.close();
    });
}

#[test]
fn ma_32_arguments() {
    world(|world| unsafe {
        let lives = Lives::default();
        let outside = probe(&lives);
        assert_eq!(CoDisconnectObject(null_mut(), 0), E_INVALIDARG);
        assert_eq!(CoLockObjectExternal(null_mut(), true.into(), true.into()), E_INVALIDARG);
        assert_eq!(CoDisconnectObject(outside.as_raw(), 0), CO_E_NOTINITIALIZED);
        assert_eq!(lock(&outside, true, true), CO_E_NOTINITIALIZED);
        let mta = world.mta();
        // In an implicit MTA, too (APT-20).
        assert_eq!(CoDisconnectObject(outside.as_raw(), 0), S_OK);
        assert_eq!(CoDisconnectObject(outside.as_raw(), 1), E_INVALIDARG);
        assert_eq!(lock(&outside, true, true), S_OK);
        assert_eq!(lock(&outside, false, true), S_OK);
        assert_eq!(count(&outside), 1);
        drop(outside);
        mta.close();
    });
}

#[test]
fn mrsh_06_a_packet_used_twice_elsewhere_takes_nothing_that_is_others() {
    world(|world| {
        let (sta, [tape], lives, heard) = hosted(world, true, [NORMAL]);
        let (mta, other) = (world.mta(), world.sta());
        let own = tape.clone();
        let owner = mta.run(move || Carry(own.unmarshal::<IProbe>().unwrap()));
        let own = tape.clone();
        other.run(move || {
            let borrower: IProbe = own.unmarshal().unwrap();
            assert_eq!(unsafe { borrower.Do(0) }, S_OK, "the object is there");
            drop(borrower);
            assert_eq!(own.release(), CO_E_OBJNOTREG, "and the packet is used up");
        });
        assert_eq!((lives.now(), heard.external()), (1, 1), "the owner's references are his");
        let own = tape.clone();
        let borrower = other.run(move || Carry(own.unmarshal::<IProbe>().unwrap()));
        mta.run(move || {
            let owner = owner.take();
            assert_eq!(unsafe { owner.Do(0) }, S_OK);
            drop(owner);
        });
        assert_eq!((lives.now(), heard.external(), heard.closes()), (0, 0, Some(true)), "nothing leaked");
        other.run(move || assert_eq!(unsafe { borrower.take().Do(0) }, RPC_E_DISCONNECTED));
        for room in [sta, mta, other] {
            room.close();
        }
    });
}

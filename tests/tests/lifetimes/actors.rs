//! Threads that make the calls they are told, with the runtime's own functions.

use super::model::{ACTORS, Code, HOME, Kind, Model, Op};
use super::told::Told;
use oleander::windows_core::{BOOL, GUID, HRESULT, Interface};
use oleander::*;
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

/// What the object has seen. The player looks when nobody does anything.
#[derive(Default)]
struct Seen {
    gone: AtomicBool,
    connections: AtomicI32,
}

impl Drop for Life {
    fn drop(&mut self) {
        self.0.gone.store(true, Ordering::Relaxed);
    }
}

struct Life(Arc<Seen>);

#[com_class(IPersist)]
struct Plain(#[expect(dead_code, reason = "it is dropped")] Life);

#[com_class(IPersist, IExternalConnection)]
struct Watched(Life);

impl IPersist_Impl for Plain_Impl {
    unsafe fn GetClassID(&self, _pClassID: *mut GUID) -> HRESULT {
        S_OK
    }
}

impl IPersist_Impl for Watched_Impl {
    unsafe fn GetClassID(&self, _pClassID: *mut GUID) -> HRESULT {
        S_OK
    }
}

impl IExternalConnection_Impl for Watched_Impl {
    unsafe fn AddConnection(&self, _: u32, _: u32) -> u32 {
        self.0.0.connections.fetch_add(1, Ordering::Relaxed) as u32 + 1
    }
    unsafe fn ReleaseConnection(&self, _: u32, _: u32, _: BOOL) -> u32 {
        self.0.0.connections.fetch_sub(1, Ordering::Relaxed) as u32 - 1
    }
}

/// A packet in memory, which is nobody's apartment's.
#[derive(Clone)]
struct Packet(IStream);
// SAFETY: a stream in memory may be used from every apartment; one thread at a time does.
unsafe impl Send for Packet {}

impl Packet {
    fn new() -> Self {
        let mut raw = null_mut();
        // SAFETY: valid arguments; a counted pointer on success.
        unsafe {
            assert_eq!(CreateStreamOnHGlobal(HANDLE::NULL, true.into(), &mut raw), S_OK);
            Self(IStream::from_raw(raw))
        }
    }

    fn rewound(&self) -> *mut c_void {
        // SAFETY: a live stream.
        assert_eq!(unsafe { self.0.Seek(0, STREAM_SEEK_SET, null_mut()) }, S_OK);
        self.0.as_raw()
    }
}

/// What a thread is told to do, with what it needs.
#[derive(Clone)]
enum Order {
    /// Enters an apartment; the home makes the object.
    Enter {
        sta: bool,
        makes: Option<(Arc<Seen>, bool)>,
    },
    /// Marshals this pointer of the thread's.
    Marshal(usize, Packet, u32),
    ReleasePacket(Packet),
    Unmarshal(Packet),
    Release(usize),
    Call(usize),
    Lock(bool),
    Disconnect,
    /// Gives everything back.
    Leave,
}

/// What came of it, and the address of what was unmarshaled.
type Found = (HRESULT, Option<usize>);
type Actor = Told<Order, Found>;

/// The pointers of a thread.
#[derive(Default)]
struct Held(Vec<IPersist>);
// SAFETY: it is made empty and goes to its thread, which alone uses it.
unsafe impl Send for Held {}

/// Serves other apartments meanwhile.
fn wait(ordered: HANDLE) {
    let mut index = 0;
    // SAFETY: a live handle. Works outside COM too (WAIT-13).
    let hr = unsafe { CoWaitForMultipleHandles(COWAIT_DEFAULT, INFINITE, 1, &ordered, &mut index) };
    assert_eq!(hr, S_OK);
}

fn start() -> Actor {
    let mut held = Held::default();
    Told::start(wait, move |order| act(&mut held, order))
}

fn act(held: &mut Held, order: Order) -> Found {
    let Held(held) = held;
    // SAFETY: pointers of this thread's apartment, and streams; null where that is allowed.
    let hr = unsafe {
        match order {
            Order::Enter { sta, makes } => {
                let model = if sta { COINIT_APARTMENTTHREADED } else { COINIT_MULTITHREADED };
                let hr = CoInitializeEx(null_mut(), model);
                let object = makes.map(|(seen, watched)| match watched {
                    true => IPersist::from(Watched(Life(seen))),
                    false => IPersist::from(Plain(Life(seen))),
                });
                let address = object.as_ref().map(|object| object.as_raw().addr());
                held.extend(object);
                return (hr, address);
            }
            Order::Marshal(which, packet, flags) => {
                let raw = held[which].as_raw();
                CoMarshalInterface(packet.0.as_raw(), &IPersist::IID, raw, MSHCTX_INPROC, null_mut(), flags)
            }
            Order::ReleasePacket(packet) => CoReleaseMarshalData(packet.rewound()),
            Order::Unmarshal(packet) => {
                let mut raw = null_mut();
                let hr = CoUnmarshalInterface(packet.rewound(), &IPersist::IID, &mut raw);
                if hr.is_err() {
                    return (hr, None);
                }
                held.push(IPersist::from_raw(raw));
                return (hr, Some(raw.addr()));
            }
            Order::Release(which) => {
                drop(held.remove(which));
                S_OK
            }
            Order::Call(which) => held[which].GetClassID(&mut GUID::zeroed()),
            Order::Lock(lock) => CoLockObjectExternal(held[0].as_raw(), lock.into(), true.into()),
            Order::Disconnect => CoDisconnectObject(held[0].as_raw(), 0),
            Order::Leave => {
                held.clear();
                CoUninitialize();
                S_OK
            }
        }
    };
    (hr, None)
}

fn code(hr: HRESULT) -> Result<Code, String> {
    Ok(match hr {
        S_OK => Code::Ok,
        CO_E_OBJNOTCONNECTED => Code::NotConnected,
        CO_E_OBJNOTREG => Code::NotRegistered,
        RPC_E_DISCONNECTED => Code::Disconnected,
        other => return Err(other.to_string()),
    })
}

fn flags(kind: Kind) -> u32 {
    match kind {
        Kind::Normal => MSHLFLAGS_NORMAL,
        Kind::TableStrong => MSHLFLAGS_TABLESTRONG,
        Kind::TableWeak => MSHLFLAGS_TABLEWEAK,
    }
}

struct Play {
    actors: [Actor; ACTORS],
    model: Model,
    packets: Vec<Packet>,
    seen: Arc<Seen>,
    /// Where the object is.
    object: Option<usize>,
}

/// Plays calls by threads on the runtime and on the model; the first difference, in words.
pub fn play(watched: bool, ops: &[(usize, Op)]) -> Result<(), String> {
    let seen = Arc::new(Seen::default());
    let mut play = Play {
        actors: std::array::from_fn(|_| start()),
        model: Model::new(watched),
        packets: Vec::new(),
        seen: seen.clone(),
        object: None,
    };
    let makes = Some((seen.clone(), watched));
    // The object and one client in STAs, the other client in the MTA.
    play.object = play.does(HOME, Order::Enter { sta: true, makes })?;
    for (who, sta) in [(1, true), (2, false)] {
        play.does(who, Order::Enter { sta, makes: None })?;
    }
    for (at, &(who, op)) in ops.iter().enumerate() {
        if play.model.is_certain(who, op) {
            play.step(who, op).map_err(|what| format!("step {at}, {op:?} by {who} of {ops:?}: {what}"))?;
        }
    }
    // Clients first: they give back what the home has to see.
    for who in (0..ACTORS).rev() {
        play.does(who, Order::Leave)?;
    }
    play.packets.clear();
    play.actors.into_iter().for_each(Actor::end);
    assert!(seen.gone.load(Ordering::Relaxed), "{ops:?}");
    assert_eq!((debug::live_objects(), debug::open_handles()), (0, 0), "{ops:?}");
    Ok(())
}

impl Play {
    fn tell(&self, who: usize, order: Order) -> Result<Found, String> {
        self.actors[who].order(order);
        self.actors[who].answer()
    }

    /// What cannot fail.
    fn does(&self, who: usize, order: Order) -> Result<Option<usize>, String> {
        let (hr, address) = self.tell(who, order)?;
        assert_eq!(hr, S_OK);
        Ok(address)
    }

    fn step(&mut self, who: usize, op: Op) -> Result<(), String> {
        let packet = |which| self.packets[self.model.packet(which)].clone();
        let pointer = |which| self.model.pointer(who, which);
        let order = match op {
            Op::Marshal(kind) => Order::Marshal(0, Packet::new(), flags(kind)),
            Op::MarshalProxy(which) => Order::Marshal(pointer(which), Packet::new(), MSHLFLAGS_NORMAL),
            Op::ReleasePacket(which) => Order::ReleasePacket(packet(which)),
            Op::Unmarshal(which) => Order::Unmarshal(packet(which)),
            Op::Release(which) => Order::Release(pointer(which)),
            Op::Call(which) => Order::Call(pointer(which)),
            Op::Lock => Order::Lock(true),
            Op::Unlock => Order::Lock(false),
            Op::Disconnect => Order::Disconnect,
        };
        if let Order::Marshal(_, packet, _) = &order {
            self.packets.push(packet.clone());
        }
        let expected = self.model.step(who, op);
        let (hr, address) = self.tell(who, order)?;
        let found = (code(hr)?, address.map(|address| Some(address) == self.object));
        if found != expected {
            return Err(format!("{found:?} instead of {expected:?}"));
        }
        let lives = !self.seen.gone.load(Ordering::Relaxed);
        let is_connected = self.seen.connections.load(Ordering::Relaxed) > 0;
        let (found, expected) = ((lives, is_connected), (self.model.lives(), self.model.is_connected()));
        // One that is gone tells nobody of its connections.
        if found.0 != expected.0 || lives && found != expected {
            return Err(format!("it lives and is connected: {found:?} instead of {expected:?}"));
        }
        Ok(())
    }
}

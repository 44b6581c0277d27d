//! What things cost while they live, in bytes that the program has from its allocator; of many, so that what is made once
//! does not show. What a thread has beside that (its stack, its thread-locals) is not in it.

use crate::handing::Packets;
use crate::server::{Apartment, AsyncIDoubler, IDoubler, IDoubler_Impl, Server, doubler};
use crate::{Place, in_mta};
use oleander::kernel::Event;
use oleander::platform::{Deadline, Why};
use oleander::windows_core::HRESULT;
use oleander::*;
use std::sync::{Arc, OnceLock};

/// How many there are of each.
const MANY: usize = 1000;
const APARTMENTS: usize = 50;

/// A line of the table.
pub struct Bytes {
    /// Of what.
    pub what: &'static str,
    /// How many bytes each.
    pub bytes: usize,
    /// How many are allowed.
    pub at_most: Option<usize>,
}

/// All of them; `live` says how many bytes are allocated now, by all threads. On a thread of its own, which has kept no calls
/// and buffers of earlier ones.
pub fn measure(live: fn() -> usize) -> Vec<Bytes> {
    std::thread::spawn(move || lines(live)).join().expect("nothing panics")
}

fn lines(live: fn() -> usize) -> Vec<Bytes> {
    let mut lines = Vec::new();
    let mut line = |what, bytes, at_most| lines.push(Bytes { what, bytes, at_most });
    in_mta(|| {
        let (idle, pending) = calls(live);
        line("idle call object", idle, None);
        line("call object with a pending call and its buffers", idle + pending, Some(512));
        let (stub, proxy) = proxies(live);
        line("stub", stub, None);
        line("proxy", proxy, None);
        line("idle STA, without the thread's stack", apartments(live), Some(64 << 10));
    });
    lines
}

/// Keeps the server at the call for which it gets 0.
#[com_class(IDoubler)]
struct Held;

/// The gate that holds it.
static GATE: OnceLock<Arc<Event>> = OnceLock::new();

fn gate() -> &'static Event {
    GATE.get_or_init(Event::manual)
}

impl IDoubler_Impl for Held_Impl {
    unsafe fn Double(&self, number: u32, doubled: *mut u32) -> HRESULT {
        if number == 0 {
            assert!(gate().wait(Deadline::NEVER, Why::Wait));
        }
        // SAFETY: the stub passes room for the result.
        unsafe { *doubled = number * 2 };
        S_OK
    }
}

/// A call object, and what its call in flight adds.
fn calls(live: fn() -> usize) -> (usize, usize) {
    let server = Server::start(Place::Free, COINIT_APARTMENTTHREADED, || Held.into());
    let first = server.call();
    begin(&first, 0);
    let mut calls = Vec::with_capacity(MANY);
    let before = live();
    calls.extend((0..MANY).map(|_| server.call()));
    let idle = live() - before;
    calls.iter().for_each(|call| begin(call, 21));
    let pending = live() - before - idle;
    gate().set();
    finish(&first, 0);
    calls.iter().for_each(|call| finish(call, 42));
    (idle / MANY, pending / MANY)
}

fn begin(call: &AsyncIDoubler, number: u32) {
    // SAFETY: a live interface.
    assert_eq!(unsafe { call.Begin_Double(number) }, S_OK);
}

fn finish(call: &AsyncIDoubler, expected: u32) {
    let mut doubled = 0;
    // SAFETY: the result has a place.
    assert_eq!((unsafe { call.Finish_Double(&mut doubled) }, doubled), (S_OK, expected));
}

/// A stub, and a proxy, of an object each.
fn proxies(live: fn() -> usize) -> (usize, usize) {
    let (_apartment, (room, stubs)) = Apartment::start(Place::Free, COINIT_APARTMENTTHREADED, move || {
        let objects: Vec<_> = (0..=MANY).map(|_| doubler()).collect();
        let room = Packets::with_room();
        // What the first makes for all is not the stub's.
        room.marshal(&objects[0]);
        let before = live();
        objects[1..].iter().for_each(|object| room.marshal(object));
        ((room, live() - before), objects)
    });
    room.to_start();
    let mut proxies = Vec::<IDoubler>::with_capacity(MANY + 1);
    proxies.push(room.unmarshal());
    let before = live();
    proxies.extend((0..MANY).map(|_| room.unmarshal()));
    (stubs / MANY, (live() - before) / MANY)
}

fn apartments(live: fn() -> usize) -> usize {
    let start = || Apartment::start(Place::Free, COINIT_APARTMENTTHREADED, || ((), doubler())).0;
    let _first = start();
    let mut apartments = Vec::with_capacity(APARTMENTS);
    let before = live();
    apartments.extend((0..APARTMENTS).map(|_| start()));
    (live() - before) / APARTMENTS
}

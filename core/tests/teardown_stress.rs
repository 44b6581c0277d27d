//! Clients and servers that come, call, cancel, hand proxies around and go at any moment, on host threads: nothing crashes,
//! nothing hangs, nothing leaks, and every call says one of the documented things.
//!
//! The random numbers are seeded; the threads' order is not, so a failure names its seed and not more.

#![allow(clippy::undocumented_unsafe_blocks, reason = "tests call COM by its rules, as its users do")]

#[path = "common/probe.rs"]
mod probe;
#[path = "common/rooms.rs"]
mod rooms;

use oleander::windows_core::{HRESULT, IUnknown, Interface};
use oleander::*;
use probe::*;
use rooms::*;
use std::ptr::null_mut;
use std::sync::{Arc, Mutex};

/// A linear congruential generator: enough to choose among actions.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// Packets that anybody may take.
#[derive(Clone, Default)]
struct Market(Arc<Mutex<Vec<Packet>>>);

impl Market {
    fn put(&self, packet: Packet) {
        self.0.lock().unwrap().push(packet);
    }

    fn take(&self, random: &mut Random) -> Option<Packet> {
        let mut packets = self.0.lock().unwrap();
        let len = packets.len() as u64;
        (len > 0).then(|| packets.swap_remove(random.below(len) as usize))
    }
}

/// What a call may say while everything may end at any moment.
fn is_fair(hr: HRESULT) -> bool {
    [S_OK, RPC_E_DISCONNECTED, RPC_S_UNKNOWN_IF_HR, CO_E_OBJNOTCONNECTED, CO_E_OBJNOTREG, RPC_S_CALL_CANCELLED_HR]
        .contains(&hr)
}

fn fair(hr: HRESULT, what: &str) {
    assert!(is_fair(hr), "{what}: {hr}");
}

/// Throws a packet away, as whoever cannot use it must.
fn discard(packet: Packet) {
    unsafe {
        let stream = IStream::from_raw(packet.take());
        fair(CoReleaseMarshalData(stream.as_raw()), "CoReleaseMarshalData");
    }
}

fn begin(proxy: &IProbe) -> Option<AsyncIProbe> {
    let calls: ICallFactory = query(proxy).ok()?;
    let (twin, mut raw) = (&AsyncIProbe::IID, null_mut());
    let hr = unsafe { calls.CreateCall(twin, null_mut(), twin, &mut raw) };
    fair(hr, "CreateCall");
    (hr == S_OK).then(|| unsafe { AsyncIProbe::from_raw(raw) })
}

/// One thing that a client does with a proxy.
fn act(proxy: &IProbe, lives: &Lives, market: &Market, random: &mut Random, left: &mut Vec<AsyncIProbe>) {
    unsafe {
        match random.below(9) {
            0 => fair(proxy.Do(0), "Do"),
            1 => fair(proxy.Forward((&probe(lives)).into(), 0), "Forward"),
            2 => fair(proxy.Keep((&query::<IUnknown>(&probe(lives)).unwrap()).into()), "Keep"),
            3 => {
                let mut kept = None;
                fair(proxy.Kept((&mut kept).into()), "Kept");
                if let Some(kept) = kept.and_then(|kept| query::<IProbe>(&kept).ok()) {
                    fair(kept.Do(0), "Do of a kept one");
                }
            }
            4 => {
                let mut stream = null_mut();
                let hr = CoMarshalInterThreadInterfaceInStream(&IProbe::IID, proxy.as_raw(), &mut stream);
                fair(hr, "marshal a proxy");
                if hr == S_OK {
                    market.put(Packet(stream));
                }
            }
            5 => {
                if let Some(call) = begin(proxy) {
                    fair(call.Begin_Do(0), "Begin_");
                    left.push(call);
                }
            }
            6 => {
                if let Some(call) = begin(proxy) {
                    fair(call.Begin_Forward((&probe(lives)).into(), 0), "Begin_");
                    let hr = query::<ICancelMethodCalls>(&call).unwrap().Cancel(0);
                    assert!([S_OK, RPC_E_CALL_COMPLETE].contains(&hr), "Cancel: {hr}");
                    fair(call.Finish_Forward(), "Finish_ of a cancelled one");
                }
            }
            7 => {
                if let Some(call) = left.pop() {
                    fair(call.Finish_Do(), "Finish_");
                }
            }
            _ => {
                let refused = query::<IOther>(proxy).unwrap_err();
                assert!(is_fair(refused) || refused == E_NOINTERFACE, "query: {refused}");
            }
        }
    }
}

/// The life of one client: an apartment, some proxies, some calls, an end of one kind or another.
fn client(seed: u64, lives: &Lives, market: &Market) -> Vec<Carry<IProbe>> {
    let mut random = Random(seed);
    let model = if random.below(2) == 0 { COINIT_APARTMENTTHREADED } else { COINIT_MULTITHREADED };
    assert_eq!(unsafe { CoInitializeEx(null_mut(), model) }, S_OK);
    let (mut proxies, mut calls) = (Vec::<IProbe>::new(), Vec::new());
    for _ in 0..random.below(24) {
        match random.below(6) {
            0 => match market.take(&mut random).map(try_unpack::<IProbe>) {
                Some(Ok(proxy)) => proxies.push(proxy),
                Some(Err(hr)) => fair(hr, "unmarshal"),
                None => {}
            },
            1 => market.put(pack(&probe(lives))),
            2 => market.take(&mut random).into_iter().for_each(discard),
            3 if !proxies.is_empty() => {
                proxies.swap_remove(random.below(proxies.len() as u64) as usize);
            }
            _ => {
                let at = random.below(proxies.len().max(1) as u64) as usize;
                if let Some(proxy) = proxies.get(at).cloned() {
                    act(&proxy, lives, market, &mut random, &mut calls);
                }
            }
        }
    }
    // Three ends: all tidy; pointers that outlive their apartment; no CoUninitialize at all.
    match random.below(3) {
        0 => {
            drop((calls, std::mem::take(&mut proxies)));
            unsafe { CoUninitialize() };
        }
        1 => {
            unsafe { CoUninitialize() };
            drop(calls);
        }
        _ => drop(calls),
    }
    proxies.into_iter().map(Carry).collect()
}

/// Servers that live for a while, and threads of clients.
fn run(seed: u64) {
    world(move |world| {
        let (lives, market) = (Lives::default(), Market::default());
        let mut random = Random(seed);
        let mut rooms = Vec::new();
        for _ in 0..30 {
            let room = if random.below(3) == 0 { world.mta() } else { world.sta() };
            for _ in 0..4 {
                let own = lives.clone();
                market.put(room.run(move || pack(&probe(&own))));
            }
            rooms.push(room);
            let clients: Vec<_> = (0..4)
                .map(|_| {
                    let (seed, lives, market) = (random.below(u64::MAX >> 33), lives.clone(), market.clone());
                    world.thread(move || client(seed, &lives, &market))
                })
                .collect();
            // Some servers end while their clients are at it.
            let mut ending = Vec::new();
            while rooms.len() > 3 || (rooms.len() > 1 && random.below(3) == 0) {
                let at = random.below(rooms.len() as u64) as usize;
                ending.push(rooms.swap_remove(at).close_later());
            }
            let left: Vec<_> = clients.into_iter().flat_map(Pending::wait).collect();
            // What outlived its apartment is released here, outside COM.
            drop(left);
            ending.into_iter().for_each(Pending::wait);
        }
        let rest = std::mem::take(&mut *market.0.lock().unwrap());
        rest.into_iter().for_each(discard);
        rooms.into_iter().for_each(Room::close);
        assert_eq!(lives.now(), 0, "seed {seed}");
    });
}

#[test]
fn everything_ends_at_any_moment() {
    for seed in 1..=6 {
        println!("seed {seed}");
        run(seed);
    }
}

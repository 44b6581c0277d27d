//! Packets with every field wrong: whatever they say, they are answered with an HRESULT, and nothing leaks (OB).

#![allow(clippy::undocumented_unsafe_blocks, reason = "tests call COM by its rules, as its users do")]

#[path = "common/probe.rs"]
mod probe;
#[path = "common/rooms.rs"]
mod rooms;
#[path = "common/tape.rs"]
mod tape;

use oleander::windows_core::{IUnknown, Interface};
use oleander::*;
use probe::*;
use proptest::prelude::*;
use rooms::*;
use std::ptr::null_mut;
use tape::Tape;

fn tape(bytes: &[u8]) -> Tape {
    let tape = Tape::new();
    assert_eq!(unsafe { tape.0.0.Write(bytes.as_ptr().cast(), bytes.len() as u32, null_mut()) }, S_OK);
    tape
}

/// What anybody may do with bytes. What comes out is called and released.
fn use_it(bytes: &[u8], what: u8) {
    match what {
        0 => drop(tape(bytes).unmarshal::<IProbe>().map(|object| unsafe { object.Do(0) })),
        1 => drop(tape(bytes).unmarshal::<IUnknown>()),
        _ => drop(tape(bytes).release()),
    }
}

/// Uses bytes in the home of an object and elsewhere, in some order, and the true packet at the end.
fn attack(world: &World, flags: u32, deeds: Vec<(bool, u8)>, forge: impl FnOnce(&[u8]) -> Vec<u8>) {
    let lives = Lives::default();
    let (home, other) = (world.sta(), world.mta());
    let own = lives.clone();
    let (good, object) = home.run(move || {
        let (good, object) = (Tape::new(), probe(&own));
        assert_eq!(good.marshal(&object, flags), S_OK);
        (good, Carry(object))
    });
    let bad = forge(&good.bytes());
    for (at_home, what) in deeds {
        let room = if at_home { &home } else { &other };
        let bytes = bad.clone();
        room.run(move || use_it(&bytes, what));
    }
    home.run(move || unsafe {
        let object = object.take();
        assert_eq!(object.Do(0), S_OK, "the object is unharmed");
        let released = good.release();
        assert!(released == S_OK || released == CO_E_OBJNOTREG, "{released:?}");
        assert_eq!(CoDisconnectObject(object.as_raw(), 0), S_OK);
        assert_eq!(count(&object), 1, "nobody holds it");
    });
    assert_eq!(lives.now(), 0);
    home.close();
    other.close();
}

const VALUES: [u32; 8] = [0, 1, 2, 5, 0x20, 0x1000, 0x7FFF_FFFF, u32::MAX];

#[test]
fn every_field_wrong() {
    for at in (0..68).step_by(4) {
        world(move |world| {
            for value in VALUES {
                let deeds = vec![(true, 0), (false, 0), (false, 0), (true, 2), (false, 1), (false, 2)];
                attack(world, MSHLFLAGS_NORMAL, deeds, |good| {
                    let mut bad = good.to_vec();
                    bad[at..at + 4].copy_from_slice(&value.to_le_bytes());
                    bad
                });
            }
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn forged_packets_do_no_harm(
        flags in 0u32..3,
        forged in proptest::collection::vec((0usize..68, any::<u8>()), 0..4),
        len in 0usize..=68,
        whole: bool,
        deeds in proptest::collection::vec((any::<bool>(), 0u8..3), 1..8),
    ) {
        world(move |world| attack(world, flags, deeds, move |good| {
            let mut bad = good.to_vec();
            for (at, byte) in forged {
                bad[at] = byte;
            }
            if !whole {
                bad.truncate(len);
            }
            bad
        }));
    }

    #[test]
    fn bytes_of_every_kind_do_no_harm(kind in 0u32..9, rest in proptest::collection::vec(any::<u8>(), 0..120), what in 0u8..3) {
        world(move |world| {
            let sta = world.sta();
            sta.run(move || {
                let bytes = [&b"MEOW"[..], &kind.to_le_bytes(), &rest].concat();
                use_it(&bytes, what);
            });
            sta.close();
        });
    }
}

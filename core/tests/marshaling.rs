//! Packets (facts section 11; MA and OB of the oracle cases).

#![allow(clippy::undocumented_unsafe_blocks, reason = "tests call COM by its rules, as its users do")]

#[path = "common/probe.rs"]
mod probe;
#[path = "common/rooms.rs"]
mod rooms;
#[path = "common/tape.rs"]
mod tape;

use oleander::windows_core::{HRESULT, IUnknown, Interface};
use oleander::*;
use probe::*;
use rooms::*;
use std::ffi::c_void;
use std::ptr::null_mut;
use tape::Tape;

const NORMAL: u32 = MSHLFLAGS_NORMAL;
const STRONG: u32 = MSHLFLAGS_TABLESTRONG;
const WEAK: u32 = MSHLFLAGS_TABLEWEAK;

/// An STA with a probe that only its packets keep.
fn hosted(world: &World, lives: &Lives, flags: u32) -> (Room, Tape) {
    let (room, tape) = (world.sta(), Tape::new());
    let (lives, own) = (lives.clone(), tape.clone());
    room.run(move || assert_eq!(own.marshal(&probe(&lives), flags), S_OK));
    (room, tape)
}

#[test]
fn mrsh_01_ma_38_null_arguments() {
    world(|world| unsafe {
        let lives = Lives::default();
        let tape = Tape::new();
        let object = probe(&lives);
        let marshal = |stream, unknown| CoMarshalInterface(stream, &IProbe::IID, unknown, MSHCTX_INPROC, null_mut(), 0);
        assert_eq!(marshal(null_mut(), object.as_raw()), E_INVALIDARG);
        assert_eq!(marshal(tape.raw(), null_mut()), E_INVALIDARG);
        assert_eq!(marshal(tape.raw(), object.as_raw()), CO_E_NOTINITIALIZED);
        let sta = world.sta();
        sta.run(move || {
            let object = probe(&Lives::default());
            let flags = 3;
            assert_eq!(Tape::new().marshal(&object, flags), E_INVALIDARG);
        });
        sta.close();
    });
}

#[test]
fn mrsh_02_ma_01_an_interface_without_proxy() {
    world(|world| {
        let lives = Lives::default();
        let sta = world.sta();
        let own = lives.clone();
        sta.run(move || {
            let object = probe(&own);
            let local: ILocal = query(&object).unwrap();
            let before = count(&object);
            assert_eq!(Tape::new().marshal(&local, NORMAL), E_NOINTERFACE);
            assert_eq!(count(&object), before, "no references left");
            let mut stream = null_mut();
            let hr = unsafe { CoMarshalInterThreadInterfaceInStream(&IOther::IID, object.as_raw(), &mut stream) };
            assert_eq!(hr, E_NOINTERFACE);
            assert!(stream.is_null());
            assert_eq!(count(&object), before);
        });
        assert_eq!(lives.now(), 0);
        sta.close();
    });
}

#[test]
fn mrsh_04_ma_02_39_release_and_where_the_stream_stands() {
    world(|world| {
        let lives = Lives::default();
        let (sta, tape) = hosted(world, &lives, NORMAL);
        assert_eq!(lives.now(), 1, "held");
        let own = tape.clone();
        sta.run(move || {
            let hr = unsafe { CoReleaseMarshalData(own.raw()) };
            assert_eq!(hr, STG_E_READFAULT, "not rewound");
            assert_eq!(own.release(), S_OK, "still good after that");
        });
        assert_eq!(lives.now(), 0);
        sta.close();
    });
}

#[test]
fn mrsh_05_06_ma_04_05_at_home() {
    world(|world| {
        let lives = Lives::default();
        let sta = world.sta();
        let own = lives.clone();
        sta.run(move || {
            let object = probe(&own);
            let tape = Tape::new();
            assert_eq!(tape.marshal(&object, NORMAL), S_OK);
            let back: IProbe = tape.unmarshal().unwrap();
            assert_eq!(back.as_raw(), object.as_raw());
            drop(back);
            assert_eq!(count(&object), 1, "the stub is gone");
            assert_eq!(tape.unmarshal::<IProbe>().unwrap_err(), CO_E_OBJNOTCONNECTED);
            assert_eq!(tape.release(), CO_E_OBJNOTREG, "used up");
        });
        assert_eq!(lives.now(), 0);
        sta.close();
    });
}

#[test]
fn mrsh_07_an_unsupported_interface_uses_the_packet_up() {
    world(|world| {
        let lives = Lives::default();
        for at_home in [true, false] {
            let (sta, tape) = hosted(world, &lives, NORMAL);
            let mta = world.mta();
            let room = if at_home { &sta } else { &mta };
            let own = tape.clone();
            room.run(move || assert_eq!(own.unmarshal::<IOther>().unwrap_err(), E_NOINTERFACE));
            assert_eq!(lives.now(), 0, "at home: {at_home}");
            sta.close();
            mta.close();
        }
    });
}

#[test]
fn ma_07_a_packet_crosses() {
    world(|world| {
        let lives = Lives::default();
        let (sta, tape) = hosted(world, &lives, NORMAL);
        let mta = world.mta();
        let (own, counted) = (tape.clone(), lives.clone());
        mta.run(move || unsafe {
            let proxy: IProbe = own.unmarshal().unwrap();
            assert_eq!(counted.now(), 1);
            assert_eq!(proxy.Do(0), S_OK);
            let raw = proxy.into_raw();
            let unknown = IUnknown::from_raw_borrowed(&raw).unwrap();
            assert_eq!((Interface::vtable(unknown).Release)(raw), 0);
        });
        assert_eq!(lives.now(), 0);
        sta.close();
        mta.close();
    });
}

#[test]
fn mrsh_08_released_first_then_unmarshaled_elsewhere() {
    world(|world| {
        let lives = Lives::default();
        let (sta, tape) = hosted(world, &lives, NORMAL);
        let own = tape.clone();
        sta.run(move || assert_eq!(own.release(), S_OK));
        assert_eq!(lives.now(), 0);
        let mta = world.mta();
        mta.run(move || unsafe {
            let proxy: IProbe = tape.unmarshal().unwrap();
            assert_eq!(proxy.Do(0), RPC_E_DISCONNECTED);
            assert_eq!(query::<IOther>(&proxy).unwrap_err(), RPC_E_DISCONNECTED);
        });
        sta.close();
        mta.close();
    });
}

#[test]
fn mrsh_09_ma_20_table_strong() {
    world(|world| {
        let lives = Lives::default();
        let (sta, tape) = hosted(world, &lives, STRONG);
        let (client, mta) = (world.sta(), world.mta());
        for room in [&client, &mta, &client] {
            let own = tape.clone();
            room.run(move || {
                let (one, two) = (own.unmarshal::<IProbe>().unwrap(), own.unmarshal::<IProbe>().unwrap());
                assert_eq!(one.as_raw(), two.as_raw());
            });
            assert_eq!(lives.now(), 1);
        }
        let own = tape.clone();
        let proxy = mta.run(move || Carry(own.unmarshal::<IProbe>().unwrap()));
        let own = tape.clone();
        sta.run(move || {
            assert_eq!(unsafe { own.unmarshal::<IProbe>().unwrap().Do(0) }, S_OK, "at home, too");
            assert_eq!(own.release(), S_OK);
        });
        assert_eq!(lives.now(), 1, "a proxy holds it");
        let own = tape.clone();
        client.run(move || assert_eq!(own.unmarshal::<IProbe>().unwrap_err(), CO_E_OBJNOTREG, "released"));
        mta.run(move || drop(proxy.take()));
        assert_eq!(lives.now(), 0);
        let own = tape.clone();
        client.run(move || assert_eq!(own.unmarshal::<IProbe>().unwrap_err(), CO_E_OBJNOTREG));
        for room in [sta, client, mta] {
            room.close();
        }
    });
}

#[test]
fn mrsh_09_ma_14_16_table_weak() {
    world(|world| {
        let lives = Lives::default();
        let (sta, tape) = hosted(world, &lives, WEAK);
        let mta = world.mta();
        assert_eq!(lives.now(), 1, "held until somebody has had it");
        let own = tape.clone();
        mta.run(move || {
            let (one, two) = (own.unmarshal::<IProbe>().unwrap(), own.unmarshal::<IProbe>().unwrap());
            drop(one);
            assert_eq!(unsafe { two.Do(0) }, S_OK);
        });
        assert_eq!(lives.now(), 0, "gone with the last proxy");
        sta.close();
        let (sta, tape) = hosted(world, &lives, WEAK);
        let own = tape.clone();
        sta.run(move || assert_eq!(own.release(), S_OK));
        assert_eq!(lives.now(), 0);
        mta.run(move || assert_eq!(tape.unmarshal::<IProbe>().unwrap_err(), CO_E_OBJNOTREG));
        sta.close();
        mta.close();
    });
}

#[test]
fn ma_18_19_weak_packets_and_others() {
    world(|world| {
        let lives = Lives::default();
        let sta = world.sta();
        let own = lives.clone();
        sta.run(move || {
            let (weak, normal) = (Tape::new(), Tape::new());
            let object = probe(&own);
            assert_eq!(weak.marshal(&object, WEAK), S_OK);
            assert_eq!(normal.marshal(&object, NORMAL), S_OK);
            drop(object);
            assert_eq!(normal.release(), S_OK);
            assert_eq!(own.now(), 0, "in spite of the weak packet");
            let (one, two) = (Tape::new(), Tape::new());
            let object = probe(&own);
            assert_eq!(one.marshal(&object, WEAK), S_OK);
            assert_eq!(two.marshal(&object, WEAK), S_OK);
            drop(object);
            assert_eq!(one.release(), S_OK);
            assert_eq!(own.now(), 1);
            assert_eq!(two.release(), S_OK);
            assert_eq!(own.now(), 0);
        });
        sta.close();
    });
}

#[test]
fn mrsh_18_ma_10_packets_of_proxies_lead_to_the_object() {
    world(|world| {
        let lives = Lives::default();
        let (sta, tape) = hosted(world, &lives, NORMAL);
        let (mta, other) = (world.mta(), world.sta());
        let served_at = sta.thread;
        let own = lives.clone();
        let packets = mta.run(move || {
            let proxy: IProbe = tape.unmarshal().unwrap();
            let packets = [(); 6].map(|()| pack(&proxy));
            drop(proxy);
            assert_eq!(own.now(), 1);
            packets
        });
        let [a, b, c, d, e, f] = packets;
        other.run(move || {
            for packet in [a, b, c] {
                assert_eq!(thread_of(&unpack(packet)), served_at);
            }
        });
        assert_eq!(lives.now(), 1);
        let own = lives.clone();
        sta.run(move || {
            let (one, two) = (unpack::<IProbe>(d), unpack::<IProbe>(e));
            assert_eq!(one.as_raw(), two.as_raw(), "home again: the object itself");
            assert_eq!(own.now(), 1);
            drop((one, two));
            assert_eq!(own.now(), 1);
            drop(unpack::<IProbe>(f));
        });
        assert_eq!(lives.now(), 0);
        for room in [sta, mta, other] {
            room.close();
        }
    });
}

#[test]
fn mrsh_18_a_table_packet_of_a_proxy() {
    world(|world| {
        let lives = Lives::default();
        let (sta, tape) = hosted(world, &lives, NORMAL);
        let (mta, other) = (world.mta(), world.sta());
        let table = Tape::new();
        let own = table.clone();
        mta.run(move || {
            let proxy: IProbe = tape.unmarshal().unwrap();
            assert_eq!(own.marshal(&proxy, STRONG), S_OK);
            assert_eq!(own.marshal(&query::<IUnknown>(&proxy).unwrap(), NORMAL), S_OK);
            let mut stays = null_mut();
            let at = 68;
            unsafe {
                assert_eq!(own.0.0.Seek(at, STREAM_SEEK_SET, null_mut()), S_OK);
                assert_eq!(CoUnmarshalInterface(own.raw(), &IProbe::IID, &mut stays), S_OK);
                assert_eq!(stays, proxy.as_raw());
                drop(IProbe::from_raw(stays));
            }
        });
        assert_eq!(lives.now(), 1);
        let own = table.clone();
        other.run(move || assert_eq!(unsafe { own.unmarshal::<IProbe>().unwrap().Do(0) }, S_OK));
        let own = table.clone();
        other.run(move || assert_eq!(own.release(), S_OK));
        assert_eq!(lives.now(), 0);
        for room in [sta, mta, other] {
            room.close();
        }
    });
}

#[test]
fn mrsh_10_11_12_ma_35_36_37_streams() {
    world(|world| unsafe {
        let lives = Lives::default();
        let (iid, mut raw) = (IProbe::IID, 0x10 as *mut c_void);
        assert_eq!(CoUnmarshalInterface(null_mut(), &iid, &mut raw), E_INVALIDARG);
        assert!(raw.is_null());
        let tape = Tape::new();
        assert_eq!(CoUnmarshalInterface(tape.raw(), &iid, null_mut()), E_INVALIDARG);
        assert_eq!(CoUnmarshalInterface(tape.raw(), &iid, &mut raw), CO_E_NOTINITIALIZED);
        assert_eq!(CoGetInterfaceAndReleaseStream(null_mut(), &iid, &mut raw), E_INVALIDARG);
        let sta = world.sta();
        sta.run(move || {
            let mut raw = null_mut();
            let tape = Tape::new();
            assert_eq!(CoUnmarshalInterface(tape.raw(), &iid, &mut raw), STG_E_READFAULT);
            let object = probe(&lives);
            assert_eq!(CoMarshalInterThreadInterfaceInStream(&iid, object.as_raw(), null_mut()), E_INVALIDARG);
            raw = 0x10 as *mut c_void;
            assert_eq!(CoMarshalInterThreadInterfaceInStream(&iid, null_mut(), &mut raw), E_INVALIDARG);
            assert!(raw.is_null());
            // The stream is released when unmarshaling fails: an empty one, whose count tells.
            let mut stream = null_mut();
            assert_eq!(CreateStreamOnHGlobal(HANDLE::NULL, true.into(), &mut stream), S_OK);
            let stream = IStream::from_raw(stream);
            let counted = stream.clone();
            assert_eq!(count(&stream), 2);
            assert_eq!(CoGetInterfaceAndReleaseStream(counted.into_raw(), &iid, &mut raw), STG_E_READFAULT);
            assert_eq!(count(&stream), 1);
        });
        sta.close();
    });
}

#[test]
fn ma_41_43_hresults() {
    world(|world| unsafe {
        let lives = Lives::default();
        let (sta, mta) = (world.sta(), world.mta());
        let own = lives.clone();
        let packet = sta.run(move || pack(&probe_that(&own, |what| HRESULT(what as i32))));
        mta.run(move || {
            let proxy: IProbe = unpack(packet);
            for code in [0x8004_1234, 0x0004_1234, 1, 0, 0x8001_0001, 0x8001_010A, 0x8001_0108, 0xFFFF_FFFF] {
                assert_eq!(proxy.Do(code), HRESULT(code as i32));
            }
        });
        let tape = Tape::new();
        assert_eq!(CoMarshalHresult(tape.raw(), RPC_E_TIMEOUT), S_OK);
        assert_eq!(tape.bytes(), RPC_E_TIMEOUT.0.to_le_bytes());
        tape.rewind();
        let mut back = S_OK;
        assert_eq!(CoUnmarshalHresult(tape.raw(), &mut back), S_OK);
        assert_eq!(back, RPC_E_TIMEOUT);
        assert_eq!(CoUnmarshalHresult(tape.raw(), &mut back), STG_E_READFAULT);
        sta.close();
        mta.close();
    });
}

#[test]
fn mrsh_18_a_proxys_packet_for_iunknown_has_an_ipid_of_its_object() {
    world(|world| {
        let (server, client) = (world.sta(), world.mta());
        let packet = server.run(|| pack(&probe(&Lives::default())));
        client.run(move || {
            let (proxy, tape) = (unpack::<IProbe>(packet), Tape::new());
            assert_eq!(tape.marshal(&query::<IUnknown>(&proxy).unwrap(), NORMAL), S_OK);
            assert!(tape.bytes()[48..64].iter().any(|byte| *byte != 0));
            assert_eq!(tape.release(), S_OK);
        });
        client.close();
        server.close();
    });
}

#[test]
fn ob_01_to_04_06_the_packet_byte_by_byte() {
    world(|world| {
        let sta = world.sta();
        sta.run(|| {
            let object = probe(&Lives::default());
            let (one, two, unknown) = (Tape::new(), Tape::new(), Tape::new());
            assert_eq!(one.marshal(&object, NORMAL), S_OK);
            assert_eq!(two.marshal(&object, NORMAL), S_OK);
            assert_eq!(unknown.marshal(&query::<IUnknown>(&object).unwrap(), NORMAL), S_OK);
            let bytes = one.bytes();
            assert_eq!(&bytes[..8], b"MEOW\x01\0\0\0");
            assert_eq!(&bytes[24..32], [0, 0, 0, 0, 5, 0, 0, 0]);
            let others = [two.bytes(), unknown.bytes()];
            assert!(bytes[32..40].iter().any(|byte| *byte != 0), "OXID");
            assert!(bytes[40..48].iter().any(|byte| *byte != 0), "OID");
            assert_eq!(bytes, others[0], "the same interface of the same object");
            assert_eq!(bytes[32..48], others[1][32..48], "one OXID, one OID");
            assert_ne!(bytes[48..64], others[1][48..64], "an IPID for each interface");
            assert_eq!(u128::from_le_bytes(others[1][8..24].try_into().unwrap()), 0x46000000_000000C0 << 64);
            for tape in [one, two, unknown] {
                assert_eq!(tape.release(), S_OK);
            }
            let mut size = 0;
            let raw = object.as_raw();
            let hr = unsafe { CoGetMarshalSizeMax(&mut size, &IProbe::IID, raw, MSHCTX_INPROC, null_mut(), NORMAL) };
            assert_eq!((hr, size as usize >= bytes.len()), (S_OK, true));
            assert_eq!(count(&object), 1);
        });
        sta.close();
    });
}

#[test]
fn hostile_packets_are_refused() {
    world(|world| {
        let sta = world.sta();
        sta.run(|| unsafe {
            let good = Tape::new();
            let object = probe(&Lives::default());
            assert_eq!(good.marshal(&object, NORMAL), S_OK);
            let bytes = good.bytes();
            for at in 0..bytes.len() {
                let mut bad = bytes.clone();
                bad[at] ^= 0x41;
                let tape = Tape::new();
                let len = bad.len() as u32;
                assert_eq!(tape.0.0.Write(bad.as_ptr().cast(), len, null_mut()), S_OK);
                // Whatever it says, it says it without harm; the good packet stays good.
                if at < 48 && !(8..32).contains(&at) {
                    assert!(tape.unmarshal::<IProbe>().is_err(), "byte {at}");
                }
            }
            for len in 0..bytes.len() as u32 {
                let tape = Tape::new();
                assert_eq!(tape.0.0.Write(bytes.as_ptr().cast(), len, null_mut()), S_OK);
                assert_eq!(tape.unmarshal::<IProbe>().unwrap_err(), STG_E_READFAULT, "{len} bytes");
            }
            assert_eq!(good.unmarshal::<IProbe>().unwrap(), object);
        });
        sta.close();
    });
}

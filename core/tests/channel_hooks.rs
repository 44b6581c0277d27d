//! Channel hooks: who is told of a call, when, on which thread, and what goes along (CHN-05).

mod support;

use oleander::windows_core::{GUID, IUnknown, Interface};
use oleander::*;
use std::ptr;
use std::sync::atomic::Ordering;
use support::hook::*;
use support::probe::*;
use support::*;

const SLOT: u32 = 3;

#[test]
fn chn_05_the_way_of_a_synchronous_call() {
    each_pair(Flavour::Sync, |scene| {
        let book = register(EXTENT, 3, 2);
        assert_eq!(double(&scene.probe, 4), (S_OK, 8));
        let way = [
            "ClientGetSize 3",
            "ClientFillBuffer 3",
            "ServerNotify 3 [c1, c1, c1]",
            "ServerGetSize 3",
            "ServerFillBuffer 3",
            "ClientNotify 3 [5e, 5e]",
        ];
        assert_eq!(book.take(), way);
        let mut logical = GUID::zeroed();
        // SAFETY: valid for writes.
        let (here, pid) = unsafe {
            assert_eq!(CoGetCurrentLogicalThreadId(&mut logical), S_OK);
            (GetCurrentThreadId(), GetCurrentProcessId())
        };
        let client = Told {
            iid: IProbe::IID,
            size: size_of::<SChannelHookCallInfo>() as u32,
            causality: logical,
            pid,
            method: SLOT,
            object: 0,
            thread: here,
        };
        for method in ["ClientGetSize", "ClientFillBuffer", "ClientNotify"] {
            assert_eq!(book.last(method), client);
        }
        let server = book.last("ServerNotify");
        assert_ne!((server.object, server.thread), (0, here));
        assert_eq!(Told { object: 0, thread: here, ..server }, client, "APT-33: one causality");
        for method in ["ServerGetSize", "ServerFillBuffer"] {
            assert_eq!(book.last(method), server, "the object, on the thread of the method");
        }
    });
}

#[test]
fn chn_05_call_37_the_way_of_an_asynchronous_call() {
    for flavour in [Flavour::Sync, Flavour::AtOnce, Flavour::Worker] {
        each_pair(flavour, move |scene| {
            let gate = scene.script.hold(4);
            let caller = scene.caller();
            let book = register(EXTENT, 1, 1);
            assert_eq!(caller.begin(4), S_OK);
            assert_eq!(book.told.lines()[..2], ["ClientGetSize 3", "ClientFillBuffer 3"]);
            gate.set();
            book.told.pump_for("ServerFillBuffer 3");
            assert_eq!(caller.wait(INFINITE), S_OK);
            assert!(!book.told.lines().iter().any(|line| line.starts_with("ClientNotify")), "only in Finish_");
            assert_eq!(caller.finish(), (S_OK, 8));
            let lines = book.take();
            assert_eq!(lines[lines.len() - 3..], ["ServerGetSize 3", "ServerFillBuffer 3", "ClientNotify 3 [5e]"]);
            assert_eq!(book.last("ServerNotify").object, book.last("ServerGetSize").object);
        });
    }
}

#[test]
fn chn_05_who_attaches_nothing_is_told_nevertheless() {
    each_pair(Flavour::Sync, |scene| {
        let book = register(EXTENT, 0, 0);
        assert_eq!(double(&scene.probe, 4), (S_OK, 8));
        assert_eq!(book.take(), ["ClientGetSize 3", "ServerNotify 3 -", "ServerGetSize 3", "ClientNotify 3 -"]);
    });
}

#[test]
fn chn_05_what_a_hook_writes_is_no_more_than_its_room() {
    scene(Kind::Mta, Kind::Sta, Flavour::Sync, |scene| {
        let book = register(EXTENT, 9, 9);
        for (claim, seen) in [(1, " [c1]"), (1000, " [c1, c1, c1, c1, c1, c1, c1, c1, c1]")] {
            book.claims.store(claim, Ordering::SeqCst);
            assert_eq!(double(&scene.probe, 4), (S_OK, 8));
            assert!(book.take().contains(&format!("ServerNotify 3{seen}")));
        }
    });
}

#[test]
fn chn_05_a_failure_of_the_method_is_no_fault() {
    each_pair(Flavour::Sync, |scene| {
        let book = register(EXTENT, 0, 1);
        scene.script.result(5, E_FAIL);
        assert_eq!(double(&scene.probe, 5).0, E_FAIL);
        assert_eq!(book.take()[2..], ["ServerGetSize 3", "ServerFillBuffer 3", "ClientNotify 3 [5e]"]);
    });
}

#[test]
fn chn_05_srv_09_a_server_that_does_not_begin_is_a_fault() {
    each_pair(Flavour::AtOnce, |scene| {
        let book = register(EXTENT, 0, 1);
        scene.script.result(BEGIN_FAILS, E_ABORT);
        assert_eq!(double(&scene.probe, BEGIN_FAILS).0, E_ABORT);
        let code = format!("{:#x}", E_ABORT.0);
        let wanted =
            ["ServerGetSize 3 ", "ServerFillBuffer 3 ", "ClientNotify 3 [5e] "].map(|line| line.to_owned() + &code);
        assert_eq!(book.take()[2..], wanted);
    });
}

#[test]
fn chn_05_cxl_06_a_cancelled_call_has_no_reply_for_a_hook() {
    each_pair(Flavour::Sync, |scene| {
        let book = register(EXTENT, 1, 1);
        let gate = scene.script.hold(4);
        let caller = scene.caller();
        assert_eq!((caller.begin(4), caller.cancel(0)), (S_OK, S_OK));
        gate.set();
        book.told.pump_for("ServerFillBuffer 3");
        assert_eq!(caller.finish().0, RPC_S_CALL_CANCELLED_HR);
        let lines = book.take();
        assert_eq!(lines.last().unwrap(), &format!("ClientNotify 3 - {:#x}", RPC_S_CALL_CANCELLED_HR.0));
    });
}

#[test]
fn chn_05_call_30_nobody_is_told_of_the_end_of_an_abandoned_call() {
    each_pair(Flavour::Sync, |scene| {
        let book = register(EXTENT, 1, 1);
        let caller = scene.caller();
        assert_eq!(caller.begin(4), S_OK);
        drop(caller);
        book.told.pump_for("ServerFillBuffer 3");
        assert!(!book.take().iter().any(|line| line.starts_with("ClientNotify")));
    });
}

#[test]
fn chn_05_a_server_that_is_gone_is_a_fault() {
    for (client, server) in PAIRS {
        in_process(move || {
            let (host, apt) = (Server::start(server, Flavour::Sync), Apt::start(client));
            let packet = host.packet();
            let (probe, book) = apt.run(move || (Sent(packet.unpack()), register(EXTENT, 1, 1)));
            host.stop();
            apt.run(move || {
                assert_eq!(double(&probe.take(), 4).0, RPC_S_UNKNOWN_IF_HR);
                let fault = format!("ClientNotify 3 - {:#x}", RPC_S_UNKNOWN_IF_HR.0);
                assert_eq!(book.take(), ["ClientGetSize 3", "ClientFillBuffer 3", &fault]);
            });
            apt.stop();
        });
    }
}

#[test]
fn chn_05_hooks_see_what_belongs_to_their_guid() {
    each_pair(Flavour::Sync, |scene| {
        let (one, other) = (register(EXTENT, 1, 0), register(OTHER_EXTENT, 2, 3));
        assert_eq!(double(&scene.probe, 4), (S_OK, 8));
        let lines = one.take();
        assert!(lines.contains(&"ServerNotify 3 [c1]".to_owned()) && lines.contains(&"ClientNotify 3 -".to_owned()));
        let lines = other.take();
        assert!(lines.contains(&"ServerNotify 3 [c1, c1]".to_owned()));
        assert!(lines.contains(&"ClientNotify 3 [5e, 5e, 5e]".to_owned()));
    });
}

#[test]
fn chn_05_a_call_keeps_the_hooks_that_it_began_with() {
    each_pair(Flavour::Sync, |scene| {
        let gate = scene.script.hold(4);
        let (before, first) = (scene.caller(), scene.caller());
        assert_eq!(before.begin(4), S_OK);
        let book = register(EXTENT, 1, 1);
        assert_eq!(first.begin(4), S_OK);
        gate.set();
        assert_eq!((before.finish(), first.finish()), ((S_OK, 8), (S_OK, 8)));
        let lines = book.take();
        assert_eq!(lines.len(), 6, "of one call: {lines:?}");
    });
}

#[test]
fn chn_05_a_hook_may_call_and_register() {
    each_pair(Flavour::Sync, |scene| {
        let book = register(EXTENT, 1, 1);
        let probe = Sent(scene.probe.clone());
        *book.inside.lock().unwrap() = Some(Box::new(move || {
            let probe = &probe;
            assert_eq!(double(&probe.0, 2), (S_OK, 4));
            drop(register(OTHER_EXTENT, 0, 0));
        }));
        assert_eq!(double(&scene.probe, 4), (S_OK, 8));
        assert_eq!(book.take().len(), 12, "of both calls");
    });
}

#[test]
fn chn_05_queries_direct_calls_and_other_processes_have_none() {
    let elsewhere = Process::new(platform::host());
    each_pair(Flavour::Sync, move |scene| {
        let book = register(EXTENT, 1, 1);
        assert!(scene.probe.cast::<IClassFactory>().is_err());
        let direct: IProbe = Does::probe(|_| S_OK);
        assert_eq!(double(&direct, 1).0, S_OK);
        Thread::start_in(&elsewhere, "another process", || {
            scene_in_this(|probe| assert_eq!(double(probe, 4), (S_OK, 8)));
        })
        .join();
        assert!(book.take().is_empty());
    });
}

/// A call in whatever process this is.
fn scene_in_this(body: impl FnOnce(&IProbe) + Send + 'static) {
    let (host, apt) = (Server::start(Kind::Sta, Flavour::Sync), Apt::start(Kind::Mta));
    let packet = host.packet();
    apt.run(move || body(&packet.unpack()));
    host.stop();
    apt.stop();
}

#[test]
fn chn_05_hooks_end_with_the_last_apartment() {
    in_process(|| {
        let before = debug::live_objects();
        let (first, last) = (Apt::sta(), Apt::mta());
        let book = first.run(|| register(EXTENT, 1, 1));
        first.stop();
        assert!(book.take().is_empty());
        last.stop();
        assert_eq!((book.take(), debug::live_objects()), (vec!["gone".to_owned()], before));
        // And calls after that have none.
        scene_in_this(|probe| assert_eq!(double(probe, 4), (S_OK, 8)));
        assert!(book.take().is_empty());
    });
}

#[test]
fn chn_05_what_registering_refuses() {
    in_process(|| {
        enter(Kind::Mta);
        let (hook, none): (IChannelHook, IUnknown) =
            (Recorder::new(EXTENT).into(), Does::probe(|_| S_OK).cast().unwrap());
        // SAFETY: null is an error, not a crash.
        let refused = unsafe {
            [
                CoRegisterChannelHook(ptr::null(), hook.as_raw()),
                CoRegisterChannelHook(&EXTENT, ptr::null_mut()),
                CoRegisterChannelHook(&EXTENT, none.as_raw()),
            ]
        };
        assert_eq!(refused, [E_INVALIDARG, E_INVALIDARG, E_NOINTERFACE]);
        drop((hook, none));
        leave();
    });
}

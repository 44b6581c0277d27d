//! What a deadlock report says: the whole text, in COM's words.

#[path = "common/explored.rs"]
mod explored;
#[path = "common/objects.rs"]
mod objects;
#[path = "../../core/tests/support/mod.rs"]
mod support;

use explored::failing;
use objects::event_object;
use oleander::kernel::{Event, Mutex};
use oleander::platform::{Deadline, Why};
use oleander::windows_core::HRESULT;
use oleander::*;
use oleander_sim::{Builder, End, Report, name, run, world};
use std::sync::Arc;
use support::probe::*;
use support::*;

/// The lines between `deadlock:` and the number of steps. Numbers of objects are written as `#`.
#[track_caller]
fn deadlock(report: &Report) -> Vec<String> {
    assert!(matches!(report.end, End::Deadlock { .. }), "{report}");
    let text = report.to_string();
    let mut lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.remove(0), "deadlock:");
    let last = lines.pop().unwrap();
    let Report { steps, virtual_ns, abandoned, .. } = report;
    assert_eq!(last, format!("after {steps} steps at {virtual_ns} ns, {abandoned} threads abandoned"));
    lines.iter().map(|line| numbers_away(line.strip_prefix("  ").expect("lines are indented"))).collect()
}

fn numbers_away(line: &str) -> String {
    let mut words: Vec<_> = line.split(' ').map(str::to_owned).collect();
    for at in 1..words.len() {
        if ["event", "mutex"].contains(&words[at - 1].as_str()) {
            let tail: String = words[at].chars().filter(|c| !c.is_ascii_digit()).collect();
            words[at] = format!("#{tail}");
        }
    }
    words.join(" ")
}

/// An object on a thread of its own, which pumps until `over` is set.
fn sta(thread: &str, object: impl FnOnce() -> IProbe + Send + 'static) -> (Packet<IProbe>, world::JoinHandle<()>) {
    let (ready, packet) = (Event::manual(), Arc::new(std::sync::Mutex::new(None)));
    let (here, place) = (ready.clone(), packet.clone());
    let thread = world::spawn(thread, move || {
        enter(Kind::Sta);
        let object = object();
        *place.lock().unwrap() = Some(pack(&object));
        here.set();
        let never = Event::manual();
        name(&*never, "the end");
        pump(&never);
    });
    wait(&ready);
    let packet = packet.lock().unwrap().take().expect("it is there");
    (packet, thread)
}

fn label(object: &IProbe, n: u32) -> HRESULT {
    // SAFETY: a pointer of this apartment.
    unsafe { object.Label(n) }
}

#[test]
fn two_stas_that_call_each_other_and_one_does_not_pump() {
    let report = run(|| {
        let answered = Event::manual();
        name(&*answered, "answered");
        let waits = answered.clone();
        // The server's method waits for what only the client can do, once it has its reply.
        let (packet, server) = sta("server", move || {
            Does::probe(move |_| {
                wait(&waits);
                S_OK
            })
        });
        let client = world::spawn("client", move || {
            enter(Kind::Sta);
            assert_eq!(label(&packet.unpack(), 1), S_OK);
            answered.set();
        });
        client.join().unwrap();
        drop(server);
    });
    assert_eq!(
        deadlock(&report),
        [
            "'main' waits without dispatching for the end of 'client'",
            "STA 1 ('server') waits without dispatching for event # \"answered\"",
            "STA 2 ('client') waits for a reply to IProbe method 4 from STA 1 ('server'), which serves it and waits \
             without dispatching for event # \"answered\"",
        ]
    );
}

#[test]
fn an_sta_waits_for_an_event_that_a_call_into_it_would_set() {
    let report = run(|| {
        enter(Kind::Sta);
        let called = Event::manual();
        name(&*called, "called");
        let sets = called.clone();
        let object = Does::probe(move |_| {
            sets.set();
            S_OK
        });
        let packet = pack(&object);
        let _client = world::spawn("client", move || {
            enter(Kind::Mta);
            assert_eq!(label(&packet.unpack(), 1), S_OK);
            leave();
        });
        // WaitForSingleObject dispatches nothing; CoWaitForMultipleHandles would.
        wait(&called);
    });
    assert_eq!(
        deadlock(&report),
        [
            "STA 1 ('main') waits without dispatching for event # \"called\"; until it dispatches, IProbe method 4 from \
             'client' stays in its queue",
            "'client' waits for a reply to IProbe method 4 from STA 1 ('main'), which waits without dispatching for event \
             # \"called\"",
        ]
    );
}

#[test]
fn srv_13_a_worker_of_another_apartment_signals_in_vain() {
    let report = run(|| {
        let (begun, script) = (Event::manual(), Script::new());
        name(&*begun, "begun");
        let (hand, theirs, tell) = (script.clone(), script.clone(), begun.clone());
        let worker = world::spawn("worker", move || {
            enter(Kind::Sta);
            wait(&tell);
            // SAFETY: refused, as is tested.
            assert_eq!(unsafe { hand.in_hand(3).Signal() }, RPC_E_WRONG_THREAD);
            leave();
        });
        let (packet, _server) = sta("server", move || new_probe(&theirs, Flavour::Hand, Kind::Sta));
        let client = world::spawn("client", move || {
            enter(Kind::Sta);
            let caller = Caller::new(&packet.unpack());
            // SAFETY: no pointers.
            assert_eq!(unsafe { caller.call.Begin_Label(3) }, S_OK);
            script.log().wait_for("begun 3");
            begun.set();
            // SAFETY: as above.
            assert_eq!(unsafe { caller.sync.Wait(0, INFINITE) }, S_OK);
        });
        worker.join().unwrap();
        client.join().unwrap();
    });
    assert_eq!(
        deadlock(&report),
        [
            "'main' waits without dispatching for the end of 'client'",
            "STA 2 ('server') waits and dispatches for event # \"the end\"",
            "STA 3 ('client') waits for the end of the asynchronous call IProbe method 4 from STA 2, which has begun it; \
             'worker' called ISynchronize::Signal, which was refused with 0x8001010E: the call object belongs to STA 2 \
             (SRV-13)",
        ]
    );
}

#[test]
fn two_mutexes_in_opposite_order() {
    let checked = Builder::new().run(|| {
        let process = Process::current();
        let (a, b) = (Mutex::new(&process, false), Mutex::new(&process, false));
        name(&*a, "a");
        name(&*b, "b");
        let take = |mutex: &Mutex| {
            let taken = oleander::kernel::wait(&[mutex], false, Deadline::NEVER, Why::Wait);
            assert!(taken.is_some());
        };
        let (other_a, other_b) = (a.clone(), b.clone());
        world::spawn("other", move || {
            take(&other_b);
            take(&other_a);
            other_a.release();
            other_b.release();
        });
        take(&a);
        take(&b);
        b.release();
        a.release();
    });
    let report = checked.failure.expect("one of the orders is a deadlock").report;
    assert_eq!(
        deadlock(&report),
        [
            "'main' waits without dispatching for mutex # \"b\", which 'other' owns",
            "'other' waits without dispatching for mutex # \"a\", which 'main' owns",
        ]
    );
}

#[test]
fn threads_of_one_name_are_told_apart() {
    let report = run(|| {
        let gate = Event::manual();
        name(&*gate, "gate");
        for _ in 0..2 {
            let gate = gate.clone();
            world::spawn("client", move || wait(&gate));
        }
        world::spawn("STA", || {
            enter(Kind::Sta);
            let mut msg = MSG::default();
            // SAFETY: the message is ours.
            let _ = unsafe { GetMessageW(&mut msg, HWND::NULL, 0, 0) };
        });
    });
    assert_eq!(
        deadlock(&report),
        [
            "'client 1' waits without dispatching for event # \"gate\"",
            "'client 2' waits without dispatching for event # \"gate\"",
            "STA 1 ('STA') waits for a message",
        ]
    );
}

#[test]
fn threads_in_circles_are_named_with_what_they_do() {
    let circles = || {
        enter(Kind::Sta);
        let (ping, pong) = (Event::auto(), Event::auto());
        name(&*ping, "ping");
        name(&*pong, "pong");
        let (served, serves) = (ping.clone(), pong.clone());
        let worker = world::spawn("worker", move || {
            loop {
                served.wait(Deadline::NEVER, Why::Wait);
                serves.set();
            }
        });
        let answer = event_object();
        // SAFETY: no pointers.
        while unsafe { answer.Wait(0, 0) } == RPC_S_CALLPENDING {
            ping.set();
            pong.wait(Deadline::NEVER, Why::Wait);
        }
        drop(worker);
        leave();
    };
    let failure = failing(&Builder::new().steps_max(500), circles);
    let Report { steps, abandoned, .. } = failure.report;
    assert_eq!((steps, abandoned), (500, 2));
    let text: Vec<_> = failure.report.to_string().lines().map(numbers_away).collect();
    let wanted = [
        "stopped at the step limit: do threads go round in circles?",
        "  STA 1 ('main') took 60 of the last 100: has waited for auto event # \"pong\" (20\u{d7}), polls \
         ISynchronize::Wait(0) of event # (20\u{d7}), signals auto event # \"ping\" (20\u{d7})",
        "  'worker' took 40 of the last 100: signals auto event # \"pong\" (20\u{d7}), has waited for auto event # \
         \"ping\" (20\u{d7})",
        "after 500 steps at 0 ns, 2 threads abandoned",
    ];
    assert_eq!(text, wanted);
    assert!(failure.token.to_string().ends_with(":steps=500"), "{}", failure.token);
}

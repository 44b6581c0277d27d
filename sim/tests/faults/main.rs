//! Faults: what a client gets when a server's process or machine dies, a link is cut, a parcel is lost, there is no memory, a
//! call is refused, an apartment ends.

#![allow(clippy::undocumented_unsafe_blocks, reason = "every call of a COM method is one; the rules are those of COM")]

#[path = "../common/explored.rs"]
mod explored;
#[path = "../../../core/tests/common/offices.rs"]
mod offices;

mod chosen;

use explored::*;
use offices::*;
use oleander::debug::live_objects;
use oleander::windows_core::{HRESULT, Interface};
use oleander::*;
use oleander_sim::fault::{self, Faults, Kind, Refusal};
use oleander_sim::{Builder, Checks, End, Strategy, run, world};
use std::collections::BTreeSet;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const HOUR_MS: u32 = 3_600_000;
const SETUPS: [Setup; 2] = [Setup::STA, Setup::MTA];
const CLIENTS: [u32; 2] = [COINIT_APARTMENTTHREADED, COINIT_MULTITHREADED];

/// A client of an office in another process, and of one on another machine, in every pair of apartments.
fn in_all_pairs(body: impl Fn(&world::Process, &IDesk, &Office) + Send + Sync + Copy + 'static) {
    for (client, setup) in CLIENTS.into_iter().flat_map(|client| SETUPS.map(|setup| (client, setup))) {
        for away in [false, true] {
            run(move || {
                let process = if away { world::machine("away").process() } else { world::process() };
                let office = open(process.emulated(), setup);
                enter(client);
                let desk: IDesk = unpack(&office.packet);
                body(&process, &desk, &office);
                drop(desk);
                leave();
                assert_eq!(live_objects(), 0);
                if !process.emulated().has_died() {
                    assert_eq!(office.close(), 0);
                }
            })
            .expect_completed();
        }
    }
}

/// Has the process die in so many virtual seconds.
fn dies_after(process: &world::Process, seconds: u32) {
    let victim = process.clone();
    drop(world::spawn("killer", move || {
        world::sleep(SECOND * seconds);
        fault::kill(&victim);
    }));
}

#[test]
fn rul_12_a_call_to_a_dead_process_is_not_sent_and_later_ones_are_disconnected() {
    in_all_pairs(|process, desk, office| {
        assert_eq!(add(desk, 1, 2), (S_OK, 3));
        fault::kill(process);
        assert_eq!(add(desk, 1, 2).0, RPC_S_SERVER_UNAVAILABLE_HR);
        assert_eq!(add(desk, 1, 2).0, RPC_E_DISCONNECTED);
        assert_eq!(add_later(desk, 1, 2).0, RPC_E_DISCONNECTED);
        assert_eq!(office.calls(), 1);
        assert_eq!(try_unpack::<IDesk>(&office.packet).err(), Some(RPC_E_DISCONNECTED));
        assert!(desk.cast::<IPersist>().is_err());
    });
}

#[test]
fn rul_12_begin_to_a_dead_process_tells_by_the_call_object() {
    in_all_pairs(|process, desk, _| {
        fault::kill(process);
        let call = call_object(desk).expect("CALL-02: the proxy manager answers");
        let sync: ISynchronize = call.cast().unwrap();
        unsafe {
            assert_eq!(call.Begin_Work(1), S_OK);
            assert_eq!(sync.Wait(COWAIT_DEFAULT, 0), S_OK);
            assert_eq!(call.Finish_Work(), RPC_S_SERVER_UNAVAILABLE_HR);
        }
    });
}

#[test]
fn rul_12_a_process_that_dies_in_a_method_is_a_failed_call() {
    in_all_pairs(|process, desk, office| {
        dies_after(process, 10);
        assert_eq!(unsafe { desk.Work(HOUR_MS) }, RPC_S_CALL_FAILED_HR);
        assert_eq!(world::now_ns(), 10_000_000_000);
        assert_eq!(add(desk, 1, 2).0, RPC_E_DISCONNECTED);
        assert_eq!((office.calls(), office.gone()), (1, 0), "what dies runs no destructor");
    });
}

#[test]
fn rul_12_a_pending_call_object_hears_of_the_death_once() {
    in_all_pairs(|process, desk, _| {
        dies_after(process, 10);
        let call = call_object(desk).expect("CALL-02");
        let (sync, cancel): (ISynchronize, ICancelMethodCalls) = (call.cast().unwrap(), call.cast().unwrap());
        unsafe {
            assert_eq!(call.Begin_Work(HOUR_MS), S_OK);
            assert_eq!(sync.Wait(COWAIT_DEFAULT, 9_999), RPC_S_CALLPENDING);
            assert_eq!(sync.Wait(COWAIT_DEFAULT, INFINITE), S_OK);
            assert_eq!(world::now_ns(), 10_000_000_000);
            assert_eq!(cancel.Cancel(0), RPC_E_CALL_COMPLETE);
            assert_eq!(call.Finish_Work(), RPC_S_CALL_FAILED_HR);
            // And the call object can be used again.
            assert_eq!(call.Begin_Work(1), S_OK);
            assert_eq!(call.Finish_Work(), RPC_E_DISCONNECTED);
        }
    });
}

#[test]
fn rul_12_a_call_that_was_queued_when_the_process_died_surely_did_not_run() {
    run(|| {
        let process = world::process();
        let office = open(process.emulated(), Setup { flags: MSHLFLAGS_TABLESTRONG, ..Setup::STA });
        let work = |ms: u32| {
            let bytes = office.packet.clone();
            world::spawn("client", move || {
                enter(COINIT_MULTITHREADED);
                let hr = unsafe { unpack::<IDesk>(&bytes).Work(ms) };
                leave();
                hr
            })
        };
        let first = work(HOUR_MS);
        world::sleep(SECOND);
        let second = work(HOUR_MS);
        world::sleep(SECOND);
        assert_eq!(office.calls(), 1, "the STA is busy with the first call");
        fault::kill(&process);
        assert_eq!(first.join().unwrap(), RPC_S_CALL_FAILED_HR);
        assert_eq!(second.join().unwrap(), RPC_S_CALL_FAILED_DNE_HR);
        assert_eq!(live_objects(), 0);
    })
    .expect_completed();
}

#[test]
fn rul_12_a_machine_dies_with_all_its_processes() {
    run(|| {
        let away = world::machine("away");
        let offices: Vec<_> = (0..2).map(|_| open(away.process().emulated(), Setup::MTA)).collect();
        enter(COINIT_MULTITHREADED);
        let desks: Vec<IDesk> = offices.iter().map(|office| unpack(&office.packet)).collect();
        fault::kill_machine(&away);
        assert!(away.processes().is_empty());
        for desk in &desks {
            assert_eq!(add(desk, 1, 1).0, RPC_S_SERVER_UNAVAILABLE_HR);
        }
        drop(desks);
        leave();
        assert_eq!(live_objects(), 0);
    })
    .expect_completed();
}

#[test]
fn a_process_may_end_itself() {
    run(|| {
        let process = world::process();
        let victim = process.clone();
        let thread = process.spawn("suicide", move || fault::kill(&victim));
        assert!(thread.join().is_err());
        assert!(process.emulated().has_died());
    })
    .expect_completed();
}

#[test]
fn the_end_of_a_killed_thread_is_told() {
    run(|| {
        let process = world::process();
        let office = open(process.emulated(), Setup::STA);
        fault::kill(&process);
        assert!(office.thread.ended.is_set());
    })
    .expect_completed();
}

#[test]
fn rul_121_a_cut_link_fails_calls_until_it_is_healed() {
    for setup in SETUPS {
        run(move || {
            let (here, away) = (world::this_process().machine().clone(), world::machine("away"));
            let office = open(away.process().emulated(), setup);
            enter(COINIT_MULTITHREADED);
            let desk: IDesk = unpack(&office.packet);
            let (one, other) = (here.clone(), away.clone());
            let cutter = world::spawn("cutter", move || {
                world::sleep(SECOND * 5);
                fault::cut(&one, &other);
            });
            assert_eq!(unsafe { desk.Work(10_000) }, RPC_S_CALL_FAILED_HR);
            assert_eq!(world::now_ns(), 5_000_000_000);
            cutter.join().unwrap();
            for _ in 0..2 {
                assert_eq!(add(&desk, 1, 2).0, RPC_S_SERVER_UNAVAILABLE_HR);
            }
            fault::heal(&here, &away);
            world::sleep(SECOND * 10);
            assert_eq!(add(&desk, 1, 2), (S_OK, 3));
            drop(desk);
            leave();
            assert_eq!((office.gone(), live_objects(), office.close()), (1, 0, 0));
        })
        .expect_completed();
    }
}

#[test]
fn rul_121_a_lost_request_and_a_lost_reply_are_failed_calls_and_only_one_of_them_ran() {
    for later in [false, true] {
        run(move || {
            let (here, away) = (world::this_process().machine().clone(), world::machine("away"));
            let office = open(away.process().emulated(), Setup::MTA);
            enter(COINIT_MULTITHREADED);
            let desk: IDesk = unpack(&office.packet);
            let call = if later { add_later } else { add };
            fault::lose_next(&here, &away);
            assert_eq!((call(&desk, 1, 2).0, office.calls()), (RPC_S_CALL_FAILED_HR, 0));
            fault::lose_next(&away, &here);
            assert_eq!((call(&desk, 1, 2).0, office.calls()), (RPC_S_CALL_FAILED_HR, 1));
            assert_eq!((call(&desk, 1, 2), office.calls()), ((S_OK, 3), 2));
            drop(desk);
            leave();
            assert_eq!((office.gone(), live_objects(), office.close()), (1, 0, 0));
        })
        .expect_completed();
    }
}

#[test]
fn a_pointer_in_a_lost_request_is_given_back() {
    run(|| {
        let (here, away) = (world::this_process().machine().clone(), world::machine("away"));
        let office = open(away.process().emulated(), Setup::MTA);
        enter(COINIT_MULTITHREADED);
        let desk: IDesk = unpack(&office.packet);
        let done = Default::default();
        let own = Desk::make(&done);
        fault::lose_next(&here, &away);
        assert_eq!(unsafe { desk.Keep(&IDesk::IID, own.as_raw()) }, RPC_S_CALL_FAILED_HR);
        drop((own, desk));
        assert_eq!(done.gone.load(std::sync::atomic::Ordering::SeqCst), 1);
        leave();
        assert_eq!((live_objects(), office.close()), (0, 0));
    })
    .expect_completed();
}

#[test]
fn err_39_a_call_without_memory_is_e_outofmemory_and_the_next_one_works() {
    in_all_pairs(|_, desk, office| {
        fault::out_of_memory(&world::this_process(), 2);
        assert_eq!(add(desk, 1, 2).0, E_OUTOFMEMORY);
        assert_eq!(add_later(desk, 1, 2).0, E_OUTOFMEMORY);
        assert_eq!((add(desk, 1, 2), office.calls()), ((S_OK, 3), 1));
    });
}

#[test]
fn mf_05_surroundings_refuse_synchronous_calls_to_stas() {
    run(|| {
        let process = world::process();
        let office = open(process.emulated(), Setup::STA);
        enter(COINIT_APARTMENTTHREADED);
        let desk: IDesk = unpack(&office.packet);
        for (refusal, code) in
            [(Refusal::Rejected, RPC_E_CALL_REJECTED), (Refusal::RetryLater, RPC_E_SERVERCALL_RETRYLATER)]
        {
            fault::refuse(&process, refusal, 1);
            assert_eq!((add_later(&desk, 1, 2), add(&desk, 1, 2).0), ((S_OK, 3), code));
        }
        assert_eq!((add(&desk, 1, 2), office.calls()), ((S_OK, 3), 3));
        drop(desk);
        leave();
        assert_eq!((live_objects(), office.close()), (0, 0));
    })
    .expect_completed();
}

/// Tries refused calls again, after a second.
#[com_class(IMessageFilter)]
struct Patient;

impl IMessageFilter_Impl for Patient_Impl {
    unsafe fn HandleInComingCall(&self, _: u32, _: HANDLE, _: u32, _: *const INTERFACEINFO) -> u32 {
        SERVERCALL_ISHANDLED
    }
    unsafe fn RetryRejectedCall(&self, _: HANDLE, _: u32, _: u32) -> u32 {
        1000
    }
    unsafe fn MessagePending(&self, _: HANDLE, _: u32, _: u32) -> u32 {
        PENDINGMSG_WAITDEFPROCESS
    }
}

#[test]
fn mf_03_a_refused_call_between_processes_is_tried_again() {
    run(|| {
        let process = world::machine("away").process();
        let office = open(process.emulated(), Setup::STA);
        enter(COINIT_APARTMENTTHREADED);
        let desk: IDesk = unpack(&office.packet);
        let filter: IMessageFilter = windows_core::ComObject::new(Patient).into_interface();
        let mut before = std::ptr::null_mut();
        assert_eq!(unsafe { CoRegisterMessageFilter(filter.as_raw(), &mut before) }, S_OK);
        fault::refuse(&process, Refusal::RetryLater, 3);
        assert_eq!((add(&desk, 1, 2), office.calls()), ((S_OK, 3), 1));
        assert_eq!(world::now_ns(), 3_000_000_000);
        assert_eq!(unsafe { CoRegisterMessageFilter(std::ptr::null_mut(), &mut before) }, S_OK);
        drop(unsafe { IMessageFilter::from_raw(before) });
        drop((filter, desk));
        leave();
        assert_eq!((live_objects(), office.close()), (0, 0));
    })
    .expect_completed();
}

#[test]
fn ma_24_an_apartment_that_ends_disconnects_what_is_queued() {
    run(|| {
        let process = world::process();
        let office = open(process.emulated(), Setup::STA);
        enter(COINIT_MULTITHREADED);
        let desk: IDesk = unpack(&office.packet);
        assert!(fault::end_sta(&office.thread.thread));
        // Posted after the end: it is queued, and not served.
        assert_eq!(add(&desk, 1, 2).0, RPC_E_DISCONNECTED);
        assert_eq!(add(&desk, 1, 2).0, RPC_S_UNKNOWN_IF_HR);
        assert_eq!((office.gone(), office.calls()), (1, 0));
        drop(desk);
        leave();
        assert_eq!((live_objects(), office.close()), (0, 0));
    })
    .expect_completed();
}

//! Calls between processes and machines of a world: packets as bytes, call objects, cancellation, callbacks, contexts.

#![allow(clippy::undocumented_unsafe_blocks, reason = "every call of a COM method is one; the rules are those of COM")]

#[path = "../../core/tests/common/offices.rs"]
mod offices;

use offices::*;
use oleander::debug::live_objects;
use oleander::windows_core::{ComObject, GUID, HRESULT, IUnknown, Interface};
use oleander::*;
use oleander_sim::{Builder, Strategy, run, world};
use std::ptr::null_mut;
use std::sync::Arc;

const CLIENTS: [u32; 2] = [COINIT_APARTMENTTHREADED, COINIT_MULTITHREADED];
const SETUPS: [Setup; 2] = [Setup::STA, Setup::MTA];

/// In every pair of apartments, with the server in another process, or on another machine.
fn in_all_pairs(body: impl Fn(&IDesk, &Office, u32) + Send + Sync + Copy + 'static) {
    for (client, setup) in CLIENTS.into_iter().flat_map(|client| SETUPS.map(|setup| (client, setup))) {
        for context in [MSHCTX_LOCAL, MSHCTX_DIFFERENTMACHINE] {
            run(move || {
                let process = match context {
                    MSHCTX_LOCAL => world::process(),
                    _ => world::machine("away").process(),
                };
                let office = open(process.emulated(), Setup { context, ..setup });
                enter(client);
                let desk: IDesk = unpack(&office.packet);
                body(&desk, &office, context);
                drop(desk);
                assert_eq!(office.gone(), 1, "the last reference was the client's");
                leave();
                assert_eq!((live_objects(), office.close()), (0, 0));
            })
            .expect_completed();
        }
    }
}

#[test]
fn mrsh_03_a_packet_s_bytes_lead_to_an_object_of_another_process() {
    in_all_pairs(|desk, office, _| {
        assert_eq!(add(desk, 2, 3), (S_OK, 5));
        assert_eq!(add_later(desk, 4, 5), (S_OK, 9));
        assert_eq!(office.calls(), 2);
        let (mut process, mut tid, mut code) = (0, 0, 0);
        assert_eq!(unsafe { desk.Who(&mut process, &mut tid, &mut code) }, S_OK);
        assert_ne!(process, unsafe { GetCurrentProcessId() });
        // One proxy manager for an object (MRSH-17), and no interface that the server lacks.
        assert_eq!(desk.cast::<IUnknown>().unwrap(), desk.cast::<IUnknown>().unwrap());
        assert!(desk.cast::<IPersist>().is_err());
    });
}

#[test]
fn apt_34_a_caller_of_another_process_is_told_from_one_of_this() {
    in_all_pairs(|desk, _, _| {
        let (mut process, mut tid, mut code) = (0, 0, 0);
        assert_eq!(unsafe { desk.Who(&mut process, &mut tid, &mut code) }, S_OK);
        assert_eq!(HRESULT(code), S_FALSE);
        let (mut kind, mut qualifier) = (0, 0);
        assert_eq!(unsafe { CoGetApartmentType(&mut kind, &mut qualifier) }, S_OK);
        let own = if kind == APTTYPE_MTA { 0 } else { unsafe { GetCurrentThreadId() } };
        assert_eq!(tid, own);
    });
}

#[test]
fn mrsh_18_a_pointer_goes_with_a_call_and_the_server_calls_back() {
    in_all_pairs(|desk, _, _| {
        let done = Arc::default();
        let own = Desk::make(&done);
        unsafe {
            assert_eq!(desk.Keep(&IDesk::IID, own.as_raw()), S_OK);
            let mut sum = 0;
            assert_eq!(desk.Pass(20, 3, &mut sum), S_OK);
            assert_eq!(sum, 23);
            // What comes back is the object itself (MRSH-05), not a proxy of a proxy.
            let mut raw = null_mut();
            assert_eq!(desk.Give(&IDesk::IID, &mut raw), S_OK);
            assert_eq!(raw, own.as_raw());
            drop(IDesk::from_raw(raw));
            assert_eq!(desk.Keep(&IDesk::IID, null_mut()), S_OK);
        }
        drop(own);
        assert_eq!(done.gone.load(std::sync::atomic::Ordering::SeqCst), 1);
    });
}

#[test]
fn mrsh_18_a_third_process_calls_the_object_and_not_the_one_that_gave_it() {
    run(|| {
        let (first, second) = (world::process(), world::machine("away").process());
        let (there, other) = (open(first.emulated(), Setup::STA), open(second.emulated(), Setup::MTA));
        enter(COINIT_MULTITHREADED);
        let (desk, keeper): (IDesk, IDesk) = (unpack(&there.packet), unpack(&other.packet));
        unsafe {
            assert_eq!(keeper.Keep(&IDesk::IID, desk.as_raw()), S_OK);
            drop(desk);
            assert_eq!(there.gone(), 0, "the other process holds it");
            let mut sum = 0;
            assert_eq!(keeper.Pass(1, 2, &mut sum), S_OK);
            assert_eq!(sum, 3);
            assert_eq!(keeper.Keep(&IDesk::IID, null_mut()), S_OK);
        }
        assert_eq!(there.gone(), 1);
        drop(keeper);
        leave();
        assert_eq!((live_objects(), there.close(), other.close()), (0, 0, 0));
    })
    .expect_completed();
}

#[test]
fn cxl_03_a_cancellation_reaches_a_method_in_another_process() {
    in_all_pairs(|desk, _, _| {
        let call = call_object(desk).expect("CALL-02");
        let (cancel, sync): (ICancelMethodCalls, ISynchronize) = (call.cast().unwrap(), call.cast().unwrap());
        unsafe {
            assert_eq!(call.Begin_Work(3_600_000), S_OK);
            assert_eq!(sync.Wait(COWAIT_DEFAULT, 1500), RPC_S_CALLPENDING);
            // It is asked to stop, and does within the second.
            assert_eq!(cancel.Cancel(10), RPC_E_CALL_COMPLETE);
            assert_eq!(call.Finish_Work(), E_ABORT);
        }
        assert!(world::now_ns() <= 3_000_000_000);
    });
}

#[test]
fn call_32_a_call_object_that_goes_has_the_method_in_another_process_told() {
    in_all_pairs(|desk, office, _| {
        let call = call_object(desk).expect("CALL-02");
        let sync: ISynchronize = call.cast().unwrap();
        unsafe {
            assert_eq!(call.Begin_Work(3_600_000), S_OK);
            assert_eq!(sync.Wait(COWAIT_DEFAULT, 1500), RPC_S_CALLPENDING);
        }
        drop((sync, call));
        // The object is released when the method has returned: within the second.
        world::sleep(std::time::Duration::from_secs(2));
        assert_eq!(office.calls(), 1);
    });
}

#[test]
fn mrsh_29_an_object_in_a_call_hears_how_far_away_it_goes() {
    in_all_pairs(|desk, _, context| {
        let done = Arc::default();
        let object = Told::make(&done);
        unsafe {
            assert_eq!(desk.Keep(&IUnknown::IID, object.as_raw()), S_OK);
            // The reply carries it too, but what the server has is a proxy, which answers for itself.
            let mut raw = null_mut();
            assert_eq!(desk.Give(&IUnknown::IID, &mut raw), S_OK);
            assert_eq!(raw, object.as_raw());
            drop(IUnknown::from_raw(raw));
            assert_eq!(desk.Keep(&IUnknown::IID, null_mut()), S_OK);
        }
        assert_eq!(*done.told.lock().unwrap(), [context]);
    });
}

#[test]
fn mrsh_29_an_object_in_a_reply_hears_how_far_away_it_goes() {
    for setup in SETUPS {
        run(move || {
            let office = open(world::machine("away").process().emulated(), Setup { make: Told::make_desk, ..setup });
            enter(COINIT_MULTITHREADED);
            let desk: IDesk = unpack(&office.packet);
            let mut raw = null_mut();
            unsafe {
                assert_eq!(desk.Give(&IUnknown::IID, &mut raw), S_OK);
                drop(IUnknown::from_raw(raw));
            }
            assert_eq!(*office.done.told.lock().unwrap(), [MSHCTX_DIFFERENTMACHINE]);
            drop(desk);
            leave();
            assert_eq!((live_objects(), office.close()), (0, 0));
        })
        .expect_completed();
    }
}

#[test]
fn mrsh_23_the_free_threaded_marshaler_does_not_cross_processes() {
    in_all_pairs(|desk, _, _| {
        // An agile object with the marshaler: in this process its pointer itself travels, to another one a standard packet.
        let object: IUnknown = ComObject::new(Plain).into_interface();
        let mut inner = null_mut();
        unsafe {
            assert_eq!(CoCreateFreeThreadedMarshaler(object.as_raw(), &mut inner), S_OK);
            let inner = IUnknown::from_raw(inner);
            let marshal: IMarshal = inner.cast().unwrap();
            let mut class = GUID::zeroed();
            for (context, wanted) in [(MSHCTX_INPROC, CLSID_InProcFreeMarshaler), (MSHCTX_LOCAL, CLSID_StdMarshal)] {
                let raw = object.as_raw();
                assert_eq!(marshal.GetUnmarshalClass(&IUnknown::IID, raw, context, null_mut(), 0, &mut class), S_OK);
                assert_eq!(class, wanted);
            }
            assert_eq!(desk.Keep(&IUnknown::IID, object.as_raw()), S_OK);
            assert_eq!(desk.Keep(&IUnknown::IID, null_mut()), S_OK);
        }
    });
}

#[com_class(IAgileObject)]
struct Plain;

impl IAgileObject_Impl for Plain_Impl {}

#[test]
fn mrsh_09_a_table_packet_serves_several_processes() {
    run(|| {
        let server = world::process();
        let office = open(server.emulated(), Setup { flags: MSHLFLAGS_TABLESTRONG, ..Setup::MTA });
        let clients: Vec<_> = (0..3)
            .map(|_| {
                let bytes = office.packet.clone();
                world::process().spawn("client", move || {
                    enter(COINIT_MULTITHREADED);
                    let sum = add(&unpack(&bytes), 1, 1);
                    leave();
                    (sum, live_objects())
                })
            })
            .collect();
        for client in clients {
            assert_eq!(client.join().unwrap(), ((S_OK, 2), 0));
        }
        assert_eq!(office.gone(), 0, "the table holds it");
        assert_eq!(unsafe { CoReleaseMarshalData(stream_of(&office.packet).as_raw()) }, S_OK);
        assert_eq!(office.gone(), 1);
        assert_eq!(office.close(), 0);
    })
    .expect_completed();
}

#[test]
fn every_order_of_two_clients_of_another_process_ends_well() {
    let checked = Builder::new().strategy(Strategy::PreemptionBound(1)).run(|| {
        let server = world::process();
        let office = open(server.emulated(), Setup { flags: MSHLFLAGS_TABLESTRONG, ..Setup::STA });
        let clients: Vec<_> = (1..=2)
            .map(|number| {
                let bytes = office.packet.clone();
                world::process().spawn("client", move || {
                    enter(COINIT_MULTITHREADED);
                    let desk: IDesk = unpack(&bytes);
                    let sum = if number == 1 { add(&desk, number, 1) } else { add_later(&desk, number, 1) };
                    drop(desk);
                    leave();
                    (sum, live_objects())
                })
            })
            .collect();
        for (client, number) in clients.into_iter().zip(1..) {
            assert_eq!(client.join().unwrap(), ((S_OK, number + 1), 0));
        }
        assert_eq!(unsafe { CoReleaseMarshalData(stream_of(&office.packet).as_raw()) }, S_OK);
        assert_eq!(office.close(), 0);
    });
    assert!(checked.failure.is_none() && checked.complete, "{checked}");
    println!("{checked}");
}

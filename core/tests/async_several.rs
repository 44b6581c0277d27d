//! AsyncIMultiQI on proxies: several interfaces in one query that is begun and finished (IID-12).

mod support;

use oleander::windows_core::{ComObject, GUID, IUnknown, Interface};
use oleander::*;
use std::ptr;
use support::outer::Notify;
use support::probe::{IProbe, PAIRS, double};
use support::releaser::{slow_in, with_slow};
use support::several::*;
use support::*;

/// With every pair of apartments between which there is a proxy, which knows IUnknown only.
#[track_caller]
fn each(body: impl Fn(IUnknown, &Apt) + Send + Sync + Copy + 'static) {
    for (client, server) in PAIRS {
        with_slow(client, server, || {}, move |object, _, host| body(object, host));
    }
}

#[test]
fn iid_12_one_query_for_several_while_the_client_goes_on() {
    each(|object, host| {
        let hung = Hung::hang(host);
        let call = several(&object);
        assert_eq!(begin(&call, &MIXED), S_OK);
        if Hung::is_silent(host) {
            assert_eq!(wait_on(&call, 0), RPC_S_CALLPENDING, "CALL-27");
        }
        hung.release();
        let found = found(&call, MIXED.len());
        assert_eq!((found.hr, found.codes()), (S_FALSE, vec![S_OK, S_OK, E_NOINTERFACE, E_NOINTERFACE, S_OK]));
        assert_eq!(found.entries[0], found.entries[4], "one proxy");
        let probe: IProbe = found.entries[0].as_ref().unwrap().cast().unwrap();
        assert_eq!((double(&probe, 4), probe.cast::<IUnknown>()), ((S_OK, 8), Ok(object)), "PX-03");
        // CALL-21: the call object is free again, for as many as one likes.
        assert_eq!((begin(&call, &[IProbe::IID, IUnknown::IID]), wait_on(&call, INFINITE)), (S_OK, S_OK));
        assert_eq!(self::found(&call, 2).codes(), [S_OK; 2]);
        assert_eq!(begin(&call, &[IClassFactory::IID]), S_OK, "CALL-13: what is missing is missing in Finish_");
        let none = self::found(&call, 1);
        assert_eq!((none.hr, none.codes()), (E_NOINTERFACE, vec![E_NOINTERFACE]));
    });
}

#[test]
fn mrsh_19_iid_12_what_the_proxy_knows_is_not_asked() {
    each(|object, host| {
        let _known: IProbe = object.cast().unwrap();
        let hung = Hung::hang(host);
        let call = several(&object);
        let local = [IProbe::IID, IUnknown::IID, IMultiQI::IID, IMessageFilter::IID];
        assert_eq!((begin(&call, &local), wait_on(&call, 0)), (S_OK, S_OK));
        let found = found(&call, local.len());
        assert_eq!((found.hr, found.codes()), (S_FALSE, vec![S_OK, S_OK, S_OK, E_NOINTERFACE]));
        hung.release();
    });
}

#[test]
fn iid_12_null_and_nothing_are_answers_as_of_imultiqi() {
    each(|object, _| {
        let (call, plain) = (several(&object), object.cast::<IMultiQI>().unwrap());
        let mut entry = MULTI_QI { pIID: ptr::null(), pItf: ptr::dangling_mut(), hr: E_FAIL };
        // SAFETY: null is an error, not a crash; the entry is valid.
        unsafe {
            let null = (
                call.Begin_QueryMultipleInterfaces(1, ptr::null_mut()),
                call.Finish_QueryMultipleInterfaces(ptr::null_mut()),
            );
            assert_eq!(null, (E_POINTER, E_POINTER));
            let wanted = (plain.QueryMultipleInterfaces(1, &mut entry), entry.hr);
            assert!(entry.pItf.is_null());
            entry = MULTI_QI { pIID: ptr::null(), pItf: ptr::dangling_mut(), hr: E_FAIL };
            assert_eq!(call.Begin_QueryMultipleInterfaces(1, &mut entry), S_OK);
            assert_eq!((call.Finish_QueryMultipleInterfaces(&mut entry), entry.hr), wanted);
            assert!(entry.pItf.is_null());
            let wanted = plain.QueryMultipleInterfaces(0, &mut entry);
            assert_eq!(call.Begin_QueryMultipleInterfaces(0, &mut entry), S_OK);
            assert_eq!(call.Finish_QueryMultipleInterfaces(&mut entry), wanted);
        }
    });
}

#[test]
fn call_14_call_18_cxl_12_the_states_of_the_table() {
    each(|object, host| {
        let call = several(&object);
        assert_eq!(finish(&call, 2), (RPC_E_CALL_COMPLETE, None), "CALL-18: nobody knows how many");
        assert_eq!((wait_on(&call, 0), cancel(&call, 0)), (RPC_S_CALLPENDING, RPC_E_CALL_COMPLETE));
        let hung = Hung::hang(host);
        assert_eq!((begin(&call, &MIXED), begin(&call, &MIXED[..1])), (S_OK, RPC_S_CALLPENDING), "CALL-14");
        hung.release();
        assert_eq!((wait_on(&call, INFINITE), begin(&call, &MIXED[..1])), (S_OK, RPC_S_CALLPENDING), "CALL-15");
        assert_eq!(cancel(&call, 0), RPC_E_CALL_COMPLETE, "CXL-04");
        assert_eq!(found(&call, MIXED.len()).hr, S_FALSE);
        assert_eq!(finish(&call, MIXED.len()), (RPC_E_CALL_COMPLETE, None), "CALL-19");
    });
}

#[test]
fn cxl_07_a_cancelled_query_says_so_in_every_entry() {
    with_slow(
        Kind::Mta,
        Kind::Sta,
        || {},
        |object, _, host| {
            let hung = Hung::hang(host);
            let call = several(&object);
            assert_eq!((begin(&call, &MIXED), cancel(&call, 0), cancel(&call, 0)), (S_OK, S_OK, RPC_E_CALL_CANCELED));
            assert_eq!(begin(&call, &MIXED), RPC_S_CALLPENDING, "CXL-08");
            let found = found(&call, MIXED.len());
            assert_eq!((found.hr, found.codes()), (RPC_S_CALL_CANCELLED_HR, vec![RPC_S_CALL_CANCELLED_HR; 5]));
            assert_eq!(begin(&call, &MIXED), S_OK);
            hung.release();
            assert_eq!(self::found(&call, MIXED.len()).hr, S_FALSE);
        },
    );
}

#[test]
fn call_30_a_call_object_that_goes_leaves_nothing() {
    each(|object, host| {
        let hung = Hung::hang(host);
        let call = several(&object);
        assert_eq!(begin(&call, &MIXED), S_OK);
        drop(call);
        hung.release();
        assert!(object.cast::<IProbe>().is_ok());
    });
}

#[test]
fn agg_03_agg_06_under_an_outer_object() {
    each(|object, _| {
        let log = Log::default();
        let outer = ComObject::new(Notify::new(&log));
        let factory: ICallFactory = object.cast().unwrap();
        let direct = outer.to_interface::<ISynchronize>();
        let refused = {
            let mut raw = ptr::dangling_mut();
            // SAFETY: valid arguments.
            let hr = unsafe { factory.CreateCall(&AsyncIMultiQI::IID, direct.as_raw(), &AsyncIMultiQI::IID, &mut raw) };
            (hr, raw)
        };
        assert_eq!(refused, (CLASS_E_NOAGGREGATION, ptr::null_mut()), "AGG-02");
        support::outer::aggregate_for(&outer, &object, &AsyncIMultiQI::IID);
        let call: AsyncIMultiQI = direct.cast().unwrap();
        outer.plan.reset.set(Some(E_ABORT));
        assert_eq!(begin(&call, &MIXED), E_ABORT);
        outer.plan.reset.set(None);
        assert_eq!(begin(&call, &MIXED), S_OK);
        log.pump_for("Signal done");
        assert_eq!(found(&call, MIXED.len()).hr, S_FALSE);
        // What is known already ends outside of Begin_, too: an STA hears of it when it serves calls.
        assert_eq!(begin(&call, &MIXED[..2]), S_OK);
        let (mut kind, mut qualifier) = (0, 0);
        // SAFETY: valid pointers.
        unsafe { assert_eq!(CoGetApartmentType(&mut kind, &mut qualifier), S_OK) };
        if kind != APTTYPE_MTA {
            assert_eq!(log.count("Signal"), 1);
        }
        assert_eq!((found(&call, 2).hr, log.count("Signal")), (S_OK, 2));
    });
}

#[test]
fn apt_21_the_servers_apartment_may_have_ended() {
    for (client, server) in PAIRS {
        in_process(move || {
            let (host, apt, log) = (Apt::start(server), Apt::start(client), Log::default());
            let packet = slow_in(&host, &log, || {});
            apt.run(move || {
                let object = packet.unpack();
                let call = several(&object);
                host.stop_pumping();
                let asked: [GUID; 2] = [IProbe::IID, ICallFactory::IID];
                assert_eq!(begin(&call, &asked), S_OK, "CALL-13");
                let found = found(&call, 2);
                assert_eq!((found.hr, found.codes()), (S_FALSE, vec![RPC_S_UNKNOWN_IF_HR, S_OK]), "as of IMultiQI");
            });
            apt.stop();
        });
    }
}

#[test]
fn mrsh_13_a_call_object_elsewhere_begins_nothing() {
    with_slow(
        Kind::Mta,
        Kind::Sta,
        || {},
        |object, _, host| {
            let call = Sent(several(&object));
            let call = host.run(move || {
                assert_eq!(begin(&call.0, &MIXED), RPC_E_WRONG_THREAD);
                call
            });
            let call = call.take();
            assert_eq!((begin(&call, &MIXED), found(&call, MIXED.len()).hr), (S_OK, S_FALSE));
        },
    );
}

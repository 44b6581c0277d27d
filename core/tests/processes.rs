//! Two emulated processes on host threads of one program: they call each other as the processes of a simulated world do.

#[path = "common/offices.rs"]
mod offices;
mod support;

use offices::*;
use oleander::debug::live_objects;
use oleander::kernel::{self, Spawned};
use oleander::network::{Direct, Network, Parcel, Wire};
use oleander::platform::{self, Deadline, Why};
use oleander::*;
use std::sync::{Arc, Mutex};
use support::hook::{EXTENT, register};

const FAR_APART: u32 = 0x1_0000;

/// Runs a client's part on a thread of its process; what it gives.
fn in_process<T: Send + 'static>(process: &Arc<Process>, body: impl FnOnce() -> T + Send + 'static) -> T {
    let result = Arc::new(Mutex::new(None));
    let to = result.clone();
    let Spawned { ended, .. } = kernel::spawn_in(process, "client", false, move || {
        *to.lock().unwrap() = Some(body());
    });
    assert!(ended.wait(Deadline::after_ms(60_000), Why::Wait), "hung");
    result.lock().unwrap().take().expect("the client did not panic")
}

#[test]
fn two_processes_on_host_threads_call_each_other() {
    for client in [COINIT_APARTMENTTHREADED, COINIT_MULTITHREADED] {
        for setup in [Setup::STA, Setup::MTA] {
            let network = Network::new(Arc::new(Direct));
            let [here, there] = [0, 1].map(|n| network.process(4 + n * FAR_APART, 0, platform::host()));
            let office = open(&there, setup);
            let bytes = office.packet.clone();
            let server = there.id();
            let left = in_process(&here, move || {
                enter(client);
                let desk: IDesk = unpack(&bytes);
                let (mut process, mut tid, mut code) = (0, 0, 0);
                // SAFETY: places for the results.
                assert_eq!(unsafe { desk.Who(&mut process, &mut tid, &mut code) }, S_OK);
                assert_eq!((process, windows_core::HRESULT(code)), (server, S_FALSE));
                for n in 0..50 {
                    assert_eq!(add(&desk, n, 1), (S_OK, n + 1));
                    assert_eq!(add_later(&desk, n, 2), (S_OK, n + 2));
                }
                let (done, mut sum) = (Arc::default(), 0);
                let own = Desk::make(&done);
                // SAFETY: live objects of this apartment, and a place for the result.
                unsafe {
                    let own = windows_core::Interface::as_raw(&own);
                    assert_eq!(desk.Keep(&<IDesk as windows_core::Interface>::IID, own), S_OK);
                    assert_eq!(desk.Pass(1, 2, &mut sum), S_OK);
                    assert_eq!(desk.Keep(&<IDesk as windows_core::Interface>::IID, std::ptr::null_mut()), S_OK);
                }
                assert_eq!(sum, 3);
                drop((own, desk));
                leave();
                live_objects()
            });
            assert_eq!((office.gone(), office.calls(), left), (1, 100, 0));
            assert_eq!(office.close(), 0);
        }
    }
}

#[test]
fn processes_of_different_networks_do_not_find_each_other() {
    let [here, there] = [0, 1].map(|_| Network::new(Arc::new(Direct)).process(4, 0, platform::host()));
    let office = open(&there, Setup::MTA);
    let bytes = office.packet.clone();
    let got = in_process(&here, move || {
        enter(COINIT_MULTITHREADED);
        let got = try_unpack::<IDesk>(&bytes).err();
        leave();
        got
    });
    assert_eq!(got, Some(CO_E_OBJNOTCONNECTED));
    let bytes = office.packet.clone();
    let released = in_process(&there, move || {
        enter(COINIT_MULTITHREADED);
        // SAFETY: the stream lives for the call.
        let hr = unsafe { CoReleaseMarshalData(windows_core::Interface::as_raw(&stream_of(&bytes))) };
        leave();
        hr
    });
    assert_eq!((released, office.gone(), office.close()), (S_OK, 1, 0));
}

#[test]
fn chn_05_each_process_has_its_own_hooks() {
    for setup in [Setup::STA, Setup::MTA] {
        let network = Network::new(Arc::new(Direct));
        let [here, there] = [0, 1].map(|n| network.process(4 + n * FAR_APART, 0, platform::host()));
        let office = open(&there, setup);
        let (bytes, server) = (office.packet.clone(), there.id());
        let books = Arc::new(Mutex::new(Vec::new()));
        let (seen, process) = (books.clone(), there.clone());
        let left = in_process(&here, move || {
            enter(COINIT_MULTITHREADED);
            let desk: IDesk = unpack(&bytes);
            // The server's process alone: it is told, and what it attaches is nobody's.
            let theirs = in_process(&process, || register(EXTENT, 9, 2));
            assert_eq!((add(&desk, 1, 1), add_later(&desk, 1, 1)), ((S_OK, 2), (S_OK, 2)));
            let slot = theirs.last("ServerNotify").method;
            let way =
                [format!("ServerNotify {slot} -"), format!("ServerGetSize {slot}"), format!("ServerFillBuffer {slot}")];
            assert_eq!(theirs.take(), [way.clone(), way.clone()].concat());
            // And the client's.
            let ours = register(EXTENT, 3, 9);
            assert_eq!(add(&desk, 1, 1), (S_OK, 2));
            let sent = format!("ServerNotify {slot} [c1, c1, c1]");
            assert_eq!(theirs.take(), [sent, way[1].clone(), way[2].clone()]);
            let mine = ["ClientGetSize", "ClientFillBuffer"].map(|name| format!("{name} {slot}"));
            assert_eq!(ours.take(), [&mine[..], &[format!("ClientNotify {slot} [5e, 5e]")]].concat());
            let (client, there) = (ours.last("ClientNotify"), theirs.last("ServerNotify"));
            assert_eq!((client.pid, there.pid, client.causality), (server, server, there.causality));
            assert_eq!((client.object, there.object != 0, client.iid), (0, true, there.iid));
            assert_eq!(add_later(&desk, 2, 1), (S_OK, 3));
            assert_eq!(ours.take(), [&mine[..], &[format!("ClientNotify {slot} [5e, 5e]")]].concat());
            seen.lock().unwrap().extend([ours, theirs.clone()]);
            drop((desk, theirs));
            leave();
            live_objects()
        });
        assert_eq!((office.gone(), left, office.close()), (1, 0, 0));
        let ended = books.lock().unwrap().iter().all(|book| book.take().last().is_some_and(|line| line == "gone"));
        assert!(ended, "with the last apartment of their process");
    }
}

/// Delivers at once; but before the call that it knows of goes, another thread asks for the call's cancellation.
#[derive(Default)]
struct CancelsFirst(Mutex<Option<Pointer>>);

#[derive(Clone)]
struct Pointer(ICancelMethodCalls);
// SAFETY: of the MTA, and used in the MTA.
unsafe impl Send for Pointer {}

impl Pointer {
    fn cancel(&self) -> windows_core::HRESULT {
        // SAFETY: a live pointer of this apartment.
        unsafe { self.0.Cancel(60) }
    }

    fn test(&self) -> windows_core::HRESULT {
        // SAFETY: as above.
        unsafe { self.0.TestCancel() }
    }
}

impl Wire for CancelsFirst {
    fn reaches(&self, from: &Process, _to: &Process) -> bool {
        let known = self.0.lock().unwrap().take_if(|known| known.test() == RPC_S_CALLPENDING);
        let Some(known) = known else { return true };
        assert_eq!(from.id(), Process::current().id());
        let theirs = known.clone();
        kernel::spawn("canceller", false, move || {
            enter(COINIT_MULTITHREADED);
            assert_eq!(theirs.cancel(), RPC_E_CALL_COMPLETE);
            drop(theirs);
            leave();
        });
        while known.test() == RPC_S_CALLPENDING {
            std::thread::yield_now();
        }
        true
    }

    fn carry(&self, from: &Arc<Process>, to: &Arc<Process>, parcel: Parcel) {
        Direct.carry(from, to, parcel);
    }
}

#[test]
fn cxl_03_a_cancellation_that_is_faster_than_its_call_goes_after_it() {
    let wire = Arc::new(CancelsFirst::default());
    let network = Network::new(wire.clone());
    let [here, there] = [0, 1].map(|n| network.process(4 + n * FAR_APART, 0, platform::host()));
    let office = open(&there, Setup::MTA);
    let bytes = office.packet.clone();
    let ended = in_process(&here, move || {
        enter(COINIT_MULTITHREADED);
        let desk: IDesk = unpack(&bytes);
        let call = call_object(&desk).expect("CALL-02");
        *wire.0.lock().unwrap() = Some(Pointer(windows_core::Interface::cast(&call).expect("CXL-01")));
        // SAFETY: a live call object of this apartment.
        let ended = unsafe { (call.Begin_Work(100), call.Finish_Work()) };
        assert!(wire.0.lock().unwrap().is_none());
        drop((call, desk));
        leave();
        ended
    });
    assert_eq!(ended, (S_OK, E_ABORT), "its method was asked to stop");
    // The thread that served the call may hold the object a moment longer than the client: the end waits for it.
    assert_eq!(office.close(), 0);
}

//! Two emulated processes on host threads of one program: they call each other as the processes of a simulated world do.

#[path = "common/offices.rs"]
mod offices;

use offices::*;
use oleander::debug::live_objects;
use oleander::kernel::{self, Spawned};
use oleander::network::{Direct, Network};
use oleander::platform::{self, Deadline, Why};
use oleander::*;
use std::sync::{Arc, Mutex};

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

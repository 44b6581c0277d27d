//! The interfaces that every process can marshal without a line of user code: each through a proxy, from an MTA to an STA
//! and the other way round, asynchronously too where it has a twin.

#[path = "../support/mod.rs"]
mod support;

mod advise;
mod enumerators;
mod persist;
mod pipes;
mod streams;

use oleander::windows_core::Interface;
use oleander::*;
use std::ptr;
use support::*;

/// Runs a test on a proxy of what `make` makes in the other apartment, for both kinds of apartments.
fn through_a_proxy<I: Interface + 'static>(
    make: impl Fn() -> I + Clone + Send + 'static,
    test: impl Fn(I) + Clone + Send + 'static,
) {
    for (server, client) in [(Kind::Sta, Kind::Mta), (Kind::Mta, Kind::Sta)] {
        let (make, test) = (make.clone(), test.clone());
        in_process(move || {
            let (host, client) = (Apt::start(server), Apt::start(client));
            let packet = host.run(move || pack::<I>(&make()));
            client.run(move || test(packet.unpack()));
            client.stop();
            host.stop();
        });
    }
}

/// A call object for a twin.
fn create_call<A: Interface>(object: &impl Interface) -> A {
    let factory: ICallFactory = object.cast().expect("a proxy has a call factory");
    let mut raw = ptr::null_mut();
    // SAFETY: valid arguments; a counted pointer comes back.
    unsafe {
        assert_eq!(factory.CreateCall(&A::IID, ptr::null_mut(), &A::IID, &mut raw), S_OK);
        A::from_raw(raw)
    }
}

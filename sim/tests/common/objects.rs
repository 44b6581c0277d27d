//! Objects of COM for scenarios, and a client of one.

#![allow(dead_code, reason = "each test file uses its part")]

use crate::support::probe::{Does, Flavour, IProbe, Server};
use crate::support::{Kind, enter, leave};
use oleander::windows_core::Interface;
use oleander::*;

/// An object whose methods do nothing.
pub fn object() -> IProbe {
    Does::probe(|_| S_OK)
}

/// An object of the system's class of events.
pub fn event_object() -> ISynchronize {
    let mut raw = std::ptr::null_mut();
    // SAFETY: valid arguments.
    unsafe {
        let (class, iid) = (&CLSID_ManualResetEvent, &ISynchronize::IID);
        assert_eq!(CoCreateInstance(class, std::ptr::null_mut(), CLSCTX_INPROC_SERVER, iid, &mut raw), S_OK);
        ISynchronize::from_raw(raw)
    }
}

/// A client in the MTA of a server in an STA.
pub fn client_of_an_sta(client: impl FnOnce(IProbe)) {
    let server = Server::start(Kind::Sta, Flavour::Sync);
    enter(Kind::Mta);
    client(server.packet().unpack());
    leave();
    server.stop();
}

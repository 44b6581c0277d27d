//! Apartments that COM itself makes, for objects whose class cannot live where it is asked for (ACT-09): a host STA, a main
//! STA where the process has none, a cookie that keeps the MTA.
//!
//! They live as long as anybody else is in COM: whoever leaves last ends them, and waits for that. The lock is held to look
//! and to put things in; threads are started, and waited for, outside of it. Two threads that want the same host at once
//! both start one, and the slower stops its own.

use super::end::{end_mta, leave};
use super::init::enter;
use super::{Apartment, wait};
use crate::abi::types::COINIT_APARTMENTTHREADED;
use crate::kernel::{self, Event};
use crate::platform::{self, Current, Deadline, Why};
use crate::process::Process;
use parking_lot::Mutex;
use std::sync::Arc;

/// An STA with a thread of its own.
struct HostSta {
    apartment: Arc<Apartment>,
    stop: Arc<Event>,
    ended: Arc<Event>,
}

#[derive(Default)]
struct Inner {
    sta: Option<HostSta>,
    main: Option<HostSta>,
    mta: Option<usize>,
}

/// The hosts of a process.
#[derive(Default)]
pub(crate) struct Hosts {
    inner: Mutex<Inner>,
}

impl Inner {
    fn sta(&mut self, main: bool) -> &mut Option<HostSta> {
        if main { &mut self.main } else { &mut self.sta }
    }

    fn is_none(&self) -> bool {
        self.sta.is_none() && self.main.is_none() && self.mta.is_none()
    }
}

impl HostSta {
    fn start(process: &Arc<Process>) -> Self {
        let place = Arc::new(Mutex::new(None));
        let (stop, ready) = (Event::manual(), Event::manual());
        let (put, stopped, told) = (place.clone(), stop.clone(), ready.clone());
        let host = kernel::spawn_in(process, "host STA", true, move || {
            let thread = platform::current();
            let _ = enter(&thread, COINIT_APARTMENTTHREADED);
            *put.lock() = thread.com().own_apartment();
            told.set();
            wait::serve_until(&stopped);
            leave(&thread);
        });
        ready.wait(Deadline::NEVER, Why::Wait);
        let apartment = place.lock().take().expect("a new thread enters an STA");
        Self { apartment, stop, ended: host.ended }
    }

    fn end(self) {
        self.stop.set();
        self.ended.wait(Deadline::NEVER, Why::Teardown);
    }
}

/// The STA for objects of single-threaded classes that threads without an STA create; `main` is the main one.
pub(crate) fn sta(process: &Arc<Process>, main: bool) -> Arc<Apartment> {
    if main && let Some(apartment) = process.apartments.main_sta() {
        return apartment;
    }
    let known = process.hosts.inner.lock().sta(main).as_ref().map(|host| host.apartment.clone());
    if let Some(apartment) = known {
        return apartment;
    }
    let mut spare = Some(HostSta::start(process));
    let apartment = {
        let mut inner = process.hosts.inner.lock();
        let place = inner.sta(main);
        if place.is_none() {
            *place = spare.take();
        }
        place.as_ref().expect("put there before").apartment.clone()
    };
    if let Some(spare) = spare {
        spare.end();
    }
    apartment
}

/// The MTA, kept alive if nobody else does.
pub(crate) fn mta(process: &Arc<Process>) -> Arc<Apartment> {
    if process.hosts.inner.lock().mta.is_none() {
        let cookie = process.apartments.add_usage(process);
        let before = process.hosts.inner.lock().mta.replace(cookie);
        if let Some(before) = before {
            // Somebody was faster; the MTA has the newer cookie.
            let _ = process.apartments.drop_usage(before);
        }
    }
    process.apartments.mta().expect("a cookie keeps it")
}

/// Somebody has left COM: if nobody but hosts is left, they end.
pub(super) fn end_if_unused(thread: &Current) {
    let process = thread.process();
    let hosts = {
        let mut inner = process.hosts.inner.lock();
        let stas = [&inner.sta, &inner.main].map(|host| host.as_ref().map(|host| host.apartment.oxid));
        if inner.is_none() || process.apartments.is_used_beyond(stas, inner.mta) {
            return;
        }
        std::mem::take(&mut *inner)
    };
    for host in [hosts.sta, hosts.main].into_iter().flatten() {
        host.end();
    }
    if let Some(cookie) = hosts.mta
        && let Ok(Some(mta)) = process.apartments.drop_usage(cookie)
    {
        end_mta(thread, mta);
    }
}

//! SieveServer: a thread with an apartment that offers the class Sieve.
//!
//! [`sync_sieve`] computes inside CountPrimes; [`async_sieve`] leaves the work to another thread.

mod async_sieve;
mod sync_sieve;

use crate::cli::{Options, ServerApartment, ServerKind};
use crate::com::{Apartment, Event, Kind, name};
use crate::interface::CLSID_Sieve;
use crate::timeline::say;
use async_sieve::AsyncSieve;
use oleander::object::{class_factory_with, create_aggregated};
use oleander::windows_core::{Interface, Result};
use oleander::*;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use sync_sieve::SyncSieve;

/// The server, seen from outside.
pub struct Server {
    stop: Arc<Event>,
    finished: Receiver<()>,
    thread: JoinHandle<Result<()>>,
}

/// What the server's objects know.
#[derive(Clone)]
struct Settings {
    /// Whether to ask TestCancel.
    honour_cancel: bool,
    /// Gets a word for each call that is worked off.
    finished: Sender<()>,
}

impl Server {
    /// Starts the server; its class is registered when this returns.
    pub fn start(options: &Options) -> Result<Self> {
        let (finished_sender, finished) = channel();
        let (ready_sender, ready) = channel();
        let stop = Arc::new(Event::new());
        let settings = Settings { honour_cancel: options.honour_cancel, finished: finished_sender };
        let (server, apartment, stopped) = (options.server, options.server_apartment, stop.clone());
        let thread = std::thread::spawn(move || serve(server, apartment, settings, &ready_sender, &stopped));
        match ready.recv() {
            Ok(()) => Ok(Self { stop, finished, thread }),
            // The thread has ended before its class was registered, and says why.
            Err(_) => Err(joined(thread).err().unwrap_or_else(|| E_UNEXPECTED.into())),
        }
    }

    /// Waits until the server has worked off so many calls.
    pub fn wait_for_calls(&self, calls: usize) {
        for _ in 0..calls {
            self.finished.recv().expect("the class object holds a sender");
        }
    }

    /// Ends the server's apartment.
    pub fn stop(self) -> Result<()> {
        self.stop.set();
        joined(self.thread)
    }
}

fn joined(thread: JoinHandle<Result<()>>) -> Result<()> {
    thread.join().expect("the server's thread does not panic")
}

/// The server's thread: enters its apartment, registers the class, and is there for calls until it is told to stop.
fn serve(
    server: ServerKind,
    apartment: ServerApartment,
    settings: Settings,
    ready: &Sender<()>,
    stop: &Event,
) -> Result<()> {
    let (kind, role) = match apartment {
        ServerApartment::Mta => (Kind::Mta, "server MTA"),
        ServerApartment::Sta => (Kind::Sta, "server STA"),
    };
    let apartment = Apartment::enter(kind, role)?;
    let cookie = register(server, settings)?;
    // Nobody listens only if the main thread is gone.
    let _ = ready.send(());
    // The wait is all the message loop that an STA without windows needs: it serves the calls that come in.
    stop.wait(INFINITE);
    // SAFETY: our own registration.
    unsafe { CoRevokeClassObject(cookie) }.ok()?;
    drop(apartment);
    Ok(())
}

/// Registers the class, so that clients in other apartments can create its objects in this one.
fn register(kind: ServerKind, settings: Settings) -> Result<u32> {
    let factory = class_factory_with(move |outer, iid, ppv| match kind {
        // SAFETY: the arguments are those of IClassFactory::CreateInstance.
        ServerKind::Sync => unsafe { create_aggregated(SyncSieve::new(settings.clone()), outer, iid, ppv) },
        // SAFETY: as above.
        ServerKind::Async => unsafe { create_aggregated(AsyncSieve::new(settings.clone()), outer, iid, ppv) },
    });
    let mut cookie = 0;
    // SAFETY: the factory belongs to this apartment.
    let hr = unsafe {
        CoRegisterClassObject(&CLSID_Sieve, factory.as_raw(), CLSCTX_LOCAL_SERVER, REGCLS_MULTIPLEUSE, &mut cookie)
    };
    say!("CoRegisterClassObject(CLSID_Sieve) → {}", name(hr));
    hr.ok()?;
    Ok(cookie)
}

/// Counts, and asks `cancel` from time to time whether to go on. `None` when it was told to stop.
fn count(max: u32, cancel: Option<&ICancelMethodCalls>) -> Option<u32> {
    let counted = crate::counting::count_primes(max, || {
        // SAFETY: a pointer of the current apartment.
        cancel.is_none_or(|cancel| RPC_E_CALL_CANCELED != unsafe { cancel.TestCancel() })
    });
    match counted {
        Some(primes) => say!("counted {primes} primes up to {max}"),
        None => say!("TestCancel → {}: stops", name(RPC_E_CALL_CANCELED)),
    }
    counted
}

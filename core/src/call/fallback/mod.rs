//! Call objects where a proxy has none: the system's proxy managers have them only for interfaces whose registered proxies
//! have a twin, and Wine's for none at all.
//!
//! [`call_factory`] gives the proxy's own factory where there is one, else the fallback: a call object whose `Begin_` hands
//! the request to a worker of the system's pool. The worker enters the MTA, takes the proxy's pointer there and calls the
//! synchronous method; the reply lies ready for `Finish_`. The parameters cross from the client's thread to the worker as NDR,
//! by the same proxies and stubs as over a channel, so nothing of the client's memory is touched by the worker.
//!
//! | part | what it is |
//! | --- | --- |
//! | [`factory`] | the ICallFactory, and the proxy that its calls go to |
//! | [`object`] | the call object: ISynchronize, ISynchronizeHandle, ICancelMethodCalls around the asynchronous proxy |
//! | [`channel`] | the channel of that proxy: packs a request, fetches its reply |
//! | [`flight`] | one call on its way: who decides it, who is signalled, who runs it |
//!
//! It is made of functions of the surface only: the same code runs on either backend. Whoever waits does so in
//! `CoWaitForMultipleHandles`, so an STA serves calls meanwhile. In a simulated world there is no fallback, for the emulation's
//! proxies have factories, and the scheduler would not see what is shared here.
//!
//! What it cannot do: ask the server to stop. `Cancel` frees the client; the server's `TestCancel` never hears of it.

mod channel;
mod factory;
mod flight;
mod object;

use crate::abi::hresult::{E_NOINTERFACE, E_NOTIMPL};
use crate::abi::interfaces::{ICallFactory, IClientSecurity};
use crate::{backend, platform};
use std::ops::Deref;
use windows_core::{HRESULT, IUnknown, Interface};

/// Makes call objects for a proxy: an `ICallFactory`, and where it comes from. See [`call_factory`].
#[derive(Clone, Debug)]
pub struct CallFactory {
    factory: ICallFactory,
    is_fallback: bool,
}

impl CallFactory {
    /// Whether calls run synchronously in a pool, because the proxy has no call objects. The server then never hears of a
    /// cancellation; all else is as with the proxy's own.
    pub fn is_fallback(&self) -> bool {
        self.is_fallback
    }

    /// The fallback for a proxy, whatever else it has: to see how a program does with it.
    ///
    /// # Errors
    /// As [`call_factory`]; `E_NOTIMPL` in a simulated world.
    pub fn fallback<I: Interface>(proxy: &I) -> Result<Self, HRESULT> {
        if platform::is_simulated() {
            return Err(E_NOTIMPL);
        }
        let proxy: IUnknown = proxy.cast().map_err(|error| error.code())?;
        // What every proxy answers, and hardly an object.
        proxy.cast::<IClientSecurity>().map_err(|_| E_NOINTERFACE)?;
        Ok(Self { factory: factory::create(proxy)?, is_fallback: true })
    }
}

impl Deref for CallFactory {
    type Target = ICallFactory;
    fn deref(&self) -> &ICallFactory {
        &self.factory
    }
}

/// The maker of call objects for a proxy of the calling apartment.
///
/// On the emulation it is the proxy's own, and so it is on the system's COM where that offers one; there a proxy without one
/// gets the fallback ([`CallFactory::is_fallback`]). Of an object that is no proxy it is the object's own, if it has one
/// (CALL-34).
///
/// # Errors
/// `E_NOINTERFACE` for what has no factory and is no proxy; what the proxy says to being asked.
pub fn call_factory<I: Interface>(proxy: &I) -> Result<CallFactory, HRESULT> {
    match proxy.cast::<ICallFactory>() {
        Ok(factory) => Ok(CallFactory { factory, is_fallback: false }),
        Err(error) if error.code() == E_NOINTERFACE && backend::is_system() => CallFactory::fallback(proxy),
        Err(error) => Err(error.code()),
    }
}

//! The client's side: proxy managers, one for each object elsewhere, with an interface proxy for each of its interfaces.

pub mod args;
pub mod async_proxy;
mod async_several;
mod async_unknown;
mod client_security;
pub mod factory;
mod handler;
mod head;
mod imports;
pub mod info;
pub mod interface_proxy;
pub(crate) mod link;
mod manager;
#[cfg(all(windows, feature = "windows"))]
pub(crate) mod on_system;
mod own_call;
mod registry;
mod several;
#[cfg(test)]
mod tests;

pub(crate) use handler::{equip, proxies_of};
pub(crate) use imports::Imports;
pub(crate) use manager::{ProxyManager, manager_of};
pub use registry::{CoGetPSClsid, CoRegisterPSClsid};
pub(crate) use registry::{PsClsids, create_proxy, create_stub, twin_of};

/// A counted reference to a proxy manager.
pub(crate) type ManagerRef = windows_core::ComObject<ProxyManager>;

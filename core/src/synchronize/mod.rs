//! Synchronisation objects: the system's event classes, and the handle that shows an event as a kernel object (facts
//! section 5).

mod container;
mod event;
mod handle;
mod surface_event;

pub(crate) use handle::EventHandle;
pub(crate) use surface_event::SurfaceEvent;

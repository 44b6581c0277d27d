//! Objects: identity, reference counts, aggregation, class factories.

pub mod class;
mod class_table;
mod count;
mod create;
mod factory;
pub mod guard;
mod inner;
pub mod raw;
mod system;
#[cfg(test)]
mod tests;

pub(crate) use class_table::ClassTable;
pub use class_table::{
    CoCreateInstance, CoCreateInstanceEx, CoGetClassObject, CoRegisterClassObject, CoResumeClassObjects,
    CoRevokeClassObject, CoSuspendClassObjects,
};
pub use create::{create_aggregated, create_aggregated_with};
pub(crate) use factory::ServerLocks;
pub use factory::{class_factory, class_factory_with, server_locks};
pub(crate) use inner::is_made_for_inner;
pub use inner::{AutoInner, Inner};
pub use system::{Create, SystemClass, create_system, system_class};

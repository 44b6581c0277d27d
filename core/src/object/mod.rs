//! Objects: identity, reference counts, aggregation, class factories.

mod activation;
pub mod class;
mod class_table;
mod count;
mod create;
mod factory;
mod global_options;
mod grave;
pub mod guard;
mod in_process;
mod inner;
pub mod raw;
mod system;
#[cfg(test)]
mod tests;

pub use activation::{CoCreateInstance, CoCreateInstanceEx, CoGetClassObject};
pub(crate) use class_table::ClassTable;
pub use class_table::{CoRegisterClassObject, CoResumeClassObjects, CoRevokeClassObject, CoSuspendClassObjects};
pub(crate) use count::Count;
pub use create::{create_aggregated, create_aggregated_with};
pub(crate) use factory::ServerLocks;
pub use factory::{class_factory, class_factory_with, server_locks};
pub(crate) use global_options::GlobalOptions;
pub use grave::{CalledAfterEnd, Grave, Word};
pub(crate) use grave::{Title, bury};
pub(crate) use in_process::InProcessClasses;
pub use in_process::{
    OleanderRegisterInProcessClass, OleanderRevokeInProcessClass, ThreadingModel, register_in_process_class,
    revoke_in_process_class,
};
pub(crate) use inner::is_made_for_inner;
pub use inner::{AutoInner, Inner};
pub use system::{Create, SystemClass, create_system, system_class};

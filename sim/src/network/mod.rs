//! What lies between the processes of a world: nothing, parcels arrive in the step that sends them.

use oleander::network::{Parcel, Wire};
use oleander::process::Process;
use std::sync::Arc;

/// The wire of a world.
pub(crate) struct Lines;

impl Wire for Lines {
    fn carry(&self, _from: &Arc<Process>, _to: &Arc<Process>, parcel: Parcel) {
        parcel.deliver();
    }
}

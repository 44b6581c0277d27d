//! A table-strong packet that several may unmarshal at once: the global interface table's, an agile reference's.
//!
//! It never changes, and is released with its last user: so nobody unmarshals what another gives back meanwhile.

use super::{packet, release_packet, split};
use std::ffi::c_void;
use windows_core::{GUID, HRESULT, IUnknown};

/// The packet. See the module.
pub(super) struct TablePacket(Vec<u8>);

impl TablePacket {
    pub(super) fn new(object: &IUnknown, iid: &GUID) -> Result<Self, HRESULT> {
        let mut bytes = Vec::new();
        packet::marshal(object, iid, &packet::Destination::TABLE, &mut bytes)?;
        Ok(Self(bytes))
    }

    /// A pointer for the calling apartment, counted.
    pub(super) fn resolve(&self, wanted: &GUID) -> Result<*mut c_void, HRESULT> {
        split(&self.0).and_then(|(objref, data)| packet::unmarshal(&objref, data, wanted))
    }

    /// COM has left the process: it leads nowhere, and nobody's marshaler is made any more to be told so.
    pub(super) fn forget(mut self) {
        self.0.clear();
    }
}

impl Drop for TablePacket {
    fn drop(&mut self) {
        // An object whose apartment has ended is gone already.
        if !self.0.is_empty() {
            let _ = release_packet(&self.0);
        }
    }
}

//! What the end of a process, or of a connection, means to those who had to do with it (RUL-12).
//!
//! Whoever ends a process has stopped its threads: nothing of it runs any more. Its tables stay as they are; what it held of
//! others is given back by [`run_down`], when those find out that nobody pings.

use super::Waiting;
use crate::abi::hresult::{RPC_S_CALL_FAILED_DNE_HR, RPC_S_CALL_FAILED_HR};
use crate::platform::{self, Access};
use crate::process::Process;
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl Process {
    /// Whether the process has died.
    pub fn has_died(&self) -> bool {
        self.died.load(Ordering::Acquire)
    }

    /// The process is no more, and none of its threads runs again: calls to it fail now (RUL-12), and later ones find it
    /// gone. Called by whoever stopped its threads, on a thread of another process.
    pub fn die(self: &Arc<Self>) {
        platform::visit(self.life, Access::Write);
        if self.died.swap(true, Ordering::AcqRel) {
            return;
        }
        let Some(link) = &self.link else { return };
        for client in link.network.processes().iter().filter(|it| !Arc::ptr_eq(it, self) && !it.has_died()) {
            let waiting = client.peers.take_all_from(self.id());
            if !waiting.is_empty() {
                client.peers.lose(self.id());
            }
            fail_all(client, self, waiting);
        }
    }

    /// The connection to another process breaks, in both directions: whoever waits for an answer hears of it.
    pub fn disconnect_from(self: &Arc<Self>, other: &Arc<Self>) {
        for (client, server) in [(self, other), (other, self)] {
            fail_all(client, server, client.peers.take_all_from(server.id()));
        }
    }
}

fn fail_all(client: &Arc<Process>, server: &Arc<Process>, waiting: Vec<(u64, Waiting)>) {
    for (number, waiting) in waiting {
        // A call that has not been taken from its queue surely did not run.
        let ran = server.peers.incoming(client.id(), number).is_some_and(|call| call.has_started());
        waiting.fail(client, if ran { RPC_S_CALL_FAILED_HR } else { RPC_S_CALL_FAILED_DNE_HR });
    }
}

/// Gives back what a client's process holds of a server's objects, for a client that does not ping any more. Runs on a
/// thread of the server's process.
pub fn run_down(client: &Arc<Process>, server: &Arc<Process>) {
    for apartment in client.apartments.all() {
        for (oxid, oid, refs) in apartment.imports.forfeit(|oxid| server.apartments.find(oxid).is_some()) {
            let stub = server.apartments.find(oxid).and_then(|there| there.exports.by_oid(oid));
            if let Some(stub) = stub {
                let _ = stub.change_later(|held| held.release_proxy(refs), |_| ());
            }
        }
    }
}

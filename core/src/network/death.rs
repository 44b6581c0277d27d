//! What the end of a process, or of a connection, means to those who had to do with it (RUL-12).
//!
//! Whoever ends a process has stopped its threads: nothing of it runs any more. Its tables stay as they are; what it held of
//! others is given back by [`run_down`], when those find out that nobody pings.

use super::Waiting;
use crate::abi::hresult::{RPC_S_CALL_FAILED_DNE_HR, RPC_S_CALL_FAILED_HR};
use crate::apartment::end;
use crate::kernel::Task;
use crate::platform::{self, Access, Object};
use crate::process::Process;
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl Process {
    /// Whether the process has died.
    pub fn has_died(&self) -> bool {
        self.died.load(Ordering::Acquire)
    }

    /// The process is no more: calls to it fail now (RUL-12), and later ones find it gone. `stop` sees to it that none of its
    /// threads ever runs again. Called on a thread of another process; in a world the process's end is one step with `stop`.
    pub fn die(self: &Arc<Self>, stop: impl FnOnce()) {
        platform::visit(self.life, Access::Write);
        if self.died.swap(true, Ordering::AcqRel) {
            return;
        }
        stop();
        let Some(link) = &self.link else { return };
        for client in link.network.processes().iter().filter(|it| !Arc::ptr_eq(it, self) && !it.has_died()) {
            let waiting = client.peers.take_all_from(self.id());
            if !waiting.is_empty() {
                client.peers.lose(self.id());
            }
            fail_all(client, self, waiting);
        }
    }

    /// The process's life, as the port sees it: every step of its threads looks at it, and its death changes it.
    pub fn life(&self) -> Object {
        self.life
    }

    /// The connection to another process breaks, in both directions: whoever waits for an answer hears of it.
    pub fn disconnect_from(self: &Arc<Self>, other: &Arc<Self>) {
        for (client, server) in [(self, other), (other, self)] {
            fail_all(client, server, client.peers.take_all_from(server.id()));
        }
    }
}

/// Whether a client's process holds anything of a server's that ends when nobody pings.
pub fn holds(client: &Process, server: &Process) -> bool {
    let of_server = |oxid| server.apartments.find(oxid).is_some();
    client.apartments.all().iter().any(|apartment| apartment.imports.holds(of_server))
}

/// Ends the STA of a thread, on that thread, when it next dispatches: as if it had left COM. False where there is no such
/// thread with a queue, or it takes no more work.
pub fn end_sta(process: &Arc<Process>, thread_id: u32) -> bool {
    crate::kernel::post_task(process, thread_id, Arc::new(EndOfSta))
}

struct EndOfSta;

impl Task for EndOfSta {
    fn run(self: Arc<Self>) {
        end::tear_down_thread();
    }

    fn abandon(self: Arc<Self>) {}
}

fn fail_all(client: &Arc<Process>, server: &Arc<Process>, waiting: Vec<(u64, Waiting)>) {
    for (number, waiting) in waiting {
        // A call that has not been taken from its queue surely did not run.
        let ran = server.peers.incoming(client.id(), number).is_some_and(|call| call.has_started());
        waiting.fail(client, if ran { RPC_S_CALL_FAILED_HR } else { RPC_S_CALL_FAILED_DNE_HR });
    }
}

/// Gives back what a client's process does not ping for any more: objects of a server's that it has released where that could
/// not be told, and, with `all`, those that it holds. Runs on a thread of the server's process.
pub fn run_down(client: &Arc<Process>, server: &Arc<Process>, all: bool) {
    let of_server = |oxid| server.apartments.find(oxid).is_some();
    let mut gone = client.peers.take_owed(of_server);
    if all {
        gone.extend(client.apartments.all().iter().flat_map(|apartment| apartment.imports.forfeit(of_server)));
    }
    for (oxid, oid, refs) in gone {
        let stub = server.apartments.find(oxid).and_then(|there| there.exports.by_oid(oid));
        if let Some(stub) = stub {
            let _ = stub.change_later(|held| held.release_proxy(refs), |_| ());
        }
    }
}

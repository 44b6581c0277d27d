//! Pings, and the rundown of references whose holder does not ping any more.
//!
//! While client and server are there and reach each other a ping changes nothing, so none is sent. From the moment at which
//! that ends, the server's machine counts: at each multiple of two minutes either a ping arrives, and what the client holds is
//! safe again, or one is missed; at the third that is missed in a row the references are given back. What the client released
//! meanwhile, and could not say so, it does not ping for even when it is back: that goes then too. On one machine the death of
//! a client is noticed at once.

use oleander::network::{holds, run_down};
use oleander::platform::{self, Deadline, Spawn, Why};
use oleander::process::Process;
use std::sync::Arc;

const PERIOD_NS: u64 = 120_000_000_000;
const MISSED_MAX: u64 = 3;

/// A client has died, or cannot reach a server any more.
pub(crate) fn begin(client: &Arc<Process>, server: &Arc<Process>) {
    if server.has_died() || !holds(client, server) {
        return;
    }
    let spawn = Spawn { name: "pings".to_owned(), process: server.clone(), daemon: true };
    let (client, of) = (client.clone(), server.clone());
    server.port().spawn(spawn, Box::new(move || count(&client, &of)));
}

fn count(client: &Arc<Process>, server: &Arc<Process>) {
    let mut all = true;
    if client.machine() != server.machine() {
        let last = platform::now_ns() / PERIOD_NS;
        for missed in 1..=MISSED_MAX {
            let deadline = Deadline::at_ns((last + missed) * PERIOD_NS);
            platform::block(&[], &|| false, deadline, Why::Idle);
            if !deadline.passed() {
                // The world is over.
                return;
            }
            all &= client.has_died() || !super::is_open(client.machine(), server.machine());
        }
    }
    run_down(client, server, all);
}

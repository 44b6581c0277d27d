//! SieveClient and SieveServer: counts primes with an asynchronous COM call and says what happens on which thread.
//!
//! The client is the main thread, in an STA of its own, as the one thread of a program with a window is. The server has
//! another thread and another apartment, so every call between them goes through a proxy and a stub. Start reading at
//! [`client`], which has one function for each mode; [`server`] has the two kinds of server.
//!
//! ```text
//! cargo run --release --example sieve -- --help
//! ```

mod cli;
mod client;
mod com;
mod counting;
mod interface;
mod server;
mod timeline;

use cli::Options;
use client::Outcome;
use oleander::windows_core::Result;
use server::Server;
use std::process::ExitCode;

fn main() -> ExitCode {
    let options = match cli::parse() {
        Ok(options) => options,
        Err(code) => return code,
    };
    timeline::start();
    match run(&options) {
        Ok(outcome) => {
            println!("\n{}", in_words(&options, &outcome));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("sieve: {}", com::explain(error.code()));
            ExitCode::FAILURE
        }
    }
}

/// Server up, client's part, server down. Nothing of one outlives the other.
fn run(options: &Options) -> Result<Outcome> {
    let server = Server::start(options)?;
    let outcome = client::run(options)?;
    // A client that cancels or abandons its call is back before the server is: let the server say how it ended.
    server.wait_for_calls(options.mode.calls());
    server.stop()?;
    timeline::say!("objects left: {}", oleander::debug::live_objects());
    Ok(outcome)
}

fn in_words(options: &Options, outcome: &Outcome) -> String {
    match outcome {
        Outcome::Primes(count) => format!("{count} primes up to {}", options.max),
        Outcome::Cancelled => format!("no count: {}", com::explain(oleander::RPC_S_CALL_CANCELLED_HR)),
        Outcome::Abandoned => "no count: the call object was released with its call pending".into(),
    }
}

//! Very many clients against a synchronous and an asynchronous server, in virtual time: what queuing calls and serving them
//! from a pool is worth.
//!
//! `cargo run --release -p oleander-sim --example load -- --help`

#![allow(clippy::undocumented_unsafe_blocks, reason = "every call of a COM method is one; the rules are those of COM")]

mod server;

use clap::{Parser, ValueEnum};
use oleander::S_OK;
use oleander_sim::load::{Load, LoadReport, Times, plot};
use server::Style;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Calls from very many clients, in virtual time.
#[derive(Parser)]
struct Options {
    /// How many clients.
    #[arg(long, default_value_t = 100_000)]
    clients: usize,
    /// How many calls each makes, one after the other.
    #[arg(long, default_value_t = 1)]
    calls: u32,
    /// Which server.
    #[arg(long, value_enum, default_value_t = Server::Both)]
    server: Server,
    /// The threads from which the server serves.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=512))]
    threads: u32,
    /// How long a call computes, in microseconds.
    #[arg(long, default_value_t = 50)]
    compute_us: u32,
    /// How long it then waits for a device, in microseconds.
    #[arg(long, default_value_t = 2_000)]
    wait_us: u32,
    /// The mean time that a client thinks before each call, in milliseconds.
    #[arg(long, default_value_t = 1_000)]
    think_ms: u64,
    /// The seed of the random numbers.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where to write the samples, one file for each server.
    #[arg(long)]
    csv: Option<PathBuf>,
    /// Where to write the plot.
    #[arg(long)]
    svg: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Server {
    Sync,
    Async,
    Both,
}

fn main() -> std::io::Result<()> {
    let options = Options::parse();
    let mut reports = Vec::new();
    for (name, style, wanted) in
        [("synchronous", Style::Synchronous, Server::Sync), ("asynchronous", Style::Asynchronous, Server::Async)]
    {
        if options.server != wanted && options.server != Server::Both {
            continue;
        }
        let began = Instant::now();
        let report = run(&options, style);
        report.expect_completed();
        let took = began.elapsed();
        let each = took.as_nanos() / u128::from(report.latencies.count().max(1));
        println!("{name} server, {} threads: {report}\n({took:.2?} of real time, {each} ns a call)\n", options.threads);
        if let Some(path) = &options.csv {
            let path =
                if options.server == Server::Both { path.with_extension(format!("{name}.csv")) } else { path.clone() };
            std::fs::write(path, report.to_csv())?;
        }
        reports.push((name, report));
    }
    if let Some(path) = &options.svg {
        let reports: Vec<_> = reports.iter().map(|(name, report)| (*name, report)).collect();
        std::fs::write(path, plot(&reports))?;
    }
    Ok(())
}

fn run(options: &Options, style: Style) -> LoadReport {
    let &Options { clients, calls, threads, compute_us, wait_us, .. } = options;
    let think = Times::Exponential(Duration::from_millis(options.think_ms));
    Load::new().seed(options.seed).run(|site| {
        server::with_server(site, style, threads, |work| {
            site.clients(clients, |client| {
                let work = &work;
                async move {
                    for _ in 0..calls {
                        client.sleep(client.draw(&think)).await;
                        let (hr, done) = client.call(server::call(work, compute_us, wait_us)).await;
                        assert_eq!((hr, done), (S_OK, compute_us + wait_us));
                    }
                }
            });
        });
    })
}

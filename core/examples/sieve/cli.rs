//! The command line: what can be asked for, and one line for whoever asks for something else.

use clap::error::{ContextKind, ContextValue, Error, ErrorKind};
use clap::{ArgAction, CommandFactory, Parser, ValueEnum};
use std::process::ExitCode;

/// Counts primes with a COM call and prints the count and a timeline of what happened on which thread.
///
/// The client is an STA, the server another apartment of the same process. Times are in milliseconds.
#[derive(Parser, Debug)]
#[command(name = "sieve")]
pub struct Options {
    /// How the client makes its call
    #[arg(long, value_enum, default_value_t = Mode::Async)]
    pub mode: Mode,
    /// Counts the primes from 2 to this number
    #[arg(long, value_name = "N", default_value_t = 20_000_000, value_parser = number, allow_negative_numbers = true)]
    pub max: u32,
    /// How the server processes the call
    #[arg(long, value_enum, default_value_t = ServerKind::Async)]
    pub server: ServerKind,
    /// The apartment of the server object
    #[arg(long, value_enum, value_name = "APARTMENT", default_value_t = ServerApartment::Mta)]
    pub server_apartment: ServerApartment,
    /// Whether the server asks TestCancel from time to time and stops (Figure 6 of the article), or never asks (Figure 7)
    #[arg(long, value_name = "BOOL", default_value_t = true, action = ArgAction::Set)]
    pub honour_cancel: bool,
    /// How long the modes cancel, abandon and sync-cancel wait for the call before they lose patience
    #[arg(long, value_name = "MS", default_value_t = 5, value_parser = number, allow_negative_numbers = true)]
    pub cancel_after_ms: u32,
}

/// How the client makes its call.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// CountPrimes: an ordinary call that blocks until the count is there
    Sync,
    /// Begin_CountPrimes, something else, Finish_CountPrimes: the client is free in between
    Async,
    /// ISynchronize::Wait with short timeouts until it no longer says RPC_S_CALLPENDING
    Poll,
    /// A call notify object aggregates the call object; its Signal posts a message, and the client's window procedure
    /// calls Finish_CountPrimes
    Notify,
    /// ICancelMethodCalls::Cancel on the call object after --cancel-after-ms, then Finish_CountPrimes
    Cancel,
    /// Releases the call object after --cancel-after-ms and never finishes the call: the server is asked to stop, and goes
    /// on alone if it does not honour that
    Abandon,
    /// Two calls at once: CoWaitForMultipleHandles on the handles of both call objects tells which is done first
    FirstOfTwo,
    /// DuplicateHandle on the call object's handle, for a second thread: the duplicate outlives the call object
    DuplicateHandle,
    /// A blocking call with CoEnableCallCancellation; after --cancel-after-ms a second thread cancels it with
    /// CoGetCancelObject
    SyncCancel,
    /// A future that awaits resume_on_signal of the call object's handle, and is suspended until the call is complete
    Await,
}

impl Mode {
    /// How many calls the mode makes.
    pub fn calls(self) -> usize {
        if self == Mode::FirstOfTwo { 2 } else { 1 }
    }
}

/// How the server processes calls.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerKind {
    /// The object computes in CountPrimes, on the thread that the call comes in on
    Sync,
    /// The object has ICallFactory: calls go to Begin_CountPrimes of a call object, which leaves the work to another thread
    Async,
}

/// Where the server object lives.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerApartment {
    /// In the multithreaded apartment: calls come in on threads of a pool
    Mta,
    /// In a single-threaded apartment: calls come in one after the other, on its one thread
    Sta,
}

/// What the options without a list of values accept.
const NUMBER: &str = "a whole number from 0 to 4294967295";

fn number(text: &str) -> Result<u32, &'static str> {
    text.parse().map_err(|_| NUMBER)
}

/// The options, or the exit code when there is nothing to run.
pub fn parse() -> Result<Options, ExitCode> {
    Options::try_parse().map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            print!("{error}");
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("sieve: {}", one_line(&error));
            ExitCode::from(2)
        }
    })
}

/// What is wrong and what is accepted.
fn one_line(error: &Error) -> String {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        _ => String::new(),
    };
    let argument = text(ContextKind::InvalidArg);
    match error.kind() {
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let accepted = match error.get(ContextKind::ValidValue) {
                Some(ContextValue::Strings(values)) if !values.is_empty() => values.join(", "),
                _ => NUMBER.to_owned(),
            };
            match text(ContextKind::InvalidValue).as_str() {
                "" => format!("{argument} needs a value: accepted is {accepted}"),
                value => format!("'{value}' is no value for {argument}: accepted is {accepted}"),
            }
        }
        ErrorKind::ArgumentConflict => format!("{argument} is given twice: accepted is each option once"),
        ErrorKind::UnknownArgument => format!("no such argument '{argument}': accepted is {}", all_options()),
        _ => error.to_string().lines().next().unwrap_or_default().to_owned(),
    }
}

fn all_options() -> String {
    let mut command = Options::command();
    command.build();
    let names: Vec<_> = command.get_arguments().filter_map(|arg| Some(format!("--{}", arg.get_long()?))).collect();
    names.join(", ")
}

//! Which COM a thread talks to: the emulation, or the system's own.
//!
//! The system's is there on Windows, in a build with the feature `windows`; everywhere else there is the emulation and
//! nothing else. Every function of the surface asks anew:
//!
//! - a thread of a simulated world, and any other that the emulation itself started (by its `CreateThread`, for its pool or
//!   through [`Port::spawn`](crate::platform::Port::spawn)), always has the emulation;
//! - any other thread has the program's choice: what [`set_default`] said, else the environment variable
//!   `OLEANDER_BACKEND` (`system` or `emulation`), else the system's where it is there.
//!
//! So both run side by side in one process. What must not be mixed, and what may:
//!
//! - **Bodies.** A function's body runs on threads of the emulation only, so what it calls of the surface is the emulation's
//!   too: the answer cannot change while it runs, unless [`set_default`] is called meanwhile.
//! - **Handles, HGLOBALs, windows, cookies** belong to who made them. The other side's are not known: `ERROR_INVALID_HANDLE`.
//!   A handle of the emulation has bits that no handle of the system has (`kernel/slots.rs`).
//! - **Task memory and BSTRs** are one heap in such a build: the emulation takes its own from the system's `CoTaskMemAlloc` and
//!   `SysAllocStringByteLen` (`abi/memory.rs`), so either side frees what the other made. The proxies and stubs of
//!   `#[async_interface]` therefore give the system what it can free.
//! - **Objects** are objects: `#[com_class]` knows no backend. A pointer to another apartment is a proxy of the backend that
//!   unmarshaled it, and packets are read by the backend that wrote them. The interface proxies and stubs are the same on both
//!   (`proxy/on_system.rs`): they speak to a channel through its documented interfaces only, and put the object references
//!   of their own thread's backend into their messages.
//! - [`Process`](crate::Process), [`kernel`](crate::kernel), [`debug`](crate::debug) and the other parts that are not COM's
//!   are the emulation's, on every thread.
//!
//! The choice is one byte for the whole program, and therefore a `static`: it stands above every emulated process. It is
//! read without order, because it says nothing of other memory.

use std::fmt;
use std::io::Write as _;
use std::sync::atomic::{AtomicU8, Ordering};

/// Whose COM it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Backend {
    /// This library's.
    Emulation,
    /// The system's: ole32, combase, kernel32, user32.
    System,
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Emulation => "emulation",
            Self::System => "system",
        })
    }
}

/// There is no [`Backend::System`] in this build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotThere;

impl fmt::Display for NotThere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the system's COM is there on Windows only, with the feature `windows`")
    }
}

impl std::error::Error for NotThere {}

/// The variable that chooses when the program does not.
const VARIABLE: &str = "OLEANDER_BACKEND";
/// Whether this build can reach the system's COM.
const HAS_SYSTEM: bool = cfg!(all(windows, feature = "windows"));

/// The choice: [`UNASKED`], or a [`Backend`] as a number.
static DEFAULT: AtomicU8 = AtomicU8::new(UNASKED);
const UNASKED: u8 = u8::MAX;

/// The backend of threads that the emulation did not start. Set it before the first of them initialises COM: a thread keeps
/// nothing of the backend that it had before.
///
/// # Errors
/// [`NotThere`] for the system's where there is none; the choice is as before.
///
/// ```
/// use oleander::backend::{self, Backend};
/// backend::set_default(Backend::Emulation)?;
/// assert_eq!(backend::current(), Backend::Emulation);
/// # Ok::<(), backend::NotThere>(())
/// ```
pub fn set_default(backend: Backend) -> Result<(), NotThere> {
    if backend == Backend::System && !HAS_SYSTEM {
        return Err(NotThere);
    }
    DEFAULT.store(backend as u8, Ordering::Relaxed);
    Ok(())
}

/// The backend of the current thread.
///
/// Where the variable has to be asked and says something that is neither backend, or one that is not there, the program ends
/// with status 2, after one line on stderr.
pub fn current() -> Backend {
    if crate::platform::is_own() { Backend::Emulation } else { default() }
}

/// Makes the apartment of the calling thread know the proxies and stubs of `#[async_interface]`. `CoInitializeEx` and the other
/// functions that enter an apartment do so themselves: this is for one that somebody else entered, past this library.
///
/// On the emulation every apartment knows them, and there is nothing to do.
pub fn register_interfaces() {
    #[cfg(all(windows, feature = "windows"))]
    if is_system() {
        crate::proxy::on_system::enter();
    }
}

fn default() -> Backend {
    match DEFAULT.load(Ordering::Relaxed) {
        UNASKED => ask(),
        choice if choice == Backend::System as u8 => Backend::System,
        _ => Backend::Emulation,
    }
}

#[cold]
fn ask() -> Backend {
    let value = std::env::var_os(VARIABLE);
    let choice = choice(value.as_ref().map(|it| it.to_string_lossy()).as_deref()).unwrap_or_else(|why| {
        // Not `eprintln!`, which the tests' harness keeps for itself.
        let _ = writeln!(std::io::stderr(), "{why}");
        std::process::exit(2);
    });
    // Whoever set it meanwhile is right.
    match DEFAULT.compare_exchange(UNASKED, choice as u8, Ordering::Relaxed, Ordering::Relaxed) {
        Ok(_) => choice,
        Err(_) => default(),
    }
}

/// What the variable's value means.
fn choice(value: Option<&str>) -> Result<Backend, String> {
    match value {
        None | Some("") if HAS_SYSTEM => Ok(Backend::System),
        None | Some("" | "emulation") => Ok(Backend::Emulation),
        Some("system") if HAS_SYSTEM => Ok(Backend::System),
        Some("system") => Err(format!("{VARIABLE}=system: {NotThere}")),
        Some(other) => Err(format!("{VARIABLE}={other}: it is `system` or `emulation`")),
    }
}

/// Whether a call of the current thread goes to the system. Keeps the system's last error, which looking at a thread-local
/// of a Windows built for GNU clears.
#[cfg(all(windows, feature = "windows"))]
#[inline]
pub(crate) fn is_system() -> bool {
    use crate::abi::system;
    if DEFAULT.load(Ordering::Relaxed) == Backend::Emulation as u8 {
        return false;
    }
    // SAFETY: neither function has a rule to keep.
    let error = unsafe { system::GetLastError() };
    let is_system = current() == Backend::System;
    // SAFETY: as above.
    unsafe { system::SetLastError(error) };
    is_system
}

/// There is no system to go to.
#[cfg(not(all(windows, feature = "windows")))]
#[inline(always)]
pub(crate) const fn is_system() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_has_two_values() {
        let unsaid = if HAS_SYSTEM { Backend::System } else { Backend::Emulation };
        assert_eq!((choice(None), choice(Some(""))), (Ok(unsaid), Ok(unsaid)));
        assert_eq!(choice(Some("emulation")), Ok(Backend::Emulation));
        assert_eq!(choice(Some("system")).is_ok(), HAS_SYSTEM);
        let line = choice(Some("System")).expect_err("names are as they are written");
        assert_eq!(line, "OLEANDER_BACKEND=System: it is `system` or `emulation`");
    }

    #[test]
    fn a_thread_of_the_emulation_keeps_it() {
        let (send, receive) = std::sync::mpsc::channel();
        let port = crate::platform::host();
        let process = crate::Process::new(port.clone());
        let spawn = crate::platform::Spawn { name: "own".to_owned(), process, daemon: false };
        port.spawn(spawn, Box::new(move || send.send(current()).expect("the test waits")));
        assert_eq!(receive.recv(), Ok(Backend::Emulation));
    }
}

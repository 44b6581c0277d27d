//! Threads on chosen CPUs.

use std::sync::OnceLock;

/// Where the two threads of a benchmark run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Both on one CPU: every hand-over is a switch.
    OneCpu,
    /// One thread a CPU: every hand-over crosses caches, and a sleeping CPU must wake.
    CpuEach,
    /// Wherever the system puts them.
    Free,
}

/// Both that are pinned.
pub const PLACES: [Place; 2] = [Place::OneCpu, Place::CpuEach];

impl Place {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::OneCpu => "one_cpu",
            Self::CpuEach => "cpu_each",
            Self::Free => "free",
        }
    }

    /// Pins the calling thread as the one that calls.
    pub fn pin_client(self) {
        self.pin(0);
    }

    /// Pins the calling thread as the one that is called.
    pub fn pin_server(self) {
        self.pin(1);
    }

    fn pin(self, index: usize) {
        match self {
            Self::OneCpu => pin_to(0),
            Self::CpuEach => pin_to(index),
            Self::Free => unpin(),
        }
    }
}

/// Pins the calling thread to the `index`-th of the CPUs that the process may use, counted round. Where the system has
/// no such call the thread stays free, and the numbers are those of an unpinned run.
pub fn pin_to(index: usize) {
    let allowed = allowed();
    if !allowed.is_empty() {
        run_on(&[allowed[index % allowed.len()]]);
    }
}

/// Lets the calling thread run wherever the process may.
pub fn unpin() {
    run_on(allowed());
}

/// The CPUs that were allowed before the first pinning.
fn allowed() -> &'static [usize] {
    static ALLOWED: OnceLock<Vec<usize>> = OnceLock::new();
    ALLOWED.get_or_init(system_allows)
}

#[cfg(target_os = "linux")]
fn system_allows() -> Vec<usize> {
    // SAFETY: the set is plain bits, and the call writes no more than its size.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        if libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &mut set) != 0 {
            return Vec::new();
        }
        (0..libc::CPU_SETSIZE as usize).filter(|cpu| libc::CPU_ISSET(*cpu, &set)).collect()
    }
}

#[cfg(target_os = "linux")]
fn run_on(cpus: &[usize]) {
    // SAFETY: as above; the CPUs are of the set's.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        cpus.iter().for_each(|cpu| libc::CPU_SET(*cpu, &mut set));
        libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &set);
    }
}

#[cfg(not(target_os = "linux"))]
fn system_allows() -> Vec<usize> {
    Vec::new()
}

#[cfg(not(target_os = "linux"))]
fn run_on(_cpus: &[usize]) {}

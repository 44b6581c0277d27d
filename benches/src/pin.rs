//! Threads on chosen CPUs.

/// Where the two threads of a benchmark run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Both on one CPU: every hand-over is a switch.
    OneCpu,
    /// One thread a CPU: every hand-over crosses caches, and a sleeping CPU must wake.
    CpuEach,
}

/// Both.
pub const PLACES: [Place; 2] = [Place::OneCpu, Place::CpuEach];

impl Place {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::OneCpu => "one_cpu",
            Self::CpuEach => "cpu_each",
        }
    }

    /// Pins the calling thread as the one that calls.
    pub fn pin_client(self) {
        pin_to(0);
    }

    /// Pins the calling thread as the one that is called.
    pub fn pin_server(self) {
        pin_to(if self == Self::OneCpu { 0 } else { 1 });
    }
}

/// Pins the calling thread to the `index`-th of the CPUs that the process may use, counted round. Where the system has
/// no such call the thread stays free, and the numbers are those of an unpinned run.
#[cfg(target_os = "linux")]
pub fn pin_to(index: usize) {
    use std::mem::{size_of, zeroed};
    use std::sync::OnceLock;

    /// The CPUs that were allowed before the first pinning.
    static ALLOWED: OnceLock<Vec<usize>> = OnceLock::new();
    let allowed = ALLOWED.get_or_init(|| {
        // SAFETY: the set is plain bits, and the call writes no more than its size.
        unsafe {
            let mut set: libc::cpu_set_t = zeroed();
            if libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &mut set) != 0 {
                return Vec::new();
            }
            (0..libc::CPU_SETSIZE as usize).filter(|cpu| libc::CPU_ISSET(*cpu, &set)).collect()
        }
    });
    if allowed.is_empty() {
        return;
    }
    // SAFETY: as above; the CPU is one of the set's.
    unsafe {
        let mut set: libc::cpu_set_t = zeroed();
        libc::CPU_SET(allowed[index % allowed.len()], &mut set);
        libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &set);
    }
}

/// See the other one.
#[cfg(not(target_os = "linux"))]
pub fn pin_to(_index: usize) {}

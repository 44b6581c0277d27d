//! An emulated process: the root of all state that is not a thread's own. Nothing of it is a `static`, except the one
//! default process that threads belong to when nobody placed them.

use crate::kernel::{HandleTable, QueueTable, WaitLock, WindowTable, WorkPool};
use crate::platform::{self, Object, ObjectKind, Port};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

// The numbers of the objects that every process has.
const QUEUES: Object = Object { id: 1, kind: ObjectKind::Table };
const WORK_ITEMS: Object = Object { id: 2, kind: ObjectKind::Pool };
const FIRST_OBJECT: u64 = 16;

/// An emulated process. Threads of one process share its handles, windows, classes and apartments.
pub struct Process {
    port: Arc<dyn Port>,
    next_object: AtomicU64,
    next_thread: AtomicU32,
    pub(crate) wait_lock: Arc<WaitLock>,
    pub(crate) handles: HandleTable,
    pub(crate) queues: QueueTable,
    pub(crate) windows: WindowTable,
    pub(crate) work: WorkPool,
}

impl Process {
    /// A new process on a port.
    pub fn new(port: Arc<dyn Port>) -> Arc<Self> {
        Arc::new(Self {
            port,
            next_object: AtomicU64::new(FIRST_OBJECT),
            next_thread: AtomicU32::new(1),
            wait_lock: WaitLock::new(),
            handles: HandleTable::new(),
            queues: QueueTable::new(QUEUES),
            windows: WindowTable::new(),
            work: WorkPool::new(WORK_ITEMS),
        })
    }

    /// The process of threads that nobody placed.
    pub fn default_process() -> Arc<Self> {
        static DEFAULT: OnceLock<Arc<Process>> = OnceLock::new();
        DEFAULT.get_or_init(|| Process::new(platform::host())).clone()
    }

    /// The platform that the process runs on.
    pub fn port(&self) -> &Arc<dyn Port> {
        &self.port
    }

    /// A new number for a shared object.
    pub fn new_object(&self, kind: ObjectKind) -> Object {
        Object { id: self.next_object.fetch_add(1, Ordering::Relaxed), kind }
    }

    pub(crate) fn next_thread_id(&self) -> u32 {
        // Thread ids are multiples of four, as on Windows: code that packs flags into them keeps working.
        self.next_thread.fetch_add(1, Ordering::Relaxed) * 4
    }
}

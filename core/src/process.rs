//! An emulated process: the root of all state that is not a thread's own. Nothing of it is a `static`, except the one
//! default process that threads belong to when nobody placed them.
//!
//! A process is made for every execution of a scenario, so it is small: what only COM, windows, handles and other processes
//! need are its [`Tables`], which are made when somebody first looks into one. Making them touches nothing that others see.

use crate::abi::global::GlobalTable;
use crate::apartment::{ApartmentTable, Hosts};
use crate::call::CancelStack;
use crate::channel::ChannelHooks;
use crate::debug::LiveCount;
use crate::future::Timers;
use crate::kernel::{Event, HandleTable, QueueTable, ThreadTable, WaitLock, WaitTable, WindowTable, WorkPool};
use crate::marshal::InterfaceTable;
use crate::network::{Link, Peers};
use crate::object::{ClassTable, GlobalOptions, InProcessClasses, ServerLocks};
use crate::platform::{self, Object, ObjectKind, Port};
use crate::proxy::PsClsids;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock, Weak};

// The numbers of the objects that every process has.
const QUEUES: Object = Object { id: 1, kind: ObjectKind::Table };
const WORK_ITEMS: Object = Object { id: 2, kind: ObjectKind::Pool };
/// The names of kernel objects.
const NAMES: Object = Object { id: 3, kind: ObjectKind::Table };
const TIMERS: Object = Object { id: 4, kind: ObjectKind::Table };
/// The channel hooks.
const HOOKS: Object = Object { id: 5, kind: ObjectKind::Table };
const LIFE: Object = Object { id: 6, kind: ObjectKind::Table };
/// The global interface table.
const INTERFACES: Object = Object { id: 7, kind: ObjectKind::Table };
const FIRST_OBJECT: u64 = 16;
const FIRST_PROCESS: u32 = 4;
/// Bits of a process's number below which the numbers of its threads lie.
const THREAD_BITS: u32 = 16;
/// Bits of an object's number that are its own; the process's are above.
pub(crate) const OBJECT_BITS: u32 = 48;

/// An emulated process. Threads of one process share its handles, windows, classes and apartments.
pub struct Process {
    id: u32,
    port: Arc<dyn Port>,
    next_thread: AtomicU32,
    /// What a handle of the process stands for; made when first asked for, and never set.
    end: OnceLock<Arc<Event>>,
    pub(crate) wait_lock: Arc<WaitLock>,
    pub(crate) threads: ThreadTable,
    pub(crate) queues: QueueTable,
    /// Its place among processes that it can reach; nothing for a process that is alone.
    pub(crate) link: Option<Link>,
    /// Whether it is there, as the port sees it.
    pub(crate) life: Object,
    pub(crate) died: AtomicBool,
    tables: OnceLock<Box<Tables>>,
}

/// What a process has besides threads, queues and waits.
pub struct Tables {
    pub(crate) handles: HandleTable,
    pub(crate) waits: WaitTable,
    pub(crate) live: LiveCount,
    pub(crate) server_locks: ServerLocks,
    pub(crate) windows: WindowTable,
    pub(crate) work: WorkPool,
    pub(crate) apartments: ApartmentTable,
    pub(crate) hosts: Hosts,
    pub(crate) classes: ClassTable,
    pub(crate) in_process_classes: InProcessClasses,
    pub(crate) global_options: OnceLock<GlobalOptions>,
    pub(crate) ps_clsids: PsClsids,
    pub(crate) channel_hooks: ChannelHooks,
    pub(crate) interface_table: InterfaceTable,
    pub(crate) globals: GlobalTable,
    pub(crate) timers: Timers,
    /// The pending calls of each thread that has made any.
    pub(crate) cancel_stacks: Mutex<BTreeMap<u32, Arc<CancelStack>>>,
    pub(crate) peers: Peers,
}

impl Tables {
    fn new(part: u32, world: Option<Weak<dyn Port>>) -> Self {
        Self {
            handles: HandleTable::new(own(part, NAMES), world.is_some()),
            waits: WaitTable::default(),
            live: LiveCount::new(world.clone()),
            server_locks: ServerLocks::default(),
            windows: WindowTable::new(world.is_some()),
            work: WorkPool::new(own(part, WORK_ITEMS)),
            apartments: ApartmentTable::default(),
            hosts: Hosts::default(),
            classes: ClassTable::default(),
            in_process_classes: InProcessClasses::default(),
            global_options: OnceLock::new(),
            ps_clsids: PsClsids::default(),
            channel_hooks: ChannelHooks::new(own(part, HOOKS)),
            interface_table: InterfaceTable::new(own(part, INTERFACES)),
            globals: GlobalTable::default(),
            timers: Timers::new(own(part, TIMERS)),
            cancel_stacks: Mutex::default(),
            peers: Peers::default(),
        }
    }
}

/// The tables, which are made for this if they are not there.
impl Deref for Process {
    type Target = Tables;

    fn deref(&self) -> &Tables {
        self.tables.get_or_init(|| Box::new(Tables::new(self.part(), world_of(&self.port))))
    }
}

/// An object that every process has, as that of one part of all numbers.
fn own(part: u32, object: Object) -> Object {
    Object { id: object.id | u64::from(part) << OBJECT_BITS, ..object }
}

/// The port, if it is a simulated world.
fn world_of(port: &Arc<dyn Port>) -> Option<Weak<dyn Port>> {
    port.is_world().then(|| Arc::downgrade(port))
}

impl Process {
    /// A new process on a port, with the same number as every process that is made this way.
    pub fn new(port: Arc<dyn Port>) -> Arc<Self> {
        Self::with_id(FIRST_PROCESS, port)
    }

    /// A new process with a number that `GetCurrentProcessId` gives: a multiple of four, as on Windows.
    ///
    /// Processes whose numbers differ in the upper 16 bits have no number of a thread and no object in common: those of one
    /// simulated world do.
    pub fn with_id(id: u32, port: Arc<dyn Port>) -> Arc<Self> {
        Self::new_linked(id, port, None)
    }

    /// The same in a network.
    pub(crate) fn linked(id: u32, port: Arc<dyn Port>, link: Link) -> Arc<Self> {
        Self::new_linked(id, port, Some(link))
    }

    fn new_linked(id: u32, port: Arc<dyn Port>, link: Option<Link>) -> Arc<Self> {
        let part = id >> THREAD_BITS;
        let world = world_of(&port);
        Arc::new(Self {
            id,
            port,
            next_thread: AtomicU32::new((part << THREAD_BITS) / 4 + 1),
            end: OnceLock::new(),
            wait_lock: WaitLock::new(FIRST_OBJECT | u64::from(part) << OBJECT_BITS, world),
            threads: ThreadTable::default(),
            queues: QueueTable::new(own(part, QUEUES)),
            link,
            life: own(part, LIFE),
            died: AtomicBool::new(false),
            tables: OnceLock::new(),
        })
    }

    /// The tables, if anybody has looked into one.
    pub(crate) fn made_tables(&self) -> Option<&Tables> {
        self.tables.get().map(|tables| &**tables)
    }

    /// The part of all numbers of objects and threads that is the process's own.
    fn part(&self) -> u32 {
        self.id >> THREAD_BITS
    }

    /// The process of threads that nobody placed.
    pub fn default_process() -> Arc<Self> {
        static DEFAULT: OnceLock<Arc<Process>> = OnceLock::new();
        DEFAULT.get_or_init(|| Process::new(platform::host())).clone()
    }

    /// The process of the calling thread.
    pub fn current() -> Arc<Self> {
        platform::with_current(|thread| thread.process().clone())
    }

    /// What `GetCurrentProcessId` says in it.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// The end of the process, to be waited for: nobody in it sees that come.
    pub(crate) fn end(&self) -> &Arc<Event> {
        self.end.get_or_init(|| Arc::new(Event::new(self, false, false)))
    }

    /// The handles of the process.
    pub fn handles(&self) -> &HandleTable {
        &self.handles
    }

    /// Limits that are reached, in words, for whoever reports that nothing goes on.
    pub fn limits_reached(&self) -> Vec<String> {
        self.apartments.mta().and_then(|mta| mta.pool_exhausted()).into_iter().collect()
    }

    /// The platform that the process runs on.
    pub fn port(&self) -> &Arc<dyn Port> {
        &self.port
    }

    /// A new number for a shared object.
    pub fn new_object(&self, kind: ObjectKind) -> Object {
        Object { id: self.wait_lock.next_object(), kind }
    }

    pub(crate) fn next_thread_id(&self) -> u32 {
        // Thread ids are multiples of four, as on Windows: code that packs flags into them keeps working.
        self.next_thread.fetch_add(1, Ordering::Relaxed) * 4
    }
}

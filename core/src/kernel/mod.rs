//! Kernel objects: events, semaphores, mutexes, waits, message queues, windows, handles. Written once, on the port.
//!
//! - A [`Waitable`] is waited for with [`wait_any`], [`wait_all`] or [`wait`]; [`on_signal`] calls back instead.
//! - [`Event`], [`Semaphore`] and [`Mutex`] are the objects; a [`ThreadObject`] has the end of a thread as one, and the calls
//!   queued to it, which run in its alertable waits ([`wait_alertable`]).
//! - [`queue`] is the current thread's [`MessageQueue`], [`queue_of`] another's.
//! - [`HandleTable`] gives objects their `HANDLE`s.
//!
//! Every operation is one step of the port: it begins with [`crate::platform::visit`], or is a
//! [`crate::platform::block`].

mod apc;
mod at_once;
mod event;
mod handle;
mod header;
mod mutex;
mod queue;
mod record;
mod registered;
mod semaphore;
mod sent;
mod slots;
mod thread;
mod threads;
mod wait;
pub(crate) mod window;
mod work;

#[cfg(all(test, not(loom)))]
mod at_once_tests;
#[cfg(all(test, loom))]
pub(crate) mod loom_tests;
#[cfg(all(test, not(loom)))]
mod objects_tests;
#[cfg(all(test, not(loom)))]
mod wait_tests;
#[cfg(all(test, not(loom)))]
mod window_tests;

pub use event::Event;
pub use handle::{HandleTable, KernelObject};
pub use header::Header;
pub use mutex::Mutex;
pub use queue::{
    ANY_INPUT, ANY_NEW, Filter, MessageQueue, NEW_ALL_POSTED, NEW_POSTED, NEW_SENT, NEW_TIMER, POSTED, POSTED_DDE,
    POSTED_MAX, PUMPED, PostError, Pumped, QUIT, QueueWait, SENT, TASKS, TIMER, Task, message, run_pumped,
};
pub use record::Callback;
pub use semaphore::{SEMAPHORE_COUNT_MAX, Semaphore};
pub use sent::{SentMessage, in_sent_message};
pub use thread::ThreadObject;
pub use threads::{Spawned, queue, queue_of, spawn, spawn_in};
pub use wait::{
    Hit, Mode, Need, Registration, Waitable, Woken, is_ready, on_signal, wait, wait_alertable, wait_all, wait_any,
    wait_for_need,
};
pub use window::dispatch;
pub use work::queue_work_item;
pub(crate) use work::queue_work_item_in;

pub(crate) use handle::{CURRENT_PROCESS, CURRENT_THREAD};
pub(crate) use header::WaitLock;
pub(crate) use queue::TimerProcedure;
pub(crate) use registered::{RegisteredWait, WaitOptions, WaitTable};
pub(crate) use sent::{Answer, How, handling, reply, send_task};
pub(crate) use thread::{Gate, ThreadTable};
pub(crate) use threads::{QueueTable, ThreadKernel, post_task};
pub(crate) use wait::{is_twice, sealed};
pub(crate) use window::WindowTable;
pub(crate) use work::WorkPool;

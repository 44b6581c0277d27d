//! Waiting as COM waits: an STA dispatches incoming calls, sent messages and DDE messages meanwhile (WAIT-09); every
//! other thread just waits (WAIT-12, WAIT-13).
//!
//! Each turn of the loop is one wait of the kernel on the objects **and** the message queue, the objects first: a
//! signalled object wins over a message (WAIT-06). What comes out of the queue is run with no lock held.
//!
//! An alertable wait ends when calls have run that were queued to the thread (WAIT-16). They come after signalled objects and
//! before messages, which stay where they are (CW-12).

use crate::abi::exports::export;
use crate::abi::hresult::{CO_E_NOT_SUPPORTED, E_HANDLE, E_INVALIDARG, RPC_E_NO_SYNC, RPC_S_CALLPENDING, S_OK};
use crate::abi::types::{
    COWAIT_ALERTABLE, COWAIT_DEFAULT, COWAIT_DISPATCH_CALLS, COWAIT_DISPATCH_WINDOW_MESSAGES, COWAIT_INPUTAVAILABLE,
    COWAIT_WAITALL, CWMO_DISPATCH_CALLS, CWMO_DISPATCH_WINDOW_MESSAGES, CWMO_MAX_HANDLES, HANDLE,
    PENDINGMSG_CANCELCALL, PENDINGTYPE_NESTED, PENDINGTYPE_TOPLEVEL, WAIT_ABANDONED_0, WAIT_IO_COMPLETION,
};
use crate::apartment::{Context, Home, Stay, application, filter};
use crate::kernel::{
    self, ANY_INPUT, Event, KernelObject, MessageQueue, NEW_POSTED, Need, POSTED, POSTED_DDE, PUMPED, Pumped, QUIT,
    QueueWait, TASKS, Waitable, Woken,
};
use crate::platform::{self, Deadline, Why};
use smallvec::SmallVec;
use std::sync::Arc;
use windows_core::HRESULT;

/// More handles than this are refused (WAIT-26).
const HANDLES_MAX: u32 = 63;

const FLAGS: u32 =
    COWAIT_WAITALL | COWAIT_ALERTABLE | COWAIT_INPUTAVAILABLE | COWAIT_DISPATCH_CALLS | COWAIT_DISPATCH_WINDOW_MESSAGES;

type Objects<'a> = SmallVec<[&'a dyn Waitable; 4]>;

/// The queue of the STA that the calling thread is in.
fn sta_queue() -> Option<Arc<MessageQueue>> {
    // A thread that is out waits as it does at home.
    platform::with_current(|thread| {
        thread.com().with_own_apartment(|own| match &own?.home {
            Home::Sta { queue, .. } => Some(queue.clone()),
            _ => None,
        })
    })
}

/// What a wait dispatches on an STA.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dispatch {
    /// Calls and no window messages: an application STA (WAIT-19).
    Calls,
    /// Calls, sent messages, DDE messages.
    Modal,
    /// Posted window messages, too (WAIT-19).
    Everything,
}

/// How a wait waits.
#[derive(Clone, Copy)]
struct How {
    all: bool,
    alertable: bool,
    dispatch: Dispatch,
    /// Whether an application STA serves ordinary calls; every other one does.
    calls: bool,
}

/// The flags that an application STA does not know (WAIT-25).
const NOT_FOR_APPLICATIONS: u32 = COWAIT_WAITALL | COWAIT_ALERTABLE | COWAIT_INPUTAVAILABLE;

/// What an application STA cannot do is `CO_E_NOT_SUPPORTED` there.
fn check_application(flags: u32, count: u32) -> Result<(), HRESULT> {
    let refused = flags & NOT_FOR_APPLICATIONS != 0 || count > CWMO_MAX_HANDLES;
    if refused && application::is_application_sta() { Err(CO_E_NOT_SUPPORTED) } else { Ok(()) }
}

impl How {
    fn of_flags(flags: u32) -> Self {
        Self {
            all: flags & COWAIT_WAITALL != 0,
            alertable: flags & COWAIT_ALERTABLE != 0,
            dispatch: dispatch_of(flags & COWAIT_DISPATCH_WINDOW_MESSAGES != 0),
            calls: flags & COWAIT_DISPATCH_CALLS != 0,
        }
    }

    /// Waits for objects and dispatches nothing.
    fn plainly(self, objects: &[&dyn Waitable], deadline: Deadline, why: Why) -> Woken {
        if self.alertable {
            return kernel::wait_alertable(objects, self.all, deadline, why);
        }
        kernel::wait(objects, self.all, deadline, why).map_or(Woken::TimedOut, Woken::Hit)
    }
}

/// Waits for objects as the calling thread's apartment does.
fn wait(objects: &[&dyn Waitable], how: How, deadline: Deadline) -> Woken {
    let Some(queue) = sta_queue() else { return how.plainly(objects, deadline, Why::Wait) };
    if how.all && objects.len() > 1 {
        // All objects and input at one moment, as documented (WAIT-15).
        let input = QueueWait { queue: &queue, mask: ANY_INPUT };
        let mut list: Objects<'_> = objects.into();
        list.push(&input);
        let woken = queue.wait_with_timers((objects.len(), ANY_INPUT), Need::All, deadline, |deadline| {
            how.plainly(&list, deadline, Why::Wait)
        });
        queue.note_looked(true);
        return woken;
    }
    let application = application::is_application_sta();
    let _waits = application::Wait::plain(how.calls);
    let dispatch = if application && how.dispatch == Dispatch::Modal { Dispatch::Calls } else { how.dispatch };
    let how = How { all: false, ..how };
    let alerted = how.alertable.then(platform::current);
    let mask = match dispatch {
        Dispatch::Calls => TASKS,
        Dispatch::Modal => PUMPED,
        // A WM_QUIT stays where it is, and ends no wait (MSG-11).
        Dispatch::Everything => ANY_INPUT & !QUIT | POSTED_DDE,
    };
    let input = QueueWait { queue: &queue, mask };
    let mut list: Objects<'_> = objects.into();
    if let Some(thread) = &alerted {
        list.push(&thread.object().apcs);
    }
    let messages = list.len();
    list.push(&input);
    // A poll dispatches what is queued now, and no more (WAIT-24).
    let mut turns_left = if deadline.is_now() { queue.pumped_len() } else { usize::MAX };
    loop {
        let woken = queue.wait_with_timers((messages, mask), Need::Any, deadline, |deadline| {
            kernel::wait(&list, false, deadline, Why::PumpingWait).map_or(Woken::TimedOut, Woken::Hit)
        });
        match woken {
            Woken::Hit(hit) if hit.index < objects.len() => return woken,
            Woken::Hit(hit) if hit.index < messages => {
                platform::current().object().apcs.run();
                return Woken::Apc;
            }
            Woken::TimedOut => {
                // What was looked at and left is no longer new (WAIT-11).
                queue.mark_seen();
                return Woken::TimedOut;
            }
            Woken::Hit(_) | Woken::Apc => {}
        }
        if turns_left == 0 {
            return how.plainly(objects, Deadline::NOW, Why::PumpingWait);
        }
        turns_left -= 1;
        if !dispatch_one(&queue, dispatch) && deadline.is_now() {
            return how.plainly(objects, Deadline::NOW, Why::PumpingWait);
        }
    }
}

/// Takes one thing out of the queue and runs it.
fn dispatch_one(queue: &MessageQueue, dispatch: Dispatch) -> bool {
    if dispatch == Dispatch::Calls {
        let task = queue.take_task();
        return task.map(|task| task.run()).is_some();
    }
    if let Some(pumped) = queue.take_pumped() {
        match pumped {
            Pumped::Sent(message) => {
                let _home = Stay::at_home();
                message.deliver();
            }
            Pumped::Task(task) => task.run(),
            Pumped::Posted(message) => {
                let _home = Stay::at_home();
                kernel::window::dispatch(&message);
            }
        }
        return true;
    }
    if dispatch == Dispatch::Everything
        && let Some(message) = queue.take_posted(&kernel::Filter::ALL).or_else(|| queue.take_timer())
    {
        let _home = Stay::at_home();
        kernel::window::dispatch(&message);
        return true;
    }
    false
}

/// Ends what others have begun with an STA whose thread leaves it (APT-24, RUL-153). If a call, a Signal or other work of
/// COM's lies in the queue, or a message of the DDE range, it does what a wait with timeout 0 does: calls and the machinery's
/// questions fail ([`super::is_leaving`]), Signals, sent messages and the like are served. Then all other posted messages are
/// thrown away.
pub(super) fn end_conversations() {
    let Some(queue) = sta_queue() else { return };
    let (dispatch, open, served) = if application::is_application_sta() {
        (Dispatch::Calls, TASKS, TASKS)
    } else {
        (Dispatch::Modal, TASKS | POSTED_DDE, PUMPED)
    };
    let comes = |mask| {
        let input = QueueWait { queue: &queue, mask };
        kernel::wait(&[&input], false, Deadline::NOW, Why::Teardown).is_some()
    };
    if !comes(open) {
        return;
    }
    for _ in 0..queue.pumped_len() {
        if !comes(served) || !dispatch_one(&queue, dispatch) {
            break;
        }
    }
    queue.discard_posted();
}

/// Whose message filter is asked while a reply is waited for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Filter {
    /// The thread's own: the call is a user's.
    Ask,
    /// Nobody's: the call is the machinery's (MF-07).
    Ignore,
}

/// How waiting for a reply ended.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReplyWait {
    /// `done` is set.
    Done,
    /// The message filter cancelled the call (CXL-44).
    CancelledByFilter,
}

/// Waits for a reply: an STA serves incoming calls meanwhile (MSG-04), the MTA does not on this thread (MSG-05).
pub(crate) fn wait_reply(done: &Event, asking: Filter) -> ReplyWait {
    let Some(queue) = sta_queue() else {
        kernel::wait(&[done], false, Deadline::NEVER, Why::Reply);
        return ReplyWait::Done;
    };
    let _waits = application::Wait::for_reply();
    let asking = asking == Filter::Ask && filter::is_registered();
    let started = if asking { platform::now_ns() } else { 0 };
    let input = QueueWait { queue: &queue, mask: if asking { PUMPED | NEW_POSTED } else { PUMPED } };
    loop {
        match kernel::wait(&[done, &input], false, Deadline::NEVER, Why::Reply) {
            // Without a deadline there is no end before the reply, but where a panic unwinds in a simulated world.
            None => return ReplyWait::Done,
            Some(hit) if hit.index == 0 => return ReplyWait::Done,
            Some(_) => {}
        }
        if dispatch_one(&queue, Dispatch::Modal) {
            continue;
        }
        // A window message came, and stays where it is (MF-09).
        queue.note_looked(false);
        let posted = queue.has(POSTED);
        queue.mark_seen();
        if posted && asking && filter::message_pending(pending_type(), started) == PENDINGMSG_CANCELCALL {
            return ReplyWait::CancelledByFilter;
        }
    }
}

/// Whether the thread's own call is made from inside an incoming one.
fn pending_type() -> u32 {
    platform::with_current(|thread| match &*thread.com().context.borrow() {
        Context::Call(_) => PENDINGTYPE_NESTED,
        Context::None => PENDINGTYPE_TOPLEVEL,
    })
}

/// `ISynchronize::Wait` on one event (SYNC-13). It has no index in which to say that calls have run, so that is `S_OK`, too.
#[inline]
pub(crate) fn co_wait(flags: u32, ms: u32, event: &Event) -> HRESULT {
    // Outside an STA nothing but the event counts.
    if flags == COWAIT_DEFAULT && platform::with_host(|thread| !thread.com().is_in_sta()) == Some(true) {
        match event.take_at_once() {
            Some(true) => return S_OK,
            Some(false) if ms == 0 => return RPC_S_CALLPENDING,
            _ => {}
        }
    }
    co_wait_at_length(flags, ms, event)
}

#[cold]
fn co_wait_at_length(flags: u32, ms: u32, event: &Event) -> HRESULT {
    if flags & !FLAGS != 0 {
        return E_INVALIDARG;
    }
    if let Err(hr) = check_application(flags, 1) {
        return hr;
    }
    let woken = wait(&[event], How::of_flags(flags), Deadline::after_ms(ms));
    if woken == Woken::TimedOut { RPC_S_CALLPENDING } else { S_OK }
}

/// Waits for a deadline or an object, dispatching as the apartment does; whether the object was set.
pub(crate) fn co_wait_until(object: &dyn Waitable, deadline: Deadline) -> bool {
    let how = How { all: false, alertable: false, dispatch: Dispatch::Modal, calls: true };
    wait(&[object], how, deadline) != Woken::TimedOut
}

/// The life of an STA that has nothing else to do: serves calls and messages until `stop` is set.
pub(super) fn serve_until(stop: &Event) {
    let how = How { all: false, alertable: false, dispatch: Dispatch::Everything, calls: true };
    let _ = wait(&[stop], how, Deadline::NEVER);
}

fn dispatch_of(everything: bool) -> Dispatch {
    if everything { Dispatch::Everything } else { Dispatch::Modal }
}

/// The checks that come first in both functions, and the index at 0 (WAIT-01 to WAIT-03).
///
/// # Safety
/// `index` is null or valid for writes.
unsafe fn index_of<'a>(index: *mut u32, handles: *const HANDLE, count: u32) -> Result<&'a mut u32, HRESULT> {
    // SAFETY: the caller's.
    let index = unsafe { index.as_mut() }.ok_or(E_INVALIDARG)?;
    *index = 0;
    match (handles.is_null(), count) {
        (true, _) => Err(E_INVALIDARG),
        (false, 0) => Err(RPC_E_NO_SYNC),
        (false, _) => Ok(index),
    }
}

/// The common part of the two functions: handles to objects, the wait, the index.
///
/// # Safety
/// `handles` points at `count` handles.
unsafe fn wait_handles(how: How, ms: u32, count: u32, handles: *const HANDLE, index: &mut u32) -> HRESULT {
    // SAFETY: the caller's.
    let handles = unsafe { std::slice::from_raw_parts(handles, count as usize) };
    let process = platform::with_current(|thread| thread.process().clone());
    let mut objects: SmallVec<[KernelObject; 4]> = SmallVec::new();
    for handle in handles {
        match process.handles.get(*handle) {
            Some(object) => objects.push(object),
            None => return E_HANDLE,
        }
    }
    let list: Objects<'_> = objects.iter().map(KernelObject::as_waitable).collect();
    match wait(&list, how, Deadline::after_ms(ms)) {
        Woken::Hit(hit) => {
            let abandoned = if hit.abandoned { WAIT_ABANDONED_0 } else { 0 };
            *index = abandoned + if how.all { 0 } else { hit.index as u32 };
            S_OK
        }
        Woken::Apc => {
            *index = WAIT_IO_COMPLETION;
            S_OK
        }
        Woken::TimedOut => RPC_S_CALLPENDING,
    }
}

export! {
    /// Waits for handles; an STA dispatches incoming calls meanwhile. `dwTimeout` is in milliseconds.
    ///
    /// `S_OK` with the index in `lpdwindex`, which is `WAIT_IO_COMPLETION` (192) if an alertable wait has run calls that were
    /// queued to the thread; `RPC_S_CALLPENDING` when the time is over; `E_INVALIDARG` for null
    /// pointers, unknown flags and more than 63 handles; `RPC_E_NO_SYNC` for no handle at all; `E_HANDLE`
    /// (0x80070006) for a stale one. (facts section 4)
    ///
    /// # Safety
    /// `pHandles` points at `cHandles` handles; `lpdwindex` is null or valid for writes.
    pub unsafe fn CoWaitForMultipleHandles(
        dwFlags: u32,
        dwTimeout: u32,
        cHandles: u32,
        pHandles: *const HANDLE,
        lpdwindex: *mut u32,
    ) -> HRESULT {
        // SAFETY: the caller's.
        let index = match unsafe { index_of(lpdwindex, pHandles, cHandles) } {
            Ok(index) => index,
            Err(hr) => return hr,
        };
        if dwFlags & !FLAGS != 0 || cHandles > HANDLES_MAX {
            return E_INVALIDARG;
        }
        if let Err(hr) = check_application(dwFlags, cHandles) {
            return hr;
        }
        // SAFETY: the caller's.
        unsafe { wait_handles(How::of_flags(dwFlags), dwTimeout, cHandles, pHandles, index) }
    }

    /// Waits for any of up to 56 handles; as `CoWaitForMultipleHandles`, with `CWMO_…` flags (WAIT-25).
    ///
    /// # Safety
    /// As for `CoWaitForMultipleHandles`.
    pub unsafe fn CoWaitForMultipleObjects(
        dwFlags: u32,
        dwTimeout: u32,
        cHandles: u32,
        pHandles: *const HANDLE,
        lpdwindex: *mut u32,
    ) -> HRESULT {
        // SAFETY: the caller's.
        let index = match unsafe { index_of(lpdwindex, pHandles, cHandles) } {
            Ok(index) => index,
            Err(hr) => return hr,
        };
        if dwFlags & !(CWMO_DISPATCH_CALLS | CWMO_DISPATCH_WINDOW_MESSAGES) != 0 || cHandles > CWMO_MAX_HANDLES {
            return E_INVALIDARG;
        }
        let dispatch = dispatch_of(dwFlags & CWMO_DISPATCH_WINDOW_MESSAGES != 0);
        let calls = dwFlags & CWMO_DISPATCH_CALLS != 0;
        // SAFETY: the caller's.
        unsafe { wait_handles(How { all: false, alertable: false, dispatch, calls }, dwTimeout, cHandles, pHandles, index) }
    }
}

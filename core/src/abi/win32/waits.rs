//! Waiting for handles, and for messages. Alertable waits end, too, when calls have run that were queued to the thread; what is
//! signalled already, input too, comes before such calls.

use super::{fail, objects};
use crate::abi::exports::export;
use crate::abi::types::{
    ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, HANDLE, INFINITE, MAXIMUM_WAIT_OBJECTS, MWMO_ALERTABLE,
    MWMO_INPUTAVAILABLE, MWMO_WAITALL, QS_ALLINPUT, QS_ALLPOSTMESSAGE, QS_POSTMESSAGE, QS_SENDMESSAGE, QS_TIMER,
    WAIT_ABANDONED_0, WAIT_FAILED, WAIT_IO_COMPLETION, WAIT_OBJECT_0, WAIT_TIMEOUT,
};
use crate::kernel::{
    self, Hit, KernelObject, NEW_ALL_POSTED, NEW_POSTED, NEW_SENT, NEW_TIMER, Need, POSTED, QUIT, QueueWait, SENT,
    TASKS, TIMER, Waitable, Woken,
};
use crate::platform::{self, Deadline, Why};
use smallvec::SmallVec;
use std::sync::Arc;
use windows_core::BOOL;

type Objects = SmallVec<[KernelObject; 4]>;
type Waitables<'a> = SmallVec<[&'a dyn Waitable; 4]>;

/// An array of handles, or the error: too many, or no array.
///
/// # Safety
/// `handles` is null or points at `count` handles, which live as long as the slice.
unsafe fn handles_at<'a>(handles: *const HANDLE, count: u32, count_max: u32) -> Result<&'a [HANDLE], u32> {
    match count {
        0 => Ok(&[]),
        count if count > count_max || handles.is_null() => Err(ERROR_INVALID_PARAMETER),
        // SAFETY: the caller's promise.
        count => Ok(unsafe { std::slice::from_raw_parts(handles, count as usize) }),
    }
}

/// The objects behind handles, or the error: a stale handle, or one object twice in a wait for all.
fn objects_of(handles: &[HANDLE], all: bool) -> Result<Objects, u32> {
    let objects = platform::with_current(|thread| thread.process().handles.get_all(handles));
    let objects: Objects = objects.ok_or(ERROR_INVALID_HANDLE)?;
    if all && kernel::is_twice(&waitables(&objects)) { Err(ERROR_INVALID_PARAMETER) } else { Ok(objects) }
}

fn waitables(objects: &Objects) -> Waitables<'_> {
    objects.iter().map(KernelObject::as_waitable).collect()
}

/// What a wait gets without waiting, on a host thread. `None`: it has to be looked at closely.
fn at_once(handles: &[HANDLE], all: bool) -> Option<Option<Hit>> {
    platform::with_current(|thread| {
        if thread.is_simulated() { None } else { thread.process().handles.take_at_once(handles, all) }
    })
}

/// Waits for objects, alertably or not.
fn wait(objects: &[&dyn Waitable], all: bool, deadline: Deadline, alertable: bool) -> Woken {
    if alertable {
        return kernel::wait_alertable(objects, all, deadline, Why::Wait);
    }
    kernel::wait(objects, all, deadline, Why::Wait).map_or(Woken::TimedOut, Woken::Hit)
}

fn outcome(woken: Woken) -> u32 {
    match woken {
        Woken::TimedOut => WAIT_TIMEOUT,
        Woken::Apc => WAIT_IO_COMPLETION,
        // An index is less than 65.
        Woken::Hit(hit) => hit.index as u32 + if hit.abandoned { WAIT_ABANDONED_0 } else { WAIT_OBJECT_0 },
    }
}

/// The bits of a queue's status that a wake mask means.
fn bits_of(wake_mask: u32, seen_too: bool) -> u32 {
    let mut bits = 0;
    if wake_mask & QS_POSTMESSAGE != 0 {
        bits |= NEW_POSTED;
    }
    if wake_mask & QS_ALLPOSTMESSAGE != 0 {
        bits |= NEW_ALL_POSTED;
    }
    if bits != 0 && seen_too {
        bits |= POSTED | TASKS | QUIT;
    }
    if wake_mask & QS_SENDMESSAGE != 0 {
        bits |= if seen_too { NEW_SENT | SENT } else { NEW_SENT };
    }
    if wake_mask & QS_TIMER != 0 {
        bits |= if seen_too { NEW_TIMER | TIMER } else { NEW_TIMER };
    }
    bits
}

export! {
    /// Waits for an object; dispatches nothing. What `GetCurrentProcess` gives is an object that is never signalled.
    ///
    /// # Safety
    /// None: a stale handle is an error.
    pub unsafe fn WaitForSingleObject(hHandle: HANDLE, dwMilliseconds: u32) -> u32 {
        // SAFETY: nothing to keep.
        unsafe { WaitForSingleObjectEx(hHandle, dwMilliseconds, BOOL(0)) }
    }

    /// `WaitForSingleObject`; alertable, it ends with `WAIT_IO_COMPLETION` (192) when calls have run that were queued to the
    /// thread, and takes nothing then.
    ///
    /// # Safety
    /// None: a stale handle is an error.
    pub unsafe fn WaitForSingleObjectEx(hHandle: HANDLE, dwMilliseconds: u32, bAlertable: BOOL) -> u32 {
        match platform::with_current(|thread| thread.process().handles.get_or_process(hHandle)) {
            Some(object) => outcome(wait(&[object.as_waitable()], false, Deadline::after_ms(dwMilliseconds), bAlertable.as_bool())),
            None => fail(ERROR_INVALID_HANDLE, WAIT_FAILED),
        }
    }

    /// Signals an object and then waits for another, which is not one step: other threads may come between. Sets an event,
    /// adds one to a semaphore, gives a mutex up once. A stale handle is `ERROR_INVALID_HANDLE`, and nothing is signalled.
    ///
    /// # Safety
    /// None: a stale handle is an error.
    pub unsafe fn SignalObjectAndWait(
        hObjectToSignal: HANDLE,
        hObjectToWaitOn: HANDLE,
        dwMilliseconds: u32,
        bAlertable: BOOL,
    ) -> u32 {
        match platform::with_current(|thread| thread.process().handles.get(hObjectToWaitOn)) {
            Some(object) => match objects::signal(hObjectToSignal) {
                Ok(()) => outcome(wait(&[object.as_waitable()], false, Deadline::after_ms(dwMilliseconds), bAlertable.as_bool())),
                Err(error) => fail(error, WAIT_FAILED),
            },
            None => fail(ERROR_INVALID_HANDLE, WAIT_FAILED),
        }
    }

    /// Waits for one of up to 64 objects, or for all of them at one moment; dispatches nothing.
    ///
    /// # Safety
    /// `lpHandles` is null or points at `nCount` handles.
    pub unsafe fn WaitForMultipleObjects(
        nCount: u32,
        lpHandles: *const HANDLE,
        bWaitAll: BOOL,
        dwMilliseconds: u32,
    ) -> u32 {
        // SAFETY: the caller's promise.
        unsafe { WaitForMultipleObjectsEx(nCount, lpHandles, bWaitAll, dwMilliseconds, BOOL(0)) }
    }

    /// `WaitForMultipleObjects`, alertable as `WaitForSingleObjectEx` is.
    ///
    /// # Safety
    /// `lpHandles` is null or points at `nCount` handles.
    pub unsafe fn WaitForMultipleObjectsEx(
        nCount: u32,
        lpHandles: *const HANDLE,
        bWaitAll: BOOL,
        dwMilliseconds: u32,
        bAlertable: BOOL,
    ) -> u32 {
        if nCount == 0 {
            return fail(ERROR_INVALID_PARAMETER, WAIT_FAILED);
        }
        // SAFETY: the caller's promise.
        let handles = match unsafe { handles_at(lpHandles, nCount, MAXIMUM_WAIT_OBJECTS) } {
            Ok(handles) => handles,
            Err(error) => return fail(error, WAIT_FAILED),
        };
        let (all, alertable) = (bWaitAll.as_bool(), bAlertable.as_bool());
        match at_once(handles, all) {
            Some(Some(hit)) => return outcome(Woken::Hit(hit)),
            Some(None) if dwMilliseconds == 0 && !alertable => return WAIT_TIMEOUT,
            _ => {}
        }
        match objects_of(handles, all) {
            Ok(objects) => {
                outcome(wait(&waitables(&objects), all, Deadline::after_ms(dwMilliseconds), alertable))
            }
            Err(error) => fail(error, WAIT_FAILED),
        }
    }

    /// Waits for up to 63 objects, or for input of the kinds in `dwWakeMask`, which has the index `nCount`. Input that
    /// was looked at before does not count without `MWMO_INPUTAVAILABLE`; `MWMO_WAITALL` needs all objects **and** input
    /// at one moment (MSG-15); with `MWMO_ALERTABLE` it is alertable. Dispatches nothing.
    ///
    /// # Safety
    /// `pHandles` is null or points at `nCount` handles.
    pub unsafe fn MsgWaitForMultipleObjectsEx(
        nCount: u32,
        pHandles: *const HANDLE,
        dwMilliseconds: u32,
        dwWakeMask: u32,
        dwFlags: u32,
    ) -> u32 {
        let all = dwFlags & MWMO_WAITALL != 0;
        if dwFlags & !(MWMO_WAITALL | MWMO_ALERTABLE | MWMO_INPUTAVAILABLE) != 0 {
            return fail(ERROR_INVALID_PARAMETER, WAIT_FAILED);
        }
        // SAFETY: the caller's promise.
        let handles = unsafe { handles_at(pHandles, nCount, MAXIMUM_WAIT_OBJECTS - 1) };
        let objects = match handles.and_then(|handles| objects_of(handles, all)) {
            Ok(objects) => objects,
            Err(error) => return fail(error, WAIT_FAILED),
        };
        let queue: Arc<_> = kernel::queue();
        let mask = bits_of(dwWakeMask, dwFlags & MWMO_INPUTAVAILABLE != 0);
        let input = QueueWait { queue: &queue, mask };
        let mut list = waitables(&objects);
        list.push(&input);
        let all = all && nCount > 0;
        let (need, alertable) = (if all { Need::All } else { Need::Any }, dwFlags & MWMO_ALERTABLE != 0);
        let deadline = Deadline::after_ms(dwMilliseconds);
        let woken = queue.wait_with_timers((objects.len(), mask), need, deadline, |deadline| {
            wait(&list, all, deadline, alertable)
        });
        queue.note_looked(dwFlags & MWMO_INPUTAVAILABLE != 0);
        if matches!(woken, Woken::Hit(Hit { index, .. }) if all || index == objects.len()) {
            queue.mark_seen_bits(mask);
        }
        outcome(woken)
    }

    /// Waits for input that was not looked at before.
    ///
    /// # Safety
    /// None.
    pub unsafe fn WaitMessage() -> BOOL {
        // SAFETY: no handles.
        let woken = unsafe { MsgWaitForMultipleObjectsEx(0, std::ptr::null(), INFINITE, QS_ALLINPUT, 0) };
        BOOL(i32::from(woken == WAIT_OBJECT_0))
    }

    /// What input there is, of the kinds in `flags`: in the high half what is there, in the low half what came since the thread
    /// last looked, or asked here. Asking makes it seen.
    ///
    /// # Safety
    /// None.
    pub unsafe fn GetQueueStatus(flags: u32) -> u32 {
        let queue = kernel::queue();
        queue.visit_status();
        queue.fire_timers();
        let status = queue.status();
        let kinds = |sent: u32, posted: u32, all_posted: u32, timer: u32| {
            let kind = |bits: u32, kind: u32| if status & bits != 0 { kind } else { 0 };
            let messages = kind(posted, QS_POSTMESSAGE) | kind(all_posted, QS_ALLPOSTMESSAGE);
            (kind(sent, QS_SENDMESSAGE) | messages | kind(timer, QS_TIMER)) & flags
        };
        let present = POSTED | TASKS | QUIT;
        let there = kinds(SENT, present, present, TIMER);
        // What came and is gone again does not count.
        let new = kinds(NEW_SENT, NEW_POSTED, NEW_ALL_POSTED, NEW_TIMER) & there;
        queue.mark_seen_bits(bits_of(flags, false));
        there << 16 | new
    }

    /// `MsgWaitForMultipleObjectsEx` without the flags but for `MWMO_WAITALL`.
    ///
    /// # Safety
    /// `pHandles` is null or points at `nCount` handles.
    pub unsafe fn MsgWaitForMultipleObjects(
        nCount: u32,
        pHandles: *const HANDLE,
        fWaitAll: BOOL,
        dwMilliseconds: u32,
        dwWakeMask: u32,
    ) -> u32 {
        let flags = if fWaitAll.as_bool() { MWMO_WAITALL } else { 0 };
        // SAFETY: the caller's promise.
        unsafe { MsgWaitForMultipleObjectsEx(nCount, pHandles, dwMilliseconds, dwWakeMask, flags) }
    }
}

//! Cancelling: what all cancel objects do, the stack of a thread's pending calls, and the functions on it (facts section 9).
//!
//! A thread's [`CancelStack`] is the only part of its state that others touch: they look for the innermost call to cancel.
//! Its lock is held for the look only. A look from elsewhere is a step of its own; that a call comes onto the stack or goes
//! is part of the step that sends it or has waited for it. Whether a call can be cancelled is fixed when it is made (CXL-34): a call made
//! while cancellation is disabled stands on the stack without a cancel object.

use super::context::call_context;
use crate::abi::exports::export;
use crate::abi::hresult::{
    CO_E_CANCEL_DISABLED, E_ACCESSDENIED, E_INVALIDARG, E_NOINTERFACE, E_POINTER, RPC_E_CALL_CANCELED,
    RPC_E_CALL_COMPLETE, RPC_S_CALL_CANCELLED_HR, S_OK,
};
use crate::abi::interfaces::{ICancelMethodCalls, ICancelMethodCalls_Impl};
use crate::apartment;
use crate::channel::Call;
use crate::com_class;
use crate::platform::{self, Access, Deadline, Object, ObjectKind};
use crate::protocol::call::{Cancel, GiveUp};
use parking_lot::Mutex;
use std::ffi::c_void;
use std::sync::Arc;
use windows_core::{GUID, HRESULT, IUnknown, Interface};

/// Asks for cancellation and waits up to `seconds` for the call's end: see the rulings on `Cancel(n)` and `Cancel(-1)`.
pub(crate) fn cancel_and_wait(call: &Arc<Call>, seconds: u32) -> HRESULT {
    match call.cancel() {
        Cancel::Complete => return RPC_E_CALL_COMPLETE,
        Cancel::Already => return RPC_E_CALL_CANCELED,
        Cancel::Requested => {}
    }
    if seconds > 0 && apartment::co_wait_until(&call.done, Deadline::after_s(seconds)) {
        return RPC_E_CALL_COMPLETE;
    }
    match call.give_up(RPC_S_CALL_CANCELLED_HR) {
        GiveUp::Won => S_OK,
        GiveUp::Lost => RPC_E_CALL_COMPLETE,
    }
}

/// A call of the channel that waits for its reply, or a cancel object that user code pushed.
#[derive(Clone)]
enum Entry {
    Call(Arc<Call>),
    /// Cancellation was disabled when the call was made.
    Uncancellable,
    User(Arc<User>),
}

struct User(ICancelMethodCalls);
// SAFETY: the documentation of CoSetCancelObject lets other threads cancel through it, so it must bear that.
unsafe impl Send for User {}
// SAFETY: as above.
unsafe impl Sync for User {}

/// The calls that wait on one thread, innermost last.
pub(crate) struct CancelStack {
    place: Object,
    entries: Mutex<Vec<Entry>>,
}

impl CancelStack {
    /// Where a thread's stack is, or will be: a look for one that is not there yet depends on its first call too.
    fn place(thread_id: u32) -> Object {
        Object { id: 1 << 63 | u64::from(thread_id), kind: ObjectKind::Table }
    }

    fn of_current() -> Arc<Self> {
        platform::with_current(|thread| {
            thread
                .com()
                .outgoing
                .get_or_init(|| {
                    let place = Self::place(thread.id());
                    let stack = Arc::new(Self { place, entries: Mutex::default() });
                    thread.process().cancel_stacks.lock().insert(thread.id(), stack.clone());
                    let (process, id) = (Arc::downgrade(thread.process()), thread.id());
                    thread.at_exit(Box::new(move || {
                        if let Some(process) = process.upgrade() {
                            platform::note(place, Access::Write);
                            let gone = process.cancel_stacks.lock().remove(&id);
                            drop(gone);
                        }
                    }));
                    stack
                })
                .clone()
        })
    }

    /// The stack of a thread of this process; 0 is the current one.
    fn of(thread_id: u32) -> Option<Arc<Self>> {
        let own = platform::with_current(|thread| thread.id());
        let id = if thread_id == 0 { own } else { thread_id };
        if id != own {
            // What comes and goes on its own stack a thread knows.
            platform::visit(Self::place(id), Access::Read);
        }
        platform::with_current(|thread| thread.process().cancel_stacks.lock().get(&id).cloned())
    }

    /// Puts a synchronous call on the current thread's stack until the guard is dropped (CXL-42).
    pub(crate) fn push_call(call: &Arc<Call>) -> PendingCall {
        let stack = Self::of_current();
        let enabled = platform::with_current(|thread| thread.com().cancel_enabled.get() > 0);
        platform::note(stack.place, Access::Write);
        let depth = {
            let mut entries = stack.entries.lock();
            entries.push(if enabled { Entry::Call(call.clone()) } else { Entry::Uncancellable });
            entries.len() - 1
        };
        PendingCall { stack, depth }
    }

    /// How many calls wait.
    pub(crate) fn depth(&self) -> usize {
        self.entries.lock().len()
    }

    /// The cancel object of the innermost call that has one (CXL-36): none pending and none that can be cancelled are
    /// told apart (CXL-37, CXL-38).
    fn innermost(&self) -> Result<ICancelMethodCalls, HRESULT> {
        let (found, empty) = {
            let entries = self.entries.lock();
            let found = entries.iter().rev().find(|entry| !matches!(entry, Entry::Uncancellable)).cloned();
            (found, entries.is_empty())
        };
        match found {
            None if empty => Err(E_NOINTERFACE),
            None | Some(Entry::Uncancellable) => Err(CO_E_CANCEL_DISABLED),
            Some(Entry::User(user)) => Ok(user.0.clone()),
            Some(Entry::Call(call)) => Ok(CancelObject { call }.into()),
        }
    }

    /// Takes the innermost object off if user code put it there; a pending call's place is not the user's to clear.
    fn pop_user(&self) -> HRESULT {
        platform::visit(self.place, Access::Write);
        let gone = {
            let mut entries = self.entries.lock();
            match entries.last() {
                None => return S_OK,
                Some(Entry::User(_)) => entries.pop(),
                Some(Entry::Call(_) | Entry::Uncancellable) => return E_ACCESSDENIED,
            }
        };
        drop(gone);
        S_OK
    }
}

/// Takes its call off the stack when dropped, and whatever was pushed during the call and left there.
pub(crate) struct PendingCall {
    stack: Arc<CancelStack>,
    depth: usize,
}

impl Drop for PendingCall {
    fn drop(&mut self) {
        platform::note(self.stack.place, Access::Write);
        let gone = {
            let mut entries = self.stack.entries.lock();
            let last = entries.pop();
            // Nearly always the call itself was the last, and nothing is allocated here.
            let more = if entries.len() > self.depth { entries.split_off(self.depth) } else { Vec::new() };
            (last, more)
        };
        drop(gone);
    }
}

/// The cancel object of a synchronous call: for any thread.
#[com_class(ICancelMethodCalls, agile)]
pub(crate) struct CancelObject {
    call: Arc<Call>,
}

impl ICancelMethodCalls_Impl for CancelObject_Impl {
    unsafe fn Cancel(&self, ulSeconds: u32) -> HRESULT {
        cancel_and_wait(&self.call, ulSeconds)
    }

    unsafe fn TestCancel(&self) -> HRESULT {
        self.call.test_by_client()
    }
}

export! {
    /// Lets synchronous calls that this thread makes from now on be cancelled; counted (CXL-30, CXL-34).
    ///
    /// # Safety
    /// `pReserved` is null.
    pub unsafe fn CoEnableCallCancellation(pReserved: *mut c_void) -> HRESULT {
        if !pReserved.is_null() {
            return E_INVALIDARG;
        }
        platform::with_current(|thread| {
            let count = &thread.com().cancel_enabled;
            count.set(count.get().saturating_add(1));
        });
        S_OK
    }

    /// Takes one `CoEnableCallCancellation` back; `CO_E_CANCEL_DISABLED` when there is none (CXL-30, D-11).
    ///
    /// # Safety
    /// `pReserved` is null.
    pub unsafe fn CoDisableCallCancellation(pReserved: *mut c_void) -> HRESULT {
        if !pReserved.is_null() {
            return E_INVALIDARG;
        }
        platform::with_current(|thread| {
            let count = &thread.com().cancel_enabled;
            match count.get() {
                0 => CO_E_CANCEL_DISABLED,
                n => {
                    count.set(n - 1);
                    S_OK
                }
            }
        })
    }

    /// The cancel object of the innermost synchronous call that a thread waits for; thread 0 is the current one.
    /// `E_NOINTERFACE` when there is none, `CO_E_CANCEL_DISABLED` when it cannot be cancelled (CXL-36 to CXL-38).
    ///
    /// # Safety
    /// `iid` points at a GUID; `ppUnk` is null or valid for writes.
    pub unsafe fn CoGetCancelObject(dwThreadId: u32, iid: *const GUID, ppUnk: *mut *mut c_void) -> HRESULT {
        // SAFETY: the caller's.
        unsafe {
            let Some(out) = ppUnk.as_mut() else { return E_POINTER };
            *out = std::ptr::null_mut();
            let Some(iid) = iid.as_ref() else { return E_INVALIDARG };
            let Some(stack) = CancelStack::of(dwThreadId) else { return E_NOINTERFACE };
            match stack.innermost() {
                Ok(object) => object.query(iid, out),
                Err(hr) => hr,
            }
        }
    }

    /// Pushes a cancel object on the current thread's stack, or pops the innermost with null (CXL-41). `E_ACCESSDENIED`
    /// when the innermost is that of a pending call, which only the end of the call takes away (chosen).
    ///
    /// # Safety
    /// `pUnk` is null or an object.
    pub unsafe fn CoSetCancelObject(pUnk: *mut c_void) -> HRESULT {
        // SAFETY: the caller's.
        let object = unsafe { IUnknown::from_raw_borrowed(&pUnk) };
        let stack = CancelStack::of_current();
        let Some(object) = object else { return stack.pop_user() };
        match object.cast::<ICancelMethodCalls>() {
            Ok(cancel) => {
                platform::visit(stack.place, Access::Write);
                stack.entries.lock().push(Entry::User(Arc::new(User(cancel))));
                S_OK
            }
            Err(_) => E_NOINTERFACE,
        }
    }

    /// Cancels the innermost synchronous call of a thread; the timeout is in **seconds** (CXL-39).
    ///
    /// # Safety
    /// None beyond COM's own.
    pub unsafe fn CoCancelCall(dwThreadId: u32, ulTimeout: u32) -> HRESULT {
        let Some(stack) = CancelStack::of(dwThreadId) else { return E_NOINTERFACE };
        match stack.innermost() {
            // SAFETY: a live object that any thread may call.
            Ok(object) => unsafe { object.Cancel(ulTimeout) },
            Err(hr) => hr,
        }
    }

    /// Whether the call that is dispatched on this thread was cancelled: `RPC_S_CALLPENDING`, `RPC_E_CALL_CANCELED`, or
    /// `RPC_E_CALL_COMPLETE` outside any call (CXL-19, CXL-20).
    ///
    /// # Safety
    /// None beyond COM's own.
    pub unsafe fn CoTestCancel() -> HRESULT {
        match call_context::<ICancelMethodCalls>() {
            // SAFETY: the context of this thread.
            Ok(cancel) => unsafe { cancel.TestCancel() },
            Err(hr) => hr,
        }
    }
}

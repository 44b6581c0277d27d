//! Channel hooks: data of the program's own that goes along with every call, keyed by a GUID (CHN-05).
//!
//! A call takes the hooks that are registered when its request is made, and keeps them. In order: `ClientGetSize` and
//! `ClientFillBuffer` in GetBuffer, on the client's thread; `ServerNotify` before the method, or before its `Begin_`;
//! `ServerGetSize` and `ServerFillBuffer` after it, or after `Finish_`; `ClientNotify` when the client's proxy has the end of
//! the call, before it reads the outputs. A call that nobody finishes, or that is not let in, misses what comes later.
//! Between processes each side has the hooks of its own, and what is attached goes along in bytes.
//!
//! State: a process's list changes by being replaced, so a call shares it; `any` says without the lock that there is none,
//! and then a call does nothing more. `request` is written before the call is sent and never again; `reply` by whoever
//! completes the call before it does, and read by the client after. Hooks are called on whatever thread the call is on
//! (chosen: a hook is agile, as every program's must be), with nothing locked.

use super::{Caller, Target};
use crate::abi::exports::export;
use crate::abi::hresult::{E_INVALIDARG, E_NOINTERFACE, S_OK};
use crate::abi::interfaces::IChannelHook;
use crate::abi::types::SChannelHookCallInfo;
use crate::platform::{self, Access, Object};
use crate::process::Process;
use parking_lot::Mutex;
use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use windows_core::{GUID, HRESULT, IUnknown, Interface};

/// NDR's label of this machine's numbers.
const DATA_REPRESENTATION: u32 = 0x10;

struct Hook {
    extent: GUID,
    hook: IChannelHook,
}

// SAFETY: hooks are called on every thread, which is their contract.
unsafe impl Send for Hook {}
// SAFETY: as above.
unsafe impl Sync for Hook {}

type List = Arc<Vec<Arc<Hook>>>;

/// The hooks of a process.
pub(crate) struct ChannelHooks {
    object: Object,
    any: AtomicBool,
    list: Mutex<List>,
}

impl ChannelHooks {
    pub(crate) fn new(object: Object) -> Self {
        Self { object, any: AtomicBool::new(false), list: Mutex::default() }
    }

    fn add(&self, hook: Hook) {
        platform::visit(self.object, Access::Write);
        let before = {
            let mut list = self.list.lock();
            let mut longer = (**list).clone();
            longer.push(Arc::new(hook));
            std::mem::replace(&mut *list, Arc::new(longer))
        };
        self.any.store(true, Ordering::Release);
        drop(before);
    }

    /// COM has left the process: what was registered, for the caller to drop.
    pub(crate) fn take(&self) -> impl Sized + use<> {
        self.any.store(false, Ordering::Release);
        std::mem::take(&mut *self.list.lock())
    }

    /// Without hooks, which is the rule, this is one look. So the simulator does not see that look; the registration is a
    /// step of its own nevertheless.
    fn get(&self) -> Option<List> {
        if !self.any.load(Ordering::Acquire) {
            return None;
        }
        platform::visit(self.object, Access::Read);
        self.peek()
    }

    /// The same within a step.
    fn peek(&self) -> Option<List> {
        if !self.any.load(Ordering::Acquire) {
            return None;
        }
        let list = self.list.lock().clone();
        (!list.is_empty()).then_some(list)
    }
}

/// What one side attached for one GUID.
#[derive(Clone)]
struct Extent {
    id: GUID,
    len: u32,
    /// Room for `len` bytes, in eights as on the wire.
    data: Vec<u64>,
}

/// What one side has attached to a request or a reply, on its way to another process.
#[derive(Default)]
pub(crate) struct Attached(Vec<Extent>);

impl Attached {
    /// How many bytes that is on a wire: an id, a length and the data, in eights.
    pub(super) fn len(&self) -> usize {
        self.0.iter().map(|extent| 24 + 8 * extent.data.len()).sum()
    }
}

/// The hooks of one call, and what they have attached.
pub(crate) struct Hooked {
    hooks: List,
    iid: GUID,
    causality: GUID,
    server_pid: u32,
    method: u32,
    request: Vec<Extent>,
    reply: Mutex<Vec<Extent>>,
}

/// Which call a hook is told of: its interface's id, behind which the whole structure lies.
fn iid_of(info: &SChannelHookCallInfo) -> *const GUID {
    ptr::from_ref(info).cast()
}

/// Asks every hook how much it wants to attach, then those that want for it.
fn fill(
    hooks: &[Arc<Hook>],
    size: impl Fn(&Hook, &mut u32),
    write: impl Fn(&Hook, &mut u32, *mut c_void),
) -> Vec<Extent> {
    let sized = |hook: &Arc<Hook>| {
        let mut len = 0;
        size(hook, &mut len);
        (len > 0).then(|| (hook.clone(), len))
    };
    let wanted: Vec<_> = hooks.iter().filter_map(sized).collect();
    let filled = |(hook, room): (Arc<Hook>, u32)| {
        let mut data = vec![0u64; (room as usize).div_ceil(8)];
        let mut len = room;
        write(&hook, &mut len, data.as_mut_ptr().cast());
        let len = len.min(room);
        (len > 0).then_some(Extent { id: hook.extent, len, data })
    };
    wanted.into_iter().filter_map(filled).collect()
}

/// What is there for a hook: length and bytes, or nothing.
fn find(extents: &[Extent], id: &GUID) -> (u32, *mut c_void) {
    let found = extents.iter().find(|extent| extent.id == *id);
    found.map_or((0, ptr::null_mut()), |extent| (extent.len, extent.data.as_ptr().cast_mut().cast()))
}

impl Hooked {
    /// The hooks for a call whose request is being made, with what they attach to it. `None` where there are none.
    pub(super) fn of_request(causality: GUID, target: &Target, method: u32) -> Option<Arc<Self>> {
        let hooks = platform::with_current(|thread| thread.process().channel_hooks.get())?;
        let (iid, server) = (target.iid, target.apartment.upgrade().and_then(|there| there.process.upgrade()));
        let server_pid = server.unwrap_or_else(Process::current).id();
        let mut hooked =
            Self { hooks, iid, causality, server_pid, method, request: Vec::new(), reply: Mutex::default() };
        let info = hooked.info(ptr::null_mut());
        // SAFETY: valid pointers; the buffer has the room that the hook asked for.
        hooked.request = unsafe {
            fill(
                &hooked.hooks,
                |it, len| it.hook.ClientGetSize(&it.extent, iid_of(&info), len),
                |it, len, data| it.hook.ClientFillBuffer(&it.extent, iid_of(&info), len, data),
            )
        };
        Some(Arc::new(hooked))
    }

    /// The same for a call that has come from another process, with this process's hooks. The parcel arrives within a step.
    pub(super) fn from_afar(
        process: &Process,
        caller: &Caller,
        iid: GUID,
        method: u32,
        attached: Attached,
    ) -> Option<Arc<Self>> {
        let hooks = process.channel_hooks.peek()?;
        let (causality, server_pid, request) = (caller.logical, process.id(), attached.0);
        Some(Arc::new(Self { hooks, iid, causality, server_pid, method, request, reply: Mutex::default() }))
    }

    /// What the client attached, for another process.
    pub(super) fn request(&self) -> Attached {
        Attached(self.request.clone())
    }

    /// What the server attached, for another process.
    pub(super) fn take_reply(&self) -> Attached {
        Attached(std::mem::take(&mut *self.reply.lock()))
    }

    /// What a server in another process has attached.
    pub(super) fn put_reply(&self, attached: Attached) {
        let before = std::mem::replace(&mut *self.reply.lock(), attached.0);
        drop(before);
    }

    fn info(&self, object: *mut c_void) -> SChannelHookCallInfo {
        SChannelHookCallInfo {
            iid: self.iid,
            cbSize: size_of::<SChannelHookCallInfo>() as u32,
            uCausality: self.causality,
            dwServerPid: self.server_pid,
            iMethod: self.method,
            pObject: object,
        }
    }

    /// The request has arrived: what the client attached, or nothing. `object` is the server's.
    pub(crate) fn server_notify(&self, object: Option<&IUnknown>) {
        let info = self.info(object.map_or(ptr::null_mut(), IUnknown::as_raw));
        for it in &*self.hooks {
            let (len, data) = find(&self.request, &it.extent);
            // SAFETY: valid pointers for the length of the call.
            unsafe { it.hook.ServerNotify(&it.extent, iid_of(&info), len, data, DATA_REPRESENTATION) };
        }
    }

    /// The method has ended; `fault` is why there is no reply, or S_OK.
    pub(crate) fn fill_reply(&self, object: Option<&IUnknown>, fault: HRESULT) {
        let info = self.info(object.map_or(ptr::null_mut(), IUnknown::as_raw));
        // SAFETY: valid pointers; the buffer has the room that the hook asked for.
        let reply = unsafe {
            fill(
                &self.hooks,
                |it, len| it.hook.ServerGetSize(&it.extent, iid_of(&info), fault, len),
                |it, len, data| it.hook.ServerFillBuffer(&it.extent, iid_of(&info), len, data, fault),
            )
        };
        let before = std::mem::replace(&mut *self.reply.lock(), reply);
        drop(before);
    }

    /// The client has the end of its call. What the server attached counts only where the server has `replied`.
    pub(super) fn client_notify(&self, fault: HRESULT, replied: bool) {
        let reply = if replied { std::mem::take(&mut *self.reply.lock()) } else { Vec::new() };
        let info = self.info(ptr::null_mut());
        for it in &*self.hooks {
            let (len, data) = find(&reply, &it.extent);
            // SAFETY: valid pointers for the length of the call.
            unsafe { it.hook.ClientNotify(&it.extent, iid_of(&info), len, data, DATA_REPRESENTATION, fault) };
        }
    }
}

export! {
    /// Registers a hook for the calls of this process, as client and as server, until the last apartment has ended. There is
    /// no way to take it back. Hooks with one GUID are called each; they see what the first of them attached.
    ///
    /// The calls of proxies have hooks, synchronous or asynchronous; queries and releases have none, and neither has a direct
    /// call. `E_INVALIDARG` for null pointers, `E_NOINTERFACE` for what is no hook.
    ///
    /// # Safety
    /// `ExtensionUuid` is null or valid; `pChannelHook` is null or an object that may be called on every thread.
    pub unsafe fn CoRegisterChannelHook(ExtensionUuid: *const GUID, pChannelHook: *mut c_void) -> HRESULT {
        // SAFETY: the caller's.
        let (extent, hook) = unsafe { (ExtensionUuid.as_ref(), IUnknown::from_raw_borrowed(&pChannelHook)) };
        let (Some(extent), Some(hook)) = (extent, hook) else { return E_INVALIDARG };
        let Ok(hook) = hook.cast::<IChannelHook>() else { return E_NOINTERFACE };
        Process::current().channel_hooks.add(Hook { extent: *extent, hook });
        S_OK
    }
}

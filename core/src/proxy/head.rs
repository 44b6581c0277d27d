//! What interface proxies of both kinds have in common: their place under a controlling unknown.
//!
//! Layout: word 0 is the typed vtable (`ISieve`, `AsyncISieve`), whose IUnknown is the controlling unknown's; word 1 is
//! IRpcProxyBuffer, whose IUnknown is the proxy's own and counts. Both are interface pointers that derive from the
//! pointer the allocator gave. The controlling unknown is not counted: it outlives what it aggregates.
//!
//! Everything but the count and the link is immutable; nothing is locked, so nothing can deadlock.

use super::info::InterfaceInfo;
use super::link::Link;
use crate::abi::hresult::{E_NOINTERFACE, E_POINTER, S_OK};
use crate::abi::interfaces::{IRpcProxyBuffer, IRpcProxyBuffer_Vtbl, ISynchronize};
use crate::debug::Live;
use crate::object::{Count, Title, Word, bury, guard, raw};
use crate::platform::Access;
use std::borrow::Cow;
use std::ffi::c_void;
use std::ptr::{self, NonNull};
use windows_core::{GUID, HRESULT, IUnknown, IUnknown_Vtbl, Interface};

/// The head of a proxy.
#[repr(C)]
pub(crate) struct Head {
    typed: *const c_void,
    buffer: *const IRpcProxyBuffer_Vtbl,
    count: Count,
    outer: *mut c_void,
    pub(super) info: &'static InterfaceInfo,
    /// The channel, between `Connect` and `Disconnect`.
    pub(super) link: Link,
    live: Live,
}

/// A kind of proxy.
///
/// # Safety
/// `repr(C)` with a [`Head`] first; `WORD` is another word that holds a vtable, if there is one.
pub(super) unsafe trait Proxy: Sized + 'static {
    /// The word of an interface of the proxy's own.
    const WORD: Option<Word> = None;

    /// The typed interface.
    fn interface(info: &'static InterfaceInfo) -> &'static str {
        info.twin.as_ref().map_or(info.name, |twin| twin.name)
    }

    /// How many methods the typed interface has.
    fn methods(info: &InterfaceInfo) -> usize {
        // `Begin_` and `Finish_` for each but those of IUnknown: as many as that at most, and of IUnknown's twin six.
        2 * info.methods as usize + 3
    }

    /// The id of the typed interface.
    fn iid(head: &Head) -> GUID;

    /// Another interface of the proxy's own, uncounted; null when there is none.
    ///
    /// # Safety
    /// `this` is the proxy's root.
    unsafe fn own(this: *mut Self, iid: &GUID) -> *mut c_void;

    /// Makes a counted pointer to the interface of the channel that the proxy uses.
    ///
    /// # Safety
    /// `channel` is a live interface pointer.
    unsafe fn channel(channel: *mut c_void) -> Result<*mut c_void, HRESULT>;

    const BUFFER: IRpcProxyBuffer_Vtbl = IRpcProxyBuffer_Vtbl {
        base__: IUnknown_Vtbl { QueryInterface: query::<Self>, AddRef: add_ref, Release: release::<Self> },
        Connect: connect::<Self>,
        Disconnect: disconnect,
    };
}

/// The vtable behind word 1, as a static of its own for each kind.
struct Table<P>(std::marker::PhantomData<P>);

impl<P: Proxy> Table<P> {
    const BUFFER: &'static IRpcProxyBuffer_Vtbl = &P::BUFFER;
}

/// The IUnknown part of a typed vtable: everything goes to the controlling unknown.
pub(super) const DELEGATING: IUnknown_Vtbl =
    IUnknown_Vtbl { QueryInterface: outer_query, AddRef: outer_add_ref, Release: outer_release };

impl Head {
    /// A head with one reference, which counts on word 1. A null outer makes the proxy its own controlling unknown.
    pub(super) fn new<P: Proxy>(info: &'static InterfaceInfo, typed: *const c_void, outer: *mut c_void) -> Self {
        Self {
            typed,
            buffer: Table::<P>::BUFFER,
            count: Count::new(),
            outer,
            info,
            link: Link::new(),
            live: Live::new(info.name),
        }
    }

    /// The ISynchronize of a call object whose inner object this is, as the controlling unknown answers it (AGG-03).
    pub(super) fn synchronize(&self) -> Result<ISynchronize, HRESULT> {
        let mut pointer = ptr::null_mut();
        // SAFETY: the controlling unknown outlives the proxy.
        unsafe {
            let hr = raw::query(self.outer, &ISynchronize::IID, &mut pointer);
            Ok(ISynchronize::from_raw(raw::given(hr, pointer)?))
        }
    }

    /// A method is called.
    pub(super) fn used(&self) {
        self.live.touched(Access::Read);
    }

    /// The id of the asynchronous interface, or of the interface itself where it has none.
    pub(super) fn iid(&self) -> GUID {
        self.info.twin.as_ref().map_or(self.info.iid, |twin| twin.iid)
    }
}

/// Puts a proxy into memory; its root. A proxy without an outer object controls itself.
pub(super) fn place<P: Proxy>(proxy: P) -> *mut P {
    let root = Box::into_raw(Box::new(proxy));
    let head = root.cast::<Head>();
    // SAFETY: fresh memory that begins with a head (contract of `Proxy`).
    unsafe {
        if (*head).outer.is_null() {
            (*head).outer = buffer_of(root);
        }
    }
    root
}

/// The IRpcProxyBuffer of a proxy, borrowed.
///
/// # Safety
/// `root` is the root of a live proxy.
pub(super) unsafe fn buffer_of<P: Proxy>(root: *mut P) -> *mut c_void {
    // SAFETY: word 1 lies within the proxy.
    unsafe { root.cast::<*const c_void>().add(1).cast() }
}

/// The root of a proxy from its IRpcProxyBuffer.
///
/// # Safety
/// `buffer` came from [`buffer_of`].
unsafe fn root_of(buffer: *mut c_void) -> *mut Head {
    // SAFETY: word 1 lies one word behind the root.
    unsafe { buffer.cast::<*const c_void>().sub(1).cast() }
}

unsafe extern "system" fn outer_query(this: *mut c_void, iid: *const GUID, ppv: *mut *mut c_void) -> HRESULT {
    // SAFETY: word 0 is the root, and the controlling unknown outlives the proxy.
    unsafe { raw::query((*this.cast::<Head>()).outer, iid, ppv) }
}

unsafe extern "system" fn outer_add_ref(this: *mut c_void) -> u32 {
    // SAFETY: as above.
    unsafe { raw::add_ref((*this.cast::<Head>()).outer) }
}

unsafe extern "system" fn outer_release(this: *mut c_void) -> u32 {
    // SAFETY: as above.
    unsafe { raw::release((*this.cast::<Head>()).outer) }
}

unsafe extern "system" fn query<P: Proxy>(this: *mut c_void, iid: *const GUID, ppv: *mut *mut c_void) -> HRESULT {
    // SAFETY: the caller vouches for the pointers, which may be null.
    let (Some(iid), Some(ppv)) = (unsafe { (iid.as_ref(), ppv.as_mut()) }) else {
        return E_POINTER;
    };
    *ppv = ptr::null_mut();
    // SAFETY: the caller holds the proxy.
    unsafe {
        let root = root_of(this);
        if *iid == IUnknown::IID || *iid == IRpcProxyBuffer::IID {
            add_ref(this);
            *ppv = this;
            return S_OK;
        }
        if *iid == P::iid(&*root) {
            outer_add_ref(root.cast());
            *ppv = root.cast();
            return S_OK;
        }
        let own = P::own(root.cast(), iid);
        if own.is_null() {
            return E_NOINTERFACE;
        }
        add_ref(this);
        *ppv = own;
    }
    S_OK
}

unsafe extern "system" fn add_ref(this: *mut c_void) -> u32 {
    // SAFETY: the caller holds the proxy.
    unsafe { (*root_of(this)).count.add() }
}

unsafe extern "system" fn release<P: Proxy>(this: *mut c_void) -> u32 {
    // SAFETY: the caller gives up a reference of its own; the last one owns the memory, which came from a box.
    unsafe {
        let root = root_of(this);
        let remaining = (*root).count.release();
        if remaining == 0 {
            guard::call(|| end(NonNull::new_unchecked(root.cast::<P>())));
        }
        remaining
    }
}

/// The end of a proxy: all that it has, then its memory.
///
/// # Safety
/// Nobody has a reference to the proxy, which [`place`] has made.
unsafe fn end<P: Proxy>(root: NonNull<P>) {
    let head = root.cast::<Head>();
    // SAFETY: the proxy is whole until it is dropped; its memory came from a box, and these are the words that hold vtables
    // (`Head`, contract of `Proxy`).
    unsafe {
        let (number, info) = (head.as_ref().live.number(), head.as_ref().info);
        head.as_ref().live.touched(Access::Write);
        ptr::drop_in_place(root.as_ptr());
        let words = || {
            let typed = Word::sized(0, P::interface(info), P::methods(info));
            Cow::Owned([typed, Word::new::<IRpcProxyBuffer>(1, "IRpcProxyBuffer")].into_iter().chain(P::WORD).collect())
        };
        bury(root, number, words, Title::Proxy(info.name));
    }
}

unsafe extern "system" fn connect<P: Proxy>(this: *mut c_void, channel: *mut c_void) -> HRESULT {
    use crate::abi::hresult::{E_INVALIDARG, E_UNEXPECTED};
    if channel.is_null() {
        return E_INVALIDARG;
    }
    // SAFETY: the caller holds the proxy and the channel.
    unsafe {
        match P::channel(channel) {
            Err(hr) => hr,
            Ok(counted) if (*root_of(this)).link.connect(counted) => S_OK,
            Ok(counted) => {
                raw::release(counted);
                E_UNEXPECTED
            }
        }
    }
}

unsafe extern "system" fn disconnect(this: *mut c_void) {
    // SAFETY: the caller holds the proxy.
    unsafe { (*root_of(this)).link.disconnect() };
}

/// Own AddRef, for other interfaces of the proxy's own.
///
/// # Safety
/// `root` is the root of a live proxy.
pub(super) unsafe fn add_ref_own<P: Proxy>(root: *mut P) -> u32 {
    // SAFETY: the caller's promise.
    unsafe { add_ref(buffer_of(root)) }
}

/// Own Release.
///
/// # Safety
/// `root` is the root of a proxy on which the caller gives up a reference.
pub(super) unsafe fn release_own<P: Proxy>(root: *mut P) -> u32 {
    // SAFETY: the caller's promise.
    unsafe { release::<P>(buffer_of(root)) }
}

/// Own QueryInterface.
///
/// # Safety
/// As for any QueryInterface; `root` is the root of a live proxy.
pub(super) unsafe fn query_own<P: Proxy>(root: *mut P, iid: *const GUID, ppv: *mut *mut c_void) -> HRESULT {
    // SAFETY: the caller's promise.
    unsafe { query::<P>(buffer_of(root), iid, ppv) }
}

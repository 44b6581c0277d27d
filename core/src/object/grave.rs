//! What is left of an object behind its last Release in a simulated world: its memory, in which every vtable is replaced by
//! one whose methods report that they were called ([`Port::used_after_end`]).
//!
//! A [`Grave`] owns the memory, and gives it back when it is dropped: a world does that when the execution ends. Everything
//! of the object but its memory has been dropped before. Host threads have no graves, nor has a world that does not look
//! for such calls ([`Port::buries`]): for them the whole of this is a branch at the last Release.
//!
//! The methods: the three of IUnknown have the types that their callers expect, and return where the thread cannot be
//! stopped. The types of the others are not known here, so they never return. All of them read their first argument and
//! nothing else, and it is where every caller of a COM method puts the interface pointer.
//!
//! Nothing is shared, nothing is locked.

use crate::abi::hresult::E_NOINTERFACE;
use crate::platform::{self, Port};
use std::alloc::{Layout, dealloc};
use std::borrow::Cow;
use std::ffi::c_void;
use std::fmt;
use std::ptr::NonNull;
use windows_core::{GUID, HRESULT, IUnknown_Vtbl, Interface};

/// How many methods a poisoned vtable has. An object with an interface that has more has no grave.
const METHODS_MAX: usize = 256;
/// The methods of IUnknown.
const OWN: usize = 3;

/// A word of an object that holds the address of a vtable.
#[derive(Clone, Copy, Debug)]
pub struct Word {
    at: usize,
    interface: &'static str,
    methods: usize,
}

impl Word {
    /// The word with this number, from 0, is the pointer of an interface.
    pub const fn new<I: Interface>(at: usize, interface: &'static str) -> Self {
        Self::sized(at, interface, size_of::<I::Vtable>() / size_of::<usize>())
    }

    pub(crate) const fn sized(at: usize, interface: &'static str, methods: usize) -> Self {
        Self { at, interface, methods }
    }
}

/// The memory of an object that has gone.
#[derive(Debug)]
pub struct Grave {
    memory: NonNull<c_void>,
    layout: Layout,
    words: Cow<'static, [Word]>,
    number: u64,
    title: Title,
}

/// What a report calls an object. It is written out when there is something to report.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Title {
    /// By its class.
    Class(&'static str),
    /// By its interface.
    Proxy(&'static str),
}

impl fmt::Display for Title {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Class(class) => f.write_str(class),
            Self::Proxy(interface) => write!(f, "a proxy of {interface}"),
        }
    }
}

/// A method of an object that has gone, as somebody has called it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalledAfterEnd {
    /// The object's number, as [`Fact::Gone`](crate::platform::Fact::Gone) told it.
    pub number: u64,
    /// Its class, or that it is a proxy.
    pub object: String,
    /// The interface and the method.
    pub method: String,
}

impl Grave {
    /// Poisons the memory of an object.
    ///
    /// # Safety
    /// The memory is one allocation of the global allocator with this layout, and the caller's; nothing in it will be
    /// dropped. The words lie in it.
    unsafe fn new(
        memory: NonNull<c_void>,
        layout: Layout,
        words: Cow<'static, [Word]>,
        number: u64,
        title: Title,
    ) -> Self {
        for word in words.iter() {
            // SAFETY: the caller's promise: the word lies in memory that nobody else may touch.
            unsafe { memory.cast::<*const Poison>().add(word.at).write(&POISON) };
        }
        Self { memory, layout, words, number, title }
    }

    /// What was called if `this` is an interface pointer of the object.
    pub fn called(&self, this: *mut c_void, method: usize) -> Option<CalledAfterEnd> {
        let bytes = (this as usize).checked_sub(self.memory.as_ptr() as usize)?;
        let word = self.words.iter().find(|word| word.at * size_of::<usize>() == bytes)?;
        let method = match method {
            0 => format!("{}::QueryInterface", word.interface),
            1 => format!("{}::AddRef", word.interface),
            2 => format!("{}::Release", word.interface),
            _ => format!("{} method {method}", word.interface),
        };
        Some(CalledAfterEnd { number: self.number, object: self.title.to_string(), method })
    }
}

impl Drop for Grave {
    fn drop(&mut self) {
        // SAFETY: the contract of `new`.
        unsafe { dealloc(self.memory.as_ptr().cast(), self.layout) };
    }
}

/// Gives back the memory of an object of which nothing else is left; to its simulated world, if that keeps it.
///
/// # Safety
/// The memory came from a box of this type, it is the caller's, and nothing in it will be dropped. The words lie in it.
pub(crate) unsafe fn bury<T>(
    memory: NonNull<T>,
    number: u64,
    words: impl FnOnce() -> Cow<'static, [Word]>,
    title: Title,
) {
    let layout = Layout::new::<T>();
    if number != 0 && platform::buries() {
        let words = words();
        if words.iter().all(|word| word.methods <= METHODS_MAX) {
            // SAFETY: the caller's promises.
            let grave = unsafe { Grave::new(memory.cast(), layout, words, number, title) };
            platform::bury(grave);
            return;
        }
    }
    // SAFETY: the caller's promises; no object of ours is without size.
    unsafe { dealloc(memory.as_ptr().cast(), layout) };
}

/// A vtable whose methods report that they were called.
#[repr(C)]
struct Poison {
    unknown: IUnknown_Vtbl,
    others: [unsafe extern "system" fn(*mut c_void) -> !; METHODS_MAX - OWN],
}

/// The rest of the table: a function for each number.
macro_rules! others {
    ($($high:literal)*) => {
        [
            method::<3>, method::<4>, method::<5>, method::<6>, method::<7>,
            $(
                method::<{ $high }>, method::<{ $high + 1 }>, method::<{ $high + 2 }>, method::<{ $high + 3 }>,
                method::<{ $high + 4 }>, method::<{ $high + 5 }>, method::<{ $high + 6 }>, method::<{ $high + 7 }>,
            )*
        ]
    };
}

static POISON: Poison = Poison {
    unknown: IUnknown_Vtbl { QueryInterface: query, AddRef: add_ref, Release: release },
    others: others!(8 16 24 32 40 48 56 64 72 80 88 96 104 112 120 128 136 144 152 160 168 176 184 192 200 208 216 224 232 240 248),
};

/// Reports the call; comes back where the thread cannot be stopped.
fn report(this: *mut c_void, method: usize) {
    platform::with_simulated(|port: &dyn Port| port.used_after_end(this, method));
    eprintln!(
        "method {method} of an object of a simulated world was called after the object's last Release, where the thread \
         cannot be stopped: it unwinds a panic, or is none of the world's"
    );
}

unsafe extern "system" fn query(this: *mut c_void, _iid: *const GUID, ppv: *mut *mut c_void) -> HRESULT {
    report(this, 0);
    // SAFETY: a caller of QueryInterface vouches for the pointer, which may be null.
    if let Some(ppv) = unsafe { ppv.as_mut() } {
        *ppv = std::ptr::null_mut();
    }
    E_NOINTERFACE
}

unsafe extern "system" fn add_ref(this: *mut c_void) -> u32 {
    report(this, 1);
    0
}

unsafe extern "system" fn release(this: *mut c_void) -> u32 {
    report(this, 2);
    0
}

unsafe extern "system" fn method<const N: usize>(this: *mut c_void) -> ! {
    report(this, N);
    // What the caller expects is not known, so there is nothing to return.
    std::process::abort()
}

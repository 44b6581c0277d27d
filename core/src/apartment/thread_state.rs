//! What COM knows of a thread. Touched by the thread itself only, but for `outgoing`, which others may look into to
//! cancel its calls.

use super::{Apartment, application::Application, pool::Place, spies::Spies};
use crate::abi::interfaces::IMessageFilter;
use crate::call::CancelStack;
use crate::channel::{Buffers, Call, Kept};
use crate::future::Driving;
use crate::kernel::{MessageQueue, ThreadKernel};
use crate::platform::{self, Fact, Why};
use std::cell::{Cell, OnceCell, RefCell};
use std::ffi::c_void;
use std::ops::Deref;
use std::sync::Arc;
use windows_core::GUID;

/// The call that is being dispatched on this thread.
#[derive(Clone, Default)]
pub(crate) enum Context {
    /// No call.
    #[default]
    None,
    /// A call of the channel; its context object is made when somebody asks.
    Call(Arc<Call>),
}

/// What a thread's outgoing calls are made of.
pub(crate) type Outgoing = Arc<CancelStack>;

/// Where a thread was before it moved.
#[derive(Default)]
pub(super) struct Whereabouts {
    apartment: Option<Arc<Apartment>>,
    own: Option<Option<Arc<Apartment>>>,
}

/// What the runtime keeps for one thread.
#[derive(Default)]
pub(crate) struct ThreadState {
    /// The message queue; use [`crate::kernel::queue`].
    pub(crate) queue: OnceCell<Arc<MessageQueue>>,
    /// What the kernel objects keep for the thread.
    pub(crate) kernel: ThreadKernel,
    /// A place in the MTA's pool, on a worker.
    pub(crate) place: RefCell<Option<Arc<Place>>>,
    /// All else. Made when first looked at: threads that only wait and signal do without.
    com: OnceCell<Box<ComState>>,
}

impl Deref for ThreadState {
    type Target = ComState;

    fn deref(&self) -> &ComState {
        self.com.get_or_init(Box::default)
    }
}

/// The COM state of one thread.
pub(crate) struct ComState {
    /// `GetLastError`.
    pub(crate) last_error: Cell<u32>,
    /// Where the thread is.
    apartment: RefCell<Option<Arc<Apartment>>>,
    /// What it has entered, while it visits an apartment that has no threads of its own (`place`).
    own: RefCell<Option<Option<Arc<Apartment>>>>,
    /// Whether what it has entered is an STA, for waits, which ask each time.
    own_is_sta: Cell<bool>,
    /// What it keeps for its application STA.
    pub(crate) application: Application,
    /// Who watches it enter and leave.
    pub(super) spies: RefCell<Spies>,
    /// Balanced `OleInitialize` calls (APT-03).
    pub(super) ole_count: Cell<u32>,
    /// Balanced `CoInitializeEx` calls; a worker of the MTA's pool begins with one that is nobody's to undo (APT-18).
    pub(crate) init_count: Cell<u32>,
    /// The thread's apartment is ending; what objects do in their last Release does not end it again.
    pub(super) leaving: Cell<bool>,
    /// The thread's end leaves its apartment (APT-23).
    pub(super) leaves_at_exit: Cell<bool>,
    /// The call context of the innermost dispatch.
    pub(crate) context: RefCell<Context>,
    /// What `CoSwitchCallContext` put in front of it, not counted (CTX-03); null for nothing.
    pub(crate) user_context: Cell<*mut c_void>,
    /// The number of the call as whose client the thread acts; 0 for itself (SRV-18).
    pub(crate) impersonates: Cell<u64>,
    /// Balanced `CoEnableCallCancellation` calls (CXL-30).
    pub(crate) cancel_enabled: Cell<u32>,
    /// The calls that wait on this thread for a reply, innermost last.
    pub(crate) outgoing: OnceCell<Outgoing>,
    /// The logical thread (APT-33); null until somebody needs it.
    pub(crate) logical: Cell<GUID>,
    /// The message filter of an STA (MF-01).
    pub(crate) filter: RefCell<Option<IMessageFilter>>,
    /// A message filter of this thread is being asked (MF-08).
    pub(crate) in_filter: Cell<u32>,
    /// The controlling unknown under which an `Inner` has its object made just now; null when none does.
    pub(crate) aggregating: Cell<*mut c_void>,
    /// How many random numbers the thread has drawn, in a simulated world.
    pub(crate) drawn: Cell<u32>,
    /// The `block_on` that polls on this thread.
    pub(crate) driving: Driving,
    /// Buffers and calls to be used again.
    pub(crate) buffers: Buffers,
    pub(crate) calls: Kept,
}

impl Default for ComState {
    fn default() -> Self {
        Self {
            last_error: Cell::new(0),
            apartment: RefCell::new(None),
            own: RefCell::new(None),
            own_is_sta: Cell::new(false),
            application: Application::default(),
            spies: RefCell::default(),
            ole_count: Cell::new(0),
            init_count: Cell::new(0),
            leaving: Cell::new(false),
            leaves_at_exit: Cell::new(false),
            context: RefCell::new(Context::None),
            user_context: Cell::new(std::ptr::null_mut()),
            impersonates: Cell::new(0),
            cancel_enabled: Cell::new(0),
            outgoing: OnceCell::new(),
            logical: Cell::new(GUID::zeroed()),
            filter: RefCell::new(None),
            in_filter: Cell::new(0),
            aggregating: Cell::new(std::ptr::null_mut()),
            driving: Driving::default(),
            drawn: Cell::new(0),
            buffers: Buffers::default(),
            calls: Kept::default(),
        }
    }
}

impl ComState {
    /// Where the thread is: the apartment that it entered explicitly or works for, or the one that it visits.
    pub(crate) fn apartment(&self) -> Option<Arc<Apartment>> {
        self.apartment.borrow().clone()
    }

    /// A look at the apartment without counting a reference, which other threads count, too. `look` runs no code of
    /// others.
    pub(crate) fn with_apartment<R>(&self, look: impl FnOnce(Option<&Arc<Apartment>>) -> R) -> R {
        look(self.apartment.borrow().as_ref())
    }

    pub(crate) fn set_apartment(&self, apartment: Option<Arc<Apartment>>) -> Option<Arc<Apartment>> {
        platform::tell(|| Fact::Enters(apartment.as_ref().map(|it| (it.oxid, it.kind()))));
        let before = self.apartment.replace(apartment);
        self.note_kind();
        before
    }

    /// After each change of where the thread is.
    fn note_kind(&self) {
        self.own_is_sta.set(self.with_own_apartment(|own| own.is_some_and(|own| own.is_sta())));
    }

    /// The apartment that the thread entered explicitly, or works for.
    pub(crate) fn own_apartment(&self) -> Option<Arc<Apartment>> {
        match &*self.own.borrow() {
            Some(own) => own.clone(),
            None => self.apartment(),
        }
    }

    /// [`Self::own_apartment`] without counting a reference.
    pub(crate) fn with_own_apartment<R>(&self, look: impl FnOnce(Option<&Arc<Apartment>>) -> R) -> R {
        match &*self.own.borrow() {
            Some(own) => look(own.as_ref()),
            None => self.with_apartment(look),
        }
    }

    /// Whether the thread is in an apartment that is not its own.
    pub(crate) fn is_visiting(&self) -> bool {
        self.own.borrow().is_some()
    }

    /// Moves the thread to an apartment; gives back where it was, for [`Self::put_back`].
    pub(super) fn move_to(&self, place: Arc<Apartment>) -> Whereabouts {
        let own = self.own_apartment();
        let visits = place.has_no_threads() || own.is_none();
        let before = Whereabouts {
            own: self.own.replace(visits.then_some(own)),
            apartment: self.apartment.replace(Some(place)),
        };
        self.note_kind();
        before
    }

    pub(super) fn put_back(&self, before: Whereabouts) -> Option<Arc<Apartment>> {
        self.own.replace(before.own);
        let place = self.apartment.replace(before.apartment);
        self.note_kind();
        place
    }

    /// The logical thread: the caller's while a call is dispatched, else this thread's own (APT-33).
    pub(crate) fn logical_thread(&self, id: u32) -> GUID {
        let mut logical = self.logical.get();
        if logical == GUID::zeroed() {
            // Unique in the process and the same at every run: made of the thread's number.
            logical = GUID::from_values(id, 0x6f6c, 0x4561, *b"oleander");
            self.logical.set(logical);
        }
        logical
    }
}

impl ThreadState {
    /// Whether the thread entered an STA: what it waits with then dispatches.
    #[inline]
    pub(crate) fn is_in_sta(&self) -> bool {
        self.com.get().is_some_and(|com| com.own_is_sta.get())
    }

    /// Whether the thread is in an apartment.
    pub(crate) fn is_in_com(&self) -> bool {
        self.com.get().is_some_and(|com| com.with_apartment(|apartment| apartment.is_some()))
    }

    /// A pool worker that blocks gives its place to another; the guard takes a place again.
    pub(crate) fn leave_pool_place(&self, why: Why) -> Option<impl Drop + use<>> {
        if why == Why::Idle {
            return None;
        }
        self.place.borrow().clone().map(Place::leave)
    }
}

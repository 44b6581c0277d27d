//! What `#[com_class]` objects have in common: their head, their identity, their end.
//!
//! Layout of an object, in words: slot 0 is the inner, non-delegating IUnknown; then one slot for each interface that
//! the class lists; then the [`Header`]; then the value. Every slot holds the address of a vtable, so the address of a
//! slot is an interface pointer. The IUnknown functions of slots 1 and up go to the controlling unknown: the outer
//! object where there is one, else slot 0.
//!
//! Rules:
//! - Every interface pointer, and the pointer that frees the object, derives from the root pointer that the allocator
//!   gave (`Header::root`), never from a `&self`: a reference to a part may not be used to reach the rest.
//! - `root`, `controlling` and the vtables never change; the count is atomic; the value is the class's own business.
//! - The controlling unknown is not counted: an outer object outlives its inner ones.
//! - No lock is taken here, so nothing can deadlock.

use super::count::Count;
use super::{AutoInner, Title, Word, bury, guard, raw};
use crate::abi::clsid::CLSID_InProcFreeMarshaler;
use crate::abi::hresult::{E_NOINTERFACE, E_POINTER, REGDB_E_CLASSNOTREG, S_OK};
use crate::abi::interfaces::IAgileObject;
use crate::debug::Live;
use std::any::Any;
use std::borrow::Cow;
use std::ffi::c_void;
use std::mem::ManuallyDrop;
use std::ptr::{self, NonNull};
use windows_core::{
    ComObject, ComObjectInner, DYNAMIC_CAST_IID, GUID, HRESULT, IUnknown, IUnknown_Vtbl, IUnknownImpl, Interface,
    InterfaceRef,
};

/// The head of an object: who it is and how many hold it.
pub struct Header {
    root: NonNull<c_void>,
    controlling: NonNull<c_void>,
    count: Count,
    live: Live,
}

/// What `#[com_class]` says of the object type that it makes. Not for hand-written code.
///
/// # Safety
/// The type is `repr(C)`: `WORDS` are the first words of it. Word 0 is [`own_vtable`], the words after it hold the vtables of the listed interfaces with
/// their offsets, and `slot_of` knows them by their index. `place` initialises all of it.
pub unsafe trait Class: IUnknownImpl + Any {
    /// Whether the class declares itself agile.
    const AGILE: bool;
    /// The slots with their interfaces.
    const WORDS: &'static [Word];

    /// The header, without a reference to the whole object.
    ///
    /// # Safety
    /// `this` points at an object.
    unsafe fn header(this: *const Self) -> *const Header;

    /// The value, without a reference to the whole object.
    ///
    /// # Safety
    /// `this` points at an object.
    unsafe fn value(this: *mut Self) -> *mut ManuallyDrop<Self::Impl>;

    /// Writes a new object into memory.
    ///
    /// # Safety
    /// `this` is memory for one object, and the header was made for it.
    unsafe fn place(this: *mut Self, header: Header, value: Self::Impl);

    /// The slot of a listed interface or of a base of one.
    fn slot_of(iid: &GUID) -> Option<usize>;

    /// Asked before every query but that for IUnknown: a failure is the answer.
    fn guard(&self, _iid: &GUID) -> HRESULT {
        S_OK
    }

    /// Asked before the interfaces that the class lists, but not for IUnknown: what it says is the answer.
    ///
    /// # Safety
    /// `ppv` may be written; it holds null, and does so after a failure.
    unsafe fn query_first(&self, _iid: &GUID, _ppv: *mut *mut c_void) -> Option<HRESULT> {
        None
    }

    /// Interfaces that the object has from inner objects.
    ///
    /// # Safety
    /// `ppv` may be written; it holds null.
    unsafe fn query_inners(&self, _iid: &GUID, _ppv: *mut *mut c_void) -> HRESULT {
        E_NOINTERFACE
    }

    /// Releases the inner objects that the attribute names.
    fn release_inners(&self) {}

    /// Whether an inner object exists, which knows this one by its address.
    fn has_inners(&self) -> bool {
        false
    }
}

/// The header of an object behind a reference.
fn header<C: Class>(object: &C) -> &Header {
    // SAFETY: a reference points at an object.
    unsafe { &*C::header(object) }
}

/// Allocates an object with one reference, which is the caller's and counts on slot 0.
///
/// # Safety
/// `outer` is null or an IUnknown that outlives the object.
pub unsafe fn allocate<C: Class>(value: C::Impl, outer: *mut c_void) -> NonNull<C> {
    let memory = Box::into_raw(Box::<C>::new_uninit()).cast::<C>();
    // SAFETY: a box is never null.
    let root = unsafe { NonNull::new_unchecked(memory) };
    let header = Header {
        root: root.cast(),
        controlling: NonNull::new(outer).unwrap_or(root.cast()),
        count: Count::new(),
        live: Live::new(std::any::type_name::<C::Impl>()),
    };
    // SAFETY: fresh memory of the right layout.
    unsafe { C::place(memory, header, value) };
    root
}

/// The vtable of slot 0: identity and the count itself.
pub const fn own_vtable<C: Class>() -> IUnknown_Vtbl {
    unsafe extern "system" fn query<C: Class>(this: *mut c_void, iid: *const GUID, ppv: *mut *mut c_void) -> HRESULT {
        // SAFETY: slot 0 lies at the root; the caller vouches for the rest.
        unsafe { query_own(this.cast::<C>(), iid, ppv) }
    }
    unsafe extern "system" fn add_ref<C: Class>(this: *mut c_void) -> u32 {
        // SAFETY: slot 0 lies at the root, and the caller holds a reference.
        unsafe { (*C::header(this.cast::<C>())).count.add() }
    }
    unsafe extern "system" fn release<C: Class>(this: *mut c_void) -> u32 {
        // SAFETY: slot 0 lies at the root, and the caller gives up a reference of its own.
        unsafe { release_own(this.cast::<C>()) }
    }
    IUnknown_Vtbl { QueryInterface: query::<C>, AddRef: add_ref::<C>, Release: release::<C> }
}

/// The object's own QueryInterface, which no outer object sees.
///
/// # Safety
/// `this` is the root of an object that the caller holds; `iid` is null or may be read, `ppv` null or written.
pub unsafe fn query_own<C: Class>(this: *mut C, iid: *const GUID, ppv: *mut *mut c_void) -> HRESULT {
    if ppv.is_null() {
        return E_POINTER;
    }
    // SAFETY: not null, and the caller vouches for it.
    unsafe { *ppv = ptr::null_mut() };
    // SAFETY: as above.
    let Some(iid) = (unsafe { iid.as_ref() }) else {
        return E_POINTER;
    };
    // SAFETY: the caller holds the object.
    let head = unsafe { &*C::header(this) };
    if *iid == IUnknown::IID {
        head.count.add();
        // SAFETY: checked above.
        unsafe { *ppv = this.cast() };
        return S_OK;
    }
    if head.count.is_closed() {
        return E_NOINTERFACE;
    }
    // SAFETY: the object lives.
    let guarded = unsafe { (*this).guard(iid) };
    if guarded.is_err() {
        return guarded;
    }
    // SAFETY: the object lives, and `ppv` was checked.
    if let Some(answered) = unsafe { (*this).query_first(iid, ppv) } {
        return answered;
    }
    // IAgileObject has no methods of its own: the first listed interface stands in for it.
    let slot = C::slot_of(iid).or_else(|| (C::AGILE && *iid == IAgileObject::IID).then_some(1));
    if let Some(slot) = slot {
        // SAFETY: the object is its own or its outer's; the slot exists (contract of `Class`).
        unsafe {
            add_ref_controlling(head);
            *ppv = this.cast::<*const c_void>().add(slot).cast();
        }
        return S_OK;
    }
    if *iid == DYNAMIC_CAST_IID {
        // SAFETY: windows-core's protocol: whoever asks for this id gave room for a wide pointer, holds the object as
        // long as it uses the answer, and takes no reference.
        unsafe { ppv.cast::<*const dyn Any>().write(this as *const dyn Any) };
        return S_OK;
    }
    // SAFETY: the object lives, and `ppv` was checked.
    unsafe { (*this).query_inners(iid, ppv) }
}

/// The object's own Release, which no outer object sees.
///
/// # Safety
/// `this` is the root of an object, and the caller gives up a reference that counts on slot 0.
pub unsafe fn release_own<C: Class>(this: *mut C) -> u32 {
    // SAFETY: the caller's reference keeps the object alive up to here; after it nothing of the object is touched
    // unless this was the last reference.
    let remaining = unsafe { (*C::header(this)).count.release() };
    if remaining == 0 {
        // SAFETY: nobody else has a reference.
        unsafe { destroy(this) };
    }
    remaining
}

/// Ends an object: first its inner objects, while it still works; then its value; then its memory.
///
/// # Safety
/// `this` is the root, and nobody has a reference.
#[cold]
unsafe fn destroy<C: Class>(this: *mut C) {
    // SAFETY: the object is whole until its value is dropped.
    unsafe {
        (*C::header(this)).count.begin_end();
        guard::call(|| (*this).release_inners());
        (*C::header(this)).count.close();
    }
    // SAFETY: dropped once, here; a panic in it has dropped the fields that remained. No reference to the whole object
    // is used from here on.
    guard::call(|| unsafe { ManuallyDrop::drop(&mut *C::value(this)) });
    // SAFETY: nobody has a reference. What is dropped here is everything but the value; the memory came from a box of this
    // type, and the words are its own (contract of `Class`).
    unsafe {
        let number = (*C::header(this)).live.number();
        ptr::drop_in_place(this);
        let title = Title::Class(std::any::type_name::<C::Impl>());
        bury(NonNull::new_unchecked(this), number, || Cow::Borrowed(C::WORDS), title);
    }
}

/// AddRef on the controlling unknown.
///
/// # Safety
/// The object lives.
#[inline(always)]
unsafe fn add_ref_controlling(head: &Header) -> u32 {
    if head.controlling == head.root {
        return head.count.add();
    }
    // SAFETY: an outer object outlives its inner ones.
    unsafe { raw::add_ref(head.controlling.as_ptr()) }
}

/// `IUnknownImpl::QueryInterface`: through the controlling unknown.
///
/// # Safety
/// As for any QueryInterface.
pub unsafe fn query<C: Class>(object: &C, iid: *const GUID, ppv: *mut *mut c_void) -> HRESULT {
    let head = header(object);
    if head.controlling == head.root {
        // SAFETY: the root of a live object; the caller vouches for the pointers.
        return unsafe { query_own(head.root.as_ptr().cast::<C>(), iid, ppv) };
    }
    if ppv.is_null() {
        return E_POINTER;
    }
    // SAFETY: an outer object outlives its inner ones.
    unsafe { raw::query(head.controlling.as_ptr(), iid, ppv) }
}

/// `IUnknownImpl::AddRef`: on the controlling unknown.
#[inline(always)]
pub fn add_ref<C: Class>(object: &C) -> u32 {
    // SAFETY: a reference keeps the object alive.
    unsafe { add_ref_controlling(header(object)) }
}

/// `IUnknownImpl::Release`: on the controlling unknown.
///
/// # Safety
/// The caller gives up a reference of its own.
#[inline(always)]
pub unsafe fn release<C: Class>(this: *mut C) -> u32 {
    // SAFETY: the object lives up to here; the header is not touched after the count was.
    let (root, controlling) = unsafe {
        let head = C::header(this);
        ((*head).root, (*head).controlling)
    };
    if root == controlling {
        // SAFETY: the caller's promise.
        unsafe { release_own(root.as_ptr().cast::<C>()) }
    } else {
        // SAFETY: the reference was taken there.
        unsafe { raw::release(controlling.as_ptr()) }
    }
}

/// `IUnknownImpl::is_reference_count_one`: whether the value may be borrowed mutably or moved away. Never while an outer
/// or inner object knows this one by its address.
pub fn is_sole<C: Class>(object: &C) -> bool {
    !is_aggregated(object) && !object.has_inners() && header(object).count.is_one()
}

/// `IUnknownImpl::to_object`: one more reference, on the controlling unknown.
pub fn to_object<C: Class>(object: &C) -> ComObject<C::Impl>
where
    C::Impl: ComObjectInner<Outer = C>,
{
    add_ref(object);
    // SAFETY: the root of a live object, and a reference that was just taken.
    unsafe { ComObject::from_raw(header(object).root.cast()) }
}

/// The root of an object, as an address for a table of objects.
pub fn root<C: Class>(object: &C) -> NonNull<C> {
    header(object).root.cast()
}

/// A reference to the object at an address, unless its last one is gone.
///
/// # Safety
/// The object's memory is there: its value takes the address out of wherever it was found, under a lock that the caller
/// holds, before the memory goes. Nobody aggregates the class.
pub unsafe fn try_to_object<C: Class>(root: NonNull<C>) -> Option<ComObject<C::Impl>>
where
    C::Impl: ComObjectInner<Outer = C>,
{
    // SAFETY: the memory is there, and the header is valid as long as it is.
    let taken = unsafe { (*C::header(root.as_ptr())).count.try_add() };
    // SAFETY: the root, and a reference that was just taken.
    taken.then(|| unsafe { ComObject::from_raw(root) })
}

/// Whether an outer object controls this one.
pub fn is_aggregated<C: Class>(object: &C) -> bool {
    let head = header(object);
    head.controlling != head.root
}

/// The controlling unknown, borrowed.
pub fn controlling<C: Class>(object: &C) -> InterfaceRef<'_, IUnknown> {
    // SAFETY: it lives as long as the object.
    unsafe { InterfaceRef::from_raw(header(object).controlling) }
}

/// A listed interface, borrowed.
///
/// # Safety
/// `I` is the interface in that slot, or a base of it.
pub unsafe fn slot<C: Class, I: Interface>(object: &C, slot: usize) -> InterfaceRef<'_, I> {
    // SAFETY: slots lie from the root on; the pointer lives as long as the object.
    unsafe { InterfaceRef::from_raw(header(object).root.cast::<*const c_void>().add(slot).cast()) }
}

/// The value behind an interface pointer of the class.
///
/// # Safety
/// `interface` is the pointer of that slot of an object of the class.
pub unsafe fn value_at<C: Class>(interface: *mut c_void, slot: usize) -> NonNull<C::Impl> {
    // SAFETY: interface pointers derive from the root, which lies `slot` words before.
    unsafe {
        let root = interface.cast::<*const c_void>().sub(slot).cast::<C>();
        NonNull::new_unchecked(C::value(root).cast())
    }
}

/// IMarshal of an agile object: the free-threaded marshaler, a system class, aggregated when first asked for.
/// `E_NOINTERFACE` where that class is not there: the object is marshaled as any other then.
///
/// # Safety
/// As for [`AutoInner::query_raw`].
pub unsafe fn query_marshaler(marshaler: &AutoInner, outer: *mut c_void, iid: &GUID, ppv: *mut *mut c_void) -> HRESULT {
    // SAFETY: the caller's promises.
    match unsafe { marshaler.query_raw(outer, &CLSID_InProcFreeMarshaler, iid, ppv) } {
        REGDB_E_CLASSNOTREG => E_NOINTERFACE,
        hr => hr,
    }
}

/// Checked where a class says `agile`: calls come on any thread, so the value must bear that.
pub const fn assert_agile<T: Send + Sync>() {}

//! The macros of oleander. Each is documented where it is re-exported, in `oleander`.

use proc_macro::TokenStream;

mod async_interface;
mod com_class;
mod interface;
mod ndr;

/// Declares a COM interface: the pointer type, its vtable, and the trait `…_Impl` that objects implement.
///
/// `#[interface("iid")] unsafe trait IFoo: IUnknown { fn M(&self, x: u32) -> HRESULT; }` makes what windows-core's
/// macro of the same name makes, with one difference: a panic inside a method is caught in the vtable and becomes
/// `RPC_E_SERVERFAULT`.
#[proc_macro_attribute]
pub fn interface(attr: TokenStream, item: TokenStream) -> TokenStream {
    interface::expand(attr.into(), item.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Makes COM objects of a struct: `#[com_class(ISieve, ICallFactory)] struct Sieve { … }`.
///
/// The macro makes the object type `Sieve_Impl`, on which the traits `ISieve_Impl` and so on are implemented and which
/// dereferences to `Sieve`. `ComObject::new(Sieve { … })` and `let sieve: ISieve = Sieve { … }.into()` make objects, and
/// `oleander::object::create_aggregated` makes one that an outer object controls.
///
/// Options, after the interfaces:
/// - `agile`: the object may be called on every thread and says so (`IAgileObject`, and `IMarshal` through the
///   free-threaded marshaler). The struct must be `Send + Sync`.
/// - `blind = field`: queries for everything else go to the inner object in that field, an `oleander::object::Inner`.
/// - `inner = field`: the inner object in that field, an `oleander::object::Inner`, ends with the object; which queries go to
///   it the class says itself.
/// - `first = method`: after the guard, every query but that for IUnknown asks `unsafe fn method(&self, iid: &GUID, ppv: *mut
///   *mut c_void) -> Option<HRESULT>` of the object type; what it says is the answer.
/// - `fallback = method`: queries for everything else go to `unsafe fn method(&self, iid: &GUID, ppv: *mut *mut c_void) ->
///   HRESULT` of the object type.
/// - `guard = method`: every query but that for IUnknown asks `fn method(&self, iid: &GUID) -> HRESULT` of the object type
///   first; a failure is the answer.
/// - `auto(IFace = field : CLSID)`: the first query for `IFace` makes an object of the system class, aggregated, in that
///   field, an `oleander::object::AutoInner`.
///
/// Methods get `&Sieve_Impl`, which has `query::<I>()` and `controlling_unknown()` (through the outer object where there
/// is one), `is_aggregated()` and `aggregate(&inner, create)`.
#[proc_macro_attribute]
pub fn com_class(attr: TokenStream, item: TokenStream) -> TokenStream {
    com_class::expand(attr.into(), item.into()).into()
}

/// Declares an interface with proxy and stub, and its asynchronous twin.
///
/// ```text
/// #[async_interface(uuid = "…", async_uuid = "…")]
/// pub unsafe trait ISieve: IUnknown {
///     fn CountPrimes(&self, #[idl(in)] lMax: u32, #[idl(out)] plResult: *mut u32) -> HRESULT;
/// }
/// ```
///
/// makes `ISieve`, as [`macro@interface`] does, and `AsyncISieve` with `Begin_CountPrimes(lMax)` and
/// `Finish_CountPrimes(plResult)`; proxies and stubs for both, which work over any `IRpcChannelBuffer`; and their
/// registration, for every process. Without `async_uuid` there is no twin.
///
/// Parameters say which way they go: `#[idl(in)]`, `#[idl(out)]`, `#[idl(in, out)]`, and more where their type does not
/// say enough:
///
/// | attribute | type | meaning |
/// | --- | --- | --- |
/// | - | a type that is `Ndr` | a value |
/// | - | `*const T`, `*mut T` | one value, never null |
/// | `unique` | `*const T` | one value or null, only on the way in |
/// | `size_is(n)`, `size_is(*n * 2)` | `*const T`, `*mut T` | that many values |
/// | `size_is(n), length_is(*m)` | `*mut T` | room for n values, of which m cross |
/// | `string` | `*const u16`, `*const u8`; back: `*mut *mut u16` | characters with a zero at the end |
/// | `iid_is(riid)`, `iid_is(IFoo::IID)` | `*mut c_void`; back: `*mut *mut c_void` | an interface pointer |
/// | `local` | `*mut c_void`, on the way in | stays at home: the proxy refuses an outer object, the server gets null |
/// | - | `Ref<'_, I>`; back: `OutRef<'_, I>`, `*mut Option<I>` | an interface pointer |
///
/// A method whose parameters cannot go over the wire as callers write them is `local`, and the method behind it, which has
/// no slot of its own, says what goes in its place:
///
/// ```text
///     #[idl(local)]
///     fn Next(&self, #[idl(in)] celt: u32, #[idl(out)] rgelt: *mut u32, #[idl(out)] pceltFetched: *mut u32) -> HRESULT;
///     #[idl(call_as(Next))]
///     fn RemoteNext(
///         &self,
///         #[idl(in)] celt: u32,
///         #[idl(out, size_is(celt), length_is(*pceltFetched))] rgelt: *mut u32,
///         #[idl(out)] pceltFetched: *mut u32,
///     ) -> HRESULT;
/// ```
///
/// Two functions beside the interface are then written by hand, under the names that IDL compilers give them:
/// `IEnum_Next_Proxy`, with the parameters of `Next`, which calls the generated `IEnum_RemoteNext_Proxy`; and
/// `IEnum_Next_Stub`, with those of `RemoteNext`, which calls `Next`. Both take `&IEnum` first. For a twin there are four:
/// `AsyncIEnum_Begin_Next_Proxy`, `AsyncIEnum_Finish_Next_Proxy` and the two `_Stub` (MIDL-13). A local method may return
/// something else than an HRESULT. With `call_as(OnSave), notification` the method is a notification of the old kind: between
/// STAs nobody waits for it, and nothing comes back (MSG-19). A method with `#[idl(input_sync)]` is an input-synchronous call:
/// it goes between STAs only, and its server calls nobody before it returns; `Begin_` of such a method is like any other.
///
/// Misuse is a compile error that says the rule.
#[proc_macro_attribute]
pub fn async_interface(attr: TokenStream, item: TokenStream) -> TokenStream {
    async_interface::expand(attr.into(), item.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Lets a structure or an enum be a parameter of a method that crosses apartments.
///
/// A structure is `#[repr(C)]`, and its fields can cross themselves. A field that is a pointer may be null; what it points
/// at crosses with the structure: one value, a string (`#[idl(string)]`), or as many values as another field says
/// (`#[idl(size_is(count))]`). What comes back behind a pointer is allocated with `CoTaskMemAlloc`.
///
/// An enum is `#[repr(u32)]` or `#[repr(i32)]`, has no fields, and has a variant with the value 0; other values than its
/// variants' are refused.
#[proc_macro_derive(Ndr, attributes(idl))]
pub fn derive_ndr(item: TokenStream) -> TokenStream {
    ndr::expand(item.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}

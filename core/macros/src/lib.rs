//! The macros of oleander. Each is documented where it is re-exported, in `oleander`.

use proc_macro::TokenStream;

mod interface;

/// Declares a COM interface: the pointer type, its vtable, and the trait `…_Impl` that objects implement.
///
/// `#[interface("iid")] unsafe trait IFoo: IUnknown { fn M(&self, x: u32) -> HRESULT; }` makes what windows-core's
/// macro of the same name makes, with one difference: a panic inside a method is caught in the vtable and becomes
/// `RPC_E_SERVERFAULT`.
#[proc_macro_attribute]
pub fn interface(attr: TokenStream, item: TokenStream) -> TokenStream {
    interface::expand(attr.into(), item.into())
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

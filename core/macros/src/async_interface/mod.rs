//! `#[async_interface]`: an interface with its proxy and stub, and its asynchronous twin with its own.
//!
//! | file | makes |
//! | --- | --- |
//! | `parse.rs` | the attribute's arguments; what each parameter is; the rules of IDL that can be broken |
//! | `size.rs` | the expressions of `size_is`, `length_is` and `iid_is` |
//! | `twin.rs` | the definition of the twin: `Begin_` and `Finish_` and who keeps what between them |
//! | `client.rs` | what proxies do |
//! | `server.rs` | what stubs do |

mod client;
mod parse;
mod server;
pub mod size;
mod twin;

use crate::interface::{self, InterfaceDef};
use parse::{Args, Method};
use proc_macro2::{Group, TokenStream, TokenTree};
use quote::{format_ident, quote, quote_spanned};
use syn::Result;
use syn::spanned::Spanned;

pub fn expand(attr: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let args: Args = syn::parse2(attr)?;
    let mut def: InterfaceDef = syn::parse2(item)?;
    let methods = parse::check(&mut def, args.async_uuid.is_some())?;
    let iid = interface::guid(&args.uuid)?;
    let sync = interface::emit(&def, &iid);
    let remote = remote(&def, &methods);
    let Some(async_uuid) = &args.async_uuid else {
        let stand_ins = stand_ins(&def);
        let info = info(&def, quote!(::core::option::Option::None), &TokenStream::new());
        return Ok(quote! { #sync #stand_ins #remote #info });
    };
    let async_iid = interface::guid(async_uuid)?;
    let twin_def = twin::definition(&def, &methods);
    let twin = interface::emit(&twin_def, &async_iid);
    let has_twin = has_twin(&def, &twin_def, &methods);
    let (entry, vtable) = twin_info(&def, &twin_def);
    let info = info(&def, entry, &vtable);
    Ok(quote! { #sync #twin #remote #has_twin #info })
}

/// Lints that generated code need not care about.
fn quiet() -> TokenStream {
    quote!(#[allow(
        non_snake_case, unused_unsafe, unused_variables, unused_mut, clippy::too_many_arguments, clippy::all
    )])
}

/// `impl Remote`: the vtable of the proxy, the stub's dispatch.
fn remote(def: &InterfaceDef, methods: &[Method]) -> TokenStream {
    let InterfaceDef { name, base, .. } = def;
    let vtbl = format_ident!("{name}_Vtbl");
    let count = methods.len() as u32;
    let thunks = methods.iter().enumerate().map(|(index, method)| client::sync_thunk(def, index as u32, method));
    let entries = methods.iter().map(Method::slot);
    let remotes = client::remotes(def, methods);
    let serve = server::serve(def, methods);
    let discard = server::discard(def, methods);
    let by_value = check_by_value(methods);
    let quiet = quiet();
    quote! {
        #remotes
        #quiet
        const _: () = {
            use ::oleander::__private as __o;
            const __BASE: u32 = <#base as __o::Remote>::SLOTS;
            #by_value
            // SAFETY: slots from the base's on are this interface's methods, in order.
            #[diagnostic::do_not_recommend]
            unsafe impl __o::Remote for #name {
                const SLOTS: u32 = __BASE + #count;
                const PROXY: #vtbl = {
                    #(#thunks)*
                    #vtbl { base__: <#base as __o::Remote>::PROXY, #(#entries),* }
                };
                #serve
                #discard
            }
        };
    }
}

/// `impl HasTwin`: the vtable of the twin's proxy, the stub's asynchronous dispatch.
fn has_twin(def: &InterfaceDef, twin_def: &InterfaceDef, methods: &[Method]) -> TokenStream {
    let InterfaceDef { name, base, .. } = def;
    let twin = &twin_def.name;
    let vtbl = format_ident!("{twin}_Vtbl");
    let plans: Vec<_> = methods.iter().map(twin::plan).collect();
    let thunks = methods
        .iter()
        .zip(&plans)
        .enumerate()
        .map(|(index, (method, plan))| client::async_thunks(twin_def, index as u32, method, plan));
    let remotes = client::async_remotes(def, twin_def, methods);
    let entries = twin_def.methods.iter().map(|method| &method.name);
    let begin = server::begin(twin_def, methods, &plans, def);
    let end = server::end(def, twin_def, methods, &plans);
    let quiet = quiet();
    // Everything that says the same of the base points at the base, so that rustc says it once.
    let base_proxy = quote_spanned!(base.span()=> <#base as ::oleander::__private::HasTwin>::TWIN_PROXY);
    quote! {
        #remotes
        #quiet
        const _: () = {
            use ::oleander::__private as __o;
            const __BASE: u32 = <#base as __o::Remote>::SLOTS;
            // SAFETY: the pairs of the slots from the base's on are this interface's methods, in order.
            #[diagnostic::do_not_recommend]
            unsafe impl __o::HasTwin for #name {
                type Twin = #twin;
                const TWIN_PROXY: #vtbl = {
                    #(#thunks)*
                    #vtbl { base__: #base_proxy, #(#entries),* }
                };
                #begin
                #end
            }
        };
    }
}

/// The entry of the twin in the information of its interface, and the static that it points at.
fn twin_info(def: &InterfaceDef, twin_def: &InterfaceDef) -> (TokenStream, TokenStream) {
    let InterfaceDef { name, .. } = def;
    let twin = &twin_def.name;
    let text = twin.to_string();
    let vtbl = format_ident!("{twin}_Vtbl");
    let entry = quote! {
        ::core::option::Option::Some(__o::AsyncInfo {
            name: #text,
            iid: <#twin as ::oleander::windows_core::Interface>::IID,
            proxy_vtbl: (&raw const __TWIN_PROXY).cast(),
            begin: <#name as __o::HasTwin>::begin,
            finish: <#name as __o::HasTwin>::finish,
        })
    };
    (entry, quote! { static __TWIN_PROXY: #vtbl = <#name as __o::HasTwin>::TWIN_PROXY; })
}

/// The static that describes the interface, and its registration.
fn info(def: &InterfaceDef, twin: TokenStream, more: &TokenStream) -> TokenStream {
    let name = &def.name;
    let text = name.to_string();
    let vtbl = format_ident!("{name}_Vtbl");
    quote! {
        const _: () = {
            use ::oleander::__private as __o;
            static __PROXY: #vtbl = <#name as __o::Remote>::PROXY;
            #more
            static __INFO: __o::InterfaceInfo = __o::InterfaceInfo {
                name: #text,
                iid: <#name as ::oleander::windows_core::Interface>::IID,
                methods: <#name as __o::Remote>::SLOTS,
                proxy_vtbl: (&raw const __PROXY).cast(),
                invoke: <#name as __o::Remote>::invoke,
                discard: <#name as __o::Remote>::discard,
                twin: #twin,
            };
            __o::inventory::submit! { __o::Registration(&__INFO) }
        };
    }
}

/// Names for a twin that is not there: an interface that derives from this one and has `async_uuid` then fails on the
/// bound of `HasTwin`, whose message says the rule, and not on a name that cannot be found. Aliases, so that the compiler
/// never shows them in the place of the real names.
fn stand_ins(def: &InterfaceDef) -> TokenStream {
    let InterfaceDef { vis, name, .. } = def;
    let (real_vtbl, real_impl) = (format_ident!("{name}_Vtbl"), format_ident!("{name}_Impl"));
    let twin = format_ident!("Async{name}");
    let (vtbl, impl_) = (format_ident!("{twin}_Vtbl"), format_ident!("{twin}_Impl"));
    quote! {
        #[doc(hidden)]
        #[allow(dead_code)]
        #vis type #twin = #name;
        #[doc(hidden)]
        #[allow(dead_code, non_camel_case_types)]
        #vis type #vtbl = #real_vtbl;
        #[doc(hidden)]
        #[allow(dead_code, non_camel_case_types)]
        #vis trait #impl_: #real_impl {}
        impl<T: #real_impl> #impl_ for T {}
    }
}

/// The type as what it is when it can be marshaled. Otherwise the error points at it, and nothing that uses it makes
/// another one.
fn marshaled(ty: &syn::Type) -> TokenStream {
    quote!(<#ty as __o::Ndr>::Itself)
}

/// Moves code to where a parameter's type stands, so that what rustc says of that type it says there, and once. Names
/// keep meaning what they meant.
fn at_type(tokens: TokenStream, param: &parse::Param) -> TokenStream {
    let span = place_of(&param.ty);
    let moved = tokens.into_iter().map(|token| match token {
        TokenTree::Group(group) => {
            let mut inner = Group::new(group.delimiter(), at_type(group.stream(), param));
            inner.set_span(group.span().located_at(span));
            TokenTree::Group(inner)
        }
        mut other => {
            other.set_span(other.span().located_at(span));
            other
        }
    });
    moved.collect()
}

/// Where a type stands: its name, not the star before it.
fn place_of(ty: &syn::Type) -> proc_macro2::Span {
    match ty {
        syn::Type::Ptr(pointer) => place_of(&pointer.elem),
        other => other.span(),
    }
}

/// Checks, in the place of their types, that the caller of a method can keep what it passes by value.
fn check_by_value(methods: &[Method]) -> TokenStream {
    let params = methods.iter().flat_map(|method| &method.params);
    let types = params.filter(|param| matches!(param.kind, parse::Kind::Value)).map(|param| {
        let ty = &param.ty;
        quote_spanned!(ty.span()=> const _: () = __o::check_by_value::<#ty>();)
    });
    quote! { #(#types)* }
}

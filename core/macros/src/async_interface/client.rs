//! What proxies do: a method makes lists of descriptors over its parameters and hands them to the runtime.

use super::parse::{Category, Direction, Kind, Method, Param};
use super::twin::{self, Keep};
use super::{at_type, marshaled};
use crate::interface::{self, InterfaceDef};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Ident, Path};

/// `(a, (b, (c, ())))`.
fn list(items: impl DoubleEndedIterator<Item = TokenStream>) -> TokenStream {
    items.rev().fold(quote!(()), |rest, item| quote!((#item, #rest)))
}

fn typed<'a>(params: impl Iterator<Item = &'a Param>) -> Vec<TokenStream> {
    params.map(|Param { name, ty, .. }| quote!(#name: #ty)).collect()
}

/// A function with the parameters of a method on the wire: in the place of a slot, or behind a method that is called as
/// another.
struct Thunk {
    name: Ident,
    params: Vec<TokenStream>,
    body: TokenStream,
}

/// The function of a synchronous method.
fn sync_body(index: u32, method: &Method) -> Thunk {
    let ins = ins(method);
    let outs = list(method.params.iter().filter(|param| param.comes_out()).map(|param| sync_out(param, method)));
    let refusals = method
        .params
        .iter()
        .filter(|param| matches!(param.kind, Kind::Local))
        .map(|Param { name, .. }| quote!(if !#name.is_null() { return unsafe { __o::refuse(#outs) }; }));
    let send = match method.category {
        Category::Synchronous => quote!(__o::call(__this, __BASE + #index, #ins, #outs)),
        Category::Notification => quote!(__o::notify(__this, __BASE + #index, #ins)),
        Category::InputSynchronous => quote!(__o::call_at_once(__this, __BASE + #index, #ins, #outs)),
    };
    Thunk {
        name: method.name.clone(),
        params: typed(method.params.iter()),
        body: quote! { #(#refusals)* unsafe { #send } },
    }
}

/// The functions of `Begin_` and `Finish_`.
fn async_bodies(index: u32, method: &Method, plan: &[Keep]) -> [Thunk; 2] {
    let ins = ins(method);
    let keep = keep(method, plan);
    let outs = method.params.iter().zip(plan).filter(|(param, _)| param.comes_out());
    let outs = list(outs.map(|(param, keep)| finish_out(param, *keep)).collect::<Vec<_>>().into_iter());
    let begin = Thunk {
        name: format_ident!("Begin_{}", method.name),
        params: typed(method.params.iter().filter(|param| param.goes_in())),
        body: quote! { unsafe { __o::begin(__this, __BASE + #index, #ins, |__kept| #keep) } },
    };
    let finish = Thunk {
        name: format_ident!("Finish_{}", method.name),
        params: typed(method.params.iter().filter(|param| param.comes_out())),
        body: quote! { unsafe { __o::finish(__this, __BASE + #index, |__kept| #outs) } },
    };
    [begin, finish]
}

impl Thunk {
    /// As it stands in the vtable.
    fn slot(&self) -> TokenStream {
        let Self { name, params, body } = self;
        quote! {
            unsafe extern "system" fn #name(
                __this: *mut ::core::ffi::c_void, #(#params),*
            ) -> ::oleander::windows_core::HRESULT { #body }
        }
    }

    /// As code that is written by hand calls it.
    fn remote(&self, interface: &Ident, base: &Path) -> TokenStream {
        let Self { name, params, body } = self;
        let function = format_ident!("{interface}_{name}_Proxy");
        let quiet = super::quiet();
        quote! {
            #quiet
            unsafe fn #function(__this: &#interface, #(#params),*) -> ::oleander::windows_core::HRESULT {
                use ::oleander::__private as __o;
                const __BASE: u32 = <#base as __o::Remote>::SLOTS;
                let __this = ::oleander::windows_core::Interface::as_raw(__this);
                #body
            }
        }
    }
}

/// The slot of a method that does not go over the wire itself: `Interface_Method_Proxy`, which is written by hand.
fn by_hand(interface: &Ident, method: &interface::Method) -> TokenStream {
    let interface::Method { name, params, output, .. } = method;
    let function = format_ident!("{interface}_{name}_Proxy");
    let typed = params.iter().map(|interface::Param { name, ty, .. }| quote!(#name: #ty));
    let names = params.iter().map(|param| &param.name);
    quote! {
        unsafe extern "system" fn #name(__this: *mut ::core::ffi::c_void, #(#typed),*) #output {
            ::oleander::object::guard::call(|| unsafe { #function(__o::borrow::<#interface>(&__this), #(#names),*) })
        }
    }
}

/// The slot of a synchronous method.
pub fn sync_thunk(def: &InterfaceDef, index: u32, method: &Method) -> TokenStream {
    match &method.local {
        Some(local) => by_hand(&def.name, &local.method),
        None => sync_body(index, method).slot(),
    }
}

/// The slots of `Begin_` and `Finish_`.
pub fn async_thunks(twin: &InterfaceDef, index: u32, method: &Method, plan: &[Keep]) -> TokenStream {
    let [begin, finish] = match &method.local {
        Some(local) => twin::local_halves(&local.method, &local.directions).map(|half| by_hand(&twin.name, &half)),
        None => async_bodies(index, method, plan).map(|thunk| thunk.slot()),
    };
    quote! { #begin #finish }
}

/// What hand-written code calls to send a method that is called as another.
pub fn remotes(def: &InterfaceDef, methods: &[Method]) -> TokenStream {
    let remotes = methods.iter().enumerate().filter(|(_, method)| method.local.is_some());
    let remotes = remotes.map(|(index, method)| sync_body(index as u32, method).remote(&def.name, &def.base));
    quote! { #(#remotes)* }
}

/// The same for the twin.
pub fn async_remotes(def: &InterfaceDef, twin: &InterfaceDef, methods: &[Method]) -> TokenStream {
    let remotes = methods.iter().enumerate().filter(|(_, method)| method.local.is_some());
    let remotes = remotes.flat_map(|(index, method)| {
        let bodies = async_bodies(index as u32, method, &twin::plan(method));
        bodies.map(|body| body.remote(&twin.name, &def.base))
    });
    quote! { #(#remotes)* }
}

/// Keeps what `Finish_` needs; an expression of type `Result`.
pub fn keep(method: &Method, plan: &[Keep]) -> TokenStream {
    let steps = method.params.iter().zip(plan).map(|(param, keep)| {
        let mut steps = TokenStream::new();
        if let Kind::Array { size, length, .. } = &param.kind {
            if keep.size.is_some() {
                let tokens = &size.tokens;
                steps.extend(quote!(__kept.push_count(#tokens)?;));
            }
            if let (Some(_), Some(length)) = (keep.length, length) {
                let tokens = &length.tokens;
                steps.extend(quote!(__kept.push_count(#tokens)?;));
            }
        }
        if let (Some(_), Kind::Interface(iid)) = (keep.iid, &param.kind) {
            let iid = iid.plain(&method.params);
            steps.extend(quote!(__kept.push_iid(#iid);));
        }
        steps
    });
    quote!({ unsafe { #(#steps)* } ::core::result::Result::Ok(()) })
}

/// What goes out.
fn ins(method: &Method) -> TokenStream {
    list(method.params.iter().filter(|param| param.goes_in()).map(|param| one_in(param, method)))
}

fn one_in(param: &Param, method: &Method) -> TokenStream {
    let name = &param.name;
    match &param.kind {
        Kind::Value => {
            let ty = marshaled(&param.ty);
            at_type(quote!(__o::In::<'_, #ty>::new(&#name)), param)
        }
        Kind::Ref(ty) => {
            let ty = marshaled(ty);
            at_type(quote!(__o::InRef::<#ty>::new(#name)), param)
        }
        Kind::Array { element, size, length, unique } => {
            let (element, size) = (marshaled(element), size.value());
            let length = match length {
                Some(length) => {
                    let length = length.value();
                    quote!(::core::option::Option::Some(|| unsafe { #length }))
                }
                None => quote!(::core::option::Option::None::<__o::NoLength>),
            };
            let new = at_type(quote!(__o::InArray::<#element, _, _>::new), param);
            quote!(#new(#name, #unique, || unsafe { #size }, #length))
        }
        Kind::InString { character, unique } => quote!(__o::InString::<#character>::new(#name, #unique)),
        Kind::OutString { character } => quote!(__o::InRef::<__o::Str<#character>>::new(#name.cast())),
        Kind::Interface(iid) => {
            let iid = iid.value(&method.params);
            let ty = format_ident!("{}", if param.comes_out() { "InInterfaceRef" } else { "InInterface" });
            quote!(__o::#ty::new(#name, || unsafe { #iid }))
        }
        Kind::Borrowed(interface) => quote!(__o::InInterface::new(
            unsafe { ::core::mem::transmute_copy(&#name) },
            || ::core::result::Result::Ok(<#interface as ::oleander::windows_core::Interface>::IID)
        )),
        Kind::Returned(_) | Kind::Local => unreachable!("not on the wire"),
    }
}

/// What comes back from a synchronous call.
fn sync_out(param: &Param, method: &Method) -> TokenStream {
    let name = &param.name;
    let both = param.direction == Direction::InOut;
    let pick = |out: &str, in_out: &str| format_ident!("{}", if both { in_out } else { out });
    match &param.kind {
        Kind::Array { element, size, length, .. } => {
            let ty = pick("OutArray", "InOutArray");
            let (element, size, varying) = (marshaled(element), size.value(), length.is_some());
            let new = at_type(quote!(__o::#ty::<#element, _>::new), param);
            quote!(#new(#name, || unsafe { #size }, #varying))
        }
        Kind::Interface(iid) => {
            let ty = pick("OutInterface", "InOutInterface");
            let iid = iid.value(&method.params);
            quote!(__o::#ty::new(#name, || unsafe { #iid }))
        }
        _ => one_out(param, &pick("Out", "InOut")),
    }
}

/// What comes back in `Finish_`: an [in, out] parameter is [out] there.
fn finish_out(param: &Param, keep: Keep) -> TokenStream {
    let name = &param.name;
    match &param.kind {
        Kind::Array { element, length, .. } => {
            let (element, at, varying) = (marshaled(element), keep.size.unwrap_or_default(), length.is_some());
            let new = at_type(quote!(__o::OutArray::<#element, _>::new), param);
            quote!({
                let __size = __kept.count(#at);
                #new(#name, move || __size, #varying)
            })
        }
        Kind::Interface(_) => {
            let at = keep.iid.unwrap_or_default();
            quote!({
                let __iid = __kept.iid(#at);
                __o::OutInterface::new(#name, move || __iid)
            })
        }
        _ => one_out(param, &format_ident!("Out")),
    }
}

fn one_out(param: &Param, descriptor: &proc_macro2::Ident) -> TokenStream {
    let name = &param.name;
    match &param.kind {
        Kind::Ref(ty) => {
            let ty = marshaled(ty);
            at_type(quote!(__o::#descriptor::<#ty>::new(#name)), param)
        }
        Kind::OutString { character } => quote!(__o::#descriptor::<__o::Str<#character>>::new(#name.cast())),
        Kind::Returned(interface) => quote!(__o::#descriptor::<::core::option::Option<#interface>>::new(
            unsafe { ::core::mem::transmute_copy(&#name) }
        )),
        _ => unreachable!("[out] parameters of other kinds are handled by the callers"),
    }
}

//! `#[interface]`: the pointer type, the vtable with guarded thunks, the `_Impl` trait.
//!
//! The output has the shape of windows-core's own `#[interface]`, so that its `#[implement]` works on our interfaces.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Error, FnArg, Ident, LitStr, Pat, Path, Result, ReturnType, Type, Visibility};

/// One parameter of a method, without `&self`.
pub struct Param {
    pub attrs: Vec<Attribute>,
    pub name: Ident,
    pub ty: Type,
}

/// One method of an interface, in vtable order.
pub struct Method {
    pub attrs: Vec<Attribute>,
    pub name: Ident,
    pub params: Vec<Param>,
    pub output: ReturnType,
}

/// A parsed interface: `unsafe trait Name: Base { methods }`.
pub struct InterfaceDef {
    pub attrs: Vec<Attribute>,
    pub vis: Visibility,
    pub name: Ident,
    pub base: Path,
    pub methods: Vec<Method>,
}

impl Parse for InterfaceDef {
    fn parse(input: ParseStream) -> Result<Self> {
        let item: syn::ItemTrait = input.parse()?;
        let mut bases = item.supertraits.iter();
        let base = match (bases.next(), bases.next()) {
            (Some(syn::TypeParamBound::Trait(bound)), None) => bound.path.clone(),
            _ => {
                return Err(Error::new(
                    item.ident.span(),
                    "a COM interface derives from exactly one interface: write `: IUnknown`",
                ));
            }
        };
        let methods = item.items.into_iter().map(method).collect::<Result<_>>()?;
        Ok(Self { attrs: item.attrs, vis: item.vis, name: item.ident, base, methods })
    }
}

fn method(item: syn::TraitItem) -> Result<Method> {
    let syn::TraitItem::Fn(function) = item else {
        return Err(Error::new_spanned(item, "a COM interface holds methods only"));
    };
    let sig = function.sig;
    let mut inputs = sig.inputs.into_iter();
    match inputs.next() {
        Some(FnArg::Receiver(receiver)) if receiver.mutability.is_none() && receiver.reference.is_some() => {}
        _ => return Err(Error::new_spanned(&sig.ident, "a COM method takes `&self` first")),
    }
    let params = inputs
        .map(|input| match input {
            FnArg::Typed(typed) => match *typed.pat {
                Pat::Ident(ident) => Ok(Param { attrs: typed.attrs, name: ident.ident, ty: *typed.ty }),
                other => Err(Error::new_spanned(other, "a parameter of a COM method is a plain name")),
            },
            FnArg::Receiver(receiver) => Err(Error::new_spanned(receiver, "`&self` comes first")),
        })
        .collect::<Result<_>>()?;
    Ok(Method { attrs: function.attrs, name: sig.ident, params, output: sig.output })
}

impl InterfaceDef {
    /// Whether the base is IUnknown itself.
    pub fn base_is_unknown(&self) -> bool {
        self.base.segments.last().is_some_and(|segment| segment.ident == "IUnknown")
    }

    /// The path of something that belongs to the base: `base_item("_Vtbl")`. It must be in scope where the base is.
    pub fn base_item(&self, suffix: &str) -> Path {
        if self.base_is_unknown() {
            let name = format_ident!("IUnknown{suffix}");
            return syn::parse_quote!(::oleander::windows_core::#name);
        }
        let mut path = self.base.clone();
        if let Some(last) = path.segments.last_mut() {
            last.ident = format_ident!("{}{}", last.ident, suffix);
        }
        path
    }
}

/// A GUID literal as an expression; the error points at the literal.
pub fn guid(literal: &LitStr) -> Result<TokenStream> {
    let text = literal.value();
    let parts: Vec<&str> = text.split('-').collect();
    let shape = [8, 4, 4, 4, 12];
    let good = parts.len() == 5
        && parts.iter().zip(shape).all(|(part, len)| part.len() == len && part.bytes().all(|b| b.is_ascii_hexdigit()));
    if !good {
        return Err(Error::new(literal.span(), "expected a uuid: \"xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx\""));
    }
    let value = u128::from_str_radix(&text.replace('-', ""), 16).expect("hex digits were checked");
    Ok(quote!(::oleander::windows_core::GUID::from_u128(#value)))
}

pub fn expand(attr: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let iid = guid(&syn::parse2::<LitStr>(attr)?)?;
    let definition: InterfaceDef = syn::parse2(item)?;
    Ok(emit(&definition, &iid))
}

/// Everything that one interface needs.
pub fn emit(def: &InterfaceDef, iid: &TokenStream) -> TokenStream {
    let pointer = emit_pointer(def, iid);
    let methods = emit_methods(def);
    let trait_ = emit_impl_trait(def);
    let vtable = emit_vtable(def);
    quote! { #pointer #methods #trait_ #vtable }
}

fn emit_pointer(def: &InterfaceDef, iid: &TokenStream) -> TokenStream {
    let InterfaceDef { attrs, vis, name, base, .. } = def;
    let vtbl = format_ident!("{name}_Vtbl");
    let text = name.to_string();
    quote! {
        #(#attrs)*
        #[repr(transparent)]
        #vis struct #name(#base);
        // SAFETY: the type is a transparent interface pointer and the vtable below is laid out in declaration order.
        unsafe impl ::oleander::windows_core::Interface for #name {
            type Vtable = #vtbl;
            const IID: ::oleander::windows_core::GUID = #iid;
        }
        impl ::oleander::windows_core::RuntimeName for #name {}
        impl ::core::ops::Deref for #name {
            type Target = #base;
            fn deref(&self) -> &Self::Target { &self.0 }
        }
        impl ::core::convert::From<#name> for ::oleander::windows_core::IUnknown {
            fn from(value: #name) -> Self { value.0.into() }
        }
        impl ::core::convert::From<&#name> for ::oleander::windows_core::IUnknown {
            fn from(value: &#name) -> Self { ::core::clone::Clone::clone(value).into() }
        }
        impl ::core::clone::Clone for #name {
            fn clone(&self) -> Self { Self(self.0.clone()) }
        }
        impl ::core::cmp::PartialEq for #name {
            fn eq(&self, other: &Self) -> bool { self.0 == other.0 }
        }
        impl ::core::cmp::Eq for #name {}
        impl ::core::fmt::Debug for #name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.debug_tuple(#text).field(&::oleander::windows_core::Interface::as_raw(self)).finish()
            }
        }
    }
}

/// The parameters as `name: type` and as names alone.
fn params(method: &Method) -> (Vec<TokenStream>, Vec<&Ident>) {
    let typed = method.params.iter().map(|Param { name, ty, .. }| quote!(#name: #ty)).collect();
    (typed, method.params.iter().map(|param| &param.name).collect())
}

/// The attributes of a method that are not ours (docs, lints).
fn plain_attrs(method: &Method) -> impl Iterator<Item = &Attribute> {
    method.attrs.iter().filter(|attr| !attr.path().is_ident("idl"))
}

/// A line of documentation for a method that has none.
fn method_doc(def: &InterfaceDef, method: &Method) -> TokenStream {
    if method.attrs.iter().any(|attr| attr.path().is_ident("doc")) {
        return TokenStream::new();
    }
    let line = format!("`{}::{}`.", def.name, method.name);
    quote!(#[doc = #line])
}

fn emit_methods(def: &InterfaceDef) -> TokenStream {
    let name = &def.name;
    let methods = def.methods.iter().map(|method| {
        let Method { name, output, .. } = method;
        let attrs = plain_attrs(method);
        let doc = method_doc(def, method);
        let (typed, names) = params(method);
        quote! {
            #(#attrs)*
            #doc
            ///
            /// # Safety
            /// The rules of COM hold: the pointer is used in its own apartment, and every pointer argument is valid
            /// for what the method does with it.
            #[inline(always)]
            #[allow(clippy::too_many_arguments)]
            pub unsafe fn #name(&self, #(#typed),*) #output {
                // SAFETY: the vtable belongs to this interface; the caller answers for the arguments.
                unsafe {
                    (::oleander::windows_core::Interface::vtable(self).#name)(
                        ::oleander::windows_core::Interface::as_raw(self), #(#names),*
                    )
                }
            }
        }
    });
    quote! {
        #[allow(non_snake_case)]
        impl #name { #(#methods)* }
    }
}

fn emit_impl_trait(def: &InterfaceDef) -> TokenStream {
    let InterfaceDef { vis, name, .. } = def;
    let trait_name = format_ident!("{name}_Impl");
    let bound = if def.base_is_unknown() {
        quote!(::oleander::windows_core::IUnknownImpl)
    } else {
        let base = def.base_item("_Impl");
        quote!(#base)
    };
    let methods = def.methods.iter().map(|method| {
        let Method { name, output, .. } = method;
        let attrs = plain_attrs(method);
        let doc = method_doc(def, method);
        let (typed, _) = params(method);
        quote! {
            #(#attrs)*
            #doc
            ///
            /// # Safety
            /// Called through the vtable only: the caller vouches for every pointer argument.
            #[allow(clippy::too_many_arguments)]
            unsafe fn #name(&self, #(#typed),*) #output;
        }
    });
    let doc = format!("What an object implements to offer `{name}`.");
    quote! {
        #[doc = #doc]
        #[allow(non_camel_case_types, non_snake_case)]
        #vis trait #trait_name: Sized + #bound { #(#methods)* }
    }
}

fn emit_vtable(def: &InterfaceDef) -> TokenStream {
    let InterfaceDef { vis, name, .. } = def;
    let vtbl = format_ident!("{name}_Vtbl");
    let trait_name = format_ident!("{name}_Impl");
    let base_vtbl = def.base_item("_Vtbl");
    let fields = def.methods.iter().map(|method| {
        let Method { name, output, .. } = method;
        let (typed, _) = params(method);
        quote!(pub #name: unsafe extern "system" fn(__this: *mut ::core::ffi::c_void, #(#typed),*) #output)
    });
    let thunks = def.methods.iter().map(|method| {
        let Method { name, output, .. } = method;
        let (typed, names) = params(method);
        quote! {
            unsafe extern "system" fn #name<Identity, const OFFSET: isize>(
                __this: *mut ::core::ffi::c_void, #(#typed),*
            ) #output
            where Identity: ::oleander::windows_core::IUnknownImpl + #trait_name
            {
                // SAFETY: COM's rule for `__this`: it points at the slot that this vtable was put in, and OFFSET
                // pointers from there the object begins. The object lives while its caller holds a reference.
                let __object = unsafe { &*__this.cast::<*const ()>().offset(OFFSET).cast::<Identity>() };
                ::oleander::object::guard::call(|| {
                    // SAFETY: the caller vouches for the arguments, as COM asks.
                    unsafe { <Identity as #trait_name>::#name(__object, #(#names),*) }
                })
            }
        }
    });
    let entries = def.methods.iter().map(|method| {
        let name = &method.name;
        quote!(#name: #name::<Identity, OFFSET>)
    });
    let or_base = (!def.base_is_unknown()).then(|| quote!(|| <#base_vtbl>::matches(iid)));
    quote! {
        #[repr(C)]
        #[doc(hidden)]
        #[allow(non_snake_case, missing_docs, non_camel_case_types, clippy::type_complexity)]
        #vis struct #vtbl {
            pub base__: #base_vtbl,
            #(#fields),*
        }
        #[allow(missing_docs)]
        impl #vtbl {
            #[allow(non_snake_case, clippy::too_many_arguments)]
            pub const fn new<Identity, const OFFSET: isize>() -> Self
            where Identity: ::oleander::windows_core::IUnknownImpl + #trait_name
            {
                #(#thunks)*
                Self { base__: <#base_vtbl>::new::<Identity, OFFSET>(), #(#entries),* }
            }
            #[inline(always)]
            pub fn matches(iid: &::oleander::windows_core::GUID) -> bool {
                *iid == <#name as ::oleander::windows_core::Interface>::IID #or_base
            }
        }
    }
}

//! What stubs do: read the parameters, call the method, write the reply.

use super::client;
use super::parse::{Kind, Method, Param};
use super::twin::Keep;
use super::{at_type, marshaled};
use crate::interface::InterfaceDef;
use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::Ident;
use syn::spanned::Spanned;

fn place(param: &Param) -> Ident {
    format_ident!("__place_{}", param.name)
}

/// The stub's memory for a parameter.
fn new(param: &Param) -> TokenStream {
    let place = place(param);
    let ty = match &param.kind {
        Kind::Value => {
            let ty = marshaled(&param.ty);
            quote!(__o::Value::<#ty>)
        }
        Kind::Ref(ty) => {
            let ty = marshaled(ty);
            quote!(__o::Value::<#ty>)
        }
        Kind::Array { element, .. } => {
            let element = marshaled(element);
            quote!(__o::Array::<#element>)
        }
        Kind::InString { character, .. } => quote!(__o::StubString::<#character>),
        Kind::OutString { character } => quote!(__o::Value::<__o::Str<#character>>),
        Kind::Interface(_) | Kind::Borrowed(_) => quote!(__o::InterfacePointer),
        Kind::Returned(interface) => quote!(__o::Value::<::core::option::Option<#interface>>),
        Kind::Local => return TokenStream::new(),
    };
    at_type(quote!(let mut #place = #ty::new();), param)
}

/// Reads a parameter from a request.
fn read(param: &Param) -> TokenStream {
    let place = place(param);
    let tokens = match &param.kind {
        Kind::Array { length, unique, .. } => {
            let (varying, borrow) = (length.is_some(), !param.comes_out());
            quote!(#place.read(#unique, #varying, #borrow, &mut __reader)?;)
        }
        Kind::InString { unique, .. } => quote!(#place.read(#unique, &mut __reader)?;),
        _ => quote!(#place.read(&mut __reader)?;),
    };
    at_type(tokens, param)
}

/// Gives the argument its parameter's name.
fn bind(param: &Param) -> TokenStream {
    let (place, Param { name, ty, .. }) = (place(param), param);
    let value = match &param.kind {
        Kind::Value => quote!(#place.value()),
        Kind::OutString { .. } => quote!(#place.pointer().cast()),
        Kind::Interface(_) if !param.comes_out() => quote!(#place.value().cast()),
        Kind::Interface(_) => quote!(#place.pointer().cast()),
        Kind::Borrowed(_) => quote!(::core::mem::transmute_copy(&#place.value())),
        Kind::Returned(_) => quote!(::core::mem::transmute_copy(&#place.pointer())),
        Kind::Ref(_) | Kind::Array { .. } | Kind::InString { .. } => quote!(#place.pointer()),
        Kind::Local => quote!(::core::ptr::null_mut::<::core::ffi::c_void>().cast()),
    };
    at_type(quote!(let #name: #ty = #value;), param)
}

/// Makes room for an array, checks the size of one, makes an interface pointer of what was read.
fn resolve(param: &Param, params: &[Param]) -> TokenStream {
    let place = place(param);
    match &param.kind {
        Kind::Array { size, .. } => {
            let size = size.value();
            if param.goes_in() { quote!(#place.check(#size)?;) } else { quote!(#place.allocate(#size)?;) }
        }
        Kind::Interface(iid) => {
            let iid = iid.value(params);
            quote!(#place.resolve(#iid)?;)
        }
        Kind::Borrowed(interface) => quote!(#place.resolve(
            ::core::result::Result::Ok(<#interface as ::oleander::windows_core::Interface>::IID)
        )?;),
        _ => TokenStream::new(),
    }
}

/// Whether the argument itself depends on `resolve`.
fn binds_late(param: &Param) -> bool {
    match &param.kind {
        Kind::Array { .. } => !param.goes_in(),
        Kind::Interface(_) | Kind::Borrowed(_) => true,
        _ => false,
    }
}

/// Reads all that goes in and binds the names of `params`.
fn decode<'a>(params: impl Iterator<Item = &'a Param> + Clone, all: &[Param]) -> TokenStream {
    let new_ = params.clone().map(new);
    let reads = params.clone().filter(|param| param.goes_in()).map(read);
    let early = params.clone().filter(|param| !binds_late(param)).map(bind);
    let resolve = params.clone().map(|param| resolve(param, all));
    let late = params.filter(|param| binds_late(param)).map(bind);
    quote! {
        let mut __reader = __o::reader(__message)?;
        #(#new_)*
        #(#reads)*
        __reader.finish()?;
        #(#early)*
        #(#resolve)*
        #(#late)*
    }
}

/// The lengths of what comes out, and the closure that writes it.
fn encode<'a>(params: impl Iterator<Item = (&'a Param, Keep)>) -> (TokenStream, TokenStream) {
    let (mut lengths, mut writes) = (TokenStream::new(), TokenStream::new());
    for (param, keep) in params {
        let place = place(param);
        let Kind::Array { length, .. } = &param.kind else {
            writes.extend(at_type(quote!(#place.write(__w)?;), param));
            continue;
        };
        let Some(length) = length else {
            writes.extend(at_type(quote!(#place.write(::core::option::Option::None, __w)?;), param));
            continue;
        };
        let value = match keep.length {
            Some(at) => quote!(__kept.count(#at)),
            None => length.value(),
        };
        let local = format_ident!("__length_{}", param.name);
        lengths.extend(quote!(let #local = #value;));
        writes.extend(at_type(quote!(#place.write(::core::option::Option::Some(#local), __w)?;), param));
    }
    (lengths, quote!(|__w| { #writes ::core::result::Result::Ok(()) }))
}

/// Chooses among the methods of this interface or hands over to the base; `arms` are expressions of type `Result`.
fn dispatch(arms: &[TokenStream], base: &TokenStream, value: &TokenStream) -> TokenStream {
    let index = 0..arms.len() as u32;
    quote! {
        if __message.iMethod < __BASE {
            return unsafe { #base };
        }
        let __result: __o::Result<_> = unsafe {
            match __message.iMethod - __BASE {
                #(#index => #arms,)*
                _ => ::core::result::Result::Err(__o::RPC_E_INVALIDMETHOD),
            }
        };
        match __result {
            #value
            ::core::result::Result::Err(hr) => hr,
        }
    }
}

fn ok() -> TokenStream {
    quote!(::core::result::Result::Ok(()) => ::oleander::windows_core::HRESULT(0),)
}

/// The call on the server's object: of its slot, or of `Interface_Method_Stub`, which is written by hand.
fn call<'a>(
    def: &InterfaceDef,
    method: &Method,
    half: &str,
    object: &TokenStream,
    args: impl Iterator<Item = &'a Ident>,
) -> TokenStream {
    let (interface, slot) = (&def.name, format_ident!("{half}{}", method.slot()));
    if method.local.is_some() {
        let function = format_ident!("{interface}_{slot}_Stub");
        return quote!(#function(__o::borrow::<#interface>(&#object), #(#args),*));
    }
    let vtbl = format_ident!("{interface}_Vtbl");
    quote!(((**#object.cast::<*const #vtbl>()).#slot)(#object, #(#args),*))
}

/// `Remote::serve`.
pub fn serve(def: &InterfaceDef, methods: &[Method]) -> TokenStream {
    let base = &def.base;
    let functions = methods.iter().map(|method| {
        let name = &method.name;
        let decode = decode(method.params.iter(), &method.params);
        let args = method.params.iter().map(|param| &param.name);
        let call = call(def, method, "", &quote!(__server), args);
        let outs = method.params.iter().filter(|param| param.comes_out());
        let (lengths, write) = encode(outs.map(|param| (param, Keep::default())));
        quote! {
            unsafe fn #name(
                __iid: &::oleander::windows_core::GUID,
                __server: *mut ::core::ffi::c_void,
                __message: &mut __o::RPCOLEMESSAGE,
                __channel: *mut ::core::ffi::c_void,
            ) -> __o::Result {
                unsafe {
                    #decode
                    let __hr = #call;
                    #lengths
                    __o::reply(__message, __channel, __iid, __hr, #write)
                }
            }
        }
    });
    let arms: Vec<_> =
        methods.iter().map(|Method { name, .. }| quote!(#name(__iid, __server, __message, __channel))).collect();
    let dispatch =
        dispatch(&arms, &quote!(<#base as __o::Remote>::serve(__iid, __server, __message, __channel)), &ok());
    quote! {
        unsafe fn serve(
            __iid: &::oleander::windows_core::GUID,
            __server: *mut ::core::ffi::c_void,
            __message: &mut __o::RPCOLEMESSAGE,
            __channel: *mut ::core::ffi::c_void,
        ) -> ::oleander::windows_core::HRESULT {
            #(#functions)*
            #dispatch
        }
    }
}

/// `HasTwin::begin`.
pub fn begin(twin: &InterfaceDef, methods: &[Method], plans: &[Vec<Keep>], def: &InterfaceDef) -> TokenStream {
    let functions = methods.iter().zip(plans).map(|(method, plan)| {
        let name = &method.name;
        let ins = method.params.iter().filter(|param| param.goes_in());
        let decode = decode(ins.clone(), &method.params);
        let keep = client::keep(method, plan);
        let call = call(twin, method, "Begin_", &quote!(__call), ins.map(|param| &param.name));
        quote! {
            unsafe fn #name(
                __call: *mut ::core::ffi::c_void,
                __message: &__o::RPCOLEMESSAGE,
                __kept: &mut __o::Kept,
            ) -> __o::Result<::oleander::windows_core::HRESULT> {
                unsafe {
                    #decode
                    let __done: __o::Result = (|| #keep)();
                    __done?;
                    ::core::result::Result::Ok(#call)
                }
            }
        }
    });
    let arms: Vec<_> = methods.iter().map(|Method { name, .. }| quote!(#name(__call, __message, __kept))).collect();
    let base = base_call(def, &quote!(begin(__call, __message, __kept)));
    let dispatch = dispatch(&arms, &base, &quote!(::core::result::Result::Ok(hr) => hr,));
    quote! {
        unsafe fn begin(
            __call: *mut ::core::ffi::c_void,
            __message: &__o::RPCOLEMESSAGE,
            __kept: &mut __o::Kept,
        ) -> ::oleander::windows_core::HRESULT {
            #(#functions)*
            __kept.clear();
            #dispatch
        }
    }
}

/// `<Base as HasTwin>::function`, in the place of the base.
fn base_call(def: &InterfaceDef, function: &TokenStream) -> TokenStream {
    let base = &def.base;
    let path = quote_spanned!(base.span()=> <#base as ::oleander::__private::HasTwin>);
    quote!(#path::#function)
}

/// `HasTwin::end`.
pub fn end(def: &InterfaceDef, twin: &InterfaceDef, methods: &[Method], plans: &[Vec<Keep>]) -> TokenStream {
    let functions = methods.iter().zip(plans).map(|(method, plan)| {
        let name = &method.name;
        let outs = method.params.iter().zip(plan.iter().copied()).filter(|(param, _)| param.comes_out());
        let rooms = outs.clone().map(|(param, keep)| room(param, keep));
        let call = call(twin, method, "Finish_", &quote!(__call), outs.clone().map(|(param, _)| &param.name));
        let (lengths, write) = encode(outs.clone());
        quote! {
            unsafe fn #name(
                __iid: &::oleander::windows_core::GUID,
                __call: *mut ::core::ffi::c_void,
                __message: &mut __o::RPCOLEMESSAGE,
                __channel: *mut ::core::ffi::c_void,
                __kept: &__o::Kept,
            ) -> __o::Result {
                unsafe {
                    #(#rooms)*
                    let __hr = #call;
                    #lengths
                    __o::reply(__message, __channel, __iid, __hr, #write)
                }
            }
        }
    });
    let arms: Vec<_> =
        methods.iter().map(|Method { name, .. }| quote!(#name(__iid, __call, __message, __channel, __kept))).collect();
    let base = base_call(def, &quote!(end(__iid, __call, __message, __channel, __kept)));
    let dispatch = dispatch(&arms, &base, &ok());
    quote! {
        unsafe fn end(
            __iid: &::oleander::windows_core::GUID,
            __call: *mut ::core::ffi::c_void,
            __message: &mut __o::RPCOLEMESSAGE,
            __channel: *mut ::core::ffi::c_void,
            __kept: &__o::Kept,
        ) -> ::oleander::windows_core::HRESULT {
            #(#functions)*
            #dispatch
        }
    }
}

/// Memory for an [out] parameter of `Finish_`, bound to its name.
fn room(param: &Param, keep: Keep) -> TokenStream {
    let (new, place, bind) = (new(param), place(param), bind(param));
    let prepare = match (keep.size, keep.iid) {
        (Some(at), _) => quote!(#place.allocate(__kept.count(#at))?;),
        (_, Some(at)) => quote!(#place.resolve(__kept.iid(#at))?;),
        _ => TokenStream::new(),
    };
    quote!(#new #prepare #bind)
}

/// `Remote::discard`.
pub fn discard(def: &InterfaceDef, methods: &[Method]) -> TokenStream {
    let base = &def.base;
    let one = |method: &Method, takes: fn(&Param) -> bool| {
        let steps = method.params.iter().filter(|param| takes(param)).map(|param| {
            let (new, read) = (new(param), read(param));
            quote!({ #new #read })
        });
        quote!({ #(#steps)* })
    };
    let index: Vec<_> = (0..methods.len() as u32).collect();
    let requests = methods.iter().map(|method| one(method, Param::goes_in));
    let replies = methods.iter().map(|method| one(method, Param::comes_out));
    quote! {
        unsafe fn discard(__message: &__o::RPCOLEMESSAGE, __direction: __o::Direction) {
            if __message.iMethod < __BASE {
                return unsafe { <#base as __o::Remote>::discard(__message, __direction) };
            }
            let __read = |mut __reader: __o::Reader<'_>| -> __o::Result {
                match (__direction, __message.iMethod - __BASE) {
                    #((__o::Direction::Request, #index) => #requests,)*
                    #((__o::Direction::Reply, #index) => #replies,)*
                    _ => {}
                }
                ::core::result::Result::Ok(())
            };
            // What is malformed holds nothing that could be given back.
            let _ = __read(unsafe { __o::discarding(__message) });
        }
    }
}

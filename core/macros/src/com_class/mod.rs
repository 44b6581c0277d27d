//! `#[com_class]`: the object type around a struct, with the vtables of the interfaces that it lists.
//!
//! The layout and all that needs care is in `oleander::object::class`; what is emitted here only says which vtable lies
//! in which slot and which fields hold inner objects.

mod options;

use options::{Auto, Options};
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Error, Ident, ItemStruct, Path, Result};

/// Where errors point to `span`, and names are those of the rest of what is emitted: also where a `macro_rules!` macro has
/// written the attribute, and what stands in its parentheses comes from somewhere else.
fn at(span: Span) -> Span {
    span.resolved_at(Span::call_site())
}

/// The class: the struct, its object type, its options.
struct ClassDef {
    item: ItemStruct,
    object: Ident,
    options: Options,
}

/// The class, or the error beside the struct as it was, so that its other uses make no errors of their own.
pub fn expand(attr: TokenStream, item: TokenStream) -> TokenStream {
    try_expand(attr, item.clone()).unwrap_or_else(|error| {
        let error = error.into_compile_error();
        quote!(#error #item)
    })
}

fn try_expand(attr: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let options: Options = syn::parse2(attr)?;
    if options.interfaces.is_empty() {
        return Err(Error::new(Span::call_site(), "a COM class lists at least one interface: `#[com_class(ISieve)]`"));
    }
    let item: ItemStruct =
        syn::parse2(item).map_err(|error| Error::new(error.span(), "`#[com_class]` goes on a struct"))?;
    if !item.generics.params.is_empty() {
        return Err(Error::new_spanned(&item.generics, "a COM class has no type parameters and no lifetimes"));
    }
    let members = options.blind.iter().chain(&options.inner).chain(options.autos.iter().map(|auto| &auto.field));
    for member in members {
        if !item.fields.members().any(|field| field == *member) {
            let text = quote!(#member).to_string();
            return Err(Error::new_spanned(member, format!("`{}` has no field `{text}`", item.ident)));
        }
    }
    let object = format_ident!("{}_Impl", item.ident);
    Ok(ClassDef { item, object, options }.emit())
}

impl ClassDef {
    fn emit(&self) -> TokenStream {
        let item = &self.item;
        let object = self.emit_object();
        let class = self.emit_class();
        let unknown = self.emit_unknown();
        let interfaces = self.emit_interfaces();
        let methods = self.emit_methods();
        quote! { #item #object #class #unknown #interfaces #methods }
    }

    /// The interfaces with their slot numbers, slot fields and vtable constants.
    fn slots(&self) -> impl Iterator<Item = (usize, &Path, Ident, Ident)> {
        self.options.interfaces.iter().enumerate().map(|(index, path)| {
            let slot = index + 1;
            (slot, path, format_ident!("slot{slot}"), format_ident!("__SLOT{slot}"))
        })
    }

    fn emit_object(&self) -> TokenStream {
        let Self { item, object, .. } = self;
        let (vis, value) = (&item.vis, &item.ident);
        let doc = format!("The COM object around a [`{value}`].");
        let fields = self
            .slots()
            .map(|(_, path, field, _)| quote!(#field: &'static <#path as ::oleander::windows_core::Interface>::Vtable));
        let vtables = self.slots().map(|(slot, path, _, vtable)| {
            let offset = -(slot as isize);
            quote_spanned! { path.span() =>
                const #vtable: <#path as ::oleander::windows_core::Interface>::Vtable =
                    <<#path as ::oleander::windows_core::Interface>::Vtable>::new::<Self, #offset>();
            }
        });
        let marshaler = self.options.agile.map(|_| quote!(marshaler: ::oleander::object::AutoInner,));
        let accessors = self.emit_accessors();
        quote! {
            #[doc = #doc]
            #[repr(C)]
            #[allow(non_camel_case_types)]
            #vis struct #object {
                identity: &'static ::oleander::windows_core::IUnknown_Vtbl,
                #(#fields,)*
                header: ::oleander::object::class::Header,
                #marshaler
                value: ::core::mem::ManuallyDrop<#value>,
            }
            impl #object {
                const __IDENTITY: ::oleander::windows_core::IUnknown_Vtbl =
                    ::oleander::object::class::own_vtable::<#object>();
                #(#vtables)*
                #accessors
            }
            impl ::core::ops::Deref for #object {
                type Target = #value;
                #[inline(always)]
                fn deref(&self) -> &#value { &self.value }
            }
        }
    }

    fn emit_class(&self) -> TokenStream {
        let Self { item, object, options } = self;
        let value = &item.ident;
        let agile = options.agile.is_some();
        let slots = self.slots().map(|(_, _, field, vtable)| quote!(#field: &Self::#vtable));
        let finds = self.slots().map(|(slot, path, ..)| {
            quote_spanned! { at(path.span()) =>
                if <<#path as ::oleander::windows_core::Interface>::Vtable>::matches(iid) {
                    return ::core::option::Option::Some(#slot);
                }
            }
        });
        let marshaler = options.agile.map(|_| quote!(marshaler: ::oleander::object::AutoInner::new(),));
        let check = options
            .agile
            .map(|span| quote_spanned!(span => const _: () = ::oleander::object::class::assert_agile::<#value>();));
        let inners = self.emit_inners();
        let words = self.slots().map(|(slot, path, ..)| {
            let name = path.segments.last().map(|segment| segment.ident.to_string());
            quote_spanned!(path.span() => ::oleander::object::Word::new::<#path>(#slot, #name))
        });
        let guard = options.guard.iter().map(|method| {
            quote_spanned! { method.span() =>
                fn guard(&self, iid: &::oleander::windows_core::GUID) -> ::oleander::windows_core::HRESULT {
                    self.#method(iid)
                }
            }
        });
        let first = options.first.iter().map(|method| {
            quote_spanned! { method.span() =>
                unsafe fn query_first(
                    &self,
                    iid: &::oleander::windows_core::GUID,
                    ppv: *mut *mut ::core::ffi::c_void,
                ) -> ::core::option::Option<::oleander::windows_core::HRESULT> {
                    unsafe { self.#method(iid, ppv) }
                }
            }
        });
        quote! {
            #check
            // SAFETY: laid out as the trait asks.
            unsafe impl ::oleander::object::class::Class for #object {
                const AGILE: bool = #agile;
                const WORDS: &'static [::oleander::object::Word] = &[
                    ::oleander::object::Word::new::<::oleander::windows_core::IUnknown>(0, "IUnknown"),
                    #(#words,)*
                ];
                unsafe fn header(this: *const Self) -> *const ::oleander::object::class::Header {
                    unsafe { &raw const (*this).header }
                }
                unsafe fn value(this: *mut Self) -> *mut ::core::mem::ManuallyDrop<#value> {
                    unsafe { &raw mut (*this).value }
                }
                unsafe fn place(this: *mut Self, header: ::oleander::object::class::Header, value: #value) {
                    unsafe {
                        this.write(Self {
                            identity: &Self::__IDENTITY,
                            #(#slots,)*
                            header,
                            #marshaler
                            value: ::core::mem::ManuallyDrop::new(value),
                        });
                    }
                }
                fn slot_of(iid: &::oleander::windows_core::GUID) -> ::core::option::Option<usize> {
                    #(#finds)*
                    ::core::option::Option::None
                }
                #(#guard)*
                #(#first)*
                #inners
            }
        }
    }

    /// One accessor for each field that holds an inner object: the place where a field of another type is an error.
    fn emit_accessors(&self) -> TokenStream {
        let autos = self.options.autos.iter().enumerate().map(|(index, Auto { field, .. })| {
            let get = format_ident!("__auto{index}");
            quote_spanned!(field.span() => fn #get(&self) -> &::oleander::object::AutoInner { &self.value.#field })
        });
        let blind = self.options.blind.iter().map(|field| {
            quote_spanned!(field.span() => fn __blind(&self) -> &::oleander::object::Inner { &self.value.#field })
        });
        let inner = self.options.inner.iter().map(|field| {
            quote_spanned!(field.span() => fn __inner(&self) -> &::oleander::object::Inner { &self.value.#field })
        });
        quote!(#(#autos)* #(#blind)* #(#inner)*)
    }

    /// The functions about inner objects: the free-threaded marshaler, `auto`, `blind` and `inner`.
    fn emit_inners(&self) -> TokenStream {
        let Options { agile, blind, inner, autos, fallback, .. } = &self.options;
        if agile.is_none() && blind.is_none() && inner.is_none() && autos.is_empty() && fallback.is_none() {
            return TokenStream::new();
        }
        let outer = quote!(::oleander::windows_core::Interface::as_raw(&*::oleander::object::class::controlling(self)));
        let marshal = agile.map(|_| {
            quote! {
                if *iid == <::oleander::abi::interfaces::IMarshal as ::oleander::windows_core::Interface>::IID
                    || *iid == <::oleander::abi::interfaces::IMarshal2 as ::oleander::windows_core::Interface>::IID
                {
                    return unsafe {
                        ::oleander::object::class::query_marshaler(&self.marshaler, #outer, iid, ppv)
                    };
                }
            }
        });
        let queries = autos.iter().enumerate().map(|(index, Auto { interface, clsid, .. })| {
            let get = format_ident!("__auto{index}");
            quote! {
                if *iid == <#interface as ::oleander::windows_core::Interface>::IID {
                    return unsafe { self.#get().query_raw(#outer, &#clsid, iid, ppv) };
                }
            }
        });
        let last = match (blind, fallback) {
            (Some(_), _) => quote!(unsafe { self.__blind().query_raw(iid, ppv) }),
            (None, Some(method)) => quote_spanned!(at(method.span()) => unsafe { self.#method(iid, ppv) }),
            (None, None) => quote!(::oleander::abi::hresult::E_NOINTERFACE),
        };
        // In the order in which they end: the blind one, which may use the others, first.
        let all: Vec<TokenStream> = blind
            .iter()
            .map(|_| quote!(self.__blind()))
            .chain(inner.iter().map(|_| quote!(self.__inner())))
            .chain((0..autos.len()).map(|index| format_ident!("__auto{index}")).map(|get| quote!(self.#get())))
            .chain(agile.map(|_| quote!(self.marshaler)))
            .collect();
        quote! {
            unsafe fn query_inners(
                &self,
                iid: &::oleander::windows_core::GUID,
                ppv: *mut *mut ::core::ffi::c_void,
            ) -> ::oleander::windows_core::HRESULT {
                #marshal
                #(#queries)*
                #last
            }
            fn release_inners(&self) {
                #(#all.release();)*
            }
            fn has_inners(&self) -> bool {
                false #(|| #all.is_set())*
            }
        }
    }

    fn emit_unknown(&self) -> TokenStream {
        let Self { item, object, .. } = self;
        let value = &item.ident;
        quote! {
            impl ::oleander::windows_core::IUnknownImpl for #object {
                type Impl = #value;
                #[inline(always)]
                fn get_impl(&self) -> &#value { &self.value }
                #[inline(always)]
                fn get_impl_mut(&mut self) -> &mut #value { &mut self.value }
                #[inline(always)]
                fn into_inner(self) -> #value { ::core::mem::ManuallyDrop::into_inner(self.value) }
                unsafe fn QueryInterface(
                    &self,
                    iid: *const ::oleander::windows_core::GUID,
                    interface: *mut *mut ::core::ffi::c_void,
                ) -> ::oleander::windows_core::HRESULT {
                    unsafe { ::oleander::object::class::query(self, iid, interface) }
                }
                #[inline(always)]
                fn AddRef(&self) -> u32 { ::oleander::object::class::add_ref(self) }
                #[inline(always)]
                unsafe fn Release(self_: *mut Self) -> u32 {
                    unsafe { ::oleander::object::class::release(self_) }
                }
                fn is_reference_count_one(&self) -> bool { ::oleander::object::class::is_sole(self) }
                unsafe fn GetTrustLevel(&self, _value: *mut i32) -> ::oleander::windows_core::HRESULT {
                    ::oleander::abi::hresult::E_NOTIMPL
                }
                fn to_object(&self) -> ::oleander::windows_core::ComObject<#value> {
                    ::oleander::object::class::to_object(self)
                }
            }
            impl ::oleander::windows_core::ComObjectInner for #value {
                type Outer = #object;
                fn into_object(self) -> ::oleander::windows_core::ComObject<Self> {
                    unsafe {
                        ::oleander::windows_core::ComObject::from_raw(
                            ::oleander::object::class::allocate::<#object>(self, ::core::ptr::null_mut())
                        )
                    }
                }
            }
        }
    }

    fn emit_interfaces(&self) -> TokenStream {
        let Self { item, object, .. } = self;
        let value = &item.ident;
        let listed = self.slots().map(|(slot, path, ..)| {
            quote! {
                impl ::oleander::windows_core::ComObjectInterface<#path> for #object {
                    #[inline(always)]
                    fn as_interface_ref(&self) -> ::oleander::windows_core::InterfaceRef<'_, #path> {
                        unsafe { ::oleander::object::class::slot(self, #slot) }
                    }
                }
                impl ::core::convert::From<#value> for #path {
                    fn from(value: #value) -> Self {
                        ::oleander::windows_core::ComObject::new(value).into_interface()
                    }
                }
                impl ::oleander::windows_core::AsImpl<#value> for #path {
                    unsafe fn as_impl_ptr(&self) -> ::core::ptr::NonNull<#value> {
                        unsafe {
                            ::oleander::object::class::value_at::<#object>(
                                ::oleander::windows_core::Interface::as_raw(self), #slot
                            )
                        }
                    }
                }
            }
        });
        quote! {
            impl ::oleander::windows_core::ComObjectInterface<::oleander::windows_core::IUnknown> for #object {
                #[inline(always)]
                fn as_interface_ref(
                    &self,
                ) -> ::oleander::windows_core::InterfaceRef<'_, ::oleander::windows_core::IUnknown> {
                    ::oleander::object::class::controlling(self)
                }
            }
            impl ::core::convert::From<#value> for ::oleander::windows_core::IUnknown {
                fn from(value: #value) -> Self {
                    ::oleander::windows_core::ComObject::new(value).into_interface()
                }
            }
            #(#listed)*
        }
    }

    /// What methods of the class may call on `&Foo_Impl`.
    fn emit_methods(&self) -> TokenStream {
        let Self { object, .. } = self;
        quote! {
            #[allow(dead_code)]
            impl #object {
                /// The controlling unknown: the outer object's where there is one, else the object's own.
                pub fn controlling_unknown(&self) -> ::oleander::windows_core::IUnknown {
                    ::oleander::object::class::controlling(self).to_owned()
                }
                /// Asks the controlling unknown for an interface.
                pub fn query<I: ::oleander::windows_core::Interface>(&self) -> ::oleander::windows_core::Result<I> {
                    ::oleander::windows_core::Interface::cast(&*::oleander::object::class::controlling(self))
                }
                /// Whether an outer object controls this one.
                pub fn is_aggregated(&self) -> bool {
                    ::oleander::object::class::is_aggregated(self)
                }
                /// Makes an inner object for a field of this one; `create` gets the controlling unknown, the id of
                /// IUnknown, and where to put the inner object's non-delegating IUnknown.
                ///
                /// # Safety
                /// The field belongs to this object. `create` aggregates what it makes under the controlling unknown,
                /// and that may be called on every thread on which this object is.
                pub unsafe fn aggregate(
                    &self,
                    inner: &::oleander::object::Inner,
                    create: impl ::core::ops::FnOnce(
                        *mut ::core::ffi::c_void,
                        *const ::oleander::windows_core::GUID,
                        *mut *mut ::core::ffi::c_void,
                    ) -> ::oleander::windows_core::HRESULT,
                ) -> ::oleander::windows_core::Result<()> {
                    unsafe { inner.aggregate_under(self, create) }
                }
            }
        }
    }
}

//! `#[derive(Ndr)]`: structures and enums that can be parameters.

use crate::async_interface::size::SizeExpr;
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{
    Data, DataEnum, DataStruct, DeriveInput, Error, Expr, Field, Fields, Ident, Index, Lit, Member, Result, Type,
};

pub fn expand(item: TokenStream) -> Result<TokenStream> {
    let input: DeriveInput = syn::parse2(item)?;
    if !input.generics.params.is_empty() {
        return Err(Error::new_spanned(&input.generics, "what crosses has one layout: no generics"));
    }
    match &input.data {
        Data::Struct(data) => structure(&input, data),
        Data::Enum(data) => enumeration(&input, data),
        Data::Union(data) => {
            Err(Error::new(data.union_token.span, "a union does not say which of its fields is there: use a structure"))
        }
    }
}

/// Whether `#[repr(word)]` is there; `packed` is refused.
fn has_repr(input: &DeriveInput, words: &[&str]) -> Result<bool> {
    let mut found = false;
    for attr in input.attrs.iter().filter(|attr| attr.path().is_ident("repr")) {
        attr.parse_nested_meta(|meta| {
            if meta.path.is_ident("packed") || meta.path.is_ident("align") {
                return Err(meta.error("NDR knows natural alignment only"));
            }
            found |= words.iter().any(|word| meta.path.is_ident(word));
            Ok(())
        })?;
    }
    Ok(found)
}

/// What a field is on the wire.
enum Wire {
    /// Its type says it.
    Plain,
    /// A pointer to a string of these characters.
    String(Type),
    /// A pointer to as many values as other fields say.
    Array(Type, SizeExpr),
}

struct Part<'a> {
    member: Member,
    ty: &'a Type,
    wire: Wire,
}

fn structure(input: &DeriveInput, data: &DataStruct) -> Result<TokenStream> {
    let name = &input.ident;
    if !has_repr(input, &["C", "transparent"])? {
        return Err(Error::new(name.span(), "what crosses needs a layout of its own: add `#[repr(C)]`"));
    }
    if data.fields.is_empty() {
        return Err(Error::new(name.span(), "there is nothing to marshal: a structure on the wire has fields"));
    }
    let fields = data.fields.iter().enumerate();
    let parts = fields.map(|(index, field)| part(index, field, &data.fields)).collect::<Result<Vec<_>>>()?;
    let wire_types: Vec<_> = parts.iter().map(Part::wire_type).collect();
    let stored: Vec<_> = parts.iter().map(Part::stored).collect();
    let (write, write_tail) = (steps(&parts, Part::write), steps(&parts, Part::write_tail));
    let (read, read_tail) = (steps(&parts, Part::read), steps(&parts, Part::read_tail));
    let free = steps(&parts, Part::free);
    Ok(quote! {
        #[allow(clippy::all, unused_unsafe, unused_variables)]
        const _: () = {
            use ::oleander::__private as __o;
            const fn __max(a: u32, b: u32) -> u32 { if a > b { a } else { b } }
            // SAFETY: every field keeps the contract, and the layout is C's. Plain: all fields are, none lies elsewhere in
            // memory than in the buffer, and there is no gap.
            unsafe impl __o::Ndr for #name {
                type Itself = Self;
                const ALIGN: u32 = { let all = 1; #(let all = __max(all, #wire_types::ALIGN);)* all };
                const SIZE_MIN: u32 = 0 #(+ #wire_types::SIZE_MIN)*;
                const PLAIN: bool = true
                    #(&& #wire_types::PLAIN && ::core::mem::align_of::<#stored>() == #wire_types::ALIGN as usize)*
                    && ::core::mem::size_of::<Self>() == 0 #(+ ::core::mem::size_of::<#stored>())*;
                unsafe fn write(__this: *const Self, __w: &mut __o::Writer<'_>) -> __o::Result {
                    __w.align(<Self as __o::Ndr>::ALIGN)?;
                    unsafe { #write }
                    ::core::result::Result::Ok(())
                }
                unsafe fn write_tail(__this: *const Self, __w: &mut __o::Writer<'_>) -> __o::Result {
                    unsafe { #write_tail }
                    ::core::result::Result::Ok(())
                }
                unsafe fn read(__this: *mut Self, __r: &mut __o::Reader<'_>) -> __o::Result {
                    __r.align(<Self as __o::Ndr>::ALIGN)?;
                    unsafe { #read }
                    ::core::result::Result::Ok(())
                }
                unsafe fn read_tail(__this: *mut Self, __r: &mut __o::Reader<'_>) -> __o::Result {
                    unsafe { #read_tail }
                    ::core::result::Result::Ok(())
                }
                unsafe fn free(__this: *mut Self) {
                    unsafe { #free }
                }
            }
        };
    })
}

fn steps<'a>(parts: &[Part<'a>], step: impl Fn(&Part<'a>) -> TokenStream) -> TokenStream {
    parts.iter().map(step).collect()
}

fn part<'a>(index: usize, field: &'a Field, all: &Fields) -> Result<Part<'a>> {
    let member = match &field.ident {
        Some(ident) => Member::Named(ident.clone()),
        None => Member::Unnamed(Index::from(index)),
    };
    let mut wire = Wire::Plain;
    for attr in field.attrs.iter().filter(|attr| attr.path().is_ident("idl")) {
        attr.parse_nested_meta(|meta| {
            let target = match &field.ty {
                Type::Ptr(pointer) => &*pointer.elem,
                other => return Err(Error::new_spanned(other, "`#[idl(…)]` goes with a field that is a pointer")),
            };
            if meta.path.is_ident("string") {
                let character =
                    matches!(target, Type::Path(path) if path.path.is_ident("u16") || path.path.is_ident("u8"));
                if !character {
                    return Err(Error::new_spanned(target, "a string is made of `u16` or `u8`"));
                }
                wire = Wire::String(target.clone());
                return Ok(());
            }
            if meta.path.is_ident("size_is") {
                let content;
                syn::parenthesized!(content in meta.input);
                let size = SizeExpr::new(content.parse::<Expr>()?)?;
                check_size(&size, all)?;
                wire = Wire::Array(target.clone(), size);
                return Ok(());
            }
            Err(meta.error("expected `string` or `size_is(…)`"))
        })?;
    }
    Ok(Part { member, ty: &field.ty, wire })
}

fn check_size(size: &SizeExpr, all: &Fields) -> Result<()> {
    for name in &size.names {
        if name.deref {
            return Err(Error::new(name.ident.span(), "a size in a structure is a field itself, not behind a pointer"));
        }
        if !all.iter().any(|field| field.ident.as_ref() == Some(&name.ident)) {
            let message = format!("`size_is` names `{}`, which is no field of this structure", name.ident);
            return Err(Error::new(name.ident.span(), message));
        }
    }
    Ok(())
}

impl Part<'_> {
    /// The type that says how the field lies in the buffer, as large in memory as the field.
    fn stored(&self) -> TokenStream {
        let ty = self.ty;
        match &self.wire {
            Wire::Plain => quote!(#ty),
            Wire::String(character) => quote!(__o::Str<#character>),
            Wire::Array(..) => quote!(*mut u8),
        }
    }

    /// `<Type as Ndr>`, in the place of the field's type.
    fn wire_type(&self) -> TokenStream {
        let stored = self.stored();
        quote_spanned!(self.ty.span()=> <#stored as __o::Ndr>)
    }

    /// The field's place, as `stored` says.
    fn place(&self, pointer: &TokenStream) -> TokenStream {
        let member = &self.member;
        match &self.wire {
            Wire::Plain => quote!(&raw #pointer (*__this).#member),
            _ => quote!((&raw #pointer (*__this).#member).cast()),
        }
    }

    /// The number of elements as a `Result`, from the other fields.
    fn size(&self, size: &SizeExpr) -> TokenStream {
        let names: Vec<&Ident> = size.names.iter().map(|name| &name.ident).collect();
        let value = size.value();
        quote!({ #(let #names = (*__this).#names;)* #value })
    }

    fn write(&self) -> TokenStream {
        let (wire, place) = (self.wire_type(), self.place(&quote!(const)));
        match &self.wire {
            Wire::Array(..) => {
                let member = &self.member;
                quote!(__w.referent((*__this).#member.is_null())?;)
            }
            _ => quote!(#wire::write(#place, __w)?;),
        }
    }

    fn write_tail(&self) -> TokenStream {
        let (wire, place, member) = (self.wire_type(), self.place(&quote!(const)), &self.member);
        match &self.wire {
            Wire::Array(element, size) => {
                let size = self.size(size);
                quote!(__o::sized::write_tail::<#element>((*__this).#member, #size, __w)?;)
            }
            _ => quote!(#wire::write_tail(#place, __w)?;),
        }
    }

    fn read(&self) -> TokenStream {
        let (wire, place) = (self.wire_type(), self.place(&quote!(mut)));
        quote!(#wire::read(#place, __r)?;)
    }

    fn read_tail(&self) -> TokenStream {
        let (wire, place) = (self.wire_type(), self.place(&quote!(mut)));
        match &self.wire {
            Wire::Array(element, size) => {
                let size = self.size(size);
                quote!(__o::sized::read_tail::<#element>(#place, #size, __r)?;)
            }
            _ => quote!(#wire::read_tail(#place, __r)?;),
        }
    }

    fn free(&self) -> TokenStream {
        let (wire, place, member) = (self.wire_type(), self.place(&quote!(mut)), &self.member);
        match &self.wire {
            Wire::Array(element, size) => {
                let size = self.size(size);
                quote!(__o::sized::free::<#element>((*__this).#member as *mut #element, #size);)
            }
            _ => quote!(#wire::free(#place);),
        }
    }
}

fn enumeration(input: &DeriveInput, data: &DataEnum) -> Result<TokenStream> {
    let name = &input.ident;
    if !has_repr(input, &["u32", "i32"])? {
        return Err(Error::new(name.span(), "an enum crosses as 32 bits: add `#[repr(u32)]` or `#[repr(i32)]`"));
    }
    if let Some(variant) = data.variants.iter().find(|variant| !matches!(variant.fields, Fields::Unit)) {
        return Err(Error::new_spanned(
            &variant.fields,
            "an enum on the wire is a number: its variants have no fields",
        ));
    }
    if surely_without_zero(data) {
        return Err(Error::new(name.span(), ZERO_RULE));
    }
    let variants: Vec<_> = data.variants.iter().map(|variant| &variant.ident).collect();
    Ok(quote! {
        #[allow(clippy::all)]
        const _: () = {
            use ::oleander::__private as __o;
            const _: () = assert!(false #(|| #name::#variants as u32 == 0)*, #ZERO_RULE);
            // SAFETY: 32 bits, of which only the variants' values are taken; zero is one of them.
            unsafe impl __o::Ndr for #name {
                type Itself = Self;
                const ALIGN: u32 = 4;
                const SIZE_MIN: u32 = 4;
                unsafe fn write(__this: *const Self, __w: &mut __o::Writer<'_>) -> __o::Result {
                    __w.word(unsafe { *__this.cast::<u32>() })
                }
                unsafe fn read(__this: *mut Self, __r: &mut __o::Reader<'_>) -> __o::Result {
                    let value = __r.word()?;
                    if !(false #(|| value == #name::#variants as u32)*) {
                        return ::core::result::Result::Err(__o::BAD);
                    }
                    unsafe { __this.cast::<u32>().write(value) };
                    ::core::result::Result::Ok(())
                }
            }
        };
    })
}

const ZERO_RULE: &str = "a failed call leaves its outputs zero: give the enum a variant with the value 0";

/// Whether all values are plain to see and none is 0. What is computed is checked by the compiler.
fn surely_without_zero(data: &DataEnum) -> bool {
    let mut next: i64 = 0;
    for variant in &data.variants {
        match &variant.discriminant {
            None => {}
            Some((_, Expr::Lit(literal))) => match &literal.lit {
                Lit::Int(int) if int.base10_parse::<i64>().is_ok() => next = int.base10_parse().unwrap_or_default(),
                _ => return false,
            },
            // A negative number, or an expression: the compiler looks at it, and counts on from there.
            Some(_) => return false,
        }
        if next == 0 {
            return false;
        }
        next += 1;
    }
    true
}

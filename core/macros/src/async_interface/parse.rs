//! The attribute's arguments, what each parameter is, and the rules of IDL that can be broken.
//!
//! Every error points at the token that breaks the rule.

use super::size::{self, IidExpr, SizeExpr};
use crate::interface::{self, InterfaceDef};
use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{Attribute, Error, Expr, GenericArgument, Ident, LitStr, PathArguments, Result, ReturnType, Token, Type};

/// `uuid = "…", async_uuid = "…"`.
pub struct Args {
    pub uuid: LitStr,
    pub async_uuid: Option<LitStr>,
}

impl Parse for Args {
    fn parse(input: ParseStream) -> Result<Self> {
        let (mut uuid, mut async_uuid) = (None, None);
        while !input.is_empty() {
            let name: Ident = input.parse()?;
            let place = match name.to_string().as_str() {
                "uuid" => &mut uuid,
                "async_uuid" => &mut async_uuid,
                _ => return Err(Error::new(name.span(), "expected `uuid = \"…\"` or `async_uuid = \"…\"`")),
            };
            input.parse::<Token![=]>()?;
            let value: LitStr = input.parse()?;
            interface::guid(&value)?;
            if place.replace(value).is_some() {
                return Err(Error::new(name.span(), format!("`{name}` is given twice")));
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        let uuid = uuid.ok_or_else(|| input.error("an interface needs its id: `uuid = \"…\"`"))?;
        if let Some(other) = &async_uuid
            && other.value().eq_ignore_ascii_case(&uuid.value())
        {
            return Err(Error::new(
                other.span(),
                "the two interfaces need two ids: `async_uuid` equals `uuid` (MIDL2270)",
            ));
        }
        Ok(Self { uuid, async_uuid })
    }
}

/// Which way a parameter goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    In,
    Out,
    InOut,
}

impl Direction {
    pub fn is_in(self) -> bool {
        self != Self::Out
    }
    pub fn is_out(self) -> bool {
        self != Self::In
    }
}

/// What a parameter is on the wire.
pub enum Kind {
    /// A value; a `unique` pointer too.
    Value,
    /// A pointer to one value of this type.
    Ref(Type),
    /// A pointer to several values of this type.
    Array { element: Type, size: SizeExpr, length: Option<SizeExpr>, unique: bool },
    /// An [in] pointer to a string of these characters.
    InString { character: Type, unique: bool },
    /// A pointer to a pointer to a string.
    OutString { character: Type },
    /// A raw interface pointer, or a pointer to one.
    Interface(IidExpr),
    /// `Ref<'_, I>`.
    Borrowed(Type),
    /// `OutRef<'_, I>`.
    Returned(Type),
    /// A pointer that stays at home: the proxy refuses one that is not null, the server gets null.
    Local,
}

/// One parameter.
pub struct Param {
    pub name: Ident,
    pub ty: Type,
    pub direction: Direction,
    pub kind: Kind,
    /// A pointer that may be null.
    pub unique: bool,
}

/// The categories of calls of old (MSG-19).
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Category {
    Synchronous,
    /// Nobody waits for it, where its caller and its server have message queues.
    Notification,
    /// Sent as messages are sent.
    InputSynchronous,
}

/// One method as it goes over the wire.
pub struct Method {
    pub name: Ident,
    pub params: Vec<Param>,
    /// How it is sent.
    pub category: Category,
    /// The method of the vtable that this one is called as, where they differ (MIDL-13).
    pub local: Option<Local>,
}

impl Method {
    /// The name in the vtable.
    pub fn slot(&self) -> &Ident {
        self.local.as_ref().map_or(&self.name, |local| &local.method.name)
    }
}

/// A method that callers and servers see and that does not go over the wire itself.
pub struct Local {
    pub method: interface::Method,
    /// Which way its parameters go: the twin asks.
    pub directions: Vec<Direction>,
}

/// What a method is.
enum Role {
    /// It goes over the wire as it is.
    Plain,
    /// `#[idl(local)]`.
    Local,
    /// `#[idl(input_sync)]`: as [`Role::Plain`], at once.
    InputSync,
    /// `#[idl(call_as(Local))]`, and what is behind it.
    CallAs(Ident, Category),
}

/// What `#[idl(…)]` says, before it is checked.
#[derive(Default)]
struct Idl {
    is_in: bool,
    is_out: bool,
    string: Option<Span>,
    unique: Option<Span>,
    local: Option<Span>,
    size_is: Option<(Span, Expr)>,
    length_is: Option<(Span, Expr)>,
    iid_is: Option<(Span, Expr)>,
}

impl Idl {
    fn read(attrs: &[Attribute]) -> Result<Self> {
        let mut idl = Self::default();
        for attr in attrs {
            if !attr.path().is_ident("idl") {
                return Err(Error::new_spanned(attr, "a parameter takes `#[idl(…)]` only"));
            }
            attr.parse_args_with(|input: ParseStream| idl.read_list(input))?;
        }
        Ok(idl)
    }

    fn read_list(&mut self, input: ParseStream) -> Result<()> {
        while !input.is_empty() {
            let word = Ident::parse_any(input)?;
            let span = word.span();
            let argument = |input: ParseStream| -> Result<(Span, Expr)> {
                let content;
                syn::parenthesized!(content in input);
                Ok((span, content.parse()?))
            };
            match word.to_string().as_str() {
                "in" => self.is_in = true,
                "out" => self.is_out = true,
                "string" => self.string = Some(span),
                "unique" => self.unique = Some(span),
                "local" => self.local = Some(span),
                "size_is" => self.size_is = Some(argument(input)?),
                "length_is" => self.length_is = Some(argument(input)?),
                "iid_is" => self.iid_is = Some(argument(input)?),
                _ => {
                    return Err(Error::new(
                        span,
                        "expected `in`, `out`, `size_is(…)`, `length_is(…)`, `iid_is(…)`, `string`, `unique` or `local`",
                    ));
                }
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(())
    }
}

/// Checks the whole interface against the rules; takes the methods out of it that have no slot, and says what the
/// parameters of each method are on the wire.
pub fn check(def: &mut InterfaceDef, has_twin: bool) -> Result<Vec<Method>> {
    if let Some(last) = def.base.segments.last()
        && last.ident == "IDispatch"
    {
        return Err(Error::new(
            def.base.span(),
            "IDispatch and what derives from it cannot have proxies of this kind, nor asynchronous calls (MIDL-10): \
             derive from IUnknown",
        ));
    }
    let mut methods = Vec::new();
    let mut items = std::mem::take(&mut def.methods).into_iter();
    while let Some(item) = items.next() {
        methods.push(match role(&item)? {
            Role::Plain => check_method(&item, has_twin)?,
            Role::InputSync => Method { category: Category::InputSynchronous, ..check_method(&item, has_twin)? },
            Role::Local => remote_of(&item, items.next(), has_twin)?,
            Role::CallAs(local, _) => {
                let message = format!("the method that is called as `{local}` comes right behind `{local}`");
                return Err(Error::new(item.name.span(), message));
            }
        });
        def.methods.push(item);
    }
    Ok(methods)
}

fn role(method: &interface::Method) -> Result<Role> {
    const RULE: &str = "`#[idl(…)]` belongs to parameters; a method takes `local`, `input_sync`, `call_as(…)` or `call_as(…), notification` only";
    let mut role = Role::Plain;
    for attr in &method.attrs {
        if attr.path().is_ident("async_uuid") || attr.path().is_ident("uuid") {
            return Err(Error::new_spanned(attr, "an id belongs to the interface, not to a method (ID-17)"));
        }
        if !attr.path().is_ident("idl") {
            continue;
        }
        role = attr.parse_args_with(|input: ParseStream| {
            let word = Ident::parse_any(input)?;
            match word.to_string().as_str() {
                "local" => Ok(Role::Local),
                "input_sync" => Ok(Role::InputSync),
                "call_as" => {
                    let content;
                    syn::parenthesized!(content in input);
                    let local = content.parse()?;
                    if input.parse::<Option<Token![,]>>()?.is_none() {
                        return Ok(Role::CallAs(local, Category::Synchronous));
                    }
                    match Ident::parse_any(input)?.to_string().as_str() {
                        "notification" => Ok(Role::CallAs(local, Category::Notification)),
                        _ => Err(Error::new_spanned(attr, RULE)),
                    }
                }
                _ => Err(Error::new_spanned(attr, RULE)),
            }
        })?;
    }
    Ok(role)
}

/// The method that a local one goes over the wire as: the one behind it.
fn remote_of(item: &interface::Method, next: Option<interface::Method>, has_twin: bool) -> Result<Method> {
    let alone = || {
        let message =
            format!("`{0}` is local: write behind it what goes over the wire, `#[idl(call_as({0}))]`", item.name);
        Error::new(item.name.span(), message)
    };
    let next = next.ok_or_else(alone)?;
    let category = match role(&next)? {
        Role::CallAs(local, category) if local == item.name => category,
        _ => return Err(alone()),
    };
    let directions =
        item.params.iter().map(|param| direction(param, &Idl::read(&param.attrs)?)).collect::<Result<_>>()?;
    let method = interface::Method {
        attrs: Vec::new(),
        name: item.name.clone(),
        params: Vec::new(),
        output: item.output.clone(),
    };
    let params = item.params.iter().map(|param| interface::Param {
        attrs: Vec::new(),
        name: param.name.clone(),
        ty: param.ty.clone(),
    });
    let local = Local { method: interface::Method { params: params.collect(), ..method }, directions };
    let remote = check_method(&next, has_twin)?;
    if let Some(param) = remote.params.iter().find(|param| category == Category::Notification && param.comes_out()) {
        return Err(Error::new(param.name.span(), "nothing comes back from a notification"));
    }
    Ok(Method { local: Some(local), category, ..remote })
}

fn check_method(method: &interface::Method, has_twin: bool) -> Result<Method> {
    check_output(method)?;
    let params = method.params.iter().map(|param| check_param(param, &method.name)).collect::<Result<Vec<_>>>()?;
    if let Some(param) = params.iter().find(|param| has_twin && matches!(param.kind, Kind::Local)) {
        let message = "`local` is for synchronous interfaces: `Begin_` has no place for it";
        return Err(Error::new(param.name.span(), message));
    }
    size::check(&params, has_twin)?;
    Ok(Method { name: method.name.clone(), params, category: Category::Synchronous, local: None })
}

fn check_output(method: &interface::Method) -> Result<()> {
    const RULE: &str = "a method that crosses apartments returns HRESULT (MIDL2269)";
    match &method.output {
        ReturnType::Default => Err(Error::new(method.name.span(), RULE)),
        ReturnType::Type(_, ty) if last_segment(ty).is_some_and(|segment| segment.ident == "HRESULT") => Ok(()),
        ReturnType::Type(_, ty) => Err(Error::new_spanned(ty, RULE)),
    }
}

fn direction(param: &interface::Param, idl: &Idl) -> Result<Direction> {
    match (idl.is_in, idl.is_out) {
        (true, false) => Ok(Direction::In),
        (false, true) => Ok(Direction::Out),
        (true, true) => Ok(Direction::InOut),
        (false, false) => Err(Error::new(
            param.name.span(),
            format!("which way does `{}` go? Write `#[idl(in)]`, `#[idl(out)]` or `#[idl(in, out)]`", param.name),
        )),
    }
}

fn check_param(param: &interface::Param, method: &Ident) -> Result<Param> {
    let idl = Idl::read(&param.attrs)?;
    let direction = direction(param, &idl)?;
    if direction.is_out() {
        check_out(param, method, &idl)?;
    }
    let unique = idl.unique.is_some();
    let kind = match idl.local {
        Some(span) => local_kind(param, direction, &idl, span)?,
        None => kind(param, direction, idl)?,
    };
    Ok(Param { name: param.name.clone(), ty: param.ty.clone(), direction, kind, unique })
}

/// What comes back comes back through a pointer that is not null.
fn check_out(param: &interface::Param, method: &Ident, idl: &Idl) -> Result<()> {
    if let Some(span) = idl.unique {
        return Err(Error::new(span, "`unique` goes with [in]: a pointer for what comes back is never null"));
    }
    let message = match &param.ty {
        Type::Ptr(pointer) if pointer.mutability.is_some() => return Ok(()),
        Type::Ptr(_) => "is a pointer to something constant: write `*mut`",
        ty if is_generic(ty, "OutRef") => return Ok(()),
        _ => "is not a pointer",
    };
    Err(Error::new_spanned(&param.ty, format!("the [out] parameter `{}` of `{method}` {message} (ID-20)", param.name)))
}

fn kind(param: &interface::Param, direction: Direction, idl: Idl) -> Result<Kind> {
    let ty = &param.ty;
    if let Some((span, _)) = &idl.length_is
        && idl.size_is.is_none()
    {
        return Err(Error::new(*span, "`length_is` says how much of an array is filled: give its `size_is` too"));
    }
    match (idl.size_is, idl.iid_is, idl.string) {
        (Some((span, size)), None, None) => {
            let element = pointee(ty).ok_or_else(|| Error::new(span, "`size_is` goes with a pointer"))?;
            let length = idl.length_is.map(|(_, length)| SizeExpr::new(length)).transpose()?;
            let unique = idl.unique.is_some();
            Ok(Kind::Array { element: element.clone(), size: SizeExpr::new(size)?, length, unique })
        }
        (None, Some((span, iid)), None) => interface_kind(ty, direction, span, iid),
        (None, None, Some(span)) => string_kind(ty, direction, span, idl.unique.is_some()),
        (None, None, None) => plain_kind(ty, direction, idl.unique),
        (_, _, Some(span)) => Err(Error::new(span, "`string` goes alone: the zero at the end says the size")),
        (_, Some((span, _)), _) => Err(Error::new(span, "`iid_is` goes with a single interface pointer")),
    }
}

/// An outer object is one of the same apartment: it never goes anywhere.
fn local_kind(param: &interface::Param, direction: Direction, idl: &Idl, span: Span) -> Result<Kind> {
    let alone = idl.unique.is_none() && idl.string.is_none();
    let alone = alone && idl.size_is.is_none() && idl.length_is.is_none() && idl.iid_is.is_none();
    if direction == Direction::In && alone && pointee(&param.ty).is_some() {
        return Ok(Kind::Local);
    }
    Err(Error::new(span, "`local` goes with an [in] pointer, alone: write `#[idl(in, local)]`"))
}

fn interface_kind(ty: &Type, direction: Direction, span: Span, iid: Expr) -> Result<Kind> {
    let pointer = if direction.is_out() { pointee(ty) } else { Some(ty) };
    if pointer.and_then(pointee).is_some_and(is_void) {
        return Ok(Kind::Interface(IidExpr::new(iid)?));
    }
    let expected = if direction.is_out() { "*mut *mut c_void" } else { "*mut c_void" };
    Err(Error::new(span, format!("`iid_is` goes with a raw interface pointer, `{expected}`")))
}

fn string_kind(ty: &Type, direction: Direction, span: Span, unique: bool) -> Result<Kind> {
    let outer = pointee(ty);
    let character = |ty: Option<&Type>| ty.filter(|ty| is_named(ty, "u16") || is_named(ty, "u8")).cloned();
    if direction.is_out() {
        return character(outer.and_then(pointee)).map(|character| Kind::OutString { character }).ok_or_else(|| {
            Error::new(span, "a string that comes back is `*mut *mut u16` or `*mut *mut u8`, from CoTaskMemAlloc")
        });
    }
    character(outer)
        .map(|character| Kind::InString { character, unique })
        .ok_or_else(|| Error::new(span, "a string is `*const u16` or `*const u8`"))
}

fn plain_kind(ty: &Type, direction: Direction, unique: Option<Span>) -> Result<Kind> {
    if let Type::Reference(reference) = ty {
        return Err(Error::new_spanned(reference, "COM knows pointers only: write `*const T`, or `Ref<'_, I>`"));
    }
    if is_generic(ty, "Option") {
        return Err(Error::new_spanned(ty, "an interface pointer that is passed in is borrowed: write `Ref<'_, I>`"));
    }
    if let Some(interface) = generic(ty, "Ref") {
        return Ok(Kind::Borrowed(interface.clone()));
    }
    if let Some(interface) = generic(ty, "OutRef") {
        return match direction {
            Direction::Out => Ok(Kind::Returned(interface.clone())),
            _ => Err(Error::new_spanned(ty, "`OutRef` is [out] only: write `*mut Option<I>`")),
        };
    }
    let Some(target) = pointee(ty) else {
        return match unique {
            Some(span) => Err(Error::new(span, "`unique` goes with a pointer")),
            None => Ok(Kind::Value),
        };
    };
    if is_void(target) || pointee(target).is_some_and(is_void) {
        return Err(Error::new_spanned(
            ty,
            "a raw interface pointer needs its interface: add `iid_is(…)`, or write `Ref<'_, I>` or `OutRef<'_, I>`",
        ));
    }
    if unique.is_some() { Ok(Kind::Value) } else { Ok(Kind::Ref(target.clone())) }
}

/// What a raw pointer points at.
fn pointee(ty: &Type) -> Option<&Type> {
    match ty {
        Type::Ptr(pointer) => Some(&pointer.elem),
        Type::Group(group) => pointee(&group.elem),
        Type::Paren(paren) => pointee(&paren.elem),
        _ => None,
    }
}

fn last_segment(ty: &Type) -> Option<&syn::PathSegment> {
    match ty {
        Type::Path(path) => path.path.segments.last(),
        Type::Group(group) => last_segment(&group.elem),
        _ => None,
    }
}

fn is_named(ty: &Type, name: &str) -> bool {
    last_segment(ty).is_some_and(|segment| segment.ident == name && segment.arguments.is_none())
}

fn is_void(ty: &Type) -> bool {
    is_named(ty, "c_void")
}

/// The type argument of `Name<T>` or `Name<'_, T>`.
fn generic<'a>(ty: &'a Type, name: &str) -> Option<&'a Type> {
    let segment = last_segment(ty).filter(|segment| segment.ident == name)?;
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

fn is_generic(ty: &Type, name: &str) -> bool {
    generic(ty, name).is_some()
}

//! The expressions of `size_is`, `length_is` and `iid_is`: what they may name, and what becomes of them.

use super::parse::{Direction, Kind, Param};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{BinOp, Error, Expr, Ident, Lit, Result, UnOp};

/// A name in an expression, and whether it is dereferenced.
pub struct Name {
    pub ident: Ident,
    pub deref: bool,
}

/// A number of elements.
pub struct SizeExpr {
    pub tokens: TokenStream,
    pub names: Vec<Name>,
}

impl SizeExpr {
    pub fn new(expr: Expr) -> Result<Self> {
        let mut names = Vec::new();
        let tokens = rewrite(&expr, &mut names)?;
        Ok(Self { tokens, names })
    }

    /// The number as a result, wherever the parameters have their names.
    pub fn value(&self) -> TokenStream {
        let tokens = &self.tokens;
        quote!((#tokens).get())
    }
}

/// Every name and literal becomes a `Count`, whose arithmetic notices overflow.
fn rewrite(expr: &Expr, names: &mut Vec<Name>) -> Result<TokenStream> {
    let leaf = |expr: &Expr| quote_spanned!(expr.span()=> __o::Count::of(#expr));
    match expr {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Int(int) => {
                let value: i64 = int.base10_parse()?;
                Ok(quote!(__o::Count::of(#value)))
            }
            other => Err(Error::new_spanned(other, "expected an integer")),
        },
        Expr::Path(_) => {
            names.push(Name { ident: ident(expr)?, deref: false });
            Ok(leaf(expr))
        }
        Expr::Unary(unary) if matches!(unary.op, UnOp::Deref(_)) => {
            names.push(Name { ident: ident(&unary.expr)?, deref: true });
            Ok(leaf(expr))
        }
        Expr::Binary(binary) => {
            use BinOp::{Add, Div, Mul, Rem, Sub};
            let op = &binary.op;
            if !matches!(op, Add(_) | Sub(_) | Mul(_) | Div(_) | Rem(_)) {
                return Err(Error::new_spanned(op, "sizes are computed with + - * / % only"));
            }
            let (left, right) = (rewrite(&binary.left, names)?, rewrite(&binary.right, names)?);
            Ok(quote!((#left #op #right)))
        }
        Expr::Paren(paren) => rewrite(&paren.expr, names),
        Expr::Group(group) => rewrite(&group.expr, names),
        other => Err(Error::new_spanned(other, "a size is made of parameters, `*parameters`, integers and + - * / %")),
    }
}

fn ident(expr: &Expr) -> Result<Ident> {
    match expr {
        Expr::Path(path) if path.path.get_ident().is_some() => Ok(path.path.require_ident()?.clone()),
        Expr::Paren(paren) => ident(&paren.expr),
        Expr::Group(group) => ident(&group.expr),
        other => Err(Error::new_spanned(other, "expected the name of a parameter")),
    }
}

/// What names an interface: a parameter, or a constant with a path (`IStream::IID`).
pub enum IidExpr {
    Parameter(Ident),
    Constant(syn::ExprPath),
}

impl IidExpr {
    pub fn new(expr: Expr) -> Result<Self> {
        let expr = match &expr {
            Expr::Unary(unary) if matches!(unary.op, UnOp::Deref(_)) => &*unary.expr,
            other => other,
        };
        match expr {
            Expr::Path(path) if path.path.segments.len() > 1 => Ok(Self::Constant(path.clone())),
            other => Ok(Self::Parameter(ident(other)?)),
        }
    }

    /// The id as a result, wherever the parameters have their names.
    pub fn value(&self, params: &[Param]) -> TokenStream {
        let plain = self.plain(params);
        quote!(::core::result::Result::Ok(#plain))
    }

    /// The id itself.
    pub fn plain(&self, params: &[Param]) -> TokenStream {
        match self {
            Self::Constant(path) => quote!(#path),
            Self::Parameter(ident) => {
                let by_reference =
                    params.iter().any(|param| param.name == *ident && matches!(param.kind, Kind::Ref(_)));
                let star = by_reference.then(|| quote!(*));
                quote!(#star #ident)
            }
        }
    }
}

fn find<'a>(params: &'a [Param], name: &Ident, attribute: &str) -> Result<&'a Param> {
    params.iter().find(|param| param.name == *name).ok_or_else(|| {
        Error::new(name.span(), format!("`{attribute}` names `{name}`, which is no parameter of this method"))
    })
}

/// Checks what the expressions of a method name.
pub fn check(params: &[Param], has_twin: bool) -> Result<()> {
    for param in params {
        match &param.kind {
            Kind::Array { size, length, .. } => {
                check_names(params, size, "size_is")?;
                check_known(params, size, "size_is")?;
                if let Some(length) = length {
                    check_names(params, length, "length_is")?;
                    check_length(params, param, length, has_twin)?;
                }
            }
            Kind::Interface(iid) => check_iid(params, iid)?,
            _ => {}
        }
    }
    Ok(())
}

/// Names are parameters, numbers, and dereferenced as their types ask.
fn check_names(params: &[Param], expr: &SizeExpr, attribute: &str) -> Result<()> {
    for Name { ident, deref } in &expr.names {
        let param = find(params, ident, attribute)?;
        let message = match (&param.kind, deref) {
            (Kind::Value, false) if !param.unique => continue,
            (Kind::Ref(_), true) => continue,
            (Kind::Ref(_), false) => format!("`{ident}` is a pointer: write `*{ident}`"),
            (Kind::Value, _) if param.unique => format!("`{ident}` may be null, so it cannot say a size"),
            (Kind::Value, _) => format!("`{ident}` is no pointer: write `{ident}`"),
            _ => format!("`{ident}` is no number"),
        };
        return Err(Error::new(ident.span(), message));
    }
    Ok(())
}

/// What must be known before the call comes from [in] parameters.
fn check_known(params: &[Param], expr: &SizeExpr, attribute: &str) -> Result<()> {
    for name in &expr.names {
        if find(params, &name.ident, attribute)?.direction == Direction::Out {
            return Err(Error::new(
                name.ident.span(),
                format!("`{attribute}` must be known before the call, but `{}` is [out] only (MIDL2372)", name.ident),
            ));
        }
    }
    Ok(())
}

fn check_length(params: &[Param], array: &Param, length: &SizeExpr, has_twin: bool) -> Result<()> {
    if array.direction.is_in() {
        check_known(params, length, "length_is")?;
    }
    let comes_out = |name: &Name| Ok::<_, Error>(find(params, &name.ident, "length_is")?.direction.is_out());
    let Some((first, rest)) = length.names.split_first() else { return Ok(()) };
    let first = comes_out(first)?;
    for name in rest {
        if comes_out(name)? != first && has_twin && array.direction.is_out() {
            return Err(Error::new(
                name.ident.span(),
                "only simple combinations of [in] and [out] are allowed with `async_uuid` (MIDL2372): `Begin_` knows \
                 the one half of this expression, `Finish_` the other",
            ));
        }
    }
    Ok(())
}

fn check_iid(params: &[Param], iid: &IidExpr) -> Result<()> {
    let IidExpr::Parameter(ident) = iid else { return Ok(()) };
    let param = find(params, ident, "iid_is")?;
    let good = match param.kind {
        Kind::Ref(_) => true,
        Kind::Value => !param.unique,
        _ => false,
    };
    if good && param.direction.is_in() {
        return Ok(());
    }
    Err(Error::new(ident.span(), "`iid_is` names an [in] parameter of type `*const GUID`"))
}

//! What stands in the parentheses of `#[com_class(…)]`: interfaces and options.

use proc_macro2::Span;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Error, Expr, Ident, Member, Path, Result, Token, parenthesized};

const OPTIONS: &str = "the options are `agile`, `blind = field`, `inner = field`, `auto(Interface = field : CLSID)`, `first = method`, `fallback = method` and `guard = method`";

const AUTO: &str = "write `auto(Interface = field : CLSID)`";

/// `Interface = field : CLSID`.
pub struct Auto {
    pub interface: Path,
    pub field: Member,
    pub clsid: Expr,
}

impl Parse for Auto {
    fn parse(input: ParseStream) -> Result<Self> {
        let interface = input.parse()?;
        input.parse::<Token![=]>()?;
        let field = input.parse()?;
        if !input.peek(Token![:]) {
            return Err(Error::new_spanned(field, format!("which class makes the object? {AUTO}")));
        }
        input.parse::<Token![:]>()?;
        Ok(Self { interface, field, clsid: input.parse()? })
    }
}

/// What stands in the parentheses of the attribute.
#[derive(Default)]
pub struct Options {
    pub interfaces: Vec<Path>,
    pub agile: Option<Span>,
    pub blind: Option<Member>,
    pub inner: Option<Member>,
    pub first: Option<Ident>,
    pub fallback: Option<Ident>,
    pub guard: Option<Ident>,
    pub autos: Vec<Auto>,
}

impl Parse for Options {
    fn parse(input: ParseStream) -> Result<Self> {
        let mut options = Self::default();
        while !input.is_empty() {
            options.parse_one(input)?;
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(options)
    }
}

impl Options {
    fn parse_one(&mut self, input: ParseStream) -> Result<()> {
        if input.peek(Token![auto]) {
            let name: Token![auto] = input.parse()?;
            if !input.peek(syn::token::Paren) {
                return Err(Error::new(name.span, AUTO));
            }
            let content;
            parenthesized!(content in input);
            let entries = Punctuated::<Auto, Token![,]>::parse_terminated(&content)?;
            if entries.is_empty() {
                return Err(Error::new(name.span, AUTO));
            }
            self.autos.extend(entries);
            return Ok(());
        }
        let path: Path = input.parse()?;
        let name = path.get_ident().map(ToString::to_string).unwrap_or_default();
        match name.as_str() {
            "agile" => {
                if self.agile.replace(path.span()).is_some() {
                    return Err(Error::new_spanned(path, "`agile` is said twice"));
                }
            }
            "inner" => {
                if !input.peek(Token![=]) {
                    return Err(Error::new_spanned(path, "write `inner = field`"));
                }
                input.parse::<Token![=]>()?;
                if self.inner.replace(input.parse()?).is_some() {
                    return Err(Error::new_spanned(path, "only one inner object is named so"));
                }
            }
            "first" => {
                if !input.peek(Token![=]) {
                    return Err(Error::new_spanned(path, "write `first = method`"));
                }
                input.parse::<Token![=]>()?;
                if self.first.replace(input.parse()?).is_some() {
                    return Err(Error::new_spanned(path, "only one method can be asked first"));
                }
            }
            "fallback" => {
                if !input.peek(Token![=]) {
                    return Err(Error::new_spanned(path, "write `fallback = method`"));
                }
                input.parse::<Token![=]>()?;
                if self.fallback.replace(input.parse()?).is_some() {
                    return Err(Error::new_spanned(path, "only one method can answer what nothing else does"));
                }
            }
            "guard" => {
                if !input.peek(Token![=]) {
                    return Err(Error::new_spanned(path, "write `guard = method`"));
                }
                input.parse::<Token![=]>()?;
                if self.guard.replace(input.parse()?).is_some() {
                    return Err(Error::new_spanned(path, "only one method can guard the queries"));
                }
            }
            "blind" => {
                if !input.peek(Token![=]) {
                    return Err(Error::new_spanned(path, "write `blind = field`"));
                }
                input.parse::<Token![=]>()?;
                if self.blind.replace(input.parse()?).is_some() {
                    return Err(Error::new_spanned(path, "only one inner object can be aggregated blindly"));
                }
            }
            _ if input.peek(Token![=]) || input.peek(syn::token::Paren) || looks_like_an_option(&name) => {
                return Err(Error::new_spanned(&path, format!("unknown option `{name}`: {OPTIONS}")));
            }
            "IUnknown" => {
                return Err(Error::new_spanned(path, "every object offers IUnknown: list the other interfaces only"));
            }
            _ => self.interfaces.push(path),
        }
        Ok(())
    }
}

/// Interfaces start with a capital letter; a word that does not is an option that we do not know.
fn looks_like_an_option(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
}

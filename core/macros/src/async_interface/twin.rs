//! The asynchronous twin: `Begin_` takes what goes in, `Finish_` gives what comes out (MIDL-03 to MIDL-07).

use super::parse::{Kind, Method, Param};
use crate::interface::{self, InterfaceDef};
use quote::format_ident;
use syn::parse_quote;

/// What one [out] parameter needs in `Finish_` that only `Begin_` knows: indexes of words that are kept.
#[derive(Clone, Copy, Default)]
pub struct Keep {
    /// The size of an array.
    pub size: Option<usize>,
    /// The length of an array, when [in] parameters say it.
    pub length: Option<usize>,
    /// The interface of an interface pointer: two words.
    pub iid: Option<usize>,
}

/// What a method keeps, one entry for each parameter.
pub fn plan(method: &Method) -> Vec<Keep> {
    let mut words = 0;
    let mut take = |count: usize| {
        let at = words;
        words += count;
        Some(at)
    };
    let mut plan = Vec::new();
    for param in &method.params {
        let mut keep = Keep::default();
        if param.direction.is_out() {
            match &param.kind {
                Kind::Array { length, .. } => {
                    keep.size = take(1);
                    let from_begin =
                        |name: &super::size::Name| !direction_of(method, &name.ident).is_some_and(|d| d.is_out());
                    if let Some(length) = length
                        && length.names.iter().all(from_begin)
                    {
                        keep.length = take(1);
                    }
                }
                Kind::Interface(_) => keep.iid = take(2),
                _ => {}
            }
        }
        plan.push(keep);
    }
    plan
}

fn direction_of(method: &Method, name: &syn::Ident) -> Option<super::parse::Direction> {
    method.params.iter().find(|param| param.name == *name).map(|param| param.direction)
}

/// The definition of the twin.
pub fn definition(def: &InterfaceDef, methods: &[Method]) -> InterfaceDef {
    let mut base = def.base.clone();
    if !def.base_is_unknown()
        && let Some(last) = base.segments.last_mut()
    {
        last.ident = format_ident!("Async{}", last.ident);
    }
    let text = format!("The asynchronous twin of [`{0}`]: `Begin_` and `Finish_` of its methods.", def.name);
    let halves = def.methods.iter().zip(methods).flat_map(|(source, method)| {
        let (ins, outs) = directions(method);
        [half(source, &ins, "Begin"), half(source, &outs, "Finish")]
    });
    InterfaceDef {
        attrs: vec![parse_quote!(#[doc = #text])],
        vis: def.vis.clone(),
        name: format_ident!("Async{}", def.name),
        base,
        methods: halves.collect(),
    }
}

impl Param {
    pub fn goes_in(&self) -> bool {
        self.direction.is_in() && !matches!(self.kind, Kind::Local)
    }
    pub fn comes_out(&self) -> bool {
        self.direction.is_out()
    }
}

/// Which parameters of the method in the vtable `Begin_` takes, and which `Finish_`.
fn directions(method: &Method) -> (Vec<bool>, Vec<bool>) {
    match &method.local {
        Some(local) => local.directions.iter().map(|direction| (direction.is_in(), direction.is_out())).unzip(),
        None => method.params.iter().map(|param| (param.goes_in(), param.comes_out())).unzip(),
    }
}

fn half(source: &interface::Method, takes: &[bool], prefix: &str) -> interface::Method {
    let params = source.params.iter().zip(takes).filter(|(_, takes)| **takes).map(|(source, _)| interface::Param {
        attrs: Vec::new(),
        name: source.name.clone(),
        ty: source.ty.clone(),
    });
    let text = match prefix {
        "Begin" => format!("Starts `{}`.", source.name),
        _ => format!("Waits for `{}` and gives its results.", source.name),
    };
    interface::Method {
        attrs: vec![parse_quote!(#[doc = #text])],
        name: format_ident!("{prefix}_{}", source.name),
        params: params.collect(),
        output: source.output.clone(),
    }
}

/// The two halves of a method in the vtable that does not go over the wire itself.
pub fn local_halves(method: &interface::Method, directions: &[super::parse::Direction]) -> [interface::Method; 2] {
    let pick = |way: fn(super::parse::Direction) -> bool| directions.iter().map(|it| way(*it)).collect::<Vec<_>>();
    [half(method, &pick(|it| it.is_in()), "Begin"), half(method, &pick(|it| it.is_out()), "Finish")]
}

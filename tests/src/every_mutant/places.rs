//! Where mutants are in the syntax of a file: from what cargo-mutants says of a mutant to the ranges of bytes that a branch
//! needs. Pure; a mutant whose place is not found, or of which no branch can be made, says so.

use super::{At, Genre, Mutant};
use proc_macro2::Span as Token;
use std::collections::BTreeMap;
use std::ops::Range;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// A range of bytes.
pub type Bytes = Range<usize>;

/// What a mutant does at its place.
#[derive(Clone, Debug)]
pub enum Way {
    /// A statement that gives this value at once, written in before the place.
    Return(String),
    /// A guard of an arm that has none, written in before the place: the arm is not there.
    Never,
    /// Another operator; whether both operands may be computed once more without a trace, to see if it matters.
    Operator(Bytes, String, Bytes, bool),
    /// No operator.
    Operand(Bytes),
    /// This text.
    Text(String),
}

/// Where a mutant is.
#[derive(Debug)]
pub enum Place {
    /// At these bytes, in this way.
    At(Bytes, Way),
    /// In something that the compiler computes.
    Constant,
    /// No other operator can stand between these operands: one of them is `let`.
    Let,
    /// Not found.
    Unknown,
}

enum Node {
    Binary { whole: Bytes, left: Bytes, right: Bytes, pure: bool, has_let: bool },
    Unary { whole: Bytes, operand: Bytes },
    Guard(Bytes),
}

/// The places of a file's text.
pub struct Places<'a> {
    text: &'a str,
    lines: Vec<usize>,
    nodes: BTreeMap<(usize, usize), Node>,
    /// By where an arm begins: where its pattern ends, and its guard.
    arms: BTreeMap<usize, (usize, Option<Bytes>)>,
    /// By where a field begins: its value, and an expression that takes it from the base.
    fields: BTreeMap<usize, (Bytes, String)>,
    constants: Vec<Bytes>,
}

impl<'a> Places<'a> {
    /// Reads a text.
    ///
    /// # Errors
    /// Where it is no Rust.
    pub fn of(text: &'a str) -> Result<Self, String> {
        let file = syn::parse_file(text).map_err(|error| error.to_string())?;
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let (nodes, arms, fields, constants) = Default::default();
        let mut places = Self { text, lines, nodes, arms, fields, constants };
        places.visit_file(&file);
        Ok(places)
    }

    fn byte(&self, at: At) -> usize {
        let line = self.lines[at.line - 1];
        let before = self.text[line..].chars().take(at.column - 1);
        line + before.map(char::len_utf8).sum::<usize>()
    }

    /// Where a mutant is.
    pub fn find(&self, mutant: &Mutant) -> Place {
        let (start, end) = (self.byte(mutant.span.start), self.byte(mutant.span.end));
        if self.constants.iter().any(|range| range.contains(&start)) {
            return Place::Constant;
        }
        let new = mutant.replacement.clone();
        match mutant.genre {
            Genre::FnValue => Place::At(start..start, Way::Return(new)),
            Genre::MatchArm => match self.arms.get(&start) {
                Some((_, Some(guard))) => Place::At(guard.clone(), Way::Text("false".into())),
                Some((end, None)) => Place::At(*end..*end, Way::Never),
                None => Place::Unknown,
            },
            Genre::StructField => match self.fields.get(&start) {
                Some((value, base)) => Place::At(value.clone(), Way::Text(base.clone())),
                None => Place::Unknown,
            },
            Genre::BinaryOperator | Genre::UnaryOperator | Genre::MatchArmGuard => {
                match self.nodes.get(&(start, end)) {
                    Some(Node::Binary { has_let: true, .. }) => Place::Let,
                    Some(Node::Binary { whole, left, right, pure, .. }) => {
                        Place::At(whole.clone(), Way::Operator(left.clone(), new, right.clone(), *pure))
                    }
                    Some(Node::Unary { whole, operand }) => Place::At(whole.clone(), Way::Operand(operand.clone())),
                    Some(Node::Guard(whole)) => Place::At(whole.clone(), Way::Text(new)),
                    None => Place::Unknown,
                }
            }
        }
    }

    fn node(&mut self, key: Token, node: Node) {
        let key = key.byte_range();
        self.nodes.insert((key.start, key.end), node);
    }
}

fn bytes(part: &impl Spanned) -> Bytes {
    part.span().byte_range()
}

/// Whether it reads, and does nothing else; it says no too often.
fn is_pure(expression: &syn::Expr) -> bool {
    use syn::Expr::{Binary, Cast, Field, Lit, Paren, Path, Unary};
    match expression {
        Lit(_) | Path(_) => true,
        Paren(it) => is_pure(&it.expr),
        Field(it) => is_pure(&it.base),
        Cast(it) => is_pure(&it.expr),
        Unary(it) => is_pure(&it.expr),
        Binary(it) => is_value(it.op) && is_pure(&it.left) && is_pure(&it.right),
        _ => false,
    }
}

/// Whether an operator cannot panic, nor write.
fn is_value(op: syn::BinOp) -> bool {
    use syn::BinOp::{And, BitAnd, BitOr, BitXor, Eq, Ge, Gt, Le, Lt, Ne, Or};
    matches!(op, And(_) | BitAnd(_) | BitOr(_) | BitXor(_) | Eq(_) | Ge(_) | Gt(_) | Le(_) | Lt(_) | Ne(_) | Or(_))
}

/// Whether `let` is among the operands of its `&&`.
fn has_let(expression: &syn::Expr) -> bool {
    match expression {
        syn::Expr::Let(_) => true,
        syn::Expr::Binary(it) => has_let(&it.left) || has_let(&it.right),
        _ => false,
    }
}

impl<'ast> Visit<'ast> for Places<'_> {
    fn visit_expr_binary(&mut self, it: &'ast syn::ExprBinary) {
        let (whole, left, right) = (bytes(it), bytes(&it.left), bytes(&it.right));
        let pure = is_value(it.op) && is_pure(&it.left) && is_pure(&it.right);
        let has_let = has_let(&it.left) || has_let(&it.right);
        self.node(it.op.span(), Node::Binary { whole, left, right, pure, has_let });
        visit::visit_expr_binary(self, it);
    }

    fn visit_expr_unary(&mut self, it: &'ast syn::ExprUnary) {
        self.node(it.op.span(), Node::Unary { whole: bytes(it), operand: bytes(&it.expr) });
        visit::visit_expr_unary(self, it);
    }

    fn visit_arm(&mut self, it: &'ast syn::Arm) {
        let guard = it.guard.as_ref().map(|(_, guard)| bytes(guard));
        if let Some((_, guard)) = &it.guard {
            self.node(guard.span(), Node::Guard(bytes(guard)));
        }
        self.arms.insert(bytes(it).start, (bytes(&it.pat).end, guard));
        visit::visit_arm(self, it);
    }

    fn visit_expr_struct(&mut self, it: &'ast syn::ExprStruct) {
        if let Some(base) = &it.rest {
            let (path, base) = (&self.text[bytes(&it.path)], &self.text[bytes(base)]);
            for field in &it.fields {
                let name = &self.text[bytes(&field.member)];
                let taken = format!("{{ let base: {path} = {base}; base.{name} }}");
                self.fields.insert(bytes(field).start, (bytes(&field.expr), taken));
            }
        }
        visit::visit_expr_struct(self, it);
    }

    fn visit_item_const(&mut self, it: &'ast syn::ItemConst) {
        self.constants.push(bytes(it));
    }

    fn visit_item_static(&mut self, it: &'ast syn::ItemStatic) {
        self.constants.push(bytes(it));
    }

    fn visit_impl_item_const(&mut self, it: &'ast syn::ImplItemConst) {
        self.constants.push(bytes(it));
    }

    fn visit_type_array(&mut self, it: &'ast syn::TypeArray) {
        self.constants.push(bytes(&it.len));
    }

    fn visit_expr_repeat(&mut self, it: &'ast syn::ExprRepeat) {
        self.constants.push(bytes(&it.len));
        visit::visit_expr_repeat(self, it);
    }

    fn visit_expr_const(&mut self, it: &'ast syn::ExprConst) {
        self.constants.push(bytes(it));
    }

    fn visit_variant(&mut self, it: &'ast syn::Variant) {
        self.constants.push(bytes(it));
    }

    fn visit_item_fn(&mut self, it: &'ast syn::ItemFn) {
        if it.sig.constness.is_some() {
            self.constants.push(bytes(it));
        }
        visit::visit_item_fn(self, it);
    }

    fn visit_impl_item_fn(&mut self, it: &'ast syn::ImplItemFn) {
        if it.sig.constness.is_some() {
            self.constants.push(bytes(it));
        }
        visit::visit_impl_item_fn(self, it);
    }
}

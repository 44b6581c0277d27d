//! A simple reader of the header: what it declares, by name. It knows the header's own style and no more of C.

use crate::compiler::include_dir;
pub use crate::declared::{Function, Interface};

/// All that the header declares.
#[derive(Debug, Default)]
pub struct Header {
    /// Functions of the library.
    pub functions: Vec<Function>,
    /// Interfaces, in order.
    pub interfaces: Vec<Interface>,
    /// `#define NAME value`, where the value is a number or an HRESULT.
    pub constants: Vec<String>,
    /// Names of constant ids (CLSIDs).
    pub ids: Vec<String>,
}

/// Reads the header.
pub fn read() -> Header {
    let text = |name: &str| {
        let text = std::fs::read_to_string(include_dir().join("oleander").join(name)).expect("a part of the header");
        without_comments(&text)
    };
    let interfaces = text("interfaces.h");
    Header {
        functions: functions(&text("functions.h")),
        interfaces: read_interfaces(&interfaces),
        constants: constants(&text("codes.h")),
        ids: words_after(&interfaces, "OLEANDER_OLE_GUID(").filter(|name| name != "name").collect(),
    }
}

fn without_comments(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("/*") {
        out.push_str(before);
        rest = after.split_once("*/").map_or("", |(_, after)| after);
    }
    out + rest
}

fn words_after<'a>(text: &'a str, mark: &'a str) -> impl Iterator<Item = String> + 'a {
    text.split(mark).skip(1).map(|rest| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect())
}

fn constants(text: &str) -> Vec<String> {
    let value = |value: &str| {
        value.starts_with(|c: char| c.is_ascii_digit() || c == '(') || value.starts_with("OLEANDER_HRESULT(0x")
    };
    let defines = text.lines().filter_map(|line| line.strip_prefix("#define "));
    let pairs = defines.filter_map(|rest| rest.split_once(' '));
    pairs.filter(|(name, it)| !name.contains('(') && value(it.trim())).map(|(name, _)| name.to_owned()).collect()
}

fn functions(text: &str) -> Vec<Function> {
    let body = text.split_once("extern \"C\" {").expect("the functions").1;
    let body = body.split_once("#ifdef __cplusplus").expect("their end").0;
    let lines: Vec<_> = body.lines().filter(|line| !line.starts_with('#')).collect();
    let lines = lines.join(" ");
    let statements = lines.split(';').map(str::trim).filter(|it| !it.is_empty());
    statements
        .map(|statement| {
            let (head, tail) = statement.split_once('(').expect("a function has parameters");
            let (returns, name) = typed(head);
            Function { name, returns, parameters: parameters(tail) }
        })
        .collect()
}

/// The interfaces. Methods of bases stand in macros named OLEANDER_METHODS_<base>.
fn read_interfaces(text: &str) -> Vec<Interface> {
    let text = text.replace("\\\n", " ");
    let mut shared: Vec<(String, Vec<Function>)> = Vec::new();
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(macro_text) = line.strip_prefix("#define OLEANDER_METHODS_") {
            let (name, body) = macro_text.split_once(' ').expect("a macro with methods");
            shared.push((name.to_owned(), methods(body)));
        }
        let Some(head) = line.strip_prefix("DECLARE_INTERFACE") else { continue };
        let names = head.trim_start_matches('_').trim_start_matches('(').split_once(')').expect("names").0;
        let (name, base) = names.split_once(", ").unwrap_or((names, ""));
        let body: Vec<_> = lines.by_ref().take_while(|line| *line != "};").collect();
        let own = format!("OLEANDER_METHODS_{name}");
        let body = body.join(" ");
        let mut own_methods = methods(&body);
        if body.split_whitespace().any(|word| word == own) {
            own_methods = shared.iter().find(|(of, _)| of == name).expect("defined before").1.clone();
        }
        found.push(Interface { name: name.to_owned(), base: base.to_owned(), methods: own_methods });
    }
    found
}

fn methods(body: &str) -> Vec<Function> {
    let statements = body.split(" PURE;").filter_map(|it| it.split_once("STDMETHOD").map(|(_, it)| it));
    statements
        .map(|statement| {
            let (head, tail) = statement.trim_start_matches('_').split_once(")(").expect("name and parameters");
            let head = head.trim_start_matches('(');
            let (returns, name) = head.rsplit_once(", ").unwrap_or(("HRESULT", head));
            let tail = tail.trim_start_matches("THIS_").trim_start_matches("THIS");
            Function { name: name.to_owned(), returns: squeeze(returns), parameters: parameters(tail) }
        })
        .collect()
}

fn parameters(text: &str) -> Vec<(String, String)> {
    let text = text.trim().trim_end_matches(')').trim();
    if text.is_empty() || text == "void" {
        return Vec::new();
    }
    text.split(',').map(typed).collect()
}

/// Splits `const IID *riid` in type and name.
fn typed(text: &str) -> (String, String) {
    let text = text.trim();
    let at = text.rfind(|c: char| !(c.is_alphanumeric() || c == '_')).expect("type and name") + 1;
    (squeeze(&text[..at]), text[at..].to_owned())
}

/// One space between words, none before a star.
fn squeeze(text: &str) -> String {
    text.replace('*', " * ").split_whitespace().collect::<Vec<_>>().join(" ").replace(" *", "*")
}

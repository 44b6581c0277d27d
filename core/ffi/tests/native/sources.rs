//! A simple reader of the runtime's own sources: the functions defined with `export!` and the interfaces, with their
//! signatures. It knows the sources' own style (rustfmt's) and no more of Rust.

use crate::header::{Function, Interface};
use std::path::{Path, PathBuf};

fn source_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../src")
}

/// Every function of the surface.
pub fn functions() -> Vec<Function> {
    let mut found = Vec::new();
    for file in files(&source_dir()) {
        let text = std::fs::read_to_string(file).expect("a source file");
        for block in text.split("\nexport! {\n").skip(1) {
            let block = block.split("\n}\n").next().unwrap_or_default();
            found.extend(block.split("    pub unsafe fn ").skip(1).map(|it| function(it.trim_end(), " {")));
        }
    }
    found
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(dir).expect("a source folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            all.extend(files(&path));
        } else if path.extension().is_some_and(|it| it == "rs") {
            all.push(path);
        }
    }
    all.sort();
    all
}

/// Every interface of the runtime, in order.
pub fn interfaces() -> Vec<Interface> {
    let read = |file: &PathBuf| std::fs::read_to_string(file).expect("the interfaces");
    let text: String = files(&source_dir().join("abi/interfaces")).iter().map(read).collect();
    let text = without_attributes(&text);
    let blocks = text.split("pub unsafe trait ").skip(1);
    blocks
        .map(|block| {
            let (head, body) = block.split_once('{').expect("a body");
            let (name, base) = head.split_once(':').expect("a base");
            let body = body.split_once("\n}").map_or("", |(body, _)| body);
            let methods = body.split("    fn ").skip(1).map(|it| function(it, ";")).collect();
            Interface { name: name.trim().to_owned(), base: base.trim().to_owned(), methods }
        })
        .collect()
}

fn without_attributes(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("#[") {
        out.push_str(before);
        rest = after.split_once(']').map_or("", |(_, after)| after);
    }
    out + rest
}

/// Reads `Name(a: T, b: U) -> R` up to `end`.
fn function(text: &str, end: &str) -> Function {
    let (name, rest) = text.split_once('(').expect("parameters");
    let (inside, rest) = rest.split_once(')').expect("their end");
    let tail = rest.split_once(end).expect("an end").0.trim();
    let returns = tail.strip_prefix("-> ").unwrap_or("()").trim().to_owned();
    let mut parameters = Vec::new();
    for parameter in inside.split(',').map(str::trim).filter(|it| !it.is_empty() && *it != "&self") {
        let (name, ty) = parameter.split_once(": ").expect("a name and a type");
        parameters.push((ty.to_owned(), name.trim_start_matches('_').to_owned()));
    }
    Function { name: name.to_owned(), returns, parameters }
}

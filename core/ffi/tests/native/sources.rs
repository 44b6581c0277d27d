//! A simple reader of the runtime's own sources: the functions defined with `export!` and the interfaces, with their
//! signatures. It knows the sources' own style (rustfmt's) and no more of Rust.

use crate::declared::{Function, Interface};
use std::path::{Path, PathBuf};

fn source_dir() -> PathBuf {
    let mut above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|folder| folder.join("core/src"));
    above.find(|folder| folder.join("lib.rs").exists()).expect("the runtime's sources")
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

/// Every interface of the runtime, in order; a twin behind its interface.
pub fn interfaces() -> Vec<Interface> {
    let mut found = Vec::new();
    for file in files(&source_dir().join("abi/interfaces")) {
        let text = std::fs::read_to_string(file).expect("the interfaces");
        let blocks: Vec<_> = text.split("pub unsafe trait ").collect();
        for (above, block) in blocks.iter().zip(&blocks[1..]) {
            let (head, body) = block.split_once('{').expect("a body");
            let (name, base) = head.split_once(':').expect("a base");
            let (name, base) = (name.trim().to_owned(), base.trim().to_owned());
            let body = body.split_once("\n}").map_or("", |(body, _)| body);
            let attributes = above.rsplit("\n}\n").next().unwrap_or_default();
            let twin = attributes.contains("async_uuid").then(|| twin(&name, &base, body));
            let methods = methods(body).iter().map(|text| function(&without_attributes(text), ";")).collect();
            found.push(Interface { name, base, methods });
            found.extend(twin);
        }
    }
    found
}

/// The id of every interface, as its text in the sources; that of a twin under the twin's name.
#[allow(dead_code, reason = "the comparison with the system's metadata uses it")]
pub fn interface_ids() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for file in files(&source_dir().join("abi/interfaces")) {
        let text = std::fs::read_to_string(file).expect("the interfaces");
        let blocks: Vec<_> = text.split("pub unsafe trait ").collect();
        for (above, block) in blocks.iter().zip(&blocks[1..]) {
            let name = block.split_once(':').expect("a base").0;
            let attributes = above.rsplit("\n}\n").next().unwrap_or_default();
            // Ids are the only texts of 36 characters between quotes.
            let ids = attributes.split('"').filter(|text| text.len() == 36 && text.matches('-').count() == 4);
            let names = [name.to_owned(), format!("Async{name}")];
            found.extend(names.into_iter().zip(ids.map(str::to_owned)));
        }
    }
    found
}

/// The texts of the methods that have a slot: what is `call_as` of another has none (MIDL-13).
fn methods(body: &str) -> Vec<&str> {
    let texts: Vec<_> = body.split("    fn ").collect();
    let has_slot = |above: &str| !above.rsplit(";\n").next().is_some_and(|above| above.contains("#[idl(call_as("));
    texts.iter().zip(&texts[1..]).filter(|(above, _)| has_slot(above)).map(|(_, text)| *text).collect()
}

/// The twin of an interface: what goes in, then what comes out (MIDL-02, MIDL-03, MIDL-06).
fn twin(name: &str, base: &str, body: &str) -> Interface {
    let half = |text: &str, prefix: &str, way: &str| {
        let mut half = function(&without_attributes(text), ";");
        half.parameters.retain(|(_, parameter)| goes(text, parameter, way));
        half.name = format!("{prefix}_{}", half.name);
        half
    };
    let halves = |text: &&str| [half(text, "Begin", "in"), half(text, "Finish", "out")];
    let base = if base == "IUnknown" { base.to_owned() } else { format!("Async{base}") };
    Interface { name: format!("Async{name}"), base, methods: methods(body).iter().flat_map(halves).collect() }
}

/// Whether a parameter's attribute has the word `in` or `out`.
fn goes(method: &str, parameter: &str, way: &str) -> bool {
    let (before, _) = method.split_once(&format!("] {parameter}: ")).expect("a parameter with its attribute");
    let attribute = before.rsplit("#[idl(").next().unwrap_or_default();
    attribute.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == way)
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

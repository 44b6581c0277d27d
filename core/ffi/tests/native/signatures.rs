//! Signatures of functions and methods: the header's against the sources'. Interfaces must have the same methods in the
//! same order on the same base, hence the same vtable slots.

use crate::Outcome;
use crate::header::{self, Function};
use crate::sources;
use libtest_mimic::Trial;
use std::collections::BTreeSet;

/// The tests of this module.
pub fn trials() -> Vec<Trial> {
    vec![
        Trial::test("functions_have_the_signatures_of_the_sources", functions),
        Trial::test("interfaces_have_the_vtables_of_the_sources", interfaces),
    ]
}

/// The types of the header that have the representation of a type of the sources.
fn is_same(rust: &str, c: &str) -> bool {
    let (rust, c) = (rust.trim(), c.trim());
    let one_of = |names: &[&str]| names.contains(&c);
    match rust {
        "()" => c == "void",
        "u8" => one_of(&["BYTE", "char"]),
        "u16" => one_of(&["WORD", "ATOM", "OLECHAR", "WCHAR"]),
        "u32" => one_of(&["DWORD", "ULONG", "UINT"]),
        "i32" => one_of(&["LONG", "INT", "APTTYPE", "APTTYPEQUALIFIER", "THDTYPE", "AgileReferenceOptions"]),
        "u64" => one_of(&["ULONGLONG", "ULARGE_INTEGER"]),
        "usize" => one_of(&["SIZE_T", "ULONG_PTR", "UINT_PTR"]),
        "f64" => one_of(&["DOUBLE"]),
        "isize" => one_of(&["LONG_PTR"]),
        "GUID" => one_of(&["GUID", "IID", "CLSID"]),
        "HANDLE" => one_of(&["HANDLE", "HMENU", "HGLOBAL", "HTASK"]),
        "HINSTANCE" => one_of(&["HINSTANCE", "HMODULE"]),
        "c_void" => c == "void" || is_interface(c),
        "*const GUID" if one_of(&["REFIID", "REFCLSID", "REFGUID"]) => true,
        "*const u16" if one_of(&["LPCWSTR", "LPCOLESTR"]) => true,
        "*const u8" if one_of(&["LPCSTR"]) => true,
        "*mut u16" if one_of(&["LPOLESTR"]) => true,
        "*mut c_void" if one_of(&["LPVOID", "CO_MTA_USAGE_COOKIE"]) => true,
        _ => pointer(rust).map_or_else(|| rust == c, |inside| is_same_pointer(inside, c)),
    }
}

/// What a pointer of the sources points at, and whether it may be written through.
fn pointer(rust: &str) -> Option<(&str, bool)> {
    let constant = rust.strip_prefix("*const ").map(|inside| (inside, false));
    constant.or_else(|| rust.strip_prefix("*mut ").map(|inside| (inside, true)))
}

fn is_same_pointer((inside, writes): (&str, bool), c: &str) -> bool {
    let Some(pointee) = c.strip_suffix('*') else { return false };
    let bare = pointee.strip_prefix("const ");
    // Windows' own headers leave the `const` out of some things that are only read.
    let read_only = ["COSERVERINFO", "BYTE", "LONG", "DOUBLE", "FORMATETC", "STGMEDIUM"];
    let constant_ok = bare.is_some() != writes || (!writes && read_only.contains(&pointee));
    constant_ok && is_same(inside, bare.unwrap_or(pointee))
}

fn is_interface(name: &str) -> bool {
    name == "IUnknown" || sources::interfaces().iter().any(|it| it.name == name)
}

fn compare(what: &str, ours: &Function, theirs: &Function) -> Outcome {
    let wrong = |detail: String| Err(format!("{what}{}: {detail}", ours.name).into());
    if !is_same(&theirs.returns, &ours.returns) {
        return wrong(format!("returns {} in the header, {} in the sources", ours.returns, theirs.returns));
    }
    if ours.parameters.len() != theirs.parameters.len() {
        return wrong(format!("parameters {:?} in the header, {:?}", ours.parameters, theirs.parameters));
    }
    for ((c, name), (rust, other)) in ours.parameters.iter().zip(&theirs.parameters) {
        if name != other || !is_same(rust, c) {
            return wrong(format!("`{c} {name}` in the header, `{other}: {rust}` in the sources"));
        }
    }
    Ok(())
}

fn functions() -> Outcome {
    let (header, sources) = (header::read(), sources::functions());
    for ours in &header.functions {
        let theirs = sources.iter().find(|it| it.name == ours.name);
        compare("", ours, theirs.ok_or(format!("{} is not in the sources", ours.name))?)?;
    }
    Ok(())
}

fn interfaces() -> Outcome {
    let (header, sources) = (header::read(), sources::interfaces());
    let names = |all: &[header::Interface]| all.iter().map(|it| it.name.clone()).collect::<BTreeSet<_>>();
    let mut wanted = names(&sources);
    wanted.insert("IUnknown".to_owned());
    crate::compiler::expect_equal("interfaces", names(&header.interfaces), wanted)?;
    for theirs in &sources {
        let ours = header.interfaces.iter().find(|it| it.name == theirs.name).expect("just compared");
        crate::compiler::expect_equal(&format!("base of {}", ours.name), &ours.base, &theirs.base)?;
        let names = |all: &[Function]| all.iter().map(|it| it.name.clone()).collect::<Vec<_>>();
        let what = format!("methods of {}", ours.name);
        crate::compiler::expect_equal(&what, names(&ours.methods), names(&theirs.methods))?;
        for (our, their) in ours.methods.iter().zip(&theirs.methods) {
            compare(&format!("{}::", ours.name), our, their)?;
        }
    }
    Ok(())
}

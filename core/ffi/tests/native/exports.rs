//! What the shared library exports against what the header declares, in both directions.

use crate::compiler::libraries_dir;
use crate::header::{self, Header};
use crate::{Outcome, sources};
use libtest_mimic::{Failed, Trial};
use object::Object;
use std::collections::BTreeSet;
use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};

/// The tests of this module.
pub fn trials() -> Vec<Trial> {
    // On Windows the names belong to the system, and nothing is exported.
    let plain = |name: &str, run: fn() -> Outcome| Trial::test(name.to_owned(), run).with_ignored_flag(cfg!(windows));
    vec![
        plain("the_shared_library_exports_what_the_header_declares", exports_are_declared),
        plain("a_library_of_a_users_exports_the_functions_too", component_exports),
        plain("every_function_of_the_sources_is_declared", sources_are_declared),
    ]
}

/// The functions that a shared library of ours exports.
fn exported(library: &str) -> Result<BTreeSet<String>, Failed> {
    let path = libraries_dir().join(format!("{DLL_PREFIX}{library}{DLL_SUFFIX}"));
    let data = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let file = object::File::parse(&*data)?;
    let name = |export: object::Export<'_>| {
        let name = String::from_utf8_lossy(export.name()).into_owned();
        // Mach-O puts an underscore before the names of C.
        if cfg!(target_vendor = "apple") { name.trim_start_matches('_').to_owned() } else { name }
    };
    Ok(file.exports()?.into_iter().map(name).collect())
}

fn declared(header: &Header) -> BTreeSet<String> {
    header.functions.iter().map(|it| it.name.clone()).collect()
}

fn nothing(what: &str, left: BTreeSet<&String>) -> Outcome {
    if left.is_empty() { Ok(()) } else { Err(format!("{what}: {left:?}").into()) }
}

fn exports_are_declared() -> Outcome {
    let (exported, declared) = (exported("oleander_ffi")?, declared(&header::read()));
    nothing("declared in the header, not exported", declared.difference(&exported).collect())?;
    nothing("exported, not declared in the header", exported.difference(&declared).collect())
}

fn component_exports() -> Outcome {
    let (exported, declared) = (exported("oleander_ffi_component")?, declared(&header::read()));
    nothing("declared in the header, not exported", declared.difference(&exported).collect())
}

fn sources_are_declared() -> Outcome {
    let sources: BTreeSet<String> = sources::functions().into_iter().map(|it| it.name).collect();
    let declared = declared(&header::read());
    nothing("defined with export!, not in the header: add it to functions.h", sources.difference(&declared).collect())?;
    nothing("in functions.h, not defined with export!", declared.difference(&sources).collect())
}

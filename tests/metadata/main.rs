//! Microsoft's own metadata says what the surface is: every interface (id, base, methods in order, parameters), every
//! constant and every function of ours is compared with it, so that no number rests on our typing.
//!
//! Our side is read from the sources and from the tables of the run time. What the metadata does not have, or has
//! differently, is listed by name in `exceptions.rs` with the reason; an entry that is no longer needed fails the test.

#[path = "../../core/ffi/tests/native/declared.rs"]
mod declared;
mod exceptions;
mod shape;
#[path = "../../core/ffi/tests/native/sources.rs"]
mod sources;
mod system;

use declared::Function;
use std::collections::{BTreeMap, BTreeSet};
use system::System;

/// What was found to differ: a name, and how.
type Differences = BTreeMap<String, String>;

/// Exactly the differences of a list of exceptions.
#[track_caller]
fn only(found: &Differences, exceptions: &[(&str, &str)]) {
    let stands_for = |exception: &str, name: &str| match exception.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => name == exception,
    };
    let is_listed = |name: &str| exceptions.iter().any(|(exception, _)| stands_for(exception, name));
    let unknown: Vec<_> = found.iter().filter(|(name, _)| !is_listed(name)).collect();
    assert!(unknown.is_empty(), "not as in the metadata:\n{unknown:#?}");
    let stale: Vec<_> = exceptions.iter().filter(|(it, _)| !found.keys().any(|name| stands_for(it, name))).collect();
    assert!(stale.is_empty(), "exceptions that are none: {stale:#?}");
    assert!(exceptions.iter().all(|(_, reason)| !reason.is_empty()), "an exception has a reason");
}

/// How two functions differ, if they do. Names of parameters are not part of the binary interface.
fn compare(system: &System, ours: &Function, theirs: &system::Function) -> Option<String> {
    let (mine, other) = (shape::of_source(&ours.returns), system.shape(&theirs.returns));
    if !shape::same(&mine, &other) {
        return Some(format!("returns {mine}, there {other}"));
    }
    let mine: Vec<_> = ours.parameters.iter().map(|(ty, _)| shape::of_source(ty)).collect();
    let other: Vec<_> = theirs.parameters.iter().map(|ty| system.shape(ty)).collect();
    let same = mine.len() == other.len() && mine.iter().zip(&other).all(|(mine, other)| shape::same(mine, other));
    (!same).then(|| format!("takes {mine:?}, there {other:?}"))
}

#[test]
fn interfaces_have_their_ids_bases_and_methods() {
    let (system, mut found, mut compared) = (System::read(), Differences::new(), 0);
    let ids: BTreeMap<_, _> = sources::interface_ids().into_iter().collect();
    for ours in sources::interfaces() {
        let Some(theirs) = system.interface(&ours.name) else {
            found.insert(ours.name, "not there".to_owned());
            continue;
        };
        compared += 1;
        let mut differ = |what: &str, how: String| found.insert(format!("{}{what}", ours.name), how);
        let id = ids[&ours.name].to_lowercase();
        if id != theirs.id {
            differ("", format!("its id is {id}, there {}", theirs.id));
        }
        if ours.base != theirs.base {
            differ("", format!("its base is {}, there {}", ours.base, theirs.base));
        }
        let names: Vec<_> = ours.methods.iter().map(|method| method.name.as_str()).collect();
        let others: Vec<_> = theirs.methods.iter().map(|method| method.name.as_str()).collect();
        if names != others {
            differ("", format!("its methods are {names:?}, there {others:?}"));
            continue;
        }
        for (mine, other) in ours.methods.iter().zip(&theirs.methods) {
            if let Some(how) = compare(&system, mine, other) {
                differ(&format!("::{}", mine.name), how);
            }
        }
    }
    assert!(compared > 25, "only {compared} interfaces compared");
    only(&found, exceptions::INTERFACES);
}

#[test]
fn functions_have_their_parameters() {
    let (system, mut found, mut compared) = (System::read(), Differences::new(), 0);
    for ours in sources::functions() {
        let how = match system.function(&ours.name) {
            None => Some("not there".to_owned()),
            Some(theirs) => {
                compared += 1;
                compare(&system, &ours, &theirs)
            }
        };
        found.extend(how.map(|how| (ours.name, how)));
    }
    assert!(compared > 90, "only {compared} functions compared");
    only(&found, exceptions::FUNCTIONS);
}

/// What the feature `windows` imports: function and library, from the sources.
fn imports() -> Vec<(String, String)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("core/src/abi/system");
    let read = |file: &str| std::fs::read_to_string(folder.join(file)).unwrap();
    let mut found = Vec::new();
    for text in ["com.rs", "kernel.rs", "user.rs"].map(read) {
        for block in text.split("import! { \"").skip(1) {
            let (library, rest) = block.split_once(".dll\"").unwrap();
            let names = rest.split("\n    fn ").skip(1).map(|it| it.split('(').next().unwrap());
            found.extend(names.map(|name| (name.to_owned(), library.to_owned())));
        }
    }
    let entries = read("entries.rs");
    for line in entries.lines().filter(|line| line.contains(".dll\" \"")) {
        let texts: Vec<_> = line.split('"').collect();
        found.push((texts[3].to_owned(), texts[1].trim_end_matches(".dll").to_owned()));
    }
    let late = read("mod.rs");
    let late = late.split("late! {\n").nth(1).unwrap().split("\n}\n").next().unwrap();
    found
        .extend(late.split("    fn ").skip(1).map(|it| (it.split('(').next().unwrap().to_owned(), "ole32".to_owned())));
    found
}

#[test]
fn imports_lie_in_their_libraries() {
    let (system, mut found) = (System::read(), Differences::new());
    let imports = imports();
    let names = sources::functions().into_iter().map(|it| it.name).filter(|it| !it.starts_with("Oleander"));
    let surface: BTreeSet<_> = names.collect();
    let imported: BTreeSet<_> = imports.iter().map(|(name, _)| name.clone()).collect();
    assert_eq!((&imported, imports.len()), (&surface, surface.len()), "every function of the surface, once");
    for (name, library) in imports {
        let theirs = system.library(&name).unwrap_or_default();
        if theirs != library {
            found.insert(name, format!("in {library}, there {theirs}"));
        }
    }
    only(&found, exceptions::LIBRARIES);
}

#[test]
fn constants_have_their_values() {
    let (system, mut found, mut compared) = (System::read(), Differences::new(), 0);
    let hresults = oleander::abi::hresult::ALL.iter().map(|(name, value, _)| (*name, i64::from(value.0)));
    for (name, value) in hresults.chain(oleander::FLAGS.iter().copied()) {
        // Win32 errors have HRESULTs of their own here.
        let from_win32 = |name| system.constant(name).map(|code| code & 0xFFFF | 0x8007_0000);
        let Some(theirs) = name.strip_suffix("_HR").map_or_else(|| system.constant(name), from_win32) else {
            found.insert(name.to_owned(), "not there".to_owned());
            continue;
        };
        compared += 1;
        // The same 32 bits: the metadata has some of the unsigned ones signed, and the other way round.
        if theirs as u32 != value as u32 {
            found.insert(name.to_owned(), format!("{value:#x}, there {theirs:#x}"));
        }
    }
    assert!(compared > 150, "only {compared} constants compared");
    only(&found, exceptions::CONSTANTS);
}

#[test]
fn class_ids_have_their_values() {
    let (system, mut found) = (System::read(), Differences::new());
    for (name, ours) in oleander::abi::clsid::CLASS_IDS {
        match system.id(name) {
            None => drop(found.insert((*name).to_owned(), "not there".to_owned())),
            Some(theirs) if theirs == format!("{ours:?}").to_lowercase() => {}
            Some(theirs) => drop(found.insert((*name).to_owned(), format!("{ours:?}, there {theirs}"))),
        }
    }
    only(&found, exceptions::CLASS_IDS);
}

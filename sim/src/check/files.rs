//! Where the picture of a failure is kept: `target/oleander/<test>.html`, with the Mermaid text beside it.

use super::Counterexample;
use std::fs;
use std::path::PathBuf;

/// The name of the test that runs on this thread.
pub(super) fn test_name() -> String {
    std::thread::current().name().unwrap_or("scenario").to_owned()
}

/// The target folder of whoever runs: cargo's, or the one that the program lies in.
fn target() -> PathBuf {
    if let Some(folder) = std::env::var_os("CARGO_TARGET_DIR") {
        return folder.into();
    }
    let program = std::env::current_exe().unwrap_or_default();
    let found = program.ancestors().find(|folder| folder.file_name().is_some_and(|name| name == "target"));
    found.map_or_else(|| PathBuf::from("target"), PathBuf::from)
}

/// Writes the picture; says where it is, or why it is not there.
pub(super) fn keep(failure: &Counterexample) -> String {
    let name: String = test_name().chars().map(|c| if c.is_alphanumeric() || c == '_' { c } else { '-' }).collect();
    let folder = target().join("oleander");
    let (page, text) = (folder.join(format!("{name}.html")), folder.join(format!("{name}.mmd")));
    let written = fs::create_dir_all(&folder)
        .and_then(|()| fs::write(&page, &failure.page))
        .and_then(|()| fs::write(&text, &failure.mermaid));
    match written {
        Ok(()) => format!("picture: {}", page.display()),
        Err(error) => format!("no picture: {}: {error}", page.display()),
    }
}

//! The contract as data: every fact of COM's behaviour, how it is known, and what shows it; and the pages made from it.
//!
//! `tests/contract/*.toml` holds the facts, one file a section, in the order that `index.toml` gives. A fact is shown by rows
//! (`tests/cases/*.rows`; a row's id is the fact's, with `.2` and so on behind it where there are several), by plain
//! tests that it names (`shown_by`), or it says why no row can show it (`no_row`). `tests/expect/BACKEND.toml` holds the
//! divergences ([`crate::expect`]). [`Contract::read`] takes all that in, [`check`] finds what is not in order,
//! [`pages`] writes the chapters of the book.
//!
//! `data` is the data, `evidence` what shows a fact, `check` the rules, `page` the text. All are plain functions over the
//! data; nothing runs here, and nothing is shared.

mod check;
mod data;
mod evidence;
mod page;

pub use check::{check, rules};
pub use data::{Contract, Fact, Ids, Known, Section, Source};
pub use evidence::{Evidence, Mark};
pub use page::pages;

use std::path::Path;
use std::{fs, io};

/// How the pages are written anew.
pub const RENEW: &str = "cargo run -p oleander-tests -- --contract";

/// Writes the pages below `root`, the workspace.
///
/// # Errors
/// Of the file system.
pub fn renew(root: &Path, contract: &Contract, evidence: &Evidence) -> io::Result<()> {
    for (path, text) in pages(contract, evidence) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("below the root"))?;
        fs::write(path, text)?;
    }
    Ok(())
}

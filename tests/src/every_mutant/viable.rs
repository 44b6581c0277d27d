//! Plants, asks the compiler, and drops what does not compile, until all that is left does.
//!
//! A mutant in whose own text the compiler finds an error would not compile alone either. One whose branch is the error,
//! and not its text, cannot be planted, which says nothing of the mutant.

use super::places::{Bytes, Place, Places, Way};
use super::{Mutant, plant, text_of};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a branch computes that the compiler knows to be wrong is no error.
const SILENT: &str = "#![allow(warnings, arithmetic_overflow, unconditional_panic)]\n";

/// How a text chooses, and how it says what is reached. Statics are right here: nobody else's process has them.
const CHOICE: &str = r#"
struct Mutants {
    chosen: usize,
    reached: Option<std::fs::File>,
    seen: [std::sync::atomic::AtomicBool; COUNT],
}

fn mutants() -> &'static Mutants {
    static MUTANTS: std::sync::OnceLock<Mutants> = std::sync::OnceLock::new();
    MUTANTS.get_or_init(|| Mutants {
        chosen: std::env::var("OLEANDER_MUTANT").ok().and_then(|it| it.parse().ok()).unwrap_or(COUNT),
        reached: std::env::var_os("OLEANDER_REACHED")
            .and_then(|path| std::fs::OpenOptions::new().append(true).create(true).open(path).ok()),
        seen: [const { std::sync::atomic::AtomicBool::new(false) }; COUNT],
    })
}

/// Whether this is the mutant that runs.
pub(crate) fn mutant(number: usize) -> bool {
    mutant_where(number, || true)
}

/// The same, for one that is reached only where it differs.
pub(crate) fn mutant_where(number: usize, differs: impl FnOnce() -> bool) -> bool {
    use std::io::Write;
    let mutants = mutants();
    if let Some(mut reached) = mutants.reached.as_ref() {
        let seen = &mutants.seen[number];
        let relaxed = std::sync::atomic::Ordering::Relaxed;
        if !seen.load(relaxed) && differs() && !seen.swap(true, relaxed) {
            let _ = reached.write_all(&(number as u32).to_le_bytes());
        }
    }
    mutants.chosen == number
}
"#;

/// What became of the mutants; those in no list are planted.
#[derive(Debug, Default)]
pub struct Planted {
    /// The compiler refuses them.
    pub not_viable: BTreeSet<usize>,
    /// They are in what the compiler computes.
    pub constant: BTreeSet<usize>,
    /// No branch can be made of them.
    pub unplanted: BTreeSet<usize>,
    /// Where they differ cannot be asked; they are planted without.
    plain: BTreeSet<usize>,
}

impl Planted {
    /// Whether a mutant is not there.
    pub fn without(&self, mutant: usize) -> bool {
        [&self.not_viable, &self.constant, &self.unplanted].into_iter().any(|list| list.contains(&mutant))
    }
}

/// Plants all mutants that can be into a copy.
///
/// # Errors
/// What cannot be read or written, and errors of the compiler that no mutant has made.
pub fn plant(copy: &Path, mutants: &[Mutant]) -> Result<Planted, String> {
    let mut planted = Planted::default();
    let (mut texts, mut places) = (BTreeMap::new(), BTreeMap::<&Path, Vec<(usize, Bytes, Way)>>::new());
    for mutant in mutants {
        if !texts.contains_key(mutant.file.as_path()) {
            texts.insert(mutant.file.as_path(), text_of(copy, &mutant.file)?);
        }
    }
    for (file, text) in &texts {
        let found = Places::of(text).map_err(|error| format!("{}: {error}", file.display()))?;
        for (number, mutant) in mutants.iter().enumerate().filter(|(_, mutant)| mutant.file == *file) {
            match found.find(mutant) {
                Place::At(at, way) => places.entry(file).or_default().push((number, at, way)),
                Place::Constant => drop(planted.constant.insert(number)),
                Place::Let => drop(planted.not_viable.insert(number)),
                Place::Unknown => drop(planted.unplanted.insert(number)),
            }
        }
    }
    let library = text_of(copy, Path::new("core/src/lib.rs"))?;
    let choice = CHOICE.replace("COUNT", &mutants.len().max(1).to_string());
    put(copy, Path::new("core/src/lib.rs"), &format!("{SILENT}{library}{choice}"))?;
    loop {
        let mut marks = BTreeMap::new();
        for (file, places) in &places {
            let left = places.iter().filter(|(number, ..)| !planted.without(*number)).cloned();
            let left = left.map(|(number, at, way)| match way {
                Way::Operator(left, new, right, _) if planted.plain.contains(&number) => {
                    (number, at, Way::Operator(left, new, right, false))
                }
                _ => (number, at, way),
            });
            let (text, found) = plant::write(&texts[file], left);
            put(copy, file, &text)?;
            marks.insert(file.to_path_buf(), found);
        }
        let errors = errors(copy)?;
        if errors.is_empty() {
            return Ok(planted);
        }
        println!("{} errors of the compiler", errors.len());
        for error in errors {
            let (file, at) = error.at.first().ok_or_else(|| error.text.clone())?;
            let inside = |mark: &&plant::Mark| mark.at.start <= at.start && at.end <= mark.at.end;
            let of_file = marks.get(file).map_or(&[][..], Vec::as_slice);
            // The smallest that contains it.
            let found = of_file.iter().filter(inside).min_by_key(|mark| (mark.at.len(), !mark.own));
            let Some(found) = found else {
                // An early return that makes the rest of the function an error: that of the nearest before it.
                let before = of_file.iter().filter(|mark| !mark.own && mark.at.end <= at.start);
                let nearest = before.max_by_key(|mark| mark.at.end);
                let nearest = nearest.ok_or_else(|| format!("no mutant made this error:\n{}", error.text))?;
                let all = of_file.iter().filter(|mark| !mark.own && mark.at == nearest.at);
                planted.unplanted.extend(all.map(|mark| mark.mutant));
                continue;
            };
            let all = of_file.iter().filter(|mark| mark.own == found.own && mark.at == found.at);
            for mark in all {
                match found.own {
                    true => drop(planted.not_viable.insert(mark.mutant)),
                    false if planted.plain.insert(mark.mutant) => {}
                    false => drop(planted.unplanted.insert(mark.mutant)),
                }
            }
        }
    }
}

fn put(copy: &Path, file: &Path, text: &str) -> Result<(), String> {
    fs::write(copy.join(file), text).map_err(|error| format!("{}: {error}", file.display()))
}

/// An error of the compiler, and the places that it names, the first one first.
struct Complaint {
    text: String,
    at: Vec<(PathBuf, Bytes)>,
}

fn errors(copy: &Path) -> Result<Vec<Complaint>, String> {
    let mut check = Command::new("cargo");
    check.current_dir(copy).args(["check", "-q", "-p", "oleander", "--lib", "--message-format", "json"]);
    let out = check.output().map_err(|error| error.to_string())?;
    let mut errors = Vec::new();
    for line in String::from_utf8_lossy(&out.stdout).lines() {
        let Ok(line) = serde_json::from_str::<Value>(line) else { continue };
        let message = &line["message"];
        let spans = message["spans"].as_array().map_or(&[][..], Vec::as_slice);
        if message["level"] != "error" || spans.is_empty() {
            continue;
        }
        let mut at: Vec<_> =
            spans.iter().filter_map(|span| Some((span["is_primary"].as_bool()?, place(span)?))).collect();
        at.sort_by_key(|(primary, _)| !primary);
        let text = message["rendered"].as_str().unwrap_or_default().to_owned();
        errors.push(Complaint { text, at: at.into_iter().map(|(_, at)| at).collect() });
    }
    if errors.is_empty() && !out.status.success() {
        return Err(String::from_utf8_lossy(&out.stderr).into_owned());
    }
    Ok(errors)
}

fn place(span: &Value) -> Option<(PathBuf, Bytes)> {
    let byte = |name: &str| usize::try_from(span[name].as_u64()?).ok();
    Some((PathBuf::from(span["file_name"].as_str()?), byte("byte_start")?..byte("byte_end")?))
}

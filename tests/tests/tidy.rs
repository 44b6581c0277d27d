//! The house's style as tests: sizes, heads, what each room may know, links, and that CI runs what the README promises.
//!
//! The tests read sources as text. Needles that these tests must not find in themselves are put together by `concat!`.

#[allow(dead_code, reason = "it has what other tests look for")]
#[path = "../../core/ffi/tests/native/declared.rs"]
mod declared;
#[allow(dead_code, reason = "it has what other tests look for")]
#[path = "../../core/ffi/tests/native/sources.rs"]
mod surface;

use declared::Function;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

const LINES_MAX: usize = 900;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package lies in the workspace")
}

/// A text file of the workspace; `path` is relative to its root, with slashes.
struct Source {
    path: String,
    text: String,
}

impl Source {
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }

    fn is_under(&self, folders: &[&str]) -> bool {
        folders.iter().any(|folder| self.path.starts_with(folder))
    }

    /// Whether all of it is test code.
    fn is_test(&self) -> bool {
        self.path.contains("/tests/") || self.path.ends_with("tests.rs")
    }

    /// The lines before the module of tests that ends the file, without comments; none of a file of tests.
    fn lines_of_code(&self) -> Vec<(usize, &str)> {
        let lines: Vec<_> = self.lines().collect();
        let is_end = |pair: &[(usize, &str)]| {
            pair[0].1.starts_with("#[cfg(") && pair[0].1.contains("test") && pair[1].1.ends_with('{')
        };
        let end = lines.windows(2).position(is_end).unwrap_or(lines.len());
        let end = if self.is_test() { 0 } else { end };
        lines[..end].iter().map(|(number, line)| (*number, without_comment(line))).collect()
    }
}

/// A line of Rust up to its comment. A `//` inside a string ends it too, which costs these tests nothing.
fn without_comment(line: &str) -> &str {
    line.split("//").next().unwrap_or(line)
}

fn collect(folder: &Path, extension: &str, found: &mut Vec<Source>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).expect("the folder can be read").map(|entry| entry.expect("an entry").path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().and_then(|name| name.to_str()).expect("names are UTF-8");
        if path.is_dir() {
            if !matches!(name, "target" | ".git") {
                collect(&path, extension, found);
            }
        } else if path.extension().is_some_and(|it| it == extension) {
            let relative = path.strip_prefix(root()).expect("below the root");
            let relative = relative.to_str().expect("names are UTF-8").replace('\\', "/");
            found.push(Source { path: relative, text: fs::read_to_string(&path).expect("text is UTF-8") });
        }
    }
}

/// All Rust files of the workspace's packages.
fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    for package in ["core", "sim", "tests", "benches"] {
        collect(&root().join(package), "rs", &mut found);
    }
    assert!(!found.is_empty(), "there is no source at all below {}", root().display());
    found
}

/// The book and the pages at the root.
fn pages() -> Vec<Source> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root()).expect("the root can be read") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|it| it == "md") {
            let name = path.file_name().and_then(|name| name.to_str()).expect("names are UTF-8").to_owned();
            found.push(Source { path: name, text: fs::read_to_string(&path).expect("text is UTF-8") });
        }
    }
    collect(&root().join("docs/src"), "md", &mut found);
    found
}

/// Violations, one a line, and the assertion that there are none.
#[derive(Default)]
struct Violations(String);

impl Violations {
    fn add(&mut self, path: &str, line: usize, what: &str) {
        writeln!(self.0, "{path}:{line}: {what}").expect("a string takes it");
    }

    #[track_caller]
    fn assert_none(self) {
        assert!(self.0.is_empty(), "\n{}", self.0);
    }
}

/// Adds a violation for every line of code that contains one of the needles.
fn forbid(source: &Source, lines: &[(usize, &str)], needles: &[&str], why: &str, violations: &mut Violations) {
    for (number, line) in lines {
        for needle in needles.iter().filter(|needle| line.contains(**needle)) {
            violations.add(&source.path, *number, &format!("`{needle}`: {why}"));
        }
    }
}

#[test]
fn no_source_file_is_longer_than_900_lines() {
    let mut violations = Violations::default();
    for source in sources() {
        let count = source.text.lines().count();
        if count > LINES_MAX {
            violations.add(&source.path, count, "too long: split the room");
        }
    }
    violations.assert_none();
}

#[test]
fn every_source_file_says_at_its_head_what_it_is() {
    let mut violations = Violations::default();
    let rooms = ["core/src/", "core/macros/src/", "core/ffi/src/", "sim/src/"];
    for source in sources().iter().filter(|source| source.is_under(&rooms)) {
        if !source.text.starts_with("//! ") {
            violations.add(&source.path, 1, "begins with `//!` and what it is");
        }
    }
    violations.assert_none();
}

#[test]
fn nothing_is_left_for_later() {
    let needles = [
        concat!("to", "do!("),
        concat!("unimple", "mented!("),
        concat!("#[ig", "nore]"),
        concat!(", ig", "nore)]"),
        concat!("db", "g!("),
    ];
    stands_nowhere(&needles, "finish it, or say why a test is left out");
}

/// None of the sources has one of these.
fn stands_nowhere(needles: &[&str], instead: &str) {
    let mut violations = Violations::default();
    for source in sources() {
        let lines: Vec<_> = source.lines().collect();
        forbid(&source, &lines, needles, instead, &mut violations);
    }
    violations.assert_none();
}

#[test]
fn nothing_sleeps_but_in_virtual_time() {
    let needles = [concat!("thread::", "sleep")];
    stands_nowhere(&needles, "use events, or a simulated world");
}

#[test]
fn protocol_is_pure() {
    let needles = [
        "std::sync::",
        "parking_lot",
        "crossbeam",
        "Mutex",
        "Condvar",
        "Instant",
        "now_ns",
        "platform::block",
        "platform::current",
        "platform::visit",
        "c_void",
        "IUnknown",
        "Interface",
    ];
    let mut violations = Violations::default();
    let protocol = sources().into_iter().filter(|source| source.is_under(&["core/src/protocol/"]));
    let mut files = 0;
    for source in protocol {
        files += 1;
        let lines = source.lines_of_code();
        forbid(&source, &lines, &needles, "no lock, clock, thread or COM pointer here", &mut violations);
        for (number, line) in &lines {
            for name in names_of_windows_core(line) {
                if !matches!(name, "HRESULT" | "GUID") {
                    violations.add(&source.path, *number, &format!("`{name}`: values only, HRESULT and GUID"));
                }
            }
        }
    }
    assert!(files > 0, "there is no protocol");
    violations.assert_none();
}

/// What a line takes from windows-core: the names in `windows_core::{A, B}` or `windows_core::A`.
fn names_of_windows_core(line: &str) -> Vec<&str> {
    let Some((_, rest)) = line.split_once("windows_core::") else { return Vec::new() };
    let list = match rest.strip_prefix('{') {
        Some(list) => list.split('}').next().unwrap_or(list),
        None => rest.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or(rest),
    };
    list.split(',').map(str::trim).filter(|name| !name.is_empty()).collect()
}

#[test]
fn only_the_platform_knows_threads_and_time() {
    let needles =
        ["thread::spawn", "thread::Builder", "thread::scope", "thread::park", "Instant", "SystemTime", "thread_local!"];
    let mut violations = Violations::default();
    for source in sources() {
        if source.is_under(&["core/src/", "core/ffi/src/"]) && !source.is_under(&["core/src/platform/"]) {
            let lines = source.lines_of_code();
            forbid(
                &source,
                &lines,
                &needles,
                "only platform/ and the simulator know threads and time",
                &mut violations,
            );
        }
    }
    violations.assert_none();
}

#[test]
fn the_library_has_no_hash_map_to_iterate() {
    let mut violations = Violations::default();
    for source in sources().iter().filter(|source| source.is_under(&["core/src/", "core/ffi/src/"])) {
        let why = "its order changes from run to run: use a BTreeMap";
        forbid(source, &source.lines_of_code(), &["HashMap", "HashSet"], why, &mut violations);
    }
    violations.assert_none();
}

/// The functions that the code of a text calls: a name and a parenthesis, outside of strings (of one line, without quotes
/// in them) and comments.
fn called(text: &str) -> BTreeSet<&str> {
    let is_end = |c: char| !(c.is_alphanumeric() || c == '_');
    let mut called = BTreeSet::new();
    for code in text.lines().flat_map(|line| without_comment(line).split('"').step_by(2)) {
        for word in code.split_inclusive(is_end) {
            let name = word.trim_end_matches(is_end);
            if word.ends_with('(') {
                called.insert(name);
            }
        }
    }
    called
}

#[test]
fn every_function_that_takes_a_pointer_or_handle_is_called_with_a_bad_one() {
    assert_eq!(called("f(\"a, b()\", a(b, c)) // d()"), BTreeSet::from(["a", "f"]));
    let needles = ["*mut", "*const", "HANDLE", "HWND", "BSTR"];
    let survival: String =
        sources().iter().filter(|it| it.is_under(&["core/tests/survival/"])).map(|it| &*it.text).collect();
    let called = called(&survival);
    let takes_one =
        |it: &Function| it.parameters.iter().any(|(ty, _)| needles.iter().any(|needle| ty.contains(needle)));
    let all: Vec<_> = surface::functions().into_iter().filter(takes_one).collect();
    assert!(all.len() > 150, "the functions are found: {}", all.len());
    let absent: Vec<_> = all.iter().map(|it| it.name.as_str()).filter(|name| !called.contains(name)).collect();
    assert!(absent.is_empty(), "called nowhere in core/tests/survival/: {absent:?}");
}

#[test]
fn loom_is_known_in_one_place() {
    let needles = ["cfg(loom)", "cfg(not(loom))", "cfg!(loom)", "loom::"];
    let mut violations = Violations::default();
    for source in sources().iter().filter(|source| source.is_under(&["core/", "sim/"])) {
        if source.path != "core/src/platform/sync.rs" {
            let why = "take the primitive from platform/sync.rs";
            forbid(source, &source.lines_of_code(), &needles, why, &mut violations);
        }
    }
    violations.assert_none();
}

/// The models of loom in a file: line, name, and whether a comment before it says what it shows.
fn models(source: &Source) -> impl Iterator<Item = (usize, &str, bool)> {
    let mut before = "";
    source.lines().filter_map(move |(number, line)| {
        let line = line.trim();
        let name = line.strip_prefix(concat!("fn lo", "om_")).and_then(|rest| rest.split_once('('));
        let found = name.map(|(name, _)| (number, name, before.starts_with("///")));
        if !line.starts_with("#[") {
            before = line;
        }
        found
    })
}

/// Whether some comment of a file says how long its models take.
fn says_how_long(source: &Source) -> bool {
    let comments = source.lines().filter_map(|(_, line)| line.trim().strip_prefix("//"));
    let words = comments.map(|line| line.trim_start_matches(['/', '!'])).collect::<String>();
    words.split('.').any(|sentence| sentence.contains(" take") && sentence.contains("second"))
}

#[test]
fn every_model_of_loom_says_what_it_shows_and_how_long_it_takes_and_a_mutant_turns_it_red() {
    let mutants = oleander_tests::mutants::read(root()).unwrap_or_else(|error| panic!("{error}"));
    let mut violations = Violations::default();
    let mut count = 0;
    for source in sources().iter().filter(|source| source.is_under(&["core/src/", "sim/src/"])) {
        for (number, name, is_told) in models(source) {
            count += 1;
            let is_shown = |model: &str| model.ends_with(&format!("::{}{name}", concat!("lo", "om_")));
            let wrong = [
                (!is_told, "a comment says what the model shows"),
                (!says_how_long(source), "a comment says how long the models take"),
                (
                    !mutants.iter().any(|mutant| mutant.loom.as_deref().is_some_and(is_shown)),
                    "a mutant of tests/mutants turns the model red",
                ),
            ];
            wrong.iter().filter(|wrong| wrong.0).for_each(|wrong| violations.add(&source.path, number, wrong.1));
        }
    }
    violations.assert_none();
    assert!(count >= 20, "{count} models");
}

#[test]
fn what_random_tests_have_found_is_kept() {
    let needles = [concat!("failure_", "persistence")];
    stands_nowhere(&needles, "proptest writes its failures where it does by itself");
}

/// The headings of a page as the anchors that they get.
fn anchors(text: &str) -> BTreeSet<String> {
    outside_code(text).filter(|(_, line)| line.starts_with('#')).map(|(_, line)| anchor(line)).collect()
}

fn anchor(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// The lines of a page that are not in a block of code.
fn outside_code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut inside = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let fence = line.trim_start().starts_with("```");
        inside ^= fence;
        (!inside && !fence).then_some((index + 1, line))
    })
}

/// The targets of a line's links: `](target)`.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

#[test]
fn every_relative_link_leads_somewhere() {
    let mut violations = Violations::default();
    let mut links = 0;
    for page in pages() {
        let here = root().join(&page.path);
        for (number, line) in outside_code(&page.text) {
            for target in targets(line).filter(|target| !target.contains("://")) {
                links += 1;
                let (path, wanted) = target.split_once('#').map_or((target, None), |(path, to)| (path, Some(to)));
                let file = if path.is_empty() { here.clone() } else { here.parent().expect("a folder").join(path) };
                if !file.exists() {
                    violations.add(&page.path, number, &format!("`{target}` leads nowhere"));
                } else if let Some(wanted) = wanted
                    && !anchors(&fs::read_to_string(&file).expect("a page is text")).contains(wanted)
                {
                    violations.add(&page.path, number, &format!("`{target}`: there is no such heading"));
                }
            }
        }
    }
    assert!(links > 0, "the pages have no link");
    violations.assert_none();
}

#[test]
fn every_path_that_a_page_names_is_there() {
    let mut violations = Violations::default();
    let rooms = ["core/", "sim/", "tests/", "benches/", "ci/", ".ci/", "docs/"];
    for page in pages() {
        for (number, line) in outside_code(&page.text) {
            for name in line.split('`').skip(1).step_by(2) {
                let is_path = rooms.iter().any(|room| name.starts_with(room)) && !name.contains([' ', '*', '…', '<']);
                if is_path && !root().join(name).exists() {
                    violations.add(&page.path, number, &format!("`{name}` is not there"));
                }
            }
        }
    }
    violations.assert_none();
}

#[test]
fn the_book_lists_every_chapter() {
    let summary = fs::read_to_string(root().join("docs/src/SUMMARY.md")).expect("the book has a summary");
    let listed: BTreeSet<String> = summary.lines().flat_map(targets).map(str::to_owned).collect();
    let mut chapters = Vec::new();
    collect(&root().join("docs/src"), "md", &mut chapters);
    let there = chapters.iter().filter_map(|chapter| chapter.path.strip_prefix("docs/src/")).map(str::to_owned);
    let there: BTreeSet<String> = there.filter(|name| name != "SUMMARY.md").collect();
    assert_eq!(listed, there);
}

/// The lines of the README's first `sh` block, without comments.
fn readme_commands() -> Vec<String> {
    let readme = fs::read_to_string(root().join("README.md")).expect("there is a README");
    let block = readme.lines().skip_while(|line| *line != "```sh").skip(1).take_while(|line| *line != "```");
    let lines = block.map(|line| line.split(" #").next().unwrap_or(line).trim_end().to_owned());
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

#[test]
fn ci_runs_the_two_commands_of_the_readme() {
    let commands = readme_commands();
    assert_eq!(commands.len(), 2, "the README promises two commands: {commands:?}");
    assert!(commands.iter().all(|command| command.starts_with("cargo ")), "{commands:?}");
    let script = fs::read_to_string(root().join(".ci/run")).expect("there is .ci/run");
    assert!(script.contains("ci/readme-commands"), ".ci/run takes them from the README");
    for command in &commands {
        assert!(!script.contains(command.as_str()), ".ci/run has no copy of `{command}` that could go stale");
    }
}

#[cfg(unix)]
#[test]
fn ci_reads_the_readme_as_we_do() {
    let output =
        std::process::Command::new("bash").arg(root().join("ci/readme-commands")).output().expect("there is a bash");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed: Vec<String> = String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
    assert_eq!(printed, readme_commands());
}

#[cfg(unix)]
#[test]
fn the_gates_can_be_executed() {
    use std::os::unix::fs::PermissionsExt as _;
    let scripts = fs::read_dir(root().join("ci")).expect("it is there").map(|entry| entry.expect("readable").path());
    let is_program = |path: &PathBuf| fs::read_to_string(path).is_ok_and(|text| text.starts_with("#!"));
    let gates: Vec<_> = scripts.filter(is_program).chain([root().join(".ci/run")]).collect();
    assert!(gates.len() > 10, "{gates:?}");
    for gate in gates {
        let mode = fs::metadata(&gate).unwrap_or_else(|error| panic!("{gate:?}: {error}")).permissions().mode();
        assert_eq!(mode & 0o111, 0o111, "{gate:?} can be executed");
    }
}

#[test]
fn these_tests_see_what_they_look_for() {
    let source = Source {
        path: "core/src/room/file.rs".to_owned(),
        text: "//! Head.\nuse a; // Instant\nlet b = Instant;\n#[cfg(test)]\nmod tests {\n Instant\n}".to_owned(),
    };
    let lines = source.lines_of_code();
    assert_eq!(lines.len(), 3, "up to the tests");
    let mut violations = Violations::default();
    forbid(&source, &lines, &["Instant"], "no", &mut violations);
    assert_eq!(violations.0, "core/src/room/file.rs:3: `Instant`: no\n", "code, and neither comment nor test");
    assert_eq!(names_of_windows_core("use windows_core::{GUID, Interface};"), ["GUID", "Interface"]);
    assert_eq!(names_of_windows_core("-> windows_core::Result<()>"), ["Result"]);
    assert_eq!(anchor("## C and C++: `link!` it"), "c-and-c-link-it");
    assert_eq!(targets("[a](b.md#c) and ![d](e.png)").collect::<Vec<_>>(), ["b.md#c", "e.png"]);
    let text =
        "/// Shows.\n#[test]\nfn lo_om_one() {\n}\n#[test]\nfn lo_om_two() {\n// Each takes less than a\n// second."
            .replace("lo_om", concat!("lo", "om"));
    let source = Source { path: String::new(), text };
    assert_eq!(models(&source).collect::<Vec<_>>(), [(3, "one", true), (6, "two", false)]);
    assert!(says_how_long(&source));
    assert_eq!(outside_code("a\n```\nb\n```\nc").collect::<Vec<_>>(), [(1, "a"), (5, "c")]);
}

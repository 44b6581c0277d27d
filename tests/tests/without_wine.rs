//! A machine whose Wine is missing, or does not start: what needs Wine says so in one line and ends with status 77, nothing is left
//! behind, and CI goes on without it, says that, and builds the book with a contract whose column *Wine* is `not run`.
//!
//! The machine is a folder of programs: the tools that the scripts use, stand-ins for cargo and rustc, and no apt-get.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const TOOLS: [&str; 10] = ["bash", "awk", "cat", "cp", "dirname", "mkdir", "mktemp", "rm", "sed", "tee"];

struct Machine {
    root: PathBuf,
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

fn find(tool: &str) -> PathBuf {
    let path = std::env::var_os("PATH").expect("a PATH");
    std::env::split_paths(&path).map(|dir| dir.join(tool)).find(|it| it.exists()).unwrap_or_else(|| panic!("no {tool}"))
}

impl Machine {
    fn new(name: &str) -> Self {
        let machine = Self { root: std::env::temp_dir().join(format!("oleander-{name}-{}", std::process::id())) };
        let root = machine.root.display().to_string();
        fs::create_dir_all(machine.root.join("bin")).unwrap();
        fs::create_dir_all(machine.root.join("sysroot/lib/rustlib/x86_64-pc-windows-gnu/lib")).unwrap();
        for tool in TOOLS {
            symlink(find(tool), machine.root.join("bin").join(tool)).unwrap();
        }
        machine.program("cargo", &format!(r#"[ "$1" != metadata ] || echo '{{"target_directory":"{root}/target"}}'"#));
        machine.program("rustc", &format!("echo '{root}/sysroot'"));
        machine.program("x86_64-w64-mingw32-gcc", "exit 0");
        machine
    }

    /// One more program.
    fn program(&self, name: &str, body: &str) {
        let path = self.root.join("bin").join(name);
        fs::write(&path, format!("#!{}\n{body}\n", find("bash").display())).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn bash(&self, arguments: &[&str]) -> Output {
        Command::new(find("bash"))
            .args(arguments)
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap())
            .env("PATH", self.root.join("bin"))
            .output()
            .unwrap()
    }

    /// Everything that needs Wine says this, and ends as it should.
    fn cannot(&self, line: &str) {
        for script in ["ci/windows-under-wine.sh", "ci/side-by-side"] {
            let output = self.bash(&[script]);
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(77), "{script}: {said}");
            assert!(said.lines().any(|it| it == line), "{script}: {said}");
        }
        let left = fs::read_dir(self.root.join("target/wine")).into_iter().flatten();
        assert!(left.flatten().all(|it| it.file_name() == "libraries"), "a prefix was left behind");
        let gate = ". ci/lib.sh; run_where_possible bash ci/windows-under-wine.sh --on-system";
        let output = self.bash(&["-c", &format!("{gate}; choose_book; say \"$book\"; summary")]);
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}");
        let copy = self.root.join("target/without-wine");
        let pages = format!("==> cargo run -q -p oleander-tests -- --contract-without-wine {}", copy.display());
        for line in [pages, format!("==> {}/docs", copy.display())] {
            assert!(said.lines().any(|it| it == line), "{said}");
        }
        assert!(copy.join("docs/book.toml").exists());
        let skipped = "skipped: bash ci/windows-under-wine.sh --on-system: it said above why it cannot run here";
        assert!(said.lines().any(|it| it == skipped), "{said}");
    }
}

#[test]
fn wine_is_missing() {
    Machine::new("missing").cannot("!!! wine is missing: install wine, wine64 and gcc-mingw-w64-x86-64");
}

#[test]
fn wine_is_broken() {
    let machine = Machine::new("broken");
    machine.program("wine", "exit 3");
    machine.program("wineserver", "exit 0");
    machine.cannot("!!! Wine is there and does not start: wineboot gives 3");
}

#[test]
fn with_wine_the_book_is_as_it_is() {
    let output = Machine::new("there").bash(&["-c", ". ci/lib.sh; choose_book; say \"$book\""]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "\n==> docs\n");
}

#[test]
fn whoever_builds_the_book_has_asked_for_wine_and_chosen_it() {
    for script in [".ci/run", "ci/slow"] {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(script)).unwrap();
        let commands =
            ["run_where_possible bash ci/windows-under-wine.sh", "choose_book", "run mdbook build \"$book\""];
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        let at = commands.map(|command| lines.iter().position(|line| line.starts_with(command)));
        assert!(at.iter().all(Option::is_some) && at.is_sorted(), "{script}: {at:?}");
        assert_eq!(text.matches("mdbook build").count(), 1, "{script}");
    }
}

#[test]
fn a_test_under_wine_that_fails_is_no_skip() {
    let machine = Machine::new("fails");
    machine.program("wine", r#"[ "$1" = wineboot ]"#);
    machine.program("wineserver", "exit 0");
    machine.program("winepath", "echo Z:");
    machine.program(
        "cargo",
        &format!(
            r#"case "$1" in metadata) echo '{{"target_directory":"{}/target"}}' ;; test) exit 1 ;; esac"#,
            machine.root.display()
        ),
    );
    let output =
        machine.bash(&["-c", ". ci/lib.sh; run_where_possible bash ci/windows-under-wine.sh --on-system; summary"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("!!! failed with 1"), "{said}");
}

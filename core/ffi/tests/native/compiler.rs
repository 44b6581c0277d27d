//! The C and C++ compilers of the machine.
//!
//! The default ones come from the `cc` crate (which honours `CC` and `CXX`); gcc, g++, clang and clang++ are tried as well
//! where they are installed.

use crate::Outcome;
use libtest_mimic::Failed;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// What a compiler compiles.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// C11.
    C,
    /// C++17.
    Cpp,
}

/// One compiler for one language.
#[derive(Clone)]
pub struct Compiler {
    /// The name of the program.
    pub name: String,
    /// Its language.
    pub language: Language,
    path: PathBuf,
    arguments: Vec<std::ffi::OsString>,
    found: bool,
}

const TARGET: &str = env!("OLEANDER_FFI_TARGET");
/// How long a program may run before it counts as hanging.
const RUN_S_MAX: u64 = 120;

impl Compiler {
    /// The default C++ and C compilers, there or not, and the usual ones that are there beside them.
    pub fn all() -> Vec<Compiler> {
        let mut all = vec![Self::default_for(Language::Cpp), Self::default_for(Language::C)];
        for name in ["g++", "clang++", "gcc", "clang"] {
            let language = if name.ends_with("++") { Language::Cpp } else { Language::C };
            let path = PathBuf::from(name);
            // The default one under another name is the same compiler.
            let same = |known: &Compiler| known.language == language && version(&known.path) == version(&path);
            if runs(&path) && !all.iter().any(same) {
                all.push(Compiler { name: name.to_owned(), language, path, arguments: Vec::new(), found: true });
            }
        }
        all
    }

    /// Checks source text, with every warning an error and no extension of the language allowed.
    pub fn check(&self, name: &str, source: &str) -> Outcome {
        let cpp = self.language == Language::Cpp;
        let file = scratch().join(format!("{name}_{}.{}", self.name, if cpp { "cpp" } else { "c" }));
        std::fs::write(&file, source)?;
        let mut command = Command::new(&self.path);
        command.args([if cpp { "-std=c++17" } else { "-std=c11" }, "-Wall", "-Wextra", "-Wpedantic", "-Werror"]);
        command.args(["-fsyntax-only", "-I"]).arg(include_dir()).arg(&file);
        succeed(&mut command).map(drop)
    }

    fn default_for(language: Language) -> Compiler {
        let mut build = cc::Build::new();
        build.cpp(language == Language::Cpp).target(TARGET).host(TARGET).opt_level(1).cargo_metadata(false);
        let (path, arguments) = match build.try_get_compiler() {
            Ok(tool) => (tool.path().to_owned(), tool.args().to_owned()),
            Err(_) => (PathBuf::from(if language == Language::Cpp { "c++" } else { "cc" }), Vec::new()),
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let found = runs(&path);
        Compiler { name, language, path, arguments, found }
    }

    /// Why it cannot be used, if it cannot.
    pub fn absent(&self) -> Option<String> {
        if cfg!(windows) {
            return Some("Windows has the real headers".to_owned());
        }
        let what = if self.language == Language::Cpp { "C++" } else { "C" };
        (!self.found).then(|| format!("no {what} compiler found ({} does not run)", self.path.display()))
    }

    /// Compiles source text to a program.
    pub fn build(&self, name: &str, source: &str, link: &[String]) -> Result<PathBuf, Failed> {
        let extension = if self.language == Language::Cpp { "cpp" } else { "c" };
        let file = scratch().join(format!("{name}_{}.{extension}", self.name));
        std::fs::write(&file, source)?;
        self.build_file(name, &file, link)
    }

    /// Compiles a file to a program, with every warning an error.
    pub fn build_file(&self, name: &str, file: &Path, link: &[String]) -> Result<PathBuf, Failed> {
        let extension = if self.language == Language::Cpp { "cpp" } else { "c" };
        let program = scratch().join(format!("{name}_{}_{extension}", self.name));
        let standard = if self.language == Language::Cpp { "-std=c++17" } else { "-std=c11" };
        let mut command = Command::new(&self.path);
        command.args(&self.arguments).args([standard, "-Wall", "-Wextra", "-Werror", "-g", "-pthread", "-I"]);
        command.arg(include_dir()).arg("-I").arg(programs_dir()).arg(file).args(link).arg("-o").arg(&program);
        succeed(&mut command)?;
        Ok(program)
    }
}

/// Runs a tool and gives what it has written; what it says is in the failure, if it fails.
pub fn succeed(command: &mut Command) -> Result<String, Failed> {
    let output = command.output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        return Err(format!("{command:?} failed:\n{said}{}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(said)
}

/// Whether a tool is there.
pub fn runs(compiler: &Path) -> bool {
    let silent = |command: &mut Command| command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    silent(Command::new(compiler).arg("--version")).is_ok_and(|status| status.success())
}

/// What a compiler says of itself, without its name.
fn version(compiler: &Path) -> Option<String> {
    let said = succeed(Command::new(compiler).arg("--version")).ok()?;
    let name = compiler.file_name()?.to_string_lossy().into_owned();
    Some(said.strip_prefix(&name).unwrap_or(&said).to_owned())
}

/// Runs a program and gives what it has written. Fails when it fails or hangs.
pub fn run(program: &Path, arguments: &[&str]) -> Result<String, Failed> {
    let mut command = Command::new(program);
    // cargo names folders there that may hold older builds of our libraries; the programs know the right folder themselves.
    command.args(arguments).env_remove("LD_LIBRARY_PATH");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let (mut stdout, mut stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        let errors = std::thread::spawn(move || {
            let mut text = String::new();
            stderr.read_to_string(&mut text).map(|_| text)
        });
        let mut text = String::new();
        let read = stdout.read_to_string(&mut text).map(|_| text);
        // An error means that nobody waits any more.
        let _ = send.send((read, errors.join()));
    });
    let Ok((text, errors)) = receive.recv_timeout(Duration::from_secs(RUN_S_MAX)) else {
        child.kill()?;
        child.wait()?;
        return Err(format!("{} hangs", program.display()).into());
    };
    let (text, errors) = (text?, errors.map_err(|_| "reader panicked")??);
    let status = child.wait()?;
    if !status.success() {
        return Err(format!("{} ended with {status}\n{text}\n{errors}", program.display()).into());
    }
    Ok(text)
}

/// Fails with both texts unless they are equal.
pub fn expect_equal<T: PartialEq + std::fmt::Debug>(what: &str, got: T, wanted: T) -> Outcome {
    if got == wanted { Ok(()) } else { Err(format!("{what}: got {got:?}, wanted {wanted:?}").into()) }
}

/// Where programs are built.
pub fn scratch() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
}

/// Where the header lies.
pub fn include_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("include")
}

/// The names of the header's parts, in order.
pub fn header_parts() -> Result<Vec<String>, Failed> {
    let mut parts = Vec::new();
    for entry in std::fs::read_dir(include_dir().join("oleander"))? {
        let path = entry?.path();
        parts.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
    }
    parts.sort();
    if parts.is_empty() { Err("the header has no parts".into()) } else { Ok(parts) }
}

/// Where the programs' sources lie.
pub fn programs_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/native/programs")
}

/// Where cargo has put our shared libraries: beside this executable.
pub fn libraries_dir() -> PathBuf {
    let own = std::env::current_exe().expect("a test knows its own executable");
    own.parent().expect("it lies in a folder").to_owned()
}

//! The files for CMake and pkg-config: a user's project finds the library with each, links it and runs.
//!
//! Both name `target/release`; the tests name the folder of the libraries that cargo has built for them instead, as a user
//! with another target folder does. Each test has a folder of its own.

use crate::Outcome;
use crate::compiler::{expect_equal, libraries_dir, programs_dir, run, runs, scratch, succeed};
use libtest_mimic::Trial;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The tests of this module.
pub fn trials() -> Vec<Trial> {
    vec![
        trial("cmake", "find_package_gives_a_shared_and_a_static_library", cmake),
        trial("cmake", "find_package_says_what_to_build", cmake_without_a_library),
        trial("pkg-config", "pkg_config_gives_flags_that_link", pkg_config),
        Trial::test("pkg_config_knows_the_version", version),
    ]
}

fn trial(tool: &'static str, name: &str, run: fn() -> Outcome) -> Trial {
    let absent = cfg!(windows) || !runs(Path::new(tool)) || !runs(Path::new("cc"));
    if absent {
        eprintln!("ignored: {name}: {tool} or cc is not there");
    }
    Trial::test(name.to_owned(), run).with_ignored_flag(absent)
}

fn package() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// `cmake` on the project in `tests/native/cmake`, with the libraries of a folder.
fn configure(build: &Path, libraries: &Path) -> Command {
    let mut command = Command::new("cmake");
    command.arg("-S").arg(package().join("tests/native/cmake")).arg("-B").arg(build);
    command.arg(format!("-Doleander_DIR={}", package().join("cmake").display()));
    command.arg(format!("-Doleander_LIBRARY_DIR={}", libraries.display()));
    command
}

fn cmake() -> Outcome {
    let build = scratch().join("cmake");
    succeed(&mut configure(&build, &libraries_dir()))?;
    succeed(Command::new("cmake").arg("--build").arg(&build))?;
    for kind in ["oleander", "static"] {
        let said = run(&build.join(format!("event_{kind}")), &[])?;
        expect_equal(kind, said.as_str(), "event: ok\n")?;
    }
    Ok(())
}

fn cmake_without_a_library() -> Outcome {
    let output = configure(&scratch().join("cmake_without"), &package()).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    let told = said.contains("oleander-ffi") && said.contains("set oleander_LIBRARY_DIR");
    if output.status.success() || !told { Err(format!("it said: {said}").into()) } else { Ok(()) }
}

fn pkg_config() -> Outcome {
    let mut command = Command::new("pkg-config");
    command.env("PKG_CONFIG_PATH", package().join("pkgconfig")).args(["--cflags", "--libs", "oleander"]);
    command.arg(format!("--define-variable=libdir={}", libraries_dir().display()));
    let flags = succeed(&mut command)?;
    let program = scratch().join("event_pkg_config");
    let mut compile = Command::new("cc");
    compile.arg("-std=c11").arg(programs_dir().join("event.c")).args(flags.split_whitespace()).arg("-o").arg(&program);
    succeed(&mut compile)?;
    expect_equal("output", run(&program, &[])?.as_str(), "event: ok\n")
}

fn version() -> Outcome {
    let text = std::fs::read_to_string(package().join("pkgconfig/oleander.pc"))?;
    let version = text.lines().find_map(|line| line.strip_prefix("Version: "));
    expect_equal("version", version, Some(env!("CARGO_PKG_VERSION")))
}

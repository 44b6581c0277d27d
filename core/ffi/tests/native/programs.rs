//! Programs in C and C++ that use the library, each linked and run as a user would.

use crate::compiler::{Compiler, Language, expect_equal, libraries_dir, programs_dir, run};
use crate::{Outcome, trial};
use libtest_mimic::Trial;
use std::env::consts::DLL_PREFIX;

/// What a program is linked with.
#[derive(Clone, Copy)]
enum Link {
    /// `liboleander_ffi`, shared.
    Shared,
    /// `liboleander_ffi`, static.
    Static,
    /// The library with a server in Rust, which holds ours.
    Component,
}

/// The tests of this module.
pub fn trials(compiler: &Compiler) -> Vec<Trial> {
    let test = |name: &str, file: &'static str, link: Link, arguments: &'static [&'static str], said: &'static str| {
        trial(compiler, name, move |compiler| program(compiler, file, link, arguments, said))
    };
    match compiler.language {
        Language::C => vec![
            test("sync_01_to_08_an_event_through_c_vtables", "event.c", Link::Shared, &[], "event: ok\n"),
            test("the_static_library_has_all_classes", "event.c", Link::Static, &[], "event: ok\n"),
        ],
        Language::Cpp => vec![
            test("sync_01_to_16_events_streams_and_windows", "event.cpp", Link::Shared, &[], "event: ok\n"),
            test(
                "call_12_to_19_cpp_calls_the_rust_sieve_asynchronously",
                "sieve.cpp",
                Link::Component,
                &["sta", "1000000"],
                "primes up to 1000000: 78498\n",
            ),
            test(
                "call_34_no_call_factory_in_the_same_apartment",
                "sieve.cpp",
                Link::Component,
                &["mta", "1000"],
                "primes up to 1000: 168\n",
            ),
            test(
                "call_36_rust_calls_an_object_in_cpp_asynchronously",
                "object.cpp",
                Link::Component,
                &[],
                "object: ok\n",
            ),
            test(
                "srv_02_to_12_an_asynchronous_server_in_cpp",
                "async_server.cpp",
                Link::Component,
                &[],
                "async_server: ok\n",
            ),
            test("agg_03_an_outer_in_cpp_gets_reset_signal_wait", "outer.cpp", Link::Component, &[], "outer: ok\n"),
            test("apt_23_threads_of_cpp_end_without_a_word", "threads.cpp", Link::Component, &[], "threads: ok\n"),
        ],
    }
}

fn program(compiler: &Compiler, file: &str, link: Link, arguments: &[&str], said: &str) -> Outcome {
    let libraries = libraries_dir();
    let folder = libraries.display();
    let (name, flags) = match link {
        Link::Static => {
            let archive = libraries.join(format!("{DLL_PREFIX}oleander_ffi.a"));
            let mut flags = vec![archive.display().to_string()];
            // What rustc's standard library needs (`--print native-static-libs`). Parts of the archive that nobody uses
            // name functions that nobody has, so the linker must drop them.
            let linux = ["-Wl,--gc-sections", "-lgcc_s", "-lutil", "-lrt", "-lm", "-ldl"];
            let system: &[&str] = if cfg!(target_os = "linux") { &linux } else { &["-Wl,-dead_strip"] };
            flags.extend(system.iter().map(|flag| (*flag).to_owned()));
            ("static", flags)
        }
        Link::Shared => ("shared", vec!["-loleander_ffi".to_owned()]),
        Link::Component => ("component", vec!["-loleander_ffi_component".to_owned()]),
    };
    let mut flags = flags;
    if !matches!(link, Link::Static) {
        flags.splice(..0, [format!("-L{folder}"), format!("-Wl,-rpath,{folder}")]);
    }
    let stem = file.split('.').next().unwrap_or(file);
    let unique = format!("{stem}_{name}_{}", arguments.join("_"));
    let program = compiler.build_file(&unique, &programs_dir().join(file), &flags)?;
    expect_equal("output", run(&program, arguments)?.as_str(), said)
}

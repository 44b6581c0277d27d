//! The library as C and C++ see it: the header compiled, compared with the library, and used by programs.
//!
//! Everything runs in child processes that real compilers have built. Where there is no compiler, the tests that need one
//! say so and count as ignored; hence the harness, which can tell that at run time.

mod compiler;
mod declared;
mod exports;
mod header;
mod packages;
mod programs;
mod sieve;
mod signatures;
mod sources;
mod values;

use compiler::Compiler;
use libtest_mimic::{Arguments, Failed, Trial};

/// What a test gives back.
type Outcome = Result<(), Failed>;

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = exports::trials();
    trials.extend(signatures::trials());
    for compiler in Compiler::all() {
        trials.extend(compile_trials(&compiler));
        trials.extend(values::trials(&compiler));
        trials.extend(programs::trials(&compiler));
        trials.extend(sieve::trials(&compiler));
    }
    trials.extend(packages::trials());
    libtest_mimic::run(&arguments, trials).exit();
}

/// A test that needs a compiler: ignored, and loudly, where there is none.
fn trial(compiler: &Compiler, name: &str, run: impl FnOnce(&Compiler) -> Outcome + Send + 'static) -> Trial {
    let absent = compiler.absent();
    if let Some(reason) = &absent {
        eprintln!("ignored: {name} with {}: {reason}", compiler.name);
    }
    let compiler = compiler.clone();
    Trial::test(format!("{name} ({})", compiler.name), move || match compiler.absent() {
        Some(reason) => Err(reason.into()),
        None => run(&compiler),
    })
    .with_ignored_flag(absent.is_some())
}

fn compile_trials(compiler: &Compiler) -> Vec<Trial> {
    vec![
        trial(compiler, "the_header_compiles_without_a_warning", |compiler| {
            let source = "#include \"oleander.h\"\n#include \"oleander.h\"\nint main(void) { return 0; }\n";
            compiler.check("header", source)?;
            compiler.check("header_unicode", &format!("#define UNICODE\n{source}"))
        }),
        trial(compiler, "each_part_of_the_header_compiles_alone", |compiler| {
            for part in compiler::header_parts()? {
                let include = format!("#include \"oleander/{part}.h\"\n");
                let source = format!("{include}{include}int main(void) {{ return 0; }}\n");
                compiler.check(&format!("header_{part}"), &source)?;
            }
            Ok(())
        }),
    ]
}

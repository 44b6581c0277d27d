//! Generates bindings and compares them with those in a package; shared by the packages.

use std::path::Path;

/// What a client of asynchronous calls uses.
const NAMES: [&str; 11] = [
    "ISynchronize",
    "ISynchronizeHandle",
    "ICallFactory",
    "ICancelMethodCalls",
    "IPipeByte",
    "AsyncIPipeByte",
    "CoInitializeEx",
    "CoUninitialize",
    "CoCreateInstance",
    "CoWaitForMultipleHandles",
    "RPC_S_CALLPENDING",
];

/// Has the generator write into a folder of its own, and compares: all but the white space and the commas, which are the
/// formatter's.
pub fn compare(package: &str, generate: impl Fn(&[String])) {
    let kept = Path::new(package).join("src/bindings.generated");
    let made = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bindings.rs");
    let fixed = ["--out", made.to_str().expect("a path in UTF-8"), "--flat", "--filter"];
    let arguments: Vec<_> = fixed.iter().chain(&NAMES).map(|argument| (*argument).to_owned()).collect();
    generate(&arguments);
    let read = |path: &Path| std::fs::read_to_string(path).unwrap_or_default();
    // An attribute of a whole file cannot stand in a file that is included.
    let made: String =
        read(&made).lines().filter(|line| !line.starts_with("//")).map(|line| line.to_owned() + "\n").collect();
    let made = match made.find("#![allow(").zip(made.find(")]\n")) {
        Some((from, to)) => made[..from].to_owned() + &made[to + 3..],
        None => made,
    };
    assert!(made.contains("CoWaitForMultipleHandles"), "the generator made something");
    if std::env::var_os("BINDINGS").is_some_and(|value| value == "overwrite") {
        std::fs::write(&kept, &made).expect("the package can be written to");
    }
    let bare = |text: &str| text.replace(|c: char| c.is_whitespace() || c == ',', "");
    assert!(bare(&read(&kept)) == bare(&made), "not current: run this test with BINDINGS=overwrite");
}

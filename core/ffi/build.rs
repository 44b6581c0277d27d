//! Tells the tests which machine they are built for: the C++ compiler is chosen by it.

fn main() {
    println!("cargo::rustc-env=OLEANDER_FFI_TARGET={}", std::env::var("TARGET").unwrap());
    println!("cargo::rerun-if-changed=build.rs");
}

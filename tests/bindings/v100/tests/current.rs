//! The bindings in the repository are those that the generator makes. `BINDINGS=overwrite` writes them.

#[path = "../../generate.rs"]
mod generate;

#[test]
fn the_bindings_are_current() {
    generate::compare(env!("CARGO_MANIFEST_DIR"), |arguments| windows_bindgen::bindgen(arguments));
}

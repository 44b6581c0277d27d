//! Misuse of `#[async_interface]` and `#[derive(Ndr)]` is an error of the compiler that points at what is wrong and says
//! the rule.

#[test]
fn async_interface_misuse_points_at_the_token() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/async_interface_*.rs");
}

#[test]
fn derive_ndr_misuse_points_at_the_field() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/derive_ndr*.rs");
}

//! Misuse of `#[com_class]` is an error of the compiler that points at what is wrong and says the rule.

#[test]
fn com_class_misuse_points_at_the_token() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/com_class*.rs");
}

//! The payments API as a program.
fn main() {}

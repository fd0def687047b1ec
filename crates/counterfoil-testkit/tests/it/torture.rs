//! The binary `torture` runs each of its campaigns.
#![cfg(feature = "torture")]

use std::process::Command;

/// Runs one case of a campaign, which says what it counted.
fn one_case_of(campaign: &str) -> String {
    let torture =
        Command::new(env!("CARGO_BIN_EXE_torture")).args([campaign, "--count", "1"]).output().unwrap();
    let said = String::from_utf8(torture.stdout).unwrap();
    assert!(torture.status.success(), "{said}");
    said
}

#[test]
fn power() {
    assert!(one_case_of("power").contains("250 images"));
}

#[test]
fn power_at_synchronous_normal_loses_something() {
    assert!(one_case_of("power-normal").contains("images with a loss"));
}

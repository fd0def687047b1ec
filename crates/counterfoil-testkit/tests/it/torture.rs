//! That the campaigns run: a case of each, with the binary that users run.
#![cfg(feature = "torture")]

use std::io::{Write, stderr};
use std::process::{Command as Process, Stdio};

/// Runs one case, and expects it to find nothing. What it counted.
fn one_case(campaign: &str) -> String {
    case(campaign, "1")
}

fn case(campaign: &str, seed: &str) -> String {
    let mut torture = Process::new(env!("CARGO_BIN_EXE_torture"));
    let output = torture.args([campaign, "--seed", seed, "--count", "1"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{error}");
    // What took long has told how far it is before.
    assert!(said.contains(&format!("{campaign}: nothing lost in 1 case (")), "{said}");
    said
}

/// Whether there is strace. Without it nothing is shown, which is said, and a failure where the build is checked.
fn has_strace() -> bool {
    let found = Process::new("strace").arg("--version").stdout(Stdio::null()).status().is_ok();
    if !found {
        assert!(std::env::var_os("CI").is_none(), "strace is needed: install it");
        // Not by `eprintln`, which a test that passes keeps to itself.
        stderr().write_all(b"NOT SHOWN: strace is needed to fail a call or to kill at one\n").unwrap();
    }
    found
}

/// All of them: each bug by itself says nothing about the next.
#[test]
fn planted() {
    if has_strace() {
        let output = Process::new(env!("CARGO_BIN_EXE_torture")).arg("planted").output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
        let found = said.matches(" found by ").count();
        assert!(found >= 30 && said.contains(&format!("in the median of {found} it took ")), "{said}");
    }
}

#[test]
fn kill() {
    if has_strace() {
        one_case("kill");
    }
}

#[test]
fn io() {
    if has_strace() {
        one_case("io");
    }
}

#[test]
fn overload() {
    one_case("overload");
}

#[test]
fn power() {
    if has_strace() {
        assert!(one_case("power").contains("250 images"));
    }
}

#[test]
fn power_at_synchronous_normal_loses_something() {
    if has_strace() {
        assert!(one_case("power-normal").contains("images with a loss"));
    }
}

#[test]
fn races() {
    assert!(case("races", "1").contains("14 accepted, 40 callers"));
    assert!(case("races", "1000").contains("1 accepted, 1000 callers, 1 keys"));
}

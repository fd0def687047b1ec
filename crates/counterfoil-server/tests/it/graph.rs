//! The drawings that others copy.

use std::io::pipe;
use std::path::Path;
use std::{env, fs};

use crate::program::{Process, program, run};

fn drawn(options: &[&str]) -> String {
    let ended = run(&[&["graph"], options].concat());
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    ended.stdout
}

/// What others copied. `BLESS=1` writes it anew: review what changes.
fn committed(file: &str, expected: impl Fn(&str) -> String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let text = fs::read_to_string(&path).unwrap();
    let expected = expected(&text);
    if env::var_os("BLESS").is_some() {
        fs::write(&path, expected).unwrap();
    } else {
        assert!(text == expected, "{file} does not show the graph as it is: see BLESS in this file");
    }
}

#[test]
fn the_payment_graph_is_the_committed_one() {
    committed("tests/golden/payment.mmd", |_| drawn(&[]));
    committed("tests/golden/payment.dot", |_| drawn(&["--format", "dot"]));
    assert_eq!(drawn(&[]), drawn(&["--format", "mermaid", "--of", "payment"]));
}

#[test]
fn the_readme_shows_the_payment_graph() {
    committed("../../README.md", |readme| {
        let (before, rest) = readme.split_once("<!-- graph -->\n").unwrap();
        let (_, after) = rest.split_once("<!-- /graph -->").unwrap();
        format!("{before}<!-- graph -->\n```mermaid\n{}```\n<!-- /graph -->{after}", drawn(&[]))
    });
}

#[test]
fn the_operation_graph_is_another_one() {
    let mermaid = drawn(&["--of", "operation"]);
    assert!(mermaid.starts_with("flowchart LR\n") && mermaid.contains("NOT_SENT"), "{mermaid}");
    assert!(drawn(&["--of", "operation", "--format", "dot"]).starts_with("digraph operation {\n"));
}

#[test]
fn a_reader_that_wants_no_more_is_no_failure() {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    let ended = Process::spawn(program(&["graph"]).stdout(writer)).end();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
}

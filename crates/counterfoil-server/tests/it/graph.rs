//! The drawings that others copy.

use std::io::pipe;

use crate::program::{Process, program, run};

fn drawn(options: &[&str]) -> String {
    let ended = run(&[&["graph"], options].concat());
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    ended.stdout
}

#[test]
fn the_payment_graph_is_the_committed_one() {
    let mermaid = include_str!("../golden/payment.mmd");
    assert_eq!(drawn(&[]), mermaid);
    assert_eq!(drawn(&["--format", "mermaid", "--of", "payment"]), mermaid);
    assert_eq!(drawn(&["--format", "dot"]), include_str!("../golden/payment.dot"));
}

#[test]
fn the_readme_shows_the_payment_graph() {
    let readme = include_str!("../../../../README.md");
    let shown = format!("```mermaid\n{}```\n", drawn(&[]));
    assert!(readme.contains(&shown), "put this into README.md:\n{shown}");
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

//! The README shows the graph that the code checks.

use std::path::Path;

use counterfoil::status::{Format, PaymentStatus};

const START: &str = "<!-- graph -->\n";
const END: &str = "<!-- /graph -->";

#[test]
fn the_readme_has_no_gaps() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    assert!(!std::fs::read_to_string(readme).unwrap().contains("@@"));
}

/// Set `BLESS=1` to draw it anew.
#[test]
fn the_readme_shows_the_graph_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let readme = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = readme.split_once(START).expect("the mark of its start");
    let (_, after) = rest.split_once(END).expect("the mark of its end");
    let drawn = PaymentStatus::GRAPH.draw(Format::Mermaid);
    let expected = format!("{before}{START}```mermaid\n{drawn}```\n{END}{after}");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), expected);
}

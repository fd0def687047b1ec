//! The description: the committed one, and where it is served.

use std::path::Path;

use axum::http::Method;
use counterfoil_http::{Amounts, openapi};
use serde_json::Value;

use crate::support::{App, request};

/// What hosts and clients were given. `BLESS=1` writes the file anew: review what changes.
#[test]
fn the_description_is_the_committed_one() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/openapi.json");
    let described = openapi(Amounts::Number) + "\n";
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&file, &described).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(described == committed, "the description has changed: see BLESS in this file");
}

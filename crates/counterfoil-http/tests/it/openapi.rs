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

/// At both places, to whoever asks; the addresses in it are those of the API from there.
#[tokio::test]
async fn the_description_is_served_without_a_key() {
    for amounts in [Amounts::Number, Amounts::String] {
        let app = App::answering(amounts);
        let mut expected: Value = serde_json::from_str(&openapi(amounts)).unwrap();
        for (path, base) in [("/openapi.json", "./v1"), ("/v1/openapi.json", "../v1")] {
            let answer = app.send(request(Method::GET, path, "no key", "")).await;
            expected["servers"][0]["url"] = base.into();
            assert_eq!((answer.status, answer.json()), (200, expected.clone()), "{path}");
            assert_eq!(answer.header("content-type"), Some("application/json"));
        }
    }
}

/// What differs with the option is the one schema, and that is what is answered.
#[test]
fn amounts_are_described_as_they_are_answered() {
    let described = |amounts| serde_json::from_str::<Value>(&openapi(amounts)).unwrap();
    let (mut number, text) = (described(Amounts::Number), described(Amounts::String));
    assert_eq!(number["components"]["schemas"]["Amount"]["type"], "number");
    assert_eq!(text["components"]["schemas"]["Amount"]["type"], "string");
    number["components"]["schemas"]["Amount"] = text["components"]["schemas"]["Amount"].clone();
    assert_eq!(number, text);
}

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request};
use counterfoil::clock::{Clock, SystemClock};
use counterfoil::ledger::Ledger;
use counterfoil::scope::{Caller, Scope};
use counterfoil_memory::MemoryStore;
use counterfoil_sandbox::Sandbox;
use serde_json::Value;
use tower::ServiceExt;

use super::*;
use crate::routes::{GUARDED, OPEN, SIGNED};
use crate::{Api, ApiKeys, Endpoint, asked, router, sign};

const METHODS: [&str; 5] = ["get", "put", "post", "delete", "patch"];

fn document() -> Value {
    serde_json::from_str(&openapi(Amounts::Number)).unwrap()
}

fn app() -> Router {
    let mut keys = ApiKeys::new();
    let scope = Scope::new("acme".parse().unwrap(), "test".parse().unwrap());
    keys.insert("key", Caller::new(scope, "ann".parse().unwrap())).unwrap();
    let ledger = Ledger::new(Arc::new(MemoryStore::new())).with_gateway(Arc::new(Sandbox::new()));
    let scope = Scope::new("acme".parse().unwrap(), "test".parse().unwrap());
    let endpoint = Endpoint::new("gate", scope, "sandbox".parse().unwrap(), "whsec").unwrap();
    router(Api::new(ledger, keys).with_endpoint(endpoint))
}

/// A path of the description, of this payment.
fn filled(path: &str, id: &str) -> String {
    let path = path.replace("{type}", "INVOICE").replace("{endpoint_id}", "gate");
    format!("/v1{}", path.replace("{id}", id))
}

async fn send(app: &Router, method: &str, path: &str, body: &str) -> (u16, Value) {
    let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
    let request = Request::builder().method(method).uri(path).header("x-api-key", "key");
    let signature = sign("whsec", SystemClock.now(), body.as_bytes());
    let request = request.header("counterfoil-signature", signature);
    let request = request.body(Body::from(body.to_owned())).unwrap();
    let (parts, body) = app.clone().oneshot(request).await.unwrap().into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap();
    (parts.status.as_u16(), serde_json::from_slice(&bytes).unwrap())
}

/// Every operation that is described: its path, its method, and what is said about it.
fn described(document: &Value) -> Vec<(&str, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    let operations =
        paths.flat_map(|(path, item)| item.as_object().unwrap().iter().map(move |it| (path, it)));
    let named = operations.filter(|(_, (method, _))| METHODS.contains(&method.as_str()));
    named.map(|(path, (method, operation))| (path.as_str(), method.as_str(), operation)).collect()
}

#[test]
fn what_is_routed_is_described_and_nothing_else() {
    let document = document();
    let described: BTreeSet<_> =
        described(&document).into_iter().map(|(path, method, _)| (method, path)).collect();
    assert_eq!(described, GUARDED.concat().iter().chain(SIGNED).chain(OPEN).copied().collect());
}

/// The table above is not only a list: the router answers like this.
#[tokio::test]
async fn the_router_knows_what_is_described_and_nothing_else() {
    let (app, document) = (app(), document());
    let known = described(&document);
    for (path, _, _) in &known {
        for method in METHODS {
            let expected = known.iter().any(|(other, known, _)| (other, *known) == (path, method));
            let (status, answer) = send(&app, method, &filled(path, "x"), "").await;
            let unknown = answer["message"] == "there is no such route";
            assert!(!unknown && (status != 405) == expected, "{method} {path}: {status} {answer}");
        }
    }
}

/// Only what stands outside can be asked without a key, and some of that must be signed.
#[test]
fn what_needs_a_key_says_so() {
    let document = document();
    for (path, method, operation) in described(&document) {
        let (open, signed) = (OPEN.contains(&(method, path)), SIGNED.contains(&(method, path)));
        assert_eq!(operation["security"].is_array(), open || signed, "{method} {path}");
        assert_eq!(operation["responses"]["401"].is_null(), open, "{method} {path}");
        assert_eq!(operation["security"][0]["signature"].is_array(), signed, "{method} {path}");
    }
}

#[test]
fn every_name_in_it_leads_somewhere() {
    let document = document();
    let mut operations: Vec<&str> =
        described(&document).iter().map(|it| it.2["operationId"].as_str().unwrap()).collect();
    operations.sort_unstable();
    assert!(operations.windows(2).all(|pair| pair[0] != pair[1]), "{operations:?}");
    let mut links = 0;
    visit(&document, &mut |value| {
        if let Some(reference) = value["$ref"].as_str() {
            let found = document.pointer(reference.strip_prefix('#').unwrap());
            assert!(found.is_some(), "{reference}");
        }
        for (_, link) in value["links"].as_object().into_iter().flatten() {
            assert!(operations.contains(&link["operationId"].as_str().unwrap()), "{link}");
            links += 1;
        }
    });
    assert!(links > 0);
}

fn visit<'a>(value: &'a Value, seen: &mut impl FnMut(&'a Value)) {
    seen(value);
    match value {
        Value::Object(members) => members.values().for_each(|value| visit(value, seen)),
        Value::Array(items) => items.iter().for_each(|value| visit(value, seen)),
        _ => {}
    }
}

/// Fields, parameters and headers are read by their names, so nothing else holds the parsers and the description together.
#[tokio::test]
async fn what_is_read_is_described_and_nothing_else() {
    let (app, document) = (app(), document());
    let body = r#"{"amount": 1, "currency": "usd", "destination_type": "INVOICE", "destination_id": "i",
        "payment_method_type": "CARD", "process_payment": false, "payment_status": "SUCCEEDED",
        "outcome": "succeeded", "note": "n", "amount_due": 1, "type": "attempt.succeeded",
        "notification_id": "n", "occurred_at": "2026-01-01T00:00:00Z", "recorded": true}"#;
    for (path, method, operation) in described(&document) {
        let (status, payment) = send(&app, "post", "/v1/payments", body).await;
        assert_eq!(status, 201, "{payment}");
        let id = payment["id"].as_str().unwrap();
        // Where money moves, what is not described is refused.
        let named = names(&document, operation);
        let mut given: Value = serde_json::from_str(body).unwrap();
        given.as_object_mut().unwrap().retain(|name, _| named.contains(name));
        asked::take();
        let (status, answer) = send(&app, method, &filled(path, id), &given.to_string()).await;
        // What was understood, and then refused by the books, was read too.
        let by_the_books = ["not_found", "invalid_operation"].map(Value::from).contains(&answer["code"])
            || answer["details"]["reason"] == "unnamed";
        assert!(status < 300 || by_the_books, "{method} {path}: {status} {answer}");
        assert_eq!(asked::take(), named, "{method} {path}");
    }
}

/// The fields of its body, the parameters of its query string, and the headers that are its own.
fn names(document: &Value, operation: &Value) -> BTreeSet<String> {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let named = parameters.filter(|it| it["in"] != "path").map(|it| it["name"].as_str().unwrap().to_owned());
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"]["$ref"];
    let schema = schema.as_str().map_or(&Value::Null, |name| document.pointer(&name[1..]).unwrap());
    named
        .chain(schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone()))
        .collect()
}

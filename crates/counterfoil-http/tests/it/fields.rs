//! Which fields a request may have. Our own endpoints refuse what they do not know, and amounts that are `null`; those of
//! the reference API ignore what they do not know, but for money that they would seem to move.

use std::collections::BTreeSet;

use axum::http::Method;
use counterfoil_http::{Amounts, openapi};
use serde_json::{Value, json};

use crate::support::{ACME, Answer, App, CARD, card_with, held, recorded, request};

/// The endpoints of the reference API that take a body.
const REFERENCE: [(&str, &str); 3] =
    [("post", "/payments"), ("put", "/payments/{id}"), ("post", "/payments/{id}/process")];

/// The endpoints of ours that take a body.
const OWN: [(&str, &str); 8] = [
    ("post", "/gateways/{endpoint_id}/notifications"),
    ("post", "/payments/{id}/attempts"),
    ("post", "/payments/{id}/capture"),
    ("post", "/payments/{id}/refunds"),
    ("post", "/payments/{id}/resolve"),
    ("post", "/payments/{id}/void"),
    ("post", "/wallets/{id}/top-ups"),
    ("put", "/destinations/{type}/{id}"),
];

/// The schemas of the bodies that are described, by method and path.
fn bodies(document: &Value) -> Vec<((&str, &str), &Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    let operations =
        paths.flat_map(|(path, item)| item.as_object().unwrap().iter().map(move |it| (path, it)));
    let described = operations.filter_map(|(path, (method, operation))| {
        let schema = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].as_str()?;
        Some(((method.as_str(), path.as_str()), document.pointer(&schema[1..]).unwrap()))
    });
    described.collect()
}

/// Asks one endpoint, of this payment.
async fn ask(app: &App, (method, path): (&str, &str), id: &str, body: &Value) -> Answer {
    if let Some((_, query)) = path.split_once("/notifications") {
        return app.notify_at(&format!("/v1/gateways/gate/notifications{query}"), body).await;
    }
    let named = if path.starts_with("/wallets") { "w" } else { id };
    let path = format!("/v1{}", path.replace("{type}", "INVOICE").replace("{id}", named));
    let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
    app.send(request(method, &path, ACME, body.to_string())).await
}

#[test]
fn openapi_closes_the_bodies_of_our_own_endpoints_only() {
    let document: Value = serde_json::from_str(&openapi(Amounts::Number)).unwrap();
    let all: BTreeSet<_> = bodies(&document).iter().map(|(endpoint, _)| *endpoint).collect();
    assert_eq!(all, REFERENCE.into_iter().chain(OWN).collect(), "every endpoint with a body is in one list");
    for (endpoint, schema) in bodies(&document) {
        let closed = schema["additionalProperties"] == false;
        assert_eq!(closed, OWN.contains(&endpoint), "{endpoint:?}");
    }
}

#[tokio::test]
async fn own_endpoints_accept_exactly_the_described_fields() {
    let app = App::new();
    let id = app.create(CARD).await.string("/id");
    let before = app.books().await;
    let document: Value = serde_json::from_str(&openapi(Amounts::Number)).unwrap();
    for (endpoint, schema) in bodies(&document).into_iter().filter(|(endpoint, _)| OWN.contains(endpoint)) {
        let described: BTreeSet<&str> =
            schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        let refused = ask(&app, endpoint, &id, &json!({"no_such_field": 1})).await;
        let details = refused.details_of("validation_error", 400);
        assert_eq!(details["field"], "no_such_field", "{endpoint:?}");
        let accepted: BTreeSet<&str> =
            details["allowed"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        assert_eq!(accepted, described, "{endpoint:?}");
        for name in described {
            // No field takes a list, so the value is refused, or another field that is required is missing.
            let refused = ask(&app, endpoint, &id, &json!({name: [1]})).await;
            assert_eq!(refused.status, 400, "{endpoint:?}: {name}: {}", refused.text);
            assert!(!refused.text.contains("is not a field"), "{endpoint:?}: {}", refused.text);
        }
    }
    assert_eq!(app.books().await, before);
}

#[tokio::test]
async fn an_unknown_field_is_named_with_the_nearest_known_one() {
    let app = App::new();
    let id = app.create(CARD).await.string("/id");
    let refunds = format!("/v1/payments/{id}/refunds");
    for (name, nearest) in
        [("ammount", Some("amount")), ("idempotencyKey", Some("idempotency_key")), ("colour", None)]
    {
        let refused = app.post(&refunds, json!({name: 5}).to_string()).await;
        let details = refused.details_of("validation_error", 400);
        let found = (details["field"].as_str(), details["nearest"].as_str());
        assert_eq!(found, (Some(name), nearest), "{}", refused.text);
        assert_eq!(refused.text.contains("did you mean"), nearest.is_some(), "{}", refused.text);
    }
    let long = "x".repeat(10_000);
    let refused = app.post(&refunds, json!({long: 1}).to_string()).await;
    assert!(refused.text.len() < 1_000, "a long name is cut: {}", refused.text);
    assert_eq!(app.get(&refunds).await.json(), json!({"items": []}));
}

/// `gateway_refund_id` and `amount_refunded` once refunded all of the 123.
#[tokio::test]
async fn a_notification_with_unknown_fields_changes_nothing() {
    let app = App::new();
    let id = app.create(CARD).await.string("/id");
    let before = app.books().await;
    let told = json!({"notification_id": "n", "type": "refund.succeeded", "payment_id": id,
        "occurred_at": "2026-01-01T00:00:00Z", "gateway_refund_id": "re_1", "amount_refunded": 5});
    let details = app.notify(&told).await.details_of("validation_error", 400);
    assert_eq!(details["field"], "amount_refunded");
    assert_eq!(app.books().await, before);
}

#[tokio::test]
async fn null_is_no_amount() {
    let app = App::beside_doubt();
    let paid = app.create(CARD).await.string("/id");
    let open = app.create(recorded()).await.string("/id");
    let held = app.create(held()).await.string("/id");
    let unsure = card_with("payment_method_id", Some("\"pm_sandbox_timeout_unknown\""));
    let unsure = app.create(unsure).await.string("/id");
    let before = app.books().await;
    let told = json!({"notification_id": "n", "type": "refund.succeeded", "payment_id": paid,
        "occurred_at": "2026-01-01T00:00:00Z", "gateway_operation_id": "re_1", "amount": null});
    let [notifications, attempts, capture, refunds, resolve, _, top_ups, destinations] = OWN;
    for (endpoint, id, name, body) in [
        (notifications, &paid, "amount", told),
        (refunds, &paid, "amount", json!({"amount": null})),
        (capture, &held, "amount", json!({"amount": null})),
        (attempts, &open, "amount", json!({"payment_status": "SUCCEEDED", "amount": null})),
        (resolve, &unsure, "amount", json!({"outcome": "succeeded", "note": "n", "amount": null})),
        (top_ups, &paid, "amount", json!({"currency": "usd", "amount": null})),
        (destinations, &paid, "amount_due", json!({"currency": "usd", "amount_due": null})),
    ] {
        let refused = ask(&app, endpoint, id, &body).await;
        assert_eq!(refused.details_of("validation_error", 400), json!({"field": name}), "{endpoint:?}");
    }
    assert_eq!(app.books().await, before, "nothing moved");
}

#[tokio::test]
async fn a_stray_amount_on_a_reference_endpoint_is_refused_with_the_call_to_use() {
    let app = App::beside_doubt();
    let paid = app.create(CARD).await.string("/id");
    let open = app.create(recorded()).await.string("/id");
    let before = app.books().await;
    let [_, put, process] = REFERENCE;
    for stray in [json!({"amount": 5}), json!({"amount": null}), json!({"currency": "usd"})] {
        for (endpoint, id, status, way) in [
            (put, &paid, "REFUNDED", "/refunds refunds a part"),
            (process, &open, "SUCCEEDED", "create a payment"),
        ] {
            let mut body = stray.clone();
            body["payment_status"] = status.into();
            let refused = ask(&app, endpoint, id, &body).await;
            let field = stray.as_object().unwrap().keys().next().unwrap();
            assert_eq!(refused.details_of("validation_error", 400), json!({"field": field}));
            assert!(refused.text.contains(way), "{}", refused.text);
        }
    }
    assert_eq!(app.books().await, before, "nothing moved");
}

#[tokio::test]
async fn reference_endpoints_ignore_unknown_fields() {
    let app = App::new();
    let body = card_with("colour", Some("null, \"process_payment\": false"));
    let id = app.create(body).await.string("/id");
    let [_, put, process] = REFERENCE;
    let changed = ask(&app, put, &id, &json!({"colour": {"a": 1}, "metadata": {"order": "7"}})).await;
    assert_eq!((changed.status, &changed.json()["metadata"]), (200, &json!({"order": "7"})));
    let processed = ask(&app, process, &id, &json!({"colour": 1})).await;
    assert_eq!((processed.status, processed.string("/payment_status")), (200, "SUCCEEDED".to_owned()));
}

/// A misspelt parameter would be answered with everything, or would move all of the money.
#[tokio::test]
async fn own_endpoints_refuse_unknown_parameters() {
    let app = App::new();
    let id = app.create(CARD).await.string("/id");
    app.post("/v1/wallets/w/top-ups", r#"{"amount": 1, "currency": "usd"}"#).await;
    let before = app.books().await;
    let document: Value = serde_json::from_str(&openapi(Amounts::Number)).unwrap();
    let mut seen = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in
            item.as_object().unwrap().iter().filter(|(method, _)| *method != "parameters")
        {
            let endpoint = (method.as_str(), path.as_str());
            if is_of_reference(endpoint) || OPEN.contains(&path.as_str()) {
                continue;
            }
            let described: Vec<&str> = parameters(operation).collect();
            let answer = ask(&app, (method, &format!("{path}?aftr=5")), &id, &json!({})).await;
            let details = answer.details_of("validation_error", 400);
            assert_eq!(
                (&details["field"], &details["allowed"]),
                (&json!("aftr"), &json!(described)),
                "{endpoint:?}"
            );
            seen += 1;
        }
    }
    assert_eq!(seen, 18);
    assert_eq!(app.books().await, before);
    for query in ["%FF=1", "=1", "after=0&limit=1&x", "Limit=5"] {
        let answer = app.get(&format!("/v1/payments/{id}/events?{query}")).await;
        answer.details_of("validation_error", 400);
    }
    for query in ["", "&", "after=0", "limit=1&after=0&"] {
        assert_eq!(app.get(&format!("/v1/payments/{id}/events?{query}")).await.status, 200, "{query}");
    }
}

#[tokio::test]
async fn reference_endpoints_ignore_unknown_parameters() {
    let app = App::new();
    let id = app.create(CARD).await.string("/id");
    for path in ["/v1/payments?expand=x".to_owned(), format!("/v1/payments/{id}?expand=x")] {
        assert_eq!(app.get(&path).await.status, 200, "{path}");
    }
}

/// Found without a key.
const OPEN: [&str; 3] = ["/healthz", "/readyz", "/openapi.json"];

fn is_of_reference((method, path): (&str, &str)) -> bool {
    matches!(path, "/payments" | "/payments/{id}") || (method, path) == ("post", "/payments/{id}/process")
}

/// The parameters of its query string that are described.
fn parameters(operation: &Value) -> impl Iterator<Item = &str> {
    let all = operation["parameters"].as_array().into_iter().flatten();
    all.filter(|it| it["in"] == "query").map(|it| it["name"].as_str().unwrap())
}

/// The server takes no `null` for an amount, so its description must not.
#[test]
fn openapi_allows_no_null_for_an_amount() {
    let document: Value = serde_json::from_str(&openapi(Amounts::Number)).unwrap();
    let mut seen = 0;
    for (endpoint, schema) in bodies(&document) {
        for (name, property) in schema["properties"].as_object().unwrap() {
            let text = property.to_string();
            if text.contains("GivenAmount") || text.contains("GivenDue") {
                assert!(!text.contains("null"), "{endpoint:?}: {name}: {text}");
                assert!(property["$ref"].is_string(), "{endpoint:?}: {name}: {text}");
                seen += 1;
            }
        }
    }
    assert_eq!(seen, 8);
}

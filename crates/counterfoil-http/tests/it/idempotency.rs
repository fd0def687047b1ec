//! One key, one effect (invariants 20 to 23).

use axum::http::Method;
use serde_json::json;

use crate::support::{ACME, ACME_LIVE, Answer, App, GLOBEX, card_with, request};

fn keyed(amount: &str) -> String {
    card_with("amount", Some(&format!("{amount}, \"idempotency_key\": \"once\"")))
}

async fn with_header(app: &App, path: &str, key: &[u8], body: String) -> Answer {
    let mut request = request(Method::POST, path, ACME, body);
    request.headers_mut().insert("idempotency-key", axum::http::HeaderValue::from_bytes(key).unwrap());
    app.send(request).await
}

#[tokio::test]
async fn a_replay_answers_the_payment_as_it_is_now() {
    let app = App::new();
    let body = card_with("process_payment", Some("false, \"idempotency_key\": \"once\""));
    let first = app.create(body.clone()).await;
    assert_eq!(first.string("/payment_status"), "INITIATED");
    let replay = app.create(body.clone()).await;
    assert!(replay.replayed() && !first.replayed());
    assert_eq!(replay.text, first.text);
    let path = format!("/v1/payments/{}/process", first.string("/id"));
    assert_eq!(app.post(&path, "").await.status, 200);
    let replay = app.create(body).await;
    assert!(replay.replayed());
    assert_eq!(
        (replay.string("/id"), replay.string("/payment_status")),
        (first.string("/id"), "SUCCEEDED".into())
    );
    assert_eq!(app.sandbox.calls(), 1);
}

#[tokio::test]
async fn equal_requests_are_equal_however_they_are_written() {
    let app = App::new();
    app.create(keyed("5")).await;
    for amount in ["5.00", "\"5\"", "0.5e1"] {
        assert!(app.create(keyed(amount)).await.replayed(), "{amount}");
    }
    assert_eq!(app.sandbox.charges(), 1);
}

#[tokio::test]
async fn another_request_under_the_key_names_what_differs() {
    let app = App::new();
    let id = app.create(keyed("5")).await.string("/id");
    let before = app.books().await;
    let other = keyed("6").replace("inv_1", "inv_2").replace("usd", "EUR");
    let answer = app.post("/v1/payments", other).await;
    assert_eq!(
        answer.details_of("idempotency_mismatch", 422),
        json!({"payment_id": id, "fields": ["amount", "currency", "destination_id"]})
    );
    assert_eq!(app.books().await, before);
    assert_eq!(app.sandbox.charges(), 1);
}

#[tokio::test]
async fn the_key_may_stand_in_a_header() {
    let app = App::new();
    let first = app.create(keyed("5")).await;
    let plain = card_with("amount", Some("5"));
    let replay = with_header(&app, "/v1/payments", b"once", plain.clone()).await;
    assert!(replay.replayed());
    assert_eq!(replay.text, first.text);
    assert!(with_header(&app, "/v1/payments", b"once", keyed("5")).await.replayed(), "both, and equal");
    let before = app.books().await;
    let long = "k".repeat(256);
    for (key, body) in [
        (&b"twice"[..], keyed("5")),
        (b"", plain.clone()),
        (b"\xff", plain.clone()),
        (long.as_bytes(), plain),
    ] {
        let answer = with_header(&app, "/v1/payments", key, body).await;
        assert_eq!(answer.details_of("validation_error", 400), json!({"field": "idempotency_key"}));
    }
    assert_eq!(app.books().await, before);
}

#[tokio::test]
async fn keys_of_different_scopes_and_kinds_never_meet() {
    let app = App::new();
    let mut ids = Vec::new();
    for key in [ACME, GLOBEX, ACME_LIVE] {
        let answer = app.send(request(Method::POST, "/v1/payments", key, keyed("5"))).await;
        assert!(answer.status == 201 && !answer.replayed());
        ids.push(answer.string("/id"));
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 3);
    let top_up = r#"{"amount": 5, "currency": "usd", "idempotency_key": "once"}"#;
    assert!(!app.post("/v1/wallets/w/top-ups", top_up).await.replayed());
}

#[tokio::test]
async fn processing_and_topping_up_replay_too() {
    let app = App::new();
    let id = app.create(card_with("process_payment", Some("false"))).await.string("/id");
    let path = format!("/v1/payments/{id}/process");
    let body = r#"{"idempotency_key": "p"}"#;
    let first = app.post(&path, body).await;
    let replay = with_header(&app, &path, b"p", String::new()).await;
    assert_eq!((first.status, replay.status), (200, 200));
    assert!(!first.replayed() && replay.replayed());
    assert_eq!(first.text, replay.text);
    let other = app.post(&path, r#"{"idempotency_key": "p", "payment_method_id": "pm_2"}"#).await;
    assert_eq!(other.details_of("idempotency_mismatch", 422)["fields"], json!(["payment_method_id"]));

    let (path, body) =
        ("/v1/wallets/w/top-ups", r#"{"amount": 5, "currency": "usd", "idempotency_key": "t"}"#);
    let first = app.post(path, body).await;
    let replay = app.post(path, body).await;
    assert_eq!((first.status, replay.status), (201, 201));
    assert!(!first.replayed() && replay.replayed());
    assert_eq!(first.text, replay.text);
    let other = app.post(path, body.replace('5', "6")).await;
    assert_eq!(other.details_of("idempotency_mismatch", 422), json!({"fields": ["amount"]}));
}

/// Keys of one kind of request are one name space over all payments. What differs is told as it was sent.
#[tokio::test]
async fn a_key_that_another_payment_used_tells_what_differs_as_it_was_sent() {
    let app = App::beside_doubt();
    let dollars = app.create(card_with("amount", Some("100"))).await.string("/id");
    let euros =
        app.create(card_with("amount", Some("100")).replace("\"usd\"", "\"eur\"")).await.string("/id");
    let refund =
        async |id: &str, body: &str| app.post(&format!("/v1/payments/{id}/refunds"), body.to_owned()).await;
    assert_eq!(refund(&dollars, r#"{"amount": 5, "idempotency_key": "k"}"#).await.status, 201);
    for (id, body, fields) in [
        (&euros, r#"{"amount": 5, "idempotency_key": "k"}"#, json!(["payment_id"])),
        (&euros, r#"{"idempotency_key": "k"}"#, json!(["amount", "payment_id"])),
        (&dollars, r#"{"idempotency_key": "k"}"#, json!(["amount"])),
        (&dollars, r#"{"amount": 6, "idempotency_key": "k"}"#, json!(["amount"])),
        (&dollars, r#"{"amount": 5, "currency": "eur", "idempotency_key": "k"}"#, json!(["currency"])),
    ] {
        let details = refund(id, body).await.details_of("idempotency_mismatch", 422);
        assert_eq!(details, json!({"fields": fields, "payment_id": dollars}), "{body}");
    }
}

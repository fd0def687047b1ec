//! `POST /v1/payments/{id}/attempts`.

use axum::http::Method;
use counterfoil::event::StreamId;
use serde_json::{Value, json};

use crate::support::{ACME, Answer, App, card_with, recorded, request, scope};

const SUCCEEDED: &str = r#"{"payment_status": "SUCCEEDED"}"#;

async fn waiting(app: &App) -> String {
    format!("/v1/payments/{}", app.create(recorded()).await.string("/id"))
}

async fn record(app: &App, path: &str, body: &str) -> Answer {
    app.post(&format!("{path}/attempts"), body.to_owned()).await
}

#[tokio::test]
async fn money_that_came_in_another_way_is_an_attempt() {
    let app = App::new();
    let path = waiting(&app).await;
    let body = r#"{"payment_status": "SUCCEEDED", "gateway_attempt_id": "ch_1"}"#;
    let answer = record(&app, &path, body).await;
    assert_eq!((answer.status, answer.replayed()), (201, false), "{}", answer.text);
    let mut attempt = answer.json();
    let payment = app.get(&path).await.json();
    assert_eq!(payment["payment_status"], "SUCCEEDED");
    assert_eq!(payment["attempts"], json!([attempt]));
    for member in ["id", "created_at", "updated_at"] {
        assert!(attempt.as_object_mut().unwrap().remove(member).is_some());
    }
    let expected = json!({"payment_id": payment["id"], "attempt_number": 1, "payment_status": "SUCCEEDED",
        "gateway_attempt_id": "ch_1", "metadata": {}, "tenant_id": "acme", "created_by": "ann",
        "updated_by": "ann"});
    assert_eq!(attempt, expected);
    assert_eq!(app.sandbox.calls(), 0);
}

#[tokio::test]
async fn a_no_leaves_the_payment_open_and_the_next_one_is_numbered() {
    let app = App::new();
    let path = waiting(&app).await;
    let body = r#"{"payment_status": "FAILED", "error_message": "the bank said no"}"#;
    for number in 1..=2 {
        let attempt = record(&app, &path, body).await.json();
        assert_eq!(
            (&attempt["attempt_number"], &attempt["payment_status"]),
            (&json!(number), &json!("FAILED"))
        );
        assert_eq!(attempt["error_message"], "the bank said no");
        let payment = app.get(&path).await.json();
        assert_eq!(payment["error_message"], "the bank said no");
        assert!(["INITIATED", "PENDING"].contains(&payment["payment_status"].as_str().unwrap()));
    }
    assert_eq!(record(&app, &path, SUCCEEDED).await.json()["attempt_number"], 3);
    assert_eq!(app.get(&path).await.string("/payment_status"), "SUCCEEDED");
}

#[tokio::test]
async fn the_amount_is_exact_and_the_payments_own() {
    let app = App::new();
    for (amount, status) in [
        ("\"123.00\"", "SUCCEEDED"),
        ("1.23e2", "SUCCEEDED"),
        ("123.01, \"currency\": \"USD\"", "OVERPAID"),
        ("123, \"currency\": null", "SUCCEEDED"),
    ] {
        let path = waiting(&app).await;
        let body = format!("{{\"payment_status\": \"SUCCEEDED\", \"amount\": {amount}}}");
        assert_eq!(record(&app, &path, &body).await.status, 201, "{body}");
        assert_eq!(app.get(&path).await.string("/payment_status"), status, "{body}");
    }
    let yen = card_with("currency", Some("\"jpy\", \"process_payment\": false"));
    let path = format!("/v1/payments/{}", app.create(yen).await.string("/id"));
    let before = app.books().await;
    let too_fine = json!({"field": "amount", "currency": "jpy", "max_scale": 0});
    let other = json!({"field": "currency", "currency": "jpy"});
    for (amount, details) in [
        ("0.5", too_fine),
        ("null", json!({"field": "amount"})),
        ("123, \"currency\": \"usd\"", other.clone()),
        ("0.5, \"currency\": \"usd\"", other),
        ("0", json!({"field": "amount"})),
        ("-1", json!({"field": "amount"})),
        ("\"\"", json!({"field": "amount"})),
        ("true", json!({"field": "amount"})),
        ("9007199254740992", json!({"field": "amount"})),
        ("1, \"currency\": \"xyz\"", json!({"field": "currency"})),
    ] {
        let body = format!("{{\"payment_status\": \"SUCCEEDED\", \"amount\": {amount}}}");
        assert_eq!(record(&app, &path, &body).await.details_of("validation_error", 400), details, "{amount}");
    }
    assert_eq!(app.books().await, before);
}

#[tokio::test]
async fn bad_attempts_are_refused() {
    let app = App::new();
    let path = waiting(&app).await;
    let before = app.books().await;
    let status = json!({"field": "payment_status", "allowed": ["SUCCEEDED", "FAILED"]});
    let field = |name: &str| json!({"field": name});
    for (body, details) in [
        ("", Value::Null),
        ("[]", Value::Null),
        ("{}", field("payment_status")),
        (r#"{"payment_status": "PROCESSING"}"#, status.clone()),
        (r#"{"payment_status": "failed"}"#, status),
        (r#"{"payment_status": 1}"#, field("payment_status")),
        (r#"{"payment_status": "SUCCEEDED", "error_message": "no"}"#, field("error_message")),
        (r#"{"payment_status": "FAILED", "error_message": ""}"#, field("error_message")),
        (r#"{"payment_status": "FAILED", "amount": 1}"#, field("amount")),
        (r#"{"payment_status": "FAILED", "gateway_attempt_id": 7}"#, field("gateway_attempt_id")),
        (r#"{"payment_status": "FAILED", "idempotency_key": ""}"#, field("idempotency_key")),
    ] {
        assert_eq!(record(&app, &path, body).await.details_of("validation_error", 400), details, "{body}");
    }
    assert_eq!(app.books().await, before);
    assert_eq!(record(&app, "/v1/payments/x", SUCCEEDED).await.details_of("not_found", 404), Value::Null);
}

#[tokio::test]
async fn what_does_not_wait_takes_none() {
    let app = App::new();
    let path = waiting(&app).await;
    record(&app, &path, SUCCEEDED).await;
    let details = record(&app, &path, SUCCEEDED).await.details_of("invalid_operation", 400);
    assert_eq!(details["current_status"], "SUCCEEDED");
    assert_eq!(details["allowed_statuses"], json!(["INITIATED", "PENDING"]));
    let credits = card_with(
        "payment_method_type",
        Some("\"CREDITS\", \"payment_method_id\": \"w\", \"process_payment\": false"),
    );
    let path = format!("/v1/payments/{}", app.create(credits).await.string("/id"));
    let details = record(&app, &path, SUCCEEDED).await.details_of("validation_error", 400);
    assert_eq!(details, json!({"field": "payment_status"}), "credits are in our own books");
}

/// INVARIANTS 20, 21, 22.
#[tokio::test]
async fn one_key_is_one_attempt() {
    let app = App::new();
    let path = waiting(&app).await;
    let body = r#"{"payment_status": "FAILED", "error_message": "no", "idempotency_key": "k"}"#;
    let first = record(&app, &path, body).await;
    let replay = record(&app, &path, body).await;
    assert_eq!((replay.status, replay.replayed(), &replay.text), (201, true, &first.text));
    let mut in_header = request(
        Method::POST,
        &format!("{path}/attempts"),
        ACME,
        r#"{"payment_status": "FAILED", "error_message": "no"}"#,
    );
    in_header.headers_mut().insert("idempotency-key", "k".parse().unwrap());
    let replay = app.send(in_header).await;
    assert_eq!((replay.status, replay.replayed(), &replay.text), (201, true, &first.text));
    record(&app, &path, SUCCEEDED).await;
    let replay = record(&app, &path, body).await;
    assert_eq!((replay.replayed(), &replay.text), (true, &first.text), "its own, not the last one");
    let id = path.rsplit('/').next().unwrap();
    for (other, fields) in [
        (body.replace("\"no\"", "\"never\""), json!(["error_message"])),
        (
            body.replace("FAILED\", \"error_message\": \"no\"", "SUCCEEDED\""),
            json!(["payment_status", "error_message"]),
        ),
        (body.replace("no\"", "no\", \"gateway_attempt_id\": \"g\""), json!(["gateway_attempt_id"])),
    ] {
        let details = record(&app, &path, &other).await.details_of("idempotency_mismatch", 422);
        assert_eq!(details, json!({"payment_id": id, "fields": fields}));
    }
    let other_path = waiting(&app).await;
    let paid = r#"{"payment_status": "SUCCEEDED", "amount": 123, "idempotency_key": "paid"}"#;
    assert_eq!(record(&app, &other_path, paid).await.status, 201);
    let euros = paid.replace("123", "123, \"currency\": \"eur\"");
    let details = record(&app, &other_path, &euros).await.details_of("idempotency_mismatch", 422);
    assert_eq!(details["fields"], json!(["currency"]), "the key is looked up first");
    let elsewhere = waiting(&app).await;
    let details = record(&app, &elsewhere, body).await.details_of("idempotency_mismatch", 422);
    assert_eq!(details["fields"], json!(["payment_id"]));
}

/// INVARIANTS 29.
#[tokio::test]
async fn one_name_at_the_gateway_is_one_attempt() {
    let app = App::new();
    let (path, elsewhere) = (waiting(&app).await, waiting(&app).await);
    let body = r#"{"payment_status": "FAILED", "gateway_attempt_id": "ch_1"}"#;
    let first = record(&app, &path, body).await;
    let again = record(&app, &path, body).await;
    assert_eq!((again.status, again.replayed(), &again.text), (201, true, &first.text));
    let before = app.books().await;
    let taken = json!({"payment_id": path.rsplit('/').next().unwrap()});
    let other = record(&app, &elsewhere, body).await;
    assert_eq!(other.details_of("already_exists", 409), taken);
    let other = record(&app, &path, &body.replace("FAILED", "SUCCEEDED")).await;
    assert_eq!(other.details_of("already_exists", 409), taken);
    assert_eq!(app.books().await, before);
}

#[tokio::test]
async fn an_attempt_names_its_gateway_or_was_made_at_none() {
    let app = App::new();
    for (gateway, account) in [("null", "offline"), ("\"sandbox\"", "gateway:sandbox")] {
        let path = waiting(&app).await;
        let body =
            format!(r#"{{"payment_status": "SUCCEEDED", "recorded": true, "payment_gateway": {gateway}}}"#);
        assert_eq!(record(&app, &path, &body).await.status, 201);
        let id = path.strip_prefix("/v1/payments/").unwrap().parse().unwrap();
        let history =
            app.ledger.history(&scope("acme", "test"), &StreamId::Payment(id), 0, 10).await.unwrap();
        let postings = history.last().unwrap().postings();
        assert!(postings.iter().any(|posting| posting.account.to_string() == account), "{postings:?}");
    }
    let path = waiting(&app).await;
    let offline = card_with("payment_method_type", Some("\"OFFLINE\", \"process_payment\": false"));
    let offline = format!("/v1/payments/{}", app.create(offline).await.string("/id"));
    let before = app.books().await;
    for (path, more, field) in [
        (&path, r#""payment_gateway": "nowhere""#, "payment_gateway"),
        (&offline, r#""payment_gateway": "sandbox""#, "payment_gateway"),
        (&path, r#""recorded": false"#, "recorded"),
    ] {
        let refused = record(&app, path, &format!(r#"{{"payment_status": "SUCCEEDED", {more}}}"#)).await;
        assert_eq!(refused.details_of("validation_error", 400), json!({"field": field}));
    }
    assert_eq!(app.books().await, before);
    assert_eq!(app.sandbox.calls(), 0);
}

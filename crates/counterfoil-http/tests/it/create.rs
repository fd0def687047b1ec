//! `POST /v1/payments` and `GET /v1/payments/{id}`.

use serde_json::{Value, json};

use crate::support::{ACME, App, CARD, card_with, request};

/// The call of the reference document, with its placeholders filled in.
const REFERENCE: &str = r#"{
  "amount": 123,
  "currency": "USD",
  "destination_id": "inv_2026_001",
  "destination_type": "INVOICE",
  "idempotency_key": "order-1",
  "metadata": {},
  "payment_method_id": "pm_1",
  "payment_method_type": "CARD",
  "process_payment": true
}"#;

#[tokio::test]
async fn the_reference_call_is_answered_as_its_document_shows() {
    let app = App::new();
    let answer = app.create(REFERENCE).await;
    assert!(!answer.replayed());
    let mut payment = answer.json();
    let id = answer.string("/id");
    let attempt = payment["attempts"][0].clone();
    for (of, field) in [(&payment, "created_at"), (&payment, "updated_at"), (&payment, "succeeded_at")]
        .into_iter()
        .chain(["created_at", "updated_at"].map(|field| (&attempt, field)))
    {
        let at = of[field].as_str().unwrap();
        assert!(at.starts_with("20") && at.ends_with('Z'), "{field} is a time in UTC: {at}");
    }
    assert!(id.starts_with("pay_") && attempt["id"].as_str().unwrap().starts_with("att_"));
    assert_eq!(attempt["gateway_attempt_id"], format!("sandbox_{}", attempt["id"].as_str().unwrap()));
    without(&mut payment, &["created_at", "updated_at", "succeeded_at"]);
    without(&mut payment["attempts"][0], &["id", "created_at", "updated_at", "gateway_attempt_id"]);
    let expected = json!({
        "id": id, "amount": 123, "currency": "usd", "payment_status": "SUCCEEDED",
        "amount_authorized": 0, "amount_captured": 123, "amount_refunded": 0, "amount_disputed": 0,
        "amount_charged_back": 0,
        "refundable": 123, "capturable": 0, "capture_method": "automatic",
        "destination_type": "INVOICE", "destination_id": "inv_2026_001",
        "payment_method_type": "CARD", "payment_method_id": "pm_1", "payment_gateway": "sandbox",
        "save_card_and_make_default": false,
        "idempotency_key": "order-1", "metadata": {}, "track_attempts": true,
        "attempts": [{
            "payment_id": id, "attempt_number": 1, "payment_status": "SUCCEEDED", "metadata": {},
            "tenant_id": "acme", "created_by": "ann", "updated_by": "ann",
        }],
        "tenant_id": "acme", "environment_id": "test", "created_by": "ann", "updated_by": "ann",
    });
    assert_eq!(payment, expected);
    let read = app.get(&format!("/v1/payments/{id}")).await;
    assert_eq!((read.status, read.text), (200, answer.text));
    assert_eq!(app.sandbox.charges(), 1);
}

fn without(object: &mut Value, members: &[&str]) {
    for member in members {
        assert!(object.as_object_mut().unwrap().remove(*member).is_some(), "{member} is there");
    }
}

#[tokio::test]
async fn offline_money_is_recorded_at_once_and_shows_no_attempts() {
    let app = App::without_gateway();
    let payment = app.create(card_with("payment_method_type", Some("\"OFFLINE\""))).await.json();
    assert_eq!(payment["payment_status"], "SUCCEEDED");
    assert_eq!((&payment["track_attempts"], &payment["attempts"]), (&json!(false), &json!([])));
    assert_eq!(payment.get("payment_gateway"), None);
}

#[tokio::test]
async fn what_is_only_recorded_waits() {
    let app = App::new();
    for (method, id, status) in [
        ("CARD", None, "INITIATED"),
        ("ACH", Some("ba_1"), "INITIATED"),
        ("OFFLINE", None, "PENDING"),
        ("CREDITS", Some("w1"), "PENDING"),
    ] {
        let body = json!({"amount": "5", "currency": "eur", "destination_type": "INVOICE",
            "destination_id": "inv_1", "payment_method_type": method, "payment_method_id": id,
            "process_payment": false});
        let payment = app.create(body.to_string()).await.json();
        assert_eq!(payment["payment_status"], status, "{method}");
        assert_eq!(payment["attempts"], json!([]));
        assert_eq!(payment.get("payment_method_id").and_then(Value::as_str), id);
    }
    assert_eq!(app.sandbox.calls(), 0);
}

#[tokio::test]
async fn a_declined_charge_is_a_payment_that_failed() {
    let app = App::new();
    let payment = app.create(card_with("payment_method_id", Some("\"pm_sandbox_decline\""))).await.json();
    assert_eq!(payment["payment_status"], "FAILED");
    assert!(payment["failed_at"].is_string() && payment["error_message"].is_string());
    let attempt = &payment["attempts"][0];
    assert_eq!(attempt["payment_status"], "FAILED");
    assert_eq!(attempt["error_code"], "insufficient_funds");
    assert_eq!(attempt["error_message"], payment["error_message"]);
}

#[tokio::test]
async fn a_payer_who_must_act_is_sent_somewhere() {
    let app = App::new();
    let payment = app.create(card_with("payment_method_id", Some("\"pm_sandbox_action\""))).await.json();
    assert_eq!(payment["payment_status"], "REQUIRES_ACTION");
    assert!(payment["payment_url"].as_str().unwrap().starts_with("https://"));
}

#[tokio::test]
async fn an_unknown_outcome_at_the_gateway_is_no_error_of_ours() {
    let app = App::new();
    let body = card_with("payment_method_id", Some("\"pm_sandbox_timeout_paid\""));
    let payment = app.create(body).await.json();
    assert_eq!(payment["payment_status"], "PROCESSING");
    assert_eq!(payment["attempts"][0]["payment_status"], "UNKNOWN");
}

#[tokio::test]
async fn what_a_person_should_look_at_says_why() {
    let app = App::new();
    let payment = app.create(card_with("payment_method_id", Some("\"pm_sandbox_overpaid\""))).await.json();
    assert_eq!(payment["payment_status"], "OVERPAID");
    assert_eq!(payment["review"], json!(["amount_mismatch"]));
}

#[tokio::test]
async fn null_is_absent_and_unknown_fields_are_ignored() {
    let app = App::new();
    let body = r#"{"amount": "123.00", "currency": "UsD", "destination_type": "INVOICE", "destination_id": "inv_1",
        "payment_method_type": "CARD", "payment_method_id": null, "metadata": null, "idempotency_key": null,
        "process_payment": null, "colour": {"deep": [1e999, {"a": 1, "b": 1}]}}"#;
    let payment = app.create(body).await.json();
    assert_eq!(payment["metadata"], json!({}));
    assert_eq!(payment["payment_status"], "SUCCEEDED");
    for absent in ["payment_method_id", "idempotency_key", "error_message", "review", "failed_at", "colour"] {
        assert_eq!(payment.get(absent), None, "{absent}");
    }
}

#[tokio::test]
async fn metadata_comes_back() {
    let app = App::new();
    let metadata = json!({"order": "7", "note": "two\nlines", "": ""});
    let refused = app.post("/v1/payments", card_with("metadata", Some(&metadata.to_string()))).await;
    assert_eq!(refused.details_of("validation_error", 400)["field"], "metadata", "a key must not be empty");
    let metadata = json!({"order": "7", "note": "two\nlines", "empty": ""});
    let payment = app.create(card_with("metadata", Some(&metadata.to_string()))).await.json();
    assert_eq!(payment["metadata"], metadata);
}

#[tokio::test]
async fn the_content_type_is_not_asked_for() {
    let app = App::new();
    for content_type in ["application/json", "application/x-www-form-urlencoded"] {
        let mut request = request(axum::http::Method::POST, "/v1/payments", ACME, CARD);
        request.headers_mut().insert("content-type", content_type.parse().unwrap());
        assert_eq!(app.send(request).await.status, 201, "{content_type}");
    }
}

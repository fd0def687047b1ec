//! `POST /v1/payments/{id}/process`.

use serde_json::json;

use crate::support::{App, CARD, card_with};

#[tokio::test]
async fn what_waits_is_processed_with_or_without_a_body() {
    let app = App::new();
    for body in ["", "{}", "{\"payment_method_id\": null}", "{\"unknown\": 1}"] {
        let id = app.create(card_with("process_payment", Some("false"))).await.string("/id");
        let answer = app.post(&format!("/v1/payments/{id}/process"), body).await;
        assert_eq!((answer.status, answer.string("/payment_status")), (200, "SUCCEEDED".into()), "{body}");
        assert!(!answer.replayed());
    }
}

#[tokio::test]
async fn offline_and_credits_are_processed_inside_our_own_books() {
    let app = App::without_gateway();
    let body = card_with("payment_method_type", Some("\"OFFLINE\", \"process_payment\": false"));
    let id = app.create(body).await.string("/id");
    let answer = app.post(&format!("/v1/payments/{id}/process"), "").await;
    assert_eq!(answer.string("/payment_status"), "SUCCEEDED");

    let credits = card_with(
        "payment_method_type",
        Some("\"CREDITS\", \"payment_method_id\": \"w\", \"process_payment\": false"),
    );
    let id = app.create(credits).await.string("/id");
    let answer = app.post(&format!("/v1/payments/{id}/process"), r#"{"payment_method_id": "pm_1"}"#).await;
    assert_eq!(answer.details_of("validation_error", 400), json!({"field": "payment_method_id"}));
}

#[tokio::test]
async fn another_instrument_can_be_tried() {
    let app = App::new();
    let id = app.create(card_with("process_payment", Some("false"))).await.string("/id");
    let path = format!("/v1/payments/{id}/process");
    let answer = app.post(&path, r#"{"payment_method_id": "pm_sandbox_down"}"#).await;
    assert_eq!(
        answer.string("/payment_status"),
        "PENDING",
        "certain that nothing was sent: it may be tried again"
    );
    let answer = app.post(&path, r#"{"payment_method_id": "pm_sandbox_action"}"#).await.json();
    assert_eq!(answer["payment_status"], "REQUIRES_ACTION");
    let statuses: Vec<_> =
        answer["attempts"].as_array().unwrap().iter().map(|a| &a["payment_status"]).collect();
    assert_eq!(statuses, ["NOT_SENT", "REQUIRES_ACTION"]);
    assert_eq!(answer["attempts"][1]["attempt_number"], 2);
}

#[tokio::test]
async fn what_does_not_wait_is_refused_and_says_what_would() {
    let app = App::new();
    for (instrument, status) in
        [("pm_1", "SUCCEEDED"), ("pm_sandbox_decline", "FAILED"), ("pm_sandbox_pending", "PROCESSING")]
    {
        let body = card_with("payment_method_id", Some(&format!("{instrument:?}")));
        let id = app.create(body).await.string("/id");
        let before = app.books().await;
        let answer = app.post(&format!("/v1/payments/{id}/process"), "").await;
        let details = json!({"payment_id": id, "current_status": status, "status": status,
            "allowed_statuses": ["INITIATED", "PENDING"]});
        assert_eq!(answer.details_of("invalid_operation", 400), details);
        assert_eq!(app.books().await, before);
    }
}

#[tokio::test]
async fn a_bad_body_is_refused() {
    let app = App::new();
    let id = app.create(CARD).await.string("/id");
    let path = format!("/v1/payments/{id}/process");
    for (body, field) in [
        ("[]", None),
        (" ", None),
        ("null", None),
        (r#"{"payment_method_id": 1}"#, Some("payment_method_id")),
        (r#"{"payment_method_id": ""}"#, Some("payment_method_id")),
        (r#"{"idempotency_key": true}"#, Some("idempotency_key")),
    ] {
        let details = app.post(&path, body).await.details_of("validation_error", 400);
        assert_eq!(details["field"].as_str(), field, "{body}");
    }
}

//! `POST /v1/payments/{id}/process`.

use std::sync::Arc;
use std::time::Duration;

use counterfoil::command::Policy;
use counterfoil::payment::RetrySchedule;
use counterfoil_testkit::ManualClock;
use serde_json::{Value, json};

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

fn declined() -> String {
    card_with("payment_method_id", Some("\"pm_sandbox_decline\""))
}

/// What `/actions` says of `process`.
async fn process_action(app: &App, id: &str) -> Value {
    let actions = app.get(&format!("/v1/payments/{id}/actions")).await.json();
    let items = actions["items"].as_array().unwrap();
    items.iter().find(|item| item["action"] == "process").unwrap().clone()
}

#[tokio::test]
async fn failed_payment_is_not_processed_again_unless_the_server_allows_it() {
    let app = App::new();
    let id = app.create(declined()).await.string("/id");
    let answer =
        app.post(&format!("/v1/payments/{id}/process"), r#"{"payment_method_id": "pm_2"}"#).await.json();
    let message =
        format!("cannot process {id}: it is FAILED, and processing failed payments again is not enabled");
    assert_eq!(answer["message"], message);
    let reason = "the payment is FAILED, and processing failed payments again is not enabled";
    let action = json!({"action": "process", "allowed": false, "reason": reason});
    assert_eq!(process_action(&app, &id).await, action);
}

#[tokio::test]
async fn failed_payment_is_processed_again_with_another_instrument() {
    let app = App::with(|ledger| ledger.with_policy(Policy::default().processing_failed()));
    let id = app.create(declined()).await.string("/id");
    let path = format!("/v1/payments/{id}/process");
    let action = json!({"action": "process", "allowed": true, "needs_another_payment_method_id": true});
    assert_eq!(process_action(&app, &id).await, action);
    for body in ["", r#"{"payment_method_id": "pm_sandbox_decline"}"#] {
        let details = json!({"payment_id": id, "current_status": "FAILED",
            "payment_method_id": "pm_sandbox_decline"});
        assert_eq!(app.post(&path, body).await.details_of("invalid_operation", 400), details);
    }
    let paid = app.post(&path, r#"{"payment_method_id": "pm_2"}"#).await.json();
    assert_eq!((paid["payment_status"].as_str(), paid.get("review")), (Some("SUCCEEDED"), None));
    let events = app.get(&format!("/v1/payments/{id}/events")).await.json();
    let started = events["items"].as_array().unwrap().iter().find(|event| event["data"]["reopens"] == true);
    let summary = started.unwrap()["summary"].as_str().unwrap().to_owned();
    assert!(summary.ends_with("the failed payment is open again"), "{summary}");
}

#[tokio::test]
async fn archived_payment_is_not_processed_again() {
    let app = App::with(|ledger| ledger.with_policy(Policy::default().processing_failed()));
    let id = app.create(declined()).await.string("/id");
    app.delete(&format!("/v1/payments/{id}")).await;
    let answer = app.post(&format!("/v1/payments/{id}/process"), r#"{"payment_method_id": "pm_2"}"#).await;
    assert_eq!(answer.details_of("invalid_operation", 400), json!({"payment_id": id}));
    assert_eq!(process_action(&app, &id).await["reason"], "it is archived");
}

#[tokio::test]
async fn process_leaves_the_next_attempt_where_the_schedule_has_it() {
    let days = [1, 3, 7].map(|days| Duration::from_secs(days * 86_400));
    let schedule = RetrySchedule::new(days).unwrap();
    let app = App::with(|ledger| ledger.with_policy(Policy::default().with_retries(schedule)));
    let made = app.create(declined()).await;
    let (id, next) = (made.string("/id"), made.string("/next_attempt_at"));
    for _ in 0..3 {
        let tried = app.post(&format!("/v1/payments/{id}/process"), "").await;
        assert_eq!(
            (tried.string("/payment_status"), tried.string("/next_attempt_at")),
            ("PENDING".into(), next.clone())
        );
    }
}

#[tokio::test]
async fn given_up_retry_is_told_with_its_invoice() {
    let clock = Arc::new(ManualClock::default());
    let schedule = RetrySchedule::new([Duration::from_secs(60)]).unwrap();
    let policy = Policy::default().with_retries(schedule);
    let app = App::with(|ledger| ledger.with_policy(policy).with_clock(clock.clone()));
    let path = "/v1/destinations/INVOICE/inv_1";
    app.put(path, r#"{"currency": "usd", "amount_due": 123}"#).await;
    let made = app.create(declined()).await;
    let id = made.string("/id");
    assert_eq!(made.string("/payment_status"), "PENDING");
    app.put(path, r#"{"currency": "usd", "amount_due": 100}"#).await;
    clock.advance(Duration::from_secs(60));
    assert_eq!(app.ledger.run_due(10).await.unwrap().done, 1);
    let message = "automatic retry given up: only 100 usd of invoice inv_1 is still due";
    let payment = app.get(&format!("/v1/payments/{id}")).await;
    assert_eq!(
        (payment.string("/payment_status"), payment.string("/error_message")),
        ("FAILED".into(), message.into())
    );
    let events = app.get(&format!("/v1/payments/{id}/events")).await.json();
    let last = events["items"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["type"], &last["data"]["reason"]), (&json!("payment.closed"), &json!(message)));
    assert!(last["summary"].as_str().unwrap().contains(message), "{last}");
}

//! What waits for a person, what may be done about it, and a person's word.

use std::sync::Arc;
use std::time::Duration;

use counterfoil::command::Policy;
use counterfoil_testkit::ManualClock;
use serde_json::{Value, json};

use crate::support::{App, CARD, card_with};

async fn listed(app: &App, attention: &str) -> Vec<Value> {
    let list = app.get(&format!("/v1/payments?attention={attention}")).await;
    assert_eq!(list.status, 200, "{}", list.text);
    list.json()["items"].as_array().unwrap().iter().map(|payment| payment["id"].clone()).collect()
}

#[tokio::test]
async fn what_nobody_knows_is_settled_by_a_person() {
    let app = App::new();
    for (outcome, amount, status) in [
        ("succeeded", "", "SUCCEEDED"),
        ("succeeded", ", \"amount\": 120", "SUCCEEDED"),
        ("failed", "", "FAILED"),
        ("not_sent", "", "PENDING"),
    ] {
        let made = app.create(card_with("payment_method_id", Some("\"pm_sandbox_timeout_unknown\""))).await;
        assert_eq!(made.string("/attempts/0/payment_status"), "UNKNOWN");
        let attempt = made.string("/attempts/0/id");
        let body = format!(
            "{{\"outcome\": \"{outcome}\", \"note\": \"asked by phone\", \"operation_id\": \"{attempt}\"{amount}}}"
        );
        let path = format!("/v1/payments/{}/resolve", made.string("/id"));
        let resolved = app.post(&path, body).await;
        assert_eq!(
            (resolved.status, resolved.string("/payment_status").as_str()),
            (200, status),
            "{outcome}"
        );
        assert!(resolved.json()["review"].as_array().unwrap().contains(&json!("resolved")));
        assert!(resolved.header("etag").is_some() && !resolved.replayed());
        if !amount.is_empty() {
            assert_eq!(resolved.json()["amount_captured"], 120);
        }
    }
    app.books().await;
}

#[tokio::test]
async fn what_is_marked_is_listed_until_it_is_dismissed() {
    let app = App::new();
    app.create(CARD).await;
    let marked = app.create(card_with("payment_method_id", Some("\"pm_sandbox_overpaid\""))).await;
    let id = marked.string("/id");
    assert_eq!(listed(&app, "review").await, [json!(id)]);
    let path = format!("/v1/payments/{id}/resolve");
    let dismissed = app.post(&path, r#"{"outcome": "dismissed", "note": "kept as a tip"}"#).await;
    assert_eq!((dismissed.status, dismissed.json().get("review")), (200, None), "{}", dismissed.text);
    assert!(listed(&app, "review").await.is_empty());
    let again = app.post(&path, r#"{"outcome": "dismissed", "note": "again"}"#).await;
    assert_eq!(again.details_of("invalid_operation", 400), json!({"payment_id": id}));
    let refused = app.get("/v1/payments?attention=all").await.details_of("validation_error", 400);
    assert_eq!(refused, json!({"field": "attention", "allowed": ["review", "stuck"]}));
}

#[tokio::test]
async fn what_no_gateway_is_asked_about_any_more_is_stuck() {
    let clock = Arc::new(ManualClock::default());
    let app =
        App::with(|ledger| ledger.with_clock(clock.clone()).with_policy(Policy::default().with_polls([])));
    let made = app.create(card_with("payment_method_id", Some("\"pm_sandbox_timeout_unknown\""))).await;
    assert!(listed(&app, "stuck").await.is_empty());
    clock.advance(Duration::from_secs(2));
    assert_eq!(app.ledger.run_due(10).await.unwrap().done, 1);
    assert_eq!(listed(&app, "stuck").await, [made.json()["id"].clone()]);
}

#[tokio::test]
async fn a_word_that_says_too_little_or_too_much_is_refused() {
    let app = App::new();
    let id = app.create(CARD).await.string("/id");
    let path = format!("/v1/payments/{id}/resolve");
    for (body, field) in [
        (r#"{"note": "n"}"#, "outcome"),
        (r#"{"outcome": "gone", "note": "n"}"#, "outcome"),
        (r#"{"outcome": "lost", "note": "n"}"#, "dispute_id"),
        (r#"{"outcome": "failed"}"#, "note"),
        (r#"{"outcome": "failed", "note": "n", "amount": 1}"#, "amount"),
        (r#"{"outcome": "succeeded", "note": "n", "amount": 1, "currency": "eur"}"#, "currency"),
        (r#"{"outcome": "failed", "note": "n", "operation_id": "x"}"#, "operation_id"),
        (
            r#"{"outcome": "dismissed", "note": "n", "operation_id": "att_00000000000000000000000007"}"#,
            "operation_id",
        ),
    ] {
        let refused = app.post(&path, body).await;
        // Another currency is refused before anything else that is wrong.
        let details = refused.json()["details"].clone();
        assert_eq!((refused.status, &details["field"]), (400, &json!(field)), "{body}: {}", refused.text);
    }
    let nothing = app.post(&path, r#"{"outcome": "failed", "note": "n"}"#).await;
    assert_eq!(nothing.details_of("invalid_operation", 400), json!({"payment_id": id}));
    let unknown = r#"{"outcome": "failed", "note": "n", "operation_id": "att_00000000000000000000000007"}"#;
    assert_eq!(app.post(&path, unknown).await.details_of("not_found", 404), Value::Null);
}

#[tokio::test]
async fn what_may_be_done_is_told_with_amounts_and_reasons() {
    let app = App::new();
    let id = app.create(CARD).await.string("/id");
    app.post(&format!("/v1/payments/{id}/refunds"), r#"{"amount": 23}"#).await;
    let items = app.items(&id, "actions").await;
    let of = |action: &str| items.iter().find(|item| item["action"] == action).unwrap().clone();
    assert_eq!(of("refund"), json!({"action": "refund", "allowed": true, "max_amount": 100}));
    let capture = of("capture");
    assert_eq!((&capture["allowed"], capture.get("max_amount")), (&json!(false), None));
    assert!(capture["reason"].is_string());
    // What is said is so.
    let path = format!("/v1/payments/{id}/refunds");
    app.post(&path, r#"{"amount": 100.01}"#).await.details_of("invalid_operation", 400);
    assert_eq!(app.post(&path, r#"{"amount": 100}"#).await.status, 201);
}

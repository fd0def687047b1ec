//! What gateways tell of their own accord.

use axum::http::Request;
use counterfoil::clock::{Clock, SystemClock};
use counterfoil_http::sign;
use serde_json::{Value, json};
use std::time::Duration;

use crate::support::{
    ACME, Answer, App, CARD, GLOBEX, SECRET, card_with, held, notification, recorded, request, unknown_name,
    usd,
};

/// A notification without our id of the payment.
fn nameless(kind: &str, more: Value) -> Value {
    let mut word = notification("n1", kind, "", more);
    word.as_object_mut().unwrap().remove("payment_id");
    word
}

async fn pending(app: &App) -> Answer {
    app.create(card_with("payment_method_id", Some("\"pm_sandbox_pending\""))).await
}

/// Sends a notification that must be accepted, and returns the status of its payment.
async fn status_after(app: &App, body: &Value) -> String {
    let taken = app.notify(body).await;
    assert_eq!(taken.status, 200, "{body}: {}", taken.text);
    taken.string("/payment_status")
}

/// INVARIANTS 29.
#[tokio::test]
async fn an_outcome_that_comes_later_is_taken_once() {
    let app = App::new();
    let made = pending(&app).await;
    let (id, attempt) = (made.string("/id"), made.string("/attempts/0/id"));
    let word = notification("n1", "attempt.succeeded", &id, json!({"attempt_id": attempt}));
    for applied in [true, false, false] {
        let taken = app.notify(&word).await;
        let expected = json!({"applied": applied, "payment_id": id, "payment_status": "SUCCEEDED"});
        assert_eq!((taken.status, taken.json()), (200, expected));
    }
    let renamed = notification("n2", "attempt.succeeded", &id, json!({"attempt_id": attempt}));
    assert_eq!(app.notify(&renamed).await.json()["applied"], false, "it says nothing new");
    let last = app.items(&id, "events").await.pop().unwrap();
    assert_eq!((&last["actor"], &last["cause"]), (&json!("gateway:sandbox"), &json!("evidence")));
    app.books().await;
}

#[tokio::test]
async fn every_type_has_its_effect() {
    let app = App::beside_doubt();
    // Of what goes on, the later word counts.
    let url = json!({"payment_url": "https://pay.test/1", "occurred_at": "2999-01-01T00:00:00Z"});
    let failed = json!({"error_code": "stolen_card", "error_message": "no"});
    let attempts = [
        ("attempt.succeeded", Value::Null, "SUCCEEDED"),
        ("attempt.failed", failed, "FAILED"),
        ("attempt.pending", Value::Null, "PROCESSING"),
        ("attempt.requires_action", url, "REQUIRES_ACTION"),
        ("attempt.canceled", Value::Null, "PENDING"),
        // A charge that is held is on its way.
        ("authorization.succeeded", Value::Null, "PROCESSING"),
    ];
    for (kind, more, status) in attempts {
        let id = pending(&app).await.string("/id");
        assert_eq!(
            status_after(&app, &notification(&format!("{kind} 1"), kind, &id, more)).await,
            status,
            "{kind}"
        );
    }
    let id = app.create(CARD).await.string("/id");
    let returned = notification("r", "payment.returned", &id, json!({"error_message": "R10"}));
    assert_ne!(status_after(&app, &returned).await, "SUCCEEDED");
    let id = app.create(held()).await.string("/id");
    assert_eq!(
        status_after(&app, &notification("x", "authorization.expired", &id, Value::Null)).await,
        "VOIDED"
    );
    app.books().await;
}

/// What was made at the gateway comes to be known.
#[tokio::test]
async fn captures_refunds_and_voids_that_were_made_there_come_to_be_known() {
    let app = App::new();
    let id = app.create_100(&held()).await;
    assert_eq!(
        status_after(&app, &notification("n1", "capture.succeeded", &id, usd(60, "c1"))).await,
        "PARTIALLY_CAPTURED"
    );
    assert_eq!(
        status_after(&app, &notification("n2", "refund.succeeded", &id, usd(10, "r1"))).await,
        "PARTIALLY_REFUNDED"
    );
    let failed = notification("n3", "refund.failed", &id, json!({"gateway_operation_id": "r1"}));
    assert_eq!(status_after(&app, &failed).await, "PARTIALLY_CAPTURED", "it bounced");
    let voided = notification("n4", "void.succeeded", &id, usd(40, "v1"));
    assert_eq!(status_after(&app, &voided).await, "SUCCEEDED");
    let refund = app.items(&id, "refunds").await[0].clone();
    assert_eq!((&refund["refund_status"], &refund["amount"]), (&json!("FAILED"), &json!(10)));
    let payment = app.payment(&id).await;
    assert_eq!((&payment["amount_captured"], &payment["review"]), (&json!(60), &json!(["refund_bounced"])));
    app.books().await;
}

#[tokio::test]
async fn a_payment_is_found_by_what_the_gateway_calls_it() {
    let app = App::new();
    let id = app.create(recorded()).await.string("/id");
    app.put(&format!("/v1/payments/{id}"), r#"{"gateway_payment_id": "pi_1", "payment_gateway": "sandbox"}"#)
        .await;
    let word = json!({"notification_id": "n", "type": "attempt.succeeded", "gateway_payment_id": "pi_1",
        "gateway_operation_id": "ch_1", "occurred_at": "2026-01-01T00:00:00Z"});
    let taken = app.notify(&word).await.json();
    assert_eq!((&taken["payment_id"], &taken["payment_status"]), (&json!(id), &json!("SUCCEEDED")));
}

#[tokio::test]
async fn of_nothing_that_is_known_nothing_is_bound() {
    let app = App::new();
    let before = app.books().await;
    let missing = "pay_00000000000000000000000007";
    for (word, field) in [
        (notification("n1", "attempt.succeeded", missing, Value::Null), "payment_id"),
        (notification("n1", "dispute.opened", missing, json!({"dispute_id": "d"})), "payment_id"),
        (nameless("refund.failed", json!({"gateway_operation_id": "r"})), "gateway_operation_id"),
        (nameless("dispute.won", json!({"dispute_id": "d"})), "dispute_id"),
        (
            nameless("refund.failed", json!({"gateway_payment_id": "p", "gateway_operation_id": "r"})),
            "gateway_payment_id",
        ),
        (nameless("void.failed", json!({"gateway_attempt_id": "a"})), "gateway_attempt_id"),
    ] {
        assert_eq!(app.notify(&word).await.details_of("not_found", 404), unknown_name(field), "{word}");
    }
    assert_eq!(app.books().await, before);
    // The name that was refused is free.
    let id = pending(&app).await.string("/id");
    assert_eq!(
        status_after(&app, &notification("n1", "attempt.succeeded", &id, Value::Null)).await,
        "SUCCEEDED"
    );
}

/// INVARIANTS 36: an endpoint tells of its own scope.
#[tokio::test]
async fn a_foreign_payment_is_not_known() {
    let app = App::new();
    let body = card_with("payment_method_id", Some("\"pm_sandbox_pending\""));
    let request = request(axum::http::Method::POST, "/v1/payments", GLOBEX, body);
    let id = app.send(request).await.string("/id");
    let word = notification("n", "attempt.succeeded", &id, Value::Null);
    assert_eq!(app.notify(&word).await.details_of("not_found", 404), unknown_name("payment_id"));
}

#[tokio::test]
async fn without_the_endpoints_signature_nothing_is_told() {
    let app = App::new();
    let id = pending(&app).await.string("/id");
    let before = app.books().await;
    let body = notification("n", "attempt.succeeded", &id, Value::Null).to_string();
    let now = SystemClock.now();
    let good = sign(SECRET, now, body.as_bytes());
    let old = sign(SECRET, now.saturating_sub(Duration::from_secs(310)), body.as_bytes());
    let early = sign(SECRET, now.saturating_add(Duration::from_secs(310)), body.as_bytes());
    let other_body = sign(SECRET, now, b"{}");
    let other_secret = sign("whsec", now, body.as_bytes());
    let mut answers = Vec::new();
    for (endpoint, signatures) in [
        ("gate", vec![""]),
        ("gate", vec!["t=1,v1=00"]),
        ("gate", vec![&old]),
        ("gate", vec![&early]),
        ("gate", vec![&other_body]),
        ("gate", vec![&other_secret]),
        ("gate", vec![&good, &good]),
        ("nowhere", vec![&good]),
        ("%FF", vec![&good]),
    ] {
        let mut request = Request::post(format!("/v1/gateways/{endpoint}/notifications"));
        for signature in &signatures {
            request = request.header("counterfoil-signature", *signature);
        }
        // A key of the API opens nothing here.
        let request = request.header("x-api-key", ACME).body(body.clone().into()).unwrap();
        let answer = app.send(request).await;
        assert_eq!(answer.details_of("unauthenticated", 401), Value::Null, "{endpoint} {signatures:?}");
        answers.push(answer.text);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "they answer alike");
    assert_eq!(app.books().await, before);
}

#[tokio::test]
async fn what_cannot_be_understood_is_refused() {
    let app = App::new();
    let id = pending(&app).await.string("/id");
    let good = notification("n", "attempt.succeeded", &id, Value::Null);
    for (field, value) in [
        ("notification_id", Value::Null),
        ("notification_id", json!("x".repeat(256))),
        ("type", Value::Null),
        ("type", json!("attempt.lost")),
        ("payment_id", json!("pay_x")),
        ("attempt_id", json!("ref_00000000000000000000000007")),
        ("occurred_at", Value::Null),
        ("occurred_at", json!("yesterday")),
        ("currency", json!("xxx")),
        ("stage", json!("end")),
        ("dispute_status", json!("LOST_IT")),
        ("payment_url", json!(7)),
    ] {
        let mut bad = good.clone();
        bad[field] = value;
        let details = app.notify(&bad).await.details_of("validation_error", 400);
        assert_eq!(details["field"], field, "{bad}");
    }
    let mut bad = good.clone();
    bad["amount"] = json!(1);
    assert_eq!(app.notify(&bad).await.details_of("validation_error", 400)["field"], "currency");
    let mut bad = good.clone();
    bad["currency"] = json!("eur");
    assert_eq!(app.notify(&bad).await.details_of("validation_error", 400)["field"], "amount");
    let bad = notification("n", "dispute.won", &id, Value::Null);
    assert_eq!(app.notify(&bad).await.details_of("validation_error", 400)["field"], "dispute_id");
}

/// A currency that goes with no amount would make a refund of all.
#[tokio::test]
async fn a_currency_without_an_amount_moves_nothing() {
    let app = App::new();
    let id = app.create(CARD).await.string("/id");
    let before = app.books().await;
    for (kind, more) in [
        ("refund.succeeded", json!({"currency": "EUR", "gateway_operation_id": "r_1"})),
        ("payment.returned", json!({"currency": "usd"})),
        ("dispute.opened", json!({"currency": "usd", "dispute_id": "d"})),
    ] {
        let answer = app.notify(&notification("n", kind, &id, more)).await;
        assert_eq!(answer.details_of("validation_error", 400), json!({"field": "amount"}), "{kind}");
    }
    assert_eq!(app.books().await, before);
}

/// A field that the type does not use would be told in vain.
#[tokio::test]
async fn a_field_that_does_not_go_with_the_type_is_refused() {
    let app = App::new();
    let id = app.create(CARD).await.string("/id");
    let before = app.books().await;
    for (kind, field, value, types) in [
        ("capture.succeeded", "refund_id", json!("ref_00000000000000000000000007"), "refund.succeeded"),
        ("refund.succeeded", "capture_id", json!("cap_00000000000000000000000007"), "payment.returned"),
        ("payment.returned", "refund_id", json!("ref_00000000000000000000000007"), "refund.failed"),
        ("refund.succeeded", "void_id", json!("void_00000000000000000000000007"), "void.failed"),
        ("dispute.opened", "capture_id", json!("cap_00000000000000000000000007"), "capture.failed"),
        ("dispute.opened", "gateway_operation_id", json!("txn_1"), "dispute.funds_withdrawn"),
        ("refund.succeeded", "dispute_id", json!("dp_1"), "dispute.won"),
        ("refund.succeeded", "stage", json!("inquiry"), "dispute.opened"),
        ("dispute.funds_withdrawn", "dispute_status", json!("UNDER_REVIEW"), "dispute.updated"),
        ("attempt.pending", "due_by", json!("2026-02-01T00:00:00Z"), "dispute.opened"),
        ("attempt.pending", "payment_url", json!("https://pay.test/1"), "attempt.requires_action"),
        ("attempt.succeeded", "error_code", json!("stolen_card"), "attempt.failed"),
        ("refund.succeeded", "error_message", json!("no"), "attempt.canceled"),
    ] {
        let mut word =
            notification("n", kind, &id, json!({"gateway_operation_id": "x", "dispute_id": "dp_1"}));
        let unused = if kind.starts_with("dispute") { "gateway_operation_id" } else { "dispute_id" };
        word.as_object_mut().unwrap().remove(unused);
        word[field] = value;
        let answer = app.notify(&word).await;
        assert_eq!(answer.details_of("validation_error", 400), json!({"field": field}), "{word}");
        let message = answer.string("/message");
        assert!(message.starts_with(&format!("{field} goes with ")), "{message}");
        assert!(message.contains(types) && !message.contains(kind), "{message}");
    }
    assert_eq!(app.books().await, before);
}

/// Whoever forgot to sign is told; of the signature nothing is.
#[tokio::test]
async fn a_missing_signature_is_told_apart_from_a_wrong_one() {
    let app = App::new();
    let message = async |endpoint: &str, signature: Option<&str>| {
        let mut request = Request::post(format!("/v1/gateways/{endpoint}/notifications"));
        if let Some(value) = signature {
            request = request.header("counterfoil-signature", value);
        }
        let answer = app.send(request.body("{}".into()).unwrap()).await;
        answer.details_of("unauthenticated", 401);
        answer.string("/message")
    };
    let missing = message("gate", None).await;
    assert!(missing.contains("no Counterfoil-Signature header"), "{missing}");
    assert_eq!(message("nowhere", None).await, missing);
    let wrong = message("gate", Some("t=1,v1=00")).await;
    assert_ne!(wrong, missing);
    assert_eq!(message("nowhere", Some("t=1,v1=00")).await, wrong);
}

/// Our own id is found within its payment only, so it names none.
#[tokio::test]
async fn what_names_no_payment_is_refused() {
    let app = App::new();
    let id = app.create(CARD).await.string("/id");
    let refund = app.post(&format!("/v1/payments/{id}/refunds"), r#"{"amount": 1}"#).await.string("/id");
    let before = app.books().await;
    for more in
        [json!({}), json!({"refund_id": refund}), json!({"refund_id": refund, "gateway_operation_id": "r"})]
    {
        let kind = if more.get("refund_id").is_some() { "refund.failed" } else { "attempt.failed" };
        let details = app.notify(&nameless(kind, more)).await.details_of("validation_error", 400);
        assert_eq!(details, json!({"reason": "unnamed", "field": "payment_id"}), "{kind}");
    }
    assert_eq!(app.books().await, before);
}

#[tokio::test]
async fn names_of_different_payments_are_told_as_that() {
    let app = App::beside_doubt();
    let (id, other) = (app.create(CARD).await, app.create(CARD).await);
    let charge = other.string("/attempts/0/gateway_attempt_id");
    let back = json!({"gateway_attempt_id": charge});
    let answer = app.notify(&notification("n", "payment.returned", &id.string("/id"), back)).await;
    assert_eq!(answer.details_of("not_found", 404), json!({"reason": "conflicting_names"}));
    let answer =
        app.notify(&notification("n", "dispute.opened", &id.string("/id"), json!({"dispute_id": "d"}))).await;
    assert_eq!(answer.status, 200);
    let of_other = json!({"dispute_id": "d"});
    let answer = app.notify(&notification("m", "dispute.won", &other.string("/id"), of_other)).await;
    assert_eq!(answer.details_of("not_found", 404), json!({"reason": "conflicting_names"}));
}

#[tokio::test]
async fn of_a_payment_that_was_never_there_a_gateway_has_nothing_to_tell() {
    let app = App::new();
    let id = app.create(CARD.replace("CARD", "OFFLINE")).await.string("/id");
    let answer = app.notify(&notification("n", "payment.returned", &id, Value::Null)).await;
    assert_eq!(answer.details_of("not_found", 404), json!({"reason": "other_gateway"}));
}

#[tokio::test]
async fn a_payment_that_has_nothing_to_give_back_says_so() {
    let app = App::new();
    let id = pending(&app).await.string("/id");
    let back = json!({"amount": 1, "currency": "usd", "gateway_operation_id": "r"});
    let answer = app.notify(&notification("n", "refund.succeeded", &id, back)).await;
    assert_eq!(answer.details_of("not_found", 404), json!({"reason": "nothing_there"}));
}

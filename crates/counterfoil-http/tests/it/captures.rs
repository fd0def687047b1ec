//! Holding money, taking it, letting it go.

use serde_json::{Value, json};

use crate::support::{App, CARD, card_with, held};

fn figures(payment: &Value) -> [&Value; 4] {
    ["amount_authorized", "amount_captured", "capturable", "refundable"].map(|name| &payment[name])
}

#[tokio::test]
async fn a_hold_is_taken_in_parts() {
    let app = App::new();
    let made = app.create(held().replace("123", "100")).await;
    let payment = made.json();
    assert_eq!(
        (&payment["payment_status"], &payment["capture_method"]),
        (&json!("AUTHORIZED"), &json!("manual"))
    );
    assert_eq!(figures(&payment), [100, 0, 100, 0]);
    let path = format!("/v1/payments/{}/capture", made.string("/id"));

    let part = app.post(&path, r#"{"amount": "30", "final": false}"#).await;
    assert_eq!((part.status, part.string("/payment_status").as_str()), (200, "PARTIALLY_CAPTURED"));
    assert_eq!(figures(&part.json()), [100, 30, 70, 30]);
    assert!(part.header("etag").is_some());

    let over = app.post(&path, r#"{"amount": 70.01}"#).await.details_of("invalid_operation", 400);
    assert_eq!(over, json!({"payment_id": payment["id"], "capturable": 70}));

    let last = app.post(&path, r#"{"amount": 20}"#).await.json();
    assert_eq!(last["payment_status"], "SUCCEEDED", "the rest of the hold is released");
    assert_eq!(figures(&last), [100, 50, 0, 50]);
    let euros = app.post(&path, r#"{"amount": 1, "currency": "eur"}"#).await;
    assert_eq!(euros.status, 400, "{}", euros.text);
    let late = app.post(&path, "").await.details_of("invalid_operation", 400);
    assert_eq!(late["current_status"], "SUCCEEDED");
    app.books().await;
}

#[tokio::test]
async fn without_a_body_all_of_it_is_taken_and_a_key_takes_it_once() {
    let app = App::new();
    let id = app.create(held()).await.string("/id");
    let path = format!("/v1/payments/{id}/capture");
    let first = app.post(&path, r#"{"idempotency_key": "c"}"#).await;
    assert_eq!((first.status, first.replayed()), (200, false));
    let again = app.post(&path, r#"{"idempotency_key": "c"}"#).await;
    assert_eq!((again.status, again.replayed(), &again.text), (200, true, &first.text));
    let other = app.post(&path, r#"{"idempotency_key": "c", "amount": 1}"#).await;
    assert_eq!(other.details_of("idempotency_mismatch", 422)["fields"], json!(["amount"]));
    assert_eq!(first.json()["amount_captured"], 123);
}

#[tokio::test]
async fn a_hold_is_released_and_a_charge_is_taken_back() {
    let app = App::new();
    for (body, key) in [(held(), "h"), (CARD.to_owned(), "c")] {
        let path = format!("/v1/payments/{}/void", app.create(body).await.string("/id"));
        let body = format!("{{\"reason\": \"wrong one\", \"idempotency_key\": \"{key}\"}}");
        for replayed in [false, true] {
            let voided = app.post(&path, body.clone()).await;
            assert_eq!((voided.status, voided.replayed()), (200, replayed), "{}", voided.text);
            assert_eq!(voided.string("/payment_status"), "VOIDED");
            assert_eq!(
                (&voided.json()["amount_captured"], &voided.json()["capturable"]),
                (&json!(0), &json!(0))
            );
        }
        let other = app.post(&path, body.replace("wrong", "right")).await;
        assert_eq!(other.details_of("idempotency_mismatch", 422)["fields"], json!(["reason"]));
    }
    let waiting = app.create(card_with("process_payment", Some("false"))).await.string("/id");
    let path = format!("/v1/payments/{waiting}/void");
    assert_eq!(app.post(&path, "").await.string("/payment_status"), "VOIDED");
    let again = app.post(&path, "").await.details_of("invalid_operation", 400);
    assert_eq!(again["current_status"], "VOIDED");
    app.books().await;
}

#[tokio::test]
async fn what_went_back_in_part_is_not_taken_back_whole() {
    let app = App::new();
    let id = app.create(CARD).await.string("/id");
    // While a refund is on its way or done, there is no "as if it had never been".
    app.post(&format!("/v1/payments/{id}/refunds"), r#"{"amount": 1}"#).await;
    let refused = app.post(&format!("/v1/payments/{id}/void"), "").await;
    refused.details_of("invalid_operation", 400);
}

#[tokio::test]
async fn capture_methods_and_expiry_are_checked() {
    let app = App::new();
    let offline = held().replace("\"CARD\"", "\"OFFLINE\"");
    let refused = app.post("/v1/payments", offline).await.details_of("validation_error", 400);
    assert_eq!(refused, json!({"field": "capture_method"}));
    let unknown = card_with("capture_method", Some("\"later\""));
    let refused = app.post("/v1/payments", unknown).await.details_of("validation_error", 400);
    assert_eq!(refused, json!({"field": "capture_method", "allowed": ["automatic", "manual"]}));
    for past in ["\"2001-01-01T00:00:00Z\"", "\"soon\"", "1"] {
        let refused = app.post("/v1/payments", card_with("expires_at", Some(past))).await;
        assert_eq!(refused.details_of("validation_error", 400), json!({"field": "expires_at"}), "{past}");
    }
    assert_eq!(app.books().await.events, 0);
    let later = card_with("expires_at", Some("\"2999-01-01T00:00:00+01:00\""));
    let made = app.create(later).await.json();
    assert_eq!(
        (&made["expires_at"], &made["capture_method"]),
        (&json!("2998-12-31T23:00:00.000000Z"), &json!("automatic"))
    );
    for (path, body, field) in [
        ("capture", r#"{"amount": 0}"#, "amount"),
        ("capture", r#"{"final": "yes"}"#, "final"),
        ("refunds", r#"{"amount": "1.001"}"#, "amount"),
        ("refunds", r#"{"metadata": {"a": 1}}"#, "metadata"),
        ("void", r#"{"reason": ""}"#, "reason"),
    ] {
        let id = made["id"].as_str().unwrap();
        let refused = app.post(&format!("/v1/payments/{id}/{path}"), body).await;
        assert_eq!(refused.details_of("validation_error", 400)["field"], field, "{path} {body}");
    }
}

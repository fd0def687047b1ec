//! Disputes, as gateways tell of them.

use serde_json::{Value, json};

use crate::support::{App, CARD};

fn word(id: &str, kind: &str, payment: &str, more: &Value) -> Value {
    let mut word = json!({"notification_id": id, "type": format!("dispute.{kind}"), "payment_id": payment,
        "dispute_id": "dp_1", "occurred_at": "2026-01-01T00:00:00Z"});
    word.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    word
}

#[tokio::test]
async fn a_dispute_is_told_listed_and_reserves_its_money() {
    let app = App::new();
    let id = app.create(CARD.replace("123", "100")).await.string("/id");
    let path = format!("/v1/payments/{id}/disputes");
    assert_eq!(app.get(&path).await.json(), json!({"items": []}));
    let opened = json!({"amount": 40, "currency": "usd", "stage": "chargeback", "dispute_status": "NEEDS_RESPONSE",
        "due_by": "2026-02-01T00:00:00Z", "error_code": "fraudulent", "error_message": "not mine"});
    let taken = app.notify(&word("n1", "opened", &id, &opened)).await;
    assert_eq!((taken.status, &taken.json()["applied"]), (200, &json!(true)), "{}", taken.text);

    let dispute = app.get(&path).await.json()["items"][0].clone();
    let names = [
        "payment_id",
        "payment_gateway",
        "gateway_dispute_id",
        "stage",
        "dispute_status",
        "amount",
        "currency",
        "error_code",
        "error_message",
        "due_by",
        "amount_withdrawn",
    ];
    let expected = json!([
        id,
        "sandbox",
        "dp_1",
        "chargeback",
        "NEEDS_RESPONSE",
        40,
        "usd",
        "fraudulent",
        "not mine",
        "2026-02-01T00:00:00.000000Z",
        0
    ]);
    assert_eq!(Value::from(names.map(|name| dispute[name].clone()).to_vec()), expected);
    assert!(dispute["id"].as_str().unwrap().starts_with("dis_") || dispute["id"].is_string());

    let payment = app.get(&format!("/v1/payments/{id}")).await.json();
    assert_eq!((&payment["amount_disputed"], &payment["refundable"]), (&json!(40), &json!(60)));
    let refused = app.post(&format!("/v1/payments/{id}/refunds"), r#"{"amount": 61}"#).await;
    assert_eq!(refused.details_of("invalid_operation", 400)["refundable"], 60);
}

/// One movement of money is one, under however many notifications it is told.
#[tokio::test]
async fn money_that_a_dispute_moved_counts_once() {
    let app = App::new();
    let id = app.create(CARD.replace("123", "100")).await.string("/id");
    let funds = json!({"amount": 40, "currency": "usd", "gateway_operation_id": "txn_1"});
    for (name, applied) in [("n1", true), ("n1", false), ("n2", false)] {
        let taken = app.notify(&word(name, "funds_withdrawn", &id, &funds)).await;
        assert_eq!(taken.json()["applied"], applied, "{name}: {}", taken.text);
    }
    let dispute = app.get(&format!("/v1/payments/{id}/disputes")).await.json()["items"][0].clone();
    assert_eq!(dispute["amount_withdrawn"], 40);
    let back = json!({"amount": 40, "currency": "usd", "gateway_operation_id": "txn_2"});
    app.notify(&word("n3", "funds_reinstated", &id, &back)).await;
    let won = app.notify(&word("n4", "won", &id, &json!({}))).await;
    assert_eq!(won.json()["applied"], true);
    let dispute = app.get(&format!("/v1/payments/{id}/disputes")).await.json()["items"][0].clone();
    let figures = ["dispute_status", "amount_withdrawn", "amount_reinstated"].map(|name| &dispute[name]);
    assert_eq!(figures, [&json!("WON"), &json!(40), &json!(40)]);
    let payment = app.get(&format!("/v1/payments/{id}")).await.json();
    assert_eq!(payment["amount_disputed"], 0);
    app.books().await;
}

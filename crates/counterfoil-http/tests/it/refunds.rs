//! Giving captured money back.

use counterfoil_http::Amounts;
use serde_json::{Value, json};

use crate::support::{App, CARD};

#[tokio::test]
async fn a_refund_is_made_and_listed() {
    let app = App::new();
    let id = app.create(CARD).await.string("/id");
    let path = format!("/v1/payments/{id}/refunds");
    assert_eq!(app.get(&path).await.json(), json!({"items": []}));
    let body = r#"{"amount": 23.5, "reason": "broken", "metadata": {"ticket": "7"}, "idempotency_key": "r"}"#;
    let made = app.post(&path, body).await;
    let refund = made.json();
    assert_eq!((made.status, made.replayed()), (201, false), "{refund}");
    let figures = ["payment_id", "amount", "currency", "refund_status", "reason", "created_by"];
    let expected = json!([id, 23.5, "usd", "SUCCEEDED", "broken", "ann"]);
    assert_eq!(Value::from(figures.map(|name| refund[name].clone()).to_vec()), expected);
    assert_eq!(refund["metadata"], json!({"ticket": "7"}));
    assert!(made.string("/id").starts_with("ref_") && made.string("/gateway_refund_id").contains("ref_"));

    let again = app.post(&path, body).await;
    assert_eq!((again.status, again.replayed(), again.json()), (201, true, refund.clone()));
    let other = app.post(&path, body.replace("broken", "late")).await;
    assert_eq!(other.details_of("idempotency_mismatch", 422)["fields"], json!(["reason"]));

    let rest = app.post(&path, "").await.json();
    assert_eq!(rest["amount"], 99.5, "all that is left");
    assert_eq!(app.get(&path).await.json(), json!({"items": [refund, rest]}));
    let payment = app.get(&format!("/v1/payments/{id}")).await.json();
    assert_eq!((&payment["payment_status"], &payment["refundable"]), (&json!("REFUNDED"), &json!(0)));
    app.books().await;
}

#[tokio::test]
async fn more_than_there_is_is_refused_and_told_in_the_form_of_amounts() {
    for (amounts, left) in [(Amounts::Number, json!(99.5)), (Amounts::String, json!("99.5"))] {
        let app = App::answering(amounts);
        let id = app.create(CARD.replace("123", "100")).await.string("/id");
        let path = format!("/v1/payments/{id}/refunds");
        assert_eq!(app.post(&path, r#"{"amount": 0.5}"#).await.status, 201);
        let refused = app.post(&path, r#"{"amount": 99.51}"#).await;
        assert_eq!(
            refused.details_of("invalid_operation", 400),
            json!({"payment_id": id, "refundable": left})
        );
        assert!(refused.header("x-request-id").is_some());
        assert_eq!(refused.header("content-type"), Some("application/json"));
    }
}

#[tokio::test]
async fn what_never_came_does_not_go_back() {
    let app = App::new();
    let id = app.create(crate::support::recorded()).await.string("/id");
    let refused = app.post(&format!("/v1/payments/{id}/refunds"), "").await;
    let details = refused.details_of("invalid_operation", 400);
    assert_eq!((&details["current_status"], &details["payment_id"]), (&json!("INITIATED"), &json!(id)));
}

#[tokio::test]
async fn credits_go_back_to_their_wallet_and_offline_money_is_only_written_down() {
    let app = App::new();
    app.post("/v1/wallets/w/top-ups", r#"{"amount": 200, "currency": "usd"}"#).await;
    let credits = CARD.replace("\"CARD\"", "\"CREDITS\", \"payment_method_id\": \"w\"");
    for body in [credits, CARD.replace("CARD", "OFFLINE")] {
        let id = app.create(body).await.string("/id");
        let refund = app.post(&format!("/v1/payments/{id}/refunds"), r#"{"amount": 23}"#).await.json();
        assert_eq!((&refund["refund_status"], refund.get("payment_gateway")), (&json!("SUCCEEDED"), None));
    }
    assert_eq!(app.get("/v1/wallets/w").await.json()["balances"][0]["amount"], 100);
    assert_eq!(app.sandbox.calls(), 0);
    app.books().await;
}

#[tokio::test]
async fn attempts_are_listed_as_a_payment_shows_them() {
    let app = App::new();
    for body in [CARD.to_owned(), CARD.replace("CARD", "OFFLINE")] {
        let payment = app.create(body).await.json();
        let listed = app.get(&format!("/v1/payments/{}/attempts", payment["id"].as_str().unwrap())).await;
        assert_eq!(listed.json(), json!({"items": payment["attempts"]}));
    }
}

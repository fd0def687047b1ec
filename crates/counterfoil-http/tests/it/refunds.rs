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

#[tokio::test]
async fn refund_made_elsewhere_is_recorded_in_part_at_a_gateway_or_at_none() {
    let app = App::new();
    let id = app.create(CARD).await.string("/id");
    let path = format!("/v1/payments/{id}/refunds");
    let cash = r#"{"recorded": true, "amount": 23, "reason": "over the counter", "idempotency_key": "c",
        "occurred_at": "2026-01-01T00:00:00Z"}"#;
    let made = app.post(&path, cash).await;
    let refund = made.json();
    assert_eq!((made.status, made.replayed()), (201, false), "{refund}");
    assert_eq!((&refund["refund_status"], refund.get("payment_gateway")), (&json!("SUCCEEDED"), None));
    let again = app.post(&path, cash).await;
    assert_eq!((again.status, again.replayed(), again.json()), (201, true, refund));
    let other = app.post(&path, cash.replace("\"recorded\": true, ", "")).await;
    assert_eq!(other.details_of("validation_error", 400), json!({"field": "occurred_at"}));
    let made =
        app.post(&path, r#"{"amount": 23, "reason": "over the counter", "idempotency_key": "c"}"#).await;
    let fields = json!(["recorded", "occurred_at"]);
    assert_eq!(made.details_of("idempotency_mismatch", 422)["fields"], fields);

    let dashboard =
        r#"{"recorded": true, "amount": 40, "payment_gateway": "sandbox", "gateway_refund_id": "re_1"}"#;
    let refund = app.post(&path, dashboard).await.json();
    assert_eq!(
        (&refund["payment_gateway"], &refund["gateway_refund_id"]),
        (&json!("sandbox"), &json!("re_1"))
    );
    assert!(app.post(&path, dashboard).await.replayed(), "one gateway_refund_id is one refund");
    let payment = app.get(&format!("/v1/payments/{id}")).await.json();
    let figures = [&payment["payment_status"], &payment["refundable"], &payment["refunded_at"]];
    assert_eq!(figures, [&json!("PARTIALLY_REFUNDED"), &json!(60), &json!("2026-01-01T00:00:00.000000Z")]);
    assert_eq!(app.sandbox.calls(), 1, "the charge");

    let rest = app.post(&path, r#"{"recorded": true}"#).await.json();
    assert_eq!(rest["amount"], 60, "all that is refundable");
    app.books().await;
}

#[tokio::test]
async fn refund_that_cannot_be_recorded_names_its_field() {
    let app = App::beside_doubt();
    app.post("/v1/wallets/w/top-ups", r#"{"amount": 200, "currency": "usd"}"#).await;
    let credits = CARD.replace("\"CARD\"", "\"CREDITS\", \"payment_method_id\": \"w\"");
    let card = app.create(CARD).await.string("/id");
    let other = app.create(CARD).await.string("/id");
    let cash = app.create(CARD.replace("CARD", "OFFLINE")).await.string("/id");
    let credits = app.create(credits).await.string("/id");
    let refund = async |id: &str, more: Value| {
        let mut body = json!({"recorded": true, "amount": 1});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        app.post(&format!("/v1/payments/{id}/refunds"), body.to_string()).await
    };
    let named = json!({"payment_gateway": "sandbox", "gateway_refund_id": "re_1"});
    assert_eq!(refund(&other, named.clone()).await.status, 201);
    let before = app.books().await;
    for (id, more, field) in [
        (&card, json!({"occurred_at": "2999-01-01T00:00:00Z"}), "occurred_at"),
        (&card, json!({"payment_gateway": "nowhere"}), "payment_gateway"),
        (&cash, json!({"payment_gateway": "sandbox"}), "payment_gateway"),
        (&credits, json!({}), "recorded"),
        (&card, json!({"recorded": false, "payment_gateway": "sandbox"}), "payment_gateway"),
        (&card, json!({"recorded": false, "gateway_refund_id": "re_2"}), "gateway_refund_id"),
    ] {
        let refused = refund(id, more).await;
        assert_eq!(refused.details_of("validation_error", 400), json!({"field": field}));
    }
    let too_much = refund(&card, json!({"amount": 123.01})).await;
    assert_eq!(too_much.details_of("invalid_operation", 400)["refundable"], 123);
    let taken = refund(&card, named).await;
    assert_eq!(taken.details_of("already_exists", 409), json!({"payment_id": other}));
    assert_eq!(app.books().await, before);
}

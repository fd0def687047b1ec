//! What is owed for a destination, and what its payments come to.

use axum::http::Method;
use counterfoil::command::Policy;
use serde_json::{Value, json};

use crate::support::{ACME_LIVE, App, CARD, held, request};

const PATH: &str = "/v1/destinations/INVOICE/inv_1";

fn figures(answer: &Value) -> Value {
    Value::from(
        ["amount_due", "paid", "pending", "refunded", "remaining"].map(|name| answer[name].clone()).to_vec(),
    )
}

#[tokio::test]
async fn what_is_owed_bounds_what_is_charged() {
    let app = App::new();
    let put = app.put(PATH, r#"{"currency": "USD", "amount_due": "100.50", "number": "INV-1"}"#).await;
    let registered = put.json();
    assert_eq!((put.status, figures(&registered)), (200, json!([100.5, 0, 0, 0, 100.5])), "{registered}");
    let about = ["destination_type", "destination_id", "number", "payable", "currency"];
    let about = Value::from(about.map(|name| registered[name].clone()).to_vec());
    assert_eq!(about, json!(["INVOICE", "inv_1", "INV-1", true, "usd"]));

    let paid = app.create(CARD.replace("123", "60")).await;
    assert_eq!(paid.string("/invoice_number"), "INV-1");
    let over = app.post("/v1/payments", CARD.replace("123", "40.51")).await;
    let details = json!({"destination_type": "INVOICE", "destination_id": "inv_1", "remaining": 40.5});
    assert_eq!(over.details_of("invalid_operation", 400), details);
    app.create(held().replace("123", "40")).await;
    assert_eq!(figures(&app.get(PATH).await.json()), json!([100.5, 60, 40, 0, 0.5]));
    app.post(&format!("/v1/payments/{}/refunds", paid.string("/id")), r#"{"amount": 10}"#).await;
    assert_eq!(figures(&app.get(PATH).await.json()), json!([100.5, 60, 40, 10, 10.5]), "owed again");

    let again = app.put(PATH, r#"{"currency": "usd", "amount_due": 0, "payable": false}"#).await.json();
    assert_eq!(figures(&again), json!([0, 60, 40, 10, 0]));
    assert_eq!((&again["payable"], again.get("number")), (&json!(false), None), "replaced, not merged");
    let closed = app.post("/v1/payments", CARD).await.details_of("validation_error", 400);
    assert_eq!(closed, json!({"field": "destination_id"}));
    app.books().await;
}

#[tokio::test]
async fn what_was_never_registered_shows_what_came() {
    let app = App::new();
    assert_eq!(app.get(PATH).await.details_of("not_found", 404), Value::Null);
    app.create(CARD).await;
    app.create(CARD.replace("usd", "jpy")).await;
    let found = app.get(PATH).await.json();
    assert_eq!(
        (&found["currency"], &found["paid"], found.get("remaining")),
        (&json!("jpy"), &json!(123), None)
    );
    let others = json!([{"currency": "usd", "paid": 123, "pending": 0, "refunded": 0, "disputed": 0,
        "charged_back": 0}]);
    assert_eq!((found.get("amount_due"), &found["other_currencies"]), (None, &others));
    let foreign = app.send(request(Method::GET, PATH, ACME_LIVE, "")).await;
    assert_eq!(foreign.details_of("not_found", 404), Value::Null);
}

#[tokio::test]
async fn where_only_what_is_registered_can_be_paid() {
    let app = App::with(|ledger| ledger.with_policy(Policy::default().with_strict_destinations()));
    assert_eq!(app.post("/v1/payments", CARD).await.details_of("not_found", 404), Value::Null);
    app.put(PATH, r#"{"currency": "usd", "amount_due": 123}"#).await;
    app.create(CARD).await;
}

/// INVARIANTS 17: an invoice is not charged while nobody knows whether it was.
#[tokio::test]
async fn beside_a_doubt_nothing_is_charged() {
    let app = App::new();
    let body = CARD.replace("\"CARD\"", "\"CARD\", \"payment_method_id\": \"pm_sandbox_timeout_unknown\"");
    let first = app.create(body).await.string("/id");
    let second = app.post("/v1/payments", CARD).await;
    let details = json!({"payment_id": first, "destination_type": "INVOICE", "destination_id": "inv_1"});
    assert_eq!(second.details_of("invalid_operation", 400), details);
}

#[tokio::test]
async fn bad_registrations_are_refused() {
    let app = App::new();
    for (path, body, field) in [
        (PATH, r#"{"amount_due": 1}"#, "currency"),
        (PATH, r#"{"currency": "usd"}"#, "amount_due"),
        (PATH, r#"{"currency": "usd", "amount_due": "1.001"}"#, "amount_due"),
        (PATH, r#"{"currency": "usd", "amount_due": -1}"#, "amount_due"),
        (PATH, r#"{"currency": "usd", "amount_due": 1, "payable": 1}"#, "payable"),
        ("/v1/destinations/invoice/inv_1", r#"{"currency": "usd", "amount_due": 1}"#, "destination_type"),
        ("/v1/destinations/INVOICE/%00", r#"{"currency": "usd", "amount_due": 1}"#, "destination_id"),
        ("/v1/destinations/INVOICE/%FF", r#"{"currency": "usd", "amount_due": 1}"#, "destination_id"),
    ] {
        let refused = app.put(path, body).await.details_of("validation_error", 400);
        assert_eq!(refused["field"], field, "{path} {body}");
    }
    assert_eq!(app.books().await.events, 0);
    let odd = app.put("/v1/destinations/CUSTOMER/a%2Fb%3Ac", r#"{"currency": "usd", "amount_due": 1}"#).await;
    assert_eq!(odd.string("/destination_id"), "a/b:c");
}

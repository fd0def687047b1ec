//! Wallets.

use counterfoil::clock::Timestamp;
use serde_json::{Value, json};

use crate::support::App;

#[tokio::test]
async fn a_wallet_comes_to_be_with_its_first_top_up() {
    let app = App::new();
    assert_eq!(app.get("/v1/wallets/w1").await.details_of("not_found", 404), Value::Null);
    let first = app.post("/v1/wallets/w1/top-ups", r#"{"amount": "20.5", "currency": "USD"}"#).await;
    assert_eq!(first.status, 201);
    app.post("/v1/wallets/w1/top-ups", r#"{"amount": 0.25, "currency": "usd"}"#).await;
    let answer = app.post("/v1/wallets/w1/top-ups", r#"{"amount": 3, "currency": "eur"}"#).await;
    let mut wallet = answer.json();
    assert_eq!(wallet["created_at"], first.json()["created_at"]);
    let mut time = |at: &str| -> Timestamp {
        wallet.as_object_mut().unwrap().remove(at).unwrap().as_str().unwrap().parse().unwrap()
    };
    assert!(time("created_at") < time("updated_at"));
    let expected = json!({"id": "w1", "tenant_id": "acme", "environment_id": "test", "balances": [
        {"currency": "eur", "amount": 3}, {"currency": "usd", "amount": 20.75}]});
    assert_eq!(wallet, expected);
    assert_eq!(app.get("/v1/wallets/w1").await.text, answer.text);
}

#[tokio::test]
async fn a_wallets_id_is_any_text_percent_encoded() {
    let app = App::new();
    let body = r#"{"amount": 1, "currency": "usd"}"#;
    for (path, id) in
        [("a%2Fb", "a/b"), ("caf%C3%A9", "café"), ("a%20b", "a b"), ("a+b", "a+b"), ("%2525", "%25")]
    {
        let answer = app.post(&format!("/v1/wallets/{path}/top-ups"), body).await;
        assert_eq!(answer.string("/id"), id);
    }
    let before = app.books().await;
    let long = "w".repeat(256);
    for path in ["%00", "a%0Ab", "%20", "%FF", &long] {
        for answer in [
            app.get(&format!("/v1/wallets/{path}")).await,
            app.post(&format!("/v1/wallets/{path}/top-ups"), body).await,
        ] {
            assert_eq!(answer.details_of("validation_error", 400), json!({"field": "wallet_id"}), "{path}");
        }
    }
    assert_eq!(app.books().await, before);
}

#[tokio::test]
async fn bad_top_ups_are_refused() {
    let app = App::new();
    for (body, details) in [
        (r"", Value::Null),
        (r"[]", Value::Null),
        (r#"{"currency": "usd"}"#, json!({"field": "amount"})),
        (r#"{"amount": 1}"#, json!({"field": "currency"})),
        (r#"{"amount": 0, "currency": "usd"}"#, json!({"field": "amount"})),
        (r#"{"amount": -1, "currency": "usd"}"#, json!({"field": "amount"})),
        (
            r#"{"amount": 0.5, "currency": "jpy"}"#,
            json!({"field": "amount", "currency": "jpy", "max_scale": 0}),
        ),
        (r#"{"amount": 1, "currency": "usd", "idempotency_key": 1}"#, json!({"field": "idempotency_key"})),
    ] {
        let answer = app.post("/v1/wallets/w/top-ups", body).await;
        assert_eq!(answer.details_of("validation_error", 400), details, "{body}");
    }
    let most = r#"{"amount": 90071992547409.91, "currency": "usd"}"#;
    assert_eq!(app.post("/v1/wallets/w/top-ups", most).await.status, 201);
    let before = app.books().await;
    let answer = app.post("/v1/wallets/w/top-ups", r#"{"amount": 0.01, "currency": "usd"}"#).await;
    assert_eq!(
        answer.details_of("validation_error", 400),
        json!({"field": "amount"}),
        "the sum is too large"
    );
    assert_eq!(app.books().await, before);
}

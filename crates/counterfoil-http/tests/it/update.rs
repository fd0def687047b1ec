//! `PUT /v1/payments/{id}`: names and notes.

use axum::http::Method;
use serde_json::{Value, json};

use crate::hang_up::{hang_up, slow};
use crate::support::{ACME, App, CARD, card_with, recorded, request};

async fn made(app: &App, body: String) -> String {
    format!("/v1/payments/{}", app.create(body).await.string("/id"))
}

#[tokio::test]
async fn names_and_notes_are_changed_and_the_rest_stays() {
    let app = App::new();
    let path = made(&app, card_with("metadata", Some(r#"{"a": "1", "b": "2"}"#))).await;
    let before = app.get(&path).await.json();
    let change = json!({"metadata": {"c": "3"}, "payment_gateway": "stripe", "gateway_payment_id": "pi_1",
        "gateway_tracking_id": "cs_1", "payment_method_id": "pm_2", "error_message": "in words"});
    let answer = app.put(&path, change.to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let mut expected = before.clone();
    for (field, value) in change.as_object().unwrap() {
        expected[field] = value.clone();
    }
    let after = answer.json();
    expected["updated_at"] = after["updated_at"].clone();
    assert_eq!(after, expected);
    assert!(before["updated_at"].as_str() < after["updated_at"].as_str());
    assert_eq!(app.get(&path).await.text, answer.text);
    assert_eq!(app.put(&path, r#"{"metadata": {}}"#).await.json()["metadata"], json!({}), "all are replaced");
}

#[tokio::test]
async fn what_changes_nothing_writes_nothing() {
    let app = App::new();
    let path = made(&app, card_with("metadata", Some(r#"{"a": "1"}"#))).await;
    let change = json!({"metadata": {"a": "2"}, "gateway_tracking_id": "cs_1", "error_message": "in words"});
    let first = app.put(&path, change.to_string()).await;
    let before = app.books().await;
    let nothing = r#"{"metadata": null, "payment_status": null, "succeeded_at": null, "colour": 1}"#;
    for body in ["{}", nothing, &change.to_string()] {
        let answer = app.put(&path, body.to_owned()).await;
        assert_eq!((answer.status, &answer.text), (200, &first.text), "{body}");
        assert_eq!(answer.header("etag"), first.header("etag"));
        assert!(!answer.replayed());
    }
    assert_eq!(app.books().await, before);
}

#[tokio::test]
async fn all_of_it_or_nothing() {
    let app = App::new();
    let path = made(&app, CARD.to_owned()).await;
    let before = (app.books().await, app.get(&path).await.text);
    let body = r#"{"metadata": {"a": "1"}, "payment_status": "FAILED"}"#;
    app.put(&path, body).await.details_of("invalid_operation", 400);
    assert_eq!((app.books().await, app.get(&path).await.text), before);
    let both = r#"{"metadata": {"a": "1"}, "payment_status": "VOIDED"}"#;
    let answer = app.put(&path, both).await.json();
    assert_eq!((&answer["metadata"]["a"], &answer["payment_status"]), (&json!("1"), &json!("VOIDED")));
}

#[tokio::test]
async fn bad_fields_are_refused() {
    let app = App::new();
    let path = made(&app, recorded()).await;
    let before = app.books().await;
    let long = format!("\"{}\"", "x".repeat(1_001));
    let texts = [
        "payment_gateway",
        "gateway_payment_id",
        "gateway_tracking_id",
        "payment_method_id",
        "error_message",
    ];
    for field in texts {
        for value in ["1", "\"\"", "\" \"", "\"a\\nb\"", "[]", "{}", "true", &long] {
            let answer = app.put(&path, format!("{{\"{field}\": {value}}}")).await;
            assert_eq!(answer.details_of("validation_error", 400), json!({"field": field}), "{value}");
        }
    }
    for value in ["1", "[]", r#"{"a": 1}"#, r#"{"a": null}"#, r#"{"": "a"}"#] {
        let answer = app.put(&path, format!("{{\"metadata\": {value}}}")).await;
        assert_eq!(answer.details_of("validation_error", 400), json!({"field": "metadata"}), "{value}");
    }
    for body in ["", "[]", "null", "{", r#""SUCCEEDED""#] {
        assert_eq!(app.put(&path, body).await.details_of("validation_error", 400), Value::Null, "{body}");
        assert!(counterfoil_http::parse_update(body.as_bytes()).is_err());
    }
    assert_eq!(app.books().await, before);
}

#[tokio::test]
async fn what_has_no_other_instrument_takes_none() {
    let app = App::new();
    for (method, id) in [("OFFLINE", None), ("CREDITS", Some("w"))] {
        let body = json!({"amount": 5, "currency": "usd", "destination_type": "INVOICE", "destination_id": "i",
            "payment_method_type": method, "payment_method_id": id, "process_payment": false});
        let path = made(&app, body.to_string()).await;
        let answer = app.put(&path, r#"{"payment_method_id": "pm_1"}"#).await;
        assert_eq!(answer.details_of("validation_error", 400), json!({"field": "payment_method_id"}));
    }
}

#[tokio::test]
async fn another_instrument_is_the_next_attempts() {
    let app = App::new();
    let path = made(&app, recorded()).await;
    app.put(&path, r#"{"payment_method_id": "pm_sandbox_decline"}"#).await;
    let answer = app.post(&format!("{path}/process"), "").await.json();
    assert_eq!(answer["attempts"][0]["error_code"], "insufficient_funds");
    assert_eq!(answer["payment_method_id"], "pm_sandbox_decline");
}

/// INVARIANTS 29.
#[tokio::test]
async fn one_name_at_a_gateway_is_one_payment() {
    let app = App::new();
    let (first, second) = (made(&app, recorded()).await, made(&app, recorded()).await);
    let named = r#"{"payment_gateway": "sandbox", "gateway_payment_id": "pi_1"}"#;
    assert_eq!(app.put(&first, named).await.status, 200);
    let before = app.books().await;
    let details = app.put(&second, named).await.details_of("already_exists", 409);
    assert_eq!(details, json!({"payment_id": first.rsplit('/').next().unwrap()}));
    assert_eq!(app.books().await, before);
    let elsewhere = named.replace("sandbox", "stripe");
    assert_eq!(app.put(&second, elsewhere).await.status, 200, "another gateway, another name");
}

#[tokio::test]
async fn what_its_gateway_has_is_polled_and_never_charged() {
    let app = App::new();
    for (name, status) in
        [("sandbox_paid_1", "SUCCEEDED"), ("sandbox_declined_1", "FAILED"), ("no_news_1", "PENDING")]
    {
        let path = made(&app, recorded()).await;
        let answer = app.put(&path, json!({"gateway_payment_id": name}).to_string()).await;
        assert_eq!(answer.string("/payment_status"), "PENDING", "the gateway has it");
        assert_eq!(answer.string("/gateway_payment_id"), name);
        let polled = app.post(&format!("{path}/process"), "").await;
        assert_eq!((polled.status, polled.string("/payment_status")), (200, status.to_owned()));
        assert!(!polled.replayed(), "no news repeats nothing");
    }
    assert_eq!(app.sandbox.calls(), 0);
    let alone = App::without_gateway();
    let path = made(&alone, recorded()).await;
    alone.put(&path, r#"{"gateway_payment_id": "g"}"#).await;
    let details = alone.post(&format!("{path}/process"), "").await.details_of("invalid_operation", 400);
    assert_eq!(details, json!({"payment_id": path.rsplit('/').next().unwrap()}), "there is nobody to ask");
}

/// INVARIANTS 17.
#[tokio::test]
async fn nobody_speaks_for_an_attempt_that_is_under_way() {
    let gateway = slow();
    let app = App::through(gateway.clone());
    let body = card_with("process_payment", Some("false, \"idempotency_key\": \"k\""));
    let path = made(&app, body).await;
    hang_up(&app, &gateway, &format!("{path}/process"), "").await;
    let started = app.get(&path).await.json()["updated_at"].as_str().unwrap().to_owned();
    for status in ["SUCCEEDED", "FAILED"] {
        let put = request(Method::PUT, &path, ACME, json!({"payment_status": status}).to_string());
        let details = app.send(put).await.details_of("invalid_operation", 400);
        assert_eq!(details["payment_id"], path.rsplit('/').next().unwrap());
        assert!(details["until"].as_str().unwrap() > started.as_str(), "{details}");
    }
    gateway.let_go.add_permits(1);
    app.flows.finished().await;
    assert_eq!(app.get(&path).await.string("/payment_status"), "SUCCEEDED");
}

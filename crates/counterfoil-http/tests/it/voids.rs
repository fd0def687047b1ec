//! Captures and voids that a gateway declines or does not answer, and voids of captured money.

use std::sync::Arc;

use counterfoil_sandbox::Sandbox;
use serde_json::{Value, json};

use crate::support::{ACME_LIVE, Answer, App, CARD, card_with, held, request};

/// A payment by this card, held or charged.
fn by(card: &str, capture_method: &str) -> String {
    let steered = card_with("payment_method_id", Some(&format!("{card:?}")));
    let end = steered.len() - 1;
    format!("{}, \"capture_method\": {capture_method:?}}}", &steered[..end])
}

async fn create(app: &App, body: String) -> String {
    app.create(body).await.string("/id")
}

/// What `/actions` says of a void.
async fn void_action(app: &App, id: &str) -> Value {
    let actions = app.items(id, "actions").await;
    actions.iter().find(|it| it["action"] == "void").unwrap().clone()
}

#[tokio::test]
async fn declined_capture_is_told_to_its_caller_and_to_a_repeat() {
    let app = App::new();
    let id = create(&app, by("pm_sandbox_capture_decline", "manual")).await;
    let path = format!("/v1/payments/{id}/capture");
    let body = r#"{"amount": 23, "final": false, "idempotency_key": "c"}"#;
    let first = app.post(&path, body).await;
    let answer = first.json();
    assert_eq!((first.status, first.replayed()), (200, false), "{answer}");
    assert_eq!((&answer["id"], &answer["payment_status"]), (&json!(id), &json!("AUTHORIZED")));
    let capture = &answer["capture"];
    let told = ["payment_id", "amount", "currency", "capture_status", "error_code", "error_message"];
    let expected = json!([id, 23, "usd", "FAILED", "capture_declined", "the gateway declined the capture"]);
    assert_eq!(Value::from(told.map(|name| capture[name].clone()).to_vec()), expected);
    assert_eq!(capture["attempt_id"], answer["attempts"][0]["id"]);
    assert!(first.string("/capture/gateway_capture_id").contains("cap_"), "{capture}");
    assert_eq!(answer["capturable"], 123, "what it had reserved is free again");

    let again = app.post(&path, body).await;
    assert_eq!((again.status, again.replayed(), again.json()), (200, true, answer.clone()));
    assert_eq!(json!(app.items(&id, "captures").await), json!([capture]));
    assert_eq!(app.sandbox.calls(), 2, "a repeat asks for nothing");
    app.books().await;
}

#[tokio::test]
async fn declined_void_is_told_to_its_caller_and_to_a_repeat() {
    for (capture_method, status, void_type) in
        [("manual", "AUTHORIZED", "release"), ("automatic", "SUCCEEDED", "reversal")]
    {
        let app = App::new();
        let id = create(&app, by("pm_sandbox_void_decline", capture_method)).await;
        let path = format!("/v1/payments/{id}/void");
        let body = r#"{"reason": "wrong one", "idempotency_key": "v"}"#;
        let first = app.post(&path, body).await;
        let answer = first.json();
        assert_eq!((first.status, &answer["payment_status"]), (200, &json!(status)), "{answer}");
        let void = &answer["void"];
        let told = ["void_type", "void_status", "error_code", "error_message", "reason", "amount"];
        let expected =
            json!([void_type, "FAILED", "void_declined", "the gateway declined the void", "wrong one", 123]);
        assert_eq!(Value::from(told.map(|name| void[name].clone()).to_vec()), expected);

        let again = app.post(&path, body).await;
        assert_eq!((again.status, again.replayed(), again.json()), (200, true, answer.clone()));
        assert_eq!(json!(app.items(&id, "voids").await), json!([void]));
        app.books().await;
    }
}

#[tokio::test]
async fn open_capture_or_void_is_told_and_a_repeat_tells_its_end() {
    for (card, what) in [("pm_sandbox_capture_timeout", "capture"), ("pm_sandbox_void_timeout", "void")] {
        let app = App::new();
        let id = create(&app, by(card, "manual")).await;
        let path = format!("/v1/payments/{id}/{what}");
        let send = || app.post(&path, r#"{"idempotency_key": "k"}"#);
        let status = |answer: &Answer| answer.string(&format!("/{what}/{what}_status"));
        let open = send().await;
        assert_eq!((open.status, status(&open).as_str()), (200, "UNKNOWN"), "{}", open.text);
        assert!(open.json()[what]["error_message"].is_string(), "{}", open.text);
        assert_eq!(app.items(&id, &format!("{what}s")).await, [open.json()[what].clone()]);

        let again = send().await;
        assert_eq!((again.replayed(), status(&again).as_str()), (true, "SUCCEEDED"), "{}", again.text);
        assert_eq!(again.json()[what]["id"], open.json()[what]["id"]);
        assert_eq!(again.json()[what].get("error_message"), None);
    }
}

#[tokio::test]
async fn captures_and_voids_are_listed_in_order_and_only_to_their_tenant() {
    let app = App::new();
    let id = create(&app, held()).await;
    for what in ["captures", "voids"] {
        assert!(app.items(&id, what).await.is_empty());
    }
    let capture = format!("/v1/payments/{id}/capture");
    let first = app.post(&capture, r#"{"amount": 20, "final": false}"#).await.json();
    let second = app.post(&capture, r#"{"amount": 3, "final": false}"#).await.json();
    let void = app.post(&format!("/v1/payments/{id}/void"), "").await.json();
    assert_eq!(app.items(&id, "captures").await, [first["capture"].clone(), second["capture"].clone()]);
    assert_eq!(app.items(&id, "voids").await, [void["void"].clone()]);
    assert_eq!((&void["void"]["void_type"], &void["void"]["amount"]), (&json!("release"), &json!(100)));
    for what in ["captures", "voids"] {
        let path = format!("/v1/payments/{id}/{what}");
        let foreign = app.send(request(axum::http::Method::GET, &path, ACME_LIVE, "")).await;
        foreign.details_of("not_found", 404);
    }
}

#[tokio::test]
async fn cancelling_a_payment_makes_no_void() {
    let app = App::new();
    let id = create(&app, card_with("process_payment", Some("false"))).await;
    let canceled = app.post(&format!("/v1/payments/{id}/void"), "").await.json();
    assert_eq!((&canceled["payment_status"], canceled.get("void")), (&json!("VOIDED"), None));
    assert!(app.items(&id, "voids").await.is_empty());
}

#[tokio::test]
async fn void_of_a_captured_hold_reverses_the_capture() {
    let app = App::new();
    let id = create(&app, held()).await;
    let captured = app.post(&format!("/v1/payments/{id}/capture"), "").await.json();
    let offered = void_action(&app, &id).await;
    assert_eq!((&offered["allowed"], &offered["max_amount"]), (&json!(true), &json!(123)));

    let answer = app.post(&format!("/v1/payments/{id}/void"), "").await.json();
    assert_eq!((&answer["payment_status"], &answer["amount_captured"]), (&json!("VOIDED"), &json!(0)));
    let told = ["void_type", "void_status", "amount", "capture_id"].map(|name| answer["void"][name].clone());
    assert_eq!(told, [json!("reversal"), json!("SUCCEEDED"), json!(123), captured["capture"]["id"].clone()]);
    assert_eq!(app.sandbox.captured(id.parse().unwrap()), None);
    app.books().await;
}

#[tokio::test]
async fn void_of_a_captured_hold_is_refused_where_the_gateway_cannot_reverse_it() {
    let app = App::through(Arc::new(Sandbox::new().without_capture_reversals()));
    let id = create(&app, held()).await;
    assert_eq!(void_action(&app, &id).await["allowed"], true, "a hold can be released");
    app.post(&format!("/v1/payments/{id}/capture"), "").await;
    let why = "its hold was captured, and gateway sandbox cannot reverse a capture; use a refund";
    let refused = void_action(&app, &id).await;
    assert_eq!((&refused["allowed"], &refused["reason"]), (&json!(false), &json!(why)));
    let answer = app.post(&format!("/v1/payments/{id}/void"), "").await;
    assert_eq!(answer.json()["message"], format!("payment {id} cannot be voided: {why}"));
    assert_eq!(answer.details_of("invalid_operation", 400), json!({"payment_id": id}));
    assert!(app.items(&id, "voids").await.is_empty());
    let refund = app.post(&format!("/v1/payments/{id}/refunds"), "").await;
    assert_eq!((refund.status, refund.string("/refund_status").as_str()), (201, "SUCCEEDED"));

    let charged = create(&app, CARD.to_owned()).await;
    let voided = app.post(&format!("/v1/payments/{charged}/void"), "").await;
    assert_eq!(voided.string("/payment_status"), "VOIDED", "a charge is no capture of a hold");
    app.books().await;
}

#[tokio::test]
async fn a_void_that_has_nothing_to_release_is_refused_as_actions_tells() {
    let app = App::beside_doubt();
    let taken = create(&app, by("pm_sandbox_capture_timeout", "manual")).await;
    app.post(&format!("/v1/payments/{taken}/capture"), "").await;
    let given_back = create(&app, CARD.to_owned()).await;
    app.post(&format!("/v1/payments/{given_back}/refunds"), r#"{"amount": 5}"#).await;
    for (id, why) in
        [(taken, "all that is held is being captured or released"), (given_back, "nothing is held")]
    {
        let told = void_action(&app, &id).await;
        assert_eq!((&told["allowed"], &told["reason"]), (&json!(false), &json!(why)));
        let answer = app.post(&format!("/v1/payments/{id}/void"), "").await;
        assert_eq!(answer.details_of("invalid_operation", 400), json!({"payment_id": id}));
        assert_eq!(answer.string("/message"), format!("payment {id} cannot be voided: {why}"));
    }
    app.books().await;
}

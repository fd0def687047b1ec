//! Many callers at once (invariants 9, 16, 20).

use axum::http::Method;
use tokio::task::JoinSet;

use crate::support::{ACME, Answer, App, CARD, held, request};

/// Sends `bodies` all at the same time.
async fn all_at_once(app: &App, path: &str, bodies: Vec<String>) -> Vec<Answer> {
    let mut sent = JoinSet::new();
    for body in bodies {
        let app = app.clone();
        let request = request(Method::POST, path, ACME, body);
        sent.spawn(async move { app.send(request).await });
    }
    sent.join_all().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn forty_creates_under_one_key_are_one_payment_and_one_charge() {
    let app = App::new();
    let body = CARD.replace("123", "123, \"idempotency_key\": \"k\"");
    let answers = all_at_once(&app, "/v1/payments", vec![body; 40]).await;
    assert!(answers.iter().all(|answer| answer.status == 201));
    assert_eq!(answers.iter().filter(|answer| !answer.replayed()).count(), 1);
    let mut ids: Vec<_> = answers.iter().map(|answer| answer.string("/id")).collect();
    ids.dedup();
    assert_eq!(ids.len(), 1);
    assert_eq!((app.sandbox.calls(), app.sandbox.charges()), (1, 1));
    assert_eq!(app.books().await.payments, 1);
    let payment = app.get(&format!("/v1/payments/{}", ids[0])).await;
    assert_eq!(payment.string("/payment_status"), "SUCCEEDED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_wallet_of_a_hundred_pays_thirty_three_times() {
    let app = App::new();
    let top_up = app.post("/v1/wallets/w/top-ups", r#"{"amount": 100, "currency": "usd"}"#).await;
    assert_eq!(top_up.status, 201);
    let body = CARD.replace("CARD", "CREDITS\", \"payment_method_id\": \"w").replace("123", "30");
    let answers = all_at_once(&app, "/v1/payments", vec![body; 20]).await;
    let count = |status: &str| answers.iter().filter(|a| a.string("/payment_status") == status).count();
    assert_eq!((count("SUCCEEDED"), count("FAILED")), (3, 17));
    let failed = answers.iter().find(|answer| answer.string("/payment_status") == "FAILED").unwrap();
    assert_eq!(failed.status, 201);
    assert!(failed.string("/error_message").contains("credits"));
    assert_eq!(failed.string("/attempts/0/error_code"), "insufficient_credits");
    assert!(app.get("/v1/wallets/w").await.text.contains("\"amount\":10}"));
    app.books().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twenty_processings_are_one_attempt() {
    let app = App::new();
    let recorded = CARD.replace("123", "123, \"process_payment\": false");
    let id = app.create(recorded).await.string("/id");
    let answers = all_at_once(&app, &format!("/v1/payments/{id}/process"), vec![String::new(); 20]).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    for refused in answers.iter().filter(|answer| answer.status != 200) {
        refused.details_of("invalid_operation", 400);
    }
    assert_eq!(app.sandbox.calls(), 1);
}

/// INVARIANTS 31: what is under way counts as gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn forty_refunds_of_seven_give_back_ninety_eight_of_a_hundred() {
    let app = App::new();
    let id = app.create(CARD.replace("123", "100")).await.string("/id");
    let bodies = vec![r#"{"amount": 7}"#.to_owned(); 40];
    let answers = all_at_once(&app, &format!("/v1/payments/{id}/refunds"), bodies).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 14);
    let mut least = 100;
    for refused in answers.iter().filter(|answer| answer.status != 201) {
        let refundable = refused.details_of("invalid_operation", 400)["refundable"].as_u64();
        least = least.min(refundable.expect("says what could be"));
    }
    assert_eq!(least, 2);
    let payment = app.get(&format!("/v1/payments/{id}")).await.json();
    assert_eq!((&payment["amount_refunded"], &payment["refundable"]), (&98.into(), &2.into()));
    app.books().await;
}

/// INVARIANTS 31.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_captures_of_sixty_of_a_hundred_are_one() {
    let app = App::new();
    let id = app.create(held().replace("123", "100")).await.string("/id");
    let bodies = vec![r#"{"amount": 60, "final": false}"#.to_owned(); 10];
    let answers = all_at_once(&app, &format!("/v1/payments/{id}/capture"), bodies).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    for refused in answers.iter().filter(|answer| answer.status != 200) {
        assert_eq!(refused.details_of("invalid_operation", 400)["capturable"], 40);
    }
    let payment = app.get(&format!("/v1/payments/{id}")).await.json();
    assert_eq!((&payment["amount_captured"], &payment["capturable"]), (&60.into(), &40.into()));
    app.books().await;
}

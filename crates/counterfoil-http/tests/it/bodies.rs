//! The limit on bodies, and bodies that are cut off. What arrives in chunks, of a length that nobody announced, is in `socket`.

use axum::http::Method;

use crate::support::{ACME, App, CARD, request};

const LIMIT: usize = 256 * 1024;

fn padded(length: usize) -> Vec<u8> {
    let mut body = CARD.as_bytes().to_vec();
    body.resize(length, b' ');
    body
}

#[tokio::test]
async fn a_body_of_the_limit_is_taken_and_one_byte_more_is_not() {
    let app = App::new();
    app.create(padded(LIMIT)).await;
    let before = app.books().await;
    app.post("/v1/payments", padded(LIMIT + 1)).await.details_of("payload_too_large", 413);
    assert_eq!(app.books().await, before);
}

#[tokio::test]
async fn a_lying_content_length_changes_nothing() {
    let app = App::new();
    for (length, status) in [(LIMIT, 201), (LIMIT + 1, 413)] {
        for announced in ["1", "999999999"] {
            let mut lying = request(Method::POST, "/v1/payments", ACME, padded(length));
            lying.headers_mut().insert("content-length", announced.parse().unwrap());
            assert_eq!(app.send(lying).await.status, status);
        }
    }
}

#[tokio::test]
async fn the_key_is_checked_before_the_body() {
    let app = App::new();
    let body = request(Method::POST, "/v1/payments", "wrong", padded(LIMIT + 1));
    app.send(body).await.details_of("unauthenticated", 401);
}

#[tokio::test]
async fn every_route_that_takes_a_body_has_the_limit() {
    let app = App::new();
    let id = app.create(CARD).await.string("/id");
    let payment = format!("/v1/payments/{id}");
    for path in
        [format!("{payment}/process"), format!("{payment}/attempts"), "/v1/wallets/w/top-ups".to_owned()]
    {
        app.post(&path, padded(LIMIT + 1)).await.details_of("payload_too_large", 413);
    }
    app.put(&payment, padded(LIMIT + 1)).await.details_of("payload_too_large", 413);
}

#[tokio::test]
async fn a_body_that_is_cut_off_is_refused_as_that() {
    let app = App::new();
    for (body, message) in [
        ("{", "the body is not complete JSON"),
        (r#"{"amount": 1, "cur"#, "the body is not complete JSON"),
        (r#"{"amount": tr"#, "the body is not complete JSON"),
        ("", "the body is empty"),
        (" \n", "the body is empty"),
        (r#"{"amount": ]}"#, "the body is not JSON: wrong at line 1, column 12"),
        ("{} {", "the body is not JSON: wrong at line 1, column 4"),
    ] {
        let answer = app.post("/v1/payments", body).await;
        answer.details_of("validation_error", 400);
        assert!(answer.string("/message").starts_with(message), "{body}: {}", answer.text);
    }
}

//! What belongs to another answers like what does not exist (invariant 36).

use axum::http::Method;

use crate::support::{ACME, ACME_LIVE, Answer, App, CARD, GLOBEX, card_with, request};

/// Everything of an answer but its request id.
fn seen(mut answer: Answer) -> (u16, Vec<(String, Vec<u8>)>, String) {
    answer.headers.remove("x-request-id");
    let mut headers: Vec<_> =
        answer.headers.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
    headers.sort();
    (answer.status, headers, answer.text)
}

#[tokio::test]
async fn a_foreign_id_answers_byte_for_byte_like_a_missing_one() {
    let app = App::new();
    let foreign = app.create(card_with("process_payment", Some("false"))).await.string("/id");
    app.post("/v1/wallets/theirs/top-ups", r#"{"amount": 5, "currency": "usd"}"#).await;
    let before = app.books().await;
    let missing = "pay_00000000000000000000000007".to_owned();
    let none = "no-id-at-all".to_owned();
    for key in [GLOBEX, ACME_LIVE] {
        for (method, tail, body) in [
            (Method::GET, "", ""),
            (Method::GET, "/events", ""),
            (Method::POST, "/process", ""),
            (Method::POST, "/process", r#"{"payment_method_id": "pm_1", "idempotency_key": "k"}"#),
            (Method::PUT, "", "{}"),
            (Method::PUT, "", r#"{"payment_status": "SUCCEEDED", "gateway_payment_id": "g"}"#),
            (Method::DELETE, "", ""),
            (Method::GET, "/attempts", ""),
            (Method::GET, "/captures", ""),
            (Method::GET, "/refunds", ""),
            (Method::GET, "/voids", ""),
            (Method::GET, "/disputes", ""),
            (Method::GET, "/actions", ""),
            (Method::POST, "/capture", ""),
            (Method::POST, "/refunds", ""),
            (Method::POST, "/void", ""),
            (Method::POST, "/resolve", r#"{"outcome": "failed", "note": "n"}"#),
            (Method::POST, "/attempts", r#"{"payment_status": "SUCCEEDED", "idempotency_key": "k"}"#),
        ] {
            let mut answers = Vec::new();
            for id in [&foreign, &missing, &none] {
                let path = format!("/v1/payments/{id}{tail}");
                answers.push(seen(app.send(request(method.clone(), &path, key, body)).await));
            }
            assert_eq!(answers[0].0, 404);
            assert_eq!(answers[0], answers[1], "{method} {tail}");
            assert_eq!(answers[0], answers[2], "{method} {tail}");
        }
        let wallet = async |id: &str| {
            seen(app.send(request(Method::GET, &format!("/v1/wallets/{id}"), key, "")).await)
        };
        assert_eq!(wallet("theirs").await.0, 404);
        assert_eq!(wallet("theirs").await, wallet("nobodys").await);
    }
    assert_eq!(app.books().await, before);
    assert_eq!(app.sandbox.calls(), 0);
}

/// The version of a foreign payment cannot be probed either.
#[tokio::test]
async fn a_precondition_tells_nothing_of_a_foreign_payment() {
    let app = App::new();
    let foreign = app.create(CARD).await.string("/id");
    for id in [foreign.as_str(), "pay_00000000000000000000000007"] {
        for tag in ["\"1\"", "\"2\"", "W/\"2\"", "*"] {
            let mut put = request(Method::PUT, &format!("/v1/payments/{id}"), GLOBEX, "{}");
            put.headers_mut().insert("if-match", tag.parse().unwrap());
            let answer = app.send(put).await;
            assert_eq!(answer.header("etag"), None);
            answer.details_of("not_found", 404);
        }
    }
}

#[tokio::test]
async fn one_name_is_a_wallet_of_each_tenant() {
    let app = App::new();
    for (key, amount) in [(ACME, "7"), (GLOBEX, "9")] {
        let body = format!(r#"{{"amount": {amount}, "currency": "usd"}}"#);
        let answer = app.send(request(Method::POST, "/v1/wallets/w/top-ups", key, body)).await;
        assert!(answer.text.contains(&format!("\"amount\":{amount}}}")), "{}", answer.text);
    }
    // Bob pays with nine of his own, of which Ann has none.
    let credits = CARD.replace("CARD", "CREDITS\", \"payment_method_id\": \"w").replace("123", "8");
    let status = async |key| {
        app.send(request(Method::POST, "/v1/payments", key, credits.clone())).await.string("/payment_status")
    };
    assert_eq!(status(GLOBEX).await, "SUCCEEDED");
    assert_eq!(status(ACME).await, "FAILED");
}

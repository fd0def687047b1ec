//! `ETag` and `If-Match` (invariant 32).

use axum::http::{HeaderValue, Method};
use serde_json::json;
use tokio::task::JoinSet;

use crate::support::{ACME, Answer, App, CARD, recorded, request};

async fn put_if(app: &App, path: &str, tags: &[&[u8]], body: &str) -> Answer {
    let mut put = request(Method::PUT, path, ACME, body.to_owned());
    for tag in tags {
        put.headers_mut().append("if-match", HeaderValue::from_bytes(tag).unwrap());
    }
    app.send(put).await
}

#[tokio::test]
async fn every_answer_that_is_a_payment_carries_its_version() {
    let app = App::new();
    let body = recorded().replace("123", "123, \"idempotency_key\": \"k\"");
    let made = app.create(body.clone()).await;
    assert_eq!(made.header("etag"), Some("\"1\""));
    let path = format!("/v1/payments/{}", made.string("/id"));
    let changed = app.put(&path, r#"{"metadata": {"a": "1"}}"#).await;
    assert_eq!(changed.header("etag"), Some("\"2\""));
    let processed = app.post(&format!("{path}/process"), "").await;
    assert_eq!(processed.header("etag"), Some("\"4\""), "started, and answered");
    assert_eq!(app.get(&path).await.header("etag"), Some("\"4\""));
    let replay = app.create(body).await;
    assert_eq!((replay.replayed(), replay.header("etag")), (true, Some("\"4\"")));
    for path in ["/v1/payments", "/v1/events", "/v1/payments/x"] {
        assert_eq!(app.get(path).await.header("etag"), None, "{path} is no payment");
    }
}

#[tokio::test]
async fn a_stale_write_changes_nothing_and_says_what_is_current() {
    let app = App::new();
    let id = app.create(CARD).await.string("/id");
    let path = format!("/v1/payments/{id}");
    let (body, other) = (r#"{"metadata": {"a": "1"}}"#, r#"{"metadata": {"a": "2"}}"#);
    let before = app.books().await;
    let cannot: &[&[&[u8]]] = &[
        &[b"\"1\""],
        &[b"\"3\""],
        &[b"W/\"2\""],
        &[b"2"],
        &[b"\"02\""],
        &[b"\"+2\""],
        &[b"\"\""],
        &[b""],
        &[b"\""],
        &[b"'2'"],
        &[b"\"2"],
        &[b"\"18446744073709551616\""],
        &[b"\"1\", \"2\""],
        &[b"\"2\"", b"\"2\""],
        &[b"*", b"*"],
        &[b"**"],
        &[b"\xff"],
    ];
    for tags in cannot {
        let answer = put_if(&app, &path, tags, body).await;
        let details = answer.details_of("version_conflict", 409);
        assert_eq!(details, json!({"payment_id": id, "version": 2}), "{tags:?}");
        assert_eq!(answer.header("etag"), Some("\"2\""));
    }
    assert_eq!(app.books().await, before);
    let written = put_if(&app, &path, &[b"\"2\""], body).await;
    assert_eq!((written.status, written.header("etag")), (200, Some("\"3\"")));
    put_if(&app, &path, &[b"\"2\""], other).await.details_of("version_conflict", 409);
    let any = put_if(&app, &path, &[b"*"], other).await;
    assert_eq!((any.status, any.header("etag")), (200, Some("\"4\"")));
}

/// Whoever sends it again after an answer that was lost must not be told that somebody was faster.
#[tokio::test]
async fn what_was_done_already_is_no_conflict() {
    let app = App::new();
    let path = format!("/v1/payments/{}", app.create(recorded()).await.string("/id"));
    let body = r#"{"payment_status": "SUCCEEDED", "metadata": {"a": "1"}}"#;
    let first = put_if(&app, &path, &[b"\"1\""], body).await;
    assert_eq!(first.status, 200);
    let again = put_if(&app, &path, &[b"\"1\""], body).await;
    assert_eq!((again.status, again.text), (200, first.text));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_saw_one_version_one_writes() {
    let app = App::new();
    let path = format!("/v1/payments/{}", app.create(recorded()).await.string("/id"));
    for version in 1..=5_u64 {
        let mut racing = JoinSet::new();
        for writer in 0..16 {
            let (app, path) = (app.clone(), path.clone());
            let tag = format!("\"{version}\"");
            let body = json!({"metadata": {"writer": format!("{version}/{writer}")}}).to_string();
            racing.spawn(async move { put_if(&app, &path, &[tag.as_bytes()], &body).await });
        }
        let answers = racing.join_all().await;
        let won: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
        assert_eq!(won.len(), 1);
        let next = format!("\"{}\"", version + 1);
        for lost in answers.iter().filter(|answer| answer.status != 200) {
            assert_eq!(lost.details_of("version_conflict", 409)["version"], version + 1);
            assert_eq!(lost.header("etag"), Some(next.as_str()));
        }
        assert_eq!(app.get(&path).await.text, won[0].text);
    }
    assert_eq!(app.books().await.events, 6);
}

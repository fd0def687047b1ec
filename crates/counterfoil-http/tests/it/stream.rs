//! The feed as server-sent events.

use std::pin::Pin;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::http::{Method, Request};
use serde_json::Value;
use tower::ServiceExt;

use crate::support::{ACME, Answer, App, CARD, GLOBEX, request};

/// Somebody who listens.
struct Listener {
    body: Body,
    heard: String,
}

impl Listener {
    async fn of(app: &App, query: &str, last: Option<&str>) -> Listener {
        let mut request = Request::get(format!("/v1/events{query}")).header("x-api-key", ACME);
        request = request.header("accept", "application/json;q=0.1, Text/Event-Stream");
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = app.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Listener { body: response.into_body(), heard: String::new() }
    }

    /// The next bytes; `None` at the end.
    async fn more(&mut self) -> Option<String> {
        let frame = std::future::poll_fn(|context| Pin::new(&mut self.body).poll_frame(context));
        let frame = tokio::time::timeout(Duration::from_secs(60), frame).await.expect("something comes");
        frame.map(|frame| String::from_utf8(frame.unwrap().into_data().unwrap().to_vec()).unwrap())
    }

    /// The next event: its id, its word, and its data.
    async fn next(&mut self) -> (String, String, Value) {
        loop {
            if let Some((event, rest)) = self.heard.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.heard = rest;
                let lines: Vec<_> = event.lines().filter_map(|line| line.split_once(": ")).collect();
                let [("id", id), ("event", kind), ("data", data)] = lines[..] else { panic!("{event:?}") };
                return (id.to_owned(), kind.to_owned(), serde_json::from_str(data).unwrap());
            }
            let more = self.more().await.expect("it goes on");
            self.heard.push_str(&more);
        }
    }
}

async fn feed(app: &App) -> Vec<Value> {
    let answer: Answer = app.get("/v1/events?limit=1000").await;
    answer.json()["items"].as_array().unwrap().clone()
}

/// INVARIANTS 40.
#[tokio::test]
async fn it_tells_what_was_and_what_comes_each_once() {
    let app = App::new();
    app.create(CARD).await;
    let mut listener = Listener::of(&app, "?limit=1", None).await;
    let mut told = Vec::new();
    for _ in 0..2 {
        told.push(listener.next().await);
    }
    let theirs = app.send(request(Method::POST, "/v1/payments", GLOBEX, CARD)).await;
    assert_eq!(theirs.status, 201);
    let (answer, first) = tokio::join!(app.create(CARD), listener.next());
    told.push(first);
    told.push(listener.next().await);
    let expected = feed(&app).await;
    assert_eq!(told.iter().map(|(_, _, data)| data.clone()).collect::<Vec<_>>(), expected);
    for (id, kind, data) in &told {
        assert_eq!(
            (data["position"].as_str(), data["type"].as_str()),
            (Some(id.as_str()), Some(kind.as_str()))
        );
    }
    assert_eq!(told[2].2["payment_id"], answer.json()["id"]);

    // Whoever connects again says what came last, and the old address.
    let start = format!("?after={}", told[0].0);
    let mut again = Listener::of(&app, &start, Some(&told[2].0)).await;
    assert_eq!(again.next().await, told[3]);
    let mut again = Listener::of(&app, &start, None).await;
    assert_eq!(again.next().await, told[1]);
}

#[tokio::test(start_paused = true)]
async fn a_silent_line_is_kept_open() {
    let app = App::new();
    let mut listener = Listener::of(&app, "", None).await;
    assert_eq!(listener.more().await.as_deref(), Some(":\n\n"));
    assert_eq!(listener.more().await.as_deref(), Some(":\n\n"));
    app.create(CARD).await;
    assert_eq!(listener.next().await.1, "payment.created");
}

#[tokio::test]
async fn it_ends_with_the_store_and_with_the_server() {
    let app = App::new();
    app.create(CARD).await;
    let mut listener = Listener::of(&app, "", None).await;
    listener.next().await;
    app.flows.end_streams();
    while listener.more().await.is_some() {}
    let late = Listener::of(&app, "", None).await.more().await;
    assert!(late.is_none(), "a server that goes down begins none: {late:?}");

    let app = App::new();
    let mut listener = Listener::of(&app, "", None).await;
    app.store.close().await.unwrap();
    assert!(listener.more().await.is_none());
}

/// Nobody is told what nobody hears: the store is let go of.
#[tokio::test]
async fn whoever_hangs_up_is_forgotten() {
    let app = App::new();
    let before = std::sync::Arc::strong_count(&app.store);
    let mut listener = Listener::of(&app, "", None).await;
    app.create(CARD).await;
    listener.next().await;
    assert!(std::sync::Arc::strong_count(&app.store) > before);
    drop(listener);
    let forgotten = async {
        while std::sync::Arc::strong_count(&app.store) > before {
            tokio::task::yield_now().await;
        }
    };
    // Sooner than the next heartbeat would notice.
    tokio::time::timeout(Duration::from_secs(10), forgotten).await.expect("it is let go of");
}

#[tokio::test]
async fn a_last_event_that_was_none_is_refused() {
    let app = App::new();
    let request = Request::get("/v1/events").header("x-api-key", ACME).header("last-event-id", "7");
    let answer = app.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.details_of("validation_error", 400)["field"], "Last-Event-ID");
}

/// INVARIANTS 40: a browser does not connect again after such an answer.
#[tokio::test]
async fn stream_after_an_unknown_position_is_410() {
    let (app, another) = (App::new(), App::new());
    app.create(CARD).await;
    another.create(CARD).await;
    let last = feed(&another).await[0]["position"].as_str().unwrap().to_owned();
    for header in ["last-event-id", "x-nothing"] {
        let request = Request::get(format!("/v1/events?after={last}")).header("x-api-key", ACME);
        let request = request.header("accept", "text/event-stream").header(header, &last);
        let answer = app.send(request.body(Body::empty()).unwrap()).await;
        answer.details_of("unknown_position", 410);
    }
}

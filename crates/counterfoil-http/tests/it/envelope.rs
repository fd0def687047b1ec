//! What every answer carries, and who gets one.

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::{Value, json};

use crate::support::{ACME, App, CARD, request};

#[tokio::test]
async fn every_answer_carries_the_same_headers() {
    let app = App::new();
    let requests = [
        request(Method::POST, "/v1/payments", ACME, CARD),
        request(Method::POST, "/v1/payments", ACME, "{"),
        request(Method::POST, "/v1/payments", "wrong", CARD),
        request(Method::GET, "/v1/nothing", ACME, ""),
        request(Method::GET, "/nothing", ACME, ""),
        request(Method::DELETE, "/v1/payments", ACME, ""),
        request(Method::GET, "/v1/payments?limit=0", ACME, ""),
        request(Method::GET, "/v1/events", ACME, ""),
        request(Method::GET, "/healthz", "", ""),
    ];
    for request in requests {
        let shown = format!("{} {}", request.method(), request.uri());
        let answer = app.send(request).await;
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{shown}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{shown}");
        assert_eq!(answer.header("content-type"), Some("application/json"), "{shown}");
        assert_eq!(answer.header("access-control-allow-origin"), None, "{shown}");
        assert!(answer.header("x-request-id").unwrap().starts_with("req_"), "{shown}");
    }
}

#[tokio::test]
async fn a_sane_request_id_is_repeated_and_another_replaced() {
    let app = App::new();
    let longest = "i".repeat(128);
    let too_long = "i".repeat(129);
    for (given, repeated) in [
        ("abc-123", true),
        (longest.as_str(), true),
        (too_long.as_str(), false),
        ("", false),
        ("a b", false),
        ("\t", false),
    ] {
        for path in ["/v1/nothing", "/healthz"] {
            let mut request = request(Method::GET, path, ACME, "");
            request.headers_mut().insert("x-request-id", given.parse().unwrap());
            let answer = app.send(request).await;
            let id = answer.header("x-request-id").unwrap();
            assert_eq!(id == given, repeated, "{given:?} was answered {id:?}");
        }
    }
    let ids = [app.get("/healthz").await, app.get("/healthz").await]
        .map(|answer| answer.headers["x-request-id"].clone());
    assert_ne!(ids[0], ids[1]);
}

#[tokio::test]
async fn without_a_good_key_nothing_is_told() {
    let app = App::new();
    let unauthenticated = "a valid x-api-key header is needed";
    let paths = ["/v1/payments/x", "/v1/payments", "/v1/nothing", "/v1/wallets/w", "/v1/events"];
    for path in paths {
        for key in ["", "wrong", "acme-ke", "acme-key ", "ACME-KEY"] {
            let mut request = Request::post(path).body(Body::from("not read")).unwrap();
            if !key.is_empty() {
                request.headers_mut().insert("x-api-key", key.parse().unwrap());
            }
            let answer = app.send(request).await;
            assert_eq!(answer.details_of("unauthenticated", 401), Value::Null, "{path} {key:?}");
            assert_eq!(answer.string("/message"), unauthenticated);
        }
    }
    let mut two = request(Method::POST, "/v1/payments", ACME, CARD);
    two.headers_mut().append("x-api-key", ACME.parse().unwrap());
    app.send(two).await.details_of("unauthenticated", 401);
    assert_eq!(app.books().await.events, 0);
}

#[tokio::test]
async fn probes_need_no_key() {
    let app = App::new();
    for path in ["/healthz", "/readyz", "/v1/healthz", "/v1/readyz"] {
        let answer = app.send(Request::get(path).body(Body::empty()).unwrap()).await;
        assert_eq!((answer.status, answer.json()), (200, json!({"status": "ok"})), "{path}");
    }
    app.store.close().await.unwrap();
    assert_eq!(app.get("/healthz").await.status, 200);
    let answer = app.get("/readyz").await;
    answer.details_of("service_unavailable", 503);
    assert!(answer.header("retry-after").is_some());
}

#[tokio::test]
async fn the_router_can_be_nested() {
    let app = App::new();
    let nested = App { router: axum::Router::new().nest("/billing", app.router), ..app };
    let id = nested.post("/billing/v1/payments", CARD).await.string("/id");
    assert_eq!(nested.get(&format!("/billing/v1/payments/{id}")).await.status, 200);
    nested.get("/billing/v1/nothing").await.details_of("not_found", 404);
    nested.get("/billing/nothing").await.details_of("not_found", 404);
    assert_eq!(nested.get("/billing/readyz").await.status, 200);
}

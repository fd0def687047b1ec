//! What is refused, how it says so, and that it leaves no trace (invariants 5, 23, 33).

use axum::http::Method;
use serde_json::{Value, json};

use crate::support::{ACME, App, CARD, card_with, request};

/// Checks that each of `values` is refused as the value of `field`, with these details and without a trace.
async fn refused_with(field: &str, values: &[&str], details: &Value) {
    let app = App::new();
    for value in values {
        let body = card_with(field, Some(value));
        let answer = app.post("/v1/payments", body.clone()).await;
        assert_eq!(answer.details_of("validation_error", 400), *details, "{field}: {value}");
        assert!(counterfoil_http::parse_create(body.as_bytes()).is_err());
    }
    assert_eq!(app.books().await.events, 0);
    assert_eq!(app.sandbox.calls(), 0);
}

async fn refused(field: &str, values: &[&str]) {
    refused_with(field, values, &json!({"field": field})).await;
}

#[tokio::test]
async fn what_is_required_must_be_there() {
    let app = App::new();
    for field in ["amount", "currency", "destination_id", "destination_type", "payment_method_type"] {
        for absent in [None, Some("null")] {
            let answer = app.post("/v1/payments", card_with(field, absent)).await;
            assert_eq!(answer.details_of("validation_error", 400), json!({"field": field}));
            assert_eq!(answer.string("/message"), format!("{field} is required"));
        }
    }
    assert_eq!(app.books().await.events, 0);
}

#[tokio::test]
async fn amounts_are_more_than_nothing_and_exact() {
    refused("amount", &["true", "[1]", "{}", "\"\"", "\"NaN\"", "\"12,5\"", "\" 1\"", "\"+1\""]).await;
    refused("amount", &["\"0x10\"", "\"1_000\"", "\"\\u0661\"", "\"1 usd\""]).await;
    refused("amount", &["0", "-0", "0.00", "\"0e9\"", "-1", "\"-1\"", "-0.001"]).await;
    refused("amount", &["1e999999999", "90071992547409.92", "123456789012345678901234567890"]).await;
    let too_fine = json!({"field": "amount", "currency": "usd", "max_scale": 2});
    refused_with("amount", &["1.001", "1e-3", "\"0.005\"", "1e-999999999"], &too_fine).await;
    refused("currency", &["\"<string>\"", "\"\"", "\"XAU\"", "\"usd \"", "840"]).await;
}

#[tokio::test]
async fn enums_say_what_is_allowed() {
    let methods = json!({"field": "payment_method_type", "allowed":
        ["CARD", "ACH", "OFFLINE", "CREDITS", "PAYMENT_LINK", "UPI"]});
    refused_with("payment_method_type", &["\"CASH\"", "\"card\"", "\"\""], &methods).await;
    let destinations = json!({"field": "destination_type", "allowed": ["INVOICE", "CUSTOMER"]});
    refused_with("destination_type", &["\"CUSTOMS\"", "\"invoice\""], &destinations).await;
    refused("payment_method_type", &["[\"CARD\"]", "1"]).await;
    refused("destination_type", &["1", "true"]).await;
}

#[tokio::test]
async fn texts_are_bounded_and_visible() {
    let long = format!("\"{}\"", "x".repeat(256));
    for field in ["destination_id", "payment_method_id", "idempotency_key"] {
        refused(field, &["\"\"", "\"  \"", "7", "[\"a\"]", &long]).await;
        refused(field, &["\"a\\u0000b\"", "\"a\\nb\"", "\"a\\tb\"", "\"\\ud800\""]).await;
    }
    for flag in ["process_payment", "save_card_and_make_default"] {
        refused(flag, &["\"true\"", "1", "[]"]).await;
    }
    let long_url = format!("\"https://{}\"", "x".repeat(2_000));
    for url in ["success_url", "cancel_url"] {
        refused(url, &["\"\"", "7", "{}", "\"a\\nb\"", &long_url]).await;
    }
    let long_name = format!("\"{}\"", "x".repeat(65));
    refused("payment_gateway", &["\"\"", "7", "[]", "\"a\\tb\"", &long_name]).await;
}

#[tokio::test]
async fn gateway_options_are_a_bounded_object() {
    let long = format!("{{\"o\": \"{}\"}}", "x".repeat(10_000));
    refused("gateway_options", &["[]", "\"{}\"", "1", "true", &long]).await;
    refused("gateway_options", &["{\"a\": 1, \"a\": 1}", "{\"a\": {\"b\": 1, \"\\u0062\": 1}}"]).await;
    refused("gateway_options", &["{\"a\": \"\\u0000\"}", "{\"a\": \"\\ud800\"}"]).await;
}

#[tokio::test]
async fn metadata_is_a_bounded_object_of_strings() {
    let many: serde_json::Map<_, _> = (0..51).map(|n| (format!("k{n}"), "".into())).collect();
    let many = Value::Object(many).to_string();
    let long_key = format!("{{\"{}\": \"v\"}}", "k".repeat(41));
    let long_value = format!("{{\"k\": \"{}\"}}", "v".repeat(501));
    refused("metadata", &["[]", "\"a\"", "1", &many, &long_key, &long_value]).await;
    refused("metadata", &["{\"a\": 1}", "{\"a\": null}", "{\"a\": {}}", "{\"\": \"a\"}"]).await;
    refused("metadata", &["{\"a\": \"\\u0000\"}", "{\"\\u0000\": \"a\"}"]).await;
    let twice = ["{\"a\": \"1\", \"a\": \"1\"}", "{\"a\": \"1\", \"\\u0061\": \"1\"}"];
    refused("metadata", &twice).await;
}

#[tokio::test]
async fn methods_are_refused_ids_and_gateways_that_do_not_fit() {
    let app = App::without_gateway();
    let refused = app.post("/v1/payments", CARD).await;
    assert_eq!(refused.details_of("validation_error", 400), json!({"field": "payment_method_type"}));
    for method in ["\"OFFLINE\", \"payment_method_id\": \"pm_1\"", "\"ACH\"", "\"CREDITS\"", "\"UPI\""] {
        let refused = app.post("/v1/payments", card_with("payment_method_type", Some(method))).await;
        assert_eq!(refused.details_of("validation_error", 400), json!({"field": "payment_method_id"}));
    }
    assert_eq!(app.books().await.events, 0);
}

#[tokio::test]
async fn only_one_object_is_a_body() {
    let deep = |levels: usize| {
        card_with("deep", Some(&format!("{}{}", "[".repeat(levels - 1), "]".repeat(levels - 1))))
    };
    let field = |name: &str| json!({"field": name});
    let cases: Vec<(Vec<u8>, Value)> = vec![
        (b"".to_vec(), Value::Null),
        (b" ".to_vec(), Value::Null),
        (b"null".to_vec(), Value::Null),
        (b"[]".to_vec(), Value::Null),
        (b"\"a\"".to_vec(), Value::Null),
        (b"1".to_vec(), Value::Null),
        (b"{".to_vec(), Value::Null),
        (b"{\"a\"}".to_vec(), Value::Null),
        (b"{'a': 1}".to_vec(), Value::Null),
        (b"{\"a\": 1,}".to_vec(), Value::Null),
        (b"\xef\xbb\xbf{}".to_vec(), Value::Null),
        (b"{\"a\": \"\xff\"}".to_vec(), Value::Null),
        (b"amount=1&currency=usd".to_vec(), Value::Null),
        (card_with("amount", Some("NaN")).into(), Value::Null),
        (card_with("amount", Some("Infinity")).into(), Value::Null),
        (card_with("amount", Some("01")).into(), Value::Null),
        (card_with("amount", Some("1.")).into(), Value::Null),
        (card_with("amount", Some("\"\x01\"")).into(), Value::Null),
        (format!("{CARD} {CARD}").into(), Value::Null),
        (format!("{CARD}x").into(), Value::Null),
        (card_with("amount", Some("1, \"amount\": 1")).into(), field("amount")),
        (card_with("amount", Some("1, \"\\u0061mount\": 2")).into(), field("amount")),
        (card_with("colour", Some("{\"a\": [{\"b\": 1, \"b\": 1}]}")).into(), field("colour")),
        (card_with("colour", Some("[\"\\u0000\"]")).into(), field("colour")),
        (card_with("colour", Some("[\"\\udc00\"]")).into(), field("colour")),
        (deep(33).into(), field("deep")),
        (deep(100_000).into(), field("deep")),
    ];
    let app = App::new();
    let before = app.books().await;
    for (body, details) in cases {
        let shown = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
        let answer = app.post("/v1/payments", body).await;
        assert_eq!(answer.details_of("validation_error", 400), details, "{shown}");
    }
    assert_eq!(app.books().await, before);
    assert_eq!(app.create(deep(32)).await.status, 201, "32 levels are allowed");
}

#[tokio::test]
async fn a_strangers_field_name_is_repeated_only_so_far() {
    let name = "n".repeat(50_000);
    let answer = App::new().post("/v1/payments", format!("{{\"{name}\": \"\\u0000\"}}")).await;
    assert_eq!(answer.details_of("validation_error", 400)["field"], name[..100]);
}

#[tokio::test]
async fn a_refused_request_binds_no_key() {
    let app = App::new();
    let keyed = |amount: &str| card_with("amount", Some(&format!("{amount}, \"idempotency_key\": \"k\"")));
    assert_eq!(app.post("/v1/payments", keyed("0")).await.status, 400);
    assert_eq!(app.post("/v1/payments", keyed("1.001")).await.status, 400);
    assert!(!app.create(keyed("5")).await.replayed());
}

#[tokio::test]
async fn other_routes_and_methods_have_the_one_shape() {
    let app = App::new();
    for path in
        ["/v1/nothing", "/v1/payments/", "/v1/wallets", "/v1", "/v1/", "/", "/payments", "/v2/payments"]
    {
        let answer = app.get(path).await;
        assert_eq!(answer.details_of("not_found", 404), Value::Null, "{path}");
    }
    let methods =
        [(Method::DELETE, "/v1/payments"), (Method::POST, "/v1/payments/x"), (Method::PUT, "/v1/wallets/w")];
    for (method, path) in
        methods.into_iter().chain([(Method::POST, "/healthz"), (Method::POST, "/v1/readyz")])
    {
        let answer = app.send(request(method, path, ACME, "")).await;
        assert_eq!(answer.details_of("method_not_allowed", 405), Value::Null, "{path}");
        assert!(answer.header("allow").is_some_and(|allowed| !allowed.is_empty()), "{path}");
    }
}

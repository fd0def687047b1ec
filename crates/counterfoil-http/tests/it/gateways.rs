//! What a payment asks of its gateway: which one, where the payer comes back to, and what else.

use std::sync::Arc;

use counterfoil_sandbox::Sandbox;
use serde_json::{Value, json};

use crate::support::{App, CARD, card_with};

/// With a second sandbox, by the name that the published clients send.
fn with_stripe() -> (App, Arc<Sandbox>) {
    let stripe = Arc::new(Sandbox::named("stripe".parse().unwrap()));
    (App::with(|ledger| ledger.with_gateway(stripe.clone())), stripe)
}

fn link(more: &str) -> String {
    CARD.replace("\"CARD\"", &format!("\"PAYMENT_LINK\"{more}"))
}

#[tokio::test]
async fn a_payment_goes_through_the_gateway_it_asks_for() {
    let (app, stripe) = with_stripe();
    for (asked, calls) in [("\"stripe\"", (0, 1)), ("\"sandbox\"", (1, 1)), ("null", (2, 1))] {
        let payment = app.create(card_with("payment_gateway", Some(asked))).await.json();
        let expected = if asked == "null" { json!("sandbox") } else { serde_json::from_str(asked).unwrap() };
        assert_eq!(
            (&payment["payment_gateway"], &payment["payment_status"]),
            (&expected, &json!("SUCCEEDED"))
        );
        assert_eq!((app.sandbox.calls(), stripe.calls()), calls, "{asked}");
    }
    let waiting = card_with("payment_gateway", Some("\"stripe\", \"process_payment\": false"));
    let waiting = app.create(waiting).await;
    assert_eq!(waiting.string("/payment_gateway"), "stripe");
    app.post(&format!("/v1/payments/{}/process", waiting.string("/id")), "").await;
    assert_eq!((app.sandbox.calls(), stripe.calls()), (2, 2));
}

#[tokio::test]
async fn a_gateway_that_is_not_there_is_refused() {
    let app = App::new();
    for body in [card_with("payment_gateway", Some("\"stripe\"")), link(", \"payment_gateway\": \"stripe\"")]
    {
        let answer = app.post("/v1/payments", body).await;
        assert_eq!(answer.details_of("validation_error", 400), json!({"field": "payment_gateway"}));
    }
    assert_eq!(app.books().await.events, 0);
}

#[tokio::test]
async fn a_payment_link_names_its_gateway_and_sends_the_payer_there() {
    let (app, _) = with_stripe();
    let answer = app.post("/v1/payments", link("")).await;
    assert_eq!(answer.details_of("validation_error", 400), json!({"field": "payment_gateway"}));
    assert_eq!(app.books().await.events, 0);
    let payment = app.create(link(", \"payment_gateway\": \"stripe\"")).await.json();
    assert_eq!(payment["payment_method_type"], "PAYMENT_LINK");
    assert_eq!(
        (&payment["payment_status"], &payment["payment_gateway"]),
        (&json!("REQUIRES_ACTION"), &json!("stripe"))
    );
    assert!(payment["payment_url"].as_str().unwrap().starts_with("https://"));
}

#[tokio::test]
async fn upi_needs_an_address_and_is_charged() {
    let app = App::new();
    let upi = CARD.replace("\"CARD\"", "\"UPI\", \"payment_method_id\": \"ann@bank\"");
    let payment = app.create(upi).await.json();
    assert_eq!(
        (&payment["payment_method_type"], &payment["payment_method_id"]),
        (&json!("UPI"), &json!("ann@bank"))
    );
    assert_eq!(payment["payment_status"], "SUCCEEDED");
}

#[tokio::test]
async fn a_card_that_is_to_be_kept_says_so() {
    let app = App::new();
    for (given, shown) in [(None, false), (Some("null"), false), (Some("false"), false), (Some("true"), true)]
    {
        let payment = app.create(card_with("save_card_and_make_default", given)).await.json();
        assert_eq!(payment["save_card_and_make_default"], shown, "{given:?}");
    }
}

/// What is kept of the options, as the history has it.
async fn kept(app: &App, options: &str) -> String {
    let id = app.create(card_with("gateway_options", Some(options))).await.string("/id");
    app.get(&format!("/v1/payments/{id}/events")).await.string("/items/0/data/gateway_options")
}

#[tokio::test]
async fn options_are_kept_in_one_way_of_writing_them_and_exactly() {
    let app = App::new();
    for (given, written) in [
        ("{}", "{}"),
        (
            r#"{ "stripe" : { "tax_id_collection_enabled" : true } }"#,
            r#"{"stripe":{"tax_id_collection_enabled":true}}"#,
        ),
        (r#"{"b": [1, {"z": null, "y": []}], "a": "\u0041\/"}"#, r#"{"a":"A/","b":[1,{"y":[],"z":null}]}"#),
        (
            r#"{"n": 0.10000000000000000000000001, "m": 1e400}"#,
            r#"{"m":1e400,"n":0.10000000000000000000000001}"#,
        ),
        ("{\"del\": \"\u{7f}\u{85}\\u0007\"}", r#"{"del":"\u007f\u0085\u0007"}"#),
    ] {
        assert_eq!(kept(&app, given).await, written);
    }
    let longest = format!("{{\"o\":\"{}\"}}", "x".repeat(10_000 - 8));
    assert_eq!(kept(&app, &longest).await, longest);
}

#[tokio::test]
async fn urls_are_kept_for_the_gateway_and_not_shown_to_others() {
    let app = App::new();
    let (success, cancel) = ("https://shop.test/ok?a=1&b=é", "https://shop.test/no");
    let body = card_with("success_url", Some(&format!("\"{success}\", \"cancel_url\": \"{cancel}\"")));
    let answer = app.create(body).await;
    assert!(!answer.text.contains("shop.test"));
    let data = app.get(&format!("/v1/payments/{}/events", answer.string("/id"))).await.json();
    let data = &data["items"][0]["data"];
    assert_eq!((&data["success_url"], &data["cancel_url"]), (&json!(success), &json!(cancel)));
}

/// INVARIANTS 20, 21.
#[tokio::test]
async fn a_key_covers_what_the_gateway_is_asked() {
    let (app, _) = with_stripe();
    let fields = [
        ("payment_gateway", "\"stripe\"", "\"sandbox\""),
        ("success_url", "\"https://a.test\"", "\"https://b.test\""),
        ("cancel_url", "\"https://a.test\"", "\"https://b.test\""),
        ("save_card_and_make_default", "true", "false"),
        ("gateway_options", r#"{"a": {"b": 1, "c": 2}}"#, r#"{"a": {"b": 1}}"#),
    ];
    let body = |key: &str, more: &[(&str, &str)]| {
        let members: Vec<_> = more.iter().map(|(name, value)| format!(", {name:?}: {value}")).collect();
        card_with("idempotency_key", Some(&format!("{key:?}{}", members.concat())))
    };
    for (field, value, other) in fields {
        let first = app.create(body(field, &[(field, value)])).await;
        let replay = app.create(body(field, &[(field, value)])).await;
        assert_eq!((replay.replayed(), &replay.text), (true, &first.text), "{field}");
        for mismatched in [body(field, &[(field, other)]), body(field, &[])] {
            let details = app.post("/v1/payments", mismatched).await.details_of("idempotency_mismatch", 422);
            assert_eq!(details, json!({"payment_id": first.string("/id"), "fields": [field]}));
        }
    }
    let all: Vec<_> = fields.iter().map(|(field, value, _)| (*field, *value)).collect();
    app.create(body("all", &all)).await;
    let details = app.post("/v1/payments", body("all", &[])).await.details_of("idempotency_mismatch", 422);
    let names: Vec<_> = fields.iter().map(|(field, ..)| Value::from(*field)).collect();
    assert_eq!(details["fields"], Value::from(names));
    let same = body("gateway_options", &[("gateway_options", r#"{ "a" : {"c":2, "\u0062":1} }"#)]);
    assert!(app.create(same).await.replayed(), "equal options, however they are written");
}

//! `PUT /v1/payments/{id}` with a `payment_status`: from where to where, and what it writes down (invariants 10, 12).

use serde_json::{Value, json};

use crate::support::{App, CARD, card_with, recorded};

/// How to make a payment that stands somewhere, and where it can be set to.
const STATUSES: &[(&str, &[&str])] = &[
    ("INITIATED", &["PENDING", "SUCCEEDED", "FAILED", "VOIDED"]),
    ("PENDING", &["SUCCEEDED", "FAILED", "VOIDED"]),
    ("PROCESSING", &["SUCCEEDED", "FAILED"]),
    ("REQUIRES_ACTION", &["VOIDED"]),
    ("SUCCEEDED", &["REFUNDED", "VOIDED"]),
    ("OVERPAID", &["REFUNDED"]),
    ("REFUNDED", &[]),
    ("FAILED", &[]),
    ("VOIDED", &[]),
];

/// Those that no payment can be set to, and what the refusal tells to do.
const OTHER_WAYS: &[(&str, &str)] = &[
    ("INITIATED", "process_payment"),
    ("PROCESSING", "/process"),
    ("REQUIRES_ACTION", "/process"),
    ("AUTHORIZED", "capture_method"),
    ("PARTIALLY_CAPTURED", "/capture"),
    ("OVERPAID", "/attempts"),
    ("PARTIALLY_REFUNDED", "/refunds"),
];

fn to(status: &str) -> String {
    json!({"payment_status": status}).to_string()
}

/// The path of a payment that stands at `status`.
async fn standing_at(app: &App, status: &str) -> String {
    let with_instrument = |id: &str| card_with("payment_method_id", Some(&format!("{id:?}")));
    let body = match status {
        "PROCESSING" => with_instrument("pm_sandbox_timeout_unknown"),
        "REQUIRES_ACTION" => with_instrument("pm_sandbox_action"),
        "OVERPAID" => with_instrument("pm_sandbox_overpaid"),
        "SUCCEEDED" | "REFUNDED" => CARD.to_owned(),
        _ => recorded(),
    };
    let path = format!("/v1/payments/{}", app.create(body).await.string("/id"));
    if matches!(status, "PENDING" | "REFUNDED" | "FAILED" | "VOIDED") {
        assert_eq!(app.put(&path, to(status)).await.status, 200);
    }
    assert_eq!(app.get(&path).await.string("/payment_status"), status);
    path
}

#[tokio::test]
async fn every_status_can_be_set_from_where_the_table_says_and_from_nowhere_else() {
    let all: Vec<&str> = STATUSES.iter().map(|(status, _)| *status).collect();
    let unreachable = ["AUTHORIZED", "PARTIALLY_CAPTURED", "PARTIALLY_REFUNDED"];
    let app = App::beside_doubt();
    for (from, allowed) in STATUSES {
        for target in all.iter().chain(&unreachable).filter(|target| *target != from) {
            let path = standing_at(&app, from).await;
            let before = (app.books().await, app.get(&path).await.text);
            let answer = app.put(&path, to(target)).await;
            if allowed.contains(target) {
                assert_eq!(answer.status, 200, "{from} to {target}: {}", answer.text);
                assert_eq!(answer.string("/payment_status"), *target, "{from}");
                assert_eq!(app.get(&path).await.text, answer.text);
                continue;
            }
            let details = answer.details_of("invalid_operation", 400);
            let id = path.rsplit('/').next().unwrap();
            let expected = json!({"payment_id": id, "current_status": from, "allowed_statuses": allowed});
            assert_eq!(details, expected, "{from} to {target}");
            assert_eq!((app.books().await, app.get(&path).await.text), before, "{from} to {target}");
        }
    }
}

#[tokio::test]
async fn what_nobody_can_set_says_what_leads_there() {
    let app = App::new();
    let path = standing_at(&app, "PENDING").await;
    for (status, way) in OTHER_WAYS {
        let message = app.put(&path, to(status)).await.string("/message");
        assert!(message.contains(way), "{status}: {message}");
    }
}

#[tokio::test]
async fn where_it_stands_already_nothing_happens() {
    let app = App::beside_doubt();
    for (status, _) in STATUSES {
        let path = standing_at(&app, status).await;
        let before = (app.books().await, app.get(&path).await.text);
        let answer = app.put(&path, to(status)).await;
        assert_eq!((answer.status, answer.replayed()), (200, false), "{status}");
        assert_eq!((app.books().await, answer.text), before, "{status}");
    }
}

#[tokio::test]
async fn money_is_said_to_have_moved_and_no_gateway_is_asked() {
    let app = App::new();
    let path = standing_at(&app, "INITIATED").await;
    let paid = app.put(&path, to("SUCCEEDED")).await.json();
    assert_eq!(paid["attempts"][0]["payment_status"], "SUCCEEDED");
    assert!(paid["succeeded_at"].is_string() && paid.get("refunded_at").is_none());
    let refunded = app.put(&path, to("REFUNDED")).await.json();
    assert_eq!(refunded["succeeded_at"], paid["succeeded_at"]);
    assert!(refunded["refunded_at"].is_string() && refunded.get("voided_at").is_none());
    assert_eq!(app.sandbox.calls(), 0);
}

#[tokio::test]
async fn the_time_is_as_given() {
    let app = App::new();
    let given = "2026-02-03T04:05:06.123456+01:00";
    for (from, status, field) in [
        ("INITIATED", "SUCCEEDED", "succeeded_at"),
        ("PENDING", "FAILED", "failed_at"),
        ("PROCESSING", "SUCCEEDED", "succeeded_at"),
        ("PROCESSING", "FAILED", "failed_at"),
        ("SUCCEEDED", "REFUNDED", "refunded_at"),
        ("SUCCEEDED", "VOIDED", "voided_at"),
        ("REQUIRES_ACTION", "VOIDED", "voided_at"),
    ] {
        let path = standing_at(&app, from).await;
        let body = json!({"payment_status": status, field: given}).to_string();
        let answer = app.put(&path, body.clone()).await;
        assert_eq!(answer.string(&format!("/{field}")), "2026-02-03T03:05:06.123456Z", "{from} to {status}");
        let again = app.put(&path, body.replace("2026", "2025")).await;
        assert_eq!(again.text, answer.text, "it stands there already");
    }
    app.books().await;
}

#[tokio::test]
async fn a_time_goes_with_its_own_status_only() {
    let app = App::new();
    let path = standing_at(&app, "INITIATED").await;
    let before = app.books().await;
    let at = "2026-02-03T04:05:06Z";
    for (field, own) in [
        ("succeeded_at", "SUCCEEDED"),
        ("failed_at", "FAILED"),
        ("refunded_at", "REFUNDED"),
        ("voided_at", "VOIDED"),
    ] {
        for status in [Value::Null, json!("PENDING"), json!("SUCCEEDED"), json!("FAILED"), json!("VOIDED")] {
            if status == own {
                continue;
            }
            let body = json!({"payment_status": status, field: at, "error_message": "no"}).to_string();
            let details = app.put(&path, body).await.details_of("validation_error", 400);
            assert_eq!(details, json!({"field": field}), "{status}");
        }
        for bad in [
            json!("yesterday"),
            json!("2026-02-03"),
            json!(""),
            json!(1_770_000_000),
            json!("2026-02-30T00:00:00Z"),
        ] {
            let body = json!({"payment_status": own, field: bad}).to_string();
            let details = app.put(&path, body).await.details_of("validation_error", 400);
            assert_eq!(details, json!({"field": field}), "{bad}");
        }
    }
    assert_eq!(app.books().await, before);
}

#[tokio::test]
async fn nothing_happens_in_the_future() {
    let app = App::new();
    for (from, status, field) in [
        ("INITIATED", "SUCCEEDED", "succeeded_at"),
        ("INITIATED", "FAILED", "failed_at"),
        ("SUCCEEDED", "REFUNDED", "refunded_at"),
        ("SUCCEEDED", "VOIDED", "voided_at"),
    ] {
        let path = standing_at(&app, from).await;
        let before = app.books().await;
        let body = json!({"payment_status": status, field: "9999-01-01T00:00:00Z"}).to_string();
        let answer = app.put(&path, body).await;
        assert_eq!(answer.details_of("validation_error", 400), json!({"field": field}));
        assert_eq!(app.books().await, before);
    }
}

#[tokio::test]
async fn unknown_statuses_say_what_is_known() {
    let app = App::new();
    let path = standing_at(&app, "INITIATED").await;
    for status in ["PAID", "succeeded", "", "SUCCEEDED "] {
        let details = app.put(&path, to(status)).await.details_of("validation_error", 400);
        assert_eq!(details["field"], "payment_status");
        let allowed = details["allowed"].as_array().unwrap();
        assert!(allowed.len() == 12 && allowed.contains(&json!("VOIDED")), "{details}");
    }
}

#[tokio::test]
async fn credits_are_paid_by_processing_and_go_back_to_their_wallet() {
    let app = App::new();
    app.post("/v1/wallets/w/top-ups", r#"{"amount": 200, "currency": "usd"}"#).await;
    let credits = CARD.replace("CARD", "CREDITS\", \"payment_method_id\": \"w");
    let waiting = credits.replace("123", "123, \"process_payment\": false");
    let path = format!("/v1/payments/{}", app.create(waiting).await.string("/id"));
    let details = app.put(&path, to("SUCCEEDED")).await.details_of("validation_error", 400);
    assert_eq!(details, json!({"field": "payment_status"}));
    assert_eq!(app.put(&path, to("VOIDED")).await.status, 200);
    for status in ["REFUNDED", "VOIDED"] {
        let path = format!("/v1/payments/{}", app.create(credits.clone()).await.string("/id"));
        assert!(app.get("/v1/wallets/w").await.text.contains("\"amount\":77}"));
        assert_eq!(app.put(&path, to(status)).await.string("/payment_status"), status);
        assert!(app.get("/v1/wallets/w").await.text.contains("\"amount\":200}"));
    }
    app.books().await;
}

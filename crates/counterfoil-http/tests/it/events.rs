//! `GET /v1/payments/{id}/events`.

use std::sync::Arc;
use std::time::Duration;

use counterfoil::command::Policy;
use counterfoil::payment::RetrySchedule;
use counterfoil_testkit::ManualClock;
use serde_json::{Value, json};

use crate::support::{App, CARD, card_with, usd, with};

#[tokio::test]
async fn a_history_tells_what_happened() {
    let app = App::new();
    let payment = app.create(card_with("amount", Some("99.5"))).await;
    let path = format!("/v1/payments/{}/events", payment.string("/id"));
    let answer = app.get(&path).await;
    assert_eq!(answer.status, 200);
    let items = answer.json()["items"].as_array().unwrap().clone();
    let told: Vec<_> = items.iter().map(|item| (&item["sequence"], &item["type"], &item["cause"])).collect();
    let expected = [
        (&json!(1), &json!("payment.created"), &json!("command")),
        (&json!(2), &json!("attempt.reported"), &json!("evidence")),
    ];
    assert_eq!(told, expected);
    for item in &items {
        assert_eq!(item["actor"], "ann");
        assert!(item["at"].as_str().unwrap().ends_with('Z'));
        assert_eq!(item["hash"].as_str().unwrap().len(), 64);
        assert!(item["summary"].as_str().is_some_and(|words| words.contains(' ')), "{item}");
        assert_eq!(item.as_object().unwrap().len(), 8);
    }
    assert_eq!(items[0]["data"]["amount"], "99.5");
    assert_eq!(items[0]["data"]["attempt"]["id"], payment.json()["attempts"][0]["id"]);
    assert_eq!(items[1]["data"]["outcome"], "succeeded");
}

#[tokio::test]
async fn a_history_is_paged() {
    let app = App::new();
    let id = app.create(CARD).await.string("/id");
    let sequences = async |query: &str| -> Vec<Value> {
        let answer = app.get(&format!("/v1/payments/{id}/events{query}")).await;
        assert_eq!(answer.status, 200, "{query}");
        answer.json()["items"].as_array().unwrap().iter().map(|item| item["sequence"].clone()).collect()
    };
    assert_eq!(sequences("?limit=1").await, [1]);
    assert_eq!(sequences("?after=1&limit=1000").await, [2]);
    assert_eq!(sequences("?after=0&&").await, [1, 2]);
    assert!(sequences("?after=2").await.is_empty());
    assert!(sequences("?after=9223372036854775807").await.is_empty());
}

#[tokio::test]
async fn bad_queries_are_refused() {
    let app = App::new();
    let id = app.create(CARD).await.string("/id");
    let long = format!("?x={}", "y".repeat(3_000));
    for (query, field) in [
        ("?limit=0", Some("limit")),
        ("?limit=1001", Some("limit")),
        ("?limit=", Some("limit")),
        ("?limit", Some("limit")),
        ("?limit=ten", Some("limit")),
        ("?limit=%2B5", Some("limit")),
        ("?limit=1&limit=1", Some("limit")),
        ("?after=-1", Some("after")),
        ("?after=1.5", Some("after")),
        ("?after=9223372036854775808", Some("after")),
        ("?after=99999999999999999999999", Some("after")),
        (&long, None),
    ] {
        let details =
            app.get(&format!("/v1/payments/{id}/events{query}")).await.details_of("validation_error", 400);
        assert_eq!(details["field"].as_str(), field, "{query}");
    }
}

/// Each event is a sentence that a stranger can read: what happened, of how much, and who said so.
#[tokio::test]
async fn summaries_are_sentences() {
    let app = App::new();
    let id = app.create_100(CARD).await;
    let dispute = json!({"dispute_id": "dp_1", "amount": 40, "currency": "usd"});
    let reports = [
        ("refund.succeeded", usd(5, "re_1")),
        ("refund.failed", usd(5, "re_1")),
        ("payment.returned", with(usd(20, "ret_1"), "error_message", "R10")),
        ("payment.return_canceled", json!({"gateway_operation_id": "ret_1", "error_message": "found"})),
        ("dispute.opened", dispute.clone()),
        ("dispute.funds_withdrawn", with(dispute, "gateway_operation_id", "txn_1")),
        ("refund.succeeded", json!({"amount": 7, "currency": "eur", "gateway_operation_id": "re_2"})),
    ];
    for (number, (kind, more)) in reports.into_iter().enumerate() {
        assert!(app.is_applied(&format!("n{number}"), kind, &id, more).await, "{kind}");
    }
    let events = app.items(&id, "events").await;
    let attempt = events[0]["data"]["attempt"]["id"].as_str().unwrap();
    let refund = events[2]["data"]["id"].as_str().unwrap();
    let expected = [
        format!("a payment of 100 usd by CARD for INVOICE inv_1 was created; charge {attempt} of 100 usd was sent to sandbox"),
        format!("attempt {attempt} succeeded (answered to ann)"),
        format!("refund {refund} of 5 usd was made elsewhere: it succeeded (reported by gateway:sandbox)"),
        format!("refund {refund} of 5 usd was refused: the gateway refused it (unspecified) (reported by gateway:sandbox)"),
        format!("return ret_1 of attempt {attempt} took 20 usd back: R10 (reported by gateway:sandbox)"),
        format!("return ret_1 of attempt {attempt} was canceled: found (reported by gateway:sandbox)"),
        "dispute dp_1 of 40 usd was opened (reported by gateway:sandbox)".to_owned(),
        "dispute dp_1 took 40 usd (reported by gateway:sandbox)".to_owned(),
        "sandbox told of a refund of 7 eur that counts as nothing: it succeeded (reported by gateway:sandbox)".to_owned(),
    ];
    let summaries: Vec<&str> = events.iter().map(|event| event["summary"].as_str().unwrap()).collect();
    assert_eq!(summaries.iter().map(|words| words.trim_start_matches("ann: ")).collect::<Vec<_>>(), expected);
    assert_eq!(events[2]["data"]["amount"], "5", "what was reported, not what the payment is of");
}

/// INVARIANTS 44.
#[tokio::test]
async fn a_schedule_that_ends_without_an_instrument_says_why() {
    let clock = Arc::new(ManualClock::default());
    let policy = Policy::default().with_retries(RetrySchedule::new([Duration::from_secs(60)]).unwrap());
    let app = App::with(|ledger| ledger.with_clock(clock.clone()).with_policy(policy));
    let declined = card_with("payment_method_id", Some("\"pm_sandbox_decline_hard\""));
    let id = app.create(declined).await.string("/id");
    clock.advance(Duration::from_secs(60));
    assert_eq!(app.ledger.run_due(10).await.unwrap().done, 1);
    let payment = app.payment(&id).await;
    let declined = payment["attempts"][0]["error_message"].as_str().unwrap();
    let why = json!(format!("automatic retry given up: no usable payment method is left: {declined}"));
    assert_eq!((&payment["payment_status"], &payment["error_message"]), (&json!("FAILED"), &why));
    let last = app.items(&id, "events").await.pop().unwrap();
    assert_eq!((&last["type"], &last["data"]["reason"]), (&json!("payment.closed"), &why));
}

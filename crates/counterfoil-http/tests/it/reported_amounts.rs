//! Every kind of notification with every kind of amount: what becomes of the payment, as one golden table. Set `BLESS=1`
//! to write the table anew, then review it.

use std::fmt::Write;
use std::path::Path;

use counterfoil::payment::Review;
use serde_json::json;

use crate::support::{App, CARD, held, scope, usd, with_instrument};

/// The amounts that a notification about a payment of 100 USD can report.
const AMOUNTS: [(&str, Option<(&str, &str)>); 6] = [
    ("absent", None),
    ("smaller", Some(("30", "USD"))),
    ("equal", Some(("100", "USD"))),
    ("larger", Some(("130", "USD"))),
    ("foreign", Some(("30", "EUR"))),
    ("zero", Some(("0", "USD"))),
];

/// What a payment is when the notification arrives.
#[derive(Debug, Clone, Copy)]
enum Before {
    Charged,
    Pending,
    Held,
    /// Sent to be captured, refunded or voided; the gateway has not answered.
    Open(&'static str, &'static str),
}

const KINDS: [(&str, Before); 31] = [
    ("attempt.succeeded", Before::Pending),
    ("attempt.succeeded", Before::Charged),
    ("attempt.failed", Before::Pending),
    ("attempt.failed", Before::Charged),
    ("attempt.pending", Before::Pending),
    ("attempt.requires_action", Before::Pending),
    ("attempt.canceled", Before::Pending),
    ("authorization.succeeded", Before::Pending),
    ("authorization.succeeded", Before::Held),
    ("authorization.expired", Before::Held),
    ("capture.succeeded", Before::Held),
    ("capture.succeeded", Before::Open("capture", "pm_sandbox_capture_timeout")),
    ("capture.failed", Before::Open("capture", "pm_sandbox_capture_timeout")),
    ("void.succeeded", Before::Held),
    ("void.succeeded", Before::Open("void", "pm_sandbox_void_timeout")),
    ("void.succeeded", Before::Charged),
    ("void.failed", Before::Open("void", "pm_sandbox_void_timeout")),
    ("void.failed", Before::Charged),
    ("refund.succeeded", Before::Charged),
    ("refund.succeeded", Before::Open("refunds", "pm_sandbox_refund_timeout")),
    ("refund.failed", Before::Open("refunds", "pm_sandbox_refund_timeout")),
    ("refund.failed", Before::Charged),
    ("payment.returned", Before::Charged),
    ("payment.returned", Before::Pending),
    ("payment.return_canceled", Before::Charged),
    ("dispute.opened", Before::Charged),
    ("dispute.updated", Before::Charged),
    ("dispute.won", Before::Charged),
    ("dispute.lost", Before::Charged),
    ("dispute.funds_withdrawn", Before::Charged),
    ("dispute.funds_reinstated", Before::Charged),
];

#[tokio::test]
async fn every_kind_of_notification_with_every_kind_of_amount_has_its_result() {
    let mut table = String::from(
        "# type, before, amount: answer, status; captured, refunded, refundable, held; review reasons\n",
    );
    for (kind, before) in KINDS {
        for (name, amount) in AMOUNTS {
            let result = result(kind, before, amount).await;
            writeln!(table, "{kind} | {before:?} | {name} | {result}").unwrap();
        }
    }
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/reported-amounts.txt");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&golden, &table).unwrap();
    }
    assert_eq!(std::fs::read_to_string(golden).unwrap(), table);
}

async fn result(kind: &str, before: Before, amount: Option<(&str, &str)>) -> String {
    let app = App::beside_doubt();
    let id = payment(&app, before).await;
    let mut report = json!({"gateway_operation_id": "own_1", "occurred_at": "2999-01-01T00:00:00Z"});
    if kind.starts_with("dispute") {
        report["dispute_id"] = "dp_1".into();
        if !kind.contains("funds") {
            report.as_object_mut().unwrap().remove("gateway_operation_id");
        }
    }
    if let Before::Open(..) = before {
        let events = app.items(&id, "events").await;
        let started = events.iter().rev().find_map(|event| event["data"]["id"].as_str()).unwrap();
        let field = kind.split_once('.').unwrap().0;
        report[format!("{field}_id")] = started.into();
    } else if kind.starts_with("attempt") || kind.starts_with("authorization") {
        report["attempt_id"] = app.items(&id, "attempts").await[0]["id"].clone();
        report.as_object_mut().unwrap().remove("gateway_operation_id");
    }
    if kind == "payment.return_canceled" {
        assert!(app.is_applied("r", "payment.returned", &id, usd(30, "own_1")).await);
    }
    if let Some((amount, currency)) = amount {
        report["amount"] = amount.into();
        report["currency"] = currency.into();
    }
    let answer = app.report("n", kind, &id, report).await;
    app.books().await;
    let payment = app.ledger.payment(&scope("acme", "test"), id.parse().unwrap()).await.unwrap().unwrap();
    let amounts = [payment.captured(), payment.refunded(), payment.refundable(), payment.held()];
    let amounts = amounts.map(|amount| amount.amount_text().to_string());
    let reviews: Vec<&str> = payment.reviews().into_iter().map(Review::as_str).collect();
    let reviews = if reviews.is_empty() { "none".to_owned() } else { reviews.join(" ") };
    format!("{}, {}; {}; {reviews}", answer.status, payment.status(), amounts.join(" "))
}

/// Creates a payment of 100 USD in this state, and returns its id.
async fn payment(app: &App, before: Before) -> String {
    let held = held();
    let (body, instrument) = match before {
        Before::Charged => (CARD, "pm_1"),
        Before::Pending => (CARD, "pm_sandbox_pending"),
        Before::Held => (held.as_str(), "pm_1"),
        Before::Open("refunds", instrument) => (CARD, instrument),
        Before::Open(_, instrument) => (held.as_str(), instrument),
    };
    let id = app.create(with_instrument(body, instrument)).await.string("/id");
    if let Before::Open(action, _) = before {
        let asked = app.post(&format!("/v1/payments/{id}/{action}"), "{}").await;
        assert!(asked.status < 300, "{}", asked.text);
    }
    id
}

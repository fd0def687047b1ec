//! Disputes, as gateways tell of them.

use counterfoil::command::Policy;
use serde_json::{Value, json};

use crate::support::{Answer, App, CARD, unknown_name, with};

/// Sends a notification about dispute `dp_1`, unless `more` names another one. It must be accepted.
async fn is_applied(app: &App, id: &str, kind: &str, payment: &str, mut more: Value) -> bool {
    if more["dispute_id"].is_null() {
        more["dispute_id"] = "dp_1".into();
    }
    app.is_applied(id, &format!("dispute.{kind}"), payment, more).await
}

#[tokio::test]
async fn reported_dispute_is_listed_and_reserves_its_amount() {
    let app = App::new();
    let id = app.create_100(CARD).await;
    assert!(app.items(&id, "disputes").await.is_empty());
    let opened = json!({"amount": 40, "currency": "usd", "stage": "chargeback", "dispute_status": "NEEDS_RESPONSE",
        "due_by": "2026-02-01T00:00:00Z", "error_code": "fraudulent", "error_message": "not mine"});
    assert!(is_applied(&app, "n1", "opened", &id, opened).await);

    let dispute = app.items(&id, "disputes").await[0].clone();
    let names = [
        "payment_id",
        "payment_gateway",
        "gateway_dispute_id",
        "stage",
        "dispute_status",
        "amount",
        "currency",
        "error_code",
        "error_message",
        "due_by",
        "amount_withdrawn",
    ];
    let expected = json!([
        id,
        "sandbox",
        "dp_1",
        "chargeback",
        "NEEDS_RESPONSE",
        40,
        "usd",
        "fraudulent",
        "not mine",
        "2026-02-01T00:00:00.000000Z",
        0
    ]);
    assert_eq!(Value::from(names.map(|name| dispute[name].clone()).to_vec()), expected);
    assert!(dispute["id"].as_str().unwrap().starts_with("dis_") || dispute["id"].is_string());

    let payment = app.payment(&id).await;
    assert_eq!((&payment["amount_disputed"], &payment["refundable"]), (&json!(40), &json!(60)));
    let refused = app.post(&format!("/v1/payments/{id}/refunds"), r#"{"amount": 61}"#).await;
    assert_eq!(refused.details_of("invalid_operation", 400)["refundable"], 60);
}

#[tokio::test]
async fn movement_without_an_id_counts_once_per_stage() {
    let app = App::new();
    let id = app.create_100(CARD).await;
    let funds = |amount: i64, stage| json!({"amount": amount, "currency": "usd", "stage": stage});
    for (name, funds, applied, withdrawn) in [
        ("n1", funds(40, "chargeback"), true, 40),
        ("n2", funds(40, "chargeback"), false, 40),
        ("n3", funds(30, "chargeback"), false, 40),
        ("n4", funds(45, "chargeback"), true, 45),
        ("n5", funds(40, "arbitration"), true, 85),
    ] {
        assert_eq!(is_applied(&app, name, "funds_withdrawn", &id, funds).await, applied, "{name}");
        let dispute = app.items(&id, "disputes").await[0].clone();
        assert_eq!(dispute["amount_withdrawn"], withdrawn, "{name}");
    }
    let history = app.get(&format!("/v1/payments/{id}/events")).await.text;
    assert!(!history.contains("gateway_operation_id\":\"n1"), "a notification's id names no movement");
    app.books().await;
}

fn at(second: u32) -> Value {
    json!({"occurred_at": format!("2026-01-01T00:00:0{second}Z"), "amount": 100, "currency": "usd"})
}

/// INVARIANTS 43: lost, then won, with all money reinstated.
#[tokio::test]
async fn dispute_that_is_won_after_a_loss_frees_the_payment() {
    let app = App::new();
    let id = app.create_100(CARD).await;
    let steps = [
        ("opened", at(1), json!([100, 0, 0])),
        ("funds_withdrawn", at(2), json!([100, 0, 0])),
        ("lost", at(3), json!([100, 100, 0])),
        ("won", at(4), json!([100, 0, 0])),
        ("funds_reinstated", at(5), json!([0, 0, 100])),
        // Told late, and it was before: nothing changes any more but what is known.
        ("lost", at(2), json!([0, 0, 100])),
    ];
    for (place, (kind, more, amounts)) in steps.into_iter().enumerate() {
        is_applied(&app, &format!("n{place}"), kind, &id, more).await;
        let payment = app.payment(&id).await;
        let shown =
            ["amount_disputed", "amount_charged_back", "refundable"].map(|name| payment[name].clone());
        assert_eq!(Value::from(shown.to_vec()), amounts, "{kind}");
        assert_eq!(payment["payment_status"], "SUCCEEDED", "a dispute changes no status");
    }
    assert_eq!(app.items(&id, "disputes").await[0]["dispute_status"], "WON");
    assert_eq!(app.review(&id).await, json!(["contradiction"]));
    app.post(&format!("/v1/payments/{id}/refunds"), r#"{"amount": 100}"#).await;
    assert_eq!(app.payment(&id).await["payment_status"], "REFUNDED");
    app.books().await;
}

/// Sends an operator's decision about the only dispute of a payment.
async fn resolve(app: &App, payment: &str, outcome: &str, more: Value) -> Answer {
    let dispute = app.items(payment, "disputes").await[0]["id"].clone();
    app.resolve(payment, outcome, with(more, "dispute_id", dispute)).await
}

/// The disputed, charged back and refundable amounts, the reviews, and the status of the dispute.
async fn standing(app: &App, id: &str) -> Value {
    let payment = app.payment(id).await;
    let dispute = app.items(id, "disputes").await[0].clone();
    let of_payment =
        ["amount_disputed", "amount_charged_back", "refundable", "review"].map(|name| &payment[name]);
    let of_dispute = ["dispute_status", "amount_withdrawn", "amount_reinstated"].map(|name| &dispute[name]);
    of_payment.into_iter().chain(of_dispute).cloned().collect()
}

/// An operator may decide more than once. An end that the gateway reports for the first time afterwards counts, and is
/// flagged.
#[tokio::test]
async fn operator_resolves_a_dispute_and_a_later_report_contradicts() {
    let app = App::new();
    let id = app.create_100(CARD).await;
    is_applied(&app, "n1", "opened", &id, at(1)).await;
    is_applied(&app, "n2", "funds_withdrawn", &id, at(2)).await;
    assert_eq!(resolve(&app, &id, "won", json!({})).await.status, 200);
    let won = json!([0, 0, 100, ["resolved"], "WON", 100, 100]);
    assert_eq!(standing(&app, &id).await, won, "the money is back in the books");
    assert_eq!(resolve(&app, &id, "won", json!({})).await.status, 200, "said again");
    is_applied(&app, "n3", "funds_reinstated", &id, at(3)).await;
    is_applied(&app, "n4", "lost", &id, at(3)).await;
    let flagged = json!([0, 0, 100, ["contradiction", "resolved"], "WON", 100, 100]);
    assert_eq!(
        standing(&app, &id).await,
        flagged,
        "what it knew already changes nothing, an earlier end neither"
    );

    assert_eq!(resolve(&app, &id, "lost", json!({"amount": 40})).await.status, 200);
    let lost = json!([40, 40, 60, ["resolved"], "LOST", 100, 60]);
    assert_eq!(standing(&app, &id).await, lost, "a later decision replaces it, and what was told by then");
    is_applied(&app, "n5", "lost", &id, at(3)).await;
    assert_eq!(standing(&app, &id).await, lost, "a repetition is no news");
    let later = json!({"occurred_at": "2030-01-01T00:00:00Z", "amount": 100, "currency": "usd"});
    is_applied(&app, "n6", "won", &id, later).await;
    let contradicted = json!([0, 0, 100, ["contradiction", "resolved"], "WON", 100, 100]);
    assert_eq!(
        standing(&app, &id).await,
        contradicted,
        "news of a later end counts, and all that was told with it"
    );
    app.books().await;
}

#[tokio::test]
async fn dispute_that_its_gateway_settled_cannot_be_resolved() {
    let app = App::new();
    let id = app.create_100(CARD).await;
    is_applied(&app, "n1", "lost", &id, at(1)).await;
    let refused = resolve(&app, &id, "won", json!({})).await;
    assert_eq!(refused.status, 400, "{}", refused.text);
    assert!(refused.text.contains("nothing contradicts"), "{}", refused.text);
    for (outcome, more, status, field) in [
        ("won", json!({"amount": 1}), 400, "amount"),
        ("won", json!({"operation_id": "att_x"}), 400, "operation_id"),
        ("failed", json!({}), 400, "dispute_id"),
        ("lost", json!({"amount": 0}), 400, "amount"),
        ("lost", json!({"amount": 1, "currency": "eur"}), 400, "currency"),
    ] {
        let answer = resolve(&app, &id, outcome, more).await;
        assert_eq!(answer.status, status, "{outcome} {field}: {}", answer.text);
        assert!(answer.text.contains(field), "{}", answer.text);
    }
    app.books().await;
}

/// Won and lost at the same time count as lost. A reinstated amount is available all the same.
#[tokio::test]
async fn dispute_won_and_lost_at_one_time_is_lost_and_reinstated_money_is_available() {
    let app = App::new();
    for order in [["won", "lost"], ["lost", "won"]] {
        let id = app.create_100(CARD).await;
        let dispute = |more| with(more, "dispute_id", format!("dp_{id}"));
        for kind in order {
            is_applied(&app, &format!("{kind}_{id}"), kind, &id, dispute(at(3))).await;
        }
        let payment = app.payment(&id).await;
        assert_eq!(
            (&payment["amount_charged_back"], &payment["review"]),
            (&json!(100), &json!(["contradiction"]))
        );
        let part = with(at(4), "amount", 70);
        is_applied(&app, &format!("back_{id}"), "funds_reinstated", &id, dispute(part)).await;
        let payment = app.payment(&id).await;
        assert_eq!((&payment["amount_charged_back"], &payment["refundable"]), (&json!(30), &json!(70)));
    }
}

/// A destination shows disputed and charged-back amounts. The charged-back amount is due again only if the policy says so.
#[tokio::test]
async fn charged_back_amount_is_due_again_by_policy_only() {
    for (owed, remaining) in [(false, 0), (true, 100)] {
        let policy = Policy::default();
        let policy = if owed { policy.owing_charged_back() } else { policy };
        let app = App::with(|ledger| ledger.with_policy(policy));
        let invoice = "/v1/destinations/INVOICE/inv_1";
        app.put(invoice, r#"{"currency": "usd", "amount_due": 100}"#).await;
        let body = CARD.replace("123", "100");
        let id = app.create(body.clone()).await.string("/id");
        for (kind, at, expected) in [
            ("opened", at(1), json!([100, 100, 0, 0])),
            ("lost", at(2), json!([100, 0, 100, remaining])),
            ("funds_withdrawn", at(3), json!([100, 0, 100, remaining])),
        ] {
            is_applied(&app, kind, kind, &id, at).await;
            let found = app.get(invoice).await.json();
            let shown = ["paid", "disputed", "charged_back", "remaining"].map(|name| found[name].clone());
            assert_eq!(Value::from(shown.to_vec()), expected, "{kind}, owed again: {owed}");
        }
        let again = app.post("/v1/payments", body).await;
        if owed {
            assert_eq!((again.status, &again.json()["payment_status"]), (201, &json!("SUCCEEDED")));
            assert_eq!(app.get(invoice).await.json()["remaining"], 0);
        } else {
            assert_eq!(again.details_of("invalid_operation", 400)["remaining"], 0);
        }
        app.books().await;
    }
}

#[tokio::test]
async fn dispute_movement_in_several_notifications_counts_once() {
    let app = App::new();
    let id = app.create_100(CARD).await;
    let funds = json!({"amount": 40, "currency": "usd", "gateway_operation_id": "txn_1"});
    for (name, applied) in [("n1", true), ("n1", false), ("n2", false)] {
        assert_eq!(is_applied(&app, name, "funds_withdrawn", &id, funds.clone()).await, applied, "{name}");
    }
    let dispute = app.items(&id, "disputes").await[0].clone();
    assert_eq!(dispute["amount_withdrawn"], 40);
    let back = json!({"amount": 40, "currency": "usd", "gateway_operation_id": "txn_2"});
    is_applied(&app, "n3", "funds_reinstated", &id, back).await;
    assert!(is_applied(&app, "n4", "won", &id, json!({})).await);
    let dispute = app.items(&id, "disputes").await[0].clone();
    let figures = ["dispute_status", "amount_withdrawn", "amount_reinstated"].map(|name| &dispute[name]);
    assert_eq!(figures, [&json!("WON"), &json!(40), &json!(40)]);
    let payment = app.payment(&id).await;
    assert_eq!(payment["amount_disputed"], 0);
    app.books().await;
}

/// The attempt that a dispute names must be one of its payment at that gateway.
#[tokio::test]
async fn attempt_of_a_dispute_must_be_of_its_payment() {
    let app = App::beside_doubt();
    let (made, other) = (app.create(CARD).await, app.create(CARD).await);
    let (id, before) = (made.string("/id"), app.books().await);
    for (field, value, reason) in [
        ("attempt_id", other.string("/attempts/0/id"), unknown_name("attempt_id")),
        ("gateway_attempt_id", "nobody".to_owned(), unknown_name("gateway_attempt_id")),
        (
            "gateway_attempt_id",
            other.string("/attempts/0/gateway_attempt_id"),
            json!({"reason": "conflicting_names"}),
        ),
    ] {
        let more = json!({"dispute_id": "d", field: value});
        let answer = app.report("n", "dispute.opened", &id, more).await;
        assert_eq!(answer.details_of("not_found", 404), reason, "{field}");
    }
    assert_eq!(app.books().await, before);
    let own = json!({"dispute_id": "d", "attempt_id": made.string("/attempts/0/id"),
        "gateway_attempt_id": made.string("/attempts/0/gateway_attempt_id")});
    assert!(app.is_applied("n", "dispute.opened", &id, own).await);
}

//! Sequences of reports and decisions in several orders, each by a rule of the page on evidence or an invariant.

use std::sync::Arc;
use std::time::Duration;

use counterfoil::account::AccountId;
use counterfoil::command::Policy;
use counterfoil::payment::Destination;
use counterfoil::store::Position;
use counterfoil_testkit::ManualClock;
use serde_json::{Value, json};

use crate::silent::Silent;
use crate::support::{App, CARD, held, recorded, scope, usd, with, with_instrument};

/// A payment of 100 that was created at the gateway as `pi_1`.
async fn at_gateway(app: &App) -> String {
    let id = app.create_100(&recorded()).await;
    let named = r#"{"gateway_payment_id": "pi_1", "payment_gateway": "sandbox"}"#;
    assert_eq!(app.put(&format!("/v1/payments/{id}"), named).await.status, 200);
    id
}

/// What the events of all payments post to the invoice, in minor units.
async fn posted(app: &App) -> i64 {
    let feed = app.ledger.feed(&scope("acme", "test"), Position::default(), 1_000).await.unwrap();
    let invoice = AccountId::destination(&Destination::invoice("inv_1".parse().unwrap()));
    let postings = feed.entries.iter().flat_map(|item| item.event.postings());
    postings.filter(|posting| posting.account == invoice).map(|posting| posting.minor).sum()
}

/// Starts an operation of 30 that gets no gateway id, and returns its id.
async fn start_30(app: &App, payment: &str, path: &str, list: &str) -> Value {
    let body = if path == "capture" { r#"{"amount": 30, "final": false}"# } else { r#"{"amount": 30}"# };
    app.start(payment, path, list, body).await
}

/// INVARIANTS 26, 29. The gateway reports one refund or capture with its gateway id only, and with our id too.
#[tokio::test]
async fn operation_reported_with_and_without_our_id_counts_once_in_either_order() {
    let mut wrong = Vec::new();
    for (body, path, list, kind, field) in [
        (CARD.to_owned(), "refunds", "refunds", "refund.succeeded", "refund_id"),
        (held(), "capture", "captures", "capture.succeeded", "capture_id"),
    ] {
        let mut ends = Vec::new();
        for is_ours_first in [true, false] {
            let app = App::silent(&Arc::new(ManualClock::default()));
            let id = app.create_100(&body).await;
            let ours = start_30(&app, &id, path, list).await;
            let mut reports = [(kind, with(usd(20, "x_1"), field, ours)), (kind, usd(20, "x_1"))];
            if !is_ours_first {
                reports.reverse();
            }
            app.report_all(&id, &reports).await;
            ends.push(app.amounts(&id).await);
        }
        if ends[0] != ends[1] {
            wrong.push(format!("{kind}: {} and {}", ends[0], ends[1]));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The same if the gateway id was reported while the requested operation was stuck: our own id settles the possible
/// duplicate.
#[tokio::test]
async fn our_own_id_settles_a_possible_duplicate_in_either_order() {
    let mut ends = Vec::new();
    for is_ours_first in [true, false] {
        let clock = Arc::new(ManualClock::default());
        let app = App::silent(&clock);
        let id = app.create_100(CARD).await;
        let ours = start_30(&app, &id, "refunds", "refunds").await;
        app.run_last_query(&clock).await;
        let kind = "refund.succeeded";
        let mut reports = [(kind, with(usd(30, "x_1"), "refund_id", ours)), (kind, usd(30, "x_1"))];
        if !is_ours_first {
            reports.reverse();
        }
        app.report_all(&id, &reports).await;
        ends.push((app.amounts(&id).await, app.review(&id).await));
    }
    assert_eq!(ends[0], ends[1]);
}

/// INVARIANTS 26. The parent that is reported for an external void counts, whenever it is reported.
#[tokio::test]
async fn parent_of_a_void_counts_whenever_it_is_reported() {
    let mut ends = Vec::new();
    for is_second_hold_first in [true, false] {
        let app = App::new();
        let id = app.create_100(&held()).await;
        let hold = ("authorization.succeeded", usd(60, "h_2"));
        let of_second = ("void.succeeded", with(usd(60, "v_1"), "gateway_attempt_id", "h_2"));
        let bare = ("void.succeeded", usd(60, "v_1"));
        let reports = if is_second_hold_first { [hold, of_second, bare] } else { [bare, hold, of_second] };
        app.report_all(&id, &reports).await;
        ends.push(app.amounts(&id).await);
    }
    assert_eq!(ends[0], ends[1]);
}

/// INVARIANTS 26, 43. A bank return is canceled whichever was reported first, the charge or the return.
#[tokio::test]
async fn canceled_return_of_a_captured_charge_counts_nothing_in_any_order() {
    let of_hold = || json!({"gateway_attempt_id": "pi_1"});
    let mut ends = Vec::new();
    for is_charged_first in [true, false] {
        let app = App::new();
        let id = at_gateway(&app).await;
        let charged = ("attempt.succeeded", usd(100, "pi_1"));
        let returned = ("payment.returned", of_hold());
        let mut reports = vec![
            ("authorization.succeeded", usd(100, "pi_1")),
            ("capture.succeeded", with(usd(100, "pi_1:capture"), "gateway_attempt_id", "pi_1")),
        ];
        reports.extend(if is_charged_first { [charged, returned] } else { [returned, charged] });
        reports.push(("payment.return_canceled", of_hold()));
        app.report_all(&id, &reports).await;
        ends.push(app.amounts(&id).await);
    }
    assert_eq!(ends[0], ends[1]);
}

/// After `same_as` there is one capture, so a return of its hold is one of that capture.
#[tokio::test]
async fn return_is_of_the_only_capture_after_same_as() {
    let clock = Arc::new(ManualClock::default());
    let app = App::silent(&clock);
    let id = app.create_100(&held()).await;
    let ours = start_30(&app, &id, "capture", "captures").await;
    app.run_last_query(&clock).await;
    app.report_all(&id, &[("capture.succeeded", usd(30, "c_1"))]).await;
    let external = app.items(&id, "captures").await.pop().unwrap()["id"].clone();
    app.decide(&id, &external, "same_as", json!({"same_as": ours})).await;
    assert_eq!(app.amounts(&id).await, json!(["PARTIALLY_CAPTURED", 30, 0, 30, 70]));
    let hold = app.items(&id, "attempts").await[0]["id"].clone();
    for (name, of) in [("with a parent", json!({"attempt_id": hold})), ("without", Value::Null)] {
        let mut back = usd(10, &format!("b {name}"));
        back.as_object_mut().unwrap().extend(of.as_object().cloned().unwrap_or_default());
        let answer = app.report(name, "payment.returned", &id, back).await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.text);
    }
    assert_eq!(app.amounts(&id).await[1], 10);
}

/// INVARIANTS 15. The id of a return that was bound to the external capture does not clash after `same_as`.
#[tokio::test]
async fn repeated_return_changes_nothing_after_same_as() {
    let clock = Arc::new(ManualClock::default());
    let app = App::silent(&clock);
    let id = app.create_100(&held()).await;
    let ours = start_30(&app, &id, "capture", "captures").await;
    app.run_last_query(&clock).await;
    app.report_all(&id, &[("capture.succeeded", usd(30, "c_1")), ("payment.returned", usd(10, "b_1"))]).await;
    let external = app.items(&id, "captures").await.pop().unwrap()["id"].clone();
    app.decide(&id, &external, "same_as", json!({"same_as": ours})).await;
    assert_eq!(app.amounts(&id).await[1], 20);
    let before = app.review(&id).await;
    let again = app.report("again", "payment.returned", &id, usd(10, "b_1")).await;
    assert_eq!((again.json()["applied"].clone(), app.review(&id).await), (json!(false), before));
}

/// "A later resolution replaces an earlier one."
#[tokio::test]
async fn same_as_may_be_decided_after_another() {
    let clock = Arc::new(ManualClock::default());
    let app = App::silent(&clock);
    let id = app.create_100(CARD).await;
    let ours = start_30(&app, &id, "refunds", "refunds").await;
    app.run_last_query(&clock).await;
    app.report_all(&id, &[("refund.succeeded", usd(30, "r_1"))]).await;
    let external = app.items(&id, "refunds").await.pop().unwrap()["id"].clone();
    app.decide(&id, &external, "same_as", json!({"same_as": ours})).await;
    app.decide(&id, &external, "another", Value::Null).await;
    app.decide(&id, &external, "same_as", json!({"same_as": ours})).await;
    assert_eq!(app.amounts(&id).await, json!(["PARTIALLY_REFUNDED", 100, 30, 70, 0]));
}

/// "A later resolution replaces an earlier one": also in how the payment ended.
#[tokio::test]
async fn not_sent_replaces_failed() {
    let unknown = with_instrument(CARD, "pm_sandbox_timeout_unknown");
    let mut ends = Vec::new();
    for decisions in [&["not_sent"][..], &["failed", "not_sent"]] {
        let app = App::beside_doubt();
        let id = app.create_100(&unknown).await;
        let attempt = app.items(&id, "attempts").await[0]["id"].clone();
        for outcome in decisions {
            app.decide(&id, &attempt, outcome, Value::Null).await;
        }
        ends.push(app.amounts(&id).await);
    }
    assert_eq!(ends[0], ends[1]);
}

#[tokio::test]
async fn succeeded_replaces_failed() {
    let app = App::new();
    let unknown = with_instrument(CARD, "pm_sandbox_timeout_unknown");
    let id = app.create_100(&unknown).await;
    let attempt = app.items(&id, "attempts").await[0]["id"].clone();
    for outcome in ["failed", "succeeded"] {
        app.decide(&id, &attempt, outcome, Value::Null).await;
    }
    assert_eq!(app.review(&id).await, json!(["resolved"]));
}

/// The facts that are known when an operator decides are set aside, a decline among them.
#[tokio::test]
async fn decision_about_an_attempt_settles_its_contradiction() {
    let mut wrong = Vec::new();
    for (outcome, status) in [("succeeded", "SUCCEEDED"), ("not_sent", "PENDING")] {
        let app = App::new();
        let pending = with_instrument(CARD, "pm_sandbox_pending");
        let id = app.create_100(&pending).await;
        let attempt = app.items(&id, "attempts").await[0]["id"].clone();
        let named = json!({"attempt_id": attempt});
        app.report_all(&id, &[("attempt.failed", named.clone()), ("attempt.succeeded", named)]).await;
        app.decide(&id, &attempt, outcome, Value::Null).await;
        let stands = (app.amounts(&id).await[0].clone(), app.review(&id).await);
        if stands != (json!(status), json!(["resolved"])) {
            wrong.push(format!("{outcome}: {stands:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// INVARIANTS 26. A resolution of an external attempt does not depend on the order of its reports.
#[tokio::test]
async fn resolved_external_attempt_is_the_same_in_any_order() {
    let mut ends = Vec::new();
    for is_failed_first in [true, false] {
        let app = App::new();
        let id = at_gateway(&app).await;
        let mut reports =
            [("attempt.failed", usd(100, "pi_1")), ("authorization.succeeded", usd(100, "pi_1"))];
        if !is_failed_first {
            reports.reverse();
        }
        app.report_all(&id, &reports).await;
        assert_eq!(app.amounts(&id).await, json!(["AUTHORIZED", 0, 0, 0, 100]));
        let attempt = app.items(&id, "attempts").await[0]["id"].clone();
        for outcome in ["not_sent", "succeeded"] {
            app.decide(&id, &attempt, outcome, Value::Null).await;
        }
        ends.push(app.amounts(&id).await);
    }
    assert_eq!(ends[0], ends[1]);
}

/// INVARIANTS 3, 7. More was voided or returned than captured. It is flagged, unless the postings add up to zero.
#[tokio::test]
async fn void_of_more_than_was_captured_is_flagged() {
    let cases: [&[(&str, Value)]; 3] = [
        &[("void.succeeded", usd(100, "v_1")), ("void.succeeded", usd(100, "v_2"))],
        &[("payment.returned", usd(30, "b_1")), ("void.succeeded", usd(100, "v_1"))],
        &[("void.succeeded", usd(130, "v_1"))],
    ];
    let mut wrong = Vec::new();
    for reports in cases {
        let app = App::new();
        let id = app.create_100(CARD).await;
        app.report_all(&id, reports).await;
        let (posted, review) = (posted(&app).await, app.review(&id).await);
        let is_flagged = review.as_array().is_some_and(|review| review.contains(&json!("exceeded")));
        if posted != 0 && !is_flagged {
            wrong.push(format!("{reports:?}: {} posted {posted}, {review}", app.amounts(&id).await));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// INVARIANTS 8.
#[tokio::test]
async fn failed_possible_duplicate_reserves_nothing() {
    let mut ends = Vec::new();
    for kinds in [&["refund.failed"][..], &["refund.succeeded", "refund.failed"]] {
        let clock = Arc::new(ManualClock::default());
        let app = App::silent(&clock);
        let id = app.create_100(CARD).await;
        start_30(&app, &id, "refunds", "refunds").await;
        app.run_last_query(&clock).await;
        for kind in kinds {
            app.report_all(&id, &[(kind, usd(30, "r_1"))]).await;
        }
        ends.push(app.amounts(&id).await);
    }
    assert_eq!(ends[0], ends[1]);
}

/// "A fact that is reported for the first time afterwards counts, by precedence, against the resolution, and flags the
/// payment anew."
#[tokio::test]
async fn parent_reported_after_allocation_is_flagged() {
    let app = App::new();
    let id = app.create_100(CARD).await;
    app.report_all(&id, &[("attempt.succeeded", usd(60, "ch_2")), ("refund.succeeded", usd(30, "r_1"))])
        .await;
    let first = app.items(&id, "attempts").await[0]["id"].clone();
    let refund = app.items(&id, "refunds").await[0]["id"].clone();
    app.decide(&id, &refund, "allocated", json!({"attempt_id": first})).await;
    app.dismiss(&id).await;
    let before = app.review(&id).await;
    let of_second = with(usd(30, "r_1"), "gateway_attempt_id", "ch_2");
    assert!(app.is_applied("late", "refund.succeeded", &id, of_second).await);
    assert_ne!(app.review(&id).await, before);
}

/// INVARIANTS 2.
#[tokio::test]
async fn capture_of_more_than_its_hold_is_flagged() {
    let app = App::new();
    let id = app.create_100(&held()).await;
    let reports = [
        ("authorization.succeeded", usd(60, "h_2")),
        ("capture.succeeded", with(usd(100, "c_1"), "gateway_attempt_id", "h_2")),
    ];
    app.report_all(&id, &reports).await;
    let review = app.review(&id).await;
    assert!(review.as_array().unwrap().contains(&json!("exceeded")), "{review} {}", app.amounts(&id).await);
}

#[tokio::test]
async fn resolution_of_an_earlier_attempt_does_not_end_a_reopened_payment() {
    let app = App::with(|ledger| ledger.with_policy(Policy::default().processing_failed()));
    let pending = with_instrument(CARD, "pm_sandbox_pending");
    let id = app.create_100(&pending).await;
    let first = app.items(&id, "attempts").await[0]["id"].clone();
    let declined = json!({"attempt_id": first, "amount": 90, "currency": "USD"});
    app.report_all(&id, &[("attempt.failed", declined)]).await;
    let path = format!("/v1/payments/{id}/process");
    assert_eq!(app.post(&path, r#"{"payment_method_id": "pm_2"}"#).await.status, 200);
    let before = app.review(&id).await;
    assert_eq!(before, json!(["amount_mismatch"]));
    app.decide(&id, &first, "failed", Value::Null).await;
    assert_eq!(
        (app.amounts(&id).await[0].clone(), app.review(&id).await),
        (json!("SUCCEEDED"), json!(["resolved"]))
    );
}

/// INVARIANTS 3. A charge of 100 was voided, and the payer's bank took back 30 as well.
#[tokio::test]
async fn return_of_a_voided_charge_is_flagged() {
    let app = App::new();
    let id = app.create_100(CARD).await;
    assert_eq!(app.post(&format!("/v1/payments/{id}/void"), "{}").await.status, 200);
    assert_eq!(app.amounts(&id).await[0], "VOIDED");
    app.report_all(&id, &[("payment.returned", usd(30, "b_1"))]).await;
    assert_eq!((posted(&app).await, app.review(&id).await), (-3_000, json!(["exceeded"])));
}

/// The gateway reinstated more than it had withdrawn: 200 of a payment of 100.
#[tokio::test]
async fn reinstatement_of_more_than_was_withdrawn_is_flagged() {
    let app = App::new();
    let id = app.create_100(CARD).await;
    let funds = |kind, name| (kind, with(usd(100, name), "dispute_id", "dp_1"));
    app.report_all(
        &id,
        &[
            ("dispute.opened", json!({"dispute_id": "dp_1"})),
            funds("dispute.funds_withdrawn", "txn_1"),
            ("dispute.won", json!({"dispute_id": "dp_1"})),
            funds("dispute.funds_reinstated", "txn_2"),
            funds("dispute.funds_reinstated", "txn_3"),
        ],
    )
    .await;
    let stands = (posted(&app).await, app.payment(&id).await["amount_captured"].clone());
    assert!(app.review(&id).await.is_array(), "unflagged: posted and captured are {stands:?}");
}

/// INVARIANTS 44.
#[tokio::test]
async fn resolution_of_an_external_attempt_does_not_change_the_schedule() {
    let days = [1, 3].map(|days| Duration::from_secs(days * 86_400));
    let schedule = counterfoil::payment::RetrySchedule::new(days).unwrap();
    let mut wrong = Vec::new();
    for outcome in ["failed", "not_sent"] {
        let app = App::with(|ledger| ledger.with_policy(Policy::default().with_retries(schedule.clone())));
        let declined = with_instrument(CARD, "pm_sandbox_decline");
        let id = app.create_100(&declined).await;
        let stands = |payment: Value| (payment["payment_status"].clone(), payment["next_attempt_at"].clone());
        let before = stands(app.payment(&id).await);
        assert_eq!(before.0, "PENDING");
        app.report_all(&id, &[("attempt.succeeded", usd(60, "ch_2"))]).await;
        assert_eq!(app.amounts(&id).await[1], 60);
        let external = app.items(&id, "attempts").await.pop().unwrap()["id"].clone();
        app.decide(&id, &external, outcome, Value::Null).await;
        let after = stands(app.payment(&id).await);
        if after != before {
            wrong.push(format!("{outcome}: {before:?}, then {after:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// "No key guards it, and none is needed".
#[tokio::test]
async fn repeated_same_as_counts_the_refund_once() {
    let clock = Arc::new(ManualClock::default());
    let app = App::silent(&clock);
    let id = app.create_100(CARD).await;
    let ours = start_30(&app, &id, "refunds", "refunds").await;
    app.run_last_query(&clock).await;
    app.report_all(&id, &[("refund.succeeded", usd(30, "r_1"))]).await;
    let external = app.items(&id, "refunds").await.pop().unwrap()["id"].clone();
    let mut counted = Vec::new();
    for _ in 0..2 {
        app.decide(&id, &external, "same_as", json!({"same_as": ours})).await;
        counted.push((app.amounts(&id).await, app.review(&id).await));
    }
    assert_eq!(counted[0].0[2], 30);
    assert_eq!(counted[0], counted[1]);
    app.books().await;
}

#[tokio::test]
async fn resolution_of_a_refund_after_same_as_has_an_effect_or_is_refused() {
    let clock = Arc::new(ManualClock::default());
    let app = App::silent(&clock);
    let id = app.create_100(CARD).await;
    let ours = start_30(&app, &id, "refunds", "refunds").await;
    app.run_last_query(&clock).await;
    app.report_all(&id, &[("refund.succeeded", usd(30, "r_1"))]).await;
    let external = app.items(&id, "refunds").await.pop().unwrap()["id"].clone();
    app.decide(&id, &external, "same_as", json!({"same_as": ours})).await;
    let answer = app.resolve_operation(&id, &external, "failed", Value::Null).await;
    let refunded = app.amounts(&id).await[2].clone();
    assert!(answer.status != 200 || refunded == 0, "{} and {refunded} refunded", answer.status);
}

/// The refunds that succeeded and are not the same as another one add up to `amount_refunded`.
#[tokio::test]
async fn listed_refunds_add_up_to_the_refunded_amount() {
    let clock = Arc::new(ManualClock::default());
    let app = App::silent(&clock);
    let id = app.create_100(CARD).await;
    let ours = start_30(&app, &id, "refunds", "refunds").await;
    app.run_last_query(&clock).await;
    app.report_all(&id, &[("refund.succeeded", usd(30, "r_1"))]).await;
    let external = app.items(&id, "refunds").await.pop().unwrap()["id"].clone();
    app.decide(&id, &external, "same_as", json!({"same_as": ours})).await;
    let refunds = app.items(&id, "refunds").await;
    let counts = |refund: &&Value| refund["refund_status"] == "SUCCEEDED" && refund["same_as"].is_null();
    assert_eq!(refunds[1]["same_as"], ours);
    let done = refunds.iter().filter(counts);
    let sum: u64 = done.map(|refund| refund["amount"].as_u64().unwrap()).sum();
    assert_eq!(json!(sum), app.amounts(&id).await[2], "{refunds:#?}");
}

/// INVARIANTS 2, 28.
#[tokio::test]
async fn capture_after_its_hold_expired_is_flagged() {
    use counterfoil::clock::Clock;
    let clock = Arc::new(ManualClock::default());
    let app = App::with(|ledger| ledger.with_clock(clock.clone()));
    let mut body: Value = serde_json::from_str(&held()).unwrap();
    body["expires_at"] = clock.now().saturating_add(Duration::from_secs(3_600)).to_string().into();
    let id = app.create_100(&body.to_string()).await;
    clock.advance(Duration::from_secs(3_601));
    assert_eq!(app.ledger.run_due(10).await.unwrap().done, 1);
    assert_eq!(app.amounts(&id).await[0], "VOIDED");
    app.report_all(&id, &[("capture.succeeded", usd(60, "c_1"))]).await;
    assert_eq!(app.amounts(&id).await[1], 60);
    assert!(app.review(&id).await.is_array(), "{}", app.payment(&id).await);
}

/// The error names the problem, and is not `nothing_to_resolve`.
#[tokio::test]
async fn refused_decision_says_why() {
    let clock = Arc::new(ManualClock::default());
    let app = App::silent(&clock);
    let id = app.create_100(CARD).await;
    let ours = start_30(&app, &id, "refunds", "refunds").await;
    app.run_last_query(&clock).await;
    app.report_all(&id, &[("refund.succeeded", usd(20, "r_1"))]).await;
    let attempt = app.items(&id, "attempts").await[0]["id"].clone();
    let mut wrong = Vec::new();
    for (outcome, more, field) in [
        ("returned", Value::Null, "outcome"),
        ("allocated", json!({"attempt_id": attempt}), "outcome"),
        ("another", Value::Null, "outcome"),
        ("same_as", json!({"same_as": ours}), "same_as"),
    ] {
        let answer = app.resolve_operation(&id, &ours, outcome, more).await;
        assert_eq!(answer.status, 400);
        let json = answer.json();
        if json["message"] == "there is nothing to resolve about the payment" {
            wrong.push(format!("{outcome} ({field}): {json}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// "No amount means all. The returns of different names add up, to at most what the operation brought; what is beyond that
/// is flagged (`exceeded`)."
#[tokio::test]
async fn returns_after_a_return_of_the_whole_amount_are_flagged() {
    let mut wrong = Vec::new();
    for first in [json!({"gateway_operation_id": "b_1"}), usd(100, "b_1")] {
        let app = App::new();
        let id = app.create_100(CARD).await;
        app.report_all(&id, &[("payment.returned", first.clone()), ("payment.returned", usd(30, "b_2"))])
            .await;
        if app.review(&id).await != json!(["exceeded"]) {
            wrong.push(format!("{first} and 30: {}", app.review(&id).await));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// INVARIANTS 17. An operator decides about an operation only after its lease, by `same_as` too.
#[tokio::test]
async fn same_as_is_refused_during_the_lease_of_the_requested_operation() {
    let app = App::with(|ledger| ledger.with_gateway(Arc::new(Silent::about_refunds().hanging())));
    let id = app.create_100(CARD).await;
    let asking = {
        let (app, path) = (app.clone(), format!("/v1/payments/{id}/refunds"));
        tokio::spawn(async move { app.post(&path, r#"{"amount": 30}"#).await.status })
    };
    while app.items(&id, "refunds").await.is_empty() {
        tokio::task::yield_now().await;
    }
    let ours = app.items(&id, "refunds").await[0]["id"].clone();
    app.report_all(&id, &[("refund.succeeded", usd(20, "r_1")), ("refund.succeeded", usd(30, "r_1"))]).await;
    let external = app.items(&id, "refunds").await.pop().unwrap()["id"].clone();
    let direct = app.resolve_operation(&id, &ours, "succeeded", Value::Null).await;
    assert_eq!(direct.status, 400, "{}", direct.text);
    let answer = app.resolve_operation(&id, &external, "same_as", json!({"same_as": ours})).await;
    asking.abort();
    assert_eq!(answer.status, 400, "{}", answer.text);
}

/// Rule 3: "the amount that was asked for where an amount is reported". Without one a refund may be ours, and is not taken
/// for one of the whole payment.
#[tokio::test]
async fn refund_without_an_amount_may_be_a_stuck_requested_refund() {
    let clock = Arc::new(ManualClock::default());
    let app = App::silent(&clock);
    let id = app.create_100(CARD).await;
    start_30(&app, &id, "refunds", "refunds").await;
    let word = || json!({"gateway_operation_id": "r_1"});
    assert_eq!(
        app.report("n", "refund.succeeded", &id, word()).await.status,
        404,
        "it may be ours, and waits"
    );
    app.run_last_query(&clock).await;
    assert_eq!(app.report("n", "refund.succeeded", &id, word()).await.status, 200);
    assert_eq!(
        (app.amounts(&id).await[2].clone(), app.review(&id).await),
        (json!(0), json!(["exceeded", "unallocated"])),
    );
}

//! Sequences of reports and decisions in several orders, each by a rule of the page on evidence or an invariant.

use std::sync::Arc;
use std::time::Duration;

use counterfoil::account::AccountId;
use counterfoil::command::Policy;
use counterfoil::payment::Destination;
use counterfoil::store::Position;
use counterfoil_testkit::ManualClock;
use serde_json::{Value, json};

use crate::notifications::told;
use crate::silent::Silent;
use crate::support::{Answer, App, CARD, held, scope};

async fn tell(app: &App, name: &str, kind: &str, payment: &str, more: Value) -> Answer {
    app.notify(&told(name, kind, payment, more)).await
}

/// Tells in this order; each must be taken.
async fn tell_all(app: &App, id: &str, words: &[(&str, Value)]) {
    for (place, (kind, more)) in words.iter().enumerate() {
        let answer = tell(app, &format!("{kind} {place} {more}"), kind, id, more.clone()).await;
        assert_eq!(answer.status, 200, "{kind} {more}: {}", answer.text);
    }
}

fn usd(amount: u64, name: &str) -> Value {
    json!({"amount": amount, "currency": "USD", "gateway_operation_id": name})
}

fn with(mut json: Value, field: &str, value: impl Into<Value>) -> Value {
    json[field] = value.into();
    json
}

async fn created(app: &App, body: &str) -> String {
    app.create(body.replace("123", "100")).await.string("/id")
}

/// A payment of 100 that was created at the gateway as `pi_1`.
async fn at_gateway(app: &App) -> String {
    let id = created(app, &crate::support::recorded()).await;
    let named = r#"{"gateway_payment_id": "pi_1", "payment_gateway": "sandbox"}"#;
    assert_eq!(app.put(&format!("/v1/payments/{id}"), named).await.status, 200);
    id
}

async fn payment(app: &App, id: &str) -> Value {
    app.get(&format!("/v1/payments/{id}")).await.json()
}

async fn amounts(app: &App, id: &str) -> Value {
    let payment = payment(app, id).await;
    let fields = ["payment_status", "amount_captured", "amount_refunded", "refundable", "capturable"];
    Value::from(fields.map(|name| payment[name].clone()).to_vec())
}

async fn review(app: &App, id: &str) -> Value {
    payment(app, id).await["review"].clone()
}

async fn items(app: &App, id: &str, list: &str) -> Vec<Value> {
    app.get(&format!("/v1/payments/{id}/{list}")).await.json()["items"].as_array().unwrap().clone()
}

async fn resolve(app: &App, payment: &str, operation: &Value, outcome: &str, more: Value) -> Answer {
    let mut body = json!({"outcome": outcome, "operation_id": operation, "note": "seen at the gateway"});
    if let Value::Object(more) = more {
        body.as_object_mut().unwrap().extend(more);
    }
    app.post(&format!("/v1/payments/{payment}/resolve"), body.to_string()).await
}

async fn decide(app: &App, payment: &str, operation: &Value, outcome: &str, more: Value) {
    let answer = resolve(app, payment, operation, outcome, more).await;
    assert_eq!(answer.status, 200, "{outcome}: {}", answer.text);
}

/// What the events of all payments post to the invoice, in minor units.
async fn posted(app: &App) -> i64 {
    let feed = app.ledger.feed(&scope("acme", "test"), Position::default(), 1_000).await.unwrap();
    let invoice = AccountId::destination(&Destination::invoice("inv_1".parse().unwrap()));
    let postings = feed.entries.iter().flat_map(|item| item.event.postings());
    postings.filter(|posting| posting.account == invoice).map(|posting| posting.minor).sum()
}

fn mute(clock: &Arc<ManualClock>) -> App {
    let policy = Policy::default().with_polls([]);
    App::with(|ledger| {
        let gateway = Arc::new(Silent::about_refunds().and_captures());
        ledger.with_clock(clock.clone()).with_policy(policy).with_gateway(gateway)
    })
}

async fn get_stuck(app: &App, clock: &ManualClock) {
    clock.advance(Duration::from_secs(3_600));
    assert_eq!(app.ledger.run_due(10).await.unwrap().done, 1);
}

/// Starts an operation of 30 that stays nameless, and gives its id.
async fn nameless(app: &App, id: &str, path: &str, list: &str) -> Value {
    let body = if path == "capture" { r#"{"amount": 30, "final": false}"# } else { r#"{"amount": 30}"# };
    let asked = app.post(&format!("/v1/payments/{id}/{path}"), body.to_owned()).await;
    assert!(asked.status < 300, "{}", asked.text);
    items(app, id, list).await.last().unwrap()["id"].clone()
}

/// INVARIANTS 26, 29. The gateway tells of one refund (capture) under its name alone, and with our id too.
#[tokio::test]
async fn one_name_told_with_and_without_our_id_counts_once_in_either_order() {
    let mut wrong = Vec::new();
    for (body, path, list, kind, field) in [
        (CARD.to_owned(), "refunds", "refunds", "refund.succeeded", "refund_id"),
        (held(), "capture", "captures", "capture.succeeded", "capture_id"),
    ] {
        let mut ends = Vec::new();
        for is_ours_first in [true, false] {
            let app = mute(&Arc::new(ManualClock::default()));
            let id = created(&app, &body).await;
            let ours = nameless(&app, &id, path, list).await;
            let mut words = [(kind, with(usd(20, "x_1"), field, ours)), (kind, usd(20, "x_1"))];
            if !is_ours_first {
                words.reverse();
            }
            tell_all(&app, &id, &words).await;
            ends.push(amounts(&app, &id).await);
        }
        if ends[0] != ends[1] {
            wrong.push(format!("{kind}: {} and {}", ends[0], ends[1]));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The same where the name came while ours was stuck: a possible duplicate that our own id settles.
#[tokio::test]
async fn our_own_id_settles_a_possible_duplicate_in_either_order() {
    let mut ends = Vec::new();
    for is_ours_first in [true, false] {
        let clock = Arc::new(ManualClock::default());
        let app = mute(&clock);
        let id = created(&app, CARD).await;
        let ours = nameless(&app, &id, "refunds", "refunds").await;
        get_stuck(&app, &clock).await;
        let kind = "refund.succeeded";
        let mut words = [(kind, with(usd(30, "x_1"), "refund_id", ours)), (kind, usd(30, "x_1"))];
        if !is_ours_first {
            words.reverse();
        }
        tell_all(&app, &id, &words).await;
        ends.push((amounts(&app, &id).await, review(&app, &id).await));
    }
    assert_eq!(ends[0], ends[1]);
}

/// INVARIANTS 26. The parent that is reported for an external void counts, whenever it is reported.
#[tokio::test]
async fn the_parent_of_a_void_counts_whenever_it_is_reported() {
    let mut ends = Vec::new();
    for is_second_hold_first in [true, false] {
        let app = App::new();
        let id = created(&app, &held()).await;
        let hold = ("authorization.succeeded", usd(60, "h_2"));
        let of_second = ("void.succeeded", with(usd(60, "v_1"), "gateway_attempt_id", "h_2"));
        let bare = ("void.succeeded", usd(60, "v_1"));
        let words = if is_second_hold_first { [hold, of_second, bare] } else { [bare, hold, of_second] };
        tell_all(&app, &id, &words).await;
        ends.push(amounts(&app, &id).await);
    }
    assert_eq!(ends[0], ends[1]);
}

/// INVARIANTS 26, 43. A bank return is canceled whichever was reported first, the charge or the return.
#[tokio::test]
async fn a_canceled_return_of_a_captured_charge_counts_nothing_in_any_order() {
    let of_hold = || json!({"gateway_attempt_id": "pi_1"});
    let mut ends = Vec::new();
    for is_charged_first in [true, false] {
        let app = App::new();
        let id = at_gateway(&app).await;
        let charged = ("attempt.succeeded", usd(100, "pi_1"));
        let returned = ("payment.returned", of_hold());
        let mut words = vec![
            ("authorization.succeeded", usd(100, "pi_1")),
            ("capture.succeeded", with(usd(100, "pi_1:capture"), "gateway_attempt_id", "pi_1")),
        ];
        words.extend(if is_charged_first { [charged, returned] } else { [returned, charged] });
        words.push(("payment.return_canceled", of_hold()));
        tell_all(&app, &id, &words).await;
        ends.push(amounts(&app, &id).await);
    }
    assert_eq!(ends[0], ends[1]);
}

/// A capture that was said to be ours is one capture, so a return of its hold is of it.
#[tokio::test]
async fn a_return_finds_the_only_capture_after_same_as() {
    let clock = Arc::new(ManualClock::default());
    let app = mute(&clock);
    let id = created(&app, &held()).await;
    let ours = nameless(&app, &id, "capture", "captures").await;
    get_stuck(&app, &clock).await;
    tell_all(&app, &id, &[("capture.succeeded", usd(30, "c_1"))]).await;
    let external = items(&app, &id, "captures").await.pop().unwrap()["id"].clone();
    decide(&app, &id, &external, "same_as", json!({"same_as": ours})).await;
    assert_eq!(amounts(&app, &id).await, json!(["PARTIALLY_CAPTURED", 30, 0, 30, 70]));
    let hold = items(&app, &id, "attempts").await[0]["id"].clone();
    for (name, of) in [("with a parent", json!({"attempt_id": hold})), ("without", Value::Null)] {
        let mut back = usd(10, &format!("b {name}"));
        back.as_object_mut().unwrap().extend(of.as_object().cloned().unwrap_or_default());
        let answer = tell(&app, name, "payment.returned", &id, back).await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.text);
    }
    assert_eq!(amounts(&app, &id).await[1], 10);
}

/// INVARIANTS 15. A return that was bound to the external capture is no clash once that one is ours.
#[tokio::test]
async fn a_repeated_return_is_no_news_after_same_as() {
    let clock = Arc::new(ManualClock::default());
    let app = mute(&clock);
    let id = created(&app, &held()).await;
    let ours = nameless(&app, &id, "capture", "captures").await;
    get_stuck(&app, &clock).await;
    tell_all(&app, &id, &[("capture.succeeded", usd(30, "c_1")), ("payment.returned", usd(10, "b_1"))]).await;
    let external = items(&app, &id, "captures").await.pop().unwrap()["id"].clone();
    decide(&app, &id, &external, "same_as", json!({"same_as": ours})).await;
    assert_eq!(amounts(&app, &id).await[1], 20);
    let before = review(&app, &id).await;
    let again = tell(&app, "again", "payment.returned", &id, usd(10, "b_1")).await;
    assert_eq!((again.json()["applied"].clone(), review(&app, &id).await), (json!(false), before));
}

/// "A later resolution replaces an earlier one."
#[tokio::test]
async fn same_as_may_be_decided_again_after_another() {
    let clock = Arc::new(ManualClock::default());
    let app = mute(&clock);
    let id = created(&app, CARD).await;
    let ours = nameless(&app, &id, "refunds", "refunds").await;
    get_stuck(&app, &clock).await;
    tell_all(&app, &id, &[("refund.succeeded", usd(30, "r_1"))]).await;
    let external = items(&app, &id, "refunds").await.pop().unwrap()["id"].clone();
    decide(&app, &id, &external, "same_as", json!({"same_as": ours})).await;
    decide(&app, &id, &external, "another", Value::Null).await;
    decide(&app, &id, &external, "same_as", json!({"same_as": ours})).await;
    assert_eq!(amounts(&app, &id).await, json!(["PARTIALLY_REFUNDED", 100, 30, 70, 0]));
}

/// "A later resolution replaces an earlier one": also in how the payment ended.
#[tokio::test]
async fn not_sent_replaces_failed() {
    let unknown = crate::support::card_with("payment_method_id", Some("\"pm_sandbox_timeout_unknown\""));
    let mut ends = Vec::new();
    for decisions in [&["not_sent"][..], &["failed", "not_sent"]] {
        let app = App::beside_doubt();
        let id = created(&app, &unknown).await;
        let attempt = items(&app, &id, "attempts").await[0]["id"].clone();
        for outcome in decisions {
            decide(&app, &id, &attempt, outcome, Value::Null).await;
        }
        ends.push(amounts(&app, &id).await);
    }
    assert_eq!(ends[0], ends[1]);
}

#[tokio::test]
async fn succeeded_replaces_failed() {
    let app = App::new();
    let unknown = crate::support::card_with("payment_method_id", Some("\"pm_sandbox_timeout_unknown\""));
    let id = created(&app, &unknown).await;
    let attempt = items(&app, &id, "attempts").await[0]["id"].clone();
    for outcome in ["failed", "succeeded"] {
        decide(&app, &id, &attempt, outcome, Value::Null).await;
    }
    assert_eq!(review(&app, &id).await, json!(["resolved"]));
}

/// The facts that are known when an operator decides are set aside, a decline among them.
#[tokio::test]
async fn a_decision_about_an_attempt_settles_its_contradiction() {
    let mut wrong = Vec::new();
    for (outcome, status) in [("succeeded", "SUCCEEDED"), ("not_sent", "PENDING")] {
        let app = App::new();
        let pending = crate::support::card_with("payment_method_id", Some("\"pm_sandbox_pending\""));
        let id = created(&app, &pending).await;
        let attempt = items(&app, &id, "attempts").await[0]["id"].clone();
        let named = json!({"attempt_id": attempt});
        tell_all(&app, &id, &[("attempt.failed", named.clone()), ("attempt.succeeded", named)]).await;
        decide(&app, &id, &attempt, outcome, Value::Null).await;
        let stands = (amounts(&app, &id).await[0].clone(), review(&app, &id).await);
        if stands != (json!(status), json!(["resolved"])) {
            wrong.push(format!("{outcome}: {stands:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// INVARIANTS 26. What an operator's words mean of an external attempt does not depend on what was reported of it first.
#[tokio::test]
async fn a_resolved_external_attempt_is_the_same_in_any_order() {
    let mut ends = Vec::new();
    for is_failed_first in [true, false] {
        let app = App::new();
        let id = at_gateway(&app).await;
        let mut words = [("attempt.failed", usd(100, "pi_1")), ("authorization.succeeded", usd(100, "pi_1"))];
        if !is_failed_first {
            words.reverse();
        }
        tell_all(&app, &id, &words).await;
        assert_eq!(amounts(&app, &id).await, json!(["AUTHORIZED", 0, 0, 0, 100]));
        let attempt = items(&app, &id, "attempts").await[0]["id"].clone();
        for outcome in ["not_sent", "succeeded"] {
            decide(&app, &id, &attempt, outcome, Value::Null).await;
        }
        ends.push(amounts(&app, &id).await);
    }
    assert_eq!(ends[0], ends[1]);
}

/// INVARIANTS 3, 7. More went back than there was, by voids: it is flagged, and what is posted is what there is.
#[tokio::test]
async fn more_that_is_voided_than_there_is_is_flagged() {
    let cases: [&[(&str, Value)]; 3] = [
        &[("void.succeeded", usd(100, "v_1")), ("void.succeeded", usd(100, "v_2"))],
        &[("payment.returned", usd(30, "b_1")), ("void.succeeded", usd(100, "v_1"))],
        &[("void.succeeded", usd(130, "v_1"))],
    ];
    let mut wrong = Vec::new();
    for words in cases {
        let app = App::new();
        let id = created(&app, CARD).await;
        tell_all(&app, &id, words).await;
        let (posted, review) = (posted(&app).await, review(&app, &id).await);
        let is_flagged = review.as_array().is_some_and(|review| review.contains(&json!("exceeded")));
        if posted != 0 && !is_flagged {
            wrong.push(format!("{words:?}: {} posted {posted}, {review}", amounts(&app, &id).await));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// INVARIANTS 8. A possible duplicate that bounced frees its amount.
#[tokio::test]
async fn a_possible_duplicate_that_bounced_reserves_nothing() {
    let mut ends = Vec::new();
    for kinds in [&["refund.failed"][..], &["refund.succeeded", "refund.failed"]] {
        let clock = Arc::new(ManualClock::default());
        let app = mute(&clock);
        let id = created(&app, CARD).await;
        nameless(&app, &id, "refunds", "refunds").await;
        get_stuck(&app, &clock).await;
        for kind in kinds {
            tell_all(&app, &id, &[(kind, usd(30, "r_1"))]).await;
        }
        ends.push(amounts(&app, &id).await);
    }
    assert_eq!(ends[0], ends[1]);
}

/// "A fact that is reported for the first time afterwards counts, by precedence, against the resolution, and flags the
/// payment anew."
#[tokio::test]
async fn a_parent_that_is_reported_after_allocation_is_flagged() {
    let app = App::new();
    let id = created(&app, CARD).await;
    tell_all(&app, &id, &[("attempt.succeeded", usd(60, "ch_2")), ("refund.succeeded", usd(30, "r_1"))])
        .await;
    app.post(&format!("/v1/payments/{id}/resolve"), r#"{"outcome": "dismissed", "note": "done"}"#).await;
    let first = items(&app, &id, "attempts").await[0]["id"].clone();
    let refund = items(&app, &id, "refunds").await[0]["id"].clone();
    decide(&app, &id, &refund, "allocated", json!({"attempt_id": first})).await;
    app.post(&format!("/v1/payments/{id}/resolve"), r#"{"outcome": "dismissed", "note": "done"}"#).await;
    let before = review(&app, &id).await;
    let of_second = with(usd(30, "r_1"), "gateway_attempt_id", "ch_2");
    assert_eq!(tell(&app, "late", "refund.succeeded", &id, of_second).await.json()["applied"], true);
    assert_ne!(review(&app, &id).await, before);
}

/// INVARIANTS 2: more than was held, of that hold.
#[tokio::test]
async fn more_captured_of_one_hold_than_it_held_is_flagged() {
    let app = App::new();
    let id = created(&app, &held()).await;
    let words = [
        ("authorization.succeeded", usd(60, "h_2")),
        ("capture.succeeded", with(usd(100, "c_1"), "gateway_attempt_id", "h_2")),
    ];
    tell_all(&app, &id, &words).await;
    let review = review(&app, &id).await;
    assert!(review.as_array().unwrap().contains(&json!("exceeded")), "{review} {}", amounts(&app, &id).await);
}

/// A payment that was opened again is not ended by a word on an earlier attempt.
#[tokio::test]
async fn a_word_on_an_earlier_attempt_does_not_end_a_payment_that_was_opened_again() {
    let app = App::with(|ledger| ledger.with_policy(Policy::default().processing_failed()));
    let pending = crate::support::card_with("payment_method_id", Some("\"pm_sandbox_pending\""));
    let id = created(&app, &pending).await;
    let first = items(&app, &id, "attempts").await[0]["id"].clone();
    let declined = json!({"attempt_id": first, "amount": 90, "currency": "USD"});
    tell_all(&app, &id, &[("attempt.failed", declined)]).await;
    let path = format!("/v1/payments/{id}/process");
    assert_eq!(app.post(&path, r#"{"payment_method_id": "pm_2"}"#).await.status, 200);
    let before = review(&app, &id).await;
    assert_eq!(before, json!(["amount_mismatch"]));
    decide(&app, &id, &first, "failed", Value::Null).await;
    assert_eq!(
        (amounts(&app, &id).await[0].clone(), review(&app, &id).await),
        (json!("SUCCEEDED"), json!(["resolved"]))
    );
}

/// INVARIANTS 3. We voided a charge, and the payer's bank took some of it back as well: 130 of 100 went back.
#[tokio::test]
async fn a_return_of_what_was_voided_here_is_flagged() {
    let app = App::new();
    let id = created(&app, CARD).await;
    assert_eq!(app.post(&format!("/v1/payments/{id}/void"), "{}").await.status, 200);
    assert_eq!(amounts(&app, &id).await[0], "VOIDED");
    tell_all(&app, &id, &[("payment.returned", usd(30, "b_1"))]).await;
    assert_eq!((posted(&app).await, review(&app, &id).await), (-3_000, json!(["exceeded"])));
}

/// A gateway gave back more than it had withdrawn: the books have 200 of a payment of 100, and nobody is told.
#[tokio::test]
async fn more_reinstated_than_withdrawn_is_flagged() {
    let app = App::new();
    let id = created(&app, CARD).await;
    let funds = |kind, name| (kind, with(usd(100, name), "dispute_id", "dp_1"));
    tell_all(
        &app,
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
    let stands = (posted(&app).await, payment(&app, &id).await["amount_captured"].clone());
    assert!(review(&app, &id).await.is_array(), "unflagged: posted and captured are {stands:?}");
}

/// INVARIANTS 44. What an operator says of a charge that nobody here made is no word on the schedule of ours.
#[tokio::test]
async fn a_word_on_an_external_attempt_leaves_the_schedule() {
    let days = [1, 3].map(|days| Duration::from_secs(days * 86_400));
    let schedule = counterfoil::payment::RetrySchedule::new(days).unwrap();
    let mut wrong = Vec::new();
    for outcome in ["failed", "not_sent"] {
        let app = App::with(|ledger| ledger.with_policy(Policy::default().with_retries(schedule.clone())));
        let declined = crate::support::card_with("payment_method_id", Some("\"pm_sandbox_decline\""));
        let id = created(&app, &declined).await;
        let stands = |payment: Value| (payment["payment_status"].clone(), payment["next_attempt_at"].clone());
        let before = stands(payment(&app, &id).await);
        assert_eq!(before.0, "PENDING");
        tell_all(&app, &id, &[("attempt.succeeded", usd(60, "ch_2"))]).await;
        assert_eq!(amounts(&app, &id).await[1], 60);
        let external = items(&app, &id, "attempts").await.pop().unwrap()["id"].clone();
        decide(&app, &id, &external, outcome, Value::Null).await;
        let after = stands(payment(&app, &id).await);
        if after != before {
            wrong.push(format!("{outcome}: {before:?}, then {after:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// "No key guards it, and none is needed": a decision that is said again changes nothing.
#[tokio::test]
async fn same_as_that_is_said_again_changes_nothing() {
    let clock = Arc::new(ManualClock::default());
    let app = mute(&clock);
    let id = created(&app, CARD).await;
    let ours = nameless(&app, &id, "refunds", "refunds").await;
    get_stuck(&app, &clock).await;
    tell_all(&app, &id, &[("refund.succeeded", usd(30, "r_1"))]).await;
    let external = items(&app, &id, "refunds").await.pop().unwrap()["id"].clone();
    for _ in 0..2 {
        decide(&app, &id, &external, "same_as", json!({"same_as": ours})).await;
    }
}

/// An operator's word on what became of a refund that was said to be ours has an effect, or is refused.
#[tokio::test]
async fn a_word_on_what_is_ours_is_not_ignored() {
    let clock = Arc::new(ManualClock::default());
    let app = mute(&clock);
    let id = created(&app, CARD).await;
    let ours = nameless(&app, &id, "refunds", "refunds").await;
    get_stuck(&app, &clock).await;
    tell_all(&app, &id, &[("refund.succeeded", usd(30, "r_1"))]).await;
    let external = items(&app, &id, "refunds").await.pop().unwrap()["id"].clone();
    decide(&app, &id, &external, "same_as", json!({"same_as": ours})).await;
    let answer = resolve(&app, &id, &external, "failed", Value::Null).await;
    let refunded = amounts(&app, &id).await[2].clone();
    assert!(answer.status != 200 || refunded == 0, "{} and {refunded} refunded", answer.status);
}

/// The list of refunds tells which of them count: those that succeeded come to what was refunded.
#[tokio::test]
async fn the_listed_refunds_come_to_what_was_refunded() {
    let clock = Arc::new(ManualClock::default());
    let app = mute(&clock);
    let id = created(&app, CARD).await;
    let ours = nameless(&app, &id, "refunds", "refunds").await;
    get_stuck(&app, &clock).await;
    tell_all(&app, &id, &[("refund.succeeded", usd(30, "r_1"))]).await;
    let external = items(&app, &id, "refunds").await.pop().unwrap()["id"].clone();
    decide(&app, &id, &external, "same_as", json!({"same_as": ours})).await;
    let refunds = items(&app, &id, "refunds").await;
    let counts = |refund: &&Value| refund["refund_status"] == "SUCCEEDED" && refund["same_as"].is_null();
    assert_eq!(refunds[1]["same_as"], ours);
    let done = refunds.iter().filter(counts);
    let sum: u64 = done.map(|refund| refund["amount"].as_u64().unwrap()).sum();
    assert_eq!(json!(sum), amounts(&app, &id).await[2], "{refunds:#?}");
}

/// INVARIANTS 2, 28. What is captured of a hold that the clock has released is late, and flagged.
#[tokio::test]
async fn a_capture_after_the_hold_expired_is_flagged() {
    use counterfoil::clock::Clock;
    let clock = Arc::new(ManualClock::default());
    let app = App::with(|ledger| ledger.with_clock(clock.clone()));
    let mut body: Value = serde_json::from_str(&held()).unwrap();
    body["expires_at"] = clock.now().saturating_add(Duration::from_secs(3_600)).to_string().into();
    let id = created(&app, &body.to_string()).await;
    clock.advance(Duration::from_secs(3_601));
    assert_eq!(app.ledger.run_due(10).await.unwrap().done, 1);
    assert_eq!(amounts(&app, &id).await[0], "VOIDED");
    tell_all(&app, &id, &[("capture.succeeded", usd(60, "c_1"))]).await;
    assert_eq!(amounts(&app, &id).await[1], 60);
    assert!(review(&app, &id).await.is_array(), "{}", payment(&app, &id).await);
}

/// A decision that does not fit says what does not fit, not that there is nothing to resolve.
#[tokio::test]
async fn a_decision_that_does_not_fit_says_why() {
    let clock = Arc::new(ManualClock::default());
    let app = mute(&clock);
    let id = created(&app, CARD).await;
    let ours = nameless(&app, &id, "refunds", "refunds").await;
    get_stuck(&app, &clock).await;
    tell_all(&app, &id, &[("refund.succeeded", usd(20, "r_1"))]).await;
    let attempt = items(&app, &id, "attempts").await[0]["id"].clone();
    let mut wrong = Vec::new();
    for (outcome, more, field) in [
        ("returned", Value::Null, "outcome"),
        ("allocated", json!({"attempt_id": attempt}), "outcome"),
        ("another", Value::Null, "outcome"),
        ("same_as", json!({"same_as": ours}), "same_as"),
    ] {
        let answer = resolve(&app, &id, &ours, outcome, more).await;
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
async fn returns_beyond_a_return_of_all_are_flagged() {
    let mut wrong = Vec::new();
    for first in [json!({"gateway_operation_id": "b_1"}), usd(100, "b_1")] {
        let app = App::new();
        let id = created(&app, CARD).await;
        tell_all(&app, &id, &[("payment.returned", first.clone()), ("payment.returned", usd(30, "b_2"))])
            .await;
        if review(&app, &id).await != json!(["exceeded"]) {
            wrong.push(format!("{first} and 30: {}", review(&app, &id).await));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// INVARIANTS 17. An operator decides about an operation only after its lease, by `same_as` too.
#[tokio::test]
async fn same_as_waits_for_the_lease_of_what_was_requested() {
    let app = App::with(|ledger| ledger.with_gateway(Arc::new(Silent::about_refunds().hanging())));
    let id = created(&app, CARD).await;
    let asking = {
        let (app, path) = (app.clone(), format!("/v1/payments/{id}/refunds"));
        tokio::spawn(async move { app.post(&path, r#"{"amount": 30}"#).await.status })
    };
    while items(&app, &id, "refunds").await.is_empty() {
        tokio::task::yield_now().await;
    }
    let ours = items(&app, &id, "refunds").await[0]["id"].clone();
    tell_all(&app, &id, &[("refund.succeeded", usd(20, "r_1")), ("refund.succeeded", usd(30, "r_1"))]).await;
    let external = items(&app, &id, "refunds").await.pop().unwrap()["id"].clone();
    let direct = resolve(&app, &id, &ours, "succeeded", Value::Null).await;
    assert_eq!(direct.status, 400, "{}", direct.text);
    let answer = resolve(&app, &id, &external, "same_as", json!({"same_as": ours})).await;
    asking.abort();
    assert_eq!(answer.status, 400, "{}", answer.text);
}

/// Rule 3: "the amount that was asked for where an amount is reported". Without one a refund may be ours, and is not taken
/// for one of the whole payment.
#[tokio::test]
async fn a_refund_without_an_amount_may_be_ours_that_is_stuck() {
    let clock = Arc::new(ManualClock::default());
    let app = mute(&clock);
    let id = created(&app, CARD).await;
    nameless(&app, &id, "refunds", "refunds").await;
    let word = || json!({"gateway_operation_id": "r_1"});
    assert_eq!(
        tell(&app, "n", "refund.succeeded", &id, word()).await.status,
        404,
        "it may be ours, and waits"
    );
    get_stuck(&app, &clock).await;
    assert_eq!(tell(&app, "n", "refund.succeeded", &id, word()).await.status, 200);
    assert_eq!(
        (amounts(&app, &id).await[2].clone(), review(&app, &id).await),
        (json!(0), json!(["exceeded", "unallocated"])),
    );
}

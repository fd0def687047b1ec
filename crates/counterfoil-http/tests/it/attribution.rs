//! Attribution: the payment and operation that a notification is about, and the operator's decisions about that.

use std::sync::Arc;
use std::time::Duration;

use axum::http::Method;
use counterfoil::clock::Clock;
use counterfoil_testkit::ManualClock;
use serde_json::{Value, json};

use crate::support::{App, CARD, GLOBEX, held, request, unknown_name, usd, with, with_instrument};

/// Creates a payment with two holds at the gateway, of 100 and, as `h_2`, of 60. Returns its id and those of the holds.
async fn with_two_holds(app: &App, body: &str) -> (String, Vec<Value>) {
    let id = app.create_100(body).await;
    assert!(app.is_applied("hold", "authorization.succeeded", &id, usd(60, "h_2")).await);
    let holds = app.items(&id, "attempts").await.iter().map(|hold| hold["id"].clone()).collect();
    (id, holds)
}

#[tokio::test]
async fn captures_refunds_and_returns_need_a_gateway_id() {
    let app = App::beside_doubt();
    let id = app.create_100(&held()).await;
    let before = app.books().await;
    let nameless =
        json!({"amount": 30, "currency": "USD", "attempt_id": app.payment(&id).await["attempts"][0]["id"]});
    for kind in
        ["capture.succeeded", "capture.failed", "refund.succeeded", "refund.failed", "payment.returned"]
    {
        let answer = app.report("n", kind, &id, nameless.clone()).await;
        let details = answer.details_of("validation_error", 400);
        assert_eq!(details, json!({"field": "gateway_operation_id"}), "{kind}");
    }
    assert_eq!(app.books().await, before);
    // The notification id that was refused is free.
    assert!(app.is_applied("n", "capture.succeeded", &id, usd(30, "c_1")).await);
    assert!(app.is_applied("m", "refund.succeeded", &id, usd(10, "r_1")).await);
    assert!(app.is_applied("o", "payment.returned", &id, usd(5, "b_1")).await);
    assert_eq!(app.amounts(&id).await, json!(["PARTIALLY_REFUNDED", 25, 10, 15, 70]));
    // A return of the whole amount needs no gateway id.
    assert!(app.is_applied("p", "payment.returned", &id, Value::Null).await);
    assert_eq!(app.amounts(&id).await[1], 0);
    app.books().await;
}

#[tokio::test]
async fn our_own_id_replaces_the_gateways_id() {
    let app = App::beside_doubt();
    for (body, instrument, path, list, field, kind) in [
        (held(), "pm_sandbox_capture_timeout", "capture", "captures", "capture_id", "capture.succeeded"),
        (CARD.to_owned(), "pm_sandbox_refund_timeout", "refunds", "refunds", "refund_id", "refund.succeeded"),
    ] {
        let id = app.create_100(&with_instrument(&body, instrument)).await;
        let open = app.start(&id, path, list, r#"{"amount": 30}"#).await;
        let ours = json!({"amount": 30, "currency": "USD", field: open});
        assert!(app.is_applied(kind, kind, &id, ours).await);
        assert!(!app.is_in_review(&id, "unallocated").await);
        assert_eq!(app.items(&id, list).await.len(), 1, "it is that one");
    }
    app.books().await;
}

/// An id of another payment, of another tenant and of nothing get the same answer. Neither payment changes.
#[tokio::test]
async fn an_id_that_is_no_operation_of_the_payment_is_unknown() {
    let app = App::beside_doubt();
    let card = || CARD.to_owned();
    let kinds = [
        (card(), "pm_sandbox_pending", "", "attempts", "attempt_id", "attempt.succeeded"),
        (held(), "pm_sandbox_capture_timeout", "capture", "captures", "capture_id", "capture.succeeded"),
        (card(), "pm_sandbox_refund_timeout", "refunds", "refunds", "refund_id", "refund.succeeded"),
        (held(), "pm_sandbox_void_timeout", "void", "voids", "void_id", "void.succeeded"),
    ];
    for (body, instrument, path, list, field, kind) in kinds {
        let body = with_instrument(&body, instrument);
        let (mut ids, mut operations) = (Vec::new(), Vec::new());
        for _ in 0..2 {
            let id = app.create_100(&body).await;
            operations.push(match path {
                "" => app.items(&id, list).await[0]["id"].clone(),
                path => app.start(&id, path, list, "{}").await,
            });
            ids.push(id);
        }
        let foreign = foreign_operation(&app, &body, path, list).await;
        let before = app.books().await;
        let mut answers = Vec::new();
        let nothing = json!(format!(
            "{}_00000000000000000000000007",
            foreign.as_str().unwrap().split('_').next().unwrap()
        ));
        for unknown in [&operations[1], &foreign, &nothing] {
            let named = json!({field: unknown, "gateway_operation_id": format!("{field}_x")});
            let answer = app.report("n", kind, &ids[0], named).await;
            assert_eq!(answer.details_of("not_found", 404), unknown_name(field), "{kind}");
            answers.push(answer.text);
        }
        answers.dedup();
        assert_eq!(answers.len(), 1, "they are answered alike");
        assert_eq!(app.books().await, before, "{kind}");
        let own = json!({field: operations[0], "gateway_operation_id": format!("{field}_x")});
        assert!(app.is_applied(kind, kind, &ids[0], own).await);
        app.books().await;
    }
}

/// Starts an operation of another tenant, and returns its id.
async fn foreign_operation(app: &App, body: &str, path: &str, list: &str) -> Value {
    let ask = |method, path: String, body: String| app.send(request(method, &path, GLOBEX, body));
    let id = ask(Method::POST, "/v1/payments".to_owned(), body.to_owned()).await.string("/id");
    if !path.is_empty() {
        ask(Method::POST, format!("/v1/payments/{id}/{path}"), "{}".to_owned()).await;
    }
    let found = ask(Method::GET, format!("/v1/payments/{id}/{list}"), String::new()).await;
    found.string("/items/0/id").into()
}

/// A reported parent must be an attempt of the payment at that gateway.
#[tokio::test]
async fn a_parent_of_another_payment_is_unknown() {
    let app = App::beside_doubt();
    let (id, _) = with_two_holds(&app, &held()).await;
    let other = app.create_100(CARD).await;
    let attempt = app.items(&other, "attempts").await[0].clone();
    let before = app.books().await;
    let parents = [("attempt_id", "id"), ("gateway_attempt_id", "gateway_attempt_id")];
    for kind in ["capture.succeeded", "refund.succeeded", "void.succeeded", "payment.returned"] {
        for (field, of) in parents {
            let named = with(usd(30, "x_1"), field, attempt[of].as_str().unwrap());
            let answer = app.report("n", kind, &id, named).await;
            let reason = match field {
                "attempt_id" => unknown_name(field),
                _ => json!({"reason": "conflicting_names"}),
            };
            assert_eq!(answer.details_of("not_found", 404), reason, "{kind}");
        }
        let unknown = with(usd(30, "x_1"), "gateway_attempt_id", "h_7");
        let answer = app.report("n", kind, &id, unknown).await;
        assert_eq!(answer.details_of("not_found", 404), unknown_name("gateway_attempt_id"), "{kind}");
    }
    assert_eq!(app.books().await, before);
}

#[tokio::test]
async fn capture_and_refund_without_a_parent_belong_to_the_only_attempt() {
    let app = App::beside_doubt();
    let id = app.create_100(&held()).await;
    let attempt = app.payment(&id).await["attempts"][0]["id"].clone();
    assert!(app.is_applied("n", "capture.succeeded", &id, usd(60, "c_1")).await);
    assert!(app.is_applied("m", "refund.succeeded", &id, usd(20, "r_1")).await);
    assert_eq!(app.items(&id, "captures").await[0]["attempt_id"], attempt);
    let stored =
        app.ledger.payment(&crate::support::scope("acme", "test"), id.parse().unwrap()).await.unwrap();
    let refund = stored.unwrap().refunds().next().unwrap().parent();
    assert_eq!(json!(refund.unwrap().to_string()), attempt);
    assert_eq!(app.payment(&id).await.get("review"), None);
    assert_eq!(app.amounts(&id).await, json!(["PARTIALLY_REFUNDED", 60, 20, 40, 40]));
    app.books().await;
}

#[tokio::test]
async fn capture_is_unallocated_among_several_attempts_until_an_operator_allocates_it() {
    let clock = Arc::new(ManualClock::default());
    let app = App::with(|ledger| ledger.with_clock(clock.clone()));
    let end = clock.now().saturating_add(Duration::from_secs(3_600));
    let mut body: Value = serde_json::from_str(&held()).unwrap();
    body["expires_at"] = end.to_string().into();
    let (id, holds) = with_two_holds(&app, &body.to_string()).await;
    assert!(app.is_applied("n", "capture.succeeded", &id, usd(60, "c_1")).await);
    let capture = app.items(&id, "captures").await[0].clone();
    assert_eq!(capture.get("attempt_id"), None);
    assert!(app.is_in_review(&id, "unallocated").await);
    assert_eq!(paid(&app).await, 60, "it counts");
    // It takes from every hold: 40 of the one is left, and nothing of the other.
    assert_eq!(app.amounts(&id).await, json!(["PARTIALLY_CAPTURED", 60, 0, 60, 40]));

    clock.advance(Duration::from_secs(3_601));
    assert_eq!(app.ledger.run_due(10).await.unwrap().done, 1);
    let expired = app.items(&id, "events").await.pop().unwrap();
    assert_eq!(expired["data"]["releases"], json!([holds[0]]), "the other is taken whole");
    assert_eq!(app.amounts(&id).await, json!(["SUCCEEDED", 60, 0, 60, 0]));
    assert!(app.is_in_review(&id, "unallocated").await);

    app.decide(&id, &capture["id"], "allocated", json!({"attempt_id": holds[1]})).await;
    assert_eq!(app.items(&id, "captures").await[0]["attempt_id"], holds[1]);
    assert!(!app.is_in_review(&id, "unallocated").await);
    assert_eq!((app.amounts(&id).await, paid(&app).await), (json!(["SUCCEEDED", 60, 0, 60, 0]), json!(60)));
    assert!(!app.is_applied("again", "capture.succeeded", &id, usd(60, "c_1")).await);
    app.books().await;
}

/// The amount paid for the invoice.
async fn paid(app: &App) -> Value {
    app.get("/v1/destinations/INVOICE/inv_1").await.json()["paid"].clone()
}

#[tokio::test]
async fn operator_allocates_a_refund_without_a_parent() {
    let app = App::new();
    let id = app.create_100(CARD).await;
    assert!(app.is_applied("late", "attempt.succeeded", &id, usd(60, "ch_2")).await);
    let charges = app.items(&id, "attempts").await;
    assert!(app.is_applied("n", "refund.succeeded", &id, usd(30, "r_1")).await);
    assert!(app.is_in_review(&id, "unallocated").await);
    assert_eq!(app.amounts(&id).await, json!(["PARTIALLY_REFUNDED", 160, 30, 130, 0]));
    let refund = app.items(&id, "refunds").await[0]["id"].clone();
    app.decide(&id, &refund, "allocated", json!({"attempt_id": charges[1]["id"]})).await;
    assert!(!app.is_in_review(&id, "unallocated").await);
    assert_eq!(app.amounts(&id).await, json!(["PARTIALLY_REFUNDED", 160, 30, 130, 0]));
    app.books().await;
}

#[tokio::test]
async fn gateway_attempt_id_names_the_parent() {
    let app = App::new();
    let (id, holds) = with_two_holds(&app, &held()).await;
    let of_second = with(usd(30, "c_1"), "gateway_attempt_id", "h_2");
    assert!(app.is_applied("n", "capture.succeeded", &id, of_second).await);
    assert_eq!(app.items(&id, "captures").await[0]["attempt_id"], holds[1]);
    assert!(!app.is_in_review(&id, "unallocated").await);
    // The first hold is whole, and is released alone.
    assert_eq!(app.amounts(&id).await, json!(["PARTIALLY_CAPTURED", 30, 0, 30, 100]));
    let void = with(usd(30, "v_1"), "gateway_attempt_id", "h_2");
    assert!(app.is_applied("m", "void.succeeded", &id, void).await);
    assert_eq!(app.amounts(&id).await, json!(["PARTIALLY_CAPTURED", 30, 0, 30, 100]));
    let nameless = json!({"amount": 30, "currency": "USD", "gateway_operation_id": "v_2"});
    let answer = app.report("o", "void.succeeded", &id, nameless).await;
    let several = json!({"reason": "several_meant"});
    assert_eq!(answer.details_of("not_found", 404), several, "of two attempts it must name its own");
    app.books().await;
}

/// Creates a payment of 100 USD with an open refund of 30 that has no gateway id. Returns the ids of both.
async fn with_nameless_refund(app: &App) -> (String, Value) {
    let id = app.create_100(CARD).await;
    let refund = app.start(&id, "refunds", "refunds", r#"{"amount": 30}"#).await;
    (id, refund)
}

#[tokio::test]
async fn refund_with_an_unknown_id_is_refused_while_a_requested_refund_is_open() {
    let clock = Arc::new(ManualClock::default());
    let app = App::silent(&clock);
    let (id, refund) = with_nameless_refund(&app).await;
    let reported = || usd(30, "re_1");
    let before = app.books().await;
    let early = app.report("n", "refund.succeeded", &id, reported()).await;
    assert_eq!(early.details_of("not_found", 404), json!({"reason": "may_be_ours"}));
    assert_eq!(app.books().await, before);
    // A refund of another amount is another refund.
    assert!(app.is_applied("m", "refund.succeeded", &id, usd(20, "re_2")).await);
    assert_eq!(app.amounts(&id).await, json!(["PARTIALLY_REFUNDED", 100, 20, 50, 0]));

    app.run_last_query(&clock).await;
    assert!(app.is_applied("n", "refund.succeeded", &id, reported()).await, "the gateway repeats it");
    assert!(app.is_in_review(&id, "unallocated").await);
    assert_eq!(app.amounts(&id).await, json!(["PARTIALLY_REFUNDED", 100, 20, 20, 0]), "reserved");

    let external = app.items(&id, "refunds").await.pop().unwrap()["id"].clone();
    app.decide(&id, &external, "same_as", json!({"same_as": refund})).await;
    let ours = app.items(&id, "refunds").await[0].clone();
    assert_eq!([&ours["refund_status"], &ours["gateway_refund_id"]], [&json!("SUCCEEDED"), &json!("re_1")]);
    assert_eq!(app.amounts(&id).await, json!(["PARTIALLY_REFUNDED", 100, 50, 50, 0]));
    assert!(!app.is_in_review(&id, "unallocated").await);
    // The gateway id is bound: a repetition changes nothing, and a later failure is one of the requested refund.
    assert!(!app.is_applied("again", "refund.succeeded", &id, reported()).await);
    assert!(app.is_applied("o", "refund.failed", &id, json!({"gateway_operation_id": "re_1"})).await);
    assert_eq!(app.items(&id, "refunds").await[0]["refund_status"], "FAILED");
    assert_eq!(app.amounts(&id).await, json!(["PARTIALLY_REFUNDED", 100, 20, 80, 0]));
    app.books().await;
}

#[tokio::test]
async fn refund_decided_to_be_another_one_counts_beside_the_requested_one() {
    let clock = Arc::new(ManualClock::default());
    let app = App::silent(&clock);
    let (id, _) = with_nameless_refund(&app).await;
    app.run_last_query(&clock).await;
    assert!(app.is_applied("n", "refund.succeeded", &id, usd(30, "re_1")).await);
    assert_eq!(app.amounts(&id).await, json!(["SUCCEEDED", 100, 0, 40, 0]));
    let external = app.items(&id, "refunds").await.pop().unwrap()["id"].clone();
    app.decide(&id, &external, "another", Value::Null).await;
    assert_eq!(app.amounts(&id).await, json!(["PARTIALLY_REFUNDED", 100, 30, 40, 0]));
    assert!(!app.is_in_review(&id, "unallocated").await);
    assert!(!app.is_applied("again", "refund.succeeded", &id, usd(30, "re_1")).await);
    app.books().await;
}

/// Neither decision undoes the other.
#[tokio::test]
async fn another_and_allocated_are_decided_independently() {
    for is_allocated_first in [true, false] {
        let clock = Arc::new(ManualClock::default());
        let app = App::silent(&clock);
        let (id, _) = with_nameless_refund(&app).await;
        app.run_last_query(&clock).await;
        assert!(app.is_applied("late", "attempt.succeeded", &id, usd(60, "ch_2")).await);
        assert!(app.is_applied("n", "refund.succeeded", &id, usd(30, "re_1")).await);
        let external = app.items(&id, "refunds").await.pop().unwrap()["id"].clone();
        let first = app.items(&id, "attempts").await[0]["id"].clone();
        let mut decisions = [("allocated", json!({"attempt_id": first})), ("another", Value::Null)];
        if !is_allocated_first {
            decisions.reverse();
        }
        for (outcome, more) in decisions {
            assert!(app.is_in_review(&id, "unallocated").await);
            app.decide(&id, &external, outcome, more).await;
        }
        assert!(!app.is_in_review(&id, "unallocated").await, "allocated first: {is_allocated_first}");
        assert_eq!(app.amounts(&id).await, json!(["PARTIALLY_REFUNDED", 160, 30, 100, 0]));
        app.books().await;
    }
}

#[tokio::test]
async fn operator_corrects_same_as_to_another() {
    let clock = Arc::new(ManualClock::default());
    let app = App::silent(&clock);
    let (id, ours) = with_nameless_refund(&app).await;
    app.run_last_query(&clock).await;
    assert!(app.is_applied("n", "refund.succeeded", &id, usd(30, "re_1")).await);
    let external = app.items(&id, "refunds").await.pop().unwrap()["id"].clone();
    app.decide(&id, &external, "same_as", json!({"same_as": ours})).await;
    assert_eq!(app.amounts(&id).await, json!(["PARTIALLY_REFUNDED", 100, 30, 70, 0]));
    app.decide(&id, &external, "another", Value::Null).await;
    app.decide(&id, &ours, "not_sent", Value::Null).await;
    assert_eq!(app.amounts(&id).await, json!(["PARTIALLY_REFUNDED", 100, 30, 70, 0]));
    app.books().await;
}

/// A requested refund ended without a gateway id. If it succeeded, an id that is reported later may be its own.
#[tokio::test]
async fn refund_with_an_unknown_id_is_unallocated_beside_a_succeeded_refund_without_one() {
    for (outcome, is_unallocated, after) in [
        ("succeeded", true, json!(["PARTIALLY_REFUNDED", 100, 30, 40, 0])),
        ("failed", false, json!(["PARTIALLY_REFUNDED", 100, 30, 70, 0])),
        ("not_sent", false, json!(["PARTIALLY_REFUNDED", 100, 30, 70, 0])),
    ] {
        let clock = Arc::new(ManualClock::default());
        let app = App::silent(&clock);
        let (id, refund) = with_nameless_refund(&app).await;
        app.run_last_query(&clock).await;
        app.decide(&id, &refund, outcome, Value::Null).await;
        assert!(app.is_applied("n", "refund.succeeded", &id, usd(30, "re_1")).await);
        assert_eq!(app.is_in_review(&id, "unallocated").await, is_unallocated, "{outcome}");
        assert_eq!(app.amounts(&id).await, after, "{outcome}");
        app.books().await;
    }
}

#[tokio::test]
async fn returns_add_up_by_id_and_are_canceled_by_id() {
    let app = App::new();
    let id = app.create_100(CARD).await;
    let status = || async { app.items(&id, "attempts").await[0]["payment_status"].clone() };
    let back = |amount, name| usd(amount, name);
    let steps = [
        ("payment.returned", back(30, "b_1"), true, json!(["SUCCEEDED", 70, 0, 70, 0]), "SUCCEEDED"),
        ("payment.returned", back(40, "b_1"), true, json!(["SUCCEEDED", 60, 0, 60, 0]), "SUCCEEDED"),
        ("payment.returned", back(20, "b_1"), false, json!(["SUCCEEDED", 60, 0, 60, 0]), "SUCCEEDED"),
        ("payment.returned", back(60, "b_2"), true, json!(["FAILED", 0, 0, 0, 0]), "REVERSED"),
        (
            "payment.return_canceled",
            json!({"gateway_operation_id": "b_2"}),
            true,
            json!(["SUCCEEDED", 60, 0, 60, 0]),
            "SUCCEEDED",
        ),
    ];
    for (place, (kind, more, news, after, attempt)) in steps.into_iter().enumerate() {
        assert_eq!(app.is_applied(&format!("n_{place}"), kind, &id, more).await, news, "step {place}");
        assert_eq!(app.amounts(&id).await, after, "step {place}");
        assert_eq!(status().await, attempt, "step {place}");
        app.books().await;
    }
    let unknown = json!({"gateway_operation_id": "b_3"});
    let answer = app.report("n", "payment.return_canceled", &id, unknown).await;
    assert_eq!(answer.details_of("not_found", 404), unknown_name("gateway_operation_id"));
    assert!(!app.is_in_review(&id, "exceeded").await);
    // 60 are left, and 70 went back.
    assert!(app.is_applied("m", "payment.returned", &id, usd(70, "b_4")).await);
    assert_eq!(app.amounts(&id).await, json!(["FAILED", 0, 0, 0, 0]));
    assert!(app.is_in_review(&id, "exceeded").await);
    app.books().await;
}

#[tokio::test]
async fn refund_that_failed_and_succeeded_counts_nothing_in_either_order() {
    for order in [["refund.failed", "refund.succeeded"], ["refund.succeeded", "refund.failed"]] {
        let app = App::new();
        let id = app.create_100(CARD).await;
        for kind in order {
            assert!(app.is_applied(kind, kind, &id, usd(5, "r_1")).await);
        }
        let refund = app.items(&id, "refunds").await[0].clone();
        assert_eq!([&refund["refund_status"], &refund["amount"]], [&json!("FAILED"), &json!(5)], "{order:?}");
        assert_eq!(app.amounts(&id).await, json!(["SUCCEEDED", 100, 0, 100, 0]), "{order:?}");
        assert_eq!(app.review(&id).await, json!(["refund_bounced"]), "{order:?}");
        app.books().await;
    }
}

/// Creates a payment of 100 USD whose capture of 60 was reported as failed and as succeeded. Returns the ids of both.
async fn contradicted(app: &App) -> (String, Value) {
    let id = app.create_100(&with_instrument(&held(), "pm_sandbox_capture_timeout")).await;
    let capture = app.start(&id, "capture", "captures", r#"{"amount": 60, "final": false}"#).await;
    for kind in ["capture.failed", "capture.succeeded"] {
        let ours = json!({"capture_id": capture, "gateway_operation_id": "c_1"});
        assert!(app.is_applied(kind, kind, &id, ours).await);
    }
    assert!(app.is_in_review(&id, "contradiction").await);
    assert_eq!(app.amounts(&id).await, json!(["PARTIALLY_CAPTURED", 60, 0, 60, 40]));
    assert_eq!(paid(app).await, 60);
    (id, capture)
}

#[tokio::test]
async fn operator_overrides_a_contradicted_capture_repeatedly() {
    let app = App::new();
    let (id, capture) = contradicted(&app).await;
    let decisions = [
        ("failed", Value::Null, json!(["AUTHORIZED", 0, 0, 0, 100]), 0),
        ("succeeded", json!({"amount": 50}), json!(["PARTIALLY_CAPTURED", 50, 0, 50, 50]), 50),
        ("returned", json!({"amount": 20}), json!(["PARTIALLY_CAPTURED", 30, 0, 30, 50]), 30),
        ("succeeded", Value::Null, json!(["PARTIALLY_CAPTURED", 60, 0, 60, 40]), 60),
    ];
    for (outcome, more, after, posted) in decisions {
        app.decide(&id, &capture, outcome, more).await;
        assert_eq!(app.amounts(&id).await, after, "{outcome}");
        assert_eq!(paid(&app).await, posted, "{outcome}");
        assert!(app.is_in_review(&id, "resolved").await);
        assert!(!app.is_in_review(&id, "contradiction").await, "it is settled");
        app.books().await;
    }
}

/// A decision about an operation that was reported as succeeded and as failed overrides the precedence of reports.
#[tokio::test]
async fn operator_overrides_attempts_refunds_and_voids() {
    let app = App::beside_doubt();
    let card = || CARD.to_owned();
    let cases = [
        (card(), "pm_sandbox_pending", "attempts", "attempt", "failed", json!(["FAILED", 0, 0, 0, 0])),
        (card(), "pm_sandbox_pending", "attempts", "attempt", "returned", json!(["FAILED", 0, 0, 0, 0])),
        (card(), "pm_1", "refunds", "refund", "succeeded", json!(["REFUNDED", 100, 100, 0, 0])),
        (held(), "pm_sandbox_void_timeout", "voids", "void", "failed", json!(["AUTHORIZED", 0, 0, 0, 100])),
    ];
    for (place, (body, instrument, list, kind, outcome, after)) in cases.into_iter().enumerate() {
        let id = app.create_100(&with_instrument(&body, instrument)).await;
        if kind == "void" {
            app.start(&id, "void", "voids", "{}").await;
        }
        let attempt = app.items(&id, "attempts").await[0]["id"].clone();
        for end in ["failed", "succeeded"] {
            let (name, type_) = (format!("{place} {end}"), format!("{kind}.{end}"));
            let more = match kind {
                "attempt" => json!({"attempt_id": attempt}),
                _ => usd(100, &format!("own_{place}")),
            };
            assert!(app.is_applied(&name, &type_, &id, more).await, "{type_}");
        }
        let contradicted = app.amounts(&id).await;
        let operation = app.items(&id, list).await[0]["id"].clone();
        app.decide(&id, &operation, outcome, Value::Null).await;
        assert_ne!(contradicted, after, "{kind} {outcome}");
        assert_eq!(app.amounts(&id).await, after, "{kind} {outcome}");
        app.books().await;
    }
}

#[tokio::test]
async fn report_after_a_decision_counts_if_it_is_new() {
    let app = App::new();
    let (id, capture) = contradicted(&app).await;
    app.decide(&id, &capture, "failed", Value::Null).await;
    app.dismiss(&id).await;
    assert_eq!(app.payment(&id).await.get("review"), None);
    let before = app.books().await;
    // Both were known when the operator decided.
    for kind in ["capture.failed", "capture.succeeded"] {
        let ours = json!({"capture_id": capture, "gateway_operation_id": "c_1"});
        assert!(!app.is_applied(&format!("{kind} again"), kind, &id, ours).await);
    }
    assert_eq!((app.books().await, app.payment(&id).await.get("review")), (before, None));
    // A success of another amount was not.
    assert!(app.is_applied("new", "capture.succeeded", &id, usd(70, "c_1")).await);
    assert_eq!(app.amounts(&id).await, json!(["PARTIALLY_CAPTURED", 70, 0, 70, 30]));
    assert!(app.is_in_review(&id, "contradiction").await, "it is flagged anew");
    assert_eq!(paid(&app).await, 70);
    app.books().await;
}

#[tokio::test]
async fn outcome_that_a_gateway_settled_cannot_be_overridden() {
    let app = App::new();
    let id = app.create_100(&held()).await;
    let capture = app.start(&id, "capture", "captures", r#"{"amount": 60}"#).await;
    let attempt = app.payment(&id).await["attempts"][0]["id"].clone();
    let before = app.books().await;
    for operation in [&attempt, &capture] {
        for outcome in ["failed", "succeeded", "not_sent"] {
            let answer = app.resolve_operation(&id, operation, outcome, Value::Null).await;
            assert_eq!(answer.details_of("invalid_operation", 400), json!({"payment_id": id}), "{outcome}");
        }
    }
    assert_eq!(app.books().await, before);
}

#[tokio::test]
async fn reused_notification_id_with_other_contents_is_applied_and_flagged() {
    let app = App::new();
    let id = app.create_100(CARD).await;
    let first = || usd(10, "r_1");
    let other = || usd(20, "r_2");
    let send = |more| app.report("n", "refund.succeeded", &id, more);
    let answer = |applied: bool, differs: Value| {
        let mut answer =
            json!({"applied": applied, "payment_id": id, "payment_status": "PARTIALLY_REFUNDED"});
        if !differs.is_null() {
            answer["differs"] = differs;
        }
        answer
    };
    let differs = || json!(["amount", "gateway_operation_id"]);
    assert_eq!(send(first()).await.json(), answer(true, Value::Null));
    assert_eq!(send(other()).await.json(), answer(true, differs()));
    assert_eq!(app.amounts(&id).await, json!(["PARTIALLY_REFUNDED", 100, 30, 70, 0]), "both count");
    assert_eq!(app.review(&id).await, json!(["notification_id_reused"]));
    let before = app.books().await;
    assert_eq!(send(other()).await.json(), answer(false, differs()));
    assert_eq!(send(first()).await.json(), answer(false, Value::Null));
    // Times are no contents.
    let mut later = first();
    later["occurred_at"] = "2026-02-02T00:00:00Z".into();
    assert_eq!(send(later).await.json(), answer(false, Value::Null));
    assert_eq!(app.books().await, before);
    // Names prevent double counting: the same refund in other words counts once.
    let same = with(usd(10, "r_1"), "gateway_payment_id", "pi_1");
    assert_eq!(send(same).await.json(), answer(true, json!(["gateway_payment_id"])));
    assert_eq!(app.amounts(&id).await, json!(["PARTIALLY_REFUNDED", 100, 30, 70, 0]));
    app.books().await;
}

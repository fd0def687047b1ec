//! Which operation a report is about, what it takes from, and what an operator's decision leaves standing.

use std::time::Duration;

use counterfoil::clock::Clock;
use counterfoil::command::{About, Rejection, Resolution, Told, UnknownReference};
use counterfoil::event::{Body, StreamId};
use counterfoil::id::PaymentId;
use counterfoil::ledger::{NewPayment, NewResolution, Notification};
use counterfoil::payment::{Evidence, FailureClass, OperationId, Review, Work};
use counterfoil::status::PaymentStatus;

use super::trial::{Trial, card_payment};
use crate::fixtures::{card, evidence, failed, gateway, gateway_operation, invoice, succeeded, usd};

/// What the tests' gateway reports of something that it calls `name`.
fn notification(
    payment: PaymentId,
    id: &str,
    name: &str,
    told: fn(Evidence) -> Told,
    cents: i64,
) -> Notification {
    let about = About { payment: Some(payment), ..About::default() };
    let said = evidence(succeeded(Some(usd(cents))), 1).with_gateway_operation_id(gateway_operation(name));
    Notification::new(gateway(), id.parse().expect("a valid name"), about, told(said))
}

/// Whether it was news.
async fn tell(trial: &Trial, notification: Notification) -> bool {
    !trial.done(&trial.desk.notify(&trial.caller, notification)).await.replayed
}

/// The gateway's name of an operation that is bound to it is the name of that operation alone, however it came to be
/// bound: in an answer, to a nameless attempt, or with the operation itself.
pub(super) async fn a_bound_gateway_name_is_taken(trial: &mut Trial) {
    let (first, _) = trial.charging().await;
    let (second, _) = trial.charging().await;
    // The only nameless attempt of the payment gets the name.
    assert!(tell(trial, notification(first, "ntf_1", "ch_1", Told::Attempt, 1_000)).await);
    let attempt = trial.payment(first).await.attempts().next().cloned().expect("it has one");
    assert_eq!(attempt.gateway_operation_id(), Some(&gateway_operation("ch_1")));
    assert!(tell(trial, notification(first, "ntf_2", "re_1", Told::Refund, 300)).await);
    assert!(!tell(trial, notification(first, "ntf_3", "re_1", Told::Refund, 300)).await, "it is one refund");
    assert!(
        !tell(trial, notification(first, "ntf_4", "ch_1", Told::Attempt, 1_000)).await,
        "it is one charge"
    );
    let stored = trial.payment(first).await;
    assert_eq!((stored.captured(), stored.refunded()), (usd(1_000), usd(300)), "each name counts once");
    assert_eq!((stored.attempts().count(), stored.refunds().count()), (1, 1));
    // Of another payment it is the name of nothing.
    for (id, name, told) in
        [("ntf_5", "ch_1", Told::Attempt as fn(Evidence) -> Told), ("ntf_6", "re_1", Told::Refund)]
    {
        let wrong = trial.desk.notify(&trial.caller, notification(second, id, name, told, 300));
        let refused = Rejection::NothingKnown(UnknownReference::Conflicting);
        assert_eq!(trial.refused(&wrong).await, refused, "{name} is taken");
    }
    assert_eq!(trial.payment(second).await.version(), 1);
}

/// A capture of one of several holds, it is not known of which, takes from each. What it took is captured, and no
/// expiry releases it.
pub(super) async fn expiry_keeps_what_an_unallocated_capture_took(trial: &mut Trial) {
    let expires = trial.desk.clock().now().saturating_add(Duration::from_secs(1_000_000));
    let new = NewPayment::new(usd(100), invoice("inv_1"), card()).captured_later().expiring_at(expires);
    let (payment, first) = trial.charge(new).await;
    trial
        .report(
            payment,
            first,
            evidence(succeeded(None), 1).with_gateway_operation_id(gateway_operation("h_1")),
        )
        .await;
    assert!(tell(trial, notification(payment, "ntf_1", "h_2", Told::Authorization, 60)).await);
    assert!(tell(trial, notification(payment, "ntf_2", "c_1", Told::Capture, 60)).await);
    let stored = trial.payment(payment).await;
    assert_eq!(stored.captures().next().and_then(counterfoil::payment::Operation::parent), None);
    assert!(stored.reviews().contains(&Review::Unallocated));
    assert_eq!((stored.captured(), stored.held()), (usd(60), usd(40)), "it takes from both holds");

    trial.desk.clock().set(expires);
    trial.done(&trial.desk.lapse(&trial.caller, payment, Work::Expire)).await;
    let stored = trial.payment(payment).await;
    assert_eq!((stored.captured(), stored.held()), (usd(60), usd(0)), "what was captured stays captured");
    assert_eq!(stored.status(), PaymentStatus::Succeeded);
    assert!(stored.reviews().contains(&Review::Unallocated), "an operator allocates it still");
    assert_eq!(released(trial, payment).await, [first], "nothing is left of the other hold to be released");
}

/// The holds that the last event of the payment released.
async fn released(trial: &Trial, payment: PaymentId) -> Vec<OperationId> {
    let history = trial.history(&trial.caller.scope, &StreamId::Payment(payment)).await;
    match history.last().map(|event| event.body()) {
        Some(Body::Closed(closing)) => closing.releases.clone(),
        other => panic!("the last event is {other:?}"),
    }
}

/// An operator's decision overrides what was known. What is reported for the first time afterwards counts against it.
pub(super) async fn a_fact_reported_after_a_resolution_counts(trial: &mut Trial) {
    let (payment, attempt) = trial.charge(card_payment()).await;
    let declined = || evidence(failed(FailureClass::Hard), 1);
    let paid = |cents| evidence(succeeded(Some(usd(cents))), 2);
    trial.report(payment, attempt, declined()).await;
    trial.report(payment, attempt, paid(1_000)).await;
    let decision = NewResolution::new(Resolution::Failed, "the money never came".parse().expect("a text"));
    trial.done(&trial.desk.resolve(&trial.caller, payment, decision.about(attempt))).await;
    let stored = trial.payment(payment).await;
    assert_eq!((stored.status(), stored.captured()), (PaymentStatus::Failed, usd(0)), "the decision counts");
    for known in [declined(), paid(1_000)] {
        assert!(trial.report(payment, attempt, known).await.replayed, "a repetition is no news");
    }
    assert!(!trial.report(payment, attempt, paid(900)).await.replayed);
    let stored = trial.payment(payment).await;
    assert_eq!(stored.captured(), usd(900), "a success that is new counts, whatever was decided before");
    assert!(
        stored.reviews().is_superset(&[Review::Contradiction, Review::Resolved].into()),
        "it is flagged anew"
    );
}

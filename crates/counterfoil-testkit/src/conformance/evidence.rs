//! What gateways say.

use counterfoil::command::Receipt;
use counterfoil::payment::{Evidence, FailureClass, Payment, Review};
use counterfoil::status::PaymentStatus;

use super::trial::{Trial, card_payment};
use crate::desk::{created, started};
use crate::fixtures::{
    caller, evidence, failed, gateway_operation, not_sent, pending, requires_action, succeeded, unknown, usd,
};

pub(super) async fn any_order_gives_equal_payments(trial: &mut Trial) {
    let sets = [
        vec![pending(), requires_action(), failed(FailureClass::Soft), succeeded(None)],
        vec![succeeded(Some(usd(999))), succeeded(Some(usd(1_001))), succeeded(None), not_sent()],
        vec![unknown(), not_sent(), pending(), requires_action()],
        vec![failed(FailureClass::Soft), failed(FailureClass::Hard), unknown()],
    ];
    for set in sets {
        let said: Vec<Evidence> =
            set.into_iter().zip([4, 2, 3, 2]).map(|(outcome, second)| evidence(outcome, second)).collect();
        let mut seen = Vec::new();
        for order in orders(said.len()) {
            let (payment, attempt) = trial.charging().await;
            for at in order {
                trial.report(payment, attempt, said[at].clone()).await;
            }
            seen.push(outcome_of(&*trial.payment(payment).await));
        }
        let first = &seen[0];
        assert!(seen.iter().all(|other| other == first), "{said:?} led to {seen:?}");
    }
}

/// All that no order may change.
fn outcome_of(payment: &Payment) -> impl PartialEq + std::fmt::Debug + use<> {
    let attempt = payment.attempts().next().expect("it has an attempt").clone();
    (payment.status(), payment.captured(), payment.reviews(), attempt.status(), attempt.failure().cloned())
}

/// Every order of so many things.
fn orders(count: usize) -> Vec<Vec<usize>> {
    (0..count).fold(vec![Vec::new()], |orders, next| {
        let insert = |order: Vec<usize>| {
            (0..=order.len()).map(move |at| [&order[..at], &[next], &order[at..]].concat())
        };
        orders.into_iter().flat_map(insert).collect()
    })
}

pub(super) async fn a_repetition_writes_nothing(trial: &mut Trial) {
    let (payment, attempt) = trial.charging().await;
    let outcomes = [unknown(), pending(), failed(FailureClass::Hard), succeeded(Some(usd(5)))];
    for outcome in outcomes {
        let said = evidence(outcome, 1).with_gateway_operation_id(gateway_operation("ch_1"));
        assert!(!trial.report(payment, attempt, said.clone()).await.replayed);
        let before = trial.payment(payment).await;
        assert!(trial.report(payment, attempt, said).await.replayed);
        assert_eq!(trial.payment(payment).await, before, "same version, same bytes");
    }
}

pub(super) async fn a_late_success_counts_and_is_marked(trial: &mut Trial) {
    let (payment, attempt) = trial.charging().await;
    let refused = trial.report(payment, attempt, evidence(failed(FailureClass::Hard), 1)).await;
    assert_eq!(status(&refused), Some(PaymentStatus::Failed));
    let late = trial.report(payment, attempt, evidence(succeeded(Some(usd(1_200))), 2)).await;
    assert_eq!(status(&late), Some(PaymentStatus::Overpaid));
    let stored = trial.payment(payment).await;
    assert_eq!(stored.captured(), usd(1_200));
    assert!(stored.reviews().is_superset(&[Review::Contradiction, Review::AmountMismatch].into()));
}

pub(super) async fn money_brings_an_archived_payment_back(trial: &mut Trial) {
    let (payment, attempt) = trial.charging().await;
    trial.report(payment, attempt, evidence(failed(FailureClass::Hard), 1)).await;
    let archive = trial.desk.archive(&trial.caller, payment);
    assert!(!trial.done(&archive).await.replayed);
    assert!(trial.payment(payment).await.archived_at().is_some());
    assert!(trial.done(&archive).await.replayed);
    trial.report(payment, attempt, evidence(succeeded(None), 2)).await;
    let stored = trial.payment(payment).await;
    assert_eq!((stored.archived_at(), stored.status()), (None, PaymentStatus::Succeeded));
}

pub(super) async fn a_gateway_id_belongs_to_one_operation(trial: &mut Trial) {
    let said = |id| evidence(succeeded(None), 1).with_gateway_operation_id(gateway_operation(id));
    let (first, attempt) = trial.charging().await;
    trial.report(first, attempt, said("ch_1")).await;
    let (second, attempt) = trial.charging().await;
    trial.report(second, attempt, said("ch_1")).await;
    assert!(trial.payment(first).await.reviews().is_empty());
    let clashing = trial.payment(second).await;
    assert_eq!(clashing.status(), PaymentStatus::Succeeded, "the money counts all the same");
    assert_eq!(clashing.reviews(), [Review::GatewayIdClash].into());
    assert_eq!(clashing.attempts().next().and_then(|attempt| attempt.gateway_operation_id()), None);

    let mut elsewhere = trial.desk.create(&trial.caller, card_payment());
    elsewhere.caller = caller("other");
    trial.done(&elsewhere).await;
    let report = trial.desk.report(&elsewhere.caller, created(&elsewhere), started(&elsewhere), said("ch_1"));
    let receipt = trial.done(&report).await;
    let reviews = receipt.payment().map(|payment| payment.reviews());
    assert_eq!(reviews, Some([].into()), "another tenant's gateway account has ids of its own");
}

fn status(receipt: &Receipt) -> Option<PaymentStatus> {
    receipt.payment().map(|payment| payment.status())
}

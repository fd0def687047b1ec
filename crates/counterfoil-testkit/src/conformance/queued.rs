//! Queued operations: recorded first, sent to their gateway later.

use counterfoil::command::Rejection;
use counterfoil::event::{Body, StreamId};
use counterfoil::id::PaymentId;
use counterfoil::ledger::NewRefund;
use counterfoil::payment::{Operation, OperationId, Work};
use counterfoil::status::{OperationStatus, PaymentStatus};

use super::trial::{Trial, card_payment, ok};
use crate::desk::started;
use crate::fixtures::{evidence, succeeded, usd};

/// If several callers send a queued operation, one of them writes the event. Before that, a poll of it changes nothing.
pub(super) async fn a_queued_operation_is_sent_once(trial: &mut Trial) {
    let (payment, attempt) = trial.charge(card_payment().queued()).await;
    assert_eq!(status(trial, payment, attempt).await, OperationStatus::Queued);
    assert_eq!(trial.payment(payment).await.status(), PaymentStatus::Processing, "its amount is reserved");
    let poll = trial.desk.poll(&trial.caller, payment, Work::Poll { operation: attempt, polls: 0 });
    assert!(trial.done(&poll).await.replayed, "a queued operation is not polled");

    let sends = (0..16).map(|_| trial.desk.send(&trial.caller, payment, attempt)).collect();
    let receipts = trial.together(sends).await.into_iter().map(ok);
    assert_eq!(
        receipts.filter(|receipt| !receipt.replayed).count(),
        1,
        "one of the callers calls its gateway"
    );
    assert_eq!(status(trial, payment, attempt).await, OperationStatus::Processing);
    let events = trial.history(&trial.caller.scope, &StreamId::Payment(payment)).await;
    let sent = events.iter().filter(|event| matches!(event.body(), Body::Sent(_)));
    assert_eq!(sent.count(), 1);
    let cancel = trial.desk.cancel(&trial.caller, payment, attempt);
    assert!(
        matches!(trial.refused(&cancel).await, Rejection::NotQueued { .. }),
        "a sent operation cannot be canceled"
    );
}

/// A queued refund reserves its amount. After it is canceled, the amount is refundable again, and the refund is not sent.
pub(super) async fn a_queued_operation_reserves_its_amount_until_it_is_canceled(trial: &mut Trial) {
    let (payment, attempt) = trial.charging().await;
    trial.report(payment, attempt, evidence(succeeded(None), 1)).await;
    let request = trial.desk.refund(&trial.caller, payment, NewRefund::of(usd(300)).queued());
    trial.done(&request).await;
    let refund = started(&request);
    assert_eq!(trial.payment(payment).await.refundable(), usd(700));

    let cancel = trial.desk.cancel(&trial.caller, payment, refund);
    assert!(!trial.done(&cancel).await.replayed);
    assert_eq!(trial.payment(payment).await.refundable(), usd(1_000));
    assert_eq!(status(trial, payment, refund).await, OperationStatus::Canceled);
    let send = trial.desk.send(&trial.caller, payment, refund);
    assert!(trial.done(&send).await.replayed, "a canceled operation is not sent");
}

/// A queued operation is due at once, also after the store is opened again.
pub(super) async fn a_queued_operation_is_due_until_it_is_sent(trial: &mut Trial) {
    let (payment, attempt) = trial.charge(card_payment().queued()).await;
    if trial.is_durable() {
        trial.reopen().await;
    }
    let created = trial.payment(payment).await.operations()[0].created_at;
    let due = ok(trial.store.due(created, 10).await);
    assert_eq!(due.iter().map(|due| (due.payment, due.at)).collect::<Vec<_>>(), [(payment, created)]);
    let send = trial.desk.send(&trial.caller, payment, attempt);
    trial.done(&send).await;
    assert_eq!(ok(trial.store.due(created, 10).await), []);
}

async fn status(trial: &Trial, payment: PaymentId, operation: OperationId) -> OperationStatus {
    trial
        .payment(payment)
        .await
        .operation(operation)
        .map(Operation::status)
        .expect("the payment has the operation")
}

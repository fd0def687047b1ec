//! Operations that are written down first and sent later.

use counterfoil::command::Rejection;
use counterfoil::event::{Body, StreamId};
use counterfoil::id::PaymentId;
use counterfoil::ledger::NewRefund;
use counterfoil::payment::{Operation, OperationId, Work};
use counterfoil::status::{OperationStatus, PaymentStatus};

use super::trial::{Trial, card_payment, ok};
use crate::desk::started;
use crate::fixtures::{evidence, succeeded, usd};

/// Of all that send it, one writes that it was sent. Nobody can be told that it had no answer before that.
pub(super) async fn a_queued_operation_is_sent_once(trial: &mut Trial) {
    let (payment, attempt) = trial.charge(card_payment().queued()).await;
    assert_eq!(status(trial, payment, attempt).await, OperationStatus::Queued);
    assert_eq!(trial.payment(payment).await.status(), PaymentStatus::Processing, "its amount is reserved");
    let poll = trial.desk.poll(&trial.caller, payment, Work::Poll { operation: attempt, polls: 0 });
    assert!(trial.done(&poll).await.replayed, "a gateway that was not called is not asked");

    let sends = (0..16).map(|_| trial.desk.send(&trial.caller, payment, attempt)).collect();
    let receipts = trial.together(sends).await.into_iter().map(ok);
    assert_eq!(receipts.filter(|receipt| !receipt.replayed).count(), 1, "one of them calls its gateway");
    assert_eq!(status(trial, payment, attempt).await, OperationStatus::Processing);
    let events = trial.history(&trial.caller.scope, &StreamId::Payment(payment)).await;
    let sent = events.iter().filter(|event| matches!(event.body(), Body::Sent(_)));
    assert_eq!(sent.count(), 1);
    let cancel = trial.desk.cancel(&trial.caller, payment, attempt);
    assert!(matches!(trial.refused(&cancel).await, Rejection::NotQueued { .. }), "it is too late");
}

/// What a queued refund asks for is reserved; when it is canceled, it is free again, and nothing is sent.
pub(super) async fn a_queued_operation_reserves_its_amount_until_it_is_canceled(trial: &mut Trial) {
    let (payment, attempt) = trial.charging().await;
    trial.report(payment, attempt, evidence(succeeded(None), 1)).await;
    let new = NewRefund::of(usd(300)).queued();
    let refund = trial.desk.refund(&trial.caller, payment, new);
    trial.done(&refund).await;
    let refund = started(&refund);
    assert_eq!(trial.payment(payment).await.refundable(), usd(700));

    let cancel = trial.desk.cancel(&trial.caller, payment, refund);
    assert!(!trial.done(&cancel).await.replayed);
    assert_eq!(trial.payment(payment).await.refundable(), usd(1_000));
    assert_eq!(status(trial, payment, refund).await, OperationStatus::Canceled);
    let send = trial.desk.send(&trial.caller, payment, refund);
    assert!(trial.done(&send).await.replayed, "it is never sent");
}

/// It is due from the moment it is written, also for whoever opens the store next.
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
    trial.payment(payment).await.operation(operation).map(Operation::status).expect("it was started")
}

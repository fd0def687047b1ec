//! What happened elsewhere: attempts that are written down, payments that were made at their gateway.

use counterfoil::command::{Command, Recorded, Rejection};
use counterfoil::event::StreamId;
use counterfoil::id::PaymentId;
use counterfoil::ledger::{NewAttempt, NewRecordedRefund, Processing, Update};
use counterfoil::money::Currency;
use counterfoil::payment::Evidence;
use counterfoil::status::PaymentStatus::{self, Overpaid, Pending};

use super::trial::{Trial, card_payment, place, split};
use crate::desk::{created, started};
use crate::fixtures::{caller, evidence, gateway, gateway_operation, gateway_payment, money, succeeded, usd};

pub(super) async fn a_recorded_no_leaves_the_payment_open(trial: &mut Trial) {
    let payment = trial.recorded(card_payment()).await;
    let no = NewAttempt::new(Recorded::Failed { error_message: "away".parse().ok() });
    for number in 1..4 {
        trial.done(&trial.desk.record_attempt(&trial.caller, payment, no.clone())).await;
        let stored = trial.payment(payment).await;
        assert_eq!((stored.status(), stored.attempts().count()), (Pending, number));
    }
    let too_much = NewAttempt::new(Recorded::Succeeded { amount: Some(usd(1_001)) });
    trial.done(&trial.desk.record_attempt(&trial.caller, payment, too_much)).await;
    let stored = trial.payment(payment).await;
    assert_eq!((stored.status(), stored.captured()), (Overpaid, usd(1_001)));
    let other = trial.recorded(card_payment()).await;
    for amount in [usd(0), money(10, Currency::JPY)] {
        let new = NewAttempt::new(Recorded::Succeeded { amount: Some(amount) });
        trial.refused(&trial.desk.record_attempt(&trial.caller, other, new)).await;
    }
    assert_eq!(trial.payment(other).await.version(), 1);
}

pub(super) async fn what_was_made_at_its_gateway_is_never_charged(trial: &mut Trial) {
    let payment = trial.recorded(card_payment()).await;
    let update = Update::default().with_gateway_payment_id(gateway_payment("gp_1"));
    trial.done(&trial.set(payment, update)).await;
    let process = trial.desk.process(&trial.caller, payment, Processing::default());
    assert_eq!(trial.refused(&process).await, Rejection::AtGateway { payment });
    let found = discover(trial, payment, evidence(succeeded(Some(usd(999))), 3));
    assert!(!trial.done(&found).await.replayed);
    let again = discover(trial, payment, evidence(succeeded(Some(usd(999))), 3));
    assert!(trial.done(&again).await.replayed, "it is known by the payment's name");
    let stored = trial.payment(payment).await;
    assert_eq!((stored.captured(), stored.attempts().count()), (usd(999), 1));
    assert_eq!(stored.attempts().next().map(|attempt| attempt.id), Some(started(&found)));
}

/// INVARIANTS 29.
pub(super) async fn one_name_at_a_gateway_is_one_payment(trial: &mut Trial) {
    let name = |id: &str| Update::default().with_gateway_payment_id(gateway_payment(id));
    let mut commands = Vec::new();
    for _ in 0..16 {
        let payment = trial.recorded(card_payment()).await;
        commands.push(trial.set(payment, name("gp_1")));
    }
    let (won, lost) = split(trial.together(commands).await);
    assert_eq!((won.len(), lost.len()), (1, 15));
    assert!(lost.iter().all(|no| *no == Rejection::GatewayIdTaken(won[0].stream.clone())), "{lost:?}");
    // Another scope may call another payment so.
    let other = caller("other");
    let create = trial.desk.create(&other, card_payment().recorded_only());
    trial.done(&create).await;
    trial.done(&trial.desk.update(&other, created(&create), name("gp_1"))).await;
}

/// INVARIANTS 29.
pub(super) async fn one_name_at_a_gateway_is_one_attempt(trial: &mut Trial) {
    let new = || NewAttempt::succeeded().with_gateway_attempt_id(gateway_operation("ch_1"));
    let payment = trial.recorded(card_payment()).await;
    let record = |_| trial.desk.record_attempt(&trial.caller, payment, new());
    let (won, lost) = split(trial.together((0..16).map(record).collect()).await);
    assert_eq!((won.len(), lost.len()), (16, 0));
    assert_eq!(won.iter().filter(|receipt| !receipt.replayed).count(), 1);
    assert!(won.iter().all(|receipt| place(receipt) == place(&won[0])), "equal receipts");
    assert_eq!(trial.payment(payment).await.attempts().count(), 1);
    let other = trial.recorded(card_payment()).await;
    let no = trial.refused(&trial.desk.record_attempt(&trial.caller, other, new())).await;
    assert_eq!(no, Rejection::GatewayIdTaken(StreamId::Payment(payment)));
}

/// A payment that came in.
async fn paid(trial: &Trial) -> PaymentId {
    let (payment, attempt) = trial.charging().await;
    trial.report(payment, attempt, evidence(succeeded(None), 1)).await;
    payment
}

/// INVARIANTS 29, 31: of refunds that were made elsewhere no more are recorded than is refundable, and each name once.
pub(super) async fn recorded_refunds_sum_to_what_is_refundable(trial: &mut Trial) {
    let payment = paid(trial).await;
    let part = || NewRecordedRefund::of(usd(300));
    let record = |new| trial.desk.record_refund(&trial.caller, payment, new);
    let named = part().with_gateway(gateway()).with_gateway_refund_id(gateway_operation("re_1"));
    let (won, lost) = split(trial.together((0..8).map(|_| record(named.clone())).collect()).await);
    assert_eq!((won.len(), lost.len()), (8, 0));
    assert!(won.iter().all(|receipt| place(receipt) == place(&won[0])), "equal receipts");
    let (won, lost) = split(trial.together((0..8).map(|_| record(part())).collect()).await);
    assert_eq!((won.len(), lost.len()), (2, 6));
    let exceeds = Rejection::ExceedsRefundable { payment, refundable: usd(100) };
    assert!(lost.iter().all(|no| *no == exceeds), "{lost:?}");
    let stored = trial.payment(payment).await;
    assert_eq!((stored.refunded(), stored.refunds().count()), (usd(900), 3));
    let other = paid(trial).await;
    let no = trial.refused(&trial.desk.record_refund(&trial.caller, other, named)).await;
    assert_eq!(no, Rejection::GatewayIdTaken(StreamId::Payment(payment)));
}

/// What a gateway tells of a payment that was made there is found once, however many ask.
pub(super) async fn what_is_discovered_counts_once(trial: &mut Trial) {
    let payment = trial.recorded(card_payment()).await;
    let update = Update::default().with_gateway_payment_id(gateway_payment("gp_1"));
    trial.done(&trial.set(payment, update)).await;
    let commands = (0..16).map(|_| discover(trial, payment, evidence(succeeded(None), 3))).collect();
    let (won, lost) = split(trial.together(commands).await);
    assert_eq!((won.len(), lost.len()), (16, 0));
    let stored = trial.payment(payment).await;
    assert_eq!((stored.captured(), stored.attempts().count(), stored.version()), (usd(1_000), 1, 3));
}

/// What the gateway tells of the payment that it calls `gp_1`.
fn discover(trial: &Trial, payment: PaymentId, evidence: Evidence) -> Command {
    trial.desk.discover(&trial.caller, payment, gateway_payment("gp_1"), evidence)
}

/// INVARIANTS 29: money that was written down by hand, and is then told of by its gateway, is the same money.
pub(super) async fn what_was_written_down_is_not_discovered_again(trial: &mut Trial) {
    let payment = trial.recorded(card_payment()).await;
    let update = Update::default().with_gateway_payment_id(gateway_payment("gp_1"));
    trial.done(&trial.set(payment, update)).await;
    trial.done(&trial.set(payment, Update::to(PaymentStatus::Succeeded))).await;
    trial.done(&discover(trial, payment, evidence(succeeded(None), 3))).await;
    let stored = trial.payment(payment).await;
    assert_eq!((stored.captured(), stored.attempts().count()), (usd(1_000), 1));
}

/// What a gateway tells of another of its payments is no news of this one.
pub(super) async fn what_is_told_of_another_name_is_no_news(trial: &mut Trial) {
    let payment = trial.recorded(card_payment()).await;
    for name in ["gp_1", "gp_2"] {
        let update = Update::default().with_gateway_payment_id(gateway_payment(name));
        trial.done(&trial.set(payment, update)).await;
    }
    let late = discover(trial, payment, evidence(succeeded(None), 3));
    assert!(trial.done(&late).await.replayed);
    assert_eq!(trial.payment(payment).await.attempts().count(), 0);
}

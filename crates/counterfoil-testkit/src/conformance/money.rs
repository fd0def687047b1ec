//! Money that several ask for at once: INVARIANTS 31.

use counterfoil::command::{Command, Rejection};
use counterfoil::id::PaymentId;
use counterfoil::ledger::{NewCapture, NewPayment, NewRefund, NewTopUp, NewVoid};
use counterfoil::payment::FailureClass;
use counterfoil::status::PaymentStatus;

use super::trial::{Trial, card_payment, split};
use crate::desk::{created, started};
use crate::fixtures::{Said, credits, evidence, failed, invoice, succeeded, usd, wallet};

/// A card payment of ten dollars that came.
async fn paid(trial: &Trial) -> PaymentId {
    let (payment, attempt) = trial.charging().await;
    trial.report(payment, attempt, evidence(succeeded(None), 1)).await;
    payment
}

/// Ten dollars that are held.
async fn held(trial: &Trial) -> PaymentId {
    let (payment, attempt) = trial.charge(card_payment().captured_later()).await;
    trial.report(payment, attempt, evidence(succeeded(None), 1)).await;
    payment
}

/// Executes them all at once: those that were accepted.
async fn accepted(trial: &Trial, commands: Vec<Command>, is_fit: fn(&Rejection) -> bool) -> Vec<Command> {
    let mut made = Vec::new();
    for (command, answer) in commands.clone().into_iter().zip(trial.together(commands).await) {
        let (done, refused) = split(vec![answer]);
        assert!(refused.iter().all(is_fit), "{refused:?}");
        made.extend((done.len() == 1).then_some(command));
    }
    made
}

async fn come_to(trial: &Trial, payment: PaymentId, commands: &[Command], outcome: Said) {
    for command in commands {
        trial.report(payment, started(command), evidence(outcome.clone(), 2)).await;
    }
}

fn too_much(rejection: &Rejection) -> bool {
    matches!(rejection, Rejection::ExceedsRefundable { .. } | Rejection::ExceedsCapturable { .. })
}

fn too_late(rejection: &Rejection) -> bool {
    let is_over = matches!(
        rejection,
        Rejection::NotWhole { .. } | Rejection::NothingToRelease { .. } | Rejection::NotAllowed { .. }
    );
    too_much(rejection) || is_over
}

pub(super) async fn refunds_at_once_give_back_no_more_than_there_is(trial: &mut Trial) {
    let payment = paid(trial).await;
    let refunds =
        || (0..20).map(|_| trial.desk.refund(&trial.caller, payment, NewRefund::of(usd(150)))).collect();
    let made = accepted(trial, refunds(), too_much).await;
    assert_eq!(made.len(), 6);
    assert_eq!(trial.payment(payment).await.refundable(), usd(100), "they are reserved while they are open");
    // One that came to nothing frees its amount, and no more.
    come_to(trial, payment, &made[..1], failed(FailureClass::Hard)).await;
    let again = accepted(trial, refunds(), too_much).await;
    assert_eq!(again.len(), 1);
    come_to(trial, payment, &made[1..], succeeded(None)).await;
    come_to(trial, payment, &again, succeeded(None)).await;
    let stored = trial.payment(payment).await;
    assert_eq!((stored.refunded(), stored.refundable()), (usd(900), usd(100)));
    assert_eq!(stored.status(), PaymentStatus::PartiallyRefunded);
}

pub(super) async fn captures_at_once_take_no_more_than_is_held(trial: &mut Trial) {
    let payment = held(trial).await;
    let some = NewCapture::of(usd(300)).keeping_the_rest();
    let captures = (0..20).map(|_| trial.desk.capture(&trial.caller, payment, some.clone())).collect();
    let made = accepted(trial, captures, too_much).await;
    assert_eq!(made.len(), 3);
    assert_eq!(trial.payment(payment).await.capturable(), usd(100));
    come_to(trial, payment, &made, succeeded(None)).await;
    let stored = trial.payment(payment).await;
    assert_eq!((stored.captured(), stored.held()), (usd(900), usd(100)));
    assert_eq!(stored.status(), PaymentStatus::PartiallyCaptured);
}

pub(super) async fn of_voids_captures_and_refunds_at_once_the_sum_is_what_there_was(trial: &mut Trial) {
    let payment = held(trial).await;
    let void = || trial.desk.void(&trial.caller, payment, NewVoid::default());
    let capture = || trial.desk.capture(&trial.caller, payment, NewCapture::all());
    let commands = (0..8).flat_map(|_| [void(), capture()]).collect();
    let made = accepted(trial, commands, too_late).await;
    assert_eq!(made.len(), 1, "each asks for all of it");

    let payment = paid(trial).await;
    let void = || trial.desk.void(&trial.caller, payment, NewVoid::default());
    let refund = || trial.desk.refund(&trial.caller, payment, NewRefund::all());
    let commands = (0..8).flat_map(|_| [void(), refund()]).collect();
    let made = accepted(trial, commands, too_late).await;
    assert_eq!(made.len(), 1, "each asks for all of it");
    assert_eq!(trial.payment(payment).await.refundable(), usd(0));
}

pub(super) async fn credits_go_back_once(trial: &mut Trial) {
    trial.done(&trial.desk.top_up(&trial.caller, NewTopUp::new(wallet("w"), usd(1_000)))).await;
    let new = NewPayment::new(usd(1_000), invoice("inv_1"), credits("w"));
    let create = trial.desk.create(&trial.caller, new);
    trial.done(&create).await;
    let refund = || trial.desk.refund(&trial.caller, created(&create), NewRefund::of(usd(300)));
    let made = accepted(trial, (0..10).map(|_| refund()).collect(), too_much).await;
    assert_eq!((made.len(), trial.balance("w").await), (3, 900));
}

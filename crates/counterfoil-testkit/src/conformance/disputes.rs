//! What gateways say of disputes: invariants 42 and 43.

use counterfoil::account::AccountId;
use counterfoil::command::{About, Policy, Rejection, Told};
use counterfoil::id::PaymentId;
use counterfoil::ledger::{NewPayment, NewRefund, Notification};
use counterfoil::money::{Currency, Money};
use counterfoil::payment::{DisputeStage, DisputeStatus, DisputeWord, DisputeWordKind, Review};
use counterfoil::store::Key;

use super::trial::{Trial, present};
use crate::fixtures::{card, evidence, gateway, invoice, second, succeeded, usd};

/// A word of the dispute `dp_1` about 60 cents.
fn word(kind: DisputeWordKind, at: u32) -> DisputeWord {
    DisputeWord::new(kind, second(at)).with_amount(usd(60))
}

fn notification(payment: PaymentId, name: &str, word: DisputeWord) -> Notification {
    let mut about = About { payment: Some(payment), ..About::default() };
    about.gateway_dispute_id = "dp_1".parse().ok();
    Notification::new(gateway(), name.parse().expect("a valid name"), about, Told::Dispute(word))
}

async fn tell(trial: &Trial, payment: PaymentId, name: &str, word: DisputeWord) -> bool {
    let notify = trial.desk.notify(&trial.caller, notification(payment, name, word));
    !trial.done(&notify).await.replayed
}

/// A charge of 100 cents that came.
async fn paid(trial: &Trial) -> PaymentId {
    let (payment, attempt) = trial.charge(charge()).await;
    trial.report(payment, attempt, evidence(succeeded(None), 1)).await;
    payment
}

fn charge() -> NewPayment {
    NewPayment::new(usd(100), invoice("inv_1"), card())
}

async fn disputed(trial: &Trial, payment: PaymentId) -> [i64; 3] {
    let payment = trial.payment(payment).await;
    [payment.disputed(), payment.charged_back(), payment.refundable()].map(Money::minor)
}

pub(super) async fn one_movement_in_two_notifications_counts_once(trial: &mut Trial) {
    use DisputeWordKind::{FundsReinstated, FundsWithdrawn};
    let payment = paid(trial).await;
    assert!(tell(trial, payment, "ntf_1", word(FundsWithdrawn, 2)).await);
    assert!(!tell(trial, payment, "ntf_2", word(FundsWithdrawn, 3)).await, "it is one movement");
    let larger = word(FundsWithdrawn, 2).with_amount(usd(70));
    assert!(tell(trial, payment, "ntf_3", larger).await, "of which the largest amount counts");
    let withdrawn = |payment: &counterfoil::payment::Payment| payment.disputes()[0].withdrawn();
    assert_eq!(withdrawn(&*trial.payment(payment).await), usd(70));
    let later = word(FundsWithdrawn, 4).at_stage(DisputeStage::Arbitration);
    assert!(tell(trial, payment, "ntf_4", later).await, "another stage, another movement");
    let named = notification(payment, "ntf_5", word(FundsWithdrawn, 5));
    let named = named.with_funds("txn_1".parse().expect("a valid name"));
    trial.done(&trial.desk.notify(&trial.caller, named)).await;
    assert_eq!(withdrawn(&*trial.payment(payment).await), usd(70 + 2 * 60), "a name, another movement");
    assert!(tell(trial, payment, "ntf_6", word(FundsReinstated, 6)).await);
    assert!(!tell(trial, payment, "ntf_7", word(FundsReinstated, 6)).await);
}

pub(super) async fn of_won_and_lost_the_later_counts(trial: &mut Trial) {
    use DisputeWordKind::{Lost, Won};
    let cases = [
        (1, 2, DisputeStatus::Won, [0, 0, 100]),
        (2, 1, DisputeStatus::Lost, [60, 60, 40]),
        (2, 2, DisputeStatus::Lost, [60, 60, 40]),
    ];
    for (lost, won, status, amounts) in cases {
        for lost_first in [true, false] {
            let (payment, mut words) = (paid(trial).await, [word(Lost, lost), word(Won, won)]);
            if !lost_first {
                words.reverse();
            }
            // One dispute is of one payment.
            let dispute = format!("dp_{payment}");
            for (place, word) in words.into_iter().enumerate() {
                let mut told = notification(payment, &format!("ntf_{payment}_{place}"), word);
                told.about.gateway_dispute_id = dispute.parse().ok();
                trial.done(&trial.desk.notify(&trial.caller, told)).await;
            }
            let stored = trial.payment(payment).await;
            assert_eq!(stored.disputes()[0].status(), status, "lost {lost}, won {won}");
            assert_eq!(stored.reviews(), [Review::Contradiction].into());
            assert_eq!(disputed(trial, payment).await, amounts);
        }
    }
}

pub(super) async fn what_a_lost_dispute_gives_back_is_free(trial: &mut Trial) {
    use DisputeWordKind::{FundsReinstated, FundsWithdrawn, Lost, Opened};
    let payment = paid(trial).await;
    let half = word(FundsReinstated, 5).with_amount(usd(30));
    let rest = word(FundsReinstated, 6).with_amount(usd(30)).at_stage(DisputeStage::Arbitration);
    let steps = [
        (word(Opened, 2), [60, 0, 40]),
        (word(FundsWithdrawn, 3), [60, 0, 40]),
        (word(Lost, 4), [60, 60, 40]),
        (half, [30, 30, 70]),
        (rest, [0, 0, 100]),
    ];
    for (place, (word, amounts)) in steps.into_iter().enumerate() {
        assert!(tell(trial, payment, &format!("ntf_{place}"), word).await);
        assert_eq!(disputed(trial, payment).await, amounts, "after step {place}");
    }
    trial.done(&trial.desk.refund(&trial.caller, payment, NewRefund::of(usd(100)))).await;
}

/// INVARIANTS 7, and 31 for what is due, by either policy.
pub(super) async fn a_destination_shows_what_is_disputed_and_charged_back(trial: &mut Trial) {
    use DisputeWordKind::{FundsReinstated, FundsWithdrawn, Lost, Opened, Won};
    let owed = counterfoil::account::Owed { amount_due: usd(100), number: None, payable: true };
    trial.done(&trial.desk.register(&trial.caller, invoice("inv_1"), owed)).await;
    let payment = paid(trial).await;
    let steps = [
        (word(Opened, 2), [60, 0], 0),
        (word(FundsWithdrawn, 2), [60, 0], 0),
        (word(Lost, 3), [0, 60], 60),
        (word(Won, 4), [60, 0], 0),
        (word(FundsReinstated, 5), [0, 0], 0),
        (word(Lost, 6).with_amount(usd(90)), [0, 30], 30),
    ];
    for (place, (word, shown, owed_again)) in steps.into_iter().enumerate() {
        assert!(tell(trial, payment, &format!("ntf_{place}"), word).await);
        let (scope, id) = (&trial.caller.scope, AccountId::destination(&invoice("inv_1")));
        let row = present(trial.read(&[Key::Account(scope.clone(), id.clone())]).await.account(scope, &id));
        let totals = row.expect("it is registered").totals(Currency::USD);
        assert_eq!([totals.disputed, totals.charged_back], shown, "after step {place}");
        assert_eq!((totals.paid, totals.refunded), (100, 0), "after step {place}");
        let rules = [(Policy::default(), 0), (Policy::default().owing_charged_back(), owed_again)];
        for (policy, remaining) in rules {
            assert_eq!(totals.remaining(usd(100), &policy), usd(remaining), "after step {place}");
        }
    }
    let again = || NewPayment::new(usd(30), invoice("inv_1"), card());
    let refused = trial.refused(&trial.desk.create(&trial.caller, again())).await;
    let destination = invoice("inv_1");
    assert_eq!(refused, Rejection::ExceedsDue { destination, remaining: usd(0) }, "it counts as paid");
    trial.desk.set_policy(Policy::default().owing_charged_back());
    let (second, attempt) = trial.charge(again()).await;
    trial.report(second, attempt, evidence(succeeded(None), 7)).await;
    assert_eq!(trial.payment(second).await.excess(), None, "what is owed again is not paid twice");
}

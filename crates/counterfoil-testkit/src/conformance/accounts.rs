//! Wallets: bounded accounts.

use counterfoil::command::{Receipt, Rejection};
use counterfoil::ledger::{NewPayment, NewTopUp, Processing};
use counterfoil::money::{Currency, Money, MoneyError};
use counterfoil::status::PaymentStatus;

use super::trial::Trial;
use crate::desk::created;
use crate::fixtures::{credits, invoice, money, usd, wallet};

async fn pay(trial: &Trial, amount: Money) -> Receipt {
    let new = NewPayment::new(amount, invoice("inv_1"), credits("w"));
    trial.done(&trial.desk.create(&trial.caller, new)).await
}

fn status(receipt: &Receipt) -> Option<PaymentStatus> {
    receipt.payment().map(|payment| payment.status())
}

pub(super) async fn a_balance_is_the_sum_of_what_came_and_went(trial: &mut Trial) {
    let mut expected = 0;
    for (in_, out) in [(100, 30), (7, 77), (1, 0), (50, 51)] {
        trial.top_up("w", in_).await;
        if out > 0 {
            assert_eq!(status(&pay(trial, usd(out)).await), Some(PaymentStatus::Succeeded));
        }
        expected += in_ - out;
        assert_eq!(trial.balance("w").await, expected);
    }
    assert_eq!(expected, 0);
}

pub(super) async fn a_wallet_gives_what_it_holds_and_no_unit_more(trial: &mut Trial) {
    trial.top_up("w", 100).await;
    let refused = pay(trial, usd(101)).await;
    assert_eq!(status(&refused), Some(PaymentStatus::Failed));
    assert_eq!(trial.balance("w").await, 100);
    let failure = refused.payment().and_then(|payment| payment.attempts().next()?.failure().cloned());
    assert_eq!(failure.expect("why it failed").code.as_str(), "insufficient_credits");

    let new = NewPayment::new(usd(100), invoice("inv_1"), credits("w")).recorded_only();
    let later = trial.desk.create(&trial.caller, new);
    assert_eq!(status(&trial.done(&later).await), Some(PaymentStatus::Pending));
    let process = trial.desk.process(&trial.caller, created(&later), Processing::default());
    assert_eq!(status(&trial.done(&process).await), Some(PaymentStatus::Succeeded));
    assert_eq!(trial.balance("w").await, 0);
    assert_eq!(status(&pay(trial, usd(1)).await), Some(PaymentStatus::Failed));
}

pub(super) async fn currencies_of_a_wallet_are_apart(trial: &mut Trial) {
    trial.top_up("w", 100).await;
    assert_eq!(status(&pay(trial, money(1, Currency::JPY)).await), Some(PaymentStatus::Failed));
    let yen = NewTopUp::new(wallet("w"), money(7, Currency::JPY));
    trial.done(&trial.desk.top_up(&trial.caller, yen)).await;
    assert_eq!(status(&pay(trial, money(7, Currency::JPY)).await), Some(PaymentStatus::Succeeded));
    let account = trial.wallet(&trial.caller.scope, "w").await.expect("it was topped up");
    let balances: Vec<Money> = account.balances().collect();
    assert_eq!(balances, [money(0, Currency::JPY), usd(100)]);
}

pub(super) async fn a_wallet_holds_no_more_than_money_can_say(trial: &mut Trial) {
    trial.top_up("w", Money::MAX_MINOR - 1).await;
    let more = trial.desk.top_up(&trial.caller, NewTopUp::new(wallet("w"), usd(2)));
    assert_eq!(trial.refused(&more).await, Rejection::Money(MoneyError::TooLarge));
    trial.top_up("w", 1).await;
    assert_eq!(trial.balance("w").await, Money::MAX_MINOR);
}

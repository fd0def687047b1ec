//! What is paid: a row that keeps what its payments come to.

use std::sync::Arc;

use counterfoil::account::{Account, AccountId, Owed, Totals};
use counterfoil::command::{Command, Rejection};
use counterfoil::ledger::{NewCapture, NewPayment, NewRefund, NewVoid, Processing};
use counterfoil::money::{Currency, Money};
use counterfoil::scope::Scope;
use counterfoil::store::Key;

use super::scope::strangers;
use super::trial::{Trial, ok, present, split};
use crate::desk::{created, started};
use crate::fixtures::{card, customer, evidence, failed, invoice, money, succeeded, unknown, usd};

async fn find(trial: &Trial, scope: &Scope, name: &str) -> Option<Arc<Account>> {
    let id = AccountId::destination(&invoice(name));
    let state = trial.read(&[Key::Account(scope.clone(), id.clone())]).await;
    present(state.account(scope, &id))
}

/// What the payments of the caller's invoice come to: paid, pending, refunded.
async fn totals(trial: &Trial, name: &str) -> [i128; 3] {
    let account = find(trial, &trial.caller.scope, name).await;
    let Totals { paid, pending, refunded, .. } =
        account.map(|row| row.totals(Currency::USD)).unwrap_or_default();
    [paid, pending, refunded]
}

fn owed(amount_due: Money) -> Owed {
    Owed { amount_due, number: "No. 9".parse().ok(), payable: true }
}

fn charge(cents: i64) -> NewPayment {
    NewPayment::new(usd(cents), invoice("inv_1"), card())
}

pub(super) async fn a_row_is_what_its_payments_come_to(trial: &mut Trial) {
    let (first, attempt) = trial.charge(charge(300)).await;
    assert_eq!(totals(trial, "inv_1").await, [0, 300, 0]);
    trial.report(first, attempt, evidence(succeeded(None), 1)).await;
    assert_eq!(totals(trial, "inv_1").await, [300, 0, 0]);
    let (held, attempt) = trial.charge(charge(200).captured_later()).await;
    trial.report(held, attempt, evidence(succeeded(None), 1)).await;
    assert_eq!(totals(trial, "inv_1").await, [300, 200, 0]);
    let capture = trial.desk.capture(&trial.caller, held, NewCapture::of(usd(150)));
    trial.done(&capture).await;
    assert_eq!(totals(trial, "inv_1").await, [300, 200, 0], "nobody knows yet whether it was captured");
    trial.report(held, started(&capture), evidence(succeeded(None), 2)).await;
    assert_eq!(totals(trial, "inv_1").await, [450, 0, 0]);
    let refund = trial.desk.refund(&trial.caller, first, NewRefund::of(usd(100)));
    trial.done(&refund).await;
    assert_eq!(totals(trial, "inv_1").await, [450, 0, 0]);
    trial.report(first, started(&refund), evidence(succeeded(None), 2)).await;
    assert_eq!(totals(trial, "inv_1").await, [450, 0, 100]);
    assert_eq!(totals(trial, "inv_2").await, [0, 0, 0]);
    for stranger in strangers() {
        assert!(find(trial, &stranger.scope, "inv_1").await.is_none(), "{stranger:?}");
    }
}

pub(super) async fn payments_at_once_all_count(trial: &mut Trial) {
    let commands: Vec<Command> = (0..16).map(|_| trial.desk.create(&trial.caller, charge(10))).collect();
    trial.together(commands.clone()).await.into_iter().for_each(|answer| drop(ok(answer)));
    assert_eq!(totals(trial, "inv_1").await, [0, 160, 0]);
    let report = |at: usize, command: &Command| {
        let end = if at.is_multiple_of(4) {
            failed(counterfoil::payment::FailureClass::Hard)
        } else {
            succeeded(None)
        };
        trial.desk.report(&trial.caller, created(command), started(command), evidence(end, 1))
    };
    let reports = commands.iter().enumerate().map(|(at, command)| report(at, command)).collect();
    trial.together(reports).await.into_iter().for_each(|answer| drop(ok(answer)));
    assert_eq!(totals(trial, "inv_1").await, [120, 0, 0]);
}

pub(super) async fn what_is_registered_is_kept_beside_it(trial: &mut Trial) {
    trial.charge(charge(300)).await;
    let register = |due| trial.desk.register(&trial.caller, invoice("inv_1"), owed(due));
    assert_eq!(trial.done(&register(usd(1_000))).await.sequence, 1);
    let row = find(trial, &trial.caller.scope, "inv_1").await.expect("it is registered");
    assert_eq!((row.version(), row.owed()), (1, Some(&owed(usd(1_000)))));
    assert_eq!(totals(trial, "inv_1").await, [0, 300, 0]);
    assert!(trial.done(&register(usd(1_000))).await.replayed, "it is so already");
    assert_eq!(trial.done(&register(usd(500))).await.sequence, 2);
    // Before anything is paid, too.
    trial.done(&trial.desk.register(&trial.caller, invoice("inv_2"), owed(money(7, Currency::JPY)))).await;
    let new = NewPayment::new(usd(1), invoice("inv_2"), card());
    let foreign = trial.desk.create(&trial.caller, new);
    assert_eq!(trial.refused(&foreign).await, Rejection::DestinationCurrency { expected: Currency::JPY });
    if trial.is_durable() {
        trial.reopen().await;
        let row = find(trial, &trial.caller.scope, "inv_1").await.expect("it is registered");
        assert_eq!((row.version(), row.owed()), (2, Some(&owed(usd(500)))));
        assert_eq!(totals(trial, "inv_1").await, [0, 300, 0]);
    }
}

pub(super) async fn a_charge_beyond_what_is_due_is_refused(trial: &mut Trial) {
    trial.done(&trial.desk.register(&trial.caller, invoice("inv_1"), owed(usd(1_000)))).await;
    let (payment, attempt) = trial.charge(charge(700)).await;
    let no = |remaining| Rejection::ExceedsDue { destination: invoice("inv_1"), remaining: usd(remaining) };
    assert_eq!(trial.refused(&trial.desk.create(&trial.caller, charge(301))).await, no(300));
    let later = trial.recorded(charge(301)).await;
    let process = |payment| trial.desk.process(&trial.caller, payment, Processing::default());
    assert_eq!(trial.refused(&process(later)).await, no(300), "to record one is to charge nothing");
    trial.report(payment, attempt, evidence(succeeded(None), 1)).await;
    assert_eq!(trial.refused(&process(later)).await, no(300));
    let void = trial.desk.void(&trial.caller, payment, NewVoid::default());
    trial.done(&void).await;
    trial.report(payment, started(&void), evidence(succeeded(None), 2)).await;
    trial.done(&process(later)).await;
    trial.charge(charge(699)).await;
    assert_eq!(trial.refused(&trial.desk.create(&trial.caller, charge(1))).await, no(0));
}

pub(super) async fn beside_a_doubt_no_invoice_is_charged(trial: &mut Trial) {
    let (lost, attempt) = trial.charge(charge(5)).await;
    trial.report(lost, attempt, evidence(unknown(), 1)).await;
    let again = trial.desk.create(&trial.caller, charge(5));
    let no = Rejection::DestinationInDoubt { destination: invoice("inv_1"), payment: lost };
    assert_eq!(trial.refused(&again).await, no);
    trial.charge(NewPayment::new(usd(5), invoice("inv_2"), card())).await;
    let (lost_too, attempt_too) = trial.charge(NewPayment::new(usd(5), customer("inv_1"), card())).await;
    trial.report(lost_too, attempt_too, evidence(unknown(), 1)).await;
    trial.charge(NewPayment::new(usd(5), customer("inv_1"), card())).await;
    trial.report(lost, attempt, evidence(failed(counterfoil::payment::FailureClass::Hard), 2)).await;
    trial.done(&again).await;
}

/// INVARIANTS 31 for what is due: of charges at the same time no more are made than there is room for.
pub(super) async fn of_charges_at_once_no_more_are_made_than_is_due(trial: &mut Trial) {
    trial.done(&trial.desk.register(&trial.caller, invoice("inv_1"), owed(usd(1_000)))).await;
    let commands = (0..20).map(|_| trial.desk.create(&trial.caller, charge(150))).collect();
    let (made, refused) = split(trial.together(commands).await);
    assert_eq!(made.len(), 6);
    for rejection in refused {
        assert!(matches!(rejection, Rejection::ExceedsDue { .. }), "{rejection:?}");
    }
    assert_eq!(totals(trial, "inv_1").await, [0, 900, 0]);
    // The same for payments that are there already.
    let mut recorded = Vec::new();
    for _ in 0..8 {
        recorded.push(trial.recorded(charge(40)).await);
    }
    let process = |id| trial.desk.process(&trial.caller, id, Processing::default());
    let (made, _) = split(trial.together(recorded.into_iter().map(process).collect()).await);
    assert_eq!(made.len(), 2);
    assert_eq!(totals(trial, "inv_1").await, [0, 980, 0]);
}

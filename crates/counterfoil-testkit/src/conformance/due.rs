//! What is to be done, and when.

use std::time::Duration;

use counterfoil::clock::{Clock, Timestamp};
use counterfoil::event::StreamId;
use counterfoil::id::PaymentId;
use counterfoil::ledger::{NewPayment, NewRefund, NewVoid};
use counterfoil::payment::Work;
use counterfoil::scope::Caller;
use counterfoil::store::Due;

use super::trial::{Trial, card_payment, ok};
use crate::desk::{created, started};
use crate::fixtures::{caller, evidence, pending, scope, succeeded, unknown};
use crate::script::Script;

async fn due(trial: &Trial, now: Timestamp, limit: usize) -> Vec<Due> {
    ok(trial.store.due(now, limit).await)
}

/// What should be: what each payment says, the earliest first.
async fn expected(trial: &Trial, now: Timestamp) -> Vec<Due> {
    let mut all = Vec::new();
    for head in trial.heads().await {
        let StreamId::Payment(id) = head.stream else { continue };
        let payment = trial.find(&head.scope, id).await.expect("it has events");
        let next = payment.next_due().filter(|(at, _)| *at <= now);
        all.extend(next.map(|(at, _)| Due { at, scope: head.scope.clone(), payment: id }));
    }
    all.sort();
    all
}

/// What the store's `due` shows is what the payments say.
fn assert_shown(shown: &[Due], said: &[Due], when: &str) {
    assert!(
        shown == said,
        "due {when}: the store's `due` shows {}, by `next_due` of the payments it is {}:\nthe store: {shown:#?}\nthe payments: {said:#?}",
        shown.len(),
        said.len(),
    );
}

/// At every moment at which something is due, a microsecond before it, and with every limit.
async fn assert_due(trial: &Trial) {
    let all = expected(trial, Timestamp::MAX).await;
    assert_shown(&due(trial, Timestamp::MAX, usize::MAX >> 1).await, &all, "ever");
    for limit in [0, 1, 2, 3, all.len()] {
        let first = &all[..limit.min(all.len())];
        assert_shown(&due(trial, Timestamp::MAX, limit).await, first, &format!("ever, at most {limit}"));
    }
    for now in all.iter().map(|due| due.at) {
        let before = now.saturating_sub(Duration::from_micros(1));
        for now in [before, now] {
            let by_then: Vec<Due> = all.iter().filter(|due| due.at <= now).cloned().collect();
            assert_shown(&due(trial, now, 1_000).await, &by_then, &format!("by {now}"));
        }
    }
}

pub(super) async fn what_waits_longest_comes_first(trial: &mut Trial) {
    let start = trial.desk.clock().now();
    let whose = [
        caller("zeta"),
        caller("acme"),
        caller("Acme"),
        Caller::new(scope("acme", "sandbox"), "tester".parse().expect("a valid actor")),
    ];
    // The last is due first; some at one time.
    for (place, days) in [9, 8, 8, 8, 8, 7, 7, 7, 7, 1, 1, 3, 2].into_iter().enumerate() {
        let at = start.saturating_add(Duration::from_secs(days * 86_400));
        let new = card_payment().recorded_only().expiring_at(at);
        trial.done(&trial.desk.create(&whose[place % whose.len()], new)).await;
    }
    let never = card_payment().recorded_only();
    trial.done(&trial.desk.create(&trial.caller, never)).await;
    assert_eq!(expected(trial, Timestamp::MAX).await.len(), 13);
    assert_due(trial).await;
    assert_shown(&due(trial, start, 100).await, &[], "at the start");
}

pub(super) async fn every_event_moves_what_is_due(trial: &mut Trial) {
    let expires = trial.desk.clock().now().saturating_add(Duration::from_secs(1_000_000));
    let create = trial.desk.create(&trial.caller, card_payment().captured_later().expiring_at(expires));
    trial.done(&create).await;
    let (payment, attempt) = (created(&create), started(&create));
    let mut seen = vec![only_due(trial, payment).await];
    for outcome in [pending(), unknown()] {
        trial.report(payment, attempt, evidence(outcome, 1)).await;
        seen.push(only_due(trial, payment).await);
    }
    for polls in 0..3 {
        let work = Work::Poll { operation: attempt, polls };
        trial.desk.clock().set(seen[seen.len() - 1]);
        trial.done(&trial.desk.poll(&trial.caller, payment, work)).await;
        seen.push(only_due(trial, payment).await);
    }
    assert!(seen[2..].is_sorted_by(|one, next| one < next), "each time later: {seen:?}");
    trial.report(payment, attempt, evidence(succeeded(None), 2)).await;
    assert_eq!(only_due(trial, payment).await, expires, "a hold runs out");
    let void = trial.desk.void(&trial.caller, payment, NewVoid::default());
    trial.done(&void).await;
    assert!(only_due(trial, payment).await < expires, "whoever was sent may be lost");
    trial.report(payment, started(&void), evidence(succeeded(None), 3)).await;
    assert_shown(&due(trial, Timestamp::MAX, 10).await, &[], "ever");
}

/// When something is due about the one payment there is.
async fn only_due(trial: &Trial, payment: PaymentId) -> Timestamp {
    let found = due(trial, Timestamp::MAX, 10).await;
    assert_shown(&found, &expected(trial, Timestamp::MAX).await, "ever");
    assert_eq!(found.len(), 1, "so many things are due, and one is to be: {found:?}");
    assert_eq!(found[0].payment, payment);
    found[0].at
}

pub(super) async fn what_is_settled_is_due_no_more(trial: &mut Trial) {
    let (paid, attempt) = trial.charging().await;
    trial.report(paid, attempt, evidence(succeeded(None), 1)).await;
    let start = trial.desk.clock().now();
    let new: NewPayment =
        card_payment().recorded_only().expiring_at(start.saturating_add(Duration::from_secs(5)));
    let over = trial.recorded(new).await;
    only_due(trial, over).await;
    trial.desk.clock().advance(Duration::from_secs(5));
    trial.done(&trial.desk.lapse(&trial.caller, over, Work::Expire)).await;
    assert_shown(&due(trial, Timestamp::MAX, 10).await, &[], "ever");

    let refund = trial.desk.refund(&trial.caller, paid, NewRefund::all());
    trial.done(&refund).await;
    assert_due(trial).await;
    only_due(trial, paid).await; // nobody knows yet what became of the refund
    trial.report(paid, started(&refund), evidence(succeeded(None), 2)).await;
    assert_shown(&due(trial, Timestamp::MAX, 10).await, &[], "ever");
}

pub(super) async fn it_is_what_the_payments_say(trial: &mut Trial) {
    let mut seen = 0;
    for commands in Script::seeded(4, 250).commands().chunks(5) {
        for command in commands {
            let _ = trial.store.execute(command.clone()).await;
        }
        seen += expected(trial, Timestamp::MAX).await.len();
        assert_due(trial).await;
    }
    assert!(seen > 20, "the script leaves things to be done: {seen}");
}

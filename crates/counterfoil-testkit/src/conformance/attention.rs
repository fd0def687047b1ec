//! Who waits for a person.

use std::time::Duration;

use counterfoil::clock::{Clock, Timestamp};
use counterfoil::command::{Policy, Resolution};
use counterfoil::id::PaymentId;
use counterfoil::ledger::{NewPayment, NewResolution};
use counterfoil::payment::{Attention, FailureClass, Work};
use counterfoil::scope::Scope;
use counterfoil::store::{Filter, Query};
use counterfoil::text::Message;

use super::trial::{Trial, ok};
use crate::fixtures::{caller, card, customer, evidence, failed, succeeded, unknown, usd};

async fn who_needs(trial: &Trial, scope: &Scope, attention: Attention) -> Vec<PaymentId> {
    let mut filter = Filter::default();
    filter.attention = Some(attention);
    let mut query = Query::new(filter, 100);
    query.count = true;
    let page = ok(trial.store.list(scope, &query).await);
    assert_eq!(page.total, Some(page.payments.len() as u64));
    assert!(page.payments.iter().all(|payment| payment.needs(attention)));
    page.payments.iter().map(|payment| payment.id()).collect()
}

pub(super) async fn who_waits_for_a_person_is_found(trial: &mut Trial) {
    trial.desk.set_policy(Policy::default().with_polls([Duration::from_secs(5)]));
    let scope = trial.caller.scope.clone();
    // Of no invoice, so that one in doubt keeps no other from being charged.
    let new = || NewPayment::new(usd(1_000), customer("cus_1"), card());
    let (late, attempt) = trial.charge(new()).await;
    trial.report(late, attempt, evidence(failed(FailureClass::Hard), 1)).await;
    trial.charge(new()).await;
    assert!(who_needs(trial, &scope, Attention::Review).await.is_empty());
    trial.report(late, attempt, evidence(succeeded(None), 2)).await;
    assert_eq!(who_needs(trial, &scope, Attention::Review).await, [late]);
    assert!(who_needs(trial, &scope, Attention::Stuck).await.is_empty());
    assert!(who_needs(trial, &caller("other").scope, Attention::Review).await.is_empty());

    let (lost, attempt) = trial.charge(new()).await;
    trial.report(lost, attempt, evidence(unknown(), 1)).await;
    for polls in 0..2 {
        assert!(who_needs(trial, &scope, Attention::Stuck).await.is_empty(), "it is asked about");
        trial.desk.clock().set(next(trial, lost).await);
        let work = Work::Poll { operation: attempt, polls };
        trial.done(&trial.desk.poll(&trial.caller, lost, work)).await;
    }
    assert_eq!(who_needs(trial, &scope, Attention::Stuck).await, [lost]);

    let note = || Message::lossy("asked by telephone");
    let settled = NewResolution::new(Resolution::Failed, note()).about(attempt);
    trial.done(&trial.desk.resolve(&trial.caller, lost, settled)).await;
    assert!(who_needs(trial, &scope, Attention::Stuck).await.is_empty());
    assert_eq!(who_needs(trial, &scope, Attention::Review).await, [lost, late], "the newest first");
    for payment in [late, lost] {
        let seen = NewResolution::new(Resolution::Dismissed, note());
        trial.done(&trial.desk.resolve(&trial.caller, payment, seen)).await;
    }
    assert!(who_needs(trial, &scope, Attention::Review).await.is_empty());
}

async fn next(trial: &Trial, payment: PaymentId) -> Timestamp {
    let due = trial.payment(payment).await.next_due();
    due.map_or_else(|| trial.desk.clock().now(), |(at, _)| at)
}

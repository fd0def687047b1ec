//! Histories.

use std::slice;
use std::sync::Arc;

use counterfoil::account::AccountId;
use counterfoil::event::{Event, StreamId, evolve_account, evolve_payment};
use counterfoil::id::PaymentId;
use counterfoil::ledger::{NewPayment, NewTopUp, Update};
use counterfoil::payment::FailureClass;
use counterfoil::text::Metadata;
use uuid::Uuid;

use super::shown::assert_same;
use super::trial::{Trial, card_payment, ok};
use crate::fixtures::{credits, evidence, failed, invoice, pending, requires_action, succeeded, usd, wallet};

/// More events than anybody has in one page.
const MANY: u64 = 260;

/// A payment with five events.
async fn told(trial: &Trial) -> StreamId {
    let (payment, attempt) = trial.charging().await;
    for outcome in [pending(), requires_action(), failed(FailureClass::Hard), succeeded(None)] {
        trial.report(payment, attempt, evidence(outcome, 1)).await;
    }
    StreamId::Payment(payment)
}

/// A wallet with five events.
async fn used(trial: &Trial) -> StreamId {
    for _ in 0..3 {
        trial.top_up("w", 100).await;
    }
    for _ in 0..2 {
        let new = NewPayment::new(usd(100), invoice("inv_1"), credits("w"));
        trial.done(&trial.desk.create(&trial.caller, new)).await;
    }
    StreamId::Account(AccountId::wallet(&wallet("w")))
}

pub(super) async fn events_come_in_order_behind_after(trial: &mut Trial) {
    for stream in [told(trial).await, used(trial).await] {
        let all = trial.history(&trial.caller.scope, &stream).await;
        let sequences: Vec<u64> = all.iter().map(|event| event.sequence()).collect();
        assert_eq!(sequences, [1, 2, 3, 4, 5]);
        for event in &all {
            assert_eq!((event.scope(), event.stream()), (&trial.caller.scope, &stream));
            let read = Arc::new(ok(Event::decode(event.bytes(), event.hash())));
            assert_same(&[read], slice::from_ref(event), "what its bytes say");
        }
        for after in 0..7 {
            let behind = ok(trial.store.history(&trial.caller.scope, &stream, after, 100).await);
            let expected: Vec<Arc<Event>> =
                all.iter().filter(|event| event.sequence() > after).cloned().collect();
            assert_same(&behind, &expected, &format!("behind {after}"));
        }
        let behind = ok(trial.store.history(&trial.caller.scope, &stream, u64::MAX, 100).await);
        assert!(behind.is_empty());
    }
}

pub(super) async fn any_page_size_gives_the_same_events(trial: &mut Trial) {
    for stream in [told(trial).await, used(trial).await] {
        let all = trial.history(&trial.caller.scope, &stream).await;
        for limit in 1..=6 {
            let mut paged: Vec<Arc<Event>> = Vec::new();
            loop {
                let after = paged.last().map_or(0, |event| event.sequence());
                let page = ok(trial.store.history(&trial.caller.scope, &stream, after, limit).await);
                assert!(page.len() <= limit);
                if page.is_empty() {
                    break;
                }
                paged.extend(page);
                assert!(paged.len() <= all.len(), "something came twice");
            }
            assert_same(&paged, &all, &format!("in pages of {limit}"));
        }
        assert!(ok(trial.store.history(&trial.caller.scope, &stream, 0, 0).await).is_empty());
    }
}

pub(super) async fn what_does_not_exist_has_no_history(trial: &mut Trial) {
    told(trial).await;
    used(trial).await;
    let nobody = StreamId::Payment(PaymentId::new(Uuid::max()));
    let unused = StreamId::Account(AccountId::wallet(&wallet("W")));
    for stream in [nobody, unused, StreamId::Account(AccountId::funding())] {
        assert!(trial.history(&trial.caller.scope, &stream).await.is_empty(), "{stream}");
    }
}

pub(super) async fn events_fold_to_the_stored_state_at_every_step(trial: &mut Trial) {
    let (id, attempt) = trial.charging().await;
    let mut stored = vec![trial.payment(id).await];
    for outcome in [pending(), requires_action(), failed(FailureClass::Hard), succeeded(None)] {
        trial.report(id, attempt, evidence(outcome, 1)).await;
        stored.push(trial.payment(id).await);
    }
    let mut folded = None;
    for (event, stored) in trial.history(&trial.caller.scope, &StreamId::Payment(id)).await.iter().zip(stored)
    {
        folded = Some(ok(evolve_payment(folded.as_ref(), event)));
        assert_eq!(folded.as_ref(), Some(&*stored), "after event {}", event.sequence());
    }
    let mut folded = None;
    for event in trial.history(&trial.caller.scope, &used(trial).await).await {
        folded = Some(ok(evolve_account(folded.as_ref(), &event)));
    }
    assert_eq!(folded.as_ref(), trial.wallet(&trial.caller.scope, "w").await.as_deref());
}

pub(super) async fn a_long_history_is_shown_to_its_end(trial: &mut Trial) {
    let payment = trial.recorded(card_payment()).await;
    let noted = |at: u64| Update::default().with_metadata(notes(at));
    let updates = (1..MANY).map(|at| trial.set(payment, noted(at))).collect();
    let more = || trial.desk.top_up(&trial.caller, NewTopUp::new(wallet("w"), usd(1)));
    let credits = (0..MANY).map(|_| more()).collect();
    for answer in trial.together_in_order(vec![updates, credits]).await {
        ok(answer);
    }
    for stream in [StreamId::Payment(payment), StreamId::Account(AccountId::wallet(&wallet("w")))] {
        for from in [0, MANY / 2, MANY - 1] {
            let shown = sequences(trial, &stream, from).await;
            assert_eq!(shown, (from + 1..=MANY).collect::<Vec<_>>(), "{stream} behind {from}");
        }
    }
}

fn notes(at: u64) -> Metadata {
    Metadata::new([("at", at.to_string())]).expect("valid metadata")
}

/// Which events are shown behind `after`, page by page.
async fn sequences(trial: &Trial, stream: &StreamId, after: u64) -> Vec<u64> {
    let mut shown = Vec::new();
    loop {
        let behind = shown.last().copied().unwrap_or(after);
        let page = ok(trial.store.history(&trial.caller.scope, stream, behind, 1_000).await);
        if page.is_empty() {
            return shown;
        }
        shown.extend(page.iter().map(|event| event.sequence()));
    }
}

//! Closing, and opening again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use counterfoil::clock::Timestamp;
use counterfoil::command::{Command, Receipt};
use counterfoil::event::StreamId;
use counterfoil::ledger::NewPayment;
use counterfoil::store::{
    Cursor, ExecuteError, Filter, Health, Key, PaymentStore, Position, Query, StoreErrorKind,
};

use super::trial::{Trial, card_payment, ok, place};
use crate::desk::created;
use crate::fixtures::{credits, invoice, key, usd};

pub(super) async fn a_closed_store_says_so(trial: &mut Trial) {
    let (payment, _) = trial.charging().await;
    assert_eq!(trial.store.status().health, Health::Ok);
    ok(trial.store.close().await);
    ok(trial.store.close().await);
    assert_eq!(trial.store.status().health, Health::Closed);
    let closed = |kind: Option<StoreErrorKind>| assert_eq!(kind, Some(StoreErrorKind::Closed));
    let store = &trial.store;
    let scope = &trial.caller.scope;
    match store.execute(trial.desk.create(&trial.caller, card_payment())).await {
        Err(ExecuteError::NotCommitted(error)) => closed(Some(error.kind())),
        other => panic!("certainly nothing was written, but: {other:?}"),
    }
    let stream = StreamId::Payment(payment);
    closed(store.read(&[Key::Payment(scope.clone(), payment)]).await.err().map(|error| error.kind()));
    closed(store.history(scope, &stream, 0, 1).await.err().map(|error| error.kind()));
    let query = Query::new(Filter::default(), 1);
    closed(store.list(scope, &query).await.err().map(|error| error.kind()));
    closed(store.feed(None, Position::START, 1).await.err().map(|error| error.kind()));
    closed(store.feed(Some(scope), Position::START, 1).await.err().map(|error| error.kind()));
    closed(store.news(Position::START).await.err().map(|error| error.kind()));
    closed(store.heads(&Cursor::START, 1).await.err().map(|error| error.kind()));
    closed(store.due(Timestamp::MAX, 1).await.err().map(|error| error.kind()));
}

pub(super) async fn what_was_acknowledged_is_there_when_opened_again(trial: &mut Trial) {
    let new = card_payment().with_idempotency_key(key("k"));
    let command = trial.desk.create(&trial.caller, new.clone());
    let first = trial.done(&command).await;
    trial.top_up("w", 100).await;
    let (payment, heads, digest) =
        (trial.payment(created(&command)).await, trial.heads().await, trial.digest().await);
    trial.reopen().await;
    if trial.is_durable() {
        assert_eq!((trial.heads().await, trial.digest().await), (heads, digest));
        assert_eq!(trial.payment(created(&command)).await, payment);
        assert_eq!(trial.balance("w").await, 100);
        let again = trial.done(&trial.desk.create(&trial.caller, new)).await;
        assert_eq!((place(&again), again.replayed), (place(&first), true));
    } else {
        assert_eq!(trial.heads().await, [], "what says that it keeps nothing keeps nothing");
        assert!(!trial.done(&command).await.replayed);
    }
}

pub(super) async fn closing_ends_what_was_taken(trial: &mut Trial) {
    let commands: Vec<_> = (0..32).map(|_| trial.desk.create(&trial.caller, card_payment())).collect();
    let store = trial.store.clone();
    let closing = tokio::spawn(async move { store.close().await });
    let answers = trial.together(commands.clone()).await;
    ok(ok(closing.await));
    trial.reopen().await;
    for (command, answer) in commands.iter().zip(answers) {
        let there = trial.find(&trial.caller.scope, created(command)).await.is_some();
        match answer {
            Ok(_) => assert_eq!(there, trial.is_durable(), "what was acknowledged is there if it can be"),
            Err(ExecuteError::NotCommitted(error)) => {
                assert_eq!(error.kind(), StoreErrorKind::Closed);
                assert!(!there, "what was not committed is not there");
            }
            Err(ExecuteError::Unknown(error)) => assert_eq!(error.kind(), StoreErrorKind::Closed),
            Err(ExecuteError::Rejected(rejection)) => panic!("closing is no reason to refuse: {rejection}"),
        }
    }
}

/// Closed by two while eight are at work: each answer is right when the books are opened again.
pub(super) async fn closing_in_the_middle_of_work_is_no_lie(trial: &mut Trial) {
    trial.top_up("w", 10_000).await;
    let done = Arc::new(AtomicUsize::new(0));
    let workers: Vec<_> = (0..8)
        .map(|_| {
            let new = || NewPayment::new(usd(1), invoice("inv_1"), credits("w"));
            let commands = (0..100).map(|_| trial.desk.create(&trial.caller, new())).collect();
            tokio::spawn(work(trial.store.clone(), commands, done.clone()))
        })
        .collect();
    while done.load(Ordering::SeqCst) < 20 {
        tokio::task::yield_now().await;
    }
    let closers: Vec<_> = (0..2)
        .map(|_| {
            let store = trial.store.clone();
            tokio::spawn(async move { store.close().await })
        })
        .collect();
    let mut answered = Vec::new();
    for worker in workers {
        answered.extend(ok(worker.await));
    }
    for closer in closers {
        ok(ok(closer.await));
    }
    trial.reopen().await;
    if trial.is_durable() {
        assert_right(trial, answered).await;
    }
}

type Answered = Vec<(Command, Result<Receipt, ExecuteError>)>;

/// One command after the other, until one is not done.
async fn work(store: Arc<dyn PaymentStore>, commands: Vec<Command>, done: Arc<AtomicUsize>) -> Answered {
    let mut answered = Vec::new();
    for command in commands {
        let answer = store.execute(command.clone()).await;
        let goes_on = answer.is_ok();
        answered.push((command, answer));
        done.fetch_add(1, Ordering::SeqCst);
        if !goes_on {
            break;
        }
        tokio::task::yield_now().await;
    }
    answered
}

async fn assert_right(trial: &Trial, answered: Answered) {
    let mut paid = 0;
    for (command, answer) in answered {
        let there = trial.find(&trial.caller.scope, created(&command)).await.is_some();
        match answer {
            Ok(_) => assert!(there, "what was acknowledged is there"),
            Err(ExecuteError::NotCommitted(error)) => {
                assert_eq!(error.kind(), StoreErrorKind::Closed);
                assert!(!there, "what was not committed is not there");
            }
            Err(ExecuteError::Unknown(_)) => {}
            Err(ExecuteError::Rejected(rejection)) => panic!("closing is no reason to refuse: {rejection}"),
        }
        assert_eq!(trial.done(&command).await.replayed, there, "executing it again settles it");
        paid += 1;
    }
    assert_eq!(trial.balance("w").await, 10_000 - paid);
}

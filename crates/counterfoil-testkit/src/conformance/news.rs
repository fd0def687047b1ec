//! Waiting for news.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use counterfoil::store::{PaymentStore, Position, StoreError, StoreErrorKind};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::trial::{Trial, card_payment, ok, soon};

/// Long enough for a store to have looked, and to wait.
const A_WHILE: Duration = Duration::from_millis(20);

async fn end(trial: &Trial) -> Position {
    ok(trial.store.feed(None, Position::START, 10_000).await).next
}

/// Somebody who waits, in a task of their own.
fn wait(store: &Arc<dyn PaymentStore>, after: Position) -> JoinHandle<Result<(), StoreError>> {
    let store = store.clone();
    tokio::spawn(async move { store.news(after).await })
}

/// Somebody who has been waiting for a while already.
async fn waiting(store: &Arc<dyn PaymentStore>, after: Position) -> JoinHandle<Result<(), StoreError>> {
    let (tell, told) = oneshot::channel();
    let store = store.clone();
    let task = tokio::spawn(async move {
        let mut news = pin!(store.news(after));
        assert!(timeout(A_WHILE, news.as_mut()).await.is_err(), "there is nothing yet");
        let _ = tell.send(());
        news.await
    });
    ok(told.await);
    task
}

pub(super) async fn it_comes_back_at_once_if_there_is_something(trial: &mut Trial) {
    trial.charging().await;
    let first = ok(trial.store.feed(None, Position::START, 1).await).next;
    trial.charging().await;
    for after in [Position::START, first] {
        ok(soon(wait(&trial.store, after)).await);
    }
}

pub(super) async fn a_commit_wakes_whoever_waits(trial: &mut Trial) {
    for _ in 0..3 {
        let after = end(trial).await;
        let mut all = Vec::new();
        for _ in 0..4 {
            all.push(waiting(&trial.store, after).await);
        }
        trial.done(&trial.desk.create(&crate::fixtures::caller("other"), card_payment())).await;
        for one in all {
            ok(soon(one).await);
        }
        assert!(end(trial).await > after);
    }
}

/// Between looking and waiting something may be committed.
pub(super) async fn no_commit_slips_through_between_looking_and_waiting(trial: &mut Trial) {
    for _ in 0..50 {
        let after = end(trial).await;
        let (store, command) = (trial.store.clone(), trial.desk.create(&trial.caller, card_payment()));
        let writing = tokio::spawn(async move { store.execute(command).await });
        ok(soon(wait(&trial.store, after)).await);
        ok(ok(writing.await));
    }
}

pub(super) async fn closing_wakes_whoever_waits(trial: &mut Trial) {
    trial.charging().await;
    let after = end(trial).await;
    let mut all = vec![wait(&trial.store, after)];
    for _ in 0..4 {
        all.push(waiting(&trial.store, after).await);
    }
    ok(trial.store.close().await);
    for one in all {
        let answer = soon(one).await;
        assert_eq!(answer.err().map(|error| error.kind()), Some(StoreErrorKind::Closed));
    }
}

pub(super) async fn a_dropped_waiter_harms_nobody(trial: &mut Trial) {
    let after = end(trial).await;
    for _ in 0..16 {
        let mut polled = pin!(trial.store.news(after));
        let _ = polled.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    }
    let aborted: Vec<_> = (0..16).map(|_| wait(&trial.store, after)).collect();
    let one = waiting(&trial.store, after).await;
    aborted.iter().for_each(JoinHandle::abort);
    trial.charging().await;
    ok(soon(one).await);
}

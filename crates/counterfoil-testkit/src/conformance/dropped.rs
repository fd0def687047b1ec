//! Futures that are dropped after their first, second, … nth poll: whoever asked does not listen any more, and that
//! is all.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use counterfoil::account::AccountId;
use counterfoil::clock::Timestamp;
use counterfoil::event::StreamId;
use counterfoil::id::PaymentId;
use counterfoil::ledger::{NewPayment, NewTopUp};
use counterfoil::store::{
    Cursor, ExecuteError, Filter, Health, Key, Lookup, Position, Query, StoreErrorKind,
};
use tokio::task::JoinHandle;

use super::trial::{Trial, card_payment, ok};
use crate::desk::created;
use crate::fixtures::{credits, invoice, usd, wallet};

/// More polls than any call needs.
const MANY: usize = 64;
/// So often a call must have come to its end by itself before nothing more is to be learnt.
const ENDS: usize = 3;

/// Polls `future`, as its own waker tells, so many times at most; then drops it. What it came to, if it did.
async fn polled<F: Future>(times: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = times;
    poll_fn(move |context| {
        let Some(rest) = left.checked_sub(1) else { return Poll::Ready(None) };
        left = rest;
        match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

pub(super) async fn a_command_is_whole_or_nothing(trial: &mut Trial) {
    trial.top_up("w", 1_000).await;
    drop_commands(trial, 1_000).await;
}

/// The same where commands have to wait for others.
pub(super) async fn a_command_that_waits_is_whole_or_nothing(trial: &mut Trial) {
    trial.top_up("w", 1_000).await;
    let over = Arc::new(AtomicBool::new(false));
    let busy: Vec<_> = (0..4).map(|_| keep_busy(trial, over.clone())).collect();
    drop_commands(trial, 1_000).await;
    over.store(true, Ordering::SeqCst);
    for task in busy {
        ok(task.await);
    }
}

fn keep_busy(trial: &Trial, over: Arc<AtomicBool>) -> JoinHandle<()> {
    let new = NewTopUp::new(wallet("busy"), usd(1));
    let commands: Vec<_> = (0..250).map(|_| trial.desk.top_up(&trial.caller, new.clone())).collect();
    let store = trial.store.clone();
    tokio::spawn(async move {
        for command in commands {
            if over.load(Ordering::SeqCst) {
                return;
            }
            ok(store.execute(command).await);
            tokio::task::yield_now().await;
        }
    })
}

/// Each command takes a cent out of the wallet: two streams, one effect.
async fn drop_commands(trial: &Trial, cents: i64) {
    let (mut ended, mut left) = (0, cents);
    for polls in 0..MANY {
        let new = NewPayment::new(usd(1), invoice("inv_1"), credits("w"));
        let command = trial.desk.create(&trial.caller, new);
        let answer = polled(polls, trial.store.execute(command.clone())).await;
        let (there, balance) = standing(trial, created(&command)).await;
        assert_eq!(balance, left - i64::from(there), "both, or neither, after {polls} polls");
        ended = if answer.is_some() { ended + 1 } else { 0 };
        if let Some(answer) = answer {
            ok(answer);
            assert!(there, "what was acknowledged is there");
        }
        // Whether it had been written was open; that it is now, and once, is not.
        trial.done(&command).await;
        left -= 1;
        assert_eq!(standing(trial, created(&command)).await, (true, left), "after {polls} polls");
        assert_eq!(trial.payment(created(&command)).await.version(), 1);
        if ended == ENDS {
            break;
        }
    }
}

/// Whether the payment is there, and what the wallet holds, at one moment.
async fn standing(trial: &Trial, payment: PaymentId) -> (bool, i64) {
    let scope = &trial.caller.scope;
    let account = AccountId::wallet(&wallet("w"));
    let keys = [Key::Payment(scope.clone(), payment), Key::Account(scope.clone(), account.clone())];
    let state = trial.read(&keys).await;
    let balance = match state.account(scope, &account) {
        Lookup::Present(account) => account.balance(usd(0).currency()).minor(),
        _ => panic!("the wallet is missing"),
    };
    (matches!(state.payment(scope, payment), Lookup::Present(_)), balance)
}

pub(super) async fn reads_harm_nobody(trial: &mut Trial) {
    let (payment, _) = trial.charging().await;
    let (store, scope) = (&trial.store, &trial.caller.scope);
    let keys = [Key::Payment(scope.clone(), payment)];
    let stream = StreamId::Payment(payment);
    let query = Query::new(Filter::default(), 10).counted();
    for polls in (0..8).cycle().take(64) {
        let _ = polled(polls, store.read(&keys)).await;
        let _ = polled(polls, store.list(scope, &query)).await;
        let _ = polled(polls, store.history(scope, &stream, 0, 10)).await;
        let _ = polled(polls, store.due(Timestamp::MAX, 10)).await;
        let _ = polled(polls, store.feed(None, Position::START, 10)).await;
        let _ = polled(polls, store.feed(Some(scope), Position::START, 10)).await;
        let _ = polled(polls, store.news(Position::START)).await;
        let _ = polled(polls, store.heads(&Cursor::START, 10)).await;
    }
    trial.charging().await;
    assert_eq!(trial.heads().await.len(), 2, "it reads and writes as before");
}

pub(super) async fn closing_can_be_done_again(trial: &mut Trial) {
    for polls in 0..8 {
        let command = trial.desk.create(&trial.caller, card_payment());
        trial.done(&command).await;
        let _ = polled(polls, trial.store.close()).await;
        ok(trial.store.close().await);
        assert_eq!(trial.store.status().health, Health::Closed);
        match trial.store.execute(command.clone()).await {
            Err(ExecuteError::NotCommitted(error)) => assert_eq!(error.kind(), StoreErrorKind::Closed),
            other => panic!("it is closed, but: {other:?}"),
        }
        trial.reopen().await;
        assert_eq!(trial.done(&command).await.replayed, trial.is_durable(), "after {polls} polls");
    }
}

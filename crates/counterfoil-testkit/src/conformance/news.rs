//! Waiting for news.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use counterfoil::store::{PaymentStore, Position, StoreError, StoreErrorKind};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, yield_now};
use tokio::time::{sleep, timeout};

use super::feed::{assert_unknown, end, unknown};
use super::trial::{SOON, Trial, card_payment, ok, soon};

/// Long enough for a store to have looked, and to wait.
const A_WHILE: Duration = Duration::from_millis(20);

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
        assert!(timeout(A_WHILE, news.as_mut()).await.is_err(), "`news` came back, and there is nothing yet");
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
        ok(soon("`news` behind which there is something", wait(&trial.store, after)).await);
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
            ok(soon("`news`, after a commit,", one).await);
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
        ok(soon("`news`, with a commit after it was called,", wait(&trial.store, after)).await);
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
        let answer = soon("`news`, after closing,", one).await;
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
    ok(soon("`news`, after a commit,", one).await);
}

/// A waker as no host should have one.
struct Panics;

impl Wake for Panics {
    fn wake(self: Arc<Self>) {
        panic!("a waker of somebody who waits for news panicked, as the case told it");
    }
}

/// Somebody who has been waiting for a while, and whose waker panics from now on.
async fn unlucky(trial: &Trial, after: Position) -> Pin<Box<dyn Future<Output = Result<(), StoreError>>>> {
    let store = trial.store.clone();
    let mut news = Box::pin(async move { store.news(after).await });
    assert!(timeout(A_WHILE, news.as_mut()).await.is_err(), "`news` came back, and there is nothing yet");
    let waker = Waker::from(Arc::new(Panics));
    assert!(
        news.as_mut().poll(&mut Context::from_waker(&waker)).is_pending(),
        "`news` came back, and there is nothing yet"
    );
    news
}

/// A panic in the host's code harms nobody but the host: not whoever writes, and not who else waits.
pub(super) async fn a_waker_that_panics_harms_nobody(trial: &mut Trial) {
    for round in 0..3 {
        let after = end(trial).await;
        let (mut others, mut unlucky_ones) = (Vec::new(), Vec::new());
        for _ in 0..4 {
            others.push(waiting(&trial.store, after).await);
            unlucky_ones.push(unlucky(trial, after).await);
        }
        others.push(waiting(&trial.store, after).await);
        if round < 2 {
            trial.charging().await;
        } else {
            ok(trial.store.close().await);
        }
        for one in others {
            let answer = soon("`news`, beside one whose waker panics,", one).await;
            assert_eq!(answer.is_ok(), round < 2, "it is told of a commit, or of closing");
        }
        for one in unlucky_ones {
            let answer = ok(timeout(A_WHILE, one).await);
            assert_eq!(answer.is_ok(), round < 2, "it finds what it was not told of, when it looks again");
        }
    }
}

/// A waker that counts how often it is woken.
#[derive(Default)]
struct Counts(AtomicUsize);

impl Wake for Counts {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// How often is asked.
const LOOKS: usize = 1_000;
/// How many of so many a store may keep, or wake: those that are on their way, but not one for each time.
const FEW: usize = 50;

/// Whoever waits beside other things, as in `select!`, asks again at each of those, with the waker it has: by the same
/// future, or by a new one in the place of one that was dropped. On quiet books that goes on without end.
pub(super) async fn asking_again_keeps_one_waker(trial: &mut Trial) {
    for anew in [false, true] {
        let after = end(trial).await;
        let count = Arc::new(Counts::default());
        let waker = Waker::from(count.clone());
        let mut news = trial.store.news(after);
        for _ in 0..LOOKS {
            if anew {
                news = trial.store.news(after);
            }
            let looked = news.as_mut().poll(&mut Context::from_waker(&waker));
            assert!(looked.is_pending(), "`news` came back, and there is nothing yet");
            // Who never does that may be told to, by a waker that is woken at once.
            yield_now().await;
        }
        // A store may hand wakers on to a thread of its own.
        for _ in 0..100 {
            if Arc::strong_count(&count) <= FEW {
                break;
            }
            sleep(A_WHILE).await;
        }
        let kept = Arc::strong_count(&count) - 2;
        let how = if anew { "by a `news` anew each time" } else { "by polling one `news`" };
        assert!(
            kept <= FEW,
            "asked {LOOKS} times {how}, with one waker, the store keeps {kept} copies of it"
        );
        let before = count.0.load(Ordering::SeqCst);
        trial.charging().await;
        let answer = ok(timeout(SOON, news).await);
        ok(answer);
        let woken = count.0.load(Ordering::SeqCst) - before;
        assert!(
            woken <= FEW,
            "asked {LOOKS} times {how}, with one waker, it is woken {woken} times by a commit"
        );
    }
}

/// INVARIANTS 40: a follower that waited there would miss later events with the numbers of events that it has seen.
pub(super) async fn unknown_positions_are_refused(trial: &mut Trial) {
    trial.charging().await;
    for (what, after) in unknown(end(trial).await) {
        let answer = soon(&format!("`news`, after a position {what},"), wait(&trial.store, after)).await;
        assert_unknown(answer, what);
    }
}

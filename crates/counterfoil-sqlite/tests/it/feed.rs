//! The feed and its news: each event once, in order, and nobody sleeps through one.

use std::collections::HashMap;
use std::sync::Arc;

use counterfoil::event::StreamId;
use counterfoil::payment::PaymentMethod;
use counterfoil::scope::Scope;
use counterfoil::status::PaymentStatus;
use counterfoil::store::{Entry, PaymentStore, Position, StoreErrorKind};
use counterfoil_sqlite::SqliteStore;
use tokio::task::JoinSet;

use crate::support::*;

const WRITERS: usize = 4;
const ROUNDS: usize = 100;

/// Follows the feed until it has seen so many events.
async fn followed(store: &dyn PaymentStore, scope: Option<&Scope>, count: usize) -> Vec<Entry> {
    let (mut seen, mut after) = (Vec::new(), Position::START);
    while seen.len() < count {
        let feed = store.feed(scope, after, 7).await.unwrap();
        assert!(feed.entries.len() <= 7);
        assert!(feed.entries.last().is_none_or(|last| last.position <= feed.next));
        seen.extend(feed.entries);
        if feed.next == after {
            soon(store.news(after)).await.unwrap();
        }
        after = feed.next;
    }
    assert_eq!(store.feed(scope, after, 7).await.unwrap().entries, [], "more than was written");
    seen
}

/// INVARIANTS 40.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_follows_the_feed_beside_writers_meets_each_event_once_and_in_order() {
    let place = Place::new();
    let store = place.open();
    let looking: Arc<SqliteStore> = Arc::new(SqliteStore::open_read_only(place.path()).unwrap());
    let mut readers = JoinSet::new();
    // A payment with credits is an event of its own and one of the wallet.
    let each = WRITERS / 2 * ROUNDS * 3;
    for store in [store.clone(), looking] {
        for (scope, count) in [(Some(scope("acme")), each), (Some(scope("zebra")), each), (None, 2 * each)] {
            let store = store.clone();
            readers.spawn(async move {
                let seen = followed(&*store, scope.as_ref(), count).await;
                check(&seen, scope.as_ref());
            });
        }
    }
    let mut writers = JoinSet::new();
    for number in 0..WRITERS {
        let store = store.clone();
        writers.spawn(async move {
            let maker = Maker::new(["acme", "zebra"][number % 2]);
            for _ in 0..ROUNDS {
                store.execute(maker.top_up("w", 1)).await.unwrap();
                let made = store.execute(maker.create(PaymentMethod::Credits(wallet("w")), 1)).await.unwrap();
                assert_eq!(made.payment().unwrap().status(), PaymentStatus::Succeeded);
            }
        });
    }
    writers.join_all().await;
    readers.join_all().await;
}

/// Each once: no position twice, and each stream's sequences without a gap.
fn check(seen: &[Entry], scope: Option<&Scope>) {
    assert!(seen.is_sorted_by(|one, next| one.position < next.position));
    let mut sequences: HashMap<(Scope, StreamId), u64> = HashMap::new();
    for Entry { event, .. } in seen {
        assert!(scope.is_none_or(|scope| scope == event.scope()));
        let last = sequences.entry((event.scope().clone(), event.stream().clone())).or_default();
        assert_eq!(event.sequence(), *last + 1);
        *last = event.sequence();
    }
}

#[tokio::test]
async fn one_look_for_a_scope_goes_through_so_many_events_and_no_more() {
    let place = Place::new();
    let store = place.open();
    let maker = Maker::new("acme");
    let many: Vec<_> = (0..10_001).map(|_| maker.top_up("w", 1)).collect();
    assert!(store.execute_batch(&many).iter().all(Result::is_ok));
    store.execute(Maker::new("zebra").top_up("w", 1)).await.unwrap();
    let all = store.feed(None, Position::START, usize::MAX).await.unwrap();
    let era = all.next.era().unwrap();
    assert_eq!((all.entries.len(), all.next), (10_000, era.position(10_000)));
    for (tenant, found) in [("zebra", 1), ("nobody", 0)] {
        let scope = scope(tenant);
        let first = store.feed(Some(&scope), Position::START, 9).await.unwrap();
        assert_eq!((first.entries.len(), first.next), (0, era.position(10_000)));
        let second = store.feed(Some(&scope), first.next, 9).await.unwrap();
        assert_eq!((second.entries.len(), second.next), (found, era.position(10_002)));
    }
}

#[tokio::test]
async fn feed_after_its_end_is_empty() {
    let place = Place::new();
    let store = place.open();
    store.execute(Maker::new("acme").top_up("w", 1)).await.unwrap();
    let end = store.feed(None, Position::START, 9).await.unwrap().next;
    for scope in [None, Some(&scope("acme")), Some(&scope("nobody"))] {
        let feed = store.feed(scope, end, 9).await.unwrap();
        assert_eq!((feed.entries, feed.next), (vec![], end));
    }
    let nothing = store.feed(None, Position::START, 0).await.unwrap();
    assert_eq!((nothing.entries, nothing.next), (vec![], Position::START));
}

/// INVARIANTS 36, 39 and 40: nothing is skipped in silence, and nobody is shown what is not his.
#[tokio::test]
async fn a_damaged_journal_is_refused_where_the_damage_is() {
    let changes = [
        ("DELETE FROM counterfoil_journal WHERE position = 3", "journal entry 3"),
        ("UPDATE counterfoil_journal SET event = x'01' WHERE position = 3", "journal entry 3"),
        ("DELETE FROM counterfoil_stream WHERE stream = 3", "journal entry 3"),
        ("UPDATE counterfoil_stream SET scope = 1 WHERE stream = 4", "journal entry 4"),
    ];
    for (sql, name) in changes {
        let place = Place::new();
        let store = place.open();
        let maker = Maker::new("acme");
        for number in 0..3 {
            store.execute(maker.top_up(&format!("w{number}"), 1)).await.unwrap();
        }
        store.execute(Maker::new("zebra").top_up("w", 1)).await.unwrap();
        tamper(&place, sql);
        let refused = store.feed(Some(&scope("acme")), Position::START, 9).await.unwrap_err();
        assert_eq!(refused.kind(), StoreErrorKind::Corrupt, "{sql}");
        let cause = std::error::Error::source(&refused).unwrap().to_string();
        assert!(cause.contains(name), "{sql}: {cause}");
        let before = store.feed(Some(&scope("acme")), Position::START, 2).await.unwrap();
        assert_eq!(before.entries.len(), 2, "what stands before the damage is still told");
    }
}

//! News: who waits is woken by a commit, wherever it is made, and by nothing else.

use std::pin::pin;
use std::process::Stdio;
use std::sync::Arc;
use std::task::{Context, Waker};

use counterfoil::payment::PaymentMethod;
use counterfoil::store::{PaymentStore, Position, StoreErrorKind};
use counterfoil_sqlite::SqliteStore;

use crate::support::*;

fn is_asleep(future: std::pin::Pin<&mut impl Future>) -> bool {
    future.poll(&mut Context::from_waker(Waker::noop())).is_pending()
}

async fn end(store: &dyn PaymentStore) -> Position {
    store.feed(None, Position::START, usize::MAX).await.unwrap().next
}

#[tokio::test]
async fn a_commit_wakes_and_what_is_there_already_needs_none() {
    let place = Place::new();
    let store = place.open();
    let maker = Maker::new("acme");
    let mut waiting = pin!(store.news(Position::START));
    assert!(is_asleep(waiting.as_mut()));
    let refused = store.execute(maker.create(PaymentMethod::Offline, 0)).await;
    assert!(refused.is_err() && is_asleep(waiting.as_mut()), "nothing was written");
    let top_up = maker.top_up("w", 1);
    store.execute(top_up.clone()).await.unwrap();
    assert!(!is_asleep(waiting.as_mut()), "what is acknowledged is news already");

    soon(store.news(Position::START)).await.unwrap();
    let after = end(&*store).await;
    let mut waiting = pin!(store.news(after));
    assert!(store.execute(top_up).await.unwrap().replayed && is_asleep(waiting.as_mut()));
    store.execute_batch(&[maker.top_up("w", 1)])[0].as_ref().unwrap();
    soon(waiting).await.unwrap();
}

#[tokio::test]
async fn what_was_there_before_opening_is_news_to_who_has_not_read_it() {
    let place = Place::new();
    place.open().execute(Maker::new("acme").top_up("w", 1)).await.unwrap();
    let after = {
        let store = place.open();
        soon(store.news(Position::START)).await.unwrap();
        let after = end(&*store).await;
        assert!(is_asleep(pin!(store.news(after))));
        after
    };
    let looking = SqliteStore::open_read_only(place.path()).unwrap();
    soon(looking.news(Position::START)).await.unwrap();
    assert!(is_asleep(pin!(looking.news(after))));
}

#[tokio::test]
async fn closing_wakes_and_nobody_waits_at_a_closed_store() {
    let place = Place::new();
    let writer = place.open();
    writer.execute(Maker::new("acme").top_up("w", 1)).await.unwrap();
    let looking = Arc::new(SqliteStore::open_read_only(place.path()).unwrap());
    let after = end(&*writer).await;
    for store in [looking, writer] {
        let mut waiting = pin!(store.news(after));
        assert!(is_asleep(waiting.as_mut()));
        store.close().await.unwrap();
        assert_eq!(soon(waiting).await.unwrap_err().kind(), StoreErrorKind::Closed);
        for after in [Position::START, after] {
            assert_eq!(soon(store.news(after)).await.unwrap_err().kind(), StoreErrorKind::Closed);
        }
        store.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_store_that_only_looks_is_woken_by_another_process() {
    const CHILD: &str = "COUNTERFOIL_NEWS";
    if let Some(path) = std::env::var_os(CHILD) {
        let store = SqliteStore::open(path).unwrap();
        store.execute(Maker::new("acme").top_up("w", 1)).await.unwrap();
        return;
    }
    let place = Place::new();
    drop(place.open());
    let looking = SqliteStore::open_read_only(place.path()).unwrap();
    let mut after = Position::START;
    for _ in 0..3 {
        let mut waiting = pin!(looking.news(after));
        assert!(is_asleep(waiting.as_mut()));
        let name = "news::a_store_that_only_looks_is_woken_by_another_process";
        let mut child = again_as_child(name, CHILD, &place.path()).stdout(Stdio::null()).spawn().unwrap();
        soon(waiting).await.unwrap();
        assert!(child.wait().unwrap().success());
        let feed = looking.feed(None, after, 9).await.unwrap();
        assert_eq!(feed.entries.len(), 1);
        after = feed.next;
    }
}

#[tokio::test]
async fn a_look_that_fails_is_said_and_the_next_who_asks_has_it_looked_again() {
    let place = Place::new();
    let writer = place.open();
    let looking = SqliteStore::open_read_only(place.path()).unwrap();
    let mut waiting = pin!(looking.news(Position::START));
    assert!(is_asleep(waiting.as_mut()));
    let raw = raw(&place.path());
    raw.execute_batch("ALTER TABLE counterfoil_journal RENAME TO hidden").unwrap();
    assert_eq!(soon(waiting).await.unwrap_err().kind(), StoreErrorKind::Other);
    assert_eq!(soon(looking.news(Position::START)).await.unwrap_err().kind(), StoreErrorKind::Other);
    raw.execute_batch("ALTER TABLE hidden RENAME TO counterfoil_journal").unwrap();
    let mut waiting = pin!(looking.news(Position::START));
    assert!(is_asleep(waiting.as_mut()));
    writer.execute(Maker::new("acme").top_up("w", 1)).await.unwrap();
    soon(waiting).await.unwrap();
}

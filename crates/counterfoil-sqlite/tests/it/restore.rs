//! Followers of the feed notice that a file was restored from a backup. INVARIANTS 40.

use std::fs;
use std::pin::pin;
use std::task::{Context, Waker};

use counterfoil::store::{Era, PaymentStore, Position, StoreError, StoreErrorKind};
use counterfoil_sqlite::SqliteStore;

use crate::support::*;

async fn end(store: &dyn PaymentStore) -> Position {
    store.feed(None, Position::START, usize::MAX).await.unwrap().next
}

async fn write(place: &Place, count: usize) -> Position {
    let store = place.open();
    for _ in 0..count {
        store.execute(Maker::new("acme").top_up("w", 1)).await.unwrap();
    }
    let end = end(&*store).await;
    store.close().await.unwrap();
    end
}

/// The answer of a store to a follower at `after`: the number of events, or the kind of the error. If `feed` is refused,
/// `news` must be refused too.
async fn answer(store: &dyn PaymentStore, after: Position) -> Result<usize, StoreErrorKind> {
    let kind = |error: StoreError| error.kind();
    let feed = store.feed(Some(&scope("acme")), after, 99).await.map_err(kind);
    if let Err(kind) = feed {
        assert_eq!(soon(store.news(after)).await.unwrap_err().kind(), kind);
    }
    Ok(feed?.entries.len())
}

/// The same answer from a store that writes and from one that is read-only.
async fn answers(place: &Place, after: Position) -> Result<usize, StoreErrorKind> {
    let store = place.open();
    let reading = SqliteStore::open_read_only(place.path()).unwrap();
    let answered = answer(&*store, after).await;
    assert_eq!(answer(&reading, after).await, answered);
    store.close().await.unwrap();
    answered
}

const REFUSED: Result<usize, StoreErrorKind> = Err(StoreErrorKind::UnknownPosition);

#[tokio::test]
async fn follower_notices_a_restored_file() {
    let place = Place::new();
    let before = write(&place, 2).await;
    let backup = fs::read(place.path()).unwrap();
    let after = write(&place, 2).await;
    assert_eq!(answers(&place, before).await, Ok(2));

    fs::write(place.path(), &backup).unwrap();
    assert_eq!(answers(&place, after).await, REFUSED, "it is beyond the end");
    assert_eq!(answers(&place, before).await, Ok(0), "no new era has begun yet");

    let era = SqliteStore::begin_era(place.path()).unwrap();
    assert_eq!(era, before.era().unwrap().next());
    write(&place, 3).await;
    for position in [before, after] {
        assert_eq!(
            answers(&place, position).await,
            REFUSED,
            "{position} is within the file, and of the first era"
        );
    }
    assert_eq!(answers(&place, Position::START).await, Ok(5));
    let store = place.open();
    assert_eq!(end(&*store).await.era(), Some(era));
    store.check().unwrap();
}

/// However long the file is by then.
#[tokio::test]
async fn follower_that_waits_is_refused_when_an_era_begins() {
    let place = Place::new();
    write(&place, 2).await;
    let backup = fs::read(place.path()).unwrap();
    let after = write(&place, 5).await;
    for restores in [false, true] {
        let reading = SqliteStore::open_read_only(place.path()).unwrap();
        let after = if restores { end(&reading).await } else { after };
        let mut waiting = pin!(reading.news(after));
        assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        if restores {
            fs::write(place.path(), &backup).unwrap();
        }
        SqliteStore::begin_era(place.path()).unwrap();
        assert_eq!(soon(waiting).await.unwrap_err().kind(), StoreErrorKind::UnknownPosition);
        assert_eq!(answer(&reading, after).await, REFUSED);
    }
}

#[tokio::test]
async fn each_file_keeps_a_ledger_id_of_its_own() {
    let places = [Place::new(), Place::new()];
    let first = write(&places[0], 1).await;
    let other = write(&places[1], 1).await;
    assert_ne!(first.era(), other.era());
    assert_eq!(answers(&places[0], other).await, REFUSED);
    assert_eq!(write(&places[0], 1).await.era(), first.era());
    assert_eq!(first.era().map(Era::number), Some(1));
}

#[test]
fn begin_era_needs_a_file_without_a_writer() {
    let place = Place::new();
    let kind = || SqliteStore::begin_era(place.path()).unwrap_err().kind();
    assert_eq!(kind(), StoreErrorKind::Misconfigured, "a file must exist");
    assert_eq!(fs::read_dir(place.folder()).unwrap().count(), 0, "none is created");
    let _store = place.open();
    assert_eq!(kind(), StoreErrorKind::Busy);
}

#[tokio::test]
async fn begin_era_finds_a_backup_that_does_not_fit() {
    let place = Place::new();
    write(&place, 2).await;
    let mut backup = fs::read(place.path()).unwrap();
    let middle = backup.len() / 2;
    backup[middle..middle + 4_096].fill(0x5a);
    fs::write(place.path(), &backup).unwrap();
    assert_eq!(SqliteStore::begin_era(place.path()).unwrap_err().kind(), StoreErrorKind::Corrupt);
}

//! Rows and claims are a cache of the journal.

use std::fs;
use std::ops::Range;

use counterfoil::payment::PaymentMethod;
use counterfoil::store::{PaymentStore, StoreErrorKind};
use counterfoil::verify::{Verified, verify};
use counterfoil_sqlite::SqliteStore;
use rusqlite::types::Value;

use crate::support::*;

const CACHES: [(&str, &str); 8] = [
    ("counterfoil_scope", "tenant, environment"),
    ("counterfoil_stream", "stream"),
    ("counterfoil_payment", "stream"),
    ("counterfoil_listing", "stream"),
    ("counterfoil_account", "stream"),
    ("counterfoil_destination", "scope, id"),
    ("counterfoil_claim", "kind, name"),
    ("counterfoil_watermark", "position"),
];

/// Two tenants, claims, wallets, payments with one event and with two. Closed again.
async fn written(place: &Place) -> Verified {
    write(place, 0..10).await;
    write(place, 10..20).await
}

async fn write(place: &Place, numbers: Range<u32>) -> Verified {
    let store = place.open();
    for tenant in ["acme", "zebra"] {
        let maker = Maker::new(tenant);
        store.execute(maker.top_up("w", 1_000)).await.unwrap();
        for number in numbers.clone() {
            let claim = Some(key(&format!("key {number}")));
            let command = maker.create_as(PaymentMethod::Credits(wallet("w")), 10, number % 2 == 0, claim);
            store.execute(command.clone()).await.unwrap();
            if number % 4 == 1 {
                store.execute(maker.process(created(&command))).await.unwrap();
            }
        }
    }
    let verified = verify(&*store).await.unwrap();
    store.close().await.unwrap();
    verified
}

/// Every byte of every cache, but for the numbers of scopes, which nobody sees.
pub(crate) fn caches(place: &Place) -> Vec<Vec<Value>> {
    let raw = raw(&place.path());
    let mut all = Vec::new();
    for (table, order) in CACHES {
        let mut statement = raw.prepare(&format!("SELECT * FROM {table} ORDER BY {order}")).unwrap();
        let width = statement.column_count();
        let rows = statement.query_map([], |row| (0..width).map(|column| row.get(column)).collect()).unwrap();
        all.extend(rows.map(|row| row.unwrap()));
    }
    all
}

async fn reopened(place: &Place) -> Verified {
    let store = place.open();
    let verified = verify(&*store).await.unwrap();
    store.close().await.unwrap();
    verified
}

/// INVARIANTS 38.
#[tokio::test]
async fn all_of_it_is_made_again_from_the_journal() {
    let place = Place::new();
    let (before, rows) = (written(&place).await, caches(&place));
    let emptied = "DELETE FROM counterfoil_payment; DELETE FROM counterfoil_account;
        DELETE FROM counterfoil_destination; DELETE FROM counterfoil_listing; DELETE FROM counterfoil_claim;
        DELETE FROM counterfoil_stream; DELETE FROM counterfoil_scope; UPDATE counterfoil_watermark SET position = 0";
    let garbled =
        "UPDATE counterfoil_payment SET row = x'07', version = 9, status = 99, due_at = 1, attention = 3;
        UPDATE counterfoil_destination SET row = x'07', revision = 99;
        UPDATE counterfoil_listing SET archived = 1, gateway = x'07', created_at = 0, scope = 99;
        UPDATE counterfoil_claim SET fingerprint = x'00';
        UPDATE counterfoil_watermark SET position = 0";
    for damage in [emptied, garbled] {
        raw(&place.path()).execute_batch(damage).unwrap();
        let behind = SqliteStore::open_read_only(place.path()).unwrap_err();
        assert_eq!(behind.kind(), StoreErrorKind::Misconfigured, "rows that are behind are shown to nobody");
        assert_eq!(reopened(&place).await, before);
        assert_eq!(caches(&place), rows);
    }
}

/// INVARIANTS 38.
#[tokio::test]
async fn the_tail_is_folded_onto_rows_that_are_behind() {
    let (place, behind) = (Place::new(), Place::new());
    write(&place, 0..10).await;
    fs::copy(place.path(), behind.path()).unwrap();
    let before = write(&place, 10..20).await;
    // The second half never got further than the journal.
    let raw = raw(&behind.path());
    raw.execute("ATTACH ?1 AS whole", [place.path().to_str().unwrap()]).unwrap();
    let tail = "INSERT INTO counterfoil_journal SELECT * FROM whole.counterfoil_journal
        WHERE position > (SELECT position FROM counterfoil_watermark)";
    assert!(raw.execute(tail, []).unwrap() > 20);
    drop(raw);
    assert_eq!(reopened(&behind).await, before);
    assert_eq!(caches(&behind), caches(&place));
}

/// INVARIANTS 38.
#[tokio::test]
async fn rows_that_are_ahead_of_the_watermark_stay_as_they_are() {
    let place = Place::new();
    let (before, rows) = (written(&place).await, caches(&place));
    for position in [1, 5, 40] {
        raw(&place.path()).execute("UPDATE counterfoil_watermark SET position = ?1", [position]).unwrap();
        assert_eq!(reopened(&place).await, before);
        assert_eq!(caches(&place), rows);
    }
}

#[tokio::test]
async fn what_is_built_again_goes_on() {
    let place = Place::new();
    let before = written(&place).await;
    raw(&place.path()).execute_batch("UPDATE counterfoil_watermark SET position = 0").unwrap();
    let store = place.open();
    let maker = Maker::new("acme");
    let again = maker.create_as(PaymentMethod::Credits(wallet("w")), 10, true, Some(key("key 0")));
    assert!(store.execute(again).await.unwrap().replayed);
    store.execute(maker.create(PaymentMethod::Credits(wallet("w")), 10)).await.unwrap();
    let after = verify(&*store).await.unwrap();
    assert_eq!((after.payments, after.events), (before.payments + 1, before.events + 2));
}

//! Files of older versions.

use std::fs;
use std::path::Path;

use counterfoil::payment::PaymentMethod;
use counterfoil::store::{Filter, Order, Page, PaymentStore, Query, Sort, StoreErrorKind};
use counterfoil::verify::verify;
use counterfoil_sqlite::SqliteStore;

use crate::support::*;

const VERSION_1: &str = include_str!("version_1.sql");

/// What version 1 would have written, had it written what stands in `newest`.
fn copy_as_version_1(newest: &Path, old: &Path) {
    let raw = raw(old);
    raw.execute_batch(VERSION_1).unwrap();
    raw.execute("INSERT INTO counterfoil_migration VALUES (1, 'journal, rows and claims', 0)", []).unwrap();
    raw.execute("ATTACH ?1 AS newest", [newest.to_str().unwrap()]).unwrap();
    for table in ["scope", "stream", "journal", "account", "claim"] {
        let copy = format!("INSERT INTO counterfoil_{table} SELECT * FROM newest.counterfoil_{table}");
        assert!(raw.execute(&copy, []).unwrap() > 0, "{table}");
    }
    let rest = "INSERT INTO counterfoil_payment
            SELECT stream, version, position, row FROM newest.counterfoil_payment;
        UPDATE counterfoil_watermark SET position = (SELECT position FROM newest.counterfoil_watermark)";
    raw.execute_batch(rest).unwrap();
}

/// A few payments of two tenants, with events behind their first ones.
async fn write(store: &SqliteStore) {
    for tenant in ["acme", "zebra"] {
        let maker = Maker::new(tenant);
        store.execute(maker.top_up("w", 100)).await.unwrap();
        for number in 0..9 {
            let claim = Some(key(&format!("key {number}")));
            let credits = PaymentMethod::Credits(wallet("w"));
            let create = maker.create_as(credits, number + 1, number % 2 == 0, claim);
            store.execute(create.clone()).await.unwrap();
            if number % 2 == 1 {
                store.execute(maker.process(created(&create))).await.unwrap();
            }
            let card = maker.create_as(PaymentMethod::Card(None), 5, false, None);
            store.execute(card.clone()).await.unwrap();
            if number % 3 == 0 {
                store.execute(maker.archive(created(&card))).await.unwrap();
            }
        }
    }
}

async fn lists(store: &SqliteStore) -> Vec<Page> {
    let mut archived = Filter::default();
    archived.archived = true;
    let mut pages = Vec::new();
    for tenant in ["acme", "zebra"] {
        for filter in [Filter::default(), archived.clone()] {
            for sort in Sort::ALL {
                let query = Query::new(filter.clone(), 10).sorted(*sort, Order::Ascending).counted();
                pages.push(store.list(&scope(tenant), &query).await.unwrap());
            }
        }
    }
    pages
}

/// INVARIANTS 38.
#[tokio::test]
async fn a_file_of_version_1_is_brought_up_to_date_from_its_journal() {
    let (newest, old) = (Place::new(), Place::new());
    let store = newest.open();
    write(&store).await;
    let (verified, listed) = (verify(&*store).await.unwrap(), lists(&store).await);
    store.close().await.unwrap();
    assert!(listed.iter().all(|page| !page.payments.is_empty()));

    copy_as_version_1(&newest.path(), &old.path());
    let before = fs::read(old.path()).unwrap();
    let refused = SqliteStore::open_read_only(old.path()).unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Misconfigured, "it has to be opened for writing first");
    assert_eq!(fs::read(old.path()).unwrap(), before);

    let store = old.open();
    assert_eq!(verify(&*store).await.unwrap(), verified);
    assert_eq!(lists(&store).await, listed);
    let maker = Maker::new("acme");
    let again = maker.create_as(PaymentMethod::Credits(wallet("w")), 3, true, Some(key("key 2")));
    assert!(store.execute(again).await.unwrap().replayed, "names that were taken are taken");
    store.execute(maker.create(PaymentMethod::Credits(wallet("w")), 1)).await.unwrap();
    store.close().await.unwrap();

    let looking = SqliteStore::open_read_only(old.path()).unwrap();
    assert_eq!(verify(&looking).await.unwrap().payments, verified.payments + 1);
    let versions = "SELECT group_concat(version, ' ') FROM counterfoil_migration";
    let versions: String = raw(&old.path()).query_row(versions, [], |row| row.get(0)).unwrap();
    assert_eq!(versions, "1 2 3");
}

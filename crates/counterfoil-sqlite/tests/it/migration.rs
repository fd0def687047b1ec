//! Files of older versions.

use std::fs;
use std::path::Path;

use counterfoil::account::Totals;
use counterfoil::clock::Timestamp;
use counterfoil::command::{Report, Request};
use counterfoil::id::PaymentId;
use counterfoil::money::Currency;
use counterfoil::payment::{Attention, Destination, Evidence, PaymentMethod};
use counterfoil::store::{Due, Filter, Key, Lookup, Order, Page, PaymentStore, Query, Sort, StoreErrorKind};
use counterfoil::verify::verify;
use counterfoil_sqlite::SqliteStore;

use crate::support::*;

const VERSION_1: &str = include_str!("version_1.sql");
/// A whole file, with what version 2 wrote there; the events in it are as they are written now.
const VERSION_2: &str = include_str!("version_2.sql");
/// What `verify` says of it.
const DIGEST_2: &str = "6a14bf0417c57faa49f35b3dd90b54782105099324255f935c175cedc64778b4";

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
    assert_eq!(versions, "1 2 3 4");
}

/// What version 2 never knew: when something is due, who waits for a person, what destinations come to.
async fn check_version_2(store: &SqliteStore) {
    let verified = verify(store).await.unwrap();
    assert_eq!((verified.payments, verified.accounts, verified.events), (20, 2, 38));
    assert_eq!(verified.digest.to_string(), DIGEST_2);
    let mut expected = Vec::new();
    for tenant in ["acme", "zebra"] {
        // A second after the last word; and what nobody ever heard of, when its lease ends.
        let waiting = [("unknown", 11), ("pending", 14), ("action", 23), ("hosted", 26), ("live", 67)];
        for (name, seconds) in waiting {
            let payment = only(store, tenant, name).await;
            let at = Timestamp::from_unix_micros((1_760_000_000 + seconds) * 1_000_000).unwrap();
            expected.push(Due { at, scope: scope(tenant), payment });
        }
        for (name, paid, pending) in [
            ("paid", 1_500, 0),
            ("live", 0, 700),
            ("unknown", 0, 800),
            ("pending", 0, 900),
            ("failed", 0, 0),
            ("succeeded", 450, 0),
            ("action", 0, 300),
        ] {
            let account = account(store, tenant, &to(name)).await.unwrap();
            let totals = Totals { paid, pending, ..Totals::default() };
            assert_eq!(account.totals(Currency::USD), totals, "{name}");
        }
        assert_eq!(account(store, tenant, &to("hosted")).await, None, "nothing of it was ever on its way");
        let unknown = account(store, tenant, &to("unknown")).await.unwrap();
        let (another, in_doubt) = (PaymentId::new(uuid::Uuid::nil()), only(store, tenant, "unknown").await);
        assert_eq!(unknown.in_doubt(another, unknown.updated_at()), Some(in_doubt));
        let mut review = Filter::default();
        review.attention = Some(Attention::Review);
        let page = store.list(&scope(tenant), &Query::new(review, 9)).await.unwrap();
        let reviewed: Vec<_> = page.payments.iter().map(|payment| payment.id()).collect();
        assert_eq!(reviewed, [only(store, tenant, "succeeded").await], "more was taken than asked for");
    }
    expected.sort();
    assert_eq!(store.due(Timestamp::MAX, 99).await.unwrap(), expected);
}

fn to(name: &str) -> Destination {
    Destination::invoice(name.parse().unwrap())
}

/// The one payment for a destination.
async fn only(store: &SqliteStore, tenant: &str, name: &str) -> PaymentId {
    let mut filter = Filter::default();
    filter.destination_id = Some(name.parse().unwrap());
    let page = store.list(&scope(tenant), &Query::new(filter, 9)).await.unwrap();
    let [payment] = &page.payments[..] else { panic!("{name}: {page:?}") };
    payment.id()
}

/// INVARIANTS 38.
#[tokio::test]
async fn a_file_that_version_2_wrote_is_brought_up_to_date_from_its_journal() {
    let place = Place::new();
    raw(&place.path()).execute_batch(VERSION_2).unwrap();
    let refused = SqliteStore::open_read_only(place.path()).unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Misconfigured, "it has to be opened for writing first");
    let store = place.open();
    check_version_2(&store).await;
    store.close().await.unwrap();
    let store = place.open();
    check_version_2(&store).await;
    let live = only(&store, "acme", "live").await;
    let state = store.read(&[Key::Payment(scope("acme"), live)]).await.unwrap();
    let Lookup::Present(payment) = state.payment(&scope("acme"), live) else { panic!("it is gone") };
    let Some(attempt) = payment.live_attempt() else { panic!("{payment:?}") };
    let evidence = Evidence::succeeded(attempt.created_at);
    let report = Report { payment: live, operation: attempt.id, evidence };
    store.execute(Maker::new("acme").command(Request::Report(report))).await.unwrap();
    let paid = account(&*store, "acme", &to("live")).await.unwrap().totals(Currency::USD);
    assert_eq!(paid, Totals { paid: 700, ..Totals::default() }, "it goes on");
    assert_eq!(store.due(Timestamp::MAX, 99).await.unwrap().len(), 9);
}

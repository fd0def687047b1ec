//! Destinations: rows of sums, most of which have no stream.

use std::fs;
use std::sync::Arc;

use counterfoil::account::{AccountId, Totals};
use counterfoil::command::Command;
use counterfoil::event::StreamId;
use counterfoil::id::PaymentId;
use counterfoil::money::Currency;
use counterfoil::payment::{Destination, Outcome, PaymentMethod};
use counterfoil::store::{Cursor, Health, Key, PaymentStore, StoreErrorKind};
use counterfoil::text::{DestinationId, Message};
use counterfoil::verify::verify;
use counterfoil_sqlite::SqliteStore;

use crate::rebuild::caches;
use crate::support::*;

fn to(name: &str) -> Destination {
    Destination::invoice(DestinationId::new(name).unwrap())
}

/// Payments of two tenants for the same invoices, in every state that counts, and what is owed for some of them.
fn commands() -> Vec<Command> {
    let mut commands = Vec::new();
    for tenant in ["acme", "zebra"] {
        let maker = Maker::new(tenant);
        let start = |name, minor| maker.create_for(to(name), PaymentMethod::Card(None), minor, true, None);
        let (paid, doubtful, failed) = (start("one", 70), start("two", 8), start("one", 900));
        let reports = [
            maker.report(&paid, Outcome::Succeeded),
            maker.report(&doubtful, Outcome::Unknown { error_message: Message::lossy("no answer") }),
            maker.report(&failed, Outcome::Canceled { error_message: Message::lossy("by the payer") }),
        ];
        commands.extend([maker.register(to("one"), 2_000), paid.clone(), start("one", 5)]);
        commands.extend([doubtful.clone(), failed.clone()]);
        commands.extend([maker.register(to("two"), 50), maker.register(to("none"), 7)]);
        commands.extend(reports);
        commands.push(maker.create_for(to("three"), PaymentMethod::Offline, 3, true, None));
        commands.push(maker.register(to("one"), 3_000));
    }
    commands
}

fn totals(paid: i128, pending: i128) -> Totals {
    Totals { paid, pending, ..Totals::default() }
}

async fn check(store: &SqliteStore) {
    for tenant in ["acme", "zebra"] {
        for (name, version, revision, sums) in [
            ("one", 2, 7, totals(70, 5)),
            ("two", 1, 3, totals(0, 8)),
            ("none", 1, 1, totals(0, 0)),
            ("three", 0, 1, totals(3, 0)),
        ] {
            let account = account(store, tenant, &to(name)).await.unwrap();
            assert_eq!((account.version(), account.revision()), (version, revision), "{tenant}: {name}");
            assert_eq!(account.totals(Currency::USD), sums, "{tenant}: {name}");
        }
        let two = account(store, tenant, &to("two")).await.unwrap();
        let another = PaymentId::new(uuid::Uuid::nil());
        assert!(two.in_doubt(another, two.updated_at()).is_some());
        assert_eq!(account(store, tenant, &to("four")).await, None);
    }
}

/// INVARIANTS 38.
#[tokio::test]
async fn sums_stay_what_they_are_when_the_file_is_opened_again() {
    let place = Place::new();
    let store = place.open();
    assert!(store.execute_batch(&commands()).iter().all(Result::is_ok));
    check(&store).await;
    store.close().await.unwrap();
    let store = place.open();
    check(&store).await;
    let late = Maker::new("acme").create_for(to("one"), PaymentMethod::Offline, 30, true, None);
    store.execute(late).await.unwrap();
    let one = account(&*store, "acme", &to("one")).await.unwrap();
    assert_eq!((one.revision(), one.totals(Currency::USD)), (8, totals(100, 5)));
}

/// INVARIANTS 38: rows up to any command, and a watermark there or anywhere before it.
#[tokio::test]
async fn wherever_rows_and_watermark_stand_each_event_is_counted_once() {
    let place = Place::new();
    let mut stages = Vec::new();
    for command in commands() {
        let store = place.open();
        store.execute(command).await.unwrap();
        store.close().await.unwrap();
        let stage = Place::new();
        fs::copy(place.path(), stage.path()).unwrap();
        stages.push(stage);
    }
    let whole = caches(&place);
    for stage in stages {
        let rows = journal_end(&stage);
        for watermark in [rows, rows - 1, rows / 2, 1, 0] {
            let behind = Place::new();
            fs::copy(stage.path(), behind.path()).unwrap();
            complete(&behind, &place, watermark);
            let store = behind.open();
            check(&store).await;
            store.close().await.unwrap();
            assert_eq!(caches(&behind), whole, "rows up to {rows}, watermark at {watermark}");
        }
    }
}

fn journal_end(place: &Place) -> i64 {
    let end = "SELECT max(position) FROM counterfoil_journal";
    raw(&place.path()).query_row(end, [], |row| row.get(0)).unwrap()
}

/// The journal of `whole` in `behind`, and the watermark there.
fn complete(behind: &Place, whole: &Place, watermark: i64) {
    let raw = raw(&behind.path());
    raw.execute("ATTACH ?1 AS whole", [whole.path().to_str().unwrap()]).unwrap();
    let tail = "INSERT INTO counterfoil_journal SELECT * FROM whole.counterfoil_journal
        WHERE position > (SELECT max(position) FROM counterfoil_journal)";
    raw.execute(tail, []).unwrap();
    raw.execute("UPDATE counterfoil_watermark SET position = ?1", [watermark]).unwrap();
}

/// INVARIANTS 37.
#[tokio::test]
async fn what_is_registered_has_a_stream_and_sums_have_none() {
    let place = Place::new();
    let store = place.open();
    let maker = Maker::new("acme");
    let pay = |name| maker.create_for(to(name), PaymentMethod::Offline, 1, true, None);
    let stream = |name| StreamId::Account(AccountId::destination(&to(name)));
    let group = [pay("one"), maker.register(to("one"), 10), pay("one"), maker.register(to("one"), 20)];
    assert!(store.execute_batch(&group).iter().all(Result::is_ok));
    // The stream was not looked up with the row.
    store.execute(maker.register(to("one"), 30)).await.unwrap();
    store.execute(pay("two")).await.unwrap();

    let one = account(&*store, "acme", &to("one")).await.unwrap();
    assert_eq!((one.version(), one.revision()), (3, 5));
    let events = store.history(&scope("acme"), &stream("one"), 0, 9).await.unwrap();
    assert_eq!(events.iter().map(|event| event.sequence()).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(events.windows(2).all(|pair| pair[1].follows(pair[0].hash())));
    assert_eq!(store.history(&scope("acme"), &stream("one"), 2, 9).await.unwrap(), events[2..]);
    assert_eq!(store.history(&scope("acme"), &stream("two"), 0, 9).await.unwrap(), []);
    let heads = store.heads(&Cursor::START, 9).await.unwrap();
    let last = heads.last().unwrap();
    assert_eq!((heads.len(), &last.stream), (4, &stream("one")));
    assert_eq!((last.version, last.hash), (3, one.head()));
    assert_eq!(last.hash, events[2].hash());
    let previous =
        "SELECT group_concat(previous, ' ') FROM counterfoil_journal WHERE account_sequence NOTNULL";
    let previous: String = raw(&place.path()).query_row(previous, [], |row| row.get(0)).unwrap();
    assert_eq!(previous, "0 2 4", "each entry names the one before it");
}

#[tokio::test]
async fn what_is_registered_is_verified() {
    let place = Place::new();
    let store = place.open();
    let maker = Maker::new("acme");
    let group = [maker.register(to("one"), 10), maker.register(to("one"), 20)];
    assert!(store.execute_batch(&group).iter().all(Result::is_ok));
    let verified = verify(&*store).await.unwrap();
    assert_eq!((verified.accounts, verified.events), (1, 2));
    tamper(&place, "UPDATE counterfoil_journal SET event = x'01' WHERE position = 2");
    let fault = verify(&*store).await.unwrap_err().to_string();
    assert!(fault.contains("destination:INVOICE:one, event 2"), "{fault}");
}

/// INVARIANTS 39: a sum that cannot be read is never taken for nothing.
#[tokio::test]
async fn a_damaged_sum_stops_those_who_need_it_and_nobody_else() {
    for damage in ["row = x'01'", "revision = 99", "row = (SELECT row FROM counterfoil_account)"] {
        let place = Place::new();
        let store = place.open();
        let maker = Maker::new("acme");
        let pay = |name| maker.create_for(to(name), PaymentMethod::Offline, 1, true, None);
        let group = [pay("one"), pay("one"), pay("two"), maker.top_up("w", 1)];
        assert!(store.execute_batch(&group).iter().all(Result::is_ok));
        store.close().await.unwrap();
        let good = caches(&place);
        let one = format!("UPDATE counterfoil_destination SET {damage} WHERE id = CAST(?1 AS BLOB)");
        raw(&place.path()).execute(&one, ["destination:INVOICE:one"]).unwrap();
        let store = place.open();
        let read = store.read(&[Key::Account(scope("acme"), AccountId::destination(&to("one")))]).await;
        assert_eq!(read.unwrap_err().kind(), StoreErrorKind::Corrupt, "{damage}");
        let answers = store.execute_batch(&[pay("two"), pay("one"), pay("two")]);
        assert!(answers[0].is_ok() && answers[2].is_ok());
        assert_eq!(not_committed(&answers[1]), Some(StoreErrorKind::Corrupt), "{damage}");
        assert_eq!(store.status().health, Health::Ok);
        restored(store, &place, &good, &pay).await;
    }
}

/// Made again from the journal, what was damaged is whole, and goes on.
async fn restored(
    store: Arc<SqliteStore>,
    place: &Place,
    good: &[Vec<rusqlite::types::Value>],
    pay: &impl Fn(&'static str) -> Command,
) {
    store.close().await.unwrap();
    raw(&place.path()).execute_batch("UPDATE counterfoil_watermark SET position = 0").unwrap();
    let store = place.open();
    store.execute(pay("one")).await.unwrap();
    let sums = async |name| account(&*store, "acme", &to(name)).await.unwrap().totals(Currency::USD);
    assert_eq!((sums("one").await, sums("two").await), (totals(3, 0), totals(3, 0)));
    assert!(caches(place).len() > good.len());
}

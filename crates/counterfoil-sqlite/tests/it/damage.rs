//! Files that are not as they were written: named or refused, never repaired in silence, never a panic.

use std::error::Error;
use std::fs::{self, OpenOptions};
use std::io::{Seek, SeekFrom, Write};

use counterfoil::payment::{Outcome, PaymentMethod, PaymentMethodType};
use counterfoil::store::{Health, PaymentStore, StoreErrorKind};
use counterfoil::verify::{VerifyError, verify};
use counterfoil_sqlite::SqliteStore;

use crate::support::*;

/// A file with 20 payments, closed, and the commands that made them.
fn written(place: &Place) -> Vec<counterfoil::command::Command> {
    let store = place.open();
    let maker = Maker::new("acme");
    let commands: Vec<_> = (0..20).map(|_| maker.create(PaymentMethod::Offline, 1)).collect();
    assert!(store.execute_batch(&commands).iter().all(Result::is_ok));
    commands
}

#[test]
fn the_journal_refuses_to_be_changed() {
    let place = Place::new();
    written(&place);
    let raw = raw(&place.path());
    for sql in ["UPDATE counterfoil_journal SET event = x''", "DELETE FROM counterfoil_journal"] {
        let refused = raw.execute_batch(sql).unwrap_err();
        let code = refused.sqlite_error().unwrap().extended_code;
        assert_eq!(code, rusqlite::ffi::SQLITE_CONSTRAINT_TRIGGER, "{sql}");
    }
}

/// What `verify` says about a file that was tampered with, causes and all.
async fn verdict(place: &Place) -> String {
    let store = SqliteStore::open_read_only(place.path()).unwrap();
    let error: VerifyError = verify(&store).await.unwrap_err();
    let mut said = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        said = format!("{said}: {cause}");
        source = cause.source();
    }
    said
}

/// INVARIANTS 39.
#[tokio::test]
async fn verify_names_what_was_changed_behind_the_stores_back() {
    let another = |columns: &str, table: &str, key: &str| {
        let other = format!("SELECT {columns} FROM {table} WHERE {key} = 8");
        format!("UPDATE {table} SET ({columns}) = ({other}) WHERE {key} = 7")
    };
    let changes = [
        (
            another("event", "counterfoil_journal", "position"),
            "event 1: it is not the event that belongs here",
        ),
        (another("hash", "counterfoil_journal", "position"), "event 1: its hash"),
        (another("status, updated_at, row", "counterfoil_payment", "stream"), "the stored row"),
        ("UPDATE counterfoil_payment SET status = 99 WHERE stream = 7".into(), "listing of pay_"),
        ("UPDATE counterfoil_payment SET due_at = 1 WHERE stream = 7".into(), "listing of pay_"),
        ("UPDATE counterfoil_payment SET attention = 2 WHERE stream = 7".into(), "listing of pay_"),
        ("UPDATE counterfoil_listing SET archived = 1 WHERE stream = 7".into(), "listing of pay_"),
        ("UPDATE counterfoil_listing SET currency = 'EUR' WHERE stream = 7".into(), "listing of pay_"),
        ("DELETE FROM counterfoil_listing WHERE stream = 7".into(), "listing of pay_"),
        ("UPDATE counterfoil_payment SET row = x'01' WHERE stream = 7".into(), "row of pay_"),
        (
            "UPDATE counterfoil_payment SET row = x'07' WHERE stream = 7".into(),
            "event 1: what is stored of it cannot be read",
        ),
        (
            "UPDATE counterfoil_destination SET row = zeroblob(5)".into(),
            "destination:INVOICE:INV-1, event 0: what is stored of it cannot be read",
        ),
        ("UPDATE counterfoil_payment SET version = 2 WHERE stream = 7".into(), "event 2"),
        ("DELETE FROM counterfoil_payment WHERE stream = 7".into(), "row of pay_"),
        ("UPDATE counterfoil_stream SET id = x'07' WHERE stream = 7".into(), "stream 7"),
        ("UPDATE counterfoil_scope SET tenant = ''".into(), "scope 1"),
    ];
    for (sql, name) in changes {
        let place = Place::new();
        written(&place);
        tamper(&place, &sql);
        let said = verdict(&place).await;
        assert!(said.contains(name), "{sql}: {said}");
    }
}

/// INVARIANTS 39: at that event, wherever in its stream it stands.
#[tokio::test]
async fn verify_names_the_event_that_is_missing_or_unreadable() {
    for damaged in 1..=4 {
        for payment in [true, false] {
            for sql in ["DELETE FROM counterfoil_journal", "UPDATE counterfoil_journal SET event = x'01'"] {
                let place = Place::new();
                // Positions 1 to 4 are the payment's, 5 to 8 the wallet's.
                let position = if payment { damaged } else { 4 + damaged };
                four_and_four(&place);
                tamper(&place, &format!("{sql} WHERE position = {position}"));
                let said = verdict(&place).await;
                let stream = if payment { "pay_" } else { "wallet:w" };
                let found = said.contains(stream) && said.contains(&format!(", event {damaged}: "));
                assert!(found, "{sql}, {position}: {said}");
            }
        }
    }
}

/// A payment with four events, then a wallet with four.
fn four_and_four(place: &Place) {
    let store = place.open();
    let maker = Maker::new("acme");
    let card = PaymentMethod::new(PaymentMethodType::Card, None).unwrap();
    let create = maker.create_as(card, 5, false, None);
    let process = maker.process(created(&create));
    let reports = [Outcome::Pending, Outcome::Succeeded].map(|outcome| maker.report(&process, outcome));
    let top_ups = [(); 4].map(|()| maker.top_up("w", 1));
    for command in [create, process].into_iter().chain(reports).chain(top_ups) {
        store.execute_batch(&[command])[0].as_ref().unwrap();
    }
}

#[tokio::test]
async fn a_damaged_row_stops_those_who_need_it_and_nobody_else() {
    let place = Place::new();
    let commands = written(&place);
    tamper(&place, "UPDATE counterfoil_payment SET row = x'01' WHERE stream = 7");
    let store = place.open();
    let maker = Maker::new("acme");
    let group = [commands[5].clone(), commands[6].clone(), maker.create(PaymentMethod::Offline, 1)];
    let answers = store.execute_batch(&group);
    assert!(answers[0].as_ref().unwrap().replayed);
    assert_eq!(not_committed(&answers[1]), Some(StoreErrorKind::Corrupt));
    assert!(!answers[2].as_ref().unwrap().replayed);
    assert_eq!(store.status().health, Health::Ok);
}

#[tokio::test]
async fn a_damaged_page_poisons_until_the_store_is_opened_again() {
    let place = Place::new();
    let commands = written(&place);
    let sql = "SELECT rootpage FROM sqlite_schema WHERE name = 'counterfoil_payment'";
    let page: u64 = raw(&place.path()).query_row(sql, [], |row| row.get::<_, u32>(0)).unwrap().into();
    let good = fs::read(place.path()).unwrap();
    let mut file = OpenOptions::new().write(true).open(place.path()).unwrap();
    file.seek(SeekFrom::Start((page - 1) * 4_096)).unwrap();
    file.write_all(&[0xa5; 4_096]).unwrap();
    drop(file);

    let store = place.open();
    assert_eq!(not_committed(&store.execute(commands[0].clone()).await), Some(StoreErrorKind::Corrupt));
    assert_eq!(store.status().health, Health::Poisoned);
    let top_up = Maker::new("acme").top_up("w", 1);
    assert_eq!(not_committed(&store.execute(top_up.clone()).await), Some(StoreErrorKind::Poisoned));
    store.close().await.unwrap();
    assert_eq!(store.status().health, Health::Closed);

    fs::write(place.path(), good).unwrap();
    let store = place.open();
    assert!(store.execute(commands[0].clone()).await.unwrap().replayed);
    store.execute(top_up).await.unwrap();
}

#[test]
fn a_journal_that_lost_its_end_or_its_chain_is_refused() {
    for sql in [
        "DELETE FROM counterfoil_journal WHERE position = 20",
        "UPDATE counterfoil_journal SET hash = zeroblob(32) WHERE position = 7;
         UPDATE counterfoil_watermark SET position = 0",
        "UPDATE counterfoil_journal SET event = x'01' WHERE position = 7;
         UPDATE counterfoil_watermark SET position = 0",
    ] {
        let place = Place::new();
        written(&place);
        tamper(&place, sql);
        let error = SqliteStore::open(place.path()).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{sql}");
        assert!(error.source().unwrap().to_string().contains("journal entry"), "{sql}");
    }
}

#[test]
fn a_file_that_was_cut_off_is_refused_or_named() {
    let place = Place::new();
    let commands = written(&place);
    let good = fs::read(place.path()).unwrap();
    for pages in 1..good.len() / 4_096 {
        fs::write(place.path(), &good[..pages * 4_096]).unwrap();
        match SqliteStore::open(place.path()) {
            Err(error) => assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{pages} pages"),
            Ok(store) => {
                let answers = store.execute_batch(&commands);
                assert!(answers.iter().any(Result::is_err), "{pages} pages");
                assert!(answers.iter().filter_map(|a| a.as_ref().ok()).all(|receipt| receipt.replayed));
            }
        }
    }
}

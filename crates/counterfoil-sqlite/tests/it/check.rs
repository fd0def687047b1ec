//! The store's own check: it finds in a file what nobody can see through the contract. INVARIANTS 38, 39.

use std::error::Error;

use counterfoil::store::{PaymentStore, StoreErrorKind};
use counterfoil::verify::verify;
use counterfoil_sqlite::SqliteStore;
use counterfoil_testkit::Script;

use crate::support::*;

/// A closed file in which nearly everything has happened that can.
fn written(place: &Place) {
    let store = place.open();
    store.execute_batch(&Script::seeded(7, 400).commands());
}

/// What the check says about a file, causes and all; empty if it is good.
fn checked(place: &Place) -> String {
    let store = SqliteStore::open_read_only(place.path()).unwrap();
    let Err(error) = store.check() else { return String::new() };
    assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{error}");
    format!("{error}: {}", error.source().map(ToString::to_string).unwrap_or_default())
}

/// In each of these the streams and the feed are as they were.
#[tokio::test]
async fn what_no_event_made_is_named() {
    let changes = [
        (
            "INSERT INTO counterfoil_claim SELECT scope, kind, x'61', stream, sequence, fingerprint
                FROM counterfoil_claim LIMIT 1",
            "counterfoil_claim 1 ",
        ),
        ("INSERT INTO counterfoil_scope (tenant, environment) VALUES ('nobody', 'test')", "counterfoil_scope "),
        (
            "INSERT INTO counterfoil_payment SELECT 100000, version, position, status, updated_at, due_at, attention, row
                FROM counterfoil_payment LIMIT 1",
            "counterfoil_payment 100000",
        ),
        (
            "INSERT INTO counterfoil_account SELECT 100000, version, position, row FROM counterfoil_account LIMIT 1",
            "counterfoil_account 100000",
        ),
        (
            "INSERT INTO counterfoil_listing SELECT 100000, scope, archived, created_at, id, amount, currency, method,
                destination_type, destination_id, gateway, gateway_payment_id, gateway_tracking_id
                FROM counterfoil_listing LIMIT 1",
            "counterfoil_listing 100000",
        ),
        (
            "INSERT INTO counterfoil_destination SELECT scope, x'61', revision, row FROM counterfoil_destination LIMIT 1",
            "counterfoil_destination 1 X'61'",
        ),
        ("DELETE FROM counterfoil_migration WHERE version = 1", "counterfoil_migration"),
        ("UPDATE counterfoil_migration SET name = 'another' WHERE version = 2", "counterfoil_migration"),
        ("UPDATE counterfoil_era SET ledger = ledger + 1", "counterfoil_era: "),
        ("UPDATE counterfoil_era SET era = era + 1", "counterfoil_era: "),
        ("UPDATE counterfoil_payment SET position = position - 1 WHERE stream = (SELECT min(stream) FROM counterfoil_payment)", "counterfoil_payment "),
    ];
    for (sql, name) in changes {
        let place = Place::new();
        written(&place);
        tamper(&place, sql);
        let said = checked(&place);
        assert!(said.contains(name), "{sql}: {said}");
    }
}

#[tokio::test]
async fn entries_of_the_journal_stand_where_their_streams_lead() {
    let changes = [
        "SET previous = 0",
        "SET previous = previous + 1",
        "SET stream = stream + 1",
        "SET account_sequence = 7",
    ];
    for sql in changes {
        let place = Place::new();
        written(&place);
        assert_eq!(checked(&place), "");
        let last =
            "SELECT max(position) FROM counterfoil_journal WHERE previous > 0 AND account_sequence IS NULL";
        tamper(&place, &format!("UPDATE counterfoil_journal {sql} WHERE position = ({last})"));
        let said = checked(&place);
        assert!(said.contains("journal entry "), "{sql}: {said}");
    }
}

/// All that is kept of the journal: no column of it can be another without being found.
#[tokio::test]
async fn every_column_that_is_made_of_the_journal_is_compared() {
    let place = Place::new();
    written(&place);
    for (table, key) in [
        ("counterfoil_payment", "stream"),
        ("counterfoil_account", "stream"),
        ("counterfoil_listing", "stream"),
        ("counterfoil_destination", "rowid"),
        ("counterfoil_claim", "rowid"),
        ("counterfoil_stream", "stream"),
        ("counterfoil_scope", "scope"),
    ] {
        let columns: Vec<String> = {
            let raw = raw(&place.path());
            let mut statement = raw.prepare("SELECT name FROM pragma_table_info(?1)").unwrap();
            let names = statement.query_map([table], |row| row.get(0)).unwrap();
            names.map(Result::unwrap).filter(|name| name != key).collect()
        };
        assert!(!columns.is_empty());
        for column in columns {
            let copy = Place::new();
            std::fs::copy(place.path(), copy.path()).unwrap();
            let other = if column == "due_at" { "7" } else { "x'07'" };
            let new = format!(
                "CASE typeof({column}) WHEN 'blob' THEN CAST({column} || x'07' AS BLOB) WHEN 'text' THEN {column} || 'x'
                WHEN 'integer' THEN {column} + 100 ELSE {other} END"
            );
            let new = if ["id", "amount"].contains(&column.as_str()) && table == "counterfoil_listing" {
                format!("CAST(zeroblob(15) || substr({column}, 1, 1) AS BLOB)")
            } else if column == "archived" {
                "1 - archived".to_owned()
            } else if column == "kind" && table == "counterfoil_stream" {
                "3 - kind".to_owned()
            } else {
                new
            };
            let first = format!("SELECT min({column}) FROM {table}");
            tamper(
                &copy,
                &format!("UPDATE OR IGNORE {table} SET {column} = {new} WHERE {column} IS ({first})"),
            );
            let said = checked(&copy);
            assert!(!said.is_empty(), "{table}.{column}");
        }
    }
}

/// SQLite's own check passes over this one: the index should be empty, so it does not look into it.
#[test]
fn an_index_that_stands_on_a_page_of_a_table_is_named() {
    let place = Place::new();
    place.open().execute_batch(&[Maker::new("acme").top_up("w", 1)]);
    let root = |name| {
        let sql = "SELECT rootpage FROM sqlite_schema WHERE name = ?1";
        let page: u32 = raw(&place.path()).query_row(sql, [name], |row| row.get(0)).unwrap();
        let start = (usize::try_from(page).unwrap() - 1) * 4_096;
        start..start + 4_096
    };
    let (table, indexes) = (
        root("counterfoil_scope"),
        ["counterfoil_payment_attention", "counterfoil_payment_due", "counterfoil_listing_created"].map(root),
    );
    let good = std::fs::read(place.path()).unwrap();
    for index in indexes {
        let mut bad = good.clone();
        bad.copy_within(table.clone(), index.start);
        std::fs::write(place.path(), bad).unwrap();
        assert!(!checked(&place).is_empty());
    }
}

/// Every index that there is, is read.
#[test]
fn no_index_is_forgotten() {
    let place = Place::new();
    drop(place.open());
    let raw = raw(&place.path());
    let mut statement = raw
        .prepare(
            "SELECT name FROM sqlite_schema AS entry WHERE type = 'index' AND NOT EXISTS (SELECT 1
                FROM sqlite_schema AS own WHERE own.name = entry.tbl_name AND own.sql LIKE '%WITHOUT ROWID%')",
        )
        .unwrap();
    let indexes = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let source = include_str!("../../src/sql/check.rs");
    for index in indexes.map(Result::unwrap) {
        assert!(source.contains(&format!("index!(\"{index}\"")), "{index}");
    }
}

/// Whatever the file is called, and whoever writes it.
#[tokio::test]
async fn good_books_pass_beside_whoever_writes_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a %41?b#c=é.db");
    let store = SqliteStore::open(&path).unwrap();
    store.execute_batch(&Script::seeded(8, 400).commands());
    store.check().unwrap();
    let looking = SqliteStore::open_read_only(&path).unwrap();
    looking.check().unwrap();
    store.execute_batch(&Script::seeded(9, 50).commands());
    looking.check().unwrap();
    assert!(verify(&looking).await.unwrap().events > 100);
    store.close().await.unwrap();
    assert_eq!(store.check().unwrap_err().kind(), StoreErrorKind::Closed);
    looking.check().unwrap();
    looking.close().await.unwrap();
    let files: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(files.iter().all(|name| name.to_str().unwrap().starts_with("a %41?b#c=é.db")), "{files:?}");
}

#[tokio::test]
async fn a_journal_that_lost_its_end_is_named_and_not_written() {
    let place = Place::new();
    written(&place);
    tamper(
        &place,
        "DELETE FROM counterfoil_journal WHERE position = (SELECT max(position) FROM counterfoil_journal)",
    );
    assert_eq!(SqliteStore::open(place.path()).unwrap_err().kind(), StoreErrorKind::Corrupt);
    let said = checked(&place);
    assert!(said.contains("counterfoil_"), "{said}");
}

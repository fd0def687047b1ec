//! Opening: what is made, what is refused, and who may beside whom.

use std::fs;
use std::process::Stdio;
use std::sync::Arc;

use counterfoil::store::{Durability, Health, PaymentStore, StoreErrorKind};
use counterfoil::verify::verify;
use counterfoil_sqlite::SqliteStore;
use std::io::{BufRead, BufReader, Write};

use crate::support::*;

fn kind_of_refusal(path: impl AsRef<std::path::Path>) -> StoreErrorKind {
    let error = SqliteStore::open(path).unwrap_err();
    assert!(!error.during().is_empty());
    error.kind()
}

#[tokio::test]
async fn what_was_written_is_there_after_reopening() {
    let place = Place::new();
    let store = place.open();
    let maker = Maker::new("acme");
    let command = maker.create_as(counterfoil::payment::PaymentMethod::Offline, 500, true, Some(key("k")));
    let first = store.execute(command.clone()).await.unwrap();
    let before = verify(&*store).await.unwrap();
    store.close().await.unwrap();
    assert_eq!(store.status().health, Health::Closed);
    assert_eq!(not_committed(&store.execute(command.clone()).await), Some(StoreErrorKind::Closed));
    assert_eq!(store.read(&[]).await.unwrap_err().kind(), StoreErrorKind::Closed);

    let store = place.open();
    assert_eq!(store.status().health, Health::Ok);
    assert_eq!(store.status().durability, Durability::Disk);
    assert_eq!(verify(&*store).await.unwrap(), before);
    let again = store.execute(command).await.unwrap();
    assert!(again.replayed);
    assert_eq!((again.stream, again.sequence), (first.stream, first.sequence));
}

#[test]
fn closing_leaves_one_file_and_the_lock() {
    let place = Place::new();
    let store = place.open();
    store.execute_batch(&[Maker::new("acme").top_up("w", 1)])[0].as_ref().unwrap();
    drop(store);
    let mut left: Vec<_> =
        fs::read_dir(place.folder()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["books.db", "books.db-lock"]);
}

/// SQLite keeps quiet about it, and the log's name would not be durable.
#[cfg(target_os = "linux")]
#[test]
fn a_file_in_a_folder_that_cannot_be_synced_is_refused() {
    const CHILD: &str = "COUNTERFOIL_UNSYNCED_FOLDER";
    if let Some(path) = std::env::var_os(CHILD) {
        return assert_eq!(kind_of_refusal(path), StoreErrorKind::Io);
    }
    let place = Place::new();
    place.open().execute_batch(&[Maker::new("acme").top_up("w", 1)])[0].as_ref().unwrap();
    let name = "open::a_file_in_a_folder_that_cannot_be_synced_is_refused";
    let child = again_as_child(name, CHILD, &place.path());
    let mut strace = std::process::Command::new("strace");
    strace.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync", "-e", "inject=fsync:error=EIO", "-P"]);
    strace.arg(place.folder().canonicalize().unwrap()).arg(child.get_program()).args(child.get_args());
    match strace.env(CHILD, place.path()).output() {
        Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "strace: {error}");
            // Not by `eprintln`, which a test that passes keeps to itself.
            let said = format!("NOT SHOWN: strace is needed to fail a call: {error}\n");
            std::io::stderr().write_all(said.as_bytes()).unwrap();
        }
    }
    assert!(place.open().execute_batch(&[Maker::new("acme").top_up("w", 1)])[0].is_ok());
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_may_read_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let store = place.open();
    store.execute(Maker::new("acme").top_up("w", 1)).await.unwrap();
    for file in [place.path(), place.beside("wal"), place.beside("shm"), place.beside("lock")] {
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600, "{}", file.display());
    }
}

#[test]
fn a_second_writer_is_refused_in_this_process_by_whatever_name() {
    let place = Place::new();
    let store = place.open();
    assert_eq!(kind_of_refusal(place.path()), StoreErrorKind::Busy);
    #[cfg(unix)]
    {
        let link = place.folder().join("link.db");
        std::os::unix::fs::symlink(place.path(), &link).unwrap();
        assert_eq!(kind_of_refusal(&link), StoreErrorKind::Busy);
    }
    drop(store);
    place.open();
}

/// A lock beside one name is not seen from the other, and neither is the log.
#[cfg(unix)]
#[test]
fn a_file_of_two_names_is_refused() {
    let place = Place::new();
    drop(place.open());
    let other = place.folder().join("other.db");
    fs::hard_link(place.path(), &other).unwrap();
    assert_eq!(kind_of_refusal(place.path()), StoreErrorKind::Misconfigured);
    assert_eq!(kind_of_refusal(&other), StoreErrorKind::Misconfigured);
    fs::remove_file(other).unwrap();
    place.open();
}

#[test]
fn a_second_writer_is_refused_in_another_process_and_a_reader_is_not() {
    const CHILD: &str = "COUNTERFOIL_SECOND_WRITER";
    if let Some(path) = std::env::var_os(CHILD) {
        println!("writer: {:?}", kind_of_refusal(&path));
        let reader = Arc::new(SqliteStore::open_read_only(&path).unwrap());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let seen = runtime.block_on(verify(&*reader)).unwrap();
        println!("reader: {} payments, {} accounts", seen.payments, seen.accounts);
        return;
    }
    let place = Place::new();
    let store = place.open();
    store.execute_batch(&[Maker::new("acme").top_up("w", 1)])[0].as_ref().unwrap();
    let name = "open::a_second_writer_is_refused_in_another_process_and_a_reader_is_not";
    let mut child = again_as_child(name, CHILD, &place.path()).stdout(Stdio::piped()).spawn().unwrap();
    let said: Vec<String> =
        BufReader::new(child.stdout.take().unwrap()).lines().map(|line| line.unwrap()).collect();
    assert!(child.wait().unwrap().success());
    assert!(said.iter().any(|line| line.ends_with("writer: Busy")), "{said:?}");
    assert!(said.iter().any(|line| line == "reader: 0 payments, 1 accounts"), "{said:?}");
}

#[tokio::test]
async fn a_reader_sees_what_the_writer_beside_it_commits_and_cannot_write() {
    let place = Place::new();
    let writer = place.open();
    let reader = Arc::new(SqliteStore::open_read_only(place.path()).unwrap());
    let maker = Maker::new("acme");
    for count in 1..=3 {
        writer.execute(maker.create(counterfoil::payment::PaymentMethod::Offline, 1)).await.unwrap();
        assert_eq!(verify(&*reader).await.unwrap().payments, count);
    }
    assert_eq!(
        not_committed(&reader.execute(maker.top_up("w", 1)).await),
        Some(StoreErrorKind::Misconfigured)
    );
    assert_eq!(
        not_committed(&reader.execute_batch(&[maker.top_up("w", 1)])[0]),
        Some(StoreErrorKind::Misconfigured)
    );
    writer.close().await.unwrap();
    assert_eq!(verify(&*reader).await.unwrap().payments, 3);
    reader.close().await.unwrap();
    assert_eq!(reader.read(&[]).await.unwrap_err().kind(), StoreErrorKind::Closed);

    // Nobody else is there: the file can still be looked at, and is not changed by it.
    let before = fs::read(place.path()).unwrap();
    let alone = SqliteStore::open_read_only(place.path()).unwrap();
    assert_eq!(verify(&alone).await.unwrap().payments, 3);
    drop(alone);
    assert_eq!(fs::read(place.path()).unwrap(), before);
    place.open();
}

#[test]
fn what_is_no_database_is_refused_and_left_alone() {
    let place = Place::new();
    fs::write(place.path(), "not a database, but long enough to have a header of a hundred bytes ".repeat(9))
        .unwrap();
    let before = fs::read(place.path()).unwrap();
    assert_eq!(kind_of_refusal(place.path()), StoreErrorKind::Corrupt);
    assert_eq!(SqliteStore::open_read_only(place.path()).unwrap_err().kind(), StoreErrorKind::Corrupt);
    assert_eq!(fs::read(place.path()).unwrap(), before);
}

#[test]
fn folders_and_paths_that_lead_nowhere_are_refused() {
    let place = Place::new();
    assert_eq!(kind_of_refusal(place.folder()), StoreErrorKind::Misconfigured);
    assert_eq!(kind_of_refusal(place.folder().join("missing/books.db")), StoreErrorKind::Misconfigured);
    assert_eq!(kind_of_refusal(""), StoreErrorKind::Misconfigured);
    assert_eq!(SqliteStore::open_read_only(place.path()).unwrap_err().kind(), StoreErrorKind::Misconfigured);
    assert!(!place.path().exists(), "to look at a file does not make it");
    fs::write(place.path(), "").unwrap();
    assert_eq!(SqliteStore::open_read_only(place.path()).unwrap_err().kind(), StoreErrorKind::Misconfigured);
}

#[test]
fn a_newer_schema_is_refused_and_left_alone() {
    let place = Place::new();
    drop(place.open());
    raw(&place.path())
        .execute("INSERT INTO counterfoil_migration VALUES (99, 'from the future', 0)", [])
        .unwrap();
    let before = fs::read(place.path()).unwrap();
    assert_eq!(kind_of_refusal(place.path()), StoreErrorKind::TooNew);
    assert_eq!(SqliteStore::open_read_only(place.path()).unwrap_err().kind(), StoreErrorKind::TooNew);
    assert_eq!(fs::read(place.path()).unwrap(), before);
}

#[test]
fn tables_with_our_names_that_are_not_ours_are_refused_and_left_alone() {
    for foreign in
        ["CREATE TABLE counterfoil_payment (id)", "CREATE TABLE counterfoil_migration (version, whatever)"]
    {
        let place = Place::new();
        raw(&place.path()).execute_batch(foreign).unwrap();
        let before = fs::read(place.path()).unwrap();
        assert_eq!(kind_of_refusal(place.path()), StoreErrorKind::Misconfigured, "{foreign}");
        assert_eq!(fs::read(place.path()).unwrap(), before);
    }
    let meddling = "CREATE TRIGGER helpful AFTER INSERT ON counterfoil_payment
                    BEGIN DELETE FROM counterfoil_claim; END";
    for change in ["DROP TRIGGER counterfoil_journal_update", meddling] {
        let place = Place::new();
        drop(place.open());
        raw(&place.path()).execute_batch(change).unwrap();
        assert_eq!(kind_of_refusal(place.path()), StoreErrorKind::Misconfigured, "{change}");
    }
}

#[tokio::test]
async fn the_hosts_own_tables_are_no_business_of_ours() {
    let place = Place::new();
    let host = raw(&place.path());
    host.execute_batch("PRAGMA user_version = 7; CREATE TABLE invoice (id); INSERT INTO invoice VALUES (1)")
        .unwrap();
    let store = place.open();
    store.execute(Maker::new("acme").top_up("w", 1)).await.unwrap();
    host.execute_batch("INSERT INTO invoice VALUES (2)").unwrap();
    store.execute(Maker::new("acme").top_up("w", 1)).await.unwrap();
    let version: i64 = host.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    let invoices: i64 = host.query_row("SELECT count(*) FROM invoice", [], |row| row.get(0)).unwrap();
    assert_eq!((version, invoices), (7, 2));
    assert_eq!(verify(&*store).await.unwrap().events, 2);
}

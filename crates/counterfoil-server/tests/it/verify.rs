//! Proving the books: clean ones beside a running server, and damaged ones with the fault named.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use tempfile::TempDir;

use crate::client::{Client, offline, reference_call};
use crate::program::{Server, run, sqlite};

/// A closed file with two payments, of two events each, and their ids.
pub(crate) struct Books {
    _directory: TempDir,
    pub(crate) path: PathBuf,
    pub(crate) payments: [String; 2],
}

pub(crate) fn books() -> Books {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("books.db");
    let server = Server::start(&sqlite(&path));
    let mut client = Client::connect(server.address);
    let payments = ["a", "b"].map(|key| client.create(&reference_call(key)).text("id").to_owned());
    server.stop();
    Books { _directory: directory, path, payments }
}

/// Exit code 1 and one line that says all of this; gives that line.
#[track_caller]
fn faulty(path: &Path, words: &[&str]) -> String {
    let ended = run(&["verify", "--store", &sqlite(path)]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(1), ""), "{ended:?}");
    assert!(ended.stdout.starts_with("fault: ") && ended.stdout.lines().count() == 1, "{ended:?}");
    for word in words {
        assert!(ended.stdout.contains(word), "{word:?} is missing: {ended:?}");
    }
    ended.stdout
}

/// Changes the books by SQL, as only somebody who means to can: its triggers have to be taken away and put
/// back, for a file with another schema is not even opened.
pub(crate) fn tamper(path: &Path, sql: &str) {
    let connection = Connection::open(path).unwrap();
    let mut statement = connection
        .prepare(
            "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'counterfoil_journal'",
        )
        .unwrap();
    let triggers: Vec<(String, String)> =
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect();
    assert_eq!(triggers.len(), 2);
    for (name, _) in &triggers {
        connection.execute_batch(&format!("DROP TRIGGER {name}")).unwrap();
    }
    assert_eq!(connection.execute(sql, []).unwrap(), 1, "it changes one thing");
    for (_, text) in &triggers {
        connection.execute_batch(text).unwrap();
    }
}

#[test]
fn clean_books_are_clean_beside_a_running_server_too() {
    let directory = tempfile::tempdir().unwrap();
    let store = sqlite(&directory.path().join("books.db"));
    let server = Server::start(&store);
    let mut client = Client::connect(server.address);
    client.create(&reference_call("a"));
    client.create(&offline("b"));
    let top_up = serde_json::json!({"amount": 5, "currency": "usd", "idempotency_key": "c"});
    assert_eq!(client.post("/v1/wallets/w/top-ups", &top_up).unwrap().status, 201);

    let verify = || run(&["verify", "--store", &store]);
    let beside = verify();
    assert_eq!((beside.code, beside.stderr.as_str()), (Some(0), ""), "{beside:?}");
    let digest = beside.stdout.strip_prefix("clean: 2 payments, 1 accounts, 4 events, digest ").unwrap();
    assert_eq!(digest.trim_end().len(), 64);
    assert_eq!(client.create(&offline("d")).status, 201, "the server was not disturbed");
    let later = verify();
    assert!(later.stdout.starts_with("clean: 3 payments, 1 accounts, 5 events, digest "), "{later:?}");
    server.stop();
    assert_eq!(verify().stdout, later.stdout, "equal books, equal digest");
}

/// INVARIANTS 39, as far as an operator meets it.
#[test]
fn a_changed_event_is_named() {
    let Books { path, payments, .. } = &books();
    tamper(path, "UPDATE counterfoil_journal SET hash = zeroblob(32) WHERE position = 4");
    faulty(path, &["default/default", &payments[1], "event 2", "hash"]);
}

#[test]
fn a_swapped_event_is_named() {
    let Books { path, payments, .. } = &books();
    let from_the_other = "(SELECT event FROM counterfoil_journal WHERE position = 2)";
    tamper(path, &format!("UPDATE counterfoil_journal SET event = {from_the_other} WHERE position = 4"));
    faulty(path, &[&payments[1], "event 2", "not the event that belongs here"]);
}

#[test]
fn a_changed_row_is_named() {
    let Books { path, payments, .. } = &books();
    let columns = "status, updated_at, row";
    let from_the_other = format!("(SELECT {columns} FROM counterfoil_payment ORDER BY stream DESC LIMIT 1)");
    let first = "(SELECT min(stream) FROM counterfoil_payment)";
    tamper(
        path,
        &format!("UPDATE counterfoil_payment SET ({columns}) = {from_the_other} WHERE stream = {first}"),
    );
    faulty(path, &[&payments[0], "the stored row is not what the events make"]);
}

#[test]
fn bytes_changed_in_the_file_are_named_wherever_they_stand() {
    let Books { path, payments, .. } = &books();
    let good = fs::read(path).unwrap();
    let mut named = Vec::new();
    // What was paid stands in every event: in the terms, or in the postings.
    for place in (0..=good.len() - 5).filter(|place| good[*place..].starts_with(b"inv_1")) {
        let mut bad = good.clone();
        bad[place + 4] = b'9';
        fs::write(path, bad).unwrap();
        // In the events it breaks the chain; in the listing, and its index, it would hide a payment; in what is known
        // of the invoice, it would hide what was paid.
        let fault = faulty(path, &[]);
        let told = ["its hash does not follow", "listing of", "its totals are not"];
        assert!(told.iter().any(|words| fault.contains(words)), "{fault}");
        named.push(fault);
    }
    for payment in payments {
        for event in [1, 2] {
            let name = format!("fault: default/default: {payment}, event {event}: ");
            assert!(named.iter().any(|fault| fault.starts_with(&name)), "never {name:?}: {named:#?}");
        }
        let listed = named.iter().filter(|fault| fault.contains(&format!("listing of {payment}"))).count();
        assert_eq!(listed, 2, "in the table and in its index: {named:#?}");
    }
}

#[test]
fn an_event_that_cannot_be_read_is_a_fault() {
    let Books { path, payments, .. } = &books();
    tamper(path, "UPDATE counterfoil_journal SET event = substr(event, 1, 9) WHERE position = 4");
    faulty(path, &[&payments[1], "event 2", "it cannot be read", "journal entry 4"]);
}

/// The file is of our version, so nobody wrote in it what only a later one reads.
#[test]
fn a_row_that_looks_like_a_later_versions_is_a_fault() {
    let first = "stream = (SELECT min(stream) FROM counterfoil_payment)";
    let changes = [
        (format!("counterfoil_payment SET row = x'07' WHERE {first}"), "event 2: ", "row of pay_"),
        (
            "counterfoil_destination SET row = zeroblob(5)".to_owned(),
            "default/default: destination:INVOICE:inv_1, ",
            "row layout 0",
        ),
        (
            format!(
                "counterfoil_claim SET fingerprint = x'01ff0000000000000000' WHERE {first} AND kind = 'create_key'"
            ),
            "event 1: ",
            "create_key claim",
        ),
    ];
    for (change, place, what) in changes {
        let Books { path, payments, .. } = &books();
        tamper(path, &format!("UPDATE {change}"));
        let fault = faulty(path, &[place, "what is stored of it cannot be read", what]);
        assert_eq!(fault.contains(&payments[0]), place.starts_with("event"), "{fault}");
    }
}

/// INVARIANTS 39: the last event with its row, which the others do not miss.
#[test]
fn what_was_taken_away_since_a_head_was_kept_is_found() {
    let Books { path, _directory: directory, .. } = &books();
    let (store, head) = (sqlite(path), directory.path().join("head"));
    let head = head.to_str().unwrap();
    let old = fs::read(path).unwrap();
    let server = Server::start(&store);
    assert_eq!(Client::connect(server.address).create(&offline("c")).status, 201);
    server.stop();
    let ended = run(&["verify", "--store", &store, "--write-head", head]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(fs::read_to_string(head).unwrap().starts_with("counterfoil-head 1 5 "));

    let against = || run(&["verify", "--store", &store, "--head", head]);
    assert_eq!(against().code, Some(0));
    let server = Server::start(&store);
    assert_eq!(Client::connect(server.address).create(&offline("d")).status, 201);
    server.stop();
    assert_eq!(against().code, Some(0), "what was added since is no fault");

    fs::write(path, old).unwrap();
    assert_eq!(run(&["verify", "--store", &store]).code, Some(0), "nothing else can know");
    let ended = against();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.starts_with("fault: there are 4 events, and were 5 when"), "{ended:?}");
    let other = format!("counterfoil-head 1 4 {}\n", "0".repeat(64));
    fs::write(head, other).unwrap();
    assert!(against().stdout.starts_with("fault: the first 4 events are not those"));
}

/// A run that was killed left its file behind, and another one is at it.
#[test]
fn a_head_that_was_not_written_to_its_end_is_in_nobodys_way() {
    let Books { path, _directory: directory, .. } = &books();
    let head = directory.path().join("head");
    let (partial, second) = (directory.path().join("head.partial"), directory.path().join("head.partial2"));
    fs::write(&partial, "counterfoil-hea").unwrap();
    let ended = run(&["verify", "--store", &sqlite(path), "--write-head", head.to_str().unwrap()]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{ended:?}");
    assert!(fs::read_to_string(&head).unwrap().starts_with("counterfoil-head 1 4 "));
    assert_eq!(fs::read_to_string(&partial).unwrap(), "counterfoil-hea", "it may be another run's");
    assert!(!second.exists());
}

#[test]
fn a_claim_that_no_event_made_is_named() {
    let Books { path, .. } = &books();
    let claim = "INSERT INTO counterfoil_claim SELECT scope, kind, x'7a', stream, sequence, fingerprint
        FROM counterfoil_claim LIMIT 1";
    tamper(path, claim);
    faulty(path, &["while checking the file", "counterfoil_claim 1 'create_key' X'7A'"]);
}

#[test]
fn a_newer_schema_is_refused() {
    let Books { path, .. } = &books();
    let newer = "INSERT INTO counterfoil_migration (version, name, applied_at) VALUES (99, 'later', 0)";
    Connection::open(path).unwrap().execute(newer, []).unwrap();
    crate::refusals::store_refused(&sqlite(path), "written by a newer version");
}

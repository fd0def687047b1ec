//! Restoring a backup as the README describes. INVARIANTS 40.

use std::fs;
use std::path::Path;

use rusqlite::Connection;

use crate::client::{Client, reference_call};
use crate::program::{Server, run, sqlite};

/// Creates a payment, and returns the position after its events.
fn pay(client: &mut Client, key: &str) -> String {
    assert_eq!(client.create(&reference_call(key)).status, 201);
    client.get("/v1/events").text("next").to_owned()
}

#[test]
fn clients_of_the_feed_notice_a_restore() {
    let directory = tempfile::tempdir().unwrap();
    let [path, backup] = ["books.db", "backup.db"].map(|name| directory.path().join(name));
    let server = Server::start(&sqlite(&path));
    let mut client = Client::connect(server.address);
    let before = pay(&mut client, "a");
    // The server is running.
    Connection::open(&path).unwrap().execute("VACUUM INTO ?1", [backup.to_str().unwrap()]).unwrap();
    let after = pay(&mut client, "b");
    server.stop();

    fs::copy(&backup, &path).unwrap();
    let began = run(&["begin-era", "--store", &sqlite(&path)]);
    assert_eq!((began.code, began.stderr.as_str()), (Some(0), ""), "{began:?}");
    assert!(began.stdout.contains(" is in era 2 now: "), "{began:?}");
    assert_eq!(run(&["verify", "--store", &sqlite(&path)]).code, Some(0));

    let server = Server::start(&sqlite(&path));
    let mut client = Client::connect(server.address);
    pay(&mut client, "c");
    for position in [before, after] {
        let answer = client.get(&format!("/v1/events?after={position}"));
        assert_eq!((answer.status, answer.text("code")), (410, "unknown_position"));
    }
    assert_eq!(client.get("/v1/events").body["items"].as_array().unwrap().len(), 4);
    refused(&path, "somebody else holds it");
    server.stop();
}

#[track_caller]
fn refused(path: &Path, why: &str) {
    let ended = run(&["begin-era", "--store", &sqlite(path)]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""));
    assert!(ended.stderr.contains(why), "{ended:?}");
}

#[test]
fn begin_era_needs_an_existing_file() {
    let directory = tempfile::tempdir().unwrap();
    refused(&directory.path().join("books.db"), "there is no file");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    let ended = run(&["begin-era", "--store", "memory:"]);
    assert!(ended.stderr.contains("only by the server that holds it"), "{ended:?}");
}

//! What it will not do: one sentence on stderr, nothing on stdout, exit code 2.

use std::fs;
use std::net::TcpListener;

use crate::program::{API_KEY, Process, Server, program, run, sqlite};

#[track_caller]
fn refused(arguments: &[&str], why: &str) {
    let ended = run(arguments);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert_eq!(ended.stdout, "");
    assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
    assert!(ended.stderr.starts_with("error: ") && ended.stderr.ends_with('\n'), "{ended:?}");
    assert!(ended.stderr.contains(why), "{ended:?}");
}

/// None of them may open it.
#[track_caller]
pub(crate) fn store_refused(store: &str, why: &str) {
    refused(&["serve", "--listen", "127.0.0.1:0", "--store", store], why);
    refused(&["verify", "--store", store], why);
    refused(&["export", "--format", "csv", "--store", store], why);
}

#[test]
fn words_that_it_does_not_know() {
    refused(&[], "requires a subcommand");
    refused(&["sing"], "unrecognized subcommand 'sing'");
    refused(&["serve", "--loudly"], "unexpected argument '--loudly'");
    let mistyped = ["serve", "--api-key", "a.key-of-some-length-at-least", "b.SECRET"];
    refused(&mistyped, "belongs to no option");
    assert!(!run(&mistyped).stderr.contains("SECRET"));
    refused(&["serve", "--listen", "everywhere"], "--listen <IP:PORT>: not an address and port");
    refused(&["serve", "--amounts", "float"], "--amounts");
    refused(&["serve", "--max-connections", "0"], "--max-connections");
    refused(&["export"], "--format");
    refused(&["export", "--format", "pdf"], "invalid value 'pdf'");
    refused(&["graph", "--format", "png"], "invalid value 'png'");
    refused(&["graph", "--of", "refund"], "invalid value 'refund'");
}

#[test]
fn heads_that_are_none() {
    let directory = tempfile::tempdir().unwrap();
    let head = directory.path().join("head");
    let head = head.to_str().unwrap();
    refused(&["verify", "--head", head], "cannot read the head in");
    fs::write(head, "counterfoil-head 1 7 of June").unwrap();
    refused(&["verify", "--head", head], "not a head that was written here");
    refused(&["verify", "--write-head", head], "there is such a file already");
}

#[test]
fn stores_that_are_none() {
    store_refused("postgres://user:secret@host/books", "there is no store `postgres:`");
    assert!(!run(&["serve", "--store", "postgres://user:secret@host/books"]).stderr.contains("secret"));
    store_refused("books.db", "sqlite:PATH or memory:");
    store_refused("sqlite:", "needs the path");
    store_refused("sqlite::memory:", "memory:");
    refused(&["export", "--format", "csv", "--store", "memory:"], "only by the server that holds it");
    refused(&["verify", "--store", "memory:"], "only by the server that holds it");
}

#[test]
fn files_that_are_no_books() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notes.txt");
    let text = "Dear diary, today I was mistaken for a database. ".repeat(100);
    fs::write(&path, &text).unwrap();
    store_refused(&sqlite(&path), "notes.txt");
    assert_eq!(fs::read_to_string(&path).unwrap(), text, "and it is left as it was");
    store_refused(&sqlite(directory.path()), "cannot open");
    store_refused(&sqlite(&directory.path().join("nowhere").join("books.db")), "nowhere");
}

#[test]
fn verifying_does_not_make_what_it_looks_for() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("books.db");
    for arguments in [&["verify", "--store"][..], &["export", "--format", "csv", "--store"]] {
        let ended = run(&[arguments, &[&sqlite(&path)]].concat());
        assert_eq!(ended.stderr, format!("error: there is no file {}\n", path.display()));
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""));
    }
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn a_port_in_use() {
    let directory = tempfile::tempdir().unwrap();
    let store = sqlite(&directory.path().join("books.db"));
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    refused(&["serve", "--listen", &address, "--store", &store], &format!("cannot listen on {address}"));
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0, "no file for a server that never was");
}

#[test]
fn a_file_that_another_server_writes() {
    let directory = tempfile::tempdir().unwrap();
    let store = sqlite(&directory.path().join("books.db"));
    let server = Server::start(&store);
    refused(&["serve", "--listen", "127.0.0.1:0", "--store", &store], "somebody else holds it");
    server.stop();
    Server::start(&store).stop();
}

#[test]
fn the_world_without_a_key_or_without_tls() {
    let listen = ["serve", "--store", "memory:", "--listen", "0.0.0.0:0"];
    refused(&listen, "an API key must be given");
    refused(&[&listen[..], &["--tls-in-front"]].concat(), "an API key must be given");
    refused(&[&listen[..], &["--api-key", API_KEY]].concat(), "--tls-in-front");
    let mut told = program(&listen);
    Server::spawn(told.args(["--api-key", API_KEY, "--tls-in-front"]));
}

#[test]
fn keys_that_are_none() {
    let with_key = |key| run(&["serve", "--listen", "127.0.0.1:0", "--store", "memory:", "--api-key", key]);
    for key in ["", "two words", "tab\there", "caf\u{e9}"] {
        let ended = with_key(key);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{key:?}: {ended:?}");
        assert!(key.is_empty() || !ended.stderr.contains(key), "a key is never shown: {ended:?}");
    }
    let mut command = program(&["serve", "--listen", "127.0.0.1:0", "--store", "memory:"]);
    let ended = Process::spawn(command.env("COUNTERFOIL_API_KEY", " ")).end();
    assert_eq!(ended.code, Some(2));
    assert_eq!(ended.stderr, "error: COUNTERFOIL_API_KEY is set, but there is no key in it\n");
}

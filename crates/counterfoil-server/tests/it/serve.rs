//! Serving: what is answered, and what is said while starting.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;

use crate::client::{Client, offline, reference_call};
use crate::program::{API_KEY, Process, Server, eventually, program, run, sqlite};

#[test]
fn the_reference_call_is_answered_and_outlives_the_server() {
    let directory = tempfile::tempdir().unwrap();
    let store = sqlite(&directory.path().join("books.db"));

    let server = Server::start(&store);
    let created = Client::connect(server.address).create(&reference_call("order-1"));
    assert_eq!(created.status, 201, "{created:?}");
    assert_eq!(created.text("payment_status"), "SUCCEEDED");
    assert_eq!(created.text("tenant_id"), "default");
    assert_eq!(created.text("environment_id"), "default");
    assert_eq!(created.text("created_by"), "tests", "the key's id, and nothing of its secret");
    assert_eq!(created.body["attempts"][0]["attempt_number"], 1);
    server.stop();

    let server = Server::start(&store);
    let mut client = Client::connect(server.address);
    let read = client.get(&format!("/v1/payments/{}", created.text("id")));
    assert_eq!((read.status, &read.body), (200, &created.body));
    let again = client.create(&reference_call("order-1"));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.text("id"), created.text("id"));
    server.stop();
}

/// INVARIANTS 20, through the front door.
#[test]
fn forty_callers_with_one_key_make_one_payment() {
    let directory = tempfile::tempdir().unwrap();
    let store = sqlite(&directory.path().join("books.db"));
    let server = Server::start(&store);
    let address = server.address;
    let callers: Vec<_> = (0..40)
        .map(|_| thread::spawn(move || Client::connect(address).create(&reference_call("order-1"))))
        .collect();
    let answers: Vec<_> = callers.into_iter().map(|caller| caller.join().unwrap()).collect();
    let fresh = answers.iter().filter(|answer| answer.header("idempotent-replayed").is_none()).count();
    assert_eq!(fresh, 1);
    for answer in &answers {
        assert_eq!((answer.status, answer.text("id")), (201, answers[0].text("id")));
        assert_eq!(answer.body["attempts"].as_array().unwrap().len(), 1);
    }
    server.stop();
    let verified = run(&["verify", "--store", &store]);
    assert!(verified.stdout.starts_with("clean: 1 payments, 0 accounts, 2 events, digest "), "{verified:?}");
}

#[test]
fn without_a_key_one_is_made_and_printed_once() {
    let mut command = program(&["serve", "--listen", "127.0.0.1:0", "--store", "memory:"]);
    let mut server = Server::spawn(&mut command);
    let line = server.process.next_line();
    let key = line.trim_end().strip_prefix("api key: ").expect("a second line with the key");
    let (id, secret) = key.split_once('.').unwrap();
    assert!(secret.len() * 4 >= 128, "hexadecimal digits of at least 128 bits: {key}");

    let created = Client::with_key(server.address, key).create(&offline("a"));
    assert_eq!((created.status, created.text("created_by")), (201, id));
    for wrong in [format!("{id}.{secret}0"), format!("{id}."), id.to_owned(), "nobody.knows".to_owned()] {
        assert_eq!(Client::with_key(server.address, &wrong).create(&offline("a")).status, 401, "{wrong}");
    }

    server.process.signal("TERM");
    let ended = server.process.end();
    assert_eq!(ended.code, Some(0));
    assert_eq!(ended.stdout, "");
    assert_eq!(ended.stderr, "warning: memory: keeps nothing when the server ends\n");
}

#[test]
fn keys_may_come_from_the_environment_and_be_several() {
    let mut command = program(&["serve", "--listen", "127.0.0.1:0", "--store", "memory:"]);
    let server = Server::spawn(command.env("COUNTERFOIL_API_KEY", format!("short\n{API_KEY}")));
    for (key, actor) in [(API_KEY, "tests"), ("short", "api")] {
        let created = Client::with_key(server.address, key).create(&offline(actor));
        assert_eq!((created.status, created.text("created_by")), (201, actor));
    }
    server.process.signal("INT");
    let ended = server.process.end();
    assert_eq!(ended.code, Some(0));
    assert_eq!(ended.stdout, "", "a key that was given is not printed");
    assert!(ended.stderr.contains("API key `api` is short"), "{ended:?}");
    assert!(!ended.stderr.contains("tests"), "the other one is long enough: {ended:?}");
}

#[test]
fn amounts_are_numbers_or_strings_as_asked() {
    let amount_of = |options: &[&str]| {
        let server = Server::with("memory:", options);
        Client::connect(server.address).create(&offline("a")).body["amount"].to_string()
    };
    assert_eq!(amount_of(&[]), "99.5");
    assert_eq!(amount_of(&["--amounts", "string"]), "\"99.5\"");
}

/// Nobody reads stdout any more: it serves on, and does not panic.
#[test]
fn a_closed_stdout_does_not_stop_it() {
    // An address of its own, so that nobody else takes the port before the server does.
    let host = Ipv4Addr::new(127, 0, 0, 2);
    let port = TcpListener::bind((host, 0)).unwrap().local_addr().unwrap().port();
    let address = SocketAddr::from((host, port));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let listen = address.to_string();
    let mut command = program(&["serve", "--listen", &listen, "--store", "memory:", "--api-key", API_KEY]);
    let process = Process::spawn(command.stdout(writer));
    eventually("it listens", || TcpStream::connect(address).is_ok());
    assert_eq!(Client::connect(address).create(&offline("a")).status, 201);
    process.signal("TERM");
    let ended = process.end();
    assert_eq!(ended.code, Some(0));
    assert_eq!(ended.stderr, "warning: memory: keeps nothing when the server ends\n");
}

#[test]
fn an_answer_that_cannot_be_written_is_no_success() {
    let full = File::options().write(true).open("/dev/full").unwrap();
    let ended = Process::spawn(program(&["graph"]).stdout(full)).end();
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.starts_with("error: cannot write to stdout: "), "{ended:?}");
}

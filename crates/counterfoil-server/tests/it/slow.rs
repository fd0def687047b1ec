//! Clients that take their time. Each is let go within the server's patience; a test that waits for it in
//! vain fails after 30 seconds.

use std::io::{ErrorKind, Write};

use crate::client::{Client, offline};
use crate::program::Server;

const IMPATIENT: [&str; 2] = ["--patience-ms", "300"];

#[test]
fn a_head_that_does_not_come_is_not_waited_for() {
    let server = Server::with("memory:", &IMPATIENT);
    let mut silent = Client::connect(server.address);
    let mut slow = Client::connect(server.address);
    slow.send("POST /v1/payments HTTP/1.1\r\nhost: counter").unwrap();
    assert!(silent.is_closed() && slow.is_closed());
}

#[test]
fn a_head_that_comes_letter_by_letter_is_not_waited_for() {
    let server = Server::with("memory:", &IMPATIENT);
    let mut client = Client::connect(server.address);
    let dripped =
        "GET /v1/payments/".bytes().chain(std::iter::repeat(b'x')).take(2_000).try_for_each(|byte| {
            std::thread::sleep(std::time::Duration::from_millis(15));
            client.stream.get_mut().write_all(&[byte])
        });
    assert!(dripped.is_err(), "30 seconds of letters, and it still listens");
}

#[test]
fn a_body_that_does_not_come_is_not_waited_for() {
    let server = Server::with("memory:", &IMPATIENT);
    let mut client = Client::connect(server.address);
    let head = client.head("POST", "/v1/payments", 1_000);
    client.send(&format!("{head}\r\n{{\"amount\": ")).unwrap();
    assert!(client.is_closed());
}

#[test]
fn a_connection_between_requests_is_not_kept_for_ever() {
    let server = Server::with("memory:", &IMPATIENT);
    let mut client = Client::connect(server.address);
    assert_eq!(client.create(&offline("a")).status, 201);
    assert_eq!(client.create(&offline("b")).status, 201, "it is kept for a next request");
    assert!(client.is_closed());
}

#[test]
fn a_client_that_does_not_read_its_answers_is_not_waited_for() {
    let server = Server::with("memory:", &IMPATIENT);
    let mut client = Client::connect(server.address);
    let request = client.head("GET", "/v1/payments/nothing", 0) + "\r\n";
    let many = request.repeat(100);
    // Until the buffers of both sides are full; then the server waits, and then no longer.
    let error = loop {
        if let Err(error) = client.send(&many) {
            break error;
        }
    };
    assert!(matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{error:?}");
}

//! Being told to stop while requests are in flight.

use std::net::TcpStream;

use crate::client::{Client, offline};
use crate::program::{Server, eventually};

/// A client whose request has begun to be handled: its head was read, its body is awaited.
fn in_flight(server: &Server, body: &str) -> Client {
    let mut client = Client::connect(server.address);
    let head = client.head("POST", "/v1/payments", body.len());
    client.send(&format!("{head}expect: 100-continue\r\n\r\n")).unwrap();
    assert_eq!(client.answer().unwrap().status, 100);
    client
}

fn wait_until_it_takes_no_more(server: &Server) {
    eventually("it stops listening", || TcpStream::connect(server.address).is_err());
}

#[test]
fn requests_in_flight_are_answered_and_idle_clients_are_let_go() {
    let directory = tempfile::tempdir().unwrap();
    let store = crate::program::sqlite(&directory.path().join("books.db"));
    let server = Server::start(&store);
    let mut silent = Client::connect(server.address);
    let mut idle = Client::connect(server.address);
    assert_eq!(idle.create(&offline("before")).status, 201);

    let body = offline("during").to_string();
    let mut client = in_flight(&server, &body);
    server.process.signal("TERM");
    wait_until_it_takes_no_more(&server);
    assert!(idle.is_closed() && silent.is_closed());
    client.send(&body).unwrap();
    let answer = client.answer().unwrap();
    assert_eq!((answer.status, answer.header("connection")), (201, Some("close")));
    let ended = server.process.end();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));

    let server = Server::start(&store);
    let read = Client::connect(server.address).get(&format!("/v1/payments/{}", answer.text("id")));
    assert_eq!((read.status, read.body), (200, answer.body));
}

#[test]
fn requests_that_do_not_end_are_cut_off() {
    let server = Server::with("memory:", &["--drain-ms", "300"]);
    let mut client = in_flight(&server, "{}");
    server.process.signal("TERM");
    let ended = server.process.end();
    assert_eq!(ended.code, Some(0));
    assert!(ended.stderr.contains("took too long and were cut off"), "{ended:?}");
    assert!(client.is_closed());
}

#[test]
fn a_second_signal_ends_the_drain() {
    let server = Server::with("memory:", &["--drain-ms", "3600000", "--patience-ms", "3600000"]);
    let mut client = in_flight(&server, "{}");
    server.process.signal("TERM");
    wait_until_it_takes_no_more(&server);
    server.process.signal("INT");
    let ended = server.process.end();
    assert_eq!(ended.code, Some(0));
    assert!(ended.stderr.contains("cut off by a second signal"), "{ended:?}");
    assert!(client.is_closed());
}

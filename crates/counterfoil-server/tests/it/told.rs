//! What goes back and forth beside requests: notifications of gateways, and the feed as a stream.

use std::io::BufRead;

use counterfoil::clock::{Clock, SystemClock};
use counterfoil_http::sign;
use serde_json::json;

use crate::client::{Answer, Client, offline, reference_call};
use crate::program::{API_KEY, Server, eventually, program, run};

const SECRET: &str = "whsec_0123456789abcdefghij";

fn with_secret(secret: &str) -> Server {
    let mut command =
        program(&["serve", "--listen", "127.0.0.1:0", "--store", "memory:", "--api-key", API_KEY]);
    Server::spawn(command.args(["--due-every-ms", "3600000"]).env("COUNTERFOIL_SANDBOX_SECRET", secret))
}

/// Tells that the payment of this id is paid, signed with [`SECRET`].
fn notify(client: &mut Client, id: &str) -> Answer {
    let body = json!({"notification_id": "n1", "type": "attempt.succeeded", "payment_id": id,
        "occurred_at": "2026-01-01T00:00:00Z"})
    .to_string();
    let head = client.head("POST", "/v1/gateways/sandbox/notifications", body.len());
    let signature = sign(SECRET, SystemClock.now(), body.as_bytes());
    client.send(&format!("{head}Counterfoil-Signature: {signature}\r\n\r\n{body}")).unwrap();
    client.answer().unwrap()
}

#[test]
fn whoever_has_the_secret_can_tell_what_the_sandbox_would() {
    let server = with_secret(SECRET);
    let mut client = Client::connect(server.address);
    let mut call = reference_call("order-1");
    call["payment_method_id"] = "pm_sandbox_action".into();
    let made = client.create(&call);
    assert_eq!(made.text("payment_status"), "REQUIRES_ACTION");
    let taken = notify(&mut client, made.text("id"));
    assert_eq!((taken.status, &taken.body["applied"]), (200, &json!(true)), "{taken:?}");
    assert_eq!(notify(&mut client, made.text("id")).body["applied"], false);
    server.process.signal("TERM");
    let ended = server.process.end();
    assert!(ended.code == Some(0) && !ended.stderr.contains("secret"), "{ended:?}");
}

#[test]
fn without_a_secret_there_is_no_endpoint() {
    let server = Server::start("memory:");
    let mut client = Client::connect(server.address);
    let made = client.create(&offline("a"));
    assert_eq!(notify(&mut client, made.text("id")).status, 401);
}

#[test]
fn a_secret_that_could_be_guessed_is_warned_about_and_none_is_refused() {
    let server = with_secret("short");
    server.process.signal("TERM");
    let ended = server.process.end();
    assert!(ended.stderr.contains("`sandbox` is short") && !ended.stderr.contains("`short`"), "{ended:?}");
    let mut command = program(&["serve", "--store", "memory:", "--listen", "127.0.0.1:0"]);
    let ended = crate::program::Process::spawn(command.env("COUNTERFOIL_SANDBOX_SECRET", " ")).end();
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("there is no secret in it"), "{ended:?}");
    assert!(run(&["serve", "--help"]).stdout.contains("--retry"));
}

/// Somebody who listens, as soon as the first event has come.
fn listen(server: &Server) -> Client {
    let mut client = Client::connect(server.address);
    let head = client.head("GET", "/v1/events", 0);
    client.send(&format!("{head}accept: text/event-stream\r\n\r\n")).unwrap();
    hear(&mut client, "event: payment.created");
    client
}

/// Reads on to a line that is `line`.
fn hear(client: &mut Client, line: &str) {
    let mut heard = String::new();
    while heard.trim_end() != line {
        heard.clear();
        assert!(client.stream.read_line(&mut heard).unwrap() > 0, "it ended before {line:?}");
    }
}

#[test]
fn the_feed_goes_on_and_does_not_hold_up_a_server_that_stops() {
    // It would end by itself only in an hour.
    let server = Server::with("memory:", &["--drain-ms", "3600000"]);
    let mut client = Client::connect(server.address);
    client.create(&offline("a"));
    let mut listener = listen(&server);
    client.create(&offline("b"));
    hear(&mut listener, "event: payment.created");

    server.process.signal("TERM");
    assert!(listener.is_closed());
    let ended = server.process.end();
    assert_eq!(ended.code, Some(0));
    assert!(!ended.stderr.contains("cut off"), "{ended:?}");
}

#[test]
fn whoever_hangs_up_makes_room() {
    let server = Server::with("memory:", &["--max-connections", "2"]);
    let mut client = Client::connect(server.address);
    client.create(&offline("a"));
    let listener = listen(&server);
    assert_eq!(Client::connect(server.address).answer().unwrap().status, 503);
    drop(listener);
    eventually("there is room", || {
        let made = Client::connect(server.address).post("/v1/payments", &offline("b"));
        made.is_ok_and(|answer| answer.status == 201)
    });
}

/// Nothing has to be written to somebody who is gone, to see that they are.
#[test]
fn a_stream_ends_with_its_listener() {
    let server = Server::start("memory:");
    Client::connect(server.address).create(&offline("a"));
    let mut listener = listen(&server);
    listener.end();
    let mut heard = String::new();
    while listener.stream.read_line(&mut heard).unwrap() > 0 {
        assert!(!heard.starts_with(':'), "a heartbeat came, as if somebody were listening");
        heard.clear();
    }
}

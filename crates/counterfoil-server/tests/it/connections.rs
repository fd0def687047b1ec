//! More connections than there is room for.

use std::process::Command;

use crate::client::{Client, offline};
use crate::program::{API_KEY, Server, eventually};

#[test]
fn one_too_many_is_turned_away() {
    let server = Server::with("memory:", &["--max-connections", "2"]);
    let mut first = Client::connect(server.address);
    let mut second = Client::connect(server.address);
    assert_eq!(first.create(&offline("a")).status, 201);
    assert_eq!(second.create(&offline("b")).status, 201);

    let mut third = Client::connect(server.address);
    let answer = third.answer().unwrap();
    assert_eq!((answer.status, answer.text("code")), (503, "service_unavailable"));
    assert_eq!(answer.body["http_status_code"], 503);
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(third.is_closed());
    // It may have been asking meanwhile: that is heard, so that its system does not throw the answer away.
    for part in ["GET /v1/payments HTTP/1.1\r\n", "host: counterfoil\r\n\r\n"] {
        third.send(part).expect("closed, and not cut off");
    }

    drop(first);
    eventually("there is room again", || {
        let created = Client::connect(server.address).post("/v1/payments", &offline("c"));
        created.is_ok_and(|answer| answer.status == 201)
    });
}

/// Until the server comes to it, the system holds a crowd for it.
#[test]
#[cfg(target_os = "linux")]
fn a_crowd_waits_at_the_door() {
    use std::net::TcpStream;
    use std::time::Duration;

    let server = Server::with("memory:", &[]);
    server.process.signal("STOP");
    // Beyond what may wait, the system drops whoever comes.
    let connect = |_| {
        let connected = TcpStream::connect_timeout(&server.address, Duration::from_secs(10));
        connected.expect("room to wait: net.core.somaxconn must allow it too")
    };
    let _crowd: Vec<TcpStream> = (0..400).map(connect).collect();
    let mut last = Client::connect(server.address);
    server.process.signal("CONT");
    assert_eq!(last.create(&offline("a")).status, 201);
}

/// Silent clients take all descriptors; the server says so once, waits until they have had their time, and
/// goes on.
#[test]
fn running_out_of_descriptors_is_survived() {
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 40; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_counterfoil"), "serve"]);
    command.args(["--listen", "127.0.0.1:0", "--store", "memory:", "--api-key", API_KEY]);
    let server = Server::spawn(command.args(["--patience-ms", "1000"]));
    let crowd: Vec<Client> = (0..60).map(|_| Client::connect(server.address)).collect();
    for mut client in crowd {
        assert!(client.is_closed());
    }
    assert_eq!(Client::connect(server.address).create(&offline("a")).status, 201);

    server.process.signal("TERM");
    let ended = server.process.end();
    assert_eq!(ended.code, Some(0));
    let complaints = ended.stderr.matches("warning: cannot accept connections for now: ").count();
    assert!((1..=3).contains(&complaints), "once for each time that it ran out: {ended:?}");
}

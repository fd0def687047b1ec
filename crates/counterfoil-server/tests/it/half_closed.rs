//! Clients that close their side of the connection when they have said what they have to say.

use crate::client::{Client, reference_call};
use crate::program::Server;

fn create(client: &Client, idempotency_key: &str) -> String {
    let body = reference_call(idempotency_key).to_string();
    format!("{}\r\n{body}", client.head("POST", "/v1/payments", body.len()))
}

#[test]
fn whoever_has_said_all_is_answered() {
    let server = Server::start("memory:");
    for key in ["a", "b", "c"] {
        let mut client = Client::connect(server.address);
        client.send(&create(&client, key)).unwrap();
        client.end();
        assert_eq!(client.answer().unwrap().status, 201, "{key}");
        assert!(client.is_closed(), "there is nothing to wait for");
    }
}

#[test]
fn each_of_several_requests_is_answered() {
    let server = Server::start("memory:");
    let mut client = Client::connect(server.address);
    client.send(&["a", "b", "a"].map(|key| create(&client, key)).concat()).unwrap();
    client.end();
    let ids = [(); 3].map(|()| client.answer().unwrap().text("id").to_owned());
    assert!(ids[0] == ids[2] && ids[0] != ids[1], "{ids:?}");
    assert!(client.is_closed());
}

/// The rest can never come, however long it might be waited for.
#[test]
fn whoever_has_not_said_all_is_let_go() {
    let server = Server::with("memory:", &["--patience-ms", "3600000"]);
    let whole = create(&Client::connect(server.address), "a");
    for length in [0, 20, whole.len() - 1] {
        let mut client = Client::connect(server.address);
        client.send(&whole[..length]).unwrap();
        client.end();
        assert!(client.is_closed(), "after {length} bytes");
    }
}

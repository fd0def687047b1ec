//! kill -9 under load.

use std::sync::mpsc::{Sender, channel};
use std::thread;

use serde_json::Value;

use crate::client::{Client, offline, reference_call};
use crate::program::{Server, run, sqlite};

const CALLERS: usize = 6;
/// After how many answers each server is killed.
const ROUNDS: [usize; 5] = [1, 20, 50, 100, 150];

/// A request that was sent, and the payment in its answer if one came.
struct Sent {
    key: String,
    answered: Option<Value>,
}

/// INVARIANTS 20, 24, 35 and 41, at the process's edge: what was answered is there, what was not is wholly
/// there or not at all, and asking again with the same key makes exactly one payment of it.
#[test]
fn nothing_that_was_answered_is_lost() {
    let directory = tempfile::tempdir().unwrap();
    let store = sqlite(&directory.path().join("books.db"));
    let mut sent = Vec::new();
    for (round, answers) in ROUNDS.into_iter().enumerate() {
        sent.extend(load_and_kill(Server::start(&store), round, answers));
        let verified = run(&["verify", "--store", &store]);
        assert_eq!(verified.code, Some(0), "round {round}: {verified:?}");
    }
    let answered = sent.iter().filter(|sent| sent.answered.is_some()).count();
    assert!(answered >= ROUNDS.iter().sum(), "only {answered} were answered");

    let server = Server::start(&store);
    let mut client = Client::connect(server.address);
    for Sent { key, answered } in &sent {
        let again = client.create(&request(key));
        assert_eq!(again.status, 201, "{key}: {again:?}");
        if let Some(before) = answered {
            assert_eq!(again.header("idempotent-replayed"), Some("true"), "{key}");
            assert_eq!(&again.body, before, "{key}");
            assert_eq!(&client.get(&format!("/v1/payments/{}", again.text("id"))).body, before);
        }
    }
    server.stop();
    let verified = run(&["verify", "--store", &store]);
    assert!(verified.stdout.starts_with(&format!("clean: {} payments, ", sent.len())), "{verified:?}");
}

/// Kills the server once it has given so many answers, while more are on their way.
fn load_and_kill(server: Server, round: usize, answers: usize) -> Vec<Sent> {
    let (answered, heard) = channel();
    let address = server.address;
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let answered = answered.clone();
            thread::spawn(move || {
                call(&mut Client::connect(address), &format!("{round}-{caller}"), &answered)
            })
        })
        .collect();
    drop(answered);
    assert_eq!(heard.iter().take(answers).count(), answers, "the callers gave up early");
    server.kill();
    callers.into_iter().flat_map(|caller| caller.join().unwrap()).collect()
}

/// Creates payments until the server is gone.
fn call(client: &mut Client, name: &str, answered: &Sender<()>) -> Vec<Sent> {
    let mut sent = Vec::new();
    loop {
        let key = format!("{name}-{}", sent.len());
        let Ok(answer) = client.post("/v1/payments", &request(&key)) else {
            sent.push(Sent { key, answered: None });
            return sent;
        };
        assert_eq!((answer.status, answer.text("payment_status")), (201, "SUCCEEDED"), "{answer:?}");
        sent.push(Sent { key, answered: Some(answer.body) });
        // Nobody listens once enough were heard.
        let _ = answered.send(());
    }
}

/// Every other payment goes through the gateway, which takes two commits.
fn request(key: &str) -> Value {
    if key.ends_with(['0', '2', '4', '6', '8']) { reference_call(key) } else { offline(key) }
}

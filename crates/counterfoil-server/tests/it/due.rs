//! What the server does by itself.

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use counterfoil::clock::{Clock, SystemClock};
use serde_json::{Value, json};

use crate::client::{Answer, Client, reference_call};
use crate::program::{Server, eventually, run, sqlite};

fn card(instrument: &str) -> Value {
    let mut call = reference_call(instrument);
    call["payment_method_id"] = instrument.into();
    call["destination_id"] = instrument.into();
    call
}

/// Reads the payment until it stands at `status`.
fn until(client: &mut Client, id: &str, status: &str) -> Answer {
    let mut last = None;
    eventually(status, || {
        let read = client.get(&format!("/v1/payments/{id}"));
        let there = read.text("payment_status") == status;
        last = Some(read);
        there
    });
    last.unwrap()
}

/// INVARIANTS 24, 25, through the front door: nobody asks again, and it is charged once.
#[test]
fn a_charge_that_timed_out_is_settled_without_anybody_asking() {
    let directory = tempfile::tempdir().unwrap();
    let store = sqlite(&directory.path().join("books.db"));
    let server = Server::with(&store, &["--due-every-ms", "50"]);
    let mut client = Client::connect(server.address);
    let made = client.create(&card("pm_sandbox_timeout_paid"));
    assert_eq!((made.status, made.text("payment_status")), (201, "PROCESSING"));
    assert_eq!(made.body["attempts"][0]["payment_status"], "UNKNOWN");
    let paid = until(&mut client, made.text("id"), "SUCCEEDED");
    assert_eq!(paid.body["attempts"].as_array().unwrap().len(), 1);
    assert_eq!(paid.text("updated_by"), "system");
    server.stop();
    let verified = run(&["verify", "--store", &store]);
    assert!(verified.stdout.starts_with("clean: 1 payments, "), "{verified:?}");
    // The gateway calls a charge by the token that it came with: it was asked for this one, and has told of no other.
    let (told, moved) = of_gateway(&store);
    let attempt = &paid.body["attempts"][0];
    assert_eq!(told, [format!("sandbox_{}", attempt["id"].as_str().unwrap())].into());
    assert_eq!(attempt["gateway_attempt_id"].as_str(), told.first().map(String::as_str));
    assert_eq!(moved, ["-123"], "what it owes us is one charge");
}

/// All operations that the gateway has told of, by its names, and all that was ever booked on its account.
fn of_gateway(store: &str) -> (BTreeSet<String>, Vec<String>) {
    let exported = run(&["export", "--store", store, "--format", "jsonl"]).stdout;
    let events: Vec<Value> = exported.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let told = events.iter().filter_map(|event| text(&event["data"]["gateway_operation_id"])).collect();
    let postings = events.iter().flat_map(|event| event["postings"].as_array().unwrap());
    let moved = postings.filter(|posting| posting["account"] == "gateway:sandbox");
    (told, moved.filter_map(|posting| text(&posting["amount"])).collect())
}

#[test]
fn a_declined_payment_is_charged_again_when_it_is_due() {
    let server = Server::with("memory:", &["--due-every-ms", "50", "--retry", "1s,60s"]);
    let mut client = Client::connect(server.address);
    let made = client.create(&card("pm_sandbox_decline_once"));
    assert_eq!((made.status, made.text("payment_status")), (201, "PENDING"), "{made:?}");
    assert!(made.body["next_attempt_at"].is_string(), "{made:?}");
    let paid = until(&mut client, made.text("id"), "SUCCEEDED");
    let statuses: Vec<_> =
        paid.body["attempts"].as_array().unwrap().iter().map(|it| it["payment_status"].clone()).collect();
    assert_eq!(statuses, ["FAILED", "SUCCEEDED"]);
    assert_eq!(paid.body.get("next_attempt_at"), None);
}

#[test]
fn without_a_schedule_a_decline_ends_it() {
    let server = Server::with("memory:", &["--due-every-ms", "50"]);
    let made = Client::connect(server.address).create(&card("pm_sandbox_decline"));
    assert_eq!((made.text("payment_status"), made.body.get("next_attempt_at")), ("FAILED", None));
}

#[test]
fn what_the_sandbox_tells_later_arrives() {
    let server = Server::with("memory:", &["--due-every-ms", "50"]);
    let mut client = Client::connect(server.address);
    let made = client.create(&card("pm_sandbox_pending"));
    assert!(["PROCESSING", "SUCCEEDED"].contains(&made.text("payment_status")), "{made:?}");
    until(&mut client, made.text("id"), "SUCCEEDED");

    let made = client.create(&card("pm_sandbox_refund_fails"));
    let path = format!("/v1/payments/{}/refunds", made.text("id"));
    let refund = client.post(&path, &json!({"amount": 23})).unwrap();
    assert_eq!(refund.status, 201, "{refund:?}");
    eventually("it comes to nothing", || client.get(&path).body["items"][0]["refund_status"] == "FAILED");
    let payment = client.get(&format!("/v1/payments/{}", made.text("id")));
    assert_eq!(payment.body["refundable"], 123);
}

/// What one process began, the next one ends.
#[test]
fn what_ran_out_while_nobody_was_there_ends_with_the_next_start() {
    let directory = tempfile::tempdir().unwrap();
    let store = sqlite(&directory.path().join("books.db"));
    let server = Server::with(&store, &["--due-every-ms", "3600000"]);
    let mut client = Client::connect(server.address);
    let soon = SystemClock.now().saturating_add(Duration::from_secs(2));
    let mut call = card("pm_1");
    call["capture_method"] = "manual".into();
    call["expires_at"] = soon.to_string().into();
    let made = client.create(&call);
    assert_eq!((made.status, made.text("payment_status")), (201, "AUTHORIZED"), "{made:?}");
    server.kill();

    let server = Server::with(&store, &["--due-every-ms", "50"]);
    let ended = until(&mut Client::connect(server.address), made.text("id"), "VOIDED");
    assert_eq!((&ended.body["capturable"], ended.text("updated_by")), (&json!(0), "system"));
    server.stop();
}

/// All at once, each on a connection of its own.
fn at_once(server: &Server, count: usize, path: &str, body: &Value) -> Vec<Answer> {
    let address = server.address;
    let callers: Vec<_> = (0..count)
        .map(|_| {
            let (path, body) = (path.to_owned(), body.clone());
            thread::spawn(move || Client::connect(address).post(&path, &body).unwrap())
        })
        .collect();
    callers.into_iter().map(|caller| caller.join().unwrap()).collect()
}

/// INVARIANTS 31, through the front door.
#[test]
fn no_more_goes_back_or_is_taken_than_there_is_whoever_asks_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let store = sqlite(&directory.path().join("books.db"));
    let server = Server::start(&store);
    let mut client = Client::connect(server.address);
    let mut call = card("pm_1");
    call["amount"] = 100.into();
    let paid = format!("/v1/payments/{}", client.create(&call).text("id"));
    let refunds = at_once(&server, 40, &format!("{paid}/refunds"), &json!({"amount": 7}));
    assert_eq!(refunds.iter().filter(|answer| answer.status == 201).count(), 14);
    for refused in refunds.iter().filter(|answer| answer.status != 201) {
        assert_eq!((refused.status, refused.text("code")), (400, "invalid_operation"));
        assert!(refused.body["details"]["refundable"].is_number(), "{refused:?}");
    }
    assert_eq!(client.get(&paid).body["refundable"], 2);

    let mut call = card("pm_2");
    call["amount"] = 100.into();
    call["capture_method"] = "manual".into();
    let held = format!("/v1/payments/{}", client.create(&call).text("id"));
    let captures = at_once(&server, 10, &format!("{held}/capture"), &json!({"amount": 60}));
    assert_eq!(captures.iter().filter(|answer| answer.status == 200).count(), 1);
    let payment = client.get(&held);
    assert_eq!((&payment.body["amount_captured"], payment.text("payment_status")), (&json!(60), "SUCCEEDED"));
    server.stop();
    let verified = run(&["verify", "--store", &store]);
    assert!(verified.stdout.starts_with("clean: 2 payments, "), "{verified:?}");
}

/// A gateway that is not there any more cannot be charged through: that is said once, not every second.
#[test]
fn what_goes_on_failing_is_complained_about_once() {
    let directory = tempfile::tempdir().unwrap();
    let store = sqlite(&directory.path().join("books.db"));
    let options = ["--due-every-ms", "20", "--retry", "1s,60s", "--sandbox-as"];
    let server = Server::with(&store, &[&options[..], &["old"]].concat());
    let mut call = card("pm_sandbox_decline");
    call["payment_gateway"] = "old".into();
    let made = Client::connect(server.address).create(&call);
    assert_eq!(made.text("payment_status"), "PENDING");
    server.kill();

    let mut server = Server::with(&store, &[&options[..], &["new"]].concat());
    let said = server.process.next_complaint();
    assert!(
        said.starts_with("warning: ") && said.contains(made.text("id")) && said.contains("old"),
        "{said}"
    );
    // Another payment moves on beside it.
    let mut client = Client::connect(server.address);
    let other = client.create(&card("pm_sandbox_timeout_paid"));
    until(&mut client, other.text("id"), "SUCCEEDED");
    server.process.signal("TERM");
    let ended = server.process.end();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "and nothing more");
}

#[test]
fn rules_that_make_no_sense_are_refused() {
    for (options, why) in [
        (["--retry", "3d,1d"], "--retry <DELAYS>: a delay must not be shorter"),
        (["--retry", "soon"], "as in 1d,3d,7d"),
        (["--destinations", "some"], "--destinations <RULE>"),
        (["--charged-back", "lost"], "--charged-back <RULE>"),
    ] {
        let ended = run(&[&["serve", "--store", "memory:"], &options[..]].concat());
        assert_eq!(ended.code, Some(2));
        assert!(ended.stderr.contains(why) && ended.stderr.lines().count() == 1, "{ended:?}");
    }
}

#[test]
fn under_strict_only_what_is_registered_is_paid() {
    let server = Server::with("memory:", &["--destinations", "strict"]);
    let mut client = Client::connect(server.address);
    assert_eq!(client.create(&card("pm_1")).status, 404);
    let owed = json!({"currency": "usd", "amount_due": 123}).to_string();
    assert_eq!(client.ask("PUT", "/v1/destinations/INVOICE/pm_1", &owed).unwrap().status, 200);
    assert_eq!(client.create(&card("pm_1")).status, 201);
    assert_eq!(client.get("/v1/destinations/INVOICE/pm_1").body["remaining"], 0);
}

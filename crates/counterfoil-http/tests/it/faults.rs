//! What is answered when the store fails, or something panics.

use std::sync::Arc;

use async_trait::async_trait;
use axum::http::Method;
use counterfoil::command::Request;
use counterfoil::gateway::{Charge, Finality, Gateway, Inquiry, LookUp, Modification};
use counterfoil::payment::Evidence;
use counterfoil::store::{StoreError, StoreErrorKind};
use counterfoil::text::GatewayName;
use counterfoil_memory::MemoryStore;
use counterfoil_sandbox::Sandbox;
use counterfoil_testkit::faulty::{self, Call, FaultyStore};
use serde_json::{Value, json};

use crate::support::{ACME, App, CARD, card_with, request};

/// How the store fails.
#[derive(Debug, Clone, Copy)]
enum Fault {
    NotCommitted(StoreErrorKind),
    Unknown(StoreErrorKind),
    /// Only the gateway's answer cannot be written down.
    ReportNotCommitted(StoreErrorKind),
    Read(StoreErrorKind),
    PanicOnRead,
}

impl Fault {
    fn on(self, call: Call<'_>) -> faulty::Fault {
        match (self, call) {
            (Fault::NotCommitted(kind), Call::Execute(_))
            | (Fault::Read(kind), Call::Read | Call::List | Call::Feed) => {
                faulty::Fault::Failed(failure(kind))
            }
            (Fault::Unknown(kind), Call::Execute(_)) => faulty::Fault::NothingDone(failure(kind)),
            (Fault::ReportNotCommitted(kind), Call::Execute(command))
                if matches!(command.request, Request::Report(_)) =>
            {
                faulty::Fault::Failed(failure(kind))
            }
            (Fault::PanicOnRead, Call::Read | Call::List | Call::Feed) => {
                faulty::Fault::Panic("reading: secret-internals")
            }
            _ => faulty::Fault::None,
        }
    }
}

fn failure(kind: StoreErrorKind) -> StoreError {
    StoreError::new(kind, "doing secret-internals").caused_by(std::io::Error::other("secret-internals"))
}

const TOP_UP: &str = r#"{"amount": 1, "currency": "usd"}"#;

/// An app over a store that fails like this from now on, and the id of a payment made before.
async fn failing(fault: Fault) -> (App, String) {
    let store = Arc::new(FaultyStore::new(MemoryStore::new()));
    let app = App::on(store.clone());
    let id = app.create(card_with("process_payment", Some("false"))).await.string("/id");
    store.rule(move |call| fault.on(call));
    (app, id)
}

#[tokio::test]
async fn nothing_happened_is_503_and_may_be_tried_again() {
    for (kind, seconds) in
        [(StoreErrorKind::Busy, "1"), (StoreErrorKind::Full, "1"), (StoreErrorKind::Poisoned, "60")]
    {
        let (app, id) = failing(Fault::NotCommitted(kind)).await;
        for (path, body) in [
            ("/v1/payments", CARD),
            (&format!("/v1/payments/{id}/process"), ""),
            (&format!("/v1/payments/{id}/attempts"), r#"{"payment_status": "FAILED"}"#),
            ("/v1/wallets/w/top-ups", TOP_UP),
        ] {
            let answer = app.post(path, body).await;
            assert_eq!(answer.details_of("service_unavailable", 503), Value::Null);
            assert_eq!(answer.header("retry-after"), Some(seconds));
            assert!(!answer.text.contains("secret"), "{}", answer.text);
        }
        for method in [Method::PUT, Method::DELETE] {
            let body = r#"{"payment_status": "FAILED"}"#;
            let answer = app.send(request(method, &format!("/v1/payments/{id}"), ACME, body)).await;
            assert_eq!(answer.details_of("service_unavailable", 503), Value::Null);
        }
        assert_eq!(app.sandbox.calls(), 0);
    }
}

#[tokio::test]
async fn it_may_have_happened_is_504_and_names_the_payment() {
    let (app, id) = failing(Fault::Unknown(StoreErrorKind::Io)).await;
    let answer = app.post("/v1/payments", CARD).await;
    let details = answer.details_of("outcome_unknown", 504);
    assert!(details["payment_id"].as_str().unwrap().starts_with("pay_"));
    assert_eq!(answer.header("retry-after"), None);
    let answer = app.post(&format!("/v1/payments/{id}/process"), "").await;
    assert_eq!(answer.details_of("outcome_unknown", 504), json!({"payment_id": id}));
    for method in [Method::PUT, Method::DELETE] {
        let body = r#"{"payment_status": "FAILED"}"#;
        let answer = app.send(request(method, &format!("/v1/payments/{id}"), ACME, body)).await;
        assert_eq!(answer.details_of("outcome_unknown", 504), json!({"payment_id": id}));
        assert_eq!(answer.header("etag"), None, "nobody knows");
    }
    let answer = app.post("/v1/wallets/w/top-ups", TOP_UP).await;
    assert_eq!(answer.details_of("outcome_unknown", 504), Value::Null);
    assert!(!answer.text.contains("secret"), "{}", answer.text);
}

#[tokio::test]
async fn an_answer_that_could_not_be_written_down_is_in_doubt() {
    let (app, _) = failing(Fault::ReportNotCommitted(StoreErrorKind::Busy)).await;
    let answer = app.post("/v1/payments", CARD).await;
    let id = answer.details_of("outcome_unknown", 504)["payment_id"].as_str().unwrap().to_owned();
    assert_eq!(answer.header("retry-after"), None);
    assert_eq!(app.sandbox.charges(), 1);
    assert_eq!(app.get(&format!("/v1/payments/{id}")).await.string("/payment_status"), "PROCESSING");
}

#[tokio::test]
async fn failed_reads_are_503_and_panics_are_500() {
    let faults = [
        (Fault::Read(StoreErrorKind::Corrupt), "service_unavailable", 503),
        (Fault::PanicOnRead, "internal_error", 500),
    ];
    for (fault, code, status) in faults {
        let (app, id) = failing(fault).await;
        let of_payment = ["", "/events"].map(|tail| format!("/v1/payments/{id}{tail}"));
        let others = ["/v1/payments", "/v1/events", "/v1/wallets/w"].map(str::to_owned);
        for path in of_payment.into_iter().chain(others) {
            let answer = app.get(&path).await;
            assert_eq!(answer.details_of(code, status), Value::Null, "{path}");
            assert_eq!(answer.header("retry-after").is_some(), status == 503);
            assert!(!answer.text.contains("secret"), "{}", answer.text);
            assert!(answer.header("x-request-id").is_some());
        }
    }
}

#[derive(Debug)]
struct Panics(Sandbox);

#[async_trait]
impl Gateway for Panics {
    fn name(&self) -> &GatewayName {
        self.0.name()
    }

    fn finality(&self) -> Finality {
        Finality::Never
    }

    async fn charge(&self, charge: &Charge) -> Evidence {
        assert!(charge.instrument.is_none(), "secret-internals");
        self.0.charge(charge).await
    }

    async fn capture(&self, capture: &Modification) -> Evidence {
        self.0.capture(capture).await
    }

    async fn refund(&self, _: &Modification) -> Evidence {
        panic!("secret-internals");
    }

    async fn void(&self, void: &Modification) -> Evidence {
        self.0.void(void).await
    }

    async fn inquire(&self, inquiry: &Inquiry) -> Option<Evidence> {
        self.0.inquire(inquiry).await
    }

    async fn look_up(&self, payment: &LookUp) -> Option<Evidence> {
        self.0.look_up(payment).await
    }
}

#[tokio::test]
async fn a_panic_in_the_gateway_is_that_requests_own() {
    let app = App::through(Arc::new(Panics(Sandbox::new())));
    let answer = app.post("/v1/payments", card_with("payment_method_id", Some("\"pm_1\""))).await;
    assert_eq!(answer.details_of("outcome_unknown", 504), Value::Null);
    assert!(!answer.text.contains("secret"), "{}", answer.text);
    assert_eq!(app.create(CARD).await.string("/payment_status"), "SUCCEEDED");
}

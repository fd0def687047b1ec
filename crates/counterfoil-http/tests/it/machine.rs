//! The same calls on a ledger and over HTTP: the same answers, and the same books to the last byte.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request};
use counterfoil::command::Recorded;
use counterfoil::id::PaymentId;
use counterfoil::ledger::{NewAttempt, NewPayment, NewRecordedRefund, Update};
use counterfoil::status::PaymentStatus;
use counterfoil::store::PaymentStore;
use counterfoil::text::Metadata;
use counterfoil::verify::verify;
use counterfoil_http::{Api, ApiError, ApiKeys, router};
use counterfoil_memory::MemoryStore;
use counterfoil_testkit::calls::{Call, Player, Said, Till, any_calls, play};
use proptest::prelude::ProptestConfig;
use proptest::proptest;
use serde_json::{Map, Value, json};
use tower::ServiceExt;

/// A till whose calls all go over HTTP.
struct Counter {
    till: Till,
    router: Router,
}

impl Counter {
    fn new(store: Arc<dyn PaymentStore>) -> Counter {
        let till = Till::new(store);
        let mut keys = ApiKeys::new();
        keys.insert("key", till.caller.clone()).unwrap();
        let router = router(Api::new(till.ledger.clone(), keys));
        Counter { till, router }
    }

    async fn send(&self, method: Method, path: &str, version: Option<u64>, body: &Value) -> Said<String> {
        let mut request =
            Request::builder().method(method).uri(format!("/v1{path}")).header("x-api-key", "key");
        if let Some(version) = version {
            request = request.header("if-match", format!("\"{version}\""));
        }
        let request = request.body(Body::from(body.to_string())).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body: Value = serde_json::from_slice(&to_bytes(body, usize::MAX).await.unwrap()).unwrap();
        let replayed = parts.headers.contains_key("idempotent-replayed");
        if !parts.status.is_success() {
            return Said::Refused(body["code"].as_str().unwrap().to_owned());
        }
        // An attempt names its payment, and does not tell of it.
        match body["payment_id"].as_str().or(body["id"].as_str()).and_then(|id| id.parse().ok()) {
            Some(id) => self.payment(id, replayed).await,
            None => Said::Done,
        }
    }

    async fn payment(&self, id: PaymentId, replayed: bool) -> Said<String> {
        let request = Request::get(format!("/v1/payments/{id}")).header("x-api-key", "key");
        let response = self.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let version = response.headers()["etag"].to_str().unwrap().trim_matches('"').parse().unwrap();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        let status = PaymentStatus::from_name(body["payment_status"].as_str().unwrap()).unwrap();
        Said::Payment { id, version, status, replayed }
    }
}

impl Player for Counter {
    type Refusal = String;

    async fn play(&mut self, call: &Call, payment: Option<PaymentId>) -> Said<String> {
        self.till.tick();
        let path = payment.map(|id| format!("/payments/{id}"));
        match (call, path) {
            (Call::Create(new), _) => self.send(Method::POST, "/payments", None, &create(new)).await,
            (Call::TopUp(new), _) => {
                let path = format!("/wallets/{}/top-ups", new.wallet);
                let mut body = object(&new.amount);
                set(&mut body, "idempotency_key", new.idempotency_key.as_ref());
                self.send(Method::POST, &path, None, &body.into()).await
            }
            (Call::Process(_, how), Some(path)) => {
                let mut body = Map::new();
                set(&mut body, "payment_method_id", how.instrument.as_ref());
                set(&mut body, "idempotency_key", how.idempotency_key.as_ref());
                self.send(Method::POST, &format!("{path}/process"), None, &body.into()).await
            }
            (Call::Record(_, new), Some(path)) => {
                self.send(Method::POST, &format!("{path}/attempts"), None, &attempt(new)).await
            }
            (Call::RecordRefund(_, new), Some(path)) => {
                self.send(Method::POST, &format!("{path}/refunds"), None, &recorded_refund(new)).await
            }
            (Call::Update(_, change, seen), Some(path)) => {
                let version = match seen {
                    Some(ago) => Some(self.till.version(payment.unwrap()).await - ago),
                    None => None,
                };
                self.send(Method::PUT, &path, version, &update(change)).await
            }
            (Call::Archive(_), Some(path)) => {
                match self.send(Method::DELETE, &path, None, &Value::Null).await {
                    // It says that it was done, and nothing of the payment.
                    Said::Done => self.payment(payment.unwrap(), false).await,
                    said => said,
                }
            }
            (Call::Wait(seconds), _) => {
                self.till.wait(*seconds);
                Said::Done
            }
            (_, None) => Said::Done,
        }
    }
}

fn object(value: &impl serde::Serialize) -> Map<String, Value> {
    serde_json::to_value(value).unwrap().as_object().unwrap().clone()
}

fn set(body: &mut Map<String, Value>, name: &str, value: Option<&impl serde::Serialize>) {
    if let Some(value) = value {
        body.insert(name.to_owned(), serde_json::to_value(value).unwrap());
    }
}

fn create(new: &NewPayment) -> Value {
    let mut body = object(&new.amount);
    body.extend(object(&new.destination));
    body.extend(object(&new.checkout));
    body.insert("payment_method_type".to_owned(), json!(new.method.kind()));
    set(&mut body, "payment_method_id", new.method.id().as_ref());
    set(&mut body, "metadata", Some(&new.metadata));
    set(&mut body, "idempotency_key", new.idempotency_key.as_ref());
    set(&mut body, "process_payment", Some(&new.process));
    body.into()
}

fn recorded_refund(new: &NewRecordedRefund) -> Value {
    let mut body = new.amount.iter().flat_map(object).collect();
    set(&mut body, "recorded", Some(&true));
    set(&mut body, "payment_gateway", new.gateway.as_ref());
    set(&mut body, "gateway_refund_id", new.gateway_refund_id.as_ref());
    set(&mut body, "occurred_at", new.occurred_at.as_ref());
    set(&mut body, "idempotency_key", new.idempotency_key.as_ref());
    body.into()
}

fn attempt(new: &NewAttempt) -> Value {
    let mut body = Map::new();
    match &new.outcome {
        Recorded::Succeeded { amount } => {
            body.insert("payment_status".to_owned(), json!("SUCCEEDED"));
            body.extend(amount.iter().flat_map(object));
        }
        Recorded::Failed { error_message } => {
            body.insert("payment_status".to_owned(), json!("FAILED"));
            set(&mut body, "error_message", error_message.as_ref());
        }
    }
    set(&mut body, "payment_gateway", new.gateway.as_ref());
    set(&mut body, "gateway_attempt_id", new.gateway_attempt_id.as_ref());
    set(&mut body, "idempotency_key", new.idempotency_key.as_ref());
    body.into()
}

fn update(update: &Update) -> Value {
    let mut body = object(&update.change);
    if let Some(metadata) =
        update.change.metadata.as_ref().filter(|metadata| **metadata == Metadata::default())
    {
        body.insert("metadata".to_owned(), json!(metadata));
    }
    if let Some((status, at)) = &update.status {
        body.insert("payment_status".to_owned(), json!(status));
        set(&mut body, &format!("{}_at", status.as_str().to_lowercase()), at.as_ref());
    }
    body.into()
}

/// As a ledger says it, in the words of the API.
fn in_words(said: Said<counterfoil::command::Rejection>, call: &Call) -> Said<String> {
    match said {
        Said::Refused(rejection) => Said::Refused(ApiError::from(&rejection).code().to_owned()),
        // What was so already is a replay to a ledger; HTTP marks those that gave a key.
        Said::Payment { id, version, status, .. } if keyless(call) => {
            Said::Payment { id, version, status, replayed: false }
        }
        Said::Payment { id, version, status, replayed } => Said::Payment { id, version, status, replayed },
        Said::Done => Said::Done,
    }
}

/// Whether the call gives no name under which it could be repeated.
fn keyless(call: &Call) -> bool {
    match call {
        Call::Update(..) | Call::Archive(_) => true,
        Call::Process(_, how) => how.idempotency_key.is_none(),
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(150) })]

    /// INVARIANTS 34, at the front door: what is asked over HTTP is what a ledger is asked, and the answers are its.
    #[test]
    fn calls_over_http_are_answered_as_by_a_ledger(calls in any_calls(25)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let stores = [Arc::new(MemoryStore::new()), Arc::new(MemoryStore::new())];
            let direct = play(&calls, &mut Till::new(stores[0].clone())).await;
            let direct: Vec<_> = direct.into_iter().zip(&calls).map(|(said, call)| in_words(said, call)).collect();
            let over_http = play(&calls, &mut Counter::new(stores[1].clone())).await;
            for ((direct, over_http), call) in direct.iter().zip(&over_http).zip(&calls) {
                assert_eq!(over_http, direct, "HTTP (left) and the ledger differ at {call:?}");
            }
            let digests = [verify(&*stores[0]).await.unwrap().digest, verify(&*stores[1]).await.unwrap().digest];
            assert_eq!(digests[0], digests[1]);
        });
    }
}

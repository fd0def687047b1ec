//! An API over the memory store and the sandbox, and a client for it.

mod payments;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request};
use counterfoil::clock::{Clock, SystemClock};
use counterfoil::command::Policy;
use counterfoil::gateway::Gateway;
use counterfoil::ledger::Ledger;
use counterfoil::scope::{Caller, Scope};
use counterfoil::store::PaymentStore;
use counterfoil::verify::{Verified, verify};
use counterfoil_http::{Amounts, Api, ApiKeys, Endpoint, Flows, router, sign};
use counterfoil_memory::MemoryStore;
use counterfoil_sandbox::Sandbox;
use serde_json::Value;
use tower::ServiceExt;

pub(crate) use payments::{notification, unknown_name, usd, with, with_instrument};

/// The key of Ann, of tenant `acme` in `test`.
pub(crate) const ACME: &str = "acme-key";
/// The key of Bob, of tenant `globex` in `test`.
pub(crate) const GLOBEX: &str = "globex-key";
/// The key of Ann's other environment, `live`.
pub(crate) const ACME_LIVE: &str = "acme-live-key";

/// The secret of the endpoint `gate`, where the sandbox notifies about Ann's payments in `test`.
pub(crate) const SECRET: &str = "whsec_0123456789abcdef";

/// A good request for 123 USD by card.
pub(crate) const CARD: &str = r#"{"amount": 123, "currency": "usd", "destination_type": "INVOICE",
    "destination_id": "inv_1", "payment_method_type": "CARD"}"#;

#[derive(Clone)]
pub(crate) struct App {
    pub(crate) router: Router,
    pub(crate) flows: Flows,
    pub(crate) ledger: Ledger,
    pub(crate) store: Arc<dyn PaymentStore>,
    pub(crate) sandbox: Arc<Sandbox>,
}

impl App {
    pub(crate) fn new() -> App {
        App::answering(Amounts::default())
    }

    pub(crate) fn answering(amounts: Amounts) -> App {
        let sandbox = Arc::new(Sandbox::new());
        App::over(Arc::new(MemoryStore::new()), Some(sandbox.clone()), sandbox, amounts)
    }

    pub(crate) fn on(store: Arc<dyn PaymentStore>) -> App {
        let sandbox = Arc::new(Sandbox::new());
        App::over(store, Some(sandbox.clone()), sandbox, Amounts::default())
    }

    /// With a ledger over the memory store and the sandbox, to which this is added.
    pub(crate) fn with(add: impl FnOnce(Ledger) -> Ledger) -> App {
        let (store, sandbox) = (Arc::new(MemoryStore::new()), Arc::new(Sandbox::new()));
        let ledger = add(Ledger::new(store.clone()).with_gateway(sandbox.clone()));
        App::of(ledger, sandbox, Amounts::default())
    }

    /// Where an invoice may be charged that another payment may have paid: for tests that make payments of every kind.
    pub(crate) fn beside_doubt() -> App {
        App::with(|ledger| ledger.with_policy(Policy::default().charging_beside_doubt()))
    }

    pub(crate) fn through(gateway: Arc<dyn Gateway>) -> App {
        let store = Arc::new(MemoryStore::new());
        App::over(store, Some(gateway), Arc::new(Sandbox::new()), Amounts::default())
    }

    pub(crate) fn without_gateway() -> App {
        App::over(Arc::new(MemoryStore::new()), None, Arc::new(Sandbox::new()), Amounts::default())
    }

    fn over(
        store: Arc<dyn PaymentStore>,
        gateway: Option<Arc<dyn Gateway>>,
        sandbox: Arc<Sandbox>,
        amounts: Amounts,
    ) -> App {
        let mut ledger = Ledger::new(store);
        if let Some(gateway) = gateway {
            ledger = ledger.with_gateway(gateway);
        }
        App::of(ledger, sandbox, amounts)
    }

    fn of(ledger: Ledger, sandbox: Arc<Sandbox>, amounts: Amounts) -> App {
        let store = ledger.store().clone();
        let endpoint = Endpoint::new("gate", scope("acme", "test"), "sandbox".parse().unwrap(), SECRET);
        let api = Api::new(ledger.clone(), keys()).with_amounts(amounts).with_endpoint(endpoint.unwrap());
        let flows = api.flows();
        App { router: router(api), flows, ledger, store, sandbox }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Answer { status: parts.status.as_u16(), headers: parts.headers, text }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(request(Method::GET, path, ACME, "")).await
    }

    pub(crate) async fn post(&self, path: &str, body: impl Into<Body>) -> Answer {
        self.send(request(Method::POST, path, ACME, body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: impl Into<Body>) -> Answer {
        self.send(request(Method::PUT, path, ACME, body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(request(Method::DELETE, path, ACME, "")).await
    }

    /// Sends a notification as a gateway does, signed.
    pub(crate) async fn notify(&self, body: &Value) -> Answer {
        self.notify_at("/v1/gateways/gate/notifications", body).await
    }

    pub(crate) async fn notify_at(&self, path: &str, body: &Value) -> Answer {
        let body = body.to_string();
        let signature = sign(SECRET, SystemClock.now(), body.as_bytes());
        let request = Request::post(path);
        self.send(request.header("counterfoil-signature", signature).body(body.into()).unwrap()).await
    }

    /// Creates a payment that must be accepted, and gives its answer.
    pub(crate) async fn create(&self, body: impl Into<Body>) -> Answer {
        let answer = self.post("/v1/payments", body).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer
    }

    /// All of the books, proved.
    pub(crate) async fn books(&self) -> Verified {
        verify(self.store.as_ref()).await.unwrap()
    }
}

fn keys() -> ApiKeys {
    let mut keys = ApiKeys::new();
    let people = [
        (ACME, "acme", "test", "ann"),
        (GLOBEX, "globex", "test", "bob"),
        (ACME_LIVE, "acme", "live", "ann"),
    ];
    for (key, tenant, environment, actor) in people {
        keys.insert(key, Caller::new(scope(tenant, environment), actor.parse().unwrap())).unwrap();
    }
    keys
}

pub(crate) fn scope(tenant: &str, environment: &str) -> Scope {
    Scope::new(tenant.parse().unwrap(), environment.parse().unwrap())
}

pub(crate) fn request(method: Method, path: &str, key: &str, body: impl Into<Body>) -> Request<Body> {
    let request = Request::builder().method(method).uri(path).header("x-api-key", key);
    request.body(body.into()).unwrap()
}

/// `CARD`, only recorded.
pub(crate) fn recorded() -> String {
    card_with("process_payment", Some("false"))
}

/// `CARD`, only held.
pub(crate) fn held() -> String {
    card_with("capture_method", Some("\"manual\""))
}

/// `CARD` with one field set to `json`, or without it.
pub(crate) fn card_with(field: &str, json: Option<&str>) -> String {
    let good: serde_json::Map<String, Value> = serde_json::from_str(CARD).unwrap();
    let kept = good.iter().filter(|(name, _)| *name != field);
    let mut members: Vec<String> = kept.map(|(name, value)| format!("{name:?}: {value}")).collect();
    members.extend(json.map(|json| format!("{field:?}: {json}")));
    format!("{{{}}}", members.join(", "))
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {:?}", self.text))
    }

    /// The member at a path such as `/attempts/0/id`, which must be a string.
    pub(crate) fn string(&self, path: &str) -> String {
        let json = self.json();
        let value = json.pointer(path).and_then(Value::as_str);
        value.unwrap_or_else(|| panic!("no string at {path}: {}", self.text)).to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn replayed(&self) -> bool {
        self.header("idempotent-replayed") == Some("true")
    }

    /// Checks that this is an error in the one shape, and gives its details.
    pub(crate) fn details_of(&self, code: &str, status: u16) -> Value {
        let mut json = self.json();
        assert_eq!((self.status, &json["code"]), (status, &Value::from(code)), "{}", self.text);
        assert_eq!(json["http_status_code"], status);
        assert!(json["message"].as_str().is_some_and(|message| !message.is_empty()), "{}", self.text);
        let members = json.as_object_mut().unwrap();
        let details = members.remove("details").unwrap_or_default();
        assert_eq!(members.len(), 3, "{}", self.text);
        assert!(details != Value::Object(serde_json::Map::new()), "left out when empty");
        details
    }
}

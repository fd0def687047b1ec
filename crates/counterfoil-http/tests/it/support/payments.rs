//! Payments of 100 USD: what a gateway reports about them, and what an operator decides.

use std::sync::Arc;
use std::time::Duration;

use counterfoil::command::Policy;
use counterfoil_testkit::ManualClock;
use serde_json::{Value, json};

use super::{Answer, App};
use crate::silent::Silent;

impl App {
    /// An app whose gateway answers no capture or refund, and is queried once about each.
    pub(crate) fn silent(clock: &Arc<ManualClock>) -> App {
        let policy = Policy::default().with_polls([]);
        App::with(|ledger| {
            let gateway = Arc::new(Silent::about_refunds().and_captures());
            ledger.with_clock(clock.clone()).with_policy(policy).with_gateway(gateway)
        })
    }

    /// Runs the last query about the only open operation, which has no result: the operation is stuck.
    pub(crate) async fn run_last_query(&self, clock: &ManualClock) {
        clock.advance(Duration::from_secs(3_600));
        assert_eq!(self.ledger.run_due(10).await.unwrap().done, 1);
    }

    /// Creates the payment of `body`, with 100 in place of 123, and returns its id.
    pub(crate) async fn create_100(&self, body: &str) -> String {
        self.create(body.replace("123", "100")).await.string("/id")
    }

    /// Starts an operation by a request to `path`, and returns its id: the last one in `list`.
    pub(crate) async fn start(&self, payment: &str, path: &str, list: &str, body: &str) -> Value {
        let started = self.post(&format!("/v1/payments/{payment}/{path}"), body.to_owned()).await;
        assert!(started.status < 300, "{}", started.text);
        self.items(payment, list).await.last().unwrap()["id"].clone()
    }

    pub(crate) async fn payment(&self, id: &str) -> Value {
        self.get(&format!("/v1/payments/{id}")).await.json()
    }

    /// The items of one list of the payment, such as `refunds` or `events`.
    pub(crate) async fn items(&self, payment: &str, list: &str) -> Vec<Value> {
        let answer = self.get(&format!("/v1/payments/{payment}/{list}")).await;
        answer.json()["items"].as_array().unwrap().clone()
    }

    /// The status, and the amounts that are captured, refunded, refundable and capturable.
    pub(crate) async fn amounts(&self, payment: &str) -> Value {
        let payment = self.payment(payment).await;
        let fields = ["payment_status", "amount_captured", "amount_refunded", "refundable", "capturable"];
        Value::from(fields.map(|name| payment[name].clone()).to_vec())
    }

    /// The review reasons of the payment; null if there are none.
    pub(crate) async fn review(&self, payment: &str) -> Value {
        self.payment(payment).await["review"].clone()
    }

    /// Whether the payment has this review reason.
    pub(crate) async fn is_in_review(&self, payment: &str, reason: &str) -> bool {
        let review = self.review(payment).await;
        review.as_array().is_some_and(|reasons| reasons.contains(&json!(reason)))
    }

    /// Sends a [`notification`].
    pub(crate) async fn report(&self, id: &str, kind: &str, payment: &str, more: Value) -> Answer {
        self.notify(&notification(id, kind, payment, more)).await
    }

    /// Sends a [`notification`] that must be accepted, and returns whether it changed anything.
    pub(crate) async fn is_applied(&self, id: &str, kind: &str, payment: &str, more: Value) -> bool {
        let answer = self.report(id, kind, payment, more).await;
        assert_eq!(answer.status, 200, "{id} {kind}: {}", answer.text);
        answer.json()["applied"].as_bool().unwrap()
    }

    /// Sends notifications of these types and fields in this order; each must be accepted.
    pub(crate) async fn report_all(&self, payment: &str, reports: &[(&str, Value)]) {
        for (number, (kind, more)) in reports.iter().enumerate() {
            self.is_applied(&format!("{kind} {number} {more}"), kind, payment, more.clone()).await;
        }
    }

    /// Sends an operator's decision with these further fields.
    pub(crate) async fn resolve(&self, payment: &str, outcome: &str, more: Value) -> Answer {
        let body = merged(json!({"outcome": outcome, "note": "seen at the gateway"}), more);
        self.post(&format!("/v1/payments/{payment}/resolve"), body.to_string()).await
    }

    /// Sends an operator's decision about an operation.
    pub(crate) async fn resolve_operation(
        &self,
        payment: &str,
        operation: &Value,
        outcome: &str,
        more: Value,
    ) -> Answer {
        self.resolve(payment, outcome, merged(json!({"operation_id": operation}), more)).await
    }

    /// Sends an operator's decision about an operation, which must be accepted.
    pub(crate) async fn decide(&self, payment: &str, operation: &Value, outcome: &str, more: Value) {
        let answer = self.resolve_operation(payment, operation, outcome, more).await;
        assert_eq!(answer.status, 200, "{outcome}: {}", answer.text);
    }

    /// Dismisses all review reasons of the payment.
    pub(crate) async fn dismiss(&self, payment: &str) {
        let answer = self.resolve(payment, "dismissed", Value::Null).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
}

/// A notification with this id and type about `payment`, with these further fields.
pub(crate) fn notification(id: &str, kind: &str, payment: &str, more: Value) -> Value {
    let required = json!({"notification_id": id, "type": kind, "payment_id": payment,
        "occurred_at": "2026-01-01T00:00:00Z"});
    merged(required, more)
}

/// An amount in USD, and the gateway's id of the operation that moved it.
pub(crate) fn usd(amount: u64, gateway_operation_id: &str) -> Value {
    json!({"amount": amount, "currency": "USD", "gateway_operation_id": gateway_operation_id})
}

/// `object` with one field set.
pub(crate) fn with(mut object: Value, field: &str, value: impl Into<Value>) -> Value {
    object[field] = value.into();
    object
}

/// The details of the answer to a notification with an id that is unknown.
pub(crate) fn unknown_name(field: &str) -> Value {
    json!({"reason": "unknown_name", "field": field})
}

/// The request `body`, for 100 and with this instrument.
pub(crate) fn with_instrument(body: &str, instrument: &str) -> String {
    let body = serde_json::from_str(body).unwrap();
    with(with(body, "amount", 100), "payment_method_id", instrument).to_string()
}

/// `object` with the fields of `more`, if that is an object.
fn merged(mut object: Value, more: Value) -> Value {
    if let Value::Object(more) = more {
        object.as_object_mut().unwrap().extend(more);
    }
    object
}

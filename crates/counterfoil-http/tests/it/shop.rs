//! Payments of every kind, and a naive filter over all of them.

use std::sync::Arc;

use counterfoil::command::Policy;
use counterfoil_sandbox::Sandbox;
use serde_json::{Value, json};

use crate::support::App;

/// Payments of every kind, as they are read one by one; the second is whether it is archived.
pub(crate) struct Shop {
    pub(crate) app: App,
    pub(crate) payments: Vec<(Value, bool)>,
}

impl Shop {
    pub(crate) async fn open() -> Shop {
        let stripe = Arc::new(Sandbox::named("stripe".parse().unwrap()));
        let app = App::with(|ledger| {
            ledger.with_gateway(stripe).with_policy(Policy::default().charging_beside_doubt())
        });
        let mut payments = Vec::new();
        for number in 0..40 {
            let id = app.create(request_of(number).to_string()).await.string("/id");
            let path = format!("/v1/payments/{id}");
            if number % 10 == 3 {
                let names = json!({"gateway_payment_id": format!("pi_{}", number % 20),
                    "gateway_tracking_id": "cs &1", "payment_gateway": "stripe"});
                app.put(&path, names.to_string()).await;
            }
            // Only what came to nothing is archived.
            let archived = number % 3 != 1 && app.delete(&path).await.status == 200;
            payments.push((id, archived));
        }
        let mut shop = Shop { app, payments: Vec::new() };
        for (id, archived) in payments {
            shop.payments.push((shop.app.get(&format!("/v1/payments/{id}")).await.json(), archived));
        }
        shop
    }

    /// The ids of the answer to a query, which must go well.
    pub(crate) async fn ids(&self, query: &str) -> Vec<String> {
        let answer = self.app.get(&format!("/v1/payments?{query}")).await;
        assert_eq!(answer.status, 200, "{query}: {}", answer.text);
        ids(&answer.json())
    }

    /// The ids that the answer must have, the newest first.
    pub(crate) fn naive(&self, parameters: &[(&str, String)]) -> Vec<String> {
        let mut found: Vec<&Value> = self
            .payments
            .iter()
            .filter(|(payment, archived)| {
                let hidden = !parameters.iter().any(|(name, _)| *name == "status");
                let matches = |(name, value): &(&str, String)| is(payment, *archived, name, value);
                (!hidden || !archived) && parameters.iter().all(matches)
            })
            .map(|(payment, _)| payment)
            .collect();
        found.sort_by_key(|payment| (payment["created_at"].to_string(), payment["id"].to_string()));
        found.iter().rev().map(|payment| payment["id"].as_str().unwrap().to_owned()).collect()
    }
}

/// The ids of a list.
pub(crate) fn ids(list: &Value) -> Vec<String> {
    list["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

fn request_of(number: usize) -> Value {
    let of = |texts: &[&str]| texts[number % texts.len()].to_owned();
    let method = of(&["CARD", "ACH", "OFFLINE", "UPI", "CARD"]);
    let gateway = (method != "OFFLINE" && number.is_multiple_of(2)).then_some("stripe");
    let instrument = of(&[
        "pm_1",
        "pm_sandbox_decline",
        "pm_sandbox_action",
        "pm_sandbox_timeout_unknown",
        "pm_2",
        "pm_3",
        "pm_4",
    ]);
    json!({"amount": number % 7 + 1, "currency": of(&["usd", "eur", "jpy"]),
        "destination_type": of(&["INVOICE", "INVOICE", "CUSTOMER"]), "destination_id": of(&["inv_1", "inv/2", "a+b c"]),
        "payment_method_type": method, "payment_method_id": (method != "OFFLINE").then_some(instrument),
        "payment_gateway": gateway, "process_payment": number % 4 != 3})
}

/// Whether a payment, as it is read, is what one parameter asks for.
fn is(payment: &Value, archived: bool, name: &str, value: &str) -> bool {
    let field = |name: &str| payment.get(name).and_then(Value::as_str);
    match name {
        "payment_ids" => value.split(',').any(|id| field("id") == Some(id)),
        "currency" => field("currency") == Some(value.to_lowercase().as_str()),
        "start_time" => field("created_at").unwrap() >= value,
        "end_time" => field("created_at").unwrap() <= value,
        "status" => archived == (value != "published"),
        _ => field(name) == Some(value),
    }
}

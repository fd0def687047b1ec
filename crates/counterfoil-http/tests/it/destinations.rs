//! What the host knows of what is paid.

use std::sync::Arc;

use async_trait::async_trait;
use counterfoil::destinations::{DestinationInfo, Destinations, DestinationsUnavailable};
use counterfoil::money::Currency;
use counterfoil::payment::Destination;
use counterfoil::scope::Scope;
use serde_json::{Value, json};

use crate::support::{App, CARD, card_with, recorded};

/// Knows some destinations by what their ids say; Bob's tenant has none.
#[derive(Debug)]
struct Host;

#[async_trait]
impl Destinations for Host {
    async fn look_up(
        &self,
        _: &Scope,
        destination: &Destination,
    ) -> Result<Option<DestinationInfo>, DestinationsUnavailable> {
        let info = DestinationInfo::payable_in(Currency::USD);
        match destination.id.as_str() {
            "numbered" => Ok(Some(info.with_number("INV-2026-7".parse().unwrap()))),
            "plain" => Ok(Some(info)),
            "draft" => Ok(Some(info.not_payable())),
            "dark" => Err(DestinationsUnavailable),
            _ => Ok(None),
        }
    }
}

fn app() -> App {
    App::with(|ledger| ledger.with_destinations(Arc::new(Host)))
}

#[tokio::test]
async fn an_invoice_shows_its_number() {
    let app = app();
    let answer = app.create(CARD.replace("inv_1", "numbered")).await;
    assert_eq!(answer.string("/invoice_number"), "INV-2026-7");
    let read = app.get(&format!("/v1/payments/{}", answer.string("/id"))).await;
    assert_eq!(read.text, answer.text);
    let customer = CARD.replace("inv_1", "numbered").replace("INVOICE", "CUSTOMER");
    let customer = app.create(customer).await.json();
    assert_eq!((&customer["destination_type"], customer.get("invoice_number")), (&json!("CUSTOMER"), None));
    let plain = app.create(CARD.replace("inv_1", "plain")).await.json();
    assert_eq!(plain.get("invoice_number"), None);
}

#[tokio::test]
async fn what_cannot_be_paid_is_refused_and_leaves_no_trace() {
    let app = app();
    let missing = app.post("/v1/payments", CARD).await;
    assert_eq!(missing.details_of("not_found", 404), Value::Null);
    let draft = app.post("/v1/payments", CARD.replace("inv_1", "draft")).await;
    assert_eq!(draft.details_of("validation_error", 400), json!({"field": "destination_id"}));
    let euros = card_with("currency", Some("\"eur\"")).replace("inv_1", "plain");
    let euros = app.post("/v1/payments", euros).await;
    assert_eq!(euros.details_of("validation_error", 400), json!({"field": "currency", "currency": "usd"}));
    let dark = app.post("/v1/payments", CARD.replace("inv_1", "dark")).await;
    assert_eq!(dark.details_of("service_unavailable", 503), Value::Null);
    assert_eq!(dark.header("retry-after"), Some("1"));
    assert_eq!(app.books().await.events, 0);
    assert_eq!(app.sandbox.calls(), 0);
}

#[tokio::test]
async fn money_that_came_is_taken_whatever_is_known() {
    let app = app();
    let waiting = app.create(recorded().replace("inv_1", "plain")).await.string("/id");
    let answer =
        app.post(&format!("/v1/payments/{waiting}/attempts"), r#"{"payment_status": "SUCCEEDED"}"#).await;
    assert_eq!(answer.status, 201);
}

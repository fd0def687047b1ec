//! The body of `POST /payments`.

use std::collections::BTreeMap;

use counterfoil::command::Rejection;
use counterfoil::ledger::NewPayment;
use counterfoil::payment::PaymentMethodType;
use counterfoil::store::{ExecuteError, PaymentStore};
use counterfoil::verify::verify;
use counterfoil_http::parse_create;
use counterfoil_memory::MemoryStore;
use counterfoil_testkit::{Desk, block_on, fixtures};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::amounts;

/// Reads the bytes as a request. What is accepted says what was written, is read back from its own JSON, and
/// is taken by the books.
pub fn create_request(data: &[u8]) {
    let Ok(new) = parse_create(data) else { return };
    says_what_was_written(&new, data);
    let again = parse_create(written(&new).as_bytes());
    assert_eq!(again.ok().as_ref(), Some(&new), "what is written is read back");
    is_taken_by_the_books(&new);
}

/// The amount exactly as its text has it, the other fields as another reader finds them.
fn says_what_was_written(new: &NewPayment, data: &[u8]) {
    let fields: BTreeMap<String, &RawValue> = serde_json::from_slice(data).expect("it is an object");
    let amount = fields["amount"].get().trim_matches('"');
    // A digit may be spelt as an escape within a string.
    if !amount.contains('\\') {
        assert_eq!(amounts::minor(amount, new.amount.currency()), Ok(new.amount.minor()), "{amount}");
    }
    assert!(!new.amount.is_zero());
    let text = |name: &str| {
        let value = fields.get(name).map(|value| serde_json::from_str(value.get()).expect("it is JSON"));
        value.filter(|value: &Value| !value.is_null())
    };
    assert_eq!(text("destination_id"), Some(new.destination.id.as_str().into()));
    assert_eq!(text("payment_method_type"), Some(new.method.kind().as_str().into()));
    assert_eq!(text("payment_method_id"), new.method.id().map(Value::from));
    assert_eq!(text("idempotency_key"), new.idempotency_key.as_ref().map(|key| key.as_str().into()));
    assert_eq!(text("process_payment").unwrap_or(true.into()), Value::from(new.process));
}

fn written(new: &NewPayment) -> String {
    let fields = json!({
        "amount": new.amount.amount_text(),
        "currency": new.amount.currency(),
        "destination_type": new.destination.kind,
        "destination_id": new.destination.id,
        "payment_method_type": new.method.kind(),
        "payment_method_id": new.method.id(),
        "metadata": new.metadata,
        "idempotency_key": new.idempotency_key,
        "process_payment": new.process,
        "payment_gateway": new.checkout.gateway,
        "success_url": new.checkout.success_url,
        "cancel_url": new.checkout.cancel_url,
        "save_card_and_make_default": new.checkout.save_card_and_make_default,
    });
    let mut text = fields.to_string();
    if let Some(options) = &new.checkout.options {
        // As it is kept: another reader would write its numbers in its own way.
        text.truncate(text.len() - 1);
        text = format!("{text},\"gateway_options\":{options}}}");
    }
    text
}

fn is_taken_by_the_books(new: &NewPayment) {
    let store = MemoryStore::new();
    let mut command = Desk::new(1).create(&fixtures::caller("acme"), new.clone());
    command.gateways = new.checkout.gateway.iter().cloned().chain([fixtures::gateway()]).collect();
    let receipt = match block_on(store.execute(command)) {
        Ok(receipt) => receipt,
        Err(ExecuteError::Rejected(Rejection::GatewayRequired(PaymentMethodType::PaymentLink))) => return,
        Err(error) => panic!("what is well-formed is accepted: {error:?}"),
    };
    let payment = receipt.payment().expect("it is a payment");
    assert_eq!((payment.terms().amount, &payment.terms().metadata), (new.amount, &new.metadata));
    let verified = block_on(verify(&store)).expect("the books are good");
    assert_eq!(verified.payments, 1);
}

//! The parser against everything that can be written (invariant 5: exact, or refused).

use counterfoil::ledger::NewPayment;
use counterfoil::money::{Currency, Money};
use counterfoil::payment::{Destination, PaymentMethod};
use counterfoil::text::Metadata;
use counterfoil_http::parse_create;
use proptest::prelude::*;
use serde_json::json;

use crate::support::CARD;

/// Visible texts of every script, as far as the text types allow.
const TEXT: &str = "[^\\p{C}\\p{Z}]{1,40}";

fn money() -> impl Strategy<Value = Money> {
    let currencies: Vec<Currency> = Currency::all().collect();
    (1..=Money::MAX_MINOR, proptest::sample::select(currencies))
        .prop_map(|(minor, currency)| Money::from_minor(minor, currency).unwrap())
}

/// Ways to write the same number in JSON.
fn written(amount: Money) -> impl Strategy<Value = String> {
    let (minor, exponent) = (amount.minor(), amount.currency().exponent());
    let digits = amount.amount_text().to_string();
    let zeros = if digits.contains('.') { "000" } else { ".000" };
    proptest::sample::select(vec![
        digits.clone(),
        format!("\"{digits}\""),
        format!("{digits}{zeros}"),
        format!("{minor}e-{exponent}"),
        format!("\"{minor}000E-{}\"", exponent + 3),
    ])
}

proptest! {
    #[test]
    fn what_is_written_is_what_is_read(
        (amount, number) in money().prop_flat_map(|amount| (Just(amount), written(amount))),
        (destination, instrument, key) in (TEXT, TEXT, TEXT),
        metadata in prop::collection::btree_map(TEXT, any::<String>(), 0..5),
        process: bool,
    ) {
        prop_assume!(metadata.values().all(|value| !value.contains('\0')));
        let method = PaymentMethod::Ach(instrument.parse().unwrap());
        let mut new = NewPayment::new(amount, Destination::invoice(destination.parse().unwrap()), method)
            .with_metadata(Metadata::new(metadata.clone()).unwrap())
            .with_idempotency_key(key.parse().unwrap());
        new.process = process;
        let rest = json!({
            "currency": amount.currency().code(), "destination_type": "INVOICE", "destination_id": destination,
            "payment_method_type": "ACH", "payment_method_id": instrument, "idempotency_key": key,
            "metadata": metadata, "process_payment": process,
        });
        let body = format!("{{\"amount\": {number}, {}", &rest.to_string()[1..]);
        prop_assert_eq!(parse_create(body.as_bytes()), Ok(new));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>) {
        prop_assert!(parse_create(&bytes).is_err(), "nobody guesses five fields");
    }

    #[test]
    fn no_damage_makes_it_panic(place in 0..CARD.len(), byte: u8, cut in 0..CARD.len()) {
        let mut bytes = CARD.as_bytes().to_vec();
        bytes[place] = byte;
        let _ = parse_create(&bytes);
        prop_assert!(parse_create(&bytes[..cut]).is_err(), "half a body is none");
    }
}

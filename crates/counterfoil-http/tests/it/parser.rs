//! The parsers against everything that can be written (invariant 5: exact, or refused).

use counterfoil::clock::Timestamp;
use counterfoil::id::PaymentId;
use counterfoil::ledger::{NewPayment, Update};
use counterfoil::money::{Currency, Money};
use counterfoil::payment::{Destination, PaymentMethod};
use counterfoil::status::PaymentStatus;
use counterfoil::store::{Filter, Query};
use counterfoil::text::Metadata;
use counterfoil_http::{parse_create, parse_list, parse_update};
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
        (destination, instrument, key, gateway, url) in (TEXT, TEXT, TEXT, TEXT, TEXT),
        (process, save) in any::<(bool, bool)>(),
        metadata in prop::collection::btree_map(TEXT, any::<String>(), 0..5),
    ) {
        prop_assume!(metadata.values().all(|value| !value.contains('\0')));
        let method = PaymentMethod::Ach(instrument.parse().unwrap());
        let mut new = NewPayment::new(amount, Destination::invoice(destination.parse().unwrap()), method)
            .with_metadata(Metadata::new(metadata.clone()).unwrap())
            .with_idempotency_key(key.parse().unwrap())
            .with_gateway(gateway.parse().unwrap());
        new.checkout.success_url = Some(url.parse().unwrap());
        new.checkout.save_card_and_make_default = save;
        new.process = process;
        let rest = json!({
            "currency": amount.currency().code(), "destination_type": "INVOICE", "destination_id": destination,
            "payment_method_type": "ACH", "payment_method_id": instrument, "idempotency_key": key,
            "metadata": metadata, "process_payment": process, "payment_gateway": gateway, "success_url": url,
            "save_card_and_make_default": save,
        });
        let body = format!("{{\"amount\": {number}, {}", &rest.to_string()[1..]);
        prop_assert_eq!(parse_create(body.as_bytes()), Ok(new));
    }

    #[test]
    fn what_a_change_says_is_what_is_read(
        (gateway, name, tracking, instrument, message) in (TEXT, TEXT, TEXT, TEXT, TEXT),
        (status, time) in proptest::sample::select(vec![("SUCCEEDED", "succeeded_at"), ("FAILED", "failed_at"),
            ("REFUNDED", "refunded_at"), ("VOIDED", "voided_at")]),
        micros in 0..=Timestamp::MAX.unix_micros(),
    ) {
        let at = Timestamp::from_unix_micros(micros).unwrap();
        let mut update = Update::to_since(PaymentStatus::from_name(status).unwrap(), at)
            .with_metadata(Metadata::new([(name.clone(), message.clone())]).unwrap())
            .with_gateway_payment_id(name.parse().unwrap())
            .with_error_message(message.parse().unwrap());
        update.change.gateway = Some(gateway.parse().unwrap());
        update.change.gateway_tracking_id = Some(tracking.parse().unwrap());
        update.change.instrument = Some(instrument.parse().unwrap());
        let body = json!({"payment_status": status, time: at.to_string(), "metadata": {name.clone(): message},
            "payment_gateway": gateway, "gateway_payment_id": name, "gateway_tracking_id": tracking,
            "payment_method_id": instrument, "error_message": message});
        prop_assert_eq!(parse_update(body.to_string().as_bytes()), Ok(update));
    }

    #[test]
    fn what_a_query_says_is_what_is_read(
        ids in prop::collection::vec("pay_[0-7][0-9a-hjkmnp-tv-z]{25}", 0..5),
        (destination, name) in (TEXT, TEXT),
        (limit, offset) in (1..=1_000_usize, 0..=i64::MAX.unsigned_abs()),
        micros in 0..=Timestamp::MAX.unix_micros(),
    ) {
        let ids: Vec<PaymentId> = ids.into_iter().map(|id| id.parse().unwrap()).collect();
        let at = Timestamp::from_unix_micros(micros).unwrap();
        let mut filter = Filter::default();
        filter.ids = Some(ids.clone());
        filter.destination_id = Some(destination.parse().unwrap());
        filter.gateway_tracking_id = Some(name.parse().unwrap());
        filter.created_to = Some(at);
        let every = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<Vec<_>>().concat();
        let listed: Vec<_> = ids.iter().map(PaymentId::to_string).collect();
        let query = format!(
            "payment_ids={}&destination_id={}&gateway_tracking_id={}&end_time={}&limit={limit}&offset={offset}",
            every(&listed.join(",")), every(&destination), every(&name), every(&at.to_string()),
        );
        prop_assert_eq!(parse_list(&query), Ok(Query::new(filter, limit).skipping(offset).counted()));
    }

    #[test]
    fn no_query_makes_it_panic(query: String, name in "[a-z_]{2,12}", value: String) {
        let _ = (parse_list(&query), parse_list(&format!("{name}={value}&cursor={value}&start_time={value}")));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>) {
        prop_assert!(parse_create(&bytes).is_err(), "nobody guesses five fields");
        let _ = parse_update(&bytes);
    }

    #[test]
    fn no_damage_makes_it_panic(place in 0..CARD.len(), byte: u8, cut in 0..CARD.len()) {
        let mut bytes = CARD.as_bytes().to_vec();
        bytes[place] = byte;
        let _ = parse_create(&bytes);
        prop_assert!(parse_create(&bytes[..cut]).is_err(), "half a body is none");
    }
}

//! What callers ask for.

use counterfoil::account::{GatewayEntry, GatewayEntryKind};
use counterfoil::command::{RecordGatewayEntry, Recorded};
use counterfoil::ledger::{NewAttempt, NewPayment, NewTopUp, Processing};
use counterfoil::payment::PaymentMethod;

use super::{destination, gateway, gateway_id, idempotency_key, message, metadata, money, no_gateway};
use crate::fixtures;

fn wallet(what: u8) -> &'static str {
    if what % 8 == 7 { "spare" } else { "main" }
}

fn method(what: u8) -> PaymentMethod {
    match what % 16 {
        0..=5 => fixtures::card(),
        6 | 7 => PaymentMethod::Card(Some(fixtures::instrument("pm_1"))),
        8 => fixtures::ach(),
        9 => PaymentMethod::PaymentLink(None),
        10 => PaymentMethod::Upi(fixtures::instrument("vpa_1")),
        11 | 12 => PaymentMethod::Offline,
        _ => fixtures::credits(wallet(what)),
    }
}

pub(super) fn new_payment(name: u8, amount: u8, what: u8, how: u8) -> NewPayment {
    let mut new = NewPayment::new(money(amount), destination(how), method(what));
    // Half of what goes through a gateway is held first; of the rest, which cannot be, a little.
    if what & 16 != 0 && (what % 16 < 11 || how.is_multiple_of(32)) {
        new = new.captured_later();
    }
    if how % 64 > 48 {
        new = new.with_metadata(metadata(0));
    }
    let named = matches!(new.method, PaymentMethod::PaymentLink(_)) && !name.is_multiple_of(8);
    let asked = gateway(what / 32).filter(|gateway| how.is_multiple_of(8) || *gateway != no_gateway());
    if let Some(gateway) = asked.or_else(|| named.then(fixtures::gateway)) {
        new = new.with_gateway(gateway);
    }
    match name / 8 {
        28 => new.checkout.success_url = "https://host.example/well".parse().ok(),
        29 => new.checkout.cancel_url = "https://host.example/not".parse().ok(),
        30 => new.checkout.options = r#"{"a":1}"#.parse().ok(),
        31 => new.checkout.save_card_and_make_default = true,
        _ => {}
    }
    if let Some(key) = idempotency_key(name) {
        new = new.with_idempotency_key(key);
    }
    match how % 8 {
        6 => new.queued(),
        7 => new.recorded_only(),
        _ => new,
    }
}

pub(super) fn processing(name: u8, what: u8) -> Processing {
    let mut how = Processing::default();
    how.queued = what / 4 % 8 == 7;
    if what % 4 > 1 {
        how = how.with_instrument(fixtures::instrument(if what % 4 == 2 { "pm_1" } else { "pm_2" }));
    }
    if let Some(key) = idempotency_key(name) {
        how = how.with_idempotency_key(key);
    }
    how
}

pub(super) fn new_top_up(name: u8, amount: u8, what: u8) -> NewTopUp {
    let new = NewTopUp::new(fixtures::wallet(wallet(what)), money(amount));
    match idempotency_key(name) {
        Some(key) => new.with_idempotency_key(key),
        None => new,
    }
}

/// Few names, of two gateways: they have to meet.
pub(super) fn gateway_entry(name: u8, amount: u8, what: u8, how: u8) -> RecordGatewayEntry {
    let gateway = if what % 8 == 7 { fixtures::other_gateway() } else { fixtures::gateway() };
    let kind = if what & 8 == 0 { GatewayEntryKind::Fee } else { GatewayEntryKind::Payout };
    let name = fixtures::gateway_operation(&format!("entry-{}", name % 2));
    let entry = GatewayEntry::new(name, money(amount), fixtures::second(how.into()));
    let entry = if what & 16 == 0 { entry } else { entry.reversed() };
    RecordGatewayEntry { gateway, kind, entry }
}

pub(super) fn new_attempt(name: u8, amount: u8, what: u8, how: u8, when: u8) -> NewAttempt {
    let error_message = how.is_multiple_of(2).then(|| message(what));
    let mut new = NewAttempt::new(match what % 8 {
        0..=2 => Recorded::Succeeded { amount: None },
        3 | 4 => Recorded::Succeeded { amount: Some(money(amount)) },
        _ => Recorded::Failed { error_message },
    });
    new.gateway = gateway(when);
    if let Some(id) = gateway_id(how / 2) {
        new = new.with_gateway_attempt_id(fixtures::gateway_operation(id));
    }
    match idempotency_key(name) {
        Some(key) => new.with_idempotency_key(key),
        None => new,
    }
}

//! Changes of payments.

use counterfoil::clock::Timestamp;
use counterfoil::ledger::Update;
use counterfoil::payment::References;
use counterfoil::status::PaymentStatus;

use super::{gateway, gateway_id, message, metadata};
use crate::fixtures;

pub(super) fn update(name: u8, amount: u8, what: u8, how: u8, when: u8) -> Update {
    let mut update = match target(what) {
        Some(status) => match when % 16 {
            0..=11 => Update::to(status),
            15 => Update::to_since(status, Timestamp::MAX),
            second => Update::to_since(status, fixtures::second(second.into())),
        },
        None => Update::default(),
    };
    if target(what).is_none() || how.is_multiple_of(4) {
        change(&mut update.change, name, amount, what, how);
    }
    if when / 16 > 12 { update.if_version((when / 16 - 12).into()) } else { update }
}

fn target(what: u8) -> Option<PaymentStatus> {
    match what % 32 {
        0..=4 => Some(PaymentStatus::Succeeded),
        5..=9 => Some(PaymentStatus::Refunded),
        10..=14 => Some(PaymentStatus::Voided),
        15..=17 => Some(PaymentStatus::Failed),
        18 | 19 => Some(PaymentStatus::Pending),
        20 => Some(PaymentStatus::ALL[usize::from(what / 32) % PaymentStatus::ALL.len()]),
        _ => None,
    }
}

fn change(change: &mut References, name: u8, amount: u8, what: u8, how: u8) {
    if name % 4 == 1 {
        change.metadata = Some(metadata(how / 4));
    }
    change.gateway = gateway(name / 8);
    change.gateway_payment_id = gateway_id(amount).map(|id| id.parse().expect("a valid id"));
    if amount / 16 == 15 {
        change.gateway_tracking_id = Some("track_1".parse().expect("a valid id"));
    }
    if how % 16 > 13 {
        change.instrument = Some(fixtures::instrument("pm_3"));
    }
    change.error_message = how.is_multiple_of(8).then(|| message(what));
}

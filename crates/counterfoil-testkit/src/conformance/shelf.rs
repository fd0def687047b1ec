//! Payments of every kind, and which of them a list must show: worked out here, one by one.

use std::cmp::Ordering;
use std::sync::Arc;
use std::time::Duration;

use counterfoil::clock::{Clock, Timestamp};
use counterfoil::id::PaymentId;
use counterfoil::ledger::{NewPayment, Update};
use counterfoil::money::{Currency, Money};
use counterfoil::payment::{Destination, Payment, PaymentMethod};
use counterfoil::scope::Caller;
use counterfoil::status::PaymentStatus;
use counterfoil::store::{Filter, Order, Sort};

use super::trial::Trial;
use crate::desk::{created, started};
use crate::fixtures::{
    ach, card, credits, customer, evidence, gateway, gateway_payment, instrument, invoice, money,
    other_gateway, requires_action, succeeded,
};

/// How many payments there are.
pub(super) const COUNT: usize = 48;

/// Equal in number and not in worth, equal in worth and not in number, far apart.
const AMOUNTS: [(i64, Currency); 8] = [
    (1_000, Currency::USD),
    (1_000, Currency::JPY),
    (1_000, Currency::KWD),
    (10_000, Currency::KWD),
    (10, Currency::JPY),
    (1, Currency::USD),
    (Money::MAX_MINOR, Currency::KWD),
    (Money::MAX_MINOR, Currency::JPY),
];

/// By how many microseconds those of a four are apart: not in the order of their ids, and two of them are not.
const APART: [u64; 4] = [2, 1, 1, 0];

/// Puts payments of every kind into the books of `caller`. Some are created at the same moment, and of some
/// the last event is of the same moment; some are all but so; every eighth is archived.
pub(super) async fn fill(trial: &Trial, caller: &Caller) -> Vec<PaymentId> {
    let start = trial.desk.clock().now();
    let mut ids = Vec::new();
    for at in 0..COUNT {
        // In fours, and not in the order of time.
        let block = u64::try_from(COUNT - at).unwrap_or(0) / 4;
        let moment = |seconds| Duration::from_secs(seconds) + Duration::from_micros(APART[at % 4]);
        trial.desk.clock().set(start.saturating_add(moment(block)));
        let create = trial.desk.create(caller, new_payment(at));
        trial.done(&create).await;
        ids.push(created(&create));
        let attempt =
            |outcome| trial.desk.report(caller, created(&create), started(&create), evidence(outcome, 1));
        let set = |update| trial.desk.update(caller, created(&create), update);
        trial.desk.clock().set(start.saturating_add(moment(1_000 + block % 3)));
        let changes = match at % 8 {
            0 => vec![attempt(succeeded(None))],
            1 => vec![attempt(requires_action())],
            2 => vec![set(named(at, "A"))],
            3 => vec![set(Update::to(PaymentStatus::Voided))],
            // Money that no gateway sees has no name there.
            5 => vec![set(tracked("a"))],
            6 => vec![set(named(at, "B")), set(Update::to(PaymentStatus::Succeeded))],
            _ => vec![],
        };
        for change in changes {
            trial.done(&change).await;
        }
        if at % 8 == 7 {
            trial.done(&trial.desk.archive(caller, created(&create))).await;
        }
    }
    ids
}

fn new_payment(at: usize) -> NewPayment {
    let (minor, currency) = AMOUNTS[at / 2 % AMOUNTS.len()];
    let method = match at % 8 {
        1 => PaymentMethod::PaymentLink(None),
        2 => ach(),
        3 => PaymentMethod::Upi(instrument("vpa_1")),
        4 => credits("none"),
        5 => PaymentMethod::Offline,
        _ => card(),
    };
    let new = NewPayment::new(money(minor, currency), destination(at), method);
    let new = match at % 3 {
        _ if at % 8 == 1 => new.with_gateway(gateway()),
        0 => new.with_gateway(gateway()),
        1 => new.with_gateway(other_gateway()),
        _ => new,
    };
    if at % 8 < 2 { new } else { new.recorded_only() }
}

fn destination(at: usize) -> Destination {
    match at % 5 {
        0 => customer("inv_1"),
        1 => invoice("INV_1"),
        2 => invoice("inv_10"),
        _ => invoice("inv_1"),
    }
}

fn named(at: usize, tracking: &str) -> Update {
    tracked(tracking).with_gateway_payment_id(gateway_payment(&format!("gp_{at}")))
}

fn tracked(tracking: &str) -> Update {
    let mut update = Update::default();
    update.change.gateway_tracking_id = tracking.parse().ok();
    update
}

/// The payments that `filter` means, in order.
pub(super) fn listed(all: &[Arc<Payment>], filter: &Filter, sort: Sort, order: Order) -> Vec<Arc<Payment>> {
    let mut meant: Vec<_> = all.iter().filter(|payment| is_meant(filter, payment)).cloned().collect();
    meant.sort_by(|one, other| {
        let ascending = compare(sort, one, other).then(one.id().cmp(&other.id()));
        if order == Order::Ascending { ascending } else { ascending.reverse() }
    });
    meant
}

fn compare(sort: Sort, one: &Payment, other: &Payment) -> Ordering {
    match sort {
        Sort::UpdatedAt => one.updated_at().cmp(&other.updated_at()),
        Sort::Amount => units(one.terms().amount).cmp(&units(other.terms().amount)),
        _ => one.terms().created_at.cmp(&other.terms().created_at),
    }
}

/// An amount in ten-thousandths of a whole unit.
fn units(amount: Money) -> i128 {
    i128::from(amount.minor()) * 10_i128.pow(4 - amount.currency().exponent())
}

fn is_meant(filter: &Filter, payment: &Payment) -> bool {
    let terms = payment.terms();
    if filter.archived != payment.archived_at().is_some() {
        return false;
    }
    let destination = &terms.destination;
    filter.ids.as_ref().is_none_or(|ids| ids.contains(&payment.id()))
        && same(filter.destination_type.as_ref(), Some(&destination.kind))
        && same(filter.destination_id.as_ref(), Some(&destination.id))
        && same(filter.method.as_ref(), Some(&terms.method.kind()))
        && same(filter.status.as_ref(), Some(&payment.status()))
        && same(filter.currency.as_ref(), Some(&terms.amount.currency()))
        && same(filter.gateway.as_ref(), payment.gateway())
        && same(filter.gateway_payment_id.as_ref(), payment.gateway_payment_id())
        && same(filter.gateway_tracking_id.as_ref(), payment.gateway_tracking_id())
        && within(filter.created_from, filter.created_to, terms.created_at)
}

fn same<T: PartialEq>(asked: Option<&T>, value: Option<&T>) -> bool {
    asked.is_none() || asked == value
}

fn within(from: Option<Timestamp>, to: Option<Timestamp>, at: Timestamp) -> bool {
    from.is_none_or(|from| from <= at) && to.is_none_or(|to| at <= to)
}

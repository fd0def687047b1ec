//! The account of a gateway: what it charged as fees and what it paid out.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Account, AccountId, Posting};
use crate::clock::Timestamp;
use crate::codec::{Damage, Encode, Reader, Writer};
use crate::id::PaymentId;
use crate::money::{Currency, Money};
use crate::text::{GatewayName, GatewayOperationId};
use crate::word::words;

words! {
    /// What a gateway takes from the money that it owes.
    GatewayEntryKind, "gateway entry kind" {
        /// The price of its service.
        Fee = 1, "fee";
        /// Money that it sent to the host's bank.
        Payout = 2, "payout";
    }
}

/// A fee or a payout, as its gateway's report has it. It moves money between the accounts of the host, so it is an event
/// of the account `gateway:NAME` and of no payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GatewayEntry {
    /// The gateway's own name of it. Of one name there is one fee and one payout.
    #[serde(rename = "gateway_operation_id")]
    pub name: GatewayOperationId,
    /// The amount that moved; more than zero.
    #[serde(flatten)]
    pub amount: Money,
    /// Whether the money went the other way: a fee was refunded, or a payout came back.
    pub is_reversed: bool,
    /// When it happened, by the gateway's clock.
    pub occurred_at: Timestamp,
    /// The payment for which the fee was charged, if the report says so.
    #[serde(rename = "payment_id", skip_serializing_if = "Option::is_none")]
    pub payment: Option<PaymentId>,
}

impl GatewayEntry {
    /// A fee that was charged, or a payout that was sent.
    #[must_use]
    pub const fn new(name: GatewayOperationId, amount: Money, occurred_at: Timestamp) -> GatewayEntry {
        GatewayEntry { name, amount, is_reversed: false, occurred_at, payment: None }
    }

    /// Sets that the money went the other way.
    #[must_use]
    pub fn reversed(mut self) -> GatewayEntry {
        self.is_reversed = true;
        self
    }

    /// Sets the payment for which the fee was charged.
    #[must_use]
    pub fn for_payment(mut self, payment: PaymentId) -> GatewayEntry {
        self.payment = Some(payment);
        self
    }

    /// What it takes from the debt of the gateway, in minor units.
    #[must_use]
    pub fn signed_minor(&self) -> i64 {
        if self.is_reversed { -self.amount.minor() } else { self.amount.minor() }
    }

    /// A charge takes from `gateway:NAME`, so a fee and a payout give to it.
    pub(crate) fn postings(&self, kind: GatewayEntryKind, gateway: &GatewayName) -> Vec<Posting> {
        let own = AccountId::gateway(gateway);
        let other = match kind {
            GatewayEntryKind::Fee => AccountId::fees(gateway),
            GatewayEntryKind::Payout => AccountId::payouts(gateway),
        };
        let (from, to) = if self.is_reversed { (own, other) } else { (other, own) };
        Posting::transfer(self.amount, from, to)
    }
}

/// What a gateway charged and paid out in one currency, in minor units, less what went the other way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GatewayTotals {
    /// The sum of its fees.
    pub fees: i128,
    /// The sum of its payouts.
    pub payouts: i128,
}

impl Account {
    /// What the gateway of this account charged and paid out in `currency`.
    #[must_use]
    pub fn gateway_totals(&self, currency: Currency) -> GatewayTotals {
        self.gateway_totals.get(&currency).copied().unwrap_or_default()
    }

    /// The currencies in which the gateway of this account charged or paid out anything, sorted.
    pub fn gateway_currencies(&self) -> impl Iterator<Item = Currency> {
        self.gateway_totals.keys().copied()
    }

    pub(crate) fn add_entry(&mut self, kind: GatewayEntryKind, entry: &GatewayEntry) {
        let totals = self.gateway_totals.entry(entry.amount.currency()).or_default();
        let sum = match kind {
            GatewayEntryKind::Fee => &mut totals.fees,
            GatewayEntryKind::Payout => &mut totals.payouts,
        };
        *sum += i128::from(entry.signed_minor());
    }
}

impl Encode for GatewayEntry {
    fn encode(&self, to: &mut Writer) {
        to.field(1, |w| self.name.encode(w));
        to.field(2, |w| self.amount.encode(w));
        to.optional(3, Some(&()).filter(|()| self.is_reversed), |_, ()| ());
        to.field(4, |w| self.occurred_at.encode(w));
        to.optional(5, self.payment.as_ref(), |w, id| id.encode(w));
    }

    fn decode(from: &mut Reader<'_>) -> Result<GatewayEntry, Damage> {
        let mut fields = from.fields()?;
        let entry = GatewayEntry {
            name: fields.required(1, GatewayOperationId::decode)?,
            amount: fields.required(2, Money::decode)?,
            is_reversed: fields.optional(3, |_| Ok(()))?.is_some(),
            occurred_at: fields.required(4, Timestamp::decode)?,
            payment: fields.optional(5, PaymentId::decode)?,
        };
        fields.end()?;
        Ok(entry)
    }
}

/// As in the account's row.
pub(super) fn encode_totals(to: &mut Writer, totals: &BTreeMap<Currency, GatewayTotals>) {
    for (currency, totals) in totals {
        currency.encode(to);
        to.raw(&totals.fees.to_be_bytes());
        to.raw(&totals.payouts.to_be_bytes());
    }
}

pub(super) fn decode_totals(from: &mut Reader<'_>) -> Result<BTreeMap<Currency, GatewayTotals>, Damage> {
    let mut all = BTreeMap::new();
    while from.end().is_err() {
        let currency = Currency::decode(from)?;
        let fees = from.array().map(i128::from_be_bytes)?;
        let payouts = from.array().map(i128::from_be_bytes)?;
        all.insert(currency, GatewayTotals { fees, payouts });
    }
    Ok(all)
}

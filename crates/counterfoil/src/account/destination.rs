//! What is known of a destination: what is owed for it, and what its payments come to.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Account;
use crate::clock::Timestamp;
use crate::codec::{Damage, Encode, Reader, Writer};
use crate::command::Policy;
use crate::id::PaymentId;
use crate::money::{Currency, Money};
use crate::payment::{DestinationType, Operation, Payment};
use crate::text::DestinationNumber;

/// What is owed for a destination, as the host registered it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Owed {
    /// How much, all in all.
    #[serde(flatten)]
    pub amount_due: Money,
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<DestinationNumber>,
    /// Whether it takes payments now.
    pub payable: bool,
}

/// What the payments of a destination come to, in one currency, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Captured.
    pub paid: i128,
    /// On its way or held: it may yet be captured.
    pub pending: i128,
    /// Of what was captured, given back.
    pub refunded: i128,
    /// Reserved by disputes that are not lost: by open chargebacks, and by what was withdrawn otherwise and not
    /// reinstated.
    pub disputed: i128,
    /// Taken by lost chargebacks, and not reinstated. No part of `disputed`.
    pub charged_back: i128,
}

impl Totals {
    /// What may still be charged of `amount_due`: what is neither paid (and kept) nor on its way. Money that was
    /// refunded is owed again; money that was charged back only under a policy that says so.
    #[must_use]
    pub fn remaining(&self, amount_due: Money, policy: &Policy) -> Money {
        let left = i128::from(amount_due.minor()) - self.kept(policy) - self.pending;
        let minor = i64::try_from(left.clamp(0, Money::MAX_MINOR.into())).unwrap_or(0);
        Money::from_minor(minor, amount_due.currency()).unwrap_or(Money::zero(amount_due.currency()))
    }

    /// How much more than `amount_due` is paid and kept, if it is more.
    pub(crate) fn excess(&self, amount_due: Money, policy: &Policy) -> Option<Money> {
        let over = self.kept(policy) - i128::from(amount_due.minor());
        let minor = i64::try_from(over.clamp(0, Money::MAX_MINOR.into())).unwrap_or(0);
        Money::from_minor(minor, amount_due.currency()).ok().filter(|over| !over.is_zero())
    }

    /// The part of `paid` that is not owed again.
    fn kept(&self, policy: &Policy) -> i128 {
        let charged_back = if policy.owe_charged_back { self.charged_back } else { 0 };
        self.paid - self.refunded - charged_back
    }
}

/// One payment's share in the totals of its destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Share {
    totals: Totals,
    /// From when on nobody knows what became of its attempt.
    doubt: Option<Timestamp>,
}

impl Share {
    pub(crate) fn of(payment: &Payment) -> Share {
        // By evidence there can be more than one.
        let live = || payment.attempts().filter(|attempt| attempt.status().is_live());
        let pending: i128 = live().map(|attempt| i128::from(attempt.amount.minor())).sum();
        let totals = Totals {
            paid: payment.captured().minor().into(),
            pending: pending + i128::from(payment.held().minor()),
            refunded: payment.refunded().minor().into(),
            disputed: payment.in_dispute().minor().into(),
            charged_back: payment.charged_back().minor().into(),
        };
        // A card is set up more than once, and nobody is charged twice by that.
        let invoice = payment.terms().destination.kind == DestinationType::Invoice;
        let doubt = live().filter_map(Operation::in_doubt_from).min().filter(|_| invoice);
        Share { totals, doubt }
    }
}

impl Account {
    /// What is owed for it, if that was registered.
    #[must_use]
    pub fn owed(&self) -> Option<&Owed> {
        self.owed.as_ref()
    }

    /// What its payments in `currency` come to.
    #[must_use]
    pub fn totals(&self, currency: Currency) -> Totals {
        self.totals.get(&currency).copied().unwrap_or_default()
    }

    /// Another payment than `payment` of which, at `now`, nobody knows whether it was charged.
    #[must_use]
    pub fn in_doubt(&self, payment: PaymentId, now: Timestamp) -> Option<PaymentId> {
        let others = self.doubts.iter().filter(|(id, from)| **id != payment && **from <= now);
        others.map(|(id, _)| *id).next()
    }

    /// One of its payments had this share, and has that one now.
    pub(crate) fn share(&mut self, payment: PaymentId, currency: Currency, was: &Share, is: &Share) {
        let totals = self.totals.entry(currency).or_default();
        totals.paid += is.totals.paid - was.totals.paid;
        totals.pending += is.totals.pending - was.totals.pending;
        totals.refunded += is.totals.refunded - was.totals.refunded;
        totals.disputed += is.totals.disputed - was.totals.disputed;
        totals.charged_back += is.totals.charged_back - was.totals.charged_back;
        match is.doubt {
            Some(from) => self.doubts.insert(payment, from),
            None => self.doubts.remove(&payment),
        };
    }
}

impl Encode for Owed {
    fn encode(&self, to: &mut Writer) {
        to.field(1, |w| self.amount_due.encode(w));
        to.optional(2, self.number.as_ref(), |w, number| number.encode(w));
        to.optional(3, Some(&()).filter(|()| self.payable), |_, ()| ());
    }

    fn decode(from: &mut Reader<'_>) -> Result<Owed, Damage> {
        let mut fields = from.fields()?;
        let owed = Owed {
            amount_due: fields.required(1, Money::decode)?,
            number: fields.optional(2, DestinationNumber::decode)?,
            payable: fields.optional(3, |_| Ok(()))?.is_some(),
        };
        fields.end()?;
        Ok(owed)
    }
}

/// As in the account's row; sums of many payments can be more than one payment may be.
pub(super) fn encode_totals(to: &mut Writer, totals: &BTreeMap<Currency, Totals>) {
    for (currency, totals) in totals {
        currency.encode(to);
        for sum in [totals.paid, totals.pending, totals.refunded, totals.disputed, totals.charged_back] {
            to.raw(&sum.to_be_bytes());
        }
    }
}

pub(super) fn decode_totals(from: &mut Reader<'_>) -> Result<BTreeMap<Currency, Totals>, Damage> {
    let mut all = BTreeMap::new();
    let sum = |from: &mut Reader<'_>| from.array().map(i128::from_be_bytes);
    while from.end().is_err() {
        let currency = Currency::decode(from)?;
        let totals = Totals {
            paid: sum(from)?,
            pending: sum(from)?,
            refunded: sum(from)?,
            disputed: sum(from)?,
            charged_back: sum(from)?,
        };
        all.insert(currency, totals);
    }
    Ok(all)
}

pub(super) fn encode_doubts(to: &mut Writer, doubts: &BTreeMap<PaymentId, Timestamp>) {
    for (payment, from) in doubts {
        payment.encode(to);
        from.encode(to);
    }
}

pub(super) fn decode_doubts(from: &mut Reader<'_>) -> Result<BTreeMap<PaymentId, Timestamp>, Damage> {
    let mut doubts = BTreeMap::new();
    while from.end().is_err() {
        doubts.insert(PaymentId::decode(from)?, Timestamp::decode(from)?);
    }
    Ok(doubts)
}

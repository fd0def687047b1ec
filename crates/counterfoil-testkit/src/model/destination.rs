//! What is owed for a destination, and what its payments come to: sums over them, worked out anew each time.

use std::collections::{BTreeMap, BTreeSet};

use counterfoil::account::{AccountId, Owed, Totals};
use counterfoil::clock::Timestamp;
use counterfoil::command::{Command, Overpayment, Register, Rejection};
use counterfoil::destinations::Known;
use counterfoil::event::StreamId;
use counterfoil::id::PaymentId;
use counterfoil::money::{Currency, Money};
use counterfoil::payment::{Destination, DestinationType};
use counterfoil::scope::Scope;
use counterfoil::status::OperationStatus;
use counterfoil::text::DestinationNumber;

use super::Model;
use super::accounts::DestinationFacts;
use super::operation::Operation;
use super::payment::Payment;
use crate::run::Answer;

/// What was registered.
#[derive(Debug, Clone)]
pub(super) struct Registered {
    owed: Owed,
    version: u64,
}

impl Model {
    pub(super) fn register(&mut self, command: &Command, register: &Register) -> Answer {
        let id = AccountId::destination(&register.destination);
        let place = (command.caller.scope.clone(), id.clone());
        let before = self.registered.get(&place);
        let replayed = before.is_some_and(|before| before.owed == register.owed);
        let sequence = before.map_or(0, |before| before.version) + u64::from(!replayed);
        self.registered.insert(place, Registered { owed: register.owed.clone(), version: sequence });
        Answer::Done { stream: StreamId::Account(id), sequence, replayed }
    }

    /// All destinations that are registered or paid, by scope and account.
    #[must_use]
    pub fn destinations(&self, now: Timestamp) -> Vec<(Scope, AccountId, DestinationFacts)> {
        let paid = self
            .payments
            .iter()
            .map(|((scope, _), payment)| (scope.clone(), AccountId::destination(&payment.asked.destination)));
        let all: BTreeSet<_> = paid.chain(self.registered.keys().cloned()).collect();
        let facts = |(scope, id): (Scope, AccountId)| {
            let registered = self.registered.get(&(scope.clone(), id.clone()));
            let facts = DestinationFacts {
                owed: registered.map(|registered| registered.owed.clone()),
                totals: self.totals(&scope, &id),
                in_doubt: self.in_doubt(&scope, &id, None, now),
                version: registered.map_or(0, |registered| registered.version),
            };
            (scope, id, facts)
        };
        all.into_iter().map(facts).collect()
    }

    /// Refuses what is not there, is not payable, or is paid in another currency: by the host's word, if it was asked.
    pub(super) fn require_payable(
        &self,
        command: &Command,
        destination: &Destination,
        known: &Known,
        currency: Currency,
    ) -> Result<(), Rejection> {
        let (expected, payable) = match (known, self.owed(&command.caller.scope, destination)) {
            (Known::Unavailable, _) => return Err(Rejection::DestinationsUnavailable),
            (Known::Absent, _) => return Err(Rejection::DestinationNotFound(destination.clone())),
            (Known::Found(info), _) => (info.currency, info.payable),
            (Known::Unasked, Some(owed)) => (owed.amount_due.currency(), owed.payable),
            (Known::Unasked, None) if command.policy.strict_destinations => {
                return Err(Rejection::DestinationNotFound(destination.clone()));
            }
            (Known::Unasked, None) => return Ok(()),
        };
        if expected != currency {
            return Err(Rejection::DestinationCurrency { expected });
        }
        if payable { Ok(()) } else { Err(Rejection::DestinationNotPayable(destination.clone())) }
    }

    /// Refuses a charge while nobody knows whether another payment was charged, and one of more than remains due. `queued`:
    /// what it has reserved itself.
    pub(super) fn require_room(
        &self,
        command: &Command,
        create: &counterfoil::command::Create,
        known: &Known,
        queued: i128,
    ) -> Result<(), Rejection> {
        let (scope, destination) = (&command.caller.scope, create.destination.clone());
        let id = AccountId::destination(&destination);
        let other = self.in_doubt(scope, &id, Some(create.payment), command.at);
        if let Some(payment) = other.filter(|_| !command.policy.beside_doubt) {
            return Err(Rejection::DestinationInDoubt { destination, payment });
        }
        let Some(due) = self.due(scope, &destination, known) else { return Ok(()) };
        let totals = self.totals(scope, &id).remove(&create.amount.currency()).unwrap_or_default();
        let again = if command.policy.owe_charged_back { totals.charged_back } else { 0 };
        let left =
            i128::from(due.minor()) - (totals.paid - totals.refunded - again) - totals.pending + queued;
        let left = i64::try_from(left.clamp(0, Money::MAX_MINOR.into())).expect("it was cut to size");
        if command.policy.overpayment == Overpayment::Refuse && create.amount.minor() > left {
            let remaining = Money::from_minor(left, due.currency())?;
            return Err(Rejection::ExceedsDue { destination, remaining });
        }
        Ok(())
    }

    /// What people call it.
    pub(super) fn number(
        &self,
        scope: &Scope,
        destination: &Destination,
        known: &Known,
    ) -> Option<DestinationNumber> {
        match known {
            Known::Found(info) => info.number.clone(),
            Known::Unasked => self.owed(scope, destination)?.number.clone(),
            _ => None,
        }
    }

    /// What is paid and kept beyond what is due, once `payment`, of which so much was captured `before`, took `more`. What
    /// went back of this payment, or was charged back, may come again.
    pub(super) fn excess(&self, payment: &Payment, known: &Known, before: i128, more: i128) -> Option<Money> {
        let (scope, destination) = (&payment.asked_by.scope, &payment.asked.destination);
        let currency = payment.asked.amount.currency();
        let due = self.due(scope, destination, known).filter(|due| due.currency() == currency)?;
        let others = self.payments.iter().filter(|((of, id), other)| {
            of == scope
                && *id != payment.asked.payment
                && other.asked.destination == *destination
                && other.asked.amount.currency() == currency
        });
        let kept: i128 = others.map(|(_, other)| kept(other, self.owes_charged_back)).sum();
        let own = i128::from(payment.money(before).minor());
        let over = kept + own + more - i128::from(due.minor());
        (over > 0).then(|| payment.money(over))
    }

    fn owed(&self, scope: &Scope, destination: &Destination) -> Option<&Owed> {
        let place = (scope.clone(), AccountId::destination(destination));
        self.registered.get(&place).map(|registered| &registered.owed)
    }

    /// What is owed, by the host's word if it was asked.
    fn due(&self, scope: &Scope, destination: &Destination, known: &Known) -> Option<Money> {
        match known {
            Known::Found(info) => info.amount_due,
            _ => self.owed(scope, destination).map(|owed| owed.amount_due),
        }
    }

    fn paying(&self, scope: &Scope, id: &AccountId) -> impl Iterator<Item = &Payment> {
        let of = self.payments.iter().filter(move |((of, _), _)| of == scope);
        of.map(|(_, payment)| payment)
            .filter(move |payment| AccountId::destination(&payment.asked.destination) == *id)
    }

    fn totals(&self, scope: &Scope, id: &AccountId) -> BTreeMap<Currency, Totals> {
        let mut all: BTreeMap<Currency, Totals> = BTreeMap::new();
        for payment in self.paying(scope, id) {
            let totals = all.entry(payment.asked.amount.currency()).or_default();
            let money = |minor| i128::from(payment.money(minor).minor());
            let live: i128 = payment.live_attempts().map(|live| i128::from(live.amount().minor())).sum();
            totals.paid += money(payment.captured());
            totals.pending += live + money(payment.held());
            totals.refunded += money(payment.refunded());
            totals.disputed += money(payment.disputed() - payment.charged_back());
            totals.charged_back += money(payment.charged_back());
        }
        all.retain(|_, totals| *totals != Totals::default());
        all
    }

    /// The first payment of an invoice, another one than `payment`, of which nobody knows at `now` whether it was
    /// charged.
    fn in_doubt(
        &self,
        scope: &Scope,
        id: &AccountId,
        payment: Option<PaymentId>,
        now: Timestamp,
    ) -> Option<PaymentId> {
        let others = self.paying(scope, id).filter(|other| Some(other.asked.payment) != payment);
        others.filter(|other| is_in_doubt(other, now)).map(|other| other.asked.payment).min()
    }
}

fn kept(payment: &Payment, owes_charged_back: bool) -> i128 {
    let money = |minor| i128::from(payment.money(minor).minor());
    let again = if owes_charged_back { money(payment.charged_back()) } else { 0 };
    money(payment.captured()) - money(payment.refunded()) - again
}

fn is_in_doubt(payment: &Payment, now: Timestamp) -> bool {
    let invoice = payment.asked.destination.kind == DestinationType::Invoice;
    let in_doubt = |live: &Operation| match live.status() {
        OperationStatus::Unknown => true,
        OperationStatus::Processing => live.runs_until().is_some_and(|until| until <= now),
        _ => false,
    };
    invoice && payment.live_attempts().any(in_doubt)
}

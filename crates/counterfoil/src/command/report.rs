//! What a gateway says about an operation.

use super::Command;
use super::books::shift;
use super::change::{Change, Entry, Recorder, Taking};
use super::payable::Payable;
use super::record::operation_fingerprint;
use super::rejection::Rejection;
use super::view::{Halt, View};
use crate::claim::ClaimKey;
use crate::destinations::Known;
use crate::event::{Body, Reported};
use crate::id::PaymentId;
use crate::money::Money;
use crate::payment::{Closed, Evidence, Operation, OperationId, Outcome, Payment, Turn};
use crate::scope::Scope;
use crate::status::{Cause, OperationStatus};
use crate::text::{GatewayOperationId, Message};

/// Evidence: what a gateway says about an operation, in its answer or later. It is never refused for the
/// status of the payment: what does not fit is kept, counted, and marked for review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Which payment.
    pub payment: PaymentId,
    /// Which of its operations.
    pub operation: OperationId,
    /// What is said.
    pub evidence: Evidence,
}

impl Report {
    pub(super) fn decide(&self, command: &Command, view: &View<'_>) -> Result<Change, Halt> {
        let payment = view.payment(self.payment)?;
        let operation = payment.operation(self.operation).filter(|operation| operation.gateway.is_some());
        let operation = operation.ok_or(Rejection::OperationNotFound(self.operation))?;
        let evidence = &operation.for_sure(&self.evidence);
        let word = Word::of_gateway(payment, operation, evidence);
        let entry = word.entry(view)?.ok_or_else(|| Halt::unchanged(payment))?;
        Recorder::one(command, view, payment, entry)
    }
}

/// A word about an operation: a gateway's, or a person's, which has a note.
pub(super) struct Word<'a> {
    pub(super) payment: &'a Payment,
    pub(super) operation: &'a Operation,
    pub(super) evidence: &'a Evidence,
    pub(super) note: Option<Message>,
    /// What an attempt, of which only the gateway told, turns out to be.
    pub(super) turns: Option<Turn>,
    /// What was held on the way to a charge.
    pub(super) authorized: Option<Money>,
}

impl<'a> Word<'a> {
    /// A gateway's.
    pub(super) fn of_gateway(
        payment: &'a Payment,
        operation: &'a Operation,
        evidence: &'a Evidence,
    ) -> Word<'a> {
        Word { payment, operation, evidence, note: None, turns: None, authorized: None }
    }

    /// A person's.
    pub(super) fn of_person(
        payment: &'a Payment,
        operation: &'a Operation,
        evidence: &'a Evidence,
        note: Message,
    ) -> Word<'a> {
        Word { note: Some(note), ..Word::of_gateway(payment, operation, evidence) }
    }
}

impl Word<'_> {
    /// The event that keeps it; `None` if it says nothing new.
    pub(super) fn entry(self, view: &View<'_>) -> Result<Option<Entry>, Halt> {
        let id = self.bind_gateway_id(view)?;
        let closes = self.closes();
        let mut reported = Reported {
            operation: self.operation.id,
            evidence: self.evidence.clone(),
            gateway_id_clash: matches!(id, GatewayId::AnotherOperations),
            turns: self.turns,
            authorized: self.authorized,
            closes,
            note: self.note.clone(),
            excess: None,
        };
        let mut after = self.operation.clone();
        after.hear(&reported, self.payment.gateway_payment_id());
        if after == *self.operation && closes.is_none() {
            return Ok(None);
        }
        let before = self.operation.moved_before(self.turns);
        if after.takes() && before != after.moved() {
            reported.excess = excess(view, self.payment, &Known::Unasked, before, after.moved())?;
        }
        let gateway = self.operation.gateway.as_ref();
        let postings = shift(self.payment, after.flow(), gateway, [before, after.moved()])?;
        let entry = Entry::new(Cause::Evidence, Body::Reported(reported));
        Ok(Some(entry.claiming(id.taking()).posting(postings)))
    }

    /// What it closes that is not closed so already; but a person has the last word.
    fn closes(&self) -> Option<Closed> {
        let was_reversed =
            self.turns == Some(Turn::Charge) && self.operation.status() == OperationStatus::Reversed;
        let closes =
            if was_reversed { Some(Closed::Failed) } else { closed_by(self.operation, self.evidence) };
        let closes = closes.filter(|_| !self.payment.is_reopened_since(self.operation));
        let by_hand = self.note.is_some() && self.payment.closed != closes;
        closes.filter(|_| self.payment.closed < closes || by_hand)
    }

    fn name(&self, scope: &Scope, id: &GatewayOperationId) -> ClaimKey {
        let operation = self.operation;
        ClaimKey::gateway_operation(scope, operation.gateway.as_ref(), operation.id.name_kind(), id)
    }

    fn bind_gateway_id(&self, view: &View<'_>) -> Result<GatewayId, Halt> {
        let Some(id) = &self.evidence.gateway_operation_id else { return Ok(GatewayId::Nothing) };
        if self.operation.is_known_as(id) {
            return Ok(GatewayId::Nothing);
        }
        let key = self.name(view.scope, id);
        let ours = operation_fingerprint(self.operation.id);
        Ok(match view.claim(&key)? {
            None => GatewayId::Free((key, ours)),
            Some(claim) if claim.fingerprint == ours => GatewayId::Nothing,
            Some(_) => GatewayId::AnotherOperations,
        })
    }
}

/// A no to an attempt ends its payment, unless another attempt is to follow; a charge that a bank took back ends it in
/// any case.
fn closed_by(operation: &Operation, evidence: &Evidence) -> Option<Closed> {
    let closes = match evidence.outcome {
        Outcome::Failed(_) => operation.id.is_attempt() && operation.retry.is_none(),
        Outcome::Reversed { .. } => operation.takes(),
        _ => false,
    };
    closes.then_some(Closed::Failed)
}

/// What is paid beyond what is due once what an operation of `payment` moved goes from `before` to `after`. What went
/// back of this payment does not count: it may come again. Of the payment, what this command has written of it already
/// counts.
pub(super) fn excess(
    view: &View<'_>,
    payment: &Payment,
    known: &Known,
    before: Option<Money>,
    after: Option<Money>,
) -> Result<Option<Money>, Halt> {
    let payable = Payable::find(view, &payment.terms().destination, known)?;
    let Some(due) = payable.amount_due() else { return Ok(None) };
    let currency = payment.terms().amount.currency();
    if due.currency() != currency {
        return Ok(None);
    }
    let minor = |money: Option<Money>| i128::from(money.map_or(0, Money::minor));
    let mut totals = payable.totals(currency);
    let stored = view.find_payment(payment.id())?;
    totals.paid += minor(Some(payment.captured())) + minor(after) - minor(before);
    totals.paid -= minor(stored.map(|stored| stored.captured()));
    totals.refunded -= minor(stored.map(|stored| stored.refunded()));
    Ok(totals.excess(due))
}

/// What becomes of the gateway's id.
enum GatewayId {
    /// None was given, or it is bound already.
    Nothing,
    /// Nobody has it: it is bound now.
    Free(Taking),
    /// Another operation has it.
    AnotherOperations,
}

impl GatewayId {
    fn taking(self) -> Option<Taking> {
        match self {
            GatewayId::Free(taking) => Some(taking),
            GatewayId::Nothing | GatewayId::AnotherOperations => None,
        }
    }
}

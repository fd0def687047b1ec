//! What a gateway says about an operation.

use super::Command;
use super::change::{Change, Entry, Recorder, Taking};
use super::receipt::Subject;
use super::record::operation_fingerprint;
use super::rejection::Rejection;
use super::view::{Halt, View};
use crate::account::{AccountId, Posting};
use crate::claim::ClaimKey;
use crate::event::{Body, Reported};
use crate::id::PaymentId;
use crate::money::{Money, MoneyError};
use crate::payment::{Closed, Evidence, Operation, OperationId, Outcome, Payment};
use crate::status::Cause;
use crate::text::{GatewayName, Message};

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
        let word = Word { payment, operation, evidence: &self.evidence, note: None };
        let entry = word.entry(view)?.ok_or_else(|| Halt::unchanged(payment))?;
        let mut recorder = Recorder::new(command);
        let after = recorder.payment(self.payment, Some(payment), entry)?;
        let sequence = after.version();
        Ok(recorder.finish(Subject::Payment(after), sequence))
    }
}

/// A word about an operation: a gateway's, or a person's, which has a note.
pub(super) struct Word<'a> {
    pub(super) payment: &'a Payment,
    pub(super) operation: &'a Operation,
    pub(super) evidence: &'a Evidence,
    pub(super) note: Option<Message>,
}

impl Word<'_> {
    /// The event that keeps it; `None` if it says nothing new.
    pub(super) fn entry(self, view: &View<'_>) -> Result<Option<Entry>, Halt> {
        let id = self.bind_gateway_id(view)?;
        let closes = self.closes();
        let reported = Reported {
            operation: self.operation.id,
            evidence: self.evidence.clone(),
            gateway_id_clash: matches!(id, GatewayId::AnotherOperations),
            closes,
            note: self.note,
        };
        let mut after = self.operation.clone();
        after.hear(&reported);
        if after == *self.operation && closes.is_none() {
            return Ok(None);
        }
        let postings = postings(self.payment, self.operation, &after)?;
        let entry = Entry::new(Cause::Evidence, Body::Reported(reported));
        Ok(Some(entry.claiming(id.taking()).posting(postings)))
    }

    /// Without a schedule of retries, a no ends the payment; a person's no in any case.
    fn closes(&self) -> Option<Closed> {
        let refused = matches!(self.evidence.outcome, Outcome::Failed(_));
        let open = self.payment.closed().is_none() || self.note.is_some();
        (refused && open).then_some(Closed::Failed)
    }

    fn bind_gateway_id(&self, view: &View<'_>) -> Result<GatewayId, Halt> {
        let Some(id) = &self.evidence.gateway_operation_id else { return Ok(GatewayId::Nothing) };
        if self.operation.is_known_as(id) {
            return Ok(GatewayId::Nothing);
        }
        let key = ClaimKey::gateway_operation(view.scope, self.operation.gateway.as_ref(), id);
        let ours = operation_fingerprint(self.operation.id);
        Ok(match view.claim(&key)? {
            None => GatewayId::Free((key, ours)),
            Some(claim) if claim.fingerprint == ours => GatewayId::Nothing,
            Some(_) => GatewayId::AnotherOperations,
        })
    }
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

/// What the evidence moves beyond what was counted already.
fn postings(payment: &Payment, before: &Operation, after: &Operation) -> Result<Vec<Posting>, MoneyError> {
    let zero = Money::zero(payment.terms().amount.currency());
    let more = after.moved().unwrap_or(zero).checked_sub(before.moved().unwrap_or(zero))?;
    let destination = AccountId::destination(&payment.terms().destination);
    Ok(Posting::transfer(more, source(before.gateway.as_ref()), destination))
}

/// Where money comes from that a gateway took, or that came past every gateway.
pub(super) fn source(gateway: Option<&GatewayName>) -> AccountId {
    gateway.map_or_else(AccountId::offline, AccountId::gateway)
}

//! What a gateway says about an operation.

use super::Command;
use super::change::{Change, Entry, Recorder, Taking};
use super::receipt::{Receipt, Subject};
use super::rejection::Rejection;
use super::view::{Halt, View};
use crate::account::{AccountId, Posting};
use crate::claim::{ClaimKey, Fingerprint, RequestField};
use crate::event::{Body, Reported};
use crate::id::PaymentId;
use crate::money::{Money, MoneyError};
use crate::payment::{Closed, Evidence, Operation, OperationId, Outcome, Payment};
use crate::status::Cause;
use crate::text::GatewayName;

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
        let operation = payment.operation(self.operation);
        let asked = operation.and_then(|operation| Some((operation, operation.gateway.as_ref()?)));
        let (operation, gateway) = asked.ok_or(Rejection::OperationNotFound(self.operation))?;
        let id = self.bind_gateway_id(view, operation, gateway)?;
        let reported = Reported {
            operation: self.operation,
            evidence: self.evidence.clone(),
            gateway_id_clash: matches!(id, GatewayId::AnotherOperations),
            closes: self.closes(payment),
        };
        let mut after = operation.clone();
        after.learn(&reported.evidence, reported.gateway_id_clash);
        if after == *operation && reported.closes.is_none() {
            let receipt = Receipt::replay(Subject::Payment(payment.clone()), payment.version());
            return Err(Halt::Same(Box::new(receipt)));
        }
        let postings = postings(payment, operation, &after, gateway)?;
        let entry =
            Entry::new(Cause::Evidence, Body::Reported(reported)).claiming(id.taking()).posting(postings);
        let mut recorder = Recorder::new(command);
        let after = recorder.payment(self.payment, Some(payment), entry)?;
        let sequence = after.version();
        Ok(recorder.finish(Subject::Payment(after), sequence))
    }

    /// Without a schedule of retries, a no ends the payment.
    fn closes(&self, payment: &Payment) -> Option<Closed> {
        let refused = matches!(self.evidence.outcome, Outcome::Failed(_));
        (refused && payment.closed.is_none()).then_some(Closed::Failed)
    }

    fn bind_gateway_id(
        &self,
        view: &View<'_>,
        operation: &Operation,
        gateway: &GatewayName,
    ) -> Result<GatewayId, Halt> {
        let Some(id) = &self.evidence.gateway_operation_id else { return Ok(GatewayId::Nothing) };
        if operation.is_known_as(id) {
            return Ok(GatewayId::Nothing);
        }
        let key = ClaimKey::gateway_operation(view.scope, gateway, id);
        let ours =
            Fingerprint::default().with(RequestField::OperationId, self.operation.to_string().as_bytes());
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
fn postings(
    payment: &Payment,
    before: &Operation,
    after: &Operation,
    gateway: &GatewayName,
) -> Result<Vec<Posting>, MoneyError> {
    let zero = Money::zero(payment.terms().amount.currency());
    let more = after.moved().unwrap_or(zero).checked_sub(before.moved().unwrap_or(zero))?;
    let destination = AccountId::destination(&payment.terms().destination);
    Ok(Posting::transfer(more, AccountId::gateway(gateway), destination))
}

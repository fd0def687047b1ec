//! An attempt that was made elsewhere.

use std::sync::Arc;

use super::Command;
use super::books::source;
use super::change::{Change, Entry, Recorder, Taking};
use super::process::require_allowed;
use super::rejection::Rejection;
use super::report::excess;
use super::start::retry_beside;
use super::view::{Halt, View};
use crate::account::{AccountId, Posting};
use crate::claim::{Claim, ClaimKey, ClaimKind, Fingerprint, RequestField};
use crate::clock::Timestamp;
use crate::destinations::Known;
use crate::event::{Body, Start, StartResult, StreamId};
use crate::id::{AttemptId, PaymentId};
use crate::money::Money;
use crate::payment::{
    Evidence, Failure, FailureClass, Operation, OperationId, Outcome, Payment, PaymentMethodType,
};
use crate::scope::Scope;
use crate::status::{Action, Cause, OperationStatus};
use crate::text::{ErrorCode, GatewayOperationId, IdempotencyKey, Message};

/// Writes down an attempt that was made elsewhere: money that came in another way, or a no that was heard. One
/// that failed leaves the payment open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordAttempt {
    /// Which payment.
    pub payment: PaymentId,
    /// The id the attempt gets.
    pub attempt: AttemptId,
    /// What became of it.
    pub outcome: Recorded,
    /// What the gateway calls it: of one name there is one attempt.
    pub gateway_attempt_id: Option<GatewayOperationId>,
    /// The key under which it may be asked for again.
    pub idempotency_key: Option<IdempotencyKey>,
}

/// What became of an attempt that was made elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// The money came.
    Succeeded {
        /// How much; else what the payment asks for.
        amount: Option<Money>,
    },
    /// It did not.
    Failed {
        /// Why.
        error_message: Option<Message>,
    },
}

impl RecordAttempt {
    pub(super) fn decide(&self, command: &Command, view: &View<'_>) -> Result<Change, Halt> {
        let claim = self.idempotency_key.as_ref().map(|key| self.claim(view.scope, key));
        view.unless_repeated(claim.as_ref(), [view.payment_key(self.payment)])?;
        let payment = view.payment(self.payment)?;
        if let Some(attempt) = payment.operation(self.attempt.into()) {
            return Err(Halt::replay(payment, attempt.sequence));
        }
        let id = self.take_gateway_id(command, view, payment)?;
        require_allowed(payment, Action::RecordAttempt)?;
        let evidence = self.evidence(payment, command.at)?;
        let named = self.gateway_attempt_id.is_some() || payment.gateway_payment_id().is_some();
        let entry = entry(command, view, payment, self.attempt, evidence, named)?;
        Recorder::one(command, view, payment, entry.claiming(claim).claiming(id))
    }

    fn evidence(&self, payment: &Payment, at: Timestamp) -> Result<Evidence, Rejection> {
        let outcome = match &self.outcome {
            Recorded::Succeeded { amount } => {
                let amount = amount.unwrap_or(payment.terms().amount);
                if amount.is_zero() {
                    return Err(Rejection::AmountNotPositive);
                }
                // Another currency than the payment's is refused here.
                Money::zero(payment.terms().amount.currency()).checked_add(amount)?;
                Outcome::Succeeded { reported: Some(amount) }
            }
            Recorded::Failed { error_message } => Outcome::Failed(failure(error_message.clone())),
        };
        let evidence = Evidence::new(outcome, at);
        Ok(match &self.gateway_attempt_id {
            Some(id) => evidence.with_gateway_operation_id(id.clone()),
            None => evidence,
        })
    }

    /// The gateway's name of the attempt: whoever has it already is the attempt that is meant, or another one.
    fn take_gateway_id(
        &self,
        command: &Command,
        view: &View<'_>,
        payment: &Arc<Payment>,
    ) -> Result<Option<Taking>, Halt> {
        let Some(id) = &self.gateway_attempt_id else { return Ok(None) };
        let key = {
            let gateway = payment.gateway_among(&command.gateways);
            ClaimKey::gateway_operation(view.scope, gateway, ClaimKind::GatewayAttempt, id)
        };
        let Some(claim) = view.claim(&key)? else {
            return Ok(Some((key, operation_fingerprint(self.attempt.into()))));
        };
        match holder(payment, claim) {
            Some(attempt) if self.agrees(attempt) => Err(Halt::replay(payment, attempt.sequence)),
            _ => Err(Rejection::GatewayIdTaken(claim.stream.clone()).into()),
        }
    }

    fn agrees(&self, attempt: &Operation) -> bool {
        match &self.outcome {
            Recorded::Succeeded { amount } => attempt.moved() == Some(amount.unwrap_or(attempt.amount)),
            Recorded::Failed { .. } => attempt.status() == OperationStatus::Failed,
        }
    }

    fn claim(&self, scope: &Scope, key: &IdempotencyKey) -> Taking {
        let mut fingerprint = Fingerprint::default();
        if let Recorded::Succeeded { amount: Some(amount) } = &self.outcome {
            fingerprint = fingerprint
                .with(RequestField::Amount, &amount.minor().to_be_bytes())
                .with(RequestField::Currency, amount.currency().code().as_bytes());
        }
        fingerprint = fingerprint.with(RequestField::PaymentId, self.payment.as_uuid().as_bytes());
        let status = match &self.outcome {
            Recorded::Succeeded { .. } => OperationStatus::Succeeded,
            Recorded::Failed { .. } => OperationStatus::Failed,
        };
        fingerprint = fingerprint.with(RequestField::PaymentStatus, status.as_str().as_bytes());
        if let Recorded::Failed { error_message: Some(message) } = &self.outcome {
            fingerprint = fingerprint.with(RequestField::ErrorMessage, message.as_str().as_bytes());
        }
        if let Some(id) = &self.gateway_attempt_id {
            fingerprint = fingerprint.with(RequestField::GatewayAttemptId, id.as_str().as_bytes());
        }
        (ClaimKey::key(scope, ClaimKind::RecordKey, key), fingerprint)
    }
}

/// The event of an attempt that was made elsewhere: where it has a name, at the payment's gateway, or else the ledger's;
/// without one only at a gateway that was asked for.
pub(super) fn entry(
    command: &Command,
    view: &View<'_>,
    payment: &Payment,
    attempt: AttemptId,
    evidence: Evidence,
    named: bool,
) -> Result<Entry, Halt> {
    let terms = payment.terms();
    if terms.method.kind() == PaymentMethodType::Credits {
        return Err(Rejection::NotRecordable(PaymentMethodType::Credits).into());
    }
    let asked = || payment.asked_gateway().filter(|_| terms.method.kind().needs_gateway());
    let gateway = if named { payment.gateway_among(&command.gateways) } else { asked() };
    let moved = match &evidence.outcome {
        Outcome::Succeeded { reported } => reported.unwrap_or(terms.amount),
        _ => Money::zero(terms.amount.currency()),
    };
    let postings = Posting::transfer(moved, source(gateway), AccountId::destination(&terms.destination));
    let paid = Some(moved).filter(|moved| !moved.is_zero());
    let failed = matches!(evidence.outcome, Outcome::Failed(_));
    let start = Start {
        gateway: gateway.cloned(),
        instrument: payment.instrument().cloned(),
        retry: retry_beside(payment).filter(|_| failed),
        excess: if paid.is_some() { excess(view, payment, &Known::Unasked, None, paid)? } else { None },
        ..Start::new(OperationId::Attempt(attempt), terms.amount, StartResult::Recorded(evidence))
    };
    Ok(Entry::new(Cause::Command, Body::Started(start)).posting(postings))
}

/// The operation of `payment` that the claim of a gateway's id is bound to.
pub(super) fn holder<'a>(payment: &'a Payment, claim: &Claim) -> Option<&'a Operation> {
    let own = claim.stream == StreamId::Payment(payment.id());
    let bound = |operation: &&Operation| claim.fingerprint == operation_fingerprint(operation.id);
    payment.operations().iter().find(bound).filter(|_| own)
}

/// What a gateway's id of an operation is bound to.
pub(super) fn operation_fingerprint(operation: OperationId) -> Fingerprint {
    Fingerprint::default().with(RequestField::OperationId, operation.to_string().as_bytes())
}

/// A no that somebody wrote down.
pub(super) fn failure(message: Option<Message>) -> Failure {
    Failure {
        class: FailureClass::Soft,
        code: ErrorCode::lossy("recorded"),
        message: message.unwrap_or_else(|| Message::lossy("recorded as failed")),
    }
}

//! An attempt that was made elsewhere, and what is common to all that is recorded as made elsewhere.

use std::sync::Arc;

use super::Command;
use super::change::{Change, Entry, Recorder, Taking};
use super::process::require_allowed;
use super::rejection::Rejection;
use super::start::retry_beside;
use super::view::{Halt, View};
use crate::claim::{Claim, ClaimKey, ClaimKind, Fingerprint, RequestField};
use crate::clock::Timestamp;
use crate::event::{Body, Start, StartResult, StreamId};
use crate::id::{AttemptId, PaymentId};
use crate::money::Money;
use crate::payment::{
    Evidence, Failure, FailureClass, Operation, OperationId, OperationKind, Outcome, Payment,
    PaymentMethodType,
};
use crate::scope::Scope;
use crate::status::{Action, Cause, OperationStatus};
use crate::text::{ErrorCode, GatewayName, GatewayOperationId, IdempotencyKey, Message};

/// Records an attempt that was made elsewhere: money that came in another way, or a decline. A failed attempt leaves the
/// payment open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordAttempt {
    /// The payment whose attempt is recorded.
    pub payment: PaymentId,
    /// The id the attempt gets.
    pub attempt: AttemptId,
    /// What became of it.
    pub outcome: Recorded,
    /// The gateway at which it was made, one of the configured ones. Without it, and without a gateway's id of the
    /// attempt or of the payment, it was made off-gateway: cash, a transfer.
    pub gateway: Option<GatewayName>,
    /// What the gateway calls it: of one name there is one attempt.
    pub gateway_attempt_id: Option<GatewayOperationId>,
    /// The key under which it may be asked for again.
    pub idempotency_key: Option<IdempotencyKey>,
}

/// What became of an attempt that was made elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// The attempt succeeded: the money came.
    Succeeded {
        /// How much; else what the payment asks for.
        amount: Option<Money>,
    },
    /// The attempt failed: no money came.
    Failed {
        /// The reason why it failed, in plain words.
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
        let has_id = self.gateway_attempt_id.is_some() || payment.gateway_payment_id().is_some();
        let gateway = recorded_gateway(command, payment, self.gateway.as_ref(), has_id)?;
        let called = self.gateway_attempt_id.as_ref();
        let agrees = |attempt: &Operation| self.agrees(attempt);
        let id = take_gateway_id(view, payment, gateway, self.attempt.into(), called, agrees)?;
        require_allowed(payment, Action::RecordAttempt)?;
        let evidence = self.evidence(payment, command.at)?;
        let entry = entry(payment, self.attempt, evidence, gateway)?;
        Recorder::one(command, view, payment, entry.claiming(claim).claiming(id))
    }

    fn evidence(&self, payment: &Payment, at: Timestamp) -> Result<Evidence, Rejection> {
        let evidence = match &self.outcome {
            Recorded::Succeeded { amount } => {
                let amount = amount.unwrap_or(payment.terms().amount);
                if amount.is_zero() {
                    return Err(Rejection::AmountNotPositive);
                }
                // Another currency than the payment's is refused here.
                Money::zero(payment.terms().amount.currency()).checked_add(amount)?;
                Evidence::succeeded(at).with_amount(amount)
            }
            Recorded::Failed { error_message } => {
                Evidence::new(Outcome::Failed(failure(error_message.clone())), at)
            }
        };
        Ok(match &self.gateway_attempt_id {
            Some(id) => evidence.with_gateway_operation_id(id.clone()),
            None => evidence,
        })
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
        if let Some(gateway) = &self.gateway {
            fingerprint = fingerprint.with(RequestField::PaymentGateway, gateway.as_str().as_bytes());
        }
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

/// The gateway at which something was made that is recorded: the one that is named. Where none is, but a gateway's id is,
/// it is the payment's gateway, or else the first one.
pub(super) fn recorded_gateway<'a>(
    command: &'a Command,
    payment: &'a Payment,
    named: Option<&'a GatewayName>,
    has_id: bool,
) -> Result<Option<&'a GatewayName>, Rejection> {
    let kind = payment.terms().method.kind();
    match named {
        Some(_) if !kind.needs_gateway() => Err(Rejection::NotAtGateway(kind)),
        Some(gateway) if !command.gateways.contains(gateway) => {
            Err(Rejection::UnknownGateway(gateway.clone()))
        }
        Some(gateway) => Ok(Some(gateway)),
        None => Ok(payment.gateway_among(&command.gateways).filter(|_| has_id)),
    }
}

/// Takes the gateway's id of an operation that is recorded. If the id is taken already, by an operation of this payment
/// that agrees with what is recorded, the command is a replay.
pub(super) fn take_gateway_id(
    view: &View<'_>,
    payment: &Arc<Payment>,
    gateway: Option<&GatewayName>,
    operation: OperationId,
    id: Option<&GatewayOperationId>,
    agrees: impl Fn(&Operation) -> bool,
) -> Result<Option<Taking>, Halt> {
    let Some(id) = id else { return Ok(None) };
    let key = ClaimKey::gateway_operation(view.scope, gateway, operation.name_kind(), id);
    let Some(claim) = view.claim(&key)? else {
        return Ok(Some((key, operation_fingerprint(operation))));
    };
    match holder(payment, claim) {
        Some(known) if agrees(known) => Err(Halt::replay(payment, known.sequence)),
        _ => Err(Rejection::GatewayIdTaken(claim.stream.clone()).into()),
    }
}

/// Refuses credits: they move inside the ledger only, so that none can have moved elsewhere.
pub(super) fn require_recordable(payment: &Payment) -> Result<(), Rejection> {
    match payment.terms().method.kind() {
        PaymentMethodType::Credits => Err(Rejection::NotRecordable(PaymentMethodType::Credits)),
        _ => Ok(()),
    }
}

/// The event of an attempt that was made elsewhere, at `gateway` or off-gateway.
pub(super) fn entry(
    payment: &Payment,
    attempt: AttemptId,
    evidence: Evidence,
    gateway: Option<&GatewayName>,
) -> Result<Entry, Rejection> {
    require_recordable(payment)?;
    let terms = payment.terms();
    let failed = matches!(evidence.outcome, Outcome::Failed(_));
    let retry = retry_beside(payment).filter(|_| failed);
    let kind = OperationKind::Charge { retry, is_scheduled: false };
    let start = Start {
        gateway: gateway.cloned(),
        instrument: payment.instrument().cloned(),
        ..Start::new(OperationId::Attempt(attempt), kind, terms.amount, StartResult::Recorded(evidence))
    };
    Ok(Entry::new(Cause::Command, Body::Started(start)))
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

/// The failure of an attempt that was recorded as failed.
pub(super) fn failure(message: Option<Message>) -> Failure {
    Failure {
        class: FailureClass::Soft,
        code: ErrorCode::lossy("recorded"),
        message: message.unwrap_or_else(|| Message::lossy("recorded as failed")),
    }
}

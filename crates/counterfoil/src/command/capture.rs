//! Captures money that an authorization holds.

use super::Command;
use super::amount::{fingerprint, within};
use super::change::{Change, Entry, Recorder, Taking};
use super::process::require_allowed;
use super::rejection::Rejection;
use super::start::begin;
use super::view::{Halt, View};
use crate::claim::{ClaimKey, ClaimKind, RequestField};
use crate::event::{Body, Start};
use crate::id::{CaptureId, PaymentId};
use crate::money::Money;
use crate::payment::{Operation, OperationId, OperationKind, attempt_id};
use crate::scope::Scope;
use crate::status::{Action, Cause};
use crate::text::{GatewayName, IdempotencyKey};

/// Takes money that is held: all of it, or a part. Written down before the gateway is called; what it asks for is
/// reserved until it is known what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capture {
    /// The payment whose hold is captured.
    pub payment: PaymentId,
    /// The id the capture gets.
    pub capture: CaptureId,
    /// How much; `None`: all that can be captured.
    pub amount: Option<Money>,
    /// Whether the rest of the hold is released with it.
    pub is_final: bool,
    /// The key under which it may be asked for again.
    pub idempotency_key: Option<IdempotencyKey>,
    /// Whether the operation is [queued](crate::status::OperationStatus::Queued): recorded now, sent to its gateway later.
    pub queued: bool,
}

impl Capture {
    pub(super) fn decide(&self, command: &Command, view: &View<'_>) -> Result<Change, Halt> {
        let claim = self.idempotency_key.as_ref().map(|key| self.claim(view.scope, key));
        view.unless_repeated(claim.as_ref(), [view.payment_key(self.payment)])?;
        let payment = view.payment(self.payment)?;
        if let Some(capture) = payment.operation(self.capture.into()) {
            return Err(Halt::replay(payment, capture.sequence));
        }
        require_allowed(payment, Action::Capture)?;
        let capturable = payment.capturable();
        let exceeds = || Rejection::ExceedsCapturable { payment: payment.id(), capturable };
        let amount = within(self.amount, capturable, exceeds)?;
        let hold = payment.best_hold().ok_or_else(exceeds)?;
        let rest = capturable.checked_sub(amount)?;
        // What another one is about to take is not let go by this one.
        let releases =
            Some(rest).filter(|rest| self.is_final && !rest.is_zero() && !payment.is_taken_from(hold));
        let kind = OperationKind::Capture { of: attempt_id(hold), releases };
        let start = Start {
            gateway: Some(gateway_of(command, hold)?),
            instrument: hold.instrument.clone(),
            ..Start::new(OperationId::Capture(self.capture), kind, amount, begin(command, self.queued))
        };
        let entry = Entry::new(Cause::Command, Body::Started(start)).claiming(claim);
        Recorder::one(command, view, payment, entry)
    }

    fn claim(&self, scope: &Scope, key: &IdempotencyKey) -> Taking {
        let fingerprint = fingerprint(self.amount)
            .with(RequestField::PaymentId, self.payment.as_uuid().as_bytes())
            .with(RequestField::Final, &[u8::from(self.is_final)]);
        (ClaimKey::key(scope, ClaimKind::CaptureKey, key), fingerprint)
    }
}

/// The gateway of an operation, which has to be one of those that there are.
pub(super) fn gateway_of(command: &Command, operation: &Operation) -> Result<GatewayName, Rejection> {
    let gateway = operation.gateway.as_ref().ok_or(Rejection::OperationNotFound(operation.id))?;
    if command.gateways.contains(gateway) {
        Ok(gateway.clone())
    } else {
        Err(Rejection::UnknownGateway(gateway.clone()))
    }
}

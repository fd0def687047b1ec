//! The next attempt of a payment.

use std::sync::Arc;

use super::Command;
use super::change::{Change, Entry, Recorder, Taking};
use super::payable::Payable;
use super::receipt::Subject;
use super::rejection::Rejection;
use super::report::excess;
use super::start::Start;
use super::view::{Halt, View};
use crate::claim::{ClaimKey, ClaimKind, Fingerprint, RequestField};
use crate::destinations::Known;
use crate::event::Body;
use crate::id::{AttemptId, PaymentId};
use crate::payment::{OperationId, Payment, PaymentMethodType, Work};
use crate::scope::Scope;
use crate::status::{Action, Cause, allowed};
use crate::text::{IdempotencyKey, PaymentMethodId};

/// The next attempt of a payment: written down before its gateway is called, or done at once inside our own
/// books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Which payment.
    pub payment: PaymentId,
    /// The id the attempt gets.
    pub attempt: AttemptId,
    /// The number that the attempt is to have, if only that one is wanted: what is done when it is due says so.
    pub number: Option<u32>,
    /// Another instrument than the payment's own.
    pub instrument: Option<PaymentMethodId>,
    /// What the host knows of what it pays.
    pub known: Known,
    /// The key under which it may be asked for again.
    pub idempotency_key: Option<IdempotencyKey>,
}

impl Process {
    pub(super) fn decide(&self, command: &Command, view: &View<'_>) -> Result<Change, Halt> {
        let claim = self.idempotency_key.as_ref().map(|key| self.claim(view.scope, key));
        view.unless_repeated(claim.as_ref(), [view.payment_key(self.payment)])?;
        let payment = view.payment(self.payment)?;
        self.check(command, view, payment)?;
        self.write(command, view, payment, claim)
    }

    fn check(&self, command: &Command, view: &View<'_>, payment: &Arc<Payment>) -> Result<(), Halt> {
        if let Some(attempt) = payment.operation(OperationId::Attempt(self.attempt)) {
            return Err(Halt::replay(payment, attempt.sequence));
        }
        self.check_due(command, payment)?;
        require_allowed(payment, Action::Process)?;
        if payment.gateway_payment_id().is_some() {
            return Err(Rejection::AtGateway { payment: payment.id() }.into());
        }
        let terms = payment.terms();
        let payable = Payable::find(view, &terms.destination, &self.known)?;
        payable.require(terms.amount.currency())?;
        if terms.method.kind() != PaymentMethodType::Offline {
            payable.require_room(command, payment.id(), terms.amount)?;
        }
        Ok(())
    }

    /// Somebody else may have made the attempt that was due, or ended the payment.
    fn check_due(&self, command: &Command, payment: &Payment) -> Result<(), Rejection> {
        let Some(number) = self.number else { return Ok(()) };
        if payment.is_due(Work::Retry { number }, command.at) {
            Ok(())
        } else {
            Err(Rejection::NotDue { payment: payment.id() })
        }
    }

    fn write(
        &self,
        command: &Command,
        view: &View<'_>,
        payment: &Payment,
        claim: Option<Taking>,
    ) -> Result<Change, Halt> {
        let instrument = self.instrument.as_ref().or(payment.references.instrument.as_ref());
        let start = Start { terms: payment.terms(), payment: Some(payment), id: self.attempt, instrument };
        let mut started = start.decide(command, view)?;
        if started.is_paid() {
            started.start.excess = excess(view, payment, &self.known, None, Some(started.start.amount))?;
        }
        let entry = Entry::new(Cause::Command, Body::Started(started.start.clone()))
            .claiming(claim)
            .posting(started.postings.clone());
        let mut recorder = Recorder::new(command, view);
        let after = recorder.payment(self.payment, Some(payment), entry)?;
        started.debit(&after, &mut recorder)?;
        let sequence = after.version();
        Ok(recorder.finish(Subject::Payment(after), sequence))
    }

    fn claim(&self, scope: &Scope, key: &IdempotencyKey) -> Taking {
        let mut fingerprint = Fingerprint::default();
        if let Some(instrument) = &self.instrument {
            fingerprint = fingerprint.with(RequestField::PaymentMethodId, instrument.as_str().as_bytes());
        }
        let fingerprint = fingerprint.with(RequestField::PaymentId, self.payment.as_uuid().as_bytes());
        (ClaimKey::key(scope, ClaimKind::ProcessKey, key), fingerprint)
    }
}

/// Refuses what the payment's status does not allow.
pub(super) fn require_allowed(payment: &Payment, action: Action) -> Result<(), Rejection> {
    if payment.archived_at().is_some() {
        Err(Rejection::Archived { payment: payment.id() })
    } else if allowed(payment.status(), action) {
        Ok(())
    } else {
        Err(Rejection::not_allowed(payment, action))
    }
}

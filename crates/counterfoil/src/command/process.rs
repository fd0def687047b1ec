//! The next attempt of a payment.

use std::sync::Arc;

use super::Command;
use super::change::{Change, Entry, Recorder, Taking};
use super::payable::Payable;
use super::receipt::Subject;
use super::rejection::Rejection;
use super::start::Start;
use super::view::{Halt, View};
use crate::claim::{ClaimKey, ClaimKind, Fingerprint, RequestField};
use crate::destinations::Known;
use crate::event::Body;
use crate::id::{AttemptId, PaymentId};
use crate::payment::{OperationId, Payment, PaymentMethodType, Work};
use crate::scope::Scope;
use crate::status::{Action, Cause, OperationStatus, PaymentStatus, allowed};
use crate::text::{IdempotencyKey, PaymentMethodId};

/// The next attempt of a payment: written down before its gateway is called, or done at once inside our own
/// books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// The payment that is attempted.
    pub payment: PaymentId,
    /// The id the attempt gets.
    pub attempt: AttemptId,
    /// The number of the attempt that is due, if the clock makes it. `None`: a caller asks for the attempt.
    pub number: Option<u32>,
    /// Another instrument than the payment's own. Without it, the clock uses the one that the payment is to be tried with
    /// [next](crate::payment::RetrySchedule).
    pub instrument: Option<PaymentMethodId>,
    /// What the host knows of what it pays.
    pub known: Known,
    /// The key under which it may be asked for again.
    pub idempotency_key: Option<IdempotencyKey>,
    /// Whether the operation is [queued](crate::status::OperationStatus::Queued): recorded now, sent to its gateway later.
    pub queued: bool,
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
        self.require_reopenable(command, payment)?;
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

    /// A `FAILED` payment is tried again only if a policy says so, and only with another instrument.
    fn require_reopenable(&self, command: &Command, payment: &Payment) -> Result<(), Rejection> {
        if payment.status() != PaymentStatus::Failed {
            return Ok(());
        }
        let id = payment.id();
        if !payment.terms().method.kind().needs_gateway() {
            return Err(Rejection::not_allowed(payment, Action::Process));
        }
        if self.queued {
            return Err(Rejection::not_allowed(payment, Action::Process));
        }
        if !command.policy.process_failed {
            return Err(Rejection::ProcessFailedDisabled { payment: id });
        }
        if payment.gateway_payment_id().is_some() {
            return Ok(());
        }
        let instrument = self.instrument(payment).or(payment.terms().method.instrument());
        if payment.was_returned(instrument) {
            Err(Rejection::InstrumentReturned { payment: id, instrument: instrument.cloned() })
        } else if payment.was_tried_last(instrument) {
            Err(Rejection::SameInstrument { payment: id, instrument: instrument.cloned() })
        } else {
            Ok(())
        }
    }

    /// The instrument of the attempt, if it is another one than that of the terms.
    fn instrument<'a>(&'a self, payment: &'a Payment) -> Option<&'a PaymentMethodId> {
        let asked = self.instrument.as_ref();
        match self.number {
            Some(_) => asked.or(payment.next_instrument()),
            None => asked.or(payment.references.instrument.as_ref()),
        }
    }

    /// Whether the schedule of retries makes it: a due attempt, or a repetition of one that was never sent.
    fn is_scheduled(&self, payment: &Payment) -> bool {
        let last = payment.last_made();
        let repeats = last.filter(|last| last.status() == OperationStatus::NotSent);
        self.number.is_some() && repeats.is_none_or(|repeated| repeated.kind.is_scheduled())
    }

    /// Rejects the attempt if it is not due: another caller made it already, or the payment has ended.
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
        let start = Start {
            terms: payment.terms(),
            payment: Some(payment),
            id: self.attempt,
            instrument: self.instrument(payment),
            scheduled: self.is_scheduled(payment),
            queued: self.queued,
        };
        let started = start.decide(command, view)?;
        let entry = Entry::new(Cause::Command, Body::Started(started.start.clone()))
            .claiming(claim)
            .knowing(&self.known);
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

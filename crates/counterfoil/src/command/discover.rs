//! Attempts that a gateway reports for a payment that was created there.

use super::Command;
use super::change::{Change, Entry, Recorder};
use super::record::{holder, operation_fingerprint};
use super::rejection::Rejection;
use super::report::Statement;
use super::view::{Halt, View};
use crate::claim::{ClaimKey, ClaimKind};
use crate::event::{Body, Misfit, Start, StartResult};
use crate::id::{AttemptId, PaymentId};
use crate::payment::{
    Closed, Evidence, Operation, OperationId, OperationKind, Outcome, Payment, SeveralMeant,
};
use crate::status::Cause;
use crate::text::{GatewayName, GatewayOperationId, GatewayPaymentId, NotificationId};

/// What a gateway says of a payment that was made there: the money came, or it did not. That it goes on is no
/// news, and neither is a success that moved nothing. Evidence, so never refused for the status of the payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discover {
    /// Which payment; the gateway knows it by its gateway payment id.
    pub payment: PaymentId,
    /// The id the attempt gets, if it is not known yet.
    pub attempt: AttemptId,
    /// The gateway that reports it.
    pub gateway: GatewayName,
    /// Of which of its payments. If that is not this one's name any more, it is no news of it.
    pub gateway_payment_id: GatewayPaymentId,
    /// What the gateway reports.
    pub evidence: Evidence,
}

impl Discover {
    pub(super) fn decide(&self, command: &Command, view: &View<'_>) -> Result<Change, Halt> {
        let payment = view.payment(self.payment)?;
        // If the payment was not created at a gateway, gateways only report about its operations.
        let unknown = || Rejection::OperationNotFound(self.attempt.into());
        let made_there = payment.gateway_payment_id().ok_or_else(unknown)?;
        let is_meant = made_there == &self.gateway_payment_id;
        if !is_meant || payment.operation(self.attempt.into()).is_some() {
            return Err(Halt::unchanged(payment));
        }
        if self.counts_as_nothing(payment) {
            let (id, told_as) = (self.attempt.into(), self.gateway_payment_id.as_str());
            let kept = misfit(payment, &self.gateway, id, &self.evidence, told_as);
            let entry = kept.ok_or_else(|| Halt::unchanged(payment))?;
            return Recorder::one(command, view, payment, entry);
        }
        let id = self.gateway_operation_id();
        let key =
            ClaimKey::gateway_operation(view.scope, Some(&self.gateway), ClaimKind::GatewayAttempt, &id);
        let known = if let Some(claim) = view.claim(&key)? {
            let taken = || Rejection::GatewayIdTaken(claim.stream.clone());
            Some(holder(payment, claim).ok_or_else(taken)?)
        } else {
            let is_named = self.evidence.gateway_operation_id.is_some();
            // Of several that can be meant, none is.
            let meant = payment.attempt_meant(&self.gateway, is_named);
            meant.map_err(|SeveralMeant| Halt::unchanged(payment))?
        };
        let entry = match known {
            Some(known) if self.is_end() => Statement::new(payment, known, &self.evidence).entry(view)?,
            None if self.is_first_report() => {
                let evidence = self.evidence.clone().with_gateway_operation_id(id);
                let taking = (key, operation_fingerprint(self.attempt.into()));
                Some(self.entry(payment, evidence).claiming([taking]))
            }
            _ => None,
        };
        Recorder::one(command, view, payment, entry.ok_or_else(|| Halt::unchanged(payment))?)
    }

    fn counts_as_nothing(&self, payment: &Payment) -> bool {
        self.evidence.is_success() && Operation::moved_by(payment.terms().amount, &self.evidence).is_zero()
    }

    /// The money came, or went, or it never will come.
    fn is_end(&self) -> bool {
        let is_undone = matches!(self.evidence.outcome, Outcome::Canceled { .. } | Outcome::Reversed { .. });
        self.is_first_report() || is_undone
    }

    /// An attempt comes to be known by a success or a decline.
    fn is_first_report(&self) -> bool {
        matches!(self.evidence.outcome, Outcome::Succeeded | Outcome::Failed(_))
    }

    /// The gateway's id of the attempt; where it gives none, that of the payment stands for its one attempt.
    fn gateway_operation_id(&self) -> GatewayOperationId {
        let given = self.evidence.gateway_operation_id.clone();
        given.unwrap_or_else(|| self.gateway_payment_id.clone().into())
    }

    fn entry(&self, payment: &Payment, evidence: Evidence) -> Entry {
        let is_declined = matches!(evidence.outcome, Outcome::Failed(_));
        let is_beside = payment.attempts().any(Operation::is_requested);
        let kind = OperationKind::Charge { retry: None, is_scheduled: false };
        let result = StartResult::Recorded(evidence);
        let start = Start {
            gateway: Some(self.gateway.clone()),
            instrument: payment.instrument().cloned(),
            closes: (is_declined && !is_beside).then_some(Closed::Failed),
            ..Start::new(OperationId::Attempt(self.attempt), kind, payment.terms().amount, result)
        };
        Entry::new(Cause::Evidence, Body::Started(start))
    }
}

/// The event that keeps a success of something made at a gateway which moved nothing of this payment; `None` where
/// nothing of the kind was said, or it is kept already under its name.
pub(super) fn misfit(
    payment: &Payment,
    gateway: &GatewayName,
    operation: OperationId,
    evidence: &Evidence,
    told_as: &str,
) -> Option<Entry> {
    let own = evidence.gateway_operation_id.as_ref().map(GatewayOperationId::as_str);
    let name = NotificationId::new(own.unwrap_or(told_as)).ok()?;
    let misfit =
        Misfit { gateway: gateway.clone(), name: name.clone(), operation, evidence: evidence.clone() };
    let succeeded = evidence.is_success();
    let is_new = !payment.misfits.contains(&(misfit.review(payment.terms().amount), name));
    (succeeded && is_new).then(|| Entry::new(Cause::Evidence, Body::Misfit(misfit)))
}

//! What a gateway says about an operation.

use super::Command;
use super::change::{Change, Entry, Recorder, Taking};
use super::record::{holder, operation_fingerprint};
use super::rejection::Rejection;
use super::view::{Halt, View};
use crate::claim::{Claim, ClaimKey};
use crate::event::{Body, Reported};
use crate::id::{AttemptId, PaymentId};
use crate::payment::{Closed, Evidence, Operation, OperationId, Origin, Outcome, Payment, ReportSubject};
use crate::scope::Scope;
use crate::status::Cause;

/// Evidence: what a gateway says about an operation, in its answer or later. It is never refused for the
/// status of the payment: what does not fit is kept, counted, and listed for review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The payment that the report is about.
    pub payment: PaymentId,
    /// Which of its operations.
    pub operation: OperationId,
    /// What the gateway reports.
    pub evidence: Evidence,
}

impl Report {
    pub(super) fn decide(&self, command: &Command, view: &View<'_>) -> Result<Change, Halt> {
        let payment = view.payment(self.payment)?;
        let operation = payment.operation(self.operation).filter(|operation| operation.gateway.is_some());
        let operation = operation.ok_or(Rejection::OperationNotFound(self.operation))?;
        let statement = Statement::new(payment, operation, &self.evidence);
        let entry = statement.entry(view)?.ok_or_else(|| Halt::unchanged(payment))?;
        Recorder::one(command, view, payment, entry)
    }
}

/// A gateway's statement about an operation.
pub(super) struct Statement<'a> {
    payment: &'a Payment,
    operation: &'a Operation,
    evidence: Evidence,
    subject: ReportSubject,
    parent: Option<AttemptId>,
}

impl<'a> Statement<'a> {
    pub(super) fn new(payment: &'a Payment, operation: &'a Operation, evidence: &Evidence) -> Statement<'a> {
        let evidence = operation.for_sure(evidence);
        Statement { payment, operation, evidence, subject: ReportSubject::Operation, parent: None }
    }

    /// About this of the operation.
    pub(super) fn about(mut self, subject: ReportSubject) -> Statement<'a> {
        self.subject = subject;
        self
    }

    /// With the attempt that the operation was reported to be of.
    pub(super) fn of(mut self, parent: Option<AttemptId>) -> Statement<'a> {
        self.parent = parent;
        self
    }

    /// The event that keeps it; `None` if it says nothing new.
    pub(super) fn entry(self, view: &View<'_>) -> Result<Option<Entry>, Halt> {
        if self.is_no_news() {
            return Ok(None);
        }
        let name = self.bind(view)?;
        let is_declined = matches!(self.evidence.outcome, Outcome::Failed(_));
        let ends = is_declined && self.payment.ends_with(self.operation);
        let reported = Reported {
            operation: self.operation.id,
            evidence: self.evidence,
            subject: self.subject,
            parent: self.parent,
            gateway_id_clash: matches!(name, Name::AnotherOperations),
            same: name.same(),
            closes: ends.then_some(Closed::Failed),
            excess: None,
        };
        let mut after = self.operation.clone();
        after.apply_report(&reported, self.payment.gateway_payment_id(), self.payment.terms().amount);
        if after == *self.operation && reported.same.is_none() {
            return Ok(None);
        }
        let entry = Entry::new(Cause::Evidence, Body::Reported(reported));
        Ok(Some(entry.claiming(name.taking())))
    }

    /// That an external operation goes on is no news: it is written down once it has come to an end.
    fn is_no_news(&self) -> bool {
        let goes_on = matches!(
            self.evidence.outcome,
            Outcome::Pending
                | Outcome::RequiresAction { .. }
                | Outcome::NotSent { .. }
                | Outcome::Unknown { .. }
        );
        goes_on && self.operation.origin == Origin::External
    }

    /// What becomes of the gateway's name of the operation, or of the return.
    fn bind(&self, view: &View<'_>) -> Result<Name, Halt> {
        let Some(key) = self.unbound_name(view.scope) else { return Ok(Name::Nothing) };
        let ours = operation_fingerprint(self.operation.id);
        Ok(match view.claim(&key)? {
            None => Name::Free((key, ours)),
            Some(claim) if claim.fingerprint == ours => Name::Nothing,
            Some(claim) => match self.external_of(claim) {
                Some(external) => Name::Externals(external.id),
                None => Name::AnotherOperations,
            },
        })
    }

    /// The external operation that has the name, and is this one, which the gateway names by our id. An operator may have
    /// said otherwise.
    fn external_of(&self, claim: &Claim) -> Option<&'a Operation> {
        let holder = holder(self.payment, claim).filter(|_| self.operation.origin != Origin::External)?;
        let is_alike = std::mem::discriminant(&holder.id) == std::mem::discriminant(&self.operation.id);
        let is_free = holder.is_allocatable() && !holder.is_stated() && self.operation.alone.is_none();
        Some(holder).filter(|_| is_alike && is_free)
    }

    fn unbound_name(&self, scope: &Scope) -> Option<ClaimKey> {
        let (operation, gateway) = (self.operation, self.operation.gateway.as_ref());
        if let ReportSubject::Return(Some(name)) = &self.subject {
            return gateway.map(|gateway| ClaimKey::gateway_return(scope, gateway, name));
        }
        let id = self.evidence.gateway_operation_id.as_ref().filter(|id| !operation.is_known_as(id))?;
        Some(ClaimKey::gateway_operation(scope, gateway, operation.id.name_kind(), id))
    }
}

/// What becomes of a gateway's name.
enum Name {
    /// None was given, or it is bound already.
    Nothing,
    /// It is bound now.
    Free(Taking),
    /// This external operation has it, which is the same one.
    Externals(OperationId),
    /// Another operation has it.
    AnotherOperations,
}

impl Name {
    fn taking(self) -> Option<Taking> {
        match self {
            Name::Free(taking) => Some(taking),
            Name::Nothing | Name::Externals(_) | Name::AnotherOperations => None,
        }
    }

    const fn same(&self) -> Option<OperationId> {
        match self {
            Name::Externals(external) => Some(*external),
            _ => None,
        }
    }
}

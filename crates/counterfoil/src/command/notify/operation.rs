//! Which operation a notification is about, and one that comes to be known by it.

use super::super::change::Entry;
use super::super::discover::misfit;
use super::super::record::{holder, operation_fingerprint};
use super::super::rejection::Rejection;
use super::super::report::Statement;
use super::super::view::{Halt, View};
use super::{EventWriter, Notify, Told, UnknownReference, unknown_id};
use crate::claim::ClaimKey;
use crate::event::{Body, Start, StartResult};
use crate::id::{AttemptId, CaptureId, RefundId, VoidId};
use crate::payment::{
    Closed, Evidence, Operation, OperationId, OperationKind, Origin, Outcome, Payment, ReportSubject,
    VoidTarget, attempt_id, only,
};
use crate::status::Cause;

impl Notify {
    pub(super) fn operation(&self, view: &View<'_>, writer: &mut EventWriter<'_>) -> Result<(), Halt> {
        let Some(evidence) = self.told.evidence() else { return Ok(()) };
        self.require_name(evidence)?;
        let payment = writer.after.clone();
        let parent = self.parent(view, &payment)?;
        let entry = match self.meant(view, &payment, parent, evidence)? {
            Some(operation) => self.report(view, &payment, operation, parent, evidence)?,
            None => self.first_report(view, &payment, parent, evidence)?,
        };
        match entry {
            Some(entry) => writer.write(entry),
            None => Ok(()),
        }
    }

    /// What adds up must have a name, or it could count twice.
    fn require_name(&self, evidence: &Evidence) -> Result<(), Rejection> {
        let is_named = evidence.gateway_operation_id.is_some();
        let lacks_name = match self.told {
            Told::Capture(_) | Told::Refund(_) => !is_named && self.about.operation.is_none(),
            // Our own id names what was returned, not the return.
            Told::Returned(_) => !is_named && evidence.amount.is_some(),
            _ => false,
        };
        if lacks_name { Err(Rejection::NameRequired) } else { Ok(()) }
    }

    /// The attempt that it is reported to be of.
    pub(super) fn parent(&self, view: &View<'_>, payment: &Payment) -> Result<Option<AttemptId>, Halt> {
        let there = |attempt: &&Operation| attempt.gateway.as_ref() == Some(&self.gateway);
        let ours = self.about.attempt.map(|id| ("attempt_id", payment.operation(id.into())));
        let theirs = match self.parent_name(view) {
            Some(name) => {
                Some(("gateway_attempt_id", view.claim(&name)?.and_then(|claim| holder(payment, claim))))
            }
            None => None,
        };
        let mut parent = None;
        for (field, named) in [ours, theirs].into_iter().flatten() {
            let id = named.filter(there).and_then(attempt_id).ok_or(UnknownReference::Unknown { field })?;
            if parent.replace(id).is_some_and(|other| other != id) {
                return Err(UnknownReference::Conflicting.into());
            }
        }
        Ok(parent)
    }

    /// The operation that it is about, if that is known. Where several can be meant, none is.
    fn meant<'a>(
        &self,
        view: &View<'_>,
        payment: &'a Payment,
        parent: Option<AttemptId>,
        evidence: &Evidence,
    ) -> Result<Option<&'a Operation>, Halt> {
        if let Some(id) = self.about.operation {
            let echoed = payment.operation(id).filter(|operation| self.is_kind(operation));
            return Ok(Some(echoed.ok_or(unknown_id(id))?));
        }
        let own = match self.own_name(view) {
            Some(name) => view.claim(&name)?,
            None => None,
        };
        if let Some(claim) = own {
            let holder = holder(payment, claim).filter(|operation| self.is_kind(operation));
            return Ok(Some(holder.ok_or(UNKNOWN_NAME)?));
        }
        let is_named = evidence.gateway_operation_id.is_some();
        Ok(match self.told {
            Told::Attempt(_) | Told::Authorization(_) => payment.attempt_meant(&self.gateway, is_named)?,
            Told::Capture(_) | Told::Refund(_) => {
                self.wait_for_requested(payment, parent, evidence)?;
                None
            }
            Told::Void(_) => self.void_meant(payment, parent, is_named)?,
            Told::Returned(_) => Some(self.returned(payment, parent, evidence)?),
            Told::Dispute(_) => None,
        })
    }

    /// Rejects the report while a requested operation without a gateway id may be meant. Its own answer will name it.
    fn wait_for_requested(
        &self,
        payment: &Payment,
        parent: Option<AttemptId>,
        evidence: &Evidence,
    ) -> Result<(), Rejection> {
        let is_kind = |operation: &Operation| self.is_kind(operation);
        let mut may_be = payment.nameless_like(is_kind, parent, evidence.amount);
        let waits = may_be.any(|operation| operation.status().is_live() && !operation.is_stuck());
        if waits { Err(UnknownReference::MayBeOurs.into()) } else { Ok(()) }
    }

    /// The void that was requested or recorded and has no name yet; without a name, the only void that there is.
    fn void_meant<'a>(
        &self,
        payment: &'a Payment,
        parent: Option<AttemptId>,
        is_named: bool,
    ) -> Result<Option<&'a Operation>, Rejection> {
        let voids = payment.voids().filter(|void| self.is_kind(void));
        let voids = voids.filter(|void| parent.is_none() || void.parent() == parent);
        let is_nameless = |void: &&Operation| {
            let is_ours = void.origin != Origin::External && void.sent.is_some();
            is_ours && void.gateway_operation_id().is_none()
        };
        match only(voids.clone().filter(is_nameless))? {
            None if !is_named => Ok(only(voids.filter(|void| void.sent.is_some()))?),
            meant => Ok(meant),
        }
    }

    /// What brought the money that a bank took back.
    fn returned<'a>(
        &self,
        payment: &'a Payment,
        parent: Option<AttemptId>,
        evidence: &Evidence,
    ) -> Result<&'a Operation, Rejection> {
        let name_is_unknown = evidence.gateway_operation_id.is_some();
        if matches!(evidence.outcome, Outcome::ReturnCanceled { .. }) && name_is_unknown {
            return Err(UNKNOWN_NAME.into());
        }
        let is_returned = |operation: &&Operation| self.is_kind(operation) && operation.is_wholly_returned();
        let known = if name_is_unknown { None } else { only(family(payment, parent).filter(is_returned))? };
        if let Some(known) = known {
            return Ok(known);
        }
        let brought = |operation: &&Operation| {
            self.is_kind(operation) && operation.ever_moved().is_some() && operation.same_as().is_none()
        };
        let meant = match parent.and_then(|id| payment.operation(id.into())) {
            Some(charge) if charge.is_inflow() => Some(charge),
            Some(hold) => only(payment.of(hold).filter(brought))?,
            None => match only(payment.operations().iter().filter(brought))? {
                None if evidence.amount.is_none() => payment.attempt_meant(&self.gateway, false)?,
                meant => meant,
            },
        };
        let meant = meant.filter(|operation| self.is_kind(operation));
        Ok(meant.ok_or(UnknownReference::NothingThere)?)
    }

    /// Whether this operation is of the reported kind, and was made at this gateway.
    fn is_kind(&self, operation: &Operation) -> bool {
        let is_kind = match self.told {
            Told::Attempt(_) | Told::Authorization(_) => operation.id.is_attempt(),
            Told::Capture(_) => operation.id.is_capture(),
            Told::Refund(_) => operation.id.is_refund(),
            Told::Void(_) => operation.id.is_void(),
            Told::Returned(_) => operation.is_inflow(),
            Told::Dispute(_) => false,
        };
        is_kind && operation.gateway.as_ref() == Some(&self.gateway)
    }

    /// The event of a report about an operation that is known.
    fn report(
        &self,
        view: &View<'_>,
        payment: &Payment,
        operation: &Operation,
        parent: Option<AttemptId>,
        evidence: &Evidence,
    ) -> Result<Option<Entry>, Halt> {
        let (subject, evidence) = match self.told {
            Told::Authorization(_) if operation.is_requested_charge() => {
                (ReportSubject::Operation, meant_for_charge(evidence))
            }
            Told::Authorization(_) => (ReportSubject::Authorization, evidence.clone()),
            Told::Returned(_) => {
                let name = evidence.gateway_operation_id.clone();
                (ReportSubject::Return(name), Evidence { gateway_operation_id: None, ..evidence.clone() })
            }
            _ => (ReportSubject::Operation, evidence.clone()),
        };
        let says_something = !counts_as_nothing(payment, &evidence);
        let parent = parent.filter(|_| operation.is_allocatable() && says_something);
        Statement::new(payment, operation, &evidence).about(subject).of(parent).entry(view)
    }

    /// The event of an operation that was made at the gateway, if it has come to an end: until then it is no news.
    fn first_report(
        &self,
        view: &View<'_>,
        payment: &Payment,
        parent: Option<AttemptId>,
        evidence: &Evidence,
    ) -> Result<Option<Entry>, Halt> {
        match evidence.outcome {
            Outcome::Succeeded | Outcome::Failed(_) => {}
            Outcome::Reversed { .. } | Outcome::Canceled { .. } | Outcome::ReturnCanceled { .. } => {
                return Err(nothing_like(evidence).into());
            }
            _ => return Ok(None),
        }
        let (operation, kind) = self.first_seen(payment, parent, evidence)?;
        let all = payment.terms().amount;
        if counts_as_nothing(payment, evidence) {
            return Ok(misfit(payment, &self.gateway, operation, evidence, self.notification.as_str()));
        }
        let mut start = Start::new(operation, kind, all, StartResult::Recorded(evidence.clone()));
        start.gateway = Some(self.gateway.clone());
        let is_declined = matches!(evidence.outcome, Outcome::Failed(_));
        let is_beside = payment.attempts().any(Operation::is_requested);
        let ends = is_declined && operation.is_attempt() && !is_beside;
        start.closes = ends.then_some(Closed::Failed);
        self.named(view, payment, start, evidence).map(Some)
    }

    /// The id and kind of an operation that was not requested here.
    fn first_seen(
        &self,
        payment: &Payment,
        parent: Option<AttemptId>,
        evidence: &Evidence,
    ) -> Result<(OperationId, OperationKind), Rejection> {
        let has_source = payment.sources(&self.gateway).next().is_some();
        match self.told {
            Told::Attempt(_) if self.may_be_new(payment, evidence) => Ok((
                AttemptId::new(self.id).into(),
                OperationKind::Charge { retry: None, is_scheduled: false },
            )),
            Told::Authorization(_) if self.may_be_new(payment, evidence) => Ok((
                AttemptId::new(self.id).into(),
                OperationKind::Authorization { retry: None, is_scheduled: false },
            )),
            Told::Capture(_) if has_source => {
                let kind = OperationKind::Capture { of: parent, releases: None };
                Ok((CaptureId::new(self.id).into(), kind))
            }
            Told::Refund(_) if has_source => {
                Ok((RefundId::new(self.id).into(), OperationKind::Refund { of: parent }))
            }
            // Whether it gives back a charge follows from what it is of.
            Told::Void(_) if parent.is_some() || payment.only_source(&self.gateway).is_some() => {
                let kind = OperationKind::Void { of: parent, target: VoidTarget::Hold };
                Ok((VoidId::new(self.id).into(), kind))
            }
            Told::Void(_) if has_source => Err(UnknownReference::Several.into()),
            Told::Attempt(_) | Told::Authorization(_) => Err(nothing_like(evidence).into()),
            _ => Err(UnknownReference::NothingThere.into()),
        }
    }

    /// Whether an attempt can come to be known that was not requested here: of a payment that was created at the gateway,
    /// or where it is money beside an attempt there, which has another name.
    fn may_be_new(&self, payment: &Payment, evidence: &Evidence) -> bool {
        let there =
            |attempt: &Operation| attempt.sent.is_some() && attempt.gateway.as_ref() == Some(&self.gateway);
        let is_beside = evidence.is_success() && payment.attempts().any(there);
        self.is_created_there(payment) || is_beside
    }

    /// The event of a start, with the name that the gateway gives it.
    fn named(
        &self,
        view: &View<'_>,
        payment: &Payment,
        mut start: Start,
        evidence: &Evidence,
    ) -> Result<Entry, Halt> {
        let operation = start.operation;
        let stand_in = payment.gateway_payment_id().filter(|_| operation.is_attempt());
        let id = evidence.gateway_operation_id.clone().or(stand_in.cloned().map(Into::into));
        let Some(id) = id else { return Ok(Entry::new(Cause::Evidence, Body::Started(start))) };
        start.result = StartResult::Recorded(evidence.clone().with_gateway_operation_id(id.clone()));
        let kind = operation.name_kind();
        let key = ClaimKey::gateway_operation(view.scope, Some(&self.gateway), kind, &id);
        let entry = Entry::new(Cause::Evidence, Body::Started(start));
        Ok(match view.claim(&key)? {
            Some(_) => return Err(UnknownReference::Conflicting.into()),
            None => entry.claiming([(key, operation_fingerprint(operation))]),
        })
    }
}

/// An attempt and its captures; without one all operations.
fn family(payment: &Payment, attempt: Option<AttemptId>) -> impl Iterator<Item = &Operation> {
    let is_of = move |operation: &&Operation| match attempt {
        Some(attempt) => operation.id == attempt.into() || operation.parent() == Some(attempt),
        None => true,
    };
    payment.operations().iter().filter(is_of)
}

/// The gateway's id of the operation is unknown.
const UNKNOWN_NAME: UnknownReference = UnknownReference::Unknown { field: "gateway_operation_id" };

/// The report is about an unknown operation, and cannot create one.
const fn nothing_like(evidence: &Evidence) -> UnknownReference {
    if evidence.gateway_operation_id.is_some() { UNKNOWN_NAME } else { UnknownReference::NothingThere }
}

/// Whether it is a success of nothing, or of another currency. Where that is the first report of an operation, none is
/// written down, so it names no parent either.
fn counts_as_nothing(payment: &Payment, evidence: &Evidence) -> bool {
    evidence.is_success() && Operation::moved_by(payment.terms().amount, evidence).is_zero()
}

/// To a requested charge, a report about an authorization means that it goes on, or that it came to nothing.
fn meant_for_charge(evidence: &Evidence) -> Evidence {
    let mut meant = evidence.clone();
    match &evidence.outcome {
        Outcome::Succeeded => meant.outcome = Outcome::Pending,
        Outcome::Reversed { error_message } => {
            meant.outcome = Outcome::Canceled { error_message: error_message.clone() };
        }
        _ => {}
    }
    meant
}

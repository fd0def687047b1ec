//! Allocation: the attempt that each external capture, refund and void is of. It follows from the facts of the payment,
//! in whatever order they were reported.

use super::operation::Stated;
use super::standing::Marked;
use super::{Dispute, Operation, OperationId, OperationKind, Origin, Payment, VoidTarget};
use crate::id::AttemptId;
use crate::money::Money;
use crate::status::OperationStatus;
use crate::text::GatewayName;

impl Payment {
    /// The attempts at `gateway` that ever held or captured money.
    pub(crate) fn sources(&self, gateway: &GatewayName) -> impl Iterator<Item = &Operation> {
        let at_gateway = self.attempts().filter(move |attempt| attempt.gateway.as_ref() == Some(gateway));
        at_gateway.filter(|attempt| attempt.ever_moved().is_some())
    }

    /// The attempt at `gateway` that ever held or captured money, if there is exactly one.
    pub(crate) fn only_source(&self, gateway: &GatewayName) -> Option<&Operation> {
        only(self.sources(gateway)).ok().flatten()
    }

    /// The attempts that were not requested here and ever held or captured money at a gateway where a requested attempt did
    /// so too. Nothing if the payment was created at the gateway.
    pub(super) fn beside_requested(&self) -> impl Iterator<Item = OperationId> {
        let is_created_here = self.gateway_payment_id().is_none();
        let moved = self.attempts().filter(|attempt| is_created_here && attempt.ever_moved().is_some());
        let (requested, others): (Vec<_>, Vec<_>) = moved.partition(|attempt| attempt.is_requested());
        let is_beside = move |other: &&Operation| requested.iter().any(|own| own.gateway == other.gateway);
        others.into_iter().filter(is_beside).map(|attempt| attempt.id)
    }

    /// Allocates each external capture, refund and void to its attempt, and decides whether it is a possible duplicate.
    pub(crate) fn allocate(&mut self) {
        let external = self.operations.iter().filter(|operation| operation.is_allocatable());
        let ids: Vec<_> = external.map(|operation| operation.id).collect();
        // In the order of the operations: the twins of a later one depend on the parents of earlier ones.
        for id in ids {
            self.allocate_one(id);
        }
    }

    fn allocate_one(&mut self, id: OperationId) {
        let Some(operation) = self.operation(id) else { return };
        let kind = self.allocated(operation);
        let may_be_requested = self.may_be_requested(operation, kind.parent());
        if let Some(operation) = self.operations.iter_mut().find(|operation| operation.id == id) {
            operation.kind = kind;
            operation.allocation.may_be_requested = may_be_requested;
        }
    }

    /// The kind of an external operation, with its parent.
    fn allocated(&self, operation: &Operation) -> OperationKind {
        let parent = self.parent_of(operation);
        match operation.kind {
            OperationKind::Void { .. } => {
                let attempt = parent.and_then(|id| self.operation(id.into()));
                let is_charge = attempt.is_some_and(Operation::was_charged);
                let target = if is_charge { VoidTarget::Charge } else { VoidTarget::Hold };
                OperationKind::Void { of: parent, target }
            }
            kind => kind.with_parent(parent),
        }
    }

    /// The parent of an external operation: the attempt that an operator named. Otherwise the reported attempt, if exactly
    /// one was reported. Otherwise, if none was reported, the only source at its gateway.
    fn parent_of(&self, operation: &Operation) -> Option<AttemptId> {
        if operation.allocation.of.is_some() {
            return operation.allocation.of;
        }
        let mut reported = operation.reports.parents.iter();
        match (reported.next(), reported.next()) {
            (Some(only), None) => Some(*only),
            (Some(_), Some(_)) => None,
            (None, _) => {
                let source = operation.gateway.as_ref().and_then(|gateway| self.only_source(gateway));
                source.and_then(attempt_id)
            }
        }
    }

    /// Whether an external operation succeeded and may be an operation that was requested here before, and of which no
    /// gateway id is known.
    fn may_be_requested(&self, operation: &Operation, parent: Option<AttemptId>) -> bool {
        let is_open = !operation.id.is_void()
            && matches!(operation.status(), OperationStatus::Succeeded | OperationStatus::Reversed)
            && operation.allocation.stated != Some(Stated::Another);
        is_open && self.twins(operation, parent).next().is_some()
    }

    /// The operations that were requested here and that the external `operation` may be the same as.
    pub(crate) fn requested_twins<'a>(
        &'a self,
        operation: &'a Operation,
    ) -> impl Iterator<Item = &'a Operation> {
        self.twins(operation, operation.parent())
    }

    fn twins<'a>(
        &'a self,
        operation: &'a Operation,
        parent: Option<AttemptId>,
    ) -> impl Iterator<Item = &'a Operation> {
        let was_sent = |older: &&Operation| older.sent.is_some_and(|sent| sent < operation.sequence);
        let older = self.operations.iter().filter(was_sent);
        older.filter(move |older| is_candidate(older, operation, parent))
    }

    /// Whether an operator may resolve `operation`: its outcome is open, it has or had a review item, an operator recorded
    /// it, or an operator has decided about it before.
    pub(crate) fn may_be_resolved(&self, operation: &Operation) -> bool {
        let allocation = &operation.allocation;
        let was_stated = allocation.stated.is_some() || allocation.of.is_some() || operation.alone.is_some();
        let is_marked = self.marks().into_keys().any(|(mark, _)| mark.is_about(operation.id));
        let is_recorded = operation.origin == Origin::Recorded;
        operation.status().is_under_way() || operation.is_resolved() || was_stated || is_marked || is_recorded
    }

    /// Whether an operator may resolve `dispute`: it is open, or the dispute or its payment has or had a review item.
    pub(crate) fn dispute_may_be_resolved(&self, dispute: &Dispute) -> bool {
        let is_about = |mark| matches!(mark, Marked::Payment) || mark == Marked::Dispute(dispute.id);
        dispute.is_open() || self.marks().into_keys().any(|(mark, _)| is_about(mark))
    }

    /// The attempt at `gateway` that a report means if it names no attempt known here. If the report has a gateway id of its
    /// own (`is_named`), only an attempt without one can be meant. An error if several attempts can be meant.
    pub(crate) fn attempt_meant(
        &self,
        gateway: &GatewayName,
        is_named: bool,
    ) -> Result<Option<&Operation>, SeveralMeant> {
        let stand_in = self.gateway_payment_id();
        let may_be = |attempt: &&Operation| {
            attempt.gateway.as_ref() == Some(gateway)
                && attempt.sent.is_some()
                && if is_named {
                    attempt.is_nameless(stand_in)
                } else {
                    attempt.status() != OperationStatus::NotSent
                }
        };
        only(self.attempts().filter(may_be))
    }

    /// The sent operations without a gateway id that a report can mean: those that are not external, of its kind, and of its
    /// `parent` and `amount` if these are reported.
    pub(crate) fn nameless_like<'a>(
        &'a self,
        is_kind: impl Fn(&Operation) -> bool + 'a,
        parent: Option<AttemptId>,
        amount: Option<Money>,
    ) -> impl Iterator<Item = &'a Operation> {
        let nameless = self.operations.iter().filter(move |known| {
            known.origin != Origin::External
                && known.sent.is_some()
                && known.gateway_operation_id().is_none()
                && is_kind(known)
        });
        let of_parent = nameless.filter(move |known| parent.is_none() || known.parent() == parent);
        of_parent.filter(move |known| amount.is_none_or(|amount| known.amount == amount))
    }
}

impl Operation {
    /// Whether it is a capture or refund that a gateway reported first.
    pub(crate) fn is_external_capture_or_refund(&self) -> bool {
        self.origin == Origin::External && (self.id.is_capture() || self.id.is_refund())
    }

    /// Whether it is an external capture, refund or void. An operator may name the attempt that it is of.
    pub(crate) fn is_allocatable(&self) -> bool {
        self.origin == Origin::External && !self.id.is_attempt()
    }

    /// Whether it is external, was done, is not the same as another operation, and either has no parent or may be an
    /// operation that was requested here.
    pub(crate) fn is_unallocated(&self) -> bool {
        let counts = self.ever_moved().is_some() && self.same_as().is_none();
        let is_open = self.parent().is_none() || self.allocation.may_be_requested;
        self.is_allocatable() && counts && is_open
    }
}

/// Whether `older` is not external, has no gateway id yet, and may be the same as the external `operation`.
fn is_candidate(older: &Operation, operation: &Operation, parent: Option<AttemptId>) -> bool {
    let is_alike = std::mem::discriminant(&older.id) == std::mem::discriminant(&operation.id)
        && older.gateway == operation.gateway
        && (older.amount == operation.amount || !operation.reports.is_sized)
        && (parent.is_none() || older.parent() == parent);
    let came_to_nothing = matches!(
        older.status(),
        OperationStatus::Failed | OperationStatus::Canceled | OperationStatus::NotSent
    );
    is_alike && older.origin != Origin::External && older.gateway_operation_id().is_none() && !came_to_nothing
}

/// A report can mean several operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SeveralMeant;

/// The operation of `among`, if there is one. An error if there are several.
pub(crate) fn only<'a>(
    mut among: impl Iterator<Item = &'a Operation>,
) -> Result<Option<&'a Operation>, SeveralMeant> {
    match (among.next(), among.next()) {
        (one, None) => Ok(one),
        (_, Some(_)) => Err(SeveralMeant),
    }
}

/// The id of the operation, if it is an attempt.
pub(crate) fn attempt_id(operation: &Operation) -> Option<AttemptId> {
    match operation.id {
        OperationId::Attempt(id) => Some(id),
        _ => None,
    }
}

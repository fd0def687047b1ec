//! What external captures, refunds and voids are of. It follows from all that is known of the payment, whatever was
//! reported first.

use super::operation::Stated;
use super::standing::Marked;
use super::{Dispute, Operation, OperationId, OperationKind, Origin, Payment, VoidTarget};
use crate::id::AttemptId;
use crate::money::Money;
use crate::status::OperationStatus;
use crate::text::GatewayName;

impl Payment {
    /// The attempts at `gateway` that ever held or brought money.
    pub(crate) fn sources(&self, gateway: &GatewayName) -> impl Iterator<Item = &Operation> {
        let there = move |attempt: &&Operation| attempt.gateway.as_ref() == Some(gateway);
        self.attempts().filter(there).filter(|attempt| attempt.ever_moved().is_some())
    }

    /// The only attempt at `gateway` that ever held or brought money.
    pub(crate) fn only_source(&self, gateway: &GatewayName) -> Option<&Operation> {
        only(self.sources(gateway)).ok().flatten()
    }

    /// The external attempts that brought or held money beside an attempt that was requested at the same gateway. None if
    /// the payment was created at the gateway.
    pub(super) fn beside_requested(&self) -> impl Iterator<Item = OperationId> {
        let is_asked_here = self.gateway_payment_id().is_none();
        let moved = self.attempts().filter(|attempt| attempt.ever_moved().is_some());
        let (ours, others): (Vec<_>, Vec<_>) = moved.partition(|attempt| attempt.is_requested());
        let others = others.into_iter().filter(move |_| is_asked_here);
        let beside = others.filter(move |other| ours.iter().any(|ours| ours.gateway == other.gateway));
        beside.map(|attempt| attempt.id)
    }

    /// Says anew what each external capture, refund and void is of, and whether it is a possible duplicate.
    pub(crate) fn allocate(&mut self) {
        let is_external = |operation: &Operation| operation.origin == Origin::External;
        let external =
            self.operations.iter().filter(|operation| is_external(operation) && !operation.id.is_attempt());
        let ids: Vec<_> = external.map(|operation| operation.id).collect();
        // One after another: what an older one is of decides which twins a younger one has.
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

    /// The kind of an external operation, with what it is of.
    fn allocated(&self, operation: &Operation) -> OperationKind {
        let parent = self.parent_of(operation);
        match operation.kind {
            OperationKind::Void { .. } => {
                let brought = parent.and_then(|id| self.operation(id.into()));
                let is_charge = brought.is_some_and(Operation::was_charged);
                let target = if is_charge { VoidTarget::Charge } else { VoidTarget::Hold };
                OperationKind::Void { of: parent, target }
            }
            kind => kind.with_parent(parent),
        }
    }

    /// What an operator said; else the one parent that was reported; else, where none was, the only source.
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

    /// Whether it succeeded and may be an operation that was requested here before, and that has no name yet.
    fn may_be_requested(&self, operation: &Operation, parent: Option<AttemptId>) -> bool {
        let is_open = !operation.id.is_void()
            && matches!(operation.status(), OperationStatus::Succeeded | OperationStatus::Reversed)
            && operation.allocation.stated != Some(Stated::Another);
        is_open && self.twins(operation, parent).next().is_some()
    }

    /// The operations that were requested here and that `operation`, which was reported, may be.
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

    /// Whether an operator may decide what became of `operation`: it is open, something about it is or was listed for
    /// review, or it is what an operator wrote down or decided before.
    pub(crate) fn may_be_resolved(&self, operation: &Operation) -> bool {
        let allocation = &operation.allocation;
        let was_stated = allocation.stated.is_some() || allocation.of.is_some() || operation.alone.is_some();
        let is_marked = self.marks().into_keys().any(|(mark, _)| mark.is_about(operation.id));
        let is_word = operation.origin == Origin::Recorded;
        operation.status().is_under_way() || operation.is_resolved() || was_stated || is_marked || is_word
    }

    /// Whether an operator may decide how `dispute` ended: it is open, something about it or about the payment as a whole
    /// is or was listed for review, or an operator has decided before about it.
    pub(crate) fn dispute_may_be_resolved(&self, dispute: &Dispute) -> bool {
        let is_about = |mark| matches!(mark, Marked::Payment) || mark == Marked::Dispute(dispute.id);
        dispute.is_open() || self.marks().into_keys().any(|(mark, _)| is_about(mark))
    }

    /// The attempt at `gateway` that a report is about which names no attempt known here. `is_named`: it has a name of
    /// its own, so an attempt is meant that has none. `Err`: there are several.
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

    /// The requested operations of its kind that have no name yet and may be the one that is reported: `amount` and
    /// `parent` as far as they are reported.
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

    /// Whether it is a capture, refund or void that a gateway reported first: an operator may say what it is of.
    pub(crate) fn is_allocatable(&self) -> bool {
        self.origin == Origin::External && !self.id.is_attempt()
    }

    /// Whether it is external, was done and counts on its own, and is of no attempt or may have been requested here.
    pub(crate) fn is_unallocated(&self) -> bool {
        let counts = self.ever_moved().is_some() && self.same_as().is_none();
        let is_open = self.parent().is_none() || self.allocation.may_be_requested;
        self.is_allocatable() && counts && is_open
    }
}

/// Whether `older` was requested here, has no name yet, and may be `operation`, which was reported.
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

/// Several operations can be meant where one was to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SeveralMeant;

/// The only operation of `among`, if there is one.
pub(crate) fn only<'a>(
    mut among: impl Iterator<Item = &'a Operation>,
) -> Result<Option<&'a Operation>, SeveralMeant> {
    match (among.next(), among.next()) {
        (one, None) => Ok(one),
        (_, Some(_)) => Err(SeveralMeant),
    }
}

/// The id of an attempt.
pub(crate) fn attempt_id(operation: &Operation) -> Option<AttemptId> {
    match operation.id {
        OperationId::Attempt(id) => Some(id),
        _ => None,
    }
}

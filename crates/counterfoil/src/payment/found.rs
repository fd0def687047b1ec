//! What captures and voids are of that only a gateway told of. They name no attempt, so it follows from all that is
//! known of the payment, whatever was told first.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::{Operation, OperationId, Payment};
use crate::id::AttemptId;
use crate::text::{GatewayName, GatewayOperationId};

impl Payment {
    /// Whether anything of it was ever voided, or is to be.
    pub(crate) fn has_voids(&self) -> bool {
        self.operations.iter().any(|operation| operation.id.is_void())
    }

    /// Whether something that `gateway` tells of can be of an attempt: of one that held money once, or brought some.
    pub(crate) fn has_source(&self, gateway: &GatewayName) -> bool {
        self.sources(gateway).next().is_some()
    }

    /// Whether a void that `gateway` tells of is of a hold: wherever there was one.
    pub(crate) fn has_hold(&self, gateway: &GatewayName) -> bool {
        self.sources(gateway).any(|attempt| attempt.holds)
    }

    /// The voids of which nobody here can tell whether they are of a hold or of a charge: there are both.
    pub(super) fn ambiguous_voids(&self) -> impl Iterator<Item = &Operation> {
        let done = |void: &&Operation| void.id.is_void() && void.is_placed() && void.ever_moved().is_some();
        let both =
            |gateway: &GatewayName| self.has_hold(gateway) && self.sources(gateway).any(Operation::takes);
        self.operations.iter().filter(done).filter(move |void| void.gateway.as_ref().is_some_and(both))
    }

    /// Says anew of each found capture and void what it is of, and of every void whether that is something held.
    pub(crate) fn place(&mut self) {
        if !self.operations.iter().any(|operation| operation.is_placed() || operation.id.is_void()) {
            return;
        }
        for found in self.operations.iter_mut().filter(|operation| operation.is_placed()) {
            found.attempt = None;
        }
        let placed = self.placed();
        let holds: BTreeSet<_> =
            self.attempts().filter(|attempt| attempt.holds).map(|hold| hold.id).collect();
        for operation in &mut self.operations {
            operation.attempt = operation.attempt.or(placed.get(&operation.id).copied());
            if let (OperationId::Void(_), Some(attempt)) = (operation.id, operation.attempt) {
                operation.holds = holds.contains(&attempt.into());
            }
        }
    }

    /// What each found one is of: a hold where there is one at its gateway, and of several that of which most is left.
    /// Captures take before voids, and the largest first.
    fn placed(&self) -> BTreeMap<OperationId, AttemptId> {
        let mut found: Vec<_> = self.operations.iter().filter(|operation| operation.is_placed()).collect();
        found.sort_by_key(|operation| (operation.id.is_void(), Reverse(operation.took()), operation.name()));
        let mut left: BTreeMap<_, _> =
            self.attempts().map(|attempt| (attempt.id, self.left_of(attempt))).collect();
        let mut placed = BTreeMap::new();
        for operation in found {
            let Some(gateway) = &operation.gateway else { continue };
            let has_hold = self.has_hold(gateway);
            let may_be = self.sources(gateway).filter(|attempt| attempt.holds == has_hold);
            let of = may_be.max_by_key(|attempt| (left.get(&attempt.id), Reverse(attempt.name())));
            let Some(OperationId::Attempt(of)) = of.map(|attempt| attempt.id) else { continue };
            placed.insert(operation.id, of);
            left.entry(of.into()).and_modify(|left| *left = left.saturating_sub(operation.took()));
        }
        placed
    }

    /// The attempts that once brought money by way of `gateway`, or held some.
    pub(crate) fn sources(&self, gateway: &GatewayName) -> impl Iterator<Item = &Operation> {
        let theirs = |attempt: &&Operation| attempt.gateway.as_ref() == Some(gateway);
        self.attempts().filter(theirs).filter(|attempt| attempt.ever_moved().is_some())
    }
}

impl Operation {
    /// Whether what it is of follows from what else is known.
    fn is_placed(&self) -> bool {
        self.found && (self.id.is_capture() || self.id.is_void())
    }

    /// What it is known by wherever it was told of first.
    fn name(&self) -> (Option<&GatewayOperationId>, OperationId) {
        (self.gateway_operation_id(), self.id)
    }
}

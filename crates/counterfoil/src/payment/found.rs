//! What captures and voids are of that only a gateway told of. They name no attempt, so it follows from all that is
//! known of the payment, whatever was told first.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::{Operation, OperationId, Payment};
use crate::id::AttemptId;
use crate::status::OperationStatus;
use crate::text::{GatewayName, GatewayOperationId};

/// An attempt that something found may be of.
struct Source<'a> {
    attempt: &'a Operation,
    /// What nothing has taken of it, or is about to take.
    left: i64,
}

impl<'a> Source<'a> {
    /// The least is what took so much.
    fn rank(&self, took: i64) -> impl Ord + use<'a> {
        let is_enough = self.left >= took;
        let left = if is_enough { self.left } else { self.left.saturating_neg() };
        (!is_enough, left, !self.attempt.is_over(), self.attempt.name())
    }
}

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

    /// What was made there and may be of one attempt as well as of another: there are several holds; or it is a void, and
    /// there is a charge beside a hold.
    pub(super) fn ambiguous(&self) -> impl Iterator<Item = &Operation> {
        let mut there: BTreeMap<&GatewayName, [usize; 2]> = BTreeMap::new();
        for attempt in self.attempts().filter(|attempt| attempt.ever_moved().is_some()) {
            if let Some(gateway) = &attempt.gateway {
                there.entry(gateway).or_default()[usize::from(attempt.holds)] += 1;
            }
        }
        self.operations.iter().filter(move |operation| {
            let [charges, holds] = operation
                .gateway
                .as_ref()
                .and_then(|gateway| there.get(gateway))
                .copied()
                .unwrap_or_default();
            let either = holds > 1 || (operation.id.is_void() && holds > 0 && charges > 0);
            either && operation.is_placed() && operation.ever_moved().is_some()
        })
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

    /// What each found one is of: a hold where there is one at its gateway. Captures choose before voids, and the largest
    /// first: that of which least is left that is enough, and of equal ones what is over already; else that of which most
    /// is left.
    fn placed(&self) -> BTreeMap<OperationId, AttemptId> {
        let mut found: Vec<_> = self.operations.iter().filter(|operation| operation.is_placed()).collect();
        found.sort_by_key(|operation| (operation.id.is_void(), Reverse(operation.took()), operation.name()));
        let mut sources: BTreeMap<&GatewayName, Vec<Source<'_>>> = BTreeMap::new();
        let mut placed = BTreeMap::new();
        for operation in found {
            let (Some(gateway), took) = (&operation.gateway, operation.took()) else { continue };
            let there = sources.entry(gateway).or_insert_with(|| self.sources_of_found(gateway));
            let Some(of) = there.iter_mut().min_by_key(|source| source.rank(took)) else { continue };
            of.left = of.left.saturating_sub(took);
            if let OperationId::Attempt(id) = of.attempt.id {
                placed.insert(operation.id, id);
            }
        }
        placed
    }

    /// What may be found to be of: the holds at `gateway`, else the charges there.
    fn sources_of_found(&self, gateway: &GatewayName) -> Vec<Source<'_>> {
        let has_hold = self.has_hold(gateway);
        let may_be = self.sources(gateway).filter(|attempt| attempt.holds == has_hold);
        may_be.map(|attempt| Source { attempt, left: self.left_of(attempt) }).collect()
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

    /// Whether what it held was let go, or lost.
    fn is_over(&self) -> bool {
        self.expired.is_some() || self.status() == OperationStatus::Reversed
    }

    /// What it is known by wherever it was told of first.
    fn name(&self) -> (Option<&GatewayOperationId>, OperationId) {
        (self.gateway_operation_id(), self.id)
    }
}

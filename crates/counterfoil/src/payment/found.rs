//! What captures and voids are of that only a gateway told of. They name no attempt, so it follows from all that is
//! known of the payment, whatever was told first.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::{Operation, OperationId, Payment};
use crate::id::AttemptId;
use crate::money::Money;
use crate::status::OperationStatus;
use crate::text::{GatewayName, GatewayOperationId};

/// What something found is of.
struct Place {
    of: AttemptId,
    /// How much was left of that for it.
    left: i64,
    /// Whether it may as well be of another.
    is_guess: bool,
}

/// What may be found at a gateway to be of: the holds there, else the charges.
struct Sources<'a> {
    left: Vec<(&'a Operation, i64)>,
    are_holds: bool,
    /// Whether there is a charge beside a hold.
    are_both: bool,
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

    /// The attempts that once brought money by way of `gateway`, or held some.
    pub(crate) fn sources(&self, gateway: &GatewayName) -> impl Iterator<Item = &Operation> {
        let theirs = |attempt: &&Operation| attempt.gateway.as_ref() == Some(gateway);
        self.attempts().filter(theirs).filter(|attempt| attempt.ever_moved().is_some())
    }

    /// What was captured or voided there, and may be of another attempt than is said; and what was voided though so much
    /// was not left. A void of all there is, is of what is left.
    pub(super) fn doubtful(&self) -> impl Iterator<Item = OperationId> {
        let (placed, all) = (self.placed(), self.terms.amount.minor());
        let moved = self.operations.iter().filter(|operation| operation.ever_moved().is_some());
        let doubtful = moved.filter(move |operation| {
            placed.get(&operation.id).is_some_and(|place| {
                let is_all = operation.took() == all && place.left > 0;
                let is_too_much = operation.took() > place.left && !is_all;
                place.is_guess || (operation.id.is_void() && is_too_much)
            })
        });
        doubtful.map(|operation| operation.id)
    }

    /// The attempts that nobody here made and that brought or held money beside one that we made at that gateway, of a
    /// payment that was not made there.
    pub(super) fn beside_ours(&self) -> impl Iterator<Item = OperationId> {
        let is_asked_here = self.gateway_payment_id().is_none();
        let moved = self.attempts().filter(|attempt| attempt.ever_moved().is_some());
        let (ours, others): (Vec<_>, Vec<_>) = moved.partition(|attempt| attempt.is_ours());
        let others = others.into_iter().filter(move |_| is_asked_here);
        let beside = others.filter(move |other| ours.iter().any(|ours| ours.gateway == other.gateway));
        beside.map(|attempt| attempt.id)
    }

    /// Says anew of each found capture and void what it is of, and of every void whether that is something held.
    pub(crate) fn place(&mut self) {
        if !self.operations.iter().any(|operation| operation.is_placed() || operation.id.is_void()) {
            return;
        }
        let placed = self.placed();
        let holds: BTreeSet<_> =
            self.attempts().filter(|attempt| attempt.holds).map(|hold| hold.id).collect();
        for operation in &mut self.operations {
            if operation.is_placed() {
                operation.attempt = placed.get(&operation.id).map(|place| place.of);
            }
            if let (OperationId::Void(_), Some(attempt)) = (operation.id, operation.attempt) {
                operation.holds = operation.reverses.is_none() && holds.contains(&attempt.into());
            }
        }
    }

    /// What each found one is of: a hold where there is one at its gateway. Captures choose before voids, and the largest
    /// first: that of which least is left that is enough, and of equal ones what is over already; else that of which most
    /// is left.
    fn placed(&self) -> BTreeMap<OperationId, Place> {
        let mut found: Vec<_> = self.operations.iter().filter(|operation| operation.is_placed()).collect();
        found.sort_by_key(|operation| (operation.id.is_void(), Reverse(operation.took()), operation.name()));
        let mut sources: BTreeMap<&GatewayName, Sources<'_>> = BTreeMap::new();
        let mut placed = BTreeMap::new();
        for operation in found {
            let Some(gateway) = &operation.gateway else { continue };
            let there = sources.entry(gateway).or_insert_with(|| self.sources_of_found(gateway));
            placed.extend(there.take(operation).map(|place| (operation.id, place)));
        }
        placed
    }

    fn sources_of_found(&self, gateway: &GatewayName) -> Sources<'_> {
        let are_holds = self.has_hold(gateway);
        let may_be = self.sources(gateway).filter(|attempt| attempt.holds == are_holds);
        let mut left: Vec<_> = may_be.map(|attempt| (attempt, self.left_of(attempt))).collect();
        // Of equal ones the first by name, whatever was told first.
        left.sort_by_key(|(attempt, _)| attempt.name());
        Sources { left, are_holds, are_both: are_holds && self.sources(gateway).any(Operation::takes) }
    }

    /// What there is of an attempt, of what it brought or ever held, that nothing took which names it, or may yet.
    fn left_of(&self, attempt: &Operation) -> i64 {
        if !attempt.holds {
            return attempt.moved().map_or(0, Money::minor);
        }
        let named = || self.of(attempt).filter(|operation| !operation.is_placed());
        if named().any(Operation::ended_hold) {
            return 0;
        }
        let gone = |operation: &Operation| {
            if operation.status().is_live() { operation.reserves_of_hold() } else { operation.took_of_hold() }
        };
        let gone = named().map(gone).fold(attempt.expired.map_or(0, Money::minor), i64::saturating_add);
        attempt.took().saturating_sub(gone).max(0)
    }
}

impl Sources<'_> {
    /// Places `operation`, and takes from there what it took.
    fn take(&mut self, operation: &Operation) -> Option<Place> {
        let took = operation.took();
        let is_guess = self.are_holds && (self.left.len() > 1 || (self.are_both && operation.id.is_void()));
        let rank = |(attempt, left): &&mut (&Operation, i64)| {
            let is_enough = *left >= took;
            (!is_enough, if is_enough { *left } else { left.saturating_neg() }, !attempt.is_over())
        };
        let (attempt, left) = self.left.iter_mut().min_by_key(rank)?;
        let OperationId::Attempt(of) = attempt.id else { return None };
        let place = Place { of, left: *left, is_guess };
        *left = left.saturating_sub(took);
        Some(place)
    }
}

impl Operation {
    /// Whether what it is of follows from what else is known.
    pub(super) fn is_placed(&self) -> bool {
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

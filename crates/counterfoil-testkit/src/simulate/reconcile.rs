//! Compares the ledger with the gateway's books at the end of a simulation.
//!
//! An operation that was sent to its gateway has moved the same amount here and there. If it has not, an operator can see
//! why:
//!
//! * It is [stuck](counterfoil::payment::Operation::is_stuck), and its payment is listed as stuck.
//! * It was resolved by an operator, and a review item about that is open.
//! * An operator dismissed that review item. If the gateway reports an end for the first time after that, the books agree,
//!   or a review item opens again.
//!
//! An operation that was reported without our id may be kept as an external copy of the operation that was requested here.
//! Together they have moved what the operation moved.
//!
//! Disputes have withdrawn the same amount on both sides.
//!
//! The gateway does not know what an operator recorded as made elsewhere. Otherwise its totals are the same as ours. The
//! amounts held are compared only if each operation agrees. Once a captured amount is reversed, the gateway no longer says
//! how much it was, so an operator's amount cannot be checked.

use counterfoil::money::Money;
use counterfoil::payment::{Attention, Operation, OperationId, Origin, Outcome, Payment, Review};
use counterfoil::status::OperationStatus;
use counterfoil::store::{Filter, Query};
use counterfoil_sandbox::Sandbox;

use super::run::Run;
use super::settle::unreadable;
use super::transcript::is_marked;
use crate::laws::{Broken, is_refund, law, takes, undoes};

impl Run {
    /// 43, 46: the ledger and the gateway agree about a payment.
    pub(super) fn reconcile(&self, payment: &Payment) -> Result<(), Broken> {
        let (id, status) = (payment.id(), payment.status());
        let (mut captured, mut refunded, mut all_agree) = (0, 0, true);
        for own in payment.operations().iter().filter(|own| own.gateway.is_some()) {
            if self.watch.is_by_hand(own.id) || requested_original(&self.sandbox, payment, own).is_some() {
                continue;
            }
            let moved = moved_at_gateway(&self.sandbox, own);
            captured += if takes(own) { moved } else { 0 };
            captured -= if undoes(own) { moved } else { 0 };
            refunded += if is_refund(own) { moved } else { 0 };
            all_agree &= self.operation_agrees(payment, own, moved)? && !own.is_stuck();
        }
        let amounts = [self.sandbox.captured(id), self.sandbox.refunded(id), self.sandbox.held(id)];
        let amounts = amounts.map(|amount| amount.map_or(0, Money::minor));
        let ours = [captured.max(0), refunded];
        law("46", ours == amounts[..2], || {
            format!(
                "{id}, {status}: {amounts:?} are captured, refunded, held at the gateway; our operations add up to {ours:?}"
            )
        })?;
        let disputed =
            [Some(payment.disputed()).filter(|disputed| !disputed.is_zero()), self.sandbox.disputed(id)];
        law("46", disputed[0] == disputed[1], || {
            format!("{id}: {disputed:?} are disputed here and at the gateway")
        })?;
        let held = payment.held().minor();
        law("46", !all_agree || held == amounts[2], || {
            format!("{id}, {status}: {held} are held here, {} at the gateway", amounts[2])
        })
    }

    /// Whether an operation has moved here what it moved at its gateway, now and at each earlier time. An error if it has
    /// not, and no operator can see why.
    fn operation_agrees(&self, payment: &Payment, own: &Operation, at_gateway: i64) -> Result<bool, Broken> {
        // The gateway still reports an expired hold as a success.
        let is_expired = own.is_hold() && own.status() == OperationStatus::Reversed;
        let copies = payment.operations().iter();
        let copies = copies.filter(|other| requested_original(&self.sandbox, payment, other) == Some(own.id));
        let all: Vec<&Operation> = copies.chain([own]).collect();
        let here: i64 = all.iter().map(|own| own.moved().map_or(0, Money::minor)).sum();
        let evidence = self.sandbox.said(own.id);
        if here == at_gateway || is_expired {
            let is_reversed = own.status() == OperationStatus::Reversed;
            let is_amount_unknown = is_reversed && own.reviews().contains(&Review::AmountMismatch);
            // An operator may have guessed that an operation failed which the gateway has done and reversed.
            let was_reversed = evidence.as_ref().is_some_and(|evidence| is_reversal(&evidence.outcome));
            let is_guessed = was_reversed && !is_reversed && !own.is_hold();
            // A copy may have no parent, so it may not reduce the hold, or may not release the rest of it.
            let is_resolved = all.iter().all(|other| other.id == own.id || other.same_as().is_some());
            return Ok(!is_amount_unknown && !is_guessed && is_resolved);
        }
        let is_shown = all.iter().any(|own| own.is_stuck() || is_marked(payment, own));
        law("46", is_shown || self.watch.is_accepted(payment, &all, evidence.as_ref()), || {
            let (id, status) = (own.id, own.status());
            format!(
                "{id} of {} is {status}; it moved {here} here, {at_gateway} at the gateway, and nothing shows why",
                payment.id()
            )
        })?;
        Ok(false)
    }

    /// 47: the lists of an operator have exactly the payments that need attention.
    pub(super) async fn lists_are_complete(&self, payments: &[Payment]) -> Result<(), Broken> {
        for attention in [Attention::Review, Attention::Stuck] {
            let mut scopes: Vec<_> = payments.iter().map(Payment::scope).collect();
            scopes.sort();
            scopes.dedup();
            for scope in scopes {
                let mut filter = Filter::default();
                filter.attention = Some(attention);
                let listed = self.watch.store().list(scope, &Query::new(filter, usize::MAX)).await;
                let mut listed: Vec<_> =
                    listed.map_err(unreadable)?.payments.iter().map(|listed| listed.id()).collect();
                listed.sort();
                let waiting = payments.iter().filter(|own| own.scope() == scope && own.needs(attention));
                let mut waiting: Vec<_> = waiting.map(Payment::id).collect();
                waiting.sort();
                law("47", listed == waiting, || {
                    format!("{waiting:?} need {attention:?}, listed are {listed:?}")
                })?;
            }
        }
        Ok(())
    }
}

fn is_reversal(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Reversed { .. })
}

/// What an operation has moved, or holds, by its gateway's books.
pub(super) fn moved_at_gateway(sandbox: &Sandbox, operation: &Operation) -> i64 {
    match sandbox.said(operation.id) {
        Some(evidence) if evidence.is_success() => evidence.amount.unwrap_or(operation.amount).minor(),
        _ => 0,
    }
}

/// The requested operation of which `external` is a copy: the gateway has both under one id, and `external` was reported
/// without our id.
pub(super) fn requested_original(
    sandbox: &Sandbox,
    payment: &Payment,
    external: &Operation,
) -> Option<OperationId> {
    let id = external.gateway_operation_id().filter(|_| external.origin == Origin::External)?;
    let requested = payment.operations().iter().filter(|own| own.origin == Origin::Requested);
    let has_id = |own: &&Operation| {
        sandbox.said(own.id).is_some_and(|evidence| evidence.gateway_operation_id.as_ref() == Some(id))
    };
    requested.filter(has_id).map(|own| own.id).next()
}

//! Whether the books agree with the gateway's, in the end.
//!
//! An operation that was sent to its gateway has moved here what it moved there. Where it has not, somebody can see why:
//!
//! * it is [stuck](counterfoil::payment::Operation::is_stuck), and its payment is listed as such;
//! * a person said what became of it, and a review of that is open;
//! * or a person dismissed that review, and the gateway has told nothing of it since that nobody had said by then: then
//!   it is on record who took it upon himself. An end that is told for the first time after that makes the books agree,
//!   or opens a review again.
//!
//! What disputes have taken or may take of a payment is the same on both sides.
//!
//! What was reported without our id may stand beside the operation that it is: both together have moved what that moved.
//!
//! What a person wrote down as having happened elsewhere the gateway does not know, and nothing else may be missing
//! there, or more. Where each operation agrees, what is held does; but of what was captured and taken back again, the
//! gateway does not tell any more how much it had been, so that a person's word on that cannot be held against it.

use counterfoil::money::Money;
use counterfoil::payment::{Attention, Operation, OperationId, Origin, Outcome, Payment, Review};
use counterfoil::status::OperationStatus;
use counterfoil::store::{Filter, Query};
use counterfoil_sandbox::Sandbox;

use super::run::Run;
use super::said::is_marked;
use super::settle::unreadable;
use crate::laws::{Broken, is_refund, law, takes, undoes};

impl Run {
    /// 43, 46.
    pub(super) fn agrees(&self, payment: &Payment) -> Result<(), Broken> {
        let (id, status) = (payment.id(), payment.status());
        let (mut captured, mut refunded, mut all_agree) = (0, 0, true);
        for own in payment.operations().iter().filter(|own| own.gateway.is_some()) {
            if self.watch.is_by_hand(own.id) || requested(&self.sandbox, payment, own).is_some() {
                continue;
            }
            let there = moved_there(&self.sandbox, own);
            captured += if takes(own) { there } else { 0 };
            captured -= if undoes(own) { there } else { 0 };
            refunded += if is_refund(own) { there } else { 0 };
            all_agree &= self.is_as_there(payment, own, there)? && !own.is_stuck();
        }
        let amounts = [self.sandbox.captured(id), self.sandbox.refunded(id), self.sandbox.held(id)];
        let amounts = amounts.map(|amount| amount.map_or(0, Money::minor));
        let ours = [captured.max(0), refunded];
        law("46", ours == amounts[..2], || {
            format!(
                "{id}, {status}: {amounts:?} are captured, refunded, held there; what is known here makes {ours:?}"
            )
        })?;
        let disputed =
            [Some(payment.disputed()).filter(|disputed| !disputed.is_zero()), self.sandbox.disputed(id)];
        law("46", disputed[0] == disputed[1], || format!("{id}: {disputed:?} are disputed here, and there"))?;
        let held = payment.held().minor();
        law("46", !all_agree || held == amounts[2], || {
            format!("{id}, {status}: {held} are held here, {} there", amounts[2])
        })
    }

    /// Whether an operation has moved here what it moved there, and ever did; if it has not, somebody can see why.
    fn is_as_there(&self, payment: &Payment, own: &Operation, there: i64) -> Result<bool, Broken> {
        // A hold that ran out went well there: it only holds nothing any more.
        let ran_out = own.is_hold() && own.status() == OperationStatus::Reversed;
        let others = payment.operations().iter();
        let others = others.filter(|other| requested(&self.sandbox, payment, other) == Some(own.id));
        let all: Vec<&Operation> = others.chain([own]).collect();
        let here: i64 = all.iter().map(|own| own.moved().map_or(0, Money::minor)).sum();
        let said = self.sandbox.said(own.id);
        let undone_there = said.as_ref().is_some_and(|said| matches!(said.outcome, Outcome::Reversed { .. }));
        if here == there || ran_out {
            let undone = own.status() == OperationStatus::Reversed;
            let how_much_is_unknown = undone && own.reviews().contains(&Review::AmountMismatch);
            // A person may have guessed that nothing came of what was taken back there.
            let is_guessed = undone_there && !undone && !own.is_hold();
            // What stands beside it may not be known to be of its hold, or to release the rest of that.
            let stands_alone = all.iter().all(|other| other.id == own.id || other.same_as().is_some());
            return Ok(!how_much_is_unknown && !is_guessed && stands_alone);
        }
        let is_seen = |own: &&Operation| own.is_stuck() || is_marked(payment, own);
        let seen = all.iter().any(is_seen);
        law("46", seen || self.watch.is_taken_on(payment, &all, said.as_ref()), || {
            let (id, status) = (own.id, own.status());
            format!(
                "{id} of {} moved {here} here, {there} there, {status}, and nobody can see why",
                payment.id()
            )
        })?;
        Ok(false)
    }

    /// 47: what waits for a person is on the list that a person looks at.
    pub(super) async fn are_listed(&self, payments: &[Payment]) -> Result<(), Broken> {
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

/// What its gateway's books say that an operation has moved, or holds.
pub(super) fn moved_there(sandbox: &Sandbox, operation: &Operation) -> i64 {
    match sandbox.said(operation.id) {
        Some(said) if said.is_success() => said.amount.unwrap_or(operation.amount).minor(),
        _ => 0,
    }
}

/// The operation that was requested here and that another one of its payment is: what was reported without our id has its
/// name.
pub(super) fn requested(sandbox: &Sandbox, payment: &Payment, other: &Operation) -> Option<OperationId> {
    let name = other.gateway_operation_id().filter(|_| other.origin == Origin::External)?;
    let requested = payment.operations().iter().filter(|own| own.origin == Origin::Requested);
    let is_it = |own: &&Operation| {
        sandbox.said(own.id).is_some_and(|said| said.gateway_operation_id.as_ref() == Some(name))
    };
    requested.filter(is_it).map(|own| own.id).next()
}

//! An attempt that a gateway tells of, of a payment that was made there.

use std::sync::Arc;

use super::Command;
use super::change::{Change, Entry, Recorder};
use super::record::{holder, operation_fingerprint};
use super::rejection::Rejection;
use super::report::{Word, excess};
use super::view::{Halt, View};
use crate::account::{AccountId, Posting};
use crate::claim::{ClaimKey, ClaimKind};
use crate::destinations::Known;
use crate::event::{Body, Misfit, Start, StartResult};
use crate::id::{AttemptId, PaymentId};
use crate::payment::{Closed, Evidence, Operation, OperationId, Outcome, Payment, Turn};
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
    /// Who says so.
    pub gateway: GatewayName,
    /// Of which of its payments. If that is not this one's name any more, it is no news of it.
    pub gateway_payment_id: GatewayPaymentId,
    /// What is said.
    pub evidence: Evidence,
}

impl Discover {
    pub(super) fn decide(&self, command: &Command, view: &View<'_>) -> Result<Change, Halt> {
        let payment = view.payment(self.payment)?;
        // Of a payment that was not made at a gateway, no gateway has anything to tell but about its operations.
        let unknown = || Rejection::OperationNotFound(self.attempt.into());
        let made_there = payment.gateway_payment_id().ok_or_else(unknown)?;
        let is_meant = made_there == &self.gateway_payment_id;
        if !is_meant || payment.operation(self.attempt.into()).is_some() {
            return Err(Halt::unchanged(payment));
        }
        if !self.is_end(payment) {
            let kept = misfit(
                payment,
                &self.gateway,
                self.attempt.into(),
                &self.evidence,
                self.gateway_payment_id.as_str(),
            );
            let entry = kept.ok_or_else(|| Halt::unchanged(payment))?;
            return Recorder::one(command, view, payment, entry);
        }
        let id = self.gateway_operation_id();
        let evidence = self.evidence.clone().with_gateway_operation_id(id.clone());
        let key =
            ClaimKey::gateway_operation(view.scope, Some(&self.gateway), ClaimKind::GatewayAttempt, &id);
        let known = match view.claim(&key)? {
            Some(claim) => {
                let taken = || Rejection::GatewayIdTaken(claim.stream.clone());
                Some(holder(payment, claim).ok_or_else(taken)?)
            }
            None => self.nameless(payment),
        };
        let known = match known {
            Some(known) => Some((known, &evidence)),
            None => self.only(payment).map(|only| (only, &self.evidence)),
        };
        if let Some((operation, evidence)) = known {
            let entry = word(view, payment, operation, evidence)?;
            return Recorder::one(command, view, payment, entry);
        }
        let taking = (key, operation_fingerprint(self.attempt.into()));
        let entry = self.entry(view, payment, &evidence)?.claiming([taking]);
        Recorder::one(command, view, payment, entry)
    }

    /// The money came, or it never will.
    fn is_end(&self, payment: &Payment) -> bool {
        match self.evidence.outcome {
            Outcome::Succeeded { .. } => {
                !Operation::moved_by(payment.terms().amount, &self.evidence).is_zero()
            }
            Outcome::Failed(_) => true,
            _ => false,
        }
    }

    /// The attempt that somebody wrote down meanwhile, not knowing what the gateway calls it.
    fn nameless<'a>(&self, payment: &'a Payment) -> Option<&'a Operation> {
        let nameless = |known: &&Operation| known.moved().is_some() && known.gateway_operation_id().is_none();
        self.theirs(payment).find(nameless)
    }

    /// Where no name is given: the one attempt that the gateway, or somebody, told of under a name.
    fn only<'a>(&self, payment: &'a Payment) -> Option<&'a Operation> {
        let mut theirs = self.theirs(payment);
        let only = theirs.next().filter(|_| theirs.next().is_none());
        only.filter(|only| self.evidence.gateway_operation_id.is_none() && !only.is_ours())
    }

    fn theirs<'a>(&self, payment: &'a Payment) -> impl Iterator<Item = &'a Operation> {
        payment.attempts().filter(|attempt| attempt.gateway.as_ref() == Some(&self.gateway))
    }

    /// The gateway's id of the attempt; where it gives none, that of the payment stands for its one attempt.
    fn gateway_operation_id(&self) -> GatewayOperationId {
        let given = self.evidence.gateway_operation_id.clone();
        given.unwrap_or_else(|| self.gateway_payment_id.clone().into())
    }

    fn entry(&self, view: &View<'_>, payment: &Payment, evidence: &Evidence) -> Result<Entry, Halt> {
        let terms = payment.terms();
        let refused = matches!(evidence.outcome, Outcome::Failed(_));
        let moved = Operation::moved_by(terms.amount, evidence);
        let paid = Some(moved).filter(|moved| !moved.is_zero());
        let result = StartResult::Recorded(evidence.clone());
        let start = Start {
            gateway: Some(self.gateway.clone()),
            instrument: payment.instrument().cloned(),
            closes: (refused && payment.closed.is_none()).then_some(Closed::Failed),
            excess: if paid.is_some() { excess(view, payment, &Known::Unasked, None, paid)? } else { None },
            ..Start::new(OperationId::Attempt(self.attempt), terms.amount, result)
        };
        let to = AccountId::destination(&terms.destination);
        let postings = Posting::transfer(moved, AccountId::gateway(&self.gateway), to);
        Ok(Entry::new(Cause::Evidence, Body::Started(start)).posting(postings))
    }
}

/// The event of what is said of an attempt that is known. Money that came is no hold, but it may be what was captured
/// of one, and then it is no news.
fn word(
    view: &View<'_>,
    payment: &Arc<Payment>,
    operation: &Operation,
    evidence: &Evidence,
) -> Result<Entry, Halt> {
    let brought = matches!(evidence.outcome, Outcome::Succeeded { .. });
    let was_held = brought && operation.holds && !operation.is_ours();
    if was_held && payment.is_captured_of(operation) {
        return Err(Halt::unchanged(payment));
    }
    let turns = was_held.then_some(Turn::Charge);
    let word = Word { turns, ..Word::of_gateway(payment, operation, evidence) };
    word.entry(view)?.ok_or_else(|| Halt::unchanged(payment))
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
    let succeeded = matches!(evidence.outcome, Outcome::Succeeded { .. });
    let is_new = !payment.misfits.contains(&(misfit.review(payment.terms().amount), name));
    (succeeded && is_new).then(|| Entry::new(Cause::Evidence, Body::Misfit(misfit)))
}

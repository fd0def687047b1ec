//! An operator decides what is unknown, contradicted or listed for review.

use std::sync::Arc;

use super::Command;
use super::change::{Change, Entry, Recorder};
use super::record::failure;
use super::rejection::Rejection;
use super::view::{Halt, View};
use crate::claim::{ClaimKey, Fingerprint};
use crate::clock::Timestamp;
use crate::event::{Body, Decision, Dismissed, Resolved};
use crate::id::{AttemptId, PaymentId, UpdateId};
use crate::money::Money;
use crate::payment::{Closed, Operation, OperationId, Payment};
use crate::status::Cause;
use crate::text::Message;

/// An operator's decision about an operation, or about what is listed for review. It overrides the facts that are known
/// when it is made; a fact that is reported for the first time afterwards counts against it, by precedence. A later
/// decision replaces it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolve {
    /// The id it gets.
    pub update: UpdateId,
    /// Which payment.
    pub payment: PaymentId,
    /// Which operation; `None`: the one whose outcome is open.
    pub operation: Option<OperationId>,
    /// What the operator decides.
    pub resolution: Resolution,
    /// Why.
    pub note: Message,
}

/// What an operator decides about an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Resolution {
    /// The money moved.
    Succeeded {
        /// How much; `None`: what was asked for.
        amount: Option<Money>,
    },
    /// It did not.
    Failed,
    /// It never reached the gateway.
    NotSent,
    /// It moved, and a bank took it back.
    Returned {
        /// How much of it; `None`: all.
        amount: Option<Money>,
    },
    /// An external capture or refund is of this attempt.
    Allocated {
        /// Which one.
        attempt: AttemptId,
    },
    /// An external capture or refund is this operation, which was requested here and has no name yet.
    SameAs {
        /// Which one.
        operation: OperationId,
    },
    /// An external capture or refund is none of those that were requested here.
    Another,
    /// Nothing is to be done about what is listed for review.
    Dismissed,
}

impl Resolve {
    pub(super) fn decide(&self, command: &Command, view: &View<'_>) -> Result<Change, Halt> {
        let own = (ClaimKey::update(view.scope, self.update), Fingerprint::default());
        view.unless_repeated(Some(&own), [view.payment_key(self.payment)])?;
        let payment = view.payment(self.payment)?;
        let entry = match self.decision(payment)? {
            None => self.dismissed(payment)?,
            Some(decision) => {
                let operation = self.operation(payment)?;
                if let Some(until) = operation.runs_until().filter(|until| *until > command.at) {
                    return Err(Rejection::InFlight { payment: payment.id(), until }.into());
                }
                Self::check(payment, operation, &decision)?;
                let mut after = operation.clone();
                after.apply_decision(&decision, &self.note, command.at);
                if after == *operation {
                    return Err(Halt::unchanged(payment));
                }
                resolved(payment, operation, decision, command.at, self.note.clone())
            }
        };
        Recorder::one(command, view, payment, entry.claiming([own]))
    }

    /// `None`: nothing is decided about any operation.
    fn decision(&self, payment: &Payment) -> Result<Option<Decision>, Rejection> {
        let checked = |amount: Option<Money>| {
            let Some(given) = amount else { return Ok(None) };
            if given.is_zero() {
                return Err(Rejection::AmountNotPositive);
            }
            // Another currency than the payment's is refused here.
            Money::zero(payment.terms().amount.currency()).checked_add(given)?;
            Ok(amount)
        };
        Ok(Some(match self.resolution {
            Resolution::Succeeded { amount } => Decision::Succeeded { amount: checked(amount)? },
            Resolution::Failed => Decision::Failed { failure: failure(Some(self.note.clone())) },
            Resolution::NotSent => Decision::NotSent {},
            Resolution::Returned { amount } => Decision::Returned { amount: checked(amount)? },
            Resolution::Allocated { attempt } => Decision::Allocated { of: attempt },
            Resolution::SameAs { operation } => Decision::SameAs { operation },
            Resolution::Another => Decision::Another {},
            Resolution::Dismissed => return Ok(None),
        }))
    }

    /// The operation that is meant: without an id there must be only one.
    fn operation<'a>(&self, payment: &'a Arc<Payment>) -> Result<&'a Operation, Rejection> {
        let at_gateway = |operation: &&Operation| operation.gateway.is_some();
        if let Some(id) = self.operation {
            let named = payment.operation(id).filter(at_gateway).ok_or(Rejection::OperationNotFound(id))?;
            // What a gateway settled, and nothing contradicts, stays so.
            let may_be = payment.may_be_resolved(named);
            return Some(named)
                .filter(|_| may_be)
                .ok_or(Rejection::NothingToResolve { payment: payment.id() });
        }
        let mut open = payment.operations().iter().filter(at_gateway);
        let mut open = open.by_ref().filter(|operation| operation.status().is_live());
        match (open.next(), open.next()) {
            (Some(one), None) => Ok(one),
            (Some(_), Some(_)) => Err(Rejection::SeveralOpen { payment: payment.id() }),
            (None, _) if payment.reviews().is_empty() => {
                Err(Rejection::NothingToResolve { payment: payment.id() })
            }
            (None, _) => Err(Rejection::NoneOpen { payment: payment.id() }),
        }
    }

    /// What the decision names must be there, and fit.
    fn check(payment: &Payment, operation: &Operation, decision: &Decision) -> Result<(), Rejection> {
        let nothing = || Rejection::NothingToResolve { payment: payment.id() };
        let is_allocatable = operation.is_external_capture_or_refund();
        let fits = match decision {
            Decision::Allocated { of } => {
                let attempt = payment.operation((*of).into());
                let attempt = attempt.ok_or(Rejection::OperationNotFound((*of).into()))?;
                is_allocatable && attempt.gateway == operation.gateway
            }
            Decision::SameAs { operation: same } => {
                payment.operation(*same).ok_or(Rejection::OperationNotFound(*same))?;
                is_allocatable && payment.requested_twins(operation).any(|twin| twin.id == *same)
            }
            Decision::Another {} => is_allocatable,
            Decision::Returned { .. } => operation.is_inflow(),
            _ => true,
        };
        if fits { Ok(()) } else { Err(nothing()) }
    }

    fn dismissed(&self, payment: &Payment) -> Result<Entry, Rejection> {
        let reviews: Vec<_> = payment.reviews().into_iter().collect();
        if reviews.is_empty() {
            return Err(Rejection::NothingToResolve { payment: payment.id() });
        }
        let dismissed = Dismissed { reviews, note: self.note.clone() };
        Ok(Entry::new(Cause::Resolution, Body::Dismissed(dismissed)))
    }
}

/// The event of an operator's decision about `operation`. A decision about an attempt decides how its payment ended, too.
pub(super) fn resolved(
    payment: &Payment,
    operation: &Operation,
    decision: Decision,
    occurred_at: Timestamp,
    note: Message,
) -> Entry {
    let is_declined = matches!(decision, Decision::Failed { .. });
    let ends = is_declined && operation.id.is_attempt() && operation.kind.retry().is_none();
    let closes = Some(Closed::Failed).filter(|closes| ends && payment.closed != Some(*closes));
    let resolved = Resolved { operation: operation.id, decision, occurred_at, note, closes, excess: None };
    Entry::new(Cause::Resolution, Body::Resolved(resolved))
}

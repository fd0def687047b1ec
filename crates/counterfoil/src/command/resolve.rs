//! An operator decides what is unknown, contradicted or listed for review.

use std::sync::Arc;

use super::Command;
use super::change::{Change, Entry, Recorder};
use super::record::failure;
use super::rejection::Rejection;
use super::view::{Halt, View};
use crate::claim::{ClaimKey, Fingerprint};
use crate::clock::Timestamp;
use crate::event::{Body, Decision, Dismissed, DisputeDecision, DisputeResolved, Resolved};
use crate::id::{AttemptId, DisputeId, PaymentId, UpdateId};
use crate::money::Money;
use crate::payment::{Closed, Dispute, Operation, OperationId, Payment};
use crate::status::Cause;
use crate::text::Message;

/// An operator's decision about an operation or a dispute, or about what is listed for review. It overrides the facts
/// that are known when it is made; a fact that is reported for the first time afterwards counts against it, by
/// precedence. A later decision replaces it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolve {
    /// The id it gets.
    pub update: UpdateId,
    /// The payment that the decision is about.
    pub payment: PaymentId,
    /// Which operation; `None`: the one whose outcome is open. It means nothing where a dispute is resolved, or what is
    /// listed for review is dismissed.
    pub operation: Option<OperationId>,
    /// What the operator decides.
    pub resolution: Resolution,
    /// The operator's reason for the decision.
    pub note: Message,
}

/// What an operator decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Resolution {
    /// The operation succeeded: the money moved.
    Succeeded {
        /// How much; `None`: what was asked for.
        amount: Option<Money>,
    },
    /// The operation failed: no money moved.
    Failed,
    /// It never reached the gateway.
    NotSent,
    /// It moved, and a bank took it back.
    Returned {
        /// How much of it; `None`: all.
        amount: Option<Money>,
    },
    /// An external capture, refund or void is of this attempt.
    Allocated {
        /// The attempt that it is allocated to.
        attempt: AttemptId,
    },
    /// An external capture or refund is this operation, which was requested here and has no name yet.
    SameAs {
        /// The requested operation that it is.
        operation: OperationId,
    },
    /// An external capture or refund is none of those that were requested here.
    Another,
    /// The host keeps the money of a dispute.
    Won {
        /// The dispute that was won.
        dispute: DisputeId,
    },
    /// The payer keeps it.
    Lost {
        /// The dispute that was lost.
        dispute: DisputeId,
        /// How much of it; `None`: what is disputed, or what was withdrawn for it, whichever is more.
        amount: Option<Money>,
    },
    /// Nothing is to be done about what is listed for review.
    Dismissed,
}

impl Resolve {
    pub(super) fn decide(&self, command: &Command, view: &View<'_>) -> Result<Change, Halt> {
        let own = (ClaimKey::update(view.scope, self.update), Fingerprint::default());
        view.unless_repeated(Some(&own), [view.payment_key(self.payment)])?;
        let payment = view.payment(self.payment)?;
        let write = |entry: Entry| Recorder::one(command, view, payment, entry.claiming([own]));
        let decision = match self.resolution {
            Resolution::Succeeded { amount } => Decision::Succeeded { amount: checked(payment, amount)? },
            Resolution::Failed => Decision::Failed { failure: failure(Some(self.note.clone())) },
            Resolution::NotSent => Decision::NotSent {},
            Resolution::Returned { amount } => Decision::Returned { amount: checked(payment, amount)? },
            Resolution::Allocated { attempt } => Decision::Allocated { of: attempt },
            Resolution::SameAs { operation } => Decision::SameAs { operation },
            Resolution::Another => Decision::Another {},
            Resolution::Won { dispute } => return write(self.won(command, payment, dispute)?),
            Resolution::Lost { dispute, amount } => {
                return write(self.lost(command, payment, dispute, amount)?);
            }
            Resolution::Dismissed => return write(self.dismissed(payment)?),
        };
        write(self.decided(command, payment, decision)?)
    }

    fn decided(&self, command: &Command, payment: &Arc<Payment>, decision: Decision) -> Result<Entry, Halt> {
        let operation = self.operation(payment)?;
        require_arrived(payment, operation, command.at)?;
        let resolved = resolved(payment, operation, decision, command.at, self.note.clone());
        let mut after = operation.clone();
        after.apply_decision(&resolved);
        if after == *operation {
            return Err(Halt::unchanged(payment));
        }
        Self::check(payment, operation, &resolved.decision, command.at)?;
        Ok(resolved.entry())
    }

    /// The operation that is meant: without an id there must be only one.
    fn operation<'a>(&self, payment: &'a Arc<Payment>) -> Result<&'a Operation, Rejection> {
        let may_be = |operation: &&Operation| operation.is_for_operators(payment.terms().method.kind());
        if let Some(id) = self.operation {
            let named = payment.operation(id).filter(may_be).ok_or(Rejection::OperationNotFound(id))?;
            if named.is_queued() {
                return Err(Rejection::Queued { payment: payment.id(), operation: id });
            }
            let settled = Rejection::Settled { payment: payment.id() };
            return if payment.may_be_resolved(named) { Ok(named) } else { Err(settled) };
        }
        let open = payment.operations().iter().filter(may_be);
        let mut open = open.filter(|operation| operation.status().is_under_way());
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
    fn check(
        payment: &Payment,
        operation: &Operation,
        decision: &Decision,
        now: Timestamp,
    ) -> Result<(), Rejection> {
        let may_be_same = operation.is_external_capture_or_refund();
        let fits = match decision {
            Decision::Allocated { of } => {
                let attempt = payment.operation((*of).into());
                let attempt = attempt.ok_or(Rejection::OperationNotFound((*of).into()))?;
                operation.is_allocatable() && attempt.gateway == operation.gateway
            }
            Decision::SameAs { operation: id } => {
                let same = payment.operation(*id).ok_or(Rejection::OperationNotFound(*id))?;
                require_arrived(payment, same, now)?;
                may_be_same && payment.requested_twins(operation).any(|twin| twin.id == *id)
            }
            Decision::Another {} => may_be_same,
            Decision::Returned { .. } => operation.is_inflow(),
            _ => true,
        };
        let unfit = || Rejection::Unfit { payment: payment.id(), resolution: decision.as_str() };
        if fits { Ok(()) } else { Err(unfit()) }
    }

    fn won(&self, command: &Command, payment: &Arc<Payment>, dispute: DisputeId) -> Result<Entry, Halt> {
        let dispute = find_dispute(payment, dispute)?;
        self.dispute_decided(command, payment, dispute, DisputeDecision::Won {})
    }

    fn lost(
        &self,
        command: &Command,
        payment: &Arc<Payment>,
        dispute: DisputeId,
        amount: Option<Money>,
    ) -> Result<Entry, Halt> {
        let amount = checked(payment, amount)?;
        let dispute = find_dispute(payment, dispute)?;
        let amount = amount.unwrap_or_else(|| dispute.all());
        self.dispute_decided(command, payment, dispute, DisputeDecision::Lost { amount })
    }

    fn dispute_decided(
        &self,
        command: &Command,
        payment: &Arc<Payment>,
        dispute: &Dispute,
        decision: DisputeDecision,
    ) -> Result<Entry, Halt> {
        if !payment.dispute_may_be_resolved(dispute) {
            return Err(Rejection::Settled { payment: payment.id() }.into());
        }
        if dispute.is_settled_as(decision) {
            return Err(Halt::unchanged(payment));
        }
        let (dispute, occurred_at, note) = (dispute.id, command.at, self.note.clone());
        let resolved = DisputeResolved { dispute, decision, occurred_at, note };
        Ok(Entry::new(Cause::Resolution, Body::DisputeResolved(resolved)))
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

/// An amount that an operator gives: more than nothing, in the currency of `payment`.
fn checked(payment: &Payment, amount: Option<Money>) -> Result<Option<Money>, Rejection> {
    let Some(given) = amount else { return Ok(None) };
    if given.is_zero() {
        return Err(Rejection::AmountNotPositive);
    }
    Money::zero(payment.terms().amount.currency()).checked_add(given)?;
    Ok(amount)
}

/// Rejects a decision while a caller may still be sending the operation to its gateway.
fn require_arrived(payment: &Payment, operation: &Operation, now: Timestamp) -> Result<(), Rejection> {
    match operation.runs_until().filter(|until| *until > now) {
        Some(until) => Err(Rejection::InFlight { payment: payment.id(), until }),
        None => Ok(()),
    }
}

fn find_dispute(payment: &Payment, id: DisputeId) -> Result<&Dispute, Rejection> {
    let found = payment.disputes().iter().find(|dispute| dispute.id == id);
    found.ok_or(Rejection::DisputeNotFound(id))
}

/// What an operator decides about `operation`. A decision about an attempt decides whether it ends its payment, too.
pub(super) fn resolved(
    payment: &Payment,
    operation: &Operation,
    decision: Decision,
    occurred_at: Timestamp,
    note: Message,
) -> Resolved {
    let is_declined = matches!(decision, Decision::Failed { .. });
    let closes = (is_declined && payment.ends_with(operation)).then_some(Closed::Failed);
    Resolved { operation: operation.id, decision, occurred_at, note, closes, excess: None }
}

impl Resolved {
    pub(super) fn entry(self) -> Entry {
        Entry::new(Cause::Resolution, Body::Resolved(self))
    }
}

//! A person settles what is unknown or marked for review.

use std::sync::Arc;

use super::Command;
use super::change::{Change, Entry, Recorder};
use super::record::failure;
use super::rejection::Rejection;
use super::report::Word;
use super::view::{Halt, View};
use crate::claim::{ClaimKey, Fingerprint};
use crate::event::{Body, Dismissed};
use crate::id::{PaymentId, UpdateId};
use crate::money::Money;
use crate::payment::{Evidence, Operation, OperationId, Outcome, Payment};
use crate::status::Cause;
use crate::text::Message;

/// A person's word on what became of an operation, or on what was marked for review. It counts as a gateway's would,
/// and is marked, with a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolve {
    /// The id it gets.
    pub update: UpdateId,
    /// Which payment.
    pub payment: PaymentId,
    /// Which operation; `None`: the one whose outcome is open.
    pub operation: Option<OperationId>,
    /// What the person says.
    pub resolution: Resolution,
    /// Why.
    pub note: Message,
}

/// What a person says became of an operation.
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
    /// Nothing is to be done about what was marked for review.
    Dismissed,
}

impl Resolve {
    pub(super) fn decide(&self, command: &Command, view: &View<'_>) -> Result<Change, Halt> {
        let own = (ClaimKey::update(view.scope, self.update), Fingerprint::default());
        view.unless_repeated(Some(&own), [view.payment_key(self.payment)])?;
        let payment = view.payment(self.payment)?;
        let Some(outcome) = self.outcome(payment)? else {
            return Recorder::one(command, view, payment, self.dismissed(payment)?.claiming([own]));
        };
        let operation = self.operation(payment)?;
        if let Some(until) = operation.runs_until().filter(|until| *until > command.at) {
            return Err(Rejection::InFlight { payment: payment.id(), until }.into());
        }
        let evidence = Evidence::new(outcome, command.at);
        let word = Word::of_person(payment, operation, &evidence, self.note.clone());
        let entry = word.entry(view)?.ok_or_else(|| Halt::unchanged(payment))?;
        Recorder::one(command, view, payment, entry.claiming([own]))
    }

    /// `None`: nothing is said of any operation.
    fn outcome(&self, payment: &Payment) -> Result<Option<Outcome>, Rejection> {
        Ok(Some(match self.resolution {
            Resolution::Succeeded { amount } => {
                if let Some(amount) = amount {
                    if amount.is_zero() {
                        return Err(Rejection::AmountNotPositive);
                    }
                    // Another currency than the payment's is refused here.
                    Money::zero(payment.terms().amount.currency()).checked_add(amount)?;
                }
                Outcome::Succeeded { reported: amount }
            }
            Resolution::Failed => Outcome::Failed(failure(Some(self.note.clone()))),
            Resolution::NotSent => Outcome::NotSent { error_message: self.note.clone() },
            Resolution::Dismissed => return Ok(None),
        }))
    }

    /// The one that is meant: without a name there must be no doubt.
    fn operation<'a>(&self, payment: &'a Arc<Payment>) -> Result<&'a Operation, Rejection> {
        let at_gateway = |operation: &&Operation| operation.gateway.is_some();
        if let Some(id) = self.operation {
            let named = payment.operation(id).filter(at_gateway).ok_or(Rejection::OperationNotFound(id))?;
            // What is settled stays so, unless something about the payment is marked.
            let open = named.status().is_live() || !payment.reviews().is_empty();
            return Some(named).filter(|_| open).ok_or(Rejection::NothingToResolve { payment: payment.id() });
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

    fn dismissed(&self, payment: &Payment) -> Result<Entry, Rejection> {
        let reviews: Vec<_> = payment.reviews().into_iter().collect();
        if reviews.is_empty() {
            return Err(Rejection::NothingToResolve { payment: payment.id() });
        }
        let dismissed = Dismissed { reviews, note: self.note.clone() };
        Ok(Entry::new(Cause::Evidence, Body::Dismissed(dismissed)))
    }
}

//! A payment: its [`Terms`], which never change, and a small hot part, which follows from its events.

mod evidence;
mod method;
mod moves;
mod operation;
mod reports;
mod row;
mod terms;

use std::collections::BTreeSet;
use std::sync::Arc;

pub use evidence::{Evidence, Failure, FailureClass, Outcome};
pub use method::{Destination, DestinationType, InvalidPaymentMethod, PaymentMethod, PaymentMethodType};
pub use moves::IllegalMove;
pub(crate) use moves::check_moves;
pub use operation::{Operation, OperationId};
pub(crate) use reports::Reports;
pub use reports::Review;
pub use terms::Terms;

use crate::clock::Timestamp;
use crate::hash::Hash;
use crate::id::PaymentId;
use crate::money::Money;
use crate::scope::Scope;
use crate::status::{OperationStatus, PaymentStatus};
use crate::text::{Actor, Message};
use crate::word::words;

words! {
    /// How a payment was ended, where no money decides it.
    Closed, "closing" {
        /// Without money, by a refusal.
        Failed = 1, "failed";
        /// Cancelled.
        Voided = 2, "voided";
        /// Its time ran out.
        Expired = 3, "expired";
    }
}

/// A payment as it stood after its last event.
///
/// It is a cache: folding the events of its stream gives exactly this. It is read, shared and compared;
/// it changes only by executing a [`Command`](crate::command::Command).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    pub(crate) terms: Arc<Terms>,
    pub(crate) version: u64,
    pub(crate) head: Hash,
    pub(crate) status: PaymentStatus,
    pub(crate) submitted: bool,
    pub(crate) closed: Option<Closed>,
    pub(crate) archived_at: Option<Timestamp>,
    pub(crate) succeeded_at: Option<Timestamp>,
    pub(crate) failed_at: Option<Timestamp>,
    pub(crate) updated_at: Timestamp,
    pub(crate) updated_by: Actor,
    pub(crate) operations: Vec<Operation>,
}

impl Payment {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> PaymentId {
        self.terms.id
    }

    /// Whose it is.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.terms.scope
    }

    /// What it is about.
    #[must_use]
    pub fn terms(&self) -> &Arc<Terms> {
        &self.terms
    }

    /// Where it stands.
    #[must_use]
    pub fn status(&self) -> PaymentStatus {
        self.status
    }

    /// The sequence of its last event: rises by one with every event.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The hash of its last event.
    #[must_use]
    pub fn head(&self) -> Hash {
        self.head
    }

    /// Whether it was accepted, not only recorded.
    #[must_use]
    pub fn is_submitted(&self) -> bool {
        self.submitted
    }

    /// How it was ended, if it was. Money that arrives later counts all the same.
    #[must_use]
    pub fn closed(&self) -> Option<Closed> {
        self.closed
    }

    /// Its operations in the order they were started.
    #[must_use]
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// Its charge and authorization attempts, numbered from 1 without a gap.
    pub fn attempts(&self) -> impl Iterator<Item = &Operation> {
        self.operations.iter().filter(|operation| matches!(operation.id, OperationId::Attempt(_)))
    }

    /// The operation with this id.
    #[must_use]
    pub fn operation(&self, id: OperationId) -> Option<&Operation> {
        self.operations.iter().find(|operation| operation.id == id)
    }

    /// The attempt that may still move money.
    #[must_use]
    pub fn live_attempt(&self) -> Option<&Operation> {
        self.attempts().find(|attempt| attempt.status().is_live())
    }

    /// The money that was taken; at most what [`Money`] can say, which only several successes of one payment
    /// can reach, and those are flagged.
    #[must_use]
    pub fn captured(&self) -> Money {
        let zero = Money::zero(self.terms.amount.currency());
        let minor =
            self.attempts().filter_map(Operation::moved).map(Money::minor).fold(0, i64::saturating_add);
        Money::from_minor(minor.min(Money::MAX_MINOR), zero.currency()).unwrap_or(zero)
    }

    /// Why it did not go well, while that is how its last attempt stands.
    #[must_use]
    pub fn error_message(&self) -> Option<&Message> {
        self.attempts().last().and_then(Operation::error_message)
    }

    /// Why a person should look at it; empty when nobody need.
    #[must_use]
    pub fn reviews(&self) -> BTreeSet<Review> {
        self.operations.iter().flat_map(Operation::reviews).collect()
    }

    /// When it first succeeded.
    #[must_use]
    pub fn succeeded_at(&self) -> Option<Timestamp> {
        self.succeeded_at
    }

    /// When it first failed.
    #[must_use]
    pub fn failed_at(&self) -> Option<Timestamp> {
        self.failed_at
    }

    /// When it was archived: hidden from lists, closed for commands, still there.
    #[must_use]
    pub fn archived_at(&self) -> Option<Timestamp> {
        self.archived_at
    }

    /// The time of its last event.
    #[must_use]
    pub fn updated_at(&self) -> Timestamp {
        self.updated_at
    }

    /// Who caused its last event.
    #[must_use]
    pub fn updated_by(&self) -> &Actor {
        &self.updated_by
    }

    /// The status that follows from the facts. Money first, then what is on its way, then how it was ended.
    #[must_use]
    pub fn derive(&self) -> PaymentStatus {
        let captured = self.captured();
        if !captured.is_zero() {
            if captured.minor() > self.terms.amount.minor() {
                PaymentStatus::Overpaid
            } else {
                PaymentStatus::Succeeded
            }
        } else if let Some(live) = self.live_attempt() {
            if live.status() == OperationStatus::RequiresAction {
                PaymentStatus::RequiresAction
            } else {
                PaymentStatus::Processing
            }
        } else {
            match self.closed {
                Some(Closed::Failed) => PaymentStatus::Failed,
                Some(Closed::Voided | Closed::Expired) => PaymentStatus::Voided,
                None if self.submitted => PaymentStatus::Pending,
                None => PaymentStatus::Initiated,
            }
        }
    }
}

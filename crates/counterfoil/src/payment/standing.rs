//! What follows from a payment's facts: its status, and whether a person should look at it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Closed, Operation, OperationId, Payment, Review};
use crate::id::DisputeId;
use crate::status::{OperationStatus, PaymentStatus};
use crate::word::words;

words! {
    /// Why a payment waits for a person.
    Attention, "attention" {
        /// Something was reported that does not fit; [`reviews`](Payment::reviews) lists the reasons.
        Review = 1, "review";
        /// The outcome of an operation is unknown, and its gateway is not queried any more.
        Stuck = 2, "stuck";
    }
}

/// What of a payment is marked for review.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Marked {
    Payment,
    Operation(OperationId),
    /// It is not known what it is of.
    Unallocated(OperationId),
    /// An external charge that brought money beside a charge that was requested here.
    Beside(OperationId),
    Dispute(DisputeId),
    /// The unmatched funds at this index of those that were reported for the payment.
    Misfit(usize),
}

impl Marked {
    /// Whether it is about this operation, or about the payment as a whole.
    pub(crate) fn is_about(self, id: OperationId) -> bool {
        match self {
            Marked::Operation(marked) | Marked::Unallocated(marked) | Marked::Beside(marked) => marked == id,
            Marked::Payment => true,
            Marked::Dispute(_) | Marked::Misfit(_) => false,
        }
    }
}

impl Payment {
    /// The status that follows from the facts. Money first, then what is held, then what is on its way, then how
    /// it was ended.
    #[must_use]
    pub fn derive(&self) -> PaymentStatus {
        let (captured, refunded) = (self.captured_minor(), self.refunded_minor());
        let holds = !self.held().is_zero();
        if captured > 0 && refunded >= captured {
            PaymentStatus::Refunded
        } else if captured > 0 && refunded > 0 {
            PaymentStatus::PartiallyRefunded
        } else if captured > 0 && holds {
            PaymentStatus::PartiallyCaptured
        } else if captured > 0 && (captured > self.terms.amount.minor() || self.excess.is_some()) {
            PaymentStatus::Overpaid
        } else if captured > 0 {
            PaymentStatus::Succeeded
        } else if holds {
            PaymentStatus::Authorized
        } else if let Some(live) = self.live_attempt() {
            match live.status() {
                OperationStatus::RequiresAction => PaymentStatus::RequiresAction,
                _ => PaymentStatus::Processing,
            }
        } else {
            self.derive_end()
        }
    }

    /// No money, no hold, nothing on its way.
    fn derive_end(&self) -> PaymentStatus {
        let released = self.operations.iter().any(Operation::is_release);
        if released || (self.ever_held() > 0 && !self.is_returned()) {
            // There was a hold, and it was let go, not lost.
            return PaymentStatus::Voided;
        }
        match self.closed() {
            Some(Closed::Failed) => PaymentStatus::Failed,
            Some(Closed::Voided | Closed::Expired) => PaymentStatus::Voided,
            None if self.submitted => PaymentStatus::Pending,
            None => PaymentStatus::Initiated,
        }
    }

    /// Why the payment needs a review, without the reasons that an operator has
    /// [dismissed](crate::ledger::Ledger::resolve). Empty if it needs none.
    #[must_use]
    pub fn reviews(&self) -> BTreeSet<Review> {
        let mut reviews = self.all_reviews();
        reviews.retain(|review| !self.dismissed.contains(review));
        reviews
    }

    pub(crate) fn all_reviews(&self) -> BTreeSet<Review> {
        self.marks().into_keys().map(|(_, review)| review).collect()
    }

    /// What needs a review, and why; with a level that rises with every report, or with the amount. A dismissal covers a
    /// review up to the level at which it was dismissed.
    pub(crate) fn marks(&self) -> BTreeMap<(Marked, Review), i64> {
        let mut marks = BTreeMap::new();
        for operation in &self.operations {
            let (mark, level) = (Marked::Operation(operation.id), operation.updated_at.unix_micros());
            marks.extend(operation.reviews().into_iter().map(|review| ((mark, review), level)));
        }
        for operation in self.operations.iter().filter(|operation| operation.is_unallocated()) {
            marks.insert((Marked::Unallocated(operation.id), Review::Unallocated), 0);
        }
        for found in self.beside_requested() {
            marks.insert((Marked::Beside(found), Review::Contradiction), 0);
        }
        for dispute in &self.disputes {
            let (mark, level) = (Marked::Dispute(dispute.id), dispute.updated_at.unix_micros());
            marks.extend(dispute.reviews().map(|review| ((mark, review), level)));
        }
        for (place, (review, _)) in self.misfits.iter().enumerate() {
            marks.insert((Marked::Misfit(place), *review), 0);
        }
        let there_is = self.captured_minor().saturating_add(self.held().minor());
        if self.closed().is_some() && there_is > 0 {
            // It was ended without money, and there is some.
            marks.insert((Marked::Payment, Review::Contradiction), there_is);
        }
        let exceeded = self.excess_returned().saturating_add(self.captured_beyond_holds());
        if exceeded > 0 {
            marks.insert((Marked::Payment, Review::Exceeded), exceeded);
        }
        marks
    }

    /// Whether the gateway is not asked any more about something that may still move money.
    #[must_use]
    pub fn is_stuck(&self) -> bool {
        let looked_up = self.status() == PaymentStatus::Pending && self.polls.are_given_up();
        looked_up || self.operations.iter().any(Operation::is_stuck)
    }

    /// Whether it waits for a person in this way.
    #[must_use]
    pub fn needs(&self, attention: Attention) -> bool {
        match attention {
            Attention::Review => !self.reviews().is_empty(),
            Attention::Stuck => self.is_stuck(),
        }
    }
}

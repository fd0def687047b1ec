//! What follows from a payment's facts: where it stands, and who should look at it.

use std::collections::{BTreeMap, BTreeSet};

use counterfoil::payment::{Closed, Review};
use counterfoil::status::{OperationStatus, PaymentStatus};

use super::operation::Operation;
use super::payment::Payment;

impl Payment {
    /// Money first, then what is held, then what is under way, then how it was ended, then whether it was accepted.
    pub(super) fn status(&self) -> PaymentStatus {
        let (captured, refunded, held) = (self.captured(), self.refunded(), self.held());
        if captured > 0 {
            let over = captured > self.asked.amount.minor().into() || self.excess.is_some();
            return match refunded {
                0 if held > 0 => PaymentStatus::PartiallyCaptured,
                0 if over => PaymentStatus::Overpaid,
                0 => PaymentStatus::Succeeded,
                _ if refunded < captured => PaymentStatus::PartiallyRefunded,
                _ => PaymentStatus::Refunded,
            };
        }
        if held > 0 {
            return PaymentStatus::Authorized;
        }
        match (self.live_attempt().map(Operation::status), self.how_ended(), self.accepted) {
            (Some(OperationStatus::RequiresAction), ..) => PaymentStatus::RequiresAction,
            (Some(_), ..) => PaymentStatus::Processing,
            // There was a hold, and it was let go, not lost.
            (None, ..) if self.is_released() => PaymentStatus::Voided,
            (None, Some(Closed::Failed), _) => PaymentStatus::Failed,
            (None, Some(_), _) => PaymentStatus::Voided,
            (None, None, true) => PaymentStatus::Pending,
            (None, None, false) => PaymentStatus::Initiated,
        }
    }

    /// Whether what was held was released. Where a bank took the money back, that is the end of it, unless somebody
    /// let the rest of the hold go.
    fn is_released(&self) -> bool {
        let release = |own: &Operation| own.expired > 0 || (own.is_release() && own.moved().is_some());
        self.operations.iter().any(release) || (self.ever_held() > 0 && !self.is_returned_of_any())
    }

    pub(super) fn live_attempt(&self) -> Option<&Operation> {
        self.live_attempts().next()
    }

    /// Only evidence makes more than one.
    pub(super) fn live_attempts(&self) -> impl Iterator<Item = &Operation> {
        self.operations.iter().filter(|operation| operation.is_under_way())
    }

    /// Those that nobody has looked at yet.
    pub(super) fn reviews(&self) -> BTreeSet<Review> {
        self.marked().into_values().flatten().filter(|review| !self.dismissed.contains(review)).collect()
    }

    /// What is marked of what: of the payment itself under no name.
    pub(super) fn marked(&self) -> BTreeMap<String, BTreeSet<Review>> {
        // Money, or a hold, that came though it was ended without; and more that goes back than there is.
        let own = (String::new(), self.how_much().into_iter().map(|(review, _)| review).collect());
        let misfits = self.misfits.iter().enumerate();
        let misfits = misfits.map(|(place, (review, _))| (format!("misfit {place}"), [*review].into()));
        let operations = self.operations.iter().map(|known| (known.id.to_string(), known.reviews()));
        let unallocated = self.operations.iter().filter(|known| known.is_unallocated());
        let unallocated =
            unallocated.map(|known| (format!("unallocated {}", known.id), [Review::Unallocated].into()));
        let beside = self.operations.iter().filter(|known| self.is_beside(known));
        let beside = beside.map(|known| (format!("beside {}", known.id), [Review::Contradiction].into()));
        let operations = operations.chain(unallocated).chain(beside);
        let disputes =
            self.disputes.iter().map(|known| (known.id.to_string(), known.reviews().into_iter().collect()));
        [own].into_iter().chain(misfits).chain(operations).chain(disputes).collect()
    }

    /// Whether it is money that we did not ask for, and money that we asked for came by the same gateway too.
    fn is_beside(&self, own: &Operation) -> bool {
        let brought = |own: &Operation| own.is_attempt() && own.gross().is_some();
        let asked =
            |other: &Operation| brought(other) && other.is_requested() && other.gateway == own.gateway;
        let made_here = self.changed.gateway_payment_id.is_none();
        made_here && brought(own) && !own.is_requested() && self.operations.iter().any(asked)
    }

    /// What is marked of an operation or a dispute, and of the payment as a whole.
    pub(super) fn marks_about(&self, id: &str) -> Vec<BTreeSet<Review>> {
        let is_about = |of: &String| of.is_empty() || of.ends_with(id);
        self.marked().into_iter().filter(|(of, _)| is_about(of)).map(|(_, reviews)| reviews).collect()
    }

    /// Nobody has looked yet at what was not marked `before`.
    pub(super) fn mark_anew(&mut self, before: &Payment) {
        let known = before.marked();
        for (of, reviews) in self.marked() {
            let old = known.get(&of).cloned().unwrap_or_default();
            for review in reviews.difference(&old) {
                self.dismissed.remove(review);
            }
            if self.was_told_more_of(&of, before) {
                self.dismissed.retain(|review| !reviews.contains(review));
            }
        }
        for (review, much) in self.how_much() {
            let before = before.how_much().into_iter().find(|(known, _)| *known == review);
            if before.is_some_and(|(_, before)| before < much) {
                self.dismissed.remove(&review);
            }
        }
    }

    fn was_told_more_of(&self, id: &str, before: &Payment) -> bool {
        let all_told = |payment: &Payment| {
            let operation = payment.operations.iter().find(|own| own.id.to_string() == id);
            let dispute = payment.disputes.iter().find(|own| own.id.to_string() == id);
            (operation.map(|own| own.touched), dispute.map(|own| (own.words.len(), own.decided)))
        };
        all_told(self) != all_told(before)
    }

    /// How much there is of what is marked of the payment itself.
    fn how_much(&self) -> Vec<(Review, i128)> {
        let late = if self.how_ended().is_some() { self.captured() + self.held() } else { 0 };
        let marked = [(Review::Contradiction, late), (Review::Exceeded, self.exceeded())];
        marked.into_iter().filter(|(_, much)| *much > 0).collect()
    }

    /// Whether a gateway is not asked any more about something that may still move money.
    pub(super) fn is_stuck(&self) -> bool {
        let given_up = self.status() == PaymentStatus::Pending && self.polls.are_given_up();
        given_up || self.operations.iter().any(Operation::is_stuck)
    }
}

//! What has been reported about an operation, and the status that follows from it.

use std::collections::BTreeSet;

use super::evidence::{Evidence, Failure, Outcome};
use super::operation_id::OperationId;
use crate::clock::Timestamp;
use crate::codec::{Damage, Encode, Reader, Writer};
use crate::money::{Currency, Money};
use crate::status::OperationStatus;
use crate::text::{GatewayOperationId, Message, PaymentUrl};
use crate::word::words;

words! {
    /// Why a person should look at a payment. Nothing that was reported is dropped: what does not fit is
    /// kept and marked.
    Review, "review reason" {
        /// Ends that exclude each other were reported, a late success among them; or what was captured or voided
        /// at a gateway may be of one attempt as well as of another there; or a void released more than there was; or
        /// a gateway tells of a charge that nobody asked for, beside ours.
        Contradiction = 1, "contradiction";
        /// Another amount was reported than was asked for, or than before. The largest reported one counts.
        AmountMismatch = 2, "amount_mismatch";
        /// Another currency was reported: it counts as nothing.
        CurrencyMismatch = 3, "currency_mismatch";
        /// The gateway gave one id to two operations, or two ids to one.
        GatewayIdClash = 4, "gateway_id_clash";
        /// A person said what became of it.
        Resolved = 5, "resolved";
        /// A refund was done and then came back.
        RefundBounced = 6, "refund_bounced";
        /// More was captured than had been held, or more went back, or may have to, than there is.
        Exceeded = 7, "exceeded";
    }
}

/// All that was ever reported about an operation. Each part only grows, and grows to the same whatever the
/// order of reports, so neither repetition nor order can change what follows from it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Reports {
    /// The largest success, which counts.
    pub(super) succeeded: Option<Money>,
    /// The smaller ones, from the least on, each once.
    pub(super) smaller: Vec<Money>,
    /// Of a charge that only its gateway told of: the most that was held on the way to it.
    pub(super) authorized: Option<Money>,
    pub(super) failed: Option<Failure>,
    pub(super) canceled: Option<Message>,
    pub(super) reversed: Option<Message>,
    pub(super) live: Option<Live>,
    pub(super) not_sent: Option<Message>,
    pub(super) unknown: Option<Message>,
    pub(super) gateway_operation_ids: BTreeSet<GatewayOperationId>,
    pub(super) reviews: BTreeSet<Review>,
}

/// The last that was said of an operation that goes on; "last" by the gateway's clock.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Live {
    at: Timestamp,
    status: OperationStatus,
    pub(super) payment_url: Option<PaymentUrl>,
}

impl Reports {
    /// Precedence, not arrival, decides. Nothing reported yet: it was started, and is on its way. A refund that
    /// failed did so in the end, whatever was said before: it bounced.
    pub(super) fn status(&self, of: OperationId) -> OperationStatus {
        if self.reversed.is_some() {
            OperationStatus::Reversed
        } else if of.is_refund() && self.failed.is_some() {
            OperationStatus::Failed
        } else if self.succeeded.is_some() {
            OperationStatus::Succeeded
        } else if self.failed.is_some() {
            OperationStatus::Failed
        } else if self.canceled.is_some() {
            OperationStatus::Canceled
        } else if let Some(live) = &self.live {
            live.status
        } else if self.not_sent.is_some() {
            OperationStatus::NotSent
        } else if self.unknown.is_some() {
            OperationStatus::Unknown
        } else {
            OperationStatus::Processing
        }
    }

    /// What of it decides its status, and with what it can be outranked.
    #[cfg(test)]
    pub(crate) fn weight(&self, of: OperationId) -> (Option<Money>, Option<Timestamp>) {
        let live = self.live.as_ref().map(|live| live.at);
        (self.succeeded, live.filter(|_| self.status(of).is_live()))
    }

    /// Why a person should look at ends that do not go together.
    pub(super) fn contradiction(&self, of: OperationId) -> Option<Review> {
        let done = self.succeeded.is_some() || self.reversed.is_some();
        let ends = [done, self.failed.is_some(), self.canceled.is_some()];
        let reached = ends.contains(&true) || self.live.is_some();
        let many = ends.iter().filter(|end| **end).count() > 1;
        if of.is_refund() && ends == [true, true, false] && self.not_sent.is_none() {
            Some(Review::RefundBounced)
        } else {
            (many || (self.not_sent.is_some() && reached)).then_some(Review::Contradiction)
        }
    }

    pub(super) fn add(&mut self, asked: Money, evidence: &Evidence, clash: bool) {
        match &evidence.outcome {
            Outcome::Succeeded { reported } => self.add_success(asked, reported.unwrap_or(asked)),
            Outcome::Failed(failure) => raise(&mut self.failed, failure.clone()),
            Outcome::Pending => self.add_live(evidence, OperationStatus::Processing, None),
            Outcome::RequiresAction { payment_url } => {
                self.add_live(evidence, OperationStatus::RequiresAction, payment_url.clone());
            }
            Outcome::Canceled { error_message } => raise(&mut self.canceled, error_message.clone()),
            Outcome::Reversed { error_message } => raise(&mut self.reversed, error_message.clone()),
            Outcome::NotSent { error_message } => raise(&mut self.not_sent, error_message.clone()),
            Outcome::Unknown { error_message } => raise(&mut self.unknown, error_message.clone()),
        }
        if clash {
            self.reviews.insert(Review::GatewayIdClash);
        } else if let Some(id) = &evidence.gateway_operation_id {
            self.gateway_operation_ids.insert(id.clone());
        }
    }

    fn add_success(&mut self, asked: Money, moved: Money) {
        if moved.currency() != asked.currency() {
            self.reviews.insert(Review::CurrencyMismatch);
            return;
        }
        if moved.is_zero() {
            // A success that moved nothing is none. Somebody should ask what it was.
            return;
        }
        let known = *self.succeeded.get_or_insert(moved);
        if known == moved {
            return;
        }
        let (smaller, larger) = if known.minor() < moved.minor() { (known, moved) } else { (moved, known) };
        self.succeeded = Some(larger);
        if let Err(place) = self.smaller.binary_search_by_key(&smaller.minor(), |known| known.minor()) {
            self.smaller.insert(place, smaller);
        }
    }

    /// Marks a success of another amount than was asked for, if anything was; and one of nothing.
    pub(super) fn compare(&mut self, of: Currency, asked: Option<Money>, evidence: &Evidence) {
        let Outcome::Succeeded { reported: Some(moved) } = evidence.outcome else { return };
        let other = moved.is_zero() || asked.is_some_and(|asked| asked != moved);
        if moved.currency() == of && other && !self.differ() {
            self.reviews.insert(Review::AmountMismatch);
        }
    }

    /// Whether it was told of in more than one amount.
    pub(super) fn differ(&self) -> bool {
        !self.smaller.is_empty()
    }

    /// Where it has a name of its own, it is not called so.
    pub(super) fn forget_stand_in(&mut self, stand_in: &str) {
        if self.is_called_twice() {
            self.gateway_operation_ids.retain(|id| id.as_str() != stand_in);
        }
    }

    /// Whether its gateway gave it more than one name.
    pub(super) fn is_called_twice(&self) -> bool {
        self.gateway_operation_ids.len() > 1
    }

    /// So much was held on the way to the charge: the most counts.
    pub(super) fn add_authorized(&mut self, held: Money) {
        let known = self.authorized.get_or_insert(held);
        if known.minor() < held.minor() {
            *known = held;
        }
    }

    /// What succeeded was not a charge: that much was held.
    pub(super) fn forget_success(&mut self) {
        if let Some(held) = self.succeeded.take() {
            self.add_authorized(held);
        }
        self.smaller.clear();
        self.reviews.remove(&Review::AmountMismatch);
        self.reviews.remove(&Review::CurrencyMismatch);
    }

    fn add_live(&mut self, evidence: &Evidence, status: OperationStatus, payment_url: Option<PaymentUrl>) {
        raise(&mut self.live, Live { at: evidence.occurred_at, status, payment_url });
    }
}

fn raise<T: Ord>(known: &mut Option<T>, reported: T) {
    if known.as_ref().is_none_or(|known| *known < reported) {
        *known = Some(reported);
    }
}

impl Encode for Live {
    fn encode(&self, to: &mut Writer) {
        to.field(1, |w| self.at.encode(w));
        to.field(2, |w| self.status.encode(w));
        to.optional(3, self.payment_url.as_ref(), |w, url| url.encode(w));
    }

    fn decode(from: &mut Reader<'_>) -> Result<Live, Damage> {
        let mut fields = from.fields()?;
        let live = Live {
            at: fields.required(1, Timestamp::decode)?,
            status: fields.required(2, OperationStatus::decode)?,
            payment_url: fields.optional(3, PaymentUrl::decode)?,
        };
        fields.end()?;
        Ok(live)
    }
}

//! One operation at a gateway, and what has been reported about it.

use std::collections::BTreeSet;

use super::Turn;
use super::evidence::{Evidence, Failure, Outcome};
use super::operation_id::OperationId;
use super::reports::{Reports, Review};
use super::retry::Retry;
use crate::clock::Timestamp;
use crate::event::Reported;
use crate::id::AttemptId;
use crate::money::Money;
use crate::status::OperationStatus;
use crate::text::{
    Actor, GatewayName, GatewayOperationId, GatewayPaymentId, Message, Metadata, PaymentMethodId, PaymentUrl,
};

/// Something that moves money of a payment, or holds it: a charge or authorization attempt, a capture, a refund, a
/// void. Written down before a gateway is called, and never forgotten.
///
/// Its [`status`](Self::status) follows from the set of reports about it by precedence, whatever the order
/// in which they arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Operation {
    /// Its id. Everything sent to a gateway for it carries a token made of this id alone.
    pub id: OperationId,
    /// 1, 2, 3 … among those of its kind of its payment.
    pub number: u32,
    /// What was asked for.
    pub amount: Money,
    /// Who was asked; `None` inside our own books.
    pub gateway: Option<GatewayName>,
    /// The instrument.
    pub instrument: Option<PaymentMethodId>,
    /// Whether it is about a hold: an attempt that authorizes, a void that releases.
    pub holds: bool,
    /// Whether nobody here asked for it: a gateway told of it, and its amount is what was told first.
    pub found: bool,
    /// Of a capture, a refund or a void: the attempt that charged or held the money. Of a capture or void that was found
    /// it follows from what else is known, and another attempt that is told of may change it.
    pub attempt: Option<AttemptId>,
    /// Of a final capture: what of the hold is released with it.
    pub releases: Option<Money>,
    /// Why it was asked for, in the host's words.
    pub reason: Option<Message>,
    /// The host's notes on it.
    pub metadata: Metadata,
    /// Of an attempt: when the next one is due should it be refused, if ever.
    pub retry: Option<Retry>,
    /// Of an attempt: whether the schedule of retries made it, not a caller.
    pub scheduled: bool,
    /// Until when the caller that started it may still be on its way to the gateway.
    pub lease_until: Option<Timestamp>,
    /// Of what never arrived and was sent again: until when whoever did may be on the way.
    pub(crate) resent_until: Option<Timestamp>,
    /// The sequence of the event that started it.
    pub sequence: u64,
    /// When it was started.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: Actor,
    /// When something was last learnt about it.
    pub updated_at: Timestamp,
    /// From whom.
    pub updated_by: Actor,
    /// Of an authorization: what of it was released because its time ran out.
    pub(crate) expired: Option<Money>,
    pub(crate) polls: Polls,
    pub(crate) reports: Reports,
}

/// How often a gateway was asked in vain, and when it is asked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Polls {
    pub(crate) count: u32,
    /// `None` after a poll: it was the last.
    pub(crate) next: Option<Timestamp>,
}

impl Polls {
    pub(crate) const fn are_given_up(self) -> bool {
        self.count > 0 && self.next.is_none()
    }
}

impl Operation {
    /// Where it stands.
    #[must_use]
    pub fn status(&self) -> OperationStatus {
        self.reports.status(self.id)
    }

    /// What it has moved, or holds; nothing unless that is how it stands.
    #[must_use]
    pub fn moved(&self) -> Option<Money> {
        self.reports.succeeded.filter(|_| self.status() == OperationStatus::Succeeded)
    }

    /// What it had moved before it was said to be what it `turns` out to be: what was only held had moved nothing.
    pub(crate) fn moved_before(&self, turns: Option<Turn>) -> Option<Money> {
        self.moved().filter(|_| turns != Some(Turn::Charge))
    }

    /// What it moved once, whether or not that was undone.
    pub(crate) fn ever_moved(&self) -> Option<Money> {
        self.reports.succeeded
    }

    /// What its gateway ever held for it.
    pub(crate) fn ever_authorized(&self) -> Option<Money> {
        if self.holds { self.ever_moved() } else { self.reports.authorized }
    }

    /// What the gateway calls it. Of several names, which are flagged, the last in order.
    #[must_use]
    pub fn gateway_operation_id(&self) -> Option<&GatewayOperationId> {
        self.reports.gateway_operation_ids.last()
    }

    pub(crate) fn is_known_as(&self, id: &GatewayOperationId) -> bool {
        self.reports.gateway_operation_ids.contains(id)
    }

    /// The no it was answered, while that is its end.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        self.reports.failed.as_ref().filter(|_| self.status() == OperationStatus::Failed)
    }

    /// Why it did not go well, in words, while that is how it stands.
    #[must_use]
    pub fn error_message(&self) -> Option<&Message> {
        let reports = &self.reports;
        match self.status() {
            OperationStatus::Failed => reports.failed.as_ref().map(|failure| &failure.message),
            OperationStatus::Canceled => reports.canceled.as_ref(),
            OperationStatus::NotSent => reports.not_sent.as_ref(),
            OperationStatus::Unknown => reports.unknown.as_ref(),
            OperationStatus::Reversed => reports.reversed.as_ref(),
            _ => None,
        }
    }

    /// Until when somebody may be on the way to the gateway with it: its starter, as long as nothing was heard of it;
    /// whoever sent it again, as long as it is open.
    #[must_use]
    pub fn runs_until(&self) -> Option<Timestamp> {
        let started = self.lease_until.filter(|_| self.is_unheard());
        self.resent_until.filter(|_| self.status().is_live()).or(started)
    }

    /// Whether nothing was ever heard of it.
    pub(crate) fn is_unheard(&self) -> bool {
        self.reports == Reports::default()
    }

    /// Until when whoever sent it last may be, or was, on the way.
    pub(crate) fn sent_until(&self) -> Option<Timestamp> {
        self.resent_until.or(self.lease_until)
    }

    /// From when on nobody knows what became of it.
    pub(crate) fn in_doubt_from(&self) -> Option<Timestamp> {
        match self.status() {
            OperationStatus::Unknown => Some(Timestamp::EPOCH),
            OperationStatus::Processing => self.runs_until(),
            _ => None,
        }
    }

    /// Whether it may still move money, and its gateway is not asked about it any more: somebody has to
    /// [resolve](crate::ledger::Ledger::resolve) it.
    #[must_use]
    pub fn is_stuck(&self) -> bool {
        self.polls.are_given_up() && self.status().is_live()
    }

    /// Where the payer is sent, while the payer must act.
    #[must_use]
    pub fn payment_url(&self) -> Option<&PaymentUrl> {
        let live = self.reports.live.as_ref();
        live.filter(|_| self.status() == OperationStatus::RequiresAction)?.payment_url.as_ref()
    }

    /// Whether it had been heard of, and goes on after `evidence` too.
    pub(crate) fn goes_on_after(&self, evidence: &Evidence) -> bool {
        let mut after = self.clone();
        after.learn(evidence, false);
        !self.is_unheard() && after.status().is_live()
    }

    /// Takes in `evidence`; `clash` if the gateway's id in it is another operation's.
    pub(crate) fn learn(&mut self, evidence: &Evidence, clash: bool) {
        let asked = if self.found { None } else { Some(self.amount) };
        self.reports.add(self.amount, evidence, clash);
        self.reports.compare(self.amount.currency(), asked, evidence);
    }

    /// Takes in what was reported; a person's word about it is marked. The name of its payment stands in for its own as
    /// long as that is not known.
    pub(crate) fn hear(&mut self, reported: &Reported, of_payment: Option<&GatewayPaymentId>) {
        if let Some(turn) = reported.turns {
            self.holds = turn == Turn::Hold;
            // What was held is not what was charged.
            self.reports.forget_success();
        }
        if let Some(held) = reported.authorized {
            self.reports.add_authorized(held);
        }
        self.learn(&reported.evidence, reported.gateway_id_clash);
        if let Some(stand_in) = of_payment {
            self.reports.forget_stand_in(stand_in.as_str());
        }
        if reported.note.is_some() {
            self.reports.reviews.insert(Review::Resolved);
        }
    }

    /// What `evidence` says for sure. Who sent it knows that it was not sent; but once somebody has sent it again, nobody
    /// knows.
    pub(crate) fn for_sure(&self, evidence: &Evidence) -> Evidence {
        let mut evidence = evidence.clone();
        if let (Outcome::NotSent { error_message }, Some(_)) = (&evidence.outcome, self.resent_until) {
            evidence.outcome = Outcome::Unknown { error_message: error_message.clone() };
        }
        evidence
    }

    /// Whether it was sent to its gateway from here.
    pub(crate) fn is_ours(&self) -> bool {
        self.lease_until.is_some()
    }

    /// Whether it is an attempt that only its gateway told of and that has brought nothing: it may be a hold yet.
    pub(crate) fn may_hold(&self) -> bool {
        self.id.is_attempt() && !self.is_ours() && self.ever_moved().is_none()
    }

    /// What an operation that asked for `asked` moves when nothing but `evidence` is known of it.
    pub(crate) fn moved_by(asked: Money, evidence: &Evidence) -> Money {
        let mut reports = Reports::default();
        reports.add(asked, evidence, false);
        reports.succeeded.unwrap_or(Money::zero(asked.currency()))
    }

    /// Why a person should look at it.
    #[must_use]
    pub fn reviews(&self) -> BTreeSet<Review> {
        let mut reviews = self.reports.reviews.clone();
        reviews.extend(self.reports.contradiction(self.id));
        reviews.extend(self.reports.is_called_twice().then_some(Review::GatewayIdClash));
        reviews.extend(self.reports.differ().then_some(Review::AmountMismatch));
        reviews
    }
}

//! One operation at a gateway, and what has been reported about it. What it does is in `kind`; what an operator decides
//! about it is in `resolution`.

mod kind;
mod resolution;

use std::collections::BTreeSet;

pub use kind::{OperationKind, Origin, VoidTarget};
pub(crate) use resolution::{Allocation, SetAside, Stated};

use super::evidence::{Evidence, Failure, Outcome};
use super::operation_id::OperationId;
use super::reports::{ReportSubject, Reports, Review};
use crate::clock::Timestamp;
use crate::event::Reported;
use crate::id::AttemptId;
use crate::money::Money;
use crate::status::OperationStatus;
use crate::text::{
    Actor, GatewayName, GatewayOperationId, GatewayPaymentId, Message, Metadata, PaymentMethodId, PaymentUrl,
};

/// Something that moves money of a payment, or holds it: a charge or authorization attempt, a capture, a refund, a
/// void. It is written down before a gateway is called, and never forgotten.
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
    /// Whether it is a charge, an authorization, a capture, a refund or a void, and what it is of.
    pub kind: OperationKind,
    /// How the ledger came to know of it.
    pub origin: Origin,
    /// What was asked for. Of an external capture, refund or void: the largest amount that was reported.
    pub amount: Money,
    /// The gateway that carries it out; `None` inside our own books.
    pub gateway: Option<GatewayName>,
    /// The payment method id at the gateway. `None`: the gateway's default, or none is needed.
    pub instrument: Option<PaymentMethodId>,
    /// Why it was asked for, in the host's words.
    pub reason: Option<Message>,
    /// The host's notes on it.
    pub metadata: Metadata,
    /// The sequence of the event after which its gateway may know of it: the event that started it, or the event that
    /// sent it if it was queued. None if it was queued and no event sent it.
    pub(crate) sent: Option<u64>,
    /// End of the lease under which the caller that started it may still be sending it to its gateway.
    pub lease_until: Option<Timestamp>,
    /// End of the lease of the caller that sent it again after it had never arrived.
    pub(crate) resent_until: Option<Timestamp>,
    /// The sequence of the event that started it.
    pub sequence: u64,
    /// When it was started.
    pub created_at: Timestamp,
    /// The actor that started it.
    pub created_by: Actor,
    /// The time of the last event that changed it.
    pub updated_at: Timestamp,
    /// The actor of the last event that changed it.
    pub updated_by: Actor,
    /// Of an authorization: what of it was released because its time ran out.
    pub(crate) expired: Option<Money>,
    pub(crate) polls: Polls,
    /// Whether its decline ended its payment, by the policy of that moment.
    pub(crate) ended_payment: bool,
    /// What counts of all that was reported.
    pub(crate) reports: Reports,
    /// What its gateway reported, where an operator has resolved it.
    pub(crate) set_aside: Option<Box<SetAside>>,
    /// What an operator said it is of, or that it is none of those that were requested here.
    pub(crate) allocation: Allocation,
    /// What it would be without the external operation that an operator said is the same.
    pub(crate) alone: Option<Box<Operation>>,
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
    /// The status that follows from all reports about it.
    #[must_use]
    pub fn status(&self) -> OperationStatus {
        if self.sent.is_none() && self.is_unreported() {
            return OperationStatus::Queued;
        }
        self.reports.status(self.id, self.amount.minor())
    }

    /// Whether it waits to be sent: it was queued, and has not been sent, canceled or reported since.
    #[must_use]
    pub fn is_queued(&self) -> bool {
        self.status() == OperationStatus::Queued
    }

    /// The attempt that a capture, a refund or a void is of.
    #[must_use]
    pub fn parent(&self) -> Option<AttemptId> {
        self.kind.parent()
    }

    /// What it has moved, or holds, less what of it was undone; nothing unless that is how it stands.
    #[must_use]
    pub fn moved(&self) -> Option<Money> {
        let counts = self.status() == OperationStatus::Succeeded && !self.is_set_apart();
        let gross = self.reports.gross(self.amount.minor()).filter(|_| counts)?;
        self.money(gross.saturating_sub(self.reports.undone(self.amount.minor())))
    }

    /// What it moved or held once, whether or not that was undone.
    pub(crate) fn ever_moved(&self) -> Option<Money> {
        self.reports.gross(self.amount.minor()).and_then(|gross| self.money(gross))
    }

    /// What its gateway ever held for it.
    pub(crate) fn ever_authorized(&self) -> Option<Money> {
        self.reports.held().and_then(|held| self.money(held))
    }

    /// What banks took back of it.
    #[must_use]
    pub fn returned(&self) -> Option<Money> {
        let returned =
            Some(self.reports.undone(self.amount.minor())).filter(|back| *back > 0 && !self.is_hold());
        returned.and_then(|returned| self.money(returned))
    }

    /// Whether a return of all of it was reported, canceled or not.
    pub(crate) fn is_wholly_returned(&self) -> bool {
        self.reports.has_whole_return()
    }

    /// What a bank took back of it under this name of the return, canceled or not.
    pub(crate) fn returned_as(&self, name: &GatewayOperationId) -> Option<Money> {
        self.reports.returned_as(name, self.amount.minor()).and_then(|back| self.money(back))
    }

    /// Whether it brought money by itself, whether or not that was undone.
    pub(crate) fn was_charged(&self) -> bool {
        self.reports.charged(self.amount.minor()).is_some()
    }

    /// Whether it is an attempt that holds money, or is to, and did not take it.
    #[must_use]
    pub fn is_hold(&self) -> bool {
        // Of an external attempt only what was reported says so, or it would matter what was reported first.
        let authorizes =
            matches!(self.kind, OperationKind::Authorization { .. }) && self.origin != Origin::External;
        self.id.is_attempt() && !self.was_charged() && (authorizes || self.reports.held().is_some())
    }

    fn money(&self, minor: i64) -> Option<Money> {
        Money::from_minor(minor, self.amount.currency()).ok()
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
            OperationStatus::Reversed => reports.reversal_message(),
            _ => None,
        }
    }

    /// End of the lease under which a caller may still be sending this operation to its gateway. The lease of the first
    /// caller counts until anything is reported; that of a caller who sent it again counts while it is open.
    #[must_use]
    pub fn runs_until(&self) -> Option<Timestamp> {
        let started = self.lease_until.filter(|_| self.is_unreported());
        self.resent_until.filter(|_| self.status().is_live()).or(started)
    }

    /// Whether nothing was ever reported about it.
    pub(crate) fn is_unreported(&self) -> bool {
        self.reports == Reports::default()
    }

    /// End of the lease of the caller that sent it last.
    pub(crate) fn sent_until(&self) -> Option<Timestamp> {
        self.resent_until.or(self.lease_until)
    }

    /// The time from which its outcome is unknown.
    pub(crate) fn in_doubt_from(&self) -> Option<Timestamp> {
        match self.status() {
            OperationStatus::Unknown => Some(Timestamp::EPOCH),
            OperationStatus::Processing => self.runs_until(),
            _ => None,
        }
    }

    /// Whether it may still move money, and its gateway is not queried about it any more: an operator has to
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

    /// Whether something was reported about it before, and it is still open after `evidence`.
    pub(crate) fn goes_on_after(&self, evidence: &Evidence) -> bool {
        let mut after = self.clone();
        after.apply_evidence(&ReportSubject::default(), evidence, self.amount, false);
        !self.is_unreported() && after.status().is_live()
    }

    /// Applies `evidence` about `subject`, in a payment of `all`; `clash` if the gateway's id in it is another
    /// operation's. A fact that an operator has set aside is no news.
    pub(crate) fn apply_evidence(
        &mut self,
        subject: &ReportSubject,
        evidence: &Evidence,
        all: Money,
        clash: bool,
    ) {
        let asked = if self.is_sized_by_reports() { all } else { self.amount };
        let subject = if self.is_requested_hold() { &ReportSubject::Authorization } else { subject };
        if let Some(alone) = &mut self.alone {
            alone.apply_evidence(subject, evidence, all, clash);
        }
        if let Some(aside) = &mut self.set_aside {
            // A new name of a known fact is no new fact, nor is another message.
            let fact = Evidence { gateway_operation_id: None, ..evidence.clone() };
            let mut with = aside.known.clone();
            with.add(asked, subject, &fact, clash);
            if with.without_messages() == aside.known.without_messages() {
                self.reports.add_name(evidence, clash);
                return;
            }
            aside.since.add(asked, subject, evidence, clash);
        }
        self.reports.add(asked, subject, evidence, clash);
        if self.is_sized_by_reports() {
            self.reports.size(asked.currency(), evidence);
            let largest = match &self.set_aside {
                Some(aside) => aside.largest(),
                None => self.reports.largest(),
            };
            self.amount = largest.and_then(|amount| self.money(amount)).unwrap_or(all);
        }
    }

    /// Applies a report to this operation. The name of its payment stands in for its own as long as that is not known.
    pub(crate) fn apply_report(
        &mut self,
        reported: &Reported,
        of_payment: Option<&GatewayPaymentId>,
        all: Money,
    ) {
        self.apply_evidence(&reported.subject, &reported.evidence, all, reported.gateway_id_clash);
        self.reports.parents.extend(reported.parent);
        self.ended_payment |= reported.closes.is_some();
        if let Some(stand_in) = of_payment.filter(|_| self.origin == Origin::External) {
            self.reports.forget_stand_in(stand_in.as_str());
        }
    }

    /// Whether its amount is what was reported: it is a capture, refund or void that was made at the gateway.
    pub(super) fn is_sized_by_reports(&self) -> bool {
        self.is_allocatable()
    }

    fn is_requested_hold(&self) -> bool {
        self.origin == Origin::Requested && matches!(self.kind, OperationKind::Authorization { .. })
    }

    /// The part of `evidence` that is certain. A caller knows that its own request was not sent; once another caller has
    /// sent the operation again, the outcome is unknown.
    pub(crate) fn for_sure(&self, evidence: &Evidence) -> Evidence {
        let mut evidence = evidence.clone();
        if let (Outcome::NotSent { error_message }, Some(_)) = (&evidence.outcome, self.resent_until) {
            evidence.outcome = Outcome::Unknown { error_message: error_message.clone() };
        }
        evidence
    }

    /// Whether it was asked for here.
    pub(crate) fn is_requested(&self) -> bool {
        self.origin == Origin::Requested
    }

    /// Whether it is a charge that was asked for here. It holds nothing, whatever steps its gateway reports.
    pub(crate) fn is_requested_charge(&self) -> bool {
        self.is_requested() && matches!(self.kind, OperationKind::Charge { .. })
    }

    /// Whether its gateway has given it no name of its own. The name of its payment stands in for that of an external
    /// one.
    pub(crate) fn is_nameless(&self, of_payment: Option<&GatewayPaymentId>) -> bool {
        let name = self.gateway_operation_id().map(GatewayOperationId::as_str);
        let stand_in = of_payment.filter(|_| self.origin == Origin::External);
        name.is_none_or(|name| stand_in.is_some_and(|stand_in| stand_in.as_str() == name))
    }

    /// What an operation that asked for `asked` moves when nothing but `evidence` is known of it.
    pub(crate) fn moved_by(asked: Money, evidence: &Evidence) -> Money {
        let mut reports = Reports::default();
        reports.add(asked, &ReportSubject::Operation, evidence, false);
        let zero = Money::zero(asked.currency());
        reports.charged(0).and_then(|moved| Money::from_minor(moved, asked.currency()).ok()).unwrap_or(zero)
    }

    /// Why a person should look at it.
    #[must_use]
    pub fn reviews(&self) -> BTreeSet<Review> {
        let mut reviews = self.reports.reviews.clone();
        reviews.extend(self.reports.contradiction(self.id));
        reviews.extend(self.is_allocated_otherwise().then_some(Review::Contradiction));
        reviews.extend(self.reports.is_called_twice().then_some(Review::GatewayIdClash));
        let asked = Some(self.amount.minor()).filter(|_| !self.is_sized_by_reports());
        reviews.extend(self.reports.amounts_differ(asked).then_some(Review::AmountMismatch));
        reviews.extend(self.is_resolved().then_some(Review::Resolved));
        reviews
    }
}

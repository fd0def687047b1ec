//! What has been reported about an operation, and the status that follows from it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::evidence::{Evidence, Failure, Outcome};
use super::operation_id::OperationId;
use crate::clock::Timestamp;
use crate::id::AttemptId;
use crate::money::{Currency, Money};
use crate::status::OperationStatus;
use crate::text::{GatewayOperationId, Message, PaymentUrl};
use crate::word::words;

words! {
    /// Why a payment is listed for review. Nothing that was reported is dropped: what does not fit is kept and
    /// listed.
    Review, "review reason" {
        /// Outcomes that exclude each other were reported, a late success among them; or a gateway reports a charge that
        /// was not requested here, beside one that was.
        Contradiction = 1, "contradiction";
        /// Another amount was reported than was asked for, or than before. The largest success counts.
        AmountMismatch = 2, "amount_mismatch";
        /// Another currency was reported: it counts as nothing.
        CurrencyMismatch = 3, "currency_mismatch";
        /// The gateway gave one id to two operations, or two ids to one.
        GatewayIdClash = 4, "gateway_id_clash";
        /// An operator resolved it.
        Resolved = 5, "resolved";
        /// A refund was done and then came back.
        RefundBounced = 6, "refund_bounced";
        /// More was captured than had been held, more went back, or may have to, than there is, or a dispute gave back
        /// more than it took.
        Exceeded = 7, "exceeded";
        /// It is not known which attempt a capture or refund is of, or whether it is one that was requested here.
        Unallocated = 8, "unallocated";
        /// The gateway sent two notifications with other contents under one id. Both were applied.
        NotificationIdReused = 9, "notification_id_reused";
    }
}

/// What a report about an operation says something of.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(tag = "subject", content = "gateway_return_id", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ReportSubject {
    /// The operation as it was asked for.
    #[default]
    Operation,
    /// The hold of an attempt.
    Authorization,
    /// A return of money that the operation brought: under the gateway's name of the return, or of all of it.
    Return(Option<GatewayOperationId>),
}

/// All that was ever reported about an operation. Each part only grows, and grows to the same whatever the
/// order of reports, so neither repetition nor order can change what follows from it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Reports {
    /// The amounts of its successes, in minor units. The largest counts.
    pub(super) succeeded: BTreeSet<i64>,
    /// The amounts that were reported as held. The largest counts.
    pub(super) authorized: BTreeSet<i64>,
    /// Of an external capture, refund or void: whether an amount of it was reported that counts.
    pub(super) is_sized: bool,
    /// The amounts that were reported with other outcomes.
    pub(super) others: BTreeSet<i64>,
    pub(super) failed: Option<Failure>,
    pub(super) canceled: Option<Message>,
    /// What went back, by the gateway's name of the return; the empty name is "all of it".
    pub(super) returns: BTreeMap<Box<str>, Return>,
    /// What of the hold was released at the gateway.
    pub(super) release: Option<Return>,
    pub(super) live: Option<Live>,
    pub(super) not_sent: Option<Message>,
    pub(super) unknown: Option<Message>,
    pub(super) gateway_operation_ids: BTreeSet<GatewayOperationId>,
    /// The attempts that it was reported to be of.
    pub(crate) parents: BTreeSet<AttemptId>,
    pub(super) reviews: BTreeSet<Review>,
}

/// The latest report of an operation that goes on, by the gateway's clock.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Live {
    pub(super) at: Timestamp,
    pub(super) status: OperationStatus,
    pub(super) payment_url: Option<PaymentUrl>,
}

/// Money that a bank took back, or a hold that the gateway released.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Return {
    /// The largest amount, in minor units; 0 where none was reported that counts.
    pub(super) amount: i64,
    /// Whether all of it went back.
    pub(super) whole: bool,
    pub(super) canceled: bool,
    pub(super) message: Option<Message>,
}

impl Return {
    /// What went back of `all`.
    fn of(&self, all: i64) -> i64 {
        if self.whole { all } else { self.amount }
    }

    fn counts(&self) -> bool {
        !self.canceled && (self.whole || self.amount > 0)
    }
}

impl Reports {
    /// Precedence, not arrival, decides. Nothing reported yet: it was started, and is on its way. A refund that
    /// failed did so in the end, whatever was said before: it bounced.
    pub(super) fn status(&self, of: OperationId, asked: i64) -> OperationStatus {
        if self.is_reversed(asked) {
            OperationStatus::Reversed
        } else if of.is_refund() && self.failed.is_some() {
            OperationStatus::Failed
        } else if self.gross(asked).is_some() {
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

    /// The largest amount that it moved, if it succeeded. What went back had come, if only what was `asked` for.
    pub(super) fn charged(&self, asked: i64) -> Option<i64> {
        let went_back = self.returns.values().any(|back| back.whole || back.amount > 0);
        self.succeeded.last().copied().or(went_back.then_some(asked))
    }

    /// The largest amount that was held.
    pub(super) fn held(&self) -> Option<i64> {
        self.authorized.last().copied()
    }

    /// What it moved, or held where nothing moved; whether or not that was undone.
    pub(super) fn gross(&self, asked: i64) -> Option<i64> {
        self.charged(asked).or(self.held())
    }

    /// What of it went back, at most all.
    pub(super) fn undone(&self, asked: i64) -> i64 {
        let all = self.gross(asked).unwrap_or_default();
        let undone = match self.charged(asked) {
            Some(_) => self.returned(all),
            None => self.release.as_ref().map_or(0, |release| release.of(all)),
        };
        undone.min(all)
    }

    /// What banks took back beyond what it had brought, or its gateway released beyond what it had held.
    pub(super) fn surplus_undone(&self, asked: i64) -> i64 {
        let released = || self.release.as_ref().map_or(0, |release| release.amount);
        let (all, undone) = match (self.charged(asked), self.held()) {
            (Some(_), _) if self.is_wholly_returned() => (0, self.named_returns()),
            (Some(charged), _) => (charged, self.named_returns()),
            (None, Some(held)) => (held, released()),
            (None, None) => return 0,
        };
        undone.saturating_sub(all).max(0)
    }

    fn returned(&self, all: i64) -> i64 {
        if self.is_wholly_returned() { all } else { self.named_returns() }
    }

    /// What went back under this name of a return, canceled or not.
    pub(super) fn returned_as(&self, name: &GatewayOperationId, asked: i64) -> Option<i64> {
        self.returns.get(name.as_str()).map(|back| back.of(self.gross(asked).unwrap_or_default()))
    }

    /// Whether "all of it" was returned, under that name.
    pub(super) fn has_whole_return(&self) -> bool {
        self.returns.contains_key("")
    }

    fn is_wholly_returned(&self) -> bool {
        self.returns.values().any(|back| back.whole && !back.canceled)
    }

    /// What the returns of a part come to.
    fn named_returns(&self) -> i64 {
        let counted = self.returns.values().filter(|back| !back.canceled && !back.whole);
        counted.map(|back| back.amount).fold(0, i64::saturating_add)
    }

    /// Wholly undone. That a hold was released can be reported before that it was placed.
    fn is_reversed(&self, asked: i64) -> bool {
        match self.gross(asked) {
            Some(all) => self.undone(asked) >= all,
            None => self.release.as_ref().is_some_and(|release| release.whole),
        }
    }

    /// Why it was undone.
    pub(super) fn reversal_message(&self) -> Option<&Message> {
        let undone = self.returns.values().chain(&self.release).filter(|back| back.counts());
        undone.filter_map(|back| back.message.as_ref()).max()
    }

    /// The largest success that was reported, whatever follows from returns.
    #[cfg(test)]
    pub(crate) fn largest_success(&self) -> i64 {
        self.succeeded.last().max(self.authorized.last()).copied().unwrap_or_default()
    }

    /// What of it decides its status, and with what it can be outranked.
    #[cfg(test)]
    pub(crate) fn weight(&self, of: OperationId, asked: i64) -> String {
        let live = self.live.as_ref().map(|live| live.at).filter(|_| self.status(of, asked).is_live());
        let (charged, held) = (self.charged(asked), self.held());
        format!("{charged:?} {held:?} {:?} {:?} {live:?}", self.release, self.returns)
    }

    /// Why a person should look at ends that do not go together.
    pub(super) fn contradiction(&self, of: OperationId) -> Option<Review> {
        let undone = self.returns.values().chain(&self.release).any(Return::counts);
        let ends = [self.gross(0).is_some() || undone, self.failed.is_some(), self.canceled.is_some()];
        let reached = ends.contains(&true) || self.live.is_some();
        let many = ends.iter().filter(|end| **end).count() > 1;
        if of.is_refund() && ends == [true, true, false] && self.not_sent.is_none() {
            Some(Review::RefundBounced)
        } else {
            (many || (self.not_sent.is_some() && reached)).then_some(Review::Contradiction)
        }
    }

    /// Whether an amount was reported that is not `asked`, or, where that is not known, two that differ.
    pub(super) fn amounts_differ(&self, asked: Option<i64>) -> bool {
        let mut reported = self.succeeded.iter().chain(&self.authorized).chain(&self.others);
        match asked.or(reported.clone().next().copied()) {
            Some(asked) => reported.any(|amount| *amount != asked),
            None => false,
        }
    }

    /// The largest amount that was reported with any outcome but a return.
    pub(super) fn largest(&self) -> Option<i64> {
        self.succeeded.iter().chain(&self.authorized).chain(&self.others).max().copied()
    }

    /// Adds what `evidence` says of `subject`; a success without an amount is of all that was `asked` for. `clash`: the
    /// gateway's id in it is another operation's.
    pub(super) fn add(&mut self, asked: Money, subject: &ReportSubject, evidence: &Evidence, clash: bool) {
        let amount = self.amount_in(asked.currency(), evidence);
        match &evidence.outcome {
            Outcome::Succeeded => {
                let moved = amount.or(evidence.amount.is_none().then_some(asked.minor()));
                let amounts = match subject {
                    ReportSubject::Authorization => &mut self.authorized,
                    _ => &mut self.succeeded,
                };
                amounts.extend(moved.filter(|moved| *moved > 0));
            }
            Outcome::Reversed { error_message } => {
                let back = self.undoing(subject);
                back.whole |= evidence.amount.is_none();
                back.amount = back.amount.max(amount.unwrap_or_default());
                raise(&mut back.message, error_message.clone());
            }
            Outcome::ReturnCanceled { .. } => self.undoing(subject).canceled = true,
            Outcome::Failed(failure) => raise(&mut self.failed, failure.clone()),
            Outcome::Pending => self.add_live(evidence, OperationStatus::Processing, None),
            Outcome::RequiresAction { payment_url } => {
                self.add_live(evidence, OperationStatus::RequiresAction, payment_url.clone());
            }
            Outcome::Canceled { error_message } => raise(&mut self.canceled, error_message.clone()),
            Outcome::NotSent { error_message } => raise(&mut self.not_sent, error_message.clone()),
            Outcome::Unknown { error_message } => raise(&mut self.unknown, error_message.clone()),
        }
        let is_of_return =
            matches!(evidence.outcome, Outcome::Reversed { .. } | Outcome::ReturnCanceled { .. });
        if !is_of_return && !evidence.is_success() {
            self.others.extend(amount);
        }
        self.add_name(evidence, clash);
    }

    /// Adds the gateway's name in `evidence`; `clash`: it is another operation's.
    pub(super) fn add_name(&mut self, evidence: &Evidence, clash: bool) {
        if clash {
            self.reviews.insert(Review::GatewayIdClash);
        } else if let Some(id) = &evidence.gateway_operation_id {
            self.gateway_operation_ids.insert(id.clone());
        }
    }

    /// Notes whether `evidence` says how much an external operation in `currency` is of.
    pub(super) fn size(&mut self, currency: Currency, evidence: &Evidence) {
        let counts = |amount: Money| amount.currency() == currency && !amount.is_zero();
        let is_undone = matches!(evidence.outcome, Outcome::Reversed { .. } | Outcome::ReturnCanceled { .. });
        self.is_sized |= !is_undone && evidence.amount.is_some_and(counts);
    }

    /// The reported amount, if it counts: one of another currency, and one of nothing, are marked.
    fn amount_in(&mut self, currency: Currency, evidence: &Evidence) -> Option<i64> {
        let reported = evidence.amount?;
        if reported.currency() != currency {
            self.reviews.insert(Review::CurrencyMismatch);
        } else if reported.is_zero() {
            self.reviews.insert(Review::AmountMismatch);
        } else {
            return Some(reported.minor());
        }
        None
    }

    /// Where a reversal of `subject` is kept.
    fn undoing(&mut self, subject: &ReportSubject) -> &mut Return {
        let name = match subject {
            ReportSubject::Authorization => return self.release.get_or_insert_default(),
            ReportSubject::Return(Some(name)) => name.as_str(),
            ReportSubject::Return(None) | ReportSubject::Operation => "",
        };
        self.returns.entry(name.into()).or_default()
    }

    /// Adds all that `others` holds.
    pub(crate) fn merge(&mut self, others: &Reports) {
        self.succeeded.extend(&others.succeeded);
        self.authorized.extend(&others.authorized);
        self.others.extend(&others.others);
        self.is_sized |= others.is_sized;
        for (known, reported) in
            [(&mut self.canceled, &others.canceled), (&mut self.not_sent, &others.not_sent)]
        {
            raise_to(known, reported.as_ref());
        }
        raise_to(&mut self.failed, others.failed.as_ref());
        raise_to(&mut self.unknown, others.unknown.as_ref());
        raise_to(&mut self.live, others.live.as_ref());
        for (name, back) in &others.returns {
            self.returns.entry(name.clone()).or_default().merge(back);
        }
        if let Some(release) = &others.release {
            self.release.get_or_insert_default().merge(release);
        }
        self.gateway_operation_ids.extend(others.gateway_operation_ids.iter().cloned());
        self.parents.extend(&others.parents);
        self.reviews.extend(&others.reviews);
    }

    /// The facts alone, to compare: another message is no other fact.
    pub(super) fn without_messages(&self) -> Reports {
        let mut facts = self.clone();
        let silence = Message::lossy("-");
        let texts = [&mut facts.canceled, &mut facts.not_sent, &mut facts.unknown].into_iter().flatten();
        let failures = facts.failed.iter_mut().map(|failure| &mut failure.message);
        texts.chain(failures).for_each(|text| text.clone_from(&silence));
        facts.returns.values_mut().chain(&mut facts.release).for_each(|back| back.message = None);
        facts
    }

    /// As of an operation that asked for `asked`: a success without an amount is of all of that.
    pub(super) fn asking(mut self, asked: i64) -> Reports {
        if !self.is_sized && !self.succeeded.is_empty() {
            self.succeeded = BTreeSet::from([asked]);
        }
        self
    }

    /// What stays of an operation whose other facts are set aside: its names, and whether its amount is known.
    pub(super) fn names(&self) -> Reports {
        Reports {
            gateway_operation_ids: self.gateway_operation_ids.clone(),
            parents: self.parents.clone(),
            is_sized: self.is_sized,
            ..Reports::default()
        }
    }

    /// Drops the name that stood in for its own, once it has one.
    pub(super) fn forget_stand_in(&mut self, stand_in: &str) {
        if self.is_called_twice() {
            self.gateway_operation_ids.retain(|id| id.as_str() != stand_in);
        }
    }

    /// Whether its gateway gave it more than one name.
    pub(super) fn is_called_twice(&self) -> bool {
        self.gateway_operation_ids.len() > 1
    }

    fn add_live(&mut self, evidence: &Evidence, status: OperationStatus, payment_url: Option<PaymentUrl>) {
        raise(&mut self.live, Live { at: evidence.occurred_at, status, payment_url });
    }
}

impl Return {
    fn merge(&mut self, other: &Return) {
        self.amount = self.amount.max(other.amount);
        self.whole |= other.whole;
        self.canceled |= other.canceled;
        raise_to(&mut self.message, other.message.as_ref());
    }
}

fn raise<T: Ord>(known: &mut Option<T>, reported: T) {
    if known.as_ref().is_none_or(|known| *known < reported) {
        *known = Some(reported);
    }
}

fn raise_to<T: Ord + Clone>(known: &mut Option<T>, reported: Option<&T>) {
    if let Some(reported) = reported {
        raise(known, reported.clone());
    }
}

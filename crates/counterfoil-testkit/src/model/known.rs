//! What a list of reports says, whatever their order.

use std::collections::{BTreeMap, BTreeSet};

use counterfoil::clock::Timestamp;
use counterfoil::money::Money;
use counterfoil::payment::{Failure, Outcome, Review};
use counterfoil::status::OperationStatus;
use counterfoil::text::{Message, PaymentUrl};

use super::operation::{About, Report};

/// What is known of an operation. A report that leaves it as it is says nothing new.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Known {
    /// What was asked for, in minor units.
    asked: i64,
    /// What successes were of, in minor units.
    charged: BTreeSet<i64>,
    /// What was held.
    held: BTreeSet<i64>,
    /// What was reported with other outcomes, but for what was undone.
    others: BTreeSet<i64>,
    /// What was returned, under which name.
    returns: BTreeMap<String, Back>,
    /// What of a hold was released at the gateway.
    release: Option<Back>,
    failed: Option<Failure>,
    canceled: Option<Message>,
    not_sent: Option<Message>,
    unknown: Option<Message>,
    /// When, whether the payer must act, and where.
    going_on: Option<(Timestamp, bool, Option<PaymentUrl>)>,
    flags: BTreeSet<Review>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Back {
    /// The largest that was reported.
    amount: i64,
    /// All of it.
    whole: bool,
    canceled: bool,
    message: Option<Message>,
}

impl Known {
    /// Of an operation that asked for so much.
    pub(super) fn of(self, asked: Money) -> Known {
        Known { asked: asked.minor(), ..self }
    }

    /// A success without an amount is of all that was `asked` for.
    pub(super) fn add(&mut self, asked: Money, report: &Report) {
        let evidence = &report.evidence;
        let amount = evidence.amount.and_then(|amount| self.counting(asked, amount));
        self.flags.extend(report.clash.then_some(Review::GatewayIdClash));
        let more = |message: &Message| Some(message.clone());
        match &evidence.outcome {
            Outcome::Succeeded => {
                let of_hold = report.about == About::Authorization;
                let successes = if of_hold { &mut self.held } else { &mut self.charged };
                successes.extend(if evidence.amount.is_none() { Some(asked.minor()) } else { amount });
                return;
            }
            Outcome::Reversed { error_message } => {
                let back = self.back(&report.about);
                back.whole |= evidence.amount.is_none();
                back.amount = back.amount.max(amount.unwrap_or(0));
                back.message = back.message.take().max(more(error_message));
                return;
            }
            Outcome::ReturnCanceled { .. } => {
                self.back(&report.about).canceled = true;
                return;
            }
            Outcome::Failed(failure) => self.failed = self.failed.take().max(Some(failure.clone())),
            Outcome::Canceled { error_message } => {
                self.canceled = self.canceled.take().max(more(error_message));
            }
            Outcome::NotSent { error_message } => {
                self.not_sent = self.not_sent.take().max(more(error_message));
            }
            Outcome::Unknown { error_message } => self.unknown = self.unknown.take().max(more(error_message)),
            Outcome::Pending => {
                self.going_on = self.going_on.take().max(Some((evidence.occurred_at, false, None)));
            }
            Outcome::RequiresAction { payment_url } => {
                let now = (evidence.occurred_at, true, payment_url.clone());
                self.going_on = self.going_on.take().max(Some(now));
            }
            other => panic!("the model knows no {other:?}"),
        }
        self.others.extend(amount);
    }

    /// An amount of another currency and one of nothing do not count; they are flagged.
    fn counting(&mut self, asked: Money, amount: Money) -> Option<i64> {
        let flag = match amount.minor() {
            _ if amount.currency() != asked.currency() => Review::CurrencyMismatch,
            0 => Review::AmountMismatch,
            minor => return Some(minor),
        };
        self.flags.insert(flag);
        None
    }

    fn back(&mut self, about: &About) -> &mut Back {
        let name = match about {
            About::Authorization => return self.release.get_or_insert_default(),
            About::Return(Some(name)) => name.to_string(),
            About::Return(None) | About::Operation => String::new(),
        };
        self.returns.entry(name).or_default()
    }

    /// What was said, however it was put.
    pub(super) fn without_messages(mut self) -> Known {
        let texts = [&mut self.canceled, &mut self.not_sent, &mut self.unknown].into_iter().flatten();
        let failures = self.failed.iter_mut().map(|failure| &mut failure.message);
        texts.chain(failures).for_each(|text| *text = Message::lossy("said"));
        self.returns.values_mut().chain(&mut self.release).for_each(|back| back.message = None);
        self
    }

    /// What it brought. What went back had come, if only what was asked for.
    pub(super) fn charged(&self) -> Option<i64> {
        let went_back = self.returns.values().any(|back| back.whole || back.amount > 0);
        self.charged.last().copied().or(went_back.then_some(self.asked))
    }

    pub(super) fn held(&self) -> Option<i64> {
        self.held.last().copied()
    }

    pub(super) fn gross(&self) -> Option<i64> {
        self.charged().or(self.held())
    }

    pub(super) fn failed(&self) -> Option<&Failure> {
        self.failed.as_ref()
    }

    /// The largest amount that was reported of the operation itself.
    pub(super) fn largest(&self) -> Option<i64> {
        self.amounts().max()
    }

    fn amounts(&self) -> impl Iterator<Item = i64> {
        self.charged.iter().chain(&self.held).chain(&self.others).copied()
    }

    fn counting_returns(&self) -> impl Iterator<Item = &Back> {
        self.returns.values().filter(|back| !back.canceled)
    }

    /// What returns of a part come to.
    fn returned(&self) -> i64 {
        self.counting_returns().filter(|back| !back.whole).map(|back| back.amount).sum()
    }

    /// Whether "all of it" was returned, canceled or not.
    pub(super) fn has_whole_return(&self) -> bool {
        self.returns.contains_key("")
    }

    fn is_wholly_returned(&self) -> bool {
        self.counting_returns().any(|back| back.whole)
    }

    /// What was undone of what it moved or held.
    pub(super) fn undone(&self) -> i64 {
        match (self.charged(), self.held(), &self.release) {
            (Some(all), ..) if self.is_wholly_returned() => all,
            (Some(all), ..) => self.returned().min(all),
            (None, Some(all), Some(release)) => {
                if release.whole {
                    all
                } else {
                    release.amount.min(all)
                }
            }
            _ => 0,
        }
    }

    /// What was returned beyond what it had brought, or released beyond what was held.
    pub(super) fn undone_beyond(&self) -> i64 {
        match (self.charged(), self.held(), &self.release) {
            (Some(_), ..) if self.is_wholly_returned() => self.returned(),
            (Some(all), ..) => (self.returned() - all).max(0),
            (None, Some(all), Some(release)) => (release.amount - all).max(0),
            _ => 0,
        }
    }

    fn is_reversed(&self) -> bool {
        match self.gross() {
            Some(all) => self.undone() == all,
            // That a hold was released can be reported before that it was placed.
            None => self.release.as_ref().is_some_and(|release| release.whole),
        }
    }

    /// Reversed, succeeded, failed, canceled, going on, not sent, unknown. A refund that failed did so whether or not it
    /// had succeeded.
    pub(super) fn status(&self, of_refund: bool) -> OperationStatus {
        let said = [
            (self.is_reversed(), OperationStatus::Reversed),
            (of_refund && self.failed.is_some(), OperationStatus::Failed),
            (self.gross().is_some(), OperationStatus::Succeeded),
            (self.failed.is_some(), OperationStatus::Failed),
            (self.canceled.is_some(), OperationStatus::Canceled),
            (matches!(self.going_on, Some((_, true, _))), OperationStatus::RequiresAction),
            (self.going_on.is_some(), OperationStatus::Processing),
            (self.not_sent.is_some(), OperationStatus::NotSent),
            (self.unknown.is_some(), OperationStatus::Unknown),
        ];
        said.into_iter().find(|(is_so, _)| *is_so).map_or(OperationStatus::Processing, |(_, status)| status)
    }

    /// Why it stands so.
    pub(super) fn message(&self, status: OperationStatus) -> Option<Message> {
        match status {
            OperationStatus::Failed => self.failed.as_ref().map(|failure| failure.message.clone()),
            OperationStatus::Canceled => self.canceled.clone(),
            OperationStatus::NotSent => self.not_sent.clone(),
            OperationStatus::Unknown => self.unknown.clone(),
            OperationStatus::Reversed => self.undoing().filter_map(|back| back.message.clone()).max(),
            _ => None,
        }
    }

    /// The returns and the release that undo anything.
    fn undoing(&self) -> impl Iterator<Item = &Back> {
        let all = self.returns.values().chain(&self.release);
        all.filter(|back| !back.canceled && (back.whole || back.amount > 0))
    }

    /// Why a person should look at it. `asked`: what was asked for, where that is not known from reports alone.
    pub(super) fn reviews(&self, of_refund: bool, asked: Option<i64>) -> BTreeSet<Review> {
        let done = self.gross().is_some() || self.undoing().next().is_some();
        let (failed, canceled) = (self.failed.is_some(), self.canceled.is_some());
        let ends = [done, failed, canceled].into_iter().filter(|end| *end).count();
        let unsent = self.not_sent.is_some();
        let bounced = of_refund && done && failed && !canceled && !unsent;
        let contradiction = ends > 1 || (unsent && (ends > 0 || self.going_on.is_some()));
        let expected = asked.or(self.amounts().next());
        let reasons = [
            (Review::RefundBounced, bounced),
            (Review::Contradiction, contradiction && !bounced),
            (Review::AmountMismatch, self.amounts().any(|amount| Some(amount) != expected)),
        ];
        let found = reasons.into_iter().filter_map(|(review, is_so)| is_so.then_some(review));
        found.chain(self.flags.iter().copied()).collect()
    }
}

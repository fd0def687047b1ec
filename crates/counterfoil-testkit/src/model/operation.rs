//! The model's operations: everything is worked out anew from all that was ever heard.

use std::collections::BTreeSet;

use counterfoil::clock::Timestamp;
use counterfoil::id::AttemptId;
use counterfoil::money::Money;
use counterfoil::payment::{Evidence, Failure, OperationId, Outcome, Review};
use counterfoil::status::OperationStatus;
use counterfoil::text::{GatewayName, GatewayOperationId, Message, PaymentMethodId, PaymentUrl};

use super::due::Polls;

#[derive(Debug, Clone)]
pub(super) struct Operation {
    pub(super) id: OperationId,
    pub(super) sequence: u64,
    pub(super) amount: Money,
    pub(super) gateway: Option<GatewayName>,
    pub(super) instrument: Option<PaymentMethodId>,
    /// Whether it is about a hold, not about money that moves.
    pub(super) holds: bool,
    /// Whether only a gateway told of it.
    pub(super) found: bool,
    /// What it takes from, if it takes from anything.
    pub(super) attempt: Option<AttemptId>,
    /// How much was left for it there, if it was found.
    pub(super) was_left: i128,
    /// What of its hold it releases beside what it captures.
    pub(super) releases: Option<Money>,
    /// When the next attempt is made, and until when another instrument is waited for.
    pub(super) retry: Option<(Timestamp, Timestamp)>,
    /// Whether the schedule of retries made it.
    pub(super) scheduled: bool,
    pub(super) lease_until: Option<Timestamp>,
    /// The lease of whoever sent it again.
    pub(super) resent_until: Option<Timestamp>,
    /// When something was last learnt about it.
    pub(super) touched: Timestamp,
    /// What of it, a hold, was released by time.
    pub(super) expired: i128,
    pub(super) polls: Polls,
    pub(super) heard: Vec<Heard>,
}

/// Something that was said about an operation.
#[derive(Debug, Clone)]
pub(super) struct Heard {
    pub(super) evidence: Evidence,
    /// Whether the gateway's id in it is another operation's.
    pub(super) clash: bool,
    /// Whether a person said it.
    pub(super) by_hand: bool,
    /// Whether it was a success of something else.
    pub(super) forgotten: bool,
    /// What was held on the way to the charge that it is about, in minor units.
    pub(super) held: Option<i64>,
}

impl Heard {
    pub(super) fn new(evidence: Evidence) -> Heard {
        Heard { evidence, clash: false, by_hand: false, forgotten: false, held: None }
    }
}

/// All that counts of what was heard: hearing something that leaves it as it is changes nothing.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Known {
    paid: Option<i64>,
    amounts: BTreeSet<i64>,
    authorized: Option<i64>,
    pub(super) refused: Option<Failure>,
    canceled: Option<Message>,
    reversed: Option<Message>,
    going_on: Option<GoingOn>,
    not_sent: Option<Message>,
    unknown: Option<Message>,
    gateway_ids: BTreeSet<GatewayOperationId>,
    has_anothers_id: bool,
    reviews: BTreeSet<Review>,
}

/// When, whether the payer must act, and where.
type GoingOn = (Timestamp, bool, Option<PaymentUrl>);

impl Operation {
    /// One of which nothing was heard yet, that begins at `at`.
    pub(super) fn new(id: OperationId, sequence: u64, amount: Money, at: Timestamp) -> Operation {
        Operation {
            id,
            sequence,
            amount,
            gateway: None,
            instrument: None,
            holds: false,
            found: false,
            attempt: None,
            was_left: 0,
            releases: None,
            retry: None,
            scheduled: false,
            lease_until: None,
            resent_until: None,
            touched: at,
            expired: 0,
            polls: Polls::default(),
            heard: Vec::new(),
        }
    }

    pub(super) fn hear(&mut self, heard: Heard, at: Timestamp) {
        self.heard.push(heard);
        self.touched = at;
    }

    /// What succeeded so far was something else.
    pub(super) fn forget_successes(&mut self) {
        self.heard.iter_mut().for_each(|heard| heard.forgotten = true);
    }

    /// It is not called so.
    pub(super) fn forget_name(&mut self, name: &str) {
        for heard in &mut self.heard {
            heard.evidence.gateway_operation_id.take_if(|known| known.as_str() == name);
        }
    }

    /// That nothing was sent is certain only as long as nobody sent it again.
    pub(super) fn for_sure(&self, evidence: &Evidence) -> Evidence {
        let mut evidence = evidence.clone();
        if let (Outcome::NotSent { error_message }, Some(_)) = (&evidence.outcome, self.resent_until) {
            evidence.outcome = Outcome::Unknown { error_message: error_message.clone() };
        }
        evidence
    }

    /// Whether it was sent from here.
    pub(super) fn is_ours(&self) -> bool {
        self.lease_until.is_some()
    }

    pub(super) fn known(&self) -> Known {
        Known {
            paid: self.paid(),
            amounts: self.amounts().collect(),
            authorized: self.authorized(),
            refused: self.refusal(),
            canceled: self.canceled(),
            reversed: self.reversed(),
            going_on: self.going_on(),
            not_sent: self.most(|evidence| match &evidence.outcome {
                Outcome::NotSent { error_message } => Some(error_message.clone()),
                _ => None,
            }),
            unknown: self.most(|evidence| match &evidence.outcome {
                Outcome::Unknown { error_message } => Some(error_message.clone()),
                _ => None,
            }),
            gateway_ids: self.gateway_ids().cloned().collect(),
            has_anothers_id: self.heard.iter().any(|heard| heard.clash),
            reviews: self.reviews(),
        }
    }

    /// The largest success in its own currency, if it is of anything; one without an amount is of what was
    /// asked for.
    pub(super) fn paid(&self) -> Option<i64> {
        self.amounts().max()
    }

    /// What each success of anything in its own currency was of.
    fn amounts(&self) -> impl Iterator<Item = i64> {
        self.amounts_of(self.successes())
    }

    fn amounts_of(&self, successes: impl Iterator<Item = Money>) -> impl Iterator<Item = i64> {
        let own = successes.filter(|amount| amount.currency() == self.amount.currency());
        own.map(Money::minor).filter(|minor| *minor > 0)
    }

    /// The most that was ever held by it, or on the way to it, if it is a charge.
    pub(super) fn authorized(&self) -> Option<i64> {
        let on_the_way = self.heard.iter().filter_map(|heard| heard.held);
        // What was forgotten had been a hold.
        let held = self.heard.iter().filter(|heard| self.holds || heard.forgotten);
        self.amounts_of(self.successes_in(held)).chain(on_the_way).max()
    }

    /// How much more it brought than was held on the way to it, if anything was.
    pub(super) fn paid_beyond_hold(&self) -> i64 {
        let held = self.authorized().filter(|_| self.is_attempt() && !self.holds);
        held.map_or(0, |held| (self.paid().unwrap_or(0) - held).max(0))
    }

    /// What it moves, or holds: nothing unless that is how it stands.
    pub(super) fn moved(&self) -> Option<i64> {
        self.paid().filter(|_| self.status() == OperationStatus::Succeeded)
    }

    /// By precedence: reversed, succeeded, failed, canceled, going on, not sent; unknown only while nothing else was
    /// ever said. A refund that failed did so whether or not it had succeeded.
    pub(super) fn status(&self) -> OperationStatus {
        let known = self.known();
        let failed = known.refused.as_ref().map(|_| OperationStatus::Failed);
        let said = [
            known.reversed.map(|_| OperationStatus::Reversed),
            failed.filter(|_| self.is_refund()),
            known.paid.map(|_| OperationStatus::Succeeded),
            failed,
            known.canceled.map(|_| OperationStatus::Canceled),
            known.going_on.map(|(_, acts, _)| {
                if acts { OperationStatus::RequiresAction } else { OperationStatus::Processing }
            }),
            known.not_sent.map(|_| OperationStatus::NotSent),
            known.unknown.map(|_| OperationStatus::Unknown),
        ];
        said.into_iter().flatten().next().unwrap_or(OperationStatus::Processing)
    }

    /// Whether it is an attempt at `gateway` that brought money, and nobody knows what the gateway calls it.
    pub(super) fn is_nameless_money_of(&self, gateway: &GatewayName) -> bool {
        let nameless = self.gateway_ids().next().is_none();
        self.is_attempt() && nameless && self.moved().is_some() && self.gateway.as_ref() == Some(gateway)
    }

    /// Whether it may still move money.
    pub(super) fn is_live(&self) -> bool {
        self.status().is_live()
    }

    /// Whether only a gateway told of it, an attempt that brought nothing: it may be told to hold.
    pub(super) fn may_hold(&self) -> bool {
        self.is_attempt() && !self.is_ours() && self.paid().is_none()
    }

    /// Whether it is an attempt that may still bring money.
    pub(super) fn is_under_way(&self) -> bool {
        self.is_attempt() && self.is_live()
    }

    /// Whether its success brings money.
    pub(super) fn takes(&self) -> bool {
        self.is_capture() || (self.is_attempt() && !self.holds)
    }

    /// Whether its success takes captured money back as if it had never been.
    pub(super) fn undoes(&self) -> bool {
        self.is_void() && !self.holds
    }

    pub(super) fn is_attempt(&self) -> bool {
        matches!(self.id, OperationId::Attempt(_))
    }

    pub(super) fn is_capture(&self) -> bool {
        matches!(self.id, OperationId::Capture(_))
    }

    pub(super) fn is_refund(&self) -> bool {
        matches!(self.id, OperationId::Refund(_))
    }

    pub(super) fn is_void(&self) -> bool {
        matches!(self.id, OperationId::Void(_))
    }

    /// Whoever started it may be on the way for so long, unless something was heard of it; whoever sent it again, as
    /// long as it goes on.
    pub(super) fn runs_until(&self) -> Option<Timestamp> {
        let again = self.resent_until.filter(|_| self.is_live());
        again.or(self.lease_until.filter(|_| self.heard.is_empty()))
    }

    /// Why it did not go well, while that is how it stands.
    pub(super) fn error_message(&self) -> Option<Message> {
        let known = self.known();
        match self.status() {
            OperationStatus::Failed => known.refused.map(|failure| failure.message),
            OperationStatus::Canceled => known.canceled,
            OperationStatus::NotSent => known.not_sent,
            OperationStatus::Unknown => known.unknown,
            OperationStatus::Reversed => known.reversed,
            _ => None,
        }
    }

    pub(super) fn reviews(&self) -> BTreeSet<Review> {
        let any = |is: fn(&Outcome) -> bool| self.heard.iter().any(|heard| is(&heard.evidence.outcome));
        let done = self.paid().is_some() || self.reversed().is_some();
        let (refused, canceled) = (self.refusal().is_some(), self.canceled().is_some());
        let not_sent = any(|outcome| matches!(outcome, Outcome::NotSent { .. }));
        let ends = [done, refused, canceled].into_iter().filter(|end| *end).count();
        let sent = ends > 0 || self.going_on().is_some();
        let bounced = self.is_refund() && done && refused && !canceled && !not_sent;
        let own = self.successes().filter(|amount| amount.currency() == self.amount.currency());
        let ids: BTreeSet<_> = self.gateway_ids().collect();
        let reasons = [
            (Review::Contradiction, !bounced && (ends > 1 || (not_sent && sent))),
            (Review::RefundBounced, bounced),
            (
                Review::AmountMismatch,
                self.amounts().min() < self.paid()
                    || own.clone().any(|amount| amount.is_zero() || (!self.found && amount != self.amount)),
            ),
            (Review::CurrencyMismatch, own.count() < self.successes().count()),
            (Review::GatewayIdClash, ids.len() > 1 || self.heard.iter().any(|heard| heard.clash)),
            (Review::Resolved, self.heard.iter().any(|heard| heard.by_hand)),
        ];
        reasons.into_iter().filter_map(|(review, holds)| holds.then_some(review)).collect()
    }

    fn canceled(&self) -> Option<Message> {
        self.most(|evidence| match &evidence.outcome {
            Outcome::Canceled { error_message } => Some(error_message.clone()),
            _ => None,
        })
    }

    fn reversed(&self) -> Option<Message> {
        self.most(|evidence| match &evidence.outcome {
            Outcome::Reversed { error_message } => Some(error_message.clone()),
            _ => None,
        })
    }

    /// The weightiest no.
    fn refusal(&self) -> Option<Failure> {
        self.most(|evidence| match &evidence.outcome {
            Outcome::Failed(failure) => Some(failure.clone()),
            _ => None,
        })
    }

    /// What the gateway called it; an id that is another operation's is not one of them.
    pub(super) fn gateway_ids(&self) -> impl Iterator<Item = &GatewayOperationId> {
        let own = self.heard.iter().filter(|heard| !heard.clash);
        own.filter_map(|heard| heard.evidence.gateway_operation_id.as_ref())
    }

    fn successes(&self) -> impl Iterator<Item = Money> + Clone {
        self.successes_in(self.heard.iter().filter(|heard| !heard.forgotten))
    }

    fn successes_in<'a>(
        &self,
        heard: impl Iterator<Item = &'a Heard> + Clone,
    ) -> impl Iterator<Item = Money> + Clone {
        heard.filter_map(|heard| match heard.evidence.outcome {
            Outcome::Succeeded { reported } => Some(reported.unwrap_or(self.amount)),
            _ => None,
        })
    }

    /// The last that was said of one that goes on, by the gateway's clock.
    fn going_on(&self) -> Option<GoingOn> {
        self.most(|evidence| match &evidence.outcome {
            Outcome::Pending => Some((evidence.occurred_at, false, None)),
            Outcome::RequiresAction { payment_url } => {
                Some((evidence.occurred_at, true, payment_url.clone()))
            }
            _ => None,
        })
    }

    fn most<T: Ord>(&self, pick: impl Fn(&Evidence) -> Option<T>) -> Option<T> {
        self.heard.iter().filter_map(|heard| pick(&heard.evidence)).max()
    }
}

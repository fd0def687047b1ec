//! What is to be done at a time: asking gateways, next attempts, ends.

use std::time::Duration;

use counterfoil::clock::Timestamp;
use counterfoil::command::{Command, Lapse, Poll, Rejection};
use counterfoil::payment::{Closed, Evidence, FailureClass, Outcome, Work};
use counterfoil::status::{OperationStatus, PaymentStatus};
use counterfoil::text::{Message, PaymentMethodId};

use super::operation::{Operation, Report};
use super::payment::Payment;
use super::{Model, unchanged};
use crate::fixtures;
use crate::run::Answer;

/// How often a gateway was asked in vain, and when it is asked again.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Polls {
    count: u32,
    next: Option<Timestamp>,
}

impl Polls {
    pub(super) fn are_given_up(self) -> bool {
        self.count > 0 && self.next.is_none()
    }
}

impl Model {
    /// A gateway was asked, and had no news. Whoever was overdue by then is in doubt.
    pub(super) fn poll(&mut self, command: &Command, poll: &Poll) -> Result<Answer, Rejection> {
        let mut payment = self.payment(&command.caller.scope, poll.payment)?.clone();
        if payment.require_due(poll.work, command.at).is_err() {
            return Ok(unchanged(&payment));
        }
        let moment = payment.moment(command.at);
        let asked = |polls: u32| {
            let delay = usize::try_from(polls).ok().and_then(|place| command.policy.polls.get(place));
            Polls { count: polls + 1, next: delay.map(|delay| command.at.saturating_add(*delay)) }
        };
        match poll.work {
            Work::LookUp { polls } => payment.polls = asked(polls),
            Work::Poll { operation, polls } => {
                let known = payment.operations.iter_mut().find(|known| known.id == operation);
                let known = known.expect("it is due, so it is there");
                known.polls = asked(polls);
                if poll.resend && !known.is_attempt() {
                    let lease = command.at.saturating_add(command.policy.lease);
                    known.polls.next = known.polls.next.map(|next| next.max(lease));
                    known.resent_until = Some(lease);
                }
                if known.lease_until.is_some() && known.is_unheard() {
                    let error_message = Message::lossy("nothing was heard of it");
                    let evidence = Evidence::new(Outcome::Unknown { error_message }, moment);
                    known.hear(Report::new(evidence), moment);
                }
            }
            _ => return Ok(unchanged(&payment)),
        }
        payment.happened(command.at, None);
        Ok(self.keep(&command.caller.scope, payment))
    }

    /// Time is over: a hold is released; what waits is ended.
    pub(super) fn lapse(&mut self, command: &Command, lapse: &Lapse) -> Result<Answer, Rejection> {
        let mut payment = self.payment(&command.caller.scope, lapse.payment)?.clone();
        if payment.require_due(lapse.work, command.at).is_err() {
            return Ok(unchanged(&payment));
        }
        let closes = match lapse.work {
            Work::Expire => Closed::Expired,
            Work::GiveUp | Work::Retry { .. } => Closed::Failed,
            _ => return Ok(unchanged(&payment)),
        };
        if lapse.work == Work::Expire && payment.held() > 0 {
            payment.release_holds();
        } else if payment.is_on_its_way() {
            return Ok(unchanged(&payment));
        } else {
            payment.close(command.at, command.at, closes);
            payment.given_up = lapse.reason.clone().filter(|_| closes == Closed::Failed);
        }
        payment.happened(command.at, Some(command.at));
        Ok(self.keep(&command.caller.scope, payment))
    }
}

impl Payment {
    /// The first of what is to be done.
    pub(super) fn next_due(&self) -> Option<(Timestamp, Work)> {
        let dues = self.dues();
        let first = dues.iter().map(|(at, _)| *at).min()?;
        dues.into_iter().find(|(at, _)| *at == first)
    }

    pub(super) fn require_due(&self, work: Work, now: Timestamp) -> Result<(), Rejection> {
        let is_due = self.dues().into_iter().any(|(at, due)| due == work && at <= now);
        if is_due { Ok(()) } else { Err(Rejection::NotDue { payment: self.asked.payment }) }
    }

    fn dues(&self) -> Vec<(Timestamp, Work)> {
        let queued = self.operations.iter().filter(|own| own.is_queued());
        let sends = queued.map(|own| (own.started_at, Work::Send { operation: own.id }));
        let polls = self.operations.iter().filter_map(Operation::next_poll);
        let others = [self.next_look_up(), self.next_attempt(), self.expiry()];
        sends.chain(polls).chain(others.into_iter().flatten()).collect()
    }

    fn is_at_gateway(&self) -> bool {
        self.changed.gateway_payment_id.is_some()
    }

    /// What was made at a gateway is asked about there, as long as it is open.
    fn next_look_up(&self) -> Option<(Timestamp, Work)> {
        let open = self.status() == PaymentStatus::Pending && self.is_at_gateway();
        let never = self.times.updated_at.saturating_add(Duration::from_secs(1));
        let at = if self.polls.count == 0 { Some(never) } else { self.polls.next };
        Some((at.filter(|_| open)?, Work::LookUp { polls: self.polls.count }))
    }

    fn next_attempt(&self) -> Option<(Timestamp, Work)> {
        if self.status() != PaymentStatus::Pending || self.is_at_gateway() {
            return None;
        }
        let attempts: Vec<_> = self.made().collect();
        let last = attempts.last()?;
        let all = self.operations.iter().filter(|own| own.is_attempt()).count();
        let number = u32::try_from(all).expect("few attempts") + 1;
        match last.status() {
            OperationStatus::NotSent => {
                let not_sent = |own: &&&Operation| own.status() == OperationStatus::NotSent;
                let tries = attempts.iter().rev().take_while(not_sent).count();
                // Five quick tries: after 1, 2, 4, 8 and 16 seconds.
                Some(match tries {
                    1..=5 => {
                        let delay = Duration::from_secs(1 << (tries - 1));
                        (last.touched.saturating_add(delay), Work::Retry { number })
                    }
                    _ => (last.touched, Work::GiveUp),
                })
            }
            OperationStatus::Failed => {
                let (at, until) = last.retry?;
                let go_on = !self.instruments_left().is_empty();
                Some(if go_on { (at, Work::Retry { number }) } else { (until, Work::GiveUp) })
            }
            _ => None,
        }
    }

    /// A hold does not run out while an operation on it is open, or another attempt under way.
    fn expiry(&self) -> Option<(Timestamp, Work)> {
        // What is put away is over already.
        let at = self.asked.expires_at.filter(|_| !self.archived)?;
        let waits = match self.status() {
            PaymentStatus::Initiated | PaymentStatus::Pending => true,
            PaymentStatus::RequiresAction => !self.is_on_its_way(),
            _ => self.held() > 0 && !self.is_reserved() && self.live_attempt().is_none(),
        };
        waits.then_some((at, Work::Expire))
    }

    fn release_holds(&mut self) {
        let held: Vec<i128> =
            self.operations.iter().map(|own| if own.holds() { self.held_by(own) } else { 0 }).collect();
        for (own, held) in self.operations.iter_mut().zip(held) {
            own.expired += if own.is_attempt() { held } else { 0 };
        }
    }

    /// The attempts that its gateway did not make beside ours, and that were not only queued.
    pub(super) fn made(&self) -> impl Iterator<Item = &Operation> {
        self.operations.iter().filter(|own| own.is_attempt() && !own.is_external() && own.sent.is_some())
    }

    /// Whether a bank took back what an attempt brought, or a capture of it.
    pub(super) fn is_returned(&self, own: &Operation) -> bool {
        let captures = self
            .operations
            .iter()
            .filter(|capture| capture.is_capture() && capture.parent == own.attempt_id());
        captures.chain([own]).any(|own| own.status() == OperationStatus::Reversed)
    }

    /// With what the next scheduled attempt can be made: the instrument that was named, then what was tried, from the last
    /// to the first. What was declined for good or returned is out.
    fn instruments_left(&self) -> Vec<Option<PaymentMethodId>> {
        let attempts: Vec<_> = self.operations.iter().filter(|own| own.is_attempt()).collect();
        let spent = |own: &&&Operation| match own.status() {
            OperationStatus::Failed => {
                own.failure().is_some_and(|failure| failure.class != FailureClass::Soft)
            }
            _ => self.is_returned(own),
        };
        let out: Vec<_> = attempts.iter().filter(spent).map(|own| &own.instrument).collect();
        let mut left: Vec<_> = self.changed.instrument.clone().map(Some).into_iter().collect();
        left.extend(attempts.iter().rev().map(|own| own.instrument.clone()));
        left.retain(|instrument| !out.contains(&instrument));
        left
    }

    /// The instrument of what the clock does next.
    pub(super) fn instrument_when_due(&self) -> Option<PaymentMethodId> {
        let last = self.made().last()?;
        match last.status() {
            OperationStatus::NotSent => last.instrument.clone(),
            _ => self.instruments_left().into_iter().next()?,
        }
    }

    /// Whether an attempt that the clock makes now is of the schedule: one that repeats what was never sent is what that
    /// was.
    pub(super) fn is_next_scheduled(&self) -> bool {
        match self.made().last() {
            Some(last) if last.status() == OperationStatus::NotSent => last.scheduled,
            _ => true,
        }
    }

    /// When the next scheduled attempt is made and when the schedule ends, as an attempt has it that begins now. The
    /// first and the scheduled ones go one entry further; any other changes nothing. What was never sent does not count.
    pub(super) fn retry(&self, command: &Command, scheduled: bool) -> Option<(Timestamp, Timestamp)> {
        let sent: Vec<_> = self.sent_attempts().collect();
        let entry = match sent.last() {
            None => 0,
            Some(_) if scheduled => 1 + sent.iter().filter(|own| own.scheduled).count(),
            Some(last) => return last.retry,
        };
        let rest = &fixtures::RETRIES[..command.policy.retries.len()].get(entry..)?;
        let until = command.at.saturating_add(rest.iter().sum());
        Some((command.at.saturating_add(*rest.first()?), until))
    }

    fn sent_attempts(&self) -> impl Iterator<Item = &Operation> {
        let sent = |own: &&Operation| {
            own.is_attempt() && own.lease_until.is_some() && own.status() != OperationStatus::NotSent
        };
        self.operations.iter().filter(sent)
    }

    /// What follows when an attempt that was made elsewhere failed: what would have followed without it.
    pub(super) fn retry_beside(&self) -> Option<(Timestamp, Timestamp)> {
        self.sent_attempts().last()?.retry
    }
}

impl Operation {
    /// Its gateway is asked when nothing was heard of whoever started it, or a second after it left the outcome open;
    /// then by the schedule.
    fn next_poll(&self) -> Option<(Timestamp, Work)> {
        if self.gateway.is_none() || !self.status().is_under_way() {
            return None;
        }
        let first = self.runs_until().unwrap_or(self.touched.saturating_add(Duration::from_secs(1)));
        let at = if self.polls.count == 0 { first } else { self.polls.next? };
        Some((at, Work::Poll { operation: self.id, polls: self.polls.count }))
    }

    pub(super) fn is_stuck(&self) -> bool {
        self.polls.are_given_up() && self.is_live()
    }
}

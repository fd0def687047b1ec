//! What a payment waits for, and until when.

use std::time::Duration;

use serde::Serialize;

use super::{FailureClass, Operation, OperationId, Origin, Payment};
use crate::clock::Timestamp;
use crate::status::{OperationStatus, PaymentStatus};
use crate::text::PaymentMethodId;

/// How long after a report that leaves the outcome open a gateway is first queried.
const FIRST_POLL: Duration = Duration::from_secs(1);
/// How often an attempt that certainly never arrived is repeated.
const QUICK_TRIES: u32 = 5;

/// Something that is scheduled for a payment. Any machine may do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "work", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Work {
    /// To send a queued operation.
    Send {
        /// The operation to send.
        operation: OperationId,
    },
    /// To ask the gateway about an operation.
    Poll {
        /// The operation that the query is about.
        operation: OperationId,
        /// How often that was done in vain.
        polls: u32,
    },
    /// To ask the gateway about a payment that was made there.
    LookUp {
        /// How often that was done in vain.
        polls: u32,
    },
    /// To make the next attempt.
    Retry {
        /// The number of that attempt, from 1.
        number: u32,
    },
    /// To end what waits for another instrument, or what could not be sent however often it was tried.
    GiveUp,
    /// To end what has run out of time, and to release what it holds.
    Expire,
}

impl Payment {
    /// What is scheduled next for it, and when. `None`: nothing is scheduled.
    #[must_use]
    pub fn next_due(&self) -> Option<(Timestamp, Work)> {
        // Of equal times the first.
        self.dues().min_by_key(|(at, _)| *at)
    }

    /// Whether this is to be done by `now`.
    pub(crate) fn is_due(&self, work: Work, now: Timestamp) -> bool {
        self.dues().any(|(at, due)| due == work && at <= now)
    }

    fn dues(&self) -> impl Iterator<Item = (Timestamp, Work)> {
        let sends = self.operations.iter().filter(|operation| operation.is_queued());
        let sends = sends.map(|queued| (queued.created_at, Work::Send { operation: queued.id }));
        let polls = self.operations.iter().filter_map(next_poll);
        let others = [self.next_look_up(), self.next_attempt(), self.expiry()];
        sends.chain(polls).chain(others.into_iter().flatten())
    }

    /// When its next attempt is made.
    #[must_use]
    pub fn next_attempt_at(&self) -> Option<Timestamp> {
        self.next_attempt().filter(|(_, work)| matches!(work, Work::Retry { .. })).map(|(at, _)| at)
    }

    /// A payment that was made at its gateway is asked about there while it is open.
    fn next_look_up(&self) -> Option<(Timestamp, Work)> {
        let open = self.status() == PaymentStatus::Pending && !self.polls.are_given_up();
        self.gateway_payment_id().filter(|_| open)?;
        let at = self.polls.next.unwrap_or(self.updated_at.saturating_add(FIRST_POLL));
        Some((at, Work::LookUp { polls: self.polls.count }))
    }

    /// What follows the last attempt of a payment that waits for another.
    fn next_attempt(&self) -> Option<(Timestamp, Work)> {
        let waits = self.status() == PaymentStatus::Pending && self.gateway_payment_id().is_none();
        let last = self.last_made().filter(|_| waits)?;
        let number = u32::try_from(self.attempts().count()).ok()?.saturating_add(1);
        match last.status() {
            OperationStatus::NotSent => Some(self.quick_try(last, number)),
            OperationStatus::Failed => {
                let retry = last.kind.retry()?;
                let suspended = self.usable_instruments().next().is_none();
                Some(if suspended { (retry.until, Work::GiveUp) } else { (retry.at, Work::Retry { number }) })
            }
            _ => None,
        }
    }

    /// The last attempt that was sent from here or recorded: what its gateway made beside moves no schedule, nor does what
    /// was only queued.
    pub(crate) fn last_made(&self) -> Option<&Operation> {
        self.made().next_back()
    }

    fn made(&self) -> impl DoubleEndedIterator<Item = &Operation> {
        let attempts = self.operations.iter().filter(|operation| operation.id.is_attempt());
        attempts.filter(|attempt| attempt.origin != Origin::External && attempt.sent.is_some())
    }

    /// The instrument of the next attempt that is made by itself. What was never sent is sent again with its own
    /// instrument; a declined payment is tried with the first [usable](Self::usable_instruments) one.
    pub(crate) fn next_instrument(&self) -> Option<&PaymentMethodId> {
        let last = self.last_made()?;
        match last.status() {
            OperationStatus::NotSent => last.instrument.as_ref(),
            _ => self.usable_instruments().next().flatten(),
        }
    }

    /// The instruments that a scheduled attempt may use, the preferred one first: the one that was named for the payment,
    /// then those that were tried, the last one first. A hard decline or a return excludes an instrument.
    fn usable_instruments(&self) -> impl Iterator<Item = Option<&PaymentMethodId>> {
        let named = self.references.instrument.as_ref().map(Some);
        let tried = self.operations.iter().rev().filter(|operation| operation.id.is_attempt());
        let tried = tried.map(|attempt| attempt.instrument.as_ref());
        named.into_iter().chain(tried).filter(|instrument| !self.is_excluded(*instrument))
    }

    fn is_excluded(&self, instrument: Option<&PaymentMethodId>) -> bool {
        let for_good =
            |attempt: &Operation| attempt.failure().is_some_and(|no| no.class != FailureClass::Soft);
        self.was_returned(instrument)
            || self.attempts().any(|attempt| attempt.instrument.as_ref() == instrument && for_good(attempt))
    }

    /// Whether its last attempt was made with `instrument`.
    pub(crate) fn was_tried_last(&self, instrument: Option<&PaymentMethodId>) -> bool {
        self.last_made().is_some_and(|last| last.instrument.as_ref() == instrument)
    }

    /// Whether money that `instrument` paid was returned by its bank.
    pub(crate) fn was_returned(&self, instrument: Option<&PaymentMethodId>) -> bool {
        let is_reversed = |operation: &Operation| operation.status() == OperationStatus::Reversed;
        let mut with_it = self.attempts().filter(|attempt| attempt.instrument.as_ref() == instrument);
        with_it.any(|attempt| {
            is_reversed(attempt)
                || self.of(attempt).any(|capture| capture.id.is_capture() && is_reversed(capture))
        })
    }

    /// After 1, 2, 4, 8 and 16 seconds; then it is over.
    fn quick_try(&self, last: &Operation, number: u32) -> (Timestamp, Work) {
        let not_sent = |attempt: &&Operation| attempt.status() == OperationStatus::NotSent;
        let in_a_row = self.made().rev();
        let tries = u32::try_from(in_a_row.take_while(not_sent).count()).unwrap_or(u32::MAX);
        if tries > QUICK_TRIES {
            return (last.updated_at, Work::GiveUp);
        }
        let delay = Duration::from_secs(1 << tries.saturating_sub(1).min(QUICK_TRIES));
        (last.updated_at.saturating_add(delay), Work::Retry { number })
    }

    fn expiry(&self) -> Option<(Timestamp, Work)> {
        let at = self.terms.expires_at.filter(|_| self.can_expire() && self.archived_at().is_none())?;
        Some((at, Work::Expire))
    }

    /// Whether time can end it, or release what it holds: nothing may be under way that says otherwise.
    pub(crate) fn can_expire(&self) -> bool {
        let open = matches!(
            self.status(),
            PaymentStatus::Initiated | PaymentStatus::Pending | PaymentStatus::RequiresAction
        );
        let waits = |attempt: &Operation| {
            !attempt.status().is_live() || attempt.status() == OperationStatus::RequiresAction
        };
        (open && self.attempts().all(waits))
            || (!self.held().is_zero() && !self.is_reserved() && self.live_attempt().is_none())
    }
}

/// When the gateway is asked about `operation`: what it answered leaves the outcome open, or it is overdue.
fn next_poll(operation: &Operation) -> Option<(Timestamp, Work)> {
    operation.gateway.as_ref().filter(|_| operation.status().is_under_way())?;
    let first = || operation.runs_until().unwrap_or(operation.updated_at.saturating_add(FIRST_POLL));
    let polls = operation.polls;
    let at = if polls.count == 0 { first() } else { polls.next? };
    Some((at, Work::Poll { operation: operation.id, polls: polls.count }))
}

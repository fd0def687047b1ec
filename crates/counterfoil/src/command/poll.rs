//! A status query to a gateway that had no result.

use super::Command;
use super::change::{Change, Entry, Recorder};
use super::view::{Halt, View};
use crate::event::{Body, Polled};
use crate::id::PaymentId;
use crate::payment::Work;
use crate::status::Cause;

/// Records a status query that had no result, and when the gateway is queried next. An operation that was started and
/// about which nothing was reported by then has an unknown outcome from then on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Poll {
    /// The payment that the query was about.
    pub payment: PaymentId,
    /// What was due about it: a [`Poll`](Work::Poll) or a [`LookUp`](Work::LookUp).
    pub work: Work,
    /// Whether the request can no longer reach the gateway, so that the caller of this command sends it again: a
    /// capture, a refund or a void, under its own token. Until the lease ends, no other caller sends it.
    pub resend: bool,
}

impl Poll {
    pub(super) fn decide(&self, command: &Command, view: &View<'_>) -> Result<Change, Halt> {
        let payment = view.payment(self.payment)?;
        // Another caller did it, or another event came first.
        let not_due = || Halt::unchanged(payment);
        let (operation, before) = match self.work {
            Work::Poll { operation, polls } => (Some(operation), polls),
            Work::LookUp { polls } => (None, polls),
            _ => return Err(not_due()),
        };
        if !payment.is_due(self.work, command.at) {
            return Err(not_due());
        }
        let polls = before.saturating_add(1);
        let resends = self.resend && operation.is_some_and(|id| !id.is_attempt());
        let lease_until = resends.then(|| command.at.saturating_add(command.policy.lease));
        let next_at = command.policy.next_poll(polls, command.at);
        // No query is made before the request can have arrived.
        let next_at = next_at.map(|at| lease_until.map_or(at, |lease| at.max(lease)));
        let body = Body::Polled(Polled { operation, polls, next_at, lease_until });
        Recorder::one(command, view, payment, Entry::new(Cause::Clock, body))
    }
}

//! What time does: it ends what waits for nothing any more, and releases what was held for too long.

use super::Command;
use super::change::{Change, Entry, Recorder};
use super::close::closing;
use super::view::{Halt, View};
use crate::clock::Timestamp;
use crate::event::{Body, Closing};
use crate::id::PaymentId;
use crate::payment::{Closed, Payment, Work};
use crate::status::Cause;
use crate::text::Message;

/// Ends a payment whose time has run out, or releases what is held for it. Time moves no money otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lapse {
    /// The payment that is given up or expired, or whose hold is released.
    pub payment: PaymentId,
    /// What is due about it: [`Expire`](Work::Expire), [`GiveUp`](Work::GiveUp), or a
    /// [`Retry`](Work::Retry) that cannot be made, which is given up.
    pub work: Work,
    /// Why the payment is given up, where no further attempt is made. It becomes the payment's error message and stands
    /// in its history.
    pub reason: Option<Message>,
}

impl Lapse {
    pub(super) fn decide(&self, command: &Command, view: &View<'_>) -> Result<Change, Halt> {
        let payment = view.payment(self.payment)?;
        // Another caller did it, or another event came first.
        let not_due = || Halt::unchanged(payment);
        if !payment.is_due(self.work, command.at) {
            return Err(not_due());
        }
        let closing = match self.work {
            Work::Expire => expiring(payment, command.at),
            Work::GiveUp | Work::Retry { .. } => closing(payment, Closed::Failed, command.at)
                .map(|closing| Closing { reason: self.reason.clone(), ..closing }),
            Work::Send { .. } | Work::Poll { .. } | Work::LookUp { .. } => None,
        };
        let body = Body::Closed(closing.ok_or_else(not_due)?);
        Recorder::one(command, view, payment, Entry::new(Cause::Clock, body))
    }
}

fn expiring(payment: &Payment, at: Timestamp) -> Option<Closing> {
    let held = payment.attempts().filter(|attempt| payment.held_by(attempt) > 0);
    let releases: Vec<_> = held.map(|attempt| attempt.id).collect();
    if releases.is_empty() {
        return closing(payment, Closed::Expired, at);
    }
    Some(Closing { closes: Closed::Expired, occurred_at: at, cancels: Vec::new(), releases, reason: None })
}

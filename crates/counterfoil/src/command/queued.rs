//! Operations that are written down now and sent later.

use std::sync::Arc;

use super::Command;
use super::change::{Change, Entry, Recorder};
use super::rejection::Rejection;
use super::start::lease;
use super::view::{Halt, View};
use crate::claim::{ClaimKey, Fingerprint};
use crate::clock::Timestamp;
use crate::event::{Body, Canceled, Sent};
use crate::id::{PaymentId, UpdateId};
use crate::payment::{Operation, OperationId, Payment};
use crate::status::{Cause, OperationStatus, PaymentStatus};
use crate::text::Message;

/// Sends a queued operation: whoever writes this down calls the gateway next. An attempt is canceled instead if the
/// payment has money or a hold already, or if its time has run out. An operation that is not queued any more stays as it
/// is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendQueued {
    /// The name of this command: executed again, it has happened already.
    pub update: UpdateId,
    /// The payment of the operation.
    pub payment: PaymentId,
    /// The operation that is sent.
    pub operation: OperationId,
}

/// Cancels a queued operation: it is never sent, and what it reserved is free again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancelQueued {
    /// The name of this command: executed again, it has happened already.
    pub update: UpdateId,
    /// The payment of the operation.
    pub payment: PaymentId,
    /// The operation that is canceled.
    pub operation: OperationId,
}

impl SendQueued {
    pub(super) fn decide(&self, command: &Command, view: &View<'_>) -> Result<Change, Halt> {
        let own = (ClaimKey::update(view.scope, self.update), Fingerprint::default());
        view.unless_repeated(Some(&own), [view.payment_key(self.payment)])?;
        let payment = view.payment(self.payment)?;
        let operation = known(payment, self.operation)?;
        if !operation.is_queued() {
            return Err(Halt::unchanged(payment));
        }
        let body = match why_not_sent(payment, operation, command.at) {
            Some(why) => canceled(operation, why),
            None => Body::Sent(Sent { operation: operation.id, lease_until: lease(command) }),
        };
        Recorder::one(command, view, payment, Entry::new(Cause::Command, body).claiming([own]))
    }
}

impl CancelQueued {
    pub(super) fn decide(&self, command: &Command, view: &View<'_>) -> Result<Change, Halt> {
        let own = (ClaimKey::update(view.scope, self.update), Fingerprint::default());
        view.unless_repeated(Some(&own), [view.payment_key(self.payment)])?;
        let payment = view.payment(self.payment)?;
        let operation = known(payment, self.operation)?;
        match operation.status() {
            OperationStatus::Queued => {}
            OperationStatus::Canceled => return Err(Halt::unchanged(payment)),
            status => {
                let (payment, operation) = (payment.id(), operation.id);
                return Err(Rejection::NotQueued { payment, operation, status }.into());
            }
        }
        let body = canceled(operation, "it was canceled before it was sent");
        Recorder::one(command, view, payment, Entry::new(Cause::Command, body).claiming([own]))
    }
}

fn known(payment: &Arc<Payment>, id: OperationId) -> Result<&Operation, Rejection> {
    payment.operation(id).ok_or(Rejection::OperationNotFound(id))
}

/// Why an attempt must not be sent any more.
fn why_not_sent(payment: &Payment, operation: &Operation, now: Timestamp) -> Option<&'static str> {
    if !operation.id.is_attempt() {
        return None;
    }
    let ran_out = payment.terms().expires_at.is_some_and(|at| at <= now);
    let has_money = payment.status() != PaymentStatus::Processing;
    match () {
        () if has_money => Some("the payment has money already"),
        () if ran_out => Some("the payment expired before it was sent"),
        () => None,
    }
}

fn canceled(operation: &Operation, why: &str) -> Body {
    Body::Canceled(Canceled { operation: operation.id, error_message: Message::lossy(why) })
}

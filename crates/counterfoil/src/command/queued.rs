//! Sending and canceling queued operations.

use super::Command;
use super::capture::gateway_of;
use super::change::{Change, Entry, Recorder};
use super::payable::Payable;
use super::rejection::Rejection;
use super::start::{lease, retry};
use super::view::{Halt, View};
use crate::claim::{ClaimKey, Fingerprint};
use crate::clock::Timestamp;
use crate::destinations::Known;
use crate::event::{Body, Canceled, Sent};
use crate::id::{PaymentId, UpdateId};
use crate::payment::{Operation, OperationId, Payment};
use crate::status::{Cause, OperationStatus};
use crate::text::Message;

/// Sends a queued operation. The caller whose command writes the event calls the gateway next.
///
/// The operation is canceled instead, with the reason, if it could not be started now. An operation that is no longer
/// queued does not change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendQueued {
    /// The id of this command. A second execution with the same id changes nothing.
    pub update: UpdateId,
    /// The payment of the operation.
    pub payment: PaymentId,
    /// The operation that is sent.
    pub operation: OperationId,
    /// What the host knows about the destination of the payment.
    pub known: Known,
}

/// Cancels a queued operation. It is never sent, and the amount that it reserved is available again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancelQueued {
    /// The id of this command. A second execution with the same id changes nothing.
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
        let operation = find(payment, self.operation)?;
        if !operation.is_queued() {
            return Err(Halt::unchanged(payment));
        }
        gateway_of(command, operation)?;
        let body = match self.why_not_sent(command, view, payment, operation)? {
            Some(why) => canceled(operation, &why),
            None => sent(command, payment, operation),
        };
        Recorder::one(command, view, payment, Entry::new(Cause::Command, body).claiming([own]))
    }

    /// Why the operation could not be started now. An error if this cannot be decided yet: then it stays queued.
    fn why_not_sent(
        &self,
        command: &Command,
        view: &View<'_>,
        payment: &Payment,
        operation: &Operation,
    ) -> Result<Option<String>, Halt> {
        if !operation.id.is_attempt() {
            return Ok((!payment.has_amount_for(operation)).then(|| UNAVAILABLE.to_owned()));
        }
        if let Some(why) = why_no_attempt(payment, operation, command.at) {
            return Ok(Some(why.to_owned()));
        }
        let terms = payment.terms();
        let payable = Payable::find(view, &terms.destination, &self.known)?.without(operation.amount);
        let fits = payable.require(terms.amount.currency());
        let fits = fits.and_then(|()| payable.require_room(command, payment.id(), terms.amount));
        match fits {
            Ok(()) => Ok(None),
            Err(later @ (Rejection::DestinationInDoubt { .. } | Rejection::DestinationsUnavailable)) => {
                Err(later.into())
            }
            Err(rejection) => Ok(Some(rejection.to_string())),
        }
    }
}

impl CancelQueued {
    pub(super) fn decide(&self, command: &Command, view: &View<'_>) -> Result<Change, Halt> {
        let own = (ClaimKey::update(view.scope, self.update), Fingerprint::default());
        view.unless_repeated(Some(&own), [view.payment_key(self.payment)])?;
        let payment = view.payment(self.payment)?;
        let operation = find(payment, self.operation)?;
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

fn find(payment: &Payment, id: OperationId) -> Result<&Operation, Rejection> {
    payment.operation(id).ok_or(Rejection::OperationNotFound(id))
}

/// Why a capture, refund or void is canceled.
const UNAVAILABLE: &str = "the amount is no longer available";

/// Why the queued attempt could not be started now, apart from its destination.
fn why_no_attempt(payment: &Payment, queued: &Operation, now: Timestamp) -> Option<&'static str> {
    let has_money = !payment.captured().is_zero() || !payment.held().is_zero();
    let is_other = |attempt: &Operation| attempt.id != queued.id && attempt.status().is_live();
    let has_expired = payment.terms().expires_at.is_some_and(|at| at <= now);
    let reasons = [
        (has_money, "the payment has money already"),
        (payment.attempts().any(is_other), "another attempt is under way"),
        (payment.gateway_payment_id().is_some(), "the payment was created at its gateway"),
        (payment.closed().is_some(), "the payment has ended"),
        (has_expired, "the payment expired before it was sent"),
    ];
    reasons.into_iter().find_map(|(applies, why)| applies.then_some(why))
}

fn sent(command: &Command, payment: &Payment, operation: &Operation) -> Body {
    let retry = if operation.id.is_attempt() { retry(Some(payment), false, command) } else { None };
    Body::Sent(Sent { operation: operation.id, lease_until: lease(command), retry })
}

fn canceled(operation: &Operation, why: &str) -> Body {
    Body::Canceled(Canceled { operation: operation.id, error_message: Message::lossy(why) })
}

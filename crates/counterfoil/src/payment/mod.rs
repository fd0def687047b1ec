//! A payment: its [`Terms`], which never change, and a small hot part, which follows from its events.

mod actions;
mod allocation;
mod amounts;
mod checkout;
mod dispute;
mod due;
mod evidence;
mod method;
mod moves;
mod operation;
mod operation_id;
mod operation_row;
mod position;
mod references;
mod reports;
mod reports_row;
mod retry;
mod reversal;
mod row;
mod standing;
mod terms;

use std::collections::BTreeSet;
use std::sync::Arc;

pub use actions::Possible;
pub(crate) use allocation::{SeveralMeant, attempt_id, only};
pub(crate) use amounts::WayBack;
pub use checkout::Checkout;
pub use dispute::{Dispute, DisputeStage, DisputeStatus, DisputeWord, DisputeWordKind};
pub use due::Work;
pub use evidence::{Evidence, Failure, FailureClass, Outcome};
pub use method::{
    CaptureMethod, Destination, DestinationType, InvalidPaymentMethod, PaymentMethod, PaymentMethodType,
};
pub use moves::IllegalMove;
pub(crate) use moves::check_moves;
pub(crate) use operation::{Allocation, Polls};
pub use operation::{Operation, OperationKind, Origin, VoidTarget};
pub use operation_id::OperationId;
pub(crate) use position::postings;
pub use references::References;
pub(crate) use reports::Reports;
pub use reports::{ReportSubject, Review};
pub use retry::{InvalidSchedule, Retry, RetrySchedule};
pub use reversal::Irreversible;
pub use standing::Attention;
pub use terms::Terms;

use crate::clock::Timestamp;
use crate::hash::Hash;
use crate::id::PaymentId;
use crate::money::Money;
use crate::scope::Scope;
use crate::status::PaymentStatus;
use crate::text::{
    Actor, GatewayName, GatewayPaymentId, GatewayTrackingId, Message, Metadata, NotificationId,
    PaymentMethodId, PaymentUrl,
};
use crate::word::words;

words! {
    /// How a payment was ended, where no money decides it.
    Closed, "closing" {
        /// Without money, by a refusal.
        Failed = 1, "failed";
        /// It was cancelled, by the host or by a void.
        Voided = 2, "voided";
        /// Its time ran out.
        Expired = 3, "expired";
    }
}

/// A payment as it stood after its last event.
///
/// It is a cache: folding the events of its stream gives exactly this. It is read, shared and compared;
/// it changes only by executing a [`Command`](crate::command::Command).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    pub(crate) terms: Arc<Terms>,
    pub(crate) version: u64,
    pub(crate) head: Hash,
    pub(crate) status: PaymentStatus,
    pub(crate) submitted: bool,
    /// How it was ended by itself; [`closed`](Self::closed) counts what its operations mean for it too.
    pub(crate) closed: Option<Closed>,
    /// Why the clock gave it up, where an automatic retry could not be made.
    pub(crate) closed_because: Option<Message>,
    /// The sequence of the attempt that opened it again after it had failed.
    pub(crate) reopened: Option<u64>,
    pub(crate) archived_at: Option<Timestamp>,
    pub(crate) succeeded_at: Option<Timestamp>,
    pub(crate) failed_at: Option<Timestamp>,
    pub(crate) refunded_at: Option<Timestamp>,
    pub(crate) voided_at: Option<Timestamp>,
    pub(crate) references: References,
    pub(crate) updated_at: Timestamp,
    pub(crate) updated_by: Actor,
    pub(crate) operations: Vec<Operation>,
    pub(crate) disputes: Vec<Dispute>,
    /// What was captured beyond what was due, by the last event that captured.
    pub(crate) excess: Option<Money>,
    /// Unmatched funds that were reported for it: why each needs a review, and the name under which it was reported.
    pub(crate) misfits: Vec<(Review, NotificationId)>,
    /// The review reasons that an operator has dismissed.
    pub(crate) dismissed: BTreeSet<Review>,
    /// How often its gateway was asked in vain about a payment that was made there.
    pub(crate) polls: Polls,
}

impl Payment {
    /// The id of the payment.
    #[must_use]
    pub fn id(&self) -> PaymentId {
        self.terms.id
    }

    /// The tenant and environment that own the payment.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.terms.scope
    }

    /// What it is about.
    #[must_use]
    pub fn terms(&self) -> &Arc<Terms> {
        &self.terms
    }

    /// The status that follows from the facts.
    #[must_use]
    pub fn status(&self) -> PaymentStatus {
        self.status
    }

    /// The sequence of its last event: rises by one with every event.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The hash of its last event.
    #[must_use]
    pub fn head(&self) -> Hash {
        self.head
    }

    /// Whether it was accepted, not only recorded.
    #[must_use]
    pub fn is_submitted(&self) -> bool {
        self.submitted
    }

    /// How it was ended, if it was. Money that arrives later counts all the same. What undid a charge ends it too,
    /// and so do returns of all that was captured.
    #[must_use]
    pub fn closed(&self) -> Option<Closed> {
        let is_declined = self.operations.iter().any(|operation| operation.ended_payment);
        let failed = (is_declined || self.is_returned()).then_some(Closed::Failed);
        self.closed.max(self.is_undone().then_some(Closed::Voided)).max(failed)
    }

    /// Its operations in the order they were started.
    #[must_use]
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// Its charge and authorization attempts, numbered from 1 without a gap.
    pub fn attempts(&self) -> impl Iterator<Item = &Operation> + Clone {
        self.operations.iter().filter(|operation| operation.id.is_attempt())
    }

    /// Its refunds, those included that came to nothing.
    pub fn refunds(&self) -> impl Iterator<Item = &Operation> + Clone {
        self.operations.iter().filter(|operation| operation.id.is_refund())
    }

    /// Its captures of held money, those included that came to nothing.
    pub fn captures(&self) -> impl Iterator<Item = &Operation> + Clone {
        self.operations.iter().filter(|operation| operation.id.is_capture())
    }

    /// Its voids, those included that came to nothing. Cancelling a payment that has no money makes none.
    pub fn voids(&self) -> impl Iterator<Item = &Operation> + Clone {
        self.operations.iter().filter(|operation| operation.id.is_void())
    }

    /// Its disputes, in the order in which they were first reported.
    #[must_use]
    pub fn disputes(&self) -> &[Dispute] {
        &self.disputes
    }

    /// What was captured beyond what was due by then, where that was known.
    #[must_use]
    pub fn excess(&self) -> Option<Money> {
        self.excess
    }

    /// The operation with this id.
    #[must_use]
    pub fn operation(&self, id: OperationId) -> Option<&Operation> {
        self.operations.iter().find(|operation| operation.id == id)
    }

    /// The attempt that may still move money.
    #[must_use]
    pub fn live_attempt(&self) -> Option<&Operation> {
        self.attempts().find(|attempt| attempt.status().is_live())
    }

    /// Where the payer is sent, while the payer must act.
    #[must_use]
    pub fn payment_url(&self) -> Option<&PaymentUrl> {
        self.live_attempt().and_then(Operation::payment_url)
    }

    /// Why it did not go well: in the host's words if there are any; else why it was given up, while it is `FAILED`; else
    /// why its last attempt did not succeed.
    #[must_use]
    pub fn error_message(&self) -> Option<&Message> {
        let own = self.references.error_message.as_ref();
        let given_up = self.closed_because.as_ref().filter(|_| self.status() == PaymentStatus::Failed);
        own.or(given_up).or_else(|| self.attempts().last().and_then(Operation::error_message))
    }

    /// Whether a decline of `operation` ends it: no other attempt is to follow. An external attempt ends no payment
    /// that was charged from here.
    pub(crate) fn ends_with(&self, operation: &Operation) -> bool {
        let is_beside = operation.origin == Origin::External && self.attempts().any(Operation::is_requested);
        let is_last = operation.id.is_attempt() && operation.kind.retry().is_none();
        is_last && !is_beside && !self.is_reopened_since(operation)
    }

    /// Whether it was opened again after `operation` was started: then that one can end it no more.
    pub(crate) fn is_reopened_since(&self, operation: &Operation) -> bool {
        self.reopened.is_some_and(|reopened| operation.sequence < reopened)
    }

    /// The host's own notes.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        self.references.metadata.as_ref().unwrap_or(&self.terms.metadata)
    }

    /// The gateway that has it, or is to have it: as was last said; else as asked for; else that of its last
    /// attempt.
    #[must_use]
    pub fn gateway(&self) -> Option<&GatewayName> {
        self.asked_gateway().or_else(|| self.attempts().last().and_then(|attempt| attempt.gateway.as_ref()))
    }

    /// The gateway that gives it its names there: as [`gateway`](Self::gateway), else the first of `gateways`.
    pub(crate) fn gateway_among<'a>(&'a self, gateways: &'a [GatewayName]) -> Option<&'a GatewayName> {
        let takes_one = self.terms.method.kind().needs_gateway();
        self.gateway().or(gateways.first()).filter(|_| takes_one)
    }

    /// The gateway that it is to go through.
    pub(crate) fn asked_gateway(&self) -> Option<&GatewayName> {
        self.references.gateway.as_ref().or(self.terms.checkout.gateway.as_ref())
    }

    /// What a gateway calls it, if it was made there: such a payment is asked about, never charged.
    #[must_use]
    pub fn gateway_payment_id(&self) -> Option<&GatewayPaymentId> {
        self.references.gateway_payment_id.as_ref()
    }

    /// What else it is tracked under at its gateway.
    #[must_use]
    pub fn gateway_tracking_id(&self) -> Option<&GatewayTrackingId> {
        self.references.gateway_tracking_id.as_ref()
    }

    /// The instrument of its next attempt.
    #[must_use]
    pub fn instrument(&self) -> Option<&PaymentMethodId> {
        self.references.instrument.as_ref().or(self.terms.method.instrument())
    }

    /// When it first succeeded.
    #[must_use]
    pub fn succeeded_at(&self) -> Option<Timestamp> {
        self.succeeded_at
    }

    /// When it first failed.
    #[must_use]
    pub fn failed_at(&self) -> Option<Timestamp> {
        self.failed_at
    }

    /// When captured money was first given back.
    #[must_use]
    pub fn refunded_at(&self) -> Option<Timestamp> {
        self.refunded_at
    }

    /// When it was first voided.
    #[must_use]
    pub fn voided_at(&self) -> Option<Timestamp> {
        self.voided_at
    }

    /// When it was archived: hidden from lists, closed for commands, still there.
    #[must_use]
    pub fn archived_at(&self) -> Option<Timestamp> {
        self.archived_at
    }

    /// The time of its last event.
    #[must_use]
    pub fn updated_at(&self) -> Timestamp {
        self.updated_at
    }

    /// Who caused its last event.
    #[must_use]
    pub fn updated_by(&self) -> &Actor {
        &self.updated_by
    }
}

//! The reasons for which a command is rejected.

use super::notify::UnknownReference;
use crate::account::GatewayEntryKind;
use crate::claim::RequestField;
use crate::clock::Timestamp;
use crate::codec::Damage;
use crate::event::StreamId;
use crate::id::{DisputeId, PaymentId};
use crate::money::{Currency, Money, MoneyError};
use crate::payment::{
    Destination, IllegalMove, Irreversible, OperationId, Payment, PaymentMethodType, SeveralMeant,
};
use crate::status::{Action, OperationStatus, PaymentStatus};
use crate::text::{GatewayName, GatewayOperationId, PaymentMethodId};

/// Why a command was refused. Nothing was written, and no idempotency key is bound.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// There is no such payment in the caller's scope.
    #[error("there is no payment {0}")]
    PaymentNotFound(PaymentId),
    /// The payment has no such operation at a gateway.
    #[error("the payment has no operation {0}")]
    OperationNotFound(OperationId),
    /// The operation is queued. Send it or cancel it first.
    #[error("{operation} is queued: send it or cancel it first")]
    Queued {
        /// The payment of the operation.
        payment: PaymentId,
        /// The operation that is queued.
        operation: OperationId,
    },
    /// The operation is no longer queued, so it cannot be canceled.
    #[error("{operation} is {status} and cannot be canceled: only queued operations can")]
    NotQueued {
        /// The payment of the operation.
        payment: PaymentId,
        /// The operation that was to be canceled.
        operation: OperationId,
        /// The status of the operation.
        status: OperationStatus,
    },
    /// The payment has no such dispute.
    #[error("the payment has no dispute {0}")]
    DisputeNotFound(DisputeId),
    /// The payment's status does not allow it.
    #[error("cannot {} a payment that is {status}", .action.verb())]
    NotAllowed {
        /// The payment that does not allow it.
        payment: PaymentId,
        /// The action that was asked for.
        action: Action,
        /// The status of the payment.
        status: PaymentStatus,
    },
    /// The payment is `FAILED`, and the [`Policy`](super::Policy::process_failed) lets none be processed again.
    #[error("cannot process {payment}: it is FAILED, and processing failed payments again is not enabled")]
    ProcessFailedDisabled {
        /// The payment that is `FAILED`.
        payment: PaymentId,
    },
    /// The payment is `FAILED` and can be processed again with another instrument than that of its last attempt.
    #[error(
        "cannot process {payment}: it is FAILED, its last attempt used {}; name another payment_method_id",
        named(instrument.as_ref())
    )]
    SameInstrument {
        /// The payment that is `FAILED`.
        payment: PaymentId,
        /// The instrument of its last attempt; `None`: the one that the gateway chooses.
        instrument: Option<PaymentMethodId>,
    },
    /// The payment is `FAILED` and money that was paid with this instrument was returned.
    #[error(
        "cannot process {payment} with {}: its bank returned the money; name another payment_method_id",
        named(instrument.as_ref())
    )]
    InstrumentReturned {
        /// The payment that is `FAILED`.
        payment: PaymentId,
        /// The instrument; `None`: the one that the gateway chooses.
        instrument: Option<PaymentMethodId>,
    },
    /// The status cannot be set of a payment that stands there.
    #[error("a payment that is {status} cannot be set to {to}")]
    NotSettable {
        /// The payment whose status was to be set.
        payment: PaymentId,
        /// The status of the payment.
        status: PaymentStatus,
        /// What was asked for.
        to: PaymentStatus,
    },
    /// The payment is not at the version that was asked for: it was changed in the meantime.
    #[error("the payment has been changed: it is at version {version}")]
    VersionConflict {
        /// The payment that was changed.
        payment: PaymentId,
        /// The version that the payment has now.
        version: u64,
    },
    /// The caller that started the attempt may still be sending it to its gateway.
    #[error("the payment's attempt is under way until {until} at the latest")]
    InFlight {
        /// The payment whose attempt is under way.
        payment: PaymentId,
        /// End of the lease of its sender.
        until: Timestamp,
    },
    /// The gateway has this payment: it is to be asked about it, not to be charged.
    #[error("the payment was made at its gateway, which can only be asked about it")]
    AtGateway {
        /// The payment that was created at its gateway.
        payment: PaymentId,
    },
    /// What is said to have happened is said to have happened later than now.
    #[error("{0} is in the future")]
    InFuture(Timestamp),
    /// A refund is recorded at a gateway by which no money of the payment came.
    #[error("no money of the payment came by {0}")]
    NothingCameBy(GatewayName),
    /// Money of this method moves inside the ledger only, so nothing of it is recorded as made elsewhere.
    #[error("{0} move inside the ledger only, and cannot be recorded as paid or refunded elsewhere")]
    NotRecordable(PaymentMethodType),
    /// The name that the gateway is said to have given belongs to something else.
    #[error("the gateway's id belongs to {0}")]
    GatewayIdTaken(StreamId),
    /// There is no such thing to be paid.
    #[error("there is no {} {}", .0.kind, .0.id)]
    DestinationNotFound(Destination),
    /// It takes no payments now.
    #[error("{} {} is not payable", .0.kind, .0.id)]
    DestinationNotPayable(Destination),
    /// It is paid in another currency.
    #[error("it is to be paid in {expected}")]
    DestinationCurrency {
        /// The currency in which it is to be paid.
        expected: Currency,
    },
    /// The destination lookup failed. A later retry may succeed.
    #[error("it cannot be told now whether this can be paid")]
    DestinationsUnavailable,
    /// The charge would come to more than is due for it.
    #[error("no more than {remaining} remains to be paid for {} {}", .destination.kind, .destination.id)]
    ExceedsDue {
        /// The invoice or customer that is paid.
        destination: Destination,
        /// What may still be charged for it.
        remaining: Money,
    },
    /// It is unknown yet whether another payment of the same invoice was charged.
    #[error("it is not known yet whether {payment} has paid {} {}", .destination.kind, .destination.id)]
    DestinationInDoubt {
        /// The invoice that is paid.
        destination: Destination,
        /// The other payment, whose outcome is unknown.
        payment: PaymentId,
    },
    /// More was asked for than one refund can give back.
    #[error("no more than {refundable} can be refunded at once")]
    ExceedsRefundable {
        /// The payment that was to be refunded.
        payment: PaymentId,
        /// What one refund can give back.
        refundable: Money,
    },
    /// More was asked for than is held.
    #[error("no more than {capturable} can be captured")]
    ExceedsCapturable {
        /// The payment that was to be captured.
        payment: PaymentId,
        /// The largest amount that can be captured.
        capturable: Money,
    },
    /// A void would release what is held, and there is nothing that it could: nothing is held, or others have it.
    #[error("payment {payment} cannot be voided: {}", nothing_free(*held))]
    NothingToRelease {
        /// The payment that was to be voided.
        payment: PaymentId,
        /// What is held, all of which is being captured or released.
        held: Money,
    },
    /// All of it cannot go back: something of it went back already, is on its way, or is disputed.
    #[error("some of the money is refunded, disputed, or on its way")]
    NotWhole {
        /// The payment that was to be voided or updated.
        payment: PaymentId,
    },
    /// The money was captured of a hold, and no void can take it back: a refund can.
    #[error("payment {payment} cannot be voided: {reason}; use a refund")]
    CaptureNotReversible {
        /// The payment that was to be voided.
        payment: PaymentId,
        /// Why the capture cannot be reversed.
        reason: Irreversible,
    },
    /// Money of this method is taken at once.
    #[error("{0} cannot be captured later")]
    CaptureMethodNotAllowed(PaymentMethodType),
    /// It would be over before it begins.
    #[error("{0} is in the past")]
    InPast(Timestamp),
    /// A notification matches nothing, or it is unknown yet what it matches. The gateway is to send it again.
    #[error(transparent)]
    NothingKnown(#[from] UnknownReference),
    /// A gateway reported a capture, a refund, or a return of an amount without an id: it could count twice.
    #[error(
        "a capture or a refund needs a gateway_operation_id or our own id, a return of an amount a gateway_operation_id"
    )]
    NameRequired,
    /// There is nothing about the payment that a person could settle.
    #[error("there is nothing to resolve about the payment")]
    NothingToResolve {
        /// The payment that was to be resolved.
        payment: PaymentId,
    },
    /// An operator decides about an operation or a dispute that its gateway settled, and nothing contradicts that.
    #[error("its gateway settled it, and nothing contradicts that: it cannot be resolved otherwise")]
    Settled {
        /// The payment of the operation or dispute.
        payment: PaymentId,
    },
    /// An operator decides about an operation what cannot be of it.
    #[error("the operation cannot be resolved as {resolution}")]
    Unfit {
        /// The payment of the operation.
        payment: PaymentId,
        /// The name of the decision that does not fit.
        resolution: &'static str,
    },
    /// A person says what became of an operation, and names none, but none has an open outcome. Something is marked for
    /// review.
    #[error("no outcome is open; `dismissed` settles what is marked")]
    NoneOpen {
        /// The payment that was to be resolved.
        payment: PaymentId,
    },
    /// A person says what became of an operation, and names none, but more than one has an open outcome.
    #[error("more than one outcome is open; name the operation")]
    SeveralOpen {
        /// The payment that has several open outcomes.
        payment: PaymentId,
    },
    /// What is to be done about it at a time is not due, or was done already.
    #[error("nothing of the kind is due")]
    NotDue {
        /// The payment for which nothing is due.
        payment: PaymentId,
    },
    /// The payment is archived: it takes no more commands.
    #[error("the payment is archived")]
    Archived {
        /// The payment that is archived.
        payment: PaymentId,
    },
    /// The idempotency key was used for another request.
    #[error("the idempotency key was used for another request")]
    KeyMismatch {
        /// What was made under the key.
        stream: StreamId,
        /// The fields that differ.
        fields: Vec<RequestField>,
    },
    /// The gateway used the name of a fee or payout for another one.
    #[error("{} {name} of {gateway} is recorded with other contents", kind.as_str())]
    GatewayEntryDiffers {
        /// The gateway that reported both.
        gateway: GatewayName,
        /// Whether it is a fee or a payout.
        kind: GatewayEntryKind,
        /// The name that both have.
        name: GatewayOperationId,
        /// The fields in which they differ.
        fields: Vec<RequestField>,
    },
    /// The id given to something new belongs to something else.
    #[error("the id of {0} is taken by another request")]
    IdTaken(StreamId),
    /// An amount of zero was asked for.
    #[error("the amount must be greater than zero")]
    AmountNotPositive,
    /// The amounts do not add up: another currency, or too large a sum.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// The method moves money at a gateway and none is configured.
    #[error("{0} needs a gateway and none is configured")]
    NoGateway(PaymentMethodType),
    /// The method is carried out by a gateway that has to be named.
    #[error("{0} needs a payment_gateway")]
    GatewayRequired(PaymentMethodType),
    /// The gateway that was asked for is not one of the configured ones.
    #[error("there is no gateway {0}")]
    UnknownGateway(GatewayName),
    /// The method moves no money at any gateway.
    #[error("{0} is not paid at a gateway")]
    NotAtGateway(PaymentMethodType),
    /// The method has no instrument that could be another one.
    #[error("{0} takes no other payment_method_id")]
    InstrumentNotAllowed(PaymentMethodType),
    /// The event that was decided on does not follow from the state it was decided on. A defect of the rules,
    /// stopped before anything is written.
    #[error("the decision does not fit the state it was made on")]
    Defect(#[source] Damage),
    /// The change would move something along an edge that its graph does not have. A defect of the rules,
    /// stopped before anything is written.
    #[error(transparent)]
    IllegalMove(#[from] IllegalMove),
}

impl From<SeveralMeant> for Rejection {
    fn from(SeveralMeant: SeveralMeant) -> Rejection {
        UnknownReference::Several.into()
    }
}

const fn nothing_free(held: Money) -> &'static str {
    if held.is_zero() { "nothing is held" } else { "all that is held is being captured or released" }
}

fn named(instrument: Option<&PaymentMethodId>) -> &str {
    instrument.map_or("no payment_method_id", PaymentMethodId::as_str)
}

impl Rejection {
    pub(super) fn not_allowed(payment: &Payment, action: Action) -> Rejection {
        Rejection::NotAllowed { payment: payment.id(), action, status: payment.status() }
    }
}

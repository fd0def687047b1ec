//! Why not.

use crate::claim::RequestField;
use crate::codec::Damage;
use crate::event::StreamId;
use crate::id::PaymentId;
use crate::money::MoneyError;
use crate::payment::{IllegalMove, OperationId, PaymentMethodType};
use crate::status::{Action, PaymentStatus};

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
    /// The payment's status does not allow it.
    #[error("cannot {action} a payment that is {status}")]
    NotAllowed {
        /// Which payment.
        payment: PaymentId,
        /// What was asked.
        action: Action,
        /// Where it stands.
        status: PaymentStatus,
    },
    /// The payment is archived: it takes no more commands.
    #[error("the payment is archived")]
    Archived {
        /// Which payment.
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

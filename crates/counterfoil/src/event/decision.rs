//! The decisions of operators.

use serde::Serialize;

use super::body::amount_text;
use crate::clock::Timestamp;
use crate::id::{AttemptId, DisputeId};
use crate::money::Money;
use crate::payment::{Closed, Failure, OperationId, Review};
use crate::text::Message;

/// An operator decided the outcome of an operation, or its parent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Resolved {
    /// The operation that the decision is about.
    #[serde(rename = "operation_id")]
    pub operation: OperationId,
    /// What the operator decided.
    #[serde(flatten)]
    pub decision: Decision,
    /// When it happened, as the operator states.
    pub occurred_at: Timestamp,
    /// The operator's reason for the decision.
    pub note: Message,
    /// How it closes the payment, by the policy of that time. None if it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closes: Option<Closed>,
    /// The amount captured beyond what is due, after this decision.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "amount_text")]
    pub excess: Option<Money>,
}

impl Resolved {
    pub(super) const fn kind(&self) -> &'static str {
        match self.operation {
            OperationId::Attempt(_) => "attempt.resolved",
            OperationId::Refund(_) => "refund.resolved",
            OperationId::Void(_) => "void.resolved",
            OperationId::Capture(_) => "capture.resolved",
        }
    }
}

/// What an operator decided about an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "resolution", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Decision {
    /// The operation succeeded: the money moved.
    Succeeded {
        /// The amount. None: the requested amount.
        #[serde(flatten)]
        amount: Option<Money>,
    },
    /// The operation failed: no money moved.
    Failed {
        /// The reason for the failure.
        #[serde(flatten)]
        failure: Failure,
    },
    /// The operation never reached the gateway.
    NotSent {},
    /// The money moved, and a bank took it back.
    Returned {
        /// The amount that was taken back. None: all of it.
        #[serde(flatten)]
        amount: Option<Money>,
    },
    /// The operation is allocated to an attempt.
    Allocated {
        /// The attempt to which the operation is allocated.
        #[serde(rename = "attempt_id")]
        of: AttemptId,
    },
    /// The operation is the same as one that was requested here.
    SameAs {
        /// The requested operation.
        #[serde(rename = "same_as")]
        operation: OperationId,
    },
    /// The operation is none of those that were requested here.
    Another {},
}

impl Decision {
    /// The name of the decision, as in `not_sent`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Decision::Succeeded { .. } => "succeeded",
            Decision::Failed { .. } => "failed",
            Decision::NotSent {} => "not_sent",
            Decision::Returned { .. } => "returned",
            Decision::Allocated { .. } => "allocated",
            Decision::SameAs { .. } => "same_as",
            Decision::Another {} => "another",
        }
    }
}

/// An operator decided how a dispute ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DisputeResolved {
    /// The dispute that the decision is about.
    #[serde(rename = "id")]
    pub dispute: DisputeId,
    /// What the operator decided.
    #[serde(flatten)]
    pub decision: DisputeDecision,
    /// When the operator decided it.
    pub occurred_at: Timestamp,
    /// The operator's reason for the decision.
    pub note: Message,
}

/// What an operator decided about a dispute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "resolution", rename_all = "snake_case")]
#[non_exhaustive]
pub enum DisputeDecision {
    /// The host keeps the money.
    Won {},
    /// The payer keeps the money.
    Lost {
        /// The amount that the payer keeps.
        #[serde(flatten)]
        amount: Money,
    },
}

impl DisputeDecision {
    /// The name of the decision: `won` or `lost`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            DisputeDecision::Won {} => "won",
            DisputeDecision::Lost { .. } => "lost",
        }
    }
}

/// An operator dismissed reviews.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dismissed {
    /// The review reasons that were dismissed.
    pub reviews: Vec<Review>,
    /// The operator's reason for the dismissal.
    pub note: Message,
}

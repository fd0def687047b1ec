//! What an operator decided.

use serde::Serialize;

use super::body::amount_text;
use crate::clock::Timestamp;
use crate::id::{AttemptId, DisputeId};
use crate::money::Money;
use crate::payment::{Closed, Failure, OperationId, Review};
use crate::text::Message;

/// An operator decided what became of an operation, or what it is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Resolved {
    /// The operation that the decision is about.
    #[serde(rename = "operation_id")]
    pub operation: OperationId,
    /// What the operator decided.
    #[serde(flatten)]
    pub decision: Decision,
    /// When it happened, in the operator's words.
    pub occurred_at: Timestamp,
    /// The operator's reason for the decision.
    pub note: Message,
    /// What it means for the payment, by the policy of the moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closes: Option<Closed>,
    /// What is captured beyond what is due, once this is decided.
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
        /// How much; `None`: all that was asked for.
        #[serde(flatten)]
        amount: Option<Money>,
    },
    /// The operation failed: no money moved.
    Failed {
        /// The reason for the failure.
        #[serde(flatten)]
        failure: Failure,
    },
    /// It never reached the gateway.
    NotSent {},
    /// It moved, and a bank took it back.
    Returned {
        /// How much of it; `None`: all.
        #[serde(flatten)]
        amount: Option<Money>,
    },
    /// It is of this attempt.
    Allocated {
        /// The attempt that it is allocated to.
        #[serde(rename = "attempt_id")]
        of: AttemptId,
    },
    /// It is this operation, which was requested here.
    SameAs {
        /// The requested operation that it is.
        #[serde(rename = "same_as")]
        operation: OperationId,
    },
    /// It is none of the operations that were requested here.
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
    /// The payer keeps it.
    Lost {
        /// How much of it.
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
    /// What came of it.
    pub note: Message,
}

//! What happened.

use std::sync::Arc;

use serde::Serialize;

use crate::clock::Timestamp;
use crate::id::{PaymentId, TopUpId};
use crate::money::Money;
use crate::payment::{Closed, Evidence, Failure, OperationId, Terms};
use crate::text::{GatewayName, PaymentMethodId};

/// What happened. Consequences that a policy decided stand in the event, so that replaying needs no policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Body {
    /// A payment was created, perhaps with its first attempt.
    Created(Created),
    /// A further attempt was started.
    Started(Start),
    /// A gateway said something about an operation.
    Reported(Reported),
    /// The payment was archived.
    Archived {},
    /// A wallet was topped up.
    ToppedUp(ToppedUp),
    /// A wallet paid for something.
    Debited(Debited),
}

impl Body {
    /// The event's type, as the history names it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Body::Created(_) => "payment.created",
            Body::Started(_) => "attempt.started",
            Body::Reported(_) => "attempt.reported",
            Body::Archived {} => "payment.archived",
            Body::ToppedUp(_) => "wallet.topped_up",
            Body::Debited(_) => "wallet.debited",
        }
    }
}

/// A payment was created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Created {
    /// What it is about.
    #[serde(flatten)]
    pub terms: Arc<Terms>,
    /// Whether it is accepted already, or only recorded.
    pub submitted: bool,
    /// Its first attempt, where it was to be processed at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<Start>,
}

/// An attempt was started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Start {
    /// Its id.
    #[serde(rename = "id")]
    pub operation: OperationId,
    /// What is asked for.
    #[serde(flatten)]
    pub amount: Money,
    /// Who is asked; `None` inside our own books.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<GatewayName>,
    /// The instrument.
    #[serde(rename = "payment_method_id", skip_serializing_if = "Option::is_none")]
    pub instrument: Option<PaymentMethodId>,
    /// How it began.
    #[serde(flatten)]
    pub result: StartResult,
}

/// How an attempt began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "payment_status", rename_all = "SCREAMING_SNAKE_CASE")]
#[non_exhaustive]
pub enum StartResult {
    /// Written down; the gateway is called next.
    Processing {
        /// Until when the caller may be on its way to the gateway.
        lease_until: Timestamp,
    },
    /// Done in the same step, inside our own books.
    Succeeded {},
    /// Refused in the same step; that ends the payment.
    Failed(Failure),
}

/// A gateway said something about an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reported {
    /// Which one.
    #[serde(rename = "operation_id")]
    pub operation: OperationId,
    /// What it said.
    #[serde(flatten)]
    pub evidence: Evidence,
    /// Whether the gateway's id was another operation's already: then it is not bound.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub gateway_id_clash: bool,
    /// What it means for the payment, by the policy of the moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closes: Option<Closed>,
}

/// A wallet was topped up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ToppedUp {
    /// The top-up.
    #[serde(rename = "id")]
    pub top_up: TopUpId,
    /// By how much.
    #[serde(flatten)]
    pub amount: Money,
}

/// A wallet paid for something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Debited {
    /// How much.
    #[serde(flatten)]
    pub amount: Money,
    /// Which payment.
    #[serde(rename = "payment_id")]
    pub payment: PaymentId,
    /// Which of its operations.
    #[serde(rename = "operation_id")]
    pub operation: OperationId,
}

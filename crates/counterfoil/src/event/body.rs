//! What happened.

use std::sync::Arc;

use serde::Serialize;

use crate::clock::Timestamp;
use crate::id::{PaymentId, TopUpId};
use crate::money::Money;
use crate::payment::{Closed, Evidence, Failure, OperationId, Outcome, References, Terms};
use crate::status::OperationStatus;
use crate::text::{GatewayName, Message, PaymentMethodId};

/// What happened. Consequences that a policy decided stand in the event, so that replaying needs no policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Body {
    /// A payment was created, perhaps with its first attempt.
    Created(Created),
    /// A further operation was started, or written down as having happened.
    Started(Start),
    /// A gateway said something about an operation.
    Reported(Reported),
    /// Names or notes were changed.
    Changed(References),
    /// The payment was accepted, with nothing sent yet.
    Submitted {},
    /// The payment was ended without money.
    Closed(Closing),
    /// The payment was archived.
    Archived {},
    /// A wallet was topped up.
    ToppedUp(ToppedUp),
    /// A wallet paid for something.
    Debited(Entered),
    /// A wallet got back what it had paid.
    Credited(Entered),
}

impl Body {
    /// The event's type, as the history names it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Body::Created(_) => "payment.created",
            Body::Started(start) => start.kind(),
            Body::Reported(_) => "attempt.reported",
            Body::Changed(_) => "payment.changed",
            Body::Submitted {} => "payment.submitted",
            Body::Closed(_) => "payment.closed",
            Body::Archived {} => "payment.archived",
            Body::ToppedUp(_) => "wallet.topped_up",
            Body::Debited(_) => "wallet.debited",
            Body::Credited(_) => "wallet.credited",
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

/// An operation was started.
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
    /// What that means for the payment, by the policy of the moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closes: Option<Closed>,
}

impl Start {
    const fn kind(&self) -> &'static str {
        match (self.operation, &self.result) {
            (OperationId::Attempt(_), StartResult::Recorded(_)) => "attempt.recorded",
            (OperationId::Attempt(_), _) => "attempt.started",
            (OperationId::Refund(_), _) => "refund.recorded",
            (OperationId::Void(_), _) => "void.recorded",
        }
    }
}

/// How an operation began.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// It had happened elsewhere: this is what is known of it.
    Recorded(Evidence),
}

impl Serialize for StartResult {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Data<'a> {
            payment_status: OperationStatus,
            #[serde(skip_serializing_if = "Option::is_none")]
            lease_until: Option<Timestamp>,
            #[serde(flatten)]
            failure: Option<&'a Failure>,
            #[serde(skip_serializing_if = "Option::is_none")]
            recorded: Option<&'a Evidence>,
        }
        let data = |payment_status| Data { payment_status, lease_until: None, failure: None, recorded: None };
        let data = match self {
            StartResult::Processing { lease_until } => {
                Data { lease_until: Some(*lease_until), ..data(OperationStatus::Processing) }
            }
            StartResult::Succeeded {} => data(OperationStatus::Succeeded),
            StartResult::Failed(failure) => Data { failure: Some(failure), ..data(OperationStatus::Failed) },
            StartResult::Recorded(evidence) => {
                let status = match evidence.outcome {
                    Outcome::Succeeded { .. } => OperationStatus::Succeeded,
                    _ => OperationStatus::Failed,
                };
                Data { recorded: Some(evidence), ..data(status) }
            }
        };
        data.serialize(to)
    }
}

/// The payment was ended without money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Closing {
    /// How.
    pub closes: Closed,
    /// When, in the words of whoever asked for it.
    pub occurred_at: Timestamp,
    /// The attempts that are given up with it: they waited for the payer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cancels: Vec<OperationId>,
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
    /// Of a person's word about it: why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<Message>,
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

/// A wallet paid for something, or got it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entered {
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

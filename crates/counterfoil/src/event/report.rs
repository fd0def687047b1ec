//! Reports of gateways, and status queries without a result.

use serde::Serialize;

use super::body::amount_text;
use crate::claim::RequestField;
use crate::clock::Timestamp;
use crate::id::{AttemptId, DisputeId};
use crate::money::Money;
use crate::payment::{Closed, DisputeWord, DisputeWordKind, Evidence, OperationId, ReportSubject, Review};
use crate::text::{GatewayDisputeId, GatewayName, NotificationId};

/// A gateway reported something about an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reported {
    /// The operation that the report is about.
    #[serde(rename = "operation_id")]
    pub operation: OperationId,
    /// What the gateway reported.
    #[serde(flatten)]
    pub evidence: Evidence,
    /// The part of the operation that the report is about.
    #[serde(flatten)]
    pub subject: ReportSubject,
    /// The reported parent of the operation.
    #[serde(rename = "attempt_id", skip_serializing_if = "Option::is_none")]
    pub parent: Option<AttemptId>,
    /// Whether another operation has the gateway's id already. Then the id is not bound.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub gateway_id_clash: bool,
    /// The external operation that has the same gateway id, and so is the same operation.
    #[serde(rename = "same_as", skip_serializing_if = "Option::is_none")]
    pub same: Option<OperationId>,
    /// How it closes the payment, by the policy of that time. None if it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closes: Option<Closed>,
    /// The amount captured beyond what is due, after this report.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "amount_text")]
    pub excess: Option<Money>,
}

impl Reported {
    pub(super) const fn kind(&self) -> &'static str {
        match self.operation {
            OperationId::Attempt(_) => "attempt.reported",
            OperationId::Refund(_) => "refund.reported",
            OperationId::Void(_) => "void.reported",
            OperationId::Capture(_) => "capture.reported",
        }
    }
}

/// A gateway reported an operation that was made there and moved nothing, or money in another currency. It moves no money
/// here, and is kept for review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Misfit {
    /// The gateway that reported it.
    pub gateway: GatewayName,
    /// The id under which it was reported.
    pub name: NotificationId,
    /// The id that the operation would have had. It includes the kind.
    #[serde(rename = "operation_id")]
    pub operation: OperationId,
    /// What the gateway reported.
    #[serde(flatten)]
    pub evidence: Evidence,
}

impl Misfit {
    /// The review reason, for a payment of the amount `asked`.
    pub(crate) fn review(&self, asked: Money) -> Review {
        match self.evidence.amount {
            Some(amount) if amount.currency() != asked.currency() => Review::CurrencyMismatch,
            _ => Review::AmountMismatch,
        }
    }
}

/// A gateway reused a notification id for other contents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotificationReused {
    /// The gateway that sent both notifications.
    pub gateway: GatewayName,
    /// The id that both notifications have.
    #[serde(rename = "notification_id")]
    pub notification: NotificationId,
    /// The fields in which the contents differ from the first.
    pub fields: Vec<RequestField>,
}

/// A gateway reported something about a dispute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Disputed {
    /// The dispute. An id that is not known yet is its first report.
    #[serde(rename = "id")]
    pub dispute: DisputeId,
    /// The gateway that reported it.
    pub gateway: GatewayName,
    /// The gateway's id of the dispute.
    pub gateway_dispute_id: GatewayDisputeId,
    /// The gateway's name of a movement of funds. Without a name, a stage has one withdrawal and one reinstatement.
    #[serde(rename = "gateway_operation_id", skip_serializing_if = "Option::is_none")]
    pub movement: Option<NotificationId>,
    /// What the gateway reported.
    #[serde(flatten)]
    pub word: DisputeWord,
}

impl Disputed {
    pub(super) const fn kind(&self) -> &'static str {
        match self.word.kind {
            DisputeWordKind::Opened => "dispute.opened",
            DisputeWordKind::Updated => "dispute.updated",
            DisputeWordKind::Won => "dispute.won",
            DisputeWordKind::Lost => "dispute.lost",
            DisputeWordKind::FundsWithdrawn => "dispute.funds_withdrawn",
            DisputeWordKind::FundsReinstated => "dispute.funds_reinstated",
        }
    }
}

/// A status query to a gateway had no result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Polled {
    /// The operation that was queried. `None`: the query was about a payment that was created at the gateway.
    #[serde(rename = "operation_id", skip_serializing_if = "Option::is_none")]
    pub operation: Option<OperationId>,
    /// The number of queries without a result so far.
    pub polls: u32,
    /// When the next query is made. `None`: there is none, and an operator has to decide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_at: Option<Timestamp>,
    /// Of an operation that never arrived and is sent again: end of the lease of the caller that sends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease_until: Option<Timestamp>,
}

//! How a payment and its operations start.

use std::sync::Arc;

use serde::Serialize;

use super::body::amount_text;
use crate::clock::Timestamp;
use crate::money::Money;
use crate::payment::{Closed, Evidence, Failure, OperationId, OperationKind, Outcome, Retry, Terms};
use crate::status::OperationStatus;
use crate::text::{GatewayName, Message, Metadata, PaymentMethodId};

/// A payment was created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Created {
    /// The terms of the payment.
    #[serde(flatten)]
    pub terms: Arc<Terms>,
    /// Whether the payment is submitted for processing, or only recorded.
    pub submitted: bool,
    /// The first attempt, if the payment is processed at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<Start>,
}

/// An operation was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// The id of the operation.
    pub operation: OperationId,
    /// Whether it is a charge, an authorization, a capture, a refund or a void, and what it is of.
    pub kind: OperationKind,
    /// The requested amount. Of an operation that was made elsewhere, it is the payment's amount unless the host names
    /// another; the reported amount is in the evidence.
    pub amount: Money,
    /// The gateway that carries it out. None for an operation inside our own books.
    pub gateway: Option<GatewayName>,
    /// The payment method id at the gateway. `None`: the gateway's default, or none is needed.
    pub instrument: Option<PaymentMethodId>,
    /// How it started: sent to a gateway, queued, done at once, or recorded.
    pub result: StartResult,
    /// How it closes the payment, by the policy of that time. None if it does not.
    pub closes: Option<Closed>,
    /// The reason for the operation, in the words of the host.
    pub reason: Option<Message>,
    /// The host's notes on it.
    pub metadata: Metadata,
    /// The amount captured beyond what is due, if it is done at once.
    pub excess: Option<Money>,
    /// Whether the attempt reopens a failed payment.
    pub reopens: bool,
}

impl Serialize for Start {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Data<'a> {
            id: OperationId,
            #[serde(flatten)]
            kind: OperationKind,
            #[serde(flatten)]
            amount: Money,
            #[serde(skip_serializing_if = "Option::is_none")]
            gateway: &'a Option<GatewayName>,
            #[serde(skip_serializing_if = "Option::is_none")]
            payment_method_id: &'a Option<PaymentMethodId>,
            #[serde(flatten)]
            result: &'a StartResult,
            #[serde(skip_serializing_if = "Option::is_none")]
            closes: Option<Closed>,
            #[serde(skip_serializing_if = "Option::is_none")]
            reason: &'a Option<Message>,
            #[serde(skip_serializing_if = "Metadata::is_empty")]
            metadata: &'a Metadata,
            #[serde(skip_serializing_if = "Option::is_none", serialize_with = "amount_text")]
            excess: Option<Money>,
            #[serde(skip_serializing_if = "std::ops::Not::not")]
            reopens: bool,
        }
        Data {
            id: self.operation,
            kind: self.kind,
            amount: self.told_amount(),
            gateway: &self.gateway,
            payment_method_id: &self.instrument,
            result: &self.result,
            closes: self.closes,
            reason: &self.reason,
            metadata: &self.metadata,
            excess: self.excess,
            reopens: self.reopens,
        }
        .serialize(to)
    }
}

impl Start {
    /// A start with the required fields only.
    pub(crate) fn new(
        operation: OperationId,
        kind: OperationKind,
        amount: Money,
        result: StartResult,
    ) -> Start {
        Start {
            operation,
            kind,
            amount,
            gateway: None,
            instrument: None,
            result,
            closes: None,
            reason: None,
            metadata: Metadata::default(),
            excess: None,
            reopens: false,
        }
    }

    /// The amount that the history shows: the reported amount of an operation that was made elsewhere, or else the
    /// requested amount.
    pub(super) fn told_amount(&self) -> Money {
        match &self.result {
            StartResult::Recorded(evidence) => evidence.amount.unwrap_or(self.amount),
            _ => self.amount,
        }
    }

    pub(super) const fn event_kind(&self) -> &'static str {
        let recorded = matches!(self.result, StartResult::Recorded(_));
        match (self.operation, recorded) {
            (OperationId::Attempt(_), true) => "attempt.recorded",
            (OperationId::Attempt(_), false) => "attempt.started",
            (OperationId::Refund(_), true) => "refund.recorded",
            (OperationId::Refund(_), false) => "refund.started",
            (OperationId::Void(_), true) => "void.recorded",
            (OperationId::Void(_), false) => "void.started",
            (OperationId::Capture(_), true) => "capture.recorded",
            (OperationId::Capture(_), false) => "capture.started",
        }
    }
}

/// How an operation started.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StartResult {
    /// The operation is recorded under a lease. Its gateway is called next.
    Processing {
        /// End of the lease under which the caller may be sending the operation to its gateway.
        lease_until: Timestamp,
    },
    /// The operation is queued. Its gateway is called after a later event, [`Sent`].
    Queued {},
    /// The operation succeeded at once, inside our own books.
    Succeeded {},
    /// The operation was refused at once. That ends the payment.
    Failed(Failure),
    /// The operation was made elsewhere, and this evidence of it is recorded.
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
            StartResult::Queued {} => data(OperationStatus::Queued),
            StartResult::Succeeded {} => data(OperationStatus::Succeeded),
            StartResult::Failed(failure) => Data { failure: Some(failure), ..data(OperationStatus::Failed) },
            StartResult::Recorded(evidence) => {
                let status = match evidence.outcome {
                    Outcome::Succeeded => OperationStatus::Succeeded,
                    _ => OperationStatus::Failed,
                };
                Data { recorded: Some(evidence), ..data(status) }
            }
        };
        data.serialize(to)
    }
}

/// A queued operation is sent. Its gateway is called next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sent {
    /// The operation that is sent.
    #[serde(rename = "operation_id")]
    pub operation: OperationId,
    /// End of the lease under which the caller may be sending the operation to its gateway.
    pub lease_until: Timestamp,
    /// Of an attempt: what follows if it is declined.
    #[serde(flatten)]
    pub retry: Option<Retry>,
}

impl Sent {
    pub(super) const fn kind(&self) -> &'static str {
        match self.operation {
            OperationId::Attempt(_) => "attempt.sent",
            OperationId::Refund(_) => "refund.sent",
            OperationId::Void(_) => "void.sent",
            OperationId::Capture(_) => "capture.sent",
        }
    }
}

/// A queued operation is canceled. It is never sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Canceled {
    /// The operation that is canceled.
    #[serde(rename = "operation_id")]
    pub operation: OperationId,
    /// Why it is not sent.
    pub error_message: Message,
}

impl Canceled {
    pub(super) const fn kind(&self) -> &'static str {
        match self.operation {
            OperationId::Attempt(_) => "attempt.canceled",
            OperationId::Refund(_) => "refund.canceled",
            OperationId::Void(_) => "void.canceled",
            OperationId::Capture(_) => "capture.canceled",
        }
    }
}

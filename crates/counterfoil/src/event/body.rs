//! What happened.

use std::sync::Arc;

use serde::Serialize;

use crate::account::Owed;
use crate::claim::RequestField;
use crate::clock::Timestamp;
use crate::id::{AttemptId, DisputeId, PaymentId, TopUpId};
use crate::money::Money;
use crate::payment::{
    Closed, DisputeWord, DisputeWordKind, Evidence, Failure, OperationId, OperationKind, Outcome, References,
    ReportSubject, Review, Terms,
};
use crate::status::OperationStatus;
use crate::text::{GatewayDisputeId, GatewayName, Message, Metadata, NotificationId, PaymentMethodId};

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
    /// An operator decided what became of an operation, or what it is of.
    Resolved(Resolved),
    /// A gateway told of money that cannot be this payment's.
    Misfit(Misfit),
    /// A gateway used the id of a notification for other contents.
    NotificationReused(NotificationReused),
    /// A gateway said something about a dispute.
    Disputed(Disputed),
    /// An operator decided how a dispute ended.
    DisputeResolved(DisputeResolved),
    /// A gateway was asked, and had no news.
    Polled(Polled),
    /// Somebody looked at what was marked for review.
    Dismissed(Dismissed),
    /// Names or notes were changed.
    Changed(References),
    /// The payment was accepted, with nothing sent yet.
    Submitted {},
    /// The payment was ended without money.
    Closed(Closing),
    /// The payment was archived.
    Archived {},
    /// What is owed for a destination was registered.
    Registered(Owed),
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
            Body::Started(start) => start.event_kind(),
            Body::Reported(reported) => reported.kind(),
            Body::Resolved(resolved) => resolved.kind(),
            Body::Misfit(_) => "evidence.kept",
            Body::NotificationReused(_) => "notification.reused",
            Body::Disputed(disputed) => disputed.kind(),
            Body::DisputeResolved(_) => "dispute.resolved",
            Body::Polled(_) => "gateway.polled",
            Body::Dismissed(_) => "review.dismissed",
            Body::Registered(_) => "destination.registered",
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

impl Body {
    /// Whether it can change what an operation or a dispute has moved.
    pub(crate) const fn may_move_money(&self) -> bool {
        match self {
            Body::Created(Created { attempt: Some(start), .. }) | Body::Started(start) => {
                !matches!(start.result, StartResult::Processing { .. })
            }
            Body::Reported(_) | Body::Resolved(_) | Body::Disputed(_) | Body::DisputeResolved(_) => true,
            _ => false,
        }
    }

    /// Where an event that can bring money says what is captured beyond what is due.
    pub(crate) const fn excess_mut(&mut self) -> Option<&mut Option<Money>> {
        match self {
            Body::Started(start) => Some(&mut start.excess),
            Body::Reported(reported) => Some(&mut reported.excess),
            Body::Resolved(resolved) => Some(&mut resolved.excess),
            _ => None,
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// Its id.
    pub operation: OperationId,
    /// What it does.
    pub kind: OperationKind,
    /// What is asked for. Of what happened elsewhere, the payment's amount unless the host says: what was reported is in
    /// the evidence.
    pub amount: Money,
    /// Who is asked; `None` inside our own books.
    pub gateway: Option<GatewayName>,
    /// The instrument.
    pub instrument: Option<PaymentMethodId>,
    /// How it began.
    pub result: StartResult,
    /// What that means for the payment, by the policy of the moment.
    pub closes: Option<Closed>,
    /// Why, in the host's words.
    pub reason: Option<Message>,
    /// The host's notes on it.
    pub metadata: Metadata,
    /// What is captured beyond what is due, if it is done at once.
    pub excess: Option<Money>,
    /// Whether the attempt opens a payment again that had failed.
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

/// An amount in the payment's own currency, which stands beside it.
#[allow(clippy::ref_option, reason = "serde asks by reference")]
fn amount_text<S: serde::Serializer>(amount: &Option<Money>, to: S) -> Result<S::Ok, S::Error> {
    match amount {
        Some(amount) => to.collect_str(&amount.amount_text()),
        None => to.serialize_none(),
    }
}

impl Start {
    /// An operation that begins so, without anything that only some have.
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

    /// Its amount, for people and programs that read the history: what was reported of something that happened elsewhere,
    /// else what was asked for.
    pub(super) fn told_amount(&self) -> Money {
        match &self.result {
            StartResult::Recorded(evidence) => evidence.amount.unwrap_or(self.amount),
            _ => self.amount,
        }
    }

    const fn event_kind(&self) -> &'static str {
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
                    Outcome::Succeeded => OperationStatus::Succeeded,
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
    /// Of a payment whose time ran out: the holds that are released, and nothing is ended otherwise.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub releases: Vec<OperationId>,
    /// Why the clock gave the payment up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Message>,
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
    /// What of the operation it is about.
    #[serde(flatten)]
    pub subject: ReportSubject,
    /// The attempt that it was reported to be of.
    #[serde(rename = "attempt_id", skip_serializing_if = "Option::is_none")]
    pub parent: Option<AttemptId>,
    /// Whether the gateway's id was another operation's already: then it is not bound.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub gateway_id_clash: bool,
    /// The external operation that has the gateway's id, and so is this one.
    #[serde(rename = "same_as", skip_serializing_if = "Option::is_none")]
    pub same: Option<OperationId>,
    /// What it means for the payment, by the policy of the moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closes: Option<Closed>,
    /// What is captured beyond what is due, once this is known.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "amount_text")]
    pub excess: Option<Money>,
}

impl Reported {
    const fn kind(&self) -> &'static str {
        match self.operation {
            OperationId::Attempt(_) => "attempt.reported",
            OperationId::Refund(_) => "refund.reported",
            OperationId::Void(_) => "void.reported",
            OperationId::Capture(_) => "capture.reported",
        }
    }
}

/// An operator decided what became of an operation, or what it is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Resolved {
    /// Which operation.
    #[serde(rename = "operation_id")]
    pub operation: OperationId,
    /// What the operator decided.
    #[serde(flatten)]
    pub decision: Decision,
    /// When it happened, in the operator's words.
    pub occurred_at: Timestamp,
    /// Why.
    pub note: Message,
    /// What it means for the payment, by the policy of the moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closes: Option<Closed>,
    /// What is captured beyond what is due, once this is decided.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "amount_text")]
    pub excess: Option<Money>,
}

/// What an operator decided about an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "resolution", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Decision {
    /// The money moved.
    Succeeded {
        /// How much; `None`: all that was asked for.
        #[serde(flatten)]
        amount: Option<Money>,
    },
    /// It did not.
    Failed {
        /// Why.
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
        /// Which one.
        #[serde(rename = "attempt_id")]
        of: AttemptId,
    },
    /// It is this operation, which was requested here.
    SameAs {
        /// Which one.
        #[serde(rename = "same_as")]
        operation: OperationId,
    },
    /// It is none of the operations that were requested here.
    Another {},
}

impl Decision {
    /// Its name.
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

impl Resolved {
    const fn kind(&self) -> &'static str {
        match self.operation {
            OperationId::Attempt(_) => "attempt.resolved",
            OperationId::Refund(_) => "refund.resolved",
            OperationId::Void(_) => "void.resolved",
            OperationId::Capture(_) => "capture.resolved",
        }
    }
}

/// A gateway told of something made there that moved nothing, or money of another currency: it counts as nothing, and
/// is kept for a person to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Misfit {
    /// Who said so.
    pub gateway: GatewayName,
    /// Under which name it was told.
    pub name: NotificationId,
    /// The id that it would have been given, which tells of what kind it would have been.
    #[serde(rename = "operation_id")]
    pub operation: OperationId,
    /// What was said.
    #[serde(flatten)]
    pub evidence: Evidence,
}

impl Misfit {
    /// Why a person should look at it, in a payment that asked for `asked`.
    pub(crate) fn review(&self, asked: Money) -> Review {
        match self.evidence.amount {
            Some(amount) if amount.currency() != asked.currency() => Review::CurrencyMismatch,
            _ => Review::AmountMismatch,
        }
    }
}

/// A gateway used the id of a notification again, for other contents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotificationReused {
    /// Which gateway.
    pub gateway: GatewayName,
    /// The id.
    #[serde(rename = "notification_id")]
    pub notification: NotificationId,
    /// The fields in which the contents differ from the first.
    pub fields: Vec<RequestField>,
}

/// A gateway said something about a dispute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Disputed {
    /// Which one; told of for the first time if it is not there yet.
    #[serde(rename = "id")]
    pub dispute: DisputeId,
    /// Who said so.
    pub gateway: GatewayName,
    /// What it is called there.
    pub gateway_dispute_id: GatewayDisputeId,
    /// The gateway's name of a movement of funds. Without a name, a stage has one withdrawal and one reinstatement.
    #[serde(rename = "gateway_operation_id", skip_serializing_if = "Option::is_none")]
    pub movement: Option<NotificationId>,
    /// What was said.
    #[serde(flatten)]
    pub word: DisputeWord,
}

impl Disputed {
    const fn kind(&self) -> &'static str {
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

/// An operator decided how a dispute ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DisputeResolved {
    /// Which dispute.
    #[serde(rename = "id")]
    pub dispute: DisputeId,
    /// What the operator decided.
    #[serde(flatten)]
    pub decision: DisputeDecision,
    /// When the operator decided it.
    pub occurred_at: Timestamp,
    /// Why.
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
    /// Its name.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            DisputeDecision::Won {} => "won",
            DisputeDecision::Lost { .. } => "lost",
        }
    }
}

/// A gateway was asked, and had no news.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Polled {
    /// About which operation; `None`: about a payment that was made there.
    #[serde(rename = "operation_id", skip_serializing_if = "Option::is_none")]
    pub operation: Option<OperationId>,
    /// How often it was asked in vain by now.
    pub polls: u32,
    /// When it is asked again; `None`: it is not, and a person has to look.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_at: Option<Timestamp>,
    /// Of what never arrived and is sent again: until when whoever sends it may be on the way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease_until: Option<Timestamp>,
}

/// Somebody looked at what was marked for review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dismissed {
    /// What was marked.
    pub reviews: Vec<Review>,
    /// What came of it.
    pub note: Message,
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

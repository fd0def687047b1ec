//! The bodies of events: what happened, by type.

use serde::Serialize;

use super::decision::{Dismissed, DisputeResolved, Resolved};
use super::report::{Disputed, Misfit, NotificationReused, Polled, Reported};
use super::start::{Canceled, Created, Sent, Start, StartResult};
use crate::account::{GatewayEntry, GatewayEntryKind, Owed};
use crate::clock::Timestamp;
use crate::id::{PaymentId, TopUpId};
use crate::money::Money;
use crate::payment::{Closed, OperationId, References};
use crate::text::Message;

/// What happened. Consequences that a policy decided stand in the event, so that replaying needs no policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Body {
    /// A payment was created, perhaps with its first attempt.
    Created(Created),
    /// A further operation was started, or written down as having happened.
    Started(Start),
    /// A gateway reported something about an operation.
    Reported(Reported),
    /// A queued operation was sent.
    Sent(Sent),
    /// A queued operation was canceled.
    Canceled(Canceled),
    /// An operator decided what became of an operation, or what it is of.
    Resolved(Resolved),
    /// A gateway reported funds that cannot be matched to this payment.
    Misfit(Misfit),
    /// A gateway used the id of a notification for other contents.
    NotificationReused(NotificationReused),
    /// A gateway reported something about a dispute.
    Disputed(Disputed),
    /// An operator decided how a dispute ended.
    DisputeResolved(DisputeResolved),
    /// A status query to a gateway had no result.
    Polled(Polled),
    /// An operator dismissed reviews.
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
    /// A gateway charged a fee, or refunded one.
    Fee(GatewayEntry),
    /// A gateway paid out what it owed, or a payout came back.
    Payout(GatewayEntry),
}

impl Body {
    /// The event's type, as the history names it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Body::Created(_) => "payment.created",
            Body::Started(start) => start.event_kind(),
            Body::Reported(reported) => reported.kind(),
            Body::Sent(sent) => sent.kind(),
            Body::Canceled(canceled) => canceled.kind(),
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
            Body::Fee(_) => "gateway.fee",
            Body::Payout(_) => "gateway.payout",
        }
    }
}

impl Body {
    /// The body of the event that records `entry`.
    pub(crate) const fn of_gateway(kind: GatewayEntryKind, entry: GatewayEntry) -> Body {
        match kind {
            GatewayEntryKind::Fee => Body::Fee(entry),
            GatewayEntryKind::Payout => Body::Payout(entry),
        }
    }

    /// The fee or payout of a gateway, if it records one.
    #[must_use]
    pub const fn gateway_entry(&self) -> Option<(GatewayEntryKind, &GatewayEntry)> {
        match self {
            Body::Fee(entry) => Some((GatewayEntryKind::Fee, entry)),
            Body::Payout(entry) => Some((GatewayEntryKind::Payout, entry)),
            _ => None,
        }
    }

    /// Whether it can change what an operation or a dispute has moved.
    pub(crate) const fn may_move_money(&self) -> bool {
        match self {
            Body::Created(Created { attempt: Some(start), .. }) | Body::Started(start) => {
                !matches!(start.result, StartResult::Processing { .. } | StartResult::Queued {})
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

/// The payment was ended without money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Closing {
    /// How the payment ended: failed, voided or expired.
    pub closes: Closed,
    /// When it ended, as the request gives it.
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

/// A wallet was topped up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ToppedUp {
    /// The id of the top-up.
    #[serde(rename = "id")]
    pub top_up: TopUpId,
    /// The amount of credits that was added.
    #[serde(flatten)]
    pub amount: Money,
}

/// A wallet paid for something, or got it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entered {
    /// The amount that left the wallet or came back to it.
    #[serde(flatten)]
    pub amount: Money,
    /// The payment that took or returned the credits.
    #[serde(rename = "payment_id")]
    pub payment: PaymentId,
    /// Which of its operations.
    #[serde(rename = "operation_id")]
    pub operation: OperationId,
}

/// An amount in the payment's own currency, which stands beside it.
#[allow(clippy::ref_option, reason = "serde asks by reference")]
pub(super) fn amount_text<S: serde::Serializer>(amount: &Option<Money>, to: S) -> Result<S::Ok, S::Error> {
    match amount {
        Some(amount) => to.collect_str(&amount.amount_text()),
        None => to.serialize_none(),
    }
}

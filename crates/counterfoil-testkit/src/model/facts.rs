//! What can be seen of the books, in a form that the model and a store can both be asked for.

use std::collections::BTreeSet;

use counterfoil::clock::Timestamp;
use counterfoil::id::{AttemptId, CaptureId, DisputeId};
use counterfoil::money::Money;
use counterfoil::payment::{
    Dispute, DisputeStage, DisputeStatus, Operation, OperationId, OperationKind, Origin, Payment, Review,
    VoidTarget, Work,
};
use counterfoil::status::{OperationStatus, PaymentStatus};
use counterfoil::text::{
    DestinationNumber, GatewayDisputeId, GatewayName, GatewayPaymentId, GatewayTrackingId, Message, Metadata,
    PaymentMethodId,
};

/// What can be seen of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentFacts {
    /// Where it stands.
    pub status: PaymentStatus,
    /// The money that was taken and not taken back by a void.
    pub captured: Money,
    /// What of it was given back.
    pub refunded: Money,
    /// What of it could be given back.
    pub refundable: Money,
    /// All that was ever authorized.
    pub authorized: Money,
    /// What is held.
    pub held: Money,
    /// What of that could be captured.
    pub capturable: Money,
    /// What disputes have taken or may take.
    pub disputed: Money,
    /// What of that lost disputes have taken.
    pub charged_back: Money,
    /// What was captured beyond what was due.
    pub excess: Option<Money>,
    /// Its disputes, in order.
    pub disputes: Vec<DisputeFacts>,
    /// Whether its gateway is not asked any more.
    pub is_stuck: bool,
    /// What is to be done about it next, and when.
    pub next_due: Option<(Timestamp, Work)>,
    /// Its operations, in order.
    pub operations: Vec<OperationFacts>,
    /// Why a person should look at it.
    pub reviews: BTreeSet<Review>,
    /// Whether it is put away.
    pub archived: bool,
    /// How many events it has.
    pub version: u64,
    /// Names and notes.
    pub names: NameFacts,
    /// When what came about first came about.
    pub times: TimeFacts,
}

/// What a payment is known by, and what is noted of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameFacts {
    /// What people call what it pays.
    pub number: Option<DestinationNumber>,
    /// The host's own notes.
    pub metadata: Metadata,
    /// The gateway that has it, or is to have it.
    pub gateway: Option<GatewayName>,
    /// What that gateway calls it.
    pub gateway_payment_id: Option<GatewayPaymentId>,
    /// What else it is tracked under.
    pub gateway_tracking_id: Option<GatewayTrackingId>,
    /// The instrument of its next attempt.
    pub instrument: Option<PaymentMethodId>,
    /// Why it did not go well.
    pub error_message: Option<Message>,
}

/// When what became of a payment first came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeFacts {
    /// That it succeeded.
    pub succeeded_at: Option<Timestamp>,
    /// That it failed.
    pub failed_at: Option<Timestamp>,
    /// That money was given back.
    pub refunded_at: Option<Timestamp>,
    /// That it was voided.
    pub voided_at: Option<Timestamp>,
    /// The last of its events.
    pub updated_at: Timestamp,
}

/// What can be seen of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct OperationFacts {
    /// Its id.
    pub id: OperationId,
    /// Its number among those of its kind.
    pub number: u32,
    /// How the ledger came to know of it.
    pub origin: Origin,
    /// Where it stands.
    pub status: OperationStatus,
    /// What was asked for.
    pub amount: Money,
    /// What it moved, if it succeeded.
    pub moved: Option<Money>,
    /// What was returned of it.
    pub returned: Option<Money>,
    /// Who was asked.
    pub gateway: Option<GatewayName>,
    /// With which instrument.
    pub instrument: Option<PaymentMethodId>,
    /// Whether the schedule of retries made it.
    pub scheduled: bool,
    /// The operation that it is: it counts nothing by itself.
    pub same_as: Option<OperationId>,
    /// Whether it counts nothing by itself, or not yet.
    pub is_set_apart: bool,
    /// Whether it is about a hold.
    pub holds: bool,
    /// The attempt that it takes from.
    pub attempt: Option<AttemptId>,
    /// The capture that it reverses.
    pub reverses: Option<CaptureId>,
    /// What of a hold it releases beside what it captures.
    pub releases: Option<Money>,
    /// Until when nothing need be heard of it.
    pub runs_until: Option<Timestamp>,
    /// Whether nobody asks about it any more.
    pub is_stuck: bool,
    /// When something was last learnt about it.
    pub updated_at: Timestamp,
}

impl PaymentFacts {
    /// What can be seen of a stored payment.
    #[must_use]
    pub fn of(payment: &Payment) -> PaymentFacts {
        PaymentFacts {
            status: payment.status(),
            captured: payment.captured(),
            refunded: payment.refunded(),
            refundable: payment.refundable(),
            authorized: payment.authorized(),
            held: payment.held(),
            capturable: payment.capturable(),
            disputed: payment.disputed(),
            charged_back: payment.charged_back(),
            excess: payment.excess(),
            disputes: payment.disputes().iter().map(DisputeFacts::of).collect(),
            is_stuck: payment.is_stuck(),
            next_due: payment.next_due(),
            operations: payment.operations().iter().map(OperationFacts::of).collect(),
            reviews: payment.reviews(),
            archived: payment.archived_at().is_some(),
            version: payment.version(),
            names: NameFacts::of(payment),
            times: TimeFacts::of(payment),
        }
    }
}

impl NameFacts {
    fn of(payment: &Payment) -> NameFacts {
        NameFacts {
            number: payment.terms().number.clone(),
            metadata: payment.metadata().clone(),
            gateway: payment.gateway().cloned(),
            gateway_payment_id: payment.gateway_payment_id().cloned(),
            gateway_tracking_id: payment.gateway_tracking_id().cloned(),
            instrument: payment.instrument().cloned(),
            error_message: payment.error_message().cloned(),
        }
    }
}

impl TimeFacts {
    fn of(payment: &Payment) -> TimeFacts {
        TimeFacts {
            succeeded_at: payment.succeeded_at(),
            failed_at: payment.failed_at(),
            refunded_at: payment.refunded_at(),
            voided_at: payment.voided_at(),
            updated_at: payment.updated_at(),
        }
    }
}

impl OperationFacts {
    fn of(operation: &Operation) -> OperationFacts {
        OperationFacts {
            id: operation.id,
            number: operation.number,
            origin: operation.origin,
            status: operation.status(),
            amount: operation.amount,
            moved: operation.moved(),
            returned: operation.returned(),
            gateway: operation.gateway.clone(),
            instrument: operation.instrument.clone(),
            scheduled: operation.kind.is_scheduled(),
            same_as: operation.same_as(),
            is_set_apart: operation.is_set_apart(),
            holds: match operation.kind {
                OperationKind::Void { target, .. } => target == VoidTarget::Hold,
                _ => operation.is_hold(),
            },
            attempt: operation.parent(),
            reverses: operation.kind.reversed_capture(),
            releases: operation.kind.releases(),
            runs_until: operation.runs_until(),
            is_stuck: operation.is_stuck(),
            updated_at: operation.updated_at,
        }
    }
}

/// What can be seen of a dispute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisputeFacts {
    /// Its id.
    pub id: DisputeId,
    /// Who told of it.
    pub gateway: GatewayName,
    /// What it is called there.
    pub called: GatewayDisputeId,
    /// How far it has gone.
    pub stage: DisputeStage,
    /// Where it stands there.
    pub status: DisputeStatus,
    /// What is disputed, if that was said.
    pub amount: Option<Money>,
    /// Until when the host is to answer.
    pub due_by: Option<Timestamp>,
    /// What was taken for it.
    pub withdrawn: Money,
    /// What was given back.
    pub reinstated: Money,
}

impl DisputeFacts {
    fn of(dispute: &Dispute) -> DisputeFacts {
        DisputeFacts {
            id: dispute.id,
            gateway: dispute.gateway.clone(),
            called: dispute.gateway_dispute_id.clone(),
            stage: dispute.stage(),
            status: dispute.status(),
            amount: dispute.amount(),
            due_by: dispute.due_by(),
            withdrawn: dispute.withdrawn(),
            reinstated: dispute.reinstated(),
        }
    }
}

//! What a caller asks for about money that was charged or held.

use crate::clock::Timestamp;
use crate::command::{About, Resolution, Told};
use crate::money::Money;
use crate::payment::OperationId;
use crate::text::{GatewayName, GatewayOperationId, IdempotencyKey, Message, Metadata, NotificationId};

/// A capture to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewCapture {
    /// How much; `None`: all that can be captured.
    pub amount: Option<Money>,
    /// Whether the rest of the hold is released with it. Default: yes.
    pub is_final: bool,
    /// The key under which it may be asked for again.
    pub idempotency_key: Option<IdempotencyKey>,
    /// Whether the operation is queued: recorded now, [sent](super::Ledger::send) to its gateway later. Default: no.
    pub queued: bool,
}

impl NewCapture {
    /// Of all that can be captured.
    #[must_use]
    pub const fn all() -> NewCapture {
        NewCapture { amount: None, is_final: true, idempotency_key: None, queued: false }
    }

    /// Of `amount`; the rest of the hold is released.
    #[must_use]
    pub const fn of(amount: Money) -> NewCapture {
        NewCapture { amount: Some(amount), is_final: true, idempotency_key: None, queued: false }
    }

    /// Leaving the rest of the hold for further captures.
    #[must_use]
    pub const fn keeping_the_rest(mut self) -> NewCapture {
        self.is_final = false;
        self
    }

    /// With this key.
    #[must_use]
    pub fn with_idempotency_key(mut self, key: IdempotencyKey) -> NewCapture {
        self.idempotency_key = Some(key);
        self
    }

    /// Queues the operation: it is recorded now, and [sent](super::Ledger::send) to its gateway later.
    #[must_use]
    pub fn queued(mut self) -> NewCapture {
        self.queued = true;
        self
    }
}

/// A refund to be made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct NewRefund {
    /// How much; `None`: [all that can be at once](crate::payment::Payment::refundable_at_once).
    pub amount: Option<Money>,
    /// Why.
    pub reason: Option<Message>,
    /// The host's notes on it.
    pub metadata: Metadata,
    /// The key under which it may be asked for again.
    pub idempotency_key: Option<IdempotencyKey>,
    /// Whether the operation is queued: recorded now, [sent](super::Ledger::send) to its gateway later. Default: no.
    pub queued: bool,
}

impl NewRefund {
    /// Of all that can be refunded at once: what one charge brought.
    #[must_use]
    pub fn all() -> NewRefund {
        NewRefund::default()
    }

    /// Of `amount`.
    #[must_use]
    pub fn of(amount: Money) -> NewRefund {
        NewRefund { amount: Some(amount), ..NewRefund::default() }
    }

    /// For this reason.
    #[must_use]
    pub fn with_reason(mut self, reason: Message) -> NewRefund {
        self.reason = Some(reason);
        self
    }

    /// With these notes.
    #[must_use]
    pub fn with_metadata(mut self, metadata: Metadata) -> NewRefund {
        self.metadata = metadata;
        self
    }

    /// With this key.
    #[must_use]
    pub fn with_idempotency_key(mut self, key: IdempotencyKey) -> NewRefund {
        self.idempotency_key = Some(key);
        self
    }

    /// Queues the operation: it is recorded now, and [sent](super::Ledger::send) to its gateway later.
    #[must_use]
    pub fn queued(mut self) -> NewRefund {
        self.queued = true;
        self
    }
}

/// A refund that was made elsewhere, to be recorded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct NewRecordedRefund {
    /// How much went back; `None`: all that is [refundable](crate::payment::Payment::refundable).
    pub amount: Option<Money>,
    /// The gateway at which it was made, one of the ledger's. Without it, and without a gateway's id of the refund, it was
    /// made off-gateway: cash, a transfer.
    pub gateway: Option<GatewayName>,
    /// What the gateway calls it: of one name there is one refund.
    pub gateway_refund_id: Option<GatewayOperationId>,
    /// When it was made, not in the future; `None`: now.
    pub occurred_at: Option<Timestamp>,
    /// Why.
    pub reason: Option<Message>,
    /// The host's notes on it.
    pub metadata: Metadata,
    /// The key under which it may be asked for again.
    pub idempotency_key: Option<IdempotencyKey>,
}

impl NewRecordedRefund {
    /// Of all that is refundable, off-gateway.
    #[must_use]
    pub fn all() -> NewRecordedRefund {
        NewRecordedRefund::default()
    }

    /// Of `amount`, off-gateway.
    #[must_use]
    pub fn of(amount: Money) -> NewRecordedRefund {
        NewRecordedRefund { amount: Some(amount), ..NewRecordedRefund::default() }
    }

    /// Made at this gateway.
    #[must_use]
    pub fn with_gateway(mut self, gateway: GatewayName) -> NewRecordedRefund {
        self.gateway = Some(gateway);
        self
    }

    /// With the gateway's id of it.
    #[must_use]
    pub fn with_gateway_refund_id(mut self, id: GatewayOperationId) -> NewRecordedRefund {
        self.gateway_refund_id = Some(id);
        self
    }

    /// Made at `moment`.
    #[must_use]
    pub const fn made_at(mut self, moment: Timestamp) -> NewRecordedRefund {
        self.occurred_at = Some(moment);
        self
    }

    /// For this reason.
    #[must_use]
    pub fn with_reason(mut self, reason: Message) -> NewRecordedRefund {
        self.reason = Some(reason);
        self
    }

    /// With these notes.
    #[must_use]
    pub fn with_metadata(mut self, metadata: Metadata) -> NewRecordedRefund {
        self.metadata = metadata;
        self
    }

    /// With this key.
    #[must_use]
    pub fn with_idempotency_key(mut self, key: IdempotencyKey) -> NewRecordedRefund {
        self.idempotency_key = Some(key);
        self
    }
}

/// A void to be made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct NewVoid {
    /// Why.
    pub reason: Option<Message>,
    /// The key under which it may be asked for again.
    pub idempotency_key: Option<IdempotencyKey>,
    /// Whether the operation is queued: recorded now, [sent](super::Ledger::send) to its gateway later. Default: no.
    pub queued: bool,
}

impl NewVoid {
    /// Of what there is: the payment, the rest of its hold, or its charge.
    #[must_use]
    pub fn new() -> NewVoid {
        NewVoid::default()
    }

    /// For this reason.
    #[must_use]
    pub fn with_reason(mut self, reason: Message) -> NewVoid {
        self.reason = Some(reason);
        self
    }

    /// With this key.
    #[must_use]
    pub fn with_idempotency_key(mut self, key: IdempotencyKey) -> NewVoid {
        self.idempotency_key = Some(key);
        self
    }

    /// Queues the operation: it is recorded now, and [sent](super::Ledger::send) to its gateway later.
    #[must_use]
    pub fn queued(mut self) -> NewVoid {
        self.queued = true;
        self
    }
}

/// What a gateway tells of its own accord.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Notification {
    /// Who tells.
    pub gateway: GatewayName,
    /// What the gateway calls this notification: told again under one name, it changes nothing.
    pub notification: NotificationId,
    /// What it is about.
    pub about: About,
    /// What it tells.
    pub told: Told,
    /// The gateway's name of a movement of a dispute's funds. Without a name, a stage of a dispute has one withdrawal and
    /// one reinstatement; the largest amount counts.
    pub funds: Option<NotificationId>,
}

impl Notification {
    /// A notification of `gateway`, about the things that it names.
    #[must_use]
    pub const fn new(
        gateway: GatewayName,
        notification: NotificationId,
        about: About,
        told: Told,
    ) -> Notification {
        Notification { gateway, notification, about, told, funds: None }
    }

    /// Of money that the gateway calls so: told twice, it moved once.
    #[must_use]
    pub fn with_funds(mut self, funds: NotificationId) -> Notification {
        self.funds = Some(funds);
        self
    }
}

/// A person's word about a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewResolution {
    /// About which operation; `None`: the one whose outcome is open.
    pub operation: Option<OperationId>,
    /// What became of it.
    pub resolution: Resolution,
    /// Why.
    pub note: Message,
}

impl NewResolution {
    /// A word with a note.
    #[must_use]
    pub const fn new(resolution: Resolution, note: Message) -> NewResolution {
        NewResolution { operation: None, resolution, note }
    }

    /// About this operation.
    #[must_use]
    pub const fn about(mut self, operation: OperationId) -> NewResolution {
        self.operation = Some(operation);
        self
    }
}

//! What a caller asks for. Ids, time and rules are the ledger's to add.

use crate::clock::Timestamp;
use crate::command::Recorded;
use crate::money::Money;
use crate::payment::{CaptureMethod, Checkout, Destination, PaymentMethod, References};
use crate::status::PaymentStatus;
use crate::text::{
    GatewayName, GatewayOperationId, GatewayPaymentId, GatewayTrackingId, IdempotencyKey, Message, Metadata,
    PaymentMethodId, ReturnUrl, WalletId,
};

/// A payment to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewPayment {
    /// How much; more than zero.
    pub amount: Money,
    /// What it pays.
    pub destination: Destination,
    /// How it is paid.
    pub method: PaymentMethod,
    /// Whether the money is taken at once, which is the default, or held first and then
    /// [captured](super::Ledger::capture).
    pub capture_method: CaptureMethod,
    /// When it is over, if it has not come to an end by then; a hold is released.
    pub expires_at: Option<Timestamp>,
    /// What the gateway is told beside the money.
    pub checkout: Checkout,
    /// The host's own notes.
    pub metadata: Metadata,
    /// The key under which it may be asked for again. Without one, two equal requests are two payments.
    pub idempotency_key: Option<IdempotencyKey>,
    /// Whether to carry it out at once. Default: yes.
    pub process: bool,
    /// Whether the operation is queued: recorded now, [sent](super::Ledger::send) to its gateway later. Default: no.
    pub queued: bool,
}

impl NewPayment {
    /// A payment to be carried out at once, without notes and without a key.
    #[must_use]
    pub fn new(amount: Money, destination: Destination, method: PaymentMethod) -> NewPayment {
        NewPayment {
            amount,
            destination,
            method,
            capture_method: CaptureMethod::Automatic,
            expires_at: None,
            checkout: Checkout::default(),
            metadata: Metadata::default(),
            idempotency_key: None,
            process: true,
            queued: false,
        }
    }

    /// Only held, and taken by captures.
    #[must_use]
    pub fn captured_later(mut self) -> NewPayment {
        self.capture_method = CaptureMethod::Manual;
        self
    }

    /// Over at `moment`, if it has not come to an end by then.
    #[must_use]
    pub fn expiring_at(mut self, moment: Timestamp) -> NewPayment {
        self.expires_at = Some(moment);
        self
    }

    /// With these addresses for the payer to come back to: when it went well, and when not.
    #[must_use]
    pub fn with_return_urls(mut self, success: ReturnUrl, cancel: ReturnUrl) -> NewPayment {
        (self.checkout.success_url, self.checkout.cancel_url) = (Some(success), Some(cancel));
        self
    }

    /// Through this gateway.
    #[must_use]
    pub fn with_gateway(mut self, gateway: GatewayName) -> NewPayment {
        self.checkout.gateway = Some(gateway);
        self
    }

    /// With these notes.
    #[must_use]
    pub fn with_metadata(mut self, metadata: Metadata) -> NewPayment {
        self.metadata = metadata;
        self
    }

    /// With this key: however often it is asked for, it is made once.
    #[must_use]
    pub fn with_idempotency_key(mut self, key: IdempotencyKey) -> NewPayment {
        self.idempotency_key = Some(key);
        self
    }

    /// Only recorded; [`Ledger::process`](super::Ledger::process) carries it out later. Until then it is
    /// `INITIATED` where a gateway will be needed, else `PENDING`: our own books have accepted it already.
    #[must_use]
    pub fn recorded_only(mut self) -> NewPayment {
        self.process = false;
        self
    }

    /// Queues the operation: it is recorded now, and [sent](super::Ledger::send) to its gateway later.
    #[must_use]
    pub fn queued(mut self) -> NewPayment {
        self.queued = true;
        self
    }
}

/// How the next attempt is made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Processing {
    /// Another instrument than the payment's own.
    pub instrument: Option<PaymentMethodId>,
    /// The key under which it may be asked for again.
    pub idempotency_key: Option<IdempotencyKey>,
    /// Whether the operation is queued: recorded now, [sent](super::Ledger::send) to its gateway later. Default: no. An
    /// attempt that reopens a `FAILED` payment cannot be queued.
    pub queued: bool,
}

impl Processing {
    /// With another instrument.
    #[must_use]
    pub fn with_instrument(mut self, instrument: PaymentMethodId) -> Processing {
        self.instrument = Some(instrument);
        self
    }

    /// With this key.
    #[must_use]
    pub fn with_idempotency_key(mut self, key: IdempotencyKey) -> Processing {
        self.idempotency_key = Some(key);
        self
    }

    /// Queues the operation: it is recorded now, and [sent](super::Ledger::send) to its gateway later.
    #[must_use]
    pub fn queued(mut self) -> Processing {
        self.queued = true;
        self
    }
}

/// An attempt that was made elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewAttempt {
    /// What became of it.
    pub outcome: Recorded,
    /// The gateway at which it was made, one of the ledger's. Without it, and without a gateway's id of the attempt or of
    /// the payment, it was made off-gateway: cash, a transfer.
    pub gateway: Option<GatewayName>,
    /// What the gateway calls it: of one name there is one attempt.
    pub gateway_attempt_id: Option<GatewayOperationId>,
    /// The key under which it may be asked for again.
    pub idempotency_key: Option<IdempotencyKey>,
}

impl NewAttempt {
    /// An attempt with this outcome.
    #[must_use]
    pub const fn new(outcome: Recorded) -> NewAttempt {
        NewAttempt { outcome, gateway: None, gateway_attempt_id: None, idempotency_key: None }
    }

    /// One by which all of the money came.
    #[must_use]
    pub const fn succeeded() -> NewAttempt {
        NewAttempt::new(Recorded::Succeeded { amount: None })
    }

    /// Made at this gateway.
    #[must_use]
    pub fn with_gateway(mut self, gateway: GatewayName) -> NewAttempt {
        self.gateway = Some(gateway);
        self
    }

    /// With the gateway's id of it.
    #[must_use]
    pub fn with_gateway_attempt_id(mut self, id: GatewayOperationId) -> NewAttempt {
        self.gateway_attempt_id = Some(id);
        self
    }

    /// With this key.
    #[must_use]
    pub fn with_idempotency_key(mut self, key: IdempotencyKey) -> NewAttempt {
        self.idempotency_key = Some(key);
        self
    }
}

/// What is to be changed about a payment. What is left out stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Update {
    /// The version that it must have; without one it may have been changed meanwhile.
    pub if_version: Option<u64>,
    /// Names and notes.
    pub change: References,
    /// The status to be set, and when it came about; `None`: now.
    pub status: Option<(PaymentStatus, Option<Timestamp>)>,
}

impl Update {
    /// To a status that came about just now.
    #[must_use]
    pub fn to(status: PaymentStatus) -> Update {
        Update { status: Some((status, None)), ..Update::default() }
    }

    /// To a status that came about at `moment`.
    #[must_use]
    pub fn to_since(status: PaymentStatus, moment: Timestamp) -> Update {
        Update { status: Some((status, Some(moment))), ..Update::default() }
    }

    /// Only if the payment is at this version.
    #[must_use]
    pub const fn if_version(mut self, version: u64) -> Update {
        self.if_version = Some(version);
        self
    }

    /// With these notes instead of the ones it had.
    #[must_use]
    pub fn with_metadata(mut self, metadata: Metadata) -> Update {
        self.change.metadata = Some(metadata);
        self
    }

    /// Through this gateway from now on.
    #[must_use]
    pub fn with_gateway(mut self, gateway: GatewayName) -> Update {
        self.change.gateway = Some(gateway);
        self
    }

    /// With this instrument for its next attempts.
    #[must_use]
    pub fn with_instrument(mut self, instrument: PaymentMethodId) -> Update {
        self.change.instrument = Some(instrument);
        self
    }

    /// Tracked under this at its gateway.
    #[must_use]
    pub fn with_gateway_tracking_id(mut self, id: GatewayTrackingId) -> Update {
        self.change.gateway_tracking_id = Some(id);
        self
    }

    /// Made at its gateway, which calls it this.
    #[must_use]
    pub fn with_gateway_payment_id(mut self, id: GatewayPaymentId) -> Update {
        self.change.gateway_payment_id = Some(id);
        self
    }

    /// With these words about why it did not go well.
    #[must_use]
    pub fn with_error_message(mut self, message: Message) -> Update {
        self.change.error_message = Some(message);
        self
    }
}

/// Credits to be put into a wallet.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewTopUp {
    /// Which wallet; it comes to be with its first top-up.
    pub wallet: WalletId,
    /// How much; more than zero.
    pub amount: Money,
    /// The key under which it may be asked for again. Without one, two equal requests are two top-ups.
    pub idempotency_key: Option<IdempotencyKey>,
}

impl NewTopUp {
    /// A top-up without a key.
    #[must_use]
    pub const fn new(wallet: WalletId, amount: Money) -> NewTopUp {
        NewTopUp { wallet, amount, idempotency_key: None }
    }

    /// With this key.
    #[must_use]
    pub fn with_idempotency_key(mut self, key: IdempotencyKey) -> NewTopUp {
        self.idempotency_key = Some(key);
        self
    }
}

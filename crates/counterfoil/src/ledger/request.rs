//! What a caller asks for. Ids, time and rules are the ledger's to add.

use crate::money::Money;
use crate::payment::{Destination, PaymentMethod};
use crate::text::{IdempotencyKey, Metadata, PaymentMethodId, WalletId};

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
    /// The host's own notes.
    pub metadata: Metadata,
    /// The key under which it may be asked for again. Without one, two equal requests are two payments.
    pub idempotency_key: Option<IdempotencyKey>,
    /// Whether to carry it out at once. Default: yes.
    pub process: bool,
}

impl NewPayment {
    /// A payment to be carried out at once, without notes and without a key.
    #[must_use]
    pub fn new(amount: Money, destination: Destination, method: PaymentMethod) -> NewPayment {
        let (metadata, idempotency_key) = (Metadata::default(), None);
        NewPayment { amount, destination, method, metadata, idempotency_key, process: true }
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
}

/// How the next attempt is made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Processing {
    /// Another instrument than the payment's own.
    pub instrument: Option<PaymentMethodId>,
    /// The key under which it may be asked for again.
    pub idempotency_key: Option<IdempotencyKey>,
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

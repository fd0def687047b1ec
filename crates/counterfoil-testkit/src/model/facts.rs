//! What can be seen of the books, in a form that the model and a store can both be asked for.

use std::collections::BTreeSet;

use counterfoil::account::Account;
use counterfoil::clock::Timestamp;
use counterfoil::money::Money;
use counterfoil::payment::{OperationId, Payment, Review};
use counterfoil::status::{OperationStatus, PaymentStatus};

/// What can be seen of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentFacts {
    /// Where it stands.
    pub status: PaymentStatus,
    /// The money that was taken.
    pub captured: Money,
    /// Its attempts, in order.
    pub attempts: Vec<AttemptFacts>,
    /// Why a person should look at it.
    pub reviews: BTreeSet<Review>,
    /// Whether it is put away.
    pub archived: bool,
    /// How many events it has.
    pub version: u64,
    /// When it first succeeded.
    pub succeeded_at: Option<Timestamp>,
    /// When it first failed.
    pub failed_at: Option<Timestamp>,
    /// The time of its last event.
    pub updated_at: Timestamp,
}

/// What can be seen of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptFacts {
    /// Its id.
    pub id: OperationId,
    /// Its number.
    pub number: u32,
    /// Where it stands.
    pub status: OperationStatus,
    /// What it moved, if it succeeded.
    pub moved: Option<Money>,
}

impl PaymentFacts {
    /// What can be seen of a stored payment.
    #[must_use]
    pub fn of(payment: &Payment) -> PaymentFacts {
        let attempts = payment.attempts().map(|attempt| AttemptFacts {
            id: attempt.id,
            number: attempt.number,
            status: attempt.status(),
            moved: attempt.moved(),
        });
        PaymentFacts {
            status: payment.status(),
            captured: payment.captured(),
            attempts: attempts.collect(),
            reviews: payment.reviews(),
            archived: payment.archived_at().is_some(),
            version: payment.version(),
            succeeded_at: payment.succeeded_at(),
            failed_at: payment.failed_at(),
            updated_at: payment.updated_at(),
        }
    }
}

/// What can be seen of a wallet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WalletFacts {
    /// What it holds, per currency it ever held, sorted by currency.
    pub balances: Vec<Money>,
    /// How many events it has.
    pub version: u64,
    /// The time of its last event.
    pub updated_at: Timestamp,
}

impl WalletFacts {
    /// What can be seen of a stored wallet.
    #[must_use]
    pub fn of(account: &Account) -> WalletFacts {
        WalletFacts {
            balances: account.balances().collect(),
            version: account.version(),
            updated_at: account.updated_at(),
        }
    }
}

//! Why a ledger call has no receipt.

use crate::command::Rejection;
use crate::id::PaymentId;
use crate::store::{ExecuteError, StoreError};

/// Why a ledger call has no receipt, and which payment it is about.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{error}")]
pub struct LedgerError {
    #[source]
    error: ExecuteError,
    payment: Option<PaymentId>,
}

impl LedgerError {
    pub(super) const fn about(payment: PaymentId, error: ExecuteError) -> LedgerError {
        LedgerError { error, payment: Some(payment) }
    }

    /// A read failed before anything was asked to be written.
    pub(super) const fn read(payment: PaymentId, error: StoreError) -> LedgerError {
        LedgerError::about(payment, ExecuteError::NotCommitted(error))
    }

    /// The failure and its class.
    #[must_use]
    pub const fn error(&self) -> &ExecuteError {
        &self.error
    }

    /// Why it was refused, if it was.
    #[must_use]
    pub const fn rejection(&self) -> Option<&Rejection> {
        match &self.error {
            ExecuteError::Rejected(rejection) => Some(rejection),
            _ => None,
        }
    }

    /// The payment it is about. If the outcome is unknown, this is the payment that may exist, unless the
    /// same idempotency key had made another one before.
    #[must_use]
    pub const fn payment(&self) -> Option<PaymentId> {
        self.payment
    }
}

impl From<ExecuteError> for LedgerError {
    fn from(error: ExecuteError) -> LedgerError {
        LedgerError { error, payment: None }
    }
}

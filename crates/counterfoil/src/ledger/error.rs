//! Why a ledger call has no receipt.

use std::error::Error;
use std::fmt;

use crate::command::Rejection;
use crate::id::PaymentId;
use crate::store::{ExecuteError, StoreError};

/// Why a ledger call has no receipt, and which payment it is about.
#[derive(Debug, Clone)]
pub struct LedgerError {
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

    /// The payment it is about; `None` if creating one was refused, or if a notification did not name it by our id. If the outcome of creating one is
    /// unknown, this is the payment that may exist, unless the same idempotency key had made another before.
    #[must_use]
    pub const fn payment(&self) -> Option<PaymentId> {
        self.payment
    }
}

/// Speaks with the words of [`error`](LedgerError::error), and so does not name it as its source again.
impl fmt::Display for LedgerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.error, f)
    }
}

impl Error for LedgerError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}

impl From<ExecuteError> for LedgerError {
    fn from(error: ExecuteError) -> LedgerError {
        LedgerError { error, payment: None }
    }
}

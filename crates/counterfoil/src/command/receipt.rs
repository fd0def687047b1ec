//! What a caller gets for a command.

use std::sync::Arc;

use crate::account::Account;
use crate::claim::RequestField;
use crate::event::StreamId;
use crate::payment::{Operation, Payment};

/// Proof that a command took effect: which event stands for it.
///
/// Every replay of a command that took a name or made something is answered with the same [`stream`](Self::stream) and
/// [`sequence`](Self::sequence). Evidence that says nothing new, and archiving what is archived, change nothing and are
/// answered with the last event. So is a repeated report about a payment that was created at its gateway.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Receipt {
    /// The stream of the event.
    pub stream: StreamId,
    /// The sequence of the event in that stream, from 1.
    pub sequence: u64,
    /// Whether it had happened before this call, or changed nothing.
    pub replayed: bool,
    /// What it is about, as it stands now: on a replay later events are in it.
    pub subject: Subject,
    /// Of a notification: the fields in which it differs from the first one that its gateway sent under its id.
    pub differing: Vec<RequestField>,
}

/// What a receipt is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// The payment after the command.
    Payment(Arc<Payment>),
    /// An account: a wallet, or a destination.
    Account(Arc<Account>),
}

impl Subject {
    pub(crate) fn stream(&self) -> StreamId {
        match self {
            Subject::Payment(payment) => StreamId::Payment(payment.id()),
            Subject::Account(account) => StreamId::Account(account.id().clone()),
        }
    }
}

impl Receipt {
    pub(crate) fn fresh(subject: Subject, sequence: u64) -> Receipt {
        Receipt { stream: subject.stream(), sequence, replayed: false, subject, differing: Vec::new() }
    }

    pub(crate) fn replay(subject: Subject, sequence: u64) -> Receipt {
        Receipt { replayed: true, ..Receipt::fresh(subject, sequence) }
    }

    /// The payment it is about.
    #[must_use]
    pub fn payment(&self) -> Option<&Arc<Payment>> {
        match &self.subject {
            Subject::Payment(payment) => Some(payment),
            Subject::Account(_) => None,
        }
    }

    /// The operation that the command started or sent, as it stands now: the attempt, capture, refund or void that the
    /// event of the receipt started, or sent after it was queued. Whether its money moved, its status says: what a gateway
    /// refused was started too.
    ///
    /// `None` if the command started and sent none, as one that only cancels or changes a payment. If nothing happened, it
    /// is what the last event started or sent.
    #[must_use]
    pub fn operation(&self) -> Option<&Operation> {
        let operations = self.payment()?.operations();
        let is_meant = |operation: &&Operation| {
            operation.sequence == self.sequence || operation.sent == Some(self.sequence)
        };
        operations.iter().find(is_meant)
    }

    /// The account it is about.
    #[must_use]
    pub fn account(&self) -> Option<&Arc<Account>> {
        match &self.subject {
            Subject::Account(account) => Some(account),
            Subject::Payment(_) => None,
        }
    }
}

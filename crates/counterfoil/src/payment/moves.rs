//! The check that a payment and its operations moved along their graphs.

use super::{Operation, Payment};
use crate::status::{Cause, OperationStatus, PaymentStatus};

/// A move that no edge of a graph allows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no {} may move the {what} from {from} to {to}", cause.as_str())]
#[non_exhaustive]
pub struct IllegalMove {
    /// What moved: the payment or an operation.
    pub what: &'static str,
    /// Where from; "start" if it had not been there.
    pub from: &'static str,
    /// The status that it moved to.
    pub to: &'static str,
    /// The cause of the event that moved it.
    pub cause: Cause,
}

/// Checks that `cause` may lead from `before` to `after`: the payment's own status, and each operation's.
pub(crate) fn check_moves(
    before: Option<&Payment>,
    after: &Payment,
    cause: Cause,
) -> Result<(), IllegalMove> {
    let (from, to) = (before.map(Payment::status), after.status());
    if !PaymentStatus::GRAPH.allows(from, to, cause) {
        let from = from.map_or("start", PaymentStatus::as_str);
        return Err(IllegalMove { what: "payment", from, to: to.as_str(), cause });
    }
    // Operations are only ever added, behind those that are known.
    let known = before.map(Payment::operations).unwrap_or_default();
    for (place, operation) in after.operations().iter().enumerate() {
        let from = known.get(place).map(Operation::status);
        let to = operation.status();
        if !OperationStatus::GRAPH.allows(from, to, cause) {
            let from = from.map_or("start", OperationStatus::as_str);
            return Err(IllegalMove { what: "operation", from, to: to.as_str(), cause });
        }
    }
    Ok(())
}

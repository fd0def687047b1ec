//! A row of a report held against the payment that it is about.

use super::difference::DifferenceKind;
use super::row::{ReportRow, RowKind};
use crate::payment::{DisputeWordKind, Operation, OperationId, Payment};
use crate::status::OperationStatus;
use crate::text::GatewayName;

/// What a comparison found.
#[derive(Debug)]
pub(super) struct Compared {
    /// The operation that the row is about.
    pub(super) operation: Option<OperationId>,
    /// What differs; `None` if nothing does.
    pub(super) difference: Option<DifferenceKind>,
    /// Whether the row may be applied: it could not count twice.
    pub(super) is_applicable: bool,
}

impl Compared {
    const fn new(operation: Option<OperationId>, difference: Option<DifferenceKind>) -> Compared {
        Compared { operation, difference, is_applicable: true }
    }

    const fn not_applicable(mut self) -> Compared {
        self.is_applicable = false;
        self
    }
}

/// A row of a report of `gateway`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Comparison<'a> {
    pub(super) gateway: &'a GatewayName,
    pub(super) row: &'a ReportRow,
}

impl Comparison<'_> {
    /// Holds the row against a payment as it stands `before` the row is applied, and `after`.
    pub(super) fn of(&self, before: &Payment, after: &Payment) -> Compared {
        let ledger = before.terms().amount.currency();
        if self.row.amount.currency() != ledger {
            let operation = self.find(before).map(|operation| operation.id);
            return Compared::new(operation, Some(DifferenceKind::CurrencyDiffers { ledger }));
        }
        match self.row.kind {
            RowKind::Return => self.returned(before, after),
            RowKind::DisputeWithdrawal => self.disputed(before, DisputeWordKind::FundsWithdrawn),
            RowKind::DisputeReinstatement => self.disputed(before, DisputeWordKind::FundsReinstated),
            _ => self.operation(before, after),
        }
    }

    /// The hold that a charge turns out to be: its money is taken by a capture, under another name.
    pub(super) fn hold<'p>(&self, before: &Payment, after: &'p Payment) -> Option<&'p Operation> {
        let attempt = self.find(after).filter(|_| self.row.kind == RowKind::Charge)?;
        let was_hold = before.operation(attempt.id).is_some_and(Operation::is_hold);
        (was_hold || attempt.is_hold()).then_some(attempt)
    }

    /// The operation that has our id or the gateway's name in the row.
    fn find<'p>(&self, payment: &'p Payment) -> Option<&'p Operation> {
        let is_meant = |operation: &&Operation| self.is_there(operation) && self.row.kind.is_about(operation);
        let named = || {
            let mut operations = payment.operations().iter().filter(is_meant);
            operations.find(|operation| operation.is_known_as(&self.row.name))
        };
        let echoed = self.row.about.operation.and_then(|id| payment.operation(id));
        echoed.filter(is_meant).or_else(named)
    }

    fn is_there(&self, operation: &Operation) -> bool {
        operation.gateway.as_ref() == Some(self.gateway)
    }

    fn operation(&self, before: &Payment, after: &Payment) -> Compared {
        let Some(meant) = self.find(after) else {
            return Compared::new(None, Some(DifferenceKind::OnlyInReport));
        };
        let difference = if meant.allocation.may_be_requested {
            Some(DifferenceKind::PossibleDuplicate)
        } else if meant.is_unallocated() {
            Some(DifferenceKind::Unallocated)
        } else {
            match before.operation(meant.id) {
                Some(known) => self.known(known),
                None => Some(DifferenceKind::OnlyInReport),
            }
        };
        // Evidence about the hold would say that less, or more, was held.
        let is_applicable = difference != Some(DifferenceKind::NotCaptured);
        Compared { is_applicable, ..Compared::new(Some(meant.id), difference) }
    }

    fn known(&self, operation: &Operation) -> Option<DifferenceKind> {
        let ledger = operation.status();
        if !matches!(ledger, OperationStatus::Succeeded | OperationStatus::Reversed) {
            return Some(DifferenceKind::StatusDiffers { ledger });
        }
        if operation.is_hold() {
            return Some(DifferenceKind::NotCaptured);
        }
        let ledger = operation.ever_moved().unwrap_or(operation.amount);
        (ledger != self.row.amount).then_some(DifferenceKind::AmountDiffers { ledger })
    }

    fn returned(&self, before: &Payment, after: &Payment) -> Compared {
        let back = |operation: &Operation| operation.returned_as(&self.row.name);
        let mut brought = after.operations().iter().filter(|operation| self.is_there(operation));
        let Some(meant) = brought.find(|operation| back(operation).is_some()) else {
            return Compared::new(None, Some(DifferenceKind::OnlyInReport));
        };
        let known = before.operation(meant.id);
        match known.and_then(back) {
            Some(ledger) if ledger == self.row.amount => Compared::new(Some(meant.id), None),
            Some(ledger) => Compared::new(Some(meant.id), Some(DifferenceKind::AmountDiffers { ledger })),
            // The same return was reported without its name: as one of everything.
            None if known.is_some_and(|known| self.is_wholly_returned(known)) => {
                Compared::new(Some(meant.id), None).not_applicable()
            }
            None => Compared::new(Some(meant.id), Some(DifferenceKind::OnlyInReport)),
        }
    }

    fn is_wholly_returned(&self, operation: &Operation) -> bool {
        operation.is_wholly_returned() && operation.ever_moved() == Some(self.row.amount)
    }

    fn disputed(&self, before: &Payment, kind: DisputeWordKind) -> Compared {
        let named = self.row.about.gateway_dispute_id.as_ref();
        let known = before
            .disputes()
            .iter()
            .find(|dispute| dispute.gateway == *self.gateway && Some(&dispute.gateway_dispute_id) == named);
        match known.map(|dispute| (dispute, dispute.movement(kind, self.row.name.as_str()))) {
            Some((_, Some(ledger))) if ledger == self.row.amount => Compared::new(None, None),
            Some((_, Some(ledger))) => Compared::new(None, Some(DifferenceKind::AmountDiffers { ledger })),
            Some((dispute, None)) if dispute.has_unnamed_movement(kind) => {
                Compared::new(None, Some(DifferenceKind::UnnamedMovement)).not_applicable()
            }
            _ => Compared::new(None, Some(DifferenceKind::OnlyInReport)),
        }
    }
}

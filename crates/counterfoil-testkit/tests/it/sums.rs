//! The words of the invariants about amounts, worked out from a payment's operations and disputes.

use counterfoil::event::Body;
use counterfoil::money::Money;
use counterfoil::payment::{DisputeStage, DisputeStatus, Operation, OperationId, Payment};

use crate::watched::Life;

/// C, H, R, P, K and L of a payment, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) captured: i64,
    pub(crate) refunded: i64,
    pub(crate) returning: i64,
    pub(crate) reserved_of_holds: i64,
    pub(crate) disputed: i64,
}

impl Sums {
    pub(crate) fn of(payment: &Payment) -> Sums {
        let moved = |is: fn(&Operation) -> bool| -> i64 {
            let those = payment.operations().iter().filter(|operation| is(operation));
            those.filter_map(Operation::moved).map(Money::minor).sum()
        };
        let open = |is: fn(&Operation) -> bool| -> i64 {
            let those =
                payment.operations().iter().filter(|operation| is(operation) && operation.status().is_live());
            those.map(|operation| operation.amount.minor() + operation.releases.map_or(0, Money::minor)).sum()
        };
        Sums {
            captured: (moved(takes) - moved(undoes)).max(0),
            refunded: moved(is_refund),
            returning: open(|operation| is_refund(operation) || undoes(operation)),
            reserved_of_holds: open(|operation| {
                is_capture(operation) || (is_void(operation) && operation.holds)
            }),
            disputed: disputed(payment),
        }
    }

    /// R + P + L − C, if it is more than nothing.
    pub(crate) fn exceeding(self) -> i64 {
        (self.refunded + self.returning + self.disputed - self.captured).max(0)
    }
}

/// What was taken from the payer and not undone, whatever was voided.
pub(crate) fn takes(operation: &Operation) -> bool {
    is_capture(operation) || (matches!(operation.id, OperationId::Attempt(_)) && !operation.holds)
}

pub(crate) fn undoes(operation: &Operation) -> bool {
    is_void(operation) && !operation.holds
}

pub(crate) fn is_refund(operation: &Operation) -> bool {
    matches!(operation.id, OperationId::Refund(_))
}

fn is_capture(operation: &Operation) -> bool {
    matches!(operation.id, OperationId::Capture(_))
}

fn is_void(operation: &Operation) -> bool {
    matches!(operation.id, OperationId::Void(_))
}

fn disputed(payment: &Payment) -> i64 {
    let each = payment.disputes().iter().map(|dispute| {
        let all = dispute.amount().unwrap_or(payment.terms().amount).minor();
        let open = dispute.stage() >= DisputeStage::Chargeback && dispute.status() != DisputeStatus::Won;
        let sum = |amounts: &mut dyn Iterator<Item = Money>| amounts.map(Money::minor).sum::<i64>();
        let gone = sum(&mut dispute.withdrawn()) - sum(&mut dispute.reinstated());
        gone.max(if open { all } else { 0 })
    });
    each.sum()
}

/// At most as much as an amount can say.
pub(crate) fn capped(minor: i64) -> i64 {
    minor.clamp(0, Money::MAX_MINOR)
}

/// Whether somebody looked at what was marked: then it is not any more.
pub(crate) fn is_dismissed(life: &Life) -> bool {
    life.events.iter().any(|event| matches!(event.body(), Body::Dismissed(_)))
}

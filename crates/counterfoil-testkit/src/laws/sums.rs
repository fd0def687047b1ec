//! The words of the invariants about amounts, worked out from a payment's operations and disputes.

use counterfoil::id::AttemptId;
use counterfoil::money::Money;
use counterfoil::payment::{
    Dispute, DisputeStage, DisputeStatus, Operation, OperationId, OperationKind, Payment, VoidTarget,
};

/// C, R, P, K and L of a payment, in minor units, each added up from what the payment shows of its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sums {
    /// C: captured, less what was undone.
    pub captured: i64,
    /// R: given back.
    pub refunded: i64,
    /// P: what open refunds, and open voids of captured money, may yet give back.
    pub returning: i64,
    /// K: what open captures, and open voids of a hold, may yet take of it.
    pub reserved_of_holds: i64,
    /// L: what disputes have taken, or may.
    pub disputed: i64,
    /// What of L lost disputes have taken.
    pub charged_back: i64,
}

impl Sums {
    /// Those of `payment`.
    #[must_use]
    pub fn of(payment: &Payment) -> Sums {
        let moved = |is: fn(&Operation) -> bool| -> i64 {
            let those = payment.operations().iter().filter(|operation| is(operation));
            those.filter_map(Operation::moved).map(Money::minor).sum()
        };
        let open = |is: &dyn Fn(&Operation) -> bool| -> i64 {
            let those =
                payment.operations().iter().filter(|operation| is(operation) && operation.is_reserved());
            those
                .map(|operation| operation.amount.minor() + operation.kind.releases().map_or(0, Money::minor))
                .sum()
        };
        Sums {
            captured: (taken(payment) - moved(undoes)).max(0),
            refunded: moved(is_refund),
            returning: open(&|operation| is_refund(operation) || undoes(operation)),
            reserved_of_holds: open(&|operation| takes_of_hold(payment, operation)),
            disputed: payment.disputes().iter().map(|dispute| reserved(payment, dispute)).sum(),
            charged_back: lost(payment).map(|dispute| reserved(payment, dispute)).sum(),
        }
    }

    /// R + P + L − C, if it is more than nothing.
    #[must_use]
    pub fn exceeding(self) -> i64 {
        (self.refunded + self.returning + self.disputed - self.captured).max(0)
    }

    /// C − R − P − L, if it is more than nothing.
    #[must_use]
    pub fn refundable(self) -> i64 {
        (self.captured - self.refunded - self.returning - self.disputed).clamp(0, Money::MAX_MINOR)
    }
}

/// Whether its success brings money from the payer.
#[must_use]
pub fn takes(operation: &Operation) -> bool {
    is_capture(operation) || (matches!(operation.id, OperationId::Attempt(_)) && !operation.is_hold())
}

/// What was taken from the payer and not returned, whatever was voided since. What an attempt brought under its own name
/// includes what was captured of it.
#[must_use]
pub fn taken(payment: &Payment) -> i64 {
    let captures = |of: Option<AttemptId>| {
        let all = payment.operations().iter().filter(|operation| is_capture(operation));
        all.filter(move |capture| capture.parent() == of && !capture.is_set_apart())
    };
    let unallocated: i64 = captures(None).map(|capture| brought(capture) - returned(capture)).sum();
    let attempts = payment.operations().iter().filter_map(|operation| match operation.id {
        OperationId::Attempt(id) => Some((operation, id)),
        _ => None,
    });
    let each = attempts.map(|(attempt, id)| {
        let own = Some(attempt).filter(|attempt| !attempt.is_hold());
        let by_captures: i64 = captures(Some(id)).map(brought).sum();
        let back: i64 = captures(Some(id)).chain(own).map(returned).sum();
        (own.map_or(0, brought).max(by_captures) - back).max(0)
    });
    unallocated + each.sum::<i64>()
}

/// What an operation brought, whether or not it was returned.
fn brought(operation: &Operation) -> i64 {
    operation.moved().map_or(0, Money::minor) + returned(operation)
}

fn returned(operation: &Operation) -> i64 {
    operation.returned().map_or(0, Money::minor)
}

/// Whether its success takes a charge back: a void of captured money.
#[must_use]
pub fn undoes(operation: &Operation) -> bool {
    matches!(operation.kind, OperationKind::Void { target, .. } if target != VoidTarget::Hold)
}

/// Whether it is a refund.
#[must_use]
pub fn is_refund(operation: &Operation) -> bool {
    matches!(operation.id, OperationId::Refund(_))
}

fn is_capture(operation: &Operation) -> bool {
    matches!(operation.id, OperationId::Capture(_))
}

fn is_void(operation: &Operation) -> bool {
    matches!(operation.id, OperationId::Void(_))
}

fn lost(payment: &Payment) -> impl Iterator<Item = &Dispute> {
    let chargebacks = payment.disputes().iter().filter(|dispute| dispute.stage() >= DisputeStage::Chargeback);
    chargebacks.filter(|dispute| dispute.status() == DisputeStatus::Lost)
}

/// L of one dispute.
fn reserved(payment: &Payment, dispute: &Dispute) -> i64 {
    let amount = dispute.amount().unwrap_or(payment.terms().amount).minor();
    let (withdrawn, reinstated) = (dispute.withdrawn().minor(), dispute.reinstated().minor());
    // Of more than `Money` can say only that much is shown.
    if withdrawn.max(reinstated) == Money::MAX_MINOR {
        return dispute.reserved();
    }
    let reserved = match (dispute.stage(), dispute.status()) {
        (DisputeStage::Inquiry, _) | (_, DisputeStatus::Won) => withdrawn - reinstated,
        (_, DisputeStatus::Lost) => amount.max(withdrawn) - reinstated,
        _ => amount.max(withdrawn - reinstated),
    };
    reserved.max(0)
}

/// Whether it takes from what is held. What was a hold when it was captured of may have been a charge.
fn takes_of_hold(payment: &Payment, operation: &Operation) -> bool {
    let of = operation.parent().and_then(|of| payment.operation(of.into()));
    let is_there = |hold: &&Operation| hold.is_hold() && hold.gateway == operation.gateway;
    let of_hold = of.map_or(payment.attempts().any(|attempt| is_there(&attempt)), Operation::is_hold);
    (is_capture(operation) && of_hold) || (is_void(operation) && !undoes(operation))
}

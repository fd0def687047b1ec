//! The words of the invariants about amounts, worked out from a payment's operations and disputes.

use counterfoil::money::Money;
use counterfoil::payment::{Dispute, DisputeStage, DisputeStatus, Operation, OperationId, Payment};

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
                payment.operations().iter().filter(|operation| is(operation) && operation.status().is_live());
            those.map(|operation| operation.amount.minor() + operation.releases.map_or(0, Money::minor)).sum()
        };
        Sums {
            captured: (moved(takes) - moved(undoes)).max(0),
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

/// Whether its success is money that was taken from the payer, whatever was voided since.
#[must_use]
pub fn takes(operation: &Operation) -> bool {
    is_capture(operation) || (matches!(operation.id, OperationId::Attempt(_)) && !operation.holds)
}

/// Whether its success takes a charge back: a void of captured money.
#[must_use]
pub fn undoes(operation: &Operation) -> bool {
    is_void(operation) && !operation.holds
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
    let withdrawn: i64 = dispute.withdrawn().map(Money::minor).sum();
    let reinstated: i64 = dispute.reinstated().map(Money::minor).sum();
    let reserved = match (dispute.stage(), dispute.status()) {
        (DisputeStage::Inquiry, _) | (_, DisputeStatus::Won) => withdrawn - reinstated,
        (_, DisputeStatus::Lost) => amount.max(withdrawn) - reinstated,
        _ => amount.max(withdrawn - reinstated),
    };
    reserved.max(0)
}

/// Whether it takes from what is held. What was a hold when it was captured of may have been a charge.
fn takes_of_hold(payment: &Payment, operation: &Operation) -> bool {
    let of = operation.attempt.and_then(|of| payment.operation(of.into()));
    (is_capture(operation) && of.is_none_or(|of| of.holds)) || (is_void(operation) && operation.holds)
}

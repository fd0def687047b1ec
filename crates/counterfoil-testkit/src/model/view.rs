//! What can be seen of the model's payments.

use std::mem::discriminant;

use counterfoil::status::PaymentStatus;

use super::dispute::Dispute;
use super::facts::{NameFacts, OperationFacts, PaymentFacts};
use super::operation::Operation;
use super::payment::Payment;

impl Payment {
    pub(super) fn facts(&self) -> PaymentFacts {
        PaymentFacts {
            status: self.status(),
            captured: self.money(self.captured()),
            refunded: self.money(self.refunded()),
            refundable: self.refundable(),
            authorized: self.money(self.authorized()),
            held: self.money(self.held()),
            capturable: self.capturable(),
            disputed: self.money(self.disputed()),
            charged_back: self.money(self.charged_back()),
            excess: self.excess,
            disputes: self.disputes.iter().map(Dispute::facts).collect(),
            is_stuck: self.is_stuck(),
            next_due: self.next_due(),
            operations: self.operations.iter().map(|operation| self.operation_facts(operation)).collect(),
            reviews: self.reviews(),
            archived: self.archived,
            version: self.version,
            names: self.names(),
            times: self.times.clone(),
        }
    }

    fn operation_facts(&self, operation: &Operation) -> OperationFacts {
        let of_kind = |other: &&Operation| discriminant(&other.id) == discriminant(&operation.id);
        let before = self.operations.iter().take_while(|other| other.id != operation.id);
        let returned = Some(operation.known().undone()).filter(|minor| *minor > 0 && !operation.holds());
        OperationFacts {
            id: operation.id,
            number: before.filter(of_kind).map(|_| 1).sum::<u32>() + 1,
            origin: operation.origin,
            status: operation.status(),
            amount: operation.amount(),
            moved: operation.moved().map(|minor| self.money(minor.into())),
            returned: returned.map(|minor| self.money(minor.into())),
            gateway: operation.gateway.clone(),
            instrument: operation.instrument.clone(),
            scheduled: operation.scheduled,
            same_as: operation.same_as(),
            is_set_apart: operation.is_set_apart(),
            holds: operation.holds() || operation.is_release(),
            attempt: operation.parent,
            reverses: operation.capture,
            releases: operation.releases,
            runs_until: operation.runs_until(),
            is_stuck: operation.is_stuck(),
            updated_at: operation.touched,
        }
    }

    pub(super) fn names(&self) -> NameFacts {
        let last = self.operations.iter().rfind(|operation| operation.is_attempt());
        let own = self.changed.error_message.clone();
        NameFacts {
            number: self.number.clone(),
            metadata: self.changed.metadata.clone().unwrap_or_else(|| self.asked.metadata.clone()),
            gateway: self.gateway().cloned(),
            gateway_payment_id: self.changed.gateway_payment_id.clone(),
            gateway_tracking_id: self.changed.gateway_tracking_id.clone(),
            instrument: self.instrument().cloned(),
            error_message: own
                .or_else(|| self.given_up.clone().filter(|_| self.status() == PaymentStatus::Failed))
                .or_else(|| last.and_then(Operation::error_message)),
        }
    }
}

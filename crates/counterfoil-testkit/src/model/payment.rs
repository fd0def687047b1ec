//! The model's payments: the status and the amounts follow from what was written down.

use std::collections::BTreeSet;
use std::mem::discriminant;

use counterfoil::clock::Timestamp;
use counterfoil::command::{Create, Rejection};
use counterfoil::destinations::Known;
use counterfoil::money::Money;
use counterfoil::payment::{Closed, OperationId, PaymentMethodType, References, Review};
use counterfoil::scope::Caller;
use counterfoil::status::{Action, OperationStatus, PaymentStatus};
use counterfoil::text::{DestinationNumber, GatewayName, PaymentMethodId};

use super::facts::{NameFacts, OperationFacts, PaymentFacts, TimeFacts};
use super::operation::Operation;

#[derive(Debug, Clone)]
pub(super) struct Payment {
    pub(super) asked: Create,
    pub(super) asked_by: Caller,
    pub(super) asked_at: Timestamp,
    pub(super) accepted: bool,
    pub(super) ended: Option<Closed>,
    pub(super) archived: bool,
    pub(super) operations: Vec<Operation>,
    /// What was said of names and notes since, the last of each.
    pub(super) changed: References,
    pub(super) version: u64,
    pub(super) times: TimeFacts,
}

impl Payment {
    /// One that was just asked for, at `at`.
    pub(super) fn new(create: &Create, by: &Caller, at: Timestamp) -> Payment {
        Payment {
            asked: create.clone(),
            asked_by: by.clone(),
            asked_at: at,
            accepted: create.process.is_some() || !through_gateway(create.method.kind()),
            ended: None,
            archived: false,
            operations: Vec::new(),
            changed: References::default(),
            version: 0,
            times: TimeFacts {
                succeeded_at: None,
                failed_at: None,
                refunded_at: None,
                voided_at: None,
                updated_at: at,
            },
        }
    }

    pub(super) fn needs_gateway(&self) -> bool {
        through_gateway(self.asked.method.kind())
    }

    /// What operations of one kind moved, in minor units.
    fn moved(&self, kind: fn(&OperationId) -> bool) -> i64 {
        self.operations.iter().filter(|operation| kind(&operation.id)).filter_map(Operation::paid).sum()
    }

    /// In minor units, at most as many as [`Money`] can say.
    pub(super) fn captured(&self) -> i64 {
        let taken = self.moved(|id| matches!(id, OperationId::Attempt(_)));
        (taken - self.moved(|id| matches!(id, OperationId::Void(_)))).clamp(0, Money::MAX_MINOR)
    }

    fn refunded(&self) -> i64 {
        self.moved(|id| matches!(id, OperationId::Refund(_))).min(Money::MAX_MINOR)
    }

    pub(super) fn refundable(&self) -> Money {
        self.money((self.captured() - self.refunded()).max(0))
    }

    fn money(&self, minor: i64) -> Money {
        Money::from_minor(minor, self.asked.amount.currency()).expect("checked when it was heard")
    }

    pub(super) fn live_attempt(&self) -> Option<&Operation> {
        self.operations.iter().find(|operation| operation.is_under_way())
    }

    /// Money first, then what is under way, then how it was ended, then whether it was accepted.
    pub(super) fn status(&self) -> PaymentStatus {
        let (captured, refunded) = (self.captured(), self.refunded());
        if captured > 0 {
            return match refunded {
                0 if captured > self.asked.amount.minor() => PaymentStatus::Overpaid,
                0 => PaymentStatus::Succeeded,
                _ if refunded < captured => PaymentStatus::PartiallyRefunded,
                _ => PaymentStatus::Refunded,
            };
        }
        match (self.live_attempt().map(Operation::status), self.ended, self.accepted) {
            (Some(OperationStatus::RequiresAction), ..) => PaymentStatus::RequiresAction,
            (Some(_), ..) => PaymentStatus::Processing,
            (None, Some(Closed::Failed), _) => PaymentStatus::Failed,
            (None, Some(_), _) => PaymentStatus::Voided,
            (None, None, true) => PaymentStatus::Pending,
            (None, None, false) => PaymentStatus::Initiated,
        }
    }

    /// Notes that something happened to it: at `at`, or in the words of whoever wrote it down, at `said`.
    pub(super) fn happened(&mut self, at: Timestamp, said: Option<Timestamp>) {
        self.version += 1;
        let times = &mut self.times;
        times.updated_at = if self.version == 1 { at } else { at.max(times.updated_at.successor()) };
        let status = self.status();
        self.archived &= matches!(status, PaymentStatus::Initiated | PaymentStatus::Failed);
        let times = &mut self.times;
        match status {
            PaymentStatus::Succeeded | PaymentStatus::Overpaid => &mut times.succeeded_at,
            PaymentStatus::Failed => &mut times.failed_at,
            PaymentStatus::PartiallyRefunded | PaymentStatus::Refunded => &mut times.refunded_at,
            PaymentStatus::Voided => &mut times.voided_at,
            _ => return,
        }
        .get_or_insert(said.unwrap_or(times.updated_at));
    }

    /// Refuses what cannot be asked of it now.
    pub(super) fn allows(&self, action: Action, where_: &[PaymentStatus]) -> Result<(), Rejection> {
        let (payment, status) = (self.asked.payment, self.status());
        if self.archived {
            Err(Rejection::Archived { payment })
        } else if where_.contains(&status) {
            Ok(())
        } else {
            Err(Rejection::NotAllowed { payment, action, status })
        }
    }

    pub(super) fn asked_gateway(&self) -> Option<&GatewayName> {
        self.changed.gateway.as_ref().or(self.asked.checkout.gateway.as_ref())
    }

    /// As was last said; else that of its last attempt.
    pub(super) fn gateway(&self) -> Option<&GatewayName> {
        let mut attempts = self.operations.iter().filter(|operation| operation.is_attempt());
        self.asked_gateway().or_else(|| attempts.next_back()?.gateway.as_ref())
    }

    pub(super) fn instrument(&self) -> Option<&PaymentMethodId> {
        self.changed.instrument.as_ref().or(self.asked.method.instrument())
    }

    fn number(&self) -> Option<DestinationNumber> {
        match &self.asked.known {
            Known::Found(info) => info.number.clone(),
            _ => None,
        }
    }

    /// Those of its operations; and money that came though it was ended without.
    fn reviews(&self) -> BTreeSet<Review> {
        let late = (self.ended.is_some() && self.captured() > 0).then_some(Review::Contradiction);
        self.operations.iter().flat_map(Operation::reviews).chain(late).collect()
    }

    pub(super) fn facts(&self) -> PaymentFacts {
        PaymentFacts {
            status: self.status(),
            captured: self.money(self.captured()),
            refunded: self.money(self.refunded()),
            refundable: self.refundable(),
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
        OperationFacts {
            id: operation.id,
            number: before.filter(of_kind).map(|_| 1).sum::<u32>() + 1,
            status: operation.status(),
            amount: operation.amount,
            moved: operation.paid().map(|minor| self.money(minor)),
            gateway: operation.gateway.clone(),
            instrument: operation.instrument.clone(),
            runs_until: operation.runs_until(),
        }
    }

    fn names(&self) -> NameFacts {
        let last = self.operations.iter().rfind(|operation| operation.is_attempt());
        let own = self.changed.error_message.clone();
        NameFacts {
            number: self.number(),
            metadata: self.changed.metadata.clone().unwrap_or_else(|| self.asked.metadata.clone()),
            gateway: self.gateway().cloned(),
            gateway_payment_id: self.changed.gateway_payment_id.clone(),
            gateway_tracking_id: self.changed.gateway_tracking_id.clone(),
            instrument: self.instrument().cloned(),
            error_message: own.or_else(|| last.and_then(Operation::error_message)),
        }
    }
}

const fn through_gateway(kind: PaymentMethodType) -> bool {
    !matches!(kind, PaymentMethodType::Offline | PaymentMethodType::Credits)
}

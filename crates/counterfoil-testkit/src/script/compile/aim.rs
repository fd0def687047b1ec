//! Which payment is meant, so that steps often hit.

use std::mem::discriminant;

use counterfoil::clock::Clock;
use counterfoil::command::{Command, Request, Told};
use counterfoil::id::{AttemptId, DisputeId};
use counterfoil::ledger::Processing;
use counterfoil::payment::{OperationId, Origin, Review, Work};
use counterfoil::status::{OperationStatus, PaymentStatus};
use uuid::Uuid;

use super::{Compiler, around};
use crate::fixtures;
use crate::model::{OperationFacts, PaymentFacts};

impl Compiler {
    /// Of the places 0 and 1, the last payment that fits, and the one before; any other place as it is.
    pub(super) fn aim(&self, payment: usize, fits: fn(&PaymentFacts) -> bool) -> usize {
        match payment {
            0 => self.fitting(fits).next().unwrap_or(0),
            1 => self.fitting(fits).nth(1).unwrap_or(1),
            other => other,
        }
    }

    /// Whether one of the last payments fits.
    pub(super) fn is_there(&self, fits: fn(&PaymentFacts) -> bool) -> bool {
        self.fitting(fits).next().is_some()
    }

    /// Those that are long gone are left alone, so that a long script is not slow.
    fn fitting(&self, fits: fn(&PaymentFacts) -> bool) -> impl Iterator<Item = usize> {
        let is_fit = move |place: &usize| self.facts(*place).is_some_and(|facts| fits(&facts));
        (0..self.payments.len().min(16)).filter(is_fit)
    }

    /// The operations that go on.
    pub(super) fn live(&self, payment: usize) -> Vec<OperationId> {
        let facts = self.facts(payment);
        let live = facts.iter().flat_map(|facts| &facts.operations).filter(|own| own.status.is_live());
        live.map(|own| own.id).collect()
    }

    /// One of the attempts of a payment.
    pub(super) fn attempt(&self, payment: usize, place: usize) -> AttemptId {
        let operations = self.facts(payment).map(|facts| facts.operations).unwrap_or_default();
        let attempts = operations.into_iter().filter_map(|own| match own.id {
            OperationId::Attempt(id) => Some(id),
            _ => None,
        });
        around(&attempts.collect::<Vec<_>>(), place).copied().unwrap_or(AttemptId::new(Uuid::nil()))
    }

    /// One of the captures and refunds of a payment that were requested, or else an attempt.
    pub(super) fn requested(&self, payment: usize, place: usize) -> OperationId {
        let operations = self.facts(payment).map(|facts| facts.operations).unwrap_or_default();
        let kind = self.external(payment).map(|external| discriminant(&external));
        let is_requested = |own: &&OperationFacts| {
            own.origin == Origin::Requested && !matches!(own.id, OperationId::Attempt(_))
        };
        let requested: Vec<_> = operations.iter().filter(is_requested).map(|own| own.id).collect();
        // Only one of the same kind can be the same.
        let alike: Vec<_> = requested.iter().copied().filter(|id| kind == Some(discriminant(id))).collect();
        let found = around(if alike.is_empty() { &requested } else { &alike }, place).copied();
        found.unwrap_or_else(|| self.attempt(payment, place).into())
    }

    /// The last capture or refund of a payment that a gateway reported first, if there is one of which it is not known what
    /// it is, the last of these.
    pub(super) fn external(&self, payment: usize) -> Option<OperationId> {
        let operations = self.facts(payment)?.operations;
        let is_open =
            |own: &OperationFacts| own.attempt.is_none() || (own.is_set_apart && own.same_as.is_none());
        let is_external = |own: &&OperationFacts| {
            own.origin == Origin::External
                && !matches!(own.id, OperationId::Attempt(_) | OperationId::Void(_))
        };
        let mut external = operations.iter().filter(is_external);
        external.clone().rfind(|own| is_open(own)).or_else(|| external.next_back()).map(|own| own.id)
    }

    /// One of the disputes of a payment.
    pub(super) fn dispute(&self, payment: usize, place: usize) -> DisputeId {
        let disputes = self.facts(payment).map(|facts| facts.disputes).unwrap_or_default();
        let all: Vec<_> = disputes.into_iter().map(|known| known.id).collect();
        around(&all, place).copied().unwrap_or(DisputeId::new(Uuid::nil()))
    }

    /// Whether an operation that a gateway reported first may be one of ours.
    pub(super) fn is_possible_duplicate(&self, payment: usize, id: OperationId) -> bool {
        let operations = self.facts(payment).map(|facts| facts.operations).unwrap_or_default();
        operations.iter().any(|own| own.id == id && own.is_set_apart && own.same_as.is_none())
    }

    /// A payment whose next attempt the clock makes, at the time when it is due, and the number of that attempt.
    pub(super) fn retry_due(&mut self, payment: usize) -> Option<(usize, u32)> {
        let payment = self.aim(payment, |facts| matches!(facts.next_due, Some((_, Work::Retry { .. }))));
        let Some((at, Work::Retry { number })) = self.facts(payment)?.next_due else { return None };
        if at > self.desk.clock().now() {
            self.desk.clock().set(at);
        }
        Some((payment, number))
    }

    /// What is due about a payment, done.
    pub(super) fn due(&mut self, payment: usize, waits: bool) -> Option<Command> {
        let payment = self.aim(payment, |facts| facts.next_due.is_some());
        let (caller, id) = self.find(None, payment);
        let (at, work) = self.facts(payment)?.next_due?;
        if waits && at > self.desk.clock().now() {
            self.desk.clock().set(at);
        }
        Some(match work {
            Work::Send { operation } => self.desk.send(&caller, id, operation),
            Work::Poll { .. } | Work::LookUp { .. } => self.desk.poll(&caller, id, work),
            Work::Retry { number } => {
                let mut command = self.desk.process(&caller, id, Processing::default());
                if let Request::Process(process) = &mut command.request {
                    process.number = Some(number);
                    self.began(payment, process.attempt.into());
                }
                command
            }
            _ => self.desk.lapse(&caller, id, work),
        })
    }

    /// The first queued operation of a payment.
    pub(super) fn queued(&self, payment: usize) -> Option<OperationId> {
        let operations = self.facts(payment)?.operations;
        operations.iter().find(|own| own.status == OperationStatus::Queued).map(|own| own.id)
    }

    fn facts(&self, payment: usize) -> Option<PaymentFacts> {
        let asked = self.asked(payment)?;
        self.model.facts(&asked.caller.scope, asked.payment)
    }
}

pub(super) fn has_queued(facts: &PaymentFacts) -> bool {
    facts.operations.iter().any(|own| own.status == OperationStatus::Queued)
}

pub(super) fn is_disputed(facts: &PaymentFacts) -> bool {
    !facts.disputes.is_empty()
}

pub(super) fn is_under_way(facts: &PaymentFacts) -> bool {
    facts.operations.iter().any(|own| own.status.is_live())
}

/// A failed one waits for another instrument, where the rules say so.
pub(super) fn waits_for_an_attempt(facts: &PaymentFacts) -> bool {
    matches!(facts.status, PaymentStatus::Initiated | PaymentStatus::Pending | PaymentStatus::Failed)
}

pub(super) fn is_at_gateway(facts: &PaymentFacts) -> bool {
    facts.operations.iter().any(|own| own.gateway.as_ref() == Some(&fixtures::gateway()))
}

/// Which payments a gateway mostly says such a thing of.
pub(super) fn has_to_do_with(told: &Told) -> fn(&PaymentFacts) -> bool {
    match told {
        Told::Capture(_) => has_source,
        Told::Refund(_) | Told::Returned(_) => |facts| has_source(facts) && !facts.captured.is_zero(),
        _ => is_at_gateway,
    }
}

fn has_source(facts: &PaymentFacts) -> bool {
    facts
        .operations
        .iter()
        .any(|own| own.moved.is_some() && own.gateway.as_ref() == Some(&fixtures::gateway()))
}

pub(super) fn is_unallocated(facts: &PaymentFacts) -> bool {
    facts.reviews.contains(&Review::Unallocated)
}

pub(super) fn is_resolvable(facts: &PaymentFacts) -> bool {
    is_at_gateway(facts) && (is_under_way(facts) || !facts.reviews.is_empty())
}

pub(super) fn is_capturable(facts: &PaymentFacts) -> bool {
    !facts.capturable.is_zero()
}

pub(super) fn is_refundable(facts: &PaymentFacts) -> bool {
    !facts.refundable.is_zero()
}

/// Whether its money was captured of a hold, and nothing of it went back.
pub(super) fn is_captured_of_hold(facts: &PaymentFacts) -> bool {
    let captured = |own: &OperationFacts| matches!(own.id, OperationId::Capture(_)) && own.moved.is_some();
    facts.status == PaymentStatus::Succeeded && facts.operations.iter().any(captured)
}

pub(super) fn is_voidable(facts: &PaymentFacts) -> bool {
    is_capturable(facts)
        || matches!(
            facts.status,
            PaymentStatus::Pending | PaymentStatus::RequiresAction | PaymentStatus::Succeeded
        )
}

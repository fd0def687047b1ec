//! Which payment is meant, so that steps often hit.

use counterfoil::clock::Clock;
use counterfoil::command::{Command, Request};
use counterfoil::ledger::Processing;
use counterfoil::payment::{OperationId, Work};
use counterfoil::status::PaymentStatus;

use super::Compiler;
use crate::fixtures;
use crate::model::PaymentFacts;

impl Compiler {
    /// Of the places 0 and 1, the last payment that fits, and the one before; any other place as it is.
    pub(super) fn aim(&self, payment: usize, fits: fn(&PaymentFacts) -> bool) -> usize {
        let count = self.payments.len();
        let is_fit = |place: &usize| self.facts(*place).is_some_and(|facts| fits(&facts));
        // Those that are long gone are left alone, so that a long script is not slow.
        let fitting = || (0..count.min(16)).filter(is_fit);
        match payment {
            0 => fitting().next().unwrap_or(0),
            1 => fitting().nth(1).unwrap_or(1),
            other => other,
        }
    }

    /// The operations that go on.
    pub(super) fn live(&self, payment: usize) -> Vec<OperationId> {
        let facts = self.facts(payment);
        let live = facts.iter().flat_map(|facts| &facts.operations).filter(|own| own.status.is_live());
        live.map(|own| own.id).collect()
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

    fn facts(&self, payment: usize) -> Option<PaymentFacts> {
        let asked = self.asked(payment)?;
        self.model.facts(&asked.caller.scope, asked.payment)
    }
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

pub(super) fn is_capturable(facts: &PaymentFacts) -> bool {
    !facts.capturable.is_zero()
}

pub(super) fn is_refundable(facts: &PaymentFacts) -> bool {
    !facts.refundable.is_zero()
}

pub(super) fn is_voidable(facts: &PaymentFacts) -> bool {
    is_capturable(facts)
        || matches!(
            facts.status,
            PaymentStatus::Pending | PaymentStatus::RequiresAction | PaymentStatus::Succeeded
        )
}

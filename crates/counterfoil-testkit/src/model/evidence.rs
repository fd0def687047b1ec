//! What gateways say.

use counterfoil::claim::ClaimKind;
use counterfoil::clock::Timestamp;
use counterfoil::command::{Command, Discover, Rejection, Report};
use counterfoil::destinations::Known;
use counterfoil::money::Money;
use counterfoil::payment::{Closed, Evidence, OperationId, Outcome};
use counterfoil::status::OperationStatus;

use super::names::{kind_of_name, of_operation, operation_name};
use super::operation::{Heard, Operation};
use super::payment::Payment;
use super::{Model, stream, unchanged};
use crate::run::Answer;

impl Model {
    pub(super) fn report(&mut self, command: &Command, report: &Report) -> Result<Answer, Rejection> {
        let mut payment = self.payment(&command.caller.scope, report.payment)?.clone();
        let known = payment.operation(report.operation).filter(|operation| operation.gateway.is_some());
        let known = known.ok_or(Rejection::OperationNotFound(report.operation))?;
        let evidence = known.for_sure(&report.evidence);
        if self.word(command, &mut payment, report.operation, &evidence, Said::ByGateway) {
            Ok(self.keep(&command.caller.scope, payment))
        } else {
            Ok(unchanged(&payment))
        }
    }

    /// A word about an operation of `payment`. Whether it says anything new.
    pub(super) fn word(
        &mut self,
        command: &Command,
        payment: &mut Payment,
        id: OperationId,
        evidence: &Evidence,
        said: Said,
    ) -> bool {
        let (scope, moment) = (&command.caller.scope, payment.moment(command.at));
        let (taken, ended) = (payment.captured_gross(), payment.ended);
        let place = payment.operations.iter().position(|own| own.id == id).expect("it is there");
        let mut after = payment.operations[place].clone();
        let called = evidence.gateway_operation_id.as_ref();
        let name = called.map(|called| operation_name(kind_of_name(id), after.gateway.as_ref(), called));
        let own = called.is_some_and(|called| after.gateway_ids().any(|known| known == called));
        let fields = of_operation(id);
        let clash = !own && self.names.first_answer(scope, name.as_ref(), &fields).is_err();

        let by_hand = match said {
            Said::ByHand(at) => Some(at),
            _ => None,
        };
        let a_charge = said == Said::ThatItWasACharge;
        if a_charge || said == Said::ThatItHolds {
            after.holds = !a_charge;
            after.forget_successes();
        }
        let held = match said {
            Said::ThatItHeld(minor) => Some(minor),
            _ => None,
        };
        let heard = Heard { clash, by_hand: by_hand.is_some(), held, ..Heard::new(evidence.clone()) };
        after.hear(heard, moment);
        if let Some(whole) = &payment.changed.gateway_payment_id {
            // It is called as its payment is only as long as it has no name of its own.
            let has_own = after.gateway_ids().any(|id| id.as_str() != whole.as_str());
            if has_own {
                after.forget_name(whole.as_str());
            }
        }
        let news = after.known() != payment.operations[place].known()
            || after.holds != payment.operations[place].holds;
        let taken_back = a_charge && after.status() == OperationStatus::Reversed;
        let closes = if taken_back { Some(Closed::Failed) } else { closes(&after, evidence) };
        let closes = closes.filter(|_| place >= payment.done_with);
        let ends = closes.is_some() && (ended < closes || (by_hand.is_some() && ended != closes));
        if !news && !ends {
            return false;
        }
        let before = std::mem::replace(&mut payment.operations[place], after);
        let more = payment.captured_gross() - taken;
        // What was held before had brought nothing.
        let brought = |own: &Operation| own.moved().filter(|_| own.takes());
        if payment.operations[place].takes() && brought(&before) != brought(&payment.operations[place]) {
            let then = Payment { operations: replaced(payment, place, before), ..payment.clone() };
            payment.excess = self.excess(&then, &Known::Unasked, more);
        }
        // A person has the last word; else the weightiest end counts.
        payment.ended = if by_hand.is_some() && closes.is_some() { closes } else { ended.max(closes) };
        payment.happened(command.at, by_hand);
        let taking = name.filter(|_| !clash && !own);
        self.names.take(scope, taking, &stream(payment), payment.version, fields);
        true
    }

    /// An attempt that nobody knew of, or a word about one that was known. Only of a payment that was made there
    /// has a gateway such things to tell; where it names no attempt, there is but one.
    pub(super) fn discover(&mut self, command: &Command, discover: &Discover) -> Result<Answer, Rejection> {
        let scope = &command.caller.scope;
        let payment = self.payment(scope, discover.payment)?;
        let id = OperationId::Attempt(discover.attempt);
        let known = payment.operations.iter().any(|operation| operation.id == id);
        let Some(whole) = &payment.changed.gateway_payment_id else {
            return Err(Rejection::OperationNotFound(id));
        };
        if *whole != discover.gateway_payment_id || known {
            return Ok(unchanged(payment));
        }
        if !is_end(&discover.evidence, payment.asked.amount) {
            let mut payment = payment.clone();
            let kept =
                payment.keep_misfit(&discover.evidence, discover.gateway_payment_id.as_str(), command.at);
            return Ok(if kept { self.keep(scope, payment) } else { unchanged(&payment) });
        }
        let given = discover.evidence.gateway_operation_id.clone();
        let called = given.unwrap_or_else(|| whole.as_str().parse().expect("no id is longer than another"));
        let name = operation_name(ClaimKind::GatewayAttempt, Some(&discover.gateway), &called);
        let evidence = discover.evidence.clone().with_gateway_operation_id(called);
        let holder = self.names.holder(scope, &name);
        if let Some((other, _)) = holder.filter(|(holder, _)| **holder != stream(payment)) {
            return Err(Rejection::GatewayIdTaken(other.clone()));
        }
        let own = match holder {
            Some((_, of)) => payment.operations.iter().find(|own| Some(&*own.id.to_string()) == of),
            // Written down by somebody who did not know what the gateway calls it.
            None => payment.operations.iter().find(|own| own.is_nameless_money_of(&discover.gateway)),
        };
        let mut said = evidence.clone();
        let own = own.or_else(|| {
            // It names none, and there is but one, of which it told.
            said = discover.evidence.clone();
            let there =
                |own: &&Operation| own.is_attempt() && own.gateway.as_ref() == Some(&discover.gateway);
            let there: Vec<_> = payment.operations.iter().filter(there).collect();
            let [one] = there[..] else { return None };
            (said.gateway_operation_id.is_none() && !one.is_ours()).then_some(one)
        });
        let own = own.map(|own| (own.id, own.holds && !own.is_ours()));
        let mut payment = payment.clone();
        if let Some((operation, held)) = own {
            let came = held && matches!(said.outcome, Outcome::Succeeded { .. });
            if came && payment.was_captured_of(operation) {
                return Ok(unchanged(&payment));
            }
            let by = if came { Said::ThatItWasACharge } else { Said::ByGateway };
            let news = self.word(command, &mut payment, operation, &said, by);
            return Ok(if news { self.keep(&command.caller.scope, payment) } else { unchanged(&payment) });
        }
        let mut attempt = payment.begin(id, payment.asked.amount, command.at);
        attempt.gateway = Some(discover.gateway.clone());
        attempt.instrument = payment.instrument().cloned();
        payment.ended = payment.ended.or(is_refusal(&evidence).then_some(Closed::Failed));
        attempt.heard.push(Heard::new(evidence));
        self.add(&mut payment, attempt, &Known::Unasked);
        payment.accepted = true;
        payment.happened(command.at, None);
        let stream = stream(&payment);
        self.names.take(scope, Some(name), &stream, payment.version, of_operation(id));
        Ok(self.keep(scope, payment))
    }
}

/// Who says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    ByGateway,
    /// A gateway, of an attempt that only it told of: it holds money.
    ThatItHolds,
    /// A gateway, of a hold that only it told of: it was no hold.
    ThatItWasACharge,
    /// A gateway, of a charge that only it told of: so much was held on the way to it, in minor units.
    ThatItHeld(i64),
    /// A person, who says when it came about.
    ByHand(Timestamp),
}

/// A no to an attempt ends its payment, unless another is to follow; money that a bank took back ends it in any case.
fn closes(operation: &Operation, evidence: &Evidence) -> Option<Closed> {
    let ends = match evidence.outcome {
        Outcome::Failed(_) => operation.is_attempt() && operation.retry.is_none(),
        Outcome::Reversed { .. } => operation.takes(),
        _ => false,
    };
    ends.then_some(Closed::Failed)
}

fn replaced(payment: &Payment, place: usize, operation: Operation) -> Vec<Operation> {
    let mut operations = payment.operations.clone();
    operations[place] = operation;
    operations
}

fn is_refusal(evidence: &Evidence) -> bool {
    matches!(evidence.outcome, Outcome::Failed(_))
}

/// Whether that is the end of it: a no, or money in the payment's own currency.
fn is_end(evidence: &Evidence, asked: Money) -> bool {
    match &evidence.outcome {
        Outcome::Succeeded { reported } => {
            let amount = reported.unwrap_or(asked);
            amount.currency() == asked.currency() && !amount.is_zero()
        }
        _ => is_refusal(evidence),
    }
}

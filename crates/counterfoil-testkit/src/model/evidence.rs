//! What gateways say.

use counterfoil::command::{Command, Discover, Rejection, Report};
use counterfoil::money::Money;
use counterfoil::payment::{Closed, Evidence, OperationId, Outcome};

use super::names::{Name, of_operation, operation_name};
use super::operation::{Heard, Operation};
use super::{Model, stream, unchanged};
use crate::run::Answer;

impl Model {
    pub(super) fn report(&mut self, command: &Command, report: &Report) -> Result<Answer, Rejection> {
        let scope = &command.caller.scope;
        let mut payment = self.payment(scope, report.payment)?.clone();
        let found = payment.operations.iter_mut().find(|operation| operation.id == report.operation);
        let asked = found.and_then(|operation| operation.gateway.clone().map(|gateway| (operation, gateway)));
        let (operation, gateway) = asked.ok_or(Rejection::OperationNotFound(report.operation))?;
        let id = report.evidence.gateway_operation_id.as_ref();
        let name: Option<Name> = id.map(|id| operation_name(Some(&gateway), id));
        let fields = of_operation(report.operation);
        let clash = self.names.first_answer(scope, name.as_ref(), &fields).is_err();

        let before = operation.known();
        operation.heard.push(Heard { clash, ..Heard::new(report.evidence.clone()) });
        let news = operation.known() != before;
        let ends = is_refusal(&report.evidence) && payment.ended.is_none();
        if !news && !ends {
            return Ok(unchanged(&payment));
        }
        payment.ended = payment.ended.or(ends.then_some(Closed::Failed));
        payment.happened(command.at, None);
        self.names.take(scope, name.filter(|_| !clash), &stream(&payment), payment.version, fields);
        Ok(self.keep(scope, payment))
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
        // Of another name, or of nothing that ends it: no news.
        if *whole != discover.gateway_payment_id || known || !is_end(&discover.evidence, payment.asked.amount)
        {
            return Ok(unchanged(payment));
        }
        let given = discover.evidence.gateway_operation_id.clone();
        let called = given.unwrap_or_else(|| whole.as_str().parse().expect("no id is longer than another"));
        let name = operation_name(Some(&discover.gateway), &called);
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
        if let Some(operation) = own.map(|own| own.id) {
            return self.report(command, &Report { payment: discover.payment, operation, evidence });
        }
        let mut payment = payment.clone();
        let mut attempt = Operation::new(id, payment.version + 1, payment.asked.amount);
        attempt.gateway = Some(discover.gateway.clone());
        attempt.instrument = payment.instrument().cloned();
        payment.ended = payment.ended.or(is_refusal(&evidence).then_some(Closed::Failed));
        attempt.heard.push(Heard::new(evidence));
        payment.operations.push(attempt);
        payment.accepted = true;
        payment.happened(command.at, None);
        let stream = stream(&payment);
        self.names.take(scope, Some(name), &stream, payment.version, of_operation(id));
        Ok(self.keep(scope, payment))
    }
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

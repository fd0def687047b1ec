//! New payments, and attempts that begin here.

use counterfoil::claim::{ClaimKind, RequestField};
use counterfoil::command::{Command, Create, Process, Rejection};
use counterfoil::event::StreamId;
use counterfoil::id::AttemptId;
use counterfoil::payment::{
    CaptureMethod, Evidence, Failure, FailureClass, OperationId, Outcome, PaymentMethod, PaymentMethodType,
    Work,
};
use counterfoil::status::{Action, PaymentStatus};
use counterfoil::text::{ErrorCode, GatewayName, Message};

use super::names::{Fields, create_fields};
use super::operation::{Operation, Report};
use super::payment::{Payment, through_gateway};
use super::{Model, again};
use crate::run::Answer;

impl Model {
    pub(super) fn create(&mut self, command: &Command, create: &Create) -> Result<Answer, Rejection> {
        let scope = &command.caller.scope;
        let key = create.idempotency_key.as_ref().map(|key| (ClaimKind::CreateKey, key.to_string()));
        if let Some(first) = self.names.first_answer(scope, key.as_ref(), &create_fields(create))? {
            return Ok(first);
        }
        let stream = StreamId::Payment(create.payment);
        if let Some(payment) = self.payments.get(&(scope.clone(), create.payment)) {
            let same = same_terms(payment, command, create);
            return if same { Ok(again(payment, 1)) } else { Err(Rejection::IdTaken(stream)) };
        }
        if create.amount.is_zero() {
            return Err(Rejection::AmountNotPositive);
        }
        let kind = create.method.kind();
        if kind == PaymentMethodType::PaymentLink && create.checkout.gateway.is_none() {
            return Err(Rejection::GatewayRequired(kind));
        }
        if create.capture_method == CaptureMethod::Manual && !through_gateway(kind) {
            return Err(Rejection::CaptureMethodNotAllowed(kind));
        }
        if let Some(past) = create.expires_at.filter(|at| *at <= command.at) {
            return Err(Rejection::InPast(past));
        }
        self.require_payable(command, &create.destination, &create.known, create.amount.currency())?;
        if create.process.is_some() && kind != PaymentMethodType::Offline {
            self.require_room(command, create, &create.known, 0)?;
        }
        let mut payment = Payment::new(create, &command.caller, command.at);
        payment.number = self.number(scope, &create.destination, &create.known);
        if let Some(attempt) = create.process {
            self.attempt(command, &mut payment, attempt, None)?;
        }
        self.happened(command, &mut payment, &create.known, None);
        self.names.take(scope, key, &stream, 1, create_fields(create));
        Ok(self.keep(scope, payment))
    }

    pub(super) fn process(&mut self, command: &Command, process: &Process) -> Result<Answer, Rejection> {
        let scope = &command.caller.scope;
        let key = process.idempotency_key.as_ref().map(|key| (ClaimKind::ProcessKey, key.to_string()));
        let mut fields = Fields::from([(RequestField::PaymentId, process.payment.to_string())]);
        fields.extend(process.instrument.iter().map(|id| (RequestField::PaymentMethodId, id.to_string())));
        if let Some(first) = self.names.first_answer(scope, key.as_ref(), &fields)? {
            return Ok(first);
        }
        let mut payment = self.payment(scope, process.payment)?.clone();
        let id = OperationId::Attempt(process.attempt);
        if let Some(attempt) = payment.operations.iter().find(|operation| operation.id == id) {
            return Ok(again(&payment, attempt.sequence));
        }
        if let Some(number) = process.number {
            payment.require_due(Work::Retry { number }, command.at)?;
        }
        let open = [PaymentStatus::Initiated, PaymentStatus::Pending, PaymentStatus::Failed];
        payment.allows(Action::Process, &open)?;
        payment.can_be_opened_again(command, process)?;
        if payment.changed.gateway_payment_id.is_some() {
            return Err(Rejection::AtGateway { payment: process.payment });
        }
        let asked = &payment.asked;
        self.require_payable(command, &asked.destination, &process.known, asked.amount.currency())?;
        if asked.method.kind() != PaymentMethodType::Offline {
            self.require_room(command, asked, &process.known, 0)?;
        }
        self.attempt(command, &mut payment, process.attempt, Some(process))?;
        payment.accepted = true;
        self.happened(command, &mut payment, &process.known, None);
        let stream = StreamId::Payment(process.payment);
        self.names.take(scope, key, &stream, payment.version, fields);
        Ok(self.keep(scope, payment))
    }

    /// Adds attempt `id`, as a creation or `process` asks for it: sent to a gateway, or done at once.
    fn attempt(
        &mut self,
        command: &Command,
        payment: &mut Payment,
        id: AttemptId,
        process: Option<&Process>,
    ) -> Result<(), Rejection> {
        let instrument = process.and_then(|process| process.instrument.clone());
        let due = process.is_some_and(|process| process.number.is_some());
        let amount = payment.asked.amount;
        let kind = payment.asked.method.kind();
        let mut attempt = payment.begin(id.into(), amount, command.at);
        let at_once = match &payment.asked.method {
            PaymentMethod::Offline | PaymentMethod::Credits(_) if instrument.is_some() => {
                return Err(Rejection::InstrumentNotAllowed(kind));
            }
            PaymentMethod::Offline => Some(true),
            PaymentMethod::Credits(wallet) => Some(self.debit(command, wallet, amount)),
            _ => {
                attempt.gateway = Some(choose(command, payment)?.clone());
                let own = || payment.instrument().cloned();
                attempt.instrument =
                    instrument.or_else(|| if due { payment.instrument_when_due() } else { own() });
                attempt.scheduled = due && payment.is_next_scheduled();
                let queued = process.map_or(payment.asked.queued, |process| process.queued);
                attempt.start_at_gateway(command, queued)?;
                attempt.authorizes = payment.asked.capture_method == CaptureMethod::Manual;
                // Of what is queued it is known when it is sent.
                attempt.retry = payment.retry(command, attempt.scheduled).filter(|_| !queued);
                if payment.status() == PaymentStatus::Failed {
                    (payment.ended, payment.given_up) = (None, None);
                    payment.operations.iter_mut().for_each(|own| own.ended = false);
                    payment.done_with = payment.operations.len();
                }
                None
            }
        };
        if let Some(paid) = at_once {
            let outcome = if paid { Outcome::Succeeded } else { Outcome::Failed(no_credits()) };
            attempt.reports.push(Report::new(Evidence::new(outcome, command.at)));
            attempt.ended = !paid;
        }
        payment.operations.push(attempt);
        Ok(())
    }
}

impl Payment {
    /// A failed payment is tried again under a policy, with an instrument that was not tried last and not returned.
    fn can_be_opened_again(&self, command: &Command, process: &Process) -> Result<(), Rejection> {
        let (payment, status) = (self.asked.payment, self.status());
        if status != PaymentStatus::Failed {
            return Ok(());
        }
        if !self.needs_gateway() {
            return Err(Rejection::NotAllowed { payment, action: Action::Process, status });
        }
        if process.queued {
            return Err(Rejection::NotAllowed { payment, action: Action::Process, status });
        }
        if !command.policy.process_failed {
            return Err(Rejection::ProcessFailedDisabled { payment });
        }
        if self.changed.gateway_payment_id.is_some() {
            return Err(Rejection::AtGateway { payment });
        }
        let instrument = process.instrument.as_ref().or(self.instrument()).cloned();
        let with_it = |own: &&Operation| own.is_attempt() && own.instrument == instrument;
        if self.operations.iter().filter(with_it).any(|own| self.is_returned(own)) {
            return Err(Rejection::InstrumentReturned { payment, instrument });
        }
        match self.made().last() {
            Some(last) if last.instrument == instrument => {
                Err(Rejection::SameInstrument { payment, instrument })
            }
            _ => Ok(()),
        }
    }
}

/// The gateway that was asked for, if there is such a one; else the first there is.
fn choose<'a>(command: &'a Command, payment: &Payment) -> Result<&'a GatewayName, Rejection> {
    let mut gateways = command.gateways.iter();
    match payment.asked_gateway() {
        Some(asked) => gateways.find(|known| *known == asked).ok_or(Rejection::UnknownGateway(asked.clone())),
        None => gateways.next().ok_or(Rejection::NoGateway(payment.asked.method.kind())),
    }
}

/// Whether `command` is the very one that made `payment`.
fn same_terms(payment: &Payment, command: &Command, create: &Create) -> bool {
    let first = &payment.asked;
    payment.asked_by == command.caller
        && payment.asked_at == command.at
        && first.idempotency_key == create.idempotency_key
        && first.process == create.process
        && create_fields(create) == create_fields(first)
}

fn no_credits() -> Failure {
    Failure {
        class: FailureClass::Soft,
        code: ErrorCode::lossy("insufficient_credits"),
        message: Message::lossy("the wallet does not hold enough credits"),
    }
}

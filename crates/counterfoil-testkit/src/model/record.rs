//! Attempts that were made elsewhere.

use counterfoil::claim::{ClaimKind, RequestField};
use counterfoil::command::{Command, RecordAttempt, Recorded, Rejection};
use counterfoil::destinations::Known;
use counterfoil::money::{Money, MoneyError};
use counterfoil::payment::{
    Evidence, Failure, FailureClass, OperationId, Outcome, PaymentMethod, PaymentMethodType,
};
use counterfoil::status::{Action, OperationStatus, PaymentStatus};
use counterfoil::text::{ErrorCode, Message};

use super::names::{Fields, of_operation, operation_name};
use super::operation::{Heard, Operation};
use super::payment::Payment;
use super::{Model, again, stream};
use crate::run::Answer;

impl Model {
    pub(super) fn record_attempt(
        &mut self,
        command: &Command,
        record: &RecordAttempt,
    ) -> Result<Answer, Rejection> {
        let scope = &command.caller.scope;
        let key = record.idempotency_key.as_ref().map(|key| (ClaimKind::RecordKey, key.to_string()));
        let fields = record_fields(record);
        if let Some(first) = self.names.first_answer(scope, key.as_ref(), &fields)? {
            return Ok(first);
        }
        let mut payment = self.payment(scope, record.payment)?.clone();
        let id = OperationId::Attempt(record.attempt);
        if let Some(attempt) = payment.operations.iter().find(|operation| operation.id == id) {
            return Ok(again(&payment, attempt.sequence));
        }
        let called = record.gateway_attempt_id.as_ref();
        let gateway = payment.gateway().or(command.gateways.first()).filter(|_| payment.needs_gateway());
        let name = called.map(|called| operation_name(ClaimKind::GatewayAttempt, gateway, called));
        if let Some((holder, of)) = name.as_ref().and_then(|name| self.names.holder(scope, name)) {
            let own = payment.operations.iter().find(|own| Some(&*own.id.to_string()) == of);
            return match own.filter(|own| *holder == stream(&payment) && is_same(record, own)) {
                Some(attempt) => Ok(again(&payment, attempt.sequence)),
                None => Err(Rejection::GatewayIdTaken(holder.clone())),
            };
        }
        payment.allows(Action::RecordAttempt, &[PaymentStatus::Initiated, PaymentStatus::Pending])?;
        let outcome = outcome(record, payment.asked.amount)?;
        let mut evidence = Evidence::new(outcome, command.at);
        if let Some(called) = called {
            evidence = evidence.with_gateway_operation_id(called.clone());
        }
        let named = called.is_some() || payment.changed.gateway_payment_id.is_some();
        self.write_down(command, &mut payment, id, evidence, named)?;
        payment.happened(command.at, Some(command.at));
        self.names.take(scope, key, &stream(&payment), payment.version, fields);
        self.names.take(scope, name, &stream(&payment), payment.version, of_operation(id));
        Ok(self.keep(scope, payment))
    }
}

impl Model {
    /// Adds an attempt that was made elsewhere: where it has a name, at some gateway; else only at one that was asked
    /// for. Credits are ours: they move nowhere else.
    pub(super) fn write_down(
        &self,
        command: &Command,
        payment: &mut Payment,
        id: OperationId,
        evidence: Evidence,
        named: bool,
    ) -> Result<(), Rejection> {
        if matches!(payment.asked.method, PaymentMethod::Credits(_)) {
            return Err(Rejection::NotRecordable(PaymentMethodType::Credits));
        }
        let mut attempt = payment.begin(id, payment.asked.amount, command.at);
        let named = named.then(|| payment.gateway().or(command.gateways.first()));
        let some = named.unwrap_or_else(|| payment.asked_gateway());
        attempt.gateway = some.filter(|_| payment.needs_gateway()).cloned();
        attempt.instrument = payment.instrument().cloned();
        attempt.retry = payment.retry_beside().filter(|_| matches!(evidence.outcome, Outcome::Failed(_)));
        attempt.heard.push(Heard::new(evidence));
        self.add(payment, attempt, &Known::Unasked);
        payment.accepted = true;
        Ok(())
    }

    /// Adds an operation of which something is known already: it may have brought money, or taken it back.
    pub(super) fn add(&self, payment: &mut Payment, operation: Operation, known: &Known) {
        if let Some(moved) = operation.moved().filter(|_| operation.takes()) {
            payment.excess = self.excess(payment, known, moved.into());
        }
        payment.operations.push(operation);
    }
}

/// A no that somebody wrote down.
pub(super) fn recorded_failure(message: Option<Message>) -> Failure {
    Failure {
        class: FailureClass::Soft,
        code: ErrorCode::lossy("recorded"),
        message: message.unwrap_or_else(|| Message::lossy("recorded as failed")),
    }
}

fn outcome(record: &RecordAttempt, asked: Money) -> Result<Outcome, Rejection> {
    match &record.outcome {
        Recorded::Succeeded { amount: Some(amount) } if amount.is_zero() => Err(Rejection::AmountNotPositive),
        Recorded::Succeeded { amount: Some(amount) } if amount.currency() != asked.currency() => {
            let (expected, got) = (asked.currency(), amount.currency());
            Err(MoneyError::CurrencyMismatch { expected, got }.into())
        }
        Recorded::Succeeded { amount } => Ok(Outcome::Succeeded { reported: Some(amount.unwrap_or(asked)) }),
        Recorded::Failed { error_message } => Ok(Outcome::Failed(recorded_failure(error_message.clone()))),
    }
}

/// Whether what is recorded is what is known of the attempt already.
fn is_same(record: &RecordAttempt, attempt: &Operation) -> bool {
    match &record.outcome {
        Recorded::Succeeded { amount } => {
            attempt.moved() == Some(amount.unwrap_or(attempt.amount).minor())
                && amount.is_none_or(|amount| amount.currency() == attempt.amount.currency())
        }
        Recorded::Failed { .. } => attempt.status() == OperationStatus::Failed,
    }
}

fn record_fields(record: &RecordAttempt) -> Fields {
    let mut fields = Fields::from([(RequestField::PaymentId, record.payment.to_string())]);
    let called = record.gateway_attempt_id.as_ref();
    fields.extend(called.map(|called| (RequestField::GatewayAttemptId, called.to_string())));
    match &record.outcome {
        Recorded::Succeeded { amount } => {
            fields.insert(RequestField::PaymentStatus, "SUCCEEDED".to_owned());
            if let Some(amount) = amount {
                fields.insert(RequestField::Amount, amount.minor().to_string());
                fields.insert(RequestField::Currency, amount.currency().to_string());
            }
        }
        Recorded::Failed { error_message } => {
            fields.insert(RequestField::PaymentStatus, "FAILED".to_owned());
            fields.extend(error_message.iter().map(|why| (RequestField::ErrorMessage, why.to_string())));
        }
    }
    fields
}

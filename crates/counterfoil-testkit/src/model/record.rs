//! Attempts that were made elsewhere.

use counterfoil::claim::{ClaimKind, RequestField};
use counterfoil::clock::Timestamp;
use counterfoil::command::{Command, RecordAttempt, Recorded, Rejection};
use counterfoil::destinations::Known;
use counterfoil::money::{Money, MoneyError};
use counterfoil::payment::{
    Evidence, Failure, FailureClass, OperationId, Origin, Outcome, PaymentMethod, PaymentMethodType,
};
use counterfoil::status::{Action, OperationStatus, PaymentStatus};
use counterfoil::text::{ErrorCode, GatewayName, Message};

use super::names::{Fields, of_operation, operation_name};
use super::operation::{Operation, Report};
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
        let has_id = called.is_some() || payment.changed.gateway_payment_id.is_some();
        let gateway = payment.place_of_record(command, record.gateway.as_ref(), has_id)?;
        let name = called.map(|called| operation_name(ClaimKind::GatewayAttempt, gateway.as_ref(), called));
        if let Some((holder, of)) = name.as_ref().and_then(|name| self.names.holder(scope, name)) {
            let own = payment.operations.iter().find(|own| Some(&*own.id.to_string()) == of);
            return match own.filter(|own| *holder == stream(&payment) && is_same(record, own)) {
                Some(attempt) => Ok(again(&payment, attempt.sequence)),
                None => Err(Rejection::GatewayIdTaken(holder.clone())),
            };
        }
        payment.allows(Action::RecordAttempt, &[PaymentStatus::Initiated, PaymentStatus::Pending])?;
        let mut evidence = evidence(record, payment.asked.amount, command.at)?;
        if let Some(called) = called {
            evidence = evidence.with_gateway_operation_id(called.clone());
        }
        write_down(command, &mut payment, id, evidence, gateway)?;
        self.happened(command, &mut payment, &Known::Unasked, Some(command.at));
        self.names.take(scope, key, &stream(&payment), payment.version, fields);
        self.names.take(scope, name, &stream(&payment), payment.version, of_operation(id));
        Ok(self.keep(scope, payment))
    }
}

/// Adds an attempt that was made elsewhere, at this gateway or at none. Credits are ours: they move nowhere else.
pub(super) fn write_down(
    command: &Command,
    payment: &mut Payment,
    id: OperationId,
    evidence: Evidence,
    gateway: Option<GatewayName>,
) -> Result<(), Rejection> {
    payment.require_recordable()?;
    let mut attempt = payment.begin(id, payment.asked.amount, command.at);
    attempt.gateway = gateway;
    attempt.instrument = payment.instrument().cloned();
    attempt.origin = Origin::Recorded;
    attempt.retry = payment.retry_beside().filter(|_| matches!(evidence.outcome, Outcome::Failed(_)));
    attempt.reports.push(Report::new(evidence));
    payment.operations.push(attempt);
    payment.accepted = true;
    Ok(())
}

impl Payment {
    /// Where something happened that is recorded: at the gateway that is named, which has to be there. An id that some
    /// gateway gave is of the payment's gateway, or of the first one. Without either it happened at none.
    pub(super) fn place_of_record(
        &self,
        command: &Command,
        named: Option<&GatewayName>,
        has_id: bool,
    ) -> Result<Option<GatewayName>, Rejection> {
        let Some(named) = named else {
            let some = self.gateway().or(command.gateways.first());
            return Ok(some.filter(|_| has_id && self.needs_gateway()).cloned());
        };
        if !self.needs_gateway() {
            Err(Rejection::NotAtGateway(self.asked.method.kind()))
        } else if !command.gateways.contains(named) {
            Err(Rejection::UnknownGateway(named.clone()))
        } else {
            Ok(Some(named.clone()))
        }
    }

    pub(super) fn require_recordable(&self) -> Result<(), Rejection> {
        match self.asked.method {
            PaymentMethod::Credits(_) => Err(Rejection::NotRecordable(PaymentMethodType::Credits)),
            _ => Ok(()),
        }
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

fn evidence(record: &RecordAttempt, asked: Money, at: Timestamp) -> Result<Evidence, Rejection> {
    match &record.outcome {
        Recorded::Succeeded { amount: Some(amount) } if amount.is_zero() => Err(Rejection::AmountNotPositive),
        Recorded::Succeeded { amount: Some(amount) } if amount.currency() != asked.currency() => {
            let (expected, got) = (asked.currency(), amount.currency());
            Err(MoneyError::CurrencyMismatch { expected, got }.into())
        }
        Recorded::Succeeded { amount } => Ok(Evidence::succeeded(at).with_amount(amount.unwrap_or(asked))),
        Recorded::Failed { error_message } => {
            Ok(Evidence::new(Outcome::Failed(recorded_failure(error_message.clone())), at))
        }
    }
}

/// Whether what is recorded is what is known of the attempt already.
fn is_same(record: &RecordAttempt, attempt: &Operation) -> bool {
    match &record.outcome {
        Recorded::Succeeded { amount } => {
            attempt.moved() == Some(amount.unwrap_or(attempt.asked).minor())
                && amount.is_none_or(|amount| amount.currency() == attempt.asked.currency())
        }
        Recorded::Failed { .. } => attempt.status() == OperationStatus::Failed,
    }
}

fn record_fields(record: &RecordAttempt) -> Fields {
    let mut fields = Fields::from([(RequestField::PaymentId, record.payment.to_string())]);
    let called = record.gateway_attempt_id.as_ref();
    fields.extend(called.map(|called| (RequestField::GatewayAttemptId, called.to_string())));
    fields.extend(record.gateway.iter().map(|name| (RequestField::PaymentGateway, name.to_string())));
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

//! Taking what is held.

use counterfoil::claim::{ClaimKind, RequestField};
use counterfoil::command::{Capture, Command, Rejection};
use counterfoil::destinations::Known;
use counterfoil::money::{Money, MoneyError};
use counterfoil::payment::OperationId;
use counterfoil::status::{Action, PaymentStatus};
use counterfoil::text::GatewayName;

use super::names::Fields;
use super::operation::Operation;
use super::payment::Payment;
use super::{Model, again, stream};
use crate::run::Answer;

impl Model {
    pub(super) fn capture(&mut self, command: &Command, capture: &Capture) -> Result<Answer, Rejection> {
        let scope = &command.caller.scope;
        let key = capture.idempotency_key.as_ref().map(|key| (ClaimKind::CaptureKey, key.to_string()));
        let mut fields = amount_fields(capture.amount);
        fields.insert(RequestField::PaymentId, capture.payment.to_string());
        fields.insert(RequestField::Final, capture.is_final.to_string());
        if let Some(first) = self.names.first_answer(scope, key.as_ref(), &fields)? {
            return Ok(first);
        }
        let mut payment = self.payment(scope, capture.payment)?.clone();
        let id = OperationId::Capture(capture.capture);
        if let Some(known) = payment.operation(id) {
            return Ok(again(&payment, known.sequence));
        }
        payment.allows(Action::Capture, &HELD)?;
        let capturable = payment.capturable();
        let exceeds = Rejection::ExceedsCapturable { payment: capture.payment, capturable };
        let amount = within(capture.amount, capturable, exceeds)?;
        let hold = payment.best_hold().expect("something is held").clone();
        let rest = payment.money((capturable.minor() - amount.minor()).into());
        let mut operation = payment.begin(id, amount, command.at);
        operation.of(&hold);
        let lets_go = capture.is_final && !rest.is_zero() && !payment.is_taken_from(&hold);
        operation.releases = lets_go.then_some(rest);
        operation.start_at_gateway(command, capture.queued)?;
        payment.operations.push(operation);
        self.happened(command, &mut payment, &Known::Unasked, None);
        self.names.take(scope, key, &stream(&payment), payment.version, fields);
        Ok(self.keep(scope, payment))
    }
}

/// Where there may be a hold.
pub(super) const HELD: [PaymentStatus; 4] = [
    PaymentStatus::Authorized,
    PaymentStatus::PartiallyCaptured,
    PaymentStatus::PartiallyRefunded,
    PaymentStatus::Refunded,
];

/// So much of what there is; all of it, if no amount is asked for.
pub(super) fn within(asked: Option<Money>, most: Money, exceeds: Rejection) -> Result<Money, Rejection> {
    match asked {
        Some(asked) if asked.currency() != most.currency() => {
            let (expected, got) = (most.currency(), asked.currency());
            Err(MoneyError::CurrencyMismatch { expected, got }.into())
        }
        Some(asked) if asked.is_zero() => Err(Rejection::AmountNotPositive),
        Some(asked) if asked.minor() > most.minor() => Err(exceeds),
        None if most.is_zero() => Err(exceeds),
        asked => Ok(asked.unwrap_or(most)),
    }
}

pub(super) fn amount_fields(amount: Option<Money>) -> Fields {
    let fields = amount.map(|amount| {
        let currency = (RequestField::Currency, amount.currency().to_string());
        [(RequestField::Amount, amount.minor().to_string()), currency]
    });
    fields.into_iter().flatten().collect()
}

impl Operation {
    /// It takes from `attempt`, or from what that one takes from, through the same gateway.
    pub(super) fn of(&mut self, attempt: &Operation) {
        let OperationId::Attempt(id) = attempt.id else { panic!("money comes by attempts") };
        self.parent = Some(id);
        self.gateway.clone_from(&attempt.gateway);
        self.instrument.clone_from(&attempt.instrument);
    }

    /// Starts it at its gateway, under a lease or queued. An error if the gateway is not configured.
    pub(super) fn start_at_gateway(&mut self, command: &Command, queued: bool) -> Result<(), Rejection> {
        let gateway: &GatewayName = self.gateway.as_ref().expect("it goes through a gateway");
        if !command.gateways.contains(gateway) {
            return Err(Rejection::UnknownGateway(gateway.clone()));
        }
        if queued {
            self.sent = None;
        } else {
            self.lease_until = Some(command.at.saturating_add(command.policy.lease));
        }
        Ok(())
    }
}

impl Payment {
    /// Nothing of its money is on its way elsewhere, or disputed.
    pub(super) fn require_free(&self) -> Result<(), Rejection> {
        if self.is_reserved() || self.disputed() > 0 {
            Err(Rejection::NotWhole { payment: self.asked.payment })
        } else {
            Ok(())
        }
    }

    /// All of its money is there, and no more may come.
    pub(super) fn require_whole(&self) -> Result<(), Rejection> {
        self.require_free()?;
        if self.refunded() > 0 || self.live_attempt().is_some() {
            Err(Rejection::NotWhole { payment: self.asked.payment })
        } else {
            Ok(())
        }
    }
}

//! Operations that are sent later than they are asked for.

use counterfoil::claim::ClaimKind;
use counterfoil::command::{CancelQueued, Command, Rejection, SendQueued};
use counterfoil::destinations::Known;
use counterfoil::payment::{Evidence, OperationId, Outcome};
use counterfoil::status::{OperationStatus, PaymentStatus};
use counterfoil::text::Message;

use super::names::Fields;
use super::operation::Report;
use super::payment::Payment;
use super::{Model, stream, unchanged};
use crate::run::Answer;

impl Model {
    pub(super) fn send(&mut self, command: &Command, send: &SendQueued) -> Result<Answer, Rejection> {
        let scope = &command.caller.scope;
        let own = (ClaimKind::Update, send.update.to_string());
        if let Some(first) = self.names.first_answer(scope, Some(&own), &Fields::new())? {
            return Ok(first);
        }
        let mut payment = self.payment(scope, send.payment)?.clone();
        let operation = payment.operation(send.operation);
        let operation = operation.ok_or(Rejection::OperationNotFound(send.operation))?;
        if !operation.is_queued() {
            return Ok(unchanged(&payment));
        }
        let has_money = payment.status() != PaymentStatus::Processing;
        let ran_out = payment.asked.expires_at.is_some_and(|at| at <= command.at);
        match () {
            () if operation.is_attempt() && has_money => {
                payment.cancel_queued(command, send.operation, "the payment has money already");
            }
            () if operation.is_attempt() && ran_out => {
                payment.cancel_queued(command, send.operation, "the payment expired before it was sent");
            }
            () => {
                let (moment, sequence) = (payment.moment(command.at), payment.version + 1);
                let own = payment.operations.iter_mut().find(|own| own.id == send.operation);
                let own = own.expect("it is there");
                own.sent = Some(sequence);
                own.lease_until = Some(command.at.saturating_add(command.policy.lease));
                own.touched = moment;
            }
        }
        self.happened(command, &mut payment, &Known::Unasked, None);
        self.names.take(scope, Some(own), &stream(&payment), payment.version, Fields::new());
        Ok(self.keep(scope, payment))
    }

    pub(super) fn cancel(&mut self, command: &Command, cancel: &CancelQueued) -> Result<Answer, Rejection> {
        let scope = &command.caller.scope;
        let own = (ClaimKind::Update, cancel.update.to_string());
        if let Some(first) = self.names.first_answer(scope, Some(&own), &Fields::new())? {
            return Ok(first);
        }
        let mut payment = self.payment(scope, cancel.payment)?.clone();
        let id = cancel.operation;
        match payment.operation(id).ok_or(Rejection::OperationNotFound(id))?.status() {
            OperationStatus::Queued => {}
            OperationStatus::Canceled => return Ok(unchanged(&payment)),
            status => return Err(Rejection::NotQueued { payment: cancel.payment, operation: id, status }),
        }
        payment.cancel_queued(command, id, "it was canceled before it was sent");
        self.happened(command, &mut payment, &Known::Unasked, None);
        self.names.take(scope, Some(own), &stream(&payment), payment.version, Fields::new());
        Ok(self.keep(scope, payment))
    }
}

impl Payment {
    fn cancel_queued(&mut self, command: &Command, id: OperationId, why: &str) {
        let moment = self.moment(command.at);
        let outcome = Outcome::Canceled { error_message: Message::lossy(why) };
        let own = self.operations.iter_mut().find(|own| own.id == id).expect("it is there");
        own.hear(Report::new(Evidence::new(outcome, moment)), moment);
    }
}

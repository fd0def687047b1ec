//! Sending and canceling queued operations.

use counterfoil::claim::ClaimKind;
use counterfoil::command::{CancelQueued, Command, Rejection, SendQueued};
use counterfoil::destinations::Known;
use counterfoil::payment::{Evidence, OperationId, Outcome};
use counterfoil::status::OperationStatus;
use counterfoil::text::Message;

use super::names::Fields;
use super::operation::{Operation, Report};
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
        let gateway = operation.gateway.as_ref().expect("it goes through a gateway");
        if !command.gateways.contains(gateway) {
            return Err(Rejection::UnknownGateway(gateway.clone()));
        }
        match self.why_not_sent(command, send, &payment, operation)? {
            Some(why) => payment.cancel_queued(command, send.operation, &why),
            None => payment.send_queued(command, send.operation),
        }
        self.happened(command, &mut payment, &Known::Unasked, None);
        self.names.take(scope, Some(own), &stream(&payment), payment.version, Fields::new());
        Ok(self.keep(scope, payment))
    }

    /// What is not there any more is not taken, and what would not be charged now is not charged.
    fn why_not_sent(
        &self,
        command: &Command,
        send: &SendQueued,
        payment: &Payment,
        own: &Operation,
    ) -> Result<Option<String>, Rejection> {
        if !own.is_attempt() {
            let is_gone = !payment.has_amount_for(own);
            return Ok(is_gone.then(|| "the amount is no longer available".to_owned()));
        }
        let asked = &payment.asked;
        let ran_out = asked.expires_at.is_some_and(|at| at <= command.at);
        let others = payment.live_attempts().filter(|other| other.id != own.id).count();
        let why = match () {
            () if payment.captured() > 0 || payment.held() > 0 => "the payment has money already",
            () if others > 0 => "another attempt is under way",
            () if payment.changed.gateway_payment_id.is_some() => "the payment was created at its gateway",
            () if payment.how_ended().is_some() => "the payment has ended",
            () if ran_out => "the payment expired before it was sent",
            () => "",
        };
        if !why.is_empty() {
            return Ok(Some(why.to_owned()));
        }
        let (destination, currency) = (&asked.destination, asked.amount.currency());
        let payable = self.require_payable(command, destination, &send.known, currency);
        let room = |()| self.require_room(command, asked, &send.known, own.asked.minor().into());
        match payable.and_then(room) {
            Ok(()) => Ok(None),
            Err(later @ (Rejection::DestinationInDoubt { .. } | Rejection::DestinationsUnavailable)) => {
                Err(later)
            }
            Err(refused) => Ok(Some(refused.to_string())),
        }
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
    fn send_queued(&mut self, command: &Command, id: OperationId) {
        let (moment, sequence) = (self.moment(command.at), self.version + 1);
        let retry = if matches!(id, OperationId::Attempt(_)) { self.retry(command, false) } else { None };
        let own = self.operations.iter_mut().find(|own| own.id == id).expect("the operation exists");
        own.sent = Some(sequence);
        own.lease_until = Some(command.at.saturating_add(command.policy.lease));
        own.retry = retry;
        own.touched = moment;
    }

    fn cancel_queued(&mut self, command: &Command, id: OperationId, reason: &str) {
        let moment = self.moment(command.at);
        let outcome = Outcome::Canceled { error_message: Message::lossy(reason) };
        let own = self.operations.iter_mut().find(|own| own.id == id).expect("the operation exists");
        own.hear(Report::new(Evidence::new(outcome, moment)), moment);
    }
}

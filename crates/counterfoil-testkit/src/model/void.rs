//! Cancelling, releasing a hold, taking a charge or a capture back.

use counterfoil::claim::{ClaimKind, RequestField};
use counterfoil::command::{Command, Rejection, Void};
use counterfoil::destinations::Known;
use counterfoil::id::{CaptureId, UpdateId};
use counterfoil::payment::{Closed, Irreversible, OperationId};
use counterfoil::status::{Action, PaymentStatus};

use super::amounts::Way;
use super::capture::HELD;
use super::names::Fields;
use super::operation::Operation;
use super::payment::Payment;
use super::{Model, again, stream};
use crate::run::Answer;

/// Where nothing of it has happened yet.
const OPEN: [PaymentStatus; 3] =
    [PaymentStatus::Initiated, PaymentStatus::Pending, PaymentStatus::RequiresAction];

impl Model {
    pub(super) fn void(&mut self, command: &Command, void: &Void) -> Result<Answer, Rejection> {
        let scope = &command.caller.scope;
        let key = void.idempotency_key.as_ref().map(|key| (ClaimKind::VoidKey, key.to_string()));
        let mut fields = Fields::from([(RequestField::PaymentId, void.payment.to_string())]);
        fields.extend(void.reason.iter().map(|reason| (RequestField::Reason, reason.to_string())));
        if let Some(first) = self.names.first_answer(scope, key.as_ref(), &fields)? {
            return Ok(first);
        }
        // What only cancels leaves no operation to be known by.
        let own = (ClaimKind::Update, UpdateId::new(void.void.as_uuid()).to_string());
        if let Some(first) = self.names.first_answer(scope, Some(&own), &Fields::new())? {
            return Ok(first);
        }
        let mut payment = self.payment(scope, void.payment)?.clone();
        let id = OperationId::Void(void.void);
        if let Some(known) = payment.operation(id) {
            return Ok(again(&payment, known.sequence));
        }
        let mut places = OPEN.to_vec();
        places.extend(HELD);
        places.push(PaymentStatus::Succeeded);
        payment.allows(Action::Void, &places)?;
        let status = payment.status();
        let cancels = OPEN.contains(&status);
        if cancels {
            payment.cancel(command)?;
        } else if status == PaymentStatus::Succeeded {
            payment.require_whole()?;
            let amount = payment.money(payment.captured());
            let not_whole = Rejection::NotWhole { payment: payment.asked.payment };
            let way = payment.way_back(amount.minor().into()).ok_or(not_whole)?;
            let mut operation = payment.begin(id, amount, command.at);
            operation.reverses = true;
            if let Way::Charge(attempt) = &way {
                operation.capture = payment.capture_taken_back(attempt, command, void)?;
            }
            self.back(command, &mut payment, operation, way, void.queued)?;
        } else {
            payment.release(command, id, void.queued)?;
        }
        self.happened(command, &mut payment, &Known::Unasked, cancels.then_some(command.at));
        let (stream, version) = (stream(&payment), payment.version);
        self.names.take(scope, key, &stream, version, fields);
        self.names.take(scope, cancels.then_some(own), &stream, version, Fields::new());
        Ok(self.keep(scope, payment))
    }
}

impl Payment {
    fn cancel(&mut self, command: &Command) -> Result<(), Rejection> {
        if self.is_on_its_way() {
            let (payment, status) = (self.asked.payment, self.status());
            return Err(Rejection::NotAllowed { payment, action: Action::Void, status });
        }
        self.close(command.at, command.at, Closed::Voided);
        Ok(())
    }

    /// Money that came out of a hold goes back as its one capture, where the gateway does that; of a charge it is the
    /// charge that goes back.
    fn capture_taken_back(
        &self,
        attempt: &Operation,
        command: &Command,
        void: &Void,
    ) -> Result<Option<CaptureId>, Rejection> {
        if !attempt.holds() {
            return Ok(None);
        }
        let gateway = attempt.gateway.clone().expect("a hold is at a gateway");
        if !command.gateways.contains(&gateway) {
            return Err(Rejection::UnknownGateway(gateway));
        }
        let of_hold = |own: &&Operation| own.parent.map(OperationId::from) == Some(attempt.id);
        let brought = self.operations.iter().filter(of_hold).filter(|own| own.moved().is_some());
        let captures: Vec<_> =
            brought.filter_map(|own| Some((own.capture_id()?, own.moved_minor()))).collect();
        let reason = match captures[..] {
            [_] if !void.reversals.contains(&gateway) => Irreversible::ByGateway(gateway),
            // Of what a void took back in part, only the rest could go back.
            [(capture, took)] if took == self.captured() => return Ok(Some(capture)),
            [_] => Irreversible::PartlyReversed,
            _ => Irreversible::InParts,
        };
        Err(Rejection::CaptureNotReversible { payment: self.asked.payment, reason })
    }

    /// Releases what nobody is about to take.
    fn release(&mut self, command: &Command, id: OperationId, queued: bool) -> Result<(), Rejection> {
        let capturable = self.capturable();
        if capturable.is_zero() {
            let held = self.money(self.held());
            return Err(Rejection::NothingToRelease { payment: self.asked.payment, held });
        }
        let hold = self.best_hold().expect("something is held").clone();
        let mut operation = self.begin(id, capturable, command.at);
        operation.of(&hold);
        operation.instrument = None;
        operation.start_at_gateway(command, queued)?;
        self.operations.push(operation);
        Ok(())
    }
}

impl Operation {
    fn capture_id(&self) -> Option<CaptureId> {
        match self.id {
            OperationId::Capture(id) => Some(id),
            _ => None,
        }
    }
}

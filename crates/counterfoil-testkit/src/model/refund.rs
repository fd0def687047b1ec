//! Giving back what was captured.

use counterfoil::claim::{ClaimKind, RequestField};
use counterfoil::command::{Command, Refund, Rejection};
use counterfoil::destinations::Known;
use counterfoil::money::Money;
use counterfoil::payment::{Evidence, OperationId, PaymentMethod};
use counterfoil::status::{Action, PaymentStatus};

use super::amounts::Way;
use super::capture::{amount_fields, within};
use super::operation::{Operation, Report};
use super::payment::Payment;
use super::{Model, again, stream};
use crate::run::Answer;

/// Where there is money that may go back.
pub(super) const REFUNDABLE: [PaymentStatus; 4] = [
    PaymentStatus::Succeeded,
    PaymentStatus::Overpaid,
    PaymentStatus::PartiallyCaptured,
    PaymentStatus::PartiallyRefunded,
];

impl Model {
    pub(super) fn refund(&mut self, command: &Command, refund: &Refund) -> Result<Answer, Rejection> {
        let scope = &command.caller.scope;
        let key = refund.idempotency_key.as_ref().map(|key| (ClaimKind::RefundKey, key.to_string()));
        let mut fields = amount_fields(refund.amount);
        fields.insert(RequestField::PaymentId, refund.payment.to_string());
        fields.extend(refund.reason.iter().map(|reason| (RequestField::Reason, reason.to_string())));
        let notes = format!("{:?}", refund.metadata);
        fields.extend((!refund.metadata.is_empty()).then_some((RequestField::Metadata, notes)));
        if let Some(first) = self.names.first_answer(scope, key.as_ref(), &fields)? {
            return Ok(first);
        }
        let mut payment = self.payment(scope, refund.payment)?.clone();
        let id = OperationId::Refund(refund.refund);
        if let Some(known) = payment.operation(id) {
            return Ok(again(&payment, known.sequence));
        }
        payment.allows(Action::Refund, &REFUNDABLE)?;
        let refundable = payment.refundable_at_once();
        let exceeds = Rejection::ExceedsRefundable { payment: refund.payment, refundable };
        let amount = within(refund.amount, refundable, exceeds.clone())?;
        let way = payment.way_back(amount.minor().into()).ok_or(exceeds)?;
        let operation = payment.begin(id, amount, command.at);
        self.back(command, &mut payment, operation, way, refund.queued)?;
        self.happened(command, &mut payment, &Known::Unasked, None);
        self.names.take(scope, key, &stream(&payment), payment.version, fields);
        Ok(self.keep(scope, payment))
    }

    /// Money goes back the way it came: of a charge of a gateway, which is called next; or at once inside our own books.
    pub(super) fn back(
        &mut self,
        command: &Command,
        payment: &mut Payment,
        mut operation: Operation,
        way: Way,
        queued: bool,
    ) -> Result<(), Rejection> {
        let amount = operation.asked;
        if let Way::Charge(attempt) = way {
            operation.of(&attempt);
            if !operation.is_refund() {
                operation.instrument = None;
            }
            operation.start_at_gateway(command, queued)?;
        } else {
            let moment = payment.moment(command.at);
            operation.reports.push(Report::new(Evidence::succeeded(moment)));
            self.credit_back(command, payment, amount)?;
        }
        payment.operations.push(operation);
        Ok(())
    }

    /// Credits go back to their wallet.
    fn credit_back(&mut self, command: &Command, payment: &Payment, amount: Money) -> Result<(), Rejection> {
        match &payment.asked.method {
            PaymentMethod::Credits(wallet) => self.credit(command, wallet, amount).map(drop),
            _ => Ok(()),
        }
    }
}

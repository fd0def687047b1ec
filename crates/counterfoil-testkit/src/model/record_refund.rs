//! Refunds that were made elsewhere.

use counterfoil::claim::{ClaimKind, RequestField};
use counterfoil::command::{Command, RecordRefund, Rejection};
use counterfoil::destinations::Known;
use counterfoil::id::AttemptId;
use counterfoil::money::Money;
use counterfoil::payment::{Evidence, OperationId, Origin};
use counterfoil::status::Action;
use counterfoil::text::GatewayName;

use super::capture::{amount_fields, within};
use super::names::{Fields, of_operation, operation_name};
use super::operation::{Operation, Report};
use super::payment::Payment;
use super::refund::REFUNDABLE;
use super::{Model, again, stream};
use crate::run::Answer;

impl Model {
    /// Money that went back elsewhere is gone at once: at most what is refundable, and under one name of its gateway once.
    pub(super) fn record_refund(
        &mut self,
        command: &Command,
        record: &RecordRefund,
    ) -> Result<Answer, Rejection> {
        let scope = &command.caller.scope;
        // Its keys are those of refunds.
        let key = record.idempotency_key.as_ref().map(|key| (ClaimKind::RefundKey, key.to_string()));
        let fields = fields(record);
        if let Some(first) = self.names.first_answer(scope, key.as_ref(), &fields)? {
            return Ok(first);
        }
        let mut payment = self.payment(scope, record.payment)?.clone();
        let id = OperationId::Refund(record.refund);
        if let Some(known) = payment.operation(id) {
            return Ok(again(&payment, known.sequence));
        }
        let called = record.gateway_refund_id.as_ref();
        let gateway = payment.place_of_record(command, record.gateway.as_ref(), called.is_some())?;
        let name = called.map(|called| operation_name(ClaimKind::GatewayRefund, gateway.as_ref(), called));
        if let Some((holder, of)) = name.as_ref().and_then(|name| self.names.holder(scope, name)) {
            let own = payment.operations.iter().find(|own| Some(&*own.id.to_string()) == of);
            return match own.filter(|own| *holder == stream(&payment) && is_same(record, own)) {
                Some(refund) => Ok(again(&payment, refund.sequence)),
                None => Err(Rejection::GatewayIdTaken(holder.clone())),
            };
        }
        payment.allows(Action::Refund, &REFUNDABLE)?;
        payment.require_recordable()?;
        let at = record.occurred_at.unwrap_or(command.at);
        if at > command.at {
            return Err(Rejection::InFuture(at));
        }
        let refundable = payment.refundable();
        let exceeds = Rejection::ExceedsRefundable { payment: record.payment, refundable };
        let amount = within(record.amount, refundable, exceeds)?;
        let mut refund = payment.begin(id, amount, command.at);
        refund.parent = payment.source_of_record(gateway.as_ref(), amount);
        if let Some(gateway) = gateway.as_ref().filter(|_| refund.parent.is_none()) {
            return Err(Rejection::NothingCameBy(gateway.clone()));
        }
        refund.gateway = gateway;
        let mut evidence = Evidence::succeeded(at).with_amount(amount);
        evidence.gateway_operation_id = called.cloned();
        refund.origin = Origin::Recorded;
        refund.reports.push(Report::new(evidence));
        payment.operations.push(refund);
        self.happened(command, &mut payment, &Known::Unasked, Some(at));
        self.names.take(scope, key, &stream(&payment), payment.version, fields);
        self.names.take(scope, name, &stream(&payment), payment.version, of_operation(id));
        Ok(self.keep(scope, payment))
    }
}

impl Payment {
    /// The attempt by which money came this way, if only one did; else the first of which enough is left. What a gateway gave
    /// back had come by it.
    fn source_of_record(&self, gateway: Option<&GatewayName>, amount: Money) -> Option<AttemptId> {
        let left = self.left();
        let same_way: Vec<_> = left.iter().filter(|(own, _)| own.gateway.as_ref() == gateway).collect();
        let enough = left.iter().find(|(_, left)| *left >= i128::from(amount.minor()));
        let source = match same_way[..] {
            [only] => Some(only),
            [] if gateway.is_some() => None,
            _ => enough.or(left.first()),
        };
        match source?.0.id {
            OperationId::Attempt(id) => Some(id),
            _ => None,
        }
    }
}

/// Whether what is recorded is what is known of the refund already.
fn is_same(record: &RecordRefund, refund: &Operation) -> bool {
    let amount = record.amount.unwrap_or(refund.amount());
    refund.moved() == Some(amount.minor()) && amount.currency() == refund.amount().currency()
}

fn fields(record: &RecordRefund) -> Fields {
    let mut fields = amount_fields(record.amount);
    fields.insert(RequestField::PaymentId, record.payment.to_string());
    fields.insert(RequestField::Recorded, "true".to_owned());
    let notes = Some(&record.metadata).filter(|notes| !notes.is_empty());
    let texts = [
        (RequestField::Metadata, notes.map(|notes| format!("{notes:?}"))),
        (RequestField::PaymentGateway, record.gateway.as_ref().map(ToString::to_string)),
        (RequestField::Reason, record.reason.as_ref().map(ToString::to_string)),
        (RequestField::GatewayRefundId, record.gateway_refund_id.as_ref().map(ToString::to_string)),
        (RequestField::OccurredAt, record.occurred_at.map(|at| at.to_string())),
    ];
    fields.extend(texts.into_iter().filter_map(|(field, text)| Some((field, text?))));
    fields
}

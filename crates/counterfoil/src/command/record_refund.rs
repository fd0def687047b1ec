//! A refund that was made elsewhere.

use super::Command;
use super::amount::within;
use super::change::{Change, Entry, Recorder, Taking};
use super::process::require_allowed;
use super::record::{recorded_gateway, require_recordable, take_gateway_id};
use super::refund::request_fields;
use super::rejection::Rejection;
use super::view::{Halt, View};
use crate::claim::{ClaimKey, ClaimKind, RequestField};
use crate::clock::Timestamp;
use crate::event::{Body, Start, StartResult};
use crate::id::{AttemptId, PaymentId, RefundId};
use crate::money::Money;
use crate::payment::{Evidence, Operation, OperationId, OperationKind, Payment, attempt_id, only};
use crate::scope::Scope;
use crate::status::{Action, Cause};
use crate::text::{GatewayName, GatewayOperationId, IdempotencyKey, Message, Metadata};

/// Records a refund that was made elsewhere: at a gateway, past this ledger, or off-gateway (cash, a transfer). No gateway
/// is called; the refund has succeeded at once. Credits are refused: they move inside the ledger only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordRefund {
    /// The payment whose money went back.
    pub payment: PaymentId,
    /// The id the refund gets.
    pub refund: RefundId,
    /// How much went back, at most all that is [refundable](Payment::refundable); `None`: all of that.
    pub amount: Option<Money>,
    /// The gateway at which it was made, one of the configured ones. Without it, and without a gateway's id of the refund,
    /// it was made off-gateway.
    pub gateway: Option<GatewayName>,
    /// What the gateway calls it: of one name there is one refund.
    pub gateway_refund_id: Option<GatewayOperationId>,
    /// When it was made, not in the future; `None`: now.
    pub occurred_at: Option<Timestamp>,
    /// The reason for the refund, in the words of the host.
    pub reason: Option<Message>,
    /// The host's notes on it.
    pub metadata: Metadata,
    /// The key under which it may be asked for again, one of those of [refunds](super::Refund).
    pub idempotency_key: Option<IdempotencyKey>,
}

impl RecordRefund {
    pub(super) fn decide(&self, command: &Command, view: &View<'_>) -> Result<Change, Halt> {
        let claim = self.idempotency_key.as_ref().map(|key| self.claim(view.scope, key));
        view.unless_repeated(claim.as_ref(), [view.payment_key(self.payment)])?;
        let payment = view.payment(self.payment)?;
        let id = OperationId::Refund(self.refund);
        if let Some(refund) = payment.operation(id) {
            return Err(Halt::replay(payment, refund.sequence));
        }
        let called = self.gateway_refund_id.as_ref();
        let gateway = recorded_gateway(command, payment, self.gateway.as_ref(), called.is_some())?;
        let agrees = |refund: &Operation| refund.moved() == Some(self.amount.unwrap_or(refund.amount));
        let name = take_gateway_id(view, payment, gateway, id, called, agrees)?;
        require_allowed(payment, Action::Refund)?;
        require_recordable(payment)?;
        let start = self.start(command, payment, gateway)?;
        let entry = Entry::new(Cause::Command, Body::Started(start));
        Recorder::one(command, view, payment, entry.claiming(claim).claiming(name))
    }

    fn start(
        &self,
        command: &Command,
        payment: &Payment,
        gateway: Option<&GatewayName>,
    ) -> Result<Start, Rejection> {
        let at = self.occurred_at.unwrap_or(command.at);
        if at > command.at {
            return Err(Rejection::InFuture(at));
        }
        let refundable = payment.refundable();
        let exceeds = || Rejection::ExceedsRefundable { payment: payment.id(), refundable };
        let amount = within(self.amount, refundable, exceeds)?;
        let mut evidence = Evidence::succeeded(at).with_amount(amount);
        evidence.gateway_operation_id.clone_from(&self.gateway_refund_id);
        let source = source(payment, gateway, amount);
        if let Some(gateway) = gateway.filter(|_| source.is_none()) {
            return Err(Rejection::NothingCameBy(gateway.clone()));
        }
        let kind = OperationKind::Refund { of: source };
        Ok(Start {
            gateway: gateway.cloned(),
            reason: self.reason.clone(),
            metadata: self.metadata.clone(),
            ..Start::new(OperationId::Refund(self.refund), kind, amount, StartResult::Recorded(evidence))
        })
    }

    fn claim(&self, scope: &Scope, key: &IdempotencyKey) -> Taking {
        let gateway = self.gateway.as_ref();
        let mut fields =
            request_fields(self.amount, &self.metadata, self.payment, gateway, self.reason.as_ref())
                .with(RequestField::Recorded, &[1]);
        if let Some(id) = &self.gateway_refund_id {
            fields = fields.with(RequestField::GatewayRefundId, id.as_str().as_bytes());
        }
        if let Some(at) = self.occurred_at {
            fields = fields.with(RequestField::OccurredAt, &at.unix_micros().to_be_bytes());
        }
        (ClaimKey::key(scope, ClaimKind::RefundKey, key), fields)
    }
}

/// The attempt that a refund of `amount` by this way is of: the one that brought money by the same way, if it is the only
/// one; else the first of which so much is left.
fn source(payment: &Payment, gateway: Option<&GatewayName>, amount: Money) -> Option<AttemptId> {
    let left = payment.left();
    let same_way =
        left.iter().map(|(attempt, _)| *attempt).filter(|attempt| attempt.gateway.as_ref() == gateway);
    let enough = || left.iter().find(|(_, left)| *left >= amount.minor()).or(left.first());
    let enough = || enough().map(|(attempt, _)| *attempt);
    let source = match only(same_way) {
        Ok(Some(same)) => Some(same),
        // What a gateway gave back had come by it.
        Ok(None) if gateway.is_some() => None,
        _ => enough(),
    };
    source.and_then(attempt_id)
}

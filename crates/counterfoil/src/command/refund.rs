//! Giving captured money back.

use super::Command;
use super::amount::{fingerprint, within};
use super::capture::gateway_of;
use super::change::{Change, Entry, Recorder, Taking};
use super::give_back::GiveBack;
use super::process::require_allowed;
use super::receipt::Subject;
use super::rejection::Rejection;
use super::start::begin;
use super::view::{Halt, View};
use crate::claim::{ClaimKey, ClaimKind, Fingerprint, RequestField};
use crate::codec::{Encode, Writer};
use crate::event::{Body, Start, StartResult};
use crate::id::{AttemptId, PaymentId, RefundId};
use crate::money::Money;
use crate::payment::{OperationId, OperationKind, Payment, WayBack, attempt_id};
use crate::scope::Scope;
use crate::status::{Action, Cause};
use crate::text::{GatewayName, IdempotencyKey, Message, Metadata};

/// Gives captured money back: all that one refund can give back, or a part. Through the gateway that it came by, and written
/// down before that is called; what it asks for is reserved until it is known what became of it. Credits go back to
/// their wallet at once, and money that came past every gateway is said to have gone back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// The payment whose money is refunded.
    pub payment: PaymentId,
    /// The id the refund gets.
    pub refund: RefundId,
    /// How much; `None`: [all that can be at once](Payment::refundable_at_once).
    pub amount: Option<Money>,
    /// The reason for the refund, in the words of the host.
    pub reason: Option<Message>,
    /// The host's notes on it.
    pub metadata: Metadata,
    /// The key under which it may be asked for again.
    pub idempotency_key: Option<IdempotencyKey>,
    /// Whether the operation is [queued](crate::status::OperationStatus::Queued): recorded now, sent to its gateway later.
    pub queued: bool,
}

impl Refund {
    pub(super) fn decide(&self, command: &Command, view: &View<'_>) -> Result<Change, Halt> {
        let claim = self.idempotency_key.as_ref().map(|key| self.claim(view.scope, key));
        view.unless_repeated(claim.as_ref(), [view.payment_key(self.payment)])?;
        let payment = view.payment(self.payment)?;
        if let Some(refund) = payment.operation(self.refund.into()) {
            return Err(Halt::replay(payment, refund.sequence));
        }
        require_allowed(payment, Action::Refund)?;
        let refundable = payment.refundable_at_once();
        let exceeds = || Rejection::ExceedsRefundable { payment: payment.id(), refundable };
        let amount = within(self.amount, refundable, exceeds)?;
        match payment.way_back(amount).ok_or_else(exceeds)? {
            WayBack::Charge(attempt) => {
                let start = Start {
                    gateway: Some(gateway_of(command, attempt)?),
                    instrument: attempt.instrument.clone(),
                    ..self.start(attempt_id(attempt), amount, begin(command, self.queued))
                };
                let entry = Entry::new(Cause::Command, Body::Started(start)).claiming(claim);
                Recorder::one(command, view, payment, entry)
            }
            WayBack::PastGateways => self.give_back(command, view, payment, amount, claim),
        }
    }

    fn give_back(
        &self,
        command: &Command,
        view: &View<'_>,
        payment: &Payment,
        amount: Money,
        claim: Option<Taking>,
    ) -> Result<Change, Halt> {
        let back = GiveBack { payment, amount };
        let start = self.start(None, amount, StartResult::Succeeded {});
        let entry = Entry::new(Cause::Command, Body::Started(start)).claiming(claim);
        let mut recorder = Recorder::new(command, view);
        let after = recorder.payment(self.payment, Some(payment), entry)?;
        back.credit(view, self.refund.into(), &mut recorder)?;
        let sequence = after.version();
        Ok(recorder.finish(Subject::Payment(after), sequence))
    }

    fn start(&self, of: Option<AttemptId>, amount: Money, result: StartResult) -> Start {
        Start {
            reason: self.reason.clone(),
            metadata: self.metadata.clone(),
            ..Start::new(OperationId::Refund(self.refund), OperationKind::Refund { of }, amount, result)
        }
    }

    fn claim(&self, scope: &Scope, key: &IdempotencyKey) -> Taking {
        let fields = request_fields(self.amount, &self.metadata, self.payment, None, self.reason.as_ref());
        (ClaimKey::key(scope, ClaimKind::RefundKey, key), fields)
    }
}

/// The fields of a request for a refund, through this ledger or recorded.
pub(super) fn request_fields(
    amount: Option<Money>,
    metadata: &Metadata,
    payment: PaymentId,
    gateway: Option<&GatewayName>,
    reason: Option<&Message>,
) -> Fingerprint {
    let mut fields = fingerprint(amount);
    if !metadata.is_empty() {
        let mut bytes = Writer::default();
        metadata.encode(&mut bytes);
        fields = fields.with(RequestField::Metadata, &bytes.into_bytes());
    }
    fields = fields.with(RequestField::PaymentId, payment.as_uuid().as_bytes());
    if let Some(gateway) = gateway {
        fields = fields.with(RequestField::PaymentGateway, gateway.as_str().as_bytes());
    }
    match reason {
        Some(reason) => fields.with(RequestField::Reason, reason.as_str().as_bytes()),
        None => fields,
    }
}

//! Cancelling a payment, releasing a hold, taking a charge back, reversing a capture.

use std::sync::Arc;

use super::Command;
use super::capture::gateway_of;
use super::change::{Change, Entry, Recorder, Taking};
use super::close::closing;
use super::give_back::{GiveBack, require_whole};
use super::process::require_allowed;
use super::receipt::Subject;
use super::rejection::Rejection;
use super::start::begin;
use super::view::{Halt, View};
use crate::claim::{ClaimKey, ClaimKind, Fingerprint, RequestField};
use crate::event::{Body, Start, StartResult};
use crate::gateway::CaptureReversals;
use crate::id::{PaymentId, UpdateId, VoidId};
use crate::payment::{Closed, OperationId, OperationKind, Payment, VoidTarget, WayBack, attempt_id};
use crate::scope::Scope;
use crate::status::{Action, Cause, PaymentStatus};
use crate::store::Key;
use crate::text::{IdempotencyKey, Message};

/// Cancels a payment that has no money yet; releases the rest of a hold; takes a charge back as if it had never been,
/// all of it; or reverses the capture of a hold, all of it, at a gateway that can. What a gateway has to do is written
/// down before it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Void {
    /// The payment to void.
    pub payment: PaymentId,
    /// The id the void gets.
    pub void: VoidId,
    /// The reason for the void, in the words of the host.
    pub reason: Option<Message>,
    /// The gateways that can reverse a capture.
    pub reversals: CaptureReversals,
    /// The key under which it may be asked for again.
    pub idempotency_key: Option<IdempotencyKey>,
    /// Whether the operation is [queued](crate::status::OperationStatus::Queued): recorded now, sent to its gateway later.
    pub queued: bool,
}

impl Void {
    pub(super) fn decide(&self, command: &Command, view: &View<'_>) -> Result<Change, Halt> {
        let claim = self.idempotency_key.as_ref().map(|key| self.claim(view.scope, key));
        let own = (self.name(view.scope), Fingerprint::default());
        let keys = [view.payment_key(self.payment), Key::Claim(own.0.clone())];
        view.unless_repeated(claim.as_ref(), keys)?;
        view.unless_claimed(&own.0, &own.1)?;
        let payment = view.payment(self.payment)?;
        if let Some(void) = payment.operation(self.void.into()) {
            return Err(Halt::replay(payment, void.sequence));
        }
        require_allowed(payment, Action::Void)?;
        match payment.status() {
            PaymentStatus::Initiated | PaymentStatus::Pending | PaymentStatus::RequiresAction => {
                let closing = closing(payment, Closed::Voided, command.at);
                let closing = closing.ok_or_else(|| Rejection::not_allowed(payment, Action::Void))?;
                let entry = Entry::new(Cause::Command, Body::Closed(closing));
                // It leaves no operation behind to be known by.
                Recorder::one(command, view, payment, entry.claiming([own]).claiming(claim))
            }
            PaymentStatus::Succeeded => self.undo(command, view, payment, claim),
            _ => self.release(command, view, payment, claim),
        }
    }

    /// The name of a void that leaves no operation behind.
    fn name(&self, scope: &Scope) -> ClaimKey {
        ClaimKey::update(scope, UpdateId::new(self.void.as_uuid()))
    }

    /// Releases what is held, less what open captures and voids may take of it.
    fn release(
        &self,
        command: &Command,
        view: &View<'_>,
        payment: &Payment,
        claim: Option<Taking>,
    ) -> Result<Change, Halt> {
        let capturable = payment.capturable();
        let nothing = || Rejection::NothingToRelease { payment: payment.id(), held: payment.held() };
        let hold = payment.best_hold().filter(|_| !capturable.is_zero()).ok_or_else(nothing)?;
        let kind = OperationKind::Void { of: attempt_id(hold), target: VoidTarget::Hold };
        let start = Start {
            gateway: Some(gateway_of(command, hold)?),
            reason: self.reason.clone(),
            ..Start::new(OperationId::Void(self.void), kind, capturable, begin(command, self.queued))
        };
        let entry = Entry::new(Cause::Command, Body::Started(start)).claiming(claim);
        Recorder::one(command, view, payment, entry)
    }

    /// Takes a charge back, or reverses the capture that brought the money.
    fn undo(
        &self,
        command: &Command,
        view: &View<'_>,
        payment: &Arc<Payment>,
        claim: Option<Taking>,
    ) -> Result<Change, Halt> {
        require_whole(payment)?;
        let amount = payment.captured();
        let start = |of, target, result| Start {
            reason: self.reason.clone(),
            ..Start::new(OperationId::Void(self.void), OperationKind::Void { of, target }, amount, result)
        };
        let way = payment.way_back(amount).ok_or(Rejection::NotWhole { payment: payment.id() })?;
        let WayBack::Charge(attempt) = way else {
            let back = GiveBack { payment, amount };
            let mut recorder = Recorder::new(command, view);
            let start = start(None, VoidTarget::Charge, StartResult::Succeeded {});
            let entry = Entry::new(Cause::Command, Body::Started(start)).claiming(claim);
            let after = recorder.payment(self.payment, Some(payment), entry)?;
            back.credit(view, self.void.into(), &mut recorder)?;
            let sequence = after.version();
            return Ok(recorder.finish(Subject::Payment(after), sequence));
        };
        let gateway = gateway_of(command, attempt)?;
        let target = payment.void_target(attempt, &self.reversals);
        let target =
            target.map_err(|reason| Rejection::CaptureNotReversible { payment: payment.id(), reason })?;
        let start = Start {
            gateway: Some(gateway),
            ..start(attempt_id(attempt), target, begin(command, self.queued))
        };
        let entry = Entry::new(Cause::Command, Body::Started(start)).claiming(claim);
        Recorder::one(command, view, payment, entry)
    }

    fn claim(&self, scope: &Scope, key: &IdempotencyKey) -> Taking {
        let mut fields =
            Fingerprint::default().with(RequestField::PaymentId, self.payment.as_uuid().as_bytes());
        if let Some(reason) = &self.reason {
            fields = fields.with(RequestField::Reason, reason.as_str().as_bytes());
        }
        (ClaimKey::key(scope, ClaimKind::VoidKey, key), fields)
    }
}

//! What a gateway tells of its own accord.

mod dispute;
mod operation;

use std::sync::Arc;

use super::Command;
use super::change::{Change, Entry, Recorder, Taking};
use super::receipt::Subject;
use super::rejection::Rejection;
use super::view::{Halt, View};
use crate::claim::{ClaimKey, ClaimKind, Fingerprint};
use crate::event::StreamId;
use crate::id::PaymentId;
use crate::payment::{DisputeWord, Evidence, OperationId, Payment};
use crate::store::Key;
use crate::text::{GatewayDisputeId, GatewayName, GatewayPaymentId, NotificationId};
use uuid::Uuid;

/// A gateway's notification. Evidence: it is never refused for the status of the payment, and it takes effect once,
/// however often it is told. What it tells of that was made at the gateway (a refund by its dashboard, a dispute) comes
/// to be known here by it. Of nothing that is known here it is [`NothingKnown`](Rejection::NothingKnown), and leaves no
/// trace, so that a sender who repeats it may find more then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notify {
    /// Who tells.
    pub gateway: GatewayName,
    /// What the gateway calls this notification.
    pub notification: NotificationId,
    /// What it is about.
    pub about: About,
    /// What it tells.
    pub told: Told,
    /// The gateway's name of a movement of a dispute's funds. Under one name the funds move once. Without a name, a stage
    /// of a dispute has one withdrawal and one reinstatement.
    pub funds: Option<NotificationId>,
    /// The id that whatever comes to be known by it gets.
    pub id: Uuid,
}

/// What a notification is about: any of these names, as far as the gateway knows them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct About {
    /// The payment.
    pub payment: Option<PaymentId>,
    /// What the gateway calls the payment.
    pub gateway_payment_id: Option<GatewayPaymentId>,
    /// The attempt, capture, refund or void.
    pub operation: Option<OperationId>,
    /// What the gateway calls the dispute.
    pub gateway_dispute_id: Option<GatewayDisputeId>,
}

/// What a notification tells. The gateway's id of an operation is in its evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Told {
    /// Of a charge or authorization attempt.
    Attempt(Evidence),
    /// Of a hold. Of a charge, a hold is only a step on its way.
    Authorization(Evidence),
    /// Of a capture. One that nobody here asked for is of a hold, if one is known there by now or is ever told of.
    Capture(Evidence),
    /// Of a refund.
    Refund(Evidence),
    /// Of a void. As a capture; where there is a charge as well as a hold, it is marked for review.
    Void(Evidence),
    /// That captured money was taken back by a bank.
    Returned(Evidence),
    /// Of a dispute.
    Dispute(DisputeWord),
}

impl Told {
    fn evidence(&self) -> Option<&Evidence> {
        match self {
            Told::Attempt(evidence)
            | Told::Authorization(evidence)
            | Told::Capture(evidence)
            | Told::Refund(evidence)
            | Told::Void(evidence)
            | Told::Returned(evidence) => Some(evidence),
            Told::Dispute(_) => None,
        }
    }

    /// Of what kind the gateway's name of the operation may be. A return takes back what a charge or a capture took.
    const fn name_kinds(&self) -> &'static [ClaimKind] {
        match self {
            Told::Attempt(_) | Told::Authorization(_) => &[ClaimKind::GatewayAttempt],
            Told::Capture(_) => &[ClaimKind::GatewayCapture],
            Told::Refund(_) => &[ClaimKind::GatewayRefund],
            Told::Void(_) => &[ClaimKind::GatewayVoid],
            Told::Returned(_) => &[ClaimKind::GatewayAttempt, ClaimKind::GatewayCapture],
            Told::Dispute(_) => &[],
        }
    }
}

impl Notify {
    pub(super) fn decide(&self, command: &Command, view: &View<'_>) -> Result<Change, Halt> {
        let own: Taking =
            (ClaimKey::notification(view.scope, &self.gateway, &self.notification), Fingerprint::default());
        view.require(self.keys(view, &own))?;
        view.unless_claimed(&own.0, &own.1)?;
        let payment = self.payment(view)?;
        let mut books =
            Heard { recorder: Recorder::new(command, view), after: payment.clone(), own: Some(own) };
        match &self.told {
            Told::Dispute(word) => self.dispute(view, word, &mut books)?,
            _ => self.operation(view, &mut books)?,
        }
        if books.after.version() == payment.version() {
            return Err(Halt::unchanged(payment));
        }
        let Heard { recorder, after, .. } = books;
        Ok(recorder.finish(Subject::Payment(after), payment.version() + 1))
    }

    fn keys(&self, view: &View<'_>, own: &Taking) -> impl Iterator<Item = Key> {
        let names = self.names(view).into_iter().chain([own.0.clone()]).map(Key::Claim);
        names.chain(self.about.payment.map(|id| view.payment_key(id)))
    }

    /// The names by which the gateway may know the payment.
    fn names(&self, view: &View<'_>) -> Vec<ClaimKey> {
        let (scope, gateway) = (view.scope, &self.gateway);
        let payment = self.about.gateway_payment_id.as_ref();
        let dispute = self.about.gateway_dispute_id.as_ref();
        let payment = payment.map(|id| ClaimKey::gateway_payment(scope, Some(gateway), id));
        let dispute = dispute.map(|id| ClaimKey::gateway_dispute(scope, gateway, id));
        payment.into_iter().chain(dispute).chain(self.operation_names(view)).collect()
    }

    /// The names by which the gateway may know the operation.
    fn operation_names(&self, view: &View<'_>) -> impl Iterator<Item = ClaimKey> {
        let id = self.told.evidence().and_then(|evidence| evidence.gateway_operation_id.as_ref());
        let named = |(id, kind): (_, &ClaimKind)| {
            ClaimKey::gateway_operation(view.scope, Some(&self.gateway), *kind, id)
        };
        id.into_iter().flat_map(|id| self.told.name_kinds().iter().map(move |kind| (id, kind))).map(named)
    }

    /// The payment, by its own id or by the first name that is known.
    fn payment<'a>(&self, view: &View<'a>) -> Result<&'a Arc<Payment>, Halt> {
        let mut found = self.about.payment;
        for name in self.names(view) {
            let Some(claim) = view.claim(&name)? else { continue };
            if let StreamId::Payment(id) = &claim.stream {
                found = found.or(Some(*id));
            }
        }
        let payment = match found {
            Some(id) => view.find_payment(id)?,
            None => None,
        };
        let known = payment.filter(|payment| self.has_to_do_with(payment));
        known.ok_or_else(|| Rejection::NothingKnown.into())
    }

    /// Of a payment that was never at this gateway it has nothing to tell.
    fn has_to_do_with(&self, payment: &Payment) -> bool {
        let ours = Some(&self.gateway);
        let attempted = payment.attempts().any(|attempt| attempt.gateway.as_ref() == ours);
        let asked = payment.asked_gateway();
        attempted || (payment.gateway_payment_id().is_some() && (asked.is_none() || asked == ours))
    }
}

/// What a notification writes, event by event. The first of them takes its name.
struct Heard<'a> {
    recorder: Recorder<'a>,
    after: Arc<Payment>,
    own: Option<Taking>,
}

impl Heard<'_> {
    fn write(&mut self, entry: Entry) -> Result<(), Halt> {
        let entry = entry.claiming(self.own.take());
        self.after = self.recorder.payment(self.after.id(), Some(&self.after), entry)?;
        Ok(())
    }
}

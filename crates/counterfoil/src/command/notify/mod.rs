//! Notifications: reports that a gateway sends unasked.

mod contents;
mod dispute;
mod operation;
mod unknown;

use std::sync::Arc;

pub use self::unknown::UnknownReference;
use super::Command;
use super::change::{Change, Entry, Recorder, Taking};
use super::receipt::Subject;
use super::view::{Halt, View};
use crate::claim::{ClaimKey, ClaimKind, RequestField};
use crate::event::{Body, NotificationReused, StreamId};
use crate::id::{AttemptId, PaymentId};
use crate::payment::{DisputeWord, Evidence, OperationId, Payment};
use crate::status::Cause;
use crate::store::Key;
use crate::text::{GatewayDisputeId, GatewayName, GatewayOperationId, GatewayPaymentId, NotificationId};
use uuid::Uuid;

/// A gateway's notification. It is evidence: it is never rejected for the status of the payment, and it takes effect
/// once, however often it is sent. Other contents under a known id are applied as well, and listed for review.
///
/// What was made at the gateway (a refund in its dashboard, a dispute) becomes known here by it. A notification that
/// matches nothing is an [`UnknownReference`] and leaves no trace, so it may match when the gateway sends it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notify {
    /// The gateway that sent the notification.
    pub gateway: GatewayName,
    /// What the gateway calls this notification.
    pub notification: NotificationId,
    /// What it is about.
    pub about: About,
    /// What the notification reports, by the kind of operation or dispute.
    pub told: Told,
    /// The gateway's name of a movement of a dispute's funds. Under one name the funds move once. Without a name, a stage
    /// of a dispute has one withdrawal and one reinstatement.
    pub funds: Option<NotificationId>,
    /// The id of the operation or dispute that the notification may create.
    pub id: Uuid,
}

/// What a notification is about: any of these names, as far as the gateway knows them. All that are known here must
/// belong to one payment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct About {
    /// Our id of the payment.
    pub payment: Option<PaymentId>,
    /// What the gateway calls the payment.
    pub gateway_payment_id: Option<GatewayPaymentId>,
    /// Our own id of the attempt, capture, refund or void, which the gateway echoes.
    pub operation: Option<OperationId>,
    /// Our own id of the attempt that a capture, refund, void or return is of.
    pub attempt: Option<AttemptId>,
    /// What the gateway calls that attempt.
    pub gateway_attempt_id: Option<GatewayOperationId>,
    /// What the gateway calls the dispute.
    pub gateway_dispute_id: Option<GatewayDisputeId>,
}

/// What a notification reports. The gateway's id of the operation, or of the return, is in its evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Told {
    /// Of a charge or authorization attempt.
    Attempt(Evidence),
    /// Of a hold. Of a charge, a hold is only a step on its way.
    Authorization(Evidence),
    /// What became of a capture.
    Capture(Evidence),
    /// What became of a refund.
    Refund(Evidence),
    /// What became of a void.
    Void(Evidence),
    /// That captured money was taken back by a bank, or that such a return was canceled.
    Returned(Evidence),
    /// A change of a dispute, or a movement of its funds.
    Dispute(DisputeWord),
}

impl Told {
    /// What is reported about an operation or a return. `None` for a dispute.
    #[must_use]
    pub const fn evidence(&self) -> Option<&Evidence> {
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

    /// Of what kind the gateway's own name is. A charge and its refund may be called alike.
    const fn name_kind(&self) -> Option<ClaimKind> {
        match self {
            Told::Attempt(_) | Told::Authorization(_) => Some(ClaimKind::GatewayAttempt),
            Told::Capture(_) => Some(ClaimKind::GatewayCapture),
            Told::Refund(_) => Some(ClaimKind::GatewayRefund),
            Told::Void(_) => Some(ClaimKind::GatewayVoid),
            Told::Returned(_) => Some(ClaimKind::GatewayReturn),
            Told::Dispute(_) => None,
        }
    }
}

impl Notify {
    pub(super) fn decide(&self, command: &Command, view: &View<'_>) -> Result<Change, Halt> {
        let contents = self.contents();
        let own = (ClaimKey::notification(view.scope, &self.gateway, &self.notification), contents);
        view.require(self.keys(view, &own))?;
        let (own, differing) = self.unless_known(view, own)?;
        let payment = self.payment(view)?;
        let mut writer =
            EventWriter { recorder: Recorder::new(command, view), after: payment.clone(), own: Some(own) };
        if !differing.is_empty() {
            writer.write(self.reused(&differing))?;
        }
        match &self.told {
            Told::Dispute(word) => self.dispute(view, word, &mut writer)?,
            _ => self.operation(view, &mut writer)?,
        }
        if writer.after.version() == payment.version() {
            return Err(Halt::unchanged(payment));
        }
        let EventWriter { recorder, after, .. } = writer;
        let mut change = recorder.finish(Subject::Payment(after), payment.version() + 1);
        change.receipt.differing = differing;
        Ok(change)
    }

    /// The name that it takes, and the fields in which it differs from the first notification of its id. Contents that
    /// are known under that id end the decision.
    fn unless_known(&self, view: &View<'_>, own: Taking) -> Result<(Taking, Vec<RequestField>), Halt> {
        let Some(first) = view.claim(&own.0)? else { return Ok((own, Vec::new())) };
        let differing = first.fingerprint.differing(&own.1);
        if differing.is_empty() {
            view.unless_claimed(&own.0, &own.1)?;
        }
        let key = ClaimKey::notification_contents(view.scope, &self.gateway, &self.notification, &own.1);
        match view.unless_claimed(&key, &own.1) {
            Ok(()) => Ok(((key, own.1), differing)),
            Err(Halt::Same(mut receipt)) => {
                receipt.differing = differing;
                Err(Halt::Same(receipt))
            }
            Err(halt) => Err(halt),
        }
    }

    /// The event that says that the gateway used an id twice.
    fn reused(&self, differing: &[RequestField]) -> Entry {
        let reused = NotificationReused {
            gateway: self.gateway.clone(),
            notification: self.notification.clone(),
            fields: differing.to_vec(),
        };
        Entry::new(Cause::Evidence, Body::NotificationReused(reused))
    }

    fn keys(&self, view: &View<'_>, own: &Taking) -> impl Iterator<Item = Key> {
        let other = ClaimKey::notification_contents(view.scope, &self.gateway, &self.notification, &own.1);
        let names = self.names(view).into_iter().chain(self.own_name(view)).chain([own.0.clone(), other]);
        let names = names.map(Key::Claim);
        names.chain(self.about.payment.map(|id| view.payment_key(id)))
    }

    /// The names by which the gateway may know the payment. Where our own id of the operation is given, the gateway's
    /// name of it is only bound to that.
    fn names(&self, view: &View<'_>) -> Vec<ClaimKey> {
        let (scope, gateway) = (view.scope, &self.gateway);
        let payment = self.about.gateway_payment_id.as_ref();
        let dispute = self.about.gateway_dispute_id.as_ref();
        let payment = payment.map(|id| ClaimKey::gateway_payment(scope, Some(gateway), id));
        let dispute = dispute.map(|id| ClaimKey::gateway_dispute(scope, gateway, id));
        let own = self.own_name(view).filter(|_| self.about.operation.is_none());
        payment.into_iter().chain(dispute).chain(self.parent_name(view)).chain(own).collect()
    }

    /// The claim key of the gateway's id of the reported operation.
    fn own_name(&self, view: &View<'_>) -> Option<ClaimKey> {
        let id = self.told.evidence()?.gateway_operation_id.as_ref()?;
        Some(ClaimKey::gateway_operation(view.scope, Some(&self.gateway), self.told.name_kind()?, id))
    }

    /// The gateway's name of the attempt that it is of.
    fn parent_name(&self, view: &View<'_>) -> Option<ClaimKey> {
        let id = self.about.gateway_attempt_id.as_ref()?;
        Some(ClaimKey::gateway_operation(view.scope, Some(&self.gateway), ClaimKind::GatewayAttempt, id))
    }

    /// The payment that all known names belong to.
    fn payment<'a>(&self, view: &View<'a>) -> Result<&'a Arc<Payment>, Halt> {
        let mut named = self.about.payment;
        for name in self.names(view) {
            let Some(claim) = view.claim(&name)? else { continue };
            match (&claim.stream, named) {
                (StreamId::Payment(id), None) => named = Some(*id),
                (StreamId::Payment(id), Some(known)) if *id == known => {}
                _ => return Err(UnknownReference::Conflicting.into()),
            }
        }
        let id = named.ok_or_else(|| self.unknown_payment())?;
        let payment = view.find_payment(id)?.ok_or(UnknownReference::Unknown { field: "payment_id" })?;
        if self.has_to_do_with(payment) { Ok(payment) } else { Err(UnknownReference::OtherGateway.into()) }
    }

    /// Why none of the names leads to a payment.
    fn unknown_payment(&self) -> UnknownReference {
        let own = self.told.evidence().and_then(|evidence| evidence.gateway_operation_id.as_ref());
        let names = [
            ("gateway_payment_id", self.about.gateway_payment_id.is_some()),
            ("dispute_id", self.about.gateway_dispute_id.is_some()),
            ("gateway_attempt_id", self.about.gateway_attempt_id.is_some()),
            ("gateway_operation_id", own.is_some() && self.about.operation.is_none()),
        ];
        let given = names.into_iter().find(|(_, is_given)| *is_given);
        given.map_or(UnknownReference::Unnamed, |(field, _)| UnknownReference::Unknown { field })
    }

    /// Whether the payment was ever at this gateway.
    fn has_to_do_with(&self, payment: &Payment) -> bool {
        let ours = Some(&self.gateway);
        let attempted = payment.attempts().any(|attempt| attempt.gateway.as_ref() == ours);
        attempted || self.is_created_there(payment)
    }

    /// Whether the payment was created at this gateway.
    fn is_created_there(&self, payment: &Payment) -> bool {
        let asked = payment.asked_gateway();
        payment.gateway_payment_id().is_some() && asked.is_none_or(|asked| *asked == self.gateway)
    }
}

/// Our own id, where it is of no operation that can be meant.
const fn unknown_id(operation: OperationId) -> UnknownReference {
    let field = match operation {
        OperationId::Attempt(_) => "attempt_id",
        OperationId::Capture(_) => "capture_id",
        OperationId::Refund(_) => "refund_id",
        OperationId::Void(_) => "void_id",
    };
    UnknownReference::Unknown { field }
}

/// Writes a notification's events, one after another. The first event claims the notification id.
struct EventWriter<'a> {
    recorder: Recorder<'a>,
    after: Arc<Payment>,
    own: Option<Taking>,
}

impl EventWriter<'_> {
    fn write(&mut self, entry: Entry) -> Result<(), Halt> {
        let entry = entry.claiming(self.own.take());
        self.after = self.recorder.payment(self.after.id(), Some(&self.after), entry)?;
        Ok(())
    }
}

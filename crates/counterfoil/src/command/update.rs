//! Changing what a payment is known by, and writing down what became of it elsewhere, in one step.

use std::sync::Arc;

use super::Command;
use super::change::{Change, Entry, Recorder, Taking};
use super::close::closing;
use super::give_back::{GiveBack, require_free, require_whole};
use super::receipt::Subject;
use super::record;
use super::rejection::Rejection;
use super::resolve::resolved;
use super::view::{Halt, View};
use crate::claim::{ClaimKey, Fingerprint};
use crate::clock::Timestamp;
use crate::event::{Body, Decision, Start, StartResult, StreamId};
use crate::id::{AttemptId, PaymentId, RefundId, UpdateId, VoidId};
use crate::payment::{
    Closed, Evidence, Operation, OperationId, OperationKind, Payment, References, VoidTarget, attempt_id,
};
use crate::status::{Action, Cause, PaymentStatus, allowed};
use crate::text::{GatewayName, Message};

/// Changes names and notes of a payment, sets its status, or both, all of it or nothing. What changes nothing
/// writes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// The id it gets, and whatever it writes down with it: an attempt, a refund or a void.
    pub update: UpdateId,
    /// The payment to update.
    pub payment: PaymentId,
    /// The version that it must have; `None`: any.
    pub if_version: Option<u64>,
    /// What is changed about names and notes.
    pub change: References,
    /// What became of it.
    pub target: Option<Target>,
}

/// A status to be set. A status follows from facts, so what is written down is the fact that leads to it:
///
/// | to | from | what is written down |
/// |---|---|---|
/// | `PENDING` | `INITIATED` | it is accepted |
/// | `SUCCEEDED` | `INITIATED`, `PENDING` | all of the money came, in another way |
/// | `FAILED` | `INITIATED`, `PENDING` | it is ended without money |
/// | `SUCCEEDED`, `FAILED` | `PROCESSING` | a manual resolution of its attempt, once the lease of its sender has ended |
/// | `VOIDED` | `INITIATED`, `PENDING`, `REQUIRES_ACTION` | it is cancelled |
/// | `VOIDED` | `SUCCEEDED` | all of the money went back, as if it had never come |
/// | `REFUNDED` | `SUCCEEDED`, `OVERPAID`, `PARTIALLY_REFUNDED` | all that could be refunded was |
///
/// Credits go back to their wallet; other money is said to have moved, not moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The status that the payment is to have.
    pub status: PaymentStatus,
    /// When it came about; not in the future. `None`: now.
    pub at: Option<Timestamp>,
}

/// The statuses that can be set of a payment that stands at `status`.
pub fn settable(status: PaymentStatus) -> impl Iterator<Item = PaymentStatus> {
    PaymentStatus::ALL.iter().copied().filter(move |to| way(status, *to).is_some())
}

/// What is written down to get from one status to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Submit,
    Capture,
    Close(Closed),
    Resolve,
    Reverse,
    Refund,
}

fn way(from: PaymentStatus, to: PaymentStatus) -> Option<Way> {
    let when = |action, way| allowed(from, action).then_some(way);
    match (from, to) {
        (PaymentStatus::Processing, PaymentStatus::Succeeded | PaymentStatus::Failed) => {
            when(Action::Resolve, Way::Resolve)
        }
        (_, PaymentStatus::Pending) => when(Action::Submit, Way::Submit),
        (_, PaymentStatus::Succeeded) => when(Action::RecordAttempt, Way::Capture),
        (_, PaymentStatus::Failed) => when(Action::Fail, Way::Close(Closed::Failed)),
        (PaymentStatus::Succeeded, PaymentStatus::Voided) => when(Action::Void, Way::Reverse),
        (
            PaymentStatus::Initiated | PaymentStatus::Pending | PaymentStatus::RequiresAction,
            PaymentStatus::Voided,
        ) => when(Action::Void, Way::Close(Closed::Voided)),
        (_, PaymentStatus::Refunded) => when(Action::Refund, Way::Refund),
        _ => None,
    }
}

impl Update {
    pub(super) fn decide(&self, command: &Command, view: &View<'_>) -> Result<Change, Halt> {
        let own = (ClaimKey::update(view.scope, self.update), Fingerprint::default());
        view.unless_repeated(Some(&own), [view.payment_key(self.payment)])?;
        let payment = view.payment(self.payment)?;
        let change = self.news(payment);
        let target = self.target.as_ref().filter(|target| !target.is_reached(payment));
        if change.is_empty() && target.is_none() {
            return Err(Halt::unchanged(payment));
        }
        self.check(payment)?;
        let mut books =
            Books { recorder: Recorder::new(command, view), after: payment.clone(), own: Some(own) };
        if !change.is_empty() {
            let claim = take_gateway_payment_id(command, view, payment, &change)?;
            books.write(Entry::new(Cause::Command, Body::Changed(change)).claiming(claim))?;
        }
        // What was changed may have led there already.
        if let Some(target) = target.filter(|target| !target.is_reached(&books.after)) {
            let message = self.change.error_message.as_ref();
            Step { command, view, update: self.update, target, message }.take(&mut books)?;
        }
        let Books { recorder, after, .. } = books;
        if let Some(target) = self.target.as_ref().filter(|target| !target.is_reached(&after)) {
            return Err(not_settable(&after, target).into());
        }
        Ok(recorder.finish(Subject::Payment(after), payment.version() + 1))
    }

    /// What of the change is one.
    fn news(&self, payment: &Payment) -> References {
        let (change, known) = (&self.change, &payment.references);
        References {
            metadata: unless(change.metadata.as_ref(), Some(payment.metadata())),
            gateway: unless(change.gateway.as_ref(), payment.asked_gateway()),
            gateway_payment_id: unless(change.gateway_payment_id.as_ref(), known.gateway_payment_id.as_ref()),
            gateway_tracking_id: unless(
                change.gateway_tracking_id.as_ref(),
                known.gateway_tracking_id.as_ref(),
            ),
            instrument: unless(change.instrument.as_ref(), payment.instrument()),
            error_message: unless(change.error_message.as_ref(), known.error_message.as_ref()),
        }
    }

    fn check(&self, payment: &Payment) -> Result<(), Rejection> {
        let id = payment.id();
        if self.if_version.is_some_and(|version| version != payment.version()) {
            return Err(Rejection::VersionConflict { payment: id, version: payment.version() });
        }
        if payment.archived_at().is_some() {
            return Err(Rejection::Archived { payment: id });
        }
        let kind = payment.terms().method.kind();
        if self.change.gateway_payment_id.is_some() && !kind.needs_gateway() {
            return Err(Rejection::NotAtGateway(kind));
        }
        if self.change.instrument.is_some() && !kind.needs_gateway() {
            return Err(Rejection::InstrumentNotAllowed(kind));
        }
        Ok(())
    }
}

/// One name at a gateway is one payment here. A name that this payment had before is still its own.
fn take_gateway_payment_id(
    command: &Command,
    view: &View<'_>,
    payment: &Payment,
    change: &References,
) -> Result<Option<Taking>, Halt> {
    let renamed = change.gateway_payment_id.is_some() || change.gateway.is_some();
    let id = change.gateway_payment_id.as_ref().or(payment.gateway_payment_id()).filter(|_| renamed);
    let Some(id) = id else { return Ok(None) };
    let gateway = change.gateway.as_ref().or(payment.gateway_among(&command.gateways));
    let key = ClaimKey::gateway_payment(view.scope, gateway, id);
    match view.claim(&key)? {
        None => Ok(Some((key, Fingerprint::default()))),
        Some(claim) if claim.stream == StreamId::Payment(payment.id()) => Ok(None),
        Some(claim) => Err(Rejection::GatewayIdTaken(claim.stream.clone()).into()),
    }
}

/// `wanted`, unless it is `known` already.
fn unless<T: Clone + PartialEq>(wanted: Option<&T>, known: Option<&T>) -> Option<T> {
    wanted.filter(|wanted| known != Some(*wanted)).cloned()
}

impl Target {
    fn is_reached(&self, payment: &Payment) -> bool {
        payment.status() == self.status
    }
}

fn not_settable(payment: &Payment, target: &Target) -> Rejection {
    Rejection::NotSettable { payment: payment.id(), status: payment.status(), to: target.status }
}

/// What an update writes, event by event. The first of them stands for it, and takes its name.
struct Books<'a> {
    recorder: Recorder<'a>,
    after: Arc<Payment>,
    own: Option<Taking>,
}

impl Books<'_> {
    fn write(&mut self, entry: Entry) -> Result<(), Halt> {
        let entry = entry.claiming(self.own.take());
        self.after = self.recorder.payment(self.after.id(), Some(&self.after), entry)?;
        Ok(())
    }
}

/// The step to the target.
struct Step<'a> {
    command: &'a Command,
    view: &'a View<'a>,
    update: UpdateId,
    target: &'a Target,
    message: Option<&'a Message>,
}

impl Step<'_> {
    fn take(&self, books: &mut Books<'_>) -> Result<(), Halt> {
        let at = self.target.at.unwrap_or(self.command.at);
        if at > self.command.at {
            return Err(Rejection::InFuture(at).into());
        }
        let payment = books.after.clone();
        let way = way(payment.status(), self.target.status);
        let id = self.update.as_uuid();
        match way.ok_or_else(|| not_settable(&payment, self.target))? {
            Way::Submit => books.write(Entry::new(Cause::Command, Body::Submitted {}))?,
            Way::Capture => {
                let gateway = self.gateway(&payment);
                let evidence = Evidence::succeeded(at);
                books.write(record::entry(&payment, AttemptId::new(id), evidence, gateway)?)?;
            }
            Way::Close(closes) => books.write(self.close(&payment, closes, at)?)?,
            Way::Resolve => self.resolve(at, books)?,
            Way::Reverse => {
                require_whole(&payment)?;
                let kind = OperationKind::Void { of: None, target: VoidTarget::Charge };
                self.give_back(OperationId::Void(VoidId::new(id)), kind, at, books)?;
            }
            Way::Refund => {
                require_free(&payment)?;
                let kind = OperationKind::Refund { of: None };
                self.give_back(OperationId::Refund(RefundId::new(id)), kind, at, books)?;
            }
        }
        Ok(())
    }

    /// The gateway of money that came in another way: that which has the payment, or which was asked for.
    fn gateway<'p>(&'p self, payment: &'p Payment) -> Option<&'p GatewayName> {
        match payment.gateway_payment_id() {
            Some(_) => payment.gateway_among(&self.command.gateways),
            None => payment.asked_gateway().filter(|_| payment.terms().method.kind().needs_gateway()),
        }
    }

    /// What waits for the payer is given up; what is on its way cannot be.
    fn close(&self, payment: &Payment, closes: Closed, occurred_at: Timestamp) -> Result<Entry, Rejection> {
        let closing = closing(payment, closes, occurred_at);
        let closing = closing.ok_or_else(|| not_settable(payment, self.target))?;
        Ok(Entry::new(Cause::Command, Body::Closed(closing)))
    }

    /// A person's word about what is under way counts as the gateway's, and is marked. A no is about all of it.
    fn resolve(&self, at: Timestamp, books: &mut Books<'_>) -> Result<(), Halt> {
        let payment = books.after.clone();
        let live = payment.attempts().filter(|attempt| attempt.status().is_live());
        if let Some(queued) = live.clone().find(|attempt| attempt.is_queued()) {
            return Err(Rejection::Queued { payment: payment.id(), operation: queued.id }.into());
        }
        let on_its_way = live.clone().filter_map(Operation::runs_until).max();
        if let Some(until) = on_its_way.filter(|until| *until > self.command.at) {
            return Err(Rejection::InFlight { payment: payment.id(), until }.into());
        }
        let (decision, meant) = match self.target.status {
            PaymentStatus::Succeeded => (Decision::Succeeded { amount: None }, 1),
            _ => (Decision::Failed { failure: record::failure(self.message.cloned()) }, usize::MAX),
        };
        for id in live.take(meant).map(|attempt| attempt.id) {
            let note = self.message.cloned().unwrap_or_else(|| Message::lossy("set by hand"));
            let payment = books.after.clone();
            let operation = payment.operation(id).ok_or_else(|| not_settable(&payment, self.target))?;
            books.write(resolved(&payment, operation, decision.clone(), at, note).entry())?;
        }
        Ok(())
    }

    /// All that can be refunded goes back to where it came from.
    fn give_back(
        &self,
        operation: OperationId,
        kind: OperationKind,
        at: Timestamp,
        books: &mut Books<'_>,
    ) -> Result<(), Halt> {
        let payment = books.after.clone();
        let evidence = Evidence::succeeded(at);
        let back = GiveBack { payment: &payment, amount: payment.refundable() };
        let mut start = Start::new(operation, kind, back.amount, StartResult::Recorded(evidence));
        if let Some(source) = payment.only_way_in() {
            start.kind = kind.with_parent(attempt_id(source));
            start.gateway.clone_from(&source.gateway);
        }
        books.write(Entry::new(Cause::Command, Body::Started(start)))?;
        back.credit(self.view, operation, &mut books.recorder)
    }
}

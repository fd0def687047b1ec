//! Changing what a payment is known by, and writing down what became of it elsewhere, in one step.

use std::sync::Arc;

use uuid::Uuid;

use super::Command;
use super::change::{Change, Entry, Recorder, Taking};
use super::receipt::{Receipt, Subject};
use super::record;
use super::rejection::Rejection;
use super::report::{Word, source};
use super::view::{Halt, View};
use crate::account::{AccountId, Posting};
use crate::claim::{ClaimKey, Fingerprint};
use crate::clock::Timestamp;
use crate::event::{Body, Closing, Entered, Start, StartResult, StreamId};
use crate::id::{AttemptId, PaymentId, RefundId, VoidId};
use crate::money::Money;
use crate::payment::{Closed, Evidence, Operation, OperationId, Outcome, Payment, PaymentMethod, References};
use crate::status::{Action, Cause, OperationStatus, PaymentStatus, allowed};
use crate::text::Message;

/// Changes names and notes of a payment, sets its status, or both, all of it or nothing. What changes nothing
/// writes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// Which payment.
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
/// | `SUCCEEDED`, `FAILED` | `PROCESSING` | a person's word on its attempt, once nobody can be on the way any more |
/// | `VOIDED` | `INITIATED`, `PENDING`, `REQUIRES_ACTION` | it is cancelled |
/// | `VOIDED` | `SUCCEEDED` | all of the money went back, as if it had never come |
/// | `REFUNDED` | `SUCCEEDED`, `OVERPAID`, `PARTIALLY_REFUNDED` | all that could be refunded was |
///
/// Credits go back to their wallet; other money is said to have moved, not moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The status.
    pub status: PaymentStatus,
    /// When it came about; not in the future. `None`: now.
    pub at: Option<Timestamp>,
    /// The id of the attempt, refund or void that is written down, if one is.
    pub operation: Uuid,
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
        let payment = view.payment(self.payment)?;
        let change = self.news(payment);
        let target = self.target.as_ref().filter(|target| !target.is_reached(payment));
        if change.is_empty() && target.is_none() {
            let receipt = Receipt::replay(Subject::Payment(payment.clone()), payment.version());
            return Err(Halt::Same(Box::new(receipt)));
        }
        self.check(payment)?;
        let mut recorder = Recorder::new(command);
        let mut after = payment.clone();
        if !change.is_empty() {
            let claim = take_gateway_payment_id(command, view, payment, &change)?;
            let entry = Entry::new(Cause::Command, Body::Changed(change)).claiming(claim);
            after = recorder.payment(self.payment, Some(&after), entry)?;
        }
        // What was changed may have led there already.
        if let Some(target) = target.filter(|target| !target.is_reached(&after)) {
            let message = self.change.error_message.as_ref();
            let step = Step { command, view, payment: &after, target, message };
            after = step.take(&mut recorder)?;
        }
        let sequence = after.version();
        Ok(recorder.finish(Subject::Payment(after), sequence))
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
    /// Whether the payment stands there, or what this very command wrote down is there: later events may have
    /// moved the payment on.
    fn is_reached(&self, payment: &Payment) -> bool {
        let made = |operation: &Operation| match operation.id {
            OperationId::Attempt(id) => id.as_uuid() == self.operation,
            OperationId::Refund(id) => id.as_uuid() == self.operation,
            OperationId::Void(id) => id.as_uuid() == self.operation,
        };
        payment.status() == self.status || payment.operations().iter().any(made)
    }
}

/// The step to the target.
struct Step<'a> {
    command: &'a Command,
    view: &'a View<'a>,
    payment: &'a Arc<Payment>,
    target: &'a Target,
    message: Option<&'a Message>,
}

impl Step<'_> {
    fn take(&self, recorder: &mut Recorder<'_>) -> Result<Arc<Payment>, Halt> {
        let at = self.target.at.unwrap_or(self.command.at);
        if at > self.command.at {
            return Err(Rejection::InFuture(at).into());
        }
        let payment = self.payment;
        let way = way(payment.status(), self.target.status).ok_or_else(|| self.not_settable())?;
        let entry = match way {
            Way::Submit => Entry::new(Cause::Command, Body::Submitted {}),
            Way::Capture => {
                let outcome = Outcome::Succeeded { reported: None };
                let attempt = AttemptId::new(self.target.operation);
                let named = payment.gateway_payment_id().is_some();
                record::entry(self.command, payment, attempt, Evidence::new(outcome, at), named)?
            }
            Way::Close(closes) => self.close(closes, at)?,
            Way::Resolve => self.resolve(at)?,
            Way::Reverse => {
                // What is under way may yet bring money.
                self.require(payment.live_attempt().is_none())?;
                return self.give_back(OperationId::Void(VoidId::new(self.target.operation)), at, recorder);
            }
            Way::Refund => {
                return self.give_back(
                    OperationId::Refund(RefundId::new(self.target.operation)),
                    at,
                    recorder,
                );
            }
        };
        Ok(recorder.payment(payment.id(), Some(payment), entry)?)
    }

    fn not_settable(&self) -> Rejection {
        let (payment, to) = (self.payment, self.target.status);
        Rejection::NotSettable { payment: payment.id(), status: payment.status(), to }
    }

    fn require(&self, holds: bool) -> Result<(), Rejection> {
        if holds { Ok(()) } else { Err(self.not_settable()) }
    }

    /// What waits for the payer is given up; what is on its way cannot be.
    fn close(&self, closes: Closed, occurred_at: Timestamp) -> Result<Entry, Rejection> {
        let live = self.payment.attempts().filter(|attempt| attempt.status().is_live());
        self.require(live.clone().all(|attempt| attempt.status() == OperationStatus::RequiresAction))?;
        let cancels = live.map(|attempt| attempt.id).collect();
        Ok(Entry::new(Cause::Command, Body::Closed(Closing { closes, occurred_at, cancels })))
    }

    /// A person's word about the live attempt counts as the gateway's, and is marked.
    fn resolve(&self, at: Timestamp) -> Result<Entry, Halt> {
        let payment = self.payment;
        let live = payment.live_attempt().ok_or_else(|| self.not_settable())?;
        if let Some(until) = live.runs_until().filter(|until| *until > self.command.at) {
            return Err(Rejection::InFlight { payment: payment.id(), until }.into());
        }
        let outcome = match self.target.status {
            PaymentStatus::Succeeded => Outcome::Succeeded { reported: None },
            _ => Outcome::Failed(record::failure(self.message.cloned())),
        };
        let evidence = Evidence::new(outcome, at);
        let note = self.message.cloned().unwrap_or_else(|| Message::lossy("set by hand"));
        let word = Word { payment, operation: live, evidence: &evidence, note: Some(note) };
        Ok(word.entry(self.view)?.ok_or_else(|| self.not_settable())?)
    }

    /// All that can be refunded goes back to where it came from.
    fn give_back(
        &self,
        operation: OperationId,
        at: Timestamp,
        recorder: &mut Recorder<'_>,
    ) -> Result<Arc<Payment>, Halt> {
        let payment = self.payment;
        let amount = payment.refundable();
        let evidence = Evidence::new(Outcome::Succeeded { reported: None }, at);
        let start = Start {
            operation,
            amount,
            gateway: None,
            instrument: None,
            result: StartResult::Recorded(evidence),
            closes: None,
        };
        let from = AccountId::destination(&payment.terms().destination);
        let entry = Entry::new(Cause::Command, Body::Started(start)).posting(Posting::transfer(
            amount,
            from,
            self.source(),
        ));
        let after = recorder.payment(payment.id(), Some(payment), entry)?;
        if let PaymentMethod::Credits(wallet) = &payment.terms().method {
            let entered = Entered { amount, payment: payment.id(), operation };
            self.credit(AccountId::wallet(wallet), entered, recorder)?;
        }
        Ok(after)
    }

    /// Where the money came from.
    fn source(&self) -> AccountId {
        if let PaymentMethod::Credits(wallet) = &self.payment.terms().method {
            return AccountId::wallet(wallet);
        }
        let paid = self.payment.attempts().filter(|attempt| attempt.moved().is_some()).last();
        source(paid.and_then(|attempt| attempt.gateway.as_ref()))
    }

    /// Puts back into the wallet what was given back.
    fn credit(&self, wallet: AccountId, entered: Entered, recorder: &mut Recorder<'_>) -> Result<(), Halt> {
        let account = self.view.account(&wallet)?;
        let currency = entered.amount.currency();
        let balance = account.map_or(Money::zero(currency), |account| account.balance(currency));
        balance.checked_add(entered.amount)?;
        let entry = Entry::new(Cause::Command, Body::Credited(entered));
        recorder.account(wallet, account.map(AsRef::as_ref), entry)?;
        Ok(())
    }
}

//! The model's payments: the status and the amounts follow from what was written down.

use std::collections::BTreeSet;

use counterfoil::clock::Timestamp;
use counterfoil::command::{Create, Rejection};
use counterfoil::money::Money;
use counterfoil::payment::{Closed, Evidence, OperationId, Outcome, PaymentMethodType, References, Review};
use counterfoil::scope::Caller;
use counterfoil::status::{Action, OperationStatus, PaymentStatus};
use counterfoil::text::{DestinationNumber, GatewayName, GatewayOperationId, Message, PaymentMethodId};

use super::dispute::Dispute;
use super::due::Polls;
use super::facts::TimeFacts;
use super::operation::{Operation, Report};

#[derive(Debug, Clone)]
pub(super) struct Payment {
    pub(super) asked: Create,
    pub(super) asked_by: Caller,
    pub(super) asked_at: Timestamp,
    pub(super) accepted: bool,
    pub(super) ended: Option<Closed>,
    /// Why the clock gave it up, if a retry could not be made.
    pub(super) given_up: Option<Message>,
    /// How many operations it had when a failed payment was opened again. They end it no more.
    pub(super) done_with: usize,
    pub(super) archived: bool,
    pub(super) operations: Vec<Operation>,
    pub(super) disputes: Vec<Dispute>,
    /// What it had taken, and what of it was captured, at its last event.
    pub(super) taken_before: i128,
    pub(super) captured_before: i128,
    /// What was captured beyond what was due by then.
    pub(super) excess: Option<Money>,
    /// Why somebody should look at what was told of it and is nothing of it.
    pub(super) misfits: Vec<(Review, String)>,
    /// What somebody looked at.
    pub(super) dismissed: BTreeSet<Review>,
    /// How often its gateway was asked about it in vain.
    pub(super) polls: Polls,
    /// What people called what it pays when it was asked for.
    pub(super) number: Option<DestinationNumber>,
    /// What was said of names and notes since, the last of each.
    pub(super) changed: References,
    pub(super) version: u64,
    pub(super) times: TimeFacts,
}

impl Payment {
    /// One that was just asked for, at `at`.
    pub(super) fn new(create: &Create, by: &Caller, at: Timestamp) -> Payment {
        Payment {
            asked: create.clone(),
            asked_by: by.clone(),
            asked_at: at,
            accepted: create.process.is_some() || !through_gateway(create.method.kind()),
            ended: None,
            given_up: None,
            done_with: 0,
            archived: false,
            operations: Vec::new(),
            disputes: Vec::new(),
            taken_before: 0,
            captured_before: 0,
            excess: None,
            misfits: Vec::new(),
            dismissed: BTreeSet::new(),
            polls: Polls::default(),
            number: None,
            changed: References::default(),
            version: 0,
            times: TimeFacts {
                succeeded_at: None,
                failed_at: None,
                refunded_at: None,
                voided_at: None,
                updated_at: at,
            },
        }
    }

    pub(super) fn needs_gateway(&self) -> bool {
        through_gateway(self.asked.method.kind())
    }

    /// When an event is said to have happened that is written at `at`: each later than the one before.
    pub(super) fn moment(&self, at: Timestamp) -> Timestamp {
        if self.version == 0 { at } else { at.max(self.times.updated_at.successor()) }
    }

    /// An operation that begins now.
    pub(super) fn begin(&self, id: OperationId, amount: Money, at: Timestamp) -> Operation {
        Operation::new(id, self.version + 1, amount, self.moment(at))
    }

    pub(super) fn operation(&self, id: OperationId) -> Option<&Operation> {
        self.operations.iter().find(|operation| operation.id == id)
    }

    /// Ends it, at `at` in the words of whoever asked for it: what waits for the payer is given up.
    pub(super) fn close(&mut self, now: Timestamp, at: Timestamp, closes: Closed) {
        let error_message = Message::lossy("the payment was voided");
        let evidence = Evidence::new(Outcome::Canceled { error_message }, at);
        let moment = self.moment(now);
        for live in self.operations.iter_mut().filter(|operation| operation.is_under_way()) {
            live.hear(Report::new(evidence.clone()), moment);
        }
        self.ended = Some(closes);
        self.given_up = None;
    }

    /// Whether there is an attempt that nobody can give up.
    pub(super) fn is_on_its_way(&self) -> bool {
        let mut live = self.operations.iter().filter(|operation| operation.is_under_way());
        live.any(|attempt| attempt.status() != OperationStatus::RequiresAction)
    }

    /// How it was ended, if it was: a void of a charge ended it too, and returns of all that was captured.
    pub(super) fn how_ended(&self) -> Option<Closed> {
        let undone = self.operations.iter().any(|own| own.undoes() && own.moved().is_some());
        let returned = self.is_returned_of_any() && self.captured() == 0;
        let declined = self.operations.iter().any(|own| own.ended);
        let failed = (returned || declined).then_some(Closed::Failed);
        self.ended.max(undone.then_some(Closed::Voided)).max(failed)
    }

    /// Whether a decline of its operation `own` ends it. What a gateway made beside what was requested does not.
    pub(super) fn ends_with(&self, own: &Operation) -> bool {
        let beside = own.is_external() && self.is_charged_from_here();
        let place = self.operations.iter().position(|known| known.id == own.id);
        let over = place.is_some_and(|place| place < self.done_with);
        own.is_attempt() && own.retry.is_none() && !beside && !over
    }

    fn is_charged_from_here(&self) -> bool {
        self.operations.iter().any(|own| own.is_attempt() && own.is_requested())
    }

    /// Whether any of what an operation brought was returned, since the payment was last opened.
    pub(super) fn is_returned_of_any(&self) -> bool {
        self.operations.iter().skip(self.done_with).any(|own| own.takes() && own.known().undone() > 0)
    }

    /// Notes that something happened to it: at `at`, or in the words of whoever wrote it down, at `said`.
    pub(super) fn happened(&mut self, at: Timestamp, said: Option<Timestamp>) {
        self.times.updated_at = self.moment(at);
        self.version += 1;
        self.settle();
        (self.taken_before, self.captured_before) = (self.taken(), self.captured());
        let status = self.status();
        self.archived &= matches!(status, PaymentStatus::Initiated | PaymentStatus::Failed);
        let times = &mut self.times;
        match status {
            PaymentStatus::Succeeded | PaymentStatus::Overpaid => &mut times.succeeded_at,
            PaymentStatus::Failed => &mut times.failed_at,
            PaymentStatus::PartiallyRefunded | PaymentStatus::Refunded => &mut times.refunded_at,
            PaymentStatus::Voided => &mut times.voided_at,
            _ => return,
        }
        .get_or_insert(said.unwrap_or(times.updated_at));
    }

    /// Keeps a success that moved nothing of it, once under each name. Whether it is kept now.
    pub(super) fn keep_misfit(&mut self, evidence: &Evidence, told_as: &str, at: Timestamp) -> bool {
        let Some(amount) = evidence.amount.filter(|_| evidence.is_success()) else { return false };
        let own = amount.currency() == self.asked.amount.currency();
        let name = evidence.gateway_operation_id.as_ref().map_or(told_as, GatewayOperationId::as_str);
        let misfit = (if own { Review::AmountMismatch } else { Review::CurrencyMismatch }, name.to_owned());
        let is_new = !self.misfits.contains(&misfit);
        if is_new {
            self.misfits.push(misfit);
            self.happened(at, None);
        }
        is_new
    }

    /// Refuses what cannot be asked of it now.
    pub(super) fn allows(&self, action: Action, where_: &[PaymentStatus]) -> Result<(), Rejection> {
        let (payment, status) = (self.asked.payment, self.status());
        if self.archived {
            Err(Rejection::Archived { payment })
        } else if where_.contains(&status) {
            Ok(())
        } else {
            Err(Rejection::NotAllowed { payment, action, status })
        }
    }

    pub(super) fn asked_gateway(&self) -> Option<&GatewayName> {
        self.changed.gateway.as_ref().or(self.asked.checkout.gateway.as_ref())
    }

    /// As was last said; else that of its last attempt.
    pub(super) fn gateway(&self) -> Option<&GatewayName> {
        let mut attempts = self.operations.iter().filter(|operation| operation.is_attempt());
        self.asked_gateway().or_else(|| attempts.next_back()?.gateway.as_ref())
    }

    pub(super) fn instrument(&self) -> Option<&PaymentMethodId> {
        self.changed.instrument.as_ref().or(self.asked.method.instrument())
    }
}

pub(super) const fn through_gateway(kind: PaymentMethodType) -> bool {
    !matches!(kind, PaymentMethodType::Offline | PaymentMethodType::Credits)
}

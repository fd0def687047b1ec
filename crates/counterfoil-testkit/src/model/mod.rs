//! What should come of commands.
//!
//! Written from the published rules, without the core's decisions: no versions to guard, nothing cached,
//! every answer worked out anew. Where the model and a store differ, one of them is wrong.

mod accounts;
mod allocation;
mod amounts;
mod capture;
mod destination;
mod dispute;
mod due;
mod evidence;
mod facts;
mod gateway;
mod known;
mod names;
mod notify;
mod operation;
mod payment;
mod queued;
mod record;
mod record_refund;
mod refund;
mod resolve;
mod standing;
mod start;
mod update;
mod view;
mod void;
mod wallet;

use std::collections::BTreeMap;

use counterfoil::account::AccountId;
use counterfoil::command::{Archive, Command, Rejection, Request};
use counterfoil::event::StreamId;
use counterfoil::id::PaymentId;
use counterfoil::scope::Scope;
use counterfoil::status::{Action, PaymentStatus};
use counterfoil::text::{GatewayName, WalletId};

pub use accounts::{DestinationFacts, GatewayFacts, WalletFacts};
use destination::Registered;
pub use facts::{DisputeFacts, NameFacts, OperationFacts, PaymentFacts, TimeFacts};
use gateway::Gateway;
use names::Names;
use payment::Payment;
use wallet::Wallet;

use crate::run::Answer;

/// The books as they should be.
#[derive(Debug, Clone, Default)]
pub struct Model {
    payments: BTreeMap<(Scope, PaymentId), Payment>,
    wallets: BTreeMap<(Scope, WalletId), Wallet>,
    gateways: BTreeMap<(Scope, GatewayName), Gateway>,
    registered: BTreeMap<(Scope, AccountId), Registered>,
    names: Names,
    /// Whether, by the rules of the command that is executed, what was charged back is owed again.
    owes_charged_back: bool,
}

impl Model {
    /// What a store must answer to `command` now.
    pub fn execute(&mut self, command: &Command) -> Answer {
        self.owes_charged_back = command.policy.owe_charged_back;
        let answer = match &command.request {
            Request::Create(create) => self.create(command, create),
            Request::Process(process) => self.process(command, process),
            Request::RecordAttempt(record) => self.record_attempt(command, record),
            Request::RecordRefund(record) => self.record_refund(command, record),
            Request::Report(report) => self.report(command, report),
            Request::Discover(discover) => self.discover(command, discover),
            Request::Update(update) => self.update(command, update),
            Request::Archive(archive) => self.archive(command, archive),
            Request::TopUp(top_up) => self.top_up(command, top_up),
            Request::Capture(capture) => self.capture(command, capture),
            Request::Refund(refund) => self.refund(command, refund),
            Request::Void(void) => self.void(command, void),
            Request::SendQueued(send) => self.send(command, send),
            Request::CancelQueued(cancel) => self.cancel(command, cancel),
            Request::Notify(notify) => self.notify(command, notify),
            Request::Resolve(resolve) => self.resolve(command, resolve),
            Request::Poll(poll) => self.poll(command, poll),
            Request::Lapse(lapse) => self.lapse(command, lapse),
            Request::Register(register) => Ok(self.register(command, register)),
            Request::RecordGatewayEntry(record) => self.record_gateway_entry(command, record),
            other => panic!("the model knows no {other:?}"),
        };
        answer.unwrap_or_else(Answer::Refused)
    }

    /// All payments, by scope and id.
    pub fn payments(&self) -> impl Iterator<Item = (&Scope, PaymentId, PaymentFacts)> {
        self.payments.iter().map(|((scope, id), payment)| (scope, *id, payment.facts()))
    }

    /// What can be seen of one payment.
    pub(crate) fn facts(&self, scope: &Scope, id: PaymentId) -> Option<PaymentFacts> {
        self.payment(scope, id).ok().map(Payment::facts)
    }

    /// All wallets, by scope and id.
    pub fn wallets(&self) -> impl Iterator<Item = (&Scope, &WalletId, WalletFacts)> {
        self.wallets.iter().map(|((scope, id), wallet)| (scope, id, wallet.facts()))
    }

    fn archive(&mut self, command: &Command, archive: &Archive) -> Result<Answer, Rejection> {
        let scope = &command.caller.scope;
        let mut payment = self.payment(scope, archive.payment)?.clone();
        if payment.archived {
            return Ok(unchanged(&payment));
        }
        payment.allows(Action::Archive, &[PaymentStatus::Initiated, PaymentStatus::Failed])?;
        if let Some(queued) = payment.operations.iter().find(|own| own.is_queued()) {
            return Err(Rejection::Queued { payment: archive.payment, operation: queued.id });
        }
        payment.archived = true;
        payment.happened(command.at, None);
        Ok(self.keep(scope, payment))
    }

    fn payment(&self, scope: &Scope, id: PaymentId) -> Result<&Payment, Rejection> {
        self.payments.get(&(scope.clone(), id)).ok_or(Rejection::PaymentNotFound(id))
    }

    /// Keeps what became of a payment; the answer is its last event.
    fn keep(&mut self, scope: &Scope, mut payment: Payment) -> Answer {
        if let Some(before) = self.payments.get(&(scope.clone(), payment.asked.payment)) {
            payment.mark_anew(before);
        }
        let answer = Answer::Done { stream: stream(&payment), sequence: payment.version, replayed: false };
        self.payments.insert((scope.clone(), payment.asked.payment), payment);
        answer
    }
}

fn stream(payment: &Payment) -> StreamId {
    StreamId::Payment(payment.asked.payment)
}

/// The answer to what changes nothing.
fn unchanged(payment: &Payment) -> Answer {
    again(payment, payment.version)
}

/// The answer to what had happened before.
fn again(payment: &Payment, sequence: u64) -> Answer {
    Answer::Done { stream: stream(payment), sequence, replayed: true }
}

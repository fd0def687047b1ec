//! How an attempt begins: at a gateway, or done at once inside our own books.

use std::sync::Arc;

use super::Command;
use super::change::{Entry, Recorder};
use super::rejection::Rejection;
use super::view::{Halt, View};
use crate::account::{Account, AccountId};
use crate::clock::Timestamp;
use crate::event::{self, Body, Entered, StartResult};
use crate::id::AttemptId;
use crate::payment::{
    CaptureMethod, Failure, FailureClass, Operation, OperationId, OperationKind, Payment, PaymentMethod,
    Retry, Terms,
};
use crate::status::{Cause, OperationStatus, PaymentStatus};
use crate::store::Key;
use crate::text::{ErrorCode, GatewayName, Message, PaymentMethodId};

/// A start that is decided, with the wallet that pays for it.
pub(super) struct Started<'a> {
    pub(super) start: event::Start,
    debit: Option<(AccountId, &'a Arc<Account>)>,
}

/// What has to be loaded before an attempt of this method can be decided.
pub(super) fn keys(method: &PaymentMethod, view: &View<'_>) -> Option<Key> {
    match method {
        PaymentMethod::Credits(wallet) => Some(view.account_key(&AccountId::wallet(wallet))),
        _ => None,
    }
}

/// An attempt that is to begin.
pub(super) struct Start<'a> {
    /// Of a payment with these terms.
    pub(super) terms: &'a Terms,
    /// Of this payment, if it is there already.
    pub(super) payment: Option<&'a Payment>,
    /// The id it gets.
    pub(super) id: AttemptId,
    /// With this instrument, if another one than that of the terms is asked for.
    pub(super) instrument: Option<&'a PaymentMethodId>,
    /// Whether the schedule of retries makes it.
    pub(super) scheduled: bool,
    /// Whether the attempt is queued, to be sent later.
    pub(super) queued: bool,
}

impl Start<'_> {
    /// The attempt as it starts, with the wallet debit if it is paid with credits.
    pub(super) fn decide<'v>(&self, command: &Command, view: &View<'v>) -> Result<Started<'v>, Halt> {
        let Start { terms, id, instrument, .. } = *self;
        let kind = terms.method.kind();
        if instrument.is_some() && !kind.needs_gateway() {
            return Err(Rejection::InstrumentNotAllowed(kind).into());
        }
        let kind = OperationKind::Charge { retry: None, is_scheduled: false };
        let start =
            event::Start::new(OperationId::Attempt(id), kind, terms.amount, StartResult::Succeeded {});
        let mut started = Started { start, debit: None };
        match &terms.method {
            PaymentMethod::Card(_)
            | PaymentMethod::Ach(_)
            | PaymentMethod::Upi(_)
            | PaymentMethod::PaymentLink(_) => {
                started.start.gateway = Some(self.choose_gateway(command)?);
                started.start.instrument = instrument.or(terms.method.instrument()).cloned();
                started.start.result = begin(command, self.queued);
                let retry = retry(self.payment, self.scheduled, command).filter(|_| !self.queued);
                let is_scheduled = self.scheduled;
                started.start.kind = match terms.capture_method {
                    CaptureMethod::Automatic => OperationKind::Charge { retry, is_scheduled },
                    CaptureMethod::Manual => OperationKind::Authorization { retry, is_scheduled },
                };
                started.start.reopens =
                    self.payment.is_some_and(|payment| payment.status() == PaymentStatus::Failed);
            }
            PaymentMethod::Offline => {}
            PaymentMethod::Credits(wallet) => {
                let wallet = AccountId::wallet(wallet);
                let account = view.account(&wallet)?;
                match account.filter(|account| covers(account, terms)) {
                    Some(account) => started.debit = Some((wallet, account)),
                    None => started.start.result = StartResult::Failed(insufficient_credits()),
                }
            }
        }
        Ok(started)
    }

    fn choose_gateway(&self, command: &Command) -> Result<GatewayName, Rejection> {
        let own = self.terms.checkout.gateway.as_ref();
        match self.payment.and_then(Payment::asked_gateway).or(own) {
            Some(asked) if command.gateways.contains(asked) => Ok(asked.clone()),
            Some(asked) => Err(Rejection::UnknownGateway(asked.clone())),
            None => {
                let first = command.gateways.first().cloned();
                first.ok_or(Rejection::NoGateway(self.terms.method.kind()))
            }
        }
    }
}

/// What follows if an attempt that is sent now is declined. The first attempt that arrives and the scheduled ones are
/// followed by the next entry of the schedule; a manual one by what would have followed without it.
pub(super) fn retry(payment: Option<&Payment>, scheduled: bool, command: &Command) -> Option<Retry> {
    let arrived: Vec<&Operation> = payment.into_iter().flat_map(arrived).collect();
    let made = arrived.iter().filter(|attempt| attempt.kind.is_scheduled()).count();
    let retries = &command.policy.retries;
    match arrived.last() {
        None => retries.after(0, command.at),
        Some(_) if scheduled => retries.after(made + 1, command.at),
        Some(before) => before.kind.retry(),
    }
}

/// The attempts that were sent from here and may have reached their gateway.
fn arrived(payment: &Payment) -> impl Iterator<Item = &Operation> {
    let arrived = |attempt: &&Operation| {
        attempt.is_requested() && attempt.sent.is_some() && attempt.status() != OperationStatus::NotSent
    };
    payment.attempts().filter(arrived)
}

/// What would follow if an attempt that a caller made were declined now.
pub(super) fn retry_beside(payment: &Payment) -> Option<Retry> {
    arrived(payment).last().and_then(|attempt| attempt.kind.retry())
}

/// How an operation at a gateway starts: processing under a lease, or queued.
pub(super) fn begin(command: &Command, queued: bool) -> StartResult {
    if queued { StartResult::Queued {} } else { StartResult::Processing { lease_until: lease(command) } }
}

/// End of the lease under which the caller may be sending the operation to its gateway.
pub(super) fn lease(command: &Command) -> Timestamp {
    command.at.saturating_add(command.policy.lease)
}

fn covers(account: &Account, terms: &Terms) -> bool {
    account.balance(terms.amount.currency()).minor() >= terms.amount.minor()
}

fn insufficient_credits() -> Failure {
    let message = "the wallet does not hold enough credits";
    Failure {
        class: FailureClass::Soft,
        code: ErrorCode::lossy("insufficient_credits"),
        message: Message::lossy(message),
    }
}

impl Started<'_> {
    /// Whether the money is there at once.
    pub(super) fn is_paid(&self) -> bool {
        matches!(self.start.result, StartResult::Succeeded {})
    }

    /// Takes from the wallet what the start of `payment`'s attempt moved out of it.
    pub(super) fn debit(self, payment: &Payment, recorder: &mut Recorder<'_>) -> Result<(), Rejection> {
        let Some((wallet, account)) = self.debit else { return Ok(()) };
        let entered =
            Entered { amount: self.start.amount, payment: payment.id(), operation: self.start.operation };
        recorder.account(wallet, Some(account), Entry::new(Cause::Command, Body::Debited(entered)))?;
        Ok(())
    }
}

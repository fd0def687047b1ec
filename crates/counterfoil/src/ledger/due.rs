//! What is to be done at a time, by nobody in particular.

use std::future::{Future, poll_fn};
use std::task;

use super::{Ledger, LedgerError};
use crate::command::{Lapse, Poll, Process, Receipt, Rejection, Request};
use crate::id::AttemptId;
use crate::payment::{Destination, Operation, Payment, Work};
use crate::scope::Caller;
use crate::status::OperationStatus;
use crate::store::{Due, ExecuteError, StoreError};
use crate::text::{Actor, Message};

/// How many payments are seen to side by side: a slow answer holds up only what comes behind these.
const AT_ONCE: usize = 16;

/// What came of doing what was due.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct DueRun {
    /// How many payments were tried. As many as were asked for: there may be more. More than that: nothing could be
    /// done about the first of them, which keep nothing behind them waiting.
    pub due: usize,
    /// How many of them moved on.
    pub done: usize,
    /// What could not be done now; it is still due, or was left in doubt.
    pub failed: Vec<LedgerError>,
}

impl Ledger {
    /// Does what is due now, for at most `limit` payments of any tenant: sends queued operations, queries gateways about
    /// unknown outcomes, makes scheduled attempts, and ends what has expired. Call it about every second, on any number
    /// of machines. Doing it twice has the effect of doing it once.
    ///
    /// It also completes operations that a crashed process left unfinished.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use std::time::Duration;
    /// # use counterfoil::ledger::{Ledger, NewPayment};
    /// # use counterfoil::money::{Currency, Money};
    /// # use counterfoil::payment::{Destination, PaymentMethod};
    /// # use counterfoil::scope::{Caller, Scope};
    /// # use counterfoil::status::PaymentStatus;
    /// # use counterfoil_testkit::ManualClock;
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # let store = Arc::new(counterfoil_memory::MemoryStore::new());
    /// # let clock = Arc::new(ManualClock::default());
    /// # let ledger = Ledger::new(store).with_gateway(Arc::new(counterfoil_sandbox::Sandbox::new()));
    /// # let ledger = ledger.with_clock(clock.clone());
    /// # let caller = Caller::new(Scope::new("acme".parse()?, "test".parse()?), "ann".parse()?);
    /// # let invoice = Destination::invoice("inv_1".parse()?);
    /// // The gateway takes the money and does not answer.
    /// let card = PaymentMethod::Card(Some("pm_sandbox_timeout_paid".parse()?));
    /// let new = NewPayment::new(Money::parse("100", Currency::USD)?, invoice, card);
    /// let made = ledger.create(&caller, new).await?;
    /// assert_eq!(made.payment().unwrap().status(), PaymentStatus::Processing);
    ///
    /// # clock.advance(Duration::from_secs(2));
    /// // Two seconds later:
    /// assert_eq!(ledger.run_due(100).await?.done, 1);
    /// let payment = ledger.payment(&caller.scope, made.payment().unwrap().id()).await?.unwrap();
    /// assert_eq!(payment.status(), PaymentStatus::Succeeded);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it cannot be found out what is due. What fails of one payment keeps no other from being done.
    pub async fn run_due(&self, limit: usize) -> Result<DueRun, StoreError> {
        let mut run = DueRun::default();
        loop {
            // What was due before and could not be done still comes first: nothing behind it is to wait for it.
            let most = run.due.saturating_add(limit);
            let due = self.store.due(self.clock.now(), most).await?;
            let (full, tried) = (due.len() == most, run.due);
            for some in due.get(tried..).unwrap_or_default().chunks(AT_ONCE) {
                for outcome in at_once(some.iter().map(|due| self.run_one(due))).await {
                    run.due += 1;
                    match outcome {
                        Ok(moved) => run.done += usize::from(moved),
                        Err(error) => run.failed.push(error),
                    }
                }
            }
            if !full || limit == 0 || run.done > 0 {
                return Ok(run);
            }
        }
    }

    /// Whether it moved on by this call: somebody else may have done it already.
    async fn run_one(&self, due: &Due) -> Result<bool, LedgerError> {
        let read = self.payment(&due.scope, due.payment).await;
        let payment = read.map_err(|error| LedgerError::read(due.payment, error))?;
        let now = self.clock.now();
        let work = payment.as_ref().and_then(|payment| payment.next_due()).filter(|(at, _)| *at <= now);
        let (Some(payment), Some((_, work))) = (payment, work) else { return Ok(false) };
        let caller = Caller::new(due.scope.clone(), Actor::system());
        let done = match work {
            Work::Send { operation } => self.send(&caller, payment.id(), operation).await,
            Work::Poll { .. } | Work::LookUp { .. } => self.poll_due(&caller, &payment, work).await,
            Work::Retry { number } => self.retry(&caller, &payment, number).await,
            Work::Expire => self.lapse(&caller, &payment, work, None).await,
            Work::GiveUp => self.lapse(&caller, &payment, work, Some(no_further_attempt(&payment))).await,
        };
        match done {
            Err(error) if matches!(error.rejection(), Some(Rejection::NotDue { .. })) => Ok(false),
            done => done.map(|receipt| !receipt.replayed),
        }
    }

    /// Asks the gateway. What it says is written down; unless that is the end, so is that it was asked, and when it is
    /// asked again: it may say "not yet" in other words every time.
    async fn poll_due(&self, caller: &Caller, payment: &Payment, work: Work) -> Result<Receipt, LedgerError> {
        let Work::Poll { operation, .. } = work else { return self.look_up_due(caller, payment, work).await };
        let Some(operation) = payment.operation(operation) else {
            return self.write_poll(caller, payment, work).await;
        };
        // By the time of the question, like all that is final.
        let lost = self.is_lost(operation);
        let told = self.told_of(payment, operation).await;
        let resend = lost && told.is_none();
        let (goes_on, ends) = match told {
            Some(evidence) if operation.goes_on_after(&evidence) => (Some(evidence), None),
            told => (None, told),
        };
        if let Some(evidence) = ends {
            let news = self.report(caller, payment.id(), operation.id, evidence).await;
            if let Some(done) = self.unless_in_vain(caller, payment, work, news.map(Some)).await {
                return done;
            }
        }
        let poll = Poll { payment: payment.id(), work, resend };
        let asked = self.write_due(caller, payment, Request::Poll(poll)).await?;
        if asked.replayed {
            // Only whoever wrote that down goes on.
            return Ok(asked);
        }
        let news = match goes_on {
            Some(evidence) => Some(self.report(caller, payment.id(), operation.id, evidence).await?),
            None if resend => self.send_again(caller, &asked, operation.id).await?,
            None => None,
        };
        Ok(news.filter(|news| !news.replayed).unwrap_or(asked))
    }

    async fn look_up_due(
        &self,
        caller: &Caller,
        payment: &Payment,
        work: Work,
    ) -> Result<Receipt, LedgerError> {
        let told = match payment.gateway_payment_id() {
            Some(id) => self.look_up_payment(caller, payment, id).await,
            None => Ok(None),
        };
        match self.unless_in_vain(caller, payment, work, told).await {
            Some(done) => done,
            None => self.write_poll(caller, payment, work).await,
        }
    }

    /// What came of news; `None`: there were none. News that can never be written down must not be asked for without
    /// end either.
    async fn unless_in_vain(
        &self,
        caller: &Caller,
        payment: &Payment,
        work: Work,
        told: Result<Option<Receipt>, LedgerError>,
    ) -> Option<Result<Receipt, LedgerError>> {
        match told {
            Ok(news) => news.filter(|news| !news.replayed).map(Ok),
            Err(error) if error.rejection().is_some() => {
                let asked = self.write_poll(caller, payment, work).await;
                Some(asked.and(Err(error)))
            }
            Err(error) => Some(Err(error)),
        }
    }

    async fn write_poll(
        &self,
        caller: &Caller,
        payment: &Payment,
        work: Work,
    ) -> Result<Receipt, LedgerError> {
        let poll = Poll { payment: payment.id(), work, resend: false };
        self.write_due(caller, payment, Request::Poll(poll)).await
    }

    /// Makes the next attempt. What cannot be paid any more is given up.
    async fn retry(&self, caller: &Caller, payment: &Payment, number: u32) -> Result<Receipt, LedgerError> {
        let id = payment.id();
        let known = self.known_destination(&caller.scope, id).await?;
        let at = self.clock.now();
        let attempt = AttemptId::new(self.ids.next(at));
        let process = Process {
            payment: id,
            attempt,
            number: Some(number),
            instrument: None,
            known,
            idempotency_key: None,
            queued: false,
        };
        let command = self.command_at(caller, at, Request::Process(process));
        let mut receipt = match self.execute(command).await {
            Ok(receipt) => receipt,
            Err(error) => return self.give_up(caller, payment, number, error).await,
        };
        receipt.replayed = receipt.payment().and_then(|payment| payment.operation(attempt.into())).is_none();
        self.carry_on(caller, receipt, Some(attempt.into())).await
    }

    /// Ends a payment whose next attempt failed with `error`, if that attempt can never be made.
    async fn give_up(
        &self,
        caller: &Caller,
        payment: &Payment,
        number: u32,
        error: ExecuteError,
    ) -> Result<Receipt, LedgerError> {
        let reason = match &error {
            ExecuteError::Rejected(rejection) => given_up(rejection, &payment.terms().destination),
            _ => None,
        };
        match reason {
            Some(reason) => self.lapse(caller, payment, Work::Retry { number }, Some(reason)).await,
            None => Err(LedgerError::about(payment.id(), error)),
        }
    }

    async fn lapse(
        &self,
        caller: &Caller,
        payment: &Payment,
        work: Work,
        reason: Option<Message>,
    ) -> Result<Receipt, LedgerError> {
        let lapse = Lapse { payment: payment.id(), work, reason };
        self.write_due(caller, payment, Request::Lapse(lapse)).await
    }

    async fn write_due(
        &self,
        caller: &Caller,
        payment: &Payment,
        request: Request,
    ) -> Result<Receipt, LedgerError> {
        let command = self.command(caller, request);
        self.execute(command).await.map_err(|error| LedgerError::about(payment.id(), error))
    }
}

/// Runs all of them at once, within this task. The answers are in their order.
async fn at_once<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut all: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    poll_fn(|context| {
        for (future, answer) in all.iter_mut().filter(|(_, answer)| answer.is_none()) {
            if let task::Poll::Ready(ready) = future.as_mut().poll(context) {
                *answer = Some(ready);
            }
        }
        if all.iter().all(|(_, answer)| answer.is_some()) {
            task::Poll::Ready(())
        } else {
            task::Poll::Pending
        }
    })
    .await;
    all.into_iter().filter_map(|(_, answer)| answer).collect()
}

/// Why no further attempt is made: what was never sent was tried often enough, or the schedule has ended without a usable
/// instrument. What was said of the last attempt stands with it.
fn no_further_attempt(payment: &Payment) -> Message {
    let last = payment.attempts().last();
    let why = match last.map(Operation::status) {
        Some(OperationStatus::NotSent) => "the gateway could not be reached",
        _ => "no usable payment method is left",
    };
    let said = last.and_then(Operation::error_message).map(|said| format!(": {said}"));
    retry_given_up(&format!("{why}{}", said.unwrap_or_default()))
}

fn retry_given_up(why: &str) -> Message {
    Message::lossy(&format!("automatic retry given up: {why}"))
}

/// Why a retry that is refused so will never be made; `None`: it may be made later.
fn given_up(rejection: &Rejection, destination: &Destination) -> Option<Message> {
    let (kind, id) = (destination.kind.as_str().to_lowercase(), &destination.id);
    let why = match rejection {
        Rejection::DestinationNotFound(_) => format!("there is no {kind} {id}"),
        Rejection::DestinationNotPayable(_) => format!("{kind} {id} is not payable"),
        Rejection::DestinationCurrency { expected } => format!("{kind} {id} is now paid in {expected}"),
        Rejection::ExceedsDue { remaining, .. } if remaining.is_zero() => {
            format!("nothing of {kind} {id} is still due")
        }
        Rejection::ExceedsDue { remaining, .. } => format!("only {remaining} of {kind} {id} is still due"),
        _ => return None,
    };
    Some(retry_given_up(&why))
}

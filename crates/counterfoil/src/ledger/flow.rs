//! Calling the gateway between two commands.

use crate::command::{Command, Receipt, Report, Request};
use crate::gateway::{Charge, Finality, Inquiry};
use crate::id::AttemptId;
use crate::payment::{Evidence, Operation, OperationId, Outcome, Payment};
use crate::scope::Caller;
use crate::status::OperationStatus;
use crate::store::{ExecuteError, Retry, StoreError, StoreErrorKind};
use crate::text::Message;

use super::{Ledger, LedgerError, TRIES};

impl Ledger {
    /// Calls the gateway for the attempt that `receipt` says was started just now, and writes down what it
    /// answers. A replayed receipt started nothing: whoever did start it has called, or calls now, or is gone.
    pub(super) async fn carry_on(
        &self,
        caller: &Caller,
        receipt: Receipt,
        attempt: Option<AttemptId>,
    ) -> Result<Receipt, LedgerError> {
        if receipt.replayed {
            return Ok(self.catch_up(caller, receipt).await);
        }
        let Some((payment, operation)) = started_at_gateway(&receipt, attempt) else { return Ok(receipt) };
        let evidence = self.charge(payment, operation).await;
        let id = payment.id();
        let report = Report { payment: id, operation: operation.id, evidence };
        let told = self.write_down(self.command(caller, Request::Report(report))).await;
        let told = told.map_err(|error| LedgerError::about(id, in_doubt(error)))?;
        Ok(Receipt { subject: told.subject, ..receipt })
    }

    /// The gateway's answer is worth more than one try: without it, somebody has to ask again.
    async fn write_down(&self, report: Command) -> Result<Receipt, ExecuteError> {
        for _ in 1..TRIES {
            match self.execute(report.clone()).await {
                Err(ExecuteError::NotCommitted(error)) if error.kind().retry() == Retry::Later => {}
                answer => return answer,
            }
        }
        self.execute(report).await
    }

    /// A replay of something whose outcome nobody knows, or whose caller must be gone, is the moment to ask.
    /// Without an answer it stays as it is.
    async fn catch_up(&self, caller: &Caller, receipt: Receipt) -> Receipt {
        let Some(payment) = receipt.payment() else { return receipt };
        let lost = |attempt: &Operation| {
            let gone = attempt.lease_until.is_some_and(|lease_until| self.clock.now() >= lease_until);
            attempt.status() == OperationStatus::Unknown || gone
        };
        if !payment.live_attempt().is_some_and(lost) {
            return receipt;
        }
        match self.ask(caller, payment).await {
            Ok(Some(told)) => Receipt { subject: told.subject, ..receipt },
            Ok(None) | Err(_) => receipt,
        }
    }

    async fn charge(&self, payment: &Payment, operation: &Operation) -> Evidence {
        let now = self.clock.now();
        // Counted from the lease, never beyond it: the event's own time may be later than the clock's.
        let margin = self.policy.lease.saturating_sub(self.policy.call_deadline);
        let deadline = operation.lease_until.unwrap_or(now).saturating_sub(margin);
        let late = now >= deadline;
        match &self.gateway {
            // Checked just before sending: after the lease others may think that this caller is gone.
            Some(gateway) if !late => {
                let terms = payment.terms();
                let charge = Charge {
                    scope: terms.scope.clone(),
                    payment: terms.id,
                    operation: operation.id,
                    token: operation.id.to_string(),
                    amount: operation.amount,
                    method: terms.method.kind(),
                    instrument: operation.instrument.clone(),
                    destination: terms.destination.clone(),
                    metadata: terms.metadata.clone(),
                    deadline,
                };
                gateway.charge(&charge).await
            }
            _ => {
                let why =
                    if late { "the deadline passed before the gateway was called" } else { "no gateway" };
                Evidence::new(Outcome::NotSent { error_message: Message::lossy(why) }, now)
            }
        }
    }

    pub(super) async fn ask(
        &self,
        caller: &Caller,
        payment: &Payment,
    ) -> Result<Option<Receipt>, LedgerError> {
        let asked = payment.live_attempt().zip(self.gateway.as_ref());
        // Another gateway than the one that was sent the money's request knows nothing of it, and its "no" is none.
        let ours = asked.filter(|(operation, gateway)| operation.gateway.as_ref() == Some(gateway.name()));
        let Some((operation, gateway)) = ours else { return Ok(None) };
        let inquiry = Inquiry {
            scope: payment.scope().clone(),
            payment: payment.id(),
            operation: operation.id,
            token: operation.id.to_string(),
        };
        let told = gateway.inquire(&inquiry).await;
        match told.or_else(|| self.never_arrived(operation, gateway.finality())) {
            Some(evidence) => self.report(caller, payment.id(), operation.id, evidence).await.map(Some),
            None => Ok(None),
        }
    }

    /// The gateway knows nothing of the operation: final once whoever sent it must have given up, and the
    /// gateway says that after so long nothing can turn up any more.
    fn never_arrived(&self, operation: &Operation, finality: Finality) -> Option<Evidence> {
        let Finality::After(wait) = finality else { return None };
        let now = self.clock.now();
        let final_at = operation.lease_until?.saturating_add(wait);
        let error_message = Message::lossy("the gateway never heard of it");
        (now >= final_at).then(|| Evidence::new(Outcome::NotSent { error_message }, now))
    }
}

fn started_at_gateway(receipt: &Receipt, attempt: Option<AttemptId>) -> Option<(&Payment, &Operation)> {
    let (payment, attempt) = receipt.payment().zip(attempt)?;
    let operation = payment.operation(OperationId::Attempt(attempt))?;
    operation.gateway.as_ref().map(|_| (payment.as_ref(), operation))
}

/// The gateway was called, so "nothing was written" is no longer the whole truth: money may have moved.
fn in_doubt(error: ExecuteError) -> ExecuteError {
    match error {
        ExecuteError::NotCommitted(error) | ExecuteError::Unknown(error) => ExecuteError::Unknown(error),
        ExecuteError::Rejected(rejection) => {
            let during = "writing down the gateway's answer";
            ExecuteError::Unknown(StoreError::new(StoreErrorKind::Other, during).caused_by(rejection))
        }
    }
}

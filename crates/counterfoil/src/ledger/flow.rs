//! Calling the gateway between two commands.

use std::sync::Arc;

use crate::command::{Command, Discover, Receipt, Rejection, Report, Request, Subject};
use crate::destinations::Known;
use crate::gateway::{Charge, Finality, Gateway, Inquiry, LookUp};
use crate::id::{AttemptId, PaymentId};
use crate::payment::{Checkout, Evidence, Operation, OperationId, Outcome, Payment};
use crate::scope::{Caller, Scope};
use crate::status::OperationStatus;
use crate::store::{ExecuteError, Retry, StoreError, StoreErrorKind};
use crate::text::{GatewayPaymentId, Message};

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

    /// A replay of something that has no outcome yet is the moment to ask, unless whoever started it may still be on
    /// the way. Without an answer it stays as it is.
    async fn catch_up(&self, caller: &Caller, receipt: Receipt) -> Receipt {
        let Some(payment) = receipt.payment() else { return receipt };
        let on_its_way =
            |attempt: &Operation| attempt.runs_until().is_some_and(|until| self.clock.now() < until);
        if payment.live_attempt().is_none_or(on_its_way) {
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
        match operation.gateway.as_ref().and_then(|name| self.gateway(name)) {
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
                    checkout: Checkout { gateway: operation.gateway.clone(), ..terms.checkout.clone() },
                    metadata: payment.metadata().clone(),
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

    /// Asks about what is under way; else, while there is no money, about what may have brought some all the same:
    /// a payment that was made at its gateway, or an attempt that was given up.
    pub(super) async fn ask(
        &self,
        caller: &Caller,
        payment: &Payment,
    ) -> Result<Option<Receipt>, LedgerError> {
        if let Some(live) = payment.live_attempt() {
            return self.inquire_about(caller, payment, live).await;
        }
        if !payment.captured().is_zero() {
            return Ok(None);
        }
        if let Some(id) = payment.gateway_payment_id() {
            return self.look_up_payment(caller, payment, id).await;
        }
        let given_up = |attempt: &&Operation| attempt.status() == OperationStatus::Canceled;
        match payment.attempts().filter(given_up).last() {
            Some(attempt) => self.inquire_about(caller, payment, attempt).await,
            None => Ok(None),
        }
    }

    async fn inquire_about(
        &self,
        caller: &Caller,
        payment: &Payment,
        operation: &Operation,
    ) -> Result<Option<Receipt>, LedgerError> {
        // Another gateway than the one that was sent the money's request knows nothing of it, and its "no" is none.
        let gateway = operation.gateway.as_ref().and_then(|name| self.gateway(name));
        let Some(gateway) = gateway else { return Ok(None) };
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

    /// Asks about a payment that was made at its gateway. `None`: nobody to ask, or no news.
    async fn look_up_payment(
        &self,
        caller: &Caller,
        payment: &Payment,
        id: &GatewayPaymentId,
    ) -> Result<Option<Receipt>, LedgerError> {
        let Some(gateway) = self.gateway_of(payment) else { return Ok(None) };
        let look_up = LookUp {
            scope: payment.scope().clone(),
            payment: payment.id(),
            gateway_payment_id: id.clone(),
            gateway_tracking_id: payment.gateway_tracking_id().cloned(),
        };
        let Some(evidence) = gateway.look_up(&look_up).await else { return Ok(None) };
        let at = self.clock.now();
        let discover = Discover {
            payment: payment.id(),
            attempt: AttemptId::new(self.ids.next(at)),
            gateway: gateway.name().clone(),
            gateway_payment_id: id.clone(),
            evidence,
        };
        let command = self.command_at(caller, at, Request::Discover(discover));
        let told = self.write_down(command).await;
        told.map(Some).map_err(|error| LedgerError::about(payment.id(), error))
    }

    /// The gateway that has a payment: the one it names, else the ledger's own choice.
    fn gateway_of(&self, payment: &Payment) -> Option<&Arc<dyn Gateway>> {
        match payment.gateway() {
            Some(name) => self.gateway(name),
            None => self.gateways.first(),
        }
    }

    /// Asks about a payment that the gateway has, and answers with the payment whether or not there was news.
    pub(super) async fn poll(&self, caller: &Caller, id: PaymentId) -> Result<Receipt, LedgerError> {
        let read = self.payment(&caller.scope, id).await.map_err(|error| LedgerError::read(id, error))?;
        let refused = |rejection: Rejection| LedgerError::about(id, rejection.into());
        let payment = read.ok_or_else(|| refused(Rejection::PaymentNotFound(id)))?;
        if self.gateway_of(&payment).is_none() {
            return Err(refused(Rejection::AtGateway { payment: id }));
        }
        let told = self.ask(caller, &payment).await?;
        Ok(told.unwrap_or_else(|| {
            let version = payment.version();
            Receipt::replay(Subject::Payment(payment), version)
        }))
    }

    /// What the host knows of what a payment pays. Of a payment that is not there nothing need be known.
    pub(super) async fn known_destination(&self, scope: &Scope, id: PaymentId) -> Result<Known, LedgerError> {
        if self.destinations.is_none() {
            return Ok(Known::Unasked);
        }
        let payment = self.payment(scope, id).await.map_err(|error| LedgerError::read(id, error))?;
        Ok(match payment {
            Some(payment) => self.look_up(scope, &payment.terms().destination).await,
            None => Known::Unasked,
        })
    }

    /// The gateway knows nothing of the operation: final once whoever sent it must have given up, and the
    /// gateway says that after so long nothing can turn up any more.
    fn never_arrived(&self, operation: &Operation, finality: Finality) -> Option<Evidence> {
        let Finality::After(wait) = finality else { return None };
        // What was given up is over already.
        let operation = Some(operation).filter(|operation| operation.status().is_live())?;
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

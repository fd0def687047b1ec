//! Calling the gateway between two commands.

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::command::{Command, Discover, Receipt, Rejection, Report, Request, Subject};
use crate::destinations::Known;
use crate::gateway::{Charge, Finality, Gateway, Inquiry, LookUp, Modification};
use crate::id::{AttemptId, PaymentId};
use crate::payment::{CaptureMethod, Checkout, Evidence, Operation, OperationId, Outcome, Payment};
use crate::scope::{Caller, Scope};
use crate::status::OperationStatus;
use crate::store::{ExecuteError, Retry, StoreError, StoreErrorKind};
use crate::text::{GatewayPaymentId, Message};

use super::{Ledger, LedgerError, TRIES};

impl Ledger {
    /// Calls the gateway for the operation `started`, if the event of `receipt` sent it, and records the answer. A replayed
    /// receipt sent nothing: the caller that sent the operation calls the gateway.
    pub(super) async fn carry_on(
        &self,
        caller: &Caller,
        receipt: Receipt,
        started: Option<OperationId>,
    ) -> Result<Receipt, LedgerError> {
        if receipt.replayed {
            return Ok(self.catch_up(caller, receipt).await);
        }
        let Some((payment, operation)) = sent_by(&receipt, started) else { return Ok(receipt) };
        let evidence = unless_queued(operation, self.call_for(payment, operation).await);
        let id = payment.id();
        let report = Report { payment: id, operation: operation.id, evidence };
        let told = self.write_down(self.command(caller, Request::Report(report))).await;
        let told = told.map_err(|error| LedgerError::about(id, in_doubt(error)))?;
        Ok(Receipt { subject: told.subject, ..receipt })
    }

    /// Records a gateway's answer, with several tries: if it is lost, the gateway must be queried again.
    async fn write_down(&self, report: Command) -> Result<Receipt, ExecuteError> {
        for _ in 1..TRIES {
            match self.execute(report.clone()).await {
                Err(ExecuteError::NotCommitted(error)) if error.kind().retry() == Retry::Later => {}
                answer => return answer,
            }
        }
        self.execute(report).await
    }

    /// Queries the gateway about the open operations of a replayed receipt, unless a caller may still be sending them.
    /// Without an answer, returns the receipt unchanged.
    async fn catch_up(&self, caller: &Caller, receipt: Receipt) -> Receipt {
        let Some(payment) = receipt.payment() else { return receipt };
        if !payment.operations().iter().any(|operation| self.may_ask(operation)) {
            return receipt;
        }
        match self.ask(caller, payment).await {
            Ok(Some(told)) => Receipt { subject: told.subject, ..receipt },
            Ok(None) | Err(_) => receipt,
        }
    }

    /// Whether its outcome is open and no caller may still be sending it.
    fn may_ask(&self, operation: &Operation) -> bool {
        let is_leased = operation.runs_until().is_some_and(|until| self.clock.now() < until);
        operation.status().is_under_way() && operation.gateway.is_some() && !is_leased
    }

    /// Calls the gateway to carry out `operation`.
    async fn call_for(&self, payment: &Payment, operation: &Operation) -> Evidence {
        let now = self.clock.now();
        // Counted back from the end of the lease, because the event's time may be later than the clock's.
        let margin = self.policy.lease.saturating_sub(self.policy.call_deadline);
        let deadline = operation.sent_until().unwrap_or(now).saturating_sub(margin);
        let not_sent = |why| Evidence::new(Outcome::NotSent { error_message: Message::lossy(why) }, now);
        if now >= deadline {
            // After the lease, other callers may query or resend the operation.
            return not_sent("the deadline passed before the gateway was called");
        }
        let gateway = operation.gateway.as_ref().and_then(|name| self.gateway(name));
        match gateway {
            Some(gateway) => self.call(gateway, payment, operation, deadline).await,
            None => not_sent("no gateway"),
        }
    }

    /// Queries the gateway about all open operations. If there are none and nothing is captured, queries about a payment
    /// that was created at its gateway, or about the last canceled attempt. Returns the last receipt, if a query has a
    /// result.
    pub(super) async fn ask(
        &self,
        caller: &Caller,
        payment: &Payment,
    ) -> Result<Option<Receipt>, LedgerError> {
        let open: Vec<&Operation> =
            payment.operations().iter().filter(|operation| operation.status().is_under_way()).collect();
        if !open.is_empty() {
            let mut last = None;
            for operation in open {
                last = self.inquire_about(caller, payment, operation).await?.or(last);
            }
            return Ok(last);
        }
        if !payment.captured().is_zero() {
            return Ok(None);
        }
        if let Some(id) = payment.gateway_payment_id() {
            return self.look_up_payment(caller, payment, id).await;
        }
        let was_canceled =
            |attempt: &&Operation| attempt.status() == OperationStatus::Canceled && attempt.sent.is_some();
        match payment.attempts().filter(was_canceled).last() {
            Some(attempt) => self.inquire_about(caller, payment, attempt).await,
            None => Ok(None),
        }
    }

    pub(super) async fn inquire_about(
        &self,
        caller: &Caller,
        payment: &Payment,
        operation: &Operation,
    ) -> Result<Option<Receipt>, LedgerError> {
        match self.told_of(payment, operation).await {
            Some(evidence) => self.report(caller, payment.id(), operation.id, evidence).await.map(Some),
            None => Ok(None),
        }
    }

    /// The gateway's answer to a query about an operation. None if the gateway is not configured here, or does not know
    /// the operation.
    pub(super) async fn told_of(&self, payment: &Payment, operation: &Operation) -> Option<Evidence> {
        // Only the gateway that the operation was sent to: that another gateway does not know it says nothing.
        let gateway = operation.gateway.as_ref().and_then(|name| self.gateway(name))?;
        let inquiry = Inquiry {
            scope: payment.scope().clone(),
            payment: payment.id(),
            operation: operation.id,
            token: operation.id.to_string(),
        };
        // As of the time of the query: a slow answer may describe the state at that time.
        let is_final = self.never_arrived(operation, gateway.finality());
        let told = gateway.inquire(&inquiry).await;
        told.or_else(|| {
            // A capture, refund or void is sent again instead, with the same token.
            let ends = operation.id.is_attempt() && is_final;
            let error_message = Message::lossy("the gateway never heard of it");
            ends.then(|| Evidence::new(Outcome::NotSent { error_message }, self.clock.now()))
        })
    }

    /// Queries the gateway about a payment that was created there. None if there is no gateway, or the query has no result.
    pub(super) async fn look_up_payment(
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

    /// The gateway of a payment: the one that the payment names, or else the first of the ledger.
    fn gateway_of(&self, payment: &Payment) -> Option<&Arc<dyn Gateway>> {
        match payment.gateway() {
            Some(name) => self.gateway(name),
            None => self.gateways.first(),
        }
    }

    /// Queries the gateway about a payment, and returns the payment whether or not the query has a result.
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

    /// What the host knows about the destination of a payment. Not looked up if the payment does not exist.
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

    /// Whether an operation that its gateway does not know can no longer arrive there: the lease of its sender has ended,
    /// and so has the wait that the gateway declares.
    fn never_arrived(&self, operation: &Operation, finality: Finality) -> bool {
        let Finality::After(wait) = finality else { return false };
        let final_at = operation.sent_until().map(|lease| lease.saturating_add(wait));
        // A canceled operation is over already.
        operation.status().is_live() && final_at.is_some_and(|final_at| self.clock.now() >= final_at)
    }

    /// Whether a capture, refund or void that its gateway does not know can no longer arrive there. Then it is sent again
    /// with the same token, so the gateway carries it out at most once. The client would not request it again, because
    /// the client was told that it is in progress.
    pub(super) fn is_lost(&self, operation: &Operation) -> bool {
        let gateway = operation.gateway.as_ref().and_then(|name| self.gateway(name));
        let lost = gateway.is_some_and(|gateway| self.never_arrived(operation, gateway.finality()));
        lost && !operation.id.is_attempt()
    }

    /// Sends a lost operation again, within the lease that the event of `asked` gives it.
    pub(super) async fn send_again(
        &self,
        caller: &Caller,
        asked: &Receipt,
        id: OperationId,
    ) -> Result<Option<Receipt>, LedgerError> {
        let Some((payment, operation)) = at_gateway(asked, id) else { return Ok(None) };
        let evidence = self.call_for(payment, operation).await;
        let report = Report { payment: payment.id(), operation: id, evidence };
        let told = self.write_down(self.command(caller, Request::Report(report))).await;
        told.map(Some).map_err(|error| LedgerError::about(payment.id(), in_doubt(error)))
    }

    async fn call(
        &self,
        gateway: &Arc<dyn Gateway>,
        payment: &Payment,
        operation: &Operation,
        deadline: Timestamp,
    ) -> Evidence {
        match operation.id {
            OperationId::Attempt(_) => gateway.charge(&charge(payment, operation, deadline)).await,
            OperationId::Capture(_) => gateway.capture(&modification(payment, operation, deadline)).await,
            OperationId::Refund(_) => gateway.refund(&modification(payment, operation, deadline)).await,
            OperationId::Void(_) => gateway.void(&modification(payment, operation, deadline)).await,
        }
    }
}

/// The evidence that is recorded of a gateway's answer. A queued capture, refund or void does not end because its gateway
/// could not be reached, since the client was told that it is in progress. Its outcome is unknown: the gateway is queried,
/// and the operation is sent again or listed as stuck.
fn unless_queued(operation: &Operation, evidence: Evidence) -> Evidence {
    let was_queued = operation.sent != Some(operation.sequence) && !operation.id.is_attempt();
    match evidence.outcome {
        Outcome::NotSent { error_message } if was_queued => {
            Evidence { outcome: Outcome::Unknown { error_message }, ..evidence }
        }
        outcome => Evidence { outcome, ..evidence },
    }
}

/// The operation, if the event of `receipt` sent it to a gateway. A queued operation is sent by a later event.
fn sent_by(receipt: &Receipt, operation: Option<OperationId>) -> Option<(&Payment, &Operation)> {
    let (payment, operation) = at_gateway(receipt, operation?)?;
    (operation.sent == Some(receipt.sequence)).then_some((payment, operation))
}

/// The operation, if it is at a gateway.
fn at_gateway(receipt: &Receipt, operation: OperationId) -> Option<(&Payment, &Operation)> {
    let payment = receipt.payment()?;
    let operation = payment.operation(operation)?;
    operation.gateway.as_ref().map(|_| (payment.as_ref(), operation))
}

fn charge(payment: &Payment, attempt: &Operation, deadline: Timestamp) -> Charge {
    let terms = payment.terms();
    Charge {
        scope: terms.scope.clone(),
        payment: terms.id,
        operation: attempt.id,
        token: attempt.id.to_string(),
        amount: attempt.amount,
        capture_method: if attempt.is_hold() { CaptureMethod::Manual } else { CaptureMethod::Automatic },
        expires_at: terms.expires_at,
        method: terms.method.kind(),
        instrument: attempt.instrument.clone(),
        destination: terms.destination.clone(),
        checkout: Checkout { gateway: attempt.gateway.clone(), ..terms.checkout.clone() },
        metadata: payment.metadata().clone(),
        deadline,
    }
}

fn modification(payment: &Payment, operation: &Operation, deadline: Timestamp) -> Modification {
    let attempt = operation.parent().and_then(|id| payment.operation(id.into()));
    let reverses = operation.kind.reversed_capture().map(OperationId::from);
    let capture = reverses.and_then(|id| payment.operation(id));
    Modification {
        scope: payment.scope().clone(),
        payment: payment.id(),
        operation: operation.id,
        token: operation.id.to_string(),
        amount: operation.amount,
        attempt: operation.parent().map_or(operation.id, OperationId::from),
        gateway_attempt_id: attempt.and_then(Operation::gateway_operation_id).cloned(),
        gateway_payment_id: payment.gateway_payment_id().cloned(),
        // A capture of the whole hold releases nothing.
        is_final: operation.kind.releases().is_some(),
        holds: !operation.is_reversal(),
        reverses,
        gateway_capture_id: capture.and_then(Operation::gateway_operation_id).cloned(),
        reason: operation.reason.clone(),
        deadline,
    }
}

/// The error for an answer that could not be recorded. The gateway was called, so the outcome is unknown.
fn in_doubt(error: ExecuteError) -> ExecuteError {
    match error {
        ExecuteError::NotCommitted(error) | ExecuteError::Unknown(error) => ExecuteError::Unknown(error),
        ExecuteError::Rejected(rejection) => {
            let during = "writing down the gateway's answer";
            ExecuteError::Unknown(StoreError::new(StoreErrorKind::Other, during).caused_by(rejection))
        }
    }
}

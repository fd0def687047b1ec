//! Sending and canceling queued operations.

use super::{Ledger, LedgerError};
use crate::command::{CancelQueued, Receipt, Request, SendQueued};
use crate::id::PaymentId;
use crate::payment::OperationId;
use crate::scope::Caller;

impl Ledger {
    /// Sends a [queued](super::NewPayment::queued) operation: calls its gateway and records the answer. If several callers
    /// send the same operation, one of them calls the gateway. The others get a receipt that is
    /// [`replayed`](Receipt::replayed). Run it in a task of its own, as [`create`](Self::create).
    ///
    /// [`run_due`](Self::run_due) sends every queued operation too.
    ///
    /// An operation that could not be started now is canceled instead:
    ///
    /// - an attempt, if its payment has money, has ended or expired, was created at its gateway, or has another attempt
    ///   under way, or if its destination may not be charged this amount;
    /// - a capture, refund or void, if the money is no longer there.
    ///
    /// The operation in the receipt's payment has the status and the `error_message`. A capture, refund or void whose
    /// gateway cannot be reached has an unknown outcome. The gateway is queried later, and the operation is sent again or
    /// listed as stuck.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use counterfoil::ledger::{Ledger, NewPayment};
    /// # use counterfoil::money::{Currency, Money};
    /// # use counterfoil::payment::{Destination, PaymentMethod};
    /// # use counterfoil::scope::{Caller, Scope};
    /// # use counterfoil::status::{OperationStatus, PaymentStatus};
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # let store = Arc::new(counterfoil_memory::MemoryStore::new());
    /// # let sandbox = Arc::new(counterfoil_sandbox::Sandbox::new());
    /// # let ledger = Ledger::new(store).with_gateway(sandbox.clone());
    /// # let caller = Caller::new(Scope::new("acme".parse()?, "test".parse()?), "ann".parse()?);
    /// # let invoice = Destination::invoice("inv_1".parse()?);
    /// let new = NewPayment::new(Money::parse("100", Currency::USD)?, invoice, PaymentMethod::Card(None));
    /// let queued = ledger.create(&caller, new.queued()).await?;
    /// let attempt = queued.operation().unwrap();
    /// assert_eq!((attempt.status(), sandbox.calls()), (OperationStatus::Queued, 0));
    ///
    /// let sent = ledger.send(&caller, queued.payment().unwrap().id(), attempt.id).await?;
    /// assert_eq!(sent.operation().unwrap().status(), OperationStatus::Succeeded);
    /// assert_eq!(sent.payment().unwrap().status(), PaymentStatus::Succeeded);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create); [`OperationNotFound`](crate::command::Rejection::OperationNotFound) if the payment
    /// has no such operation. It stays queued if this ledger has no such gateway
    /// ([`UnknownGateway`](crate::command::Rejection::UnknownGateway)), or if it is unknown whether another payment of the
    /// invoice was charged ([`DestinationInDoubt`](crate::command::Rejection::DestinationInDoubt)).
    pub async fn send(
        &self,
        caller: &Caller,
        payment: PaymentId,
        operation: OperationId,
    ) -> Result<Receipt, LedgerError> {
        let known = self.known_destination(&caller.scope, payment).await?;
        let send = |update| Request::SendQueued(SendQueued { update, payment, operation, known });
        let receipt = self.execute_update(caller, payment, send).await?;
        self.carry_on(caller, receipt, Some(operation)).await
    }

    /// Cancels a [queued](super::NewPayment::queued) operation. It is never sent, and the amount that it reserved is
    /// available again. An operation that is canceled already does not change.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create); [`OperationNotFound`](crate::command::Rejection::OperationNotFound) if the payment
    /// has no such operation; [`NotQueued`](crate::command::Rejection::NotQueued) if it was sent already.
    pub async fn cancel(
        &self,
        caller: &Caller,
        payment: PaymentId,
        operation: OperationId,
    ) -> Result<Receipt, LedgerError> {
        let cancel = |update| Request::CancelQueued(CancelQueued { update, payment, operation });
        self.execute_update(caller, payment, cancel).await
    }
}

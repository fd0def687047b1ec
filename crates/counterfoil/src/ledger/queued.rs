//! Operations that are written down now and sent later.

use super::{Ledger, LedgerError};
use crate::command::{CancelQueued, Receipt, Request, SendQueued};
use crate::id::{PaymentId, UpdateId};
use crate::payment::OperationId;
use crate::scope::Caller;

impl Ledger {
    /// Sends an operation that was written down [queued](super::NewPayment::queued): calls its gateway, and writes down
    /// the answer. However many callers send it, on however many machines, the gateway is called once; the others get a
    /// receipt that says [`replayed`](Receipt::replayed). [`run_due`](Self::run_due) sends what was not sent by then.
    /// Run it in a task of its own, as [`create`](Self::create).
    ///
    /// What would not be started now any more is canceled instead: an attempt of a payment that has money, has ended or
    /// expired, was created at its gateway or has another attempt under way, or whose destination may not be charged so
    /// much; a capture, refund or void of what is not there any more. The receipt's payment has the operation with its
    /// status and its `error_message`. A capture, refund or void whose gateway cannot be reached has an unknown outcome: it
    /// is asked about, and sent again or listed as stuck.
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
        let at = self.clock.now();
        let update = UpdateId::new(self.ids.next(at));
        let known = self.known_destination(&caller.scope, payment).await?;
        let send = Request::SendQueued(SendQueued { update, payment, operation, known });
        let receipt = self.execute_named(caller, payment, at, update, send).await?;
        self.carry_on(caller, receipt, Some(operation)).await
    }

    /// Cancels a [queued](super::NewPayment::queued) operation: it is never sent, and what it reserved is free again. One
    /// that is canceled already stays so.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create); [`NotQueued`](crate::command::Rejection::NotQueued) if it was sent by then.
    pub async fn cancel(
        &self,
        caller: &Caller,
        payment: PaymentId,
        operation: OperationId,
    ) -> Result<Receipt, LedgerError> {
        let at = self.clock.now();
        let update = UpdateId::new(self.ids.next(at));
        let cancel = Request::CancelQueued(CancelQueued { update, payment, operation });
        self.execute_named(caller, payment, at, update, cancel).await
    }
}

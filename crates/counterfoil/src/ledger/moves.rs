//! Moving money that was charged or held, and hearing what became of it.

use super::{Ledger, LedgerError, NewCapture, NewRefund, NewResolution, NewVoid, Notification};
use crate::account::{GatewayEntry, GatewayEntryKind, Owed};
use crate::claim::ClaimKey;
use crate::command::{
    Capture, Notify, Receipt, RecordGatewayEntry, Refund, Register, Request, Resolve, Void,
};
use crate::id::{CaptureId, PaymentId, RefundId, UpdateId, VoidId};
use crate::payment::{Destination, OperationId};
use crate::scope::Caller;
use crate::text::GatewayName;

impl Ledger {
    /// Takes money that is held for a payment, all of it or a part, through the gateway that holds it. What it asks
    /// for is reserved until it is known what became of it, so of captures at the same time no more are made than
    /// there is. Run it in a task of its own, as [`create`](Self::create).
    ///
    /// A capture that the gateway declines is `Ok`: the [operation](Receipt::operation) of the receipt has its status,
    /// its code and its message, and what it had reserved is free again. So has the receipt of a repetition under the
    /// same key, and that of a capture whose outcome is still unknown. Another try needs another key.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use counterfoil::ledger::{Ledger, NewCapture, NewPayment, NewRefund};
    /// # use counterfoil::money::{Currency, Money};
    /// # use counterfoil::payment::{Destination, PaymentMethod};
    /// # use counterfoil::scope::{Caller, Scope};
    /// # use counterfoil::status::{OperationStatus, PaymentStatus};
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # let store = Arc::new(counterfoil_memory::MemoryStore::new());
    /// # let ledger = Ledger::new(store).with_gateway(Arc::new(counterfoil_sandbox::Sandbox::new()));
    /// # let caller = Caller::new(Scope::new("acme".parse()?, "test".parse()?), "ann".parse()?);
    /// # let invoice = Destination::invoice("inv_1".parse()?);
    /// # let usd = |text| Money::parse(text, Currency::USD);
    /// let new = NewPayment::new(usd("100")?, invoice, PaymentMethod::Card(None)).captured_later();
    /// let held = ledger.create(&caller, new).await?;
    /// let payment = held.payment().unwrap();
    /// assert_eq!(payment.status(), PaymentStatus::Authorized);
    ///
    /// let taken = ledger.capture(&caller, payment.id(), NewCapture::of(usd("60")?)).await?;
    /// let payment = taken.payment().unwrap();
    /// assert_eq!(payment.status(), PaymentStatus::Succeeded, "the rest of the hold is released");
    /// assert_eq!(taken.operation().unwrap().status(), OperationStatus::Succeeded);
    ///
    /// let back = ledger.refund(&caller, payment.id(), NewRefund::of(usd("10")?)).await?;
    /// assert_eq!(back.payment().unwrap().refundable(), usd("50")?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create); [`ExceedsCapturable`](crate::command::Rejection::ExceedsCapturable) says what
    /// could be captured.
    pub async fn capture(
        &self,
        caller: &Caller,
        payment: PaymentId,
        new: NewCapture,
    ) -> Result<Receipt, LedgerError> {
        let at = self.clock.now();
        let id = CaptureId::new(self.ids.next(at));
        let NewCapture { amount, is_final, idempotency_key, queued } = new;
        let capture = Capture { payment, capture: id, amount, is_final, idempotency_key, queued };
        self.start(caller, payment, at, id.into(), Request::Capture(capture)).await
    }

    /// Gives captured money back, all that one refund can or a part, through the gateway that it came by; credits to
    /// their wallet at once. Money that came past every gateway is written down as given back. What it asks for is
    /// reserved until it is known what became of it. Run it in a task of its own, as [`create`](Self::create).
    ///
    /// A refund that the gateway refuses is `Ok`: the refund says so, and what it had reserved is free again. Its
    /// idempotency key stays its own: the same call again is answered with the refund that was refused, and another try
    /// needs another key.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use counterfoil::ledger::{Ledger, NewPayment, NewRefund};
    /// # use counterfoil::money::{Currency, Money};
    /// # use counterfoil::payment::{Destination, PaymentMethod};
    /// # use counterfoil::scope::{Caller, Scope};
    /// # use counterfoil::status::OperationStatus;
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # let store = Arc::new(counterfoil_memory::MemoryStore::new());
    /// # let sandbox = Arc::new(counterfoil_sandbox::Sandbox::new());
    /// # let ledger = Ledger::new(store).with_gateway(sandbox.clone());
    /// # let caller = Caller::new(Scope::new("acme".parse()?, "test".parse()?), "ann".parse()?);
    /// # let amount = Money::parse("100", Currency::USD)?;
    /// # let invoice = Destination::invoice("inv_1".parse()?);
    /// // The sandbox takes the refunds of this card, and refuses them later.
    /// let card = PaymentMethod::Card(Some("pm_sandbox_refund_fails".parse()?));
    /// let paid = ledger.create(&caller, NewPayment::new(amount, invoice, card)).await?;
    /// let payment = paid.payment().unwrap().id();
    /// let asked = NewRefund::all().with_idempotency_key("back_1".parse()?);
    ///
    /// let receipt = ledger.refund(&caller, payment, asked.clone()).await?;
    /// assert!(receipt.operation().unwrap().status().is_live(), "it is on its way");
    ///
    /// for (_, told) in sandbox.take_notifications() {
    ///     ledger.notify(&caller, told).await?;
    /// }
    /// let receipt = ledger.refund(&caller, payment, asked).await?;
    /// let refund = receipt.operation().unwrap();
    /// match refund.status() {
    ///     OperationStatus::Succeeded => println!("{} went back", refund.amount),
    ///     status if status.is_live() => println!("{} is on its way", refund.amount),
    ///     _ => println!("nothing went back: {:?}", refund.error_message()),
    /// }
    /// assert_eq!((receipt.replayed, refund.status()), (true, OperationStatus::Failed));
    /// assert_eq!(receipt.payment().unwrap().refundable(), amount, "there for a refund under another key");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create); [`ExceedsRefundable`](crate::command::Rejection::ExceedsRefundable) says what
    /// could be refunded.
    pub async fn refund(
        &self,
        caller: &Caller,
        payment: PaymentId,
        new: NewRefund,
    ) -> Result<Receipt, LedgerError> {
        let at = self.clock.now();
        let id = RefundId::new(self.ids.next(at));
        let NewRefund { amount, reason, metadata, idempotency_key, queued } = new;
        let refund = Refund { payment, refund: id, amount, reason, metadata, idempotency_key, queued };
        self.start(caller, payment, at, id.into(), Request::Refund(refund)).await
    }

    /// Cancels a payment that has no money yet; releases the rest of a hold; or takes back all of the money, as if it
    /// had never been taken: of a charge by voiding the charge, of a hold that was captured by reversing the capture,
    /// where the gateway [can](crate::gateway::Gateway::can_reverse_captures). What a gateway has to do goes through it.
    /// Run it in a task of its own, as [`create`](Self::create).
    ///
    /// A void that the gateway declines is `Ok`: the [operation](Receipt::operation) of the receipt says so, as that of
    /// a [capture](Self::capture) does. Cancelling starts no operation.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use counterfoil::ledger::{Ledger, NewCapture, NewPayment, NewVoid};
    /// # use counterfoil::money::{Currency, Money};
    /// # use counterfoil::payment::{Destination, PaymentMethod};
    /// # use counterfoil::scope::{Caller, Scope};
    /// # use counterfoil::status::{OperationStatus, PaymentStatus};
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # let store = Arc::new(counterfoil_memory::MemoryStore::new());
    /// # let ledger = Ledger::new(store).with_gateway(Arc::new(counterfoil_sandbox::Sandbox::new()));
    /// # let caller = Caller::new(Scope::new("acme".parse()?, "test".parse()?), "ann".parse()?);
    /// # let amount = Money::parse("100", Currency::USD)?;
    /// # let invoice = Destination::invoice("inv_1".parse()?);
    /// // The sandbox declines to void what was held on this card.
    /// let card = PaymentMethod::Card(Some("pm_sandbox_void_decline".parse()?));
    /// let held = ledger.create(&caller, NewPayment::new(amount, invoice, card).captured_later()).await?;
    /// let payment = held.payment().unwrap().id();
    ///
    /// let receipt = ledger.void(&caller, payment, NewVoid::new()).await?;
    /// let void = receipt.operation().unwrap();
    /// assert_eq!(void.status(), OperationStatus::Failed);
    /// assert_eq!(void.failure().unwrap().code.as_str(), "void_declined");
    /// assert_eq!(receipt.payment().unwrap().status(), PaymentStatus::Authorized, "the money is still held");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create); [`NotWhole`](crate::command::Rejection::NotWhole) if some of the money went back
    /// already; [`CaptureNotReversible`](crate::command::Rejection::CaptureNotReversible) if it was captured of a hold
    /// and only a refund can give it back.
    pub async fn void(
        &self,
        caller: &Caller,
        payment: PaymentId,
        new: NewVoid,
    ) -> Result<Receipt, LedgerError> {
        let at = self.clock.now();
        let id = VoidId::new(self.ids.next(at));
        let NewVoid { reason, idempotency_key, queued } = new;
        let reversals = self.reversals.clone();
        let void = Void { payment, void: id, reason, reversals, idempotency_key, queued };
        let mut receipt = self.start(caller, payment, at, id.into(), Request::Void(void)).await?;
        if receipt.payment().is_some_and(|payment| payment.operation(id.into()).is_none()) {
            // What was only cancelled left no operation behind, but a name.
            let name = ClaimKey::update(&caller.scope, UpdateId::new(id.as_uuid()));
            receipt.replayed = !self.made(caller, &receipt, &name).await;
        }
        Ok(receipt)
    }

    /// Writes down an operation and calls the gateway for it, if this very call wrote it.
    async fn start(
        &self,
        caller: &Caller,
        payment: PaymentId,
        at: crate::clock::Timestamp,
        operation: OperationId,
        request: Request,
    ) -> Result<Receipt, LedgerError> {
        let command = self.command_at(caller, at, request);
        let mut receipt = self.execute(command).await.map_err(|error| LedgerError::about(payment, error))?;
        let made = receipt.payment().and_then(|payment| payment.operation(operation));
        receipt.replayed &= made.is_none();
        self.carry_on(caller, receipt, Some(operation)).await
    }

    /// Writes down what a gateway tells of its own accord, in its webhook say. Any order and any repetition leads to the
    /// same payment, and what is told under one name takes effect once: a receipt that says
    /// [`replayed`](Receipt::replayed) changed nothing.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create); [`NothingKnown`](crate::command::Rejection::NothingKnown) if it is about nothing
    /// that is known here: then it leaves no trace, and the sender should repeat it.
    pub async fn notify(&self, caller: &Caller, told: Notification) -> Result<Receipt, LedgerError> {
        let at = self.clock.now();
        let id = self.ids.next(at);
        let Notification { gateway, notification, about, told, funds } = told;
        let payment = about.payment;
        let notify = Notify { gateway, notification, about, told, funds, id };
        let done = self.execute(self.command_at(caller, at, Request::Notify(notify))).await;
        done.map_err(|error| match payment {
            Some(payment) => LedgerError::about(payment, error),
            None => error.into(),
        })
    }

    /// Records a fee or a payout of a gateway, as its report or its notification has it. Of one name there is one: a
    /// repetition changes nothing. [`reconcile`](Self::reconcile) does this for a whole report.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create); [`GatewayEntryDiffers`](crate::command::Rejection::GatewayEntryDiffers) if the name is
    /// recorded with another amount, currency or direction.
    pub async fn record_gateway_entry(
        &self,
        caller: &Caller,
        gateway: GatewayName,
        kind: GatewayEntryKind,
        entry: GatewayEntry,
    ) -> Result<Receipt, LedgerError> {
        let record = RecordGatewayEntry { gateway, kind, entry };
        Ok(self.execute(self.command(caller, Request::RecordGatewayEntry(record))).await?)
    }

    /// Writes down an operator's [decision](crate::command::Resolution): what became of an operation or what it is of,
    /// how a dispute ended, or that nothing is to be done about what is listed for review. It overrides what is known, and
    /// is listed for review; of an operation it is taken only once nobody can be on the way with it any more.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create); [`NothingToResolve`](crate::command::Rejection::NothingToResolve) if no outcome, or
    /// not that of the operation that is named, is open, and nothing is marked for review. If no operation is named,
    /// [`NoneOpen`](crate::command::Rejection::NoneOpen) where something is marked, but no outcome is open, and
    /// [`SeveralOpen`](crate::command::Rejection::SeveralOpen) where more than one is.
    pub async fn resolve(
        &self,
        caller: &Caller,
        payment: PaymentId,
        new: NewResolution,
    ) -> Result<Receipt, LedgerError> {
        let NewResolution { operation, resolution, note } = new;
        let resolve = |update| Request::Resolve(Resolve { update, payment, operation, resolution, note });
        self.execute_update(caller, payment, resolve).await
    }

    /// Registers what is owed for a destination, instead of what was registered before: charges that would come to
    /// more are refused. What the host's own [destinations](crate::destinations::Destinations) say counts before it.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub async fn register(
        &self,
        caller: &Caller,
        destination: Destination,
        owed: Owed,
    ) -> Result<Receipt, LedgerError> {
        let command = self.command(caller, Request::Register(Register { destination, owed }));
        Ok(self.execute(command).await?)
    }
}

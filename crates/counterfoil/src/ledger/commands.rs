//! What changes the books.

use super::{Ledger, LedgerError, NewAttempt, NewPayment, NewRecordedRefund, NewTopUp, Processing, Update};
use crate::claim::ClaimKey;
use crate::clock::Timestamp;
use crate::command::{
    self, Archive, Create, Process, Receipt, RecordAttempt, RecordRefund, Rejection, Report, Request, Target,
    TopUp,
};
use crate::event::StreamId;
use crate::id::{AttemptId, PaymentId, RefundId, TopUpId, UpdateId};
use crate::payment::{Evidence, OperationId};
use crate::scope::Caller;
use crate::store::ExecuteError;

impl Ledger {
    /// Creates a payment and, where it is to be processed, its first attempt with whatever the gateway
    /// answers. With an idempotency key it does so once, however often it is called.
    ///
    /// A declined charge is `Ok`: the payment says so, and it is over, as a payment without a schedule of
    /// retries is. On a replay nothing is charged again, and the receipt's payment is as it stands now; if
    /// nobody knows what became of its attempt, the gateway is asked, as by [`inquire`](Self::inquire).
    ///
    /// # Cancellation
    ///
    /// Run it in a task of its own. A future that is dropped while the gateway is being asked leaves an attempt
    /// in flight whose answer nobody writes down; [`inquire`](Self::inquire) finds out.
    ///
    /// # Errors
    ///
    /// [`LedgerError`]: a rejection, a failed store, or an outcome in doubt; then
    /// [`payment`](LedgerError::payment) names the payment to ask for.
    pub async fn create(&self, caller: &Caller, new: NewPayment) -> Result<Receipt, LedgerError> {
        let at = self.clock.now();
        let payment = PaymentId::new(self.ids.next(at));
        let attempt = new.process.then(|| AttemptId::new(self.ids.next(at)));
        let create = Create {
            payment,
            amount: new.amount,
            known: self.look_up(&caller.scope, &new.destination).await,
            destination: new.destination,
            method: new.method,
            capture_method: new.capture_method,
            expires_at: new.expires_at,
            checkout: new.checkout,
            metadata: new.metadata,
            idempotency_key: new.idempotency_key,
            process: attempt,
            queued: new.queued,
        };
        let about = |error| match error {
            // Nothing was made, so there is no payment of this id.
            ExecuteError::Rejected(_) => LedgerError::from(error),
            error => LedgerError::about(payment, error),
        };
        let command = self.command_at(caller, at, Request::Create(create));
        let mut receipt = self.execute(command).await.map_err(about)?;
        // The id is this call's own: if it is there, this call made it, at whichever try.
        receipt.replayed = receipt.stream != StreamId::Payment(payment);
        self.carry_on(caller, receipt, attempt.map(OperationId::from)).await
    }

    /// Starts the next attempt of a payment that waits for one: that was only recorded, whose last attempt
    /// certainly never reached the gateway, or was declined under a schedule of retries, which this call does not move.
    /// Under [`Policy::process_failed`](crate::command::Policy::process_failed) also that of a `FAILED` payment, with another
    /// instrument. A payment that was made at its gateway is asked about instead, and never charged. Run it in a task of its own, as [`create`](Self::create).
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create); a payment that does not wait for an attempt is
    /// [`NotAllowed`](Rejection::NotAllowed); a `FAILED` one is
    /// [`ProcessFailedDisabled`](Rejection::ProcessFailedDisabled), [`SameInstrument`](Rejection::SameInstrument) or
    /// [`InstrumentReturned`](Rejection::InstrumentReturned); one whose gateway cannot be asked [`AtGateway`](Rejection::AtGateway).
    pub async fn process(
        &self,
        caller: &Caller,
        payment: PaymentId,
        how: Processing,
    ) -> Result<Receipt, LedgerError> {
        let about = |error| LedgerError::about(payment, error);
        let known = self.known_destination(&caller.scope, payment).await?;
        let at = self.clock.now();
        let attempt = AttemptId::new(self.ids.next(at));
        let process = Process {
            payment,
            attempt,
            number: None,
            instrument: how.instrument,
            known,
            idempotency_key: how.idempotency_key,
            queued: how.queued,
        };
        let command = self.command_at(caller, at, Request::Process(process));
        let mut receipt = match self.execute(command).await {
            Err(ExecuteError::Rejected(Rejection::AtGateway { .. })) => {
                return self.poll(caller, payment).await;
            }
            answer => answer.map_err(about)?,
        };
        let made = receipt.payment().and_then(|payment| payment.operation(attempt.into()));
        receipt.replayed = made.is_none();
        self.carry_on(caller, receipt, Some(attempt.into())).await
    }

    /// Writes down an attempt that was made elsewhere: money that came in another way, or a no that was heard.
    /// One that failed leaves the payment open. With an idempotency key, or a gateway's id of the attempt, it
    /// does so once.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub async fn record_attempt(
        &self,
        caller: &Caller,
        payment: PaymentId,
        new: NewAttempt,
    ) -> Result<Receipt, LedgerError> {
        let at = self.clock.now();
        let attempt = AttemptId::new(self.ids.next(at));
        let record = RecordAttempt {
            payment,
            attempt,
            outcome: new.outcome,
            gateway: new.gateway,
            gateway_attempt_id: new.gateway_attempt_id,
            idempotency_key: new.idempotency_key,
        };
        self.record(caller, payment, attempt.into(), at, Request::RecordAttempt(record)).await
    }

    /// Records a refund that was made elsewhere, at a gateway or off-gateway (cash, a transfer). No gateway is called. Without
    /// an amount it is of all that is refundable. With an idempotency key, or a gateway's id of the refund, it is recorded
    /// once.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use counterfoil::command::Rejection;
    /// # use counterfoil::ledger::{Ledger, NewPayment, NewRecordedRefund};
    /// # use counterfoil::money::{Currency, Money};
    /// # use counterfoil::payment::{Destination, PaymentMethod};
    /// # use counterfoil::scope::{Caller, Scope};
    /// # use counterfoil::status::PaymentStatus;
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # let store = Arc::new(counterfoil_memory::MemoryStore::new());
    /// # let ledger = Ledger::new(store).with_gateway(Arc::new(counterfoil_sandbox::Sandbox::new()));
    /// # let caller = Caller::new(Scope::new("acme".parse()?, "test".parse()?), "ann".parse()?);
    /// # let invoice = Destination::invoice("inv_1".parse()?);
    /// # let usd = |text| Money::parse(text, Currency::USD);
    /// let paid = ledger.create(&caller, NewPayment::new(usd("100")?, invoice, PaymentMethod::Card(None))).await?;
    /// let id = paid.payment().unwrap().id();
    ///
    /// // 30 went back over the counter, and 20 by the gateway's dashboard.
    /// ledger.record_refund(&caller, id, NewRecordedRefund::of(usd("30")?)).await?;
    /// let by_dashboard = NewRecordedRefund::of(usd("20")?)
    ///     .with_gateway("sandbox".parse()?)
    ///     .with_gateway_refund_id("re_1".parse()?);
    /// let done = ledger.record_refund(&caller, id, by_dashboard).await?;
    /// let payment = done.payment().unwrap();
    /// assert_eq!((payment.status(), payment.refundable()), (PaymentStatus::PartiallyRefunded, usd("50")?));
    ///
    /// let refused = ledger.record_refund(&caller, id, NewRecordedRefund::of(usd("50.01")?)).await.unwrap_err();
    /// assert!(matches!(refused.rejection(), Some(Rejection::ExceedsRefundable { .. })));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create); [`ExceedsRefundable`](Rejection::ExceedsRefundable) says what is refundable,
    /// [`GatewayIdTaken`](Rejection::GatewayIdTaken) that the gateway's id is another refund's,
    /// [`NotRecordable`](Rejection::NotRecordable) that the payment is one of credits.
    pub async fn record_refund(
        &self,
        caller: &Caller,
        payment: PaymentId,
        new: NewRecordedRefund,
    ) -> Result<Receipt, LedgerError> {
        let at = self.clock.now();
        let refund = RefundId::new(self.ids.next(at));
        let record = RecordRefund {
            payment,
            refund,
            amount: new.amount,
            gateway: new.gateway,
            gateway_refund_id: new.gateway_refund_id,
            occurred_at: new.occurred_at,
            reason: new.reason,
            metadata: new.metadata,
            idempotency_key: new.idempotency_key,
        };
        self.record(caller, payment, refund.into(), at, Request::RecordRefund(record)).await
    }

    /// Executes a command that records `operation`, which calls no gateway.
    async fn record(
        &self,
        caller: &Caller,
        payment: PaymentId,
        operation: OperationId,
        at: Timestamp,
        request: Request,
    ) -> Result<Receipt, LedgerError> {
        let command = self.command_at(caller, at, request);
        let mut receipt = self.execute(command).await.map_err(|error| LedgerError::about(payment, error))?;
        let made = receipt.payment().and_then(|payment| payment.operation(operation));
        receipt.replayed = made.is_none();
        Ok(receipt)
    }

    /// Changes names and notes of a payment, or writes down what became of it elsewhere, all of it or nothing.
    /// [`Target`] tells which status can be set from where, and what that writes down.
    /// No gateway is called.
    ///
    /// ```
    /// use counterfoil::command::Rejection;
    /// use counterfoil::status::PaymentStatus;
    /// # use counterfoil::ledger::{Ledger, NewPayment, Update};
    /// # use counterfoil::money::{Currency, Money};
    /// # use counterfoil::payment::{Destination, PaymentMethod};
    /// # use counterfoil::scope::{Caller, Scope};
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # let ledger = Ledger::new(std::sync::Arc::new(counterfoil_memory::MemoryStore::new()));
    /// # let caller = Caller::new(Scope::new("acme".parse()?, "test".parse()?), "ann".parse()?);
    /// # let invoice = Destination::invoice("inv_1".parse()?);
    /// # let card = PaymentMethod::Card(None);
    /// # let amount = Money::parse("99.50", Currency::USD)?;
    /// # let new = || NewPayment::new(amount, invoice.clone(), card.clone()).recorded_only();
    /// # let made = ledger.create(&caller, new()).await?;
    ///
    /// let payment = made.payment().unwrap();
    /// let paid = Update::to(PaymentStatus::Succeeded).if_version(payment.version());
    /// let done = ledger.update(&caller, payment.id(), paid).await?;
    /// assert_eq!(done.payment().unwrap().captured(), payment.terms().amount);
    ///
    /// let late = Update::to(PaymentStatus::Voided).if_version(payment.version());
    /// let refused = ledger.update(&caller, payment.id(), late).await.unwrap_err();
    /// assert!(matches!(refused.rejection(), Some(Rejection::VersionConflict { version: 2, .. })));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub async fn update(
        &self,
        caller: &Caller,
        payment: PaymentId,
        update: Update,
    ) -> Result<Receipt, LedgerError> {
        let Update { if_version, change, status } = update;
        let target = status.map(|(status, at)| Target { status, at });
        let update =
            |update| Request::Update(command::Update { update, payment, if_version, change, target });
        self.execute_update(caller, payment, update).await
    }

    /// Writes down what a gateway says about an operation, in its webhook, say: of which payment and operation, it
    /// knows if both were sent along with the [charge](crate::gateway::Charge). Any order and any repetition of the same
    /// evidence leads to the same payment.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub async fn report(
        &self,
        caller: &Caller,
        payment: PaymentId,
        operation: OperationId,
        evidence: Evidence,
    ) -> Result<Receipt, LedgerError> {
        let report = Report { payment, operation, evidence };
        let command = self.command(caller, Request::Report(report));
        self.execute(command).await.map_err(|error| LedgerError::about(payment, error))
    }

    /// Asks the gateway about whatever of the payment is under way, or about a payment that was made there, and writes
    /// down the answer. Moves no money: this is how an unknown outcome is settled; [`run_due`](Self::run_due) does it
    /// in time. `None` if there is nothing to ask about, nobody to ask (it went to another gateway than this ledger's),
    /// or no news.
    ///
    /// A gateway that knows nothing of an operation ends it as `NOT_SENT` once the operation's lease is over and
    /// the gateway's declared [finality](crate::gateway::Gateway::finality) has passed; by default that is never.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub async fn inquire(&self, caller: &Caller, id: PaymentId) -> Result<Option<Receipt>, LedgerError> {
        let payment = self.payment(&caller.scope, id).await.map_err(|error| LedgerError::read(id, error))?;
        match payment {
            Some(payment) => self.ask(caller, &payment).await,
            None => Err(LedgerError::about(id, Rejection::PaymentNotFound(id).into())),
        }
    }

    /// Hides a payment that came to nothing.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub async fn archive(&self, caller: &Caller, payment: PaymentId) -> Result<Receipt, LedgerError> {
        let command = self.command(caller, Request::Archive(Archive { payment }));
        self.execute(command).await.map_err(|error| LedgerError::about(payment, error))
    }

    /// Puts credits into a wallet.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub async fn top_up(&self, caller: &Caller, new: NewTopUp) -> Result<Receipt, LedgerError> {
        let at = self.clock.now();
        let id = TopUpId::new(self.ids.next(at));
        let top_up = TopUp {
            top_up: id,
            wallet: new.wallet,
            amount: new.amount,
            idempotency_key: new.idempotency_key,
        };
        let command = self.command_at(caller, at, Request::TopUp(top_up));
        let mut receipt = self.execute(command).await?;
        receipt.replayed &= !self.made(caller, &receipt, &ClaimKey::top_up(&caller.scope, id)).await;
        Ok(receipt)
    }

    /// Executes a request that claims an update id of its own. If an earlier try of this call wrote the event, the receipt
    /// is not a replay.
    pub(super) async fn execute_update(
        &self,
        caller: &Caller,
        payment: PaymentId,
        request: impl FnOnce(UpdateId) -> Request,
    ) -> Result<Receipt, LedgerError> {
        let at = self.clock.now();
        let update = UpdateId::new(self.ids.next(at));
        let command = self.command_at(caller, at, request(update));
        let mut receipt = self.execute(command).await.map_err(|error| LedgerError::about(payment, error))?;
        receipt.replayed &= !self.made(caller, &receipt, &ClaimKey::update(&caller.scope, update)).await;
        Ok(receipt)
    }

    /// Whether a replay is of what this very call made, at an earlier try: its event took the call's own name.
    pub(super) async fn made(&self, caller: &Caller, receipt: &Receipt, name: &ClaimKey) -> bool {
        if !receipt.replayed {
            return true;
        }
        let before = receipt.sequence.saturating_sub(1);
        let found = self.history(&caller.scope, &receipt.stream, before, 1).await;
        found.is_ok_and(|events| events.first().is_some_and(|event| event.took(name)))
    }
}

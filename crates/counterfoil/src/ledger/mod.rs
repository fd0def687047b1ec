//! The [`Ledger`]: what a billing service talks to.
//!
//! A thin shell. It gives commands their ids and time, executes them again while their outcome is unknown,
//! and calls the gateway between two commands. Whatever must hold, holds without it.

mod error;
mod flow;
mod request;

use std::sync::Arc;

pub use error::LedgerError;
pub use request::{NewPayment, NewTopUp, Processing};

use crate::account::{Account, AccountId};
use crate::clock::{Clock, SystemClock};
use crate::command::{Archive, Command, Create, Policy, Process, Receipt, Request, TopUp};
use crate::event::{Event, StreamId};
use crate::gateway::Gateway;
use crate::id::{AttemptId, IdSource, PaymentId, RandomIds, TopUpId};
use crate::payment::{Evidence, OperationId, Payment};
use crate::scope::{Caller, Scope};
use crate::store::{ExecuteError, Key, Lookup, PaymentStore, StoreError};
use crate::text::WalletId;

/// How often a command is executed while nobody knows whether it was written.
const TRIES: usize = 3;

/// The books of a billing service: payments and wallets over a [`PaymentStore`]. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Ledger {
    store: Arc<dyn PaymentStore>,
    gateway: Option<Arc<dyn Gateway>>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    policy: Arc<Policy>,
}

impl Ledger {
    /// A ledger over `store`, with the machine's clock, random ids, the default policy, and no gateway.
    #[must_use]
    pub fn new(store: Arc<dyn PaymentStore>) -> Ledger {
        Ledger {
            store,
            gateway: None,
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds::default()),
            policy: Arc::new(Policy::default()),
        }
    }

    /// With this gateway for the methods that need one.
    #[must_use]
    pub fn with_gateway(mut self, gateway: Arc<dyn Gateway>) -> Ledger {
        self.gateway = Some(gateway);
        self
    }

    /// With this clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Ledger {
        self.clock = clock;
        self
    }

    /// With this source of ids.
    #[must_use]
    pub fn with_ids(mut self, ids: Arc<dyn IdSource>) -> Ledger {
        self.ids = ids;
        self
    }

    /// With these rules.
    #[must_use]
    pub fn with_policy(mut self, policy: Policy) -> Ledger {
        self.policy = Arc::new(policy);
        self
    }

    /// The store underneath.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn PaymentStore> {
        &self.store
    }

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
            destination: new.destination,
            method: new.method,
            metadata: new.metadata,
            idempotency_key: new.idempotency_key,
            process: attempt,
            gateway: self.gateway_name(),
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
        self.carry_on(caller, receipt, attempt).await
    }

    /// Starts the next attempt of a payment that waits for one: that was only recorded, or whose last attempt
    /// certainly never reached the gateway. Run it in a task of its own, as [`create`](Self::create).
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create); a payment that does not wait for an attempt is
    /// [`NotAllowed`](crate::command::Rejection::NotAllowed).
    pub async fn process(
        &self,
        caller: &Caller,
        payment: PaymentId,
        how: Processing,
    ) -> Result<Receipt, LedgerError> {
        let at = self.clock.now();
        let attempt = AttemptId::new(self.ids.next(at));
        let process = Process {
            payment,
            attempt,
            instrument: how.instrument,
            gateway: self.gateway_name(),
            idempotency_key: how.idempotency_key,
        };
        let about = |error| LedgerError::about(payment, error);
        let command = self.command_at(caller, at, Request::Process(process));
        let mut receipt = self.execute(command).await.map_err(about)?;
        let made = receipt.payment().and_then(|payment| payment.operation(attempt.into()));
        receipt.replayed = made.is_none();
        self.carry_on(caller, receipt, Some(attempt)).await
    }

    /// Writes down what a gateway says about an operation. Any order and any repetition of the same
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
        let report = crate::command::Report { payment, operation, evidence };
        let command = self.command(caller, Request::Report(report));
        self.execute(command).await.map_err(|error| LedgerError::about(payment, error))
    }

    /// Asks the gateway about the payment's live attempt and writes down the answer. Moves no money: this is
    /// how an unknown outcome is settled. `None` if there is nothing to ask about, nobody to ask (the attempt
    /// went to another gateway than this ledger's), or no news.
    ///
    /// A gateway that knows nothing of the attempt ends it as `NOT_SENT` once the attempt's lease is over and
    /// the gateway's declared [finality](Gateway::finality) has passed; by default that is never.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub async fn inquire(&self, caller: &Caller, id: PaymentId) -> Result<Option<Receipt>, LedgerError> {
        let payment = self.payment(&caller.scope, id).await.map_err(|error| LedgerError::read(id, error))?;
        match payment {
            Some(payment) => self.ask(caller, &payment).await,
            None => Err(LedgerError::about(id, crate::command::Rejection::PaymentNotFound(id).into())),
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
        // A wallet keeps no list of its top-ups: whether this call made it, at whichever try, its event tells.
        if receipt.replayed {
            let event =
                self.history(&caller.scope, &receipt.stream, receipt.sequence.saturating_sub(1), 1).await;
            let made = event.ok().and_then(|events| events.first().cloned());
            receipt.replayed = !made.is_some_and(|event| event.is_top_up(id));
        }
        Ok(receipt)
    }

    /// The payment `id` as it stands.
    ///
    /// # Errors
    ///
    /// The store's.
    pub async fn payment(&self, scope: &Scope, id: PaymentId) -> Result<Option<Arc<Payment>>, StoreError> {
        let state = self.store.read(&[Key::Payment(scope.clone(), id)]).await?;
        Ok(present(state.payment(scope, id)))
    }

    /// The wallet `id` as it stands.
    ///
    /// # Errors
    ///
    /// The store's.
    pub async fn wallet(&self, scope: &Scope, id: &WalletId) -> Result<Option<Arc<Account>>, StoreError> {
        let account = AccountId::wallet(id);
        let state = self.store.read(&[Key::Account(scope.clone(), account.clone())]).await?;
        Ok(present(state.account(scope, &account)))
    }

    /// The events of a payment or an account behind `after`, at most `limit` of them.
    ///
    /// # Errors
    ///
    /// The store's.
    pub async fn history(
        &self,
        scope: &Scope,
        stream: &StreamId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Arc<Event>>, StoreError> {
        self.store.history(scope, stream, after, limit).await
    }

    /// Executes a command, again while its outcome is unknown: it is idempotent by value, so that is safe,
    /// and tells which it was.
    async fn execute(&self, command: Command) -> Result<Receipt, ExecuteError> {
        let mut tries = 1;
        loop {
            match self.store.execute(command.clone()).await {
                Err(ExecuteError::Unknown(_)) if tries < TRIES => tries += 1,
                // Nothing was written *this* time: what an earlier try left in doubt is still in doubt.
                Err(ExecuteError::NotCommitted(error)) if tries > 1 => {
                    return Err(ExecuteError::Unknown(error));
                }
                answer => return answer,
            }
        }
    }

    fn command(&self, caller: &Caller, request: Request) -> Command {
        self.command_at(caller, self.clock.now(), request)
    }

    fn command_at(&self, caller: &Caller, at: crate::clock::Timestamp, request: Request) -> Command {
        Command { caller: caller.clone(), at, policy: self.policy.clone(), request }
    }

    fn gateway_name(&self) -> Option<crate::text::GatewayName> {
        self.gateway.as_ref().map(|gateway| gateway.name().clone())
    }
}

fn present<T>(lookup: Lookup<'_, T>) -> Option<Arc<T>> {
    match lookup {
        Lookup::Present(value) => Some(value.clone()),
        Lookup::Absent | Lookup::NotLoaded => None,
    }
}

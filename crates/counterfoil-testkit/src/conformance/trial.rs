//! What a case works with.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use counterfoil::account::{Account, AccountId};
use counterfoil::command::{Command, Receipt, Rejection};
use counterfoil::event::{Event, Hash, StreamId};
use counterfoil::id::PaymentId;
use counterfoil::ledger::{NewPayment, NewTopUp, Update};
use counterfoil::payment::{Evidence, OperationId, Payment};
use counterfoil::scope::{Caller, Scope};
use counterfoil::store::{Cursor, Durability, ExecuteError, Head, Health, Key, Lookup, PaymentStore, State};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::Open;
use crate::desk::{Desk, created, started};
use crate::fixtures::{caller, card, invoice, usd, wallet};
use crate::run::digest;

/// How long what should come soon may take.
pub(super) const SOON: Duration = Duration::from_secs(5);

/// A store, and a desk to make commands for it. What should go well panics when it does not.
pub(super) struct Trial {
    pub(super) store: Arc<dyn PaymentStore>,
    pub(super) desk: Desk,
    /// Whoever asks, where it does not matter who.
    pub(super) caller: Caller,
    open: Box<dyn Open>,
}

impl Trial {
    pub(super) async fn new(open: impl Open) -> Trial {
        let store = open.open().await;
        Trial { store, desk: Desk::new(2), caller: caller("acme"), open: Box::new(open) }
    }

    /// The books are good in the end, whatever the case did.
    pub(super) async fn end(&self) {
        if self.store.status().health != Health::Closed {
            self.digest().await;
            ok(self.store.close().await);
        }
    }

    /// Closes the store and opens it again. A store that is not durable has forgotten everything.
    pub(super) async fn reopen(&mut self) {
        ok(self.store.close().await);
        self.store = self.open.open().await;
    }

    pub(super) fn is_durable(&self) -> bool {
        self.store.status().durability != Durability::Memory
    }

    pub(super) async fn done(&self, command: &Command) -> Receipt {
        ok(self.store.execute(command.clone()).await)
    }

    pub(super) async fn refused(&self, command: &Command) -> Rejection {
        refusal(self.store.execute(command.clone()).await)
    }

    /// Executes all of them at once, each in a task of its own; the answers are in their order.
    pub(super) async fn together(&self, commands: Vec<Command>) -> Vec<Result<Receipt, ExecuteError>> {
        let tasks: Vec<_> = commands
            .into_iter()
            .map(|command| {
                let store = self.store.clone();
                tokio::spawn(async move { store.execute(command).await })
            })
            .collect();
        let mut answers = Vec::new();
        for task in tasks {
            answers.push(ok(task.await));
        }
        answers
    }

    /// Executes each list in a task of its own, one command of it after the other.
    pub(super) async fn together_in_order(
        &self,
        lists: Vec<Vec<Command>>,
    ) -> Vec<Result<Receipt, ExecuteError>> {
        let run = |commands: Vec<Command>| {
            let store = self.store.clone();
            tokio::spawn(async move {
                let mut answers = Vec::new();
                for command in commands {
                    answers.push(store.execute(command).await);
                }
                answers
            })
        };
        let tasks: Vec<_> = lists.into_iter().map(run).collect();
        let mut answers = Vec::new();
        for task in tasks {
            answers.extend(ok(task.await));
        }
        answers
    }

    /// A payment that is only recorded.
    pub(super) async fn recorded(&self, new: NewPayment) -> PaymentId {
        let create = self.desk.create(&self.caller, new.recorded_only());
        self.done(&create).await;
        created(&create)
    }

    /// A change of one of the caller's payments.
    pub(super) fn set(&self, payment: PaymentId, update: Update) -> Command {
        self.desk.update(&self.caller, payment, update)
    }

    /// A card payment with its first attempt under way.
    pub(super) async fn charging(&self) -> (PaymentId, OperationId) {
        self.charge(card_payment()).await
    }

    /// A payment with its first attempt under way.
    pub(super) async fn charge(&self, new: NewPayment) -> (PaymentId, OperationId) {
        let command = self.desk.create(&self.caller, new);
        self.done(&command).await;
        (created(&command), started(&command))
    }

    pub(super) async fn top_up(&self, name: &str, cents: i64) -> Receipt {
        let new = NewTopUp::new(wallet(name), usd(cents));
        self.done(&self.desk.top_up(&self.caller, new)).await
    }

    pub(super) async fn report(&self, payment: PaymentId, of: OperationId, evidence: Evidence) -> Receipt {
        self.done(&self.desk.report(&self.caller, payment, of, evidence)).await
    }

    pub(super) async fn read(&self, keys: &[Key]) -> State {
        ok(self.store.read(keys).await)
    }

    pub(super) async fn find(&self, scope: &Scope, id: PaymentId) -> Option<Arc<Payment>> {
        let state = self.read(&[Key::Payment(scope.clone(), id)]).await;
        present(state.payment(scope, id))
    }

    /// The caller's payment `id`.
    pub(super) async fn payment(&self, id: PaymentId) -> Arc<Payment> {
        self.find(&self.caller.scope, id).await.unwrap_or_else(|| panic!("{id} is missing"))
    }

    pub(super) async fn wallet(&self, scope: &Scope, name: &str) -> Option<Arc<Account>> {
        let id = AccountId::wallet(&wallet(name));
        let state = self.read(&[Key::Account(scope.clone(), id.clone())]).await;
        present(state.account(scope, &id))
    }

    /// How many cents the caller's wallet holds.
    pub(super) async fn balance(&self, name: &str) -> i64 {
        let account = self.wallet(&self.caller.scope, name).await;
        account.map_or(0, |account| account.balance(usd(0).currency()).minor())
    }

    pub(super) async fn history(&self, scope: &Scope, stream: &StreamId) -> Vec<Arc<Event>> {
        ok(self.store.history(scope, stream, 0, usize::MAX >> 1).await)
    }

    pub(super) async fn heads(&self) -> Vec<Head> {
        ok(self.store.heads(&Cursor::START, 10_000).await)
    }

    pub(super) async fn digest(&self) -> Hash {
        digest(&*self.store).await
    }
}

/// A card payment of ten dollars.
pub(super) fn card_payment() -> NewPayment {
    NewPayment::new(usd(1_000), invoice("inv_1"), card())
}

pub(super) fn ok<T, E: Debug>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| panic!("it failed: {error:?}"))
}

/// What a task comes back with, which it must do soon: `what` says who is waited for.
pub(super) async fn soon<T>(what: &str, task: JoinHandle<T>) -> T {
    let Ok(ended) = timeout(SOON, task).await else {
        panic!("{what} did not come back within {} seconds, where it must", SOON.as_secs())
    };
    ok(ended)
}

pub(super) fn refusal(answer: Result<Receipt, ExecuteError>) -> Rejection {
    match answer {
        Err(ExecuteError::Rejected(rejection)) => rejection,
        other => panic!("it was not refused: {other:?}"),
    }
}

/// What was done, and what was refused.
pub(super) fn split(answers: Vec<Result<Receipt, ExecuteError>>) -> (Vec<Receipt>, Vec<Rejection>) {
    let (done, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    (done.into_iter().map(ok).collect(), refused.into_iter().map(refusal).collect())
}

pub(super) fn place(receipt: &Receipt) -> (StreamId, u64) {
    (receipt.stream.clone(), receipt.sequence)
}

pub(super) fn present<T>(found: Lookup<'_, T>) -> Option<Arc<T>> {
    match found {
        Lookup::Present(value) => Some(value.clone()),
        Lookup::Absent => None,
        Lookup::NotLoaded => panic!("a key that was asked for is not in the answer"),
    }
}

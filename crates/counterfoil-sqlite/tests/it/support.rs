//! What the tests share.

use std::path::{Path, PathBuf};
use std::process::Command as Process;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use counterfoil::account::{Account, AccountId, Owed};
use counterfoil::clock::{Clock, SystemClock, Timestamp};
use counterfoil::command::{
    Archive, Command, Create, Policy, Process as NextAttempt, Receipt, Register, Report, Request, TopUp,
};
use counterfoil::destinations::Known;
use counterfoil::id::{AttemptId, IdSource, PaymentId, RandomIds, TopUpId};
use counterfoil::ledger::Ledger;
use counterfoil::money::{Currency, Money};
use counterfoil::payment::{CaptureMethod, Checkout, Destination, Evidence, Outcome, PaymentMethod};
use counterfoil::scope::{Caller, Scope};
use counterfoil::store::{ExecuteError, Key, Lookup, PaymentStore, StoreErrorKind};
use counterfoil::text::{
    Actor, DestinationId, EnvironmentId, GatewayName, IdempotencyKey, Metadata, TenantId, WalletId,
};
use counterfoil_sqlite::SqliteStore;
use rusqlite::Connection;
use tempfile::TempDir;
use uuid::Uuid;

/// A database file of its own, gone with the test.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Place {
        Place(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.0.path().join("books.db")
    }

    /// `books.db-wal` and the like.
    pub(crate) fn beside(&self, suffix: &str) -> PathBuf {
        self.0.path().join(format!("books.db-{suffix}"))
    }

    pub(crate) fn open(&self) -> Arc<SqliteStore> {
        Arc::new(SqliteStore::open(self.path()).unwrap())
    }

    pub(crate) fn folder(&self) -> &Path {
        self.0.path()
    }
}

/// Past the store: what a person with a SQLite shell can do.
pub(crate) fn raw(path: &Path) -> Connection {
    Connection::open(path).unwrap()
}

/// Changes what only somebody who takes the triggers away can change.
pub(crate) fn tamper(place: &Place, sql: &str) {
    let raw = raw(&place.path());
    let triggers = "SELECT sql FROM sqlite_schema WHERE type = 'trigger'";
    let triggers: Vec<String> = {
        let mut statement = raw.prepare(triggers).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(|sql| sql.unwrap()).collect()
    };
    raw.execute_batch("DROP TRIGGER counterfoil_journal_update; DROP TRIGGER counterfoil_journal_delete")
        .unwrap();
    raw.execute_batch(sql).unwrap();
    raw.execute_batch(&triggers.join(";")).unwrap();
}

pub(crate) fn scope(tenant: &str) -> Scope {
    Scope::new(TenantId::new(tenant).unwrap(), EnvironmentId::new("test").unwrap())
}

pub(crate) fn caller(tenant: &str) -> Caller {
    Caller::new(scope(tenant), Actor::new("tester").unwrap())
}

pub(crate) fn usd(minor: i64) -> Money {
    Money::from_minor(minor, Currency::USD).unwrap()
}

pub(crate) fn wallet(id: &str) -> WalletId {
    WalletId::new(id).unwrap()
}

pub(crate) fn invoice() -> Destination {
    Destination::invoice(DestinationId::new("INV-1").unwrap())
}

/// What is known of a destination.
pub(crate) async fn account(
    store: &dyn PaymentStore,
    tenant: &str,
    destination: &Destination,
) -> Option<Arc<Account>> {
    let (scope, id) = (scope(tenant), AccountId::destination(destination));
    let state = store.read(&[Key::Account(scope.clone(), id.clone())]).await.unwrap();
    match state.account(&scope, &id) {
        Lookup::Present(account) => Some(account.clone()),
        Lookup::Absent => None,
        Lookup::NotLoaded => panic!("{id} was asked for"),
    }
}

pub(crate) fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::new(text).unwrap()
}

/// Commands of one caller, with ids of their own.
pub(crate) struct Maker {
    caller: Caller,
    ids: RandomIds,
    policy: Arc<Policy>,
    gateways: Arc<[GatewayName]>,
}

impl Maker {
    pub(crate) fn new(tenant: &str) -> Maker {
        let gateways = [GatewayName::new("gate").unwrap()].into();
        Maker { caller: caller(tenant), ids: RandomIds::default(), policy: Arc::default(), gateways }
    }

    pub(crate) fn create(&self, method: PaymentMethod, minor: i64) -> Command {
        self.create_as(method, minor, true, None)
    }

    pub(crate) fn create_as(
        &self,
        method: PaymentMethod,
        minor: i64,
        process: bool,
        idempotency_key: Option<IdempotencyKey>,
    ) -> Command {
        self.create_for(invoice(), method, minor, process, idempotency_key)
    }

    pub(crate) fn create_for(
        &self,
        destination: Destination,
        method: PaymentMethod,
        minor: i64,
        process: bool,
        idempotency_key: Option<IdempotencyKey>,
    ) -> Command {
        self.command(Request::Create(Create {
            payment: PaymentId::new(self.id()),
            amount: usd(minor),
            destination,
            known: Known::Unasked,
            method,
            capture_method: CaptureMethod::Automatic,
            expires_at: None,
            checkout: Checkout::default(),
            metadata: Metadata::default(),
            idempotency_key,
            process: process.then(|| AttemptId::new(self.id())),
            queued: false,
        }))
    }

    pub(crate) fn process(&self, payment: PaymentId) -> Command {
        self.command(Request::Process(NextAttempt {
            payment,
            attempt: AttemptId::new(self.id()),
            number: None,
            instrument: None,
            known: Known::Unasked,
            idempotency_key: None,
            queued: false,
        }))
    }

    /// What the gateway says about the attempt that `start` starts.
    pub(crate) fn report(&self, start: &Command, outcome: Outcome) -> Command {
        self.report_of(start, outcome, None)
    }

    /// What it says, with the amount that it reports.
    pub(crate) fn report_of(&self, start: &Command, outcome: Outcome, amount: Option<Money>) -> Command {
        let (payment, attempt) = match &start.request {
            Request::Process(NextAttempt { payment, attempt, .. })
            | Request::Create(Create { payment, process: Some(attempt), .. }) => (*payment, *attempt),
            other => panic!("{other:?}"),
        };
        let evidence = Evidence::new(outcome, SystemClock.now()).with_amount(amount);
        self.command(Request::Report(Report { payment, operation: attempt.into(), evidence }))
    }

    pub(crate) fn register(&self, destination: Destination, minor: i64) -> Command {
        let owed = Owed { amount_due: usd(minor), number: None, payable: true };
        self.command(Request::Register(Register { destination, owed }))
    }

    pub(crate) fn top_up(&self, id: &str, minor: i64) -> Command {
        let (top_up, wallet) = (TopUpId::new(self.id()), wallet(id));
        self.command(Request::TopUp(TopUp { top_up, wallet, amount: usd(minor), idempotency_key: None }))
    }

    pub(crate) fn archive(&self, payment: PaymentId) -> Command {
        self.command(Request::Archive(Archive { payment }))
    }

    pub(crate) fn command(&self, request: Request) -> Command {
        let (caller, policy, gateways) = (self.caller.clone(), self.policy.clone(), self.gateways.clone());
        Command { caller, at: SystemClock.now(), policy, gateways, request }
    }

    fn id(&self) -> Uuid {
        self.ids.next(SystemClock.now())
    }
}

/// The payment that a command creates.
pub(crate) fn created(command: &Command) -> PaymentId {
    match &command.request {
        Request::Create(create) => create.payment,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn not_committed(answer: &Result<Receipt, ExecuteError>) -> Option<StoreErrorKind> {
    match answer {
        Err(ExecuteError::NotCommitted(error)) => Some(error.kind()),
        _ => None,
    }
}

pub(crate) fn unknown(answer: &Result<Receipt, ExecuteError>) -> Option<StoreErrorKind> {
    match answer {
        Err(ExecuteError::Unknown(error)) => Some(error.kind()),
        _ => None,
    }
}

/// Fails a test that would hang; nothing that is asserted depends on how long it is.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), future).await.expect("nobody told the sleeper")
}

/// A clock and a source of ids that say the same in every run.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    micros: AtomicI64,
    ids: AtomicU64,
}

impl Clock for Counted {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_micros(self.micros.fetch_add(1_000, Ordering::SeqCst)).unwrap()
    }
}

impl IdSource for Counted {
    fn next(&self, _: Timestamp) -> Uuid {
        Uuid::from_u128(self.ids.fetch_add(1, Ordering::SeqCst).into())
    }
}

/// A ledger over `store` that says the same in every run.
pub(crate) fn counted_ledger(store: Arc<dyn PaymentStore>) -> Ledger {
    let counted = Arc::new(Counted::default());
    Ledger::new(store).with_clock(counted.clone()).with_ids(counted)
}

/// This very test, to be run in a process of its own that finds `value` under `name`.
pub(crate) fn again_as_child(test: &str, name: &str, value: &Path) -> Process {
    let mut child = Process::new("sh");
    // A file size limit shall be an error to the child, not its end.
    child.args(["-c", "trap '' XFSZ; exec \"$@\"", "sh"]).arg(std::env::current_exe().unwrap());
    child.args([test, "--exact", "--nocapture", "--test-threads=1"]).env(name, value);
    child
}

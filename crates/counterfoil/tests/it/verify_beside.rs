//! What is proved of books that change between two things that are read of them. INVARIANTS 9, 39.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use counterfoil::account::{Account, Owed};
use counterfoil::clock::Timestamp;
use counterfoil::command::{Command, Receipt};
use counterfoil::event::{Event, StreamId};
use counterfoil::id::PaymentId;
use counterfoil::ledger::{Ledger, NewPayment, NewRefund, NewTopUp};
use counterfoil::payment::PaymentMethod;
use counterfoil::scope::Scope;
use counterfoil::store::{
    Cursor, Due, ExecuteError, Feed, Head, Key, Page, PaymentStore, Position, Query, Record, State,
    StoreError, StoreStatus,
};
use counterfoil::verify::{Problem, VerifyError, verify};
use counterfoil_memory::MemoryStore;
use counterfoil_testkit::fixtures::{caller, credits, invoice, usd, wallet};

/// What was read.
enum Call<'a> {
    Read(&'a [Key]),
    List,
    /// Of which stream, and how many events it told.
    History(&'a StreamId, usize),
    /// How many entries it told.
    Feed(usize),
}

type Writing = Pin<Box<dyn Future<Output = ()> + Send>>;
/// What is written once that has been read, if anything.
type Meanwhile = Box<dyn Fn(Call<'_>) -> Option<Writing> + Send + Sync>;

/// A store to which something is written whenever it has been read: after the answer was made, before it is given.
struct Busy {
    store: Arc<MemoryStore>,
    meanwhile: Meanwhile,
    row: fn(Record) -> Record,
}

impl Busy {
    fn new(store: &Arc<MemoryStore>, meanwhile: Meanwhile) -> Busy {
        Busy { store: store.clone(), meanwhile, row: |record| record }
    }

    async fn then(&self, call: Call<'_>) {
        if let Some(writing) = (self.meanwhile)(call) {
            writing.await;
        }
    }
}

impl fmt::Debug for Busy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Busy")
    }
}

#[async_trait]
impl PaymentStore for Busy {
    fn status(&self) -> StoreStatus {
        self.store.status()
    }

    async fn execute(&self, command: Command) -> Result<Receipt, ExecuteError> {
        self.store.execute(command).await
    }

    async fn read(&self, keys: &[Key]) -> Result<State, StoreError> {
        let truth = self.store.read(keys).await?;
        let mut state = State::new();
        for key in keys {
            match truth.get(key).cloned().map(self.row) {
                Some(record) => state.insert(record),
                None => state.insert_absent(key.clone()),
            }
        }
        self.then(Call::Read(keys)).await;
        Ok(state)
    }

    async fn list(&self, scope: &Scope, query: &Query) -> Result<Page, StoreError> {
        let page = self.store.list(scope, query).await?;
        self.then(Call::List).await;
        Ok(page)
    }

    async fn history(
        &self,
        scope: &Scope,
        stream: &StreamId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Arc<Event>>, StoreError> {
        let events = self.store.history(scope, stream, after, limit).await?;
        self.then(Call::History(stream, events.len())).await;
        Ok(events)
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>, StoreError> {
        self.store.due(now, limit).await
    }

    async fn feed(&self, scope: Option<&Scope>, after: Position, limit: usize) -> Result<Feed, StoreError> {
        let feed = self.store.feed(scope, after, limit).await?;
        self.then(Call::Feed(feed.entries.len())).await;
        Ok(feed)
    }

    async fn news(&self, after: Position) -> Result<(), StoreError> {
        self.store.news(after).await
    }

    async fn heads(&self, after: &Cursor, limit: usize) -> Result<Vec<Head>, StoreError> {
        self.store.heads(after, limit).await
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.store.close().await
    }
}

/// Cash for an invoice.
async fn pay(store: Arc<MemoryStore>) -> PaymentId {
    let cash = NewPayment::new(usd(100), invoice("inv"), PaymentMethod::Offline);
    let receipt = Ledger::new(store).create(&caller("acme"), cash).await.unwrap();
    receipt.payment().unwrap().id()
}

fn paying(store: &Arc<MemoryStore>) -> Writing {
    let store = store.clone();
    Box::pin(async move {
        pay(store).await;
    })
}

/// Books with one paid invoice.
async fn paid() -> (Arc<MemoryStore>, PaymentId) {
    let store = Arc::new(MemoryStore::new());
    let payment = pay(store.clone()).await;
    (store, payment)
}

/// A refund behind the payment's row, and behind the end of its history, wherever one reads that far.
#[tokio::test]
async fn a_wallet_that_moves_between_two_histories_is_no_fault() {
    let store = Arc::new(MemoryStore::new());
    let ledger = Ledger::new(store.clone());
    ledger.top_up(&caller("acme"), NewTopUp::new(wallet("w"), usd(1_000))).await.unwrap();
    let new = NewPayment::new(usd(1_000), invoice("inv"), credits("w"));
    let payment = ledger.create(&caller("acme"), new).await.unwrap().payment().unwrap().id();
    let refunds = Arc::new(AtomicUsize::new(0));
    let counted = refunds.clone();
    let to = store.clone();
    let meanwhile = move |call: Call<'_>| {
        let touched = match call {
            Call::Read(keys) => keys.iter().any(|key| matches!(key, Key::Payment(..))),
            Call::History(stream, told) => told == 0 && *stream == StreamId::Payment(payment),
            Call::List | Call::Feed(_) => false,
        };
        let ledger = Ledger::new(to.clone());
        counted.fetch_add(touched.into(), Ordering::Relaxed);
        touched.then(|| -> Writing {
            Box::pin(async move {
                ledger.refund(&caller("acme"), payment, NewRefund::of(usd(1))).await.unwrap();
            })
        })
    };
    verify(&Busy::new(&store, Box::new(meanwhile))).await.unwrap();
    assert!(refunds.load(Ordering::Relaxed) > 1, "also while it was looked at again");
    verify(&*store).await.unwrap();
}

/// A new one behind every list, and behind every single row.
#[tokio::test]
async fn payments_that_come_while_a_destination_is_listed_are_no_fault() {
    let (store, _) = paid().await;
    let to = store.clone();
    let meanwhile = move |call: Call<'_>| match call {
        Call::Read(keys) if keys.len() == 1 => Some(paying(&to)),
        Call::List => Some(paying(&to)),
        _ => None,
    };
    let verified = verify(&Busy::new(&store, Box::new(meanwhile))).await.unwrap();
    assert_eq!(verified.unchecked, 0, "one reading is enough");
    assert!(verify(&*store).await.unwrap().payments > 1, "also while it was looked at again");
}

/// Where the feed ended, before the moment that is read: seven times, and every time.
#[tokio::test]
async fn a_destination_that_never_stands_still_is_not_checked_and_no_fault() {
    for (times, unchecked) in [(7, 0), (usize::MAX, 1)] {
        let (store, _) = paid().await;
        let to = store.clone();
        let ends = AtomicUsize::new(0);
        let meanwhile = move |call: Call<'_>| match call {
            Call::Feed(0) if ends.fetch_add(1, Ordering::Relaxed) < times => Some(paying(&to)),
            _ => None,
        };
        let verified = verify(&Busy::new(&store, Box::new(meanwhile))).await.unwrap();
        assert_eq!(verified.unchecked, unchecked);
        assert!(verify(&*store).await.unwrap().payments > 7);
    }
}

/// Totals that no payment made, of a destination that is registered anew seven times before it stands still.
#[tokio::test]
async fn wrong_totals_are_found_once_a_moment_is_whole() {
    let store = Arc::new(MemoryStore::new());
    let register = |store: Arc<MemoryStore>, minor| async move {
        let owed = Owed { amount_due: usd(minor), number: None, payable: true };
        Ledger::new(store).register(&caller("acme"), invoice("inv"), owed).await.unwrap();
    };
    register(store.clone(), 1).await;
    let to = store.clone();
    let ends = Arc::new(AtomicUsize::new(0));
    let counted = ends.clone();
    let meanwhile = move |call: Call<'_>| -> Option<Writing> {
        let Call::Feed(0) = call else { return None };
        let end = counted.fetch_add(1, Ordering::Relaxed);
        (end < 7).then(|| -> Writing { Box::pin(register(to.clone(), 2 + i64::try_from(end).unwrap())) })
    };
    let row: fn(Record) -> Record = |record| {
        let Record::Account(account) = &record else { return record };
        // The field behind the last one: totals, of one currency, in five numbers.
        let mut row = account.encode_row();
        row.extend([9, 83]);
        row.extend(b"USD");
        row.extend([[0; 15].as_slice(), &[1], &[0; 64]].concat());
        let (scope, id) = (account.scope().clone(), account.id().clone());
        Record::Account(Arc::new(Account::decode_row(scope, id, &row).unwrap()))
    };
    let found = verify(&Busy { row, ..Busy::new(&store, Box::new(meanwhile)) }).await;
    let Err(VerifyError::Fault(fault)) = found else { panic!("{found:?}") };
    assert!(matches!(fault.problem, Problem::Totals), "{:?}", fault.problem);
    assert_eq!(ends.load(Ordering::Relaxed), 8, "the first moment at which it stands still");
}

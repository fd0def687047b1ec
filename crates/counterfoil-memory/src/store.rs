use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::future::poll_fn;
use std::mem;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::slice;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use counterfoil::clock::Timestamp;
use counterfoil::command::{Command, Receipt};
use counterfoil::event::{Event, StreamId};
use counterfoil::id::PaymentId;
use counterfoil::payment::Payment;
use counterfoil::scope::Scope;
use counterfoil::store::{
    Cursor, Due, Durability, Entry, Era, ExecuteError, Feed, Group, Head, Health, Key, LedgerId, Page,
    PaymentStore, Plan, Position, Query, Record, State, Step, StoreError, StoreErrorKind, StoreStatus,
};
use uuid::Uuid;

/// How many events one look into the feed goes through.
const STRETCH: usize = 10_000;
const READING_FEED: &str = "reading the feed";
const WAITING: &str = "waiting for news";

/// A [`PaymentStore`] in memory.
#[derive(Debug)]
pub struct MemoryStore {
    /// The first era. A store in memory is never restored, so the era does not change.
    era: Era,
    books: Mutex<Books>,
}

#[derive(Debug, Default)]
struct Books {
    records: HashMap<Key, Record>,
    streams: BTreeMap<(Scope, StreamId), Vec<Arc<Event>>>,
    /// Every event, in the order of the commits: the position of one is how many stand up to it.
    journal: Vec<Arc<Event>>,
    /// The payments about which something is to be done, the earliest first.
    due: BTreeSet<Due>,
    /// Who waits for news.
    waiting: Vec<Waker>,
    closed: bool,
}

impl MemoryStore {
    /// An empty store with a new ledger id.
    #[must_use]
    pub fn new() -> MemoryStore {
        MemoryStore::with_ledger_id(LedgerId::random())
    }

    /// An empty store with this ledger id, for tests that need the same positions in every run.
    #[must_use]
    pub fn with_ledger_id(id: LedgerId) -> MemoryStore {
        MemoryStore { era: Era::first(id), books: Mutex::default() }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        // A panic while the lock was held cannot have left half a change: `write` is infallible.
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self, during: &'static str) -> Result<MutexGuard<'_, Books>, StoreError> {
        let books = self.books();
        if books.closed { Err(StoreError::new(StoreErrorKind::Closed, during)) } else { Ok(books) }
    }
}

impl Default for MemoryStore {
    fn default() -> MemoryStore {
        MemoryStore::new()
    }
}

impl Books {
    fn decide(&self, command: &Command) -> Plan {
        let mut group = Group::new(slice::from_ref(command));
        loop {
            match group.step() {
                Step::Load(keys) => group.load(keys, |key| self.records.get(key).cloned()),
                Step::Decided(plan) => return plan,
            }
        }
    }

    fn write(&mut self, plan: &Plan) {
        for event in &plan.events {
            let stream = (event.scope().clone(), event.stream().clone());
            self.streams.entry(stream).or_default().push(event.clone());
            self.journal.push(event.clone());
        }
        let claims = plan.claims.iter().cloned().map(Record::Claim);
        for record in claims.chain(plan.rows.iter().map(|row| row.after.clone())) {
            let due = due_of(&record);
            let before = self.records.insert(record.key(), record);
            if let Some(before) = before.as_ref().and_then(due_of) {
                self.due.remove(&before);
            }
            self.due.extend(due);
        }
    }

    /// The payments of `scope`, in the order of their ids.
    fn payments(&self, scope: &Scope) -> impl Iterator<Item = Arc<Payment>> {
        let first = StreamId::Payment(PaymentId::new(Uuid::nil()));
        let streams = self.streams.range((scope.clone(), first)..).map(|(key, _)| key);
        let payments = streams.map_while(move |(of, stream)| match stream {
            StreamId::Payment(id) if of == scope => Some(Key::Payment(scope.clone(), *id)),
            _ => None,
        });
        payments.filter_map(|key| match self.records.get(&key) {
            Some(Record::Payment(payment)) => Some(payment.clone()),
            _ => None,
        })
    }

    /// The position after the last event.
    fn end(&self, era: Era) -> Position {
        era.position(self.journal.len() as u64)
    }

    fn feed(
        &self,
        era: Era,
        scope: Option<&Scope>,
        after: Position,
        limit: usize,
    ) -> Result<Feed, StoreError> {
        let number = after.within(self.end(era), READING_FEED)?;
        let behind = self.journal.iter().skip(usize::try_from(number).unwrap_or(usize::MAX));
        let mut feed = Feed { entries: Vec::new(), next: after };
        for (event, number) in behind.zip(number + 1..).take(STRETCH) {
            if feed.entries.len() == limit {
                break;
            }
            feed.next = era.position(number);
            if scope.is_none_or(|scope| event.scope() == scope) {
                feed.entries.push(Entry { position: feed.next, event: event.clone() });
            }
        }
        Ok(feed)
    }

    /// Ready when there is something behind `after`; until then `context` is woken by the next commit.
    fn news(&mut self, era: Era, after: Position, context: &Context<'_>) -> Poll<Result<(), StoreError>> {
        if self.closed {
            return Poll::Ready(Err(StoreError::new(StoreErrorKind::Closed, WAITING)));
        }
        let end = self.end(era);
        after.within(end, WAITING)?;
        if after < end {
            return Poll::Ready(Ok(()));
        }
        if !self.waiting.iter().any(|waker| waker.will_wake(context.waker())) {
            self.waiting.push(context.waker().clone());
        }
        Poll::Pending
    }
}

fn due_of(record: &Record) -> Option<Due> {
    let Record::Payment(payment) = record else { return None };
    let (at, _) = payment.next_due()?;
    Some(Due { at, scope: payment.scope().clone(), payment: payment.id() })
}

/// Wakes them without the lock: whoever is woken may look at once. That a waker panics is its host's doing: whoever
/// wrote has their answer, and the others are woken.
fn wake(waiting: Vec<Waker>) {
    for waker in waiting {
        let _ = catch_unwind(AssertUnwindSafe(|| waker.wake()));
    }
}

#[async_trait]
impl PaymentStore for MemoryStore {
    fn status(&self) -> StoreStatus {
        let health = if self.books().closed { Health::Closed } else { Health::Ok };
        StoreStatus::new(Durability::Memory).with_health(health)
    }

    async fn execute(&self, command: Command) -> Result<Receipt, ExecuteError> {
        let (plan, waiting) = {
            let mut books = self.open("executing a command").map_err(ExecuteError::NotCommitted)?;
            let plan = books.decide(&command);
            books.write(&plan);
            let waiting = if plan.is_empty() { Vec::new() } else { mem::take(&mut books.waiting) };
            (plan, waiting)
        };
        wake(waiting);
        let missing = || StoreError::new(StoreErrorKind::Other, "answering a command");
        plan.committed().next().unwrap_or_else(|| Err(ExecuteError::Unknown(missing())))
    }

    async fn read(&self, keys: &[Key]) -> Result<State, StoreError> {
        let books = self.open("reading")?;
        let mut state = State::new();
        for key in keys {
            match books.records.get(key) {
                Some(record) => state.insert(record.clone()),
                None => state.insert_absent(key.clone()),
            }
        }
        Ok(state)
    }

    async fn list(&self, scope: &Scope, query: &Query) -> Result<Page, StoreError> {
        // The payments are shared, so what follows the lock is the only long part.
        let payments: Vec<_> = self.open("listing")?.payments(scope).collect();
        Ok(query.page_of(payments))
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>, StoreError> {
        let books = self.open("reading what is due")?;
        Ok(books.due.iter().take_while(|due| due.at <= now).take(limit).cloned().collect())
    }

    async fn history(
        &self,
        scope: &Scope,
        stream: &StreamId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Arc<Event>>, StoreError> {
        let books = self.open("reading a history")?;
        let events = books.streams.get(&(scope.clone(), stream.clone()));
        let behind = events.into_iter().flatten().filter(|event| event.sequence() > after);
        Ok(behind.take(limit).cloned().collect())
    }

    async fn feed(&self, scope: Option<&Scope>, after: Position, limit: usize) -> Result<Feed, StoreError> {
        self.open(READING_FEED)?.feed(self.era, scope, after, limit)
    }

    async fn news(&self, after: Position) -> Result<(), StoreError> {
        poll_fn(|context| self.books().news(self.era, after, context)).await
    }

    async fn heads(&self, after: &Cursor, limit: usize) -> Result<Vec<Head>, StoreError> {
        let books = self.open("reading the heads")?;
        let from = after.get().map_or(Bound::Unbounded, |at| Bound::Excluded(at.clone()));
        let ends = books.streams.range((from, Bound::Unbounded)).filter_map(|((scope, stream), events)| {
            let last = events.last()?;
            Some(Head {
                scope: scope.clone(),
                stream: stream.clone(),
                version: last.sequence(),
                hash: last.hash(),
            })
        });
        Ok(ends.take(limit).collect())
    }

    async fn close(&self) -> Result<(), StoreError> {
        let waiting = {
            let mut books = self.books();
            books.closed = true;
            mem::take(&mut books.waiting)
        };
        wake(waiting);
        Ok(())
    }
}

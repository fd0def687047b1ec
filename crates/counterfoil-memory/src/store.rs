use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::slice;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use counterfoil::command::{Command, Receipt};
use counterfoil::event::{Event, StreamId};
use counterfoil::scope::Scope;
use counterfoil::store::{
    Cursor, Durability, ExecuteError, Group, Head, Health, Key, PaymentStore, Plan, Record, State, Step,
    StoreError, StoreErrorKind, StoreStatus,
};

/// A [`PaymentStore`] in memory.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<Books>);

#[derive(Debug, Default)]
struct Books {
    records: HashMap<Key, Record>,
    streams: BTreeMap<(Scope, StreamId), Vec<Arc<Event>>>,
    closed: bool,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> MemoryStore {
        MemoryStore::default()
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        // A panic while the lock was held cannot have left half a change: `write` is infallible.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self, during: &'static str) -> Result<MutexGuard<'_, Books>, StoreError> {
        let books = self.books();
        if books.closed { Err(StoreError::new(StoreErrorKind::Closed, during)) } else { Ok(books) }
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
        }
        let claims = plan.claims.iter().cloned().map(Record::Claim);
        for record in claims.chain(plan.rows.iter().map(|row| row.after.clone())) {
            self.records.insert(record.key(), record);
        }
    }
}

#[async_trait]
impl PaymentStore for MemoryStore {
    fn status(&self) -> StoreStatus {
        let health = if self.books().closed { Health::Closed } else { Health::Ok };
        StoreStatus::new(Durability::Memory).with_health(health)
    }

    async fn execute(&self, command: Command) -> Result<Receipt, ExecuteError> {
        let mut books = self.open("executing a command").map_err(ExecuteError::NotCommitted)?;
        let plan = books.decide(&command);
        books.write(&plan);
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
        self.books().closed = true;
        Ok(())
    }
}

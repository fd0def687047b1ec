//! A store with defects to switch on: a suite proves nothing until it fails what is broken.
//!
//! ```
//! use std::panic::catch_unwind;
//!
//! use counterfoil_testkit::conformance::Case;
//! use counterfoil_testkit::planted::{Bug, PlantedStore};
//!
//! let case = Case::named("claims::another_request_under_a_key_names_what_differs");
//! case.run(|| async { PlantedStore::new(Bug::None) });
//! let found = catch_unwind(|| case.run(|| async { PlantedStore::new(Bug::RequestNotCompared) }));
//! assert!(found.is_err());
//! ```

mod bug;
mod names;
mod reads;
mod writes;

use std::collections::{BTreeMap, HashMap};
use std::future::{Future, poll_fn};
use std::ops::Bound;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use async_trait::async_trait;
use counterfoil::claim::Claim;
use counterfoil::clock::Timestamp;
use counterfoil::command::{Command, Receipt, Request};
use counterfoil::event::{Event, StreamId};
use counterfoil::id::PaymentId;
use counterfoil::payment::Payment;
use counterfoil::scope::Scope;
use counterfoil::store::{
    Cursor, Due, Durability, Era, ExecuteError, Feed, Group, Head, Health, Key, LedgerId, Page, PaymentStore,
    Plan, Position, Query, Record, State, Step, StoreError, StoreErrorKind, StoreStatus,
};
use tokio::sync::Notify;
use tokio::task::yield_now;

use crate::sheltered::sheltered;

pub use bug::Bug;

/// A store in memory that guards by versions instead of a lock: it loads, decides, and writes if all that was
/// read is still so; else it starts again. Everybody else gets a turn between reading and writing, so what
/// can go wrong does.
#[derive(Debug)]
pub struct PlantedStore {
    bug: Bug,
    era: Era,
    books: Mutex<Books>,
    news: Notify,
    hoard: Mutex<Vec<Waker>>,
}

#[derive(Debug, Default)]
struct Books {
    records: HashMap<Key, Record>,
    streams: BTreeMap<(Scope, StreamId), BTreeMap<u64, Arc<Event>>>,
    journal: Vec<Arc<Event>>,
    /// What was first due about each payment.
    first_due: BTreeMap<(Scope, PaymentId), Due>,
    /// What was answered first about each stream.
    first_answers: HashMap<(Scope, StreamId), Receipt>,
    /// Somebody's transaction is under way; only where one can be left open.
    busy: bool,
    closed: bool,
}

/// The version of each record that was read; 0 if there was none.
type Guards = Vec<(Key, u64)>;

impl PlantedStore {
    /// An empty store with this defect.
    #[must_use]
    pub fn new(bug: Bug) -> PlantedStore {
        let ledger = if bug == Bug::LedgerIdShared { LedgerId::new(1) } else { LedgerId::random() };
        PlantedStore {
            bug,
            era: Era::first(ledger),
            books: Mutex::default(),
            news: Notify::default(),
            hoard: Mutex::default(),
        }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self, during: &'static str) -> Result<MutexGuard<'_, Books>, StoreError> {
        let books = self.books();
        if books.closed { Err(StoreError::new(StoreErrorKind::Closed, during)) } else { Ok(books) }
    }

    async fn decide(&self, command: &Command) -> Result<(Plan, Guards), StoreError> {
        let commands = writes::with_release(command, &*self.open("loading")?, self.bug);
        let mut group = Group::new(&commands);
        let mut guards = Guards::new();
        loop {
            match group.step() {
                Step::Load(keys) => {
                    let books = self.open("loading")?;
                    let kept = keys.iter().map(|key| names::kept_as(key, self.bug));
                    let seen = kept.map(|key| (key.clone(), books.version(&key)));
                    guards.extend(seen.collect::<Guards>());
                    group.load(keys, |key| books.find(key, self.bug));
                }
                Step::Decided(plan) => return Ok((plan, guards)),
            }
            yield_now().await;
        }
    }

    /// Decides and writes, as often as it takes.
    async fn commit(&self, command: &mut Command) -> Result<Receipt, ExecuteError> {
        loop {
            let (mut plan, guards) = self.decide(command).await.map_err(ExecuteError::NotCommitted)?;
            yield_now().await;
            let mut books = self.open("writing").map_err(ExecuteError::NotCommitted)?;
            let sends = matches!(command.request, Request::SendQueued(_));
            if !(self.holds(&books, &guards) || sends && self.bug == Bug::QueuedSentTwice) {
                continue;
            }
            writes::spoil(&mut plan, command, self.bug);
            books.write(&plan, self.bug);
            if self.bug != Bug::NewsNeverWakes {
                self.news.notify_waiters();
            }
            let missing = || StoreError::new(StoreErrorKind::Other, "answering");
            let answer = plan.committed().last().unwrap_or_else(|| Err(ExecuteError::Unknown(missing())));
            if self.bug == Bug::SumsWrap && writes::wrap(command, &answer) {
                continue;
            }
            return books.answer(command, answer, self.bug);
        }
    }

    /// Whether what was read may be relied on.
    fn holds(&self, books: &Books, guards: &Guards) -> bool {
        guards.iter().all(|(key, version)| match (key, self.bug) {
            (Key::Claim(_), Bug::ClaimOutsideTransaction)
            | (Key::Payment(..) | Key::Account(..), Bug::LostUpdate)
            | (Key::Account(..), Bug::LimitOutsideTransaction) => true,
            (Key::Account(_, account), Bug::DestinationGuardMissing) if account.is_destination() => true,
            _ => books.version(key) == *version,
        })
    }
}

impl Books {
    fn version(&self, key: &Key) -> u64 {
        self.records.get(key).map_or(0, Record::revision)
    }

    fn find(&self, key: &Key, bug: Bug) -> Option<Record> {
        match key {
            Key::Claim(asked) if bug == Bug::KeyNotScoped => {
                let same = self.records.values().find_map(|record| match record {
                    Record::Claim(claim)
                        if (claim.key.kind, &claim.key.name) == (asked.kind, &asked.name) =>
                    {
                        Some(claim)
                    }
                    _ => None,
                });
                same.map(|claim| Record::Claim(Arc::new(Claim { key: asked.clone(), ..(**claim).clone() })))
            }
            _ => self.records.get(&names::kept_as(key, bug)).map(|record| names::found_as(key, record)),
        }
    }

    /// The position after the last event.
    fn end(&self, era: Era) -> Position {
        era.position(self.journal.len() as u64)
    }

    /// The payment, if it is there.
    fn payment(&self, scope: &Scope, id: PaymentId) -> Option<&Arc<Payment>> {
        match self.records.get(&Key::Payment(scope.clone(), id)) {
            Some(Record::Payment(payment)) => Some(payment),
            _ => None,
        }
    }

    fn note_first_due(&mut self, payment: &Payment) {
        let place = (payment.scope().clone(), payment.id());
        if let Some(due) = reads::due_of(payment) {
            self.first_due.entry(place).or_insert(due);
        }
    }

    fn write(&mut self, plan: &Plan, bug: Bug) {
        for event in &plan.events {
            let stream = (event.scope().clone(), event.stream().clone());
            self.streams.entry(stream).or_default().insert(event.sequence(), event.clone());
            self.journal.push(event.clone());
        }
        if bug == Bug::FeedOutOfOrder && self.journal.len() >= 3 {
            // As if the commit before had taken longer than this one.
            let end = self.journal.len();
            self.journal.swap(end - 1, end - 2);
        }
        let claims = plan.claims.iter().cloned().map(Record::Claim);
        for record in claims.chain(plan.rows.iter().map(|row| row.after.clone())) {
            match &record {
                Record::Account(account)
                    if bug == Bug::DestinationNotWritten && account.id().is_destination() =>
                {
                    continue;
                }
                Record::Payment(payment) => self.note_first_due(payment),
                _ => {}
            }
            self.records.insert(names::kept_as(&record.key(), bug), record);
        }
    }
}

#[async_trait]
impl PaymentStore for PlantedStore {
    fn status(&self) -> StoreStatus {
        let health = if self.books().closed { Health::Closed } else { Health::Ok };
        StoreStatus::new(Durability::Memory).with_health(health)
    }

    async fn execute(&self, mut command: Command) -> Result<Receipt, ExecuteError> {
        writes::mishear(&mut command, self.bug);
        self.begin().await?;
        let answer = self.commit(&mut command).await;
        self.books().busy = false;
        answer
    }

    async fn read(&self, keys: &[Key]) -> Result<State, StoreError> {
        let books = self.open("reading")?;
        let mut state = State::new();
        for key in keys {
            match books.find(key, self.bug).or_else(|| reads::leaked(&books, self.bug, key)) {
                Some(record) => state.insert(record),
                None => state.insert_absent(key.clone()),
            }
        }
        Ok(state)
    }

    async fn list(&self, scope: &Scope, query: &Query) -> Result<Page, StoreError> {
        let mut page = reads::list(&*self.open("listing")?, self.bug, scope, query);
        if self.bug == Bug::TotalCountedLater {
            yield_now().await;
            page.total = reads::list(&*self.open("counting")?, self.bug, scope, query).total;
        }
        Ok(page)
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>, StoreError> {
        Ok(reads::due(&*self.open("reading what is due")?, self.bug, now, limit))
    }

    async fn history(
        &self,
        scope: &Scope,
        stream: &StreamId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Arc<Event>>, StoreError> {
        let books = self.open("reading a history")?;
        let is_meant = |place: &(Scope, StreamId)| {
            let tenant = self.bug == Bug::TenantFilterMissing || place.0.tenant() == scope.tenant();
            tenant && place.0.environment() == scope.environment() && place.1 == *stream
        };
        let found = books.streams.iter().find(|(place, _)| is_meant(place));
        let behind = found.into_iter().flat_map(|(_, events)| events.range(after.saturating_add(1)..));
        let shown = behind.filter(|(sequence, _)| reads::is_shown(**sequence, self.bug));
        Ok(shown.take(limit).map(|(_, event)| event.clone()).collect())
    }

    async fn feed(&self, scope: Option<&Scope>, after: Position, limit: usize) -> Result<Feed, StoreError> {
        reads::feed(&*self.open("reading the feed")?, self.bug, self.era, scope, after, limit)
    }

    async fn news(&self, after: Position) -> Result<(), StoreError> {
        loop {
            let mut told = pin!(self.news.notified());
            told.as_mut().enable();
            let end = self.open("waiting for news")?.end(self.era);
            let number = reads::number_of(after, end, self.bug, "waiting for news")?;
            if end > self.era.position(number) && self.bug != Bug::NewsForgets {
                return Ok(());
            }
            if self.bug == Bug::NewsTripsOverWaker {
                told.await;
            } else if self.bug == Bug::NewsHoardsWakers {
                hoarding(&self.hoard, told).await;
            } else {
                sheltered(told).await;
            }
            if self.bug == Bug::NewsForgets {
                return Ok(());
            }
        }
    }

    async fn heads(&self, after: &Cursor, limit: usize) -> Result<Vec<Head>, StoreError> {
        let books = self.open("reading the heads")?;
        let from = after.get().map_or(Bound::Unbounded, |at| Bound::Excluded(at.clone()));
        let ends = books.streams.range((from, Bound::Unbounded)).filter_map(|((scope, stream), events)| {
            let (version, last) = events.last_key_value()?;
            Some(Head { scope: scope.clone(), stream: stream.clone(), version: *version, hash: last.hash() })
        });
        Ok(ends.take(limit).collect())
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.books().closed = true;
        if self.bug != Bug::NewsSurvivesClosing {
            self.news.notify_waiters();
        }
        Ok(())
    }
}

/// Waits for `told`, and keeps the waker of whoever looks, each time.
async fn hoarding(hoard: &Mutex<Vec<Waker>>, told: impl Future<Output = ()>) {
    let mut told = pin!(sheltered(told));
    poll_fn(|context| {
        hoard.lock().unwrap_or_else(PoisonError::into_inner).push(context.waker().clone());
        told.as_mut().poll(context)
    })
    .await;
}

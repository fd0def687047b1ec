//! A store that says something else than what it was given.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use counterfoil::Damage;
use counterfoil::clock::Timestamp;
use counterfoil::command::{Command, Receipt};
use counterfoil::event::{Event, Hash, StreamId, evolve_account, evolve_payment};
use counterfoil::scope::Scope;
use counterfoil::store::{
    Cursor, Due, Entry, Era, ExecuteError, Feed, Head, Key, LedgerId, Page, PaymentStore, Position, Query,
    Record, State, StoreError, StoreStatus,
};
use counterfoil_memory::MemoryStore;

/// The era whose positions its feed gives.
pub(crate) const ERA: Era = Era::first(LedgerId::new(1));

/// Other bytes in the place of an event's, if it is one that is changed; with those before it in its stream.
pub(crate) type Forge = fn(&Event, &[Arc<Event>]) -> Option<Vec<u8>>;

/// What a store answers instead.
#[derive(Default)]
pub(crate) struct Lies {
    /// Whoever forges an event links the rest of its stream anew, and makes its row of it, wherever that is read.
    pub(crate) forge: Option<Forge>,
    /// The events that the feed tells, in its order.
    pub(crate) journal: Option<fn(&mut Vec<Arc<Event>>)>,
    pub(crate) feed: Option<fn(&mut Feed)>,
    pub(crate) history: Option<fn(&mut Vec<Arc<Event>>)>,
    pub(crate) heads: Option<fn(&mut Vec<Head>)>,
    pub(crate) row: Option<fn(Record) -> Option<Record>>,
    /// What cannot be read: an event in its history, what stands under a key.
    pub(crate) lost_event: Option<fn(&Event) -> bool>,
    pub(crate) lost_row: Option<fn(&Key) -> bool>,
}

pub(crate) struct Liar {
    pub(crate) store: MemoryStore,
    pub(crate) lies: Lies,
}

impl Liar {
    /// All events, forged ones among them.
    async fn events(&self) -> Result<Vec<Arc<Event>>, StoreError> {
        let all = self.store.feed(None, Position::START, usize::MAX).await?.entries;
        let mut streams: BTreeMap<(Scope, StreamId), Vec<Arc<Event>>> = BTreeMap::new();
        let forged = all.into_iter().map(|entry| {
            let key = (entry.event.scope().clone(), entry.event.stream().clone());
            let before = streams.entry(key).or_default();
            let bytes = self.lies.forge.and_then(|forge| forge(&entry.event, before));
            let last = before.last().map_or(Hash::ZERO, |event| event.hash());
            let event = Arc::new(linked(bytes.as_deref().unwrap_or(entry.event.bytes()), last));
            before.push(event.clone());
            event
        });
        Ok(forged.collect())
    }

    async fn stream(&self, scope: &Scope, stream: &StreamId) -> Result<Vec<Arc<Event>>, StoreError> {
        let mut events = self.events().await?;
        events.retain(|event| event.scope() == scope && event.stream() == stream);
        Ok(events)
    }

    /// What the forged events of its stream make, for as long as they make anything.
    async fn forged(&self, record: Record) -> Result<Record, StoreError> {
        Ok(match record {
            Record::Payment(payment) => {
                let stream = StreamId::Payment(payment.id());
                let events = self.stream(payment.scope(), &stream).await?;
                let made =
                    events.iter().try_fold(None, |at, event| evolve_payment(at.as_ref(), event).map(Some));
                Record::Payment(made.ok().flatten().map_or(payment, Arc::new))
            }
            Record::Account(account) if account.id().is_bounded() => {
                let stream = StreamId::Account(account.id().clone());
                let events = self.stream(account.scope(), &stream).await?;
                let made =
                    events.iter().try_fold(None, |at, event| evolve_account(at.as_ref(), event).map(Some));
                Record::Account(made.ok().flatten().map_or(account, Arc::new))
            }
            other => other,
        })
    }
}

/// The event of these bytes, behind one with this hash.
pub(crate) fn linked(bytes: &[u8], before: Hash) -> Event {
    Event::decode(bytes, before.link(bytes)).unwrap()
}

/// What a store says of bytes that look as if a later version had written them.
fn lost() -> StoreError {
    StoreError::damaged("telling a lie", Damage::Newer { what: "row layout", number: 7 })
}

impl fmt::Debug for Liar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Liar")
    }
}

#[async_trait]
impl PaymentStore for Liar {
    fn status(&self) -> StoreStatus {
        self.store.status()
    }

    async fn execute(&self, command: Command) -> Result<Receipt, ExecuteError> {
        self.store.execute(command).await
    }

    async fn read(&self, keys: &[Key]) -> Result<State, StoreError> {
        if self.lies.lost_row.is_some_and(|is_lost| keys.iter().any(is_lost)) {
            return Err(lost());
        }
        let truth = self.store.read(keys).await?;
        let mut state = State::new();
        for key in keys {
            let Some(record) = truth.get(key).cloned() else {
                state.insert_absent(key.clone());
                continue;
            };
            let record = self.forged(record).await?;
            match self.lies.row.map_or(Some(record.clone()), |lie| lie(record)) {
                Some(record) => state.insert(record),
                None => state.insert_absent(key.clone()),
            }
        }
        Ok(state)
    }

    async fn list(&self, scope: &Scope, query: &Query) -> Result<Page, StoreError> {
        self.store.list(scope, query).await
    }

    async fn history(
        &self,
        scope: &Scope,
        stream: &StreamId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Arc<Event>>, StoreError> {
        let all = self.stream(scope, stream).await?;
        let mut events: Vec<_> = all.into_iter().skip(after.try_into().unwrap()).take(limit).collect();
        if self.lies.lost_event.is_some_and(|is_lost| events.iter().any(|event| is_lost(event))) {
            return Err(lost());
        }
        self.lies.history.inspect(|lie| lie(&mut events));
        Ok(events)
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>, StoreError> {
        self.store.due(now, limit).await
    }

    async fn feed(&self, _: Option<&Scope>, after: Position, limit: usize) -> Result<Feed, StoreError> {
        let mut events = self.events().await?;
        self.lies.journal.inspect(|lie| lie(&mut events));
        let numbered = (1..).map(|number| ERA.position(number)).zip(events);
        let behind = numbered.filter(|(position, _)| *position > after).take(limit);
        let entries: Vec<_> = behind.map(|(position, event)| Entry { position, event }).collect();
        let mut feed = Feed { next: entries.last().map_or(after, |last| last.position), entries };
        self.lies.feed.inspect(|lie| lie(&mut feed));
        Ok(feed)
    }

    async fn news(&self, after: Position) -> Result<(), StoreError> {
        self.store.news(after).await
    }

    async fn heads(&self, after: &Cursor, limit: usize) -> Result<Vec<Head>, StoreError> {
        let mut heads = self.store.heads(after, limit).await?;
        for head in &mut heads {
            let events = self.stream(&head.scope, &head.stream).await?;
            head.hash = events.last().map_or(Hash::ZERO, |event| event.hash());
        }
        self.lies.heads.inspect(|lie| lie(&mut heads));
        Ok(heads)
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.store.close().await
    }
}

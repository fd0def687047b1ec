//! Proving a history that somebody has changed.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use counterfoil::clock::Timestamp;
use counterfoil::command::{Command, Receipt};
use counterfoil::event::{Event, Hash, StreamId, evolve_account, evolve_payment};
use counterfoil::money::Currency;
use counterfoil::payment::{Operation, Payment};
use counterfoil::scope::Scope;
use counterfoil::status::{OperationStatus, PaymentStatus};
use counterfoil::store::{
    Cursor, Due, Entry, Era, ExecuteError, Feed, Head, Key, LedgerId, Page, PaymentStore, Position, Query,
    Record, State, StoreError, StoreStatus,
};
use counterfoil::verify::{BooksHead, verify, verify_against};
use counterfoil_memory::MemoryStore;
use counterfoil_testkit::{Script, block_on};

/// How many bytes make a change.
const CHANGE: usize = 5;

/// Changes the history of good books as the bytes say: [`verify_against`] finds it whenever it is another one, and
/// nothing when it is not. Without the head that was kept, [`verify`] finds every stream that is another one by its row; and
/// if the rows were made anew of what was changed, whatever breaks a law.
pub fn chains(data: &[u8]) {
    static GOOD: OnceLock<(MemoryStore, Vec<Arc<Event>>, BooksHead)> = OnceLock::new();
    let (store, good, head) = GOOD.get_or_init(|| {
        let store = MemoryStore::new();
        for command in Script::seeded(3, 200).commands() {
            drop(block_on(store.execute(command)));
        }
        let feed = block_on(store.feed(None, Position::START, usize::MAX)).expect("the feed can be read");
        let head = block_on(verify(&store)).expect("the books are good").head;
        (store, feed.entries.into_iter().map(|entry| entry.event).collect(), head)
    });
    let mut journal = good.clone();
    let (changes, _) = data.as_chunks::<CHANGE>();
    changes.iter().take(8).for_each(|change| apply(*change, &mut journal));
    let same = journal == *good;
    let mut books = Changed { store, journal, rows_anew: false };
    let found = block_on(verify_against(&books, head));
    assert_eq!(found.is_ok(), same, "{found:?}");
    let found = block_on(verify(&books));
    // A stream that is gone as a whole is missed by none of the others, nor is the order among them.
    let streams = by_stream(good);
    let is_same = |(key, events): (&Key, &Vec<Arc<Event>>)| streams.get(key) == Some(events);
    assert!(found.is_err() || by_stream(&books.journal).iter().all(is_same), "{found:?}");
    books.rows_anew = true;
    if block_on(verify(&books)).is_ok() {
        for events in by_stream(&books.journal).values() {
            assert_lawful(events);
        }
    }
}

fn by_stream(journal: &[Arc<Event>]) -> BTreeMap<Key, Vec<Arc<Event>>> {
    let mut streams: BTreeMap<Key, Vec<Arc<Event>>> = BTreeMap::new();
    for event in journal {
        streams.entry(Key::of(event.scope(), event.stream())).or_default().push(event.clone());
    }
    streams
}

/// INVARIANTS 9, 11, 19 and 32, told anew of the events of one stream.
fn assert_lawful(events: &[Arc<Event>]) {
    assert!((1..).zip(events).all(|(sequence, event)| event.sequence() == sequence), "{events:?}");
    assert!(events.is_sorted_by(|before, after| before.at() < after.at()), "{events:?}");
    let mut payment = None;
    for event in events {
        let mut sums: BTreeMap<Currency, i128> = BTreeMap::new();
        for posting in event.postings() {
            *sums.entry(posting.currency).or_default() += i128::from(posting.minor);
        }
        assert!(sums.values().all(|sum| *sum == 0), "{event:?}");
        if let StreamId::Payment(_) = event.stream() {
            let after = evolve_payment(payment.as_ref(), event).expect("it follows");
            let from = payment.as_ref().map(Payment::status);
            assert!(PaymentStatus::GRAPH.allows(from, after.status(), event.cause()), "{event:?}");
            for operation in after.operations() {
                let before = payment.as_ref().and_then(|payment| payment.operation(operation.id));
                let from = before.map(Operation::status);
                assert!(OperationStatus::GRAPH.allows(from, operation.status(), event.cause()), "{event:?}");
            }
            payment = Some(after);
        }
    }
}

/// One change. What could not be read any more is left as it was: to say so is the store's part.
fn apply([how, high, low, place, value]: [u8; CHANGE], journal: &mut Vec<Arc<Event>>) {
    let Some(last) = journal.len().checked_sub(1) else { return };
    let at = usize::from(u16::from_be_bytes([high, low])) % journal.len();
    match how % 6 {
        0 | 1 => {
            let mut bytes = journal[at].bytes().to_vec();
            let place = usize::from(place) % bytes.len();
            bytes[place] ^= value;
            let relinked = how % 6 == 1;
            replace(journal, at, &bytes, relinked);
        }
        2 => drop(journal.remove(at)),
        3 => journal.insert(at, journal[at].clone()),
        4 => journal.swap(at, usize::from(place) % (last + 1)),
        _ => {
            let mut hash = *journal[at].hash().as_bytes();
            hash[usize::from(place) % 32] ^= value;
            let event = Event::decode(journal[at].bytes(), Hash::new(hash));
            journal[at] = Arc::new(event.expect("its bytes are as they were"));
        }
    }
}

/// Puts other bytes in the place of an event's; if `relinked`, with the hashes that follow, to the end of its stream.
fn replace(journal: &mut [Arc<Event>], at: usize, bytes: &[u8], relinked: bool) {
    let old = journal[at].clone();
    let own = |event: &Event| event.scope() == old.scope() && event.stream() == old.stream();
    let before = journal[..at].iter().rfind(|event| own(event)).map_or(Hash::ZERO, |event| event.hash());
    let hash = if relinked { before.link(bytes) } else { old.hash() };
    let Ok(new) = Event::decode(bytes, hash) else { return };
    let mut last = new.hash();
    journal[at] = Arc::new(new);
    for event in journal[at + 1..].iter_mut().filter(|event| relinked && own(event)) {
        last = last.link(event.bytes());
        *event = Arc::new(Event::decode(event.bytes(), last).expect("its bytes are as they were"));
    }
}

/// The rows of good books over another journal; or, of payments and wallets, those that it makes itself.
#[derive(Debug)]
struct Changed {
    store: &'static MemoryStore,
    journal: Vec<Arc<Event>>,
    rows_anew: bool,
}

impl Changed {
    fn stream(&self, scope: &Scope, stream: &StreamId) -> impl Iterator<Item = &Arc<Event>> {
        self.journal.iter().filter(move |event| event.scope() == scope && event.stream() == stream)
    }

    /// What the journal makes of a row, if it makes anything.
    fn made(&self, key: &Key) -> Option<Record> {
        match key {
            Key::Payment(scope, id) => {
                let stream = StreamId::Payment(*id);
                let mut events = self.stream(scope, &stream);
                let made = events.try_fold(None, |at, event| evolve_payment(at.as_ref(), event).map(Some));
                made.ok()?.map(|payment| Record::Payment(Arc::new(payment)))
            }
            Key::Account(scope, id) if id.is_bounded() => {
                let stream = StreamId::Account(id.clone());
                let mut events = self.stream(scope, &stream);
                let made = events.try_fold(None, |at, event| evolve_account(at.as_ref(), event).map(Some));
                made.ok()?.map(|account| Record::Account(Arc::new(account)))
            }
            _ => None,
        }
    }
}

#[async_trait]
impl PaymentStore for Changed {
    fn status(&self) -> StoreStatus {
        self.store.status()
    }

    async fn execute(&self, _: Command) -> Result<Receipt, ExecuteError> {
        unreachable!("nothing is executed here")
    }

    async fn read(&self, keys: &[Key]) -> Result<State, StoreError> {
        let mut state = self.store.read(keys).await?;
        keys.iter()
            .filter(|_| self.rows_anew)
            .filter_map(|key| self.made(key))
            .for_each(|row| state.insert(row));
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
        let after = usize::try_from(after).unwrap_or(usize::MAX);
        Ok(self.stream(scope, stream).skip(after).take(limit).cloned().collect())
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>, StoreError> {
        self.store.due(now, limit).await
    }

    async fn feed(&self, _: Option<&Scope>, after: Position, limit: usize) -> Result<Feed, StoreError> {
        let era = Era::first(LedgerId::new(1));
        let numbered = (1..).map(|number| era.position(number)).zip(&self.journal);
        let behind = numbered.filter(|(position, _)| *position > after).take(limit);
        let entries: Vec<_> =
            behind.map(|(position, event)| Entry { position, event: event.clone() }).collect();
        Ok(Feed { next: entries.last().map_or(after, |last| last.position), entries })
    }

    async fn news(&self, after: Position) -> Result<(), StoreError> {
        self.store.news(after).await
    }

    async fn heads(&self, after: &Cursor, limit: usize) -> Result<Vec<Head>, StoreError> {
        let mut streams: Vec<_> =
            self.journal.iter().map(|event| (event.scope().clone(), event.stream().clone())).collect();
        streams.sort();
        streams.dedup();
        let behind = streams.into_iter().filter(|stream| after.get().is_none_or(|after| stream > after));
        let head = |(scope, stream): (Scope, StreamId)| {
            let version = self.stream(&scope, &stream).count() as u64;
            let hash = self.stream(&scope, &stream).last().map_or(Hash::ZERO, |event| event.hash());
            Head { scope, stream, version, hash }
        };
        Ok(behind.take(limit).map(head).collect())
    }

    async fn close(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

//! Proving a history that somebody has changed.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use counterfoil::clock::Timestamp;
use counterfoil::command::{Command, Receipt};
use counterfoil::event::{Event, Hash, StreamId};
use counterfoil::scope::Scope;
use counterfoil::store::{
    Cursor, Due, Entry, ExecuteError, Feed, Head, Key, Page, PaymentStore, Position, Query, State,
    StoreError, StoreStatus,
};
use counterfoil::verify::{BooksHead, verify, verify_against};
use counterfoil_memory::MemoryStore;
use counterfoil_testkit::{Script, block_on};

/// How many bytes make a change.
const CHANGE: usize = 5;

/// Changes the history of good books as the bytes say: [`verify_against`] finds it whenever it is another one, and
/// nothing when it is not.
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
    let found = block_on(verify_against(&Changed { store, journal }, head));
    assert_eq!(found.is_ok(), same, "{found:?}");
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

/// The rows of good books over another journal.
#[derive(Debug)]
struct Changed {
    store: &'static MemoryStore,
    journal: Vec<Arc<Event>>,
}

impl Changed {
    fn stream(&self, scope: &Scope, stream: &StreamId) -> impl Iterator<Item = &Arc<Event>> {
        self.journal.iter().filter(move |event| event.scope() == scope && event.stream() == stream)
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
        self.store.read(keys).await
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
        let numbered = (1..).map(Position::from_number).zip(&self.journal);
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

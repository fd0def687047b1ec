//! Histories that somebody changed behind the store's back: invariant 39.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use counterfoil::clock::Timestamp;
use counterfoil::command::{Command, Receipt};
use counterfoil::event::{Event, Hash, StreamId};
use counterfoil::scope::Scope;
use counterfoil::store::{
    Cursor, Due, ExecuteError, Feed, Head, Key, Page, PaymentStore, Position, Query, State, StoreError,
    StoreStatus,
};
use counterfoil::verify::{VerifyError, verify};
use counterfoil_memory::MemoryStore;
use counterfoil_testkit::{Script, block_on};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::watched::config;

proptest! {
    #![proptest_config(config(400))]

    /// Invariant 39, without a head that was kept elsewhere.
    #[test]
    fn a_changed_added_swapped_or_dropped_event_is_found_where_it_is(
        script in Script::any(40),
        how in select(&[How::Flip, How::Swap, How::Drop, How::Add, How::Repeat][..]),
        picks: [Index; 3],
        bits in 1_u8..,
    ) {
        let store = MemoryStore::new();
        for command in script.commands() {
            drop(block_on(store.execute(command)));
        }
        let good = entries(&store);
        let changed = tampered(&good, how, &picks, bits);
        prop_assume!(changed != good);
        let (scope, stream, sequence) = first_other(&good, &changed);
        let found = block_on(verify(&Tampered { store, streams: changed }));
        let Err(VerifyError::Fault(fault)) = found else { panic!("{found:?}") };
        prop_assert_eq!((fault.scope, fault.stream, fault.sequence), (scope, stream, sequence));
    }
}

#[derive(Debug, Clone, Copy)]
enum How {
    /// Of one event, or of its hash, a byte is another.
    Flip,
    /// Two of any streams stand in each other's place.
    Swap,
    /// One is gone that is not the last of its stream.
    Drop,
    /// One of any stream stands before another, too.
    Add,
    /// One is there twice, perhaps as the last.
    Repeat,
}

/// An event as a store keeps it: its bytes, and its hash.
type Kept = (Vec<u8>, [u8; 32]);
type Streams = BTreeMap<(Scope, StreamId), Vec<Kept>>;

fn entries(store: &MemoryStore) -> Streams {
    let mut streams = Streams::new();
    for entry in block_on(store.feed(None, Position::START, usize::MAX)).unwrap().entries {
        let stream = (entry.event.scope().clone(), entry.event.stream().clone());
        let kept = (entry.event.bytes().to_vec(), *entry.event.hash().as_bytes());
        streams.entry(stream).or_default().push(kept);
    }
    streams
}

/// With one of them changed; as they are where there is none to be.
fn tampered(good: &Streams, how: How, [pick, other, byte]: &[Index; 3], bits: u8) -> Streams {
    let mut streams = good.clone();
    let places = good.iter().flat_map(|(stream, kept)| (0..kept.len()).map(move |place| (stream, place)));
    let is_last = |(stream, place): &(&(Scope, StreamId), usize)| place + 1 == good[*stream].len();
    let places: Vec<_> = places.filter(|place| !matches!(how, How::Drop) || !is_last(place)).collect();
    if places.is_empty() {
        return streams;
    }
    let ((stream, place), (from, its_place)) = (*pick.get(&places), *other.get(&places));
    let own = streams.get_mut(stream).unwrap();
    match how {
        How::Flip => {
            let (bytes, hash) = &mut own[place];
            let mut all: Vec<&mut u8> = bytes.iter_mut().chain(hash).collect();
            **byte.get_mut(&mut all) ^= bits;
        }
        How::Swap => {
            own[place] = good[from][its_place].clone();
            streams.get_mut(from).unwrap()[its_place] = good[stream][place].clone();
        }
        How::Drop => drop(own.remove(place)),
        How::Add => own.insert(place, good[from][its_place].clone()),
        How::Repeat => own.insert(place + 1, own[place].clone()),
    }
    streams
}

/// The first place, stream by stream, at which another event stands.
fn first_other(good: &Streams, changed: &Streams) -> (Scope, StreamId, u64) {
    let other = |(stream, kept): (&(Scope, StreamId), &Vec<Kept>)| {
        let place = (0..kept.len()).find(|place| kept.get(*place) != good[stream].get(*place))?;
        Some((stream.0.clone(), stream.1.clone(), place as u64 + 1))
    };
    changed.iter().find_map(other).expect("one was changed")
}

/// Good books, but for the history of each stream; each ends where that does.
#[derive(Debug)]
struct Tampered {
    store: MemoryStore,
    streams: Streams,
}

#[async_trait]
impl PaymentStore for Tampered {
    fn status(&self) -> StoreStatus {
        self.store.status()
    }

    async fn execute(&self, command: Command) -> Result<Receipt, ExecuteError> {
        self.store.execute(command).await
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
        let kept = &self.streams[&(scope.clone(), stream.clone())];
        let read = |(bytes, hash): &Kept| match Event::decode(bytes, Hash::new(*hash)) {
            Ok(event) => Ok(Arc::new(event)),
            Err(damage) => Err(StoreError::damaged("reading what was changed", damage)),
        };
        kept.iter().skip(after.try_into().unwrap()).take(limit).map(read).collect()
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>, StoreError> {
        self.store.due(now, limit).await
    }

    async fn feed(&self, scope: Option<&Scope>, after: Position, limit: usize) -> Result<Feed, StoreError> {
        self.store.feed(scope, after, limit).await
    }

    async fn news(&self, after: Position) -> Result<(), StoreError> {
        self.store.news(after).await
    }

    async fn heads(&self, after: &Cursor, limit: usize) -> Result<Vec<Head>, StoreError> {
        let mut heads = self.store.heads(after, limit).await?;
        for head in &mut heads {
            let kept = &self.streams[&(head.scope.clone(), head.stream.clone())];
            head.version = kept.len() as u64;
            head.hash = kept.last().map_or(Hash::ZERO, |(_, hash)| Hash::new(*hash));
        }
        Ok(heads)
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.store.close().await
    }
}

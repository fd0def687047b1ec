//! The feed, held against the streams that were read: every event once, in the order of its stream, and of no
//! stream that is not listed.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::head::BooksHead;
use super::{Fault, PAGE, Problem, VerifyError};
use crate::event::{Event, StreamId};
use crate::hash::Hash;
use crate::scope::Scope;
use crate::store::{Cursor, PaymentStore, Position};

/// How far each stream was read, and how far the feed has told of it.
#[derive(Default)]
pub(super) struct Streams(BTreeMap<(Scope, StreamId), Told>);

/// What is known of a stream.
struct Told {
    /// Its last event as the stream was read; version 0 if it was not met.
    version: u64,
    head: Hash,
    /// Its last event as the feed tells it.
    fed: u64,
    last: Hash,
}

impl Streams {
    /// A stream that was read up to here.
    pub(super) fn read(&mut self, scope: &Scope, stream: &StreamId, version: u64, head: Hash) {
        let told = Told { version, head, fed: 0, last: Hash::ZERO };
        self.0.insert((scope.clone(), stream.clone()), told);
    }

    /// Reads the feed from the start to its end and checks it against what was read. `kept` must be met on the way.
    /// Gives how far it was read too.
    pub(super) async fn check(
        mut self,
        store: &dyn PaymentStore,
        kept: Option<&BooksHead>,
    ) -> Result<(BooksHead, Position), VerifyError> {
        let mut head = BooksHead::EMPTY;
        let mut after = Position::START;
        check_kept(kept, head)?;
        loop {
            let feed = store.feed(None, after, PAGE).await?;
            for entry in &feed.entries {
                if entry.position <= after || entry.position > feed.next {
                    return Err(fault(&entry.event, Problem::Feed).into());
                }
                after = entry.position;
                self.tell(&entry.event)?;
                head = head.with(entry.event.hash());
                check_kept(kept, head)?;
            }
            if feed.entries.is_empty() && feed.next <= after {
                break;
            }
            after = feed.next;
        }
        if let Some(kept) = kept.filter(|kept| kept.events() > head.events()) {
            return Err(VerifyError::Shorter { kept: kept.events(), found: head.events() });
        }
        self.end(store).await?;
        Ok((head, after))
    }

    /// The next event of the feed.
    fn tell(&mut self, event: &Arc<Event>) -> Result<(), Fault> {
        let new = || Told { version: 0, head: Hash::ZERO, fed: 0, last: Hash::ZERO };
        let key = (event.scope().clone(), event.stream().clone());
        let told = self.0.entry(key).or_insert_with(new);
        if event.sequence() != told.fed + 1 || !event.follows(told.last) {
            return Err(fault(event, Problem::Feed));
        }
        (told.fed, told.last) = (event.sequence(), event.hash());
        if told.fed == told.version && told.last != told.head {
            return Err(fault(event, Problem::Feed));
        }
        Ok(())
    }

    /// Nothing that was read is missing in the feed. What the feed tells beyond was written meanwhile, or belongs to
    /// a stream that no list of streams leads to.
    async fn end(mut self, store: &dyn PaymentStore) -> Result<(), VerifyError> {
        let fault = |(scope, stream): &(Scope, StreamId), sequence, problem| -> VerifyError {
            Fault { scope: scope.clone(), stream: stream.clone(), sequence, problem }.into()
        };
        if let Some((key, told)) = self.0.iter().find(|(_, told)| told.fed < told.version) {
            return Err(fault(key, told.fed + 1, Problem::NotFed));
        }
        self.0.retain(|_, told| told.fed > told.version);
        let mut cursor = Cursor::START;
        while !self.0.is_empty() {
            let heads = store.heads(&cursor, PAGE).await?;
            let Some(last) = heads.last() else { break };
            cursor = Cursor::behind(last);
            for head in heads {
                let key = (head.scope, head.stream);
                let Some(told) = self.0.remove(&key) else { continue };
                let there = store.history(&key.0, &key.1, told.fed - 1, 1).await?;
                if head.version < told.fed || there.first().map(|event| event.hash()) != Some(told.last) {
                    return Err(fault(&key, told.fed, Problem::Feed));
                }
            }
        }
        self.0.first_key_value().map_or(Ok(()), |(key, _)| Err(fault(key, 1, Problem::Unlisted)))
    }
}

fn check_kept(kept: Option<&BooksHead>, head: BooksHead) -> Result<(), VerifyError> {
    match kept {
        Some(kept) if kept.events() == head.events() && *kept != head => {
            Err(VerifyError::Other { kept: kept.events() })
        }
        _ => Ok(()),
    }
}

fn fault(event: &Event, problem: Problem) -> Fault {
    let (scope, stream) = (event.scope().clone(), event.stream().clone());
    Fault { scope, stream, sequence: event.sequence(), problem }
}

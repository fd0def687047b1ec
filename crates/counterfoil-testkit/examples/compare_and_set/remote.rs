//! What the store stands on: a remote key-value store, of the kind that there are many of. Keys are bytes and sorted,
//! each value has a revision, and several keys are changed at once if others are still what they were when they were
//! read. This one is in the same process, and slow enough for callers to meet.

use std::collections::BTreeMap;
use std::io;
use std::ops::RangeInclusive;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tokio::task::yield_now;

/// A name.
pub(crate) type Bytes = Vec<u8>;
/// A value, and the revision of its last change.
pub(crate) type Versioned = (u64, Bytes);
/// A key, and what is to stand there; `None` for nothing.
pub(crate) type Put = (Bytes, Option<Bytes>);

/// The store far away.
#[derive(Debug, Default)]
pub(crate) struct Remote {
    shelf: Mutex<Shelf>,
    /// The last revision, for whoever waits for one.
    last: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Shelf {
    values: BTreeMap<Bytes, Versioned>,
    revision: u64,
    answers_to_lose: usize,
}

impl Remote {
    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Values as they stand at one moment.
    pub(crate) async fn get(&self, keys: &[Bytes]) -> Vec<Option<Versioned>> {
        yield_now().await;
        let held = self.shelf();
        keys.iter().map(|key| held.values.get(key).cloned()).collect()
    }

    /// The first values between two keys as they stand at one moment, at most `limit` of them.
    pub(crate) async fn scan(&self, between: RangeInclusive<Bytes>, limit: usize) -> Vec<(Bytes, Bytes)> {
        yield_now().await;
        if between.is_empty() {
            return Vec::new();
        }
        let held = self.shelf();
        let found = held.values.range(between).take(limit);
        found.map(|(key, (_, value))| (key.clone(), value.clone())).collect()
    }

    /// Makes all changes if every key still has the revision at which it was read, 0 for none; else makes none of
    /// them. Whether it did; an error means that nobody knows.
    pub(crate) async fn change_if(&self, same: &BTreeMap<Bytes, u64>, puts: Vec<Put>) -> io::Result<bool> {
        yield_now().await;
        let mut held = self.shelf();
        let revision_of = |key| held.values.get(key).map_or(0, |(revision, _)| *revision);
        if same.iter().any(|(key, revision)| revision_of(key) != *revision) {
            return Ok(false);
        }
        held.revision += 1;
        let revision = held.revision;
        for (key, value) in puts {
            match value {
                Some(value) => held.values.insert(key, (revision, value)),
                None => held.values.remove(&key),
            };
        }
        self.last.send_replace(revision);
        if held.answers_to_lose > 0 {
            held.answers_to_lose -= 1;
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(true)
    }

    /// Told at every change.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.last.subscribe()
    }

    /// Makes the next changes without telling who asked for them.
    pub(crate) fn lose_answers(&self, answers: usize) {
        self.shelf().answers_to_lose = answers;
    }
}

//! Where callers meet.

use std::sync::{Arc, Barrier};
use std::thread::{self, ScopedJoinHandle};

use counterfoil::command::{Command, Receipt, Rejection};
use counterfoil::scope::Caller;
use counterfoil::store::{ExecuteError, PaymentStore};
use counterfoil::verify::verify;
use counterfoil_memory::MemoryStore;
use counterfoil_sqlite::SqliteStore;
use counterfoil_testkit::planted::{Bug, PlantedStore};
use counterfoil_testkit::{Desk, block_on, fixtures};
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::example::{CompareAndSetStore, Remote};
use crate::folder;

/// How many threads callers come from, at most: in few of them many callers take turns, many meet anywhere.
pub(super) const THREADS: [usize; 3] = [2, 4, 16];

/// A kind of store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Memory,
    Sqlite,
    /// The worked example: guarded by versions instead of a lock.
    CompareAndSet,
    /// Guarded by versions, and not as it should be: races must find it.
    #[cfg_attr(not(test), expect(dead_code, reason = "for the tests of the races"))]
    Planted(Bug),
}

/// A store of its own for one race, and who writes to it.
pub(super) struct Books {
    store: Arc<dyn PaymentStore>,
    pub(super) desk: Desk,
    pub(super) caller: Caller,
    /// Where its file is, if it has one.
    _folder: Option<TempDir>,
}

/// What became of a command: nothing else can in a race.
pub(super) type Answer = Result<Receipt, Rejection>;

impl Books {
    pub(super) fn open(place: Place) -> Result<Books, String> {
        let (desk, caller) = (Desk::new(1), fixtures::caller("acme"));
        let (store, folder): (Arc<dyn PaymentStore>, _) = match place {
            Place::Memory => (Arc::new(MemoryStore::new()), None),
            Place::CompareAndSet => (Arc::new(CompareAndSetStore::new(Arc::new(Remote::default()))), None),
            Place::Planted(bug) => (Arc::new(PlantedStore::new(bug)), None),
            Place::Sqlite => {
                let folder = folder::make()?;
                let store = SqliteStore::open(folder.path().join("books.db"));
                (Arc::new(store.map_err(|error| format!("{error:?}"))?), Some(folder))
            }
        };
        Ok(Books { store, desk, caller, _folder: folder })
    }

    /// Executes a command that can be done, before the race.
    pub(super) fn done(&self, command: &Command) -> Result<Receipt, String> {
        block_on(self.store.execute(command.clone())).map_err(|error| format!("before the race: {error:?}"))
    }

    /// What a command is answered, alone.
    pub(super) fn alone(&self, command: &Command) -> Result<Answer, String> {
        answer(block_on(self.store.execute(command.clone())))
    }

    pub(super) fn store(&self) -> &dyn PaymentStore {
        &*self.store
    }

    /// Executes all of them at once, from so many threads. The answers are in their order.
    pub(super) fn together(&self, commands: &[Command], threads: usize) -> Result<Vec<Answer>, String> {
        let shares: Vec<&[Command]> = commands.chunks(commands.len().div_ceil(threads)).collect();
        let barrier = Barrier::new(shares.len());
        let answers: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> =
                shares.iter().map(|share| scope.spawn(|| self.at(&barrier, share))).collect();
            threads.into_iter().map(ScopedJoinHandle::join).collect()
        });
        let mut all = Vec::new();
        for answers in answers {
            for answer in answers.map_err(|_| "the store panicked".to_owned())? {
                all.push(answer?);
            }
        }
        Ok(all)
    }

    /// One thread's callers.
    fn at(&self, barrier: &Barrier, commands: &[Command]) -> Vec<Result<Answer, String>> {
        if let [command] = commands {
            barrier.wait();
            return vec![self.alone(command)];
        }
        block_on(async {
            let mut callers = JoinSet::new();
            for (place, command) in commands.iter().enumerate() {
                let (store, command) = (self.store.clone(), command.clone());
                callers.spawn(async move { (place, answer(store.execute(command).await)) });
            }
            barrier.wait();
            let mut answers = callers.join_all().await;
            answers.sort_by_key(|(place, _)| *place);
            answers.into_iter().map(|(_, answer)| answer).collect()
        })
    }

    /// The books are good in the end.
    pub(super) fn end(self) -> Result<(), String> {
        block_on(verify(&*self.store)).map_err(|error| format!("the books are not good: {error:?}"))?;
        block_on(self.store.close()).map_err(|error| format!("closing: {error:?}"))
    }
}

fn answer(answer: Result<Receipt, ExecuteError>) -> Result<Answer, String> {
    match answer {
        Ok(receipt) => Ok(Ok(receipt)),
        Err(ExecuteError::Rejected(rejection)) => Ok(Err(rejection)),
        Err(error) => Err(format!("the store failed: {error:?}")),
    }
}

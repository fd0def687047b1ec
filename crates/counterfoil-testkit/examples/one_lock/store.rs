// The contract: each call takes the lock, and does all it has to do before it lets go.

use std::future::poll_fn;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use async_trait::async_trait;
use counterfoil::clock::Timestamp;
use counterfoil::command::{Command, Receipt};
use counterfoil::event::{Event, StreamId};
use counterfoil::scope::Scope;
use counterfoil::store::{
    Cursor, Due, Durability, Era, ExecuteError, Feed, Head, Health, Key, LedgerId, Page, PaymentStore,
    Position, Query, State, StoreError, StoreErrorKind, StoreStatus,
};

use super::books::Books;

/// A [`PaymentStore`] of maps behind one lock.
#[derive(Debug)]
pub(crate) struct OneLockStore {
    /// The positions of the feed name this era. The store is never restored, so it stays in its first era.
    era: Era,
    books: Mutex<Books>,
}

impl OneLockStore {
    /// An empty store with a new ledger id.
    pub(crate) fn new() -> OneLockStore {
        OneLockStore { era: Era::first(LedgerId::random()), books: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Books> {
        // Whoever panicked with the lock was only looking: `write` does not panic.
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The books, unless they are closed.
    fn open(&self, during: &'static str) -> Result<MutexGuard<'_, Books>, StoreError> {
        let books = self.lock();
        if books.closed { Err(StoreError::new(StoreErrorKind::Closed, during)) } else { Ok(books) }
    }
}

/// Without the lock, since whoever is woken may look at once. A waker is the host's, and may panic: that is no matter of
/// whoever wrote, nor of the others who wait.
fn wake(waiting: Vec<Waker>) {
    for waker in waiting {
        let _ = catch_unwind(AssertUnwindSafe(|| waker.wake()));
    }
}

#[async_trait]
impl PaymentStore for OneLockStore {
    fn status(&self) -> StoreStatus {
        let health = if self.lock().closed { Health::Closed } else { Health::Ok };
        StoreStatus::new(Durability::Memory).with_health(health)
    }

    async fn execute(&self, command: Command) -> Result<Receipt, ExecuteError> {
        let (plan, waiting) = {
            let mut books = self.open("executing").map_err(ExecuteError::NotCommitted)?;
            let plan = books.decide(&command);
            books.write(&plan);
            let waiting = if plan.is_empty() { Vec::new() } else { mem::take(&mut books.waiting) };
            (plan, waiting)
        };
        wake(waiting);
        let none = || ExecuteError::Unknown(StoreError::new(StoreErrorKind::Other, "answering"));
        plan.committed().next().unwrap_or_else(|| Err(none()))
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
        let books = self.open("listing")?;
        Ok(query.page_of(books.payments().filter(|payment| payment.scope() == scope).cloned()))
    }

    async fn history(
        &self,
        scope: &Scope,
        stream: &StreamId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Arc<Event>>, StoreError> {
        Ok(self.open("reading a history")?.history(&(scope.clone(), stream.clone()), after, limit))
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>, StoreError> {
        Ok(self.open("reading what is due")?.due(now, limit))
    }

    async fn feed(&self, scope: Option<&Scope>, after: Position, limit: usize) -> Result<Feed, StoreError> {
        self.open("reading the feed")?.feed(self.era, scope, after, limit)
    }

    async fn news(&self, after: Position) -> Result<(), StoreError> {
        poll_fn(|context| {
            let mut books = match self.open("waiting for news") {
                Ok(books) => books,
                Err(closed) => return Poll::Ready(Err(closed)),
            };
            let end = books.end(self.era);
            after.within(end, "waiting for news")?;
            if after < end {
                return Poll::Ready(Ok(()));
            }
            if !books.waiting.iter().any(|waker| waker.will_wake(context.waker())) {
                books.waiting.push(context.waker().clone());
            }
            Poll::Pending
        })
        .await
    }

    async fn heads(&self, after: &Cursor, limit: usize) -> Result<Vec<Head>, StoreError> {
        Ok(self.open("reading the heads")?.heads(after, limit))
    }

    async fn close(&self) -> Result<(), StoreError> {
        let waiting = {
            let mut books = self.lock();
            books.closed = true;
            mem::take(&mut books.waiting)
        };
        wake(waiting);
        Ok(())
    }
}

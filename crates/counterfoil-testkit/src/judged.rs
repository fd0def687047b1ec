//! A store that is judged at every command.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use counterfoil::clock::Timestamp;
use counterfoil::command::{Command, Receipt};
use counterfoil::event::{Event, StreamId};
use counterfoil::scope::Scope;
use counterfoil::store::{
    Cursor, Due, ExecuteError, Feed, Head, Key, Page, PaymentStore, Position, Query, State, StoreError,
    StoreStatus,
};

use crate::model::Model;
use crate::run::Answer;

/// A [`PaymentStore`] that holds every answer of another one against the [`Model`], and panics where they differ.
/// For tests of whatever stands on a store; one command at a time. Of schedules of retries the model knows one,
/// [`RETRIES`](crate::fixtures::RETRIES).
///
/// ```
/// use std::sync::Arc;
///
/// use counterfoil::ledger::{Ledger, NewPayment};
/// use counterfoil_memory::MemoryStore;
/// use counterfoil_testkit::fixtures::{caller, card, invoice, usd};
/// use counterfoil_testkit::sandbox::Sandbox;
/// use counterfoil_testkit::{JudgedStore, block_on};
///
/// let store = Arc::new(JudgedStore::new(MemoryStore::new()));
/// let ledger = Ledger::new(store).with_gateway(Arc::new(Sandbox::new()));
/// // Two commands, and each was answered as the model says.
/// block_on(ledger.create(&caller("acme"), NewPayment::new(usd(100), invoice("inv_1"), card()))).unwrap();
/// ```
pub struct JudgedStore<S> {
    inner: S,
    model: Mutex<Model>,
}

impl<S: PaymentStore> JudgedStore<S> {
    /// Judges `inner`, which must be empty.
    #[must_use]
    pub fn new(inner: S) -> JudgedStore<S> {
        JudgedStore { inner, model: Mutex::default() }
    }
}

impl<S: fmt::Debug> fmt::Debug for JudgedStore<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JudgedStore").field("inner", &self.inner).finish_non_exhaustive()
    }
}

#[async_trait]
impl<S: PaymentStore> PaymentStore for JudgedStore<S> {
    fn status(&self) -> StoreStatus {
        self.inner.status()
    }

    async fn execute(&self, command: Command) -> Result<Receipt, ExecuteError> {
        let expected = self.model.lock().unwrap_or_else(PoisonError::into_inner).execute(&command);
        let result = self.inner.execute(command.clone()).await;
        let got = Answer::of(result.clone());
        assert_eq!(got, expected, "the store (left) differs from the model at {command:#?}");
        result
    }

    async fn read(&self, keys: &[Key]) -> Result<State, StoreError> {
        self.inner.read(keys).await
    }

    async fn list(&self, scope: &Scope, query: &Query) -> Result<Page, StoreError> {
        self.inner.list(scope, query).await
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>, StoreError> {
        self.inner.due(now, limit).await
    }

    async fn history(
        &self,
        scope: &Scope,
        stream: &StreamId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Arc<Event>>, StoreError> {
        self.inner.history(scope, stream, after, limit).await
    }

    async fn feed(&self, scope: Option<&Scope>, after: Position, limit: usize) -> Result<Feed, StoreError> {
        self.inner.feed(scope, after, limit).await
    }

    async fn news(&self, after: Position) -> Result<(), StoreError> {
        self.inner.news(after).await
    }

    async fn heads(&self, after: &Cursor, limit: usize) -> Result<Vec<Head>, StoreError> {
        self.inner.heads(after, limit).await
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.inner.close().await
    }
}

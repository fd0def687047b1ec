//! A store that does something else in two places than the one behind it.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use counterfoil::clock::Timestamp;
use counterfoil::command::{Command, Receipt};
use counterfoil::event::{Event, StreamId};
use counterfoil::scope::Scope;
use counterfoil::store::{
    Cursor, Due, ExecuteError, Feed, Head, Key, Page, PaymentStore, Position, Query, State, StoreError,
    StoreStatus,
};

type AfterUnknown = Box<dyn Fn(Command) -> Command + Send + Sync>;
type Shown = Box<dyn Fn(Arc<Event>) -> Arc<Event> + Send + Sync>;

/// Executes another command after an answer of Unknown; shows events as they are not.
pub(super) struct Meddled {
    pub(super) inner: Arc<dyn PaymentStore>,
    pub(super) after_unknown: Option<AfterUnknown>,
    pub(super) shown: Option<Shown>,
}

impl fmt::Debug for Meddled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meddled").field("inner", &self.inner).finish_non_exhaustive()
    }
}

#[async_trait]
impl PaymentStore for Meddled {
    fn status(&self) -> StoreStatus {
        self.inner.status()
    }

    async fn execute(&self, command: Command) -> Result<Receipt, ExecuteError> {
        match (self.inner.execute(command.clone()).await, &self.after_unknown) {
            (Err(ExecuteError::Unknown(_)), Some(change)) => self.inner.execute(change(command)).await,
            (answer, _) => answer,
        }
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
        let events = self.inner.history(scope, stream, after, limit).await?;
        Ok(match &self.shown {
            Some(shown) => events.into_iter().map(shown).collect(),
            None => events,
        })
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

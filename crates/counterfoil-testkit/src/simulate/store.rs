//! The store as machines see it: slow, and not always there.

use std::sync::Arc;

use async_trait::async_trait;
use counterfoil::clock::Timestamp;
use counterfoil::command::{Command, Receipt};
use counterfoil::event::{Event, StreamId};
use counterfoil::scope::Scope;
use counterfoil::store::{
    Cursor, Due, ExecuteError, Feed, Head, Key, Page, PaymentStore, Position, Query, State, StoreError,
    StoreErrorKind, StoreStatus,
};

use super::trouble::Trouble;
use super::watch::Watch;
use super::world::World;

/// A store behind a bad line. All that is committed is watched.
#[derive(Debug)]
pub(super) struct FarStore {
    pub(super) world: Arc<World>,
    pub(super) watch: Arc<Watch>,
}

const fn failed(kind: StoreErrorKind) -> StoreError {
    StoreError::new(kind, "being simulated")
}

impl FarStore {
    async fn look(&self) -> Result<&Arc<dyn PaymentStore>, StoreError> {
        self.world.pause().await;
        if self.world.strikes(Trouble::FailedRead, 25) {
            return Err(failed(StoreErrorKind::Busy));
        }
        Ok(self.watch.store())
    }
}

#[async_trait]
impl PaymentStore for FarStore {
    fn status(&self) -> StoreStatus {
        self.watch.store().status()
    }

    async fn execute(&self, command: Command) -> Result<Receipt, ExecuteError> {
        let world = &self.world;
        world.pause().await;
        if world.strikes(Trouble::NotCommitted, 16) {
            return Err(ExecuteError::NotCommitted(failed(StoreErrorKind::Busy)));
        }
        if world.strikes(Trouble::LostCommand, 16) {
            world.pause().await;
            return Err(ExecuteError::Unknown(failed(StoreErrorKind::Io)));
        }
        let answer = self.watch.execute(world, command).await;
        world.pause().await;
        if answer.is_ok() && world.strikes(Trouble::LostAnswer, 12) {
            return Err(ExecuteError::Unknown(failed(StoreErrorKind::Io)));
        }
        answer
    }

    async fn read(&self, keys: &[Key]) -> Result<State, StoreError> {
        self.look().await?.read(keys).await
    }

    async fn list(&self, scope: &Scope, query: &Query) -> Result<Page, StoreError> {
        self.look().await?.list(scope, query).await
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>, StoreError> {
        self.look().await?.due(now, limit).await
    }

    async fn history(
        &self,
        scope: &Scope,
        stream: &StreamId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Arc<Event>>, StoreError> {
        self.look().await?.history(scope, stream, after, limit).await
    }

    async fn feed(&self, scope: Option<&Scope>, after: Position, limit: usize) -> Result<Feed, StoreError> {
        self.look().await?.feed(scope, after, limit).await
    }

    async fn news(&self, after: Position) -> Result<(), StoreError> {
        self.look().await?.news(after).await
    }

    async fn heads(&self, after: &Cursor, limit: usize) -> Result<Vec<Head>, StoreError> {
        self.look().await?.heads(after, limit).await
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.watch.store().close().await
    }
}

//! What only looks.

use std::sync::Arc;

use super::Ledger;
use crate::account::{Account, AccountId};
use crate::event::{Event, StreamId};
use crate::id::PaymentId;
use crate::payment::Payment;
use crate::scope::Scope;
use crate::store::{Feed, Key, Lookup, Page, Position, Query, StoreError};
use crate::text::WalletId;

impl Ledger {
    /// The payment `id` as it stands.
    ///
    /// # Errors
    ///
    /// The store's.
    pub async fn payment(&self, scope: &Scope, id: PaymentId) -> Result<Option<Arc<Payment>>, StoreError> {
        let state = self.store.read(&[Key::Payment(scope.clone(), id)]).await?;
        Ok(present(state.payment(scope, id)))
    }

    /// The wallet `id` as it stands.
    ///
    /// # Errors
    ///
    /// The store's.
    pub async fn wallet(&self, scope: &Scope, id: &WalletId) -> Result<Option<Arc<Account>>, StoreError> {
        let account = AccountId::wallet(id);
        let state = self.store.read(&[Key::Account(scope.clone(), account.clone())]).await?;
        Ok(present(state.account(scope, &account)))
    }

    /// The events of a payment or an account behind `after`, at most `limit` of them.
    ///
    /// # Errors
    ///
    /// The store's.
    pub async fn history(
        &self,
        scope: &Scope,
        stream: &StreamId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Arc<Event>>, StoreError> {
        self.store.history(scope, stream, after, limit).await
    }

    /// A page of the payments of `scope`.
    ///
    /// # Errors
    ///
    /// The store's.
    pub async fn list(&self, scope: &Scope, query: &Query) -> Result<Page, StoreError> {
        self.store.list(scope, query).await
    }

    /// What happened in `scope` behind `after`, at most `limit` events of it: every event once, in an order that
    /// never changes. Whoever keeps the answer's [`next`](Feed::next) with the effects of its events, in one
    /// transaction, has each effect exactly once, whenever it is stopped.
    ///
    /// # Errors
    ///
    /// The store's.
    pub async fn feed(&self, scope: &Scope, after: Position, limit: usize) -> Result<Feed, StoreError> {
        self.store.feed(Some(scope), after, limit).await
    }

    /// Comes back when there may be more behind `after`; sleeps until then.
    ///
    /// # Errors
    ///
    /// The store's, [`Closed`](crate::store::StoreErrorKind::Closed) when it is closed meanwhile.
    pub async fn news(&self, after: Position) -> Result<(), StoreError> {
        self.store.news(after).await
    }
}

fn present<T>(lookup: Lookup<'_, T>) -> Option<Arc<T>> {
    match lookup {
        Lookup::Present(value) => Some(value.clone()),
        Lookup::Absent | Lookup::NotLoaded => None,
    }
}

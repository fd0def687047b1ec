//! What only looks.

use std::sync::Arc;

use super::Ledger;
use crate::account::{Account, AccountId};
use crate::event::{Event, StreamId};
use crate::id::PaymentId;
use crate::payment::{Destination, Payment, Possible};
use crate::scope::Scope;
use crate::store::{Feed, Key, Lookup, Page, Position, Query, StoreError};
use crate::text::{GatewayName, WalletId};

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

    /// What may be asked of a payment now, by the ledger's clock and its gateways: see
    /// [`Payment::actions`](crate::payment::Payment::actions).
    #[must_use]
    pub fn actions(&self, payment: &Payment) -> Vec<Possible> {
        payment.actions(self.clock.now(), &self.policy, &self.reversals)
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

    /// The account of a gateway: the sums of its fees and payouts. `None` if none was ever
    /// [recorded](Self::record_gateway_entry).
    ///
    /// # Errors
    ///
    /// The store's.
    pub async fn gateway_account(
        &self,
        scope: &Scope,
        gateway: &GatewayName,
    ) -> Result<Option<Arc<Account>>, StoreError> {
        let account = AccountId::gateway(gateway);
        let state = self.store.read(&[Key::Account(scope.clone(), account.clone())]).await?;
        Ok(present(state.account(scope, &account)))
    }

    /// What is known of a destination: what is owed for it, if that was [registered](Self::register), and what its
    /// payments come to. `None` of one that was neither registered nor ever charged.
    ///
    /// # Errors
    ///
    /// The store's.
    pub async fn destination(
        &self,
        scope: &Scope,
        destination: &Destination,
    ) -> Result<Option<Arc<Account>>, StoreError> {
        let account = AccountId::destination(destination);
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
    /// ```
    /// use counterfoil::store::{Filter, Query};
    /// # use counterfoil::ledger::{Ledger, NewPayment, Update};
    /// # use counterfoil::money::{Currency, Money};
    /// # use counterfoil::payment::{Destination, PaymentMethod};
    /// # use counterfoil::scope::{Caller, Scope};
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # let ledger = Ledger::new(std::sync::Arc::new(counterfoil_memory::MemoryStore::new()));
    /// # let caller = Caller::new(Scope::new("acme".parse()?, "test".parse()?), "ann".parse()?);
    /// # let invoice = Destination::invoice("inv_1".parse()?);
    /// # let card = PaymentMethod::Card(None);
    /// # let amount = Money::parse("99.50", Currency::USD)?;
    /// # let new = || NewPayment::new(amount, invoice.clone(), card.clone()).recorded_only();
    /// # let made = ledger.create(&caller, new()).await?;
    ///
    /// let mut filter = Filter::default();
    /// filter.destination_id = Some("inv_1".parse()?);
    /// let first = Query::new(filter, 100);
    /// let (mut query, mut count) = (first.clone(), 0);
    /// loop {
    ///     let page = ledger.list(&caller.scope, &query).await?;
    ///     count += page.payments.len();
    ///     let Some(cursor) = page.next else { break };
    ///     query = first.clone().after(cursor);
    /// }
    /// assert_eq!(count, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
    /// ```
    /// use counterfoil::store::Position;
    /// # use counterfoil::ledger::{Ledger, NewPayment, Update};
    /// # use counterfoil::money::{Currency, Money};
    /// # use counterfoil::payment::{Destination, PaymentMethod};
    /// # use counterfoil::scope::{Caller, Scope};
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # let ledger = Ledger::new(std::sync::Arc::new(counterfoil_memory::MemoryStore::new()));
    /// # let caller = Caller::new(Scope::new("acme".parse()?, "test".parse()?), "ann".parse()?);
    /// # let invoice = Destination::invoice("inv_1".parse()?);
    /// # let card = PaymentMethod::Card(None);
    /// # let amount = Money::parse("99.50", Currency::USD)?;
    /// # let new = || NewPayment::new(amount, invoice.clone(), card.clone()).recorded_only();
    /// # let made = ledger.create(&caller, new()).await?;
    ///
    /// let mut position = Position::START; // or where the last run had come to
    /// loop {
    ///     let feed = ledger.feed(&caller.scope, position, 100).await?;
    ///     if feed.next == position {
    ///         break; // or `ledger.news(position).await?`, to wait for more
    ///     }
    ///     for entry in &feed.entries {
    ///         println!("{} {}", entry.event.stream(), entry.event.body().kind());
    ///     }
    ///     position = feed.next; // to be kept together with what was done about the events
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The store's. [`UnknownPosition`](crate::store::StoreErrorKind::UnknownPosition) means that the store was restored
    /// from a backup, or is another one. [`PaymentStore::feed`](crate::store::PaymentStore::feed) describes what the
    /// follower must do then.
    pub async fn feed(&self, scope: &Scope, after: Position, limit: usize) -> Result<Feed, StoreError> {
        self.store.feed(Some(scope), after, limit).await
    }

    /// Comes back when there may be more behind `after`; sleeps until then.
    ///
    /// # Errors
    ///
    /// The store's, [`Closed`](crate::store::StoreErrorKind::Closed) when it is closed meanwhile,
    /// [`UnknownPosition`](crate::store::StoreErrorKind::UnknownPosition) as [`feed`](Self::feed).
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

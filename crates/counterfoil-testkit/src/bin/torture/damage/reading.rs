//! All that can be read of books through the contract of a store.

use std::collections::BTreeSet;
use std::sync::Arc;

use counterfoil::account::AccountId;
use counterfoil::clock::Timestamp;
use counterfoil::event::{Event, StreamId};
use counterfoil::payment::{Attention, Destination};
use counterfoil::scope::Scope;
use counterfoil::store::{
    Cursor, Due, Feed, Filter, Head, Key, Order, Page, PaymentStore, Position, Query, Record, Sort,
    StoreError,
};
use counterfoil_testkit::block_on;

/// Every answer. Whoever has the same of two stores cannot tell them apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reading {
    heads: Vec<Head>,
    histories: Vec<Vec<Arc<Event>>>,
    /// Every payment, account, destination and claim.
    records: Vec<Option<Record>>,
    /// Of each scope: what is and what is not archived, in each order; and what indexes find.
    pages: Vec<Page>,
    due: Vec<Due>,
    /// Of all scopes, and of each.
    feeds: Vec<Feed>,
}

impl Reading {
    /// Reads everything.
    pub(super) fn of(store: &dyn PaymentStore) -> Result<Reading, StoreError> {
        block_on(read(store))
    }
}

async fn read(store: &dyn PaymentStore) -> Result<Reading, StoreError> {
    let heads = store.heads(&Cursor::START, usize::MAX).await?;
    let mut histories = Vec::new();
    for head in &heads {
        histories.push(store.history(&head.scope, &head.stream, 0, usize::MAX).await?);
    }
    let mut keys: BTreeSet<Key> = heads.iter().map(|head| Key::of(&head.scope, &head.stream)).collect();
    for event in histories.iter().flatten() {
        keys.extend(event.claims().iter().map(|claim| Key::Claim(claim.key.clone())));
        if let (StreamId::Payment(_), Some(terms)) = (event.stream(), event.terms()) {
            let account = AccountId::destination(&terms.destination);
            keys.insert(Key::Account(event.scope().clone(), account));
        }
    }
    let keys: Vec<Key> = keys.into_iter().collect();
    let state = store.read(&keys).await?;
    let records = keys.iter().map(|key| state.get(key).cloned()).collect();
    let scopes: BTreeSet<Scope> = heads.iter().map(|head| head.scope.clone()).collect();
    let (mut pages, mut feeds) = (Vec::new(), vec![store.feed(None, Position::START, usize::MAX).await?]);
    for scope in &scopes {
        let destinations = terms_of(&histories, scope);
        for query in orders().chain(finds(destinations)) {
            pages.push(store.list(scope, &query).await?);
        }
        feeds.push(store.feed(Some(scope), Position::START, usize::MAX).await?);
    }
    let due = store.due(Timestamp::MAX, usize::MAX).await?;
    Ok(Reading { heads, histories, records, pages, due, feeds })
}

/// What the payments of a scope pay.
fn terms_of(histories: &[Vec<Arc<Event>>], scope: &Scope) -> BTreeSet<Destination> {
    let first = histories.iter().filter_map(|events| events.first());
    let own = first.filter(|event| event.scope() == scope).filter_map(|event| event.terms());
    own.map(|terms| terms.destination.clone()).collect()
}

/// What is found by an index of its own: payments of a destination, payments that wait for a person.
fn finds(destinations: BTreeSet<Destination>) -> impl Iterator<Item = Query> {
    let destinations = destinations.into_iter().map(|destination| {
        let mut filter = Filter::default();
        (filter.destination_type, filter.destination_id) = (Some(destination.kind), Some(destination.id));
        filter
    });
    let waiting = Attention::ALL.iter().map(|attention| {
        let mut filter = Filter::default();
        filter.attention = Some(*attention);
        filter
    });
    destinations.chain(waiting).map(|filter| Query::new(filter, 1_000))
}

/// Everything, in each order.
fn orders() -> impl Iterator<Item = Query> {
    [false, true].into_iter().flat_map(|archived| {
        let mut filter = Filter::default();
        filter.archived = archived;
        [Sort::CreatedAt, Sort::UpdatedAt, Sort::Amount].into_iter().flat_map(move |sort| {
            let filter = filter.clone();
            [Order::Ascending, Order::Descending].into_iter().map(move |order| {
                let mut query = Query::new(filter.clone(), 1_000);
                (query.sort, query.order) = (sort, order);
                query
            })
        })
    })
}

//! What destinations come to, held against the payments that make it.

use std::collections::BTreeMap;

use super::{Fault, Problem, VerifyError};
use crate::account::{Account, AccountId, Share};
use crate::event::StreamId;
use crate::payment::{Destination, Payment};
use crate::scope::Scope;
use crate::store::{Filter, Key, Lookup, PaymentStore, Query};

/// How often a destination that changes while it is read is read again.
const TRIES: usize = 5;
const PAGE: usize = 1_000;

/// What destinations come to by the payments that were walked.
#[derive(Default)]
pub(super) struct Destinations(BTreeMap<(Scope, AccountId), (Destination, Account)>);

impl Destinations {
    /// Adds a payment's share.
    pub(super) fn add(&mut self, payment: &Payment) {
        let destination = &payment.terms().destination;
        let key = (payment.scope().clone(), AccountId::destination(destination));
        let new = || (destination.clone(), empty(payment));
        let (_, sum) = self.0.entry(key).or_insert_with(new);
        add(sum, payment);
    }

    /// Checks them against the rows. Payments were read first, so beside writers a difference is looked at again.
    pub(super) async fn check(&self, store: &dyn PaymentStore) -> Result<(), VerifyError> {
        for ((scope, id), (destination, sum)) in &self.0 {
            let state = store.read(&[Key::Account(scope.clone(), id.clone())]).await?;
            if !agree(sum, state.account(scope, id)) {
                look_again(store, scope, id, destination).await?;
            }
        }
        Ok(())
    }
}

/// Reads the row and all of its payments as they stand at one moment.
async fn look_again(
    store: &dyn PaymentStore,
    scope: &Scope,
    id: &AccountId,
    destination: &Destination,
) -> Result<(), VerifyError> {
    for _ in 0..TRIES {
        let mut keys = payments(store, scope, destination).await?;
        let payments = keys.clone();
        keys.push(Key::Account(scope.clone(), id.clone()));
        let state = store.read(&keys).await?;
        let mut sum: Option<Account> = None;
        for key in payments {
            if let Key::Payment(scope, payment) = key
                && let Lookup::Present(payment) = state.payment(&scope, payment)
            {
                add(sum.get_or_insert_with(|| empty(payment)), payment);
            }
        }
        if sum.is_none_or(|sum| agree(&sum, state.account(scope, id))) {
            return Ok(());
        }
    }
    let stream = StreamId::Account(id.clone());
    Err(Fault { scope: scope.clone(), stream, sequence: 0, problem: Problem::Totals }.into())
}

/// The keys of all payments of a destination.
async fn payments(
    store: &dyn PaymentStore,
    scope: &Scope,
    destination: &Destination,
) -> Result<Vec<Key>, VerifyError> {
    let mut keys = Vec::new();
    for archived in [false, true] {
        let filter = Filter {
            destination_type: Some(destination.kind),
            destination_id: Some(destination.id.clone()),
            archived,
            ..Filter::default()
        };
        let first = Query::new(filter, PAGE);
        let mut query = first.clone();
        loop {
            let page = store.list(scope, &query).await?;
            keys.extend(page.payments.iter().map(|payment| Key::Payment(scope.clone(), payment.id())));
            let Some(next) = page.next else { break };
            query = first.clone().after(next);
        }
    }
    Ok(keys)
}

fn empty(payment: &Payment) -> Account {
    let id = AccountId::destination(&payment.terms().destination);
    Account::new(payment.scope().clone(), id, payment.updated_at(), payment.updated_by().clone())
}

fn add(sum: &mut Account, payment: &Payment) {
    sum.share(payment.id(), payment.terms().amount.currency(), &Share::default(), &Share::of(payment));
}

/// A destination of which no payment was ever carried out needs no row.
fn agree(sum: &Account, row: Lookup<'_, Account>) -> bool {
    let row = match row {
        Lookup::Present(row) => Some(row),
        Lookup::Absent | Lookup::NotLoaded => None,
    };
    let totals = sum
        .totals
        .iter()
        .all(|(currency, totals)| *totals == row.map(|row| row.totals(*currency)).unwrap_or_default());
    totals && row.map_or(sum.doubts.is_empty(), |row| row.doubts == sum.doubts)
}

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

/// What destinations come to by the payments that were walked; nothing where there are none.
#[derive(Default)]
pub(super) struct Destinations(BTreeMap<(Scope, AccountId), (Destination, Option<Account>)>);

impl Destinations {
    /// Adds a payment's share.
    pub(super) fn add(&mut self, payment: &Payment) {
        let destination = &payment.terms().destination;
        let key = (payment.scope().clone(), AccountId::destination(destination));
        let (_, sum) = self.0.entry(key).or_insert_with(|| (destination.clone(), None));
        add(sum.get_or_insert_with(|| empty(payment)), payment);
    }

    /// There is a destination of this name, whatever its payments.
    pub(super) fn know(&mut self, scope: &Scope, id: &AccountId) {
        if let Some(destination) = id.as_destination() {
            self.0.entry((scope.clone(), id.clone())).or_insert((destination, None));
        }
    }

    /// Checks them against the rows. Payments were read first, so beside writers a difference is looked at again.
    pub(super) async fn check(&self, store: &dyn PaymentStore) -> Result<(), VerifyError> {
        for ((scope, id), (destination, sum)) in &self.0 {
            let state = store.read(&[Key::Account(scope.clone(), id.clone())]).await?;
            if !agree(sum.as_ref(), state.account(scope, id)) {
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
        if agree(sum.as_ref(), state.account(scope, id)) {
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
fn agree(sum: Option<&Account>, row: Lookup<'_, Account>) -> bool {
    let row = match row {
        Lookup::Present(row) => Some(row.as_ref()),
        Lookup::Absent | Lookup::NotLoaded => None,
    };
    let sides = [sum, row];
    let currencies = sides.iter().flatten().flat_map(|side| side.totals.keys());
    let totals =
        |side: Option<&Account>, currency| side.map(|side| side.totals(currency)).unwrap_or_default();
    let doubts = |side: Option<&Account>| side.map(|side| side.doubts.clone()).unwrap_or_default();
    currencies.copied().all(|currency| totals(sum, currency) == totals(row, currency))
        && doubts(sum) == doubts(row)
}

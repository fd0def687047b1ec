//! What destinations come to, held against the payments that make it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Fault, PAGE, Problem, VerifyError, or_fault};
use crate::account::{Account, AccountId, Share};
use crate::event::{Body, StreamId};
use crate::id::PaymentId;
use crate::payment::{Destination, Payment};
use crate::scope::Scope;
use crate::store::{Entry, Filter, Key, Lookup, PaymentStore, Position, Query, Record, State};

/// How often a destination that changes while it is read is read again. Few need more than one: what changes has to be a
/// payment that is created between the end of the feed and the moment that is read.
const TRIES: usize = 50;

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

    /// Checks them against the rows. Payments were read first, so beside writers a difference is looked at again; `read_to`
    /// is how far the feed was read by then. Gives how many could not be checked.
    pub(super) async fn check(
        &self,
        store: &dyn PaymentStore,
        read_to: Position,
    ) -> Result<u64, VerifyError> {
        let mut unchecked = 0;
        let mut feed = Behind { store, after: read_to };
        for ((scope, id), (destination, sum)) in &self.0 {
            let row = store.read(&[Key::Account(scope.clone(), id.clone())]).await;
            let state = row
                .map_err(|error| or_fault(error, |error| fault(scope, id, Problem::UnreadableRow(error))))?;
            if !agree(sum.as_ref(), state.account(scope, id))
                && !look_again(&mut feed, scope, id, destination).await?
            {
                unchecked += 1;
            }
        }
        Ok(unchecked)
    }
}

/// Reads the row and all of its payments as they stand at one moment; `false` if in the end none was known to be whole.
///
/// A payment that is created while the others are listed is none of those that are read, but may be in the row. So the
/// feed tells of those, and what differs is a fault only if the row was not changed from before the feed was read to the
/// moment of the reading: then nobody is missing who has a share in it.
async fn look_again(
    feed: &mut Behind<'_>,
    scope: &Scope,
    id: &AccountId,
    destination: &Destination,
) -> Result<bool, VerifyError> {
    let store = feed.store;
    let account = Key::Account(scope.clone(), id.clone());
    feed.created(scope, destination).await?;
    let mut payments = listed(store, scope, destination).await?;
    for _ in 0..TRIES {
        let before = store.read(std::slice::from_ref(&account)).await?.get(&account).map(Record::revision);
        payments.extend(feed.created(scope, destination).await?);
        let keys = payments.iter().map(|payment| Key::Payment(scope.clone(), *payment));
        let keys: Vec<Key> = keys.chain([account.clone()]).collect();
        let state = store.read(&keys).await?;
        if agree(sum(&state, scope, &payments).as_ref(), state.account(scope, id)) {
            return Ok(true);
        }
        if state.get(&account).map(Record::revision) == before {
            return Err(fault(scope, id, Problem::Totals).into());
        }
    }
    Ok(false)
}

fn fault(scope: &Scope, id: &AccountId, problem: Problem) -> Fault {
    Fault { scope: scope.clone(), stream: StreamId::Account(id.clone()), sequence: 0, problem }
}

/// The feed behind what was read of it.
struct Behind<'a> {
    store: &'a dyn PaymentStore,
    after: Position,
}

impl Behind<'_> {
    /// Reads on to its end; gives the payments of a destination that it tells of as new.
    async fn created(
        &mut self,
        scope: &Scope,
        destination: &Destination,
    ) -> Result<Vec<PaymentId>, VerifyError> {
        let mut created = Vec::new();
        loop {
            let feed = self.store.feed(None, self.after, PAGE).await?;
            if feed.next <= self.after {
                return Ok(created);
            }
            self.after = feed.next;
            for Entry { event, .. } in &feed.entries {
                if let (StreamId::Payment(payment), Body::Created(new)) = (event.stream(), event.body())
                    && event.scope() == scope
                    && new.terms.destination == *destination
                {
                    created.push(*payment);
                }
            }
        }
    }
}

/// The payments of a destination, each once: one that is archived meanwhile may be listed twice.
async fn listed(
    store: &dyn PaymentStore,
    scope: &Scope,
    destination: &Destination,
) -> Result<BTreeSet<PaymentId>, VerifyError> {
    let mut payments = BTreeSet::new();
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
            payments.extend(page.payments.iter().map(|payment| payment.id()));
            let Some(next) = page.next else { break };
            query = first.clone().after(next);
        }
    }
    Ok(payments)
}

/// What they come to as they were read.
fn sum(state: &State, scope: &Scope, payments: &BTreeSet<PaymentId>) -> Option<Account> {
    let mut sum: Option<Account> = None;
    for payment in payments {
        if let Lookup::Present(payment) = state.payment(scope, *payment) {
            add(sum.get_or_insert_with(|| empty(payment)), payment);
        }
    }
    sum
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
